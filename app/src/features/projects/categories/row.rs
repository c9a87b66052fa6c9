//! One category: colour, name, key, numbers, and its menu.

use super::attributes::Of;
use super::tree::{self, Move};
use super::{AddCategory, Editor};
use crate::fmt;
use crate::ui::{ColorPicker, Dot, Glyph, Icon, Kbd, Menu, MenuItem, MenuLine, Select, Variant};
use leptos::prelude::*;
use limn_domain::category::{Category, UpdateCategory};
use limn_domain::{CategoryId, ShapeKind, validate};

#[component]
pub fn CategoryRow(editor: Editor, id: CategoryId, may: Memo<bool>) -> impl IntoView {
    let all = editor.ctx.categories;
    let this = Memo::new(move |_| all.with(|all| all.iter().find(|c| c.id == id).cloned()));
    let level = Memo::new(move |_| all.with(|all| tree::levels(all).get(&id).copied().unwrap_or_default()));
    let over = RwSignal::new(false);
    let go = move |way: Move| {
        if let Some(input) = all.with_untracked(|all| tree::change(all, id, way)) {
            editor.update(id, input);
        }
    };
    let can = move |way: Move| all.with(|all| tree::change(all, id, way).is_some());
    view! {
        <li
            class="cat-row"
            class:is-over=move || over.get()
            class:is-dragged=move || editor.dragged.get() == Some(id)
            style=move || format!("--level:{}", level.get())
            on:dragover=move |ev| {
                if editor.dragged.get_untracked().is_some_and(|d| d != id) {
                    ev.prevent_default();
                    over.set(true);
                }
            }
            on:dragleave=move |_| over.set(false)
            on:drop=move |ev| {
                over.set(false);
                if let Some(dragged) = editor.dragged.get_untracked() {
                    ev.prevent_default();
                    editor.dragged.set(None);
                    if let Some(input) = all.with_untracked(|all| tree::drop_before(all, dragged, id)) {
                        editor.update(dragged, input);
                    }
                }
            }
            on:keydown=move |ev| {
                let way = match ev.key().as_str() {
                    _ if !ev.alt_key() || !may.get_untracked() => return,
                    "ArrowUp" => Move::Up,
                    "ArrowDown" => Move::Down,
                    "ArrowRight" => Move::In,
                    "ArrowLeft" => Move::Out,
                    _ => return,
                };
                ev.prevent_default();
                editor.refocus.set_value(Some(id));
                go(way);
            }
        >
            {move || {
                // Not made anew when the category changes: the focus stays where it is.
                let c = this.get_untracked();
                c.map(|c| {
                    if may.get() {
                        view! { <Editable editor this category=c/> }.into_any()
                    } else {
                        view! { <Plain category=c/> }.into_any()
                    }
                })
            }}
            <Numbers this/>
            <Show when=move || may.get()>
                <span class="cat-row__menu">
                    <Menu id=format!("cat-menu-{id}") label="Actions" end=true>
                        <MenuItem icon=Glyph::Plus on_click=move || editor.adding_below.set(Some(id))>"Add below it"</MenuItem>
                        <MenuLine/>
                        <MenuItem icon=Glyph::ChevronUp kbd="Alt ↑" disabled=Signal::derive(move || !can(Move::Up)) on_click=move || go(Move::Up)>"Move up"</MenuItem>
                        <MenuItem icon=Glyph::ChevronDown kbd="Alt ↓" disabled=Signal::derive(move || !can(Move::Down)) on_click=move || go(Move::Down)>"Move down"</MenuItem>
                        <MenuItem icon=Glyph::ChevronRight kbd="Alt →" disabled=Signal::derive(move || !can(Move::In)) on_click=move || go(Move::In)>"Nest under the one above"</MenuItem>
                        <MenuItem icon=Glyph::ChevronLeft kbd="Alt ←" disabled=Signal::derive(move || !can(Move::Out)) on_click=move || go(Move::Out)>"Move out"</MenuItem>
                        <MenuLine/>
                        <MenuItem icon=Glyph::Merge on_click=move || editor.merging.set(this.get_untracked())>"Merge into another"</MenuItem>
                        <MenuItem icon=Glyph::Trash variant=Variant::Danger on_click=move || editor.removing.set(this.get_untracked())>"Remove"</MenuItem>
                    </Menu>
                </span>
            </Show>
            <Show when=move || editor.adding_below.get() == Some(id)>
                <div class="cat-row__add"><AddCategory editor parent=Some(id)/></div>
            </Show>
        </li>
    }
}

#[component]
fn Numbers(this: Memo<Option<Category>>) -> impl IntoView {
    let labels = move || this.with(|c| c.as_ref().map_or(0, |c| c.annotation_count));
    let items = move || this.with(|c| c.as_ref().map_or(0, |c| c.item_count));
    view! {
        <span class="cat-row__n num" title="Labels">
            {move || fmt::count(labels())}
            <span class="cat-row__unit">" labels"</span>
        </span>
        <span class="cat-row__n num faint" title="Items with such a label">
            {move || fmt::count(items())}
            <span class="cat-row__unit">" items"</span>
        </span>
    }
}

#[component]
fn Plain(category: Category) -> impl IntoView {
    view! {
        <span class="cat-row__name"><Dot color=category.color.clone()/><b>{category.name.clone()}</b></span>
        <span class="cat-row__key">{category.hotkey.map(|k| view! { <Kbd>{k}</Kbd> })}</span>
    }
}

#[component]
fn Editable(editor: Editor, this: Memo<Option<Category>>, category: Category) -> impl IntoView {
    let id = category.id;
    let color = RwSignal::new(category.color.clone());
    let saved = StoredValue::new(category.name.clone());
    let name = RwSignal::new(category.name.clone());
    let hotkey = RwSignal::new(category.hotkey.map(|k| k.to_string()).unwrap_or_default());
    Effect::new(move |_| {
        if let Some(c) = this.get() {
            color.set(c.color);
            hotkey.set(c.hotkey.map(|k| k.to_string()).unwrap_or_default());
            // What somebody is typing stays until it is saved.
            if name.with_untracked(|n| saved.with_value(|s| s == n)) {
                name.set(c.name.clone());
            }
            saved.set_value(c.name);
        }
    });
    let keys = Memo::new(move |_| {
        let used: Vec<i64> = editor.ctx.categories.with(|all| {
            all.iter()
                .filter(|c| c.id != id)
                .filter_map(|c| c.hotkey)
                .collect()
        });
        let mut out = vec![(String::new(), "None".to_owned())];
        out.extend((1..=9).map(|k| {
            let text = if used.contains(&k) {
                format!("{k} (taken)")
            } else {
                k.to_string()
            };
            (k.to_string(), text)
        }));
        out
    });
    let objects = editor
        .ctx
        .project
        .with_untracked(|p| p.summary.task.marks_objects());
    let keypoints = editor
        .ctx
        .project
        .with_untracked(|p| p.summary.task.allows(ShapeKind::Keypoints));
    let points = move || {
        this.with(|c| {
            c.as_ref()
                .and_then(|c| c.skeleton.as_ref())
                .map_or(0, |s| s.keypoints.len())
        })
    };
    let rename = move || {
        let typed = name.get_untracked();
        if saved.with_value(|s| s == typed.trim()) {
            return;
        }
        match validate::name("category", &typed) {
            Ok(new) => {
                saved.set_value(new.clone());
                editor.update(
                    id,
                    UpdateCategory {
                        name: Some(new),
                        ..UpdateCategory::default()
                    },
                );
            }
            Err(message) => {
                editor.toasts.fail(message);
                name.set(saved.get_value());
            }
        }
    };
    let set_key = move |v: String| {
        let new: Option<i64> = v.parse().ok();
        let holder = new.and_then(|k| {
            editor.ctx.categories.with_untracked(|all| {
                all.iter()
                    .find(|c| c.hotkey == Some(k) && c.id != id)
                    .map(|c| c.id)
            })
        });
        leptos::task::spawn_local(async move {
            // The key moves here: first it is taken from whoever has it.
            if let Some(other) = holder {
                let free = UpdateCategory {
                    hotkey: Some(None),
                    ..UpdateCategory::default()
                };
                if let Err(e) = super::api::category_update(other, free).await {
                    editor.toasts.error(&e);
                    return;
                }
            }
            editor.update(
                id,
                UpdateCategory {
                    hotkey: Some(new),
                    ..UpdateCategory::default()
                },
            );
        });
    };
    view! {
        <span class="cat-row__name">
            <span
                class="cat-row__grip"
                draggable="true"
                aria-hidden="true"
                title="Drag to reorder"
                on:dragstart=move |ev| {
                    if let Some(t) = ev.data_transfer() {
                        // Firefox drags nothing without data.
                        let _ = t.set_data("text/plain", "category");
                    }
                    editor.dragged.set(Some(id));
                }
                on:dragend=move |_| editor.dragged.set(None)
            >
                <Icon glyph=Glyph::Grip/>
            </span>
            <ColorPicker
                id=format!("cat-color-{id}")
                value=color
                label=format!("Colour of {}", category.name)
                on_change=Callback::new(move |c: String| {
                    editor.update(id, UpdateCategory { color: Some(c), ..UpdateCategory::default() });
                })
            />
            <input
                class="input input--bare"
                id=format!("cat-name-{id}")
                aria-label=format!("Name of {}", category.name)
                autocomplete="off"
                prop:value=move || name.get()
                value=category.name.clone()
                on:input=move |ev| name.set(event_target_value(&ev))
                on:blur=move |_| rename()
                on:keydown=move |ev| {
                    match ev.key().as_str() {
                        "Enter" => {
                            ev.prevent_default();
                            rename();
                        }
                        "Escape" => name.set(saved.get_value()),
                        _ => {}
                    }
                }
            />
            {objects.then(|| view! {
                <button
                    type="button"
                    class="cat-row__skeleton"
                    aria-label=move || format!("Attributes of {}", name.get())
                    on:click=move |_| editor.attributes.set(this.get_untracked().map(|c| Of::Category(Box::new(c))))
                >
                    <Icon glyph=Glyph::Filter/>
                    {move || match this.with(|c| c.as_ref().map_or(0, |c| c.attributes.len())) {
                        0 => "Attributes".to_owned(),
                        n => fmt::counted(n as i64, "attribute", "attributes"),
                    }}
                </button>
            })}
            {keypoints.then(|| view! {
                <button
                    type="button"
                    class="cat-row__skeleton"
                    class:is-missing=move || points() == 0
                    aria-label=move || format!("Skeleton of {}", name.get())
                    on:click=move |_| editor.skeleton.set(this.get_untracked())
                >
                    <Icon glyph=Glyph::Skeleton/>
                    {move || match points() {
                        0 => "No skeleton".to_owned(),
                        n => fmt::counted(n as i64, "keypoint", "keypoints"),
                    }}
                </button>
            })}
        </span>
        <span class="cat-row__key">
            <Select value=hotkey options=keys label=format!("Key of {}", category.name) on_change=Callback::new(set_key)/>
        </span>
    }
}
