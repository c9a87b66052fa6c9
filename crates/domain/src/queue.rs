//! The labeling queue: leases, submissions, skips.

use crate::annotation::{ItemAnnotations, SaveChange};
use crate::id::{ItemId, ProjectId};
use crate::item::Item;
use crate::project::{ProjectStatus, Task};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// An item in somebody's hands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkItem {
    pub item: Item,
    pub annotations: ItemAnnotations,
    /// When the lease ends unless a heartbeat extends it; absent when the caller holds no lease (an item opened to
    /// look at or to correct).
    pub lease_until: Option<Timestamp>,
    /// Name of another person who holds the item now.
    pub held_by: Option<String>,
}

/// What the queue hands out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Taken {
    /// The caller's leased items, those in hand first, then new ones, at most as many as asked for.
    pub items: Vec<WorkItem>,
    pub state: QueueState,
}

/// What the queue looks like to the caller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QueueState {
    pub status: ProjectStatus,
    /// Items still to do, in anybody's hands or nobody's.
    pub todo: i64,
    /// Of those, held by other people now.
    pub held_by_others: i64,
    pub total: i64,
    /// Items the caller has submitted in this project.
    pub done_by_me: i64,
}

/// Submit an item; a last change can ride along and is saved in the same transaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Submit {
    /// The revision the labeler sees, when no change rides along; a newer one on the server is a conflict.
    pub revision: i64,
    #[serde(default)]
    pub change: Option<SaveChange>,
}

/// Put an item aside.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Skip {
    /// Why; required when the project says so. At most 500 characters.
    #[serde(default)]
    pub reason: Option<String>,
}

/// Which leases still stand after a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Heartbeat {
    pub kept: Vec<ItemId>,
    /// Items whose lease went to somebody else or that are no longer to do.
    pub lost: Vec<ItemId>,
    pub lease_until: Timestamp,
}

/// A project with work for the caller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QueueSummary {
    pub project_id: ProjectId,
    pub name: String,
    pub task: Task,
    pub state: QueueState,
    /// Items leased by the caller and not submitted yet.
    pub in_hand: i64,
}
