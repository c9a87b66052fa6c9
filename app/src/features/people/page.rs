//! `/people`

use super::api;
use super::invitations::{InviteDialog, Pending};
use super::person::PersonRow;
use crate::data::{use_load, use_mutation};
use crate::fmt;
use crate::session::use_session;
use crate::ui::{
    Button, Card, ConfirmDialog, ErrorView, Glyph, PageHead, Skeleton, Table, TextInput, Variant, use_toasts,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use limn_domain::UserId;
use limn_domain::authz::Action;
use limn_domain::user::{UpdateUser, User};

#[component]
pub fn PeoplePage() -> impl IntoView {
    let may = use_session().may(Action::ManagePeople);
    let people = use_load(|| (), |()| api::people());
    let invitations = use_load(|| (), |()| api::invitations());
    let query = use_query_map();
    let inviting = RwSignal::new(false);
    Effect::new(move |_| {
        if may && query.with(|q| q.get("invite").is_some()) {
            inviting.set(true);
        }
    });
    view! {
        {may.then(|| view! {
            <PageHead title="People" sub=ViewFn::from(|| "Who may sign in, and what they may do outside projects. Projects have members of their own.")>
                <Button variant=Variant::Primary icon=Glyph::Mail on_click=move || inviting.set(true)>"Invite"</Button>
            </PageHead>
        })}
        <div class="stack">
            <Transition fallback=|| view! { <Card><Skeleton lines=5/></Card> }>
                {move || Suspend::new(async move {
                    match people.await {
                        Ok(list) => view! { <Everybody list changed=move || people.refetch()/> }.into_any(),
                        // Those who may not see people see nothing but that.
                        Err(error) => view! { <ErrorView page=!may error retry=move || people.refetch()/> }.into_any(),
                    }
                })}
            </Transition>
            <Transition>
                {move || Suspend::new(async move {
                    match invitations.await {
                        Ok(list) if !list.is_empty() => {
                            view! { <Pending list changed=move || invitations.refetch()/> }.into_any()
                        }
                        _ => ().into_any(),
                    }
                })}
            </Transition>
        </div>
        {may.then(|| view! { <InviteDialog open=inviting on_made=move || invitations.refetch()/> })}
    }
}

#[component]
fn Everybody(list: Vec<User>, #[prop(into)] changed: Callback<()>) -> impl IntoView {
    let toasts = use_toasts();
    let confirming = RwSignal::new(false);
    let target = RwSignal::new(None::<User>);
    let update = use_mutation(
        |(id, input): (UserId, UpdateUser)| async move {
            let locked_out = input.disabled == Some(true);
            Ok((api::update_person(id, input).await?, locked_out))
        },
        move |(u, locked_out): (User, bool)| {
            confirming.set(false);
            toasts.ok(if locked_out {
                format!("{} can no longer sign in.", u.name)
            } else {
                format!("{} saved.", u.name)
            });
            changed.run(());
        },
    );
    let ask = Callback::new(move |u: User| {
        target.set(Some(u));
        confirming.set(true);
    });
    let text = RwSignal::new(String::new());
    let many = list.len() > 8;
    let enabled = list.iter().filter(|u| !u.disabled).count();
    let title = fmt::counted(i64::try_from(enabled).unwrap_or(0), "person", "people");
    let all = StoredValue::new(list);
    let shown = move || {
        let needle = text.with(|t| t.trim().to_lowercase());
        all.with_value(|all| {
            all.iter()
                .filter(|u| {
                    needle.is_empty() || u.name.to_lowercase().contains(&needle) || u.email.contains(&needle)
                })
                .cloned()
                .collect::<Vec<_>>()
        })
    };
    let name =
        Signal::derive(move || target.with(|t| t.as_ref().map_or_else(String::new, |t| t.name.clone())));
    view! {
        <Card
            title
            flush=true
            aside=ViewFn::from(move || many.then(|| view! {
                <TextInput value=text kind="search" icon=Glyph::Search placeholder="Find somebody" label="Find somebody"/>
            }))
        >
            <Table label="People" columns=vec!["Name", "Role", "Last seen", ""]>
                {move || {
                    shown()
                        .into_iter()
                        .map(|user| view! { <PersonRow user update ask/> })
                        .collect_view()
                }}
            </Table>
        </Card>
        <ConfirmDialog
            open=confirming
            title=Signal::derive(move || format!("Disable {}?", name.get()))
            text="They are signed out everywhere and their tokens stop working at once. What they labeled stays. You can enable them again."
            confirm="Disable"
            pending=update.pending
            on_confirm=Callback::new(move |()| {
                if let Some(u) = target.get_untracked() {
                    update.run((u.id, UpdateUser { disabled: Some(true), ..UpdateUser::default() }));
                }
            })
        />
    }
}
