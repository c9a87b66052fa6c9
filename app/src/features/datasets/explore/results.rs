//! The files that pass, as a grid or a table, page after page.

use super::super::api;
use super::super::shape::{Colors, Thumb, file_url};
use super::Explorer;
use super::similar::{Distance, Like};
use crate::explore::{Foot, Pick, use_more, use_pick};
use crate::fmt;
use crate::ui::{Chip, Table};
use leptos::prelude::*;
use limn_domain::dataset::{Entry, Split};
use limn_domain::explore::ExploreAnswer;
use std::collections::BTreeSet;

#[component]
pub fn Results(e: Explorer, as_table: Signal<bool>) -> impl IntoView {
    let rows = e.rows;
    let colors = e.schema.with_value(|schema| {
        let categories = schema.iter().flat_map(|s| &s.categories);
        categories.map(|c| (c.id, c.color.clone())).collect::<Colors>()
    });
    let colors = Signal::stored(colors);
    let more = use_more(
        e.query,
        move || rows.with_untracked(Vec::len),
        move |query| api::version_explore(e.version, query),
        move |answer: ExploreAnswer| {
            let Some(page) = answer.page else { return };
            e.tags.try_update(|t| t.extend(page.tags));
            e.distances.try_update(|d| d.extend(page.distances));
            let came = rows.try_update(|rows| {
                // Tags may have moved files from one page to another meanwhile.
                let known: BTreeSet<String> = rows.iter().map(|r| r.path.clone()).collect();
                let before = rows.len();
                rows.extend(page.rows.into_iter().filter(|r| !known.contains(&r.path)));
                rows.len() > before
            });
            // So many that there is nothing behind what is shown: the same question has another answer.
            if came == Some(false) {
                e.ask_again();
            }
        },
    );
    let shown = move || rows.with_untracked(|rows| rows.iter().map(|r| r.path.clone()).collect::<Vec<_>>());
    let pick = use_pick(e.selected, shown);
    let matched = Memo::new(move |_| e.page.with(|p| p.matched));
    view! {
        {move || {
            // On the way to the map, which takes this place.
            if e.show.with(|v| v == super::MAP) {
                return ().into_any();
            }
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
        <Foot shown=Signal::derive(move || rows.with(Vec::len)) matched more selected=e.selected/>
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
            <Pick selected=e.selected of=path.clone() name=path pick/>
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
                                <td><Pick selected=e.selected of=path.clone() name=path pick/></td>
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
