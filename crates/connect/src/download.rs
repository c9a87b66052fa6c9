//! A file of a web address, brought to the disk: in pieces, with several attempts, gone on with where it broke off.

use crate::http::{Ask, Http, body, host};
use crate::s3::{range, starts_at};
use crate::site::failure;
use crate::{ConnectError, Result};
use futures::StreamExt as _;
use reqwest::header::{ACCEPT_ENCODING, ETAG, HeaderValue, IF_RANGE, RANGE};
use reqwest::{Method, Response, StatusCode, Url};
use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::Duration;

/// Attempts without getting any further before the file is given up.
const TRIES: u32 = 5;
/// The first wait between two of them; the next ones are twice as long each.
const WAIT: Duration = Duration::from_millis(300);
/// Bytes gathered before they are written, off the async threads.
const BLOCK: usize = 1 << 20;

/// What is known of a file before it is there.
#[derive(Debug, Clone, Copy)]
pub struct Want {
    /// Its size. Any other is an error.
    pub bytes: Option<u64>,
    /// The most that is taken.
    pub limit: u64,
    /// Whether what lies there is the beginning of this file. Only right where its digest is checked in the end.
    pub resume: bool,
}

/// Brings the file at `url` to `to`; answers its size. `told` is called with the bytes that are there so far. Stopping
/// (dropping the future) leaves what was fetched.
pub async fn download(
    http: &Http,
    url: &Url,
    to: &Path,
    want: &Want,
    told: &(dyn Fn(u64) + Send + Sync),
) -> Result<u64> {
    let mut part = Part::open(to, want.resume).await?;
    // Without a digest, going on is for the very same version of the file.
    let mut tag: Option<HeaderValue> = None;
    let (mut tries, mut wait) = (0, WAIT);
    loop {
        let before = part.len;
        told(before);
        let error = match piece(http, url, &mut part, want, &mut tag, told).await {
            Ok(()) => break,
            Err(e) if e.is_passing() => e,
            Err(e) => return Err(e),
        };
        if part.len > before + BLOCK as u64 {
            (tries, wait) = (0, WAIT);
        }
        tries += 1;
        if tries >= TRIES {
            return Err(error);
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
        if !want.resume && tag.is_none() {
            part.restart().await?;
        }
    }
    match want.bytes {
        Some(bytes) if bytes != part.len => Err(ConnectError::Wrong(format!(
            "The file at {} has {} bytes, and {bytes} were expected: it is another one.",
            host(url),
            part.len
        ))),
        _ => Ok(part.len),
    }
}

/// Asks for what is missing and writes what comes.
async fn piece(
    http: &Http,
    url: &Url,
    part: &mut Part,
    want: &Want,
    tag: &mut Option<HeaderValue>,
    told: &(dyn Fn(u64) + Send + Sync),
) -> Result<()> {
    if part.len > 0 && want.bytes == Some(part.len) {
        return Ok(());
    }
    let mut ask = Ask::new(Method::GET, url.clone());
    ask.follow = true;
    // The bytes as they lie there: their digest is of those.
    ask.headers
        .insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if part.len > 0 {
        ask.headers.insert(RANGE, range(part.len)?);
        if let Some(tag) = tag.as_ref().filter(|_| !want.resume) {
            ask.headers.insert(IF_RANGE, tag.clone());
        }
    }
    let response = http.send(ask).await?;
    match response.status() {
        StatusCode::OK => part.restart().await?,
        StatusCode::PARTIAL_CONTENT if starts_at(response.headers()) == Some(part.len) && part.len > 0 => {}
        // What lies there is no beginning of it.
        StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
            part.restart().await?;
            return Err(ConnectError::Unreachable(format!(
                "{} answered with another part than the one that was asked for.",
                host(url)
            )));
        }
        status => return Err(failure(url, status, url.path().trim_start_matches('/'), false)),
    }
    *tag = response
        .headers()
        .get(ETAG)
        .filter(|t| !t.as_bytes().starts_with(b"W/"))
        .cloned();
    too_much(&response, part.len, want)?;
    let mut stream = body(url.clone(), response);
    let mut block: Vec<u8> = Vec::new();
    let mut broke = None;
    while let Some(chunk) = stream.next().await {
        match chunk {
            Ok(chunk) => {
                block.extend_from_slice(&chunk);
                if part.len + block.len() as u64 > most(want) {
                    return Err(over(want));
                }
                if block.len() >= BLOCK {
                    part.push(std::mem::take(&mut block)).await?;
                    told(part.len);
                }
            }
            Err(e) => {
                broke = Some(e);
                break;
            }
        }
    }
    part.push(block).await?;
    told(part.len);
    broke.map_or(Ok(()), Err)
}

fn most(want: &Want) -> u64 {
    want.bytes.map_or(want.limit, |b| b.min(want.limit))
}

/// Refuses what is announced to be too much, before any of it is read.
fn too_much(response: &Response, before: u64, want: &Want) -> Result<()> {
    let announced = response.content_length().map(|n| n.saturating_add(before));
    match announced {
        Some(n) if n > most(want) => Err(over(want)),
        _ => Ok(()),
    }
}

fn over(want: &Want) -> ConnectError {
    match want.bytes {
        Some(bytes) if bytes <= want.limit => ConnectError::Wrong(format!(
            "The file is longer than the {bytes} bytes that were expected: it is another one."
        )),
        _ => ConnectError::TooMuch(format!(
            "The file is larger than {} MB, the most that is taken (`limits.upload_gb`).",
            want.limit >> 20
        )),
    }
}

/// The file under way.
struct Part {
    file: Option<File>,
    len: u64,
}

impl Part {
    async fn open(path: &Path, resume: bool) -> Result<Self> {
        let path = path.to_owned();
        let opened = blocking(move || {
            let mut file = File::options()
                .write(true)
                .create(true)
                .truncate(!resume)
                .open(path)?;
            let len = file.seek(SeekFrom::End(0))?;
            Ok((file, len))
        });
        let (file, len) = opened.await?;
        Ok(Self {
            file: Some(file),
            len,
        })
    }

    async fn push(&mut self, block: Vec<u8>) -> Result<()> {
        let Some(mut file) = self.file.take() else {
            return Err(lost());
        };
        let n = block.len() as u64;
        let file = blocking(move || {
            file.write_all(&block)?;
            Ok(file)
        });
        self.file = Some(file.await?);
        self.len += n;
        Ok(())
    }

    async fn restart(&mut self) -> Result<()> {
        let Some(mut file) = self.file.take() else {
            return Err(lost());
        };
        let file = blocking(move || {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            Ok(file)
        });
        self.file = Some(file.await?);
        self.len = 0;
        Ok(())
    }
}

fn lost() -> ConnectError {
    ConnectError::Wrong("This server lost the file it was writing to.".to_owned())
}

/// Work on the disk. Its trouble is no reason to ask the other side again.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|e| Err(std::io::Error::other(e)))
        .map_err(|e| ConnectError::Wrong(format!("This server cannot keep the file: {e}.")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
