//! Buttons and links that look like them.

use super::icon::{Glyph, Icon};
use leptos::prelude::*;

/// How much a button asks for attention. At most one primary button a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Variant {
    Primary,
    #[default]
    Default,
    Quiet,
    Danger,
}

impl Variant {
    const fn class(self) -> &'static str {
        match self {
            Self::Primary => "btn btn--primary",
            Self::Default => "btn",
            Self::Quiet => "btn btn--quiet",
            Self::Danger => "btn btn--danger",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ButtonSize {
    /// 24 px high.
    Small,
    /// 30 px high; 40 px on touch screens.
    #[default]
    Medium,
    /// 36 px high, for forms that stand alone.
    Large,
}

impl ButtonSize {
    const fn class(self) -> &'static str {
        match self {
            Self::Small => "btn--sm",
            Self::Medium => "",
            Self::Large => "btn--lg",
        }
    }
}

/// A button, or a link that looks like one when `href` is given.
#[component]
pub fn Button(
    #[prop(optional)] variant: Variant,
    #[prop(optional)] size: ButtonSize,
    /// Makes it a link.
    #[prop(optional, into)]
    href: Option<Signal<String>>,
    /// With `href`: leaves the app (downloads, files of the server).
    #[prop(optional)]
    external: bool,
    #[prop(optional, into)] icon: Option<Glyph>,
    /// Shows that it works, and takes no clicks meanwhile. It keeps the focus: whoever pressed it by key stays there.
    #[prop(optional, into)]
    loading: Signal<bool>,
    #[prop(optional, into)] disabled: Signal<bool>,
    /// Submits the form it stands in.
    #[prop(optional)]
    submit: bool,
    /// A key that does the same, shown at the end.
    #[prop(optional, into)]
    kbd: Option<String>,
    #[prop(optional, into)] on_click: Option<Callback<()>>,
    #[prop(optional, into)] class: String,
    children: Children,
) -> impl IntoView {
    let class = format!("{} {} {class}", variant.class(), size.class());
    let inner = view! {
        {icon.map(|glyph| view! { <Icon glyph/> })}
        <span class="btn__text">{children()}</span>
        {kbd.map(|k| view! { <kbd class="kbd btn__kbd">{k}</kbd> })}
    };
    match href {
        Some(href) => view! {
            <a class=class href=move || href.get() rel=external.then_some("external")>
                {inner}
            </a>
        }
        .into_any(),
        None => view! {
            <button
                class=class
                type=if submit { "submit" } else { "button" }
                disabled=move || disabled.get()
                aria-disabled=move || loading.get().then_some("true")
                aria-busy=move || loading.get().then_some("true")
                on:click=move |ev| {
                    // Enter in a field comes here too: it clicks the button that submits, and no form is sent twice.
                    if loading.get_untracked() {
                        ev.prevent_default();
                        ev.stop_propagation();
                        return;
                    }
                    if let Some(f) = on_click {
                        f.run(());
                    }
                }
            >
                {inner}
            </button>
        }
        .into_any(),
    }
}

/// A button with a picture alone; `label` is its name and its tooltip.
#[component]
pub fn IconButton(
    glyph: Glyph,
    #[prop(into)] label: Signal<String>,
    #[prop(default = Variant::Quiet)] variant: Variant,
    #[prop(optional)] size: ButtonSize,
    #[prop(optional, into)] href: Option<Signal<String>>,
    #[prop(optional, into)] disabled: Signal<bool>,
    /// Whether it is switched on, for toggles.
    #[prop(optional, into)]
    pressed: Option<Signal<bool>>,
    #[prop(optional, into)] on_click: Option<Callback<()>>,
    #[prop(optional, into)] class: String,
) -> impl IntoView {
    let class = format!("{} {} btn--icon tip {class}", variant.class(), size.class());
    match href {
        Some(href) => view! {
            <a class=class href=move || href.get() aria-label=move || label.get() data-tip=move || label.get()>
                <Icon glyph/>
            </a>
        }
        .into_any(),
        None => view! {
            <button
                class=class
                type="button"
                aria-label=move || label.get()
                data-tip=move || label.get()
                aria-pressed=pressed.map(|p| move || if p.get() { "true" } else { "false" })
                disabled=move || disabled.get()
                on:click=move |_| {
                    if let Some(f) = on_click {
                        f.run(());
                    }
                }
            >
                <Icon glyph/>
            </button>
        }
        .into_any(),
    }
}

/// Copies text to the clipboard and says so.
#[component]
pub fn CopyButton(
    #[prop(into)] text: Signal<String>,
    #[prop(default = "Copy".into(), into)] label: String,
) -> impl IntoView {
    let copied = RwSignal::new(false);
    let copy = move || {
        let clipboard = window().navigator().clipboard();
        let written = clipboard.write_text(&text.get_untracked());
        leptos::task::spawn_local(async move {
            if wasm_bindgen_futures::JsFuture::from(written).await.is_ok() {
                copied.try_set(true);
                set_timeout(
                    move || {
                        copied.try_set(false);
                    },
                    std::time::Duration::from_secs(2),
                );
            }
        });
    };
    view! {
        <button class="btn btn--copy" type="button" on:click=move |_| copy()>
            <super::icon::IconOf glyph=Signal::derive(move || if copied.get() { Glyph::Check } else { Glyph::Copy })/>
            <span class="btn__text" aria-live="polite">
                {move || if copied.get() { "Copied".to_owned() } else { label.clone() }}
            </span>
        </button>
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    fn markup(loading: bool, disabled: bool) -> String {
        Owner::new().with(|| view! { <Button loading disabled>"Save"</Button> }.to_html())
    }

    #[test]
    fn a_button_at_work_says_so_and_can_keep_the_focus() {
        let idle = markup(false, false);
        assert!(
            !idle.contains("aria-disabled") && !idle.contains("aria-busy"),
            "{idle}"
        );
        let busy = markup(true, false);
        assert!(busy.contains(r#"aria-disabled="true""#), "{busy}");
        assert!(busy.contains(r#"aria-busy="true""#), "{busy}");
        // Browsers take the focus off what has this attribute.
        assert!(!busy.contains(" disabled"), "{busy}");
        assert!(markup(false, true).contains(" disabled"));
    }
}
