//! Dialogs on the browser's own `<dialog>`: it keeps the focus inside, closes on Esc and gives the focus back.

use super::button::{Button, IconButton, Variant};
use super::field::FormError;
use super::icon::Glyph;
use crate::error::AppError;
use leptos::html;
use leptos::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DialogSize {
    /// 400 px.
    Small,
    /// 520 px.
    #[default]
    Medium,
    /// 800 px.
    Large,
}

/// A dialog that shows while `open`. Its content is made anew each time.
///
/// Put the buttons into a [`DialogFoot`] at the end.
#[component]
pub fn Dialog(
    open: RwSignal<bool>,
    #[prop(into)] title: Signal<String>,
    #[prop(optional, into)] description: Option<Signal<String>>,
    #[prop(optional)] size: DialogSize,
    /// Runs when it was closed by whatever way.
    #[prop(optional, into)]
    on_close: Option<Callback<()>>,
    /// Neither Esc nor a click beside it closes it.
    #[prop(optional, into)]
    modal_only: Signal<bool>,
    children: ChildrenFn,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let open = open.get();
        if let Some(dialog) = node.get() {
            // After the content is in place, so that its autofocus is seen.
            request_animation_frame(move || {
                if open && !dialog.open() {
                    let _ = dialog.show_modal();
                } else if !open && dialog.open() {
                    dialog.close();
                }
            });
        }
    });
    let class = match size {
        DialogSize::Small => "dialog dialog--sm",
        DialogSize::Medium => "dialog",
        DialogSize::Large => "dialog dialog--lg",
    };
    let closed = move || {
        if open.get_untracked() {
            open.set(false);
        }
        if let Some(f) = on_close {
            f.run(());
        }
    };
    let children = StoredValue::new(children);
    view! {
        <dialog
            node_ref=node
            class=class
            aria-label=move || title.get()
            on:close=move |_| closed()
            on:cancel=move |ev: web_sys::Event| {
                if modal_only.get_untracked() {
                    ev.prevent_default();
                }
            }
            on:mousedown=move |ev| {
                // The dialog's padding is zero: only its backdrop is the dialog itself.
                let on_backdrop = ev.target().is_some_and(|t| Some(t) == ev.current_target());
                if on_backdrop && !modal_only.get_untracked() {
                    open.set(false);
                }
            }
        >
            <Show when=move || open.get()>
                <div class="dialog__box">
                    <header class="dialog__head">
                        <div class="grow">
                            <h2 class="dialog__title">{move || title.get()}</h2>
                            {description.map(|d| view! { <p class="dialog__text">{move || d.get()}</p> })}
                        </div>
                        <Show when=move || !modal_only.get()>
                            <IconButton glyph=Glyph::X label="Close" on_click=move || open.set(false)/>
                        </Show>
                    </header>
                    {children.with_value(|c| c())}
                </div>
            </Show>
        </dialog>
    }
}

/// The scrolling middle of a dialog.
#[component]
pub fn DialogBody(children: Children) -> impl IntoView {
    view! { <div class="dialog__body">{children()}</div> }
}

/// The row of buttons at the end of a dialog.
#[component]
pub fn DialogFoot(children: Children) -> impl IntoView {
    view! { <footer class="dialog__foot">{children()}</footer> }
}

/// Asks before something that cannot be undone.
#[component]
pub fn ConfirmDialog(
    open: RwSignal<bool>,
    #[prop(into)] title: Signal<String>,
    /// What will happen, with numbers where known.
    #[prop(into)]
    text: Signal<String>,
    #[prop(into)] confirm: Signal<String>,
    #[prop(default = true)] danger: bool,
    /// The words to type before the button works.
    #[prop(optional, into)]
    type_to_confirm: Option<Signal<String>>,
    #[prop(optional, into)] pending: Signal<bool>,
    #[prop(optional, into)] error: Signal<Option<AppError>>,
    on_confirm: Callback<()>,
) -> impl IntoView {
    let typed = RwSignal::new(String::new());
    Effect::new(move |_| {
        if !open.get() {
            typed.set(String::new());
        }
    });
    let blocked =
        Signal::derive(move || type_to_confirm.is_some_and(|w| w.get().trim() != typed.get().trim()));
    let submit = move || {
        if !blocked.get_untracked() && !pending.get_untracked() {
            on_confirm.run(());
        }
    };
    view! {
        <Dialog open title size=DialogSize::Small>
            <form
                on:submit=move |ev| {
                    ev.prevent_default();
                    submit();
                }
            >
                <DialogBody>
                    <p class="muted">{move || text.get()}</p>
                    {type_to_confirm
                        .map(|word| {
                            view! {
                                <label class="field">
                                    <span class="field__label">
                                        "Type " <b class="strong">{move || word.get()}</b> " to confirm"
                                    </span>
                                    <input
                                        class="input"
                                        autocomplete="off"
                                        spellcheck="false"
                                        autofocus
                                        prop:value=move || typed.get()
                                        on:input=move |ev| typed.set(event_target_value(&ev))
                                    />
                                </label>
                            }
                        })}
                    <FormError error/>
                </DialogBody>
                <DialogFoot>
                    <Button variant=Variant::Quiet on_click=move || open.set(false)>"Cancel"</Button>
                    <Button
                        submit=true
                        variant=if danger { Variant::Danger } else { Variant::Primary }
                        loading=pending
                        disabled=blocked
                    >
                        {move || confirm.get()}
                    </Button>
                </DialogFoot>
            </form>
        </Dialog>
    }
}
