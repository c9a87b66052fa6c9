//! Series of metrics made small enough to draw.

use super::Point;
use serde::{Deserialize, Serialize};

/// What a chart's horizontal axis shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    #[default]
    Step,
    /// The time of day.
    Time,
    /// Seconds since the first point of the series.
    Relative,
}

impl Axis {
    pub const ALL: [Self; 3] = [Self::Step, Self::Time, Self::Relative];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Time => "time",
            Self::Relative => "relative",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Step => "Step",
            Self::Time => "Time",
            Self::Relative => "Relative time",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.as_str() == text)
    }
}

/// A metric of a run, thinned out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    pub run_id: crate::RunId,
    pub key: String,
    /// Points there are; [`Self::points`] may hold fewer.
    pub total: i64,
    /// Sorted by step, then time.
    pub points: Vec<Point>,
}

/// Keeps at most about `most` points, which must be sorted by what the axis shows: of every stretch the first, the lowest
/// and the highest, so that no spike disappears; and the first and the last of all.
pub fn thin_out(points: &[Point], most: usize) -> Vec<Point> {
    let most = most.max(4);
    if points.len() <= most {
        return points.to_vec();
    }
    let stretches = (most - 1) / 3;
    let mut kept = Vec::with_capacity(most);
    for n in 0..stretches {
        let (from, to) = (n * points.len() / stretches, (n + 1) * points.len() / stretches);
        let part = &points[from..to];
        let finite = || part.iter().enumerate().filter(|(_, p)| p.value.is_finite());
        let low = finite()
            .min_by(|a, b| a.1.value.total_cmp(&b.1.value))
            .map(|f| f.0);
        let high = finite()
            .max_by(|a, b| a.1.value.total_cmp(&b.1.value))
            .map(|f| f.0);
        let mut of = vec![0, low.unwrap_or(0), high.unwrap_or(0)];
        of.sort_unstable();
        of.dedup();
        kept.extend(of.into_iter().map(|i| part[i]));
    }
    if let (Some(last), Some(kept_last)) = (points.last(), kept.last())
        && last != kept_last
    {
        kept.push(*last);
    }
    kept
}

/// `count` points spread evenly over all, the first and the last among them.
pub fn evenly(points: &[Point], count: usize) -> Vec<Point> {
    match (points.len(), count) {
        (_, 0) => Vec::new(),
        (n, c) if n <= c => points.to_vec(),
        (n, 1) => vec![points[n - 1]],
        (n, c) => (0..c).map(|i| points[i * (n - 1) / (c - 1)]).collect(),
    }
}

/// An exponential moving average as the field's tools draw it: `weight` from 0 (nothing) to below 1. The start is
/// corrected for the values that are not there; values that are not finite are passed over.
pub fn smooth(values: &[f64], weight: f64) -> Vec<f64> {
    let weight = weight.clamp(0.0, 0.999);
    let (mut sum, mut count) = (0.0, 0.0);
    values
        .iter()
        .map(|v| {
            if !v.is_finite() {
                return *v;
            }
            sum = sum * weight + (1.0 - weight) * v;
            count = count * weight + (1.0 - weight);
            sum / count
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(n: i64) -> Vec<Point> {
        (0..n)
            .map(|step| Point {
                step,
                at_ms: step,
                value: if step == 777 { 1e6 } else { (step % 10) as f64 },
            })
            .collect()
    }

    #[test]
    fn a_spike_and_both_ends_survive() {
        let all = points(20_000);
        let thin = thin_out(&all, 500);
        assert!(thin.len() <= 500, "{}", thin.len());
        assert!(thin.len() > 300);
        assert_eq!(thin[0], all[0]);
        assert_eq!(thin.last(), all.last());
        assert!(thin.iter().any(|p| p.value == 1e6));
        assert!(thin.is_sorted_by_key(|p| p.step));
        assert_eq!(thin_out(&all[..100], 500), all[..100]);
    }

    #[test]
    fn nothing_but_nan_is_thinned_too() {
        let all: Vec<Point> = (0..1000)
            .map(|step| Point {
                step,
                at_ms: 0,
                value: f64::NAN,
            })
            .collect();
        assert!(thin_out(&all, 10).len() <= 10);
    }

    #[test]
    fn evenly_keeps_the_ends() {
        let all = points(1_001);
        let some = evenly(&all, 11);
        assert_eq!(
            some.iter().map(|p| p.step).collect::<Vec<_>>(),
            (0..11).map(|i| i * 100).collect::<Vec<_>>()
        );
        assert_eq!(evenly(&all, 1)[0].step, 1_000);
        assert_eq!(evenly(&all, 5_000).len(), 1_001);
    }

    #[test]
    fn smoothing() {
        assert_eq!(smooth(&[1.0, 3.0], 0.0), [1.0, 3.0]);
        let s = smooth(&[1.0, 1.0, 1.0, f64::NAN, 1.0], 0.9);
        assert!(s[3].is_nan());
        assert!((s[4] - 1.0).abs() < 1e-12);
        // Two values at weight 0.5: (0.5 * 1 * 0.5 + 0.5 * 3) / 0.75.
        assert!((smooth(&[1.0, 3.0], 0.5)[1] - 7.0 / 3.0).abs() < 1e-12);
    }
}
