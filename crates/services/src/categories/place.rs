//! The places of categories among their siblings.

use super::check_name;
use super::tree::Tree;
use crate::{Error, Result};
use limn_domain::category::Category;
use limn_domain::{CategoryId, Code};
use limn_store::{Tx, repo};

/// Finds the category's place among its siblings: where asked for, at the end of new ones, or where it is; the others
/// close up.
pub(super) async fn put(tx: &mut Tx, tree: &Tree, category: &mut Category, asked: Option<i64>) -> Result<()> {
    let moved = tree
        .get(category.id)
        .is_some_and(|was| was.parent_id != category.parent_id);
    if asked.is_none() && !moved {
        return Ok(());
    }
    let siblings: Vec<&Category> = tree
        .children(category.parent_id)
        .filter(|c| c.id != category.id)
        .collect();
    let end = siblings.len() as i64;
    let place = asked.unwrap_or(end).clamp(0, end);
    for (n, sibling) in (0..).zip(siblings) {
        let position = if n < place { n } else { n + 1 };
        if position != sibling.position {
            repo::category::update(
                tx,
                &Category {
                    position,
                    ..sibling.clone()
                },
            )
            .await?;
        }
    }
    category.position = place;
    Ok(())
}

/// The place after the last child of `parent`.
pub(super) fn end_of(tree: &Tree, parent: Option<CategoryId>) -> i64 {
    tree.children(parent).map(|c| c.position + 1).max().unwrap_or(0)
}

/// Puts the children of a category that goes at the end of its siblings.
pub(super) async fn move_children_up(tx: &mut Tx, tree: &Tree, from: &Category) -> Result<()> {
    let end = end_of(tree, from.parent_id);
    for (position, child) in (end..).zip(tree.children(Some(from.id))) {
        check_name(tree, from.parent_id, &child.name, Some(from.id)).map_err(|_| {
            Error::new(
                Code::AlreadyExists,
                format!(
                    "“{}” would move up beside another category of that name; rename or merge one of them first.",
                    child.name
                ),
            )
        })?;
        repo::category::update(
            tx,
            &Category {
                parent_id: from.parent_id,
                position,
                ..child.clone()
            },
        )
        .await?;
    }
    Ok(())
}
