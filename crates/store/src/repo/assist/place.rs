//! What a model says of items: proposals, groups of alike ones, places in the queue.

use crate::dialect::Dialect;
use crate::repo::annotation::{self, NewAnnotation};
use crate::repo::item::bulk::{self, Stamp};
use crate::{StoreError, Tx, on_tx};
use limn_domain::{
    Annotation, AnnotationId, Attributes, CategoryId, ItemId, Links, ProjectId, Shape, Source, Timestamp,
};
use sqlx::{FromRow, QueryBuilder};
use std::collections::HashMap;

/// Rows of one `INSERT`.
const ROWS: usize = 200;

/// What is proposed for an item: a category of all of it, a box, an outline, a mask, or a span.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    pub category_id: CategoryId,
    pub shape: Shape,
    /// 0..=1.
    pub score: f64,
}

/// A proposal that was made before.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    pub category_id: CategoryId,
    pub score: f64,
    pub model_version: i64,
    /// Nobody has refused it: its annotation is there, confirmed or not.
    pub stands: bool,
}

#[derive(FromRow)]
struct StandingRow {
    item_id: ItemId,
    category_id: CategoryId,
    score: f64,
    model_version: i64,
    stands: bool,
}

/// Of these items (at most a thousand) those that a model may speak of: to do, untouched by people, in nobody's hands, and
/// without proposals of anybody else. They stay so until the transaction ends.
pub async fn free(
    tx: &mut Tx,
    project: ProjectId,
    items: &[ItemId],
    now: Timestamp,
) -> Result<Vec<ItemId>, StoreError> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    let lock = Dialect::of(tx).pick("", " FOR UPDATE");
    Ok(on_tx!(tx, conn => {
        let mut q = QueryBuilder::new("SELECT id FROM item WHERE project_id = ");
        q.push_bind(project).push(" AND status = 'todo' AND annotation_count = 0 AND lease_until <= ");
        q.push_bind(now);
        q.push(
            " AND NOT EXISTS (SELECT 1 FROM annotation a WHERE a.item_id = item.id AND a.source = 'prelabel' \
             AND NOT EXISTS (SELECT 1 FROM assist_proposal p WHERE p.item_id = a.item_id AND p.annotation_id = a.id)) \
             AND id IN (",
        );
        let mut list = q.separated(", ");
        for id in items {
            list.push_bind(*id);
        }
        q.push(") ORDER BY export_id").push(lock);
        q.build_query_scalar().fetch_all(conn).await?
    }))
}

/// What was proposed for these items before.
pub async fn proposals(tx: &mut Tx, items: &[ItemId]) -> Result<HashMap<ItemId, Vec<Standing>>, StoreError> {
    let mut out: HashMap<ItemId, Vec<Standing>> = HashMap::new();
    for chunk in items.chunks(500) {
        let rows: Vec<StandingRow> = on_tx!(tx, conn => {
            let mut q = QueryBuilder::new(
                "SELECT p.item_id, p.category_id, p.score, p.model_version, \
                 EXISTS (SELECT 1 FROM annotation a WHERE a.item_id = p.item_id AND a.id = p.annotation_id) AS stands \
                 FROM assist_proposal p WHERE p.item_id IN (",
            );
            let mut list = q.separated(", ");
            for id in chunk {
                list.push_bind(*id);
            }
            q.push(") ORDER BY p.item_id, p.category_id");
            q.build_query_as().fetch_all(conn).await?
        });
        for r in rows {
            out.entry(r.item_id).or_default().push(Standing {
                category_id: r.category_id,
                score: r.score,
                model_version: r.model_version,
                stands: r.stands,
            });
        }
    }
    Ok(out)
}

/// Puts new proposals in the place of the assist's old ones on items that [`free`] gave; an empty list takes them away.
/// Errors: `ForeignKey` when a category is gone.
pub async fn replace_proposals(
    tx: &mut Tx,
    project: ProjectId,
    items: &[(ItemId, Vec<Proposal>)],
    model_version: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    let ids: Vec<ItemId> = items.iter().map(|(id, _)| *id).collect();
    for chunk in ids.chunks(500) {
        on_tx!(tx, conn => {
            for sql in [
                "DELETE FROM annotation WHERE source = 'prelabel' AND item_id IN (",
                "DELETE FROM assist_proposal WHERE item_id IN (",
            ] {
                let mut q = QueryBuilder::new(sql);
                let mut list = q.separated(", ");
                for id in chunk {
                    list.push_bind(*id);
                }
                q.push(")");
                q.build().execute(&mut *conn).await?;
            }
        });
    }
    let proposed = items
        .iter()
        .flat_map(|(item, list)| list.iter().map(move |p| (*item, p)));
    let rows = proposed.map(|(item, p)| Ok((row(item, p), p.score, annotation::geometry(&p.shape)?)));
    let rows: Vec<(NewAnnotation, f64, Option<String>)> = rows.collect::<Result<_, StoreError>>()?;
    let new: Vec<NewAnnotation> = rows.iter().map(|(a, ..)| a.clone()).collect();
    annotation::insert_many(tx, &new, now).await?;
    for chunk in rows.chunks(ROWS) {
        on_tx!(tx, conn => {
            let mut q = QueryBuilder::new(
                "INSERT INTO assist_proposal (item_id, annotation_id, category_id, x, y, w, h, geometry, score, model_version, created_at) ",
            );
            q.push_values(chunk, |mut b, (a, score, geometry)| {
                let bounds = a.annotation.shape.bounds();
                b.push_bind(a.item_id)
                    .push_bind(a.annotation.id)
                    .push_bind(a.annotation.category_id)
                    .push_bind(bounds.map(|r| r.x))
                    .push_bind(bounds.map(|r| r.y))
                    .push_bind(bounds.map(|r| r.w))
                    .push_bind(bounds.map(|r| r.h))
                    .push_bind(geometry.as_deref())
                    .push_bind(*score)
                    .push_bind(model_version)
                    .push_bind(now);
            });
            q.build().execute(conn).await?;
        });
    }
    bulk::settle(tx, project, &ids, false, Stamp { by: None, now }).await
}

fn row(item_id: ItemId, p: &Proposal) -> NewAnnotation {
    NewAnnotation {
        item_id,
        annotation: Annotation {
            id: AnnotationId::new(),
            category_id: p.category_id,
            shape: p.shape.clone(),
            z: 0,
            source: Source::Prelabel,
            score: Some(p.score),
            attributes: Attributes::new(),
            links: Links::default(),
        },
        created_by: None,
    }
}

/// Forgets the groups of a project's items.
pub async fn clear_clusters(tx: &mut Tx, project: ProjectId) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("DELETE FROM assist_cluster WHERE item_id IN (SELECT id FROM item WHERE project_id = $1)")
            .bind(project)
            .execute(conn)
            .await?;
    });
    Ok(())
}

/// Notes the groups of items; those that are gone are left out.
pub async fn put_clusters(tx: &mut Tx, groups: &[(ItemId, i64)]) -> Result<(), StoreError> {
    for (item, group) in groups {
        on_tx!(tx, conn => {
            sqlx::query(
                "INSERT INTO assist_cluster (item_id, cluster) SELECT id, $2 FROM item WHERE id = $1 \
                 ON CONFLICT (item_id) DO UPDATE SET cluster = excluded.cluster",
            )
            .bind(*item)
            .bind(*group)
            .execute(conn)
            .await?;
        });
    }
    Ok(())
}

/// Places of one run; a run's lie before those of the runs before it.
const RUN: i64 = 1_000_000;

/// Gives items to do places before all that this run does not place: 0 is the first of less than a million.
pub async fn set_ranks(tx: &mut Tx, run: i64, places: &[(ItemId, i64)]) -> Result<(), StoreError> {
    for (item, place) in places {
        let rank = place - run * RUN;
        on_tx!(tx, conn => {
            sqlx::query("UPDATE item SET queue_rank = $2 WHERE id = $1 AND status = 'todo'")
                .bind(*item)
                .bind(rank)
                .execute(conn)
                .await?;
        });
    }
    Ok(())
}

/// An item's place in the project's own order; [`reset_ranks`] counts in the database as this does.
pub const fn own_rank(export_id: i64, shuffle: bool) -> i64 {
    if shuffle {
        (export_id.wrapping_mul(1_103_515_245).wrapping_add(12_345)) % 2_147_483_648
    } else {
        export_id
    }
}

/// Puts items to do that runs before this one placed back where the project's own order has them.
pub async fn reset_ranks(tx: &mut Tx, project: ProjectId, shuffle: bool, run: i64) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        let sql = if shuffle {
            "UPDATE item SET queue_rank = (export_id * 1103515245 + 12345) % 2147483648 \
             WHERE project_id = $1 AND status = 'todo' AND queue_rank < 0 AND queue_rank >= $2"
        } else {
            "UPDATE item SET queue_rank = export_id \
             WHERE project_id = $1 AND status = 'todo' AND queue_rank < 0 AND queue_rank >= $2"
        };
        sqlx::query(sql).bind(project).bind((1 - run) * RUN).execute(conn).await?;
    });
    Ok(())
}
