//! Semantic segmentation: no pixel has two categories and no category two masks, whatever is done to masks as a whole. (What
//! strokes do is in `brush`.)

use super::Editor;
use crate::command::{Change, Edit, Kind, unrelated};
use limn_domain::project::Task;
use limn_domain::{Annotation, AnnotationId, Mask, Shape, Source};
use std::collections::BTreeMap;

const fn mask_of(a: &Annotation) -> Option<&Mask> {
    match &a.shape {
        Shape::Mask { mask } => Some(mask),
        _ => None,
    }
}

fn with_mask(a: &Annotation, mask: Mask) -> Annotation {
    Annotation {
        shape: Shape::Mask { mask },
        ..a.clone()
    }
}

impl Editor {
    /// What a change comes to in semantic segmentation. Masks that are pasted or get another category go into the mask that this has;
    /// masks that come to lie on others, also by being moved, take their pixels, but not those of locked ones. `None` when nothing is
    /// left to change.
    pub(super) fn kept_apart(&self, change: Change) -> Option<Change> {
        let joins = matches!(change.kind, Kind::Paste | Kind::Relabel);
        if self.doc.task() != Task::Semantic || !(joins || change.kind == Kind::Move) {
            return Some(change);
        }
        // What becomes of each.
        let mut now: BTreeMap<AnnotationId, Option<Annotation>> =
            change.edits.iter().map(|e| (e.id, e.after.clone())).collect();
        for e in &change.edits {
            let Some(mut a) = now.get(&e.id).cloned().flatten() else {
                continue;
            };
            let Some(mask) = mask_of(&a) else { continue };
            let Some(mut pixels) = self.unlocked(mask) else {
                // All of it lies on what is locked: nothing is moved there, and no copy comes there.
                if e.before.is_some() {
                    return None;
                }
                now.insert(e.id, None);
                continue;
            };
            let others = self.others(&now, e.id);
            let same = others.iter().find(|o| joins && o.category_id == a.category_id);
            if let Some((own, mask)) = same.and_then(|o| Some((o, mask_of(o)?))) {
                pixels = mask.union(&pixels)?;
                now.insert(e.id, None);
                a = own.clone();
            }
            now.insert(a.id, Some(with_mask(&a, pixels.clone())));
            for o in others.iter().filter(|o| o.id != a.id) {
                if let Some(mask) = mask_of(o).filter(|m| m.window().intersects(pixels.window())) {
                    let left = mask.subtract(&pixels);
                    if left.as_ref() != Some(mask) {
                        now.insert(o.id, left.map(|left| with_mask(o, left)));
                    }
                }
            }
        }
        let edits: Vec<Edit> = now
            .into_iter()
            .map(|(id, after)| Edit {
                id,
                before: self.doc.get(id).cloned(),
                after,
            })
            .filter(|e| e.before != e.after)
            .collect();
        let edits = unrelated(&self.doc, edits);
        (!edits.is_empty()).then_some(Change { edits, ..change })
    }

    /// The other masks as they are by now, as far as they may be changed. Suggestions that nobody has confirmed say nothing yet.
    fn others(&self, now: &BTreeMap<AnnotationId, Option<Annotation>>, but: AnnotationId) -> Vec<Annotation> {
        let here = self.doc.iter().filter(|a| !now.contains_key(&a.id));
        here.chain(now.values().flatten())
            .filter(|a| a.id != but && a.source != Source::Prelabel && mask_of(a).is_some())
            .filter(|a| self.layers.can_edit(a))
            .cloned()
            .collect()
    }
}
