//! The audit log, as lines people read.

use crate::id::{ActivityId, ProjectId, UserId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Something somebody did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Activity {
    pub id: ActivityId,
    pub at: Timestamp,
    pub actor_id: Option<UserId>,
    /// "Limn" for the system itself.
    pub actor_name: String,
    pub project_id: Option<ProjectId>,
    /// Stable name, `noun.verb`: `project.create`, `item.submit`...
    pub verb: String,
    /// The rest of the sentence after the actor's name: "submitted 12 items".
    pub summary: String,
}
