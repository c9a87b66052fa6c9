//! Groups of objects, and relations from one to another.

use super::Editor;
use crate::command::{Command, Kind};
use limn_domain::{Annotation, AnnotationId, GroupId, Links, Relation, Shape};
use std::collections::{BTreeSet, HashMap};

impl Editor {
    /// Puts the selected objects into one group of their own. Says whether anything changed.
    pub fn group_selected(&mut self) -> bool {
        let ids = self.editable();
        if ids.len() < 2 {
            return false;
        }
        let groups: BTreeSet<Option<GroupId>> = self.links_of(&ids).map(|l| l.group).collect();
        // They are one already, and nobody else is in it.
        if let (1, Some(Some(g))) = (groups.len(), groups.first())
            && self.doc.iter().filter(|a| a.links.group == Some(*g)).count() == ids.len()
        {
            return false;
        }
        self.set_group(&ids, Some(GroupId::new()), Kind::Group)
    }

    /// Takes the selected objects out of their groups.
    pub fn ungroup_selected(&mut self) -> bool {
        let ids = self.editable();
        self.set_group(&ids, None, Kind::Ungroup)
    }

    /// Selects all that are in a group with a selected object.
    pub fn select_groups(&mut self) {
        let ids = self.selection.to_vec();
        let groups: BTreeSet<GroupId> = self.links_of(&ids).filter_map(|l| l.group).collect();
        let all: Vec<AnnotationId> = self
            .doc
            .iter()
            .filter(|a| a.links.group.is_some_and(|g| groups.contains(&g)))
            .map(|a| a.id)
            .chain(ids)
            .collect();
        self.select_these(&all);
    }

    fn links_of<'a>(&'a self, ids: &'a [AnnotationId]) -> impl Iterator<Item = &'a Links> {
        ids.iter().filter_map(|id| self.doc.get(*id)).map(|a| &a.links)
    }

    fn set_group(&mut self, ids: &[AnnotationId], group: Option<GroupId>, kind: Kind) -> bool {
        let list = ids
            .iter()
            .filter_map(|id| self.doc.get(*id))
            .map(|a| {
                let links = Links {
                    group,
                    relations: a.links.relations.clone(),
                };
                (a.id, links)
            })
            .collect();
        self.run(Command::Link(list, kind))
    }

    /// The next object that is picked is one that the selected object relates to. Says whether one is selected.
    pub fn begin_relation(&mut self) -> bool {
        let from = self.selection.primary().filter(|id| self.editable().contains(id));
        self.cancel();
        self.relating = from;
        self.epochs.look += 1;
        from.is_some() && !self.read_only
    }

    /// Where the relation begun goes out from.
    pub const fn relating(&self) -> Option<AnnotationId> {
        self.relating
    }

    /// What new relations say.
    pub fn set_relation_kind(&mut self, kind: String) {
        self.relation_kind = kind;
    }

    pub fn relation_kind(&self) -> &str {
        &self.relation_kind
    }

    /// Ends a relation begun at `to`; the object it goes out from stays selected. `false` when none was begun.
    pub(super) fn end_relation(&mut self, to: AnnotationId) -> bool {
        let Some(from) = self.relating.take() else {
            return false;
        };
        self.epochs.look += 1;
        self.relate(from, to);
        self.selection.set(from);
        self.epochs.selection += 1;
        true
    }

    /// A relation from one object to another, saying [`Self::relation_kind`].
    pub fn relate(&mut self, from: AnnotationId, to: AnnotationId) -> bool {
        if from == to || !self.doc.contains(to) {
            return false;
        }
        let kind = self.relation_kind.clone();
        self.change_links(from, |l| l.relate(Relation { to, kind }))
    }

    /// The relation says something else.
    pub fn say_relation(&mut self, from: AnnotationId, relation: &Relation, kind: String) -> bool {
        let done = self.change_links(from, |l| {
            l.relations.retain(|r| r != relation);
            l.relate(Relation {
                to: relation.to,
                kind: kind.clone(),
            });
            true
        });
        self.relation_kind = kind;
        done
    }

    /// The relation goes the other way.
    pub fn turn_relation(&mut self, from: AnnotationId, relation: &Relation) -> bool {
        let (Some(a), Some(b)) = (self.doc.get(from), self.doc.get(relation.to)) else {
            return false;
        };
        let (mut here, mut there) = (a.links.clone(), b.links.clone());
        here.relations.retain(|r| r != relation);
        there.relate(Relation {
            to: from,
            kind: relation.kind.clone(),
        });
        let list = vec![(from, here), (relation.to, there)];
        self.run(Command::Link(list, Kind::Relate))
    }

    pub fn drop_relation(&mut self, from: AnnotationId, relation: &Relation) -> bool {
        self.change_links(from, |l| {
            let before = l.relations.len();
            l.relations.retain(|r| r != relation);
            l.relations.len() != before
        })
    }

    fn change_links(&mut self, id: AnnotationId, f: impl FnOnce(&mut Links) -> bool) -> bool {
        let Some(a) = self.doc.get(id) else {
            return false;
        };
        let mut links = a.links.clone();
        f(&mut links) && self.run(Command::Link(vec![(id, links)], Kind::Relate))
    }

    /// All relations of shown objects: from, to, what it says.
    pub fn relations(&self) -> Vec<(&Annotation, &Annotation, &str)> {
        let shown = |a: &Annotation| a.shape != Shape::Whole && !self.layers.is_hidden(a);
        let mut out = Vec::new();
        for from in self.doc.iter().filter(|a| !a.links.relations.is_empty()) {
            for r in &from.links.relations {
                if let Some(to) = self.doc.get(r.to)
                    && shown(from)
                    && shown(to)
                {
                    out.push((from, to, r.kind.as_str()));
                }
            }
        }
        out
    }
}

/// The links of copies: groups become new ones, relations stay between those copied together.
pub(super) fn copied(links: &Links, new: &HashMap<AnnotationId, AnnotationId>, groups: &mut Groups) -> Links {
    let mut out = Links {
        group: links.group.map(|g| *groups.entry(g).or_insert_with(GroupId::new)),
        relations: Vec::new(),
    };
    for r in &links.relations {
        if let Some(to) = new.get(&r.to) {
            out.relate(Relation {
                to: *to,
                kind: r.kind.clone(),
            });
        }
    }
    out
}

/// The new group of each old one.
pub(super) type Groups = HashMap<GroupId, GroupId>;
