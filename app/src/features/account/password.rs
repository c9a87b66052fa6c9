//! Changing the own password.

use super::api;
use crate::data::use_form;
use crate::ui::{Button, Card, Field, FormError, TextInput, use_toasts};
use leptos::prelude::*;
use limn_domain::user::ChangePassword;

#[component]
pub fn PasswordCard() -> impl IntoView {
    let toasts = use_toasts();
    let current = RwSignal::new(String::new());
    let new = RwSignal::new(String::new());
    let form = use_form(api::account_password, move |()| {
        current.set(String::new());
        new.set(String::new());
        toasts.ok("Password changed. Your other sessions have ended.");
    });
    let empty = Signal::derive(move || current.with(String::is_empty) || new.with(String::is_empty));
    view! {
        <Card title="Password">
            <form
                class="form"
                method="post"
                on:submit=move |ev| {
                    ev.prevent_default();
                    form.run(ChangePassword {
                        current: current.get_untracked(),
                        new: new.get_untracked(),
                    });
                }
            >
                <FormError error=form.error fields=&["current", "new"]/>
                <div class="form__two">
                    <Field name="current" label="Current password" errors=form.error>
                        <TextInput value=current kind="password" autocomplete="current-password"/>
                    </Field>
                    <Field name="new" label="New password" errors=form.error hint="At least 10 characters. Ends your other sessions.">
                        <TextInput value=new kind="password" autocomplete="new-password"/>
                    </Field>
                </div>
                <div class="form__foot">
                    <Button submit=true loading=form.pending disabled=empty>"Change password"</Button>
                </div>
            </form>
        </Card>
    }
}
