//! Saved views: filters that were kept under a name.

use super::super::api;
use super::Explorer;
use crate::data::{use_form, use_mutation};
use crate::ui::{
    Button, Dialog, DialogBody, DialogFoot, Field, FormError, Glyph, Icon, IconButton, Popover, TextInput,
    Variant, use_toasts,
};
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::authz::Action;
use limn_domain::explore::{NewView, SavedView};

#[component]
pub fn Views(e: Explorer) -> impl IntoView {
    let list = RwSignal::new(None::<Vec<SavedView>>);
    let saving = RwSignal::new(false);
    let may = e.ctx.may(Action::AddVersions);
    let read = move |opens: bool| {
        if opens {
            spawn_local(async move {
                if let Ok(found) = api::dataset_views(e.ctx.id).await {
                    list.try_set(Some(found));
                }
            });
        }
    };
    let remove = use_mutation(
        move |v| api::dataset_delete_view(e.ctx.id, v),
        move |left| list.set(Some(left)),
    );
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
                            <button type="button" class="menu__item grow" data-close="" on:click=move |_| e.change.run(query.clone())>{v.name.clone()}</button>
                            {may.then(|| view! { <IconButton glyph=Glyph::Trash label on_click=move || remove.run(v.id)/> })}
                        </div>
                    }
                }).collect_view().into_any(),
            }}
            {may.then(|| view! {
                <button type="button" class="menu__item" data-close="" on:click=move |_| saving.set(true)><Icon glyph=Glyph::Plus/>"Save this view"</button>
            })}
        </Popover>
        <Dialog open=saving title="Save this view" description="The filters and the order, for everybody who may see the dataset.">
            <Save e open=saving/>
        </Dialog>
    }
}

#[component]
fn Save(e: Explorer, open: RwSignal<bool>) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let toasts = use_toasts();
    let save = use_form(
        move |input| api::dataset_save_view(e.ctx.id, input),
        move |_: Vec<SavedView>| {
            open.set(false);
            toasts.ok("View saved.");
        },
    );
    view! {
        <form on:submit=move |ev| {
            ev.prevent_default();
            save.run(NewView { name: name.get_untracked(), query: e.query.get_untracked() });
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
