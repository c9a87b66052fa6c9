//! `/datastores/:id`: what is in it, who uses it, and what can be done with it.

use super::acts::Acts;
use super::api;
use super::browse::Browse;
use super::list::{HealthChip, glyph, place};
use super::tables::Tables;
use crate::data::use_load;
use crate::fmt;
use crate::ui::{
    Breadcrumbs, Card, ErrorView, Icon, NotFound, Notice, PageHead, RelativeTime, Skeleton, SkeletonCards,
    Tone,
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use limn_domain::DatastoreId;
use limn_domain::datastore::{Datastore, DatastoreUsage, Health, fields};

#[component]
pub fn DatastorePage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|p| p.get_str("id").and_then(|s| s.parse::<DatastoreId>().ok())));
    move || match id.get() {
        Some(id) => view! { <Loaded id/> }.into_any(),
        None => view! { <NotFound/> }.into_any(),
    }
}

#[component]
fn Loaded(id: DatastoreId) -> impl IntoView {
    let store = use_load(move || id, api::datastore_get);
    view! {
        <Suspense fallback=|| view! { <SkeletonCards count=2/> }>
            {move || Suspend::new(async move {
                match store.await {
                    Ok(store) => view! { <Frame store/> }.into_any(),
                    Err(error) => view! { <ErrorView error page=true retry=move || store.refetch()/> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Frame(store: Datastore) -> impl IntoView {
    let id = store.id;
    let is_sql = store.kind.is_sql();
    let kind = store.kind;
    let store = RwSignal::new(store);
    let name = Signal::derive(move || store.with(|s| s.name.clone()));
    let crumbs = Signal::derive(move || {
        vec![
            ("Datastores".to_owned(), "/datastores".to_owned()),
            (name.get(), String::new()),
        ]
    });
    let enabled = Memo::new(move |_| store.with(|s| s.enabled));
    // Looking again once something about the connection has changed.
    let version = Memo::new(move |_| store.with(|s| (s.enabled, s.updated_at)));
    view! {
        <Breadcrumbs items=crumbs/>
        <PageHead
            title=name
            sub=ViewFn::from(move || view! { <span class="store-sub"><Icon glyph=glyph(kind) size=14/>{kind.label()}</span> })
            badge=ViewFn::from(move || view! { <HealthChip store/> })
        >
            <Acts store/>
        </PageHead>
        {move || store.with(|s| (s.health == Health::Failing).then(|| s.health_text.clone())).map(|text| view! {
            <Notice tone=Tone::Bad>{text}</Notice>
        })}
        {move || store.with(|s| s.warnings.clone()).into_iter().map(|w| view! { <Notice tone=Tone::Warn>{w}</Notice> }).collect_view()}
        <div class="overview store-page">
            <div class="overview__col">
                {move || {
                    version.track();
                    if !enabled.get() {
                        view! { <Card><p class="muted">"This datastore is disabled: nobody reads from it, and schedules rest."</p></Card> }.into_any()
                    } else if is_sql {
                        view! { <Tables id/> }.into_any()
                    } else {
                        view! { <Browse id/> }.into_any()
                    }
                }}
            </div>
            <div class="overview__col">
                <Details store/>
                <Usage id/>
            </div>
        </div>
    }
}

#[component]
fn Details(store: RwSignal<Datastore>) -> impl IntoView {
    let rows = move || {
        store.with(|s| {
            fields(s.kind)
                .iter()
                .filter_map(|f| {
                    let value = if f.secret {
                        s.secrets
                            .iter()
                            .any(|k| k == f.key)
                            .then(|| "set, kept encrypted".to_owned())
                    } else {
                        let value = s.settings.get(f.key);
                        value.map(|v| if f.long { "set".to_owned() } else { v.clone() })
                    };
                    value.map(|v| (f.label, v, f.secret || f.long))
                })
                .map(|(label, value, hidden)| {
                    let class = if hidden { "faint" } else { "mono break" };
                    view! { <dt>{label}</dt><dd class=class>{value}</dd> }
                })
                .collect_view()
        })
    };
    let at = Signal::derive(move || store.with(|s| s.checked_at.unwrap_or(s.created_at)));
    let by = move || store.with(|s| s.created_by_name.clone());
    view! {
        <Card title="Details">
            {move || store.with(|s| (!s.description.is_empty()).then(|| s.description.clone())).map(|d| view! { <p>{d}</p> })}
            <dl class="store-facts">
                <dt>"Place"</dt>
                <dd class="mono break">{move || store.with(place)}</dd>
                {rows}
                <dt>"Tested"</dt>
                <dd><RelativeTime at/></dd>
                {move || by().map(|n| view! { <dt>"Set up by"</dt><dd>{n}</dd> })}
            </dl>
        </Card>
    }
}

#[component]
fn Usage(id: DatastoreId) -> impl IntoView {
    let usage = use_load(move || id, api::datastore_usage);
    view! {
        <Card title="Used by">
            <Suspense fallback=|| view! { <Skeleton lines=2/> }>
                {move || Suspend::new(async move {
                    match usage.await {
                        Ok(u) => view! { <Users u/> }.into_any(),
                        Err(error) => view! { <ErrorView error retry=move || usage.refetch()/> }.into_any(),
                    }
                })}
            </Suspense>
        </Card>
    }
}

#[component]
fn Users(u: DatastoreUsage) -> impl IntoView {
    if u == DatastoreUsage::default() {
        return view! { <p class="muted">"Nobody yet. A labeling project takes files from it on its Sources tab; a dataset is registered from it on the Data pages."</p> }.into_any();
    }
    view! {
        <ul class="store-users">
            {u.projects.into_iter().map(|p| view! {
                <li>
                    <a class="link" href=format!("/projects/{}/sources", p.project_id)>{p.name}</a>
                    <span class="mono faint break">{p.glob}</span>
                    <span class="muted">{fmt::counted(p.files, "file", "files")}</span>
                </li>
            }).collect_view()}
            {u.datasets.into_iter().map(|d| view! {
                <li>
                    <a class="link" href=format!("/data/{}", d.dataset_id)>{d.name}</a>
                    <span class="mono faint break">{d.what}</span>
                    <span class="muted"><RelativeTime at=d.last_at/></span>
                </li>
            }).collect_view()}
        </ul>
        {(u.hidden > 0).then(|| view! { <p class="faint">{format!("and {} more that you may not see", u.hidden)}</p> })}
    }
    .into_any()
}
