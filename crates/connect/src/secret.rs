//! Credentials: a text that does not print itself, and its encryption at rest.

use crate::{ConnectError, Result};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rand::RngCore as _;
use std::fmt;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

/// A text that must not be printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "(unset)" } else { "(secret)" })
    }
}

const NONCE: usize = 24;
/// The first byte of what is sealed: how it is sealed.
const VERSION: u8 = 1;

/// Encrypts by XChaCha20-Poly1305 with a random nonce. What is sealed for one name does not open for another.
#[derive(Clone)]
pub struct Sealer(Arc<XChaCha20Poly1305>);

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

impl Sealer {
    /// `key`: 64 hexadecimal digits.
    pub fn new(key: &Secret) -> Result<Self> {
        let bytes = hex::decode(key.reveal().trim()).unwrap_or_default();
        let cipher = XChaCha20Poly1305::new_from_slice(&bytes).map_err(|_| {
            ConnectError::Wrong("The key for credentials is not 64 hexadecimal digits.".to_owned())
        })?;
        Ok(Self(Arc::new(cipher)))
    }

    pub fn seal(&self, name: &str, plain: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE];
        rand::rng().fill_bytes(&mut nonce);
        let payload = Payload {
            msg: plain,
            aad: name.as_bytes(),
        };
        let sealed = self
            .0
            .encrypt(XNonce::from_slice(&nonce), payload)
            .map_err(|_| ConnectError::Wrong("The credentials cannot be encrypted.".to_owned()))?;
        Ok([&[VERSION][..], &nonce, &sealed].concat())
    }

    /// Errors when it was sealed with another key or for another name, or changed since.
    pub fn open(&self, name: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let wrong = || {
            ConnectError::Wrong(
                "The stored credentials do not open with this server's key. Put the old secret.key back, or give the \
                 credentials anew."
                    .to_owned(),
            )
        };
        let (head, body) = sealed.split_at_checked(1 + NONCE).ok_or_else(wrong)?;
        if head[0] != VERSION {
            return Err(wrong());
        }
        let payload = Payload {
            msg: body,
            aad: name.as_bytes(),
        };
        self.0
            .decrypt(XNonce::from_slice(&head[1..]), payload)
            .map_err(|_| wrong())
    }
}

/// The key of a file, which is made with one when missing: nobody else may read it. Blocking.
pub fn key_file(path: &Path) -> std::io::Result<Secret> {
    for _ in 0..2 {
        match std::fs::read_to_string(path) {
            Ok(text) => return Ok(Secret::new(text.trim())),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
        let mut key = [0; 32];
        rand::rng().fill_bytes(&mut key);
        // Whole before it has its name: two processes that start at once agree on one.
        let draft = path.with_extension(format!("key.{}", hex::encode(&key[..4])));
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        rand::rng().fill_bytes(&mut key);
        let mut file = options.open(&draft)?;
        writeln!(file, "{}", hex::encode(key))?;
        file.sync_all()?;
        let linked = std::fs::hard_link(&draft, path);
        std::fs::remove_file(&draft)?;
        match linked {
            Ok(()) => return Ok(Secret::new(hex::encode(key))),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
        }
    }
    std::fs::read_to_string(path).map(|t| Secret::new(t.trim()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn sealer(digit: &str) -> Sealer {
        Sealer::new(&Secret::new(digit.repeat(64))).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_for_its_name_and_key_alone() {
        let s = sealer("a");
        let sealed = s.seal("one", b"hunter2").unwrap();
        assert!(!sealed.windows(7).any(|w| w == b"hunter2"));
        assert_eq!(s.open("one", &sealed).unwrap(), b"hunter2");
        assert_ne!(
            sealed,
            s.seal("one", b"hunter2").unwrap(),
            "another nonce each time"
        );
        assert!(s.open("two", &sealed).is_err());
        assert!(sealer("b").open("one", &sealed).is_err());
        for n in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[n] ^= 1;
            assert!(s.open("one", &bad).is_err(), "byte {n}");
            assert!(s.open("one", &sealed[..n]).is_err(), "cut at {n}");
        }
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        for bad in ["", "ab", &"g".repeat(64), &"a".repeat(63)] {
            assert!(Sealer::new(&Secret::new(bad)).is_err(), "{bad}");
        }
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "(secret)");
    }

    #[test]
    fn the_key_file_is_made_once_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        let one = key_file(&path).unwrap();
        assert_eq!(one, key_file(&path).unwrap());
        assert_eq!(one.reveal().len(), 64);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(
                std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        assert_eq!(
            std::fs::read_dir(dir.path()).unwrap().count(),
            1,
            "no draft is left"
        );
    }
}
