//! `/setup?token=`: the first admin.

use super::api;
use super::frame::{Frame, enter, use_live};
use crate::data::use_form;
use crate::error::AppError;
use crate::ui::{Button, ButtonSize, ErrorView, Field, FormError, TextInput, Variant};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use limn_domain::Code;
use limn_domain::user::{Me, NewUser};

#[component]
pub fn SetupPage() -> impl IntoView {
    let secret = use_query_map()
        .with_untracked(|q| q.get("token"))
        .unwrap_or_default();
    if secret.is_empty() {
        let error = AppError::new(
            Code::NotFound,
            "The set-up link is incomplete. Copy it whole from what Limn printed when it started.",
        );
        return view! { <main class="alone"><ErrorView page=true error/></main> }.into_any();
    }
    let name = RwSignal::new(String::new());
    let email = RwSignal::new(String::new());
    let password = RwSignal::new(String::new());
    let live = use_live();
    let leaving = RwSignal::new(false);
    let form = use_form(
        move |user: NewUser| api::set_up(secret.clone(), user),
        move |_: Me| {
            leaving.set(true);
            enter("/");
        },
    );
    let submit = move || {
        form.run(NewUser {
            email: email.get_untracked(),
            name: name.get_untracked(),
            password: password.get_untracked(),
        });
    };
    view! {
        <Frame title="Set up Limn" text="Make your account. You will be the admin of this studio.">
            <form
                class="form"
                method="post"
                on:submit=move |ev| {
                    ev.prevent_default();
                    submit();
                }
            >
                <FormError error=form.error fields=&["name", "email", "password"]/>
                <Field name="name" label="Name" errors=form.error>
                    <TextInput value=name autocomplete="name" autofocus=true required=true/>
                </Field>
                <Field name="email" label="Email" errors=form.error>
                    <TextInput value=email kind="email" autocomplete="username" required=true/>
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
                    "Create the admin account"
                </Button>
            </form>
        </Frame>
    }
    .into_any()
}
