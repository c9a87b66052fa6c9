//! What is swept up now and then, beside the jobs.

use crate::{Context, Result, housekeeping};
use limn_store::{StoreError, repo};
use std::time::Duration;

/// Between two sweeps.
pub(super) const EVERY: Duration = Duration::from_hours(1);
/// Days that ended jobs stay in lists.
const JOB_DAYS: i64 = 30;
/// Jobs removed in one transaction.
const PAGE: i64 = 200;

/// Sweeps once; what fails is in the log and tried again next time.
pub(super) async fn run(ctx: Context) {
    if let Err(e) = housekeeping::take_turn(&ctx).await {
        tracing::warn!(error = %e, "a clean-up did not come to its end");
    }
    if let Err(e) = old_jobs(&ctx).await {
        tracing::warn!(error = %e, "old jobs were not removed");
    }
}

async fn old_jobs(ctx: &Context) -> Result<()> {
    let before = ctx.now().plus_seconds(-JOB_DAYS * 86_400);
    loop {
        let gone: Result<_, StoreError> = ctx
            .db
            .write(move |tx| Box::pin(async move { repo::job::delete_ended(tx, before, PAGE).await }))
            .await;
        if gone?.is_empty() {
            return Ok(());
        }
    }
}
