//! The category tree of a project, in memory.

use limn_domain::CategoryId;
use limn_domain::category::Category;
use std::collections::HashMap;

/// A project's categories with their relations.
pub(super) struct Tree {
    /// By position among siblings.
    all: Vec<Category>,
    by_id: HashMap<CategoryId, usize>,
    /// Indexes of the children, by position.
    children: HashMap<Option<CategoryId>, Vec<usize>>,
}

impl Tree {
    /// From rows ordered by position.
    pub fn new(all: Vec<Category>) -> Self {
        let by_id: HashMap<_, _> = all.iter().enumerate().map(|(n, c)| (c.id, n)).collect();
        let mut children: HashMap<_, Vec<usize>> = HashMap::new();
        for (n, c) in all.iter().enumerate() {
            let parent = c.parent_id.filter(|p| by_id.contains_key(p));
            children.entry(parent).or_default().push(n);
        }
        Self { all, by_id, children }
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn get(&self, id: CategoryId) -> Option<&Category> {
        self.by_id.get(&id).map(|n| &self.all[*n])
    }

    /// The children of a category, or (`None`) the top level, by position.
    pub fn children(&self, parent: Option<CategoryId>) -> impl Iterator<Item = &Category> {
        self.children
            .get(&parent)
            .into_iter()
            .flatten()
            .map(|n| &self.all[*n])
    }

    /// Parents before children, siblings by position.
    pub fn in_order(self) -> Vec<Category> {
        let mut order = Vec::with_capacity(self.all.len());
        self.walk(None, &mut |n| order.push(n));
        let mut all: Vec<Option<Category>> = self.all.into_iter().map(Some).collect();
        order.into_iter().filter_map(|n| all[n].take()).collect()
    }

    fn walk(&self, parent: Option<CategoryId>, visit: &mut impl FnMut(usize)) {
        for n in self.children.get(&parent).into_iter().flatten() {
            visit(*n);
            self.walk(Some(self.all[*n].id), visit);
        }
    }

    /// The category and everything below it, parents first.
    pub fn subtree(&self, id: CategoryId) -> Vec<CategoryId> {
        let mut out = vec![id];
        self.walk(Some(id), &mut |n| out.push(self.all[n].id));
        out
    }

    /// Level of a category, 1 at the top; 0 for `None`.
    pub fn level(&self, id: Option<CategoryId>) -> usize {
        let mut level = 0;
        let mut at = id;
        while let Some(category) = at.and_then(|id| self.get(id)) {
            level += 1;
            at = category.parent_id;
        }
        level
    }

    /// Levels of the subtree, 1 for a category without children.
    pub fn height(&self, id: CategoryId) -> usize {
        1 + self
            .children(Some(id))
            .map(|c| self.height(c.id))
            .max()
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn category(parent_id: Option<CategoryId>, position: i64) -> Category {
        Category {
            id: CategoryId::new(),
            parent_id,
            name: String::new(),
            color: String::new(),
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
    fn a_tree_knows_its_shape() {
        let (a, b) = (category(None, 0), category(None, 1));
        let (aa, ba) = (category(Some(a.id), 0), category(Some(b.id), 0));
        let aaa = category(Some(aa.id), 0);
        let ids = [a.id, aa.id, aaa.id, b.id, ba.id];
        let tree = Tree::new(vec![a.clone(), aa.clone(), ba.clone(), aaa.clone(), b.clone()]);
        assert_eq!(tree.subtree(a.id), [a.id, aa.id, aaa.id]);
        assert_eq!(
            (tree.level(Some(aaa.id)), tree.level(None), tree.height(a.id)),
            (3, 0, 3)
        );
        assert_eq!(
            tree.children(None).map(|c| c.id).collect::<Vec<_>>(),
            [a.id, b.id]
        );
        assert_eq!(tree.in_order().iter().map(|c| c.id).collect::<Vec<_>>(), ids);
    }
}
