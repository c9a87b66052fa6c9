//! `runs/*` and `metrics/*`.

use super::experiments::{done, page, view};
use super::fields::{self, Fields, invalid, run_id};
use super::wire::{self, Metric};
use crate::error::{Api, Failure};
use crate::rest::extract::Caller;
use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use limn_domain::run::chart::evenly;
use limn_domain::run::{
    BATCH_METRICS, BATCH_PARAMS, ModelUse, NewPoint, NewRun, Point, RunBatch, RunInput, RunModel, RunStatus,
    number,
};
use limn_domain::{Code, LoggedModelId};
use limn_services::Services;
use limn_services::runs::{Search, UpdateRun};
use serde::Deserialize;
use serde_json::{Value, json};

/// Largest body of a batch, in bytes.
const BATCH_BYTES: usize = 1_000_000;
/// The tag in which older clients list the models a run logged.
const HISTORY_TAG: &str = "mlflow.log-model.history";
/// Points of each run in a bulk answer, and runs at most.
const BULK_POINTS: i64 = 2_500;
const BULK_RUNS: usize = 100;

pub async fn create(State(s): State<Services>, Caller(actor): Caller, mut f: Fields) -> Api<Response> {
    let input = NewRun {
        name: f.text("run_name")?.unwrap_or_default(),
        user_name: f.text("user_id")?.unwrap_or_default(),
        start_ms: f.int("start_time")?.filter(|t| *t > 0),
        tags: f.tags("tags")?,
    };
    let experiment = match f.text("experiment_id")? {
        Some(text) => fields::experiment_id(&text)?,
        None => limn_services::experiments::DEFAULT,
    };
    let made = s.runs.start(&actor, experiment, input).await?;
    let run = s.runs.get(&actor, made.id).await?;
    Ok(whole(&run))
}

fn whole(run: &limn_domain::run::Run) -> Response {
    #[derive(serde::Serialize)]
    struct Answer<'a> {
        run: wire::Run<'a>,
    }
    let run = wire::run(&run.info, &run.data, &run.inputs, &run.models);
    Json(Answer { run }).into_response()
}

pub async fn get(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Response> {
    Ok(whole(&s.runs.get(&actor, f.run()?).await?))
}

pub async fn update(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Response> {
    let status = match f.text("status")? {
        None => None,
        Some(text) => Some(RunStatus::from_wire(&text).ok_or_else(|| {
            let all: Vec<&str> = RunStatus::ALL.iter().map(|s| s.wire()).collect();
            invalid(
                "status",
                format!("Parameter 'status' is one of {}.", all.join(", ")),
            )
        })?),
    };
    let input = UpdateRun {
        name: f.text("run_name")?,
        status,
        end_ms: f.int("end_time")?.filter(|t| *t > 0),
    };
    let info = s.runs.update(&actor, f.run()?, input).await?;
    Ok(Json(json!({ "run_info": wire::Info::from(&info) })).into_response())
}

pub async fn delete(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    s.runs.set_deleted(&actor, f.run()?, true).await?;
    Ok(done())
}

pub async fn restore(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    s.runs.set_deleted(&actor, f.run()?, false).await?;
    Ok(done())
}

pub async fn search(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Response> {
    let mut experiments = Vec::new();
    for text in f.texts("experiment_ids")? {
        // One that cannot be an id of ours holds no runs.
        experiments.extend(text.parse::<limn_domain::run::ExperimentId>().ok());
    }
    let search = Search {
        experiments,
        filter: f.text("filter")?.unwrap_or_default(),
        order_by: f.texts("order_by")?,
        view: view(&f, "run_view_type")?,
        limit: f.int("max_results")?.unwrap_or(1_000),
        cursor: f.text("page_token")?,
        ..Search::default()
    };
    let found = s.runs.search(&actor, search).await?;
    #[derive(serde::Serialize)]
    struct Answer<'a> {
        #[serde(skip_serializing_if = "Vec::is_empty")]
        runs: Vec<wire::Run<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_page_token: Option<String>,
    }
    let runs = found
        .runs
        .iter()
        .map(|r| wire::run(&r.info, &r.logged.data, &r.logged.inputs, &r.logged.models))
        .collect();
    Ok(Json(Answer {
        runs,
        next_page_token: found.next,
    })
    .into_response())
}

/// A metric as clients log it.
#[derive(Deserialize)]
struct Logged {
    key: String,
    #[serde(deserialize_with = "number::deserialize")]
    value: f64,
    #[serde(default, deserialize_with = "whole_number")]
    timestamp: Option<i64>,
    #[serde(default, deserialize_with = "whole_number")]
    step: Option<i64>,
    #[serde(default)]
    model_id: Option<String>,
    #[serde(default)]
    dataset_name: Option<String>,
    #[serde(default)]
    dataset_digest: Option<String>,
}

/// A whole number, also one written as a text, or none.
fn whole_number<'de, D: serde::Deserializer<'de>>(d: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Whole(i64),
        Float(f64),
        Text(String),
    }
    let wrong = || {
        serde::de::Error::custom(format!(
            "it is not a whole number from {} to {}",
            i64::MIN,
            i64::MAX
        ))
    };
    match Option::<Either>::deserialize(d)? {
        None => Ok(None),
        Some(Either::Whole(n)) => Ok(Some(n)),
        Some(Either::Float(f)) if f.fract() == 0.0 && f.abs() < 9e15 => Ok(Some(f as i64)),
        Some(Either::Float(_)) => Err(wrong()),
        Some(Either::Text(t)) if t.is_empty() => Ok(None),
        Some(Either::Text(t)) => t.trim().parse().map(Some).map_err(|_| wrong()),
    }
}

impl Logged {
    fn point(self, now_ms: i64) -> Api<NewPoint> {
        let model = match self.model_id.filter(|m| !m.is_empty()) {
            None => None,
            Some(id) => {
                let id = LoggedModelId::parse_tag(&id).map_err(|_| fields::nothing("logged model", &id))?;
                Some((
                    id,
                    self.dataset_name.unwrap_or_default(),
                    self.dataset_digest.unwrap_or_default(),
                ))
            }
        };
        let at_ms = self.timestamp.unwrap_or(now_ms);
        if at_ms < 0 {
            return Err(invalid("timestamp", "Parameter 'timestamp' is not negative."));
        }
        let point = Point {
            step: self.step.unwrap_or(0),
            at_ms,
            value: self.value,
        };
        Ok(NewPoint {
            key: self.key,
            point,
            model,
        })
    }
}

fn now_ms(s: &Services) -> i64 {
    s.context.now().0 / 1000
}

/// Reads JSON; a wrong value is told with its path.
fn typed<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Api<T> {
    crate::rest::extract::parse_json(bytes)
}

pub async fn log_metric(
    State(s): State<Services>,
    Caller(actor): Caller,
    request: Request,
) -> Api<Json<Value>> {
    #[derive(Deserialize)]
    struct One {
        #[serde(default)]
        run_id: String,
        #[serde(default)]
        run_uuid: String,
        #[serde(flatten)]
        logged: Logged,
    }
    let bytes = fields::body(request, &()).await?;
    let one: One = typed(&bytes)?;
    let id = if one.run_id.is_empty() {
        one.run_uuid
    } else {
        one.run_id
    };
    let batch = RunBatch {
        metrics: vec![one.logged.point(now_ms(&s))?],
        ..RunBatch::default()
    };
    s.runs.log(&actor, needed_run(&id)?, batch).await?;
    Ok(done())
}

fn needed_run(text: &str) -> Api<limn_domain::RunId> {
    if text.is_empty() {
        return Err(invalid(
            "run_id",
            "Missing value for required parameter 'run_id'.",
        ));
    }
    run_id(text)
}

pub async fn log_param(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    let batch = RunBatch {
        params: vec![(f.need("key")?, f.any("value")?.unwrap_or_default())],
        ..RunBatch::default()
    };
    s.runs.log(&actor, f.run()?, batch).await?;
    Ok(done())
}

pub async fn set_tag(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    let batch = RunBatch {
        tags: vec![(f.need("key")?, f.any("value")?.unwrap_or_default())],
        ..RunBatch::default()
    };
    s.runs.log(&actor, f.run()?, batch).await?;
    Ok(done())
}

pub async fn delete_tag(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    s.runs.delete_tag(&actor, f.run()?, &f.need("key")?).await?;
    Ok(done())
}

pub async fn log_batch(
    State(s): State<Services>,
    Caller(actor): Caller,
    request: Request,
) -> Api<Json<Value>> {
    #[derive(Deserialize)]
    struct Pair {
        key: String,
        #[serde(default)]
        value: String,
    }
    #[derive(Deserialize)]
    struct Batch {
        #[serde(default)]
        run_id: String,
        #[serde(default)]
        metrics: Vec<Logged>,
        #[serde(default)]
        params: Vec<Pair>,
        #[serde(default)]
        tags: Vec<Pair>,
    }
    let bytes = fields::body(request, &()).await?;
    if bytes.len() > BATCH_BYTES {
        return Err(Failure::new(
            Code::InvalidInput,
            format!(
                "Batched logging API requests must be at most {BATCH_BYTES} bytes, got one of {}.",
                bytes.len()
            ),
        ));
    }
    let batch: Batch = typed(&bytes)?;
    for (field, have, most) in [
        ("metrics", batch.metrics.len(), BATCH_METRICS),
        ("params", batch.params.len(), BATCH_PARAMS),
        ("tags", batch.tags.len(), BATCH_PARAMS),
        (
            "metrics",
            batch.metrics.len() + batch.params.len() + batch.tags.len(),
            BATCH_METRICS,
        ),
    ] {
        if have > most {
            return Err(invalid(
                field,
                format!(
                    "A batch logging request can contain at most {most} {field}. Got {have} {field}. Send several."
                ),
            ));
        }
    }
    let id = needed_run(&batch.run_id)?;
    let now = now_ms(&s);
    let pairs = |all: Vec<Pair>| all.into_iter().map(|p| (p.key, p.value)).collect();
    let batch = RunBatch {
        metrics: batch
            .metrics
            .into_iter()
            .map(|m| m.point(now))
            .collect::<Api<_>>()?,
        params: pairs(batch.params),
        tags: pairs(batch.tags),
    };
    s.runs.log(&actor, id, batch).await?;
    Ok(done())
}

pub async fn log_inputs(State(s): State<Services>, Caller(actor): Caller, mut f: Fields) -> Api<Json<Value>> {
    let run = f.run()?;
    let mut inputs = Vec::new();
    for mut entry in f.objects("datasets")? {
        let data = entry
            .object("dataset")
            .ok_or_else(|| invalid("datasets", "Missing value for required parameter 'dataset'."))?;
        inputs.push(RunInput {
            name: data.need("name")?,
            digest: data.need("digest")?,
            source_type: data.any("source_type")?.unwrap_or_default(),
            source: data.any("source")?.unwrap_or_default(),
            schema: data.any("schema")?.unwrap_or_default(),
            profile: data.any("profile")?.unwrap_or_default(),
            tags: entry.tags("tags")?,
            version_id: None,
        });
    }
    let models = models(f.objects("models")?, ModelUse::Input)?;
    s.runs.log_inputs(&actor, run, inputs).await?;
    if !models.is_empty() {
        s.runs.log_models(&actor, run, models).await?;
    }
    Ok(done())
}

pub async fn log_outputs(
    State(s): State<Services>,
    Caller(actor): Caller,
    mut f: Fields,
) -> Api<Json<Value>> {
    let run = f.run()?;
    let models = models(f.objects("models")?, ModelUse::Output)?;
    s.runs.log_models(&actor, run, models).await?;
    Ok(done())
}

fn models(all: Vec<Fields>, role: ModelUse) -> Api<Vec<RunModel>> {
    all.into_iter()
        .map(|f| {
            let id = f.need("model_id")?;
            Ok(RunModel {
                model_id: LoggedModelId::parse_tag(&id).map_err(|_| fields::nothing("logged model", &id))?,
                role,
                step: f.int("step")?.unwrap_or(0),
            })
        })
        .collect()
}

/// Older clients note here which models a run logged.
pub async fn log_model(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Json<Value>> {
    let run = f.run()?;
    let text = f.need("model_json")?;
    let model: Value = serde_json::from_str(&text)
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| {
            invalid(
                "model_json",
                "Malformed model info: 'model_json' is not a JSON object.",
            )
        })?;
    let tags = s.runs.get(&actor, run).await?.data.tags;
    let mut history: Vec<Value> = tags
        .get(HISTORY_TAG)
        .and_then(|t| serde_json::from_str(t).ok())
        .unwrap_or_default();
    history.push(model);
    let batch = RunBatch {
        tags: vec![(HISTORY_TAG.to_owned(), Value::from(history).to_string())],
        ..RunBatch::default()
    };
    s.runs.log(&actor, run, batch).await?;
    Ok(done())
}

pub async fn history(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Response> {
    #[derive(serde::Serialize)]
    struct Answer<'a> {
        #[serde(skip_serializing_if = "Vec::is_empty")]
        metrics: Vec<Metric<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_page_token: Option<String>,
    }
    let key = f.need("metric_key")?;
    let points = s.runs.history(&actor, f.run()?, &key).await?;
    let all = points.len().max(1) as i64;
    let (points, next_page_token) = match f.int("max_results")? {
        // Everything, however long.
        None if f.text("page_token")?.is_none() => (points, None),
        _ => page(&f, points, all.min(50_000))?,
    };
    let metrics = points
        .into_iter()
        .map(|point| Metric {
            key: &key,
            point,
            run_id: None,
        })
        .collect();
    Ok(Json(Answer {
        metrics,
        next_page_token,
    })
    .into_response())
}

pub async fn history_bulk(State(s): State<Services>, Caller(actor): Caller, f: Fields) -> Api<Response> {
    let key = f.need("metric_key")?;
    let runs = f.texts("run_ids")?;
    if runs.is_empty() {
        return Err(invalid(
            "run_ids",
            "Missing value for required parameter 'run_ids'.",
        ));
    }
    if runs.len() > BULK_RUNS {
        return Err(invalid(
            "run_ids",
            format!("At most {BULK_RUNS} run_ids at once; got {}.", runs.len()),
        ));
    }
    let most = f.int("max_results")?.unwrap_or(BULK_POINTS);
    if !(1..=BULK_POINTS).contains(&most) {
        return Err(invalid(
            "max_results",
            format!("max_results must be between 1 and {BULK_POINTS}."),
        ));
    }
    let steps = match (f.int("start_step")?, f.int("end_step")?) {
        (Some(a), Some(b)) if a <= b => Some(a..=b),
        (None, None) => None,
        (Some(_), Some(_)) => return Err(invalid("end_step", "end_step must be greater than start_step.")),
        _ => {
            return Err(invalid(
                "start_step",
                "If either start step or end step are specified, both must be specified.",
            ));
        }
    };
    #[derive(serde::Serialize)]
    struct Answer<'a> {
        #[serde(skip_serializing_if = "Vec::is_empty")]
        metrics: Vec<Metric<'a>>,
    }
    let mut found = Vec::new();
    for text in &runs {
        let mut points = s.runs.history(&actor, run_id(text)?, &key).await?;
        if let Some(steps) = &steps {
            points.retain(|p| steps.contains(&p.step));
        }
        points.sort_by_key(|p| (p.step, p.at_ms));
        let thin = evenly(&points, most as usize);
        found.extend(thin.into_iter().map(|point| Metric {
            key: &key,
            point,
            run_id: Some(text),
        }));
    }
    Ok(Json(Answer { metrics: found }).into_response())
}
