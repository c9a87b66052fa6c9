//! The wizard's category editor: fast typing, pasting, nesting and moving with keys or the mouse.

use super::draft::{DraftRow, DraftRows};
use crate::ui::{Button, ButtonSize, ColorPicker, Glyph, Icon, IconButton, Kbd, Select, Variant};
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// Puts the cursor into a row's name once it is on the page.
fn focus(key: u32) {
    request_animation_frame(move || {
        request_animation_frame(move || {
            let name = document().get_element_by_id(&format!("row-{key}"));
            if let Some(name) = name.and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
                let _ = name.focus();
            }
        });
    });
}

#[component]
pub fn CategoryRows(rows: RwSignal<DraftRows>) -> impl IntoView {
    // There is always a line to type into.
    if rows.with_untracked(|r| r.rows.is_empty()) {
        rows.update(|r| {
            r.push("", 0);
        });
    }
    Effect::new(move |_| {
        if let Some(last) = rows.with_untracked(|r| r.rows.last().map(|r| r.key)) {
            focus(last);
        }
    });
    let dragged = RwSignal::new(None::<u32>);
    let keys = Memo::new(move |_| rows.with(|r| r.rows.iter().map(|r| r.key).collect::<Vec<_>>()));
    let add = move || {
        let key = rows.try_update(|r| r.push("", r.rows.last().map_or(0, |l| l.level)));
        if let Some(key) = key {
            focus(key);
        }
    };
    view! {
        <ul class="cat-list cat-list--draft" aria-label="Categories">
            <For each=move || keys.get() key=|k| *k let:key><Line rows key dragged/></For>
        </ul>
        <div class="cat-draft__foot">
            <Button size=ButtonSize::Small icon=Glyph::Plus on_click=add>"Add a category"</Button>
            <span class="items-hint">
                <span><Kbd>"Enter"</Kbd>"next"</span>
                <span><Kbd>"Alt"</Kbd><Kbd>"↑"</Kbd><Kbd>"↓"</Kbd>"move"</span>
                <span><Kbd>"Alt"</Kbd><Kbd>"→"</Kbd><Kbd>"←"</Kbd>"nest"</span>
            </span>
        </div>
    }
}

#[component]
fn Line(rows: RwSignal<DraftRows>, key: u32, dragged: RwSignal<Option<u32>>) -> impl IntoView {
    let row = Memo::new(move |_| rows.with(|r| r.rows.iter().find(|r| r.key == key).cloned()));
    let first = row.get_untracked();
    let color = RwSignal::new(first.as_ref().map(|r| r.color.clone()).unwrap_or_default());
    let hotkey = RwSignal::new(String::new());
    Effect::new(move |_| {
        if let Some(r) = row.get() {
            color.set(r.color);
            hotkey.set(r.hotkey.map(|k| k.to_string()).unwrap_or_default());
        }
    });
    let over = RwSignal::new(false);
    let edit = move |f: &dyn Fn(&mut DraftRow)| {
        rows.update(|r| {
            if let Some(row) = r.rows.iter_mut().find(|r| r.key == key) {
                f(row);
            }
        });
    };
    let problem =
        Memo::new(move |_| rows.with(|r| r.problems().into_iter().find(|(k, _)| *k == key).map(|(_, m)| m)));
    let name = move || row.with(|r| r.as_ref().map(|r| r.name.clone()).unwrap_or_default());
    let keys: Vec<(String, String)> = std::iter::once((String::new(), "–".to_owned()))
        .chain((1..=9).map(|k| (k.to_string(), k.to_string())))
        .collect();
    let on_key = move |ev: web_sys::KeyboardEvent| {
        if ev.is_composing() {
            return;
        }
        match (ev.key().as_str(), ev.alt_key()) {
            ("Enter", false) if !ev.ctrl_key() && !ev.meta_key() => {
                if let Some(new) = rows.try_update(|r| r.insert_below(key)) {
                    focus(new);
                }
            }
            ("ArrowUp", true) => rows.update(|r| r.shift(key, -1)),
            ("ArrowDown", true) => rows.update(|r| r.shift(key, 1)),
            ("ArrowRight", true) => rows.update(|r| r.indent(key, 1)),
            ("ArrowLeft", true) => rows.update(|r| r.indent(key, -1)),
            ("ArrowUp", false) => step(rows, key, -1),
            ("ArrowDown", false) => step(rows, key, 1),
            ("Backspace", false) if name().is_empty() && rows.with_untracked(|r| r.rows.len() > 1) => {
                step(rows, key, -1);
                rows.update(|r| r.remove(key));
            }
            _ => return,
        }
        if ev.alt_key() {
            // Moving takes the row out of the page for a moment, and the focus with it.
            focus(key);
        }
        ev.prevent_default();
    };
    view! {
        <li
            class="cat-row cat-row--draft"
            class:is-over=move || over.get()
            class:is-dragged=move || dragged.get() == Some(key)
            style=move || format!("--level:{}", row.with(|r| r.as_ref().map_or(0, |r| r.level)))
            on:dragover=move |ev| {
                if dragged.get_untracked().is_some_and(|d| d != key) {
                    ev.prevent_default();
                    over.set(true);
                }
            }
            on:dragleave=move |_| over.set(false)
            on:drop=move |ev| {
                over.set(false);
                if let Some(d) = dragged.get_untracked() {
                    ev.prevent_default();
                    dragged.set(None);
                    rows.update(|r| r.drop_before(d, Some(key)));
                }
            }
        >
            <span class="cat-row__name">
                <span
                    class="cat-row__grip"
                    draggable="true"
                    aria-hidden="true"
                    title="Drag to reorder"
                    on:dragstart=move |ev| {
                        if let Some(t) = ev.data_transfer() {
                            let _ = t.set_data("text/plain", "category");
                        }
                        dragged.set(Some(key));
                    }
                    on:dragend=move |_| dragged.set(None)
                >
                    <Icon glyph=Glyph::Grip/>
                </span>
                <ColorPicker
                    id=format!("row-color-{key}")
                    value=color
                    label="Colour"
                    on_change=Callback::new(move |c: String| edit(&|r| r.color.clone_from(&c)))
                />
                <input
                    class="input input--bare"
                    id=format!("row-{key}")
                    aria-label="Category name"
                    aria-invalid=move || problem.with(Option::is_some).then_some("true")
                    aria-describedby=format!("row-{key}-error")
                    placeholder="Category"
                    autocomplete="off"
                    prop:value=name
                    on:input=move |ev| {
                        let typed = event_target_value(&ev);
                        edit(&|r| r.name.clone_from(&typed));
                    }
                    on:keydown=on_key
                    on:paste=move |ev| {
                        let text = ev.clipboard_data().and_then(|d| d.get_data("text").ok()).unwrap_or_default();
                        if text.trim().lines().count() > 1 {
                            ev.prevent_default();
                            rows.update(|r| {
                                r.paste(&text);
                            });
                            if let Some(last) = rows.with_untracked(|r| r.rows.last().map(|r| r.key)) {
                                focus(last);
                            }
                        }
                    }
                />
            </span>
            <span class="cat-row__key">
                <Select
                    value=hotkey
                    options=keys
                    label="Key"
                    on_change=Callback::new(move |v: String| rows.update(|r| r.set_hotkey(key, v.parse().ok())))
                />
            </span>
            <span class="cat-row__tools">
                <IconButton glyph=Glyph::ChevronLeft label="Move out" size=ButtonSize::Small on_click=move || rows.update(|r| r.indent(key, -1))/>
                <IconButton glyph=Glyph::ChevronRight label="Nest under the one above" size=ButtonSize::Small on_click=move || rows.update(|r| r.indent(key, 1))/>
                <IconButton
                    glyph=Glyph::Trash
                    label="Remove"
                    size=ButtonSize::Small
                    variant=Variant::Quiet
                    on_click=move || rows.update(|r| {
                        r.remove(key);
                        if r.rows.is_empty() {
                            r.push("", 0);
                        }
                    })
                />
            </span>
            <p class="field__error" id=format!("row-{key}-error") role="alert">{move || problem.get()}</p>
        </li>
    }
}

/// Moves the cursor to the row above or below.
fn step(rows: RwSignal<DraftRows>, key: u32, by: isize) {
    let to = rows.with_untracked(|r| {
        let at = r.position(key)?.checked_add_signed(by)?;
        r.rows.get(at).map(|r| r.key)
    });
    if let Some(to) = to {
        focus(to);
    }
}
