//! Ctrl+K: pages, actions, projects and items by name.

use super::api::{self, Found};
use super::help::use_help;
use crate::session::{Session, Theme, use_session};
use crate::ui::{Glyph, Icon, Kbd, use_hotkey};
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use limn_domain::authz::Action;
use std::time::Duration;

/// Opens the palette from anywhere.
#[derive(Debug, Clone, Copy)]
pub struct PaletteHandle {
    pub open: RwSignal<bool>,
}

pub(crate) fn provide_palette() {
    provide_context(PaletteHandle {
        open: RwSignal::new(false),
    });
}

pub fn use_palette() -> PaletteHandle {
    expect_context()
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Act {
    Go(String),
    Theme(Theme),
    Help,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    group: &'static str,
    glyph: Glyph,
    title: String,
    detail: String,
    act: Act,
}

fn entry(group: &'static str, glyph: Glyph, title: &str, act: Act) -> Entry {
    Entry {
        group,
        glyph,
        title: title.to_owned(),
        detail: String::new(),
        act,
    }
}

/// Pages and actions open to this person.
fn fixed(session: Session) -> Vec<Entry> {
    let go = |href: &str| Act::Go(href.to_owned());
    let mut list = vec![
        entry("Go to", Glyph::Home, "Home", go("/")),
        entry("Go to", Glyph::Check, "My queue", go("/queue")),
        entry("Go to", Glyph::Data, "Data", go("/data")),
        entry("Go to", Glyph::Flask, "Experiments", go("/experiments")),
        entry("Go to", Glyph::Cube, "Models", go("/models")),
        entry("Go to", Glyph::Tag, "Data labeling", go("/projects")),
        entry("Go to", Glyph::Activity, "Jobs", go("/jobs")),
    ];
    if session.may(Action::ManagePeople) {
        list.push(entry("Go to", Glyph::People, "People", go("/people")));
    }
    list.push(entry(
        "Go to",
        Glyph::User,
        "Account and API tokens",
        go("/account"),
    ));
    if session.may(Action::CreateProject) {
        list.push(entry("Actions", Glyph::Plus, "New project", go("/projects/new")));
    }
    if session.may(Action::CreateDataset) {
        list.push(entry("Actions", Glyph::Plus, "New dataset", go("/data/new")));
    }
    if session.may(Action::ManagePeople) {
        list.push(entry(
            "Actions",
            Glyph::Mail,
            "Invite somebody",
            go("/people?invite=1"),
        ));
    }
    list.push(entry(
        "Actions",
        Glyph::Sun,
        "Light theme",
        Act::Theme(Theme::Light),
    ));
    list.push(entry(
        "Actions",
        Glyph::Moon,
        "Dark theme",
        Act::Theme(Theme::Dark),
    ));
    list.push(entry(
        "Actions",
        Glyph::Monitor,
        "System theme",
        Act::Theme(Theme::System),
    ));
    list.push(entry("Actions", Glyph::Keyboard, "Keyboard shortcuts", Act::Help));
    list
}

/// How well `text` answers `query`: all its letters in order; word starts and runs count more. `None`: not at all.
fn score(query: &str, text: &str) -> Option<i32> {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let mut at = 0;
    let mut score = 0;
    let mut last = None;
    for q in query.to_lowercase().chars().filter(|c| !c.is_whitespace()) {
        let found = (at..text.len()).find(|i| text[*i] == q)?;
        let starts_word = found == 0 || !text[found - 1].is_alphanumeric();
        score += if last == found.checked_sub(1) && found > 0 {
            5
        } else if starts_word {
            4
        } else {
            1
        };
        last = Some(found);
        at = found + 1;
    }
    Some(score * 10 - i32::try_from(text.len()).unwrap_or(i32::MAX).min(200))
}

fn from_found(f: Found) -> Entry {
    let (group, glyph) = match f.kind.as_str() {
        "project" => ("Projects", Glyph::Tag),
        "dataset" => ("Datasets", Glyph::Data),
        _ => ("Items", Glyph::Image),
    };
    Entry {
        group,
        glyph,
        title: f.title,
        detail: f.detail,
        act: Act::Go(f.href),
    }
}

#[component]
pub fn Palette() -> impl IntoView {
    let open = use_palette().open;
    use_hotkey("Ctrl+k", "Search or jump to", move || open.update(|o| *o = !*o));
    let node = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let open = open.get();
        if let Some(dialog) = node.get() {
            request_animation_frame(move || {
                if open && !dialog.open() {
                    let _ = dialog.show_modal();
                } else if !open && dialog.open() {
                    dialog.close();
                }
            });
        }
    });
    view! {
        <dialog
            node_ref=node
            class="palette-dialog"
            aria-label="Search or jump to"
            on:close=move |_| open.set(false)
            on:mousedown=move |ev| {
                if ev.target().is_some_and(|t| Some(t) == ev.current_target()) {
                    open.set(false);
                }
            }
        >
            <Show when=move || open.get()>
                <Finder open/>
            </Show>
        </dialog>
    }
}

#[component]
fn Finder(open: RwSignal<bool>) -> impl IntoView {
    let session = use_session();
    let help = use_help();
    let navigate = use_navigate();
    let text = RwSignal::new(String::new());
    let found = RwSignal::new(Vec::<Entry>::new());
    let searching = RwSignal::new(false);
    let at = RwSignal::new(0_usize);
    let pages = fixed(session);
    let entries = Memo::new(move |_| {
        let query = text.get();
        let query = query.trim();
        let mut list: Vec<(i32, Entry)> = pages
            .iter()
            .filter_map(|e| {
                if query.is_empty() {
                    Some((0, e.clone()))
                } else {
                    Some((score(query, &e.title)?, e.clone()))
                }
            })
            .collect();
        list.sort_by_key(|(s, e)| (e.group != "Go to", -s));
        let mut list: Vec<Entry> = list.into_iter().map(|(_, e)| e).collect();
        list.extend(found.get());
        list
    });
    let round = StoredValue::new(0_u32);
    let search = move || {
        at.set(0);
        let this = round.get_value() + 1;
        round.set_value(this);
        let query = text.get_untracked().trim().to_owned();
        if query.is_empty() {
            found.set(Vec::new());
            searching.set(false);
            return;
        }
        searching.set(true);
        set_timeout(
            move || {
                if round.try_get_value() != Some(this) {
                    return;
                }
                spawn_local(async move {
                    let hits = api::search(query).await.unwrap_or_default();
                    if round.try_get_value() == Some(this) {
                        found.set(hits.into_iter().map(from_found).collect());
                        searching.set(false);
                    }
                });
            },
            Duration::from_millis(150),
        );
    };
    let choose = Callback::new(move |i: usize| {
        let Some(chosen) = entries.with_untracked(|e| e.get(i).cloned()) else {
            return;
        };
        open.set(false);
        match chosen.act {
            Act::Go(href) => navigate(&href, NavigateOptions::default()),
            Act::Theme(theme) => session.set_theme(theme),
            Act::Help => help.set(true),
        }
    });
    let step = move |by: isize| {
        let n = entries.with_untracked(Vec::len);
        if n > 0 {
            at.update(|a| *a = (*a as isize + by).rem_euclid(n as isize) as usize);
            let id = format!("palette-{}", at.get_untracked());
            if let Some(row) = document().get_element_by_id(&id) {
                let options = web_sys::ScrollIntoViewOptions::new();
                options.set_block(web_sys::ScrollLogicalPosition::Nearest);
                row.scroll_into_view_with_scroll_into_view_options(&options);
            }
        }
    };
    view! {
        <div class="palette-box">
            <div class="palette-box__head">
                <Icon glyph=Glyph::Search/>
                <input
                    class="palette-box__input"
                    type="text"
                    role="combobox"
                    aria-expanded="true"
                    aria-controls="palette-list"
                    aria-autocomplete="list"
                    aria-label="Search or jump to"
                    aria-activedescendant=move || format!("palette-{}", at.get())
                    placeholder="Search or jump to"
                    autocomplete="off"
                    spellcheck="false"
                    autofocus
                    prop:value=move || text.get()
                    on:input=move |ev| {
                        text.set(event_target_value(&ev));
                        search();
                    }
                    on:keydown=move |ev| {
                        match ev.key().as_str() {
                            "ArrowDown" => step(1),
                            "ArrowUp" => step(-1),
                            "Enter" if !ev.is_composing() => choose.run(at.get_untracked()),
                            _ => return,
                        }
                        ev.prevent_default();
                    }
                />
                <Kbd>"Esc"</Kbd>
            </div>
            <div class="palette-box__list" id="palette-list" role="listbox" aria-label="Results">
                {move || {
                    let list = entries.get();
                    let mut group = "";
                    list.into_iter()
                        .enumerate()
                        .map(|(i, e)| {
                            let heading = (e.group != group).then_some(e.group);
                            group = e.group;
                            view! {
                                {heading.map(|h| view! { <div class="palette-box__group" role="presentation">{h}</div> })}
                                <div
                                    class="palette-box__row"
                                    id=format!("palette-{i}")
                                    role="option"
                                    aria-selected=move || if at.get() == i { "true" } else { "false" }
                                    on:mousemove=move |_| {
                                        if at.get_untracked() != i {
                                            at.set(i);
                                        }
                                    }
                                    on:click=move |_| choose.run(i)
                                >
                                    <Icon glyph=e.glyph/>
                                    <span class="palette-box__title">{e.title}</span>
                                    <span class="palette-box__detail">{e.detail}</span>
                                </div>
                            }
                        })
                        .collect_view()
                }}
            </div>
            <Show when=move || entries.with(Vec::is_empty)>
                <p class="palette-box__none">
                    {move || if searching.get() { "Searching" } else { "Nothing found. Try part of a project's or an item's name." }}
                </p>
            </Show>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::score;

    #[test]
    fn letters_in_order_find_words() {
        assert!(score("np", "New project").is_some());
        assert!(score("pn", "New project").is_none());
        assert!(score("new", "New project") > score("new", "Items need work"));
    }
}
