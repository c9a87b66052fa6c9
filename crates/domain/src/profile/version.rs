//! The profile of a version, or how far it is.

use super::DatasetProfile;
use crate::job::Job;
use crate::{Timestamp, VersionId};
use serde::{Deserialize, Serialize};

/// What there is of a version's profile: none yet, one that a job computes, or the profile.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VersionProfile {
    pub version_id: VersionId,
    pub computed_at: Option<Timestamp>,
    /// The last job that computed it or does.
    pub job: Option<Job>,
    pub profile: Option<DatasetProfile>,
}
