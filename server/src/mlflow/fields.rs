//! Requests of the protocol: JSON or a query string, in which numbers may be texts and lists single values.

use crate::error::{Api, Failure};
use axum::body::Bytes;
use axum::extract::{FromRequest, Query, Request};
use http::Method;
use limn_domain::run::{ExperimentId, Tags};
use limn_domain::{ApiError, Code, RunId};
use serde_json::{Map, Value};

/// The fields of a request.
#[derive(Debug, Default)]
pub struct Fields(Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let is_query = *request.method() == Method::GET || *request.method() == Method::DELETE;
        let mut fields = if is_query {
            from_query(&request)?
        } else {
            Map::new()
        };
        let bytes = body(request, state).await?;
        if bytes.iter().any(|b| !b.is_ascii_whitespace()) {
            match serde_json::from_slice(&bytes) {
                Ok(Value::Object(map)) => fields.extend(map),
                Ok(_) => return Err(bad("The body is not a JSON object.")),
                Err(e) => return Err(bad(&format!("The body is not valid JSON: {e}."))),
            }
        }
        Ok(Self(fields))
    }
}

/// The body whole.
pub async fn body<S: Send + Sync>(request: Request, state: &S) -> Api<Bytes> {
    Bytes::from_request(request, state).await.map_err(|e| {
        if axum::response::IntoResponse::into_response(e).status() == http::StatusCode::PAYLOAD_TOO_LARGE {
            crate::middleware::limit::too_large()
        } else {
            bad("The request's body did not arrive whole. Send it again.")
        }
    })
}

fn from_query(request: &Request) -> Api<Map<String, Value>> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(request.uri())
        .map_err(|e| bad(&format!("The query string cannot be read: {}.", e.body_text())))?;
    let mut fields = Map::new();
    for (key, value) in pairs {
        match fields.get_mut(&key) {
            None => drop(fields.insert(key, Value::String(value))),
            Some(Value::Array(all)) => all.push(Value::String(value)),
            Some(one) => *one = Value::Array(vec![one.take(), Value::String(value)]),
        }
    }
    Ok(fields)
}

fn bad(message: &str) -> Failure {
    Failure::new(Code::BadRequest, message)
}

/// A parameter is wrong.
pub fn invalid(field: &str, message: impl Into<String>) -> Failure {
    Failure(ApiError::field(field, message))
}

/// A number, also one written as a text.
fn whole(field: &str, value: &Value) -> Api<i64> {
    let number = match value {
        Value::Number(n) => n.as_i64().or_else(|| {
            n.as_f64()
                .filter(|f| f.fract() == 0.0 && f.abs() < 9e15)
                .map(|f| f as i64)
        }),
        Value::String(s) => s.trim().parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| {
        let shown: String = value.to_string().chars().take(60).collect();
        invalid(
            field,
            format!(
                "Invalid value {shown} for parameter '{field}' supplied: it is a whole number from {} to {}.",
                i64::MIN,
                i64::MAX
            ),
        )
    })
}

impl Fields {
    pub fn has(&self, field: &str) -> bool {
        self.0.get(field).is_some_and(|v| !v.is_null())
    }

    /// A text that is there and not empty.
    pub fn text(&self, field: &str) -> Api<Option<String>> {
        Ok(self.any(field)?.filter(|t| !t.is_empty()))
    }

    /// A text that is there, perhaps empty.
    pub fn any(&self, field: &str) -> Api<Option<String>> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(s)) => Ok(Some(s.clone())),
            Some(Value::Number(n)) => Ok(Some(n.to_string())),
            Some(_) => Err(invalid(field, format!("Parameter '{field}' is a text."))),
        }
    }

    pub fn need(&self, field: &str) -> Api<String> {
        self.text(field)?
            .ok_or_else(|| invalid(field, format!("Missing value for required parameter '{field}'.")))
    }

    pub fn int(&self, field: &str) -> Api<Option<i64>> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(s)) if s.is_empty() => Ok(None),
            Some(value) => whole(field, value).map(Some),
        }
    }

    pub fn flag(&self, field: &str) -> bool {
        match self.0.get(field) {
            Some(Value::Bool(b)) => *b,
            Some(Value::String(s)) => s.eq_ignore_ascii_case("true"),
            _ => false,
        }
    }

    /// A list of texts; a single one is a list too.
    pub fn texts(&self, field: &str) -> Api<Vec<String>> {
        let wrong = || invalid(field, format!("Parameter '{field}' is a list of texts."));
        let one = |v: &Value| match v {
            Value::String(s) => Ok(s.clone()),
            Value::Number(n) => Ok(n.to_string()),
            _ => Err(wrong()),
        };
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(all)) => all.iter().map(one).collect(),
            Some(value) => one(value).map(|t| vec![t]),
        }
    }

    /// A list of objects.
    pub fn objects(&mut self, field: &str) -> Api<Vec<Self>> {
        let wrong = || invalid(field, format!("Parameter '{field}' is a list of objects."));
        match self.0.remove(field) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(all)) => all
                .into_iter()
                .map(|v| match v {
                    Value::Object(map) => Ok(Self(map)),
                    _ => Err(wrong()),
                })
                .collect(),
            Some(_) => Err(wrong()),
        }
    }

    /// An object.
    pub fn object(&mut self, field: &str) -> Option<Self> {
        match self.0.remove(field) {
            Some(Value::Object(map)) => Some(Self(map)),
            _ => None,
        }
    }

    /// `[{"key": ..., "value": ...}]`, in its order.
    pub fn pairs(&mut self, field: &str) -> Api<Vec<(String, String)>> {
        self.objects(field)?
            .into_iter()
            .map(|f| Ok((f.need("key")?, f.any("value")?.unwrap_or_default())))
            .collect()
    }

    pub fn tags(&mut self, field: &str) -> Api<Tags> {
        Ok(self.pairs(field)?.into_iter().collect())
    }

    /// `run_id`, or `run_uuid` from old clients.
    pub fn run(&self) -> Api<RunId> {
        let text = match self.text("run_id")? {
            Some(text) => text,
            None => self
                .text("run_uuid")?
                .ok_or_else(|| invalid("run_id", "Missing value for required parameter 'run_id'."))?,
        };
        run_id(&text)
    }

    pub fn experiment(&self) -> Api<ExperimentId> {
        experiment_id(&self.need("experiment_id")?)
    }

    pub fn version(&self) -> Api<i64> {
        let text = self.need("version")?;
        text.parse().ok().filter(|n| *n > 0).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            invalid(
                "version",
                format!("Parameter 'version' must be an integer, got '{shown}'."),
            )
        })
    }
}

pub fn run_id(text: &str) -> Api<RunId> {
    text.parse().map_err(|_| nothing("run", text))
}

pub fn experiment_id(text: &str) -> Api<ExperimentId> {
    text.parse().map_err(|_| nothing("experiment", text))
}

/// An id that cannot be one of ours names nothing.
pub fn nothing(what: &str, id: &str) -> Failure {
    let shown: String = id.chars().filter(|c| !c.is_control()).take(60).collect();
    Failure::new(Code::NotFound, format!("There is no {what} with the id {shown}."))
}
