//! `/projects/:id/assist`: the model that learns while people label.

mod charts;
mod clicks;
mod failed;
mod report;
mod settings;

use super::api;
use super::layout::{ProjectCtx, use_project};
use crate::data::{use_load, use_mutation};
use crate::fmt;
use crate::pulse::{use_cancel, use_pulse};
use crate::ui::{
    Button, Card, Chip, EmptyState, ErrorView, Glyph, Notice, ProgressBar, Segment, Skeleton, Stat, Tone,
    Variant,
};
use clicks::ClicksCard;
use failed::Failed;
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::assist::{
    Assist, AssistState, Basis, Retrain, Share, UpdateAssist, can_assist, finds_boxes, finds_instances,
    finds_masks, finds_spans,
};
use limn_domain::authz::Action;
use limn_domain::job::Job;
use limn_domain::smart::can_segment;
use report::Report;
use settings::SettingsCard;
use std::time::Duration;

/// Between two looks at it, in seconds; longer where counting takes longer.
const LOOK: u64 = 3;
const LOOK_LARGE: u64 = 30;
const LARGE: i64 = 50_000;

#[component]
pub fn AssistTab() -> impl IntoView {
    let ctx = use_project();
    let found = use_load(move || ctx.id, api::assist_get);
    view! {
        <div class="assist-tab">
            // First on the page, though shown last: what loads within what loads must not have anything behind it.
            <Show when=move || ctx.project.with(|p| can_segment(p.summary.task))>
                <ClicksCard ctx/>
            </Show>
            <Show
                when=move || ctx.project.with(|p| can_assist(p.summary.task))
                fallback=|| view! {
                    <Notice>"The assist learns categories of pictures and documents, boxes around objects and their outlines, masks of every pixel, and spans of text, so far. Projects with other tasks are labeled without it."</Notice>
                }
            >
                <Suspense fallback=|| view! { <Card><Skeleton lines=8/></Card> }>
                    {move || Suspend::new(async move {
                        match found.await {
                            Ok(assist) => view! { <Found ctx assist/> }.into_any(),
                            Err(error) => view! { <ErrorView error retry=move || found.refetch()/> }.into_any(),
                        }
                    })}
                </Suspense>
            </Show>
        </div>
    }
}

#[component]
fn Found(ctx: ProjectCtx, assist: Assist) -> impl IntoView {
    let every = if assist.items.total > LARGE {
        LOOK_LARGE
    } else {
        LOOK
    };
    let assist = RwSignal::new(assist);
    let look = move || {
        spawn_local(async move {
            if let Ok(now) = api::assist_get(ctx.id).await
                && assist.try_with_untracked(|a| *a != now) == Some(true)
            {
                assist.try_set(now);
            }
        });
    };
    // Labels come in from other pages and other people, and a training may take less than a second.
    Effect::new(move |_| {
        let tick = move || {
            if !document().hidden() && assist.try_with_untracked(|a| a.settings.enabled) == Some(true) {
                look();
            }
        };
        if let Ok(handle) = set_interval_with_handle(tick, Duration::from_secs(every)) {
            on_cleanup(move || handle.clear());
        }
    });
    let pulse = use_pulse();
    Effect::new(move |before: Option<u32>| {
        let now = pulse.finished.get();
        if before.is_some_and(|b| b != now) {
            look();
        }
        now
    });
    let on = Memo::new(move |_| assist.with(|a| a.settings.enabled));
    view! {
        <Show when=move || on.get() fallback=move || view! { <Off ctx assist/> }>
            <StateCard ctx assist/>
            <Figures ctx assist/>
            <div class="overview">
                <div class="overview__col"><Report ctx assist/></div>
                <div class="overview__col">
                    <WorkCard assist/>
                    <SettingsCard ctx assist/>
                </div>
            </div>
        </Show>
    }
}

/// What it is for, and the button that starts it.
#[component]
fn Off(ctx: ProjectCtx, assist: RwSignal<Assist>) -> impl IntoView {
    let pulse = use_pulse();
    let turn_on = use_mutation(
        move |()| {
            let change = UpdateAssist {
                enabled: Some(true),
                ..UpdateAssist::default()
            };
            api::assist_update(ctx.id, change)
        },
        move |now: Assist| {
            assist.set(now);
            pulse.kick();
        },
    );
    view! {
        <Card>
            <EmptyState
                glyph=Glyph::Spark
                title="Let a model help"
                text=format!("It looks at the {}, learns from every label, and proposes what it is sure of; people confirm. It runs on this server and needs nothing else. What it proposes never counts as a label until somebody accepts it.", nouns(ctx))
            >
                {move || ctx.may(Action::ManageProject).then(|| view! {
                    <Button variant=Variant::Primary icon=Glyph::Spark loading=turn_on.pending on_click=move || turn_on.run(())>
                        "Turn the assist on"
                    </Button>
                })}
            </EmptyState>
        </Card>
    }
}

const fn chip(state: AssistState) -> (Tone, &'static str) {
    match state {
        AssistState::Off => (Tone::Neutral, "Off"),
        AssistState::Working => (Tone::Accent, "Working"),
        AssistState::Waiting => (Tone::Warn, "Waits for labels"),
        AssistState::Ready => (Tone::Ok, "At work"),
        AssistState::Failed => (Tone::Bad, "Failed"),
    }
}

/// What it is doing, and what can be asked of it.
#[component]
fn StateCard(ctx: ProjectCtx, assist: RwSignal<Assist>) -> impl IntoView {
    let pulse = use_pulse();
    let cancel = use_cancel();
    let train = use_mutation(
        move |()| api::assist_train(ctx.id),
        move |job: Job| {
            assist.update(|a| {
                a.state = AssistState::Working;
                "Waits for its turn".clone_into(&mut a.message);
                a.job = Some(job);
            });
            pulse.kick();
        },
    );
    let state = Memo::new(move |_| assist.with(|a| a.state));
    let job = Memo::new(move |_| assist.with(|a| a.job.clone().filter(|j| !j.state.is_final())));
    let version = move || assist.with(|a| a.model.as_ref().map(|m| m.version));
    view! {
        <Card class="assist-state">
            <div class="assist-state__row">
                <span aria-live="polite" class="assist-state__what">
                    {move || {
                        let (tone, word) = chip(state.get());
                        view! { <Chip tone dot=true>{word}</Chip> }
                    }}
                    " "
                    <span data-testid="assist-message">
                        {move || assist.with(|a| match a.state {
                            AssistState::Failed => "The latest run failed.".to_owned(),
                            _ => a.message.clone(),
                        })}
                    </span>
                </span>
                {move || version().map(|v| view! { <span class="muted num" data-testid="assist-version">{format!("Model {v}")}</span> })}
                {move || {
                    let link = assist.with(|a| a.job.as_ref().map(|j| format!("/jobs/{}", j.id)));
                    link.map(|href| view! { <a class="link" href=href>"Log"</a> })
                }}
                {move || job.get().filter(|_| ctx.may(Action::ManageProject)).map(|j| view! {
                    <Button icon=Glyph::X loading=cancel.pending on_click=move || cancel.run(j.id)>"Cancel"</Button>
                })}
                {move || ctx.may(Action::ManageProject).then(|| view! {
                    <Button
                        icon=Glyph::Refresh
                        loading=train.pending
                        disabled=Signal::derive(move || {
                            state.get() == AssistState::Working || assist.with(|a| a.settings.retrain == Retrain::Never)
                        })
                        on_click=move || train.run(())
                    >
                        "Train now"
                    </Button>
                })}
                {move || ctx.may(Action::Label).then(|| view! {
                    <Button variant=Variant::Primary icon=Glyph::Play href=ctx.href("/label")>"Label"</Button>
                })}
            </div>
            {move || job.get().filter(|j| j.total > 0).map(|j| {
                let (done, total) = (j.done, j.total);
                view! {
                    <ProgressBar
                        label="Assist"
                        thick=true
                        segments=Signal::derive(move || vec![Segment::new(done, Tone::Accent, "Done")])
                        total=Signal::derive(move || total)
                    />
                }
            })}
            <Failed ctx assist train/>
        </Card>
    }
}

/// The items to do by what the assist says of them, and how good it is.
#[component]
fn Figures(ctx: ProjectCtx, assist: RwSignal<Assist>) -> impl IntoView {
    let items = Memo::new(move |_| assist.with(|a| a.items));
    let figures = move || assist.with(|a| a.model.as_ref().map(|m| m.figures.clone()));
    let right = match finds(ctx) {
        Finds::Categories => "Right",
        Finds::Boxes => "Boxes right",
        Finds::Instances => "Instances right",
        Finds::Masks => "Masks right",
        Finds::Spans => "Spans right",
    };
    view! {
        <h2 class="sr-only">"Items to do"</h2>
        <div class="stats assist-stats">
            <Stat
                label="Prelabeled"
                value=Signal::derive(move || fmt::count(items.get().prelabeled))
                sub=Signal::derive(move || format!("of {} to do", fmt::count(items.get().todo)))
            />
            <Stat
                label="Clustered"
                value=Signal::derive(move || fmt::count(items.get().clustered))
                sub=Signal::derive(|| "placed beside alike ones".to_owned())
            />
            <Stat
                label="Manual"
                value=Signal::derive(move || fmt::count(items.get().manual))
                sub=Signal::derive(move || {
                    let i = items.get();
                    if i.seen < i.total {
                        format!("{} of {} {} seen", fmt::count(i.seen), fmt::count(i.total), nouns(ctx))
                    } else {
                        "left to people".to_owned()
                    }
                })
            />
            <Stat
                label=right
                value=Signal::derive(move || figures().map_or_else(|| "\u{2013}".to_owned(), |f| percent(&f.accuracy)))
                sub=Signal::derive(move || figures().map_or_else(
                    || "no model yet".to_owned(),
                    |f| match (f.map50, f.miou) {
                        (Some(ap), _) => format!("{}, {} {ap:.2}", interval(&f.accuracy), precision(finds(ctx))),
                        (_, Some(iou)) => format!("{}, mean IoU {iou:.2}", interval(&f.accuracy)),
                        _ => format!("{}, {}", interval(&f.accuracy), basis(f.basis)),
                    },
                ))
            />
        </div>
    }
}

/// What it proposes, which is what its shares count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finds {
    /// Of whole items.
    Categories,
    Boxes,
    /// The outlines of objects.
    Instances,
    /// One a category and picture.
    Masks,
    Spans,
}

pub(super) fn finds(ctx: ProjectCtx) -> Finds {
    match ctx.project.with(|p| p.summary.task) {
        task if finds_boxes(task) => Finds::Boxes,
        task if finds_instances(task) => Finds::Instances,
        task if finds_masks(task) => Finds::Masks,
        task if finds_spans(task) => Finds::Spans,
        _ => Finds::Categories,
    }
}

/// What COCO's average precision at an overlap of one half is called: by what overlaps.
pub(super) const fn precision(finds: Finds) -> &'static str {
    match finds {
        Finds::Instances => "mask mAP50",
        _ => "mAP50",
    }
}

/// `pictures` or `documents`.
pub(super) fn nouns(ctx: ProjectCtx) -> &'static str {
    ctx.project.with(|p| p.summary.task.media().nouns().1)
}

/// What people did with proposals.
#[component]
fn WorkCard(assist: RwSignal<Assist>) -> impl IntoView {
    let work = Memo::new(move |_| assist.with(|a| a.work));
    let touched = move || work.get().accepted + work.get().corrected;
    let mean = |s: Option<f64>| s.map_or_else(|| "\u{2013}".to_owned(), |s| format!("{s:.1} s"));
    let saved = move || match work.get().seconds_saved() {
        Some(s) if s >= 0.0 => format!("About {} of work saved so far.", fmt::span(s as i64)),
        Some(s) => format!(
            "Proposals cost {} more than items without, so far.",
            fmt::span(-s as i64)
        ),
        None => "Time saved shows once ten items were done with and ten without a proposal.".to_owned(),
    };
    view! {
        <Card title="Work">
            <Show
                when=move || { touched() > 0 }
                fallback=|| view! { <p class="muted">"Nobody has answered a proposal yet."</p> }
            >
                <ProgressBar
                    label="Proposals"
                    thick=true
                    legend=true
                    segments=Signal::derive(move || vec![
                        Segment::new(work.get().accepted, Tone::Ok, "Accepted"),
                        Segment::new(work.get().corrected, Tone::Warn, "Corrected"),
                    ])
                    total=Signal::derive(touched)
                />
            </Show>
            <dl class="figures assist-work">
                <div><dt>"An item with a proposal"</dt><dd>{move || mean(work.get().seconds_assisted)}</dd></div>
                <div><dt>"Without"</dt><dd>{move || mean(work.get().seconds_manual)}</dd></div>
            </dl>
            <p class="muted">{saved}</p>
        </Card>
    }
}

/// `94.2 %`
pub(super) fn percent(s: &Share) -> String {
    s.value()
        .map_or_else(|| "\u{2013}".to_owned(), |v| format!("{:.1} %", v * 100.0))
}

/// `91 to 97 %`
pub(super) fn interval(s: &Share) -> String {
    if s.of == 0 {
        return "nothing to go by".to_owned();
    }
    format!(
        "{:.0} to {:.0} %",
        (s.low * 100.0).floor(),
        (s.high * 100.0).ceil()
    )
}

pub(super) const fn basis(b: Basis) -> &'static str {
    match b {
        Basis::Holdout => "on the holdout",
        Basis::CrossValidated => "cross-validated",
    }
}
