//! Keys of the page, ignored while somebody types, and listed in the help overlay.

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// Keys in use now: `(keys, what they do)`.
#[derive(Debug, Clone, Copy)]
pub struct Hotkeys(pub RwSignal<Vec<(u64, &'static str, String)>>, StoredValue<u64>);

pub(crate) fn provide_hotkeys() -> Hotkeys {
    let keys = Hotkeys(RwSignal::new(Vec::new()), StoredValue::new(0));
    provide_context(keys);
    keys
}

/// Whether the event comes from a place where keys are text.
pub fn is_typing(ev: &web_sys::KeyboardEvent) -> bool {
    let Some(target) = ev
        .target()
        .and_then(|t| t.dyn_into::<web_sys::HtmlElement>().ok())
    else {
        return false;
    };
    let tag = target.tag_name();
    let ticks = target
        .dyn_ref::<web_sys::HtmlInputElement>()
        .is_some_and(|i| matches!(i.type_().as_str(), "checkbox" | "radio" | "button" | "range"));
    target.is_content_editable() || (matches!(tag.as_str(), "INPUT" | "TEXTAREA" | "SELECT") && !ticks)
}

/// Whether a dialog, a menu or another popover is open, which then owns the keys.
pub fn is_overlaid() -> bool {
    let open = |selector: &str| document().query_selector(selector).ok().flatten().is_some();
    // One by one: a browser that does not know popovers refuses the second.
    open("dialog[open]") || open("[popover=auto]:popover-open")
}

fn matches(keys: &str, ev: &web_sys::KeyboardEvent) -> bool {
    let mut ctrl = false;
    let mut shift = None;
    let mut alt = false;
    let mut key = "";
    for part in keys.split('+') {
        match part {
            "Ctrl" => ctrl = true,
            "Shift" => shift = Some(true),
            "Alt" => alt = true,
            _ => key = part,
        }
    }
    // Shift belongs to the character for signs such as `?`; for letters it counts only when named.
    let letter = key.len() == 1 && key.chars().all(char::is_alphabetic);
    let shift_fits = match shift {
        Some(wanted) => ev.shift_key() == wanted,
        None => !letter || !ev.shift_key(),
    };
    (ev.ctrl_key() || ev.meta_key()) == ctrl
        && ev.alt_key() == alt
        && shift_fits
        && ev.key().eq_ignore_ascii_case(key)
}

/// Runs `action` when `keys` are pressed: `l`, `?`, `Ctrl+k`, `Shift+Enter`. Keys without Ctrl rest while somebody
/// types, or a dialog or a menu is open. They work while the calling component is shown.
pub fn use_hotkey(keys: &'static str, what: impl Into<String>, action: impl Fn() + Send + Sync + 'static) {
    use_hotkey_when(keys, what, || true, action);
}

/// The same, but only while `when` holds; otherwise the key is left to others.
pub fn use_hotkey_when(
    keys: &'static str,
    what: impl Into<String>,
    when: impl Fn() -> bool + Send + Sync + 'static,
    action: impl Fn() + Send + Sync + 'static,
) {
    if let Some(Hotkeys(list, next)) = use_context() {
        let id = next.get_value();
        next.set_value(id + 1);
        list.update(|l| l.push((id, keys, what.into())));
        on_cleanup(move || {
            list.try_update(|l| l.retain(|(i, ..)| *i != id));
        });
    }
    let action = StoredValue::new(action);
    let when = StoredValue::new(when);
    let handle = StoredValue::new(None);
    Effect::new(move |_| {
        let listener = window_event_listener(ev::keydown, move |ev| {
            let free = keys.starts_with("Ctrl") || (!is_typing(&ev) && !is_overlaid());
            if free
                && !ev.default_prevented()
                && !ev.is_composing()
                && matches(keys, &ev)
                && when.try_with_value(|w| w()) == Some(true)
            {
                ev.prevent_default();
                action.try_with_value(|f| f());
            }
        });
        handle.set_value(Some(listener));
    });
    on_cleanup(move || {
        if let Some(listener) = handle.try_update_value(Option::take).flatten() {
            listener.remove();
        }
    });
}
