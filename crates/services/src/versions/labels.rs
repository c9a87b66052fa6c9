//! Labels between the form they have in a project and the canonical one of versions.

use limn_domain::category::Category;
use limn_domain::dataset::{CategoryCount, VersionCounts, VersionSchema};
use limn_domain::{Annotation, AnnotationId, CategoryId, GroupId, Links, Relation};
use limn_store::repo::item::{ExportAnnotation, ExportItem};
use limn_store::repo::transfer::CategoryHead;
use limn_versions::object::{self, Label, Labels, Schema, derived, step};
use limn_versions::{Entry, Hash};
use std::collections::HashMap;

/// The path of every category of a project.
pub(crate) fn paths(categories: &[CategoryHead]) -> HashMap<CategoryId, String> {
    let by_id: HashMap<CategoryId, &CategoryHead> = categories.iter().map(|c| (c.id, c)).collect();
    categories
        .iter()
        .map(|c| {
            let mut parts = vec![step(&c.name)];
            let mut above = c.parent_id;
            // A tree has at most so many levels.
            for _ in 0..limn_domain::category::MAX_LEVELS {
                let Some(parent) = above.and_then(|p| by_id.get(&p)) else {
                    break;
                };
                parts.push(step(&parent.name));
                above = parent.parent_id;
            }
            parts.reverse();
            (c.id, parts.join("/"))
        })
        .collect()
}

/// The categories in the form of versions, by id.
pub(crate) fn categories(
    list: &[CategoryHead],
    paths: &HashMap<CategoryId, String>,
) -> Vec<object::Category> {
    let mut out: Vec<object::Category> = list
        .iter()
        .filter_map(|c| {
            Some(object::Category {
                path: paths.get(&c.id)?.clone(),
                id: c.export_id,
                color: c.color.clone(),
                skeleton: c.skeleton.clone(),
                attributes: c.attributes.clone(),
            })
        })
        .collect();
    out.sort_by(|a, b| (a.id, &a.path).cmp(&(b.id, &b.path)));
    out
}

/// The labels of an item in the canonical form.
pub(crate) fn canonical(item: &ExportItem, paths: &HashMap<CategoryId, String>) -> Labels {
    let places: HashMap<AnnotationId, u32> = item
        .annotations
        .iter()
        .filter(|a| paths.contains_key(&a.category_id))
        .zip(0..)
        .map(|(a, n)| (a.id, n))
        .collect();
    let mut groups: HashMap<GroupId, u32> = HashMap::new();
    let labels = item
        .annotations
        .iter()
        .filter_map(|a| {
            let category = paths.get(&a.category_id)?.clone();
            let group = a.links.group.map(|g| {
                let next = u32::try_from(groups.len()).unwrap_or(u32::MAX);
                *groups.entry(g).or_insert(next)
            });
            let mut relations: Vec<(u32, String)> = a
                .links
                .relations
                .iter()
                .filter_map(|r| Some((*places.get(&r.to)?, r.kind.clone())))
                .collect();
            relations.sort_unstable();
            Some(Label {
                category,
                shape: a.shape.clone(),
                source: a.source,
                score: a.score,
                attributes: a.attributes.clone(),
                group,
                relations,
            })
        })
        .collect();
    Labels {
        about: item.about.clone(),
        labels,
    }
}

/// The labels of a file as a project or an export has them, with ids that are always the same.
pub(crate) fn annotations(path: &str, hash: &Hash, labels: &Labels) -> Vec<ExportAnnotation> {
    let id = |n: usize| derived::annotation(path, hash, n);
    labels
        .labels
        .iter()
        .enumerate()
        .map(|(n, label)| {
            let mut relations: Vec<Relation> = label
                .relations
                .iter()
                .map(|(to, kind)| Relation {
                    to: id(*to as usize),
                    kind: kind.clone(),
                })
                .collect();
            relations.sort_unstable();
            ExportAnnotation {
                id: id(n),
                category_id: derived::category(&label.category),
                shape: label.shape.clone(),
                z: n as i64,
                source: label.source,
                score: label.score,
                attributes: label.attributes.clone(),
                links: Links {
                    group: label.group.map(|g| derived::group(path, hash, g)),
                    relations,
                },
            }
        })
        .collect()
}

/// The same for pages.
pub(crate) fn shown(path: &str, hash: &Hash, labels: &Labels) -> Vec<Annotation> {
    annotations(path, hash, labels)
        .into_iter()
        .map(|a| Annotation {
            id: a.id,
            category_id: a.category_id,
            shape: a.shape,
            z: a.z,
            source: a.source,
            score: a.score,
            attributes: a.attributes,
            links: a.links,
        })
        .collect()
}

/// The categories of a version as exports name them.
pub(crate) fn heads(schema: &Schema) -> Vec<CategoryHead> {
    let mut heads: Vec<CategoryHead> = schema
        .categories
        .iter()
        .map(|c| CategoryHead {
            id: derived::category(&c.path),
            parent_id: c.parent().map(derived::category),
            name: c.name(),
            color: c.color.clone(),
            export_id: c.id,
            skeleton: c.skeleton.clone(),
            attributes: c.attributes.clone(),
        })
        .collect();
    heads.sort_by_key(|c| c.export_id);
    heads
}

/// A version's schema for people, with its counts.
pub(crate) fn schema(schema: &Schema, counts: &VersionCounts) -> VersionSchema {
    let counted: HashMap<&str, &CategoryCount> =
        counts.categories.iter().map(|c| (c.path.as_str(), c)).collect();
    VersionSchema {
        task: schema.task,
        categories: schema
            .categories
            .iter()
            .zip(0..)
            .map(|(c, position)| Category {
                id: derived::category(&c.path),
                parent_id: c.parent().map(derived::category),
                name: c.name(),
                color: c.color.clone(),
                hotkey: None,
                position,
                export_id: c.id,
                skeleton: c.skeleton.clone(),
                attributes: c.attributes.clone(),
                annotation_count: counted.get(c.path.as_str()).map_or(0, |n| n.labels),
                item_count: counted.get(c.path.as_str()).map_or(0, |n| n.files),
            })
            .collect(),
        attributes: schema.attributes.clone(),
        relations: schema.relations.clone(),
    }
}

/// Counts of a version in the making.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    splits: [i64; 4],
    labels: i64,
    labeled: i64,
    categories: HashMap<String, (i64, i64)>,
}

impl Tally {
    /// Goes on from a version's counts.
    pub fn from(counts: &VersionCounts) -> Self {
        Self {
            splits: counts.splits,
            labels: counts.labels,
            labeled: counts.labeled_files,
            categories: counts
                .categories
                .iter()
                .map(|c| (c.path.clone(), (c.files, c.labels)))
                .collect(),
        }
    }

    pub fn add(&mut self, e: &Entry) {
        self.count(e, 1);
    }

    pub fn remove(&mut self, e: &Entry) {
        self.count(e, -1);
    }

    fn count(&mut self, e: &Entry, sign: i64) {
        self.splits[e.split.index()] += sign;
        self.labeled += sign * i64::from(e.labels.is_some());
        for (path, n) in &e.categories {
            let n = i64::from(*n) * sign;
            self.labels += n;
            let of = self.categories.entry(path.clone()).or_default();
            of.0 += sign;
            of.1 += n;
        }
    }

    pub fn finish(self, schema: &Schema) -> VersionCounts {
        VersionCounts {
            splits: self.splits,
            labels: self.labels,
            labeled_files: self.labeled,
            categories: schema
                .categories
                .iter()
                .map(|c| {
                    let (files, labels) = self.categories.get(&c.path).copied().unwrap_or_default();
                    CategoryCount {
                        path: c.path.clone(),
                        color: c.color.clone(),
                        files,
                        labels,
                    }
                })
                .collect(),
        }
    }
}
