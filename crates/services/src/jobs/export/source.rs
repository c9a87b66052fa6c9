//! What an export reads: the items of a project, or the files of a version. Both come as pages of items.

use super::Payload;
use crate::explore::items::Chosen;
use crate::versions::labels;
use crate::versions::nodes::{self, Ahead, DbNodes};
use crate::{Context, Result};
use limn_domain::dataset::DatasetKind;
use limn_domain::export::ExportScope;
use limn_domain::item::ItemStatus;
use limn_domain::project::Task;
use limn_domain::{ProjectId, Timestamp};
use limn_jobs::Permanent;
use limn_store::repo::item::ExportItem;
use limn_store::repo::transfer::{CategoryHead, Head};
use limn_store::{Tx, repo};
use limn_versions::object::{Labels, derived};
use limn_versions::{Entry, From, Hash, Reader};
use std::collections::HashMap;

/// Items of one snapshot, in the order of their export ids.
pub(super) struct Pages {
    pub head: Head,
    /// What the finished file is called, without its extension.
    pub name: String,
    pub categories: Vec<CategoryHead>,
    tx: Tx,
    from: Origin,
}

enum Origin {
    Project {
        project: ProjectId,
        after: i64,
        only_done: bool,
        /// Only these.
        chosen: Option<Chosen>,
    },
    Version {
        reader: Box<Reader>,
        ahead: Ahead,
        /// Files so far; they are numbered in the order of their paths.
        number: i64,
        at: Timestamp,
    },
}

/// What the labels of a version are for, where it does not say; `None` for kinds without labels.
pub(crate) const fn task_of(kind: DatasetKind, task: Option<Task>) -> Option<Task> {
    match (task, kind) {
        (Some(task), _) => Some(task),
        (None, DatasetKind::Images) => Some(Task::Objects),
        (None, DatasetKind::Text) => Some(Task::TextMultilabel),
        (None, DatasetKind::Tabular | DatasetKind::Files) => None,
    }
}

impl Pages {
    pub async fn open(ctx: &Context, payload: &Payload, chosen: Option<Chosen>) -> anyhow::Result<Self> {
        let mut tx = ctx.db.read().await?;
        if let Some(project) = payload.project {
            let head = repo::transfer::head(&mut tx, project)
                .await?
                .ok_or_else(|| Permanent("The project was deleted.".to_owned()))?;
            let categories = repo::transfer::categories(&mut tx, project).await?;
            return Ok(Self {
                name: head.name.clone(),
                head,
                categories,
                tx,
                from: Origin::Project {
                    project,
                    after: 0,
                    only_done: payload.input.scope == ExportScope::Done,
                    chosen,
                },
            });
        }
        let gone = || Permanent("The version was deleted.".to_owned());
        let id = payload.version.ok_or_else(gone)?;
        let version = repo::version::get(&mut tx, id).await?.ok_or_else(gone)?;
        let dataset = repo::dataset::get(&mut tx, version.dataset_id, None)
            .await?
            .ok_or_else(gone)?;
        let (root, schema) = nodes::open(&mut tx, &Hash::from(&version.digest)).await?;
        let mut db = DbNodes::new(&mut tx);
        let reader = Reader::open(&mut db, &root.files, From::Start).await?;
        let items = payload
            .split
            .map_or(version.files, |s| version.counts.splits[s.index()]);
        Ok(Self {
            name: format!(
                "{} v{}{}",
                dataset.name,
                version.number,
                payload
                    .split
                    .map_or_else(String::new, |s| format!(" {}", s.as_str()))
            ),
            head: Head {
                // Not the dataset's name: it may change, and the bytes must not.
                name: format!("Version {}", version.digest),
                task: task_of(dataset.kind, version.task).unwrap_or_default(),
                data_time: version.created_at,
                items,
            },
            categories: labels::heads(&schema),
            tx,
            from: Origin::Version {
                reader: Box::new(reader.only(payload.split).to_the_end()),
                ahead: Ahead::new(),
                number: 0,
                at: version.created_at,
            },
        })
    }

    /// The snapshot that is read.
    pub const fn tx(&mut self) -> &mut Tx {
        &mut self.tx
    }

    /// The next items, at most `limit` and fewer when they hold very many labels; none at the end.
    pub async fn next(&mut self, limit: i64) -> Result<Vec<ExportItem>> {
        match &mut self.from {
            Origin::Project {
                project,
                after,
                only_done,
                chosen,
            } => loop {
                let mut page =
                    repo::item::export_page(&mut self.tx, *project, *after, limit, *only_done).await?;
                let Some(last) = page.last().map(|item| item.export_id) else {
                    return Ok(page);
                };
                *after = last;
                if let Some(chosen) = chosen {
                    page.retain(|item| chosen.lets(item.id, &item.name));
                }
                // An empty page is the end.
                if !page.is_empty() {
                    return Ok(page);
                }
            },
            Origin::Version {
                reader,
                ahead,
                number,
                at,
            } => {
                let mut db = DbNodes::with(&mut self.tx, std::mem::take(ahead));
                let mut entries = Vec::new();
                let mut weight = 0;
                while (entries.len() as i64) < limit && weight < LABELS {
                    let Some(entry) = reader.next(&mut db).await? else {
                        break;
                    };
                    weight += entry.label_count();
                    entries.push(entry);
                }
                *ahead = db.into_ahead();
                let wanted: Vec<Hash> = entries.iter().filter_map(|e| e.labels).collect();
                let known = nodes::objects(&mut self.tx, &wanted).await?;
                Ok(entries
                    .into_iter()
                    .map(|e| {
                        *number += 1;
                        item(e, *number, *at, &known)
                    })
                    .collect())
            }
        }
    }
}

/// Labels of a page, about.
const LABELS: u64 = 50_000;

/// A file of a version as an item that is done.
pub(crate) fn item(e: Entry, export_id: i64, at: Timestamp, known: &HashMap<Hash, Labels>) -> ExportItem {
    let said = e.labels.and_then(|h| Some((h, known.get(&h)?)));
    ExportItem {
        id: derived::item(&e.path),
        export_id,
        digest: e.blob.into(),
        media_type: e.media_type,
        byte_size: i64::try_from(e.size).unwrap_or(i64::MAX),
        length: i64::from(e.length),
        width: i64::from(e.width),
        height: i64::from(e.height),
        orientation: i64::from(e.orientation),
        frames: Vec::new(),
        status: ItemStatus::Done,
        created_at: at,
        updated_at: at,
        about: said.map_or_else(Default::default, |(_, l)| l.about.clone()),
        annotations: said.map_or_else(Vec::new, |(h, l)| labels::annotations(&e.path, &h, l)),
        name: e.path,
    }
}
