//! `/account`

use super::api;
use super::password::PasswordCard;
use super::tokens::TokensCard;
use crate::data::use_form;
use crate::session::{Theme, use_session};
use crate::ui::{
    Avatar, Button, Card, Choice, Field, FormError, Glyph, PageHead, RadioCards, TextInput, use_toasts,
};
use leptos::prelude::*;
use limn_domain::user::Me;

#[component]
pub fn AccountPage() -> impl IntoView {
    view! {
        <div class="narrow">
            <PageHead title="Account" sub=ViewFn::from(|| "You, as others see you, and the keys for your scripts.")/>
            <div class="stack">
                <ProfileCard/>
                <PasswordCard/>
                <ThemeCard/>
                <TokensCard/>
            </div>
        </div>
    }
}

#[component]
fn ProfileCard() -> impl IntoView {
    let session = use_session();
    let toasts = use_toasts();
    let me = session.me;
    let name = RwSignal::new(me.with_untracked(|m| m.as_ref().map_or_else(String::new, |m| m.name.clone())));
    let form = use_form(api::rename, move |changed: Me| {
        name.set(changed.name.clone());
        me.set(Some(changed));
        toasts.ok("Name saved.");
    });
    let shown = Signal::derive(move || me.with(|m| m.as_ref().map_or_else(String::new, |m| m.name.clone())));
    let same = Signal::derive(move || name.with(|n| shown.with(|s| n.trim() == s)));
    view! {
        <Card title="Profile">
            <div class="profile">
                <Avatar name=shown large=true/>
                <div>
                    <b class="strong">{move || shown.get()}</b>
                    <p class="muted">
                        {move || me.with(|m| m.as_ref().map_or_else(String::new, |m| format!("{}, {}", m.email, m.role.label())))}
                    </p>
                </div>
            </div>
            <form
                class="form form--row"
                on:submit=move |ev| {
                    ev.prevent_default();
                    form.run(name.get_untracked());
                }
            >
                <Field name="name" label="Name" errors=form.error class="grow">
                    <TextInput value=name autocomplete="name"/>
                </Field>
                <Button submit=true loading=form.pending disabled=same>"Save name"</Button>
            </form>
            <FormError error=form.error fields=&["name"]/>
        </Card>
    }
}

#[component]
fn ThemeCard() -> impl IntoView {
    let session = use_session();
    let value = RwSignal::new(session.theme.get_untracked().as_str().to_owned());
    Effect::new(move |_| value.set(session.theme.get().as_str().to_owned()));
    let choices = vec![
        Choice::new("system", "System", "As your device is set").with_icon(Glyph::Monitor),
        Choice::new("light", "Light", "Always light").with_icon(Glyph::Sun),
        Choice::new("dark", "Dark", "Always dark").with_icon(Glyph::Moon),
    ];
    view! {
        <Card title="Appearance">
            <RadioCards
                value
                name="theme"
                label="Theme"
                choices
                on_change=move |v: String| session.set_theme(Theme::parse(&v))
            />
        </Card>
    }
}
