//! The files of a version: a grid with labels, or folders.

use super::api;
use super::layout::{NoVersion, use_dataset};
use super::shape::{Colors, Thumb, file_url};
use super::source::split_options;
use crate::data::use_load;
use crate::fmt;
use crate::ui::{Button, Card, Chip, EmptyState, ErrorView, Glyph, Icon, Select, Skeleton, Table, TextInput};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_query_map;
use limn_domain::VersionId;
use limn_domain::dataset::{Entry, EntryQuery, FolderPage, Split, Version};

const PAGE: i64 = 60;

/// `/data/:id/files?version=3`
#[component]
pub fn FilesTab() -> impl IntoView {
    let ctx = use_dataset();
    let query = use_query_map().get_untracked();
    let number = RwSignal::new(query.get("version").unwrap_or_default());
    let version = Memo::new(move |_| ctx.version(&number.get()));
    if number.with_untracked(String::is_empty)
        && let Some(v) = version.get_untracked()
    {
        number.set(v.number.to_string());
    }
    let view_as = RwSignal::new("grid".to_owned());
    let split = RwSignal::new(query.get("split").unwrap_or_default());
    let category = RwSignal::new(query.get("category").unwrap_or_default());
    let glob = RwSignal::new(query.get("glob").unwrap_or_default());
    let categories = move || {
        let mut all = vec![(String::new(), "All categories".to_owned())];
        if let Some(v) = version.get() {
            all.extend(
                v.counts
                    .categories
                    .iter()
                    .map(|c| (c.path.clone(), format!("{} ({})", c.path, fmt::count(c.files)))),
            );
        }
        all
    };
    let folders = Memo::new(move |_| view_as.with(|v| v == "folders"));
    view! {
        <Show when=move || version.with(Option::is_some) fallback=move || view! { <NoVersion ctx/> }>
            <div class="toolbar">
                <Select value=number options=Signal::derive(move || ctx.options()) label="Version"/>
                <Select
                    value=view_as
                    options=vec![("grid".to_owned(), "All files".to_owned()), ("folders".to_owned(), "Folders".to_owned())]
                    label="View"
                />
                <Show when=move || !folders.get()>
                    <Select value=split options=split_options("All splits") label="Split"/>
                    <Show when=move || version.with(|v| v.as_ref().is_some_and(|v| !v.counts.categories.is_empty()))>
                        <Select value=category options=Signal::derive(categories) label="Category"/>
                    </Show>
                    <div class="toolbar__search">
                        <TextInput value=glob icon=Glyph::Search placeholder="Paths: train/**, *.png" label="Paths" mono=true/>
                    </div>
                </Show>
                {move || version.get().map(|v| view! {
                    <Button icon=Glyph::Download href=format!("/api/v1/versions/{}/zip", v.id) external=true>"All as a zip"</Button>
                })}
            </div>
            {move || version.get().map(|v| if folders.get() {
                view! { <Folders version=v/> }.into_any()
            } else {
                view! { <Grid version=v split category glob/> }.into_any()
            })}
        </Show>
    }
}

#[component]
fn Grid(
    version: Version,
    split: RwSignal<String>,
    category: RwSignal<String>,
    glob: RwSignal<String>,
) -> impl IntoView {
    let id = version.id;
    let query = Memo::new(move |_| EntryQuery {
        split: split.with(|s| s.parse().ok()),
        category: Some(category.get()).filter(|c| !c.is_empty()),
        glob: Some(glob.get()).filter(|g| !g.trim().is_empty()),
        labels: true,
        cursor: None,
        limit: Some(PAGE),
    });
    let schema = use_load(move || id, api::version_schema);
    let colors = Signal::derive(move || match schema.get() {
        Some(Ok(s)) => s
            .categories
            .into_iter()
            .map(|c| (c.id, c.color))
            .collect::<Colors>(),
        _ => Colors::new(),
    });
    let page = use_load(move || query.get(), move |q| api::version_entries(id, q));
    view! {
        <Transition fallback=|| view! { <Skeleton lines=6/> }>
            {move || {
                // Read here, so that the colours come along with the page.
                colors.track();
                Suspend::new(async move {
                    match page.await {
                        Ok(p) if p.rows.is_empty() && p.next.is_none() => view! {
                            <Card><EmptyState glyph=Glyph::Search title="No file matches" text="Choose other filters; a pattern without a slash is matched against file names."/></Card>
                        }
                        .into_any(),
                        Ok(p) => view! { <Pages id rows=p.rows next=p.next total=p.total query colors/> }.into_any(),
                        Err(error) => view! { <ErrorView error retry=move || page.refetch()/> }.into_any(),
                    }
                })
            }}
        </Transition>
    }
}

#[component]
fn Pages(
    id: VersionId,
    rows: Vec<Entry>,
    next: Option<String>,
    total: Option<i64>,
    query: Memo<EntryQuery>,
    colors: Signal<Colors>,
) -> impl IntoView {
    let rows = RwSignal::new(rows);
    let next = RwSignal::new(next);
    let busy = RwSignal::new(false);
    let more = move || {
        busy.set(true);
        let wanted = EntryQuery {
            cursor: next.get_untracked(),
            ..query.get_untracked()
        };
        spawn_local(async move {
            if let Ok(page) = api::version_entries(id, wanted).await {
                rows.try_update(|r| r.extend(page.rows));
                next.try_set(page.next);
            }
            busy.try_set(false);
        });
    };
    view! {
        <ul class="data-grid" aria-label="Files">
            <For each=move || rows.get() key=|e| e.path.clone() let:e><FileCard id entry=e colors/></For>
        </ul>
        <p class="data-more muted">
            {move || {
                let shown = fmt::count(rows.with(Vec::len) as i64);
                total.map_or_else(|| format!("{shown} shown"), |t| format!("{shown} of {} shown", fmt::count(t)))
            }}
            {move || next.with(Option::is_some).then(|| view! { <Button loading=busy on_click=more>"Show more"</Button> })}
        </p>
    }
}

#[component]
fn FileCard(id: VersionId, entry: Entry, colors: Signal<Colors>) -> impl IntoView {
    let name = entry.path.rsplit('/').next().unwrap_or(&entry.path).to_owned();
    let labels: i64 = entry.categories.values().sum();
    let said: Vec<String> = entry
        .categories
        .iter()
        .map(|(c, n)| if *n > 1 { format!("{c} x{n}") } else { c.clone() })
        .collect();
    let title = format!("{}\n{}", entry.path, said.join(", "));
    let href = file_url(id, &entry.path);
    let split = entry.split;
    view! {
        <li>
            <a class="data-cell" href=href rel="external" title=title>
                <Thumb version=id entry colors/>
                <span class="data-cell__name">{name}</span>
                <span class="data-cell__foot">
                    {(split != Split::None).then(|| view! { <Chip>{split.label()}</Chip> })}
                    {(labels > 0).then(|| view! { <span class="faint">{fmt::counted(labels, "label", "labels")}</span> })}
                </span>
            </a>
        </li>
    }
}

#[component]
fn Folders(version: Version) -> impl IntoView {
    let id = version.id;
    let path = RwSignal::new(String::new());
    let page = use_load(move || path.get(), move |p| api::version_folder(id, p, None));
    let crumbs = move || {
        let mut parts = vec![(String::new(), format!("Version {}", version.number))];
        path.with(|p| {
            let mut so_far = String::new();
            for part in p.split('/').filter(|s| !s.is_empty()) {
                if !so_far.is_empty() {
                    so_far.push('/');
                }
                so_far.push_str(part);
                parts.push((so_far.clone(), part.to_owned()));
            }
        });
        parts
    };
    view! {
        <p class="data-crumbs">
            {move || crumbs().into_iter().map(|(to, text)| view! {
                <button type="button" class="link" on:click=move |_| path.set(to.clone())>{text}</button>
            }).collect_view()}
        </p>
        <Card flush=true>
            <Transition fallback=|| view! { <div class="pad"><Skeleton lines=4/></div> }>
                {move || Suspend::new(async move {
                    match page.await {
                        Ok(p) => view! { <FolderRows id path page=p/> }.into_any(),
                        Err(error) => view! { <ErrorView error retry=move || page.refetch()/> }.into_any(),
                    }
                })}
            </Transition>
        </Card>
    }
}

#[component]
fn FolderRows(id: VersionId, path: RwSignal<String>, page: FolderPage) -> impl IntoView {
    let folders = RwSignal::new(page.folders);
    let files = RwSignal::new(page.files);
    let next = RwSignal::new(page.next);
    let busy = RwSignal::new(false);
    let more = move || {
        busy.set(true);
        let (at, cursor) = (path.get_untracked(), next.get_untracked());
        spawn_local(async move {
            if let Ok(p) = api::version_folder(id, at, cursor).await {
                folders.try_update(|f| f.extend(p.folders));
                files.try_update(|f| f.extend(p.files));
                next.try_set(p.next);
            }
            busy.try_set(false);
        });
    };
    let enter = move |name: &str| {
        path.update(|p| {
            if !p.is_empty() {
                p.push('/');
            }
            p.push_str(name);
        });
    };
    view! {
        <Table label="Files" columns=vec!["Name", "Size", "Type", "Split"]>
            {move || folders.get().into_iter().map(|f| {
                let to = f.name.clone();
                view! {
                    <tr>
                        <td data-label="Name">
                            <button type="button" class="link data-name" on:click=move |_| enter(&to)><Icon glyph=Glyph::Folder/>{f.name}</button>
                        </td>
                        <td data-label="Size"></td><td data-label="Type">"Folder"</td><td data-label="Split"></td>
                    </tr>
                }
            }).collect_view()}
            {move || files.get().into_iter().map(|e| {
                let name = e.path.rsplit('/').next().unwrap_or(&e.path).to_owned();
                view! {
                    <tr>
                        <td data-label="Name"><a class="link data-name" href=file_url(id, &e.path) rel="external"><Icon glyph=Glyph::File/>{name}</a></td>
                        <td data-label="Size" class="num">{fmt::bytes(e.size)}</td>
                        <td data-label="Type">{e.media_type}</td>
                        <td data-label="Split">{if e.split == Split::None { "" } else { e.split.label() }}</td>
                    </tr>
                }
            }).collect_view()}
        </Table>
        {move || next.with(Option::is_some).then(|| view! { <p class="data-more pad"><Button loading=busy on_click=more>"Show more"</Button></p> })}
    }
}
