//! The wizard's unsaved project: pure state and rules, no page.

use limn_domain::ApiError;
use limn_domain::category::{MAX_LEVELS, NewCategory, PALETTE};
use limn_domain::project::{NewProject, NewProjectCategory, Task};
use limn_domain::validate::{self, Checks};

/// One category row; rows are in tree order and `level` (0 = top) gives the nesting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftRow {
    /// Stable key of the row on the page.
    pub key: u32,
    pub name: String,
    pub color: String,
    pub hotkey: Option<i64>,
    pub level: usize,
}

/// Category rows with the operations of the editor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DraftRows {
    pub rows: Vec<DraftRow>,
    next_key: u32,
}

impl DraftRows {
    /// Adds a row at the end and answers its key. Colour and hotkey are the next free ones.
    pub fn push(&mut self, name: &str, level: usize) -> u32 {
        self.insert(self.rows.len(), name, level)
    }

    fn insert(&mut self, at: usize, name: &str, level: usize) -> u32 {
        let key = self.next_key;
        self.next_key += 1;
        let row = DraftRow {
            key,
            name: name.to_owned(),
            color: self.free_color(),
            hotkey: self.free_hotkey(),
            level,
        };
        self.rows.insert(at.min(self.rows.len()), row);
        self.settle();
        key
    }

    /// Adds an empty row below the subtree-less row `key`, on its level.
    pub fn insert_below(&mut self, key: u32) -> u32 {
        match self.position(key) {
            Some(i) => self.insert(i + 1, "", self.rows[i].level),
            None => self.push("", 0),
        }
    }

    /// Adds pasted lines: leading tabs, pairs of spaces or `-`/`>` signs indent; blank lines and repeats of a name
    /// already there are passed over. Answers how many were added.
    pub fn paste(&mut self, text: &str) -> usize {
        let mut added = 0;
        let names: Vec<(usize, String)> = parse_lines(text);
        for (level, name) in names {
            let known = self
                .rows
                .iter()
                .any(|r| validate::name_key(r.name.trim()) == validate::name_key(&name));
            if !known {
                self.push(&name, level);
                added += 1;
            }
        }
        self.rows.retain(|r| !r.name.trim().is_empty());
        self.settle();
        added
    }

    pub fn position(&self, key: u32) -> Option<usize> {
        self.rows.iter().position(|r| r.key == key)
    }

    /// The row and its descendants: `start..end`.
    fn subtree(&self, start: usize) -> std::ops::Range<usize> {
        let level = self.rows[start].level;
        let end = self.rows[start + 1..]
            .iter()
            .position(|r| r.level <= level)
            .map_or(self.rows.len(), |n| start + 1 + n);
        start..end
    }

    /// Removes the row; its children move up a level.
    pub fn remove(&mut self, key: u32) {
        if let Some(i) = self.position(key) {
            let below = self.subtree(i);
            for row in &mut self.rows[below] {
                row.level = row.level.saturating_sub(1);
            }
            self.rows.remove(i);
            self.settle();
        }
    }

    /// Nests the row (with its children) one level deeper (`1`) or less deep (`-1`).
    pub fn indent(&mut self, key: u32, by: i32) {
        let Some(i) = self.position(key) else { return };
        let level = self.rows[i].level;
        if by > 0 {
            let parent_ok = i > 0 && self.rows[i - 1].level >= level;
            let deepest = self.rows[self.subtree(i)]
                .iter()
                .map(|r| r.level)
                .max()
                .unwrap_or(level);
            if !parent_ok || deepest + 1 >= MAX_LEVELS {
                return;
            }
            let range = self.subtree(i);
            self.rows[range].iter_mut().for_each(|r| r.level += 1);
        } else if level > 0 {
            let range = self.subtree(i);
            self.rows[range].iter_mut().for_each(|r| r.level -= 1);
        }
        self.settle();
    }

    /// Moves the row with its children past its neighbour among the siblings, up (`-1`) or down (`1`).
    pub fn shift(&mut self, key: u32, by: i32) {
        let Some(i) = self.position(key) else { return };
        let own = self.subtree(i);
        let level = self.rows[i].level;
        if by < 0 {
            let Some(before) = (0..i).rev().find(|&j| self.rows[j].level <= level) else {
                return;
            };
            if self.rows[before].level == level {
                self.rows[before..own.end].rotate_left(own.start - before);
            }
        } else if own.end < self.rows.len() && self.rows[own.end].level == level {
            let next = self.subtree(own.end);
            self.rows[own.start..next.end].rotate_left(own.len());
        }
        self.settle();
    }

    /// Drops the dragged row, with its children, in front of `target`, on the target's level; at the end when `None`.
    pub fn drop_before(&mut self, dragged: u32, target: Option<u32>) {
        let Some(i) = self.position(dragged) else { return };
        let own = self.subtree(i);
        let at = target.map_or(Some(self.rows.len()), |t| self.position(t));
        let Some(at) = at else { return };
        if own.contains(&at) {
            return;
        }
        let to_level = target.map_or(0, |_| self.rows[at].level);
        let from_level = self.rows[i].level;
        let mut block: Vec<DraftRow> = self.rows.drain(own.clone()).collect();
        for row in &mut block {
            row.level = row.level - from_level + to_level;
        }
        let at = if at >= own.end { at - own.len() } else { at };
        self.rows.splice(at..at, block);
        self.settle();
    }

    /// Gives the key to this row and takes it from another that has it.
    pub fn set_hotkey(&mut self, key: u32, hotkey: Option<i64>) {
        for row in &mut self.rows {
            if row.key == key {
                row.hotkey = hotkey;
            } else if hotkey.is_some() && row.hotkey == hotkey {
                row.hotkey = None;
            }
        }
    }

    /// Restores the rule that a row is at most one level below the row above it.
    fn settle(&mut self) {
        let mut above: Option<usize> = None;
        for row in &mut self.rows {
            row.level = row.level.min(above.map_or(0, |l| l + 1)).min(MAX_LEVELS - 1);
            above = Some(row.level);
        }
    }

    fn free_color(&self) -> String {
        let n = self.rows.len();
        PALETTE
            .iter()
            .find(|c| !self.rows.iter().any(|r| r.color == **c))
            .unwrap_or(&PALETTE[n % PALETTE.len()])
            .to_string()
    }

    fn free_hotkey(&self) -> Option<i64> {
        (1..=9).find(|k| !self.rows.iter().any(|r| r.hotkey == Some(*k)))
    }

    /// As the service takes them: parents by index, empty rows left out.
    pub fn to_new(&self) -> Vec<NewProjectCategory> {
        let mut path: Vec<usize> = Vec::new();
        let mut out = Vec::new();
        for row in self.rows.iter().filter(|r| !r.name.trim().is_empty()) {
            path.truncate(row.level);
            let parent = path.last().copied();
            path.push(out.len());
            out.push(NewProjectCategory {
                category: NewCategory {
                    name: row.name.trim().to_owned(),
                    color: Some(row.color.clone()),
                    hotkey: row.hotkey,
                    ..NewCategory::default()
                },
                parent,
            });
        }
        out
    }

    /// Key of a row and what is wrong with its name.
    pub fn problems(&self) -> Vec<(u32, String)> {
        let mut seen = std::collections::HashSet::new();
        let mut out = Vec::new();
        for row in &self.rows {
            let name = row.name.trim();
            if name.is_empty() {
                continue;
            }
            match validate::name("category", name) {
                Err(message) => out.push((row.key, message)),
                Ok(name) if !seen.insert(validate::name_key(&name)) => {
                    out.push((row.key, format!("`{name}` is there twice; give it another name.")));
                }
                Ok(_) => {}
            }
        }
        out
    }
}

/// Level and name of each line that holds a name. A tab, two spaces or a `>` nest; list bullets are dropped.
pub fn parse_lines(text: &str) -> Vec<(usize, String)> {
    let mut out = Vec::new();
    for line in text.lines() {
        let indent: usize = line
            .chars()
            .take_while(|c| c.is_whitespace())
            .map(|c| if c == '\t' { 2 } else { 1 })
            .sum();
        let mut level = indent / 2;
        let mut rest = line.trim();
        while let Some(deeper) = rest.strip_prefix('>') {
            level += 1;
            rest = deeper.trim_start();
        }
        for bullet in ["- ", "* ", "+ "] {
            rest = rest.strip_prefix(bullet).unwrap_or(rest);
        }
        let name = rest.trim();
        if !name.is_empty() {
            out.push((level.min(MAX_LEVELS - 1), name.to_owned()));
        }
    }
    out
}

/// Checks the first step: name and description.
pub fn check_basics(name: &str, description: &str) -> Result<(), ApiError> {
    let mut checks = Checks::default();
    checks.take("name", validate::name("project", name));
    checks.take(
        "description",
        validate::text("description", description, validate::DESCRIPTION_MAX),
    );
    checks.finish()
}

/// The whole draft as the service takes it.
pub fn to_new_project(
    name: &str,
    task: Task,
    description: &str,
    instructions: &str,
    rows: &DraftRows,
) -> NewProject {
    NewProject {
        name: name.trim().to_owned(),
        task,
        description: description.trim().to_owned(),
        instructions: instructions.to_owned(),
        categories: rows.to_new(),
        settings: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(rows: &DraftRows) -> Vec<(usize, &str)> {
        rows.rows.iter().map(|r| (r.level, r.name.as_str())).collect()
    }

    fn sample() -> DraftRows {
        let mut rows = DraftRows::default();
        rows.paste("Vehicle\n  Car\n  Bus\nAnimal\n\tCat");
        rows
    }

    #[test]
    fn pasted_lines_make_a_tree() {
        let rows = sample();
        assert_eq!(
            shape(&rows),
            [(0, "Vehicle"), (1, "Car"), (1, "Bus"), (0, "Animal"), (1, "Cat")]
        );
        let new = rows.to_new();
        assert_eq!(new[1].parent, Some(0));
        assert_eq!(new[4].parent, Some(3));
        assert_eq!(new[3].parent, None);
    }

    #[test]
    fn bullets_and_repeats() {
        let mut rows = DraftRows::default();
        assert_eq!(rows.paste("- a\n- b\n  - c\n\n- A\n"), 3);
        assert_eq!(shape(&rows), [(0, "a"), (0, "b"), (1, "c")]);
    }

    #[test]
    fn hotkeys_go_to_the_first_nine() {
        let mut rows = DraftRows::default();
        rows.paste("a\nb\nc\nd\ne\nf\ng\nh\ni\nj");
        assert_eq!(rows.rows[8].hotkey, Some(9));
        assert_eq!(rows.rows[9].hotkey, None);
        let key = rows.rows[9].key;
        rows.set_hotkey(key, Some(1));
        assert_eq!(rows.rows[0].hotkey, None);
    }

    #[test]
    fn moving_takes_the_children_along() {
        let mut rows = sample();
        let animal = rows.rows[3].key;
        rows.shift(animal, -1);
        assert_eq!(
            shape(&rows),
            [(0, "Animal"), (1, "Cat"), (0, "Vehicle"), (1, "Car"), (1, "Bus")]
        );
        rows.shift(animal, 1);
        assert_eq!(shape(&rows), shape(&sample()));
        let vehicle = rows.rows[0].key;
        rows.drop_before(vehicle, None);
        assert_eq!(rows.rows[0].name, "Animal");
        assert_eq!(rows.rows[2].name, "Vehicle");
        let car = rows.rows[3].key;
        rows.drop_before(car, Some(animal));
        assert_eq!(rows.rows[0].name, "Car");
        assert_eq!(rows.rows[0].level, 0);
    }

    #[test]
    fn levels_stay_within_six() {
        let mut rows = DraftRows::default();
        for n in 0..8 {
            let key = rows.push(&n.to_string(), 0);
            for _ in 0..8 {
                rows.indent(key, 1);
            }
        }
        assert_eq!(rows.rows.iter().map(|r| r.level).max(), Some(MAX_LEVELS - 1));
        let top = rows.rows[0].key;
        rows.indent(top, 1);
        assert_eq!(rows.rows[0].level, 0);
    }

    #[test]
    fn removing_a_parent_lifts_its_children() {
        let mut rows = sample();
        let vehicle = rows.rows[0].key;
        rows.remove(vehicle);
        assert_eq!(shape(&rows), [(0, "Car"), (0, "Bus"), (0, "Animal"), (1, "Cat")]);
    }

    #[test]
    fn problems_name_the_row() {
        let mut rows = sample();
        rows.rows[1].name = "vehicle".into();
        rows.rows[2].name = "x".repeat(200);
        let found = rows.problems();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].0, rows.rows[1].key);
    }
}
