//! `/jobs/:id`

use super::api;
use super::result::ResultCard;
use crate::data::{use_load, use_mutation};
use crate::error::AppError;
use crate::fmt;
use crate::pulse::{use_cancel, use_pulse};
use crate::ui::{
    Breadcrumbs, Button, Card, Chip, ErrorView, Glyph, Notice, PageHead, ProgressBar, RelativeTime, Segment,
    Skeleton, Tone, use_toasts,
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use limn_domain::job::{Job, JobLogLine, JobState};
use limn_domain::{ApiError, JobId};

#[component]
pub fn JobPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| {
        params
            .with(|p| p.get("id"))
            .and_then(|id| id.parse::<JobId>().ok())
    });
    let pulse = use_pulse();
    let job = use_load(
        move || (id.get(), pulse.finished.get()),
        |(id, _)| async move {
            match id {
                Some(id) => api::job_get(id).await,
                None => Err(AppError(ApiError::not_found("job"))),
            }
        },
    );
    view! {
        <Transition fallback=|| view! { <Card><Skeleton lines=6/></Card> }>
            {move || Suspend::new(async move {
                match job.await {
                    Ok(j) => view! { <Detail job=j changed=move || job.refetch()/> }.into_any(),
                    Err(error) => view! { <ErrorView page=true error retry=move || job.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn Detail(job: Job, #[prop(into)] changed: Callback<()>) -> impl IntoView {
    let id = job.id;
    let pulse = use_pulse();
    if !job.state.is_final() {
        Effect::new(move |_| pulse.watch(id));
    }
    let fixed = StoredValue::new(job.clone());
    let now = Memo::new(move |_| {
        pulse
            .jobs
            .with(|l| l.iter().find(|j| j.id == id).cloned())
            .unwrap_or_else(|| fixed.get_value())
    });
    let toasts = use_toasts();
    let cancel = use_cancel();
    let retry = use_mutation(api::job_retry, move |_: Job| {
        toasts.ok("Queued again.");
        pulse.kick();
        changed.run(());
    });
    let title = job.title.clone();
    let state = move || now.with(|j| j.state);
    let crumbs = vec![
        ("Jobs".to_owned(), "/jobs".to_owned()),
        (title.clone(), String::new()),
    ];
    let badge = ViewFn::from(move || {
        view! {
            <Chip tone=Signal::derive(move || Tone::from(state())) dot=true>
                {move || if now.with(|j| j.cancel_requested && !j.state.is_final()) { "Cancelling" } else { state().label() }}
            </Chip>
        }
    });
    let sub = ViewFn::from(move || {
        let job = fixed.get_value();
        view! {
            "Queued " <RelativeTime at=job.created_at/>
            {job.finished_at.zip(job.started_at).map(|(f, s)| format!(", took {}", fmt::span(f.seconds_since(s).max(1))))}
        }
    });
    let project = job.project_id;
    let error = job.error.clone();
    view! {
        <Breadcrumbs items=crumbs/>
        <PageHead title badge sub>
            {project.map(|p| view! { <Button href=format!("/projects/{p}") icon=Glyph::Tag>"Open the project"</Button> })}
            <Show when=move || !state().is_final()>
                <Button
                    icon=Glyph::X
                    loading=Signal::derive(move || cancel.pending.get() || now.with(|j| j.cancel_requested))
                    on_click=move || cancel.run(id)
                >
                    "Cancel"
                </Button>
            </Show>
            <Show when=move || matches!(state(), JobState::Failed | JobState::Cancelled)>
                <Button icon=Glyph::Refresh loading=retry.pending on_click=move || retry.run(id)>"Try again"</Button>
            </Show>
        </PageHead>
        <div class="stack">
            {error.map(|e| view! { <Notice tone=Tone::Bad><b class="strong">"It failed. "</b>{e}</Notice> })}
            <Show when=move || !state().is_final()>
                <Card>
                    <div class="row job-progress">
                        <span class="grow">
                            {move || now.with(|j| if j.message.is_empty() { "Waiting for a free worker".to_owned() } else { j.message.clone() })}
                        </span>
                        <span class="muted num">
                            {move || now.with(|j| fmt::progress(j).unwrap_or_default())}
                        </span>
                    </div>
                    <ProgressBar
                        label="Progress"
                        thick=true
                        segments=Signal::derive(move || vec![Segment::new(now.with(|j| j.done), Tone::Accent, "Done")])
                        total=Signal::derive(move || now.with(|j| j.total))
                    />
                </Card>
            </Show>
            <ResultCard job=job/>
            <Log id/>
        </div>
    }
}

#[component]
fn Log(id: JobId) -> impl IntoView {
    let lines = RwSignal::new(Vec::<JobLogLine>::new());
    let loaded = RwSignal::new(false);
    let pulse = use_pulse();
    // New lines whenever the job has moved.
    let moved = Memo::new(move |_| {
        (
            pulse.finished.get(),
            pulse.jobs.with(|l| {
                l.iter()
                    .find(|j| j.id == id)
                    .map(|j| (j.done, j.message.clone(), j.state))
            }),
        )
    });
    let reading = StoredValue::new(false);
    Effect::new(move |_| {
        moved.track();
        if reading.get_value() {
            return;
        }
        reading.set_value(true);
        leptos::task::spawn_local(async move {
            let have = lines.with_untracked(Vec::len);
            if let Ok(new) = api::job_log(id, i64::try_from(have).unwrap_or(0)).await
                && !new.is_empty()
            {
                lines.try_update(|l| l.extend(new));
            }
            loaded.try_set(true);
            reading.try_update_value(|r| *r = false);
        });
    });
    view! {
        <Card title="Log">
            <div class="log" role="log" tabindex="0" aria-label="Log of the job">
                <For each=move || lines.get().into_iter().enumerate() key=|(i, _)| *i let:row>
                    <div class="log__line">
                        <time class="log__time">{row.1.at.date_time()}</time>
                        <span>{row.1.message.clone()}</span>
                    </div>
                </For>
                <Show when=move || lines.with(Vec::is_empty)>
                    <p class="muted">{move || if loaded.get() { "Nothing written yet." } else { "Reading the log" }}</p>
                </Show>
            </div>
        </Card>
    }
}
