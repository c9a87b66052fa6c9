//! Shapes as paths on a canvas.

use limn_domain::polygon::{self, Part};
use limn_domain::{Mask, Point, Shape};
use limn_editor::Viewport;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use web_sys::{CanvasRenderingContext2d as Context, CanvasWindingRule};

/// Outlines of masks kept at most.
const KEPT: usize = 4_000;

/// The outlines of masks, made once: they are drawn as paths, like polygons.
#[derive(Clone, Default)]
pub struct Outlines(Rc<RefCell<Kept>>);

/// By size and counts of the window; relative to its corner.
type Kept = HashMap<(u32, u32, String), Rc<Vec<Part>>>;

impl Outlines {
    fn of(&self, mask: &Mask) -> Rc<Vec<Part>> {
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

    /// Adds the shape to the path.
    pub fn add(&self, c: &Context, view: &Viewport, shape: &Shape) {
        match shape {
            Shape::Whole => {}
            Shape::Box { rect } => {
                let r = view.rect_to_screen(*rect);
                c.rect(r.x, r.y, r.w, r.h);
            }
            Shape::Polygon { parts } => rings(c, view, parts, Point::default()),
            Shape::Mask { mask } => {
                let corner = Point::new(f64::from(mask.x), f64::from(mask.y));
                rings(c, view, &self.of(mask), corner);
            }
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

/// The corners of a polygon, and the middles of its longer sides, where one can be pulled out.
pub fn grips(c: &Context, view: &Viewport, parts: &[Part], color: &str) {
    const MANY: usize = 400;
    if polygon::vertices(parts).count() > MANY {
        let window = view.window();
        // So many corners would hide the outline: only where they can be told apart.
        if limn_editor::shape::corners(parts)
            .filter(|(_, p)| window.contains(*p))
            .count()
            > MANY
        {
            return;
        }
    }
    let scale = view.scale();
    c.set_stroke_style_str(color);
    c.set_line_width(1.0);
    c.set_fill_style_str("rgb(255 255 255 / 0.75)");
    for (_, at, side) in limn_editor::shape::middles(parts) {
        if side * scale >= 28.0 {
            let p = view.to_screen(at);
            c.begin_path();
            let _ = c.arc(p.x, p.y, 2.5, 0.0, std::f64::consts::TAU);
            c.fill();
            c.stroke();
        }
    }
    c.set_fill_style_str("#ffffff");
    c.set_line_width(1.5);
    for at in polygon::vertices(parts) {
        let p = view.to_screen(at);
        c.begin_path();
        let _ = c.arc(p.x, p.y, 4.0, 0.0, std::f64::consts::TAU);
        c.fill();
        c.stroke();
    }
}
