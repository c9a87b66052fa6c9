//! Following a job on the page that waits for what it makes.

use crate::fmt;
use crate::pulse::{pulse_cancel, pulse_job};
use crate::ui::{Button, Glyph, ProgressBar, Segment, Tone, use_toasts};
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::job::{Job, JobState};
use limn_domain::{Code, JobId};
use std::time::Duration;

const POLL: Duration = Duration::from_millis(600);

/// Asks for a job until it has ended, or until `job` no longer holds it. One that may not be seen any more has failed.
pub fn follow(job: RwSignal<Option<Job>>, id: JobId, ended: Callback<Job>) {
    set_timeout(
        move || {
            let holds = move || job.try_with_untracked(|j| j.as_ref().map(|j| j.id)).flatten() == Some(id);
            if !holds() {
                return;
            }
            spawn_local(async move {
                let answer = pulse_job(id).await;
                if !holds() {
                    return;
                }
                match answer {
                    Ok(now) if now.state.is_final() => {
                        job.set(Some(now.clone()));
                        ended.run(now);
                    }
                    Ok(now) => {
                        job.set(Some(now));
                        follow(job, id, ended);
                    }
                    // Nothing more will be heard of it.
                    Err(error) if matches!(error.code, Code::NotFound | Code::Forbidden) => {
                        let Some(Some(mut last)) = job.try_get_untracked() else {
                            return;
                        };
                        (last.state, last.error) = (JobState::Failed, Some(error.message.clone()));
                        job.set(Some(last.clone()));
                        ended.run(last);
                    }
                    // A short absence of the server is no end of the job.
                    Err(_) => follow(job, id, ended),
                }
            });
        },
        POLL,
    );
}

/// Follows whichever job `job` holds, each once; answers which that is.
pub fn use_followed(job: RwSignal<Option<Job>>, ended: Callback<Job>) -> Memo<Option<JobId>> {
    let id = Memo::new(move |_| job.with(|j| j.as_ref().map(|j| j.id)));
    Effect::new(move |before: Option<Option<JobId>>| {
        let now = id.get();
        if let Some(id) = now.filter(|_| before != Some(now)) {
            follow(job, id, ended);
        }
        now
    });
    id
}

/// How far a job is, and what it is doing.
fn far(job: Signal<Option<Job>>) -> impl IntoView {
    let words = move || {
        job.with(|j| {
            j.as_ref().map(|j| match j.state {
                JobState::Queued => "Waiting for its turn".to_owned(),
                _ => match fmt::progress(j) {
                    Some(how_far) => format!("{} ({how_far})", j.message),
                    None => j.message.clone(),
                },
            })
        })
    };
    let number = move |of: fn(&Job) -> i64| job.with(|j| j.as_ref().map_or(0, of));
    view! {
        <ProgressBar
            label="Progress"
            thick=true
            segments=Signal::derive(move || vec![Segment::new(number(|j| j.done), Tone::Accent, "Done")])
            total=Signal::derive(move || number(|j| j.total))
        />
        <p class="muted" role="status">{words}</p>
    }
}

/// The bar of a running job and what it is doing.
#[component]
pub fn JobProgress(job: Signal<Option<Job>>) -> impl IntoView {
    view! { <div class="transfer-progress">{far(job)}</div> }
}

/// A running job: its bar, what it does, and a way to stop it.
#[component]
pub fn Watch(job: RwSignal<Option<Job>>) -> impl IntoView {
    let toasts = use_toasts();
    let cancel = move || {
        if let Some(id) = job.with_untracked(|j| j.as_ref().map(|j| j.id)) {
            spawn_local(async move {
                // Such as that it is not theirs to cancel.
                if let Err(error) = pulse_cancel(id).await {
                    toasts.error(&error);
                }
            });
        }
    };
    view! {
        <div class="data-form">
            {far(job.into())}
            <p><Button icon=Glyph::Ban on_click=cancel>"Cancel"</Button></p>
            <p class="faint">"You can leave this page; the job goes on."</p>
        </div>
    }
}
