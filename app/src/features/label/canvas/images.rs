//! Pictures of items: the screen rendition first, every pixel when somebody looks closer, the next ones ahead of time.

use leptos::prelude::*;
use limn_domain::ItemId;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::HtmlImageElement;

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

struct Picture {
    image: HtmlImageElement,
    ready: bool,
    failed: bool,
    used: u64,
    /// Run when it can be drawn or has failed: whoever wished for it meanwhile.
    waiting: Vec<Box<dyn Fn()>>,
}

/// Decoded pictures by item; the least recently used ones go first.
#[derive(Clone)]
pub struct Images {
    inner: Rc<RefCell<Kept>>,
    /// How many are kept decoded.
    keep: usize,
}

/// The pictures and the counter that says which was used last.
type Kept = (HashMap<(ItemId, Which), Picture>, u64);

impl Images {
    pub fn new(keep: usize) -> Self {
        Self {
            inner: Rc::default(),
            keep,
        }
    }

    /// Starts loading a picture if it is not there; `ready` runs when it can be drawn (or has failed).
    pub fn want(&self, id: ItemId, which: Which, ready: impl Fn() + 'static) {
        let mut inner = self.inner.borrow_mut();
        inner.1 += 1;
        let now = inner.1;
        if let Some(p) = inner.0.get_mut(&(id, which)) {
            p.used = now;
            if !p.ready && !p.failed {
                p.waiting.push(Box::new(ready));
            }
            return;
        }
        let Ok(image) = HtmlImageElement::new() else {
            return;
        };
        image.set_decoding("async");
        image.set_src(&format!("/media/items/{id}/{}", which.path()));
        let decoded = image.decode();
        let picture = Picture {
            image,
            ready: false,
            failed: false,
            used: now,
            waiting: vec![Box::new(ready)],
        };
        inner.0.insert((id, which), picture);
        if inner.0.len() > self.keep
            && let Some(oldest) = inner.0.iter().min_by_key(|(_, p)| p.used).map(|(k, _)| *k)
        {
            inner.0.remove(&oldest);
        }
        drop(inner);
        let this = self.clone();
        leptos::task::spawn_local(async move {
            let ok = wasm_bindgen_futures::JsFuture::from(decoded).await.is_ok();
            let waiting = this.inner.borrow_mut().0.get_mut(&(id, which)).map(|p| {
                p.ready = ok;
                p.failed = !ok;
                std::mem::take(&mut p.waiting)
            });
            for ready in waiting.unwrap_or_default() {
                ready();
            }
        });
    }

    /// The picture, when it can be drawn.
    pub fn get(&self, id: ItemId, which: Which) -> Option<HtmlImageElement> {
        let mut inner = self.inner.borrow_mut();
        inner.1 += 1;
        let now = inner.1;
        let p = inner.0.get_mut(&(id, which))?;
        p.used = now;
        p.ready.then(|| p.image.clone())
    }

    /// Whether it can be drawn.
    pub fn is_ready(&self, id: ItemId, which: Which) -> bool {
        self.inner.borrow().0.get(&(id, which)).is_some_and(|p| p.ready)
    }

    /// Whether loading it has failed. The failure is forgotten, so that the next wish tries again.
    pub fn failed(&self, id: ItemId, which: Which) -> bool {
        let mut inner = self.inner.borrow_mut();
        let failed = inner.0.get(&(id, which)).is_some_and(|p| p.failed);
        if failed {
            inner.0.remove(&(id, which));
        }
        failed
    }
}

/// Runs a closure on the next frame.
pub fn next_frame(f: impl FnOnce() + 'static) {
    let f = Closure::once_into_js(f);
    let _ = window().request_animation_frame(f.unchecked_ref());
}
