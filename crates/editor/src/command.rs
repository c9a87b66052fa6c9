//! What can be done to a document, and its exact inverse.

use crate::document::Document;
use crate::shape::placed;
use limn_domain::{
    Annotation, AnnotationId, AttributeValue, Attributes, CategoryId, Links, Rect, Shape, Source,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap, HashSet};

/// One annotation before and after; absent means that it is not there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edit {
    pub id: AnnotationId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Annotation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Annotation>,
}

/// What a step of the history was, in the words of its undo button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Add,
    Remove,
    Move,
    Resize,
    Reshape,
    Paint,
    Slice,
    Relabel,
    Describe,
    Group,
    Ungroup,
    Relate,
    Reorder,
    Classify,
    Accept,
    Reject,
    Paste,
    /// Where a track is there and where not.
    Outside,
    Occlude,
    /// A keyframe made, or taken away.
    Keyframe,
    Split,
    Merge,
}

impl Kind {
    /// Follows "Undo ".
    pub const fn label(self) -> &'static str {
        match self {
            Self::Add => "drawing",
            Self::Remove => "deleting",
            Self::Move => "moving",
            Self::Resize => "resizing",
            Self::Reshape => "reshaping",
            Self::Paint => "painting",
            Self::Slice => "slicing",
            Self::Relabel => "relabeling",
            Self::Describe => "changing an attribute",
            Self::Group => "grouping",
            Self::Ungroup => "ungrouping",
            Self::Relate => "changing a relation",
            Self::Reorder => "reordering",
            Self::Classify => "classifying",
            Self::Accept => "accepting suggestions",
            Self::Reject => "rejecting suggestions",
            Self::Paste => "pasting",
            Self::Outside => "where the object is there",
            Self::Occlude => "hiding behind something",
            Self::Keyframe => "changing keyframes",
            Self::Split => "splitting a track",
            Self::Merge => "merging tracks",
        }
    }
}

/// One step of the history: edits that are done and undone together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    pub kind: Kind,
    pub edits: Vec<Edit>,
    /// What is said of the item as a whole, before and after, where that changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<(Attributes, Attributes)>,
}

impl Change {
    /// The ids that are there after the change.
    pub fn present(&self) -> impl Iterator<Item = AnnotationId> {
        self.edits.iter().filter(|e| e.after.is_some()).map(|e| e.id)
    }

    /// The ids that were there before the change.
    pub fn absent(&self) -> impl Iterator<Item = AnnotationId> {
        self.edits.iter().filter(|e| e.before.is_some()).map(|e| e.id)
    }
}

/// Where in the drawing order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Front,
    Back,
    /// Just above the next shape that overlaps.
    Up,
    /// Just below the next shape that overlaps.
    Down,
}

/// An intent, in terms of the document.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Add(Vec<Annotation>),
    Paste(Vec<Annotation>),
    Remove(Vec<AnnotationId>),
    Move(Vec<(AnnotationId, Rect)>),
    Resize(AnnotationId, Rect),
    /// New shapes for some, and others that have gone into them.
    Reshape(Vec<(AnnotationId, Shape)>, Vec<AnnotationId>),
    /// What a stroke of the brush changes: new shapes, objects of which nothing is left, and a new object.
    Paint(Vec<(AnnotationId, Shape)>, Vec<AnnotationId>, Option<Annotation>),
    /// A piece of what an object was, and the other pieces as objects of their own.
    Slice(AnnotationId, Shape, Vec<Annotation>),
    /// Another category, with what is said of each under it.
    Relabel(Vec<(AnnotationId, Attributes)>, CategoryId),
    /// Values for an attribute, or none.
    Describe(Vec<AnnotationId>, String, Option<AttributeValue>),
    /// A value for an attribute of the item, or none.
    DescribeItem(String, Option<AttributeValue>),
    /// Other groups and relations.
    Link(Vec<(AnnotationId, Links)>, Kind),
    Reorder(Vec<AnnotationId>, Order),
    /// The whole-item labels are to be exactly these categories.
    Classify(Vec<CategoryId>),
    /// Proposals become labels.
    Accept(Vec<AnnotationId>),
    /// Proposals go away.
    Reject(Vec<AnnotationId>),
}

/// A proposal that somebody has touched is that person's label.
pub(crate) fn confirmed(mut a: Annotation) -> Annotation {
    if a.source == Source::Prelabel {
        a.source = Source::Human;
        a.score = None;
    }
    a
}

impl Command {
    /// What the command changes in `doc`; `None` when it changes nothing.
    pub fn compile(self, doc: &Document) -> Option<Change> {
        let mut edits = Edits::default();
        let mut about = None;
        let kind = match self {
            Self::Add(list) => edits.add_all(doc, list, Kind::Add),
            Self::Paste(list) => edits.add_all(doc, list, Kind::Paste),
            Self::Remove(ids) => {
                for id in ids {
                    edits.set(doc, id, None);
                }
                Kind::Remove
            }
            Self::Reject(ids) => {
                for id in ids {
                    if doc.get(id).is_some_and(|a| a.source == Source::Prelabel) {
                        edits.set(doc, id, None);
                    }
                }
                Kind::Reject
            }
            Self::Move(list) => {
                for (id, rect) in list {
                    edits.rect(doc, id, rect);
                }
                Kind::Move
            }
            Self::Resize(id, rect) => {
                edits.rect(doc, id, rect);
                Kind::Resize
            }
            Self::Reshape(list, gone) => {
                edits.reshape(doc, list, gone);
                Kind::Reshape
            }
            Self::Paint(list, gone, new) => {
                edits.reshape(doc, list, gone);
                edits.add_all(doc, new.into_iter().collect(), Kind::Paint)
            }
            Self::Slice(id, shape, new) => {
                edits.reshape(doc, vec![(id, shape)], Vec::new());
                edits.add_all(doc, new, Kind::Slice)
            }
            Self::Relabel(list, category) => {
                for (id, attributes) in list {
                    edits.update(doc, id, |a| {
                        a.category_id = category;
                        a.attributes = attributes;
                        true
                    });
                }
                Kind::Relabel
            }
            Self::Describe(ids, key, value) => {
                for id in ids {
                    edits.update(doc, id, |a| {
                        let before = match &value {
                            Some(v) => a.attributes.insert(key.clone(), v.clone()),
                            None => a.attributes.remove(&key),
                        };
                        before != value
                    });
                }
                Kind::Describe
            }
            Self::DescribeItem(key, value) => {
                let mut after = doc.about().clone();
                match value {
                    Some(v) => after.insert(key, v),
                    None => after.remove(&key),
                };
                about = (after != *doc.about()).then(|| (doc.about().clone(), after));
                Kind::Describe
            }
            Self::Link(list, kind) => {
                for (id, links) in list {
                    edits.update(doc, id, |a| {
                        let other = a.links != links;
                        a.links = links;
                        other
                    });
                }
                kind
            }
            Self::Accept(ids) => {
                for id in ids {
                    edits.update(doc, id, |a| a.source == Source::Prelabel);
                }
                Kind::Accept
            }
            Self::Reorder(ids, order) => {
                reorder(doc, &ids, order, &mut edits);
                Kind::Reorder
            }
            Self::Classify(categories) => {
                classify(doc, &categories, &mut edits);
                Kind::Classify
            }
        };
        edits.unrelate(doc);
        let edits = edits.0;
        (!edits.is_empty() || about.is_some()).then_some(Change { kind, edits, about })
    }
}

/// The edits, with relations to what they remove taken away.
pub(crate) fn unrelated(doc: &Document, edits: Vec<Edit>) -> Vec<Edit> {
    let mut edits = Edits(edits);
    edits.unrelate(doc);
    edits.0
}

#[derive(Default)]
struct Edits(Vec<Edit>);

impl Edits {
    fn set(&mut self, doc: &Document, id: AnnotationId, after: Option<Annotation>) {
        let before = doc.get(id).cloned();
        if before != after {
            self.0.push(Edit { id, before, after });
        }
    }

    /// Relations to what is removed go with it.
    fn unrelate(&mut self, doc: &Document) {
        let gone: HashSet<AnnotationId> = self
            .0
            .iter()
            .filter(|e| e.after.is_none())
            .map(|e| e.id)
            .collect();
        if gone.is_empty() || !doc.has_links() {
            return;
        }
        let dangles = |a: &Annotation| a.links.relations.iter().any(|r| gone.contains(&r.to));
        let at: HashMap<AnnotationId, usize> = self.0.iter().enumerate().map(|(n, e)| (e.id, n)).collect();
        for a in self.0.iter_mut().filter_map(|e| e.after.as_mut()) {
            a.links.relations.retain(|r| !gone.contains(&r.to));
        }
        for a in doc.iter().filter(|a| dangles(a) && !at.contains_key(&a.id)) {
            let mut after = a.clone();
            after.links.relations.retain(|r| !gone.contains(&r.to));
            self.0.push(Edit {
                id: a.id,
                before: Some(a.clone()),
                after: Some(after),
            });
        }
    }

    fn add_all(&mut self, doc: &Document, list: Vec<Annotation>, kind: Kind) -> Kind {
        for a in list {
            self.set(doc, a.id, Some(a));
        }
        kind
    }

    fn reshape(&mut self, doc: &Document, list: Vec<(AnnotationId, Shape)>, gone: Vec<AnnotationId>) {
        for (id, shape) in list {
            self.update(doc, id, |a| {
                let other = a.shape != shape;
                a.shape = shape;
                other
            });
        }
        for id in gone {
            self.set(doc, id, None);
        }
    }

    fn rect(&mut self, doc: &Document, id: AnnotationId, rect: Rect) {
        self.update(doc, id, |a| match placed(&a.shape, rect) {
            Some(shape) if a.shape.bounds() != Some(rect) && a.shape != shape => {
                a.shape = shape;
                true
            }
            _ => false,
        });
    }

    /// Changes an annotation by `f`, which says whether it wants to; a change confirms a proposal.
    fn update(&mut self, doc: &Document, id: AnnotationId, f: impl FnOnce(&mut Annotation) -> bool) {
        if let Some(a) = doc.get(id) {
            let mut a = a.clone();
            if f(&mut a) {
                self.set(doc, id, Some(confirmed(a)));
            }
        }
    }
}

fn reorder(doc: &Document, ids: &[AnnotationId], order: Order, edits: &mut Edits) {
    let set: BTreeSet<AnnotationId> = ids.iter().copied().collect();
    let mut z_edit = |id: AnnotationId, z: i64| {
        if let Some(a) = doc.get(id)
            && a.z != z
        {
            edits.set(doc, id, Some(Annotation { z, ..a.clone() }));
        }
    };
    match order {
        // A stack that is on top already stays as it is.
        Order::Front => {
            let top = doc.iter().filter(|a| !set.contains(&a.id)).map(|a| a.z).max();
            let lowest = doc.iter().filter(|a| set.contains(&a.id)).map(|a| a.z).min();
            if let (Some(top), Some(lowest)) = (top, lowest)
                && lowest <= top
            {
                for a in doc.iter().filter(|a| set.contains(&a.id)) {
                    z_edit(
                        a.id,
                        a.z.saturating_sub(lowest).saturating_add(top).saturating_add(1),
                    );
                }
            }
        }
        Order::Back => {
            let bottom = doc.iter().filter(|a| !set.contains(&a.id)).map(|a| a.z).min();
            let highest = doc.iter().filter(|a| set.contains(&a.id)).map(|a| a.z).max();
            if let (Some(bottom), Some(highest)) = (bottom, highest)
                && highest >= bottom
            {
                for a in doc.iter().filter(|a| set.contains(&a.id)) {
                    z_edit(
                        a.id,
                        a.z.saturating_sub(highest)
                            .saturating_add(bottom)
                            .saturating_sub(1),
                    );
                }
            }
        }
        Order::Up | Order::Down => {
            for id in ids {
                let Some((a, rect)) = doc.get(*id).zip(doc.bounds(*id)) else {
                    continue;
                };
                let near = doc.in_window(rect);
                let key = (a.z, a.id);
                if order == Order::Up {
                    let above = near.iter().find(|o| (o.z, o.id) > key && !set.contains(&o.id));
                    if let Some(o) = above {
                        z_edit(a.id, if o.id < a.id { o.z } else { o.z.saturating_add(1) });
                    }
                } else {
                    let below = near
                        .iter()
                        .rev()
                        .find(|o| (o.z, o.id) < key && !set.contains(&o.id));
                    if let Some(o) = below {
                        z_edit(a.id, if o.id > a.id { o.z } else { o.z.saturating_sub(1) });
                    }
                }
            }
        }
    }
}

/// Reuses the labels that are there: a changed mind about a single label is an update of one annotation, so that two
/// people who disagree meet in one conflict instead of leaving two labels.
fn classify(doc: &Document, categories: &[CategoryId], edits: &mut Edits) {
    let wanted: BTreeSet<CategoryId> = categories.iter().copied().collect();
    let mut have: HashMap<CategoryId, AnnotationId> = HashMap::new();
    let mut spare: Vec<AnnotationId> = Vec::new();
    for a in doc.whole() {
        if wanted.contains(&a.category_id) && !have.contains_key(&a.category_id) {
            have.insert(a.category_id, a.id);
            edits.update(doc, a.id, |_| true);
        } else if a.source == Source::Prelabel && doc.task().takes_any() {
            // A proposal for another category stays one.
        } else {
            spare.push(a.id);
        }
    }
    for category in wanted.into_iter().filter(|c| !have.contains_key(c)) {
        if let Some(id) = spare.pop() {
            edits.update(doc, id, |a| {
                a.category_id = category;
                true
            });
        } else {
            let id = AnnotationId::new();
            let a = Annotation {
                id,
                category_id: category,
                shape: Shape::Whole,
                z: 0,
                source: Source::Human,
                score: None,
                attributes: limn_domain::Attributes::new(),
                links: limn_domain::Links::default(),
            };
            edits.set(doc, id, Some(a));
        }
    }
    for id in spare {
        edits.set(doc, id, None);
    }
}
