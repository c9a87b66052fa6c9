//! Says what a whole picture shows by a network that somebody brought, which learns on from its weights, all of its layers, with a last one of its own
//! (docs/adr/0036).

#[cfg(test)]
mod tests;

use super::super::learn::{Losses, Network, Targets};
use super::super::plan::{BACKBONE_SLOW, Design, Plan};
use super::{losses, told};
use crate::backbone::{DEVIATION, MEAN, ResNet, Tunable};
use burn::lr_scheduler::module_lr_scheduler::{ModuleLearningRate, ModuleLrScheduler};
use burn::module::{Module, ParamGroup};
use burn::tensor::{Device, Tensor, TensorData};
use limn_services::training::port::{EngineError, NetTraining, Prediction};

/// Its last layer, by the names that its parts have in files.
const LAST: [&str; 2] = ["net.fc.weight", "net.fc.bias"];

/// `[n, 12, h / 2, w / 2]` to `[n, categories]` before the softmax or the sigmoid.
#[derive(Module, Debug)]
pub(in crate::nets) struct Tuned {
    net: ResNet,
}

impl Tuned {
    fn forward(&self, x: Tensor<4>) -> Result<Tensor<2>, EngineError> {
        let said = self.net.logits(normalised(x));
        said.ok_or_else(|| EngineError::Broken("The network has no last layer; train it again.".to_owned()))
    }

    /// One to be filled, of the design's backbone.
    pub(in crate::nets) fn blank(design: &Design, kind: Tunable, device: &Device) -> Self {
        Self {
            net: kind.blank(design.categories, device),
        }
    }
}

impl Network for Tuned {
    fn begin(plan: &Plan, t: &NetTraining<'_>, device: &Device) -> Result<Self, EngineError> {
        let weights = t.backbone.ok_or_else(|| {
            EngineError::Broken("The weights to begin with are missing; start the training again.".to_owned())
        })?;
        let (_, net) = Tunable::open(weights, plan.design.categories, plan.seed, device)?;
        Ok(Self { net })
    }

    /// The last layer knows nothing yet, the others nearly all.
    fn rates(rate: f64) -> ModuleLearningRate {
        ModuleLrScheduler::new(rate * BACKBONE_SLOW)
            .with_group(ParamGroup::from_paths(LAST.to_vec()), rate)
            .step()
    }

    fn losses(&self, x: Tensor<4>, targets: Targets, plan: &Plan) -> Result<Losses, EngineError> {
        losses(self.forward(x)?, targets, plan)
    }

    fn say(&self, x: Tensor<4>, design: &Design) -> Result<Vec<Prediction>, EngineError> {
        told(self.forward(x)?, design)
    }
}

/// The picture as the backbone learned to see it: of the input's planes of two by two pixels, around 0 and four times as wide as colours are, three planes of
/// all pixels, `[n, 3, h, w]`, normalised as for ImageNet.
fn normalised(x: Tensor<4>) -> Tensor<4> {
    let [n, _, h, w] = x.dims();
    let device = x.device();
    let parts: Tensor<6> = x.reshape([n, 3, 2, 2, h, w]);
    let whole: Tensor<4> = parts.permute([0, 1, 4, 2, 5, 3]).reshape([n, 3, 2 * h, 2 * w]);
    let of_channels =
        |values: [f32; 3]| Tensor::<4>::from_data(TensorData::new(values.to_vec(), [1, 3, 1, 1]), &device);
    let wide = of_channels(DEVIATION.map(|d| 0.25 / d));
    let middle = of_channels([0, 1, 2].map(|c| (0.5 - MEAN[c]) / DEVIATION[c]));
    whole * wide + middle
}
