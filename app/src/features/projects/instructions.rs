//! The labeling guide: reading and writing.

use super::api;
use super::layout::use_project;
use super::markdown::{MarkdownEditor, Pictures};
use crate::data::use_form;
use crate::ui::{Button, Card, EmptyState, FormError, Glyph, Variant, use_toasts};
use leptos::prelude::*;
use limn_domain::authz::Action;
use limn_domain::project::{Project, UpdateProject};

/// `/projects/:id/instructions`
#[component]
pub fn InstructionsTab() -> impl IntoView {
    let editing = RwSignal::new(false);
    view! {
        <Show when=move || editing.get() fallback=move || view! { <Read editing/> }>
            <Write editing/>
        </Show>
    }
}

#[component]
fn Read(editing: RwSignal<bool>) -> impl IntoView {
    let ctx = use_project();
    let empty = Memo::new(move |_| ctx.project.with(|p| p.instructions.trim().is_empty()));
    let edit = move || {
        ctx.may(Action::ManageProject)
            .then(|| view! { <Button icon=Glyph::Pencil on_click=move || editing.set(true)>"Edit"</Button> })
    };
    view! {
        <Show
            when=move || !empty.get()
            fallback=move || view! {
                <div class="card">
                    <EmptyState
                        glyph=Glyph::Book
                        title="No instructions yet"
                        text="Say what counts and what does not, with pictures of hard cases. Labelers open them beside the picture."
                    >
                        {move || ctx.may(Action::ManageProject).then(|| view! {
                            <Button variant=Variant::Primary icon=Glyph::Pencil on_click=move || editing.set(true)>"Write instructions"</Button>
                        })}
                    </EmptyState>
                </div>
            }
        >
            <Card title="Instructions" aside=ViewFn::from(move || edit)>
                <div class="prose" inner_html=move || ctx.project.with(|p| p.instructions_html.clone())></div>
            </Card>
        </Show>
    }
}

#[component]
fn Write(editing: RwSignal<bool>) -> impl IntoView {
    let ctx = use_project();
    let toasts = use_toasts();
    let text = RwSignal::new(ctx.project.with_untracked(|p| p.instructions.clone()));
    let html = ctx.project.with_untracked(|p| p.instructions_html.clone());
    let save = use_form(
        move |instructions: String| {
            let input = UpdateProject {
                instructions: Some(instructions),
                ..UpdateProject::default()
            };
            api::project_update(ctx.id, input)
        },
        move |p: Project| {
            ctx.project.set(p);
            toasts.ok("Instructions saved.");
            editing.set(false);
        },
    );
    view! {
        <form
            class="stack"
            on:submit=move |ev| {
                ev.prevent_default();
                save.run(text.get_untracked());
            }
        >
            <MarkdownEditor value=text html label="Instructions" pictures=Pictures::Project(ctx.id) rows=22/>
            <FormError error=save.error/>
            <div class="form-foot">
                <Button variant=Variant::Quiet on_click=move || editing.set(false)>"Cancel"</Button>
                <Button variant=Variant::Primary submit=true loading=save.pending>"Save"</Button>
            </div>
        </form>
    }
}
