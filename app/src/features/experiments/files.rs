//! The files of a run: a tree, previews, downloads. Nothing is opened that would have to be run.

use super::api::{self, FilePreview};
use super::parts::PickleMark;
use super::run::use_run;
use crate::data::use_load;
use crate::fmt;
use crate::ui::{Button, Card, EmptyState, ErrorView, Glyph, Icon, Notice, Skeleton};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use limn_domain::run::{ArtifactEntry, LoggedModel, is_pickle};
use limn_domain::{LoggedModelId, RunId};

/// Whose files: the run's own, or those of a model that it logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Whose {
    run: RunId,
    model: Option<LoggedModelId>,
}

/// A file of either; the empty path is none.
type At = (Option<LoggedModelId>, String);

/// `/runs/:id/files?path=notes/x.txt`, `?model=m-...&path=MLmodel`
#[component]
pub fn FilesTab() -> impl IntoView {
    let ctx = use_run();
    let query = use_query_map();
    let at = Memo::new(move |_| {
        query.with(|q| {
            let model = q.get("model").and_then(|m| LoggedModelId::parse_tag(&m).ok());
            (model, q.get("path").unwrap_or_default())
        })
    });
    let models = Memo::new(move |_| {
        let named = |m: &LoggedModel| (m.id, m.name.clone());
        ctx.detail
            .with(|d| d.logged.iter().map(named).collect::<Vec<_>>())
    });
    let navigate = use_navigate();
    let open = Callback::new(move |(model, to): At| {
        let whose = model.map_or_else(String::new, |m| format!("model={}&", m.tag()));
        let search = format!("?{whose}path={}", fmt::encode(&to));
        let options = NavigateOptions {
            replace: true,
            scroll: false,
            ..NavigateOptions::default()
        };
        navigate(&format!("{}{search}", ctx.href("/files")), options);
    });
    view! {
        <div class="run-files">
            <div class="run-files__trees">
                <Card title="Files" class="run-files__tree" aside=ViewFn::from(move || view! {
                    <Button icon=Glyph::Archive href=format!("/api/v1/runs/{}/zip", ctx.id.hex()) external=true>"Zip"</Button>
                })>
                    {folder_view(Whose { run: ctx.id, model: None }, String::new(), at, open)}
                </Card>
                {move || models.get().into_iter().map(|(id, name)| view! {
                    <Card title=format!("Model {name}") class="run-files__tree">
                        {folder_view(Whose { run: ctx.id, model: Some(id) }, String::new(), at, open)}
                    </Card>
                }).collect_view()}
            </div>
            <Shown run=ctx.id at/>
        </div>
    }
}

/// What lies in a folder; folders open in place. A function, because it holds itself.
fn folder_view(of: Whose, folder: String, at: Memo<At>, open: Callback<At>) -> AnyView {
    let is_root = folder.is_empty();
    let files = use_load(
        move || folder.clone(),
        move |f| api::run_files(of.run, of.model, f),
    );
    let none = if of.model.is_some() {
        "The model has no files."
    } else {
        "The run logged no files."
    };
    view! {
        <Transition fallback=|| view! { <Skeleton lines=3/> }>
            {move || Suspend::new(async move {
                match files.await {
                    Ok(list) if list.is_empty() && is_root => view! { <p class="muted">{none}</p> }.into_any(),
                    Ok(list) => view! {
                        <ul class="tree">{list.into_iter().map(|e| entry_view(of, e, at, open)).collect_view()}</ul>
                    }.into_any(),
                    Err(error) => view! { <ErrorView error retry=move || files.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
    .into_any()
}

fn entry_view(of: Whose, e: ArtifactEntry, at: Memo<At>, open: Callback<At>) -> AnyView {
    let name = e.path.rsplit('/').next().unwrap_or(&e.path).to_owned();
    let whole = e.path.clone();
    if e.is_dir {
        let inside = format!("{whole}/");
        let is_open = RwSignal::new(at.with_untracked(|(m, p)| *m == of.model && p.starts_with(&inside)));
        return view! {
            <li>
                <button type="button" class="tree__row" aria-expanded=move || is_open.get().to_string() on:click=move |_| is_open.update(|o| *o = !*o)>
                    <Icon glyph=Glyph::ChevronRight size=12/>
                    <Icon glyph=Glyph::Folder size=15/>
                    <span class="grow">{name}</span>
                    <span class="faint">{fmt::bytes(e.size)}</span>
                </button>
                {move || is_open.get().then(|| folder_view(of, whole.clone(), at, open))}
            </li>
        }
        .into_any();
    }
    let pickled = is_pickle(&e.path);
    let this = whole.clone();
    let on = move || at.with(|(m, p)| *m == of.model && *p == this);
    view! {
        <li>
            <button type="button" class="tree__row" aria-pressed=move || on().to_string() on:click=move |_| open.run((of.model, whole.clone()))>
                <span class="tree__gap"></span>
                <Icon glyph=Glyph::File size=15/>
                <span class="grow">{name}</span>
                {pickled.then(|| view! { <PickleMark/> })}
                <span class="faint">{fmt::bytes(e.size)}</span>
            </button>
        </li>
    }
    .into_any()
}

#[component]
fn Shown(run: RunId, at: Memo<At>) -> impl IntoView {
    let ctx = use_run();
    let address = move |model: Option<LoggedModelId>, p: &str| {
        let experiment = ctx.detail.with_untracked(|d| d.experiment.id);
        let parts: Vec<String> = p.split('/').map(fmt::encode).collect();
        let owner = model.map_or_else(|| run.hex(), |m| format!("models/{}", m.tag()));
        format!(
            "/api/2.0/mlflow-artifacts/artifacts/{experiment}/{owner}/artifacts/{}",
            parts.join("/")
        )
    };
    move || {
        let (model, p) = at.get();
        let of = Whose { run, model };
        if p.is_empty() {
            return view! { <Card class="run-files__shown"><EmptyState glyph=Glyph::File title="Choose a file" text="Texts and pictures are shown here; everything can be downloaded."/></Card> }
                .into_any();
        }
        let url = address(model, &p);
        let name = p.rsplit('/').next().unwrap_or(&p).to_owned();
        let download = url.clone();
        view! {
            <Card title=name class="run-files__shown" aside=ViewFn::from(move || view! {
                <a class="btn" href=download.clone() rel="external" download=""><Icon glyph=Glyph::Download/><span class="btn__text">"Download"</span></a>
            })>
                <p class="faint data-path">{p.clone()}</p>
                <Preview of path=p url/>
            </Card>
        }
        .into_any()
    }
}

#[component]
fn Preview(of: Whose, path: String, url: String) -> impl IntoView {
    let is_json = path.to_ascii_lowercase().ends_with(".json");
    let pickled = is_pickle(&path);
    let alt = path.clone();
    let shown = use_load(
        move || path.clone(),
        move |p| api::run_preview(of.run, of.model, p),
    );
    view! {
        <Transition fallback=|| view! { <Skeleton lines=6/> }>
            {move || {
                let (url, alt) = (url.clone(), alt.clone());
                Suspend::new(async move {
                    match shown.await {
                        Ok(FilePreview::Picture) => view! { <img class="run-files__picture" src=url alt=alt/> }.into_any(),
                        Ok(FilePreview::Text { text, is_cut }) => {
                            let text = if is_json && !is_cut { pretty(&text) } else { text };
                            view! {
                                <pre class="data-code run-files__text" tabindex="0"><code>{text}</code></pre>
                                {is_cut.then(|| view! { <p class="faint">"Only the beginning is shown; download the file for all of it."</p> })}
                            }.into_any()
                        }
                        Ok(FilePreview::Nothing) if pickled => view! {
                            <Notice tone=crate::ui::Tone::Warn>"A pickle runs whatever code it holds where it is loaded. Limn never runs it; load it only if you trust whoever made it."</Notice>
                        }.into_any(),
                        Ok(FilePreview::Nothing) => view! { <p class="muted">"There is no preview of this kind of file."</p> }.into_any(),
                        Err(error) => view! { <ErrorView error retry=move || shown.refetch()/> }.into_any(),
                    }
                })
            }}
        </Transition>
    }
}

/// JSON with its parts on lines of their own; as it is when it is none.
fn pretty(text: &str) -> String {
    serde_json::from_str::<serde_json::Value>(text)
        .and_then(|v| serde_json::to_string_pretty(&v))
        .unwrap_or_else(|_| text.to_owned())
}
