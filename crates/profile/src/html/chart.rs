//! Charts as SVG, with their numbers as titles and a text for those who cannot see them.

use super::escaped;
use crate::show::{count, number};
use limn_domain::profile::{HeatMap, Histogram, TopValue};
use std::fmt::Write as _;

/// Bars over a line, with the first and the last edge below.
pub fn histogram(name: &str, h: &Histogram, edge: impl Fn(f64) -> String) -> String {
    const W: f64 = 320.0;
    const H: f64 = 84.0;
    let most = h.counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let step = W / h.counts.len().max(1) as f64;
    let mut out = format!(
        "<svg viewBox=\"0 0 {W} {}\" role=\"img\" aria-label=\"Histogram of {}\">",
        H + 14.0,
        escaped(name)
    );
    for (i, n) in h.counts.iter().enumerate() {
        let height = if *n == 0 {
            0.0
        } else {
            (*n as f64 / most * H).max(1.0)
        };
        let (from, to) = (
            h.edges.get(i).copied().unwrap_or_default(),
            h.edges.get(i + 1).copied().unwrap_or_default(),
        );
        let _ = write!(
            out,
            "<rect class=\"bar\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\"><title>{} to {}: {}</title></rect>",
            i as f64 * step + 1.0,
            H - height,
            (step - 2.0).max(1.0),
            escaped(&edge(from)),
            escaped(&edge(to)),
            count(*n)
        );
    }
    let first = h.edges.first().map(|e| edge(*e)).unwrap_or_default();
    let last = h.edges.last().map(|e| edge(*e)).unwrap_or_default();
    let _ = write!(
        out,
        "<line class=\"axis\" x1=\"0\" x2=\"{W}\" y1=\"{H}\" y2=\"{H}\"/><text x=\"0\" y=\"{y}\">{}</text><text x=\"{W}\" y=\"{y}\" text-anchor=\"end\">{}</text></svg>",
        escaped(&first),
        escaped(&last),
        y = H + 11.0
    );
    out
}

/// Values with bars as long as they are frequent.
pub fn bars(values: &[TopValue], shown: usize) -> String {
    let most = values.iter().map(|v| v.count).max().unwrap_or(0).max(1) as f64;
    let mut out = String::from("<div class=\"bars\">");
    for v in values.iter().take(shown) {
        let text = if v.value.is_empty() {
            "(empty)".to_owned()
        } else {
            escaped(&v.value)
        };
        let _ = write!(
            out,
            "<span title=\"{text}\">{text}</span><i style=\"width:{:.1}%\"></i><b>{}</b>",
            v.count as f64 / most * 100.0,
            count(v.count)
        );
    }
    out.push_str("</div>");
    out
}

/// Coefficients from -1 to 1: blue with, red against.
pub fn matrix(name: &str, names: &[String], values: &[Vec<Option<f64>>]) -> String {
    let n = names.len() as f64;
    let (cell, left, top) = (22.0, 90.0, 4.0);
    let (w, h) = (left + n * cell, top + n * cell);
    let mut out = format!(
        "<svg viewBox=\"0 0 {w} {h}\" style=\"max-width:{w}px\" role=\"img\" aria-label=\"{name} correlation of {} columns\">",
        names.len()
    );
    for (i, row) in values.iter().enumerate() {
        let label = names.get(i).map(|n| short(n, 16)).unwrap_or_default();
        let y = top + i as f64 * cell;
        let _ = write!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            left - 6.0,
            y + 14.0,
            escaped(&label)
        );
        for (j, r) in row.iter().enumerate() {
            let (fill, opacity, text) = match r {
                Some(r) if *r < 0.0 => ("var(--bad)", -r, format!("{r:.3}")),
                Some(r) => ("var(--accent)", *r, format!("{r:.3}")),
                None => ("var(--line)", 0.5, "none".to_owned()),
            };
            let _ = write!(
                out,
                "<rect x=\"{:.0}\" y=\"{y:.0}\" width=\"20\" height=\"20\" rx=\"3\" fill=\"{fill}\" fill-opacity=\"{:.2}\"><title>{} and {}: {text}</title></rect>",
                left + j as f64 * cell,
                opacity.max(0.04),
                escaped(names.get(i).map_or("", |n| n)),
                escaped(names.get(j).map_or("", |n| n)),
            );
        }
    }
    out.push_str("</svg>");
    out
}

/// A grid over the image.
pub fn heat(map: &HeatMap) -> String {
    let side = map.side.max(1);
    let most = map.counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let mut out = format!(
        "<svg viewBox=\"0 0 {0} {0}\" style=\"max-width:280px\" role=\"img\" aria-label=\"Where the centres of objects lie\"><rect width=\"{0}\" height=\"{0}\" fill=\"var(--soft)\"/>",
        side * 10
    );
    for (at, n) in map.counts.iter().enumerate().filter(|(_, n)| **n > 0) {
        let (x, y) = (at as u32 % side * 10, at as u32 / side * 10);
        let _ = write!(
            out,
            "<rect x=\"{x}\" y=\"{y}\" width=\"10\" height=\"10\" fill=\"var(--accent)\" fill-opacity=\"{:.2}\"><title>{}</title></rect>",
            (*n as f64 / most).sqrt().max(0.08),
            count(*n)
        );
    }
    out.push_str("</svg>");
    out
}

pub fn edge(x: f64) -> String {
    number(x)
}

fn short(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((at, _)) => format!("{}\u{2026}", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
