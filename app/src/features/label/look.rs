//! How the picture and the shapes are shown, for the eye only.

use serde::{Deserialize, Serialize};

/// What the colour of a shape tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColorBy {
    #[default]
    Category,
    /// Every object has a colour of its own.
    Object,
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
    pub names: Names,
    /// The shades in view are spread so that each is used alike.
    pub equalise: bool,
    /// Lines between the pixels where they are large enough.
    pub grid: bool,
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
            names: Names::default(),
            equalise: false,
            grid: false,
        }
    }
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
        let equal = Look { equalise: true, ..Look::default() };
        assert_eq!(equal.filter(true), "url(#label-equal)");
        assert_eq!(equal.filter(false), "none");
        assert_eq!(look.filter(false), "contrast(150%) url(#label-gamma) invert(1)");
        let kept: Look = serde_json::from_str(r#"{"brightness":0,"gamma":9999,"unknown":1}"#).unwrap();
        assert_eq!(
            (kept.bounded().brightness, kept.bounded().gamma, kept.contrast),
            (10, 400, 100)
        );
    }
}
