//! Who works in a project.

use super::api;
use super::layout::{ProjectCtx, use_project};
use crate::data::{use_form, use_load, use_mutation};
use crate::fmt;
use crate::ui::{
    Avatar, Button, Card, ConfirmDialog, ErrorView, Field, FormError, Glyph, IconButton, RelativeTime,
    Select, Skeleton, Table, Variant, use_toasts,
};
use leptos::prelude::*;
use limn_domain::authz::Action;
use limn_domain::project::Member;
use limn_domain::{Role, UserId};

/// Roles a membership can have.
const ROLES: [Role; 4] = [Role::Manager, Role::Reviewer, Role::Labeler, Role::Viewer];

fn role_options() -> Vec<(String, String)> {
    ROLES
        .map(|r| (r.as_str().to_owned(), r.label().to_owned()))
        .into()
}

/// `/projects/:id/members`
#[component]
pub fn MembersTab() -> impl IntoView {
    let ctx = use_project();
    let version = RwSignal::new(0_u32);
    let members = use_load(move || version.get(), move |_| api::member_list(ctx.id));
    view! {
        <div class="members">
            <Show when=move || ctx.may(Action::ManageMembers)>
                <AddMember ctx version/>
            </Show>
            <Card flush=true>
                <Transition fallback=|| view! { <div class="pad"><Skeleton lines=4/></div> }>
                    {move || Suspend::new(async move {
                        match members.await {
                            Ok(list) => view! { <List ctx list version/> }.into_any(),
                            Err(error) => view! { <ErrorView error retry=move || members.refetch()/> }.into_any(),
                        }
                    })}
                </Transition>
            </Card>
            <dl class="roles">
                {ROLES.map(|r| view! { <div><dt>{r.label()}</dt><dd>{r.describe()}</dd></div> }).collect_view()}
            </dl>
        </div>
    }
}

#[component]
fn AddMember(ctx: ProjectCtx, version: RwSignal<u32>) -> impl IntoView {
    let candidates = use_load(move || version.get(), move |_| api::member_candidates(ctx.id));
    let person = RwSignal::new(String::new());
    let role = RwSignal::new(Role::Labeler.as_str().to_owned());
    let toasts = use_toasts();
    let add = use_form(
        move |(user, role): (UserId, Role)| api::member_set(ctx.id, user, role),
        move |m: Member| {
            toasts.ok(format!("{} is in.", m.name));
            person.set(String::new());
            version.update(|v| *v += 1);
        },
    );
    let submit = move || {
        let role = role.get_untracked().parse().unwrap_or(Role::Labeler);
        if let Ok(user) = person.get_untracked().parse() {
            add.run((user, role));
        }
    };
    view! {
        <Card title="Add a member">
            <Transition fallback=|| view! { <Skeleton lines=1/> }>
                {move || Suspend::new(async move {
                    match candidates.await {
                        Ok(people) if people.is_empty() => view! {
                            <p class="muted">"Everybody with an account is a member already. Admins invite more people under People."</p>
                        }
                        .into_any(),
                        Ok(people) => {
                            let mut options = vec![(String::new(), "Choose a person".to_owned())];
                            options.extend(people.into_iter().map(|u| (u.id.to_string(), format!("{} ({})", u.name, u.email))));
                            view! {
                                <form
                                    class="members__add"
                                    on:submit=move |ev| {
                                        ev.prevent_default();
                                        submit();
                                    }
                                >
                                    <Field name="user" label="Person" errors=add.error class="grow">
                                        <Select value=person options=options.clone()/>
                                    </Field>
                                    <Field name="role" label="Role" errors=add.error>
                                        <Select value=role options=role_options()/>
                                    </Field>
                                    <Button
                                        variant=Variant::Primary
                                        icon=Glyph::Plus
                                        submit=true
                                        loading=add.pending
                                        disabled=Signal::derive(move || person.with(String::is_empty))
                                    >
                                        "Add"
                                    </Button>
                                </form>
                                <FormError error=add.error fields=&["user", "role"]/>
                            }
                            .into_any()
                        }
                        Err(error) => view! { <ErrorView error retry=move || candidates.refetch()/> }.into_any(),
                    }
                })}
            </Transition>
        </Card>
    }
}

#[component]
fn List(ctx: ProjectCtx, list: Vec<Member>, version: RwSignal<u32>) -> impl IntoView {
    if list.is_empty() {
        return view! { <p class="pad muted">"No members yet. Studio admins work here without being members."</p> }.into_any();
    }
    let leaving = RwSignal::new(None::<Member>);
    let open = RwSignal::new(false);
    let toasts = use_toasts();
    let remove = use_form(
        move |user: UserId| api::member_remove(ctx.id, user),
        move |()| {
            open.set(false);
            toasts.ok("Removed from the project.");
            version.update(|v| *v += 1);
        },
    );
    let name = move || leaving.with(|m| m.as_ref().map(|m| m.name.clone()).unwrap_or_default());
    view! {
        <Table label="Members" columns=vec!["Person", "Role", "Items done", "Added", ""]>
            {list
                .into_iter()
                .map(|m| {
                    let this = m.clone();
                    view! {
                        <tr>
                            <td data-label="Person">
                                <span class="member">
                                    <Avatar name=m.name.clone()/>
                                    <span class="member__text"><b>{m.name.clone()}</b><span class="faint">{m.email.clone()}</span></span>
                                </span>
                            </td>
                            <td data-label="Role"><RoleCell ctx member=m.clone() version/></td>
                            <td data-label="Items done" class="num">{fmt::count(m.done)}</td>
                            <td data-label="Added"><RelativeTime at=m.added_at/></td>
                            <td class="table__actions">
                                <Show when=move || ctx.may(Action::ManageMembers)>
                                    <IconButton
                                        glyph=Glyph::Trash
                                        label=format!("Remove {}", this.name)
                                        on_click={
                                            let this = this.clone();
                                            move || {
                                                leaving.set(Some(this.clone()));
                                                open.set(true);
                                            }
                                        }
                                    />
                                </Show>
                            </td>
                        </tr>
                    }
                })
                .collect_view()}
        </Table>
        <ConfirmDialog
            open
            title=Signal::derive(move || format!("Remove {}?", name()))
            text="Items they hold go back to the queue. What they have labeled stays."
            confirm="Remove"
            pending=remove.pending
            error=remove.error
            on_confirm=Callback::new(move |()| {
                if let Some(user) = leaving.with_untracked(|m| m.as_ref().map(|m| m.user_id)) {
                    remove.run(user);
                }
            })
        />
    }
    .into_any()
}

#[component]
fn RoleCell(ctx: ProjectCtx, member: Member, version: RwSignal<u32>) -> impl IntoView {
    let role = RwSignal::new(member.role.as_str().to_owned());
    let toasts = use_toasts();
    let user = member.user_id;
    let set = use_mutation(
        move |r: Role| api::member_set(ctx.id, user, r),
        move |m: Member| {
            toasts.ok(format!("{} is now {}.", m.name, m.role.label()));
            version.update(|v| *v += 1);
        },
    );
    let label = format!("Role of {}", member.name);
    let plain = member.role.label();
    view! {
        <Show when=move || ctx.may(Action::ManageMembers) fallback=move || plain>
            <Select
                value=role
                options=role_options()
                label=label.clone()
                on_change=Callback::new(move |v: String| {
                    if let Ok(r) = v.parse() {
                        set.run(r);
                    }
                })
            />
        </Show>
    }
}
