//! Filters beside what was found, for whichever page looks through something: values with counts, numbers with bounds, what is
//! filtered by, views that are kept. Knows no server function: pages hand over what they were answered.

mod active;
mod days;
mod facets;
mod views;

pub use active::Active;
pub use facets::Facets;
pub use views::{Kept, Views, ViewsOf};

use leptos::prelude::*;
use limn_domain::explore::{Bounds, Column, ExploreFilter, ExploreQuery, Facet};

/// What is asked, and what is counted.
#[derive(Clone, Copy)]
pub struct Filters {
    pub query: Memo<ExploreQuery>,
    pub change: Callback<ExploreQuery>,
    pub facets: Memo<Vec<Facet>>,
    pub columns: Memo<Vec<Column>>,
}

impl Filters {
    fn filter(&self, f: impl FnOnce(&mut ExploreFilter)) {
        edit(self.query, self.change, f);
    }

    /// What people read for a facet or column.
    fn label(&self, name: &str) -> String {
        let facet = self
            .facets
            .with(|l| l.iter().find(|f| f.name == name).map(|f| f.label.clone()));
        let column = || {
            self.columns
                .with(|l| l.iter().find(|c| c.name == name).map(|c| c.label.clone()))
        };
        facet.or_else(column).unwrap_or_else(|| name.to_owned())
    }

    /// Whether a column holds times.
    fn is_time(&self, name: &str) -> bool {
        self.columns
            .with(|l| l.iter().any(|c| c.name == name && days::is_time(c)))
    }
}

/// Changes the filter of a question, and asks if that makes it another.
pub fn edit(query: Memo<ExploreQuery>, change: Callback<ExploreQuery>, f: impl FnOnce(&mut ExploreFilter)) {
    let mut next = query.get_untracked();
    f(&mut next.filter);
    next.filter.facets.retain(|_, values| !values.is_empty());
    next.filter.ranges.retain(|_, b| *b != Bounds::default());
    if next != query.get_untracked() {
        change.run(next);
    }
}
