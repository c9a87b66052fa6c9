//! Keys as people write them: the fingerprint of a host's, and a login's private one.

use crate::{ConnectError, Result, Secret};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use russh::keys::{Error as KeyError, PrivateKey, decode_secret_key, ssh_key};
use sha2::{Digest as _, Sha256};

/// The fingerprint `SHA256:...` in what somebody pasted: itself, a line of `ssh-keygen -l`, of `ssh-keyscan` or of a `.pub`
/// file.
pub fn fingerprint(text: &str) -> Result<String> {
    for word in text.split_whitespace() {
        if let Some(digest) = word.strip_prefix("SHA256:") {
            let digest = digest.trim_end_matches('=');
            if STANDARD_NO_PAD.decode(digest).is_ok_and(|d| d.len() == 32) {
                return Ok(format!("SHA256:{digest}"));
            }
        }
        // A public key begins with the length of its kind's name.
        if word.starts_with("AAAA")
            && let Ok(key) = STANDARD.decode(word)
        {
            return Ok(format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(key))));
        }
    }
    Err(ConnectError::Setting(
        "host_key",
        "This is no fingerprint. `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the server prints it: SHA256: and 43 \
         characters. Left empty, the key of the first connection is taken and kept."
            .to_owned(),
    ))
}

/// Reads a private key; `None` when there is none. Some hundred milliseconds with a passphrase.
pub async fn private_key(text: Secret, passphrase: Secret) -> Result<Option<PrivateKey>> {
    if text.is_empty() {
        return Ok(None);
    }
    tokio::task::spawn_blocking(move || read(text.reveal(), passphrase.reveal()))
        .await
        .map_err(|_| ConnectError::Setting("private_key", "The private key cannot be read.".to_owned()))?
        .map(Some)
}

fn read(text: &str, passphrase: &str) -> Result<PrivateKey> {
    let wrong = |text: &str| ConnectError::Setting("private_key", text.to_owned());
    if !text.contains("-----BEGIN ") && !text.starts_with("PuTTY-") {
        return Err(wrong(if text.starts_with("ssh-") || text.starts_with("ecdsa-") {
            "This is the public half of a key; the private one is in the file without .pub."
        } else {
            "A private key begins with a line `-----BEGIN ...-----`; paste the whole file."
        }));
    }
    if passphrase.is_empty() && text.contains("ENCRYPTED") {
        return Err(needs_passphrase());
    }
    // Pages and editors indent what they copy.
    let text: Vec<&str> = text.lines().map(str::trim).collect();
    let passphrase = Some(passphrase).filter(|p| !p.is_empty());
    decode_secret_key(&text.join("\n"), passphrase).map_err(|e| match e {
        KeyError::KeyIsEncrypted => needs_passphrase(),
        KeyError::SshKey(ssh_key::Error::Crypto) if passphrase.is_some() => ConnectError::Setting(
            "passphrase",
            "The passphrase does not open the private key.".to_owned(),
        ),
        KeyError::UnsupportedKeyType { .. } | KeyError::UnknownAlgorithm(_) => {
            wrong("Private keys of this kind are not known here; use Ed25519, ECDSA or RSA.")
        }
        _ => wrong("The private key cannot be read; paste the whole file, as `ssh-keygen` writes it."),
    })
}

fn needs_passphrase() -> ConnectError {
    ConnectError::Setting(
        "passphrase",
        "The private key has a passphrase; give it too.".to_owned(),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use limn_testkit::sftp::keys::{LOCKED, LOGIN, LOGIN_PUBLIC, PASSPHRASE, RSA};

    const PRINT: &str = "SHA256:yC4r62GbpIo5Ps/DFo7uSgQ0TMhscErvctvbcB5lCFo";

    #[test]
    fn fingerprints_as_programs_write_them() {
        for text in [
            PRINT.to_owned(),
            format!(" {PRINT}= "),
            format!("256 {PRINT} root@host (ED25519)"),
            LOGIN_PUBLIC.to_owned(),
            format!("host.example {LOGIN_PUBLIC}"),
        ] {
            assert_eq!(fingerprint(&text).unwrap(), PRINT, "{text}");
        }
        for bad in [
            "",
            "SHA256:",
            "SHA256:abc",
            "MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
            "yC4r62GbpIo5Ps",
        ] {
            let e = fingerprint(bad).unwrap_err();
            assert!(matches!(e, ConnectError::Setting("host_key", _)), "{bad}");
        }
    }

    fn key(text: &str, passphrase: &str) -> Result<String> {
        read(text, passphrase).map(|k| k.fingerprint(ssh_key::HashAlg::Sha256).to_string())
    }

    #[test]
    fn private_keys_and_what_may_be_wrong_with_them() {
        assert_eq!(key(LOGIN, "").unwrap(), PRINT);
        assert_eq!(key(LOGIN, "needless").unwrap(), PRINT);
        let indented = LOGIN.replace('\n', "\r\n  ");
        assert_eq!(key(&indented, "").unwrap(), PRINT);
        assert!(key(RSA, "").is_ok());
        let open = "SHA256:HoOjf9oU6eqw5RFt4jX5pAVkqiV3xm/MgQXYFCki65o";
        assert_eq!(key(LOCKED, PASSPHRASE).unwrap(), open);
        for (text, passphrase, field) in [
            (LOCKED, "", "passphrase"),
            (LOCKED, "hunter5", "passphrase"),
            (LOGIN_PUBLIC, "", "private_key"),
            ("hunter4", "", "private_key"),
            (&LOGIN[..200], "", "private_key"),
            (
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----",
                "",
                "passphrase",
            ),
        ] {
            let e = key(text, passphrase).unwrap_err();
            assert!(
                matches!(&e, ConnectError::Setting(f, m) if *f == field && !m.contains("hunter")),
                "{text}: {e:?}"
            );
        }
    }
}
