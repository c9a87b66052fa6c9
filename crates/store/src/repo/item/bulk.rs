//! Acting on many items: choose and lock a chunk, then change it. Counters go into the caller's [`Tally`], which is
//! written once at the end of the transaction.

use super::counter::{Standing, Tally};
use super::list::{Columns, Filter, push_filter};
use crate::dialect::Dialect;
use crate::repo::annotation::{self, NewAnnotation};
use crate::{StoreError, Tx, on_tx};
use limn_domain::item::{ItemSort, ItemStatus};
use limn_domain::{
    Annotation, AnnotationId, CategoryId, ItemId, ProjectId, Shape, Source, Timestamp, UserId,
};
use sqlx::FromRow;
use std::collections::HashMap;

/// Most items of one call: each id is a parameter.
pub const CHUNK: usize = 1_000;

/// An item as it was when it was chosen; locked until the transaction ends.
#[derive(Debug, Clone, Copy, FromRow)]
pub struct Chosen {
    pub id: ItemId,
    pub export_id: i64,
    pub status: ItemStatus,
    pub annotation_count: i64,
    pub prelabel_count: i64,
    pub done_by: Option<UserId>,
}

impl Chosen {
    pub const fn standing(&self) -> Standing {
        Standing {
            status: self.status,
            prelabeled: self.prelabel_count > 0,
            done_by: self.done_by,
        }
    }
}

/// Appends `(id, id, ...)`.
macro_rules! push_ids {
    ($q:expr, $ids:expr) => {{
        $q.push("(");
        let mut list = $q.separated(", ");
        for id in $ids {
            list.push_bind(id);
        }
        $q.push(")");
    }};
}

/// The next items that match, with export ids above `after` and at most `up_to`, in that order.
pub async fn choose(
    tx: &mut Tx,
    filter: &Filter,
    after: i64,
    up_to: i64,
    limit: i64,
) -> Result<Vec<Chosen>, StoreError> {
    let columns = Columns::choose(tx, filter, ItemSort::Added).await?;
    let lock = Dialect::of(tx).pick("", " FOR UPDATE");
    Ok(on_tx!(tx, conn => {
        let mut q = sqlx::QueryBuilder::new(
            "SELECT id, export_id, status, annotation_count, prelabel_count, done_by FROM item",
        );
        push_filter!(q, filter, columns);
        q.push(" AND export_id > ").push_bind(after).push(" AND export_id <= ").push_bind(up_to);
        q.push(" ORDER BY export_id LIMIT ").push_bind(limit).push(lock);
        q.build_query_as().fetch_all(conn).await?
    }))
}

/// Those of `ids` (at most [`CHUNK`]) that are in the project.
pub async fn choose_ids(tx: &mut Tx, project: ProjectId, ids: &[ItemId]) -> Result<Vec<Chosen>, StoreError> {
    let lock = Dialect::of(tx).pick("", " FOR UPDATE");
    // Without the `+` SQLite takes a long list of ids for more rows than the whole project.
    let of_project = Dialect::of(tx).pick(" AND +project_id = ", " AND project_id = ");
    Ok(on_tx!(tx, conn => {
        let mut q = sqlx::QueryBuilder::new(
            "SELECT id, export_id, status, annotation_count, prelabel_count, done_by FROM item WHERE id IN ",
        );
        push_ids!(q, ids.iter().copied());
        q.push(of_project).push_bind(project);
        q.push(" ORDER BY export_id").push(lock);
        q.build_query_as().fetch_all(conn).await?
    }))
}

/// The highest export id given so far; 0 without items.
pub async fn last_export_id(tx: &mut Tx, project: ProjectId) -> Result<i64, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT coalesce(max(export_id), 0) FROM item WHERE project_id = $1")
            .bind(project)
            .fetch_one(conn)
            .await?
    }))
}

/// Puts done and skipped items back into the queue; answers how many.
pub async fn requeue(
    tx: &mut Tx,
    tally: &mut Tally,
    items: &[Chosen],
    now: Timestamp,
) -> Result<i64, StoreError> {
    let targets: Vec<&Chosen> = items.iter().filter(|i| i.status != ItemStatus::Todo).collect();
    if targets.is_empty() {
        return Ok(0);
    }
    on_tx!(tx, conn => {
        let mut q = sqlx::QueryBuilder::new(
            "UPDATE item SET status = 'todo', skip_reason = NULL, done_by = NULL, done_at = NULL, updated_at = ",
        );
        q.push_bind(now).push(" WHERE id IN ");
        push_ids!(q, targets.iter().map(|i| i.id));
        q.build().execute(conn).await?;
    });
    for item in &targets {
        tally.leave(item.standing());
        tally.enter(Standing {
            status: ItemStatus::Todo,
            done_by: None,
            ..item.standing()
        });
    }
    Ok(targets.len() as i64)
}

/// Deletes items with their labels.
pub async fn delete(tx: &mut Tx, tally: &mut Tally, items: &[Chosen]) -> Result<i64, StoreError> {
    if items.is_empty() {
        return Ok(0);
    }
    on_tx!(tx, conn => {
        let mut q = sqlx::QueryBuilder::new("DELETE FROM item WHERE id IN ");
        push_ids!(q, items.iter().map(|i| i.id));
        q.build().execute(conn).await?;
    });
    for item in items {
        tally.leave(item.standing());
    }
    Ok(items.len() as i64)
}

/// Takes all labels and proposals off and puts the items back into the queue; answers how many changed.
pub async fn clear(
    tx: &mut Tx,
    tally: &mut Tally,
    items: &[Chosen],
    actor: Option<UserId>,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let touched = |i: &&Chosen| i.status != ItemStatus::Todo || i.annotation_count + i.prelabel_count > 0;
    let targets: Vec<&Chosen> = items.iter().filter(touched).collect();
    if targets.is_empty() {
        return Ok(0);
    }
    on_tx!(tx, conn => {
        let mut q = sqlx::QueryBuilder::new("DELETE FROM annotation WHERE item_id IN ");
        push_ids!(q, targets.iter().map(|i| i.id));
        q.build().execute(&mut *conn).await?;
        let mut q = sqlx::QueryBuilder::new(
            "UPDATE item SET status = 'todo', skip_reason = NULL, done_by = NULL, done_at = NULL, \
             annotation_count = 0, prelabel_count = 0, revision = revision + 1, annotated_by = ",
        );
        q.push_bind(actor).push(", updated_at = ").push_bind(now).push(" WHERE id IN ");
        push_ids!(q, targets.iter().map(|i| i.id));
        q.build().execute(conn).await?;
    });
    for item in &targets {
        tally.leave(item.standing());
        tally.enter(Standing {
            status: ItemStatus::Todo,
            prelabeled: false,
            done_by: None,
        });
    }
    Ok(targets.len() as i64)
}

/// Who marks items done, and when.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    pub by: Option<UserId>,
    pub now: Timestamp,
}

/// Gives items a label of the whole item and marks them done; answers how many changed. `single`: it replaces what they
/// had, proposals too; otherwise it is added.
pub async fn classify(
    tx: &mut Tx,
    tally: &mut Tally,
    items: &[Chosen],
    category: CategoryId,
    single: bool,
    stamp: Stamp,
) -> Result<i64, StoreError> {
    let mut labels = labels_of(tx, items).await?;
    let (mut new, mut old, mut targets) = (Vec::new(), Vec::new(), Vec::new());
    for item in items {
        let has = labels.remove(&item.id).unwrap_or_default();
        let has_it = has
            .iter()
            .any(|l| l.category_id == category && l.source != Source::Prelabel);
        let stays = has_it && (!single || has.len() == 1);
        if stays && item.status == ItemStatus::Done {
            continue;
        }
        targets.push(*item);
        if !has.is_empty() && !stays {
            old.push(item.id);
        }
        if !stays {
            new.push(NewAnnotation {
                item_id: item.id,
                annotation: Annotation {
                    id: AnnotationId::new(),
                    category_id: category,
                    shape: Shape::Whole,
                    z: 0,
                    source: Source::Human,
                    score: None,
                    attributes: limn_domain::Attributes::new(),
                    links: limn_domain::Links::default(),
                },
                created_by: stamp.by,
            });
        }
    }
    if targets.is_empty() {
        return Ok(0);
    }
    if single {
        annotation::delete_of_items(tx, &old).await?;
    } else {
        delete_proposals(tx, &old, category).await?;
    }
    annotation::insert_many(tx, &new, stamp.now).await?;
    settle_chosen(tx, tally, &targets, true, stamp).await?;
    Ok(targets.len() as i64)
}

/// Removes proposals of a category, which a label takes the place of.
async fn delete_proposals(tx: &mut Tx, items: &[ItemId], category: CategoryId) -> Result<(), StoreError> {
    if items.is_empty() {
        return Ok(());
    }
    on_tx!(tx, conn => {
        let mut q = sqlx::QueryBuilder::new("DELETE FROM annotation WHERE source = 'prelabel' AND category_id = ");
        q.push_bind(category).push(" AND item_id IN ");
        push_ids!(q, items.iter().copied());
        q.build().execute(conn).await?;
    });
    Ok(())
}

#[derive(FromRow)]
struct Label {
    item_id: ItemId,
    category_id: CategoryId,
    source: Source,
}

async fn labels_of(tx: &mut Tx, items: &[Chosen]) -> Result<HashMap<ItemId, Vec<Label>>, StoreError> {
    let mut out: HashMap<ItemId, Vec<Label>> = HashMap::new();
    if items.iter().any(|i| i.annotation_count + i.prelabel_count > 0) {
        let rows: Vec<Label> = on_tx!(tx, conn => {
            let mut q = sqlx::QueryBuilder::new(
                "SELECT item_id, category_id, source FROM annotation WHERE item_id IN ",
            );
            push_ids!(q, items.iter().map(|i| i.id));
            q.build_query_as().fetch_all(conn).await?
        });
        for row in rows {
            out.entry(row.item_id).or_default().push(row);
        }
    }
    Ok(out)
}

/// After labels were written by `annotation::insert_many` (an import): counts the labels of these items anew, raises
/// their revision, and with `done` marks those to do or skipped as done. Writes the counters itself.
pub async fn settle(
    tx: &mut Tx,
    project: ProjectId,
    ids: &[ItemId],
    done: bool,
    stamp: Stamp,
) -> Result<(), StoreError> {
    let mut tally = Tally::default();
    for chunk in ids.chunks(CHUNK) {
        let items = choose_ids(tx, project, chunk).await?;
        settle_chosen(tx, &mut tally, &items, done, stamp).await?;
    }
    tally.write(tx, project).await
}

async fn settle_chosen(
    tx: &mut Tx,
    tally: &mut Tally,
    items: &[Chosen],
    done: bool,
    stamp: Stamp,
) -> Result<(), StoreError> {
    if items.is_empty() {
        return Ok(());
    }
    let rows: Vec<(ItemStatus, i64, Option<UserId>)> = on_tx!(tx, conn => {
        let mut q = sqlx::QueryBuilder::new(
            "UPDATE item SET revision = revision + 1, \
             annotation_count = (SELECT count(*) FROM annotation a WHERE a.item_id = item.id AND a.source <> 'prelabel'), \
             prelabel_count = (SELECT count(*) FROM annotation a WHERE a.item_id = item.id AND a.source = 'prelabel'), \
             annotated_by = ",
        );
        q.push_bind(stamp.by).push(", updated_at = ").push_bind(stamp.now);
        if done {
            q.push(
                ", status = 'done', skip_reason = NULL, lease_user_id = NULL, lease_until = 0, leased_at = 0, \
                 done_by = CASE WHEN status = 'done' THEN done_by ELSE ",
            );
            q.push_bind(stamp.by).push(" END, done_at = CASE WHEN status = 'done' THEN done_at ELSE ");
            q.push_bind(stamp.now).push(" END");
        }
        q.push(" WHERE id IN ");
        push_ids!(q, items.iter().map(|i| i.id));
        q.push(" RETURNING status, prelabel_count, done_by");
        q.build_query_as().fetch_all(conn).await?
    });
    for item in items {
        tally.leave(item.standing());
    }
    for (status, prelabels, done_by) in rows {
        tally.enter(Standing {
            status,
            prelabeled: prelabels > 0,
            done_by,
        });
    }
    Ok(())
}
