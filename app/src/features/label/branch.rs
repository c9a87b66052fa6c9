//! A tree of categories by keys: the digits name the categories of one level, and picking one opens those below it.

use limn_domain::CategoryId;
use limn_domain::category::Category;
use std::collections::{HashMap, HashSet};

/// Up to this many categories all of the tree is shown.
const SMALL: usize = 12;

fn parent_of(all: &[Category], id: CategoryId) -> Option<CategoryId> {
    all.iter().find(|c| c.id == id)?.parent_id
}

/// Whether categories have others below them and no digits of their own, so that digits go by levels.
pub fn by_levels(all: &[Category]) -> bool {
    all.iter().any(|c| c.parent_id.is_some()) && all.iter().all(|c| c.hotkey.is_none())
}

/// Whether there are categories below this one.
pub fn has_below(all: &[Category], id: CategoryId) -> bool {
    all.iter().any(|c| c.parent_id == Some(id))
}

/// The category whose children the digits name once this one is picked; `None`: the topmost ones.
pub fn opened_by(all: &[Category], id: CategoryId) -> Option<CategoryId> {
    if has_below(all, id) {
        Some(id)
    } else {
        parent_of(all, id)
    }
}

/// The digits of the categories below `branch` (1 to 9, then 0); `None`: the topmost ones.
pub fn digits(all: &[Category], branch: Option<CategoryId>) -> HashMap<CategoryId, u8> {
    let row = all.iter().filter(|c| c.parent_id == branch).take(10);
    row.enumerate()
        .map(|(i, c)| (c.id, ((i + 1) % 10) as u8))
        .collect()
}

/// All categories above this one, from the nearest to the topmost.
pub fn above(all: &[Category], id: CategoryId) -> Vec<CategoryId> {
    let mut out = Vec::new();
    let mut at = parent_of(all, id);
    while let Some(id) = at {
        if out.contains(&id) {
            break;
        }
        out.push(id);
        at = parent_of(all, id);
    }
    out
}

/// Which categories are shown: all of a small tree; of a large one the topmost, those below `branch` and below what is above it,
/// and what is picked with its own.
pub fn shown(all: &[Category], branch: Option<CategoryId>, picked: &[CategoryId]) -> HashSet<CategoryId> {
    if all.len() <= SMALL {
        return all.iter().map(|c| c.id).collect();
    }
    let mut open: HashSet<Option<CategoryId>> = HashSet::from([None]);
    for id in branch.iter().chain(picked) {
        open.extend(above(all, *id).into_iter().map(Some));
    }
    open.insert(branch);
    all.iter()
        .filter(|c| open.contains(&c.parent_id))
        .map(|c| c.id)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    /// Vehicle (car, truck (pickup, lorry)), animal (cat).
    fn tree() -> Vec<Category> {
        let mut all: Vec<Category> = Vec::new();
        for (name, parent) in [
            ("vehicle", None),
            ("car", Some("vehicle")),
            ("truck", Some("vehicle")),
            ("pickup", Some("truck")),
            ("lorry", Some("truck")),
            ("animal", None),
            ("cat", Some("animal")),
        ] {
            let parent_id = parent
                .and_then(|p| all.iter().find(|c| c.name == p))
                .map(|c| c.id);
            all.push(Category {
                id: CategoryId::new(),
                parent_id,
                name: name.to_owned(),
                color: "#3e63dd".to_owned(),
                hotkey: None,
                position: 0,
                export_id: 1,
                skeleton: None,
                attributes: Vec::new(),
                annotation_count: 0,
                item_count: 0,
            });
        }
        all
    }

    fn id(all: &[Category], name: &str) -> CategoryId {
        all.iter()
            .find(|c| c.name == name)
            .expect("a name of the tree")
            .id
    }

    fn named(all: &[Category], branch: Option<&str>) -> Vec<(String, u8)> {
        let found = digits(all, branch.map(|b| id(all, b)));
        let mut out: Vec<_> = all
            .iter()
            .filter_map(|c| found.get(&c.id).map(|d| (c.name.clone(), *d)))
            .collect();
        out.sort_by_key(|(_, d)| *d);
        out
    }

    #[test]
    fn digits_go_down_a_level_with_each_pick() {
        let all = tree();
        assert!(by_levels(&all));
        let two = |a: &str, b: &str| vec![(a.to_owned(), 1), (b.to_owned(), 2)];
        assert_eq!(named(&all, None), two("vehicle", "animal"));
        assert_eq!(opened_by(&all, id(&all, "vehicle")), Some(id(&all, "vehicle")));
        assert_eq!(named(&all, Some("vehicle")), two("car", "truck"));
        assert_eq!(named(&all, Some("truck")), two("pickup", "lorry"));
        // A leaf leaves its siblings at hand.
        assert_eq!(opened_by(&all, id(&all, "lorry")), Some(id(&all, "truck")));
        assert_eq!(opened_by(&all, id(&all, "cat")), Some(id(&all, "animal")));
    }

    #[test]
    fn digits_of_their_own_stay() {
        let mut all = tree();
        all[3].hotkey = Some(7);
        assert!(!by_levels(&all));
        for c in &mut all {
            (c.hotkey, c.parent_id) = (None, None);
        }
        assert!(!by_levels(&all));
    }

    #[test]
    fn a_large_tree_shows_the_open_branch() {
        let mut all = tree();
        let cat = id(&all, "cat");
        for n in 0..10 {
            let mut c = all[6].clone();
            (c.id, c.parent_id, c.name) = (CategoryId::new(), Some(cat), format!("breed {n}"));
            all.push(c);
        }
        let names = |found: &HashSet<CategoryId>| -> Vec<String> {
            let shown = all.iter().filter(|c| found.contains(&c.id));
            shown.map(|c| c.name.clone()).collect()
        };
        assert_eq!(names(&shown(&all, None, &[])), ["vehicle", "animal"]);
        let truck = Some(id(&all, "truck"));
        assert_eq!(
            names(&shown(&all, truck, &[])),
            ["vehicle", "car", "truck", "pickup", "lorry", "animal"]
        );
        assert_eq!(
            names(&shown(&all, None, &[id(&all, "car")])),
            ["vehicle", "car", "truck", "animal"]
        );
        assert_eq!(
            above(&all, id(&all, "lorry")),
            [id(&all, "truck"), id(&all, "vehicle")]
        );
    }
}
