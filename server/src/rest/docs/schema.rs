//! JSON schemas in words and tables.

use super::page::{escape, prose};
use serde_json::Value;
use std::fmt::Write as _;

/// The type of a schema, as HTML with links to named ones.
pub(super) fn kind(schema: &Value) -> String {
    if let Some(name) = reference(schema) {
        return format!("<a href=\"#schema-{0}\">{0}</a>", escape(name));
    }
    if let Some(parts) = schema
        .get("oneOf")
        .or_else(|| schema.get("anyOf"))
        .and_then(Value::as_array)
    {
        let parts: Vec<_> = parts.iter().filter(|p| p["type"] != "null").map(kind).collect();
        return parts.join(" or ");
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let parts: Vec<_> = parts.iter().map(kind).collect();
        return parts.join(" and ");
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<_> = values
            .iter()
            .map(|v| format!("<code>{}</code>", escape(&v.to_string())))
            .collect();
        return values.join(" or ");
    }
    let name = match &schema["type"] {
        Value::String(s) => s.clone(),
        Value::Array(all) => {
            let all: Vec<_> = all
                .iter()
                .filter_map(Value::as_str)
                .filter(|t| *t != "null")
                .collect();
            all.join(" or ")
        }
        _ => "any".to_owned(),
    };
    match name.as_str() {
        "array" => format!("list of {}", kind(&schema["items"])),
        "object" if schema.get("properties").is_some() => {
            let names: Vec<_> = schema["properties"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, of)| format!("<code>{}</code>: {}", escape(name), kind(of)))
                .collect();
            format!("{{ {} }}", names.join(", "))
        }
        other => match schema["format"].as_str() {
            Some(format) => format!("{} <small>{}</small>", escape(other), escape(format)),
            None => escape(other),
        },
    }
}

/// Whether `null` is a value of it.
fn nullable(schema: &Value) -> bool {
    schema["type"]
        .as_array()
        .is_some_and(|t| t.iter().any(|t| t == "null"))
        || schema["oneOf"]
            .as_array()
            .is_some_and(|t| t.iter().any(|t| t["type"] == "null"))
}

fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

/// One named schema as a section.
pub(super) fn section(out: &mut String, name: &str, schema: &Value) {
    let _ = write!(
        out,
        "<section class=\"schema\" id=\"schema-{0}\"><h3>{0}</h3>",
        escape(name)
    );
    prose(out, schema["description"].as_str().unwrap_or_default());
    body(out, schema);
    out.push_str("</section>");
}

fn body(out: &mut String, schema: &Value) {
    if schema.get("properties").is_some() {
        table(out, schema);
    } else if let Some(parts) = schema["allOf"].as_array() {
        for part in parts {
            match reference(part) {
                Some(_) => {
                    let _ = write!(out, "<p>Everything of {}, and:</p>", kind(part));
                }
                None => body(out, part),
            }
        }
    } else if let Some(parts) = schema["oneOf"].as_array() {
        out.push_str("<p>One of:</p>");
        for part in parts {
            prose(out, part["description"].as_str().unwrap_or_default());
            if part.get("properties").is_some() || part.get("allOf").is_some() {
                body(out, part);
            } else {
                let _ = write!(out, "<p>{}</p>", kind(part));
            }
        }
    } else {
        let _ = write!(out, "<p>{}</p>", kind(schema));
    }
}

fn table(out: &mut String, schema: &Value) {
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    out.push_str("<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th>Field</th><th>Type</th><th>Meaning</th></tr></thead><tbody>");
    for (name, of) in schema["properties"].as_object().into_iter().flatten() {
        let mut notes = Vec::new();
        if !required.contains(&name.as_str()) {
            notes.push("optional");
        }
        if nullable(of) {
            notes.push("may be null");
        }
        let notes = if notes.is_empty() {
            String::new()
        } else {
            format!(" <small>{}</small>", notes.join(", "))
        };
        let _ = write!(
            out,
            "<tr><td><code>{}</code></td><td>{}{notes}</td><td>",
            escape(name),
            kind(of)
        );
        prose(out, of["description"].as_str().unwrap_or_default());
        out.push_str("</td></tr>");
    }
    out.push_str("</tbody></table></div>");
}
