//! What the assist asks of whoever knows models; `limn-ml` implements it, the server puts it in.

use crate::training::port::{Cutout, NetBox, Painted, PixelMap};
use limn_domain::assist::{AssistOrder, Figures};
use limn_domain::smart::Clicks;
use limn_domain::{CategoryId, Mask};
use std::sync::Arc;

/// A small picture, RGB row by row.
#[derive(Debug, Clone)]
pub struct SmallPicture {
    pub width: usize,
    pub height: usize,
    pub rgb: Vec<u8>,
}

/// Whether to stop; asked between steps.
pub type StopCheck = Arc<dyn Fn() -> bool + Send + Sync>;

/// Why there is no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    #[error("the work was stopped")]
    Stopped,
    /// The data cannot be learned from; the text is for people and says what is missing.
    #[error("{0}")]
    Refused(String),
    /// What was stored cannot be read, or numbers went astray.
    #[error("{0}")]
    Broken(String),
}

/// A labeled item.
#[derive(Debug, Clone)]
pub struct LabeledItem {
    pub features: Vec<f32>,
    /// By index into the categories.
    pub categories: Vec<usize>,
    /// Never trained on.
    pub holdout: bool,
    /// Its label was made without a proposal in view.
    pub unseen: bool,
}

/// What to train.
#[derive(Debug, Clone)]
pub struct Training {
    pub items: Vec<LabeledItem>,
    pub categories: Vec<CategoryId>,
    /// The category above each, by index.
    pub parents: Vec<Option<usize>>,
    /// Any number of categories an item.
    pub multi: bool,
    /// Accuracy that proposals must have.
    pub accuracy: f64,
    pub seed: u64,
}

/// A head with what is known of it.
#[derive(Debug, Clone)]
pub struct TrainedHead {
    pub head: Vec<u8>,
    /// From which confidence on each category is proposed.
    pub thresholds: Vec<Option<f32>>,
    pub figures: Figures,
}

/// What a detector found in pictures that it was not trained on, beside what people drew there.
#[derive(Debug, Clone)]
pub struct JudgedBoxes {
    pub pictures: Vec<JudgedPicture>,
    pub categories: Vec<CategoryId>,
    /// Pictures it was trained on, and boxes of each category in them.
    pub trained_on: i64,
    pub trained_boxes: Vec<i64>,
    /// Of each category, from which confidence on its boxes are worth showing.
    pub worth: Vec<f32>,
    /// COCO's average precision at an overlap of one half, where there is one.
    pub map50: Option<f64>,
    /// Accuracy that proposals must have.
    pub accuracy: f64,
}

/// A picture with both.
#[derive(Debug, Clone)]
pub struct JudgedPicture {
    /// Drawn by people.
    pub right: Vec<NetBox>,
    /// With their confidence, 0..=1, surest first.
    pub found: Vec<(NetBox, f32)>,
}

/// What a detector cut out of pictures that it was not trained on, beside what people outlined there.
#[derive(Debug, Clone)]
pub struct JudgedOutlines {
    pub pictures: Vec<JudgedObjects>,
    pub categories: Vec<CategoryId>,
    /// Pictures it was trained on, and objects of each category in them.
    pub trained_on: i64,
    pub trained_objects: Vec<i64>,
    /// Accuracy that proposals must have.
    pub accuracy: f64,
}

/// A picture with both.
#[derive(Debug, Clone)]
pub struct JudgedObjects {
    /// Outlined by people.
    pub right: Vec<Cutout>,
    /// With the confidence of their boxes, 0..=1, surest first.
    pub found: Vec<(Cutout, f32)>,
}

/// What a segmentation says of pictures that it was not trained on, beside what people painted there.
#[derive(Debug, Clone)]
pub struct JudgedMasks {
    pub pictures: Vec<JudgedMap>,
    pub categories: Vec<CategoryId>,
    /// Pictures it was trained on, and those of them that show each category.
    pub trained_on: i64,
    pub trained_masks: Vec<i64>,
    /// Accuracy that proposals must have.
    pub accuracy: f64,
}

/// A picture with both.
#[derive(Debug, Clone)]
pub struct JudgedMap {
    /// Painted by people.
    pub right: PixelMap,
    pub said: Painted,
}

/// Characters (Unicode scalar values) of a document that count; what lies behind is neither learned from nor looked at.
pub const TEXT_READ: usize = 100_000;

/// A span of a document with a category, in Unicode scalar values of its text, `end` not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextSpan {
    /// By index into the categories.
    pub category: usize,
    pub start: u32,
    pub end: u32,
}

/// A document with what people marked in it.
#[derive(Debug, Clone)]
pub struct LabeledText {
    pub text: String,
    pub spans: Vec<TextSpan>,
    /// Never trained on, and labeled without a proposal in view: figures and thresholds come from these.
    pub holdout: bool,
}

/// What to learn to find spans from.
#[derive(Debug, Clone)]
pub struct SpanTraining {
    pub documents: Vec<LabeledText>,
    pub categories: Vec<CategoryId>,
    /// Accuracy that proposals must have.
    pub accuracy: f64,
    pub seed: u64,
}

/// What a head says of an item.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// By index into the categories, with the probability of each.
    pub says: Vec<(usize, f32)>,
    /// How sure it is of all of that.
    pub confidence: f32,
    /// Whether that is enough to be proposed.
    pub proposed: bool,
    /// Whether that is all there is to say of it, so that a look settles the item: nothing that is worth showing is left out.
    pub whole: bool,
    /// How little it is torn; 0 is most.
    pub margin: f32,
    pub probabilities: Vec<f32>,
}

/// Confidence from which marks are worth showing where nothing tells.
pub const WORTH: f32 = 0.5;

/// How sure a model is of a mark that it found in an item, and what that is measured by; all 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MarkSure {
    pub sure: f32,
    /// From which confidence on marks of its category are proposed; `None` while none are.
    pub threshold: Option<f32>,
    /// From which confidence on they are worth showing: the best balance of found and mistaken ones.
    pub worth: f32,
}

impl MarkSure {
    pub fn passes(&self) -> bool {
        self.threshold.is_some_and(|t| self.sure >= t)
    }
}

impl Verdict {
    /// Of an item with marks in it. `found`: all of them; `proposed`: how sure those are that are proposed. The probabilities say how far each is from
    /// being proposed: half is just so.
    pub fn of_marks(found: &[MarkSure], proposed: &[f64]) -> Self {
        let near = |m: &MarkSure| (0.5 + m.sure - m.threshold.unwrap_or(0.5)).clamp(0.0, 1.0);
        let near: Vec<f32> = found.iter().map(near).collect();
        let sum: f64 = proposed.iter().sum();
        Self {
            says: Vec::new(),
            confidence: (sum / proposed.len().max(1) as f64) as f32,
            proposed: !proposed.is_empty(),
            whole: !proposed.is_empty() && found.iter().all(|m| m.passes() || m.sure < m.worth),
            margin: near.iter().map(|v| (v - 0.5).abs()).fold(0.5, f32::min),
            probabilities: near,
        }
    }
}

/// One of each in turn, beginning with `first`; what is left of the longer one follows.
pub fn by_turns<T>(first: Vec<T>, second: Vec<T>) -> Vec<T> {
    let mut all = Vec::with_capacity(first.len() + second.len());
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    while first.len() + second.len() > 0 {
        all.extend(first.next());
        all.extend(second.next());
    }
    all
}

/// Things that are described by a byte a number: `dims` bytes of each row, and the rows that are meant, rising.
#[derive(Debug, Clone, Copy)]
pub struct Described<'a> {
    pub bytes: &'a [u8],
    pub dims: usize,
    pub rows: &'a [u32],
}

/// In which order to label.
#[derive(Debug, Clone)]
pub struct Arranged {
    /// Places of the features given, in order.
    pub order: Vec<usize>,
    /// The group of each, where groups were made.
    pub groups: Option<Vec<usize>>,
}

/// What a file of a network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetFile {
    /// Weights of a network that is known, as safetensors or as `torch.save` writes them.
    Weights,
    /// A whole network, as ONNX.
    Onnx,
}

/// A network that somebody brought, which describes pictures.
pub trait PictureNet: Send + Sync {
    /// Such as `resnet18`.
    fn name(&self) -> &'static str;

    /// The longer side of the pictures it wants, in pixels.
    fn side(&self) -> u32;

    /// Describes pictures: one vector each, all of one length.
    fn embed(&self, pictures: &[SmallPicture], stop: &StopCheck) -> Result<Vec<Vec<f32>>, EngineError>;
}

/// Networks that somebody brought, which find an object of a picture by clicks. All of it blocks.
pub trait Segmenter: Send + Sync {
    /// The longer side of the pictures it looks at, in pixels.
    fn side(&self) -> u32;

    /// How often looking at a picture asks `stop`.
    fn steps(&self) -> usize;

    /// Bytes of what it says of a picture.
    fn seen_bytes(&self) -> usize;

    /// Looks at a picture, which takes seconds; answers what [`Self::segment`] needs to know of it.
    fn look(&self, picture: &SmallPicture, stop: &StopCheck) -> Result<Vec<u8>, EngineError>;

    /// The object of a picture of this width and height that is meant; nothing where it finds none.
    fn segment(
        &self,
        seen: &[u8],
        size: [u32; 2],
        clicks: &Clicks,
        stop: &StopCheck,
    ) -> Result<Option<Mask>, EngineError>;
}

/// Models, as the assist needs them. All of it blocks for up to minutes and asks `stop` between steps.
pub trait Engine: Send + Sync {
    /// Changes when features come out differently.
    fn version(&self) -> &'static str;

    /// Learns to describe pictures like these; answers the encoder's bytes.
    fn fit(&self, pictures: &[SmallPicture], seed: u64, stop: &StopCheck) -> Result<Vec<u8>, EngineError>;

    /// Describes pictures: one vector each, all of one length.
    fn embed(
        &self,
        encoder: &[u8],
        pictures: &[SmallPicture],
        stop: &StopCheck,
    ) -> Result<Vec<Vec<f32>>, EngineError>;

    /// Changes when [`Self::looks`] come out differently.
    fn look_version(&self) -> &'static str;

    /// What pictures look like, the same in every project and dataset: one vector each, all of one length, of numbers from 0
    /// on; the Euclidean distance of two is 0..=1. Takes milliseconds.
    fn looks(&self, pictures: &[SmallPicture]) -> Result<Vec<Vec<f32>>, EngineError>;

    /// Changes when [`Self::plane`] comes out differently.
    fn plane_version(&self) -> &'static str;

    /// Where described things lie in a plane, alike ones together: x and y of each, 0..=1, the same for the same things. `tell` hears
    /// which share of the work is done.
    fn plane(
        &self,
        things: Described<'_>,
        tell: &dyn Fn(f32),
        stop: &StopCheck,
    ) -> Result<Vec<[f32; 2]>, EngineError>;

    /// Changes when features of documents come out differently.
    fn text_version(&self) -> &'static str;

    /// Learns to describe documents like these; answers the encoder's bytes.
    fn fit_texts(&self, texts: &[String], seed: u64, stop: &StopCheck) -> Result<Vec<u8>, EngineError>;

    /// Describes documents: one vector each, all of one length.
    fn embed_texts(
        &self,
        encoder: &[u8],
        texts: &[String],
        stop: &StopCheck,
    ) -> Result<Vec<Vec<f32>>, EngineError>;

    /// Reads a network that describes pictures. [`EngineError::Refused`] says what is wrong with the file.
    fn picture_net(&self, bytes: &[u8], what: NetFile) -> Result<Arc<dyn PictureNet>, EngineError>;

    /// Reads a pair of networks, as ONNX. [`EngineError::Refused`] says what is wrong with which.
    fn segmenter(&self, encoder: &[u8], decoder: &[u8]) -> Result<Arc<dyn Segmenter>, EngineError>;

    fn train(&self, training: &Training, stop: &StopCheck) -> Result<TrainedHead, EngineError>;

    /// From which confidence on boxes of each category are proposed, and how good that is.
    fn judge_boxes(&self, judged: &JudgedBoxes) -> (Vec<Option<f32>>, Figures);

    /// From which confidence on objects of each category are proposed, and how good that is.
    fn judge_outlines(&self, judged: &JudgedOutlines) -> (Vec<Option<f32>>, Figures);

    /// From which confidence on masks of each category are proposed, and how good that is.
    fn judge_masks(&self, judged: &JudgedMasks) -> (Vec<Option<f32>>, Figures);

    /// Changes when models of spans of before cannot be read any more, or find other spans.
    fn span_version(&self) -> &'static str;

    /// Learns to find spans, and from which confidence on those of each category are proposed.
    fn fit_spans(&self, training: &SpanTraining, stop: &StopCheck) -> Result<TrainedHead, EngineError>;

    /// Spans of each document with their confidence, 0..=1, surest first. `model` is the head of [`Self::fit_spans`].
    fn find_spans(
        &self,
        model: &[u8],
        texts: &[String],
        stop: &StopCheck,
    ) -> Result<Vec<Vec<(TextSpan, f32)>>, EngineError>;

    /// `parents`: the category above each, by index. Of one category an item the most exact that is sure enough is said.
    fn predict(
        &self,
        head: &[u8],
        thresholds: &[Option<f32>],
        parents: &[Option<usize>],
        features: &[Vec<f32>],
    ) -> Result<Vec<Verdict>, EngineError>;

    /// In which order to label. `verdicts` are empty before there is a model; `batch` items come before the next training.
    fn arrange(
        &self,
        order: AssistOrder,
        features: &[Vec<f32>],
        verdicts: &[Verdict],
        batch: usize,
        multi: bool,
        stop: &StopCheck,
    ) -> Result<Arranged, EngineError>;

    /// Cosine of the angle between two descriptions.
    fn similarity(&self, a: &[f32], b: &[f32]) -> f32;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(sure: f32, threshold: Option<f32>) -> MarkSure {
        MarkSure {
            sure,
            threshold,
            worth: 0.4,
        }
    }

    #[test]
    fn an_item_is_torn_by_the_mark_that_is_nearest_to_being_proposed() {
        let v = Verdict::of_marks(
            &[mark(0.9, Some(0.6)), mark(0.5, Some(0.6)), mark(0.1, None)],
            &[0.9],
        );
        let near = |n: usize, to: f32| (v.probabilities[n] - to).abs() < 1e-6;
        assert!(near(0, 0.8) && near(1, 0.4) && near(2, 0.1), "{v:?}");
        assert!((v.margin - 0.1).abs() < 1e-6, "{v:?}");
        assert!(v.proposed && (v.confidence - 0.9).abs() < 1e-6, "{v:?}");
        let none = Verdict::of_marks(&[], &[]);
        assert_eq!((none.margin, none.confidence, none.proposed), (0.5, 0.0, false));
    }

    #[test]
    fn an_item_is_proposed_whole_where_nothing_worth_showing_is_left_out() {
        let whole = |found: &[MarkSure]| {
            let sure = found.iter().filter(|m| m.passes());
            let sure: Vec<f64> = sure.map(|m| f64::from(m.sure)).collect();
            Verdict::of_marks(found, &sure).whole
        };
        assert!(whole(&[mark(0.9, Some(0.6)), mark(0.7, Some(0.6))]));
        // Noise below what is worth showing leaves it whole, also of a category that is never proposed.
        assert!(whole(&[
            mark(0.9, Some(0.6)),
            mark(0.2, Some(0.6)),
            mark(0.2, None)
        ]));
        assert!(!whole(&[mark(0.9, Some(0.6)), mark(0.5, Some(0.6))]));
        assert!(!whole(&[mark(0.9, Some(0.6)), mark(0.9, None)]));
        // What is proposed although it is hardly worth showing counts as proposed.
        assert!(whole(&[mark(0.2, Some(0.1))]));
        assert!(
            !whole(&[]) && !whole(&[mark(0.2, Some(0.6))]),
            "there is nothing to look at"
        );
    }

    #[test]
    fn two_lists_take_turns_until_both_are_through() {
        assert_eq!(by_turns(vec![1, 2, 3], vec![10]), [1, 10, 2, 3]);
        assert_eq!(by_turns(vec![1], vec![10, 20]), [1, 10, 20]);
        assert_eq!(by_turns(Vec::new(), vec![10, 20]), [10, 20]);
    }
}
