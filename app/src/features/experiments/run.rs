//! The frame of a run's pages.

use super::api::{self, RunDetail};
use super::parts::{NameForm, StatusChip};
use crate::data::{use_form, use_load, use_mutation};
use crate::fmt;
use crate::session::use_session;
use crate::ui::{
    Breadcrumbs, Button, Dialog, ErrorView, Field, FormError, Glyph, Menu, MenuItem, MenuLine, NotFound,
    Notice, PageHead, Skeleton, Tab, Tabs, TextArea, TextInput, Tone, Variant, use_toasts,
};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::NavigateOptions;
use leptos_router::components::Outlet;
use leptos_router::hooks::{use_navigate, use_params_map};
use limn_domain::RunId;
use limn_domain::authz::Action;
use limn_domain::run::NOTE_TAG;
use std::time::Duration;

/// What every tab of a run shares.
#[derive(Clone, Copy)]
pub struct RunCtx {
    pub id: RunId,
    pub detail: RwSignal<RunDetail>,
}

impl RunCtx {
    /// Reads it again. What cannot be read now stays as it is.
    pub fn reload(self) {
        spawn_local(async move {
            if let Ok(d) = api::run_get(self.id).await
                && self.detail.try_with_untracked(|now| *now != d) == Some(true)
            {
                self.detail.try_set(d);
            }
        });
    }

    pub fn href(&self, rest: &str) -> String {
        format!("/runs/{}{rest}", self.id.hex())
    }

    pub fn is_running(&self) -> bool {
        self.detail.with(|d| !d.run.info.status.is_ended())
    }
}

pub fn use_run() -> RunCtx {
    expect_context()
}

/// `/runs/:id` and everything below it.
#[component]
pub fn RunLayout() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|p| p.get_str("id").and_then(|s| s.parse::<RunId>().ok())));
    move || match id.get() {
        Some(id) => view! { <Loaded id/> }.into_any(),
        None => view! { <NotFound/> }.into_any(),
    }
}

#[component]
fn Loaded(id: RunId) -> impl IntoView {
    let data = use_load(move || id, api::run_get);
    view! {
        <Suspense fallback=|| view! { <Skeleton lines=6/> }>
            {move || Suspend::new(async move {
                match data.await {
                    Ok(detail) => view! { <Frame id detail/> }.into_any(),
                    Err(error) if error.code == limn_domain::Code::NotFound => view! { <NotFound/> }.into_any(),
                    Err(error) => view! { <ErrorView error retry=move || data.refetch()/> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Frame(id: RunId, detail: RunDetail) -> impl IntoView {
    let session = use_session();
    let ctx = RunCtx {
        id,
        detail: RwSignal::new(detail),
    };
    provide_context(ctx);
    // While it runs it is looked at every three seconds; while Limn trains, every two.
    Effect::new(move |_| {
        let seconds = if ctx.detail.with(|d| d.training.is_some()) {
            2
        } else {
            3
        };
        if ctx.is_running()
            && let Ok(timer) = set_interval_with_handle(
                move || {
                    if !document().hidden() {
                        ctx.reload();
                    }
                },
                Duration::from_secs(seconds),
            )
        {
            on_cleanup(move || timer.clear());
        }
    });
    let name = Signal::derive(move || ctx.detail.with(|d| d.run.info.name.clone()));
    let crumbs = Signal::derive(move || {
        ctx.detail.with(|d| {
            vec![
                ("Experiments".to_owned(), "/experiments".to_owned()),
                (
                    d.experiment.name.clone(),
                    format!("/experiments/{}", d.experiment.id),
                ),
                (d.run.info.name.clone(), String::new()),
            ]
        })
    });
    let sub = move || {
        ctx.detail.with(|d| {
            let info = &d.run.info;
            let took = info.end_ms.map_or_else(String::new, |end| {
                format!(", took {}", fmt::lasted(info.start_ms, end))
            });
            format!(
                "By {}, started {}{took}",
                info.user_name,
                super::parts::at(info.start_ms).date_time()
            )
        })
    };
    let badge = move || {
        ctx.detail
            .with(|d| view! { <StatusChip status=d.run.info.status/> })
    };
    let editing = RwSignal::new(false);
    let registering = RwSignal::new(false);
    let toasts = use_toasts();
    let navigate = use_navigate();
    let bin = use_mutation(
        move |to: bool| api::run_set_deleted(vec![id], to),
        move |()| {
            if ctx.detail.with_untracked(|d| d.run.info.deleted_at.is_some()) {
                toasts.ok("Restored.");
                ctx.reload();
            } else {
                toasts.ok("Put into the bin.");
                let back = ctx
                    .detail
                    .with_untracked(|d| format!("/experiments/{}", d.experiment.id));
                navigate(&back, NavigateOptions::default());
            }
        },
    );
    let deleted = Memo::new(move |_| ctx.detail.with(|d| d.run.info.deleted_at.is_some()));
    let charts = Signal::derive(move || Some(ctx.detail.with(|d| d.metrics.total as i64)));
    let of_machine = Memo::new(move |_| ctx.detail.with(|d| d.system.total as i64));
    view! {
        <Breadcrumbs items=crumbs/>
        <PageHead title=name sub=ViewFn::from(move || sub) badge=ViewFn::from(move || badge)>
            {move || session.may(Action::LogRuns).then(|| view! {
                <Button icon=Glyph::Cube on_click=move || registering.set(true)>"Register a model"</Button>
                <Menu id="run-menu" label="Actions of the run" trigger_class="btn btn--icon" end=true>
                    <MenuItem icon=Glyph::Pencil on_click=move || editing.set(true)>"Name and notes"</MenuItem>
                    <MenuItem icon=Glyph::Archive href=format!("/api/v1/runs/{}/zip", id.hex()) external=true>"All files as a zip"</MenuItem>
                    <MenuLine/>
                    {move || if deleted.get() {
                        view! { <MenuItem icon=Glyph::Undo on_click=move || bin.run(false)>"Restore"</MenuItem> }.into_any()
                    } else {
                        view! { <MenuItem icon=Glyph::Trash on_click=move || bin.run(true)>"Put into the bin"</MenuItem> }.into_any()
                    }}
                </Menu>
            })}
        </PageHead>
        {move || deleted.get().then(|| view! { <Notice tone=Tone::Warn>"This run lies in the bin. Nothing can be logged to it until it is restored."</Notice> })}
        <super::trained::UnderWay ctx/>
        <Tabs label="Run">
            <Tab href=ctx.href("") exact=true>"Overview"</Tab>
            <Tab href=ctx.href("/charts") count=charts>"Charts"</Tab>
            {move || (of_machine.get() > 0).then(|| view! {
                <Tab href=ctx.href("/system") count=Signal::derive(move || Some(of_machine.get()))>"System"</Tab>
            })}
            <Tab href=ctx.href("/files")>"Files"</Tab>
        </Tabs>
        <Outlet/>
        <EditDialog ctx open=editing/>
        <RegisterDialog ctx open=registering/>
    }
}

#[component]
fn EditDialog(ctx: RunCtx, open: RwSignal<bool>) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let note = RwSignal::new(String::new());
    Effect::new(move |_| {
        if open.get() {
            ctx.detail.with_untracked(|d| {
                name.set(d.run.info.name.clone());
                note.set(d.run.data.tags.get(NOTE_TAG).cloned().unwrap_or_default());
            });
        }
    });
    let save = use_form(
        move |()| api::run_update(ctx.id, Some(name.get_untracked()), Some(note.get_untracked())),
        move |()| {
            open.set(false);
            ctx.reload();
        },
    );
    view! {
        <Dialog open title="Name and notes">
            <form on:submit=move |ev| {
                ev.prevent_default();
                save.run(());
            }>
                <crate::ui::DialogBody>
                    <div class="data-form">
                        <Field name="run_name" label="Name" errors=save.error><TextInput value=name autocomplete="off"/></Field>
                        <Field name="value" label="Notes" optional=true hint="Markdown" errors=save.error><TextArea value=note rows=8/></Field>
                        <FormError error=save.error fields=&["run_name", "value"]/>
                    </div>
                </crate::ui::DialogBody>
                <crate::ui::DialogFoot>
                    <Button variant=Variant::Primary submit=true loading=save.pending>"Save"</Button>
                </crate::ui::DialogFoot>
            </form>
        </Dialog>
    }
}

/// Makes a version of a registered model from the run's files.
#[component]
fn RegisterDialog(ctx: RunCtx, open: RwSignal<bool>) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let toasts = use_toasts();
    let register = use_form(
        move |()| api::run_register(ctx.id, name.get_untracked(), String::new()),
        move |number: i64| {
            open.set(false);
            let name = name.get_untracked();
            let href = format!("/models/{}", fmt::encode(&name));
            toasts.with_link(
                Tone::Ok,
                format!("Version {number} of {name} is registered."),
                "Open",
                href,
            );
            ctx.reload();
        },
    );
    view! {
        <Dialog open title="Register a model" description="The run's files become the next version; it is made when there is no such model.">
            <NameForm value=name label="Model" button="Register" error=register.error pending=register.pending on_submit=Callback::new(move |()| register.run(()))/>
        </Dialog>
    }
}
