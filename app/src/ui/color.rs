//! Picking a colour: the palette, or any `#rrggbb`.

use super::menu::Popover;
use super::status::safe_color;
use leptos::prelude::*;
use limn_domain::category::PALETTE;
use limn_domain::validate;

/// A swatch that opens the palette. `id` must be unique on the page; `value` is always a valid `#rrggbb`.
#[component]
pub fn ColorPicker(
    #[prop(into)] id: String,
    value: RwSignal<String>,
    /// What gets the colour, for screen readers.
    #[prop(into)]
    label: String,
    #[prop(optional, into)] on_change: Option<Callback<String>>,
) -> impl IntoView {
    let draft = RwSignal::new(value.get_untracked());
    let pick = move |color: String| {
        value.set(color.clone());
        draft.set(color.clone());
        if let Some(f) = on_change {
            f.run(color);
        }
    };
    let trigger = {
        let label = label.clone();
        ViewFn::from(move || {
            view! {
                <i class="swatch" style=move || format!("background:{}", safe_color(&value.get()))></i>
                <span class="sr-only">{label.clone()}</span>
            }
        })
    };
    let bad = move || validate::color(&draft.get()).is_err();
    view! {
        <Popover id label trigger trigger_class="swatch-button" class="palette">
            <div class="palette__grid">
                {PALETTE
                    .iter()
                    .map(|c| {
                        view! {
                            <button
                                type="button"
                                class="palette__color"
                                data-close="1"
                                aria-label=*c
                                aria-pressed=move || if value.with(|v| v == c) { "true" } else { "false" }
                                style=format!("background:{c}")
                                on:click=move |_| pick((*c).to_owned())
                            ></button>
                        }
                    })
                    .collect_view()}
            </div>
            <input
                class="input mono"
                aria-label="Colour as #rrggbb"
                aria-invalid=move || bad().then_some("true")
                maxlength="7"
                spellcheck="false"
                autocomplete="off"
                prop:value=move || draft.get()
                on:input=move |ev| {
                    let text = event_target_value(&ev);
                    if let Ok(color) = validate::color(&text) {
                        pick(color);
                    } else {
                        draft.set(text);
                    }
                }
            />
        </Popover>
    }
}
