//! The loop that all networks are trained in.

#[cfg(test)]
mod tests;

use super::batch::{Batch, Maker};
use super::layers::draw;
use super::outlines::{self, Beat, Cutter};
use super::pictures::{Pictures, Planes, shrink};
use super::plan::{BACKBONE_BATCH, Design, Plan, chance};
use super::warp::{CHANNELS, Warp};
use super::{checkpoint, classifier, detector, file, optimiser, segmenter, threads};
use crate::Rng;
use crate::processor::numbers;
use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData};
use limn_services::training::port::{
    EngineError, Event, Examples, Named, NetBox, NetTraining, Painted, Prediction, SmallPicture, TrainTask,
    TrainedNet, Truth,
};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

/// Step events of a training, about.
const TOLD: usize = 200;
/// Judgements while a training goes on, and the examples of each: some hundreds, and no more than a share of the pictures that it learns from, so that
/// a short training is not half judgements.
const JUDGED: usize = 5;
const JUDGED_BY: usize = 200;
const JUDGED_SHARE: usize = 40;
/// Batches that are made ready while the network learns from one.
const AHEAD: usize = 2;
/// How long it says nothing at most: somebody may want to stop, or to see that it goes on.
const BEAT: Duration = Duration::from_secs(1);

/// What is right for a batch, row by row.
pub(super) enum Targets {
    /// `right`: `[n, categories]`, 0 or 1; `weights`: `[n]`.
    Categories { right: Vec<f32>, weights: Vec<f32> },
    /// `centres`: `[n, categories, h, w]`; `ways`: `[n, 4, h, w]` in pixels; `mask`: `[n, 1, h, w]`, how much `ways` counts.
    Boxes {
        centres: Vec<f32>,
        ways: Vec<f32>,
        mask: Vec<f32>,
    },
    /// `[n, h / 2, w / 2]`: classes, the number of categories for "nothing", [`segmenter::IGNORED`] where nobody judges.
    Pixels { of: Vec<u8> },
}

/// How wrong a network is, and what of that comes from where.
pub(super) struct Losses {
    pub total: Tensor<1>,
    pub parts: Vec<(&'static str, Tensor<1>)>,
}

/// What differs between networks.
pub(super) trait Network: Module {
    /// The network before its first step; what chance decides of it follows from the seed.
    fn begin(plan: &Plan, t: &NetTraining<'_>, device: &Device) -> Result<Self, EngineError>;

    /// How fast its parts learn where the plan says `rate`.
    fn rates(rate: f64) -> ModuleLearningRate {
        rate.into()
    }

    /// `x` is `[n, 12, h / 2, w / 2]`.
    fn losses(&self, x: Tensor<4>, targets: Targets, plan: &Plan) -> Result<Losses, EngineError>;

    fn say(&self, x: Tensor<4>, design: &Design) -> Result<Vec<Prediction>, EngineError>;

    /// The same in a hurry, where something is to be had by that.
    fn glance(&self, x: Tensor<4>, design: &Design) -> Result<Vec<Prediction>, EngineError> {
        self.say(x, design)
    }

    /// Sizes at which a picture is looked at for an answer that counts. One, the network's own, where others say no more.
    fn looks(design: &Design) -> Vec<Design> {
        vec![*design]
    }

    /// The answer for pictures that were looked at several times: one list for each look, in the order of [`Self::looks`].
    fn agreed(looks: Vec<Vec<Prediction>>) -> Vec<Prediction> {
        looks.into_iter().next().unwrap_or_default()
    }

    /// What every pixel shows, at a size for each picture; see `Net::paint`.
    fn paint(&self, _: Tensor<4>, _: &[(usize, usize)]) -> Result<Vec<Painted>, EngineError> {
        Err(EngineError::Broken(
            "This network says nothing of pixels; train a segmentation.".to_owned(),
        ))
    }
}

/// What validation examples say of a network; as in [`TrainedNet`].
pub(super) struct Judgement {
    pub figures: Vec<Named>,
    pub by_category: Vec<Option<f64>>,
    pub confusion: Vec<Vec<u64>>,
    pub threshold: Vec<f32>,
}

/// Tells of an event; an error when somebody wants to stop.
pub(super) type Tell<'a> = dyn FnMut(Event) -> Result<(), EngineError> + 'a;

/// The number in a tensor of one. Waits until it is computed.
fn value(t: Tensor<1>) -> Result<f64, EngineError> {
    let all =
        numbers(t).map_err(|why| EngineError::Broken(format!("The network's loss cannot be read: {why}")))?;
    Ok(all.first().copied().map_or(f64::NAN, f64::from))
}

/// `[n, 12, h / 2, w / 2]` on the device.
fn tensor(x: Vec<f32>, design: &Design, device: &Device) -> Tensor<4> {
    let (h, w) = (design.height / 2, design.width / 2);
    let n = x.len() / (CHANNELS * h * w);
    Tensor::from_data(TensorData::new(x, [n, CHANNELS, h, w]), device)
}

/// A network with weights by chance.
pub(super) fn fresh<N: Network>(plan: &Plan, network: N) -> N {
    draw(network, &mut Rng::new(plan.seed))
}

/// Trains a network on the device, with the current thread and those of its pool.
pub(super) fn learn<N: Network>(
    plan: &Plan,
    t: &NetTraining<'_>,
    every: Duration,
    plain: &Device,
    tell: &mut Tell<'_>,
) -> Result<TrainedNet, EngineError> {
    let device = plain.clone().autodiff();
    let network = N::begin(plan, t, &device)?;
    let optimiser = optimiser::new();
    let (step, network, optimiser) = match t.resume {
        Some(state) => checkpoint::from_bytes(state, plan, t.train.len(), network, optimiser)?,
        None => (0, network, optimiser),
    };
    // What it learns of outlines follows from the labels alone, so one that goes on learns the same. It is judged by what it cuts out.
    let cutter = match plan.design.task {
        TrainTask::InstanceSegmentation => Some(Cutter::fit(
            t.train,
            plan.design.categories,
            &mut beats(step, tell),
        )?),
        _ => None,
    };
    let valid = Valid {
        examples: t.valid,
        cutter,
        pictures: Pictures::new(t.valid, plan.design.width, plan.design.height),
        design: plan.design,
        device: plain,
    };
    let mut run = Run {
        plan,
        device,
        network: Some(network),
        optimiser,
        valid: &valid,
        examples: t.train.len(),
        every,
        tell,
    };
    std::thread::scope(|s| {
        let (send, batches) = sync_channel(AHEAD);
        s.spawn(move || {
            threads::step_back();
            let mut maker = Maker::new(plan, t.train);
            for at in step..plan.steps {
                let batch = maker.batch(at);
                let stop = batch.is_err();
                if send.send(batch).is_err() || stop {
                    return;
                }
            }
        });
        run.steps(step, &batches)
    })?;
    run.end()
}

struct Run<'a, 't, N> {
    plan: &'a Plan,
    device: Device,
    /// Gone while a step makes the next one of it.
    network: Option<N>,
    optimiser: ModuleOptimizer,
    valid: &'a Valid<'a>,
    examples: usize,
    every: Duration,
    tell: &'a mut Tell<'t>,
}

impl<N: Network> Run<'_, '_, N> {
    fn steps(
        &mut self,
        from: usize,
        batches: &Receiver<Result<Batch, EngineError>>,
    ) -> Result<(), EngineError> {
        let steps = self.plan.steps;
        let (tell_every, judge_every) = ((steps / TOLD).max(1), steps.div_ceil(JUDGED));
        let some = self.valid.some(self.plan);
        let (mut saved, mut told) = (Instant::now(), Instant::now());
        let mut sums: BTreeMap<&'static str, (f64, usize)> = BTreeMap::new();
        for step in from + 1..=steps {
            let Ok(batch) = batches.recv() else {
                return Err(EngineError::Broken(
                    "Reading the pictures ended on its own.".to_owned(),
                ));
            };
            let rate = self.plan.rate_at(step - 1);
            for (name, value) in self.step(batch?, rate)? {
                let sum = sums.entry(name).or_default();
                *sum = (sum.0 + value, sum.1 + 1);
            }
            let is_last = step == steps;
            if step.is_multiple_of(tell_every) || is_last {
                let mut figures: Vec<Named> = std::mem::take(&mut sums)
                    .into_iter()
                    .map(|(name, (sum, n))| (name.to_owned(), sum / n as f64))
                    .collect();
                figures.push(("learning_rate".to_owned(), rate));
                (self.tell)(Event::Step { step, figures })?;
                told = Instant::now();
            } else if told.elapsed() >= BEAT {
                let figures = Vec::new();
                (self.tell)(Event::Step { step, figures })?;
                told = Instant::now();
            }
            if is_last {
                break;
            }
            if step.is_multiple_of(judge_every) && !some.is_empty() {
                let network = self.network()?.valid();
                let (judged, _) =
                    self.valid
                        .judge(&network, &some, Look::Once, &mut beats(step, self.tell))?;
                (self.tell)(judged_event(step, &judged))?;
            }
            if saved.elapsed() >= self.every {
                let state =
                    checkpoint::to_bytes(self.plan, self.examples, step, self.network()?, &self.optimiser)?;
                (self.tell)(Event::Checkpoint { step, state })?;
                saved = Instant::now();
            }
        }
        Ok(())
    }

    fn network(&self) -> Result<&N, EngineError> {
        self.network
            .as_ref()
            .ok_or_else(|| EngineError::Broken("The network was lost in a step.".to_owned()))
    }

    /// One step; how wrong the network was before it.
    fn step(&mut self, batch: Batch, rate: f64) -> Result<Vec<(&'static str, f64)>, EngineError> {
        let x = tensor(batch.x, &self.plan.design, &self.device);
        let losses = self.network()?.losses(x, batch.targets, self.plan)?;
        let total = value(losses.total.clone())?;
        let mut out = vec![("loss", total)];
        for (name, part) in losses.parts {
            out.push((name, value(part)?));
        }
        if !total.is_finite() {
            return Err(EngineError::Broken(
                "The training went astray: the loss is no number any more. Start it again with another seed; if it stays, look for wrong labels."
                    .to_owned(),
            ));
        }
        let network = self.network.take();
        if let Some(network) = network {
            let grads = GradientsParams::from_grads(losses.total.backward(), &network);
            self.network = Some(self.optimiser.step(N::rates(rate), network, grads));
        }
        Ok(out)
    }

    /// Judges by all validation examples.
    fn end(mut self) -> Result<TrainedNet, EngineError> {
        let network = self.network()?.valid();
        let mut model = file::to_bytes(&self.plan.design, &network)?;
        if let Some(cutter) = &self.valid.cutter {
            model = file::with_beside(&model, cutter.parts())?;
        }
        let step = self.plan.steps;
        let all: Vec<usize> = (0..self.valid.examples.len()).collect();
        let design = self.plan.design;
        if all.is_empty() {
            let threshold = match design.task {
                TrainTask::Detection | TrainTask::InstanceSegmentation => detector::THRESHOLD,
                TrainTask::Segmentation => segmenter::THRESHOLD,
                TrainTask::Classification | TrainTask::Multilabel => classifier::THRESHOLD,
            };
            return Ok(TrainedNet {
                model,
                figures: Vec::new(),
                by_category: vec![None; design.categories],
                confusion: Vec::new(),
                threshold: vec![threshold; design.categories],
                predictions: Vec::new(),
            });
        }
        let (judged, predictions) =
            self.valid
                .judge(&network, &all, Look::Closely, &mut beats(step, self.tell))?;
        (self.tell)(judged_event(step, &judged))?;
        self.network = None;
        Ok(TrainedNet {
            model,
            figures: judged.figures,
            by_category: judged.by_category,
            confusion: judged.confusion,
            threshold: judged.threshold,
            predictions,
        })
    }
}

fn judged_event(step: usize, judged: &Judgement) -> Event {
    let valid = |(name, value): &Named| (format!("valid_{name}"), *value);
    Event::Judged {
        step,
        figures: judged.figures.iter().map(valid).collect(),
    }
}

/// An event without figures now and then, for whoever wants to stop.
fn beats<'a>(step: usize, tell: &'a mut Tell<'_>) -> impl FnMut() -> Result<(), EngineError> + 'a {
    let mut last = Instant::now();
    move || {
        if last.elapsed() < BEAT {
            return Ok(());
        }
        last = Instant::now();
        tell(Event::Step {
            step,
            figures: Vec::new(),
        })
    }
}

/// How well pictures are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// At the network's own size: how it is getting on.
    Once,
    /// As it will answer when it is asked.
    Closely,
}

/// Examples to judge by.
struct Valid<'a> {
    examples: &'a dyn Examples,
    /// Of instance segmentation.
    cutter: Option<Cutter>,
    pictures: Pictures<'a>,
    design: Design,
    /// That the network is on, without gradients.
    device: &'a Device,
}

impl Valid<'_> {
    /// Some of them, the same ones throughout a training.
    fn some(&self, plan: &Plan) -> Vec<usize> {
        let most = JUDGED_BY.min(plan.steps * plan.batch / JUDGED_SHARE);
        let mut some = chance(plan.seed ^ 0x7a11d, 0).sample(self.examples.len(), most);
        some.sort_unstable();
        some
    }

    fn judge<N: Network>(
        &self,
        network: &N,
        which: &[usize],
        look: Look,
        beat: &mut Beat<'_>,
    ) -> Result<(Judgement, Vec<Prediction>), EngineError> {
        let mut said = Vec::with_capacity(which.len());
        for some in which.chunks(at_once(&self.design)) {
            said.extend(match look {
                Look::Once => {
                    let planes = some.iter().map(|n| self.pictures.get(*n));
                    let planes = planes.collect::<Result<Vec<_>, _>>()?;
                    network.glance(input(&planes, &self.design, self.device), &self.design)?
                }
                Look::Closely => {
                    let pictures = some.iter().map(|n| self.examples.picture(*n));
                    let pictures = pictures.collect::<Result<Vec<_>, _>>()?;
                    say_closely(network, &pictures, &self.design, self.device)?
                }
            });
            beat()?;
        }
        let truths = which.iter().map(|n| self.examples.truth(*n));
        let judged = match self.design.task {
            TrainTask::Detection | TrainTask::InstanceSegmentation => {
                if let Some(cutter) = &self.cutter {
                    outlines::judge(self.examples, which, &said, cutter, &self.design, beat)?
                } else {
                    let right: Vec<&[NetBox]> = truths.map(Truth::boxes).collect();
                    detector::judge(&right, &said, &self.design)
                }
            }
            TrainTask::Segmentation => {
                let maps = truths.filter_map(|t| match t {
                    Truth::Pixels(map) => Some(map),
                    Truth::Boxes(_) | Truth::Objects { .. } | Truth::Categories(_) => None,
                });
                segmenter::judge(&maps.collect::<Vec<_>>(), &said, &self.design)
            }
            TrainTask::Classification | TrainTask::Multilabel => {
                let categories = truths.map(|t| match t {
                    Truth::Categories(list) => list.as_slice(),
                    Truth::Boxes(_) | Truth::Objects { .. } | Truth::Pixels(_) => &[],
                });
                let right: Vec<&[usize]> = categories.collect();
                classifier::judge(&right, &said, &self.design)
            }
        };
        Ok((judged, said))
    }
}

/// Pictures that are looked at in one go.
pub(super) const fn at_once(design: &Design) -> usize {
    match design.task {
        TrainTask::Classification | TrainTask::Multilabel if design.backbone.is_some() => BACKBONE_BATCH,
        TrainTask::Detection | TrainTask::InstanceSegmentation | TrainTask::Segmentation => 8,
        TrainTask::Classification | TrainTask::Multilabel => 64,
    }
}

/// What a network says of pictures, of any size, when it is asked; looked at as often as is worth it. The device is that of the network, without
/// gradients.
pub(super) fn say_closely<N: Network>(
    network: &N,
    pictures: &[SmallPicture],
    design: &Design,
    device: &Device,
) -> Result<Vec<Prediction>, EngineError> {
    let looks = N::looks(design).into_iter().map(|own| {
        let planes = pictures.iter().map(|p| shrink(p, own.width, own.height));
        say(network, &planes.collect::<Result<Vec<_>, _>>()?, &own, device)
    });
    Ok(N::agreed(looks.collect::<Result<_, _>>()?))
}

/// What a network says of pictures of its own size. The device is that of the network, without gradients.
fn say<N: Network>(
    network: &N,
    pictures: &[Planes],
    design: &Design,
    device: &Device,
) -> Result<Vec<Prediction>, EngineError> {
    if pictures.is_empty() {
        return Ok(Vec::new());
    }
    network.say(input(pictures, design, device), design)
}

/// What a network says of every pixel of pictures of its own size, at other sizes. The device is that of the network, without gradients.
pub(super) fn paint<N: Network>(
    network: &N,
    pictures: &[Planes],
    sizes: &[(usize, usize)],
    design: &Design,
    device: &Device,
) -> Result<Vec<Painted>, EngineError> {
    if pictures.is_empty() {
        return Ok(Vec::new());
    }
    network.paint(input(pictures, design, device), sizes)
}

/// Pictures of a network's own size, as it takes them.
fn input(pictures: &[Planes], design: &Design, device: &Device) -> Tensor<4> {
    let each = 3 * design.width * design.height;
    let mut x = vec![0.0; pictures.len() * each];
    for (planes, out) in pictures.iter().zip(x.chunks_mut(each)) {
        Warp::NONE.write(planes, design.width, design.height, out);
    }
    tensor(x, design, device)
}
