//! What runs in the background, one file a kind.

use crate::Services;

/// A runner with every handler registered.
pub fn runner(services: &Services, concurrency: usize) -> limn_jobs::Runner {
    todo!()
}
