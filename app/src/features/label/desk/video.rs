//! Videos: which frame is in view, playing, and what is done to tracks.

use super::Desk;
use crate::features::label::api;
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::{ItemId, video};
use limn_editor::{Action as A, Editor};
use std::sync::Arc;

/// Speeds of playing, slowest first.
pub const SPEEDS: [f64; 6] = [0.1, 0.25, 0.5, 1.0, 2.0, 4.0];
/// Frames of a leap.
const LEAP: i64 = 10;

impl Desk {
    /// Whether the open item is a video.
    pub fn is_video(self) -> bool {
        self.current.track();
        self.is_video_now()
    }

    pub fn is_video_now(self) -> bool {
        self.read(|s| s.editor.frames().is_some()).unwrap_or(false)
    }

    /// The frame in view, and how many there are.
    pub fn frame(self) -> Option<(u32, u32)> {
        self.frame_tick.track();
        self.current.track();
        self.frame_now()
    }

    pub fn frame_now(self) -> Option<(u32, u32)> {
        self.read(|s| Some((s.editor.frame(), s.editor.frames()?)))
            .flatten()
    }

    /// When each frame of the open video is shown, in microseconds, as far as that is known.
    pub fn times_now(self) -> Option<Arc<Vec<i64>>> {
        let id = self.current.try_get_untracked()??;
        self.times.with_untracked(|t| t.get(&id).cloned())
    }

    /// When a frame is shown, in microseconds; by 25 a second until the server has said.
    pub fn time_of(self, frame: u32) -> i64 {
        self.times.track();
        let told = self.times_now().and_then(|t| t.get(frame as usize).copied());
        told.unwrap_or_else(|| (f64::from(frame) * 1e6 / video::RATE) as i64)
    }

    /// Asks when the frames of the open item are shown, unless that is known.
    pub fn ask_for_times(self, id: ItemId) {
        if !self.is_video_now() || self.times.with_untracked(|t| t.contains_key(&id)) {
            return;
        }
        spawn_local(async move {
            if let Ok(frames) = api::label_frames(id).await {
                self.times.try_update(|t| t.insert(id, Arc::new(frames.times_us)));
            }
        });
    }

    /// Shows a frame and stops playing.
    pub fn go_to_frame(self, frame: u32) {
        self.playing.set(false);
        self.edit(|e| e.go_to_frame(frame));
    }

    pub fn toggle_play(self) {
        let Some((frame, frames)) = self.frame_now() else {
            return;
        };
        let on = !self.playing.get_untracked();
        if on && frame + 1 >= frames {
            // From the beginning again.
            self.edit(|e| e.go_to_frame(0));
        }
        self.playing.set(on && frames > 1);
    }

    fn change_speed(self, faster: bool) {
        let now = self.speed.get_untracked();
        let at = SPEEDS.iter().position(|s| *s >= now).unwrap_or(3);
        let to = if faster { at + 1 } else { at.saturating_sub(1) };
        self.speed.set(SPEEDS[to.min(SPEEDS.len() - 1)]);
    }

    fn step_frames(self, by: i64) -> bool {
        self.playing.set(false);
        self.edit(|e| e.step_frames(by));
        true
    }

    /// Carries out what is done to videos alone, and refuses what cannot be done to one. `None`: it is like with pictures.
    pub(super) fn act_on_video(self, action: A) -> Option<bool> {
        if !self.is_video_now() {
            return action.is_of_videos().then_some(false);
        }
        if !action.is_for_videos() {
            self.toasts
                .info("Pixels are not for videos: mark the object by its outline or a box, which go from frame to frame.");
            return Some(true);
        }
        if !action.is_of_videos() {
            return None;
        }
        let done = match action {
            A::FrameNext => return Some(self.step_frames(1)),
            A::FramePrevious => return Some(self.step_frames(-1)),
            A::FramesOn => return Some(self.step_frames(LEAP)),
            A::FramesBack => return Some(self.step_frames(-LEAP)),
            A::FirstFrame => return Some(self.step_frames(i64::MIN)),
            A::LastFrame => return Some(self.step_frames(i64::MAX)),
            A::Play => {
                self.toggle_play();
                return Some(true);
            }
            A::Faster | A::Slower => {
                self.change_speed(action == A::Faster);
                return Some(true);
            }
            A::KeyframeNext | A::KeyframePrevious => {
                self.playing.set(false);
                self.edit(|e| e.step_keyframe(action == A::KeyframeNext));
                return Some(true);
            }
            A::MergeTracks => match self.edit(Editor::merge_selected) {
                Some(Err(why)) => {
                    self.toasts.info(why);
                    return Some(true);
                }
                other => other.is_some_and(|r| r.unwrap_or(false)),
            },
            A::Outside => self.edit(Editor::toggle_outside).unwrap_or(false),
            A::Occluded => self.edit(Editor::toggle_occluded).unwrap_or(false),
            A::Keyframe => self.edit(Editor::toggle_keyframe).unwrap_or(false),
            A::OnlyHere => self.edit(Editor::only_here).unwrap_or(false),
            A::SplitTrack => self.edit(Editor::split_selected).unwrap_or(false),
            _ => return None,
        };
        if !done {
            self.toasts.info(self.why_not(action));
        }
        Some(true)
    }

    /// Why an action on tracks did nothing.
    fn why_not(self, action: A) -> &'static str {
        let none = self.read(|s| s.editor.selection().is_empty()).unwrap_or(true);
        if self.read(|s| s.editor.is_read_only()) == Some(true) {
            return "You may look at this item, not change it.";
        }
        if none {
            return "Select an object first, on the picture or in the timeline.";
        }
        match action {
            A::Outside => "Then the object would be nowhere: delete it instead.",
            A::Occluded | A::OnlyHere => "The object is not on this frame.",
            A::Keyframe => "The object has not begun here, or this is its only keyframe.",
            A::SplitTrack => "A track is split on a frame after its first.",
            _ => "Nothing to do here.",
        }
    }
}

/// Where this tab keeps which frame is in view.
fn slot(desk: Desk) -> String {
    format!("limn-frame-{}", desk.project_id)
}

/// The frame of an item that was in view before a reload.
pub(super) fn frame_left(desk: Desk, item: ItemId) -> Option<u32> {
    let storage = window().session_storage().ok().flatten()?;
    let json = storage.get_item(&slot(desk)).ok().flatten()?;
    let (of, frame): (ItemId, u32) = serde_json::from_str(&json).ok()?;
    (of == item).then_some(frame)
}

/// Keeps which frame is in view, so that a reload goes on there.
pub(in crate::features::label) fn keep_frame(desk: Desk) {
    Effect::new(move |_| {
        let Some(((frame, _), id)) = desk.frame().zip(desk.current.get()) else {
            return;
        };
        if let (Ok(Some(storage)), Ok(json)) =
            (window().session_storage(), serde_json::to_string(&(id, frame)))
        {
            let _ = storage.set_item(&slot(desk), &json);
        }
    });
}
