//! The session ended while a page was open: sign in over it, and go on where one was.

use super::api;
use crate::data::use_form;
use crate::session::use_session;
use crate::ui::{Button, Dialog, DialogBody, DialogFoot, Field, FormError, TextInput, Variant, use_toasts};
use leptos::prelude::*;
use limn_domain::user::{Me, SignIn};

#[component]
pub fn SignInAgain() -> impl IntoView {
    let session = use_session();
    let toasts = use_toasts();
    // On the sign-in page itself the page is the form.
    let open = RwSignal::new(false);
    Effect::new(move |_| open.set(session.expired.get() && session.me.with(Option::is_some)));
    let email = RwSignal::new(String::new());
    let password = RwSignal::new(String::new());
    Effect::new(move |_| {
        if open.get() {
            email.set(
                session
                    .me
                    .with_untracked(|m| m.as_ref().map_or_else(String::new, |m| m.email.clone())),
            );
        }
    });
    let form = use_form(api::sign_in_again, move |me: Me| {
        let before = session.me.with_untracked(|m| m.as_ref().map(|m| m.id));
        password.set(String::new());
        if before == Some(me.id) {
            session.me.set(Some(me));
            session.expired.set(false);
            session.version.update(|n| *n += 1);
            toasts.ok("Signed in again.");
        } else {
            // Somebody else: nothing on this page is theirs.
            let _ = window().location().reload();
        }
    });
    let submit = move || {
        form.run(SignIn {
            email: email.get_untracked(),
            password: password.get_untracked(),
        });
    };
    view! {
        <Dialog
            open
            title="Sign in again"
            description="Your session has ended. The page behind stays as it is."
            size=crate::ui::DialogSize::Small
            modal_only=true
        >
            <form
                method="post"
                on:submit=move |ev| {
                    ev.prevent_default();
                    submit();
                }
            >
                <DialogBody>
                    <FormError error=form.error/>
                    <Field name="email" id="again-email" label="Email">
                        <TextInput value=email kind="email" autocomplete="username"/>
                    </Field>
                    <Field name="password" id="again-password" label="Password">
                        <TextInput value=password kind="password" autocomplete="current-password" autofocus=true/>
                    </Field>
                </DialogBody>
                <DialogFoot>
                    <Button variant=Variant::Primary submit=true loading=form.pending>"Sign in"</Button>
                </DialogFoot>
            </form>
        </Dialog>
    }
}
