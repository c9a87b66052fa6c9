//! What holds the annotations of one item together: groups, and relations from one to another.

use crate::annotation::Annotation;
use crate::id::{AnnotationId, GroupId};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// Most relations that go out from one annotation.
pub const RELATIONS_MAX: usize = 200;
/// Most kinds of relations of a project.
pub const KINDS_MAX: usize = 50;
/// Longest name of a kind of relation, in characters.
const KIND_MAX: usize = 80;

/// That one annotation stands to another of the same item in some way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Relation {
    /// Where it goes; it goes out from the annotation that holds it.
    pub to: AnnotationId,
    /// What it says, e.g. `holds`; empty when it only says that the two belong together.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
}

/// How an annotation hangs together with others of its item.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Links {
    /// Those of the same group belong together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupId>,
    /// Without doubles, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relations: Vec<Relation>,
}

/// No links, to borrow.
pub static NO_LINKS: Links = Links {
    group: None,
    relations: Vec::new(),
};

impl Links {
    pub const fn is_empty(&self) -> bool {
        self.group.is_none() && self.relations.is_empty()
    }

    /// Adds a relation; says whether it was not there.
    pub fn relate(&mut self, relation: Relation) -> bool {
        match self.relations.binary_search(&relation) {
            Ok(_) => false,
            Err(at) => {
                self.relations.insert(at, relation);
                true
            }
        }
    }

    /// Checked and in order, for the annotation `of`. Errors say what is wrong, to follow the name of the field.
    pub fn check(mut self, of: AnnotationId) -> Result<Self, String> {
        if self.relations.len() > RELATIONS_MAX {
            return Err(format!("has more than {RELATIONS_MAX} relations"));
        }
        for r in &mut self.relations {
            if r.to == of {
                return Err("goes to the annotation itself".to_owned());
            }
            r.kind = check_kind(&r.kind)?;
        }
        self.relations.sort_unstable();
        self.relations.dedup();
        Ok(self)
    }
}

fn check_kind(kind: &str) -> Result<String, String> {
    let kind = kind.trim();
    if kind.chars().count() > KIND_MAX || kind.chars().any(char::is_control) {
        return Err(format!(
            "has a kind that is not a line of at most {KIND_MAX} characters"
        ));
    }
    Ok(kind.to_owned())
}

/// The kinds of relations of a project: trimmed, none empty, none twice. Errors are whole sentences.
pub fn check_kinds(kinds: &[String]) -> Result<Vec<String>, String> {
    if kinds.len() > KINDS_MAX {
        return Err(format!("A project has at most {KINDS_MAX} kinds of relations."));
    }
    let mut seen = HashSet::new();
    let mut out = Vec::with_capacity(kinds.len());
    for kind in kinds {
        let kind = check_kind(kind).map_err(|why| format!("A relation {why}."))?;
        if kind.is_empty() {
            return Err("A kind of relation needs a name.".to_owned());
        }
        if !seen.insert(kind.to_lowercase()) {
            return Err(format!("The kind of relation `{kind}` is there twice."));
        }
        out.push(kind);
    }
    Ok(out)
}

/// Something with links: an annotation, in whatever form.
pub trait Linked {
    fn id(&self) -> AnnotationId;
    fn links(&self) -> &Links;
    fn links_mut(&mut self) -> &mut Links;
}

impl Linked for Annotation {
    fn id(&self) -> AnnotationId {
        self.id
    }

    fn links(&self) -> &Links {
        &self.links
    }

    fn links_mut(&mut self) -> &mut Links {
        &mut self.links
    }
}

/// Takes away relations to annotations that are not in the list: whoever removed them need not have known of the relation.
pub fn drop_dangling<T: Linked>(annotations: &mut [T]) {
    if annotations.iter().all(|a| a.links().relations.is_empty()) {
        return;
    }
    let there: HashSet<AnnotationId> = annotations.iter().map(Linked::id).collect();
    for a in annotations {
        a.links_mut().relations.retain(|r| there.contains(&r.to));
    }
}

/// Numbers for the groups of one item, from 1 in the order in which they first come; a group of one is none.
pub fn group_numbers<'a>(annotations: impl Iterator<Item = &'a Annotation> + Clone) -> HashMap<GroupId, u32> {
    let mut size: HashMap<GroupId, u32> = HashMap::new();
    for g in annotations.clone().filter_map(|a| a.links.group) {
        *size.entry(g).or_default() += 1;
    }
    let mut numbers = HashMap::new();
    for g in annotations.filter_map(|a| a.links.group) {
        if size[&g] > 1 {
            let next = numbers.len() as u32 + 1;
            numbers.entry(g).or_insert(next);
        }
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Attributes, CategoryId, Shape, Source};

    fn label(links: Links) -> Annotation {
        Annotation {
            id: AnnotationId::new(),
            category_id: CategoryId::nil(),
            shape: Shape::Whole,
            z: 0,
            source: Source::Human,
            score: None,
            attributes: Attributes::new(),
            links,
        }
    }

    #[test]
    fn links_are_put_in_order_and_nonsense_is_named() {
        let (a, b) = (AnnotationId::new(), AnnotationId::new());
        let to = |to, kind: &str| Relation {
            to,
            kind: kind.to_owned(),
        };
        let links = Links {
            group: None,
            relations: vec![to(b, " holds "), to(a, ""), to(b, "holds")],
        };
        let checked = links.check(AnnotationId::nil()).unwrap();
        assert_eq!(checked.relations, [to(a, ""), to(b, "holds")]);
        let own = Links {
            group: None,
            relations: vec![to(a, "")],
        };
        assert!(own.clone().check(a).unwrap_err().contains("itself"));
        let long = Links {
            group: None,
            relations: vec![to(b, &"x".repeat(81))],
        };
        assert!(long.check(a).unwrap_err().contains("80"));
        let many = Links {
            group: None,
            relations: (0..=RELATIONS_MAX).map(|_| to(AnnotationId::new(), "")).collect(),
        };
        assert!(many.check(a).is_err());
    }

    #[test]
    fn kinds_are_named_once() {
        let kinds = |list: &[&str]| check_kinds(&list.iter().map(|k| (*k).to_owned()).collect::<Vec<_>>());
        assert_eq!(kinds(&[" holds ", "part of"]).unwrap(), ["holds", "part of"]);
        assert!(kinds(&["Holds", "holds"]).unwrap_err().contains("twice"));
        assert!(kinds(&[" "]).unwrap_err().contains("name"));
        assert!(kinds(&["a\nb"]).is_err());
    }

    #[test]
    fn relations_to_what_is_gone_go_too() {
        let b = label(Links::default());
        let mut a = label(Links::default());
        for to in [b.id, AnnotationId::new()] {
            a.links.relate(Relation {
                to,
                kind: String::new(),
            });
        }
        let mut list = [a, b];
        drop_dangling(&mut list);
        assert_eq!(list[0].links.relations.len(), 1);
        assert_eq!(list[0].links.relations[0].to, list[1].id);
    }

    #[test]
    fn groups_of_one_have_no_number() {
        let (g, h) = (GroupId::new(), GroupId::new());
        let of = |group| {
            label(Links {
                group: Some(group),
                relations: Vec::new(),
            })
        };
        let list = [of(h), of(g), label(Links::default()), of(g)];
        assert_eq!(group_numbers(list.iter()), HashMap::from([(g, 1)]));
    }
}
