//! The browser's worker of the smart tools: takes the pixels of a view, answers questions about it. It holds the one
//! [`Scene`] and turns messages into calls; nothing else lives here. The script that loads it is `worker.js` beside it.

use js_sys::Uint8Array;
use limn_vision::Scene;
use std::cell::RefCell;
use wasm_bindgen::prelude::*;

thread_local! {
    static SCENE: RefCell<Option<Scene>> = const { RefCell::new(None) };
}

/// Takes over a view: `sampling` is a `limn_domain::smart::Sampling` as JSON, `pixels` are sRGB bytes, four a sample.
#[wasm_bindgen]
pub fn look(sampling: &str, pixels: &Uint8Array) -> Result<(), JsError> {
    let sampling = serde_json::from_str(sampling)?;
    let scene = Scene::new(sampling, &pixels.to_vec())
        .map_err(|_| JsError::new("the pixels do not fit what is said of them"))?;
    SCENE.with_borrow_mut(|s| *s = Some(scene));
    Ok(())
}

/// The answer to a `limn_domain::smart::Ask`, both as JSON.
#[wasm_bindgen]
pub fn answer(ask: &str) -> Result<String, JsError> {
    let ask = serde_json::from_str(ask)?;
    let answer = SCENE
        .with_borrow_mut(|s| s.as_mut().map(|s| s.answer(&ask)))
        .ok_or_else(|| JsError::new("there is no picture yet"))?;
    Ok(serde_json::to_string(&answer)?)
}
