//! `dataset download`: the files of a version into a folder.

use super::get;
use crate::cli::api::{Client, encode};
use crate::cli::{print, watch};
use anyhow::{Context as _, Result, bail};
use futures::StreamExt as _;
use limn_domain::Page;
use limn_domain::dataset::{Entry, Split, Version};
use std::path::{Path, PathBuf};
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
    let line = watch::Line::new();
    let (mut cursor, mut done, mut there) = (None::<String>, 0_i64, 0_i64);
    loop {
        let mut query = vec![("limit", "1000")];
        if let Some(split) = split {
            query.push(("split", split.as_str()));
        }
        if let Some(cursor) = &cursor {
            query.push(("cursor", cursor));
        }
        let url = format!("/api/v1/versions/{}/entries", version.id);
        let page: Page<Entry> = get(client, &url, &query).await?;
        let mut files = futures::stream::iter(page.rows)
            .map(|entry| async move { file(client, version, &entry, out).await })
            .buffer_unordered(AT_ONCE);
        while let Some(fetched) = files.next().await {
            if fetched? {
                done += 1;
            } else {
                there += 1;
            }
            line.show(&format!("download: {} of {} files", done + there, version.files));
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    line.finish(&format!("download: {} files", done + there));
    print(&format!(
        "{}: version {}, {done} files fetched, {there} there already, BLAKE3 {}",
        out.display(),
        version.number,
        version.digest
    ))
}

/// Answers whether the file had to be fetched.
async fn file(client: &Client, version: &Version, entry: &Entry, out: &Path) -> Result<bool> {
    // The server checks paths; this is the reader's own lock on the door.
    let path = limn_domain::validate::item_name(&entry.path).map_err(|e| anyhow::anyhow!(e))?;
    let target = out.join(path);
    if digest_of(&target).await?.as_deref() == Some(entry.digest.as_str()) {
        return Ok(false);
    }
    if let Some(parent) = target.parent() {
        tokio::fs::create_dir_all(parent)
            .await
            .with_context(|| format!("cannot make the folder {}", parent.display()))?;
    }
    let mut partial = target.clone().into_os_string();
    partial.push(".part");
    let partial = PathBuf::from(partial);
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
        bail!(
            "`{}` did not arrive as it is stored; run the command again",
            entry.path
        );
    }
    tokio::fs::rename(&partial, &target)
        .await
        .with_context(|| format!("cannot write {}", target.display()))?;
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
