//! The pictures (or documents) of an import become items, by the same path and checks as any upload.

use super::Import;
use super::sources::{Files, Upload};
use crate::{Error, ingest};
use anyhow::Context as _;
use futures::StreamExt as _;
use limn_domain::item::AddItemOutcome;
use limn_domain::{ApiError, Code};
use limn_formats::Detail;
use limn_formats::read::Role;
use limn_storage::archive::{Archive, ArchiveLimits};
use limn_storage::{BlobStore, Source, Staged, StorageError};
use std::io::Read as _;
use tokio::sync::mpsc;

/// Pictures decoded at once; the pool of decoders has its own bounds.
const AT_ONCE: usize = 4;
/// Items whose rows may be written in one transaction.
const TOGETHER: usize = 32;

/// A picture on its way: the item's name, and its bytes or why they cannot be had.
type Piece = (String, limn_storage::Result<Staged>);

impl Import<'_> {
    /// Takes every picture of the uploads. One that is refused costs only itself.
    pub(super) async fn take_pictures(&mut self, uploads: &[Upload]) -> anyhow::Result<()> {
        let pictures = |u: &&Upload| u.pictures() > 0 && !self.takes_sequence(u);
        let uploads: Vec<&Upload> = uploads.iter().filter(pictures).collect();
        let total: usize = uploads.iter().map(|u| u.pictures()).sum();
        let mut done = 0;
        for upload in uploads {
            let mut pieces = self.unpack(upload);
            let mut adding = std::pin::pin!(
                futures::stream::poll_fn(|cx| pieces.poll_recv(cx))
                    .map(|(name, staged)| {
                        let (ctx, project, media) = (self.ctx.clone(), self.project, self.task.media());
                        async move {
                            let checked = match staged {
                                Ok(staged) => ingest::check_staged(&ctx, project, media, &name, staged).await,
                                Err(e) => Err(ingest::refusal(&name, e)),
                            };
                            (name, checked)
                        }
                    })
                    .buffered(AT_ONCE)
                    // Rows are written together, in the order of the archive.
                    .map(|(name, checked)| {
                        let (ctx, project) = (self.ctx.clone(), self.project);
                        async move {
                            let outcome = match checked {
                                Ok(checked) => ingest::register(&ctx, project, checked).await,
                                Err(e) => Err(e),
                            };
                            (name, outcome)
                        }
                    })
                    .buffered(TOGETHER)
            );
            while let Some((name, outcome)) = adding.next().await {
                done += 1;
                let shown = if upload.name.eq_ignore_ascii_case(&name) {
                    name.clone()
                } else {
                    format!("{}/{name}", upload.name)
                };
                self.findings.set_file(shown);
                match outcome {
                    Ok(AddItemOutcome::Added { .. }) => self.findings.report_mut().items_added += 1,
                    Ok(AddItemOutcome::Unchanged { .. }) => self.findings.report_mut().items_unchanged += 1,
                    Err(Error::Api(e)) if is_refusal(&e) => {
                        self.findings.refused(code(&e), || Detail::new(e.message));
                    }
                    Err(e) => {
                        return Err(e).with_context(|| format!("The import stopped at `{name}`"));
                    }
                }
                self.progress
                    .report(
                        done,
                        total as i64,
                        if self.task.is_text() {
                            "Reading documents"
                        } else {
                            "Reading pictures"
                        },
                    )
                    .await?;
            }
        }
        Ok(())
    }

    /// Reads the pictures of an upload one after another, a few ahead of whoever takes them.
    fn unpack(&self, upload: &Upload) -> mpsc::Receiver<Piece> {
        let (send, receive) = mpsc::channel(AT_ONCE);
        let limit = ingest::bytes_max(self.ctx, self.task.media());
        let blobs = self.ctx.blobs.clone();
        let source = upload.source.clone();
        match &upload.files {
            Files::Archive { pictures, prefix, .. } => {
                let (pictures, prefix, upload) = (pictures.clone(), *prefix, upload.name.clone());
                tokio::task::spawn_blocking(move || {
                    let mut archive = match Archive::open(&source, ArchiveLimits::default()) {
                        Ok(archive) => archive,
                        Err(e) => return drop(send.blocking_send((upload, Err(e)))),
                    };
                    for n in pictures {
                        let Some(entry) = archive.entries().get(n) else {
                            return;
                        };
                        let name = entry.name.strip_prefix(prefix).unwrap_or(&entry.name).to_owned();
                        let staged = archive.stage(n, blobs.stage(limit));
                        // Nobody takes any more when the import was stopped.
                        if send.blocking_send((name, staged)).is_err() {
                            return;
                        }
                    }
                });
            }
            Files::One(Role::Picture) => {
                let name = upload.name.clone();
                tokio::task::spawn_blocking(move || {
                    drop(send.blocking_send((name, stage(&source, &blobs, limit))));
                });
            }
            Files::None | Files::One(_) => {}
        }
        receive
    }
}

fn stage(source: &Source, blobs: &BlobStore, limit: u64) -> limn_storage::Result<Staged> {
    let mut writer = blobs.stage(limit);
    let mut reader = source.reader()?;
    let mut buffer = vec![0; 256 << 10];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return writer.finish(),
            Ok(n) => writer.push(&buffer[..n])?,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(StorageError::from(e)),
        }
    }
}

/// Whether the picture is at fault, and not the server.
pub(in crate::jobs) fn is_refusal(e: &ApiError) -> bool {
    !matches!(
        e.code,
        Code::Internal | Code::Unavailable | Code::NotFound | Code::Forbidden | Code::SignInRequired
    )
}

pub(in crate::jobs) fn code(e: &ApiError) -> &'static str {
    match e.code {
        Code::AlreadyExists => "name_taken",
        Code::TooLarge => "too_large",
        Code::InvalidInput => "bad_name",
        _ => "bad_picture",
    }
}
