//! What can be done with a datastore: test, edit, rotate, disable, delete.

use super::api;
use super::form::{StoreFields, Values, Which};
use crate::data::{use_form, use_mutation};
use crate::session::use_session;
use crate::ui::{
    Button, Checkbox, ConfirmDialog, Dialog, DialogBody, DialogFoot, Field, FormError, Glyph, Menu, MenuItem,
    MenuLine, Notice, TextInput, Variant, use_toasts,
};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use limn_domain::authz::Action;
use limn_domain::datastore::{Datastore, RotateSecrets, TestOutcome, UpdateDatastore};

#[component]
pub fn Acts(store: RwSignal<Datastore>) -> impl IntoView {
    let session = use_session();
    let toasts = use_toasts();
    let id = store.with_untracked(|s| s.id);
    let (editing, rotating, deleting) = (RwSignal::new(false), RwSignal::new(false), RwSignal::new(false));
    let reload = move || {
        spawn_local(async move {
            if let Ok(s) = api::datastore_get(id).await {
                store.try_set(s);
            }
        });
    };
    let test = use_mutation(
        move |()| api::datastore_test(id),
        move |o: TestOutcome| {
            if o.ok {
                toasts.ok(o.message);
            } else {
                toasts.fail(o.message);
            }
            reload();
        },
    );
    let switch = use_mutation(
        move |enabled: bool| {
            let input = UpdateDatastore {
                enabled: Some(enabled),
                ..UpdateDatastore::default()
            };
            api::datastore_update(id, input)
        },
        move |s: Datastore| {
            toasts.ok(if s.enabled {
                "In use again."
            } else {
                "Disabled: nobody reads from it until it is enabled."
            });
            store.set(s);
        },
    );
    let enabled = Memo::new(move |_| store.with(|s| s.enabled));
    let has_secrets =
        store.with_untracked(|s| limn_domain::datastore::fields(s.kind).iter().any(|f| f.secret));
    view! {
        <Button icon=Glyph::Plug loading=test.pending disabled=Signal::derive(move || !enabled.get()) on_click=move || test.run(())>"Test"</Button>
        {move || session.may(Action::ManageDatastores).then(|| view! {
            {has_secrets.then(|| view! {
                <Button icon=Glyph::Key class="head__wide" on_click=move || rotating.set(true)>"Rotate credentials"</Button>
            })}
            <Menu id="store-menu" label="More actions" trigger_class="btn btn--icon" end=true>
                <MenuItem icon=Glyph::Pencil on_click=move || editing.set(true)>"Edit"</MenuItem>
                {has_secrets.then(|| view! {
                    <MenuItem icon=Glyph::Key on_click=move || rotating.set(true)>"Rotate credentials"</MenuItem>
                })}
                <Show
                    when=move || enabled.get()
                    fallback=move || view! { <MenuItem icon=Glyph::Play on_click=move || switch.run(true)>"Enable"</MenuItem> }
                >
                    <MenuItem icon=Glyph::Pause on_click=move || switch.run(false)>"Disable"</MenuItem>
                </Show>
                <MenuLine/>
                <MenuItem icon=Glyph::Trash variant=Variant::Danger on_click=move || deleting.set(true)>"Delete"</MenuItem>
            </Menu>
            <EditDialog store open=editing/>
            <RotateDialog store open=rotating/>
            <DeleteDialog store open=deleting/>
        })}
    }
}

#[component]
fn EditDialog(store: RwSignal<Datastore>, open: RwSignal<bool>) -> impl IntoView {
    view! {
        <Dialog open title="Edit the datastore" description="A changed connection is tested before it is kept.">
            <EditForm store open/>
        </Dialog>
    }
}

#[component]
fn EditForm(store: RwSignal<Datastore>, open: RwSignal<bool>) -> impl IntoView {
    let toasts = use_toasts();
    let was = store.get_untracked();
    let (id, kind) = (was.id, was.kind);
    let name = RwSignal::new(was.name.clone());
    let description = RwSignal::new(was.description.clone());
    let values = StoredValue::new(Values::new(kind, Some(&was)));
    let save = use_form(
        move |()| {
            let input = UpdateDatastore {
                name: Some(name.get_untracked()),
                description: Some(description.get_untracked()),
                settings: Some(values.with_value(Values::settings)),
                enabled: None,
            };
            api::datastore_update(id, input)
        },
        move |s: Datastore| {
            toasts.ok("Saved.");
            open.set(false);
            store.set(s);
        },
    );
    view! {
        <form
            on:submit=move |ev| {
                ev.prevent_default();
                save.run(());
            }
        >
            <DialogBody>
                <div class="data-form">
                    <Field name="name" label="Name" errors=save.error><TextInput value=name autocomplete="off"/></Field>
                    <Field name="description" label="Description" optional=true errors=save.error><TextInput value=description autocomplete="off"/></Field>
                    <StoreFields values=values.get_value() errors=save.error which=Which::Settings/>
                    <FormError error=save.error/>
                </div>
            </DialogBody>
            <DialogFoot>
                <Button variant=Variant::Quiet on_click=move || open.set(false)>"Cancel"</Button>
                <Button variant=Variant::Primary submit=true loading=save.pending>"Save"</Button>
            </DialogFoot>
        </form>
    }
}

#[component]
fn RotateDialog(store: RwSignal<Datastore>, open: RwSignal<bool>) -> impl IntoView {
    view! {
        <Dialog
            open
            title="Rotate credentials"
            description="The new ones are tested; the old ones stay in use until they work. Jobs that run go on with the new ones."
        >
            <RotateForm store open/>
        </Dialog>
    }
}

#[component]
fn RotateForm(store: RwSignal<Datastore>, open: RwSignal<bool>) -> impl IntoView {
    let toasts = use_toasts();
    let was = store.get_untracked();
    let (id, kind) = (was.id, was.kind);
    let values = StoredValue::new(Values::new(kind, Some(&was)));
    let save = use_form(
        move |()| {
            let input = RotateSecrets {
                secrets: values.with_value(Values::secrets),
                settings: values.with_value(Values::settings),
            };
            api::datastore_rotate(id, input)
        },
        move |s: Datastore| {
            values.with_value(Values::forget);
            toasts.ok("The new credentials work and are in use.");
            open.set(false);
            store.set(s);
        },
    );
    view! {
        <form
            on:submit=move |ev| {
                ev.prevent_default();
                save.run(());
            }
        >
            <DialogBody>
                <div class="data-form">
                    <Notice>"Give all credentials anew; those left empty are removed."</Notice>
                    <StoreFields values=values.get_value() errors=save.error which=Which::All/>
                    <FormError error=save.error/>
                </div>
            </DialogBody>
            <DialogFoot>
                <Button variant=Variant::Quiet on_click=move || open.set(false)>"Cancel"</Button>
                <Button variant=Variant::Primary icon=Glyph::Key submit=true loading=save.pending>"Test and use"</Button>
            </DialogFoot>
        </form>
    }
}

#[component]
fn DeleteDialog(store: RwSignal<Datastore>, open: RwSignal<bool>) -> impl IntoView {
    let navigate = use_navigate();
    let toasts = use_toasts();
    let anyway = RwSignal::new(false);
    let (id, projects) = store.with_untracked(|s| (s.id, s.projects));
    let gone = use_form(
        move |()| api::datastore_delete(id, anyway.get_untracked()),
        move |()| {
            toasts.ok("Deleted.");
            navigate("/datastores", NavigateOptions::default());
        },
    );
    let name = move || store.with(|s| s.name.clone());
    if projects == 0 {
        return view! {
            <ConfirmDialog
                open
                title=Signal::derive(move || format!("Delete {}?", name()))
                text="Its settings and credentials are removed from this server. What is in the store itself stays as it is, and so do datasets that were made of it."
                confirm="Delete"
                pending=gone.pending
                error=gone.error
                on_confirm=Callback::new(move |()| gone.run(()))
            />
        }
        .into_any();
    }
    view! {
        <Dialog open title=Signal::derive(move || format!("Delete {}?", name()))>
            <form
                on:submit=move |ev| {
                    ev.prevent_default();
                    gone.run(());
                }
            >
                <DialogBody>
                    <div class="data-form">
                        <p class="muted">{format!("{projects} labeling projects take files from it. Their items and labels stay; they are refreshed from it no more.")}</p>
                        <Checkbox checked=anyway label="Delete it all the same"/>
                        <FormError error=gone.error/>
                    </div>
                </DialogBody>
                <DialogFoot>
                    <Button variant=Variant::Quiet on_click=move || open.set(false)>"Cancel"</Button>
                    <Button variant=Variant::Danger submit=true loading=gone.pending disabled=Signal::derive(move || !anyway.get())>"Delete"</Button>
                </DialogFoot>
            </form>
        </Dialog>
    }
    .into_any()
}
