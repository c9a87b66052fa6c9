//! How a single shape and its name look.

use super::joints;
use super::outlines::{Outlines, fill};
use super::paint::{FONT, dash, lighter, line};
use limn_domain::category::PALETTE;
use limn_domain::project::Task;
use limn_domain::{Annotation, AnnotationId, AttributeValue, Rect, Shape, Source};
use limn_editor::{Editor, Viewport};
use web_sys::CanvasRenderingContext2d as Context;

/// A colour of its own for every object, the same each time.
pub(super) fn own_color(id: AnnotationId) -> &'static str {
    let mixed = id
        .to_string()
        .bytes()
        .fold(0_u32, |h, b| h.wrapping_mul(31).wrapping_add(u32::from(b)));
    PALETTE[mixed as usize % PALETTE.len()]
}

/// What shapes are drawn with: where to, and as which view has them.
#[derive(Clone, Copy)]
pub(super) struct Pen<'a> {
    pub c: &'a Context,
    pub e: &'a Editor,
    pub view: &'a Viewport,
    pub outlines: &'a Outlines,
}

/// Draws a shape in its colour, its fill in percent of the usual.
pub(super) fn one(
    pen: Pen<'_>,
    a: &Annotation,
    (color, filled): (&str, u16),
    (selected, hover): (bool, bool),
) {
    let Pen { c, e, view, outlines } = pen;
    let shape = e.shown_shape(a);
    if matches!(*shape, Shape::Whole) {
        return;
    }
    let hover = hover && e.hover() == Some(a.id);
    if let Shape::Keypoints { keypoints } = &*shape {
        let look = joints::Look {
            color,
            strong: selected || hover,
            named: e.hover_corner().filter(|(id, _)| *id == a.id).map(|(_, c)| c.at),
        };
        joints::draw(c, view, keypoints, e.skeleton_of(a.category_id), look);
        return;
    }
    outlines.trace(c, view, &shape);
    let proposal = a.source == Source::Prelabel;
    let semantic = e.doc().task() == Task::Semantic;
    let shade = match (selected, hover, proposal) {
        _ if semantic => 0.42 + if selected { 0.2 } else { 0.0 },
        (true, ..) => 0.24,
        (_, true, _) => 0.2,
        (_, _, true) => 0.07,
        _ => 0.1,
    };
    // Lines enclose nothing; points are solid.
    let shade = match &*shape {
        Shape::Polyline { .. } => 0.0,
        Shape::Points { .. } => 0.9,
        _ => (shade * f64::from(filled) / 100.0).min(1.0),
    };
    c.set_global_alpha(shade);
    c.set_fill_style_str(color);
    fill(c);
    // A dark rim keeps the line visible on any picture.
    c.set_global_alpha(0.4);
    line(c, "#000000", if selected { 4.0 } else { 3.0 });
    c.set_global_alpha(1.0);
    // Dotted where something is in front of it.
    let behind = e.is_behind(a.id) || a.attributes.get("occluded") == Some(&AttributeValue::Flag(true));
    if proposal {
        dash(c, &[6.0, 4.0]);
    } else if behind {
        dash(c, &[2.5, 3.0]);
    }
    line(c, &lighter(color), if selected || hover { 2.25 } else { 1.75 });
    if selected {
        c.set_global_alpha(0.55);
        line(c, "#ffffff", 0.75);
        c.set_global_alpha(1.0);
    }
    if proposal || behind {
        dash(c, &[]);
    }
}

/// Height of a name's sign, and how far above its shape it begins, in pixels of the screen.
const SIGN: f64 = 16.0;
const ABOVE: f64 = 17.0;

/// Whether a shape's name comes before those of others: it is selected or under the pointer.
pub(super) fn stands_out(e: &Editor, a: &Annotation) -> bool {
    e.selection().contains(a.id) || e.hover() == Some(a.id)
}

/// The name at a shape, where no other name is: above it, below it or in it, in this order. One that stands out is above it
/// whatever is there; others are left out where there is no room, or where the shape is too small for one.
pub(super) fn label(
    pen: Pen<'_>,
    a: &Annotation,
    (name, color): (&str, &str),
    strong: bool,
    taken: &mut Vec<Rect>,
) {
    let Pen { c, e, view, outlines } = pen;
    let Some(r) = e.shown_rect(a).map(|r| view.rect_to_screen(r)) else {
        return;
    };
    let strong = strong && stands_out(e, a);
    // A line that stands upright has room beside it.
    let long = r.w.max(r.h);
    if long < 22.0 && !strong {
        return;
    }
    let text = match a.score.filter(|_| a.source == Source::Prelabel) {
        Some(score) => format!("{name} {score:.2}"),
        None => name.to_owned(),
    };
    c.set_font(FONT);
    let width = c.measure_text(&text).map_or(40.0, |m| m.width()) + 10.0;
    if width > long + 40.0 && !strong {
        return;
    }
    // Of an outline at its top, which may be far from the corner of the box around it.
    let top = outlines.top(view, &e.shown_shape(a));
    let x = top.map_or(r.x, |p| {
        (p.x - width / 2.0).clamp(r.x, (r.right() - width).max(r.x))
    }) - 0.75;
    // Above the shape; inside where the picture's edge cuts it off.
    let above = if r.y >= ABOVE { r.y - ABOVE } else { r.y.max(0.0) };
    let sign = |y: f64| Rect::new(x, y, width, SIGN);
    let free = |sign: &Rect| taken.iter().all(|t| !t.intersects(*sign));
    let places = [above, r.bottom() + 1.0, r.y + 1.0].map(sign);
    let place = if strong {
        sign(above)
    } else if let Some(place) = places.into_iter().find(free) {
        place
    } else {
        return;
    };
    taken.push(place);
    let y = place.y;
    c.set_global_alpha(if strong { 1.0 } else { 0.86 });
    c.set_fill_style_str(color);
    c.begin_path();
    if c.round_rect_with_f64(x, y, width, SIGN, 3.0).is_err() {
        c.rect(x, y, width, SIGN);
    }
    c.fill();
    c.set_global_alpha(1.0);
    c.set_fill_style_str(if is_light(color) { "#0b0d1a" } else { "#ffffff" });
    c.set_text_baseline("middle");
    let _ = c.fill_text(&text, x + 5.0, y + 8.5);
}

/// Whether dark text reads better on the colour.
fn is_light(color: &str) -> bool {
    let part = |i: usize| {
        let v = u8::from_str_radix(color.get(i..i + 2).unwrap_or("00"), 16).unwrap_or(0);
        let v = f64::from(v) / 255.0;
        if v <= 0.04045 {
            v / 12.92
        } else {
            ((v + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5) > 0.2
}
