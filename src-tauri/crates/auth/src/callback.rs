//! The loopback server that the browser comes back to.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use secrecy::SecretString;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::AuthError;
use crate::error::Refusal;
use crate::landing::page;

/// A path of our own: Entra ID ignores the port of a loopback address, not the path.
pub const PATH: &str = "/oauth/callback";

type Answer = Result<SecretString, AuthError>;

/// Waits for one callback.
pub struct Callback {
    pub port: u16,
    answer: oneshot::Receiver<Answer>,
    _stop: tokio_util::sync::DropGuard,
}

struct Waiting {
    port: u16,
    state: String,
    answer: Mutex<Option<oneshot::Sender<Answer>>>,
}

#[derive(Deserialize)]
struct Parameters {
    code: Option<SecretString>,
    state: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

impl Callback {
    /// Listens on both loopback addresses, since a browser may take `localhost` for either.
    pub async fn listen(port: Option<u16>, state: String) -> Result<Self, AuthError> {
        let listeners = bind(port.unwrap_or(0)).await?;
        let local = listeners
            .first()
            .and_then(|listener| listener.local_addr().ok());
        let port = local.map_or(0, |address| address.port());
        let (send, answer) = oneshot::channel();
        let waiting = Arc::new(Waiting {
            port,
            state,
            answer: Mutex::new(Some(send)),
        });
        let stop = CancellationToken::new();
        for listener in listeners {
            let router = Router::new()
                .route(PATH, get(receive))
                .fallback(|| async { StatusCode::NOT_FOUND })
                .with_state(Arc::clone(&waiting));
            let stopped = stop.clone().cancelled_owned();
            tokio::spawn(async move {
                axum::serve(listener, router)
                    .with_graceful_shutdown(stopped)
                    .await
            });
        }
        Ok(Self {
            port,
            answer,
            _stop: stop.drop_guard(),
        })
    }

    /// The code that the browser brought.
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

async fn receive(
    State(waiting): State<Arc<Waiting>>,
    headers: HeaderMap,
    Query(parameters): Query<Parameters>,
) -> Response {
    if !is_local(&headers, waiting.port) {
        return StatusCode::FORBIDDEN.into_response();
    }
    // A stray or forged callback does not end the attempt.
    if parameters.state.as_deref() != Some(waiting.state.as_str()) {
        return page(
            StatusCode::BAD_REQUEST,
            "This sign-in does not belong here",
            "Go back to Salesmirror and start the sign-in there.",
        );
    }
    let answer = match (parameters.code, parameters.error) {
        (_, Some(error)) => {
            let refusal =
                Refusal::from_callback(error, parameters.error_description.unwrap_or_default());
            Err(AuthError::Refused(Box::new(refusal)))
        }
        (Some(code), None) => Ok(code),
        (None, None) => {
            return page(
                StatusCode::BAD_REQUEST,
                "The sign-in is not complete",
                "Go back to Salesmirror and start the sign-in again.",
            );
        }
    };
    let sender = waiting
        .answer
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    let Some(sender) = sender else {
        return page(
            StatusCode::OK,
            "The sign-in is done",
            "Return to Salesmirror; you can close this tab.",
        );
    };
    let reply = match &answer {
        Ok(_) => page(
            StatusCode::OK,
            "You are signed in",
            "Return to Salesmirror; you can close this tab.",
        ),
        Err(error) => page(
            StatusCode::OK,
            "The sign-in did not work",
            &format!("{error} {}", error.hint()),
        ),
    };
    // Whoever waited may have given up.
    let _ = sender.send(answer);
    reply
}

/// Whether the request came to this computer by its name: another name that resolves here (DNS
/// rebinding) and other pages' scripts are turned away.
fn is_local(headers: &HeaderMap, port: u16) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let hosts = ["localhost", "127.0.0.1", "[::1]"].map(|name| format!("{name}:{port}"));
    text("host").is_some_and(|host| hosts.iter().any(|own| own == host)) && text("origin").is_none()
}
