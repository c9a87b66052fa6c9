//! Stands for the page until there is an index.

use crate::job::{JobProgress, follow};
use crate::ui::{Card, Notice, Tone};
use leptos::prelude::*;
use limn_domain::job::{Job, JobState};

/// The job that makes it. `what` is indexed ("version"), `then` says what comes of it, and `again` asks once more.
#[component]
pub fn Indexing(job: Job, what: &'static str, then: &'static str, again: Callback<()>) -> impl IntoView {
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
                <Notice>{format!("The {what} is being indexed, once. {then}")}</Notice>
                <Card><JobProgress job=job.into()/></Card>
            }
        >
            <Notice tone=Tone::Bad>
                {format!("The {what} could not be indexed. ")}
                <a class="link" href=format!("/jobs/{id}")>"See the job"</a>" "
                <button type="button" class="link" on:click=move |_| again.run(())>"Try again"</button>
            </Notice>
        </Show>
    }
}
