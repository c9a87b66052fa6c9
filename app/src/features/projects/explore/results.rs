//! The items that pass, as a grid or a table, page after page.

use super::super::api;
use super::super::items::alike::Like;
use super::super::items::grid::describe;
use super::super::items::thumb::Thumb;
use super::{Explorer, Row};
use crate::explore::{Foot, Pick, use_more, use_pick};
use crate::fmt;
use crate::ui::{RelativeTime, Table};
use leptos::prelude::*;
use limn_domain::item_explore::ItemsAnswer;
use limn_domain::{CategoryId, ItemId, Source};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Another key where there is something else to show.
fn key(row: &Row) -> (ItemId, i64, i64, bool) {
    let item = &row.item;
    (
        item.id,
        item.revision,
        item.updated_at.0,
        item.leased_by.is_some(),
    )
}

#[component]
pub fn Results(e: Explorer, as_table: Signal<bool>) -> impl IntoView {
    let more = use_more(
        e.query,
        move || e.rows.with_untracked(Vec::len),
        move |query| api::explore_items(e.ctx.id, query),
        move |answer: ItemsAnswer| {
            let came = e.rows.try_update(|rows| {
                // Items may have moved from one page to another meanwhile.
                let known: BTreeSet<ItemId> = rows.iter().map(|r| r.item.id).collect();
                let before = rows.len();
                let page = answer.page.into_iter().flat_map(|p| p.rows);
                rows.extend(page.filter(|r| !known.contains(&r.item.id)).map(Arc::new));
                rows.len() > before
            });
            // So many that there is nothing behind what is shown: the same question has another answer.
            if came == Some(false) {
                e.ask_again();
            }
        },
    );
    let shown = move || {
        e.rows
            .with_untracked(|rows| rows.iter().map(|r| r.item.id).collect::<Vec<_>>())
    };
    let pick = use_pick(e.selected, shown);
    let matched = Memo::new(move |_| e.page.with(|p| p.matched));
    view! {
        {move || {
            if as_table.get() {
                view! { <Rows e pick/> }.into_any()
            } else {
                view! {
                    <ul class="data-grid" aria-label="Items">
                        <For each=move || e.rows.get() key=key let:row><Cell e row pick/></For>
                    </ul>
                }
                .into_any()
            }
        }}
        <Foot shown=Signal::derive(move || e.rows.with(Vec::len)) matched more selected=e.selected/>
    }
}

#[component]
fn Cell(e: Explorer, row: Row, pick: Callback<(ItemId, bool)>) -> impl IntoView {
    let (id, name) = (row.item.id, row.item.name.clone());
    let short = name.rsplit('/').next().unwrap_or(&name).to_owned();
    let (tone, words) = describe(&row.item);
    let item = row.item.clone();
    view! {
        <li class="explore__cell">
            <a class="data-cell" href=e.ctx.href(&format!("/label/{id}")) title=name.clone()>
                <Thumb row palette=e.ctx.palette/>
                <span class="data-cell__name">{short}</span>
                <span class="data-cell__foot">
                    <i class="dot" style=format!("background:{}", tone.color())></i>
                    <span class="faint">{words}</span>
                </span>
            </a>
            <Pick selected=e.selected of=id name pick/>
            <Like ctx=e.ctx item/>
        </li>
    }
}

/// Categories of labels with how many of each, those of proposals behind them.
fn categories(e: Explorer, row: &Row) -> String {
    let mut counts: BTreeMap<(bool, CategoryId), usize> = BTreeMap::new();
    for a in &row.annotations {
        *counts
            .entry((a.source == Source::Prelabel, a.category_id))
            .or_default() += 1;
    }
    let named = |((proposed, id), n): ((bool, CategoryId), usize)| {
        let name = e.ctx.palette.with(|p| p.name(id).to_owned());
        let times = if n > 1 {
            format!(" \u{00d7}{n}")
        } else {
            String::new()
        };
        format!("{name}{times}{}", if proposed { " (proposed)" } else { "" })
    };
    counts.into_iter().map(named).collect::<Vec<_>>().join(", ")
}

#[component]
fn Rows(e: Explorer, pick: Callback<(ItemId, bool)>) -> impl IntoView {
    view! {
        <div class="card card--flush">
            <Table label="Items" columns=vec!["", "Name", "State", "Categories", "Submitted by", "Changed", "Pixels", "Size"]>
                <For each=move || e.rows.get() key=key let:row>
                    {
                        let item = row.item.clone();
                        let (_, words) = describe(&item);
                        let pixels = if item.width > 0 { format!("{} \u{00d7} {}", item.width, item.height) } else { String::new() };
                        let shown = Arc::clone(&row);
                        view! {
                            <tr class="explore__row">
                                <td><Pick selected=e.selected of=item.id name=item.name.clone() pick/></td>
                                <td data-label="Name">
                                    <a class="link data-path" href=e.ctx.href(&format!("/label/{}", item.id))>{item.name.clone()}</a>
                                    <Like ctx=e.ctx item=item.clone()/>
                                </td>
                                <td data-label="State">{words}</td>
                                <td data-label="Categories">{move || categories(e, &shown)}</td>
                                <td data-label="Submitted by">{item.done_by_name.clone()}</td>
                                <td data-label="Changed"><RelativeTime at=item.updated_at/></td>
                                <td data-label="Pixels" class="num">{pixels}</td>
                                <td data-label="Size" class="num">{fmt::bytes(item.byte_size)}</td>
                            </tr>
                        }
                    }
                </For>
            </Table>
        </div>
    }
}
