//! Pictures described by a network that was trained elsewhere: the ResNets of torchvision (He et al. 2015), with the weights that an admin
//! brings as safetensors or as `torch.save` writes them. The latter are Python's pickle, which runs what is in it where Python opens it; here the few
//! things that weights consist of are read, and anything else is refused unread.

mod pickle;
mod pth;
mod resnet;
mod weights;

pub use resnet::ResNet;

use crate::Picture;
use crate::error::{MlError, Result, Stop};
use crate::nets::threads;
use burn::tensor::{Device, Tensor, TensorData};
use std::fmt;

/// Pixels a side that it sees; the picture's sides are scaled apart, so that nothing of it is left out.
pub(crate) const SIDE: u32 = 224;
const S: usize = SIDE as usize;
/// Of the pictures of ImageNet, by channel, 0..=1; what torchvision's weights expect to be taken off and divided by.
pub(crate) const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
pub(crate) const DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];
/// Pictures at once.
const BATCH: usize = 8;
/// Length of a description; about what descriptions by patches have, so that heads learn from either alike.
const LENGTH: f32 = 4.0;

/// A network without its last layer.
pub struct Backbone {
    net: ResNet,
    name: &'static str,
    dims: usize,
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
    /// Reads weights as torchvision names them. [`MlError::Refused`] for a file that is none, or of another network.
    pub fn open(bytes: &[u8]) -> Result<Self> {
        let weights::Read { net, name, dims } = weights::read(bytes, false, &Device::flex())?;
        let pool = threads::pool(threads::half()).map_err(|e| MlError::Broken(e.to_string()))?;
        Ok(Self {
            net,
            name,
            dims,
            pool,
        })
    }

    /// `resnet18`.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Numbers of a description: 512 or 2,048.
    pub const fn dims(&self) -> usize {
        self.dims
    }

    pub const fn net(&self) -> &ResNet {
        &self.net
    }

    /// Describes pictures: one vector of [`Self::dims`] numbers each, all of one length.
    pub fn embed(&self, pictures: &[Picture], stop: Stop<'_>) -> Result<Vec<Vec<f32>>> {
        let mut out = Vec::with_capacity(pictures.len());
        for part in pictures.chunks(BATCH) {
            if stop() {
                return Err(MlError::Stopped);
            }
            let input: Vec<f32> = part.iter().flat_map(planes).collect();
            let shape = [part.len(), 3, S, S];
            let found = self.pool.install(|| {
                let x = Tensor::<4>::from_data(TensorData::new(input, shape), &Device::flex());
                self.net.features(x).into_data().try_to_vec::<f32>()
            });
            let found = found.map_err(|e| MlError::Broken(format!("The network gives no numbers: {e:?}")))?;
            for row in found.chunks_exact(self.dims) {
                out.push(even(row)?);
            }
        }
        Ok(out)
    }
}

/// The network alone, with its last layer where the weights have one, on a device of the caller's.
pub fn network(bytes: &[u8], device: &Device) -> Result<ResNet> {
    Ok(weights::read(bytes, true, device)?.net)
}

/// As the network wants it: red, green and blue, one plane after the other.
fn planes(p: &Picture) -> Vec<f32> {
    let mut planes = p.scaled(S, S, 3);
    for (plane, (mean, deviation)) in planes
        .chunks_exact_mut(S * S)
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
