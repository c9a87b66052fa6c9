//! Text, choices and switches bound to signals.

use super::field::use_field;
use super::icon::{Glyph, Icon};
use leptos::html;
use leptos::prelude::*;

/// Puts the focus on an element once it is on the page.
fn focus_when_shown<E>(node: NodeRef<E>, wanted: bool)
where
    E: html::ElementType + 'static,
    E::Output: wasm_bindgen::JsCast + Clone + AsRef<web_sys::HtmlElement> + Send + Sync + 'static,
{
    Effect::new(move |_| {
        if wanted && let Some(element) = node.get() {
            request_animation_frame(move || {
                let element: &web_sys::HtmlElement = element.as_ref();
                let _ = element.focus();
            });
        }
    });
}

/// One line of text.
#[component]
pub fn TextInput(
    value: RwSignal<String>,
    /// `text`, `email`, `password`, `search`, `number`, `url`.
    #[prop(default = "text")]
    kind: &'static str,
    #[prop(optional, into)] placeholder: String,
    /// For browsers' and password managers' help, e.g. `username`, `current-password`, `off`.
    #[prop(optional)]
    autocomplete: Option<&'static str>,
    #[prop(optional)] autofocus: bool,
    #[prop(optional, into)] disabled: Signal<bool>,
    #[prop(optional)] required: bool,
    #[prop(optional)] maxlength: Option<i32>,
    /// A picture in front.
    #[prop(optional, into)]
    icon: Option<Glyph>,
    /// Its name where no field labels it.
    #[prop(optional, into)]
    label: Option<String>,
    /// Monospaced.
    #[prop(optional)]
    mono: bool,
    #[prop(optional, into)] on_enter: Option<Callback<()>>,
    #[prop(optional, into)] class: String,
) -> impl IntoView {
    let field = use_field();
    let node = NodeRef::<html::Input>::new();
    focus_when_shown(node, autofocus);
    let class = format!(
        "input {}{}{class}",
        if mono { "mono " } else { "" },
        if icon.is_some() { "input--icon " } else { "" }
    );
    let own_id = !field.id.is_empty();
    view! {
        <span class="input-wrap">
            {icon.map(|glyph| view! { <Icon glyph/> })}
            <input
                node_ref=node
                class=class
                id=own_id.then_some(field.id)
                name=own_id.then_some(field.name)
                aria-describedby=own_id.then_some(field.described_by)
                aria-invalid=move || field.invalid.get().then_some("true")
                aria-label=label
                type=kind
                placeholder=placeholder
                autocomplete=autocomplete
                autofocus=autofocus
                required=required
                maxlength=maxlength.map(|n| n.to_string())
                spellcheck=if mono || kind != "text" { "false" } else { "true" }
                disabled=move || disabled.get()
                value=value.get_untracked()
                prop:value=move || value.get()
                on:input=move |ev| value.set(event_target_value(&ev))
                on:keydown=move |ev| {
                    if let Some(f) = on_enter && ev.key() == "Enter" && !ev.is_composing() {
                        ev.prevent_default();
                        f.run(());
                    }
                }
            />
        </span>
    }
}

/// Several lines of text.
#[component]
pub fn TextArea(
    value: RwSignal<String>,
    #[prop(default = 4)] rows: u32,
    #[prop(optional, into)] placeholder: String,
    #[prop(optional)] autofocus: bool,
    #[prop(optional, into)] disabled: Signal<bool>,
    #[prop(optional, into)] label: Option<String>,
    #[prop(optional)] mono: bool,
    #[prop(optional, into)] class: String,
) -> impl IntoView {
    let field = use_field();
    let node = NodeRef::<html::Textarea>::new();
    focus_when_shown(node, autofocus);
    let own_id = !field.id.is_empty();
    view! {
        <textarea
            node_ref=node
            class=format!("input textarea {}{class}", if mono { "mono " } else { "" })
            id=own_id.then_some(field.id)
            name=own_id.then_some(field.name)
            aria-describedby=own_id.then_some(field.described_by)
            aria-invalid=move || field.invalid.get().then_some("true")
            aria-label=label
            rows=rows.to_string()
            placeholder=placeholder
            autofocus=autofocus
            disabled=move || disabled.get()
            prop:value=move || value.get()
            on:input=move |ev| value.set(event_target_value(&ev))
        ></textarea>
    }
}

/// One of several values, as the browser's own list. Options are `(value, text)`.
#[component]
pub fn Select(
    value: RwSignal<String>,
    #[prop(into)] options: Signal<Vec<(String, String)>>,
    #[prop(optional, into)] label: Option<String>,
    #[prop(optional, into)] disabled: Signal<bool>,
    #[prop(optional, into)] on_change: Option<Callback<String>>,
    #[prop(optional, into)] class: String,
) -> impl IntoView {
    let field = use_field();
    let own_id = !field.id.is_empty();
    view! {
        <span class="select-wrap">
            <select
                class=format!("input select {class}")
                id=own_id.then_some(field.id)
                name=own_id.then_some(field.name)
                aria-describedby=own_id.then_some(field.described_by)
                aria-invalid=move || field.invalid.get().then_some("true")
                aria-label=label
                disabled=move || disabled.get()
                on:change=move |ev| {
                    let v = event_target_value(&ev);
                    value.set(v.clone());
                    if let Some(f) = on_change {
                        f.run(v);
                    }
                }
            >
                {move || {
                    options
                        .get()
                        .into_iter()
                        .map(|(v, text)| {
                            let this = v.clone();
                            view! { <option value=v selected=move || value.with(|now| *now == this)>{text}</option> }
                        })
                        .collect_view()
                }}
            </select>
            <Icon glyph=Glyph::ChevronDown size=14/>
        </span>
    }
}

/// A box to tick.
#[component]
pub fn Checkbox(
    checked: RwSignal<bool>,
    #[prop(into)] label: String,
    #[prop(optional, into)] hint: String,
    #[prop(optional, into)] disabled: Signal<bool>,
    /// Shows the box alone; the label is read out.
    #[prop(optional)]
    bare: bool,
    #[prop(optional, into)] on_change: Option<Callback<bool>>,
) -> impl IntoView {
    view! {
        <label class="check" class:check--bare=bare>
            <input
                type="checkbox"
                class="check__box"
                aria-label=bare.then(|| label.clone())
                checked=checked.get_untracked()
                prop:checked=move || checked.get()
                disabled=move || disabled.get()
                on:change=move |ev| {
                    let on = event_target_checked(&ev);
                    checked.set(on);
                    if let Some(f) = on_change {
                        f.run(on);
                    }
                }
            />
            {(!bare)
                .then(|| {
                    view! {
                        <span class="check__text">
                            {label}
                            {(!hint.is_empty()).then(|| view! { <span class="check__hint">{hint}</span> })}
                        </span>
                    }
                })}
        </label>
    }
}

/// A setting that is on or off at once.
#[component]
pub fn Switch(
    checked: RwSignal<bool>,
    #[prop(into)] label: String,
    #[prop(optional, into)] hint: String,
    #[prop(optional, into)] disabled: Signal<bool>,
    #[prop(optional, into)] on_change: Option<Callback<bool>>,
) -> impl IntoView {
    view! {
        <label class="switch">
            <span class="check__text">
                {label}
                {(!hint.is_empty()).then(|| view! { <span class="check__hint">{hint}</span> })}
            </span>
            <input
                type="checkbox"
                role="switch"
                class="switch__input"
                checked=checked.get_untracked()
                prop:checked=move || checked.get()
                disabled=move || disabled.get()
                on:change=move |ev| {
                    let on = event_target_checked(&ev);
                    checked.set(on);
                    if let Some(f) = on_change {
                        f.run(on);
                    }
                }
            />
            <span class="switch__track" aria-hidden="true"></span>
        </label>
    }
}

/// A choice of [`RadioCards`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub title: String,
    pub text: String,
    pub glyph: Option<Glyph>,
}

impl Choice {
    pub fn new(value: impl Into<String>, title: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            title: title.into(),
            text: text.into(),
            glyph: None,
        }
    }

    #[must_use]
    pub fn with_icon(mut self, glyph: Glyph) -> Self {
        self.glyph = Some(glyph);
        self
    }
}

/// One of a few values, each explained on a card. `name` groups the radios and must be unique on the page.
#[component]
pub fn RadioCards(
    value: RwSignal<String>,
    #[prop(into)] name: String,
    /// Names the group.
    #[prop(into)]
    label: String,
    choices: Vec<Choice>,
    #[prop(optional, into)] on_change: Option<Callback<String>>,
) -> impl IntoView {
    view! {
        <fieldset class="radio-cards">
            <legend class="field__label">{label}</legend>
            <div class="radio-cards__list">
                {choices
                    .into_iter()
                    .map(|c| {
                        let this = c.value.clone();
                        let picked = c.value.clone();
                        let initially = value.with_untracked(|v| *v == c.value);
                        view! {
                            <label class="radio-card">
                                <input
                                    type="radio"
                                    name=name.clone()
                                    value=c.value
                                    checked=initially
                                    prop:checked=move || value.with(|v| *v == this)
                                    on:change=move |_| {
                                        value.set(picked.clone());
                                        if let Some(f) = on_change {
                                            f.run(picked.clone());
                                        }
                                    }
                                />
                                {c.glyph.map(|glyph| view! { <span class="radio-card__icon"><Icon glyph size=18/></span> })}
                                <span class="radio-card__text">
                                    <span class="radio-card__title">{c.title}</span>
                                    <span class="radio-card__hint">{c.text}</span>
                                </span>
                            </label>
                        }
                    })
                    .collect_view()}
            </div>
        </fieldset>
    }
}
