//! What trainings ask of whoever knows networks; `limn-ml` implements it, the server puts it in.

pub use crate::assist::port::{EngineError, SmallPicture};
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

/// What is right for one picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Truth {
    /// By index into the categories.
    Categories(Vec<usize>),
    Boxes(Vec<NetBox>),
}

/// What a network says of one picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Prediction {
    /// The probability of each category, 0..=1.
    Categories(Vec<f32>),
    /// Boxes with their confidence, 0..=1, surest first; at most 100.
    Boxes(Vec<(NetBox, f32)>),
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
    /// categories of a picture right), `balanced_accuracy` or, with several, `macro_f1`.
    pub figures: Vec<Named>,
    /// The main figure of each category: its average precision at 0.5, its recall, or its F1. `None` where nothing of it was to be found.
    pub by_category: Vec<Option<f64>>,
    /// Rows are what is right, columns what was said; in detection the last of both stands for "nothing", at confidence
    /// [`TrainedNet::threshold`]. Empty for several categories a picture and without validation examples.
    pub confusion: Vec<Vec<u64>>,
    /// Of each category, from which confidence on its boxes (or itself) are worth showing: the best F1 on the validation examples; 0.3 (0.5 for
    /// categories) without any.
    pub threshold: Vec<f32>,
    /// What it says of each validation example, in order.
    pub predictions: Vec<Prediction>,
}

/// Networks. All of it blocks, for up to hours, and is to be called from a thread of its own.
pub trait Trainer: Send + Sync {
    /// Changes when models of before cannot be read any more.
    fn version(&self) -> &'static str;

    /// The longer side of the pictures it wants, in pixels.
    fn side(&self, task: TrainTask) -> u32;

    /// How many steps this many examples deserve.
    fn steps(&self, task: TrainTask, examples: usize) -> usize;

    /// Parameters worth noting with the run, such as the network's name, its input, the batch and the rate.
    fn parameters(&self, task: TrainTask) -> Vec<(String, String)>;

    fn train(&self, training: &NetTraining<'_>, watch: &mut Watch<'_>) -> Result<TrainedNet, EngineError>;

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
}
