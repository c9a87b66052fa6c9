//! Short messages at the edge of the window.

use super::icon::{Glyph, Icon};
use super::status::Tone;
use crate::error::AppError;
use leptos::prelude::*;
use std::cell::Cell;
use std::time::Duration;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    id: u64,
    pub tone: Tone,
    pub text: String,
    /// A link to what it speaks of: `(text, address)`.
    pub link: Option<(String, String)>,
}

/// The messages of the page. Copy it freely.
#[derive(Debug, Clone, Copy)]
pub struct Toasts {
    list: RwSignal<Vec<Toast>>,
    next: StoredValue<u64>,
}

impl Toasts {
    /// Something worked.
    pub fn ok(&self, text: impl Into<String>) {
        self.push(Tone::Ok, text.into(), None);
    }

    /// Something worth knowing.
    pub fn info(&self, text: impl Into<String>) {
        self.push(Tone::Neutral, text.into(), None);
    }

    /// Something failed. A signed-out session shows its dialog instead.
    pub fn error(&self, e: &AppError) {
        if !e.is_signed_out() {
            self.push(Tone::Bad, e.message.clone(), None);
        }
    }

    /// Something failed that has no error value.
    pub fn fail(&self, text: impl Into<String>) {
        self.push(Tone::Bad, text.into(), None);
    }

    /// With a link to what it speaks of.
    pub fn with_link(
        &self,
        tone: Tone,
        text: impl Into<String>,
        link: impl Into<String>,
        href: impl Into<String>,
    ) {
        self.push(tone, text.into(), Some((link.into(), href.into())));
    }

    fn push(&self, tone: Tone, text: String, link: Option<(String, String)>) {
        let id = self.next.get_value();
        self.next.set_value(id + 1);
        self.list.update(|list| {
            list.retain(|t| t.text != text);
            if list.len() >= 4 {
                list.remove(0);
            }
            list.push(Toast { id, tone, text, link });
        });
        let stay = if tone == Tone::Bad { 9 } else { 5 };
        let this = *self;
        set_timeout(move || this.dismiss(id), Duration::from_secs(stay));
    }

    fn dismiss(&self, id: u64) {
        self.list.try_update(|list| list.retain(|t| t.id != id));
    }
}

pub(crate) fn provide_toasts() -> Toasts {
    let toasts = Toasts {
        list: RwSignal::new(Vec::new()),
        next: StoredValue::new(0),
    };
    crate::handle::provide(&KEPT, toasts);
    toasts
}

thread_local! {
    static KEPT: Cell<Option<Toasts>> = const { Cell::new(None) };
}

/// The messages of the page.
pub fn use_toasts() -> Toasts {
    crate::handle::find(&KEPT)
}

/// Where the messages show; once in the app.
#[component]
pub(crate) fn ToastHost() -> impl IntoView {
    let toasts = use_toasts();
    view! {
        <div class="toasts" role="region" aria-label="Messages" aria-live="polite">
            <For each=move || toasts.list.get() key=|t| t.id let:t>
                <div class="toast" data-tone=t.tone.as_str() role=if t.tone == Tone::Bad { "alert" } else { "status" }>
                    <Icon glyph=match t.tone {
                        Tone::Ok => Glyph::CheckCircle,
                        Tone::Bad | Tone::Warn => Glyph::Warning,
                        Tone::Neutral | Tone::Accent => Glyph::Info,
                    }/>
                    <span class="toast__text">{t.text.clone()}</span>
                    {t.link.clone().map(|(text, href)| view! { <a class="link" href=href>{text}</a> })}
                    <button
                        class="btn btn--quiet btn--icon btn--sm"
                        type="button"
                        aria-label="Dismiss"
                        on:click=move |_| toasts.dismiss(t.id)
                    >
                        <Icon glyph=Glyph::X size=14/>
                    </button>
                </div>
            </For>
        </div>
    }
}
