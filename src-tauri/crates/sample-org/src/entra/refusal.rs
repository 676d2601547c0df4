//! Why a request is refused: one table of `AADSTS` codes, and the three forms of an answer (a body,
//! the callback, a page).
//!
//! Texts, error names and statuses are those of Microsoft's list of error codes and of published
//! replies.

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::codes::TABLE;
use super::pages;
use crate::variants::{Separator, Variants};

/// Where an authorisation request is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// In the browser: the app never hears of it.
    Page,
    /// On the redirect URI.
    Callback,
}

/// A refusal.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub code: u32,
    pub status: u16,
    pub error: String,
    pub text: String,
    pub place: Place,
    pub suberror: Option<String>,
    pub claims: Option<String>,
}

/// A refusal that was asked for.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub at: Step,
    pub code: u32,
    pub times: Option<u64>,
    pub suberror: Option<String>,
    pub claims: Option<String>,
    pub error: Option<String>,
    pub status: Option<u16>,
    pub text: Option<String>,
}

/// The step of a sign-in.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Authorize,
    Code,
    Refresh,
    ClientCredentials,
    Password,
    Device,
    Any,
}

impl Refusal {
    /// The refusal of this code; `named` is what the request named.
    pub fn new(code: u32, named: &str) -> Self {
        let row = TABLE.iter().find(|row| row.0 == code);
        let (status, error, place, text) = row.map_or(
            (
                400,
                "invalid_request",
                Place::Page,
                "Refused as it was asked for.",
            ),
            |row| (row.1, row.2, row.3, row.4),
        );
        Self {
            code,
            status,
            error: error.to_owned(),
            text: text.replace("{0}", named),
            place,
            suberror: None,
            claims: None,
        }
    }

    /// With another error name: a few codes have different ones at different steps.
    pub fn called(mut self, error: &str) -> Self {
        error.clone_into(&mut self.error);
        self
    }

    /// Sent to the app although it is shown in the browser elsewhere.
    pub fn at_callback(mut self) -> Self {
        self.place = Place::Callback;
        self
    }

    pub fn with_suberror(mut self, suberror: &str) -> Self {
        self.suberror = Some(suberror.to_owned());
        self
    }

    /// With the claims that the next authorisation request should ask for, as text in the JSON.
    pub fn with_claims(mut self) -> Self {
        self.claims = Some(
            json!({"access_token": {"polids": {"essential": true,
                "values": ["9ab03e19-ed42-4168-b6b7-7001fb3e933a"]}}})
            .to_string(),
        );
        self
    }

    /// The text with what identifies it.
    fn description(
        &self,
        variants: &Variants,
        trace: Uuid,
        correlation: Uuid,
        time: &str,
    ) -> String {
        let between = match variants.trace_separator {
            Separator::Crlf => "\r\n",
            _ => " ",
        };
        let (code, text) = (self.code, &self.text);
        format!(
            "AADSTS{code}: {text}{between}Trace ID: {trace}{between}Correlation ID: {correlation}{between}Timestamp: {time}"
        )
    }

    /// The body of the token endpoint.
    pub fn body(&self, variants: &Variants, now: i64) -> Response {
        let (trace, correlation) = (Uuid::new_v4(), Uuid::new_v4());
        let time = timestamp(now);
        let mut body = json!({
            "error": self.error,
            "error_description": self.description(variants, trace, correlation, &time),
            "error_codes": [self.code],
            "timestamp": time,
            "trace_id": trace,
            "correlation_id": correlation,
        });
        if variants.error_uri {
            body["error_uri"] =
                format!("https://login.microsoftonline.com/error?code={}", self.code).into();
        }
        if let Some(suberror) = &self.suberror {
            body["suberror"] = suberror.as_str().into();
        }
        if let Some(claims) = &self.claims {
            body["claims"] = claims.as_str().into();
        }
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, axum::Json(body)).into_response()
    }

    /// What goes to the redirect URI.
    pub fn pairs(&self, variants: &Variants, now: i64) -> Vec<(&'static str, String)> {
        let text = self.description(variants, Uuid::new_v4(), Uuid::new_v4(), &timestamp(now));
        let mut pairs = vec![("error", self.error.clone()), ("error_description", text)];
        if variants.error_uri {
            pairs.push((
                "error_uri",
                format!("https://login.microsoftonline.com/error?code={}", self.code),
            ));
        }
        pairs
    }

    /// The page that the browser shows. `further` is HTML.
    pub fn page(&self, variants: &Variants, now: i64, further: &str) -> Response {
        let text = self.description(variants, Uuid::new_v4(), Uuid::new_v4(), &timestamp(now));
        let page = pages::page(
            "Sorry, but we're having trouble signing you in.",
            &format!("<p>{}</p>{further}", pages::escaped(&text)),
        );
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, page).into_response()
    }
}

impl Rule {
    fn refusal(&self) -> Refusal {
        let mut refusal = Refusal::new(self.code, "");
        if let Some(error) = &self.error {
            refusal.error.clone_from(error);
        }
        if let Some(text) = &self.text {
            refusal.text.clone_from(text);
        }
        refusal.status = self.status.unwrap_or(refusal.status);
        refusal.suberror.clone_from(&self.suberror);
        refusal.claims.clone_from(&self.claims);
        refusal
    }
}

/// Fails where a refusal was asked for at this step. Counts it down.
pub fn meet(rules: &mut Vec<Rule>, step: Step) -> Result<(), Refusal> {
    let Some(place) = rules
        .iter()
        .position(|rule| rule.at == step || rule.at == Step::Any)
    else {
        return Ok(());
    };
    let refusal = rules[place].refusal();
    if let Some(times) = &mut rules[place].times {
        *times = times.saturating_sub(1);
        if *times == 0 {
            rules.remove(place);
        }
    }
    Err(refusal)
}

/// `2026-03-12 14:30:00Z`, as Entra writes a time.
pub fn timestamp(seconds: i64) -> String {
    let (day, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, date) = civil(day);
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    format!(
        "{year:04}-{month:02}-{date:02} {hour:02}:{minute:02}:{:02}Z",
        second % 60
    )
}

/// Year, month and day of a number of days since 1970 (Howard Hinnant's `civil_from_days`).
pub fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let date = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, date)
}
