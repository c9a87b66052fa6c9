//! The navigation: where one can go, the running jobs, and the person.

use super::api;
use super::help::use_help;
use super::palette::use_palette;
use super::tray::JobTray;
use crate::data::use_mutation;
use crate::fmt;
use crate::pulse::use_pulse;
use crate::session::{Theme, use_session};
use crate::ui::{Avatar, Glyph, Icon, Kbd, Logo, Menu, MenuHeading, MenuItem, MenuLine};
use leptos::prelude::*;
use leptos_router::hooks::use_location;
use limn_domain::authz::Action;

#[component]
pub fn Nav() -> impl IntoView {
    let palette = use_palette();
    let session = use_session();
    let queue = use_pulse().queue;
    let waiting = Signal::derive(move || queue.get().filter(|n| *n > 0).map(fmt::count));
    view! {
        <nav class="nav" aria-label="Studio">
            <a class="nav__mark" href="/">
                <Logo/>
                <b>"Limn"</b>
            </a>
            <button type="button" class="nav__search" on:click=move |_| palette.open.set(true)>
                <Icon glyph=Glyph::Search/>
                <span class="grow">"Search or jump to"</span>
                <Kbd>"Ctrl K"</Kbd>
            </button>
            <NavLink href="/" glyph=Glyph::Home text="Home" exact=true/>
            <NavLink href="/queue" glyph=Glyph::Check text="My queue" count=waiting/>
            <h2 class="nav__h">"Assets"</h2>
            <NavLink href="/data" glyph=Glyph::Data text="Data"/>
            <NavLink href="/experiments" glyph=Glyph::Flask text="Experiments"/>
            <NavLink href="/models" glyph=Glyph::Cube text="Models"/>
            <h2 class="nav__h">"Manage"</h2>
            <NavLink href="/projects" glyph=Glyph::Tag text="Data labeling"/>
            {move || session.may(Action::UseDatastores).then(|| view! { <NavLink href="/datastores" glyph=Glyph::Plug text="Datastores"/> })}
            <NavLink href="/jobs" glyph=Glyph::Activity text="Jobs"/>
            {move || session.may(Action::ManagePeople).then(|| view! { <NavLink href="/people" glyph=Glyph::People text="People"/> })}
            <span class="grow"></span>
            <JobTray/>
            <UserMenu/>
        </nav>
    }
}

#[component]
fn NavLink(
    href: &'static str,
    glyph: Glyph,
    text: &'static str,
    #[prop(optional)] exact: bool,
    #[prop(optional, into)] count: Signal<Option<String>>,
) -> impl IntoView {
    let path = use_location().pathname;
    let on = move || {
        path.with(|p| {
            let p = p.trim_end_matches('/');
            let href = href.trim_end_matches('/');
            p == href || (!exact && p.strip_prefix(href).is_some_and(|rest| rest.starts_with('/')))
        })
    };
    view! {
        <a class="nav__a" href=href aria-current=move || on().then_some("page")>
            <Icon glyph/>
            <span class="grow">{text}</span>
            {move || count.get().map(|n| view! { <span class="nav__n">{n}</span> })}
        </a>
    }
}

#[component]
fn UserMenu() -> impl IntoView {
    let session = use_session();
    let help = use_help();
    let name = Signal::derive(move || {
        session
            .me
            .with(|m| m.as_ref().map_or_else(String::new, |m| m.name.clone()))
    });
    let role = move || session.me.with(|m| m.as_ref().map_or("", |m| m.role.label()));
    let email = move || {
        session
            .me
            .with(|m| m.as_ref().map_or_else(String::new, |m| m.email.clone()))
    };
    let out = use_mutation(
        |()| api::sign_out(),
        // A whole page load: nothing of the person stays in memory.
        move |()| {
            session.me.set(None);
            let _ = window().location().set_href("/sign-in");
        },
    );
    let trigger = ViewFn::from(move || {
        view! {
            <Avatar name/>
            <span class="nav__who">
                <span class="nav__name">{move || name.get()}</span>
                <span class="nav__role">{role}</span>
            </span>
            <Icon glyph=Glyph::ChevronsUpDown size=14/>
        }
    });
    let theme = move |theme: Theme, glyph: Glyph| {
        view! {
            <MenuItem
                icon=glyph
                checked=Signal::derive(move || session.theme.get() == theme)
                on_click=move || session.set_theme(theme)
            >
                {theme.label()}
            </MenuItem>
        }
    };
    view! {
        <Menu id="user-menu" label="Account menu" trigger trigger_class="nav__user">
            <MenuHeading>{email}</MenuHeading>
            <MenuItem icon=Glyph::User href="/account">"Account"</MenuItem>
            <MenuItem icon=Glyph::Keyboard kbd="?" on_click=move || help.set(true)>"Keyboard shortcuts"</MenuItem>
            <MenuItem icon=Glyph::Terminal href="/api/docs" external=true>"API"</MenuItem>
            <MenuLine/>
            <MenuHeading>"Theme"</MenuHeading>
            {theme(Theme::System, Glyph::Monitor)}
            {theme(Theme::Light, Glyph::Sun)}
            {theme(Theme::Dark, Glyph::Moon)}
            <MenuLine/>
            <MenuItem icon=Glyph::SignOut on_click=move || out.run(())>"Sign out"</MenuItem>
        </Menu>
    }
}
