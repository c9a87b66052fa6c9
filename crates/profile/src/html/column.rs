//! One column of a table.

use super::{chart, escaped, figures, number_figures};
use crate::alerts::percent;
use crate::show::{count, number, span};
use crate::when;
use limn_domain::profile::{ColumnKind, ColumnProfile, TimeProfile};
use std::fmt::Write as _;

/// Its card: figures at the left, a chart at the right.
pub fn column(out: &mut String, c: &ColumnProfile, rows: u64) {
    let about = if c.unique.is_exact() {
        String::new()
    } else {
        format!(" (± {:.1} %)", c.unique.error * 100.0)
    };
    let _ = write!(
        out,
        "<article class=\"column\"><div><h4>{}<small>{}</small></h4><p>{} values, {} missing ({}), {}{} distinct{about}</p>",
        escaped(&c.name),
        c.kind.label(),
        count(c.count),
        count(c.missing),
        percent(c.missing, rows),
        if c.unique.is_exact() { "" } else { "about " },
        count(c.unique.value)
    );
    if !c.mixture.is_empty() {
        let kinds: Vec<_> = c
            .mixture
            .iter()
            .map(|m| format!("{} {}", count(m.count), m.value))
            .collect();
        let _ = write!(out, "<p>Mixed: {}.</p>", escaped(&kinds.join(", ")));
    }
    let is_number = matches!(c.kind, ColumnKind::Integer | ColumnKind::Float);
    if let Some(n) = c.number.as_ref().filter(|_| is_number) {
        figures(out, &number_figures(n));
        exactness(out, n.rank_error);
    }
    if let Some(t) = &c.time {
        figures(out, &time_figures(t));
        exactness(out, t.rank_error);
    }
    if let Some(t) = &c.text {
        let l = &t.lengths;
        let show = |x: Option<f64>| x.map_or_else(|| "none".to_owned(), number);
        let mut all = vec![
            ("shortest", show(l.min)),
            ("longest", show(l.max)),
            ("mean length", show(l.mean)),
            ("median length", show(l.quantiles.map(|q| q.median))),
        ];
        if let Some(e) = t.entropy {
            all.push(("entropy, bits", number(e)));
        }
        for (name, n) in t.characters.named().iter().filter(|(_, n)| *n > 0) {
            all.push((name, count(*n)));
        }
        figures(out, &all);
        for f in &t.formats {
            let _ = write!(out, "<p>{} look like: {}</p>", count(f.count), escaped(&f.value));
        }
        if !t.patterns.values.is_empty() {
            out.push_str("<details><summary>Shapes of the values</summary>");
            out.push_str(&chart::bars(&t.patterns.values, 12));
            out.push_str("</details>");
        }
    }
    if let Some(l) = &c.lengths {
        figures(out, &number_figures(l));
    }
    out.push_str("</div><div>");
    let histogram = match (&c.number, &c.time, &c.lengths) {
        (Some(n), _, _) if is_number => n
            .histogram
            .as_ref()
            .map(|h| chart::histogram(&c.name, h, chart::edge)),
        (_, Some(t), _) => t
            .histogram
            .as_ref()
            .map(|h| chart::histogram(&c.name, h, |x| when::written((x * 1e6).round() as i64))),
        (_, _, Some(l)) => l
            .histogram
            .as_ref()
            .map(|h| chart::histogram(&c.name, h, chart::edge)),
        _ => None,
    };
    let has_chart = histogram.is_some();
    out.push_str(&histogram.unwrap_or_default());
    if !c.top.values.is_empty() && c.kind != ColumnKind::List {
        if has_chart {
            out.push_str("<details><summary>Most frequent values</summary>");
        }
        out.push_str(&chart::bars(&c.top.values, if has_chart { 10 } else { 12 }));
        if c.top.low_by > 0 {
            let _ = write!(out, "<p>Counts may be low by up to {}.</p>", count(c.top.low_by));
        }
        if has_chart {
            out.push_str("</details>");
        }
    }
    out.push_str("</div></article>");
}

fn exactness(out: &mut String, rank_error: f64) {
    if rank_error > 0.0 {
        let _ = write!(
            out,
            "<p>Quantiles and histogram are sketched: a rank may be off by {:.2} % of the values. All other figures are exact.</p>",
            rank_error * 100.0
        );
    }
}

pub fn time_figures(t: &TimeProfile) -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("first", second(t.min)),
        ("last", second(t.max)),
        ("mean", second(t.mean)),
        ("median", second(t.median)),
    ];
    if let Some(g) = t.gap {
        let about = if g.within > 0 {
            format!(" (± {})", span(g.within))
        } else {
            String::new()
        };
        all.push((
            "longest gap",
            format!("{}{about}, from {}", span(g.to - g.from), second(g.from)),
        ));
    }
    if let Some(c) = t.cadence {
        all.push((
            "usual step",
            format!("{} ({:.0} %)", span(c.step), c.share * 100.0),
        ));
    }
    for (name, n) in [
        ("in UTC", t.utc),
        ("with an offset", t.offset),
        ("without a zone", t.naive),
    ] {
        if n > 0 {
            all.push((name, count(n)));
        }
    }
    all
}

/// To the second.
fn second(micros: i64) -> String {
    when::written(micros.div_euclid(1_000_000) * 1_000_000)
}
