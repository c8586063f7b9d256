//! Where a string lies in a text that is kept once: four bytes for what would take sixteen and an allocation.

use std::num::NonZeroU16;

/// A part of a text of at most 64 KiB, but not its very beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::token) struct Span {
    start: NonZeroU16,
    length: u16,
}

impl Span {
    /// `None` where no string of a JSON object can be, or beyond 64 KiB.
    pub(super) fn new(start: usize, length: usize) -> Option<Self> {
        u16::try_from(start.checked_add(length)?).ok()?;
        let start = u16::try_from(start).ok().and_then(NonZeroU16::new)?;
        Some(Self { start, length: u16::try_from(length).ok()? })
    }

    /// The part of `text`, which must be the text that it was made for.
    pub(in crate::token) fn of(self, text: &str) -> &str {
        let start = usize::from(self.start.get());
        text.get(start..start + usize::from(self.length)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_lies_within_64_kib_behind_the_first_byte() {
        assert_eq!(size_of::<Option<Span>>(), 4);
        let span = |start, length| Span::new(start, length).map(|span| span.of("{abc").to_owned());
        assert_eq!(span(1, 3).as_deref(), Some("abc"));
        assert_eq!(span(4, 0).as_deref(), Some(""));
        assert_eq!(span(0, 3), None);
        for (start, length, fits) in
            [(65_535, 0, true), (1, 65_534, true), (1, 65_535, false), (65_536, 0, false)]
        {
            assert_eq!(Span::new(start, length).is_some(), fits, "{start} {length}");
        }
        assert_eq!(Span::new(usize::MAX, 1), None);
    }
}
