//! How a target is changed on its way to an upstream, after it was judged.

/// Cuts a prefix off the path, and puts another before it. Both are canonical paths without a slash at their end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::proxy) struct Rewrite {
    strip: Option<Box<[u8]>>,
    add: Option<Box<[u8]>>,
}

impl Rewrite {
    /// Cuts `strip` off, where a path begins with it, and puts `add` before what is left.
    pub(super) fn new(strip: Option<&str>, add: Option<&str>) -> Self {
        let bytes = |text: &str| text.as_bytes().into();
        Self { strip: strip.map(bytes), add: add.map(bytes) }
    }

    /// The changed target, or `None` if it stays as it is. Whole segments are cut, and never more than the prefix; the rest is
    /// passed on byte for byte. So what was canonical still is.
    pub(in crate::proxy) fn apply(&self, target: &[u8]) -> Option<Vec<u8>> {
        let stripped = self.strip.as_deref().and_then(|prefix| target.strip_prefix(prefix));
        let stripped = stripped.filter(|rest| matches!(rest.first(), None | Some(b'/' | b'?')));
        if stripped.is_none() && self.add.is_none() {
            return None;
        }
        let (add, rest) = (self.add.as_deref().unwrap_or_default(), stripped.unwrap_or(target));
        let mut changed = Vec::with_capacity(add.len() + 1 + rest.len());
        changed.extend_from_slice(add);
        if rest.first() != Some(&b'/') && add.is_empty() {
            changed.push(b'/');
        }
        changed.extend_from_slice(rest);
        Some(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_segments_are_cut_and_added() {
        let cases = [
            (None, None, "/a?b", None),
            (Some("/api"), None, "/api/a?b", Some("/a?b")),
            (Some("/api"), None, "/api", Some("/")),
            (Some("/api"), None, "/api?b", Some("/?b")),
            (Some("/api"), None, "/api/", Some("/")),
            (Some("/api"), None, "/apis/a", None),
            (Some("/api"), None, "/a/api", None),
            (None, Some("/v1"), "/a", Some("/v1/a")),
            (None, Some("/v1"), "/", Some("/v1/")),
            (Some("/api"), Some("/v1"), "/api/a?/api", Some("/v1/a?/api")),
            (Some("/api"), Some("/v1"), "/api", Some("/v1")),
            (Some("/api"), Some("/v1"), "/api?b", Some("/v1?b")),
            (Some("/api"), Some("/v1"), "/other", Some("/v1/other")),
        ];
        for (strip, add, target, expected) in cases {
            let changed = Rewrite::new(strip, add).apply(target.as_bytes());
            assert_eq!(changed.as_deref(), expected.map(str::as_bytes), "{strip:?} {add:?} {target}");
        }
    }
}
