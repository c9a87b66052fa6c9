//! The model that learns while people label: settings, what it proposes, and how good it is.

mod figures;

pub use figures::{Basis, Bin, CategoryFigures, Confusion, Figures, Share, wilson};

use crate::id::{ItemId, RunId};
use crate::item::ItemWithAnnotations;
use crate::job::Job;
use crate::project::Task;
use crate::time::Timestamp;
use crate::training::TrainTask;
use serde::{Deserialize, Serialize};

/// In which order items come to people that are not settled by looking at a proposal: those without one, or with marks left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AssistOrder {
    /// Those first that the model would learn most from.
    #[default]
    Useful,
    /// Those that look alike together.
    Clusters,
    /// As the project's queue is: the order added, or shuffled.
    Random,
}

impl AssistOrder {
    pub const ALL: [Self; 3] = [Self::Useful, Self::Clusters, Self::Random];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Useful => "useful",
            Self::Clusters => "clusters",
            Self::Random => "random",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Useful => "Most useful first",
            Self::Clusters => "Similar ones together",
            Self::Random => "The queue's own order",
        }
    }
}

impl std::str::FromStr for AssistOrder {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|o| o.as_str() == s)
            .ok_or_else(|| format!("`{s}` is no order; use useful, clusters or random"))
    }
}

/// When the model is trained anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Retrain {
    /// After so many new labels.
    #[default]
    Schedule,
    /// When somebody asks for it.
    Button,
    /// Not any more: the latest model stays.
    Never,
}

impl Retrain {
    pub const ALL: [Self; 3] = [Self::Schedule, Self::Button, Self::Never];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Button => "button",
            Self::Never => "never",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Schedule => "By itself, as labels come in",
            Self::Button => "When somebody asks",
            Self::Never => "Never again",
        }
    }
}

impl std::str::FromStr for Retrain {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|o| o.as_str() == s)
            .ok_or_else(|| format!("`{s}` is no schedule; use schedule, button or never"))
    }
}

/// A version of a registered model whose network describes pictures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Backbone {
    pub model: String,
    pub version: i64,
}

impl Backbone {
    /// Reads `NAME/VERSION`.
    pub fn parse(text: &str) -> Option<Self> {
        let (model, version) = text.trim().rsplit_once('/')?;
        let version = version.parse().ok().filter(|v| *v >= 1)?;
        (!model.is_empty()).then(|| Self {
            model: model.to_owned(),
            version,
        })
    }
}

impl std::fmt::Display for Backbone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.model, self.version)
    }
}

/// How the assist of a project works.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AssistSettings {
    pub enabled: bool,
    /// Accuracy that proposals must meet, 0.5..=0.999; of a category that does not meet it nothing is proposed.
    pub accuracy: f64,
    pub order: AssistOrder,
    pub retrain: Retrain,
    /// New labels between trainings by schedule, 5..=10,000.
    pub every: i64,
    /// Whether every model becomes a run of an experiment of the project's name and a registered version, which the whole studio
    /// sees.
    pub register: bool,
    /// What describes the pictures; none: patches that the project's own pictures teach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backbone: Option<Backbone>,
    /// What finds an object by clicks on the label page, whether the assist is on or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segmenter: Option<Backbone>,
}

impl Default for AssistSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            accuracy: 0.95,
            order: AssistOrder::Useful,
            retrain: Retrain::Schedule,
            every: 10,
            register: false,
            backbone: None,
            segmenter: None,
        }
    }
}

impl AssistSettings {
    /// What it starts with in a project of this task. Whoever sees boxes or outlines drawn, masks painted or spans marked for them corrects one in five with
    /// less work than making all of them.
    pub fn of(task: Task) -> Self {
        Self {
            accuracy: if finds_marks(task) { 0.8 } else { 0.95 },
            ..Self::default()
        }
    }

    /// The field at fault and why.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        if !(0.5..=0.999).contains(&self.accuracy) {
            return Err((
                "accuracy",
                "Ask for an accuracy between 0.5 and 0.999, for example 0.95.".to_owned(),
            ));
        }
        if !(5..=10_000).contains(&self.every) {
            return Err((
                "every",
                "Train after 5 to 10,000 new labels; 10 is a good start.".to_owned(),
            ));
        }
        Ok(())
    }
}

/// Changes to the settings; absent fields stay.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateAssist {
    #[serde(default)]
    pub enabled: Option<bool>,
    #[serde(default)]
    pub accuracy: Option<f64>,
    #[serde(default)]
    pub order: Option<AssistOrder>,
    #[serde(default)]
    pub retrain: Option<Retrain>,
    #[serde(default)]
    pub every: Option<i64>,
    #[serde(default)]
    pub register: Option<bool>,
    /// `NAME/VERSION` of a registered model that holds weights of a known network (ResNet, MobileNet, ViT) as safetensors or `.pth`, or a network
    /// as ONNX; empty for the project's own patches.
    #[serde(default)]
    pub backbone: Option<String>,
    /// `NAME/VERSION` of a registered model that holds `encoder.onnx` and `decoder.onnx` of the make of SAM; empty for none.
    #[serde(default)]
    pub segmenter: Option<String>,
}

impl UpdateAssist {
    /// The field at fault and why.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        for (field, text) in [("backbone", &self.backbone), ("segmenter", &self.segmenter)] {
            let text = text.as_deref().map_or("", str::trim);
            if !text.is_empty() && Backbone::parse(text).is_none() {
                return Err((
                    field,
                    format!(
                        "`{text}` names no version of a model; write NAME/VERSION, for example resnet18/1."
                    ),
                ));
            }
        }
        Ok(())
    }

    pub fn onto(&self, mut s: AssistSettings) -> AssistSettings {
        s.enabled = self.enabled.unwrap_or(s.enabled);
        s.accuracy = self.accuracy.unwrap_or(s.accuracy);
        s.order = self.order.unwrap_or(s.order);
        s.retrain = self.retrain.unwrap_or(s.retrain);
        s.every = self.every.unwrap_or(s.every);
        s.register = self.register.unwrap_or(s.register);
        if let Some(text) = &self.backbone {
            s.backbone = Backbone::parse(text);
        }
        if let Some(text) = &self.segmenter {
            s.segmenter = Backbone::parse(text);
        }
        s
    }
}

/// Whether a project of this task can have an assist.
pub const fn can_assist(task: Task) -> bool {
    task.takes_one() || task.takes_any() || finds_marks(task)
}

/// Whether the assist of such a project proposes marks within items: boxes, outlines, masks or spans. Its shares then count those instead of items.
pub const fn finds_marks(task: Task) -> bool {
    finds_boxes(task) || finds_instances(task) || finds_masks(task) || finds_spans(task)
}

/// Whether the assist of such a project proposes boxes.
pub const fn finds_boxes(task: Task) -> bool {
    matches!(task, Task::Detection)
}

/// Whether the assist of such a project proposes outlines of objects, or masks of single ones.
pub const fn finds_instances(task: Task) -> bool {
    matches!(task, Task::Segmentation)
}

/// Whether the assist of such a project proposes masks, one a category and picture, none over another.
pub const fn finds_masks(task: Task) -> bool {
    matches!(task, Task::Semantic)
}

/// What a network learns where one finds what the assist of such a project proposes, which takes minutes; elsewhere it takes seconds at most.
pub const fn network_of(task: Task) -> Option<TrainTask> {
    match task {
        Task::Detection | Task::Segmentation => Some(TrainTask::Detection),
        Task::Semantic => Some(TrainTask::Segmentation),
        _ => None,
    }
}

/// Whether the assist of such a project proposes spans of documents.
pub const fn finds_spans(task: Task) -> bool {
    matches!(task, Task::Entities)
}

/// What the assist is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AssistState {
    Off,
    /// A job looks at pictures or trains.
    Working,
    /// Too few labels for a model; items come clustered, if so asked.
    Waiting,
    /// There is a model.
    Ready,
    /// The latest training ended with an error.
    Failed,
}

/// What a model became in the registry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Registered {
    pub run_id: RunId,
    pub model: String,
    pub version: i64,
}

/// A trained model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AssistModel {
    /// 1, 2, 3...
    pub version: i64,
    pub trained_at: Timestamp,
    /// Seconds the training took, without the looking at pictures.
    pub seconds: f64,
    pub figures: Figures,
    /// Where the project's settings keep models.
    pub registered: Option<Registered>,
}

/// A point of the learning curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CurvePoint {
    pub version: i64,
    /// Labels there were.
    pub labels: i64,
    pub basis: Basis,
    pub accuracy: Share,
    pub covered: Share,
    #[serde(default)]
    pub map50: Option<f64>,
    #[serde(default)]
    pub miou: Option<f64>,
}

/// Items to do by what the assist says of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AssistItems {
    pub todo: i64,
    /// With a proposal of the assist.
    pub prelabeled: i64,
    /// Without, but placed beside those alike.
    pub clustered: i64,
    /// The rest.
    pub manual: i64,
    /// Items whose pictures the model has looked at, done ones too, of all.
    pub seen: i64,
    pub total: i64,
}

/// What people did with proposals, and the time that took.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AssistWork {
    /// Done items whose proposals stand as they were.
    pub accepted: i64,
    /// Done items whose proposals were changed or refused.
    pub corrected: i64,
    /// Done items that had no proposal.
    pub manual: i64,
    /// Mean seconds of active work an item, with and without a proposal.
    pub seconds_assisted: Option<f64>,
    pub seconds_manual: Option<f64>,
}

impl AssistWork {
    /// Seconds of work that proposals saved so far, negative when they cost some: items with one, times the difference of the
    /// means. `None` below 10 items of either sort.
    pub fn seconds_saved(&self) -> Option<f64> {
        let assisted = self.accepted + self.corrected;
        if assisted < 10 || self.manual < 10 {
            return None;
        }
        Some((self.seconds_manual? - self.seconds_assisted?) * assisted as f64)
    }
}

/// The assist of a project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Assist {
    pub settings: AssistSettings,
    pub state: AssistState,
    /// What that means, in words.
    pub message: String,
    /// The running or latest job.
    pub job: Option<Job>,
    pub items: AssistItems,
    pub work: AssistWork,
    /// Items done since the latest training.
    pub new_labels: i64,
    pub model: Option<AssistModel>,
    /// Oldest first.
    pub curve: Vec<CurvePoint>,
}

/// An item that looks like another one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SimilarItem {
    pub item_id: ItemId,
    pub name: String,
    /// Cosine of the angle between their features, -1..=1.
    pub similarity: f64,
}

/// The items that look most like one, with all that a page shows of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alike {
    pub of: ItemWithAnnotations,
    /// With how alike each is, the most alike first.
    pub rows: Vec<(ItemWithAnnotations, f64)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_name_the_field() {
        let bad = |accuracy, every| {
            let s = AssistSettings {
                accuracy,
                every,
                ..AssistSettings::default()
            };
            s.check().unwrap_err().0
        };
        assert_eq!(bad(1.0, 10), "accuracy");
        assert_eq!(bad(f64::NAN, 10), "accuracy");
        assert_eq!(bad(0.9, 0), "every");
        assert_eq!(AssistSettings::default().check(), Ok(()));
    }

    #[test]
    fn a_backbone_is_a_version_of_a_model() {
        let found = Backbone::parse(" nets/resnet18/12 ").unwrap();
        assert_eq!((found.model.as_str(), found.version), ("nets/resnet18", 12));
        assert_eq!(found.to_string(), "nets/resnet18/12");
        for none in ["resnet18", "resnet18/", "resnet18/0", "/3", "resnet18/two"] {
            assert_eq!(Backbone::parse(none), None, "{none}");
            let change = UpdateAssist {
                backbone: Some(none.to_owned()),
                ..UpdateAssist::default()
            };
            assert_eq!(change.check().unwrap_err().0, "backbone");
        }
        let own = UpdateAssist {
            backbone: Some(String::new()),
            ..UpdateAssist::default()
        };
        let had = AssistSettings {
            backbone: Some(found),
            ..AssistSettings::default()
        };
        assert_eq!((own.check(), own.onto(had.clone()).backbone), (Ok(()), None));
        assert_eq!(UpdateAssist::default().onto(had.clone()).backbone, had.backbone);
    }
}
