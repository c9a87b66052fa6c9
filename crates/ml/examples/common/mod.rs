//! What the examples that train networks share: labeled pictures in memory, one training, and a person who labels (`simulated`).

pub mod simulated;

use image::DynamicImage;
use limn_ml::{LocalTrainer, Rng};
use limn_services::training::port::{
    EngineError, Event, Examples, NetTraining, SmallPicture, TrainTask, TrainedNet, Trainer, Truth,
};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

pub type Anything<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// A picture made small, and what is right for it.
pub type Labeled = (SmallPicture, Truth);

/// Some of them.
pub struct Data<'a>(pub Vec<&'a Labeled>);

impl Examples for Data<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn picture(&self, n: usize) -> Result<SmallPicture, EngineError> {
        Ok(self.0[n].0.clone())
    }

    fn truth(&self, n: usize) -> &Truth {
        &self.0[n].1
    }
}

/// A number of the environment.
pub fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// In the whole picture's frame, its longer side at most `side` pixels.
pub fn small(picture: DynamicImage, side: u32) -> SmallPicture {
    let picture = if picture.width().max(picture.height()) > side {
        picture.thumbnail(side, side)
    } else {
        picture
    };
    let rgb = picture.into_rgb8();
    SmallPicture {
        width: rgb.width() as usize,
        height: rgb.height() as usize,
        rgb: rgb.into_raw(),
    }
}

/// What is learned, from what, and what it is judged by.
pub struct Learning {
    pub trainer: LocalTrainer,
    pub task: TrainTask,
    pub categories: usize,
    /// To learn from, in random order.
    pub pool: Vec<Labeled>,
    /// Never learned from.
    pub valid: Vec<Labeled>,
}

impl Learning {
    /// Keeps one in `kept` for judging; `SPLIT` in the environment says which, and which of the others come first.
    pub fn new(task: TrainTask, categories: usize, mut all: Vec<Labeled>, kept: usize) -> Anything<Self> {
        Rng::new(number("SPLIT").unwrap_or(5)).shuffle(&mut all);
        let pool = all.split_off(all.len() / kept);
        if all.is_empty() {
            return Err(format!(
                "{} labeled pictures are too few; there must be {kept}",
                pool.len()
            )
            .into());
        }
        eprintln!("{} pictures to learn from, {} to judge by", pool.len(), all.len());
        Ok(Self {
            trainer: LocalTrainer::new(),
            task,
            categories,
            pool,
            valid: all,
        })
    }

    /// Pictures to learn from, by their places.
    pub fn some(&self, places: &[usize]) -> Data<'_> {
        Data(places.iter().map(|n| &self.pool[*n]).collect())
    }

    /// The first so many of those to judge by.
    pub fn judges(&self, n: usize) -> Data<'_> {
        Data(self.valid.iter().take(n).collect())
    }

    /// As many as a training of so many pictures deserves, or `STEPS` of the environment.
    pub fn steps(&self, pictures: usize) -> usize {
        number("STEPS").map_or_else(|| self.trainer.steps(self.task, pictures), |n| n as usize)
    }

    /// Learns from some of the pictures; what came of it, and how long it took. The seed is `SEED` of the environment.
    pub fn train(&self, places: &[usize], steps: usize) -> Anything<(TrainedNet, Duration)> {
        let (train, valid) = (self.some(places), self.judges(self.valid.len()));
        let training = NetTraining {
            task: self.task,
            categories: self.categories,
            train: &train,
            valid: &valid,
            steps,
            seed: number("SEED").unwrap_or(1),
            resume: None,
        };
        let began = Instant::now();
        let net = self.trainer.train(&training, &mut |event| {
            match event {
                Event::Judged { step, figures } => {
                    eprintln!("{step} {:.0} s {figures:?}", began.elapsed().as_secs_f64());
                }
                Event::Step { step, figures } if step.is_multiple_of(20) => eprintln!("{step} {figures:?}"),
                Event::Step { .. } | Event::Checkpoint { .. } => {}
            }
            ControlFlow::Continue(())
        })?;
        Ok((net, began.elapsed()))
    }
}
