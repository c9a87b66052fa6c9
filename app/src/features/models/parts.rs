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
            let href = same_tag(number.is_some(), &k, &v);
            let title = if number.is_some() { "Models with a version of this tag" } else { "Models with this tag" };
            view! {
                <li>
                    <span class="model-tag">
                        <b>{k.clone()}</b>
                        <a class="link" href=href title=title>{v}</a>
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

/// The list of the models that have this tag too, or versions that do.
fn same_tag(of_version: bool, key: &str, value: &str) -> String {
    let entity = if of_version { "version_tags" } else { "tags" };
    let filter = format!(
        "{entity}.`{}` = '{}'",
        key.replace('`', "``"),
        value.replace('\'', "''")
    );
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

#[cfg(test)]
mod tests {
    use super::*;
    use limn_domain::filter::{Clause, Entity, MODELS, Op, Value};

    #[test]
    fn a_tag_leads_to_its_like() {
        let (key, value) = ("it's a `key`", "don't");
        for (of_version, entity) in [(false, Entity::Tag), (true, Entity::VersionTag)] {
            let href = same_tag(of_version, key, value);
            let coded = href.strip_prefix("/models?q=").unwrap_or_default();
            let wanted = Clause {
                entity,
                key: key.to_owned(),
                op: Op::Eq,
                value: Value::Text(value.to_owned()),
            };
            assert_eq!(MODELS.parse(&decoded(coded)), Ok(vec![wanted]), "{href}");
        }
    }

    fn decoded(text: &str) -> String {
        let mut parts = text.split('%');
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let code = u8::from_str_radix(&part[..2], 16).unwrap_or_default();
            out.push(char::from(code));
            out.push_str(&part[2..]);
        }
        out
    }
}
