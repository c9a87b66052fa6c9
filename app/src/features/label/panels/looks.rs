//! The panel that says how the picture and the shapes are shown, and the map of the whole picture.

use crate::features::label::desk::{Desk, px};
use crate::features::label::look::{
    CardUse, ColorBy, EQUAL_FILTER, GAMMA_FILTER, Legend, Look, Names, attribute_id,
};
use crate::ui::{Button, ButtonSize, Variant};
use leptos::html;
use leptos::prelude::*;
use limn_domain::Point;
use limn_domain::picture::Picture;

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
    let equal = move || desk.equal_shades.get().unwrap_or_else(|| "0 1".to_owned());
    view! {
        <svg width="0" height="0" aria-hidden="true" class="sr-only">
            <filter id=GAMMA_FILTER color-interpolation-filters="sRGB">
                <feComponentTransfer>
                    <feFuncR type="gamma" exponent=gamma></feFuncR>
                    <feFuncG type="gamma" exponent=gamma></feFuncG>
                    <feFuncB type="gamma" exponent=gamma></feFuncB>
                </feComponentTransfer>
            </filter>
            <filter id=EQUAL_FILTER color-interpolation-filters="sRGB">
                <feComponentTransfer>
                    <feFuncR type="table" tableValues=equal></feFuncR>
                    <feFuncG type="table" tableValues=equal></feFuncG>
                    <feFuncB type="table" tableValues=equal></feFuncB>
                </feComponentTransfer>
            </filter>
        </svg>
        <Show when=move || desk.show_light.get()>
            <div class="label-light" role="group" aria-label="How it is shown">
                <WindowLevel/>
                {slider("Brightness", (20, 300), |l| l.brightness, |l, v| l.brightness = v)}
                {slider("Contrast", (20, 300), |l| l.contrast, |l, v| l.contrast = v)}
                {slider("Gamma", (20, 300), |l| l.gamma, |l, v| l.gamma = v)}
                {slider("Saturation", (0, 300), |l| l.saturation, |l, v| l.saturation = v)}
                <Turn/>
                {switch("Equalise what is in view", |l| l.equalise, |l| l.equalise = !l.equalise)}
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
                                let value = event_target_value(&ev);
                                desk.set_look(|l| match value.strip_prefix("attribute:") {
                                    Some(key) => (l.color_by, l.attribute) = (ColorBy::Attribute, attribute_id(key)),
                                    None if value == "object" => l.color_by = ColorBy::Object,
                                    None => l.color_by = ColorBy::Category,
                                });
                            }
                        >
                            <option value="category" selected=move || desk.looks.get().color_by == ColorBy::Category>"Category"</option>
                            <option value="object" selected=move || desk.looks.get().color_by == ColorBy::Object>"Object"</option>
                            {move || {
                                desk.categories
                                    .with(|list| Legend::all(list.iter().map(|c| &c.category)))
                                    .into_iter()
                                    .map(|l| {
                                        let id = attribute_id(&l.key);
                                        let on = move || {
                                            let look = desk.looks.get();
                                            look.color_by == ColorBy::Attribute && look.attribute == id
                                        };
                                        view! { <option value=format!("attribute:{}", l.key) selected=on>{l.name}</option> }
                                    })
                                    .collect_view()
                            }}
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
                    <label
                        class="label-light__row label-light__row--pick"
                        title="Whether the graphics card draws the outlines where there are thousands"
                    >
                        <span>"Graphics card"</span>
                        <select
                            class="input"
                            on:change=move |ev| {
                                let card = match event_target_value(&ev).as_str() {
                                    "always" => CardUse::Always,
                                    "never" => CardUse::Never,
                                    _ => CardUse::Auto,
                                };
                                desk.set_look(|l| l.card = card);
                            }
                        >
                            <option value="auto" selected=move || desk.looks.get().card == CardUse::Auto>"Where it is fast"</option>
                            <option value="always" selected=move || desk.looks.get().card == CardUse::Always>"Always"</option>
                            <option value="never" selected=move || desk.looks.get().card == CardUse::Never>"Never"</option>
                        </select>
                    </label>
                </Show>
                <div class="label-light__foot">
                    <Button variant=Variant::Quiet size=ButtonSize::Small on_click=move || {
                        desk.set_look(|l| {
                            // How things are edited is not how they are shown.
                            let tolerance = l.tolerance;
                            *l = Look { tolerance, ..Look::default() };
                        });
                        desk.window.set(None);
                        desk.edit(limn_editor::Editor::upright_view);
                    }>"Reset"</Button>
                    <Button size=ButtonSize::Small on_click=move || desk.show_light.set(false)>"Done"</Button>
                </div>
            </div>
        </Show>
    }
}

/// What the colours say while they tell the values of an attribute.
#[component]
pub fn ColorLegend() -> impl IntoView {
    let desk: Desk = expect_context();
    let legend = Memo::new(move |_| {
        desk.looks.track();
        desk.categories.track();
        desk.legend_now()
    });
    move || {
        legend.get().map(|l| {
            let lines = l
                .lines()
                .into_iter()
                .map(|(text, color)| {
                    view! {
                        <li>
                            <i style:background=color aria-hidden="true"></i>
                            <span>{text}</span>
                        </li>
                    }
                })
                .collect_view();
            view! {
                <section class="label-legend" aria-label=format!("Colours of {}", l.name) data-testid="legend">
                    <h2>{l.name.clone()}</h2>
                    <ul>{lines}</ul>
                </section>
            }
        })
    }
}

/// How far the view is turned.
#[component]
fn Turn() -> impl IntoView {
    let desk: Desk = expect_context();
    let turn = move || {
        desk.view_tick.track();
        desk.current.track();
        desk.read(|s| s.editor.view().turn()).unwrap_or_default()
    };
    view! {
        <label class="label-light__row">
            <span>"Turn"</span>
            <input
                type="range"
                min="0"
                max="359"
                prop:value=move || turn().to_string()
                on:input=move |ev| {
                    if let Ok(v) = event_target_value(&ev).parse::<f64>() {
                        desk.edit(|e| e.turn_view_to(v));
                    }
                }
            />
            <output class="num">{move || format!("{}°", px(turn()))}</output>
        </label>
    }
}

/// Window and level of a deep picture: how many of its values go from black to white, and which is in the middle.
#[component]
fn WindowLevel() -> impl IntoView {
    let desk: Desk = expect_context();
    let pyramid = Memo::new(move |_| {
        let id = desk.current.get()?;
        desk.pictures.with(|p| match p.get(&id) {
            Some(Picture::Tiled(p)) if p.bits > 8 => Some((p.range, p.window)),
            _ => None,
        })
    });
    let shown = move || {
        let own = desk.window.get();
        own.unwrap_or_else(|| {
            pyramid
                .get()
                .map_or((0, u16::MAX), |(_, [low, high])| (low, high))
        })
    };
    let width = move || i32::from(shown().1) - i32::from(shown().0);
    let level = move || f64::midpoint(f64::from(shown().0), f64::from(shown().1)).round() as i32;
    let set = move |width: i32, level: i32| {
        let low = (level - width / 2).clamp(0, i32::from(u16::MAX) - 1);
        let high = (low + width.max(1)).min(i32::from(u16::MAX));
        desk.window.set(Some((low as u16, high as u16)));
    };
    let row = move |name: &'static str, least: i32, get: Signal<i32>, put: Callback<i32>| {
        let range = move || {
            pyramid.get().map_or((least, 65_535), |([low, high], _)| {
                if least == 0 {
                    (i32::from(low), i32::from(high))
                } else {
                    (1, (i32::from(high) - i32::from(low)).max(1))
                }
            })
        };
        view! {
            <label class="label-light__row">
                <span>{name}</span>
                <input
                    type="range"
                    min=move || range().0.to_string()
                    max=move || range().1.to_string()
                    prop:value=move || get.get().to_string()
                    on:input=move |ev| {
                        if let Ok(v) = event_target_value(&ev).parse::<i32>() {
                            put.run(v);
                        }
                    }
                />
                <output class="num">{move || get.get().to_string()}</output>
            </label>
        }
    };
    view! {
        <Show when=move || pyramid.get().is_some()>
            {row("Window", 1, Signal::derive(width), Callback::new(move |v| set(v, level())))}
            {row("Level", 0, Signal::derive(level), Callback::new(move |v| set(width(), v)))}
            <div class="label-light__foot label-light__foot--window">
                <Button variant=Variant::Quiet size=ButtonSize::Small on_click=move || desk.window.set(None)>"Auto"</Button>
                <Button
                    variant=Variant::Quiet
                    size=ButtonSize::Small
                    on_click=move || {
                        if let Some(([low, high], _)) = pyramid.get_untracked() {
                            desk.window.set(Some((low, high.max(low.saturating_add(1)))));
                        }
                    }
                >
                    "All values"
                </Button>
            </div>
            <hr/>
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
                    let src = move || desk.thumb_of(id);
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
