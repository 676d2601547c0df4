//! Creating, changing and deleting unified objects: through Dynamics 365, and read back into the mirror
//! before the answer.

use std::collections::BTreeMap;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::header::{ETAG, HeaderValue, IF_MATCH, LOCATION};
use axum::http::request::Parts;
use axum::response::Response;
use salesmirror_core::unified::{Object, Unified};
use salesmirror_core::{ApiKey, Attributes, Session, Written, parse_guid};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::body::{bad_body, json};
use crate::error::{ApiError, Result};
use crate::records::unknown;
use crate::state::Api;

/// What became of a write.
#[derive(Debug, Serialize, ToSchema)]
pub struct Done<T: ToSchema> {
    /// The record's id.
    pub id: Uuid,
    /// The record as it was read back; null where it could not be and the mirror never had it.
    #[schema(required)]
    pub record: Option<T>,
    /// Whether the write was done and the record could not be read back: the mirror has what it had
    /// before, and the next sync reads it. Do not send the write again.
    pub stale: bool,
    /// Why it could not be read back.
    #[schema(required)]
    pub stale_reason: Option<String>,
}

/// The body of a create.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRecord {
    #[serde(default)]
    id: Option<String>,
    record: Box<RawValue>,
}

/// The body of an update.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangedRecord {
    record: Box<RawValue>,
}

/// The headers that a write goes by.
pub struct Conditions {
    if_match: Option<String>,
    idempotency_key: Option<String>,
    /// Whose key it was: two programs may choose the same idempotency key.
    caller: Option<Uuid>,
}

const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Longest idempotency key, and longest list of ETags, in bytes.
const LONGEST_KEY: usize = 255;

impl<S: Send + Sync> FromRequestParts<S> for Conditions {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let text = |name: &str| -> Result<Option<String>> {
            let Some(value) = parts.headers.get(name) else {
                return Ok(None);
            };
            let text = value.to_str().ok().map(str::trim);
            let is_usable = |text: &&str| {
                let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
                (1..=LONGEST_KEY).contains(&text.len()) && (is_plain || name != IDEMPOTENCY_KEY)
            };
            match text.filter(is_usable) {
                Some(text) => Ok(Some(text.to_owned())),
                None => Err(ApiError::parameter(format!(
                    "The header {name} has 1 to {LONGEST_KEY} letters, digits and signs."
                ))),
            }
        };
        Ok(Self {
            // What is no ETag matches no version: the service says so.
            if_match: text(IF_MATCH.as_str())?,
            idempotency_key: text(IDEMPOTENCY_KEY)?,
            caller: parts.extensions.get::<ApiKey>().map(|key| key.id),
        })
    }
}

/// Creates a record.
pub async fn create(
    api: Api,
    object: Object,
    conditions: Conditions,
    body: NewRecord,
) -> Result<Response> {
    let (record, inner) = without_id(&body.record)?;
    let chosen = body.id.or(inner);
    let chosen = chosen
        .map(|text| parse_guid(&text).ok_or_else(|| bad_body("The field id is no GUID.")))
        .transpose()?;
    // A repeated request means the same record, whatever became of the first.
    let id = chosen.unwrap_or_else(|| match &conditions.idempotency_key {
        Some(key) => derived(&api, object, conditions.caller, key),
        None => Uuid::new_v4(),
    });
    let session = api.session().await?;
    let attributes = attributes(&session, object, None, &record).await?;
    let written = session
        .create_record(object.table(), id, attributes)
        .await?;
    let status = if written.existed {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    let mut response = answer(&session, object, status, written).await?;
    if let Ok(place) = HeaderValue::from_str(&format!("/crm/v2/{}/{id}", object.segment())) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}

/// Changes a record; what the body does not name stays.
pub async fn update(
    api: Api,
    object: Object,
    id: Uuid,
    conditions: Conditions,
    body: ChangedRecord,
) -> Result<Response> {
    let session = api.session().await?;
    let attributes = attributes(&session, object, Some(id), &body.record).await?;
    let if_match = conditions.if_match.as_deref();
    if attributes.is_empty() && if_match.is_none() {
        return unchanged(&session, object, id).await;
    }
    let written = session
        .update_record(object.table(), id, attributes, if_match)
        .await?;
    answer(&session, object, StatusCode::OK, written).await
}

/// A body without fields changes nothing, not even when the record was changed last.
async fn unchanged(session: &Session, object: Object, id: Uuid) -> Result<Response> {
    let copy = session.unified_copy(object.table(), id, false).await?;
    let Some(copy) = copy else {
        return Err(unknown(object, id).into());
    };
    let done = Done {
        id,
        record: Some(copy.object),
        stale: copy.is_stale,
        stale_reason: None,
    };
    Ok(json(StatusCode::OK, &done))
}

/// Deletes a record.
pub async fn delete(
    api: Api,
    object: Object,
    id: Uuid,
    conditions: Conditions,
) -> Result<Response> {
    let session = api.session().await?;
    let if_match = conditions.if_match.as_deref();
    let written = session.delete_record(object.table(), id, if_match).await?;
    answer(&session, object, StatusCode::OK, written).await
}

/// The record's id, which is no attribute, apart from the rest.
fn without_id(record: &RawValue) -> Result<(Box<RawValue>, Option<String>)> {
    let fields: Option<BTreeMap<String, Box<RawValue>>> = serde_json::from_str(record.get()).ok();
    let Some(mut fields) = fields else {
        return Err(bad_body("The field record is no object."));
    };
    let Some(id) = fields.remove("id") else {
        return Ok((record.to_owned(), None));
    };
    let id = serde_json::from_str(id.get()).map_err(|_| bad_body("The field id is no GUID."))?;
    let rest = serde_json::value::to_raw_value(&fields);
    rest.map(|rest| (rest, Some(id)))
        .map_err(|_| bad_body("The field record is no object."))
}

/// The id that an idempotency key stands for.
fn derived(api: &Api, object: Object, caller: Option<Uuid>, key: &str) -> Uuid {
    let mut hash = Sha256::new();
    hash.update(api.connection.id);
    hash.update(caller.unwrap_or_default());
    hash.update(object.segment());
    hash.update([0]);
    hash.update(key);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

async fn attributes(
    session: &Session,
    object: Object,
    id: Option<Uuid>,
    body: &RawValue,
) -> Result<Attributes> {
    let found = session.unified_attributes(object.table(), id, body).await?;
    let attributes = found.map_err(|problems| ApiError::problems(&problems))?;
    // It is JSON that was just made.
    Attributes::read(&attributes.json())
        .map_err(|_| bad_body("The field record cannot be written."))
}

async fn answer(
    session: &Session,
    object: Object,
    status: StatusCode,
    written: Written,
) -> Result<Response> {
    // What was written is searched for as soon as it is indexed.
    session.start_indexing();
    // The organisation has it: whatever goes wrong from here on is no failure of the write, or a program
    // would do it again.
    let copy = session
        .unified_copy(object.table(), written.id, false)
        .await;
    let (copy, trouble) = match copy {
        Ok(copy) => (copy, None),
        Err(error) => (None, Some(error)),
    };
    let stale = written.stale.or(trouble).map(|error| error.message);
    let (record, etag) = copy.map(|copy| (copy.object, copy.etag)).unzip();
    let done: Done<Unified> = Done {
        id: written.id,
        record,
        stale: stale.is_some(),
        stale_reason: stale,
    };
    let mut response = json(status, &done);
    if !done.stale {
        tag(&mut response, etag.flatten());
    }
    Ok(response)
}

/// Says which version an answer holds, for `If-Match`.
pub fn tag(response: &mut Response, etag: Option<String>) {
    if let Some(etag) = etag.and_then(|etag| HeaderValue::from_str(&etag).ok()) {
        response.headers_mut().insert(ETAG, etag);
    }
}
