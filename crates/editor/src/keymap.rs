//! Keys to actions. Physical keys (`KeyboardEvent.code`), so that the layout of the keyboard does not matter.

mod table;

use crate::editor::{Mods, Tool};
use limn_domain::ShapeKind;
use limn_domain::project::Task;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything a key can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Submit,
    Skip,
    Next,
    Previous,
    Last,
    First,
    SaveNow,
    Help,
    Instructions,
    SelectTool,
    BoxTool,
    PolygonTool,
    BrushTool,
    EraserTool,
    RotatedBoxTool,
    ExtremeBoxTool,
    EllipseTool,
    PolylineTool,
    PointsTool,
    KeypointsTool,
    SliceTool,
    WandTool,
    ScissorsTool,
    SuperpixelsTool,
    CutTool,
    /// The next keypoint is not in the picture.
    LeaveOut,
    BrushLarger,
    BrushSmaller,
    HideOrPan,
    Template,
    Escape,
    /// The category with this key; 0 is the tenth.
    Category(u8),
    /// The same, also for what is selected, whatever the tool.
    Relabel(u8),
    SearchCategory,
    Undo,
    Redo,
    Delete,
    Copy,
    Paste,
    Duplicate,
    RepeatPrevious,
    SelectAll,
    CycleNext,
    CyclePrevious,
    HideAll,
    /// Only the selection shows.
    Isolate,
    Lock,
    /// The selection is one group.
    Group,
    Ungroup,
    /// A relation from the selected object to the next one picked.
    Relate,
    Raise,
    Lower,
    ToFront,
    ToBack,
    NudgeLeft,
    NudgeRight,
    NudgeUp,
    NudgeDown,
    LeapLeft,
    LeapRight,
    LeapUp,
    LeapDown,
    Narrower,
    Wider,
    Shorter,
    Taller,
    Join,
    /// The others cut out of the first selected.
    Subtract,
    Intersect,
    /// Corners snap to other outlines, or not.
    Borders,
    Simplify,
    Convert,
    FillHoles,
    Clean,
    AcceptAll,
    AcceptSelected,
    ZoomIn,
    ZoomOut,
    Fit,
    OneToOne,
    ZoomToSelection,
    TurnLeft,
    TurnRight,
    TurnLeftABit,
    TurnRightABit,
    Upright,
    AdjustImage,
    /// Moves an end of the selected span.
    EndBack,
    EndOn,
    StartBack,
    StartOn,
    FindText,
    /// Several items at once, or one.
    Grid,
}

impl Action {
    /// Whether a project of this task has the tool for it.
    pub fn is_for(self, task: Task) -> bool {
        if task.is_text() {
            return self.is_for_text(task.marks_objects());
        }
        match self {
            Self::EndBack | Self::EndOn | Self::StartBack | Self::StartOn | Self::FindText => false,
            Self::Template => task.allows(ShapeKind::Box),
            Self::Grid => matches!(task, Task::Classification | Task::Multilabel),
            Self::LeaveOut => task.allows(ShapeKind::Keypoints),
            Self::BrushLarger | Self::BrushSmaller | Self::FillHoles | Self::Clean => {
                task.allows(ShapeKind::Mask)
            }
            Self::Join
            | Self::Subtract
            | Self::Intersect
            | Self::Simplify
            | Self::Convert
            | Self::Borders => task.allows(ShapeKind::Polygon),
            _ => self.tool().is_none_or(|tool| tool.is_for(task)),
        }
    }

    /// What can be done to documents; `spans`: they are labeled with spans.
    const fn is_for_text(self, spans: bool) -> bool {
        match self {
            Self::Submit
            | Self::Skip
            | Self::Next
            | Self::Previous
            | Self::Last
            | Self::First
            | Self::SaveNow
            | Self::Help
            | Self::Instructions
            | Self::SearchCategory
            | Self::Category(_)
            | Self::Undo
            | Self::Redo
            | Self::AcceptAll
            | Self::FindText => true,
            // Without spans to move: the previous and next item.
            Self::NudgeLeft | Self::NudgeRight => !spans,
            Self::Relabel(_)
            | Self::Escape
            | Self::Delete
            | Self::SelectAll
            | Self::CycleNext
            | Self::CyclePrevious
            | Self::AcceptSelected
            | Self::Group
            | Self::Ungroup
            | Self::Relate
            | Self::EndBack
            | Self::EndOn
            | Self::StartBack
            | Self::StartOn => spans,
            _ => false,
        }
    }

    /// The tool that the action takes to hand.
    pub const fn tool(self) -> Option<Tool> {
        Some(match self {
            Self::SelectTool => Tool::Select,
            Self::BoxTool => Tool::Box,
            Self::PolygonTool => Tool::Polygon,
            Self::BrushTool => Tool::Brush,
            Self::EraserTool => Tool::Eraser,
            Self::RotatedBoxTool => Tool::RotatedBox,
            Self::ExtremeBoxTool => Tool::ExtremeBox,
            Self::EllipseTool => Tool::Ellipse,
            Self::PolylineTool => Tool::Polyline,
            Self::PointsTool => Tool::Points,
            Self::KeypointsTool => Tool::Keypoints,
            Self::SliceTool => Tool::Slice,
            Self::WandTool => Tool::Wand,
            Self::ScissorsTool => Tool::Scissors,
            Self::SuperpixelsTool => Tool::Superpixels,
            Self::CutTool => Tool::Cut,
            _ => return None,
        })
    }
}

/// Under which heading the help lists an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Work,
    Tools,
    Categories,
    Objects,
    Suggestions,
    View,
}

impl Group {
    pub const ALL: [Self; 6] = [
        Self::Work,
        Self::Tools,
        Self::Categories,
        Self::Objects,
        Self::Suggestions,
        Self::View,
    ];

    pub const fn label(self) -> &'static str {
        match self {
            Self::Work => "Work",
            Self::Tools => "Tools",
            Self::Categories => "Categories",
            Self::Objects => "Objects",
            Self::Suggestions => "Suggestions",
            Self::View => "View",
        }
    }
}

/// A physical key with modifiers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Chord {
    /// As in `KeyboardEvent.code`, e.g. `KeyA`.
    pub code: String,
    #[serde(default)]
    pub ctrl: bool,
    #[serde(default)]
    pub shift: bool,
    #[serde(default)]
    pub alt: bool,
}

impl Chord {
    /// Reads `Ctrl+Shift+KeyZ`.
    pub fn parse(text: &str) -> Self {
        let mut chord = Self {
            code: String::new(),
            ctrl: false,
            shift: false,
            alt: false,
        };
        for part in text.split('+') {
            match part {
                "Ctrl" => chord.ctrl = true,
                "Shift" => chord.shift = true,
                "Alt" => chord.alt = true,
                code => code.clone_into(&mut chord.code),
            }
        }
        chord
    }

    /// Why a page cannot have the key, if it cannot.
    fn is_reserved(&self) -> Option<&'static str> {
        let browser = self.ctrl
            && matches!(
                self.code.as_str(),
                "KeyN" | "KeyT" | "KeyW" | "KeyR" | "KeyL" | "KeyQ"
            );
        if browser || matches!(self.code.as_str(), "F5" | "F11" | "F12") {
            return Some("belongs to the browser");
        }
        if matches!(self.code.as_str(), "Space" | "Slash" | "Escape" | "Tab" | "Enter") {
            return Some("has its fixed meaning here");
        }
        None
    }

    /// The caps to draw, e.g. `["Ctrl", "Z"]`.
    pub fn caps(&self) -> Vec<String> {
        let mut caps = Vec::new();
        if self.ctrl {
            caps.push("Ctrl".to_owned());
        }
        if self.shift {
            caps.push("Shift".to_owned());
        }
        if self.alt {
            caps.push("Alt".to_owned());
        }
        // A gesture of the help may be a modifier alone.
        if !self.code.is_empty() {
            caps.push(cap(&self.code));
        }
        caps
    }
}

/// What is printed on the key.
fn cap(code: &str) -> String {
    let named = match code {
        "ArrowLeft" => "\u{2190}",
        "ArrowRight" => "\u{2192}",
        "ArrowUp" => "\u{2191}",
        "ArrowDown" => "\u{2193}",
        "Escape" => "Esc",
        "Delete" => "Del",
        "Slash" => "/",
        "Comma" => ",",
        "Period" => ".",
        "Equal" => "+",
        "Minus" => "-",
        "BracketLeft" => "[",
        "BracketRight" => "]",
        "NumpadEnter" => "Enter",
        "NumpadAdd" => "Num +",
        "NumpadSubtract" => "Num -",
        "PageUp" => "PgUp",
        "PageDown" => "PgDn",
        other => other
            .strip_prefix("Key")
            .or_else(|| other.strip_prefix("Digit"))
            .unwrap_or(other),
    };
    named.to_owned()
}

/// One line of the help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelpLine {
    /// What the keys do, when they can be changed.
    pub action: Option<Action>,
    pub group: Group,
    pub label: &'static str,
    pub keys: Vec<Chord>,
}

/// Keys that somebody chose instead of the default ones. Written down as a list of pairs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Overrides(Vec<(Action, Vec<Chord>)>);

impl Overrides {
    pub fn has(&self, action: Action) -> bool {
        self.0.iter().any(|(a, _)| *a == action)
    }

    /// With other keys for an action.
    #[must_use]
    pub fn with(&self, action: Action, chords: Vec<Chord>) -> Self {
        let mut out = self.without(action);
        out.0.push((action, chords));
        out
    }

    /// With the default keys of an action.
    #[must_use]
    pub fn without(&self, action: Action) -> Self {
        Self(self.0.iter().filter(|(a, _)| *a != action).cloned().collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The keys in force.
#[derive(Debug, Clone)]
pub struct Keymap {
    bindings: BTreeMap<Action, Vec<Chord>>,
}

impl Default for Keymap {
    fn default() -> Self {
        let bindings = table::TABLE
            .iter()
            .map(|row| {
                (
                    row.action,
                    row.keys.split_whitespace().map(Chord::parse).collect(),
                )
            })
            .chain((0..=9).map(|n| (Action::Category(n), vec![Chord::parse(&format!("Digit{n}"))])))
            .chain((0..=9).map(|n| (Action::Relabel(n), vec![Chord::parse(&format!("Shift+Digit{n}"))])))
            .collect();
        Self { bindings }
    }
}

impl Keymap {
    /// The default keys with some replaced. Errors when two actions would share a key, or a key is the browser's own, naming
    /// both.
    pub fn with_overrides(overrides: &Overrides) -> Result<Self, String> {
        let mut map = Self::default();
        for (action, chords) in &overrides.0 {
            for chord in chords {
                if let Some(why) = chord.is_reserved() {
                    return Err(format!("{} {why}; choose another key.", chord.caps().join(" ")));
                }
            }
            map.bindings.insert(*action, chords.clone());
        }
        let mut seen: BTreeMap<&Chord, Action> = BTreeMap::new();
        for (action, chords) in &map.bindings {
            for chord in chords {
                if let Some(other) = seen.insert(chord, *action) {
                    // Named first is the one that had it.
                    let (had, wants) = if overrides.has(other) {
                        (*action, other)
                    } else {
                        (other, *action)
                    };
                    return Err(format!(
                        "{} is the key of \u{201c}{}\u{201d}; give that another key first, or choose another for \u{201c}{}\u{201d}.",
                        chord.caps().join(" "),
                        label(had),
                        label(wants)
                    ));
                }
            }
        }
        Ok(map)
    }

    /// The action of a key press. `key` is what the press would type: `?` and `/` are found by it on every layout.
    pub fn action(&self, code: &str, key: &str, mods: Mods) -> Option<Action> {
        if !mods.ctrl && !mods.alt {
            match key {
                "?" => return Some(Action::Help),
                "/" => return Some(Action::SearchCategory),
                _ => {}
            }
        }
        let code = match code.strip_prefix("Numpad") {
            Some(d) if d.len() == 1 && d.as_bytes()[0].is_ascii_digit() => format!("Digit{d}"),
            _ => code.to_owned(),
        };
        let chord = Chord {
            code,
            ctrl: mods.ctrl,
            shift: mods.shift,
            alt: mods.alt,
        };
        self.bindings
            .iter()
            .find(|(_, chords)| chords.contains(&chord))
            .map(|(action, _)| *action)
    }

    /// The first key of an action, to show beside its button.
    pub fn key(&self, action: Action) -> Option<&Chord> {
        self.bindings.get(&action)?.first()
    }

    /// What `?` shows for a kind of task.
    pub fn help(&self, task: Task) -> Vec<HelpLine> {
        let line = |row: &table::Row| HelpLine {
            action: Some(row.action),
            group: row.group,
            label: row.label,
            // The number pad's twins need no telling.
            keys: self
                .bindings
                .get(&row.action)
                .into_iter()
                .flatten()
                .filter(|c| !c.code.starts_with("Numpad"))
                .cloned()
                .collect(),
        };
        let digits = |shift: bool| {
            ["1-9", "0"]
                .map(|code| Chord {
                    code: code.to_owned(),
                    ctrl: false,
                    shift,
                    alt: false,
                })
                .to_vec()
        };
        let mut lines: Vec<HelpLine> = table::TABLE
            .iter()
            .filter(|row| task.marks_objects() || !row.boxes)
            .filter(|row| row.action.is_for(task))
            .filter(|row| !row.label.is_empty())
            .map(line)
            .collect();
        let pick = if task.marks_objects() {
            "Category for new shapes; with the select tool, of the selection"
        } else {
            "Category on or off"
        };
        lines.push(HelpLine {
            action: None,
            group: Group::Categories,
            label: pick,
            keys: digits(false),
        });
        if Action::Grid.is_for(task) {
            lines.extend(table::GRID.iter().map(|(group, label, keys)| HelpLine {
                action: None,
                group: *group,
                label,
                keys: keys.split_whitespace().map(Chord::parse).collect(),
            }));
        }
        if task.marks_objects() {
            lines.push(HelpLine {
                action: None,
                group: Group::Categories,
                label: "Relabel the selection, whatever the tool",
                keys: digits(true),
            });
            lines.extend(table::gestures(task).map(|(group, label, keys)| HelpLine {
                action: None,
                group: *group,
                label,
                keys: keys.split_whitespace().map(Chord::parse).collect(),
            }));
        }
        lines.sort_by_key(|l| l.group);
        lines
    }
}

/// The action in words.
pub fn label(action: Action) -> &'static str {
    match action {
        Action::Category(_) => "Pick a category",
        Action::Relabel(_) => "Relabel the selection",
        other => table::TABLE
            .iter()
            .find(|row| row.action == other)
            .map_or("", |row| row.label),
    }
}
