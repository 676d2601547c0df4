//! Unified objects straight from Dynamics 365: what `read_from_cache=false` asks for.

use axum::http::StatusCode;
use salesmirror_core::unified::{Object, Unified};
use salesmirror_core::{
    Category, Error, Passthrough, PassthroughReply, Session, TableMetadata, selected,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::cursor::Position;
use crate::error::{ApiError, Result};
use crate::fields;
use crate::query::ListQuery;
use crate::records::{Page, Pagination, expired, unknown};
use crate::state::Api;
use crate::time::moment;

/// Path of the Web API, which links of the service begin with behind their host.
const API_PATH: &str = "/api/data/v9.2/";

#[derive(Deserialize)]
struct Rows {
    value: Vec<Box<RawValue>>,
    #[serde(rename = "@odata.nextLink")]
    next_link: Option<String>,
}

/// A page of a list.
pub async fn list(
    api: &Api,
    session: &Session,
    object: Object,
    wanted: &ListQuery,
) -> Result<Page<Unified>> {
    let metadata = session.metadata(object.table()).await?;
    let asked = match wanted.at {
        None => None,
        Some(Position::Held(id, page)) => Some((id, page)),
        Some(_) => return Err(expired()),
    };
    let (path, query) = match asked {
        None => (
            metadata.entity_set_name.clone(),
            options(&metadata, object, wanted)?,
        ),
        Some((id, page)) => {
            let path = api.held.link(id, page).ok_or_else(expired)?;
            (path, Vec::new())
        }
    };
    let page_size = format!("odata.maxpagesize={}", wanted.page_size);
    let reply = ask(session, path, query, Some(&page_size)).await?;
    let rows: Rows = serde_json::from_slice(&reply.body).map_err(|_| unreadable())?;
    let next = rows.next_link.as_deref().map(|link| {
        let path = link.split_once(API_PATH).map(|(_, path)| path.to_owned());
        path.ok_or_else(unreadable)
    });
    let next = next.transpose()?;
    let records = rows.value.iter().map(|row| row.get().as_bytes().to_vec());
    let records = session
        .unified_of(object.table(), records.collect(), wanted.raw)
        .await?;
    let next = api.held.live_given(&wanted.query, asked, next)?;
    Ok(Page {
        pagination: Pagination {
            next: next.map(|(id, page)| wanted.cursor(api, object, Position::Held(id, page))),
            ..Pagination::default()
        },
        records,
    })
}

/// What the service is asked for.
fn options(
    metadata: &TableMetadata,
    object: Object,
    wanted: &ListQuery,
) -> Result<Vec<(String, String)>> {
    let query = &wanted.query;
    if !query.filter.is_empty() || query.search.is_some() || query.include_deleted {
        return Err(ApiError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "bad_parameter",
            "With read_from_cache=false neither filter, search nor include_deleted can be used.",
        ));
    }
    let mut options = selection(metadata);
    let after = |column: &str, at: Option<i64>| at.map(|at| format!("{column} ge {}", moment(at)));
    let conditions: Vec<String> = [
        after("modifiedon", query.modified_after),
        after("createdon", query.created_after),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !conditions.is_empty() {
        options.push(("$filter".to_owned(), conditions.join(" and ")));
    }
    if let Some(sort) = &query.sort {
        let sort = fields::sort(object, sort)?;
        let (name, direction) = sort.split_once(':').unwrap_or((&sort, "asc"));
        let column = metadata
            .column(name)
            .filter(|_| matches!(direction, "asc" | "desc"));
        let column = column.ok_or_else(|| {
            Error::usage(
                "bad_sort",
                format!("The list cannot be sorted by \"{sort}\"."),
                "Name a field or a column, with :desc for the largest first.",
            )
        })?;
        options.push((
            "$orderby".to_owned(),
            format!("{} {direction}", column.wire_name()),
        ));
    }
    Ok(options)
}

/// The columns that are asked for, where their names have room in an address.
fn selection(metadata: &TableMetadata) -> Vec<(String, String)> {
    let columns = selected(metadata).map(|columns| ("$select".to_owned(), columns));
    columns.into_iter().collect()
}

/// One record.
pub async fn one(session: &Session, object: Object, id: Uuid, raw: bool) -> Result<Unified> {
    let metadata = session.metadata(object.table()).await?;
    let path = format!("{}({id})", metadata.entity_set_name);
    let reply = ask(session, path, selection(&metadata), None).await?;
    let mut found = session
        .unified_of(object.table(), vec![reply.body.to_vec()], raw)
        .await?;
    found.pop().ok_or_else(|| unknown(object, id).into())
}

/// Asks the service, and takes no refusal for an answer.
async fn ask(
    session: &Session,
    path: String,
    query: Vec<(String, String)>,
    page_size: Option<&str>,
) -> Result<PassthroughReply> {
    let mut prefer = "odata.include-annotations=\"*\"".to_owned();
    if let Some(page_size) = page_size {
        prefer = format!("{prefer},{page_size}");
    }
    let request = Passthrough {
        method: "GET".to_owned(),
        path,
        headers: vec![("Prefer".to_owned(), prefer)],
        query,
        body: None,
    };
    let reply = session.passthrough_soon(request).await?;
    match session.refusal_of(&reply) {
        None => Ok(reply),
        Some(error) => Err(error.into()),
    }
}

fn unreadable() -> ApiError {
    Error::explained(
        Category::Failed,
        "bad_reply",
        "Dynamics 365 sent a reply that cannot be read.",
    )
    .into()
}
