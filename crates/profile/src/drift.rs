//! How two states of a table, or two sets of images, differ.

use crate::chance::{chi_squared, kolmogorov};
use crate::column::Column;
use crate::figures::quantiles;
use crate::table::TableState;
use crate::value::{self, Meaning, Value, meaning};
use limn_domain::profile::*;
use std::collections::BTreeMap;

/// A share of nothing counts as much, so that logarithms stay finite.
const FLOOR: f64 = 1e-4;
/// Changed shares listed of a feature.
const LISTED: usize = 8;
/// Categories compared one by one.
const CATEGORIES: usize = 1000;

/// Compares tables, column by column.
pub fn table_drift(before: &TableState, after: &TableState) -> Drift {
    let (profile_before, profile_after) = (before.profile(), after.profile());
    let mut drift = Drift {
        rows_before: before.rows,
        rows_after: after.rows,
        ..Drift::default()
    };
    for (b, state_b) in profile_before.columns.iter().zip(&before.columns) {
        let Some(at) = after.names.iter().position(|n| *n == b.name) else {
            drift.removed.push(b.name.clone());
            continue;
        };
        if let (Some(a), Some(state_a)) = (profile_after.columns.get(at), after.columns.get(at)) {
            drift
                .features
                .push(column_drift(b, state_b, before.rows, a, state_a, after.rows));
        }
    }
    let is_new = |n: &&String| !before.names.contains(n);
    drift.added = after.names.iter().filter(is_new).cloned().collect();
    sort(&mut drift);
    drift
}

/// Compares figures of images or documents by name, and objects by category.
pub fn series_drift(before: &[(&str, Vec<f64>)], after: &[(&str, Vec<f64>)]) -> Vec<FeatureDrift> {
    before
        .iter()
        .filter_map(|(name, b)| {
            let (_, a) = after.iter().find(|(n, _)| n == name)?;
            let mut feature = blank(name);
            let (b, a) = (points(b), points(a));
            if b.is_empty() || a.is_empty() {
                return None;
            }
            let mean = |p: &[(f64, u64)]| p.iter().map(|(x, n)| x * *n as f64).sum::<f64>() / total(p);
            (feature.mean_before, feature.mean_after) = (Some(mean(&b)), Some(mean(&a)));
            of_numbers(&mut feature, &b, &a);
            feature.level = level(&feature);
            Some(feature)
        })
        .collect()
}

/// Compares how often each category occurs.
pub fn category_drift(
    name: &str,
    before: &BTreeMap<String, u64>,
    after: &BTreeMap<String, u64>,
) -> FeatureDrift {
    let mut feature = blank(name);
    of_categories(&mut feature, before, after);
    feature.level = level(&feature);
    feature
}

/// The most different first.
pub fn sort(drift: &mut Drift) {
    let weight = |f: &FeatureDrift| f.psi.unwrap_or_default().max(f.ks.map_or(0.0, |k| k.statistic));
    drift.features.sort_by(|a, b| {
        b.level
            .cmp(&a.level)
            .then_with(|| weight(b).total_cmp(&weight(a)))
    });
}

fn blank(name: &str) -> FeatureDrift {
    FeatureDrift {
        name: name.to_owned(),
        level: DriftLevel::Stable,
        psi: None,
        ks: None,
        chi_squared: None,
        missing_before: 0.0,
        missing_after: 0.0,
        mean_before: None,
        mean_after: None,
        shares: Vec::new(),
        note: None,
    }
}

fn column_drift(
    b: &ColumnProfile,
    state_b: &Column,
    rows_b: u64,
    a: &ColumnProfile,
    state_a: &Column,
    rows_a: u64,
) -> FeatureDrift {
    let mut feature = blank(&b.name);
    feature.missing_before = b.missing as f64 / rows_b.max(1) as f64;
    feature.missing_after = a.missing as f64 / rows_a.max(1) as f64;
    let is_number = |c: &ColumnProfile| matches!(c.kind, ColumnKind::Integer | ColumnKind::Float);
    let is_text = |c: &ColumnProfile| matches!(c.kind, ColumnKind::Category | ColumnKind::Text);
    if is_number(b) && is_number(a) {
        feature.mean_before = b.number.as_ref().and_then(|n| n.mean);
        feature.mean_after = a.number.as_ref().and_then(|n| n.mean);
        of_numbers(&mut feature, &numbers_of(state_b), &numbers_of(state_a));
    } else if b.kind == ColumnKind::Datetime && a.kind == ColumnKind::Datetime {
        of_numbers(&mut feature, &times_of(state_b), &times_of(state_a));
    } else if (b.kind == a.kind && b.kind == ColumnKind::Bool) || (is_text(b) && is_text(a)) {
        if b.top.all && a.top.all {
            of_categories(&mut feature, &counts(&b.top), &counts(&a.top));
        } else if let (Some(tb), Some(ta)) = (&b.text, &a.text) {
            feature.mean_before = tb.lengths.mean;
            feature.mean_after = ta.lengths.mean;
            feature.note = Some("compared by the lengths of the texts".to_owned());
            of_numbers(&mut feature, &lengths_of(state_b), &lengths_of(state_a));
        }
    } else if b.kind != a.kind && b.kind != ColumnKind::Empty && a.kind != ColumnKind::Empty {
        feature.note = Some(format!("was {}, is {}", b.kind.label(), a.kind.label()));
        feature.level = DriftLevel::Strong;
        return feature;
    }
    feature.level = level(&feature);
    let missing = (feature.missing_after - feature.missing_before).abs();
    if missing > 0.2 {
        feature.level = DriftLevel::Strong;
    } else if missing > 0.05 {
        feature.level = feature.level.max(DriftLevel::Some);
    }
    feature
}

/// Differences that may be chance are none.
fn level(f: &FeatureDrift) -> DriftLevel {
    let p = f.ks.or(f.chi_squared).map_or(0.0, |t| t.p_value);
    if p > 0.01 {
        return DriftLevel::Stable;
    }
    let psi = f.psi.unwrap_or_default();
    let distance = f.ks.map_or(0.0, |k| k.statistic);
    if psi > 0.25 || distance > 0.2 {
        DriftLevel::Strong
    } else if psi > 0.1 || distance > 0.1 {
        DriftLevel::Some
    } else {
        DriftLevel::Stable
    }
}

fn counts(top: &TopValues) -> BTreeMap<String, u64> {
    top.values
        .iter()
        .take(CATEGORIES)
        .map(|t| (t.value.clone(), t.count))
        .collect()
}

fn total(points: &[(f64, u64)]) -> f64 {
    points.iter().map(|(_, n)| *n as f64).sum()
}

/// Ascending, equals together.
fn points(values: &[f64]) -> Vec<(f64, u64)> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
        .chunk_by(|a, b| a == b)
        .filter_map(|run| run.first().map(|x| (*x, run.len() as u64)))
        .collect()
}

fn numbers_of(column: &Column) -> Vec<(f64, u64)> {
    if let Some(stream) = &column.many {
        return stream.numbers.kll.weighted();
    }
    from_few(column, |v| match v {
        Value::Int(i) => Some(*i as f64),
        Value::Float(x) => Some(*x),
        Value::Raw(s) => match meaning(s) {
            Meaning::Int(i) => Some(i as f64),
            Meaning::Float(x) => Some(x),
            _ => None,
        },
        _ => None,
    })
}

fn times_of(column: &Column) -> Vec<(f64, u64)> {
    if let Some(stream) = &column.many {
        return stream.times.kll.weighted();
    }
    from_few(column, |v| match v.as_cell() {
        value::Cell::Time(t) => Some(t.micros as f64),
        value::Cell::Raw(s) | value::Cell::Str(s) => {
            crate::when::parse(s.as_bytes()).map(|t| t.micros as f64)
        }
        _ => None,
    })
}

fn lengths_of(column: &Column) -> Vec<(f64, u64)> {
    let made;
    let stream = if let Some(stream) = &column.many {
        stream
    } else {
        made = Box::new(column.few.stream());
        &made
    };
    let mut lengths = stream.texts.lengths.clone();
    lengths.merge(&stream.written);
    lengths.points().0
}

fn from_few(column: &Column, number: impl Fn(&Value) -> Option<f64>) -> Vec<(f64, u64)> {
    let values = column.few.values.values();
    let mut points: Vec<(f64, u64)> = values
        .filter_map(|(v, n)| number(v).filter(|x| x.is_finite()).map(|x| (x, *n)))
        .collect();
    points.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    points
}

fn of_numbers(feature: &mut FeatureDrift, before: &[(f64, u64)], after: &[(f64, u64)]) {
    let (n, m) = (total(before), total(after));
    if n == 0.0 || m == 0.0 {
        return;
    }
    let statistic = distance(before, after);
    feature.ks = Some(Test {
        statistic,
        p_value: kolmogorov(statistic, n, m),
    });
    let mut edges = quantiles(before, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]).to_vec();
    edges.dedup();
    let shares = |points: &[(f64, u64)]| {
        let mut counts = vec![0.0; edges.len() + 1];
        for (x, k) in points {
            let bin = edges.partition_point(|e| x > e);
            if let Some(count) = counts.get_mut(bin) {
                *count += *k as f64;
            }
        }
        let all: f64 = counts.iter().sum();
        counts.into_iter().map(|c| c / all).collect::<Vec<f64>>()
    };
    let (b, a) = (shares(before), shares(after));
    feature.psi = Some(psi(b.iter().copied().zip(a.iter().copied())));
    let name = |i: usize| {
        let edge = |i: usize| edges.get(i).map(|e| crate::show::number(*e)).unwrap_or_default();
        if edges.is_empty() {
            "all".to_owned()
        } else if i == 0 {
            format!("up to {}", edge(0))
        } else if i == edges.len() {
            format!("above {}", edge(i - 1))
        } else {
            format!("{} to {}", edge(i - 1), edge(i))
        }
    };
    feature.shares = b
        .iter()
        .zip(&a)
        .enumerate()
        .map(|(i, (before, after))| ShareChange {
            value: name(i),
            before: *before,
            after: *after,
        })
        .collect();
}

/// Kolmogorov and Smirnov's: the largest difference of the two cumulative shares.
fn distance(a: &[(f64, u64)], b: &[(f64, u64)]) -> f64 {
    let (n, m) = (total(a), total(b));
    let (mut i, mut j) = (0, 0);
    let (mut x, mut y) = (0.0, 0.0);
    let mut worst: f64 = 0.0;
    while i < a.len() || j < b.len() {
        let at = match (a.get(i), b.get(j)) {
            (Some(p), Some(q)) => p.0.min(q.0),
            (Some(p), None) | (None, Some(p)) => p.0,
            (None, None) => break,
        };
        while let Some((v, k)) = a.get(i)
            && *v <= at
        {
            x += *k as f64;
            i += 1;
        }
        while let Some((v, k)) = b.get(j)
            && *v <= at
        {
            y += *k as f64;
            j += 1;
        }
        worst = worst.max((x / n - y / m).abs());
    }
    worst
}

fn psi(shares: impl Iterator<Item = (f64, f64)>) -> f64 {
    shares
        .map(|(b, a)| {
            let (b, a) = (b.max(FLOOR), a.max(FLOOR));
            (a - b) * (a / b).ln()
        })
        .sum()
}

fn of_categories(feature: &mut FeatureDrift, before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) {
    let sum = |m: &BTreeMap<String, u64>| m.values().map(|n| *n as f64).sum::<f64>();
    let (n, m) = (sum(before), sum(after));
    if n == 0.0 || m == 0.0 {
        return;
    }
    let mut all: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for (value, k) in before {
        all.entry(value).or_default().0 = *k as f64;
    }
    for (value, k) in after {
        all.entry(value).or_default().1 = *k as f64;
    }
    feature.psi = Some(psi(all.values().map(|(b, a)| (b / n, a / m))));
    let statistic: f64 = all
        .values()
        .map(|(b, a)| {
            let share = (b + a) / (n + m);
            (b - share * n).powi(2) / (share * n) + (a - share * m).powi(2) / (share * m)
        })
        .sum();
    feature.chi_squared = Some(Test {
        statistic,
        p_value: chi_squared(statistic, all.len() as f64 - 1.0),
    });
    let mut shares: Vec<ShareChange> = all
        .into_iter()
        .map(|(value, (b, a))| ShareChange {
            value: value.to_owned(),
            before: b / n,
            after: a / m,
        })
        .collect();
    shares.sort_by(|x, y| (y.after - y.before).abs().total_cmp(&(x.after - x.before).abs()));
    shares.truncate(LISTED);
    feature.shares = shares;
}
