//! The open connections of a server, bounded in number.
//!
//! When the limit is reached, a new connection replaces the one that has been open longest without valid credentials.
//! Callers without credentials therefore cannot keep out those with credentials. A connection that sends nothing at
//! all is closed after a time.

use std::{
    collections::BTreeMap,
    io,
    net::IpAddr,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::Notify,
    time::{Sleep, sleep},
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::Connected;

use gongkai_worker::Recurring;

/// Pause after a failed accept. The usual cause is a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The connections of one server. Cheap to clone.
#[derive(Clone)]
pub struct Connections(Arc<Inner>);

struct Inner {
    limit: usize,
    silence: Duration,
    open: Mutex<Open>,
    freed: Notify,
    refused: Recurring,
}

#[derive(Default)]
struct Open {
    /// The connections in the order of arrival.
    peers: BTreeMap<u64, Peer>,
    next: u64,
}

/// Information about the client of a connection. Every request of the connection has it in its extensions.
#[derive(Clone)]
pub struct Peer(Arc<State>);

struct State {
    address: IpAddr,
    is_known: AtomicBool,
    working: AtomicUsize,
    close: CancellationToken,
}

/// Keeps a connection open during shutdown while one of its requests is in work.
pub struct BusyConnection(Peer);

/// An open connection. Reads and writes fail once it must make room for another.
pub struct ClientConnection {
    stream: TcpStream,
    /// `Some` until the first byte arrives.
    silence: Option<Pin<Box<Sleep>>>,
    closed: Pin<Box<WaitForCancellationFutureOwned>>,
    place: OpenConnection,
}

/// A place among the open connections.
struct OpenConnection {
    number: u64,
    peer: Peer,
    connections: Connections,
}

// === impl Connections ===

impl Connections {
    /// Allows at most `limit` connections, each of which must send a first byte within `silence`.
    #[must_use]
    pub fn new(limit: usize, silence: Duration) -> Self {
        Self(Arc::new(Inner {
            limit,
            silence,
            open: Mutex::default(),
            freed: Notify::new(),
            refused: Recurring::new(),
        }))
    }

    /// Accepts the next connection. Waits while the limit is reached and all callers have valid credentials.
    ///
    /// # Cancel safety
    /// A connection that waits for its place is closed.
    pub async fn accept(&self, listener: &TcpListener) -> ClientConnection {
        let (stream, from) = loop {
            match listener.accept().await {
                Ok(accepted) => break accepted,
                Err(error) => {
                    if let Some(failures) = self.0.refused.due() {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(error, failures, "a connection was not accepted");
                    }
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        };
        // Responses are small and written at once, so delaying them to fill a packet has no use.
        stream.set_nodelay(true).ok();
        let place = loop {
            match self.try_admit(from.ip()) {
                Some(place) => break place,
                None => self.0.freed.notified().await,
            }
        };
        ClientConnection {
            stream,
            silence: Some(Box::pin(sleep(self.0.silence))),
            closed: Box::pin(place.peer.0.close.clone().cancelled_owned()),
            place,
        }
    }

    /// Closes every connection without a request in work. Returns the number of connections that were open.
    pub fn close_idle(&self) -> usize {
        let open = self.open();
        for peer in open.peers.values().filter(|peer| !peer.is_working()) {
            peer.0.close.cancel();
        }
        open.peers.len()
    }

    fn try_admit(&self, address: IpAddr) -> Option<OpenConnection> {
        let mut open = self.open();
        if open.peers.len() >= self.0.limit {
            let longest = open.peers.iter().find(|(_, peer)| !peer.is_known() && !peer.is_working());
            let number = *longest?.0;
            open.peers.remove(&number)?.0.close.cancel();
        }
        let number = open.next;
        open.next += 1;
        let peer = Peer(Arc::new(State {
            address,
            is_known: AtomicBool::new(false),
            working: AtomicUsize::new(0),
            close: CancellationToken::new(),
        }));
        open.peers.insert(number, peer.clone());
        Some(OpenConnection { number, peer, connections: self.clone() })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Peer ===

impl Peer {
    /// Returns the remote address of the connection.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.0.address
    }

    /// Records that the caller has shown valid credentials.
    pub fn is_now_known(&self) {
        self.0.is_known.store(true, Ordering::Release);
    }

    /// Marks a request as in work, until the result is dropped.
    #[must_use]
    pub fn work(&self) -> BusyConnection {
        self.0.working.fetch_add(1, Ordering::AcqRel);
        BusyConnection(self.clone())
    }

    fn is_known(&self) -> bool {
        self.0.is_known.load(Ordering::Acquire)
    }

    fn is_working(&self) -> bool {
        self.0.working.load(Ordering::Acquire) > 0
    }
}

impl Drop for BusyConnection {
    fn drop(&mut self) {
        self.0.0.working.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.connections.open().peers.remove(&self.number);
        self.connections.0.freed.notify_one();
    }
}

// === impl ClientConnection ===

impl ClientConnection {
    /// Returns the information about the client.
    #[must_use]
    pub fn peer(&self) -> Peer {
        self.place.peer.clone()
    }

    fn check_open(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.closed.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::Error::new(io::ErrorKind::ConnectionAborted, "made room for others")),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for ClientConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check_open(context)?;
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_ready() {
            self.silence = None;
        } else if let Some(silence) = &mut self.silence
            && silence.as_mut().poll(context).is_ready()
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl AsyncWrite for ClientConnection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check_open(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check_open(context)?;
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl Connected for ClientConnection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    async fn server(limit: usize, silence: Duration) -> (TcpListener, Connections) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        (listener, Connections::new(limit, silence))
    }

    async fn connect(listener: &TcpListener) -> TcpStream {
        TcpStream::connect(listener.local_addr().unwrap()).await.unwrap()
    }

    #[tokio::test]
    async fn the_longest_unknown_one_makes_room_and_known_ones_stay() {
        let (listener, connections) = server(2, Duration::from_secs(60)).await;
        let mut clients = Vec::new();
        let mut accepted = Vec::new();
        for _ in 0..2 {
            clients.push(connect(&listener).await);
            accepted.push(connections.accept(&listener).await);
        }
        accepted[0].peer().is_now_known();
        clients.push(connect(&listener).await);
        accepted.push(connections.accept(&listener).await);
        let ended = accepted[1].read(&mut [0]).await;
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        accepted[2].peer().is_now_known();
        clients.push(connect(&listener).await);
        // All have credentials: the next one waits until one ends.
        let mut waiting = Box::pin(connections.accept(&listener));
        assert!(futures::poll!(&mut waiting).is_pending());
        drop(accepted.remove(0));
        waiting.await.peer().is_now_known();
        assert_eq!(connections.open().peers.len(), 1);
    }

    #[tokio::test]
    async fn a_stop_closes_all_that_nobody_works_for() {
        let (listener, connections) = server(2, Duration::from_secs(60)).await;
        let _clients = [connect(&listener).await, connect(&listener).await];
        let mut busy = connections.accept(&listener).await;
        let mut idle = connections.accept(&listener).await;
        let work = busy.peer().work();
        connections.close_idle();
        assert!(idle.read(&mut [0]).await.is_err());
        assert!(futures::poll!(Box::pin(busy.read(&mut [0]))).is_pending());
        drop(work);
        connections.close_idle();
        assert!(busy.read(&mut [0]).await.is_err());
    }

    #[tokio::test]
    async fn who_says_nothing_is_closed() {
        let (listener, connections) = server(2, Duration::from_millis(1)).await;
        let _client = connect(&listener).await;
        let mut silent = connections.accept(&listener).await;
        assert_eq!(silent.read(&mut [0]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
