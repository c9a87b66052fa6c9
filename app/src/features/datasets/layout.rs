//! The frame of a dataset's pages: head, tabs, the dialog that registers versions.

use super::api;
use super::list::glyph;
use super::register::RegisterDialog;
use crate::data::use_load;
use crate::fmt;
use crate::ui::{
    Breadcrumbs, Button, Chip, ErrorView, Glyph, Icon, NotFound, PageHead, Skeleton, SkeletonCards, Tab,
    Tabs, Tone, Variant,
};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::components::Outlet;
use leptos_router::hooks::use_params_map;
use limn_domain::DatasetId;
use limn_domain::authz::{Action, allowed};
use limn_domain::dataset::{Dataset, DatasetKind, Version, Visibility};

/// What every tab of a dataset shares.
#[derive(Clone, Copy)]
pub struct DatasetCtx {
    pub id: DatasetId,
    pub dataset: RwSignal<Dataset>,
    /// Newest first.
    pub versions: RwSignal<Vec<Version>>,
    pub register_open: RwSignal<bool>,
}

impl DatasetCtx {
    /// Whether the person's role here allows an action.
    pub fn may(&self, action: Action) -> bool {
        self.dataset.with(|d| allowed(d.summary.my_role, action))
    }

    /// Reads dataset and versions again. What cannot be read now stays as it is.
    pub fn reload(self) {
        spawn_local(async move {
            if let Ok(d) = api::dataset_get(self.id).await {
                self.dataset.try_set(d);
            }
            if let Ok(v) = api::dataset_versions(self.id).await {
                self.versions.try_set(v);
            }
        });
    }

    /// Address of a page of the dataset.
    pub fn href(&self, rest: &str) -> String {
        format!("/data/{}{rest}", self.id)
    }

    /// A choice of versions by number, for a list.
    pub fn options(&self) -> Vec<(String, String)> {
        self.versions.with(|list| {
            list.iter()
                .map(|v| {
                    let aliases = if v.aliases.is_empty() {
                        String::new()
                    } else {
                        format!(" ({})", v.aliases.join(", "))
                    };
                    (v.number.to_string(), format!("Version {}{aliases}", v.number))
                })
                .collect()
        })
    }

    /// The version of a number; the newest one when there is no such.
    pub fn version(&self, number: &str) -> Option<Version> {
        self.versions.with(|list| {
            list.iter()
                .find(|v| v.number.to_string() == number)
                .or(list.first())
                .cloned()
        })
    }
}

/// The dataset around the current page.
pub fn use_dataset() -> DatasetCtx {
    expect_context()
}

/// `/data/:id` and everything below it.
#[component]
pub fn DatasetLayout() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|p| p.get_str("id").and_then(|s| s.parse::<DatasetId>().ok())));
    move || match id.get() {
        Some(id) => view! { <Loaded id/> }.into_any(),
        None => view! { <NotFound/> }.into_any(),
    }
}

#[component]
fn Loaded(id: DatasetId) -> impl IntoView {
    let data = use_load(
        move || id,
        |id| async move {
            let dataset = api::dataset_get(id).await?;
            let versions = api::dataset_versions(id).await?;
            Ok((dataset, versions))
        },
    );
    view! {
        <Suspense fallback=Waiting>
            {move || Suspend::new(async move {
                match data.await {
                    Ok((dataset, versions)) => view! { <Frame dataset versions/> }.into_any(),
                    Err(error) => view! { <ErrorView error page=true retry=move || data.refetch()/> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Waiting() -> impl IntoView {
    view! {
        <div class="project-waiting"><Skeleton lines=2/></div>
        <SkeletonCards count=2/>
    }
}

#[component]
fn Frame(dataset: Dataset, versions: Vec<Version>) -> impl IntoView {
    let ctx = DatasetCtx {
        id: dataset.summary.id,
        dataset: RwSignal::new(dataset),
        versions: RwSignal::new(versions),
        register_open: RwSignal::new(false),
    };
    provide_context(ctx);
    let name = Signal::derive(move || ctx.dataset.with(|d| d.summary.name.clone()));
    let crumbs = Signal::derive(move || {
        vec![
            ("Data".to_owned(), "/data".to_owned()),
            (name.get(), String::new()),
        ]
    });
    let sub = move || {
        let kind = ctx.dataset.with(|d| d.summary.kind);
        ctx.versions.with(|v| match v.first() {
            None => format!("{}, no version yet", kind.label()),
            Some(v) => format!(
                "{}, {} in version {}, {}",
                kind.label(),
                fmt::counted(v.files, "file", "files"),
                v.number,
                fmt::bytes(v.bytes)
            ),
        })
    };
    let badge = move || {
        ctx.dataset
            .with(|d| d.summary.visibility == Visibility::Private)
            .then(|| {
                view! { <Chip tone=Tone::Neutral icon=Glyph::Lock>"Private"</Chip> }
            })
    };
    let tags = move || {
        ctx.dataset.with(|d| {
            let s = &d.summary;
            let licence = (!s.licence.is_empty()).then(|| s.licence.clone());
            (licence.is_some() || !s.tags.is_empty()).then(|| {
                view! {
                    <p class="data-tags">
                        {licence.map(|l| view! { <span class="data-tag"><Icon glyph=Glyph::Shield size=12/>{l}</span> })}
                        {s.tags.iter().map(|t| view! { <span class="data-tag">{t.clone()}</span> }).collect_view()}
                    </p>
                }
            })
        })
    };
    // Networks learn from labeled pictures.
    let can_train = move || {
        ctx.dataset.with(|d| d.summary.kind == DatasetKind::Images)
            && ctx
                .versions
                .with(|v| v.first().is_some_and(|v| v.counts.labels > 0))
    };
    view! {
        <Breadcrumbs items=crumbs/>
        <PageHead title=name sub=ViewFn::from(move || sub) badge=ViewFn::from(move || badge)>
            {move || can_train().then(|| view! { <Button icon=Glyph::Flask href=format!("/train?dataset={}", ctx.id)>"Train a model"</Button> })}
            {move || ctx.may(Action::AddVersions).then(|| view! {
                <Button variant=Variant::Primary icon=Glyph::Plus on_click=move || ctx.register_open.set(true)>"Register a version"</Button>
            })}
        </PageHead>
        {tags}
        <Tabs label="Dataset">
            <Tab href=ctx.href("") exact=true count=Signal::derive(move || Some(ctx.versions.with(|v| v.len() as i64)))>"Versions"</Tab>
            <Tab href=ctx.href("/files")>"Files"</Tab>
            <Tab href=ctx.href("/explore")>"Explore"</Tab>
            <Tab href=ctx.href("/profile")>"Profile"</Tab>
            <Tab href=ctx.href("/compare")>"Compare"</Tab>
            <Tab href=ctx.href("/lineage")>"Lineage"</Tab>
            <Tab href=ctx.href("/consume")>"Consume"</Tab>
            {move || ctx.may(Action::ManageDataset).then(|| view! { <Tab href=ctx.href("/settings")>"Settings"</Tab> })}
        </Tabs>
        <Outlet/>
        <RegisterDialog ctx/>
    }
}

/// Stands where a tab needs a version and there is none.
#[component]
pub fn NoVersion(ctx: DatasetCtx) -> impl IntoView {
    let kind = ctx.dataset.with_untracked(|d| d.summary.kind);
    view! {
        <div class="card">
            <crate::ui::EmptyState
                glyph=glyph(kind)
                title="No version yet"
                text="Register one from a labeling project, or upload files. It gets a number and a digest, and never changes."
            >
                {move || ctx.may(Action::AddVersions).then(|| view! {
                    <Button variant=Variant::Primary icon=Glyph::Plus on_click=move || ctx.register_open.set(true)>"Register a version"</Button>
                })}
            </crate::ui::EmptyState>
        </div>
    }
}
