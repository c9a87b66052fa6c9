//! A trainer that does no mathematics and whose every step is known: it stops, fails and goes on where the test wants it.

use limn_services::training::port::{
    Cutout, EngineError, Event, Net, NetBox, NetTraining, PixelMap, Prediction, SmallPicture, TrainTask,
    TrainedNet, Trainer, Truth, Tuning, Watch,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What happens on the way.
#[derive(Debug, Clone, Default)]
pub struct Script {
    /// Milliseconds a step takes.
    pub pause: u64,
    /// A checkpoint after every so many steps.
    pub checkpoint: Option<usize>,
    /// It breaks off at this step.
    pub fails_at: Option<(usize, String)>,
    /// It panics at this step.
    pub panics_at: Option<usize>,
    /// It refuses every checkpoint.
    pub refuses_checkpoints: bool,
    /// Why there is nothing to compute on.
    pub no_device: Option<String>,
}

/// What it was given.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub train: usize,
    pub valid: usize,
    pub sizes: Vec<(usize, usize)>,
    pub boxes: Vec<NetBox>,
    pub outlines: Vec<Cutout>,
    /// The steps at which attempts began.
    pub began: Vec<usize>,
    /// The weights to begin with.
    pub backbone: Option<Vec<u8>>,
}

#[derive(Debug, Default)]
pub struct Scripted {
    pub script: Mutex<Script>,
    seen: Mutex<Seen>,
    /// The latest step.
    pub step: AtomicUsize,
}

struct Scripts {
    task: TrainTask,
    categories: usize,
}

const HEAD: &[u8] = b"scripted";

fn says(task: TrainTask, categories: usize, picture: &SmallPicture) -> Prediction {
    let middle = picture.rgb[0];
    match task {
        TrainTask::Detection | TrainTask::InstanceSegmentation => Prediction::Boxes(vec![(
            NetBox {
                category: 0,
                x: 0.25,
                y: 0.25,
                width: 0.5,
                height: 0.5,
            },
            0.9,
        )]),
        // The first category on the left half, nothing on the right.
        TrainTask::Segmentation => Prediction::Pixels {
            map: PixelMap::new(2, 1, &[0, PixelMap::NOTHING]),
            sure: vec![0.9; categories],
        },
        _ => Prediction::Categories(
            (0..categories)
                .map(|c| {
                    if c == usize::from(middle) % categories {
                        0.8
                    } else {
                        0.2 / categories as f32
                    }
                })
                .collect(),
        ),
    }
}

impl Scripted {
    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn change(&self, how: impl FnOnce(&mut Script)) {
        how(&mut self.script.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Trainer for Scripted {
    fn version(&self) -> &'static str {
        "scripted-1"
    }

    fn side(&self, _: TrainTask) -> u32 {
        32
    }

    fn steps(&self, _: TrainTask, examples: usize) -> usize {
        examples * 5
    }

    fn parameters(&self, _: TrainTask) -> Vec<(String, String)> {
        vec![("net".to_owned(), "none".to_owned())]
    }

    fn tuning_steps(&self, examples: usize) -> usize {
        examples * 2
    }

    /// Weights are a text that begins with `net`.
    fn tuning(&self, _: TrainTask, weights: &[u8]) -> Result<Tuning, EngineError> {
        if !weights.starts_with(b"net") {
            return Err(EngineError::Refused(
                "These weights are of nothing known.".to_owned(),
            ));
        }
        Ok(Tuning {
            network: "netling".to_owned(),
            side: 24,
            parameters: vec![("net".to_owned(), "netling".to_owned())],
        })
    }

    fn device(&self) -> Result<String, EngineError> {
        let script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        match &script.no_device {
            Some(why) => Err(EngineError::Refused(why.clone())),
            None => Ok("an abacus".to_owned()),
        }
    }

    fn train(&self, t: &NetTraining<'_>, watch: &mut Watch<'_>) -> Result<TrainedNet, EngineError> {
        let script = self.script.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let begin = match t.resume {
            Some(_) if script.refuses_checkpoints => {
                return Err(EngineError::Broken("no such checkpoint".to_owned()));
            }
            Some(state) => std::str::from_utf8(state).unwrap().parse::<usize>().unwrap(),
            None => 0,
        };
        let mut seen = self.seen();
        (seen.train, seen.valid) = (t.train.len(), t.valid.len());
        seen.began.push(begin);
        seen.backbone = t.backbone.map(<[u8]>::to_vec);
        seen.sizes.clear();
        seen.boxes.clear();
        seen.outlines.clear();
        for n in 0..t.train.len() {
            let p = t.train.picture(n)?;
            assert_eq!(p.rgb.len(), p.width * p.height * 3);
            seen.sizes.push((p.width, p.height));
            seen.boxes.extend(t.train.truth(n).boxes());
            seen.outlines.extend(t.train.truth(n).outlines().iter().cloned());
        }
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        let mut tell = |event| {
            if watch(event).is_break() {
                Err(EngineError::Stopped)
            } else {
                Ok(())
            }
        };
        for step in begin + 1..=t.steps {
            std::thread::sleep(Duration::from_millis(script.pause));
            if let Some((at, why)) = &script.fails_at
                && *at == step
            {
                return Err(EngineError::Broken(why.clone()));
            }
            assert_ne!(script.panics_at, Some(step), "as the script says");
            self.step.store(step, Ordering::SeqCst);
            tell(Event::Step {
                step,
                figures: vec![("loss".to_owned(), 1.0 / step as f64), ("rate".to_owned(), 0.1)],
            })?;
            if step % 10 == 0 {
                tell(Event::Judged {
                    step,
                    figures: vec![("valid_mAP50".to_owned(), 0.5)],
                })?;
            }
            if script.checkpoint.is_some_and(|every| step % every == 0) && step < t.steps {
                tell(Event::Checkpoint {
                    step,
                    state: step.to_string().into_bytes(),
                })?;
            }
        }
        let mut predictions: Vec<Prediction> = Vec::new();
        for n in 0..t.valid.len() {
            let picture = t.valid.picture(n)?;
            // All right but the last, on which it sees nothing.
            predictions.push(match t.valid.truth(n) {
                Truth::Boxes(boxes) | Truth::Objects { boxes, .. } if n + 1 < t.valid.len() => {
                    Prediction::Boxes(boxes.iter().map(|b| (*b, 0.9)).collect())
                }
                Truth::Boxes(_) | Truth::Objects { .. } => Prediction::Boxes(Vec::new()),
                Truth::Pixels(map) => Prediction::Pixels {
                    map: map.clone(),
                    sure: vec![0.9; t.categories],
                },
                Truth::Categories(_) => says(t.task, t.categories, &picture),
            });
        }
        let detects = matches!(t.task, TrainTask::Detection | TrainTask::InstanceSegmentation);
        let side = t.categories + usize::from(detects);
        let mut model = HEAD.to_vec();
        model.extend([match t.task {
            TrainTask::Detection => 0,
            TrainTask::Classification => 1,
            TrainTask::Multilabel => 2,
            TrainTask::Segmentation => 3,
            TrainTask::InstanceSegmentation => 4,
        }]);
        model.push(u8::try_from(t.categories).unwrap());
        Ok(TrainedNet {
            model,
            figures: vec![
                (
                    match t.task {
                        TrainTask::InstanceSegmentation => "mask_mAP50",
                        TrainTask::Detection => "mAP50",
                        _ => "accuracy",
                    }
                    .to_owned(),
                    0.5,
                ),
                ("odd".to_owned(), f64::NAN),
            ],
            by_category: (0..t.categories).map(|c| (c == 0).then_some(0.75)).collect(),
            confusion: vec![vec![1; side]; side],
            threshold: vec![0.5; t.categories],
            predictions,
        })
    }

    fn load(&self, model: &[u8]) -> Result<Box<dyn Net>, EngineError> {
        let rest = model
            .strip_prefix(HEAD)
            .ok_or_else(|| EngineError::Broken("these bytes are no model".to_owned()))?;
        Ok(Box::new(Scripts {
            task: [
                TrainTask::Detection,
                TrainTask::Classification,
                TrainTask::Multilabel,
                TrainTask::Segmentation,
                TrainTask::InstanceSegmentation,
            ][usize::from(rest[0])],
            categories: rest[1].into(),
        }))
    }
}

impl Net for Scripts {
    fn task(&self) -> TrainTask {
        self.task
    }

    fn categories(&self) -> usize {
        self.categories
    }

    fn predict(&self, pictures: &[SmallPicture]) -> Result<Vec<Prediction>, EngineError> {
        Ok(pictures
            .iter()
            .map(|p| says(self.task, self.categories, p))
            .collect())
    }
    fn cuts_out(&self) -> bool {
        self.task == TrainTask::InstanceSegmentation
    }

    /// The upper three quarters of every box.
    fn cut_out(&self, _: &SmallPicture, boxes: &[NetBox]) -> Result<Vec<Cutout>, EngineError> {
        let places: Vec<u8> = (0..64).map(|n| u8::from(n < 48)).collect();
        let most = |b: &NetBox| Cutout::new(*b, 8, 8, &places).unwrap();
        Ok(boxes.iter().map(most).collect())
    }
}
