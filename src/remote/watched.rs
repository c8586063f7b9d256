//! A file that is read again when it changes.

use super::SetupError;
use crate::time::Clock;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

/// What a file holds, read into a value.
///
/// 1. At most once a second, when the value is used, the file's time and length are looked at.
/// 2. If they have changed, the file is read again.
/// 3. If it can't be read then, or holds nothing usable, the last value stays in use, and a warning tells why.
///
/// Looking and reading block for as long as a local file takes: such a file is short.
pub(super) struct Watched<T> {
    path: PathBuf,
    read: fn(&[u8]) -> Result<T, Box<str>>,
    clock: Arc<dyn Clock>,
    state: Mutex<State<T>>,
}

struct State<T> {
    value: Arc<T>,
    stamp: Stamp,
    looked: Duration,
}

/// What tells one version of a file from the next.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
}

impl<T> Watched<T> {
    /// Reads the file for the first time.
    pub(super) fn open(
        path: &Path,
        clock: Arc<dyn Clock>,
        read: fn(&[u8]) -> Result<T, Box<str>>,
    ) -> Result<Self, SetupError> {
        let unreadable = |error: io::Error| SetupError::file(path, told(&error));
        let stamp = Stamp::of(path).map_err(unreadable)?;
        let bytes = contents(path, MAX_BYTES).map_err(unreadable)?;
        let value = Arc::new(read(&bytes).map_err(|reason| SetupError::file(path, reason))?);
        let state = Mutex::new(State { value, stamp, looked: clock.elapsed() });
        Ok(Self { path: path.into(), read, clock, state })
    }

    /// What the file holds now, or held when it last held something usable.
    pub(super) fn get(&self) -> Arc<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.elapsed();
        if now.saturating_sub(state.looked) >= LOOK_EVERY {
            state.looked = now;
            if let Err(reason) = self.look(&mut state) {
                let path = self.path.display();
                tracing::warn!(%path, %reason, "the file can't be used; what it held before stays in use");
            }
        }
        state.value.clone()
    }

    fn look(&self, state: &mut State<T>) -> Result<(), Box<str>> {
        let stamp = Stamp::of(&self.path).map_err(|error| told(&error))?;
        if stamp != state.stamp {
            let bytes = contents(&self.path, MAX_BYTES).map_err(|error| told(&error))?;
            state.value = Arc::new((self.read)(&bytes)?);
            // Only now: a file that was caught half-written is looked at again.
            state.stamp = stamp;
            tracing::info!(path = %self.path.display(), "the file has changed, and was read again");
        }
        Ok(())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Stamp {
    fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is not a file"));
        }
        Ok(Self { modified: metadata.modified().ok(), bytes: metadata.len() })
    }
}

/// The bytes of a file of at most `limit` bytes, wiped when they are dropped.
pub(super) fn contents(path: &Path, limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    // Room for all of it at once: a vector that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(limit + 1));
    fs::File::open(path)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        return Err(io::Error::other(format!("it is longer than {limit} bytes")));
    }
    Ok(bytes)
}

fn told(error: &io::Error) -> Box<str> {
    error.to_string().into()
}

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Secrets, keys and certificates are far shorter.
pub(super) const MAX_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ManualClock;

    fn text(bytes: &[u8]) -> Result<String, Box<str>> {
        match bytes {
            [] => Err("it is empty".into()),
            _ => Ok(String::from_utf8_lossy(bytes).into_owned()),
        }
    }

    #[test]
    fn a_changed_file_is_read_again_after_a_second() {
        let path = std::env::temp_dir().join(format!("tollgate-watched-{}", std::process::id()));
        let clock = ManualClock::new();
        fs::write(&path, "one").unwrap();
        let watched = Watched::open(&path, Arc::new(clock.clone()), text).unwrap();
        fs::write(&path, "three").unwrap();
        assert_eq!(*watched.get(), "one", "not yet");
        clock.advance(LOOK_EVERY);
        assert_eq!(*watched.get(), "three");

        fs::write(&path, "").unwrap();
        clock.advance(LOOK_EVERY);
        assert_eq!(*watched.get(), "three", "half-written");
        fs::remove_file(&path).unwrap();
        clock.advance(LOOK_EVERY);
        assert_eq!(*watched.get(), "three", "gone");
        fs::write(&path, "seven").unwrap();
        clock.advance(LOOK_EVERY);
        assert_eq!(*watched.get(), "seven");
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn what_is_no_short_file_is_refused() {
        let refused = |path: &Path| {
            Watched::open(path, Arc::new(ManualClock::new()), text).map(drop).unwrap_err().to_string()
        };
        assert!(refused(Path::new("/nowhere/at/all")).starts_with("`/nowhere/at/all` can't be used: "));
        assert!(refused(&std::env::temp_dir()).ends_with("it is not a file"));
        let path = std::env::temp_dir().join(format!("tollgate-watched-long-{}", std::process::id()));
        fs::write(&path, vec![b'x'; MAX_BYTES + 1]).unwrap();
        assert!(refused(&path).ends_with("it is longer than 65536 bytes"));
        fs::remove_file(&path).unwrap();
    }
}
