//! The panel that says how the picture and the shapes are shown, and the map of the whole picture.

use crate::features::label::desk::Desk;
use crate::features::label::look::{ColorBy, GAMMA_FILTER, Look, Names};
use crate::ui::{Button, ButtonSize, Variant};
use leptos::html;
use leptos::prelude::*;
use limn_domain::Point;

/// Brightness, contrast and the like of the picture; fill, colours and names of the shapes.
#[component]
pub fn LookPanel() -> impl IntoView {
    let desk: Desk = expect_context();
    let slider =
        move |name: &'static str, range: (u16, u16), get: fn(&Look) -> u16, set: fn(&mut Look, u16)| {
            view! {
                <label class="label-light__row">
                    <span>{name}</span>
                    <input
                        type="range"
                        min=range.0.to_string()
                        max=range.1.to_string()
                        prop:value=move || get(&desk.looks.get()).to_string()
                        on:input=move |ev| {
                            if let Ok(v) = event_target_value(&ev).parse::<u16>() {
                                desk.set_look(|l| set(l, v));
                            }
                        }
                    />
                    <output class="num">{move || format!("{} %", get(&desk.looks.get()))}</output>
                </label>
            }
        };
    let switch = move |name: &'static str, get: fn(&Look) -> bool, set: fn(&mut Look)| {
        view! {
            <label class="label-light__switch">
                <input type="checkbox" prop:checked=move || get(&desk.looks.get()) on:change=move |_| desk.set_look(set)/>
                {name}
            </label>
        }
    };
    let gamma = move || format!("{:.3}", 100.0 / f64::from(desk.looks.get().gamma.max(10)));
    view! {
        <svg width="0" height="0" aria-hidden="true" class="sr-only">
            <filter id=GAMMA_FILTER color-interpolation-filters="sRGB">
                <feComponentTransfer>
                    <feFuncR type="gamma" exponent=gamma></feFuncR>
                    <feFuncG type="gamma" exponent=gamma></feFuncG>
                    <feFuncB type="gamma" exponent=gamma></feFuncB>
                </feComponentTransfer>
            </filter>
        </svg>
        <Show when=move || desk.show_light.get()>
            <div class="label-light" role="group" aria-label="How it is shown">
                {slider("Brightness", (20, 300), |l| l.brightness, |l, v| l.brightness = v)}
                {slider("Contrast", (20, 300), |l| l.contrast, |l, v| l.contrast = v)}
                {slider("Gamma", (20, 300), |l| l.gamma, |l, v| l.gamma = v)}
                {slider("Saturation", (0, 300), |l| l.saturation, |l, v| l.saturation = v)}
                {switch("Invert the colours", |l| l.invert, |l| l.invert = !l.invert)}
                {switch("Grid between pixels", |l| l.grid, |l| l.grid = !l.grid)}
                <Show when=move || desk.task().marks_objects()>
                    <hr/>
                    {slider("Fill", (0, 400), |l| l.fill, |l, v| l.fill = v)}
                    <label class="label-light__row label-light__row--pick">
                        <span>"Colour by"</span>
                        <select
                            class="input"
                            on:change=move |ev| {
                                let by = if event_target_value(&ev) == "object" { ColorBy::Object } else { ColorBy::Category };
                                desk.set_look(|l| l.color_by = by);
                            }
                        >
                            <option value="category" selected=move || desk.looks.get().color_by == ColorBy::Category>"Category"</option>
                            <option value="object" selected=move || desk.looks.get().color_by == ColorBy::Object>"Object"</option>
                        </select>
                    </label>
                    <label class="label-light__row label-light__row--pick">
                        <span>"Names"</span>
                        <select
                            class="input"
                            on:change=move |ev| {
                                let names = match event_target_value(&ev).as_str() {
                                    "hover" => Names::Hover,
                                    "never" => Names::Never,
                                    _ => Names::Always,
                                };
                                desk.set_look(|l| l.names = names);
                            }
                        >
                            <option value="always" selected=move || desk.looks.get().names == Names::Always>"Always"</option>
                            <option value="hover" selected=move || desk.looks.get().names == Names::Hover>"Selected and under the pointer"</option>
                            <option value="never" selected=move || desk.looks.get().names == Names::Never>"Never"</option>
                        </select>
                    </label>
                </Show>
                <div class="label-light__foot">
                    <Button variant=Variant::Quiet size=ButtonSize::Small on_click=move || desk.set_look(|l| *l = Look::default())>"Reset"</Button>
                    <Button size=ButtonSize::Small on_click=move || desk.show_light.set(false)>"Done"</Button>
                </div>
            </div>
        </Show>
    }
}

/// The whole picture with the part that is in view; a press or a drag looks elsewhere. Shows while only a part is in view.
#[component]
pub fn Minimap() -> impl IntoView {
    let desk: Desk = expect_context();
    let node = NodeRef::<html::Div>::new();
    // The item, its ratio, and the part in view as shares: left, top, width, height.
    let state = Memo::new(move |_| {
        desk.view_tick.track();
        desk.current.track();
        desk.read(|s| {
            let (size, w) = (s.editor.doc().size(), s.editor.view().window());
            let (x0, y0) = (w.x.max(0.0) / size.width, w.y.max(0.0) / size.height);
            let (x1, y1) = (
                w.right().min(size.width) / size.width,
                w.bottom().min(size.height) / size.height,
            );
            let part = x0 > 0.001 || y0 > 0.001 || x1 < 0.999 || y1 < 0.999;
            (part && size.height > 0.0).then_some((
                s.item.id,
                size.width / size.height,
                [x0, y0, (x1 - x0).max(0.01), (y1 - y0).max(0.01)],
            ))
        })
        .flatten()
    });
    let which = Memo::new(move |_| state.get().map(|(id, ratio, _)| (id, ratio)));
    let go = move |ev: &web_sys::PointerEvent| {
        if let Some(el) = node.get_untracked() {
            let r = el.get_bounding_client_rect();
            let x = ((f64::from(ev.client_x()) - r.left()) / r.width().max(1.0)).clamp(0.0, 1.0);
            let y = ((f64::from(ev.client_y()) - r.top()) / r.height().max(1.0)).clamp(0.0, 1.0);
            desk.edit(|e| {
                let size = e.doc().size();
                e.look_at(Point::new(x * size.width, y * size.height));
            });
        }
    };
    let place = move |i: usize| {
        move || {
            state
                .get()
                .map(|s| format!("{:.2}%", s.2[i] * 100.0))
                .unwrap_or_default()
        }
    };
    view! {
        {move || {
            which
                .get()
                .map(|(id, ratio)| {
                    let src = format!("/media/items/{id}/thumb");
                    view! {
                        <div
                            class="label-map"
                            node_ref=node
                            style=format!("aspect-ratio:{ratio:.4}")
                            aria-hidden="true"
                            data-testid="minimap"
                            on:pointerdown=move |ev| {
                                if let Some(el) = node.get_untracked() {
                                    let _ = el.set_pointer_capture(ev.pointer_id());
                                }
                                go(&ev);
                            }
                            on:pointermove=move |ev| {
                                if ev.buttons() != 0 {
                                    go(&ev);
                                }
                            }
                        >
                            <img src=src alt="" draggable="false"/>
                            <i style:left=place(0) style:top=place(1) style:width=place(2) style:height=place(3)></i>
                        </div>
                    }
                })
        }}
    }
}
