//! The same numbers as arithmetic of one's own, and the names and sizes that torchvision's have.

use super::*;
use crate::backbone::Backbone;
use crate::backbone::source::Drawn;
use crate::error::MlError;
use crate::{Picture, safetensors};
use burn::tensor::{Device, TensorData};

/// The integral of the bell curve, by Simpson's rule.
fn erf(x: f64) -> f64 {
    let steps = 400;
    let h = x / f64::from(steps);
    let at = |n: i32| (-(f64::from(n) * h).powi(2)).exp();
    let inner: f64 = (1..steps)
        .map(|n| at(n) * if n % 2 == 1 { 4.0 } else { 2.0 })
        .sum();
    (at(0) + inner + at(steps)) * h / 3.0 * 2.0 / std::f64::consts::PI.sqrt()
}

fn bent(x: f64) -> f64 {
    x * 0.5 * (1.0 + erf(x / 2.0_f64.sqrt()))
}

fn full(d: &Drawn, [weight, bias]: [&str; 2], x: &[f64]) -> Vec<f64> {
    let (w, b) = (d.numbers(weight), d.numbers(bias));
    let rows = w.chunks(x.len()).zip(&b);
    rows.map(|(row, b)| row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>() + b)
        .collect()
}

fn evened(d: &Drawn, name: &str, x: &[f64]) -> Vec<f64> {
    let (w, b) = (
        d.numbers(&format!("{name}.weight")),
        d.numbers(&format!("{name}.bias")),
    );
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let var = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    let each = x.iter().zip(w.iter().zip(&b));
    each.map(|(v, (w, b))| (v - mean) / (var + 1e-6).sqrt() * w + b)
        .collect()
}

fn plus(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

/// What each place takes from all, head by head.
fn taken(d: &Drawn, name: &str, x: &[Vec<f64>], heads: usize) -> Vec<Vec<f64>> {
    let [w, b] = ["in_proj_weight", "in_proj_bias"].map(|of| format!("{name}.{of}"));
    let given: Vec<Vec<f64>> = x.iter().map(|x| full(d, [&w, &b], x)).collect();
    let width = x[0].len();
    let each = width / heads;
    let [w, b] = ["out_proj.weight", "out_proj.bias"].map(|of| format!("{name}.{of}"));
    let mut out = Vec::new();
    for asks in &given {
        let mut all: Vec<f64> = Vec::new();
        for head in 0..heads {
            let part = |of: &[f64], k: usize| of[k * width + head * each..][..each].to_vec();
            let asked = part(asks, 0);
            let alike: Vec<f64> = given
                .iter()
                .map(|g| {
                    part(g, 1).iter().zip(&asked).map(|(a, b)| a * b).sum::<f64>() / (each as f64).sqrt()
                })
                .map(f64::exp)
                .collect();
            let sum: f64 = alike.iter().sum();
            for i in 0..each {
                all.push(
                    given
                        .iter()
                        .zip(&alike)
                        .map(|(g, a)| part(g, 2)[i] * a / sum)
                        .sum(),
                );
            }
        }
        out.push(full(d, [&w, &b], &all));
    }
    out
}

#[test]
fn a_narrow_one_says_what_arithmetic_says() {
    let device = Device::flex();
    let d = Drawn::default();
    let design = Design {
        width: 8,
        layers: 2,
        patch: 4,
        heads: 2,
        grid: 2,
        classes: Some(3),
    };
    let net = Vit::new(&d.source(&device), &design).unwrap();
    let pixels: Vec<f32> = (0..2 * 3 * 64)
        .map(|i| ((i * 29 + i / 7) % 97) as f32 / 48.0 - 1.0)
        .collect();
    let x = Tensor::<4>::from_data(TensorData::new(pixels.clone(), [2, 3, 8, 8]), &device);
    let (kernel, bias) = (d.numbers("conv_proj.weight"), d.numbers("conv_proj.bias"));
    let places = d.numbers("encoder.pos_embedding");
    let (mut features, mut logits) = (Vec::new(), Vec::new());
    for one in pixels.chunks(3 * 64) {
        let mut x = vec![d.numbers("class_token")];
        for (top, left) in [(0, 0), (0, 4), (4, 0), (4, 4)] {
            let said = kernel.chunks(3 * 16).zip(&bias).map(|(k, b)| {
                let each = k.iter().enumerate().map(|(n, k)| {
                    let (c, y, x) = (n / 16, n / 4 % 4, n % 4);
                    k * f64::from(one[(c * 8 + top + y) * 8 + left + x])
                });
                each.sum::<f64>() + b
            });
            x.push(said.collect());
        }
        let mut x: Vec<Vec<f64>> = x.iter().zip(places.chunks(8)).map(|(x, p)| plus(x, p)).collect();
        for n in 0..2 {
            let name = format!("encoder.layers.encoder_layer_{n}");
            let even: Vec<Vec<f64>> = x.iter().map(|x| evened(&d, &format!("{name}.ln_1"), x)).collect();
            let asked = taken(&d, &format!("{name}.self_attention"), &even, 2);
            x = x.iter().zip(&asked).map(|(x, a)| plus(x, a)).collect();
            let [w0, b0, w3, b3] =
                ["0.weight", "0.bias", "3.weight", "3.bias"].map(|of| format!("{name}.mlp.{of}"));
            for x in &mut x {
                let wide = full(&d, [&w0, &b0], &evened(&d, &format!("{name}.ln_2"), x));
                let wide: Vec<f64> = wide.into_iter().map(bent).collect();
                *x = plus(x, &full(&d, [&w3, &b3], &wide));
            }
        }
        let said = evened(&d, "encoder.ln", &x[0]);
        logits.extend(full(&d, ["heads.head.weight", "heads.head.bias"], &said));
        features.extend(said);
    }
    let close = |found: Tensor<2>, wanted: &[f64]| {
        let found = found.into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(found.len(), wanted.len());
        for (f, w) in found.iter().zip(wanted) {
            assert!(
                (f64::from(*f) - w).abs() < 1e-4 * w.abs().max(1.0),
                "{found:?}\n{wanted:?}"
            );
        }
    };
    close(net.features(x.clone()), &features);
    close(net.logits(x).unwrap(), &logits);
}

#[test]
fn one_is_told_by_its_shapes() {
    let device = Device::flex();
    let d = Drawn::default();
    let design = Design {
        width: 192,
        layers: 12,
        patch: 16,
        heads: 3,
        grid: 14,
        classes: Some(1000),
    };
    Vit::new(&d.source(&device), &design).unwrap();
    // As many as its authors say (DeiT-Ti, which is built alike).
    assert_eq!(d.learned(), 5_717_416);
    let parts = d.parts();
    let open =
        |parts: &[(String, Vec<usize>, Vec<f32>)]| Backbone::open(&safetensors::write(None, parts).unwrap());
    let picture = [Picture::new(20, 30, (0..20 * 30 * 3).map(|n| (n % 251) as u8).collect()).unwrap()];
    let net = open(&parts).unwrap();
    assert_eq!((net.name(), net.dims(), net.side()), ("vit_ti_16", 192, 224));
    let found = net.embed(&picture, &|| false).unwrap();
    assert!(found[0].len() == 192 && found[0].iter().all(|v| v.is_finite()));
    // As torchvision's own files name them, behind what a wrapper adds.
    let mut before = parts.clone();
    for part in &mut before {
        let name = part
            .0
            .replace(".mlp.0.", ".mlp.linear_1.")
            .replace(".mlp.3.", ".mlp.linear_2.");
        part.0 = format!("module.{name}");
    }
    assert_eq!(open(&before).unwrap().embed(&picture, &|| false).unwrap(), found);
    type Part = (String, Vec<usize>, Vec<f32>);
    let why = |change: &dyn Fn(&mut Part)| {
        let mut parts = parts.clone();
        parts.iter_mut().for_each(change);
        match open(&parts) {
            Err(MlError::Refused(why)) => why,
            other => panic!("{other:?}"),
        }
    };
    let cut = why(&|p| {
        if p.0 == "encoder.pos_embedding" {
            (p.1[1], p.2) = (196, p.2[..196 * 192].to_vec());
        }
    });
    assert!(cut.contains("places for 196 patches"), "{cut}");
    let fewer = why(&|p| {
        if p.0.contains("encoder_layer_11.") {
            p.0.push('x');
        }
    });
    assert!(
        fewer.contains("11 layers of 192 numbers a patch of 16 pixels"),
        "{fewer}"
    );
    let missing = why(&|p| {
        if p.0.ends_with("encoder_layer_3.self_attention.in_proj_bias") {
            p.0.push('x');
        }
    });
    assert!(
        missing.contains("encoder_layer_3.self_attention.in_proj_bias is missing"),
        "{missing}"
    );
}
