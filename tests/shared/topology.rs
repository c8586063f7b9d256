//! More than one server: a cluster, and a master that sentinels name.

use crate::gateway::{Gateway, INACTIVE, active, eventually, secs, settings};
use crate::house::Outcome;
use crate::server::{RedisServer, free_port};
use std::time::Duration;
use tollgate::gate::{CLOCK_SKEW, Selector};
use tollgate::shared::{RedisMode, RedisSettings, Server};
use tollgate::testing::ManualClock;

/// Two gateways share answers and invalidations.
async fn they_share(first: &Gateway, second: &Gateway, clock: &ManualClock, tokens: &[&str]) {
    for token in tokens {
        assert_eq!(first.house.get(token).await, Outcome::Allowed);
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    for token in tokens {
        assert_eq!(second.house.get(token).await, Outcome::Allowed);
    }
    assert_eq!(second.asked(), 0);
    let revoked = second.house.gate.revoked();
    first.house.gate.revoke(&Selector::token(tokens[0]), None).unwrap();
    eventually(secs(1), || second.house.gate.revoked() == revoked + 1).await;
    clock.advance(CLOCK_SKEW + secs(1));
}

#[tokio::test]
async fn a_cluster_of_three_nodes() {
    let options = ["cluster-enabled yes", "cluster-node-timeout 2000"];
    // The bus of the cluster takes a second port, by default one that may not exist.
    let nodes: Vec<_> = (0..3)
        .map(|_| RedisServer::with(&[&options[..], &[&format!("cluster-port {}", free_port())]].concat()))
        .collect();
    for (n, (node, slots)) in nodes.iter().zip([(0, 5_000), (5_001, 10_000), (10_001, 16_383)]).enumerate() {
        let mut redis = node.connection();
        redis::cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(slots.0).arg(slots.1).exec(&mut redis).unwrap();
        redis::cmd("CLUSTER").arg("SET-CONFIG-EPOCH").arg(n + 1).exec(&mut redis).unwrap();
    }
    let bus = |node: &RedisServer| -> u16 {
        let list: Vec<String> =
            redis::cmd("CONFIG").arg("GET").arg("cluster-port").query(&mut node.connection()).unwrap();
        list[1].parse().unwrap()
    };
    for node in &nodes[1..] {
        let mut meet = redis::cmd("CLUSTER");
        meet.arg("MEET").arg("127.0.0.1").arg(nodes[0].port).arg(bus(&nodes[0]));
        meet.exec(&mut node.connection()).unwrap();
    }
    let agreed = |node: &RedisServer| {
        let info: String = redis::cmd("CLUSTER").arg("INFO").query(&mut node.connection()).unwrap();
        info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
    };
    eventually(secs(20), || nodes.iter().all(agreed)).await;

    let clock = ManualClock::new();
    // One is told of one node, the other of another: they find the rest.
    let cluster = |node: &RedisServer| RedisSettings { mode: RedisMode::Cluster, ..settings(node) };
    let first = Gateway::join(&cluster(&nodes[0]), &clock, &active()).await;
    let second = Gateway::join(&cluster(&nodes[1]), &clock, INACTIVE).await;
    let tokens: Vec<_> = (0..30).map(|n| format!("token-number-{n}")).collect();
    let tokens: Vec<_> = tokens.iter().map(String::as_str).collect();
    they_share(&first, &second, &clock, &tokens).await;
    for node in &nodes {
        assert!(!node.keys("tollgate:answer:").is_empty(), "they are spread over all nodes");
    }
    let late = Gateway::join(&cluster(&nodes[2]), &clock, INACTIVE).await;
    assert_eq!(late.house.gate.revoked(), 1);
}

#[tokio::test]
async fn a_master_that_sentinels_name_and_its_successor() {
    let mut master = RedisServer::start();
    let replica = RedisServer::with(&[&format!("replicaof 127.0.0.1 {}", master.port)]);
    let sentinel = RedisServer::sentinel(master.port);
    let synced = || {
        let info: String = redis::cmd("INFO").arg("replication").query(&mut replica.connection()).unwrap();
        let seen: String = redis::cmd("INFO").arg("sentinel").query(&mut sentinel.connection()).unwrap();
        info.contains("master_link_status:up") && seen.contains("slaves=1")
    };
    eventually(secs(20), synced).await;

    let clock = ManualClock::new();
    let mode = RedisMode::Sentinel { master: "main".into(), username: None, password: None };
    let servers = vec![Server::parse(&sentinel.url()).unwrap()];
    let settings = RedisSettings { mode, servers, ..settings(&sentinel) };
    let first = Gateway::join(&settings, &clock, &active()).await;
    let second = Gateway::join(&settings, &clock, INACTIVE).await;
    they_share(&first, &second, &clock, &["token-number-1", "token-number-2"]).await;
    let count: usize = redis::cmd("ZCARD").arg("tollgate:revoked").query(&mut master.connection()).unwrap();
    assert_eq!(count, 1, "it is the master that is written to");

    master.kill();
    eventually(secs(2), || !first.memory.is_reachable()).await;
    first.house.gate.revoke(&Selector::token("token-number-3"), None).unwrap();
    eventually(secs(30), || first.memory.is_reachable() && second.memory.is_reachable()).await;
    eventually(secs(5), || second.house.gate.revoked() == 2).await;
    they_share(&first, &second, &clock, &["token-number-4", "token-number-5"]).await;
}
