//! Service protection limits: per user, in a sliding window.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};

use crate::dataverse::errors;

/// Requests that were under way when another was refused have ignored nothing.
const UNDER_WAY: Duration = Duration::from_millis(100);
/// A wait grows to so many windows.
const LONGEST_WAIT: u32 = 4;

/// How much is allowed. The defaults are the service's.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub enabled: bool,
    pub window_ms: u64,
    pub requests: u64,
    pub execution_ms: u64,
    pub concurrent: u64,
    /// Added to the execution time of each request.
    pub cost_ms: u64,
    /// Requests and time are refused only after a full window.
    pub late: bool,
    /// Requests of everybody in a window before the front door refuses; 0 for any number.
    pub front_door: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enabled: false,
            window_ms: 300_000,
            requests: 6_000,
            execution_ms: 1_200_000,
            concurrent: 52,
            cost_ms: 0,
            late: false,
            front_door: 0,
        }
    }
}

/// The limits and what has been used of them.
#[derive(Default)]
pub struct Limits {
    pub settings: Settings,
    users: HashMap<u64, Usage>,
    door: VecDeque<Instant>,
}

#[derive(Default)]
struct Usage {
    /// When a request began, and what it cost in ms.
    calls: VecDeque<(Instant, u64)>,
    spent: u64,
    running: u64,
    first: Option<Instant>,
    penalty: Option<Penalty>,
}

/// A refusal that lasts.
#[derive(Clone, Copy)]
struct Penalty {
    limit: Limit,
    since: Instant,
    wait: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Limit {
    Requests,
    Execution,
    Concurrency,
}

impl Limits {
    /// Starts over with other numbers.
    pub fn set(&mut self, settings: Settings) {
        *self = Self {
            settings,
            ..Self::default()
        };
    }

    /// Refuses what is too much for the front door, without a code.
    pub fn pass_door(&mut self, now: Instant) -> Option<Response> {
        if self.settings.front_door == 0 {
            return None;
        }
        let window = Duration::from_millis(self.settings.window_ms);
        while self.door.front().is_some_and(|at| *at + window <= now) {
            self.door.pop_front();
        }
        if self.door.len() < self.settings.front_door {
            self.door.push_back(now);
            return None;
        }
        let wait = self
            .door
            .front()
            .map_or(window, |at| (*at + window).duration_since(now));
        let mut response = crate::breakage::html(StatusCode::TOO_MANY_REQUESTS);
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds(wait)));
        Some(response)
    }

    /// Lets a request of a user in, or gives the refusal.
    pub fn enter(&mut self, user: u64, now: Instant) -> Option<Response> {
        let settings = &self.settings;
        let window = Duration::from_millis(settings.window_ms);
        let usage = self.users.entry(user).or_default();
        usage.forget(now, window);
        if settings.enabled {
            if let Some(penalty) = &mut usage.penalty {
                let until = penalty.since + penalty.wait;
                if now < penalty.since + UNDER_WAY {
                    return Some(refused(settings, penalty.limit, until.duration_since(now)));
                }
                if now < until {
                    // Whoever does not wait waits longer.
                    penalty.wait = (penalty.wait * 2).min(window * LONGEST_WAIT);
                    penalty.since = now;
                    return Some(refused(settings, penalty.limit, penalty.wait));
                }
                usage.penalty = None;
            }
            if let Some((limit, wait)) = usage.exceeded(settings, now, window) {
                if limit != Limit::Concurrency {
                    usage.penalty = Some(Penalty {
                        limit,
                        since: now,
                        wait,
                    });
                }
                return Some(refused(settings, limit, wait));
            }
        }
        usage.running += 1;
        usage.first.get_or_insert(now);
        None
    }

    /// Books a request that has ended.
    pub fn leave(&mut self, user: u64, began: Instant, took: Duration) {
        let cost = u64::try_from(took.as_millis()).unwrap_or(u64::MAX) + self.settings.cost_ms;
        let usage = self.users.entry(user).or_default();
        usage.running = usage.running.saturating_sub(1);
        usage.spent += cost;
        usage.calls.push_back((began, cost));
    }

    /// The headers that count down, including the request that is being answered.
    pub fn headers(&mut self, user: u64, now: Instant, headers: &mut HeaderMap) {
        let settings = &self.settings;
        let usage = self.users.entry(user).or_default();
        usage.forget(now, Duration::from_millis(settings.window_ms));
        let used = usage.calls.len() as u64 + usage.running;
        let burst = settings.requests.saturating_sub(used);
        let time = settings
            .execution_ms
            .saturating_sub(usage.spent + usage.running * settings.cost_ms);
        headers.insert(
            "x-ms-ratelimit-burst-remaining-xrm-requests",
            HeaderValue::from(burst),
        );
        if let Ok(value) = HeaderValue::from_str(&grouped(time)) {
            headers.insert("x-ms-ratelimit-time-remaining-xrm-requests", value);
        }
        headers.insert("x-ms-dop-hint", HeaderValue::from_static("4"));
    }
}

impl Usage {
    fn forget(&mut self, now: Instant, window: Duration) {
        while let Some((at, cost)) = self.calls.front() {
            if *at + window > now {
                break;
            }
            self.spent = self.spent.saturating_sub(*cost);
            self.calls.pop_front();
        }
    }

    /// The limit that one more request would exceed, and how long it takes until there is room.
    fn exceeded(
        &self,
        settings: &Settings,
        now: Instant,
        window: Duration,
    ) -> Option<(Limit, Duration)> {
        if self.running >= settings.concurrent {
            return Some((Limit::Concurrency, Duration::from_secs(1)));
        }
        if settings.late && self.first.is_none_or(|first| first + window > now) {
            return None;
        }
        let room = self
            .calls
            .front()
            .map_or(window, |(at, _)| (*at + window).duration_since(now));
        if self.calls.len() as u64 + self.running >= settings.requests {
            return Some((Limit::Requests, room));
        }
        if self.spent >= settings.execution_ms {
            return Some((Limit::Execution, room));
        }
        None
    }
}

fn refused(settings: &Settings, limit: Limit, wait: Duration) -> Response {
    let window = settings.window_ms / 1_000;
    let (code, message) = match limit {
        Limit::Requests => (
            "0x80072322",
            format!(
                "Number of requests exceeded the limit of {} over time window of {window} seconds.",
                settings.requests
            ),
        ),
        Limit::Execution => (
            "0x80072321",
            format!(
                "Combined execution time of incoming requests exceeded limit of {}  milliseconds over time window of \
                 {window} seconds. Decrease number of concurrent requests or reduce the duration of requests and try \
                 again later.",
                thousands(settings.execution_ms)
            ),
        ),
        Limit::Concurrency => (
            "0x80072326",
            format!(
                "Number of concurrent requests exceeded the limit of {}.",
                settings.concurrent
            ),
        ),
    };
    let mut response = errors::error(StatusCode::TOO_MANY_REQUESTS, code, &message).into_response();
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds(wait)));
    response
}

/// Whole seconds, at least one: whoever waits so long finds room.
fn seconds(wait: Duration) -> u64 {
    (u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
        .div_ceil(1_000)
        .max(1)
}

/// Milliseconds as seconds, `1,200.00`.
fn grouped(milliseconds: u64) -> String {
    format!(
        "{}.{:02}",
        thousands(milliseconds / 1_000),
        milliseconds % 1_000 / 10
    )
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
