//! HTTP/2 as far as it takes to see whether a header block is under way: frame headers alone (RFC 9113 section 4.1).
//!
//! The HTTP/2 library bounds how large a header block may be, but not how long it may take. A caller that sends one byte of
//! it every minute would hold a connection for ever. Nor does it bound how often a caller may change its settings.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// Watches for header blocks, and for the connection's preface before them.
#[derive(Debug)]
pub(super) struct HeaderWatch {
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
    /// SETTINGS frames since the last time they were few, and when that was.
    settings: usize,
    few: Instant,
    flooded: bool,
}

impl HeaderWatch {
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
            settings: 0,
            few: Instant::now(),
            flooded: false,
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

    /// Whether so many SETTINGS came that nobody can mean them: each costs an answer, and the library counts none.
    pub(super) fn is_flooded(&self) -> bool {
        self.flooded
    }

    fn setting(&mut self) {
        if self.few.elapsed() > SETTINGS_PERIOD {
            (self.settings, self.few) = (0, Instant::now());
        }
        self.settings += 1;
        self.flooded |= self.settings > MAX_SETTINGS;
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
        if kind == SETTINGS {
            self.setting();
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

const FRAME_HEADER_BYTES: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

/// A caller sends its settings once, and new ones when it has learnt how fast the way is: some dozens of times.
const MAX_SETTINGS: usize = 200;
const SETTINGS_PERIOD: Duration = Duration::from_secs(10);

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
        let mut whole = HeaderWatch::new(Duration::from_secs(1));
        whole.saw(bytes);
        let mut dripped = HeaderWatch::new(Duration::from_secs(1));
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
    async fn settings_without_end_are_a_flood() {
        let mut watch = HeaderWatch::new(Duration::from_secs(10));
        watch.saw(super::super::HTTP2_PREFACE);
        for _ in 0..3 {
            watch.saw(&frame(SETTINGS, 0, 6).repeat(MAX_SETTINGS));
            assert!(!watch.is_flooded(), "many, but not at once");
            tokio::time::advance(SETTINGS_PERIOD * 2).await;
        }
        watch.saw(&frame(DATA, 0, 0).repeat(MAX_SETTINGS));
        watch.saw(&frame(SETTINGS, 0, 6).repeat(MAX_SETTINGS));
        assert!(!watch.is_flooded());
        watch.saw(&frame(SETTINGS, 0, 6));
        assert!(watch.is_flooded());
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_runs_from_the_first_byte() {
        let mut watch = HeaderWatch::new(Duration::from_secs(10));
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
