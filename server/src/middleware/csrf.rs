//! Mutations must come from our own pages: browsers send the session's cookie along with requests that other sites
//! cause.

use crate::error::Failure;
use crate::middleware::Client;
use crate::session::COOKIE;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, Uri, header};
use limn_domain::Code;

/// Refuses a mutation that a browser sends for another site, and one that carries a session's cookie without saying
/// where it comes from. Requests with an API token are not affected: no browser adds those by itself.
pub async fn same_origin(request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || has_bearer(request.headers()) {
        return next.run(request).await;
    }
    match check(request.headers(), request.extensions().get::<Client>()) {
        Ok(()) => next.run(request).await,
        Err(why) => {
            tracing::warn!(why, "a request from another site was refused");
            Failure::new(
                Code::CrossOrigin,
                "This request did not come from Limn's own pages. Reload the page; scripts send an API token as \
                 `Authorization: Bearer ...`. Behind a proxy, set server.public_url.",
            )
            .into_response()
        }
    }
}

fn check(headers: &HeaderMap, client: Option<&Client>) -> Result<(), &'static str> {
    let site = headers.get("sec-fetch-site").map(|v| v.to_str().unwrap_or("?"));
    if !matches!(site, None | Some("same-origin" | "none")) {
        return Err("Sec-Fetch-Site");
    }
    match headers.get(header::ORIGIN).map(|v| v.to_str().unwrap_or("?")) {
        Some(origin) if client.is_some_and(|c| is_own(origin, c)) => Ok(()),
        Some(_) => Err("Origin"),
        None if site.is_some() => Ok(()),
        None if has_session(headers) => Err("neither Origin nor Sec-Fetch-Site"),
        None => Ok(()),
    }
}

/// Whether an `Origin` is the one under which the client reached us. Whether a proxy has taken TLS off is not known
/// unless it is trusted or the public URL is configured; then only host and port are compared.
fn is_own(origin: &str, client: &Client) -> bool {
    let Some(own) = &client.origin else { return false };
    let (Some(origin), Some(own)) = (parts(origin), parts(own)) else {
        return false;
    };
    if client.scheme_known {
        origin == own
    } else {
        origin.1 == own.1 && (origin.2 == own.2 || (own.2 == 80 && origin.2 == 443))
    }
}

/// Scheme, host in lower case, port.
fn parts(origin: &str) -> Option<(String, String, u16)> {
    let uri: Uri = origin.parse().ok()?;
    let scheme = uri.scheme_str()?.to_owned();
    let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
    Some((scheme, uri.host()?.to_ascii_lowercase(), port))
}

/// Whether an API token comes along.
pub(super) fn has_bearer(headers: &HeaderMap) -> bool {
    headers.get(header::AUTHORIZATION).is_some_and(|v| {
        let bytes = v.as_bytes();
        bytes.len() >= 6 && bytes[..6].eq_ignore_ascii_case(b"bearer")
    })
}

fn has_session(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(';'))
        .any(|c| c.trim().split('=').next() == Some(COOKIE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn verdict(pairs: &[(&'static str, &'static str)], client: &Client) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        check(&headers, Some(client)).is_ok()
    }

    fn client(origin: &str, scheme_known: bool) -> Client {
        Client {
            ip: [127, 0, 0, 1].into(),
            origin: Some(origin.to_owned()),
            scheme_known,
        }
    }

    #[test]
    fn only_our_own_pages_may_change_things() {
        let c = client("http://limn.local:8080", false);
        let cookie = ("cookie", "a=b; limn_session=x");
        assert!(verdict(&[cookie, ("origin", "http://limn.local:8080")], &c));
        assert!(verdict(
            &[
                cookie,
                ("origin", "http://LIMN.local:8080"),
                ("sec-fetch-site", "same-origin")
            ],
            &c
        ));
        assert!(verdict(&[cookie, ("sec-fetch-site", "same-origin")], &c));
        assert!(verdict(&[], &c), "no cookie and no browser: nothing to abuse");
        assert!(!verdict(&[cookie], &c));
        assert!(!verdict(&[cookie, ("origin", "null")], &c));
        assert!(!verdict(&[cookie, ("origin", "http://limn.local:9090")], &c));
        assert!(!verdict(
            &[cookie, ("origin", "http://limn.local.evil.example:8080")],
            &c
        ));
        assert!(
            !verdict(&[("origin", "http://evil.example")], &c),
            "signing somebody in from elsewhere"
        );
        for site in ["cross-site", "same-site"] {
            assert!(!verdict(
                &[("origin", "http://limn.local:8080"), ("sec-fetch-site", site)],
                &c
            ));
        }
    }

    #[test]
    fn behind_a_proxy() {
        let unsure = client("http://limn.example.org", false);
        assert!(verdict(&[("origin", "https://limn.example.org")], &unsure));
        let sure = client("https://limn.example.org", true);
        assert!(verdict(&[("origin", "https://limn.example.org:443")], &sure));
        assert!(!verdict(&[("origin", "http://limn.example.org")], &sure));
    }
}
