//! The frame of a project's pages: head, tabs, drops anywhere, the running upload.

use super::api;
use super::items::thumb::Palette;
use super::transfer::export::ExportDialog;
use super::transfer::import::ImportDialog;
use super::transfer::panel::{DropVeil, UploadDialog, UploadPanel};
use super::transfer::uploader::Uploader;
use crate::data::use_load;
use crate::fmt;
use crate::pulse::use_pulse;
use crate::session::use_session;
use crate::ui::{
    Breadcrumbs, Button, Chip, ErrorView, Glyph, Menu, MenuItem, NotFound, PageHead, Skeleton, SkeletonCards,
    Tab, Tabs, Tone, Variant, use_hotkey, use_toasts,
};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::components::Outlet;
use leptos_router::hooks::{use_location, use_navigate, use_params_map};
use limn_domain::assist::can_assist;
use limn_domain::authz::{Action, allowed};
use limn_domain::category::Category;
use limn_domain::job::Job;
use limn_domain::project::{Project, ProjectStatus};
use limn_domain::smart::can_segment;
use limn_domain::{ProjectId, Role};

/// What every tab of a project shares.
#[derive(Clone, Copy)]
pub struct ProjectCtx {
    pub id: ProjectId,
    pub project: RwSignal<Project>,
    /// Changes seldom, so that what hangs on it is not made anew with every count.
    role: Memo<Role>,
    pub categories: RwSignal<Vec<Category>>,
    pub palette: Signal<Palette>,
    pub uploader: Uploader,
    pub upload_open: RwSignal<bool>,
    pub import_open: RwSignal<bool>,
    pub export_open: RwSignal<bool>,
}

impl ProjectCtx {
    /// Whether the person's role here allows an action.
    pub fn may(&self, action: Action) -> bool {
        allowed(self.role.get(), action)
    }

    /// Reads project and categories again. What cannot be read now stays as it is.
    pub fn reload(self) {
        spawn_local(async move {
            if let Ok(p) = api::project_get(self.id).await {
                self.project.try_set(p);
            }
            if let Ok(c) = api::category_list(self.id).await {
                self.categories.try_set(c);
            }
        });
    }

    /// Address of a page of the project.
    pub fn href(&self, rest: &str) -> String {
        format!("/projects/{}{rest}", self.id)
    }
}

/// The project around the current page.
pub fn use_project() -> ProjectCtx {
    expect_context()
}

/// `/projects/:id` and everything below it.
#[component]
pub fn ProjectLayout() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|p| p.get_str("id").and_then(|s| s.parse::<ProjectId>().ok())));
    move || match id.get() {
        Some(id) => view! { <Loaded id/> }.into_any(),
        None => view! { <NotFound/> }.into_any(),
    }
}

#[component]
fn Loaded(id: ProjectId) -> impl IntoView {
    let data = use_load(
        move || id,
        |id| async move {
            let project = api::project_get(id).await?;
            let categories = api::category_list(id).await?;
            Ok((project, categories))
        },
    );
    view! {
        <Suspense fallback=Waiting>
            {move || Suspend::new(async move {
                match data.await {
                    Ok((project, categories)) => view! { <Frame project categories/> }.into_any(),
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
        <SkeletonCards count=4/>
    }
}

#[component]
fn Frame(project: Project, categories: Vec<Category>) -> impl IntoView {
    let id = project.summary.id;
    let project = RwSignal::new(project);
    let categories = RwSignal::new(categories);
    let ctx = ProjectCtx {
        id,
        project,
        role: Memo::new(move |_| project.with(|p| p.summary.my_role)),
        categories,
        palette: Memo::new(move |_| categories.with(|c| Palette::new(c))).into(),
        uploader: Uploader::of(id),
        upload_open: RwSignal::new(false),
        import_open: RwSignal::new(false),
        export_open: RwSignal::new(false),
    };
    provide_context(ctx);
    // Counts move while files come in.
    Effect::new(move |before: Option<u32>| {
        let now = ctx.uploader.version.get();
        if before.is_some_and(|b| b != now) {
            ctx.reload();
        }
        now
    });
    // And while a job brings items in: an import, an archive, the sample.
    let pulse = use_pulse();
    Effect::new(move |before: Option<(usize, i64)>| {
        let now = pulse.jobs.with(|jobs| {
            let ours = jobs.iter().filter(|j| brings_items(j, id));
            ours.fold((0, 0), |(n, done), j| (n + 1, done + j.done))
        });
        if before.is_some_and(|b| b != now && b.0 <= now.0) {
            ctx.uploader.bump(false);
        }
        now
    });
    // At its end in any case: it may have been too quick to be found running.
    Effect::new(move |before: Option<()>| {
        let ours = pulse
            .ended
            .with(|j| j.as_ref().is_some_and(|j| brings_items(j, id)));
        if ours && before.is_some() {
            ctx.uploader.bump(true);
        }
    });
    // On a phone the tabs scroll sideways: the one in view must be visible.
    let path = use_location().pathname;
    Effect::new(move |_| {
        path.track();
        request_animation_frame(|| {
            let tab = document().query_selector(".tabs [aria-current]").ok().flatten();
            if let (Some(tab), Some(row)) = (tab.as_ref(), tab.as_ref().and_then(|t| t.parent_element())) {
                let (tab, row_rect) = (tab.get_bounding_client_rect(), row.get_bounding_client_rect());
                if tab.left() < row_rect.left() || tab.right() > row_rect.right() {
                    row.set_scroll_left(row.scroll_left() + (tab.left() - row_rect.left()) as i32 - 24);
                }
            }
        });
    });
    let crumbs = Signal::derive(move || {
        vec![
            ("Projects".to_owned(), "/projects".to_owned()),
            (project.with(|p| p.summary.name.clone()), String::new()),
        ]
    });
    view! {
        <Breadcrumbs items=crumbs/>
        <Head ctx/>
        <Tabs label="Project">
            <Tab href=ctx.href("") exact=true>"Overview"</Tab>
            <Tab href=ctx.href("/items") count=Signal::derive(move || Some(project.with(|p| p.summary.progress.total)))>"Items"</Tab>
            <Tab href=ctx.href("/explore")>"Explore"</Tab>
            <Tab href=ctx.href("/categories") count=Signal::derive(move || Some(categories.with(|c| c.len() as i64)))>
                "Categories"
            </Tab>
            <Tab href=ctx.href("/sources")>"Sources"</Tab>
            {move || {
                let has = ctx.project.with(|p| can_assist(p.summary.task) || can_segment(p.summary.task));
                has.then(|| view! { <Tab href=ctx.href("/assist")>"Assist"</Tab> })
            }}
            <Tab href=ctx.href("/members")>"Members"</Tab>
            <Tab href=ctx.href("/instructions")>"Instructions"</Tab>
            {move || ctx.may(Action::ManageProject).then(|| view! { <Tab href=ctx.href("/settings")>"Settings"</Tab> })}
        </Tabs>
        <Outlet/>
        <UploadDialog ctx/>
        <ImportDialog ctx/>
        <ExportDialog ctx/>
        <DropVeil ctx/>
        <UploadPanel ctx/>
    }
}

/// Whether a job may change what the project holds.
fn brings_items(job: &Job, project: ProjectId) -> bool {
    job.project_id == Some(project) && !matches!(job.kind.as_str(), "export" | "explore_items")
}

/// Where a dataset of the project is made.
pub fn register_href(ctx: ProjectCtx) -> String {
    let (name, is_text) = ctx
        .project
        .with_untracked(|p| (p.summary.name.clone(), p.summary.task.is_text()));
    format!(
        "/data/new?project={}&kind={}&name={}",
        ctx.id,
        if is_text { "text" } else { "images" },
        super::items::filter::encode(&name)
    )
}

#[component]
fn Head(ctx: ProjectCtx) -> impl IntoView {
    let project = ctx.project;
    let session = use_session();
    let toasts = use_toasts();
    let navigate = use_navigate();
    let label_href = ctx.href("/label");
    let can_label = Memo::new(move |_| ctx.may(Action::Label));
    use_hotkey("l", "Label", {
        let to = label_href.clone();
        move || {
            if can_label.get_untracked() {
                navigate(&to, NavigateOptions::default());
            }
        }
    });
    let set_status = move |status: ProjectStatus| {
        spawn_local(async move {
            let input = limn_domain::project::UpdateProject {
                status: Some(status),
                ..Default::default()
            };
            match api::project_update(ctx.id, input).await {
                Ok(p) => {
                    project.set(p);
                    toasts.ok(match status {
                        ProjectStatus::Running => "The queue hands out items again.",
                        ProjectStatus::Paused => "Paused: the queue hands out nothing until you resume.",
                    });
                }
                Err(e) => toasts.error(&e),
            }
        });
    };
    let paused = Memo::new(move |_| project.with(|p| p.summary.status == ProjectStatus::Paused));
    let sub = move || {
        project.with(|p| {
            let n = ctx.categories.with(Vec::len) as i64;
            format!(
                "{}, {}, {}",
                p.summary.task.label(),
                fmt::counted(n, "category", "categories"),
                fmt::counted(p.summary.progress.total, "item", "items"),
            )
        })
    };
    let badge = move || {
        if paused.get() {
            view! { <Chip tone=Tone::Warn dot=true>"Paused"</Chip> }.into_any()
        } else if project.with(|p| p.summary.my_role == Role::Viewer) {
            view! { <Chip>"View only"</Chip> }.into_any()
        } else {
            ().into_any()
        }
    };
    view! {
        <PageHead
            title=Signal::derive(move || project.with(|p| p.summary.name.clone()))
            sub=ViewFn::from(move || sub)
            badge=ViewFn::from(move || badge)
        >
            {move || {
                ctx.may(Action::ManageItems)
                    .then(|| view! {
                        <Button icon=Glyph::Upload class="head__wide" on_click=move || ctx.upload_open.set(true)>"Upload"</Button>
                    })
            }}
            {move || {
                ctx.may(Action::ImportData)
                    .then(|| view! {
                        <Button icon=Glyph::Archive class="head__wide" on_click=move || ctx.import_open.set(true)>"Import"</Button>
                    })
            }}
            {move || {
                ctx.may(Action::ExportData)
                    .then(|| view! {
                        <Button icon=Glyph::Download class="head__wide" on_click=move || ctx.export_open.set(true)>"Export"</Button>
                    })
            }}
            {move || {
                (ctx.may(Action::ExportData) || ctx.may(Action::ImportData) || ctx.may(Action::ManageProject))
                    .then(|| view! {
                        <Menu
                            id="project-menu"
                            label="More actions"
                            // Without more than the buttons beside it, only where those do not fit.
                            trigger_class=if ctx.may(Action::ManageProject) { "btn btn--icon" } else { "btn btn--icon head__narrow" }
                            end=true
                        >
                            {move || ctx.may(Action::ManageItems).then(|| view! {
                                <MenuItem icon=Glyph::Upload on_click=move || ctx.upload_open.set(true)>{format!("Upload {}", ctx.project.with(|p| p.summary.task.media().nouns().1))}</MenuItem>
                            })}
                            {move || ctx.may(Action::ImportData).then(|| view! {
                                <MenuItem icon=Glyph::Archive on_click=move || ctx.import_open.set(true)>"Import labels"</MenuItem>
                            })}
                            {move || ctx.may(Action::ExportData).then(|| view! {
                                <MenuItem icon=Glyph::Download on_click=move || ctx.export_open.set(true)>"Export"</MenuItem>
                            })}
                            {move || (ctx.may(Action::ExportData) && session.may(Action::CreateDataset)).then(|| view! {
                                <MenuItem icon=Glyph::Data href=register_href(ctx)>"Register a dataset version"</MenuItem>
                            })}
                            {move || ctx.may(Action::ManageProject).then(|| view! {
                                <Show
                                    when=move || paused.get()
                                    fallback=move || view! {
                                        <MenuItem icon=Glyph::Pause on_click=move || set_status(ProjectStatus::Paused)>"Pause the queue"</MenuItem>
                                    }
                                >
                                    <MenuItem icon=Glyph::Play on_click=move || set_status(ProjectStatus::Running)>"Resume the queue"</MenuItem>
                                </Show>
                            })}
                        </Menu>
                    })
            }}
            {
                let href = label_href.clone();
                move || {
                    can_label.get().then(|| view! {
                        <Button variant=Variant::Primary icon=Glyph::Play kbd="L" href=href.clone()>"Label"</Button>
                    })
                }
            }
        </PageHead>
    }
}
