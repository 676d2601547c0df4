//! What happens, as server-sent events. Each reader reads the log at its own pace, so that a slow one
//! holds nobody up and nothing is gathered for it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures::Stream;
use salesmirror_core::{
    ApiKey, EventId, Fed, FeedEvent, RecordEvent, Scope, Session, happening_json,
};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::document::Refusals;
use crate::error::{ApiError, Result};
use crate::management::{object, run};
use crate::parameters::Parameters;
use crate::state::Api;

/// Events that are read at once.
const PAGE: u32 = 200;
/// How often a silent stream says that it is there.
const ALIVE_EVERY: Duration = Duration::from_secs(15);
/// How often it is looked whether the key is still good, however much there is to send.
const CHECK_EVERY: Duration = Duration::from_secs(5);

/// An event of the stream.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the document is made of it")]
pub struct StreamEvent {
    /// Its place in the log: what `Last-Event-ID` goes on from.
    id: String,
    event: StreamEventName,
    /// JSON: for a record `object`, `table`, `id`, `what`, `seen`, `run` and the `fields` that changed; for a
    /// sync what `/mgmt/v2/sync-runs` tells of it.
    data: String,
}

/// What happened.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "the document is made of it")]
enum StreamEventName {
    Record,
    SyncBegan,
    SyncEnded,
    Gap,
}

/// Longest id of an event, in characters.
const LONGEST_ID: usize = 200;

/// Follow what happens
///
/// Server-sent events: `record` for a record that was created, changed, deleted or came back (with the
/// values before and after), `sync_began` and `sync_ended` for the syncs of tables, and `gap` where some of
/// what came after `Last-Event-ID` is no longer kept, so that everything has to be read anew. A reader
/// that was away sends the id of the last event that it saw, and misses nothing that is still kept.
#[utoipa::path(
    get, path = "/events", tag = "Events", operation_id = "follow_events",
    params(
        ("Last-Event-ID" = Option<String>, Header, description = "Id of the last event that was seen", max_length = 200),
        ("last_event_id" = Option<String>, Query, description = "The same, for those who cannot send headers", max_length = 200),
        ("object" = Option<String>, Query, description = "Events of this object or mirrored table only", max_length = 200),
        ("follow" = Option<bool>, Query, description = "Whether to go on with what happens from now on. Else the answer ends with what is kept: all of it where no id is given"),
    ),
    responses(
        (status = 200, description = "The events", body = StreamEvent, content_type = "text/event-stream"),
        Refusals
    )
)]
pub async fn events(
    State(api): State<Api>,
    key: Option<Extension<ApiKey>>,
    headers: HeaderMap,
    mut given: Parameters,
) -> Result<Response> {
    let in_query = given.one("last_event_id")?;
    let wanted = given.one("object")?;
    let follow = given.flag("follow", true)?;
    given.end()?;
    let header = headers.get("last-event-id");
    let last = header.and_then(|value| value.to_str().ok().map(str::to_owned));
    let texts = [&in_query, &last, &wanted].into_iter().flatten();
    if texts
        .into_iter()
        .any(|text| text.chars().count() > LONGEST_ID)
    {
        return Err(ApiError::parameter(format!(
            "The id of an event and the name of an object have {LONGEST_ID} characters at most."
        )));
    }
    let session = api.session().await?;
    let table = match wanted {
        Some(name) => Some(session.table(&name).await?),
        None => None,
    };
    // Looked at before the log is read for the first time, so that nothing comes between.
    let changes = session.feed_changes();
    let at = match last.filter(|id| !id.is_empty()).or(in_query) {
        // An id that cannot be read is one of another log: its reader has to begin anew.
        Some(id) => id.parse().unwrap_or_default(),
        None if follow => session.newest_event().await?,
        None => EventId::default(),
    };
    let reader = Reader {
        api,
        session,
        changes,
        at,
        table,
        follow,
        key: key.map(|Extension(key)| key.id),
        // The key was good when the request came in.
        checked: Instant::now(),
        read: VecDeque::new(),
    };
    let alive = KeepAlive::new().interval(ALIVE_EVERY);
    Ok(Sse::new(reader.stream()).keep_alive(alive).into_response())
}

/// Somebody who reads the log.
struct Reader {
    api: Api,
    session: Session,
    changes: watch::Receiver<EventId>,
    at: EventId,
    table: Option<String>,
    follow: bool,
    key: Option<uuid::Uuid>,
    /// When it was looked last whether the reader is still welcome.
    checked: Instant,
    read: VecDeque<Fed>,
}

impl Reader {
    fn stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        futures::stream::unfold(self, |mut reader| async move {
            let event = reader.next().await?;
            Some((Ok(event), reader))
        })
    }

    /// The next event; `None` where the stream ends.
    async fn next(&mut self) -> Option<Event> {
        loop {
            // Before anything is sent: a long replay, or a busy organisation, is never silent.
            if !self.may_go_on().await {
                return None;
            }
            while let Some(fed) = self.read.pop_front() {
                self.at = fed.id;
                if self.concerns(&fed.event) {
                    return Some(written(&fed));
                }
            }
            self.changes.mark_unchanged();
            match self.session.events_after(self.at, PAGE).await {
                Ok(page) if !page.is_empty() => {
                    self.read.extend(page);
                    continue;
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(code = error.code, "the log of events cannot be read");
                    // The reader comes back by itself, with the last id that it saw.
                    return None;
                }
            }
            if !self.follow {
                return None;
            }
            let stop = self.api.stop.clone();
            tokio::select! {
                changed = self.changes.changed() => {
                    if changed.is_err() {
                        return None;
                    }
                }
                () = tokio::time::sleep_until(self.checked + CHECK_EVERY) => {}
                () = stop.cancelled() => return None,
            }
        }
    }

    /// Whether the API is still on and the reader was welcome a moment ago.
    async fn may_go_on(&mut self) -> bool {
        if self.api.stop.is_cancelled() {
            return false;
        }
        if self.checked.elapsed() < CHECK_EVERY {
            return true;
        }
        self.checked = Instant::now();
        self.is_welcome().await
    }

    /// Whether the key was not revoked meanwhile and may still read, and the connection not opened anew.
    async fn is_welcome(&self) -> bool {
        if self.session.mirror().is_damaged() {
            return false;
        }
        match self.api.app.api_keys().await {
            Ok(keys) => self.key.is_none_or(|id| {
                let key = keys.iter().find(|key| key.id == id);
                key.is_some_and(|key| key.may(Scope::Read))
            }),
            Err(_) => false,
        }
    }

    fn concerns(&self, event: &FeedEvent) -> bool {
        let Some(wanted) = &self.table else {
            return true;
        };
        match event {
            FeedEvent::Record(record) => record.table == *wanted,
            FeedEvent::RunBegan(run) | FeedEvent::RunEnded(run) => run.table == *wanted,
            FeedEvent::Gap => true,
        }
    }
}

fn written(fed: &Fed) -> Event {
    let (name, data) = match &fed.event {
        FeedEvent::Record(event) => ("record", record(event)),
        FeedEvent::RunBegan(row) => ("sync_began", told(row)),
        FeedEvent::RunEnded(row) => ("sync_ended", told(row)),
        FeedEvent::Gap => ("gap", "{}".to_owned()),
    };
    Event::default()
        .id(fed.id.to_string())
        .event(name)
        .data(data)
}

/// A record's event: digits of its values stay as they were delivered.
fn record(event: &RecordEvent) -> String {
    let head = json!({
        "object": object(&event.table), "table": event.table, "id": event.record,
    })
    .to_string();
    let head = head.strip_suffix('}').unwrap_or(&head);
    let happening = happening_json(&event.happening);
    // Line ends within JSON mean nothing, and would end the event.
    let happening = happening.replace(['\r', '\n'], " ");
    format!("{head},{}", happening.strip_prefix('{').unwrap_or("}"))
}

fn told(row: &salesmirror_core::RunRow) -> String {
    serde_json::to_string(&run(row.clone())).unwrap_or_default()
}
