//! Finds boxes: a map of where centres of each category lie, and from every cell the way to its box's sides (after CenterNet, Zhou et al. 2019,
//! and FCOS, Tian et al. 2019). Without anchors, nothing about sizes is presumed.

mod decode;
mod judge;
mod loss;
mod targets;

pub(crate) use decode::share;
pub(super) use judge::{THRESHOLD, judge};
pub(super) use targets::targets;

use super::layers::{Block, last, twice};
use super::learn::{Losses, Network, Targets};
use super::plan::{Design, Plan};
use super::warp::CHANNELS;
use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};
use limn_services::training::port::{EngineError, Prediction};

/// Pixels of the input that a cell is wide and high.
pub(super) const CELL: usize = 8;
/// Pixels from a cell to a side where the network says 0.
const REACH: f32 = 16.0;
/// The network says the logarithm, and no more than this: from half a pixel to more than any input.
const REACH_LOG: (f32, f32) = (-3.5, 4.2);
/// A network that has learned nothing thinks a centre this likely: a cell in fifty has one.
const RARE: f32 = -3.9;

/// `[n, 12, h / 2, w / 2]` to what is said of cells of 8 pixels, with what surrounds them seen at 16 and 32 pixels.
#[derive(Module, Debug)]
pub(super) struct Detector {
    stem: Block,
    fine: Block,
    fine_more: Block,
    middle: Block,
    middle_more: Block,
    coarse: Block,
    coarse_more: Block,
    down: Block,
    centre: Block,
    centre_last: Conv2d,
    sides: Block,
    sides_last: Conv2d,
}

/// What the network says: `[n, categories, h, w]` before the sigmoid, and `[n, 4, h, w]`, logarithms of the ways to the left, the top, the right
/// and the bottom side in units of 16 pixels.
struct Said {
    centres: Tensor<4>,
    ways: Tensor<4>,
}

impl Detector {
    fn forward(&self, x: Tensor<4>) -> Said {
        let fine = self.fine.forward(self.stem.forward(x));
        let fine = fine.clone() + self.fine_more.forward(fine);
        let middle = self.middle.forward(fine.clone());
        let middle = middle.clone() + self.middle_more.forward(middle);
        let coarse = self.coarse.forward(middle.clone());
        let coarse = coarse.clone() + self.coarse_more.forward(coarse);
        let middle = middle + twice(coarse);
        let fine = fine + twice(self.down.forward(middle));
        Said {
            centres: self.centre_last.forward(self.centre.forward(fine.clone())),
            ways: self.sides_last.forward(self.sides.forward(fine)),
        }
    }
}

impl Network for Detector {
    fn new(design: &Design, device: &Device) -> Self {
        let block = |from, to, stride| Block::new(from, to, 3, stride, device);
        Self {
            stem: block(CHANNELS, 32, 2),
            fine: block(32, 64, 2),
            fine_more: block(64, 64, 1),
            middle: block(64, 96, 2),
            middle_more: block(96, 96, 1),
            coarse: block(96, 96, 2),
            coarse_more: block(96, 96, 1),
            down: Block::new(96, 64, 1, 1, device),
            centre: block(64, 64, 1),
            centre_last: last(64, design.categories, RARE, device),
            sides: block(64, 64, 1),
            sides_last: last(64, 4, 0.0, device),
        }
    }

    fn losses(&self, x: Tensor<4>, targets: Targets, plan: &Plan) -> Result<Losses, EngineError> {
        let Targets::Boxes { centres, ways, mask } = targets else {
            return Err(EngineError::Broken("A detector learns from boxes.".to_owned()));
        };
        Ok(loss::losses(
            self.forward(x),
            &loss::Cells { centres, ways, mask },
            plan,
        ))
    }

    fn say(&self, x: Tensor<4>, design: &Design) -> Result<Vec<Prediction>, EngineError> {
        let said = self.forward(x);
        decode::boxes(said, design)
    }
}
