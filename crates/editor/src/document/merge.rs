//! Three-way merge: what the editor started from, what it has, and what the server has now.

use super::Document;
use limn_domain::annotation::ItemAnnotations;
use limn_domain::project::Task;
use limn_domain::{Annotation, AnnotationId, Attributes, Links, Relation, Shape, Source};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Annotations by id.
pub type Annotations = BTreeMap<AnnotationId, Annotation>;

/// One annotation that two people changed in ways that cannot both stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    /// Names the conflict; an annotation's id.
    pub id: AnnotationId,
    pub base: Option<Annotation>,
    /// Absent: I removed it.
    pub mine: Option<Annotation>,
    /// Absent: they removed it.
    pub theirs: Option<Annotation>,
}

/// Whose version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Mine,
    Theirs,
}

/// Coordinates closer than this are the same: a value that went through text and a database may come back a bit off.
const SAME: f64 = 1e-6;

fn same_shape(a: &Shape, b: &Shape) -> bool {
    match (a, b) {
        (Shape::Box { rect: a }, Shape::Box { rect: b }) => {
            (a.x - b.x).abs() < SAME
                && (a.y - b.y).abs() < SAME
                && (a.w - b.w).abs() < SAME
                && (a.h - b.h).abs() < SAME
        }
        _ => a == b,
    }
}

fn same(a: Option<&Annotation>, b: Option<&Annotation>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => {
            a.category_id == b.category_id
                && a.z == b.z
                && a.source == b.source
                && a.attributes == b.attributes
                && a.links == b.links
                && same_shape(&a.shape, &b.shape)
        }
        (None, None) => true,
        _ => false,
    }
}

/// The outcome of a merge. In `merged` every conflict stands as mine, so that nothing drawn is lost meanwhile.
#[derive(Debug, Clone, PartialEq)]
pub struct Merge {
    pub merged: Annotations,
    pub conflicts: Vec<Conflict>,
    /// How many of their changes came in.
    pub taken: usize,
}

/// Merges by annotation id and, within one annotation, by field: a move by one and a relabel by the other both stand.
pub fn merge(task: Task, base: &Annotations, mine: &Annotations, theirs: &Annotations) -> Merge {
    let ids: BTreeSet<AnnotationId> = base
        .keys()
        .chain(mine.keys())
        .chain(theirs.keys())
        .copied()
        .collect();
    let mut out = Merge {
        merged: Annotations::new(),
        conflicts: Vec::new(),
        taken: 0,
    };
    for id in ids {
        let (b, m, t) = (base.get(&id), mine.get(&id), theirs.get(&id));
        let chosen = if same(m, t) || same(t, b) {
            m.cloned()
        } else if same(m, b) {
            out.taken += 1;
            t.cloned()
        } else {
            let both = match (m, t) {
                (Some(m), Some(t)) => by_field(b, m, t),
                _ => None,
            };
            if both.is_some() {
                out.taken += 1;
                both
            } else {
                out.conflicts.push(Conflict {
                    id,
                    base: b.cloned(),
                    mine: m.cloned(),
                    theirs: t.cloned(),
                });
                m.cloned()
            }
        };
        if let Some(a) = chosen {
            out.merged.insert(id, a);
        }
    }
    if task.takes_one() {
        one_label(&mut out, mine, theirs);
    }
    out
}

/// `None` when category or shape were changed differently.
fn by_field(base: Option<&Annotation>, mine: &Annotation, theirs: &Annotation) -> Option<Annotation> {
    fn pick<T: Clone>(eq: fn(&T, &T) -> bool, b: Option<&T>, m: &T, t: &T) -> Option<T> {
        if eq(m, t) || b.is_some_and(|b| eq(b, t)) {
            Some(m.clone())
        } else if b.is_some_and(|b| eq(b, m)) {
            Some(t.clone())
        } else {
            None
        }
    }
    let confirmed = mine.source != Source::Prelabel || theirs.source != Source::Prelabel;
    Some(Annotation {
        id: mine.id,
        category_id: pick(
            PartialEq::eq,
            base.map(|b| &b.category_id),
            &mine.category_id,
            &theirs.category_id,
        )?,
        shape: pick(same_shape, base.map(|b| &b.shape), &mine.shape, &theirs.shape)?,
        // The drawing order is a matter of taste: the later hand wins.
        z: pick(PartialEq::eq, base.map(|b| &b.z), &mine.z, &theirs.z).unwrap_or(mine.z),
        source: match (mine.source, theirs.source) {
            (Source::Prelabel, other) | (other, Source::Prelabel) => other,
            (m, t) => pick(PartialEq::eq, base.map(|b| &b.source), &m, &t).unwrap_or(Source::Human),
        },
        score: if confirmed { None } else { mine.score },
        attributes: pick_values(base.map(|b| &b.attributes), &mine.attributes, &theirs.attributes)?,
        links: pick_links(base.map(|b| &b.links), &mine.links, &theirs.links),
    })
}

/// Relations by one and by the other all stand, unless one took them away; of two groups mine.
fn pick_links(base: Option<&Links>, mine: &Links, theirs: &Links) -> Links {
    let mut out = Links {
        group: if base.map(|b| b.group) == Some(mine.group) {
            theirs.group
        } else {
            mine.group
        },
        relations: Vec::new(),
    };
    let in_base = |r: &Relation| base.is_some_and(|b| b.relations.contains(r));
    for r in mine.relations.iter().chain(&theirs.relations) {
        let both = mine.relations.contains(r) && theirs.relations.contains(r);
        if both || !in_base(r) {
            out.relate(r.clone());
        }
    }
    out
}

/// Attribute by attribute; `None` when one was given different values.
fn pick_values(base: Option<&Attributes>, mine: &Attributes, theirs: &Attributes) -> Option<Attributes> {
    let keys: BTreeSet<&String> = mine.keys().chain(theirs.keys()).collect();
    let mut out = Attributes::new();
    for key in keys {
        let (b, m, t) = (base.and_then(|b| b.get(key)), mine.get(key), theirs.get(key));
        let value = if m == t || b == t {
            m
        } else if b == m {
            t
        } else {
            return None;
        };
        if let Some(value) = value {
            out.insert(key.clone(), value.clone());
        }
    }
    Some(out)
}

/// What two people said of an item: attribute by attribute, mine where both changed the same one.
fn said_by_both(base: &Attributes, mine: &Attributes, theirs: &Attributes) -> Attributes {
    let keys: BTreeSet<&String> = mine.keys().chain(theirs.keys()).collect();
    let value = |key: &String| {
        let (b, m, t) = (base.get(key), mine.get(key), theirs.get(key));
        let value = if b == m { t } else { m };
        Some((key.clone(), value?.clone()))
    };
    keys.into_iter().filter_map(value).collect()
}

/// An item of a single-label project has one label: two that met are a conflict between them.
fn one_label(out: &mut Merge, mine: &Annotations, theirs: &Annotations) {
    let whole = |a: &&Annotation| a.shape == Shape::Whole && a.source != Source::Prelabel;
    let labels: Vec<Annotation> = out.merged.values().filter(whole).cloned().collect();
    let Some(kept) = labels.iter().find(|a| mine.contains_key(&a.id)) else {
        return;
    };
    for other in labels.iter().filter(|a| a.id != kept.id) {
        out.merged.remove(&other.id);
        if !mine.contains_key(&other.id) && theirs.contains_key(&other.id) {
            out.taken = out.taken.saturating_sub(1);
            if other.category_id != kept.category_id {
                out.conflicts.push(Conflict {
                    id: kept.id,
                    base: None,
                    mine: Some(kept.clone()),
                    theirs: Some(other.clone()),
                });
            }
        }
    }
}

/// Puts the decisions into a merge. Conflicts without one stand as mine.
pub fn resolve(mut merge: Merge, choices: &HashMap<AnnotationId, Side>) -> Annotations {
    for c in &merge.conflicts {
        if choices.get(&c.id) == Some(&Side::Theirs) {
            merge.merged.remove(&c.id);
            if let Some(t) = &c.theirs {
                merge.merged.insert(t.id, t.clone());
            }
        }
    }
    merge.merged
}

impl Document {
    /// Merges what the server has now with the differences here, without changing the document.
    pub fn merge_with(&self, theirs: &ItemAnnotations) -> Merge {
        let base = self.base.iter().map(|(id, a)| (*id, a.clone())).collect();
        let mine = self.iter().map(|a| (a.id, a.clone())).collect();
        let theirs = theirs.annotations.iter().map(|a| (a.id, a.clone())).collect();
        merge(self.task, &base, &mine, &theirs)
    }

    /// Stands on what the server has now and shows `merged`; whatever differs between the two is still to be saved.
    pub fn rebase(&mut self, theirs: ItemAnnotations, merged: Annotations) {
        let mut touched: BTreeSet<AnnotationId> = self.by_id.keys().copied().collect();
        touched.extend(merged.keys().copied());
        touched.extend(self.base.keys().copied());
        self.revision = theirs.revision;
        self.in_flight = None;
        self.about = said_by_both(&self.base_about, &self.about, &theirs.attributes);
        self.base_about = theirs.attributes;
        self.base = theirs.annotations.into_iter().map(|a| (a.id, a)).collect();
        touched.extend(self.base.keys().copied());
        let mut merged = merged;
        for id in touched {
            let value = merged.remove(&id);
            if self.get(id) != value.as_ref() {
                self.put(id, value, false);
            }
            self.note(id);
        }
        self.reorder();
    }
}
