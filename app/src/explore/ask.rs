//! The question of a page: it stands in the address, is asked again when it is another, and goes on with the next rows.

use crate::error::AppError;
use crate::fmt;
use crate::ui::use_toasts;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_query_map;
use limn_domain::explore::{ExploreQuery, ROWS_MAX};
use std::future::Future;

/// Rows of a page.
pub const PAGE: i64 = 60;

/// The question that the address holds.
pub fn use_question() -> Memo<ExploreQuery> {
    let params = use_query_map();
    Memo::new(move |_| {
        params
            .with(|p| p.get("q"))
            .and_then(|text| serde_json::from_str::<ExploreQuery>(&text).ok())
            .unwrap_or_default()
    })
}

/// A question as addresses hold it, `q=...`; nothing for the one that asks for everything.
pub fn in_address(query: &ExploreQuery) -> Option<String> {
    (*query != ExploreQuery::default()).then(|| {
        let text = serde_json::to_string(query).unwrap_or_default();
        format!("q={}", fmt::encode(&text))
    })
}

/// The first page of a question, with its counts.
pub fn asked(query: ExploreQuery) -> ExploreQuery {
    ExploreQuery {
        offset: 0,
        limit: Some(PAGE),
        rows_only: false,
        ..query
    }
}

/// Asks again when the question is another, or its answer, as `again` says. `shown` counts the rows that are shown. Only the newest
/// question's answer is taken, with the question. Answers whether one is awaited.
pub fn follow_question<A, F>(
    query: Memo<ExploreQuery>,
    again: RwSignal<u32>,
    shown: impl Fn() -> usize + 'static,
    ask: impl Fn(ExploreQuery) -> F + 'static,
    take: impl Fn(ExploreQuery, A) + Copy + 'static,
) -> RwSignal<bool>
where
    A: 'static,
    F: Future<Output = Result<A, AppError>> + 'static,
{
    let busy = RwSignal::new(false);
    let toasts = use_toasts();
    let turn = StoredValue::new(0_u64);
    Effect::new(move |before: Option<(ExploreQuery, u32)>| {
        let now = (query.get(), again.get());
        if let Some(before) = before.filter(|b| *b != now) {
            turn.update_value(|t| *t += 1);
            let mine = turn.get_value();
            busy.set(true);
            let mut wanted = asked(now.0.clone());
            if before.0 == now.0 {
                // What somebody has scrolled to stays where it is.
                wanted.limit = Some((shown() as i64).clamp(PAGE, ROWS_MAX));
            }
            let (answer, question) = (ask(wanted), now.0.clone());
            spawn_local(async move {
                let answer = answer.await;
                if turn.try_get_value() != Some(mine) {
                    return;
                }
                busy.set(false);
                match answer {
                    Ok(answer) => take(question, answer),
                    Err(error) => toasts.error(&error),
                }
            });
        }
        now
    });
    busy
}

/// Asks for the rows behind those that are shown.
#[derive(Clone, Copy)]
pub struct More {
    pub busy: RwSignal<bool>,
    pub run: Callback<()>,
}

/// Makes it. `take` gets the answer, unless the question is another by then.
pub fn use_more<A, F>(
    query: Memo<ExploreQuery>,
    shown: impl Fn() -> usize + Send + Sync + 'static,
    ask: impl Fn(ExploreQuery) -> F + Send + Sync + 'static,
    take: impl Fn(A) + Copy + Send + Sync + 'static,
) -> More
where
    A: 'static,
    F: Future<Output = Result<A, AppError>> + 'static,
{
    let busy = RwSignal::new(false);
    let toasts = use_toasts();
    let run = Callback::new(move |()| {
        busy.set(true);
        let now = query.get_untracked();
        let answer = ask(ExploreQuery {
            offset: shown() as i64,
            rows_only: true,
            ..asked(now.clone())
        });
        spawn_local(async move {
            let answer = answer.await;
            if busy.try_set(false).is_some() || query.try_get_untracked() != Some(now) {
                return;
            }
            match answer {
                Ok(answer) => take(answer),
                Err(error) => toasts.error(&error),
            }
        });
    });
    More { busy, run }
}
