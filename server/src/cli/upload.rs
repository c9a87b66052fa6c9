//! `upload`: images or documents as items, several at once, resumable: what the project has already is not sent again.

use super::api::{Client, encode, retry};
use super::files::{self, Found, Kind};
use super::watch::Line;
use super::{Remote, print};
use anyhow::{Context as _, Result, anyhow, bail};
use clap::Args;
use futures::StreamExt as _;
use limn_domain::ProjectId;
use limn_domain::item::AddItemOutcome;
use limn_domain::upload::{
    NewUpload, Upload, UploadCheck, UploadCheckFile, UploadMissing, UploadPart, UploadParts,
};
use reqwest::{Body, Method};
use std::collections::HashSet;
use std::io::SeekFrom;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

/// Files on their way at once.
const PARALLEL: usize = 6;
/// Files asked about in one request.
const CHECK: usize = 2000;
/// Bytes of one piece of a resumable upload.
const PIECE: u64 = 16 << 20;
/// Parts on their way to the object store at once.
const PARTS: usize = 4;

#[derive(Debug, Args)]
pub struct UploadCommand {
    #[command(flatten)]
    remote: Remote,
    /// The project, by name or id
    #[arg(long)]
    project: String,
    /// Images (or text files, for a text project), and folders of them
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// What became of the files.
#[derive(Debug, Default)]
pub struct Sent {
    pub added: usize,
    pub unchanged: usize,
    /// Name and reason.
    pub failed: Vec<(String, String)>,
}

impl Sent {
    /// Lists the refused files on stderr.
    pub fn complain(&self) {
        for (name, why) in &self.failed {
            eprintln!("refused: {name}: {why}");
        }
    }
}

/// Runs the command.
pub async fn run(command: UploadCommand) -> Result<()> {
    let client = Client::new(&command.remote)?;
    let project = client.project(&command.project).await?;
    let found = files::collect(&command.paths)?;
    let (kind, what, endings) = if project.summary.task.is_text() {
        (Kind::Document, "text files", "txt")
    } else {
        (Kind::Picture, "images", "jpg, png, webp, gif, bmp, tiff")
    };
    let (pictures, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|f| f.kind == kind);
    if pictures.is_empty() {
        bail!("no {what} there ({endings}); for archives, videos and labels use `limn import`");
    }
    if !others.is_empty() {
        eprintln!(
            "passed over: {} files that are no {what}, such as {}",
            others.len(),
            others[0].name
        );
    }
    let sent = pictures_to(&client, project.summary.id, pictures).await?;
    sent.complain();
    print(&format!(
        "{} added, {} already there, {} refused",
        sent.added,
        sent.unchanged,
        sent.failed.len()
    ))?;
    if sent.failed.is_empty() {
        Ok(())
    } else {
        bail!("{} {what} were refused", sent.failed.len())
    }
}

/// Sends pictures or documents as items.
pub async fn pictures_to(client: &Client, project: ProjectId, pictures: Vec<Found>) -> Result<Sent> {
    let total = pictures.len();
    let missing = missing(client, project, &pictures).await?;
    let mut sent = Sent {
        unchanged: total - missing.len(),
        ..Sent::default()
    };
    let line = Line::new();
    let done = AtomicUsize::new(sent.unchanged);
    let mut outcomes = futures::stream::iter(missing)
        .map(|file| async {
            let outcome = retry(async || picture(client, project, &file).await).await;
            let n = done.fetch_add(1, Ordering::Relaxed) + 1;
            line.show(&format!("files: {n} of {total}"));
            (file, outcome)
        })
        .buffer_unordered(PARALLEL);
    while let Some((file, outcome)) = outcomes.next().await {
        match outcome {
            Ok(AddItemOutcome::Added { .. }) => sent.added += 1,
            Ok(AddItemOutcome::Unchanged { .. }) => sent.unchanged += 1,
            Err(e) if is_about_us(&e) => return Err(e),
            Err(e) => sent.failed.push((file.name, format!("{e:#}"))),
        }
    }
    drop(outcomes);
    line.finish(&format!("files: {total} of {total}"));
    sent.failed.sort();
    Ok(sent)
}

/// Refusals that every other file would get too.
fn is_about_us(e: &anyhow::Error) -> bool {
    match e.downcast_ref::<super::api::Refused>() {
        Some(r) => matches!(r.status.as_u16(), 401 | 403 | 404),
        None => super::api::is_passing(e),
    }
}

async fn missing(client: &Client, project: ProjectId, files: &[Found]) -> Result<Vec<Found>> {
    let mut missing = Vec::new();
    for part in files.chunks(CHECK) {
        let check = UploadCheck {
            files: part
                .iter()
                .map(|f| UploadCheckFile {
                    name: f.name.clone(),
                    size: f.size as i64,
                })
                .collect(),
        };
        let answer: UploadMissing = client
            .post(&format!("/api/v1/projects/{project}/items/check"), &check)
            .await?;
        let names: HashSet<String> = answer.missing.into_iter().collect();
        missing.extend(part.iter().filter(|f| names.contains(&f.name)).cloned());
    }
    Ok(missing)
}

async fn picture(client: &Client, project: ProjectId, file: &Found) -> Result<AddItemOutcome> {
    let handle = tokio::fs::File::open(&file.path)
        .await
        .context("cannot read the file")?;
    let path = format!("/api/v1/projects/{project}/items?name={}", encode(&file.name));
    let request = client
        .sending(Method::POST, &path, file.size)?
        .header("content-type", "application/octet-stream")
        .body(Body::wrap_stream(ReaderStream::with_capacity(handle, 64 << 10)));
    let response = client.send(request).await?;
    response
        .json()
        .await
        .context("the server's answer cannot be read")
}

/// Sends a file to the upload area in pieces, or straight to the object store behind it; a broken connection costs a few pieces
/// at most.
pub async fn resumable(client: &Client, file: &Found) -> Result<Upload> {
    let new = NewUpload {
        name: file.name.clone(),
        size: file.size as i64,
    };
    let upload: Upload = client.post("/api/v1/uploads", &new).await?;
    let path = format!("/api/v1/uploads/{}", upload.id);
    let line = Line::new();
    if upload.direct
        && let Err(e) = straight(client, file, &path, &line).await
    {
        eprintln!(
            "{}: the object store takes nothing from here, so it goes through the server: {e:#}",
            file.name
        );
    }
    loop {
        // Where the server stands, again after every failure: part of a piece may have arrived.
        let upload = retry(async || {
            let now: Upload = client.get(&path).await?;
            if now.received >= now.size {
                return Ok(now);
            }
            let mut handle = tokio::fs::File::open(&file.path).await?;
            handle.seek(SeekFrom::Start(now.received as u64)).await?;
            let piece = PIECE.min((now.size - now.received) as u64);
            let request = client
                .sending(Method::PATCH, &path, piece)?
                .header("upload-offset", now.received)
                .header("content-type", "application/offset+octet-stream")
                .body(Body::wrap_stream(ReaderStream::with_capacity(
                    handle.take(piece),
                    64 << 10,
                )));
            client
                .send(request)
                .await?
                .json()
                .await
                .context("the server's answer cannot be read")
        })
        .await
        .with_context(|| format!("{} was not uploaded", file.name))?;
        line.show(&format!(
            "{}: {} of {} bytes",
            file.name, upload.received, upload.size
        ));
        if upload.received >= upload.size {
            line.finish(&format!("{}: uploaded", file.name));
            return Ok(upload);
        }
    }
}

/// Puts the parts of an upload straight into the object store, until the server has counted all of them. A part that fails is given
/// another address as long as others arrive: on a slow line the last addresses run out before it is their turn.
async fn straight(client: &Client, file: &Found, upload: &str, line: &Line) -> Result<()> {
    let path = format!("{upload}/parts");
    let (mut before, mut failure) = (-1, None);
    loop {
        let now: UploadParts = retry(async || client.post(&path, &serde_json::json!({})).await).await?;
        let received = now.upload.received;
        line.show(&format!("{}: {received} of {} bytes", file.name, now.upload.size));
        if now.parts.is_empty() {
            return Ok(());
        }
        if received <= before {
            return Err(failure.unwrap_or_else(|| anyhow!("what was put there did not arrive")));
        }
        before = received;
        failure = None;
        let has_failed = &AtomicBool::new(false);
        let mut puts = futures::stream::iter(&now.parts)
            .map(|part| async move {
                // Those under way may come to their end; no other one is begun.
                if has_failed.load(Ordering::Relaxed) {
                    return Ok(());
                }
                let put = put(client, file, part).await;
                has_failed.fetch_or(put.is_err(), Ordering::Relaxed);
                put
            })
            .buffer_unordered(PARTS);
        while let Some(put) = puts.next().await {
            failure = failure.or(put.err());
        }
    }
}

async fn put(client: &Client, file: &Found, part: &UploadPart) -> Result<()> {
    retry(async || {
        let mut handle = tokio::fs::File::open(&file.path)
            .await
            .context("cannot read the file")?;
        handle.seek(SeekFrom::Start(part.offset as u64)).await?;
        let bytes = ReaderStream::with_capacity(handle.take(part.size as u64), 64 << 10);
        client
            .put_outside(&part.url, part.size as u64, Body::wrap_stream(bytes))
            .await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::super::api::tests::serve;
    use super::*;
    use axum::extract::{Path, State};
    use axum::http::{HeaderMap, StatusCode};
    use axum::{Json, Router, routing};
    use bytes::Bytes;
    use limn_domain::{Timestamp, UploadId};
    use std::sync::{Arc, Mutex};

    /// What has arrived of each part of ten bytes, and how often a part was asked for that the store refuses at first.
    #[derive(Default)]
    struct Store {
        url: String,
        parts: Vec<Option<Bytes>>,
        refusals: usize,
    }

    type Shared = Arc<Mutex<Store>>;

    async fn parts(State(store): State<Shared>) -> Json<UploadParts> {
        let store = store.lock().unwrap();
        let counted = store.parts.iter().take_while(|p| p.is_some()).count();
        let upload = Upload {
            id: UploadId::new(),
            name: "a.zip".to_owned(),
            size: 10 * store.parts.len() as i64,
            received: 10 * counted as i64,
            created_at: Timestamp(0),
            direct: true,
        };
        let parts = (counted..store.parts.len()).map(|n| UploadPart {
            offset: 10 * n as i64,
            size: 10,
            url: format!("{}/store/{n}", store.url),
        });
        let parts = parts.collect();
        Json(UploadParts { upload, parts })
    }

    async fn put(
        State(store): State<Shared>,
        Path(n): Path<usize>,
        head: HeaderMap,
        bytes: Bytes,
    ) -> StatusCode {
        let mut store = store.lock().unwrap();
        if n == 2 && store.refusals > 0 {
            store.refusals -= 1;
            return StatusCode::FORBIDDEN;
        }
        assert!(!head.contains_key("authorization"), "the token is for the server");
        store.parts[n] = Some(bytes);
        StatusCode::OK
    }

    /// Sends forty bytes; answers what came of it and what the store has.
    async fn sent(refusals: usize) -> (Result<()>, Vec<Option<Bytes>>) {
        let shared = Shared::default();
        let router = Router::new()
            .route("/api/v1/uploads/x/parts", routing::post(parts))
            .route("/store/{n}", routing::put(put))
            .with_state(Arc::clone(&shared));
        let remote = serve(router).await;
        {
            let mut store = shared.lock().unwrap();
            store.url.clone_from(&remote.url);
            store.parts = vec![None; 4];
            store.refusals = refusals;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.zip");
        std::fs::write(&path, (0..40).collect::<Vec<u8>>()).unwrap();
        let file = Found {
            path,
            name: "a.zip".to_owned(),
            size: 40,
            kind: Kind::Other,
        };
        let client = Client::new(&remote).unwrap();
        let end = straight(&client, &file, "/api/v1/uploads/x", &Line::new()).await;
        let parts = shared.lock().unwrap().parts.clone();
        (end, parts)
    }

    #[tokio::test]
    async fn a_part_whose_address_ran_out_gets_another_one() {
        let (end, parts) = sent(1).await;
        end.unwrap();
        let bytes: Vec<u8> = parts.into_iter().flat_map(Option::unwrap).collect();
        assert_eq!(bytes, (0..40).collect::<Vec<u8>>());
    }

    #[tokio::test]
    async fn a_store_that_takes_nothing_more_is_given_up_with_its_reason() {
        let (end, parts) = sent(usize::MAX).await;
        let error = end.unwrap_err().to_string();
        assert!(error.contains("403"), "{error}");
        assert!(parts[0].is_some() && parts[2].is_none());
    }
}
