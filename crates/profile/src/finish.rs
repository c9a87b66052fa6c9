//! From the state of a table to its profile.

use crate::column::{Column, KINDS, Stream, Times};
use crate::figures::{histogram, mode_of, moments_of, number_profile, of_numbers, quantiles, special};
use crate::hash::HashMap;
use crate::numbers::Lengths;
use crate::table::TableState;
use crate::text::FORMATS;
use crate::value::{self, Cell, MISSING, Meaning, Value, meaning};
use crate::{alerts, correlate, when};
use limn_domain::profile::*;

/// Values listed of a column.
const TOP: usize = 50;
/// A column of text is a category with at most as many values (Hugging Face's rule).
pub const LABELS: u64 = 1000;
pub const LABELS_ANYWAY: u64 = 10;
const LABEL_SHARE: f64 = 0.2;
const PATTERNS: usize = 20;

impl TableState {
    /// The figures of all rows.
    pub fn profile(&self) -> TableProfile {
        let columns: Vec<ColumnProfile> = self
            .names
            .iter()
            .zip(&self.columns)
            .map(|(name, column)| finish_column(name, column, self.rows))
            .collect();
        let mut profile = TableProfile {
            rows: self.rows,
            bytes: self.bytes,
            files: self.files,
            columns_left_out: self.columns_left_out,
            missing: self.missing(&columns),
            duplicates: self.row_hashes.duplicates(),
            correlations: correlate::correlations(self, &columns),
            alerts: Vec::new(),
            findings: self.findings.clone(),
            head: self.head.clone(),
            columns,
        };
        let width = profile.columns.len();
        for row in &mut profile.head {
            row.resize(width, None);
        }
        profile.alerts = alerts::alerts(self, &profile);
        profile
    }

    fn missing(&self, columns: &[ColumnProfile]) -> MissingProfile {
        let mut complete_rows = 0;
        let mut patterns = Vec::new();
        for (present, rows) in &self.patterns {
            let is_missing = |i: &usize| present.get(i / 64).is_none_or(|w| w >> (i % 64) & 1 == 0);
            let missing: Vec<usize> = (0..columns.len()).filter(is_missing).collect();
            if missing.is_empty() {
                complete_rows += rows;
            } else {
                patterns.push((missing, *rows));
            }
        }
        patterns.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let listed: u64 = patterns.iter().skip(PATTERNS).map(|p| p.1).sum();
        MissingProfile {
            cells: columns.iter().map(|c| c.missing).sum(),
            complete_rows,
            patterns: patterns
                .into_iter()
                .take(PATTERNS)
                .map(|(missing, rows)| MissingPattern {
                    columns: missing
                        .into_iter()
                        .filter_map(|i| self.names.get(i).cloned())
                        .collect(),
                    rows,
                })
                .collect(),
            other_rows: self.other_patterns + listed,
        }
    }
}

/// Every distinct value with its count, when that is known.
struct Counted {
    /// Most frequent first, of equals by text.
    values: Vec<(String, u64)>,
    numbers: Vec<(f64, u64)>,
    times: Vec<(f64, u64)>,
}

/// Numbers that are written differently count as one.
fn counted(column: &Column) -> Counted {
    let mut all: HashMap<(Value, u64)> = HashMap::default();
    let mut numbers = Vec::new();
    let mut times = Vec::new();
    for (hash, (kept, n)) in &column.few.values {
        let meant = match kept {
            Value::Raw(s) => match meaning(s) {
                Meaning::Int(i) => Value::Int(i),
                Meaning::Float(x) if !value::is_digits(s) => Value::Float(x),
                Meaning::Float(x) => {
                    numbers.push((x, *n));
                    Value::Str(s.clone())
                }
                Meaning::Bool(b) => Value::Bool(b),
                Meaning::Time(t) => Value::Time(t),
                Meaning::Text => Value::Str(s.clone()),
            },
            Value::Str(s) => when::parse(s.as_bytes()).map_or_else(|| kept.clone(), Value::Time),
            _ => kept.clone(),
        };
        let identity = match &meant {
            Value::Int(i) => {
                numbers.push((*i as f64, *n));
                value::hash_int(*i)
            }
            Value::Float(x) => {
                numbers.push((*x, *n));
                value::hash_number(*x)
            }
            Value::Time(t) => {
                times.push((t.micros as f64, *n));
                Cell::Time(*t).hash()
            }
            Value::Bool(b) => Cell::Bool(*b).hash(),
            _ => *hash,
        };
        all.entry(identity).or_insert((meant, 0)).1 += n;
    }
    let mut values: Vec<_> = all.into_values().map(|(v, n)| (v.text(), n)).collect();
    values.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Counted {
        values,
        numbers: points(numbers),
        times: points(times),
    }
}

fn points(mut values: Vec<(f64, u64)>) -> Vec<(f64, u64)> {
    values.retain(|(x, _)| x.is_finite());
    values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    values.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    values
}

fn finish_column(name: &str, column: &Column, rows: u64) -> ColumnProfile {
    let made;
    let (stream, exact) = if let Some(stream) = &column.many {
        (&**stream, None)
    } else {
        made = column.few.stream();
        (&made, Some(counted(column)))
    };
    let unique = exact.as_ref().map_or_else(
        || stream.distinct.estimate(),
        |c| Estimate::exact(c.values.len() as u64),
    );
    let kind = kind_of(stream, column.count, unique.value, rows);
    let mut profile = ColumnProfile {
        name: name.to_owned(),
        kind,
        count: column.count,
        // A row that has no such column misses it too.
        missing: rows.saturating_sub(column.count),
        missing_as: missing_as(column, rows),
        unique,
        mixture: mixture(stream),
        ..ColumnProfile::default()
    };
    let listed = if kind == ColumnKind::Category {
        LABELS as usize
    } else {
        TOP
    };
    profile.top = match &exact {
        Some(c) => TopValues {
            values: top(c.values.iter().map(|(v, n)| (v.clone(), *n)), listed),
            low_by: 0,
            all: c.values.len() <= listed,
        },
        None => TopValues {
            values: top(
                stream.frequent.ranked().into_iter().map(|(v, n)| (v.text(), n)),
                listed,
            ),
            low_by: stream.frequent.low_by(),
            all: stream.frequent.low_by() == 0 && stream.frequent.count() <= listed,
        },
    };
    if !stream.numbers.is_empty() {
        let whole = stream.kinds[2] == 0;
        profile.number = Some(match &exact {
            Some(c) => {
                let mut p = number_profile(
                    &c.numbers,
                    &moments_of(&c.numbers),
                    whole,
                    0.0,
                    mode_of(&c.numbers),
                );
                special(&mut p, &stream.numbers);
                p
            }
            None => of_numbers(&stream.numbers, whole, mode_in(stream)),
        });
    }
    if stream.times.moments.n > 0 {
        profile.time = Some(time_profile(&stream.times, exact.as_ref().map(|c| &*c.times)));
    }
    if matches!(kind, ColumnKind::Text | ColumnKind::Category) {
        profile.text = Some(text_column(stream, exact.as_ref()));
    }
    if stream.kinds[5] > 0 {
        profile.lengths = Some(length_profile(&stream.lists));
    }
    profile
}

fn kind_of(stream: &Stream, count: u64, unique: u64, rows: u64) -> ColumnKind {
    let [bools, ints, floats, times, _, lists, others] = stream.kinds;
    if count == 0 {
        ColumnKind::Empty
    } else if bools == count {
        ColumnKind::Bool
    } else if ints == count {
        ColumnKind::Integer
    } else if ints + floats == count {
        ColumnKind::Float
    } else if times == count {
        ColumnKind::Datetime
    } else if lists == count {
        ColumnKind::List
    } else if lists + others == count {
        ColumnKind::Other
    } else if unique <= LABELS_ANYWAY || (unique <= LABELS && unique as f64 <= LABEL_SHARE * rows as f64) {
        ColumnKind::Category
    } else {
        ColumnKind::Text
    }
}

fn missing_as(column: &Column, rows: u64) -> Vec<TopValue> {
    let untold = rows.saturating_sub(column.count + column.missing_total());
    let mut found: Vec<TopValue> = MISSING
        .iter()
        .zip(column.missing)
        .map(|(marker, n)| TopValue {
            value: (*marker).to_owned(),
            count: n + if *marker == MISSING[usize::from(value::ABSENT)] {
                untold
            } else {
                0
            },
        })
        .filter(|m| m.count > 0)
        .collect();
    found.sort_by_key(|m| std::cmp::Reverse(m.count));
    found
}

/// Integers among floats are no mixture.
fn mixture(stream: &Stream) -> Vec<TopValue> {
    let mut kinds = stream.kinds;
    if kinds[2] > 0 {
        kinds[2] += kinds[1];
        kinds[1] = 0;
    }
    let found = KINDS.iter().zip(kinds).filter(|(_, n)| *n > 0);
    let mut found: Vec<_> = found
        .map(|(kind, count)| TopValue {
            value: (*kind).to_owned(),
            count,
        })
        .collect();
    if found.len() < 2 {
        return Vec::new();
    }
    found.sort_by_key(|m| std::cmp::Reverse(m.count));
    found
}

fn top(values: impl Iterator<Item = (String, u64)>, listed: usize) -> Vec<TopValue> {
    values
        .take(listed)
        .map(|(value, count)| TopValue { value, count })
        .collect()
}

fn mode_in(stream: &Stream) -> Option<Mode> {
    let number = |v: &Value| match v {
        Value::Int(i) => Some(*i as f64),
        Value::Float(x) if x.is_finite() => Some(*x),
        _ => None,
    };
    let mut best: Option<Mode> = None;
    for (value, count) in stream.frequent.ranked() {
        // Others may be as frequent.
        if count <= stream.frequent.low_by() {
            break;
        }
        if best.is_some_and(|b| count < b.count) {
            break;
        }
        if let Some(value) = number(value)
            && best.is_none_or(|b| value < b.value)
        {
            best = Some(Mode { value, count });
        }
    }
    best
}

/// Figures of lengths.
pub fn length_profile(lengths: &Lengths) -> NumberProfile {
    let (points, rank_error) = lengths.points();
    let moments = if rank_error == 0.0 {
        moments_of(&points)
    } else {
        lengths.moments()
    };
    let mut profile = number_profile(&points, &moments, true, rank_error, mode_of(&points));
    profile.zeros = lengths.zeros();
    profile
}

fn text_column(stream: &Stream, exact: Option<&Counted>) -> TextColumn {
    let texts = &stream.texts;
    let mut lengths = texts.lengths.clone();
    lengths.merge(&stream.written);
    let entropy = exact.map(|c| {
        let n: u64 = c.values.iter().map(|v| v.1).sum();
        let shares = c.values.iter().map(|(_, k)| *k as f64 / n.max(1) as f64);
        // Never below zero, which -0 would be written as.
        shares.map(|p| -p * p.log2()).sum::<f64>().max(0.0)
    });
    let mut formats: Vec<TopValue> = FORMATS
        .iter()
        .zip(texts.formats)
        .filter(|(_, n)| *n > 0)
        .map(|(f, count)| TopValue {
            value: (*f).to_owned(),
            count,
        })
        .collect();
    formats.sort_by_key(|f| std::cmp::Reverse(f.count));
    let ranked = texts.patterns.ranked();
    TextColumn {
        lengths: length_profile(&lengths),
        characters: texts.classes,
        patterns: TopValues {
            all: texts.patterns.low_by() == 0 && ranked.len() <= PATTERNS,
            low_by: texts.patterns.low_by(),
            values: top(ranked.into_iter().map(|(p, n)| (p.to_string(), n)), PATTERNS),
        },
        formats,
        entropy,
    }
}

fn time_profile(times: &Times, exact: Option<&[(f64, u64)]>) -> TimeProfile {
    let sketched;
    let points = if let Some(points) = exact {
        points
    } else {
        sketched = times.kll.weighted();
        &sketched
    };
    let [median] = quantiles(points, [0.5]);
    let first = times.min as f64 / 1e6;
    // Whole seconds from the first one, as Hugging Face bins them.
    let seconds: Vec<(f64, u64)> = points
        .iter()
        .map(|(x, n)| ((x / 1e6 - first).floor(), *n))
        .collect();
    let last = ((times.max as f64 / 1e6) - first).floor();
    let histogram = histogram(&seconds, 0.0, last, true).map(|mut h| {
        for edge in &mut h.edges {
            *edge += first;
        }
        h
    });
    let (gap, cadence) = match exact {
        Some(points) => exact_gap(points),
        None => (
            times.spread.longest_gap().map(|(from, to)| Gap {
                from: from.max(times.min),
                to,
                within: times.spread.width(),
            }),
            None,
        ),
    };
    TimeProfile {
        min: times.min,
        max: times.max,
        mean: (times.moments.mean().unwrap_or_default() * 1e6) as i64,
        median: median as i64,
        std: times.moments.variance().map(f64::sqrt).filter(|s| s.is_finite()),
        histogram,
        gap,
        cadence,
        utc: times.utc,
        offset: times.offset,
        naive: times.naive,
        dates: times.dates,
        rank_error: if exact.is_some() { 0.0 } else { times.kll.error() },
    }
}

fn exact_gap(points: &[(f64, u64)]) -> (Option<Gap>, Option<Cadence>) {
    let mut steps: std::collections::BTreeMap<i64, u64> = std::collections::BTreeMap::new();
    let mut gap: Option<Gap> = None;
    for pair in points.windows(2) {
        let (from, to) = (pair[0].0 as i64, pair[1].0 as i64);
        *steps.entry(to - from).or_default() += 1;
        if gap.is_none_or(|g| to - from > g.to - g.from) {
            gap = Some(Gap { from, to, within: 0 });
        }
    }
    let all: u64 = steps.values().sum();
    let best = steps
        .iter()
        .max_by(|a, b| a.1.cmp(b.1).then_with(|| b.0.cmp(a.0)));
    let cadence = best.map(|(step, n)| Cadence {
        step: *step,
        share: *n as f64 / all as f64,
    });
    (gap, cadence)
}
