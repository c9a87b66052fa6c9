//! The first words with SQL Server, and the encryption that is agreed on in them.
//!
//! They are ours and not the client library's, so that nothing is told to a server that wants encryption where there is none, and
//! so that encryption is done by what encrypts everything else here. The library then says its own first words to
//! [`Greeted`], which answers in the server's place.

use super::super::{Database, Tls};
use crate::{ConnectError, Result};
use bytes::Bytes;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt as _};

/// Bytes before each packet ([MS-TDS] 2.2.3.1).
pub const HEADER: usize = 8;
/// Kinds of packets: the first words, which handshakes are wrapped into too, and an answer.
pub const FIRST: u8 = 0x12;
pub const ANSWER: u8 = 0x04;
/// The last packet of a message.
const LAST: u8 = 1;
/// Most bytes of an answer to the first words.
const ANSWER_MAX: usize = 64 << 10;
/// What is said of encryption ([MS-TDS] 2.2.6.5).
const OFF: u8 = 0;
const ON: u8 = 1;
const NOT_THERE: u8 = 2;

/// Most bytes that come for one row: the library holds all of a value, and a server may send two gigabytes of one.
const CAME_MAX: usize = 256 << 20;

/// Bytes that came since somebody last said that they were a row.
#[derive(Clone, Default)]
pub struct Came(Arc<AtomicUsize>);

impl Came {
    /// What came was a row, or was asked for anew.
    pub fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    fn add(&self, n: usize) -> io::Result<()> {
        if self.0.fetch_add(n, Ordering::Relaxed).saturating_add(n) > CAME_MAX {
            // No socket says this: it tells this end from those that the server makes.
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(())
    }
}

/// A way to a server.
pub trait Io: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

pub type Pipe = Compat<Greeted>;

/// Says the first words, and encrypts where both sides do.
pub async fn greet(mut tcp: TcpStream, host: &str, port: u16, of: &Database, came: &Came) -> Result<Pipe> {
    let tls = of.tls;
    let at = format!("{host}:{port}");
    let ask = if tls == Tls::Off || !cfg!(feature = "tls") {
        NOT_THERE
    } else {
        ON
    };
    let said = first_words(&mut tcp, ask).await.map_err(|e| match e.kind() {
        io::ErrorKind::InvalidData => ConnectError::Wrong(format!(
            "What answers at port {port} of {host} does not speak as SQL Server does; check host and port."
        )),
        _ => ConnectError::Unreachable(format!(
            "{at} takes connections and closes them before it has said who it is ({e}); see whether SQL Server listens there."
        )),
    })?;
    let encrypted = judge(ask, said, tls, &at)?;
    #[cfg(feature = "tls")]
    if encrypted {
        use super::super::trust;
        let believed = match tls {
            Tls::VerifyFull => {
                let ca = of.ca.clone();
                let read = tokio::task::spawn_blocking(move || trust::roots(&ca));
                Some(read.await.map_err(|_| {
                    ConnectError::Unreachable("This server could not read whom it trusts.".to_owned())
                })??)
            }
            _ => None,
        };
        let way = super::tls::wrap(tcp, host, believed).await.map_err(|e| {
            trust::untrusted(&at, &e)
                .unwrap_or_else(|| ConnectError::Unreachable(format!("TLS with {at} failed ({e}).")))
        })?;
        return Ok(Greeted::new(Box::new(way), came.clone()).compat());
    }
    debug_assert!(!encrypted, "nobody asks for what this build has not");
    Ok(Greeted::new(Box::new(tcp), came.clone()).compat())
}

/// Whether the way is encrypted from here on.
fn judge(asked: u8, said: u8, tls: Tls, at: &str) -> Result<bool> {
    let wrong = |text: String| Err(ConnectError::Setting("tls", text));
    match (asked, said) {
        (NOT_THERE, OFF | NOT_THERE) => Ok(false),
        (NOT_THERE, _) if cfg!(feature = "tls") => wrong(format!(
            "{at} takes encrypted connections alone: set TLS to `prefer` or `require`."
        )),
        (NOT_THERE, _) => wrong(format!(
            "{at} takes encrypted connections alone, and this `limn` was built without TLS: use a release build."
        )),
        (_, OFF | NOT_THERE) if matches!(tls, Tls::Require | Tls::VerifyFull) => {
            wrong(format!("{at} does not encrypt connections."))
        }
        (_, OFF | NOT_THERE) => Ok(false),
        _ => Ok(true),
    }
}

async fn first_words(tcp: &mut TcpStream, ask: u8) -> io::Result<u8> {
    tcp.write_all(&packet(FIRST, &options(ask))).await?;
    let wrong = || io::Error::from(io::ErrorKind::InvalidData);
    let mut message = Vec::new();
    loop {
        let mut head = [0; HEADER];
        tcp.read_exact(&mut head).await?;
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let length = length.checked_sub(HEADER).ok_or_else(wrong)?;
        if head[0] != ANSWER || message.len() + length > ANSWER_MAX {
            return Err(wrong());
        }
        let from = message.len();
        message.resize(from + length, 0);
        tcp.read_exact(&mut message[from..]).await?;
        if head[1] & LAST != 0 {
            return encryption(&message).ok_or_else(wrong);
        }
    }
}

/// What an answer says of encryption.
fn encryption(message: &[u8]) -> Option<u8> {
    let mut rest = message;
    while let [token, high, low, _, _, tail @ ..] = rest {
        match *token {
            1 => {
                let at = usize::from(u16::from_be_bytes([*high, *low]));
                return message.get(at).copied();
            }
            0xff => return None,
            _ => rest = tail,
        }
    }
    None
}

/// A packet that is a message. What is sent here is small.
pub fn packet(kind: u8, inside: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(HEADER + inside.len())
        .unwrap_or(u16::MAX)
        .to_be_bytes();
    let mut out = vec![kind, LAST, high, low, 0, 0, 0, 0];
    out.extend_from_slice(inside);
    out
}

/// PRELOGIN: version, encryption, instance, thread, several answers at once.
fn options(encryption: u8) -> Vec<u8> {
    let fields = [
        (0_u8, vec![0; 6]),
        (1, vec![encryption]),
        (2, vec![0]),
        (3, vec![0; 4]),
        (4, vec![0]),
    ];
    let mut at = (fields.len() * 5 + 1) as u16;
    let (mut table, mut data) = (Vec::new(), Vec::new());
    for (token, value) in fields {
        let length = value.len() as u16;
        table.push(token);
        table.extend_from_slice(&at.to_be_bytes());
        table.extend_from_slice(&length.to_be_bytes());
        data.extend_from_slice(&value);
        at += length;
    }
    table.push(0xff);
    table.extend_from_slice(&data);
    table
}

/// A way after the first words: those of the library are taken off it, and answered.
pub struct Greeted {
    way: Box<dyn Io>,
    taken: Vec<u8>,
    answer: Bytes,
    came: Came,
}

impl Greeted {
    fn new(way: Box<dyn Io>, came: Came) -> Self {
        Self {
            way,
            came,
            taken: Vec::new(),
            // Whatever was agreed on is none of the library's business.
            answer: packet(ANSWER, &options(NOT_THERE)).into(),
        }
    }

    /// Bytes of the library's first words, as far as they are known.
    fn first(&self) -> usize {
        match self.taken.as_slice() {
            [_, _, high, low, _, _, _, _, ..] => usize::from(u16::from_be_bytes([*high, *low])),
            _ => HEADER,
        }
    }
}

impl AsyncRead for Greeted {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.answer.is_empty() {
            let before = buf.filled().len();
            ready!(Pin::new(&mut this.way).poll_read(cx, buf))?;
            return Poll::Ready(this.came.add(buf.filled().len() - before));
        }
        let n = this.answer.len().min(buf.remaining());
        buf.put_slice(&this.answer.split_to(n));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Greeted {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let n = this.first().saturating_sub(this.taken.len()).min(buf.len());
        if n == 0 {
            return Pin::new(&mut this.way).poll_write(cx, buf);
        }
        this.taken.extend_from_slice(&buf[..n]);
        Poll::Ready(Ok(n))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().way).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().way).poll_shutdown(cx)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_encryption_is_found() {
        for said in [OFF, ON, NOT_THERE, 3] {
            assert_eq!(encryption(&options(said)), Some(said));
        }
        let all: [&[u8]; 4] = [&[], &[0xff], &[1, 0xff, 0xff, 0, 1, 0xff], &[0, 0, 6, 0]];
        for broken in all {
            assert_eq!(encryption(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn a_server_that_insists_is_told_nothing_in_plain_text() {
        assert!(!judge(NOT_THERE, OFF, Tls::Prefer, "db").unwrap());
        assert!(!judge(NOT_THERE, NOT_THERE, Tls::Off, "db").unwrap());
        for said in [ON, 3, 9] {
            let e = judge(NOT_THERE, said, Tls::Off, "db").unwrap_err();
            assert!(
                matches!(&e, ConnectError::Setting("tls", m) if m.contains("encrypted connections alone")),
                "{e}"
            );
        }
        assert!(judge(ON, 3, Tls::Prefer, "db").unwrap());
        assert!(!judge(ON, NOT_THERE, Tls::Prefer, "db").unwrap());
        for tls in [Tls::Require, Tls::VerifyFull] {
            assert!(judge(ON, NOT_THERE, tls, "db").is_err());
        }
    }

    #[tokio::test]
    async fn the_library_hears_an_answer_and_the_server_only_what_follows() {
        let (near, mut far) = tokio::io::duplex(1 << 12);
        let came = Came::default();
        let mut way = Greeted::new(Box::new(near), came.clone());
        let words = packet(FIRST, &options(NOT_THERE));
        // In pieces, as sockets take them, and with the next message behind it.
        way.write_all(&words[..3]).await.unwrap();
        way.write_all(&[&words[3..], b"login"].concat()).await.unwrap();
        let mut answer = vec![0; words.len()];
        way.read_exact(&mut answer).await.unwrap();
        assert_eq!(
            (answer[0], encryption(&answer[HEADER..])),
            (ANSWER, Some(NOT_THERE))
        );
        let mut heard = [0; 5];
        far.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"login");
        far.write_all(b"ok").await.unwrap();
        let mut said = [0; 2];
        way.read_exact(&mut said).await.unwrap();
        assert_eq!(&said, b"ok");
        // What is of use may be any amount; one thing may not.
        came.0.store(CAME_MAX - 1, Ordering::Relaxed);
        far.write_all(b"rows").await.unwrap();
        let e = way.read_exact(&mut said).await.unwrap_err();
        assert_eq!(e.kind(), io::ErrorKind::FileTooLarge);
        came.clear();
        far.write_all(b"more").await.unwrap();
        way.read_exact(&mut said).await.unwrap();
    }
}
