//! What imports and refreshes share about videos: taking a file apart, what is said of it, and what sequences are called.

use crate::Context;
use crate::ingest::NewVideo;
use limn_domain::video;
use limn_formats::{Detail, Findings};
use limn_jobs::Progress;
use limn_storage::video::{Decoded, VideoError, VideoLimits};
use limn_storage::{Source, StorageError};
use std::path::PathBuf;
use std::time::Duration;

/// Time for one video file.
const TIME: Duration = Duration::from_hours(12);
/// Time without a frame.
const STALL: Duration = Duration::from_mins(5);
/// Folders of frames that say nothing, as MOT's and CVAT's files have them.
const PLAIN: [&str; 4] = ["img1", "images", "frames", "data"];

/// A file for ffmpeg to open, that goes away with its name. A job has one at a time.
pub(super) struct Unpacked(PathBuf);

impl Unpacked {
    pub fn new(ctx: &Context, progress: &Progress) -> Self {
        Self(ctx.uploads_dir().join(format!("video-{}", progress.job_id())))
    }

    /// Blocking.
    pub fn fill(&self, from: &mut impl std::io::Read) -> Result<(), StorageError> {
        let mut to = std::fs::File::create(&self.0)?;
        std::io::copy(from, &mut to)?;
        Ok(())
    }

    pub fn source(&self) -> Source {
        Source::File(self.0.clone())
    }
}

impl Drop for Unpacked {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

/// The frames of a video file, stored, and when each is shown. Stops with [`VideoError::Cancelled`] when the job is told to.
/// Blocking.
pub(super) fn take_apart(
    ctx: &Context,
    source: &Source,
    name: &str,
    progress: &Progress,
) -> Result<(NewVideo, Decoded), VideoError> {
    let Source::File(path) = source else {
        // ffmpeg opens files.
        let unpacked = Unpacked::new(ctx, progress);
        unpacked.fill(&mut source.reader()?)?;
        return take_apart(ctx, &unpacked.source(), name, progress);
    };
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

/// The code and words of a report for a file that is at fault, or for the program that is missing; `None` for trouble of this server.
pub(super) fn refusal(name: &str, e: &VideoError) -> Option<(&'static str, String)> {
    match e {
        VideoError::NoProgram => Some(("no_ffmpeg", format!("`{name}`: {e}."))),
        VideoError::Storage(e) if e.is_refusal() => Some((e.code(), format!("`{name}`: {e}"))),
        e if e.is_refusal() => Some(("bad_video", format!("`{name}`: {e}."))),
        _ => None,
    }
}

/// Says of a video that was taken with `frames` frames where it breaks off, or that it is damaged.
pub(super) fn say_damage(findings: &mut Findings, decoded: &Decoded, frames: usize) {
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
        findings.fixed("video_cut_short", || {
            Detail::new(format!(
                "The video stops after frame {} at {} s{of}{why}; the {frames} frames up to there were taken.",
                frames.saturating_sub(1),
                seconds(decoded.end_us())
            ))
        });
    } else if !complaint.is_empty() {
        findings.note("video_damaged", || {
            Detail::new(format!(
                "The video is damaged in places ({complaint}); {frames} frames were taken."
            ))
        });
    }
}

/// What the video of a folder is called: the folder, without those that say nothing; `otherwise` where nothing is left.
pub(super) fn sequence_name(folder: &str, otherwise: &str) -> String {
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
        otherwise.to_owned()
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
            assert_eq!(sequence_name(folder, "clip"), name, "{folder}");
        }
    }
}
