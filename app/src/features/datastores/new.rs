//! `/datastores/new`: the connect wizard: a kind, its fields, a live test, done.

use super::api;
use super::form::{StoreFields, Values, Which};
use super::list::glyph;
use crate::data::use_form;
use crate::session::use_session;
use crate::ui::{
    Breadcrumbs, Button, Card, Field, FormError, Glyph, Icon, Notice, PageHead, TextInput, Tone, Variant,
    use_toasts,
};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use limn_domain::authz::Action;
use limn_domain::datastore::{Datastore, DatastoreKind, NewDatastore, TestOutcome};

#[component]
pub fn NewDatastorePage() -> impl IntoView {
    let session = use_session();
    let crumbs = Signal::derive(|| {
        vec![
            ("Datastores".to_owned(), "/datastores".to_owned()),
            ("Connect".to_owned(), String::new()),
        ]
    });
    let kind = RwSignal::new(None::<DatastoreKind>);
    view! {
        <Breadcrumbs items=crumbs/>
        <PageHead title="Connect a datastore" sub=ViewFn::from(|| "Limn only reads from it. Give it a login that can do no more.")/>
        <Show
            when=move || session.may(Action::ManageDatastores)
            fallback=|| view! { <Notice>"Only admins connect datastores. Ask one of them."</Notice> }
        >
            {move || match kind.get() {
                None => view! { <Kinds kind/> }.into_any(),
                Some(k) => view! { <Form k kind/> }.into_any(),
            }}
        </Show>
    }
}

#[component]
fn Kinds(kind: RwSignal<Option<DatastoreKind>>) -> impl IntoView {
    let group = move |sql: bool| {
        DatastoreKind::ALL
            .into_iter()
            .filter(move |k| k.is_sql() == sql)
            .map(|k| {
                view! {
                    <li>
                        <button type="button" class="card store-kind" on:click=move |_| kind.set(Some(k))>
                            <span class="project-card__icon"><Icon glyph=glyph(k) size=18/></span>
                            <span class="grow">
                                <b>{k.label()}</b>
                                <span class="muted">{k.describe()}</span>
                            </span>
                            <Icon glyph=Glyph::ChevronRight/>
                        </button>
                    </li>
                }
            })
            .collect_view()
    };
    view! {
        <h2 class="store-kinds__h">"Files"</h2>
        <ul class="store-kinds">{group(false)}</ul>
        <h2 class="store-kinds__h">"Databases"</h2>
        <ul class="store-kinds">{group(true)}</ul>
    }
}

#[component]
fn Form(k: DatastoreKind, kind: RwSignal<Option<DatastoreKind>>) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let description = RwSignal::new(String::new());
    let values = StoredValue::new(Values::new(k, None));
    let outcome = RwSignal::new(None::<TestOutcome>);
    // A test says nothing of what was changed after it, but for what it has filled in itself.
    let filled = StoredValue::new(false);
    Effect::new(move |_| {
        values.with_value(Values::track);
        if filled.get_value() {
            filled.set_value(false);
        } else {
            outcome.set(None);
        }
    });
    let toasts = use_toasts();
    let navigate = use_navigate();
    let input = move || NewDatastore {
        name: name.get_untracked(),
        kind: k,
        description: description.get_untracked(),
        settings: values.with_value(Values::settings),
        secrets: values.with_value(Values::secrets),
    };
    let test = use_form(
        move |()| api::datastore_try(input()),
        move |o: TestOutcome| {
            // What was seen is what is connected to: another host key in between is refused.
            filled.set_value(values.with_value(|v| v.learn(&o.learned)));
            outcome.set(Some(o));
        },
    );
    let save = use_form(
        move |()| api::datastore_create(input()),
        move |store: Datastore| {
            values.with_value(Values::forget);
            toasts.ok(format!("{} is connected.", store.name));
            navigate(&format!("/datastores/{}", store.id), NavigateOptions::default());
        },
    );
    let errors = Signal::derive(move || save.error.get().or_else(|| test.error.get()));
    let complete = move || values.with_value(Values::is_complete);
    view! {
        <form
            class="data-new"
            on:submit=move |ev| {
                ev.prevent_default();
                save.run(());
            }
        >
            <Card
                title=k.label()
                aside=ViewFn::from(move || view! {
                    <Button variant=Variant::Quiet icon=Glyph::ArrowLeft on_click=move || kind.set(None)>"Another kind"</Button>
                })
            >
                <div class="data-form">
                    <Field name="name" label="Name" errors hint="What people choose it by">
                        <TextInput value=name autofocus=true autocomplete="off" placeholder="Street photos"/>
                    </Field>
                    <StoreFields values=values.get_value() errors which=Which::All/>
                    <Field name="description" label="Description" optional=true errors>
                        <TextInput value=description autocomplete="off"/>
                    </Field>
                </div>
            </Card>
            <div role="status" class="store-outcome">
                {move || outcome.get().map(|o| view! { <Outcome outcome=o/> })}
            </div>
            <FormError error=errors/>
            <div class="data-new__foot">
                <Button icon=Glyph::Plug loading=test.pending disabled=Signal::derive(move || !complete()) on_click=move || test.run(())>
                    "Test the connection"
                </Button>
                <Button
                    variant=Variant::Primary
                    icon=Glyph::Check
                    submit=true
                    loading=save.pending
                    disabled=Signal::derive(move || !complete() || name.with(|n| n.trim().is_empty()))
                >
                    "Connect"
                </Button>
            </div>
        </form>
    }
}

/// What a test found.
#[component]
pub fn Outcome(outcome: TestOutcome) -> impl IntoView {
    let tone = if outcome.ok { Tone::Ok } else { Tone::Bad };
    view! {
        <Notice tone>
            <p>{outcome.message}</p>
            {outcome.learned.into_iter().map(|(key, value)| view! {
                <p class="faint">{key.replace('_', " ")}": "<span class="mono break">{value}</span></p>
            }).collect_view()}
        </Notice>
        {outcome.warnings.into_iter().map(|w| view! { <Notice tone=Tone::Warn>{w}</Notice> }).collect_view()}
    }
}
