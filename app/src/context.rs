//! What server functions stand on: the services and whoever asks. Server only.

use crate::error::{AppError, Result};
use axum::extract::ConnectInfo;
use axum::http::header::LINK;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use leptos::prelude::{provide_context, use_context};
use leptos_axum::ResponseOptions;
use limn_domain::ApiError;
use limn_domain::user::Me;
use limn_services::auth::{SESSION_EPOCH, SESSION_USER};
use limn_services::{Actor, Services};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tower_sessions::Session;

/// Path prefix of every server function.
pub const PREFIX: &str = "/ui/";

/// Makes the services and the actor of this request known to pages and server functions.
///
/// The server calls it in the one closure that both handlers share.
pub fn provide(services: Services, actor: Actor) {
    provide_context(services);
    provide_context(actor);
}

/// The files of the modules that the browser fetches page by page (see `pages`).
#[derive(Debug, Clone)]
pub struct PageModules {
    /// Where they are, without a slash at the end.
    pub folder: String,
    /// The script that fetches them.
    pub loader: String,
    /// The files of each module.
    pub files: HashMap<String, Vec<String>>,
}

impl PageModules {
    /// `Link` headers that let the browser fetch a module's files while it still reads the page.
    fn links(&self, module: &str) -> Vec<String> {
        let Some(files) = self.files.get(module) else {
            return Vec::new();
        };
        let folder = &self.folder;
        let mut links = vec![format!("<{folder}/{}>; rel=modulepreload", self.loader)];
        links.extend(
            files
                .iter()
                .map(|file| format!("<{folder}/{file}.wasm>; rel=preload; as=fetch; crossorigin")),
        );
        links
    }
}

/// Tells the browser early that the page needs a module.
pub fn will_need(module: &str) {
    let (Some(modules), Some(options)) = (
        use_context::<Arc<PageModules>>(),
        use_context::<ResponseOptions>(),
    ) else {
        return;
    };
    let Ok(mut response) = options.0.write() else {
        return;
    };
    for link in modules.links(module) {
        if let Ok(link) = HeaderValue::from_str(&link) {
            link_once(&mut response.headers, link);
        }
    }
}

/// A frame and the tab in it are of one module, and both say so; headers twice as long may be too long for a proxy.
fn link_once(headers: &mut HeaderMap, link: HeaderValue) {
    if headers.get_all(LINK).iter().all(|known| *known != link) {
        headers.append(LINK, link);
    }
}

/// All use cases. Errors when the server forgot to provide them.
pub fn services() -> Result<Services> {
    use_context().ok_or_else(|| AppError(ApiError::internal()))
}

/// Who asks; `Anonymous` when nobody is signed in.
pub fn actor() -> Actor {
    use_context().unwrap_or(Actor::Anonymous)
}

/// Services and actor at once, as nearly every server function needs them.
pub fn request() -> Result<(Services, Actor)> {
    Ok((services()?, actor()))
}

/// The browser's session.
pub fn session() -> Result<Session> {
    use_context::<Parts>()
        .and_then(|p| p.extensions.get::<Session>().cloned())
        .ok_or_else(|| AppError(ApiError::internal()))
}

/// The client's address for the sign-in brake, as far as it is known.
pub fn client() -> String {
    use_context::<Parts>()
        .and_then(|p| {
            p.extensions
                .get::<ConnectInfo<SocketAddr>>()
                .map(|c| c.0.ip().to_string())
        })
        .unwrap_or_else(|| "unknown".to_owned())
}

/// The value of a cookie.
pub fn cookie(name: &str) -> Option<String> {
    let parts = use_context::<Parts>()?;
    let all = parts.headers.get("cookie")?.to_str().ok()?;
    all.split(';')
        .filter_map(|c| c.trim().split_once('='))
        .find(|(n, _)| *n == name)
        .map(|(_, v)| v.to_owned())
}

/// Path and query of the page being rendered.
pub fn path_and_query() -> Option<String> {
    use_context::<Parts>().map(|p| {
        p.uri
            .path_and_query()
            .map_or_else(|| "/".into(), |q| q.to_string())
    })
}

/// Sets the HTTP status of a server function's answer; a page that merely contains a failed part stays 200.
pub fn answer_with(status: u16) {
    let in_server_fn = use_context::<Parts>().is_some_and(|p| p.uri.path().starts_with(PREFIX));
    if in_server_fn {
        set_status(status);
    }
}

/// Sets the HTTP status of the page.
pub fn set_status(status: u16) {
    if let (Some(options), Ok(status)) = (use_context::<ResponseOptions>(), StatusCode::from_u16(status)) {
        options.set_status(status);
    }
}

/// Redirects the page.
pub fn redirect(to: &str) {
    if use_context::<Parts>().is_some() && to.is_ascii() {
        leptos_axum::redirect(to);
    }
}

/// Signs a person in, under a new session id.
pub async fn open_session(me: &Me, epoch: i64) -> Result<()> {
    let session = session()?;
    session.cycle_id().await.map_err(broken_session)?;
    session
        .insert(SESSION_USER, me.id)
        .await
        .map_err(broken_session)?;
    keep_session(epoch).await
}

/// Keeps this session after its person ended all others.
pub async fn keep_session(epoch: i64) -> Result<()> {
    session()?
        .insert(SESSION_EPOCH, epoch)
        .await
        .map_err(broken_session)
}

/// Ends the session, here and in the database.
pub async fn close_session() -> Result<()> {
    session()?.flush().await.map_err(broken_session)
}

fn broken_session(e: tower_sessions::session::Error) -> AppError {
    limn_services::Error::from(std::io::Error::other(e)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_named_with_all_its_files() {
        let modules = PageModules {
            folder: "/pkg/k1".into(),
            loader: "split.js".into(),
            files: [
                (
                    "desk".to_owned(),
                    vec!["chunk_0".to_owned(), "split_desk".to_owned()],
                ),
                ("desk_top_2".to_owned(), vec!["split_desk_top_2".to_owned()]),
            ]
            .into(),
        };
        assert_eq!(
            modules.links("desk"),
            [
                "</pkg/k1/split.js>; rel=modulepreload",
                "</pkg/k1/chunk_0.wasm>; rel=preload; as=fetch; crossorigin",
                "</pkg/k1/split_desk.wasm>; rel=preload; as=fetch; crossorigin",
            ]
        );
        assert!(modules.links("attic").is_empty());
    }

    #[test]
    fn a_module_of_a_frame_and_its_tab_is_named_once() {
        let modules = PageModules {
            folder: "/pkg/1".to_owned(),
            loader: "load.js".to_owned(),
            files: HashMap::from([("manage".to_owned(), vec!["a".to_owned(), "b".to_owned()])]),
        };
        let mut headers = HeaderMap::new();
        for _ in ["frame", "tab"] {
            for link in modules.links("manage") {
                link_once(&mut headers, HeaderValue::from_str(&link).unwrap());
            }
        }
        assert_eq!(headers.get_all(LINK).iter().count(), 3);
    }
}
