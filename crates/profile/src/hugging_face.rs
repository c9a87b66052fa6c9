//! The profile of a table in the shape of Hugging Face's `/statistics`
//! (huggingface/dataset-viewer, services/worker/src/worker/statistics_utils.py). Always of all rows: `partial` is false.

use crate::finish::{LABELS, LABELS_ANYWAY};
use crate::when;
use limn_domain::profile::{ColumnKind, ColumnProfile, NumberProfile, TableProfile, TimeProfile};
use serde_json::{Map, Value, json};

/// `{"num_examples": ..., "statistics": [...], "partial": false}`.
pub fn statistics(table: &TableProfile) -> Value {
    let columns = table.columns.iter().filter_map(|c| column(c, table.rows));
    json!({
        "num_examples": table.rows,
        "statistics": columns.collect::<Vec<_>>(),
        "partial": false,
    })
}

/// Columns of types that Hugging Face has no statistics for are left out, as there.
fn column(c: &ColumnProfile, rows: u64) -> Option<Value> {
    let (kind, figures) = match c.kind {
        ColumnKind::Integer => ("int", numbers(c.number.as_ref()?, c.missing, rows, true)),
        ColumnKind::Float => ("float", numbers(c.number.as_ref()?, c.missing, rows, false)),
        ColumnKind::Bool => ("bool", bools(c, rows)),
        ColumnKind::Datetime => ("datetime", times(c.time.as_ref()?, c.missing, rows)),
        ColumnKind::List => ("list", numbers(c.lengths.as_ref()?, c.missing, rows, true)),
        ColumnKind::Empty => ("float", nothing(rows)),
        ColumnKind::Category | ColumnKind::Text if is_label(c, rows) => ("string_label", labels(c, rows)),
        ColumnKind::Category | ColumnKind::Text => {
            ("string_text", lengths(&c.text.as_ref()?.lengths, c.missing, rows))
        }
        ColumnKind::Other => return None,
    };
    Some(json!({"column_name": c.name, "column_type": kind, "column_statistics": figures}))
}

/// Missing counts as one of the values here, as there.
fn is_label(c: &ColumnProfile, rows: u64) -> bool {
    let unique = c.unique.value + u64::from(c.missing > 0);
    c.top.all && ((unique as f64 / rows.max(1) as f64 <= 0.2 && unique <= LABELS) || unique <= LABELS_ANYWAY)
}

fn rounded(x: f64) -> f64 {
    let scaled = (x * 1e5).round_ties_even() / 1e5;
    if scaled.is_finite() { scaled } else { x }
}

fn share(n: u64, rows: u64) -> f64 {
    if n == 0 {
        0.0
    } else {
        rounded(n as f64 / rows.max(1) as f64)
    }
}

fn nothing(rows: u64) -> Value {
    json!({
        "nan_count": rows, "nan_proportion": 1.0, "min": null, "max": null, "mean": null, "median": null, "std": null,
        "histogram": null,
    })
}

/// A JSON integer where the figures are whole.
fn figure(x: f64, whole: bool) -> Value {
    if whole && x.abs() < 9.0e15 {
        json!(x as i64)
    } else {
        json!(rounded(x))
    }
}

fn numbers(n: &NumberProfile, missing: u64, rows: u64, whole: bool) -> Value {
    let Some(histogram) = &n.histogram else {
        return nothing(rows);
    };
    json!({
        "nan_count": missing,
        "nan_proportion": share(missing, rows),
        "min": n.min.map(|x| figure(x, whole)),
        "max": n.max.map(|x| figure(x, whole)),
        "mean": n.mean.map(rounded),
        "median": n.quantiles.map(|q| rounded(q.median)),
        "std": n.std.map(rounded),
        "histogram": {
            "hist": histogram.counts,
            "bin_edges": histogram.edges.iter().map(|e| figure(*e, whole)).collect::<Vec<_>>(),
        },
    })
}

fn lengths(n: &NumberProfile, missing: u64, rows: u64) -> Value {
    numbers(n, missing, rows, true)
}

fn labels(c: &ColumnProfile, rows: u64) -> Value {
    let frequencies: Map<String, Value> = c
        .top
        .values
        .iter()
        .map(|t| (t.value.clone(), json!(t.count)))
        .collect();
    json!({
        "nan_count": c.missing,
        "nan_proportion": share(c.missing, rows),
        "no_label_count": 0,
        "no_label_proportion": 0.0,
        "n_unique": frequencies.len(),
        "frequencies": frequencies,
    })
}

fn bools(c: &ColumnProfile, rows: u64) -> Value {
    let name = |v: &str| if v == "true" { "True" } else { "False" }.to_owned();
    let frequencies: Map<String, Value> = c
        .top
        .values
        .iter()
        .map(|t| (name(&t.value), json!(t.count)))
        .collect();
    json!({"nan_count": c.missing, "nan_proportion": share(c.missing, rows), "frequencies": frequencies})
}

fn times(t: &TimeProfile, missing: u64, rows: u64) -> Value {
    let edges = |h: &limn_domain::profile::Histogram| {
        let written = h
            .edges
            .iter()
            .map(|s| when::written_in_full((s * 1e6).round() as i64));
        json!({"hist": h.counts, "bin_edges": written.collect::<Vec<_>>()})
    };
    json!({
        "nan_count": missing,
        "nan_proportion": share(missing, rows),
        "min": when::written_in_full(t.min),
        "max": when::written_in_full(t.max),
        "mean": when::written_in_full(t.mean),
        "median": when::written_in_full(t.median),
        "std": t.std.map(timedelta),
        "histogram": t.histogram.as_ref().map(edges),
    })
}

/// As Python writes a `timedelta`: `1 day, 2:03:04.500000`.
fn timedelta(seconds: f64) -> String {
    let micros = (rounded(seconds) * 1e6).round() as i64;
    let (days, rest) = (
        micros.div_euclid(86_400_000_000),
        micros.rem_euclid(86_400_000_000),
    );
    let (seconds, fraction) = (rest / 1_000_000, rest % 1_000_000);
    let days = match days {
        0 => String::new(),
        1 => "1 day, ".to_owned(),
        n => format!("{n} days, "),
    };
    let fraction = if fraction == 0 {
        String::new()
    } else {
        format!(".{fraction:06}")
    };
    format!(
        "{days}{}:{:02}:{:02}{fraction}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_as_python_does() {
        assert_eq!(timedelta(93_784.5), "1 day, 2:03:04.500000");
        assert_eq!(timedelta(0.0), "0:00:00");
        assert_eq!(timedelta(200_000.0), "2 days, 7:33:20");
    }
}
