//! Where a string lies in a text that is kept once: eight bytes for what would take sixteen and an allocation.

use std::num::NonZeroU32;

/// A part of a text, but not its very beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::token) struct Span {
    start: NonZeroU32,
    length: u32,
}

impl Span {
    /// `None` where no string of a JSON object can be, or beyond 4 GiB.
    pub(super) fn new(start: usize, length: usize) -> Option<Self> {
        u32::try_from(start.checked_add(length)?).ok()?;
        let start = u32::try_from(start).ok().and_then(NonZeroU32::new)?;
        Some(Self { start, length: u32::try_from(length).ok()? })
    }

    /// The part of `text`, which must be the text that it was made for.
    pub(in crate::token) fn of(self, text: &str) -> &str {
        let (start, length) = (self.start.get() as usize, self.length as usize);
        text.get(start..start + length).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_lies_behind_the_first_byte() {
        assert_eq!(size_of::<Option<Span>>(), 8);
        let span = |start, length| Span::new(start, length).map(|span| span.of("{abc").to_owned());
        assert_eq!(span(1, 3).as_deref(), Some("abc"));
        assert_eq!(span(4, 0).as_deref(), Some(""));
        assert_eq!(span(0, 3), None);
        let most = u32::MAX as usize;
        for (start, length, fits) in [
            (most, 0, true),
            (1, most - 1, true),
            (1, most, false),
            (most + 1, 0, false),
            (usize::MAX, 1, false),
        ] {
            assert_eq!(Span::new(start, length).is_some(), fits, "{start} {length}");
        }
    }
}
