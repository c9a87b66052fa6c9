//! Says what a whole picture shows: four convolutions and the mean over the picture.

mod judge;
mod tuned;

pub(super) use judge::{THRESHOLD, judge};
pub(super) use tuned::Tuned;

use super::layers::{Block, last};
use super::learn::{Losses, Network, Targets, fresh};
use super::plan::{Design, Plan};
use super::warp::CHANNELS;
use crate::processor::numbers;
use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::{log_sigmoid, log_softmax, sigmoid, softmax};
use burn::tensor::{Device, Tensor, TensorData};
use limn_services::training::port::{EngineError, NetTraining, Prediction, TrainTask, Truth};

/// This much of what is right is spread over all categories, or a network of a few hundred pictures is sure of everything.
const SMOOTH: f32 = 0.05;

/// `[n, 12, h / 2, w / 2]` to `[n, categories]` before the softmax or the sigmoid.
#[derive(Module, Debug)]
pub(super) struct Classifier {
    stem: Block,
    second: Block,
    third: Block,
    fourth: Block,
    last: Conv2d,
}

impl Classifier {
    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let x = self.second.forward(self.stem.forward(x));
        let x = self.fourth.forward(self.third.forward(x));
        self.last.forward(x.mean_dims(&[2, 3])).flatten(1, 3)
    }

    pub(super) fn new(design: &Design, device: &Device) -> Self {
        let block = |from, to, stride| Block::new(from, to, 3, stride, device);
        Self {
            stem: block(CHANNELS, 32, 1),
            second: block(32, 64, 2),
            third: block(64, 128, 2),
            fourth: block(128, 128, 1),
            last: last(128, design.categories, 0.0, device),
        }
    }
}

impl Network for Classifier {
    fn begin(plan: &Plan, _: &NetTraining<'_>, device: &Device) -> Result<Self, EngineError> {
        Ok(fresh(plan, Self::new(&plan.design, device)))
    }

    fn losses(&self, x: Tensor<4>, targets: Targets, plan: &Plan) -> Result<Losses, EngineError> {
        losses(self.forward(x), targets, plan)
    }

    fn say(&self, x: Tensor<4>, design: &Design) -> Result<Vec<Prediction>, EngineError> {
        told(self.forward(x), design)
    }
}

/// How wrong what was said is: `[n, categories]` before the softmax or the sigmoid.
fn losses(said: Tensor<2>, targets: Targets, plan: &Plan) -> Result<Losses, EngineError> {
    let Targets::Categories { right, weights } = targets else {
        return Err(EngineError::Broken(
            "A classifier learns from categories.".to_owned(),
        ));
    };
    let device = said.device();
    let [n, c] = said.dims();
    let right = Tensor::<2>::from_data(TensorData::new(right, [n, c]), &device);
    let total = if plan.design.task == TrainTask::Classification {
        let sum: f32 = weights.iter().sum();
        let weights = Tensor::<2>::from_data(TensorData::new(weights, [n, 1]), &device);
        let right = right.mul_scalar(1.0 - SMOOTH).add_scalar(SMOOTH / c as f32);
        (log_softmax(said, 1) * right * weights)
            .sum()
            .div_scalar(-sum.max(1e-6))
    } else {
        let weights = Tensor::<2>::from_data(TensorData::new(plan.weights.clone(), [1, c]), &device);
        let there = log_sigmoid(said.clone()) * right.clone() * weights;
        let missing = log_sigmoid(said.neg()) * right.neg().add_scalar(1.0);
        (there + missing).mean().neg()
    };
    Ok(Losses {
        total,
        parts: Vec::new(),
    })
}

/// The probabilities of what was said, row by row.
fn told(said: Tensor<2>, design: &Design) -> Result<Vec<Prediction>, EngineError> {
    let said = if design.task == TrainTask::Classification {
        softmax(said, 1)
    } else {
        sigmoid(said)
    };
    let all = numbers(said)
        .map_err(|why| EngineError::Broken(format!("A network's answer cannot be read: {why}")))?;
    Ok(all
        .chunks(design.categories)
        .map(|row| Prediction::Categories(row.to_vec()))
        .collect())
}

/// What is right for a batch of pictures.
pub(super) fn targets(truths: &[&Truth], plan: &Plan) -> Targets {
    let c = plan.design.categories;
    let mut right = vec![0.0; truths.len() * c];
    let mut weights = vec![1.0; truths.len()];
    for (i, truth) in truths.iter().enumerate() {
        if let Truth::Categories(list) = truth {
            for category in list {
                right[i * c + category] = 1.0;
                if plan.design.task == TrainTask::Classification {
                    weights[i] = plan.weights[*category];
                }
            }
        }
    }
    Targets::Categories { right, weights }
}
