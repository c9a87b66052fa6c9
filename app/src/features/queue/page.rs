//! `/queue`: projects with work for me, and my last submissions in each.

use super::api;
use crate::data::use_load;
use crate::fmt;
use crate::ui::{
    Button, ButtonSize, Chip, EmptyState, ErrorView, Glyph, Icon, PageHead, ProgressBar, RelativeTime,
    Segment, Skeleton, SkeletonCards, Tone, Variant,
};
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::item::{Item, ItemStatus};
use limn_domain::project::ProjectStatus;
use limn_domain::queue::QueueSummary;
use limn_domain::{Page, ProjectId, text};

#[component]
pub fn QueuePage() -> impl IntoView {
    let queue = use_load(|| (), |()| api::queue_mine());
    view! {
        <PageHead title="My queue" sub=ViewFn::from(|| "Projects that have something for you to label.")/>
        <Transition fallback=|| view! { <SkeletonCards count=3/> }>
            {move || Suspend::new(async move {
                match queue.await {
                    Ok(list) if list.is_empty() => view! { <Nothing/> }.into_any(),
                    Ok(list) => view! { <List list/> }.into_any(),
                    Err(error) => view! { <ErrorView error retry=move || queue.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn Nothing() -> impl IntoView {
    view! {
        <div class="card">
            <EmptyState
                glyph=Glyph::CheckCircle
                title="Nothing to label"
                text="When a project you are in has items to do, it shows here. The queue hands them out one by one, never the same to two people."
            >
                <Button href="/projects">"See projects"</Button>
            </EmptyState>
        </div>
    }
}

#[component]
fn List(list: Vec<QueueSummary>) -> impl IntoView {
    let mut list = list;
    // What I hold first, then what has most to do; paused and finished projects last.
    list.sort_by_key(|q| {
        let open = q.state.status == ProjectStatus::Running && q.state.todo > 0;
        (
            std::cmp::Reverse(q.in_hand),
            !open,
            std::cmp::Reverse(q.state.todo),
        )
    });
    view! {
        <ul class="queue-list">
            {list.into_iter().map(|q| view! { <Project q/> }).collect_view()}
        </ul>
    }
}

#[component]
fn Project(q: QueueSummary) -> impl IntoView {
    let id = q.project_id;
    let s = q.state.clone();
    let paused = s.status == ProjectStatus::Paused;
    let free = (s.todo - s.held_by_others).max(0);
    let done = (s.total - s.todo).max(0);
    let shown = RwSignal::new(false);
    let panel = format!("history-{id}");
    let glyph = Glyph::of_task(q.task);
    let action = if q.in_hand > 0 { "Continue" } else { "Start" };
    let can_start = q.in_hand > 0 || (!paused && free > 0);
    let facts = [
        (free, "for you"),
        (s.held_by_others, "with others"),
        (s.done_by_me, "done by you"),
    ];
    let chip = if paused {
        view! { <Chip tone=Tone::Warn dot=true>"Paused"</Chip> }.into_any()
    } else if q.in_hand > 0 {
        view! { <Chip tone=Tone::Accent dot=true>{format!("{} in hand", q.in_hand)}</Chip> }.into_any()
    } else if s.todo == 0 {
        view! { <Chip tone=Tone::Ok dot=true>"All done"</Chip> }.into_any()
    } else {
        ().into_any()
    };
    view! {
        <li class="card queue-card">
            <div class="queue-card__top">
                <span class="project-card__icon"><Icon glyph size=18/></span>
                <div class="grow">
                    <h2 class="queue-card__name"><a href=format!("/projects/{id}")>{q.name.clone()}</a></h2>
                    <p class="project-card__task">{q.task.label()}</p>
                </div>
                {chip}
                {can_start.then(|| view! {
                    <Button variant=Variant::Primary icon=Glyph::Play href=format!("/projects/{id}/label")>{action}</Button>
                })}
            </div>
            <ProgressBar
                label="Progress"
                segments=vec![Segment::new(done, Tone::Ok, "Done")]
                total=s.total
            />
            <div class="queue-card__foot">
                <dl class="queue-card__facts">
                    {facts.into_iter().map(|(n, what)| view! { <div><dt>{what}</dt><dd>{fmt::count(n)}</dd></div> }).collect_view()}
                </dl>
                {(s.done_by_me > 0).then(|| view! {
                    <button
                        type="button"
                        class="btn btn--quiet btn--sm"
                        aria-expanded=move || if shown.get() { "true" } else { "false" }
                        aria-controls=panel.clone()
                        on:click=move |_| shown.update(|s| *s = !*s)
                    >
                        <Icon glyph=Glyph::Clock/>
                        "What I did"
                    </button>
                })}
            </div>
            <div class="queue-card__history" id=panel.clone()>
                <Show when=move || shown.get()><History project=id/></Show>
            </div>
        </li>
    }
}

#[component]
fn History(project: ProjectId) -> impl IntoView {
    let rows = RwSignal::new(Vec::<Item>::new());
    let next = RwSignal::new(None::<String>);
    let error = RwSignal::new(None);
    let loading = RwSignal::new(true);
    let load = move |cursor: Option<String>| {
        loading.set(true);
        spawn_local(async move {
            let answer: Result<Page<Item>, _> = api::queue_history(project, cursor).await;
            if loading.try_set(false).is_some() {
                return;
            }
            match answer {
                Ok(page) => {
                    rows.update(|all| all.extend(page.rows));
                    next.set(page.next);
                    error.set(None);
                }
                Err(e) => error.set(Some(e)),
            }
        });
    };
    load(None);
    view! {
        <ul class="history">
            <For each=move || rows.get() key=|i| i.id let:item>
                <li class="history__row">
                    {if item.media_type == text::MEDIA_TYPE {
                        view! { <span class="history__thumb history__thumb--text"><Icon glyph=Glyph::File/></span> }.into_any()
                    } else {
                        view! {
                            <img class="history__thumb" src=format!("/media/items/{}/thumb", item.id) alt="" loading="lazy"/>
                        }
                        .into_any()
                    }}
                    <a class="history__name" href=format!("/projects/{project}/label/{}", item.id)>{item.name.clone()}</a>
                    <span class="history__state">
                        {if item.status == ItemStatus::Skipped {
                            view! { <Chip tone=Tone::Bad>"Skipped"</Chip> }.into_any()
                        } else {
                            fmt::counted(item.annotation_count, "label", "labels").into_any()
                        }}
                    </span>
                    <span class="faint history__time">{item.done_at.map(|at| view! { <RelativeTime at/> })}</span>
                </li>
            </For>
        </ul>
        {move || error.get().map(|error| view! { <ErrorView error/> })}
        <Show when=move || loading.get() && rows.with(Vec::is_empty)><Skeleton lines=3/></Show>
        <Show when=move || next.with(Option::is_some)>
            <Button size=ButtonSize::Small loading=loading on_click=move || load(next.get_untracked())>"Show more"</Button>
        </Show>
    }
}
