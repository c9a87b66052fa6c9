//! Which items are selected: some by id, or all that match the filter.

use limn_domain::ItemId;
use limn_domain::item::{ItemQuery, ItemSelection};
use std::collections::HashSet;

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Selection {
    ids: HashSet<ItemId>,
    /// Everything that matches the filter, also what is not loaded yet.
    all: bool,
    /// Where a shift-click range starts.
    anchor: Option<usize>,
}

impl Selection {
    pub fn contains(&self, id: ItemId) -> bool {
        self.all || self.ids.contains(&id)
    }

    pub fn is_empty(&self) -> bool {
        !self.all && self.ids.is_empty()
    }

    pub const fn is_all(&self) -> bool {
        self.all
    }

    /// How many, when `matching` items match the filter.
    pub fn count(&self, matching: i64) -> i64 {
        if self.all { matching } else { self.ids.len() as i64 }
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    pub fn select_all(&mut self) {
        self.ids.clear();
        self.all = true;
    }

    pub fn toggle(&mut self, index: usize, id: ItemId) {
        if self.all {
            // Leaving "all matching" starts over with this one: the rest may not be loaded.
            self.clear();
            self.ids.insert(id);
        } else if !self.ids.remove(&id) {
            self.ids.insert(id);
        }
        self.anchor = Some(index);
    }

    /// Indices from the anchor to `index`, both in.
    pub fn range(&self, index: usize) -> std::ops::RangeInclusive<usize> {
        let anchor = self.anchor.unwrap_or(index);
        anchor.min(index)..=anchor.max(index)
    }

    pub fn extend(&mut self, ids: impl IntoIterator<Item = ItemId>) {
        self.all = false;
        self.ids.extend(ids);
    }

    /// As the service takes it.
    pub fn to_domain(&self, filter: &ItemQuery) -> ItemSelection {
        if self.all {
            ItemSelection::Matching(filter.clone())
        } else {
            let mut ids: Vec<_> = self.ids.iter().copied().collect();
            ids.sort_unstable();
            ItemSelection::Ids(ids)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toggles_and_ranges() {
        let ids: Vec<ItemId> = (0..5).map(|_| ItemId::new()).collect();
        let mut s = Selection::default();
        s.toggle(1, ids[1]);
        assert_eq!(s.range(3), 1..=3);
        s.extend(ids[1..=3].iter().copied());
        assert_eq!(s.count(5), 3);
        s.toggle(1, ids[1]);
        assert!(!s.contains(ids[1]));
        s.select_all();
        assert_eq!(s.count(99), 99);
        assert_eq!(
            s.to_domain(&ItemQuery::default()),
            ItemSelection::Matching(ItemQuery::default())
        );
        s.toggle(0, ids[0]);
        assert_eq!(
            s.to_domain(&ItemQuery::default()),
            ItemSelection::Ids(vec![ids[0]])
        );
    }
}
