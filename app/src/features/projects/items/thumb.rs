//! A thumbnail with its labels drawn on.

use crate::ui::{Glyph, Icon};
use leptos::prelude::*;
use limn_domain::category::Category;
use limn_domain::item::{Item, ItemWithAnnotations};
use limn_domain::{CategoryId, Shape, Source, polygon, text, track};
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;

/// Labels drawn at most; a thumbnail with more would only be noise, and slow.
const MAX_SHAPES: usize = 120;
/// Labels of whole items named at most.
const MAX_CHIPS: usize = 3;

/// Name and colour of each category.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Palette(HashMap<CategoryId, (String, String)>);

impl Palette {
    pub fn new(categories: &[Category]) -> Self {
        Self(
            categories
                .iter()
                .map(|c| (c.id, (c.name.clone(), c.color.clone())))
                .collect(),
        )
    }

    pub fn color(&self, id: CategoryId) -> &str {
        self.0.get(&id).map_or("#8b8d94", |(_, c)| c)
    }

    pub fn name(&self, id: CategoryId) -> &str {
        self.0.get(&id).map_or("Removed category", |(n, _)| n)
    }
}

/// Path of an item's small picture.
pub fn thumb_url(item: &Item) -> String {
    format!("/media/items/{}/thumb", item.id)
}

/// The picture fills its box; labels follow the same crop.
#[component]
pub fn Thumb(
    #[prop(into)] row: Arc<ItemWithAnnotations>,
    #[prop(into)] palette: Signal<Palette>,
) -> impl IntoView {
    let item = &row.item;
    if item.media_type == text::MEDIA_TYPE {
        return view! { <Document row palette/> }.into_any();
    }
    let (width, height) = (item.width.max(1), item.height.max(1));
    let src = thumb_url(item);
    let marks = Arc::clone(&row);
    let chips = Arc::clone(&row);
    let has_marks = row.annotations.iter().any(|a| a.shape != Shape::Whole);
    let has_whole = row.annotations.iter().any(|a| matches!(a.shape, Shape::Whole));
    view! {
        <span class="thumb">
            <img class="thumb__img" src=src alt="" loading="lazy" decoding="async" draggable="false"/>
            {has_marks.then(|| view! {
                <svg
                    class="thumb__marks"
                    viewBox=format!("0 0 {width} {height}")
                    preserveAspectRatio="xMidYMid slice"
                    aria-hidden="true"
                >
                    {move || palette.with(|p| shapes(&marks, p))}
                </svg>
            })}
            {has_whole.then(|| view! {
                <span class="thumb__chips">{move || palette.with(|p| names(&chips, p))}</span>
            })}
            {row.item.frames().map(|n| view! {
                <span class="thumb__video">
                    <Icon glyph=Glyph::Film size=12/>
                    {crate::fmt::counted(i64::from(n), "frame", "frames")}
                </span>
            })}
        </span>
    }
    .into_any()
}

/// How a document begins, and what it was labeled.
#[component]
fn Document(row: Arc<ItemWithAnnotations>, palette: Signal<Palette>) -> impl IntoView {
    let excerpt = row.item.excerpt.clone();
    let blank = excerpt.is_empty();
    let labeled = !row.annotations.is_empty();
    view! {
        <span class="thumb thumb--text">
            <span class="thumb__text" class:is-blank=blank dir="auto">
                {if blank { "Only white space".to_owned() } else { excerpt }}
            </span>
            {labeled.then(|| view! {
                <span class="thumb__chips">{move || palette.with(|p| names(&row, p))}</span>
            })}
        </span>
    }
}

fn shapes(row: &ItemWithAnnotations, palette: &Palette) -> Vec<AnyView> {
    // A thumbnail shows no more.
    let tolerance = row.item.width.max(row.item.height) as f64 / 400.0;
    row.annotations
        .iter()
        .filter(|a| a.shape != Shape::Whole)
        .take(MAX_SHAPES)
        .map(|a| {
            let color = palette.color(a.category_id).to_owned();
            let opacity = if matches!(a.shape, Shape::Polyline { .. }) {
                "0"
            } else {
                "0.1"
            };
            let dashed = (a.source == Source::Prelabel).then_some("4 3");
            view! {
                <path
                    d=path(&a.shape, tolerance)
                    fill=color.clone() fill-opacity=opacity fill-rule="evenodd"
                    stroke=color stroke-width="2" stroke-dasharray=dashed
                    vector-effect="non-scaling-stroke"
                ></path>
            }
            .into_any()
        })
        .collect()
}

/// The shape as an SVG path; of a track where it is on the first frame, which the thumbnail shows.
fn path(shape: &Shape, tolerance: f64) -> String {
    if let Shape::Track { keyframes } = shape {
        return track::at(keyframes, 0).map_or_else(String::new, |s| path(&s.shape, tolerance));
    }
    let mut d = String::new();
    let mut ring = |ring: &[[f64; 2]], closed: bool| {
        for (i, [x, y]) in ring.iter().enumerate() {
            // Writing to a text cannot fail.
            let _ = write!(d, "{}{x:.1} {y:.1}", if i == 0 { 'M' } else { 'L' });
        }
        if closed {
            d.push('z');
        }
    };
    let parts = match shape {
        Shape::Whole | Shape::Span { .. } => return d,
        Shape::Box { rect: r } => return format!("M{} {}h{}v{}h{}z", r.x, r.y, r.w, r.h, -r.w),
        Shape::Mask { mask } => mask.to_polygon(),
        Shape::Polyline { points } => {
            ring(points, false);
            return d;
        }
        Shape::Points { .. } | Shape::Keypoints { .. } => {
            // Little crosses, as large as the picture needs.
            let arm = tolerance * 4.0;
            for [x, y] in shape.dots() {
                ring(&[[x - arm, y], [x + arm, y]], false);
                ring(&[[x, y - arm], [x, y + arm]], false);
            }
            return d;
        }
        other => other.region(tolerance).unwrap_or_default(),
    };
    for r in polygon::simplified(&parts, tolerance).iter().flatten() {
        ring(r, true);
    }
    d
}

fn names(row: &ItemWithAnnotations, palette: &Palette) -> Vec<AnyView> {
    // Of spans each category once.
    let mut seen = HashSet::new();
    let whole: Vec<_> = row
        .annotations
        .iter()
        .filter(|a| matches!(a.shape, Shape::Whole | Shape::Span { .. }))
        .filter(|a| seen.insert(a.category_id))
        .collect();
    let more = whole.len().saturating_sub(MAX_CHIPS);
    whole
        .into_iter()
        .take(MAX_CHIPS)
        .map(|a| {
            let color = palette.color(a.category_id).to_owned();
            let name = palette.name(a.category_id).to_owned();
            view! {
                <span class="thumb__chip" class:is-proposed=a.source == Source::Prelabel>
                    <i style:background=color></i>{name}
                </span>
            }
            .into_any()
        })
        .chain((more > 0).then(|| view! { <span class="thumb__chip">"+"{more}</span> }.into_any()))
        .collect()
}
