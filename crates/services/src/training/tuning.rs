//! Backbones that trainings begin with: versions of registered models that hold weights of a network.

use super::port::{EngineError, Trainer, Tuning};
use crate::assist::backbone;
use crate::assist::port::NetFile;
use crate::{Actor, Context, Error, Result};
use anyhow::Context as _;
use bytes::Bytes;
use limn_domain::assist::Backbone;
use limn_domain::training::TrainTask;
use limn_domain::{Code, Digest};
use std::sync::Arc;

/// Bytes of a file of weights: it stays in memory while the network learns, and the network takes several times as much.
const WEIGHTS_MAX: i64 = 256 << 20;

/// What a training begins with.
pub(crate) struct Start {
    /// `NAME/VERSION`
    pub name: String,
    pub digest: Digest,
    pub weights: Bytes,
    pub tuning: Tuning,
}

/// Reads the weights in a version of a registered model, `NAME/VERSION`, and asks the trainer whether it can begin with them. Errors say what is wrong
/// with the version or its weights, and what to do instead.
pub(crate) async fn start(
    ctx: &Context,
    trainer: &Arc<dyn Trainer>,
    actor: &Actor,
    task: TrainTask,
    name: &str,
) -> Result<Start> {
    if !task.takes_backbone() {
        return wrong(format!(
            "Only classifications begin with a backbone; a training for {} begins with nothing. Leave the backbone out.",
            task.label().to_lowercase()
        ));
    }
    let Some(wanted) = Backbone::parse(name) else {
        return wrong(format!(
            "`{name}` names no version of a model; write NAME/VERSION, for example resnet18/1."
        ));
    };
    let (file, what) = backbone::file_of(ctx, actor, &wanted).await?;
    if what == NetFile::Onnx {
        return wrong(format!(
            "Version {} of “{}” holds a network as ONNX, which cannot be fine-tuned: it can only be run. Bring the weights of a ResNet of 18, 34 or 50 layers as .safetensors or .pth, or go on describing pictures with it in the assist.",
            wanted.version, wanted.model
        ));
    }
    if file.byte_size > WEIGHTS_MAX {
        return wrong(format!(
            "Version {} of “{}” holds weights of more than {} MB, of a network that is too large to be fine-tuned here. Bring those of a ResNet of 18, 34 or 50 layers.",
            wanted.version,
            wanted.model,
            WEIGHTS_MAX >> 20
        ));
    }
    let weights = ctx.blobs.read(&file.digest).await;
    let weights = weights.context("the weights cannot be read")?;
    let (trainer, bytes) = (Arc::clone(trainer), weights.clone());
    let asked = tokio::task::spawn_blocking(move || trainer.tuning(task, &bytes));
    match asked.await.map_err(anyhow::Error::from)? {
        Ok(tuning) => Ok(Start {
            name: wanted.to_string(),
            digest: file.digest,
            weights,
            tuning,
        }),
        Err(EngineError::Refused(why) | EngineError::Broken(why)) => wrong(why),
        Err(EngineError::Stopped) => Err(anyhow::anyhow!("reading weights was stopped").into()),
    }
}

fn wrong<T>(why: String) -> Result<T> {
    Err(Error::new(Code::WrongState, why))
}
