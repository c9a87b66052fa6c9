//! Which annotations are selected.

use limn_domain::AnnotationId;
use std::collections::HashSet;

/// Annotations in the order in which they were selected, one of them primary (the one whose numbers are shown).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    ids: HashSet<AnnotationId>,
    order: Vec<AnnotationId>,
    primary: Option<AnnotationId>,
}

impl Selection {
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    pub const fn len(&self) -> usize {
        self.order.len()
    }

    pub fn contains(&self, id: AnnotationId) -> bool {
        self.ids.contains(&id)
    }

    pub const fn primary(&self) -> Option<AnnotationId> {
        self.primary
    }

    /// The primary one when it is the only one.
    pub fn single(&self) -> Option<AnnotationId> {
        self.primary.filter(|_| self.order.len() == 1)
    }

    /// The one selected first comes first.
    pub fn iter(&self) -> impl Iterator<Item = AnnotationId> {
        self.order.iter().copied()
    }

    pub fn to_vec(&self) -> Vec<AnnotationId> {
        self.order.clone()
    }

    pub fn clear(&mut self) {
        self.ids.clear();
        self.order.clear();
        self.primary = None;
    }

    /// Exactly this one.
    pub fn set(&mut self, id: AnnotationId) {
        self.clear();
        self.add(id);
    }

    /// Exactly these; the last one is primary.
    pub fn set_all(&mut self, ids: impl IntoIterator<Item = AnnotationId>) {
        self.clear();
        for id in ids {
            self.add(id);
        }
    }

    pub fn add(&mut self, id: AnnotationId) {
        if self.ids.insert(id) {
            self.order.push(id);
        }
        self.primary = Some(id);
    }

    /// In when out, out when in.
    pub fn toggle(&mut self, id: AnnotationId) {
        if self.ids.remove(&id) {
            self.order.retain(|i| *i != id);
            if self.primary == Some(id) {
                self.primary = self.order.last().copied();
            }
        } else {
            self.add(id);
        }
    }

    /// Drops what is gone.
    pub fn retain(&mut self, keep: impl Fn(AnnotationId) -> bool) {
        self.order.retain(|id| keep(*id));
        if self.order.len() < self.ids.len() {
            self.ids = self.order.iter().copied().collect();
        }
        if self.primary.is_some_and(|p| !self.ids.contains(&p)) {
            self.primary = self.order.last().copied();
        }
    }
}
