//! Pictures described by a network that was trained elsewhere: ResNets (He et al. 2015), MobileNetV3 and vision transformers as torchvision builds them, with the weights that
//! an admin brings as safetensors or as `torch.save` writes them. The latter are Python's pickle, which runs what is in it where Python opens it; here the few
//! things that weights consist of are read, and anything else is refused unread.

mod mobilenet;
mod pickle;
mod pth;
mod resnet;
mod source;
mod tunable;
mod vit;
mod weights;

pub use mobilenet::MobileNet;
pub use resnet::ResNet;
pub use vit::Vit;

pub(crate) use tunable::Tunable;
#[cfg(test)]
pub(crate) use tunable::tiny;

use crate::Picture;
use crate::error::{MlError, Result, Stop};
use crate::nets::threads;
use crate::processor::{Processor, numbers};
use burn::tensor::{Device, Tensor, TensorData};
use std::fmt;

/// Pixels a side that most see; the picture's sides are scaled apart, so that nothing of it is left out.
const SIDE: u32 = 224;
/// Of the pictures of ImageNet, by channel, 0..=1; what torchvision's weights expect to be taken off and divided by.
pub(crate) const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
pub(crate) const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];
/// Pictures of [`SIDE`] pixels a side, and of smaller ones, at once.
const BATCH: usize = 8;
/// Length of a description; about what descriptions by patches have, so that heads learn from either alike.
const LENGTH: f32 = 4.0;

/// One of those that are known.
#[derive(Debug)]
pub enum Network {
    ResNet(Box<ResNet>),
    MobileNet(Box<MobileNet>),
    Vit(Box<Vit>),
}

impl Network {
    /// `[n, 3, side, side]`, normalised, to the `[n, dims]` that describe pictures: what the last layer would be given (of a MobileNet, the last two).
    pub fn features(&self, x: Tensor<4>) -> Tensor<2> {
        match self {
            Self::ResNet(net) => net.features(x),
            Self::MobileNet(net) => net.features(x),
            Self::Vit(net) => net.features(x),
        }
    }

    /// `[n, classes]`; `None` of weights without a last layer.
    pub fn logits(&self, x: Tensor<4>) -> Option<Tensor<2>> {
        match self {
            Self::ResNet(net) => net.logits(x),
            Self::MobileNet(net) => net.logits(x),
            Self::Vit(net) => net.logits(x),
        }
    }
}

/// A network without its last layer.
pub struct Backbone {
    net: Network,
    name: &'static str,
    dims: usize,
    side: u32,
    device: Device,
    pool: rayon::ThreadPool,
}

impl fmt::Debug for Backbone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backbone")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Backbone {
    /// Reads weights as torchvision names them, for the CPU. [`MlError::Refused`] for a file that is none, or of another network.
    pub fn open(bytes: &[u8]) -> Result<Self> {
        Self::open_on(bytes, Processor::Cpu)
    }

    /// For another processor; [`MlError::Refused`] too where that cannot be used.
    pub fn open_on(bytes: &[u8], processor: Processor) -> Result<Self> {
        let on = processor.open().map_err(MlError::Refused)?;
        let weights::Read {
            net,
            name,
            dims,
            side,
        } = weights::read(bytes, false, &on.device)?;
        let pool = threads::pool(on.threads()).map_err(|e| MlError::Broken(e.to_string()))?;
        Ok(Self {
            net,
            name,
            dims,
            side,
            device: on.device,
            pool,
        })
    }

    /// `resnet18`.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Numbers of a description: 192 to 2,048.
    pub const fn dims(&self) -> usize {
        self.dims
    }

    /// Pixels a side of the pictures it looks at.
    pub const fn side(&self) -> u32 {
        self.side
    }

    /// Describes pictures: one vector of [`Self::dims`] numbers each, all of one length.
    pub fn embed(&self, pictures: &[Picture], stop: Stop<'_>) -> Result<Vec<Vec<f32>>> {
        let mut out = Vec::with_capacity(pictures.len());
        let side = self.side as usize;
        for part in pictures.chunks(at_once(self.side)) {
            if stop() {
                return Err(MlError::Stopped);
            }
            let input: Vec<f32> = part.iter().flat_map(|p| planes(p, side)).collect();
            let shape = [part.len(), 3, side, side];
            let found = self.pool.install(|| {
                let x = Tensor::<4>::from_data(TensorData::new(input, shape), &self.device);
                numbers(self.net.features(x))
            });
            let found =
                found.map_err(|why| MlError::Broken(format!("The network gives no numbers: {why}")))?;
            for row in found.chunks_exact(self.dims) {
                out.push(even(row)?);
            }
        }
        Ok(out)
    }
}

/// The network alone, with its last layer where the weights have one, on a device of the caller's.
pub fn network(bytes: &[u8], device: &Device) -> Result<Network> {
    Ok(weights::read(bytes, true, device)?.net)
}

/// Pictures of this side at once. A transformer compares all patches with each other, so that what it holds grows by the fourth power of
/// the side: for eight pictures of 512 pixels by gigabytes.
const fn at_once(side: u32) -> usize {
    if side <= SIDE { BATCH } else { 1 }
}

/// As the network wants it: red, green and blue, one plane after the other.
fn planes(p: &Picture, side: usize) -> Vec<f32> {
    let mut planes = p.scaled(side, side, 3);
    for (plane, (mean, deviation)) in planes
        .chunks_exact_mut(side * side)
        .zip(MEAN.into_iter().zip(DEVIATION))
    {
        for v in plane {
            *v = (*v - mean) / deviation;
        }
    }
    planes
}

/// Of one length; nothing stays nothing.
pub(crate) fn even(row: &[f32]) -> Result<Vec<f32>> {
    let length = row.iter().map(|v| v * v).sum::<f32>().sqrt();
    if !length.is_finite() {
        return Err(MlError::Refused(
            "The network's weights give no numbers for a picture; use others.".to_owned(),
        ));
    }
    let by = if length > 1e-12 { LENGTH / length } else { 0.0 };
    Ok(row.iter().map(|v| v * by).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_pictures_are_looked_at_one_by_one() {
        assert_eq!([32, 224, 384, 512].map(at_once), [8, 8, 1, 1]);
    }
}
