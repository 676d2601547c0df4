//! Creating, changing and deleting records, each so that sending it again after a lost answer does
//! no harm.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, IF_MATCH};
use reqwest::{Method, StatusCode};
use salesmirror_model::{TableMetadata, parse_guid};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use crate::attributes::Attributes;
use crate::call::{Answer, Call};
use crate::client::Client;
use crate::link::exact;
use crate::value::milliseconds;
use crate::{Error, Result, ServiceError};

/// What became of a record that was to be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Creation {
    /// Its id; the one that was asked for, unless the service chose another.
    pub id: Uuid,
    /// It was there before, with whatever it has.
    pub existed: bool,
}

/// Of which versions of a record a write may make another.
const ANY_VERSION: &str = "*";

impl Client {
    /// Creates a record whose id the caller chose. Sent as the create message with the primary key
    /// in it, which never changes a record that is there: an upsert would, wherever
    /// `If-None-Match: *` is lost on the way, and it needs one more privilege.
    ///
    /// # Errors
    /// [`Error::Unanswered`] where it is not known whether it was created: with the same id it can be
    /// sent again. Else whatever the service or the network says.
    pub async fn create_record(
        &self,
        table: &TableMetadata,
        id: Uuid,
        attributes: &Attributes,
    ) -> Result<Creation> {
        let mut attributes = attributes.clone();
        attributes.set(&table.primary_id, id)?;
        let url = exact(&format!("{}{}", self.base(), table.entity_set_name))?;
        let write = Write::new(self, Method::POST, &url);
        let error = match write.send(Some(&attributes), None).await {
            Ok(answer) => {
                let id = entity_id(&answer).unwrap_or(id);
                return Ok(Creation { id, existed: false });
            }
            Err(error) => error,
        };
        let existed = !write.is_lost();
        let Error::Service(service) = &error else {
            return Err(write.unanswered(error));
        };
        // Nothing of this id was asked for: it is a record that this one points to.
        let status = service.status;
        let error = match status {
            404 => error.dangling(),
            _ => error,
        };
        // An alternate key that is taken may be taken by this very record.
        if !write.is_lost() && !matches!(status, 409 | 412) {
            return Err(error);
        }
        match self.exists(table, id).await {
            Ok(true) => Ok(Creation { id, existed }),
            // Whatever was lost, it was not done.
            Ok(false) => Err(error),
            Err(_) if error.code() == "already_exists" => Ok(Creation { id, existed }),
            Err(_) => Err(write.unanswered(error)),
        }
    }

    /// Changes a record; attributes that are not named stay. `if_match` is the ETag that it must
    /// have; any where it is `None`, but the record must be there.
    ///
    /// # Errors
    /// `not_found` where there is no such record, `version_conflict` where it has another ETag;
    /// [`Error::Unanswered`] where it is not known whether it was changed. Else whatever the service
    /// or the network says.
    pub async fn update_record(
        &self,
        table: &TableMetadata,
        id: Uuid,
        attributes: &Attributes,
        if_match: Option<&str>,
    ) -> Result<()> {
        let url = address(self, table, id)?;
        let write = Write::new(self, Method::PATCH, &url);
        let condition = if_match.unwrap_or(ANY_VERSION);
        let error = match write.send(Some(attributes), Some(condition)).await {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        let Error::Service(service) = &error else {
            return Err(write.unanswered(error));
        };
        match service.status {
            404 if matches!(self.exists(table, id).await, Ok(true)) => Err(error.dangling()),
            404 => Err(error),
            // RFC 9110 answers a record that is not there so.
            412 if condition == ANY_VERSION
                && matches!(self.exists(table, id).await, Ok(false)) =>
            {
                Err(error.missing())
            }
            // It may be this very change that made the other version, or that forbids another.
            _ if write.is_lost() => match self.holds(table, id, attributes).await {
                Ok(true) => Ok(()),
                _ => Err(write.unanswered(error)),
            },
            _ => Err(error),
        }
    }

    /// Deletes a record. `if_match` as in [`Client::update_record`].
    ///
    /// # Errors
    /// `not_found` where it was gone before; the others as in [`Client::update_record`].
    pub async fn delete_record(
        &self,
        table: &TableMetadata,
        id: Uuid,
        if_match: Option<&str>,
    ) -> Result<()> {
        let url = address(self, table, id)?;
        let write = Write::new(self, Method::DELETE, &url);
        match write.send(None, if_match).await {
            Ok(_) => Ok(()),
            // The first request did it.
            Err(error) if write.is_lost() && error.code() == "not_found" => Ok(()),
            // The record is there.
            Err(error @ Error::Service(_)) if !error.is_transient() => Err(error),
            Err(error) => Err(write.unanswered(error)),
        }
    }

    async fn exists(&self, table: &TableMetadata, id: Uuid) -> Result<bool> {
        let url = address(self, table, id)?;
        let url = exact(&format!("{url}?$select={}", table.primary_id))?;
        match self.get(&url, None).await {
            Ok(_) => Ok(true),
            Err(error) if error.code() == "not_found" => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether a record has these values; what cannot be compared counts as another.
    async fn holds(
        &self,
        table: &TableMetadata,
        id: Uuid,
        attributes: &Attributes,
    ) -> Result<bool> {
        let Some(body) = self.record_body(table, id).await? else {
            return Ok(false);
        };
        let record: Value =
            serde_json::from_slice(&body).map_err(|error| Error::BadReply(error.to_string()))?;
        let mut parts = attributes.iter();
        Ok(parts.all(|(name, json)| holds(&record, name, json)))
    }
}

fn address(client: &Client, table: &TableMetadata, id: Uuid) -> Result<Url> {
    exact(&format!("{}{}({id})", client.base(), table.entity_set_name))
}

/// The answer to a write that was done. What its body says is of no interest, unless it is a page
/// that something on the way shows instead of passing the request on.
pub fn done(status: StatusCode, headers: HeaderMap) -> Result<Answer> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    if kind.is_some_and(|kind| kind.to_ascii_lowercase().contains("html")) {
        return Err(Error::Unavailable(
            "an HTML page instead of an answer".to_owned(),
        ));
    }
    Ok(Answer {
        status,
        headers,
        body: Bytes::new(),
        room: None,
    })
}

/// The refusal of a write: its status says what the matter is, whatever its body is.
pub fn refused(error: Error, status: StatusCode, headers: &HeaderMap) -> Error {
    match (error, status.as_u16()) {
        (Error::NotDataverse(_), 404 | 412) => {
            Error::Service(Box::new(ServiceError::bare(status, headers)))
        }
        (error, _) => error,
    }
}

/// The id that the service gave a record.
fn entity_id(answer: &Answer) -> Option<Uuid> {
    let header = ["odata-entityid", "location"]
        .into_iter()
        .find_map(|name| answer.headers.get(name))?;
    let text = header.to_str().ok()?;
    let (_, id) = text.trim_end().strip_suffix(')')?.rsplit_once('(')?;
    parse_guid(id)
}

/// Whether a record has a value that was written.
fn holds(record: &Value, name: &str, json: &str) -> bool {
    let Ok(wanted) = serde_json::from_str::<Value>(json) else {
        return false;
    };
    let Some(navigation) = name.strip_suffix("@odata.bind") else {
        let found = match record.get(name) {
            Some(found) => found,
            None if wanted.is_null() => return true,
            None => return false,
        };
        return is_same(found, &wanted);
    };
    // The navigation property is named after the attribute, whatever its case, with the target's
    // table behind it where there are several.
    let navigation = navigation.to_ascii_lowercase();
    let target = wanted.as_str().and_then(|text| {
        let (_, id) = text.strip_suffix(')')?.rsplit_once('(')?;
        parse_guid(id)
    });
    let Some(record) = record.as_object() else {
        return false;
    };
    record.iter().any(|(name, value)| {
        let attribute = name
            .strip_prefix('_')
            .and_then(|name| name.strip_suffix("_value"));
        let is_it = attribute.is_some_and(|attribute| navigation.starts_with(attribute));
        is_it && value.as_str().and_then(parse_guid) == target
    })
}

/// Whether two values are equal however they are written.
fn is_same(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Number(found), Value::Number(wanted)) => found.as_f64() == wanted.as_f64(),
        (Value::String(found), Value::String(wanted)) => {
            found == wanted
                || matches!((milliseconds(found), milliseconds(wanted)), (Some(one), Some(two)) if one == two)
                || matches!((parse_guid(found), parse_guid(wanted)), (Some(one), Some(two)) if one == two)
        }
        _ => found == wanted,
    }
}

/// A request that changes something.
struct Write<'a> {
    client: &'a Client,
    method: Method,
    url: &'a Url,
    /// An answer was lost: the request may have done what it asks for.
    lost: AtomicBool,
}

impl<'a> Write<'a> {
    fn new(client: &'a Client, method: Method, url: &'a Url) -> Self {
        Self {
            client,
            method,
            url,
            lost: AtomicBool::new(false),
        }
    }

    fn is_lost(&self) -> bool {
        self.lost.load(Relaxed)
    }

    async fn send(
        &self,
        attributes: Option<&Attributes>,
        if_match: Option<&str>,
    ) -> Result<Answer> {
        let mut headers = HeaderMap::new();
        let mut body = None;
        if let Some(attributes) = attributes {
            let json = serde_json::to_vec(attributes)
                .map_err(|error| Error::NotSent(format!("The record makes no JSON: {error}.")))?;
            body = Some(Bytes::from(json));
            let json = "application/json; charset=utf-8";
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(json));
        }
        if let Some(condition) = if_match {
            let value = HeaderValue::from_str(condition).map_err(|_| {
                Error::NotSent("The ETag holds a character that cannot be sent.".to_owned())
            })?;
            headers.insert(IF_MATCH, value);
        }
        let call = Call {
            method: self.method.clone(),
            headers,
            body,
            lost: Some(&self.lost),
            ..Call::get(self.url, None)
        };
        self.client.send(&call).await
    }

    /// An error that leaves open whether the write was done, as one that says so.
    fn unanswered(&self, error: Error) -> Error {
        match self.is_lost() {
            true => Error::Unanswered(Box::new(error)),
            false => error,
        }
    }
}
