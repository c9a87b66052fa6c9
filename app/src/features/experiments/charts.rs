//! The metrics of a run as lines: smoothed, on a logarithm, over steps or time. All of it stands in the address.

use super::api;
use super::metrics::{MoreBelow, use_metrics};
use super::run::use_run;
use crate::data::use_load;
use crate::fmt;
use crate::ui::{
    Card, Checkbox, EmptyState, ErrorView, Glyph, Line, LineChart, Select, Skeleton, TextInput, XKind,
};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_location, use_navigate, use_query_map};
use limn_domain::RunId;
use limn_domain::run::chart::{Axis, Series, smooth};

/// Charts of runs side by side, and points of a line.
pub const SHOWN: usize = 24;
pub const POINTS: i64 = 600;
/// Charts of one run that are asked for at once; the next ones when they are scrolled to.
const AT_ONCE: usize = 8;

/// How charts are drawn.
#[derive(Clone, Copy)]
pub struct Look {
    pub axis: RwSignal<String>,
    pub log: RwSignal<bool>,
    pub weight: RwSignal<String>,
    pub text: RwSignal<String>,
}

impl Look {
    /// From the address, and written back to it.
    pub fn from_address(keep: &'static [&'static str]) -> Self {
        let query = use_query_map();
        let get = move |name: &str| query.with_untracked(|q| q.get(name).unwrap_or_default());
        let look = Self {
            axis: RwSignal::new(Axis::parse(&get("x")).unwrap_or_default().as_str().to_owned()),
            log: RwSignal::new(get("log") == "1"),
            weight: RwSignal::new(get("smooth").parse::<f64>().map_or_else(
                |_| "0".to_owned(),
                |w| if w.is_nan() { 0.0 } else { w.clamp(0.0, 0.99) }.to_string(),
            )),
            text: RwSignal::new(get("q")),
        };
        let navigate = use_navigate();
        let path = use_location().pathname;
        Effect::new(move |before: Option<()>| {
            let (axis, log, weight, text) = (
                look.axis.get(),
                look.log.get(),
                look.weight.get(),
                look.text.get(),
            );
            if before.is_none() {
                return;
            }
            let mut parts: Vec<String> = keep
                .iter()
                .filter_map(|k| Some((k, query.with_untracked(|q| q.get(k))?)))
                .map(|(k, v)| format!("{k}={}", fmt::encode(&v)))
                .collect();
            if !text.trim().is_empty() {
                parts.push(format!("q={}", fmt::encode(text.trim())));
            }
            if axis != Axis::Step.as_str() {
                parts.push(format!("x={axis}"));
            }
            if log {
                parts.push("log=1".to_owned());
            }
            if weight.parse() != Ok(0.0) {
                parts.push(format!("smooth={weight}"));
            }
            let search = if parts.is_empty() {
                String::new()
            } else {
                format!("?{}", parts.join("&"))
            };
            let options = NavigateOptions {
                replace: true,
                scroll: false,
                ..NavigateOptions::default()
            };
            navigate(&format!("{}{search}", path.get_untracked()), options);
        });
        look
    }

    pub fn axis(&self) -> Axis {
        self.axis.with(|a| Axis::parse(a)).unwrap_or_default()
    }

    fn kind(&self) -> XKind {
        match self.axis() {
            Axis::Step => XKind::Plain,
            Axis::Time => XKind::Time,
            Axis::Relative => XKind::Seconds,
        }
    }

    /// A series as a line.
    pub fn line(&self, s: &Series, name: String, color: usize) -> Line {
        let axis = self.axis();
        let first = s.points.iter().map(|p| p.at_ms).min().unwrap_or(0);
        let mut points: Vec<(f64, f64)> = s
            .points
            .iter()
            .map(|p| {
                let x = match axis {
                    Axis::Step => p.step as f64,
                    Axis::Time => p.at_ms as f64,
                    Axis::Relative => (p.at_ms - first) as f64 / 1000.0,
                };
                (x, p.value)
            })
            .collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let weight = self.weight.with(|w| w.parse::<f64>()).unwrap_or(0.0);
        if weight <= 0.0 {
            return Line {
                name,
                color,
                points,
                raw: Vec::new(),
            };
        }
        let values: Vec<f64> = points.iter().map(|p| p.1).collect();
        let smoothed = smooth(&values, weight);
        let even = points.iter().zip(smoothed).map(|(p, y)| (p.0, y)).collect();
        Line {
            name,
            color,
            points: even,
            raw: points,
        }
    }
}

/// The controls above charts.
#[component]
pub fn LookBar(look: Look) -> impl IntoView {
    let axes: Vec<(String, String)> = Axis::ALL
        .map(|a| (a.as_str().to_owned(), format!("By {}", a.label().to_lowercase())))
        .to_vec();
    view! {
        <div class="toolbar charts-bar">
            <div class="toolbar__search"><TextInput value=look.text kind="search" icon=Glyph::Search placeholder="Search metrics" label="Search metrics"/></div>
            <Select value=look.axis options=axes label="Horizontal axis"/>
            <label class="charts-smooth">
                <span>"Smoothing"</span>
                <input type="range" min="0" max="0.99" step="0.01" prop:value=move || look.weight.get()
                    on:input=move |ev| look.weight.set(event_target_value(&ev))/>
                <output>{move || look.weight.get()}</output>
            </label>
            <Checkbox checked=look.log label="Logarithm"/>
        </div>
    }
}

/// `/runs/:id/charts`
#[component]
pub fn ChartsTab() -> impl IntoView {
    view! { <Drawn system=false/> }
}

/// `/runs/:id/system`
#[component]
pub fn SystemTab() -> impl IntoView {
    view! { <Drawn system=true/> }
}

/// The charts of what the run logged, or of the machine it ran on.
#[component]
fn Drawn(system: bool) -> impl IntoView {
    let ctx = use_run();
    let look = Look::from_address(&[]);
    let limit = RwSignal::new(AT_ONCE);
    let found = use_metrics(ctx, system, look.text, limit);
    let keys = Memo::new(move |_| {
        found.metrics.with(|m| {
            let rows = m.as_ref().map(|m| m.rows.iter().map(|r| r.0.key.clone()));
            rows.map(|keys| keys.collect::<Vec<String>>())
        })
    });
    let shown = found.shown();
    let name = Memo::new(move |_| ctx.detail.with(|d| d.run.info.name.clone()));
    // Raised by what a running run logs, so that its lines grow.
    let change = Memo::new(move |_| ctx.detail.with(|d| d.run.info.change));
    // Each part asks for lines of its own: those that are there are not asked for again with the next.
    let part = move |n: usize| {
        Signal::derive(move || {
            keys.with(|keys| {
                let some = keys.iter().flatten().skip(n * AT_ONCE).take(AT_ONCE);
                some.map(|k| (k.clone(), vec![(ctx.id, name.get())]))
                    .collect::<Vec<_>>()
            })
        })
    };
    view! {
        <LookBar look/>
        <Show when=move || keys.with(Option::is_some) fallback=|| view! { <Card><Skeleton lines=6/></Card> }>
            <Show when=move || { shown.get() > 0 } fallback=|| view! {
                <Card><EmptyState glyph=Glyph::Activity title="No metric here" text="Metrics that the run logs are drawn here as they come."/></Card>
            }>
                <Charts look of=part(0) change/>
                <For each=move || { 1..shown.get().div_ceil(AT_ONCE).max(1) } key=|n| *n let:n>
                    <div class="charts-part"><Charts look of=part(n) change/></div>
                </For>
                <MoreBelow of=found limit page=AT_ONCE by_itself=true/>
            </Show>
        </Show>
    }
}

/// A chart a metric, a line a run.
/// A metric's key, and the runs that have it with their names.
type Named = (String, Vec<(RunId, String)>);

#[component]
pub fn Charts(
    look: Look,
    /// Key, and the runs with their names.
    #[prop(into)]
    of: Signal<Vec<Named>>,
    /// Read again when it changes.
    change: Memo<i64>,
) -> impl IntoView {
    let wanted = Memo::new(move |_| {
        of.with(|of| {
            of.iter()
                .flat_map(|(key, runs)| runs.iter().map(|(id, _)| (*id, key.clone())))
                .take(200)
                .collect::<Vec<_>>()
        })
    });
    let series = use_load(
        move || (wanted.get(), change.get()),
        |(of, _)| api::run_series(of, POINTS),
    );
    view! {
        <Transition fallback=|| view! { <Card><Skeleton lines=6/></Card> }>
            {move || Suspend::new(async move {
                match series.await {
                    Ok(all) => {
                        let all = StoredValue::new(all);
                        let cards = of
                            .get_untracked()
                            .into_iter()
                            .map(|(key, runs)| view! { <Chart key_=key runs all look/> })
                            .collect_view();
                        view! { <div class="charts">{cards}</div> }.into_any()
                    }
                    Err(error) => view! { <ErrorView error retry=move || series.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn Chart(
    key_: String,
    runs: Vec<(RunId, String)>,
    all: StoredValue<Vec<Series>>,
    look: Look,
) -> impl IntoView {
    let title = key_.clone();
    let total: i64 = all.with_value(|all| all.iter().filter(|s| s.key == title).map(|s| s.total).sum());
    let single = runs.len() == 1;
    let lines = {
        let key = key_.clone();
        Signal::derive(move || {
            all.with_value(|all| {
                runs.iter()
                    .enumerate()
                    .filter_map(|(color, (id, name))| {
                        let s = all.iter().find(|s| s.run_id == *id && s.key == key)?;
                        let name = if single { String::new() } else { name.clone() };
                        Some(look.line(s, name, color))
                    })
                    .collect::<Vec<_>>()
            })
        })
    };
    view! {
        <Card title=title class="charts__one" aside=ViewFn::from(move || view! { <span class="faint">{fmt::counted(total, "point", "points")}</span> })>
            <LineChart label=key_ lines log=look.log kind=Signal::derive(move || look.kind())/>
        </Card>
    }
}
