//! `/jobs`

use super::api;
use crate::data::{use_load, use_mutation};
use crate::fmt;
use crate::pulse::use_pulse;
use crate::ui::{
    Button, Card, Chip, EmptyState, ErrorView, Glyph, PageHead, RelativeTime, Skeleton, Table, Tone,
};
use leptos::prelude::*;
use limn_domain::Page;
use limn_domain::job::{Job, JobState};

#[component]
pub fn JobsPage() -> impl IntoView {
    let pulse = use_pulse();
    // Reads again when a job ends or another one begins.
    let running = Memo::new(move |_| {
        pulse
            .jobs
            .with(|j| j.iter().map(|j| (j.id, j.state)).collect::<Vec<_>>())
    });
    let first = use_load(
        move || (pulse.finished.get(), running.get()),
        |_| api::job_list(None),
    );
    view! {
        <PageHead title="Jobs" sub=ViewFn::from(|| "Imports, exports and other work done in the background.")/>
        <Transition fallback=|| view! { <Card><Skeleton lines=6/></Card> }>
            {move || Suspend::new(async move {
                match first.await {
                    Ok(page) if page.rows.is_empty() => view! {
                        <Card>
                            <EmptyState
                                glyph=Glyph::Activity
                                title="No jobs yet"
                                text="Imports, exports and sample projects run here in the background, each with its progress, log and result."
                            >
                                <Button href="/projects">"Go to the projects"</Button>
                            </EmptyState>
                        </Card>
                    }
                    .into_any(),
                    Ok(page) => view! { <List page/> }.into_any(),
                    Err(error) => view! { <ErrorView error retry=move || first.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn List(page: Page<Job>) -> impl IntoView {
    let more = RwSignal::new(Vec::<Job>::new());
    let next = RwSignal::new(page.next);
    let load_more = use_mutation(api::job_list, move |page: Page<Job>| {
        next.set(page.next);
        more.update(|m| m.extend(page.rows));
    });
    view! {
        <Card flush=true>
            <Table label="Jobs" columns=vec!["Job", "State", "Progress", "Started"]>
                {page.rows.into_iter().map(|job| view! { <JobRow job/> }).collect_view()}
                <For each=move || more.get() key=|j| j.id let:job><JobRow job/></For>
            </Table>
        </Card>
        <Show when=move || next.with(Option::is_some)>
            <div class="more">
                <Button loading=load_more.pending on_click=move || load_more.run(next.get_untracked())>"Show more"</Button>
            </div>
        </Show>
    }
}

#[component]
fn JobRow(job: Job) -> impl IntoView {
    let pulse = use_pulse();
    let live = pulse.jobs;
    let id = job.id;
    if !job.state.is_final() {
        Effect::new(move |_| pulse.watch(id));
    }
    // While it runs the shell knows it better than the list.
    let now = Memo::new(move |_| {
        live.with(|l| l.iter().find(|j| j.id == id).cloned())
            .unwrap_or_else(|| job.clone())
    });
    let first = now.get_untracked();
    view! {
        <tr>
            <td data-label="Job">
                <div>
                    <a class="rows__title" href=format!("/jobs/{id}")>{first.title.clone()}</a>
                    <p class="faint">{move || now.with(|j| j.error.clone().unwrap_or_else(|| j.message.clone()))}</p>
                </div>
            </td>
            <td data-label="State">
                <Chip tone=Signal::derive(move || Tone::from(now.with(|j| j.state))) dot=true>
                    {move || now.with(|j| j.state.label())}
                </Chip>
            </td>
            <td data-label="Progress" class="num">
                {move || {
                    now.with(|j| match j.state {
                        JobState::Queued => "waiting".to_owned(),
                        _ if j.total > 0 => fmt::progress(j).unwrap_or_default(),
                        _ => "\u{2013}".to_owned(),
                    })
                }}
            </td>
            <td data-label="Started"><RelativeTime at=first.created_at/></td>
        </tr>
    }
}
