//! What a network learns from in a step.

use super::learn::Targets;
use super::pictures::{Pictures, Planes};
use super::plan::{Design, Order, Plan, chance};
use super::warp::{Frame, Warp};
use super::{classifier, detector};
use crate::Rng;
use limn_services::training::port::{EngineError, Examples, NetBox, TrainTask, Truth};

/// The share of a detector's pictures that are put together from parts of four (after Bochkovskiy et al. 2020): of few pictures, what is around
/// a thing is otherwise learned by heart.
const COLLAGES: f64 = 0.5;

pub(super) struct Batch {
    pub x: Vec<f32>,
    pub targets: Targets,
}

/// Makes batches: the one of a step is the same in every run.
pub(super) struct Maker<'a> {
    plan: &'a Plan,
    examples: &'a dyn Examples,
    pictures: Pictures<'a>,
    order: Order,
}

impl<'a> Maker<'a> {
    pub(super) fn new(plan: &'a Plan, examples: &'a dyn Examples) -> Self {
        Self {
            plan,
            examples,
            pictures: Pictures::new(examples, plan.design.width, plan.design.height),
            order: Order::new(plan.seed, examples.len()),
        }
    }

    pub(super) fn batch(&mut self, step: usize) -> Result<Batch, EngineError> {
        let Design {
            task, width, height, ..
        } = self.plan.design;
        let first = step * self.plan.batch;
        let which: Vec<usize> = (0..self.plan.batch).map(|i| self.order.at(first + i)).collect();
        let shown = which
            .iter()
            .map(|n| self.pictures.get(*n))
            .collect::<Result<Vec<Planes>, _>>()?;
        let each = 3 * width * height;
        let mut x = vec![0.0; self.plan.batch * each];
        let (mut boxes, mut whole, mut pixels) = (Vec::new(), Vec::new(), Vec::new());
        for (i, out) in x.chunks_mut(each).enumerate() {
            let mut rng = chance(self.plan.seed, first + i);
            if matches!(task, TrainTask::Detection | TrainTask::InstanceSegmentation) {
                let mut placed: Vec<NetBox> = Vec::new();
                for (k, frame) in parts(i, which.len(), &mut rng) {
                    let warp = Warp::of_boxes(&mut rng);
                    warp.write_in(&frame, &shown[k], width, height, out);
                    let of_picture = self.examples.truth(which[k]).boxes().iter();
                    placed.extend(of_picture.filter_map(|b| warp.place_in(&frame, b)));
                }
                boxes.push(placed);
                continue;
            }
            let warp = match task {
                TrainTask::Detection | TrainTask::InstanceSegmentation | TrainTask::Segmentation => {
                    Warp::of_boxes(&mut rng)
                }
                TrainTask::Classification | TrainTask::Multilabel => Warp::of_whole(&mut rng),
            };
            warp.write(&shown[i], width, height, out);
            match self.examples.truth(which[i]) {
                Truth::Boxes(_) | Truth::Objects { .. } => {}
                truth @ Truth::Categories(_) => whole.push(truth),
                Truth::Pixels(map) => {
                    let nothing = self.plan.design.categories as u8;
                    warp.classes(map, (width / 2, height / 2), nothing, &mut pixels);
                }
            }
        }
        let targets = match task {
            TrainTask::Detection | TrainTask::InstanceSegmentation => {
                detector::targets(&boxes, &self.plan.design, &self.plan.weights)
            }
            TrainTask::Segmentation => Targets::Pixels { of: pixels },
            TrainTask::Classification | TrainTask::Multilabel => classifier::targets(&whole, self.plan),
        };
        Ok(Batch { x, targets })
    }
}

/// What picture `i` of a detector's batch is put together from: pictures of the same batch, which are read anyway, and where each is seen.
fn parts(i: usize, batch: usize, rng: &mut Rng) -> Vec<(usize, Frame)> {
    if rng.unit() >= COLLAGES {
        return vec![(i, Frame::WHOLE)];
    }
    let mut cut = || 0.25 + 0.5 * rng.unit() as f32;
    let quarters = Frame::quarters(cut(), cut());
    let which = [i, rng.below(batch), rng.below(batch), rng.below(batch)];
    which.into_iter().zip(quarters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_services::training::port::SmallPicture;

    /// Pictures of one shade each, with four boxes of a category of its own.
    struct Plain(Vec<Truth>);

    fn shade(n: usize) -> u8 {
        (20 + 108 * n) as u8
    }

    impl Examples for Plain {
        fn len(&self) -> usize {
            self.0.len()
        }

        fn picture(&self, n: usize) -> Result<SmallPicture, EngineError> {
            Ok(SmallPicture {
                width: 128,
                height: 96,
                rgb: vec![shade(n); 128 * 96 * 3],
            })
        }

        fn truth(&self, n: usize) -> &Truth {
            &self.0[n]
        }
    }

    #[test]
    fn every_part_has_the_boxes_of_its_picture() {
        let quarter = |category, k: usize| NetBox {
            category,
            x: (k % 2) as f32 * 0.5,
            y: (k / 2) as f32 * 0.5,
            width: 0.5,
            height: 0.5,
        };
        let truth = |n| Truth::Boxes((0..4).map(|k| quarter(n, k)).collect());
        let examples = Plain((0..3).map(truth).collect());
        let plan = Plan {
            design: Design {
                task: TrainTask::Detection,
                categories: 3,
                width: 128,
                height: 96,
                backbone: None,
            },
            batch: 8,
            steps: 4,
            rate: 1e-3,
            seed: 3,
            weights: vec![1.0; 3],
        };
        let mut maker = Maker::new(&plan, &examples);
        let (cells, pixels) = (16 * 12, 64 * 48);
        let (mut of_one, mut of_more) = (0, 0);
        for step in 0..4 {
            let Batch { x, targets } = maker.batch(step).unwrap();
            let Targets::Boxes { centres, .. } = targets else {
                panic!("boxes");
            };
            for (picture, maps) in x.chunks(12 * pixels).zip(centres.chunks(3 * cells)) {
                let mut found = [0; 3];
                for (category, map) in maps.chunks(cells).enumerate() {
                    for at in (0..cells).filter(|at| map[*at] == 1.0) {
                        found[category] += 1;
                        let (i, j) = (at % 16 * 4 + 2, at / 16 * 4 + 2);
                        let red = picture[j * 64 + i] / 4.0 + 0.5;
                        // Tints change a shade by less than half of what is between two.
                        let right = f32::from(shade(category)) / 255.0;
                        assert!((red - right).abs() < 0.2, "{category}: {red} for {right}");
                    }
                }
                match found.iter().filter(|n| **n > 0).count() {
                    0 => panic!("no boxes"),
                    1 => of_one += 1,
                    _ => of_more += 1,
                }
            }
        }
        assert!(of_one > 5 && of_more > 5, "{of_one}, {of_more}");
        let mut again = Maker::new(&plan, &examples);
        let (one, other) = (maker.batch(2).unwrap(), again.batch(2).unwrap());
        assert_eq!(one.x, other.x, "a step is the same in every run");
    }
}
