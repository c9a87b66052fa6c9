//! What every use case stands on.

use crate::{Clock, Result};
use limn_storage::{BlobStore, Renditions};
use limn_store::Db;
use std::path::PathBuf;
use std::sync::Arc;

/// Bounds on what comes in from outside.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Largest single image, in bytes.
    pub image_bytes: u64,
    /// Largest resumable upload, in bytes.
    pub upload_bytes: u64,
    /// Largest image, in pixels (width x height).
    pub image_pixels: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            image_bytes: 512 << 20,
            upload_bytes: 64 << 30,
            image_pixels: 200_000_000,
        }
    }
}

/// Shared by all services; cheap to clone.
#[derive(Clone)]
pub struct Context {
    pub db: Db,
    pub clock: Clock,
    /// Holds `limn.db`, `blobs/`, `renditions/`, `uploads/`, `exports/`.
    pub data_dir: Arc<PathBuf>,
    pub limits: Arc<Limits>,
    pub blobs: BlobStore,
    pub renditions: Renditions,
    pub jobs: limn_jobs::Wake,
}

impl Context {
    /// Opens the stores of bytes under `data_dir` (created when missing) beside an open database.
    pub fn open(db: Db, data_dir: PathBuf, limits: Limits, clock: Clock) -> Result<Self> {
        todo!()
    }


    pub fn now(&self) -> limn_domain::Timestamp {
        self.clock.now()
    }
}
