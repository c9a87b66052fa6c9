//! What the shell watches while a page is open: running jobs and the size of the own queue.

use crate::data::use_mutation;
use crate::error::AppError;
use crate::session::use_session;
use crate::ui::{Tone, use_toasts};
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::JobId;
use limn_domain::job::{Job, JobState};
use server_fn::codec::Json;
use std::cell::Cell;
use std::time::Duration;

#[server(prefix = "/ui", endpoint = "pulse/jobs", input = Json)]
pub async fn pulse_jobs() -> Result<Vec<Job>, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.jobs.list(&actor, None, true, None, Some(20)).await?.rows)
}

#[server(prefix = "/ui", endpoint = "pulse/queue", input = Json)]
pub async fn pulse_queue() -> Result<i64, AppError> {
    let (services, actor) = crate::context::request()?;
    let mine = services.queue.mine(&actor).await?;
    Ok(mine
        .iter()
        .map(|q| (q.state.todo - q.state.held_by_others).max(0))
        .sum())
}

#[server(prefix = "/ui", endpoint = "pulse/job", input = Json)]
pub async fn pulse_job(job: JobId) -> Result<Job, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.jobs.get(&actor, job).await?)
}

#[server(prefix = "/ui", endpoint = "pulse/cancel", input = Json)]
pub async fn pulse_cancel(job: JobId) -> Result<Job, AppError> {
    let (services, actor) = crate::context::request()?;
    Ok(services.jobs.cancel(&actor, job).await?)
}

/// The shell's watch. Copy it freely.
#[derive(Debug, Clone, Copy)]
pub struct Pulse {
    /// Jobs queued or running that the person may see.
    pub jobs: RwSignal<Vec<Job>>,
    /// Items waiting for the person; `None` before the first answer.
    pub queue: RwSignal<Option<i64>>,
    /// Goes up whenever a job has ended: pages that show its results read again.
    pub finished: RwSignal<u32>,
    beat: RwSignal<u32>,
}

impl Pulse {
    /// Looks now, because a job was just started or an item submitted.
    pub fn kick(&self) {
        self.beat.update(|n| *n += 1);
    }
}

thread_local! {
    static KEPT: Cell<Option<Pulse>> = const { Cell::new(None) };
}

/// The shell's watch.
pub fn use_pulse() -> Pulse {
    crate::handle::find(&KEPT)
}

/// A call that cancels a job and says so.
pub fn use_cancel() -> crate::data::Mutation<JobId> {
    let (toasts, pulse) = (use_toasts(), use_pulse());
    use_mutation(pulse_cancel, move |job: Job| {
        toasts.info(format!("Cancelling: {}", job.title));
        pulse.kick();
    })
}

/// Starts the watch: each second while something runs, else every ten, and not while the tab is hidden.
pub(crate) fn provide_pulse() {
    let pulse = Pulse {
        jobs: RwSignal::new(Vec::new()),
        queue: RwSignal::new(None),
        finished: RwSignal::new(0),
        beat: RwSignal::new(0),
    };
    crate::handle::provide(&KEPT, pulse);
    let session = use_session();
    let toasts = use_toasts();
    let round = StoredValue::new(0_u32);
    Effect::new(move |_| {
        pulse.beat.track();
        let signed_in = session.me.with(Option::is_some) && !session.expired.get();
        let this_round = round.get_value() + 1;
        round.set_value(this_round);
        if !signed_in {
            return;
        }
        spawn_local(async move {
            let mut wait = 10;
            if !document().hidden() {
                if let Ok(jobs) = pulse_jobs().await {
                    let before = pulse.jobs.get_untracked();
                    let ended: Vec<JobId> = before
                        .iter()
                        .map(|j| j.id)
                        .filter(|id| jobs.iter().all(|j| j.id != *id))
                        .collect();
                    wait = if jobs.is_empty() { 10 } else { 1 };
                    let changed = jobs != before;
                    if changed {
                        pulse.jobs.set(jobs);
                    }
                    for id in ended {
                        if let Ok(job) = pulse_job(id).await {
                            tell(toasts, &job);
                        }
                        pulse.finished.update(|n| *n += 1);
                    }
                }
                if let Ok(n) = pulse_queue().await
                    && pulse.queue.get_untracked() != Some(n)
                {
                    pulse.queue.set(Some(n));
                }
            }
            // A kick meanwhile has started its own round.
            set_timeout(
                move || {
                    if round.get_value() == this_round {
                        pulse.kick();
                    }
                },
                Duration::from_secs(wait),
            );
        });
    });
}

fn tell(toasts: crate::ui::Toasts, job: &Job) {
    // Work nobody asked for by name passes in silence, unless it fails.
    let unasked = matches!(job.kind.as_str(), "renditions" | "explore_items")
        || (job.kind.starts_with("assist") && job.created_by.is_none());
    if unasked && job.state != JobState::Failed {
        return;
    }
    let href = format!("/jobs/{}", job.id);
    match job.state {
        JobState::Succeeded => toasts.with_link(Tone::Ok, format!("Done: {}", job.title), "Open", href),
        JobState::Failed => toasts.with_link(Tone::Bad, format!("Failed: {}", job.title), "See why", href),
        JobState::Cancelled => toasts.info(format!("Cancelled: {}", job.title)),
        JobState::Queued | JobState::Running => {}
    }
}
