//! How good a model is, counted.

use crate::id::CategoryId;
use serde::{Deserialize, Serialize};

/// A share that was counted: `right` of `of`, and where the true share lies with 95 % confidence (Wilson's interval).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Share {
    pub right: i64,
    pub of: i64,
    /// 0..=1.
    pub low: f64,
    /// 0..=1.
    pub high: f64,
}

impl Share {
    pub fn new(right: i64, of: i64) -> Self {
        let (low, high) = wilson(right, of, 1.959_963_985);
        Self { right, of, low, high }
    }

    /// The counted share; `None` when nothing was counted.
    pub fn value(&self) -> Option<f64> {
        (self.of > 0).then(|| self.right as f64 / self.of as f64)
    }
}

/// Wilson's score interval of `right` of `of` at `z` standard deviations; 0..=1 when nothing was counted.
pub fn wilson(right: i64, of: i64, z: f64) -> (f64, f64) {
    if of <= 0 {
        return (0.0, 1.0);
    }
    let (n, p) = (of as f64, right as f64 / of as f64);
    let zz = z * z;
    let centre = (p + zz / (2.0 * n)) / (1.0 + zz / n);
    let half = z * (p * (1.0 - p) / n + zz / (4.0 * n * n)).sqrt() / (1.0 + zz / n);
    let low = if right <= 0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if right >= of {
        1.0
    } else {
        (centre + half).min(1.0)
    };
    (low, high)
}

/// What the figures are measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Basis {
    /// Labels that people made without seeing a proposal, of items that are never trained on.
    Holdout,
    /// All labels, each judged by a model that was trained without it; while the holdout is too small to say.
    #[default]
    CrossValidated,
}

/// How good a model is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Figures {
    pub basis: Basis,
    /// Labeled items it was trained on.
    pub trained_on: i64,
    /// Labeled items of the holdout.
    pub holdout: i64,
    /// Items judged right: for several categories an item all of them. Boxes, objects, masks and spans: those right among the found ones, at the confidence
    /// that finds the most for the fewest mistakes.
    pub accuracy: Share,
    /// Right among those sure enough to be proposed.
    pub proposed: Share,
    /// Sure enough to be proposed among all. Boxes, objects, masks and spans: those that are found by a proposal, among all that people marked.
    pub covered: Share,
    /// Boxes, and objects by their pixels: COCO's average precision at an overlap of one half, the mean of the categories, 0..=1.
    #[serde(default)]
    pub map50: Option<f64>,
    /// Masks: the mean of the categories' [`CategoryFigures::iou`], 0..=1.
    #[serde(default)]
    pub miou: Option<f64>,
    /// Mean distance of confidence and accuracy over the bins, weighted (expected calibration error), 0..=1.
    pub calibration_error: f64,
    pub bins: Vec<Bin>,
    pub categories: Vec<CategoryFigures>,
    /// What was taken for what, most often first; right ones left out.
    pub confusions: Vec<Confusion>,
    /// What to know before believing the figures.
    pub warnings: Vec<String>,
}

/// Items of about one confidence.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Bin {
    /// Their mean confidence, 0..=1.
    pub confidence: f64,
    pub accuracy: Share,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CategoryFigures {
    pub category_id: CategoryId,
    /// Labeled items trained on, or boxes, objects, masks or spans in them.
    pub trained_on: i64,
    /// Of the items (or boxes, objects, masks, spans) that are of it, those found (recall).
    pub found: Share,
    /// Confidence from which it is proposed; none while the asked accuracy is out of reach or cannot be told.
    pub threshold: Option<f64>,
    /// Of its proposals, those right.
    pub proposed: Share,
    /// Of the items taken for it, those sure enough. Boxes, objects, masks and spans: of those that are of it, those found by a proposal.
    pub covered: Share,
    /// Masks: of the pixels that are of it or said to be, those that are both, all pictures of the holdout together, 0..=1 (intersection over
    /// union). None where none of them shows it.
    #[serde(default)]
    pub iou: Option<f64>,
    /// Boxes, objects, masks and spans: the confidence from which on those found are worth showing, with the best balance of found and mistaken
    /// ones, 0..=1. An item on which nothing from there on is below the threshold is proposed whole.
    #[serde(default)]
    pub worth: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Confusion {
    pub is: CategoryId,
    pub taken_for: CategoryId,
    pub items: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_gives_the_published_figures() {
        // Newcombe 1998, table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
        for (right, of, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let s = Share::new(right, of);
            assert!(
                (s.low - low).abs() < 1e-4 && (s.high - high).abs() < 1e-4,
                "{s:?}"
            );
        }
        assert_eq!(Share::new(0, 0).value(), None);
        assert_eq!((Share::new(5, 5).high, Share::new(0, 5).low), (1.0, 0.0));
    }
}
