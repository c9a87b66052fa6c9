//! Drawing the points, once a frame at most.

use super::camera::Camera;
use super::points::{ColorSet, Points};
use super::raster::{Dot, Raster, parse_color};
use super::{Board, colors};
use crate::session::use_session;
use leptos::html;
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use std::sync::Arc;
use std::time::Duration;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{Clamped, JsCast};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ImageData};

/// Pixels of the screen for one of CSS at most: more would only cost time.
const RATIO_MAX: f64 = 2.0;
/// Radius of a point in pixels of CSS, and how much it grows with the map.
const SMALLEST: f64 = 1.5;
const LARGEST: f64 = 4.0;
const GROWS: f64 = 0.2;
const GROWN: f64 = 1.8;
/// From so many points in view on they are this small at most, in pixels of the screen.
const CROWD: usize = 50_000;
const IN_A_CROWD: f64 = 1.7;
/// How much of a point that does not pass is left.
const FAINT: u8 = 40;
const FULL: u8 = 235;
/// How far the ring of a selected point reaches beyond it, in pixels of CSS.
const RING: f64 = 1.8;

/// Draws whenever something has changed that is seen.
pub fn use_painter(board: Board, canvas: NodeRef<html::Canvas>) {
    let raster = StoredValue::new(Raster::default());
    let scheduled = StoredValue::new(false);
    let colored = use_colored();
    Effect::new(move |_| {
        board.points.track();
        board.camera.track();
        board.hidden.track();
        board.palette.track();
        board.selected.track();
        colored.track();
        let Some(canvas) = canvas.get() else {
            return;
        };
        if scheduled.get_value() {
            return;
        }
        scheduled.set_value(true);
        request_animation_frame(move || {
            // The page may be gone by now.
            if scheduled.try_set_value(false).is_none() {
                raster.update_value(|raster| {
                    // What cannot be drawn now is drawn with the next change.
                    let _ = draw(board, &canvas, raster);
                });
            }
        });
    });
}

/// Until colours of the page have moved to others, also where motion is reduced to next to nothing.
const SETTLED: Duration = Duration::from_millis(60);

/// Goes up when the page has changed between light and dark: by its own switch, or with the system.
fn use_colored() -> RwSignal<u32> {
    let times = RwSignal::new(0);
    let soon = move || {
        set_timeout(
            move || {
                times.try_update(|n| *n += 1);
            },
            SETTLED,
        );
    };
    let theme = use_session().theme;
    Effect::new(move |_| {
        theme.track();
        soon();
    });
    Effect::new(move |_| {
        let Ok(Some(list)) = window().match_media("(prefers-color-scheme: dark)") else {
            return;
        };
        let changed = Closure::<dyn Fn()>::new(soon);
        let _ = list.add_event_listener_with_callback("change", changed.as_ref().unchecked_ref());
        let kept = SendWrapper::new((list, changed));
        on_cleanup(move || {
            let (list, changed) = &*kept;
            let _ = list.remove_event_listener_with_callback("change", changed.as_ref().unchecked_ref());
        });
    });
    times
}

fn draw(board: Board, canvas: &HtmlCanvasElement, raster: &mut Raster) -> Option<()> {
    let camera = board.camera.get_untracked();
    let ratio = window().device_pixel_ratio().clamp(1.0, RATIO_MAX);
    let pixels = |v: f64| (v * ratio).round() as u32;
    let (w, h) = (pixels(camera.screen().0), pixels(camera.screen().1));
    if w == 0 || h == 0 {
        return None;
    }
    if (canvas.width(), canvas.height()) != (w, h) {
        canvas.set_width(w);
        canvas.set_height(h);
    }
    let style = window().get_computed_style(canvas).ok()??;
    let read = |name: &str| parse_color(&style.get_property_value(name).unwrap_or_default());
    raster.clear(w as usize, h as usize, read("background-color"));
    let scene = Scene {
        points: board.points.get_untracked(),
        camera,
        ratio,
        hidden: board.hidden.get_untracked(),
        colors: board.palette.with_untracked(|p| colors(p)),
        ink: read("color"),
    };
    board
        .selected
        .with_untracked(|selected| scene.draw(selected, raster));
    let data = ImageData::new_with_u8_clamped_array_and_sh(Clamped(raster.pixels()), w, h).ok()?;
    let context: CanvasRenderingContext2d = canvas.get_context("2d").ok()??.dyn_into().ok()?;
    context.put_image_data(&data, 0.0, 0.0).ok()
}

/// What is drawn, and from where.
struct Scene {
    points: Arc<Points>,
    camera: Camera,
    /// Pixels of the screen for one of CSS.
    ratio: f64,
    hidden: ColorSet,
    colors: Vec<[u8; 3]>,
    ink: [u8; 3],
}

impl Scene {
    fn draw(&self, selected: &[u32], raster: &mut Raster) {
        let in_view: Vec<u32> = self.points.within(self.camera.window()).collect();
        let radius = self.radius(in_view.len());
        let dot = Dot::new(radius);
        let (lit, faint): (Vec<u32>, Vec<u32>) = in_view
            .into_iter()
            .partition(|p| self.points.is_lit(*p, self.hidden));
        for point in faint {
            // What is hidden is gone; what does not pass is faint.
            if !self.hidden.has(self.points.color(point)) {
                self.dot(point, &dot, FAINT, raster);
            }
        }
        for point in lit {
            self.dot(point, &dot, FULL, raster);
        }
        let ring = Dot::new(radius + RING * self.ratio);
        for point in selected {
            if let Some(at) = self.place(*point) {
                raster.dot(at, &ring, self.ink, 255);
                self.dot(*point, &dot, 255, raster);
            }
        }
    }

    fn dot(&self, point: u32, dot: &Dot, strength: u8, raster: &mut Raster) {
        let color = usize::from(self.points.color(point));
        let color = self.colors.get(color).or(self.colors.first());
        if let (Some(at), Some(color)) = (self.place(point), color) {
            raster.dot(at, dot, *color, strength);
        }
    }

    fn place(&self, point: u32) -> Option<(f64, f64)> {
        let (x, y) = self.camera.to_screen(self.points.at(point)?);
        Some((x * self.ratio, y * self.ratio))
    }

    /// In pixels of the screen: the fewer there are and the larger the map, the larger.
    fn radius(&self, in_view: usize) -> f64 {
        let (w, h) = self.camera.screen();
        let room = (w * h / self.points.count().max(1) as f64).sqrt();
        let grown = self.camera.zoom().powf(GROWS).clamp(1.0, GROWN);
        let radius = (0.3 * room).clamp(SMALLEST, LARGEST) * grown * self.ratio;
        if in_view > CROWD {
            radius.min(IN_A_CROWD)
        } else {
            radius
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_domain::map::{MapPoints, PASSES};

    fn drawn(selected: &[u32], hidden: ColorSet) -> Raster {
        let points = MapPoints {
            rows: vec![0, 1],
            at: vec![[0, 32_768], [65_535, 32_768]],
            marks: vec![PASSES | 1, 2],
            ..MapPoints::default()
        };
        let scene = Scene {
            points: Arc::new(Points::new(points)),
            camera: Camera::fitting((100.0, 100.0)),
            ratio: 1.0,
            hidden,
            colors: vec![[128; 3], [200, 0, 0], [0, 0, 200]],
            ink: [0; 3],
        };
        let mut raster = Raster::default();
        raster.clear(100, 100, [255; 3]);
        scene.draw(selected, &mut raster);
        raster
    }

    fn pixel(raster: &Raster, x: usize) -> &[u8] {
        &raster.pixels()[(50 * 100 + x) * 4..][..3]
    }

    #[test]
    fn what_passes_is_bright_and_the_rest_faint() {
        let none = ColorSet::default();
        let all = drawn(&[], none);
        let (bright, faint) = (pixel(&all, 6), pixel(&all, 93));
        assert!(bright[0] > 180 && bright[1] < 40, "{bright:?}");
        assert!(
            faint[0] > 190 && faint[0] < 250 && faint[2] > faint[0],
            "{faint:?}"
        );
        assert_eq!(pixel(&all, 50), [255; 3]);
        let without = drawn(&[], none.toggled(1).toggled(2));
        assert_eq!(pixel(&without, 6), [255; 3]);
        assert_eq!(pixel(&without, 93), [255; 3]);
    }

    #[test]
    fn what_is_selected_has_a_ring() {
        let all = drawn(&[0], ColorSet::default());
        let dark = (0..20)
            .filter(|x| pixel(&all, *x).iter().all(|v| *v < 60))
            .count();
        assert!(dark >= 2, "{dark}");
    }
}
