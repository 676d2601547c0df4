//! Service protection limits: when to wait, for how long, and how much to ask for at once.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

use crate::error::ServiceError;

/// Requests side by side where the service gave no hint: about four steady ones use all the time
/// that a server grants a user.
const PARALLEL: u32 = 4;
/// Requests of all tables that may be under way at once where the service gave no hint: more than a
/// mirror has tables as a rule, and far below the 40 that were seen to be refused.
const UNTOLD_AT_ONCE: u32 = 8;
/// A hint above this is taken for this: 52 at once are refused.
const MOST_PARALLEL: u32 = 32;
/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Too much execution time: fewer and cheaper requests side by side.
const EXECUTION_TIME: u32 = 0x8007_2321;
/// Too many requests at once.
const CONCURRENCY: u32 = 0x8007_2326;

/// What the service asked of one user, shared by all requests of a client.
#[derive(Debug, Default)]
pub struct Limits {
    /// Until when nobody sends.
    gate: Mutex<Option<Instant>>,
    /// Requests side by side; 0 where nothing is known.
    parallel: AtomicU32,
    /// Requests that are under way.
    under_way: Mutex<u32>,
    /// Tells who waits that a request ended, or that more may be under way.
    freed: Notify,
    /// Why the last request was not answered, until one is.
    trouble: Mutex<Option<String>>,
    /// Hears when a wait begins or ends.
    listener: OnceLock<Listener>,
}

struct Listener(Box<dyn Fn() + Send + Sync>);

impl std::fmt::Debug for Listener {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Listener")
    }
}

/// The place of a request among those that are under way; dropped when it ends.
#[derive(Debug)]
pub struct Place<'a>(&'a Limits);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.count() -= 1;
        self.0.freed.notify_one();
    }
}

impl Limits {
    /// How long the gate stays shut; `None` where nobody waits.
    pub fn shut_for(&self) -> Option<Duration> {
        let gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        let left = (*gate)?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// Nobody sends for so long.
    pub fn shut(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        if gate.is_none_or(|old| old < until) {
            *gate = Some(until);
        }
        drop(gate);
        self.tell();
    }

    /// Tells whoever listens from now on.
    pub fn listen(&self, listener: impl Fn() + Send + Sync + 'static) {
        // One session listens to a client; a second one would be a mistake that costs a picture only.
        let _ = self.listener.set(Listener(Box::new(listener)));
    }

    fn tell(&self) {
        if let Some(listener) = self.listener.get() {
            listener.0();
        }
    }

    /// Why requests are sent again; `None` once one is answered.
    pub fn trouble(&self) -> Option<String> {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.clone()
    }

    /// Remembers why a request is sent again, or that one was answered.
    pub fn set_trouble(&self, why: Option<String>) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if *trouble == why {
            return;
        }
        *trouble = why;
        drop(trouble);
        self.tell();
    }

    fn count(&self) -> MutexGuard<'_, u32> {
        self.under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// How many requests may be under way at once.
    fn most_at_once(&self) -> u32 {
        match self.parallel.load(Relaxed) {
            0 => UNTOLD_AT_ONCE,
            known => known,
        }
    }

    /// Waits until fewer requests are under way than the service wants, whichever table they are for.
    pub async fn enter(&self) -> Place<'_> {
        loop {
            let freed = self.freed.notified();
            {
                let mut under_way = self.count();
                if *under_way < self.most_at_once() {
                    *under_way += 1;
                    break;
                }
            }
            freed.await;
        }
        // Where the service wants more now than before, one end lets several begin.
        if *self.count() < self.most_at_once() {
            self.freed.notify_one();
        }
        Place(self)
    }

    /// How many requests to send side by side.
    pub fn parallel(&self) -> u32 {
        match self.parallel.load(Relaxed) {
            0 => PARALLEL,
            known => known,
        }
    }

    /// Remembers `x-ms-dop-hint`, the service's own advice.
    pub fn heed(&self, headers: &HeaderMap) {
        let hint = headers
            .get("x-ms-dop-hint")
            .and_then(|value| value.to_str().ok()?.trim().parse::<u32>().ok());
        if let Some(hint) = hint.filter(|hint| *hint > 0) {
            self.parallel.store(hint.min(MOST_PARALLEL), Relaxed);
        }
    }

    /// Fewer at once where that is what was too much.
    pub fn learn(&self, refusal: &ServiceError) {
        if matches!(refusal.code, Some(EXECUTION_TIME | CONCURRENCY)) {
            self.parallel.store((self.parallel() / 2).max(1), Relaxed);
        }
    }
}

/// `Retry-After` in seconds or as a date. A date is compared with the answer's own `Date`: the clock
/// of this computer may be wrong.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let now = text(DATE).and_then(|date| httpdate::parse_http_date(date.trim()).ok());
    wait_in(text(RETRY_AFTER)?, now.unwrap_or_else(SystemTime::now))
}

/// The wait that a `Retry-After` asks for.
fn wait_in(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds.max(0.0)).ok();
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// Pauses between tries: each bound doubles, and the pause is anything below it ("full jitter"), so
/// that tables that failed together do not come back together.
#[derive(Debug)]
pub struct Backoff {
    bound: Duration,
}

impl Backoff {
    pub fn new(first: Duration) -> Self {
        Self { bound: first }
    }

    pub fn pause(&mut self) -> Duration {
        let bound = self.bound;
        self.bound = (bound * 2).min(LONGEST_PAUSE);
        let random = Uuid::new_v4().as_u128() as u32;
        bound.mul_f64(f64::from(random) / f64::from(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_comes_in_seconds_or_as_a_date() {
        let soon = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(90));
        for (text, least, most) in [
            ("0", 0, 0),
            (" 60 ", 60, 60),
            ("1.5", 1, 2),
            ("-4", 0, 0),
            (soon.as_str(), 85, 90),
            ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
        ] {
            let wait = wait_in(text, SystemTime::now()).expect(text).as_secs();
            assert!((least..=most).contains(&wait), "{text}: {wait}");
        }
        assert_eq!(wait_in("soon", SystemTime::now()), None);
    }

    #[test]
    fn a_date_is_the_services_own_whatever_the_clock_here_says() {
        for (retry_after_date, date, seconds) in [
            (
                "Wed, 21 Oct 2015 07:28:30 GMT",
                "Wed, 21 Oct 2015 07:28:00 GMT",
                30,
            ),
            (
                "Wed, 21 Oct 2099 07:28:30 GMT",
                "Wed, 21 Oct 2099 07:28:00 GMT",
                30,
            ),
            (
                "Wed, 21 Oct 2015 07:28:00 GMT",
                "Wed, 21 Oct 2015 07:29:00 GMT",
                0,
            ),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, retry_after_date.parse().expect("a value"));
            headers.insert(DATE, date.parse().expect("a value"));
            assert_eq!(
                retry_after(&headers),
                Some(Duration::from_secs(seconds)),
                "{date}"
            );
        }
    }

    #[test]
    fn pauses_are_spread_below_a_bound_that_doubles() {
        let mut first = Vec::new();
        for _ in 0..200 {
            let mut backoff = Backoff::new(Duration::from_millis(100));
            first.push(backoff.pause());
            for bound in [200, 400, 800] {
                assert!(backoff.pause() <= Duration::from_millis(bound));
            }
        }
        first.sort();
        assert!(first[0] < Duration::from_millis(20), "{:?}", first[0]);
        assert!(first[199] > Duration::from_millis(80), "{:?}", first[199]);
        assert!(first[199] <= Duration::from_millis(100));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn no_more_requests_are_under_way_than_the_hint_says_and_all_have_their_turn() {
        for (hint, most) in [(None, UNTOLD_AT_ONCE), (Some(1), 1), (Some(3), 3)] {
            let limits = std::sync::Arc::new(Limits::default());
            if let Some(hint) = hint {
                limits.parallel.store(hint, Relaxed);
            }
            let peak = std::sync::Arc::new(AtomicU32::new(0));
            let requests = (0..60).map(|number| {
                let (limits, peak) = (limits.clone(), peak.clone());
                tokio::spawn(async move {
                    let waiting = async {
                        let place = limits.enter().await;
                        peak.fetch_max(*limits.count(), Relaxed);
                        tokio::time::sleep(Duration::from_millis(3)).await;
                        drop(place);
                    };
                    // Some give up while they wait, and take nobody's turn with them.
                    let patience = Duration::from_millis(if number % 5 == 0 { 2 } else { 10_000 });
                    tokio::time::timeout(patience, waiting).await.is_ok() || number % 5 == 0
                })
            });
            let ended = futures::future::join_all(requests).await;
            assert!(ended.iter().all(|end| *end.as_ref().unwrap()), "{hint:?}");
            assert_eq!((*limits.count(), peak.load(Relaxed)), (0, most), "{hint:?}");
        }
    }

    #[test]
    fn the_hint_is_kept_and_halved_by_the_refusal_that_it_is_about() {
        let limits = Limits::default();
        assert_eq!(limits.parallel(), PARALLEL);
        let mut headers = HeaderMap::new();
        headers.insert("x-ms-dop-hint", "8".parse().expect("a value"));
        limits.heed(&headers);
        assert_eq!(limits.parallel(), 8);
        let refusal = |code| ServiceError {
            status: 429,
            code: Some(code),
            message: String::new(),
            request: None,
        };
        limits.learn(&refusal(0x8007_2322));
        assert_eq!(limits.parallel(), 8);
        limits.learn(&refusal(CONCURRENCY));
        assert_eq!(limits.parallel(), 4);
    }
}
