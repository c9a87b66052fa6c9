//! Categories and people by the names they have now: an index knows them by their ids.

use super::row::{COLUMNS, FACETS, HELD_BY, LABELED_BY, OF_ITEM, OF_LABEL, SUBMITTED_BY};
use crate::versions::labels;
use crate::{Error, Result};
use limn_domain::explore::{BY_PATH, Bounds, Column, ExploreFilter, ExploreQuery, Facet, FacetValue};
use limn_domain::{Attribute, ProjectId};
use limn_store::{Tx, repo};
use std::collections::HashMap;

/// What is shown for what an index says.
pub(super) struct Names {
    /// Paths of categories, by id.
    categories: HashMap<String, String>,
    people: HashMap<String, String>,
    /// Those who have a name, by it: filters that were kept may say it from before it was somebody else's too.
    called: HashMap<String, Vec<String>>,
    /// Names of attributes, by their facets.
    attributes: HashMap<String, String>,
}

impl Names {
    pub async fn read(tx: &mut Tx, project: ProjectId) -> Result<Self> {
        let heads = repo::transfer::categories(tx, project).await?;
        let mut attributes = HashMap::new();
        for attribute in repo::transfer::item_attributes(tx, project).await? {
            add(&mut attributes, OF_ITEM, &attribute);
        }
        for attribute in heads.iter().flat_map(|h| &h.attributes) {
            add(&mut attributes, OF_LABEL, attribute);
        }
        let paths = labels::paths(&heads).into_iter();
        let users = repo::user::list(tx).await?;
        let mut called: HashMap<String, Vec<String>> = HashMap::new();
        for user in &users {
            called
                .entry(user.name.clone())
                .or_default()
                .push(user.id.to_string());
        }
        let name = |u: &limn_domain::user::User| match called.get(&u.name).map(Vec::len) {
            Some(1) => u.name.clone(),
            // Several of one name are told by their addresses.
            _ => format!("{} ({})", u.name, u.email),
        };
        Ok(Self {
            categories: paths.map(|(id, path)| (id.to_string(), path)).collect(),
            people: users.iter().map(|u| (u.id.to_string(), name(u))).collect(),
            called,
            attributes,
        })
    }

    fn of(&self, facet: &str) -> Option<&HashMap<String, String>> {
        match facet {
            "category" | "proposed" => Some(&self.categories),
            LABELED_BY | SUBMITTED_BY | HELD_BY => Some(&self.people),
            _ => None,
        }
    }

    /// A filter as the index takes it: everybody of a name that several have. A name that is nobody's stays, and nothing has it.
    pub fn inward(&self, mut filter: ExploreFilter) -> ExploreFilter {
        for (facet, values) in &mut filter.facets {
            let Some(names) = self.of(facet) else { continue };
            let ids: HashMap<&str, &String> = names.iter().map(|(id, name)| (name.as_str(), id)).collect();
            let of_people = matches!(facet.as_str(), LABELED_BY | SUBMITTED_BY | HELD_BY);
            let mut found = Vec::with_capacity(values.len());
            for value in values.drain(..) {
                let several = self.called.get(&value).filter(|_| of_people);
                match (ids.get(value.as_str()), several) {
                    (Some(id), _) => found.push((*id).clone()),
                    (None, Some(all)) => found.extend(all.iter().cloned()),
                    (None, None) => found.push(value),
                }
            }
            *values = found;
        }
        filter
    }

    /// Facets as people read them, in the order they are shown in; attributes that are not defined any more are left out.
    pub fn outward(&self, facets: Vec<Facet>) -> Vec<Facet> {
        let mut out: Vec<Facet> = Vec::with_capacity(facets.len());
        for mut facet in facets {
            if facet.name.contains(':') {
                let Some(name) = self.attributes.get(&facet.name) else {
                    continue;
                };
                facet.label.clone_from(name);
            }
            if let Some(names) = self.of(&facet.name) {
                for v in &mut facet.values {
                    if let Some(name) = names.get(&v.value) {
                        v.value.clone_from(name);
                    }
                }
                facet
                    .values
                    .sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
            }
            out.push(facet);
        }
        out.sort_by_cached_key(|f| {
            let place = FACETS.iter().position(|(name, _)| *name == f.name);
            (place.unwrap_or(FACETS.len()), f.name.clone())
        });
        out
    }
}

fn add(attributes: &mut HashMap<String, String>, of: &str, attribute: &Attribute) {
    attributes.insert(format!("{of}:{}", attribute.key), attribute.name.clone());
}

/// With those that are filtered by and that no item has a value of any more: they have to be in sight to be taken away.
pub(super) fn with_chosen(mut facets: Vec<Facet>, filter: &ExploreFilter) -> Vec<Facet> {
    for (name, values) in filter.facets.iter().filter(|(_, v)| !v.is_empty()) {
        if facets.iter().any(|f| f.name == *name) {
            continue;
        }
        let mut known = FACETS.into_iter().filter(|(n, _)| n == name);
        let own = name.split_once(':').map_or(name.as_str(), |(_, key)| key);
        let none = |value: &String| FacetValue {
            value: value.clone(),
            count: 0,
        };
        facets.push(Facet {
            name: name.clone(),
            label: known.next().map_or(own, |(_, label)| label).to_owned(),
            values: values.iter().map(none).collect(),
            more: 0,
        });
    }
    facets
}

/// Columns in the order they are shown in.
pub(super) fn in_order(mut columns: Vec<Column>) -> Vec<Column> {
    columns.sort_by_key(|c| COLUMNS.iter().position(|(name, ..)| *name == c.name));
    columns
}

/// Errors name a facet or column that items never have.
pub(super) fn check(query: &ExploreQuery) -> Result<()> {
    let is_facet = |name: &str| {
        let of = name.split_once(':').map(|(of, _)| of);
        matches!(of, Some(OF_ITEM | OF_LABEL)) || FACETS.iter().any(|(n, _)| *n == name)
    };
    let is_column = |name: &str| COLUMNS.iter().any(|(n, ..)| *n == name);
    let mut facets = query.filter.facets.iter().filter(|(_, w)| !w.is_empty());
    if let Some((name, _)) = facets.find(|(name, _)| !is_facet(name)) {
        return Err(Error::field(
            "filter",
            format!("No item has a value of `{name}`."),
        ));
    }
    let mut ranges = query
        .filter
        .ranges
        .iter()
        .filter(|(_, b)| **b != Bounds::default());
    let unknown = ranges.find(|(name, _)| !is_column(name)).map(|(name, _)| name);
    let sort = query.sort.as_ref().filter(|s| *s != BY_PATH && !is_column(s));
    match unknown.or(sort) {
        Some(name) => Err(Error::field("filter", format!("No item has a number `{name}`."))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_name_that_somebody_else_has_by_now_finds_both() {
        let of = |list: &[(&str, &str)]| -> HashMap<String, String> {
            let owned = list
                .iter()
                .map(|(id, name)| ((*id).to_owned(), (*name).to_owned()));
            owned.collect()
        };
        let names = Names {
            categories: of(&[("c", "cat")]),
            people: of(&[("1", "Ana (a@x)"), ("2", "Ana (b@x)"), ("3", "Bo")]),
            called: HashMap::from([
                ("Ana".to_owned(), vec!["1".to_owned(), "2".to_owned()]),
                ("Bo".to_owned(), vec!["3".to_owned()]),
            ]),
            attributes: HashMap::new(),
        };
        let asked = |facet: &str, value: &str| {
            let filter = ExploreFilter {
                facets: BTreeMap::from([(facet.to_owned(), vec![value.to_owned()])]),
                ..ExploreFilter::default()
            };
            names.inward(filter).facets.remove(facet).unwrap_or_default()
        };
        assert_eq!(asked(LABELED_BY, "Ana"), ["1", "2"]);
        assert_eq!(asked(HELD_BY, "Ana (b@x)"), ["2"]);
        assert_eq!(asked(SUBMITTED_BY, "Bo"), ["3"]);
        assert_eq!(asked(SUBMITTED_BY, "Cy"), ["Cy"], "nobody, so nothing has it");
        assert_eq!(asked("category", "cat"), ["c"]);
        assert_eq!(asked("category", "Ana"), ["Ana"]);
    }
}
