//! The audit log.

use crate::authz::{require_in, viewer};
use crate::{Actor, Context, Result, cursor};
use limn_domain::activity::Activity;
use limn_domain::{Action, ActivityId, Page, ProjectId, Timestamp};
use limn_store::repo;
use limn_store::repo::activity::Scope;

const LIMIT_DEFAULT: i64 = 50;
const LIMIT_MAX: i64 = 200;
/// Names this list in its cursors.
const TAG: &str = "activity";

#[derive(Clone)]
pub struct Activities(pub(crate) Context);

impl Activities {
    /// Newest first. Of one project, or of everything the actor may see: all for an admin, else what happens in the own
    /// projects and what the actor did.
    pub async fn list(
        &self,
        actor: &Actor,
        project: Option<ProjectId>,
        cursor: Option<String>,
        limit: Option<i64>,
    ) -> Result<Page<Activity>> {
        let limit = limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
        let before = cursor.as_deref().map(parse_cursor).transpose()?;
        let viewer = viewer(actor)?;
        let mut tx = self.0.db.read().await?;
        let scope = match (project.or(viewer.only), viewer.member) {
            (Some(project), _) => {
                require_in(&mut tx, actor, Action::ViewProject, project).await?;
                Scope::Project(project)
            }
            (None, Some(user)) => Scope::SeenBy(user),
            (None, None) => Scope::Everything,
        };
        let mut rows = repo::activity::list(&mut tx, scope, before, limit + 1).await?;
        let more = rows.len() as i64 > limit;
        rows.truncate(limit as usize);
        let next = rows
            .last()
            .filter(|_| more)
            .map(|l| cursor::encode(TAG, &format!("{}.{}", l.at.0, l.id)));
        Ok(Page {
            rows,
            next,
            total: None,
        })
    }
}

fn parse_cursor(text: &str) -> Result<(Timestamp, ActivityId)> {
    let key = cursor::decode(TAG, text)?;
    let (at, id) = key.split_once('.').unwrap_or_default();
    let id = id.parse().map_err(|_| cursor::invalid())?;
    Ok((Timestamp(cursor::number(at)?), id))
}
