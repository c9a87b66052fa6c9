//! The layer of the picture as the view moves: shifted and stretched, and drawn anew when the view rests. That costs by the pixels of
//! the canvas, so it is done a band of rows a frame, beside what is shown; the stretched picture stands until the last band is drawn.

use super::layer::{Bounds, Fits, Layer};
use super::paint::{Painter, ratio};
use crate::features::label::desk::Sheet;
use crate::features::label::pace::{Work, rows};
use leptos::prelude::*;
use limn_domain::{ItemId, Rect};
use limn_editor::Viewport;

/// Milliseconds without a change of the view after which what is stretched is drawn anew.
const REST: u64 = 120;
/// The picture is drawn anew at once when it would be stretched by more.
const STRETCH: f64 = 2.0;

/// What the drawing of the picture depends on besides scale and offset; what else does asks for it by [`Painter::all`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Placed {
    item: ItemId,
    screen: (f64, f64),
    turn: f64,
    ratio: f64,
}

impl Placed {
    fn of(s: &Sheet) -> Self {
        let view = s.editor.view();
        Self {
            item: s.item.id,
            screen: (view.screen().width, view.screen().height),
            turn: view.turn(),
            ratio: ratio(),
        }
    }
}

/// The picture on its way into the layer.
pub(super) struct Sharpening {
    key: Placed,
    /// The view it is drawn for, and what the layer shows of the image then, in its pixels.
    view: Viewport,
    window: Rect,
    /// Rows of the canvas that are drawn.
    done: u32,
}

impl Sharpening {
    fn is_for(&self, s: &Sheet) -> bool {
        self.key == Placed::of(s) && self.view == *s.editor.view()
    }
}

/// What became of the picture in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Exactly,
    /// Stretched while it is on its way.
    Soon,
    /// Stretched, until the view rests.
    Roughly,
    /// All of it was drawn in this frame.
    Anew,
}

impl Painter {
    /// Moves the picture along with the view, or draws it anew.
    pub(super) fn show_picture(
        &self,
        layer: &mut Layer<Placed>,
        s: &Sheet,
        changed: bool,
        rested: bool,
    ) -> Shown {
        let (key, view) = (Placed::of(s), s.editor.view());
        let all = view.rect_to_screen(Rect::new(0.0, 0.0, s.item.width as f64, s.item.height as f64));
        let (left, top) = (all.x.max(0.0), all.y.max(0.0));
        let (right, bottom) = (all.right().min(key.screen.0), all.bottom().min(key.screen.1));
        let bounds = Bounds {
            stretch: STRETCH,
            needed: Some(Rect::new(
                left,
                top,
                (right - left).max(0.0),
                (bottom - top).max(0.0),
            )),
        };
        let mut under_way = self.sharpening.borrow_mut();
        if !changed {
            match layer.show(&key, view, bounds) {
                Fits::Roughly if under_way.as_ref().is_some_and(|u| u.is_for(s)) => return Shown::Soon,
                Fits::Roughly if rested => {
                    *under_way = layer.begin(view).map(|window| Sharpening {
                        key,
                        view: *view,
                        window,
                        done: 0,
                    });
                    if under_way.is_some() {
                        return Shown::Soon;
                    }
                }
                fits @ (Fits::Exactly | Fits::Roughly) => {
                    *under_way = None;
                    layer.abandon();
                    return if fits == Fits::Exactly {
                        Shown::Exactly
                    } else {
                        Shown::Roughly
                    };
                }
                Fits::No => {}
            }
        }
        *under_way = None;
        layer.abandon();
        layer.draw(key, view, |c, window| self.draw_image(c, s, window));
        Shown::Anew
    }

    /// Draws on where the picture is on its way, or shows it when all of it is drawn. Whether there was anything to do.
    pub(super) fn sharpen(&self, layer: &mut Layer<Placed>, s: &Sheet, began: f64) -> bool {
        let mut under_way = self.sharpening.borrow_mut();
        let Some(drawing) = under_way.as_mut() else {
            return false;
        };
        if !drawing.is_for(s) {
            *under_way = None;
            layer.abandon();
            return false;
        }
        let (width, height) = layer.sketch_size();
        if drawing.done >= height {
            layer.finish(drawing.key, &drawing.view);
            *under_way = None;
            return true;
        }
        let pixels = self.paces.borrow().units(Work::Picture);
        let some = rows(pixels, width, height - drawing.done);
        if let Some(c) = layer.band(drawing.done, some) {
            self.draw_image(&c, s, drawing.window);
            c.restore();
        }
        drawing.done += some;
        let drawn = some as usize * width as usize;
        self.paces.borrow_mut().drew(began, Work::Picture, drawn);
        self.soon();
        true
    }

    /// Draws everything exactly when the view has rested for a moment.
    pub(super) fn draw_when_rested(&self) {
        let now = self.stretched.get().wrapping_add(1);
        self.stretched.set(now);
        let this = self.clone();
        set_timeout(
            move || {
                // The page may be gone by now.
                let there = this.desk.looks.try_get_untracked().is_some();
                if there && this.stretched.get() == now {
                    this.rested.set(true);
                    this.moved();
                }
            },
            std::time::Duration::from_millis(REST),
        );
    }
}
