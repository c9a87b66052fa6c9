//! A logistic regression over a few numbers.

/// Newton's steps, and halves of a step that are tried.
const STEPS: usize = 25;
const HALVES: usize = 8;
/// How much the weights are drawn to zero, beside one row: without it what can be told perfectly would never end.
const HELD: f64 = 1e-3;
/// A step that helps less than this share is the last.
const ENOUGH: f64 = 1e-6;

/// The logarithm of the odds of each row.
pub(super) fn odds<const N: usize>(weights: &[f32; N], rows: &[[f32; N]]) -> Vec<f32> {
    rows.iter()
        .map(|row| row.iter().zip(weights).map(|(x, w)| x * w).sum())
        .collect()
}

/// The weights by which rows say best whether they are right.
pub(super) fn fit<const N: usize>(rows: &[[f32; N]], right: &[bool]) -> [f32; N] {
    let held = HELD * rows.len() as f64;
    let mut weights = [0.0_f64; N];
    let mut loss = wrong(&weights, rows, right, held);
    for _ in 0..STEPS {
        let (down, curve) = slope(&weights, rows, right, held);
        let Some(step) = solved(curve, down) else { break };
        let tried = (0..HALVES).find_map(|n| {
            let by = 0.5_f64.powi(n as i32);
            let mut next = weights;
            for (w, s) in next.iter_mut().zip(&step) {
                *w -= by * s;
            }
            let then = wrong(&next, rows, right, held);
            (then < loss).then_some((next, then))
        });
        let Some((next, then)) = tried else { break };
        let helped = (loss - then) / loss.max(1e-9);
        (weights, loss) = (next, then);
        if helped < ENOUGH {
            break;
        }
    }
    weights.map(|w| w as f32)
}

fn dot<const N: usize>(weights: &[f64; N], row: &[f32; N]) -> f64 {
    weights.iter().zip(row).map(|(w, x)| w * f64::from(*x)).sum()
}

/// The sum of the surprises.
fn wrong<const N: usize>(weights: &[f64; N], rows: &[[f32; N]], right: &[bool], held: f64) -> f64 {
    let each = rows.iter().zip(right).map(|(row, right)| {
        let z = dot(weights, row);
        let z = if *right { -z } else { z };
        // ln(1 + e^z)
        z.max(0.0) + (-z.abs()).exp().ln_1p()
    });
    each.sum::<f64>() + held / 2.0 * weights.iter().map(|w| w * w).sum::<f64>()
}

/// The slope of [`wrong`], and its curvature, row by row.
fn slope<const N: usize>(
    weights: &[f64; N],
    rows: &[[f32; N]],
    right: &[bool],
    held: f64,
) -> ([f64; N], Vec<f64>) {
    let mut down = weights.map(|w| held * w);
    let mut curve = vec![0.0; N * N];
    for (row, right) in rows.iter().zip(right) {
        let p = 1.0 / (1.0 + (-dot(weights, row)).exp());
        let (off, bend) = (p - f64::from(u8::from(*right)), p * (1.0 - p));
        let row = row.map(f64::from);
        for i in 0..N {
            down[i] += off * row[i];
            for j in 0..N {
                curve[i * N + j] += bend * row[i] * row[j];
            }
        }
    }
    for i in 0..N {
        curve[i * N + i] += held;
    }
    (down, curve)
}

/// `x` with `a x = b`, of a symmetric matrix (Cholesky); `None` of one that is not positive.
fn solved<const N: usize>(mut a: Vec<f64>, b: [f64; N]) -> Option<[f64; N]> {
    for i in 0..N {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| a[i * N + k] * a[j * N + k]).sum();
            let rest = a[i * N + j] - known;
            if i == j {
                if rest <= 0.0 || !rest.is_finite() {
                    return None;
                }
                a[i * N + i] = rest.sqrt();
            } else {
                a[i * N + j] = rest / a[j * N + j];
            }
        }
    }
    let mut x = b;
    for i in 0..N {
        let known: f64 = (0..i).map(|k| a[i * N + k] * x[k]).sum();
        x[i] = (x[i] - known) / a[i * N + i];
    }
    for i in (0..N).rev() {
        let known: f64 = (i + 1..N).map(|k| a[k * N + i] * x[k]).sum();
        x[i] = (x[i] - known) / a[i * N + i];
    }
    Some(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    #[test]
    fn it_finds_the_weights_that_made_the_answers() {
        let mut rng = Rng::new(5);
        let made = [0.5_f32, -2.0, 1.0];
        let rows: Vec<[f32; 3]> = (0..4_000)
            .map(|_| [1.0, rng.normal() as f32, rng.normal() as f32])
            .collect();
        let right: Vec<bool> = odds(&made, &rows)
            .iter()
            .map(|z| rng.unit() < 1.0 / (1.0 + f64::from(-z).exp()))
            .collect();
        for (found, made) in fit(&rows, &right).iter().zip(made) {
            assert!((found - made).abs() < 0.2, "{found} for {made}");
        }
    }

    #[test]
    fn what_is_perfect_or_says_nothing_ends() {
        let rows: Vec<[f32; 2]> = (0..100).map(|n| [1.0, n as f32 - 49.5]).collect();
        let right: Vec<bool> = rows.iter().map(|r| r[1] > 0.0).collect();
        let found = fit(&rows, &right);
        assert!(found[1] > 0.0 && found.iter().all(|w| w.is_finite()), "{found:?}");
        assert_eq!(fit::<2>(&[], &[]), [0.0; 2]);
        let same = fit(&[[1.0, 0.0]; 9], &[true; 9]);
        assert!(same[0] > 1.0 && same[1] == 0.0, "{same:?}");
    }
}
