//! The virtualised grid: only what is on the screen is in the page, however many items there are.

use super::super::layout::ProjectCtx;
use super::alike::{self, Like};
use super::bulk::BulkBar;
use super::pages::{Pages, Row};
use super::selection::Selection;
use super::thumb::Thumb;
use super::window::{Layout, step};
use crate::fmt;
use crate::ui::{ErrorView, Kbd, Tone, is_typing};
use leptos::html;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use limn_domain::Page;
use limn_domain::authz::Action;
use limn_domain::item::{Item, ItemQuery, ItemStatus, ItemWithAnnotations};
use wasm_bindgen::JsCast;

/// Items in the page before its width is known.
const FIRST: usize = 24;
/// Space kept between the active item and the edge of the screen.
const MARGIN: f64 = 72.0;

#[derive(Clone, Copy)]
struct GridState {
    ctx: ProjectCtx,
    pages: Pages,
    layout: RwSignal<Option<Layout>>,
    range: RwSignal<(usize, usize)>,
    active: RwSignal<usize>,
    selection: RwSignal<Selection>,
    may_select: bool,
    /// Shows those like an item, where items can be compared.
    like: Option<Callback<Row>>,
}

#[component]
pub fn Grid(
    ctx: ProjectCtx,
    query: ItemQuery,
    first: Page<ItemWithAnnotations>,
    total: RwSignal<Option<usize>>,
) -> impl IntoView {
    let filter = StoredValue::new(query.clone());
    let pages = Pages::new(ctx.id, query, first);
    let navigate = use_navigate();
    let like = Callback::new(move |row: Row| {
        // A video is not looked at.
        if row.item.frames().is_none() {
            navigate(&alike::href(ctx, row.item.id), NavigateOptions::default());
        }
    });
    let state = GridState {
        ctx,
        pages,
        layout: RwSignal::new(None),
        range: RwSignal::new((0, pages.total.get_untracked().min(FIRST))),
        active: RwSignal::new(0),
        selection: RwSignal::new(Selection::default()),
        may_select: ctx
            .project
            .with_untracked(|p| limn_domain::authz::allowed(p.summary.my_role, Action::ManageItems)),
        like: alike::compares(ctx).then_some(like),
    };
    let node = NodeRef::<html::Ul>::new();
    watch_screen(node, state);
    Effect::new(move |_| total.set(Some(pages.total.get())));
    on_cleanup(move || {
        total.try_set(None);
    });
    // Files came in, or a bulk action changed things elsewhere.
    Effect::new(move |before: Option<u32>| {
        let now = ctx.uploader.version.get();
        if before.is_some_and(|b| b != now) {
            pages.reload();
        }
        now
    });

    let padding = move || {
        let n = pages.total.get();
        let (from, to) = state.range.get();
        state.layout.get().map_or((0.0, 0.0), |l| l.padding(from, to, n))
    };
    let changed = Callback::new(move |()| {
        state.selection.update(Selection::clear);
        pages.reload();
        ctx.reload();
    });
    view! {
        {move || pages.error.get().map(|error| view! { <ErrorView error retry=move || pages.retry()/> })}
        <ul
            node_ref=node
            class="items-grid"
            class:has-picked=move || !state.selection.with(Selection::is_empty)
            aria-label="Items"
            style:padding-top=move || format!("{:.1}px", padding().0)
            style:padding-bottom=move || format!("{:.1}px", padding().1)
            on:keydown=move |ev| on_key(&ev, state, node)
        >
            <For each=move || { let (from, to) = state.range.get(); from..to } key=|i| *i let:index>
                <Cell state index/>
            </For>
        </ul>
        {(state.may_select || state.like.is_some()).then(|| view! {
            <p class="items-hint">
                <span><Kbd>"Enter"</Kbd>"open"</span>
                {state.like.map(|_| view! { <span><Kbd>"S"</Kbd>"those that look alike"</span> })}
                {state.may_select.then(|| view! {
                    <span><Kbd>"Space"</Kbd>"select"</span>
                    <span><Kbd>"Shift"</Kbd>"click for a range"</span>
                    <span><Kbd>"Ctrl"</Kbd><Kbd>"A"</Kbd>"select all that match"</span>
                })}
            </p>
        })}
        <BulkBar ctx filter selection=state.selection total=pages.total changed/>
    }
}

/// Measures after the first paint, and whenever the window scrolls or changes its size.
fn watch_screen(node: NodeRef<html::Ul>, state: GridState) {
    let waiting = StoredValue::new(false);
    let look = move || {
        if waiting.try_get_value() == Some(false) {
            waiting.set_value(true);
            request_animation_frame(move || {
                if waiting.try_set_value(false).is_none() {
                    measure(node, state);
                }
            });
        }
    };
    let handles = StoredValue::new(Vec::new());
    Effect::new(move |_| {
        node.track();
        look();
        if handles.with_value(Vec::is_empty) {
            handles.set_value(vec![
                window_event_listener(leptos::ev::scroll, move |_| look()),
                window_event_listener(leptos::ev::resize, move |_| look()),
            ]);
        }
    });
    Effect::new(move |_| {
        state.pages.total.track();
        look();
    });
    on_cleanup(move || {
        for handle in handles.try_update_value(std::mem::take).unwrap_or_default() {
            handle.remove();
        }
    });
}

fn screen() -> (f64, f64) {
    let number = |v: Result<wasm_bindgen::JsValue, _>| v.ok().and_then(|v| v.as_f64()).unwrap_or(0.0);
    (number(window().inner_width()), number(window().inner_height()))
}

fn measure(node: NodeRef<html::Ul>, state: GridState) {
    let Some(list) = node.get_untracked() else { return };
    let rect = list.get_bounding_client_rect();
    let (screen_width, view) = screen();
    if rect.width() < 1.0 {
        return;
    }
    let layout = Layout::new(rect.width(), screen_width <= 700.0);
    let range = layout.visible(-rect.top(), view, state.pages.total.get_untracked());
    if state.layout.get_untracked() != Some(layout) {
        state.layout.set(Some(layout));
    }
    if state.range.get_untracked() != range {
        state.range.set(range);
    }
    state.pages.need(range.0, range.1);
}

/// Makes an item the active one: scrolls it onto the screen and focuses it once it is in the page.
fn go(index: usize, state: GridState, node: NodeRef<html::Ul>) {
    state.active.set(index);
    let (Some(list), Some(layout)) = (node.get_untracked(), state.layout.get_untracked()) else {
        return;
    };
    let top = list.get_bounding_client_rect().top() + layout.top_of(index);
    let bottom = top + layout.row_height;
    let (_, view) = screen();
    let by = if top < MARGIN {
        top - MARGIN
    } else if bottom > view - MARGIN {
        bottom - view + MARGIN
    } else {
        0.0
    };
    if by != 0.0 {
        window().scroll_by_with_x_and_y(0.0, by);
        measure(node, state);
    }
    focus_soon(index, 6);
}

fn focus_soon(index: usize, tries: u8) {
    request_animation_frame(move || {
        let link = document()
            .get_element_by_id(&format!("item-{index}"))
            .and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok());
        match link {
            Some(link) => {
                let _ = link.focus();
            }
            None if tries > 0 => focus_soon(index, tries - 1),
            None => {}
        }
    });
}

fn on_key(ev: &web_sys::KeyboardEvent, state: GridState, node: NodeRef<html::Ul>) {
    if is_typing(ev) || ev.alt_key() {
        return;
    }
    let key = ev.key();
    let at = state.active.get_untracked();
    let command = ev.ctrl_key() || ev.meta_key();
    match key.as_str() {
        "a" | "A" if command && state.may_select => state.selection.update(Selection::select_all),
        "Escape" if !state.selection.with_untracked(Selection::is_empty) => {
            state.selection.update(Selection::clear);
        }
        " " if state.may_select => {
            if ev.shift_key() {
                pick_range(at, state);
            } else {
                pick(at, state);
            }
        }
        _ if command => return,
        "s" | "S" if state.like.is_some() => {
            if let (Some(like), Some(row)) = (state.like, state.pages.peek(at)) {
                like.run(row);
            }
        }
        _ => {
            let Some(layout) = state.layout.get_untracked() else {
                return;
            };
            let rows = (screen().1 / layout.row_height).floor().max(1.0) as usize;
            let total = state.pages.total.get_untracked();
            let Some(to) = step(&key, at, layout.columns, rows, total) else {
                return;
            };
            go(to, state, node);
            if ev.shift_key() && state.may_select {
                pick_range(to, state);
            }
        }
    }
    ev.prevent_default();
}

fn pick(index: usize, state: GridState) {
    if let Some(row) = state.pages.peek(index) {
        state.selection.update(|s| s.toggle(index, row.item.id));
    }
}

fn pick_range(index: usize, state: GridState) {
    let range = state.selection.with_untracked(|s| s.range(index));
    let ids: Vec<_> = range
        .filter_map(|i| state.pages.peek(i))
        .map(|r| r.item.id)
        .collect();
    state.selection.update(|s| s.extend(ids));
}

#[component]
fn Cell(state: GridState, index: usize) -> impl IntoView {
    let row: Memo<Option<Row>> = Memo::new(move |_| state.pages.get(index));
    move || match row.get() {
        Some(row) => view! { <Filled state index row/> }.into_any(),
        None => view! { <Blank/> }.into_any(),
    }
}

/// The place of an item that is on its way.
#[component]
pub fn Blank() -> impl IntoView {
    view! {
        <li class="items-cell items-cell--blank" aria-hidden="true">
            <span class="thumb"></span>
            <span class="items-cell__caption"><span class="items-cell__name"></span></span>
        </li>
    }
}

#[component]
fn Filled(state: GridState, index: usize, row: Row) -> impl IntoView {
    let id = row.item.id;
    let name = row.item.name.clone();
    let href = state.ctx.href(&format!("/label/{id}"));
    let item = row.item.clone();
    let picked = Memo::new(move |_| state.selection.with(|s| s.contains(id)));
    let active = Memo::new(move |_| state.active.get() == index);
    view! {
        <li
            class="items-cell"
            class:is-picked=move || picked.get()
            aria-setsize=move || state.pages.total.get().to_string()
            aria-posinset=(index + 1).to_string()
        >
            {state.may_select.then(|| view! {
                <label class="items-cell__pick">
                    <input
                        type="checkbox"
                        tabindex="-1"
                        aria-label=format!("Select {name}")
                        prop:checked=move || picked.get()
                        on:click=move |ev| {
                            if ev.shift_key() {
                                pick_range(index, state);
                            } else {
                                pick(index, state);
                            }
                        }
                    />
                </label>
            })}
            <a
                class="items-cell__link"
                id=format!("item-{index}")
                href=href
                title=name.clone()
                tabindex=move || if active.get() { "0" } else { "-1" }
                on:focus=move |_| state.active.set(index)
                on:click=move |ev| {
                    let command = ev.ctrl_key() || ev.meta_key();
                    let picking = !state.selection.with_untracked(Selection::is_empty);
                    if !state.may_select || (!ev.shift_key() && !command && !picking) {
                        return;
                    }
                    ev.prevent_default();
                    if ev.shift_key() {
                        pick_range(index, state);
                    } else {
                        pick(index, state);
                    }
                }
            >
                <Thumb row=row.clone() palette=state.ctx.palette/>
                <Caption item=item.clone()/>
            </a>
            <Like ctx=state.ctx item no_stop=true/>
        </li>
    }
}

/// Name and state of an item, below its picture. `far`: how much it is like another one.
#[component]
pub fn Caption(item: Item, #[prop(optional, into)] far: Option<String>) -> impl IntoView {
    let short = item.name.rsplit('/').next().unwrap_or(&item.name).to_owned();
    let (tone, words) = describe(&item);
    view! {
        <span class="items-cell__caption">
            <span class="items-cell__name">{short}</span>
            {far.map(|far| view! { <span class="items-cell__far num">{far}</span> })}
            <span class="items-cell__meta">
                <i class="dot" style=format!("background:{}", tone.color())></i>
                {words}
            </span>
        </span>
    }
}

/// Colour and words of an item's state.
pub fn describe(item: &Item) -> (Tone, String) {
    let labels = fmt::counted(item.annotation_count, "label", "labels");
    match item.status {
        ItemStatus::Done => (Tone::Ok, format!("Done, {labels}")),
        ItemStatus::Skipped => (
            Tone::Bad,
            item.skip_reason
                .as_ref()
                .map_or_else(|| "Skipped".to_owned(), |r| format!("Skipped: {r}")),
        ),
        ItemStatus::Todo if item.leased_by.is_some() => (Tone::Accent, "Being labeled".to_owned()),
        ItemStatus::Todo if item.prelabel_count > 0 => (
            Tone::Warn,
            format!(
                "To do, {}",
                fmt::counted(item.prelabel_count, "proposal", "proposals")
            ),
        ),
        ItemStatus::Todo if item.annotation_count > 0 => (Tone::Neutral, format!("To do, {labels}")),
        ItemStatus::Todo => (Tone::Neutral, "To do".to_owned()),
    }
}
