//! `upload`: images or documents as items, several at once, resumable: what the project has already is not sent again.

use super::api::{Client, encode, retry};
use super::files::{self, Found, Kind};
use super::watch::Line;
use super::{Remote, print};
use anyhow::{Context as _, Result, bail};
use clap::Args;
use futures::{StreamExt as _, TryStreamExt as _};
use limn_domain::ProjectId;
use limn_domain::item::AddItemOutcome;
use limn_domain::upload::{
    NewUpload, Upload, UploadCheck, UploadCheckFile, UploadMissing, UploadPart, UploadParts,
};
use reqwest::{Body, Method};
use std::collections::HashSet;
use std::io::SeekFrom;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
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
        .request(Method::POST, &path)?
        .header("content-type", "application/octet-stream")
        .header("content-length", file.size)
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
                .request(Method::PATCH, &path)?
                .header("upload-offset", now.received)
                .header("content-type", "application/offset+octet-stream")
                .header("content-length", piece)
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

/// Puts the parts of an upload straight into the object store, until the server has counted all of them.
async fn straight(client: &Client, file: &Found, upload: &str, line: &Line) -> Result<()> {
    let path = format!("{upload}/parts");
    let mut before = -1;
    loop {
        let now: UploadParts = retry(async || client.post(&path, &serde_json::json!({})).await).await?;
        let received = now.upload.received;
        line.show(&format!("{}: {received} of {} bytes", file.name, now.upload.size));
        if now.parts.is_empty() {
            return Ok(());
        }
        if received <= before {
            bail!("what was put there did not arrive");
        }
        before = received;
        futures::stream::iter(&now.parts)
            .map(|part| put(client, file, part))
            .buffer_unordered(PARTS)
            .try_collect::<()>()
            .await?;
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
            .put_outside(&part.url, part.size, Body::wrap_stream(bytes))
            .await
    })
    .await
}
