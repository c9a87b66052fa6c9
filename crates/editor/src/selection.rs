//! Which annotations are selected.

use limn_domain::AnnotationId;
use std::collections::BTreeSet;

/// A set of annotations, one of them primary (the one whose numbers are shown).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    ids: BTreeSet<AnnotationId>,
    primary: Option<AnnotationId>,
}

impl Selection {
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    pub fn len(&self) -> usize {
        self.ids.len()
    }

    pub fn contains(&self, id: AnnotationId) -> bool {
        self.ids.contains(&id)
    }

    pub const fn primary(&self) -> Option<AnnotationId> {
        self.primary
    }

    /// The primary one when it is the only one.
    pub fn single(&self) -> Option<AnnotationId> {
        self.primary.filter(|_| self.ids.len() == 1)
    }

    pub fn iter(&self) -> impl Iterator<Item = AnnotationId> {
        self.ids.iter().copied()
    }

    pub fn to_vec(&self) -> Vec<AnnotationId> {
        self.ids.iter().copied().collect()
    }

    pub fn clear(&mut self) {
        self.ids.clear();
        self.primary = None;
    }

    /// Exactly this one.
    pub fn set(&mut self, id: AnnotationId) {
        self.ids.clear();
        self.ids.insert(id);
        self.primary = Some(id);
    }

    /// Exactly these; the last one is primary.
    pub fn set_all(&mut self, ids: impl IntoIterator<Item = AnnotationId>) {
        self.clear();
        for id in ids {
            self.add(id);
        }
    }

    pub fn add(&mut self, id: AnnotationId) {
        self.ids.insert(id);
        self.primary = Some(id);
    }

    /// In when out, out when in.
    pub fn toggle(&mut self, id: AnnotationId) {
        if self.ids.remove(&id) {
            if self.primary == Some(id) {
                self.primary = self.ids.last().copied();
            }
        } else {
            self.add(id);
        }
    }

    /// Drops what is gone.
    pub fn retain(&mut self, keep: impl Fn(AnnotationId) -> bool) {
        self.ids.retain(|id| keep(*id));
        if self.primary.is_some_and(|p| !self.ids.contains(&p)) {
            self.primary = self.ids.last().copied();
        }
    }
}
