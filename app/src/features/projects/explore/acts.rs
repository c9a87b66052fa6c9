//! What is done with the selected items, or with all that were found.

use super::super::api;
use super::super::items::bulk::{done, wording};
use super::super::transfer::export::{ExportFound, Portion};
use super::Explorer;
use super::make::MakeDialog;
use crate::data::use_mutation;
use crate::fmt;
use crate::ui::{
    Button, ConfirmDialog, Dot, Glyph, Menu, MenuHeading, MenuItem, MenuLine, Variant, use_toasts,
};
use leptos::prelude::*;
use limn_domain::authz::Action;
use limn_domain::item::{BulkAction, BulkOutcome, ItemSelection};
use std::collections::BTreeSet;

#[component]
pub fn Acts(e: Explorer) -> impl IntoView {
    let (exporting, making) = (RwSignal::new(false), RwSignal::new(false));
    let exports = Memo::new(move |_| e.ctx.may(Action::ExportData));
    let these = move || match e.selected.with(BTreeSet::len) {
        0 => "these".to_owned(),
        n => format!("{} selected", fmt::count(n as i64)),
    };
    let portion = Callback::new(move |()| Portion {
        choice: e.choice(),
        items: e.chosen(),
    });
    view! {
        <Show when=move || exports.get()>
            <Button icon=Glyph::Download on_click=move || exporting.set(true)>{move || format!("Export {}", these())}</Button>
            <Button icon=Glyph::Data on_click=move || making.set(true)>{move || format!("Version of {}", these())}</Button>
        </Show>
        <More e/>
        <ExportFound ctx=e.ctx open=exporting of=portion/>
        <MakeDialog e open=making/>
    }
}

/// What changes the items.
#[component]
fn More(e: Explorer) -> impl IntoView {
    let toasts = use_toasts();
    let asked = RwSignal::new(None::<BulkAction>);
    let open = RwSignal::new(false);
    let run = use_mutation(
        move |action: BulkAction| {
            let choice = e.choice();
            let selection = if choice.items.is_empty() {
                ItemSelection::Found(choice.filter)
            } else {
                ItemSelection::Ids(choice.items)
            };
            api::item_bulk(e.ctx.id, selection, action)
        },
        move |outcome: BulkOutcome| {
            open.set(false);
            toasts.ok(done(asked.get_untracked().as_ref(), outcome));
            e.selected.set(BTreeSet::new());
            e.ask_again();
            e.ctx.reload();
        },
    );
    let ask = move |action: BulkAction| {
        asked.set(Some(action));
        open.set(true);
    };
    let manages = Memo::new(move |_| e.ctx.may(Action::ManageItems));
    let classifies = Memo::new(move |_| {
        let whole = e.ctx.project.with(|p| !p.summary.task.marks_objects());
        whole && e.ctx.may(Action::EditOthersLabels)
    });
    let words = move || {
        let asked = asked.get();
        asked.map(|a| wording(&a, e.chosen(), e.ctx)).unwrap_or_default()
    };
    view! {
        <Show when=move || manages.get() || classifies.get()>
            <Menu id="explore-acts" label="More actions on these items" trigger_class="btn btn--icon" end=true>
                {move || manages.get().then(|| view! {
                    <MenuItem icon=Glyph::Undo on_click=move || ask(BulkAction::Requeue)>"Requeue"</MenuItem>
                    <MenuItem icon=Glyph::XCircle on_click=move || ask(BulkAction::ClearAnnotations)>"Clear labels"</MenuItem>
                    <MenuItem icon=Glyph::Trash variant=Variant::Danger on_click=move || ask(BulkAction::Delete)>"Delete"</MenuItem>
                })}
                {move || classifies.get().then(|| view! {
                    <MenuLine/>
                    <MenuHeading>"Classify as"</MenuHeading>
                    {move || e.ctx.categories.get().into_iter().map(|c| view! {
                        <MenuItem on_click=move || ask(BulkAction::Classify(c.id))>
                            <span class="row"><Dot color=c.color/>{c.name}</span>
                        </MenuItem>
                    }).collect_view()}
                })}
            </Menu>
        </Show>
        <ConfirmDialog
            open
            title=Signal::derive(move || words().title)
            text=Signal::derive(move || words().text)
            confirm=Signal::derive(move || words().button)
            pending=run.pending
            error=run.error
            on_confirm=Callback::new(move |()| {
                if let Some(action) = asked.get_untracked() {
                    run.run(action);
                }
            })
        />
    }
}
