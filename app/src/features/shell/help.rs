//! `?`: the keys that work here.

use crate::ui::{Dialog, DialogBody, DialogSize, Hotkeys, Kbd, use_hotkey_when};
use leptos::prelude::*;
use leptos_router::hooks::use_location;

#[derive(Debug, Clone, Copy)]
struct Help(RwSignal<bool>);

pub(crate) fn provide_help() {
    provide_context(Help(RwSignal::new(false)));
}

/// Opens the overlay.
pub(crate) fn use_help() -> RwSignal<bool> {
    expect_context::<Help>().0
}

/// Shown over every page of the studio.
#[component]
pub fn HelpOverlay() -> impl IntoView {
    let open = use_help();
    let path = use_location().pathname;
    // The label page has an overlay of its own.
    let here = move || path.with_untracked(|p| !p.contains("/label"));
    use_hotkey_when("?", "This help", here, move || open.set(true));
    let keys = expect_context::<Hotkeys>().0;
    let rows = move || {
        let mut rows = keys.get();
        rows.dedup_by(|a, b| a.1 == b.1 && a.2 == b.2);
        rows
    };
    view! {
        <Dialog open title="Keyboard shortcuts" size=DialogSize::Small>
            <DialogBody>
                <dl class="keys">
                    {move || {
                        rows()
                            .into_iter()
                            .map(|(_, keys, what)| {
                                view! {
                                    <div class="keys__row">
                                        <dt>{what}</dt>
                                        <dd>
                                            {keys
                                                .split('+')
                                                .map(|k| view! { <Kbd>{pretty(k)}</Kbd> })
                                                .collect_view()}
                                        </dd>
                                    </div>
                                }
                            })
                            .collect_view()
                    }}
                </dl>
            </DialogBody>
        </Dialog>
    }
}

fn pretty(key: &str) -> String {
    if key.len() == 1 {
        key.to_uppercase()
    } else {
        key.to_owned()
    }
}
