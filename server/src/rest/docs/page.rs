//! The page of the API's description.

use super::schema::{kind, section};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Text that means itself in HTML.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Paragraphs, with `code` in backticks.
pub(super) fn prose(out: &mut String, text: &str) {
    for paragraph in text.split("\n\n").filter(|p| !p.trim().is_empty()) {
        out.push_str("<p>");
        for (i, part) in paragraph.split('`').enumerate() {
            if i % 2 == 1 {
                let _ = write!(out, "<code>{}</code>", escape(part));
            } else {
                out.push_str(&escape(part));
            }
        }
        out.push_str("</p>");
    }
}

struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    body: &'a Value,
}

impl Operation<'_> {
    fn id(&self) -> &str {
        self.body["operationId"].as_str().unwrap_or_default()
    }

    fn summary(&self) -> &str {
        self.body["summary"].as_str().unwrap_or_default()
    }
}

/// The whole page.
pub(super) fn render(spec: &Value, theme: &str) -> String {
    let mut groups: BTreeMap<&str, Vec<Operation<'_>>> = BTreeMap::new();
    for (path, item) in spec["paths"].as_object().into_iter().flatten() {
        for method in METHODS {
            if let Some(body) = item.get(method) {
                let tag = body["tags"][0].as_str().unwrap_or("other");
                groups
                    .entry(tag)
                    .or_default()
                    .push(Operation { method, path, body });
            }
        }
    }
    let mut out = String::with_capacity(256 << 10);
    let _ = write!(
        out,
        "<!doctype html><html lang=\"en\" data-theme=\"{theme}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>Limn API</title>\
         <link rel=\"icon\" href=\"/favicon.svg\" type=\"image/svg+xml\">\
         <link rel=\"stylesheet\" href=\"/api/docs/style.css\"></head><body>\
         <a class=\"skip\" href=\"#content\">Skip to the content</a>"
    );
    navigation(&mut out, &groups);
    out.push_str("<main id=\"content\"><header><h1>Limn API</h1><p class=\"facts\">");
    let _ = write!(
        out,
        "Version {} · base path <code>/api/v1</code> · <a href=\"/api/v1/openapi.json\">openapi.json</a> · \
         <a href=\"/\">back to the studio</a></p>",
        escape(spec["info"]["version"].as_str().unwrap_or_default())
    );
    prose(&mut out, spec["info"]["description"].as_str().unwrap_or_default());
    out.push_str(
        "<pre tabindex=\"0\"><code>curl -H &quot;Authorization: Bearer $LIMN_TOKEN&quot; $LIMN_URL/api/v1/projects</code></pre></header>",
    );
    for (tag, operations) in &groups {
        let _ = write!(
            out,
            "<section class=\"tag\" id=\"tag-{0}\"><h2>{0}</h2>",
            escape(tag)
        );
        for o in operations {
            operation(&mut out, o);
        }
        out.push_str("</section>");
    }
    out.push_str("<section class=\"tag\" id=\"schemas\"><h2>Schemas</h2>");
    for (name, schema) in spec["components"]["schemas"].as_object().into_iter().flatten() {
        section(&mut out, name, schema);
    }
    out.push_str("</section></main></body></html>");
    out
}

fn navigation(out: &mut String, groups: &BTreeMap<&str, Vec<Operation<'_>>>) {
    out.push_str("<nav aria-label=\"Operations\"><a class=\"brand\" href=\"#content\">Limn API</a><ul>");
    for (tag, operations) in groups {
        let _ = write!(
            out,
            "<li><a class=\"group\" href=\"#tag-{0}\">{0}</a><ul>",
            escape(tag)
        );
        for o in operations {
            let _ = write!(
                out,
                "<li><a href=\"#{}\">{}</a></li>",
                escape(o.id()),
                escape(o.summary())
            );
        }
        out.push_str("</ul></li>");
    }
    out.push_str("<li><a class=\"group\" href=\"#schemas\">schemas</a></li></ul></nav>");
}

fn operation(out: &mut String, o: &Operation<'_>) {
    let _ = write!(
        out,
        "<article id=\"{id}\"><h3><a href=\"#{id}\">{summary}</a></h3>\
         <p class=\"route\"><span class=\"method {method}\">{upper}</span> <code>{path}</code></p>",
        id = escape(o.id()),
        summary = escape(o.summary()),
        method = o.method,
        upper = o.method.to_uppercase(),
        path = escape(o.path).replace('/', "/<wbr>"),
    );
    prose(out, o.body["description"].as_str().unwrap_or_default());
    if let Some(parameters) = o.body["parameters"].as_array().filter(|p| !p.is_empty()) {
        out.push_str("<div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th>Parameter</th><th>In</th><th>Type</th><th>Meaning</th></tr></thead><tbody>");
        for p in parameters {
            let optional = if p["required"] == true {
                ""
            } else {
                " <small>optional</small>"
            };
            let _ = write!(
                out,
                "<tr><td><code>{}</code></td><td>{}</td><td>{}{optional}</td><td>",
                escape(p["name"].as_str().unwrap_or_default()),
                escape(p["in"].as_str().unwrap_or_default()),
                kind(&p["schema"]),
            );
            prose(out, p["description"].as_str().unwrap_or_default());
            out.push_str("</td></tr>");
        }
        out.push_str("</tbody></table></div>");
    }
    out.push_str("<dl>");
    for (media, content) in o.body["requestBody"]["content"].as_object().into_iter().flatten() {
        let _ = write!(
            out,
            "<dt>Body</dt><dd>{} <small>{}</small></dd>",
            kind(&content["schema"]),
            escape(media)
        );
    }
    for (status, response) in o.body["responses"].as_object().into_iter().flatten() {
        if status == "default" {
            continue;
        }
        let _ = write!(
            out,
            "<dt><span class=\"status\">{}</span></dt><dd>{}",
            escape(status),
            escape(response["description"].as_str().unwrap_or_default())
        );
        for content in response["content"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(_, c)| c)
        {
            let _ = write!(out, ": {}", kind(&content["schema"]));
        }
        out.push_str("</dd>");
    }
    out.push_str("<dt><span class=\"status\">4xx, 5xx</span></dt><dd><a href=\"#schema-ApiError\">ApiError</a></dd></dl></article>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_the_description_can_run() {
        let spec = serde_json::json!({
            "info": { "description": "<script>alert(1)</script> `<b>`", "version": "1" },
            "paths": { "/x/{a}": { "get": { "tags": ["t\"><i>"], "operationId": "a", "summary": "<img src=x>",
                "parameters": [{ "name": "<u>", "in": "path", "schema": { "type": "string" } }], "responses": {} } } },
        });
        let html = render(&spec, "dark");
        for bad in ["<script>", "<b>", "<i>", "<img", "<u>"] {
            assert!(!html.contains(bad), "{bad}");
        }
    }
}
