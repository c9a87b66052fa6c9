//! Heads: from the features of a picture to its categories. Logistic regression, the classes balanced, small enough to be
//! trained anew after every few labels.

use crate::error::{MlError, Result, Stop, check, finite};
use crate::linear::{Matrix, add, dot};
use serde::{Deserialize, Serialize};

const FORMAT: u32 = 1;
/// Rounds of the optimiser at most.
const ROUNDS: usize = 120;
/// Steps it remembers.
const MEMORY: usize = 8;

/// What an example is: the classes it has, by index. Exactly one unless the head is of several.
pub type Classes = Vec<usize>;

/// Logistic regression: softmax over classes, or one sigmoid a class where an item can have several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Head {
    format: u32,
    dims: usize,
    classes: usize,
    multi: bool,
    /// Classes that there were examples of; others are never said.
    known: Vec<bool>,
    /// `classes x (dims + 1)`, the last of a row its bias.
    weights: Vec<f32>,
    /// Divides the logits so that confidence means what it says.
    temperature: f32,
}

/// What a head learns from.
#[derive(Debug, Clone, Copy)]
pub struct Examples<'a> {
    pub features: &'a Matrix,
    pub labels: &'a [Classes],
    pub classes: usize,
    pub multi: bool,
}

impl Head {
    /// Trains one. `ridge` is the weight of the squared weights against one example; the less, the closer it follows the
    /// examples.
    pub fn fit(data: Examples<'_>, ridge: f32, stop: Stop<'_>) -> Result<Self> {
        let (n, dims, classes) = (data.features.rows, data.features.cols, data.classes);
        let mut count = vec![0_usize; classes];
        for c in data.labels.iter().flatten() {
            count[*c] += 1;
        }
        let known: Vec<bool> = count.iter().map(|c| *c > 0).collect();
        let problem = Problem {
            data,
            known: &known,
            weight: balance(data, &count),
            ridge: ridge / n.max(1) as f32,
        };
        let weights = minimise(vec![0.0; classes * (dims + 1)], |w| problem.loss(w), stop)?;
        finite(&weights, "The model")?;
        Ok(Self {
            format: FORMAT,
            dims,
            classes,
            multi: data.multi,
            known,
            weights,
            temperature: 1.0,
        })
    }

    #[must_use]
    pub fn with_temperature(mut self, temperature: f32) -> Self {
        self.temperature = temperature;
        self
    }

    pub const fn dims(&self) -> usize {
        self.dims
    }

    /// Whether an item can have several classes.
    pub const fn is_multi(&self) -> bool {
        self.multi
    }

    pub const fn classes(&self) -> usize {
        self.classes
    }

    /// One number a class, before the temperature; unknown classes are far below.
    pub fn logits(&self, row: &[f32]) -> Vec<f32> {
        let wide = self.dims + 1;
        (0..self.classes)
            .map(|c| {
                let w = &self.weights[c * wide..(c + 1) * wide];
                if self.known[c] {
                    dot(&w[..self.dims], row) + w[self.dims]
                } else {
                    -1e4
                }
            })
            .collect()
    }

    /// Calibrated probabilities, one a class.
    pub fn probabilities(&self, row: &[f32]) -> Vec<f32> {
        probabilities(&self.logits(row), self.temperature, self.multi)
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(self).unwrap_or_default()
    }

    /// Errors: `Broken` when the bytes are no head of this layout.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let broken = || MlError::Broken("The stored model cannot be read; train it again.".to_owned());
        let read: Self = postcard::from_bytes(bytes).map_err(|_| broken())?;
        let fits = read.format == FORMAT
            && read.known.len() == read.classes
            && read.weights.len() == read.classes.saturating_mul(read.dims + 1)
            && read.temperature > 0.0
            && read.weights.iter().all(|w| w.is_finite());
        fits.then_some(read).ok_or_else(broken)
    }
}

/// Softmax, or a sigmoid each.
pub fn probabilities(logits: &[f32], temperature: f32, multi: bool) -> Vec<f32> {
    if multi {
        return logits
            .iter()
            .map(|z| 1.0 / (1.0 + (-z / temperature).exp()))
            .collect();
    }
    let most = logits.iter().copied().fold(f32::MIN, f32::max);
    let mut p: Vec<f32> = logits.iter().map(|z| ((z - most) / temperature).exp()).collect();
    let sum: f32 = p.iter().sum();
    for v in &mut p {
        *v /= sum.max(1e-30);
    }
    p
}

/// Weight of each class's examples: by the root of how rare it is, so that rare ones are heard without drowning the rest.
fn balance(data: Examples<'_>, count: &[usize]) -> Vec<f32> {
    let total: usize = count.iter().sum();
    let known = count.iter().filter(|c| **c > 0).count().max(1);
    count
        .iter()
        .map(|c| match *c {
            0 => 0.0,
            c if data.multi => (((data.labels.len() - c.min(data.labels.len())).max(1)) as f32 / c as f32)
                .sqrt()
                .clamp(1.0, 8.0),
            c => (total as f32 / (known * c) as f32).sqrt(),
        })
        .collect()
}

struct Problem<'a> {
    data: Examples<'a>,
    known: &'a [bool],
    weight: Vec<f32>,
    ridge: f32,
}

impl Problem<'_> {
    /// The loss and its gradient.
    fn loss(&self, w: &[f32]) -> (f64, Vec<f32>) {
        let Examples {
            features,
            labels,
            classes,
            multi,
        } = self.data;
        let (dims, wide) = (features.cols, features.cols + 1);
        let mut gradient = vec![0.0_f32; w.len()];
        let (mut loss, mut total) = (0.0_f64, 0.0_f64);
        let mut logits = vec![0.0_f32; classes];
        for (i, label) in labels.iter().enumerate() {
            let row = features.row(i);
            for (c, z) in logits.iter_mut().enumerate() {
                *z = if self.known[c] {
                    dot(&w[c * wide..c * wide + dims], row) + w[c * wide + dims]
                } else {
                    -1e4
                };
            }
            if multi {
                total += 1.0;
                for c in (0..classes).filter(|c| self.known[*c]) {
                    let yes = label.contains(&c);
                    let weight = if yes { self.weight[c] } else { 1.0 };
                    let z = logits[c];
                    let signed = if yes { -z } else { z };
                    // log(1 + e^x) without overflow.
                    let softplus = signed.max(0.0) + (-signed.abs()).exp().ln_1p();
                    loss += f64::from(weight * softplus);
                    let p = 1.0 / (1.0 + (-z).exp());
                    let by = weight * (p - f32::from(u8::from(yes)));
                    add(&mut gradient[c * wide..c * wide + dims], by, row);
                    gradient[c * wide + dims] += by;
                }
            } else {
                let Some(&is) = label.first() else { continue };
                let weight = self.weight[is];
                total += f64::from(weight);
                let most = logits.iter().copied().fold(f32::MIN, f32::max);
                let sum: f32 = logits.iter().map(|z| (z - most).exp()).sum();
                loss += f64::from(weight * (sum.ln() + most - logits[is]));
                for c in (0..classes).filter(|c| self.known[*c]) {
                    let p = (logits[c] - most).exp() / sum;
                    let by = weight * (p - f32::from(u8::from(c == is)));
                    if by.abs() > 1e-9 {
                        add(&mut gradient[c * wide..c * wide + dims], by, row);
                        gradient[c * wide + dims] += by;
                    }
                }
            }
        }
        let scale = 1.0 / total.max(1.0);
        loss *= scale;
        for g in &mut gradient {
            *g *= scale as f32;
        }
        for c in 0..classes {
            let own = c * wide..c * wide + dims;
            loss += 0.5 * f64::from(self.ridge * dot(&w[own.clone()], &w[own.clone()]));
            for j in own {
                gradient[j] += self.ridge * w[j];
            }
        }
        (loss, gradient)
    }
}

/// Limited-memory BFGS with a backtracking line search (Nocedal, Wright, algorithm 7.5).
fn minimise(mut w: Vec<f32>, loss: impl Fn(&[f32]) -> (f64, Vec<f32>), stop: Stop<'_>) -> Result<Vec<f32>> {
    let (mut value, mut gradient) = loss(&w);
    let mut past: Vec<(Vec<f32>, Vec<f32>, f32)> = Vec::new();
    for _ in 0..ROUNDS {
        check(stop)?;
        if !value.is_finite() {
            return Err(MlError::Broken(
                "The training went astray: its loss is no number. Look for damaged pictures among the newest items."
                    .to_owned(),
            ));
        }
        let steep = dot(&gradient, &gradient).sqrt();
        if steep < 1e-5 {
            break;
        }
        let mut step = gradient.clone();
        let mut alphas = Vec::with_capacity(past.len());
        for (s, y, rho) in past.iter().rev() {
            let alpha = rho * dot(s, &step);
            add(&mut step, -alpha, y);
            alphas.push(alpha);
        }
        if let Some((s, y, _)) = past.last() {
            let by = dot(s, y) / dot(y, y).max(1e-20);
            for v in &mut step {
                *v *= by;
            }
        } else {
            for v in &mut step {
                *v /= steep.max(1.0);
            }
        }
        for ((s, y, rho), alpha) in past.iter().zip(alphas.iter().rev()) {
            let by = alpha - rho * dot(y, &step);
            add(&mut step, by, s);
        }
        let slope = f64::from(dot(&step, &gradient));
        if slope <= 0.0 {
            past.clear();
            continue;
        }
        let mut length = 1.0_f32;
        let (next, next_value, next_gradient) = loop {
            let mut next = w.clone();
            add(&mut next, -length, &step);
            let (v, g) = loss(&next);
            if v.is_finite() && v <= value - 1e-4 * f64::from(length) * slope {
                break (next, v, g);
            }
            length *= 0.5;
            if length < 1e-6 {
                return Ok(w);
            }
        };
        let s: Vec<f32> = next.iter().zip(&w).map(|(a, b)| a - b).collect();
        let y: Vec<f32> = next_gradient.iter().zip(&gradient).map(|(a, b)| a - b).collect();
        let along = dot(&s, &y);
        if along > 1e-12 {
            if past.len() == MEMORY {
                past.remove(0);
            }
            past.push((s, y, 1.0 / along));
        }
        let gain = value - next_value;
        (w, value, gradient) = (next, next_value, next_gradient);
        if gain < 1e-7 * value.abs().max(1e-3) {
            break;
        }
    }
    Ok(w)
}
