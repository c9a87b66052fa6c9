//! The job that cuts a large picture into tiles.

use crate::Context;
use crate::media::tiles::Payload;
use anyhow::Context as _;
use limn_jobs::{Handler, Permanent, Progress};
use limn_storage::StorageError;

/// Runs it. Safe to run again: what is there already stays, and nothing half-made is ever seen.
pub(crate) struct TilesJob(pub Context);

#[async_trait::async_trait]
impl Handler for TilesJob {
    async fn run(
        &self,
        payload: serde_json::Value,
        progress: Progress,
    ) -> anyhow::Result<Option<serde_json::Value>> {
        let Payload { digest, name } =
            serde_json::from_value(payload).map_err(|e| Permanent(e.to_string()))?;
        let told = progress.clone();
        let report = move |done: u64, total: u64| {
            let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
            told.note(count(done), count(total), "Cutting");
            !told.token().is_cancelled()
        };
        let cut = async {
            let local = self.0.content(&digest).await?;
            self.0
                .renditions
                .make_pyramid(&digest, local.source(), report)
                .await
        };
        let made = tokio::select! {
            made = cut => made,
            // Also while another picture is being cut.
            () = progress.token().cancelled() => Err(StorageError::Stopped),
        };
        match made {
            Ok(info) => {
                let shared = self.0.renditions.share_pyramid(&digest).await;
                shared.with_context(|| format!("the tiles of `{name}` could not be put into the store"))?;
                let rows = i64::from(info.height);
                progress.report(rows, rows, "Done").await?;
                Ok(Some(
                    serde_json::json!({ "tiles": info.tiles(), "levels": info.levels() }),
                ))
            }
            Err(StorageError::Stopped) => {
                progress.check()?;
                Err(anyhow::anyhow!("The work was stopped."))
            }
            Err(StorageError::NotFound) => Err(Permanent(format!(
                "The stored file of `{name}` is missing on the server; add it again."
            ))
            .into()),
            Err(StorageError::SourceChanged(text)) => Err(Permanent(text).into()),
            Err(e @ StorageError::SourceAway(_)) => Err(e.into()),
            Err(StorageError::Io(e)) if e.kind() == std::io::ErrorKind::StorageFull => Err(Permanent(
                "The server's disk is full. Make room, then run the job again.".to_owned(),
            )
            .into()),
            Err(e) if e.is_refusal() => Err(Permanent(format!("`{name}`: {e}")).into()),
            Err(e) => Err(e).with_context(|| format!("`{name}` could not be cut into tiles")),
        }
    }
}
