//! Filters and sort of the items page; their state is the URL.

use super::super::api;
use super::super::layout::ProjectCtx;
use super::filter::{self, SORTS, parse_sort, sort_name};
use crate::data::use_load;
use crate::fmt;
use crate::ui::{Glyph, Select, TextInput, debounce};
use leptos::prelude::*;
use limn_domain::category::Category;
use limn_domain::item::{ItemQuery, ItemStatus};
use std::time::Duration;

/// Waits for a pause in typing before it searches.
const TYPING_PAUSE: Duration = Duration::from_millis(250);

#[component]
pub fn Toolbar(
    ctx: ProjectCtx,
    query: Memo<ItemQuery>,
    change: Callback<ItemQuery>,
    /// Items that match, once known.
    total: RwSignal<Option<usize>>,
) -> impl IntoView {
    let text = RwSignal::new(query.with_untracked(|q| q.text.clone().unwrap_or_default()));
    let category = RwSignal::new(String::new());
    let annotator = RwSignal::new(String::new());
    let sort = RwSignal::new(String::new());
    let follow = move |q: &ItemQuery| {
        category.set(q.category_id.map(|c| c.to_string()).unwrap_or_default());
        annotator.set(q.annotator_id.map(|u| u.to_string()).unwrap_or_default());
        sort.set(sort_name(q.sort).to_owned());
        let now = q.text.clone().unwrap_or_default();
        if text.with_untracked(|t| t.trim() != now) {
            text.set(now);
        }
    };
    query.with_untracked(follow);
    Effect::new(move |_| query.with(follow));

    let update = move |f: &dyn Fn(&mut ItemQuery)| {
        let mut q = query.get_untracked();
        f(&mut q);
        if q != query.get_untracked() {
            change.run(q);
        }
    };
    let search = debounce(TYPING_PAUSE, move |typed: String| {
        let typed = typed.trim().to_owned();
        update(&|q| q.text = (!typed.is_empty()).then(|| typed.clone()));
    });
    let mut search = search;
    Effect::new(move |before: Option<String>| {
        let now = text.get();
        if before.is_some_and(|b| b != now) {
            search(now.clone());
        }
        now
    });

    let categories = Memo::new(move |_| {
        let mut all = vec![(String::new(), "Any category".to_owned())];
        all.extend(ctx.categories.with(|c| tree_names(c)));
        all
    });
    let members = use_load(|| (), move |()| api::member_list(ctx.id));
    let people = Signal::derive(move || {
        let mut all = vec![(String::new(), "Anybody".to_owned())];
        if let Some(Ok(list)) = members.get() {
            all.extend(list.into_iter().map(|m| (m.user_id.to_string(), m.name)));
        }
        all
    });
    let sorts: Vec<(String, String)> = SORTS
        .iter()
        .map(|(s, t)| (sort_name(*s).to_owned(), (*t).to_owned()))
        .collect();
    let status = move |s: Option<ItemStatus>, label: &'static str| {
        view! {
            <button
                type="button"
                aria-pressed=move || if query.with(|q| q.status == s) { "true" } else { "false" }
                on:click=move |_| update(&|q| q.status = s)
            >
                {label}
            </button>
        }
    };
    view! {
        <div class="items-bar" role="search" aria-label="Filter items">
            <div class="items-bar__search">
                <TextInput value=text kind="search" icon=Glyph::Search placeholder="Search by name" label="Search by name"/>
            </div>
            <div class="items-seg" role="group" aria-label="Status">
                {status(None, "All")}
                {ItemStatus::ALL.map(|s| status(Some(s), s.label())).collect_view()}
            </div>
            <Select
                value=category
                options=categories
                label="Category"
                on_change=Callback::new(move |v: String| update(&|q| q.category_id = v.parse().ok()))
            />
            <Suspense>
                <Select
                    value=annotator
                    options=people
                    label="Labeled by"
                    on_change=Callback::new(move |v: String| update(&|q| q.annotator_id = v.parse().ok()))
                />
            </Suspense>
            <Select
                value=sort
                options=sorts
                label="Sort"
                on_change=Callback::new(move |v: String| update(&|q| q.sort = parse_sort(&v)))
            />
            <span class="items-bar__count" role="status">
                {move || total.get().map(|n| {
                    let items = fmt::counted(n as i64, "item", "items");
                    if query.with(filter::is_filtered) { format!("{items} found") } else { items }
                })}
            </span>
        </div>
    }
}

/// Category names indented by their level, for a list to choose from.
pub fn tree_names(categories: &[Category]) -> Vec<(String, String)> {
    let mut levels = std::collections::HashMap::new();
    categories
        .iter()
        .map(|c| {
            let level = c
                .parent_id
                .and_then(|p| levels.get(&p))
                .map_or(0, |l: &usize| l + 1);
            levels.insert(c.id, level);
            (
                c.id.to_string(),
                format!("{}{}", "\u{2003}".repeat(level), c.name),
            )
        })
        .collect()
}
