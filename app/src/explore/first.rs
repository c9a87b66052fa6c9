//! The first answer of a page, read where the page is made.

use super::ask::asked;
use crate::data::{Load, use_load};
use crate::error::AppError;
use crate::ui::{Button, ErrorView};
use leptos::prelude::*;
use limn_domain::explore::ExploreQuery;
use serde::{Serialize, de::DeserializeOwned};
use std::future::Future;

/// The first answer to the question of the address, or to the one that asks for everything, where that could not be answered.
pub struct First<A: Send + Sync + 'static> {
    pub answer: Load<A>,
    query: Memo<ExploreQuery>,
    change: Callback<ExploreQuery>,
    /// What is asked in the place of a question that cannot be answered.
    instead: RwSignal<Option<ExploreQuery>>,
}

impl<A: Send + Sync + 'static> Clone for First<A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A: Send + Sync + 'static> Copy for First<A> {}

/// Asks. `change` puts another question into the address.
pub fn use_first<A, F>(
    query: Memo<ExploreQuery>,
    change: Callback<ExploreQuery>,
    ask: impl Fn(ExploreQuery) -> F + Send + Sync + 'static,
) -> First<A>
where
    A: Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Future<Output = Result<A, AppError>> + Send + 'static,
{
    let instead = RwSignal::new(None::<ExploreQuery>);
    let answer = use_load(
        move || instead.get(),
        move |q: Option<ExploreQuery>| ask(asked(q.unwrap_or_else(|| query.get_untracked()))),
    );
    First {
        answer,
        query,
        change,
        instead,
    }
}

impl<A: Serialize + DeserializeOwned + Send + Sync + 'static> First<A> {
    /// The question that is answered.
    pub fn question(self) -> ExploreQuery {
        let instead = self.instead.get_untracked();
        instead.unwrap_or_else(|| self.query.get_untracked())
    }

    /// Asks once more.
    pub fn again(self) -> Callback<()> {
        Callback::new(move |()| self.answer.refetch())
    }

    /// Why there is no answer, and what can be done.
    pub fn failed(self, error: AppError) -> AnyView {
        let clear = move || {
            self.change.run(ExploreQuery::default());
            self.instead.set(Some(ExploreQuery::default()));
        };
        view! {
            <ErrorView error retry=move || self.answer.refetch()/>
            <p class="data-more"><Button on_click=clear>"Clear all filters"</Button></p>
        }
        .into_any()
    }
}
