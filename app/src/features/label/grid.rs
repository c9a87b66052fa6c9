//! The page of several items: its bar and its cells.

use super::desk::{Desk, Pick, SIZES, columns};
use crate::ui::{Button, ButtonSize, Glyph, Icon, Variant};
use leptos::html;
use leptos::prelude::*;
use limn_domain::ItemId;
use limn_domain::project::Task;
use limn_editor::Action;

/// Up to so many items of a page are shown by the larger picture.
const LARGE: usize = 9;

#[component]
pub fn Grid() -> impl IntoView {
    let desk: Desk = expect_context();
    let size = move || desk.grid.size.get().unwrap_or(SIZES[0]);
    let done = Memo::new(move |_| {
        desk.grid.tick.track();
        let page = desk.grid.page.get();
        let with = page
            .iter()
            .filter(|id| desk.tags(**id).iter().any(|t| t.score.is_none()))
            .count();
        (with, page.len())
    });
    let proposals = move || {
        desk.grid.tick.track();
        desk.grid.page.with(|p| {
            p.iter()
                .any(|id| desk.tags(*id).iter().any(|t| t.score.is_some()))
        })
    };
    let chosen = move || desk.grid.chosen.with(|c| c.len());
    let rest = move || desk.task() == Task::Multilabel && done.get().0 < done.get().1;
    view! {
        <div class="label-grid">
            <div class="label-grid__bar">
                <span class="label-grid__sizes" role="group" aria-label="Items on a page">
                    <button
                        type="button"
                        aria-label="One item at a time"
                        title="One item at a time"
                        on:click=move |_| desk.set_grid(None)
                    >
                        "1"
                    </button>
                    {SIZES
                        .into_iter()
                        .map(|n| {
                            let on = move || size() == n;
                            view! {
                                <button
                                    type="button"
                                    class:is-on=on
                                    aria-pressed=move || if on() { "true" } else { "false" }
                                    aria-label=format!("{n} items on a page")
                                    on:click=move |_| desk.set_grid(Some(n))
                                >
                                    {n}
                                </button>
                            }
                        })
                        .collect_view()}
                </span>
                <span class="label-grid__count num" data-testid="grid-count">
                    {move || {
                        let (with, all) = done.get();
                        let said = format!("{with} of {all} labeled");
                        match chosen() {
                            0 => said,
                            n => format!("{said}, {n} chosen"),
                        }
                    }}
                </span>
                <span class="grow"></span>
                <Show when=proposals>
                    <Button size=ButtonSize::Small kbd="G" icon=Glyph::Spark on_click=move || { desk.act(Action::AcceptAll); }>
                        "Accept suggestions"
                    </Button>
                    <Button size=ButtonSize::Small variant=Variant::Quiet kbd="Shift+Del" on_click=move || { desk.act(Action::RejectAll); }>
                        "Reject them"
                    </Button>
                </Show>
                <Button size=ButtonSize::Small variant=Variant::Quiet on_click=move || { desk.act(Action::SelectAll); }>
                    "Choose all"
                </Button>
                <Show when=rest>
                    <Button size=ButtonSize::Small variant=Variant::Quiet on_click=move || desk.submit_page(true)>
                        "Submit all"
                    </Button>
                </Show>
            </div>
            <div
                class="label-grid__cells"
                role="listbox"
                aria-label="Items of this page"
                aria-multiselectable="true"
                style:--cols=move || columns(size()).to_string()
            >
                <For each=move || desk.grid.page.get() key=|id| *id let:id>
                    <Cell id/>
                </For>
            </div>
        </div>
    }
}

#[component]
fn Cell(id: ItemId) -> impl IntoView {
    let desk: Desk = expect_context();
    let cell = NodeRef::<html::Div>::new();
    let name = desk.sheet(id, |s| s.item.name.clone()).unwrap_or_default();
    let chosen = move || desk.grid.chosen.with(|c| c.contains(&id));
    let focused = Memo::new(move |_| desk.current.get() == Some(id));
    // The focus of the page follows, unless somebody types.
    Effect::new(move |before: Option<bool>| {
        let now = focused.get();
        if now
            && before == Some(false)
            && let Some(el) = cell.get_untracked()
        {
            let _ = el.focus();
        }
        now
    });
    let tags = Memo::new(move |_| {
        desk.grid.tick.track();
        desk.categories.track();
        desk.tags(id)
    });
    let src = move || {
        let large = desk.grid.size.get().is_some_and(|n| n <= LARGE);
        format!("/media/items/{id}/{}", if large { "screen" } else { "thumb" })
    };
    let spoken = {
        let name = name.clone();
        move || {
            let said = tags.with(|t| {
                let names: Vec<String> = t
                    .iter()
                    .map(|t| match t.score {
                        Some(s) => format!("suggested {} {s:.2}", t.name),
                        None => t.name.clone(),
                    })
                    .collect();
                names.join(", ")
            });
            if said.is_empty() {
                format!("{name}, no category")
            } else {
                format!("{name}, {said}")
            }
        }
    };
    let click = move |ev: web_sys::MouseEvent| {
        desk.note_activity();
        let touch = wasm_bindgen::JsCast::dyn_ref::<web_sys::PointerEvent>(&ev)
            .is_some_and(|p| p.pointer_type() == "touch");
        let pick = if ev.shift_key() {
            Pick::Range
        } else if ev.ctrl_key() || ev.meta_key() || touch {
            Pick::Toggle
        } else {
            Pick::Only
        };
        desk.focus(id, pick);
    };
    let open = move || {
        desk.focus(id, Pick::Move);
        desk.set_grid(None);
    };
    view! {
        <div
            node_ref=cell
            class="label-cell"
            class:is-chosen=chosen
            class:is-focus=focused
            class:is-labeled=move || tags.with(|t| t.iter().any(|t| t.score.is_none()))
            role="option"
            tabindex=move || if focused.get() { "0" } else { "-1" }
            aria-selected=move || if chosen() { "true" } else { "false" }
            aria-label=spoken
            data-testid="cell"
            data-id=id.to_string()
            on:click=click
            on:dblclick=move |_| open()
        >
            <img src=src alt="" decoding="async" draggable="false"/>
            <span class="label-cell__tags">
                {move || {
                    tags.get()
                        .into_iter()
                        .map(|t| view! {
                            <span class="label-cell__tag" class:is-proposed=t.score.is_some() style:--swatch=t.color>
                                <i class="swatch"></i>
                                {t.name}
                                {t.score.map(|s| view! { <small class="num">{format!("{s:.2}")}</small> })}
                            </span>
                        })
                        .collect_view()
                }}
            </span>
            <Show when=chosen>
                <span class="label-cell__check"><Icon glyph=Glyph::Check size=14/></span>
            </Show>
            <span class="label-cell__name">{name}</span>
        </div>
    }
}
