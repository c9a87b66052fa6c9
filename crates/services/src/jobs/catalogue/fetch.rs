//! Fetching the files of a record, and checking that they are what was published.

use super::digest::Sums;
use crate::Context;
use anyhow::Context as _;
use limn_connect::download::{Want, download};
use limn_connect::http::{self, Http};
use limn_connect::{ConnectError, Guard, Url};
use limn_domain::catalogue::{FetchedFile, Record, RecordFile};
use limn_jobs::{Cancelled, Permanent, Progress};
use std::path::{Path, PathBuf};

/// All files, in the record's order, with the paths where they lie.
pub async fn all(
    ctx: &Context,
    record: &Record,
    folder: &Path,
    progress: &Progress,
) -> anyhow::Result<Vec<(FetchedFile, PathBuf)>> {
    let settings = &ctx.limits.catalogue;
    let proxy = if settings.proxy.is_empty() {
        None
    } else {
        Some(http::proxy(settings.proxy.reveal())?)
    };
    let http = Http::through(Guard::new(ctx.limits.reach.networks.clone()), proxy)?;
    let total = record.bytes().and_then(|b| i64::try_from(b).ok()).unwrap_or(0);
    let (mut out, mut done) = (Vec::with_capacity(record.files.len()), 0);
    for (n, file) in record.files.iter().enumerate() {
        let fetch = Fetch {
            ctx,
            http: &http,
            file,
            to: folder.join(n.to_string()),
            part: folder.join(format!("{n}.part")),
            progress,
            done,
            total,
        };
        let fetched = fetch.run().await?;
        done += fetched.bytes;
        out.push((fetched, fetch.to));
    }
    Ok(out)
}

struct Fetch<'a> {
    ctx: &'a Context,
    http: &'a Http,
    file: &'a RecordFile,
    /// Where it lies once it is whole and right, and until then.
    to: PathBuf,
    part: PathBuf,
    progress: &'a Progress,
    /// Bytes of the files before it, and of all.
    done: i64,
    total: i64,
}

impl Fetch<'_> {
    async fn run(&self) -> anyhow::Result<FetchedFile> {
        if tokio::fs::try_exists(&self.to).await? {
            // Of an earlier attempt.
            let sums = self.sums(&self.to).await?;
            if self.is_right(&sums).is_ok() {
                let first = self.file.urls.first().map(String::as_str).unwrap_or_default();
                return Ok(self.fetched(sums, self.ctx.limits.catalogue.address(first)));
            }
            tokio::fs::remove_file(&self.to).await?;
        }
        let mut failed: Option<anyhow::Error> = None;
        for url in &self.file.urls {
            let url = self.ctx.limits.catalogue.address(url);
            match self.from(&url).await {
                Ok(sums) => return Ok(self.fetched(sums, url)),
                Err(e) if e.is::<Cancelled>() => return Err(e),
                Err(e) => {
                    self.progress.check()?;
                    if self.file.urls.len() > 1 {
                        self.progress.log(format!("`{}`: {e}", self.file.name)).await?;
                    }
                    // What may pass is worth another attempt.
                    if failed.as_ref().is_none_or(|f| !passing(f)) {
                        failed = Some(e);
                    }
                }
            }
        }
        let e = failed.unwrap_or_else(|| Permanent(format!("`{}` has no address.", self.file.name)).into());
        match e.downcast::<ConnectError>() {
            // With the file it is about.
            Ok(e) if !e.is_passing() => {
                Err(Permanent(format!("`{}` was not fetched. {e}", self.file.name)).into())
            }
            Ok(e) => Err(e.into()),
            Err(e) => Err(e),
        }
    }

    async fn from(&self, url: &str) -> anyhow::Result<Sums> {
        let address: Url = url
            .parse()
            .map_err(|_| Permanent(format!("`{url}` is no address; mend the catalogue.")))?;
        let before = tokio::fs::metadata(&self.part).await.map_or(0, |m| m.len());
        for attempt in 0..2 {
            self.download(&address).await?;
            let sums = self.sums(&self.part).await?;
            match self.is_right(&sums) {
                Ok(()) => {
                    self.keep().await?;
                    return Ok(sums);
                }
                Err(why) => {
                    tokio::fs::remove_file(&self.part).await?;
                    // It went on from what an earlier attempt left, perhaps of another file.
                    if before == 0 || attempt > 0 {
                        return Err(Permanent(format!(
                            "`{}` from {} is not the file that was published: {why}. Nothing was registered.",
                            self.file.name,
                            http::host(&address)
                        ))
                        .into());
                    }
                }
            }
        }
        Err(Permanent(format!("`{}` was not fetched.", self.file.name)).into())
    }

    async fn download(&self, url: &Url) -> anyhow::Result<()> {
        let want = Want {
            bytes: self.file.bytes,
            limit: self.ctx.limits.upload_bytes,
            resume: self.file.digest.is_some(),
        };
        let told = |n: u64| {
            let at = self.done + i64::try_from(n).unwrap_or(0);
            self.progress
                .note(at, self.total, format!("Fetching {}", self.file.name));
        };
        tokio::select! {
            () = self.progress.token().cancelled() => Err(Cancelled.into()),
            done = download(self.http, url, &self.part, &want, &told) => {
                done?;
                Ok(())
            }
        }
    }

    async fn sums(&self, path: &Path) -> anyhow::Result<Sums> {
        let (path, progress) = (path.to_owned(), self.progress.clone());
        tokio::task::spawn_blocking(move || Sums::of(&path, &progress)).await?
    }

    /// Errors say in what it differs.
    fn is_right(&self, sums: &Sums) -> Result<(), String> {
        if let Some(bytes) = self.file.bytes.filter(|b| *b != sums.bytes) {
            return Err(format!("it has {} bytes instead of {bytes}", sums.bytes));
        }
        match &self.file.digest {
            Some(wanted) if sums.as_published(wanted) != *wanted => Err(format!(
                "its digest is {} instead of {wanted}",
                sums.as_published(wanted)
            )),
            _ => Ok(()),
        }
    }

    /// Durable before it has its name: whoever finds it by that takes it for whole.
    async fn keep(&self) -> anyhow::Result<()> {
        let (part, to) = (self.part.clone(), self.to.clone());
        tokio::task::spawn_blocking(move || {
            std::fs::File::open(&part)?.sync_all()?;
            std::fs::rename(&part, &to)
        })
        .await?
        .context("Cannot keep a fetched file")
    }

    fn fetched(&self, sums: Sums, url: String) -> FetchedFile {
        FetchedFile {
            name: self.file.name.clone(),
            url,
            bytes: i64::try_from(sums.bytes).unwrap_or(i64::MAX),
            sha256: sums.sha256,
            blake3: sums.blake3,
            verified: self.file.digest.is_some(),
        }
    }
}

fn passing(e: &anyhow::Error) -> bool {
    e.downcast_ref::<ConnectError>()
        .is_some_and(ConnectError::is_passing)
}
