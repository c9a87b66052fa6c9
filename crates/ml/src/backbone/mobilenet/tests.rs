//! The same numbers as arithmetic of one's own, and the names and sizes that torchvision's have.

use super::*;
use crate::backbone::source::Drawn;
use crate::backbone::{Backbone, network};
use crate::error::MlError;
use crate::{Picture, safetensors};
use burn::tensor::{Device, TensorData};

/// Channels of a picture, one plane after the other.
struct Map {
    channels: usize,
    height: usize,
    width: usize,
    v: Vec<f64>,
}

impl Map {
    fn at(&self, c: usize, y: isize, x: isize) -> f64 {
        let (inside, w) = (y >= 0 && x >= 0, self.width);
        if inside && (y as usize) < self.height && (x as usize) < w {
            self.v[(c * self.height + y as usize) * w + x as usize]
        } else {
            0.0
        }
    }

    fn each(mut self, of: impl Fn(f64) -> f64) -> Self {
        for v in &mut self.v {
            *v = of(*v);
        }
        self
    }

    fn means(&self) -> Vec<f64> {
        let area = self.height * self.width;
        self.v
            .chunks(area)
            .map(|plane| plane.iter().sum::<f64>() / area as f64)
            .collect()
    }
}

fn above(v: f64) -> f64 {
    v.max(0.0)
}

fn swish(v: f64) -> f64 {
    v * (v + 3.0).clamp(0.0, 6.0) / 6.0
}

/// A convolution by `[to, from / groups, kernel, kernel]`, then a norm, as PyTorch defines them.
fn normed(d: &Drawn, name: &str, x: &Map, kernel: usize, stride: usize, groups: usize) -> Map {
    let w = d.numbers(&format!("{name}.0.weight"));
    let [scale, lift, mean, var] =
        ["weight", "bias", "running_mean", "running_var"].map(|of| d.numbers(&format!("{name}.1.{of}")));
    let (to, inner, pad) = (scale.len(), x.channels / groups, (kernel / 2) as isize);
    let (height, width) = (x.height.div_ceil(stride), x.width.div_ceil(stride));
    let mut v = Vec::new();
    for o in 0..to {
        let group = o / (to / groups);
        for y in 0..height {
            for across in 0..width {
                let mut sum = 0.0;
                for i in 0..inner {
                    for ky in 0..kernel {
                        for kx in 0..kernel {
                            let (py, px) = (y * stride + ky, across * stride + kx);
                            sum += w[((o * inner + i) * kernel + ky) * kernel + kx]
                                * x.at(group * inner + i, py as isize - pad, px as isize - pad);
                        }
                    }
                }
                v.push((sum - mean[o]) / (var[o] + 1e-3).sqrt() * scale[o] + lift[o]);
            }
        }
    }
    Map {
        channels: to,
        height,
        width,
        v,
    }
}

fn full(d: &Drawn, name: &str, x: &[f64]) -> Vec<f64> {
    let (w, b) = (
        d.numbers(&format!("{name}.weight")),
        d.numbers(&format!("{name}.bias")),
    );
    let rows = w.chunks(x.len()).zip(&b);
    rows.map(|(row, b)| row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>() + b)
        .collect()
}

fn weighed(d: &Drawn, name: &str, x: Map) -> Map {
    let few: Vec<f64> = full(d, &format!("{name}.fc1"), &x.means())
        .into_iter()
        .map(above)
        .collect();
    let says = full(d, &format!("{name}.fc2"), &few);
    let area = x.height * x.width;
    let v = x.v.iter().enumerate();
    let v = v
        .map(|(n, v)| v * (says[n / area] / 6.0 + 0.5).clamp(0.0, 1.0))
        .collect();
    Map { v, ..x }
}

fn plus(a: Map, b: &Map) -> Map {
    let v = a.v.iter().zip(&b.v).map(|(a, b)| a + b).collect();
    Map { v, ..a }
}

fn close(found: &[f32], wanted: &[f64]) {
    assert_eq!(found.len(), wanted.len());
    for (f, w) in found.iter().zip(wanted) {
        assert!(
            (f64::from(*f) - w).abs() < 1e-4 * w.abs().max(1.0),
            "{found:?}\n{wanted:?}"
        );
    }
}

fn numbers(t: Tensor<2>) -> Vec<f32> {
    t.into_data().try_to_vec::<f32>().unwrap()
}

#[test]
fn a_narrow_one_says_what_arithmetic_says() {
    const ROWS: [Row; 3] = [
        row(3, 8, 8, true, false, 1),
        row(5, 16, 12, true, true, 2),
        row(3, 24, 12, false, true, 1),
    ];
    let device = Device::flex();
    let d = Drawn::default();
    let design = Design {
        channels: 8,
        rows: &ROWS,
        last: Some([10, 4]),
    };
    let net = MobileNet::new(&d.source(&device), &design).unwrap();
    let (n, height, width) = (2, 12, 9);
    let pixels: Vec<f32> = (0..n * 3 * height * width)
        .map(|i| ((i * 37 + i / 11) % 101) as f32 / 50.0 - 1.0)
        .collect();
    let x = Tensor::<4>::from_data(TensorData::new(pixels.clone(), [n, 3, height, width]), &device);
    let (mut features, mut logits) = (Vec::new(), Vec::new());
    for one in pixels.chunks(3 * height * width) {
        let x = Map {
            channels: 3,
            height,
            width,
            v: one.iter().map(|v| f64::from(*v)).collect(),
        };
        let x = normed(&d, "features.0", &x, 3, 2, 1).each(swish);
        // As wide as what comes in: nothing widens it.
        let y = normed(&d, "features.1.block.0", &x, 3, 1, 8).each(above);
        let y = weighed(&d, "features.1.block.1", y);
        let x = plus(normed(&d, "features.1.block.2", &y, 1, 1, 1), &x);
        let y = normed(&d, "features.2.block.0", &x, 1, 1, 1).each(swish);
        let y = normed(&d, "features.2.block.1", &y, 5, 2, 16).each(swish);
        let y = weighed(&d, "features.2.block.2", y);
        let x = normed(&d, "features.2.block.3", &y, 1, 1, 1);
        let y = normed(&d, "features.3.block.0", &x, 1, 1, 1).each(swish);
        let y = normed(&d, "features.3.block.1", &y, 3, 1, 24).each(swish);
        let x = plus(normed(&d, "features.3.block.2", &y, 1, 1, 1), &x);
        let said = normed(&d, "features.4", &x, 1, 1, 1).each(swish).means();
        let hidden: Vec<f64> = full(&d, "classifier.0", &said).into_iter().map(swish).collect();
        logits.extend(full(&d, "classifier.3", &hidden));
        features.extend(said);
    }
    assert_eq!(features.len(), n * 72);
    close(&numbers(net.features(x.clone())), &features);
    close(&numbers(net.logits(x).unwrap()), &logits);
}

#[test]
fn those_of_torchvision_have_their_names_and_sizes() {
    let device = Device::flex();
    // As many numbers as torchvision says of each.
    for (rows, last, count) in [
        (&SMALL[..], [1024, 1000], 2_542_856),
        (&LARGE[..], [1280, 1000], 5_483_032),
    ] {
        let d = Drawn::default();
        let design = Design {
            channels: CHANNELS,
            rows,
            last: Some(last),
        };
        MobileNet::new(&d.source(&device), &design).unwrap();
        assert_eq!(d.learned(), count);
        if last[0] == 1280 {
            continue;
        }
        let parts = d.parts();
        for (name, shape) in [
            ("features.0.1.running_var", &[16][..]),
            ("features.1.block.0.0.weight", &[16, 1, 3, 3]),
            ("features.1.block.1.fc1.weight", &[8, 16, 1, 1]),
            ("features.4.block.2.fc2.bias", &[96]),
            ("features.12.0.weight", &[576, 96, 1, 1]),
            ("classifier.3.bias", &[1000]),
        ] {
            let found = parts.iter().find(|p| p.0 == name);
            assert_eq!(found.map(|p| &p.1[..]), Some(shape), "{name}");
        }
        let bytes = safetensors::write(None, &parts).unwrap();
        let net = Backbone::open(&bytes).unwrap();
        assert_eq!(
            (net.name(), net.dims(), net.side()),
            ("mobilenet_v3_small", 576, 224)
        );
        let picture = |v: u8| Picture::new(20, 30, vec![v; 20 * 30 * 3]).unwrap();
        let found = net.embed(&[picture(20), picture(220)], &|| false).unwrap();
        assert!(found.len() == 2 && found[0].len() == 576 && found[0] != found[1]);
        assert!(found.iter().flatten().all(|v| v.is_finite()));
        let x = Tensor::<4>::zeros([1, 3, 32, 32], &device);
        let logits = network(&bytes, &device).unwrap().logits(x).unwrap();
        assert_eq!(logits.dims(), [1, 1000]);
        let fewer: Vec<_> = parts
            .into_iter()
            .filter(|p| p.0 != "features.7.block.2.fc1.bias")
            .collect();
        let why = Backbone::open(&safetensors::write(None, &fewer).unwrap());
        assert!(
            matches!(why, Err(MlError::Refused(m)) if m.contains("features.7.block.2.fc1.bias is missing"))
        );
    }
    // Another one that begins alike, such as MobileNetV2.
    let other = vec![(FIRST.to_owned(), vec![32, 3, 3, 3], vec![0.0; 864])];
    let why = Backbone::open(&safetensors::write(None, &other).unwrap());
    assert!(matches!(why, Err(MlError::Refused(m)) if m.contains("of another network")));
}
