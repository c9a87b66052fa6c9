//! All projects the person may see.

use super::api;
use super::overview::segments;
use crate::data::{use_load, use_mutation};
use crate::fmt;
use crate::session::use_session;
use crate::ui::{
    Button, Chip, EmptyState, ErrorView, Glyph, PageHead, ProgressBar, RelativeTime, Select, SkeletonCards,
    TextInput, Tone, Variant,
};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use limn_domain::authz::Action;
use limn_domain::project::{Project, ProjectStatus, ProjectSummary};

/// `/projects`
#[component]
pub fn ProjectsPage() -> impl IntoView {
    let projects = use_load(|| (), |()| api::project_list());
    let session = use_session();
    view! {
        <PageHead title="Projects" sub=ViewFn::from(|| "Pictures, the categories to find in them, and the people who label.")>
            {move || session.may(Action::CreateProject).then(|| view! {
                <Button variant=Variant::Primary icon=Glyph::Plus href="/projects/new">"New project"</Button>
            })}
        </PageHead>
        <Transition fallback=|| view! { <SkeletonCards count=6/> }>
            {move || Suspend::new(async move {
                match projects.await {
                    Ok(list) if list.is_empty() => view! { <NoProjects/> }.into_any(),
                    Ok(list) => view! { <List projects=list/> }.into_any(),
                    Err(error) => view! { <ErrorView error retry=move || projects.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

/// Makes the sample project and goes there.
#[component]
fn SampleButton(#[prop(optional)] quiet: bool) -> impl IntoView {
    let navigate = use_navigate();
    let sample = use_mutation(
        |()| api::project_sample(),
        move |p: Project| navigate(&format!("/projects/{}", p.summary.id), NavigateOptions::default()),
    );
    view! {
        <Button
            variant=if quiet { Variant::Quiet } else { Variant::Default }
            icon=Glyph::Spark
            loading=sample.pending
            on_click=move || sample.run(())
        >
            "Try it with sample data"
        </Button>
    }
}

#[component]
fn NoProjects() -> impl IntoView {
    let session = use_session();
    move || {
        if session.may(Action::CreateProject) {
            view! {
                <div class="card">
                    <EmptyState
                        glyph=Glyph::Images
                        title="Your first project"
                        text="A project holds pictures or documents, the categories to find in them, and instructions for the people who label. The sample project lets you draw your first box within a minute."
                    >
                        <Button variant=Variant::Primary icon=Glyph::Plus href="/projects/new">"New project"</Button>
                        <SampleButton/>
                    </EmptyState>
                </div>
            }
            .into_any()
        } else {
            view! {
                <div class="card">
                    <EmptyState
                        glyph=Glyph::Images
                        title="No projects for you yet"
                        text="Ask an admin or a project's manager to add you as a member."
                    />
                </div>
            }
            .into_any()
        }
    }
}

#[component]
fn List(projects: Vec<ProjectSummary>) -> impl IntoView {
    let many = projects.len() > 1;
    let all = StoredValue::new(projects);
    let text = RwSignal::new(String::new());
    let sort = RwSignal::new("updated".to_owned());
    let session = use_session();
    let shown = Memo::new(move |_| {
        let needle = text.with(|t| t.trim().to_lowercase());
        let mut rows: Vec<ProjectSummary> = all.with_value(|all| {
            all.iter()
                .filter(|p| {
                    needle.is_empty()
                        || p.name.to_lowercase().contains(&needle)
                        || p.description.to_lowercase().contains(&needle)
                })
                .cloned()
                .collect()
        });
        match sort.get().as_str() {
            "name" => rows.sort_by_key(|p| p.name.to_lowercase()),
            "progress" => {
                rows.sort_by_key(|p| std::cmp::Reverse(fmt::percent(p.progress.done, p.progress.total)));
            }
            "todo" => rows.sort_by_key(|p| std::cmp::Reverse(p.progress.todo)),
            _ => rows.sort_by_key(|p| std::cmp::Reverse(p.updated_at)),
        }
        rows
    });
    let sorts: Vec<(String, String)> = [
        ("updated", "Latest change first"),
        ("name", "By name"),
        ("progress", "Most done first"),
        ("todo", "Most to do first"),
    ]
    .map(|(v, t)| (v.to_owned(), t.to_owned()))
    .into();
    view! {
        {many.then(|| view! {
            <div class="toolbar">
                <div class="toolbar__search">
                    <TextInput value=text kind="search" icon=Glyph::Search placeholder="Search projects" label="Search projects"/>
                </div>
                <Select value=sort options=sorts label="Sort"/>
            </div>
        })}
        <Show
            when=move || !shown.with(Vec::is_empty)
            fallback=move || view! {
                <div class="card">
                    <EmptyState glyph=Glyph::Search title="No project matches" text="Try another word, or clear the search.">
                        <Button on_click=move || text.set(String::new())>"Clear the search"</Button>
                    </EmptyState>
                </div>
            }
        >
            <ul class="project-cards">
                <For each=move || shown.get() key=|p| p.id let:p><ProjectCard project=p/></For>
            </ul>
        </Show>
        {(!many).then_some(move || session.may(Action::CreateProject).then(|| view! {
            <p class="project-cards__hint"><SampleButton quiet=true/></p>
        }))}
    }
}

#[component]
fn ProjectCard(project: ProjectSummary) -> impl IntoView {
    let p = project;
    let progress = p.progress;
    let href = format!("/projects/{}", p.id);
    view! {
        <li class="card project-card">
            <div class="project-card__head">
                <span class="project-card__icon"><crate::ui::Icon glyph=Glyph::of_task(p.task) size=18/></span>
                <div class="grow">
                    <h2 class="project-card__name"><a href=href>{p.name}</a></h2>
                    <p class="project-card__task">{p.task.label()}</p>
                </div>
                {(p.status == ProjectStatus::Paused).then(|| view! { <Chip tone=Tone::Warn>"Paused"</Chip> })}
            </div>
            <p class="project-card__text">{if p.description.trim().is_empty() { p.task.describe().to_owned() } else { p.description }}</p>
            <ProgressBar label="Progress" segments=segments(progress) total=progress.total/>
            <div class="project-card__foot">
                <span>
                    <b>{fmt::count(progress.done)}</b>
                    " of "
                    {fmt::counted(progress.total, "item", "items")}
                </span>
                <span class="faint"><RelativeTime at=p.updated_at/></span>
            </div>
        </li>
    }
}
