//! Categories of a file find, or become, categories of the project.

use crate::{Actor, Context, Error, Result};
use limn_domain::attribute::{self, Attribute};
use limn_domain::category::{Category, NewCategory, UpdateCategory};
use limn_domain::{CategoryId, ProjectId, validate};
use limn_formats::{Detail, Findings, ImportedCategory};
use std::collections::HashMap;
use std::sync::Arc;

/// What a category of the file means in the project.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::jobs) enum Target {
    /// With the number of its skeleton's keypoints, if it has one, and its attributes.
    Known(CategoryId, Option<usize>, Arc<[Attribute]>),
    /// Labels of it are left out; why.
    Refused(String),
}

/// The project's categories by name and by export id.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    all: Vec<Category>,
    by_name: HashMap<String, Vec<usize>>,
    by_export_id: HashMap<i64, usize>,
}

impl Catalogue {
    pub fn new(categories: Vec<Category>) -> Self {
        let mut this = Self::default();
        for category in categories {
            this.add(category);
        }
        this
    }

    fn add(&mut self, category: Category) {
        let n = self.all.len();
        self.by_name
            .entry(validate::name_key(&category.name))
            .or_default()
            .push(n);
        self.by_export_id.insert(category.export_id, n);
        self.all.push(category);
    }

    /// The category a file means: by name regardless of case; of several with that name the one under the same parent,
    /// else the one with the file's id, else the first.
    fn find(&self, wanted: &ImportedCategory, parent: Option<CategoryId>) -> Option<CategoryId> {
        let Some(name) = &wanted.name else {
            return self.by_export_id.get(&wanted.id?).map(|n| self.all[*n].id);
        };
        let same = self.by_name.get(&validate::name_key(name))?;
        let pick = |test: &dyn Fn(&Category) -> bool| same.iter().map(|n| &self.all[*n]).find(|c| test(c));
        pick(&|c| parent.is_some() && c.parent_id == parent)
            .or_else(|| pick(&|c| wanted.id == Some(c.export_id)))
            .or_else(|| pick(&|_| true))
            .map(|c| c.id)
    }
}

/// Ties the categories of a file to those of the project, creating what is missing when `create` says so.
pub(super) async fn resolve(
    ctx: &Context,
    project: ProjectId,
    catalogue: &mut Catalogue,
    create: bool,
    wanted: &[ImportedCategory],
    findings: &mut Findings,
) -> Result<Vec<Target>> {
    let mut out: Vec<Option<Target>> = vec![None; wanted.len()];
    for n in parents_first(wanted) {
        let category = &wanted[n];
        let parent = category.parent.and_then(|p| match out.get(p) {
            Some(Some(Target::Known(id, ..))) => Some(*id),
            _ => None,
        });
        let target = match catalogue.find(category, parent) {
            Some(id) => known(ctx, catalogue, create, category, id, findings).await?,
            None => missing(ctx, project, catalogue, create, category, parent, findings).await?,
        };
        out[n] = Some(target);
    }
    Ok(out
        .into_iter()
        .map(|t| t.unwrap_or_else(|| Target::Refused("Its category cannot be used.".to_owned())))
        .collect())
}

fn target(category: &Category) -> Target {
    Target::Known(
        category.id,
        keypoints_of(category),
        category.attributes.as_slice().into(),
    )
}

fn keypoints_of(category: &Category) -> Option<usize> {
    category.skeleton.as_ref().map(|s| s.keypoints.len())
}

/// A category the project has. One without a skeleton gets the file's, if the import may create categories.
async fn known(
    ctx: &Context,
    catalogue: &mut Catalogue,
    create: bool,
    wanted: &ImportedCategory,
    id: CategoryId,
    findings: &mut Findings,
) -> Result<Target> {
    let Some(n) = catalogue.all.iter().position(|c| c.id == id) else {
        return Ok(Target::Known(id, None, Arc::default()));
    };
    let have = target(&catalogue.all[n]);
    if keypoints_of(&catalogue.all[n]).is_some() || wanted.skeleton.is_none() || !create {
        return Ok(have);
    }
    let update = UpdateCategory {
        skeleton: Some(wanted.skeleton.clone()),
        ..UpdateCategory::default()
    };
    let categories = crate::categories::Categories(ctx.clone());
    match categories.update(&Actor::System, id, update).await {
        Ok(changed) => {
            let target = target(&changed);
            findings.note("skeleton_taken", || {
                Detail::new(format!(
                    "The category `{}` took the skeleton of the file.",
                    changed.name
                ))
                .line(wanted.line)
            });
            catalogue.all[n] = changed;
            Ok(target)
        }
        Err(Error::Api(_)) => Ok(have),
        Err(e) => Err(e),
    }
}

/// The attributes that the file defines for a category that is created; none when they cannot be kept.
fn defined(category: &ImportedCategory, findings: &mut Findings) -> Vec<Attribute> {
    attribute::check_attributes(category.attributes.clone()).unwrap_or_else(|why| {
        let name = category.name.as_deref().unwrap_or_default();
        findings.fixed("bad_attributes", || {
            Detail::new(format!(
                "The category `{name}` came in without its attributes. {why}"
            ))
            .line(category.line)
        });
        Vec::new()
    })
}

async fn missing(
    ctx: &Context,
    project: ProjectId,
    catalogue: &mut Catalogue,
    create: bool,
    category: &ImportedCategory,
    parent: Option<CategoryId>,
    findings: &mut Findings,
) -> Result<Target> {
    let Some(name) = &category.name else {
        let id = category.id.unwrap_or_default();
        return Ok(Target::Refused(format!(
            "The file gives only the category id {id}, and no category of the project is exported under it."
        )));
    };
    if !create {
        return Ok(Target::Refused(format!(
            "The project has no category `{name}`; create it, or let the import create categories."
        )));
    }
    let keep = category
        .id
        .filter(|id| *id >= 1 && !catalogue.by_export_id.contains_key(id));
    let mut new = NewCategory {
        name: name.clone(),
        parent_id: parent,
        color: category.color.clone(),
        export_id: keep,
        skeleton: category.skeleton.clone(),
        attributes: defined(category, findings),
        ..NewCategory::default()
    };
    let categories = crate::categories::Categories(ctx.clone());
    let made = match categories.create(&Actor::System, project, new.clone()).await {
        // Somebody took the id, or an old category had it.
        Err(Error::Api(_)) if new.export_id.take().is_some() => {
            categories.create(&Actor::System, project, new).await
        }
        other => other,
    };
    match made {
        Ok(made) => {
            let target = target(&made);
            catalogue.add(made);
            findings.report_mut().categories_added += 1;
            Ok(target)
        }
        Err(Error::Api(e)) => {
            findings.refused("category_refused", || {
                Detail::new(format!("The category `{name}` was not created: {}", e.message))
                    .line(category.line)
            });
            Ok(Target::Refused(format!(
                "Its category `{name}` could not be created."
            )))
        }
        Err(e) => Err(e),
    }
}

/// Order in which every parent comes before its children. Cycles cannot come in: the reader breaks them.
fn parents_first(wanted: &[ImportedCategory]) -> Vec<usize> {
    let depth = |mut n: usize| {
        let mut levels = 0_usize;
        while let Some(p) = wanted.get(n).and_then(|c| c.parent)
            && levels < wanted.len()
        {
            n = p;
            levels += 1;
        }
        levels
    };
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|n| depth(*n));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn category(name: &str, export_id: i64, parent_id: Option<CategoryId>) -> Category {
        Category {
            id: CategoryId::new(),
            parent_id,
            name: name.into(),
            color: "#000000".into(),
            hotkey: None,
            position: 0,
            export_id,
            skeleton: None,
            attributes: Vec::new(),
            annotation_count: 0,
            item_count: 0,
        }
    }

    fn wanted(name: Option<&str>, id: Option<i64>, parent: Option<usize>) -> ImportedCategory {
        ImportedCategory {
            id,
            name: name.map(Into::into),
            parent,
            line: 1,
            ..ImportedCategory::default()
        }
    }

    #[test]
    fn names_match_regardless_of_case_and_the_closest_of_several_wins() {
        let animal = category("animal", 1, None);
        let (cat, pet_cat) = (category("Cat", 2, None), category("cat", 3, Some(animal.id)));
        let c = Catalogue::new(vec![animal.clone(), cat.clone(), pet_cat.clone()]);
        assert_eq!(c.find(&wanted(Some("CAT"), None, None), None), Some(cat.id));
        assert_eq!(
            c.find(&wanted(Some("cat"), None, None), Some(animal.id)),
            Some(pet_cat.id)
        );
        assert_eq!(
            c.find(&wanted(Some("cat"), Some(3), None), None),
            Some(pet_cat.id)
        );
        assert_eq!(c.find(&wanted(None, Some(2), None), None), Some(cat.id));
        assert_eq!(c.find(&wanted(None, Some(9), None), None), None);
        assert_eq!(c.find(&wanted(Some("dog"), Some(2), None), None), None);
    }

    #[test]
    fn parents_come_first() {
        let list = [
            wanted(Some("c"), None, Some(2)),
            wanted(Some("a"), None, None),
            wanted(Some("b"), None, Some(1)),
        ];
        assert_eq!(parents_first(&list), [1, 2, 0]);
    }
}
