//! The metrics of a run a part at a time: the first come with its page, those behind them and what is searched for are asked for.

use super::api;
use super::run::RunCtx;
use crate::fmt;
use crate::ui::{Button, debounce, use_toasts};
use leptos::html;
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::run::metrics::{Metrics, MetricsQuery};
use std::time::Duration;

/// Waits for a pause in typing before it asks.
const TYPING_PAUSE: Duration = Duration::from_millis(200);
/// Between two parts that come by being scrolled to: the first of them has its height by then.
const REST: Duration = Duration::from_millis(700);
/// Pixels below the screen within which the next part comes.
const NEAR: f64 = 500.0;

/// What is shown of a run's metrics.
#[derive(Clone, Copy)]
pub struct Listed {
    /// The first of those that match, and while an answer is awaited those of before; `None` before the first answer.
    pub metrics: Memo<Option<Metrics>>,
    pub busy: Memo<bool>,
}

impl Listed {
    /// How many are here.
    pub fn shown(self) -> Signal<usize> {
        Signal::derive(move || self.metrics.with(|m| m.as_ref().map_or(0, |m| m.rows.len())))
    }

    /// How many match.
    pub fn total(self) -> Signal<usize> {
        Signal::derive(move || self.metrics.with(|m| m.as_ref().map_or(0, |m| m.total)))
    }
}

/// The first `limit` of those that have the text in their key.
pub fn use_metrics(ctx: RunCtx, system: bool, text: RwSignal<String>, limit: RwSignal<usize>) -> Listed {
    let toasts = use_toasts();
    let query = Memo::new(move |_| MetricsQuery {
        system,
        text: text.with(|t| t.trim().to_lowercase()),
        limit: limit.get(),
    });
    // What came with the page answers most of it.
    let known = Memo::new(move |_| {
        let query = query.get();
        ctx.detail.with(|d| {
            if system {
                d.system.answer(&query)
            } else {
                d.metrics.answer(&query)
            }
        })
    });
    let fetched = RwSignal::new(None::<(MetricsQuery, Metrics)>);
    let exact = Memo::new(move |_| {
        let query = query.get();
        let answer = || {
            fetched.with(|f| {
                let same = f.as_ref().filter(|(q, _)| *q == query);
                same.map(|(_, metrics)| metrics.clone())
            })
        };
        known.get().or_else(answer)
    });
    let change = Memo::new(move |_| ctx.detail.with(|d| d.run.info.change));
    let mut ask = debounce(TYPING_PAUSE, move |query: MetricsQuery| {
        spawn_local(async move {
            match api::run_metrics(ctx.id, query.clone()).await {
                Ok(metrics) => {
                    fetched.try_set(Some((query, metrics)));
                }
                Err(error) => toasts.error(&error),
            }
        });
    });
    Effect::new(move |_| {
        change.track();
        let query = query.get();
        if known.with(Option::is_none) {
            ask(query);
        }
    });
    Listed {
        metrics: Memo::new(move |before: Option<&Option<Metrics>>| {
            exact.get().or_else(|| before.cloned().flatten())
        }),
        busy: Memo::new(move |_| exact.with(Option::is_none)),
    }
}

/// Below a part of them: how much of all it is, and a button for more, which presses itself where it is scrolled to.
#[component]
pub fn MoreBelow(
    of: Listed,
    limit: RwSignal<usize>,
    /// So many more at a time.
    page: usize,
    /// Within a card whose content reaches its edges.
    #[prop(optional)]
    pad: bool,
    #[prop(optional)] by_itself: bool,
) -> impl IntoView {
    let (shown, total) = (of.shown(), of.total());
    let more = move || limit.set(shown.get_untracked() + page);
    let line = NodeRef::<html::P>::new();
    if by_itself {
        when_near(line, of, more);
    }
    let class = if pad {
        "data-more muted pad"
    } else {
        "data-more muted"
    };
    view! {
        <Show when=move || { shown.get() < total.get() }>
            <p class=class node_ref=line>
                {move || format!("{} of {} shown", fmt::count(shown.get() as i64), fmt::count(total.get() as i64))}
                <Button loading=of.busy on_click=more>{format!("Show {page} more")}</Button>
            </p>
        </Show>
    }
}

/// Does it whenever the line is near the screen, a moment after the last time at the earliest.
fn when_near(line: NodeRef<html::P>, of: Listed, more: impl Fn() + Copy + 'static) {
    let (waiting, rests) = (StoredValue::new(false), StoredValue::new(false));
    let rested = RwSignal::new(0_u32);
    let look = move || {
        if waiting.try_get_value() != Some(false) {
            return;
        }
        waiting.set_value(true);
        request_animation_frame(move || {
            let gone = waiting.try_set_value(false).is_some();
            if gone || rests.get_value() || of.busy.get_untracked() {
                return;
            }
            let height = window().inner_height().ok().and_then(|h| h.as_f64());
            let within = height.unwrap_or(0.0) + NEAR;
            let place = line.get_untracked().map(|l| l.get_bounding_client_rect().top());
            if place.is_some_and(|top| top < within) {
                rests.set_value(true);
                more();
                set_timeout(
                    move || {
                        rests.try_set_value(false);
                        rested.try_update(|n| *n += 1);
                    },
                    REST,
                );
            }
        });
    };
    let handles = StoredValue::new(Vec::new());
    Effect::new(move |_| {
        line.track();
        rested.track();
        of.metrics.track();
        of.busy.track();
        look();
        if handles.with_value(Vec::is_empty) {
            handles.set_value(vec![
                window_event_listener(leptos::ev::scroll, move |_| look()),
                window_event_listener(leptos::ev::resize, move |_| look()),
            ]);
        }
    });
    on_cleanup(move || {
        for handle in handles.try_update_value(std::mem::take).unwrap_or_default() {
            handle.remove();
        }
    });
}
