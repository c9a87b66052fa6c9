//! The filters beside what was found: values with counts, numbers with histograms.

use super::{Filters, days};
use crate::fmt;
use crate::ui::Plot;
use leptos::prelude::*;
use limn_domain::explore::{Bounds, Column, Facet};

/// Values of a facet before one asks for all.
const FIRST: usize = 8;

#[component]
pub fn Facets(of: Filters) -> impl IntoView {
    let facets = Memo::new(move |_| {
        of.facets
            .with(|l| l.iter().map(|f| f.name.clone()).collect::<Vec<_>>())
    });
    let columns = Memo::new(move |_| {
        of.columns
            .with(|l| l.iter().map(|c| c.name.clone()).collect::<Vec<_>>())
    });
    view! {
        <For each=move || facets.get() key=String::clone let:name><OneFacet filters=of name/></For>
        <For each=move || columns.get() key=String::clone let:name><OneColumn filters=of name/></For>
    }
}

#[component]
fn OneFacet(filters: Filters, name: String) -> impl IntoView {
    let all = RwSignal::new(false);
    let of = StoredValue::new(name);
    let facet = Memo::new(move |_| {
        filters
            .facets
            .with(|l| of.with_value(|name| l.iter().find(|f| f.name == *name).cloned()))
    });
    let with = move |f: &dyn Fn(&Facet) -> usize| facet.with(|x| x.as_ref().map_or(0, f));
    let values = move || {
        let list = facet.with(|f| f.as_ref().map(|f| f.values.clone()).unwrap_or_default());
        let n = if all.get() { list.len() } else { FIRST };
        list.into_iter().take(n).map(|v| v.value).collect::<Vec<_>>()
    };
    let most = move || with(&|f| f.values.iter().map(|v| v.count as usize).max().unwrap_or(0)).max(1);
    let label = facet.with_untracked(|f| f.as_ref().map_or_else(String::new, |f| f.label.clone()));
    view! {
        <fieldset class="facet">
            <legend class="facet__name">{label}</legend>
            <For each=values key=String::clone let:value>
                {
                    let (shown, wanted, chosen) = (value.clone(), value.clone(), value.clone());
                    let count = Memo::new(move |_| facet.with(|f| {
                        f.as_ref().and_then(|f| f.values.iter().find(|v| v.value == wanted)).map_or(0, |v| v.count)
                    }));
                    let is_on = Memo::new(move |_| filters.query.with(|q| {
                        of.with_value(|name| q.filter.facets.get(name).is_some_and(|v| v.contains(&chosen)))
                    }));
                    let toggle = move |_| filters.filter(|f| {
                        let values = f.facets.entry(of.get_value()).or_default();
                        match values.iter().position(|v| *v == value) {
                            Some(at) => drop(values.remove(at)),
                            None => values.push(value.clone()),
                        }
                    });
                    view! {
                        <label class="facet__value" class:is-on=move || is_on.get()>
                            <input type="checkbox" prop:checked=move || is_on.get() checked=is_on.get_untracked() on:change=toggle/>
                            <span class="facet__text" title=shown.clone()>{shown.clone()}</span>
                            <span class="facet__count">{move || fmt::count(count.get())}</span>
                            <i class="facet__bar" style=move || format!("width:{:.1}%", count.get() as f64 / most() as f64 * 100.0)></i>
                        </label>
                    }
                }
            </For>
            {move || {
                let (n, more) = (with(&|f| f.values.len()), with(&|f| f.more as usize));
                let hidden = n.saturating_sub(FIRST);
                view! {
                    {(hidden > 0 || all.get()).then(|| view! {
                        <button type="button" class="link facet__more" aria-expanded=all.get().to_string() on:click=move |_| all.update(|a| *a = !*a)>
                            {if all.get() { "Show fewer".to_owned() } else { format!("{hidden} more") }}
                        </button>
                    })}
                    {(all.get() && more > 0).then(|| view! { <p class="faint facet__more">{format!("{} values are not listed", fmt::count(more as i64))}</p> })}
                }
            }}
        </fieldset>
    }
}

#[component]
fn OneColumn(filters: Filters, name: String) -> impl IntoView {
    let of = StoredValue::new(name);
    let column = Memo::new(move |_| {
        filters
            .columns
            .with(|l| of.with_value(|name| l.iter().find(|c| c.name == *name).cloned()))
    });
    let bounds = Memo::new(move |_| {
        filters
            .query
            .with(|q| of.with_value(|name| q.filter.ranges.get(name).copied().unwrap_or_default()))
    });
    let set = move |f: &dyn Fn(&mut Bounds)| {
        filters.filter(|filter| f(filter.ranges.entry(of.get_value()).or_default()));
    };
    let first = column.get_untracked();
    let is_time = first.as_ref().is_some_and(days::is_time);
    let text = move |n: Option<f64>| match n {
        None => String::new(),
        Some(n) if is_time => days::date(n),
        Some(n) => n.to_string(),
    };
    let kind = if is_time { "date" } else { "number" };
    let label = first.as_ref().map_or_else(String::new, |c| c.label.clone());
    let (from, to) = (format!("{label}, at least"), format!("{label}, at most"));
    let (low, high) = first.map_or_else(Default::default, |c| (shown(&c, c.min), shown(&c, c.max)));
    let head = move || {
        column.with(|c| {
            c.as_ref().map(|c| {
                if is_time {
                    format!("{} (UTC)", c.label)
                } else if c.unit.is_empty() {
                    c.label.clone()
                } else {
                    format!("{} ({})", c.label, c.unit)
                }
            })
        })
    };
    view! {
        <fieldset class="facet">
            <legend class="facet__name">{head}</legend>
            {move || column.get().map(|c| view! { <Plot label=c.label.clone() counts=counts(&c) edges=edges(&c) small=true/> })}
            <div class="facet__range" class:facet__range--dates=is_time>
                <input
                    class="input" type=kind step="any" aria-label=from placeholder=low
                    prop:value=move || text(bounds.get().min)
                    on:change=move |ev| {
                        let typed = event_target_value(&ev);
                        let min = if is_time { days::first(&typed) } else { typed.parse().ok() };
                        set(&|b| b.min = min);
                    }
                />
                <span class="faint">"to"</span>
                <input
                    class="input" type=kind step="any" aria-label=to placeholder=high
                    prop:value=move || text(bounds.get().max)
                    on:change=move |ev| {
                        let typed = event_target_value(&ev);
                        let max = if is_time { days::last(&typed) } else { typed.parse().ok() };
                        set(&|b| b.max = max);
                    }
                />
            </div>
        </fieldset>
    }
}

fn counts(c: &Column) -> Vec<u64> {
    c.bins.iter().map(|n| n.unsigned_abs()).collect()
}

fn edges(c: &Column) -> Vec<String> {
    let step = (c.max - c.min) / c.bins.len().max(1) as f64;
    (0..=c.bins.len())
        .map(|i| shown(c, c.min + step * i as f64))
        .collect()
}

/// A number of a column as people read it.
fn shown(c: &Column, n: f64) -> String {
    if days::is_time(c) { days::date(n) } else { plain(n) }
}

/// A number in few digits.
fn plain(n: f64) -> String {
    if n.fract() == 0.0 || n.abs() >= 1_000.0 {
        format!("{n:.0}")
    } else {
        format!("{n:.2}")
    }
}
