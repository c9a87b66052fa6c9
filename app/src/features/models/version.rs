//! One version of a registered model: where it came from, its files, its tags.

use super::api::{self, VersionDetail};
use super::parts::{DescribeDialog, TagsCard};
use crate::data::{use_form, use_load};
use crate::fmt;
use crate::session::use_session;
use crate::ui::{
    Breadcrumbs, Button, Card, Chip, CopyButton, ErrorView, Glyph, Icon, NotFound, Notice, PageHead,
    RelativeTime, Skeleton, Table, Tone,
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use limn_domain::Code;
use limn_domain::authz::Action;
use limn_domain::model::ModelFile;

/// `/models/:model_name/versions/:number`
#[component]
pub fn VersionPage() -> impl IntoView {
    let params = use_params_map();
    let which = Memo::new(move |_| {
        params.with(|p| {
            let number = p.get("number").and_then(|n| n.parse::<i64>().ok()).unwrap_or(0);
            (p.get("model_name").unwrap_or_default(), number)
        })
    });
    let data = use_load(
        move || which.get(),
        |(name, number)| api::model_version(name, number),
    );
    view! {
        <Transition fallback=|| view! { <Skeleton lines=6/> }>
            {move || Suspend::new(async move {
                match data.await {
                    Ok(d) => {
                        let again = Callback::new(move |()| data.refetch());
                        view! { <Whole d again/> }.into_any()
                    }
                    Err(error) if error.code == Code::NotFound => view! { <NotFound/> }.into_any(),
                    Err(error) => view! { <ErrorView error retry=move || data.refetch()/> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn Whole(d: VersionDetail, again: Callback<()>) -> impl IntoView {
    let session = use_session();
    let v = d.version;
    let name = StoredValue::new(v.model_name.clone());
    let number = v.number;
    let model_href = format!("/models/{}", fmt::encode(&v.model_name));
    let crumbs = vec![
        ("Models".to_owned(), "/models".to_owned()),
        (v.model_name.clone(), model_href.clone()),
        (format!("Version {number}"), String::new()),
    ];
    let describing = RwSignal::new(false);
    let text = RwSignal::new(v.description.clone());
    let save = use_form(
        move |()| api::model_describe_version(name.get_value(), number, text.get_untracked()),
        move |()| {
            describing.set(false);
            again.run(());
        },
    );
    let zip = format!("/api/v1{model_href}/versions/{number}/zip");
    let has_files = !d.files.is_empty();
    let pickles = d.files.iter().filter(|f| f.is_pickle).count();
    let aliases = v.aliases.clone();
    let badge = move || {
        aliases
            .clone()
            .into_iter()
            .map(|a| view! { <Chip tone=Tone::Accent>{a}</Chip> })
            .collect_view()
    };
    let origin = d.origin.clone();
    let metrics = d.origin.as_ref().map(|o| o.metrics.clone()).unwrap_or_default();
    view! {
        <Breadcrumbs items=crumbs/>
        <PageHead title=format!("{}, version {number}", v.model_name) badge=ViewFn::from(badge)>
            {has_files.then(|| view! { <Button icon=Glyph::Archive href=zip external=true>"Files as a zip"</Button> })}
        </PageHead>
        {(pickles > 0).then(|| view! {
            <Notice tone=Tone::Warn>
                {format!("{} a pickle, which runs whatever code it holds where it is loaded. Limn never runs it; load it only if you trust whoever made it.",
                    if pickles == 1 { "One file is".to_owned() } else { format!("{pickles} files are each") })}
            </Notice>
        })}
        <div class="overview">
            <div class="overview__col">
                <Card title="About" aside=ViewFn::from(move || session.may(Action::LogRuns).then(|| view! {
                    <Button icon=Glyph::Pencil on_click=move || describing.set(true)>"Edit"</Button>
                }))>
                    {if v.description.trim().is_empty() {
                        view! { <p class="muted">"No description yet."</p> }.into_any()
                    } else {
                        view! { <div class="prose" inner_html=d.description_html.clone()></div> }.into_any()
                    }}
                </Card>
                <Files files=d.files/>
                {d.signature.map(|text| view! { <Card title="MLmodel"><pre class="data-code" tabindex="0"><code>{text}</code></pre></Card> })}
            </div>
            <div class="overview__col">
                <Card title="Where it came from">
                    <dl class="facts">
                        {v.run_id.map(|run| view! {
                            <dt>"Run"</dt>
                            <dd><a class="link" href=format!("/runs/{}", run.hex())>{origin.map_or_else(|| run.hex(), |o| o.run_name)}</a></dd>
                        })}
                        {d.dataset.map(|(id, name, n)| view! {
                            <dt>"Data"</dt>
                            <dd><a class="link" href=format!("/data/{id}/files?version={n}")>{format!("{name}, version {n}")}</a></dd>
                        })}
                        <dt>"Registered"</dt><dd><RelativeTime at=v.created_at/>" by "{v.by_name.clone()}</dd>
                        <dt>"Source"</dt><dd class="runs__source">{v.source.clone()}</dd>
                        {(v.stage != "None").then(|| view! { <dt>"Stage"</dt><dd>{v.stage.clone()}</dd> })}
                    </dl>
                </Card>
                {(!metrics.is_empty()).then(|| view! {
                    <Card title="Metrics of its run">
                        <dl class="facts">
                            {metrics.into_iter().take(30).map(|m| view! { <dt>{m.key}</dt><dd>{fmt::measured(m.last.value)}</dd> }).collect_view()}
                        </dl>
                    </Card>
                })}
                <TagsCard name=v.model_name.clone() number=Some(number) tags=v.tags.clone() again/>
            </div>
        </div>
        <DescribeDialog open=describing text error=save.error pending=save.pending on_save=Callback::new(move |()| save.run(()))/>
    }
}

#[component]
fn Files(files: Vec<ModelFile>) -> impl IntoView {
    if files.is_empty() {
        return view! { <Card title="Files"><p class="muted">"There were no files when it was registered."</p></Card> }.into_any();
    }
    view! {
        <Card flush=true title="Files">
            <Table label="Files" columns=vec!["Path", "Size", "Digest"]>
                {files.into_iter().map(|f| {
                    let digest = f.digest.map(|d| d.to_string()).unwrap_or_default();
                    view! {
                        <tr>
                            <td data-label="Path">
                                <span class="data-name"><Icon glyph=Glyph::File size=14/>{f.entry.path}
                                    {f.is_pickle.then(|| view! { <span class="pickle" title="A pickle runs whatever code it holds where it is loaded. Limn never runs it."><Icon glyph=Glyph::Warning size=13/>"pickle"</span> })}
                                </span>
                            </td>
                            <td data-label="Size">{fmt::bytes(f.entry.size)}</td>
                            <td data-label="Digest"><span class="data-digest"><code title=digest.clone()>{digest.chars().take(12).collect::<String>()}</code><CopyButton text=digest.clone()/></span></td>
                        </tr>
                    }
                }).collect_view()}
            </Table>
        </Card>
    }
    .into_any()
}
