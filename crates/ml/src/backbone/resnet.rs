//! The network itself, with the names that torchvision's parts have.

use burn::module::{Flag, Module, ModuleMapper, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};

/// How deep it is, and how its blocks are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Design {
    /// Blocks of each of the four layers.
    pub blocks: [usize; 4],
    /// Three convolutions a block instead of two.
    pub bottleneck: bool,
    /// Channels of the first layer: 64 in all that are known.
    pub width: usize,
    /// Of the last layer, where the weights have one.
    pub classes: Option<usize>,
}

impl Design {
    /// One that is known, without a last layer.
    pub const fn of(blocks: [usize; 4], bottleneck: bool) -> Self {
        Self {
            blocks,
            bottleneck,
            width: 64,
            classes: None,
        }
    }

    /// Channels that leave a block for each of its inner ones.
    pub const fn widening(self) -> usize {
        if self.bottleneck { 4 } else { 1 }
    }

    /// Numbers of a description.
    pub const fn dims(self) -> usize {
        8 * self.width * self.widening()
    }
}

/// `[n, 3, h, w]`, normalised, to `[n, classes]`, or to the `[n, dims]` before the last layer.
#[derive(Module, Debug)]
pub struct ResNet {
    conv1: Conv2d,
    bn1: BatchNorm,
    pool: MaxPool2d,
    layer1: Vec<Block>,
    layer2: Vec<Block>,
    layer3: Vec<Block>,
    layer4: Vec<Block>,
    fc: Option<Head>,
}

impl ResNet {
    /// One of zeros, to be filled.
    pub(super) fn new(design: &Design, device: &Device) -> Self {
        let channels = design.width;
        let mut from = channels;
        let mut layer = |n: usize, width: usize, stride: usize| {
            let to = width * design.widening();
            (0..design.blocks[n])
                .map(|b| {
                    let stride = if b == 0 { stride } else { 1 };
                    let block = Block::new([from, width, to], stride, design.bottleneck, device);
                    from = to;
                    block
                })
                .collect::<Vec<_>>()
        };
        Self {
            conv1: conv(3, channels, 7, 2, device),
            bn1: BatchNormConfig::new(channels).init(device),
            pool: MaxPool2dConfig::new([3, 3])
                .with_strides([2, 2])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(),
            layer1: layer(0, channels, 1),
            layer2: layer(1, 2 * channels, 2),
            layer3: layer(2, 4 * channels, 2),
            layer4: layer(3, 8 * channels, 2),
            fc: design.classes.map(|c| Head {
                weight: Initializer::Zeros.init([c, design.dims()], device),
                bias: Initializer::Zeros.init([c], device),
            }),
        }
    }

    /// The same with another last layer, of these weights (`[classes, dims]`, row by row), to be learned.
    pub(super) fn with_last(
        mut self,
        [classes, dims]: [usize; 2],
        weights: Vec<f32>,
        device: &Device,
    ) -> Self {
        self.fc = Some(Head {
            weight: Param::from_data(TensorData::new(weights, [classes, dims]), device),
            bias: Param::from_data(TensorData::new(vec![0.0_f32; classes], [classes]), device),
        });
        self
    }

    /// The same with norms that go by what they have counted, also while it learns, and count no more. Their factors are learned on.
    pub(super) fn steady(self) -> Self {
        self.map(&mut Steady)
    }

    /// `[n, dims]`: the mean of each channel over the whole picture.
    pub fn features(&self, x: Tensor<4>) -> Tensor<2> {
        let mut x = self.pool.forward(relu(self.bn1.forward(self.conv1.forward(x))));
        for block in [&self.layer1, &self.layer2, &self.layer3, &self.layer4]
            .into_iter()
            .flatten()
        {
            x = block.forward(x);
        }
        let [n, channels, _, _] = x.dims();
        x.mean_dim(3).mean_dim(2).reshape([n, channels])
    }

    /// `[n, classes]`; `None` of weights without a last layer.
    pub fn logits(&self, x: Tensor<4>) -> Option<Tensor<2>> {
        let head = self.fc.as_ref()?;
        Some(head.forward(self.features(x)))
    }
}

/// Tells norms that they are not learning.
struct Steady;

impl ModuleMapper for Steady {
    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        flag.with_value(false)
    }
}

#[derive(Module, Debug)]
struct Block {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
    conv3: Option<Conv2d>,
    bn3: Option<BatchNorm>,
    downsample: Option<Down>,
}

impl Block {
    fn new([from, width, to]: [usize; 3], stride: usize, bottleneck: bool, device: &Device) -> Self {
        // Of three convolutions the middle one steps.
        let (first, second) = if bottleneck {
            ((1, 1), stride)
        } else {
            ((3, stride), 1)
        };
        let norm = |n| BatchNormConfig::new(n).init(device);
        Self {
            conv1: conv(from, width, first.0, first.1, device),
            bn1: norm(width),
            conv2: conv(width, width, 3, second, device),
            bn2: norm(width),
            conv3: bottleneck.then(|| conv(width, to, 1, 1, device)),
            bn3: bottleneck.then(|| norm(to)),
            downsample: (stride != 1 || from != to).then(|| Down {
                conv: conv(from, to, 1, stride, device),
                bn: norm(to),
            }),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let beside = match &self.downsample {
            Some(down) => down.bn.forward(down.conv.forward(x.clone())),
            None => x.clone(),
        };
        let x = relu(self.bn1.forward(self.conv1.forward(x)));
        let mut x = self.bn2.forward(self.conv2.forward(x));
        if let (Some(conv), Some(norm)) = (&self.conv3, &self.bn3) {
            x = norm.forward(conv.forward(relu(x)));
        }
        relu(x + beside)
    }
}

#[derive(Module, Debug)]
struct Down {
    conv: Conv2d,
    bn: BatchNorm,
}

/// The last layer.
#[derive(Module, Debug)]
struct Head {
    /// `[classes, dims]`
    weight: Param<Tensor<2>>,
    bias: Param<Tensor<1>>,
}

impl Head {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        x.matmul(self.weight.val().transpose()) + self.bias.val().unsqueeze()
    }
}

fn conv(from: usize, to: usize, kernel: usize, stride: usize, device: &Device) -> Conv2d {
    let pad = kernel / 2;
    Conv2dConfig::new([from, to], [kernel, kernel])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
        .with_bias(false)
        .with_initializer(Initializer::Zeros)
        .init(device)
}
