//! The routes' templates as a tree of path segments, in which the most specific one is found first.

use super::{RouteIndex, Tie};
use crate::policy::template::TemplateSegment;
use std::borrow::Cow;
use std::collections::HashMap;

/// How a path's letters are compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Letters {
    AsTheyAre,
    /// As a reader sees them that ignores case.
    Folded,
}

/// The routes of one place in the tree, which only their methods tell apart.
#[derive(Debug, Default)]
pub(super) struct Leaf(pub(super) Vec<RouteIndex>);

/// A tree of path segments.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// By the text of the segment, in lower case: at one place, no two literals differ by case alone.
    literals: HashMap<Box<str>, (Box<str>, Node)>,
    capture: Option<Box<Node>>,
    rest: Leaf,
    here: Leaf,
}

impl Node {
    /// The leaf for this template. Where a literal differs from another by the case of its letters alone, the error is a
    /// route of the other.
    pub(super) fn leaf_mut(&mut self, segments: &[TemplateSegment]) -> Result<&mut Leaf, Tie> {
        match segments {
            [] => Ok(&mut self.here),
            [TemplateSegment::Rest(_), ..] => Ok(&mut self.rest),
            [TemplateSegment::Literal(text), more @ ..] => {
                let entry = self.literals.entry(text.to_ascii_lowercase().into());
                let (known, node) = entry.or_insert_with(|| (text.clone(), Self::default()));
                match node.first().filter(|_| known != text) {
                    Some(first) => Err(Tie { first }),
                    None => node.leaf_mut(more),
                }
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

    pub(super) fn find<'p>(
        &self,
        mut segments: impl Iterator<Item = Cow<'p, str>> + Clone,
        letters: Letters,
    ) -> Option<&Leaf> {
        let Some(segment) = segments.next() else { return (!self.here.0.is_empty()).then_some(&self.here) };
        let literal = || self.literal(&segment, letters)?.find(segments.clone(), letters);
        let capture =
            || self.capture.as_ref().filter(|_| !segment.is_empty())?.find(segments.clone(), letters);
        literal().or_else(capture).or_else(|| (!self.rest.0.is_empty()).then_some(&self.rest))
    }

    fn literal(&self, segment: &str, letters: Letters) -> Option<&Self> {
        let folded: Cow<'_, str> = if segment.bytes().any(|byte| byte.is_ascii_uppercase()) {
            segment.to_ascii_lowercase().into()
        } else {
            segment.into()
        };
        let (text, node) = self.literals.get(&*folded)?;
        (letters == Letters::Folded || **text == *segment).then_some(node)
    }
}
