//! Putting a picture, or a part of one, where the view has it: scaled and turned.

use super::paint::ratio;
use super::tiles::Drawable;
use limn_domain::Rect;
use limn_editor::Viewport;
use web_sys::{CanvasRenderingContext2d as Context, ImageBitmap};

/// What is drawn.
pub enum Picture<'a> {
    Image(&'a ImageBitmap),
    Tile(&'a Drawable),
}

/// Draws `part` (left, top, width, height in the picture's own pixels) so that it covers `rect` of the image.
///
/// Upright and in quarter turns the edges lie on the screen's pixels, so that neighbours meet without a seam; at any other
/// angle they overlap a little.
pub fn place(c: &Context, view: &Viewport, picture: &Picture<'_>, part: [f64; 4], rect: Rect) {
    let quarter = view.turn() % 90.0 == 0.0;
    let on_side = quarter && (view.turn() / 90.0) as i32 % 2 == 1;
    let (center, w, h) = if quarter {
        let r = ratio();
        let edge = |v: f64| (v * r).round() / r;
        let s = view.rect_to_screen(rect);
        let (x0, y0, x1, y1) = (edge(s.x), edge(s.y), edge(s.right()), edge(s.bottom()));
        let center = limn_domain::Point::new(f64::midpoint(x0, x1), f64::midpoint(y0, y1));
        let (w, h) = (x1 - x0, y1 - y0);
        if on_side { (center, h, w) } else { (center, w, h) }
    } else {
        let k = view.scale();
        (view.to_screen(rect.center()), rect.w * k + 0.7, rect.h * k + 0.7)
    };
    let [sx, sy, sw, sh] = part;
    c.save();
    let _ = c.translate(center.x, center.y);
    let _ = c.rotate(view.turn().to_radians());
    let (x, y) = (-w / 2.0, -h / 2.0);
    let _ = match *picture {
        Picture::Image(b) | Picture::Tile(Drawable::Bitmap(b)) => c
            .draw_image_with_image_bitmap_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
                b, sx, sy, sw, sh, x, y, w, h,
            ),
        Picture::Tile(Drawable::Canvas(k)) => c
            .draw_image_with_html_canvas_element_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
                k, sx, sy, sw, sh, x, y, w, h,
            ),
    };
    c.restore();
}

/// Begins a path along a box of the image.
pub fn ring(c: &Context, view: &Viewport, r: Rect) {
    use limn_domain::Point;
    let corners = [
        Point::new(r.x, r.y),
        Point::new(r.right(), r.y),
        Point::new(r.right(), r.bottom()),
        Point::new(r.x, r.bottom()),
    ];
    for (i, p) in corners.into_iter().enumerate() {
        let p = view.to_screen(p);
        if i == 0 {
            c.move_to(p.x, p.y);
        } else {
            c.line_to(p.x, p.y);
        }
    }
    c.close_path();
}
