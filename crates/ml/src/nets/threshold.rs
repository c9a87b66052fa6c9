//! From which confidence on something is worth showing.

/// The confidence with the best F1 (harmonic mean of precision and recall), and that F1. `scored` is what was said, with whether it is right;
/// `wanted` how many there are to be found. `None` when nothing right was said.
pub(super) fn best(mut scored: Vec<(f32, bool)>, wanted: usize) -> Option<(f32, f64)> {
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut right, mut best): (usize, Option<(usize, f64)>) = (0, None);
    for (i, (score, is_right)) in scored.iter().enumerate() {
        right += usize::from(*is_right);
        // Those of one confidence stand or fall together.
        if scored.get(i + 1).is_some_and(|next| next.0 == *score) {
            continue;
        }
        let f1 = f1(right, i + 1, wanted);
        if f1 > best.map_or(0.0, |b| b.1) {
            best = Some((i, f1));
        }
    }
    let (i, f1) = best?;
    // Half way to the next one: at the very confidence of an example, a digit lost in between would hide it.
    let low = scored.get(i + 1).map_or(0.0, |next| next.0);
    Some((low + (scored[i].0 - low) * 0.5, f1))
}

/// `right` of `said` are, of `wanted` that there are.
pub(super) fn f1(right: usize, said: usize, wanted: usize) -> f64 {
    if said + wanted == 0 {
        return 0.0;
    }
    2.0 * right as f64 / (said + wanted) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_cut_lies_between_right_and_wrong() {
        let (at, f1) = best(vec![(0.2, false), (0.9, true), (0.6, true), (0.3, false)], 2).unwrap();
        assert!((at - 0.45).abs() < 1e-6 && f1 == 1.0);
        assert_eq!(best(vec![(0.9, false)], 3), None);
        assert_eq!(best(Vec::new(), 0), None);
        // All of one confidence: all or none.
        let (at, f1) = best(vec![(0.5, true), (0.5, false), (0.5, true)], 2).unwrap();
        assert!(at < 0.5 && (f1 - 0.8).abs() < 1e-9);
    }
}
