//! Semantic segmentation: no pixel has two categories, whatever undo and merges bring back.

use super::Document;
use crate::command::{Change, Edit, Kind, unrelated};
use limn_domain::project::Task;
use limn_domain::{Annotation, AnnotationId, Mask, Shape};
use std::collections::{BTreeMap, BTreeSet};

impl Document {
    /// Pixels that are claimed here, and are not on the server, go from the masks of other categories that hold them: undo brings masks
    /// back as they were, and a merge brings what somebody else painted. Masks that lie on each other on the server already stay so.
    /// Says whether anything changed.
    pub fn keep_apart(&mut self) -> bool {
        if self.task != Task::Semantic || self.dirty.is_empty() {
            return false;
        }
        // The highest first: it is what is seen.
        let changed: Vec<AnnotationId> = self
            .iter()
            .rev()
            .map(|a| a.id)
            .filter(|id| self.dirty.contains(id))
            .collect();
        let mut now: BTreeMap<AnnotationId, Annotation> = self
            .iter()
            .filter(|a| a.claimed().is_some())
            .map(|a| (a.id, a.clone()))
            .collect();
        let mut cut: BTreeSet<AnnotationId> = BTreeSet::new();
        for id in changed {
            let Some(a) = now.get(&id) else { continue };
            let Some(pixels) = a.newly_claimed(self.base.get(&id)) else {
                continue;
            };
            let category = a.category_id;
            now.retain(|other, a| {
                let Some(mask) = a.claimed().filter(|_| a.category_id != category) else {
                    return true;
                };
                if !mask.window().intersects(pixels.window()) {
                    return true;
                }
                let left = mask.subtract(&pixels);
                if left.as_ref().map(Mask::area) == Some(mask.area()) {
                    return true;
                }
                cut.insert(*other);
                let stays = left.is_some();
                if let Some(mask) = left {
                    a.shape = Shape::Mask { mask };
                }
                stays
            });
        }
        if cut.is_empty() {
            return false;
        }
        let edits: Vec<Edit> = cut
            .into_iter()
            .map(|id| Edit {
                id,
                before: self.get(id).cloned(),
                after: now.remove(&id),
            })
            .collect();
        let edits = unrelated(self, edits);
        self.apply(&Change {
            kind: Kind::Paint,
            edits,
            about: None,
        });
        true
    }
}
