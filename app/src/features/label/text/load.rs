//! The text comes from the server, once for each document.

use super::{Loaded, Reading};
use crate::features::label::desk::Desk;
use js_sys::Uint8Array;
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::ItemId;
use limn_domain::text::Text;
use std::sync::Arc;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

fn url(id: ItemId) -> String {
    format!("/media/items/{id}/text")
}

/// Loads the text of whatever document is open, and asks for the next one ahead of time.
pub fn follow(desk: Desk, reading: Reading) {
    Effect::new(move |_| {
        let Some(id) = desk.current.get() else {
            reading.loaded.set(Loaded::No);
            return;
        };
        open(desk, reading, id);
    });
    Effect::new(move |_| {
        desk.film.track();
        desk.current.track();
        if let Some(next) = desk.upcoming().first() {
            // The answer never changes: it stays in the browser's cache.
            let _ = window().fetch_with_str(&url(*next));
        }
    });
}

/// Loads a text; anew when it failed.
pub fn open(desk: Desk, reading: Reading, id: ItemId) {
    reading.chosen.set(None);
    reading.hover.set(None);
    if matches!(reading.loaded.get_untracked(), Loaded::Yes(now, _) if now == id) {
        return;
    }
    reading.loaded.set(Loaded::No);
    spawn_local(async move {
        let got = fetch(id).await;
        // Somebody may have gone on meanwhile.
        if desk.current.try_get_untracked().flatten() != Some(id) {
            return;
        }
        reading.loaded.try_set(match got {
            Ok(text) => Loaded::Yes(id, Arc::new(Text::new(text))),
            Err(why) => Loaded::Failed(why),
        });
    });
}

async fn fetch(id: ItemId) -> Result<String, String> {
    let lost = |_| "The text did not arrive. Check the connection and try again.".to_owned();
    let response = JsFuture::from(window().fetch_with_str(&url(id)))
        .await
        .map_err(lost)?;
    let response: web_sys::Response = response.unchecked_into();
    if !response.ok() {
        return Err(format!(
            "The server does not give out the text (status {}). Reload the page, or tell your manager.",
            response.status()
        ));
    }
    // As bytes: reading a response as text would take away a mark that is part of the document.
    let buffer = JsFuture::from(response.array_buffer().map_err(lost)?)
        .await
        .map_err(lost)?;
    String::from_utf8(Uint8Array::new(&buffer).to_vec())
        .map_err(|_| "The stored text is damaged; tell your admin.".to_owned())
}
