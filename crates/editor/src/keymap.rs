//! Keys to actions. Physical keys (`KeyboardEvent.code`), so that the layout of the keyboard does not matter.

mod action;
mod table;

pub use action::Action;

use crate::editor::Mods;
use limn_domain::project::Task;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Under which heading the help lists an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    Work,
    Tools,
    Categories,
    Objects,
    Suggestions,
    View,
    Video,
}

impl Group {
    pub const ALL: [Self; 7] = [
        Self::Work,
        Self::Tools,
        Self::Categories,
        Self::Objects,
        Self::Suggestions,
        Self::View,
        Self::Video,
    ];

    pub const fn label(self) -> &'static str {
        match self {
            Self::Work => "Work",
            Self::Tools => "Tools",
            Self::Categories => "Categories",
            Self::Objects => "Objects",
            Self::Suggestions => "Suggestions",
            Self::View => "View",
            Self::Video => "On videos",
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
        "Backquote" => "`",
        "Backslash" => "\\",
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
    /// Keys that go before the others on a video.
    video: BTreeMap<Action, Vec<Chord>>,
}

impl Default for Keymap {
    fn default() -> Self {
        let read = |row: &table::Row| {
            (
                row.action,
                row.keys.split_whitespace().map(Chord::parse).collect(),
            )
        };
        let video = table::VIDEO.iter().map(read).collect();
        let bindings = table::TABLE
            .iter()
            .map(read)
            .chain((0..=9).map(|n| (Action::Category(n), vec![Chord::parse(&format!("Digit{n}"))])))
            .chain((0..=9).map(|n| (Action::Relabel(n), vec![Chord::parse(&format!("Shift+Digit{n}"))])))
            .collect();
        Self { bindings, video }
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
            if action.is_of_videos() {
                map.video.insert(*action, chords.clone());
            } else {
                map.bindings.insert(*action, chords.clone());
            }
        }
        unique(map.bindings.iter(), overrides)?;
        // On a video: its own keys, and those of whatever can be done there and has no other key for it.
        let elsewhere = |action: &Action| action.is_for_videos() && !map.video.contains_key(action);
        let general = map.bindings.iter().filter(|(action, _)| elsewhere(action));
        unique(map.video.iter().chain(general), overrides)?;
        Ok(map)
    }

    /// The action of a key press. `key` is what the press would type: `?` and `/` are found by it on every layout. `video`: a
    /// video is open.
    pub fn action(&self, code: &str, key: &str, mods: Mods, video: bool) -> Option<Action> {
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
        let find = |list: &BTreeMap<Action, Vec<Chord>>| {
            list.iter()
                .find(|(_, chords)| chords.contains(&chord))
                .map(|(action, _)| *action)
        };
        let own = if video { find(&self.video) } else { None };
        own.or_else(|| find(&self.bindings))
    }

    /// The first key of an action, to show beside its button. `video`: a video is open.
    pub fn key(&self, action: Action, video: bool) -> Option<&Chord> {
        let own = self.video.get(&action).filter(|_| video);
        own.or_else(|| self.bindings.get(&action))?.first()
    }

    /// What `?` shows for a kind of task.
    pub fn help(&self, task: Task) -> Vec<HelpLine> {
        let line = |row: &table::Row| HelpLine {
            // A second key that an action has on videos is not changed there.
            action: (row.group != Group::Video || row.action.is_of_videos()).then_some(row.action),
            group: row.group,
            label: row.label,
            // The number pad's twins need no telling.
            keys: (if row.group == Group::Video {
                &self.video
            } else {
                &self.bindings
            })
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
        if task.takes_videos() {
            lines.extend(
                table::VIDEO
                    .iter()
                    .filter(|row| row.action.is_for(task))
                    .map(line),
            );
            lines.push(HelpLine {
                action: None,
                group: Group::Video,
                label: "Play, or stop (held: pan)",
                keys: vec![Chord::parse("Space")],
            });
        }
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

/// Errors when two actions share a key, naming both.
fn unique<'a>(
    bindings: impl Iterator<Item = (&'a Action, &'a Vec<Chord>)>,
    overrides: &Overrides,
) -> Result<(), String> {
    let mut seen: BTreeMap<&Chord, Action> = BTreeMap::new();
    for (action, chords) in bindings {
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
    Ok(())
}

/// The action in words.
pub fn label(action: Action) -> &'static str {
    match action {
        Action::Category(_) => "Pick a category",
        Action::Relabel(_) => "Relabel the selection",
        other => table::TABLE
            .iter()
            .chain(table::VIDEO)
            .find(|row| row.action == other)
            .map_or("", |row| row.label),
    }
}
