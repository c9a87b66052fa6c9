//! What a run's page shows more of when Limn itself trains: how far it is, and what came of it.

use super::api;
use super::run::RunCtx;
use crate::data::use_load;
use crate::fmt;
use crate::pulse::use_cancel;
use crate::ui::{Button, Card, Glyph, Icon, Notice, ProgressBar, Segment, Table, Tone};
use leptos::prelude::*;
use limn_domain::job::{Job, JobState};
use limn_domain::training::{Confusion, Figures, ShownExample, TrainTask, TrainingReport};

/// Categories up to which the matrix is drawn.
const DRAWN: usize = 40;
/// Pairs named that are mixed up most.
const PAIRS: usize = 5;
/// The tag that says why a run failed.
const ERROR_TAG: &str = "limn.error";

/// The bar of a training that goes on, and why it failed when it did.
#[component]
pub fn UnderWay(ctx: RunCtx) -> impl IntoView {
    let cancel = use_cancel();
    let job = Memo::new(move |_| {
        ctx.detail.with(|d| {
            let training = d.training.as_ref()?;
            let job = training.job.clone()?;
            Some((job, training.may_steer))
        })
    });
    let shown = Memo::new(move |_| {
        ctx.is_running() && job.with(|j| j.as_ref().is_some_and(|(j, _)| !j.state.is_final()))
    });
    let of = move |f: fn(&Job) -> i64| job.with(|j| j.as_ref().map_or(0, |(j, _)| f(j)));
    let words = move || {
        job.with(|j| {
            j.as_ref().map(|(j, _)| match j.state {
                _ if j.cancel_requested => "Cancelling".to_owned(),
                JobState::Queued if j.attempts == 0 => {
                    "Waits for its turn: one training goes on at a time".to_owned()
                }
                JobState::Queued => "Waits to go on: the server stopped in the middle of it".to_owned(),
                _ if j.message.is_empty() => "Begins".to_owned(),
                _ if j.total > 0 && !j.message.starts_with("Step") => {
                    format!(
                        "{} ({} of {})",
                        j.message,
                        fmt::count(j.done),
                        fmt::count(j.total)
                    )
                }
                _ => j.message.clone(),
            })
        })
    };
    let id = move || job.with_untracked(|j| j.as_ref().map(|(j, _)| j.id));
    let href = Signal::derive(move || {
        job.with(|j| {
            j.as_ref()
                .map(|(j, _)| format!("/jobs/{}", j.id))
                .unwrap_or_default()
        })
    });
    let why = Memo::new(move |_| {
        ctx.detail.with(|d| {
            d.training
                .as_ref()
                .and_then(|_| d.run.data.tags.get(ERROR_TAG).cloned())
        })
    });
    view! {
        <Show when=move || shown.get()>
            <div class="card train-bar">
                <div class="train-bar__words">
                    <span class="grow" role="status">{words}</span>
                    <Button href=href>"Job and log"</Button>
                    <Show when=move || job.with(|j| j.as_ref().is_some_and(|(_, may)| *may))>
                        <Button
                            icon=Glyph::X
                            loading=Signal::derive(move || cancel.pending.get() || job.with(|j| j.as_ref().is_some_and(|(j, _)| j.cancel_requested)))
                            on_click=move || {
                                if let Some(id) = id() {
                                    cancel.run(id);
                                }
                            }
                        >
                            "Cancel"
                        </Button>
                    </Show>
                </div>
                <ProgressBar
                    label="Training"
                    thick=true
                    segments=Signal::derive(move || vec![Segment::new(of(|j| j.done), Tone::Accent, "Done")])
                    total=Signal::derive(move || of(|j| j.total))
                />
            </div>
        </Show>
        {move || why.get().map(|why| view! {
            <Notice tone=Tone::Bad>
                <b class="strong">"The training failed. "</b>{why}
                {job.with(Option::is_some).then(|| view! { " "<a class="link" href=href>"Job and log"</a> })}
            </Notice>
        })}
    }
}

/// Figures by category, what is mixed up, and examples.
#[component]
pub fn Report(ctx: RunCtx) -> impl IntoView {
    // Read when the run ends, and not with every figure that it logs.
    let ended = Memo::new(move |_| {
        ctx.detail
            .with(|d| d.training.is_some() && d.run.info.status.is_ended())
    });
    let report = use_load(
        move || ended.get(),
        move |ended| async move {
            if ended {
                api::run_report(ctx.id).await
            } else {
                Ok(None)
            }
        },
    );
    view! {
        <Transition>
            {move || Suspend::new(async move {
                // Without it the page is that of any other run.
                match report.await {
                    Ok(Some(r)) => view! { <Shown ctx r/> }.into_any(),
                    _ => ().into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn Shown(ctx: RunCtx, r: TrainingReport) -> impl IntoView {
    let registered = ctx
        .detail
        .with_untracked(|d| d.versions.first().map(|v| (v.model_name.clone(), v.number)));
    let nothing_held = r.figures.pictures == 0;
    view! {
        <div class="trained">
            {registered.map(|(name, number)| {
                let href = format!("/models/{}/versions/{number}", fmt::encode(&name));
                view! {
                    <Notice tone=Tone::Ok>
                        "What came of it is "<a class="link" href=href>{format!("{name}, version {number}")}</a>"."
                    </Notice>
                }
            })}
            {nothing_held.then(|| view! {
                <Notice tone=Tone::Warn>"No pictures were held back, so there are no figures. Train with more pictures, or with a validation split."</Notice>
            })}
            <div class="trained__pair">
                {r.confusion.filter(|c| !c.rows.is_empty()).map(|c| view! { <Matrix c/> })}
                {(!nothing_held).then(|| view! { <ByCategory figures=r.figures/> })}
            </div>
            {(!r.examples.is_empty()).then(|| view! { <Examples ctx examples=r.examples/> })}
        </div>
    }
}

#[component]
fn ByCategory(figures: Figures) -> impl IntoView {
    let head = figures.task.category_figure();
    let mut rows = figures.by_category;
    rows.sort_by(|a, b| {
        let of = |f: Option<f64>| f.unwrap_or(f64::INFINITY);
        of(a.figure).total_cmp(&of(b.figure))
    });
    let more = rows.len().saturating_sub(DRAWN);
    let body = rows
        .into_iter()
        .take(DRAWN)
        .map(|c| {
            let color = format!("background:{}", safe(&c.color));
            let bar = c.figure.map(|f| format!("width:{:.1}%", f.clamp(0.0, 1.0) * 100.0));
            view! {
                <tr>
                    <td data-label="Category"><span class="trained__name"><i style=color></i>{c.category}</span></td>
                    <td data-label=head>
                        <span class="trained__figure">
                            <span class="num">{c.figure.map_or_else(|| "\u{2013}".to_owned(), |f| format!("{f:.3}"))}</span>
                            <span class="trained__bar">{bar.map(|style| view! { <i style=style></i> })}</span>
                        </span>
                    </td>
                    <td data-label="Said from" class="num">{format!("{:.0} %", c.threshold * 100.0)}</td>
                </tr>
            }
        })
        .collect_view();
    let columns = vec!["Category", head, "Said from"];
    view! {
        <Card flush=true title="By category" aside=ViewFn::from(move || view! { <span class="faint">{fmt::counted(figures.pictures, "picture", "pictures")}" held back"</span> })>
            <Table label="Figures by category" columns>{body}</Table>
            {(more > 0).then(|| view! { <p class="faint trained__more">{format!("{} more in figures.json", fmt::count(more as i64))}</p> })}
        </Card>
    }
}

/// A colour as stored; anything else is none.
fn safe(color: &str) -> &str {
    let fine =
        color.len() == 7 && color.starts_with('#') && color[1..].bytes().all(|b| b.is_ascii_hexdigit());
    if fine { color } else { "transparent" }
}

#[component]
fn Matrix(c: Confusion) -> impl IntoView {
    let total: u64 = c.rows.iter().flatten().sum();
    let mut pairs: Vec<(u64, String, String)> = Vec::new();
    for (i, row) in c.rows.iter().enumerate() {
        for (j, n) in row.iter().enumerate().filter(|(j, n)| *j != i && **n > 0) {
            let name = |k: usize| c.names.get(k).cloned().unwrap_or_default();
            pairs.push((*n, name(i), name(j)));
        }
    }
    pairs.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| (&a.1, &a.2).cmp(&(&b.1, &b.2))));
    pairs.truncate(PAIRS);
    let mixed = pairs
        .into_iter()
        .map(|(n, right, said)| {
            view! { <li><b>{right}</b>" said to be "<b>{said}</b><span class="faint">{format!(" {}", fmt::counted(n as i64, "time", "times"))}</span></li> }
        })
        .collect_view();
    let drawn = (c.names.len() <= DRAWN).then(|| view! { <Heat c/> });
    view! {
        <Card title="Confusion" aside=ViewFn::from(|| view! { <span class="faint">"Rows are right, columns were said"</span> })>
            {drawn}
            {if total == 0 {
                view! { <p class="muted">"Nothing was counted: no picture held back shows any of the categories."</p> }.into_any()
            } else {
                view! { <ul class="confusion__pairs" aria-label="Mixed up most often">{mixed}</ul> }.into_any()
            }}
        </Card>
    }
}

/// The matrix as a table whose cells are the darker the larger their share of the row.
#[component]
fn Heat(c: Confusion) -> impl IntoView {
    let heads = c
        .names
        .iter()
        .map(|n| view! { <th scope="col"><span title=n.clone()>{n.clone()}</span></th> })
        .collect_view();
    let names = c.names.clone();
    let rows = c
        .rows
        .into_iter()
        .enumerate()
        .map(|(i, row)| {
            let sum = row.iter().sum::<u64>();
            let right = names.get(i).cloned().unwrap_or_default();
            let cells = row
                .into_iter()
                .enumerate()
                .map(|(j, n)| {
                    let share = n as f64 / sum.max(1) as f64;
                    let class = if i == j { "confusion__cell is-right" } else { "confusion__cell" };
                    // Even a single one is seen.
                    let heat = if n == 0 { 0.0 } else { 8.0 + share * 62.0 };
                    let said = names.get(j).cloned().unwrap_or_default();
                    let title = format!("{right} said to be {said}: {} of {}", fmt::count(n as i64), fmt::count(sum as i64));
                    let text = if n == 0 { "\u{b7}".to_owned() } else { fmt::count(n as i64) };
                    view! { <td class=class class:is-none=n == 0 style=format!("--heat:{heat:.0}%") title=title>{text}</td> }
                })
                .collect_view();
            view! { <tr><th scope="row"><span title=right.clone()>{right.clone()}</span></th>{cells}</tr> }
        })
        .collect_view();
    view! {
        <div class="confusion__wrap" tabindex="0" role="region" aria-label="Confusion matrix">
            <table class="confusion">
                <thead><tr><td></td>{heads}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

#[component]
fn Examples(ctx: RunCtx, examples: Vec<ShownExample>) -> impl IntoView {
    let experiment = ctx.detail.with_untracked(|d| d.experiment.id);
    let wrong = examples.iter().filter(|e| !e.is_right).count();
    let key = ctx
        .detail
        .with_untracked(|d| match d.training.as_ref().map(|t| t.task) {
            Some(TrainTask::Detection) => {
                Some(". Dashed: what is right, yellow where it was missed. Blue: found. Red: wrong.")
            }
            Some(TrainTask::InstanceSegmentation) => Some(
                ". Dashed: what is right, yellow where it was missed. Filled blue: found. Filled red: wrong.",
            ),
            Some(TrainTask::Segmentation) => Some(". In colour: what was said."),
            _ => None,
        });
    let aside = move || {
        view! {
            <span class="faint">
                {if wrong == 0 { "All of these are right".to_owned() } else { "The worst mistakes first".to_owned() }}
                {key}
            </span>
        }
    };
    let cards = examples
        .into_iter()
        .map(|e| {
            let path: Vec<String> = e.file.split('/').map(fmt::encode).collect();
            let url = format!(
                "/api/2.0/mlflow-artifacts/artifacts/{experiment}/{}/artifacts/{}",
                ctx.id.hex(),
                path.join("/")
            );
            let alt = format!("{}: right is {}, said was {}", e.path, e.truth, e.said);
            let (glyph, class) = if e.is_right {
                (Glyph::CheckCircle, "example__verdict is-right")
            } else {
                (Glyph::Warning, "example__verdict")
            };
            view! {
                <li class="example">
                    <a href=ctx.href(&format!("/files?path={}", fmt::encode(&e.file)))><img src=url alt=alt loading="lazy"/></a>
                    <div class="example__text">
                        <span class=class><Icon glyph size=14/>{if e.is_right { "Right" } else { "Wrong" }}</span>
                        <p><span class="faint">"Is "</span>{e.truth}</p>
                        <p><span class="faint">"Said "</span>{e.said}</p>
                        <p class="faint example__path" title=e.path.clone()>{e.path.clone()}</p>
                    </div>
                </li>
            }
        })
        .collect_view();
    view! {
        <Card title="Examples" aside=ViewFn::from(aside)>
            <ul class="examples">{cards}</ul>
        </Card>
    }
}
