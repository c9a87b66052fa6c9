//! What the examples that train networks share: the command line, labeled pictures in memory, trainings and their rows of a table, and a person
//! who labels (`simulated`).

pub mod simulated;

use image::DynamicImage;
use limn_ml::{LocalTrainer, Rng};
use limn_services::training::port::{
    EngineError, Event, Examples, NetTraining, SmallPicture, TrainTask, TrainedNet, Trainer, Truth,
};
use simulated::Finds;
use std::ops::ControlFlow;
use std::path::PathBuf;
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

/// What the command line asks for: `[--assist] FOLDER... COUNT...`.
pub struct Asked<const N: usize> {
    pub folders: [PathBuf; N],
    /// Labeled pictures after which the network is judged.
    counts: Vec<usize>,
    /// A simulated person labels them.
    assist: bool,
}

impl<const N: usize> Asked<N> {
    /// `what` names the folders, for whoever left one out.
    pub fn read(what: [&str; N]) -> Anything<Self> {
        let mut args = std::env::args().skip(1).peekable();
        let assist = args.next_if(|a| a == "--assist").is_some();
        let folders: Vec<PathBuf> = args.by_ref().take(N).map(PathBuf::from).collect();
        let folders: [PathBuf; N] = folders
            .try_into()
            .map_err(|_| format!("give {}", what.join(" and ")))?;
        let counts: Vec<usize> = args.map(|a| a.parse()).collect::<Result<_, _>>()?;
        Ok(Self {
            folders,
            counts,
            assist,
        })
    }

    /// Learns from so many of the pictures, and prints a row of a table each time; `columns` says what came of it, between pictures with steps and the
    /// time. With `--assist` the rows are those of the person who labels.
    pub fn measure(
        &self,
        learning: &Learning,
        finds: &dyn Finds,
        columns: impl Fn(&TrainedNet) -> String,
    ) -> Anything {
        if self.assist {
            return simulated::run(learning, finds, &self.counts);
        }
        for n in &self.counts {
            let first: Vec<usize> = (0..learning.pool.len().min(*n)).collect();
            let steps = learning.steps(first.len());
            let (net, took) = learning.train(&first, steps)?;
            println!(
                "| {} | {steps} | {} | {:.0} s |",
                first.len(),
                columns(&net),
                took.as_secs_f64()
            );
        }
        Ok(())
    }
}

/// Figures with their names, for a column.
pub fn figures(net: &TrainedNet) -> String {
    let each = net
        .figures
        .iter()
        .map(|(name, v)| format!("{name} {}", percent(*v)));
    each.collect::<Vec<_>>().join(", ")
}

pub fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
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
            backbone: None,
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
