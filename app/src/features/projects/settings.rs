//! A project's settings and its end.

use super::api;
use super::layout::{ProjectCtx, use_project};
use crate::data::use_form;
use crate::fmt;
use crate::ui::{
    Button, Card, Checkbox, ConfirmDialog, Field, FormError, Glyph, Notice, Switch, TextArea, TextInput,
    Variant, use_toasts,
};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use limn_domain::authz::Action;
use limn_domain::project::{Project, ProjectSettings, ProjectStatus, UpdateProject};

/// `/projects/:id/settings`
#[component]
pub fn SettingsTab() -> impl IntoView {
    let ctx = use_project();
    view! {
        <Show
            when=move || ctx.may(Action::ManageProject)
            fallback=|| view! { <Notice>"Only the project's managers change its settings."</Notice> }
        >
            <div class="settings">
                <General ctx/>
                <Queue ctx/>
                <Relations ctx/>
                <Danger ctx/>
            </div>
        </Show>
    }
}

#[component]
fn General(ctx: ProjectCtx) -> impl IntoView {
    let toasts = use_toasts();
    let name = RwSignal::new(ctx.project.with_untracked(|p| p.summary.name.clone()));
    let description = RwSignal::new(ctx.project.with_untracked(|p| p.summary.description.clone()));
    let save = use_form(
        move |()| {
            let input = UpdateProject {
                name: Some(name.get_untracked()),
                description: Some(description.get_untracked()),
                ..UpdateProject::default()
            };
            api::project_update(ctx.id, input)
        },
        move |p: Project| {
            ctx.project.set(p);
            toasts.ok("Saved.");
        },
    );
    view! {
        <Card title="General">
            <form
                class="form"
                on:submit=move |ev| {
                    ev.prevent_default();
                    save.run(());
                }
            >
                <Field name="name" label="Name" errors=save.error>
                    <TextInput value=name autocomplete="off"/>
                </Field>
                <Field name="description" label="Description" optional=true errors=save.error>
                    <TextArea value=description rows=3/>
                </Field>
                <FormError error=save.error fields=&["name", "description"]/>
                <div class="form-foot"><Button variant=Variant::Primary submit=true loading=save.pending>"Save"</Button></div>
            </form>
        </Card>
    }
}

#[component]
fn Queue(ctx: ProjectCtx) -> impl IntoView {
    let toasts = use_toasts();
    let settings = ctx.project.with_untracked(|p| p.settings.clone());
    let minutes = RwSignal::new(settings.lease_minutes.to_string());
    let reason = RwSignal::new(settings.skip_needs_reason);
    let shuffle = RwSignal::new(settings.shuffle);
    let running = RwSignal::new(
        ctx.project
            .with_untracked(|p| p.summary.status == ProjectStatus::Running),
    );
    Effect::new(move |_| running.set(ctx.project.with(|p| p.summary.status == ProjectStatus::Running)));
    let wrong = RwSignal::new(None::<String>);
    let save = use_form(
        move |input: UpdateProject| api::project_update(ctx.id, input),
        move |p: Project| {
            ctx.project.set(p);
            toasts.ok("Saved.");
        },
    );
    let submit = move || match minutes.get_untracked().trim().parse::<i64>() {
        Ok(lease_minutes) if (1..=1440).contains(&lease_minutes) => {
            wrong.set(None);
            save.run(UpdateProject {
                settings: Some(ProjectSettings {
                    lease_minutes,
                    skip_needs_reason: reason.get_untracked(),
                    shuffle: shuffle.get_untracked(),
                    ..ctx.project.with_untracked(|p| p.settings.clone())
                }),
                ..UpdateProject::default()
            });
        }
        _ => wrong.set(Some("Write whole minutes from 1 to 1440.".to_owned())),
    };
    view! {
        <Card title="Queue">
            <form
                class="form"
                on:submit=move |ev| {
                    ev.prevent_default();
                    submit();
                }
            >
                <Switch
                    checked=running
                    label="Hand out items"
                    hint="While off, the project is paused: labelers get nothing new, and what they hold can still be submitted"
                    on_change=Callback::new(move |on| {
                        let status = if on { ProjectStatus::Running } else { ProjectStatus::Paused };
                        save.run(UpdateProject { status: Some(status), ..UpdateProject::default() });
                    })
                />
                <Field
                    name="settings.lease_minutes"
                    label="Minutes an item is kept for its labeler"
                    hint="Without a sign of life for that long, it goes back to the queue for somebody else"
                    errors=save.error
                    error=wrong
                    class="field--short"
                >
                    <TextInput value=minutes kind="number"/>
                </Field>
                <Checkbox checked=reason label="A skip needs a reason" hint="Labelers say why they put an item aside"/>
                <Checkbox checked=shuffle label="Random order" hint="Otherwise items come in the order added"/>
                <FormError error=save.error fields=&["settings.lease_minutes"]/>
                <div class="form-foot"><Button variant=Variant::Primary submit=true loading=save.pending>"Save"</Button></div>
            </form>
        </Card>
    }
}

/// What relations between objects can say.
#[component]
fn Relations(ctx: ProjectCtx) -> impl IntoView {
    let toasts = use_toasts();
    let kinds = RwSignal::new(ctx.project.with_untracked(|p| p.settings.relations.join("\n")));
    let save = use_form(
        move |()| {
            let relations = kinds.with_untracked(|text| {
                let lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
                lines.map(str::to_owned).collect()
            });
            let settings = ProjectSettings {
                relations,
                ..ctx.project.with_untracked(|p| p.settings.clone())
            };
            api::project_update(
                ctx.id,
                UpdateProject {
                    settings: Some(settings),
                    ..UpdateProject::default()
                },
            )
        },
        move |p: Project| {
            kinds.set(p.settings.relations.join("\n"));
            ctx.project.set(p);
            toasts.ok("Saved.");
        },
    );
    view! {
        <Show when=move || ctx.project.with(|p| p.summary.task.marks_objects())>
            <Card title="Relations">
                <form
                    class="form"
                    on:submit=move |ev| {
                        ev.prevent_default();
                        save.run(());
                    }
                >
                    <Field
                        name="settings.relations"
                        label="What one object can be to another"
                        hint="One a line, such as \u{201c}holds\u{201d} or \u{201c}part of\u{201d}. Without any, relations only say that two objects belong together. Relations made before keep what they say"
                        optional=true
                        errors=save.error
                    >
                        <TextArea value=kinds rows=3/>
                    </Field>
                    <FormError error=save.error fields=&["settings.relations"]/>
                    <div class="form-foot"><Button variant=Variant::Primary submit=true loading=save.pending>"Save"</Button></div>
                </form>
            </Card>
        </Show>
    }
}

#[component]
fn Danger(ctx: ProjectCtx) -> impl IntoView {
    let open = RwSignal::new(false);
    let toasts = use_toasts();
    let navigate = use_navigate();
    let delete = use_form(
        move |()| api::project_delete(ctx.id),
        move |()| {
            toasts.ok("The project is deleted.");
            navigate(
                "/projects",
                NavigateOptions {
                    replace: true,
                    ..NavigateOptions::default()
                },
            );
        },
    );
    let name = Signal::derive(move || ctx.project.with(|p| p.summary.name.clone()));
    let text = move || {
        ctx.project.with(|p| {
            let labels: i64 = ctx
                .categories
                .with(|c| c.iter().map(|c| c.annotation_count).sum());
            format!(
                "{} and {} go with it. This cannot be undone; export first what you may need.",
                fmt::counted(p.summary.progress.total, "item", "items"),
                fmt::counted(labels, "label", "labels"),
            )
        })
    };
    view! {
        <Show when=move || ctx.may(Action::DeleteProject)>
            <Card title="Delete this project" class="danger-zone">
                <div class="danger-zone__row">
                    <p class="muted">"Its items, labels, categories and members are removed for everybody."</p>
                    <Button variant=Variant::Danger icon=Glyph::Trash on_click=move || open.set(true)>"Delete project"</Button>
                </div>
            </Card>
        </Show>
        <ConfirmDialog
            open
            title=Signal::derive(move || format!("Delete {}?", name.get()))
            text=Signal::derive(text)
            confirm="Delete for good"
            type_to_confirm=name
            pending=delete.pending
            error=delete.error
            on_confirm=Callback::new(move |()| delete.run(()))
        />
    }
}
