//! The annotations of one item: what is shown, what the server has acknowledged, and the difference.

mod apart;
pub mod local;
pub mod merge;

use crate::command::{Change, Edit};
use crate::index::SpatialIndex;
use limn_domain::annotation::{ItemAnnotations, SaveChange};
use limn_domain::project::Task;
use limn_domain::{Annotation, AnnotationId, Attributes, ChangeId, ItemId, Rect, Shape, Size, Source};
use std::collections::{BTreeSet, HashMap};

/// Above this many edits at once the drawing order is rebuilt instead of patched.
const BULK: usize = 128;

/// Most annotations one save carries; the server takes twice as many. The rest goes with the next one.
pub const MAX_SAVE: usize = 10_000;

/// An annotation with the box that encloses it, which costs time to find for outlines of many corners.
#[derive(Debug, Clone)]
struct Slot {
    annotation: Annotation,
    bounds: Option<Rect>,
}

/// The working copy of an item's annotations.
///
/// `base` is what the server has confirmed at `revision`; `dirty` names every annotation that differs from it. While a
/// save is under way its change is kept, so that the same change can be sent again after a crash.
#[derive(Debug, Clone)]
pub struct Document {
    item_id: ItemId,
    size: Size,
    task: Task,
    slots: Vec<Option<Slot>>,
    free: Vec<u32>,
    by_id: HashMap<AnnotationId, u32>,
    /// Slots in drawing order, lowest first: by z, then by id.
    order: Vec<u32>,
    index: SpatialIndex,
    base: HashMap<AnnotationId, Annotation>,
    /// What is said of the item as a whole, here and as the server has it.
    about: Attributes,
    base_about: Attributes,
    revision: i64,
    dirty: BTreeSet<AnnotationId>,
    /// How many annotations have a group or a relation.
    linked: usize,
    in_flight: Option<SaveChange>,
}

impl Document {
    /// A document that shows exactly what the server has. `size` is the image's, in pixels.
    pub fn new(task: Task, size: Size, server: ItemAnnotations) -> Self {
        let mut doc = Self {
            item_id: server.item_id,
            size,
            task,
            slots: Vec::with_capacity(server.annotations.len()),
            free: Vec::new(),
            by_id: HashMap::with_capacity(server.annotations.len()),
            order: Vec::new(),
            index: SpatialIndex::default(),
            base: HashMap::with_capacity(server.annotations.len()),
            about: server.attributes.clone(),
            base_about: server.attributes,
            revision: server.revision,
            dirty: BTreeSet::new(),
            linked: 0,
            in_flight: None,
        };
        for a in server.annotations {
            doc.base.insert(a.id, a.clone());
            doc.put(a.id, Some(a), false);
        }
        doc.reorder();
        doc
    }

    /// What is said of the item as a whole.
    pub const fn about(&self) -> &Attributes {
        &self.about
    }

    pub const fn item_id(&self) -> ItemId {
        self.item_id
    }

    /// Size of the image in pixels.
    pub const fn size(&self) -> Size {
        self.size
    }

    pub const fn task(&self) -> Task {
        self.task
    }

    /// The revision the server has confirmed.
    pub const fn revision(&self) -> i64 {
        self.revision
    }

    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub fn get(&self, id: AnnotationId) -> Option<&Annotation> {
        Some(&self.slot(*self.by_id.get(&id)?)?.annotation)
    }

    fn slot(&self, slot: u32) -> Option<&Slot> {
        self.slots[slot as usize].as_ref()
    }

    /// The box that encloses an annotation, in image pixels; `None` for a label of the whole item.
    pub fn bounds(&self, id: AnnotationId) -> Option<Rect> {
        self.slot(*self.by_id.get(&id)?)?.bounds
    }

    pub fn contains(&self, id: AnnotationId) -> bool {
        self.by_id.contains_key(&id)
    }

    /// In drawing order, lowest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Annotation> + Clone {
        self.slots_in_order().map(|s| &s.annotation)
    }

    fn slots_in_order(&self) -> impl DoubleEndedIterator<Item = &Slot> + Clone {
        self.order.iter().filter_map(|s| self.slot(*s))
    }

    /// The labels of the whole item.
    pub fn whole(&self) -> impl Iterator<Item = &Annotation> {
        self.iter().filter(|a| a.shape == Shape::Whole)
    }

    /// Proposals nobody has confirmed, in drawing order.
    pub fn prelabels(&self) -> impl DoubleEndedIterator<Item = &Annotation> {
        self.iter().filter(|a| a.source == Source::Prelabel)
    }

    /// Shapes whose box touches `window` (image pixels), in drawing order.
    pub fn in_window(&self, window: Rect) -> Vec<&Annotation> {
        let image = Rect::new(0.0, 0.0, self.size.width, self.size.height);
        let all = window.x <= image.x
            && window.y <= image.y
            && window.right() >= image.right()
            && window.bottom() >= image.bottom();
        if all {
            let inside = |s: &&Slot| s.bounds.is_some_and(|r| r.intersects(window));
            return self
                .slots_in_order()
                .filter(inside)
                .map(|s| &s.annotation)
                .collect();
        }
        let mut found = self.near(window);
        found.sort_unstable_by_key(|a| (a.z, a.id));
        found
    }

    /// Shapes whose box touches `window`, in no order.
    pub fn near(&self, window: Rect) -> Vec<&Annotation> {
        let mut found = Vec::new();
        self.index.candidates(window, |slot| {
            if let Some(s) = self.slot(slot)
                && s.bounds.is_some_and(|r| r.intersects(window))
            {
                found.push(&s.annotation);
            }
        });
        found
    }

    /// Whether any annotation has a group or a relation.
    pub const fn has_links(&self) -> bool {
        self.linked > 0
    }

    /// Highest z in use, 0 for an empty document.
    pub fn top_z(&self) -> i64 {
        self.iter().next_back().map_or(0, |a| a.z)
    }

    /// Lowest z in use, 0 for an empty document.
    pub fn bottom_z(&self) -> i64 {
        self.iter().next().map_or(0, |a| a.z)
    }

    /// Carries out a change.
    pub fn apply(&mut self, change: &Change) {
        self.run(
            change.edits.iter().map(|e| (e.id, e.after.clone())),
            change.edits.len(),
        );
        if let Some((_, after)) = &change.about {
            self.about.clone_from(after);
        }
    }

    /// Carries out the exact inverse of a change.
    pub fn revert(&mut self, change: &Change) {
        self.run(
            change.edits.iter().rev().map(|e| (e.id, e.before.clone())),
            change.edits.len(),
        );
        if let Some((before, _)) = &change.about {
            self.about.clone_from(before);
        }
    }

    fn run(&mut self, puts: impl Iterator<Item = (AnnotationId, Option<Annotation>)>, len: usize) {
        let bulk = len > BULK;
        for (id, value) in puts {
            self.put(id, value, !bulk);
            self.note(id);
        }
        if bulk {
            self.reorder();
        }
    }

    /// Marks `id` as different from what the server has, or not.
    fn note(&mut self, id: AnnotationId) {
        if self.get(id) == self.base.get(&id) {
            self.dirty.remove(&id);
        } else {
            self.dirty.insert(id);
        }
    }

    fn key(&self, slot: u32) -> (i64, AnnotationId) {
        self.slot(slot).map_or((i64::MIN, AnnotationId::nil()), |s| {
            (s.annotation.z, s.annotation.id)
        })
    }

    fn reorder(&mut self) {
        let mut order: Vec<u32> = self.by_id.values().copied().collect();
        order.sort_unstable_by_key(|s| self.key(*s));
        self.order = order;
    }

    /// Sets one annotation, or takes it out; keeps the drawing order only when `ordered`.
    fn put(&mut self, id: AnnotationId, value: Option<Annotation>, ordered: bool) {
        let had = self.by_id.get(&id).copied();
        if let Some(slot) = had {
            if ordered {
                let key = self.key(slot);
                if let Ok(at) = self.order.binary_search_by_key(&key, |s| self.key(*s)) {
                    self.order.remove(at);
                }
            }
            if let Some(rect) = self.slot(slot).and_then(|s| s.bounds) {
                self.index.remove(slot, rect);
            }
            let old = self.slots[slot as usize].take();
            self.linked -= usize::from(old.is_some_and(|s| !s.annotation.links.is_empty()));
        }
        let Some(value) = value else {
            if let Some(slot) = had {
                self.by_id.remove(&id);
                self.free.push(slot);
            }
            return;
        };
        let slot = had.or_else(|| self.free.pop()).unwrap_or_else(|| {
            self.slots.push(None);
            (self.slots.len() - 1) as u32
        });
        self.linked += usize::from(!value.links.is_empty());
        let bounds = value.shape.bounds();
        if let Some(rect) = bounds {
            self.index.insert(slot, rect);
        }
        self.slots[slot as usize] = Some(Slot {
            annotation: value,
            bounds,
        });
        self.by_id.insert(id, slot);
        if ordered {
            let key = self.key(slot);
            let at = self.order.partition_point(|s| self.key(*s) < key);
            self.order.insert(at, slot);
        }
    }

    /// Whether everything shown is confirmed by the server.
    pub fn is_clean(&self) -> bool {
        self.dirty.is_empty() && self.about == self.base_about && self.in_flight.is_none()
    }

    /// The save under way, if any.
    pub const fn in_flight(&self) -> Option<&SaveChange> {
        self.in_flight.as_ref()
    }

    /// Whether differences stay behind that the save under way does not carry.
    pub fn has_more(&self) -> bool {
        match &self.in_flight {
            None => !self.dirty.is_empty() || self.about != self.base_about,
            Some(c) => {
                let said = c.attributes.as_ref().unwrap_or(&self.base_about);
                if *said != self.about {
                    return true;
                }
                let sent: HashMap<AnnotationId, Option<&Annotation>> = c
                    .upserts
                    .iter()
                    .map(|a| (a.id, Some(a)))
                    .chain(c.removes.iter().map(|id| (*id, None)))
                    .collect();
                self.dirty.iter().any(|id| sent.get(id) != Some(&self.get(*id)))
            }
        }
    }

    /// The difference to what the server has, without starting a save.
    pub fn diff(&self) -> (Vec<Annotation>, Vec<AnnotationId>) {
        self.part(usize::MAX)
    }

    fn part(&self, most: usize) -> (Vec<Annotation>, Vec<AnnotationId>) {
        let mut upserts = Vec::new();
        let mut removes = Vec::new();
        for id in self.dirty.iter().take(most) {
            match self.get(*id) {
                Some(a) => upserts.push(a.clone()),
                None => removes.push(*id),
            }
        }
        upserts.sort_unstable_by_key(|a| (a.z, a.id));
        (upserts, removes)
    }

    /// What to send next: the save under way, to be sent again, or a new one over every difference; `None` when there
    /// is nothing to save. The change stays under way until [`Self::acknowledge`] or [`Self::rebase`].
    pub fn begin_save(&mut self, active_ms: i64) -> Option<&SaveChange> {
        if self.in_flight.is_none() {
            if self.dirty.is_empty() && self.about == self.base_about {
                return None;
            }
            let (upserts, removes) = self.part(MAX_SAVE);
            self.in_flight = Some(SaveChange {
                change_id: ChangeId::new(),
                base_revision: self.revision,
                upserts,
                removes,
                attributes: (self.about != self.base_about).then(|| self.about.clone()),
                active_ms,
            });
        }
        self.in_flight.as_ref()
    }

    /// The server has stored the change under `revision`.
    pub fn acknowledge(&mut self, change: ChangeId, revision: i64) {
        if self.in_flight.as_ref().is_some_and(|c| c.change_id == change)
            && let Some(change) = self.in_flight.take()
        {
            let mut ids = Vec::with_capacity(change.upserts.len() + change.removes.len());
            for a in change.upserts {
                ids.push(a.id);
                self.base.insert(a.id, a);
            }
            if let Some(said) = change.attributes {
                self.base_about = said;
            }
            for id in change.removes {
                ids.push(id);
                self.base.remove(&id);
            }
            self.revision = revision;
            for id in ids {
                self.note(id);
            }
        }
    }

    /// Forgets the save under way without an answer (the server refused it); its edits stay as differences.
    pub fn abandon_save(&mut self) {
        self.in_flight = None;
    }

    /// Every annotation that differs from what the server has, with both states.
    pub(crate) fn touched(&self) -> Vec<Edit> {
        let mut ids = self.dirty.clone();
        if let Some(c) = &self.in_flight {
            ids.extend(c.upserts.iter().map(|a| a.id));
            ids.extend(c.removes.iter().copied());
        }
        ids.into_iter()
            .map(|id| Edit {
                id,
                before: self.base.get(&id).cloned(),
                after: self.get(id).cloned(),
            })
            .collect()
    }
}
