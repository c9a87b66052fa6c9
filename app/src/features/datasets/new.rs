//! A new dataset with its first version.

use super::api;
use super::list::glyph;
use super::source::{Source, SourceFields, outcome};
use crate::data::use_form;
use crate::error::AppError;
use crate::job::{Watch, follow};
use crate::session::use_session;
use crate::ui::{
    Breadcrumbs, Button, Card, Checkbox, Choice, Field, FormError, Glyph, Notice, PageHead, RadioCards,
    TextArea, TextInput, Tone, Variant,
};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use limn_domain::DatasetId;
use limn_domain::authz::Action;
use limn_domain::dataset::{DatasetKind, NewDataset, NewVersion, Visibility};
use limn_domain::job::Job;

/// Tags apart by commas.
pub fn tags(text: &str) -> Vec<String> {
    text.split(',')
        .map(|t| t.trim().to_owned())
        .filter(|t| !t.is_empty())
        .collect()
}

/// `/data/new`, or `/data/new?project=ID` from a project
#[component]
pub fn NewDatasetPage() -> impl IntoView {
    let session = use_session();
    let crumbs = Signal::derive(|| {
        vec![
            ("Data".to_owned(), "/data".to_owned()),
            ("New dataset".to_owned(), String::new()),
        ]
    });
    view! {
        <Breadcrumbs items=crumbs/>
        <PageHead title="New dataset" sub=ViewFn::from(|| "A name that stays, and versions that never change.")/>
        <Show
            when=move || session.may(Action::CreateDataset)
            fallback=|| view! { <Notice>"Only managers and admins create datasets. Ask one of them."</Notice> }
        >
            <Form/>
        </Show>
    }
}

#[component]
fn Form() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let project = query.get("project");
    let kind = RwSignal::new(query.get("kind").unwrap_or_else(|| "images".to_owned()));
    let name = RwSignal::new(query.get("name").unwrap_or_default());
    let description = RwSignal::new(String::new());
    let tag_text = RwSignal::new(String::new());
    let licence = RwSignal::new(String::new());
    let open_to_all = RwSignal::new(false);
    let source = Source::new(project);
    let chosen = Signal::derive(move || kind.with(|k| k.parse().unwrap_or(DatasetKind::Images)));
    // Once it is made, a failed registration does not make it again.
    let made = RwSignal::new(None::<DatasetId>);
    let job = RwSignal::new(None::<Job>);
    let failure = RwSignal::new(None::<String>);
    let navigate = use_navigate();
    let go = move |id: DatasetId| navigate(&format!("/data/{id}"), NavigateOptions::default());
    let start = use_form(
        move |with_version: bool| async move {
            let id = if let Some(id) = made.get_untracked() {
                id
            } else {
                let input = NewDataset {
                    name: name.get_untracked(),
                    kind: chosen.get_untracked(),
                    description: description.get_untracked(),
                    tags: tags(&tag_text.get_untracked()),
                    licence: licence.get_untracked(),
                    visibility: if open_to_all.get_untracked() {
                        Visibility::Studio
                    } else {
                        Visibility::Private
                    },
                };
                let id = api::dataset_create(input).await?.summary.id;
                made.try_set(Some(id));
                id
            };
            if !with_version {
                return Ok((id, None));
            }
            let input = NewVersion {
                source: source.take(Vec::new()).await?,
                note: source.note.get_untracked(),
            };
            Ok::<_, AppError>((id, Some(api::dataset_register(id, input).await?)))
        },
        {
            let go = go.clone();
            move |(id, started): (DatasetId, Option<Job>)| {
                let Some(started) = started else {
                    return go(id);
                };
                let job_id = started.id;
                failure.set(None);
                job.set(Some(started));
                let go = go.clone();
                follow(
                    job,
                    job_id,
                    Callback::new(move |j: Job| match outcome(&j) {
                        Ok(_) => go(id),
                        Err(why) => {
                            job.set(None);
                            failure.set(Some(why));
                        }
                    }),
                );
            }
        },
    );
    let named = move || name.with(|n| !n.trim().is_empty());
    let kinds = DatasetKind::ALL
        .map(|k| Choice::new(k.as_str(), k.label(), k.describe()).with_icon(glyph(k)))
        .into();
    view! {
        <form
            class="data-new"
            on:submit=move |ev| {
                ev.prevent_default();
                start.run(true);
            }
        >
            <Card title="The dataset">
                <div class="data-form">
                    <Field name="name" label="Name" errors=start.error>
                        <TextInput value=name autofocus=true autocomplete="off" placeholder="Street scenes"/>
                    </Field>
                    <div class="data-kinds"><RadioCards value=kind name="kind" label="Kind" choices=kinds/></div>
                    <Field name="description" label="Description" optional=true errors=start.error hint="Markdown: where it comes from, what is in it, what it is good for">
                        <TextArea value=description rows=4/>
                    </Field>
                    <div class="data-pair">
                        <Field name="tags" label="Tags" optional=true errors=start.error hint="Apart by commas">
                            <TextInput value=tag_text autocomplete="off" placeholder="street, night"/>
                        </Field>
                        <Field name="licence" label="Licence" optional=true errors=start.error hint="Such as CC-BY-4.0">
                            <TextInput value=licence autocomplete="off"/>
                        </Field>
                    </div>
                    <Checkbox checked=open_to_all label="Everybody with an account may read it" hint="Otherwise only its members see that it exists"/>
                </div>
            </Card>
            <Card title="The first version">
                {move || if job.with(Option::is_some) {
                    view! { <Watch job/> }.into_any()
                } else {
                    view! { <SourceFields source kind=chosen versions=Signal::derive(Vec::new)/> }.into_any()
                }}
                {move || failure.get().map(|why| view! { <Notice tone=Tone::Bad>{why}</Notice> })}
                <FormError error=start.error fields=&["name", "description", "tags", "licence"]/>
            </Card>
            <div class="data-new__foot">
                <Button
                    variant=Variant::Quiet
                    disabled=Signal::derive(move || !named() || job.with(Option::is_some))
                    on_click=move || start.run(false)
                >
                    "Create without a version"
                </Button>
                <Button
                    variant=Variant::Primary
                    icon=Glyph::Check
                    submit=true
                    loading=Signal::derive(move || start.pending.get() || job.with(Option::is_some))
                    disabled=Signal::derive(move || !named() || !source.is_ready())
                >
                    "Create and register"
                </Button>
            </div>
        </form>
    }
}
