//! The services' port: their types in, ours inside, on threads of its own.

use crate::backbone::Backbone;
use crate::error::{MlError, check};
use crate::head::Head;
use crate::judge::Word;
use crate::linear::Matrix;
use crate::order::{by_cluster, cosine, margin, most_useful};
use crate::processor::Processor;
use crate::train::{Example, Task, train};
use crate::tree::Tree;
use crate::{Encoder, Picture, Tagger, Things, Words, look, plane};
use limn_domain::assist::{AssistOrder, Figures};
#[cfg(feature = "onnx")]
use limn_domain::{Mask, smart::Clicks};
use limn_services::assist::port::{
    Arranged, Described, Engine, EngineError, JudgedBoxes, JudgedMasks, JudgedOutlines, NetFile, PictureNet,
    Segmenter, SmallPicture, SpanTraining, StopCheck, TextSpan, TrainedHead, Training, Verdict,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Groups of alike items for a first sample, and for labeling alike ones together.
const START_GROUPS: usize = 20;
const GROUP_SIZE: usize = 24;
const GROUPS_MAX: usize = 200;
/// The seed of clusters and planes: the same items come in the same groups and places again.
const SEED: u64 = 0x11a9;

impl From<MlError> for EngineError {
    fn from(e: MlError) -> Self {
        match e {
            MlError::Stopped => Self::Stopped,
            MlError::Refused(why) => Self::Refused(why),
            MlError::Broken(why) => Self::Broken(why),
        }
    }
}

/// Models on this machine's CPU. One question at a time, on the thread that asks: whoever is labeling keeps the other cores.
#[derive(Debug, Default)]
pub struct LocalEngine {
    turn: Mutex<()>,
    /// Of networks that people bring as weights.
    processor: Processor,
}

impl LocalEngine {
    pub fn new() -> Self {
        Self::default()
    }

    /// With networks that people bring as weights on another processor.
    #[must_use]
    pub fn on(self, processor: Processor) -> Self {
        Self { processor, ..self }
    }

    /// Waits for the turn.
    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn pictures(small: &[SmallPicture]) -> Vec<Picture> {
    small
        .iter()
        .filter_map(|p| Picture::new(p.width, p.height, p.rgb.clone()))
        .collect()
}

fn all_whole(small: &[SmallPicture]) -> Result<Vec<Picture>, EngineError> {
    let whole = pictures(small);
    if whole.len() == small.len() {
        return Ok(whole);
    }
    Err(EngineError::Broken(
        "A picture has other bytes than its size says.".to_owned(),
    ))
}

impl PictureNet for Backbone {
    fn name(&self) -> &'static str {
        self.name()
    }

    fn side(&self) -> u32 {
        self.side()
    }

    fn embed(&self, small: &[SmallPicture], stop: &StopCheck) -> Result<Vec<Vec<f32>>, EngineError> {
        Ok(self.embed(&all_whole(small)?, &|| stop())?)
    }
}

#[cfg(feature = "onnx")]
impl PictureNet for crate::onnx::Described {
    fn name(&self) -> &'static str {
        "onnx"
    }

    fn side(&self) -> u32 {
        self.side()
    }

    fn embed(&self, small: &[SmallPicture], stop: &StopCheck) -> Result<Vec<Vec<f32>>, EngineError> {
        Ok(self.embed(&all_whole(small)?, &|| stop())?)
    }
}

#[cfg(feature = "onnx")]
fn described(bytes: &[u8]) -> Result<Arc<dyn PictureNet>, EngineError> {
    Ok(Arc::new(crate::onnx::Described::open(bytes)?))
}

#[cfg(not(feature = "onnx"))]
fn described(_: &[u8]) -> Result<Arc<dyn PictureNet>, EngineError> {
    Err(no_onnx())
}

#[cfg(feature = "onnx")]
impl Segmenter for crate::onnx::Pair {
    fn side(&self) -> u32 {
        self.side()
    }

    fn steps(&self) -> usize {
        self.steps()
    }

    fn seen_bytes(&self) -> usize {
        self.seen_bytes()
    }

    fn look(&self, picture: &SmallPicture, stop: &StopCheck) -> Result<Vec<u8>, EngineError> {
        let whole = all_whole(std::slice::from_ref(picture))?;
        let Some(picture) = whole.first() else {
            return Ok(Vec::new());
        };
        Ok(self.encode(picture, &|| stop())?)
    }

    fn segment(
        &self,
        seen: &[u8],
        size: [u32; 2],
        clicks: &Clicks,
        stop: &StopCheck,
    ) -> Result<Option<Mask>, EngineError> {
        Ok(self.find(seen, size, clicks, &|| stop())?)
    }
}

#[cfg(feature = "onnx")]
fn pair(encoder: &[u8], decoder: &[u8]) -> Result<Arc<dyn Segmenter>, EngineError> {
    Ok(Arc::new(crate::onnx::Pair::open(encoder, decoder)?))
}

#[cfg(not(feature = "onnx"))]
fn pair(_: &[u8], _: &[u8]) -> Result<Arc<dyn Segmenter>, EngineError> {
    Err(no_onnx())
}

#[cfg(not(feature = "onnx"))]
fn no_onnx() -> EngineError {
    EngineError::Refused(
        "This server was built without ONNX; use weights of a ResNet, MobileNet or ViT.".to_owned(),
    )
}

impl Engine for LocalEngine {
    fn version(&self) -> &'static str {
        "patches-1"
    }

    fn fit(&self, small: &[SmallPicture], seed: u64, stop: &StopCheck) -> Result<Vec<u8>, EngineError> {
        let _turn = self.turn();
        Ok(Encoder::fit(&pictures(small), seed, &|| stop())?.to_bytes())
    }

    fn embed(
        &self,
        encoder: &[u8],
        small: &[SmallPicture],
        stop: &StopCheck,
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let encoder = Encoder::from_bytes(encoder)?;
        let whole = all_whole(small)?;
        let _turn = self.turn();
        Ok(encoder.embed(&whole, &|| stop())?)
    }

    fn look_version(&self) -> &'static str {
        "looks-1"
    }

    fn looks(&self, small: &[SmallPicture]) -> Result<Vec<Vec<f32>>, EngineError> {
        let whole = all_whole(small)?;
        // A millisecond for some ten pictures: nobody waits for a turn.
        Ok(whole.iter().map(look).collect())
    }

    fn plane_version(&self) -> &'static str {
        "plane-1"
    }

    fn plane(
        &self,
        things: Described<'_>,
        tell: &dyn Fn(f32),
        stop: &StopCheck,
    ) -> Result<Vec<[f32; 2]>, EngineError> {
        let things = Things {
            bytes: things.bytes,
            dims: things.dims,
            rows: things.rows,
        };
        // It may take minutes: whoever labels does not wait for that.
        Ok(plane(&things, SEED, tell, &|| stop())?)
    }

    fn text_version(&self) -> &'static str {
        "words-1"
    }

    fn fit_texts(&self, texts: &[String], seed: u64, stop: &StopCheck) -> Result<Vec<u8>, EngineError> {
        let _turn = self.turn();
        Ok(Words::fit(texts, seed, &|| stop())?.to_bytes())
    }

    fn embed_texts(
        &self,
        encoder: &[u8],
        texts: &[String],
        stop: &StopCheck,
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let words = Words::from_bytes(encoder)?;
        let _turn = self.turn();
        Ok(words.embed(texts, &|| stop())?)
    }

    fn picture_net(&self, bytes: &[u8], what: NetFile) -> Result<Arc<dyn PictureNet>, EngineError> {
        match what {
            NetFile::Weights => Ok(Arc::new(Backbone::open_on(bytes, self.processor)?)),
            NetFile::Onnx => described(bytes),
        }
    }

    fn segmenter(&self, encoder: &[u8], decoder: &[u8]) -> Result<Arc<dyn Segmenter>, EngineError> {
        pair(encoder, decoder)
    }

    fn train(&self, t: &Training, stop: &StopCheck) -> Result<TrainedHead, EngineError> {
        let examples: Vec<Example> = t
            .items
            .iter()
            .map(|i| Example {
                features: i.features.clone(),
                classes: i.categories.clone(),
                holdout: i.holdout,
                unseen: i.unseen,
            })
            .collect();
        let tree = Tree::new(&t.parents);
        let task = Task {
            examples: &examples,
            categories: &t.categories,
            tree: &tree,
            multi: t.multi,
            accuracy: t.accuracy,
            seed: t.seed,
        };
        let _turn = self.turn();
        let trained = train(&task, &|| stop())?;
        Ok(TrainedHead {
            head: trained.head.to_bytes(),
            thresholds: trained.thresholds,
            figures: trained.figures,
        })
    }

    fn judge_boxes(&self, judged: &JudgedBoxes) -> (Vec<Option<f32>>, Figures) {
        crate::boxes::judge(judged)
    }

    fn judge_outlines(&self, judged: &JudgedOutlines) -> (Vec<Option<f32>>, Figures) {
        crate::instances::judge(judged)
    }

    fn judge_masks(&self, judged: &JudgedMasks) -> (Vec<Option<f32>>, Figures) {
        crate::masks::judge(judged)
    }

    fn span_version(&self) -> &'static str {
        "tagger-1"
    }

    fn fit_spans(&self, training: &SpanTraining, stop: &StopCheck) -> Result<TrainedHead, EngineError> {
        let _turn = self.turn();
        let learned = crate::spans::learn(training, &|| stop())?;
        Ok(TrainedHead {
            head: learned.tagger.to_bytes(),
            thresholds: learned.thresholds,
            figures: learned.figures,
        })
    }

    fn find_spans(
        &self,
        model: &[u8],
        texts: &[String],
        stop: &StopCheck,
    ) -> Result<Vec<Vec<(TextSpan, f32)>>, EngineError> {
        let tagger = Tagger::from_bytes(model)?;
        let _turn = self.turn();
        let mut found = Vec::with_capacity(texts.len());
        for text in texts {
            check(&|| stop())?;
            found.push(tagger.find(text));
        }
        Ok(found)
    }

    fn predict(
        &self,
        head: &[u8],
        thresholds: &[Option<f32>],
        parents: &[Option<usize>],
        features: &[Vec<f32>],
    ) -> Result<Vec<Verdict>, EngineError> {
        let head = Head::from_bytes(head)?;
        let misfit = thresholds.len() != head.classes() || parents.len() != head.classes();
        if misfit || features.iter().any(|f| f.len() != head.dims()) {
            return Err(EngineError::Broken(
                "The stored model is of other features; train it again.".to_owned(),
            ));
        }
        let tree = Tree::new(parents);
        Ok(features
            .iter()
            .map(|row| {
                let probabilities = head.probabilities(row);
                let word = Word::of(&probabilities, head.is_multi(), &tree);
                let proposal = word.proposal(thresholds);
                let proposed = proposal.is_some();
                let (says, confidence) = proposal.unwrap_or((word.said, word.confidence));
                let sums = if head.is_multi() {
                    probabilities.clone()
                } else {
                    tree.sums(&probabilities)
                };
                Verdict {
                    proposed,
                    whole: proposed,
                    // What lies above is meant with it.
                    says: tree.lowest(&says).into_iter().map(|c| (c, sums[c])).collect(),
                    confidence,
                    margin: margin(&probabilities, head.is_multi()),
                    probabilities,
                }
            })
            .collect())
    }

    fn arrange(
        &self,
        order: AssistOrder,
        features: &[Vec<f32>],
        verdicts: &[Verdict],
        batch: usize,
        multi: bool,
        stop: &StopCheck,
    ) -> Result<Arranged, EngineError> {
        let rows = Matrix::of(features);
        let groups = (features.len() / GROUP_SIZE).clamp(1, GROUPS_MAX);
        let _turn = self.turn();
        let (order, groups) = match order {
            AssistOrder::Random => ((0..features.len()).collect(), None),
            AssistOrder::Clusters => {
                let (order, of) = by_cluster(&rows, groups, false, SEED, &|| stop())?;
                (order, Some(of))
            }
            AssistOrder::Useful if verdicts.is_empty() => {
                let (order, of) = by_cluster(&rows, START_GROUPS, true, SEED, &|| stop())?;
                (order, Some(of))
            }
            AssistOrder::Useful => {
                let p: Vec<Vec<f32>> = verdicts.iter().map(|v| v.probabilities.clone()).collect();
                (most_useful(&rows, &p, multi, batch, SEED, &|| stop())?, None)
            }
        };
        Ok(Arranged { order, groups })
    }

    fn similarity(&self, a: &[f32], b: &[f32]) -> f32 {
        cosine(a, b)
    }
}
