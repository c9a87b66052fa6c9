//! `/`

use super::api;
use super::parts::{ActivityList, ProjectCard, QueueRow, RunningJobs};
use crate::data::{use_load, use_mutation};
use crate::pulse::use_pulse;
use crate::session::use_session;
use crate::ui::{Button, Card, EmptyState, ErrorView, Glyph, Skeleton, SkeletonCards, Variant};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use limn_domain::authz::Action;
use limn_domain::project::Project;

/// Our page for `#/experiments/1/runs/...`, `#/experiments/1` and `#/models/...`.
fn page_of_hash(hash: &str) -> Option<String> {
    let path = hash.strip_prefix("#/")?.split('?').next()?;
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["experiments", _, "runs", run, ..] => Some(format!("/runs/{run}")),
        ["experiments", id, ..] => Some(format!("/experiments/{id}")),
        ["models", name, ..] => Some(format!("/models/{name}")),
        _ => None,
    }
}

#[component]
pub fn HomePage() -> impl IntoView {
    let session = use_session();
    let pulse = use_pulse();
    let projects = use_load(move || pulse.finished.get(), |_| api::home_projects());
    let name = session
        .me
        .with_untracked(|m| m.as_ref().map_or_else(String::new, |m| m.name.clone()));
    let first = name.split_whitespace().next().unwrap_or_default().to_owned();
    let may_create = move || session.may(Action::CreateProject);
    // The MLflow client prints addresses of its own server's pages; they lead to ours.
    let navigate = use_navigate();
    Effect::new(move |_| {
        if let Some(to) = window().location().hash().ok().as_deref().and_then(page_of_hash) {
            let options = NavigateOptions {
                replace: true,
                ..NavigateOptions::default()
            };
            navigate(&to, options);
        }
    });
    view! {
        <leptos_meta::Title text="Home"/>
        <header class="head">
            <div class="grow">
                <h1>{format!("Hello, {first}")}</h1>
                <p class="head__sub">"What waits for you, and what is going on."</p>
            </div>
            <div class="head__actions">
                {move || may_create().then(|| view! {
                    <Button variant=Variant::Primary icon=Glyph::Plus href="/projects/new">"New project"</Button>
                })}
            </div>
        </header>
        <Transition fallback=|| view! { <SkeletonCards count=3/> }>
            {move || Suspend::new(async move {
                match projects.await {
                    Ok(list) if list.is_empty() => view! { <Welcome/> }.into_any(),
                    Ok(list) => view! {
                        <div class="home">
                            <div class="home__main">
                                <MyQueue/>
                                <section>
                                    <div class="section-head">
                                        <h2 class="grow">"Recent projects"</h2>
                                        <a class="link" href="/projects">"All projects"</a>
                                    </div>
                                    <div class="home__projects">
                                        {list.into_iter().map(|project| view! { <ProjectCard project/> }).collect_view()}
                                    </div>
                                </section>
                            </div>
                            <div class="home__side">
                                <RunningJobs/>
                                <Recently/>
                            </div>
                        </div>
                    }
                    .into_any(),
                    Err(error) => view! { <ErrorView error retry=move || projects.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

/// Nothing here yet: the two ways to begin.
#[component]
fn Welcome() -> impl IntoView {
    let navigate = use_navigate();
    let sample = use_mutation(
        |()| api::home_sample(),
        move |p: Project| navigate(&format!("/projects/{}", p.summary.id), NavigateOptions::default()),
    );
    if use_session().may(Action::CreateProject) {
        view! {
            <Card>
                <EmptyState
                    glyph=Glyph::Spark
                    title="Label your first pictures"
                    text="Limn turns a folder of pictures into labeled data. The sample project holds small pictures that Limn draws itself, partly labeled, so that you can try everything within a minute."
                >
                    <Button variant=Variant::Primary icon=Glyph::Play loading=sample.pending on_click=move || sample.run(())>
                        "Try it with sample data"
                    </Button>
                    <Button icon=Glyph::Plus href="/projects/new">"New project"</Button>
                </EmptyState>
                <ol class="steps">
                    <li class="steps__one"><b>"Add pictures"</b><span>"Drop a folder or a zip, or bring COCO or Pascal VOC with its labels."</span></li>
                    <li class="steps__one"><b>"Label"</b><span>"Draw boxes or pick categories by key. Everything is saved as you draw."</span></li>
                    <li class="steps__one"><b>"Export"</b><span>"A COCO file that every tool reads, the same bytes each time."</span></li>
                </ol>
            </Card>
        }
        .into_any()
    } else {
        view! {
            <Card>
                <EmptyState
                    glyph=Glyph::Tag
                    title="No projects yet"
                    text="You will find your projects and your queue here as soon as a manager adds you to one."
                />
            </Card>
        }
        .into_any()
    }
}

#[component]
fn MyQueue() -> impl IntoView {
    let queue = use_load(|| (), |()| api::home_queue());
    view! {
        <Transition fallback=|| view! { <Card><Skeleton lines=2/></Card> }>
            {move || Suspend::new(async move {
                match queue.await {
                    Ok(list) if list.is_empty() => ().into_any(),
                    Ok(list) => view! {
                        <Card title="My queue" flush=true aside=ViewFn::from(|| view! { <a class="link" href="/queue">"Open the queue"</a> })>
                            <ul class="rows">
                                {list.into_iter().take(5).map(|queue| view! { <QueueRow queue/> }).collect_view()}
                            </ul>
                        </Card>
                    }
                    .into_any(),
                    Err(error) => view! { <Card><ErrorView error retry=move || queue.refetch()/></Card> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn Recently() -> impl IntoView {
    let activity = use_load(|| (), |()| api::home_activity());
    view! {
        <Card title="Recently">
            <Transition fallback=|| view! { <Skeleton lines=4/> }>
                {move || Suspend::new(async move {
                    match activity.await {
                        Ok(list) => view! { <ActivityList list/> }.into_any(),
                        Err(error) => view! { <ErrorView error retry=move || activity.refetch()/> }.into_any(),
                    }
                })}
            </Transition>
        </Card>
    }
}
