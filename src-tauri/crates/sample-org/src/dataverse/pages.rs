//! Records: lists with paging and change tracking, and single reads.
#![expect(
    clippy::result_large_err,
    reason = "a refusal is a whole reply, and there is one a request"
)]

use std::fmt::Write as _;

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use percent_encoding::percent_decode_str;
use uuid::Uuid;

use super::query::{Filter, Order};
use super::{Call, errors, raw_json};
use crate::data::json::Annotations;
use crate::data::row::Row;
use crate::data::schema::{Column, TABLES};
use crate::state::{Depth, State};

/// Rows a page holds at most.
const LARGEST_PAGE: usize = 5_000;

/// Where a page begins, and what it belongs to. A next link carries it in its cookie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Cursor {
    page: u64,
    /// The last index that was sent (scan) or the last version (delta).
    last: u64,
    /// The version that the scan's or the delta's link will carry on from; 0 untracked.
    watermark: u64,
    /// The version that a delta begins after.
    since: Option<u64>,
    size: usize,
    /// In an order: the value that the last row was sorted by.
    value: i64,
}

/// A list of records.
pub fn list(state: &State, call: &Call<'_>, table: usize) -> Response {
    if state.depth(table) == Depth::None {
        return errors::missing_privilege(TABLES[table].name, &call.user.to_string());
    }
    let columns = match select(state, call, table) {
        Ok(columns) => columns,
        Err(response) => return response,
    };
    let order = match call.parameter("$orderby").map(|text| Order::read(&text)) {
        Some(Ok(order)) => Some(order),
        Some(Err(response)) => return response,
        None => None,
    };
    let tracking = call.prefers("odata.track-changes");
    for option in ["$filter", "$orderby", "$expand", "$top"] {
        if tracking && call.parameter(option).is_some() {
            let name = option.trim_start_matches('$');
            return errors::bad_request(&format!(
                "The query parameter {name} is not supported with change tracking."
            ));
        }
    }
    let cursor = match begin(state, call, table, tracking) {
        Ok(cursor) => cursor,
        Err(response) => return response,
    };
    let filter = match call
        .parameter("$filter")
        .map(|text| Filter::read(&text, table))
    {
        Some(Ok(filter)) => filter,
        Some(Err(response)) => return response,
        None => Filter::All,
    };
    let page = match cursor.since {
        Some(since) => delta(state, table, cursor, since),
        None => {
            let holds = |row: &Row| filter.holds(state, row) && state.can_read(*row, call.user);
            match order {
                Some(order) => sorted(state, table, cursor, &holds, order, call.top()),
                None => scan(state, table, cursor, &holds, call.top()),
            }
        }
    };
    write(state, call, table, &columns, cursor, &page)
}

/// Rows of a page, deleted entries behind them, and where the next page begins.
#[derive(Default)]
struct Page {
    rows: Vec<Row>,
    deleted: Vec<Uuid>,
    next: Option<u64>,
    value: i64,
}

fn begin(state: &State, call: &Call<'_>, table: usize, tracking: bool) -> Result<Cursor, Response> {
    let name = TABLES[table].name;
    let size = call.page_size().clamp(1, LARGEST_PAGE);
    if let Some(cookie) = call.raw_parameter("$skiptoken") {
        return read_cookie(state, table, cookie)
            .ok_or_else(|| errors::bad_request("The paging cookie is malformed."));
    }
    if let Some(token) = call.parameter("$deltatoken") {
        let since: u64 = token
            .split('!')
            .next()
            .and_then(|version| version.parse().ok())
            .unwrap_or(0);
        if since < state.oldest_token {
            return Err(errors::expired_version_stamp());
        }
        return Ok(Cursor {
            page: 1,
            last: since,
            watermark: state.version,
            since: Some(since),
            size,
            value: 0,
        });
    }
    if !tracking {
        return Ok(Cursor {
            page: 1,
            size,
            ..Cursor::default()
        });
    }
    if !state.is_tracked(table) {
        return Err(errors::tracking_disabled(name));
    }
    if state.depth(table) != Depth::Global {
        return Err(errors::needs_global_read(name));
    }
    Ok(Cursor {
        page: 1,
        size,
        watermark: state.version,
        ..Cursor::default()
    })
}

fn scan(
    state: &State,
    table: usize,
    cursor: Cursor,
    holds: &dyn Fn(&Row) -> bool,
    top: Option<usize>,
) -> Page {
    let mut page = Page::default();
    let begin = if cursor.page == 1 { 0 } else { cursor.last + 1 };
    for index in begin..state.changes[table].end {
        let Some(row) = state.row(table, index).filter(holds) else {
            continue;
        };
        if top.is_some_and(|top| page.rows.len() == top) {
            break;
        }
        if page.rows.len() == cursor.size {
            page.next = page.rows.last().map(|row| row.index);
            break;
        }
        page.rows.push(row);
    }
    page
}

fn sorted(
    state: &State,
    table: usize,
    cursor: Cursor,
    holds: &dyn Fn(&Row) -> bool,
    order: Order,
    top: Option<usize>,
) -> Page {
    let is_after = |value: i64, row: &Row| {
        cursor.page == 1 || (value, row.index) > (cursor.value, cursor.last)
    };
    let mut rows: Vec<(i64, Row)> = (0..state.changes[table].end)
        .filter_map(|index| state.row(table, index).filter(holds))
        .map(|row| (order.value(state, row), row))
        .filter(|(value, row)| is_after(*value, row))
        .collect();
    rows.sort_by_key(|(value, row)| (*value, row.index));
    let size = top.unwrap_or(cursor.size);
    let is_cut = rows.len() > size && top.is_none();
    rows.truncate(size);
    let last = rows.last().filter(|_| is_cut);
    Page {
        next: last.map(|(_, row)| row.index),
        value: last.map_or(0, |(value, _)| *value),
        rows: rows.into_iter().map(|(_, row)| row).collect(),
        deleted: Vec::new(),
    }
}

/// Changes in version order; of each row only its newest. Deletes come after the rows of their page.
fn delta(state: &State, table: usize, cursor: Cursor, since: u64) -> Page {
    let mut page = Page::default();
    let begin = cursor.last.max(since) + 1;
    if begin > cursor.watermark {
        return page;
    }
    for (version, index) in state.changes[table].log.range(begin..=cursor.watermark) {
        if page.rows.len() + page.deleted.len() == cursor.size {
            page.next = Some(version - 1);
            break;
        }
        match state.row(table, *index) {
            Some(row) => page.rows.push(row),
            None => page.deleted.push(state.id(table, *index)),
        }
    }
    page
}

fn write(
    state: &State,
    call: &Call<'_>,
    table: usize,
    columns: &[&Column],
    cursor: Cursor,
    page: &Page,
) -> Response {
    let annotations = call.annotations();
    let set = TABLES[table].set;
    let select = call.raw_parameter("$select");
    let mut body = String::with_capacity(page.rows.len() * 2_800 + 1_024);
    let base = format!("{}/api/data/v9.2/", call.origin);
    let delta = if cursor.since.is_some() {
        "/$delta"
    } else {
        ""
    };
    let _ = write!(
        body,
        "{{\"@odata.context\":\"{base}$metadata#{set}({}){delta}\"",
        select.unwrap_or_default()
    );
    if call.asks_for("Microsoft.Dynamics.CRM.globalmetadataversion") {
        let _ = write!(
            body,
            ",\"@Microsoft.Dynamics.CRM.globalmetadataversion\":\"{}\"",
            state.metadata_version
        );
    }
    if call.parameter("$count").as_deref() == Some("true") {
        let _ = write!(
            body,
            ",\"@odata.count\":{}",
            state.changes[table].live.min(5_000)
        );
    }
    let origin = call.link_origin.as_deref().unwrap_or(&call.origin);
    let link = format!(
        "{origin}/api/data/v9.2/{set}?{}",
        select
            .map(|text| format!("$select={text}&"))
            .unwrap_or_default()
    );
    if page.next.is_none() && cursor.watermark > 0 {
        let token = format!("{}%2103%2f12%2f2026%2014%3a30%3a00", cursor.watermark);
        let _ = write!(body, ",\"@odata.deltaLink\":\"{link}$deltatoken={token}\"");
    }
    body.push_str(",\"value\":[");
    for (place, row) in page.rows.iter().enumerate() {
        if place > 0 {
            body.push(',');
        }
        state.world.write(*row, columns, annotations, &mut body);
    }
    for (place, id) in page.deleted.iter().enumerate() {
        if place > 0 || !page.rows.is_empty() {
            body.push(',');
        }
        let _ = write!(
            body,
            "{{\"@odata.context\":\"{base}$metadata#{set}/$deletedEntity\",\"id\":\"{id}\",\"reason\":\"deleted\"}}"
        );
    }
    body.push(']');
    if let Some(last) = page.next {
        let next = Cursor {
            page: cursor.page + 1,
            last,
            value: page.value,
            ..cursor
        };
        let filter = call
            .raw_parameter("$filter")
            .map(|text| format!("$filter={text}&"))
            .unwrap_or_default()
            + &call
                .raw_parameter("$orderby")
                .map(|text| format!("$orderby={text}&"))
                .unwrap_or_default();
        let _ = write!(
            body,
            ",\"@odata.nextLink\":\"{link}{filter}$skiptoken={}\"",
            cookie(state, table, next)
        );
    }
    body.push('}');
    let mut response = raw_json(body.into());
    if let Some(prefer) = call.prefer.and_then(|text| text.parse().ok()) {
        response.headers_mut().insert("preference-applied", prefer);
    }
    response
}

/// The documented cookie, encoded twice: upper-case hex outside, lower-case inside. Our own state
/// hides in an attribute that real cookies have too (`parentEntityId` and the like come and go).
fn cookie(state: &State, table: usize, cursor: Cursor) -> String {
    let name = TABLES[table].primary_id;
    let id = state.id(
        table,
        if cursor.since.is_some() {
            0
        } else {
            cursor.last
        },
    );
    let since = cursor
        .since
        .map_or_else(|| "-".to_owned(), |since| since.to_string());
    format!(
        "%3Ccookie%20pagenumber=%22{page}%22%20pagingcookie=%22%253ccookie%2520page%253d%2522{page}%2522%253e\
         %253c{name}%2520last%253d%2522%257b{id}%257d%2522%2520first%253d%2522%257b{id}%257d%2522%2520%252f%253e\
         %253c%252fcookie%253e%22%20state='({last},{watermark},{since},{size},{value})'%20istracking=%22{tracking}%22%20/%3E",
        page = cursor.page,
        last = cursor.last,
        watermark = cursor.watermark,
        size = cursor.size,
        value = cursor.value,
        tracking = if cursor.watermark > 0 {
            "True"
        } else {
            "False"
        },
    )
}

fn read_cookie(state: &State, table: usize, text: &str) -> Option<Cursor> {
    // A client that decoded and encoded again has broken the cookie, as with the real service.
    let inside = text.split_once("state='(")?.1.split_once(")'")?.0;
    let page = percent_decode_str(text).decode_utf8().ok()?;
    let page = page
        .split_once("pagenumber=\"")?
        .1
        .split_once('"')?
        .0
        .parse()
        .ok()?;
    let mut parts = inside.split(',');
    let last = parts.next()?.parse().ok()?;
    let watermark = parts.next()?.parse().ok()?;
    let since = parts.next()?.parse().ok();
    let size = parts.next()?.parse().ok()?;
    let value = parts.next()?.parse().ok()?;
    (state.changes[table].end > 0).then_some(Cursor {
        page,
        last,
        watermark,
        since,
        size,
        value,
    })
}

/// The selected columns; all where nothing is selected. The primary id always comes along.
fn select(state: &State, call: &Call<'_>, table: usize) -> Result<Vec<&'static Column>, Response> {
    let all: Vec<&'static Column> = state.columns(table).collect();
    let Some(text) = call.parameter("$select") else {
        return Ok(all);
    };
    let mut columns = Vec::new();
    for name in text
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
    {
        match all.iter().find(|column| column.wire() == name) {
            Some(column) => columns.push(*column),
            None => return Err(errors::unknown_column(name, TABLES[table].name)),
        }
    }
    if !columns
        .iter()
        .any(|column| column.name == TABLES[table].primary_id)
    {
        columns.extend(
            all.iter()
                .find(|column| column.name == TABLES[table].primary_id)
                .copied(),
        );
    }
    Ok(columns)
}

/// One record.
pub fn single(state: &State, call: &Call<'_>, table: usize, key: &str) -> Response {
    if state.depth(table) == Depth::None {
        return errors::missing_privilege(TABLES[table].name, &call.user.to_string());
    }
    let columns = match select(state, call, table) {
        Ok(columns) => columns,
        Err(response) => return response,
    };
    let row = Uuid::try_parse(key)
        .ok()
        .and_then(|id| state.find(table, id))
        .filter(|row| state.can_read(*row, call.user));
    let Some(row) = row else {
        return errors::not_found(TABLES[table].name, key);
    };
    let mut body = String::new();
    state
        .world
        .write(row, &columns, call.annotations(), &mut body);
    let context = format!(
        "{{\"@odata.context\":\"{}/api/data/v9.2/$metadata#{}/$entity\",",
        call.origin, TABLES[table].set
    );
    raw_json(body.replacen('{', &context, 1).into())
}

/// `/$count`: plain text, with the byte order mark that the service sends, and never above 5,000.
pub fn count(state: &State, table: usize) -> Response {
    let live = state.changes[table].live.min(5_000);
    (
        StatusCode::OK,
        [("content-type", "text/plain")],
        format!("\u{feff}{live}"),
    )
        .into_response()
}

/// All live rows as JSON lines: what a mirror has to equal.
pub fn truth(state: &State, table: usize) -> String {
    let columns: Vec<&Column> = state.columns(table).collect();
    let mut text = String::new();
    for index in 0..state.changes[table].end {
        if let Some(row) = state.row(table, index) {
            state
                .world
                .write(row, &columns, Annotations::default(), &mut text);
            text.push('\n');
        }
    }
    text
}
