//! Writing the audit log: one line for whatever changes something, in the same transaction.

use crate::{Actor, Result};
use limn_domain::activity::Activity;
use limn_domain::{ActivityId, ProjectId, Timestamp};
use limn_store::{Tx, repo};

/// Longest sentence kept, in characters; names that people choose are part of it.
const SUMMARY_MAX: usize = 500;

/// Notes what the actor did. `verb` is a stable `noun.verb`; `summary` continues the sentence after the actor's name.
pub(crate) async fn write(
    tx: &mut Tx,
    actor: &Actor,
    project: Option<ProjectId>,
    verb: &str,
    summary: &str,
    now: Timestamp,
) -> Result<()> {
    let line = Activity {
        id: ActivityId::new(),
        at: now,
        actor_id: actor.user_id(),
        actor_name: actor.name().to_owned(),
        project_id: project,
        verb: verb.to_owned(),
        summary: summary.chars().take(SUMMARY_MAX).collect(),
    };
    let data = match actor {
        Actor::Token { token_id, .. } => serde_json::json!({ "token_id": token_id }),
        _ => serde_json::json!({}),
    };
    Ok(repo::activity::insert(tx, &line, &data).await?)
}
