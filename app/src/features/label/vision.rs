//! The smart tools' eye: a worker that holds the pixels in view and answers what the editor asks, but for what a network answers (`segmenting`). It is loaded when a smart
//! tool is first in hand. One question is under way at a time and only the newest waits; without the worker the page goes
//! on without these tools.

use super::canvas::Painter;
use super::desk::{Desk, Sheet};
use js_sys::{Array, Object, Reflect};
use leptos::prelude::*;
use limn_domain::smart::{Answer, Ask, Sampling};
use limn_domain::{ItemId, Point, Rect};
use std::time::Duration;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, MessageEvent, Worker, WorkerOptions, WorkerType};

/// The script of the worker; its name stays, it names the module.
const SCRIPT: &str = "/vision.js";
/// Samples that the tools look at, at most: a screen of 1440 by 900.
const SAMPLES: f64 = 1_300_000.0;
/// Pixels in view per sample that are still good enough.
const COARSE: f64 = 1.4;
const PATIENCE: Duration = Duration::from_secs(30);

/// Whether it can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eye {
    Closed,
    Loading,
    Open,
    Failed,
}

/// A question under way, or answered last.
#[derive(Debug, Clone, PartialEq)]
struct Question {
    item: ItemId,
    serial: u64,
    ask: Ask,
}

struct Link {
    worker: Worker,
    _heard: Closure<dyn FnMut(MessageEvent)>,
    _broken: Closure<dyn FnMut(JsValue)>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

#[derive(Default)]
struct Inner {
    link: Option<Link>,
    seen: Option<(ItemId, Sampling)>,
    asked: Option<Question>,
    answered: Option<Question>,
    number: u32,
}

/// A handle; copy it freely.
#[derive(Clone, Copy)]
pub struct Vision {
    desk: Desk,
    pub eye: RwSignal<Eye>,
    inner: StoredValue<Inner, LocalStorage>,
    painter: StoredValue<Option<Painter>, LocalStorage>,
}

impl Vision {
    pub fn new(desk: Desk) -> Self {
        let vision = Self {
            desk,
            eye: RwSignal::new(Eye::Closed),
            inner: StoredValue::new_local(Inner::default()),
            painter: StoredValue::new_local(None),
        };
        Effect::new(move |_| {
            desk.look_tick.track();
            desk.view_tick.track();
            desk.current.track();
            vision.eye.track();
            vision.look();
        });
        vision
    }

    /// Whose pictures are looked at.
    pub fn attach(self, painter: Painter) {
        self.painter.set_value(Some(painter));
    }

    /// Asks what there is to ask.
    fn look(self) {
        let smart = self
            .desk
            .read(|s| s.editor.tool().is_smart() && !s.editor.tool().asks_server())
            .unwrap_or(false);
        match self.eye.get_untracked() {
            Eye::Closed if smart => self.open(),
            Eye::Open => self.ask(),
            _ => {}
        }
    }

    /// Loads the worker, again after it failed.
    pub fn open(self) {
        self.eye.set(Eye::Loading);
        match self.link() {
            Ok(link) => {
                self.inner.update_value(|i| {
                    *i = Inner {
                        link: Some(link),
                        ..Inner::default()
                    };
                });
                set_timeout(
                    move || {
                        if self.eye.try_get_untracked() == Some(Eye::Loading) {
                            self.fail();
                        }
                    },
                    PATIENCE,
                );
            }
            Err(_) => self.fail(),
        }
    }

    fn fail(self) {
        if self.eye.try_set(Eye::Failed).is_none() {
            self.inner.try_update_value(|i| *i = Inner::default());
            self.desk.edit(limn_editor::Editor::no_answer);
        }
    }

    fn link(self) -> Result<Link, JsValue> {
        let options = WorkerOptions::new();
        options.set_type(WorkerType::Module);
        let worker = Worker::new_with_options(SCRIPT, &options)?;
        let heard = Closure::<dyn FnMut(MessageEvent)>::new(move |ev: MessageEvent| self.hear(&ev.data()));
        let broken = Closure::<dyn FnMut(JsValue)>::new(move |_| {
            // Not from within its own call: the closure is dropped with the worker.
            set_timeout(move || self.fail(), Duration::ZERO);
        });
        worker.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        worker.set_onerror(Some(broken.as_ref().unchecked_ref()));
        Ok(Link {
            worker,
            _heard: heard,
            _broken: broken,
        })
    }

    fn hear(self, data: &JsValue) {
        let get = |name: &str| Reflect::get(data, &name.into()).unwrap_or(JsValue::UNDEFINED);
        if get("ready").is_truthy() {
            self.eye.try_set(Eye::Open);
            return;
        }
        let answer = get("answer")
            .as_string()
            .and_then(|json| serde_json::from_str::<Answer>(&json).ok());
        let Some(answer) = answer else {
            leptos::logging::warn!("the smart tools' worker: {:?}", get("failed").as_string());
            set_timeout(move || self.fail(), Duration::ZERO);
            return;
        };
        let number = get("id").as_f64();
        let question = self
            .inner
            .try_update_value(|i| {
                let current = number == Some(f64::from(i.number));
                let question = i.asked.take().filter(|_| current);
                i.answered.clone_from(&question);
                question
            })
            .flatten();
        // An answer about another picture is of no use.
        if let Some(q) = question.filter(|q| self.desk.current.try_get_untracked() == Some(Some(q.item))) {
            self.desk.edit(|e| e.take_answer(q.serial, &q.ask, answer));
        }
        self.look();
    }

    fn ask(self) {
        let question = self
            .desk
            .read(|s| {
                let (serial, ask) = s.editor.ask()?;
                let ours = !matches!(ask, Ask::Segment { .. });
                ours.then_some(Question {
                    item: s.item.id,
                    serial,
                    ask,
                })
            })
            .flatten();
        let Some(question) = question else { return };
        let free = self
            .inner
            .try_with_value(|i| i.asked.is_none() && i.answered.as_ref() != Some(&question));
        if free != Some(true) || !self.show(&question) {
            return;
        }
        let Ok(json) = serde_json::to_string(&question.ask) else {
            return;
        };
        self.inner.update_value(|i| {
            i.number = i.number.wrapping_add(1);
            let message = message(&[("id", f64::from(i.number).into()), ("ask", json.into())]);
            if let Some(link) = &i.link
                && link.worker.post_message(&message).is_ok()
            {
                i.asked = Some(question);
            }
        });
    }

    /// Hands over the pixels that a question is about, unless the worker has them. Says whether it has them now; when the
    /// picture is still being loaded, it is asked again then.
    fn show(self, question: &Question) -> bool {
        let seen = self.inner.with_value(|i| i.seen);
        let Some(wanted) = self.desk.read(|s| wanted(s, &question.ask, seen)) else {
            return false;
        };
        if seen == Some((question.item, wanted)) {
            return true;
        }
        let picture = self.painter.with_value(|p| {
            p.as_ref()
                .and_then(|p| p.picture(question.item, move || self.look()))
        });
        let Some(picture) = picture else { return false };
        let sent = pixels(&picture, wanted).and_then(|buffer| {
            let json = serde_json::to_string(&wanted).map_err(|e| JsValue::from(e.to_string()))?;
            let message = message(&[("sampling", json.into()), ("pixels", buffer.clone())]);
            self.inner.with_value(|i| match &i.link {
                Some(link) => link
                    .worker
                    .post_message_with_transfer(&message, &Array::of1(&buffer)),
                None => Err(JsValue::UNDEFINED),
            })
        });
        if sent.is_err() {
            set_timeout(move || self.fail(), Duration::ZERO);
            return false;
        }
        self.inner
            .update_value(|i| i.seen = Some((question.item, wanted)));
        true
    }
}

fn message(fields: &[(&str, JsValue)]) -> JsValue {
    let out = Object::new();
    for (name, value) in fields {
        let _ = Reflect::set(&out, &(*name).into(), value);
    }
    out.into()
}

/// The part of the image to look at: all of it when it is small, else what is in view (and what was clicked) at the screen's
/// resolution. What the worker has is kept as long as it will do, so that its work is not lost.
fn wanted(s: &Sheet, ask: &Ask, seen: Option<(ItemId, Sampling)>) -> Sampling {
    let (w, h) = (s.item.width as f64, s.item.height as f64);
    let image = Rect::new(0.0, 0.0, w, h);
    let whole = |columns: f64, rows: f64, window: Rect| Sampling {
        x: window.x as u32,
        y: window.y as u32,
        width: window.w as u32,
        height: window.h as u32,
        columns: (columns as u32).clamp(1, window.w as u32),
        rows: (rows as u32).clamp(1, window.h as u32),
        image_width: w as u32,
        image_height: h as u32,
    };
    if w * h <= SAMPLES {
        return whole(w, h, image);
    }
    let view = s.editor.view().window();
    let asked = extent(ask).map_or(view, |r| around(r, view));
    let dense = s.editor.view().scale().min(1.0);
    if let Some((item, old)) = seen.filter(|(item, _)| *item == s.item.id) {
        debug_assert_eq!(item, s.item.id);
        let has = f64::from(old.columns) / f64::from(old.width);
        let inside = |r: Rect| {
            around(r.clipped(limn_domain::Size { width: w, height: h }), old.window()) == old.window()
        };
        let enough = has * COARSE >= dense || old.is_exact();
        let under_way = s.editor.proposal().is_some() && extent(ask).is_some_and(inside);
        if under_way || (enough && inside(asked)) {
            return old;
        }
    }
    let (left, top) = (
        asked.x.clamp(0.0, w - 1.0).floor(),
        asked.y.clamp(0.0, h - 1.0).floor(),
    );
    let (right, bottom) = (
        asked.right().clamp(left + 1.0, w).ceil(),
        asked.bottom().clamp(top + 1.0, h).ceil(),
    );
    let window = Rect::new(left, top, right - left, bottom - top);
    let dense = dense.min((SAMPLES / window.area()).sqrt());
    whole((window.w * dense).ceil(), (window.h * dense).ceil(), window)
}

/// The box around both.
fn around(a: Rect, b: Rect) -> Rect {
    Rect::from_corners(
        Point::new(a.x.min(b.x), a.y.min(b.y)),
        Point::new(a.right().max(b.right()), a.bottom().max(b.bottom())),
    )
}

/// The box around all places of a question.
fn extent(ask: &Ask) -> Option<Rect> {
    let at = |p: &Point| Rect::new(p.x, p.y, 0.0, 0.0);
    let mut all: Vec<Rect> = Vec::new();
    match ask {
        Ask::Wand { scribbles, .. } | Ask::Superpixels { scribbles, .. } => {
            all.extend(scribbles.iter().flat_map(|s| &s.points).map(at));
        }
        Ask::Cut { frame, scribbles } => {
            all.extend(scribbles.iter().flat_map(|s| &s.points).map(at));
            // With some of the ground around the box.
            all.extend(frame.map(|f| {
                let m = f.w.max(f.h) / 6.0;
                Rect::new(f.x - m, f.y - m, f.w + 2.0 * m, f.h + 2.0 * m)
            }));
        }
        Ask::Wire { legs } => all.extend(legs.iter().flatten().map(|s| at(&s.at))),
        // Nothing of it is looked at here.
        Ask::Segment { .. } => {}
    }
    all.into_iter().reduce(around)
}

/// The samples of a window of a picture, as a buffer of RGBA bytes.
fn pixels(picture: &web_sys::ImageBitmap, s: Sampling) -> Result<JsValue, JsValue> {
    let canvas: HtmlCanvasElement = document().create_element("canvas")?.dyn_into()?;
    canvas.set_width(s.columns);
    canvas.set_height(s.rows);
    let c: CanvasRenderingContext2d = canvas.get_context("2d")?.ok_or(JsValue::UNDEFINED)?.dyn_into()?;
    let kx = f64::from(picture.width()) / f64::from(s.image_width);
    let ky = f64::from(picture.height()) / f64::from(s.image_height);
    let (w, h) = (f64::from(s.columns), f64::from(s.rows));
    c.draw_image_with_image_bitmap_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
        picture,
        f64::from(s.x) * kx,
        f64::from(s.y) * ky,
        f64::from(s.width) * kx,
        f64::from(s.height) * ky,
        0.0,
        0.0,
        w,
        h,
    )?;
    let data = c.get_image_data(0.0, 0.0, w, h)?;
    // The bytes stay outside of this module's memory.
    let bytes = Reflect::get(&data, &"data".into())?;
    Reflect::get(&bytes, &"buffer".into())
}
