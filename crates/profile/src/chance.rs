//! How likely a statistic as large is by chance.

/// Of Kolmogorov and Smirnov's two-sample distance `d` between samples of `n` and `m` values: the asymptotic distribution with
/// Stephens' (1970) correction for small samples.
pub fn kolmogorov(d: f64, n: f64, m: f64) -> f64 {
    if n <= 0.0 || m <= 0.0 {
        return 1.0;
    }
    let root = (n * m / (n + m)).sqrt();
    let lambda = (root + 0.12 + 0.11 / root) * d;
    if lambda < 0.2 {
        return 1.0;
    }
    let terms = (1..=100).map(|k| {
        let k = f64::from(k);
        let sign = if k % 2.0 == 1.0 { 1.0 } else { -1.0 };
        sign * (-2.0 * k * k * lambda * lambda).exp()
    });
    (2.0 * terms.sum::<f64>()).clamp(0.0, 1.0)
}

/// Of Pearson's chi-squared with `df` degrees of freedom: the upper regularised gamma function (series and continued fraction
/// after Press et al., "Numerical Recipes", 6.2).
pub fn chi_squared(x: f64, df: f64) -> f64 {
    if df <= 0.0 || x <= 0.0 {
        return 1.0;
    }
    let (a, x) = (df / 2.0, x / 2.0);
    let scale = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        for n in 1..1000 {
            term *= x / (a + f64::from(n));
            sum += term;
            if term < sum * 1e-15 {
                break;
            }
        }
        return (1.0 - sum * scale).clamp(0.0, 1.0);
    }
    let tiny = 1e-300;
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / tiny;
    let mut d = 1.0 / b;
    let mut h = d;
    for n in 1..1000 {
        let n = f64::from(n);
        let an = -n * (n - a);
        b += 2.0;
        d = an * d + b;
        d = 1.0 / if d.abs() < tiny { tiny } else { d };
        c = b + an / c;
        if c.abs() < tiny {
            c = tiny;
        }
        let change = d * c;
        h *= change;
        if (change - 1.0).abs() < 1e-15 {
            break;
        }
    }
    (scale * h).clamp(0.0, 1.0)
}

/// Lanczos' approximation, g = 7, nine terms.
fn ln_gamma(x: f64) -> f64 {
    const C: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    let x = x - 1.0;
    let series: f64 = C.iter().zip(1..).map(|(c, i)| c / (x + f64::from(i))).sum();
    let t = x + 7.5;
    0.5 * std::f64::consts::TAU.ln() + (x + 0.5) * t.ln() - t + (0.999_999_999_999_809_9 + series).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-6, "{a} is not {b}");
    }

    #[test]
    fn known_chances() {
        // Quantiles of tables: 95 % of chi-squared.
        near(chi_squared(3.841_458_820_694_124, 1.0), 0.05);
        near(chi_squared(18.307_038_053_275_146, 10.0), 0.05);
        near(chi_squared(124.342_113_404_004_07, 100.0), 0.05);
        near(chi_squared(0.5, 3.0), 0.918_891_411_654_674);
        assert_eq!(chi_squared(0.0, 3.0), 1.0);
        // 5 % of Kolmogorov's distribution lie above 1.3581.
        assert!((kolmogorov(1.3581 / 5000f64.sqrt(), 10_000.0, 10_000.0) - 0.05).abs() < 1e-3);
        assert_eq!(kolmogorov(0.0, 10.0, 10.0), 1.0);
        assert!(kolmogorov(1.0, 100.0, 100.0) < 1e-12);
    }
}
