//! Bounds decoding: so many at once, and so much memory in all.

use crate::{Result, StorageError};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Runs picture work on blocking threads. Cheap to clone; clones share the bounds.
#[derive(Debug, Clone)]
pub struct DecodePool {
    slots: Arc<Semaphore>,
    memory: Arc<Semaphore>,
    memory_mib: u32,
}

impl DecodePool {
    /// `slots` pictures at once, using about `memory_mib` MiB in all. A picture that needs more runs alone.
    pub fn new(slots: usize, memory_mib: u32) -> Self {
        let memory_mib = memory_mib.max(1);
        Self {
            slots: Arc::new(Semaphore::new(slots.max(1))),
            memory: Arc::new(Semaphore::new(memory_mib as usize)),
            memory_mib,
        }
    }

    /// One slot a core, 768 MiB.
    pub fn for_this_machine() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self::new(cores.max(2), 768)
    }

    /// Waits for a slot and for `bytes` of memory, then runs `work` on a blocking thread. The slot is held until `work`
    /// returns, also when the caller has gone away. A panic in a decoder is an error, not an outage.
    pub async fn run<T, F>(&self, bytes: u64, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T> + Send + 'static,
    {
        let permit = self.permit(bytes).await?;
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        flatten(task.await)
    }

    async fn permit(&self, bytes: u64) -> Result<(OwnedSemaphorePermit, OwnedSemaphorePermit)> {
        let mib = u32::try_from(bytes >> 20)
            .unwrap_or(u32::MAX)
            .saturating_add(1)
            .min(self.memory_mib);
        let slot = Arc::clone(&self.slots)
            .acquire_owned()
            .await
            .map_err(|_| StorageError::Stopped)?;
        let memory = Arc::clone(&self.memory)
            .acquire_many_owned(mib)
            .await
            .map_err(|_| StorageError::Stopped)?;
        Ok((slot, memory))
    }
}

fn flatten<T>(joined: std::result::Result<Result<T>, tokio::task::JoinError>) -> Result<T> {
    match joined {
        Ok(result) => result,
        Err(e) if e.is_panic() => {
            tracing::error!("a picture decoder panicked");
            Err(StorageError::Corrupt {
                kind: "picture",
                detail: "the decoder gave up".to_owned(),
            })
        }
        Err(_) => Err(StorageError::Stopped),
    }
}

/// Runs file work on a blocking thread.
pub(crate) async fn blocking<T, F>(work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T> + Send + 'static,
{
    flatten(tokio::task::spawn_blocking(work).await)
}
