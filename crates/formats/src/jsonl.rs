//! JSONL in our own annotation model: an item a line, and `categories.json` with the tree and its colours.

mod export;
mod import;

pub use export::JsonlWriter;
pub(crate) use export::categories;
pub use import::JsonlReader;

use crate::attributes::Values;
use crate::read::Role;
use limn_domain::{AnnotationId, Links, Shape, Skeleton, Source};
use serde::{Deserialize, Serialize};

/// A category. `parent` is the export id of another.
#[derive(Serialize, Deserialize)]
struct CategoryRecord {
    id: i64,
    name: String,
    #[serde(default)]
    parent: Option<i64>,
    #[serde(default)]
    color: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    skeleton: Option<Skeleton>,
    /// Definitions, parsed one by one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<serde_json::Value>,
}

/// A label. `category` is a name, `category_id` an id of `categories.json`, which goes before it.
#[derive(Serialize, Deserialize)]
struct LabelRecord {
    #[serde(default)]
    id: Option<AnnotationId>,
    #[serde(default)]
    category_id: Option<i64>,
    #[serde(default)]
    category: Option<String>,
    #[serde(flatten)]
    shape: Shape,
    #[serde(default)]
    z: i64,
    #[serde(default)]
    source: Source,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    score: Option<f64>,
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    attributes: Values,
    #[serde(flatten)]
    links: Links,
}

/// The role of a file; in lower case.
pub(crate) fn role(name: &str, extension: &str) -> Option<Role> {
    match extension {
        "jsonl" | "ndjson" => Some(Role::Labels),
        "json" if name == "categories.json" => Some(Role::Table),
        _ => None,
    }
}
