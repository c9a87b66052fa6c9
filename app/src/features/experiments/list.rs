//! All experiments.

use super::api;
use super::parts::{FirstRun, NameForm, at};
use crate::data::{use_form, use_load, use_mutation};
use crate::fmt;
use crate::session::use_session;
use crate::ui::{
    Button, Card, ConfirmDialog, Dialog, EmptyState, ErrorView, Glyph, Menu, MenuItem, MenuLine, PageHead,
    RelativeTime, Select, Skeleton, Table, TextInput, Variant, use_toasts,
};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use limn_domain::authz::Action;
use limn_domain::run::{Experiment, ExperimentId, NOTE_TAG};

/// What a menu of a row asks for.
#[derive(Clone, PartialEq)]
enum Ask {
    Rename(Experiment),
    Purge(Experiment),
}

/// `/experiments`
#[component]
pub fn ExperimentsPage() -> impl IntoView {
    let session = use_session();
    let query = use_query_map();
    let navigate = StoredValue::new(use_navigate());
    let text = RwSignal::new(query.with_untracked(|q| q.get("q").unwrap_or_default()));
    let view_as = RwSignal::new(query.with_untracked(|q| q.get("view").unwrap_or_default()));
    Effect::new(move |before: Option<()>| {
        let (text, view) = (text.get(), view_as.get());
        if before.is_some() {
            let mut parts = Vec::new();
            if !text.trim().is_empty() {
                parts.push(format!("q={}", fmt::encode(text.trim())));
            }
            if !view.is_empty() {
                parts.push(format!("view={view}"));
            }
            let search = if parts.is_empty() {
                String::new()
            } else {
                format!("?{}", parts.join("&"))
            };
            let options = NavigateOptions {
                replace: true,
                scroll: false,
                ..NavigateOptions::default()
            };
            navigate.with_value(|go| go(&format!("/experiments{search}"), options));
        }
    });
    let experiments = use_load(|| (), |()| api::experiment_list());
    let making = RwSignal::new(false);
    let name = RwSignal::new(String::new());
    let create = use_form(
        move |()| api::experiment_create(name.get_untracked()),
        move |id: ExperimentId| {
            making.set(false);
            navigate.with_value(|go| go(&format!("/experiments/{id}"), NavigateOptions::default()));
        },
    );
    let ask = RwSignal::new(None::<Ask>);
    view! {
        <PageHead title="Experiments" sub=ViewFn::from(|| "What was trained, on which data, and what came of it: logged by scripts, kept here.")>
            {move || session.may(Action::LogRuns).then(|| view! {
                <Button icon=Glyph::Cube href="/train">"Train a model"</Button>
                <Button variant=Variant::Primary icon=Glyph::Plus on_click=move || making.set(true)>"New experiment"</Button>
            })}
        </PageHead>
        <div class="toolbar">
            <div class="toolbar__search"><TextInput value=text kind="search" icon=Glyph::Search placeholder="Search names" label="Search experiments"/></div>
            <Select value=view_as options=vec![(String::new(), "Active".to_owned()), ("bin".to_owned(), "In the bin".to_owned())] label="Which"/>
        </div>
        <Transition fallback=|| view! { <Card><Skeleton lines=5/></Card> }>
            {move || Suspend::new(async move {
                match experiments.await {
                    Ok(all) => {
                        let again = Callback::new(move |()| experiments.refetch());
                        view! { <Rows all text view_as ask again/> }.into_any()
                    }
                    Err(error) => view! { <ErrorView error retry=move || experiments.refetch()/> }.into_any(),
                }
            })}
        </Transition>
        <Dialog open=making title="New experiment" description="A folder for the runs of one question.">
            <NameForm value=name label="Name" button="Create" error=create.error pending=create.pending on_submit=Callback::new(move |()| create.run(()))/>
        </Dialog>
        <Asked ask again=Callback::new(move |()| experiments.refetch())/>
    }
}

#[component]
fn Rows(
    all: Vec<Experiment>,
    text: RwSignal<String>,
    view_as: RwSignal<String>,
    ask: RwSignal<Option<Ask>>,
    again: Callback<()>,
) -> impl IntoView {
    let nothing_yet = all.iter().all(|e| e.runs == 0) && all.len() == 1;
    let all = StoredValue::new(all);
    let shown = Memo::new(move |_| {
        let (wanted, bin) = (text.get().to_lowercase(), view_as.with(|v| v == "bin"));
        all.with_value(|all| {
            let mut rows: Vec<Experiment> = all
                .iter()
                .filter(|e| e.deleted_at.is_some() == bin && e.name.to_lowercase().contains(wanted.trim()))
                .cloned()
                .collect();
            rows.sort_by_key(|e| std::cmp::Reverse(e.last_run_ms.unwrap_or(e.created_at.0 / 1000)));
            rows
        })
    });
    view! {
        {nothing_yet.then(|| view! {
            <Card>
                <EmptyState glyph=Glyph::Flask title="No run yet" text="Any script that logs with the MLflow client shows up here. Point it at this server."/>
                <FirstRun experiment="digits"/>
            </Card>
        })}
        <Show when=move || !shown.with(Vec::is_empty) fallback=move || {
            let bin = view_as.with(|v| v == "bin");
            view! {
                <Card>
                    <EmptyState
                        glyph=if bin { Glyph::Trash } else { Glyph::Search }
                        title=if bin { "The bin is empty" } else { "No experiment matches" }
                        text=if bin { "Deleted experiments lie here until an admin deletes them for good." } else { "Try another word." }
                    />
                </Card>
            }
        }>
            <Card flush=true>
                <Table label="Experiments" columns=vec!["Name", "Runs", "Last run", "Created", ""]>
                    <For each=move || shown.get() key=|e| (e.id, e.updated_at) let:e><Row e ask again/></For>
                </Table>
            </Card>
        </Show>
    }
}

#[component]
fn Row(e: Experiment, ask: RwSignal<Option<Ask>>, again: Callback<()>) -> impl IntoView {
    let session = use_session();
    let id = e.id;
    let toasts = use_toasts();
    let deleted = e.deleted_at.is_some();
    let is_first = id.0 == 0;
    let bin = use_mutation(
        move |to: bool| api::experiment_set_deleted(id, to),
        move |()| {
            toasts.ok(if deleted { "Restored." } else { "Put into the bin." });
            again.run(());
        },
    );
    let this = StoredValue::new(e.clone());
    let note = e
        .tags
        .get(NOTE_TAG)
        .and_then(|n| n.lines().next())
        .unwrap_or_default()
        .to_owned();
    view! {
        <tr>
            <td data-label="Name">
                <span class="data-version">
                    <a class="link" href=format!("/experiments/{id}{}", if deleted { "?view=bin" } else { "" })><b>{e.name.clone()}</b></a>
                    {(!note.is_empty()).then(|| view! { <span class="faint">{note}</span> })}
                </span>
            </td>
            <td data-label="Runs">{fmt::count(e.runs)}</td>
            <td data-label="Last run">{match e.last_run_ms {
                Some(ms) => view! { <RelativeTime at=at(ms)/> }.into_any(),
                None => view! { <span class="faint">"None"</span> }.into_any(),
            }}</td>
            <td data-label="Created"><RelativeTime at=e.created_at/></td>
            <td class="table__actions">
                <Menu id=format!("experiment-{id}") label=format!("Actions of {}", e.name) trigger_class="btn btn--icon btn--quiet" end=true>
                    <MenuItem icon=Glyph::Pencil on_click=move || ask.set(Some(Ask::Rename(this.get_value())))>"Rename"</MenuItem>
                    <MenuLine/>
                    {if deleted {
                        view! {
                            <MenuItem icon=Glyph::Undo on_click=move || bin.run(false)>"Restore"</MenuItem>
                            {move || session.may(Action::PurgeRuns).then(|| view! {
                                <MenuItem icon=Glyph::Trash on_click=move || ask.set(Some(Ask::Purge(this.get_value())))>"Delete for good"</MenuItem>
                            })}
                        }.into_any()
                    } else {
                        view! { <MenuItem icon=Glyph::Trash disabled=is_first on_click=move || bin.run(true)>"Put into the bin"</MenuItem> }.into_any()
                    }}
                </Menu>
            </td>
        </tr>
    }
}

/// The dialogs of the menus.
#[component]
fn Asked(ask: RwSignal<Option<Ask>>, again: Callback<()>) -> impl IntoView {
    let renaming = RwSignal::new(false);
    let purging = RwSignal::new(false);
    let name = RwSignal::new(String::new());
    Effect::new(move |_| match ask.get() {
        Some(Ask::Rename(e)) => {
            name.set(e.name);
            renaming.set(true);
        }
        Some(Ask::Purge(_)) => purging.set(true),
        None => {}
    });
    let of = Memo::new(move |_| {
        ask.get().map(|a| match a {
            Ask::Rename(e) | Ask::Purge(e) => (e.id, e.name, e.runs),
        })
    });
    let id = move || of.with_untracked(|o| o.as_ref().map_or(ExperimentId(-1), |o| o.0));
    let rename = use_form(
        move |()| api::experiment_rename(id(), name.get_untracked()),
        move |()| {
            renaming.set(false);
            again.run(());
        },
    );
    let purge = use_form(
        move |()| api::experiment_purge(id()),
        move |()| {
            purging.set(false);
            again.run(());
        },
    );
    let title = move || of.with(|o| o.as_ref().map(|o| o.1.clone()).unwrap_or_default());
    view! {
        <Dialog open=renaming title="Rename the experiment" on_close=move || ask.set(None)>
            <NameForm value=name label="Name" button="Rename" error=rename.error pending=rename.pending on_submit=Callback::new(move |()| rename.run(()))/>
        </Dialog>
        <ConfirmDialog
            open=purging
            title=Signal::derive(move || format!("Delete {} for good?", title()))
            text="Its runs go with their metrics and files, and nobody can bring them back."
            confirm="Delete for good"
            type_to_confirm=Signal::derive(title)
            pending=purge.pending
            error=purge.error
            on_confirm=Callback::new(move |()| purge.run(()))
        />
    }
}
