//! The job tray: what runs now, with progress and cancel.

use crate::fmt;
use crate::pulse::{use_cancel, use_pulse};
use crate::ui::{ButtonSize, Glyph, Icon, IconButton, ProgressBar, Segment, Tone};
use leptos::prelude::*;
use limn_domain::job::{Job, JobState};

/// How far a job is, in words.
pub fn progress_text(job: &Job) -> String {
    match job.state {
        _ if job.cancel_requested => "cancelling".to_owned(),
        JobState::Queued => "waiting".to_owned(),
        _ if job.total > 0 => format!("{} %", fmt::percent(job.done, job.total)),
        _ => "running".to_owned(),
    }
}

/// A bar for a job; one that does not know its length moves by itself.
#[component]
fn JobBar(job: Job) -> impl IntoView {
    if job.total > 0 {
        let (done, total) = (job.done, job.total);
        view! {
            <ProgressBar
                label=job.title
                segments=vec![Segment::new(done, Tone::Accent, "Done")]
                total
            />
        }
        .into_any()
    } else {
        view! { <div class="bar bar--busy" role="progressbar" aria-label=job.title><i></i></div> }.into_any()
    }
}

#[component]
pub fn JobTray() -> impl IntoView {
    let jobs = use_pulse().jobs;
    let open = RwSignal::new(false);
    let many = Memo::new(move |_| jobs.with(|j| j.len() > 1));
    let shown = move || {
        jobs.with(|all| {
            let n = if open.get() { 6 } else { 1 };
            // A running one speaks louder than one that waits.
            let mut list: Vec<Job> = all.clone();
            list.sort_by_key(|j| j.state != JobState::Running);
            list.truncate(n);
            list
        })
    };
    view! {
        <Show when=move || jobs.with(|j| !j.is_empty())>
            <section class="tray" aria-label="Running jobs">
                <For each=shown key=|j| (j.id, j.done, j.total, j.message.clone(), j.state, j.cancel_requested) let:job>
                    <TrayJob job/>
                </For>
                <Show when=move || many.get()>
                    <button
                        type="button"
                        class="tray__more"
                        aria-expanded=move || if open.get() { "true" } else { "false" }
                        on:click=move |_| open.update(|o| *o = !*o)
                    >
                        {move || {
                            let n = jobs.with(Vec::len);
                            if open.get() { "Show less".to_owned() } else { format!("and {} more", n.saturating_sub(1)) }
                        }}
                        <Icon glyph=Glyph::ChevronUp size=12/>
                    </button>
                </Show>
            </section>
        </Show>
    }
}

#[component]
fn TrayJob(job: Job) -> impl IntoView {
    let cancel = use_cancel();
    let id = job.id;
    let message = job.message.clone();
    let progress = progress_text(&job);
    view! {
        <div class="tray__job">
            <div class="row">
                <a class="tray__title grow" href=format!("/jobs/{id}") title=job.title.clone()>{job.title.clone()}</a>
                <IconButton
                    glyph=Glyph::X
                    size=ButtonSize::Small
                    label=format!("Cancel {}", job.title)
                    disabled=job.cancel_requested
                    on_click=move || cancel.run(id)
                />
            </div>
            <JobBar job/>
            <p class="row">
                <span class="tray__message grow">{message}</span>
                <span class="tray__n">{progress}</span>
            </p>
        </div>
    }
}
