//! Where the request comes from and under which name the client knows this server.

use crate::state::AppState;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, HeaderName, header};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The client's side of the connection.
#[derive(Debug, Clone)]
pub struct Client {
    pub ip: IpAddr,
    /// `https://limn.example.org`: configured, or worked out from the request; `None` when it names no host.
    pub origin: Option<String>,
    /// Whether `origin`'s scheme is certain (configured, or said by a trusted proxy).
    pub scheme_known: bool,
}

/// Works out the client. Behind a trusted proxy its address also takes the place of the connection's, so that
/// `ConnectInfo` is the client's for everybody further in.
pub async fn client(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), |c| c.0);
    let trusted = state.config.trust_proxy;
    let headers = request.headers();
    let ip = trusted
        .then(|| forwarded_for(headers))
        .flatten()
        .unwrap_or_else(|| peer.ip());
    let proto = trusted.then(|| last(headers, "x-forwarded-proto")).flatten();
    let host = trusted
        .then(|| last(headers, "x-forwarded-host"))
        .flatten()
        .or_else(|| {
            headers
                .get(header::HOST)
                .and_then(|h| h.to_str().ok())
                .map(str::to_owned)
        })
        .or_else(|| request.uri().authority().map(|a| a.as_str().to_owned()));
    let client = Client {
        ip,
        origin: match (&state.config.public_url, host) {
            (Some(url), _) => Some(url.clone()),
            (None, Some(host)) => {
                let scheme = proto.as_deref().unwrap_or("http");
                Some(format!("{scheme}://{}", host.to_ascii_lowercase()))
            }
            (None, None) => None,
        },
        scheme_known: state.config.public_url.is_some() || proto.is_some(),
    };
    request
        .extensions_mut()
        .insert(ConnectInfo(SocketAddr::new(client.ip, peer.port())));
    request.extensions_mut().insert(client);
    next.run(request).await
}

/// The address our own proxy saw: the last one of the list, because all before it came from outside.
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let text = last(headers, "x-forwarded-for")?;
    text.parse()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|a| a.ip()))
}

fn last(headers: &HeaderMap, name: &'static str) -> Option<String> {
    let value = headers
        .get_all(HeaderName::from_static(name))
        .iter()
        .next_back()?;
    let text = value.to_str().ok()?.rsplit(',').next()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
