//! The categories of a project to create: checks, and what is filled in.

use limn_domain::CategoryId;
use limn_domain::attribute;
use limn_domain::category::{MAX_LEVELS, NewCategory, PALETTE};
use limn_domain::project::NewProjectCategory;
use limn_domain::validate::{self, Checks};
use limn_store::repo::category::NewRow;
use std::collections::{HashMap, HashSet};

/// Categories one project may have.
pub(super) const COUNT_MAX: usize = 20_000;
/// Largest export id taken from outside; readers of COCO files hold it in 32 bits.
pub(super) const EXPORT_ID_MAX: i64 = i32::MAX as i64;
/// Findings after which checking a list stops.
const FINDINGS_MAX: usize = 50;

/// The rows to insert and the export id after theirs. Findings go to `checks` under `categories[2].color` and the like.
pub(crate) fn of_new_project(checks: &mut Checks, list: &[NewProjectCategory]) -> (Vec<NewRow>, i64) {
    if list.len() > COUNT_MAX {
        let message = format!(
            "The list has {} categories; {COUNT_MAX} are the most.",
            list.len()
        );
        checks.take::<()>("categories", Err(message));
        return (Vec::new(), 1);
    }
    let mut seen = Seen::default();
    let mut export_ids = ExportIds::new(list);
    let mut rows: Vec<NewRow> = Vec::with_capacity(list.len());
    let mut levels: Vec<usize> = Vec::with_capacity(list.len());
    let mut findings = 0;
    for (n, row) in list.iter().enumerate() {
        let mut take = |field: &str, result: Result<(), String>| {
            findings += usize::from(result.is_err());
            checks.take(&format!("categories[{n}].{field}"), result);
        };
        let parent = match parent_of(n, row) {
            Ok(parent) => parent,
            Err((field, message)) => {
                take(field, Err(message));
                None
            }
        };
        let level = parent.map_or(1, |p| levels[p] + 1);
        if level > MAX_LEVELS {
            take("parent", Err(too_deep()));
        }
        levels.push(level);
        let name = named(&row.category.name, &mut take);
        if !name.is_empty() && !seen.siblings.insert((parent, validate::name_key(&name))) {
            take("name", Err(twice(&name)));
        }
        let color = color_or(row.category.color.as_deref(), n, &mut take);
        if let Some(key) = row.category.hotkey {
            take("hotkey", validate::hotkey(key).map(|_| ()));
            if let Some(other) = seen.keys.insert(key, n) {
                take(
                    "hotkey",
                    Err(format!(
                        "The key {key} is given to categories[{other}] too; use it once."
                    )),
                );
            }
        }
        if let Some(id) = row.category.export_id {
            take("export_id", check_export_id(id));
            if let Some(other) = seen.export_ids.insert(id, n) {
                take(
                    "export_id",
                    Err(format!(
                        "The export id {id} is given to categories[{other}] too; use it once."
                    )),
                );
            }
        }
        let skeleton = row.category.skeleton.clone().map(limn_domain::Skeleton::check);
        let skeleton = match skeleton.transpose() {
            Ok(skeleton) => skeleton,
            Err(why) => {
                take("skeleton", Err(why));
                None
            }
        };
        let attributes = attribute::check_attributes(row.category.attributes.clone()).unwrap_or_else(|why| {
            take("attributes", Err(why));
            Vec::new()
        });
        rows.push(NewRow {
            id: CategoryId::new(),
            parent_id: parent.map(|p| rows[p].id),
            name,
            color,
            hotkey: row.category.hotkey,
            position: seen.next_position(parent),
            export_id: row.category.export_id.unwrap_or_else(|| export_ids.next()),
            skeleton,
            attributes,
        });
        if findings >= FINDINGS_MAX {
            break;
        }
    }
    (rows, export_ids.after_all())
}

/// What was met so far.
#[derive(Default)]
struct Seen {
    siblings: HashSet<(Option<usize>, String)>,
    keys: HashMap<i64, usize>,
    export_ids: HashMap<i64, usize>,
    positions: HashMap<Option<usize>, i64>,
}

impl Seen {
    fn next_position(&mut self, parent: Option<usize>) -> i64 {
        let next = self.positions.entry(parent).or_insert(0);
        *next += 1;
        *next - 1
    }
}

/// Gives export ids in order, passing over those that the list asks for.
struct ExportIds {
    asked: HashSet<i64>,
    next: i64,
}

impl ExportIds {
    fn new(list: &[NewProjectCategory]) -> Self {
        Self {
            asked: list.iter().filter_map(|c| c.category.export_id).collect(),
            next: 1,
        }
    }

    fn next(&mut self) -> i64 {
        while self.asked.contains(&self.next) {
            self.next += 1;
        }
        self.next += 1;
        self.next - 1
    }

    fn after_all(&self) -> i64 {
        let highest = self
            .asked
            .iter()
            .copied()
            .filter(|id| *id <= EXPORT_ID_MAX)
            .max()
            .unwrap_or(0);
        self.next.max(highest + 1)
    }
}

/// The index of a row's parent; the field at fault otherwise.
fn parent_of(n: usize, row: &NewProjectCategory) -> Result<Option<usize>, (&'static str, String)> {
    match row.parent {
        _ if row.category.parent_id.is_some() => Err((
            "parent_id",
            "A new project has no categories yet; name the parent's index as `parent`.".to_owned(),
        )),
        Some(p) if p >= n => Err((
            "parent",
            format!("The parent {p} is not an earlier row; put parents before their children."),
        )),
        parent => Ok(parent),
    }
}

fn named(name: &str, take: &mut impl FnMut(&str, Result<(), String>)) -> String {
    match validate::name("category", name) {
        Ok(name) => name,
        Err(message) => {
            take("name", Err(message));
            String::new()
        }
    }
}

fn color_or(color: Option<&str>, n: usize, take: &mut impl FnMut(&str, Result<(), String>)) -> String {
    match color.map_or_else(|| Ok(palette(n)), validate::color) {
        Ok(color) => color,
        Err(message) => {
            take("color", Err(message));
            String::new()
        }
    }
}

/// The palette's colour for the category number `n`.
pub(super) fn palette(n: usize) -> String {
    PALETTE[n % PALETTE.len()].to_owned()
}

pub(super) fn check_export_id(id: i64) -> Result<(), String> {
    if (1..=EXPORT_ID_MAX).contains(&id) {
        Ok(())
    } else {
        Err(format!(
            "The export id {id} is not between 1 and {EXPORT_ID_MAX}; leave it out to get the next free one."
        ))
    }
}

pub(super) fn too_deep() -> String {
    format!("A category tree has at most {MAX_LEVELS} levels; choose a parent higher up.")
}

pub(super) fn twice(name: &str) -> String {
    format!(
        "There is a category “{name}” at this place already (case does not count); choose another name or parent."
    )
}

/// Checks of a single new category: its name, colour, key and export id.
pub(super) fn of_one(checks: &mut Checks, input: &NewCategory, n: usize) -> (String, String) {
    let name = checks
        .take("name", validate::name("category", &input.name))
        .unwrap_or_default();
    let color = match &input.color {
        Some(color) => checks.take("color", validate::color(color)).unwrap_or_default(),
        None => palette(n),
    };
    if let Some(key) = input.hotkey {
        checks.take("hotkey", validate::hotkey(key));
    }
    if let Some(id) = input.export_id {
        checks.take("export_id", check_export_id(id));
    }
    (name, color)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, parent: Option<usize>) -> NewProjectCategory {
        NewProjectCategory {
            category: NewCategory {
                name: name.into(),
                ..NewCategory::default()
            },
            parent,
        }
    }

    fn fields(list: &[NewProjectCategory]) -> Vec<String> {
        let mut checks = Checks::default();
        of_new_project(&mut checks, list);
        checks
            .finish()
            .err()
            .map(|e| e.fields.into_iter().map(|f| f.field).collect())
            .unwrap_or_default()
    }

    #[test]
    fn ids_positions_and_colours_are_filled_in() {
        let mut list = vec![
            row("cat", None),
            row("kitten", Some(0)),
            row("dog", None),
            row("puppy", Some(2)),
        ];
        list[2].category.export_id = Some(1);
        list[3].category.export_id = Some(90);
        let mut checks = Checks::default();
        let (rows, next) = of_new_project(&mut checks, &list);
        checks.finish().unwrap();
        assert_eq!(
            rows.iter().map(|r| r.export_id).collect::<Vec<_>>(),
            [2, 3, 1, 90]
        );
        assert_eq!(rows.iter().map(|r| r.position).collect::<Vec<_>>(), [0, 0, 1, 0]);
        assert_eq!((rows[3].parent_id, next), (Some(rows[2].id), 91));
        assert_eq!(rows[1].color, PALETTE[1]);
    }

    #[test]
    fn every_fault_names_its_field() {
        let mut list = vec![
            row("", None),
            row("a", None),
            row("A", None),
            row("b", Some(9)),
            row("<b>&", None),
        ];
        list[1].category.color = Some("red".into());
        list[1].category.hotkey = Some(3);
        list[4].category.hotkey = Some(3);
        list[3].category.export_id = Some(0);
        assert_eq!(
            fields(&list),
            [
                "categories[0].name",
                "categories[1].color",
                "categories[2].name",
                "categories[3].parent",
                "categories[3].export_id",
                "categories[4].hotkey",
            ]
        );
    }

    #[test]
    fn six_levels_are_the_most() {
        let chain: Vec<_> = (0..7_usize)
            .map(|n| row(&format!("c{n}"), n.checked_sub(1)))
            .collect();
        assert_eq!(fields(&chain), ["categories[6].parent"]);
        assert_eq!(fields(&chain[..6]), Vec::<String>::new());
    }

    #[test]
    fn a_list_of_faults_is_cut() {
        let list: Vec<_> = (0..5_000).map(|_| row("", None)).collect();
        assert_eq!(fields(&list).len(), FINDINGS_MAX);
    }
}
