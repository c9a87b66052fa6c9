//! `dataset download`: the files of a version into a folder.

mod whole;

use super::get;
use crate::cli::api::{Client, encode};
use crate::cli::watch::Line;
use crate::cli::{print, watch};
use anyhow::{Context as _, Result, anyhow};
use futures::StreamExt as _;
use limn_domain::Page;
use limn_domain::dataset::{Entry, Split, Version};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::io::AsyncWriteExt as _;

/// Files under way at once: small ones cost a round trip, not bandwidth.
const AT_ONCE: usize = 8;

/// Fetches the files, each checked against its digest before it gets its name.
pub(super) async fn download(
    client: &Client,
    version: &Version,
    split: Option<Split>,
    out: &Path,
) -> Result<()> {
    let line = Arc::new(watch::Line::new());
    let (done, there) = if whole::pays(version, out) {
        (whole::fetch(client, version, split, out, &line).await?, 0)
    } else {
        one_by_one(client, version, split, out, &line).await?
    };
    line.finish(&format!("download: {} files", done + there));
    print(&format!(
        "{}: version {}, {done} files fetched, {there} there already, BLAKE3 {}",
        out.display(),
        version.number,
        version.digest
    ))
}

fn progress(line: &Line, done: i64, files: i64) {
    line.show(&format!("download: {done} of {files} files"));
}

/// Answers how many were fetched, and how many were there.
async fn one_by_one(
    client: &Client,
    version: &Version,
    split: Option<Split>,
    out: &Path,
    line: &Line,
) -> Result<(i64, i64)> {
    let (mut cursor, mut done, mut there) = (None::<String>, 0_i64, 0_i64);
    loop {
        let page = page(client, version, split, cursor.as_deref()).await?;
        let mut files = futures::stream::iter(page.rows)
            .map(|entry| async move { file(client, version, &entry, out).await })
            .buffer_unordered(AT_ONCE);
        while let Some(fetched) = files.next().await {
            if fetched? {
                done += 1;
            } else {
                there += 1;
            }
            progress(line, done + there, version.files);
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok((done, there));
        }
    }
}

/// A part of the list of files, in the order of their paths.
async fn page(
    client: &Client,
    version: &Version,
    split: Option<Split>,
    cursor: Option<&str>,
) -> Result<Page<Entry>> {
    let mut query = vec![("limit", "1000")];
    if let Some(split) = split {
        query.push(("split", split.as_str()));
    }
    if let Some(cursor) = cursor {
        query.push(("cursor", cursor));
    }
    let url = format!("/api/v1/versions/{}/entries", version.id);
    get(client, &url, &query).await
}

/// Where a file comes to lie.
fn file_at(out: &Path, path: &str) -> Result<PathBuf> {
    // The server checks paths; this is the reader's own lock on the door.
    let path = limn_domain::validate::item_name(path).map_err(|e| anyhow!(e))?;
    Ok(out.join(path))
}

/// What it is called until all of it is there.
fn partial_of(target: &Path) -> PathBuf {
    let mut partial = target.to_owned().into_os_string();
    partial.push(".part");
    PathBuf::from(partial)
}

/// Gives a file its name.
fn brought(partial: &Path, target: &Path) -> Result<()> {
    std::fs::rename(partial, target).with_context(|| format!("cannot write {}", target.display()))
}

fn wrong(path: &str) -> anyhow::Error {
    anyhow!("`{path}` did not arrive as it is stored; run the command again")
}

/// Answers whether the file had to be fetched.
async fn file(client: &Client, version: &Version, entry: &Entry, out: &Path) -> Result<bool> {
    let target = file_at(out, &entry.path)?;
    if digest_of(&target).await?.as_deref() == Some(entry.digest.as_str()) {
        return Ok(false);
    }
    if let Some(parent) = target.parent() {
        tokio::fs::create_dir_all(parent)
            .await
            .with_context(|| format!("cannot make the folder {}", parent.display()))?;
    }
    let partial = partial_of(&target);
    let url = format!("/api/v1/versions/{}/file", version.id);
    let request = client.request(
        reqwest::Method::GET,
        &format!("{url}?path={}", encode(&entry.path)),
    )?;
    let mut response = client.send(request).await?;
    let mut file = tokio::fs::File::create(&partial)
        .await
        .with_context(|| format!("cannot write {}", partial.display()))?;
    while let Some(piece) = response.chunk().await.context("the download broke")? {
        file.write_all(&piece).await?;
    }
    file.flush().await?;
    drop(file);
    if digest_of(&partial).await?.as_deref() != Some(entry.digest.as_str()) {
        drop(tokio::fs::remove_file(&partial).await);
        return Err(wrong(&entry.path));
    }
    brought(&partial, &target)?;
    Ok(true)
}

async fn digest_of(path: &Path) -> Result<Option<String>> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || match std::fs::File::open(&path) {
        Ok(mut file) => {
            let mut hasher = blake3::Hasher::new();
            std::io::copy(&mut file, &mut hasher)?;
            Ok(Some(hasher.finalize().to_hex().to_string()))
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e.into()),
    })
    .await?
}
