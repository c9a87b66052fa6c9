//! A dataset's settings, its members, and its end.

use super::api;
use super::layout::{DatasetCtx, use_dataset};
use super::new::tags;
use crate::data::{use_form, use_load, use_mutation};
use crate::fmt;
use crate::ui::{
    Avatar, Button, Card, Checkbox, ConfirmDialog, ErrorView, Field, FormError, Glyph, IconButton, Notice,
    RelativeTime, Select, Skeleton, Switch, Table, TextArea, TextInput, Variant, use_toasts,
};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use limn_domain::authz::Action;
use limn_domain::dataset::{Dataset, DatasetMember, ROLES, UpdateDataset, Visibility};
use limn_domain::{Role, UserId};

/// `/data/:id/settings`
#[component]
pub fn SettingsTab() -> impl IntoView {
    let ctx = use_dataset();
    view! {
        <Show
            when=move || ctx.may(Action::ManageDataset)
            fallback=|| view! { <Notice>"Only the dataset's managers change its settings."</Notice> }
        >
            <div class="settings">
                <General ctx/>
                <Members ctx/>
                <Danger ctx/>
            </div>
        </Show>
    }
}

#[component]
fn General(ctx: DatasetCtx) -> impl IntoView {
    let toasts = use_toasts();
    let now = ctx.dataset.get_untracked().summary;
    let name = RwSignal::new(now.name);
    let description = RwSignal::new(now.description);
    let tag_text = RwSignal::new(now.tags.join(", "));
    let licence = RwSignal::new(now.licence);
    let open_to_all = RwSignal::new(now.visibility == Visibility::Studio);
    let save = use_form(
        move |()| {
            let input = UpdateDataset {
                name: Some(name.get_untracked()),
                description: Some(description.get_untracked()),
                tags: Some(tags(&tag_text.get_untracked())),
                licence: Some(licence.get_untracked()),
                visibility: Some(if open_to_all.get_untracked() {
                    Visibility::Studio
                } else {
                    Visibility::Private
                }),
            };
            api::dataset_update(ctx.id, input)
        },
        move |d: Dataset| {
            ctx.dataset.set(d);
            toasts.ok("Saved.");
        },
    );
    view! {
        <Card title="General">
            <form class="form" on:submit=move |ev| {
                ev.prevent_default();
                save.run(());
            }>
                <Field name="name" label="Name" errors=save.error><TextInput value=name autocomplete="off"/></Field>
                <Field name="description" label="Description" optional=true errors=save.error hint="Markdown"><TextArea value=description rows=8/></Field>
                <div class="data-pair">
                    <Field name="tags" label="Tags" optional=true errors=save.error hint="Apart by commas"><TextInput value=tag_text autocomplete="off"/></Field>
                    <Field name="licence" label="Licence" optional=true errors=save.error hint="Such as CC-BY-4.0"><TextInput value=licence autocomplete="off"/></Field>
                </div>
                <Switch checked=open_to_all label="Everybody with an account may read it" hint="Otherwise only its members see that it exists"/>
                <FormError error=save.error fields=&["name", "description", "tags", "licence"]/>
                <div><Button variant=Variant::Primary submit=true loading=save.pending>"Save"</Button></div>
            </form>
        </Card>
    }
}

#[component]
fn Members(ctx: DatasetCtx) -> impl IntoView {
    let version = RwSignal::new(0_u32);
    let data = use_load(
        move || version.get(),
        move |_| async move {
            let members = api::dataset_members(ctx.id).await?;
            let candidates = api::dataset_candidates(ctx.id).await?;
            Ok((members, candidates))
        },
    );
    let person = RwSignal::new(String::new());
    let role = RwSignal::new(Role::Viewer.as_str().to_owned());
    let add = use_form(
        move |(user, role): (UserId, Role)| api::dataset_set_member(ctx.id, user, role),
        move |_: DatasetMember| {
            person.set(String::new());
            version.update(|v| *v += 1);
        },
    );
    let roles: Vec<(String, String)> = ROLES
        .into_iter()
        .rev()
        .map(|r| (r.as_str().to_owned(), r.label().to_owned()))
        .collect();
    view! {
        <Card title="Members">
            <p class="muted">"Viewers read and download. Managers register versions too, and change all of this."</p>
            <Transition fallback=|| view! { <Skeleton lines=3/> }>
                {
                    let roles = roles.clone();
                    move || {
                        let roles = roles.clone();
                        Suspend::new(async move {
                            match data.await {
                                Ok((members, candidates)) => {
                                    let mut options = vec![(String::new(), "Choose a person".to_owned())];
                                    options.extend(candidates.into_iter().map(|u| (u.id.to_string(), format!("{} ({})", u.name, u.email))));
                                    view! {
                                        <form class="members__add" on:submit=move |ev| {
                                            ev.prevent_default();
                                            let role = role.get_untracked().parse().unwrap_or(Role::Viewer);
                                            if let Ok(user) = person.get_untracked().parse() {
                                                add.run((user, role));
                                            }
                                        }>
                                            <Field name="user_id" label="Person" errors=add.error class="grow"><Select value=person options=options.clone()/></Field>
                                            <Field name="role" label="Role" errors=add.error><Select value=role options=roles.clone()/></Field>
                                            <Button icon=Glyph::Plus submit=true loading=add.pending disabled=Signal::derive(move || person.with(String::is_empty))>"Add"</Button>
                                        </form>
                                        <FormError error=add.error fields=&["user_id", "role"]/>
                                        <MemberList ctx members version/>
                                    }
                                    .into_any()
                                }
                                Err(error) => view! { <ErrorView error retry=move || data.refetch()/> }.into_any(),
                            }
                        })
                    }
                }
            </Transition>
        </Card>
    }
}

#[component]
fn MemberList(ctx: DatasetCtx, members: Vec<DatasetMember>, version: RwSignal<u32>) -> impl IntoView {
    let remove = use_mutation(
        move |user: UserId| api::dataset_remove_member(ctx.id, user),
        move |()| version.update(|v| *v += 1),
    );
    if members.is_empty() {
        return view! { <p class="muted">"No members. Studio admins work here without being members."</p> }
            .into_any();
    }
    view! {
        <Table label="Members" columns=vec!["Person", "Role", "Added", ""]>
            {members.into_iter().map(|m| {
                let user = m.user_id;
                view! {
                    <tr>
                        <td data-label="Person"><span class="member"><Avatar name=m.name.clone()/><span class="member__text"><b>{m.name.clone()}</b><span class="faint">{m.email}</span></span></span></td>
                        <td data-label="Role">{m.role.label()}</td>
                        <td data-label="Added"><RelativeTime at=m.added_at/></td>
                        <td class="table__actions"><IconButton glyph=Glyph::Trash label=format!("Remove {}", m.name) on_click=move || remove.run(user)/></td>
                    </tr>
                }
            }).collect_view()}
        </Table>
    }
    .into_any()
}

#[component]
fn Danger(ctx: DatasetCtx) -> impl IntoView {
    let open = RwSignal::new(false);
    let navigate = use_navigate();
    let toasts = use_toasts();
    let projects = Signal::derive(move || ctx.dataset.with(|d| d.projects));
    let anyway = RwSignal::new(false);
    let delete = use_form(
        move |()| api::dataset_delete(ctx.id, anyway.get_untracked()),
        move |()| {
            toasts.ok("The dataset is deleted.");
            navigate("/data", NavigateOptions::default());
        },
    );
    let name = Signal::derive(move || ctx.dataset.with(|d| d.summary.name.clone()));
    let text = Signal::derive(move || {
        let n = ctx.versions.with(Vec::len) as i64;
        format!(
            "All {} go, and can be had by nobody any more. Labeling projects keep their items.",
            fmt::counted(n, "version", "versions")
        )
    });
    view! {
        <Card title="Delete this dataset">
            <p class="muted">{text}</p>
            {move || (projects.get() > 0).then(|| view! {
                <p class="muted">{format!("{} from it; their items stay, and are refreshed from it no more.", takes(projects.get()))}</p>
                <Checkbox checked=anyway label="Delete it all the same"/>
            })}
            <p>
                <Button
                    variant=Variant::Danger
                    icon=Glyph::Trash
                    disabled=Signal::derive(move || projects.get() > 0 && !anyway.get())
                    on_click=move || open.set(true)
                >
                    "Delete the dataset"
                </Button>
            </p>
        </Card>
        <ConfirmDialog
            open
            title=Signal::derive(move || format!("Delete {}?", name.get()))
            text
            confirm="Delete"
            type_to_confirm=name
            pending=delete.pending
            error=delete.error
            on_confirm=Callback::new(move |()| delete.run(()))
        />
    }
}

fn takes(projects: i64) -> String {
    if projects == 1 {
        "One labeling project takes files".to_owned()
    } else {
        format!("{} labeling projects take files", fmt::count(projects))
    }
}
