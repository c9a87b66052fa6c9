//! Who is believed when a database shows a certificate, and what it means when nobody is.

use crate::{ConnectError, Result};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{CertificateError, RootCertStore};
use std::io;

/// Whom this machine trusts, and the authorities of a PEM beside them. Blocking: it reads files.
pub fn roots(pem: &str) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    add(&mut store, pem)?;
    Ok(store)
}

/// Whether a text is one or more authorities as PEM.
pub fn check(pem: &str) -> Result<()> {
    if pem.contains("PRIVATE KEY-----") {
        return Err(wrong(
            "holds a private key, which belongs to nobody but its owner",
        ));
    }
    if add(&mut RootCertStore::empty(), pem)? == 0 {
        return Err(wrong(
            "holds no certificate: give the lines from BEGIN CERTIFICATE to END CERTIFICATE",
        ));
    }
    Ok(())
}

/// Answers how many there were.
fn add(store: &mut RootCertStore, pem: &str) -> Result<usize> {
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let unreadable = |e: &dyn std::fmt::Display| wrong(&format!("cannot be read as PEM ({e})"));
        let certificate = certificate.map_err(|e| unreadable(&e))?;
        store.add(certificate).map_err(|e| unreadable(&e))?;
    }
    Ok(store.len())
}

fn wrong(why: &str) -> ConnectError {
    ConnectError::Setting("tls_ca", format!("The certificate authority {why}."))
}

/// What it means that a certificate was not believed; `None` when that is not what went wrong.
pub fn untrusted(at: &str, e: &io::Error) -> Option<ConnectError> {
    let e = e.get_ref()?.downcast_ref::<rustls::Error>()?;
    let rustls::Error::InvalidCertificate(what) = e else {
        return None;
    };
    let why = match what {
        CertificateError::UnknownIssuer => {
            "is signed by nobody who is trusted here; give the certificate authority that signed it"
                .to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "is for another name; give the host by a name that is in it".to_owned()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "has expired".to_owned(),
        _ => format!("cannot be trusted ({e})"),
    };
    Some(ConnectError::Setting(
        "tls",
        format!("The certificate of {at} {why}."),
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const AUTHORITY: &str = include_str!("../../tests/certificates/authority.pem");
    const KEY: &str = include_str!("../../tests/certificates/server.key");

    #[test]
    fn an_authority_is_certificates_and_nothing_else() {
        check(AUTHORITY).unwrap();
        check(&format!("{AUTHORITY}\n{AUTHORITY}")).unwrap();
        let garbled = AUTHORITY.replace("MII", "AAA");
        let with_key = format!("{AUTHORITY}{KEY}");
        for (bad, why) in [
            ("", "holds no certificate"),
            ("street.pem", "holds no certificate"),
            (garbled.as_str(), "cannot be read"),
            (with_key.as_str(), "holds a private key"),
        ] {
            let e = check(bad).unwrap_err();
            assert!(
                matches!(&e, ConnectError::Setting("tls_ca", m) if m.contains(why)),
                "{e}"
            );
        }
    }

    #[test]
    fn certificates_that_are_not_believed_say_why() {
        let said = |what: CertificateError| {
            let e = rustls::Error::InvalidCertificate(what);
            untrusted("db:1", &io::Error::new(io::ErrorKind::InvalidData, e))
                .unwrap()
                .to_string()
        };
        assert!(said(CertificateError::UnknownIssuer).contains("db:1 is signed by nobody"));
        assert!(said(CertificateError::NotValidForName).contains("another name"));
        assert!(said(CertificateError::Expired).contains("expired"));
        assert!(said(CertificateError::BadSignature).contains("cannot be trusted"));
        assert_eq!(untrusted("db:1", &io::ErrorKind::BrokenPipe.into()), None);
    }
}
