//! Shapes as paths on a canvas.

use super::place::ring;
use limn_domain::polygon::{Part, Vertex};
use limn_domain::{Mask, Point, Shape};
use limn_editor::Viewport;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use web_sys::{CanvasRenderingContext2d as Context, CanvasWindingRule};

/// Radius of a point in screen pixels.
const DOT: f64 = 4.5;
/// Outlines of masks kept at most.
const KEPT: usize = 4_000;

/// The outlines of masks, made once: they are drawn as paths, like polygons.
#[derive(Clone, Default)]
pub struct Outlines(Rc<RefCell<Kept>>);

/// By size and counts of the window; relative to its corner.
type Kept = HashMap<(u32, u32, String), Rc<Vec<Part>>>;

impl Outlines {
    /// The outline of a mask relative to its corner.
    pub fn of(&self, mask: &Mask) -> Rc<Vec<Part>> {
        let key = (mask.width, mask.height, mask.counts.clone());
        let mut kept = self.0.borrow_mut();
        if kept.len() > KEPT {
            kept.clear();
        }
        Rc::clone(kept.entry(key).or_insert_with(|| {
            let at_corner = Mask {
                x: 0,
                y: 0,
                ..mask.clone()
            };
            Rc::new(at_corner.to_polygon())
        }))
    }

    /// Begins a path along the shape. Details smaller than a screen pixel are left out.
    pub fn trace(&self, c: &Context, view: &Viewport, shape: &Shape) {
        c.begin_path();
        self.add(c, view, shape);
    }

    /// The highest corner of an outline on the screen; `None` of what has a side or a point there.
    pub fn top(&self, view: &Viewport, shape: &Shape) -> Option<Point> {
        let highest = |rings: &[Part], corner: Point| {
            let all = rings.iter().flatten().flatten();
            let all = all.map(|v| view.to_screen(Point::new(v[0] + corner.x, v[1] + corner.y)));
            all.min_by(|a, b| a.y.total_cmp(&b.y))
        };
        match shape {
            Shape::Polygon { parts } => highest(parts, Point::default()),
            Shape::Mask { mask } => {
                let corner = Point::new(f64::from(mask.x), f64::from(mask.y));
                highest(&self.of(mask), corner)
            }
            Shape::Polyline { points } => {
                let all = points.iter().map(|v| view.to_screen(Point::new(v[0], v[1])));
                all.min_by(|a, b| a.y.total_cmp(&b.y))
            }
            Shape::RotatedBox { rect } => {
                let all = rect.corners().into_iter().map(|p| view.to_screen(p));
                all.min_by(|a, b| a.y.total_cmp(&b.y))
            }
            _ => None,
        }
    }

    /// Adds the shape to the path.
    pub fn add(&self, c: &Context, view: &Viewport, shape: &Shape) {
        match shape {
            // Of a track the frame in view is drawn.
            Shape::Whole | Shape::Span { .. } | Shape::Track { .. } => {}
            Shape::Box { rect } => {
                ring(c, view, *rect);
            }
            Shape::Polygon { parts } => rings(c, view, parts, Point::default()),
            Shape::RotatedBox { rect } => {
                let ring = rect.corners().map(|p| [p.x, p.y]).to_vec();
                rings(c, view, &[vec![ring]], Point::default());
            }
            Shape::Ellipse { rect } => {
                let (p, k, turn) = (
                    view.to_screen(rect.center()),
                    view.scale() / 2.0,
                    (rect.angle + view.turn()).to_radians(),
                );
                let (rx, ry) = (rect.w * k, rect.h * k);
                c.move_to(p.x + rx * turn.cos(), p.y + rx * turn.sin());
                let _ = c.ellipse(p.x, p.y, rx, ry, turn, 0.0, std::f64::consts::TAU);
            }
            Shape::Polyline { points } => way(c, view, points),
            Shape::Points { .. } | Shape::Keypoints { .. } => {
                for [x, y] in shape.dots() {
                    let p = view.to_screen(Point::new(x, y));
                    c.move_to(p.x + DOT, p.y);
                    let _ = c.arc(p.x, p.y, DOT, 0.0, std::f64::consts::TAU);
                }
            }
            Shape::Mask { mask } => {
                let corner = Point::new(f64::from(mask.x), f64::from(mask.y));
                rings(c, view, &self.of(mask), corner);
            }
        }
    }
}

/// Begins a path along the pixels of a mask that is on its way and not worth keeping.
pub fn trace_once(c: &Context, view: &Viewport, mask: &Mask) {
    c.begin_path();
    rings(c, view, &mask.to_polygon(), Point::default());
}

/// Adds an open line to the path.
pub fn way(c: &Context, view: &Viewport, points: &[Vertex]) {
    for (i, v) in points.iter().enumerate() {
        let p = view.to_screen(Point::new(v[0], v[1]));
        if i == 0 {
            c.move_to(p.x, p.y);
        } else {
            c.line_to(p.x, p.y);
        }
    }
}

fn rings(c: &Context, view: &Viewport, parts: &[Part], corner: Point) {
    for ring in parts.iter().flatten() {
        let (mut last, mut first) = (Point::default(), true);
        for v in ring {
            let p = view.to_screen(Point::new(v[0] + corner.x, v[1] + corner.y));
            if first {
                c.move_to(p.x, p.y);
            } else if (p.x - last.x).abs() + (p.y - last.y).abs() < 0.75 {
                continue;
            } else {
                c.line_to(p.x, p.y);
            }
            (last, first) = (p, false);
        }
        c.close_path();
    }
}

/// Fills the path by the rule of polygons with holes.
pub fn fill(c: &Context) {
    c.fill_with_canvas_winding_rule(CanvasWindingRule::Evenodd);
}
