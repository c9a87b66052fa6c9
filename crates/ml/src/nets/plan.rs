//! What is decided before the first step, from the examples and the seed alone.

use super::data;
use crate::Rng;
use crate::backbone::Tunable;
use limn_services::training::port::{EngineError, Examples, NetTraining, TrainTask, Truth};
use serde::{Deserialize, Serialize};

/// Pixels of a detector's input: the most, and the least for small pictures.
const DETECTOR_PIXELS: (f64, f64) = (256.0 * 192.0, 96.0 * 96.0);
/// Sides of a detector's input are multiples of this: its deepest cells.
pub(super) const DETECTOR_STEP: usize = 32;
/// A picture that is longer than this is squeezed.
const ASPECT_MAX: f64 = 3.0;
/// Sides of a classifier's square input, and what they are multiples of.
const CLASSIFIER_SIDES: (usize, usize) = (16, 64);
pub(super) const CLASSIFIER_STEP: usize = 8;
/// Sides of the square that a backbone looks at while it is fine-tuned: what it learned from at most, and what its layers leave something of.
pub(super) const BACKBONE_SIDES: (usize, usize) = (64, 224);
const BACKBONE_STEP: usize = 32;
/// Pictures a step of a backbone: what all its layers said of each is held until the step is made, some hundred megabytes together.
pub(super) const BACKBONE_BATCH: usize = 8;
/// The rate of a backbone's new last layer at its highest, and the share of it at which the backbone itself learns: it knows most already.
pub(super) const BACKBONE_RATE: f64 = 1e-3;
pub(super) const BACKBONE_SLOW: f64 = 0.1;
/// Steps of a first training for whoever waits.
const FIRST: usize = 80;
/// Pictures whose sizes are looked at, and those whose pixels are counted.
const LOOKED_AT: usize = 64;
const PIXELS_OF: usize = 500;
/// The rate rises over this share of the steps, then falls to zero.
const WARM_UP: f64 = 0.05;
/// A box of a rare category counts this many times one of the most frequent at most.
const RARER_MAX: f32 = 10.0;
/// More categories than this are a mistake.
pub(super) const CATEGORIES_MAX: usize = 1_000;

/// What a network is built from; a stored one says it of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Design {
    pub task: TrainTask,
    pub categories: usize,
    /// Of the input, in pixels.
    pub width: usize,
    pub height: usize,
    /// What it was before it learned this; of classifiers that began with weights of somebody else's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backbone: Option<Tunable>,
}

/// Whether such a task is learned by classifiers, of whole pictures.
pub(super) const fn is_whole(task: TrainTask) -> bool {
    matches!(task, TrainTask::Classification | TrainTask::Multilabel)
}

impl Design {
    /// Whether such a network can be built: what is read from a file is not believed.
    pub(super) fn is_possible(&self) -> bool {
        let step = match self.task {
            TrainTask::Detection | TrainTask::InstanceSegmentation | TrainTask::Segmentation => DETECTOR_STEP,
            TrainTask::Classification | TrainTask::Multilabel => CLASSIFIER_STEP,
        };
        let fits = |side: usize| (step..=1024).contains(&side) && side.is_multiple_of(step);
        let begins = self.backbone.is_none() || is_whole(self.task);
        begins && (1..=CATEGORIES_MAX).contains(&self.categories) && fits(self.width) && fits(self.height)
    }
}

/// A training.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub design: Design,
    pub batch: usize,
    pub steps: usize,
    /// At its highest.
    pub rate: f64,
    pub seed: u64,
    /// How much an example of each category counts; of a detector, how much a box does.
    pub weights: Vec<f32>,
}

impl Plan {
    pub(super) fn of(t: &NetTraining<'_>) -> Result<Self, EngineError> {
        data::check(t)?;
        let backbone = t.backbone.map(|weights| begins(t.task, weights)).transpose()?;
        let sizes = sizes(t.train)?;
        let (width, height) = match backbone {
            Some(_) => backbone_input(&sizes)?,
            None => input(t.task, &sizes)?,
        };
        let design = Design {
            task: t.task,
            categories: t.categories,
            width,
            height,
            backbone,
        };
        let (batch, rate) = match backbone {
            Some(_) => (BACKBONE_BATCH, BACKBONE_RATE),
            None => (batch(t.task, t.train.len()), rate(t.task)),
        };
        Ok(Self {
            design,
            batch,
            steps: t.steps,
            rate,
            seed: t.seed,
            weights: weights(t),
        })
    }

    /// The learning rate of the step after `done` steps: up in a line, then down as a cosine, zero after the last.
    pub(super) fn rate_at(&self, done: usize) -> f64 {
        let share = (done as f64 + 0.5) / self.steps.max(1) as f64;
        if share < WARM_UP {
            return self.rate * share / WARM_UP;
        }
        let rest = (share - WARM_UP) / (1.0 - WARM_UP);
        self.rate * 0.5 * (1.0 + (std::f64::consts::PI * rest).cos())
    }
}

/// What a training that begins with these weights begins with. Refuses what cannot be.
pub(super) fn begins(task: TrainTask, weights: &[u8]) -> Result<Tunable, EngineError> {
    if !is_whole(task) {
        return Err(EngineError::Refused(
            "Only classifications begin with a backbone; this task is learned from nothing. Leave the backbone out.".to_owned(),
        ));
    }
    Ok(Tunable::of(weights)?)
}

/// The rate at its highest.
pub(super) const fn rate(task: TrainTask) -> f64 {
    match task {
        TrainTask::Detection
        | TrainTask::InstanceSegmentation
        | TrainTask::Segmentation
        | TrainTask::Classification
        | TrainTask::Multilabel => 3e-3,
    }
}

/// Examples a step.
pub(super) const fn batch(task: TrainTask, examples: usize) -> usize {
    match task {
        TrainTask::Detection | TrainTask::InstanceSegmentation | TrainTask::Segmentation => 8,
        _ if examples < 200 => 32,
        _ => 64,
    }
}

/// Steps that so many examples deserve: the number that a few need, growing with the root of how many there are.
pub(super) fn steps(task: TrainTask, examples: usize) -> usize {
    let (few, most) = match task {
        TrainTask::Detection | TrainTask::InstanceSegmentation | TrainTask::Segmentation => (300.0, 4_000.0),
        TrainTask::Classification | TrainTask::Multilabel => (500.0, 4_000.0),
    };
    let wish = 400.0 * (examples as f64 / few).sqrt().max(1.0);
    ((wish / 50.0).round() * 50.0).min(most) as usize
}

/// Steps of a first training, where the full one takes minutes: what is large and frequent is found by then.
pub(super) fn first_steps(task: TrainTask, examples: usize) -> Option<usize> {
    let is_long = match task {
        TrainTask::Detection | TrainTask::InstanceSegmentation => true,
        // Half of the full one is what the assist takes at all, and less is of no use.
        TrainTask::Segmentation | TrainTask::Classification | TrainTask::Multilabel => false,
    };
    is_long.then(|| FIRST.min(steps(task, examples)))
}

/// The same of a backbone, whose steps are long, and which needs few: it has seen pictures before.
pub(super) fn backbone_steps(examples: usize) -> usize {
    let wish = 200.0 * (examples as f64 / 100.0).sqrt().max(1.0);
    ((wish / 50.0).round() * 50.0).min(4_000.0) as usize
}

/// Widths and heights of some of the pictures.
fn sizes(examples: &dyn Examples) -> Result<Vec<(usize, usize)>, EngineError> {
    let n = examples.len();
    let some = n.min(LOOKED_AT);
    (0..some)
        .map(|i| {
            let p = examples.picture(i * n / some)?;
            Ok((p.width.max(1), p.height.max(1)))
        })
        .collect()
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of.get(of.len() / 2).copied().unwrap_or(1.0)
}

/// The longer side of most pictures.
fn longer(sizes: &[(usize, usize)]) -> Result<f64, EngineError> {
    let longer = median(sizes.iter().map(|(w, h)| (*w).max(*h) as f64).collect());
    if longer < 4.0 {
        return Err(EngineError::Refused(format!(
            "Most pictures are {longer} pixels large, and nothing can be seen in them; networks need pictures of 8 pixels and more."
        )));
    }
    Ok(longer)
}

/// Width and height of what a backbone looks at. Small pictures are enlarged to twice their size: what it learned to see was larger.
fn backbone_input(sizes: &[(usize, usize)]) -> Result<(usize, usize), EngineError> {
    let side = (2 * longer(sizes)? as usize).next_multiple_of(BACKBONE_STEP);
    let side = side.clamp(BACKBONE_SIDES.0, BACKBONE_SIDES.1);
    Ok((side, side))
}

/// Width and height of the input.
fn input(task: TrainTask, sizes: &[(usize, usize)]) -> Result<(usize, usize), EngineError> {
    let longer = longer(sizes)?;
    if is_whole(task) {
        let side = (longer as usize).next_multiple_of(CLASSIFIER_STEP);
        let side = side.clamp(CLASSIFIER_SIDES.0, CLASSIFIER_SIDES.1);
        return Ok((side, side));
    }
    let aspect = median(sizes.iter().map(|(w, h)| *w as f64 / *h as f64).collect());
    let aspect = aspect.clamp(1.0 / ASPECT_MAX, ASPECT_MAX);
    let pixels = median(sizes.iter().map(|(w, h)| (*w * *h) as f64).collect());
    let pixels = pixels.clamp(DETECTOR_PIXELS.1, DETECTOR_PIXELS.0);
    let side = |wish: f64| {
        let steps = (wish / DETECTOR_STEP as f64).round().max(1.0);
        steps as usize * DETECTOR_STEP
    };
    Ok((side((pixels * aspect).sqrt()), side((pixels / aspect).sqrt())))
}

/// Rare categories count for more, by the root of how rare they are; the mean over the examples (a detector's are boxes) is 1.
fn weights(t: &NetTraining<'_>) -> Vec<f32> {
    let mut count = vec![0_usize; t.categories];
    for n in 0..t.train.len() {
        let truth = t.train.truth(n);
        if let Truth::Categories(list) = truth {
            for c in list {
                count[*c] += 1;
            }
        }
        for b in truth.boxes() {
            count[b.category] += 1;
        }
    }
    let n = t.train.len() as f32;
    match t.task {
        TrainTask::Segmentation => pixel_weights(t),
        TrainTask::Detection | TrainTask::InstanceSegmentation => by_rarity(&count, RARER_MAX),
        TrainTask::Classification => by_rarity(&count, f32::INFINITY),
        // Of where it is: how much that counts beside where it is not.
        TrainTask::Multilabel => count
            .iter()
            .map(|k| {
                ((n - *k as f32).max(0.0) / (*k as f32).max(1.0))
                    .sqrt()
                    .clamp(1.0, 10.0)
            })
            .collect(),
    }
}

/// The root of how rare each is beside the most frequent one, at most `most`; over all that are counted the mean is 1.
fn by_rarity(count: &[usize], most: f32) -> Vec<f32> {
    let frequent = count.iter().copied().max().unwrap_or(0).max(1) as f32;
    let raw: Vec<f32> = count
        .iter()
        .map(|k| (frequent / (*k as f32).max(1.0)).sqrt().min(most))
        .collect();
    let sum: f32 = raw.iter().zip(count).map(|(w, k)| w * *k as f32).sum();
    let all: usize = count.iter().sum();
    raw.iter().map(|w| w * all as f32 / sum.max(1e-6)).collect()
}

/// Of every category and of "nothing": the root of how rare its pixels are beside the most frequent one's, at most 10.
fn pixel_weights(t: &NetTraining<'_>) -> Vec<f32> {
    let mut count = vec![0_u64; t.categories + 1];
    let n = t.train.len();
    let some = n.min(PIXELS_OF);
    for i in 0..some {
        if let Truth::Pixels(map) = t.train.truth(i * n / some) {
            for (class, pixels) in map.counts() {
                count[class.unwrap_or(t.categories)] += pixels;
            }
        }
    }
    let most = count.iter().copied().max().unwrap_or(0).max(1) as f32;
    let weight = |k: &u64| (most / (*k as f32).max(1.0)).sqrt().clamp(1.0, 10.0);
    count.iter().map(weight).collect()
}

/// In which order examples come: all of them, then all of them again in another order. Position `n` has the same example in every run with
/// the seed, so that a training goes on where it stopped.
pub(super) struct Order {
    seed: u64,
    round: Option<usize>,
    list: Vec<usize>,
}

impl Order {
    pub(super) fn new(seed: u64, examples: usize) -> Self {
        Self {
            seed,
            round: None,
            list: (0..examples).collect(),
        }
    }

    pub(super) fn at(&mut self, position: usize) -> usize {
        let n = self.list.len();
        let round = position / n;
        if self.round != Some(round) {
            self.list.sort_unstable();
            chance(self.seed ^ 0x0b5e, round).shuffle(&mut self.list);
            self.round = Some(round);
        }
        self.list[position % n]
    }
}

/// Chance of its own for every number.
pub(super) fn chance(seed: u64, number: usize) -> Rng {
    Rng::new(Rng::new(seed ^ (number as u64).wrapping_mul(0xd1b5_4a32_d192_ed03)).draw())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_input_follows_the_pictures() {
        let d = |sizes: &[(usize, usize)]| input(TrainTask::Detection, sizes).unwrap();
        assert_eq!(d(&[(384, 288); 3]), (256, 192));
        assert_eq!(d(&[(288, 384); 3]), (192, 256));
        assert_eq!(d(&[(384, 20); 3]), (160, 64));
        assert_eq!(d(&[(8, 8); 3]), (96, 96));
        let c = |side| input(TrainTask::Classification, &[(side, 5)]).unwrap();
        assert_eq!((c(8), c(28), c(128)), ((16, 16), (32, 32), (64, 64)));
        assert!(matches!(
            input(TrainTask::Detection, &[(1, 1)]),
            Err(EngineError::Refused(_))
        ));
    }

    #[test]
    fn a_backbone_looks_at_squares_of_its_own() {
        let side = |longer| backbone_input(&[(longer, 9); 3]).unwrap();
        assert_eq!((side(8), side(40), side(90)), ((64, 64), (96, 96), (192, 192)));
        assert_eq!((side(112), side(4_000)), ((224, 224), (224, 224)));
        assert!(backbone_input(&[(2, 2)]).is_err());
        assert_eq!(
            [10, 100, 400, 1 << 30].map(backbone_steps),
            [200, 200, 400, 4_000]
        );
    }

    #[test]
    fn the_order_is_the_same_from_any_position() {
        let mut whole = Order::new(3, 5);
        let all: Vec<usize> = (0..15).map(|p| whole.at(p)).collect();
        let mut later = Order::new(3, 5);
        assert_eq!((7..15).map(|p| later.at(p)).collect::<Vec<_>>(), all[7..]);
        let mut round = all[5..10].to_vec();
        round.sort_unstable();
        assert_eq!(round, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn what_is_rare_counts_for_more() {
        let weights = by_rarity(&[400, 100, 1, 0], 10.0);
        let mean = (400.0 * weights[0] + 100.0 * weights[1] + weights[2]) / 501.0;
        assert!((mean - 1.0).abs() < 1e-5);
        assert!((weights[1] / weights[0] - 2.0).abs() < 1e-5, "{weights:?}");
        assert!((weights[2] / weights[0] - 10.0).abs() < 1e-4, "{weights:?}");
        assert_eq!(by_rarity(&[7, 7], 10.0), [1.0, 1.0]);
    }

    #[test]
    fn steps_grow_slowly() {
        let of = |n| steps(TrainTask::Detection, n);
        assert_eq!(
            (of(1), of(100), of(1_200), of(10_000_000)),
            (400, 400, 800, 4_000)
        );
    }

    #[test]
    fn a_first_training_is_short_where_the_full_one_is_long() {
        assert!(
            first_steps(TrainTask::Detection, 20).is_some_and(|n| 3 * n <= steps(TrainTask::Detection, 20))
        );
        assert_eq!(first_steps(TrainTask::Classification, 20), None);
    }

    #[test]
    fn what_a_file_says_is_not_believed() {
        let design = Design {
            task: TrainTask::Detection,
            categories: 3,
            width: 256,
            height: 192,
            backbone: None,
        };
        assert!(design.is_possible());
        for wrong in [
            Design {
                backbone: Some(Tunable::ResNet18),
                ..design
            },
            Design {
                categories: 0,
                ..design
            },
            Design {
                categories: 1 << 40,
                ..design
            },
            Design { width: 250, ..design },
            Design {
                height: 1 << 40,
                ..design
            },
        ] {
            assert!(!wrong.is_possible(), "{wrong:?}");
        }
    }
}
