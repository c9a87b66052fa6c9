//! While a project is indexed, and while much has changed since.

use super::Explorer;
use crate::job::{JobProgress, follow, use_followed};
use crate::ui::{Card, Notice, RelativeTime, Tone};
use leptos::prelude::*;
use limn_domain::job::{Job, JobState};

/// Stands for the page until there is an index.
#[component]
pub fn Indexing(job: Job, again: Callback<()>) -> impl IntoView {
    let id = job.id;
    let job = RwSignal::new(Some(job));
    Effect::new(move |_| {
        let ended = Callback::new(move |j: Job| {
            if j.state == JobState::Succeeded {
                again.run(());
            }
        });
        follow(job, id, ended);
    });
    let failed = Memo::new(move |_| {
        let state = job.with(|j| j.as_ref().map(|j| j.state));
        matches!(state, Some(JobState::Failed | JobState::Cancelled))
    });
    view! {
        <Show
            when=move || failed.get()
            fallback=move || view! {
                <Notice>"The project is being indexed, once. Filters and counts are there when that is done, and follow every change from then on."</Notice>
                <Card><JobProgress job=job.into()/></Card>
            }
        >
            <Notice tone=Tone::Bad>
                "The project could not be indexed. "
                <a class="link" href=format!("/jobs/{id}")>"See the job"</a>" "
                <button type="button" class="link" on:click=move |_| again.run(())>"Try again"</button>
            </Notice>
        </Show>
    }
}

/// Says that not all is counted yet, and asks again when it is.
#[component]
pub fn Behind(e: Explorer) -> impl IntoView {
    let ended = Callback::new(move |job: Job| {
        e.job.set(None);
        if job.state == JobState::Succeeded {
            e.ask_again();
        }
    });
    let id = use_followed(e.job, ended);
    let behind = Memo::new(move |_| e.page.with(|p| p.behind));
    let as_of = Signal::derive(move || e.page.with(|p| p.as_of));
    view! {
        <Show when=move || behind.get()>
            <Notice tone=Tone::Warn>
                "Very much has changed in this project. What you see counts all that was saved until "
                <RelativeTime at=as_of/>"; the rest is being taken in."
            </Notice>
            <Show when=move || id.get().is_some()><Card><JobProgress job=e.job.into()/></Card></Show>
        </Show>
    }
}
