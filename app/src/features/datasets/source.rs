//! Choosing what a version is made of, and watching the job that makes it.

use super::api;
use super::stored::{ModeFields, StoredFields};
use crate::data::use_load;
use crate::error::AppError;
use crate::fmt;
use crate::session::use_session;
use crate::ui::{
    Checkbox, Choice, ErrorView, Field, Glyph, Notice, ProgressBar, RadioCards, Segment, Select, Skeleton,
    TextInput, Tone,
};
use crate::upload::http::Cancel;
use crate::upload::resumable;
use leptos::html;
use leptos::prelude::*;
use limn_domain::ApiError;
use limn_domain::authz::{Action, allowed};
use limn_domain::dataset::{DatasetKind, EntryFilter, UploadMode, Version, VersionOutcome, VersionSource};
use limn_domain::item::ItemStatus;
use limn_domain::job::{Job, JobState};
use limn_domain::project::ProjectSummary;

/// What the form holds.
#[derive(Clone, Copy)]
pub struct Source {
    /// `project`, `upload`, `datastore` or `version`.
    pub from: RwSignal<String>,
    pub project: RwSignal<String>,
    pub with_todo: RwSignal<bool>,
    pub with_skipped: RwSignal<bool>,
    pub categories: RwSignal<String>,
    pub mode: RwSignal<String>,
    pub version: RwSignal<String>,
    pub split: RwSignal<String>,
    pub glob: RwSignal<String>,
    /// The datastore's id, whether it takes a query, and that.
    pub store: RwSignal<String>,
    pub is_sql: RwSignal<bool>,
    pub sql: RwSignal<String>,
    pub table: RwSignal<String>,
    /// `copy`, or `stay` for files that are left where they are.
    pub place: RwSignal<String>,
    pub note: RwSignal<String>,
    input: NodeRef<html::Input>,
    chosen: RwSignal<Vec<(String, f64)>>,
    /// Bytes sent of all, while files are on their way.
    pub sending: RwSignal<Option<(f64, f64)>>,
}

impl Source {
    pub fn new(project: Option<String>) -> Self {
        Self {
            from: RwSignal::new("project".to_owned()),
            project: RwSignal::new(project.unwrap_or_default()),
            with_todo: RwSignal::new(false),
            with_skipped: RwSignal::new(false),
            categories: RwSignal::new(String::new()),
            mode: RwSignal::new("add".to_owned()),
            version: RwSignal::new(String::new()),
            split: RwSignal::new(String::new()),
            glob: RwSignal::new(String::new()),
            store: RwSignal::new(String::new()),
            is_sql: RwSignal::new(false),
            sql: RwSignal::new(String::new()),
            table: RwSignal::new(String::new()),
            place: RwSignal::new("copy".to_owned()),
            note: RwSignal::new(String::new()),
            input: NodeRef::new(),
            chosen: RwSignal::new(Vec::new()),
            sending: RwSignal::new(None),
        }
    }

    /// Whether enough is chosen to begin.
    pub fn is_ready(&self) -> bool {
        match self.from.get().as_str() {
            "project" => self.project.with(|p| !p.is_empty()),
            "upload" => self.chosen.with(|c| !c.is_empty()),
            "datastore" => {
                let asked = !self.is_sql.get() || self.sql.with(|s| !s.trim().is_empty());
                asked && self.store.with(|s| !s.is_empty())
            }
            _ => self.version.with(|v| !v.is_empty()),
        }
    }

    /// What the service is asked for; files are sent first.
    pub async fn take(self, versions: Vec<Version>) -> Result<VersionSource, AppError> {
        let missing = |what: &str| AppError(ApiError::field("source", format!("Choose {what} first.")));
        match self.from.get_untracked().as_str() {
            "project" => {
                let project_id = self
                    .project
                    .with_untracked(|p| p.parse())
                    .map_err(|_| missing("a project"))?;
                let mut statuses = vec![ItemStatus::Done];
                if self.with_todo.get_untracked() {
                    statuses.push(ItemStatus::Todo);
                }
                if self.with_skipped.get_untracked() {
                    statuses.push(ItemStatus::Skipped);
                }
                Ok(VersionSource::Project {
                    project_id,
                    statuses,
                    categories: list(&self.categories.get_untracked()),
                })
            }
            "datastore" => self.stored().ok_or_else(|| missing("a datastore")),
            "upload" => {
                let files = self
                    .input
                    .get_untracked()
                    .and_then(|i| i.files())
                    .ok_or_else(|| missing("files"))?;
                let uploads = self.send(&files).await;
                self.sending.try_set(None);
                Ok(VersionSource::Uploads {
                    uploads: uploads?,
                    mode: self.upload_mode(),
                })
            }
            _ => {
                let number = self.version.get_untracked();
                let version_id = versions
                    .iter()
                    .find(|v| v.number.to_string() == number)
                    .map(|v| v.id)
                    .ok_or_else(|| missing("a version"))?;
                Ok(VersionSource::Version {
                    version_id,
                    filter: EntryFilter {
                        split: self.split.with_untracked(|s| s.parse().ok()),
                        categories: list(&self.categories.get_untracked()),
                        glob: Some(self.glob.get_untracked()).filter(|g| !g.trim().is_empty()),
                    },
                })
            }
        }
    }

    fn upload_mode(self) -> UploadMode {
        if self.mode.get_untracked() == "replace" {
            UploadMode::Replace
        } else {
            UploadMode::Add
        }
    }

    fn stored(self) -> Option<VersionSource> {
        let datastore_id = self.store.with_untracked(|s| s.parse()).ok()?;
        let mode = self.upload_mode();
        Some(if self.is_sql.get_untracked() {
            VersionSource::Query {
                datastore_id,
                sql: self.sql.get_untracked(),
                name: self.table.get_untracked(),
                mode,
            }
        } else {
            VersionSource::Datastore {
                datastore_id,
                glob: self.glob.get_untracked(),
                mode,
                in_place: self.place.with_untracked(|p| p == "stay"),
            }
        })
    }

    async fn send(self, files: &web_sys::FileList) -> Result<Vec<limn_domain::UploadId>, AppError> {
        let files: Vec<web_sys::File> = (0..files.length()).filter_map(|n| files.get(n)).collect();
        let total: f64 = files.iter().map(|f| f.size()).sum();
        let (mut before, mut ids) = (0.0, Vec::new());
        for file in &files {
            let sent = before;
            let report = move |n: f64| {
                self.sending.try_set(Some((sent + n, total)));
            };
            report(0.0);
            ids.push(
                resumable::upload(file, &Cancel::default(), report)
                    .await
                    .map_err(AppError)?,
            );
            before += file.size();
        }
        Ok(ids)
    }
}

/// Names apart by commas.
fn list(text: &str) -> Vec<String> {
    text.split(',')
        .map(|c| c.trim().to_owned())
        .filter(|c| !c.is_empty())
        .collect()
}

/// The form's fields. `first`: there is no version yet to add to or choose from.
#[component]
pub fn SourceFields(
    source: Source,
    kind: Signal<DatasetKind>,
    #[prop(into)] versions: Signal<Vec<(String, String)>>,
) -> impl IntoView {
    let projects = use_load(|| (), |()| api::dataset_projects());
    let first = Memo::new(move |_| versions.with(Vec::is_empty));
    let use_datastores = use_session().may(Action::UseDatastores);
    let labels = Memo::new(move |_| matches!(kind.get(), DatasetKind::Images | DatasetKind::Text));
    Effect::new(move |_| {
        if !labels.get() && source.from.with(|f| f == "project") {
            source.from.set("upload".to_owned());
        }
    });
    let choices = move || {
        let mut all = Vec::new();
        if labels.get() {
            all.push(
                Choice::new(
                    "project",
                    "A labeling project",
                    "Its items with their labels, as they are now",
                )
                .with_icon(Glyph::Tag),
            );
        }
        all.push(
            Choice::new("upload", "Files", "Chosen here; zip files are unpacked").with_icon(Glyph::Upload),
        );
        if use_datastores {
            all.push(
                Choice::new(
                    "datastore",
                    "A datastore",
                    "Its files, or what a query answers, as they are now",
                )
                .with_icon(Glyph::Plug),
            );
        }
        if !first.get() {
            all.push(Choice::new("version", "Another version", "Some of its files").with_icon(Glyph::Filter));
        }
        all
    };
    view! {
        <div class="data-form">
            {move || view! { <RadioCards value=source.from name="version-source" label="Made from" choices=choices()/> }}
            {move || match source.from.get().as_str() {
                "project" => view! {
                    <Transition fallback=|| view! { <Skeleton lines=1/> }>
                        {move || Suspend::new(async move {
                            match projects.await {
                                Ok(list) => view! { <ProjectFields source kind=kind.get() list/> }.into_any(),
                                Err(error) => view! { <ErrorView error retry=move || projects.refetch()/> }.into_any(),
                            }
                        })}
                    </Transition>
                }
                .into_any(),
                "upload" => view! { <UploadFields source first/> }.into_any(),
                "datastore" => view! { <StoredFields source kind first/> }.into_any(),
                _ => view! { <VersionFields source versions/> }.into_any(),
            }}
            <Field name="note" label="What is new" optional=true>
                <TextInput value=source.note placeholder="Night scenes added" autocomplete="off"/>
            </Field>
        </div>
    }
}

#[component]
fn ProjectFields(source: Source, kind: DatasetKind, list: Vec<ProjectSummary>) -> impl IntoView {
    let mut options = vec![(String::new(), "Choose a project".to_owned())];
    options.extend(
        list.into_iter()
            .filter(|p| allowed(p.my_role, Action::ExportData))
            .filter(|p| p.task.is_text() == (kind == DatasetKind::Text))
            .map(|p| {
                let done = p.progress.done;
                (
                    p.id.to_string(),
                    format!("{} ({} done)", p.name, fmt::count(done)),
                )
            }),
    );
    view! {
        <Field name="project" label="Project" hint="Done items with their labels, all at one moment; what changes later is in the next version.">
            <Select value=source.project options=options.clone()/>
        </Field>
        <Checkbox checked=source.with_todo label="Also items that are to do"/>
        <Checkbox checked=source.with_skipped label="Also skipped items"/>
        <Field name="categories" label="Only items with these categories" optional=true hint="Names apart by commas; those below others as Vehicles/Car">
            <TextInput value=source.categories autocomplete="off"/>
        </Field>
    }
}

#[component]
fn UploadFields(source: Source, first: Memo<bool>) -> impl IntoView {
    let pick = move || {
        if let Some(input) = source.input.get_untracked() {
            let files = input.files();
            let all = files.map_or_else(Vec::new, |f| {
                (0..f.length())
                    .filter_map(|n| f.get(n))
                    .map(|f| (f.name(), f.size()))
                    .collect()
            });
            source.chosen.set(all);
        }
    };
    let words = move || {
        source.chosen.with(|c| match c.as_slice() {
            [] => "No files chosen".to_owned(),
            [(name, size)] => format!("{name}, {}", fmt::bytes(*size as i64)),
            all => format!(
                "{} files, {}",
                all.len(),
                fmt::bytes(all.iter().map(|f| f.1).sum::<f64>() as i64)
            ),
        })
    };
    view! {
        <div class="data-pick">
            <label class="btn" for="version-files">"Choose files"</label>
            <input id="version-files" class="sr-only" type="file" multiple node_ref=source.input on:change=move |_| pick()/>
            <span class="muted">{words}</span>
        </div>
        <p class="field__hint">"Folders keep their paths in a zip; it is unpacked here, up to a million files."</p>
        <ModeFields source first/>
        {move || source.sending.get().map(|(sent, total)| view! {
            <ProgressBar
                label="Upload"
                thick=true
                segments=vec![Segment::new(sent as i64, Tone::Accent, "Sent")]
                total=total as i64
            />
            <p class="muted" role="status">{format!("Sending {} of {}", fmt::bytes(sent as i64), fmt::bytes(total as i64))}</p>
        })}
    }
}

#[component]
fn VersionFields(source: Source, versions: Signal<Vec<(String, String)>>) -> impl IntoView {
    let options = Signal::derive(move || {
        let mut all = vec![(String::new(), "Choose a version".to_owned())];
        all.extend(versions.get());
        all
    });
    view! {
        <Field name="version" label="Version"><Select value=source.version options/></Field>
        <Field name="split" label="Split"><Select value=source.split options=split_options("All splits")/></Field>
        <Field name="glob" label="Paths" optional=true hint="* within a folder, ** across folders: train/**, *.png">
            <TextInput value=source.glob autocomplete="off" mono=true/>
        </Field>
        <Field name="categories" label="Only files with these categories" optional=true hint="Names apart by commas">
            <TextInput value=source.categories autocomplete="off"/>
        </Field>
    }
}

/// The splits for a list; `all` stands for no choice.
pub fn split_options(all: &str) -> Vec<(String, String)> {
    use limn_domain::dataset::Split;
    std::iter::once((String::new(), all.to_owned()))
        .chain(
            [Split::Train, Split::Val, Split::Test, Split::None]
                .map(|s| (s.as_str().to_owned(), s.label().to_owned())),
        )
        .collect()
}

/// What became of a registration.
pub fn outcome(job: &Job) -> Result<VersionOutcome, String> {
    match job.state {
        JobState::Succeeded => job
            .result
            .clone()
            .and_then(|r| serde_json::from_value(r).ok())
            .ok_or_else(|| "The job ended without a version; its log says why.".to_owned()),
        JobState::Cancelled => Err("The registration was cancelled; nothing was registered.".to_owned()),
        _ => Err(job
            .error
            .clone()
            .unwrap_or_else(|| "The registration failed; its log says why.".to_owned())),
    }
}

/// The outcome in words.
#[component]
pub fn Outcome(outcome: VersionOutcome) -> impl IntoView {
    let o = outcome;
    let title = if o.is_new {
        format!(
            "Version {} holds {}.",
            o.number,
            fmt::counted(o.files, "file", "files")
        )
    } else {
        format!(
            "Nothing has changed: version {} has this very content already, so no new version was made.",
            o.number
        )
    };
    let notes: Vec<String> = o
        .notes
        .into_iter()
        .filter(|n| !n.starts_with("Nothing has changed"))
        .collect();
    view! {
        <Notice tone=if o.is_new { Tone::Ok } else { Tone::Neutral }>{title}</Notice>
        {(!notes.is_empty()).then(|| view! {
            <Notice tone=Tone::Warn>
                <ul class="plain-list">{notes.into_iter().map(|n| view! { <li>{n}</li> }).collect_view()}</ul>
            </Notice>
        })}
    }
}
