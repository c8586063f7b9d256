//! A gate that shares what it knows, with its memory and its issuer within reach.

use crate::house::{API, Answers, House, Outcome};
use crate::server::RedisServer;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tollgate::gate::{Event, IntrospectionSettings, Observer};
use tollgate::shared::{RedisMemory, RedisSettings, Secret, Server};
use tollgate::testing::ManualClock;
use zeroize::Zeroizing;

pub const TOKEN: &str = "2YotnFZFEjr1zCsicMWpAA";
pub const INACTIVE: &str = r#"{"active":false}"#;

/// 32 bytes of this value, in base64.
pub const KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
pub const OTHER_KEY: &str = "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=";

pub const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// An hour of access for Alice.
pub fn active() -> String {
    let exp = ManualClock::START.as_secs() + 3_600;
    format!(
        r#"{{"active":true,"aud":"{API}","client_id":"shop","scope":"orders:read","sub":"alice","exp":{exp}}}"#
    )
}

pub fn secret(text: &str) -> Secret {
    Secret::Value(Zeroizing::new(text.to_owned()))
}

pub fn settings(server: &RedisServer) -> RedisSettings {
    RedisSettings::new(Server::parse(&server.url()).unwrap(), secret(KEY))
}

pub struct Gateway {
    pub house: House,
    pub answers: Arc<Answers>,
    pub memory: Arc<RedisMemory>,
    /// Whether the memory could be reached, each time that it was told.
    pub told: Arc<Told>,
    /// Whether all that is revoked was read before anything was asked.
    pub read: bool,
}

#[derive(Default)]
pub struct Told(Mutex<Vec<bool>>);

impl Told {
    pub fn all(&self) -> Vec<bool> {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for Told {
    fn event(&self, event: &Event<'_>) {
        if let Event::SharedMemory { reachable } = event {
            self.0.lock().unwrap().push(*reachable);
        }
    }
}

impl Gateway {
    /// Its issuer answers so.
    pub async fn join(settings: &RedisSettings, clock: &ManualClock, line: &str) -> Self {
        let gateway = Self::try_join(settings, clock, line).await;
        assert!(gateway.read, "redis can't be reached");
        gateway
    }

    pub async fn try_join(settings: &RedisSettings, clock: &ManualClock, line: &str) -> Self {
        let answers = Answers::new([Ok(line.to_owned())]);
        let told = Arc::new(Told::default());
        let memory = RedisMemory::new(settings.clone(), Arc::new(clock.clone()), told.clone()).unwrap();
        let asking = IntrospectionSettings::default();
        let house = House::sharing(&answers, asking, clock, memory.clone()).await;
        let read = memory.serve(&house.gate).await;
        Self { house, answers, memory, told, read }
    }

    pub async fn get(&self) -> Outcome {
        self.house.get(TOKEN).await
    }

    /// How often the issuer was asked.
    pub fn asked(&self) -> usize {
        self.answers.times()
    }
}

/// Waits until it holds.
pub async fn eventually(limit: Duration, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < limit, "it did not happen within {limit:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
