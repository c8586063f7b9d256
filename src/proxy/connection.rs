//! A caller's connection: what lies between the socket and the HTTP that is spoken on it.

use super::frames::HeaderWatch;
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
}

/// A connection over `S`: plain TCP, or TLS.
///
/// 1. What is read ahead while a request's head is looked at is handed on from memory, so that the parser behind sees the
///    very bytes that were looked at.
/// 2. On HTTP/1, no byte of the next request is handed on before this one has ended.
/// 3. On HTTP/2, a header block that takes too long to arrive ends the connection, and so do settings without end.
pub(super) struct Connection<S> {
    io: BufWriter<S>,
    id: UniqueIDType,
    caller: Arc<ProxyDigest>,
    /// Read, but not yet handed on.
    ahead: BytesMut,
    /// How many bytes may be handed on before the next request; `None` for any number.
    allowance: Option<u64>,
    /// On HTTP/2.
    watch: Option<HeaderWatch>,
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
            allowance: None,
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
        self.allowance = match body {
            Body::Length(length) => Some(length.saturating_add(head_bytes as u64)),
            Body::Open => None,
        };
    }

    /// From here on, HTTP/2 is spoken, and header blocks are watched.
    pub(super) fn become_http2(&mut self, watch: HeaderWatch) {
        self.allowance = None;
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

    /// Hands on from what was read ahead.
    fn take_ahead(&mut self, buf: &mut ReadBuf<'_>) {
        let allowed = self.allowance.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX));
        let take = self.ahead.len().min(buf.remaining()).min(allowed);
        buf.put_slice(self.ahead.get(..take).unwrap_or_default());
        self.ahead.advance(take);
        self.spend(take);
    }

    fn spend(&mut self, bytes: usize) {
        if let Some(left) = &mut self.allowance {
            *left = left.saturating_sub(bytes as u64);
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
        if this.allowance == Some(0) {
            return this.poll_surplus(cx);
        }
        let before = buf.filled().len();
        if this.ahead.is_empty() {
            if Pin::new(&mut this.io).poll_read(cx, buf)?.is_pending() {
                return match &mut this.watch {
                    Some(watch) => watch.poll_deadline(cx).map(Err),
                    None => Poll::Pending,
                };
            }
            let read = buf.filled().len() - before;
            if let Some(left) = this.allowance.filter(|left| (read as u64) > *left) {
                // More than this request has: the rest waits for its turn.
                let keep = before + usize::try_from(left).unwrap_or(usize::MAX).min(read);
                this.ahead.extend_from_slice(buf.filled().get(keep..).unwrap_or_default());
                buf.set_filled(keep);
            }
            this.spend(read);
        } else {
            this.take_ahead(buf);
        }
        if let Some(watch) = &mut this.watch {
            watch.saw(buf.filled().get(before..).unwrap_or_default());
            if watch.is_flooded() {
                return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Transport> AsyncWrite for Connection<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
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
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
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
