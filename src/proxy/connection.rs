//! A caller's connection: what lies between the socket and the HTTP that is spoken on it.

use super::chunks::{ChunkReader, Malformed};
use super::frames::FrameWatch;
use super::head::Body;
use async_trait::async_trait;
use bytes::{Buf, BytesMut};
use http::HeaderValue;
use pingora_core::protocols::raw_connect::ProxyDigest;
use pingora_core::protocols::{
    ALPN, GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl, TimingDigest,
    UniqueID, UniqueIDType,
};
use pingora_http::ResponseHeader;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufWriter, ReadBuf};

/// What is known of a caller from its connection alone. It is worked out once, and read by every request on it.
#[derive(Debug)]
pub(super) struct Caller {
    /// Its address.
    pub(super) address: IpAddr,
    /// The same, as `X-Forwarded-For` tells it.
    pub(super) forwarded_for: HeaderValue,
    /// Whether it is a proxy whose `X-Forwarded-*` fields are believed.
    pub(super) trusted: bool,
    /// Whether it came by TLS.
    pub(super) tls: bool,
    /// Whether, on HTTP/1, it had asked for more before it was answered.
    pub(super) asks_ahead: AtomicBool,
    /// On HTTP/2, what it has sent.
    pub(super) account: Account,
}

/// What a connection has sent, and what we have answered.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// In bytes, as they travel.
    received: AtomicU64,
    /// In bytes, as they are if they can't be compressed, rounded up.
    answered: AtomicU64,
}

impl Account {
    /// So much was read at once.
    fn receive(&self, bytes: usize) {
        let packets = bytes.div_ceil(SEGMENT_BYTES) * PACKET_BYTES;
        self.received.fetch_add((bytes + packets) as u64, Ordering::Relaxed);
    }

    /// Whether an answer of ours may have all its words, so that all of them stay within ten times what came. It is entered, or a
    /// short one in its place.
    pub(super) fn affords_whole_answer(&self) -> bool {
        let most = self.received.load(Ordering::Relaxed).saturating_mul(AMPLIFICATION);
        let answered = self.answered.load(Ordering::Relaxed);
        let whole = answered + WHOLE_ANSWER_BYTES <= most;
        let bytes = if whole { WHOLE_ANSWER_BYTES } else { SHORT_ANSWER_BYTES };
        self.answered.fetch_add(bytes, Ordering::Relaxed);
        whole
    }
}

/// A connection over `S`: plain TCP, or TLS.
///
/// 1. What is read ahead while a request's head is looked at is handed on from memory, so that the parser behind sees the
///    very bytes that were looked at.
/// 2. On HTTP/1, no byte of the next request is handed on before this one has ended, and no chunk that can be read in two ways.
/// 3. On HTTP/2, a header block that takes too long to arrive ends the connection, and so do frames without end that ask for nothing.
pub(super) struct Connection<S> {
    io: BufWriter<S>,
    id: UniqueIDType,
    caller: Arc<ProxyDigest>,
    /// Read, but not yet handed on.
    ahead: BytesMut,
    /// What may still be handed on before the next request.
    rest: Rest,
    /// On HTTP/2.
    watch: Option<FrameWatch>,
}

impl<S: Transport> Connection<S> {
    pub(super) fn new(io: S, id: UniqueIDType, caller: Caller) -> io::Result<Self> {
        // Pingora carries what belongs to a connection in the digest of a proxy before it; the response in there is unused.
        let unused = ResponseHeader::build(200, Some(0)).map_err(io::Error::other)?;
        let caller = ProxyDigest::new(Box::new(unused), Some(Box::new(caller)));
        Ok(Self {
            io: BufWriter::with_capacity(WRITE_BUFFER_BYTES, io),
            id,
            caller: Arc::new(caller),
            ahead: BytesMut::new(),
            rest: Rest::Endless,
            watch: None,
        })
    }

    /// Whose it is.
    pub(super) fn caller(&self) -> Option<&Caller> {
        caller(&self.caller)
    }

    /// What has been read and not handed on.
    pub(super) fn ahead(&self) -> &[u8] {
        &self.ahead
    }

    /// Reads more ahead; returns how much came, 0 at the end of the stream. Dropping the future loses nothing.
    pub(super) async fn read_ahead(&mut self) -> io::Result<usize> {
        self.ahead.reserve(READ_AHEAD_BYTES);
        self.io.read_buf(&mut self.ahead).await
    }

    /// Lets a request pass: its head, and what follows it.
    pub(super) fn admit(&mut self, head_bytes: usize, body: Body) {
        if let Some(caller) = self.caller() {
            let ahead = self.ahead.len() as u64;
            let more =
                matches!(body, Body::Length(length) if ahead > length.saturating_add(head_bytes as u64));
            caller.asks_ahead.store(more, Ordering::Relaxed);
        }
        self.rest = match body {
            Body::Length(length) => Rest::Bytes(length.saturating_add(head_bytes as u64)),
            Body::Chunked => Rest::Chunks { head: head_bytes, chunks: ChunkReader::default() },
            Body::Open => Rest::Endless,
        };
    }

    /// From here on, HTTP/2 is spoken, and header blocks are watched.
    pub(super) fn become_http2(&mut self, watch: FrameWatch) {
        self.rest = Rest::Endless;
        self.watch = Some(watch);
    }

    /// Writes a last answer and closes. What the caller still sends is read for a moment: closing a socket with unread bytes
    /// in it resets the connection, and the answer may be lost.
    pub(super) async fn close_with(mut self: Box<Self>, answer: &str) {
        let closing = async {
            self.io.write_all(answer.as_bytes()).await?;
            self.io.shutdown().await?;
            let mut drained = 0;
            while drained < super::DRAIN_BYTES {
                self.ahead.clear();
                match self.read_ahead().await? {
                    0 => break,
                    read => drained += read as u64,
                }
            }
            Ok::<(), io::Error>(())
        };
        // Whether it worked makes no difference any more.
        let _ = tokio::time::timeout(super::DRAIN_TIME, closing).await;
    }

    fn wrote(&mut self, bytes: usize) {
        if let Some(watch) = &mut self.watch {
            watch.wrote(bytes);
        }
    }

    /// Waits for the end of the stream, while all that this request has is handed on. What comes belongs to the next one.
    fn poll_surplus(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A caller that sends on and on is left alone until its turn comes.
        while self.ahead.len() < READ_AHEAD_BYTES {
            let mut chunk = [0; 512];
            let mut chunk = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut chunk))?;
            if chunk.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            self.ahead.extend_from_slice(chunk.filled());
        }
        Poll::Pending
    }
}

/// What of a request is still to come.
#[derive(Debug)]
enum Rest {
    /// So many bytes.
    Bytes(u64),
    /// So many bytes of the head, and then chunks.
    Chunks { head: usize, chunks: ChunkReader },
    /// Chunks that can't be read: the connection is at its end.
    Broken,
    /// No one knows how much.
    Endless,
}

impl Rest {
    /// How many of the next bytes belong to the request.
    fn take(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Bytes(left) => {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= taken as u64;
                Ok(taken)
            }
            Self::Chunks { head, chunks } => {
                let of_head = bytes.len().min(*head);
                *head -= of_head;
                match chunks.read(bytes.get(of_head..).unwrap_or_default()) {
                    Ok(None) => Ok(bytes.len()),
                    Ok(Some(last)) => {
                        *self = Self::Bytes(0);
                        Ok(of_head + last)
                    }
                    Err(Malformed) => {
                        *self = Self::Broken;
                        // The head is judged first, and answered.
                        if of_head > 0 { Ok(of_head) } else { Err(io::ErrorKind::InvalidData.into()) }
                    }
                }
            }
            Self::Broken => Err(io::ErrorKind::InvalidData.into()),
            Self::Endless => Ok(bytes.len()),
        }
    }
}

/// The caller on a connection, as a request finds it.
pub(super) fn caller(digest: &ProxyDigest) -> Option<&Caller> {
    digest.user_data.as_ref()?.downcast_ref()
}

/// What a connection runs over.
pub(super) trait Transport:
    AsyncRead + AsyncWrite + fmt::Debug + Send + Sync + Unpin + 'static
{
}

impl<T: AsyncRead + AsyncWrite + fmt::Debug + Send + Sync + Unpin + 'static> Transport for T {}

impl<S: Transport> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        match this.rest {
            Rest::Bytes(0) => return this.poll_surplus(cx),
            Rest::Broken => return Poll::Ready(Err(io::ErrorKind::InvalidData.into())),
            _ => {}
        }
        let before = buf.filled().len();
        if this.ahead.is_empty() {
            if Pin::new(&mut this.io).poll_read(cx, buf)?.is_pending() {
                return match &mut this.watch {
                    Some(watch) => watch.poll_deadline(cx).map(Err),
                    None => Poll::Pending,
                };
            }
            let read = buf.filled().get(before..).unwrap_or_default();
            let taken = this.rest.take(read)?;
            // What is more than this request has waits for its turn.
            this.ahead.extend_from_slice(read.get(taken..).unwrap_or_default());
            buf.set_filled(before + taken);
        } else {
            let fits = this.ahead.len().min(buf.remaining());
            let taken = this.rest.take(this.ahead.get(..fits).unwrap_or_default())?;
            buf.put_slice(this.ahead.get(..taken).unwrap_or_default());
            this.ahead.advance(taken);
        }
        if let Some(watch) = &mut this.watch {
            let read = buf.filled().get(before..).unwrap_or_default();
            if let Some(caller) = caller(&this.caller) {
                caller.account.receive(read.len());
            }
            watch.saw(read);
            if watch.is_flooded() {
                return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Transport> AsyncWrite for Connection<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = ready!(Pin::new(&mut self.io).poll_write(cx, buf))?;
        self.wrote(wrote);
        Poll::Ready(Ok(wrote))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, bufs))?;
        self.wrote(wrote);
        Poll::Ready(Ok(wrote))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

impl<S> fmt::Debug for Connection<S> {
    /// Says nothing of what is read: there are tokens in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("id", &self.id).finish_non_exhaustive()
    }
}

#[async_trait]
impl<S: Transport> Shutdown for Connection<S> {
    async fn shutdown(&mut self) {
        // A connection that is gone already is shut down.
        let _ = self.io.shutdown().await;
    }
}

impl<S> UniqueID for Connection<S> {
    fn id(&self) -> UniqueIDType {
        self.id
    }
}

impl<S> Ssl for Connection<S> {
    fn selected_alpn_proto(&self) -> Option<ALPN> {
        Some(if self.watch.is_some() { ALPN::H2 } else { ALPN::H1 })
    }
}

impl<S> GetTimingDigest for Connection<S> {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        Vec::new()
    }
}

impl<S> GetProxyDigest for Connection<S> {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        Some(self.caller.clone())
    }
}

impl<S> GetSocketDigest for Connection<S> {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        None
    }
}

impl<S: Transport> Peek for Connection<S> {}

/// A head and a small body go out in one system call.
const WRITE_BUFFER_BYTES: usize = 4 * 1024;
/// Most heads are shorter.
const READ_AHEAD_BYTES: usize = 4 * 1024;
/// How many times what a caller has sent our answers may be.
const AMPLIFICATION: u64 = 10;
/// What our longest answers take.
const WHOLE_ANSWER_BYTES: u64 = 512;
/// What they take without their words.
const SHORT_ANSWER_BYTES: u64 = 128;
/// What TCP puts into a packet, mostly.
const SEGMENT_BYTES: usize = 1_460;
/// What IP and TCP add to it.
const PACKET_BYTES: usize = 40;
