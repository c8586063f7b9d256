use super::*;
use crate::config::{HostPort, Timeouts};

fn settings(name: &str, addresses: &[&str]) -> UpstreamSettings {
    UpstreamSettings {
        name: name.into(),
        addresses: addresses.iter().map(|address| HostPort::parse(address).unwrap()).collect(),
        tls: None,
        protocol: Protocol::Http1,
        strip_prefix: None,
        add_prefix: None,
        health_check: None,
        timeouts: Timeouts::default(),
        keepalive: 1,
        host: HostHeader::Preserve,
    }
}

async fn started(settings: Vec<UpstreamSettings>, before: &Upstreams) -> Upstreams {
    let upstreams = Upstreams::new(settings, before, SystemRoots::Loaded).unwrap();
    upstreams.start(before).await;
    upstreams
}

fn to(name: Option<&str>) -> Handling {
    Handling { upstream: name.map(Into::into), ..Handling::default() }
}

#[tokio::test]
async fn addresses_take_turns_and_the_sick_are_passed_over() {
    let addresses = ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"];
    let upstreams = started(vec![settings("a", &addresses)], &Upstreams::default()).await;
    let upstream = upstreams.of(&to(Some("a"))).unwrap();
    let ports = |turns: usize| -> Vec<u16> {
        (0..turns).map(|_| upstream.target(upstream.next_turn()).unwrap().address().port()).collect()
    };
    assert_eq!(ports(6), [1, 2, 3, 1, 2, 3]);
    let second = upstream.target(1).unwrap();
    second.set_well(false);
    assert_eq!(ports(6), [1, 3, 3, 1, 3, 3]);
    (0..3).for_each(|turn| upstream.target(turn).unwrap().set_well(false));
    upstream.targets.load().iter().for_each(|target| target.set_well(false));
    assert_eq!(ports(3), [1, 2, 3], "if none is well, all are tried");
}

#[tokio::test]
async fn a_reload_keeps_what_is_unchanged() {
    let before = started(
        vec![settings("a", &["127.0.0.1:1"]), settings("b", &["127.0.0.1:2"])],
        &Upstreams::default(),
    )
    .await;
    assert!(before.of(&to(None)).is_none(), "there are two");
    let after =
        started(vec![settings("a", &["127.0.0.1:1"]), settings("c", &["127.0.0.1:3"])], &before).await;
    let same = |name| Arc::ptr_eq(before.of(&to(Some(name))).unwrap(), after.of(&to(Some(name))).unwrap());
    assert!(same("a"));
    assert!(after.of(&to(Some("b"))).is_none());
    let one = started(vec![settings("a", &["127.0.0.1:9"])], &after).await;
    assert_eq!(one.of(&to(None)).unwrap().target(0).unwrap().address().port(), 9);
}

#[tokio::test]
async fn a_policy_s_requests_go_to_its_own_upstreams() {
    let policies = [(); 3].map(|()| Arc::new(Policy::default()));
    let [old, new, other] = &policies;
    let before = InForce::new(old.clone(), Upstreams::default());
    let after = InForce::new(new.clone(), Upstreams::default());
    let during = after.replacing(old.clone(), before.newest().clone());
    let same =
        |one: Option<&Arc<Upstreams>>, two: &InForce| one.is_some_and(|one| Arc::ptr_eq(one, two.newest()));
    assert!(same(before.of(old), &before) && before.of(new).is_none());
    assert!(same(during.of(old), &before) && same(during.of(new), &after) && during.of(other).is_none());
    assert!(same(after.of(new), &after) && after.of(old).is_none());
}

#[tokio::test]
async fn a_name_that_can_t_be_resolved_takes_nothing_else_down() {
    let upstreams =
        started(vec![settings("a", &["nobody.invalid:1", "127.0.0.1:2"])], &Upstreams::default()).await;
    let upstream = upstreams.of(&to(None)).unwrap();
    assert_eq!((upstream.addresses(), upstream.target(0).unwrap().address().port()), (1, 2));
}

#[tokio::test]
async fn names_are_resolved_and_certificates_checked_for_them() {
    let tls = |server_name: Option<&str>, host: &str| UpstreamSettings {
        tls: Some(crate::config::UpstreamTls {
            server_name: server_name.map(Into::into),
            ..Default::default()
        }),
        ..settings("a", &[host])
    };
    let sni = async |settings| {
        let upstreams = started(vec![settings], &Upstreams::default()).await;
        upstreams.of(&to(None)).unwrap().target(0).unwrap().peer().sni.clone()
    };
    assert_eq!(sni(tls(None, "localhost:1")).await, "localhost");
    assert_eq!(sni(tls(None, "127.0.0.1:1")).await, "127.0.0.1");
    assert_eq!(sni(tls(Some("api.internal"), "127.0.0.1:1")).await, "api.internal");
    for bad in [tls(Some("a_b.c.internal"), "127.0.0.1:1"), tls(None, "a_b.c.internal:1")] {
        let refused = Upstreams::new(vec![bad], &Upstreams::default(), SystemRoots::Loaded);
        assert!(matches!(refused, Err(TlsError::Name(_))));
    }
}
