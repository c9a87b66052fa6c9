//! What a question is made of beside its filters: part of a name, and the order.

use super::{Filters, days, edit};
use crate::ui::{Glyph, Icon, Select, TextInput, debounce};
use leptos::prelude::*;
use limn_domain::explore::{BY_PATH, ExploreQuery};
use std::time::Duration;

const TYPING_PAUSE: Duration = Duration::from_millis(250);
/// The order of likeness, in the list of orders.
const BY_LIKENESS: &str = "like";

/// What is asked, above everything: the search, whose `label` says what it looks in, and `children` beside it. A phone keeps those
/// behind a button, so that what was found is on the screen too.
#[component]
pub fn Tools(of: Filters, label: &'static str, children: Children) -> impl IntoView {
    let shows = RwSignal::new(false);
    view! {
        <div class="toolbar explore__tools" class:is-open=move || shows.get()>
            <Search of label/>
            <button
                type="button"
                class="btn explore__more"
                aria-expanded=move || shows.get().to_string()
                aria-controls="explore-options"
                on:click=move |_| shows.update(|s| *s = !*s)
            >
                <Icon glyph=Glyph::Sliders/>"Options"
            </button>
            <div class="explore__options" id="explore-options">{children()}</div>
        </div>
    }
}

/// Part of a name, asked for when typing pauses.
#[component]
fn Search(of: Filters, label: &'static str) -> impl IntoView {
    let text = RwSignal::new(of.query.with_untracked(|q| q.filter.text.clone()));
    Effect::new(move |_| {
        let now = of.query.with(|q| q.filter.text.clone());
        if text.with_untracked(|t| t.trim() != now) {
            text.set(now);
        }
    });
    let mut search = debounce(TYPING_PAUSE, move |typed: String| {
        edit(of.query, of.change, |f| typed.trim().clone_into(&mut f.text));
    });
    Effect::new(move |before: Option<String>| {
        let now = text.get();
        if before.is_some_and(|b| b != now) {
            search(now.clone());
        }
        now
    });
    view! {
        <div class="toolbar__search">
            <TextInput value=text icon=Glyph::Search placeholder=label label=label/>
        </div>
    }
}

/// `first` names the order of names: "By path".
#[component]
pub fn Order(of: Filters, first: &'static str) -> impl IntoView {
    let sort = RwSignal::new(of.query.with_untracked(sort_text));
    Effect::new(move |_| {
        let now = of.query.with(sort_text);
        if sort.with_untracked(|s| *s != now) {
            sort.set(now);
        }
    });
    Effect::new(move |before: Option<String>| {
        let now = sort.get();
        if before.is_some_and(|b| b != now) {
            let (column, down) = now.split_once(' ').unwrap_or((BY_PATH, "up"));
            if column == BY_LIKENESS {
                return now;
            }
            let mut q = of.query.get_untracked();
            q.like = None;
            q.sort = (column != BY_PATH).then(|| column.to_owned());
            q.descending = down == "down";
            if q != of.query.get_untracked() {
                of.change.run(q);
            }
        }
        now
    });
    let sorts = Signal::derive(move || {
        let mut all = vec![
            (format!("{BY_PATH} up"), first.to_owned()),
            (format!("{BY_PATH} down"), format!("{first}, last first")),
        ];
        of.columns.with(|columns| {
            for c in columns {
                let (most, least) = if days::is_time(c) {
                    ("latest first", "earliest first")
                } else {
                    ("most first", "least first")
                };
                all.push((format!("{} down", c.name), format!("{}, {most}", c.label)));
                all.push((format!("{} up", c.name), format!("{}, {least}", c.label)));
            }
        });
        let now = of.query.with(sort_text);
        if of.query.with(|q| q.like.is_some()) {
            all.insert(0, (now.clone(), "Most alike first".to_owned()));
        }
        // One that is set stays one of them.
        if !all.iter().any(|(v, _)| *v == now) {
            all.push((now.clone(), now));
        }
        all
    });
    view! { <Select value=sort options=sorts label="Order"/> }
}

fn sort_text(q: &ExploreQuery) -> String {
    if q.like.is_some() {
        return format!("{BY_LIKENESS} up");
    }
    let column = q.sort.as_deref().unwrap_or(BY_PATH);
    format!("{column} {}", if q.descending { "down" } else { "up" })
}
