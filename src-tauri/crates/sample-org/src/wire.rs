//! Connections as they really are: plain or TLS, and able to end by RST, which HTTP libraries never do
//! by themselves.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

/// Connections that wait to be served.
const WAITING: usize = 64;
/// A handshake that takes longer will not come.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Out of file descriptors, or the like: the next attempt may work.
const ACCEPT_AGAIN: Duration = Duration::from_millis(50);

/// What the handler of a request tells its connection.
#[derive(Clone, Default)]
pub struct Orders(Arc<AtomicBool>);

impl Orders {
    /// From now on nothing is written, and the connection ends by RST.
    pub fn reset(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn is_reset(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Connected<IncomingStream<'_, Door>> for Orders {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().orders.clone()
    }
}

enum Transport {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection.
pub struct Line {
    transport: Transport,
    orders: Orders,
}

impl Line {
    fn tcp(&self) -> &TcpStream {
        match &self.transport {
            Transport::Plain(stream) => stream,
            Transport::Tls(stream) => stream.get_ref().0,
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.orders.is_reset() {
            // Closing a socket that lingers for no time sends RST. If it fails, FIN comes.
            let _ = self.tcp().set_zero_linger();
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Transport::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.orders.is_reset() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        match &mut self.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Transport::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_flush(context),
            Transport::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.orders.is_reset() {
            return Poll::Ready(Ok(()));
        }
        match &mut self.transport {
            Transport::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Transport::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}

/// A listener; handshakes do not hold each other up.
pub struct Door {
    lines: mpsc::Receiver<(Line, SocketAddr)>,
    address: SocketAddr,
}

impl Door {
    /// Listens until `stop`. `refuse` tells whether the next connection is reset at once.
    pub fn open(
        listener: TcpListener,
        acceptor: Option<TlsAcceptor>,
        stop: CancellationToken,
        refuse: impl Fn() -> bool + Send + 'static,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (sender, lines) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    () = stop.cancelled() => return,
                    accepted = listener.accept() => accepted,
                };
                let Ok((stream, peer)) = accepted else {
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                    continue;
                };
                if refuse() {
                    let _ = stream.set_zero_linger();
                    continue;
                }
                // Answers are whole; waiting for more to send only costs time.
                let _ = stream.set_nodelay(true);
                let (sender, acceptor) = (sender.clone(), acceptor.clone());
                let greet = async move {
                    let transport = match acceptor {
                        None => Transport::Plain(stream),
                        Some(acceptor) => {
                            let shaken = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream));
                            // A handshake that fails is the client's affair.
                            let Ok(Ok(stream)) = shaken.await else { return };
                            Transport::Tls(Box::new(stream))
                        }
                    };
                    let line = Line {
                        transport,
                        orders: Orders::default(),
                    };
                    let _ = sender.send((line, peer)).await;
                };
                tokio::spawn(greet);
            }
        });
        Ok(Self { lines, address })
    }
}

impl Listener for Door {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.lines.recv().await {
            Some(accepted) => accepted,
            // Nobody listens any more; the server stops by its own signal.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}
