//! What a selected shape can be taken hold of by.

use limn_domain::{Point, Rect, Shape, TurnedRect};
use limn_editor::hit::{Handle, turn_grip};
use limn_editor::shape::{sides, turned_rect, vertices};
use limn_editor::{Editor, Viewport};
use web_sys::CanvasRenderingContext2d as Context;

/// Screen pixels beyond the view from which a grip still reaches into it.
const MARGIN: f64 = 6.0;

/// Draws the grips of a shape.
pub fn draw(c: &Context, e: &Editor, shape: &Shape, color: &str) {
    if let Some(rect) = turned_rect(shape) {
        if let Some(out) = e.turn_out() {
            turn(c, e.view(), rect, out, color);
        }
        handles(c, e.view(), rect, color);
    } else if !matches!(shape, Shape::Keypoints { .. }) {
        corners(c, e, shape, color);
    }
}

fn dot(c: &Context, p: Point, radius: f64) {
    c.begin_path();
    let _ = c.arc(p.x, p.y, radius, 0.0, std::f64::consts::TAU);
    c.fill();
    c.stroke();
}

/// The grip above the box that turns it, on a stalk.
fn turn(c: &Context, view: &Viewport, rect: TurnedRect, out: f64, color: &str) {
    let from = view.to_screen(rect.to_image(Point::new(0.0, -rect.h / 2.0)));
    let to = view.to_screen(turn_grip(rect, out));
    for (style, width) in [("rgb(0 0 0 / 0.45)", 3.0), ("#ffffff", 1.25)] {
        c.set_stroke_style_str(style);
        c.set_line_width(width);
        c.begin_path();
        c.move_to(from.x, from.y);
        c.line_to(to.x, to.y);
        c.stroke();
    }
    c.set_fill_style_str("#ffffff");
    c.set_stroke_style_str(color);
    c.set_line_width(1.5);
    dot(c, to, 5.0);
}

fn handles(c: &Context, view: &Viewport, rect: TurnedRect, color: &str) {
    let scale = view.scale();
    let small = |h: Handle| match h.sides() {
        (0, _) => rect.w * scale < 32.0,
        (_, 0) => rect.h * scale < 32.0,
        _ => false,
    };
    for h in Handle::ALL.into_iter().filter(|h| !small(*h)) {
        let (sx, sy) = h.sides();
        let own = Point::new(f64::from(sx) * rect.w / 2.0, f64::from(sy) * rect.h / 2.0);
        let p = view.to_screen(rect.to_image(own));
        c.set_fill_style_str("#ffffff");
        c.set_stroke_style_str(color);
        c.set_line_width(1.5);
        c.begin_path();
        if c.round_rect_with_f64(p.x - 4.0, p.y - 4.0, 8.0, 8.0, 2.0)
            .is_err()
        {
            c.rect(p.x - 4.0, p.y - 4.0, 8.0, 8.0);
        }
        c.fill();
        c.stroke();
    }
}

/// The points of a shape that can be taken hold of, and the middles of its longer sides, where one can be pulled out.
fn corners(c: &Context, e: &Editor, shape: &Shape, color: &str) {
    let view = e.view();
    let (scale, window, shown) = (view.scale(), view.window(), e.grips_shown(shape));
    let m = MARGIN / scale;
    let seen = Rect::new(window.x - m, window.y - m, window.w + 2.0 * m, window.h + 2.0 * m);
    let shows = |at: Point| seen.contains(at) && shown.has(at);
    c.set_stroke_style_str(color);
    c.set_line_width(1.0);
    c.set_fill_style_str("rgb(255 255 255 / 0.75)");
    for (_, at, side) in sides(shape) {
        if side * scale >= 28.0 && shows(at) {
            dot(c, view.to_screen(at), 2.5);
        }
    }
    c.set_fill_style_str("#ffffff");
    c.set_line_width(1.5);
    for (_, at) in vertices(shape) {
        if shows(at) {
            dot(c, view.to_screen(at), 4.0);
        }
    }
}
