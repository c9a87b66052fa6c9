//! Short messages at the edge of the window.

use super::icon::{Glyph, Icon};
use super::status::Tone;
use crate::error::AppError;
use leptos::prelude::*;
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Seconds a message stays; one of a failure, and one with something to do.
const STAYS: u64 = 5;
const STAYS_BAD: u64 = 9;
const STAYS_TO_DO: u64 = 12;

/// Something to do about a message. It may outlive the page it came from.
#[derive(Clone)]
pub struct Act {
    text: String,
    run: Arc<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Act").field(&self.text).finish()
    }
}

/// A message.
#[derive(Debug, Clone)]
pub struct Toast {
    id: u64,
    pub tone: Tone,
    pub text: String,
    /// A link to what it speaks of: `(text, address)`.
    pub link: Option<(String, String)>,
    act: Option<Act>,
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
        self.push(Tone::Ok, text.into(), None, None);
    }

    /// Something worth knowing.
    pub fn info(&self, text: impl Into<String>) {
        self.push(Tone::Neutral, text.into(), None, None);
    }

    /// Something failed. A signed-out session shows its dialog instead.
    pub fn error(&self, e: &AppError) {
        if !e.is_signed_out() {
            self.push(Tone::Bad, e.message.clone(), None, None);
        }
    }

    /// Something failed that has no error value.
    pub fn fail(&self, text: impl Into<String>) {
        self.push(Tone::Bad, text.into(), None, None);
    }

    /// With a link to what it speaks of.
    pub fn with_link(
        &self,
        tone: Tone,
        text: impl Into<String>,
        link: impl Into<String>,
        href: impl Into<String>,
    ) {
        self.push(tone, text.into(), Some((link.into(), href.into())), None);
    }

    /// Something worked, with a button that takes it back or goes on. `run` may be called when the page is gone.
    pub fn with_action(
        &self,
        text: impl Into<String>,
        button: impl Into<String>,
        run: impl Fn() + Send + Sync + 'static,
    ) {
        let act = Act {
            text: button.into(),
            run: Arc::new(run),
        };
        self.push(Tone::Ok, text.into(), None, Some(act));
    }

    fn push(&self, tone: Tone, text: String, link: Option<(String, String)>, act: Option<Act>) {
        let id = self.next.get_value();
        self.next.set_value(id + 1);
        let stay = match (&act, tone) {
            (Some(_), _) => STAYS_TO_DO,
            (None, Tone::Bad) => STAYS_BAD,
            (None, _) => STAYS,
        };
        self.list.update(|list| {
            list.retain(|t| t.text != text);
            if list.len() >= 4 {
                list.remove(0);
            }
            list.push(Toast {
                id,
                tone,
                text,
                link,
                act,
            });
        });
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
                    {t.act.clone().map(|act| {
                        let (id, text) = (t.id, act.text.clone());
                        view! {
                            <button
                                class="link"
                                type="button"
                                on:click=move |_| {
                                    (act.run)();
                                    toasts.dismiss(id);
                                }
                            >
                                {text}
                            </button>
                        }
                    })}
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
