//! What is hidden and what is locked, by object and by category. Kept in the browser only.

use limn_domain::{Annotation, AnnotationId, CategoryId, Shape};
use std::collections::HashSet;
use std::hash::Hash;

/// Visibility and locks.
#[derive(Debug, Clone, Default)]
pub struct Layers {
    hidden: HashSet<AnnotationId>,
    locked: HashSet<AnnotationId>,
    hidden_categories: HashSet<CategoryId>,
    locked_categories: HashSet<CategoryId>,
    /// Only these are shown, when there are any.
    only: HashSet<AnnotationId>,
    /// Everything is hidden, to see the bare image.
    pub all_hidden: bool,
}

fn flip<T: Eq + Hash>(set: &mut HashSet<T>, id: T) {
    if let Some(id) = set.take(&id) {
        drop(id);
    } else {
        set.insert(id);
    }
}

impl Layers {
    pub fn is_visible(&self, a: &Annotation) -> bool {
        !self.all_hidden && !self.is_hidden(a)
    }

    /// Hidden by itself or through its category.
    pub fn is_hidden(&self, a: &Annotation) -> bool {
        let aside = !self.only.is_empty() && !self.only.contains(&a.id);
        aside || self.hidden.contains(&a.id) || self.hidden_categories.contains(&a.category_id)
    }

    /// Whether only some are shown.
    pub fn is_isolated(&self) -> bool {
        !self.only.is_empty()
    }

    /// Shows only these, and what is made from now on; all of them again when there are none.
    pub fn isolate(&mut self, ids: impl IntoIterator<Item = AnnotationId>) {
        self.only = ids.into_iter().collect();
    }

    /// A new object belongs to what is shown.
    pub(crate) fn join(&mut self, id: AnnotationId) {
        if self.is_isolated() {
            self.only.insert(id);
        }
    }

    /// Locked by itself or through its category.
    pub fn is_locked(&self, a: &Annotation) -> bool {
        self.locked.contains(&a.id) || self.locked_categories.contains(&a.category_id)
    }

    /// Whether the pointer and editing keys may touch it.
    pub fn can_edit(&self, a: &Annotation) -> bool {
        a.shape == Shape::Whole || (self.is_visible(a) && !self.is_locked(a))
    }

    pub fn category_hidden(&self, id: CategoryId) -> bool {
        self.hidden_categories.contains(&id)
    }

    pub fn category_locked(&self, id: CategoryId) -> bool {
        self.locked_categories.contains(&id)
    }

    pub fn toggle_hidden(&mut self, id: AnnotationId) {
        flip(&mut self.hidden, id);
    }

    pub fn toggle_locked(&mut self, id: AnnotationId) {
        flip(&mut self.locked, id);
    }

    pub fn toggle_category_hidden(&mut self, id: CategoryId) {
        flip(&mut self.hidden_categories, id);
    }

    pub fn toggle_category_locked(&mut self, id: CategoryId) {
        flip(&mut self.locked_categories, id);
    }

    /// Another item: what concerned single objects is forgotten, categories keep their state.
    pub fn next_item(&mut self) {
        self.hidden.clear();
        self.locked.clear();
        self.only.clear();
        self.all_hidden = false;
    }
}
