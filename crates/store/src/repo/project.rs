//! project rows.

use crate::{StoreError, Tx, on_tx};
use limn_domain::ProjectId;

pub async fn exists(tx: &mut Tx, id: ProjectId) -> Result<bool, StoreError> {
    let n: i64 = on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT count(*) FROM project WHERE id = $1").bind(id).fetch_one(conn).await?
    });
    Ok(n > 0)
}
