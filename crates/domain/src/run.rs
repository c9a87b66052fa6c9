//! Experiments, runs and what runs log. The shapes are those of the field's tracking clients (docs/experiments.md).
//!
//! Times of runs and metrics are milliseconds since 1970 as the client gave them; [`Timestamp`]s are the server's own.

pub mod chart;
pub mod media;
pub mod metrics;
pub mod table;

use crate::{LoggedModelId, RunId, Timestamp, VersionId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longest key of a metric, parameter or tag, in bytes.
pub const KEY_MAX: usize = 250;
/// Longest value of a parameter.
pub const PARAM_MAX: usize = 6_000;
/// Longest value of a tag of a run.
pub const TAG_MAX: usize = 8_000;
/// Longest value of a tag of an experiment.
pub const EXPERIMENT_TAG_MAX: usize = 20_000;
/// Longest name of an experiment.
pub const EXPERIMENT_NAME_MAX: usize = 500;
/// Most metrics of one batch.
pub const BATCH_METRICS: usize = 1_000;
/// Most parameters, and most tags, of one batch.
pub const BATCH_PARAMS: usize = 100;
/// The tag that holds the description of a run or experiment, as Markdown.
pub const NOTE_TAG: &str = "mlflow.note.content";
/// The tag that holds the name of a run.
pub const NAME_TAG: &str = "mlflow.runName";
/// The tag that names the run a run is part of.
pub const PARENT_TAG: &str = "mlflow.parentRunId";
/// The tag of an input that says what it was for: training, validation.
pub const CONTEXT_TAG: &str = "mlflow.data.context";

/// Texts by key, in order of the keys.
pub type Tags = BTreeMap<String, String>;

/// An experiment: a folder of runs. Number 0 is there from the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExperimentId(pub i64);

impl std::fmt::Display for ExperimentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for ExperimentId {
    type Err = crate::InvalidId;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        s.parse()
            .map(Self)
            .map_err(|_| crate::InvalidId(s.chars().take(64).collect()))
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    pub id: ExperimentId,
    pub name: String,
    pub tags: Tags,
    /// Runs that are not deleted.
    pub runs: i64,
    /// When a run of it was last started, in milliseconds.
    pub last_run_ms: Option<i64>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Set while it lies in the bin.
    pub deleted_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "sqlx",
    derive(sqlx::Type),
    sqlx(type_name = "text", rename_all = "snake_case")
)]
pub enum RunStatus {
    Running,
    Scheduled,
    Finished,
    Failed,
    Killed,
}

impl RunStatus {
    pub const ALL: [Self; 5] = [
        Self::Running,
        Self::Scheduled,
        Self::Finished,
        Self::Failed,
        Self::Killed,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Scheduled => "scheduled",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Killed => "killed",
        }
    }

    /// As the protocol writes it.
    pub const fn wire(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Scheduled => "SCHEDULED",
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Killed => "KILLED",
        }
    }

    /// Reads [`Self::wire`], and the numbers of the enumeration that some clients send.
    pub fn from_wire(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .zip(["1", "2", "3", "4", "5"])
            .find(|(s, n)| s.wire().eq_ignore_ascii_case(text) || *n == text)
            .map(|(s, _)| s)
    }

    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Killed)
    }
}

/// A run without what it logged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    pub id: RunId,
    pub experiment_id: ExperimentId,
    pub name: String,
    /// Who ran it, in the words of the client.
    pub user_name: String,
    pub status: RunStatus,
    pub start_ms: i64,
    pub end_ms: Option<i64>,
    /// Raised by whatever is logged.
    pub change: i64,
    pub deleted_at: Option<Timestamp>,
}

/// A value of a metric. It may be infinite or not a number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub step: i64,
    pub at_ms: i64,
    #[serde(with = "number")]
    pub value: f64,
}

/// The latest value of a metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    pub key: String,
    #[serde(flatten)]
    pub last: Point,
}

/// What a run logged besides files.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RunData {
    /// By key.
    pub metrics: Vec<Metric>,
    pub params: Tags,
    pub tags: Tags,
}

/// Data that a run read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInput {
    pub name: String,
    pub digest: String,
    pub source_type: String,
    pub source: String,
    pub schema: String,
    pub profile: String,
    pub tags: Tags,
    /// The version of a dataset of ours that it is, where that is known.
    pub version_id: Option<VersionId>,
}

/// Whether a run read a model or made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "sqlx",
    derive(sqlx::Type),
    sqlx(type_name = "text", rename_all = "snake_case")
)]
pub enum ModelUse {
    Input,
    Output,
}

/// A model that a run read or made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunModel {
    pub model_id: LoggedModelId,
    pub role: ModelUse,
    pub step: i64,
}

/// A run with everything but its files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub info: RunInfo,
    pub data: RunData,
    pub inputs: Vec<RunInput>,
    pub models: Vec<RunModel>,
}

/// A run to start.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NewRun {
    /// Made up when empty.
    pub name: String,
    /// The actor's name when empty.
    pub user_name: String,
    /// Now when absent.
    pub start_ms: Option<i64>,
    pub tags: Tags,
}

/// A value to log.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPoint {
    pub key: String,
    pub point: Point,
    /// The logged model it measures, and on which data (name, digest).
    pub model: Option<(LoggedModelId, String, String)>,
}

impl NewPoint {
    pub fn new(key: impl Into<String>, step: i64, at_ms: i64, value: f64) -> Self {
        Self {
            key: key.into(),
            point: Point { step, at_ms, value },
            model: None,
        }
    }
}

/// Things to log at once: all of them or none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunBatch {
    pub metrics: Vec<NewPoint>,
    pub params: Vec<(String, String)>,
    pub tags: Vec<(String, String)>,
}

/// Which of those in the bin and out of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    #[default]
    Active,
    Deleted,
    All,
}

/// A logged model's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "sqlx",
    derive(sqlx::Type),
    sqlx(type_name = "text", rename_all = "snake_case")
)]
pub enum LoggedStatus {
    Pending,
    Ready,
    Failed,
}

impl LoggedStatus {
    pub const fn wire(self) -> &'static str {
        match self {
            Self::Pending => "LOGGED_MODEL_PENDING",
            Self::Ready => "LOGGED_MODEL_READY",
            Self::Failed => "LOGGED_MODEL_UPLOAD_FAILED",
        }
    }

    pub fn from_wire(text: &str) -> Option<Self> {
        [Self::Pending, Self::Ready, Self::Failed]
            .into_iter()
            .find(|s| s.wire() == text)
    }
}

/// A model as a run logged it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoggedModel {
    pub id: LoggedModelId,
    pub experiment_id: ExperimentId,
    pub run_id: Option<RunId>,
    pub name: String,
    pub model_type: String,
    pub status: LoggedStatus,
    pub params: Tags,
    pub tags: Tags,
    pub metrics: Vec<LoggedMetric>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

/// What a run measured of a logged model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoggedMetric {
    pub key: String,
    #[serde(flatten)]
    pub last: Point,
    pub run_id: RunId,
    pub dataset_name: String,
    pub dataset_digest: String,
}

/// A file or folder of a run, a logged model or a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ArtifactEntry {
    /// The whole path, with `/` between its parts.
    pub path: String,
    pub is_dir: bool,
    /// Bytes of a file; of a folder, those of all files in it.
    pub size: i64,
}

/// Checks a path of an artifact: relative, with `/` between its parts, none of them empty, `.` or `..`. Answers the path
/// without slashes at its ends; an empty one stands for the root. Errors: a sentence for people.
pub fn check_path(path: &str) -> Result<String, String> {
    let clean = path.trim_matches('/');
    if clean.len() > 1_000 {
        return Err("A path of an artifact has at most 1000 bytes; shorten it.".to_owned());
    }
    if clean.is_empty() {
        return Ok(String::new());
    }
    let bad = |part: &str| {
        part.is_empty() || part == "." || part == ".." || part.chars().any(|c| c.is_control() || c == '\\')
    };
    if clean.split('/').any(bad) {
        let shown: String = path.chars().filter(|c| !c.is_control()).take(200).collect();
        return Err(format!(
            "`{shown}` is no path of an artifact: write it with `/` between its parts, without `..`, `.`, empty parts or \
             backslashes."
        ));
    }
    Ok(clean.to_owned())
}

/// Checks the key of a metric, parameter or tag. Errors: a sentence for people.
pub fn check_key(what: &str, key: &str) -> Result<(), String> {
    if key.is_empty() {
        return Err(format!("The name of a {what} may not be empty."));
    }
    let shown: String = key.chars().filter(|c| !c.is_control()).take(60).collect();
    if key.len() > KEY_MAX {
        return Err(format!(
            "The name of the {what} `{shown}...` has {} bytes; {KEY_MAX} are the most.",
            key.len()
        ));
    }
    let bad = |part: &str| matches!(part, "" | "." | "..");
    if key.chars().any(char::is_control) || key.split('/').any(bad) {
        return Err(format!(
            "`{shown}` cannot name a {what}: leave out control characters, `//`, `.` and `..` between slashes, and \
             slashes at the ends."
        ));
    }
    Ok(())
}

/// Whether a file is one that Python's pickle reads, which runs whatever code it holds.
pub fn is_pickle(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    [
        ".pkl",
        ".pickle",
        ".joblib",
        ".pt",
        ".pth",
        ".dill",
        ".cloudpickle",
    ]
    .iter()
    .any(|end| name.ends_with(end))
}

/// Numbers in JSON, with the three that JSON has no number for as the texts `NaN`, `Infinity` and `-Infinity`.
pub mod number {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(value: &f64, s: S) -> Result<S::Ok, S::Error> {
        if value.is_finite() {
            s.serialize_f64(*value)
        } else {
            s.serialize_str(text(*value))
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<f64, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(f64),
            Text(String),
        }
        match Either::deserialize(d)? {
            Either::Number(n) => Ok(n),
            Either::Text(t) => parse(&t).ok_or_else(|| {
                let shown: String = t.chars().take(40).collect();
                serde::de::Error::custom(format!(
                    "`{shown}` is not a number, `NaN`, `Infinity` or `-Infinity`"
                ))
            }),
        }
    }

    /// The name of a number that is not finite.
    pub const fn text(value: f64) -> &'static str {
        if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
    }

    /// Reads a number written out, also one that is not finite.
    pub fn parse(text: &str) -> Option<f64> {
        match text.trim() {
            "NaN" | "nan" => Some(f64::NAN),
            "Infinity" | "inf" | "+inf" | "+Infinity" => Some(f64::INFINITY),
            "-Infinity" | "-inf" => Some(f64::NEG_INFINITY),
            t => t.parse::<f64>().ok().filter(|n| n.is_finite()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        assert_eq!(check_path("/a/b c/d.txt/").as_deref(), Ok("a/b c/d.txt"));
        assert_eq!(check_path("").as_deref(), Ok(""));
        for bad in [
            "..",
            "a/../b",
            "a//b",
            "./a",
            "a\\b",
            "a/\0",
            "a/..",
            "/../etc/passwd",
        ] {
            assert!(check_path(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn keys_are_names() {
        for good in ["loss", "val/loss", "a b", "ä", "x.y-z_1", "system/cpu%", "a:b"] {
            assert_eq!(check_key("metric", good), Ok(()), "{good}");
        }
        for bad in ["", "/a", "a/", "a//b", "a/../b", "..", "a\n", &"x".repeat(251)] {
            assert!(check_key("metric", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_that_json_does_not_have_are_texts() {
        for (value, text) in [
            (f64::NAN, "\"NaN\""),
            (f64::INFINITY, "\"Infinity\""),
            (f64::NEG_INFINITY, "\"-Infinity\""),
            (0.1, "0.1"),
        ] {
            let point = Point {
                step: 1,
                at_ms: 2,
                value,
            };
            let json = serde_json::to_string(&point).unwrap();
            assert_eq!(json, format!("{{\"step\":1,\"at_ms\":2,\"value\":{text}}}"));
            let back: Point = serde_json::from_str(&json).unwrap();
            assert!(back.value == value || value.is_nan() && back.value.is_nan());
        }
        assert!(serde_json::from_str::<Point>(r#"{"step":1,"at_ms":2,"value":"much"}"#).is_err());
    }
}
