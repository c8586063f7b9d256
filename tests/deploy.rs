//! The files in `deploy` that hold a configuration hold a good one.

#![cfg(feature = "config")]

use tollgate::config::{self, Environment};

#[test]
fn the_kubernetes_manifest_carries_a_sound_configuration() {
    let manifest = include_str!("../deploy/kubernetes.yaml");
    let (_, from_here) = manifest.split_once("  tollgate.yaml: |\n").unwrap();
    let lines = from_here.lines().map_while(|line| line.strip_prefix("    "));
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    let plan = config::parse("kubernetes.yaml", &text, &Environment::empty()).unwrap();
    assert!(plan.warnings.is_empty(), "{:#?}", plan.warnings);
    assert_eq!(plan.policy.routes().len(), 1);
    assert!(plan.gateway.admin.is_some(), "the probes need the admin listener");
}
