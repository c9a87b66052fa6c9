//! Tracks of a file as the project's labels.

use limn_domain::project::Task;
use limn_domain::track::{self, Keyframe};
use limn_domain::{Shape, ShapeKind};

/// The track as the project labels, in a video of `frames`; `keypoints`: how many its category has. Errors: stable name and
/// sentence of why it cannot be.
pub(super) fn suited(
    task: Task,
    mut keyframes: Vec<Keyframe>,
    frames: u32,
    keypoints: Option<usize>,
) -> Result<Shape, (&'static str, String)> {
    // That it is gone after the end says nothing.
    keyframes.retain(|k| !(k.outside && k.frame >= frames));
    for k in &mut keyframes {
        let kind = k.shape.shape_kind();
        if task.allows(kind) {
            continue;
        }
        match k.shape.bounds().filter(|_| task.allows(ShapeKind::Box)) {
            Some(rect) => k.shape = Shape::Box { rect },
            None => {
                return Err((
                    "track_kind",
                    format!(
                        "The track holds a {}, which is no label of this project.",
                        kind.label()
                    ),
                ));
            }
        }
    }
    let counts = keyframes.iter().filter_map(|k| match &k.shape {
        Shape::Keypoints { keypoints } => Some(keypoints.len()),
        _ => None,
    });
    for have in counts {
        if keypoints != Some(have) {
            return Err((
                "keypoint_count",
                format!("The track has {have} keypoints, which are not those of its category's skeleton."),
            ));
        }
    }
    track::check(&keyframes, frames).map_err(|fault| match fault {
        track::Fault::BeyondTheEnd { frame, last, .. } => (
            "frame_beyond",
            format!("The track goes to frame {frame}, and the last frame of the video is {last}: it is of another video."),
        ),
        fault => ("bad_track", format!("The track's keyframes{fault}.")),
    })?;
    Ok(Shape::Track { keyframes })
}
