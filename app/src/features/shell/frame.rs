//! The layouts of the route table.

use super::drawer::{Drawer, TopBar};
use super::nav::Nav;
use crate::session::use_session;
use crate::ui::NotFound;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::components::Outlet;
use leptos_router::hooks::{use_location, use_navigate};

/// Whether somebody is signed in; sends everybody else to the sign-in page and back afterwards.
///
/// Decided once: signing in and out load the page anew, and a session that ends meanwhile keeps its page.
fn admit() -> bool {
    if use_session().me.get_untracked().is_some() {
        return true;
    }
    #[cfg(feature = "ssr")]
    if let Some(path) = crate::context::path_and_query() {
        crate::context::redirect(&crate::session::sign_in_address(&path));
    }
    let location = use_location();
    let navigate = use_navigate();
    Effect::new(move |_| {
        let here = location.pathname.get_untracked()
            + &location.search.with_untracked(|s| match s.as_str() {
                "" => String::new(),
                s => format!("?{s}"),
            });
        let options = NavigateOptions {
            replace: true,
            ..NavigateOptions::default()
        };
        navigate(&crate::session::sign_in_address(&here), options);
    });
    false
}

/// Pages with the navigation beside them.
#[component]
pub fn Studio() -> impl IntoView {
    if !admit() {
        return ().into_any();
    }
    view! { <Framed><Outlet/></Framed> }.into_any()
}

/// Tools that take the whole window.
#[component]
pub fn FullScreen() -> impl IntoView {
    if !admit() {
        return ().into_any();
    }
    view! { <Outlet/> }.into_any()
}

/// An address without a page: in the frame for those who are signed in.
#[component]
pub fn Lost() -> impl IntoView {
    if use_session().me.get_untracked().is_some() {
        view! { <Framed><NotFound/></Framed> }.into_any()
    } else {
        view! { <main class="alone"><NotFound/></main> }.into_any()
    }
}

#[component]
fn Framed(children: Children) -> impl IntoView {
    let drawer = RwSignal::new(false);
    let path = use_location().pathname;
    Effect::new(move |_| {
        path.track();
        drawer.set(false);
    });
    view! {
        <a class="skip-link" href="#main">"Skip to the page"</a>
        <div class="shell">
            <TopBar drawer/>
            <Drawer drawer><Nav/></Drawer>
            <main class="main" id="main" tabindex="-1">{children()}</main>
        </div>
    }
}
