//! Keeping, giving back and losing leases.

use crate::{StoreError, Tx, on_tx};
use limn_domain::{ItemId, ProjectId, Timestamp, UserId};

/// Leases one item to do for the person, or extends their lease; `false` when somebody else holds it or it is not to do.
pub async fn lease_one(
    tx: &mut Tx,
    item: ItemId,
    user: UserId,
    now: Timestamp,
    until: Timestamp,
) -> Result<bool, StoreError> {
    let n = on_tx!(tx, conn => {
        sqlx::query(
            "UPDATE item SET lease_until = $4, \
             leased_at = CASE WHEN lease_user_id = $2 THEN leased_at ELSE $3 END, lease_user_id = $2 \
             WHERE id = $1 AND status = 'todo' \
             AND (lease_user_id IS NULL OR lease_user_id = $2 OR lease_until <= $3)",
        )
        .bind(item)
        .bind(user)
        .bind(now)
        .bind(until)
        .execute(conn)
        .await?
        .rows_affected()
    });
    Ok(n > 0)
}

/// Extends the person's leases among `items` (at most a few hundred); answers those that stand. A lease that had ended
/// but that nobody else took stands again.
pub async fn heartbeat(
    tx: &mut Tx,
    project: ProjectId,
    user: UserId,
    items: &[ItemId],
    until: Timestamp,
) -> Result<Vec<ItemId>, StoreError> {
    if items.is_empty() {
        return Ok(Vec::new());
    }
    Ok(on_tx!(tx, conn => {
        let mut q = sqlx::QueryBuilder::new("UPDATE item SET lease_until = ");
        q.push_bind(until).push(" WHERE lease_user_id = ").push_bind(user);
        q.push(" AND project_id = ").push_bind(project).push(" AND status = 'todo' AND id IN (");
        let mut list = q.separated(", ");
        for id in items {
            list.push_bind(*id);
        }
        q.push(") RETURNING id");
        q.build_query_scalar().fetch_all(conn).await?
    }))
}

/// Gives back those of `items` (at most a few hundred) that the person holds; answers how many.
pub async fn release(
    tx: &mut Tx,
    project: ProjectId,
    user: UserId,
    items: &[ItemId],
) -> Result<i64, StoreError> {
    if items.is_empty() {
        return Ok(0);
    }
    let n = on_tx!(tx, conn => {
        let mut q = sqlx::QueryBuilder::new(
            "UPDATE item SET lease_user_id = NULL, lease_until = 0, leased_at = 0 WHERE lease_user_id = ",
        );
        q.push_bind(user).push(" AND project_id = ").push_bind(project).push(" AND id IN (");
        let mut list = q.separated(", ");
        for id in items {
            list.push_bind(*id);
        }
        q.push(")");
        q.build().execute(conn).await?.rows_affected()
    });
    Ok(n as i64)
}

/// Gives back everything the person holds, in one project or (`None`) in all; answers how many. For members who are
/// removed and people who are disabled.
pub async fn release_all_of_user(
    tx: &mut Tx,
    user: UserId,
    project: Option<ProjectId>,
) -> Result<i64, StoreError> {
    let n = on_tx!(tx, conn => match project {
        Some(project) => {
            sqlx::query(
                "UPDATE item SET lease_user_id = NULL, lease_until = 0, leased_at = 0 \
                 WHERE lease_user_id = $1 AND project_id = $2",
            )
            .bind(user)
            .bind(project)
            .execute(conn)
            .await?
            .rows_affected()
        }
        None => {
            sqlx::query(
                "UPDATE item SET lease_user_id = NULL, lease_until = 0, leased_at = 0 WHERE lease_user_id = $1",
            )
            .bind(user)
            .execute(conn)
            .await?
            .rows_affected()
        }
    });
    Ok(n as i64)
}
