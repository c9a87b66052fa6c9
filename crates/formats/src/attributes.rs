//! Values of attributes as files give them: by name, of a known number and length, not yet matched to a project's
//! attributes.

use crate::json::loose::Loose;
use limn_domain::attribute::{ATTRIBUTES_MAX, TEXT_MAX};
use limn_domain::{AttributeValue, Attributes};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use std::fmt;

/// Most values kept of one label; more than a category can define are there for reports to name.
const VALUES_MAX: usize = 2 * ATTRIBUTES_MAX;
/// Longest name kept, in characters; what is cut matches nothing.
const NAME_MAX: usize = 200;

/// The values of a label by the names that the file gives, in its order, no name twice.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ImportedAttributes(pub Vec<(String, AttributeValue)>);

impl ImportedAttributes {
    /// Adds a value; the last of a name counts. What is too long is cut to one character more than fits, so that it is
    /// refused later on and not here.
    pub(crate) fn put(&mut self, name: &str, value: AttributeValue) {
        let name: String = name.trim().chars().take(NAME_MAX).collect();
        let value = match value {
            AttributeValue::Text(t) if t.len() > TEXT_MAX => {
                AttributeValue::Text(t.chars().take(TEXT_MAX + 1).collect())
            }
            value => value,
        };
        if name.is_empty() {
            return;
        }
        if let Some(old) = self.0.iter_mut().find(|(n, _)| *n == name) {
            old.1 = value;
        } else if self.0.len() < VALUES_MAX {
            self.0.push((name, value));
        }
    }

    /// `None` when there is nothing in it, which is what most labels have.
    pub(crate) fn boxed(mut self) -> Option<Box<Self>> {
        self.0.shrink_to_fit();
        (!self.0.is_empty()).then(|| Box::new(self))
    }

    /// About how many bytes of memory they take.
    pub(crate) fn weight(&self) -> usize {
        let text = |v: &AttributeValue| match v {
            AttributeValue::Text(t) => t.len(),
            _ => 0,
        };
        let of = |(name, value): &(String, AttributeValue)| 64 + name.len() + text(value);
        64 + self.0.iter().map(of).sum::<usize>()
    }
}

/// The attributes of a label in JSON: an object of scalars. Anything else reads as no values, so that it never costs the
/// label.
#[derive(Debug, Default)]
pub(crate) struct Values(pub Option<Box<ImportedAttributes>>);

impl From<&Attributes> for Values {
    fn from(values: &Attributes) -> Self {
        let all = values.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        Self(ImportedAttributes(all).boxed())
    }
}

impl Values {
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let all = self.0.as_deref().map_or(&[][..], |v| &v.0);
        s.collect_map(all.iter().map(|(k, v)| (k, v)))
    }
}

/// A scalar as a value; `None` for null. Lists and objects are a number that fits no attribute, so that reports name them.
fn value(of: Loose) -> Option<AttributeValue> {
    Some(match of {
        Loose::Bool(on) => AttributeValue::Flag(on),
        Loose::Int(n) => AttributeValue::Number(n as f64),
        Loose::Float(n) => AttributeValue::Number(n),
        Loose::Text(t) => AttributeValue::Text(t),
        Loose::Other => AttributeValue::Number(f64::NAN),
        Loose::Missing | Loose::Null => return None,
    })
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Values;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Values, A::Error> {
                let mut out = ImportedAttributes::default();
                while let Some(name) = map.next_key::<String>()? {
                    if let Some(value) = value(map.next_value::<Loose>()?) {
                        out.put(&name, value);
                    }
                }
                Ok(Values(out.boxed()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Values, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Values(None))
            }

            fn visit_bool<E>(self, _: bool) -> Result<Values, E> {
                Ok(Values(None))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Values, E> {
                Ok(Values(None))
            }

            fn visit_u64<E>(self, _: u64) -> Result<Values, E> {
                Ok(Values(None))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Values, E> {
                Ok(Values(None))
            }

            fn visit_str<E>(self, _: &str) -> Result<Values, E> {
                Ok(Values(None))
            }

            fn visit_unit<E>(self) -> Result<Values, E> {
                Ok(Values(None))
            }
        }
        d.deserialize_any(V)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Vec<(String, AttributeValue)> {
        let values: Values = serde_json::from_str(json).unwrap();
        values.0.map(|v| v.0).unwrap_or_default()
    }

    #[test]
    fn values_of_every_kind_and_nothing_else() {
        assert_eq!(
            read(r#"{"a": true, " b ": 3, "c": 0.5, "d": "x", "e": null, "": 1, "a": false}"#),
            [
                ("a".to_owned(), AttributeValue::Flag(false)),
                ("b".to_owned(), AttributeValue::Number(3.0)),
                ("c".to_owned(), AttributeValue::Number(0.5)),
                ("d".to_owned(), AttributeValue::Text("x".to_owned())),
            ]
        );
        for nothing in ["null", "7", "[1, {}]", "\"x\"", "{}", "true", "-1", "0.5"] {
            assert!(read(nothing).is_empty(), "{nothing}");
        }
    }

    #[test]
    fn hostile_values_stay_small() {
        let long = "x".repeat(1 << 20);
        let many: Vec<String> = (0..5_000)
            .map(|n| format!("\"{n}{long:.300}\": \"{long:.3000}\""))
            .collect();
        let values = ImportedAttributes(read(&format!("{{{}}}", many.join(","))));
        assert_eq!(values.0.len(), VALUES_MAX);
        assert!(values.weight() < VALUES_MAX * 2_500, "{}", values.weight());
        let deep = format!(
            "{{\"a\": {}{}, \"b\": 1}}",
            "[".repeat(50_000),
            "]".repeat(50_000)
        );
        let values = read(&deep);
        // A list is a number that is none, and what comes after it is read.
        assert!(matches!(values.as_slice(), [(_, AttributeValue::Number(n)), _] if n.is_nan()));
    }
}
