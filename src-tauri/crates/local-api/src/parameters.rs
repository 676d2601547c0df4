//! Parameters of a query, read one by one: what is unknown, double or out of range is said.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use jiff::Timestamp;
use salesmirror_core::parse_guid;
use url::form_urlencoded;
use uuid::Uuid;

use crate::error::{ApiError, Result};

/// The parameters that were given and not taken yet.
pub struct Parameters(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(
            form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        ))
    }
}

/// The id of a record in a path.
pub struct RecordId(pub Uuid);

impl<S: Send + Sync> FromRequestParts<S> for RecordId {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let text = Path::<String>::from_request_parts(parts, state).await.ok();
        let id = text.and_then(|Path(text)| parse_guid(&text));
        id.map(Self)
            .ok_or_else(|| ApiError::parameter("The id in the path is no GUID."))
    }
}

impl Parameters {
    /// All values of a parameter.
    pub fn all(&mut self, name: &str) -> Vec<String> {
        let found = self.0.extract_if(.., |(found, _)| found == name);
        found.map(|(_, value)| value).collect()
    }

    /// The value of a parameter that may be given once.
    pub fn one(&mut self, name: &str) -> Result<Option<String>> {
        let mut values = self.all(name);
        match values.len() {
            0 => Ok(None),
            1 => Ok(values.pop()),
            _ => Err(ApiError::parameter(format!(
                "The parameter {name} is given twice."
            ))),
        }
    }

    /// A flag.
    pub fn flag(&mut self, name: &str, default: bool) -> Result<bool> {
        match self.one(name)?.as_deref() {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(_) => Err(ApiError::parameter(format!(
                "The parameter {name} has to be true or false."
            ))),
        }
    }

    /// A whole number within bounds.
    pub fn number<T>(&mut self, name: &str, least: T, most: T, default: T) -> Result<T>
    where
        T: FromStr + PartialOrd + Copy + std::fmt::Display,
    {
        let Some(text) = self.one(name)? else {
            return Ok(default);
        };
        // `parse` takes a plus sign, which no JSON number has.
        let number = text.parse::<T>().ok().filter(|_| !text.starts_with('+'));
        number
            .filter(|number| (&least..=&most).contains(&number))
            .ok_or_else(|| {
                ApiError::parameter(format!(
                    "The parameter {name} has to be a whole number from {least} to {most}."
                ))
            })
    }

    /// A moment, in ms since 1970.
    pub fn moment(&mut self, name: &str) -> Result<Option<i64>> {
        let Some(text) = self.one(name)? else {
            return Ok(None);
        };
        // A plus sign that was not encoded arrives as a blank.
        let found = text
            .replace(' ', "+")
            .parse::<Timestamp>()
            .or_else(|_| text.parse());
        match found {
            Ok(moment) => Ok(Some(moment.as_millisecond())),
            Err(_) => Err(ApiError::parameter(format!(
                "The parameter {name} has to be a moment such as 2026-03-11T08:30:00Z."
            ))),
        }
    }

    /// Refuses what is left.
    pub fn end(self) -> Result<()> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(ApiError::parameter(format!(
                "There is no parameter {name:?} here."
            ))),
        }
    }
}
