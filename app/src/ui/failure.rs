//! Failures as pages and as parts of pages.

use super::button::{Button, Variant};
use super::icon::{Glyph, Icon};
use crate::error::AppError;
use leptos::prelude::*;
use limn_domain::Code;

/// A failure in the place of what could not be shown. With `page`, also as the page's HTTP status and title.
#[component]
pub fn ErrorView(
    error: AppError,
    /// The whole page failed.
    #[prop(optional)]
    page: bool,
    /// Tries again.
    #[prop(optional, into)]
    retry: Option<Callback<()>>,
) -> impl IntoView {
    #[cfg(feature = "ssr")]
    if page {
        crate::context::set_status(error.code.status());
    }
    let (glyph, title) = match error.code {
        Code::NotFound => (Glyph::Search, "Not found"),
        Code::Forbidden => (Glyph::Lock, "Not allowed"),
        Code::SignInRequired => (Glyph::Key, "Signed out"),
        Code::LinkExpired => (Glyph::Clock, "This link no longer works"),
        Code::Unavailable => (Glyph::WifiOff, "No answer"),
        Code::Internal => (Glyph::Warning, "Something went wrong"),
        _ => (Glyph::Warning, "That did not work"),
    };
    let signed_out = error.is_signed_out();
    let retry = retry.filter(|_| {
        !matches!(
            error.code,
            Code::NotFound | Code::Forbidden | Code::SignInRequired | Code::LinkExpired
        )
    });
    view! {
        {page.then(|| view! { <leptos_meta::Title text=title/> })}
        <div class="empty" class:empty--page=page role="alert">
            <span class="empty__icon"><Icon glyph size=22/></span>
            {if page {
                view! { <h1 class="empty__title">{title}</h1> }.into_any()
            } else {
                view! { <h2 class="empty__title">{title}</h2> }.into_any()
            }}
            <p class="empty__text">{error.message.clone()}</p>
            <div class="empty__actions">
                {retry.map(|r| view! { <Button icon=Glyph::Refresh on_click=move || r.run(())>"Try again"</Button> })}
                {(page && !signed_out)
                    .then(|| view! { <Button variant=Variant::Primary href="/">"To the start page"</Button> })}
                {signed_out
                    .then(|| {
                        let session = crate::session::use_session();
                        view! {
                            <Button variant=Variant::Primary on_click=move || session.expired.set(true)>"Sign in"</Button>
                        }
                    })}
            </div>
        </div>
    }
}

/// An address that leads nowhere.
#[component]
pub fn NotFound() -> impl IntoView {
    view! {
        <ErrorView
            page=true
            error=AppError::new(Code::NotFound, "There is no page at this address. It may have been moved or deleted.")
        />
    }
}
