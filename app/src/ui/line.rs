//! Lines over an axis: series of numbers, with the values under the pointer.

use crate::fmt;
use leptos::prelude::*;

/// Colours there are; lines beyond repeat them.
const COLORS: usize = 8;
const W: f64 = 600.0;
const H: f64 = 200.0;

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub name: String,
    /// Which colour.
    pub color: usize,
    /// Sorted by the first; values that are not finite leave a gap.
    pub points: Vec<(f64, f64)>,
    /// The same before smoothing, drawn faint.
    pub raw: Vec<(f64, f64)>,
}

impl Line {
    fn style(color: usize) -> String {
        format!("--series:var(--series-{})", color % COLORS + 1)
    }
}

/// The colour of a series as a style, for legends elsewhere.
pub fn series_style(color: usize) -> String {
    Line::style(color)
}

/// Values of an axis that read well, at most `most`.
fn ticks(low: f64, high: f64, most: usize) -> Vec<f64> {
    let span = high - low;
    if span <= 0.0 || !span.is_finite() {
        return vec![low];
    }
    let rough = span / most.max(1) as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|m| m * power)
        .find(|s| *s >= rough)
        .unwrap_or(power);
    let first = (low / step).ceil() as i64;
    (first..)
        .map(|i| i as f64 * step)
        .take_while(|t| *t <= high + step * 1e-9)
        .take(most + 2)
        .collect()
}

/// Where the values lie.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Frame {
    x: (f64, f64),
    y: (f64, f64),
    log: bool,
}

impl Frame {
    fn of(lines: &[Line], log: bool) -> Self {
        let (mut x, mut y) = ((f64::MAX, f64::MIN), (f64::MAX, f64::MIN));
        let fits = |v: f64| v.is_finite() && (!log || v > 0.0);
        for (px, py) in lines.iter().flat_map(|l| l.points.iter().chain(&l.raw)) {
            if fits(*py) {
                x = (x.0.min(*px), x.1.max(*px));
                let py = if log { py.log10() } else { *py };
                y = (y.0.min(py), y.1.max(py));
            }
        }
        if x.0 > x.1 {
            return Self {
                x: (0.0, 1.0),
                y: (0.0, 1.0),
                log,
            };
        }
        let pad = if y.1 > y.0 {
            (y.1 - y.0) * 0.06
        } else {
            y.0.abs().max(1.0) * 0.1
        };
        let width = if x.1 > x.0 { x } else { (x.0 - 0.5, x.1 + 0.5) };
        Self {
            x: width,
            y: (y.0 - pad, y.1 + pad),
            log,
        }
    }

    fn at_x(&self, x: f64) -> f64 {
        (x - self.x.0) / (self.x.1 - self.x.0)
    }

    /// From the top; nothing for what a logarithm does not have.
    fn at_y(&self, y: f64) -> Option<f64> {
        let y = if self.log {
            (y > 0.0).then(|| y.log10())?
        } else {
            y
        };
        let share = (y - self.y.0) / (self.y.1 - self.y.0);
        share.is_finite().then_some(1.0 - share)
    }

    fn path(&self, points: &[(f64, f64)]) -> String {
        use std::fmt::Write as _;
        let mut out = String::with_capacity(points.len() * 14);
        let mut pen_down = false;
        let mut alone = None;
        for (x, y) in points {
            let Some(top) = self.at_y(*y).filter(|_| y.is_finite()) else {
                pen_down = false;
                continue;
            };
            let (px, py) = (self.at_x(*x) * W, top * H);
            let _ = write!(out, "{}{px:.2} {py:.2}", if pen_down { 'L' } else { 'M' });
            alone = (!pen_down).then_some((px, py));
            pen_down = true;
        }
        // A single point is a dot: a line of no length with round ends.
        if let Some((px, py)) = alone {
            let _ = write!(out, "L{px:.2} {py:.2}");
        }
        out
    }
}

/// What a number of the horizontal axis is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum XKind {
    Plain,
    /// Milliseconds since 1970.
    Time,
    Seconds,
}

impl XKind {
    fn text(self, x: f64) -> String {
        match self {
            Self::Plain => fmt::figure(x),
            Self::Seconds => fmt::lasted(0, (x * 1000.0) as i64),
            Self::Time => {
                let t = limn_domain::Timestamp((x as i64).saturating_mul(1000)).date_time();
                t.get(5..16).unwrap_or(&t).to_owned()
            }
        }
    }
}

/// A chart of lines with axes, and the values nearest to the pointer below it.
#[component]
pub fn LineChart(
    /// Names the chart for those who cannot see it.
    #[prop(into)]
    label: String,
    #[prop(into)] lines: Signal<Vec<Line>>,
    #[prop(into)] log: Signal<bool>,
    #[prop(into)] kind: Signal<XKind>,
) -> impl IntoView {
    let frame = Memo::new(move |_| lines.with(|l| Frame::of(l, log.get())));
    // Where the pointer is, as a share of the width.
    let over = RwSignal::new(None::<f64>);
    let paths = move || {
        let f = frame.get();
        lines.with(|lines| {
            lines
                .iter()
                .map(|l| {
                    let style = Line::style(l.color);
                    let faint = (!l.raw.is_empty())
                        .then(|| view! { <path class="line__raw" d=f.path(&l.raw)></path> });
                    view! { <g style=style>{faint}<path class="line__path" d=f.path(&l.points)></path></g> }
                })
                .collect_view()
        })
    };
    let across = move || {
        let f = frame.get();
        let texts: Vec<(f64, String)> = if f.log {
            let (low, high) = (f.y.0.ceil() as i32, f.y.1.floor() as i32);
            let all: Vec<i32> = (low..=high).collect();
            let each = all.len().div_ceil(5).max(1);
            if all.is_empty() {
                let middle = 10_f64.powf(f64::midpoint(f.y.0, f.y.1));
                vec![(0.5, fmt::figure(middle))]
            } else {
                all.into_iter()
                    .step_by(each)
                    .filter_map(|p| Some((f.at_y(10_f64.powi(p))?, fmt::figure(10_f64.powi(p)))))
                    .collect()
            }
        } else {
            ticks(f.y.0, f.y.1, 4)
                .into_iter()
                .filter_map(|t| Some((f.at_y(t)?, fmt::figure(t))))
                .collect()
        };
        texts
            .into_iter()
            .map(|(top, text)| view! { <span class="line__y" style=format!("top:{:.2}%", top * 100.0)><i></i>{text}</span> })
            .collect_view()
    };
    let along = move || {
        let (f, kind) = (frame.get(), kind.get());
        let marks = if kind == XKind::Plain {
            ticks(f.x.0, f.x.1, 5)
        } else {
            vec![f.x.0, f64::midpoint(f.x.0, f.x.1), f.x.1]
        };
        marks
            .into_iter()
            .map(|x| {
                let left = f.at_x(x) * 100.0;
                let side = if left < 6.0 { " is-first" } else if left > 94.0 { " is-last" } else { "" };
                view! { <span class=format!("line__x{side}") style=format!("left:{left:.2}%")>{kind.text(x)}</span> }
            })
            .collect_view()
    };
    // The points nearest to the pointer.
    let nearest = Memo::new(move |_| {
        let share = over.get()?;
        let f = frame.get();
        let x = f.x.0 + share * (f.x.1 - f.x.0);
        lines.with(|lines| {
            let mut found: Vec<(usize, String, f64, f64)> = lines
                .iter()
                .filter_map(|l| {
                    let i = l.points.partition_point(|p| p.0 < x);
                    let near = [i.checked_sub(1), Some(i)];
                    let point = near
                        .into_iter()
                        .flatten()
                        .filter_map(|i| l.points.get(i))
                        .min_by(|a, b| (a.0 - x).abs().total_cmp(&(b.0 - x).abs()))?;
                    Some((l.color, l.name.clone(), point.0, point.1))
                })
                .collect();
            found.truncate(12);
            Some((x, found))
        })
    });
    let watch = move |ev: leptos::ev::PointerEvent| {
        use wasm_bindgen::JsCast as _;
        if let Some(target) = ev
            .current_target()
            .and_then(|t| t.dyn_into::<web_sys::Element>().ok())
        {
            let room = target.get_bounding_client_rect();
            if room.width() > 0.0 {
                over.set(Some(
                    ((f64::from(ev.client_x()) - room.left()) / room.width()).clamp(0.0, 1.0),
                ));
            }
        }
    };
    let said = {
        let label = label.clone();
        move || {
            let parts: Vec<String> = lines.with(|l| {
                l.iter()
                    .take(20)
                    .filter_map(|l| Some(format!("{}: last {}", l.name, fmt::measured(l.points.last()?.1))))
                    .collect()
            });
            format!("{label}. {}", parts.join("; "))
        }
    };
    view! {
        <figure class="line" on:pointerleave=move |_| over.set(None)>
            <div class="line__room">
                <div class="line__ys">{across}</div>
                <div class="line__area" on:pointermove=watch>
                    <svg viewBox=format!("0 0 {W} {H}") preserveAspectRatio="none" role="img" aria-label=said>{paths}</svg>
                    {move || nearest.get().map(|(x, _)| {
                        let left = frame.with(|f| f.at_x(x)) * 100.0;
                        view! { <i class="line__cursor" style=format!("left:{left:.2}%")></i> }
                    })}
                </div>
            </div>
            <div class="line__xs">{along}</div>
            <figcaption class="line__values">
                {move || match nearest.get() {
                    Some((x, found)) => view! {
                        <span class="faint">{kind.get().text(x)}</span>
                        {found.into_iter().map(|(color, name, _, y)| view! {
                            <span class="line__value" style=Line::style(color)><i></i>{name}" "<b>{fmt::measured(y)}</b></span>
                        }).collect_view()}
                    }.into_any(),
                    None => lines.with(|lines| lines.iter().take(8).map(|l| view! {
                        <span class="line__value" style=Line::style(l.color)><i></i>{l.name.clone()}
                            {l.points.last().map(|p| view! { " "<b>{fmt::measured(p.1)}</b> })}</span>
                    }).collect_view()).into_any(),
                }}
            </figcaption>
        </figure>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_read_well() {
        assert_eq!(ticks(0.0, 10.0, 5), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(ticks(0.13, 0.58, 4), [0.2, 0.4]);
        assert_eq!(ticks(3.0, 3.0, 4), [3.0]);
        assert!(ticks(f64::MIN, f64::MAX, 4).len() <= 6);
    }

    #[test]
    fn gaps_and_logarithms() {
        let line = Line {
            name: String::new(),
            color: 0,
            points: vec![(0.0, 1.0), (1.0, f64::NAN), (2.0, 100.0)],
            raw: vec![],
        };
        let f = Frame::of(std::slice::from_ref(&line), false);
        assert_eq!(f.path(&line.points).matches('M').count(), 2);
        let f = Frame::of(std::slice::from_ref(&line), true);
        assert!((f.at_y(10.0).unwrap() - 0.5).abs() < 1e-9);
        assert_eq!(f.at_y(-1.0), None);
        assert_eq!(Frame::of(&[], false).x, (0.0, 1.0));
    }
}
