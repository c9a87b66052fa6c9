//! How numeric columns go together, over the sample of rows.

use crate::table::TableState;
use limn_domain::profile::{ColumnKind, ColumnProfile, Correlations};

/// Columns that are compared with each other.
const COLUMNS: usize = 60;

/// Pearson's and Spearman's coefficients of every pair of columns that are numbers, bools or times.
pub fn correlations(table: &TableState, columns: &[ColumnProfile]) -> Option<Correlations> {
    let chosen: Vec<usize> = columns
        .iter()
        .enumerate()
        .filter(|(_, c)| {
            matches!(
                c.kind,
                ColumnKind::Integer | ColumnKind::Float | ColumnKind::Bool | ColumnKind::Datetime
            )
        })
        .map(|(i, _)| i)
        .take(COLUMNS)
        .collect();
    if chosen.len() < 2 || table.sample.rows.is_empty() {
        return None;
    }
    // In order of priority, so that sums are the same whatever order the parts were merged in.
    let mut rows: Vec<_> = table.sample.rows.iter().collect();
    rows.sort_unstable_by_key(|(p, _)| *p);
    let values: Vec<Vec<f64>> = chosen
        .iter()
        .map(|c| {
            rows.iter()
                .map(|(_, row)| row.get(*c).copied().unwrap_or(f64::NAN))
                .collect()
        })
        .collect();
    let ranked: Vec<Option<Vec<f64>>> = values
        .iter()
        .map(|v| v.iter().all(|x| !x.is_nan()).then(|| ranks(v)))
        .collect();
    let n = chosen.len();
    let mut pearson_all = vec![vec![None; n]; n];
    let mut spearman_all = vec![vec![None; n]; n];
    for i in 0..n {
        for j in i..n {
            let (linear, monotone) = if let (Some(a), Some(b)) = (&ranked[i], &ranked[j]) {
                (pearson(&values[i], &values[j]), pearson(a, b))
            } else {
                let pairs = values[i].iter().zip(&values[j]);
                let (a, b): (Vec<f64>, Vec<f64>) = pairs.filter(|(a, b)| !a.is_nan() && !b.is_nan()).unzip();
                (pearson(&a, &b), pearson(&ranks(&a), &ranks(&b)))
            };
            pearson_all[i][j] = linear;
            pearson_all[j][i] = linear;
            spearman_all[i][j] = monotone;
            spearman_all[j][i] = monotone;
        }
    }
    Some(Correlations {
        n: rows.len() as u64,
        columns: chosen
            .iter()
            .filter_map(|c| table.names.get(*c).cloned())
            .collect(),
        pearson: pearson_all,
        spearman: spearman_all,
    })
}

/// None where one of them is constant.
fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    let n = a.len() as f64;
    if a.len() < 2 {
        return None;
    }
    let (ma, mb) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x - ma, y - mb);
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    let scale = (aa * bb).sqrt();
    (scale > 0.0 && scale.is_finite()).then(|| (ab / scale).clamp(-1.0, 1.0))
}

/// Ranks from 1, equals sharing their mean.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut out = vec![0.0; values.len()];
    let mut at = 0;
    while at < order.len() {
        let mut end = at + 1;
        while end < order.len() && values[order[end]] == values[order[at]] {
            end += 1;
        }
        let rank = (at + end + 1) as f64 / 2.0;
        for i in &order[at..end] {
            out[*i] = rank;
        }
        at = end;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_share_their_rank() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        assert_eq!(ranks(&[]), [] as [f64; 0]);
    }

    #[test]
    fn pearson_of_known_figures() {
        assert_eq!(pearson(&[1.0, 2.0, 3.0], &[2.0, 4.0, 6.0]), Some(1.0));
        assert_eq!(pearson(&[1.0, 2.0, 3.0], &[5.0, 5.0, 5.0]), None);
        let r = pearson(&[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0, 2.0, 4.0]).expect("both vary");
        assert!((r - 0.8).abs() < 1e-12);
    }
}
