//! Saved views: filters that were kept under a name.

use super::Filters;
use crate::data::Mutation;
use crate::ui::{
    Button, Dialog, DialogBody, DialogFoot, Field, FormError, Glyph, Icon, IconButton, Popover, TextInput,
    Variant,
};
use leptos::prelude::*;
use limn_domain::ViewId;
use limn_domain::explore::{ExploreQuery, NewView};

/// A view that is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    pub id: ViewId,
    pub name: String,
    pub query: ExploreQuery,
}

/// What the views of a page are made of.
#[derive(Clone, Copy)]
pub struct ViewsOf {
    /// None before they were read.
    pub list: RwSignal<Option<Vec<Kept>>>,
    /// Reads them.
    pub read: Callback<()>,
    pub save: Mutation<NewView>,
    pub remove: Mutation<ViewId>,
    /// Whether the form is shown; closed by whoever saves.
    pub saving: RwSignal<bool>,
    /// Whether the person may keep and delete some.
    pub may: bool,
    /// Who sees them: "everybody who may see the dataset".
    pub whose: &'static str,
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
