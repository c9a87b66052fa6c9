//! The stage: four canvases (the picture, the shapes that stand still, thousands of them, what moves) over the editor, and the pointers on them.

mod backdrop;
mod card;
mod grips;
mod images;
mod joints;
mod layer;
mod links;
mod mesh;
mod outlines;
mod overlay;
mod paint;
mod picture;
mod place;
mod play;
mod sharpen;
mod standing;
mod strokes;
mod tiles;

use super::desk::{Desk, Phase};
use super::vision::Vision;
use crate::ui::on_resize;
use leptos::html;
use leptos::prelude::*;
use limn_domain::picture::Picture;
use limn_domain::{Point, Size};
use limn_editor::{Action, Button, Mods, Pointer, PointerKind};
pub use paint::Painter;
use web_sys::{PointerEvent, WheelEvent};

/// The pointer as the editor knows it.
fn pointer(ev: &PointerEvent, corner: Point) -> Pointer {
    Pointer {
        id: ev.pointer_id(),
        kind: match ev.pointer_type().as_str() {
            "touch" => PointerKind::Touch,
            "pen" => PointerKind::Pen,
            _ => PointerKind::Mouse,
        },
        at: Point::new(
            f64::from(ev.client_x()) - corner.x,
            f64::from(ev.client_y()) - corner.y,
        ),
        button: match ev.button() {
            1 => Button::Middle,
            2 => Button::Secondary,
            5 => Button::Eraser,
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
    let standing = NodeRef::<html::Canvas>::new();
    let card = NodeRef::<html::Canvas>::new();
    let shapes = NodeRef::<html::Canvas>::new();
    let painter = StoredValue::new_local(Painter::new(desk));
    let vision: Vision = expect_context();
    painter.with_value(|p| vision.attach(p.clone()));

    Effect::new(move |_| {
        if let (Some(image), Some(standing), Some(card), Some(shapes)) =
            (image.get(), standing.get(), card.get(), shapes.get())
        {
            painter.update_value(|p| p.attach(image, standing, card, shapes));
        }
    });
    // Any change that is drawn asks for a frame; one frame draws them all.
    Effect::new(move |_| {
        desk.view_tick.track();
        painter.with_value(Painter::moved);
    });
    Effect::new(move |_| {
        desk.current.track();
        desk.looks.track();
        desk.window.track();
        desk.pictures.track();
        painter.with_value(Painter::all);
    });
    Effect::new(move |_| {
        if let Some(id) = desk.current.get() {
            desk.ask_for_picture(id);
            desk.ask_for_times(id);
        }
    });
    Effect::new(move |_| {
        desk.frame_tick.track();
        desk.current.track();
        painter.with_value(Painter::want_frames);
        painter.with_value(Painter::all);
    });
    Effect::new(move |_| {
        if desk.playing.get() {
            painter.with_value(Painter::play);
        }
    });
    // The shades of what is in view, when it has rested for a moment.
    let equalise = Memo::new(move |_| desk.looks.get().equalise);
    let rest = StoredValue::new(0_u32);
    Effect::new(move |_| {
        desk.view_tick.track();
        desk.current.track();
        desk.window.track();
        desk.tiles_tick.track();
        if !equalise.get() {
            desk.equal_shades.set(None);
            return;
        }
        let now = rest.get_value().wrapping_add(1);
        rest.set_value(now);
        set_timeout(
            move || {
                if rest.try_get_value() == Some(now)
                    && let Some(table) = painter.try_with_value(Painter::equal_shades).flatten()
                {
                    desk.equal_shades.set(Some(table));
                }
            },
            std::time::Duration::from_millis(150),
        );
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
        on_resize(&el, measure);
    });

    // Where the stage lies in the window. Asking for it at every move would have the browser lay out the page each time.
    let corner = StoredValue::new(Point::default());
    let find = move || {
        if let Some(el) = stage.get_untracked() {
            let r = el.get_bounding_client_rect();
            corner.set_value(Point::new(r.left(), r.top()));
        }
    };
    let on = move |ev: PointerEvent, f: fn(&mut limn_editor::Editor, Pointer)| {
        let p = pointer(&ev, corner.get_value());
        desk.edit(|e| f(e, p));
    };
    let down = move |ev: PointerEvent| {
        desk.note_activity();
        desk.sheet_up.set(false);
        find();
        if let Some(el) = stage.get_untracked() {
            let _ = el.set_pointer_capture(ev.pointer_id());
            let _ = el.focus();
        }
        if ev.button() == 1 {
            ev.prevent_default();
        }
        let mut p = pointer(&ev, corner.get_value());
        p.mods = desk.or_several(p.mods);
        desk.edit(|e| {
            e.hide_aim();
            e.pointer_down(p);
        });
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
            if ev.alt_key()
                && desk.read(|s| s.editor.tool().paints() || s.editor.tool().is_smart()) == Some(true)
            {
                let up = ev.delta_y() < 0.0;
                desk.edit(|e| e.grow_brush(up));
                return;
            }
            desk.edit(|e| e.wheel(at, ev.delta_x() * unit, ev.delta_y() * unit, ev.shift_key()));
        }
    };
    let cursor = Memo::new(move |_| {
        desk.look_tick.track();
        desk.view_tick.track();
        let css = desk.read(|s| {
            if s.editor.aim().is_some() {
                // Of two pointers the one that keys move is meant.
                "none"
            } else if s.editor.is_hold_pan() {
                "grab"
            } else {
                s.editor.cursor().css()
            }
        });
        css.unwrap_or("default")
    });
    let aim_key = Memo::new(move |_| {
        let key = desk
            .keymap
            .with(|k| k.key(Action::KeyPointer, false).map(|c| c.caps().join(" ")));
        key.filter(|_| Action::KeyPointer.is_for(desk.task()))
            .map_or_else(String::new, |key| {
                format!(" {key} shows a pointer that the arrow keys move.")
            })
    });
    let label = move || {
        desk.doc_tick.track();
        desk.frame_tick.track();
        desk.current.track();
        let aims = aim_key.get();
        desk.read(|s| {
            let frame = s.editor.frames().map_or_else(String::new, |n| format!(", frame {} of {n}", s.editor.frame()));
            format!(
                "{}{frame}, {} by {} pixels, {} annotations. Tab goes through the objects, Escape and then Tab leaves the canvas.{}",
                s.item.name,
                s.item.width,
                s.item.height,
                s.editor.doc().len(),
                aims
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
            style:cursor=move || cursor.get()
            on:pointerdown=down
            on:pointerenter=move |_| find()
            on:pointermove=move |ev| {
                if ev.buttons() != 0 {
                    desk.note_activity();
                }
                if desk.is_aiming() {
                    // Browsers tell of a move also where only the page under a resting mouse has changed.
                    if ev.buttons() == 0 && (ev.movement_x(), ev.movement_y()) == (0, 0) {
                        return;
                    }
                    desk.edit(limn_editor::Editor::hide_aim);
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
                class="label__layer label__layer--wide"
                data-testid="picture"
                aria-hidden="true"
                style:filter=move || desk.looks.get().filter(desk.equal_shades.with(Option::is_some))
            ></canvas>
            <canvas node_ref=standing class="label__layer label__layer--wide" aria-hidden="true"></canvas>
            <canvas node_ref=card class="label__layer" data-testid="card" style="visibility:hidden" aria-hidden="true"></canvas>
            <canvas node_ref=shapes class="label__layer" data-testid="shapes" aria-hidden="true"></canvas>
            <Show when=move || desk.phase.get() == Phase::Loading>
                <div class="label__wait" role="status"><span class="sr-only">"Loading the item"</span></div>
            </Show>
            <Cutting/>
        </div>
    }
}

/// Why a large picture does not show yet, over the place where it will.
#[component]
fn Cutting() -> impl IntoView {
    let desk: Desk = expect_context();
    let state = Memo::new(move |_| {
        let id = desk.current.get()?;
        desk.pictures.with(|p| p.get(&id).cloned())
    });
    move || match state.get() {
        Some(Picture::Making { done, total }) => {
            let share = if total > 0 { done * 100 / total } else { 0 };
            let text = if total > 0 {
                format!("The picture is being cut into tiles: {share} %")
            } else {
                "The picture waits to be cut into tiles".to_owned()
            };
            view! {
                <div class="label-cutting" role="status" data-testid="cutting">
                    <p>{text}</p>
                    <progress max="100" value=share.to_string() aria-label="Tiles made"></progress>
                    <p class="label-cutting__hint">"Once for each picture. It opens here by itself."</p>
                </div>
            }
            .into_any()
        }
        Some(Picture::Failed { message }) => view! {
            <div class="label-cutting" role="alert" data-testid="cutting">
                <p>"The picture cannot be shown."</p>
                <p class="label-cutting__hint">{message}</p>
            </div>
        }
        .into_any(),
        _ => ().into_any(),
    }
}
