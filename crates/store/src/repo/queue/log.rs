//! Submitting in the audit log: one line for a stretch of work, not one for each item.

use crate::dialect::Dialect;
use crate::{Json, StoreError, Tx, on_tx};
use limn_domain::activity::Activity;
use serde_json::json;

/// Adds the line, or, when a line of this id is there, counts it up. `line.summary` is the verb of the sentence
/// ("submitted"); the number of items is added here.
pub async fn note_finish(tx: &mut Tx, line: &Activity) -> Result<(), StoreError> {
    let text = Dialect::of(tx).pick(
        "INSERT INTO activity (id, at, actor_id, actor_name, project_id, verb, summary, data) \
         VALUES ($1, $2, $3, $4, $5, $6, $7 || ' 1 item', $8) \
         ON CONFLICT (id) DO UPDATE SET at = excluded.at, \
         summary = $7 || ' ' || (json_extract(activity.data, '$.items') + 1) || ' items', \
         data = json_set(activity.data, '$.items', json_extract(activity.data, '$.items') + 1)",
        "INSERT INTO activity (id, at, actor_id, actor_name, project_id, verb, summary, data) \
         VALUES ($1, $2, $3, $4, $5, $6, $7 || ' 1 item', $8) \
         ON CONFLICT (id) DO UPDATE SET at = excluded.at, \
         summary = $7 || ' ' || ((activity.data ->> 'items')::bigint + 1) || ' items', \
         data = jsonb_set(activity.data, '{items}', to_jsonb((activity.data ->> 'items')::bigint + 1))",
    );
    on_tx!(tx, conn => {
        sqlx::query(text)
            .bind(line.id)
            .bind(line.at)
            .bind(line.actor_id)
            .bind(&line.actor_name)
            .bind(line.project_id)
            .bind(&line.verb)
            .bind(&line.summary)
            .bind(Json(json!({"items": 1})))
            .execute(conn)
            .await?;
    });
    Ok(())
}
