//! One registered model: its versions, its aliases and where they went.

use super::api::{self, ModelDetail};
use super::parts::{DescribeDialog, TagsCard};
use crate::data::{use_form, use_load, use_mutation};
use crate::fmt;
use crate::session::use_session;
use crate::ui::{
    Breadcrumbs, Button, Card, Chip, ConfirmDialog, Dialog, DialogBody, DialogFoot, EmptyState, ErrorView,
    Field, FormError, Glyph, Menu, MenuItem, MenuLine, NotFound, PageHead, RelativeTime, Select, Skeleton,
    Table, TextInput, Tone, Variant, use_toasts,
};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_params_map};
use limn_domain::Code;
use limn_domain::authz::Action;
use limn_domain::model::{ModelAliasMove, ModelVersion};
use limn_domain::run::Metric;
use std::collections::BTreeSet;

/// `/models/:model_name`
#[component]
pub fn ModelPage() -> impl IntoView {
    let params = use_params_map();
    let name = Memo::new(move |_| params.with(|p| p.get("model_name").unwrap_or_default()));
    let data = use_load(move || name.get(), api::model_get);
    view! {
        <Transition fallback=|| view! { <Skeleton lines=6/> }>
            {move || Suspend::new(async move {
                match data.await {
                    Ok(detail) => {
                        let again = Callback::new(move |()| data.refetch());
                        view! { <Whole detail again/> }.into_any()
                    }
                    Err(error) if error.code == Code::NotFound => view! { <NotFound/> }.into_any(),
                    Err(error) => view! { <ErrorView error retry=move || data.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn Whole(detail: ModelDetail, again: Callback<()>) -> impl IntoView {
    let session = use_session();
    let model = detail.model;
    let name = StoredValue::new(model.name.clone());
    let pointing = RwSignal::new(false);
    let alias = RwSignal::new(String::new());
    let target = RwSignal::new(String::new());
    let describing = RwSignal::new(false);
    let text = RwSignal::new(model.description.clone());
    let save = use_form(
        move |()| api::model_describe(name.get_value(), text.get_untracked()),
        move |()| {
            describing.set(false);
            again.run(());
        },
    );
    let gone = RwSignal::new(None::<ModelVersion>);
    let crumbs = vec![
        ("Models".to_owned(), "/models".to_owned()),
        (model.name.clone(), String::new()),
    ];
    let sub = format!(
        "{}, created {}",
        fmt::counted(model.versions, "version", "versions"),
        model.created_at.date()
    );
    let options: Vec<(String, String)> = detail
        .versions
        .iter()
        .map(|v| (v.number.to_string(), format!("Version {}", v.number)))
        .collect();
    let has_versions = !options.is_empty();
    let point = Callback::new(move |(a, n): (String, i64)| {
        alias.set(a);
        target.set(n.to_string());
        pointing.set(true);
    });
    let newest = detail.versions.first().map_or(0, |v| v.number);
    let loads = load_code(&model.name, model.aliases.first().map(|a| a.name.as_str()));
    view! {
        <Breadcrumbs items=crumbs/>
        <PageHead title=model.name.clone() sub=ViewFn::from(move || sub.clone())>
            {move || (session.may(Action::LogRuns) && has_versions).then(|| view! {
                <Button icon=Glyph::Flag on_click=move || point.run((String::new(), newest))>"Set an alias"</Button>
            })}
            <MoreMenu name/>
        </PageHead>
        <div class="overview">
            <div class="overview__col">
                {if has_versions {
                    view! {
                        <Card flush=true title="Versions">
                            <Table label="Versions" columns=vec!["Version", "From", "Files", "Registered", ""]>
                                {detail.versions.into_iter().map(|v| view! { <Row v point gone/> }).collect_view()}
                            </Table>
                        </Card>
                    }.into_any()
                } else {
                    view! {
                        <Card><EmptyState glyph=Glyph::Cube title="No version yet" text="Register what a run made: on the run's page, or with registered_model_name where it is logged."/></Card>
                    }.into_any()
                }}
                {(!detail.measured.is_empty()).then(|| view! { <SideBySide measured=detail.measured/> })}
                <Card title="Load it">
                    <pre class="data-code" tabindex="0"><code>{loads}</code></pre>
                </Card>
            </div>
            <div class="overview__col">
                <Card title="About" aside=ViewFn::from(move || session.may(Action::LogRuns).then(|| view! {
                    <Button icon=Glyph::Pencil on_click=move || describing.set(true)>"Edit"</Button>
                }))>
                    {if model.description.trim().is_empty() {
                        view! { <p class="muted">"No description yet. Say what it is for and where it fails."</p> }.into_any()
                    } else {
                        view! { <div class="prose" inner_html=model.description_html.clone()></div> }.into_any()
                    }}
                </Card>
                <Aliases name moves=detail.moves aliases=model.aliases.clone() point again/>
                <TagsCard name=model.name.clone() number=None tags=model.tags.clone() again/>
            </div>
        </div>
        <AliasDialog open=pointing name alias target options again/>
        <DescribeDialog open=describing text error=save.error pending=save.pending on_save=Callback::new(move |()| save.run(()))/>
        <DeleteVersion name gone again/>
    }
}

/// Metrics of the runs that versions came from, a column a version.
#[component]
fn SideBySide(measured: Vec<(i64, Vec<Metric>)>) -> impl IntoView {
    let keys: BTreeSet<String> = measured
        .iter()
        .flat_map(|(_, metrics)| metrics.iter().map(|m| m.key.clone()))
        .collect();
    let heads = measured
        .iter()
        .map(|(number, _)| view! { <th scope="col">{format!("Version {number}")}</th> })
        .collect_view();
    let row = |key: String| {
        let cells = measured
            .iter()
            .map(|(number, metrics)| {
                let found = metrics.iter().find(|m| m.key == key);
                let value = found.map_or_else(|| "\u{2013}".to_owned(), |m| fmt::measured(m.last.value));
                view! { <td data-label=format!("Version {number}")>{value}</td> }
            })
            .collect_view();
        view! { <tr><th scope="row" title=key.clone()>{key.clone()}</th>{cells}</tr> }
    };
    let rows = keys.into_iter().map(row).collect_view();
    view! {
        <Card flush=true title="Metrics side by side">
            <div class="table-wrap runs__wrap" tabindex="0" role="region" aria-label="Metrics side by side">
                <table class="table compare" aria-label="Metrics side by side">
                    <thead><tr><th scope="col"><span class="sr-only">"Metric"</span></th>{heads}</tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </Card>
    }
}

/// How Python gets the model.
fn load_code(name: &str, alias: Option<&str>) -> String {
    let which = alias.map_or_else(|| "/1".to_owned(), |a| format!("@{a}"));
    format!("import mlflow\nmodel = mlflow.pyfunc.load_model(\"models:/{name}{which}\")\nmodel.predict(data)")
}

#[component]
fn MoreMenu(name: StoredValue<String>) -> impl IntoView {
    let session = use_session();
    let (renaming, deleting) = (RwSignal::new(false), RwSignal::new(false));
    let new = RwSignal::new(name.get_value());
    let navigate = StoredValue::new(use_navigate());
    let toasts = use_toasts();
    let go = move |to: String| navigate.with_value(|n| n(&to, NavigateOptions::default()));
    let rename = use_form(
        move |()| api::model_rename(name.get_value(), new.get_untracked()),
        move |is: String| {
            renaming.set(false);
            go(format!("/models/{}", fmt::encode(&is)));
        },
    );
    let delete = use_form(
        move |()| api::model_delete(name.get_value()),
        move |()| {
            toasts.ok("The model is deleted.");
            go("/models".to_owned());
        },
    );
    view! {
        {move || session.may(Action::LogRuns).then(|| view! {
            <Menu id="model-menu" label="Actions of the model" trigger_class="btn btn--icon" end=true>
                <MenuItem icon=Glyph::Pencil on_click=move || renaming.set(true)>"Rename"</MenuItem>
                {move || session.may(Action::DeleteModels).then(|| view! {
                    <MenuLine/>
                    <MenuItem icon=Glyph::Trash on_click=move || deleting.set(true)>"Delete"</MenuItem>
                })}
            </Menu>
        })}
        <Dialog open=renaming title="Rename the model" description="Code that loads it by its name needs the new one.">
            <form on:submit=move |ev| {
                ev.prevent_default();
                rename.run(());
            }>
                <DialogBody>
                    <Field name="name" label="Name" errors=rename.error><TextInput value=new autocomplete="off"/></Field>
                    <FormError error=rename.error fields=&["name"]/>
                </DialogBody>
                <DialogFoot><Button variant=Variant::Primary submit=true loading=rename.pending>"Rename"</Button></DialogFoot>
            </form>
        </Dialog>
        <ConfirmDialog
            open=deleting
            title=Signal::derive(move || format!("Delete {}?", name.get_value()))
            text="All its versions go with their files, and nobody can load them any more. While it has aliases it is in use and stays."
            confirm="Delete"
            type_to_confirm=Signal::derive(move || name.get_value())
            pending=delete.pending
            error=delete.error
            on_confirm=Callback::new(move |()| delete.run(()))
        />
    }
}

#[component]
fn Row(
    v: ModelVersion,
    point: Callback<(String, i64)>,
    gone: RwSignal<Option<ModelVersion>>,
) -> impl IntoView {
    let session = use_session();
    let this = StoredValue::new(v.clone());
    let number = v.number;
    let base = format!("/models/{}/versions/{}", fmt::encode(&v.model_name), v.number);
    let from = match v.run_id {
        Some(run) => view! { <a class="link" href=format!("/runs/{}", run.hex())>{"Run "}{run.hex().chars().take(8).collect::<String>()}</a> }.into_any(),
        None => view! { <span class="faint" title=v.source.clone()>"Elsewhere"</span> }.into_any(),
    };
    view! {
        <tr>
            <td data-label="Version">
                <span class="data-version">
                    <a class="link" href=base.clone()><b>{format!("Version {}", v.number)}</b></a>
                    {v.aliases.clone().into_iter().map(|a| view! { <Chip tone=Tone::Accent>{a}</Chip> }).collect_view()}
                    {(v.stage != "None").then(|| view! { <Chip>{v.stage.clone()}</Chip> })}
                    {(!v.description.is_empty()).then(|| view! { <span class="faint">{v.description.lines().next().unwrap_or_default().to_owned()}</span> })}
                </span>
            </td>
            <td data-label="From">{from}</td>
            <td data-label="Files">{if v.files > 0 { format!("{}, {}", fmt::count(v.files), fmt::bytes(v.bytes)) } else { "None".to_owned() }}</td>
            <td data-label="Registered">
                <span><RelativeTime at=v.created_at/><span class="faint data-sub">{v.by_name.clone()}</span></span>
            </td>
            <td class="table__actions">
                <Menu id=format!("version-{number}") label=format!("Actions of version {number}") trigger_class="btn btn--icon btn--quiet" end=true>
                    {move || session.may(Action::LogRuns).then(|| view! {
                        <MenuItem icon=Glyph::Flag on_click=move || point.run((String::new(), number))>"Point an alias here"</MenuItem>
                    })}
                    <MenuItem icon=Glyph::Archive href=format!("/api/v1{base}/zip") external=true>"Files as a zip"</MenuItem>
                    {move || session.may(Action::DeleteModels).then(|| view! {
                        <MenuLine/>
                        <MenuItem icon=Glyph::Trash on_click=move || gone.set(Some(this.get_value()))>"Delete"</MenuItem>
                    })}
                </Menu>
            </td>
        </tr>
    }
}

/// Where each alias points, and where they went.
#[component]
fn Aliases(
    name: StoredValue<String>,
    moves: Vec<ModelAliasMove>,
    aliases: Vec<limn_domain::model::ModelAlias>,
    point: Callback<(String, i64)>,
    again: Callback<()>,
) -> impl IntoView {
    let session = use_session();
    let toasts = use_toasts();
    let back = use_mutation(
        move |alias: String| api::model_roll_back(name.get_value(), alias),
        move |n: i64| {
            toasts.ok(format!("Back to version {n}."));
            again.run(());
        },
    );
    let remove = use_mutation(
        move |alias: String| api::model_set_alias(name.get_value(), alias, None),
        move |()| again.run(()),
    );
    let none = aliases.is_empty();
    let rows = aliases
        .into_iter()
        .map(|a| {
            let this = StoredValue::new(a.name.clone());
            let number = a.number;
            // There is a way back once it has pointed to another version.
            let went = moves.iter().any(|m| m.name == a.name && m.number.is_some_and(|n| n != number));
            view! {
                <li>
                    <span><Chip tone=Tone::Accent>{a.name.clone()}</Chip>" "{format!("version {number}")}</span>
                    {move || session.may(Action::LogRuns).then(|| view! {
                        <Menu id=format!("alias-{}", this.get_value()) label=format!("Actions of {}", this.get_value()) trigger_class="btn btn--icon btn--quiet" end=true>
                            <MenuItem icon=Glyph::Flag on_click=move || point.run((this.get_value(), number))>"Move"</MenuItem>
                            <MenuItem icon=Glyph::Undo disabled=!went on_click=move || back.run(this.get_value())>"Roll back"</MenuItem>
                            <MenuItem icon=Glyph::Trash on_click=move || remove.run(this.get_value())>"Remove"</MenuItem>
                        </Menu>
                    })}
                </li>
            }
        })
        .collect_view();
    let list = moves
        .into_iter()
        .take(30)
        .map(|m| {
            view! {
                <li>
                    <b>{m.name}</b>
                    {m.number.map_or_else(|| " removed".to_owned(), |n| format!(" to version {n}"))}
                    <span class="faint">" by "{m.by_name}", "<RelativeTime at=m.at/></span>
                </li>
            }
        })
        .collect_view();
    view! {
        <Card title="Aliases">
            {none.then(|| view! { <p class="muted">"None. An alias such as champion says which version is in use, and code need not change when it moves."</p> })}
            <ul class="data-aliases">{rows}</ul>
        </Card>
        <Card title="Aliases over time"><ul class="data-moves">{list}</ul></Card>
    }
}

#[component]
fn AliasDialog(
    open: RwSignal<bool>,
    name: StoredValue<String>,
    alias: RwSignal<String>,
    target: RwSignal<String>,
    options: Vec<(String, String)>,
    again: Callback<()>,
) -> impl IntoView {
    let set = use_form(
        move |()| {
            let number = target.with_untracked(|t| t.parse().ok());
            api::model_set_alias(name.get_value(), alias.get_untracked(), number)
        },
        move |()| {
            open.set(false);
            again.run(());
        },
    );
    let options = StoredValue::new(options);
    view! {
        <Dialog open title="Point an alias" description="It moves when it points elsewhere now; the history keeps every move.">
            <form on:submit=move |ev| {
                ev.prevent_default();
                set.run(());
            }>
                <DialogBody>
                    <div class="data-form">
                        <Field name="alias" label="Alias" errors=set.error hint="Such as champion or production"><TextInput value=alias autocomplete="off"/></Field>
                        <Field name="version" label="Version" errors=set.error><Select value=target options=options.get_value()/></Field>
                        <FormError error=set.error fields=&["alias", "version"]/>
                    </div>
                </DialogBody>
                <DialogFoot><Button variant=Variant::Primary submit=true loading=set.pending>"Point it there"</Button></DialogFoot>
            </form>
        </Dialog>
    }
}

#[component]
fn DeleteVersion(
    name: StoredValue<String>,
    gone: RwSignal<Option<ModelVersion>>,
    again: Callback<()>,
) -> impl IntoView {
    let open = RwSignal::new(false);
    Effect::new(move |_| {
        if gone.with(Option::is_some) {
            open.set(true);
        }
    });
    let number = move || gone.with(|v| v.as_ref().map_or(0, |v| v.number));
    let delete = use_form(
        move |()| {
            api::model_delete_version(
                name.get_value(),
                gone.with_untracked(|v| v.as_ref().map_or(0, |v| v.number)),
            )
        },
        move |()| {
            open.set(false);
            again.run(());
        },
    );
    view! {
        <ConfirmDialog
            open
            title=Signal::derive(move || format!("Delete version {}?", number()))
            text="Its files go, and nobody can load it any more. While an alias points to it, it is in use and stays."
            confirm="Delete"
            pending=delete.pending
            error=delete.error
            on_confirm=Callback::new(move |()| delete.run(()))
        />
    }
}
