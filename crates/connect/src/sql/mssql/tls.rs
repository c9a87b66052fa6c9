//! TLS inside the protocol: the handshake goes in packets of first words, what follows does not ([MS-TDS] 2.2.6.5).

use super::greet::{ANSWER, FIRST, HEADER, packet};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Encrypts a way to a server, whose certificate must be for `host` and signed by somebody who is believed; of nobody in particular any
/// will do: as with the other databases, the address was judged.
pub async fn wrap<S>(way: S, host: &str, believed: Option<RootCertStore>) -> io::Result<TlsStream<Wrapped<S>>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    // After the handshake of 1.3 a server still has something to say, and no rule tells in what form.
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12])
        .map_err(io::Error::other)?;
    let config = match believed {
        Some(roots) => config.with_root_certificates(roots),
        None => config
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody)),
    }
    .with_no_client_auth();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(bare.to_owned()).map_err(io::Error::other)?;
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(name, Wrapped::new(way)).await?;
    stream.get_mut().0.shaking = false;
    Ok(stream)
}

/// Takes any certificate. What one signs that nobody vouches for proves nothing, so it is not looked at either: SQL Server's own
/// ones are of an age that cannot be read.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// A way on which a handshake goes in packets.
pub struct Wrapped<S> {
    way: S,
    shaking: bool,
    /// The header of a packet that is coming, as far as it is there.
    head: Vec<u8>,
    /// Bytes of the packet that are still to come.
    left: usize,
    /// What was written and not packed yet.
    plain: Vec<u8>,
    /// What was packed and not sent yet.
    packed: Vec<u8>,
}

impl<S> Wrapped<S> {
    const fn new(way: S) -> Self {
        Self {
            way,
            shaking: true,
            head: Vec::new(),
            left: 0,
            plain: Vec::new(),
            packed: Vec::new(),
        }
    }
}

/// Reads up to so many bytes.
fn some<S: AsyncRead + Unpin>(
    way: &mut S,
    cx: &mut Context<'_>,
    block: &mut [u8],
) -> Poll<io::Result<usize>> {
    let mut part = ReadBuf::new(block);
    ready!(Pin::new(way).poll_read(cx, &mut part))?;
    Poll::Ready(Ok(part.filled().len()))
}

impl<S: AsyncRead + Unpin> AsyncRead for Wrapped<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.shaking {
            return Pin::new(&mut this.way).poll_read(cx, buf);
        }
        while this.left == 0 {
            let mut block = [0; HEADER];
            let want = HEADER - this.head.len();
            let n = ready!(some(&mut this.way, cx, &mut block[..want]))?;
            if n == 0 {
                return Poll::Ready(Ok(()));
            }
            this.head.extend_from_slice(&block[..n]);
            if let [kind, _, high, low, _, _, _, _] = *this.head.as_slice() {
                let length = usize::from(u16::from_be_bytes([high, low]));
                if !matches!(kind, FIRST | ANSWER) || length < HEADER {
                    return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
                }
                this.left = length - HEADER;
                this.head.clear();
            }
        }
        let mut block = [0; 4096];
        let most = this.left.min(buf.remaining()).min(block.len());
        let n = ready!(some(&mut this.way, cx, &mut block[..most]))?;
        buf.put_slice(&block[..n]);
        this.left -= n;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wrapped<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if !this.shaking {
            return Pin::new(&mut this.way).poll_write(cx, buf);
        }
        this.plain.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if this.packed.is_empty() {
                if this.plain.is_empty() {
                    return Pin::new(&mut this.way).poll_flush(cx);
                }
                this.packed = packet(FIRST, &std::mem::take(&mut this.plain));
            }
            match ready!(Pin::new(&mut this.way).poll_write(cx, &this.packed))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                n => drop(this.packed.drain(..n)),
            }
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().way).poll_shutdown(cx)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::super::trust;
    use super::*;
    use crate::ConnectError;
    use rustls::ServerConfig;
    use rustls::pki_types::PrivateKeyDer;
    use rustls::pki_types::pem::PemObject as _;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    /// Shakes hands with a server whose certificate is for `localhost`.
    async fn shaken(host: &str, believed: Option<&str>) -> io::Result<()> {
        let pem = include_bytes!("../../../tests/certificates/server.pem");
        let key = include_bytes!("../../../tests/certificates/server.key");
        let chain = CertificateDer::pem_slice_iter(pem).map(Result::unwrap).collect();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS12])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::from_pem_slice(key).unwrap())
            .unwrap();
        let (near, far) = tokio::io::duplex(1 << 14);
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let served = tokio::spawn(acceptor.accept(Wrapped::new(far)));
        let way = wrap(near, host, believed.map(|pem| trust::roots(pem).unwrap())).await;
        drop(served.await.unwrap());
        way.map(drop)
    }

    #[tokio::test]
    async fn a_certificate_is_for_the_host_and_of_somebody_believed_where_that_is_asked() {
        let authority = include_str!("../../../tests/certificates/authority.pem");
        let stranger = include_str!("../../../tests/certificates/stranger.pem");
        shaken("127.0.0.1", None).await.unwrap();
        shaken("localhost", Some(authority)).await.unwrap();
        for (host, believed, why) in [
            ("localhost", stranger, "signed by nobody"),
            ("localhost", "", "signed by nobody"),
            ("db.example.org", authority, "another name"),
        ] {
            let e = shaken(host, Some(believed)).await.unwrap_err();
            let e = trust::untrusted("db", &e).unwrap();
            assert!(
                matches!(&e, ConnectError::Setting("tls", m) if m.contains(why)),
                "{e}"
            );
        }
    }

    #[tokio::test]
    async fn a_handshake_goes_in_packets_and_what_follows_does_not() {
        let (near, mut far) = tokio::io::duplex(1 << 12);
        let mut way = Wrapped::new(near);
        way.write_all(b"hel").await.unwrap();
        way.write_all(b"lo").await.unwrap();
        way.flush().await.unwrap();
        let mut heard = [0; HEADER + 5];
        far.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard[..4], [FIRST, 1, 0, 13]);
        assert_eq!(&heard[HEADER..], b"hello");
        // Two packets, one of them in pieces.
        far.write_all(&[&packet(FIRST, b"ab")[..], &packet(FIRST, b"cd")[..4]].concat())
            .await
            .unwrap();
        far.write_all(&packet(FIRST, b"cd")[4..]).await.unwrap();
        let mut said = [0; 4];
        way.read_exact(&mut said).await.unwrap();
        assert_eq!(&said, b"abcd");
        way.shaking = false;
        way.write_all(b"bare").await.unwrap();
        let mut heard = [0; 4];
        far.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"bare");
        far.write_all(&[0x17, 1, 0, 2, 0, 0, 0, 0]).await.unwrap();
        way.shaking = true;
        assert!(way.read_exact(&mut said).await.is_err());
    }
}
