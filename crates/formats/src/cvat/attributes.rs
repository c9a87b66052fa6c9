//! Attributes in CVAT's XML: their definitions in `meta`, and `<attribute name="...">value</attribute>` in shapes. CVAT
//! knows select, radio, checkbox, number and text; all values are text. It knows attributes by their names.

use limn_domain::attribute::{
    self, ATTRIBUTES_MAX, Attribute, AttributeKind, AttributeValue, Attributes, OPTIONS_MAX,
};
use quick_xml::escape::escape;
use std::borrow::Cow;
use std::fmt::Write as _;

/// Text that may stand in XML 1.0, escaped: other control characters become `\u{fffd}`.
fn text(raw: &str) -> Cow<'_, str> {
    let bad = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{7f}'..='\u{9f}');
    if raw.contains(bad) {
        return escape(raw.replace(bad, "\u{fffd}")).into_owned().into();
    }
    escape(raw)
}

fn plain(value: &AttributeValue) -> String {
    match value {
        AttributeValue::Flag(on) => on.to_string(),
        AttributeValue::Number(n) => n.to_string(),
        AttributeValue::Text(t) => t.clone(),
    }
}

/// What files call it: its name, unless an import would then find another one.
fn called<'a>(list: &'a [Attribute], a: &'a Attribute) -> &'a str {
    match attribute::find(list, &a.name) {
        Some(found) if found.key == a.key => &a.name,
        _ => &a.key,
    }
}

/// Ends a shape's tag, with its values as elements inside, after the elements `inside` that it has anyway. `list` are the
/// attributes of its category.
pub(super) fn end(xml: &mut String, element: &str, list: &[Attribute], values: &Attributes, inside: &str) {
    if values.is_empty() && inside.is_empty() {
        xml.push_str("/>\n");
        return;
    }
    xml.push_str(">\n");
    xml.push_str(inside);
    for (key, value) in values {
        let value = plain(value);
        let name = list
            .iter()
            .find(|a| a.key == *key)
            .map_or(key.as_str(), |a| called(list, a));
        let _ = writeln!(
            xml,
            "      <attribute name=\"{}\">{}</attribute>",
            text(name),
            text(&value)
        );
    }
    let _ = writeln!(xml, "    </{element}>");
}

/// What stands in the `attributes` of a label.
pub(super) fn definitions(list: &[Attribute]) -> String {
    let mut xml = String::new();
    for a in list {
        let (kind, values) = match &a.kind {
            AttributeKind::Select { options } => ("select", options.join("\n")),
            AttributeKind::Checkbox => ("checkbox", "false".to_owned()),
            // Lowest, highest, step.
            AttributeKind::Number {
                min: Some(a),
                max: Some(b),
            } => ("number", format!("{a}\n{b}\n1")),
            AttributeKind::Number { .. } => ("number", String::new()),
            AttributeKind::Text => ("text", String::new()),
        };
        let default = a.default.as_ref().map(plain).unwrap_or_default();
        let _ = write!(
            xml,
            "<attribute><name>{}</name><mutable>False</mutable><input_type>{kind}</input_type>\
             <default_value>{}</default_value><values>{}</values></attribute>",
            text(called(list, a)),
            text(&default),
            text(&values)
        );
    }
    xml
}

/// A definition under way.
#[derive(Debug, Default)]
pub(super) struct Definition {
    name: String,
    kind: String,
    default: String,
    values: String,
}

impl Definition {
    /// An element of it, with its text.
    pub fn take(&mut self, element: &[u8], text: &str) {
        let field = match element {
            b"name" => &mut self.name,
            b"input_type" => &mut self.kind,
            b"default_value" => &mut self.default,
            b"values" => &mut self.values,
            _ => return,
        };
        text.clone_into(field);
    }

    /// Adds it to those of its label. A kind that CVAT does not know is free text; a default that does not fit is none.
    pub fn finish(self, list: &mut Vec<Attribute>) {
        let name = self.name.trim();
        // One more than there may be: who creates the category says what is wrong with that.
        if name.is_empty() || list.len() > ATTRIBUTES_MAX {
            return;
        }
        let lines = || self.values.lines().map(str::trim).filter(|l| !l.is_empty());
        let kind = match self.kind.trim().to_lowercase().as_str() {
            "select" | "radio" => {
                let mut options: Vec<String> = Vec::new();
                for line in lines() {
                    if options.len() <= OPTIONS_MAX && !options.iter().any(|o| o == line) {
                        options.push(line.to_owned());
                    }
                }
                AttributeKind::Select { options }
            }
            "checkbox" => AttributeKind::Checkbox,
            "number" => {
                let mut bounds = lines().map(|l| l.parse().ok().filter(|n: &f64| n.is_finite()));
                AttributeKind::Number {
                    min: bounds.next().flatten(),
                    max: bounds.next().flatten(),
                }
            }
            _ => AttributeKind::Text,
        };
        // A name with capitals is most likely one that our own key was made from, which has none.
        let is_key = name.to_lowercase() == name;
        let mut attribute = Attribute {
            key: if is_key {
                Attribute::key_in_files(name)
            } else {
                String::new()
            },
            name: name.to_owned(),
            kind,
            required: false,
            default: None,
        };
        if !self.default.is_empty() {
            attribute.default = attribute.read(AttributeValue::Text(self.default)).ok().flatten();
        }
        list.push(attribute);
    }
}
