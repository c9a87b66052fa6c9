//! Secrets that links and scripts carry: 256 random bits; only their digest is stored.

/// What API tokens begin with, so that people and scanners recognise them.
pub const TOKEN_PREFIX: &str = "limn_";

/// 64 hexadecimal digits from the system's random source.
pub(crate) fn new() -> String {
    hex::encode(rand::random::<[u8; 32]>())
}

/// A fresh API token.
pub(crate) fn new_token() -> String {
    format!("{TOKEN_PREFIX}{}", new())
}

/// What is stored of a secret. A fast digest will do: nobody guesses 256 bits.
pub(crate) fn digest(secret: &str) -> String {
    blake3::hash(secret.as_bytes()).to_hex().to_string()
}

/// Whether the secret has this digest, in the same time wherever they differ.
pub(crate) fn matches(secret: &str, stored: &str) -> bool {
    // `blake3::Hash` compares in constant time.
    blake3::Hash::from_hex(stored).is_ok_and(|stored| blake3::hash(secret.as_bytes()) == stored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_match_their_digest_only() {
        let (a, b) = (new(), new());
        assert_ne!(a, b);
        assert_eq!(a.len(), 64);
        assert!(matches(&a, &digest(&a)));
        assert!(!matches(&b, &digest(&a)));
        assert!(!matches(&a, "not a digest"));
        assert!(new_token().starts_with("limn_"));
    }
}
