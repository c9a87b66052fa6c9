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
use super::learn::{Losses, Network, Targets, fresh};
use super::plan::{DETECTOR_STEP, Design, Plan};
use super::warp::CHANNELS;
use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor, TensorData};
use limn_services::training::port::{EngineError, NetTraining, Prediction};

/// Pixels of the input that a cell is wide and high.
pub(super) const CELL: usize = 8;
/// Pixels from a cell to a side where the network says 0.
const REACH: f32 = 16.0;
/// The network says the logarithm, and no more than this: from half a pixel to more than any input.
const REACH_LOG: (f32, f32) = (-3.5, 4.2);
/// Sizes of a picture, beside its own, at which it is looked at for an answer that counts: what is small is seen better when it is larger, and what is
/// large when it is smaller.
const LOOKS: [f64; 2] = [1.25, 0.75];
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

impl Said {
    /// What is said of the same picture in a mirror, left and right changed over.
    fn mirrored(self) -> Self {
        Self {
            centres: self.centres.flip([3]),
            ways: channels(self.ways.flip([3]), [2, 1, 0, 3]),
        }
    }
}

/// The input `[n, 12, h / 2, w / 2]` of the same pictures in a mirror: of two pixels side by side, the other one comes first.
fn mirrored(x: Tensor<4>) -> Tensor<4> {
    channels(x.flip([3]), [1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10])
}

/// The channels in another order.
fn channels<const N: usize>(x: Tensor<4>, order: [i32; N]) -> Tensor<4> {
    let device = x.device();
    x.select(1, Tensor::from_data(TensorData::from(order), &device))
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

    pub(super) fn new(design: &Design, device: &Device) -> Self {
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
}

impl Network for Detector {
    fn begin(plan: &Plan, _: &NetTraining<'_>, device: &Device) -> Result<Self, EngineError> {
        Ok(fresh(plan, Self::new(&plan.design, device)))
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
        // Twice, the second time in a mirror: what both agree on is likelier right than what either says.
        let (said, turned) = (self.forward(x.clone()), self.forward(mirrored(x)).mirrored());
        let mean = |a: Tensor<4>, b: Tensor<4>| (a + b).mul_scalar(0.5);
        let said = Said {
            centres: mean(said.centres, turned.centres),
            ways: mean(said.ways, turned.ways),
        };
        decode::boxes(said, design)
    }

    fn glance(&self, x: Tensor<4>, design: &Design) -> Result<Vec<Prediction>, EngineError> {
        decode::boxes(self.forward(x), design)
    }

    fn looks(design: &Design) -> Vec<Design> {
        let of = |size: f64| {
            let side = |v: usize| {
                let steps = (v as f64 * size / DETECTOR_STEP as f64).round().max(1.0);
                steps as usize * DETECTOR_STEP
            };
            Design {
                width: side(design.width),
                height: side(design.height),
                ..*design
            }
        };
        let mut looks = vec![*design];
        for own in LOOKS.map(of) {
            if own.is_possible() && !looks.contains(&own) {
                looks.push(own);
            }
        }
        looks
    }

    fn agreed(looks: Vec<Vec<Prediction>>) -> Vec<Prediction> {
        let pictures = looks.first().map_or(0, Vec::len);
        (0..pictures)
            .map(|n| {
                let found = looks.iter().map(|said| match said.get(n) {
                    Some(Prediction::Boxes(list)) => list.as_slice(),
                    Some(Prediction::Categories(_) | Prediction::Pixels { .. }) | None => &[],
                });
                Prediction::Boxes(decode::agreed(&found.collect::<Vec<_>>()))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::warp::Warp;
    use super::*;

    #[test]
    fn pictures_are_looked_at_larger_and_smaller() {
        let sizes = |width, height| {
            let design = Design {
                task: limn_services::training::port::TrainTask::Detection,
                categories: 1,
                width,
                height,
                backbone: None,
            };
            let looks = Detector::looks(&design);
            looks.iter().map(|d| (d.width, d.height)).collect::<Vec<_>>()
        };
        assert_eq!(sizes(256, 192), [(256, 192), (320, 256), (192, 160)]);
        // Never below a cell, and not twice at the same size.
        assert_eq!(sizes(32, 32), [(32, 32)]);
        assert_eq!(sizes(1024, 64), [(1024, 64), (768, 64)]);
    }

    #[test]
    fn a_mirror_turns_input_and_answer() {
        // Columns of a picture of 4 x 2 pixels, as the network takes them.
        let (w, h) = (4, 2);
        let planes: Vec<u8> = (0..w * h * 3).map(|i| (i * 7) as u8).collect();
        let turned: Vec<u8> = planes
            .chunks(w)
            .flat_map(|row| row.iter().rev().copied())
            .collect();
        let input = |planes: &[u8]| {
            let mut out = vec![0.0; planes.len()];
            Warp::NONE.write(planes, w, h, &mut out);
            Tensor::<4>::from_data(TensorData::new(out, [1, CHANNELS, h / 2, w / 2]), &Device::flex())
        };
        let values = |t: Tensor<4>| t.into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(values(mirrored(input(&planes))), values(input(&turned)));
        let ways = Tensor::<4>::from_data(
            TensorData::new((0..8_u8).map(f32::from).collect::<Vec<_>>(), [1, 4, 1, 2]),
            &Device::flex(),
        );
        let said = Said {
            centres: ways.clone(),
            ways,
        };
        // To the left becomes to the right, and the first cell the second.
        assert_eq!(
            values(said.mirrored().ways),
            [5.0, 4.0, 3.0, 2.0, 1.0, 0.0, 7.0, 6.0]
        );
    }
}
