//! Files from the server. A server that is busy or restarts, and a connection that breaks, do not end a download.

use super::api::{Client, Refused, pause};
use anyhow::{Context as _, Result, bail};
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, HeaderValue, IF_RANGE, RANGE};
use reqwest::{Method, StatusCode};
use std::path::Path;
use tokio::fs::File;
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};

/// Fetches what lies at a path below the server's address into a file that is made anew, and answers that file. What fails for
/// a passing reason is asked for again: from where it stopped, if it is still the same by its `ETag`, else from the start. `told`
/// hears how many bytes are there. What is written when it fails is a part of the file, or of another one.
pub async fn fetch(client: &Client, path: &str, to: &Path, told: impl Fn(u64)) -> Result<File> {
    let file = File::create(to).await.with_context(|| cannot_write(to))?;
    let mut taking = Taking {
        client,
        path,
        to,
        file,
        have: 0,
        etag: None,
    };
    let (mut attempt, mut most) = (1, 0);
    loop {
        let Err(e) = taking.go_on(&told).await else {
            return Ok(taking.file);
        };
        // Only what brings nothing new counts: a long file over a bad line arrives.
        if taking.have > most {
            (attempt, most) = (1, taking.have);
        }
        let Some(pause) = pause(&e, attempt) else {
            return Err(e);
        };
        tokio::time::sleep(pause).await;
        attempt += 1;
    }
}

fn cannot_write(to: &Path) -> String {
    format!("cannot write {}", to.display())
}

struct Taking<'a> {
    client: &'a Client,
    path: &'a str,
    to: &'a Path,
    file: File,
    /// Bytes that are written.
    have: u64,
    /// What names the content that they are of, when it is good for going on.
    etag: Option<HeaderValue>,
}

impl Taking<'_> {
    /// Asks for what is not there yet, and writes it.
    async fn go_on(&mut self, told: &impl Fn(u64)) -> Result<()> {
        let from = self.etag.clone().filter(|_| self.have > 0);
        let mut request = self.client.request(Method::GET, self.path)?;
        if let Some(etag) = &from {
            request = request
                .header(RANGE, format!("bytes={}-", self.have))
                .header(IF_RANGE, etag);
        }
        let mut response = match self.client.send(request).await {
            // It broke behind the last byte, or became shorter.
            Err(e) if from.is_some() && is_no_range(&e) => {
                self.start_over().await?;
                let request = self.client.request(Method::GET, self.path)?;
                self.client.send(request).await?
            }
            sent => sent?,
        };
        match response.status() {
            StatusCode::PARTIAL_CONTENT
                if from.is_some() && rest_from(response.headers()) == Some(self.have) => {}
            StatusCode::OK => {
                self.start_over().await?;
                self.etag = strong(response.headers());
            }
            _ => {
                bail!("the server sent another part of the file than it was asked for; run the command again")
            }
        }
        while let Some(piece) = response.chunk().await.context("the download broke")? {
            let written = self.file.write_all(&piece).await;
            written.with_context(|| cannot_write(self.to))?;
            self.have += piece.len() as u64;
            told(self.have);
        }
        self.file.flush().await.with_context(|| cannot_write(self.to))
    }

    async fn start_over(&mut self) -> Result<()> {
        self.have = 0;
        self.etag = None;
        let emptied = self.file.set_len(0).await;
        emptied.with_context(|| cannot_write(self.to))?;
        let rewound = self.file.rewind().await;
        rewound.with_context(|| cannot_write(self.to))?;
        Ok(())
    }
}

fn is_no_range(e: &anyhow::Error) -> bool {
    e.downcast_ref::<Refused>()
        .is_some_and(|r| r.status == StatusCode::RANGE_NOT_SATISFIABLE)
}

/// What names the content byte by byte: a weak name says only that it means the same.
fn strong(headers: &HeaderMap) -> Option<HeaderValue> {
    let etag = headers.get(ETAG)?;
    (!etag.as_bytes().starts_with(b"W/")).then(|| etag.clone())
}

/// Where a part begins that reaches to the end.
fn rest_from(headers: &HeaderMap) -> Option<u64> {
    let range = headers
        .get(CONTENT_RANGE)?
        .to_str()
        .ok()?
        .strip_prefix("bytes ")?;
    let (part, len) = range.split_once('/')?;
    let (first, last) = part.split_once('-')?;
    let (last, len): (u64, u64) = (last.parse().ok()?, len.parse().ok()?);
    let first = first.parse().ok()?;
    (last.checked_add(1) == Some(len)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::api::tests::serve;
    use axum::body::{Body, Bytes};
    use axum::response::{IntoResponse as _, Response};
    use futures::StreamExt as _;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    const FIRST: &[u8] = b"the content, as it was at first";
    const OTHER: &[u8] = b"something else";
    const CUT: usize = 12;

    /// What a server answers to a request with these headers.
    type Turn = fn(&HeaderMap) -> Response;

    /// What becomes of a download from a server that answers so, one time after the other, with the ranges that it was asked for.
    async fn fetched<const N: usize>(turns: [Turn; N]) -> (Result<Vec<u8>>, Vec<String>) {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let asked = Arc::clone(&heard);
        let router = axum::Router::new().fallback(move |headers: HeaderMap| {
            let n = {
                let mut heard = asked.lock().unwrap();
                let range = headers.get(RANGE).and_then(|v| v.to_str().ok());
                heard.push(range.unwrap_or_default().to_owned());
                heard.len()
            };
            let answer = turns[n.min(N) - 1](&headers);
            async move { answer }
        });
        let client = Client::new(&serve(router).await).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("file");
        std::fs::write(
            &to,
            "what an earlier command left behind, which is longer than all",
        )
        .unwrap();
        let outcome = fetch(&client, "/file", &to, |_| ()).await;
        let outcome = outcome.map(|_| std::fs::read(&to).unwrap());
        let heard = heard.lock().unwrap().clone();
        (outcome, heard)
    }

    fn busy(_: &HeaderMap) -> Response {
        (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "0")]).into_response()
    }

    fn whole(_: &HeaderMap) -> Response {
        ([("etag", "\"1\"")], FIRST).into_response()
    }

    fn cut(etag: &'static str) -> Response {
        let pieces = [
            Ok(Bytes::from_static(&FIRST[..CUT])),
            Err(std::io::Error::other("the connection broke")),
        ];
        // Else the end of the connection overtakes what was sent.
        let pieces = futures::stream::iter(pieces).then(|piece| async move {
            tokio::time::sleep(Duration::from_millis(30)).await;
            piece
        });
        ([("etag", etag)], Body::from_stream(pieces)).into_response()
    }

    fn broken(_: &HeaderMap) -> Response {
        cut("\"1\"")
    }

    /// As `ranges` answers: the rest of the same, else all of it.
    fn rest(headers: &HeaderMap) -> Response {
        let asked = headers.get(RANGE).and_then(|v| v.to_str().ok());
        let from = asked.and_then(|v| v.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
        let same = headers.get(IF_RANGE).is_some_and(|v| v == "\"1\"");
        match from.filter(|_| same) {
            Some(from) => {
                let range = format!("bytes {from}-{}/{}", FIRST.len() - 1, FIRST.len());
                let part = FIRST[from..].to_vec();
                (StatusCode::PARTIAL_CONTENT, [("content-range", range)], part).into_response()
            }
            None => whole(headers),
        }
    }

    #[tokio::test]
    async fn a_busy_server_is_asked_again() {
        let (file, heard) = fetched([busy, whole]).await;
        assert_eq!(file.unwrap(), FIRST);
        assert_eq!(heard, ["", ""]);
    }

    #[tokio::test]
    async fn a_download_that_broke_goes_on_where_it_stopped() {
        let (file, heard) = fetched([broken, busy, rest]).await;
        assert_eq!(file.unwrap(), FIRST);
        assert_eq!(heard, ["", "bytes=12-", "bytes=12-"]);
    }

    #[tokio::test]
    async fn what_has_changed_or_cannot_be_told_begins_again() {
        // Another content under the same address.
        let (file, heard) = fetched([broken, |_| ([("etag", "\"2\"")], OTHER).into_response()]).await;
        assert_eq!(file.unwrap(), OTHER);
        assert_eq!(heard, ["", "bytes=12-"]);
        // Shorter than what is there already.
        let (file, heard) = fetched([
            broken,
            |_| StatusCode::RANGE_NOT_SATISFIABLE.into_response(),
            |_| OTHER.into_response(),
        ])
        .await;
        assert_eq!(file.unwrap(), OTHER);
        assert_eq!(heard, ["", "bytes=12-", ""]);
        // A name that stands for what means the same, and is not the same.
        let (file, heard) = fetched([|_| cut("W/\"1\""), rest]).await;
        assert_eq!(file.unwrap(), FIRST);
        assert_eq!(heard, ["", ""]);
    }

    #[tokio::test]
    async fn a_part_that_does_not_fit_is_not_written_behind() {
        let (file, _) = fetched([broken, |_| {
            let range = [("content-range", "bytes 5-30/31")];
            (StatusCode::PARTIAL_CONTENT, range, &FIRST[5..]).into_response()
        }])
        .await;
        assert!(file.unwrap_err().to_string().contains("another part"));
    }

    #[tokio::test]
    async fn a_refusal_is_final() {
        let (file, heard) = fetched([|_| StatusCode::NOT_FOUND.into_response(), whole]).await;
        assert!(file.unwrap_err().is::<Refused>());
        assert_eq!(heard.len(), 1);
    }

    #[test]
    fn only_the_whole_rest_fits() {
        let from = |range: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_RANGE, range.parse().unwrap());
            rest_from(&headers)
        };
        assert_eq!(from("bytes 5-9/10"), Some(5));
        for other in [
            "bytes 5-8/10",
            "bytes 5-9/*",
            "bytes */10",
            "items 5-9/10",
            "bytes x-9/10",
        ] {
            assert_eq!(from(other), None, "{other}");
        }
        assert_eq!(rest_from(&HeaderMap::new()), None);
    }
}
