//! Rows: lists with paging, counts, and single reads.

use std::fmt::Write as _;

use axum::http::StatusCode;
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use super::cookie::Cursor;
use super::evaluate::{self, Condition};
use super::query;
use super::record::{Annotations, Shape, Shown};
use super::reply::Reply;
use super::tracking;
use super::{Call, errors};
use crate::data::row::Row;
use crate::state::{Depth, State};

/// Counts stop here.
const LARGEST_COUNT: u64 = 5_000;

/// Rows of a page, deleted entries behind them, and where the next page begins.
#[derive(Default)]
pub struct Page {
    pub rows: Vec<Row>,
    pub deleted: Vec<Uuid>,
    pub next: Option<Cursor>,
    /// Rows that match in all, where they were counted on the way.
    pub matched: Option<u64>,
}

/// Which rows a collection holds beside its filter: those that point to a row.
pub type Parent = (String, (usize, Uuid));

/// A list of records, perhaps of those below a parent.
pub fn list(
    state: &State,
    call: &Call<'_>,
    table: usize,
    parent: Option<&Parent>,
) -> Result<Reply, Reply> {
    state.may_read(table, call.user)?;
    if call.parameter("$skip").is_some() {
        return Err(errors::bad_request("Skip Clause is not supported in CRM"));
    }
    tracking::refuse_options(state, call, table)?;
    let options = call.options();
    let shape = query::shape(state, call.user, table, &options)?;
    let cursor = begin(state, call, table)?;
    let size = page_size(state, call, table);
    let page = if cursor.since.is_some() {
        tracking::delta(state, call, table, cursor, size)
    } else {
        let condition = query::condition(state, table, options.filter.as_deref())?;
        let holds = |row: &Row| holds(state, call.user, *row, condition.as_ref(), parent);
        let order = query::order(state, table, options.order.as_deref())?;
        let wants_count = call.wants_count();
        let known = condition
            .as_ref()
            .and_then(|condition| evaluate::ids(condition, state.tables[table].primary_id));
        if let Some(ids) = known {
            let mut rows: Vec<Row> = ids.iter().filter_map(|id| state.find(table, *id)).collect();
            rows.retain(holds);
            rows.sort_by_key(|row| crate::rows::ordered(state.id(table, row.index)));
            rows.dedup_by_key(|row| row.index);
            query::sort(state, &mut rows, &order);
            slice(state, table, &rows, cursor, size, call.top())
        } else if order.is_empty() {
            let mut page = scan(state, table, cursor, &holds, size, call.top());
            if wants_count {
                page.matched = Some(count_rows(state, call, table, condition.as_ref(), parent));
            }
            page
        } else {
            let mut rows: Vec<Row> = state.rows_after(table, None).filter(holds).collect();
            query::sort(state, &mut rows, &order);
            slice(state, table, &rows, cursor, size, call.top())
        }
    };
    Ok(write(state, call, table, &shape, cursor, &page, size))
}

fn holds(
    state: &State,
    user: Uuid,
    row: Row,
    condition: Option<&Condition<'_>>,
    parent: Option<&Parent>,
) -> bool {
    state.can_read(row, user)
        && parent.is_none_or(|(column, of)| state.target(&state.cell(row, column)) == Some(*of))
        && condition.is_none_or(|condition| evaluate::holds(state, row, condition))
}

fn count_rows(
    state: &State,
    call: &Call<'_>,
    table: usize,
    condition: Option<&Condition<'_>>,
    parent: Option<&Parent>,
) -> u64 {
    if condition.is_none() && parent.is_none() && state.depth(table) == Depth::Global {
        return state.changes[table].live;
    }
    let rows = state.rows_after(table, None);
    rows.filter(|row| holds(state, call.user, *row, condition, parent))
        .take(LARGEST_COUNT as usize + 1)
        .count() as u64
}

fn page_size(state: &State, call: &Call<'_>, table: usize) -> usize {
    let largest = state.tables[table]
        .largest_page
        .min(state.variants.data.largest_page);
    // A next link keeps the page size that it was made with.
    let kept = call
        .raw_parameter("$skiptoken")
        .and_then(|raw| state.web.size(&decoded(raw)));
    kept.or_else(|| call.page_size())
        .unwrap_or(largest)
        .clamp(1, largest)
}

fn decoded(raw: &str) -> String {
    let blanks = raw.replace('+', " ");
    percent_decode_str(&blanks).decode_utf8_lossy().into_owned()
}

fn begin(state: &State, call: &Call<'_>, table: usize) -> Result<Cursor, Reply> {
    if let Some(raw) = call.raw_parameter("$skiptoken") {
        let primary_id = state.tables[table].primary_id;
        let cursor = Cursor::read(raw, primary_id, state.variants.data.strict_cookies)
            .ok_or_else(|| errors::bad_request("The paging cookie is malformed."))?;
        if cursor.watermark > 0 && cursor.watermark < state.changes[table].oldest_token {
            return Err(errors::expired_version_stamp(state));
        }
        return Ok(cursor);
    }
    tracking::begin(state, call, table)
}

fn scan(
    state: &State,
    table: usize,
    cursor: Cursor,
    holds: &dyn Fn(&Row) -> bool,
    size: usize,
    top: Option<usize>,
) -> Page {
    let mut page = Page::default();
    for row in state.rows_after(table, cursor.last).filter(holds) {
        if top.is_some_and(|top| page.rows.len() == top) {
            break;
        }
        if page.rows.len() == size {
            page.next = Some(next(state, cursor, &page.rows));
            break;
        }
        page.rows.push(row);
    }
    page
}

/// The page of rows that are sorted already: it begins behind the last row that was sent, or at
/// its place where that row has gone since.
fn slice(
    state: &State,
    table: usize,
    rows: &[Row],
    cursor: Cursor,
    size: usize,
    top: Option<usize>,
) -> Page {
    let begin = match cursor.last {
        None => 0,
        Some(last) => rows
            .iter()
            .position(|row| state.id(table, row.index) == last)
            .map_or((cursor.page as usize - 1) * size, |place| place + 1),
    };
    let matched = Some(rows.len() as u64);
    let wanted = size.min(top.unwrap_or(size));
    let end = (begin + wanted).min(rows.len());
    let more = end < rows.len() && top.is_none_or(|top| top > size);
    let rows = rows.get(begin..end).unwrap_or_default().to_vec();
    let next = more.then(|| next(state, cursor, &rows));
    Page {
        rows,
        next,
        matched,
        ..Page::default()
    }
}

fn next(state: &State, cursor: Cursor, rows: &[Row]) -> Cursor {
    let id = |row: Option<&Row>| row.map(|row| state.id(row.table, row.index));
    Cursor {
        page: cursor.page + 1,
        last: id(rows.last()),
        first: id(rows.first()),
        ..cursor
    }
}

fn write(
    state: &State,
    call: &Call<'_>,
    table: usize,
    shape: &Shape<'_>,
    cursor: Cursor,
    page: &Page,
    size: usize,
) -> Reply {
    let annotations = call.annotations();
    let set = state.tables[table].set;
    let mut body = String::with_capacity(page.rows.len() * 2_800 + 1_024);
    let context = call.context(&format!("{set}{}", context_columns(call)));
    let _ = match cursor.since {
        None => write!(body, "{{\"@odata.context\":{}", quoted(&context)),
        Some(_) => write!(
            body,
            "{{\"@odata.context\":{}",
            quoted(&tracking::context(state, &context))
        ),
    };
    let counted = call.wants_count().then(|| page.matched.unwrap_or_default());
    if let Some(counted) = counted {
        let _ = write!(body, ",\"@odata.count\":{}", counted.min(LARGEST_COUNT));
    }
    if call.asks_for("Microsoft.Dynamics.CRM.totalrecordcount") {
        let total = counted.map_or(-1, |counted| counted.min(LARGEST_COUNT) as i64);
        let _ = write!(
            body,
            ",\"@Microsoft.Dynamics.CRM.totalrecordcount\":{total}"
        );
    }
    if call.asks_for("Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded") {
        let exceeded = counted.is_some_and(|counted| counted > LARGEST_COUNT);
        let _ = write!(
            body,
            ",\"@Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded\":{exceeded}"
        );
    }
    if call.asks_for("Microsoft.Dynamics.CRM.globalmetadataversion") {
        let _ = write!(
            body,
            ",\"@Microsoft.Dynamics.CRM.globalmetadataversion\":\"{}\"",
            state.metadata_version
        );
    }
    if page.next.is_none() && cursor.watermark > 0 && !tracking::withholds(state, call) {
        let link = call.link(&["$select"]);
        let token = tracking::token(cursor.watermark);
        let _ = write!(body, ",\"@odata.deltaLink\":\"{link}$deltatoken={token}\"");
    }
    let is_bare = state.variants.data.delta_without_value
        && cursor.since.is_some()
        && page.rows.is_empty()
        && page.deleted.is_empty();
    if !is_bare {
        body.push_str(",\"value\":[");
        for (place, row) in page.rows.iter().enumerate() {
            if place > 0 {
                body.push(',');
            }
            state.write(*row, shape, annotations, &mut body);
        }
        for (place, id) in page.deleted.iter().enumerate() {
            if place > 0 || !page.rows.is_empty() {
                body.push(',');
            }
            let context = call.context(&format!("{set}/$deletedEntity"));
            let _ = write!(
                body,
                "{{\"@odata.context\":\"{context}\",\"id\":\"{id}\",\"reason\":\"deleted\"}}"
            );
        }
        body.push(']');
    }
    if let Some(next) = page.next {
        let options = [
            "$select", "$filter", "$orderby", "$expand", "$count", "$apply", "$top",
        ];
        let cookie = next.write(state.tables[table].primary_id);
        if size != state.tables[table].largest_page {
            state.web.remember(decoded(&cookie), size);
        }
        let _ = write!(
            body,
            ",\"@odata.nextLink\":\"{}$skiptoken={cookie}\"",
            call.link(&options)
        );
    }
    body.push('}');
    call.applied(Reply::text(body))
}

/// What the context of a list says about its columns: the selection as it was asked for.
fn context_columns(call: &Call<'_>) -> String {
    let select = call.parameter("$select");
    let expand = call.parameter("$expand").map(|text| {
        let names: Vec<String> = query::split(&text, ',')
            .into_iter()
            .map(|part| {
                let (name, nested) = part.trim().split_once('(').unwrap_or((part.trim(), ""));
                let select = query::split(nested.trim_end_matches(')'), ';')
                    .into_iter()
                    .find_map(|option| option.strip_prefix("$select=").map(str::to_owned));
                format!("{name}({})", select.unwrap_or_default())
            })
            .collect();
        names.join(",")
    });
    match (select, expand) {
        (None, None) => String::new(),
        (Some(text), None) | (None, Some(text)) => format!("({text})"),
        (Some(select), Some(expand)) => format!("({select},{expand})"),
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// One record.
pub fn single(state: &State, call: &Call<'_>, row: Row) -> Result<Reply, Reply> {
    state.may(errors::Right::Read, row, call.user)?;
    let options = call.options();
    let shape = query::shape(state, call.user, row.table, &options)?;
    let tag = format!("W/\"{}\"", row.version);
    // Never with annotations or expansions: what they show may have changed although the row did not.
    if call.header("if-none-match") == Some(&tag)
        && options.expand.is_none()
        && !call.prefers_annotations()
    {
        return Ok(Reply::text("").status(StatusCode::NOT_MODIFIED));
    }
    Ok(call
        .applied(whole(state, call, row, &shape))
        .with("etag", tag))
}

/// The body of one record, with its context.
pub fn whole(state: &State, call: &Call<'_>, row: Row, shape: &Shape<'_>) -> Reply {
    let mut body = String::new();
    state.write(row, shape, call.annotations(), &mut body);
    let set = state.tables[row.table].set;
    let context = call.context(&format!("{set}{}/$entity", context_columns(call)));
    let context = format!("{{\"@odata.context\":{},", quoted(&context));
    Reply::text(body.replacen('{', &context, 1))
}

/// One property of a record.
pub fn property(state: &State, call: &Call<'_>, row: Row, name: &str) -> Result<Reply, Reply> {
    state.may(errors::Right::Read, row, call.user)?;
    let table = &state.tables[row.table];
    let column = table
        .property(name)
        .ok_or_else(|| errors::unknown_column(name, table.name))?;
    let shape = Shape {
        columns: vec![Shown {
            column,
            is_hidden: state.is_secured(row.table, &column.name),
        }],
        ..Shape::default()
    };
    let mut body = String::new();
    state.write(row, &shape, Annotations::default(), &mut body);
    let parsed: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&body).unwrap_or_default();
    if parsed.get(name).is_none_or(serde_json::Value::is_null) {
        return Ok(Reply::empty(StatusCode::NO_CONTENT));
    }
    // The digits as they stand in the row, not as a number type would print them.
    let value = body
        .split_once(&format!("\"{name}\":"))
        .map(|(_, rest)| rest.trim_end_matches('}').to_owned())
        .unwrap_or_default();
    let id = state.id(row.table, row.index);
    let context = call.context(&format!("{}({id})/{name}", table.set));
    Ok(Reply::text(format!(
        "{{\"@odata.context\":{},\"value\":{value}}}",
        quoted(&context)
    )))
}

/// `/$count`: plain text, never above 5,000.
pub fn count(state: &State, call: &Call<'_>, table: usize) -> Result<Reply, Reply> {
    state.may_read(table, call.user)?;
    let counted = match tracking::pending(state, call, table)? {
        Some(pending) => pending,
        None => {
            let text = call.parameter("$filter");
            let condition = query::condition(state, table, text.as_deref())?;
            count_rows(state, call, table, condition.as_ref(), None)
        }
    };
    let mark = if state.variants.data.count_mark {
        "\u{feff}"
    } else {
        ""
    };
    Ok(Reply::typed(
        "text/plain",
        format!("{mark}{}", counted.min(LARGEST_COUNT)),
    ))
}

/// All live rows as JSON lines: what a mirror has to equal.
pub fn truth(state: &State, table: usize) -> String {
    let shape = everything(state, table);
    let mut text = String::new();
    for row in state.rows_after(table, None) {
        state.write(row, &shape, Annotations::default(), &mut text);
        text.push('\n');
    }
    text
}

/// One row with all its columns.
pub fn exact(state: &State, row: Row) -> String {
    let mut text = String::new();
    let shape = everything(state, row.table);
    state.write(row, &shape, Annotations::default(), &mut text);
    text
}

fn everything(state: &State, table: usize) -> Shape<'_> {
    let columns = state.tables[table].columns.iter();
    Shape {
        columns: columns
            .filter(|column| query::is_readable(column.kind))
            .map(|column| Shown {
                column,
                is_hidden: false,
            })
            .collect(),
        ..Shape::default()
    }
}
