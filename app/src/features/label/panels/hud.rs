//! What floats over the stage: zoom and coordinates, suggestions.

use super::key_of;
use super::objects::ordinal;
use crate::features::label::desk::{Desk, px};
use crate::ui::{Button, ButtonSize, Glyph, Icon, Variant};
use leptos::prelude::*;
use limn_editor::{Action, Editor};

#[component]
pub fn Hud() -> impl IntoView {
    let desk: Desk = expect_context();
    let zoom = Memo::new(move |_| {
        desk.view_tick.track();
        desk.current.track();
        desk.read(|s| format!("{:.0} %", s.editor.view().scale() * 100.0))
    });
    let pointer = Memo::new(move |_| {
        desk.look_tick.track();
        desk.view_tick.track();
        desk.read(|s| {
            let p = s.editor.pointer()?;
            let size = s.editor.doc().size();
            let inside = (0.0..=size.width).contains(&p.x) && (0.0..=size.height).contains(&p.y);
            inside.then(|| format!("x {:.1} y {:.1}", p.x, p.y))
        })
        .flatten()
    });
    let value = Memo::new(move |_| {
        desk.value.with(|v| {
            v.as_ref().map(|v| {
                let numbers: Vec<String> = v.iter().map(u16::to_string).collect();
                numbers.join(" ")
            })
        })
    });
    let turn = Memo::new(move |_| {
        desk.view_tick.track();
        desk.current.track();
        desk.read(|s| s.editor.view().turn()).filter(|t| *t != 0.0)
    });
    let name = Memo::new(move |_| {
        desk.selection_tick.track();
        desk.doc_tick.track();
        desk.current.track();
        let id = desk.read(|s| s.editor.selection().single()).flatten()?;
        ordinal(desk, id)
    });
    let size = Memo::new(move |_| {
        desk.selection_tick.track();
        desk.doc_tick.track();
        desk.look_tick.track();
        let size = desk.read(|s| {
            let a = s.editor.doc().get(s.editor.selection().single()?)?;
            let r = s.editor.shown_rect(a)?;
            Some(format!("{} \u{d7} {} px", px(r.w), px(r.h)))
        });
        name.get()
            .zip(size.flatten())
            .map(|(name, size)| format!("{name}, {size}"))
    });
    let hint = Memo::new(move |_| {
        desk.look_tick.track();
        desk.selection_tick.track();
        desk.read(|s| super::drawing::hint(&s.editor)).flatten()
    });
    let image = Memo::new(move |_| {
        desk.current.track();
        desk.read(|s| format!("{} \u{d7} {}", s.item.width, s.item.height))
    });
    view! {
        <div class="label__hud">
            {move || {
                zoom.get()
                    .map(|z| {
                        let label = format!("Zoom {z}; fit the image");
                        view! {
                            <button
                                class="label-pill num"
                                type="button"
                                aria-label=label
                                on:click=move |_| {
                                    desk.edit(Editor::fit);
                                }
                            >
                                {z}
                            </button>
                        }
                    })
            }}
            {move || {
                turn.get()
                    .map(|t| {
                        let t = px(t);
                        let label = format!("The view is turned by {t} degrees; turn it upright");
                        view! {
                            <button
                                class="label-pill num"
                                type="button"
                                aria-label=label
                                data-testid="turn"
                                on:click=move |_| {
                                    desk.edit(Editor::upright_view);
                                }
                            >
                                {format!("{t}°")}
                            </button>
                        }
                    })
            }}
            {move || image.get().map(|t| view! { <span class="label-pill label-pill--image num">{t}</span> })}
            <Pill text=pointer class="label-pill label-pill--pointer num"/>
            <Pill text=value class="label-pill label-pill--pointer num" testid="value" title="The pixel under the pointer"/>
            <Pill text=hint class="label-pill label-pill--hint" testid="hint"/>
            <Pill text=size class="label-pill num" testid="object-size"/>
        </div>
    }
}

/// A note that comes and goes. Its text alone changes: this is done at every move of the pointer.
#[component]
fn Pill(
    text: Memo<Option<String>>,
    class: &'static str,
    #[prop(optional)] testid: Option<&'static str>,
    #[prop(optional)] title: Option<&'static str>,
) -> impl IntoView {
    let there = Memo::new(move |_| text.with(Option::is_some));
    view! {
        <Show when=move || there.get()>
            <span class=class data-testid=testid title=title>
                {move || text.get().unwrap_or_default()}
            </span>
        </Show>
    }
}

/// What imports or models propose for the open item.
#[component]
pub fn Suggestions() -> impl IntoView {
    let desk: Desk = expect_context();
    let count = Memo::new(move |_| {
        desk.doc_tick.track();
        desk.current.track();
        desk.look_tick.track();
        // Not while an outline is being drawn: its own bar has the place.
        desk.read(|s| {
            if s.editor.outline().is_some() || s.editor.proposal().is_some() {
                0
            } else {
                s.editor.doc().prelabels().count()
            }
        })
        .unwrap_or(0)
    });
    let boxes = move || desk.task().marks_objects();
    view! {
        <Show when=move || { count.get() > 0 }>
            <div class="label-assist" role="group" aria-label="Suggestions" data-testid="suggestions">
                <span class="label-assist__icon"><Icon glyph=Glyph::Spark/></span>
                <span class="label-assist__text">{move || crate::fmt::counted(count.get() as i64, "suggestion", "suggestions")}</span>
                <Button
                    variant=Variant::Primary
                    size=ButtonSize::Small
                    kbd=key_of(desk, Action::AcceptAll)
                    on_click=move || {
                        desk.act(Action::AcceptAll);
                    }
                >
                    "Accept all"
                </Button>
                <Show when=boxes>
                    <Button
                        variant=Variant::Quiet
                        size=ButtonSize::Small
                        kbd="Tab"
                        on_click=move || {
                            desk.edit(|e| e.set_tool(limn_editor::Tool::Select));
                            if !desk.act(Action::CycleNext) {
                                desk.edit(|e| e.cycle(true));
                            }
                        }
                    >
                        "One by one"
                    </Button>
                </Show>
                <Button
                    variant=Variant::Quiet
                    size=ButtonSize::Small
                    kbd="Shift+Del"
                    on_click=move || {
                        desk.act(Action::RejectAll);
                    }
                >
                    "Reject all"
                </Button>
            </div>
        </Show>
    }
}
