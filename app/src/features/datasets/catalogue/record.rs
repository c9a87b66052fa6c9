//! One record of the catalogue: its card, its files, its licence.

use super::DigestNote;
use super::add::AddCard;
use crate::data::use_load;
use crate::features::datasets::api;
use crate::fmt;
use crate::session::use_session;
use crate::ui::{
    Breadcrumbs, Card, Chip, CopyButton, ErrorView, Glyph, Icon, Notice, PageHead, Skeleton, SkeletonCards,
    Table,
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use limn_domain::authz::Action;
use limn_domain::catalogue::{CatalogueDetail, CatalogueFile, CatalogueUse, DigestState};

/// Names shown of many.
const NAMES: usize = 24;

/// `/data/catalogue/:slug`
#[component]
pub fn CataloguePage() -> impl IntoView {
    let session = use_session();
    let params = use_params_map();
    let slug = Memo::new(move |_| params.with(|p| p.get("slug").unwrap_or_default()));
    view! {
        <Show
            when=move || session.may(Action::CreateDataset)
            fallback=|| view! {
                <PageHead title="Open datasets"/>
                <Notice>"Only managers and admins add open datasets. Ask one of them."</Notice>
            }
        >
            {move || view! { <Loaded slug=slug.get()/> }}
        </Show>
    }
}

#[component]
fn Loaded(slug: String) -> impl IntoView {
    let record = use_load(move || slug.clone(), api::catalogue_get);
    view! {
        <Suspense fallback=|| view! { <div class="project-waiting"><Skeleton lines=2/></div><SkeletonCards count=2/> }>
            {move || Suspend::new(async move {
                match record.await {
                    Ok(d) => view! { <Record d again=Callback::new(move |()| record.refetch())/> }.into_any(),
                    Err(error) => view! { <ErrorView error page=true retry=move || record.refetch()/> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Record(d: CatalogueDetail, again: Callback<()>) -> impl IntoView {
    let e = d.entry;
    let crumbs = vec![
        ("Data".to_owned(), "/data".to_owned()),
        ("Open datasets".to_owned(), "/data/catalogue".to_owned()),
        (e.name.clone(), String::new()),
    ];
    let summary = e.summary.clone();
    let task = e.task.label();
    let tags = e.tags.clone();
    view! {
        <Breadcrumbs items=crumbs/>
        <PageHead
            title=e.name.clone()
            sub=ViewFn::from(move || summary.clone())
            badge=ViewFn::from(move || view! { <Chip>{task}</Chip> })
        />
        {(!tags.is_empty()).then(|| view! {
            <p class="data-tags">{tags.into_iter().map(|t| view! { <span class="data-tag">{t}</span> }).collect_view()}</p>
        })}
        <div class="overview">
            <div class="overview__col">
                <Card title="About"><div class="prose" inner_html=d.card_html></div></Card>
                <Files files=d.sources state=e.digests/>
                {(!d.citation.trim().is_empty()).then(|| view! {
                    <Card title="Citation">
                        <pre class="data-code" tabindex="0" aria-label="Citation"><code>{d.citation.trim().to_owned()}</code></pre>
                    </Card>
                })}
            </div>
            <div class="overview__col">
                <AddCard slug=e.slug name=e.name bytes=e.bytes again/>
                <Added list=e.added/>
                <Card title="Facts">
                    <dl class="facts">
                        <dt>"Licence"</dt>
                        <dd>{match e.licence.url {
                            Some(url) => view! { <Outward href=url text=e.licence.name/> }.into_any(),
                            None => e.licence.name.into_any(),
                        }}</dd>
                        <dt>"Publisher"</dt>
                        <dd><Outward text=host(&d.home) href=d.home/></dd>
                        <dt>"To fetch"</dt>
                        <dd>{e.bytes.map_or_else(|| "Size not stated".to_owned(), fmt::bytes)}{format!(" in {}", fmt::counted(e.files, "file", "files"))}</dd>
                        <dt>"Digests"</dt>
                        <dd><DigestNote state=e.digests/></dd>
                        <dt>"Kind"</dt>
                        <dd>{e.kind.label()}</dd>
                        <dt>"Splits"</dt>
                        <dd>{if d.splits.is_empty() {
                            "None".to_owned()
                        } else {
                            d.splits.iter().map(|s| s.label()).collect::<Vec<_>>().join(", ")
                        }}</dd>
                    </dl>
                </Card>
                <Names names=d.names tabular=e.kind == limn_domain::dataset::DatasetKind::Tabular/>
            </div>
        </div>
    }
}

/// The host of an address, for people.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest).to_owned()
}

/// A link that leaves the studio.
#[component]
fn Outward(href: String, text: String) -> impl IntoView {
    view! {
        <a class="link open-out" href=href target="_blank" rel="noopener noreferrer external">
            {text}<Icon glyph=Glyph::ExternalLink size=12/><span class="sr-only">" (opens in a new tab)"</span>
        </a>
    }
}

#[component]
fn Files(files: Vec<CatalogueFile>, state: DigestState) -> impl IntoView {
    view! {
        <Card flush=true title="Files">
            {(state != DigestState::All).then(|| view! {
                <div class="open-remark">
                    <Notice>"The publisher states no digest for some of these files. What is fetched is noted with its own digests, and cannot be compared with anything."</Notice>
                </div>
            })}
            <Table label="Files" columns=vec!["File", "Size", "Digest", "From"]>
                {files.into_iter().map(|f| {
                    let from = f.urls.iter().map(|u| host(u)).collect::<Vec<_>>().join(", ");
                    let address = f.urls.join("\n");
                    view! {
                        <tr>
                            <td data-label="File"><span class="mono break">{f.name}</span></td>
                            <td data-label="Size">{f.bytes.map_or_else(|| "Not stated".to_owned(), fmt::bytes)}</td>
                            <td data-label="Digest">
                                {match f.digest {
                                    Some(digest) => view! { <Digest digest/> }.into_any(),
                                    None => view! { <span class="faint">"None published"</span> }.into_any(),
                                }}
                            </td>
                            <td data-label="From"><span class="break" title=address>{from}</span></td>
                        </tr>
                    }
                }).collect_view()}
            </Table>
        </Card>
    }
}

#[component]
fn Digest(digest: String) -> impl IntoView {
    let (algorithm, hex) = digest.split_once(':').unwrap_or(("", &digest));
    let short = format!("{algorithm}:{}", hex.chars().take(12).collect::<String>());
    view! {
        <span class="data-digest"><code title=digest.clone()>{short}</code><CopyButton text=digest.clone()/></span>
    }
}

/// What was made of it already.
#[component]
fn Added(list: Vec<CatalogueUse>) -> impl IntoView {
    (!list.is_empty()).then(|| {
        view! {
            <Card title="Added already">
                <ul class="data-moves">
                    {list.into_iter().map(|u| view! {
                        <li><a class="link" href=format!("/data/{}", u.dataset_id)>{u.name}</a>{format!(", version {}", u.number)}</li>
                    }).collect_view()}
                </ul>
            </Card>
        }
    })
}

/// Names of categories, or of columns.
#[component]
fn Names(names: Vec<String>, tabular: bool) -> impl IntoView {
    let more = names.len().saturating_sub(NAMES);
    (!names.is_empty()).then(|| {
        let title = if tabular { "Columns" } else { "Categories" };
        view! {
            <Card title=title>
                <p class="data-tags open-names">
                    {names.into_iter().take(NAMES).map(|n| view! { <span class="data-tag">{n}</span> }).collect_view()}
                    {(more > 0).then(|| view! { <span class="faint">{format!("and {} more", fmt::count(more as i64))}</span> })}
                </p>
            </Card>
        }
    })
}
