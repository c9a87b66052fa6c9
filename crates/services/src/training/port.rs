//! What trainings ask of whoever knows networks; `limn-ml` implements it, the server puts it in.

mod cutout;

pub use crate::assist::port::{EngineError, SmallPicture, StopCheck};
pub use cutout::Cutout;
pub use limn_domain::training::TrainTask;
use std::ops::ControlFlow;

/// A box with a category, as shares of the picture's width and height, 0..=1, from the top left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NetBox {
    /// By index into the categories.
    pub category: usize,
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

/// A category for every pixel of a picture made small, by index into the categories; kept as runs of equal ones, row by row from the top left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PixelMap {
    pub width: usize,
    pub height: usize,
    runs: Vec<(u32, u8)>,
}

impl PixelMap {
    /// Where there is no category.
    pub const NOTHING: u8 = 254;
    /// Categories that there can be.
    pub const CATEGORIES_MAX: usize = 250;

    /// Of `width * height` pixels.
    pub fn new(width: usize, height: usize, pixels: &[u8]) -> Self {
        let mut runs: Vec<(u32, u8)> = Vec::new();
        for v in pixels {
            match runs.last_mut() {
                Some((n, last)) if last == v => *n += 1,
                _ => runs.push((1, *v)),
            }
        }
        Self { width, height, runs }
    }

    pub fn pixels(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.width * self.height);
        for (n, v) in &self.runs {
            out.resize(out.len() + *n as usize, *v);
        }
        out
    }

    /// Runs of a category, or of none, with their pixels.
    pub fn counts(&self) -> impl Iterator<Item = (Option<usize>, u64)> + '_ {
        let class = |v: u8| (v != Self::NOTHING).then_some(usize::from(v));
        self.runs.iter().map(move |(n, v)| (class(*v), u64::from(*n)))
    }

    /// The categories that are somewhere, in order.
    pub fn categories(&self) -> std::collections::BTreeSet<usize> {
        let there = self.runs.iter().filter(|(_, v)| *v != Self::NOTHING);
        there.map(|(_, v)| usize::from(*v)).collect()
    }

    /// With other numbers for the categories.
    #[must_use]
    pub fn renumbered(mut self, to: impl Fn(usize) -> usize) -> Self {
        for (_, v) in &mut self.runs {
            if *v != Self::NOTHING {
                *v = u8::try_from(to(usize::from(*v))).unwrap_or(Self::NOTHING);
            }
        }
        self
    }

    /// The pixels at another size: of each the one that lies under its middle.
    pub fn scaled(&self, width: usize, height: usize) -> Vec<u8> {
        let pixels = self.pixels();
        if (width, height) == (self.width, self.height) {
            return pixels;
        }
        let to =
            |n: usize, of: usize, from: usize| ((2 * n + 1) * from / (2 * of)).min(from.saturating_sub(1));
        let mut out = Vec::with_capacity(width * height);
        for y in 0..height {
            let row = to(y, height, self.height) * self.width;
            out.extend((0..width).map(|x| {
                let at = row + to(x, width, self.width);
                pixels.get(at).copied().unwrap_or(Self::NOTHING)
            }));
        }
        out
    }
}

/// What is right for one picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Truth {
    /// By index into the categories.
    Categories(Vec<usize>),
    Boxes(Vec<NetBox>),
    /// Boxes, and which places of each are the object, in the same order.
    Objects {
        boxes: Vec<NetBox>,
        outlines: Vec<Cutout>,
    },
    Pixels(PixelMap),
}

impl Truth {
    /// Its boxes; none where it is of something else.
    pub fn boxes(&self) -> &[NetBox] {
        match self {
            Self::Boxes(boxes) | Self::Objects { boxes, .. } => boxes,
            Self::Categories(_) | Self::Pixels(_) => &[],
        }
    }

    /// Its objects; none where it is of something else.
    pub fn outlines(&self) -> &[Cutout] {
        match self {
            Self::Objects { outlines, .. } => outlines,
            Self::Boxes(_) | Self::Categories(_) | Self::Pixels(_) => &[],
        }
    }
}

/// What a network says of one picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Prediction {
    /// The probability of each category, 0..=1.
    Categories(Vec<f32>),
    /// Boxes with their confidence, 0..=1, surest first; at most 100.
    Boxes(Vec<(NetBox, f32)>),
    /// A map in the form of the network's input, of half its size, and how sure each category is where it is said, on average; 0 where it is not.
    Pixels { map: PixelMap, sure: Vec<f32> },
}

/// What a segmentation says of every pixel of a picture, at a size that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Painted {
    pub map: PixelMap,
    /// How sure each category is where it is said, on average; 0 where it is not.
    pub sure: Vec<f32>,
}

/// Pictures and what is right for them, read as they are needed, over and over, in any order.
pub trait Examples: Send + Sync {
    fn len(&self) -> usize;

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// In the whole picture's frame, its longer side at most [`Trainer::side`].
    fn picture(&self, n: usize) -> Result<SmallPicture, EngineError>;

    fn truth(&self, n: usize) -> &Truth;
}

/// What to train.
#[derive(Clone, Copy)]
pub struct NetTraining<'a> {
    pub task: TrainTask,
    /// How many categories there are.
    pub categories: usize,
    pub train: &'a dyn Examples,
    /// Never trained on: figures come from these. May be empty, then there are none.
    pub valid: &'a dyn Examples,
    /// Steps of the optimiser, all of which are made: the rate falls to zero at the last.
    pub steps: usize,
    pub seed: u64,
    /// The weights of a network that a classification begins with, all of which learn on; nothing: weights by chance.
    pub backbone: Option<&'a [u8]>,
    /// Where an earlier training of the same stopped, from [`Event::Checkpoint`].
    pub resume: Option<&'a [u8]>,
}

/// A number by its name, such as `loss`, `valid_accuracy`, `valid_mAP50`.
pub type Named = (String, f64);

/// What a training tells while it goes on.
#[derive(Debug)]
pub enum Event {
    /// `step` of [`NetTraining::steps`] steps are done. Every second or so; without figures between the steps that have some.
    Step { step: usize, figures: Vec<Named> },
    /// The network as it is now, judged by the validation examples.
    Judged { step: usize, figures: Vec<Named> },
    /// All that is needed to go on from here. About every thirtieth second, and not at the end.
    Checkpoint { step: usize, state: Vec<u8> },
}

/// Told of every event; whoever breaks stops the training with [`EngineError::Stopped`].
pub type Watch<'a> = dyn FnMut(Event) -> ControlFlow<()> + 'a;

/// What came of a training.
#[derive(Debug, Clone)]
pub struct TrainedNet {
    /// For [`Trainer::predict`], and to be kept.
    pub model: Vec<u8>,
    /// Of the validation examples at the end; empty without any. Detection: `mAP`, `mAP50`, `mAP75`, `AR100`. Classification: `accuracy` (all
    /// categories of a picture right), `balanced_accuracy` or, with several, `macro_f1`. Segmentation: `mIoU`, `pixel_accuracy`. Instance
    /// segmentation: those of a detection twice, as `mask_mAP` and so on by the pixels of objects, and as `box_mAP` and so on.
    pub figures: Vec<Named>,
    /// The main figure of each category: its average precision at 0.5 (by pixels where it cuts objects out), its recall, its F1, or its intersection over union. `None` where nothing of it was to be found.
    pub by_category: Vec<Option<f64>>,
    /// Rows are what is right, columns what was said; where objects are found the last of both stands for "nothing", at confidence
    /// [`TrainedNet::threshold`], and so it does in segmentation, where pixels are counted. Empty for several categories a picture and without validation examples.
    pub confusion: Vec<Vec<u64>>,
    /// Of each category, from which confidence on its boxes (or itself) are worth showing: the best F1 on the validation examples; 0.3 (0.5 for
    /// categories) without any.
    pub threshold: Vec<f32>,
    /// What it says of each validation example, in order.
    pub predictions: Vec<Prediction>,
}

/// What a training is like that begins with the weights of a backbone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tuning {
    /// What the network is called, such as `resnet18`.
    pub network: String,
    /// The longer side of the pictures it wants, in pixels.
    pub side: u32,
    /// As [`Trainer::parameters`].
    pub parameters: Vec<(String, String)>,
}

/// The steps of a training of the assist where one that nobody waits for takes so many: whoever labels waits. Masks are the slowest to learn; half as
/// long is enough to be of use.
pub fn for_assist(task: TrainTask, steps: usize) -> usize {
    match task {
        TrainTask::Segmentation => steps.div_ceil(2),
        TrainTask::Detection | TrainTask::InstanceSegmentation => (steps * 7).div_ceil(10),
        TrainTask::Classification | TrainTask::Multilabel => steps,
    }
}

/// Networks. All of it blocks, for up to hours, and is to be called from a thread of its own.
pub trait Trainer: Send + Sync {
    /// Changes when models of before cannot be read any more.
    fn version(&self) -> &'static str;

    /// The longer side of the pictures it wants, in pixels.
    fn side(&self, task: TrainTask) -> u32;

    /// How many steps this many examples deserve.
    fn steps(&self, task: TrainTask, examples: usize) -> usize;

    /// Steps of a first training for whoever waits for something of use: much shorter than one of [`Trainer::steps`]. `None` where that is
    /// soon done anyway.
    fn first_steps(&self, _: TrainTask, _examples: usize) -> Option<usize> {
        None
    }

    /// Parameters worth noting with the run, such as the network's name, its input, the batch and the rate.
    fn parameters(&self, task: TrainTask) -> Vec<(String, String)>;

    /// How many steps this many examples deserve where a backbone is fine-tuned.
    fn tuning_steps(&self, examples: usize) -> usize {
        self.steps(TrainTask::Classification, examples)
    }

    /// What a training would be like that begins with these weights; see [`NetTraining::backbone`]. [`EngineError::Refused`] for weights that it
    /// cannot begin with, and for tasks that are learned from nothing.
    fn tuning(&self, _: TrainTask, _: &[u8]) -> Result<Tuning, EngineError> {
        Err(EngineError::Refused(
            "Backbones cannot be fine-tuned on this server.".to_owned(),
        ))
    }

    /// What it computes on in this process, for people, such as `CPU`. May take seconds when it is first asked. [`EngineError::Refused`] where it
    /// cannot compute at all.
    fn device(&self) -> Result<String, EngineError> {
        Ok("CPU".to_owned())
    }

    /// A detection learns from boxes, an instance segmentation from [`Truth::Objects`]: what comes of the latter says boxes, and cuts the
    /// objects out of them; see [`Net::cuts_out`].
    fn train(&self, training: &NetTraining<'_>, watch: &mut Watch<'_>) -> Result<TrainedNet, EngineError>;

    /// Teaches a model that finds boxes afterwards which places of them are the object, from [`Truth::Objects`]. Answers the model that knows both; see
    /// [`Net::cuts_out`]. Takes seconds.
    fn outlined(&self, _: &[u8], _: &dyn Examples, _: &StopCheck) -> Result<Vec<u8>, EngineError> {
        Err(EngineError::Refused(
            "Outlines cannot be learned on this server.".to_owned(),
        ))
    }

    /// Reads a model for [`Net::predict`]. [`EngineError::Broken`] for bytes that are none.
    fn load(&self, model: &[u8]) -> Result<Box<dyn Net>, EngineError>;
}

/// A trained network in memory.
pub trait Net: Send + Sync {
    fn task(&self) -> TrainTask;

    /// How many categories it knows.
    fn categories(&self) -> usize;

    /// One prediction a picture, in order.
    fn predict(&self, pictures: &[SmallPicture]) -> Result<Vec<Prediction>, EngineError>;

    /// What every pixel shows, one map a picture, of the width and height that `sizes` has for it: borders are as fine as that, and regions too
    /// small to be meant are given to what lies around them. [`EngineError::Broken`] of a network that says nothing of pixels.
    fn paint(&self, _: &[SmallPicture], _: &[(usize, usize)]) -> Result<Vec<Painted>, EngineError> {
        Err(EngineError::Broken(
            "This network says nothing of pixels; train a segmentation.".to_owned(),
        ))
    }

    /// Whether it tells the object from what else is in a box.
    fn cuts_out(&self) -> bool {
        false
    }

    /// The object in each box of a picture, in order; all of the box where it cannot be told. It may reach a little beyond the box.
    /// [`EngineError::Broken`] of a network that knows boxes alone.
    fn cut_out(&self, _: &SmallPicture, _: &[NetBox]) -> Result<Vec<Cutout>, EngineError> {
        Err(EngineError::Broken(
            "This network says nothing of what is in a box.".to_owned(),
        ))
    }
}
