//! `/invite?token=`: an account from an invitation.

use super::api;
use super::frame::{Frame, enter, use_live};
use crate::data::{use_form, use_load};
use crate::ui::{Button, ButtonSize, ErrorView, Field, FormError, TextInput, Variant};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use limn_domain::user::{Invitation, Me, NewUser};

#[component]
pub fn InvitePage() -> impl IntoView {
    let secret = use_query_map()
        .with_untracked(|q| q.get("token"))
        .unwrap_or_default();
    let offer = {
        let secret = secret.clone();
        use_load(move || secret.clone(), api::auth_invitation)
    };
    view! {
        <Suspense>
            {move || {
                let secret = secret.clone();
                Suspend::new(async move {
                    match offer.await {
                        Ok(invitation) => view! { <Accept secret invitation/> }.into_any(),
                        Err(error) => view! { <main class="alone"><ErrorView page=true error/></main> }.into_any(),
                    }
                })
            }}
        </Suspense>
    }
}

#[component]
fn Accept(secret: String, invitation: Invitation) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let password = RwSignal::new(String::new());
    let email = RwSignal::new(invitation.email.clone());
    let live = use_live();
    let leaving = RwSignal::new(false);
    let to = invitation
        .project_id
        .map_or_else(|| "/".to_owned(), |p| format!("/projects/{p}"));
    let form = use_form(
        move |user: NewUser| api::accept_invitation(secret.clone(), user),
        move |_: Me| {
            leaving.set(true);
            enter(&to);
        },
    );
    let submit = move || {
        form.run(NewUser {
            email: email.get_untracked(),
            name: name.get_untracked(),
            password: password.get_untracked(),
        });
    };
    let text = format!(
        "You are invited as {}. {}.",
        invitation.role.label(),
        invitation.role.describe()
    );
    view! {
        <Frame title="Join Limn" text>
            <form
                class="form"
                method="post"
                on:submit=move |ev| {
                    ev.prevent_default();
                    submit();
                }
            >
                <FormError error=form.error fields=&["name", "email", "password"]/>
                <Field name="email" label="Email" errors=form.error hint="Fixed by the invitation.">
                    <TextInput value=email kind="email" autocomplete="username" disabled=true/>
                </Field>
                <Field name="name" label="Name" errors=form.error>
                    <TextInput value=name autocomplete="name" autofocus=true required=true/>
                </Field>
                <Field name="password" label="Password" errors=form.error hint="At least 10 characters; a few words make a good password.">
                    <TextInput value=password kind="password" autocomplete="new-password" required=true/>
                </Field>
                <Button
                    variant=Variant::Primary
                    size=ButtonSize::Large
                    submit=true
                    disabled=Signal::derive(move || !live.get())
                    loading=Signal::derive(move || form.pending.get() || leaving.get())
                    class="btn--wide"
                >
                    "Join"
                </Button>
            </form>
        </Frame>
    }
}
