//! Passwords: argon2id on blocking threads, a few at a time.

use crate::{Error, Result};
use anyhow::anyhow;
use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use limn_domain::Code;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Each hash takes 19 MiB and a core for some ten milliseconds, so only few run at once.
static SLOTS: LazyLock<Semaphore> = LazyLock::new(|| {
    Semaphore::new(
        std::thread::available_parallelism()
            .map_or(2, usize::from)
            .clamp(1, 4),
    )
});
/// Those waiting for a slot.
static WAITING: AtomicUsize = AtomicUsize::new(0);
/// Beyond this many a flood is turned away instead of queued.
const WAITING_MAX: usize = 256;
/// Longest password hashed at all, in bytes.
const BYTES_MAX: usize = 4_096;

/// What is checked when there is no such person, so that the answer takes the same time.
static NOBODY: LazyLock<Option<String>> = LazyLock::new(|| hash_blocking(&super::secret::new()).ok());

/// The right to hash one password.
pub(super) struct Slot {
    _permit: SemaphorePermit<'static>,
}

struct Waiting;

impl Waiting {
    fn new() -> Result<Self> {
        if WAITING.fetch_add(1, Ordering::Relaxed) >= WAITING_MAX {
            WAITING.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::new(
                Code::TooManyRequests,
                "Too many people are signing in. Try again in a moment.",
            ));
        }
        Ok(Self)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Waits for a slot.
pub(super) async fn slot() -> Result<Slot> {
    let _waiting = Waiting::new()?;
    let permit = SLOTS.acquire().await.map_err(|e| anyhow!(e))?;
    Ok(Slot { _permit: permit })
}

/// The argon2id hash of a new password, as a PHC string.
pub(crate) async fn hash(password: &str) -> Result<String> {
    let slot = slot().await?;
    let password = password.to_owned();
    let hashed = tokio::task::spawn_blocking(move || {
        // Held until the work is done, even when the caller has gone away.
        let _slot = slot;
        hash_blocking(&password)
    })
    .await
    .map_err(|e| anyhow!(e))??;
    Ok(hashed)
}

fn hash_blocking(password: &str) -> anyhow::Result<String> {
    SaltString::encode_b64(&rand::random::<[u8; 16]>())
        .and_then(|salt| {
            Argon2::default()
                .hash_password(password.as_bytes(), &salt)
                .map(|h| h.to_string())
        })
        .map_err(|e| anyhow!("cannot hash a password: {e}"))
}

/// Whether the password is right; takes as long when there is no hash to compare with.
pub(super) async fn verify(slot: &mut Option<Slot>, password: &str, hash: Option<String>) -> Result<bool> {
    let password = password.to_owned();
    let held = slot.take();
    let (right, held) =
        tokio::task::spawn_blocking(move || (verify_blocking(&password, hash.as_deref()), held))
            .await
            .map_err(|e| anyhow!(e))?;
    *slot = held;
    Ok(right)
}

fn verify_blocking(password: &str, hash: Option<&str>) -> bool {
    let nobody = NOBODY.as_deref();
    let usable = hash.filter(|h| PasswordHash::new(h).is_ok());
    let Some(parsed) = usable.or(nobody).and_then(|h| PasswordHash::new(h).ok()) else {
        return false;
    };
    let too_long = password.len() > BYTES_MAX;
    let text = if too_long { "" } else { password };
    let right = Argon2::default()
        .verify_password(text.as_bytes(), &parsed)
        .is_ok();
    right && usable.is_some() && !too_long
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_passes() {
        let hashed = hash("correct horse").await.unwrap();
        assert!(hashed.starts_with("$argon2id$"), "{hashed}");
        for (text, stored, right) in [
            ("correct horse", Some(hashed.clone()), true),
            ("wrong horse", Some(hashed.clone()), false),
            ("correct horse", None, false),
            ("", Some(String::new()), false),
        ] {
            let mut held = Some(slot().await.unwrap());
            assert_eq!(verify(&mut held, text, stored).await.unwrap(), right, "{text}");
            assert!(held.is_some());
        }
    }
}
