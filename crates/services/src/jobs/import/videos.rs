//! Videos of an import: files that ffmpeg takes apart, and folders of numbered pictures.

use super::Import;
use super::pictures::{code, is_refusal};
use super::sources::{Files, Upload};
use crate::Error;
use crate::ingest::{self, NewVideo};
use crate::jobs::videos::{self, Unpacked};
use anyhow::Context as _;
use limn_domain::import::{ImportFormat, Sequence};
use limn_domain::item::AddItemOutcome;
use limn_domain::video;
use limn_formats::Detail;
use limn_formats::read::Role;
use limn_jobs::Cancelled;
use limn_storage::archive::{Archive, ArchiveLimits};
use limn_storage::video::VideoError;
use std::collections::BTreeMap;

/// A file to take apart: what its item is called, and the entry of its archive.
type Wanted = (String, Option<usize>);

impl Import<'_> {
    /// How pictures become videos, if they do.
    fn sequence(&self) -> Option<Sequence> {
        let implied = || (self.input.format == ImportFormat::Mot).then(Sequence::default);
        self.input.sequence.or_else(implied)
    }

    /// Whether the pictures of an archive are frames.
    pub(super) fn takes_sequence(&self, upload: &Upload) -> bool {
        self.sequence().is_some() && matches!(upload.files, Files::Archive { .. })
    }

    /// Takes the video files, and the pictures of archives as frames where that is wanted.
    pub(super) async fn take_videos(&mut self, uploads: &[Upload]) -> anyhow::Result<()> {
        for upload in uploads {
            let wanted: Vec<Wanted> = match &upload.files {
                Files::One(Role::Video) => vec![(upload.name.clone(), None)],
                Files::Archive { videos, .. } => {
                    videos.iter().map(|(n, name)| (name.clone(), Some(*n))).collect()
                }
                Files::None | Files::One(_) => Vec::new(),
            };
            for (name, entry) in wanted {
                self.findings.set_file(shown(upload, &name));
                if !self.task.takes_videos() {
                    let why = format!(
                        "`{name}` is a video, and the labels of this project ({}) are not tracks.",
                        self.task.label().to_lowercase()
                    );
                    self.findings.refused("no_videos_here", || Detail::new(why));
                    continue;
                }
                self.take_video(upload, &name, entry).await?;
            }
            if let (Some(sequence), Files::Archive { pictures, .. }) = (self.sequence(), &upload.files)
                && !pictures.is_empty()
            {
                self.take_sequences(upload, pictures, sequence.rate).await?;
            }
        }
        Ok(())
    }

    async fn take_video(&mut self, upload: &Upload, name: &str, entry: Option<usize>) -> anyhow::Result<()> {
        self.progress.report(0, 0, format!("Reading {name}")).await?;
        let (ctx, source, progress) = (self.ctx.clone(), upload.source.clone(), self.progress.clone());
        let label = name.to_owned();
        let taken = tokio::task::spawn_blocking(move || {
            let Some(n) = entry else {
                return videos::take_apart(&ctx, &source, &label, &progress);
            };
            let unpacked = Unpacked::new(&ctx, &progress);
            let mut archive = Archive::open(&source, ArchiveLimits::default())?;
            unpacked.fill(&mut archive.reader(n)?)?;
            videos::take_apart(&ctx, &unpacked.source(), &label, &progress)
        })
        .await?;
        let (new, decoded) = match taken {
            Ok(taken) => taken,
            Err(VideoError::Cancelled) => {
                self.progress.check()?;
                return Err(Cancelled.into());
            }
            Err(e) => {
                let Some((code, words)) = videos::refusal(name, &e) else {
                    return Err(
                        anyhow::Error::from(e).context(format!("The video `{name}` could not be read"))
                    );
                };
                self.findings.refused(code, || Detail::new(words));
                return Ok(());
            }
        };
        let n = new.len();
        let outcome = new
            .register(self.ctx, self.project, name, &decoded.times_us)
            .await;
        if self.note_outcome(name, outcome)? {
            videos::say_damage(&mut self.findings, &decoded, n);
        }
        Ok(())
    }

    /// Whether there is an item now; what went wrong otherwise is in the findings.
    fn note_outcome(&mut self, name: &str, outcome: Result<AddItemOutcome, Error>) -> anyhow::Result<bool> {
        match outcome {
            Ok(AddItemOutcome::Added { .. }) => self.findings.report_mut().items_added += 1,
            Ok(AddItemOutcome::Unchanged { .. }) => self.findings.report_mut().items_unchanged += 1,
            Err(Error::Api(e)) if is_refusal(&e) => {
                self.findings.refused(code(&e), || Detail::new(e.message));
                return Ok(false);
            }
            Err(e) => return Err(e).with_context(|| format!("The import stopped at `{name}`")),
        }
        Ok(true)
    }

    /// The pictures of each folder of an archive as the frames of a video.
    async fn take_sequences(&mut self, upload: &Upload, pictures: &[usize], rate: f64) -> anyhow::Result<()> {
        let source = upload.source.clone();
        let archive = tokio::task::spawn_blocking(move || Archive::open(&source, ArchiveLimits::default()))
            .await?
            .with_context(|| format!("The archive `{}` cannot be opened again", upload.name))?;
        let mut folders: BTreeMap<String, Vec<(String, usize)>> = BTreeMap::new();
        for n in pictures {
            let Some(entry) = archive.entries().get(*n) else {
                continue;
            };
            let folder = entry.name.rsplit_once('/').map_or("", |(folder, _)| folder);
            let frames = folders.entry(folder.to_owned()).or_default();
            frames.push((entry.name.to_string(), *n));
        }
        let mut opened = Some(archive);
        let total = pictures.len() as i64;
        let mut done = 0;
        for (folder, mut frames) in folders {
            frames.sort_by(|a, b| video::natural_order(&a.0, &b.0));
            let name = videos::sequence_name(&folder, limn_formats::names::stem(&upload.name));
            self.findings.set_file(shown(upload, &folder));
            let mut new = NewVideo::default();
            let mut refused = None;
            for (frame, n) in &frames {
                done += 1;
                let Some(mut archive) = opened.take() else { break };
                let (n, limit, blobs) = (*n, self.ctx.limits.image_bytes, self.ctx.blobs.clone());
                let (archive, staged) = tokio::task::spawn_blocking(move || {
                    let staged = archive.stage(n, blobs.stage(limit));
                    (archive, staged)
                })
                .await?;
                opened = Some(archive);
                let pushed = match staged {
                    Ok(staged) => new.push(self.ctx, frame, staged).await,
                    Err(e) => Err(ingest::refusal(frame, e)),
                };
                match pushed {
                    Ok(()) => {}
                    Err(Error::Api(e)) if is_refusal(&e) => {
                        refused = Some(e);
                        break;
                    }
                    Err(e) => return Err(e).with_context(|| format!("The import stopped at `{frame}`")),
                }
                self.progress
                    .report(done, total, format!("Reading the frames of {name}"))
                    .await?;
            }
            if let Some(e) = refused {
                let n = frames.len();
                self.findings.refused(code(&e), || {
                    Detail::new(format!(
                        "{} The sequence `{name}` of {n} pictures was left out: a frame that is missing would shift those after it.",
                        e.message
                    ))
                });
                continue;
            }
            let times = video::times(new.len(), rate);
            let outcome = new.register(self.ctx, self.project, &name, &times).await;
            self.note_outcome(&name, outcome)?;
        }
        Ok(())
    }
}

fn shown(upload: &Upload, name: &str) -> String {
    if name.is_empty() || upload.name.eq_ignore_ascii_case(name) {
        upload.name.clone()
    } else {
        format!("{}/{name}", upload.name)
    }
}
