//! What the end-to-end tests stand on: the issuer, the gateway and the upstream as things with a start, an end, and bounded waits.

mod gateway;
mod issuer;
mod process;
mod upstream;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

pub(crate) use gateway::Gateway;
pub(crate) use issuer::{Issuer, Wish, jwt, opaque};
pub(crate) use upstream::Upstream;

/// The audience that the tests' gateways ask for.
pub(crate) const AUDIENCE: &str = "https://api.test/orders";

/// Tries every 20 ms, for at most 20 s, until there is an answer.
pub(crate) async fn eventually<T>(what: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..1000 {
        if let Some(found) = attempt().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("waited 20 s in vain until {what}");
}

/// A client that follows no redirects and waits at most 20 s.
fn http() -> reqwest::Client {
    // Whoever comes second finds one installed, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    client.timeout(Duration::from_secs(20)).build().unwrap()
}

/// A folder of the test's own, gone when it ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("e2e-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind lies in `target/tmp`, and harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
