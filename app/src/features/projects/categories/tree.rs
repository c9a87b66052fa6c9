//! The category tree as a list of rows, and where a move leads.

use limn_domain::CategoryId;
use limn_domain::category::{Category, MAX_LEVELS, UpdateCategory};
use std::collections::HashMap;

/// Level (0 = top) of each category; the list is in tree order.
pub fn levels(all: &[Category]) -> HashMap<CategoryId, usize> {
    let mut out: HashMap<CategoryId, usize> = HashMap::new();
    for c in all {
        let level = c.parent_id.and_then(|p| out.get(&p)).map_or(0, |l| l + 1);
        out.insert(c.id, level);
    }
    out
}

/// The category and everything below it.
pub fn subtree(all: &[Category], id: CategoryId) -> Vec<CategoryId> {
    let mut out = vec![id];
    for c in all {
        if c.parent_id.is_some_and(|p| out.contains(&p)) {
            out.push(c.id);
        }
    }
    out
}

fn siblings(all: &[Category], parent: Option<CategoryId>) -> Vec<&Category> {
    let mut out: Vec<_> = all.iter().filter(|c| c.parent_id == parent).collect();
    out.sort_by_key(|c| c.position);
    out
}

/// A way to move in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    Up,
    Down,
    /// Below the sibling above it.
    In,
    /// Beside its parent.
    Out,
}

/// The change that a move makes; `None` where it leads nowhere.
pub fn change(all: &[Category], id: CategoryId, way: Move) -> Option<UpdateCategory> {
    let own = all.iter().find(|c| c.id == id)?;
    let row = siblings(all, own.parent_id);
    let at = row.iter().position(|c| c.id == id)?;
    match way {
        Move::Up => at.checked_sub(1).map(|to| UpdateCategory {
            position: Some(to as i64),
            ..UpdateCategory::default()
        }),
        Move::Down => (at + 1 < row.len()).then(|| UpdateCategory {
            position: Some(at as i64 + 1),
            ..UpdateCategory::default()
        }),
        Move::In => {
            let parent = row.get(at.checked_sub(1)?)?;
            let level = levels(all);
            let deepest = subtree(all, id).iter().filter_map(|c| level.get(c)).max()?;
            (deepest + 1 < MAX_LEVELS).then(|| UpdateCategory {
                parent_id: Some(Some(parent.id)),
                position: Some(siblings(all, Some(parent.id)).len() as i64),
                ..UpdateCategory::default()
            })
        }
        Move::Out => {
            let parent = all.iter().find(|c| Some(c.id) == own.parent_id)?;
            let uncles = siblings(all, parent.parent_id);
            let after = uncles.iter().position(|c| c.id == parent.id)? + 1;
            Some(UpdateCategory {
                parent_id: Some(parent.parent_id),
                position: Some(after as i64),
                ..UpdateCategory::default()
            })
        }
    }
}

/// The change that dropping `id` in front of `target` makes.
pub fn drop_before(all: &[Category], id: CategoryId, target: CategoryId) -> Option<UpdateCategory> {
    if subtree(all, id).contains(&target) {
        return None;
    }
    let own = all.iter().find(|c| c.id == id)?;
    let target = all.iter().find(|c| c.id == target)?;
    let row: Vec<_> = siblings(all, target.parent_id)
        .into_iter()
        .filter(|c| c.id != id)
        .collect();
    let position = row.iter().position(|c| c.id == target.id)? as i64;
    Some(UpdateCategory {
        parent_id: (own.parent_id != target.parent_id).then_some(target.parent_id),
        position: Some(position),
        ..UpdateCategory::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn category(name: &str, parent: Option<CategoryId>, position: i64) -> Category {
        Category {
            id: CategoryId::new(),
            parent_id: parent,
            name: name.into(),
            color: "#000000".into(),
            hotkey: None,
            position,
            export_id: 1,
            skeleton: None,
            attributes: Vec::new(),
            annotation_count: 0,
            item_count: 0,
        }
    }

    #[test]
    fn moves() {
        let a = category("a", None, 0);
        let b = category("b", Some(a.id), 0);
        let c = category("c", None, 1);
        let all = vec![a.clone(), b.clone(), c.clone()];
        assert_eq!(levels(&all)[&b.id], 1);
        assert_eq!(change(&all, a.id, Move::Up), None);
        assert_eq!(change(&all, a.id, Move::Down).and_then(|u| u.position), Some(1));
        assert_eq!(
            change(&all, c.id, Move::In).and_then(|u| u.parent_id),
            Some(Some(a.id))
        );
        let out = change(&all, b.id, Move::Out);
        assert_eq!(out.as_ref().and_then(|u| u.parent_id), Some(None));
        assert_eq!(out.and_then(|u| u.position), Some(1));
        assert_eq!(drop_before(&all, a.id, b.id), None, "not into itself");
        assert_eq!(drop_before(&all, c.id, a.id).and_then(|u| u.position), Some(0));
    }
}
