//! The workspace: the stage in the middle, tools, panels and filmstrip around it.

use super::canvas::Stage;
use super::desk::{Desk, Phase, keep_drafts, keep_frame};
use super::dialogs::Dialogs;
use super::grid::Grid;
use super::keys;
use super::panels::{
    Aimed, BrushBar, ColorLegend, Film, Hud, LookPanel, Minimap, OutlineBar, Rail, Side, SmartBar,
    Suggestions, Timeline, TopBar,
};
use super::segmenting::Segmenting;
use super::text::TextStage;
use super::vision::Vision;
use crate::ui::{Button, EmptyState, ErrorView, Glyph, Variant};
use leptos::prelude::*;
use limn_domain::{ItemId, ProjectId};

/// One project's workspace. Made anew for another project or item in the address.
#[component]
pub fn Workspace(project: ProjectId, item: Option<ItemId>) -> impl IntoView {
    let desk = Desk::new(project, item.is_none());
    provide_context(desk);
    provide_context(Vision::new(desk));
    provide_context(Segmenting::new(desk));
    desk.start_saving();
    keys::listen(desk);
    keep_drafts(desk);
    keep_frame(desk);
    desk.start(item);
    let title = move || {
        desk.project.with(|p| {
            p.as_ref()
                .map_or_else(|| "Label".to_owned(), |p| format!("Label {}", p.summary.name))
        })
    };
    let is_text = Memo::new(move |_| desk.task().is_text());
    let is_video = Memo::new(move |_| desk.is_video());
    view! {
        <leptos_meta::Title text=title/>
        <div
            class="label"
            class:label--text=move || is_text.get()
            class:label--whole=move || !desk.task().marks_objects()
            class:label--grid=move || desk.in_grid()
            class:label--video=move || is_video.get()
            class:is-up=move || desk.sheet_up.get()
        >
            <TopBar/>
            <Show when=move || !is_text.get()>
                <Rail/>
            </Show>
            <main class="label__stage">
                <Show when=move || desk.in_grid() fallback=|| view! { <One/> }>
                    <Grid/>
                </Show>
                {move || match desk.phase.get() {
                    Phase::Failed(error) => {
                        view! {
                            <div class="label__cover">
                                <ErrorView error retry=move || desk.start(item)/>
                            </div>
                        }
                        .into_any()
                    }
                    Phase::Empty => view! { <div class="label__cover"><Empty/></div> }.into_any(),
                    Phase::Loading | Phase::Ready => ().into_any(),
                }}
            </main>
            <Show when=move || is_video.get()>
                <Timeline/>
            </Show>
            <Side/>
            <Film/>
            <Dialogs/>
        </div>
    }
}

/// One item, with all that floats over it.
#[component]
fn One() -> impl IntoView {
    let desk: Desk = expect_context();
    view! {
        <Show when=move || desk.task().is_text() fallback=|| view! {
            <Stage/>
            <OutlineBar/>
            <BrushBar/>
            <ColorLegend/>
            <SmartBar/>
            <LookPanel/>
            <Minimap/>
            <Hud/>
            <Aimed/>
        }>
            <TextStage/>
        </Show>
        <Suggestions/>
    }
}

/// Nothing (more) to label.
#[component]
fn Empty() -> impl IntoView {
    let desk: Desk = expect_context();
    let text = move || {
        if !desk.may_label() {
            return "You may look at this project, not label in it. Ask its manager for the role of a labeler.".to_owned();
        }
        match desk.queue.get() {
            Some(q) if q.status == limn_domain::project::ProjectStatus::Paused => {
                "The project is paused: its queue hands out nothing new. A manager can resume it.".to_owned()
            }
            Some(q) if q.held_by_others > 0 => format!(
                "Every item left is in somebody else's hands ({}). If they put one back, you can take it here.",
                crate::fmt::counted(q.held_by_others, "item", "items")
            ),
            Some(q) if q.total == 0 => {
                "The project has no items yet. Add some, and they wait here.".to_owned()
            }
            _ => "Every item of this project is labeled or skipped.".to_owned(),
        }
    };
    let home = format!("/projects/{}", desk.project_id);
    view! {
        <EmptyState glyph=Glyph::CheckCircle title="Nothing left in the queue" text=text()>
            <Button variant=Variant::Primary href=home>"Back to the project"</Button>
            <Button icon=Glyph::Refresh on_click=move || desk.start(None)>"Look again"</Button>
        </EmptyState>
    }
}
