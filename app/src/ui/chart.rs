//! Small charts as SVG: every mark says its number on hover, and each chart has its figures in words for those who cannot see
//! it.

use crate::fmt;
use leptos::prelude::*;

/// Bars over an axis: a histogram. `edges` are the texts between the bars, one more than there are counts.
#[component]
pub fn Plot(
    #[prop(into)] label: String,
    counts: Vec<u64>,
    edges: Vec<String>,
    /// Lower, without texts below, for a row of a list.
    #[prop(optional)]
    small: bool,
) -> impl IntoView {
    const W: f64 = 300.0;
    let h = if small { 28.0 } else { 96.0 };
    let most = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let step = W / counts.len().max(1) as f64;
    let gap = if small { 1.0 } else { 2.0 };
    let edge = |i: usize| edges.get(i).cloned().unwrap_or_default();
    let said = counts
        .iter()
        .enumerate()
        .map(|(i, n)| format!("{} to {}: {}", edge(i), edge(i + 1), fmt::count(*n as i64)))
        .collect::<Vec<_>>();
    let bars = counts
        .iter()
        .zip(said.clone())
        .enumerate()
        .map(|(i, (n, title))| {
            let height = if *n == 0 { 0.0 } else { (*n as f64 / most * (h - 2.0)).max(1.5) };
            let x = i as f64 * step;
            view! {
                <g class="plot__bin">
                    <rect class="plot__room" x=x y=0 width=step height=h></rect>
                    <rect class="plot__bar" x=x + gap / 2.0 y=h - height width=(step - gap).max(1.0) height=height rx=if small { 0.5 } else { 1.5 }></rect>
                    <title>{title}</title>
                </g>
            }
        })
        .collect_view();
    let ends = (!small).then(|| {
        view! { <figcaption class="plot__ends"><span>{edge(0)}</span><span>{edge(counts.len())}</span></figcaption> }
    });
    let text = format!("{label}. {}", said.join("; "));
    view! {
        <figure class="plot" class:plot--small=small>
            <svg viewBox=format!("0 0 {W} {h}") preserveAspectRatio="none" role="img" aria-label=text>{bars}</svg>
            {ends}
        </figure>
    }
}

/// Values with bars as long as they are frequent, and their counts.
#[component]
pub fn Bars(
    #[prop(into)] label: String,
    /// Text, count, and where a click leads.
    rows: Vec<(String, u64, Option<String>)>,
    /// What 100 % is; the largest when absent.
    #[prop(optional_no_strip)]
    total: Option<u64>,
) -> impl IntoView {
    let most = rows.iter().map(|r| r.1).max().unwrap_or(0).max(1);
    let body = rows
        .into_iter()
        .map(|(text, n, href)| {
            let width = format!("width:{:.2}%", n as f64 / most as f64 * 100.0);
            let shown = if text.is_empty() {
                "(empty)".to_owned()
            } else {
                text.clone()
            };
            let name = match href {
                Some(href) => view! { <a class="link" href=href>{shown}</a> }.into_any(),
                None => shown.into_any(),
            };
            view! {
                <tr>
                    <th scope="row" title=text>{name}</th>
                    <td class="hbars__track"><i style=width></i></td>
                    <td class="hbars__n">{fmt::count(n as i64)}</td>
                    {total.map(|t| view! { <td class="hbars__n faint">{fmt::share(n, t)}</td> })}
                </tr>
            }
        })
        .collect_view();
    view! { <table class="hbars" aria-label=label><tbody>{body}</tbody></table> }
}

/// A table of coefficients from -1 to 1 as colours.
#[component]
pub fn Matrix(
    #[prop(into)] label: String,
    names: Vec<String>,
    values: Vec<Vec<Option<f64>>>,
) -> impl IntoView {
    let heads = names.clone();
    let rows = values
        .into_iter()
        .zip(names.clone())
        .map(|(row, name)| {
            let cells = row
                .into_iter()
                .zip(names.clone())
                .map(|(r, other)| {
                    let text = r.map_or_else(|| "none".to_owned(), |r| format!("{r:.2}"));
                    let share = r.map_or(0.0, |r| r.abs() * 100.0);
                    let style = format!("--strength:{share:.0}%");
                    let class = match r {
                        None => "matrix__cell is-none",
                        Some(r) if r < 0.0 => "matrix__cell is-against",
                        Some(_) => "matrix__cell",
                    };
                    let title = format!("{name} and {other}: {text}");
                    view! { <td class=class style=style title=title>{text}</td> }
                })
                .collect_view();
            view! { <tr><th scope="row" title=name.clone()>{name.clone()}</th>{cells}</tr> }
        })
        .collect_view();
    view! {
        <div class="matrix-wrap" tabindex="0" role="region" aria-label=label.clone()>
            <table class="matrix" aria-label=label.clone()>
                <thead><tr><td></td>{heads.into_iter().map(|n| view! { <th scope="col"><span title=n.clone()>{n.clone()}</span></th> }).collect_view()}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

/// Counts over a square grid, row by row: darker is more.
#[component]
pub fn Grid(#[prop(into)] label: String, side: u32, counts: Vec<u64>) -> impl IntoView {
    let side = side.max(1);
    let most = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let cells = counts
        .into_iter()
        .enumerate()
        .filter(|(_, n)| *n > 0)
        .map(|(at, n)| {
            let (x, y) = (at as u32 % side * 10, at as u32 / side * 10);
            let opacity = format!("{:.2}", (n as f64 / most).sqrt().max(0.08));
            view! {
                <rect class="heat__cell" x=x y=y width=10 height=10 fill-opacity=opacity><title>{fmt::count(n as i64)}</title></rect>
            }
        })
        .collect_view();
    let size = side * 10;
    view! {
        <svg class="heat" viewBox=format!("0 0 {size} {size}") role="img" aria-label=label>
            <rect class="heat__room" width=size height=size></rect>
            {cells}
        </svg>
    }
}

/// Where the middle of the values lies between the smallest and the largest: a line from P5 to P95, a box from Q1 to Q3, the
/// median.
#[component]
pub fn QuantileStrip(min: f64, max: f64, p5: f64, q1: f64, median: f64, q3: f64, p95: f64) -> impl IntoView {
    let width = max - min;
    let at = move |x: f64| {
        if width > 0.0 {
            ((x - min) / width * 300.0).clamp(0.0, 300.0)
        } else {
            150.0
        }
    };
    let said = [
        ("min", min),
        ("P5", p5),
        ("Q1", q1),
        ("median", median),
        ("Q3", q3),
        ("P95", p95),
        ("max", max),
    ]
    .map(|(n, x)| format!("{n} {}", fmt::figure(x)))
    .join(", ");
    view! {
        <svg class="strip" viewBox="0 0 300 16" preserveAspectRatio="none" role="img" aria-label=said.clone()>
            <title>{said.clone()}</title>
            <line class="strip__all" x1=0 x2=300 y1=8 y2=8></line>
            <line class="strip__most" x1=at(p5) x2=at(p95) y1=8 y2=8></line>
            <rect class="strip__half" x=at(q1) y=3 width=(at(q3) - at(q1)).max(1.0) height=10></rect>
            <line class="strip__middle" x1=at(median) x2=at(median) y1=1 y2=15></line>
        </svg>
    }
}
