//! A connection to an SFTP server: the host's key is judged, the login signed in, the folder found.

use crate::s3::tame;
use crate::{ConnectError, Guard, Result, Secret};
use russh::client::{self, DisconnectReason};
use russh::keys::ssh_key::EcdsaCurve;
use russh::keys::{Algorithm, HashAlg, PrivateKey, PublicKeyOrCertificate};
use russh::{ChannelMsg, Preferred, SshId};
use russh_sftp::client::error::Error as SftpError;
use russh_sftp::client::{Config, RawSftpSession};
use russh_sftp::protocol::StatusCode;
use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Longest that shaking hands and signing in may take.
const GREETING: Duration = Duration::from_secs(30);
/// Silence after which a question counts as not answered, in seconds.
const SILENCE: u64 = 30;
/// Silence after which the other side is asked whether it is still there.
const ALIVE: Duration = Duration::from_secs(15);

const ED25519: &[Algorithm] = &[Algorithm::Ed25519];
const ECDSA: &[Algorithm] = &[
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP256,
    },
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP384,
    },
    Algorithm::Ecdsa {
        curve: EcdsaCurve::NistP521,
    },
];
const RSA: &[Algorithm] = &[
    Algorithm::Rsa {
        hash: Some(HashAlg::Sha512),
    },
    Algorithm::Rsa {
        hash: Some(HashAlg::Sha256),
    },
    Algorithm::Rsa { hash: None },
];

/// Where to connect, and as whom.
pub struct Place {
    pub guard: Guard,
    pub host: String,
    pub port: u16,
    pub username: String,
    pub password: Secret,
    pub key: Option<Arc<PrivateKey>>,
    /// Absolute, or from the login's own folder on; that one when empty.
    pub path: String,
}

/// A connection that is signed in.
pub struct Link {
    pub sftp: RawSftpSession,
    /// The fingerprint of the host's key.
    pub print: String,
    /// The folder that paths are in, absolute, links followed; empty for `/`.
    root: String,
    ssh: client::Handle<Watch>,
    broken: AtomicBool,
    shown: String,
    user: String,
}

/// A host's key.
#[derive(Debug, Clone)]
struct HostKey {
    print: String,
    kind: String,
}

/// Lets nothing be said to a host that shows another key than the trusted one.
pub struct Watch {
    trusted: Option<String>,
    seen: Arc<OnceLock<HostKey>>,
    lost: Arc<AtomicBool>,
}

/// A host whose key is trusted, and who knows nothing of us yet.
pub struct Shaken {
    pub ssh: client::Handle<Watch>,
    key: HostKey,
    /// The connection ended, and not for want of ways to sign in.
    pub lost: Arc<AtomicBool>,
}

impl client::Handler for Watch {
    type Error = russh::Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        let key = shown.public_key();
        let key = HostKey {
            print: key.fingerprint(HashAlg::Sha256).to_string(),
            kind: key.algorithm().to_string(),
        };
        let fine = self.trusted.as_ref().is_none_or(|t| *t == key.print);
        self.seen.get_or_init(|| key);
        Ok(fine)
    }

    async fn disconnected(&mut self, reason: DisconnectReason<russh::Error>) -> Result<(), russh::Error> {
        match reason {
            // Its last answer was that it knows us not.
            DisconnectReason::Error(e @ russh::Error::NoAuthMethod) => Err(e),
            DisconnectReason::Error(e) => {
                self.lost.store(true, Ordering::Relaxed);
                Err(e)
            }
            DisconnectReason::ReceivedDisconnect(_) => {
                self.lost.store(true, Ordering::Relaxed);
                Ok(())
            }
        }
    }
}

/// Why hands were not shaken.
enum Unshaken {
    /// Another key than the trusted one.
    Key(HostKey),
    /// The host has no key of the kinds asked for.
    NoSuchKey(ConnectError),
    Other(ConnectError),
}

impl Place {
    /// Host, and port where it is another than usual, for messages.
    pub fn shown(&self) -> String {
        if self.port == 22 {
            self.host.clone()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Connects. A host whose key has another fingerprint than the trusted one is refused before it is told anything.
    pub async fn connect(&self, trusted: Option<&str>) -> Result<Link> {
        let within = tokio::time::timeout(GREETING, async {
            let mut shaken = self.shake(trusted).await?;
            self.sign_in(&mut shaken).await?;
            self.begin(shaken).await
        });
        within.await.unwrap_or_else(|_| {
            Err(ConnectError::Unreachable(format!(
                "{} takes connections, but did not finish the sign-in within {} seconds.",
                self.shown(),
                GREETING.as_secs()
            )))
        })
    }

    async fn shake(&self, trusted: Option<&str>) -> Result<Shaken> {
        let all = Preferred::DEFAULT.key;
        let first = match self.shake_by(trusted, &all).await {
            Ok(done) => return Ok(done),
            Err(Unshaken::NoSuchKey(e) | Unshaken::Other(e)) => return Err(e),
            Err(Unshaken::Key(key)) => key,
        };
        // A host has keys of several kinds, and the trusted one may be of another kind than the one it likes best.
        for kinds in [ED25519, ECDSA, RSA] {
            if kinds.iter().any(|k| k.to_string() == first.kind) {
                continue;
            }
            match self.shake_by(trusted, kinds).await {
                Ok(done) => return Ok(done),
                Err(Unshaken::Other(e)) => return Err(e),
                Err(Unshaken::Key(_) | Unshaken::NoSuchKey(_)) => {}
            }
        }
        Err(self.other_key(trusted.unwrap_or_default(), &first))
    }

    async fn shake_by(&self, trusted: Option<&str>, kinds: &[Algorithm]) -> Result<Shaken, Unshaken> {
        let stream = self
            .guard
            .dial(&self.host, self.port)
            .await
            .map_err(Unshaken::Other)?;
        if let Err(e) = stream.set_nodelay(true) {
            tracing::debug!(error = %e, "small packets may wait");
        }
        let config = client::Config {
            client_id: SshId::Standard(Cow::Borrowed(concat!("SSH-2.0-limn_", env!("CARGO_PKG_VERSION")))),
            preferred: Preferred {
                key: Cow::Owned(kinds.to_vec()),
                ..Preferred::DEFAULT
            },
            keepalive_interval: Some(ALIVE),
            // Ends connections that nobody waits for any more.
            inactivity_timeout: Some(ALIVE * 6),
            ..client::Config::default()
        };
        let (seen, lost) = (Arc::new(OnceLock::new()), Arc::new(AtomicBool::new(false)));
        let watch = Watch {
            trusted: trusted.map(str::to_owned),
            seen: Arc::clone(&seen),
            lost: Arc::clone(&lost),
        };
        match client::connect_stream(Arc::new(config), stream, watch).await {
            Ok(ssh) => match seen.get() {
                Some(key) => Ok(Shaken {
                    ssh,
                    key: key.clone(),
                    lost,
                }),
                None => Err(Unshaken::Other(self.broke(&russh::Error::UnknownKey))),
            },
            Err(e) => Err(match (seen.get(), &e) {
                (Some(key), _) if trusted.is_some_and(|t| t != key.print) => Unshaken::Key(key.clone()),
                (_, russh::Error::NoCommonAlgo { kind, theirs, .. }) => {
                    let e = ConnectError::Wrong(format!(
                        "{} and this server have no way of encryption in common ({kind:?}: it offers {}); update the SSH \
                         server there, or have it allow newer ones.",
                        self.shown(),
                        theirs.join(", ")
                    ));
                    if matches!(kind, russh::AlgorithmKind::Key) {
                        Unshaken::NoSuchKey(e)
                    } else {
                        Unshaken::Other(e)
                    }
                }
                (_, russh::Error::Version) => Unshaken::Other(ConnectError::Wrong(format!(
                    "What answers at port {} of {} does not speak SSH; check host and port.",
                    self.port, self.host
                ))),
                (None, russh::Error::Disconnect | russh::Error::HUP | russh::Error::IO(_)) => {
                    Unshaken::Other(ConnectError::Unreachable(format!(
                        "{} takes connections at port {} and closes them before it has said who it is; see whether SSH listens \
                         there, and takes connections from this server.",
                        self.host, self.port
                    )))
                }
                _ => Unshaken::Other(self.broke(&e)),
            }),
        }
    }

    fn other_key(&self, trusted: &str, now: &HostKey) -> ConnectError {
        ConnectError::Denied(format!(
            "The host key of {} has changed: it is {} ({}), and {trusted} is the one that is trusted. Either the server was \
             set up anew, or somebody else answers in its place; nothing was sent to it. Ask its admin for the fingerprint. \
             If it is this one, give it as the host key, together with the credentials (Rotate credentials).",
            self.shown(),
            now.print,
            now.kind
        ))
    }

    pub fn broke(&self, e: &russh::Error) -> ConnectError {
        ConnectError::Unreachable(format!("The connection to {} broke ({e}).", self.shown()))
    }

    /// Starts SFTP and finds the folder.
    async fn begin(&self, shaken: Shaken) -> Result<Link> {
        let Shaken { ssh, key, .. } = shaken;
        let none = || {
            ConnectError::Wrong(format!(
                "{} lets `{}` in, but offers no SFTP; have its admin allow the subsystem `sftp` for this login.",
                self.shown(),
                self.username
            ))
        };
        let mut channel = match ssh.channel_open_session().await {
            Ok(channel) => channel,
            Err(russh::Error::ChannelOpenFailure(_)) => return Err(none()),
            Err(e) => return Err(self.broke(&e)),
        };
        channel
            .request_subsystem(true, "sftp")
            .await
            .map_err(|e| self.broke(&e))?;
        loop {
            match channel.wait().await {
                Some(ChannelMsg::Success) => break,
                Some(ChannelMsg::Failure | ChannelMsg::Eof | ChannelMsg::Close) | None => return Err(none()),
                Some(_) => {}
            }
        }
        let config = Config {
            request_timeout_secs: SILENCE,
            ..Config::default()
        };
        let sftp = RawSftpSession::new_with_config(channel.into_stream(), config);
        match sftp.init().await {
            Ok(_) => {}
            // It printed something else, as accounts without a shell do.
            Err(SftpError::UnexpectedBehavior(_) | SftpError::UnexpectedPacket) if !ssh.is_closed() => {
                return Err(none());
            }
            Err(e) => {
                return Err(ConnectError::Unreachable(format!(
                    "SFTP does not start at {} ({e}).",
                    self.shown()
                )));
            }
        }
        let mut link = Link {
            sftp,
            print: key.print,
            root: String::new(),
            ssh,
            broken: AtomicBool::new(false),
            shown: self.shown(),
            user: self.username.clone(),
        };
        link.root = link.find(&self.path).await?;
        Ok(link)
    }
}

impl Link {
    /// The folder that a path means, links followed.
    async fn find(&self, path: &str) -> Result<String> {
        let asked = match path {
            "" | "~" | "~/" => ".",
            path => path.strip_prefix("~/").unwrap_or(path),
        };
        let real = self.real(asked).await.map_err(|e| self.failed(asked, e))?;
        let attrs = self
            .sftp
            .stat(real.as_str())
            .await
            .map_err(|e| self.failed(asked, e))?
            .attrs;
        if attrs.permissions.is_some() && !attrs.file_type().is_dir() {
            return Err(ConnectError::NotFound(format!(
                "`{asked}` at {} is a file and no folder.",
                self.shown
            )));
        }
        Ok(real.trim_end_matches('/').to_owned())
    }

    /// The path with all links followed.
    pub async fn real(&self, path: &str) -> Result<String, SftpError> {
        let found = self.sftp.realpath(path).await?.files.into_iter().next();
        found.map(|f| f.filename).ok_or(SftpError::UnexpectedPacket)
    }

    /// The path of something in the folder, as the server knows it.
    pub fn whole(&self, path: &str) -> String {
        if path.is_empty() && !self.root.is_empty() {
            self.root.clone()
        } else {
            format!("{}/{path}", self.root)
        }
    }

    /// Whether a real path is in the folder.
    pub fn holds(&self, real: &str) -> bool {
        real.strip_prefix(&self.root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    pub fn is_alive(&self) -> bool {
        !self.broken.load(Ordering::Relaxed) && !self.ssh.is_closed()
    }

    /// Marks the connection as one to use no more.
    pub fn give_up(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }

    /// What an error means for a path.
    pub fn failed(&self, path: &str, e: SftpError) -> ConnectError {
        let (host, user) = (&self.shown, &self.user);
        match e {
            SftpError::Status(s) => match s.status_code {
                StatusCode::NoSuchFile => ConnectError::NotFound(format!("There is no `{path}` at {host}.")),
                StatusCode::PermissionDenied => ConnectError::Forbidden(format!(
                    "{host} does not let `{user}` see `{path}`; have its admin give this login the right to read it."
                )),
                StatusCode::NoConnection | StatusCode::ConnectionLost => {
                    ConnectError::Unreachable(format!("{host} lost the connection at `{path}`."))
                }
                code => ConnectError::Wrong(format!(
                    "{host} cannot read `{path}` ({code}: {}).",
                    tame(&s.error_message)
                )),
            },
            SftpError::Timeout => ConnectError::Unreachable(format!(
                "{host} did not answer for {SILENCE} seconds at `{path}`."
            )),
            e => ConnectError::Unreachable(format!(
                "The connection to {host} broke at `{path}` ({}).",
                tame(&e.to_string())
            )),
        }
    }
}
