//! Following a job from the dialog that started it.

use super::super::api;
use crate::fmt;
use crate::ui::{ProgressBar, Segment, Tone};
use leptos::prelude::*;
use limn_domain::JobId;
use limn_domain::job::{Job, JobState};
use std::time::Duration;

const POLL: Duration = Duration::from_millis(700);

/// Asks for the job until it has ended, or until `job` no longer holds it.
pub fn follow(job: RwSignal<Option<Job>>, id: JobId, ended: Callback<Job>) {
    set_timeout(
        move || {
            let current = job.try_with_untracked(|j| j.as_ref().map(|j| j.id)).flatten();
            if current != Some(id) {
                return;
            }
            leptos::task::spawn_local(async move {
                let answer = api::project_job(id).await;
                let current = job.try_with_untracked(|j| j.as_ref().map(|j| j.id)).flatten();
                if current != Some(id) {
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
                    // A short absence of the server is no end of the job.
                    Err(_) => follow(job, id, ended),
                }
            });
        },
        POLL,
    );
}

/// The bar of a running job and what it is doing.
#[component]
pub fn JobProgress(job: Signal<Option<Job>>) -> impl IntoView {
    let words = move || {
        job.with(|j| {
            j.as_ref().map(|j| match j.state {
                JobState::Queued => "Waiting for its turn".to_owned(),
                _ if j.total > 0 => {
                    format!(
                        "{} ({} of {})",
                        j.message,
                        fmt::count(j.done),
                        fmt::count(j.total)
                    )
                }
                _ => j.message.clone(),
            })
        })
    };
    view! {
        <div class="transfer-progress">
            <ProgressBar
                label="Progress"
                thick=true
                segments=Signal::derive(move || {
                    let done = job.with(|j| j.as_ref().map_or(0, |j| j.done));
                    vec![Segment::new(done, Tone::Accent, "Done")]
                })
                total=Signal::derive(move || job.with(|j| j.as_ref().map_or(0, |j| j.total)))
            />
            <p class="muted" role="status">{words}</p>
        </div>
    }
}
