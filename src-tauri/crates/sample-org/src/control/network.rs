//! Controls of what stands between a client and the organisation.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Outcome, changed, done, read, read_few};
use crate::faults::Rule;
use crate::network::{Mode, Network};
use crate::state::State;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    mode: Mode,
}

/// Answers, where the address is one of these.
pub fn answer(state: &mut State, method: &str, path: &str, body: &[u8]) -> Option<Outcome> {
    let net = &mut state.net;
    Some(match (method, path) {
        ("POST", "faults") => add_faults(net, body),
        ("DELETE", "faults") => {
            net.faults.clear();
            Ok(done())
        }
        ("GET", "faults") => value(&net.faults),
        ("POST", "environment") => read(body).and_then(|wanted: Wanted| {
            net.mode = wanted.mode;
            value(&json!({"mode": net.mode}))
        }),
        ("GET", "environment") => value(&json!({"mode": net.mode})),
        ("POST", "discovery") => changed(&net.listing, body).and_then(|listing| {
            net.listing = listing;
            value(&net.listing)
        }),
        ("GET", "discovery") => value(&net.listing),
        ("POST", "limits") => changed(&net.limits.settings, body).and_then(|settings| {
            if settings.window_ms == 0 {
                return Err("window_ms is at least 1.".to_owned());
            }
            net.limits.set(settings);
            value(&net.limits.settings)
        }),
        ("GET", "limits") => value(&net.limits.settings),
        ("GET", "requests") => value(&net.requests),
        ("DELETE", "requests") => {
            net.requests.clear();
            Ok(done())
        }
        ("POST", "variants") => read(body)
            .and_then(|change: Value| state.variants.changed(&change))
            .and_then(|variants| {
                state.variants = variants;
                state.forget_pages();
                value(&state.variants)
            }),
        ("GET", "variants") => value(&state.variants),
        _ => return None,
    })
}

fn value(of: &impl serde::Serialize) -> Outcome {
    serde_json::to_value(of).map_err(|error| error.to_string())
}

fn add_faults(net: &mut Network, body: &[u8]) -> Outcome {
    let rules: Vec<Rule> = read_few(body)?;
    rules.iter().try_for_each(Rule::check)?;
    net.faults.extend(rules);
    Ok(json!({"ok": true, "faults": net.faults.len()}))
}
