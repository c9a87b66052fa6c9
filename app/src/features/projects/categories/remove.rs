//! Removing and merging, with a look at what that touches.

use super::super::api;
use super::super::items::toolbar::tree_names;
use super::Editor;
use super::tree::subtree;
use crate::data::{use_form, use_load};
use crate::fmt;
use crate::ui::{
    Button, Dialog, DialogBody, DialogFoot, DialogSize, ErrorView, Field, FormError, Notice, Select,
    Skeleton, Tone, Variant,
};
use leptos::prelude::*;
use limn_domain::CategoryId;
use limn_domain::category::{Category, CategoryImpact};

/// Opens a dialog while the signal holds a category.
fn open_while(what: RwSignal<Option<Category>>) -> RwSignal<bool> {
    let open = RwSignal::new(false);
    Effect::new(move |_| open.set(what.with(Option::is_some)));
    open
}

/// What the change touches, in words.
#[component]
fn Impact(id: CategoryId, words: fn(&CategoryImpact) -> String) -> impl IntoView {
    let impact = use_load(move || id, api::category_impact);
    view! {
        <Suspense fallback=|| view! { <Skeleton lines=2/> }>
            {move || Suspend::new(async move {
                match impact.await {
                    Ok(i) => {
                        let tone = if i.annotations > 0 { Tone::Warn } else { Tone::Neutral };
                        view! { <Notice tone>{words(&i)}</Notice> }.into_any()
                    }
                    Err(error) => view! { <ErrorView error/> }.into_any(),
                }
            })}
        </Suspense>
    }
}

fn touched(i: &CategoryImpact) -> String {
    format!(
        "{} on {}",
        fmt::counted(i.annotations, "label", "labels"),
        fmt::counted(i.items, "item", "items")
    )
}

#[component]
pub fn RemoveDialog(editor: Editor) -> impl IntoView {
    let what = editor.removing;
    let open = open_while(what);
    let name = Signal::derive(move || what.with(|c| c.as_ref().map(|c| c.name.clone()).unwrap_or_default()));
    let remove = use_form(api::category_remove, move |()| {
        what.set(None);
        editor.toasts.ok("Category removed.");
        editor.ctx.reload();
    });
    let words = |i: &CategoryImpact| {
        let below = match i.children {
            0 => String::new(),
            n => format!(" {} below it go too.", fmt::counted(n, "category", "categories")),
        };
        match i.annotations {
            0 => format!("No label uses it.{below}"),
            _ => format!("Removes {}.{below} This cannot be undone.", touched(i)),
        }
    };
    view! {
        <Dialog open size=DialogSize::Small title=Signal::derive(move || format!("Remove {}?", name.get())) on_close=move || what.set(None)>
            <DialogBody>
                {move || what.get().map(|c| view! { <Impact id=c.id words/> })}
                <p class="muted">"To keep the labels, merge it into another category instead."</p>
                <FormError error=remove.error/>
            </DialogBody>
            <DialogFoot>
                <Button variant=Variant::Quiet on_click=move || what.set(None)>"Cancel"</Button>
                <Button
                    variant=Variant::Danger
                    loading=remove.pending
                    on_click=move || {
                        if let Some(id) = what.with_untracked(|c| c.as_ref().map(|c| c.id)) {
                            remove.run(id);
                        }
                    }
                >
                    "Remove"
                </Button>
            </DialogFoot>
        </Dialog>
    }
}

#[component]
pub fn MergeDialog(editor: Editor) -> impl IntoView {
    let what = editor.merging;
    let open = open_while(what);
    let target = RwSignal::new(String::new());
    Effect::new(move |_| {
        what.track();
        target.set(String::new());
    });
    let name = Signal::derive(move || what.with(|c| c.as_ref().map(|c| c.name.clone()).unwrap_or_default()));
    let options = Memo::new(move |_| {
        let mut out = vec![(String::new(), "Choose a category".to_owned())];
        if let Some(id) = what.with(|c| c.as_ref().map(|c| c.id)) {
            editor.ctx.categories.with(|all| {
                let own: Vec<String> = subtree(all, id).into_iter().map(|c| c.to_string()).collect();
                out.extend(tree_names(all).into_iter().filter(|(v, _)| !own.contains(v)));
            });
        }
        out
    });
    let merge = use_form(
        move |(id, into): (CategoryId, CategoryId)| api::category_merge(id, into),
        move |()| {
            what.set(None);
            editor.toasts.ok("Categories merged.");
            editor.ctx.reload();
        },
    );
    let words = |i: &CategoryImpact| {
        let below = match i.children {
            0 => String::new(),
            n => format!(" {} below it move up.", fmt::counted(n, "category", "categories")),
        };
        match i.annotations {
            0 => format!("No label uses it.{below}"),
            _ => format!(
                "{} get the other category.{below} This cannot be undone.",
                touched(i)
            ),
        }
    };
    let chosen = move || target.get().parse::<CategoryId>().ok();
    view! {
        <Dialog open size=DialogSize::Small title=Signal::derive(move || format!("Merge {}", name.get())) on_close=move || what.set(None)>
            <DialogBody>
                <Field name="into" label="Into" errors=merge.error><Select value=target options/></Field>
                {move || what.get().map(|c| view! { <Impact id=c.id words/> })}
                <FormError error=merge.error fields=&["into"]/>
            </DialogBody>
            <DialogFoot>
                <Button variant=Variant::Quiet on_click=move || what.set(None)>"Cancel"</Button>
                <Button
                    variant=Variant::Primary
                    loading=merge.pending
                    disabled=Signal::derive(move || chosen().is_none())
                    on_click=move || {
                        let id = what.with_untracked(|c| c.as_ref().map(|c| c.id));
                        if let (Some(id), Ok(into)) = (id, target.get_untracked().parse()) {
                            merge.run((id, into));
                        }
                    }
                >
                    "Merge"
                </Button>
            </DialogFoot>
        </Dialog>
    }
}
