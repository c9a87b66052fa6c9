//! What every use case stands on.

use crate::{Clock, Result};
use anyhow::Context as _;
use limn_domain::UploadId;
use limn_storage::{BlobStore, DecodePool, ImageLimits, Renditions};
use limn_store::Db;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bounds on what comes in from outside.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Largest single image, in bytes.
    pub image_bytes: u64,
    /// Largest document.
    pub text_bytes: u64,
    /// Largest resumable upload, in bytes.
    pub upload_bytes: u64,
    /// Largest image, in pixels (width x height).
    pub image_pixels: u64,
    /// An image of more pixels is shown by tiles and never decoded whole.
    pub whole_pixels: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            image_bytes: 8 << 30,
            text_bytes: limn_domain::text::BYTES_MAX,
            upload_bytes: 64 << 30,
            image_pixels: 2_000_000_000,
            whole_pixels: 32_000_000,
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
    pub(crate) registrar: crate::ingest::Registrar,
}

impl Context {
    /// Opens the stores of bytes under `data_dir` (created when missing) beside an open database.
    pub fn open(db: Db, data_dir: PathBuf, limits: Limits, clock: Clock) -> Result<Self> {
        for folder in ["", "uploads", "exports"] {
            let path = data_dir.join(folder);
            std::fs::create_dir_all(&path)
                .with_context(|| format!("cannot create the folder `{}`", path.display()))?;
        }
        let blobs = BlobStore::open(data_dir.join("blobs")).context("cannot open the blob store")?;
        let image_limits = ImageLimits {
            max_pixels: limits.image_pixels,
            whole_pixels: limits.whole_pixels,
            ..ImageLimits::default()
        };
        let pool = DecodePool::for_this_machine();
        let renditions = Renditions::open(data_dir.join("renditions"), pool, image_limits)
            .context("cannot open the cache of renditions")?;
        Ok(Self {
            db,
            clock,
            data_dir: Arc::new(data_dir),
            limits: Arc::new(limits),
            blobs,
            renditions,
            jobs: limn_jobs::Wake::default(),
            registrar: crate::ingest::Registrar::default(),
        })
    }

    /// Where finished exports lie.
    pub fn exports_dir(&self) -> PathBuf {
        self.data_dir.join("exports")
    }

    /// The file of a resumable upload. Its first `received` bytes count; there may be more after a crash.
    pub fn upload_path(&self, upload: UploadId) -> PathBuf {
        self.uploads_dir().join(upload.to_string())
    }

    pub(crate) fn uploads_dir(&self) -> PathBuf {
        Path::join(&self.data_dir, "uploads")
    }

    pub fn now(&self) -> limn_domain::Timestamp {
        self.clock.now()
    }
}
