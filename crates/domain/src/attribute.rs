//! Attributes: what is said of an object beyond its category.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};

/// Most attributes of a category, and most options of one.
pub const ATTRIBUTES_MAX: usize = 50;
pub const OPTIONS_MAX: usize = 200;
/// Longest name of an attribute and of an option, in characters.
const NAME_MAX: usize = 80;
const KEY_MAX: usize = 60;
/// Longest text that is a value, in characters.
pub const TEXT_MAX: usize = 2_000;

/// What an attribute of an object says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AttributeValue {
    Flag(bool),
    Number(f64),
    Text(String),
}

/// Values by the key of their attribute.
pub type Attributes = BTreeMap<String, AttributeValue>;

/// No values, to borrow.
pub static NO_ATTRIBUTES: Attributes = BTreeMap::new();

/// An attribute of a category.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attribute {
    /// Its name in files and in the values of annotations: letters, digits, `_` and `-`. It stays when the name changes.
    /// Made from the name when it is empty.
    #[serde(default)]
    pub key: String,
    /// What people read.
    pub name: String,
    #[serde(flatten)]
    pub kind: AttributeKind,
    /// An item can only be submitted when every object of the category has a value.
    #[serde(default)]
    pub required: bool,
    /// What new objects have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<AttributeValue>,
}

/// What the values of an attribute are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AttributeKind {
    /// One of some texts.
    Select { options: Vec<String> },
    /// Yes or no.
    Checkbox,
    /// A number between two bounds, both included, where they are given.
    Number {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<f64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<f64>,
    },
    /// Free text.
    Text,
}

/// Lower case letters and digits of a name, the rest as single underscores.
fn key_of(name: &str) -> String {
    let mut key = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            key.push(c);
        } else if !key.ends_with('_') && !key.is_empty() {
            key.push('_');
        }
    }
    let key: String = key.trim_end_matches('_').chars().take(KEY_MAX).collect();
    if key.is_empty() {
        "attribute".to_owned()
    } else {
        key
    }
}

fn line(what: &str, text: &str) -> Result<String, String> {
    let text = text.trim();
    let n = text.chars().count();
    if n == 0 || n > NAME_MAX || text.chars().any(char::is_control) {
        return Err(format!("{what} needs 1 to {NAME_MAX} characters on one line."));
    }
    Ok(text.to_owned())
}

impl Attribute {
    /// The value as it is kept: texts trimmed of nothing, numbers finite and within bounds. Errors say what is wanted.
    pub fn check(&self, value: AttributeValue) -> Result<AttributeValue, String> {
        let name = &self.name;
        match (&self.kind, value) {
            (AttributeKind::Select { options }, AttributeValue::Text(text)) => {
                if options.contains(&text) {
                    Ok(AttributeValue::Text(text))
                } else {
                    let known = options
                        .iter()
                        .take(8)
                        .map(|o| format!("`{o}`"))
                        .collect::<Vec<_>>();
                    Err(format!("{name} must be one of {}", known.join(", ")))
                }
            }
            (AttributeKind::Checkbox, AttributeValue::Flag(on)) => Ok(AttributeValue::Flag(on)),
            (AttributeKind::Number { min, max }, AttributeValue::Number(n)) => {
                let inside = n.is_finite() && min.is_none_or(|m| n >= m) && max.is_none_or(|m| n <= m);
                match (inside, min, max) {
                    (true, ..) => Ok(AttributeValue::Number(n)),
                    (_, Some(a), Some(b)) => Err(format!("{name} must lie between {a} and {b}")),
                    (_, Some(a), None) => Err(format!("{name} must be at least {a}")),
                    (_, None, Some(b)) => Err(format!("{name} must be at most {b}")),
                    (_, None, None) => Err(format!("{name} must be a finite number")),
                }
            }
            (AttributeKind::Text, AttributeValue::Text(text)) => {
                if text.chars().count() > TEXT_MAX || text.contains('\0') {
                    return Err(format!("{name} must be a text of at most {TEXT_MAX} characters"));
                }
                Ok(AttributeValue::Text(text))
            }
            (kind, _) => Err(format!(
                "{name} must be {}",
                match kind {
                    AttributeKind::Select { .. } | AttributeKind::Text => "a text",
                    AttributeKind::Checkbox => "true or false",
                    AttributeKind::Number { .. } => "a number",
                }
            )),
        }
    }

    /// A value as a file gives it, in the kind of this attribute: formats of text alone write `true` and `3` as texts, and
    /// options are found regardless of case. `None`: the file says that there is none. Errors say what is wanted.
    pub fn read(&self, value: AttributeValue) -> Result<Option<AttributeValue>, String> {
        let is_text = matches!(self.kind, AttributeKind::Text);
        let value = match (&self.kind, value) {
            (_, AttributeValue::Text(t)) if !is_text && t.trim().is_empty() => return Ok(None),
            (AttributeKind::Checkbox, AttributeValue::Text(t)) => match t.trim().to_lowercase().as_str() {
                "true" | "yes" | "1" => AttributeValue::Flag(true),
                "false" | "no" | "0" => AttributeValue::Flag(false),
                _ => AttributeValue::Text(t),
            },
            (AttributeKind::Checkbox, AttributeValue::Number(n)) if n == 0.0 || n == 1.0 => {
                AttributeValue::Flag(n == 1.0)
            }
            (AttributeKind::Number { .. }, AttributeValue::Text(t)) => match t.trim().parse() {
                Ok(n) => AttributeValue::Number(n),
                Err(_) => AttributeValue::Text(t),
            },
            (AttributeKind::Select { .. } | AttributeKind::Text, AttributeValue::Number(n))
                if n.is_finite() =>
            {
                AttributeValue::Text(n.to_string())
            }
            (AttributeKind::Select { .. } | AttributeKind::Text, AttributeValue::Flag(on)) => {
                AttributeValue::Text(on.to_string())
            }
            (_, value) => value,
        };
        let value = match (&self.kind, value) {
            (AttributeKind::Select { options }, AttributeValue::Text(t)) if !options.contains(&t) => {
                let key = t.trim().to_lowercase();
                let same = options.iter().find(|o| o.to_lowercase() == key);
                AttributeValue::Text(same.cloned().unwrap_or(t))
            }
            (_, value) => value,
        };
        self.check(value).map(Some)
    }

    /// The key that files know it by, if `name` can be one; empty otherwise, so that one is made of the name.
    pub fn key_in_files(name: &str) -> String {
        let name = name.trim();
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        if name.chars().count() <= KEY_MAX && name.chars().all(fits) {
            name.to_owned()
        } else {
            String::new()
        }
    }

    /// Whether an object with these values still wants one of this attribute.
    pub fn is_missing(&self, values: &Attributes) -> bool {
        self.required
            && match values.get(&self.key) {
                None => true,
                Some(AttributeValue::Text(t)) => t.trim().is_empty(),
                Some(_) => false,
            }
    }
}

/// The attributes of a category as they are kept: keys filled in, texts trimmed. Errors name what is wrong and the mend.
pub fn check_attributes(list: Vec<Attribute>) -> Result<Vec<Attribute>, String> {
    if list.len() > ATTRIBUTES_MAX {
        return Err(format!("A category has at most {ATTRIBUTES_MAX} attributes."));
    }
    let mut keys: HashSet<String> = list
        .iter()
        .map(|a| a.key.clone())
        .filter(|k| !k.is_empty())
        .collect();
    if keys.len() < list.iter().filter(|a| !a.key.is_empty()).count() {
        return Err("Two attributes have the same key; give each one of its own.".to_owned());
    }
    let mut names = HashSet::new();
    let mut out = Vec::with_capacity(list.len());
    for (n, mut a) in list.into_iter().enumerate() {
        a.name = line(&format!("The name of attribute {}", n + 1), &a.name)?;
        if !names.insert(a.name.to_lowercase()) {
            return Err(format!(
                "Two attributes are called `{}`; give each a name of its own.",
                a.name
            ));
        }
        if a.key.is_empty() {
            let base = key_of(&a.name);
            let mut key = base.clone();
            let mut more = 2;
            while !keys.insert(key.clone()) {
                key = format!("{base}_{more}");
                more += 1;
            }
            a.key = key;
        } else if a.key.chars().count() > KEY_MAX
            || !a
                .key
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
        {
            return Err(format!(
                "The key `{}` must be letters, digits, `_` and `-`, at most {KEY_MAX}.",
                a.key.chars().take(KEY_MAX).collect::<String>()
            ));
        }
        match &mut a.kind {
            AttributeKind::Select { options } => {
                if options.is_empty() || options.len() > OPTIONS_MAX {
                    return Err(format!("`{}` needs 1 to {OPTIONS_MAX} options.", a.name));
                }
                let mut seen = HashSet::new();
                for o in options.iter_mut() {
                    *o = line(&format!("An option of `{}`", a.name), o)?;
                    if !seen.insert(o.clone()) {
                        return Err(format!("`{}` has the option `{o}` twice.", a.name));
                    }
                }
            }
            AttributeKind::Number { min, max } => {
                let finite = min.is_none_or(f64::is_finite) && max.is_none_or(f64::is_finite);
                if !finite || min.zip(*max).is_some_and(|(a, b)| a > b) {
                    return Err(format!(
                        "The bounds of `{}` must be numbers, the lower one first.",
                        a.name
                    ));
                }
            }
            AttributeKind::Checkbox | AttributeKind::Text => {}
        }
        if let Some(default) = a.default.take() {
            a.default = Some(a.check(default).map_err(|why| format!("The default: {why}."))?);
        }
        out.push(a);
    }
    Ok(out)
}

/// The attribute that a file means: by its key, else by its name regardless of case.
pub fn find<'a>(list: &'a [Attribute], name: &str) -> Option<&'a Attribute> {
    list.iter().find(|a| a.key == name).or_else(|| {
        let lower = name.trim().to_lowercase();
        list.iter()
            .find(|a| a.name.to_lowercase() == lower)
            .or_else(|| list.iter().find(|a| a.key.to_lowercase() == lower))
    })
}

/// What new objects of a category have.
pub fn defaults(list: &[Attribute]) -> Attributes {
    list.iter()
        .filter_map(|a| Some((a.key.clone(), a.default.clone()?)))
        .collect()
}

/// The values as the category's attributes know them; values of none of them are left out. Errors name the attribute
/// whose value is wrong.
pub fn check_values(list: &[Attribute], values: Attributes) -> Result<Attributes, String> {
    let mut out = Attributes::new();
    for (key, value) in values {
        if let Some(a) = list.iter().find(|a| a.key == key) {
            out.insert(key, a.check(value)?);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn attribute(name: &str, kind: AttributeKind) -> Attribute {
        Attribute {
            key: String::new(),
            name: name.to_owned(),
            kind,
            required: false,
            default: None,
        }
    }

    fn select(name: &str, options: &[&str]) -> Attribute {
        let options = options.iter().map(|o| (*o).to_owned()).collect();
        attribute(name, AttributeKind::Select { options })
    }

    #[test]
    fn keys_are_made_once_and_never_twice() {
        let list = vec![
            attribute("Is occluded?", AttributeKind::Checkbox),
            attribute("is-occluded", AttributeKind::Text),
            attribute("日本", AttributeKind::Text),
            attribute("!!", AttributeKind::Text),
        ];
        let list = check_attributes(list).unwrap();
        let keys: Vec<_> = list.iter().map(|a| a.key.as_str()).collect();
        assert_eq!(keys, ["is_occluded", "is_occluded_2", "日本", "attribute"]);
        let mut renamed = list;
        renamed[0].name = "Hidden".into();
        assert_eq!(check_attributes(renamed).unwrap()[0].key, "is_occluded");
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let one = |a: Attribute| check_attributes(vec![a]).unwrap_err();
        assert!(one(attribute(" ", AttributeKind::Text)).contains("attribute 1"));
        assert!(one(select("colour", &[])).contains("`colour` needs"));
        assert!(one(select("colour", &["red", " red "])).contains("twice"));
        assert!(
            one(attribute(
                "age",
                AttributeKind::Number {
                    min: Some(5.0),
                    max: Some(1.0)
                }
            ))
            .contains("lower one first")
        );
        let wrong = Attribute {
            default: Some(AttributeValue::Flag(true)),
            ..select("colour", &["red"])
        };
        assert!(one(wrong).contains("default: colour must be a text"));
        let keyed = Attribute {
            key: "a b".into(),
            ..attribute("a", AttributeKind::Text)
        };
        assert!(one(keyed).contains("`a b`"));
        let twice = vec![
            attribute("A", AttributeKind::Text),
            attribute("a", AttributeKind::Text),
        ];
        assert!(check_attributes(twice).unwrap_err().contains("called `a`"));
    }

    #[test]
    fn values_are_checked_and_those_of_nobody_left_out() {
        let list = check_attributes(vec![
            select("colour", &["red", "blue"]),
            attribute(
                "age",
                AttributeKind::Number {
                    min: Some(0.0),
                    max: None,
                },
            ),
            Attribute {
                required: true,
                default: Some(AttributeValue::Text("?".into())),
                ..attribute("note", AttributeKind::Text)
            },
        ])
        .unwrap();
        let values: Attributes = serde_json::from_str(r#"{"colour":"red","age":3,"gone":true}"#).unwrap();
        let kept = check_values(&list, values).unwrap();
        assert_eq!(
            serde_json::to_string(&kept).unwrap(),
            r#"{"age":3.0,"colour":"red"}"#
        );
        for (bad, why) in [
            (r#"{"colour":"green"}"#, "one of `red`, `blue`"),
            (r#"{"colour":3}"#, "must be a text"),
            (r#"{"age":-1}"#, "at least 0"),
            (r#"{"age":"x"}"#, "a number"),
        ] {
            let e = check_values(&list, serde_json::from_str(bad).unwrap()).unwrap_err();
            assert!(e.contains(why), "{e}");
        }
        assert!(list[2].is_missing(&kept) && !list[0].is_missing(&kept));
        assert!(!list[2].is_missing(&defaults(&list)));
        let json = serde_json::to_string(&list[0]).unwrap();
        assert_eq!(
            json,
            r#"{"key":"colour","name":"colour","type":"select","options":["red","blue"],"required":false}"#
        );
    }

    #[test]
    fn values_of_files_are_read_in_the_kind_of_their_attribute() {
        let text = |t: &str| AttributeValue::Text(t.to_owned());
        let number = AttributeKind::Number {
            min: Some(0.0),
            max: None,
        };
        let list = check_attributes(vec![
            select("Colour of it", &["Red", "3", "true"]),
            attribute("on", AttributeKind::Checkbox),
            attribute("age", number),
            attribute("note", AttributeKind::Text),
        ])
        .unwrap();
        let read = |name: &str, value| find(&list, name).unwrap().read(value);
        assert_eq!(read("colour_of_it", text(" red ")), Ok(Some(text("Red"))));
        assert_eq!(
            read("COLOUR OF IT", AttributeValue::Number(3.0)),
            Ok(Some(text("3")))
        );
        assert_eq!(
            read("colour of it", AttributeValue::Flag(true)),
            Ok(Some(text("true")))
        );
        assert_eq!(read("on", text("True")), Ok(Some(AttributeValue::Flag(true))));
        assert_eq!(
            read("ON", AttributeValue::Number(0.0)),
            Ok(Some(AttributeValue::Flag(false)))
        );
        assert_eq!(read("age", text("2.5")), Ok(Some(AttributeValue::Number(2.5))));
        assert_eq!(read("note", AttributeValue::Number(2.5)), Ok(Some(text("2.5"))));
        assert_eq!(read("note", text("")), Ok(Some(text(""))));
        assert_eq!(read("age", text(" ")), Ok(None));
        for (name, bad) in [
            ("colour of it", text("green")),
            ("on", text("maybe")),
            ("on", AttributeValue::Number(2.0)),
            ("age", text("NaN")),
            ("age", AttributeValue::Number(-1.0)),
            ("note", AttributeValue::Number(f64::NAN)),
        ] {
            assert!(read(name, bad).is_err(), "{name}");
        }
        assert!(find(&list, "colour").is_none());
        assert_eq!(Attribute::key_in_files("a-B_1"), "a-B_1");
        assert_eq!(Attribute::key_in_files("a b"), "");
    }

    proptest! {
        #[test]
        fn keys_are_fit_to_be_kept(names in proptest::collection::vec("\\PC{1,30}", 1..6)) {
            let list = names.iter().map(|n| attribute(n, AttributeKind::Text)).collect();
            if let Ok(list) = check_attributes(list) {
                prop_assert_eq!(check_attributes(list.clone()), Ok(list));
            }
        }
    }
}
