//! What these tests share.

use bytes::Bytes;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tollgate::gate::{KeySource, SourceError};
use tollgate::remote::{Client, ClientSettings};
use tollgate::testing::ManualClock;
use tollgate::time::SystemClock;

/// Time enough on a busy machine, where an answer is expected.
pub(crate) fn patient() -> ClientSettings {
    ClientSettings { timeout: Duration::from_secs(20), ..ClientSettings::default() }
}

pub(crate) fn client() -> Client {
    Client::new(&patient(), Arc::new(SystemClock::new())).unwrap()
}

pub(crate) fn hasty(timeout: Duration) -> Client {
    let settings = ClientSettings { timeout, ..ClientSettings::default() };
    Client::new(&settings, Arc::new(SystemClock::new())).unwrap()
}

pub(crate) fn client_at(clock: &ManualClock) -> Client {
    Client::new(&patient(), Arc::new(clock.clone())).unwrap()
}

pub(crate) async fn fetch(source: &dyn KeySource) -> Result<Bytes, SourceError> {
    source.fetch().await
}

/// A path for a file of this test.
pub(crate) fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("tollgate-remote-{}-{name}", std::process::id()))
}
