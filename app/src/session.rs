//! Who is signed in and how the page looks, known on both sides from the first byte.

use leptos::prelude::*;
use limn_domain::authz::{Action, allowed};
use limn_domain::user::Me;
use serde::{Deserialize, Serialize};
use std::cell::Cell;

/// Light, dark, or what the system says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];
    pub const COOKIE: &'static str = "limn_theme";

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    pub fn parse(text: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|t| t.as_str() == text)
            .unwrap_or_default()
    }
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Initial {
    me: Option<Me>,
    theme: Theme,
}

/// The browser's view of the session. Copy it freely.
#[derive(Debug, Clone, Copy)]
pub struct Session {
    /// Who is signed in.
    pub me: RwSignal<Option<Me>>,
    pub theme: RwSignal<Theme>,
    /// The session ended while the page was open: the sign-in dialog shows until somebody signs in again.
    pub expired: RwSignal<bool>,
    /// Goes up when data should be read again (after signing in anew).
    pub version: RwSignal<u32>,
}

impl Session {
    /// Whether the studio role allows an action outside projects. For projects use [`allowed`] with `my_role`.
    ///
    /// Not tracked: a changed role takes effect with the next page load.
    pub fn may(&self, action: Action) -> bool {
        self.me
            .with_untracked(|me| me.as_ref().is_some_and(|me| allowed(me.role, action)))
    }

    /// Stores and shows a theme.
    pub fn set_theme(&self, theme: Theme) {
        self.theme.set(theme);
        if let Some(html) = document().document_element() {
            let _ = html.set_attribute("data-theme", theme.as_str());
        }
        let cookie = format!(
            "{}={}; Path=/; Max-Age=31536000; SameSite=Lax",
            Theme::COOKIE,
            theme.as_str()
        );
        let _ = js_sys::Reflect::set(&document(), &"cookie".into(), &cookie.into());
    }
}

thread_local! {
    static KEPT: Cell<Option<Session>> = const { Cell::new(None) };
}

/// A server function or request answered "sign in first": shows the sign-in dialog over the page.
pub fn note_expired() {
    if let Some(session) = KEPT.get() {
        session.expired.set(true);
    }
}

/// Reads the session once, for the whole app.
pub(crate) fn provide_session() -> Session {
    let initial = SharedValue::new(initial).into_inner();
    let session = Session {
        me: RwSignal::new(initial.me),
        theme: RwSignal::new(initial.theme),
        expired: RwSignal::new(false),
        version: RwSignal::new(0),
    };
    crate::handle::provide(&KEPT, session);
    session
}

/// The session of the page.
pub fn use_session() -> Session {
    crate::handle::find(&KEPT)
}

#[cfg(feature = "ssr")]
fn initial() -> Initial {
    Initial {
        me: crate::context::actor().me().ok().cloned(),
        theme: theme_of_request(),
    }
}

#[cfg(not(feature = "ssr"))]
fn initial() -> Initial {
    Initial::default()
}

/// The theme the browser asks for by cookie.
#[cfg(feature = "ssr")]
pub fn theme_of_request() -> Theme {
    crate::context::cookie(Theme::COOKIE).map_or_else(Theme::default, |t| Theme::parse(&t))
}

/// The sign-in page, coming back to `path` afterwards.
pub fn sign_in_address(path: &str) -> String {
    if path == "/" {
        return "/sign-in".to_owned();
    }
    let mut out = String::from("/sign-in?next=");
    for b in path.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(b));
        } else {
            out.push('%');
            out.push(char::from(b"0123456789ABCDEF"[usize::from(b >> 4)]));
            out.push(char::from(b"0123456789ABCDEF"[usize::from(b & 15)]));
        }
    }
    out
}

/// Where to go after signing in: `next` when it is a page of ours, else the start page.
pub fn safe_next(next: Option<String>) -> String {
    next.filter(|n| {
        n.starts_with('/')
            && !n.starts_with("//")
            && !n.starts_with("/sign-in")
            && !n.contains(['\\', '\n', '\r', '\t'])
    })
    .unwrap_or_else(|| "/".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for bad in [
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "",
            "/sign-in?next=/x",
        ] {
            assert_eq!(safe_next(Some(bad.to_owned())), "/", "{bad}");
        }
        assert_eq!(safe_next(Some("/projects/1?a=b".into())), "/projects/1?a=b");
        assert_eq!(sign_in_address("/a?b=c&d"), "/sign-in?next=/a%3Fb%3Dc%26d");
    }
}
