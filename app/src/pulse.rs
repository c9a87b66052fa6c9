//! What the shell watches while a page is open: running jobs and the size of the own queue.

use crate::data::use_mutation;
use crate::error::AppError;
use crate::session::use_session;
use crate::ui::{Toasts, Tone, use_toasts};
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::job::{Job, JobState};
use limn_domain::{Code, JobId};
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
    /// The job that ended last.
    pub ended: RwSignal<Option<Job>>,
    /// Jobs that no look lists, to be asked for by name until they are over.
    watched: StoredValue<Vec<JobId>>,
    beat: RwSignal<u32>,
}

impl Pulse {
    /// Looks now, because a job was just started or an item submitted.
    pub fn kick(&self) {
        self.beat.update(|n| *n += 1);
    }

    /// Looks after a job that a page shows as not over: it may end before any look finds it running, and its end is told
    /// all the same.
    pub fn watch(&self, id: JobId) {
        let known = self.jobs.with_untracked(|l| l.iter().any(|j| j.id == id))
            || self.watched.with_value(|w| w.contains(&id));
        if !known {
            self.watched.update_value(|w| w.push(id));
            self.kick();
        }
    }

    /// Asks for a job that is not listed; tells its end, once.
    async fn ask(self, id: JobId, toasts: Toasts) {
        let job = match pulse_job(id).await {
            Ok(job) if job.state.is_final() => Some(job),
            // Nothing more will be heard of it.
            Err(e) if matches!(e.code, Code::NotFound | Code::Forbidden) => None,
            // More run than a look lists, or the server is away for a moment.
            _ => return,
        };
        let is_news = self.watched.try_update_value(|w| {
            let before = w.len();
            w.retain(|other| *other != id);
            w.len() < before
        });
        // Another round may have been quicker.
        if is_news != Some(true) {
            return;
        }
        if let Some(job) = job {
            tell(toasts, &job);
            self.ended.set(Some(job));
        }
        self.finished.update(|n| *n += 1);
    }
}

/// Those of `known` that are not among the running ones, each once.
fn unlisted(mut known: Vec<JobId>, running: &[JobId]) -> Vec<JobId> {
    known.sort_unstable();
    known.dedup();
    known.retain(|id| !running.contains(id));
    known
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
        ended: RwSignal::new(None),
        watched: StoredValue::new(Vec::new()),
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
                    let running: Vec<JobId> = jobs.iter().map(|j| j.id).collect();
                    pulse.watched.update_value(|w| {
                        w.extend(before.iter().map(|j| j.id));
                        *w = unlisted(std::mem::take(w), &running);
                    });
                    if jobs != before {
                        pulse.jobs.set(jobs);
                    }
                    for id in pulse.watched.get_value() {
                        pulse.ask(id, toasts).await;
                    }
                    let busy = !running.is_empty() || pulse.watched.with_value(|w| !w.is_empty());
                    wait = if busy { 1 } else { 10 };
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

fn tell(toasts: Toasts, job: &Job) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_listed_any_more_is_asked_for_once() {
        let [seen, watched, running] = [JobId::new(), JobId::new(), JobId::new()];
        let known = vec![watched, running, seen, watched];
        assert_eq!(unlisted(known, &[running]), unlisted(vec![seen, watched], &[]));
        assert_eq!(unlisted(vec![watched, watched], &[]), [watched]);
        assert!(unlisted(vec![running], &[running]).is_empty());
    }
}
