//! How the picture of an item is shown: known from its size, or asked for; again while its tiles are being made.

use super::Desk;
use crate::features::label::api;
use crate::features::label::look::{ColorBy, Legend, attribute_id};
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::ItemId;
use limn_domain::item::Item;
use limn_domain::picture::Picture;
use std::time::Duration;

/// A picture of no more pixels is whole whatever the server's limit, unless it is of a kind that may be deep.
const SURELY_WHOLE: i64 = 4_000_000;
/// Questions that may go unanswered before the page gives up on a picture.
const PATIENCE: u32 = 5;
/// Milliseconds between two looks at the progress.
const LOOK_AGAIN: u64 = 1_000;

fn is_surely_whole(item: &Item) -> bool {
    let may_be_deep = matches!(item.media_type.as_str(), "image/png" | "image/tiff");
    !may_be_deep && is_small(item)
}

/// Whether it has renditions, deep or not: they can be shown until more is known.
pub fn is_small(item: &Item) -> bool {
    item.width.saturating_mul(item.height) <= SURELY_WHOLE
}

impl Desk {
    /// How the picture is shown, as far as that is known.
    pub fn picture_now(self, item: &Item) -> Option<Picture> {
        let known = self.pictures.with_untracked(|p| p.get(&item.id).cloned());
        known.or_else(|| is_surely_whole(item).then_some(Picture::Whole))
    }

    /// Whether the renditions of an item in hand are worth loading ahead.
    pub fn is_shown_whole(self, id: ItemId) -> bool {
        let shown = self.sheet(id, |s| match self.picture_now(&s.item) {
            Some(picture) => picture == Picture::Whole,
            None => is_small(&s.item),
        });
        shown == Some(true)
    }

    /// Asks how the picture of the open item is shown, unless that is known; while it is being made, again and again.
    pub fn ask_for_picture(self, id: ItemId) {
        let known = self.read(|s| (s.item.id == id).then(|| self.picture_now(&s.item)));
        match known.flatten() {
            Some(None | Some(Picture::Making { .. } | Picture::Failed { .. })) => {}
            _ => return,
        }
        spawn_local(async move {
            let mut unanswered = 0;
            loop {
                let got = api::label_picture(id).await;
                let Some(current) = self.current.try_get_untracked() else {
                    return;
                };
                let picture = match got {
                    Ok(picture) => Some(picture),
                    Err(e) => {
                        unanswered += 1;
                        let message = e.message.clone();
                        (unanswered >= PATIENCE).then_some(Picture::Failed { message })
                    }
                };
                let again = matches!(picture, None | Some(Picture::Making { .. }));
                if let Some(picture) = picture {
                    let is_there = matches!(picture, Picture::Tiled(_));
                    let was = self.pictures.try_update(|p| p.insert(id, picture)).flatten();
                    if is_there && matches!(was, Some(Picture::Making { .. })) {
                        self.thumbs_tick.try_update(|n| *n += 1);
                    }
                }
                if !again || current != Some(id) {
                    return;
                }
                wait(LOOK_AGAIN).await;
            }
        });
    }

    /// Address of an item's thumbnail; another one when it may be there now.
    pub fn thumb_of(self, id: ItemId) -> String {
        match self.thumbs_tick.get() {
            0 => format!("/media/items/{id}/thumb"),
            n => format!("/media/items/{id}/thumb?n={n}"),
        }
    }

    /// The colours of the chosen attribute's values, where the look wants them and a category has it.
    pub fn legend_now(self) -> Option<Legend> {
        let look = self.looks.get_untracked();
        if look.color_by != ColorBy::Attribute {
            return None;
        }
        let all = self
            .categories
            .with_untracked(|list| Legend::all(list.iter().map(|c| &c.category)));
        all.into_iter().find(|l| attribute_id(&l.key) == look.attribute)
    }

    /// Notes the pixel under the pointer.
    pub fn note_value(self, value: Option<Vec<u16>>) {
        if self.value.with_untracked(|v| *v != value) {
            self.value.set(value);
        }
    }
}

async fn wait(millis: u64) {
    let waited = js_sys::Promise::new(&mut |resolve, _| {
        let done = move || {
            let _ = resolve.call0(&wasm_bindgen::JsValue::NULL);
        };
        set_timeout(done, Duration::from_millis(millis));
    });
    let _ = wasm_bindgen_futures::JsFuture::from(waited).await;
}
