//! What networks are built from.

use crate::Rng;
use burn::module::{Module, ModuleMapper, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use burn::tensor::{Device, Tensor, TensorData};

/// A convolution, normalised over the batch, without what is below zero. `[n, from, h, w]` to `[n, to, h / stride, w / stride]`.
#[derive(Module, Debug)]
pub(super) struct Block {
    conv: Conv2d,
    norm: BatchNorm,
}

impl Block {
    pub(super) fn new(from: usize, to: usize, kernel: usize, stride: usize, device: &Device) -> Self {
        let pad = kernel / 2;
        Self {
            conv: Conv2dConfig::new([from, to], [kernel, kernel])
                .with_stride([stride, stride])
                .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
                .with_bias(false)
                .with_initializer(Initializer::Zeros)
                .init(device),
            norm: BatchNormConfig::new(to).init(device),
        }
    }

    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        relu(self.norm.forward(self.conv.forward(x)))
    }
}

/// A last layer: one weight a channel, and `bias` to start from.
pub(super) fn last(from: usize, to: usize, bias: f32, device: &Device) -> Conv2d {
    let mut conv = Conv2dConfig::new([from, to], [1, 1])
        .with_initializer(Initializer::Zeros)
        .init(device);
    conv.bias = Some(Param::from_data(TensorData::new(vec![bias; to], [to]), device));
    conv
}

/// Twice as wide and high.
pub(super) fn twice(x: Tensor<4>) -> Tensor<4> {
    let [_, _, h, w] = x.dims();
    let nearest = InterpolateOptions::new(InterpolateMode::Nearest)
        .with_align_corners(false)
        .with_output_size([h * 2, w * 2]);
    interpolate(x, nearest)
}

/// The weights of all convolutions by chance (He et al. 2015), from a generator of our own: Burn's is shared by everything on the device.
pub(super) fn draw<M: Module>(network: M, rng: &mut Rng) -> M {
    network.map(&mut Draw(rng))
}

struct Draw<'a>(&'a mut Rng);

impl ModuleMapper for Draw<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let dims = param.val().dims();
        if D != 4 {
            return param;
        }
        let inputs: usize = dims[1..].iter().product();
        let scale = (2.0 / inputs.max(1) as f64).sqrt();
        let n: usize = dims.iter().product();
        let values: Vec<f32> = (0..n).map(|_| (self.0.normal() * scale) as f32).collect();
        let device = param.val().device();
        let id = param.id;
        param.transform_for_load(Tensor::from_data(TensorData::new(values, dims), &device), id)
    }
}
