//! What to look at before the data is used.

use crate::table::TableState;
use limn_domain::profile::AlertLevel::{Note, Warning};
use limn_domain::profile::*;
use std::collections::HashMap;

/// All alerts of a table, warnings first.
pub fn alerts(state: &TableState, profile: &TableProfile) -> Vec<Alert> {
    let mut found = Vec::new();
    for (column, kept) in profile.columns.iter().zip(&state.columns) {
        of_column(
            column,
            kept.many
                .as_ref()
                .map_or_else(|| kept.few.stream().leading_zeros, |s| s.leading_zeros),
            profile.rows,
            &mut found,
        );
    }
    duplicate_columns(state, profile, &mut found);
    correlated(profile, &mut found);
    let d = profile.duplicates;
    if d.rows > 0 {
        let about = if d.exact { "" } else { "about " };
        found.push(Alert {
            kind: AlertKind::DuplicateRows,
            level: Warning,
            columns: Vec::new(),
            message: format!(
                "{about}{} of {} rows equal an earlier one ({})",
                d.rows,
                profile.rows,
                percent(d.rows, profile.rows)
            ),
        });
    }
    let ragged = profile
        .findings
        .items
        .iter()
        .any(|f| f.kind == FindingKind::Ragged);
    if ragged {
        found.push(Alert {
            kind: AlertKind::Ragged,
            level: Warning,
            columns: Vec::new(),
            message: "some rows have more or fewer cells than the header; see the findings for their lines"
                .to_owned(),
        });
    }
    found.sort_by_key(|a| (a.level, a.kind));
    found
}

fn of_column(c: &ColumnProfile, leading_zeros: u64, rows: u64, found: &mut Vec<Alert>) {
    let mut add = |kind, level, message: String| {
        found.push(Alert {
            kind,
            level,
            columns: vec![c.name.clone()],
            message,
        });
    };
    if rows == 0 {
        return;
    }
    if c.kind == ColumnKind::Empty {
        add(
            AlertKind::Empty,
            Warning,
            "holds nothing but missing values".to_owned(),
        );
        return;
    }
    let missing = c.missing as f64 / rows as f64;
    if missing > 0.5 {
        let share = percent(c.missing, rows);
        add(
            AlertKind::MostlyMissing,
            Warning,
            format!("{share} of the values are missing"),
        );
    }
    if c.unique.value == 1 && c.unique.is_exact() {
        let value = c.top.values.first().map(|t| t.value.clone()).unwrap_or_default();
        add(
            AlertKind::Constant,
            Warning,
            format!("every value is `{}`", short(&value)),
        );
        return;
    }
    if let Some((most, rest)) = c.mixture.split_first() {
        let others: Vec<_> = rest.iter().map(|m| format!("{} {}", m.count, m.value)).collect();
        add(
            AlertKind::Mixed,
            Warning,
            format!("mostly {}, but also {}", most.value, others.join(", ")),
        );
    }
    let top = c.top.values.first().map_or(0, |t| t.count);
    let few = matches!(c.kind, ColumnKind::Bool | ColumnKind::Category);
    if few && c.top.all && c.count >= 20 {
        let share = top as f64 / c.count as f64;
        let even = 1.0 / c.unique.value.max(2) as f64;
        if share > 0.9 || (c.unique.value > 2 && share > (8.0 * even).clamp(0.6, 0.9)) {
            let value = c.top.values.first().map(|t| t.value.clone()).unwrap_or_default();
            add(
                AlertKind::Imbalance,
                Note,
                format!("{} of the values are `{}`", percent(top, c.count), short(&value)),
            );
        }
    }
    let is_key = c.count == rows && rows > 1 && c.unique.value >= rows;
    if c.unique.is_exact() && is_key && matches!(c.kind, ColumnKind::Text | ColumnKind::Integer) {
        add(
            AlertKind::UniqueKey,
            Note,
            "every row has a value of its own: an identifier?".to_owned(),
        );
    } else if c.kind == ColumnKind::Text && c.count >= 100 && c.unique.value as f64 > 0.9 * c.count as f64 {
        let about = if c.unique.is_exact() { "" } else { "about " };
        add(
            AlertKind::HighCardinality,
            Note,
            format!(
                "{about}{} distinct values in {}",
                c.unique.value.min(c.count),
                c.count
            ),
        );
    }
    if leading_zeros > 0 && matches!(c.kind, ColumnKind::Integer | ColumnKind::Float) {
        add(
            AlertKind::LeadingZeros,
            Note,
            format!(
                "{leading_zeros} numbers are written with leading zeros: read them as text if they are codes"
            ),
        );
    }
    if let Some(n) = &c.number
        && matches!(c.kind, ColumnKind::Integer | ColumnKind::Float)
    {
        let infinite = n.positive_infinities + n.negative_infinities;
        if infinite > 0 {
            add(
                AlertKind::Infinite,
                Warning,
                format!("{infinite} values are infinite; the other figures leave them out"),
            );
        }
        if let Some(skew) = n.skewness.filter(|s| s.abs() > 5.0 && n.count >= 20) {
            add(
                AlertKind::Skewed,
                Note,
                format!("very skewed (skewness {skew:.1})"),
            );
        }
        if n.zeros as f64 > 0.5 * c.count as f64 && c.unique.value > 2 {
            add(
                AlertKind::Zeros,
                Note,
                format!("{} of the values are zero", percent(n.zeros, c.count)),
            );
        }
    }
    if let Some(t) = &c.time {
        let zones = [
            ("UTC", t.utc),
            ("other offsets", t.offset),
            ("no offset", t.naive.saturating_sub(t.dates)),
        ];
        let zones: Vec<_> = zones
            .iter()
            .filter(|(_, n)| *n > 0)
            .map(|(z, n)| format!("{n} {z}"))
            .collect();
        if zones.len() > 1 && c.kind == ColumnKind::Datetime {
            add(
                AlertKind::TimeZones,
                Warning,
                format!("times of different zones: {}", zones.join(", ")),
            );
        }
    }
    if let Some(text) = &c.text {
        for f in &text.formats {
            if matches!(f.value.as_str(), "e-mail address" | "phone number") && f.count * 20 >= c.count {
                add(
                    AlertKind::Personal,
                    Note,
                    format!(
                        "{} of the values look like a {}",
                        percent(f.count, c.count),
                        f.value
                    )
                    .replace("a e-", "an e-"),
                );
            }
        }
    }
}

fn duplicate_columns(state: &TableState, profile: &TableProfile, found: &mut Vec<Alert>) {
    let mut groups: HashMap<(u64, u64), Vec<usize>> = HashMap::new();
    for (i, column) in state.columns.iter().enumerate() {
        if column.count > 0 {
            groups
                .entry((column.fingerprint, column.count))
                .or_default()
                .push(i);
        }
    }
    let mut groups: Vec<_> = groups.into_values().filter(|g| g.len() > 1).collect();
    groups.sort_unstable();
    for group in groups {
        // Two constant columns of one value say so already.
        if group
            .first()
            .and_then(|i| profile.columns.get(*i))
            .is_some_and(|c| c.unique.value == 1)
        {
            continue;
        }
        found.push(Alert {
            kind: AlertKind::DuplicateColumns,
            level: Warning,
            columns: group
                .iter()
                .filter_map(|i| state.names.get(*i).cloned())
                .collect(),
            message: "hold the same values, cell by cell".to_owned(),
        });
    }
}

fn correlated(profile: &TableProfile, found: &mut Vec<Alert>) {
    let Some(c) = &profile.correlations else {
        return;
    };
    if c.n < 20 {
        return;
    }
    for i in 0..c.columns.len() {
        for j in i + 1..c.columns.len() {
            let of = |m: &Vec<Vec<Option<f64>>>| m.get(i).and_then(|r| r.get(j)).copied().flatten();
            if let Some(r) = of(&c.pearson).filter(|r| r.abs() > 0.95) {
                found.push(Alert {
                    kind: AlertKind::Correlated,
                    level: Note,
                    columns: vec![c.columns[i].clone(), c.columns[j].clone()],
                    message: format!("almost determine each other (Pearson {r:.3} over {} rows)", c.n),
                });
            }
        }
    }
}

/// At most as exact as it is worth.
pub fn percent(part: u64, whole: u64) -> String {
    let share = 100.0 * part as f64 / whole.max(1) as f64;
    if part > 0 && share < 0.1 {
        "< 0.1 %".to_owned()
    } else if part < whole && share > 99.9 {
        "> 99.9 %".to_owned()
    } else if share < 10.0 && part > 0 {
        format!("{share:.1} %")
    } else {
        format!("{share:.0} %")
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}\u{2026}", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
