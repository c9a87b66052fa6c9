//! Trainings: a network that learns from a version of a dataset, as a run of an experiment.

use crate::dataset::Visibility;
use crate::job::Job;
use crate::run::ExperimentId;
use crate::{RunId, VersionId};
use serde::{Deserialize, Serialize};

/// Fewest pictures with labels that are trained with.
pub const PICTURES_MIN: i64 = 4;
/// Most pictures of a training.
pub const PICTURES_MAX: i64 = 40_000;
/// Most steps of a training.
pub const STEPS_MAX: i64 = 1_000_000;
/// Percent of the pictures that figures come from, where the version has no splits.
pub const HELD_BACK: u64 = 20;

/// Where a training puts its files, below those of its run.
pub mod file {
    /// The folder that becomes a version of a registered model.
    pub const MODEL_DIR: &str = "model";
    pub const MODEL: &str = "model.limn";
    pub const CATEGORIES: &str = "categories.json";
    pub const CARD: &str = "README.md";
    pub const FIGURES: &str = "figures.json";
    pub const CONFUSION: &str = "confusion_matrix.json";
    pub const CONFUSION_CSV: &str = "confusion_matrix.csv";
    pub const EXAMPLES_DIR: &str = "predictions";
    pub const EXAMPLES: &str = "predictions/index.json";
    pub const LOG: &str = "training.log";
}

/// What a network learns to say of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "sqlx",
    derive(sqlx::Type),
    sqlx(type_name = "text", rename_all = "snake_case")
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum TrainTask {
    /// Boxes around objects, with a category each.
    #[default]
    Detection,
    /// One category a picture.
    Classification,
    /// Any number of categories a picture.
    Multilabel,
    /// A category for every pixel.
    Segmentation,
    /// Objects with a category each, and which pixels are theirs.
    InstanceSegmentation,
}

impl TrainTask {
    pub const ALL: [Self; 5] = [
        Self::Detection,
        Self::InstanceSegmentation,
        Self::Segmentation,
        Self::Classification,
        Self::Multilabel,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Detection => "detection",
            Self::Classification => "classification",
            Self::Multilabel => "multilabel",
            Self::Segmentation => "segmentation",
            Self::InstanceSegmentation => "instance_segmentation",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Detection => "Detection",
            Self::Classification => "Classification",
            Self::Multilabel => "Several categories",
            Self::Segmentation => "Semantic segmentation",
            Self::InstanceSegmentation => "Instance segmentation",
        }
    }

    pub const fn describe(self) -> &'static str {
        match self {
            Self::Detection => "Boxes around objects",
            Self::Classification => "One category a picture",
            Self::Multilabel => "Any number of categories a picture",
            Self::Segmentation => "A category for every pixel",
            Self::InstanceSegmentation => "Objects with an outline each",
        }
    }

    /// Whether a training for it can begin with the weights of a backbone.
    pub const fn takes_backbone(self) -> bool {
        matches!(self, Self::Classification | Self::Multilabel)
    }

    /// What it learns from, in words: singular, plural.
    pub const fn nouns(self) -> (&'static str, &'static str) {
        match self {
            Self::Detection => ("box", "boxes"),
            Self::Classification | Self::Multilabel => ("category", "categories"),
            Self::Segmentation => ("area", "areas"),
            Self::InstanceSegmentation => ("object", "objects"),
        }
    }

    /// The figure that says most, as metrics of a run name it.
    pub const fn main_figure(self) -> &'static str {
        match self {
            Self::Detection => "valid_mAP50",
            Self::Classification | Self::Multilabel => "valid_accuracy",
            Self::Segmentation => "valid_mIoU",
            Self::InstanceSegmentation => "valid_mask_mAP50",
        }
    }

    /// The figure of single categories, in words.
    pub const fn category_figure(self) -> &'static str {
        match self {
            Self::Detection | Self::InstanceSegmentation => "Average precision",
            Self::Classification => "Recall",
            Self::Multilabel => "F1",
            Self::Segmentation => "IoU",
        }
    }
}

impl std::str::FromStr for TrainTask {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|t| t.as_str() == s).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("`{s}` is no task to train for; use one of {known}")
        })
    }
}

const fn yes() -> bool {
    true
}

const fn one() -> i64 {
    1
}

/// A training to start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewTraining {
    pub task: TrainTask,
    /// The experiment the run belongs to, made when it is not there; the dataset's name when absent.
    #[serde(default)]
    pub experiment: Option<String>,
    /// The registered model that what comes of it is a version of; made up of the dataset's name and the task when absent.
    #[serde(default)]
    pub model: Option<String>,
    /// Whether to register what comes of it.
    #[serde(default = "yes")]
    pub register: bool,
    /// Where it begins, of classifications: `NAME/VERSION` of a registered model that holds weights of a ResNet of 18, 34 or 50 layers, all of which
    /// learn on (fine-tuning). With nothing when absent or empty.
    #[serde(default)]
    pub backbone: Option<String>,
    /// 1 to 1,000,000; as many as the pictures deserve when absent.
    #[serde(default)]
    pub steps: Option<i64>,
    /// The same seed, version and steps give the same model on the same kind of machine.
    #[serde(default = "one")]
    pub seed: i64,
    /// Whether to use the version's splits where it has any: `train` is learned from, `val` gives the figures. Otherwise a fifth of
    /// the pictures, chosen by their content, gives the figures.
    #[serde(default = "yes")]
    pub use_splits: bool,
    /// Whether to keep example pictures with the run, which everybody in the studio sees, whoever may see the dataset. When left out:
    /// unless the dataset is private.
    #[serde(default)]
    pub examples: Option<bool>,
}

impl Default for NewTraining {
    fn default() -> Self {
        Self {
            task: TrainTask::default(),
            experiment: None,
            model: None,
            register: true,
            backbone: None,
            steps: None,
            seed: 1,
            use_splits: true,
            examples: None,
        }
    }
}

/// A training that was started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Training {
    /// As tracking clients write it: 32 hexadecimal digits.
    pub run_id: String,
    pub run_name: String,
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub experiment_id: ExperimentId,
    pub job: Job,
}

impl Training {
    pub fn run(&self) -> Option<RunId> {
        self.run_id.parse().ok()
    }
}

/// What a version can be trained for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrainingOffer {
    pub version_id: VersionId,
    pub dataset: String,
    pub number: i64,
    /// Who sees the dataset; runs are seen by the whole studio.
    pub visibility: Visibility,
    /// Whether the version has splits.
    pub has_splits: bool,
    /// All tasks, those that are not possible with the reason.
    pub tasks: Vec<TaskOffer>,
    /// Versions of registered models with weights that a classification may begin with, as `NAME/VERSION`; whether they can be is told when a
    /// training is started. At most 200.
    #[serde(default)]
    pub backbones: Vec<String>,
}

/// What there is for one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskOffer {
    pub task: TrainTask,
    /// Why it cannot be trained for, and what to do about it; absent when it can.
    pub refusal: Option<String>,
    /// With labels for this task.
    pub pictures: i64,
    pub labels: i64,
    pub categories: i64,
    /// By the version's splits where it has any, else by content.
    pub parts: Parts,
    /// The same without regard to the splits.
    pub parts_without_splits: Parts,
    /// Suggested for `parts`.
    pub steps: i64,
    /// The same where a backbone is fine-tuned; absent of tasks that begin with nothing.
    #[serde(default)]
    pub backbone_steps: Option<i64>,
    /// How long a step took in the latest training for this task here, those of backbones aside; absent before the first.
    pub seconds_per_step: Option<f64>,
    /// Names that are taken when none are given.
    pub experiment: String,
    pub model: String,
}

/// How many pictures are for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Parts {
    /// Learned from.
    pub train: i64,
    /// Never learned from; figures come from these.
    pub valid: i64,
    /// Not touched.
    pub rest: i64,
}

/// The training of a run while it goes on and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunTraining {
    pub task: TrainTask,
    pub version_id: Option<VersionId>,
    /// Absent once old jobs are swept up.
    pub job: Option<Job>,
    /// Whether the caller may cancel the job and queue it again.
    pub may_steer: bool,
}

/// What came of a training, for its run's page.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TrainingReport {
    pub figures: Figures,
    pub confusion: Option<Confusion>,
    pub examples: Vec<ShownExample>,
}

/// `figures.json`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Figures {
    pub task: TrainTask,
    /// Of the pictures held back, by name.
    pub figures: Vec<(String, f64)>,
    pub by_category: Vec<CategoryFigure>,
    /// Pictures held back.
    pub pictures: i64,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CategoryFigure {
    /// Path in the version's schema.
    pub category: String,
    /// `#rrggbb`.
    pub color: String,
    /// [`TrainTask::category_figure`]; absent where nothing of it was to be found.
    pub figure: Option<f64>,
    /// From which confidence on it is said.
    pub threshold: f64,
}

/// `confusion_matrix.json`: rows are what is right, columns what was said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Confusion {
    /// Of rows and columns; where objects or pixels are found, the last stands for "nothing".
    pub names: Vec<String>,
    pub rows: Vec<Vec<u64>>,
}

/// A row of `predictions/index.json`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ShownExample {
    /// The picture, below the run's files.
    pub file: String,
    /// In the dataset's version.
    pub path: String,
    /// What is right, in words.
    pub truth: String,
    /// What was said, in words.
    pub said: String,
    pub is_right: bool,
}

/// What a model says of a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Predicted {
    pub task: TrainTask,
    /// Of the picture as displayed, in pixels.
    pub width: i64,
    pub height: i64,
    /// Of classifiers: every category, the surest first.
    pub categories: Vec<PredictedCategory>,
    /// Of detectors, and of models of instance segmentation: boxes, the surest first.
    pub boxes: Vec<PredictedBox>,
    /// Of segmenters: an area a category that is somewhere, the largest first.
    #[serde(default)]
    pub areas: Vec<PredictedArea>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PredictedCategory {
    pub category: String,
    /// 0..=1
    pub score: f64,
    /// Whether that is enough to say it.
    pub is_said: bool,
}

/// A box in pixels of the picture as displayed, from its top left corner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PredictedBox {
    pub category: String,
    /// 0..=1
    pub score: f64,
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
    /// Of models that learned from outlines: which pixels are the object; it may reach a little beyond the box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segmentation: Option<PredictedRle>,
}

/// All pixels of a category, in the frame of the picture as displayed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PredictedArea {
    pub category: String,
    /// How sure it is on average, 0..=1.
    pub score: f64,
    /// Pixels.
    pub area: u64,
    /// As COCO has it: `[height, width]`, and compressed counts down the columns.
    pub segmentation: PredictedRle,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PredictedRle {
    pub size: [i64; 2],
    pub counts: String,
}

/// `categories.json`: what a model needs besides its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCategories {
    pub task: TrainTask,
    /// Of the trainer that made it.
    pub trainer: String,
    /// The longer side of the pictures it wants, in pixels.
    pub side: u32,
    pub categories: Vec<ModelCategory>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelCategory {
    pub name: String,
    pub color: String,
    pub threshold: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_enough_to_start() {
        let new: NewTraining = serde_json::from_str(r#"{"task":"detection"}"#).unwrap();
        assert_eq!(new, NewTraining::default());
        assert!(serde_json::from_str::<NewTraining>(r#"{"task":"dancing"}"#).is_err());
        for task in TrainTask::ALL {
            assert_eq!(task.as_str().parse(), Ok(task));
            // By one name in addresses, bodies and files.
            assert_eq!(serde_json::to_value(task).unwrap(), task.as_str());
        }
    }
}
