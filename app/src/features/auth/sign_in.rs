//! `/sign-in`

use super::api;
use super::frame::{Frame, enter, use_live};
use crate::data::{use_form, use_load};
use crate::session::{safe_next, use_session};
use crate::ui::{Button, ButtonSize, Field, FormError, Notice, TextInput, Variant};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use limn_domain::user::{Me, SignIn};

#[component]
pub fn SignInPage() -> impl IntoView {
    let next = use_query_map().with_untracked(|q| safe_next(q.get("next")));
    #[cfg(feature = "ssr")]
    if use_session().me.get_untracked().is_some() {
        crate::context::redirect(&next);
    }
    let session = use_session();
    let needs_setup = use_load(|| (), |()| api::needs_setup());
    let email = RwSignal::new(String::new());
    let password = RwSignal::new(String::new());
    let live = use_live();
    let leaving = RwSignal::new(false);
    let form = use_form(api::auth_sign_in, move |_: Me| {
        leaving.set(true);
        enter(&next);
    });
    let submit = move || {
        session.expired.set(false);
        form.run(SignIn {
            email: email.get_untracked(),
            password: password.get_untracked(),
        });
    };
    view! {
        <Frame title="Sign in" text="Welcome back.">
            <Suspense>
                {move || Suspend::new(async move {
                    matches!(needs_setup.await, Ok(true))
                        .then(|| {
                            view! {
                                <Notice>
                                    <b class="strong">"Nobody has an account here yet. "</b>
                                    "Open the set-up link that Limn printed when it started; it makes you the admin."
                                </Notice>
                            }
                        })
                })}
            </Suspense>
            <form
                class="form"
                method="post"
                on:submit=move |ev| {
                    ev.prevent_default();
                    submit();
                }
            >
                <FormError error=form.error fields=&["email", "password"]/>
                <Field name="email" label="Email" errors=form.error>
                    <TextInput value=email kind="email" autocomplete="username" autofocus=true required=true/>
                </Field>
                <Field name="password" label="Password" errors=form.error>
                    <TextInput value=password kind="password" autocomplete="current-password" required=true/>
                </Field>
                <Button
                    variant=Variant::Primary
                    size=ButtonSize::Large
                    submit=true
                    disabled=Signal::derive(move || !live.get())
                    loading=Signal::derive(move || form.pending.get() || leaving.get())
                    class="btn--wide"
                >
                    "Sign in"
                </Button>
            </form>
            <p class="way-in__foot">"Forgot the password, or no account? Ask your admin for a new invitation."</p>
        </Frame>
    }
}
