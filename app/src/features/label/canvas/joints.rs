//! Keypoints with the lines of their skeleton.

use super::paint::{FONT, lighter, line};
use limn_domain::{Keypoint, Rect, Skeleton, Visibility};
use limn_editor::Viewport;
use web_sys::CanvasRenderingContext2d as Context;

/// How a skeleton is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    pub color: &'a str,
    /// Selected or under the pointer.
    pub strong: bool,
    /// The keypoint whose name is shown.
    pub named: Option<usize>,
}

/// Draws the lines, then the keypoints: those seen are filled, hidden ones are rings.
pub fn draw(
    c: &Context,
    view: &Viewport,
    keypoints: &[Keypoint],
    skeleton: Option<&Skeleton>,
    look: Look<'_>,
) {
    let place = |i: usize| Some(view.to_screen(keypoints.get(i)?.at()?));
    let edges = skeleton.map(|s| s.edges.as_slice()).unwrap_or_default();
    c.begin_path();
    for [a, b] in edges {
        if let (Some(a), Some(b)) = (place(*a), place(*b)) {
            c.move_to(a.x, a.y);
            c.line_to(b.x, b.y);
        }
    }
    c.set_global_alpha(0.45);
    line(c, "#000000", if look.strong { 5.0 } else { 4.0 });
    c.set_global_alpha(1.0);
    line(c, &lighter(look.color), if look.strong { 2.75 } else { 2.0 });
    let radius = if look.strong { 5.0 } else { 3.5 };
    for (i, k) in keypoints.iter().enumerate() {
        let Some(p) = place(i) else { continue };
        c.begin_path();
        let _ = c.arc(p.x, p.y, radius, 0.0, std::f64::consts::TAU);
        let seen = k.visibility == Visibility::Visible;
        c.set_fill_style_str(if seen { look.color } else { "rgb(13 14 16 / 0.75)" });
        c.fill();
        let ring = if seen {
            "#ffffff".to_owned()
        } else {
            lighter(look.color)
        };
        line(c, &ring, if seen { 1.75 } else { 2.25 });
    }
    // The one that is pointed at, then the others of a figure that stands out, where they do not cover each other.
    let others = (0..keypoints.len()).filter(|i| look.strong && Some(*i) != look.named);
    let mut taken: Vec<Rect> = Vec::new();
    for i in look.named.into_iter().chain(others) {
        let name = skeleton.and_then(|s| s.keypoints.get(i)).map(|k| &k.name);
        let (Some(p), Some(name)) = (place(i), name) else {
            continue;
        };
        let sign = Rect::new(p.x + 9.0, p.y + 7.0, tag_width(c, name), TAG);
        if taken.iter().all(|t| !t.intersects(sign)) {
            tag(c, name, sign.x, sign.y);
            taken.push(sign);
        }
    }
}

/// Height of a sign.
const TAG: f64 = 18.0;

fn tag_width(c: &Context, text: &str) -> f64 {
    c.set_font(FONT);
    c.measure_text(text).map_or(50.0, |m| m.width()) + 12.0
}

/// A little sign beside the pointer.
pub fn tag(c: &Context, text: &str, x: f64, y: f64) {
    let width = tag_width(c, text);
    c.set_fill_style_str("rgb(13 14 16 / 0.88)");
    c.begin_path();
    if c.round_rect_with_f64(x, y, width, TAG, 4.0).is_err() {
        c.rect(x, y, width, TAG);
    }
    c.fill();
    c.set_fill_style_str("#ececee");
    c.set_text_baseline("middle");
    let _ = c.fill_text(text, x + 6.0, y + 9.5);
}
