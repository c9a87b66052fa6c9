//! All registered models.

use super::api;
use crate::data::use_load;
use crate::fmt;
use crate::ui::{
    Card, Chip, CopyButton, EmptyState, ErrorView, Glyph, PageHead, RelativeTime, Skeleton, Table, TextInput,
    Tone,
};
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::{use_navigate, use_query_map};
use limn_domain::model::RegisteredModel;

/// `/models`
#[component]
pub fn ModelsPage() -> impl IntoView {
    let query = use_query_map();
    let text = RwSignal::new(query.with_untracked(|q| q.get("q").unwrap_or_default()));
    let navigate = use_navigate();
    Effect::new(move |before: Option<()>| {
        let wanted = text.get();
        if before.is_some() {
            let search = if wanted.trim().is_empty() {
                String::new()
            } else {
                format!("?q={}", fmt::encode(wanted.trim()))
            };
            let options = NavigateOptions {
                replace: true,
                scroll: false,
                ..NavigateOptions::default()
            };
            navigate(&format!("/models{search}"), options);
        }
    });
    let models = use_load(move || text.get(), api::model_list);
    view! {
        <PageHead title="Models" sub=ViewFn::from(|| "Models by name, with versions that keep their files, and aliases that say which one is in use.")/>
        <div class="toolbar">
            <div class="toolbar__search"><TextInput value=text kind="search" icon=Glyph::Search placeholder="Name, team:vision or alias:production" label="Search models"/></div>
        </div>
        <Transition fallback=|| view! { <Card><Skeleton lines=5/></Card> }>
            {move || Suspend::new(async move {
                match models.await {
                    Ok(page) if page.rows.is_empty() && text.with_untracked(|t| t.trim().is_empty()) => view! { <Nothing/> }.into_any(),
                    Ok(page) if page.rows.is_empty() => {
                        let how = "Words are parts of names; team:vision finds a tag of a model or version, alias:production an alias. A filter says it exactly: version_tags.team = 'vision'.";
                        let text = page.hint.unwrap_or_else(|| how.to_owned());
                        view! { <Card><EmptyState glyph=Glyph::Search title="No model matches" text/></Card> }.into_any()
                    }
                    Ok(page) => {
                        let more = page.total - page.rows.len() as i64;
                        view! {
                            <Card flush=true>
                                <Table label="Models" columns=vec!["Name", "Versions", "Aliases", "Changed"]>
                                    {page.rows.into_iter().map(|f| view! { <Row m=f.model found=f.versions/> }).collect_view()}
                                </Table>
                            </Card>
                            {(more > 0).then(|| view! { <p class="faint">{format!("{} more; search to find them.", fmt::count(more))}</p> })}
                        }.into_any()
                    }
                    Err(error) => view! { <ErrorView error retry=move || models.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn Nothing() -> impl IntoView {
    let code = "with mlflow.start_run():\n    mlflow.sklearn.log_model(model, name=\"model\",\n                             registered_model_name=\"digits\")";
    view! {
        <Card>
            <EmptyState glyph=Glyph::Cube title="No model yet" text="Register what a run made: on the run's page, or where it is logged."/>
            <div class="first-run">
                <Card title="From Python" aside=ViewFn::from(move || view! { <CopyButton text=code/> })>
                    <p class="muted">"The experiments page shows how to point the client at this server."</p>
                    <pre class="data-code" tabindex="0"><code>{code}</code></pre>
                </Card>
            </div>
        </Card>
    }
}

/// `found`: versions by which it was found.
#[component]
fn Row(m: RegisteredModel, found: Vec<i64>) -> impl IntoView {
    let of = m.name.clone();
    let versions = found
        .into_iter()
        .map(|n| {
            let href = format!("/models/{}/versions/{n}", fmt::encode(&of));
            view! { <a class="link" href=href>{format!("Version {n}")}</a> }
        })
        .collect_view();
    let latest = m.latest_number.map_or_else(
        || "None".to_owned(),
        |n| format!("{}, newest {n}", fmt::count(m.versions)),
    );
    let about = m
        .description
        .lines()
        .map(|l| l.trim_start_matches(['#', '>', '*', '-', ' ']).trim())
        .find(|l| !l.is_empty())
        .unwrap_or_default()
        .to_owned();
    view! {
        <tr>
            <td data-label="Name">
                <span class="data-version">
                    <a class="link" href=format!("/models/{}", fmt::encode(&m.name))><b>{m.name.clone()}</b></a>
                    {(!about.is_empty()).then(|| view! { <span class="faint">{about}</span> })}
                </span>
            </td>
            <td data-label="Versions"><span class="data-chips">{latest}{versions}</span></td>
            <td data-label="Aliases">
                <span class="data-chips">
                    {m.aliases.into_iter().map(|a| view! { <Chip tone=Tone::Accent>{format!("{} v{}", a.name, a.number)}</Chip> }).collect_view()}
                </span>
            </td>
            <td data-label="Changed"><RelativeTime at=m.updated_at/></td>
        </tr>
    }
}
