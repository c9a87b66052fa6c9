//! Tags of the selected files, or of all that were found: put on and taken off in one change, which can be undone; and tags
//! that are taken off all files of the dataset.

use super::super::api;
use super::Explorer;
use crate::data::use_form;
use crate::error::AppError;
use crate::fmt;
use crate::ui::{
    Button, ButtonSize, ConfirmDialog, Dialog, DialogBody, DialogFoot, FormError, Glyph, Icon, IconButton,
    TextInput, Toasts, Variant, use_toasts,
};
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::file_tag::{ChangeTags, TagChange, TagHere, TagScope, TagsHere, check_name};
use limn_domain::validate::name_key;
use limn_domain::{FileTagId, TagChangeId};
use std::collections::{BTreeMap, BTreeSet};

/// Which of the files have a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum On {
    All,
    Some,
    None,
}

#[component]
pub fn TagDialog(e: Explorer, open: RwSignal<bool>) -> impl IntoView {
    let title = Signal::derive(move || match e.selected.with(BTreeSet::len) {
        0 => {
            let found = e.page.with(|p| p.matched);
            format!("Tags of {} found", fmt::counted(found, "file", "files"))
        }
        n => format!(
            "Tags of {}",
            fmt::counted(n as i64, "selected file", "selected files")
        ),
    });
    view! {
        <Dialog
            open
            title
            description="A tag is on a path: other versions of the dataset that have the path have it too."
        >
            <Form e open/>
        </Dialog>
    }
}

/// What is asked about and what is to change.
#[derive(Clone, Copy)]
struct Choice {
    here: RwSignal<Option<TagsHere>>,
    /// Tags by name: whether they are to be on all files or on none.
    wanted: RwSignal<BTreeMap<String, bool>>,
}

impl Choice {
    /// Of the files, those that have a tag.
    fn count(&self, name: &str) -> i64 {
        self.here.with(|h| {
            let found = h.as_ref().and_then(|h| h.tags.iter().find(|t| t.name == name));
            found.map_or(0, |t| t.here)
        })
    }

    /// A tag that there is, also if none of the files has it.
    fn tag(&self, name: &str) -> Option<TagHere> {
        self.here
            .with(|h| h.as_ref()?.tags.iter().find(|t| t.name == name).cloned())
    }

    /// There is no such tag any more.
    fn forget(&self, name: &str) {
        self.here.update(|h| {
            if let Some(h) = h {
                h.tags.retain(|t| t.name != name);
            }
        });
        self.wanted.update(|w| {
            w.remove(name);
        });
    }

    fn now(&self, name: &str) -> On {
        let files = self.here.with(|h| h.as_ref().map_or(0, |h| h.files));
        match self.count(name) {
            0 => On::None,
            n if n == files => On::All,
            _ => On::Some,
        }
    }

    fn state(&self, name: &str) -> On {
        match self.wanted.with(|w| w.get(name).copied()) {
            Some(true) => On::All,
            Some(false) => On::None,
            None => self.now(name),
        }
    }

    fn toggle(&self, name: &str) {
        let (now, on) = untrack(|| (self.now(name), self.state(name) != On::All));
        self.wanted.update(|w| {
            let stays = if on { On::All } else { On::None };
            if now == stays {
                w.remove(name);
            } else {
                w.insert(name.to_owned(), on);
            }
        });
    }

    /// Tags whose name holds what was typed: those of the files first.
    fn listed(&self, typed: &str) -> Vec<String> {
        let typed = name_key(typed.trim());
        let mut tags = self
            .here
            .with(|h| h.as_ref().map(|h| h.tags.clone()).unwrap_or_default());
        tags.sort_by_key(|t| t.here == 0);
        let names: Vec<String> = tags.into_iter().map(|t| t.name).collect();
        // New ones, on top.
        let new: Vec<String> = self.wanted.with(|w| {
            let new = w.keys().filter(|n| !names.contains(n));
            new.cloned().collect()
        });
        let mut names: Vec<String> = new.into_iter().chain(names).collect();
        names.retain(|n| name_key(n).contains(&typed));
        names
    }
}

#[component]
fn Form(e: Explorer, open: RwSignal<bool>) -> impl IntoView {
    let toasts = use_toasts();
    // What the dialog speaks of stays while it is open.
    let of = StoredValue::new(TagScope {
        filter: e.answered.get_untracked(),
        paths: e.selected.get_untracked().into_iter().collect(),
    });
    let choice = Choice {
        here: RwSignal::new(None),
        wanted: RwSignal::default(),
    };
    let failed = RwSignal::new(None::<AppError>);
    Effect::new(move |_| {
        spawn_local(async move {
            match api::version_tags_here(e.version, of.get_value()).await {
                Ok(found) => drop(choice.here.try_set(Some(found))),
                Err(error) => drop(failed.try_set(Some(error))),
            }
        });
    });
    let typed = RwSignal::new(String::new());
    let listed = Memo::new(move |_| typed.with(|t| choice.listed(t)));
    // A name that no tag has yet, or what is wrong with it.
    let fresh = Memo::new(move |_| {
        let text = typed.get();
        if text.trim().is_empty() {
            return None;
        }
        match check_name(&text) {
            Ok(name) => {
                let there = listed.with(|l| l.iter().any(|n| name_key(n) == name_key(&name)));
                (!there).then_some(Ok(name))
            }
            Err(why) => Some(Err(why)),
        }
    });
    let apply = use_form(
        move |input: ChangeTags| api::version_change_tags(e.version, input),
        move |done: TagChange| {
            open.set(false);
            e.ask_again();
            if done.files == 0 {
                toasts.info("Nothing changed: somebody has just done the same.");
                return;
            }
            let files = fmt::counted(done.files, "file", "files");
            told(e, toasts, done.id, format!("The tags of {files} changed."));
        },
    );
    // The tag that is asked about: whether it is to go.
    let doomed = RwSignal::new(None::<TagHere>);
    let asking = RwSignal::new(false);
    let delete = use_form(
        move |tag: FileTagId| api::dataset_delete_tag(e.ctx.id, tag),
        move |done: TagChange| {
            asking.set(false);
            let name = doomed.with_untracked(|d| d.as_ref().map(|d| d.name.clone()).unwrap_or_default());
            choice.forget(&name);
            // What is chosen and not applied yet stays on the screen.
            if choice.wanted.with_untracked(BTreeMap::is_empty) {
                open.set(false);
            }
            e.ask_again();
            let files = fmt::counted(done.files, "file", "files");
            told(
                e,
                toasts,
                done.id,
                format!("The tag “{name}” is deleted: {files} had it."),
            );
        },
    );
    let ask = Callback::new(move |tag: TagHere| {
        delete.error.set(None);
        doomed.set(Some(tag));
        asking.set(true);
    });
    let about = move |of: fn(&TagHere) -> String| {
        Signal::derive(move || doomed.with(|d| d.as_ref().map(of).unwrap_or_default()))
    };
    let submit = move || {
        let wanted = choice.wanted.get_untracked();
        if wanted.is_empty() {
            open.set(false);
            return;
        }
        let names = |on: bool| -> Vec<String> {
            let named = wanted.iter().filter(|(_, w)| **w == on);
            named.map(|(name, _)| name.clone()).collect()
        };
        apply.run(ChangeTags {
            of: of.get_value(),
            add: names(true),
            remove: names(false),
        });
    };
    let make = move |name: String| {
        choice.wanted.update(|w| {
            w.insert(name, true);
        });
        typed.set(String::new());
    };
    // Enter takes the tag of that name, else the first that fits, else makes one; with nothing typed it is done.
    let enter = move || {
        let text = typed.get_untracked();
        if text.trim().is_empty() {
            submit();
            return;
        }
        let names = listed.get_untracked();
        let same = names.iter().find(|n| name_key(n) == name_key(text.trim()));
        if let Some(name) = same.or(names.first()) {
            choice.toggle(name);
            typed.set(String::new());
        } else if let Some(Ok(name)) = fresh.get_untracked() {
            make(name);
        }
    };
    view! {
        <form on:submit=move |ev| {
            ev.prevent_default();
            submit();
        }>
            <DialogBody>
                <FormError error=apply.error/>
                <FormError error=failed/>
                <TextInput value=typed icon=Glyph::Tag autofocus=true autocomplete="off" label="Find or make a tag" placeholder="Find or make a tag" on_enter=enter/>
                {move || fresh.get().map(|f| match f {
                    Ok(name) => {
                        let text = format!("Make the tag “{name}”");
                        view! {
                            <button type="button" class="menu__item tag-new" on:click=move |_| make(name.clone())><Icon glyph=Glyph::Plus/>{text}</button>
                        }.into_any()
                    }
                    Err(why) => view! { <p class="tag-bad" role="alert">{why}</p> }.into_any(),
                })}
                <div class="tag-list" role="group" aria-label="Tags">
                    <For each=move || listed.get() key=String::clone let:name><OneTag choice name ask/></For>
                    {move || choice.here.with(|h| match h {
                        None => Some("Reading..."),
                        Some(_) if listed.with(Vec::is_empty) && typed.with(|t| t.trim().is_empty()) => {
                            Some("No tag yet. Type a name, and Enter makes it.")
                        }
                        Some(_) => None,
                    }).filter(|_| failed.with(Option::is_none)).map(|text| view! { <p class="faint">{text}</p> })}
                </div>
            </DialogBody>
            <DialogFoot>
                <Button variant=Variant::Quiet on_click=move || open.set(false)>"Cancel"</Button>
                <Button
                    variant=Variant::Primary
                    submit=true
                    loading=apply.pending
                    disabled=Signal::derive(move || choice.wanted.with(BTreeMap::is_empty))
                >
                    "Apply"
                </Button>
            </DialogFoot>
        </form>
        <ConfirmDialog
            open=asking
            title=about(|tag| format!("Delete the tag “{}”?", tag.name))
            text=about(lost)
            confirm="Delete the tag"
            pending=delete.pending
            error=delete.error
            on_confirm=Callback::new(move |()| {
                if let Some(tag) = doomed.with_untracked(|d| d.as_ref().map(|d| d.id)) {
                    delete.run(tag);
                }
            })
        />
    }
}

/// What it means that a tag goes.
fn lost(tag: &TagHere) -> String {
    let files = match tag.files {
        1 => "1 file of the dataset loses it".to_owned(),
        n => format!("{} of the dataset lose it", fmt::counted(n, "file", "files")),
    };
    format!("{files}, in every version that has them. The message that follows takes it back.")
}

/// Says that tags changed, with the way back.
fn told(e: Explorer, toasts: Toasts, change: TagChangeId, text: String) {
    let dataset = e.ctx.id;
    toasts.with_action(text, "Undo", move || {
        spawn_local(async move {
            match api::dataset_undo_tags(dataset, change).await {
                Ok(_) => {
                    toasts.ok("The tags are as they were.");
                    e.ask_again();
                }
                Err(error) => toasts.error(&error),
            }
        });
    });
}

#[component]
fn OneTag(
    choice: Choice,
    name: String,
    /// Asks whether the tag is to go.
    ask: Callback<TagHere>,
) -> impl IntoView {
    let (shown, of) = (name.clone(), StoredValue::new(name));
    let state = Memo::new(move |_| of.with_value(|n| choice.state(n)));
    let here = Memo::new(move |_| of.with_value(|n| choice.count(n)));
    let there = Memo::new(move |_| of.with_value(|n| choice.tag(n)));
    let changes = move || of.with_value(|n| choice.wanted.with(|w| w.get(n).copied()));
    view! {
        <div class="tag-row">
            <label class="facet__value" class:is-on=move || state.get() == On::All>
                <input
                    type="checkbox"
                    prop:checked=move || state.get() == On::All
                    prop:indeterminate=move || state.get() == On::Some
                    on:change=move |_| of.with_value(|n| choice.toggle(n))
                />
                <span class="facet__text" title=shown.clone()>{shown.clone()}</span>
                <span class="facet__count">
                    {move || match changes() {
                        Some(true) => "to be added".to_owned(),
                        Some(false) => "to be removed".to_owned(),
                        None => fmt::count(here.get()),
                    }}
                </span>
            </label>
            {move || there.get().map(|tag| {
                let label = format!("Delete the tag {}", tag.name);
                view! { <IconButton glyph=Glyph::Trash size=ButtonSize::Small label on_click=move || ask.run(tag.clone())/> }
            })}
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_deletes_a_tag_is_told_how_many_files_lose_it() {
        let of = |files| TagHere {
            id: FileTagId::new(),
            name: "night".to_owned(),
            files,
            here: 0,
        };
        assert!(lost(&of(1)).starts_with("1 file of the dataset loses it, "));
        assert!(lost(&of(1234)).starts_with("1,234 files of the dataset lose it, "));
    }
}
