//! The categories: pick one for new shapes, or label the whole item.

use super::menus::ItemMenu;
use crate::features::label::branch;
use crate::features::label::desk::{Cat, Desk};
use crate::features::label::find;
use crate::ui::{Glyph, Icon, Kbd};
use leptos::html;
use leptos::prelude::*;
use limn_domain::category::Category;
use limn_domain::{Annotation, CategoryId, Source};

fn found(list: &[Cat], query: &str) -> Vec<Cat> {
    if query.trim().is_empty() {
        return list.to_vec();
    }
    let names: Vec<&str> = list.iter().map(|c| c.category.name.as_str()).collect();
    find::by_name(&names, query)
        .into_iter()
        .filter_map(|n| list.get(n).cloned())
        .map(|c| Cat { depth: 0, ..c })
        .collect()
}

/// The head of the list with its search field: `/` opens it, Enter picks the first hit.
#[component]
fn Head(query: RwSignal<String>) -> impl IntoView {
    let desk: Desk = expect_context();
    let field = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if desk.searching.get()
            && let Some(el) = field.get()
        {
            request_animation_frame(move || {
                let _ = el.focus();
            });
        }
    });
    let close = move || {
        query.set(String::new());
        desk.searching.set(false);
        let stage = document().query_selector(super::STAGE).ok().flatten();
        if let Some(stage) =
            stage.and_then(|s| wasm_bindgen::JsCast::dyn_into::<web_sys::HtmlElement>(s).ok())
        {
            let _ = stage.focus();
        }
    };
    let pick_first = move || {
        let first = desk
            .categories
            .with_untracked(|list| found(list, &query.get_untracked()).first().map(|c| c.category.id));
        if let Some(id) = first {
            desk.pick(id, false);
        }
        close();
    };
    view! {
        <div class="label-head">
            <Show
                when=move || desk.searching.get()
                fallback=move || {
                    view! {
                        <h2 class="grow">"Categories"</h2>
                        <button
                            class="label-head__find"
                            type="button"
                            aria-label="Find a category, key /"
                            on:click=move |_| desk.searching.set(true)
                        >
                            <Kbd>"/"</Kbd>
                        </button>
                        <ItemMenu/>
                    }
                }
            >
                <h2 class="sr-only">"Categories"</h2>
                <input
                    node_ref=field
                    class="input label-head__field"
                    type="search"
                    placeholder="Find a category"
                    aria-label="Find a category"
                    autocomplete="off"
                    spellcheck="false"
                    prop:value=move || query.get()
                    on:input=move |ev| query.set(event_target_value(&ev))
                    on:keydown=move |ev| match ev.key().as_str() {
                        "Enter" => {
                            ev.prevent_default();
                            pick_first();
                        }
                        "Escape" => {
                            ev.prevent_default();
                            close();
                        }
                        _ => {}
                    }
                    on:blur=move |_| {
                        if query.get_untracked().is_empty() {
                            desk.searching.set(false);
                        }
                    }
                />
            </Show>
        </div>
    }
}

/// Categories of shapes.
#[component]
pub fn Categories() -> impl IntoView {
    let desk: Desk = expect_context();
    let query = RwSignal::new(String::new());
    let rows = move || desk.categories.with(|list| found(list, &query.get()));
    view! {
        <section class="label-cats" aria-label="Categories">
            <Head query/>
            <ul class="label-list">
                <For each=rows key=|c| (c.category.id, c.depth, c.category.name.clone(), c.color.clone(), c.key) let:c>
                    <Row cat=c/>
                </For>
            </ul>
            <Show when=move || desk.categories.with(Vec::is_empty) && desk.project.with(Option::is_some)>
                <p class="label-none">"This project has no categories yet. A manager adds them in its settings."</p>
            </Show>
        </section>
    }
}

#[component]
fn Row(cat: Cat) -> impl IntoView {
    let desk: Desk = expect_context();
    let id = cat.category.id;
    let on = move || desk.category.get() == Some(id);
    let hidden = Memo::new(move |_| layer(desk, move |l| l.category_hidden(id)));
    let locked = Memo::new(move |_| layer(desk, move |l| l.category_locked(id)));
    let name = cat.category.name.clone();
    let (hide, lock) = (format!("Hide all of {name}"), format!("Lock all of {name}"));
    view! {
        <li class="label-cat" class:is-on=on style:--depth=cat.depth.to_string() style:--swatch=cat.color.clone()>
            <button
                class="label-cat__pick"
                type="button"
                aria-pressed=move || if on() { "true" } else { "false" }
                on:click=move |_| desk.pick(id, false)
            >
                <i class="swatch"></i>
                <span class="label-cat__name">{name.clone()}</span>
                {cat.key.map(|k| view! { <kbd class="kbd">{k.to_string()}</kbd> })}
            </button>
            <span class="label-acts" class:is-set=move || hidden.get() || locked.get()>
                <Toggle label=hide on=hidden glyphs=(Glyph::Eye, Glyph::EyeOff) click=move || {
                    desk.edit(|e| e.toggle_category_hidden(id));
                }/>
                <Toggle label=lock on=locked glyphs=(Glyph::Unlock, Glyph::Lock) click=move || {
                    desk.edit(|e| e.toggle_category_locked(id));
                }/>
            </span>
        </li>
    }
}

/// Reads the layers of the open item, tracked: at every move of the pointer, so keep it in a memo.
pub(super) fn layer(desk: Desk, f: impl FnOnce(&limn_editor::Layers) -> bool) -> bool {
    desk.look_tick.track();
    desk.current.track();
    desk.read(|s| f(s.editor.layers())).unwrap_or(false)
}

/// A small switch at the end of a row.
#[component]
pub(super) fn Toggle(
    label: String,
    on: Memo<bool>,
    glyphs: (Glyph, Glyph),
    click: impl Fn() + Send + Sync + 'static,
) -> impl IntoView {
    view! {
        <button
            class="label-act"
            type="button"
            class:is-on=on
            aria-label=label.clone()
            title=label
            aria-pressed=move || if on.get() { "true" } else { "false" }
            on:click=move |_| click()
        >
            {move || view! { <Icon glyph=if on.get() { glyphs.1 } else { glyphs.0 } size=14/> }}
        </button>
    }
}

/// Categories of the whole item, as large buttons.
#[component]
pub fn Choices() -> impl IntoView {
    let desk: Desk = expect_context();
    let query = RwSignal::new(String::new());
    let picked = move || {
        desk.doc_tick.track();
        desk.read(|s| s.editor.doc().whole().map(|a| a.category_id).collect::<Vec<_>>())
            .unwrap_or_default()
    };
    let rows = move || {
        let query = query.get();
        desk.categories.with(|list| {
            if !query.trim().is_empty() {
                return found(list, &query);
            }
            let all: Vec<Category> = list.iter().map(|c| c.category.clone()).collect();
            let shown = branch::shown(&all, desk.branch.get(), &picked());
            list.iter()
                .filter(|c| shown.contains(&c.category.id))
                .cloned()
                .collect()
        })
    };
    // The digits begin at the top with every item.
    Effect::new(move |_| {
        desk.current.track();
        desk.grid.page.track();
        desk.branch.set(None);
    });
    let path = Memo::new(move |_| {
        let open = desk.branch.get()?;
        desk.categories.with(|list| {
            let all: Vec<Category> = list.iter().map(|c| c.category.clone()).collect();
            let name = |id: &CategoryId| all.iter().find(|c| c.id == *id).map(|c| c.name.clone());
            let mut ids = branch::above(&all, open);
            ids.reverse();
            ids.push(open);
            let names: Vec<String> = ids.iter().filter_map(name).collect();
            Some(names.join(" \u{203a} "))
        })
    });
    let single = move || desk.task().takes_one() && !desk.in_grid();
    view! {
        <section class="label-choices" aria-label="Categories">
            <Head query/>
            <Show when=move || path.get().is_some()>
                <p class="label-path" role="status" data-testid="branch">
                    <span><span class="label-path__keys">"Keys for "</span><b>{move || path.get().unwrap_or_default()}</b></span>
                    <button class="label-path__up" type="button" on:click=move |_| {
                        desk.leave_branch();
                    }>
                        "Up "<Kbd>"Esc"</Kbd>
                    </button>
                </p>
            </Show>
            <ul class="label-choices__list">
                <For each=rows key=|c| (c.category.id, c.depth, c.category.name.clone(), c.color.clone(), c.key) let:c>
                    <ChoiceButton cat=c/>
                </For>
            </ul>
            <Show when=single>
                <label class="label-auto">
                    <input
                        type="checkbox"
                        prop:checked=move || desk.auto_submit.get()
                        on:change=move |ev| desk.set_auto_submit(event_target_checked(&ev))
                    />
                    <span>"Submit as soon as I pick"</span>
                </label>
            </Show>
        </section>
    }
}

/// The label of a category on the open item, and the best score of its proposals.
fn whole(desk: Desk, id: CategoryId) -> (bool, Option<f64>) {
    desk.doc_tick.track();
    desk.current.track();
    if desk.in_grid() {
        desk.grid.chosen.track();
        return (desk.targets_have(id), None);
    }
    desk.read(|s| {
        let of: Vec<&Annotation> = s.editor.doc().whole().filter(|a| a.category_id == id).collect();
        let on = of.iter().any(|a| a.source != Source::Prelabel);
        let proposal = of
            .iter()
            .filter(|a| a.source == Source::Prelabel)
            .map(|a| a.score.unwrap_or(0.0));
        (on, proposal.reduce(f64::max))
    })
    .unwrap_or((false, None))
}

#[component]
fn ChoiceButton(cat: Cat) -> impl IntoView {
    let desk: Desk = expect_context();
    let id = cat.category.id;
    let state = Memo::new(move |_| whole(desk, id));
    let on = move || state.get().0;
    let implied = Memo::new(move |_| {
        desk.doc_tick.track();
        desk.current.track();
        let below = |s: &crate::features::label::desk::Sheet| {
            let mut said = s.editor.doc().whole().filter(|a| a.source != Source::Prelabel);
            said.any(|a| s.editor.is_below(a.category_id, id))
        };
        !desk.in_grid() && desk.read(below) == Some(true)
    });
    let digit = {
        let cat = cat.clone();
        move || desk.digit_of(&cat)
    };
    let proposal = move || state.get().1;
    view! {
        <li style:--depth=cat.depth.to_string() style:--swatch=cat.color.clone()>
            <button
                class="label-choice"
                type="button"
                class:is-on=on
                class:is-implied=implied
                class:is-proposed=move || proposal().is_some()
                aria-pressed=move || if on() { "true" } else { "false" }
                on:click=move |_| desk.pick(id, false)
            >
                <i class="swatch"></i>
                <span class="label-cat__name">{cat.category.name.clone()}</span>
                {move || {
                    proposal()
                        .filter(|_| !on())
                        .map(|s| view! { <span class="label-choice__score">{format!("suggested {s:.2}")}</span> })
                }}
                {move || on().then(|| view! { <Icon glyph=Glyph::Check/> })}
                {move || digit().map(|k| view! { <kbd class="kbd">{k.to_string()}</kbd> })}
            </button>
        </li>
    }
}
