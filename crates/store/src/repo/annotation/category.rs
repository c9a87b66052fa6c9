//! Labels of a category that goes: counts, revisions and progress of the items follow.

use crate::{StoreError, Tx, on_tx};
use limn_domain::{CategoryId, ProjectId, Timestamp};

/// The projects these categories (at most a few hundred) belong to; those that do not exist are absent.
pub async fn projects_of(
    tx: &mut Tx,
    categories: &[CategoryId],
) -> Result<Vec<(CategoryId, ProjectId)>, StoreError> {
    if categories.is_empty() {
        return Ok(Vec::new());
    }
    Ok(on_tx!(tx, conn => {
        let mut q = sqlx::QueryBuilder::new("SELECT id, project_id FROM category WHERE id IN (");
        let mut list = q.separated(", ");
        for id in categories {
            list.push_bind(*id);
        }
        q.push(")");
        q.build_query_as().fetch_all(conn).await?
    }))
}

/// Removes all labels and proposals of a category; answers how many. Touched items get a new revision, so that an editor
/// that still shows the label is told.
pub async fn delete_category(
    tx: &mut Tx,
    project: ProjectId,
    category: CategoryId,
    now: Timestamp,
) -> Result<i64, StoreError> {
    let bare = no_longer_prelabeled(tx, category).await?;
    on_tx!(tx, conn => {
        sqlx::query(
            "UPDATE item SET revision = revision + 1, updated_at = $2, \
             annotation_count = annotation_count - (SELECT count(*) FROM annotation a \
               WHERE a.item_id = item.id AND a.category_id = $1 AND a.source IN ('human', 'import')), \
             prelabel_count = prelabel_count - (SELECT count(*) FROM annotation a \
               WHERE a.item_id = item.id AND a.category_id = $1 AND a.source = 'prelabel') \
             WHERE id IN (SELECT item_id FROM annotation WHERE category_id = $1)",
        )
        .bind(category)
        .bind(now)
        .execute(conn)
        .await?;
    });
    let gone = on_tx!(tx, conn => {
        sqlx::query("DELETE FROM annotation WHERE category_id = $1")
            .bind(category)
            .execute(conn)
            .await?
            .rows_affected()
    });
    take_from_prelabeled(tx, project, bare).await?;
    Ok(gone as i64)
}

/// Gives all labels and proposals of a category another one; answers how many had it. A label of the whole item goes
/// when the item has the other one too.
pub async fn move_category(
    tx: &mut Tx,
    project: ProjectId,
    from: CategoryId,
    into: CategoryId,
    now: Timestamp,
) -> Result<i64, StoreError> {
    if from == into {
        return Ok(0);
    }
    on_tx!(tx, conn => {
        sqlx::query(
            "UPDATE item SET revision = revision + 1, updated_at = $2 \
             WHERE id IN (SELECT item_id FROM annotation WHERE category_id = $1)",
        )
        .bind(from)
        .bind(now)
        .execute(conn)
        .await?;
    });
    // Where both were given, one stays: the confirmed one, else the one that has the name already.
    let doubled = remove_doubles(tx, project, from, into).await?;
    let moved = on_tx!(tx, conn => {
        sqlx::query("UPDATE annotation SET category_id = $2, updated_at = $3 WHERE category_id = $1")
            .bind(from)
            .bind(into)
            .bind(now)
            .execute(conn)
            .await?
            .rows_affected()
    });
    Ok(moved as i64 + doubled)
}

async fn remove_doubles(
    tx: &mut Tx,
    project: ProjectId,
    from: CategoryId,
    into: CategoryId,
) -> Result<i64, StoreError> {
    let proposals = on_tx!(tx, conn => {
        // A proposal of either beside a confirmed label of the other.
        sqlx::query(
            "DELETE FROM annotation WHERE kind = 'whole' AND source = 'prelabel' AND category_id IN ($1, $2) \
             AND item_id IN (SELECT item_id FROM annotation WHERE category_id = $1 AND kind = 'whole') \
             AND item_id IN (SELECT item_id FROM annotation WHERE category_id IN ($1, $2) AND kind = 'whole' \
                             AND source <> 'prelabel')",
        )
        .bind(from)
        .bind(into)
        .execute(&mut *conn)
        .await?
        .rows_affected()
    });
    let labels = on_tx!(tx, conn => {
        sqlx::query(
            "DELETE FROM annotation WHERE kind = 'whole' AND category_id = $1 \
             AND item_id IN (SELECT item_id FROM annotation WHERE category_id = $2 AND kind = 'whole')",
        )
        .bind(from)
        .bind(into)
        .execute(conn)
        .await?
        .rows_affected()
    });
    if proposals + labels > 0 {
        recount_of(tx, project, from, into).await?;
    }
    Ok((proposals + labels) as i64)
}

/// Counts the labels of all items of both categories anew.
async fn recount_of(
    tx: &mut Tx,
    project: ProjectId,
    from: CategoryId,
    into: CategoryId,
) -> Result<(), StoreError> {
    let prelabeled = "SELECT count(*) FROM item WHERE status = 'todo' AND prelabel_count > 0 \
                      AND id IN (SELECT item_id FROM annotation WHERE category_id IN ($1, $2))";
    let before: i64 = on_tx!(tx, conn => {
        sqlx::query_scalar(prelabeled).bind(from).bind(into).fetch_one(conn).await?
    });
    let after: i64 = on_tx!(tx, conn => {
        sqlx::query(
            "UPDATE item SET \
             annotation_count = (SELECT count(*) FROM annotation a WHERE a.item_id = item.id AND a.source <> 'prelabel'), \
             prelabel_count = (SELECT count(*) FROM annotation a WHERE a.item_id = item.id AND a.source = 'prelabel') \
             WHERE id IN (SELECT item_id FROM annotation WHERE category_id IN ($1, $2))",
        )
        .bind(from)
        .bind(into)
        .execute(&mut *conn)
        .await?;
        sqlx::query_scalar(prelabeled).bind(from).bind(into).fetch_one(conn).await?
    });
    take_from_prelabeled(tx, project, before - after).await
}

/// Items to do whose only proposals are of this category.
async fn no_longer_prelabeled(tx: &mut Tx, category: CategoryId) -> Result<i64, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar(
            "SELECT count(*) FROM item WHERE status = 'todo' AND prelabel_count > 0 \
             AND id IN (SELECT item_id FROM annotation WHERE category_id = $1 AND source = 'prelabel') \
             AND NOT EXISTS (SELECT 1 FROM annotation a WHERE a.item_id = item.id AND a.source = 'prelabel' \
                             AND a.category_id <> $1)",
        )
        .bind(category)
        .fetch_one(conn)
        .await?
    }))
}

async fn take_from_prelabeled(tx: &mut Tx, project: ProjectId, n: i64) -> Result<(), StoreError> {
    use crate::repo::item::counter::Tally;
    let mut tally = Tally::default();
    tally.no_longer_prelabeled(n);
    tally.write(tx, project).await
}
