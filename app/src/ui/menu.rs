//! Menus and popovers on the browser's own popover: above everything, closed by Esc and by a click elsewhere.

use super::button::Variant;
use super::icon::{Glyph, Icon};
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// Places a popover below (or above) its button, inside the window. Runs before it shows.
fn place(button: &web_sys::Element, panel: &web_sys::HtmlElement, end: bool) {
    let rect = button.get_bounding_client_rect();
    let size = |v: Result<wasm_bindgen::JsValue, _>| v.ok().and_then(|v| v.as_f64()).unwrap_or(0.0);
    let (width, height) = (size(window().inner_width()), size(window().inner_height()));
    let style = panel.style();
    let set = |name: &str, value: String| {
        let _ = style.set_property(name, &value);
    };
    if height - rect.bottom() < 260.0 && rect.top() > height - rect.bottom() {
        set("top", "auto".into());
        set("bottom", format!("{}px", height - rect.top() + 4.0));
        set("max-height", format!("{}px", (rect.top() - 12.0).max(120.0)));
    } else {
        set("bottom", "auto".into());
        set("top", format!("{}px", rect.bottom() + 4.0));
        set(
            "max-height",
            format!("{}px", (height - rect.bottom() - 12.0).max(120.0)),
        );
    }
    // A button near the left edge leaves no room at its left.
    if end && rect.right() > 260.0 {
        set("left", "auto".into());
        set("right", format!("{}px", (width - rect.right()).max(8.0)));
    } else {
        set("right", "auto".into());
        set("left", format!("{}px", rect.left().min(width - 220.0).max(8.0)));
    }
}

/// Moves the focus among a menu's entries.
fn step_focus(panel: &web_sys::HtmlElement, key: &str) -> bool {
    let Ok(list) = panel.query_selector_all("[role^=menuitem]:not([disabled])") else {
        return false;
    };
    let entries: Vec<web_sys::HtmlElement> = (0..list.length())
        .filter_map(|i| list.get(i)?.dyn_into().ok())
        .collect();
    if entries.is_empty() {
        return false;
    }
    let active = document().active_element();
    let at = entries.iter().position(|e| active.as_ref() == Some(e.as_ref()));
    let n = entries.len();
    let to = match (key, at) {
        ("ArrowDown", None) | ("Home", _) => 0,
        ("ArrowDown", Some(i)) => (i + 1) % n,
        ("ArrowUp", None) | ("End", _) => n - 1,
        ("ArrowUp", Some(i)) => (i + n - 1) % n,
        _ => return false,
    };
    let _ = entries[to].focus();
    true
}

/// A button that opens a panel. `id` must be unique on the page. [`Menu`] is the kind with entries.
#[component]
pub fn Popover(
    #[prop(into)] id: String,
    /// Names the button when it shows a picture alone, and the panel.
    #[prop(into)]
    label: String,
    /// What the button shows; by default three dots.
    #[prop(optional, into)]
    trigger: Option<ViewFn>,
    /// Classes of the button; by default a quiet picture button.
    #[prop(default = "btn btn--quiet btn--icon".into(), into)]
    trigger_class: String,
    /// Aligns the panel's end with the button's end.
    #[prop(optional)]
    end: bool,
    #[prop(optional, into)] class: String,
    /// Runs whenever it opens (true) or closes (false).
    #[prop(optional, into)]
    on_toggle: Option<Callback<bool>>,
    #[prop(optional)] role: Option<&'static str>,
    children: Children,
) -> impl IntoView {
    let button = NodeRef::<html::Button>::new();
    let panel = NodeRef::<html::Div>::new();
    let named = trigger.is_none();
    let is_menu = role == Some("menu");
    view! {
        <button
            node_ref=button
            type="button"
            class=trigger_class
            popovertarget=id.clone()
            aria-haspopup=if is_menu { "menu" } else { "dialog" }
            aria-label=named.then(|| label.clone())
        >
            {match trigger {
                Some(t) => t.run(),
                None => view! { <Icon glyph=Glyph::More/> }.into_any(),
            }}
        </button>
        <div
            node_ref=panel
            id=id
            class=format!("popover {class}")
            popover="auto"
            role=role.unwrap_or("group")
            aria-label=label
            on:beforetoggle=move |ev| {
                let opens = js_sys::Reflect::get(&ev, &"newState".into())
                    .is_ok_and(|s| s.as_string().as_deref() == Some("open"));
                if let (Some(b), Some(p)) = (button.get_untracked(), panel.get_untracked()) {
                    if opens {
                        place(&b, &p, end);
                    }
                    if opens && is_menu {
                        request_animation_frame(move || {
                            step_focus(&p, "ArrowDown");
                        });
                    }
                }
                if let Some(f) = on_toggle {
                    f.run(opens);
                }
            }
            on:keydown=move |ev| {
                if is_menu && let Some(p) = panel.get_untracked() && step_focus(&p, &ev.key()) {
                    ev.prevent_default();
                    ev.stop_propagation();
                }
            }
            on:click=move |ev| {
                // An entry was chosen: the menu has done its work.
                let chosen = ev
                    .target()
                    .and_then(|t| t.dyn_into::<web_sys::Element>().ok())
                    .and_then(|t| t.closest("[role^=menuitem],[data-close]").ok().flatten())
                    .is_some();
                if chosen && let Some(p) = panel.get_untracked() {
                    let _ = p.hide_popover();
                }
            }
        >
            {children()}
        </div>
    }
}

/// A button that opens a list of [`MenuItem`]s, with arrow keys.
#[component]
pub fn Menu(
    #[prop(into)] id: String,
    #[prop(into)] label: String,
    #[prop(optional, into)] trigger: Option<ViewFn>,
    #[prop(default = "btn btn--quiet btn--icon".into(), into)] trigger_class: String,
    #[prop(optional)] end: bool,
    children: Children,
) -> impl IntoView {
    let trigger = trigger.unwrap_or_else(|| ViewFn::from(|| view! { <Icon glyph=Glyph::More/> }));
    let named = label.clone();
    let trigger =
        ViewFn::from(move || view! { {trigger.run()} <span class="sr-only">{named.clone()}</span> });
    view! {
        <Popover id label trigger trigger_class end class="menu" role="menu">
            {children()}
        </Popover>
    }
}

/// An entry of a [`Menu`]: a link with `href`, else a button.
#[component]
pub fn MenuItem(
    #[prop(optional, into)] icon: Option<Glyph>,
    #[prop(optional, into)] href: Option<Signal<String>>,
    #[prop(optional)] external: bool,
    #[prop(optional)] variant: Variant,
    #[prop(optional, into)] disabled: Signal<bool>,
    /// Shown at the end.
    #[prop(optional, into)]
    kbd: Option<String>,
    /// Marks the chosen one of several.
    #[prop(optional, into)]
    checked: Option<Signal<bool>>,
    #[prop(optional, into)] on_click: Option<Callback<()>>,
    children: Children,
) -> impl IntoView {
    let class = if variant == Variant::Danger {
        "menu__item menu__item--danger"
    } else {
        "menu__item"
    };
    let inner = view! {
        {icon.map(|glyph| view! { <Icon glyph/> })}
        <span class="grow">{children()}</span>
        {checked.map(|c| view! { <span class="menu__check" class:is-on=move || c.get()><Icon glyph=Glyph::Check/></span> })}
        {kbd.map(|k| view! { <kbd class="kbd">{k}</kbd> })}
    };
    match href {
        Some(href) => view! {
            <a
                class=class
                role="menuitem"
                tabindex="-1"
                href=move || href.get()
                rel=external.then_some("external")
                on:click=move |_| {
                    if let Some(f) = on_click {
                        f.run(());
                    }
                }
            >
                {inner}
            </a>
        }
        .into_any(),
        None => view! {
            <button
                class=class
                type="button"
                role=if checked.is_some() { "menuitemradio" } else { "menuitem" }
                tabindex="-1"
                aria-checked=checked.map(|c| move || if c.get() { "true" } else { "false" })
                disabled=move || disabled.get()
                on:click=move |_| {
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

/// A line between groups of entries.
#[component]
pub fn MenuLine() -> impl IntoView {
    view! { <div class="menu__line" role="separator"></div> }
}

/// A heading of a group of entries.
#[component]
pub fn MenuHeading(children: Children) -> impl IntoView {
    view! { <div class="menu__heading" role="presentation">{children()}</div> }
}
