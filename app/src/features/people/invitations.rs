//! Inviting somebody, and invitations nobody has accepted yet.

use super::api;
use super::person::role_options;
use crate::data::{use_form, use_mutation};
use crate::ui::{
    Button, ButtonSize, Card, Chip, CopyButton, Dialog, DialogBody, DialogFoot, Field, FormError,
    RelativeTime, Select, Table, TextInput, Variant, use_toasts,
};
use leptos::prelude::*;
use limn_domain::Role;
use limn_domain::user::{Invitation, NewInvitation};

#[component]
pub fn Pending(list: Vec<Invitation>, #[prop(into)] changed: Callback<()>) -> impl IntoView {
    let toasts = use_toasts();
    let revoke = use_mutation(api::revoke_invitation, move |()| {
        toasts.ok("Invitation withdrawn.");
        changed.run(());
    });
    view! {
        <Card title="Pending invitations" flush=true>
            <Table label="Pending invitations" columns=vec!["Email", "Role", "Ends", ""]>
                {list
                    .into_iter()
                    .map(|i| {
                        let id = i.id;
                        view! {
                            <tr>
                                <td data-label="Email"><span class="break">{i.email}</span></td>
                                <td data-label="Role"><Chip>{i.role.label()}</Chip></td>
                                <td data-label="Ends"><RelativeTime at=i.expires_at/></td>
                                <td class="table__actions">
                                    <Button
                                        size=ButtonSize::Small
                                        variant=Variant::Quiet
                                        loading=revoke.pending
                                        on_click=move || revoke.run(id)
                                    >
                                        "Withdraw"
                                    </Button>
                                </td>
                            </tr>
                        }
                    })
                    .collect_view()}
            </Table>
        </Card>
    }
}

#[component]
pub fn InviteDialog(open: RwSignal<bool>, #[prop(into)] on_made: Callback<()>) -> impl IntoView {
    let made = RwSignal::new(None::<Invitation>);
    Effect::new(move |_| {
        if open.get() {
            made.set(None);
        }
    });
    view! {
        <Dialog
            open
            title=Signal::derive(move || {
                if made.with(Option::is_some) { "Send this link" } else { "Invite somebody" }.to_owned()
            })
        >
            {move || match made.get() {
                Some(invitation) => view! { <Link invitation open/> }.into_any(),
                None => view! { <InviteForm open made on_made/> }.into_any(),
            }}
        </Dialog>
    }
}

#[component]
fn InviteForm(
    open: RwSignal<bool>,
    made: RwSignal<Option<Invitation>>,
    on_made: Callback<()>,
) -> impl IntoView {
    let email = RwSignal::new(String::new());
    let role = RwSignal::new(Role::Labeler.as_str().to_owned());
    let form = use_form(api::invite, move |i: Invitation| {
        made.set(Some(i));
        on_made.run(());
    });
    let hint = Signal::derive(move || {
        role.get()
            .parse::<Role>()
            .map_or_else(|_| String::new(), |r| format!("{}.", r.describe()))
    });
    let submit = move || {
        form.run(NewInvitation {
            email: email.get_untracked(),
            role: role.get_untracked().parse().unwrap_or(Role::Viewer),
            project_id: None,
            project_role: None,
        });
    };
    view! {
        <form
            on:submit=move |ev| {
                ev.prevent_default();
                submit();
            }
        >
            <DialogBody>
                <FormError error=form.error fields=&["email", "role"]/>
                <Field name="email" id="invite-email" label="Email" errors=form.error>
                    <TextInput value=email kind="email" autofocus=true autocomplete="off"/>
                </Field>
                <Field name="role" id="invite-role" label="Role" errors=form.error hint>
                    <Select value=role options=role_options()/>
                </Field>
            </DialogBody>
            <DialogFoot>
                <Button variant=Variant::Quiet on_click=move || open.set(false)>"Cancel"</Button>
                <Button variant=Variant::Primary submit=true loading=form.pending>"Create the link"</Button>
            </DialogFoot>
        </form>
    }
}

#[component]
fn Link(invitation: Invitation, open: RwSignal<bool>) -> impl IntoView {
    let path = invitation.link.clone().unwrap_or_default();
    let url = if path.starts_with('/') {
        let origin = window().location().origin().unwrap_or_default();
        format!("{origin}{path}")
    } else {
        path
    };
    view! {
        <DialogBody>
            <p class="muted">
                "Send it to " <b class="strong">{invitation.email}</b>
                ". It works once, and shows only now."
            </p>
            <div class="secret">
                <code class="secret__text" data-testid="invite-link">{url.clone()}</code>
                <CopyButton text=url label="Copy link"/>
            </div>
        </DialogBody>
        <DialogFoot>
            <Button variant=Variant::Primary on_click=move || open.set(false)>"Done"</Button>
        </DialogFoot>
    }
}
