//! An SFTP server of this process over a folder, which can be made to misbehave.
//!
//! Paths are those of this machine, as OpenSSH shows them; the login's own folder is the one that is served.

pub mod keys;

use russh::keys::{PrivateKey, PublicKey};
use russh::server::{Auth, ChannelOpenHandle, Msg, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, MethodKind, MethodSet};
use russh_sftp::protocol::{Attrs, Data, File, FileAttributes, Handle, Name, OpenFlags, Status, StatusCode};
use std::collections::HashMap;
use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// The login that there is.
pub const USER: &str = "limn";
/// Entries of one answer.
const TOGETHER: usize = 50;
/// Bytes of one answer, less than anybody asks for.
const SENT: u32 = 10_000;

/// How the server behaves; changes count from the next connection or request on.
#[derive(Default)]
pub struct Rules {
    pub password: Option<String>,
    /// A line as in `authorized_keys`.
    pub key: Option<String>,
    /// Host keys, as OpenSSH keeps them.
    pub host_keys: Vec<String>,
    /// Paths with this in them may not be seen.
    pub locked: Option<String>,
    /// Breaks the connection at a read that is not at the beginning, so many times.
    pub cuts: usize,
    /// Lets people in, and offers no SFTP.
    pub no_sftp: bool,
    /// Times that somebody signed in, or tried to.
    pub logins: usize,
    /// Files that were opened to be read.
    pub reads: usize,
    /// Requests that could have changed something, or that are not known.
    pub strange: usize,
}

type Shared = Arc<Mutex<Rules>>;

/// A server that runs as long as the test's runtime.
#[derive(Clone)]
pub struct SftpServer {
    at: SocketAddr,
    rules: Shared,
}

fn lock(rules: &Shared) -> MutexGuard<'_, Rules> {
    rules.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SftpServer {
    /// Serves a folder at a port of its own.
    pub async fn start(folder: &Path, rules: Rules) -> Self {
        let home = std::fs::canonicalize(folder).expect("the folder is there");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = listener.local_addr().expect("an address");
        let rules = Arc::new(Mutex::new(rules));
        let shared = Arc::clone(&rules);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, home.clone(), Arc::clone(&shared)));
            }
        });
        Self { at, rules }
    }

    pub fn port(&self) -> u16 {
        self.at.port()
    }

    /// How it behaves, to look at and to change. Not to be held over an `await`.
    pub fn rules(&self) -> MutexGuard<'_, Rules> {
        lock(&self.rules)
    }
}

async fn serve(mut stream: TcpStream, home: PathBuf, rules: Shared) {
    let (keys, methods) = {
        let rules = lock(&rules);
        let keys = rules
            .host_keys
            .iter()
            .map(|k| PrivateKey::from_openssh(k).expect("a host key"));
        let mut methods = MethodSet::empty();
        if rules.password.is_some() {
            methods.push(MethodKind::Password);
        }
        if rules.key.is_some() {
            methods.push(MethodKind::PublicKey);
        }
        (keys.collect(), methods)
    };
    let config = russh::server::Config {
        keys,
        methods,
        auth_rejection_time: Duration::from_millis(5),
        ..russh::server::Config::default()
    };
    let stop = Arc::new(Notify::new());
    let door = Door {
        home,
        rules,
        stop: Arc::clone(&stop),
        channel: None,
    };
    // Between the two, so that the connection can be cut.
    let (mut near, far) = tokio::io::duplex(1 << 18);
    let running = async {
        if let Ok(session) = russh::server::run_stream(Arc::new(config), far, door).await {
            drop(session.await);
        }
    };
    let carried = async {
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut stream, &mut near) => {}
            () = stop.notified() => {}
        }
        drop(stream);
        drop(near);
    };
    tokio::join!(running, carried);
}

/// Who may come in.
struct Door {
    home: PathBuf,
    rules: Shared,
    stop: Arc<Notify>,
    channel: Option<Channel<Msg>>,
}

impl Door {
    fn answer(&self, fine: impl FnOnce(&Rules) -> bool) -> Auth {
        let mut rules = lock(&self.rules);
        rules.logins += 1;
        if fine(&rules) {
            Auth::Accept
        } else {
            Auth::reject()
        }
    }
}

impl russh::server::Handler for Door {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, russh::Error> {
        Ok(self.answer(|r| user == USER && r.password.as_deref() == Some(password)))
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        Ok(self.answer(|r| {
            let known = r.key.as_ref().map(|k| PublicKey::from_openssh(k).expect("a key"));
            user == USER && known.is_some_and(|k| k.key_data() == key.public_key.key_data())
        }))
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        self.channel = Some(channel);
        reply.accept().await;
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        id: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let offered = name == "sftp" && !lock(&self.rules).no_sftp;
        let Some(channel) = self.channel.take().filter(|_| offered) else {
            return session.channel_failure(id);
        };
        session.channel_success(id)?;
        let shelf = Shelf {
            home: self.home.clone(),
            rules: Arc::clone(&self.rules),
            stop: Arc::clone(&self.stop),
            open: HashMap::new(),
            last: 0,
        };
        russh_sftp::server::run(channel.into_stream(), shelf).await;
        Ok(())
    }
}

enum Thing {
    File(std::fs::File),
    Folder(Vec<File>),
}

/// What is in the folder.
struct Shelf {
    home: PathBuf,
    rules: Shared,
    stop: Arc<Notify>,
    open: HashMap<String, Thing>,
    last: usize,
}

fn code(e: Error) -> StatusCode {
    match e.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => StatusCode::NoSuchFile,
        ErrorKind::PermissionDenied => StatusCode::PermissionDenied,
        _ => StatusCode::Failure,
    }
}

impl Shelf {
    fn path(&self, path: &str) -> Result<PathBuf, StatusCode> {
        let locked = lock(&self.rules).locked.clone();
        if locked.is_some_and(|l| path.contains(&l)) {
            return Err(StatusCode::PermissionDenied);
        }
        // An absolute path takes the place of the folder.
        Ok(self.home.join(path))
    }

    fn keep(&mut self, id: u32, thing: Thing) -> Handle {
        self.last += 1;
        let handle = self.last.to_string();
        self.open.insert(handle.clone(), thing);
        Handle { id, handle }
    }
}

impl russh_sftp::server::Handler for Shelf {
    type Error = StatusCode;

    fn unimplemented(&self) -> StatusCode {
        lock(&self.rules).strange += 1;
        StatusCode::OpUnsupported
    }

    async fn open(
        &mut self,
        id: u32,
        filename: String,
        pflags: OpenFlags,
        _: FileAttributes,
    ) -> Result<Handle, StatusCode> {
        if pflags.bits() != OpenFlags::READ.bits() {
            return Err(self.unimplemented());
        }
        let file = std::fs::File::open(self.path(&filename)?).map_err(code)?;
        lock(&self.rules).reads += 1;
        Ok(self.keep(id, Thing::File(file)))
    }

    async fn close(&mut self, id: u32, handle: String) -> Result<Status, StatusCode> {
        self.open.remove(&handle).ok_or(StatusCode::Failure)?;
        Ok(Status {
            id,
            status_code: StatusCode::Ok,
            error_message: "Ok".to_owned(),
            language_tag: "en-US".to_owned(),
        })
    }

    async fn read(&mut self, id: u32, handle: String, offset: u64, len: u32) -> Result<Data, StatusCode> {
        let Some(Thing::File(file)) = self.open.get(&handle) else {
            return Err(StatusCode::Failure);
        };
        if offset > 0 {
            let mut rules = lock(&self.rules);
            if rules.cuts > 0 {
                rules.cuts -= 1;
                self.stop.notify_one();
                return Err(StatusCode::ConnectionLost);
            }
        }
        let mut data = vec![0; len.min(SENT) as usize];
        let read = file.read_at(&mut data, offset).map_err(code)?;
        if read == 0 {
            return Err(StatusCode::Eof);
        }
        data.truncate(read);
        Ok(Data { id, data })
    }

    async fn stat(&mut self, id: u32, path: String) -> Result<Attrs, StatusCode> {
        let meta = std::fs::metadata(self.path(&path)?).map_err(code)?;
        Ok(Attrs {
            id,
            attrs: (&meta).into(),
        })
    }

    async fn opendir(&mut self, id: u32, path: String) -> Result<Handle, StatusCode> {
        let folder = self.path(&path)?;
        let mut files = vec![File::dummy("."), File::dummy("..")];
        for found in std::fs::read_dir(folder).map_err(code)?.flatten() {
            let meta = std::fs::symlink_metadata(found.path()).map_err(code)?;
            files.push(File::new(found.file_name().to_string_lossy(), (&meta).into()));
        }
        Ok(self.keep(id, Thing::Folder(files)))
    }

    async fn readdir(&mut self, id: u32, handle: String) -> Result<Name, StatusCode> {
        let Some(Thing::Folder(rest)) = self.open.get_mut(&handle) else {
            return Err(StatusCode::Failure);
        };
        if rest.is_empty() {
            return Err(StatusCode::Eof);
        }
        let files = rest.drain(..rest.len().min(TOGETHER)).collect();
        Ok(Name { id, files })
    }

    async fn realpath(&mut self, id: u32, path: String) -> Result<Name, StatusCode> {
        let asked = self.path(&path)?;
        // As OpenSSH does, the last part need not be there.
        let real = std::fs::canonicalize(&asked).or_else(|e| match (asked.parent(), asked.file_name()) {
            (Some(parent), Some(name)) => Ok(std::fs::canonicalize(parent)?.join(name)),
            _ => Err(e),
        });
        let real = real.map_err(code)?;
        Ok(Name {
            id,
            files: vec![File::dummy(real.to_string_lossy())],
        })
    }
}
