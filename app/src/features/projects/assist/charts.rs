//! The assist's charts as SVG; each has its figures in words too.

use super::{Finds, basis, interval, percent, precision};
use leptos::prelude::*;
use limn_domain::assist::{Bin, CurvePoint};

const W: f64 = 640.0;
const H: f64 = 200.0;
/// Room for the texts of the axes.
const LEFT: f64 = 40.0;
const BELOW: f64 = 22.0;

/// Accuracy by the number of labels, with its interval, and how many items are sure enough.
#[component]
pub fn Curve(points: Vec<CurvePoint>, finds: Finds) -> impl IntoView {
    let most = points.iter().map(|p| p.labels).max().unwrap_or(0).max(1) as f64;
    let lowest = points.iter().map(|p| p.accuracy.low).fold(1.0, f64::min);
    let floor = ((lowest * 10.0).floor() / 10.0).clamp(0.0, 0.9);
    let x = move |labels: i64| LEFT + labels as f64 / most * (W - LEFT - 8.0);
    let y = move |v: f64| 6.0 + (1.0 - ((v - floor) / (1.0 - floor)).clamp(0.0, 1.0)) * (H - BELOW - 6.0);
    let shown: Vec<CurvePoint> = points.into_iter().filter(|p| p.accuracy.of > 0).collect();
    let line = |value: &dyn Fn(&CurvePoint) -> f64| {
        let at = shown
            .iter()
            .map(|p| format!("{:.1},{:.1}", x(p.labels), y(value(p))));
        at.collect::<Vec<_>>().join(" ")
    };
    let right = line(&|p| p.accuracy.value().unwrap_or_default());
    let upper = line(&|p| p.accuracy.high);
    let back: Vec<String> = shown
        .iter()
        .rev()
        .map(|p| format!("{:.1},{:.1}", x(p.labels), y(p.accuracy.low)))
        .collect();
    let band = format!("{upper} {}", back.join(" "));
    let said = |p: &CurvePoint| {
        format!(
            "{} labels: {} right ({}, {}), {} {}",
            p.labels,
            percent(&p.accuracy),
            interval(&p.accuracy),
            basis(p.basis),
            percent(&p.covered),
            match (finds, p.map50, p.miou) {
                (Finds::Categories, ..) => "sure enough".to_owned(),
                (_, Some(ap), _) => format!("found by proposals, {} {ap:.2}", precision(finds)),
                (_, _, Some(iou)) => format!("found by proposals, mean IoU {iou:.2}"),
                _ => "found by proposals".to_owned(),
            }
        )
    };
    let words = shown.iter().map(said).collect::<Vec<_>>().join("; ");
    let dots = shown
        .iter()
        .map(|p| {
            let v = p.accuracy.value().unwrap_or_default();
            view! {
                <g class="curve__point">
                    <circle class="curve__room" cx=x(p.labels) cy=y(v) r=9></circle>
                    <circle class="curve__dot" cx=x(p.labels) cy=y(v) r=2.5></circle>
                    <title>{said(p)}</title>
                </g>
            }
        })
        .collect_view();
    let steps = if floor > 0.55 { 4 } else { 5 };
    let lines = (0..=steps)
        .map(|i| {
            let v = floor + (1.0 - floor) * f64::from(i) / f64::from(steps);
            view! {
                <line class="curve__grid" x1=LEFT x2=W y1=y(v) y2=y(v)></line>
                <text class="curve__text" x=LEFT - 6.0 y=y(v) + 4.0 text-anchor="end">{format!("{:.0}%", v * 100.0)}</text>
            }
        })
        .collect_view();
    view! {
        <svg class="curve" viewBox=format!("0 0 {W} {H}") role="img" aria-label=format!("Learning curve. {words}") data-testid="learning-curve">
            {lines}
            <text class="curve__text" x=LEFT y=H - 4.0>"0"</text>
            <text class="curve__text" x=W y=H - 4.0 text-anchor="end">{format!("{most:.0} labels")}</text>
            <polygon class="curve__band" points=band></polygon>
            <polyline class="curve__line" points=right></polyline>
            {dots}
        </svg>
    }
}

/// How often it is right, against how sure it says it is.
#[component]
pub fn Calibration(bins: Vec<Bin>, finds: Finds) -> impl IntoView {
    const SIDE: f64 = 200.0;
    let what = match finds {
        Finds::Categories => "items",
        Finds::Boxes => "boxes",
        Finds::Instances => "instances",
        Finds::Masks => "masks",
        Finds::Spans => "spans",
    };
    let at = |v: f64| v.clamp(0.0, 1.0) * SIDE;
    let said = |b: &Bin| {
        format!(
            "{:.0} % sure: {} right ({}, {} {})",
            b.confidence * 100.0,
            percent(&b.accuracy),
            interval(&b.accuracy),
            b.accuracy.of,
            what
        )
    };
    let words = bins.iter().map(said).collect::<Vec<_>>().join("; ");
    let marks = bins
        .iter()
        .map(|b| {
            let x = at(b.confidence);
            let (low, high) = (SIDE - at(b.accuracy.low), SIDE - at(b.accuracy.high));
            let v = SIDE - at(b.accuracy.value().unwrap_or_default());
            view! {
                <g class="curve__point">
                    <rect class="curve__room" x=x - 8.0 y=0 width=16 height=SIDE></rect>
                    <line class="curve__whisker" x1=x x2=x y1=low y2=high></line>
                    <circle class="curve__dot" cx=x cy=v r=3.5></circle>
                    <title>{said(b)}</title>
                </g>
            }
        })
        .collect_view();
    view! {
        <svg class="curve curve--square" viewBox=format!("-6 -6 {} {}", SIDE + 12.0, SIDE + 12.0) role="img" aria-label=format!("Calibration. {words}")>
            <rect class="curve__frame" width=SIDE height=SIDE></rect>
            <line class="curve__even" x1=0 y1=SIDE x2=SIDE y2=0></line>
            {marks}
        </svg>
    }
}
