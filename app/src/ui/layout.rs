//! What pages are put together from: heads, crumbs, tabs, cards, tables, figures, empty states.

use super::icon::{Glyph, Icon};
use super::resize::on_resize;
use leptos::text_prop::TextProp;
use leptos::{html, prelude::*};
use leptos_router::hooks::use_location;
use wasm_bindgen::JsCast;

/// The way to a page: links, then the page itself last.
#[component]
pub fn Breadcrumbs(
    /// `(text, address)`; the last one's address is not used.
    #[prop(into)]
    items: Signal<Vec<(String, String)>>,
) -> impl IntoView {
    view! {
        <nav class="crumbs" aria-label="Breadcrumb">
            <ol class="crumbs__list">
                {move || {
                    let items = items.get();
                    let last = items.len().saturating_sub(1);
                    items
                        .into_iter()
                        .enumerate()
                        .map(|(i, (text, href))| {
                            if i == last {
                                view! { <li class="crumbs__item"><span aria-current="page">{text}</span></li> }.into_any()
                            } else {
                                view! {
                                    <li class="crumbs__item">
                                        <a href=href>{text}</a>
                                        <Icon glyph=Glyph::ChevronRight size=12/>
                                    </li>
                                }
                                .into_any()
                            }
                        })
                        .collect_view()
                }}
            </ol>
        </nav>
    }
}

/// The head of a page: its title, a line about it, and its actions at the end. Also sets the browser's title.
#[component]
pub fn PageHead(
    #[prop(into)] title: Signal<String>,
    /// The line below the title.
    #[prop(optional, into)]
    sub: Option<ViewFn>,
    /// Beside the title, e.g. a status chip.
    #[prop(optional, into)]
    badge: Option<ViewFn>,
    /// Buttons.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    // The server writes the title when the page is whole and its signals are gone: there it is the text of now.
    let text: TextProp = if cfg!(feature = "ssr") {
        title.get_untracked().into()
    } else {
        // A page that is made anew may be asked once more after its end.
        (move || title.try_get().unwrap_or_default()).into()
    };
    view! {
        <leptos_meta::Title text/>
        <header class="head">
            <div class="grow">
                <div class="head__title">
                    <h1>{move || title.get()}</h1>
                    {badge.map(|b| b.run())}
                </div>
                {sub.map(|s| view! { <p class="head__sub">{s.run()}</p> })}
            </div>
            {children.map(|c| view! { <div class="head__actions">{c()}</div> })}
        </header>
    }
}

/// Links between the parts of one thing. On a phone the strip is longer than the screen: the page's own tab is kept in view,
/// also when the window becomes narrower or is turned.
#[component]
pub fn Tabs(#[prop(into)] label: String, children: Children) -> impl IntoView {
    let strip: NodeRef<html::Nav> = NodeRef::new();
    Effect::new(move |_| {
        let Some(strip) = strip.get() else {
            return;
        };
        let resized = strip.clone();
        on_resize(&strip, move || {
            let tab = resized.query_selector("[aria-current=page]").ok().flatten();
            if let Some(tab) = tab.as_ref().and_then(|t| t.dyn_ref::<web_sys::HtmlElement>()) {
                show_tab(&resized, tab);
            }
        });
    });
    view! { <nav node_ref=strip class="tabs" aria-label=label>{children()}</nav> }
}

/// Scrolls a strip so that a tab of it is in the middle.
fn show_tab(strip: &web_sys::Element, tab: &web_sys::HtmlElement) {
    strip.set_scroll_left(tab.offset_left() - (strip.client_width() - tab.offset_width()) / 2);
}

/// One of [`Tabs`]; lit while the address is `href` or, unless `exact`, below it.
#[component]
pub fn Tab(
    #[prop(into)] href: Signal<String>,
    #[prop(optional)] exact: bool,
    /// A number behind the word.
    #[prop(optional, into)]
    count: Option<Signal<Option<i64>>>,
    children: Children,
) -> impl IntoView {
    let path = use_location().pathname;
    let on = move || {
        let (path, href) = (path.get(), href.get());
        let path = path.trim_end_matches('/');
        path == href || (!exact && path.starts_with(&href) && path[href.len()..].starts_with('/'))
    };
    let tab: NodeRef<html::A> = NodeRef::new();
    Effect::new(move |_| {
        if on()
            && let Some(tab) = tab.get()
            && let Some(strip) = tab.parent_element()
        {
            show_tab(&strip, &tab);
        }
    });
    view! {
        <a
            node_ref=tab
            class="tabs__tab"
            href=move || href.get()
            aria-current=move || on().then_some("page")
        >
            {children()}
            {count.map(|c| move || c.get().map(|n| view! { <span class="tabs__n">{crate::fmt::count(n)}</span> }))}
        </a>
    }
}

/// A surface with an optional head.
#[component]
pub fn Card(
    #[prop(optional, into)] title: Option<Signal<String>>,
    /// At the end of the head.
    #[prop(optional, into)]
    aside: Option<ViewFn>,
    /// No padding, for tables and lists that reach the edges.
    #[prop(optional)]
    flush: bool,
    #[prop(optional, into)] class: String,
    children: Children,
) -> impl IntoView {
    let has_head = title.is_some() || aside.is_some();
    view! {
        <section class=format!("card {}{class}", if flush { "card--flush " } else { "" })>
            {has_head
                .then(|| {
                    view! {
                        <header class="card__head">
                            {title.map(|t| view! { <h2 class="grow">{move || t.get()}</h2> })}
                            {aside.map(|a| a.run())}
                        </header>
                    }
                })}
            {children()}
        </section>
    }
}

/// A figure with its name and a line that puts it in proportion.
#[component]
pub fn Stat(
    #[prop(into)] label: String,
    #[prop(into)] value: Signal<String>,
    #[prop(optional, into)] sub: Option<Signal<String>>,
) -> impl IntoView {
    view! {
        <div class="card stat">
            <span class="stat__label">{label}</span>
            <b class="stat__value">{move || value.get()}</b>
            {sub.map(|s| view! { <span class="stat__sub">{move || s.get()}</span> })}
        </div>
    }
}

/// A table that becomes a list of cards on a phone. Give each `<td>` a `data-label` for that.
#[component]
pub fn Table(
    /// Names the table for screen readers.
    #[prop(into)]
    label: String,
    /// Column heads; an empty one heads the actions.
    #[prop(into)]
    columns: Vec<&'static str>,
    /// The rows.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="table-wrap">
            <table class="table" aria-label=label>
                <thead>
                    <tr>
                        {columns
                            .into_iter()
                            .map(|c| {
                                if c.is_empty() {
                                    view! { <th scope="col"><span class="sr-only">"Actions"</span></th> }.into_any()
                                } else {
                                    view! { <th scope="col">{c}</th> }.into_any()
                                }
                            })
                            .collect_view()}
                    </tr>
                </thead>
                <tbody>{children()}</tbody>
            </table>
        </div>
    }
}

/// What a page shows while it has nothing: what it is for, and the one button that starts it.
#[component]
pub fn EmptyState(
    glyph: Glyph,
    #[prop(into)] title: String,
    #[prop(into)] text: String,
    /// The button.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty">
            <span class="empty__icon"><Icon glyph size=22/></span>
            <h2 class="empty__title">{title}</h2>
            <p class="empty__text">{text}</p>
            {children.map(|c| view! { <div class="empty__actions">{c()}</div> })}
        </div>
    }
}

/// Grey lines in the place of text to come.
#[component]
pub fn Skeleton(#[prop(default = 3)] lines: usize) -> impl IntoView {
    view! {
        <div class="skeleton" role="status" aria-busy="true" aria-label="Loading">
            {(0..lines).map(|_| view! { <span class="skeleton__line"></span> }).collect_view()}
        </div>
    }
}

/// Grey cards in the place of cards to come.
#[component]
pub fn SkeletonCards(#[prop(default = 4)] count: usize) -> impl IntoView {
    view! {
        <div class="skeleton-cards" role="status" aria-busy="true" aria-label="Loading cards">
            {(0..count)
                .map(|_| view! { <div class="card"><Skeleton lines=3/></div> })
                .collect_view()}
        </div>
    }
}
