//! A labeling project of the files of a version.

use super::ProjectPayload;
use super::derive::Base;
use crate::jobs::export::{item, task_of};
use crate::media::tiles;
use crate::versions::files::Sieve;
use crate::versions::labels;
use crate::versions::nodes::{self, Ahead, DbNodes};
use crate::{Context, Error, Result};
use limn_domain::category::NewCategory;
use limn_domain::dataset::{DatasetSummary, MakeProject, Version};
use limn_domain::project::{NewProject, NewProjectCategory, ProjectSettings};
use limn_domain::{Annotation, Attributes, CategoryId, Code, Digest, ItemId, ProjectId, UserId, text};
use limn_jobs::{Permanent, Progress};
use limn_storage::{ImageKind, StorageError};
use limn_store::repo::annotation::{self, NewAnnotation};
use limn_store::repo::item::bulk::{self, Stamp};
use limn_store::repo::item::{ExportItem, Inserted, NewItem};
use limn_store::{StoreError, Tx, repo};
use limn_versions::object::Schema;
use limn_versions::{Entry, From, Hash, Reader};
use std::collections::HashMap;
use std::io::Read as _;

/// Items and labels of one unit of work, so that people's saves get their turn in between.
const ITEMS: usize = 300;
const LABELS: u64 = 5_000;

/// The project to make for a version: its categories, and how it asks.
pub(crate) fn project_of(
    dataset: &DatasetSummary,
    version: &Version,
    schema: &Schema,
    input: &MakeProject,
) -> Result<NewProject> {
    let Some(task) = version.task.or(input.task).or(task_of(dataset.kind, None)) else {
        return Err(Error::new(
            Code::WrongState,
            "Labeling projects are made of pictures or documents; this dataset holds neither.",
        ));
    };
    let mut sorted: Vec<_> = schema.categories.iter().collect();
    // Those above come first.
    sorted.sort_by_key(|c| (c.path.matches('/').count(), c.id));
    let places: HashMap<&str, usize> = sorted
        .iter()
        .zip(0..)
        .map(|(c, n)| (c.path.as_str(), n))
        .collect();
    let categories = sorted
        .iter()
        .map(|c| NewProjectCategory {
            parent: c.parent().and_then(|p| places.get(p).copied()),
            category: NewCategory {
                name: c.name(),
                color: Some(c.color.clone()),
                export_id: Some(c.id),
                skeleton: c.skeleton.clone(),
                attributes: c.attributes.clone(),
                ..NewCategory::default()
            },
        })
        .collect();
    Ok(NewProject {
        name: input.name.clone(),
        task,
        description: format!("From version {} of the dataset {}.", version.number, dataset.name),
        instructions: String::new(),
        categories,
        settings: Some(ProjectSettings {
            relations: schema.relations.clone(),
            attributes: schema.attributes.clone(),
            ..ProjectSettings::default()
        }),
    })
}

pub(super) async fn run(
    ctx: &Context,
    payload: &ProjectPayload,
    progress: &Progress,
) -> anyhow::Result<serde_json::Value> {
    let sieve = Sieve::new(&payload.input.filter)?;
    let mut tx = ctx.db.read().await?;
    let base = Base::open(&mut tx, payload.version).await?;
    let gone = || Permanent("The project was deleted.".to_owned());
    let (_, task) = repo::transfer::title(&mut tx, payload.project)
        .await?
        .ok_or_else(gone)?;
    let heads = repo::transfer::categories(&mut tx, payload.project).await?;
    let by_path: HashMap<String, CategoryId> =
        labels::paths(&heads).into_iter().map(|(id, p)| (p, id)).collect();
    let mut ahead = Ahead::new();
    let mut reader = Reader::open(&mut DbNodes::new(&mut tx), &base.root.files, From::Start)
        .await?
        .only(sieve.split)
        .to_the_end();
    let (mut added, mut labeled, mut unfit, mut seen) = (0_i64, 0_i64, 0_i64, 0_i64);
    loop {
        let (mut batch, mut weight, mut ended) = (Vec::new(), 0, false);
        {
            let mut db = DbNodes::with(&mut tx, std::mem::take(&mut ahead));
            while batch.len() < ITEMS && weight < LABELS {
                let Some(entry) = reader.next(&mut db).await? else {
                    ended = true;
                    break;
                };
                seen += 1;
                if !sieve.lets(&entry) {
                    continue;
                }
                if !fits(&entry, task.is_text()) {
                    unfit += 1;
                    continue;
                }
                weight += entry.label_count();
                batch.push(entry);
            }
            ahead = db.into_ahead();
        }
        progress.report(seen, base.version.files, "Adding items").await?;
        if !batch.is_empty() {
            let wanted: Vec<Hash> = batch.iter().filter_map(|e| e.labels).collect();
            let known = if payload.input.with_labels {
                nodes::objects(&mut tx, &wanted).await?
            } else {
                HashMap::new()
            };
            let at = ctx.now();
            let items: Vec<ExportItem> = batch.into_iter().map(|e| item(e, 0, at, &known)).collect();
            let rules = Rules {
                project: payload.project,
                with_labels: payload.input.with_labels,
                done: Done::All,
                user: payload.user,
                stamp: Stamp {
                    by: payload.user,
                    now: at,
                },
            };
            let (n, m) = write(ctx, rules, items, &by_path).await?;
            added += n;
            labeled += m;
        }
        if ended {
            break;
        }
    }
    progress
        .log(format!("Added {added} items with {labeled} labels."))
        .await?;
    if unfit > 0 {
        progress
            .log(format!(
                "{unfit} files are no items of such a project and were left out."
            ))
            .await?;
    }
    Ok(serde_json::json!({ "items": added, "labels": labeled, "left_out": unfit }))
}

/// Whether a file can be an item.
pub(in crate::jobs) fn fits(entry: &Entry, is_text: bool) -> bool {
    if is_text {
        entry.media_type == text::MEDIA_TYPE
    } else {
        entry.width > 0 && ImageKind::from_media_type(&entry.media_type).is_some()
    }
}

/// Which of the items that come with labels are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::jobs) enum Done {
    All,
    /// Those that something is said of.
    Labeled,
}

/// How items are added.
#[derive(Clone, Copy)]
pub(in crate::jobs) struct Rules {
    pub project: ProjectId,
    pub with_labels: bool,
    pub done: Done,
    /// Whose labels they are.
    pub user: Option<UserId>,
    /// Whose work it is that they are done.
    pub stamp: Stamp,
}

/// A new item with all that is said of it.
pub(in crate::jobs) type Row = (NewItem, Vec<Annotation>, Attributes);

/// Writes some items with their labels; answers how many of both are new. Items of a name that is there were written by
/// an earlier attempt, whole.
async fn write(
    ctx: &Context,
    rules: Rules,
    items: Vec<ExportItem>,
    by_path: &HashMap<String, CategoryId>,
) -> anyhow::Result<(i64, i64)> {
    // Categories go by derived ids in versions, and by their own in the project.
    let ids: HashMap<CategoryId, CategoryId> = by_path
        .iter()
        .map(|(path, id)| (limn_versions::object::derived::category(path), *id))
        .collect();
    let mut rows: Vec<Row> = Vec::with_capacity(items.len());
    for item in items {
        let new = new_item(ctx, &item).await?;
        let annotations = item
            .annotations
            .into_iter()
            .filter_map(|a| {
                Some(Annotation {
                    id: a.id,
                    category_id: *ids.get(&a.category_id)?,
                    shape: a.shape,
                    z: a.z,
                    source: a.source,
                    score: a.score,
                    attributes: a.attributes,
                    links: a.links,
                })
            })
            .collect();
        rows.push((new, annotations, item.about));
    }
    let any_large = rows.iter().any(|r| tiles::is_large(ctx, r.0.width, r.0.height));
    let own = ctx.clone();
    let counts = ctx
        .db
        .write::<_, Error, _>(move |tx| Box::pin(async move { add(tx, &own, rules, rows).await }))
        .await;
    if any_large {
        ctx.jobs.wake();
    }
    let counts = counts.map(|(items, labels)| {
        let added = items
            .iter()
            .filter(|i| matches!(i, Inserted::Added { .. }))
            .count();
        (added as i64, labels)
    });
    counts.map_err(|e| match e {
        Error::Store(StoreError::ForeignKey(_)) => Permanent("The project was deleted.".to_owned()).into(),
        e => e.into(),
    })
}

/// The item that a file of a version becomes; its bytes are there already.
pub(in crate::jobs) async fn new_item(ctx: &Context, item: &ExportItem) -> anyhow::Result<NewItem> {
    let excerpt = if item.media_type == text::MEDIA_TYPE {
        excerpt(ctx, item).await?
    } else {
        String::new()
    };
    Ok(NewItem {
        id: ItemId::new(),
        name: item.name.clone(),
        digest: item.digest.clone(),
        media_type: item.media_type.clone(),
        byte_size: item.byte_size,
        width: item.width,
        height: item.height,
        orientation: item.orientation,
        length: item.length,
        excerpt,
    })
}

/// Adds items with what is said of them; those of a name that is there are left as they are. Answers what became of each,
/// and how many labels came in.
pub(in crate::jobs) async fn add(
    tx: &mut Tx,
    ctx: &Context,
    rules: Rules,
    rows: Vec<Row>,
) -> Result<(Vec<Inserted>, i64)> {
    let now = rules.stamp.now;
    let digests: Vec<&Digest> = rows.iter().map(|(i, ..)| &i.digest).collect();
    // Wherever their bytes lie. A version that was deleted meanwhile may have had the last word for them.
    if !repo::blob::are_known(tx, &digests).await? {
        return Err(Error::new(
            Code::Conflict,
            "The version was deleted meanwhile, and files with it that only it had.",
        ));
    }
    let items: Vec<NewItem> = rows.iter().map(|r| r.0.clone()).collect();
    let inserted = repo::item::insert_many(tx, rules.project, &items, now).await?;
    let (mut new, mut about, mut done) = (Vec::new(), Vec::new(), Vec::new());
    for ((item, annotations, said), inserted) in rows.into_iter().zip(&inserted) {
        let Inserted::Added { id, .. } = *inserted else {
            continue;
        };
        if rules.done == Done::All || !(annotations.is_empty() && said.is_empty()) {
            done.push(id);
        }
        if tiles::is_large(ctx, item.width, item.height) {
            tiles::enqueue(tx, rules.project, &item.digest, &item.name, now).await?;
        }
        if rules.with_labels {
            if !said.is_empty() {
                about.push((id, said));
            }
            new.extend(annotations.into_iter().map(|annotation| NewAnnotation {
                item_id: id,
                annotation,
                created_by: rules.user,
            }));
        }
    }
    annotation::insert_many(tx, &new, now).await?;
    repo::transfer::say_of_items(tx, rules.project, &about, false, now).await?;
    if rules.with_labels {
        bulk::settle(tx, rules.project, &done, true, rules.stamp).await?;
    }
    Ok((inserted, new.len() as i64))
}

/// How a document begins, on one line.
async fn excerpt(ctx: &Context, item: &ExportItem) -> anyhow::Result<String> {
    let local = ctx.content(&item.digest).await?;
    let source = local.source();
    let bytes = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        source.reader()?.take(4_096).read_to_end(&mut bytes)?;
        Ok::<_, StorageError>(bytes)
    })
    .await??;
    let head = String::from_utf8_lossy(&bytes);
    Ok(text::excerpt(&head))
}
