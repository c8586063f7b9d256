//! A secret that we authenticate with.

use super::SetupError;
use super::watched::Watched;
use crate::time::Clock;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A secret, or the file that it is read from, again each time that the file changes. It is wiped from memory when it is dropped,
/// and no `Debug` shows it.
///
/// ```
/// use tollgate::remote::Secret;
///
/// let secret = Secret::new("hunter2")?;
/// assert_eq!(format!("{secret:?}"), "Secret(***)");
/// # Ok::<(), tollgate::remote::SetupError>(())
/// ```
pub struct Secret(Kept);

enum Kept {
    Value(Arc<Zeroizing<String>>),
    File(Watched<Zeroizing<String>>),
}

impl Secret {
    /// This secret.
    ///
    /// # Errors
    /// [`SetupError::Value`] if it is empty, or has control characters in it.
    pub fn new(secret: &str) -> Result<Self, SetupError> {
        fits(secret).map_err(|_| SetupError::Value("a secret is empty, or has control characters in it"))?;
        Ok(Self(Kept::Value(Arc::new(Zeroizing::new(secret.to_owned())))))
    }

    /// The secret in this file. A newline at its end is no part of it. When it is used, at most once a second, the file is looked at
    /// and read again if it has changed; if it can't be read then, the last secret stays in use.
    ///
    /// # Errors
    /// [`SetupError::File`] if it can't be read, is not UTF-8, or holds no secret, now.
    pub fn from_file(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, SetupError> {
        Watched::open(path, clock, read).map(Kept::File).map(Self)
    }

    pub(super) fn get(&self) -> Arc<Zeroizing<String>> {
        match &self.0 {
            Kept::Value(secret) => secret.clone(),
            Kept::File(file) => file.get(),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kept::Value(_) => f.write_str("Secret(***)"),
            Kept::File(file) => write!(f, "Secret(*** from {})", file.path().display()),
        }
    }
}

fn read(bytes: &[u8]) -> Result<Zeroizing<String>, Box<str>> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
    let secret = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    fits(secret)?;
    Ok(Zeroizing::new(secret.to_owned()))
}

fn fits(secret: &str) -> Result<(), &'static str> {
    match secret {
        "" => Err("it is empty"),
        _ if secret.contains(char::is_control) => {
            Err("it has more than one line, or control characters in it")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ManualClock;

    #[test]
    fn the_newline_at_the_end_is_no_part_of_it() {
        for text in ["hunter2", "hunter2\n", "hunter2\r\n"] {
            assert_eq!(read(text.as_bytes()).unwrap().as_str(), "hunter2");
        }
        assert_eq!(read(b" a b \n").unwrap().as_str(), " a b ", "blanks are");
        for bad in [&b""[..], b"\n", b"a\nb", b"a\n\n", b"\xff", b"a\0"] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn it_is_never_shown() {
        let path = std::env::temp_dir().join(format!("tollgate-secret-{}", std::process::id()));
        std::fs::write(&path, "hunter2\n").unwrap();
        let secret = Secret::from_file(&path, Arc::new(ManualClock::new())).unwrap();
        assert_eq!(secret.get().as_str(), "hunter2");
        assert!(!format!("{secret:?}").contains("hunter2"));
        std::fs::remove_file(&path).unwrap();
        let error = Secret::new("hunter\n2").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter"));
    }
}
