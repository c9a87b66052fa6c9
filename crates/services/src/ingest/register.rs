//! The rows of new items, written for many requests at once.
//!
//! Each new item gets the project's next export id, so items of one project are added one after another. Requests that
//! come while others are being written are gathered and written together: a few statements and one commit for all.

use super::same_or_taken;
use crate::media::tiles;
use crate::{Context, Error, Result};
use limn_domain::item::{AddItemOutcome, Item, ItemStatus};
use limn_domain::{ProjectId, Timestamp};
use limn_store::repo::blob::NewBlob;
use limn_store::repo::item::{Inserted, NewItem};
use limn_store::{StoreError, Tx, repo};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// Items written together at most.
const BATCH: usize = 200;

type Reply = oneshot::Sender<Result<AddItemOutcome>>;
type Pending = (NewItem, Reply);

/// What waits, by project; a project is in it exactly while its writer runs.
#[derive(Clone, Default)]
pub(crate) struct Registrar(Arc<Mutex<HashMap<ProjectId, Vec<Pending>>>>);

impl Registrar {
    /// Adds the rows of a checked image whose bytes are in the blob store; durable when it returns.
    pub async fn register(&self, ctx: &Context, project: ProjectId, new: NewItem) -> Result<AddItemOutcome> {
        let (reply, answer) = oneshot::channel();
        let is_first = {
            let mut waiting = self.lock();
            let is_first = !waiting.contains_key(&project);
            waiting.entry(project).or_default().push((new, reply));
            is_first
        };
        if is_first {
            // A task of its own: it serves others too, whatever becomes of this request.
            tokio::spawn(self.clone().write_all(ctx.clone(), project));
        }
        answer.await.unwrap_or(Err(Error::Store(StoreError::Abandoned)))
    }

    async fn write_all(self, ctx: Context, project: ProjectId) {
        let _guard = Guard {
            registrar: &self,
            project,
        };
        while let Some(batch) = self.take(project) {
            write(&ctx, project, batch).await;
        }
    }

    /// What waits for a project; `None` ends its writer.
    fn take(&self, project: ProjectId) -> Option<Vec<Pending>> {
        let mut waiting = self.lock();
        let queue = waiting.get_mut(&project)?;
        if queue.is_empty() {
            waiting.remove(&project);
            return None;
        }
        let later = queue.split_off(queue.len().min(BATCH));
        Some(std::mem::replace(queue, later))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ProjectId, Vec<Pending>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Should the writer panic, those who wait get an error, and the next one starts another writer.
struct Guard<'a> {
    registrar: &'a Registrar,
    project: ProjectId,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.registrar.lock().remove(&self.project);
        }
    }
}

async fn write(ctx: &Context, project: ProjectId, batch: Vec<Pending>) {
    let (items, replies): (Vec<NewItem>, Vec<Reply>) = batch.into_iter().unzip();
    let items = Arc::new(items);
    match insert(ctx, project, Arc::clone(&items)).await {
        Ok(outcomes) => {
            for (reply, outcome) in replies.into_iter().zip(outcomes) {
                drop(reply.send(outcome));
            }
        }
        // One of them may be at fault: each for itself.
        Err(_) if items.len() > 1 => {
            for (item, reply) in items.iter().zip(replies) {
                let one = insert(ctx, project, Arc::new(vec![item.clone()])).await;
                drop(reply.send(one.and_then(|mut o| o.pop().unwrap_or(Err(Error::not_found("project"))))));
            }
        }
        Err(e) => {
            if let Some(reply) = replies.into_iter().next() {
                drop(reply.send(Err(e)));
            }
        }
    }
}

/// Inserts items in one transaction and says what became of each.
async fn insert(
    ctx: &Context,
    project: ProjectId,
    items: Arc<Vec<NewItem>>,
) -> Result<Vec<Result<AddItemOutcome>>> {
    let now = ctx.now();
    let any_large = items.iter().any(|i| tiles::is_large(ctx, i.width, i.height));
    let own = ctx.clone();
    ctx.db
        .write(move |tx| {
            Box::pin(async move {
                let blobs: Vec<NewBlob<'_>> = items
                    .iter()
                    .map(|i| NewBlob {
                        digest: &i.digest,
                        byte_size: i.byte_size,
                        media_type: &i.media_type,
                    })
                    .collect();
                repo::blob::put_many(tx, &blobs, now).await?;
                let inserted = match repo::item::insert_many(tx, project, &items, now).await {
                    Err(StoreError::ForeignKey(_)) => return Err(Error::not_found("project")),
                    other => other?,
                };
                let mut outcomes = Vec::with_capacity(items.len());
                for (item, inserted) in items.iter().zip(inserted) {
                    let outcome = outcome(tx, project, item, inserted, now).await?;
                    let is_new = matches!(outcome, Ok(AddItemOutcome::Added { .. }));
                    if is_new && tiles::is_large(&own, item.width, item.height) {
                        tiles::enqueue(tx, project, &item.digest, &item.name, now).await?;
                    }
                    outcomes.push(outcome);
                }
                Ok(outcomes)
            })
        })
        .await
        .inspect(|_| {
            if any_large {
                ctx.jobs.wake();
            }
        })
}

/// The outer error is the database's.
async fn outcome(
    tx: &mut Tx,
    project: ProjectId,
    new: &NewItem,
    inserted: Inserted,
    now: Timestamp,
) -> Result<Result<AddItemOutcome>> {
    Ok(match inserted {
        Inserted::Added { id, export_id } => Ok(AddItemOutcome::Added {
            item: Box::new(Item {
                id,
                export_id,
                ..fresh(project, new, now)
            }),
        }),
        // Somebody added the name while the image was checked.
        Inserted::Exists { id, .. } => match repo::item::get(tx, id, now).await? {
            Some(item) => same_or_taken(item, &new.digest),
            None => Err(Error::not_found("project")),
        },
    })
}

fn fresh(project: ProjectId, new: &NewItem, now: Timestamp) -> Item {
    Item {
        id: new.id,
        project_id: project,
        name: new.name.clone(),
        digest: new.digest.clone(),
        media_type: new.media_type.clone(),
        byte_size: new.byte_size,
        width: new.width,
        height: new.height,
        length: new.length,
        excerpt: new.excerpt.clone(),
        status: ItemStatus::Todo,
        skip_reason: None,
        annotation_count: 0,
        prelabel_count: 0,
        revision: 0,
        export_id: 0,
        done_by: None,
        done_by_name: None,
        done_at: None,
        leased_by: None,
        created_at: now,
        updated_at: now,
    }
}
