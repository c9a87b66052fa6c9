//! Networks that an admin brings to describe pictures: versions of registered models with weights of a network that is known (ResNet, MobileNet, ViT), as safetensors or as `torch.save`
//! writes them, or with a whole network as ONNX.

use super::Assists;
use super::port::{EngineError, NetFile, PictureNet};
use crate::authz::require_in;
use crate::models::Models;
use crate::segment::try_pair;
use crate::{Actor, Context, Error, Result};
use anyhow::Context as _;
use limn_domain::assist::{Backbone, UpdateAssist};
use limn_domain::{Action, Code, Digest, ProjectId};
use limn_store::repo;
use limn_store::repo::artifact::ArtifactFile;
use std::sync::Arc;

/// Bytes of a file of weights.
const WEIGHTS_MAX: i64 = 1 << 30;
/// Bytes of a network as ONNX: while it is read it takes several times as much memory.
pub(crate) const ONNX_MAX: i64 = 1 << 29;

/// What a file of this name may be.
fn net_file(path: &str) -> Option<NetFile> {
    let ends = |end: &str| path.to_ascii_lowercase().ends_with(end);
    if ends(".onnx") {
        return Some(NetFile::Onnx);
    }
    [".safetensors", ".pth", ".pt"]
        .into_iter()
        .any(ends)
        .then_some(NetFile::Weights)
}

/// A network with the digest of its weights.
pub(crate) struct Brought {
    pub net: Arc<dyn PictureNet>,
    pub digest: Digest,
}

impl Assists {
    /// Versions of registered models with files that may be such, as `NAME/VERSION`, at most 200.
    pub async fn backbones(&self, actor: &Actor, project: ProjectId) -> Result<Vec<String>> {
        let mut tx = self.0.db.read().await?;
        require_in(&mut tx, actor, Action::ManageProject, project).await?;
        let found = repo::assist::weights(&mut tx, 200).await?;
        let named = found
            .into_iter()
            .map(|(model, version)| Backbone { model, version }.to_string());
        Ok(named.collect())
    }

    /// Opens the network that is asked for, so that a wrong one is told now and not by a job.
    pub(super) async fn try_backbone(
        &self,
        actor: &Actor,
        project: ProjectId,
        change: &UpdateAssist,
    ) -> Result<()> {
        let Some(wanted) = change.backbone.as_deref().and_then(Backbone::parse) else {
            return Ok(());
        };
        let mut tx = self.0.db.read().await?;
        require_in(&mut tx, actor, Action::ManageProject, project).await?;
        let row = repo::assist::get(&mut tx, project).await?;
        drop(tx);
        if row.is_some_and(|r| r.settings.backbone.as_ref() == Some(&wanted)) {
            return Ok(());
        }
        let at_fault = |e: Error| Error::field("backbone", e.into_api().message);
        brought(&self.0, &wanted).await.map_err(at_fault)?;
        Ok(())
    }
}

impl Assists {
    /// The same of the pair that finds objects by clicks.
    pub(super) async fn try_segmenter(
        &self,
        actor: &Actor,
        project: ProjectId,
        change: &UpdateAssist,
    ) -> Result<()> {
        let Some(wanted) = change.segmenter.as_deref().and_then(Backbone::parse) else {
            return Ok(());
        };
        let mut tx = self.0.db.read().await?;
        require_in(&mut tx, actor, Action::ManageProject, project).await?;
        let row = repo::assist::get(&mut tx, project).await?;
        drop(tx);
        if row.is_some_and(|r| r.settings.segmenter.as_ref() == Some(&wanted)) {
            return Ok(());
        }
        let at_fault = |e: Error| Error::field("segmenter", e.into_api().message);
        try_pair(&self.0, &wanted).await.map_err(at_fault)
    }
}

/// The one file of a version that holds a network, and what it is. Errors: `WrongState` where there is none, or several; `NotFound` for a version that is not there.
pub(crate) async fn file_of(
    ctx: &Context,
    actor: &Actor,
    wanted: &Backbone,
) -> Result<(ArtifactFile, NetFile)> {
    let models = Models(ctx.clone());
    let (_, place) = models.place(actor, &wanted.model, wanted.version).await?;
    let files = repo::artifact::all(&mut ctx.db.read().await?, place.owner.uuid(), &place.path).await?;
    let mut nets = files
        .into_iter()
        .filter_map(|f| net_file(&f.path).map(|what| (f, what)));
    let (found, more) = (nets.next(), nets.next());
    let Some(found) = found else {
        return wrong(
            wanted,
            "holds no weights: it has no file that ends in .safetensors, .pth or .onnx.",
        );
    };
    if more.is_some() {
        return wrong(
            wanted,
            "holds several files of weights; register a version with one.",
        );
    }
    Ok(found)
}

fn wrong<T>(version: &Backbone, why: &str) -> Result<T> {
    Err(Error::new(
        Code::WrongState,
        format!("Version {} of “{}” {why}", version.version, version.model),
    ))
}

/// Reads a network. Errors say what is wrong with the version or its weights.
pub(crate) async fn brought(ctx: &Context, wanted: &Backbone) -> Result<Brought> {
    let Some(engine) = ctx.engine.clone() else {
        return Err(Error::new(Code::Unavailable, "This server runs without models."));
    };
    let (file, what) = file_of(ctx, &Actor::System, wanted).await?;
    match what {
        NetFile::Weights if file.byte_size > WEIGHTS_MAX => {
            return wrong(
                wanted,
                "holds weights of more than a gigabyte. Those of a large transformer fit as 16-bit numbers: `torch.save(model.half().state_dict(), \"vit_l_16.pth\")`.",
            );
        }
        NetFile::Onnx if file.byte_size > ONNX_MAX => {
            return wrong(
                wanted,
                "holds an ONNX file of more than 512 megabytes; use a smaller network.",
            );
        }
        _ => {}
    }
    let bytes = ctx.blobs.read(&file.digest).await;
    let bytes = bytes.context("the weights cannot be read")?;
    let read = tokio::task::spawn_blocking(move || engine.picture_net(&bytes, what));
    match read.await.map_err(anyhow::Error::from)? {
        Ok(net) => Ok(Brought {
            net,
            digest: file.digest,
        }),
        Err(EngineError::Refused(why) | EngineError::Broken(why)) => Err(Error::new(Code::WrongState, why)),
        Err(EngineError::Stopped) => Err(anyhow::anyhow!("reading weights was stopped").into()),
    }
}
