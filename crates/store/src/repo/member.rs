//! member rows.

use crate::{StoreError, Tx, on_tx};
use limn_domain::{ProjectId, Role, UserId};

/// The person's role in the project, if they are a member.
pub async fn role(tx: &mut Tx, project: ProjectId, user: UserId) -> Result<Option<Role>, StoreError> {
    Ok(on_tx!(tx, conn => {
        sqlx::query_scalar("SELECT role FROM project_member WHERE project_id = $1 AND user_id = $2")
            .bind(project)
            .bind(user)
            .fetch_optional(conn)
            .await?
    }))
}
