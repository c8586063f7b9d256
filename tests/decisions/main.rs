//! Decisions as data: what a policy makes of requests, the same through every door.
//!
//! Each `*.yaml` beside this file is two YAML documents. The first is a policy, just as the gateway reads it. The second says which
//! keys its issuers have, which tokens there are, and for each request what becomes of it; [`file`] describes it key by key.
//!
//! Every request is sent twice through each door: when its token is new, and when it is remembered. The clock is set by hand, and stands
//! wherever a case puts it.

mod check;
mod doors;
mod file;
#[cfg(feature = "gateway")]
mod proxy;
mod tokens;

use doors::{Core, Door, Exchange, Tower};
use file::{Case, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokens::Tokens;
use tollgate::config::{self, Environment, Plan};
use tollgate::gate::{Gate, IssuerSources};
use tollgate::testing::ManualClock;
use tollgate::time::UnixTime;

#[tokio::test]
async fn through_the_core() {
    through::<Core>().await;
}

#[tokio::test]
async fn through_the_tower_layer() {
    through::<Tower>().await;
}

#[cfg(feature = "gateway")]
#[tokio::test]
async fn through_the_gateway() {
    through::<proxy::Proxy>().await;
}

async fn through<D: Door>() {
    let mut failures = Vec::new();
    let mut decided = 0;
    for path in files() {
        let name = path.file_name().unwrap().to_str().unwrap();
        let (policy, file) = File::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let house = House::<D>::new(name, &policy, &file).await;
        for case in &file.cases {
            // The very same token both times: some signatures are different each time that they are made.
            let exchange =
                house.exchange(case).unwrap_or_else(|error| panic!("{name}: {}: {error}", case.case));
            for turn in ["new", "again"] {
                decided += 1;
                let outcome = house.send(case, &exchange).await;
                failures
                    .extend(outcome.err().map(|error| format!("{name}: {} ({turn}): {error}", case.case)));
            }
        }
    }
    assert!(decided > 100, "the cases are found");
    assert!(
        failures.is_empty(),
        "{} of {decided} decisions differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/decisions");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|e| e == "yaml")).collect();
    files.sort();
    files
}

/// One file's policy in force behind one door.
struct House<D> {
    door: D,
    tokens: Tokens,
    clock: ManualClock,
    instant: UnixTime,
}

impl<D: Door> House<D> {
    async fn new(name: &str, policy: &str, file: &File) -> Self {
        let instant = file.instant.map_or(ManualClock::START, UnixTime::from_secs);
        let tokens = Tokens::new(&parse(name, policy), file, instant);
        let clock = ManualClock::at(instant);
        let gate = async |policy: &str| gate(parse(name, policy), &tokens, &clock).await;
        Self { door: D::open(policy, gate).await, tokens, clock, instant }
    }

    async fn send(&self, case: &Case, exchange: &Exchange) -> Result<(), String> {
        self.clock.jump(self.instant + Duration::from_secs_f64(case.after));
        let fill = |text: &str| self.tokens.fill(text);
        match self.door.carry(exchange).await {
            Some(_) if self.is_unreached(case) => Err("it reaches this door".to_owned()),
            Some(seen) => check::check(case, exchange, &seen, fill),
            None if self.is_unreached(case) && case.pass.is_none() => Ok(()),
            None => Err("it never reaches this door".to_owned()),
        }
    }

    fn is_unreached(&self, case: &Case) -> bool {
        case.never_reaches.iter().any(|door| door == D::NAME)
    }

    fn exchange(&self, case: &Case) -> Result<Exchange, String> {
        let (method, target) =
            case.request.split_once(' ').ok_or("a request is a method, a space and a target")?;
        let mut exchange = Exchange::new(method, &self.tokens.fill(target)?, case.host.as_deref())?;
        if let Some(token) = &case.token {
            exchange.add("authorization", &format!("Bearer {}", self.tokens.get(token)?))?;
        }
        for (name, values) in &case.headers {
            for value in values.iter() {
                exchange.add(name, &self.tokens.fill(value)?)?;
            }
        }
        Ok(exchange)
    }
}

fn parse(name: &str, policy: &str) -> Plan {
    config::parse(name, policy, &Environment::empty()).unwrap_or_else(|problems| panic!("{problems}"))
}

/// A gate of this plan, whose keys come from the file's issuers.
async fn gate(plan: Plan, tokens: &Tokens, clock: &ManualClock) -> Arc<Gate> {
    let mut builder = Gate::builder(plan.policy).cache_bytes(plan.cache.size).clock(Arc::new(clock.clone()));
    for settings in &plan.issuers {
        let mut sources = IssuerSources::new(settings.issuer.as_str(), tokens.key_source(&settings.name));
        sources.wait = settings.keys.wait;
        builder = builder.issuer(sources);
    }
    let gate = builder.max_lifetime(plan.cache.max_lifetime).build();
    // An issuer that is down never becomes ready.
    gate.ready(Duration::from_millis(if tokens.all_up() { 5_000 } else { 50 })).await;
    Arc::new(gate)
}
