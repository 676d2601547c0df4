//! Sending requests: tokens, headers, retries, service protection limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_ENCODING, HeaderMap, LOCATION};
use salesmirror_model::urls::check_token_target;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use url::Url;

use crate::body::Body;
use crate::call::{Answer, Call};
use crate::error::{ServiceError, request_id};
use crate::limits::{Backoff, Limits, Place, retry_after};
use crate::meter::Meter;
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

/// After so long somebody who waits is told that the sign-in service does not answer.
const TOKEN_PATIENCE: Duration = Duration::from_secs(5);

/// How long to try.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// How long one request may be tried and waited for in all.
    pub max_wait: Duration,
    /// The bound of the first pause after a failure; each further one doubles.
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

/// Decoded pages of all tables that are in memory at once, each some 30 MB: one is written while
/// the next is read, and one waits so that neither core does.
const PAGES_IN_MEMORY: usize = 3;

/// A client of one environment; clones share its limits.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    origins: Arc<[Url]>,
    tokens: Arc<dyn TokenSource>,
    policy: RetryPolicy,
    meter: Arc<Meter>,
    /// Requests of all counts together that nobody has taken note of.
    unnoted: Arc<AtomicU64>,
    /// What the service asked of this user.
    limits: Arc<Limits>,
    /// Whether the environment refuses batches, so that none is tried again.
    pub(crate) batches_refused: Arc<AtomicBool>,
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
            unnoted: Arc::default(),
            limits: Arc::default(),
            batches_refused: Arc::default(),
            room: Arc::new(Semaphore::new(PAGES_IN_MEMORY)),
        })
    }

    /// The same client with another patience.
    #[must_use]
    pub fn with_policy(self, policy: RetryPolicy) -> Self {
        Self { policy, ..self }
    }

    /// The same client that tries a request for so long at most.
    #[must_use]
    pub fn impatient(mut self, max_wait: Duration) -> Self {
        self.policy.max_wait = self.policy.max_wait.min(max_wait);
        self
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

    /// Requests that all clones of this client sent since this was asked last, whoever counts them.
    #[must_use]
    pub fn take_sent(&self) -> u64 {
        self.unnoted.swap(0, Relaxed)
    }

    /// Until when the service asked to wait; `None` where nobody waits.
    #[must_use]
    pub fn throttled_for(&self) -> Option<Duration> {
        self.limits.shut_for()
    }

    /// Why requests are sent again, one sentence; `None` while they are answered.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.limits.trouble()
    }

    /// Calls this whenever a wait or a trouble begins, or a trouble ends. The first listener stays.
    pub fn listen(&self, listener: impl Fn() + Send + Sync + 'static) {
        self.limits.listen(listener);
    }

    /// How many requests to send side by side, by the service's own hint where it gave one.
    #[must_use]
    pub fn parallelism(&self) -> usize {
        self.limits.parallel() as usize
    }

    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    pub(crate) fn host(&self) -> String {
        self.base.host_str().unwrap_or("The environment").to_owned()
    }

    pub(crate) fn backoff(&self) -> Backoff {
        Backoff::new(self.policy.backoff)
    }

    pub(crate) fn count_retry(&self) {
        self.meter.retries.fetch_add(1, Relaxed);
    }

    /// A GET with everything the protocol asks for; gives the body of a success.
    pub(crate) async fn get(&self, url: &Url, prefer: Option<&str>) -> Result<Bytes> {
        Ok(self.send(&Call::get(url, prefer)).await?.body)
    }

    /// The same for a page of records, with the room that it takes. A page that breaks is not asked
    /// for again: a smaller one may pass.
    pub(crate) async fn get_page(
        &self,
        url: &Url,
        prefer: &str,
    ) -> Result<(Body, Option<OwnedSemaphorePermit>)> {
        let call = Call {
            is_page: true,
            ..Call::get(url, (!prefer.is_empty()).then_some(prefer))
        };
        let answer = self.send(&call).await?;
        Ok((Body::new(&answer.headers, answer.body), answer.room))
    }

    /// How long requests are tried.
    #[must_use]
    pub const fn policy(&self) -> RetryPolicy {
        self.policy
    }

    /// Sends a request until it is answered, for as long as the policy says.
    ///
    /// # Errors
    /// Whatever the service or the network says.
    pub(crate) async fn send(&self, call: &Call<'_>) -> Result<Answer> {
        check_token_target(call.url, &self.origins, API_PATH)?;
        let begun = Instant::now();
        let mut backoff = self.backoff();
        let mut rejected: Option<SecretString> = None;
        let mut throttled = None;
        let mut doubted = false;
        loop {
            let token = self.token(rejected.as_ref()).await?;
            let place = self.pass_gate(begun, &mut throttled).await?;
            let failure = match self.attempt(call, &token, place).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            match failure {
                Failure::Rejected if rejected.is_some() => {
                    return Err(Error::NotSignedIn(self.host()));
                }
                Failure::Rejected => {
                    // Ended on its way: once more with a fresh one, from the same page.
                    rejected = Some(token);
                    self.count_retry();
                    continue;
                }
                Failure::Throttled { wait, words } => {
                    if let Some(words) = &words {
                        self.limits.learn(words);
                    }
                    throttled = words;
                    self.limits.shut(wait.unwrap_or_else(|| backoff.pause()));
                }
                Failure::Other(error) => {
                    call.note_lost(
                        !matches!(error, Error::Unreachable { .. }) && error.is_transient(),
                    );
                    // One more try where a delta link is refused without the documented code.
                    let doubtful = !doubted && is_doubtful(&error, call.url);
                    doubted |= doubtful;
                    let may_repeat = call.is_repeatable && !(call.is_page && error.breaks_page());
                    let again = doubtful || (may_repeat && error.is_transient());
                    let pause = backoff.pause();
                    if !again || begun.elapsed() + pause >= self.policy.max_wait {
                        return Err(error);
                    }
                    tracing::debug!(%error, path = call.url.path(), "trying again");
                    self.limits.set_trouble(Some(error.to_string()));
                    tokio::time::sleep(pause).await;
                }
            }
            // Whoever hears another answer than 401 was signed in: a token that ends later on is
            // renewed once more.
            rejected = None;
            self.count_retry();
        }
    }

    /// A token; where the sign-in service keeps one waiting, that is told.
    async fn token(&self, rejected: Option<&SecretString>) -> Result<SecretString, Error> {
        let mut asked = self.tokens.token(rejected);
        let token = match tokio::time::timeout(TOKEN_PATIENCE, &mut asked).await {
            Ok(token) => token,
            Err(_) => {
                let why = "The sign-in service has not answered yet.";
                self.limits.set_trouble(Some(why.to_owned()));
                let token = asked.await;
                self.limits.set_trouble(None);
                token
            }
        };
        token.map_err(Error::Token)
    }

    async fn attempt(
        &self,
        call: &Call<'_>,
        token: &SecretString,
        place: Place<'_>,
    ) -> Result<Answer, Failure> {
        self.meter.requests.fetch_add(1, Relaxed);
        self.unnoted.fetch_add(1, Relaxed);
        let mut request = self
            .http
            .request(call.method.clone(), call.url.clone())
            .bearer_auth(token.expose_secret());
        request = call.with_headers(request);
        let reply = request
            .send()
            .await
            .map_err(|error| self.unreachable(&error))?;
        let (status, mut headers) = (reply.status(), reply.headers().clone());
        self.limits.heed(&headers);
        if !status.is_server_error() {
            self.limits.set_trouble(None);
        }
        if status == StatusCode::UNAUTHORIZED {
            return Err(Failure::Rejected);
        }
        // The request is on its way without waiting; only what takes memory waits for room, and then
        // without its place: whoever could make room may need one.
        let mut place = Some(place);
        let mut room = None;
        if call.is_page {
            room = Arc::clone(&self.room).try_acquire_owned().ok();
            if room.is_none() {
                drop(place.take());
                room = Arc::clone(&self.room).acquire_owned().await.ok();
            }
        }
        if call.lost.is_some() && status.is_success() {
            return crate::writes::done(status, headers).map_err(Failure::Other);
        }
        let body = reply
            .bytes()
            .await
            .map_err(|error| self.unreachable(&error))?;
        drop(place);
        self.meter.bytes.fetch_add(body.len() as u64, Relaxed);
        if call.is_page && status.is_success() {
            return Ok(Answer {
                status,
                headers,
                body,
                room,
            });
        }
        let body = Body::new(&headers, body).read().map_err(Failure::Other)?;
        headers.remove(CONTENT_ENCODING);
        let wait = retry_after(&headers);
        // Behind 503 a write may have been done: only who can tell, or does no harm, sends it again.
        let may_wait = call.is_repeatable || call.lost.is_some();
        let is_throttled = status == StatusCode::TOO_MANY_REQUESTS
            || (status == StatusCode::SERVICE_UNAVAILABLE && wait.is_some() && may_wait);
        if is_throttled {
            // What stands before the service may have given up waiting for it.
            call.note_lost(status == StatusCode::SERVICE_UNAVAILABLE);
            let words = ServiceError::read(status, &headers, &body).map(Box::new);
            return Err(Failure::Throttled { wait, words });
        }
        if status.is_success() || call.takes_any_status {
            return Ok(Answer {
                status,
                headers,
                body,
                room,
            });
        }
        let error = self.refusal(status, &headers, &body);
        Err(Failure::Other(match call.lost {
            Some(_) => crate::writes::refused(error, status, &headers),
            None => error,
        }))
    }

    /// What a reply that is no success says.
    pub(crate) fn refusal(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
        if status.is_redirection() {
            let target = headers.get(LOCATION).and_then(|value| value.to_str().ok());
            return Error::Redirected {
                host: self.host(),
                target: target.unwrap_or("another address").to_owned(),
            };
        }
        match ServiceError::read(status, headers, body) {
            Some(error) => Error::Service(Box::new(error)),
            None if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
                Error::FrontDoor {
                    status: status.as_u16(),
                    request: request_id(headers),
                }
            }
            None => Error::NotDataverse(self.host()),
        }
    }

    /// Waits until the gate is open and fewer requests are under way than the service wants.
    async fn pass_gate(
        &self,
        begun: Instant,
        throttled: &mut Option<Box<ServiceError>>,
    ) -> Result<Place<'_>> {
        loop {
            while let Some(left) = self.limits.shut_for() {
                if begun.elapsed() + left > self.policy.max_wait {
                    return Err(Error::Throttled(throttled.take()));
                }
                tokio::time::sleep(left).await;
                self.meter
                    .throttled_ms
                    .fetch_add(left.as_millis() as u64, Relaxed);
            }
            let place = self.limits.enter().await;
            // Whoever was before us may have been told to wait.
            if self.limits.shut_for().is_none() {
                return Ok(place);
            }
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        Failure::Other(Error::unreachable(&self.host(), error))
    }
}

enum Failure {
    /// 401: the token is not, or no longer, good.
    Rejected,
    /// 429, or 503 with a time to wait.
    Throttled {
        wait: Option<Duration>,
        words: Option<Box<ServiceError>>,
    },
    Other(Error),
}

/// A refusal of a delta link that does not carry the documented code.
fn is_doubtful(error: &Error, url: &Url) -> bool {
    matches!(error, Error::Service(service) if service.code.is_none())
        && error.delta_expired()
        && url
            .query()
            .is_some_and(|query| query.contains("deltatoken"))
}
