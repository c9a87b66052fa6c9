//! Videos of an import: files that ffmpeg takes apart, and folders of numbered pictures.

use super::Import;
use super::pictures::{code, is_refusal};
use super::sources::{Files, Upload};
use crate::ingest::{self, NewVideo};
use crate::{Context, Error};
use anyhow::Context as _;
use limn_domain::import::{ImportFormat, Sequence};
use limn_domain::item::AddItemOutcome;
use limn_domain::video;
use limn_formats::Detail;
use limn_formats::read::Role;
use limn_jobs::{Cancelled, Progress};
use limn_storage::archive::{Archive, ArchiveLimits};
use limn_storage::video::{Decoded, VideoError, VideoLimits};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Time for one video file.
const TIME: Duration = Duration::from_hours(12);
/// Time without a frame.
const STALL: Duration = Duration::from_mins(5);
/// Folders of frames that say nothing, as MOT's and CVAT's files have them.
const PLAIN: [&str; 4] = ["img1", "images", "frames", "data"];

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
        let (label, job) = (name.to_owned(), self.progress.job_id());
        let taken = tokio::task::spawn_blocking(move || {
            let limn_storage::Source::File(path) = &source else {
                return Err(VideoError::NoVideo(String::new()));
            };
            let Some(n) = entry else {
                return take_apart(&ctx, path, &label, &progress);
            };
            let unpacked = Unpacked(ctx.uploads_dir().join(format!("video-{job}")));
            let mut archive = Archive::open(&source, ArchiveLimits::default())?;
            let mut to = std::fs::File::create(&unpacked.0).map_err(limn_storage::StorageError::from)?;
            std::io::copy(&mut archive.reader(n)?, &mut to).map_err(limn_storage::StorageError::from)?;
            take_apart(&ctx, &unpacked.0, &label, &progress)
        })
        .await?;
        let (new, decoded) = match taken {
            Ok(taken) => taken,
            Err(VideoError::Cancelled) => {
                self.progress.check()?;
                return Err(Cancelled.into());
            }
            Err(VideoError::Storage(e)) if e.is_refusal() => {
                self.findings
                    .refused(e.code(), || Detail::new(format!("`{name}`: {e}")));
                return Ok(());
            }
            Err(e) if e.is_refusal() => {
                let code = if matches!(e, VideoError::NoProgram) {
                    "no_ffmpeg"
                } else {
                    "bad_video"
                };
                self.findings
                    .refused(code, || Detail::new(format!("`{name}`: {e}.")));
                return Ok(());
            }
            Err(e) => {
                return Err(anyhow::Error::from(e).context(format!("The video `{name}` could not be read")));
            }
        };
        let n = new.len();
        let outcome = new
            .register(self.ctx, self.project, name, &decoded.times_us)
            .await;
        if self.note_outcome(name, outcome)? {
            let complaint = decoded.complaints.join("; ");
            if decoded.is_cut_short() {
                let of = decoded
                    .says_us
                    .map_or_else(String::new, |us| format!(" of {} s", seconds(us)));
                let why = if complaint.is_empty() {
                    String::new()
                } else {
                    format!(" ({complaint})")
                };
                self.findings.fixed("video_cut_short", || {
                    Detail::new(format!(
                        "The video stops after frame {} at {} s{of}{why}; the {n} frames up to there were taken.",
                        n - 1,
                        seconds(decoded.end_us())
                    ))
                });
            } else if !complaint.is_empty() {
                self.findings.note("video_damaged", || {
                    Detail::new(format!(
                        "The video is damaged in places ({complaint}); {n} frames were taken."
                    ))
                });
            }
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
            let name = sequence_name(&folder, &upload.name);
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

/// A file that goes away with its name.
struct Unpacked(PathBuf);

impl Drop for Unpacked {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

/// Blocking.
fn take_apart(
    ctx: &Context,
    path: &std::path::Path,
    name: &str,
    progress: &Progress,
) -> Result<(NewVideo, Decoded), VideoError> {
    let limits = VideoLimits {
        frames: video::FRAMES_MAX,
        pixels: ctx.renditions.limits().whole_pixels,
        bytes: ctx.limits.upload_bytes,
        time: TIME,
        stall: STALL,
    };
    let mut new = NewVideo::default();
    let decoded = limn_storage::video::decode(
        &ctx.limits.ffmpeg,
        path,
        &limits,
        |jpeg| new.push_decoded(ctx, jpeg),
        |n, at_us, says_us| {
            let total = says_us.max(at_us) / 1_000;
            progress.note(at_us / 1_000, total, format!("Taking {name} apart: frame {n}"));
            !progress.token().is_cancelled()
        },
    )?;
    Ok((new, decoded))
}

fn shown(upload: &Upload, name: &str) -> String {
    if name.is_empty() || upload.name.eq_ignore_ascii_case(name) {
        upload.name.clone()
    } else {
        format!("{}/{name}", upload.name)
    }
}

/// What the video of a folder is called: the folder, without those that say nothing; the archive where nothing is left.
fn sequence_name(folder: &str, archive: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|p| !p.is_empty()).collect();
    while parts
        .last()
        .is_some_and(|p| PLAIN.contains(&p.to_lowercase().as_str()))
    {
        parts.pop();
    }
    if parts.first() == Some(&"images") {
        parts.remove(0);
    }
    if parts.is_empty() {
        limn_formats::names::stem(archive).to_owned()
    } else {
        parts.join("/")
    }
}

fn seconds(us: i64) -> String {
    format!("{:.2}", us as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_are_called_by_the_folder_that_says_something() {
        for (folder, name) in [
            ("", "clip"),
            ("img1", "clip"),
            ("MOT17-02/img1", "MOT17-02"),
            ("train/MOT17-02/img1", "train/MOT17-02"),
            ("images/street", "street"),
            ("images", "clip"),
        ] {
            assert_eq!(sequence_name(folder, "clip.zip"), name, "{folder}");
        }
    }
}
