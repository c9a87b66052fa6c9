//! Saved views: filters that were kept under a name.

use super::Filters;
use crate::data::{Mutation, use_form, use_mutation};
use crate::error::AppError;
use crate::ui::{
    Button, Dialog, DialogBody, DialogFoot, Field, FormError, Glyph, Icon, IconButton, Popover, TextInput,
    Variant, use_toasts,
};
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::ViewId;
use limn_domain::explore::{ExploreQuery, NewView, SavedView};
use limn_domain::item_explore::ItemView;
use std::future::Future;

/// A view that is kept, of whatever.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    id: ViewId,
    name: String,
    query: ExploreQuery,
}

impl From<SavedView> for Kept {
    fn from(v: SavedView) -> Self {
        Self {
            id: v.id,
            name: v.name,
            query: v.query,
        }
    }
}

impl From<ItemView> for Kept {
    fn from(v: ItemView) -> Self {
        Self {
            id: v.id,
            name: v.name,
            query: v.query,
        }
    }
}

fn kept<V: Into<Kept>>(list: Vec<V>) -> Vec<Kept> {
    list.into_iter().map(Into::into).collect()
}

/// The views of a page, to be read, kept and deleted.
#[derive(Clone, Copy)]
pub struct ViewsOf {
    /// None before they were read.
    list: RwSignal<Option<Vec<Kept>>>,
    /// Reads them.
    read: Callback<()>,
    save: Mutation<NewView>,
    remove: Mutation<ViewId>,
    /// Whether the form is shown.
    saving: RwSignal<bool>,
    may: bool,
    whose: &'static str,
}

/// Makes them of what answers all views, keeps one, and deletes one; `may`: whether the person may keep and delete some;
/// `whose`: who sees them, "everybody who may see the dataset".
pub fn use_views<V, R, S, D>(
    read: impl Fn() -> R + Send + Sync + 'static,
    save: impl Fn(NewView) -> S + Send + Sync + 'static,
    remove: impl Fn(ViewId) -> D + Send + Sync + 'static,
    may: bool,
    whose: &'static str,
) -> ViewsOf
where
    V: Into<Kept> + 'static,
    R: Future<Output = Result<Vec<V>, AppError>> + 'static,
    S: Future<Output = Result<Vec<V>, AppError>> + 'static,
    D: Future<Output = Result<Vec<V>, AppError>> + 'static,
{
    let list = RwSignal::new(None::<Vec<Kept>>);
    let saving = RwSignal::new(false);
    let toasts = use_toasts();
    let read = Callback::new(move |()| {
        let answer = read();
        spawn_local(async move {
            match answer.await {
                Ok(found) => drop(list.try_set(Some(kept(found)))),
                Err(error) => toasts.error(&error),
            }
        });
    });
    ViewsOf {
        list,
        read,
        save: use_form(save, move |_: Vec<V>| {
            saving.set(false);
            toasts.ok("View saved.");
        }),
        remove: use_mutation(remove, move |left: Vec<V>| list.set(Some(kept(left)))),
        saving,
        may,
        whose,
    }
}

#[component]
pub fn Views(of: Filters, views: ViewsOf) -> impl IntoView {
    let ViewsOf {
        list, saving, may, ..
    } = views;
    let read = move |opens: bool| {
        if opens {
            views.read.run(());
        }
    };
    view! {
        <Popover
            id="explore-views"
            label="Views"
            class="menu explore__views"
            trigger_class="btn"
            trigger=ViewFn::from(|| view! { <Icon glyph=Glyph::Filter/>"Views" })
            on_toggle=Callback::new(read)
        >
            {move || match list.get() {
                None => view! { <p class="faint pad">"Reading..."</p> }.into_any(),
                Some(l) if l.is_empty() => view! { <p class="faint pad">"No view yet. Filter, then keep the filter under a name."</p> }.into_any(),
                Some(l) => l.into_iter().map(|v| {
                    let (query, label) = (v.query.clone(), format!("Delete the view {}", v.name));
                    view! {
                        <div class="explore__view">
                            <button type="button" class="menu__item grow" data-close="" on:click=move |_| of.change.run(query.clone())>{v.name.clone()}</button>
                            {may.then(|| view! { <IconButton glyph=Glyph::Trash label on_click=move || views.remove.run(v.id)/> })}
                        </div>
                    }
                }).collect_view().into_any(),
            }}
            {may.then(|| view! {
                <button type="button" class="menu__item" data-close="" on:click=move |_| saving.set(true)><Icon glyph=Glyph::Plus/>"Save this view"</button>
            })}
        </Popover>
        <Dialog open=saving title="Save this view" description=format!("The filters and the order, for {}.", views.whose)>
            <Save of views/>
        </Dialog>
    }
}

#[component]
fn Save(of: Filters, views: ViewsOf) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let (save, open) = (views.save, views.saving);
    view! {
        <form on:submit=move |ev| {
            ev.prevent_default();
            save.run(NewView { name: name.get_untracked(), query: of.query.get_untracked() });
        }>
            <DialogBody>
                <FormError error=save.error fields=&["name"]/>
                <Field name="name" id="view-name" label="Name" errors=save.error hint="A view of the same name is replaced.">
                    <TextInput value=name autofocus=true autocomplete="off"/>
                </Field>
            </DialogBody>
            <DialogFoot>
                <Button variant=Variant::Quiet on_click=move || open.set(false)>"Cancel"</Button>
                <Button variant=Variant::Primary submit=true loading=save.pending>"Save"</Button>
            </DialogFoot>
        </form>
    }
}
