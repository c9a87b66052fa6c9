//! What holds objects together: frames around groups, arrows for relations.

use super::joints::tag;
use super::paint::{dash, line, outline};
use limn_domain::{Point, Rect};
use limn_editor::Editor;
use std::collections::BTreeSet;
use web_sys::CanvasRenderingContext2d as Context;

/// Most arrows drawn at once; of what is selected first.
const ARROWS: usize = 2_000;
/// Length of an arrow's head in screen pixels.
const HEAD: f64 = 9.0;

/// Draws the groups of what is selected and all relations, those of the selection with what they say.
pub fn draw(c: &Context, e: &Editor) {
    if !e.doc().has_links() {
        begun(c, e);
        return;
    }
    groups(c, e);
    let window = e.view().window();
    let mut all: Vec<_> = e
        .relations()
        .into_iter()
        .filter_map(|(from, to, kind)| {
            let (a, b) = (e.shown_rect(from)?, e.shown_rect(to)?);
            let seen = a.intersects(window) || b.intersects(window);
            let strong = e.selection().contains(from.id) || e.selection().contains(to.id);
            seen.then_some((strong, a, b, kind))
        })
        .collect();
    // Those of the selection are drawn last, above the others.
    all.sort_by_key(|r| r.0);
    let skip = all.len().saturating_sub(ARROWS);
    for (strong, a, b, kind) in all.into_iter().skip(skip) {
        let (from, to) = ends(e, a, b);
        arrow(c, from, to, strong);
        if strong && !kind.is_empty() {
            let (x, y) = (f64::midpoint(from.x, to.x), f64::midpoint(from.y, to.y));
            tag(c, kind, x + 6.0, y - 9.0);
        }
    }
    begun(c, e);
}

/// From the middle of one box to the border of the other, on the screen.
fn ends(e: &Editor, a: Rect, b: Rect) -> (Point, Point) {
    let (from, to) = (a.center(), b.center());
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    // Where the line enters `b`; its middle when it begins inside.
    let along = |half: f64, d: f64| if d.abs() < 1e-9 { 0.0 } else { 1.0 - half / d.abs() };
    let t = along(b.w / 2.0, dx).max(along(b.h / 2.0, dy));
    let t = if t > 0.0 { t } else { 1.0 };
    let end = Point::new(from.x + dx * t, from.y + dy * t);
    (e.view().to_screen(from), e.view().to_screen(end))
}

fn arrow(c: &Context, from: Point, to: Point, strong: bool) {
    let angle = (to.y - from.y).atan2(to.x - from.x);
    let path = || {
        c.begin_path();
        c.move_to(from.x, from.y);
        c.line_to(to.x, to.y);
        for side in [-0.45_f64, 0.45] {
            let a = angle + std::f64::consts::PI + side;
            c.move_to(to.x, to.y);
            c.line_to(to.x + HEAD * a.cos(), to.y + HEAD * a.sin());
        }
    };
    path();
    line(c, "rgb(0 0 0 / 0.55)", if strong { 4.5 } else { 3.0 });
    path();
    line(
        c,
        if strong {
            "#ffffff"
        } else {
            "rgb(255 255 255 / 0.7)"
        },
        if strong { 2.0 } else { 1.25 },
    );
    c.begin_path();
    let _ = c.arc(from.x, from.y, 3.0, 0.0, std::f64::consts::TAU);
    c.set_fill_style_str("#ffffff");
    c.fill();
}

/// A dashed frame around each group that has a selected object.
fn groups(c: &Context, e: &Editor) {
    let selected: BTreeSet<_> = e
        .selection()
        .iter()
        .filter_map(|id| e.doc().get(id)?.links.group)
        .collect();
    for group in selected {
        let members = e.doc().iter().filter(|a| a.links.group == Some(group));
        let boxes: Vec<Rect> = members.filter_map(|a| e.shown_rect(a)).collect();
        if boxes.len() < 2 {
            continue;
        }
        let Some(all) = boxes.into_iter().reduce(Rect::union) else {
            continue;
        };
        let r = e.view().rect_to_screen(all);
        let r = Rect::new(r.x - 6.0, r.y - 6.0, r.w + 12.0, r.h + 12.0);
        outline(c, r, "rgb(0 0 0 / 0.5)", 3.0);
        dash(c, &[5.0, 4.0]);
        outline(c, r, "#ffffff", 1.25);
        dash(c, &[]);
    }
}

/// The relation that waits for its other end.
fn begun(c: &Context, e: &Editor) {
    let from = e.relating().and_then(|id| e.doc().bounds(id));
    if let (Some(from), Some(to)) = (from, e.pointer()) {
        arrow(c, e.view().to_screen(from.center()), e.view().to_screen(to), true);
    }
}
