//! Faults as data: what goes wrong with which request.

use std::collections::BTreeMap;

use axum::http::{HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

/// A rule: which requests it meets, and what happens to them.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    #[serde(default, rename = "match")]
    pub matches: Match,
    pub action: Action,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Match {
    pub path: Option<String>,
    pub path_contains: Option<String>,
    pub query_contains: Option<String>,
    pub method: Option<String>,
    pub host: Option<String>,
    /// Lets so many matching requests pass first.
    pub after: u64,
    /// How often it happens; for ever where it is absent.
    pub times: Option<u64>,
}

/// What happens to a request.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Action {
    /// Answers with this status instead.
    pub status: Option<u16>,
    pub headers: BTreeMap<String, String>,
    pub body: Option<String>,
    /// Answers with an error body of this code.
    pub error_code: Option<String>,
    pub message: Option<String>,
    /// `Retry-After` in s.
    pub retry_after_s: Option<u64>,
    /// `Retry-After` as the date so many s ahead.
    pub retry_after_date_s: Option<u64>,
    /// An HTML page with 200.
    pub html: bool,
    /// Sends the client elsewhere.
    pub redirect: Option<String>,
    /// Waits first, in ms.
    pub delay_ms: u64,
    /// Holds the finished answer back, in ms: what it says may be out of date when it comes.
    pub late_ms: u64,
    /// Replaces the origin of next and delta links.
    pub link_origin: Option<String>,
    /// Never answers.
    pub stall: bool,
    /// Sends the body's first bytes, then nothing.
    pub stall_body_at: Option<usize>,
    /// Sends the body's first bytes, then closes the connection.
    pub cut_body_at: Option<usize>,
    /// What the header says, whatever the body has.
    pub content_length: Option<u64>,
    pub gzip: Option<BrokenGzip>,
    /// RST instead of an answer.
    pub reset: bool,
    /// Sends the body's first bytes, then RST.
    pub reset_body_at: Option<usize>,
    /// RST as soon as a connection is made.
    pub reset_accept: bool,
}

/// How compression is broken.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BrokenGzip {
    /// The second half is missing.
    Truncated,
    /// Bytes in the middle are others.
    Corrupt,
    /// The header says gzip; the body is not compressed.
    None,
}

/// A request as rules see it.
pub struct Met<'a> {
    pub method: &'a str,
    pub host: &'a str,
    pub path: &'a str,
    pub query: &'a str,
}

impl Rule {
    /// Whether the rule can be carried out.
    ///
    /// # Errors
    /// A sentence.
    pub fn check(&self) -> Result<(), String> {
        let action = &self.action;
        if let Some(status) = action.status
            && (!(200..=599).contains(&status) || StatusCode::from_u16(status).is_err())
        {
            return Err(format!("{status} is not a status of an answer."));
        }
        for (name, value) in &action.headers {
            if HeaderName::try_from(name).is_err() || HeaderValue::from_str(value).is_err() {
                return Err(format!("\"{name}: {value}\" is not a header."));
            }
        }
        let matches = &self.matches;
        let names_a_request = matches.path.is_some()
            || matches.path_contains.is_some()
            || matches.query_contains.is_some()
            || matches.method.is_some()
            || matches.host.is_some();
        if action.reset_accept && names_a_request {
            return Err(
                "With reset_accept there is no request yet: match may hold only after and times."
                    .to_owned(),
            );
        }
        Ok(())
    }

    fn fits(&self, request: &Met<'_>) -> bool {
        let matches = &self.matches;
        let equal = |wanted: &Option<String>, value: &str| {
            wanted
                .as_ref()
                .is_none_or(|text| text.eq_ignore_ascii_case(value))
        };
        let contained = |wanted: &Option<String>, value: &str| {
            wanted
                .as_ref()
                .is_none_or(|text| value.contains(text.as_str()))
        };
        !self.action.reset_accept
            && equal(&matches.path, request.path)
            && equal(&matches.method, request.method)
            && equal(&matches.host, request.host)
            && contained(&matches.path_contains, request.path)
            && contained(&matches.query_contains, request.query)
    }
}

/// The action for a request, if a rule meets it. Counts the rule down.
pub fn meet(rules: &mut Vec<Rule>, request: &Met<'_>) -> Option<Action> {
    take(rules, |rule| rule.fits(request))
}

/// Whether the connection that was just made is reset.
pub fn meet_connection(rules: &mut Vec<Rule>) -> bool {
    take(rules, |rule| rule.action.reset_accept).is_some()
}

fn take(rules: &mut Vec<Rule>, fits: impl Fn(&Rule) -> bool) -> Option<Action> {
    let place = rules.iter_mut().position(|rule| {
        if !fits(rule) {
            return false;
        }
        if rule.matches.after > 0 {
            rule.matches.after -= 1;
            return false;
        }
        true
    })?;
    let rule = &mut rules[place];
    let action = rule.action.clone();
    if let Some(times) = &mut rule.matches.times {
        *times = times.saturating_sub(1);
        if *times == 0 {
            rules.remove(place);
        }
    }
    Some(action)
}
