//! Folders and files of a datastore, with a look at one file.

use super::api;
use crate::data::use_load;
use crate::error::AppError;
use crate::fmt;
use crate::ui::{
    Button, Card, Dialog, DialogBody, DialogSize, EmptyState, ErrorView, Glyph, Icon, RelativeTime, Skeleton,
};
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::DatastoreId;
use limn_domain::datastore::{StoreEntry, StorePage, StorePreview, TablePreview};
use std::fmt::Write as _;

#[component]
pub fn Browse(id: DatastoreId) -> impl IntoView {
    let path = RwSignal::new(String::new());
    let page = use_load(
        move || path.get(),
        move |folder| async move {
            let page = api::datastore_browse(id, folder.clone(), None).await?;
            Ok::<_, AppError>((folder, page))
        },
    );
    let open = RwSignal::new(false);
    let shown = RwSignal::new(String::new());
    view! {
        <Card flush=true>
            <nav class="store-path" aria-label="Folder">
                <button type="button" class="link" on:click=move |_| path.set(String::new())>"Top"</button>
                {move || {
                    let now = path.get();
                    let mut whole = String::new();
                    now.split('/').filter(|p| !p.is_empty()).map(|part| {
                        if !whole.is_empty() {
                            whole.push('/');
                        }
                        whole.push_str(part);
                        let to = whole.clone();
                        view! {
                            <span class="faint">"/"</span>
                            <button type="button" class="link" on:click=move |_| path.set(to.clone())>{part.to_owned()}</button>
                        }
                    }).collect_view()
                }}
            </nav>
            <Transition fallback=|| view! { <div class="pad"><Skeleton lines=6/></div> }>
                {move || Suspend::new(async move {
                    match page.await {
                        Ok((_, p)) if p.entries.is_empty() && p.next.is_none() => view! {
                            <EmptyState glyph=Glyph::Folder title="Nothing here" text="This folder holds no files and no folders."/>
                        }
                        .into_any(),
                        Ok((folder, p)) => view! { <Rows id folder page=p path open shown/> }.into_any(),
                        Err(error) => view! { <div class="pad"><ErrorView error retry=move || page.refetch()/></div> }.into_any(),
                    }
                })}
            </Transition>
        </Card>
        <Dialog open title=Signal::derive(move || last(&shown.get()).to_owned()) size=DialogSize::Large>
            <DialogBody><Preview id path=shown.get_untracked()/></DialogBody>
        </Dialog>
    }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[component]
fn Rows(
    id: DatastoreId,
    folder: String,
    page: StorePage,
    path: RwSignal<String>,
    open: RwSignal<bool>,
    shown: RwSignal<String>,
) -> impl IntoView {
    let entries = RwSignal::new(page.entries);
    let next = RwSignal::new(page.next);
    let busy = RwSignal::new(false);
    let more = move || {
        busy.set(true);
        let folder = folder.clone();
        spawn_local(async move {
            if let Ok(page) = api::datastore_browse(id, folder, next.get_untracked()).await {
                entries.try_update(|e| e.extend(page.entries));
                next.try_set(page.next);
            }
            busy.try_set(false);
        });
    };
    view! {
        <ul class="store-rows">
            <For each=move || entries.get() key=|e| (e.path.clone(), e.is_folder) let:e>
                <Row e path open shown/>
            </For>
        </ul>
        {
            let more = Callback::new(move |()| more());
            move || next.with(Option::is_some).then(|| view! {
                <p class="more"><Button loading=busy on_click=more>"Show more"</Button></p>
            })
        }
    }
}

#[component]
fn Row(
    e: StoreEntry,
    path: RwSignal<String>,
    open: RwSignal<bool>,
    shown: RwSignal<String>,
) -> impl IntoView {
    let name = last(&e.path).to_owned();
    let to = e.path;
    let folder = e.is_folder;
    view! {
        <li>
            <button
                type="button"
                class="store-row"
                on:click=move |_| {
                    if folder {
                        path.set(to.clone());
                    } else {
                        shown.set(to.clone());
                        open.set(true);
                    }
                }
            >
                <Icon glyph=if folder { Glyph::Folder } else { Glyph::File }/>
                <span class="grow break">{name}</span>
                {e.size.map(|s| view! { <span class="muted num">{fmt::bytes(s)}</span> })}
                {e.modified.map(|at| view! { <span class="faint store-row__at"><RelativeTime at/></span> })}
            </button>
        </li>
    }
}

#[component]
fn Preview(id: DatastoreId, path: String) -> impl IntoView {
    let file = path.clone();
    let look = use_load(move || file.clone(), move |p| api::datastore_preview(id, p));
    let encoded = encode(&path);
    let alt = last(&path).to_owned();
    view! {
        <p class="mono faint break">{path}</p>
        <Suspense fallback=|| view! { <Skeleton lines=5/> }>
            {move || {
                let (encoded, alt) = (encoded.clone(), alt.clone());
                Suspend::new(async move {
                    match look.await {
                        Ok(StorePreview::Image { width, height, size }) => view! {
                            <img class="store-picture" alt=alt src=format!("/media/datastores/{id}/thumb?path={encoded}")/>
                            <p class="muted">{format!("{width} x {height} pixels{}", size.map(|s| format!(", {}", fmt::bytes(s))).unwrap_or_default())}</p>
                        }
                        .into_any(),
                        Ok(StorePreview::Text { text, cut, .. }) => view! {
                            <pre class="store-text" tabindex="0">{text}</pre>
                            {cut.then(|| view! { <p class="faint">"The beginning of the file."</p> })}
                        }
                        .into_any(),
                        Ok(StorePreview::Table(table)) => view! { <TableView table/> }.into_any(),
                        Ok(StorePreview::Other { why, size }) => view! {
                            <EmptyState glyph=Glyph::File title="No preview" text=match size {
                                Some(s) => format!("{why} It has {}.", fmt::bytes(s)),
                                None => why,
                            }/>
                        }
                        .into_any(),
                        Err(error) => view! { <ErrorView error retry=move || look.refetch()/> }.into_any(),
                    }
                })
            }}
        </Suspense>
    }
}

/// Rows as text.
#[component]
pub fn TableView(table: TablePreview) -> impl IntoView {
    let rows = fmt::counted(table.rows.len() as i64, "row", "rows");
    view! {
        <div class="store-table" tabindex="0" role="region" aria-label="Rows">
            <table>
                <thead>
                    <tr>
                        {table.columns.into_iter().map(|c| view! {
                            <th scope="col">{c.name}<span class="faint">{c.type_name.to_lowercase()}</span></th>
                        }).collect_view()}
                    </tr>
                </thead>
                <tbody>
                    {table.rows.into_iter().map(|row| view! {
                        <tr>
                            {row.into_iter().map(|v| match v {
                                Some(v) => view! { <td>{v}</td> }.into_any(),
                                None => view! { <td class="faint">"null"</td> }.into_any(),
                            }).collect_view()}
                        </tr>
                    }).collect_view()}
                </tbody>
            </table>
        </div>
        <p class="faint">{if table.cut { format!("The first {rows}.") } else { format!("{rows}, all there are.") }}</p>
    }
}

/// Percent-encodes a query value.
fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, b| {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(b));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(out, "%{b:02X}");
        }
        out
    })
}
