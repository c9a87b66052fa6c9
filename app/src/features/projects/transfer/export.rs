//! The export dialog: few options, each explained; then the file.

use super::super::api;
use super::super::layout::ProjectCtx;
use crate::data::use_form;
use crate::fmt;
use crate::job::{JobProgress, follow};
use crate::ui::{
    Button, Checkbox, Choice, Dialog, DialogBody, DialogFoot, Field, FormError, Glyph, Icon, Notice,
    RadioCards, Select, Tone, Variant,
};
use leptos::prelude::*;
use limn_domain::export::{BoxSegmentation, ExportFormat, ExportResult, ExportScope, FileNames, NewExport};
use limn_domain::format::{Aspect, Keeps};
use limn_domain::item_explore::{ItemChoice, ProjectExport};
use limn_domain::job::{Job, JobState};
use limn_domain::project::Task;

#[component]
pub fn ExportDialog(ctx: ProjectCtx) -> impl IntoView {
    let open = ctx.export_open;
    let job = RwSignal::new(None::<Job>);
    view! {
        <Dialog
            open
            title="Export labels"
            description="In the format your tools read. What a format cannot say is listed before and counted after."
            on_close=move || job.set(None)
        >
            <Show when=move || job.with(Option::is_none) fallback=move || view! { <Running job open/> }>
                <Options ctx job open/>
            </Show>
        </Dialog>
    }
}

/// What an export is of, where it is not of all items.
#[derive(Debug, Clone, PartialEq)]
pub struct Portion {
    pub choice: ItemChoice,
    pub items: i64,
}

/// The same for items that were found; `of` is asked when the dialog opens.
#[component]
pub fn ExportFound(ctx: ProjectCtx, open: RwSignal<bool>, of: Callback<(), Portion>) -> impl IntoView {
    let job = RwSignal::new(None::<Job>);
    view! {
        <Dialog
            open
            title="Export these items"
            description="In the format your tools read, only what was found or selected."
            on_close=move || job.set(None)
        >
            <Show when=move || job.with(Option::is_none) fallback=move || view! { <Running job open/> }>
                <Options ctx job open of=untrack(|| of.run(()))/>
            </Show>
        </Dialog>
    }
}

#[component]
fn Options(
    ctx: ProjectCtx,
    job: RwSignal<Option<Job>>,
    open: RwSignal<bool>,
    #[prop(optional, into)] of: Option<Portion>,
) -> impl IntoView {
    let scope = RwSignal::new("all".to_owned());
    let with_images = RwSignal::new(false);
    let segmentation = RwSignal::new("empty".to_owned());
    let names = RwSignal::new("preserve".to_owned());
    let task = ctx.project.with_untracked(|p| p.summary.task);
    let format = RwSignal::new(ExportFormat::first_for(task).as_str().to_owned());
    let things = task.media().nouns().1;
    let chosen = Memo::new(move |_| format.with(|f| f.parse().unwrap_or(ExportFormat::first_for(task))));
    let formats = ExportFormat::for_task(task).map(|f| (f.as_str().to_owned(), f.label().to_owned()));
    let formats = Signal::stored(formats.collect::<Vec<_>>());
    let box_options = move || task == Task::Detection && chosen.get() == ExportFormat::Coco;
    let progress = ctx.project.with_untracked(|p| p.summary.progress);
    let start = use_form(
        move |input: ProjectExport| api::export_start(ctx.id, input),
        move |started: Job| {
            let id = started.id;
            job.set(Some(started));
            follow(job, id, Callback::new(|_| ()));
        },
    );
    let all = of.as_ref().map_or(progress.total, |o| o.items);
    let done = of.is_none().then_some(progress.done);
    let only = StoredValue::new(of.map(|o| o.choice));
    let submit = move || {
        let export = NewExport {
            format: chosen.get_untracked(),
            with_images: with_images.get_untracked(),
            scope: if scope.get_untracked() == "done" {
                ExportScope::Done
            } else {
                ExportScope::All
            },
            box_segmentation: match segmentation.get_untracked().as_str() {
                "polygon" => BoxSegmentation::Polygon,
                "omit" => BoxSegmentation::Omit,
                _ => BoxSegmentation::Empty,
            },
            file_names: if names.get_untracked() == "flat" {
                FileNames::Flat
            } else {
                FileNames::Preserve
            },
        };
        start.run(ProjectExport {
            export,
            only: only.get_value(),
        });
    };
    view! {
        <form
            on:submit=move |ev| {
                ev.prevent_default();
                submit();
            }
        >
            <DialogBody>
                <div class="transfer-form">
                    <Field label="Format" name="export-format">
                        <Select value=format options=formats/>
                    </Field>
                    {move || view! { <Keeping format=chosen.get() task/> }}
                    <RadioCards
                        value=scope
                        name="export-scope"
                        label="Items"
                        choices=vec![
                            Choice::new("all", format!("All {}", fmt::count(all)), "Also those without labels"),
                            Choice::new(
                                "done",
                                done.map_or_else(|| "Done ones of them".to_owned(), |n| format!("Done, {}", fmt::count(n))),
                                "Only what somebody has submitted",
                            ),
                        ]
                    />
                    <Checkbox
                        checked=with_images
                        label=format!("With the {things}")
                        hint=if task.is_text() { "As files in the zip, beside the labels" } else { "In a zip, turned upright, so that every label fits" }
                    />
                    <details class="transfer-more">
                        <summary>"More options"</summary>
                        <div class="transfer-form">
                            {move || box_options().then(|| view! {
                                <RadioCards
                                    value=segmentation
                                    name="export-segmentation"
                                    label="Segmentation of boxes"
                                    choices=vec![
                                        Choice::new("empty", "Empty list", "What most tools write and read"),
                                        Choice::new("polygon", "The box as a polygon", "For tools that need a mask"),
                                        Choice::new("omit", "Leave the field out", "The smallest file"),
                                    ]
                                />
                            })}
                            <RadioCards
                                value=names
                                name="export-names"
                                label="File names"
                                choices=vec![
                                    Choice::new("preserve", "With folders", if task.is_text() { "As uploaded: mail/may/0001.txt" } else { "As uploaded: day1/cam2/0001.jpg" }),
                                    Choice::new("flat", "Without folders", if task.is_text() { "0001.txt; equal names get a number" } else { "0001.jpg; equal names get a number" }),
                                ]
                            />
                        </div>
                    </details>
                    <FormError error=start.error/>
                </div>
            </DialogBody>
            <DialogFoot>
                <Button variant=Variant::Quiet on_click=move || open.set(false)>"Cancel"</Button>
                <Button variant=Variant::Primary icon=Glyph::Download submit=true loading=start.pending>"Export"</Button>
            </DialogFoot>
        </form>
    }
}

/// What the format keeps of this project's labels, and what it loses.
#[component]
fn Keeping(format: ExportFormat, task: Task) -> impl IntoView {
    let aspects = || Aspect::ALL.into_iter().filter(move |a| a.concerns(task));
    let kept: Vec<_> = aspects()
        .filter(|a| format.keeps(*a) == Keeps::Exactly)
        .map(|a| a.label().to_lowercase())
        .collect();
    let rows = aspects()
        .filter_map(|a| match format.keeps(a) {
            Keeps::Exactly => None,
            Keeps::As(how) => Some(format!("{}: kept {how}", a.label())),
            Keeps::Not(instead) => Some(format!("{}: lost, {instead}", a.label())),
        })
        .map(|line| view! { <li>{line}</li> })
        .collect_view();
    view! {
        <div class="muted">
            <p>{format.describe()}</p>
            <ul class="plain-list" aria-label="What the format keeps and loses">
                {(!kept.is_empty()).then(|| view! { <li>{format!("Kept exactly: {}", kept.join(", "))}</li> })}
                {rows}
            </ul>
        </div>
    }
}

#[component]
fn Running(job: RwSignal<Option<Job>>, open: RwSignal<bool>) -> impl IntoView {
    let state = Memo::new(move |_| job.with(|j| j.as_ref().map(|j| j.state)));
    let href = move || job.with(|j| j.as_ref().map(|j| format!("/jobs/{}", j.id)).unwrap_or_default());
    view! {
        <DialogBody>
            {move || match state.get() {
                Some(JobState::Succeeded) => view! { <Finished job/> }.into_any(),
                Some(JobState::Failed | JobState::Cancelled) => {
                    let text = job.with(|j| {
                        j.as_ref().and_then(|j| j.error.clone()).unwrap_or_else(|| "The export was cancelled.".to_owned())
                    });
                    view! { <Notice tone=Tone::Bad>{text}</Notice> }.into_any()
                }
                _ => view! {
                    <JobProgress job=job.into()/>
                    <p class="faint">"You can close this; the export goes on, and the job list keeps the file."</p>
                }
                .into_any(),
            }}
        </DialogBody>
        <DialogFoot>
            <Button variant=Variant::Quiet href=Signal::derive(href)>"Job and log"</Button>
            <Button on_click=move || open.set(false)>"Close"</Button>
        </DialogFoot>
    }
}

#[component]
fn Finished(job: RwSignal<Option<Job>>) -> impl IntoView {
    let result = job.with_untracked(|j| {
        j.as_ref()
            .and_then(|j| j.result.clone())
            .and_then(|r| serde_json::from_value::<ExportResult>(r).ok())
    });
    let Some(r) = result else {
        return view! { <Notice tone=Tone::Bad>"The export ended without a file; its log says why."</Notice> }.into_any();
    };
    let name = r.file_name.clone();
    view! {
        <div class="transfer-done">
            <a class="export-file" href=r.url.clone() rel="external" download=r.file_name.clone()>
                <Icon glyph=Glyph::Download size=20/>
                <span class="grow"><b>{name}</b><small>{fmt::bytes(r.size)}</small></span>
                <span class="btn btn--primary">"Download"</span>
            </a>
            <div class="transfer-facts">
                <div><b>{fmt::count(r.images)}</b><span>"items"</span></div>
                <div><b>{fmt::count(r.annotations)}</b><span>"labels"</span></div>
            </div>
            {(!r.notes.is_empty()).then(|| view! {
                <Notice tone=Tone::Warn>
                    <ul class="plain-list">{r.notes.into_iter().map(|n| view! { <li>{n}</li> }).collect_view()}</ul>
                </Notice>
            })}
            <p class="faint digest">"BLAKE3 "{r.digest}</p>
        </div>
    }
    .into_any()
}
