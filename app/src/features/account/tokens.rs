//! API tokens: made, shown once, revoked.

use super::api;
use crate::data::{use_form, use_load, use_mutation};
use crate::ui::{
    Button, ButtonSize, Card, Chip, Choice, ConfirmDialog, CopyButton, Dialog, DialogBody, DialogFoot,
    EmptyState, ErrorView, Field, FormError, Glyph, IconButton, Notice, RadioCards, RelativeTime, Select,
    Skeleton, Table, TextInput, Tone, Variant, use_toasts,
};
use leptos::prelude::*;
use limn_domain::token::{CreatedToken, NewToken, Token, TokenScope};

/// Stand before ids in the choice of what a token reaches.
const PROJECT: &str = "project:";
const DATASET: &str = "dataset:";

#[component]
pub fn TokensCard() -> impl IntoView {
    let tokens = use_load(|| (), |()| api::tokens());
    let making = RwSignal::new(false);
    let revoking = RwSignal::new(false);
    let target = RwSignal::new(None::<Token>);
    let toasts = use_toasts();
    let revoke = use_mutation(api::revoke_token, move |()| {
        revoking.set(false);
        toasts.ok("Token revoked.");
        tokens.refetch();
    });
    let ask = Callback::new(move |t: Token| {
        target.set(Some(t));
        revoking.set(true);
    });
    view! {
        <Card
            title="API tokens"
            flush=true
            aside=ViewFn::from(move || view! {
                <Button icon=Glyph::Plus size=ButtonSize::Medium on_click=move || making.set(true)>"New token"</Button>
            })
        >
            <Transition fallback=|| view! { <div class="pad"><Skeleton lines=2/></div> }>
                {move || Suspend::new(async move {
                    match tokens.await {
                        Ok(list) if list.is_empty() => view! {
                            <EmptyState
                                glyph=Glyph::Key
                                title="No tokens"
                                text="A token lets a script or the limn command act for you, within the scope you choose. It shows once, when it is made."
                            />
                        }
                        .into_any(),
                        Ok(list) => view! { <Tokens list ask/> }.into_any(),
                        Err(error) => view! { <ErrorView error retry=move || tokens.refetch()/> }.into_any(),
                    }
                })}
            </Transition>
        </Card>
        <NewTokenDialog open=making on_made=move || tokens.refetch()/>
        <ConfirmDialog
            open=revoking
            title="Revoke this token?"
            text=Signal::derive(move || {
                let name = target.with(|t| t.as_ref().map_or_else(String::new, |t| t.name.clone()));
                format!("Whatever uses \u{201c}{name}\u{201d} stops working at once.")
            })
            confirm="Revoke"
            pending=revoke.pending
            on_confirm=Callback::new(move |()| {
                if let Some(t) = target.get_untracked() {
                    revoke.run(t.id);
                }
            })
        />
    }
}

#[component]
fn Tokens(list: Vec<Token>, ask: Callback<Token>) -> impl IntoView {
    view! {
        <Table label="API tokens" columns=vec!["Name", "Scope", "Expires", "Last used", ""]>
            {list
                .into_iter()
                .map(|t| {
                    let label = format!("Revoke {}", t.name);
                    let row = t.clone();
                    view! {
                        <tr>
                            <td data-label="Name">
                                <div><b class="strong">{t.name}</b><p class="faint mono">{format!("{}\u{2026}", t.prefix)}</p></div>
                            </td>
                            <td data-label="Scope">
                                <span class="row row--wrap">
                                    <Chip>{t.scope.as_str()}</Chip>
                                    {t.project_id.map(|_| view! { <Chip tone=Tone::Accent>"one project"</Chip> })}
                                    {t.dataset_id.map(|_| view! { <Chip tone=Tone::Accent>"one dataset"</Chip> })}
                                </span>
                            </td>
                            <td data-label="Expires">
                                {match t.expires_at {
                                    Some(at) => view! { <RelativeTime at/> }.into_any(),
                                    None => view! { <span class="muted">"never"</span> }.into_any(),
                                }}
                            </td>
                            <td data-label="Last used">
                                {match t.last_used_at {
                                    Some(at) => view! { <RelativeTime at/> }.into_any(),
                                    None => view! { <span class="muted">"not yet"</span> }.into_any(),
                                }}
                            </td>
                            <td class="table__actions">
                                <IconButton glyph=Glyph::Trash label on_click=move || ask.run(row.clone())/>
                            </td>
                        </tr>
                    }
                })
                .collect_view()}
        </Table>
    }
}

#[component]
fn NewTokenDialog(open: RwSignal<bool>, #[prop(into)] on_made: Callback<()>) -> impl IntoView {
    let made = RwSignal::new(None::<CreatedToken>);
    Effect::new(move |_| {
        if open.get() {
            made.set(None);
        }
    });
    view! {
        <Dialog
            open
            title=Signal::derive(move || if made.with(Option::is_some) { "Copy the token now" } else { "New API token" }.to_owned())
        >
            {move || match made.get() {
                Some(created) => view! { <Secret created open/> }.into_any(),
                None => view! { <TokenForm open made on_made/> }.into_any(),
            }}
        </Dialog>
    }
}

#[component]
fn TokenForm(
    open: RwSignal<bool>,
    made: RwSignal<Option<CreatedToken>>,
    on_made: Callback<()>,
) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let scope = RwSignal::new(TokenScope::Write.as_str().to_owned());
    let days = RwSignal::new("90".to_owned());
    let reach = RwSignal::new(String::new());
    let places = RwSignal::new(vec![(String::new(), "All I may see".to_owned())]);
    Effect::new(move |_| {
        leptos::task::spawn_local(async move {
            if let Ok(list) = api::token_projects().await {
                let list = list.into_iter().map(|s| (format!("{PROJECT}{}", s.id), s.name));
                places.try_update(|p| p.extend(list));
            }
            if let Ok(list) = api::token_datasets().await {
                let list = list
                    .into_iter()
                    .map(|d| (format!("{DATASET}{}", d.id), format!("{} (dataset)", d.name)));
                places.try_update(|p| p.extend(list));
            }
        });
    });
    let form = use_form(api::create_token, move |created: CreatedToken| {
        made.set(Some(created));
        on_made.run(());
    });
    let submit = move || {
        let (picked, reach) = (scope.get_untracked(), reach.get_untracked());
        form.run(NewToken {
            name: name.get_untracked(),
            scope: TokenScope::ALL
                .into_iter()
                .find(|s| s.as_str() == picked)
                .unwrap_or(TokenScope::Read),
            project_id: reach.strip_prefix(PROJECT).and_then(|id| id.parse().ok()),
            dataset_id: reach.strip_prefix(DATASET).and_then(|id| id.parse().ok()),
            expires_in_days: days.get_untracked().parse().ok(),
        });
    };
    let scopes = TokenScope::ALL
        .map(|s| {
            let title = match s {
                TokenScope::Read => "Read",
                TokenScope::Write => "Write",
                TokenScope::Admin => "Admin",
            };
            Choice::new(s.as_str(), title, s.describe())
        })
        .to_vec();
    let lives: Vec<(String, String)> = [
        ("7", "7 days"),
        ("30", "30 days"),
        ("90", "90 days"),
        ("365", "1 year"),
        ("", "Never"),
    ]
    .map(|(v, t)| (v.to_owned(), t.to_owned()))
    .to_vec();
    view! {
        <form
            on:submit=move |ev| {
                ev.prevent_default();
                submit();
            }
        >
            <DialogBody>
                <FormError error=form.error fields=&["name", "expires_in_days"]/>
                <Field name="name" id="token-name" label="Name" errors=form.error hint="What will use it, e.g. nightly export.">
                    <TextInput value=name autofocus=true autocomplete="off"/>
                </Field>
                <RadioCards value=scope name="token-scope" label="Scope" choices=scopes/>
                <div class="form__two">
                    <Field name="expires_in_days" id="token-days" label="Expires after" errors=form.error>
                        <Select value=days options=lives.clone()/>
                    </Field>
                    <Field name="reach" id="token-reach" label="Reaches" errors=form.error>
                        <Select value=reach options=places/>
                    </Field>
                </div>
            </DialogBody>
            <DialogFoot>
                <Button variant=Variant::Quiet on_click=move || open.set(false)>"Cancel"</Button>
                <Button variant=Variant::Primary submit=true loading=form.pending>"Create token"</Button>
            </DialogFoot>
        </form>
    }
}

#[component]
fn Secret(created: CreatedToken, open: RwSignal<bool>) -> impl IntoView {
    view! {
        <DialogBody>
            <Notice tone=Tone::Warn>"This is the only time it shows. Keep it like a password."</Notice>
            <div class="secret">
                <code class="secret__text" data-testid="token-secret">{created.secret.clone()}</code>
                <CopyButton text=created.secret.clone()/>
            </div>
            <p class="muted">"Send it as " <code class="code">"Authorization: Bearer"</code> ", or set " <code class="code">"LIMN_TOKEN"</code> " for the limn command."</p>
            <details class="secret__more">
                <summary>"For S3 clients"</summary>
                <p class="muted">"Datasets are buckets at this server's address; the Consume tab of a dataset has code."</p>
                <dl class="secret__pair">
                    <dt>"AWS_ACCESS_KEY_ID"</dt>
                    <dd><code class="secret__text" data-testid="s3-id">{created.s3.access_key_id.clone()}</code><CopyButton text=created.s3.access_key_id.clone()/></dd>
                    <dt>"AWS_SECRET_ACCESS_KEY"</dt>
                    <dd><code class="secret__text" data-testid="s3-secret">{created.s3.secret_access_key.clone()}</code><CopyButton text=created.s3.secret_access_key.clone()/></dd>
                </dl>
            </details>
        </DialogBody>
        <DialogFoot>
            <Button variant=Variant::Primary on_click=move || open.set(false)>"Done"</Button>
        </DialogFoot>
    }
}
