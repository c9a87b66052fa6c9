//! How good the model is.

use super::super::layout::ProjectCtx;
use super::charts::{Calibration, Curve};
use super::{Finds, basis, finds, interval, percent};
use crate::fmt;
use crate::ui::{Card, Dot, EmptyState, Glyph, Notice, RelativeTime, Table, Tone};
use leptos::prelude::*;
use limn_domain::CategoryId;
use limn_domain::assist::{Assist, AssistModel, CategoryFigures, Confusion, Figures, Share};

#[component]
pub fn Report(ctx: ProjectCtx, assist: RwSignal<Assist>) -> impl IntoView {
    let model = Memo::new(move |_| assist.with(|a| a.model.clone()));
    let curve = Memo::new(move |_| assist.with(|a| a.curve.clone()));
    move || match model.get() {
        None => view! {
            <Card>
                <EmptyState
                    glyph=Glyph::Spark
                    title="No model yet"
                    text=begins(finds(ctx))
                />
            </Card>
        }
        .into_any(),
        Some(m) => {
            let points = curve.get();
            let Figures {
                warnings,
                categories,
                confusions,
                bins,
                calibration_error,
                ..
            } = m.figures.clone();
            let apart = format!(
                "How often it is right against how sure it is; on average {:.1} % apart.",
                calibration_error * 100.0
            );
            view! {
                {(!warnings.is_empty()).then(|| view! {
                    <Notice tone=Tone::Warn>
                        <ul class="assist-warnings">{warnings.into_iter().map(|w| view! { <li>{w}</li> }).collect_view()}</ul>
                    </Notice>
                })}
                <Card title="Learning curve">
                    <Curve points finds=finds(ctx)/>
                    <About ctx model=m/>
                </Card>
                <Categories ctx figures=categories/>
                <div class="assist-pair">
                    <Confusions ctx list=confusions/>
                    <Card title="Calibration">
                        <Calibration bins finds=finds(ctx)/>
                        <p class="muted">
                            {apart}
                        </p>
                    </Card>
                </div>
            }
            .into_any()
        }
    }
}

/// How to come to a first model.
const fn begins(finds: Finds) -> &'static str {
    match finds {
        Finds::Categories => {
            "Label some items of each category: the first model comes with ten labels of at least two categories. The queue begins with items that are typical of many."
        }
        Finds::Boxes => {
            "Draw the boxes of some pictures: the first model comes with ten labeled ones, and takes a minute or two to learn. The queue begins with pictures that are typical of many."
        }
        Finds::Instances => {
            "Draw the outlines of the objects of some pictures: the first model comes with ten labeled ones, and takes a minute or two to learn. The queue begins with pictures that are typical of many."
        }
        Finds::Masks => {
            "Paint the masks of some pictures: the first model comes with ten labeled ones, and takes a minute or two to learn. The queue begins with pictures that are typical of many."
        }
        Finds::Spans => {
            "Mark the spans of some documents: the first model comes with ten labeled ones, and takes seconds to learn. The queue begins with documents that are typical of many."
        }
    }
}

#[component]
fn About(ctx: ProjectCtx, model: AssistModel) -> impl IntoView {
    let f = &model.figures;
    let text = match finds(ctx) {
        Finds::Boxes => format!(
            "Model {} learned from {} in {:.0} s. Of its proposals {} lie right ({}, an overlap of one half or more); they find {} of what people drew on {}.",
            model.version,
            fmt::counted(f.trained_on, "picture", "pictures"),
            model.seconds,
            percent(&f.proposed),
            interval(&f.proposed),
            percent(&f.covered),
            fmt::counted(f.holdout, "picture of the holdout", "pictures of the holdout"),
        ),
        Finds::Instances => format!(
            "Model {} learned from {} in {:.0} s. Of its proposals {} are right ({}, sharing half or more of their pixels with an object of the category); they find {} of the objects that people outlined on {}.",
            model.version,
            fmt::counted(f.trained_on, "picture", "pictures"),
            model.seconds,
            percent(&f.proposed),
            interval(&f.proposed),
            percent(&f.covered),
            fmt::counted(f.holdout, "picture of the holdout", "pictures of the holdout"),
        ),
        Finds::Masks => format!(
            "Model {} learned from {} in {:.0} s. Of its proposals {} are right ({}, sharing half or more of their pixels with the category's); they find {} of the masks that people painted on {}.{}",
            model.version,
            fmt::counted(f.trained_on, "picture", "pictures"),
            model.seconds,
            percent(&f.proposed),
            interval(&f.proposed),
            percent(&f.covered),
            fmt::counted(f.holdout, "picture of the holdout", "pictures of the holdout"),
            f.miou.map_or_else(String::new, |v| format!(
                " The mean IoU of the categories there is {v:.2}."
            )),
        ),
        Finds::Spans => format!(
            "Model {} learned from {} in {:.1} s. Of its proposals {} are right ({}, with exactly the ends that people gave them); they find {} of what people marked in {}.",
            model.version,
            fmt::counted(f.trained_on, "document", "documents"),
            model.seconds,
            percent(&f.proposed),
            interval(&f.proposed),
            percent(&f.covered),
            fmt::counted(f.holdout, "document of the holdout", "documents of the holdout"),
        ),
        Finds::Categories => items_said(&model),
    };
    let links = model.registered.clone().map(|r| {
        let href = format!("/models/{}/versions/{}", fmt::encode(&r.model), r.version);
        view! {
            <p class="assist-kept">
                <a class="link" href=format!("/runs/{}", r.run_id.hex())>"Its run"</a>
                <a class="link" href=href>{format!("{}, version {}", r.model, r.version)}</a>
            </p>
        }
    });
    view! {
        <p class="muted">{text}" "<RelativeTime at=model.trained_at/></p>
        {links}
    }
}

fn items_said(model: &AssistModel) -> String {
    let f = &model.figures;
    format!(
        "Model {} learned from {} in {:.1} s. {} of what it is judged by is sure enough to be proposed; of that {} is right ({}, {}).",
        model.version,
        fmt::counted(f.trained_on, "label", "labels"),
        model.seconds,
        percent(&f.covered),
        percent(&f.proposed),
        interval(&f.proposed),
        basis(f.basis)
    )
}

fn name_of(ctx: ProjectCtx, id: CategoryId) -> (String, String) {
    let found = ctx.categories.with(|all| {
        all.iter()
            .find(|c| c.id == id)
            .map(|c| (c.name.clone(), c.color.clone()))
    });
    found.unwrap_or_else(|| ("Removed".to_owned(), String::new()))
}

/// A share as a bar with the whiskers of its interval.
#[component]
fn ShareBar(share: Share) -> impl IntoView {
    let value = share.value();
    let title = format!("{} of {}; {}", share.right, share.of, interval(&share));
    let bar = value.map(|v| {
        let whisker = format!(
            "left:{:.1}%;width:{:.1}%",
            share.low * 100.0,
            (share.high - share.low) * 100.0
        );
        view! {
            <span class="share__track" aria-hidden="true">
                <i class="share__bar" style=format!("width:{:.1}%", v * 100.0)></i>
                <i class="share__whisker" style=whisker></i>
            </span>
        }
    });
    view! {
        <span class="share" title=title>
            <span class="num">{percent(&share)}</span>
            {bar}
            {value.is_some().then(|| view! { <small class="faint num">{format!("{}/{}", share.right, share.of)}</small> })}
        </span>
    }
}

#[component]
fn Categories(ctx: ProjectCtx, figures: Vec<CategoryFigures>) -> impl IntoView {
    let labels = match finds(ctx) {
        Finds::Categories => "Labels",
        Finds::Boxes => "Boxes",
        Finds::Instances => "Instances",
        Finds::Masks => "Pictures",
        Finds::Spans => "Spans",
    };
    let painted = finds(ctx) == Finds::Masks;
    let mut columns = vec![
        "Category",
        labels,
        "Found",
        "Proposed from",
        "Right when proposed",
        "Covered",
    ];
    if painted {
        columns.push("IoU");
    }
    let rows = figures
        .into_iter()
        .map(|c| {
            let id = c.category_id;
            let iou = c.iou.map_or_else(|| "\u{2013}".to_owned(), |v| format!("{v:.2}"));
            let threshold = match c.threshold {
                Some(t) => view! { <span class="num">{format!("{:.1} %", t * 100.0)}</span> }.into_any(),
                None => view! { <span class="faint">"not yet"</span> }.into_any(),
            };
            view! {
                <tr>
                    <td data-label="Category">
                        <span class="assist-name"><Dot color=Signal::derive(move || name_of(ctx, id).1)/>{move || name_of(ctx, id).0}</span>
                    </td>
                    <td data-label=labels><span class="num">{fmt::count(c.trained_on)}</span></td>
                    <td data-label="Found"><ShareBar share=c.found/></td>
                    <td data-label="Proposed from">{threshold}</td>
                    <td data-label="Right"><ShareBar share=c.proposed/></td>
                    <td data-label="Covered"><ShareBar share=c.covered/></td>
                    {painted.then(|| view! { <td data-label="IoU"><span class="num">{iou}</span></td> })}
                </tr>
            }
        })
        .collect_view();
    view! {
        <Card title="By category" flush=true>
            <Table
                label="Accuracy by category"
                columns=columns
            >
                {rows}
            </Table>
        </Card>
    }
}

/// What is taken for what.
#[component]
fn Confusions(ctx: ProjectCtx, list: Vec<Confusion>) -> impl IntoView {
    let none = list.is_empty();
    let rows = list
        .into_iter()
        .take(8)
        .map(|c| {
            let (is, said) = (c.is, c.taken_for);
            view! {
                <li>
                    <span class="assist-name"><Dot color=Signal::derive(move || name_of(ctx, is).1)/>{move || name_of(ctx, is).0}</span>
                    <span class="muted">"taken for"</span>
                    <span class="assist-name"><Dot color=Signal::derive(move || name_of(ctx, said).1)/>{move || name_of(ctx, said).0}</span>
                    <b class="num">{format!("{}\u{d7}", c.items)}</b>
                </li>
            }
        })
        .collect_view();
    view! {
        <Card title="Confusions">
            {if none {
                view! { <p class="muted">"Nothing was taken for something else."</p> }.into_any()
            } else {
                view! { <ul class="assist-confusions">{rows}</ul> }.into_any()
            }}
        </Card>
    }
}
