//! A thumbnail with its labels drawn on.

use leptos::prelude::*;
use limn_domain::category::Category;
use limn_domain::item::{Item, ItemWithAnnotations};
use limn_domain::{CategoryId, Shape, Source};
use std::collections::HashMap;
use std::sync::Arc;

/// Labels drawn at most; a thumbnail with more would only be noise, and slow.
const MAX_SHAPES: usize = 120;
/// Whole-image labels named at most.
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
    let (width, height) = (item.width.max(1), item.height.max(1));
    let src = thumb_url(item);
    let marks = Arc::clone(&row);
    let chips = Arc::clone(&row);
    let has_boxes = row
        .annotations
        .iter()
        .any(|a| matches!(a.shape, Shape::Box { .. }));
    let has_whole = row.annotations.iter().any(|a| matches!(a.shape, Shape::Whole));
    view! {
        <span class="thumb">
            <img class="thumb__img" src=src alt="" loading="lazy" decoding="async" draggable="false"/>
            {has_boxes.then(|| view! {
                <svg
                    class="thumb__marks"
                    viewBox=format!("0 0 {width} {height}")
                    preserveAspectRatio="xMidYMid slice"
                    aria-hidden="true"
                >
                    {move || palette.with(|p| boxes(&marks, p))}
                </svg>
            })}
            {has_whole.then(|| view! {
                <span class="thumb__chips">{move || palette.with(|p| names(&chips, p))}</span>
            })}
        </span>
    }
}

fn boxes(row: &ItemWithAnnotations, palette: &Palette) -> Vec<AnyView> {
    row.annotations
        .iter()
        .filter_map(|a| a.shape.bounds().map(|rect| (a, rect)))
        .take(MAX_SHAPES)
        .map(|(a, r)| {
            let color = palette.color(a.category_id).to_owned();
            let dashed = (a.source == Source::Prelabel).then_some("4 3");
            view! {
                <rect
                    x=r.x y=r.y width=r.w height=r.h
                    fill=color.clone() fill-opacity="0.1"
                    stroke=color stroke-width="2" stroke-dasharray=dashed
                    vector-effect="non-scaling-stroke"
                ></rect>
            }
            .into_any()
        })
        .collect()
}

fn names(row: &ItemWithAnnotations, palette: &Palette) -> Vec<AnyView> {
    let whole: Vec<_> = row
        .annotations
        .iter()
        .filter(|a| matches!(a.shape, Shape::Whole))
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
