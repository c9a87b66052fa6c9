//! The skeleton of a category: its keypoints on a board, the lines between them, and who mirrors whom.

use super::super::api;
use super::Editor;
use crate::data::use_form;
use crate::ui::{
    Button, ButtonSize, Dialog, DialogBody, DialogFoot, DialogSize, FormError, Glyph, Icon, IconButton,
    Variant,
};
use leptos::html;
use leptos::prelude::*;
use limn_domain::Skeleton;
use limn_domain::category::{Category, UpdateCategory};
use limn_domain::keypoint::SkeletonPoint;

/// What a press on a keypoint of the board does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Move,
    Join,
}

/// The skeleton being drawn.
#[derive(Clone, Copy)]
struct Draft {
    skeleton: RwSignal<Skeleton>,
    mode: RwSignal<Mode>,
    selected: RwSignal<Option<usize>>,
}

impl Draft {
    fn add(self, at: [f64; 2]) {
        let n = self.skeleton.try_update(|s| {
            let taken = |name: &str| s.keypoints.iter().any(|k| k.name.eq_ignore_ascii_case(name));
            // One of as many names as there are keypoints, and one more, is free.
            let first = s.keypoints.len() + 1;
            let name = (first..=2 * first)
                .map(|n| format!("point {n}"))
                .find(|name| !taken(name))
                .unwrap_or_default();
            s.keypoints.push(SkeletonPoint { name, at });
            s.keypoints.len() - 1
        });
        self.selected.set(n);
    }

    /// Takes a keypoint away, with the lines and the counterpart it had.
    fn remove(self, at: usize) {
        self.skeleton.update(|s| {
            if at < s.keypoints.len() {
                s.keypoints.remove(at);
                for pairs in [&mut s.edges, &mut s.symmetry] {
                    pairs.retain(|p| !p.contains(&at));
                    for i in pairs.iter_mut().flatten().filter(|i| **i > at) {
                        *i -= 1;
                    }
                }
            }
        });
        self.selected.set(None);
    }

    /// A line between two keypoints, or none any more.
    fn toggle_line(self, a: usize, b: usize) {
        if a == b {
            return;
        }
        self.skeleton.update(|s| {
            let had = s.edges.len();
            s.edges.retain(|e| !(e.contains(&a) && e.contains(&b)));
            if s.edges.len() == had {
                s.edges.push([a, b]);
            }
        });
    }

    /// Makes two keypoints each other's mirror image; `None` makes the first nobody's.
    fn mirror(self, a: usize, b: Option<usize>) {
        self.skeleton.update(|s| {
            s.symmetry
                .retain(|p| !p.contains(&a) && b.is_none_or(|b| !p.contains(&b)));
            if let Some(b) = b.filter(|b| *b != a) {
                s.symmetry.push([a, b]);
            }
        });
    }

    fn press(self, at: usize) {
        match (self.mode.get_untracked(), self.selected.get_untracked()) {
            (Mode::Join, Some(other)) if other != at => {
                self.toggle_line(other, at);
                self.selected.set(None);
            }
            _ => self.selected.set(Some(at)),
        }
    }

    fn place(self, at: usize, to: [f64; 2]) {
        self.skeleton.update(|s| {
            if let Some(k) = s.keypoints.get_mut(at) {
                k.at = to.map(|v| (v.clamp(0.0, 1.0) * 1000.0).round() / 1000.0);
            }
        });
    }
}

/// Opens while `editor.skeleton` holds a category.
#[component]
pub fn SkeletonDialog(editor: Editor) -> impl IntoView {
    let what = editor.skeleton;
    let open = RwSignal::new(false);
    let draft = Draft {
        skeleton: RwSignal::new(Skeleton::default()),
        mode: RwSignal::new(Mode::Move),
        selected: RwSignal::new(None),
    };
    Effect::new(move |_| {
        let category = what.get();
        if let Some(c) = &category {
            draft.skeleton.set(c.skeleton.clone().unwrap_or_default());
            draft.mode.set(Mode::Move);
            draft.selected.set(None);
        }
        open.set(category.is_some());
    });
    let name = move || what.with(|c| c.as_ref().map(|c| c.name.clone()).unwrap_or_default());
    let had = move || what.with(|c| c.as_ref().is_some_and(|c| c.skeleton.is_some()));
    let save = use_form(
        |(id, skeleton): (limn_domain::CategoryId, Option<Skeleton>)| {
            let input = UpdateCategory {
                skeleton: Some(skeleton),
                ..UpdateCategory::default()
            };
            api::category_update(id, input)
        },
        move |_: Category| {
            what.set(None);
            editor.toasts.ok("Skeleton saved.");
            editor.ctx.reload();
        },
    );
    let submit = move |skeleton: Option<Skeleton>| {
        if let Some(id) = what.with_untracked(|c| c.as_ref().map(|c| c.id)) {
            save.run((id, skeleton));
        }
    };
    let empty = move || draft.skeleton.with(|s| s.keypoints.is_empty());
    view! {
        <Dialog
            open
            size=DialogSize::Large
            title=Signal::derive(move || format!("Skeleton of {}", name()))
            description="The keypoints that every object of the category has, in the order people place them."
            on_close=move || what.set(None)
        >
            <DialogBody>
                <div class="skeleton">
                    <Board draft/>
                    <div class="skeleton__lists">
                        <Show when=empty fallback=move || view! { <Points draft/> <Lines draft/> }>
                            <p class="muted">"Click on the board where the first keypoint goes, or begin with a ready one."</p>
                            <Button icon=Glyph::Skeleton on_click=move || draft.skeleton.set(Skeleton::coco_person())>
                                "Person, 17 keypoints (COCO)"
                            </Button>
                        </Show>
                    </div>
                </div>
                <FormError error=save.error/>
            </DialogBody>
            <DialogFoot>
                <Show when=had>
                    <Button variant=Variant::Danger on_click=move || submit(None)>"Remove the skeleton"</Button>
                </Show>
                <span class="grow"></span>
                <Button variant=Variant::Quiet on_click=move || what.set(None)>"Cancel"</Button>
                <Button
                    variant=Variant::Primary
                    loading=save.pending
                    disabled=Signal::derive(empty)
                    on_click=move || submit(Some(draft.skeleton.get_untracked()))
                >
                    "Save"
                </Button>
            </DialogFoot>
        </Dialog>
    }
}

/// The figure: presses set, move and join keypoints.
#[component]
fn Board(draft: Draft) -> impl IntoView {
    let board = NodeRef::<leptos::svg::Svg>::new();
    let dragged = RwSignal::new(None::<usize>);
    let place = move |ev: &web_sys::PointerEvent| -> Option<[f64; 2]> {
        let r = board.get_untracked()?.get_bounding_client_rect();
        let share = |at: f64, from: f64, len: f64| ((at - from) / len.max(1.0)).clamp(0.0, 1.0);
        Some([
            share(f64::from(ev.client_x()), r.left(), r.width()),
            share(f64::from(ev.client_y()), r.top(), r.height()),
        ])
    };
    let lines = move || {
        draft.skeleton.with(|s| {
            s.edges
                .iter()
                .filter_map(|[a, b]| Some((s.keypoints.get(*a)?.at, s.keypoints.get(*b)?.at)))
                .map(|(a, b)| {
                    view! { <line x1=a[0] * 100.0 y1=a[1] * 100.0 x2=b[0] * 100.0 y2=b[1] * 100.0></line> }
                })
                .collect_view()
        })
    };
    // Only another number of keypoints makes the circles anew: one that is dragged must stay what it is.
    let count = Memo::new(move |_| draft.skeleton.with(|s| s.keypoints.len()));
    let circle = move |i: usize| {
        let at = move |axis: usize| {
            draft
                .skeleton
                .with(|s| s.keypoints.get(i).map_or(0.0, |k| k.at[axis] * 100.0))
        };
        let name = move || {
            draft
                .skeleton
                .with(|s| s.keypoints.get(i).map(|k| k.name.clone()).unwrap_or_default())
        };
        let step = move |dx: f64, dy: f64| {
            let now = draft
                .skeleton
                .with_untracked(|s| s.keypoints.get(i).map(|k| k.at));
            if let Some([x, y]) = now {
                draft.place(i, [x + dx, y + dy]);
            }
        };
        view! {
            <circle
                cx=move || at(0)
                cy=move || at(1)
                r="2.4"
                tabindex="0"
                role="button"
                aria-label=name
                class:is-on=move || draft.selected.get() == Some(i)
                on:pointerdown=move |ev| {
                    ev.stop_propagation();
                    draft.press(i);
                    if draft.mode.get_untracked() == Mode::Move {
                        dragged.set(Some(i));
                        if let Some(el) = board.get_untracked() {
                            let _ = el.set_pointer_capture(ev.pointer_id());
                        }
                    }
                }
                on:keydown=move |ev| {
                    let by = if ev.shift_key() { 0.05 } else { 0.01 };
                    match ev.key().as_str() {
                        "ArrowLeft" => step(-by, 0.0),
                        "ArrowRight" => step(by, 0.0),
                        "ArrowUp" => step(0.0, -by),
                        "ArrowDown" => step(0.0, by),
                        "Enter" | " " => draft.press(i),
                        "Delete" | "Backspace" => draft.remove(i),
                        _ => return,
                    }
                    ev.prevent_default();
                }
            >
                <title>{name}</title>
            </circle>
        }
    };
    let mode = move |mode: Mode, glyph: Glyph, text: &'static str| {
        let on = move || draft.mode.get() == mode;
        view! {
            <button
                type="button"
                class="skeleton__mode"
                class:is-on=on
                aria-pressed=move || if on() { "true" } else { "false" }
                on:click=move |_| {
                    draft.mode.set(mode);
                    draft.selected.set(None);
                }
            >
                <Icon glyph/>
                {text}
            </button>
        }
    };
    view! {
        <div class="skeleton__board">
            <div class="skeleton__modes" role="group" aria-label="A click on a keypoint">
                {mode(Mode::Move, Glyph::Cursor, "Add and move")}
                {mode(Mode::Join, Glyph::Polyline, "Join")}
            </div>
            <svg
                node_ref=board
                viewBox="0 0 100 100"
                role="group"
                aria-label="Board: a click sets a keypoint, a drag moves one"
                data-testid="skeleton-board"
                on:pointerdown=move |ev| {
                    if draft.mode.get_untracked() == Mode::Move && let Some(at) = place(&ev) {
                        draft.add(at);
                        dragged.set(draft.selected.get_untracked());
                        if let Some(el) = board.get_untracked() {
                            let _ = el.set_pointer_capture(ev.pointer_id());
                        }
                    }
                }
                on:pointermove=move |ev| {
                    if let (Some(i), Some(at)) = (dragged.get_untracked(), place(&ev)) {
                        draft.place(i, at);
                    }
                }
                on:pointerup=move |_| dragged.set(None)
                on:pointercancel=move |_| dragged.set(None)
            >
                {lines}
                {move || (0..count.get()).map(circle).collect_view()}
            </svg>
            <p class="faint skeleton__hint">
                {move || match draft.mode.get() {
                    Mode::Move => "Click to add a keypoint, drag to move one; arrow keys move the one in focus.",
                    Mode::Join => "Click two keypoints to draw a line between them, or to take it away.",
                }}
            </p>
        </div>
    }
}

/// Names, counterparts, removal.
#[component]
fn Points(draft: Draft) -> impl IntoView {
    let count = Memo::new(move |_| draft.skeleton.with(|s| s.keypoints.len()));
    let names = Memo::new(move |_| {
        draft
            .skeleton
            .with(|s| s.keypoints.iter().map(|k| k.name.clone()).collect::<Vec<_>>())
    });
    let row = move |i: usize| {
        let name = move || names.with(|n| n.get(i).cloned().unwrap_or_default());
        let other = Memo::new(move |_| {
            draft.skeleton.with(|s| {
                let pair = s.symmetry.iter().find(|p| p.contains(&i))?;
                Some(if pair[0] == i { pair[1] } else { pair[0] })
            })
        });
        let field = NodeRef::<html::Input>::new();
        // The keypoint chosen on the board is the one to name.
        Effect::new(move |_| {
            if draft.selected.get() == Some(i)
                && draft.mode.get_untracked() == Mode::Move
                && let Some(el) = field.get()
            {
                el.scroll_into_view_with_bool(false);
            }
        });
        view! {
            <li class:is-on=move || draft.selected.get() == Some(i)>
                <span class="faint num">{i + 1}</span>
                <input
                    class="input"
                    node_ref=field
                    aria-label=format!("Name of keypoint {}", i + 1)
                    autocomplete="off"
                    maxlength="60"
                    prop:value=name
                    on:focus=move |_| draft.selected.set(Some(i))
                    on:input=move |ev| {
                        let text = event_target_value(&ev);
                        draft.skeleton.update(|s| {
                            if let Some(k) = s.keypoints.get_mut(i) {
                                k.name = text;
                            }
                        });
                    }
                />
                <select
                    class="input"
                    aria-label=move || format!("Mirror image of {}", name())
                    on:change=move |ev| draft.mirror(i, event_target_value(&ev).parse().ok())
                >
                    <option value="" selected=move || other.get().is_none()>"No mirror"</option>
                    {move || {
                        names
                            .get()
                            .into_iter()
                            .enumerate()
                            .filter(|(j, _)| *j != i)
                            .map(|(j, name)| {
                                view! { <option value=j.to_string() selected=move || other.get() == Some(j)>{name}</option> }
                            })
                            .collect_view()
                    }}
                </select>
                <IconButton glyph=Glyph::Trash label=format!("Remove keypoint {}", i + 1) on_click=move || draft.remove(i)/>
            </li>
        }
    };
    view! {
        <h3>"Keypoints"</h3>
        <ol class="skeleton__points">{move || (0..count.get()).map(row).collect_view()}</ol>
    }
}

/// The lines, and two fields to add one without the board.
#[component]
fn Lines(draft: Draft) -> impl IntoView {
    let names = move || {
        draft
            .skeleton
            .with(|s| s.keypoints.iter().map(|k| k.name.clone()).collect::<Vec<_>>())
    };
    let from = RwSignal::new(0_usize);
    let to = RwSignal::new(1_usize);
    let pick = move |which: RwSignal<usize>, label: &'static str| {
        view! {
            <select
                class="input"
                aria-label=label
                on:change=move |ev| which.set(event_target_value(&ev).parse().unwrap_or_default())
            >
                {move || {
                    names()
                        .into_iter()
                        .enumerate()
                        .map(|(i, name)| view! { <option value=i.to_string() selected=move || which.get() == i>{name}</option> })
                        .collect_view()
                }}
            </select>
        }
    };
    let shown = move || {
        let all = names();
        draft.skeleton.with(|s| {
            s.edges
                .iter()
                .map(|[a, b]| {
                    let (a, b) = (*a, *b);
                    let name = |i: usize| all.get(i).cloned().unwrap_or_default();
                    let text = format!("{} \u{2013} {}", name(a), name(b));
                    view! {
                        <li class="chip">
                            {text.clone()}
                            <button
                                type="button"
                                aria-label=format!("Remove the line {text}")
                                on:click=move |_| draft.toggle_line(a, b)
                            >
                                <Icon glyph=Glyph::X size=12/>
                            </button>
                        </li>
                    }
                })
                .collect_view()
        })
    };
    view! {
        <h3>"Lines"</h3>
        <ul class="skeleton__lines">{shown}</ul>
        <Show when=move || { names().len() > 1 }>
            <div class="skeleton__join">
                {pick(from, "Line from")}
                {pick(to, "Line to")}
                <Button
                    size=ButtonSize::Small
                    disabled=Signal::derive(move || from.get() == to.get())
                    on_click=move || draft.toggle_line(from.get_untracked(), to.get_untracked())
                >
                    "Join"
                </Button>
            </div>
        </Show>
    }
}
