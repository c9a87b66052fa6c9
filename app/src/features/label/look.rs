//! How the picture and the shapes are shown, for the eye only.

use limn_domain::category::{Category, PALETTE};
use limn_domain::{AttributeKind, AttributeValue};
use serde::{Deserialize, Serialize};

/// What the colour of a shape tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColorBy {
    #[default]
    Category,
    /// Every object has a colour of its own.
    Object,
    /// Every value of one attribute has a colour.
    Attribute,
}

/// When the names of categories stand at their shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Names {
    #[default]
    Always,
    /// At the selected shapes and the one under the pointer.
    Hover,
    Never,
}

/// Whether the graphics card draws the outlines where they are thousands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardUse {
    /// Where the browser has one that is fast.
    #[default]
    Auto,
    /// Also where the browser only pretends to have one.
    Always,
    Never,
}

/// Everything that can be set. Kept in the browser.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Look {
    /// In percent; 100 is the picture as it is.
    pub brightness: u16,
    pub contrast: u16,
    pub saturation: u16,
    /// Exponent of 1 / gamma over values from 0 to 1, in percent: above 100 dark parts become lighter.
    pub gamma: u16,
    pub invert: bool,
    /// Of the fill of shapes, in percent of the usual.
    pub fill: u16,
    pub color_by: ColorBy,
    /// Which attribute, by [`attribute_id`].
    pub attribute: u32,
    pub names: Names,
    /// The shades in view are spread so that each is used alike.
    pub equalise: bool,
    /// Lines between the pixels where they are large enough.
    pub grid: bool,
    pub card: CardUse,
    /// How far simplifying may move an outline, in image pixels. None chosen: a pixel of the screen, and masks turn into
    /// exact outlines.
    pub tolerance: Option<f64>,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            brightness: 100,
            contrast: 100,
            saturation: 100,
            gamma: 100,
            invert: false,
            fill: 100,
            color_by: ColorBy::default(),
            attribute: 0,
            names: Names::default(),
            equalise: false,
            grid: false,
            card: CardUse::default(),
            tolerance: None,
        }
    }
}

/// Largest tolerance that can be chosen, in image pixels.
const TOLERANCE_MAX: f64 = 100.0;

/// A tolerance as it can be kept; `None` for what is none.
pub fn tolerance(v: f64) -> Option<f64> {
    (v.is_finite() && v >= 0.0).then(|| v.min(TOLERANCE_MAX))
}

/// Name of the SVG filter that does what CSS has no word for.
pub const GAMMA_FILTER: &str = "label-gamma";
/// Name of the one that spreads the shades.
pub const EQUAL_FILTER: &str = "label-equal";

impl Look {
    /// Within the bounds of the sliders; what was kept may be anything.
    #[must_use]
    pub fn bounded(self) -> Self {
        let percent = |v: u16| v.clamp(10, 400);
        Self {
            brightness: percent(self.brightness),
            contrast: percent(self.contrast),
            saturation: self.saturation.min(400),
            gamma: percent(self.gamma),
            fill: self.fill.min(600),
            tolerance: self.tolerance.and_then(tolerance),
            ..self
        }
    }

    /// The CSS filter of the picture; `equal`: the table of shades is there.
    pub fn filter(&self, equal: bool) -> String {
        let mut parts = Vec::new();
        if self.equalise && equal {
            parts.push(format!("url(#{EQUAL_FILTER})"));
        }
        for (name, value) in [
            ("brightness", self.brightness),
            ("contrast", self.contrast),
            ("saturate", self.saturation),
        ] {
            if value != 100 {
                parts.push(format!("{name}({value}%)"));
            }
        }
        if self.gamma != 100 {
            parts.push(format!("url(#{GAMMA_FILTER})"));
        }
        if self.invert {
            parts.push("invert(1)".to_owned());
        }
        if parts.is_empty() {
            "none".to_owned()
        } else {
            parts.join(" ")
        }
    }
}

/// A short name of an attribute's key (FNV-1a).
pub fn attribute_id(key: &str) -> u32 {
    key.bytes()
        .fold(0x811c_9dc5, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193))
}

/// The colour of objects that have no value.
const NO_VALUE: &str = "#8b8d94";

/// The colours of an attribute's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Legend {
    pub key: String,
    pub name: String,
    /// Texts of the values, in the order of their colours.
    pub values: Vec<String>,
    /// Yes and no instead of texts.
    flag: bool,
}

impl Legend {
    /// Of every attribute whose values can be told apart: yes or no, or one of a list. One that several categories have by the
    /// same key is one.
    pub fn all<'a>(categories: impl IntoIterator<Item = &'a Category>) -> Vec<Self> {
        let mut list: Vec<Self> = Vec::new();
        for a in categories.into_iter().flat_map(|c| &c.attributes) {
            let (values, flag) = match &a.kind {
                AttributeKind::Checkbox => (vec!["Yes".to_owned(), "No".to_owned()], true),
                AttributeKind::Select { options } => (options.clone(), false),
                AttributeKind::Number { .. } | AttributeKind::Text => continue,
            };
            match list.iter_mut().find(|l| l.key == a.key) {
                Some(known) => {
                    for v in values {
                        if !known.values.contains(&v) {
                            known.values.push(v);
                        }
                    }
                }
                None => list.push(Self {
                    key: a.key.clone(),
                    name: a.name.clone(),
                    values,
                    flag,
                }),
            }
        }
        list
    }

    pub fn color_of(&self, value: Option<&AttributeValue>) -> &'static str {
        let at = match value {
            Some(AttributeValue::Flag(on)) if self.flag => Some(usize::from(!on)),
            Some(AttributeValue::Text(t)) => self.values.iter().position(|v| v == t),
            _ => None,
        };
        at.map_or(NO_VALUE, |i| PALETTE[i % PALETTE.len()])
    }

    /// Every value with its colour, the last line for objects that have none.
    pub fn lines(&self) -> Vec<(String, &'static str)> {
        let values = self.values.iter().enumerate();
        values
            .map(|(i, v)| (v.clone(), PALETTE[i % PALETTE.len()]))
            .chain([("No value".to_owned(), NO_VALUE)])
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_as_it_is_needs_no_filter() {
        let look = Look::default();
        assert_eq!(look.filter(false), "none");
        let look = Look {
            gamma: 180,
            invert: true,
            contrast: 150,
            ..look
        };
        let equal = Look {
            equalise: true,
            ..Look::default()
        };
        assert_eq!(equal.filter(true), "url(#label-equal)");
        assert_eq!(equal.filter(false), "none");
        assert_eq!(look.filter(false), "contrast(150%) url(#label-gamma) invert(1)");
        let kept: Look = serde_json::from_str(r#"{"brightness":0,"gamma":9999,"unknown":1}"#).unwrap();
        assert_eq!(
            (kept.bounded().brightness, kept.bounded().gamma, kept.contrast),
            (10, 400, 100)
        );
        assert_eq!(kept.tolerance, None, "kept before there was one");
        for (text, want) in [
            ("0", Some(0.0)),
            ("2.5", Some(2.5)),
            ("1e9", Some(100.0)),
            ("-1", None),
            ("null", None),
        ] {
            let kept: Look = serde_json::from_str(&format!(r#"{{"tolerance":{text}}}"#)).unwrap();
            assert_eq!(kept.bounded().tolerance, want, "{text}");
        }
    }

    #[test]
    fn values_have_their_colours() {
        let kinds = [
            (
                "pose",
                AttributeKind::Select {
                    options: vec!["left".into(), "right".into()],
                },
            ),
            ("occluded", AttributeKind::Checkbox),
            ("note", AttributeKind::Text),
        ];
        let attributes = kinds
            .into_iter()
            .map(|(key, kind)| limn_domain::Attribute {
                key: key.to_owned(),
                name: key.to_owned(),
                kind,
                required: false,
                default: None,
            })
            .collect();
        let category = Category {
            id: limn_domain::CategoryId::new(),
            parent_id: None,
            name: "cat".to_owned(),
            color: String::new(),
            hotkey: None,
            position: 0,
            export_id: 1,
            skeleton: None,
            attributes,
            annotation_count: 0,
            item_count: 0,
        };
        let all = Legend::all([&category, &category]);
        assert_eq!(
            all.iter().map(|l| l.key.as_str()).collect::<Vec<_>>(),
            ["pose", "occluded"]
        );
        let text = |t: &str| Some(AttributeValue::Text(t.to_owned()));
        assert_eq!(all[0].color_of(text("right").as_ref()), PALETTE[1]);
        assert_eq!(all[0].color_of(text("gone").as_ref()), NO_VALUE);
        assert_eq!(all[1].color_of(Some(&AttributeValue::Flag(true))), PALETTE[0]);
        assert_eq!(all[1].color_of(None), NO_VALUE);
        assert_eq!(all[1].lines().len(), 3);
        assert_ne!(attribute_id(&all[0].key), attribute_id(&all[1].key));
    }
}
