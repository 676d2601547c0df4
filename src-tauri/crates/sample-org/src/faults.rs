//! Faults as data: what goes wrong with which request.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A rule: which requests it meets, and what happens to them.
#[derive(Clone, Deserialize)]
pub struct Rule {
    #[serde(default, rename = "match")]
    pub matches: Match,
    pub action: Action,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Match {
    pub path_contains: Option<String>,
    pub query_contains: Option<String>,
    pub method: Option<String>,
    /// Lets so many matching requests pass first.
    pub after: u64,
    /// How often it happens; for ever where it is absent.
    pub times: Option<u64>,
}

/// What happens to a request.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Action {
    /// Answers with this status instead.
    pub status: Option<u16>,
    pub headers: BTreeMap<String, String>,
    pub body: Option<String>,
    /// Answers with an error body of this code.
    pub error_code: Option<String>,
    pub message: Option<String>,
    /// An HTML page with 200.
    pub html: bool,
    /// Waits first, in ms.
    pub delay_ms: u64,
    /// Sends the body's first bytes, then closes the connection.
    pub cut_body_at: Option<usize>,
    /// Never answers.
    pub stall: bool,
    /// Replaces the origin of next and delta links.
    pub link_origin: Option<String>,
}

/// The action for a request, if a rule meets it. Counts the rule down.
pub fn meet(rules: &mut Vec<Rule>, method: &str, path: &str, query: &str) -> Option<Action> {
    let place = rules.iter_mut().position(|rule| {
        let matches = &mut rule.matches;
        let fits = matches
            .path_contains
            .as_ref()
            .is_none_or(|part| path.contains(part.as_str()))
            && matches
                .query_contains
                .as_ref()
                .is_none_or(|part| query.contains(part.as_str()))
            && matches
                .method
                .as_ref()
                .is_none_or(|name| name.eq_ignore_ascii_case(method));
        if fits && matches.after > 0 {
            matches.after -= 1;
            return false;
        }
        fits
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
