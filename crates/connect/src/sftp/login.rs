//! Signing in at an SFTP server: by key, by password, or by the password to a question.

use super::link::{Place, Shaken};
use crate::{ConnectError, Result};
use russh::client::{AuthResult, KeyboardInteractiveAuthResponse};
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg};
use russh::{MethodKind, MethodSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Questions of a keyboard-interactive sign-in.
const QUESTIONS: usize = 5;

impl Place {
    /// Signs in by key and password, whichever there is and the host takes.
    pub async fn sign_in(&self, at: &mut Shaken) -> Result<()> {
        let mut by_key = None;
        if let Some(key) = &self.key {
            match self.by_key(at, key).await? {
                AuthResult::Success => return Ok(()),
                AuthResult::Failure {
                    remaining_methods,
                    partial_success,
                } => by_key = Some((remaining_methods, partial_success)),
            }
        }
        self.still_there(at)?;
        let (host, user) = (self.shown(), &self.username);
        // A host that names no other way has ended the conversation.
        let no_more = matches!(&by_key, Some((methods, _)) if methods.is_empty());
        if self.password.is_empty() || no_more {
            return Err(ConnectError::Denied(match by_key {
                Some((methods, true)) => format!(
                    "{host} accepts the key of `{user}` and asks for more ({}); give the password too, or use a login that \
                     needs no more than a key.",
                    words(&methods)
                ),
                _ => format!(
                    "{host} does not accept the key {} for `{user}`: its public half belongs into ~/.ssh/authorized_keys of \
                     that login. Check the user name too.",
                    self.print_of_key()
                ),
            }));
        }
        let answer = at
            .ssh
            .authenticate_password(user.as_str(), self.password.reveal())
            .await
            .map_err(|e| self.ended(at, &e))?;
        let AuthResult::Failure {
            remaining_methods,
            partial_success,
        } = answer
        else {
            return Ok(());
        };
        self.still_there(at)?;
        let may_ask = !remaining_methods.contains(&MethodKind::Password)
            && remaining_methods.contains(&MethodKind::KeyboardInteractive);
        if may_ask && self.by_questions(at).await? {
            return Ok(());
        }
        self.still_there(at)?;
        Err(ConnectError::Denied(if partial_success {
            format!(
                "{host} accepts the password of `{user}` and asks for more ({}); use a login that needs no more than a \
                 password, or one with a key.",
                words(&remaining_methods)
            )
        } else if by_key.is_some() {
            format!(
                "{host} does not accept the key {} or this password for `{user}`; check user name, key and password.",
                self.print_of_key()
            )
        } else {
            let other = match words(&remaining_methods) {
                w if w.is_empty() => String::new(),
                w => format!(" It also takes: {w}."),
            };
            format!("{host} does not accept this password for `{user}`; check user name and password.{other}")
        }))
    }

    async fn by_key(&self, at: &mut Shaken, key: &Arc<PrivateKey>) -> Result<AuthResult> {
        let hash = if key.algorithm().is_rsa() {
            // Servers that do not say take SHA-2 since 2016.
            let best = at
                .ssh
                .best_supported_rsa_hash()
                .await
                .map_err(|e| self.ended(at, &e))?;
            best.unwrap_or(Some(HashAlg::Sha256))
        } else {
            None
        };
        let key = PrivateKeyWithHashAlg::new(Arc::clone(key), hash);
        at.ssh
            .authenticate_publickey(self.username.as_str(), key)
            .await
            .map_err(|e| self.ended(at, &e))
    }

    /// Gives the password to a host that asks for it in its own words. Whatever else it asks, nobody here can answer.
    async fn by_questions(&self, at: &mut Shaken) -> Result<bool> {
        use KeyboardInteractiveAuthResponse as Response;
        let mut response = at
            .ssh
            .authenticate_keyboard_interactive_start(self.username.as_str(), None::<String>)
            .await
            .map_err(|e| self.ended(at, &e))?;
        let mut said = false;
        for _ in 0..QUESTIONS {
            let answers = match response {
                Response::Success => return Ok(true),
                Response::Failure { .. } => return Ok(false),
                Response::InfoRequest { prompts, .. } => match prompts.as_slice() {
                    [] => Vec::new(),
                    [one] if !one.echo && !said => {
                        said = true;
                        vec![self.password.reveal().to_owned()]
                    }
                    _ => return Ok(false),
                },
            };
            response = at
                .ssh
                .authenticate_keyboard_interactive_respond(answers)
                .await
                .map_err(|e| self.ended(at, &e))?;
        }
        Ok(false)
    }

    /// Trying again would only be one wrong attempt more, so it is no passing trouble.
    fn still_there(&self, at: &Shaken) -> Result<()> {
        if !at.lost.load(Ordering::Relaxed) {
            return Ok(());
        }
        Err(ConnectError::Denied(format!(
            "{} closed the connection while `{}` signed in. Servers do that after wrong attempts, and with logins they lock out; \
             check user name and credentials, and its log.",
            self.shown(),
            self.username
        )))
    }

    fn ended(&self, at: &Shaken, e: &russh::Error) -> ConnectError {
        self.still_there(at).err().unwrap_or_else(|| self.broke(e))
    }

    fn print_of_key(&self) -> String {
        self.key
            .as_ref()
            .map(|k| k.fingerprint(HashAlg::Sha256).to_string())
            .unwrap_or_default()
    }
}

/// Ways of signing in, as a list for people.
fn words(methods: &MethodSet) -> String {
    let names: Vec<&str> = methods.iter().map(Into::into).collect();
    names.join(", ")
}
