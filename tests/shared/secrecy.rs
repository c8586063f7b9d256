//! What somebody learns who reads all that is in Redis, and all that is said to it.

use crate::gateway::{Gateway, TOKEN, active, eventually, secs, settings};
use crate::house::{AS, Outcome};
use crate::server::RedisServer;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use tollgate::gate::{Selector, What};
use tollgate::testing::ManualClock;
use tollgate::token::Fingerprint;

/// Everything that is said to this server from now on, until it is read.
fn monitor(server: &RedisServer) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    stream.write_all(b"MONITOR\r\n").unwrap();
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+OK\r\n");
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    stream
}

/// Every key with all that it holds.
fn dump(server: &RedisServer) -> Vec<u8> {
    let mut redis = server.connection();
    let mut all = Vec::new();
    for key in server.keys("") {
        all.extend_from_slice(key.as_bytes());
        let kind: String = redis::cmd("TYPE").arg(&key).query(&mut redis).unwrap();
        match kind.as_str() {
            "string" => all.extend(redis::cmd("GET").arg(&key).query::<Vec<u8>>(&mut redis).unwrap()),
            "zset" => {
                let members = redis::cmd("ZRANGE").arg(&key).arg(0).arg(-1).query::<Vec<Vec<u8>>>(&mut redis);
                all.extend(members.unwrap().concat());
            }
            kind => panic!("there is a {kind}"),
        }
    }
    all
}

#[tokio::test]
async fn neither_tokens_nor_claims_nor_fingerprints_are_in_redis_or_on_the_way() {
    let (server, clock) = (RedisServer::start(), ManualClock::new());
    let mut overheard = monitor(&server);
    let first = Gateway::join(&settings(&server), &clock, &active()).await;
    let second = Gateway::join(&settings(&server), &clock, &active()).await;
    let signed = first.house.token();
    assert_eq!(first.get().await, Outcome::Allowed);
    assert_eq!(first.house.get(&signed).await, Outcome::Allowed);
    server.has(1, "tollgate:answer:").await;
    assert_eq!(second.get().await, Outcome::Allowed);
    let selectors = [
        Selector::token(&signed),
        Selector::token(TOKEN),
        Selector::new(What::Subject("alice".into())),
        Selector::new(What::Client("shop".into())),
    ];
    for selector in &selectors {
        first.house.gate.revoke(selector, None).unwrap();
    }
    eventually(secs(1), || second.house.gate.revoked() == selectors.len()).await;

    let mut all = dump(&server);
    let mut buffer = [0; 65_536];
    while let Ok(count @ 1..) = overheard.read(&mut buffer) {
        all.extend_from_slice(&buffer[..count]);
    }
    let said = String::from_utf8_lossy(&all).into_owned();
    for command in ["\"GETRANGE\"", "\"SET\"", "\"ZADD\"", "\"PUBLISH\"", "\"SUBSCRIBE\""] {
        assert!(said.contains(command), "{command} was overheard");
    }
    let prints = [Fingerprint::of(TOKEN), Fingerprint::of(TOKEN).at_issuer(AS), Fingerprint::of(&signed)];
    let mut secrets: Vec<Vec<u8>> =
        [TOKEN, &signed, "alice", "orders:read", "shop", "active", "as.example", "api.example", "client_id"]
            .map(|text| text.as_bytes().to_vec())
            .into();
    secrets.extend(signed.split('.').map(|part| part.as_bytes().to_vec()));
    for print in prints {
        let bytes = print.as_bytes();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        secrets.push(bytes[..8].to_vec());
        secrets.push(hex.as_bytes()[..16].to_vec());
        secrets.push(STANDARD.encode(bytes).as_bytes()[..20].to_vec());
        secrets.push(URL_SAFE_NO_PAD.encode(bytes).as_bytes()[..20].to_vec());
    }
    for secret in secrets {
        let found = all.windows(secret.len()).any(|window| window == secret);
        assert!(!found, "{:?} can be read", String::from_utf8_lossy(&secret));
    }
}
