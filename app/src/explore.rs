//! A page that looks through something, whatever it is: the question in the address and how it is asked, values with counts, numbers
//! with bounds, what is filtered by, the order, what is selected, views that are kept. Pages bring the server functions, what a row
//! looks like, and what can be done.

mod active;
mod ask;
mod days;
mod facets;
mod first;
mod frame;
mod indexing;
mod pick;
mod tools;
mod views;

use active::Active;
pub use ask::{More, PAGE, follow_question, in_address, use_more, use_question};
use facets::Facets;
pub use first::use_first;
pub use frame::{Frame, found};
pub use indexing::Indexing;
pub use pick::{Foot, Pick, use_pick};
pub use tools::{Order, Tools};
pub use views::{Views, ViewsOf, use_views};

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
fn edit(query: Memo<ExploreQuery>, change: Callback<ExploreQuery>, f: impl FnOnce(&mut ExploreFilter)) {
    let mut next = query.get_untracked();
    f(&mut next.filter);
    next.filter.facets.retain(|_, values| !values.is_empty());
    next.filter.ranges.retain(|_, b| *b != Bounds::default());
    if next != query.get_untracked() {
        change.run(next);
    }
}
