//! No door at all: the gate itself, with the policy that the gateway has.

use crate::case::Case;
use crate::house::House;
use crate::judge::Outcome;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::sync::Arc;
use tollgate::config::{self, Environment};
use tollgate::gate::{Gate, IssuerSources, StaticKeys, Verdict};
use tollgate::policy::{AnswerForm, Decision, Permit, RequestHead};

/// A gate with this configuration and this key set.
pub fn open(config: &str, keys: String) -> Gate {
    let plan = config::parse("tollgate.yaml", config, &Environment::empty()).unwrap();
    let sources = IssuerSources::new(plan.issuers[0].issuer.as_str(), Arc::new(StaticKeys::new(keys)));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let gate = Gate::builder(plan.policy).issuer(sources).build();
        assert!(gate.ready(std::time::Duration::from_secs(5)).await);
        gate
    })
}

/// Asks the gate about a case, and returns what came of it: what arrives is what every door makes of a permit.
pub fn ask(house: &House, gate: &Gate, case: &Case) -> Outcome {
    let parts = case.parts(house);
    let method = Method::from_bytes(&parts.method).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static("api.test"));
    for (name, value) in &parts.fields {
        let name = HeaderName::from_bytes(name).unwrap();
        headers.append(name, HeaderValue::from_bytes(value).unwrap());
    }
    let head = RequestHead::new(&method, &parts.target, &headers).with_authority(Some("api.test"));
    let Verdict::Decided(decision) = gate.decide_now(&head) else {
        panic!("{}: there is nothing to find out", case.attack)
    };
    match decision {
        Decision::Deny(denial) => {
            let answer = denial.answer(AnswerForm::of(&head));
            let told = format!("{:?}", answer.headers).replace("\\\"", "\"");
            Outcome { status: Some(answer.status.as_u16().to_string()), told, arrived: Vec::new() }
        }
        Decision::Allow(permit) => {
            let line = format!("{method} {} HTTP/1.1\r\n", String::from_utf8_lossy(&parts.target));
            let arrived = line.into_bytes().into_iter().chain(forwarded(&headers, &permit)).collect();
            Outcome { status: Some("200".into()), told: String::new(), arrived: vec![arrived] }
        }
    }
}

fn forwarded(headers: &HeaderMap, permit: &Permit) -> Vec<u8> {
    let identity = permit.policy().identity();
    let kept =
        headers.iter().filter(|(name, _)| *name != AUTHORIZATION && !identity.rules().strips(name.as_str()));
    let set: Vec<_> = identity.fields(permit).map(|(name, value)| (name.clone(), value)).collect();
    let set = set.iter().map(|(name, value)| (name, value));
    let line = |(name, value): (&HeaderName, &HeaderValue)| {
        [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat()
    };
    kept.chain(set).flat_map(line).collect()
}
