//! What is on its way: the box, outline or stroke being drawn, the brush, the selection frame, the lines through the
//! pointer.

use super::joints::{self, tag};
use super::outlines::{Outlines, fill, trace_once, way};
use super::paint::{lighter, line};
use super::place::ring;
use crate::features::label::desk::px;
use limn_domain::{Keypoint, Point, Shape, TurnedRect, Visibility};
use limn_editor::{Aim, Editor, Outline, Proposal, Purpose, Tool};
use web_sys::CanvasRenderingContext2d as Context;

/// What takes pixels away.
const RED: &str = "#ff6b5e";

/// The box being drawn with its size, the selection frame, and the lines through the pointer.
pub fn draw(c: &Context, e: &Editor, outlines: &Outlines, (w, h): (f64, f64), color: &str) {
    let aims = matches!(e.tool(), Tool::Box | Tool::Ellipse | Tool::ExtremeBox);
    let draws = aims && !e.is_hold_pan() && !e.is_read_only();
    if draws && let Some(p) = e.pointer().map(|p| e.view().to_screen(p)) {
        let (x, y) = (p.x.round() + 0.5, p.y.round() + 0.5);
        // Along the sides of what is going to be drawn.
        let (sin, cos) = e.view().sin_cos();
        let far = w + h;
        for (style, width) in [("rgb(0 0 0 / 0.4)", 3.0), ("rgb(255 255 255 / 0.75)", 1.0)] {
            c.set_stroke_style_str(style);
            c.set_line_width(width);
            c.begin_path();
            c.move_to(x - cos * far, y - sin * far);
            c.line_to(x + cos * far, y + sin * far);
            c.move_to(x + sin * far, y - cos * far);
            c.line_to(x - sin * far, y + cos * far);
            c.stroke();
        }
    }
    if let Some(draft) = e.draft() {
        let r = e.view().rect_to_screen(draft);
        c.begin_path();
        ring(c, e.view(), draft);
        c.set_global_alpha(0.18);
        c.set_fill_style_str(color);
        c.fill();
        c.set_global_alpha(1.0);
        line(c, "rgb(0 0 0 / 0.5)", 3.5);
        line(c, color, 2.0);
        if r.w > 2.0 || r.h > 2.0 {
            let text = format!("{} \u{d7} {}", px(draft.w), px(draft.h));
            let (x, y) = (r.right() + 6.0, r.bottom() + 6.0);
            tag(c, &text, x.min(w - 100.0), y.min(h - 22.0));
        }
        match e.tool() {
            Tool::Ellipse => {
                let rect = TurnedRect::upright(draft);
                outlines.trace(c, e.view(), &Shape::Ellipse { rect });
                line(c, "#ffffff", 1.25);
            }
            Tool::Keypoints => {
                if let Some(s) = e.skeleton() {
                    let look = joints::Look {
                        color,
                        strong: false,
                        named: None,
                    };
                    joints::draw(c, e.view(), &s.placed(draft), Some(s), look);
                }
            }
            _ => {}
        }
    }
    if let Some(first) = e.first_corner().map(|p| e.view().to_screen(p)) {
        // Between two taps of a finger there is no frame to see.
        c.begin_path();
        let _ = c.arc(first.x, first.y, 3.5, 0.0, std::f64::consts::TAU);
        c.set_fill_style_str(color);
        c.fill();
        line(c, "#ffffff", 1.5);
    }
    if let Some(drawn) = e.outline() {
        let red = matches!(drawn.purpose, Purpose::Cut(_));
        corners(c, e, outlines, drawn, if red { RED } else { color });
    }
    smart(c, e, color);
    painting(c, e, color);
    if let Some(m) = e.marquee() {
        c.begin_path();
        ring(c, e.view(), m);
        c.set_fill_style_str("rgb(130 150 255 / 0.14)");
        c.fill();
        line(c, "#8296ff", 1.0);
    }
    if let Some(aim) = e.aim() {
        aimed(c, aim);
    }
}

/// The keyboard's pointer: a cross that shows on light and dark, with a ring while it is held down.
fn aimed(c: &Context, aim: Aim) {
    let (x, y) = (aim.at.x.round() + 0.5, aim.at.y.round() + 0.5);
    c.begin_path();
    for (dx, dy) in [(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)] {
        c.move_to(x + dx * 4.0, y + dy * 4.0);
        c.line_to(x + dx * 18.0, y + dy * 18.0);
    }
    if aim.is_pressed() {
        c.move_to(x + 10.0, y);
        let _ = c.arc(x, y, 10.0, 0.0, std::f64::consts::TAU);
    }
    line(c, "rgb(0 0 0 / 0.8)", 5.0);
    line(c, "#ffffff", 2.0);
}

/// What is being drawn corner by corner.
fn corners(c: &Context, e: &Editor, outlines: &Outlines, drawn: &Outline, color: &str) {
    if drawn.tool == Tool::Keypoints {
        let placed: Vec<Keypoint> = drawn
            .points
            .iter()
            .zip(&drawn.marks)
            .map(|(p, v)| {
                if *v == Visibility::Absent {
                    Keypoint::default()
                } else {
                    Keypoint::new(*p, *v)
                }
            })
            .collect();
        let look = joints::Look {
            color,
            strong: true,
            named: None,
        };
        joints::draw(c, e.view(), &placed, e.skeleton(), look);
        let name = e.skeleton().and_then(|s| s.keypoints.get(placed.len()));
        if let (Some(next), Some(k)) = (drawn.next.map(|p| e.view().to_screen(p)), name) {
            tag(c, &k.name, next.x + 10.0, next.y - 22.0);
        }
        return;
    }
    let told = drawn.preview();
    if let Some(shape) = &told {
        outlines.trace(c, e.view(), shape);
    } else {
        let all: Vec<_> = drawn
            .points
            .iter()
            .chain(drawn.next.iter())
            .map(|p| [p.x, p.y])
            .collect();
        c.begin_path();
        way(c, e.view(), &all);
    }
    if !matches!(drawn.tool, Tool::Polyline | Tool::Slice) {
        c.set_global_alpha(0.18);
        c.set_fill_style_str(color);
        fill(c);
        c.set_global_alpha(1.0);
    }
    line(c, "rgb(0 0 0 / 0.5)", 3.5);
    line(c, &lighter(color), 2.0);
    for (i, p) in drawn.points.iter().map(|p| e.view().to_screen(*p)).enumerate() {
        let radius = if i == 0 && drawn.closes { 7.0 } else { 3.5 };
        c.begin_path();
        let _ = c.arc(p.x, p.y, radius, 0.0, std::f64::consts::TAU);
        c.set_fill_style_str(if i == 0 { color } else { "#ffffff" });
        c.fill();
        line(c, if i == 0 { "#ffffff" } else { color }, 1.5);
    }
}

/// What a smart tool proposes, and the clicks and strokes it was told by.
fn smart(c: &Context, e: &Editor, color: &str) {
    if let Some(mask) = e.grain_under() {
        trace_once(c, e.view(), mask);
        line(c, "rgb(0 0 0 / 0.6)", 3.0);
        line(c, "#ffffff", 1.25);
    }
    match e.proposal() {
        Some(Proposal::Region(region)) => {
            let color = if matches!(region.purpose, Purpose::Cut(_)) {
                RED
            } else {
                color
            };
            if let Some(mask) = &region.mask {
                trace_once(c, e.view(), mask);
                c.set_global_alpha(0.35);
                c.set_fill_style_str(color);
                fill(c);
                c.set_global_alpha(1.0);
                line(c, "rgb(0 0 0 / 0.5)", 3.5);
                line(c, "#ffffff", 1.5);
            }
            if let Some(frame) = region.frame {
                c.begin_path();
                ring(c, e.view(), frame);
                line(c, "rgb(0 0 0 / 0.5)", 3.5);
                line(c, color, 1.5);
            }
            // What superpixels were dragged over shows by them.
            let strokes = if e.tool() == Tool::Superpixels {
                &[][..]
            } else {
                &region.scribbles
            };
            for scribble in strokes {
                let all: Vec<_> = scribble.points.iter().map(|p| [p.x, p.y]).collect();
                c.begin_path();
                way(c, e.view(), &all);
                line(c, "rgb(255 255 255 / 0.8)", 4.0);
                line(c, if scribble.include { color } else { RED }, 2.0);
                if let Some(p) = scribble.points.first().map(|p| e.view().to_screen(*p)) {
                    mark(c, p, scribble.include, color);
                }
            }
        }
        Some(Proposal::Wire(wire)) => {
            let color = if matches!(wire.purpose, Purpose::Cut(_)) {
                RED
            } else {
                color
            };
            let (so_far, lead) = wire.line();
            for (points, width) in [(&so_far, 2.0), (&lead, 1.5)] {
                c.begin_path();
                way(c, e.view(), points);
                line(c, "rgb(0 0 0 / 0.5)", width + 1.5);
                line(c, &lighter(color), width);
            }
            for (i, [x, y]) in wire.corners().into_iter().enumerate() {
                let p = e.view().to_screen(Point::new(x, y));
                c.begin_path();
                let radius = if i == 0 && wire.closes { 7.0 } else { 3.5 };
                let _ = c.arc(p.x, p.y, radius, 0.0, std::f64::consts::TAU);
                c.set_fill_style_str(if i == 0 { color } else { "#ffffff" });
                c.fill();
                line(c, if i == 0 { "#ffffff" } else { color }, 1.5);
            }
        }
        None => {}
    }
}

/// A plus where something was said to be of the object, a minus where not.
fn mark(c: &Context, p: Point, include: bool, color: &str) {
    c.begin_path();
    let _ = c.arc(p.x, p.y, 6.0, 0.0, std::f64::consts::TAU);
    c.set_fill_style_str(if include { color } else { RED });
    c.fill();
    line(c, "#ffffff", 1.5);
    c.begin_path();
    c.move_to(p.x - 3.0, p.y);
    c.line_to(p.x + 3.0, p.y);
    if include {
        c.move_to(p.x, p.y - 3.0);
        c.line_to(p.x, p.y + 3.0);
    }
    line(c, "#ffffff", 1.5);
}

/// The stroke on its way, and the pixels under the brush.
fn painting(c: &Context, e: &Editor, color: &str) {
    if e.is_hold_pan() {
        return;
    }
    if let Some(stroke) = e.stroke()
        && let Some(mask) = &stroke.mask
    {
        trace_once(c, e.view(), mask);
        c.set_global_alpha(0.5);
        c.set_fill_style_str(if stroke.erase { RED } else { color });
        fill(c);
        c.set_global_alpha(1.0);
    }
    if let Some(print) = e.brush_print() {
        trace_once(c, e.view(), &print);
        line(c, "rgb(0 0 0 / 0.6)", 3.0);
        line(c, if e.tool() == Tool::Eraser { RED } else { "#ffffff" }, 1.25);
    }
}
