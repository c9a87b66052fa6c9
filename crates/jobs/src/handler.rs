//! What runs: handlers by kind, and the errors a runner understands.

use crate::Progress;
use std::collections::HashMap;
use std::sync::Arc;

/// What runs for one kind of job. Must be idempotent: it may run again after a crash.
#[async_trait::async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Answers the job's result. An error fails the attempt; its message is shown to people.
    async fn run(
        &self,
        payload: serde_json::Value,
        progress: Progress,
    ) -> anyhow::Result<Option<serde_json::Value>>;

    /// Tidies up once the success is written down; not called when the process stops in between. What must survive until
    /// then, so that the job can run again, is removed here.
    async fn succeeded(&self, _payload: serde_json::Value) {}
}

/// The job was cancelled, or the runner is shutting down; made by [`Progress::check`].
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the job was cancelled")]
pub struct Cancelled;

/// A failure that trying again would not mend (bad input, for example). The text is for people.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Permanent(pub String);

/// Handlers by kind.
#[derive(Clone, Default)]
pub struct Registry {
    handlers: HashMap<&'static str, Arc<dyn Handler>>,
}

impl Registry {
    /// Adds the handler of a kind, replacing an earlier one.
    pub fn register(&mut self, kind: &'static str, handler: impl Handler) {
        self.handlers.insert(kind, Arc::new(handler));
    }

    pub(crate) fn get(&self, kind: &str) -> Option<Arc<dyn Handler>> {
        self.handlers.get(kind).cloned()
    }

    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        let mut kinds: Vec<_> = self.handlers.keys().copied().collect();
        kinds.sort_unstable();
        kinds
    }
}
