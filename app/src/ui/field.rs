//! Form fields: a label, the control, a hint, and the error of the server or of a check.

use super::icon::{Glyph, Icon};
use crate::error::AppError;
use leptos::context::Provider;
use leptos::prelude::*;

/// What a control learns from the field around it.
#[derive(Debug, Clone)]
pub(crate) struct FieldCtx {
    pub id: String,
    pub name: String,
    pub described_by: String,
    pub invalid: Signal<bool>,
}

/// The field around this control, or a stand-in for a control without one.
pub(crate) fn use_field() -> FieldCtx {
    use_context().unwrap_or_else(|| FieldCtx {
        id: String::new(),
        name: String::new(),
        described_by: String::new(),
        invalid: false.into(),
    })
}

/// A labelled control. `name` is the field's name in the request: the message for it in `errors` shows below.
///
/// The control's id is `f-NAME`; give `id` where two forms on a page share a name.
#[component]
pub fn Field(
    #[prop(into)] name: String,
    #[prop(into)] label: String,
    #[prop(optional, into)] id: Option<String>,
    #[prop(optional, into)] hint: Option<Signal<String>>,
    /// The last failure of the form.
    #[prop(optional, into)]
    errors: Signal<Option<AppError>>,
    /// A check's finding, shown before anything is sent.
    #[prop(optional, into)]
    error: Signal<Option<String>>,
    /// Says that it may stay empty.
    #[prop(optional)]
    optional: bool,
    #[prop(optional, into)] class: String,
    children: ChildrenFn,
) -> impl IntoView {
    let id = id.unwrap_or_else(|| format!("f-{}", name.replace(['[', ']', '.'], "-")));
    let field = name.clone();
    let message = Memo::new(move |_| {
        error
            .get()
            .or_else(|| errors.with(|e| e.as_ref().and_then(|e| e.for_field(&field).map(str::to_owned))))
    });
    let hint_id = format!("{id}-hint");
    let error_id = format!("{id}-error");
    let ctx = FieldCtx {
        id: id.clone(),
        name,
        described_by: if hint.is_some() {
            format!("{error_id} {hint_id}")
        } else {
            error_id.clone()
        },
        invalid: Signal::derive(move || message.with(Option::is_some)),
    };
    view! {
        <div class=format!("field {class}")>
            <label class="field__label" for=id>
                {label}
                {optional.then(|| view! { <span class="field__optional">"optional"</span> })}
            </label>
            <Provider value=ctx>{children()}</Provider>
            <p class="field__error" id=error_id role="alert">
                {move || message.get().map(|m| view! { <Icon glyph=Glyph::Warning size=14/><span>{m}</span> })}
            </p>
            {hint.map(|h| view! { <p class="field__hint" id=hint_id>{move || h.get()}</p> })}
        </div>
    }
}

/// The failure of a form as a whole; says nothing when its fields already say everything.
#[component]
pub fn FormError(
    #[prop(into)] error: Signal<Option<AppError>>,
    /// Fields that show their own message.
    #[prop(optional)]
    fields: &'static [&'static str],
) -> impl IntoView {
    let message = move || {
        error.with(|e| {
            e.as_ref()
                .filter(|e| {
                    e.fields.is_empty() || !e.fields.iter().all(|f| fields.contains(&f.field.as_str()))
                })
                .map(|e| e.message.clone())
        })
    };
    view! {
        <div role="alert" class="form-error-slot">
            {move || {
                message().map(|m| view! { <p class="notice notice--bad"><Icon glyph=Glyph::Warning/><span>{m}</span></p> })
            }}
        </div>
    }
}

/// A remark inside a page.
#[component]
pub fn Notice(#[prop(optional)] tone: super::Tone, children: Children) -> impl IntoView {
    use super::Tone;
    let (class, glyph) = match tone {
        Tone::Ok => ("notice notice--ok", Glyph::CheckCircle),
        Tone::Warn => ("notice notice--warn", Glyph::Warning),
        Tone::Bad => ("notice notice--bad", Glyph::Warning),
        Tone::Neutral | Tone::Accent => ("notice", Glyph::Info),
    };
    view! { <div class=class><Icon glyph/><div class="notice__text">{children()}</div></div> }
}
