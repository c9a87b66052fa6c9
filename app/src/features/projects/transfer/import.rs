//! The import dialog: format, files, options; then the upload and the job.

use super::super::api;
use super::super::layout::ProjectCtx;
use super::super::local::{LocalSignal, LocalValue};
use super::columns::{ColumnChoice, Columns};
use super::drop_zone::DropZone;
use super::files::{self, Picked};
use super::http::Cancel;
use super::progress::is_clutter;
use super::resumable;
use super::sequence::{self, SequenceChoice, SequenceFields};
use crate::fmt;
use crate::job::{JobProgress, follow};
use crate::ui::{
    Button, ButtonSize, Checkbox, Choice, Dialog, DialogBody, DialogFoot, DialogSize, Glyph, Icon,
    IconButton, Notice, ProgressBar, RadioCards, Segment, Tone, Variant,
};
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::import::{ImportAs, ImportFormat, ImportReport, NewImport};
use limn_domain::job::{Job, JobState};

/// Where the dialog stands.
#[derive(Clone, PartialEq)]
enum Stage {
    Choosing,
    /// Bytes sent and in all.
    Uploading(f64, f64),
    Running,
}

#[derive(Clone, Copy)]
struct State {
    ctx: ProjectCtx,
    stage: RwSignal<Stage>,
    error: RwSignal<Option<String>>,
    job: RwSignal<Option<Job>>,
    files: LocalSignal<Vec<Picked>>,
    format: RwSignal<String>,
    as_what: RwSignal<String>,
    create: RwSignal<bool>,
    replace: RwSignal<bool>,
    columns: Columns,
    sequence: SequenceChoice,
    cancel: LocalValue<Cancel>,
}

#[component]
pub fn ImportDialog(ctx: ProjectCtx) -> impl IntoView {
    let state = State {
        ctx,
        stage: RwSignal::new(Stage::Choosing),
        error: RwSignal::new(None),
        job: RwSignal::new(None),
        files: LocalSignal::new(),
        format: RwSignal::new(first_format(ctx).as_str().to_owned()),
        as_what: RwSignal::new("labels".to_owned()),
        create: RwSignal::new(true),
        replace: RwSignal::new(false),
        columns: Columns::new(),
        sequence: SequenceChoice::new(),
        cancel: LocalValue::new(),
    };
    let closed = move || {
        state.cancel.with(Cancel::set);
        state.cancel.set(Cancel::default());
        state.stage.set(Stage::Choosing);
        state.job.set(None);
        state.error.set(None);
        state.files.set(Vec::new());
    };
    let busy = Signal::derive(move || matches!(state.stage.get(), Stage::Uploading(..)));
    let stage = Memo::new(move |_| match state.stage.get() {
        Stage::Choosing => 0,
        Stage::Uploading(..) => 1,
        Stage::Running => 2,
    });
    view! {
        <Dialog
            open=ctx.import_open
            title="Import labels"
            size=DialogSize::Large
            description="What cannot be taken is reported by file and line; the rest comes in."
            modal_only=busy
            on_close=closed
        >
            {move || match stage.get() {
                0 => view! { <Choosing state/> }.into_any(),
                1 => view! { <Uploading state/> }.into_any(),
                _ => view! { <Running state/> }.into_any(),
            }}
        </Dialog>
    }
}

/// The format to begin with.
fn first_format(ctx: ProjectCtx) -> ImportFormat {
    let task = ctx.project.with_untracked(|p| p.summary.task);
    if task.is_text() {
        ImportFormat::Csv
    } else {
        ImportFormat::Coco
    }
}

fn chosen_format(state: State, name: String) -> ImportFormat {
    name.parse().unwrap_or_else(|_| first_format(state.ctx))
}

#[component]
fn Choosing(state: State) -> impl IntoView {
    let add = move |more: Vec<Picked>| {
        state.error.set(None);
        state.files.update(|all| {
            for p in more.into_iter().filter(|p| !is_clutter(&p.path)) {
                all.retain(|old| old.path != p.path);
                all.push(p);
            }
        });
    };
    let labels = move || state.format.get() != "images";
    let task = state.ctx.project.with_untracked(|p| p.summary.task);
    let formats: Vec<Choice> = ImportFormat::for_task(task)
        .map(|f| Choice::new(f.as_str(), f.label(), f.describe_for(task)))
        .collect();
    view! {
        <form
            on:submit=move |ev| {
                ev.prevent_default();
                start(state);
            }
        >
            <DialogBody>
                <div class="transfer-form">
                    <RadioCards
                        value=state.format
                        name="import-format"
                        label="Format"
                        choices=formats
                    />
                    <DropZone
                        small=true
                        title="Drop the files here"
                        text=if task.is_text() {
                            "Tables, annotation files, text files and zip files, with their texts or for documents the project already has."
                        } else {
                            "Annotation files, pictures and zip files, together or for pictures the project already has."
                        }
                        accept=if task.is_text() {
                            ".txt,.csv,.tsv,.jsonl,.ndjson,.json,.conll,.iob,.iob2,.bio,.zip"
                        } else {
                            ".json,.xml,.txt,.yaml,.yml,.csv,.jsonl,.zip,image/*,video/*"
                        }
                        on_pick=Callback::new(add)
                        on_drop=Callback::new(move |dropped| {
                            spawn_local(async move {
                                let (files, problems) = files::walk(dropped, |_| ()).await;
                                add(files);
                                if let Some((path, message)) = problems.into_iter().next() {
                                    state.error.set(Some(format!("{path}: {message}")));
                                }
                            });
                        })
                    />
                    <ChosenFiles files=state.files/>
                    {task.is_text().then(|| view! {
                        <ColumnChoice
                            columns=state.columns
                            files=state.files
                            format=Signal::derive(move || chosen_format(state, state.format.get()))
                        />
                    })}
                    {task.takes_videos().then(|| view! { <SequenceFields choice=state.sequence/> })}
                    <Show when=labels>
                        <RadioCards
                            value=state.as_what
                            name="import-as"
                            label="Take them as"
                            choices=vec![
                                Choice::new("labels", "Labels", "Final: their items count as done"),
                                Choice::new("prelabels", "Proposals", "For people to confirm; items stay in the queue"),
                            ]
                        />
                        <Checkbox
                            checked=state.create
                            label="Create missing categories"
                            hint="Otherwise labels of categories the project lacks are refused"
                        />
                        <Checkbox
                            checked=state.replace
                            label="Replace the labels an item has"
                            hint="Otherwise imported labels are added to them"
                        />
                    </Show>
                    {move || state.error.get().map(|m| view! { <Notice tone=Tone::Bad>{m}</Notice> })}
                </div>
            </DialogBody>
            <DialogFoot>
                <Button variant=Variant::Quiet on_click=move || state.ctx.import_open.set(false)>"Cancel"</Button>
                <Button
                    variant=Variant::Primary
                    submit=true
                    disabled=Signal::derive(move || state.files.with(Vec::is_empty) || state.sequence.problem().is_some())
                >
                    "Import"
                </Button>
            </DialogFoot>
        </form>
    }
}

/// What was chosen so far, removable one by one.
#[component]
pub fn ChosenFiles(files: LocalSignal<Vec<Picked>>) -> impl IntoView {
    const SHOWN: usize = 50;
    view! {
        {move || {
            let n = files.with(Vec::len);
            (n > 0).then(|| {
                let bytes: f64 = files.with(|f| f.iter().map(|p| p.file.size()).sum());
                view! {
                    <p class="muted">
                        {format!("{}, {}", fmt::counted(n as i64, "file", "files"), fmt::bytes(bytes as i64))}
                        " "
                        <Button size=ButtonSize::Small variant=Variant::Quiet on_click=move || files.set(Vec::new())>"Clear"</Button>
                    </p>
                    <ul class="transfer-files" aria-label="Chosen files">
                        {files.with(|f| f.iter().take(SHOWN).map(|p| {
                            let path = p.path.clone();
                            let name = p.path.clone();
                            view! {
                                <li>
                                    <Icon glyph=Glyph::File size=14/>
                                    <span title=path.clone()>{path.clone()}</span>
                                    <span class="faint">{fmt::bytes(p.file.size() as i64)}</span>
                                    <IconButton
                                        glyph=Glyph::X
                                        label=format!("Remove {path}")
                                        size=ButtonSize::Small
                                        on_click=move || files.update(|all| all.retain(|p| p.path != name))
                                    />
                                </li>
                            }
                        }).collect_view())}
                        {(n > SHOWN).then(|| view! { <li class="faint">{format!("and {} more", fmt::count((n - SHOWN) as i64))}</li> })}
                    </ul>
                }
            })
        }}
    }
}

/// Uploads the files one after another and starts the job.
fn start(state: State) {
    let files = state.files.get_untracked();
    if files.is_empty() {
        return;
    }
    super::leave_guard();
    let cancel = state.cancel.get();
    let total: f64 = files.iter().map(|p| p.file.size()).sum();
    state.stage.set(Stage::Uploading(0.0, total));
    spawn_local(async move {
        let files = match sequence::with_frames(files, state.sequence.chosen()).await {
            Ok(files) => files,
            Err(why) => {
                state.error.try_set(Some(why));
                state.stage.try_set(Stage::Choosing);
                return;
            }
        };
        let mut uploads = Vec::new();
        let mut before = 0.0;
        for picked in &files {
            let report = move |sent: f64| {
                state.stage.try_set(Stage::Uploading(before + sent, total));
            };
            match resumable::upload(&picked.file, &cancel, report).await {
                Ok(id) => uploads.push(id),
                Err(e) => {
                    if !cancel.is_set() {
                        state
                            .error
                            .try_set(Some(format!("{}: {}", picked.path, e.message)));
                        state.stage.try_set(Stage::Choosing);
                    }
                    return;
                }
            }
            before += picked.file.size();
        }
        let input = NewImport {
            format: chosen_format(state, state.format.get_untracked()),
            import_as: if state.as_what.get_untracked() == "prelabels" {
                ImportAs::Prelabels
            } else {
                ImportAs::Labels
            },
            uploads,
            create_categories: state.create.get_untracked(),
            replace: state.replace.get_untracked(),
            columns: state.columns.chosen(),
            sequence: state.sequence.chosen(),
        };
        match api::import_start(state.ctx.id, input).await {
            Ok(job) => {
                let id = job.id;
                state.job.try_set(Some(job));
                state.stage.try_set(Stage::Running);
                let ended = Callback::new(move |_| {
                    state.ctx.uploader.version.update(|v| *v += 1);
                });
                follow(state.job, id, ended);
            }
            Err(e) => {
                state.error.try_set(Some(e.message.clone()));
                state.stage.try_set(Stage::Choosing);
            }
        }
    });
}

#[component]
fn Uploading(state: State) -> impl IntoView {
    let numbers = move || match state.stage.get() {
        Stage::Uploading(sent, total) => (sent, total),
        _ => (0.0, 0.0),
    };
    view! {
        <DialogBody>
            <div class="transfer-progress">
                <ProgressBar
                    label="Upload"
                    thick=true
                    segments=Signal::derive(move || vec![Segment::new(numbers().0 as i64, Tone::Accent, "Sent")])
                    total=Signal::derive(move || numbers().1 as i64)
                />
                <p class="muted" role="status">
                    {move || format!("Uploading, {} of {}", fmt::bytes(numbers().0 as i64), fmt::bytes(numbers().1 as i64))}
                </p>
            </div>
        </DialogBody>
        <DialogFoot>
            <Button
                variant=Variant::Quiet
                on_click=move || {
                    state.cancel.with(Cancel::set);
                    state.cancel.set(Cancel::default());
                    state.stage.set(Stage::Choosing);
                }
            >
                "Cancel"
            </Button>
        </DialogFoot>
    }
}

#[component]
fn Running(state: State) -> impl IntoView {
    let job = state.job;
    let ended = Memo::new(move |_| job.with(|j| j.as_ref().map(|j| j.state)).filter(|s| s.is_final()));
    let href = move || job.with(|j| j.as_ref().map(|j| format!("/jobs/{}", j.id)).unwrap_or_default());
    view! {
        <DialogBody>
            {move || match ended.get() {
                Some(JobState::Succeeded) => {
                    let report = job.with_untracked(|j| {
                        j.as_ref()
                            .and_then(|j| j.result.clone())
                            .and_then(|r| serde_json::from_value::<ImportReport>(r).ok())
                    });
                    view! { <Summary report=report.unwrap_or_default()/> }.into_any()
                }
                Some(_) => {
                    let text = job.with(|j| {
                        j.as_ref().and_then(|j| j.error.clone()).unwrap_or_else(|| "The import was cancelled.".to_owned())
                    });
                    view! { <Notice tone=Tone::Bad>{text}</Notice> }.into_any()
                }
                None => view! {
                    <JobProgress job=job.into()/>
                    <p class="faint">"You can close this; the import goes on."</p>
                }
                .into_any(),
            }}
        </DialogBody>
        <DialogFoot>
            <Button variant=Variant::Quiet href=Signal::derive(href)>"Report and log"</Button>
            <Button on_click=move || state.ctx.import_open.set(false)>"Close"</Button>
        </DialogFoot>
    }
}

#[component]
fn Summary(report: ImportReport) -> impl IntoView {
    let facts = [
        (report.items_added, "items added"),
        (report.annotations_added, "labels added"),
        (report.categories_added, "categories added"),
        (report.fixed, "repaired"),
        (report.refused, "refused"),
    ];
    let refused = report.refused;
    view! {
        <div class="transfer-done">
            <div class="transfer-facts">
                {facts.into_iter().map(|(n, what)| view! { <div><b>{fmt::count(n)}</b><span>{what}</span></div> }).collect_view()}
            </div>
            {(refused > 0).then(|| view! {
                <Notice tone=Tone::Warn>"Some records were refused. The report names each by file and line."</Notice>
            })}
        </div>
    }
}
