//! Semantic segmentation: no pixel has two categories and no category two masks, whatever is done to masks as a whole. (What
//! strokes do is in `brush`, what undo and merges leave in `document::apart`.)

use super::Editor;
use crate::command::{Change, Edit, Kind, unrelated};
use limn_domain::project::Task;
use limn_domain::{Annotation, AnnotationId, Mask, Shape, Source};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What becomes of annotations.
type Now = BTreeMap<AnnotationId, Option<Annotation>>;

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

/// Whether an edit makes a label of a proposal.
fn confirms(e: &Edit) -> bool {
    let proposed = e.before.as_ref().is_some_and(|a| a.source == Source::Prelabel);
    proposed && e.after.as_ref().is_some_and(|a| a.claimed().is_some())
}

impl Editor {
    /// What a change comes to in semantic segmentation. Masks that are pasted or get another category go into the mask that this has;
    /// masks that come to lie on others, also by being moved or filled, take their pixels, but not those of locked ones. A proposal
    /// that becomes a label gives way instead: people have said more of those pixels than a model. `None` when nothing is left to
    /// change.
    pub(super) fn kept_apart(&self, change: Change) -> Option<Change> {
        if self.doc.task() != Task::Semantic {
            return Some(change);
        }
        let joins = matches!(change.kind, Kind::Paste | Kind::Relabel);
        let takes = joins || matches!(change.kind, Kind::Move | Kind::Reshape);
        let (mut proposals, own): (Vec<&Edit>, Vec<&Edit>) = change.edits.iter().partition(|e| confirms(e));
        if proposals.is_empty() && !takes {
            return Some(change);
        }
        let mut now: Now = own.iter().map(|e| (e.id, e.after.clone())).collect();
        if takes {
            for e in own {
                self.take(&mut now, e, joins)?;
            }
        }
        // The highest first: it is what is seen where they lie on each other.
        proposals.sort_by_key(|e| Reverse((e.after.as_ref().map(|a| a.z), e.id)));
        for e in proposals {
            self.confirm(&mut now, e);
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

    /// A mask comes to lie somewhere, and others give way. `None`: it lies on nothing but what is locked.
    fn take(&self, now: &mut Now, e: &Edit, joins: bool) -> Option<()> {
        let Some(mut a) = now.get(&e.id).cloned().flatten() else {
            return Some(());
        };
        let Some(mask) = mask_of(&a) else {
            return Some(());
        };
        let Some(mut pixels) = self.unlocked(mask) else {
            // Nothing is moved there, and no copy comes there.
            if e.before.is_some() {
                return None;
            }
            now.insert(e.id, None);
            return Some(());
        };
        let others: Vec<Annotation> = self
            .labels(now, e.id)
            .filter(|a| self.layers.can_edit(a))
            .cloned()
            .collect();
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
        Some(())
    }

    /// A proposal becomes a label of the pixels that no label has, in the mask of its category where there is one. Of one that has
    /// none of its own nothing is left.
    fn confirm(&self, now: &mut Now, e: &Edit) {
        let Some((a, mask)) = e.after.as_ref().and_then(|a| Some((a, mask_of(a)?))) else {
            return;
        };
        let labels: Vec<Annotation> = self.labels(now, e.id).cloned().collect();
        let own = labels
            .iter()
            .find(|o| o.category_id == a.category_id && self.layers.can_edit(o));
        let mut left = Some(mask.clone());
        for other in labels.iter().filter(|o| own.is_none_or(|own| own.id != o.id)) {
            let meets = |rest: &Mask| mask_of(other).filter(|m| m.window().intersects(rest.window()));
            left = left.and_then(|rest| match meets(&rest) {
                Some(mask) => rest.subtract(mask),
                None => Some(rest),
            });
        }
        let Some(left) = left else {
            now.insert(e.id, None);
            return;
        };
        // More runs than one mask may have: it stays one of its own.
        let joined = own.and_then(|own| Some(with_mask(own, mask_of(own)?.union(&left)?)));
        if let Some(joined) = joined {
            now.insert(joined.id, Some(joined));
            now.insert(e.id, None);
        } else {
            now.insert(e.id, Some(with_mask(a, left)));
        }
    }

    /// The other masks as they are by now. Suggestions that nobody has confirmed say nothing yet.
    fn labels<'a>(&'a self, now: &'a Now, but: AnnotationId) -> impl Iterator<Item = &'a Annotation> {
        let here = self.doc.iter().filter(|a| !now.contains_key(&a.id));
        here.chain(now.values().flatten())
            .filter(move |a| a.id != but && a.claimed().is_some())
    }

    /// See [`Document::keep_apart`](crate::Document::keep_apart); to be called before what is here is saved.
    pub fn keep_apart(&mut self) -> bool {
        let done = !self.read_only && self.stored_mut().keep_apart();
        if done {
            self.after_change();
        }
        done
    }
}
