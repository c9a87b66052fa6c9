//! What a project looks like at a glance.

use super::api;
use super::items::thumb::Thumb;
use super::layout::{ProjectCtx, register_href, use_project};
use crate::data::use_load;
use crate::fmt;
use crate::session::use_session;
use crate::ui::{
    Avatar, BarList, BarRow, Button, ButtonSize, Card, Chip, EmptyState, ErrorView, Glyph, ProgressBar,
    RelativeTime, Segment, Skeleton, Stat, Tone, Variant,
};
use leptos::prelude::*;
use limn_domain::authz::Action;
use limn_domain::item::{ItemQuery, ItemSort, ItemWithAnnotations};
use limn_domain::project::{Media, Progress, ProjectStatus};
use std::sync::Arc;

const LATEST: i64 = 12;
const ACTIVITIES: i64 = 8;
const TOP_CATEGORIES: usize = 12;

/// `/projects/:id`
#[component]
pub fn OverviewTab() -> impl IntoView {
    let ctx = use_project();
    let empty = Memo::new(move |_| ctx.project.with(|p| p.summary.progress.total == 0));
    view! {
        <Show when=move || !empty.get() fallback=move || view! { <Nothing ctx/> }>
            <Figures ctx/>
            <div class="overview">
                <div class="overview__col">
                    <ProgressCard ctx/>
                    <Latest ctx/>
                    <Recent ctx/>
                </div>
                <div class="overview__col">
                    <Distribution ctx/>
                    <About ctx/>
                </div>
            </div>
        </Show>
    }
}

/// A project without items.
#[component]
fn Nothing(ctx: ProjectCtx) -> impl IntoView {
    let media = ctx.project.with_untracked(|p| p.summary.task.media());
    let text = match media {
        Media::Image => {
            "Drop files or a whole folder anywhere on this page, or choose them. JPEG, PNG, WebP, GIF, BMP, TIFF, and zip files of them."
        }
        Media::Text => {
            "Drop text files or a whole folder anywhere on this page, or choose them. A table or JSONL with a document a line comes in by Import."
        }
    };
    view! {
        <div class="overview">
            <div class="overview__col">
                <Card>
                    <EmptyState
                        glyph=if media == Media::Text { Glyph::File } else { Glyph::Images }
                        title=format!("No {} yet", media.nouns().1)
                        text=text
                    >
                        {move || ctx.may(Action::ManageItems).then(|| view! {
                            <Button variant=Variant::Primary icon=Glyph::Upload on_click=move || ctx.upload_open.set(true)>
                                {format!("Upload {}", media.nouns().1)}
                            </Button>
                        })}
                        {move || ctx.may(Action::ImportData).then(|| view! {
                            <Button icon=Glyph::Archive on_click=move || ctx.import_open.set(true)>"Import labels"</Button>
                        })}
                    </EmptyState>
                </Card>
                <Recent ctx/>
            </div>
            <div class="overview__col"><About ctx/></div>
        </div>
    }
}

#[component]
fn Figures(ctx: ProjectCtx) -> impl IntoView {
    let progress = Memo::new(move |_| ctx.project.with(|p| p.summary.progress));
    let labels = Memo::new(move |_| {
        ctx.categories
            .with(|c| c.iter().map(|c| c.annotation_count).sum::<i64>())
    });
    let used = Memo::new(move |_| {
        ctx.categories
            .with(|c| c.iter().filter(|c| c.annotation_count > 0).count())
    });
    let p = move || progress.get();
    view! {
        <h2 class="sr-only">"Figures"</h2>
        <div class="stats project-stats">
            <Stat
                label="Done"
                value=Signal::derive(move || fmt::count(p().done))
                sub=Signal::derive(move || format!("of {}, {} %", fmt::count(p().total), fmt::percent(p().done, p().total)))
            />
            <Stat
                label="To do"
                value=Signal::derive(move || fmt::count(p().todo))
                sub=Signal::derive(move || match p().prelabeled {
                    0 => "in the queue".to_owned(),
                    n => format!("{} with proposals", fmt::count(n)),
                })
            />
            <Stat
                label="Labels"
                value=Signal::derive(move || fmt::count(labels.get()))
                sub=Signal::derive(move || format!("{:.1} per item", labels.get() as f64 / p().total.max(1) as f64))
            />
            <Stat
                label="Categories in use"
                value=Signal::derive(move || used.get().to_string())
                sub=Signal::derive(move || format!("of {}", ctx.categories.with(Vec::len)))
            />
        </div>
    }
}

/// The parts of the bar that a list of projects shows too.
pub fn segments(p: Progress) -> Vec<Segment> {
    vec![
        Segment::new(p.done, Tone::Ok, "Done"),
        Segment::new(p.prelabeled, Tone::Warn, "Prelabeled"),
        Segment::new(p.skipped, Tone::Bad, "Skipped"),
        Segment::new((p.todo - p.prelabeled).max(0), Tone::Neutral, "To do"),
    ]
}

#[component]
fn ProgressCard(ctx: ProjectCtx) -> impl IntoView {
    let running = Memo::new(move |_| ctx.project.with(|p| p.summary.status == ProjectStatus::Running));
    let finished = Memo::new(move |_| ctx.project.with(|p| p.summary.progress.todo == 0));
    let state = move || {
        if finished.get() {
            view! { <Chip tone=Tone::Ok dot=true>"All done"</Chip> }.into_any()
        } else if running.get() {
            view! { <Chip tone=Tone::Ok dot=true>"Running"</Chip> }.into_any()
        } else {
            view! { <Chip tone=Tone::Warn dot=true>"Paused"</Chip> }.into_any()
        }
    };
    view! {
        <Card title="Progress" aside=ViewFn::from(move || state)>
            <ProgressBar
                label="Progress"
                thick=true
                legend=true
                segments=Signal::derive(move || segments(ctx.project.with(|p| p.summary.progress)))
                total=Signal::derive(move || ctx.project.with(|p| p.summary.progress.total))
            />
        </Card>
    }
}

#[component]
fn Distribution(ctx: ProjectCtx) -> impl IntoView {
    let rows = Memo::new(move |_| {
        ctx.categories.with(|all| {
            let mut rows: Vec<_> = all.iter().collect();
            rows.sort_by_key(|c| std::cmp::Reverse(c.annotation_count));
            rows.into_iter()
                .take(TOP_CATEGORIES)
                .map(|c| BarRow {
                    label: c.name.clone(),
                    value: c.annotation_count,
                    color: c.color.clone(),
                    href: Some(ctx.href(&format!("/items?category={}", c.id))),
                })
                .collect::<Vec<_>>()
        })
    });
    let more = Memo::new(move |_| ctx.categories.with(|c| c.len().saturating_sub(TOP_CATEGORIES)));
    view! {
        <Card title="Categories" aside=ViewFn::from(|| view! { <span class="faint">"labels"</span> })>
            <Show
                when=move || !rows.with(Vec::is_empty)
                fallback=move || view! {
                    <p class="muted">"No categories yet: labels need at least one."</p>
                    {move || ctx.may(Action::ManageCategories).then(|| view! {
                        <p class="overview__more"><Button size=ButtonSize::Small href=ctx.href("/categories")>"Add categories"</Button></p>
                    })}
                }
            >
                <BarList label="Labels by category" rows/>
                {move || (more.get() > 0).then(|| view! {
                    <p class="overview__more">
                        <a class="link" href=ctx.href("/categories")>{format!("{} more", more.get())}</a>
                    </p>
                })}
            </Show>
        </Card>
    }
}

#[component]
fn Latest(ctx: ProjectCtx) -> impl IntoView {
    let items = use_load(
        move || ctx.uploader.version.get(),
        move |_| async move {
            let query = ItemQuery {
                sort: ItemSort::Updated,
                limit: Some(LATEST),
                ..ItemQuery::default()
            };
            api::item_list(ctx.id, query).await
        },
    );
    view! {
        <Card
            title="Latest"
            aside=ViewFn::from(move || view! {
                <Button variant=Variant::Quiet size=ButtonSize::Small href=ctx.href("/items?sort=updated")>"All items"</Button>
            })
        >
            <Transition fallback=|| view! { <Skeleton lines=4/> }>
                {move || Suspend::new(async move {
                    match items.await {
                        Ok(page) => view! { <LatestGrid ctx rows=page.rows/> }.into_any(),
                        Err(error) => view! { <ErrorView error retry=move || items.refetch()/> }.into_any(),
                    }
                })}
            </Transition>
        </Card>
    }
}

#[component]
fn LatestGrid(ctx: ProjectCtx, rows: Vec<ItemWithAnnotations>) -> impl IntoView {
    view! {
        <ul class="latest">
            {rows
                .into_iter()
                .map(|row| {
                    let href = ctx.href(&format!("/label/{}", row.item.id));
                    let name = row.item.name.clone();
                    let title = name.clone();
                    view! {
                        <li>
                            <a class="latest__link" href=href title=title>
                                <Thumb row=Arc::new(row) palette=ctx.palette/>
                                <span class="sr-only">{name}</span>
                            </a>
                        </li>
                    }
                })
                .collect_view()}
        </ul>
    }
}

#[component]
fn Recent(ctx: ProjectCtx) -> impl IntoView {
    let lines = use_load(
        move || ctx.uploader.version.get(),
        move |_| api::project_activity(ctx.id, ACTIVITIES),
    );
    view! {
        <Card title="Activity">
            <Transition fallback=|| view! { <Skeleton lines=4/> }>
                {move || Suspend::new(async move {
                    match lines.await {
                        Ok(page) if page.rows.is_empty() => {
                            view! { <p class="muted">"Nothing has happened here yet."</p> }.into_any()
                        }
                        Ok(page) => view! {
                            <ul class="activity">
                                {page.rows
                                    .into_iter()
                                    .map(|a| view! {
                                        <li class="activity__row">
                                            <Avatar name=a.actor_name.clone() system=a.actor_id.is_none()/>
                                            <span class="activity__text"><b>{a.actor_name}</b>" "{a.summary}</span>
                                            <span class="faint activity__time"><RelativeTime at=a.at/></span>
                                        </li>
                                    })
                                    .collect_view()}
                            </ul>
                        }
                        .into_any(),
                        Err(error) => view! { <ErrorView error retry=move || lines.refetch()/> }.into_any(),
                    }
                })}
            </Transition>
        </Card>
    }
}

#[component]
fn About(ctx: ProjectCtx) -> impl IntoView {
    let description = Memo::new(move |_| ctx.project.with(|p| p.summary.description.trim().to_owned()));
    let session = use_session();
    let has_guide = Memo::new(move |_| ctx.project.with(|p| !p.instructions.trim().is_empty()));
    view! {
        <Card title="About">
            <div class="about">
                {move || {
                    let text = description.get();
                    if text.is_empty() {
                        view! { <p class="muted">{ctx.project.with(|p| p.summary.task.describe())}"."</p> }.into_any()
                    } else {
                        view! { <p class="about__text">{text}</p> }.into_any()
                    }
                }}
                <dl class="facts">
                    <dt>"Created"</dt>
                    <dd><RelativeTime at=Signal::derive(move || ctx.project.with(|p| p.summary.created_at))/></dd>
                    <dt>"Last change"</dt>
                    <dd><RelativeTime at=Signal::derive(move || ctx.project.with(|p| p.summary.updated_at))/></dd>
                    <dt>"Your role"</dt>
                    <dd>{move || ctx.project.with(|p| p.summary.my_role.label())}</dd>
                </dl>
                {move || (ctx.may(Action::ExportData) && session.may(Action::CreateDataset)).then(|| view! {
                    <Button size=ButtonSize::Small icon=Glyph::Data href=register_href(ctx)>"Register a dataset version"</Button>
                })}
                <Show when=move || has_guide.get()>
                    <Button size=ButtonSize::Small icon=Glyph::Book href=ctx.href("/instructions")>"Read the instructions"</Button>
                </Show>
            </div>
        </Card>
    }
}
