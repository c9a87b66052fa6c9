//! What a registered network says of a picture.

use super::port::{Cutout, EngineError, Net, NetBox, Prediction, SmallPicture};
use super::{Trainings, areas, no_trainer, outlines};
use crate::authz::require;
use crate::ingest::refusal;
use crate::{Actor, Context, Error, Result};
use bytes::Bytes;
use limn_domain::training::{
    ModelCategories, Predicted, PredictedBox, PredictedCategory, PredictedRle, TrainTask, file,
};
use limn_domain::{Action, Code, Digest, Shape};
use limn_storage::{Source, StorageError, header, small_rgb};
use limn_store::repo;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Networks held in memory, and bytes of the largest.
const HELD: usize = 4;
const MODEL_MAX: i64 = 512 << 20;
/// Bytes of `categories.json`.
const ABOUT_MAX: i64 = 8 << 20;

/// A network with what it needs.
struct Loaded {
    net: Box<dyn Net>,
    about: ModelCategories,
}

/// The latest used last.
type Held = Vec<(Digest, Arc<Loaded>)>;

/// Networks in memory.
#[derive(Clone)]
pub(super) struct Nets {
    held: Arc<Mutex<Held>>,
    /// One at a time, so that people who label keep the other cores.
    turn: Arc<Semaphore>,
}

impl Default for Nets {
    fn default() -> Self {
        Self {
            held: Arc::default(),
            turn: Arc::new(Semaphore::new(1)),
        }
    }
}

impl Nets {
    fn get(&self, digest: &Digest) -> Option<Arc<Loaded>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let at = held.iter().position(|(d, _)| d == digest)?;
        let found = held.remove(at);
        let net = Arc::clone(&found.1);
        held.push(found);
        Some(net)
    }

    fn put(&self, digest: Digest, net: &Arc<Loaded>) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|(d, _)| *d != digest);
        if held.len() >= HELD {
            held.remove(0);
        }
        held.push((digest, Arc::clone(net)));
    }
}

impl Trainings {
    /// Asks a version of a registered model that a training made. Boxes below `min_score` are left out; without it those are that
    /// are not worth showing by the figures of the training. Errors: `WrongState` for models of other makes, `UnsupportedMedia` for bytes
    /// that are no picture.
    pub async fn predict(
        &self,
        actor: &Actor,
        name: &str,
        number: i64,
        picture: Bytes,
        min_score: Option<f64>,
    ) -> Result<Predicted> {
        require(actor, Action::ViewRuns)?;
        if min_score.is_some_and(|s| !(0.0..=1.0).contains(&s)) {
            return Err(Error::field("min_score", "A score is between 0 and 1."));
        }
        let loaded = self.loaded(actor, name, number).await?;
        let (width, height, small) = small(&self.ctx, picture, loaded.about.side).await?;
        let _turn = self
            .nets
            .turn
            .clone()
            .acquire_owned()
            .await
            .map_err(anyhow::Error::from)?;
        let net = Arc::clone(&loaded);
        let said = tokio::task::spawn_blocking(move || asked(&net, &small, min_score))
            .await
            .map_err(anyhow::Error::from)?
            .map_err(|e| anyhow::anyhow!("the model {name} v{number} could not be asked: {e}"))?
            .ok_or_else(|| anyhow::anyhow!("the model {name} v{number} said nothing"))?;
        Ok(put(&loaded.about, said, (width, height), min_score))
    }

    async fn loaded(&self, actor: &Actor, name: &str, number: i64) -> Result<Arc<Loaded>> {
        let models = crate::models::Models(self.ctx.clone());
        let (_, place) = models.place(actor, name, number).await?;
        let mut tx = self.ctx.db.read().await?;
        let files = repo::artifact::all(&mut tx, place.owner.uuid(), &place.path).await?;
        drop(tx);
        let find = |wanted: &str, most: i64| {
            let is = |path: &str| path == wanted || path.ends_with(&format!("/{wanted}"));
            files.iter().find(|f| is(&f.path) && f.byte_size <= most)
        };
        let (Some(model), Some(about)) = (find(file::MODEL, MODEL_MAX), find(file::CATEGORIES, ABOUT_MAX))
        else {
            return Err(Error::new(
                Code::WrongState,
                format!(
                    "Version {number} of “{name}” was not trained by Limn: it holds no `{}`. Only such models can be asked here.",
                    file::MODEL
                ),
            ));
        };
        if let Some(found) = self.nets.get(&model.digest) {
            return Ok(found);
        }
        let trainer = self.ctx.trainer.clone().ok_or_else(no_trainer)?;
        let read = async |f: &repo::artifact::ArtifactFile| {
            self.ctx
                .blobs
                .read_range(&f.digest, 0, f.byte_size.unsigned_abs())
                .await
                .map_err(|e| refusal(&f.path, e))
        };
        let (bytes, about) = (read(model).await?, read(about).await?);
        let broken = |why: String| {
            Error::new(
                Code::WrongState,
                format!("The model in version {number} of “{name}” cannot be read: {why}"),
            )
        };
        let about: ModelCategories = serde_json::from_slice(&about)
            .map_err(|e| broken(format!("`{}` is not what it should be ({e}).", file::CATEGORIES)))?;
        let net = tokio::task::spawn_blocking(move || trainer.load(&bytes))
            .await
            .map_err(anyhow::Error::from)?
            .map_err(|e| broken(e.to_string()))?;
        if net.categories() != about.categories.len() || net.task() != about.task {
            return Err(broken(format!(
                "`{}` and `{}` do not belong together.",
                file::MODEL,
                file::CATEGORIES
            )));
        }
        let loaded = Arc::new(Loaded { net, about });
        self.nets.put(model.digest.clone(), &loaded);
        Ok(loaded)
    }
}

/// Size of the picture as displayed, and the picture made small.
async fn small(ctx: &Context, bytes: Bytes, side: u32) -> Result<(u32, u32, SmallPicture)> {
    let limits = *ctx.renditions.limits();
    let source = Source::Bytes(bytes);
    let peek = source.clone();
    let refused = |e: StorageError| refusal("the picture", e);
    let info = tokio::task::spawn_blocking(move || header(&peek, &limits))
        .await
        .map_err(anyhow::Error::from)?
        .map_err(refused)?;
    if info.is_large(&limits) {
        return Err(Error::new(
            Code::TooLarge,
            format!(
                "The picture has {} megapixels; at most {} can be asked about. Scale it down.",
                info.pixels() / 1_000_000,
                limits.whole_pixels / 1_000_000
            ),
        ));
    }
    let rgb = ctx
        .renditions
        .pool()
        .run(info.decoded_bytes * 2, move || small_rgb(&source, &limits, side))
        .await
        .map_err(refused)?;
    Ok((
        info.width,
        info.height,
        SmallPicture {
            width: rgb.width,
            height: rgb.height,
            rgb: rgb.pixels,
        },
    ))
}

/// What a network says of a picture; boxes are those worth showing, beside what it cuts out of each, where it can.
fn asked(
    loaded: &Loaded,
    small: &SmallPicture,
    min_score: Option<f64>,
) -> Result<Option<(Prediction, Vec<Cutout>)>, EngineError> {
    let mut list = match loaded.net.predict(std::slice::from_ref(small))?.pop() {
        Some(Prediction::Boxes(list)) => list,
        other => return Ok(other.map(|said| (said, Vec::new()))),
    };
    list.retain(|(b, score)| {
        let category = loaded.about.categories.get(b.category);
        category.is_some_and(|c| f64::from(*score) >= min_score.unwrap_or(c.threshold))
    });
    let boxes: Vec<NetBox> = list.iter().map(|(b, _)| *b).collect();
    let cut = if loaded.net.cuts_out() {
        loaded.net.cut_out(small, &boxes)?
    } else {
        Vec::new()
    };
    Ok(Some((Prediction::Boxes(list), cut)))
}

fn put(
    about: &ModelCategories,
    (said, cut): (Prediction, Vec<Cutout>),
    (width, height): (u32, u32),
    min_score: Option<f64>,
) -> Predicted {
    let mut answer = Predicted {
        task: about.task,
        width: width.into(),
        height: height.into(),
        categories: Vec::new(),
        boxes: Vec::new(),
        areas: Vec::new(),
    };
    match said {
        Prediction::Pixels { map, sure } => {
            let least = min_score.unwrap_or(0.0);
            answer.areas = areas::told(&map, &sure, &about.categories, (width, height), least);
        }
        Prediction::Boxes(boxes) => {
            let mut cut = cut.iter();
            answer.boxes = boxes
                .into_iter()
                .filter_map(|(b, score)| boxed(about, &b, score, (width, height), cut.next()))
                .collect();
        }
        Prediction::Categories(scores) => {
            let surest = scores
                .iter()
                .enumerate()
                .max_by(|a, b| a.1.total_cmp(b.1))
                .map(|(n, _)| n);
            answer.categories = about
                .categories
                .iter()
                .zip(scores)
                .enumerate()
                .map(|(n, (c, score))| PredictedCategory {
                    category: c.name.clone(),
                    score: f64::from(score),
                    is_said: match about.task {
                        TrainTask::Multilabel => f64::from(score) >= min_score.unwrap_or(c.threshold),
                        _ => Some(n) == surest,
                    },
                })
                .collect();
            answer.categories.sort_by(|a, b| b.score.total_cmp(&a.score));
        }
    }
    answer
}

fn boxed(
    about: &ModelCategories,
    b: &NetBox,
    score: f32,
    size: (u32, u32),
    cut: Option<&Cutout>,
) -> Option<PredictedBox> {
    let (w, h) = (f64::from(size.0), f64::from(size.1));
    Some(PredictedBox {
        category: about.categories.get(b.category)?.name.clone(),
        score: f64::from(score),
        x: f64::from(b.x) * w,
        y: f64::from(b.y) * h,
        width: f64::from(b.width) * w,
        height: f64::from(b.height) * h,
        segmentation: cut.and_then(|c| pixels(c, size)),
    })
}

/// The pixels of an object; of pictures of more than 4,096 pixels a side at that size.
fn pixels(cut: &Cutout, size: (u32, u32)) -> Option<PredictedRle> {
    let (w, h) = areas::answered(size);
    let (w, h) = (w as u32, h as u32);
    let Some(Shape::Mask { mask }) = outlines::shape(cut, (w, h), true) else {
        return None;
    };
    Some(PredictedRle {
        size: [i64::from(h), i64::from(w)],
        counts: mask.full_text(w, h),
    })
}
