//! From weighted values to the figures that are shown.

use crate::numbers::Numbers;
use crate::sketch::Moments;
use limn_domain::profile::{Histogram, Mode, NumberProfile, Quantiles};

/// Bins of a histogram.
const BINS: f64 = 10.0;

/// Ascending finite values with how often each occurs.
pub type Points = [(f64, u64)];

/// Moments of values that are all there: in two passes, which is the most accurate way.
pub fn moments_of(points: &Points) -> Moments {
    let mut moments = Moments::default();
    for (x, n) in points {
        moments.add_weighted(*x, *n);
    }
    let Some(mean) = moments.mean() else {
        return moments;
    };
    let power = |k: i32| {
        points
            .iter()
            .map(|(x, n)| (x - mean).powi(k) * *n as f64)
            .sum::<f64>()
    };
    moments.mean = mean;
    (moments.m2, moments.m3, moments.m4) = (power(2), power(3), power(4));
    moments
}

/// All figures of numbers. `whole` says that they are integers; `mode` is the most frequent one where known.
pub fn number_profile(
    points: &Points,
    moments: &Moments,
    whole: bool,
    rank_error: f64,
    mode: Option<Mode>,
) -> NumberProfile {
    let mut profile = NumberProfile {
        count: moments.n,
        mode,
        rank_error,
        ..NumberProfile::default()
    };
    if moments.n == 0 || points.is_empty() {
        return profile;
    }
    let (min, max) = (moments.min, moments.max);
    profile.min = Some(min);
    profile.max = Some(max);
    profile.range = finite(max - min);
    profile.sum = finite(moments.sum());
    profile.mean = moments.mean().and_then(finite);
    profile.variance = moments.variance().and_then(finite);
    profile.std = profile.variance.map(f64::sqrt);
    profile.skewness = moments.skewness();
    profile.kurtosis = moments.kurtosis();
    if let Some(mean) = profile.mean {
        let sum: f64 = points.iter().map(|(x, n)| (x - mean).abs() * *n as f64).sum();
        profile.mean_deviation = finite(sum / moments.n as f64);
    }
    let quantiles = quantiles(points, Quantiles::AT).map(|q| q.clamp(min, max));
    let named = Quantiles::of(quantiles);
    profile.quantiles = Some(named);
    let reach = 1.5 * (named.q3 - named.q1);
    let (low, high) = (named.q1 - reach, named.q3 + reach);
    profile.outliers = points
        .iter()
        .filter(|(x, _)| *x < low || *x > high)
        .map(|(_, n)| n)
        .sum();
    profile.histogram = histogram(points, min, max, whole);
    profile
}

/// Figures of a stream of numbers whose values were not all kept.
pub fn of_numbers(numbers: &Numbers, whole: bool, mode: Option<Mode>) -> NumberProfile {
    let points = numbers.kll.weighted();
    let mut profile = number_profile(&points, &numbers.moments, whole, numbers.kll.error(), mode);
    special(&mut profile, numbers);
    profile
}

/// Adds what is counted apart.
pub fn special(profile: &mut NumberProfile, numbers: &Numbers) {
    profile.zeros = numbers.zeros;
    profile.negatives = numbers.negatives;
    profile.positive_infinities = numbers.positive_infinities;
    profile.negative_infinities = numbers.negative_infinities;
}

fn finite(x: f64) -> Option<f64> {
    x.is_finite().then_some(x)
}

/// Quantiles at ascending places, by linear interpolation between the two values around (n - 1) p.
pub fn quantiles<const N: usize>(points: &Points, at: [f64; N]) -> [f64; N] {
    let n: u64 = points.iter().map(|(_, n)| n).sum();
    let mut out = [0.0; N];
    let (mut index, mut before) = (0, 0u64);
    for (place, p) in out.iter_mut().zip(at) {
        let rank = p * n.saturating_sub(1) as f64;
        let low = rank.floor() as u64;
        while let Some((_, weight)) = points.get(index)
            && before + weight <= low
            && index + 1 < points.len()
        {
            before += weight;
            index += 1;
        }
        let Some((x, weight)) = points.get(index) else {
            continue;
        };
        let fraction = rank - rank.floor();
        *place = match points.get(index + 1) {
            Some((next, _)) if fraction > 0.0 && low + 1 >= before + weight => between(*x, *next, fraction),
            _ => *x,
        };
    }
    out
}

fn between(a: f64, b: f64, t: f64) -> f64 {
    let step = b - a;
    if step.is_finite() {
        a + step * t
    } else {
        a * (1.0 - t) + b * t
    }
}

/// By the rule of Hugging Face's dataset viewer.
pub fn histogram(points: &Points, min: f64, max: f64, whole: bool) -> Option<Histogram> {
    let mut edges = Vec::new();
    let width = if whole {
        ((max - min + 1.0) / BINS).ceil()
    } else {
        (max - min) / BINS
    };
    if !width.is_finite() {
        return None;
    }
    if min == max || width <= 0.0 {
        edges.push(min);
    } else if whole {
        let mut k = 0.0;
        while min + k * width < max + 1.0 && k < BINS {
            edges.push(min + k * width);
            k += 1.0;
        }
    } else {
        edges.extend((0..BINS as u32).map(|k| min + f64::from(k) * width));
    }
    edges.push(max);
    let last = edges.len() - 2;
    let mut counts = vec![0; edges.len() - 1];
    let mut bin = 0;
    for (x, n) in points {
        while bin < last && edges.get(bin + 1).is_some_and(|edge| x >= edge) {
            bin += 1;
        }
        if let Some(count) = counts.get_mut(bin) {
            *count += n;
        }
    }
    Some(Histogram { counts, edges })
}

/// Mode of counted values: the most frequent, of equals the smallest.
pub fn mode_of(points: &Points) -> Option<Mode> {
    let mut best: Option<Mode> = None;
    for (value, count) in points {
        if best.is_none_or(|b| *count > b.count) {
            best = Some(Mode {
                value: *value,
                count: *count,
            });
        }
    }
    best
}

/// All figures of values that are all there, in any order.
pub fn of_values(values: impl IntoIterator<Item = f64>, whole: bool) -> NumberProfile {
    let mut all: Vec<f64> = values.into_iter().filter(|x| x.is_finite()).collect();
    all.sort_unstable_by(f64::total_cmp);
    let points: Vec<(f64, u64)> = all
        .chunk_by(|a, b| a == b)
        .filter_map(|run| run.first().map(|x| (*x, run.len() as u64)))
        .collect();
    let mut profile = number_profile(&points, &moments_of(&points), whole, 0.0, mode_of(&points));
    profile.zeros = points.iter().filter(|(x, _)| *x == 0.0).map(|(_, n)| n).sum();
    profile.negatives = points.iter().filter(|(x, _)| *x < 0.0).map(|(_, n)| n).sum();
    profile
}
