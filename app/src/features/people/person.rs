//! A person's row: role and whether they may sign in.

use crate::data::Mutation;
use crate::session::use_session;
use crate::ui::{Avatar, Button, ButtonSize, Chip, RelativeTime, Select, Tone, Variant};
use leptos::prelude::*;
use limn_domain::user::{UpdateUser, User};
use limn_domain::{Role, UserId};

/// Roles as options, the widest first.
pub fn role_options() -> Vec<(String, String)> {
    Role::ALL
        .iter()
        .map(|r| (r.as_str().to_owned(), r.label().to_owned()))
        .collect()
}

#[component]
pub fn PersonRow(user: User, update: Mutation<(UserId, UpdateUser)>, ask: Callback<User>) -> impl IntoView {
    let mine = use_session()
        .me
        .with_untracked(|m| m.as_ref().is_some_and(|m| m.id == user.id));
    let role = RwSignal::new(user.role.as_str().to_owned());
    let id = user.id;
    let before = user.role;
    let change = move |picked: String| {
        if let Ok(r) = picked.parse::<Role>()
            && r != before
        {
            update.run((
                id,
                UpdateUser {
                    role: Some(r),
                    ..UpdateUser::default()
                },
            ));
        }
    };
    // A refused change must not look taken.
    Effect::new(move |_| {
        if update.error.with(Option::is_some) {
            role.set(before.as_str().to_owned());
        }
    });
    let row = user.clone();
    view! {
        <tr class:is-off=user.disabled>
            <td data-label="Name">
                <span class="row">
                    <Avatar name=user.name.clone()/>
                    <span class="person">
                        <b class="strong">{user.name.clone()}</b>
                        <span class="faint person__mail">{user.email.clone()}</span>
                    </span>
                    {mine.then(|| view! { <Chip tone=Tone::Accent>"you"</Chip> })}
                    {user.disabled.then(|| view! { <Chip tone=Tone::Bad>"disabled"</Chip> })}
                </span>
            </td>
            <td data-label="Role">
                <Select
                    value=role
                    options=role_options()
                    label=format!("Role of {}", user.name)
                    disabled=Signal::derive(move || mine || update.pending.get())
                    on_change=change
                    class="select--sm"
                />
            </td>
            <td data-label="Last seen">
                {match user.last_seen_at {
                    Some(at) => view! { <RelativeTime at/> }.into_any(),
                    None => view! { <span class="muted">"never"</span> }.into_any(),
                }}
            </td>
            <td class="table__actions">
                {if mine {
                    ().into_any()
                } else if user.disabled {
                    view! {
                        <Button
                            size=ButtonSize::Small
                            on_click=move || update.run((id, UpdateUser { disabled: Some(false), ..UpdateUser::default() }))
                        >
                            "Enable"
                        </Button>
                    }
                    .into_any()
                } else {
                    view! {
                        <Button size=ButtonSize::Small variant=Variant::Quiet on_click=move || ask.run(row.clone())>
                            "Disable"
                        </Button>
                    }
                    .into_any()
                }}
            </td>
        </tr>
    }
}
