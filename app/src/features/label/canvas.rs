//! The stage: two canvases (image below, shapes above) over the editor, and the pointers on them.

mod backdrop;
mod grips;
mod images;
mod joints;
mod links;
mod outlines;
mod overlay;
mod paint;

use super::desk::{Desk, Phase};
use leptos::html;
use leptos::prelude::*;
use limn_domain::{Point, Size};
use limn_editor::{Button, Mods, Pointer, PointerKind};
use paint::Painter;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlElement, PointerEvent, WheelEvent};

/// The pointer as the editor knows it.
fn pointer(ev: &PointerEvent, stage: &HtmlElement) -> Pointer {
    let r = stage.get_bounding_client_rect();
    Pointer {
        id: ev.pointer_id(),
        kind: match ev.pointer_type().as_str() {
            "touch" => PointerKind::Touch,
            "pen" => PointerKind::Pen,
            _ => PointerKind::Mouse,
        },
        at: Point::new(
            f64::from(ev.client_x()) - r.left(),
            f64::from(ev.client_y()) - r.top(),
        ),
        button: match ev.button() {
            1 => Button::Middle,
            2 => Button::Secondary,
            _ => Button::Primary,
        },
        mods: Mods {
            ctrl: ev.ctrl_key() || ev.meta_key(),
            shift: ev.shift_key(),
            alt: ev.alt_key(),
        },
    }
}

/// The canvases and what the pointer does on them.
#[component]
pub fn Stage() -> impl IntoView {
    let desk: Desk = expect_context();
    let stage = NodeRef::<html::Div>::new();
    let image = NodeRef::<html::Canvas>::new();
    let shapes = NodeRef::<html::Canvas>::new();
    let painter = StoredValue::new_local(Painter::new(desk));

    Effect::new(move |_| {
        if let (Some(image), Some(shapes)) = (image.get(), shapes.get()) {
            painter.update_value(|p| p.attach(image, shapes));
        }
    });
    // Any change that is drawn asks for a frame; one frame draws them all.
    Effect::new(move |_| {
        desk.view_tick.track();
        desk.current.track();
        desk.looks.track();
        painter.with_value(Painter::all);
    });
    Effect::new(move |_| {
        desk.doc_tick.track();
        desk.selection_tick.track();
        desk.look_tick.track();
        desk.categories.track();
        painter.with_value(Painter::shapes);
    });
    Effect::new(move |_| {
        desk.current.track();
        desk.film.track();
        painter.with_value(Painter::prefetch);
    });

    // The canvas follows its box.
    Effect::new(move |_| {
        let Some(el) = stage.get() else {
            return;
        };
        let measured = el.clone();
        let measure = move || {
            let (w, h) = (
                f64::from(measured.client_width()),
                f64::from(measured.client_height()),
            );
            desk.resize(Size { width: w, height: h });
            painter.try_with_value(|p| p.resize(w, h));
        };
        measure();
        let callback = Closure::<dyn Fn()>::new(measure);
        if let Ok(observer) = web_sys::ResizeObserver::new(callback.as_ref().unchecked_ref()) {
            observer.observe(&el);
            let parts = StoredValue::new_local(Some((observer, callback)));
            on_cleanup(move || {
                if let Some((observer, _callback)) = parts.try_update_value(Option::take).flatten() {
                    observer.disconnect();
                }
            });
        }
    });

    let on = move |ev: PointerEvent, f: fn(&mut limn_editor::Editor, Pointer)| {
        if let Some(el) = stage.get_untracked() {
            let p = pointer(&ev, &el);
            desk.edit(|e| f(e, p));
        }
    };
    let down = move |ev: PointerEvent| {
        desk.note_activity();
        desk.sheet_up.set(false);
        if let Some(el) = stage.get_untracked() {
            let _ = el.set_pointer_capture(ev.pointer_id());
            let _ = el.focus();
        }
        if ev.button() == 1 {
            ev.prevent_default();
        }
        on(ev, limn_editor::Editor::pointer_down);
    };
    let wheel = move |ev: WheelEvent| {
        ev.prevent_default();
        desk.note_activity();
        if let Some(el) = stage.get_untracked() {
            let r = el.get_bounding_client_rect();
            let at = Point::new(
                f64::from(ev.client_x()) - r.left(),
                f64::from(ev.client_y()) - r.top(),
            );
            // Lines and pages as pixels; a pinch on a trackpad comes as small steps with Ctrl.
            let unit = match ev.delta_mode() {
                1 => 16.0,
                2 => r.height(),
                _ if ev.ctrl_key() => 4.0,
                _ => 1.0,
            };
            if ev.alt_key() && desk.read(|s| s.editor.tool().paints()) == Some(true) {
                let up = ev.delta_y() < 0.0;
                desk.edit(|e| e.grow_brush(up));
                return;
            }
            desk.edit(|e| e.wheel(at, ev.delta_x() * unit, ev.delta_y() * unit, ev.shift_key()));
        }
    };
    let cursor = move || {
        desk.look_tick.track();
        desk.view_tick.track();
        let css = desk.read(|s| {
            if s.editor.is_hold_pan() {
                "grab"
            } else {
                s.editor.cursor().css()
            }
        });
        css.unwrap_or("default")
    };
    let label = move || {
        desk.doc_tick.track();
        desk.current.track();
        desk.read(|s| {
            format!(
                "{}, {} by {} pixels, {} annotations. Tab goes through the objects, Escape and then Tab leaves the canvas.",
                s.item.name,
                s.item.width,
                s.item.height,
                s.editor.doc().len()
            )
        })
        .unwrap_or_else(|| "No item is open".to_owned())
    };
    view! {
        <div
            class="label__canvas"
            node_ref=stage
            tabindex="0"
            role="application"
            aria-roledescription="drawing area"
            aria-label=label
            data-testid="stage"
            style:cursor=cursor
            on:pointerdown=down
            on:pointermove=move |ev| {
                if ev.buttons() != 0 {
                    desk.note_activity();
                }
                on(ev, limn_editor::Editor::pointer_move);
            }
            on:pointerup=move |ev| on(ev, limn_editor::Editor::pointer_up)
            on:pointercancel=move |ev: PointerEvent| {
                desk.edit(|e| e.pointer_cancel(ev.pointer_id()));
            }
            on:pointerleave=move |_| {
                desk.edit(limn_editor::Editor::pointer_leave);
            }
            on:wheel=wheel
            on:contextmenu=move |ev| ev.prevent_default()
        >
            <canvas
                node_ref=image
                class="label__layer"
                aria-hidden="true"
                style:filter=move || desk.looks.get().filter()
            ></canvas>
            <canvas node_ref=shapes class="label__layer" aria-hidden="true"></canvas>
            <Show when=move || desk.phase.get() == Phase::Loading>
                <div class="label__wait" role="status"><span class="sr-only">"Loading the item"</span></div>
            </Show>
        </div>
    }
}
