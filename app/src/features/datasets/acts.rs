//! Dialogs of what can be done with a version.

mod places;
mod splits;

use super::api;
use super::layout::DatasetCtx;
use super::source::split_options;
use crate::data::use_form;
use crate::error::AppError;
use crate::fmt;
use crate::job::{Watch, follow};
use crate::ui::{
    Button, Checkbox, Chip, Choice, ConfirmDialog, Dialog, DialogBody, DialogFoot, Field, FormError, Glyph,
    Icon, Notice, RadioCards, Select, TextInput, Tone, Variant, use_toasts,
};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use limn_domain::VersionId;
use limn_domain::dataset::{DatasetKind, EntryFilter, LATEST, MakeProject, Version, VersionImpact};
use limn_domain::export::{ExportFormat, ExportResult, NewExport, VersionExport};
use limn_domain::job::{Job, JobState};
use limn_domain::project::{Project, Task};
use places::PlacesView;
use splits::SplitsForm;

/// What a dialog does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Export,
    Splits,
    Project,
    Alias,
    Places,
    Delete,
}

#[component]
pub fn Acts(ctx: DatasetCtx, act: RwSignal<Option<(Act, Version)>>) -> impl IntoView {
    let open = RwSignal::new(false);
    let chosen = Memo::new(move |_| act.get());
    Effect::new(move |_| {
        if chosen.with(|a| a.as_ref().is_some_and(|(a, _)| *a != Act::Delete)) {
            open.set(true);
        }
    });
    let title = move || {
        chosen.with(|a| match a {
            Some((Act::Export, v)) => format!("Export version {}", v.number),
            Some((Act::Splits, v)) => format!("Make splits of version {}", v.number),
            Some((Act::Project, v)) => format!("Label version {}", v.number),
            Some((Act::Alias, v)) => format!("Aliases of version {}", v.number),
            Some((Act::Places, v)) => format!("Where the files of version {} lie", v.number),
            _ => String::new(),
        })
    };
    view! {
        <Dialog open title=Signal::derive(title) on_close=move || act.set(None)>
            {move || chosen.get().map(|(a, v)| match a {
                Act::Export => view! { <ExportForm ctx v open/> }.into_any(),
                Act::Splits => view! { <SplitsForm ctx v open/> }.into_any(),
                Act::Project => view! { <ProjectForm v open/> }.into_any(),
                Act::Alias => view! { <AliasForm ctx v open/> }.into_any(),
                Act::Places => view! { <PlacesView ctx v open/> }.into_any(),
                Act::Delete => ().into_any(),
            })}
        </Dialog>
        <DeleteDialog ctx act/>
    }
}

/// What labels of a version are for.
fn task_of(kind: DatasetKind, version: &Version) -> Task {
    version.task.unwrap_or(if kind == DatasetKind::Text {
        Task::TextMultilabel
    } else {
        Task::Objects
    })
}

#[component]
fn ExportForm(ctx: DatasetCtx, v: Version, open: RwSignal<bool>) -> impl IntoView {
    let task = task_of(ctx.dataset.with_untracked(|d| d.summary.kind), &v);
    let id = v.id;
    let format = RwSignal::new(ExportFormat::first_for(task).as_str().to_owned());
    let split = RwSignal::new(String::new());
    let with_images = RwSignal::new(false);
    let job = RwSignal::new(None::<Job>);
    let formats = Signal::stored(
        ExportFormat::for_task(task)
            .map(|f| (f.as_str().to_owned(), f.label().to_owned()))
            .collect::<Vec<(String, String)>>(),
    );
    let start = use_form(
        move |()| {
            let input = VersionExport {
                export: NewExport {
                    format: format.with_untracked(|f| f.parse().unwrap_or(ExportFormat::first_for(task))),
                    with_images: with_images.get_untracked(),
                    ..NewExport::default()
                },
                split: split.with_untracked(|s| s.parse().ok()),
            };
            api::version_export(id, input)
        },
        move |started: Job| {
            let id = started.id;
            job.set(Some(started));
            follow(job, id, Callback::new(|_| ()));
        },
    );
    let state = Memo::new(move |_| job.with(|j| j.as_ref().map(|j| j.state)));
    view! {
        <form on:submit=move |ev| {
            ev.prevent_default();
            start.run(());
        }>
            <DialogBody>
                {move || match state.get() {
                    None => view! {
                        <div class="data-form">
                            <Field name="format" label="Format" errors=start.error><Select value=format options=formats/></Field>
                            <Field name="split" label="Split"><Select value=split options=split_options("All files")/></Field>
                            <Checkbox checked=with_images label=format!("With the {}", task.media().nouns().1)/>
                            <p class="faint">"The same version gives the same bytes, whenever it is exported."</p>
                            <FormError error=start.error fields=&["format"]/>
                        </div>
                    }.into_any(),
                    Some(JobState::Succeeded) => view! { <ExportDone job/> }.into_any(),
                    Some(s) if s.is_final() => {
                        let why = job.with(|j| j.as_ref().and_then(|j| j.error.clone())).unwrap_or_else(|| "The export was cancelled.".to_owned());
                        view! { <Notice tone=Tone::Bad>{why}</Notice> }.into_any()
                    }
                    Some(_) => view! { <Watch job/> }.into_any(),
                }}
            </DialogBody>
            <DialogFoot>
                <Button variant=Variant::Quiet on_click=move || open.set(false)>"Close"</Button>
                <Show when=move || state.get().is_none()>
                    <Button variant=Variant::Primary icon=Glyph::Download submit=true loading=start.pending>"Export"</Button>
                </Show>
            </DialogFoot>
        </form>
    }
}

#[component]
fn ExportDone(job: RwSignal<Option<Job>>) -> impl IntoView {
    let result = job.with_untracked(|j| {
        j.as_ref()
            .and_then(|j| j.result.clone())
            .and_then(|r| serde_json::from_value::<ExportResult>(r).ok())
    });
    let Some(r) = result else {
        return view! { <Notice tone=Tone::Bad>"The export ended without a file; its log says why."</Notice> }.into_any();
    };
    view! {
        <div class="transfer-done">
            <a class="export-file" href=r.url.clone() rel="external" download=r.file_name.clone()>
                <Icon glyph=Glyph::Download size=20/>
                <span class="grow"><b>{r.file_name.clone()}</b><small>{fmt::bytes(r.size)}</small></span>
                <span class="btn btn--primary">"Download"</span>
            </a>
            {(!r.notes.is_empty()).then(|| view! {
                <Notice tone=Tone::Warn><ul class="plain-list">{r.notes.into_iter().map(|n| view! { <li>{n}</li> }).collect_view()}</ul></Notice>
            })}
            <p class="faint digest">"BLAKE3 "{r.digest}</p>
        </div>
    }
    .into_any()
}

#[component]
fn ProjectForm(v: Version, open: RwSignal<bool>) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let how = RwSignal::new("labels".to_owned());
    let split = RwSignal::new(String::new());
    let navigate = use_navigate();
    let toasts = use_toasts();
    let id = v.id;
    let start = use_form(
        move |()| {
            let input = MakeProject {
                name: name.get_untracked(),
                with_labels: how.get_untracked() == "labels",
                task: None,
                filter: EntryFilter {
                    split: split.with_untracked(|s| s.parse().ok()),
                    ..EntryFilter::default()
                },
            };
            api::version_make_project(id, input)
        },
        move |p: Project| {
            open.set(false);
            toasts.ok("The project is made; its items are coming in.");
            navigate(&format!("/projects/{}", p.summary.id), NavigateOptions::default());
        },
    );
    view! {
        <form on:submit=move |ev| {
            ev.prevent_default();
            start.run(());
        }>
            <DialogBody>
                <div class="data-form">
                    <Field name="name" label="Name of the project" errors=start.error><TextInput value=name autofocus=true autocomplete="off"/></Field>
                    <RadioCards value=how name="how" label="Labels" choices=vec![
                        Choice::new("labels", "With its labels", "Items are done and can be corrected"),
                        Choice::new("bare", "Without", "Items are to do"),
                    ]/>
                    <Field name="split" label="Files"><Select value=split options=split_options("All files")/></Field>
                    <FormError error=start.error fields=&["name"]/>
                </div>
            </DialogBody>
            <DialogFoot>
                <Button variant=Variant::Quiet on_click=move || open.set(false)>"Cancel"</Button>
                <Button variant=Variant::Primary icon=Glyph::Check submit=true loading=start.pending>"Create the project"</Button>
            </DialogFoot>
        </form>
    }
}

#[component]
fn AliasForm(ctx: DatasetCtx, v: Version, open: RwSignal<bool>) -> impl IntoView {
    let alias = RwSignal::new(String::new());
    let (id, number) = (v.id, v.number);
    let set = use_form(
        move |(alias, to): (String, Option<VersionId>)| api::dataset_set_alias(ctx.id, alias, to),
        move |versions: Vec<Version>| {
            alias.set(String::new());
            ctx.versions.set(versions);
        },
    );
    let own = move || {
        ctx.versions.with(|list| {
            let of = list.iter().find(|v| v.id == id);
            of.map(|v| {
                v.aliases
                    .iter()
                    .filter(|a| *a != LATEST)
                    .cloned()
                    .collect::<Vec<_>>()
            })
            .unwrap_or_default()
        })
    };
    view! {
        <form on:submit=move |ev| {
            ev.prevent_default();
            set.run((alias.get_untracked(), Some(id)));
        }>
            <DialogBody>
                <div class="data-form">
                    <p class="muted">"An alias names a version for those who use it: training takes production, and you move production when you are ready. Every move is written down."</p>
                    <ul class="data-aliases">
                        {move || own().into_iter().map(|a| {
                            let gone = a.clone();
                            let words = format!("Remove {a}");
                            view! {
                                <li>
                                    <Chip tone=Tone::Accent>{a}</Chip>
                                    <Button variant=Variant::Quiet icon=Glyph::X on_click=move || set.run((gone.clone(), None))>{words}</Button>
                                </li>
                            }
                        }).collect_view()}
                    </ul>
                    <Field name="alias" label="Alias" errors=set.error hint="Made when it is new; moved here when another version has it">
                        <TextInput value=alias autofocus=true autocomplete="off" placeholder="production"/>
                    </Field>
                    <FormError error=set.error fields=&["alias"]/>
                </div>
            </DialogBody>
            <DialogFoot>
                <Button variant=Variant::Quiet on_click=move || open.set(false)>"Close"</Button>
                <Button variant=Variant::Primary icon=Glyph::Flag submit=true loading=set.pending>{format!("Point to version {number}")}</Button>
            </DialogFoot>
        </form>
    }
}

/// One dialog for all versions: what deleting would do is counted each time it opens.
#[component]
fn DeleteDialog(ctx: DatasetCtx, act: RwSignal<Option<(Act, Version)>>) -> impl IntoView {
    let open = RwSignal::new(false);
    let version = RwSignal::new(None::<Version>);
    let impact = RwSignal::new(None::<Result<VersionImpact, AppError>>);
    Effect::new(move |_| {
        let wanted = act.with(|a| {
            a.as_ref()
                .filter(|(a, _)| *a == Act::Delete)
                .map(|(_, v)| v.clone())
        });
        let Some(v) = wanted else { return };
        let id = v.id;
        version.set(Some(v));
        impact.set(None);
        open.set(true);
        spawn_local(async move {
            let found = api::version_impact(id).await;
            impact.try_set(Some(found));
        });
    });
    Effect::new(move |was: Option<bool>| {
        let is = open.get();
        if was == Some(true) && !is {
            act.set(None);
        }
        is
    });
    let toasts = use_toasts();
    let delete = use_form(
        move |id: VersionId| api::version_delete(id, true),
        move |()| {
            open.set(false);
            toasts.ok("The version is deleted.");
            ctx.reload();
        },
    );
    let number = move || version.with(|v| v.as_ref().map_or(0, |v| v.number));
    let text = Signal::derive(move || {
        impact.with(|i| match i {
            None => "Counting what this frees...".to_owned(),
            Some(Err(e)) => e.message.clone(),
            Some(Ok(i)) if !i.aliases.is_empty() => format!(
                "It is {}. Point the alias to another version, or remove it, first.",
                i.aliases.join(" and ")
            ),
            Some(Ok(i)) => {
                let used = if i.used_by.is_empty() {
                    String::new()
                } else {
                    format!(
                        " It is where {} came from; that cannot be reproduced afterwards.",
                        i.used_by.join(", ")
                    )
                };
                format!(
                    "This frees {} ({}), with the next clean-up. What other versions and projects share stays.{used}",
                    fmt::bytes(i.frees_bytes),
                    fmt::counted(i.frees_files, "file", "files")
                )
            }
        })
    });
    view! {
        <ConfirmDialog
            open
            title=Signal::derive(move || format!("Delete version {}?", number()))
            text
            confirm="Delete"
            type_to_confirm=Signal::derive(move || format!("version {}", number()))
            pending=delete.pending
            error=delete.error
            on_confirm=Callback::new(move |()| {
                if let Some(id) = version.with_untracked(|v| v.as_ref().map(|v| v.id)) {
                    delete.run(id);
                }
            })
        />
    }
}
