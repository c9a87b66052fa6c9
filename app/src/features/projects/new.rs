//! The wizard that makes a project: name and task, categories, instructions, data.

pub mod draft;
mod rows;

use super::api;
use super::local::{LocalSignal, LocalValue};
use super::markdown::{MarkdownEditor, Pictures, send_waiting};
use super::transfer::drop_zone::DropZone;
use super::transfer::files::{self, Picked};
use super::transfer::import::ChosenFiles;
use super::transfer::progress::is_clutter;
use super::transfer::uploader::Uploader;
use crate::data::{Mutation, use_form};
use crate::error::AppError;
use crate::session::use_session;
use crate::ui::{
    Breadcrumbs, Button, Choice, Field, FormError, Glyph, Icon, Notice, PageHead, RadioCards, TextArea,
    TextInput, Variant, use_toasts,
};
use draft::{DraftRows, check_basics, to_new_project};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use limn_domain::authz::Action;
use limn_domain::project::{NewProject, Project, Task, UpdateProject};
use rows::CategoryRows;

const STEPS: [(&str, &str); 4] = [
    ("Name and task", "What to do"),
    ("Categories", "What there is to find"),
    ("Instructions", "What counts and what does not"),
    ("Data", "Pictures or documents"),
];

/// Everything the wizard has gathered.
#[derive(Clone, Copy)]
struct Wizard {
    step: RwSignal<usize>,
    /// The farthest step seen so far.
    seen: RwSignal<usize>,
    name: RwSignal<String>,
    task: RwSignal<String>,
    description: RwSignal<String>,
    rows: RwSignal<DraftRows>,
    instructions: RwSignal<String>,
    pictures: super::markdown::Waiting,
    files: LocalSignal<Vec<Picked>>,
    /// What is wrong with the step in view.
    error: RwSignal<Option<AppError>>,
}

impl Wizard {
    fn new() -> Self {
        Self {
            step: RwSignal::new(0),
            seen: RwSignal::new(0),
            name: RwSignal::new(String::new()),
            task: RwSignal::new(Task::default().as_str().to_owned()),
            description: RwSignal::new(String::new()),
            rows: RwSignal::new(DraftRows::default()),
            instructions: RwSignal::new(String::new()),
            pictures: LocalValue::new(),
            files: LocalSignal::new(),
            error: RwSignal::new(None),
        }
    }

    /// Checks the step in view; on success goes to `to`.
    fn go(self, to: usize) {
        let at = self.step.get_untracked();
        if to > at
            && let Err(e) = self.check(at)
        {
            self.error.set(Some(e));
            return;
        }
        self.error.set(None);
        self.step.set(to);
        self.seen.update(|s| *s = (*s).max(to));
    }

    fn check(self, step: usize) -> Result<(), AppError> {
        match step {
            0 => {
                check_basics(&self.name.get_untracked(), &self.description.get_untracked()).map_err(AppError)
            }
            1 => match self.rows.with_untracked(DraftRows::problems).into_iter().next() {
                Some((_, message)) => Err(AppError(limn_domain::ApiError::field("categories", message))),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn input(self) -> NewProject {
        to_new_project(
            &self.name.get_untracked(),
            self.task.get_untracked().parse().unwrap_or_default(),
            &self.description.get_untracked(),
            &self.instructions.get_untracked(),
            &self.rows.get_untracked(),
        )
    }

    /// The step whose fields an error of the server names.
    fn step_of(error: &AppError) -> Option<usize> {
        let field = error.fields.first()?.field.as_str();
        match field {
            "name" | "description" | "task" => Some(0),
            "instructions" => Some(2),
            _ if field.starts_with("categories") => Some(1),
            _ => None,
        }
    }
}

/// `/projects/new`
#[component]
pub fn NewProjectPage() -> impl IntoView {
    let session = use_session();
    let wizard = Wizard::new();
    let crumbs = Signal::derive(|| {
        vec![
            ("Projects".to_owned(), "/projects".to_owned()),
            ("New project".to_owned(), String::new()),
        ]
    });
    view! {
        <Breadcrumbs items=crumbs/>
        <PageHead title="New project"/>
        <Show
            when=move || session.may(Action::CreateProject)
            fallback=|| view! { <Notice>"Only managers and admins create projects. Ask one of them."</Notice> }
        >
            <Form wizard/>
        </Show>
    }
}

#[component]
fn Form(wizard: Wizard) -> impl IntoView {
    let create = use_create(wizard);
    let last = STEPS.len() - 1;
    let submit = move || {
        let at = wizard.step.get_untracked();
        if at < last {
            wizard.go(at + 1);
        } else {
            // A step may have been changed after it was checked.
            match (0..last).find_map(|s| wizard.check(s).err().map(|e| (s, e))) {
                Some((s, e)) => {
                    wizard.step.set(s);
                    wizard.error.set(Some(e));
                }
                None => create.run(wizard.input()),
            }
        }
    };
    view! {
        <div class="wizard">
            <Steps wizard/>
            <form
                class="card wizard__card"
                novalidate
                aria-label="New project"
                on:submit=move |ev| {
                    ev.prevent_default();
                    submit();
                }
            >
                <h2 class="wizard__title">{move || STEPS[wizard.step.get()].0}</h2>
                <div class="wizard__body">
                    {move || match wizard.step.get() {
                        0 => view! { <Basics wizard/> }.into_any(),
                        1 => view! { <Categories wizard/> }.into_any(),
                        2 => view! { <Guide wizard/> }.into_any(),
                        _ => view! { <Data wizard/> }.into_any(),
                    }}
                    <FormError error=wizard.error fields=&["name", "description", "categories"]/>
                </div>
                <div class="form-foot">
                    <Show when=move || { wizard.step.get() > 0 }>
                        <Button
                            variant=Variant::Quiet
                            icon=Glyph::ArrowLeft
                            on_click=move || wizard.go(wizard.step.get_untracked().saturating_sub(1))
                        >
                            "Back"
                        </Button>
                    </Show>
                    <span class="grow"></span>
                    <Button variant=Variant::Primary submit=true loading=create.pending>
                        {move || match wizard.step.get() {
                            s if s < last => "Next".to_owned(),
                            _ => match wizard.files.with(Vec::len) {
                                0 => "Create project".to_owned(),
                                n => format!("Create and upload {n}"),
                            },
                        }}
                    </Button>
                </div>
            </form>
        </div>
    }
}

/// Creates the project, sends waiting pictures, starts the upload and goes to the project.
fn use_create(wizard: Wizard) -> Mutation<NewProject> {
    let navigate = use_navigate();
    let toasts = use_toasts();
    let create = use_form(api::project_create, move |p: Project| {
        let id = p.summary.id;
        let files = wizard.files.get_untracked();
        Uploader::of(id).start(files);
        let navigate = navigate.clone();
        spawn_local(async move {
            if wizard.pictures.with(|w| !w.is_empty()) {
                let (text, failed) = send_waiting(id, &p.instructions, wizard.pictures).await;
                let input = UpdateProject {
                    instructions: Some(text),
                    ..UpdateProject::default()
                };
                if let Err(e) = api::project_update(id, input).await {
                    toasts.error(&e);
                }
                for message in failed {
                    toasts.fail(message);
                }
            }
            navigate(&format!("/projects/{id}"), NavigateOptions::default());
        });
    });
    Effect::new(move |_| {
        if let Some(e) = create.error.get() {
            if let Some(step) = Wizard::step_of(&e) {
                wizard.step.set(step);
            }
            wizard.error.set(Some(e));
        }
    });
    create
}

#[component]
fn Steps(wizard: Wizard) -> impl IntoView {
    view! {
        <ol class="wizard-steps" aria-label="Steps">
            {STEPS
                .iter()
                .enumerate()
                .map(|(i, (title, text))| {
                    let done = move || i < wizard.seen.get() && i != wizard.step.get();
                    view! {
                        <li class="wizard-steps__item" class:is-on=move || wizard.step.get() == i class:is-done=done>
                            <button
                                type="button"
                                aria-current=move || (wizard.step.get() == i).then_some("step")
                                disabled=move || { i > wizard.seen.get() }
                                on:click=move |_| wizard.go(i)
                            >
                                <span class="wizard-steps__n" aria-hidden="true">
                                    {move || if done() { view! { <Icon glyph=Glyph::Check size=14/> }.into_any() } else { (i + 1).into_any() }}
                                </span>
                                <span class="wizard-steps__text"><b>{*title}</b><small>{*text}</small></span>
                            </button>
                        </li>
                    }
                })
                .collect_view()}
        </ol>
    }
}

#[component]
fn Basics(wizard: Wizard) -> impl IntoView {
    let choices = Task::ALL
        .into_iter()
        .map(|t| Choice::new(t.as_str(), t.label(), t.describe()).with_icon(Glyph::of_task(t)))
        .collect::<Vec<_>>();
    view! {
        <Field name="name" label="Name" errors=wizard.error>
            <TextInput value=wizard.name autofocus=true autocomplete="off" placeholder="Street scenes"/>
        </Field>
        <RadioCards value=wizard.task name="task" label="Task" choices/>
        <Field
            name="description"
            label="Description"
            optional=true
            hint="One or two sentences that people see in the list of projects"
            errors=wizard.error
        >
            <TextArea value=wizard.description rows=3/>
        </Field>
    }
}

#[component]
fn Categories(wizard: Wizard) -> impl IntoView {
    let message = move || {
        wizard.error.with(|e| {
            e.as_ref()
                .and_then(|e| e.for_field("categories").map(str::to_owned))
        })
    };
    view! {
        <p class="muted">
            "Type a name and press Enter for the next, or paste a whole list. Two spaces in front nest a name below the one above. You can change all of this later."
        </p>
        <CategoryRows rows=wizard.rows/>
        <p class="field__error" role="alert">{message}</p>
    }
}

#[component]
fn Guide(wizard: Wizard) -> impl IntoView {
    view! {
        <p class="muted">
            "Say what counts and what does not, best with examples of hard cases. Labelers open this beside the item. It may stay empty."
        </p>
        <MarkdownEditor value=wizard.instructions label="Instructions" pictures=Pictures::Later(wizard.pictures) rows=14/>
    }
}

#[component]
fn Data(wizard: Wizard) -> impl IntoView {
    let reading = RwSignal::new(None::<usize>);
    let problem = RwSignal::new(None::<String>);
    let is_text = wizard
        .task
        .with_untracked(|t| t.parse::<Task>().is_ok_and(Task::is_text));
    let add = move |more: Vec<Picked>| {
        wizard.files.update(|all| {
            let known: std::collections::HashSet<String> = all.iter().map(|p| p.path.clone()).collect();
            all.extend(
                more.into_iter()
                    .filter(|p| !is_clutter(&p.path) && !known.contains(&p.path)),
            );
        });
    };
    view! {
        <DropZone
            title=if is_text { "Drop text files, folders or zip files here" } else { "Drop pictures, videos, folders or zip files here" }
            text=if is_text {
                "Text files (.txt) in UTF-8; tables and JSONL come in by Import afterwards. The upload starts when the project is created; you can also add data later."
            } else {
                "JPEG, PNG, WebP, GIF, BMP, TIFF, and videos where objects are marked. Numbered pictures become a video by Upload afterwards. The upload starts when the project is created; you can also add data later."
            }
            accept=if is_text { "text/plain,.txt,.zip" } else { super::transfer::drop_zone::PICTURES_AND_VIDEOS }
            on_pick=Callback::new(add)
            on_drop=Callback::new(move |dropped| {
                reading.set(Some(0));
                spawn_local(async move {
                    let (found, problems) = files::walk(dropped, move |n| {
                        reading.try_set(Some(n));
                    })
                    .await;
                    add(found);
                    reading.try_set(None);
                    problem.try_set(problems.into_iter().next().map(|(path, message)| format!("{path}: {message}")));
                });
            })
        />
        <p class="muted" role="status">{move || reading.get().map(|n| format!("Opening folders, {n} files so far"))}</p>
        {move || problem.get().map(|m| view! { <Notice tone=crate::ui::Tone::Warn>{m}</Notice> })}
        <ChosenFiles files=wizard.files/>
    }
}
