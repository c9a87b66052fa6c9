//! The export job, of a project or of a version of a dataset: one snapshot of the database, read a page at a time, written
//! to `exports/<job>/` and moved into place when it is whole. The same data gives the same bytes: nothing in the file knows when or by whom it was made.

mod archive;
mod coco;
mod files;
pub(super) mod frames;
mod source;

use crate::Context;
use crate::explore::items::Chosen;
use anyhow::Context as _;
use limn_domain::dataset::Split;
use limn_domain::export::{ExportFormat, ExportResult, NewExport};
use limn_domain::item_explore::ItemChoice;
use limn_domain::{Attribute, CategoryId, Digest, JobId, ProjectId, VersionId};
use limn_jobs::{Handler, Permanent, Progress};
use limn_store::repo::item::ExportItem;
use serde::{Deserialize, Serialize};
pub(crate) use source::{item, task_of};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;

/// Name of the finished file in the job's folder.
const DATA: &str = "data";
/// The JSON while it is written, and the annotations that end up at its end.
const JSON_PART: &str = "json.part";
const SPOOL_PART: &str = "annotations.part";
const ZIP_PART: &str = "zip.part";
/// Items read at once.
const PAGE: i64 = 2_000;
/// Pages read ahead of the writer.
const AHEAD: usize = 2;

/// What an export job is given.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Payload {
    /// One of the two is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionId>,
    /// Of a version: only the files of this split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    pub input: NewExport,
    /// Of a project: only these items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<ItemChoice>,
}

/// A picture that belongs to the export.
#[derive(Debug, Clone)]
struct Picture {
    digest: Digest,
    /// Path in the archive.
    name: String,
    width: i64,
    height: i64,
    orientation: i64,
}

/// Takes values out of an item's labels whose attribute their category has no more: they stay with the labels until those
/// are saved again, and mean nothing by then.
fn current_values<'d>(item: &mut ExportItem, defined: impl Fn(&CategoryId) -> Option<&'d [Attribute]>) {
    for a in item.annotations.iter_mut().filter(|a| !a.attributes.is_empty()) {
        let list = defined(&a.category_id).unwrap_or_default();
        a.attributes.retain(|key, _| list.iter().any(|d| d.key == *key));
    }
}

/// The labels, written.
struct Labels {
    items: u64,
    labels: u64,
    /// What the person who exports should know.
    notes: Vec<String>,
    /// In export order; empty when the pictures stay out.
    pictures: Vec<Picture>,
    /// With the labels in it, when the export is one; otherwise they are in `json.part`.
    zip: Option<archive::Zip>,
}

/// Runs exports.
pub(super) struct ExportJob(pub Context);

/// Where an export's files lie.
fn folder(ctx: &Context, job: JobId) -> PathBuf {
    ctx.exports_dir().join(job.to_string())
}

/// What an export is called among the files that processes share.
fn shared_name(job: JobId) -> String {
    format!("exports/{job}")
}

/// The finished file, brought here where another process has made it; `None` once it is cleaned away.
pub(crate) async fn data(ctx: &Context, job: JobId) -> anyhow::Result<Option<PathBuf>> {
    let path = folder(ctx, job).join(DATA);
    let there = tokio::fs::try_exists(&path).await? || ctx.blobs.obtain(&shared_name(job), &path).await?;
    Ok(there.then_some(path))
}

#[async_trait::async_trait]
impl Handler for ExportJob {
    async fn run(
        &self,
        payload: serde_json::Value,
        progress: Progress,
    ) -> anyhow::Result<Option<serde_json::Value>> {
        let payload: Payload =
            serde_json::from_value(payload).context("The export's settings cannot be read")?;
        let dir = folder(&self.0, progress.job_id());
        let made = run(&self.0, &payload, &dir, &progress).await;
        if made.is_err() {
            remove(&dir).await;
        }
        Ok(Some(serde_json::to_value(made.map_err(super::for_people)?)?))
    }
}

/// Removes an export's folder; nothing happens when there is none.
pub(super) async fn remove(dir: &Path) {
    if let Err(e) = tokio::fs::remove_dir_all(dir).await
        && e.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(folder = %dir.display(), error = %e, "an export's folder was not removed");
    }
}

async fn run(
    ctx: &Context,
    payload: &Payload,
    dir: &Path,
    progress: &Progress,
) -> anyhow::Result<ExportResult> {
    // What an earlier attempt left.
    remove(dir).await;
    tokio::fs::create_dir_all(dir).await?;
    let input = payload.input;
    let (name, labels) = write_labels(ctx, payload, dir, progress).await?;
    let mut notes = labels.notes;
    let is_zip = labels.zip.is_some();
    let part = match labels.zip {
        Some(zip) => archive::write(ctx, dir, zip, &labels.pictures, progress, &mut notes).await?,
        None => dir.join(JSON_PART),
    };
    progress.report(0, 0, "Checking the file").await?;
    let data = dir.join(DATA);
    let sealed = data.clone();
    let (size, digest) = tokio::task::spawn_blocking(move || seal(&part, &sealed)).await??;
    let shared = ctx.blobs.share(&shared_name(progress.job_id()), &data).await;
    shared.context("The file cannot be put into the store")?;
    for left in [JSON_PART, SPOOL_PART] {
        drop(tokio::fs::remove_file(dir.join(left)).await);
    }
    let job_id = progress.job_id();
    Ok(ExportResult {
        job_id,
        url: format!("/api/v1/exports/{job_id}/file"),
        file_name: format!(
            "{}-{}.{}",
            slug(&name),
            input.format.as_str().replace('_', "-"),
            if is_zip { "zip" } else { "json" }
        ),
        size: i64::try_from(size)?,
        digest: digest.to_string(),
        images: i64::try_from(labels.items)?,
        annotations: i64::try_from(labels.labels)?,
        notes,
    })
}

/// The items that were asked for, where not all were.
async fn chosen(ctx: &Context, payload: &Payload, progress: &Progress) -> anyhow::Result<Option<Chosen>> {
    let (Some(project), Some(only)) = (payload.project, &payload.only) else {
        return Ok(None);
    };
    Ok(Some(Chosen::of(ctx, project, only, progress).await?))
}

/// Reads the snapshot and writes the labels, each on a thread of its own.
async fn write_labels(
    ctx: &Context,
    payload: &Payload,
    dir: &Path,
    progress: &Progress,
) -> anyhow::Result<(String, Labels)> {
    let input = payload.input;
    let chosen = chosen(ctx, payload, progress).await?;
    let mut source = source::Pages::open(ctx, payload, chosen).await?;
    let (head, categories, name) = (
        source.head.clone(),
        source.categories.clone(),
        source.name.clone(),
    );
    if let Some(why) = files::refusal(&head, &categories, input.format) {
        return Err(Permanent(why).into());
    }
    let total = head.items;
    let (send, receive) = mpsc::channel::<Vec<ExportItem>>(AHEAD);
    let (own_head, own_dir, own) = (head.clone(), dir.to_owned(), ctx.clone());
    let writer = tokio::task::spawn_blocking(move || match input.format {
        ExportFormat::Coco => coco::write(&own_dir, &own_head, &categories, input, receive),
        _ => files::write(&own_dir, &own_head, &categories, input, &own, receive),
    });
    let read = async {
        let mut done = 0;
        loop {
            progress.report(done, total, "Writing labels").await?;
            let page = source.next(PAGE).await?;
            if page.is_empty() {
                return anyhow::Ok(());
            }
            done += page.len() as i64;
            // A video goes alone: its frames may be many.
            let mut rest = page.into_iter().peekable();
            while let Some(first) = rest.next() {
                let mut part = vec![first];
                if frames::is_video(&part[0]) {
                    frames::load(source.tx(), &mut part[0]).await?;
                } else {
                    while let Some(item) = rest.next_if(|i| !frames::is_video(i)) {
                        part.push(item);
                    }
                }
                if send.send(part).await.is_err() {
                    // The writer has failed and says why below.
                    return Ok(());
                }
            }
        }
    }
    .await;
    drop(send);
    let written = writer.await?;
    read?;
    Ok((name, written.context("The file cannot be written")?))
}

/// Makes the file durable under its name; answers its length and digest.
fn seal(part: &Path, data: &Path) -> anyhow::Result<(u64, Digest)> {
    let mut file = std::fs::File::open(part)?;
    let mut hasher = blake3::Hasher::new();
    let (mut size, mut buffer) = (0, vec![0; 1 << 20]);
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            break;
        }
        size += n as u64;
        hasher.update(&buffer[..n]);
    }
    file.sync_all()?;
    std::fs::rename(part, data)?;
    Ok((size, Digest::parse(hasher.finalize().to_hex().as_str())?))
}

/// The project's name as a file name: letters, digits and dashes.
pub(crate) fn slug(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        } else if !out.ends_with('-') && !out.is_empty() {
            out.push('-');
        }
        if out.len() > 60 {
            break;
        }
    }
    let out = out.trim_end_matches('-');
    if out.is_empty() {
        "project".to_owned()
    } else {
        out.to_owned()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn slugs_are_plain_file_names() {
        for (name, slug) in [
            ("Raccoons, 2024!", "raccoons-2024"),
            ("../..", "project"),
            ("Čápi & vrány", "čápi-vrány"),
        ] {
            assert_eq!(super::slug(name), slug);
        }
    }
}
