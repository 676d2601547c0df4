//! Sending requests: tokens, headers, retries, service protection limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{RequestBuilder, StatusCode};
use salesmirror_model::urls::check_token_target;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;
use url::Url;
use uuid::Uuid;

use crate::error::ServiceError;
use crate::{Error, Result};

/// Path of the Web API on its origin.
pub const API_PATH: &str = "/api/data/v9.2/";

/// Gives access tokens. The joint to whatever signs in.
#[async_trait]
pub trait TokenSource: Send + Sync {
    /// A token; `rejected` is the one that the service just refused, so that it is not given again.
    async fn token(&self, rejected: Option<&SecretString>) -> Result<SecretString, TokenError>;
}

/// Why there is no token: the source's own error, passed through.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct TokenError {
    /// The source's error.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// How long to try.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// How long one request may be tried and waited for in all.
    pub max_wait: Duration,
    /// The first pause after a failure; each further one doubles.
    pub backoff: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_wait: Duration::from_secs(900),
            backoff: Duration::from_millis(500),
        }
    }
}

/// The longest pause between two tries.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

/// Decoded pages of all tables that are in memory at once, each some 30 MB: one is written while
/// the next is read, and one waits so that neither core does.
const PAGES_IN_MEMORY: usize = 3;

/// What requests cost. Clones of a client count together; [`Client::metered`] begins a count.
#[derive(Debug, Default)]
pub struct Meter {
    requests: AtomicU64,
    retries: AtomicU64,
    throttled_ms: AtomicU64,
    bytes: AtomicU64,
}

impl Meter {
    /// Requests sent.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Relaxed)
    }

    /// Requests sent again.
    #[must_use]
    pub fn retries(&self) -> u64 {
        self.retries.load(Relaxed)
    }

    /// Time the service made us wait, in ms.
    #[must_use]
    pub fn throttled_ms(&self) -> u64 {
        self.throttled_ms.load(Relaxed)
    }

    /// Bytes received, decompressed.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }
}

/// A client of one environment; clones share its limits.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    origins: Arc<[Url]>,
    tokens: Arc<dyn TokenSource>,
    policy: RetryPolicy,
    meter: Arc<Meter>,
    /// Until when nobody sends, since the service asked for it.
    gate: Arc<watch::Sender<Option<Instant>>>,
    /// Room for pages in memory.
    room: Arc<Semaphore>,
}

impl Client {
    /// A client of the environment; `other_origins` belong to the same resource.
    ///
    /// # Errors
    /// Where the environment's address cannot carry a path.
    pub fn new(
        http: reqwest::Client,
        environment: &Url,
        other_origins: &[Url],
        tokens: Arc<dyn TokenSource>,
    ) -> Result<Self> {
        let base = environment
            .join(API_PATH)
            .map_err(|error| Error::BadReply(error.to_string()))?;
        let origins = std::iter::once(environment)
            .chain(other_origins)
            .cloned()
            .collect();
        Ok(Self {
            http,
            base,
            origins,
            tokens,
            policy: RetryPolicy::default(),
            meter: Arc::default(),
            gate: Arc::new(watch::Sender::new(None)),
            room: Arc::new(Semaphore::new(PAGES_IN_MEMORY)),
        })
    }

    /// The same client with another patience.
    #[must_use]
    pub fn with_policy(self, policy: RetryPolicy) -> Self {
        Self { policy, ..self }
    }

    /// The same client with a count of its own. Limits stay shared.
    #[must_use]
    pub fn metered(&self) -> Self {
        Self {
            meter: Arc::default(),
            ..self.clone()
        }
    }

    /// What this client's requests cost so far.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Until when the service asked to wait; `None` where nobody waits.
    #[must_use]
    pub fn throttled_for(&self) -> Option<Duration> {
        let until = (*self.gate.borrow())?;
        let left = until.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// A GET with everything the protocol asks for; gives the body of a success.
    pub(crate) async fn get(&self, url: &Url, prefer: Option<&str>) -> Result<Bytes> {
        Ok(self.get_within(url, prefer, None).await?.0)
    }

    /// The same for a page of records, with the room that it takes.
    pub(crate) async fn get_page(
        &self,
        url: &Url,
        prefer: Option<&str>,
    ) -> Result<(Bytes, Option<OwnedSemaphorePermit>)> {
        self.get_within(url, prefer, Some(&self.room)).await
    }

    async fn get_within(
        &self,
        url: &Url,
        prefer: Option<&str>,
        room: Option<&Arc<Semaphore>>,
    ) -> Result<(Bytes, Option<OwnedSemaphorePermit>)> {
        check_token_target(url, &self.origins, API_PATH)?;
        let begun = Instant::now();
        let mut pause = self.policy.backoff;
        let mut rejected: Option<SecretString> = None;
        let mut broken_delta = false;
        loop {
            self.wait_at_gate(begun).await?;
            let token = self
                .tokens
                .token(rejected.as_ref())
                .await
                .map_err(Error::Token)?;
            self.meter.requests.fetch_add(1, Relaxed);
            let request = self
                .http
                .get(url.clone())
                .bearer_auth(token.expose_secret());
            let error = match self.answer(with_headers(request, prefer), room).await {
                Ok(answer) => return Ok(answer),
                Err(Outcome::Rejected) if rejected.is_none() => {
                    rejected = Some(token);
                    self.meter.retries.fetch_add(1, Relaxed);
                    continue;
                }
                Err(Outcome::Rejected) => return Err(Error::NotSignedIn(self.host())),
                Err(Outcome::Throttled(wait)) => {
                    self.close_gate(wait.unwrap_or(pause));
                    Error::Throttled
                }
                Err(Outcome::Failed(error)) => {
                    // One more try where a delta link is refused without the documented code.
                    let doubtful = !broken_delta && is_doubtful(&error, url);
                    if !error.is_transient() && !doubtful {
                        return Err(error);
                    }
                    broken_delta |= doubtful;
                    let left = self.policy.max_wait.saturating_sub(begun.elapsed());
                    if left < pause {
                        return Err(error);
                    }
                    tokio::time::sleep(jittered(pause)).await;
                    error
                }
            };
            if begun.elapsed() >= self.policy.max_wait {
                return Err(error);
            }
            tracing::debug!(%error, path = url.path(), "trying again");
            self.meter.retries.fetch_add(1, Relaxed);
            pause = (pause * 2).min(LONGEST_BACKOFF);
        }
    }

    async fn answer(
        &self,
        request: RequestBuilder,
        room: Option<&Arc<Semaphore>>,
    ) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Outcome> {
        let reply = request
            .send()
            .await
            .map_err(|error| self.unreachable(&error))?;
        let (status, headers) = (reply.status(), reply.headers().clone());
        if status == StatusCode::UNAUTHORIZED {
            return Err(Outcome::Rejected);
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(Outcome::Throttled(retry_after(&headers)));
        }
        if status.is_redirection() {
            let target = headers.get(LOCATION).and_then(|value| value.to_str().ok());
            let target = target.unwrap_or("another address").to_owned();
            return Err(Outcome::Failed(Error::Redirected {
                host: self.host(),
                target,
            }));
        }
        // The request is on its way without waiting; only what takes memory waits for room.
        let room = match room {
            Some(room) => Arc::clone(room).acquire_owned().await.ok(),
            None => None,
        };
        let body = reply
            .bytes()
            .await
            .map_err(|error| self.unreachable(&error))?;
        self.meter.bytes.fetch_add(body.len() as u64, Relaxed);
        if status.is_success() {
            return Ok((body, room));
        }
        if let Some(wait) =
            retry_after(&headers).filter(|_| status == StatusCode::SERVICE_UNAVAILABLE)
        {
            return Err(Outcome::Throttled(Some(wait)));
        }
        Err(Outcome::Failed(
            match ServiceError::read(status, &headers, &body) {
                Some(error) => Error::Service(Box::new(error)),
                None if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
                    Error::Unavailable(format!("status {}", status.as_u16()))
                }
                None => Error::NotDataverse(self.host()),
            },
        ))
    }

    async fn wait_at_gate(&self, begun: Instant) -> Result<()> {
        while let Some(left) = self.throttled_for() {
            if begun.elapsed() + left > self.policy.max_wait {
                return Err(Error::Throttled);
            }
            tokio::time::sleep(left).await;
            self.meter
                .throttled_ms
                .fetch_add(left.as_millis() as u64, Relaxed);
        }
        Ok(())
    }

    fn close_gate(&self, wait: Duration) {
        let until = Instant::now() + wait;
        self.gate.send_if_modified(|gate| {
            let later = gate.is_none_or(|old| old < until);
            if later {
                *gate = Some(until);
            }
            later
        });
    }

    fn unreachable(&self, error: &reqwest::Error) -> Outcome {
        Outcome::Failed(Error::unreachable(&self.host(), error))
    }

    pub(crate) fn host(&self) -> String {
        self.base.host_str().unwrap_or("The environment").to_owned()
    }
}

enum Outcome {
    /// 401: the token is not, or no longer, good.
    Rejected,
    /// 429, or 503 with a time to wait.
    Throttled(Option<Duration>),
    Failed(Error),
}

fn with_headers(request: RequestBuilder, prefer: Option<&str>) -> RequestBuilder {
    let request = request
        .header("OData-MaxVersion", "4.0")
        .header("OData-Version", "4.0")
        .header("Accept", "application/json")
        .header("If-None-Match", "null")
        .header("x-ms-client-request-id", Uuid::new_v4().to_string());
    match prefer {
        Some(prefer) => request.header("Prefer", prefer),
        None => request,
    }
}

/// A refusal of a delta link that does not carry the documented code.
fn is_doubtful(error: &Error, url: &Url) -> bool {
    matches!(error, Error::Service(service) if service.code.is_none())
        && error.delta_expired()
        && url
            .query()
            .is_some_and(|query| query.contains("deltatoken"))
}

/// `Retry-After` in seconds or as a date.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds.max(0.0)).ok();
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(
        date.duration_since(std::time::SystemTime::now())
            .unwrap_or_default(),
    )
}

/// Up to a quarter more, so that tables that failed together do not come back together.
fn jittered(pause: Duration) -> Duration {
    let random = Uuid::new_v4().as_u128() as u32;
    pause + pause.mul_f64(f64::from(random) / f64::from(u32::MAX) / 4.0)
}
