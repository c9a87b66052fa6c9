//! Thousands of outlines drawn by the graphics card (WebGL 2): handed over once, then moved, scaled and turned by a few numbers
//! a frame. Where there is no such card, or too much to hand over, [`super::backdrop`] draws them on a canvas.

use super::mesh::Mesh;
use super::outlines::Outlines;
use super::paint::ratio;
use crate::features::label::desk::Sheet;
use crate::features::label::look::{CardUse, ColorBy, Look};
use js_sys::{Object, Reflect};
use limn_domain::{Annotation, AnnotationId, ItemId, Point};
use limn_editor::{Editor, Viewport};
use std::collections::HashSet;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{
    HtmlCanvasElement, WebGl2RenderingContext as Gl, WebGlBuffer, WebGlProgram, WebGlShader,
    WebGlUniformLocation,
};

/// Milliseconds of a frame that gathering outlines may take.
const SLICE: f64 = 6.0;
/// So many shapes that come or go with the selection are told one by one; more are handed over anew.
const ONE_BY_ONE: usize = 2_000;

/// `at` in pixels of the image, `size` the longer side of the shape there (below 0: not shown). Shapes smaller than three pixels
/// of the screen are a dot, the others lines.
const VERTEX: &str = "#version 300 es
layout(location = 0) in vec2 at;
layout(location = 1) in vec4 color;
layout(location = 2) in float size;
uniform vec2 middle, right, down, shift;
uniform float scale, ratio, dots;
out vec3 tint;
void main() {
  float px = size * scale;
  bool small = px < 3.0;
  vec2 d = at - middle;
  bool shown = size >= 0.0 && small == (dots > 0.5);
  gl_Position = shown ? vec4(d.x * right + d.y * down + shift, 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
  gl_PointSize = max(px, color.a * 255.0) * ratio;
  tint = color.rgb;
}";
const FRAGMENT: &str = "#version 300 es
precision mediump float;
in vec3 tint;
out vec4 pixel;
void main() { pixel = vec4(tint, 1.0); }";

/// What the outlines depend on besides view and selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    item: ItemId,
    sheet: u64,
    doc: u64,
    frame: u64,
    layers: u64,
    color_by: ColorBy,
    attribute: u32,
    /// A sum over the colours of the categories.
    colors: u64,
}

impl Key {
    pub fn of(s: &Sheet, looks: Look, colors: u64) -> Self {
        let epochs = s.editor.epochs();
        Self {
            item: s.item.id,
            sheet: s.number,
            doc: epochs.doc,
            frame: epochs.frame,
            layers: epochs.layers,
            color_by: looks.color_by,
            attribute: looks.attribute,
            colors,
        }
    }
}

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawn {
    /// Everything stands as it is now.
    Exactly,
    /// Something older stands, or nothing yet: another frame goes on.
    Soon { anything: bool },
    /// The card cannot.
    No,
}

/// The outlines on the card.
struct Shown {
    key: Key,
    mesh: Mesh,
    /// Those left out because they are selected, and the state of the selection they belong to.
    hidden: HashSet<AnnotationId>,
    selection: Option<u64>,
}

/// Outlines being gathered, some a frame.
struct Making {
    key: Key,
    ids: Vec<AnnotationId>,
    next: usize,
    mesh: Mesh,
}

/// The card and what it holds.
pub struct Card {
    canvas: HtmlCanvasElement,
    gl: Gl,
    uniforms: [WebGlUniformLocation; 7],
    vertices: WebGlBuffer,
    sizes: WebGlBuffer,
    lines: WebGlBuffer,
    dots: WebGlBuffer,
    shown: Option<Shown>,
    making: Option<Making>,
    /// What was too much to hand over.
    refused: Option<Key>,
    is_on: bool,
}

/// The card once it was asked for.
#[derive(Default)]
pub enum Slot {
    #[default]
    Untried,
    Ready(Box<Card>),
    /// There is none for this setting.
    Without(CardUse),
}

impl Slot {
    /// The card, which is asked for at the first time. A browser that would draw with the processor instead counts as having
    /// none, unless somebody wants it.
    pub fn get(&mut self, canvas: &HtmlCanvasElement, wanted: CardUse) -> Option<&mut Card> {
        if wanted == CardUse::Never {
            if let Self::Ready(card) = self {
                card.hide();
            }
            return None;
        }
        if matches!(self, Self::Ready(card) if card.gl.is_context_lost()) {
            // It may have been the outlines that were too much for it: this page does without from now on.
            canvas.style().set_property("visibility", "hidden").ok();
            *self = Self::Without(wanted);
        }
        let untried = match self {
            Self::Untried => true,
            Self::Without(tried) => *tried != wanted && wanted == CardUse::Always,
            Self::Ready(_) => false,
        };
        if untried {
            *self = Card::new(canvas, wanted == CardUse::Always)
                .map_or(Self::Without(wanted), |card| Self::Ready(Box::new(card)));
        }
        match self {
            Self::Ready(card) => Some(card),
            _ => None,
        }
    }

    /// Shows nothing.
    pub fn hide(&mut self) {
        if let Self::Ready(card) = self {
            card.hide();
        }
    }
}

impl Card {
    fn new(canvas: &HtmlCanvasElement, any: bool) -> Option<Self> {
        let options = Object::new();
        for (name, on) in [
            ("failIfMajorPerformanceCaveat", !any),
            ("antialias", true),
            ("depth", false),
            ("premultipliedAlpha", true),
        ] {
            Reflect::set(&options, &JsValue::from_str(name), &JsValue::from_bool(on)).ok()?;
        }
        let gl: Gl = canvas
            .get_context_with_context_options("webgl2", &options)
            .ok()??
            .dyn_into()
            .ok()?;
        if !any && is_pretended(&gl) {
            return None;
        }
        let program = program(&gl)?;
        gl.use_program(Some(&program));
        let at = |name: &str| gl.get_uniform_location(&program, name);
        let uniforms = [
            at("middle")?,
            at("right")?,
            at("down")?,
            at("shift")?,
            at("scale")?,
            at("ratio")?,
            at("dots")?,
        ];
        let buffers = [
            gl.create_buffer()?,
            gl.create_buffer()?,
            gl.create_buffer()?,
            gl.create_buffer()?,
        ];
        let [vertices, sizes, lines, dots] = buffers;
        gl.bind_buffer(Gl::ARRAY_BUFFER, Some(&vertices));
        gl.enable_vertex_attrib_array(0);
        gl.vertex_attrib_pointer_with_i32(0, 2, Gl::FLOAT, false, Mesh::STRIDE, 0);
        gl.enable_vertex_attrib_array(1);
        gl.vertex_attrib_pointer_with_i32(1, 4, Gl::UNSIGNED_BYTE, true, Mesh::STRIDE, 8);
        gl.bind_buffer(Gl::ARRAY_BUFFER, Some(&sizes));
        gl.enable_vertex_attrib_array(2);
        gl.vertex_attrib_pointer_with_i32(2, 1, Gl::FLOAT, false, 4, 0);
        gl.clear_color(0.0, 0.0, 0.0, 0.0);
        Some(Self {
            canvas: canvas.clone(),
            gl,
            uniforms,
            vertices,
            sizes,
            lines,
            dots,
            shown: None,
            making: None,
            refused: None,
            is_on: false,
        })
    }

    /// Whether it shows outlines of this item.
    pub fn shows(&self, item: ItemId) -> bool {
        self.is_on && self.shown.as_ref().is_some_and(|s| s.key.item == item)
    }

    /// Shows nothing until it is asked to draw again.
    pub fn hide(&mut self) {
        if std::mem::take(&mut self.is_on) {
            let _ = self.canvas.style().set_property("visibility", "hidden");
        }
        self.making = None;
    }

    /// Draws all visible shapes but the selected ones as they lie in the view now.
    pub fn draw<'a>(
        &mut self,
        key: Key,
        e: &Editor,
        outlines: &Outlines,
        color: impl Fn(&Annotation) -> &'a str,
    ) -> Drawn {
        if self.gl.is_context_lost() || self.refused == Some(key) {
            self.hide();
            return Drawn::No;
        }
        if self.shown.as_ref().is_none_or(|s| s.key != key) {
            if self.making.as_ref().is_none_or(|m| m.key != key) {
                let visible = e.doc().iter().filter(|a| e.layers().is_visible(a));
                self.making = Some(Making {
                    key,
                    ids: visible.map(|a| a.id).collect(),
                    next: 0,
                    mesh: Mesh::default(),
                });
            }
            if !self.gather(e, outlines, color) {
                self.refused = Some(key);
                self.shown = None;
                self.hide();
                return Drawn::No;
            }
        } else {
            self.making = None;
        }
        let Some(shown) = self.shown.as_ref().filter(|s| s.key.item == key.item) else {
            if std::mem::take(&mut self.is_on) {
                let _ = self.canvas.style().set_property("visibility", "hidden");
            }
            return Drawn::Soon { anything: false };
        };
        let exact = shown.key == key;
        self.leave_out(e);
        self.put(e.view());
        if !std::mem::replace(&mut self.is_on, true) {
            let _ = self.canvas.style().set_property("visibility", "visible");
        }
        if exact {
            Drawn::Exactly
        } else {
            Drawn::Soon { anything: true }
        }
    }

    /// Gathers on for a slice of the frame, and hands over when all is there. Whether it fits the card.
    fn gather<'a>(
        &mut self,
        e: &Editor,
        outlines: &Outlines,
        color: impl Fn(&Annotation) -> &'a str,
    ) -> bool {
        let Some(making) = self.making.as_mut() else {
            return true;
        };
        let until = js_sys::Date::now() + SLICE;
        while let Some(id) = making.ids.get(making.next) {
            making.next += 1;
            if let (Some(a), Some(r)) = (e.doc().get(*id), e.doc().bounds(*id)) {
                making.mesh.add(a.id, r.w.max(r.h), color(a), &a.shape, outlines);
            }
            if making.mesh.is_full() {
                self.making = None;
                return false;
            }
            if making.next % 64 == 0 && js_sys::Date::now() >= until {
                return true;
            }
        }
        if let Some(Making { key, mut mesh, .. }) = self.making.take() {
            let gl = &self.gl;
            gl.bind_buffer(Gl::ARRAY_BUFFER, Some(&self.vertices));
            gl.buffer_data_with_u8_array(Gl::ARRAY_BUFFER, &mesh.vertices, Gl::STATIC_DRAW);
            gl.bind_buffer(Gl::ARRAY_BUFFER, Some(&self.sizes));
            gl.buffer_data_with_u8_array(Gl::ARRAY_BUFFER, &mesh.sizes, Gl::DYNAMIC_DRAW);
            for (buffer, bytes) in [(&self.lines, &mesh.lines), (&self.dots, &mesh.dots)] {
                gl.bind_buffer(Gl::ELEMENT_ARRAY_BUFFER, Some(buffer));
                gl.buffer_data_with_u8_array(Gl::ELEMENT_ARRAY_BUFFER, bytes, Gl::STATIC_DRAW);
            }
            mesh.handed_over();
            self.shown = Some(Shown {
                key,
                mesh,
                hidden: HashSet::new(),
                selection: None,
            });
        }
        true
    }

    /// Selected shapes are drawn elsewhere: they move.
    fn leave_out(&mut self, e: &Editor) {
        let Some(shown) = self.shown.as_mut() else {
            return;
        };
        let epoch = e.epochs().selection;
        if shown.selection.replace(epoch) == Some(epoch) {
            return;
        }
        let now: HashSet<AnnotationId> = e.selection().iter().collect();
        let changed: Vec<AnnotationId> = now.symmetric_difference(&shown.hidden).copied().collect();
        self.gl.bind_buffer(Gl::ARRAY_BUFFER, Some(&self.sizes));
        let size = |id: AnnotationId| match e.doc().bounds(id) {
            Some(r) if !now.contains(&id) => r.w.max(r.h),
            _ => -1.0,
        };
        if changed.len() > ONE_BY_ONE {
            let bytes = shown.mesh.sizes_with(size);
            self.gl
                .buffer_data_with_u8_array(Gl::ARRAY_BUFFER, &bytes, Gl::DYNAMIC_DRAW);
        } else {
            for id in changed {
                if let Some((from, bytes)) = shown.mesh.size_of(id, size(id)) {
                    self.gl
                        .buffer_sub_data_with_i32_and_u8_array(Gl::ARRAY_BUFFER, from as i32, &bytes);
                }
            }
        }
        shown.hidden = now;
    }

    fn put(&self, view: &Viewport) {
        let Some(shown) = &self.shown else {
            return;
        };
        let (gl, r) = (&self.gl, ratio());
        let (w, h) = (view.screen().width.max(1.0), view.screen().height.max(1.0));
        let size = ((w * r).round() as u32, (h * r).round() as u32);
        if (self.canvas.width(), self.canvas.height()) != size {
            self.canvas.set_width(size.0);
            self.canvas.set_height(size.1);
        }
        gl.viewport(0, 0, size.0 as i32, size.1 as i32);
        gl.clear(Gl::COLOR_BUFFER_BIT);
        let (sin, cos) = view.sin_cos();
        let k = view.scale();
        let (kx, ky) = (2.0 * k / w, -2.0 * k / h);
        // About the middle of the view: numbers stay small where single precision is coarse.
        let middle = view.to_image(Point::new(w / 2.0, h / 2.0));
        let [
            to_middle,
            to_right,
            to_down,
            to_shift,
            to_scale,
            to_ratio,
            to_dots,
        ] = self.uniforms.each_ref().map(Some);
        gl.uniform2f(to_middle, middle.x as f32, middle.y as f32);
        gl.uniform2f(to_right, (cos * kx) as f32, (sin * ky) as f32);
        gl.uniform2f(to_down, (-sin * kx) as f32, (cos * ky) as f32);
        gl.uniform1f(to_scale, k as f32);
        gl.uniform1f(to_ratio, r as f32);
        gl.bind_buffer(Gl::ELEMENT_ARRAY_BUFFER, Some(&self.lines));
        gl.uniform1f(to_dots, 0.0);
        // Lines of a card are one of its pixels wide: on dense screens they are drawn side by side.
        let times = (r.round() as i32).clamp(1, 3);
        for i in 0..times {
            let by = f64::from(i) - f64::from(times - 1) / 2.0;
            gl.uniform2f(to_shift, (2.0 * by / (w * r)) as f32, (0.7 * by / (h * r)) as f32);
            gl.draw_elements_with_i32(Gl::LINES, shown.mesh.line_ends, Gl::UNSIGNED_INT, 0);
        }
        gl.uniform2f(to_shift, 0.0, 0.0);
        gl.bind_buffer(Gl::ELEMENT_ARRAY_BUFFER, Some(&self.dots));
        gl.uniform1f(to_dots, 1.0);
        gl.draw_elements_with_i32(Gl::POINTS, shown.mesh.dot_count, Gl::UNSIGNED_INT, 0);
    }
}

/// Whether the processor would do the drawing; not every browser says so by the option for that.
fn is_pretended(gl: &Gl) -> bool {
    /// `UNMASKED_RENDERER_WEBGL`
    const RENDERER: u32 = 0x9246;
    let known = gl
        .get_extension("WEBGL_debug_renderer_info")
        .ok()
        .flatten()
        .is_some();
    let name = gl.get_parameter(if known { RENDERER } else { Gl::RENDERER });
    let name = name
        .ok()
        .and_then(|n| n.as_string())
        .unwrap_or_default()
        .to_lowercase();
    ["swiftshader", "llvmpipe", "softpipe", "software", "basic render"]
        .iter()
        .any(|soft| name.contains(soft))
}

fn shader(gl: &Gl, kind: u32, text: &str) -> Option<WebGlShader> {
    let shader = gl.create_shader(kind)?;
    gl.shader_source(&shader, text);
    gl.compile_shader(&shader);
    let fine = gl.get_shader_parameter(&shader, Gl::COMPILE_STATUS).is_truthy();
    fine.then_some(shader)
}

fn program(gl: &Gl) -> Option<WebGlProgram> {
    let program = gl.create_program()?;
    gl.attach_shader(&program, &shader(gl, Gl::VERTEX_SHADER, VERTEX)?);
    gl.attach_shader(&program, &shader(gl, Gl::FRAGMENT_SHADER, FRAGMENT)?);
    gl.link_program(&program);
    let fine = gl.get_program_parameter(&program, Gl::LINK_STATUS).is_truthy();
    fine.then_some(program)
}
