//! The parts of the start page.

use crate::fmt;
use crate::pulse::use_pulse;
use crate::ui::{
    Avatar, Button, ButtonSize, Card, Chip, Glyph, ProgressBar, RelativeTime, Segment, Tone, Variant,
};
use leptos::prelude::*;
use limn_domain::activity::Activity;
use limn_domain::job::JobState;
use limn_domain::project::{Progress, ProjectStatus, ProjectSummary};
use limn_domain::queue::QueueSummary;

fn segments(p: Progress) -> Vec<Segment> {
    vec![
        Segment::new(p.done, Tone::Ok, "Done"),
        Segment::new(p.prelabeled, Tone::Warn, "Prelabeled"),
        Segment::new(p.skipped, Tone::Bad, "Skipped"),
        Segment::new((p.todo - p.prelabeled).max(0), Tone::Neutral, "To do"),
    ]
}

#[component]
pub fn ProjectCard(project: ProjectSummary) -> impl IntoView {
    let p = project.progress;
    let line = if p.total == 0 {
        "No items yet".to_owned()
    } else {
        format!(
            "{} of {} done, {} %",
            fmt::count(p.done),
            fmt::count(p.total),
            fmt::percent(p.done, p.total)
        )
    };
    view! {
        <a class="card card--link project-tile" href=format!("/projects/{}", project.id)>
            <span class="row">
                <b class="project-tile__name grow">{project.name}</b>
                {(project.status == ProjectStatus::Paused).then(|| view! { <Chip tone=Tone::Warn>"Paused"</Chip> })}
            </span>
            <span class="project-tile__task">{project.task.label()}</span>
            <ProgressBar label="Progress" segments=segments(p) total=p.total/>
            <span class="row project-tile__foot">
                <span class="grow">{line}</span>
                <RelativeTime at=project.updated_at/>
            </span>
        </a>
    }
}

#[component]
pub fn QueueRow(queue: QueueSummary) -> impl IntoView {
    let state = &queue.state;
    let free = (state.todo - state.held_by_others).max(0);
    let mut parts = vec![format!("{} to do", fmt::count(free))];
    if queue.in_hand > 0 {
        parts.push(format!("{} in hand", fmt::count(queue.in_hand)));
    }
    if state.done_by_me > 0 {
        parts.push(format!("{} done by you", fmt::count(state.done_by_me)));
    }
    let paused = state.status == ProjectStatus::Paused;
    let can_label = queue.in_hand > 0 || (free > 0 && !paused);
    view! {
        <li class="rows__row">
            <div class="grow">
                <a class="rows__title" href=format!("/projects/{}", queue.project_id)>{queue.name}</a>
                <p class="rows__sub">{parts.join(", ")}</p>
            </div>
            {paused.then(|| view! { <Chip tone=Tone::Warn>"Paused"</Chip> })}
            {can_label
                .then(|| {
                    view! {
                        <Button
                            icon=Glyph::Play
                            size=ButtonSize::Medium
                            variant=Variant::Primary
                            href=format!("/projects/{}/label", queue.project_id)
                        >
                            "Label"
                        </Button>
                    }
                })}
        </li>
    }
}

/// What runs now; nothing at all when nothing does.
#[component]
pub fn RunningJobs() -> impl IntoView {
    let jobs = use_pulse().jobs;
    view! {
        <Show when=move || jobs.with(|j| !j.is_empty())>
            <Card title="Running" aside=ViewFn::from(|| view! { <a class="link" href="/jobs">"All jobs"</a> })>
                <ul class="running">
                    <For each=move || jobs.get() key=|j| (j.id, j.done, j.total, j.state) let:job>
                        <li class="running__job">
                            <span class="row">
                                <a class="grow running__title" href=format!("/jobs/{}", job.id)>{job.title.clone()}</a>
                                <span class="faint">
                                    {if job.state == JobState::Queued {
                                        "waiting".to_owned()
                                    } else {
                                        format!("{} %", fmt::percent(job.done, job.total))
                                    }}
                                </span>
                            </span>
                            <ProgressBar
                                label=job.title.clone()
                                segments=vec![Segment::new(job.done, Tone::Accent, "Done")]
                                total=job.total
                            />
                        </li>
                    </For>
                </ul>
            </Card>
        </Show>
    }
}

#[component]
pub fn ActivityList(list: Vec<Activity>) -> impl IntoView {
    if list.is_empty() {
        return view! { <p class="muted">"What people do in your projects shows here."</p> }.into_any();
    }
    view! {
        <ul class="acts">
            {list
                .into_iter()
                .map(|a| {
                    let summary = match a.project_id {
                        Some(p) => view! { <a href=format!("/projects/{p}")>{a.summary}</a> }.into_any(),
                        None => a.summary.into_any(),
                    };
                    view! {
                        <li class="acts__act">
                            <Avatar name=a.actor_name.clone() system=a.actor_id.is_none()/>
                            <span class="acts__text"><b class="strong">{a.actor_name}</b> " " {summary}</span>
                            <RelativeTime at=a.at/>
                        </li>
                    }
                })
                .collect_view()}
        </ul>
    }
    .into_any()
}
