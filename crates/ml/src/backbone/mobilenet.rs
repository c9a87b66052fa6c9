//! MobileNetV3 (Howard et al. 2019) as torchvision builds it, small and large: blocks that widen, look around channel by channel, weigh their
//! channels, and narrow again.

#[cfg(test)]
mod tests;

use super::source::{Conv, Source};
use super::weights::{CLASSES_MAX, Read};
use super::{Network, SIDE};
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, Linear};
use burn::tensor::Tensor;
use burn::tensor::activation::{hard_sigmoid, hard_swish, relu};

type Words<T> = Result<T, String>;

/// Of all its norms; other networks of torchvision have a hundredth of it.
const EPSILON: f64 = 1e-3;
/// What tells its weights from others'.
pub(super) const FIRST: &str = "features.0.0.weight";
/// Channels of its first layer.
const CHANNELS: usize = 16;
/// Numbers of the layer before the last, at most.
const HIDDEN_MAX: usize = 10_000;

/// A block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    kernel: usize,
    /// Channels within, and those that leave it.
    wide: usize,
    to: usize,
    /// Weighs its channels (squeeze and excitation).
    weighs: bool,
    /// Hard swish in the place of what is above 0.
    hard: bool,
    stride: usize,
}

const fn row(kernel: usize, wide: usize, to: usize, weighs: bool, hard: bool, stride: usize) -> Row {
    Row {
        kernel,
        wide,
        to,
        weighs,
        hard,
        stride,
    }
}

const SMALL: [Row; 11] = [
    row(3, 16, 16, true, false, 2),
    row(3, 72, 24, false, false, 2),
    row(3, 88, 24, false, false, 1),
    row(5, 96, 40, true, true, 2),
    row(5, 240, 40, true, true, 1),
    row(5, 240, 40, true, true, 1),
    row(5, 120, 48, true, true, 1),
    row(5, 144, 48, true, true, 1),
    row(5, 288, 96, true, true, 2),
    row(5, 576, 96, true, true, 1),
    row(5, 576, 96, true, true, 1),
];

const LARGE: [Row; 15] = [
    row(3, 16, 16, false, false, 1),
    row(3, 64, 24, false, false, 2),
    row(3, 72, 24, false, false, 1),
    row(5, 72, 40, true, false, 2),
    row(5, 120, 40, true, false, 1),
    row(5, 120, 40, true, false, 1),
    row(3, 240, 80, false, true, 2),
    row(3, 200, 80, false, true, 1),
    row(3, 184, 80, false, true, 1),
    row(3, 184, 80, false, true, 1),
    row(3, 480, 112, true, true, 1),
    row(3, 672, 112, true, true, 1),
    row(5, 672, 160, true, true, 2),
    row(5, 960, 160, true, true, 1),
    row(5, 960, 160, true, true, 1),
];

const KNOWN: [(&str, &[Row]); 2] = [("mobilenet_v3_small", &SMALL), ("mobilenet_v3_large", &LARGE)];

/// How it is built.
#[derive(Debug, Clone, Copy)]
pub(super) struct Design<'a> {
    /// Channels of the first layer.
    channels: usize,
    rows: &'a [Row],
    /// Numbers of the layer before the last, and of the last, where it has them.
    last: Option<[usize; 2]>,
}

impl Design<'_> {
    /// Channels that leave the last block.
    fn narrow(&self) -> usize {
        self.rows.last().map_or(self.channels, |row| row.to)
    }

    /// Numbers of a description.
    fn dims(&self) -> usize {
        6 * self.narrow()
    }
}

/// Channels that are few enough to be weighed by: a quarter, a multiple of 8, not less than nine tenths of what was asked for (`_make_divisible`).
const fn squeezed(channels: usize) -> usize {
    let wanted = channels / 4;
    let even = (wanted + 4) / 8 * 8;
    let even = if even < 8 { 8 } else { even };
    if even * 10 < wanted * 9 { even + 8 } else { even }
}

/// Reads one of the two that are known. `last`: with its last layers.
pub(super) fn read(source: &Source<'_>, last: bool) -> Words<Read> {
    let (name, rows) = KNOWN
        .into_iter()
        .find(|(_, rows)| {
            let end = format!("features.{}.0.weight", rows.len() + 1);
            source.has("features.1.block.0.0.weight") && source.has(&end)
        })
        .ok_or("they are of another network (`features.1.block.0.0.weight`, or the end of a MobileNetV3, is missing)")?;
    let first = |name: &str| source.shape(name).and_then(|shape| shape.first().copied());
    let last = first("classifier.0.weight")
        .zip(first("classifier.3.weight"))
        .filter(|(hidden, classes)| {
            last && (1..=HIDDEN_MAX).contains(hidden) && (1..=CLASSES_MAX).contains(classes)
        });
    let design = Design {
        channels: CHANNELS,
        rows,
        last: last.map(|(hidden, classes)| [hidden, classes]),
    };
    Ok(Read {
        net: Network::MobileNet(Box::new(MobileNet::new(source, &design)?)),
        name,
        dims: design.dims(),
        side: SIDE,
    })
}

/// `[n, 3, h, w]`, normalised, to `[n, classes]`, or to the `[n, dims]` before the last two layers.
#[derive(Debug)]
pub struct MobileNet {
    first: Normed,
    blocks: Vec<Block>,
    end: Normed,
    last: Option<[Linear; 2]>,
}

impl MobileNet {
    /// Filled with what torchvision calls its parts.
    pub(super) fn new(source: &Source<'_>, design: &Design<'_>) -> Words<Self> {
        let mut from = design.channels;
        let first = Normed::new(source, "features.0", &plain(3, from, 3, 2))?;
        let mut blocks = Vec::with_capacity(design.rows.len());
        for (n, row) in design.rows.iter().enumerate() {
            blocks.push(Block::new(
                source,
                &format!("features.{}.block", n + 1),
                from,
                row,
            )?);
            from = row.to;
        }
        let end = format!("features.{}", design.rows.len() + 1);
        let dims = design.dims();
        let last = match design.last {
            None => None,
            Some([hidden, classes]) => Some([
                source.linear(["classifier.0.weight", "classifier.0.bias"], dims, hidden)?,
                source.linear(["classifier.3.weight", "classifier.3.bias"], hidden, classes)?,
            ]),
        };
        Ok(Self {
            first,
            blocks,
            end: Normed::new(source, &end, &plain(from, dims, 1, 1))?,
            last,
        })
    }

    /// `[n, dims]`: the mean of each channel over the whole picture.
    pub fn features(&self, x: Tensor<4>) -> Tensor<2> {
        let mut x = hard_swish(self.first.forward(x));
        for block in &self.blocks {
            x = block.forward(x);
        }
        let x = hard_swish(self.end.forward(x));
        let [n, channels, _, _] = x.dims();
        x.mean_dim(3).mean_dim(2).reshape([n, channels])
    }

    /// `[n, classes]`; `None` of weights without last layers.
    pub fn logits(&self, x: Tensor<4>) -> Option<Tensor<2>> {
        let [hidden, last] = self.last.as_ref()?;
        Some(last.forward(hard_swish(hidden.forward(self.features(x)))))
    }
}

/// A convolution that keeps the size, or halves it.
const fn plain(from: usize, to: usize, kernel: usize, stride: usize) -> Conv {
    Conv {
        from,
        to,
        kernel,
        stride,
        padding: kernel / 2,
        groups: 1,
        bias: false,
    }
}

/// A convolution and its norm.
#[derive(Debug)]
struct Normed {
    conv: Conv2d,
    norm: BatchNorm,
}

impl Normed {
    fn new(source: &Source<'_>, name: &str, of: &Conv) -> Words<Self> {
        Ok(Self {
            conv: source.conv(&format!("{name}.0"), of)?,
            norm: source.batch_norm(&format!("{name}.1"), of.to, EPSILON)?,
        })
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm.forward(self.conv.forward(x))
    }
}

#[derive(Debug)]
struct Block {
    /// Where it widens at all.
    widen: Option<Normed>,
    around: Normed,
    weigh: Option<Weigh>,
    narrow: Normed,
    hard: bool,
    /// What comes in is added to what leaves.
    beside: bool,
}

impl Block {
    fn new(source: &Source<'_>, name: &str, from: usize, row: &Row) -> Words<Self> {
        // Parts are numbered one after the other, as many as there are.
        let mut parts = (0..).map(|n: usize| format!("{name}.{n}"));
        let mut next = || parts.next().unwrap_or_default();
        let wide = row.wide;
        let widen = if wide == from {
            None
        } else {
            Some(Normed::new(source, &next(), &plain(from, wide, 1, 1))?)
        };
        let around = Conv {
            groups: wide,
            ..plain(wide, wide, row.kernel, row.stride)
        };
        let around = Normed::new(source, &next(), &around)?;
        let weigh = if row.weighs {
            Some(Weigh::new(source, &next(), wide)?)
        } else {
            None
        };
        Ok(Self {
            widen,
            around,
            weigh,
            narrow: Normed::new(source, &next(), &plain(wide, row.to, 1, 1))?,
            hard: row.hard,
            beside: row.stride == 1 && from == row.to,
        })
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let bent = |x: Tensor<4>| if self.hard { hard_swish(x) } else { relu(x) };
        let came = self.beside.then(|| x.clone());
        let x = match &self.widen {
            Some(widen) => bent(widen.forward(x)),
            None => x,
        };
        let mut x = bent(self.around.forward(x));
        if let Some(weigh) = &self.weigh {
            x = weigh.forward(x);
        }
        let x = self.narrow.forward(x);
        match came {
            Some(came) => x + came,
            None => x,
        }
    }
}

/// How much each channel counts, by what all of them say on the whole (squeeze and excitation, Hu et al. 2018).
#[derive(Debug)]
struct Weigh {
    fc1: Conv2d,
    fc2: Conv2d,
}

impl Weigh {
    fn new(source: &Source<'_>, name: &str, channels: usize) -> Words<Self> {
        let few = squeezed(channels);
        let conv = |part: &str, from, to| {
            let of = Conv {
                bias: true,
                ..plain(from, to, 1, 1)
            };
            source.conv(&format!("{name}.{part}"), &of)
        };
        Ok(Self {
            fc1: conv("fc1", channels, few)?,
            fc2: conv("fc2", few, channels)?,
        })
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let mean = x.clone().mean_dim(3).mean_dim(2);
        let says = self.fc2.forward(relu(self.fc1.forward(mean)));
        x * hard_sigmoid(says, 1.0 / 6.0, 0.5)
    }
}
