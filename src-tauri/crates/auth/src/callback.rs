//! The loopback server that the browser comes back to.
//!
//! It answers one request a connection, each within seconds, so that nobody can keep it busy, and
//! ends the attempt only for a callback that carries the attempt's own `state`.

use std::convert::Infallible;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio_util::sync::CancellationToken;
use url::{Url, form_urlencoded};

use crate::AuthError;
use crate::error::Refusal;
use crate::landing::{empty, page, redirect};
use crate::token::Scope;

/// A path of our own: Entra ID ignores the port of a loopback address, not the path.
pub const PATH: &str = "/oauth/callback";
/// Where the browser goes on to a second try with another scope.
const AGAIN: &str = "/oauth/again";

/// How long a request may take to arrive.
const HEADER_PATIENCE: Duration = Duration::from_secs(5);
/// How long a connection may last in all.
const CONNECTION_LIFE: Duration = Duration::from_secs(10);
/// Connections at once; a browser opens a handful.
const MOST_CONNECTIONS: usize = 32;
/// Bytes of a request: codes take some kilobytes.
const LONGEST_REQUEST: usize = 64 * 1024;
/// How long a browser may take to follow a redirect. What does not follow it is no browser.
const REDIRECT_PATIENCE: Duration = Duration::from_secs(5);

type Answer = Result<(SecretString, Scope), AuthError>;

/// One way to ask: a scope, the `state` that must come back, the page to open.
pub struct Round {
    pub scope: Scope,
    pub state: String,
    pub url: Url,
}

/// The listening sockets of both loopback addresses, since a browser may take `localhost` for
/// either.
pub struct Doors {
    pub port: u16,
    listeners: Vec<TcpListener>,
}

/// Waits for one callback.
pub struct Callback {
    answer: oneshot::Receiver<Answer>,
    _stop: tokio_util::sync::DropGuard,
}

impl Doors {
    pub async fn open(port: Option<u16>) -> Result<Self, AuthError> {
        let listeners = bind(port.unwrap_or(0)).await?;
        let local = listeners
            .first()
            .and_then(|listener| listener.local_addr().ok());
        Ok(Self {
            port: local.map_or(0, |address| address.port()),
            listeners,
        })
    }

    /// Serves until the callback has come or is dropped. The second round is for a refused scope.
    pub fn wait_for(self, rounds: [Round; 2]) -> Callback {
        let (send, answer) = oneshot::channel();
        let attempt = Arc::new(Attempt {
            port: self.port,
            rounds,
            progress: Mutex::new(Progress {
                round: 0,
                is_over: false,
                has_followed: false,
                waiting: Some(send),
            }),
        });
        let stop = CancellationToken::new();
        let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        for listener in self.listeners {
            let (attempt, room, stop) = (Arc::clone(&attempt), Arc::clone(&room), stop.clone());
            tokio::spawn(async move {
                tokio::select! {
                    () = accept(&listener, &attempt, &room) => {}
                    () = stop.cancelled() => {}
                }
            });
        }
        Callback {
            answer,
            _stop: stop.drop_guard(),
        }
    }
}

impl Callback {
    /// The code that the browser brought, and the scope that it is for.
    pub async fn code(&mut self) -> Answer {
        (&mut self.answer)
            .await
            .unwrap_or(Err(AuthError::Cancelled))
    }
}

async fn bind(port: u16) -> Result<Vec<TcpListener>, AuthError> {
    let taken = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AddrInUse => AuthError::PortTaken(port),
        _ => AuthError::Local(error.to_string()),
    };
    // A free port of the first family may be taken in the second: then another is tried.
    for _ in 0..20 {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .map_err(taken)?;
        let chosen = first.local_addr().map_err(taken)?.port();
        match TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, chosen))).await {
            Ok(second) => return Ok(vec![first, second]),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                if port != 0 {
                    return Err(AuthError::PortTaken(port));
                }
            }
            // A machine without IPv6.
            Err(_) => return Ok(vec![first]),
        }
    }
    Err(AuthError::PortTaken(port))
}

async fn accept(listener: &TcpListener, attempt: &Arc<Attempt>, room: &Arc<Semaphore>) {
    loop {
        // Where all places are taken the next one waits at the door; none is kept for long.
        let Ok(place) = Arc::clone(room).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, mostly: a moment later there are some again.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let attempt = Arc::clone(attempt);
        tokio::spawn(async move {
            let _place = place;
            serve(stream, &attempt).await;
        });
    }
}

/// Answers one request. The attempt goes on only when the browser has its page: with the answer the
/// process may end.
async fn serve(stream: TcpStream, attempt: &Arc<Attempt>) {
    let outcome = Mutex::new(None);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_PATIENCE)
        .keep_alive(false)
        .max_buf_size(LONGEST_REQUEST)
        .serve_connection(
            TokioIo::new(stream),
            service_fn(|request: Request<Incoming>| {
                let (reply, answer) = attempt.receive(&request);
                if answer.is_some() {
                    *lock(&outcome) = answer;
                }
                std::future::ready(Ok::<_, Infallible>(reply))
            }),
        );
    let _ = tokio::time::timeout(CONNECTION_LIFE, connection).await;
    let answer = lock(&outcome).take();
    match answer {
        Some(Outcome::Done(answer)) => attempt.end(answer),
        Some(Outcome::Redirected(error)) => {
            tokio::time::sleep(REDIRECT_PATIENCE).await;
            if !lock(&attempt.progress).has_followed {
                attempt.end(Err(error));
            }
        }
        None => {}
    }
}

struct Attempt {
    port: u16,
    rounds: [Round; 2],
    progress: Mutex<Progress>,
}

struct Progress {
    /// The round whose `state` is expected.
    round: usize,
    /// Whether a callback has come: a second one changes nothing.
    is_over: bool,
    /// Whether the browser went on to the second round.
    has_followed: bool,
    waiting: Option<oneshot::Sender<Answer>>,
}

/// What a request means for the attempt.
enum Outcome {
    Done(Answer),
    /// The browser was sent on; the refusal stands where it does not go.
    Redirected(AuthError),
}

impl Attempt {
    fn end(&self, answer: Answer) {
        let waiting = lock(&self.progress).waiting.take();
        if let Some(waiting) = waiting {
            // Whoever waited may have given up.
            let _ = waiting.send(answer);
        }
    }

    fn receive<B>(&self, request: &Request<B>) -> (Response, Option<Outcome>) {
        if !is_local(request.headers(), self.port) {
            return (empty(StatusCode::FORBIDDEN), None);
        }
        if request.method() != Method::GET {
            return (empty(StatusCode::METHOD_NOT_ALLOWED), None);
        }
        let query = request.uri().query().unwrap_or_default();
        match request.uri().path() {
            PATH => self.called_back(query),
            AGAIN => (self.again(query), None),
            // Every browser asks for it; a missing one would stand in its console as an error.
            "/favicon.ico" => (empty(StatusCode::NO_CONTENT), None),
            _ => (empty(StatusCode::NOT_FOUND), None),
        }
    }

    fn called_back(&self, query: &str) -> (Response, Option<Outcome>) {
        let mut progress = lock(&self.progress);
        let round = &self.rounds[progress.round];
        // A stray or forged callback does not end the attempt.
        if !single(query, "state").is_some_and(|state| is_equal(&state, &round.state)) {
            return (
                page(
                    StatusCode::BAD_REQUEST,
                    "This sign-in does not belong here",
                    "Go back to Salesmirror and start the sign-in there.",
                    None,
                ),
                None,
            );
        }
        if progress.is_over {
            return (
                page(
                    StatusCode::OK,
                    "The sign-in is done",
                    "Return to Salesmirror; you can close this tab.",
                    None,
                ),
                None,
            );
        }
        if let Some(error) = single(query, "error") {
            let description = single(query, "error_description").unwrap_or_default();
            let refusal = Refusal::from_callback(error, description).cleaned(&[]);
            let error = AuthError::Refused(Box::new(refusal));
            if error.suggests_other_scope() && progress.round == 0 {
                progress.round = 1;
                let again = format!("{AGAIN}?state={}", self.rounds[1].state);
                return (redirect(&again), Some(Outcome::Redirected(error)));
            }
            progress.is_over = true;
            let reply = page(
                StatusCode::OK,
                "The sign-in did not work",
                &format!("{error} {}", error.hint()),
                error.reference().as_deref(),
            );
            return (reply, Some(Outcome::Done(Err(error))));
        }
        let Some(code) = single(query, "code").filter(|code| !code.is_empty()) else {
            return (
                page(
                    StatusCode::BAD_REQUEST,
                    "The sign-in is not complete",
                    "Go back to Salesmirror and start the sign-in again.",
                    None,
                ),
                None,
            );
        };
        progress.is_over = true;
        let reply = page(
            StatusCode::OK,
            "Microsoft has answered",
            "Return to Salesmirror, which finishes the sign-in. You can close this tab.",
            None,
        );
        let answer = Ok((SecretString::from(code), round.scope));
        (reply, Some(Outcome::Done(answer)))
    }

    /// The browser follows to the second round.
    fn again(&self, query: &str) -> Response {
        let mut progress = lock(&self.progress);
        let second = &self.rounds[1];
        let is_expected = progress.round == 1
            && single(query, "state").is_some_and(|state| is_equal(&state, &second.state));
        if !is_expected {
            return empty(StatusCode::NOT_FOUND);
        }
        progress.has_followed = true;
        redirect(second.url.as_str())
    }
}

/// A parameter that stands there once. One that comes twice is somebody's trick.
fn single(query: &str, name: &str) -> Option<String> {
    let mut values = form_urlencoded::parse(query.as_bytes())
        .filter(|(found, _)| found == name)
        .map(|(_, value)| value.into_owned());
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

/// Compares digests, so that the time it takes says nothing about the expected text.
fn is_equal(given: &str, expected: &str) -> bool {
    Sha256::digest(given) == Sha256::digest(expected)
}

/// Whether the request came to this computer by its name: another name that resolves here (DNS
/// rebinding) and other pages' scripts are turned away.
fn is_local(headers: &HeaderMap, port: u16) -> bool {
    let mut hosts = headers.get_all("host").iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let own = ["localhost", "127.0.0.1", "[::1]"].map(|name| format!("{name}:{port}"));
    let host = host.to_str().unwrap_or_default();
    own.iter().any(|own| own.eq_ignore_ascii_case(host)) && !headers.contains_key("origin")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
