//! A publisher of this process: serves files with ranges, notes what is asked for, and can be made to misbehave.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

#[derive(Default)]
pub struct Shelf {
    pub files: BTreeMap<String, Vec<u8>>,
    /// Paths with the range that was asked for, in order.
    pub asked: Vec<(String, Option<u64>)>,
    /// Sends this file cut off in the middle, so many times.
    pub cut: Option<(String, usize)>,
    /// Sends on to another address.
    pub redirect: BTreeMap<String, String>,
    /// Never ends the sending of these.
    pub stalled: BTreeSet<String>,
}

#[derive(Clone)]
pub struct Publisher {
    pub shelf: Arc<Mutex<Shelf>>,
    pub url: String,
}

impl Publisher {
    pub async fn start() -> Self {
        let shelf = Arc::<Mutex<Shelf>>::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(shelf.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { shelf, url }
    }

    pub fn put(&self, path: &str, bytes: Vec<u8>) {
        self.shelf.lock().unwrap().files.insert(path.to_owned(), bytes);
    }

    /// How often a path was asked for.
    pub fn times(&self, path: &str) -> usize {
        let shelf = self.shelf.lock().unwrap();
        shelf.asked.iter().filter(|(p, _)| p == path).count()
    }
}

async fn answer(State(shelf): State<Arc<Mutex<Shelf>>>, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let from = request.headers().get(header::RANGE).and_then(|r| {
        r.to_str()
            .ok()?
            .strip_prefix("bytes=")?
            .trim_end_matches('-')
            .parse::<u64>()
            .ok()
    });
    let mut s = shelf.lock().unwrap();
    s.asked.push((path.clone(), from));
    if let Some(to) = s.redirect.get(&path) {
        return (StatusCode::FOUND, [(header::LOCATION, to.clone())]).into_response();
    }
    let Some(bytes) = s.files.get(&path).cloned() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let start = usize::try_from(from.unwrap_or(0)).unwrap().min(bytes.len());
    let rest = Bytes::from(bytes[start..].to_vec());
    let half = rest.slice(..rest.len() / 2);
    let length = rest.len();
    let mut cuts = false;
    if let Some((name, times)) = &mut s.cut
        && *name == path
        && *times > 0
    {
        *times -= 1;
        cuts = true;
    }
    let body = if cuts {
        use futures::StreamExt as _;
        let end = futures::stream::once(async {
            // Late enough that what went before has arrived.
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            Err(std::io::Error::other("the line broke"))
        });
        let broken = futures::stream::iter([Ok(half)]).chain(end.boxed());
        Body::from_stream(broken)
    } else if s.stalled.contains(&path) {
        use futures::StreamExt as _;
        Body::from_stream(
            futures::stream::iter([Ok::<_, std::io::Error>(half)]).chain(futures::stream::pending()),
        )
    } else {
        Body::from(rest)
    };
    let status = if from.is_some() {
        StatusCode::PARTIAL_CONTENT
    } else {
        StatusCode::OK
    };
    let mut response = Response::builder()
        .status(status)
        .header(header::ETAG, format!("\"{}\"", blake3::hash(&bytes).to_hex()))
        .header(header::CONTENT_LENGTH, length);
    if from.is_some() {
        let range = format!("bytes {start}-{}/{}", bytes.len().saturating_sub(1), bytes.len());
        response = response.header(header::CONTENT_RANGE, range);
    }
    response.body(body).unwrap()
}
