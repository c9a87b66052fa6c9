//! `/projects/:id/sources`: what the project takes from datastores and datasets, and how its refreshes went.

mod add;

use super::api;
use super::layout::{ProjectCtx, use_project};
use crate::data::{use_form, use_load, use_mutation};
use crate::fmt;
use crate::pulse::use_pulse;
use crate::ui::{
    Button, ButtonSize, Chip, ConfirmDialog, Dialog, EmptyState, ErrorView, Glyph, Menu, MenuItem, Notice,
    RelativeTime, Select, SkeletonCards, Tone, Variant, use_toasts,
};
use add::AddForm;
use leptos::prelude::*;
use limn_domain::authz::Action;
use limn_domain::datastore::{ProjectSource, SourceReport};
use limn_domain::job::Job;

/// Schedules that the form offers, in minutes.
const EVERY: [(&str, &str); 6] = [
    ("", "By hand only"),
    ("15", "Every 15 minutes"),
    ("60", "Every hour"),
    ("360", "Every 6 hours"),
    ("1440", "Every day"),
    ("10080", "Every week"),
];

fn schedule(minutes: Option<i64>) -> String {
    let Some(minutes) = minutes else {
        return EVERY[0].1.to_owned();
    };
    let known = EVERY.iter().find(|(m, _)| m.parse() == Ok(minutes));
    known.map_or_else(
        || format!("Every {minutes} minutes"),
        |(_, words)| (*words).to_owned(),
    )
}

fn choices() -> Vec<(String, String)> {
    EVERY
        .iter()
        .map(|(m, w)| ((*m).to_owned(), (*w).to_owned()))
        .collect()
}

#[component]
pub fn SourcesTab() -> impl IntoView {
    let ctx = use_project();
    let id = ctx.id;
    let sources = use_load(move || id, api::source_list);
    let adding = RwSignal::new(false);
    let may = Memo::new(move |_| ctx.may(Action::ImportData));
    // A refresh that ends has new figures.
    let jobs = use_pulse().jobs;
    Effect::new(move |before: Option<usize>| {
        let now = jobs.with(|j| {
            j.iter()
                .filter(|j| j.project_id == Some(id) && j.kind == "source")
                .count()
        });
        if before.is_some_and(|b| b != now) {
            sources.refetch();
        }
        now
    });
    view! {
        <Transition fallback=|| view! { <SkeletonCards count=2/> }>
            {move || Suspend::new(async move {
                match sources.await {
                    Ok(list) if list.is_empty() => view! {
                        <div class="card">
                            <EmptyState
                                glyph=Glyph::Plug
                                title="Files from where they live"
                                text="Take the files of a datastore, or of a dataset's versions, as items. New files appear by schedule or by button; changed and vanished ones are reported, and what was labeled stays."
                            >
                                {move || may.get().then(|| view! {
                                    <Button variant=Variant::Primary icon=Glyph::Plus on_click=move || adding.set(true)>"Add a source"</Button>
                                })}
                            </EmptyState>
                        </div>
                    }
                    .into_any(),
                    Ok(list) => view! {
                        {move || may.get().then(|| view! {
                            <div class="toolbar"><Button icon=Glyph::Plus on_click=move || adding.set(true)>"Add a source"</Button></div>
                        })}
                        <ul class="sources plain-list">
                            {list.into_iter().map(|source| view! { <Source ctx source changed=move || sources.refetch()/> }).collect_view()}
                        </ul>
                    }
                    .into_any(),
                    Err(error) => view! { <ErrorView error retry=move || sources.refetch()/> }.into_any(),
                }
            })}
        </Transition>
        <Dialog open=adding title="Add a source" description="Its files are read in a job; you can leave the page meanwhile.">
            <AddForm ctx open=adding changed=move || sources.refetch()/>
        </Dialog>
    }
}

#[component]
fn Source(ctx: ProjectCtx, source: ProjectSource, #[prop(into)] changed: Callback<()>) -> impl IntoView {
    let toasts = use_toasts();
    let id = source.id;
    let refresh = use_mutation(
        move |()| api::source_refresh(id),
        move |job: Job| {
            toasts.with_link(
                Tone::Ok,
                "The refresh has begun.",
                "See the job",
                format!("/jobs/{}", job.id),
            );
            changed.run(());
        },
    );
    let every = RwSignal::new(source.every_minutes.map(|m| m.to_string()).unwrap_or_default());
    let update = use_mutation(
        move |minutes: String| api::source_update(id, minutes.parse().ok()),
        move |s: ProjectSource| {
            toasts.ok(format!(
                "Refreshed: {}.",
                schedule(s.every_minutes).to_lowercase()
            ));
        },
    );
    let removing = RwSignal::new(false);
    let remove = use_form(
        move |()| api::source_remove(id),
        move |()| {
            removing.set(false);
            changed.run(());
        },
    );
    let may = Memo::new(move |_| ctx.may(Action::ImportData));
    let options = {
        let mut all = choices();
        let own = every.get_untracked();
        if !all.iter().any(|(m, _)| *m == own) {
            all.push((own, schedule(source.every_minutes)));
        }
        all
    };
    let job_href = source.job_id.map(|j| format!("/jobs/{j}"));
    let name = source.name().to_owned();
    let href = match &source.dataset {
        Some(of) => of.dataset_id.map(|id| format!("/data/{id}")),
        None => source.datastore_id.map(|id| format!("/datastores/{id}")),
    };
    let deleted = source.dataset.as_ref().is_some_and(|of| of.dataset_id.is_none());
    let taken = source.dataset.as_ref().and_then(|of| of.taken);
    let what = match &source.dataset {
        Some(of) => format!("{} ({})", source.glob, of.which()),
        None => match source.sequence {
            Some(of) => format!("{} (frames of videos, {} a second)", source.glob, of.rate),
            None => source.glob.clone(),
        },
    };
    view! {
        <li class="card source">
            <div class="source__head">
                <h2>
                    {match href {
                        Some(href) => view! { <a class="link" href=href>{name}</a> }.into_any(),
                        None => view! { <span>{name}</span> }.into_any(),
                    }}
                </h2>
                {deleted.then(|| view! { <Chip icon=Glyph::Trash>"Deleted"</Chip> })}
                <span class="mono muted break grow">{what}</span>
                {
                    let options = options.clone();
                    move || if may.get() {
                        view! {
                            <Select value=every options=options.clone() label="Refresh" on_change=Callback::new(move |m: String| update.run(m))/>
                            <Button size=ButtonSize::Medium icon=Glyph::Refresh loading=refresh.pending on_click=move || refresh.run(())>"Refresh"</Button>
                            <Menu id=format!("source-{id}") label="More actions" trigger_class="btn btn--icon" end=true>
                                <MenuItem icon=Glyph::Trash variant=Variant::Danger on_click=move || removing.set(true)>"Remove"</MenuItem>
                            </Menu>
                        }
                        .into_any()
                    } else {
                        view! { <Chip icon=Glyph::Clock>{schedule(source.every_minutes)}</Chip> }.into_any()
                    }
                }
            </div>
            <p class="source__facts">
                <span><b>{fmt::count(source.files)}</b>{if source.sequence.is_some() { " files and folders are items" } else { " files are items" }}</span>
                {taken.map(|n| view! { <span>{format!("Version {n} is taken")}</span> })}
                {source.last_at.map(|at| view! { <span>"Refreshed "<RelativeTime at/></span> })}
                {source.next_at.map(|at| view! { <span>"Next "<RelativeTime at/></span> })}
                {job_href.map(|href| view! { <a class="link" href=href>"Newest refresh"</a> })}
            </p>
            {source.last.map(|r| view! { <Figures r/> })}
            <ConfirmDialog
                open=removing
                title="Remove this source?"
                text="Its items and their labels stay. What is known of its files is forgotten: added again, all of them are looked at again."
                confirm="Remove"
                pending=remove.pending
                error=remove.error
                on_confirm=Callback::new(move |()| remove.run(()))
            />
        </li>
    }
}

#[component]
fn Figures(r: SourceReport) -> impl IntoView {
    let quiet = r.changed == 0 && r.vanished == 0 && r.report.refused == 0;
    let words = format!(
        "The last refresh saw {}: {} new, {} as before",
        fmt::counted(r.matched, "file", "files"),
        fmt::count(r.report.items_added),
        fmt::count(r.unchanged + r.report.items_unchanged),
    );
    let odd = format!(
        "{words}, {} changed, {} vanished, {} refused. Items stay as they were; the job names the files.",
        fmt::count(r.changed),
        fmt::count(r.vanished),
        fmt::count(r.report.refused)
    );
    if quiet {
        view! { <p class="muted">{words}"."</p> }.into_any()
    } else {
        view! { <Notice tone=Tone::Warn>{odd}</Notice> }.into_any()
    }
}
