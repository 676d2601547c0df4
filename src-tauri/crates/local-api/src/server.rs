//! The listening server: loopback, bounded, and ended without cutting anybody off.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use salesmirror_core::{App, Category, ConnectionRow, Error};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, broadcast};
use tokio::task::JoinHandle;
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;

use crate::calls::Call;
use crate::cursor::Signer;
use crate::document;
use crate::error::ApiError;
use crate::gate::gate;
use crate::reference;
use crate::state::Api;

/// How long the head of a request may take, and an idle connection stays open.
const HEAD_PATIENCE: Duration = Duration::from_secs(60);
/// How long a client may take none of what is written to it.
const WRITE_PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of a request's head.
const LONGEST_HEAD: usize = 128 << 10;
/// Headers of a request.
const MOST_HEADERS: usize = 100;
/// Connections at once; what comes on top waits at the door.
const MOST_CONNECTIONS: usize = 1_024;
/// How long requests may take to end when the server does.
const END_PATIENCE: Duration = Duration::from_millis(600);

/// The local API.
#[derive(Debug, Clone, Copy)]
pub struct Server;

/// A server that runs; [`Running::stop`] ends it, and so does dropping it.
pub struct Running {
    api: Api,
    stop: CancellationToken,
    serving: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves a connection on loopback: on this port, or on any where it is 0.
    ///
    /// # Errors
    /// Where the port is in use.
    pub async fn start(
        app: App,
        connection: ConnectionRow,
        port: u16,
    ) -> salesmirror_core::Result<Running> {
        let listeners = listen(port).await.map_err(|error| {
            Error::new(
                Category::Failed,
                "port_taken",
                format!("The local API cannot listen on port {port}: {error}."),
                "Choose another port, or leave it out.",
            )
        })?;
        let port = listeners
            .first()
            .and_then(|listener| listener.local_addr().ok())
            .map_or(port, |address| address.port());
        let stop = CancellationToken::new();
        let signer = Signer::new(app.api_cursor_key().await?);
        let api = Api::new(app, connection, port, signer, stop.child_token());
        let router = router(&api);
        let serving = tokio::spawn(serve(listeners, router, stop.clone()));
        Ok(Running {
            api,
            stop,
            serving: Some(serving),
        })
    }
}

impl Running {
    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.api.port
    }

    /// Where it answers, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.api.port)
    }

    /// The newest calls, and a stream of those that follow.
    #[must_use]
    pub fn calls(&self) -> (Vec<Call>, broadcast::Receiver<Call>) {
        self.api.calls.follow()
    }

    /// Takes no more requests, and waits a moment for those that are under way.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Some(serving) = self.serving.take() {
            // It ends whatever it said.
            let _ = serving.await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Both loopback addresses: `localhost` may be taken for either, and nobody else may have the other.
async fn listen(port: u16) -> std::io::Result<Vec<TcpListener>> {
    let mut problem = std::io::Error::from(std::io::ErrorKind::AddrInUse);
    // A free port of the first family may be taken in the second: then another is tried.
    for _ in 0..20 {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let chosen = first.local_addr()?.port();
        match TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, chosen))).await {
            Ok(second) => return Ok(vec![first, second]),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => problem = error,
            // A machine without IPv6.
            Err(_) => return Ok(vec![first]),
        }
        if port != 0 {
            break;
        }
    }
    Err(problem)
}

fn router(api: &Api) -> Router {
    let (routes, _) = document::routes().split_for_parts();
    routes
        .merge(reference::routes())
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(api.clone(), gate))
        .with_state(api.clone())
}

async fn nothing_here(uri: Uri) -> ApiError {
    ApiError::new(
        StatusCode::NOT_FOUND,
        "no_such_path",
        format!("The API has nothing at {}.", uri.path()),
    )
}

async fn wrong_method(method: axum::http::Method) -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        format!("This address does not take {method}."),
    )
}

async fn serve(listeners: Vec<TcpListener>, router: Router, stop: CancellationToken) {
    let graceful = GracefulShutdown::new();
    // However serving ends, no connection outlives it.
    let cut = CancellationToken::new();
    let _cut_in_any_case = cut.clone().drop_guard();
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    {
        let doors = listeners
            .iter()
            .map(|listener| accept(listener, &router, &graceful, &cut, &room));
        tokio::select! {
            _ = futures::future::join_all(doors) => {}
            () = stop.cancelled() => {}
        }
    }
    drop(listeners);
    let mut ended = pin!(graceful.shutdown());
    let patience = tokio::time::timeout(END_PATIENCE, ended.as_mut());
    if patience.await.is_err() {
        // What does not end by itself is cut off: a client that reads nothing would stay for ever.
        cut.cancel();
        let _ = tokio::time::timeout(END_PATIENCE, ended).await;
    }
}

async fn accept(
    listener: &TcpListener,
    router: &Router,
    graceful: &GracefulShutdown,
    cut: &CancellationToken,
    room: &Arc<Semaphore>,
) {
    loop {
        let Ok(place) = Arc::clone(room).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, mostly: a moment later there are some again.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // Answers are written whole: nothing is gained by waiting for more.
        let _ = stream.set_nodelay(true);
        let connection = connection(stream, router.clone());
        let watched = graceful.watch(connection);
        let cut = cut.clone();
        tokio::spawn(async move {
            let _place = place;
            // A client that broke off knows so itself.
            let _ = cut.run_until_cancelled_owned(watched).await;
        });
    }
}

/// A stream whose writes fail where nothing is taken for long.
type Stream = Pin<Box<TimeoutStream<TcpStream>>>;

fn connection(
    stream: TcpStream,
    router: Router,
) -> http1::Connection<TokioIo<Stream>, TowerToHyperService<Router>> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(WRITE_PATIENCE));
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(LONGEST_HEAD)
        .max_headers(MOST_HEADERS)
        .serve_connection(
            TokioIo::new(Box::pin(stream)),
            TowerToHyperService::new(router),
        )
}
