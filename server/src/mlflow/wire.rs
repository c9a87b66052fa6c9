//! The protocol's shapes of what is answered.

use limn_domain::model::{ModelVersion, RegisteredModel};
use limn_domain::run::{
    Experiment, LoggedModel, ModelUse, Point, RunData, RunInfo, RunInput, RunModel, Tags, number,
};
use limn_services::artifacts::{Owner, Place};
use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};
use serde_json::{Map, Value, json};

/// Milliseconds.
pub const fn ms(t: limn_domain::Timestamp) -> i64 {
    t.0.div_euclid(1000)
}

/// An object without empty lists, as the protocol writes them.
pub fn object<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    let there = |v: &Value| !matches!(v, Value::Null) && v.as_array().is_none_or(|a| !a.is_empty());
    let map: Map<String, Value> = pairs
        .into_iter()
        .filter(|(_, v)| there(v))
        .map(|(k, v)| (k.to_owned(), v))
        .collect();
    Value::Object(map)
}

pub fn tags(tags: &Tags) -> Value {
    tags.iter()
        .map(|(key, value)| json!({ "key": key, "value": value }))
        .collect()
}

pub fn experiment(e: &Experiment) -> Value {
    object([
        ("experiment_id", e.id.to_string().into()),
        ("name", e.name.as_str().into()),
        ("artifact_location", format!("mlflow-artifacts:/{}", e.id).into()),
        ("lifecycle_stage", stage(e.deleted_at.is_some()).into()),
        ("last_update_time", ms(e.updated_at).into()),
        ("creation_time", ms(e.created_at).into()),
        ("tags", tags(&e.tags)),
    ])
}

const fn stage(deleted: bool) -> &'static str {
    if deleted { "deleted" } else { "active" }
}

/// `{"key", "value", "timestamp", "step"}`.
pub struct Metric<'a> {
    pub key: &'a str,
    pub point: Point,
    pub run_id: Option<&'a str>,
}

impl Serialize for Metric<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut map = s.serialize_map(None)?;
        map.serialize_entry("key", self.key)?;
        if self.point.value.is_finite() {
            map.serialize_entry("value", &self.point.value)?;
        } else {
            map.serialize_entry("value", number::text(self.point.value))?;
        }
        map.serialize_entry("timestamp", &self.point.at_ms)?;
        map.serialize_entry("step", &self.point.step)?;
        if let Some(run) = self.run_id {
            map.serialize_entry("run_id", run)?;
        }
        map.end()
    }
}

#[derive(Serialize)]
pub struct Info<'a> {
    run_uuid: String,
    experiment_id: String,
    run_name: &'a str,
    user_id: &'a str,
    status: &'static str,
    start_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<i64>,
    artifact_uri: String,
    lifecycle_stage: &'static str,
    run_id: String,
}

impl<'a> From<&'a RunInfo> for Info<'a> {
    fn from(r: &'a RunInfo) -> Self {
        Self {
            run_uuid: r.id.hex(),
            experiment_id: r.experiment_id.to_string(),
            run_name: &r.name,
            user_id: &r.user_name,
            status: r.status.wire(),
            start_time: r.start_ms,
            end_time: r.end_ms,
            artifact_uri: Place::uri(r.experiment_id, Owner::Run(r.id)),
            lifecycle_stage: stage(r.deleted_at.is_some()),
            run_id: r.id.hex(),
        }
    }
}

#[derive(Serialize)]
struct Pair<'a> {
    key: &'a str,
    value: &'a str,
}

fn pairs(tags: &Tags) -> Vec<Pair<'_>> {
    tags.iter().map(|(key, value)| Pair { key, value }).collect()
}

#[derive(Serialize)]
struct Data<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<Metric<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    params: Vec<Pair<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Pair<'a>>,
}

#[derive(Serialize)]
pub struct Run<'a> {
    info: Info<'a>,
    data: Data<'a>,
    inputs: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    outputs: Option<Value>,
}

/// A run whole.
pub fn run<'a>(info: &'a RunInfo, data: &'a RunData, inputs: &[RunInput], models: &[RunModel]) -> Run<'a> {
    let of = |role: ModelUse| models.iter().filter(move |m| m.role == role);
    let read: Vec<Value> = of(ModelUse::Input)
        .map(|m| json!({ "model_id": m.model_id.tag() }))
        .collect();
    let made: Vec<Value> = of(ModelUse::Output)
        .map(|m| json!({ "model_id": m.model_id.tag(), "step": m.step }))
        .collect();
    Run {
        info: info.into(),
        data: Data {
            metrics: data
                .metrics
                .iter()
                .map(|m| Metric {
                    key: &m.key,
                    point: m.last,
                    run_id: None,
                })
                .collect(),
            params: pairs(&data.params),
            tags: pairs(&data.tags),
        },
        inputs: object([
            ("dataset_inputs", inputs.iter().map(input).collect()),
            ("model_inputs", read.into()),
        ]),
        outputs: (!made.is_empty()).then(|| json!({ "model_outputs": made })),
    }
}

fn input(i: &RunInput) -> Value {
    let text = |t: &str| if t.is_empty() { Value::Null } else { t.into() };
    object([
        ("tags", tags(&i.tags)),
        (
            "dataset",
            object([
                ("name", i.name.as_str().into()),
                ("digest", i.digest.as_str().into()),
                ("source_type", i.source_type.as_str().into()),
                ("source", i.source.as_str().into()),
                ("schema", text(&i.schema)),
                ("profile", text(&i.profile)),
            ]),
        ),
    ])
}

pub fn logged_model(m: &LoggedModel) -> Value {
    let metrics: Vec<Value> = m
        .metrics
        .iter()
        .map(|x| {
            object([
                ("key", x.key.as_str().into()),
                ("value", value(x.last.value)),
                ("timestamp", x.last.at_ms.into()),
                ("step", x.last.step.into()),
                ("dataset_name", optional(&x.dataset_name)),
                ("dataset_digest", optional(&x.dataset_digest)),
                ("model_id", m.id.tag().into()),
                ("run_id", x.run_id.hex().into()),
            ])
        })
        .collect();
    let info = object([
        ("model_id", m.id.tag().into()),
        ("experiment_id", m.experiment_id.to_string().into()),
        ("name", m.name.as_str().into()),
        ("creation_timestamp_ms", ms(m.created_at).into()),
        ("last_updated_timestamp_ms", ms(m.updated_at).into()),
        (
            "artifact_uri",
            Place::uri(m.experiment_id, Owner::Model(m.id)).into(),
        ),
        ("status", m.status.wire().into()),
        ("model_type", m.model_type.as_str().into()),
        ("source_run_id", m.run_id.map(|r| r.hex()).into()),
        ("tags", tags(&m.tags)),
    ]);
    let data = object([("params", tags(&m.params)), ("metrics", metrics.into())]);
    json!({ "info": info, "data": data })
}

fn optional(text: &str) -> Value {
    if text.is_empty() { Value::Null } else { text.into() }
}

pub fn value(n: f64) -> Value {
    if n.is_finite() {
        n.into()
    } else {
        number::text(n).into()
    }
}

pub fn version(v: &ModelVersion, with_aliases: bool) -> Value {
    let aliases: Value = if with_aliases {
        v.aliases.clone().into()
    } else {
        Value::Null
    };
    object([
        ("name", v.model_name.as_str().into()),
        ("version", v.number.to_string().into()),
        ("creation_timestamp", ms(v.created_at).into()),
        ("last_updated_timestamp", ms(v.updated_at).into()),
        ("current_stage", v.stage.as_str().into()),
        ("description", v.description.as_str().into()),
        ("source", v.source.as_str().into()),
        ("run_id", v.run_id.map(|r| r.hex()).unwrap_or_default().into()),
        ("status", "READY".into()),
        ("tags", tags(&v.tags)),
        ("run_link", v.run_link.as_str().into()),
        ("aliases", aliases),
    ])
}

/// The newest version of each stage.
pub fn latest<'a>(versions: impl IntoIterator<Item = &'a ModelVersion>) -> Vec<&'a ModelVersion> {
    let mut found: Vec<&ModelVersion> = Vec::new();
    for v in versions {
        match found.iter_mut().find(|f| f.stage == v.stage) {
            Some(there) if there.number < v.number => *there = v,
            Some(_) => {}
            None => found.push(v),
        }
    }
    found
}

pub fn registered<'a>(m: &RegisteredModel, versions: impl IntoIterator<Item = &'a ModelVersion>) -> Value {
    let latest: Value = latest(versions).into_iter().map(|v| version(v, false)).collect();
    let aliases: Value = m
        .aliases
        .iter()
        .map(|a| json!({ "alias": a.name, "version": a.number.to_string() }))
        .collect();
    object([
        ("name", m.name.as_str().into()),
        ("creation_timestamp", ms(m.created_at).into()),
        ("last_updated_timestamp", ms(m.updated_at).into()),
        ("description", optional(&m.description)),
        ("latest_versions", latest),
        ("tags", tags(&m.tags)),
        ("aliases", aliases),
    ])
}
