//! The objects of the item: the canvas in words. Only the rows in view are on the page.

use super::categories::{Toggle, layer};
use super::menus::ObjectsMenu;
use crate::features::label::desk::{Desk, px};
use crate::ui::{Glyph, Icon};
use leptos::html;
use leptos::prelude::*;
use limn_domain::project::Task;
use limn_domain::{Annotation, AnnotationId, AttributeValue, CategoryId, Shape, ShapeKind, Source};
use std::collections::HashMap;
use std::fmt::Write as _;

/// Height of a row in CSS pixels; the style sheet agrees.
const ROW: f64 = 28.0;

/// A row of the list.
#[derive(Debug, Clone, PartialEq)]
struct Object {
    id: AnnotationId,
    /// Place in the list, from 0.
    at: usize,
    /// The category's name and the how-manieth of it this is.
    name: String,
    category: String,
    color: String,
    score: Option<f64>,
    /// Its shape, where the project has several.
    kind: Option<ShapeKind>,
    /// x, y, w, h as read aloud and by tests.
    place: String,
}

/// The category's how-manieth shape this one is, in drawing order.
pub(super) fn ordinal(desk: Desk, id: AnnotationId) -> Option<String> {
    desk.read(|s| {
        let of = s.editor.doc().get(id)?.category_id;
        // Of a video all tracks count, so that a number stays from frame to frame.
        let n = s
            .editor
            .stored()
            .iter()
            .filter(|a| a.category_id == of && a.shape != Shape::Whole)
            .position(|a| a.id == id)?;
        Some(format!("{} {}", desk.category_of(of).0, n + 1))
    })
    .flatten()
}

/// Whether every word of the query is in what is known of an object: its category, its kind, what is said of it,
/// "suggestion", "hidden", "locked".
fn matches(words: &[String], category: &str, a: &Annotation, layers: &limn_editor::Layers) -> bool {
    if words.is_empty() {
        return true;
    }
    let mut text = format!("{category} {}", a.shape.shape_kind().label());
    for (on, word) in [
        (a.source == Source::Prelabel, "suggestion"),
        (layers.is_hidden(a), "hidden"),
        (layers.is_locked(a), "locked"),
    ] {
        if on {
            text.push(' ');
            text.push_str(word);
        }
    }
    for (key, value) in &a.attributes {
        let value = match value {
            AttributeValue::Flag(on) => if *on { "yes" } else { "no" }.to_owned(),
            AttributeValue::Number(n) => px(*n),
            AttributeValue::Text(t) => t.clone(),
        };
        // Writing to a text cannot fail.
        let _ = write!(text, " {key}:{value}");
    }
    let text = text.to_lowercase();
    words.iter().all(|w| text.contains(w.as_str()))
}

fn words(query: &str) -> Vec<String> {
    query.split_whitespace().map(str::to_lowercase).collect()
}

/// The objects that the query finds.
fn found(desk: Desk, query: &str) -> Vec<AnnotationId> {
    let words = words(query);
    desk.read(|s| {
        s.editor
            .doc()
            .iter()
            .filter(|a| a.shape != Shape::Whole)
            .filter(|a| matches(&words, &desk.category_of(a.category_id).0, a, s.editor.layers()))
            .map(|a| a.id)
            .collect()
    })
    .unwrap_or_default()
}

fn rows(desk: Desk, query: &str, from: usize, count: usize) -> (usize, Vec<Object>) {
    let words = words(query);
    let several = !matches!(desk.task(), Task::Semantic | Task::Keypoints);
    desk.read(|s| {
        let mut numbers: HashMap<CategoryId, usize> = HashMap::new();
        let mut out = Vec::new();
        let mut all = 0;
        for a in s.editor.stored().iter().filter(|a| a.shape != Shape::Whole) {
            let n = numbers.entry(a.category_id).or_default();
            *n += 1;
            // A track that is not on the frame in view counts, and is not listed.
            let Some(a) = s.editor.doc().get(a.id) else {
                continue;
            };
            if !words.is_empty() && !matches(&words, &desk.category_of(a.category_id).0, a, s.editor.layers())
            {
                continue;
            }
            if (from..from + count).contains(&all) {
                let (category, color) = desk.category_of(a.category_id);
                let place = s.editor.doc().bounds(a.id).map_or_else(String::new, |r| {
                    format!("x {} y {} w {} h {}", px(r.x), px(r.y), px(r.w), px(r.h))
                });
                out.push(Object {
                    id: a.id,
                    at: all,
                    name: format!("{category} {n}"),
                    category,
                    color,
                    score: (a.source == Source::Prelabel).then(|| a.score.unwrap_or(0.0)),
                    kind: several.then(|| a.shape.shape_kind()),
                    place,
                });
            }
            all += 1;
        }
        (all, out)
    })
    .unwrap_or_default()
}

#[component]
pub fn Objects() -> impl IntoView {
    let desk: Desk = expect_context();
    let list = NodeRef::<html::Div>::new();
    let query = RwSignal::new(String::new());
    let searching = RwSignal::new(false);
    let field = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if searching.get()
            && let Some(el) = field.get()
        {
            let _ = el.focus();
        }
    });
    let close = move || {
        query.set(String::new());
        searching.set(false);
    };
    let isolated = Memo::new(move |_| layer(desk, limn_editor::Layers::is_isolated));
    let scroll = RwSignal::new((0.0_f64, 600.0_f64));
    let window_of = move || {
        let (top, height) = scroll.get();
        let from = ((top / ROW).floor() as usize).saturating_sub(6);
        (from, (height / ROW).ceil() as usize + 12)
    };
    let shown = Memo::new(move |_| {
        desk.doc_tick.track();
        desk.current.track();
        desk.categories.track();
        let (from, count) = window_of();
        query.with(|q| rows(desk, q, from, count))
    });
    let measure = move || {
        if let Some(el) = list.get_untracked() {
            let now = (f64::from(el.scroll_top()), f64::from(el.client_height()).max(ROW));
            if scroll.get_untracked() != now {
                scroll.set(now);
            }
        }
    };
    Effect::new(move |_| {
        list.track();
        desk.current.track();
        request_animation_frame(measure);
    });
    // The selected row comes into view.
    Effect::new(move |_| {
        desk.selection_tick.track();
        let at = desk.read(|s| {
            let id = s.editor.selection().primary()?;
            s.editor
                .doc()
                .iter()
                .filter(|a| a.shape != Shape::Whole)
                .position(|a| a.id == id)
        });
        if let (Some(Some(at)), Some(el)) = (at, list.get_untracked()) {
            let (top, height) = (f64::from(el.scroll_top()), f64::from(el.client_height()));
            let y = at as f64 * ROW;
            if y < top {
                el.set_scroll_top(y as i32);
            } else if y + ROW > top + height {
                el.set_scroll_top((y + ROW - height) as i32);
            }
        }
    });
    let total = move || shown.with(|s| s.0);
    view! {
        <section class="label-objects" aria-label="Objects">
            <div class="label-head">
                <Show
                    when=move || searching.get()
                    fallback=move || view! {
                        <h2 class="grow">"Objects"</h2>
                        <Show when=move || isolated.get()>
                            <button class="label-only" type="button" on:click=move |_| { desk.edit(|e| e.isolate(Vec::new())); }>
                                "Show all"
                            </button>
                        </Show>
                        <Show when=move || desk.several.get()>
                            <button class="label-only" type="button" on:click=move |_| desk.several.set(false)>
                                "Pick one"
                            </button>
                        </Show>
                        <button
                            class="label-head__find"
                            type="button"
                            aria-label="Find objects"
                            on:click=move |_| searching.set(true)
                        >
                            <Icon glyph=Glyph::Search size=14/>
                        </button>
                    }
                >
                    <h2 class="sr-only">"Objects"</h2>
                    <input
                        node_ref=field
                        class="input label-head__field"
                        type="search"
                        placeholder="fox outline occluded:yes"
                        aria-label="Find objects by category, kind or attribute"
                        autocomplete="off"
                        spellcheck="false"
                        prop:value=move || query.get()
                        on:input=move |ev| query.set(event_target_value(&ev))
                        on:keydown=move |ev| match ev.key().as_str() {
                            "Enter" => {
                                ev.prevent_default();
                                let ids = query.with_untracked(|q| found(desk, q));
                                desk.edit(|e| e.select_these(&ids));
                            }
                            "Escape" => {
                                ev.prevent_default();
                                close();
                            }
                            _ => {}
                        }
                    />
                    <button
                        class="label-only"
                        type="button"
                        title="Show only these on the picture"
                        on:click=move |_| {
                            let ids = query.with_untracked(|q| found(desk, q));
                            desk.edit(|e| e.isolate(ids));
                            close();
                        }
                    >
                        "Only these"
                    </button>
                </Show>
                <span class="faint num" data-testid="object-count">{move || crate::fmt::count(total() as i64)}</span>
                <ObjectsMenu/>
            </div>
            <div class="label-objects__scroll" node_ref=list on:scroll=move |_| measure()>
                <ul class="label-objects__list" aria-label="Objects" style:height=move || format!("{}px", total() as f64 * ROW)>
                    <For each=move || shown.with(|s| s.1.clone()) key=|o| (o.id, o.at, o.name.clone(), o.color.clone(), o.place.clone(), o.score.is_some(), o.kind) let:o>
                        <Row object=o total/>
                    </For>
                </ul>
                <Show when=move || total() == 0 && desk.current.get().is_some() && query.with(String::is_empty)>
                    <p class="label-none">
                        {move || {
                            let (what, key) = match desk.task() {
                                Task::Segmentation => ("No objects yet. Draw an outline with ", "P"),
                                Task::Semantic => ("Nothing painted yet. Paint with ", "B"),
                                Task::Keypoints => ("No objects yet. Place keypoints with ", "K"),
                                _ => ("No objects yet. Draw a box with ", "R"),
                            };
                            view! { {what} <kbd class="kbd">{key}</kbd> "." }
                        }}
                    </p>
                </Show>
            </div>
        </section>
    }
}

#[component]
fn Row(object: Object, total: impl Fn() -> usize + Send + Sync + 'static) -> impl IntoView {
    let desk: Desk = expect_context();
    let id = object.id;
    let on = move || {
        desk.selection_tick.track();
        desk.doc_tick.track();
        desk.read(|s| s.editor.selection().contains(id)).unwrap_or(false)
    };
    let one = move |f: fn(&limn_editor::Layers, &limn_domain::Annotation) -> bool| {
        layer(desk, |_| true)
            && desk.read(|s| s.editor.doc().get(id).is_some_and(|a| f(s.editor.layers(), a))) == Some(true)
    };
    let hidden = Memo::new(move |_| one(limn_editor::Layers::is_hidden));
    let locked = Memo::new(move |_| one(limn_editor::Layers::is_locked));
    let spoken = match object.score {
        Some(s) => format!("{}, {}, suggestion {s:.2}", object.category, object.place),
        None => format!("{}, {}", object.category, object.place),
    };
    let name = object.name.clone();
    view! {
        <li
            class="label-object"
            class:is-on=on
            class:is-hidden=hidden
            style:top=format!("{}px", object.at as f64 * ROW)
            style:--swatch=object.color.clone()
            aria-setsize=move || total().to_string()
            aria-posinset=(object.at + 1).to_string()
        >
            <button
                class="label-object__pick"
                type="button"
                data-testid="object"
                data-id=id.to_string()
                aria-label=spoken
                aria-pressed=move || if on() { "true" } else { "false" }
                on:click=move |ev| {
                    desk.edit(|e| {
                        let add = ev.shift_key() || ev.ctrl_key() || ev.meta_key() || desk.several.get_untracked();
                        e.select(id, add);
                        e.reveal(id);
                    });
                }
                on:dblclick=move |_| {
                    desk.edit(limn_editor::Editor::zoom_to_selection);
                }
            >
                <i class="swatch" class:swatch--dash=object.score.is_some()></i>
                {object.kind.map(|kind| view! {
                    <span class="label-object__kind" title=kind.label()><Icon glyph=Glyph::of_shape(kind) size=13/></span>
                })}
                <span class="label-cat__name">{object.name}</span>
                {object.score.map(|s| view! { <span class="faint num">{format!("{s:.2}")}</span> })}
            </button>
            <span class="label-acts" class:is-set=move || hidden.get() || locked.get()>
                <Toggle label=format!("Hide {name}") on=hidden glyphs=(Glyph::Eye, Glyph::EyeOff) click=move || {
                    desk.edit(|e| e.toggle_hidden(id));
                }/>
                <Toggle label=format!("Lock {name}") on=locked glyphs=(Glyph::Unlock, Glyph::Lock) click=move || {
                    desk.edit(|e| e.toggle_locked(id));
                }/>
                <button
                    class="label-act"
                    type="button"
                    aria-label=format!("Delete {name}")
                    title=format!("Delete {name}")
                    on:click=move |_| {
                        if locked.get_untracked() {
                            desk.toasts.info("It is locked; unlock it first.");
                        } else {
                            desk.edit(|e| e.delete(id));
                        }
                    }
                >
                    <Icon glyph=Glyph::Trash size=14/>
                </button>
            </span>
        </li>
    }
}
