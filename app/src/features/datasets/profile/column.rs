//! One column: a row of the list that opens to all of its figures.

use super::figures;
use crate::fmt;
use crate::ui::{Bars, Chip, Glyph, Icon, Plot, QuantileStrip, Tone};
use leptos::prelude::*;
use limn_domain::Timestamp;
use limn_domain::profile::{
    ColumnKind, ColumnProfile, Histogram, NumberProfile, TextColumn, TimeProfile, TopValue,
};
use std::sync::Arc;

#[component]
pub fn ColumnRow(column: Arc<ColumnProfile>, rows: u64) -> impl IntoView {
    let open = RwSignal::new(false);
    let c = Arc::clone(&column);
    let about = if c.unique.is_exact() { "" } else { "~" };
    let missing = c.missing;
    let body = StoredValue::new(column);
    view! {
        <li class="pcol" class:is-open=move || open.get()>
            <button class="pcol__head" type="button" aria-expanded=move || open.get().to_string() on:click=move |_| open.update(|o| *o = !*o)>
                <span class="pcol__turn"><Icon glyph=Glyph::ChevronRight size=14/></span>
                <span class="pcol__name"><b>{c.name.clone()}</b><span class="pcol__kind">{c.kind.label()}</span></span>
                <span class="pcol__sum">{sum(&c)}</span>
                <span class="pcol__spark" aria-hidden="true">{spark(&c)}</span>
                <span class="pcol__n"><b>{about}{fmt::count(c.unique.value as i64)}</b><span>"distinct"</span></span>
                <span class="pcol__n" class:is-missing=move || { missing > 0 }><b>{fmt::share(c.missing, rows)}</b><span>"missing"</span></span>
            </button>
            {move || open.get().then(|| body.with_value(|c| view! { <div class="pcol__body">{detail(c, rows)}</div> }))}
        </li>
    }
}

fn is_number(c: &ColumnProfile) -> bool {
    matches!(c.kind, ColumnKind::Integer | ColumnKind::Float)
}

/// One line that says what is in it.
fn sum(c: &ColumnProfile) -> String {
    let show = |x: Option<f64>| x.map(fmt::figure).unwrap_or_default();
    match c.kind {
        ColumnKind::Integer | ColumnKind::Float => c.number.as_ref().map_or_else(String::new, |n| {
            format!("{} to {}, mean {}", show(n.min), show(n.max), show(n.mean))
        }),
        ColumnKind::Datetime => c
            .time
            .as_ref()
            .map_or_else(String::new, |t| format!("{} to {}", at(t.min), at(t.max))),
        ColumnKind::List => c.lengths.as_ref().map_or_else(String::new, |l| {
            format!("{} to {} values", show(l.min), show(l.max))
        }),
        ColumnKind::Text => c.text.as_ref().map_or_else(String::new, |t| {
            format!("{} to {} characters", show(t.lengths.min), show(t.lengths.max))
        }),
        ColumnKind::Empty => "nothing but missing values".to_owned(),
        ColumnKind::Other => "binary or nested".to_owned(),
        ColumnKind::Bool | ColumnKind::Category => {
            let shown: Vec<&str> = c.top.values.iter().take(4).map(|t| t.value.as_str()).collect();
            shown.join(", ")
        }
    }
}

fn spark(c: &ColumnProfile) -> Option<AnyView> {
    let plot = |h: &Histogram| {
        let edges = h.edges.iter().map(|e| fmt::figure(*e)).collect::<Vec<_>>();
        view! { <Plot label="" counts=h.counts.clone() edges small=true/> }.into_any()
    };
    match c.kind {
        ColumnKind::Integer | ColumnKind::Float => c.number.as_ref()?.histogram.as_ref().map(plot),
        ColumnKind::Datetime => c.time.as_ref()?.histogram.as_ref().map(plot),
        ColumnKind::Text => c.text.as_ref()?.lengths.histogram.as_ref().map(plot),
        ColumnKind::List => c.lengths.as_ref()?.histogram.as_ref().map(plot),
        ColumnKind::Category | ColumnKind::Bool => {
            let counts: Vec<u64> = c.top.values.iter().map(|t| t.count).collect();
            let edges = c.top.values.iter().map(|t| t.value.clone()).collect::<Vec<_>>();
            Some(view! { <Plot label="" counts edges small=true/> }.into_any())
        }
        ColumnKind::Empty | ColumnKind::Other => None,
    }
}

fn detail(c: &ColumnProfile, rows: u64) -> impl IntoView {
    let mixture = (!c.mixture.is_empty()).then(|| {
        let kinds: Vec<_> = c
            .mixture
            .iter()
            .map(|m| format!("{} {}", fmt::count(m.count as i64), m.value))
            .collect();
        view! { <p><Chip tone=Tone::Warn>"Mixed"</Chip>" "{kinds.join(", ")}</p> }
    });
    let missing_as =
        (c.missing_as.len() > 1 || c.missing_as.iter().any(|m| !m.value.is_empty())).then(|| {
            let ways: Vec<_> = c
                .missing_as
                .iter()
                .map(|m| {
                    format!(
                        "{} {}",
                        if m.value.is_empty() { "empty" } else { &m.value },
                        fmt::count(m.count as i64)
                    )
                })
                .collect();
            view! { <p class="muted">"Missing is written as: "{ways.join(", ")}</p> }
        });
    view! {
        <div class="pcol__left">
            {mixture}
            {c.number.as_ref().filter(|_| is_number(c)).map(|n| numbers(n, &c.name))}
            {c.time.as_ref().map(|t| times(t, &c.name))}
            {c.text.as_ref().map(|t| texts(t, &c.name))}
            {c.lengths.as_ref().map(|l| numbers(l, "lengths"))}
            {missing_as}
        </div>
        <div class="pcol__right">{top(c, rows)}</div>
    }
}

pub fn histogram(h: &Histogram, label: &str, edge: impl Fn(f64) -> String) -> AnyView {
    let edges = h.edges.iter().map(|e| edge(*e)).collect::<Vec<_>>();
    view! { <Plot label=label.to_owned() counts=h.counts.clone() edges/> }.into_any()
}

fn numbers(n: &NumberProfile, name: &str) -> impl IntoView {
    let show = |x: Option<f64>| x.map_or_else(|| "none".to_owned(), fmt::figure);
    let mut all = vec![
        ("Min", show(n.min)),
        ("Max", show(n.max)),
        ("Range", show(n.range)),
        ("Mean", show(n.mean)),
        ("Std", show(n.std)),
        ("Variance", show(n.variance)),
        ("Mean deviation", show(n.mean_deviation)),
        ("Sum", show(n.sum)),
        ("Skewness", show(n.skewness)),
        ("Kurtosis", show(n.kurtosis)),
    ];
    if let Some(m) = n.mode {
        all.push(("Mode", fmt::figure(m.value)));
    }
    if let Some(q) = n.quantiles {
        all.extend(q.named().map(|(name, x)| (name, fmt::figure(x))));
    }
    all.extend([
        ("Zeros", fmt::count(n.zeros as i64)),
        ("Negative", fmt::count(n.negatives as i64)),
        ("Outliers", fmt::count(n.outliers as i64)),
    ]);
    if n.positive_infinities + n.negative_infinities > 0 {
        all.push((
            "Infinite",
            fmt::count((n.positive_infinities + n.negative_infinities) as i64),
        ));
    }
    let strip = n.quantiles.zip(n.min).zip(n.max).map(|((q, min), max)| {
        view! { <QuantileStrip min max p5=q.p5 q1=q.q1 median=q.median q3=q.q3 p95=q.p95/> }
    });
    view! {
        {n.histogram.as_ref().map(|h| histogram(h, &format!("Histogram of {name}"), fmt::figure))}
        {strip}
        {figures(all)}
        {exactness(n.rank_error)}
    }
}

fn exactness(rank_error: f64) -> Option<impl IntoView> {
    (rank_error > 0.0).then(|| {
        view! {
            <p class="muted">
                {format!("Quantiles and histogram are sketched: a rank may be off by {:.2} % of the values. Everything else is exact.", rank_error * 100.0)}
            </p>
        }
    })
}

fn at(micros: i64) -> String {
    Timestamp(micros).date_time()
}

fn times(t: &TimeProfile, name: &str) -> impl IntoView {
    let span = |micros: i64| fmt::span((micros / 1_000_000).max(1));
    let mut all = vec![
        ("First", at(t.min)),
        ("Last", at(t.max)),
        ("Mean", at(t.mean)),
        ("Median", at(t.median)),
    ];
    if let Some(g) = t.gap {
        let about = if g.within > 0 { "about " } else { "" };
        all.push((
            "Longest gap",
            format!("{about}{}, from {}", span(g.to - g.from), at(g.from)),
        ));
    }
    if let Some(c) = t.cadence {
        all.push((
            "Usual step",
            format!("{} ({:.0} %)", span(c.step), c.share * 100.0),
        ));
    }
    for (name, n) in [
        ("In UTC", t.utc),
        ("With an offset", t.offset),
        ("Without a zone", t.naive),
    ] {
        if n > 0 {
            all.push((name, fmt::count(n as i64)));
        }
    }
    view! {
        {t.histogram.as_ref().map(|h| histogram(h, &format!("Histogram of {name}"), |s| at((s * 1e6) as i64)))}
        {figures(all)}
        {exactness(t.rank_error)}
    }
}

fn texts(t: &TextColumn, name: &str) -> impl IntoView {
    let l = &t.lengths;
    let show = |x: Option<f64>| x.map_or_else(|| "none".to_owned(), fmt::figure);
    let mut all = vec![
        ("Shortest", show(l.min)),
        ("Longest", show(l.max)),
        ("Mean length", show(l.mean)),
        ("Median length", show(l.quantiles.map(|q| q.median))),
    ];
    if let Some(e) = t.entropy {
        all.push(("Entropy, bits", fmt::figure(e)));
    }
    let formats = t
        .formats
        .iter()
        .map(|f| view! { <li>{fmt::count(f.count as i64)}" look like: "{f.value.clone()}</li> })
        .collect_view();
    let characters: Vec<(String, u64, Option<String>)> = t
        .characters
        .named()
        .into_iter()
        .filter(|(_, n)| *n > 0)
        .map(|(c, n)| (c.to_owned(), n, None))
        .collect();
    view! {
        {l.histogram.as_ref().map(|h| histogram(h, &format!("Lengths of {name}"), fmt::figure))}
        {figures(all)}
        <ul class="profile-list">{formats}</ul>
        <h4 class="profile-sub">"Characters"</h4>
        <Bars label="Characters by class" rows=characters/>
        <h4 class="profile-sub">"Shapes of the values"</h4>
        <Bars label="Shapes" rows=rows_of(&t.patterns.values)/>
    }
}

fn rows_of(values: &[TopValue]) -> Vec<(String, u64, Option<String>)> {
    values.iter().map(|t| (t.value.clone(), t.count, None)).collect()
}

fn top(c: &ColumnProfile, rows: u64) -> Option<impl IntoView> {
    (!c.top.values.is_empty() && !matches!(c.kind, ColumnKind::List | ColumnKind::Other)).then(|| {
        let rest = (c.top.low_by > 0).then(|| {
            view! { <p class="muted">{format!("Counts may be low by up to {}.", fmt::count(c.top.low_by as i64))}</p> }
        });
        view! {
            <h4 class="profile-sub">{if c.top.all { "All values" } else { "Most frequent values" }}</h4>
            <Bars label=format!("Values of {}", c.name) rows=rows_of(&c.top.values) total=Some(rows)/>
            {rest}
        }
    })
}
