//! HTTP/2 as far as it takes to see whether a header block is under way, and whether there is anything in what comes: frame headers
//! alone (RFC 9113 section 4.1).
//!
//! The HTTP/2 library bounds how large a header block may be, but not how long it may take. A caller that sends one byte of
//! it every minute would hold a connection for ever. Nor does it bound how many frames a caller may send that ask for nothing:
//! millions a second keep a core busy, and cost whoever sends them next to nothing (RFC 9113 section 10.5).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// Watches for header blocks and for floods, and for the connection's preface before them.
#[derive(Debug)]
pub(super) struct FrameWatch {
    limit: Duration,
    /// Bytes of the preface that are still to come.
    preface: usize,
    /// The frame header that is being read.
    header: [u8; FRAME_HEADER_BYTES],
    /// How much of it is there.
    have: usize,
    /// Bytes of the frame's payload that are still to come.
    payload: usize,
    /// Whether the frames that are coming belong to a header block, or a frame has begun that may.
    within: bool,
    /// Whether the block ends with the frame that is being read.
    last: bool,
    timer: Option<Pin<Box<Sleep>>>,
    chatter: Chatter,
}

impl FrameWatch {
    /// A watch over a connection that has not sent its preface yet. A header block, and the preface, may take so long.
    pub(super) fn new(limit: Duration) -> Self {
        Self {
            limit,
            preface: super::HTTP2_PREFACE.len(),
            header: [0; FRAME_HEADER_BYTES],
            have: 0,
            payload: 0,
            within: true,
            last: true,
            timer: None,
            chatter: Chatter::new(),
        }
    }

    /// These bytes came.
    pub(super) fn saw(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = if self.preface > 0 {
                let taken = self.preface.min(bytes.len());
                self.preface -= taken;
                taken
            } else if self.payload > 0 {
                let taken = self.payload.min(bytes.len());
                self.payload -= taken;
                if self.payload == 0 {
                    self.frame_ended();
                }
                taken
            } else {
                self.frame_header(bytes)
            };
            bytes = bytes.get(taken..).unwrap_or_default();
            if !self.within {
                // The next block has all its time, even if it begins with these very bytes.
                self.timer = None;
            }
        }
    }

    /// So many bytes went out at once: whoever gets much has much to say about windows.
    pub(super) fn wrote(&mut self, bytes: usize) {
        self.chatter.earn(EARNED_BY_FRAME + bytes / BYTES_A_FRAME);
    }

    /// Whether so much came that asks for nothing that nobody can mean it.
    pub(super) fn is_flooded(&self) -> bool {
        self.chatter.too_much
    }

    /// The time is up if a header block is under way for too long. To be polled when nothing came.
    pub(super) fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if !self.within {
            return Poll::Pending;
        }
        let limit = self.limit;
        let timer =
            self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + limit)));
        timer.as_mut().poll(cx).map(|()| io::ErrorKind::TimedOut.into())
    }

    fn frame_header(&mut self, bytes: &[u8]) -> usize {
        let taken = (FRAME_HEADER_BYTES - self.have).min(bytes.len());
        for byte in bytes.iter().take(taken) {
            if let Some(place) = self.header.get_mut(self.have) {
                *place = *byte;
            }
            self.have += 1;
        }
        if self.have < FRAME_HEADER_BYTES {
            // A frame has begun, of whatever kind: it may be the one.
            self.within = true;
            return taken;
        }
        self.have = 0;
        let [a, b, c, kind, flags, ..] = self.header;
        match kind {
            DATA | HEADERS | CONTINUATION => self.chatter.earn(EARNED_BY_FRAME),
            SETTINGS | PING => self.chatter.spend(COST_OF_ANSWERED),
            _ => self.chatter.spend(1),
        }
        self.payload = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        // DATA is as long as it is; its reader has timeouts of its own.
        self.within = kind != DATA;
        self.last = !matches!(kind, HEADERS | CONTINUATION) || flags & END_HEADERS != 0;
        if self.payload == 0 {
            self.frame_ended();
        }
        taken
    }

    fn frame_ended(&mut self) {
        self.within = !self.last;
        self.last = true;
    }
}

/// Frames that ask for nothing, such as PRIORITY, PING, WINDOW_UPDATE and unknown ones: how many a caller may still send.
#[derive(Debug)]
struct Chatter {
    left: usize,
    /// Since when it has not been given any for waiting.
    since: Instant,
    too_much: bool,
}

impl Chatter {
    fn new() -> Self {
        Self { left: CHATTER, since: Instant::now(), too_much: false }
    }

    fn earn(&mut self, frames: usize) {
        self.left = (self.left + frames).min(MAX_CHATTER);
    }

    fn spend(&mut self, frames: usize) {
        if self.left < frames {
            let waited = self.since.elapsed().as_millis() * CHATTER as u128 / CHATTER_PERIOD.as_millis();
            self.since = Instant::now();
            self.left += usize::try_from(waited).unwrap_or(CHATTER).min(CHATTER);
        }
        match self.left.checked_sub(frames) {
            Some(left) => self.left = left,
            None => self.too_much = true,
        }
    }
}

const FRAME_HEADER_BYTES: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

/// A caller that does nothing may send so many frames in such a time. Browsers send a handful, and a ping now and then.
const CHATTER: usize = 1_000;
const CHATTER_PERIOD: Duration = Duration::from_secs(10);
/// What it may save up while it is served.
const MAX_CHATTER: usize = 100_000;
/// What a frame of a request, or a write of ours, lets it send in addition. Some clients ping, and open both windows, at each of ours.
const EARNED_BY_FRAME: usize = 10;
/// And each so many bytes of the write.
const BYTES_A_FRAME: usize = 16;
/// What a frame counts that we must answer.
const COST_OF_ANSWERED: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, payload: usize) -> Vec<u8> {
        let [.., a, b, c] = payload.to_be_bytes();
        let mut frame = vec![a, b, c, kind, flags, 0, 0, 0, 1];
        frame.resize(FRAME_HEADER_BYTES + payload, 7);
        frame
    }

    /// Whether a header block is under way after these bytes, however they arrive.
    fn within(frames: &[Vec<u8>], cut: usize) -> bool {
        let bytes = [super::super::HTTP2_PREFACE.to_vec(), frames.concat()].concat();
        let bytes = &bytes[..bytes.len() - cut];
        let mut whole = FrameWatch::new(Duration::from_secs(1));
        whole.saw(bytes);
        let mut dripped = FrameWatch::new(Duration::from_secs(1));
        bytes.iter().for_each(|byte| dripped.saw(&[*byte]));
        assert_eq!(whole.within, dripped.within);
        whole.within
    }

    #[test]
    fn a_header_block_ends_with_its_last_frame() {
        let settings = frame(4, 0, 0);
        assert!(within(&[], 0), "the preface alone");
        assert!(!within(std::slice::from_ref(&settings), 0));
        assert!(within(std::slice::from_ref(&settings), 1));
        assert!(!within(&[frame(HEADERS, END_HEADERS, 20)], 0));
        assert!(within(&[frame(HEADERS, END_HEADERS, 20)], 1));
        assert!(within(&[frame(HEADERS, 0, 20)], 0));
        assert!(within(&[frame(HEADERS, 0, 20), frame(CONTINUATION, 0, 5)], 0));
        assert!(!within(&[frame(HEADERS, 0, 20), frame(CONTINUATION, END_HEADERS, 5)], 0));
        assert!(!within(&[frame(HEADERS, END_HEADERS, 9), frame(DATA, 0, 100)], 50));
    }

    #[tokio::test(start_paused = true)]
    async fn frames_that_ask_for_nothing_are_a_flood() {
        for (kind, times) in [(2, 1_000), (4, 200), (6, 200), (8, 1_000), (0x42, 1_000)] {
            let mut watch = FrameWatch::new(Duration::from_secs(10));
            watch.saw(super::super::HTTP2_PREFACE);
            for _ in 0..3 {
                watch.saw(&frame(kind, 0, 6).repeat(times));
                assert!(!watch.is_flooded(), "{kind}: many, but not at once");
                tokio::time::advance(CHATTER_PERIOD * 2).await;
            }
            watch.saw(&frame(kind, 0, 6).repeat(times));
            assert!(!watch.is_flooded(), "{kind}");
            watch.saw(&frame(kind, 0, 6));
            assert!(watch.is_flooded(), "{kind}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_and_is_answered_may_say_more() {
        let mut watch = FrameWatch::new(Duration::from_secs(10));
        watch.saw(super::super::HTTP2_PREFACE);
        let (ping, window) = (frame(PING, 0, 8), frame(8, 0, 4));
        // Small messages, each with a ping and both windows, as gRPC's clients do.
        for _ in 0..10_000 {
            watch.wrote(30);
            watch.saw(&[&ping[..], &window, &window].concat());
        }
        // A long answer, and a window for each kilobyte.
        for _ in 0..10_000 {
            watch.wrote(16_384);
            watch.saw(&window.repeat(16));
        }
        for _ in 0..10_000 {
            watch.saw(&frame(HEADERS, END_HEADERS, 13));
            watch.saw(&frame(2, 0, 5));
        }
        assert!(!watch.is_flooded());
        watch.saw(&window.repeat(MAX_CHATTER + 1));
        assert!(watch.is_flooded(), "what is saved up has an end");
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_runs_from_the_first_byte() {
        let mut watch = FrameWatch::new(Duration::from_secs(10));
        watch.saw(super::super::HTTP2_PREFACE);
        watch.saw(&frame(4, 0, 0));
        let waiting = std::future::poll_fn(|cx| watch.poll_deadline(cx));
        assert!(
            tokio::time::timeout(Duration::from_secs(60), waiting).await.is_err(),
            "an idle connection may wait"
        );
        watch.saw(&frame(HEADERS, 0, 20));
        for _ in 0..4 {
            let waiting = std::future::poll_fn(|cx| watch.poll_deadline(cx));
            assert!(tokio::time::timeout(Duration::from_secs(2), waiting).await.is_err());
            watch.saw(&frame(CONTINUATION, 0, 1));
        }
        let waiting = std::future::poll_fn(|cx| watch.poll_deadline(cx));
        let error = tokio::time::timeout(Duration::from_secs(3), waiting).await.unwrap();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
