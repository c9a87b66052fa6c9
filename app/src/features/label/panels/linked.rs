//! What holds the selected objects together with others: their group, and relations both ways.

use super::key_of;
use super::objects::ordinal;
use crate::features::label::desk::Desk;
use crate::ui::{Button, ButtonSize, Glyph, IconButton};
use leptos::prelude::*;
use limn_domain::link::group_numbers;
use limn_domain::{AnnotationId, Relation};
use limn_editor::{Action, Editor};

/// The group of the selection.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Group {
    number: u32,
    members: usize,
    /// All of them are selected.
    whole: bool,
}

/// A relation of the selected object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Row {
    from: AnnotationId,
    relation: Relation,
    /// It goes out from the selected object.
    out: bool,
    /// The object at its other end.
    other: AnnotationId,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Default)]
struct Shown {
    selected: usize,
    single: Option<AnnotationId>,
    group: Option<Group>,
    rows: Vec<Row>,
    read_only: bool,
}

fn shown(desk: Desk) -> Shown {
    desk.selection_tick.track();
    desk.doc_tick.track();
    desk.current.track();
    let shown = desk.read(|s| {
        let e = &s.editor;
        let single = e.selection().single();
        let mut out = Shown {
            selected: e.selection().len(),
            single,
            group: group(e),
            rows: Vec::new(),
            read_only: e.is_read_only(),
        };
        let Some(id) = single.filter(|_| e.doc().has_links()) else {
            return out;
        };
        for a in e.doc().iter() {
            for r in &a.links.relations {
                if a.id != id && r.to != id {
                    continue;
                }
                let goes_out = a.id == id;
                out.rows.push(Row {
                    from: a.id,
                    relation: r.clone(),
                    out: goes_out,
                    other: if goes_out { r.to } else { a.id },
                    name: String::new(),
                });
            }
        }
        out
    });
    let mut shown = shown.unwrap_or_default();
    for row in &mut shown.rows {
        row.name = ordinal(desk, row.other).unwrap_or_default();
    }
    shown.rows.sort_by_key(|r| !r.out);
    shown
}

fn group(e: &Editor) -> Option<Group> {
    if !e.doc().has_links() {
        return None;
    }
    let id = e.doc().get(e.selection().primary()?)?.links.group?;
    let number = *group_numbers(e.doc().iter()).get(&id)?;
    let members: Vec<_> = e.doc().iter().filter(|a| a.links.group == Some(id)).collect();
    Some(Group {
        number,
        members: members.len(),
        whole: members.iter().all(|a| e.selection().contains(a.id)),
    })
}

#[component]
pub(super) fn Linked() -> impl IntoView {
    let desk: Desk = expect_context();
    let now = Memo::new(move |_| shown(desk));
    let group_line = move || {
        now.with(|n| n.group).map(|g| {
            view! {
                <div class="label-link">
                    <span class="label-link__name">{format!("Group {} \u{b7} {} objects", g.number, g.members)}</span>
                    {(!g.whole)
                        .then(|| view! {
                            <Button size=ButtonSize::Small on_click=move || { desk.edit(Editor::select_groups); }>"Select all"</Button>
                        })}
                    <IconButton
                        glyph=Glyph::X
                        label="Take the selection out of its group"
                        on_click=move || { desk.act(Action::Ungroup); }
                    />
                </div>
            }
        })
    };
    let buttons = move || {
        let n = now.get();
        let key = |action| key_of(desk, action);
        let whole = n.group.is_some_and(|g| g.whole && g.members == n.selected);
        (!n.read_only && (n.selected > 1 || n.single.is_some())).then(|| {
            view! {
                <div class="label-outline" role="group" aria-label="Group and relate">
                    {(n.selected > 1 && !whole).then(|| view! {
                        <Button size=ButtonSize::Small kbd=key(Action::Group) on_click=move || { desk.act(Action::Group); }>"Group"</Button>
                    })}
                    {n.single.map(|_| view! {
                        <Button size=ButtonSize::Small kbd=key(Action::Relate) on_click=move || {
                            desk.sheet_up.set(false);
                            desk.act(Action::Relate);
                        }>"Relate to\u{2026}"</Button>
                    })}
                </div>
            }
        })
    };
    view! {
        <section class="label-links" aria-label="Group and relations">
            {group_line}
            <For each=move || now.with(|n| n.rows.clone()) key=|r| r.clone() let:row>
                <RelationRow row/>
            </For>
            {buttons}
        </section>
    }
}

#[component]
fn RelationRow(row: Row) -> impl IntoView {
    let desk: Desk = expect_context();
    let Row {
        from,
        relation,
        out,
        other,
        name,
    } = row;
    // The project's kinds, and the one it has.
    let mut kinds = desk
        .project
        .with_untracked(|p| p.as_ref().map(|p| p.settings.relations.clone()))
        .unwrap_or_default();
    if !relation.kind.is_empty() && !kinds.contains(&relation.kind) {
        kinds.push(relation.kind.clone());
    }
    let (turned, said, dropped) = (relation.clone(), relation.clone(), relation.clone());
    let title = format!("{} {name}", if out { "To" } else { "From" });
    let select = (!kinds.is_empty()).then(|| {
        let options = kinds
            .into_iter()
            .map(|k| {
                let on = k == relation.kind;
                view! { <option value=k.clone() selected=on>{k.clone()}</option> }
            })
            .collect_view();
        view! {
            <select
                class="input label-link__kind"
                aria-label=format!("What the relation {} says", title.to_lowercase())
                on:change=move |ev| {
                    let kind = event_target_value(&ev);
                    desk.edit(|e| e.say_relation(from, &said, kind));
                }
            >
                <option value="" selected=relation.kind.is_empty()>"\u{2013}"</option>
                {options}
            </select>
        }
    });
    view! {
        <div class="label-link" data-testid="relation">
            <span class="label-link__way" aria-hidden="true">{if out { "\u{2192}" } else { "\u{2190}" }}</span>
            <button
                class="label-link__name label-link__go"
                type="button"
                aria-label=title.clone()
                on:click=move |_| {
                    desk.edit(|e| {
                        e.select(other, false);
                        e.reveal(other);
                    });
                }
            >
                {name}
            </button>
            {select}
            <IconButton
                glyph=Glyph::Swap
                label=format!("Turn the relation {} round", title.to_lowercase())
                on_click=move || { desk.edit(|e| e.turn_relation(from, &turned)); }
            />
            <IconButton
                glyph=Glyph::X
                label=format!("Remove the relation {}", title.to_lowercase())
                on_click=move || { desk.edit(|e| e.drop_relation(from, &dropped)); }
            />
        </div>
    }
}
