//! A way for a client that dials by itself and checks a certificate against the name it dials: what is dialled is what the guard has
//! judged, and the client, which knows the name alone, comes to it by a socket of this machine.

use crate::{ConnectError, Guard, Result};
use std::path::Path;
use tempfile::TempDir;

/// A folder that this account alone may enter, with a socket in it that takes one client. Once the client is there, it may go.
pub struct Relay {
    folder: TempDir,
}

impl Relay {
    /// Dials, and passes on what the client says and the server answers until one of them ends. `socket` names the file.
    #[cfg(unix)]
    pub async fn open(guard: &Guard, host: &str, port: u16, socket: &str) -> Result<Self> {
        use std::os::unix::fs::PermissionsExt as _;
        let mut server = guard.dial(host, port).await?;
        let none = |e: std::io::Error| {
            ConnectError::Unreachable(format!("This server cannot make a socket for its own use ({e})."))
        };
        let folder = tempfile::Builder::new()
            .prefix("limn-")
            .permissions(std::fs::Permissions::from_mode(0o700))
            .tempdir()
            .map_err(none)?;
        let listener = tokio::net::UnixListener::bind(folder.path().join(socket)).map_err(none)?;
        tokio::spawn(async move {
            let Ok(Ok((mut client, _))) = tokio::time::timeout(super::conn::DIAL, listener.accept()).await
            else {
                return;
            };
            drop(listener);
            // Whichever end breaks, the client hears it.
            drop(tokio::io::copy_bidirectional(&mut client, &mut server).await);
        });
        Ok(Self { folder })
    }

    #[cfg(not(unix))]
    pub async fn open(_: &Guard, _: &str, _: u16, _: &str) -> Result<Self> {
        let why = "Certificates of PostgreSQL and MySQL are checked on Unix alone.";
        Err(ConnectError::Setting("tls", why.to_owned()))
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, UnixStream};

    #[tokio::test]
    async fn one_client_is_passed_on_to_the_judged_address() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        // The guard decides here too.
        let refused = Relay::open(&Guard::default(), "127.0.0.1", port, "s").await;
        assert!(matches!(refused, Err(ConnectError::Refused(_))));

        let guard = Guard::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let relay = Relay::open(&guard, "127.0.0.1", port, "s").await.unwrap();
        let mode = std::fs::metadata(relay.folder()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let socket = relay.folder().join("s");
        let mut client = UnixStream::connect(&socket).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        client.write_all(b"ask").await.unwrap();
        let mut heard = [0; 3];
        server.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"ask");
        // The folder goes, the connection stays.
        drop(relay);
        assert!(!socket.exists());
        server.write_all(b"answer").await.unwrap();
        drop(server);
        let mut said = Vec::new();
        client.read_to_end(&mut said).await.unwrap();
        assert_eq!(said, b"answer");
    }
}
