//! Tiles of large and deep pictures: fetched a few at a time, those out of view given up, decoded beside the page, kept up to
//! a bound of memory. The samples of 16-bit tiles are kept too: window and level are applied here.

use leptos::prelude::*;
use limn_domain::ItemId;
use limn_domain::picture::{Pyramid, TileAt, TileFormat};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, Blob, HtmlCanvasElement, ImageBitmap, ImageData, RequestInit, Response};

/// Requests at once.
const AT_ONCE: usize = 6;
/// Bytes of decoded tiles kept.
const KEEP: usize = 256 << 20;
/// A tile that failed is asked for again after so many milliseconds.
const AGAIN: f64 = 4_000.0;

type Key = (ItemId, TileAt);

/// The samples that are black and white.
pub type Window = (u16, u16);

/// What can be drawn.
#[derive(Clone)]
pub enum Drawable {
    Bitmap(ImageBitmap),
    Canvas(HtmlCanvasElement),
}

enum Tile {
    Eight(ImageBitmap),
    Deep {
        samples: Vec<u16>,
        size: (u32, u32),
        canvas: HtmlCanvasElement,
        /// What the canvas shows.
        shown: Option<Window>,
    },
}

struct Kept {
    tile: Tile,
    bytes: usize,
    used: u64,
}

impl Drop for Kept {
    fn drop(&mut self) {
        match &self.tile {
            Tile::Eight(bitmap) => bitmap.close(),
            // The memory of a canvas goes at once when it has no size.
            Tile::Deep { canvas, .. } => canvas.set_width(0),
        }
    }
}

#[derive(Default)]
struct Inner {
    kept: HashMap<Key, Kept>,
    bytes: usize,
    loading: HashMap<Key, AbortController>,
    /// When a tile failed.
    failed: HashMap<Key, f64>,
    /// What is in view and not there, most urgent first.
    wanted: Vec<Key>,
    /// Counts the frames.
    now: u64,
    /// Shades of samples for a window.
    shades: Option<(Window, Vec<u8>)>,
}

/// The tiles. Cheap to clone.
#[derive(Clone, Default)]
pub struct Tiles {
    inner: Rc<RefCell<Inner>>,
}

impl Tiles {
    /// Says what is in view, most urgent first: loads what is missing and gives up what is not wanted any more. `ready` runs
    /// for every tile that came.
    pub fn want(&self, item: ItemId, pyramid: &Pyramid, list: &[TileAt], ready: impl Fn() + Clone + 'static) {
        let inner = &mut *self.inner.borrow_mut();
        inner.now += 1;
        let now = js_sys::Date::now();
        inner.failed.retain(|_, at| now - *at < AGAIN);
        inner.wanted = list
            .iter()
            .map(|at| (item, *at))
            .filter(|key| !inner.kept.contains_key(key) && !inner.failed.contains_key(key))
            .collect();
        let wanted = &inner.wanted;
        inner.loading.retain(|key, abort| {
            let keep = wanted.contains(key);
            if !keep {
                abort.abort();
            }
            keep
        });
        for at in list {
            if let Some(kept) = inner.kept.get_mut(&(item, *at)) {
                kept.used = inner.now;
            }
        }
        self.start(inner, pyramid, &ready);
    }

    /// Starts as many requests as may run.
    fn start(&self, inner: &mut Inner, pyramid: &Pyramid, ready: &(impl Fn() + Clone + 'static)) {
        for key in inner.wanted.clone() {
            if inner.loading.len() >= AT_ONCE {
                return;
            }
            if inner.loading.contains_key(&key) {
                continue;
            }
            let Ok(abort) = AbortController::new() else {
                return;
            };
            let signal = abort.signal();
            inner.loading.insert(key, abort);
            let (this, pyramid, ready) = (self.clone(), pyramid.clone(), ready.clone());
            leptos::task::spawn_local(async move {
                let got = fetch(key, &pyramid, &signal).await;
                // Given up meanwhile: whoever wants it again has a request of its own.
                if signal.aborted() {
                    return;
                }
                {
                    let inner = &mut *this.inner.borrow_mut();
                    inner.loading.remove(&key);
                    inner.wanted.retain(|k| *k != key);
                    match got {
                        Ok(kept) => inner.keep(key, kept),
                        Err(_) => {
                            inner.failed.insert(key, js_sys::Date::now());
                        }
                    }
                    this.start(inner, &pyramid, &ready);
                }
                ready();
            });
        }
    }

    /// The tile if it is there, a deep one as `window` shows it.
    pub fn get(&self, item: ItemId, at: TileAt, window: Window) -> Option<Drawable> {
        let inner = &mut *self.inner.borrow_mut();
        let kept = inner.kept.get_mut(&(item, at))?;
        kept.used = inner.now;
        match &mut kept.tile {
            Tile::Eight(bitmap) => Some(Drawable::Bitmap(bitmap.clone())),
            Tile::Deep {
                samples,
                size,
                canvas,
                shown,
            } => {
                if *shown != Some(window) {
                    if inner.shades.as_ref().is_none_or(|(w, _)| *w != window) {
                        inner.shades = Some((window, shades(window)));
                    }
                    if let Some((_, shades)) = &inner.shades {
                        paint(canvas, samples, *size, shades)?;
                        *shown = Some(window);
                    }
                }
                Some(Drawable::Canvas(canvas.clone()))
            }
        }
    }

    /// The samples of a pixel of a deep picture, where its tile of full size is there.
    pub fn samples(&self, item: ItemId, pyramid: &Pyramid, x: u32, y: u32) -> Option<Vec<u16>> {
        let inner = self.inner.borrow();
        let side = pyramid.tile.max(1);
        let at = TileAt {
            level: 0,
            x: x / side,
            y: y / side,
        };
        let Tile::Deep { samples, size, .. } = &inner.kept.get(&(item, at))?.tile else {
            return None;
        };
        let n = usize::from(pyramid.channels);
        let first = ((y % side) as usize * size.0 as usize + (x % side) as usize) * n;
        samples.get(first..first + n).map(<[u16]>::to_vec)
    }
}

impl Inner {
    fn keep(&mut self, key: Key, mut kept: Kept) {
        kept.used = self.now;
        self.bytes += kept.bytes;
        if let Some(old) = self.kept.insert(key, kept) {
            self.bytes -= old.bytes;
        }
        while self.bytes > KEEP {
            // What is in view stays, whatever it takes.
            let oldest = self
                .kept
                .iter()
                .filter(|(_, k)| k.used < self.now)
                .min_by_key(|(_, k)| k.used)
                .map(|(key, _)| *key);
            let Some(gone) = oldest.and_then(|key| self.kept.remove(&key)) else {
                return;
            };
            self.bytes -= gone.bytes;
        }
    }
}

async fn fetch((item, at): Key, pyramid: &Pyramid, signal: &web_sys::AbortSignal) -> Result<Kept, JsValue> {
    let init = RequestInit::new();
    init.set_signal(Some(signal));
    let url = format!("/media/items/{item}/tiles/{}/{}/{}", at.level, at.x, at.y);
    let response: Response = JsFuture::from(window().fetch_with_str_and_init(&url, &init))
        .await?
        .dyn_into()?;
    if !response.ok() {
        return Err(JsValue::from_f64(f64::from(response.status())));
    }
    let (w, h) = pyramid.level_size(at.level);
    let side = |size: u32, k: u32| {
        size.saturating_sub(k.saturating_mul(pyramid.tile))
            .min(pyramid.tile)
    };
    let size = (side(w, at.x), side(h, at.y));
    let pixels = size.0 as usize * size.1 as usize;
    let tile = if pyramid.format == TileFormat::Raw16 {
        let buffer = JsFuture::from(response.array_buffer()?).await?;
        let bytes = js_sys::Uint8Array::new(&buffer).to_vec();
        let samples: Vec<u16> = bytes
            .chunks_exact(2)
            .map(|b| u16::from_le_bytes([b[0], b[1]]))
            .collect();
        if samples.len() != pixels * usize::from(pyramid.channels) {
            return Err(JsValue::from_str("a tile is not of its size"));
        }
        let canvas: HtmlCanvasElement = document().create_element("canvas")?.dyn_into()?;
        canvas.set_width(size.0);
        canvas.set_height(size.1);
        Tile::Deep {
            samples,
            size,
            canvas,
            shown: None,
        }
    } else {
        let blob: Blob = JsFuture::from(response.blob()?).await?.dyn_into()?;
        let bitmap = JsFuture::from(window().create_image_bitmap_with_blob(&blob)?).await?;
        Tile::Eight(bitmap.dyn_into()?)
    };
    let bytes = match &tile {
        Tile::Eight(_) => pixels * 4,
        Tile::Deep { samples, .. } => pixels * 4 + samples.len() * 2,
    };
    Ok(Kept { tile, bytes, used: 0 })
}

/// From a sample to a shade.
fn shades((low, high): Window) -> Vec<u8> {
    let (low, high) = (f64::from(low), f64::from(high));
    let span = (high - low).max(1.0);
    (0..=u16::MAX)
        .map(|v| ((f64::from(v) - low) / span * 255.0).round().clamp(0.0, 255.0) as u8)
        .collect()
}

fn paint(canvas: &HtmlCanvasElement, samples: &[u16], (w, h): (u32, u32), shades: &[u8]) -> Option<()> {
    let pixels = w as usize * h as usize;
    let mut rgba = Vec::with_capacity(pixels * 4);
    let shade = |v: &u16| shades[usize::from(*v)];
    if samples.len() == pixels {
        for v in samples {
            let s = shade(v);
            rgba.extend([s, s, s, 255]);
        }
    } else {
        for p in samples.chunks_exact(3) {
            rgba.extend([shade(&p[0]), shade(&p[1]), shade(&p[2]), 255]);
        }
    }
    let data = ImageData::new_with_u8_clamped_array_and_sh(wasm_bindgen::Clamped(&rgba), w, h).ok()?;
    super::paint::context(canvas)?
        .put_image_data(&data, 0.0, 0.0)
        .ok()
}
