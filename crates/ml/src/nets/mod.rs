//! Networks that are trained with Burn, on the CPU or on a graphics processor (docs/adr/0037): a detector, a segmenter and classifiers from nothing
//! (docs/adr/0018), classifiers from the weights of a backbone (docs/adr/0036), and what cuts objects out of boxes (docs/adr/0031).
//!
//! What happens in a step follows from the seed and the step's number, so that a training that was stopped goes on as if it had not been: on the CPU
//! bit for bit, on a graphics processor but for how sums are rounded there. Nothing draws from the device's chance, which all trainings of the process
//! would share.

mod batch;
mod checkpoint;
mod classifier;
mod data;
mod detector;
mod file;
mod layers;
mod learn;
mod optimiser;
mod outlines;
mod pictures;
mod plan;
mod segmenter;
mod sheet;
pub(crate) mod threads;
mod threshold;
mod warp;

pub(crate) use detector::share as overlap;

use crate::backbone::Tunable;
use crate::processor::{Opened, Processor};
use burn::tensor::Device;
use classifier::{Classifier, Tuned};
use detector::Detector;
use learn::Network;
use limn_services::training::port::{
    Cutout, EngineError, Event, Examples, Net, NetBox, NetTraining, Painted, Prediction, SmallPicture,
    StopCheck, TrainTask, TrainedNet, Trainer, Tuning, Watch,
};
use outlines::Cutter;
use plan::{Design, Plan};
use segmenter::Segmenter;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const OPTIMISER: &str = "AdamW, weight decay 0.001";
const SCHEDULE: &str = "cosine to zero";
/// Between checkpoints.
const CHECKPOINT: Duration = Duration::from_secs(30);

/// Networks on this machine's CPU, in threads of their own, or on its graphics processor.
#[derive(Debug)]
pub struct LocalTrainer {
    checkpoint: Duration,
    processor: Processor,
    /// Made when the first network is asked.
    asking: Arc<Asking>,
}

impl Default for LocalTrainer {
    fn default() -> Self {
        Self::new()
    }
}

impl LocalTrainer {
    pub fn new() -> Self {
        Self::with_checkpoints(CHECKPOINT)
    }

    /// With a checkpoint every so often; a tenth of a second is for tests.
    pub fn with_checkpoints(every: Duration) -> Self {
        Self {
            checkpoint: every,
            processor: Processor::Cpu,
            asking: Arc::default(),
        }
    }

    /// On another processor.
    #[must_use]
    pub fn on(self, processor: Processor) -> Self {
        Self { processor, ..self }
    }

    /// Why it cannot be used says what to do, and nothing that was stored is to blame: so it is refused.
    fn opened(&self) -> Result<Opened, EngineError> {
        self.processor.open().map_err(EngineError::Refused)
    }

    fn learn(
        &self,
        plan: &Plan,
        t: &NetTraining<'_>,
        device: &Device,
        events: &Sender<Event>,
        answers: &Receiver<bool>,
    ) -> Result<TrainedNet, EngineError> {
        let mut tell = |event| {
            let goes_on = events.send(event).is_ok() && answers.recv().unwrap_or(false);
            if goes_on {
                Ok(())
            } else {
                Err(EngineError::Stopped)
            }
        };
        let every = self.checkpoint;
        let net = match plan.design.task {
            TrainTask::Detection | TrainTask::InstanceSegmentation => {
                learn::learn::<Detector>(plan, t, every, device, &mut tell)
            }
            TrainTask::Segmentation => learn::learn::<Segmenter>(plan, t, every, device, &mut tell),
            TrainTask::Classification | TrainTask::Multilabel if plan.design.backbone.is_some() => {
                learn::learn::<Tuned>(plan, t, every, device, &mut tell)
            }
            TrainTask::Classification | TrainTask::Multilabel => {
                learn::learn::<Classifier>(plan, t, every, device, &mut tell)
            }
        };
        // What a graphics processor holds for this thread would stay held; the CPU holds nothing.
        device.memory_cleanup();
        net
    }
}

fn panicked(on: &Opened) -> EngineError {
    let mut why =
        "A fault in the network's arithmetic ended the work; the server's log says where.".to_owned();
    if on.is_graphics {
        why = format!(
            "{why} It was computed on {}; with training.device = \"cpu\" it goes without.",
            on.name
        );
    }
    EngineError::Broken(why)
}

impl Trainer for LocalTrainer {
    fn version(&self) -> &'static str {
        "nets-3"
    }

    fn side(&self, task: TrainTask) -> u32 {
        match task {
            TrainTask::Detection | TrainTask::InstanceSegmentation | TrainTask::Segmentation => 384,
            TrainTask::Classification | TrainTask::Multilabel => 128,
        }
    }

    fn steps(&self, task: TrainTask, examples: usize) -> usize {
        plan::steps(task, examples)
    }

    fn first_steps(&self, task: TrainTask, examples: usize) -> Option<usize> {
        plan::first_steps(task, examples)
    }

    fn parameters(&self, task: TrainTask) -> Vec<(String, String)> {
        let (network, input) = match task {
            TrainTask::Detection => (
                "detector, no anchors, stride 8",
                "49,152 pixels at most, in the pictures' form",
            ),
            TrainTask::InstanceSegmentation => (
                "detector, no anchors, stride 8; objects cut out of its boxes",
                "49,152 pixels at most, in the pictures' form",
            ),
            TrainTask::Segmentation => (
                "down to cells of 16 pixels and up again",
                "49,152 pixels at most, in the pictures' form",
            ),
            TrainTask::Classification => ("four convolutions, softmax", "64 x 64 at most"),
            TrainTask::Multilabel => ("four convolutions, sigmoid", "64 x 64 at most"),
        };
        noted([
            ("network", network.to_owned()),
            ("network_version", self.version().to_owned()),
            ("input", input.to_owned()),
            ("batch_size", batches(task)),
            ("optimizer", OPTIMISER.to_owned()),
            ("learning_rate", plan::rate(task).to_string()),
            ("schedule", SCHEDULE.to_owned()),
        ])
    }

    fn tuning_steps(&self, examples: usize) -> usize {
        plan::backbone_steps(examples)
    }

    fn tuning(&self, task: TrainTask, weights: &[u8]) -> Result<Tuning, EngineError> {
        plan::begins(task, weights)?;
        // All of it is read, so that a damaged file is told before anything begins.
        let (kind, _) = Tunable::open(weights, 1, 0, &Device::flex())?;
        let side = plan::BACKBONE_SIDES.1;
        let end = if task == TrainTask::Multilabel {
            "sigmoid"
        } else {
            "softmax"
        };
        let slow = plan::BACKBONE_RATE * plan::BACKBONE_SLOW;
        Ok(Tuning {
            network: kind.name().to_owned(),
            side: side as u32,
            parameters: noted([
                (
                    "network",
                    format!("{}, fine-tuned end to end, {end}", kind.name()),
                ),
                ("network_version", self.version().to_owned()),
                ("input", format!("{side} x {side} at most")),
                ("batch_size", plan::BACKBONE_BATCH.to_string()),
                ("batch_norm", "statistics of the backbone, not learned".to_owned()),
                ("optimizer", OPTIMISER.to_owned()),
                ("learning_rate", plan::BACKBONE_RATE.to_string()),
                ("learning_rate_backbone", format!("{slow:.4}")),
                ("schedule", SCHEDULE.to_owned()),
            ]),
        })
    }

    fn device(&self) -> Result<String, EngineError> {
        Ok(self.opened()?.name)
    }

    fn train(&self, t: &NetTraining<'_>, watch: &mut Watch<'_>) -> Result<TrainedNet, EngineError> {
        let plan = Plan::of(t)?;
        let on = self.opened()?;
        let device = &on.device;
        let pool = threads::pool(threads::all())?;
        let (events, told) = channel();
        let (answers, answered) = channel();
        // The watcher stays on this thread; all steps are made on one of the pool's, for Burn averages what several threads do.
        std::thread::scope(|s| {
            let work =
                s.spawn(move || pool.install(move || self.learn(&plan, t, device, &events, &answered)));
            // Gone with this closure even where the watcher panics: nobody then waits for its answer.
            let answers = answers;
            for event in told {
                if answers.send(watch(event).is_continue()).is_err() {
                    break;
                }
            }
            work.join().unwrap_or_else(|_| Err(panicked(&on)))
        })
    }

    fn outlined(&self, model: &[u8], train: &dyn Examples, stop: &StopCheck) -> Result<Vec<u8>, EngineError> {
        let design = file::open(model)?.design;
        if !matches!(
            design.task,
            TrainTask::Detection | TrainTask::InstanceSegmentation
        ) {
            return Err(EngineError::Broken(
                "Objects are cut out of boxes, and this network finds none.".to_owned(),
            ));
        }
        let mut beat = || {
            if stop() { Err(EngineError::Stopped) } else { Ok(()) }
        };
        let cutter = Cutter::fit(train, design.categories, &mut beat)?;
        file::with_beside(model, cutter.parts())
    }

    fn load(&self, model: &[u8]) -> Result<Box<dyn Net>, EngineError> {
        let opened = file::open(model)?;
        let design = opened.design;
        let on = self.opened()?;
        let asking = Arc::clone(&self.asking);
        Ok(match design.task {
            TrainTask::Detection | TrainTask::InstanceSegmentation => {
                let cutter = Cutter::read(&opened)?;
                if cutter.is_none() && design.task == TrainTask::InstanceSegmentation {
                    return Err(EngineError::Broken(
                        "The stored network has lost its outlines; train it again.".to_owned(),
                    ));
                }
                Box::new(LocalNet {
                    design,
                    cutter,
                    network: opened.fill(Detector::new(&design, &on.device))?,
                    on,
                    asking,
                })
            }
            TrainTask::Segmentation => Box::new(LocalNet {
                design,
                cutter: None,
                network: opened.fill(Segmenter::new(&design, &on.device))?,
                on,
                asking,
            }),
            TrainTask::Classification | TrainTask::Multilabel => match design.backbone {
                Some(kind) => Box::new(LocalNet {
                    design,
                    cutter: None,
                    network: opened.fill(Tuned::blank(&design, kind, &on.device))?,
                    on,
                    asking,
                }),
                None => Box::new(LocalNet {
                    design,
                    cutter: None,
                    network: opened.fill(Classifier::new(&design, &on.device))?,
                    on,
                    asking,
                }),
            },
        })
    }
}

/// Parameters of a run.
fn noted<const N: usize>(list: [(&str, String); N]) -> Vec<(String, String)> {
    list.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
}

fn batches(task: TrainTask) -> String {
    let (few, many) = (plan::batch(task, 0), plan::batch(task, usize::MAX));
    if few == many {
        few.to_string()
    } else {
        format!("{few}, {many} from 200 examples on")
    }
}

/// Threads that networks answer on; those of trainings are busy for long.
#[derive(Default)]
struct Asking(Mutex<Option<Arc<rayon::ThreadPool>>>);

impl std::fmt::Debug for Asking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asking")
    }
}

impl Asking {
    fn pool(&self, on: &Opened) -> Result<Arc<rayon::ThreadPool>, EngineError> {
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = &*pool {
            return Ok(Arc::clone(pool));
        }
        Ok(Arc::clone(pool.insert(Arc::new(threads::pool(on.threads())?))))
    }
}

struct LocalNet<N> {
    design: Design,
    /// Of one that learned from outlines.
    cutter: Option<Cutter>,
    network: N,
    on: Opened,
    asking: Arc<Asking>,
}

impl<N> LocalNet<N> {
    /// Pictures at the network's own size.
    fn planes(&self, pictures: &[SmallPicture]) -> Result<Vec<pictures::Planes>, EngineError> {
        let Design { width, height, .. } = self.design;
        pictures
            .iter()
            .map(|p| pictures::shrink(p, width, height))
            .collect()
    }
}

impl<N: Network + Sync> Net for LocalNet<N> {
    fn task(&self) -> TrainTask {
        self.design.task
    }

    fn categories(&self) -> usize {
        self.design.categories
    }

    fn predict(&self, pictures: &[SmallPicture]) -> Result<Vec<Prediction>, EngineError> {
        let mut out = Vec::with_capacity(pictures.len());
        let pool = self.asking.pool(&self.on)?;
        for some in pictures.chunks(learn::at_once(&self.design)) {
            let said =
                pool.install(|| learn::say_closely(&self.network, some, &self.design, &self.on.device));
            out.extend(said?);
        }
        Ok(out)
    }

    fn paint(
        &self,
        pictures: &[SmallPicture],
        sizes: &[(usize, usize)],
    ) -> Result<Vec<Painted>, EngineError> {
        if pictures.len() != sizes.len() {
            return Err(EngineError::Broken(format!(
                "{} pictures cannot be painted at {} sizes.",
                pictures.len(),
                sizes.len()
            )));
        }
        let mut out = Vec::with_capacity(pictures.len());
        let pool = self.asking.pool(&self.on)?;
        let each = learn::at_once(&self.design);
        for (some, sizes) in pictures.chunks(each).zip(sizes.chunks(each)) {
            let planes = self.planes(some)?;
            out.extend(
                pool.install(|| learn::paint(&self.network, &planes, sizes, &self.design, &self.on.device))?,
            );
        }
        Ok(out)
    }

    fn cuts_out(&self) -> bool {
        self.cutter.is_some()
    }

    fn cut_out(&self, picture: &SmallPicture, boxes: &[NetBox]) -> Result<Vec<Cutout>, EngineError> {
        let Some(cutter) = &self.cutter else {
            return Err(EngineError::Broken(
                "This network says nothing of what is in a box.".to_owned(),
            ));
        };
        if boxes.is_empty() {
            return Ok(Vec::new());
        }
        let colors = outlines::colored(picture)?;
        Ok(boxes.iter().map(|b| cutter.cut(&colors, b)).collect())
    }
}
