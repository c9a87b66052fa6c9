//! The files that pass, as a grid or a table, page after page.

use super::super::api;
use super::super::shape::{Colors, Thumb, file_url};
use super::similar::{Distance, Like};
use super::{Explorer, PAGE, asked};
use crate::data::use_load;
use crate::fmt;
use crate::ui::{Button, Chip, Table, use_toasts};
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::dataset::{Entry, Split};
use limn_domain::explore::{ExploreAnswer, ExploreQuery};
use std::collections::BTreeSet;

#[component]
pub fn Results(e: Explorer, as_table: Signal<bool>) -> impl IntoView {
    let rows = e.rows;
    let id = e.version;
    let schema = use_load(move || id, api::version_schema);
    let colors = Signal::derive(move || match schema.get() {
        Some(Ok(s)) => s
            .categories
            .into_iter()
            .map(|c| (c.id, c.color))
            .collect::<Colors>(),
        _ => Colors::new(),
    });
    let busy = RwSignal::new(false);
    let toasts = use_toasts();
    let more = move || {
        busy.set(true);
        let query = e.query.get_untracked();
        let wanted = ExploreQuery {
            offset: rows.with_untracked(Vec::len) as i64,
            rows_only: true,
            ..asked(query.clone())
        };
        spawn_local(async move {
            let answer = api::version_explore(e.version, wanted).await;
            if busy.try_set(false).is_some() || e.query.try_get_untracked() != Some(query) {
                return;
            }
            match answer {
                Ok(ExploreAnswer { page: Some(page), .. }) => {
                    e.tags.try_update(|t| t.extend(page.tags));
                    e.distances.try_update(|d| d.extend(page.distances));
                    rows.try_update(|r| r.extend(page.rows));
                }
                Ok(_) => {}
                Err(error) => toasts.error(&error),
            }
        });
    };
    let last = StoredValue::new(None::<String>);
    // With shift, everything from the one before.
    let pick = Callback::new(move |(path, range): (String, bool)| {
        let on = !e.selected.with_untracked(|s| s.contains(&path));
        let paths = rows.with_untracked(|rows| {
            let place = |p: &str| rows.iter().position(|r| r.path == p);
            let from = last.get_value().filter(|_| range).and_then(|p| place(&p));
            match (from, place(&path)) {
                (Some(a), Some(b)) => rows[a.min(b)..=a.max(b)].iter().map(|r| r.path.clone()).collect(),
                _ => vec![path.clone()],
            }
        });
        e.selected.update(|s| {
            for p in paths {
                if on {
                    s.insert(p);
                } else {
                    s.remove(&p);
                }
            }
        });
        last.set_value(Some(path));
    });
    let matched = Memo::new(move |_| e.page.with(|p| p.matched));
    view! {
        <Transition>
            {move || {
                // On the way to the map, which takes this place.
                if e.show.with(|v| v == super::MAP) {
                    return ().into_any();
                }
                // Read here, so that the colours come along with the page.
                colors.track();
                if as_table.get() {
                    view! { <Rows e rows pick/> }.into_any()
                } else {
                    view! {
                        <ul class="data-grid" aria-label="Files">
                            <For each=move || rows.get() key=|r| r.path.clone() let:entry><Cell e entry colors pick/></For>
                        </ul>
                    }
                    .into_any()
                }
            }}
        </Transition>
        <p class="data-more muted">
            {move || format!("{} of {} shown", fmt::count(rows.with(Vec::len) as i64), fmt::count(matched.get()))}
            {move || ((rows.with(Vec::len) as i64) < matched.get()).then(|| view! {
                <Button loading=busy on_click=more>{format!("Show {PAGE} more")}</Button>
            })}
            <Show when=move || !e.selected.with(BTreeSet::is_empty)>
                <button type="button" class="link" on:click=move |_| e.selected.set(BTreeSet::new())>"Select none"</button>
            </Show>
        </p>
    }
}

#[component]
fn Pick(e: Explorer, path: String, pick: Callback<(String, bool)>) -> impl IntoView {
    let (own, label) = (path.clone(), format!("Select {path}"));
    let is_on = Memo::new(move |_| e.selected.with(|s| s.contains(&own)));
    view! {
        <input
            type="checkbox"
            class="explore__pick"
            aria-label=label
            prop:checked=move || is_on.get()
            on:click=move |ev| pick.run((path.clone(), ev.shift_key()))
        />
    }
}

/// Tags of a file shown before the others are counted.
const TAGS_SHOWN: usize = 3;

/// The tags that a file has.
#[component]
fn Tags(e: Explorer, path: String) -> impl IntoView {
    let tags = Memo::new(move |_| e.tags.with(|t| t.get(&path).cloned().unwrap_or_default()));
    move || {
        tags.with(|all| {
            let more = all.len().saturating_sub(TAGS_SHOWN);
            (!all.is_empty()).then(|| {
                view! {
                    <span class="explore__tags" title=all.join(", ")>
                        {all.iter().take(TAGS_SHOWN).map(|t| view! { <span class="data-tag">{t.clone()}</span> }).collect_view()}
                        {(more > 0).then(|| view! { <span class="faint">{format!("+{more}")}</span> })}
                    </span>
                }
            })
        })
    }
}

#[component]
fn Cell(e: Explorer, entry: Entry, colors: Signal<Colors>, pick: Callback<(String, bool)>) -> impl IntoView {
    let id = e.version;
    let name = entry.path.rsplit('/').next().unwrap_or(&entry.path).to_owned();
    let (path, href, split) = (entry.path.clone(), file_url(id, &entry.path), entry.split);
    let (tagged, far) = (path.clone(), path.clone());
    let like = (entry.width > 0).then(|| path.clone());
    let (over, focused) = (path.clone(), path.clone());
    let labels: i64 = entry.categories.values().sum();
    view! {
        <li
            class="explore__cell"
            on:mouseenter=move |_| e.at.set(Some(over.clone()))
            on:mouseleave=move |_| e.at.set(None)
            on:focusin=move |_| e.at.set(Some(focused.clone()))
            on:focusout=move |_| e.at.set(None)
        >
            <a class="data-cell" href=href rel="external" title=path.clone()>
                <Thumb version=id entry colors/>
                <span class="data-cell__name">{name}</span>
                <Tags e path=tagged/>
                <span class="data-cell__foot">
                    {(split != Split::None).then(|| view! { <Chip>{split.label()}</Chip> })}
                    {(labels > 0).then(|| view! { <span class="faint">{fmt::counted(labels, "label", "labels")}</span> })}
                    <Distance e path=far/>
                </span>
            </a>
            <Pick e path pick/>
            {like.map(|path| view! { <Like e path/> })}
        </li>
    }
}

#[component]
fn Rows(e: Explorer, rows: RwSignal<Vec<Entry>>, pick: Callback<(String, bool)>) -> impl IntoView {
    let id = e.version;
    view! {
        <div class="card card--flush">
            <Table label="Files" columns=vec!["", "Path", "Split", "Categories", "Tags", "Pixels", "Size"]>
                <For each=move || rows.get() key=|r| r.path.clone() let:r>
                    {
                        let (path, tagged, far) = (r.path.clone(), r.path.clone(), r.path.clone());
                        let like = (r.width > 0).then(|| r.path.clone());
                        let (over, focused) = (r.path.clone(), r.path.clone());
                        let categories = r.categories.iter().map(|(c, n)| if *n > 1 { format!("{c} \u{00d7}{n}") } else { c.clone() }).collect::<Vec<_>>().join(", ");
                        let pixels = if r.width > 0 { format!("{} \u{00d7} {}", r.width, r.height) } else { String::new() };
                        view! {
                            <tr
                                class="explore__row"
                                on:mouseenter=move |_| e.at.set(Some(over.clone()))
                                on:mouseleave=move |_| e.at.set(None)
                                on:focusin=move |_| e.at.set(Some(focused.clone()))
                                on:focusout=move |_| e.at.set(None)
                            >
                                <td><Pick e path pick/></td>
                                <td data-label="Path">
                                    <a class="link data-path" href=file_url(id, &r.path) rel="external">{r.path.clone()}</a>
                                    <Distance e path=far/>
                                    {like.map(|path| view! { <Like e path/> })}
                                </td>
                                <td data-label="Split">{if r.split == Split::None { "" } else { r.split.label() }}</td>
                                <td data-label="Categories">{categories}</td>
                                <td data-label="Tags"><Tags e path=tagged/></td>
                                <td data-label="Pixels" class="num">{pixels}</td>
                                <td data-label="Size" class="num">{fmt::bytes(r.size)}</td>
                            </tr>
                        }
                    }
                </For>
            </Table>
        </div>
    }
}
