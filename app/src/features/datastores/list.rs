//! `/datastores`: all of them, with how they are.

use super::api;
use crate::data::use_load;
use crate::fmt;
use crate::session::use_session;
use crate::ui::{
    Button, Chip, EmptyState, ErrorView, Glyph, Icon, PageHead, RelativeTime, SkeletonCards, Tone, Variant,
};
use leptos::prelude::*;
use limn_domain::authz::Action;
use limn_domain::datastore::{Datastore, DatastoreKind, Health};

/// The icon of a kind.
pub fn glyph(kind: DatastoreKind) -> Glyph {
    match kind {
        DatastoreKind::Folder => Glyph::Folder,
        DatastoreKind::S3 | DatastoreKind::Azure | DatastoreKind::Gcs => Glyph::Cube,
        DatastoreKind::AzureLake => Glyph::Layers,
        DatastoreKind::Http => Glyph::Link,
        DatastoreKind::Webdav | DatastoreKind::AzureFiles => Glyph::FolderUp,
        DatastoreKind::Sftp => Glyph::Key,
        DatastoreKind::Postgres | DatastoreKind::Mysql | DatastoreKind::SqlServer | DatastoreKind::Sqlite => {
            Glyph::Data
        }
    }
}

/// How it is, in a word.
#[component]
pub fn HealthChip(#[prop(into)] store: Signal<Datastore>) -> impl IntoView {
    move || {
        let (tone, word) = store.with(|s| match s.health {
            _ if !s.enabled => (Tone::Neutral, "Disabled"),
            Health::Ok if !s.warnings.is_empty() => (Tone::Warn, "Works, with a warning"),
            Health::Ok => (Tone::Ok, "Works"),
            Health::Failing => (Tone::Bad, "Failing"),
            Health::Unknown => (Tone::Neutral, "Not tested"),
        });
        view! { <Chip tone dot=true>{word}</Chip> }
    }
}

/// Where it is, in a line.
pub fn place(store: &Datastore) -> String {
    let get = |key: &str| store.settings.get(key).cloned().unwrap_or_default();
    match store.kind {
        DatastoreKind::Folder | DatastoreKind::Sqlite => get("path"),
        DatastoreKind::S3 | DatastoreKind::Gcs => format!("{}/{}", get("bucket"), get("prefix")),
        DatastoreKind::Azure => format!("{}/{}/{}", get("account"), get("container"), get("prefix")),
        DatastoreKind::AzureLake => format!("{}/{}/{}", get("account"), get("filesystem"), get("prefix")),
        DatastoreKind::AzureFiles => format!("{}/{}/{}", get("account"), get("share"), get("prefix")),
        DatastoreKind::Http | DatastoreKind::Webdav => get("url"),
        DatastoreKind::Sftp => format!("{}/{}", get("host"), get("path").trim_start_matches('/')),
        DatastoreKind::Postgres | DatastoreKind::Mysql | DatastoreKind::SqlServer => {
            format!("{}/{}", get("host"), get("database"))
        }
    }
    .trim_end_matches('/')
    .to_owned()
}

#[component]
pub fn DatastoresPage() -> impl IntoView {
    let session = use_session();
    let stores = use_load(|| (), |()| api::datastore_list());
    view! {
        <PageHead title="Datastores" sub=ViewFn::from(|| "Where data lives. Limn reads from there and never writes; credentials stay on the server.")>
            {move || session.may(Action::ManageDatastores).then(|| view! {
                <Button variant=Variant::Primary icon=Glyph::Plug href="/datastores/new">"Connect a datastore"</Button>
            })}
        </PageHead>
        <Transition fallback=|| view! { <SkeletonCards count=3/> }>
            {move || Suspend::new(async move {
                match stores.await {
                    Ok(list) if list.is_empty() => view! { <Nothing/> }.into_any(),
                    Ok(list) => view! {
                        <ul class="project-cards">
                            {list.into_iter().map(|store| view! { <StoreCard store/> }).collect_view()}
                        </ul>
                    }
                    .into_any(),
                    Err(error) => view! { <ErrorView error retry=move || stores.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn Nothing() -> impl IntoView {
    let may = use_session().may(Action::ManageDatastores);
    view! {
        <div class="card">
            <EmptyState
                glyph=Glyph::Plug
                title="No datastore yet"
                text=if may {
                    "Connect a bucket, a folder, a web folder or a database. Labeling projects take files from it and stay up to date; datasets are made of what is in it."
                } else {
                    "An admin connects buckets, folders and databases here. Then you can take files from them."
                }
            >
                {may.then(|| view! { <Button variant=Variant::Primary icon=Glyph::Plug href="/datastores/new">"Connect a datastore"</Button> })}
            </EmptyState>
        </div>
    }
}

#[component]
fn StoreCard(store: Datastore) -> impl IntoView {
    let used = format!(
        "{}, {}",
        fmt::counted(store.projects, "project", "projects"),
        fmt::counted(store.datasets, "dataset", "datasets")
    );
    let text = match store.health {
        Health::Failing => store.health_text.clone(),
        _ if store.description.is_empty() => store.warnings.first().cloned().unwrap_or_default(),
        _ => store.description.clone(),
    };
    let at = store.checked_at.unwrap_or(store.created_at);
    view! {
        <li class="card project-card">
            <div class="project-card__head">
                <span class="project-card__icon"><Icon glyph=glyph(store.kind) size=18/></span>
                <div class="grow">
                    <h2 class="project-card__name"><a href=format!("/datastores/{}", store.id)>{store.name.clone()}</a></h2>
                    <p class="project-card__task">{store.kind.label()}</p>
                </div>
                <HealthChip store=store.clone()/>
            </div>
            <p class="mono store-place">{place(&store)}</p>
            <p class="project-card__text">{text}</p>
            <div class="project-card__foot">
                <span>{used}</span>
                <span class="faint">"Tested "<RelativeTime at/></span>
            </div>
        </li>
    }
}
