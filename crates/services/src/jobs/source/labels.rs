//! Labels of a version as the project can take them, and what of them it cannot.

use limn_domain::project::Task;
use limn_domain::{Annotation, Attribute, Attributes, CategoryId, ProjectId, Shape, Source, attribute, link};
use limn_formats::{Detail, Findings};
use limn_store::repo::item::ExportAnnotation;
use limn_store::{StoreError, Tx, repo};
use limn_versions::object::derived;
use std::collections::{BTreeMap, HashMap};

/// What the project takes.
pub(super) struct Fit {
    task: Task,
    /// By the ids that versions derive from paths.
    categories: HashMap<CategoryId, Target>,
    /// Of items.
    attributes: Vec<Attribute>,
}

struct Target {
    id: CategoryId,
    keypoints: Option<usize>,
    attributes: Vec<Attribute>,
}

/// What found no place, in labels and values.
#[derive(Debug, Default)]
pub(super) struct Lost {
    /// By the category that the project lacks.
    categories: BTreeMap<String, u64>,
    kinds: u64,
    second: u64,
    values: u64,
}

impl Fit {
    pub async fn open(tx: &mut Tx, project: ProjectId, task: Task) -> Result<Self, StoreError> {
        let heads = repo::transfer::categories(tx, project).await?;
        let paths = crate::versions::labels::paths(&heads);
        let categories = heads
            .into_iter()
            .filter_map(|head| {
                let target = Target {
                    id: head.id,
                    keypoints: head.skeleton.map(|s| s.keypoints.len()),
                    attributes: head.attributes,
                };
                Some((derived::category(paths.get(&head.id)?), target))
            })
            .collect();
        Ok(Self {
            task,
            categories,
            attributes: repo::transfer::item_attributes(tx, project).await?,
        })
    }

    /// The labels of one file with what is said of it, and what of both is left out. `counts`: its labels by category.
    pub fn take(
        &self,
        counts: &BTreeMap<String, u32>,
        labels: Vec<ExportAnnotation>,
        about: Attributes,
    ) -> (Vec<Annotation>, Attributes, Lost) {
        let mut lost = Lost::default();
        for (path, n) in counts {
            if !self.categories.contains_key(&derived::category(path)) {
                lost.categories.insert(path.clone(), u64::from(*n));
            }
        }
        let mut out: Vec<Annotation> = Vec::with_capacity(labels.len());
        for label in labels {
            let Some(target) = self.categories.get(&label.category_id) else {
                continue;
            };
            if !self.task.allows(label.shape.shape_kind()) || !target.takes(&label.shape) {
                lost.kinds += 1;
            } else if self.task.takes_one() && !out.is_empty() {
                lost.second += 1;
            } else {
                out.push(Annotation {
                    id: label.id,
                    category_id: target.id,
                    shape: label.shape,
                    z: label.z,
                    source: Source::Import,
                    score: None,
                    attributes: known(&target.attributes, label.attributes, &mut lost.values),
                    links: label.links,
                });
            }
        }
        link::drop_dangling(&mut out);
        let about = known(&self.attributes, about, &mut lost.values);
        (out, about, lost)
    }
}

impl Target {
    /// A pose is of the skeleton that the project has.
    fn takes(&self, shape: &Shape) -> bool {
        match shape {
            Shape::Keypoints { keypoints } => self.keypoints == Some(keypoints.len()),
            _ => true,
        }
    }
}

fn known(list: &[Attribute], values: Attributes, lost: &mut u64) -> Attributes {
    let all = values.len();
    let kept: Attributes = values
        .into_iter()
        .filter_map(|(key, value)| {
            let attribute = attribute::find(list, &key)?;
            Some((attribute.key.clone(), attribute.check(value).ok()?))
        })
        .collect();
    *lost += (all - kept.len()) as u64;
    kept
}

impl Lost {
    pub fn add(&mut self, more: Self) {
        for (path, n) in more.categories {
            *self.categories.entry(path).or_default() += n;
        }
        self.kinds += more.kinds;
        self.second += more.second;
        self.values += more.values;
    }

    /// One finding for each reason and category. Their files came in.
    pub fn report(self, findings: &mut Findings) {
        for (path, n) in self.categories {
            findings.note("unknown_category", || {
                Detail::new(format!(
                    "{n} labels of `{path}` were left out: the project has no such category. Add it before the next refresh; \
                     labels of items that are here already come in by an import."
                ))
            });
        }
        let mut told = |code, n: u64, what: &str, why: &str| {
            if n > 0 {
                findings.note(code, || Detail::new(format!("{n} {what} were left out: {why}.")));
            }
        };
        told(
            "other_kind",
            self.kinds,
            "labels",
            "they are of a kind, or a skeleton, that the project does not label with",
        );
        told(
            "second_category",
            self.second,
            "labels",
            "their files have another one, and the project takes one an item",
        );
        told(
            "attribute_unknown",
            self.values,
            "values of attributes",
            "the project has no such attribute there, or it does not take the value",
        );
    }
}
