//! Says what every pixel shows: down to cells of 16 pixels for what surrounds it, and up again with what was seen on the way (after U-Net,
//! Ronneberger et al. 2015). What is told of is two by two pixels large.

mod judge;
mod paint;

pub(super) use judge::judge;

use super::layers::{Block, last, twice};
use super::learn::{Losses, Network, Targets, fresh};
use super::plan::{Design, Plan};
use super::warp::CHANNELS;
use crate::processor::numbers;
use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::{log_softmax, softmax};
use burn::tensor::{Device, Tensor, TensorData};
use limn_services::training::port::{EngineError, NetTraining, Painted, PixelMap, Prediction};

/// A pixel that nobody judges: beyond the picture's edge.
pub(super) const IGNORED: u8 = u8::MAX;
/// What a category is sure from; the likeliest one is said in any case.
pub(super) const THRESHOLD: f32 = 0.5;

/// `[n, 12, h / 2, w / 2]` to `[n, categories + 1, h / 2, w / 2]` before the softmax; the last is "nothing".
#[derive(Module, Debug)]
pub(super) struct Segmenter {
    stem: Block,
    second: Block,
    second_more: Block,
    third: Block,
    third_more: Block,
    fourth: Block,
    fourth_more: Block,
    up_third: Block,
    mix_third: Block,
    up_second: Block,
    mix_second: Block,
    up_first: Block,
    mix_first: Block,
    last: Conv2d,
}

impl Segmenter {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let first = self.stem.forward(x);
        let second = self.second.forward(first.clone());
        let second = second.clone() + self.second_more.forward(second);
        let third = self.third.forward(second.clone());
        let third = third.clone() + self.third_more.forward(third);
        let fourth = self.fourth.forward(third.clone());
        let fourth = fourth.clone() + self.fourth_more.forward(fourth);
        let third = self
            .mix_third
            .forward(third + twice(self.up_third.forward(fourth)));
        let second = self
            .mix_second
            .forward(second + twice(self.up_second.forward(third)));
        let first = self
            .mix_first
            .forward(first + twice(self.up_first.forward(second)));
        self.last.forward(first)
    }

    /// The probability of each class at every pixel, with the sizes of `[n, classes, h, w]`.
    fn odds(&self, x: Tensor<4>) -> Result<(Vec<f32>, [usize; 4]), EngineError> {
        let said = softmax(self.forward(x), 1);
        let sizes = said.dims();
        let values = numbers(said)
            .map_err(|why| EngineError::Broken(format!("The network gives no numbers: {why}")))?;
        if values.iter().any(|v| !v.is_finite()) {
            return Err(EngineError::Broken(
                "The network gives no numbers; train it again.".to_owned(),
            ));
        }
        Ok((values, sizes))
    }

    pub(super) fn new(design: &Design, device: &Device) -> Self {
        let block = |from, to, stride| Block::new(from, to, 3, stride, device);
        let narrow = |from, to| Block::new(from, to, 1, 1, device);
        Self {
            stem: block(CHANNELS, 32, 1),
            second: block(32, 48, 2),
            second_more: block(48, 48, 1),
            third: block(48, 96, 2),
            third_more: block(96, 96, 1),
            fourth: block(96, 128, 2),
            fourth_more: block(128, 128, 1),
            up_third: narrow(128, 96),
            mix_third: block(96, 96, 1),
            up_second: narrow(96, 48),
            mix_second: block(48, 48, 1),
            up_first: narrow(48, 32),
            mix_first: block(32, 32, 1),
            last: last(32, design.categories + 1, 0.0, device),
        }
    }
}

impl Network for Segmenter {
    fn begin(plan: &Plan, _: &NetTraining<'_>, device: &Device) -> Result<Self, EngineError> {
        Ok(fresh(plan, Self::new(&plan.design, device)))
    }

    fn losses(&self, x: Tensor<4>, targets: Targets, plan: &Plan) -> Result<Losses, EngineError> {
        let Targets::Pixels { of } = targets else {
            return Err(EngineError::Broken("A segmenter learns from pixels.".to_owned()));
        };
        let said = self.forward(x);
        let device = said.device();
        let [n, classes, h, w] = said.dims();
        let area = h * w;
        let mut right = vec![0.0_f32; n * classes * area];
        let mut sum = 0.0;
        for (at, class) in of.iter().enumerate() {
            let class = usize::from(*class);
            if class >= classes {
                continue;
            }
            let weight = plan.weights.get(class).copied().unwrap_or(1.0);
            right[(at / area * classes + class) * area + at % area] = weight;
            sum += weight;
        }
        let right = Tensor::<4>::from_data(TensorData::new(right, [n, classes, h, w]), &device);
        let total = (log_softmax(said, 1) * right).sum().div_scalar(-sum.max(1e-6));
        Ok(Losses {
            total,
            parts: Vec::new(),
        })
    }

    fn say(&self, x: Tensor<4>, design: &Design) -> Result<Vec<Prediction>, EngineError> {
        let (values, [n, classes, h, w]) = self.odds(x)?;
        let area = h * w;
        Ok((0..n)
            .map(|i| told(&values[i * classes * area..][..classes * area], design, (w, h)))
            .collect())
    }

    fn paint(&self, x: Tensor<4>, sizes: &[(usize, usize)]) -> Result<Vec<Painted>, EngineError> {
        let (values, [_, classes, h, w]) = self.odds(x)?;
        let each = values.chunks_exact(classes * h * w);
        Ok(each
            .zip(sizes)
            .map(|(p, size)| paint::painted(p, classes, (w, h), *size))
            .collect())
    }
}

/// The likeliest class of every pixel, and how sure each category is where it is said, on average.
fn told(p: &[f32], design: &Design, (width, height): (usize, usize)) -> Prediction {
    let area = width * height;
    let mut pixels = vec![PixelMap::NOTHING; area];
    let mut sums = vec![(0.0_f32, 0_usize); design.categories];
    for (at, out) in pixels.iter_mut().enumerate() {
        let of = |class: usize| p[class * area + at];
        let likeliest = (0..=design.categories).max_by(|a, b| of(*a).total_cmp(&of(*b)));
        if let Some(class) = likeliest.filter(|c| *c < design.categories) {
            *out = class as u8;
            sums[class].0 += of(class);
            sums[class].1 += 1;
        }
    }
    let sure = sums
        .into_iter()
        .map(|(sum, n)| if n == 0 { 0.0 } else { sum / n as f32 });
    Prediction::Pixels {
        map: PixelMap::new(width, height, &pixels),
        sure: sure.collect(),
    }
}
