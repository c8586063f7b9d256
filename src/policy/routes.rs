//! The routes, and which one a request takes: the most specific, whatever their order.

mod tree;

use super::template::TemplateSegment;
use super::{CanonicalPath, Map, PathError, Requirement, Template};
use http::Method;
use std::borrow::Cow;
use std::net::Ipv6Addr;
use std::time::Duration;
use tree::{Leaf, Node, Reading};

/// One route: which requests it is for, what it asks of them, and how those that meet it are carried on.
#[derive(Clone, Debug)]
pub struct Route {
    /// The paths.
    pub template: Template,
    /// The hosts; empty for all.
    pub hosts: Vec<HostPattern>,
    /// The methods.
    pub methods: Methods,
    /// What is asked.
    pub requirement: Requirement,
    /// What becomes of CORS preflights.
    pub preflight: Preflight,
    /// Whether `%2F` may be in the path. The path with each of them decoded must then be canonical too, and take this route.
    pub encoded_slashes: bool,
    /// Whether characters beyond ASCII may be in the path, as escapes of UTF-8. To a reader that drops them, or takes `é` for `e`, the
    /// path must take this route, too.
    pub non_ascii: bool,
    /// How an admitted request is carried on.
    pub handling: Handling,
}

impl Route {
    /// A route for all hosts and methods.
    pub fn new(template: Template, requirement: Requirement) -> Self {
        Self {
            template,
            hosts: Vec::new(),
            methods: Methods::All,
            requirement,
            preflight: Preflight::Deny,
            encoded_slashes: false,
            non_ascii: false,
            handling: Handling::default(),
        }
    }

    /// Whether `OPTIONS` is one of the methods that it lists.
    pub(crate) fn lists_options(&self) -> bool {
        self.methods.lists(&Method::OPTIONS)
    }
}

/// How a door carries an admitted request on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Handling {
    /// The upstream, by its name in the configuration.
    pub upstream: Option<Box<str>>,
    /// Whether `Authorization` is passed on. By default the token stops at the gate.
    pub forward_authorization: bool,
    /// Whether the connection may be upgraded (WebSocket).
    pub upgrade: bool,
    /// The longest request body, in bytes, where it differs from the door's own limit.
    pub max_body: Option<u64>,
    /// How long the upstream may take to answer, where it differs from the upstream's own limit.
    pub read_timeout: Option<Duration>,
}

/// Which methods a route is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Methods {
    /// All, except for `CONNECT` and `TRACE`, which no route is for.
    All,
    /// These. `GET` includes `HEAD`.
    Listed(Vec<Method>),
}

impl Methods {
    fn lists(&self, method: &Method) -> bool {
        let Self::Listed(listed) = self else { return false };
        listed.contains(method) || (method == Method::HEAD && listed.contains(&Method::GET))
    }

    fn overlap(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, Self::All) => true,
            // A route that lists a method is more specific for it than one for all.
            (Self::All, Self::Listed(_)) | (Self::Listed(_), Self::All) => false,
            (Self::Listed(ours), Self::Listed(theirs)) => {
                ours.iter().any(|method| other.lists(method))
                    || theirs.iter().any(|method| self.lists(method))
            }
        }
    }
}

/// What becomes of a CORS preflight, which never carries a token (Fetch, "CORS-preflight request").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preflight {
    /// It is answered like any request without a token: 401.
    #[default]
    Deny,
    /// It is passed to the upstream, without identity.
    Forward,
}

/// A host that a route is for: `api.example.com`, or `*.example.com` for every host below it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// This host.
    Exact(Box<str>),
    /// Every host that ends in this, which begins with a dot.
    Below(Box<str>),
}

impl HostPattern {
    /// Reads a pattern. Case does not matter; a port is never part of it.
    ///
    /// # Errors
    /// [`InvalidHost`] if it is no host name, or has a `*` anywhere but as its first label.
    pub fn parse(text: &str) -> Result<Self, InvalidHost> {
        let lower = text.to_ascii_lowercase();
        let (below, name) = lower.strip_prefix("*.").map_or((false, lower.as_str()), |name| (true, name));
        let label = |label: &str| {
            !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        Ok(match below {
            true if name.split('.').all(label) => Self::Below(format!(".{name}").into()),
            false if name.split('.').all(label) => Self::Exact(name.into()),
            false => Self::Exact(v6(name).ok_or(InvalidHost)?.into()),
            true => return Err(InvalidHost),
        })
    }
}

/// A text that is no host pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a host is a name such as `api.example.com` or `*.example.com`, without a port")]
pub struct InvalidHost;

/// A route's place in its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RouteIndex(usize);

impl RouteIndex {
    /// The place, counted from 0 in the order in which the routes were added.
    pub fn get(self) -> usize {
        self.0
    }
}

/// All routes.
///
/// 1. An exact host is more specific than a pattern, a longer pattern than a shorter one, any host is the least specific.
/// 2. Segment by segment from the left, a literal is more specific than a capture, a capture than a rest.
/// 3. A route that lists a method is more specific than one for all methods.
///
/// Two routes that no rule tells apart can't both be in a table.
///
/// ```
/// use http::Method;
/// use tollgate::policy::{CanonicalPath, Requirement, Route, RouteTable, Template};
///
/// let mut builder = RouteTable::builder();
/// for path in ["/{*all}", "/orders/{id}", "/orders/new"] {
///     builder.add(Route::new(Template::parse(path)?, Requirement::Public))?;
/// }
/// let table = builder.build();
/// let index = table.find(None, &Method::GET, &CanonicalPath::parse(b"/orders/new")?).unwrap();
/// assert_eq!(table.get(index).unwrap().template.as_str(), "/orders/new");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct RouteTable {
    routes: Vec<Route>,
    exact: Map<Box<str>, Node>,
    /// By their suffix, which begins with a dot.
    below: Map<Box<str>, Node>,
    any: Node,
    /// Whether a literal has an upper-case letter.
    upper_case: bool,
    /// How many segments there are templates of that take a path with a slash at its end, which is not counted; and such that take
    /// one without: a bit for each number, the last for all that are larger.
    slashed: u64,
    unslashed: u64,
}

/// Why no route takes a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotFound {
    /// No route is for this host and path.
    Unmatched,
    /// There are routes for this path, but only for these methods.
    Method(Vec<Method>),
    /// The path can't be judged for the route that it would take.
    Path(PathError),
}

impl RouteTable {
    /// An empty table to add routes to.
    pub fn builder() -> RouteTableBuilder {
        RouteTableBuilder::default()
    }

    /// The route at this place.
    pub fn get(&self, index: RouteIndex) -> Option<&Route> {
        self.routes.get(index.0)
    }

    /// All routes, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (RouteIndex, &Route)> {
        self.routes.iter().enumerate().map(|(index, route)| (RouteIndex(index), route))
    }

    /// The number of routes.
    pub fn len(&self) -> usize {
        self.routes.len()
    }

    /// Whether there is no route.
    pub fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }

    /// The route that a request takes.
    ///
    /// A path is refused if it would take another route to a reader
    /// 1. that ignores case,
    /// 2. that does not decode escapes (a literal is matched by the very spelling that the template has),
    /// 3. that decodes `%2F`,
    /// 4. that drops dots at the end of a segment,
    /// 5. that ignores a slash at the end, where the other route asks for something else, unless this one is for exactly this path, or for
    ///    all below it (`/docs/` beside `/{*rest}` and `/docs/{*rest}`),
    /// 6. that drops characters beyond ASCII, or takes them for those of ASCII that they are made of,
    ///
    /// or that does several of these.
    ///
    /// # Errors
    /// [`NotFound`] if none takes it.
    pub fn find(
        &self,
        authority: Option<&str>,
        method: &Method,
        path: &CanonicalPath<'_>,
    ) -> Result<RouteIndex, NotFound> {
        let of_hosts = !(self.exact.is_empty() && self.below.is_empty());
        let host = authority.filter(|_| of_hosts).map(host_of);
        let place = Place { table: self, host: host.as_deref(), method };
        let leaf = place.leaf(path.spelled_segments(), Reading::OURS).ok_or(NotFound::Unmatched)?;
        place.check_spelling(leaf, path).map_err(NotFound::Path)?;
        let index = self.select(leaf, method).ok_or_else(|| NotFound::Method(self.methods(leaf)))?;
        let route = self.get(index).ok_or(NotFound::Unmatched)?;
        place.check_last_slash(leaf, route, path).map_err(NotFound::Path)?;
        if path.has_encoded_slash() {
            place.check_encoded_slashes(leaf, route, path).map_err(NotFound::Path)?;
        }
        if path.has_non_ascii() {
            place.check_non_ascii(leaf, route, path).map_err(NotFound::Path)?;
        }
        Ok(index)
    }

    /// Whether a path that this template matches can match another one with its last slash taken away, or with one at its end, and
    /// the template leaves room for that to say more.
    fn may_be_toggled(&self, template: &Template) -> bool {
        let segments = template.segments().len();
        let others = if template.ends_in_slash() {
            self.unslashed & bit(segments - 1)
        } else {
            self.slashed & bit(segments)
        };
        others != 0 && template.captures().next().is_some()
    }

    /// Of the routes at one place, the one for this method. None is for one with small letters: by RFC 9110 section 9.1 `delete` is
    /// another method than `DELETE`, but many an API takes it for the same.
    fn select(&self, leaf: &Leaf, method: &Method) -> Option<RouteIndex> {
        let carried = match *method {
            Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::PATCH | Method::DELETE => true,
            Method::CONNECT | Method::TRACE => false,
            _ => !method.as_str().bytes().any(|byte| byte.is_ascii_lowercase()),
        };
        if !carried {
            return None;
        }
        let methods = |index: &&RouteIndex| self.get(**index).map(|route| &route.methods);
        let listed = leaf.0.iter().find(|index| methods(index).is_some_and(|methods| methods.lists(method)));
        listed.or_else(|| leaf.0.iter().find(|index| methods(index) == Some(&Methods::All))).copied()
    }

    fn methods(&self, leaf: &Leaf) -> Vec<Method> {
        let mut methods: Vec<Method> = Vec::new();
        for route in leaf.0.iter().filter_map(|index| self.get(*index)) {
            let listed = match &route.methods {
                Methods::Listed(listed) => listed.as_slice(),
                Methods::All => STANDARD_METHODS,
            };
            for method in listed {
                methods.push(method.clone());
                if method == Method::GET {
                    methods.push(Method::HEAD);
                }
            }
        }
        methods.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        methods.dedup();
        methods
    }
}

/// Those of RFC 9110 and RFC 5789 that a route for all methods is for.
const STANDARD_METHODS: &[Method] =
    &[Method::DELETE, Method::GET, Method::OPTIONS, Method::PATCH, Method::POST, Method::PUT];

/// Where a request looks for its route.
#[derive(Clone, Copy)]
struct Place<'t> {
    table: &'t RouteTable,
    host: Option<&'t str>,
    method: &'t Method,
}

impl<'t> Place<'t> {
    fn leaf<'p>(
        &self,
        segments: impl Iterator<Item = &'p str> + Clone,
        reading: Reading,
    ) -> Option<&'t Leaf> {
        let table = self.table;
        let exact = self.host.and_then(|host| table.exact.get(host));
        let below = self.host.filter(|_| !table.below.is_empty()).into_iter().flat_map(suffixes);
        let below = below.filter_map(|suffix| table.below.get(suffix));
        let mut trees = exact.into_iter().chain(below).chain(std::iter::once(&table.any));
        trees.find_map(|tree| tree.find(segments.clone(), reading))
    }

    fn readings(&self, path: &CanonicalPath<'_>) -> impl Iterator<Item = Reading> {
        let cased = self.table.upper_case || path.as_str().bytes().any(|byte| byte.is_ascii_uppercase());
        Reading::others(cased, path.is_escaped(), path.has_dot_at_end())
    }

    fn check_spelling(&self, leaf: &Leaf, path: &CanonicalPath<'_>) -> Result<(), PathError> {
        let differs = |reading: &Reading| {
            let theirs = self.leaf(path.spelled_segments(), *reading);
            !theirs.is_some_and(|theirs| std::ptr::eq(theirs, leaf))
        };
        self.readings(path).find(differs).map_or(Ok(()), |reading| Err(reading.error()))
    }

    fn check_last_slash(
        &self,
        leaf: &Leaf,
        route: &Route,
        path: &CanonicalPath<'_>,
    ) -> Result<(), PathError> {
        let to_rest = route.template.ends_in_rest();
        if !to_rest && !self.table.may_be_toggled(&route.template) {
            return Ok(());
        }
        let asks_otherwise = |reading| {
            let theirs = self.leaf(path.segments_with_last_slash_toggled(), reading);
            theirs.filter(|theirs| !std::ptr::eq(*theirs, leaf)).is_some_and(|theirs| {
                let mut routes = theirs.0.iter().filter_map(|index| self.table.get(*index));
                let gives_way = match to_rest {
                    // `/docs/` is for `/docs/{*rest}`, although `/docs` may be one of many that a wider `{*rest}` is for.
                    true => {
                        let is_fixed = route.template.captures().nth(1).is_none();
                        is_fixed && path.ends_in_slash() && routes.any(|other| other.template.ends_in_rest())
                    }
                    // A route for exactly this path is meant, whatever there is for the other.
                    false => !routes.any(|other| other.template.is_more_specific_than(&route.template)),
                };
                let other = self.table.select(theirs, self.method).and_then(|index| self.table.get(index));
                !gives_way && other.is_none_or(|other| other.requirement != route.requirement)
            })
        };
        if std::iter::once(Reading::OURS).chain(self.readings(path)).any(asks_otherwise) {
            return Err(PathError::LastSlash);
        }
        Ok(())
    }

    fn check_encoded_slashes(
        &self,
        leaf: &Leaf,
        route: &Route,
        path: &CanonicalPath<'_>,
    ) -> Result<(), PathError> {
        if !route.encoded_slashes {
            return Err(PathError::EncodedSlash);
        }
        let decoded = path.with_slashes_decoded();
        let decoded = CanonicalPath::parse(decoded.as_bytes())?;
        self.check_other(leaf, route, &decoded, PathError::EncodedSlash)
    }

    fn check_non_ascii(&self, leaf: &Leaf, route: &Route, path: &CanonicalPath<'_>) -> Result<(), PathError> {
        if !route.non_ascii {
            return Err(PathError::NonAscii);
        }
        // Who sees the very path finds the very route.
        for seen in path.in_ascii().iter().filter(|seen| *seen != path.as_str()) {
            let seen = CanonicalPath::parse(seen.as_bytes())?;
            self.check_other(leaf, route, &seen, PathError::Resemblance)?;
            if seen.has_encoded_slash() {
                self.check_encoded_slashes(leaf, route, &seen)?;
            }
        }
        Ok(())
    }

    /// Checks that what a reader sees in place of the path takes the same route.
    fn check_other(
        &self,
        leaf: &Leaf,
        route: &Route,
        seen: &CanonicalPath<'_>,
        error: PathError,
    ) -> Result<(), PathError> {
        let theirs = self.leaf(seen.spelled_segments(), Reading::OURS);
        if !theirs.is_some_and(|theirs| std::ptr::eq(theirs, leaf)) {
            return Err(error);
        }
        self.check_spelling(leaf, seen)?;
        self.check_last_slash(leaf, route, seen)
    }
}

/// The bit for a number of segments.
fn bit(segments: usize) -> u64 {
    1 << segments.min(63)
}

/// `.b.c` and `.c` of `a.b.c`: the longest first.
fn suffixes(host: &str) -> impl Iterator<Item = &str> {
    host.match_indices('.').filter(|(at, _)| *at > 0).filter_map(|(at, _)| host.get(at..))
}

/// Collects routes into a [`RouteTable`].
#[derive(Debug, Default)]
pub struct RouteTableBuilder(RouteTable);

impl RouteTableBuilder {
    /// Adds a route.
    ///
    /// # Errors
    /// A [`Tie`] if there is one already that nothing tells apart from it, or only the case of its letters.
    pub fn add(&mut self, route: Route) -> Result<RouteIndex, Tie> {
        let (segments, index) = (route.template.segments(), RouteIndex(self.0.routes.len()));
        let letters = |segment: &TemplateSegment| match segment {
            TemplateSegment::Literal(text) => text.decoded.bytes().any(|byte| byte.is_ascii_uppercase()),
            _ => false,
        };
        // Every place is looked at before one is taken: a route that ties leaves no trace.
        for take in [false, true] {
            if route.hosts.is_empty() {
                Self::join(self.0.any.leaf_mut(segments)?, &self.0.routes, &route, index, take)?;
            }
            for host in &route.hosts {
                let tree = match host {
                    HostPattern::Exact(name) => self.0.exact.entry(name.clone()).or_default(),
                    HostPattern::Below(suffix) => self.0.below.entry(suffix.clone()).or_default(),
                };
                Self::join(tree.leaf_mut(segments)?, &self.0.routes, &route, index, take)?;
            }
        }
        if route.non_ascii {
            CanonicalPath::prepare_for_non_ascii();
        }
        self.0.upper_case |= segments.iter().any(letters);
        match route.template.ends_in_slash() || route.template.ends_in_rest() {
            true => self.0.slashed |= bit(segments.len() - 1),
            false => self.0.unslashed |= bit(segments.len()),
        }
        self.0.routes.push(route);
        Ok(index)
    }

    fn join(
        leaf: &mut Leaf,
        routes: &[Route],
        route: &Route,
        index: RouteIndex,
        take: bool,
    ) -> Result<(), Tie> {
        let ties = |index: &&RouteIndex| {
            routes.get(index.0).is_some_and(|other| other.methods.overlap(&route.methods))
        };
        if let Some(first) = leaf.0.iter().find(ties) {
            return Err(Tie { first: *first });
        }
        if take && !leaf.0.contains(&index) {
            leaf.0.push(index);
        }
        Ok(())
    }

    /// The finished table.
    pub fn build(self) -> RouteTable {
        self.0
    }
}

/// Two routes that nothing tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("another route is for the same hosts, paths and methods")]
pub struct Tie {
    /// The one that was there first.
    pub first: RouteIndex,
}

/// An IPv6 address in brackets, in the one spelling of RFC 5952.
fn v6(host: &str) -> Option<String> {
    let address: Ipv6Addr = host.strip_prefix('[')?.strip_suffix(']')?.parse().ok()?;
    Some(format!("[{address}]"))
}

/// The host of an authority: without port or trailing dot, in lower case, and an IPv6 address in its one spelling.
fn host_of(authority: &str) -> Cow<'_, str> {
    let host = match authority.rfind(':') {
        // The colons of an IPv6 address are inside of brackets.
        Some(colon) if !authority.ends_with(']') => authority.get(..colon).unwrap_or(authority),
        _ => authority,
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    if let Some(address) = v6(host) {
        return address.into();
    }
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        host.to_ascii_lowercase().into()
    } else {
        host.into()
    }
}

#[cfg(test)]
mod tests;
