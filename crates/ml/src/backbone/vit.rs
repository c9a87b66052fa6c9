//! Vision transformers (Dosovitskiy et al. 2021) as torchvision builds them. How deep and wide one is follows from the shapes in the file.

#[cfg(test)]
mod tests;

use super::Network;
use super::source::{Conv, Source, param};
use super::weights::{CLASSES_MAX, Read};
use burn::module::Param;
use burn::nn::conv::Conv2d;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::Tensor;
use burn::tensor::activation::{gelu, softmax};

type Words<T> = Result<T, String>;

const EPSILON: f64 = 1e-6;
/// What tells its weights from others'.
pub(super) const TOKEN: &str = "class_token";
/// Sides of pictures that weights may be for, in pixels.
const SIDES: std::ops::RangeInclusive<usize> = 32..=512;

/// Name, width, layers, pixels a side of a patch, heads.
const KNOWN: [(&str, [usize; 4]); 7] = [
    ("vit_b_16", [768, 12, 16, 12]),
    ("vit_b_32", [768, 12, 32, 12]),
    ("vit_l_16", [1024, 24, 16, 16]),
    ("vit_l_32", [1024, 24, 32, 16]),
    ("vit_s_16", [384, 12, 16, 6]),
    ("vit_s_32", [384, 12, 32, 6]),
    ("vit_ti_16", [192, 12, 16, 3]),
];
const LAYERS_MAX: usize = 64;

/// How it is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Design {
    width: usize,
    layers: usize,
    /// Pixels a side of a patch.
    patch: usize,
    heads: usize,
    /// Patches a side of the picture.
    grid: usize,
    /// Of the last layer, where it has one.
    classes: Option<usize>,
}

fn layer(n: usize) -> String {
    format!("encoder.layers.encoder_layer_{n}")
}

/// Reads one that is known. `last`: with its last layer.
pub(super) fn read(source: &Source<'_>, last: bool) -> Words<Read> {
    let (name, design) = design(source, last)?;
    let side = design.grid * design.patch;
    Ok(Read {
        net: Network::Vit(Box::new(Vit::new(source, &design)?)),
        name,
        dims: design.width,
        side: side as u32,
    })
}

fn design(source: &Source<'_>, last: bool) -> Words<(&'static str, Design)> {
    let shape = |name: &str| source.shape(name).ok_or_else(|| format!("{name} is missing"));
    let [width, 3, patch, _] = *shape("conv_proj.weight")? else {
        return Err("conv_proj.weight is none of patches of a picture".to_owned());
    };
    let layers = (0..LAYERS_MAX)
        .take_while(|n| source.has(&format!("{}.ln_1.weight", layer(*n))))
        .count();
    let (name, [_, _, _, heads]) = KNOWN
        .into_iter()
        .find(|(_, known)| known[..3] == [width, layers, patch])
        .ok_or_else(|| {
            format!("they have {layers} layers of {width} numbers a patch of {patch} pixels, as no network that is known")
        })?;
    let [1, tokens, _] = *shape("encoder.pos_embedding")? else {
        return Err("encoder.pos_embedding has not three sides".to_owned());
    };
    let grid = tokens.saturating_sub(1).isqrt();
    let whole = grid.checked_mul(grid).and_then(|n| n.checked_add(1)) == Some(tokens);
    let side = grid.saturating_mul(patch);
    if !whole || !SIDES.contains(&side) {
        return Err(format!(
            "they have places for {tokens} patches, and not for a square picture of {} to {} pixels a side",
            SIDES.start(),
            SIDES.end()
        ));
    }
    // One with a layer before the last is described by as well; its last layer is not asked for.
    let head = source
        .shape("heads.head.weight")
        .filter(|_| last && !source.has("heads.pre_logits.weight"));
    let classes = head.and_then(|shape| shape.first().copied());
    let design = Design {
        width,
        layers,
        patch,
        heads,
        grid,
        classes: classes.filter(|n| (1..=CLASSES_MAX).contains(n)),
    };
    Ok((name, design))
}

/// `[n, 3, side, side]`, normalised, to `[n, classes]`, or to the `[n, width]` before the last layer. The side is that of the pictures it learned from.
#[derive(Debug)]
pub struct Vit {
    patches: Conv2d,
    /// `[1, 1, width]`, `[1, 1 + patches, width]`
    token: Param<Tensor<3>>,
    places: Param<Tensor<3>>,
    layers: Vec<Layer>,
    norm: LayerNorm,
    last: Option<Linear>,
}

impl Vit {
    /// Filled with what torchvision calls its parts.
    pub(super) fn new(source: &Source<'_>, design: &Design) -> Words<Self> {
        let Design {
            width, patch, grid, ..
        } = *design;
        let patches = Conv {
            from: 3,
            to: width,
            kernel: patch,
            stride: patch,
            padding: 0,
            groups: 1,
            bias: true,
        };
        let layers: Words<Vec<Layer>> = (0..design.layers)
            .map(|n| Layer::new(source, &layer(n), design))
            .collect();
        let last = match design.classes {
            None => None,
            Some(n) => Some(source.linear(["heads.head.weight", "heads.head.bias"], width, n)?),
        };
        Ok(Self {
            patches: source.conv("conv_proj", &patches)?,
            token: param(source.tensor(TOKEN, [1, 1, width])?),
            places: param(source.tensor("encoder.pos_embedding", [1, 1 + grid * grid, width])?),
            layers: layers?,
            norm: source.layer_norm("encoder.ln", width, EPSILON)?,
            last,
        })
    }

    /// `[n, width]`: what the token that stands for the whole picture has become.
    pub fn features(&self, x: Tensor<4>) -> Tensor<2> {
        let x = self.patches.forward(x);
        let [n, width, down, across] = x.dims();
        let x: Tensor<3> = x.reshape([n, width, down * across]).swap_dims(1, 2);
        let token = self.token.val().repeat_dim(0, n);
        let mut x = Tensor::cat(vec![token, x], 1) + self.places.val();
        for layer in &self.layers {
            x = layer.forward(x);
        }
        self.norm.forward(x.narrow(1, 0, 1)).reshape([n, width])
    }

    /// `[n, classes]`; `None` of weights without a last layer.
    pub fn logits(&self, x: Tensor<4>) -> Option<Tensor<2>> {
        let last = self.last.as_ref()?;
        Some(last.forward(self.features(x)))
    }
}

#[derive(Debug)]
struct Layer {
    before: LayerNorm,
    asks: Attention,
    between: LayerNorm,
    widen: Linear,
    narrow: Linear,
}

impl Layer {
    fn new(source: &Source<'_>, name: &str, design: &Design) -> Words<Self> {
        let width = design.width;
        // Before torchvision 0.14 the parts in between had other names.
        let mlp = |new: &str, old: &str, from, to| {
            let old_name = format!("{name}.mlp.{old}");
            let own = if source.has(&format!("{old_name}.weight")) {
                old_name
            } else {
                format!("{name}.mlp.{new}")
            };
            source.linear([&format!("{own}.weight"), &format!("{own}.bias")], from, to)
        };
        Ok(Self {
            before: source.layer_norm(&format!("{name}.ln_1"), width, EPSILON)?,
            asks: Attention::new(source, &format!("{name}.self_attention"), width, design.heads)?,
            between: source.layer_norm(&format!("{name}.ln_2"), width, EPSILON)?,
            widen: mlp("0", "linear_1", width, 4 * width)?,
            narrow: mlp("3", "linear_2", 4 * width, width)?,
        })
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let x = self.asks.forward(self.before.forward(x.clone())) + x;
        let y = gelu(self.widen.forward(self.between.forward(x.clone())));
        x + self.narrow.forward(y)
    }
}

/// What each place takes from all others, by several heads.
#[derive(Debug)]
struct Attention {
    /// What it asks, what it is found by, and what it says, one after the other.
    given: Linear,
    out: Linear,
    heads: usize,
}

impl Attention {
    fn new(source: &Source<'_>, name: &str, width: usize, heads: usize) -> Words<Self> {
        let part = |of: &str| format!("{name}.{of}");
        Ok(Self {
            given: source.linear([&part("in_proj_weight"), &part("in_proj_bias")], width, 3 * width)?,
            out: source.linear([&part("out_proj.weight"), &part("out_proj.bias")], width, width)?,
            heads,
        })
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let [n, places, width] = x.dims();
        let each = width / self.heads;
        let given = self.given.forward(x);
        // `[n, heads, places, each]`
        let part = |k: usize| -> Tensor<4> {
            let own = given.clone().narrow(2, k * width, width);
            own.reshape([n, places, self.heads, each]).swap_dims(1, 2)
        };
        let (asked, found_by, says) = (part(0), part(1), part(2));
        let alike = asked
            .matmul(found_by.swap_dims(2, 3))
            .mul_scalar((each as f32).sqrt().recip());
        let taken = softmax(alike, 3).matmul(says);
        self.out
            .forward(taken.swap_dims(1, 2).reshape([n, places, width]))
    }
}
