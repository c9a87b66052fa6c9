//! Attributes in Label Studio: controls with `perRegion`, whose results carry the id and the geometry of their region.

use crate::attributes::ImportedAttributes;
use crate::write::{Category, Label};
use limn_domain::attribute::{Attribute, AttributeKind, AttributeValue};
use quick_xml::escape::escape;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// Names of the controls for labels.
const TAKEN: [&str; 7] = ["image", "choice", "box", "polygon", "brush", "ellipse", "point"];
/// What stands between a key and a number where two controls would have one name.
const APART: &str = "__";

/// A control for an attribute, and the categories that have it.
#[derive(Debug)]
struct Control {
    name: String,
    attribute: Attribute,
    categories: Vec<usize>,
}

/// The controls for all attributes of a project: categories that define the same one share it.
#[derive(Debug)]
pub(super) struct Controls(Vec<Control>);

impl Controls {
    pub fn new(categories: &[Category]) -> Self {
        let mut all: Vec<Control> = Vec::new();
        for (n, category) in categories.iter().enumerate() {
            for attribute in &category.attributes {
                let same =
                    |c: &&mut Control| c.attribute.key == attribute.key && c.attribute.kind == attribute.kind;
                if let Some(control) = all.iter_mut().find(same) {
                    control.categories.push(n);
                    continue;
                }
                let free = |name: &str| !TAKEN.contains(&name) && all.iter().all(|c| c.name != name);
                let mut name = attribute.key.clone();
                let mut more = 2;
                while !free(&name) {
                    name = format!("{}{APART}{more}", attribute.key);
                    more += 1;
                }
                all.push(Control {
                    name,
                    attribute: attribute.clone(),
                    categories: vec![n],
                });
            }
        }
        Self(all)
    }

    /// Adds them to the labeling configuration.
    pub fn config(&self, names: &[String], out: &mut String) {
        for control in &self.0 {
            let labels: Vec<&str> = control
                .categories
                .iter()
                .filter_map(|n| names.get(*n))
                .map(String::as_str)
                .collect();
            // A list of names with commas between them.
            let when = if labels.iter().any(|l| l.contains(',')) {
                String::new()
            } else {
                format!(" whenLabelValue=\"{}\"", escape(labels.join(",")))
            };
            let required = if control.attribute.required {
                " required=\"true\""
            } else {
                ""
            };
            let common = format!(
                "name=\"{}\" toName=\"image\" perRegion=\"true\"{when}{required}",
                escape(&control.name)
            );
            let mut choices = |options: &[String]| {
                let _ = writeln!(out, "  <Choices {common} choice=\"single\">");
                for option in options {
                    let _ = writeln!(out, "    <Choice value=\"{}\"/>", escape(option));
                }
                out.push_str("  </Choices>\n");
            };
            match &control.attribute.kind {
                AttributeKind::Select { options } => choices(options),
                AttributeKind::Checkbox => choices(&["true".to_owned(), "false".to_owned()]),
                AttributeKind::Number { min, max } => {
                    let bound = |name: &str, v: &Option<f64>| {
                        v.map(|v| format!(" {name}=\"{v}\"")).unwrap_or_default()
                    };
                    let _ = writeln!(
                        out,
                        "  <Number {common}{}{}/>",
                        bound("min", min),
                        bound("max", max)
                    );
                }
                AttributeKind::Text => {
                    let _ = writeln!(out, "  <TextArea {common}/>");
                }
            }
        }
    }

    /// The results for the values of a label whose own result has the value `region`: control, type, value.
    pub fn results<'a>(
        &'a self,
        label: &'a Label<'_>,
        region: &Value,
    ) -> Vec<(&'a str, &'static str, Value)> {
        let of = |(key, value): (&String, &AttributeValue)| {
            let control = self
                .0
                .iter()
                .find(|c| c.attribute.key == *key && c.categories.contains(&label.category))?;
            let (kind, field, said) = match (&control.attribute.kind, value) {
                (AttributeKind::Number { .. }, AttributeValue::Number(n)) => ("number", "number", json!(n)),
                (AttributeKind::Text, AttributeValue::Text(t)) => ("textarea", "text", json!([t])),
                (_, AttributeValue::Text(t)) => ("choices", "choices", json!([t])),
                (_, AttributeValue::Flag(on)) => ("choices", "choices", json!([on.to_string()])),
                (_, AttributeValue::Number(n)) => ("choices", "choices", json!([n.to_string()])),
            };
            let mut out: Map<String, Value> = region.as_object().cloned().unwrap_or_default();
            // The geometry goes along; pixels and the label would only repeat themselves.
            out.retain(|name, _| !name.ends_with("labels") && !matches!(name.as_str(), "rle" | "format"));
            out.insert(field.to_owned(), said);
            Some((control.name.as_str(), kind, Value::Object(out)))
        };
        label.attributes.iter().filter_map(of).collect()
    }
}

/// Whether results of a type may be values of an attribute.
pub(super) fn is_value(kind: &str) -> bool {
    matches!(kind, "choices" | "number" | "textarea" | "rating")
}

/// Adds what a result says of its region, under the name of its control.
pub(super) fn take(kind: &str, control: &str, value: &Map<String, Value>, into: &mut ImportedAttributes) {
    let texts = |name: &str| match value.get(name) {
        Some(Value::String(t)) => Some(t.clone()),
        Some(Value::Array(list)) => Some(
            list.iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join("\n"),
        ),
        _ => None,
    };
    let said = match kind {
        "choices" => texts("choices").map(AttributeValue::Text),
        "textarea" => texts("text").map(AttributeValue::Text),
        kind => value
            .get(kind)
            .and_then(Value::as_f64)
            .map(AttributeValue::Number),
    };
    let name = match control.rsplit_once(APART) {
        Some((key, n)) if !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()) => key,
        _ => control,
    };
    if let Some(said) = said {
        into.put(name, said);
    }
}
