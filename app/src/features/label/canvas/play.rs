//! Frames of a video: drawn, loaded ahead, and played.

use super::images::{Which, next_frame};
use super::paint::Painter;
use super::place::{Picture as Placed, place};
use crate::features::label::desk::Sheet;
use leptos::prelude::*;
use limn_domain::Rect;
use web_sys::CanvasRenderingContext2d as Context;

/// Frames loaded ahead of the one in view, and behind it.
const AHEAD: u32 = 14;
const BEHIND: u32 = 4;

/// Since when a video plays, in milliseconds, from where in microseconds of the video, and how fast.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    began: f64,
    from_us: i64,
    speed: f64,
    /// Goes up with every start, so that an old run ends.
    run: u32,
}

fn now() -> f64 {
    js_sys::Date::now()
}

impl Painter {
    /// Draws the frame in view; while it is loaded the one drawn last stands in, dimmed.
    pub(super) fn draw_frame(&self, c: &Context, s: &Sheet, r: Rect) -> bool {
        let (id, frame) = (s.item.id, s.editor.frame());
        let again = self.clone();
        self.frames.want(id, Which::Frame(frame), move || again.all());
        let own = self.frames.get(id, Which::Frame(frame));
        let shown = match &own {
            Some(_) => {
                self.last_frame.set(Some((id, frame)));
                own.clone()
            }
            None => self
                .last_frame
                .get()
                .filter(|(of, _)| *of == id)
                .and_then(|(_, n)| self.frames.get(id, Which::Frame(n))),
        };
        if own.is_none()
            && self.frames.failed(id, Which::Frame(frame))
            && self.failed.replace(Some(id)) != Some(id)
        {
            let (name, toasts) = (s.item.name.clone(), self.desk.toasts);
            next_frame(move || toasts.fail(format!("Frame {frame} of {name} could not be loaded.")));
        }
        let Some(picture) = shown else { return false };
        let all = [0.0, 0.0, f64::from(picture.width()), f64::from(picture.height())];
        c.set_global_alpha(if own.is_some() { 1.0 } else { 0.55 });
        place(c, s.editor.view(), &Placed::Image(&picture), all, r);
        c.set_global_alpha(1.0);
        true
    }

    /// Loads the frames around the one in view.
    pub fn want_frames(&self) {
        let Some((frame, frames)) = self.desk.frame_now() else {
            return;
        };
        let Some(Some(id)) = self.desk.current.try_get_untracked() else {
            return;
        };
        let ahead = (frame + 1)..frames.min(frame + 1 + AHEAD);
        let behind = (frame.saturating_sub(BEHIND)..frame).rev();
        for n in std::iter::once(frame).chain(ahead).chain(behind) {
            let again = self.clone();
            let wanted = move || {
                if n == frame {
                    again.all();
                }
            };
            self.frames.want(id, Which::Frame(n), wanted);
        }
    }

    /// Plays from the frame in view until it is stopped or at its end. A frame that is not loaded yet is waited for.
    pub fn play(&self) {
        let run = self.clock.get().run.wrapping_add(1);
        self.clock.set(self.clock_now(run));
        self.tick(run);
    }

    /// The clock as it starts on the frame in view.
    fn clock_now(&self, run: u32) -> Clock {
        let frame = self.desk.frame_now().map_or(0, |f| f.0);
        Clock {
            began: now(),
            from_us: untrack(|| self.desk.time_of(frame)),
            speed: self.desk.speed.get_untracked(),
            run,
        }
    }

    fn tick(&self, run: u32) {
        let this = self.clone();
        next_frame(move || {
            let playing = this.desk.playing.try_get_untracked() == Some(true);
            if playing && this.clock.get().run == run && this.advance(run) {
                this.tick(run);
            }
        });
    }

    /// Shows the frame whose time has come. Says whether there is more to play.
    fn advance(&self, run: u32) -> bool {
        let desk = self.desk;
        let (Some((frame, frames)), Some(Some(id))) = (desk.frame_now(), desk.current.try_get_untracked())
        else {
            desk.playing.set(false);
            return false;
        };
        if desk.speed.get_untracked().to_bits() != self.clock.get().speed.to_bits() {
            self.clock.set(self.clock_now(run));
        }
        let clock = self.clock.get();
        let at_us = clock.from_us + ((now() - clock.began) * 1_000.0 * clock.speed) as i64;
        let time_of = |n: u32| untrack(|| desk.time_of(n));
        let mut due = frame;
        while due + 1 < frames && time_of(due + 1) <= at_us {
            due += 1;
        }
        if due == frame {
            return true;
        }
        // The latest that can be drawn.
        let ready = |n: &u32| self.frames.is_ready(id, Which::Frame(*n));
        if let Some(n) = ((frame + 1)..=due).rev().find(ready) {
            desk.edit(|e| e.go_to_frame(n));
            if n + 1 >= frames {
                desk.playing.set(false);
                return false;
            }
        } else {
            self.want_frames();
            self.clock.set(self.clock_now(run));
        }
        true
    }
}
