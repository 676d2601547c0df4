//! Change tracking: the watermark of a first page, deltas, tokens and their end.

use super::cookie::Cursor;
use super::pages::Page;
use super::reply::Reply;
use super::variants::ContextForm;
use super::{Call, errors};
use crate::data::time::moment;
use crate::state::{Depth, State};

/// Refuses the options that do not go with change tracking.
pub fn refuse_options(state: &State, call: &Call<'_>, table: usize) -> Result<(), Reply> {
    let is_delta = call.raw_parameter("$deltatoken").is_some();
    if !call.prefers("odata.track-changes") && !is_delta {
        return Ok(());
    }
    for option in ["$filter", "$orderby", "$expand", "$top"] {
        // A next link of an untracked scan may come with the preference of the first request.
        if call.raw_parameter(option).is_some() && call.raw_parameter("$skiptoken").is_none() {
            return Err(errors::bad_request(&format!(
                "The \"{option}\" query parameter isn't supported when Change Tracking is enabled."
            )));
        }
    }
    if !state.is_tracked(table) {
        return Err(errors::tracking_disabled(state, table));
    }
    if state.depth(table) != Depth::Global {
        return Err(errors::needs_global_read(state, table, call.user));
    }
    Ok(())
}

/// The cursor of a first page: its watermark is fixed now, whatever happens while it is read.
pub fn begin(state: &State, call: &Call<'_>, table: usize) -> Result<Cursor, Reply> {
    let first = Cursor {
        page: 1,
        ..Cursor::default()
    };
    if let Some(since) = since(state, call, table)? {
        return Ok(Cursor {
            watermark: state.version,
            since: Some((since, since)),
            ..first
        });
    }
    if call.prefers("odata.track-changes") {
        return Ok(Cursor {
            watermark: state.version,
            ..first
        });
    }
    Ok(first)
}

fn since(state: &State, call: &Call<'_>, table: usize) -> Result<Option<u64>, Reply> {
    let Some(token) = call.parameter("$deltatoken") else {
        return Ok(None);
    };
    let Some(since) = token.split('!').next().and_then(|text| text.parse().ok()) else {
        return Err(errors::bad_request("The delta token is malformed."));
    };
    if since < state.changes[table].oldest_token || since > state.version {
        return Err(errors::expired_version_stamp(state));
    }
    Ok(Some(since))
}

/// Changes in version order; of each row only its newest. Deletes come after the rows of their page.
pub fn delta(state: &State, _call: &Call<'_>, table: usize, cursor: Cursor, size: usize) -> Page {
    let mut page = Page::default();
    let Some((since, last)) = cursor.since else {
        return page;
    };
    let begin = last.max(since) + 1;
    if begin > cursor.watermark {
        return page;
    }
    for (version, index) in state.changes[table].log.range(begin..=cursor.watermark) {
        if page.rows.len() + page.deleted.len() == size {
            let id = |row: Option<&crate::data::row::Row>| {
                Some(row.map_or_else(uuid::Uuid::nil, |row| state.id(table, row.index)))
            };
            page.next = Some(Cursor {
                page: cursor.page + 1,
                since: Some((since, version - 1)),
                last: id(page.rows.last()),
                first: id(page.rows.first()),
                ..cursor
            });
            break;
        }
        match state.row(table, *index) {
            Some(row) => page.rows.push(row),
            None => page.deleted.push(state.id(table, *index)),
        }
    }
    page
}

/// How many changes wait behind a token; `None` where none was given.
pub fn pending(state: &State, call: &Call<'_>, table: usize) -> Result<Option<u64>, Reply> {
    let Some(since) = since(state, call, table)? else {
        return Ok(None);
    };
    Ok(Some(
        state.changes[table].log.range(since + 1..).count() as u64
    ))
}

/// The value of `$deltatoken`: the version and a time, as documented.
pub fn token(watermark: u64) -> String {
    let time = moment(1_773_325_800 + (watermark % 86_400) as i64);
    let (date, time) = time.split_once('T').unwrap_or_default();
    let mut parts = date.split('-');
    let (year, month, day) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    format!(
        "{watermark}%21{month}%2f{day}%2f{year}%20{}",
        time.replace(':', "%3a")
    )
}

/// The context of a delta reply, in the form that is switched on.
pub fn context(state: &State, context: &str) -> String {
    match state.variants.data.delta_context {
        ContextForm::Delta => format!("{context}/$delta"),
        ContextForm::Plain => context.to_owned(),
        ContextForm::WithoutApi => {
            format!("{}/$delta", context.replacen("/api/data/", "/data/", 1))
        }
    }
}

/// Whether the delta link is withheld because annotations were asked for.
pub fn withholds(state: &State, call: &Call<'_>) -> bool {
    state.variants.data.delta_link_withheld && call.prefers_annotations()
}
