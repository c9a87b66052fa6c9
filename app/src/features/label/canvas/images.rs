//! Pictures of items: the screen rendition first, every pixel when somebody looks closer, the next ones ahead of time. Decoded
//! beside the page and kept decoded: an image element is decoded again, on the page's thread, whenever the browser let go of it.

use leptos::prelude::*;
use limn_domain::ItemId;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ImageBitmap, Response};

/// However little memory there may be: the picture in view, and what stands in for it.
const KEEP_LEAST: usize = 2;

/// Which bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Which {
    Screen,
    Full,
    /// A frame of a video, every pixel.
    Frame(u32),
}

impl Which {
    fn path(self) -> String {
        match self {
            Self::Screen => "screen".to_owned(),
            Self::Full => "full".to_owned(),
            Self::Frame(n) => format!("frames/{n}"),
        }
    }
}

enum State {
    Loading,
    Ready(ImageBitmap),
    Failed,
}

struct Picture {
    state: State,
    used: u64,
    /// Run when it can be drawn or has failed: whoever wished for it meanwhile.
    waiting: Vec<Box<dyn Fn()>>,
}

impl Picture {
    /// Bytes it takes decoded.
    fn bytes(&self) -> usize {
        match &self.state {
            State::Ready(bitmap) => bitmap.width() as usize * bitmap.height() as usize * 4,
            State::Loading | State::Failed => 0,
        }
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        if let State::Ready(bitmap) = &self.state {
            bitmap.close();
        }
    }
}

/// How much is kept decoded.
#[derive(Debug, Clone, Copy)]
pub struct Keep {
    pub pictures: usize,
    pub bytes: usize,
}

/// Decoded pictures by item; the least recently used ones go first.
#[derive(Clone)]
pub struct Images {
    inner: Rc<RefCell<Kept>>,
    keep: Keep,
}

#[derive(Default)]
struct Kept {
    pictures: HashMap<(ItemId, Which), Picture>,
    /// Says which was used last.
    now: u64,
}

impl Images {
    pub fn new(keep: Keep) -> Self {
        Self {
            inner: Rc::default(),
            keep,
        }
    }

    /// Starts loading a picture if it is not there; `ready` runs when it can be drawn (or has failed).
    pub fn want(&self, id: ItemId, which: Which, ready: impl Fn() + 'static) {
        let key = (id, which);
        {
            let inner = &mut *self.inner.borrow_mut();
            let now = inner.tick();
            if let Some(p) = inner.pictures.get_mut(&key) {
                p.used = now;
                if matches!(p.state, State::Loading) {
                    p.waiting.push(Box::new(ready));
                }
                return;
            }
            let picture = Picture {
                state: State::Loading,
                used: now,
                waiting: vec![Box::new(ready)],
            };
            inner.pictures.insert(key, picture);
            inner.shrink(self.keep);
        }
        let this = self.clone();
        leptos::task::spawn_local(async move {
            let got = fetch(id, which).await;
            let waiting = {
                let inner = &mut *this.inner.borrow_mut();
                let Some(p) = inner.pictures.get_mut(&key) else {
                    return;
                };
                p.state = got.map_or(State::Failed, State::Ready);
                let waiting = std::mem::take(&mut p.waiting);
                inner.shrink(this.keep);
                waiting
            };
            for ready in waiting {
                ready();
            }
        });
    }

    /// The picture, when it can be drawn. Only for now: it may be given up when another one is wanted.
    pub fn get(&self, id: ItemId, which: Which) -> Option<ImageBitmap> {
        let inner = &mut *self.inner.borrow_mut();
        let now = inner.tick();
        let p = inner.pictures.get_mut(&(id, which))?;
        p.used = now;
        match &p.state {
            State::Ready(bitmap) => Some(bitmap.clone()),
            State::Loading | State::Failed => None,
        }
    }

    /// Whether it can be drawn.
    pub fn is_ready(&self, id: ItemId, which: Which) -> bool {
        let inner = self.inner.borrow();
        let picture = inner.pictures.get(&(id, which));
        picture.is_some_and(|p| matches!(p.state, State::Ready(_)))
    }

    /// Whether loading it has failed. The failure is forgotten, so that the next wish tries again.
    pub fn failed(&self, id: ItemId, which: Which) -> bool {
        let pictures = &mut self.inner.borrow_mut().pictures;
        let failed = pictures
            .get(&(id, which))
            .is_some_and(|p| matches!(p.state, State::Failed));
        if failed {
            pictures.remove(&(id, which));
        }
        failed
    }
}

impl Kept {
    const fn tick(&mut self) -> u64 {
        self.now += 1;
        self.now
    }

    /// Gives up the least recently used until the rest fits.
    fn shrink(&mut self, keep: Keep) {
        let mut bytes: usize = self.pictures.values().map(Picture::bytes).sum();
        while self.pictures.len() > KEEP_LEAST && (self.pictures.len() > keep.pictures || bytes > keep.bytes)
        {
            let oldest = self.pictures.iter().min_by_key(|(_, p)| p.used);
            let Some(gone) = oldest
                .map(|(key, _)| *key)
                .and_then(|key| self.pictures.remove(&key))
            else {
                return;
            };
            bytes -= gone.bytes();
        }
    }
}

async fn fetch(id: ItemId, which: Which) -> Result<ImageBitmap, JsValue> {
    let url = format!("/media/items/{id}/{}", which.path());
    let response: Response = JsFuture::from(window().fetch_with_str(&url)).await?.dyn_into()?;
    if !response.ok() {
        return Err(JsValue::from_f64(f64::from(response.status())));
    }
    let blob: Blob = JsFuture::from(response.blob()?).await?.dyn_into()?;
    JsFuture::from(window().create_image_bitmap_with_blob(&blob)?)
        .await?
        .dyn_into()
}

/// Runs a closure on the next frame.
pub fn next_frame(f: impl FnOnce() + 'static) {
    let f = Closure::once_into_js(f);
    let _ = window().request_animation_frame(f.unchecked_ref());
}
