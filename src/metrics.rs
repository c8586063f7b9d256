//! Counts what happens, and tells it to Prometheus.

use crate::gate::{Event, Gate, IntrospectionOutcome, Lookup, Observer};
use crate::policy::{Denial, Permit, Policy, RouteIndex};
use arc_swap::ArcSwapOption;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

/// Hears what happens at the gate, and counts it. Labels are names from the configuration and stable codes; no token, and
/// nothing that a caller chose, is in any of them.
///
/// | metric | labels | what |
/// |---|---|---|
/// | `tollgate_allowed_total` | `route` | permitted requests |
/// | `tollgate_degraded_total` | – | permitted requests whose issuer could not be asked, on its older word (`introspection.grace`) |
/// | `tollgate_denied_total` | `route`, `reason` | refused requests; `route` is empty where none was found |
/// | `tollgate_refused_total` | `reason` | requests that the gateway answered itself, before or after the gate judged them |
/// | `tollgate_lookups_total` | `result` | whether a token's facts were remembered |
/// | `tollgate_key_fetches_total` | `issuer`, `result` | fetches of key sets |
/// | `tollgate_key_fetch_seconds` | `issuer` | how long they took |
/// | `tollgate_keys_withdrawn_total` | `issuer` | keys that left a key set |
/// | `tollgate_introspections_total` | `issuer`, `result` | questions about tokens |
/// | `tollgate_introspection_seconds` | `issuer` | how long the answers took |
/// | `tollgate_recalls_total` | `issuer`, `result` | tokens that the memory which gateways share was asked about |
/// | `tollgate_shared_memory_reachable` | – | whether that memory can be reached: 1 or 0; missing if there is none |
/// | `tollgate_upstream_requests_total` | `upstream`, `result` | requests sent on: the class of the answer's status, or the code of what went wrong |
/// | `tollgate_reloads_total` | – | policies put in force since the start |
/// | `tollgate_remembered_tokens`, `tollgate_remembered_bytes` | – | what the gate remembers |
/// | `tollgate_issuers_waiting` | – | issuers whose keys are not there yet; ready when 0 |
///
/// ```
/// use std::sync::Arc;
/// use tollgate::gate::Gate;
/// use tollgate::metrics::Metrics;
/// use tollgate::policy::{Policy, RouteTable};
///
/// let metrics = Arc::new(Metrics::new());
/// let gate = Arc::new(Gate::builder(Policy::new(RouteTable::default(), [])).observer(metrics.clone()).build());
/// metrics.watch(&gate);
/// assert!(metrics.text().contains("tollgate_remembered_tokens 0"));
/// ```
pub struct Metrics {
    registry: Registry,
    allowed: Arc<Allowed>,
    degraded: Counter,
    denied: Family<DeniedLabels, Counter>,
    refused: Family<ReasonLabel, Counter>,
    hits: Counter,
    misses: Counter,
    lookups_withdrawn: Counter,
    fetches: Family<IssuerResult, Counter>,
    fetch_seconds: Family<IssuerLabel, Histogram>,
    withdrawn: Family<IssuerLabel, Counter>,
    introspections: Family<IssuerResult, Counter>,
    introspection_seconds: Family<IssuerLabel, Histogram>,
    recalls: Family<IssuerResult, Counter>,
    shared_reachable: Family<[(&'static str, &'static str); 0], Gauge>,
    upstream: Family<UpstreamLabels, Counter>,
    reloads: Counter,
    watched: Arc<Watched>,
}

impl Metrics {
    /// Counters at zero.
    pub fn new() -> Self {
        let seconds = || Histogram::new(SECONDS);
        let lookups: Family<ResultLabel, Counter> = Family::default();
        let counter = |result| lookups.get_or_create(&ResultLabel { result }).clone();
        let (hits, misses, lookups_withdrawn) = (counter("hit"), counter("miss"), counter("key_withdrawn"));
        let mut metrics = Self {
            registry: Registry::with_prefix("tollgate"),
            allowed: Arc::default(),
            degraded: Counter::default(),
            denied: Family::default(),
            refused: Family::default(),
            hits,
            misses,
            lookups_withdrawn,
            fetches: Family::default(),
            fetch_seconds: Family::new_with_constructor(seconds),
            withdrawn: Family::default(),
            introspections: Family::default(),
            introspection_seconds: Family::new_with_constructor(seconds),
            recalls: Family::default(),
            shared_reachable: Family::default(),
            upstream: Family::default(),
            reloads: Counter::default(),
            watched: Arc::default(),
        };
        let registry = &mut metrics.registry;
        registry.register_collector(Box::new(metrics.allowed.clone()));
        let help = "Permitted requests whose issuer could not be asked";
        registry.register("degraded", help, metrics.degraded.clone());
        registry.register("denied", "Requests that the gate refused", metrics.denied.clone());
        registry.register("refused", "Requests that the gateway answered itself", metrics.refused.clone());
        registry.register("lookups", "Whether a token's facts were remembered", lookups);
        registry.register("key_fetches", "Fetches of key sets", metrics.fetches.clone());
        let unit = Unit::Seconds;
        registry.register_with_unit(
            "key_fetch",
            "Time to fetch a key set",
            unit,
            metrics.fetch_seconds.clone(),
        );
        registry.register("keys_withdrawn", "Keys that left a key set", metrics.withdrawn.clone());
        registry.register("introspections", "Questions about tokens", metrics.introspections.clone());
        let (unit, help) = (Unit::Seconds, "Time to an answer about a token");
        registry.register_with_unit("introspection", help, unit, metrics.introspection_seconds.clone());
        registry.register("recalls", "Questions to the shared memory", metrics.recalls.clone());
        let help = "Whether the shared memory can be reached";
        registry.register("shared_memory_reachable", help, metrics.shared_reachable.clone());
        registry.register("upstream_requests", "Requests sent to upstreams", metrics.upstream.clone());
        registry.register("reloads", "Policies put in force since the start", metrics.reloads.clone());
        registry.register_collector(Box::new(metrics.watched.clone()));
        metrics
    }

    /// Tells of this gate's memory and readiness too. It is asked when somebody reads.
    pub fn watch(&self, gate: &Arc<Gate>) {
        self.watched.0.store(Some(Arc::new(Arc::downgrade(gate))));
    }

    /// A request was answered by the gateway itself, for this reason.
    pub fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// A request was sent to an upstream, and this came of it.
    pub fn upstream(&self, upstream: &str, result: &'static str) {
        self.upstream.get_or_create(&UpstreamLabels { upstream: upstream.to_owned(), result }).inc();
    }

    /// All of it, in the text format (OpenMetrics 1.0).
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string can't fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }

    /// The media type of [`text`](Self::text).
    pub const CONTENT_TYPE: &'static str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    fn denied(&self, denial: &Denial) {
        let route = denial.route().map(|route| route.template.as_str().to_owned()).unwrap_or_default();
        self.denied.get_or_create(&DeniedLabels { route, reason: denial.reason().code() }).inc();
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Observer for Metrics {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Allowed(permit) => {
                self.allowed.count(permit);
                if permit.degraded() {
                    self.degraded.inc();
                }
            }
            Event::Denied(denial) => self.denied(denial),
            Event::Lookup(lookup) => {
                let counter = match lookup {
                    Lookup::Hit => &self.hits,
                    Lookup::Miss => &self.misses,
                    Lookup::KeyWithdrawn => &self.lookups_withdrawn,
                };
                counter.inc();
            }
            Event::KeysFetched { issuer, outcome, took } => {
                let issuer = issuer.as_str().to_owned();
                let result = if outcome.is_ok() { "ok" } else { "failed" };
                self.fetches.get_or_create(&IssuerResult { issuer: issuer.clone(), result }).inc();
                self.fetch_seconds.get_or_create(&IssuerLabel { issuer }).observe(took.as_secs_f64());
            }
            Event::KeyWithdrawn { issuer, .. } => {
                self.withdrawn.get_or_create(&IssuerLabel { issuer: issuer.as_str().to_owned() }).inc();
            }
            Event::Introspected { issuer, outcome, took } => {
                self.introspected(issuer.as_str(), *outcome, *took);
            }
            Event::Recalled { issuer, hit, .. } => {
                let (issuer, result) = (issuer.as_str().to_owned(), if *hit { "hit" } else { "miss" });
                self.recalls.get_or_create(&IssuerResult { issuer, result }).inc();
            }
            Event::SharedMemory { reachable } => {
                self.shared_reachable.get_or_create(&[]).set(i64::from(*reachable));
            }
            Event::Reloaded => {
                self.reloads.inc();
            }
        }
    }
}

impl Metrics {
    fn introspected(&self, issuer: &str, outcome: IntrospectionOutcome, took: Duration) {
        let issuer = issuer.to_owned();
        let result = match outcome {
            IntrospectionOutcome::Active => "active",
            IntrospectionOutcome::Inactive => "inactive",
            IntrospectionOutcome::Failed => "failed",
            IntrospectionOutcome::Refused => "refused",
        };
        self.introspections.get_or_create(&IssuerResult { issuer: issuer.clone(), result }).inc();
        if outcome != IntrospectionOutcome::Refused {
            self.introspection_seconds.get_or_create(&IssuerLabel { issuer }).observe(took.as_secs_f64());
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// Permitted requests by route: on the path of every request, so found by the route's place and not by its name.
#[derive(Debug, Default)]
struct Allowed {
    /// The counters of the policy in force.
    current: ArcSwapOption<RouteCounters>,
    /// Of every route that ever was, by its template: counts go on where a reload keeps a route.
    by_template: Mutex<HashMap<Box<str>, Counter>>,
}

#[derive(Debug)]
struct RouteCounters {
    policy: Arc<Policy>,
    /// By the route's place.
    counters: Vec<Counter>,
}

impl RouteCounters {
    fn count(&self, route: RouteIndex) {
        if let Some(counter) = self.counters.get(route.get()) {
            counter.inc();
        }
    }
}

impl Allowed {
    fn count(&self, permit: &Permit) {
        let current = self.current.load();
        match &*current {
            Some(current) if Arc::ptr_eq(&current.policy, permit.policy()) => {
                current.count(permit.route_index())
            }
            _ => self.renewed(permit.policy()).count(permit.route_index()),
        }
    }

    /// The first request under a new policy makes its counters.
    fn renewed(&self, policy: &Arc<Policy>) -> Arc<RouteCounters> {
        let mut by_template = self.by_template.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counter = |template: &str| by_template.entry(template.into()).or_default().clone();
        let counters = policy.routes().iter().map(|(_, route)| counter(route.template.as_str())).collect();
        let renewed = Arc::new(RouteCounters { policy: policy.clone(), counters });
        self.current.store(Some(renewed.clone()));
        renewed
    }
}

impl Collector for Allowed {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let by_template = self.by_template.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = ConstCounter::new(0u64).metric_type();
        let mut family =
            encoder.encode_descriptor("allowed", "Requests that the gate permitted", None, kind)?;
        for (route, counter) in by_template.iter() {
            let labels = [("route", &**route)];
            ConstCounter::new(counter.get()).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

/// What is asked of the gate when somebody reads.
#[derive(Debug, Default)]
struct Watched(ArcSwapOption<Weak<Gate>>);

impl Collector for Watched {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let Some(gate) = self.0.load().as_ref().and_then(|gate| gate.upgrade()) else { return Ok(()) };
        let (tokens, bytes) = gate.remembered();
        let waiting = gate.waiting_for().len() as u64;
        for (name, help, value) in [
            ("remembered_tokens", "Tokens whose facts are remembered", tokens),
            ("remembered_bytes", "What they weigh", bytes),
            ("issuers_waiting", "Issuers whose keys are not there yet", waiting),
        ] {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeniedLabels {
    route: String,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct IssuerLabel {
    issuer: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct IssuerResult {
    issuer: String,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UpstreamLabels {
    upstream: String,
    result: &'static str,
}

/// From a neighbour's answer to the longest timeout there is.
const SECONDS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0, 30.0];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{RequestHead, Requirement, Route, RouteTable, Template};
    use http::{HeaderMap, Method};

    fn policy(paths: &[&str]) -> Policy {
        let mut routes = RouteTable::builder();
        for path in paths {
            routes.add(Route::new(Template::parse(path).unwrap(), Requirement::Public)).unwrap();
        }
        Policy::new(routes.build(), [])
    }

    fn line<'a>(text: &'a str, start: &str) -> Option<&'a str> {
        text.lines().find_map(|line| line.strip_prefix(start))
    }

    #[test]
    fn a_permit_on_an_older_word_is_marked_in_metrics_and_upstream_header() {
        let metrics = Metrics::new();
        let gate = Gate::builder(policy(&["/a"])).build();
        let headers = HeaderMap::new();
        let crate::gate::Verdict::Decided(crate::policy::Decision::Allow(permit)) =
            gate.decide_now(&RequestHead::new(&Method::GET, b"/a", &headers))
        else {
            panic!("a public route")
        };
        let marked = |permit: &crate::policy::Permit| {
            gate.policy()
                .identity()
                .fields(permit)
                .any(|(name, value)| name == "x-auth-degraded" && value == "introspection")
        };
        metrics.event(&Event::Allowed(&permit));
        assert!(!marked(&permit));
        assert_eq!(line(&metrics.text(), "tollgate_degraded_total "), Some("0"));
        let degraded = permit.mark_degraded();
        metrics.event(&Event::Allowed(&degraded));
        assert!(marked(&degraded));
        assert_eq!(line(&metrics.text(), "tollgate_degraded_total "), Some("1"));
    }

    #[test]
    fn decisions_are_counted_by_route_across_reloads() {
        let metrics = Arc::new(Metrics::new());
        let gate = Arc::new(Gate::builder(policy(&["/a", "/b"])).observer(metrics.clone()).build());
        metrics.watch(&gate);
        let headers = HeaderMap::new();
        let ask =
            |path: &str| drop(gate.decide_now(&RequestHead::new(&Method::GET, path.as_bytes(), &headers)));
        ask("/a");
        ask("/b");
        ask("/b");
        ask("/c");
        gate.replace(policy(&["/c", "/b"]), Vec::new());
        ask("/b");
        let text = metrics.text();
        assert_eq!(line(&text, "tollgate_allowed_total{route=\"/a\"} "), Some("1"), "{text}");
        assert_eq!(line(&text, "tollgate_allowed_total{route=\"/b\"} "), Some("3"), "{text}");
        assert_eq!(
            line(&text, "tollgate_denied_total{route=\"\",reason=\"no_route\"} "),
            Some("1"),
            "{text}"
        );
        assert_eq!(line(&text, "tollgate_reloads_total "), Some("1"), "{text}");
        assert_eq!(line(&text, "tollgate_issuers_waiting "), Some("0"), "{text}");
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn a_shared_memory_is_told_of_where_there_is_one() {
        let metrics = Metrics::new();
        assert_eq!(line(&metrics.text(), "tollgate_shared_memory_reachable"), None);
        for (reachable, shown) in [(true, "{} 1"), (false, "{} 0")] {
            metrics.event(&Event::SharedMemory { reachable });
            assert_eq!(line(&metrics.text(), "tollgate_shared_memory_reachable"), Some(shown));
        }
        let issuer = &crate::proof::IssuerName::new("https://as.example/");
        metrics.event(&Event::Recalled { issuer, hit: true, took: Duration::ZERO });
        let recalls = "tollgate_recalls_total{issuer=\"https://as.example/\",result=\"hit\"}";
        assert_eq!(line(&metrics.text(), recalls), Some(" 1"));
    }
}
