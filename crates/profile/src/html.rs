//! The profile as one page that needs nothing else: no scripts, no fonts, no network. Every value from the data is escaped.

mod chart;
mod column;
mod media;

use crate::show::{bytes, count, number};
use limn_domain::profile::*;
use std::fmt::Write as _;

const STYLE: &str = include_str!("html/style.css");

/// Text in markup.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push('\u{fffd}'),
            c if c.is_control() => out.push('\u{b7}'),
            c => out.push(c),
        }
    }
    out
}

/// The whole page.
pub fn report(title: &str, profile: &DatasetProfile) -> String {
    let mut out = String::new();
    let title = escaped(title);
    // Writing to a string does not fail.
    let _ = write!(
        out,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\
         <title>Profile of {title}</title><style>{STYLE}</style></head><body><main><header><h1>{title}</h1><p>{}</p></header>",
        escaped(&scope(profile))
    );
    findings(&mut out, "Files", &profile.findings);
    for t in &profile.tables {
        table(&mut out, t, profile.tables.len() > 1);
    }
    if let Some(images) = &profile.images {
        media::images(&mut out, images);
    }
    if let Some(texts) = &profile.texts {
        media::texts(&mut out, texts);
    }
    out.push_str("<footer>Made by Limn.</footer></main></body></html>\n");
    out
}

/// What was looked at, in words: never a part of it.
pub fn scope(profile: &DatasetProfile) -> String {
    let files = match profile.files {
        1 => "1 file".to_owned(),
        n => format!("{} files", count(n)),
    };
    let mut parts = Vec::new();
    let rows: u64 = profile.tables.iter().map(|t| t.profile.rows).sum();
    if !profile.tables.is_empty() {
        parts.push(format!("{} rows", count(rows)));
    }
    if let Some(i) = &profile.images {
        parts.push(format!("{} images", count(i.images)));
    }
    if let Some(t) = &profile.texts {
        parts.push(format!("{} documents", count(t.documents)));
    }
    if parts.is_empty() {
        return format!("{files}, {}", bytes(profile.bytes));
    }
    format!(
        "{files}, {}. Computed on 100 % of {}.",
        bytes(profile.bytes),
        parts.join(", ")
    )
}

/// A figure with its name below it.
pub(crate) fn figures(out: &mut String, all: &[(&str, String)]) {
    out.push_str("<dl class=\"figures\">");
    for (name, value) in all {
        let _ = write!(
            out,
            "<div><dt>{}</dt><dd>{}</dd></div>",
            escaped(name),
            escaped(value)
        );
    }
    out.push_str("</dl>");
}

fn table(out: &mut String, t: &NamedTable, named: bool) {
    let p = &t.profile;
    out.push_str("<section>");
    let _ = write!(
        out,
        "<h2>{}</h2>",
        if named {
            escaped(&t.name)
        } else {
            "Table".to_owned()
        }
    );
    let cells = p.rows * p.columns.len() as u64;
    let duplicates = format!(
        "{}{}",
        if p.duplicates.exact { "" } else { "about " },
        count(p.duplicates.rows)
    );
    figures(
        out,
        &[
            ("rows", count(p.rows)),
            ("columns", count(p.columns.len() as u64 + p.columns_left_out)),
            (
                "missing cells",
                format!(
                    "{} ({})",
                    count(p.missing.cells),
                    crate::alerts::percent(p.missing.cells, cells)
                ),
            ),
            ("duplicate rows", duplicates),
            ("complete rows", count(p.missing.complete_rows)),
            ("size", bytes(p.bytes)),
        ],
    );
    if !p.alerts.is_empty() {
        out.push_str("<h3>Alerts</h3><ul class=\"alerts\">");
        for a in &p.alerts {
            let class = if a.level == AlertLevel::Warning {
                "warn"
            } else {
                "note"
            };
            let columns: Vec<String> = a
                .columns
                .iter()
                .map(|c| format!("<code>{}</code>", escaped(c)))
                .collect();
            let _ = write!(
                out,
                "<li class=\"{class}\">{} {}</li>",
                columns.join(", "),
                escaped(&a.message)
            );
        }
        out.push_str("</ul>");
    }
    out.push_str("<h3>Columns</h3>");
    for c in &p.columns {
        column::column(out, c, p.rows);
    }
    missing(out, p);
    correlations(out, p);
    head(out, p);
    findings(out, "Findings", &p.findings);
    out.push_str("</section>");
}

fn missing(out: &mut String, p: &TableProfile) {
    if p.missing.patterns.is_empty() {
        return;
    }
    out.push_str("<h3>Missing together</h3><table><thead><tr><th>Rows</th><th>Columns without a value</th></tr></thead><tbody>");
    for m in &p.missing.patterns {
        let columns: Vec<String> = m
            .columns
            .iter()
            .take(30)
            .map(|c| format!("<code>{}</code>", escaped(c)))
            .collect();
        let more = m.columns.len().saturating_sub(30);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let _ = write!(
            out,
            "<tr><td class=\"n\">{}</td><td>{}{more}</td></tr>",
            count(m.rows),
            columns.join(" ")
        );
    }
    if p.missing.other_rows > 0 {
        let _ = write!(
            out,
            "<tr><td class=\"n\">{}</td><td>other patterns</td></tr>",
            count(p.missing.other_rows)
        );
    }
    out.push_str("</tbody></table>");
}

fn correlations(out: &mut String, p: &TableProfile) {
    let Some(c) = &p.correlations else {
        return;
    };
    let _ = write!(
        out,
        "<h3>Correlations</h3><p class=\"muted\">Over {} rows drawn evenly.</p><div class=\"pair\">",
        count(c.n)
    );
    for (name, m) in [("Pearson", &c.pearson), ("Spearman", &c.spearman)] {
        let _ = write!(
            out,
            "<figure><figcaption>{name}</figcaption>{}</figure>",
            chart::matrix(name, &c.columns, m)
        );
    }
    out.push_str("</div>");
}

fn head(out: &mut String, p: &TableProfile) {
    if p.head.is_empty() {
        return;
    }
    out.push_str("<details><summary>First rows</summary><div class=\"wide\"><table><thead><tr>");
    for c in p.columns.iter().take(60) {
        let _ = write!(out, "<th>{}</th>", escaped(&c.name));
    }
    out.push_str("</tr></thead><tbody>");
    for row in p.head.iter().take(20) {
        out.push_str("<tr>");
        for cell in row.iter().take(60) {
            match cell {
                Some(text) => {
                    let _ = write!(out, "<td>{}</td>", escaped(text));
                }
                None => out.push_str("<td class=\"none\">missing</td>"),
            }
        }
        out.push_str("</tr>");
    }
    out.push_str("</tbody></table></div></details>");
}

fn findings(out: &mut String, title: &str, all: &Findings) {
    if all.total == 0 {
        return;
    }
    let _ = write!(
        out,
        "<details open><summary>{title}: {} places that could not be read as they are</summary><table><tbody>",
        count(all.total)
    );
    for f in &all.items {
        let line = if f.line > 0 {
            format!("line {}", count(f.line))
        } else {
            String::new()
        };
        let _ = write!(
            out,
            "<tr><td>{}</td><td>{}</td><td class=\"n\">{line}</td><td>{}</td></tr>",
            f.kind.label(),
            escaped(&f.file),
            escaped(&f.message)
        );
    }
    out.push_str("</tbody></table></details>");
}

/// The figures of numbers, as a list.
pub(crate) fn number_figures(n: &NumberProfile) -> Vec<(&'static str, String)> {
    let show = |x: Option<f64>| x.map_or_else(|| "none".to_owned(), number);
    let mut all = vec![
        ("min", show(n.min)),
        ("max", show(n.max)),
        ("mean", show(n.mean)),
        ("std", show(n.std)),
        ("variance", show(n.variance)),
        ("mean deviation", show(n.mean_deviation)),
        ("range", show(n.range)),
        ("sum", show(n.sum)),
        ("skewness", show(n.skewness)),
        ("kurtosis", show(n.kurtosis)),
    ];
    if let Some(m) = n.mode {
        all.push(("mode", format!("{} ({}x)", number(m.value), count(m.count))));
    }
    if let Some(q) = n.quantiles {
        all.extend(q.named().map(|(name, x)| (name, number(x))));
    }
    all.push(("zeros", count(n.zeros)));
    all.push(("negative", count(n.negatives)));
    all.push(("outliers", count(n.outliers)));
    let infinite = n.positive_infinities + n.negative_infinities;
    if infinite > 0 {
        all.push(("infinite", count(infinite)));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_become_markup() {
        assert_eq!(
            escaped("<b onclick='x'>&\"\u{202e}\u{1}"),
            "&lt;b onclick=&#39;x&#39;&gt;&amp;&quot;\u{fffd}\u{b7}"
        );
    }
}
