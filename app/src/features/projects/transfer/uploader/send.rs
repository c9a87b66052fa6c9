//! What goes over the wire for one file of an upload.

use super::super::super::api;
use super::super::super::items::filter::encode;
use super::super::files::Picked;
use super::super::http::{self, Cancel};
use super::super::progress::{FileKind, backoff_ms, kind_of, worth_retrying};
use super::super::resumable;
use super::{MAX_ATTEMPTS, Uploader};
use crate::pulse::pulse_job;
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::import::{ImportAs, ImportFormat, NewImport, Sequence};
use limn_domain::item::AddItemOutcome;
use limn_domain::upload::{UploadCheck, UploadCheckFile};
use limn_domain::{ApiError, JobId, validate};
use std::collections::HashSet;

/// Milliseconds between two looks at a job.
const LOOK: u32 = 1_000;

impl Uploader {
    /// Names the server lacks; `None` (send all) when it could not be asked.
    pub(super) async fn missing(self, chunk: &[Picked]) -> Option<HashSet<String>> {
        let files = chunk
            .iter()
            .map(|p| UploadCheckFile {
                name: p.path.clone(),
                size: p.file.size() as i64,
            })
            .collect();
        let answer = api::item_check(self.project, UploadCheck { files }).await;
        answer.ok().map(|a| a.missing.into_iter().collect())
    }

    pub(super) async fn send(self, picked: Picked, cancel: &Cancel) {
        let url = format!(
            "/api/v1/projects/{}/items?name={}",
            self.project,
            encode(&picked.path)
        );
        let mut attempt = 0;
        let end: Result<AddItemOutcome, ApiError> = loop {
            let path = picked.path.clone();
            let report = move |sent| {
                self.inner.update(|i| {
                    i.flying.insert(path.clone(), sent);
                });
                self.count();
            };
            let headers = [("content-type", "application/octet-stream")];
            let reply = http::send("POST", &url, &headers, Some(&picked.file), cancel, report).await;
            if cancel.is_set() {
                return;
            }
            if worth_retrying(reply.status) && attempt < MAX_ATTEMPTS {
                attempt += 1;
                http::sleep(backoff_ms(attempt, js_sys::Math::random())).await;
                if cancel.is_set() {
                    return;
                }
                continue;
            }
            if reply.status == 401 || reply.status == 403 {
                self.give_up(&reply.error());
            }
            break reply.json();
        };
        self.inner.update(|i| {
            i.flying.remove(&picked.path);
            i.landed += picked.file.size();
        });
        match end {
            Ok(AddItemOutcome::Added { .. }) => self.progress.update(|p| p.added += 1),
            Ok(AddItemOutcome::Unchanged { .. }) => self.progress.update(|p| p.unchanged += 1),
            Err(e) => {
                let path = picked.path.clone();
                self.fail(&path, e.message, Some(picked));
            }
        }
        self.count();
        self.bump(false);
    }

    /// An archive goes to the upload area, then a job unpacks it.
    pub(super) async fn archive(self, picked: Picked, cancel: &Cancel) {
        let path = picked.path.clone();
        let report = move |sent| {
            self.inner.update(|i| {
                i.flying.insert(path.clone(), sent);
            });
            self.count();
        };
        let end = async {
            let upload = resumable::upload(&picked.file, cancel, report).await?;
            let input = NewImport {
                format: ImportFormat::Images,
                import_as: ImportAs::Labels,
                uploads: vec![upload],
                create_categories: false,
                replace: false,
                columns: None,
                sequence: picked.sequence.map(|rate| Sequence { rate }),
            };
            api::import_start(self.project, input).await.map_err(|e| e.0)
        }
        .await;
        if cancel.is_set() {
            return;
        }
        self.inner.update(|i| {
            i.flying.remove(&picked.path);
            i.landed += picked.file.size();
        });
        match end {
            Ok(job) => {
                self.progress.update(|p| p.added += 1);
                let id = job.id;
                self.jobs.update(|jobs| jobs.push(job));
                spawn_local(self.watch(id));
            }
            Err(e) => {
                let e: ApiError = e;
                let path = picked.path.clone();
                self.fail(&path, e.message, Some(picked));
            }
        }
        self.count();
    }

    /// Follows an archive's job to its end, so that lists show what it brings.
    async fn watch(self, id: JobId) {
        loop {
            http::sleep(LOOK).await;
            // A short absence of the server is no end of the job.
            let Ok(now) = pulse_job(id).await else {
                continue;
            };
            let ended = now.state.is_final();
            let listed = self.jobs.try_update(|jobs| {
                let job = jobs.iter_mut().find(|j| j.id == id);
                job.map(|j| *j = now).is_some()
            });
            self.bump(ended);
            // Ended, or put away with the panel.
            if ended || listed != Some(true) {
                return;
            }
        }
    }
}

/// What a file is, or why it cannot be taken.
pub(super) fn sort(picked: &Picked) -> Result<FileKind, String> {
    validate::item_name(&picked.path)?;
    let kind = kind_of(&picked.path);
    let has_ending = picked.path.rsplit('/').next().is_some_and(|n| n.contains('.'));
    match kind {
        FileKind::Annotations => Err("This is an annotation file; use Import for it.".to_owned()),
        FileKind::Other if has_ending => Err(
            "Neither a picture, a video nor a text file. Limn takes JPEG, PNG, WebP, GIF, BMP, TIFF, MP4, MKV, WebM, AVI, MOV and .txt, and zip files of them.".to_owned(),
        ),
        _ if picked.file.size() == 0.0 => Err("The file is empty.".to_owned()),
        other => Ok(other),
    }
}
