//! Databases that must show who they are.

use super::store;
use limn_connect::ConnectError;
use limn_domain::datastore::DatastoreKind;

const DATABASES: [DatastoreKind; 3] = [
    DatastoreKind::Postgres,
    DatastoreKind::Mysql,
    DatastoreKind::SqlServer,
];

/// Why a database cannot be opened with these settings.
async fn refused(kind: DatastoreKind, more: &[(&str, &str)]) -> ConnectError {
    let mut settings = vec![
        ("host", "127.0.0.1"),
        ("database", "street"),
        ("username", "limn_reader"),
    ];
    settings.extend_from_slice(more);
    let opened = store(kind, &settings, &[("password", "p")]).await;
    opened.err().unwrap()
}

#[tokio::test]
async fn an_authority_is_given_where_it_is_looked_at() {
    for kind in DATABASES {
        for tls in ["", "prefer", "off"] {
            let e = refused(kind, &[("tls", tls), ("tls_ca", "a certificate")]).await;
            assert!(
                matches!(&e, ConnectError::Setting("tls_ca", m) if m.contains("verify-full")),
                "{e}"
            );
        }
        let e = refused(kind, &[("tls", "verify")]).await;
        assert!(
            matches!(&e, ConnectError::Setting("tls", m) if m.contains("`verify-full`")),
            "{e}"
        );
    }
}

#[cfg(not(feature = "tls"))]
#[tokio::test]
async fn a_build_without_tls_says_that_it_cannot_check() {
    for kind in DATABASES {
        let e = refused(kind, &[("tls", "verify-full")]).await;
        assert!(
            matches!(&e, ConnectError::Setting("tls", m) if m.contains("built without TLS")),
            "{e}"
        );
    }
}

#[cfg(feature = "tls")]
mod shown {
    use super::*;
    use rustls::ServerConfig;
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use std::sync::Arc;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio_rustls::TlsAcceptor;

    const AUTHORITY: &str = include_str!("../certificates/authority.pem");
    const STRANGER: &str = include_str!("../certificates/stranger.pem");

    /// PostgreSQL as far as its first words, with a certificate for `localhost`: whoever comes through learns that the
    /// password is wrong. Answers its port.
    async fn server() -> u16 {
        let chain = CertificateDer::pem_slice_iter(include_bytes!("../certificates/server.pem"));
        let key = PrivateKeyDer::from_pem_slice(include_bytes!("../certificates/server.key"));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain.map(Result::unwrap).collect(), key.unwrap())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(first_words(acceptor.clone(), stream));
            }
        });
        port
    }

    async fn first_words(acceptor: TlsAcceptor, mut stream: TcpStream) -> std::io::Result<()> {
        let mut asked = [0; 8];
        stream.read_exact(&mut asked).await?;
        assert_eq!(asked, [0, 0, 0, 8, 4, 210, 22, 47], "SSLRequest");
        stream.write_all(b"S").await?;
        let mut stream = acceptor.accept(stream).await?;
        let mut login = vec![0; stream.read_u32().await? as usize - 4];
        stream.read_exact(&mut login).await?;
        let said = b"SFATAL\0VFATAL\0C28P01\0Mno\0\0";
        let mut answer = vec![b'E', 0, 0, 0, said.len() as u8 + 4];
        answer.extend_from_slice(said);
        stream.write_all(&answer).await?;
        stream.flush().await
    }

    async fn tested(host: &str, tls: &str, authority: &str) -> ConnectError {
        let port = server().await.to_string();
        let settings = [
            ("host", host),
            ("port", port.as_str()),
            ("database", "street"),
            ("username", "limn_reader"),
            ("tls", tls),
            ("tls_ca", authority),
        ];
        let opened = store(DatastoreKind::Postgres, &settings, &[("password", "p")]).await;
        opened.unwrap().test().await.unwrap_err()
    }

    #[tokio::test]
    async fn a_certificate_must_be_for_the_host_and_of_somebody_trusted() {
        for (host, tls, authority) in [
            ("localhost", "verify-full", AUTHORITY),
            ("127.0.0.1", "require", ""),
        ] {
            let e = tested(host, tls, authority).await;
            assert!(matches!(e, ConnectError::Denied(_)), "{host} {tls}: {e}");
        }
        for (host, authority, why) in [
            ("localhost", STRANGER, "signed by nobody"),
            ("localhost", "", "signed by nobody"),
            ("127.0.0.1", AUTHORITY, "another name"),
        ] {
            let e = tested(host, "verify-full", authority).await;
            assert!(
                matches!(&e, ConnectError::Setting("tls", m) if m.contains(why)),
                "{host}: {e}"
            );
        }
    }

    #[tokio::test]
    async fn an_authority_that_is_none_is_said_before_anybody_is_asked() {
        for kind in DATABASES {
            let e = refused(kind, &[("tls", "verify-full"), ("tls_ca", "street.pem")]).await;
            assert!(matches!(e, ConnectError::Setting("tls_ca", _)), "{e}");
        }
    }
}
