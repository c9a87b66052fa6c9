//! A file of a version as a small picture with its labels.

use crate::ui::{Glyph, Icon, safe_color};
use leptos::prelude::*;
use limn_domain::dataset::Entry;
use limn_domain::{CategoryId, Shape, VersionId, polygon};
use std::collections::HashMap;
use std::fmt::Write as _;

/// Labels drawn at most.
const MAX_SHAPES: usize = 80;

/// Colour of each category.
pub type Colors = HashMap<CategoryId, String>;

/// Percent-encodes a value for a query string.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~') {
            out.push(b as char);
        } else {
            // Writing to a text cannot fail.
            let _ = write!(out, "%{b:02X}");
        }
    }
    out
}

/// Address of a file's bytes.
pub fn file_url(version: VersionId, path: &str) -> String {
    format!("/api/v1/versions/{version}/file?path={}", encode(path))
}

/// Address of a picture's thumbnail.
pub fn thumb_url(version: VersionId, path: &str) -> String {
    format!("/media/versions/{version}/thumb?path={}", encode(path))
}

#[component]
pub fn Thumb(version: VersionId, entry: Entry, #[prop(into)] colors: Signal<Colors>) -> impl IntoView {
    if entry.width == 0 {
        return view! {
            <span class="thumb thumb--text data-file"><Icon glyph=Glyph::File size=22/><span>{extension(&entry.path)}</span></span>
        }
        .into_any();
    }
    let src = thumb_url(version, &entry.path);
    let (width, height) = (entry.width.max(1), entry.height.max(1));
    let tolerance = width.max(height) as f64 / 400.0;
    let shapes: Vec<(CategoryId, String)> = entry
        .annotations
        .iter()
        .filter(|a| a.shape != Shape::Whole)
        .take(MAX_SHAPES)
        .map(|a| (a.category_id, path(&a.shape, tolerance)))
        .collect();
    view! {
        <span class="thumb">
            <img class="thumb__img" src=src alt="" loading="lazy" decoding="async" draggable="false"/>
            <svg class="thumb__marks" viewBox=format!("0 0 {width} {height}") preserveAspectRatio="xMidYMid slice" aria-hidden="true">
                {move || {
                    let shapes = shapes.clone();
                    colors.with(|c| {
                        shapes
                            .into_iter()
                            .map(|(id, d)| {
                                let color = safe_color(c.get(&id).map_or("#8b8d94", String::as_str));
                                view! {
                                    <path d=d fill=color.clone() fill-opacity="0.1" fill-rule="evenodd" stroke=color stroke-width="2" vector-effect="non-scaling-stroke"></path>
                                }
                            })
                            .collect_view()
                    })
                }}
            </svg>
        </span>
    }
    .into_any()
}

fn extension(path: &str) -> String {
    path.rsplit_once('.')
        .map_or_else(String::new, |(_, e)| e.chars().take(8).collect())
}

/// A shape as an SVG path.
fn path(shape: &Shape, tolerance: f64) -> String {
    let mut d = String::new();
    let mut line = |points: &[[f64; 2]], closed: bool| {
        for (i, [x, y]) in points.iter().enumerate() {
            let _ = write!(d, "{}{x:.1} {y:.1}", if i == 0 { 'M' } else { 'L' });
        }
        if closed {
            d.push('z');
        }
    };
    match shape {
        Shape::Whole | Shape::Span { .. } => {}
        Shape::Polyline { points } => line(points, false),
        Shape::Points { .. } | Shape::Keypoints { .. } => {
            let arm = tolerance * 4.0;
            for [x, y] in shape.dots() {
                line(&[[x - arm, y], [x + arm, y]], false);
                line(&[[x, y - arm], [x, y + arm]], false);
            }
        }
        Shape::Mask { mask } => {
            for ring in polygon::simplified(&mask.to_polygon(), tolerance)
                .iter()
                .flatten()
            {
                line(ring, true);
            }
        }
        other => {
            let parts = other.region(tolerance).unwrap_or_default();
            for ring in polygon::simplified(&parts, tolerance).iter().flatten() {
                line(ring, true);
            }
        }
    }
    d
}
