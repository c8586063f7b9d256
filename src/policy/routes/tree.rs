//! The routes' templates as a tree of path segments, in which the most specific one is found first.

use super::{RouteIndex, Tie};
use crate::policy::path::{decode, trimmed};
use crate::policy::template::{Literal, TemplateSegment};
use crate::policy::{Map, PathError};

/// How a reader compares a path's segments with a route's literals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Reading {
    /// Upper and lower case are the same.
    folded: bool,
    /// Escapes are left as they are.
    spelled: bool,
    /// Dots at the end of a segment are dropped, and spaces with them.
    trimmed: bool,
}

impl Reading {
    /// Ours: escapes decoded, case by case.
    pub(super) const OURS: Self = Self { folded: false, spelled: false, trimmed: false };

    /// The readings of a path that may differ from ours.
    pub(super) fn others(cased: bool, escaped: bool, dotted: bool) -> impl Iterator<Item = Self> {
        let ways = u8::from(cased) | u8::from(escaped) << 1 | u8::from(dotted) << 2;
        let of = |ways: u8| Self { folded: ways & 1 != 0, spelled: ways & 2 != 0, trimmed: ways & 4 != 0 };
        (1..=ways).filter(move |some| some & !ways == 0).map(of)
    }

    /// The error that refuses a path which takes another route in this reading.
    pub(super) fn error(self) -> PathError {
        match self {
            Self { folded: true, .. } => PathError::Case,
            Self { spelled: true, .. } => PathError::Escape,
            _ => PathError::DotAtEnd,
        }
    }
}

/// The routes of one place in the tree, which only their methods tell apart.
#[derive(Debug, Default)]
pub(super) struct Leaf(pub(super) Vec<RouteIndex>);

/// A tree of path segments.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// By the decoded text of the segment, in lower case: at one place, no two literals differ by case or spelling alone.
    literals: Map<Box<str>, (Literal, Node)>,
    /// The length of the longest of them, in bytes.
    longest: usize,
    capture: Option<Box<Node>>,
    rest: Leaf,
    here: Leaf,
}

impl Node {
    /// The leaf for this template. Where a literal differs from another by case or spelling alone, the error is a route of
    /// the other.
    pub(super) fn leaf_mut(&mut self, segments: &[TemplateSegment]) -> Result<&mut Leaf, Tie> {
        match segments {
            [] => Ok(&mut self.here),
            [TemplateSegment::Rest(_), ..] => Ok(&mut self.rest),
            [TemplateSegment::Literal(text), more @ ..] => {
                self.longest = self.longest.max(text.decoded.len());
                let entry = self.literals.entry(text.decoded.to_ascii_lowercase().into());
                let (known, node) = entry.or_insert_with(|| (text.clone(), Self::default()));
                if known != text {
                    if let Some(first) = node.first() {
                        return Err(Tie { first });
                    }
                    // It is there for a route that was not taken.
                    known.clone_from(text);
                }
                node.leaf_mut(more)
            }
            [TemplateSegment::Capture(_), more @ ..] => self.capture.get_or_insert_default().leaf_mut(more),
        }
    }

    /// Some route below this node.
    fn first(&self) -> Option<RouteIndex> {
        let here = self.here.0.first().or_else(|| self.rest.0.first()).copied();
        let capture = || self.capture.as_ref().and_then(|node| node.first());
        here.or_else(capture).or_else(|| self.literals.values().find_map(|(_, node)| node.first()))
    }

    /// The leaf that these segments, as they are spelled, lead to.
    pub(super) fn find<'p>(
        &self,
        mut segments: impl Iterator<Item = &'p str> + Clone,
        reading: Reading,
    ) -> Option<&Leaf> {
        let Some(segment) = segments.next() else { return (!self.here.0.is_empty()).then_some(&self.here) };
        let segment = if reading.trimmed { trimmed(segment) } else { segment };
        let literal = || self.literal(segment, reading)?.find(segments.clone(), reading);
        let capture =
            || self.capture.as_ref().filter(|_| !segment.is_empty())?.find(segments.clone(), reading);
        literal().or_else(capture).or_else(|| (!self.rest.0.is_empty()).then_some(&self.rest))
    }

    fn literal(&self, segment: &str, reading: Reading) -> Option<&Self> {
        // An escape takes three bytes for one.
        if segment.len() > 3 * self.longest {
            return None;
        }
        let decoded = decode(segment);
        let (literal, node) = if decoded.bytes().any(|byte| byte.is_ascii_uppercase()) {
            self.literals.get(&*decoded.to_ascii_lowercase())?
        } else {
            self.literals.get(&*decoded)?
        };
        let (ours, theirs) =
            if reading.spelled { (&literal.spelled, segment) } else { (&literal.decoded, &*decoded) };
        let same = if reading.folded { ours.eq_ignore_ascii_case(theirs) } else { **ours == *theirs };
        same.then_some(node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_readings_are_all_mixtures_of_the_ways_that_may_matter() {
        let folded = Reading { folded: true, ..Reading::OURS };
        let spelled = Reading { spelled: true, ..Reading::OURS };
        let trimmed = Reading { trimmed: true, ..Reading::OURS };
        let others = |cased, escaped, dotted| Reading::others(cased, escaped, dotted).collect::<Vec<_>>();
        assert_eq!(others(false, false, false), []);
        assert_eq!(others(true, false, false), [folded]);
        assert_eq!(others(false, true, false), [spelled]);
        assert_eq!(others(false, false, true), [trimmed]);
        assert_eq!(others(true, false, true), [folded, trimmed, Reading { trimmed: true, ..folded }]);
        let all = others(true, true, true);
        assert!(all.len() == 7 && (0..7).all(|at| !all[at + 1..].contains(&all[at])));
    }
}
