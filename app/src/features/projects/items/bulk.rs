//! What can be done to the selected items at once.

use super::super::api;
use super::super::layout::ProjectCtx;
use super::selection::Selection;
use crate::data::use_mutation;
use crate::fmt;
use crate::ui::{
    Button, ButtonSize, ConfirmDialog, Dot, Glyph, IconButton, Menu, MenuItem, Variant, use_toasts,
};
use leptos::prelude::*;
use limn_domain::authz::{Action, allowed};
use limn_domain::item::{BulkAction, BulkOutcome, ItemQuery};

#[component]
pub fn BulkBar(
    ctx: ProjectCtx,
    /// The filter of the list, for "all that match".
    filter: StoredValue<ItemQuery>,
    selection: RwSignal<Selection>,
    total: RwSignal<usize>,
    /// Runs after items changed.
    changed: Callback<()>,
) -> impl IntoView {
    let toasts = use_toasts();
    let asked = RwSignal::new(None::<BulkAction>);
    let open = RwSignal::new(false);
    let count = Memo::new(move |_| selection.with(|s| s.count(total.get() as i64)));
    let run = use_mutation(
        move |action: BulkAction| {
            let chosen = selection.with_untracked(|s| filter.with_value(|f| s.to_domain(f)));
            api::item_bulk(ctx.id, chosen, action)
        },
        move |outcome: BulkOutcome| {
            open.set(false);
            toasts.ok(done(asked.get_untracked().as_ref(), outcome));
            changed.run(());
        },
    );
    let ask = move |action: BulkAction| {
        asked.set(Some(action));
        open.set(true);
    };
    let classifies = ctx.project.with_untracked(|p| !p.summary.task.marks_objects());
    let may = ctx
        .project
        .with_untracked(|p| allowed(p.summary.my_role, Action::ManageItems));
    let words = move || {
        asked
            .get()
            .map(|a| wording(&a, count.get(), ctx))
            .unwrap_or_default()
    };
    view! {
        <Show when=move || may && !selection.with(Selection::is_empty)>
            <div class="items-actions" role="toolbar" aria-label="Selected items">
                <span class="items-actions__count" role="status">
                    {move || format!("{} selected", fmt::count(count.get()))}
                </span>
                {move || {
                    let all = total.get() as i64;
                    (!selection.with(Selection::is_all) && count.get() < all).then(|| view! {
                        <Button size=ButtonSize::Small variant=Variant::Quiet on_click=move || selection.update(Selection::select_all)>
                            {format!("Select all {}", fmt::count(all))}
                        </Button>
                    })
                }}
                <Button size=ButtonSize::Small icon=Glyph::Undo on_click=move || ask(BulkAction::Requeue)>"Requeue"</Button>
                {classifies.then(|| view! {
                    <Menu
                        id="bulk-classify"
                        label="Classify as"
                        trigger_class="btn btn--sm"
                        trigger=ViewFn::from(|| view! { <crate::ui::Icon glyph=Glyph::Tag/><span aria-hidden="true">"Classify"</span> })
                    >
                        {move || ctx.categories.get().into_iter().map(|c| view! {
                            <MenuItem on_click=move || ask(BulkAction::Classify(c.id))>
                                <span class="row"><Dot color=c.color/>{c.name}</span>
                            </MenuItem>
                        }).collect_view()}
                    </Menu>
                })}
                <Button size=ButtonSize::Small icon=Glyph::XCircle on_click=move || ask(BulkAction::ClearAnnotations)>"Clear labels"</Button>
                <Button size=ButtonSize::Small variant=Variant::Danger icon=Glyph::Trash on_click=move || ask(BulkAction::Delete)>"Delete"</Button>
                <IconButton
                    glyph=Glyph::X
                    label="Clear the selection"
                    size=ButtonSize::Small
                    on_click=move || selection.update(Selection::clear)
                />
            </div>
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

/// What became of it.
pub fn done(action: Option<&BulkAction>, outcome: BulkOutcome) -> String {
    let done = match action {
        Some(BulkAction::Requeue) => "requeued",
        Some(BulkAction::Delete) => "deleted",
        Some(BulkAction::ClearAnnotations) => "cleared",
        Some(BulkAction::Classify(_)) => "classified",
        None => "changed",
    };
    format!("{} {done}.", fmt::counted(outcome.changed, "item", "items"))
}

/// What is asked before something is done to items.
#[derive(Default)]
pub struct Wording {
    pub title: String,
    pub text: String,
    pub button: String,
}

pub fn wording(action: &BulkAction, n: i64, ctx: ProjectCtx) -> Wording {
    let items = fmt::counted(n, "item", "items");
    let (title, text, button) = match action {
        BulkAction::Requeue => (
            format!("Requeue {items}?"),
            "They go back into the queue for somebody to look at again. Their labels stay.".to_owned(),
            "Requeue",
        ),
        BulkAction::ClearAnnotations => (
            format!("Clear the labels of {items}?"),
            "All labels and proposals on them are removed, and they go back into the queue. This cannot be undone.".to_owned(),
            "Clear labels",
        ),
        BulkAction::Delete => (
            format!("Delete {items}?"),
            "The pictures leave the project together with their labels. This cannot be undone.".to_owned(),
            "Delete",
        ),
        BulkAction::Classify(id) => {
            let name = ctx.palette.with(|p| p.name(*id).to_owned());
            (
                format!("Classify {items} as {name}?"),
                format!("Each gets the label {name} and counts as done."),
                "Classify",
            )
        }
    };
    Wording {
        title,
        text,
        button: button.to_owned(),
    }
}
