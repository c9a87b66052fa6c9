//! Small parts that the pages of models share.

use super::api;
use crate::data::{use_form, use_mutation};
use crate::error::AppError;
use crate::fmt;
use crate::session::use_session;
use crate::ui::{
    Button, Card, Dialog, DialogBody, DialogFoot, Field, FormError, Glyph, IconButton, TextArea, TextInput,
    Variant,
};
use leptos::prelude::*;
use limn_domain::authz::Action;
use limn_domain::run::Tags;

/// Tags of a model or a version, to be added and removed.
#[component]
pub fn TagsCard(name: String, number: Option<i64>, tags: Tags, again: Callback<()>) -> impl IntoView {
    let session = use_session();
    let (key, value) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let model = StoredValue::new(name);
    let add = use_form(
        move |()| {
            api::model_set_tag(
                model.get_value(),
                number,
                key.get_untracked(),
                Some(value.get_untracked()),
            )
        },
        move |()| {
            key.set(String::new());
            value.set(String::new());
            again.run(());
        },
    );
    let remove = use_mutation(
        move |key: String| api::model_set_tag(model.get_value(), number, key, None),
        move |()| again.run(()),
    );
    let rows = tags
        .into_iter()
        .map(|(k, v)| {
            let this = StoredValue::new(k.clone());
            // Models are found by their tags, versions by the protocol alone.
            let others = number.is_none().then(|| same_tag(&k, &v));
            view! {
                <li>
                    <span class="model-tag">
                        <b>{k.clone()}</b>
                        {match others {
                            Some(href) => view! { <a class="link" href=href title="Models with this tag">{v}</a> }.into_any(),
                            None => view! { <span>{v}</span> }.into_any(),
                        }}
                    </span>
                    {move || session.may(Action::LogRuns).then(|| view! {
                        <IconButton glyph=Glyph::X label=format!("Remove the tag {}", this.get_value()) on_click=move || remove.run(this.get_value())/>
                    })}
                </li>
            }
        })
        .collect_view();
    view! {
        <Card title="Tags">
            <ul class="model-tags">{rows}</ul>
            {move || session.may(Action::LogRuns).then(|| view! {
                <form class="model-tags__add" on:submit=move |ev| {
                    ev.prevent_default();
                    add.run(());
                }>
                    <TextInput value=key placeholder="Key" label="Key of a new tag"/>
                    <TextInput value=value placeholder="Value" label="Value of a new tag"/>
                    <Button submit=true loading=add.pending disabled=Signal::derive(move || key.with(String::is_empty))>"Add"</Button>
                </form>
                <FormError error=add.error/>
            })}
        </Card>
    }
}

/// The list of the models that have this tag too.
fn same_tag(key: &str, value: &str) -> String {
    let filter = format!("tags.`{key}` = '{}'", value.replace('\'', "''"));
    format!("/models?q={}", fmt::encode(&filter))
}

/// Changing a description.
#[component]
pub fn DescribeDialog(
    open: RwSignal<bool>,
    text: RwSignal<String>,
    error: RwSignal<Option<AppError>>,
    pending: RwSignal<bool>,
    on_save: Callback<()>,
) -> impl IntoView {
    view! {
        <Dialog open title="Description">
            <form on:submit=move |ev| {
                ev.prevent_default();
                on_save.run(());
            }>
                <DialogBody>
                    <Field name="value" label="What it is for, how it was made, where it fails" hint="Markdown" errors=error>
                        <TextArea value=text rows=12/>
                    </Field>
                    <FormError error fields=&["value"]/>
                </DialogBody>
                <DialogFoot><Button variant=Variant::Primary submit=true loading=pending>"Save"</Button></DialogFoot>
            </form>
        </Dialog>
    }
}
