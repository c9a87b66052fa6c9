//! While much has changed since a project was indexed.

use super::Explorer;
use crate::job::{JobProgress, use_followed};
use crate::ui::{Card, Notice, RelativeTime, Tone, use_toasts};
use leptos::prelude::*;
use limn_domain::job::{Job, JobState};

/// Says that not all is counted yet, and asks again when it is, or says why it will not be.
#[component]
pub fn Behind(e: Explorer) -> impl IntoView {
    let toasts = use_toasts();
    let ended = Callback::new(move |job: Job| {
        e.job.set(None);
        if job.state == JobState::Succeeded {
            e.ask_again();
            return;
        }
        let why = job.error.unwrap_or_else(|| "It was stopped.".to_owned());
        toasts.fail(format!("What has changed could not be counted. {why}"));
    });
    let id = use_followed(e.job, ended);
    let behind = Memo::new(move |_| e.page.with(|p| p.behind));
    let as_of = Signal::derive(move || e.page.with(|p| p.as_of));
    view! {
        <Show when=move || behind.get()>
            <Notice tone=Tone::Warn>
                "Very much has changed in this project. What you see counts all that was saved until "
                <RelativeTime at=as_of/>
                {move || if id.get().is_some() { "; the rest is being taken in." } else { ". Count again to take in the rest." }}
            </Notice>
            <Show when=move || id.get().is_some()><Card><JobProgress job=e.job.into()/></Card></Show>
        </Show>
    }
}
