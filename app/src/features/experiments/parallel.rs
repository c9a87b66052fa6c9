//! Parallel coordinates: an axis a parameter or metric, a line a run.

use super::columns::ColumnPicker;
use super::url;
use crate::fmt;
use crate::ui::{Card, series_style};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use limn_domain::filter::Entity;
use limn_domain::run::table::Column;
use limn_domain::run::{ExperimentId, Run};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Axes that are shown when nobody chose any: of parameters that differ, and of metrics.
const PARAMS: usize = 5;
const METRICS: usize = 3;
/// Axes at most.
const AXES: usize = 16;
/// From this ratio of the largest to the smallest value on an axis is logarithmic.
const LOG: f64 = 100.0;
/// Texts of an axis that are written out.
const WORDS: usize = 8;
const STEP: f64 = 168.0;
const SIDE: f64 = 84.0;
const TOP: f64 = 34.0;
const HEIGHT: f64 = 220.0;

/// One axis with where every run lies on it, 0 at the bottom to 1 at the top; `None` of runs without a value.
#[derive(Debug, Clone, PartialEq)]
struct Axis {
    column: Column,
    at: Vec<Option<f64>>,
    /// Texts beside it, by place.
    marks: Vec<(f64, String)>,
    is_log: bool,
}

impl Axis {
    fn new(column: Column, values: &[Option<String>]) -> Self {
        let number = |v: &String| v.trim().parse::<f64>().ok().filter(|n| n.is_finite());
        let numbers: Vec<Option<f64>> = values.iter().map(|v| v.as_ref().and_then(number)).collect();
        if numbers.iter().filter(|n| n.is_some()).count() == values.iter().flatten().count() {
            return Self::of_numbers(column, &numbers);
        }
        let words: BTreeSet<&String> = values.iter().flatten().collect();
        let words: Vec<&String> = words.into_iter().collect();
        let place = |n: usize| match words.len() {
            1 => 0.5,
            of => n as f64 / (of - 1) as f64,
        };
        let every = words.len().div_ceil(WORDS).max(1);
        Self {
            at: values
                .iter()
                .map(|v| v.as_ref().and_then(|v| words.binary_search(&v).ok()).map(place))
                .collect(),
            marks: words
                .iter()
                .enumerate()
                .step_by(every)
                .map(|(n, w)| (place(n), (*w).clone()))
                .collect(),
            column,
            is_log: false,
        }
    }

    fn of_numbers(column: Column, numbers: &[Option<f64>]) -> Self {
        let there = || numbers.iter().flatten().copied();
        let (low, high) = (
            there().fold(f64::INFINITY, f64::min),
            there().fold(f64::NEG_INFINITY, f64::max),
        );
        let is_log = low > 0.0 && high / low >= LOG;
        let on = |v: f64| if is_log { v.ln() } else { v };
        let span = on(high) - on(low);
        let place = |v: f64| {
            if span > 0.0 { (on(v) - on(low)) / span } else { 0.5 }
        };
        let marks = match there().next() {
            None => Vec::new(),
            Some(_) if span <= 0.0 => vec![(0.5, fmt::measured(low))],
            Some(_) => vec![(0.0, fmt::measured(low)), (1.0, fmt::measured(high))],
        };
        Self {
            at: numbers.iter().map(|v| v.map(place)).collect(),
            marks,
            column,
            is_log,
        }
    }
}

fn values(runs: &[Run], column: &Column) -> Vec<Option<String>> {
    let of = |r: &Run| match column.entity {
        Entity::Param => r.data.params.get(&column.key).cloned(),
        Entity::Tag => r.data.tags.get(&column.key).cloned(),
        _ => {
            let found = r.data.metrics.iter().find(|m| m.key == column.key);
            found.map(|m| m.last.value.to_string())
        }
    };
    runs.iter().map(of).collect()
}

/// Parameters that differ, then metrics that do.
fn at_first(runs: &[Run]) -> Vec<Column> {
    let differs = |c: &Column| {
        let all = values(runs, c);
        all.iter().flatten().next().is_some() && all.iter().any(|v| *v != all[0])
    };
    let column = |entity| move |key| Column { entity, key };
    let params: BTreeSet<String> = runs.iter().flat_map(|r| r.data.params.keys().cloned()).collect();
    let metrics = runs
        .iter()
        .flat_map(|r| r.data.metrics.iter().map(|m| m.key.clone()));
    let metrics: BTreeSet<String> = metrics.collect();
    let params = params
        .into_iter()
        .map(column(Entity::Param))
        .filter(differs)
        .take(PARAMS);
    let metrics = metrics
        .into_iter()
        .map(column(Entity::Metric))
        .filter(differs)
        .take(METRICS);
    params.chain(metrics).collect()
}

/// The chart with a choice of its axes, which stands in the address.
#[component]
pub fn Parallel(experiment: ExperimentId, runs: StoredValue<Vec<Run>>) -> impl IntoView {
    let query = use_query_map();
    let navigate = use_navigate();
    let chosen = Memo::new(move |_| {
        let text = query.with(|q| q.get("axes").unwrap_or_default());
        let wanted = url::columns(&text);
        if wanted.is_empty() {
            runs.with_value(|r| at_first(r))
        } else {
            wanted.into_iter().take(AXES).collect()
        }
    });
    let change = Callback::new(move |axes: Vec<Column>| {
        let mut search = String::new();
        let kept = query.with_untracked(|q| {
            let kept = q.clone().into_iter().filter(|(k, _)| k != "axes");
            kept.map(|(k, v)| (k.into_owned(), v)).collect::<Vec<_>>()
        });
        let axes = (!axes.is_empty()).then(|| ("axes".to_owned(), url::codes(&axes)));
        for (k, v) in kept.into_iter().chain(axes) {
            let sign = if search.is_empty() { '?' } else { '&' };
            let _ = write!(search, "{sign}{k}={}", fmt::encode(&v));
        }
        let options = NavigateOptions {
            replace: true,
            scroll: false,
            ..NavigateOptions::default()
        };
        navigate(&format!("/experiments/{experiment}/compare{search}"), options);
    });
    let axes = Memo::new(move |_| {
        runs.with_value(|r| {
            let of = |c: &Column| Axis::new(c.clone(), &values(r, c));
            chosen.with(|all| all.iter().map(of).collect::<Vec<_>>())
        })
    });
    let picker = move || {
        view! { <ColumnPicker experiment columns=chosen.into() on_change=change label="Axes"/> }
    };
    view! {
        <Card title="Parallel coordinates" class="parallel-card" aside=ViewFn::from(picker)>
            {move || if axes.with(Vec::len) < 2 {
                view! { <p class="muted">"Nothing that differs has two axes to show; choose some."</p> }.into_any()
            } else {
                runs.with_value(|r| axes.with(|a| drawn(a, r)))
            }}
        </Card>
    }
}

fn drawn(axes: &[Axis], runs: &[Run]) -> AnyView {
    let x = |n: usize| SIDE + n as f64 * STEP;
    let y = |at: f64| TOP + (1.0 - at) * HEIGHT;
    let (w, h) = (x(axes.len() - 1) + SIDE, TOP + HEIGHT + 14.0);
    let lines = axes
        .iter()
        .enumerate()
        .map(|(n, axis)| {
            let title = if axis.is_log {
                format!("{} (log)", axis.column.key)
            } else {
                axis.column.key.clone()
            };
            let marks = axis.marks.iter().map(|(at, text)| {
                let short: String = text.chars().take(16).collect();
                view! { <text class="parallel__mark" x=x(n) + 6.0 y=y(*at) + 3.5>{short}<title>{text.clone()}</title></text> }
            });
            view! {
                <g>
                    <line class="parallel__axis" x1=x(n) x2=x(n) y1=TOP y2=TOP + HEIGHT></line>
                    <text class="parallel__title" x=x(n) y=16 text-anchor="middle">{title.chars().take(22).collect::<String>()}<title>{title.clone()}</title></text>
                    {marks.collect_view()}
                </g>
            }
        })
        .collect_view();
    let paths = runs
        .iter()
        .enumerate()
        .map(|(i, r)| {
            let mut path = String::new();
            let mut pen_up = true;
            for (n, axis) in axes.iter().enumerate() {
                match axis.at[i] {
                    Some(at) => {
                        let _ = write!(path, "{}{:.1} {:.1}", if pen_up { 'M' } else { 'L' }, x(n), y(at));
                        pen_up = false;
                    }
                    None => pen_up = true,
                }
            }
            let dots = axes.iter().enumerate().filter_map(|(n, a)| {
                let at = a.at[i]?;
                Some(view! { <circle class="parallel__dot" cx=x(n) cy=y(at) r=2.5></circle> })
            });
            let said = axes.iter().map(|a| {
                let value = values(std::slice::from_ref(r), &a.column).remove(0);
                format!("{} {}", a.column.key, value.unwrap_or_else(|| "none".to_owned()))
            });
            let said = format!("{}: {}", r.info.name, said.collect::<Vec<_>>().join(", "));
            let label = said.clone();
            view! {
                // Within a group, or the macro takes the link for one of HTML, which an SVG does not draw.
                <g>
                    <a class="parallel__run" href=format!("/runs/{}", r.info.id.hex()) aria-label=label style=series_style(i)>
                        <path class="parallel__room" d=path.clone()></path>
                        <path class="parallel__line" d=path></path>
                        {dots.collect_view()}
                        <title>{said}</title>
                    </a>
                </g>
            }
        })
        .collect_view();
    view! {
        <div class="parallel" tabindex="0" role="group" aria-label="Parallel coordinates">
            <svg width=w height=h viewBox=format!("0 0 {w} {h}")>{paths}{lines}</svg>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(values: &[Option<&str>]) -> Axis {
        let values: Vec<Option<String>> = values.iter().map(|v| v.map(str::to_owned)).collect();
        let column = Column {
            entity: Entity::Param,
            key: "lr".into(),
        };
        Axis::new(column, &values)
    }

    #[test]
    fn numbers_lie_by_value_and_far_apart_ones_by_magnitude() {
        let even = axis(&[Some("1"), Some("3"), None, Some("2")]);
        assert_eq!(even.at, [Some(0.0), Some(1.0), None, Some(0.5)]);
        let log = axis(&[Some("0.001"), Some("0.1"), Some("1e-2")]);
        assert!(log.is_log);
        assert!((log.at[2].unwrap() - 0.5).abs() < 1e-9);
        let one = axis(&[Some("5"), Some("5")]);
        assert_eq!((one.at.clone(), one.marks.len()), (vec![Some(0.5), Some(0.5)], 1));
    }

    #[test]
    fn words_lie_in_their_order_and_nothing_is_no_place() {
        let words = axis(&[Some("sgd"), Some("adam"), Some("12"), None]);
        assert_eq!(words.at, [Some(1.0), Some(0.5), Some(0.0), None]);
        assert_eq!(words.marks.len(), 3);
        let none = axis(&[None, None]);
        assert_eq!((none.at, none.marks.len()), (vec![None, None], 0));
        // Infinities are words: nothing can be said of how far they are.
        assert_eq!(axis(&[Some("inf"), Some("1")]).at, [Some(1.0), Some(0.0)]);
    }
}
