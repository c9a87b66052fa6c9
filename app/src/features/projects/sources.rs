//! `/projects/:id/sources`: what the project takes from datastores and datasets, and how its refreshes went.

mod add;

use super::api;
use super::layout::{ProjectCtx, use_project};
use crate::data::{Load, use_form, use_load, use_mutation};
use crate::fmt;
use crate::pulse::use_pulse;
use crate::ui::{
    Button, ButtonSize, Chip, ConfirmDialog, Dialog, EmptyState, ErrorView, Glyph, Menu, MenuItem, Notice,
    RelativeTime, Select, SkeletonCards, Tone, Variant, use_toasts,
};
use add::AddForm;
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::authz::Action;
use limn_domain::datastore::{ProjectSource, SourceReport};
use limn_domain::job::{Job, JobState};
use limn_domain::{JobId, ProjectId};

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
    let sources = use_load(move || ctx.id, api::source_list);
    let adding = RwSignal::new(false);
    // Goes up when the list has to be looked at again.
    let again = RwSignal::new(0_u32);
    view! {
        <Transition fallback=|| view! { <SkeletonCards count=2/> }>
            {move || Suspend::new(async move {
                match sources.await {
                    Ok(list) => view! { <Found ctx sources list adding again/> }.into_any(),
                    Err(error) => view! { <ErrorView error retry=move || sources.refetch()/> }.into_any(),
                }
            })}
        </Transition>
        <Dialog open=adding title="Add a source" description="Its files are read in a job; you can leave the page meanwhile.">
            <AddForm ctx open=adding changed=move || again.update(|n| *n += 1)/>
        </Dialog>
    }
}

fn is_refresh(job: &Job, project: ProjectId) -> bool {
    job.project_id == Some(project) && job.kind == "source"
}

/// Keeps the list as the server has it: after changes here, when a refresh begins elsewhere, and when one is over.
fn keep_current(
    ctx: ProjectCtx,
    sources: Load<Vec<ProjectSource>>,
    list: RwSignal<Vec<ProjectSource>>,
    again: RwSignal<u32>,
) {
    let pulse = use_pulse();
    let id = ctx.id;
    // One may be over before any look of the shell finds it running.
    Effect::new(move |_| {
        let going: Vec<JobId> = list.with(|l| {
            let going = l.iter().filter(|s| s.job_state.is_some_and(|j| !j.is_final()));
            going.filter_map(|s| s.job_id).collect()
        });
        for job in going {
            pulse.watch(job);
        }
    });
    Effect::new(move |before: Option<Vec<JobId>>| {
        let now: Vec<JobId> = pulse.jobs.with(|l| {
            let ours = l.iter().filter(|j| is_refresh(j, id));
            ours.map(|j| j.id).collect()
        });
        if before.is_some_and(|b| now.iter().any(|j| !b.contains(j))) {
            again.update(|n| *n += 1);
        }
        now
    });
    Effect::new(move |before: Option<()>| {
        let ours = pulse
            .ended
            .with(|j| j.as_ref().is_some_and(|j| is_refresh(j, id)));
        if ours && before.is_some() {
            again.update(|n| *n += 1);
        }
    });
    let round = StoredValue::new(0_u32);
    Effect::new(move |before: Option<()>| {
        again.track();
        // At first it has just been read.
        if before.is_none() {
            return;
        }
        let this_round = round.get_value() + 1;
        round.set_value(this_round);
        spawn_local(async move {
            let answer = api::source_list(id).await;
            // A later look knows better, or the page is gone.
            if round.try_get_value() != Some(this_round) {
                return;
            }
            match answer {
                Ok(now) => {
                    if list.with_untracked(|l| *l != now) {
                        list.set(now);
                    }
                }
                // Says what is wrong, with a way to try again.
                Err(_) => sources.refetch(),
            }
        });
    });
}

/// The cards. They stay while their figures change, with what is open on them.
#[component]
fn Found(
    ctx: ProjectCtx,
    sources: Load<Vec<ProjectSource>>,
    list: Vec<ProjectSource>,
    adding: RwSignal<bool>,
    again: RwSignal<u32>,
) -> impl IntoView {
    let list = RwSignal::new(list);
    keep_current(ctx, sources, list, again);
    let may = Memo::new(move |_| ctx.may(Action::ImportData));
    view! {
        <Show
            when=move || list.with(|l| !l.is_empty())
            fallback=move || view! {
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
        >
            {move || may.get().then(|| view! {
                <div class="toolbar"><Button icon=Glyph::Plus on_click=move || adding.set(true)>"Add a source"</Button></div>
            })}
            <ul class="sources plain-list">
                // Without its dataset a source is another card.
                <For
                    each=move || list.get()
                    key=|s| (s.id, s.dataset.as_ref().is_some_and(|of| of.dataset_id.is_none()))
                    let:source
                >
                    <Source ctx list source changed=move || again.update(|n| *n += 1)/>
                </For>
            </ul>
        </Show>
    }
}

#[component]
fn Source(
    ctx: ProjectCtx,
    list: RwSignal<Vec<ProjectSource>>,
    source: ProjectSource,
    #[prop(into)] changed: Callback<()>,
) -> impl IntoView {
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
            changed.run(());
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
    let name = source.name().to_owned();
    let href = match &source.dataset {
        Some(of) => of.dataset_id.map(|id| format!("/data/{id}")),
        None => source.datastore_id.map(|id| format!("/datastores/{id}")),
    };
    let deleted = source.dataset.as_ref().is_some_and(|of| of.dataset_id.is_none());
    let what = match &source.dataset {
        Some(of) => format!("{} ({})", source.glob, of.which()),
        None => match source.sequence {
            Some(of) => format!("{} (frames of videos, {} a second)", source.glob, of.rate),
            None => source.glob.clone(),
        },
    };
    let now = Memo::new(move |_| {
        list.with(|l| l.iter().find(|s| s.id == id).cloned())
            .unwrap_or_else(|| source.clone())
    });
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
                        view! { <Chip icon=Glyph::Clock>{schedule(now.with(|s| s.every_minutes))}</Chip> }.into_any()
                    }
                }
            </div>
            {move || {
                let s = now.get();
                let unfinished = s.job_state.filter(|state| *state != JobState::Succeeded);
                view! {
                    <p class="source__facts">
                        <span><b>{fmt::count(s.files)}</b>{if s.sequence.is_some() { " files and folders are items" } else { " files are items" }}</span>
                        {s.dataset.and_then(|of| of.taken).map(|n| view! { <span>{format!("Version {n} is taken")}</span> })}
                        {s.last_at.map(|at| view! { <span>"Refreshed "<RelativeTime at/></span> })}
                        {s.next_at.map(|at| view! { <span>"Next "<RelativeTime at/></span> })}
                        {s.job_id.map(|job| view! { <a class="link" href=format!("/jobs/{job}")>"Newest refresh"</a> })}
                        {unfinished.map(|state| view! { <Chip tone=Tone::from(state) dot=true>{state.label()}</Chip> })}
                    </p>
                    {s.last.map(|r| view! { <Figures r/> })}
                }
            }}
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
