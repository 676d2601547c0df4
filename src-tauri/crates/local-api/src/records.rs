//! Reading unified objects.

use axum::http::StatusCode;
use axum::response::Response;
use salesmirror_core::unified::{Object, Unified};
use salesmirror_core::{Edge, Error, Session};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::body::json;
use crate::cursor::Position;
use crate::error::{ApiError, Result};
use crate::held::HeldView;
use crate::live;
use crate::parameters::Parameters;
use crate::query::ListQuery;
use crate::state::Api;
use crate::writing::tag;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T: ToSchema> {
    pub pagination: Pagination,
    pub records: Vec<T>,
}

/// Where a list goes on.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Pagination {
    /// Cursor of the next page; null where this is the last one.
    #[schema(required)]
    pub next: Option<String>,
    /// Cursor of the page before; null where this is the first one.
    #[schema(required)]
    pub previous: Option<String>,
    /// Records in all; null where Dynamics 365 was asked.
    #[schema(required, minimum = 0)]
    pub total_count: Option<u64>,
}

/// One record.
#[derive(Debug, Serialize, ToSchema)]
pub struct One<T: ToSchema> {
    pub record: T,
    /// Whether the mirror's copy may be older than the organisation's: it was invalidated, or could not
    /// be read back after a write. The next sync reads it again.
    pub stale: bool,
}

/// Parameters of a single record, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "the document is made of it; the handler reads the parameters"
)]
pub struct RecordParameters {
    /// Whether a deleted record that is still kept is given too.
    #[param(default = false)]
    include_deleted: Option<bool>,
    /// Whether `raw_data` holds the record as Dataverse gave it.
    #[param(default = false)]
    include_raw_data: Option<bool>,
    /// Whether the mirror answers; else Dynamics 365 does.
    #[param(default = true)]
    read_from_cache: Option<bool>,
}

/// A page of a list.
pub async fn list(api: Api, object: Object, given: Parameters) -> Result<Response> {
    let wanted = ListQuery::read(&api, object, given)?;
    let session = api.session().await?;
    let page = if wanted.query.live {
        live::list(&api, &session, object, &wanted).await?
    } else if let Some(Position::Held(list, place)) = wanted.at {
        held_page(&api, object, &wanted, list, place).await?
    } else if wanted.is_plain() {
        plain_page(&api, &session, object, &wanted).await?
    } else {
        first_page(&api, session, object, &wanted).await?
    };
    Ok(json(StatusCode::OK, &page))
}

/// A page of a whole table, in the order of ids: nothing is held, and whatever changes meanwhile no
/// record is lost and none comes twice.
async fn plain_page(
    api: &Api,
    session: &Session,
    object: Object,
    wanted: &ListQuery,
) -> Result<Page<Unified>> {
    let edge = match wanted.at {
        Some(Position::After(id)) => Edge::After(id),
        Some(Position::Before(id)) => Edge::Before(id),
        _ => Edge::Start,
    };
    let table = object.table();
    let size = usize::from(wanted.page_size);
    let slice = session
        .unified_slice(table, &wanted.selectors(object)?, edge, size, wanted.raw)
        .await?;
    let (live, deleted) = session.totals(table).await?;
    let first = slice.objects.first().map(|object| object.head().id);
    let last = slice.objects.last().map(|object| object.head().id);
    let cursor = |at: Option<Position>| at.map(|at| wanted.cursor(api, object, at));
    let (previous, next) = match edge {
        Edge::Start => (None, last.filter(|_| slice.has_more).map(Position::After)),
        Edge::After(id) => (
            Some(Position::Before(first.unwrap_or(id))),
            last.filter(|_| slice.has_more).map(Position::After),
        ),
        Edge::Before(_) => (
            first.filter(|_| slice.has_more).map(Position::Before),
            last.map(Position::After),
        ),
    };
    Ok(Page {
        pagination: Pagination {
            next: cursor(next),
            previous: cursor(previous),
            total_count: Some(if wanted.query.include_deleted {
                live + deleted
            } else {
                live
            }),
        },
        records: slice.objects,
    })
}

/// The first page of a list in an order, or with conditions: its row numbers are held for those that
/// follow, so that what changes meanwhile moves nothing.
async fn first_page(
    api: &Api,
    session: Session,
    object: Object,
    wanted: &ListQuery,
) -> Result<Page<Unified>> {
    let view = {
        let _place = api.long_read().await?;
        session
            .open_view(object.table(), &wanted.selectors(object)?, None)
            .await?
    };
    let list = HeldView { session, view };
    view_page(api, object, wanted, &list, None, 0).await
}

async fn held_page(
    api: &Api,
    object: Object,
    wanted: &ListQuery,
    id: Uuid,
    place: u64,
) -> Result<Page<Unified>> {
    let list = api.held.view(id).ok_or_else(expired)?;
    view_page(api, object, wanted, &list, Some(id), place).await
}

pub fn expired() -> ApiError {
    ApiError::new(
        StatusCode::GONE,
        "cursor_expired",
        "The list of this cursor is no longer held.",
    )
}

async fn view_page(
    api: &Api,
    object: Object,
    wanted: &ListQuery,
    list: &HeldView,
    held: Option<Uuid>,
    place: u64,
) -> Result<Page<Unified>> {
    let HeldView { session, view } = list;
    if session.mirror().is_damaged() {
        // Its row numbers mean nothing in the mirror that takes its place.
        return Err(expired());
    }
    let size = wanted.page_size;
    let mut records = session
        .unified_window(view, place, usize::from(size), wanted.raw)
        .await?;
    // What was deleted since the list was made is in it all the same.
    records.retain(|record| wanted.query.include_deleted || !record.head().is_deleted);
    let (next, total) = (place + u64::from(size), view.total());
    let has_next = next < total;
    let held = match held {
        None if has_next => Some(api.held.hold_view(&wanted.query, list.clone())?),
        held => held,
    };
    if let Some(id) = held {
        api.held.view_given(id, !has_next);
    }
    let at = |place: u64| held.map(|id| wanted.cursor(api, object, Position::Held(id, place)));
    let before = place.saturating_sub(u64::from(size));
    Ok(Page {
        pagination: Pagination {
            next: if has_next { at(next) } else { None },
            previous: if place > 0 { at(before) } else { None },
            total_count: Some(total),
        },
        records,
    })
}

/// One record.
pub async fn one(api: Api, object: Object, id: Uuid, mut given: Parameters) -> Result<Response> {
    let include_deleted = given.flag("include_deleted", false)?;
    let raw = given.flag("include_raw_data", false)?;
    let is_live = !given.flag("read_from_cache", true)?;
    given.end()?;
    let session = api.session().await?;
    if is_live {
        let record = live::one(&session, object, id, raw).await?;
        return Ok(json(
            StatusCode::OK,
            &One {
                record,
                stale: false,
            },
        ));
    }
    let copy = session.unified_copy(object.table(), id, raw).await?;
    let Some(copy) = copy else {
        return Err(unknown(object, id).into());
    };
    let (record, stale) = (copy.object, copy.is_stale);
    if record.head().is_deleted && !include_deleted {
        return Err(Error::usage(
            "unknown_record",
            format!("The {} {id} was deleted.", object.name()),
            "With include_deleted=true it is given as it was, as long as it is kept.",
        )
        .into());
    }
    let mut response = json(StatusCode::OK, &One { record, stale });
    tag(&mut response, copy.etag);
    Ok(response)
}

/// What to say of a record that the mirror has not.
pub fn unknown(object: Object, id: Uuid) -> Error {
    Error::usage(
        "unknown_record",
        format!("The mirror has no {} {id}.", object.name()),
        "Sync the table, or ask Dynamics 365 with read_from_cache=false.",
    )
}
