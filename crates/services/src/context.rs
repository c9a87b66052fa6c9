//! What every use case stands on.

use crate::bucket::{BlobBucket, DbHolds};
use crate::explore::cache::CacheFolder;
use crate::{Clock, Error, Result};
use anyhow::{Context as _, anyhow};
use limn_connect::{Bucket, Reach, Sealer};
use limn_domain::UploadId;
use limn_storage::{BlobStore, DecodePool, ImageLimits, Renditions};
use limn_store::{Db, repo};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The setting that tells the server's key from others, and says nothing of it.
const KEY_MARK: &str = "server_key";
const OTHER_KEY: &str = "this process has another key for credentials than the database's other processes, or none. Give \
    all of them the same `secrets.key`, or the same file `secret.key` in their data directories. If the old key is lost for \
    good, run `limn admin forget-key`, and give the credentials of datastores anew";

fn mark(key: &limn_connect::Secret) -> String {
    let text = format!("limn server key\0{}", key.reveal().trim().to_ascii_lowercase());
    blake3::hash(text.as_bytes()).to_hex()[..16].to_owned()
}

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
    /// The program that takes video files apart, by name or path.
    pub ffmpeg: PathBuf,
    /// What datastores may reach: networks, folders; and the key for their credentials.
    pub reach: Reach,
    /// The open datasets on offer, and how they are fetched.
    pub catalogue: crate::CatalogueSettings,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            image_bytes: 8 << 30,
            text_bytes: limn_domain::text::BYTES_MAX,
            upload_bytes: 64 << 30,
            image_pixels: 2_000_000_000,
            whole_pixels: 32_000_000,
            ffmpeg: PathBuf::from("ffmpeg"),
            reach: Reach::default(),
            catalogue: crate::CatalogueSettings::default(),
        }
    }
}

/// Shared by all services. Cloned with every request by each of them, so it is one pointer: counters of many that several
/// processors move at once would cost more than the request.
#[derive(Clone)]
pub struct Context(Arc<Parts>);

impl std::ops::Deref for Context {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// What a [`Context`] holds.
#[derive(Clone)]
pub struct Parts {
    pub db: Db,
    pub clock: Clock,
    /// Holds `limn.db`, `blobs/` or `copies/` of them, `renditions/`, `uploads/`, `exports/`, `segments/`, `trainings/`, `catalogue/`.
    pub data_dir: PathBuf,
    pub limits: Limits,
    pub blobs: BlobStore,
    pub renditions: Renditions,
    pub jobs: limn_jobs::Wake,
    /// Who knows models; `None` where nobody was put in.
    pub engine: Option<Arc<dyn crate::assist::port::Engine>>,
    /// Who trains networks; likewise.
    pub trainer: Option<Arc<dyn crate::training::port::Trainer>>,
    pub(crate) registrar: crate::ingest::Registrar,
    sealer: Arc<OnceLock<Sealer>>,
    pub(crate) elsewhere: crate::elsewhere::Elsewhere,
    key: Arc<OnceLock<limn_connect::Secret>>,
    pub(crate) indexes: crate::explore::index::Indexes,
    pub(crate) item_indexes: crate::explore::items::ItemIndexes,
    pub(crate) layers: crate::explore::layers::Layers,
    pub(crate) looks: crate::explore::beside::Beside<limn_explore::Looks>,
    pub(crate) maps: crate::explore::beside::Beside<limn_explore::Map>,
}

impl Context {
    /// Opens the stores of bytes under `data_dir` (created when missing) beside an open database.
    pub fn open(db: Db, data_dir: PathBuf, limits: Limits, clock: Clock) -> Result<Self> {
        let blobs = BlobStore::open(data_dir.join("blobs")).context("cannot open the blob store")?;
        Self::over(db, data_dir, limits, clock, blobs)
    }

    /// The same with the blobs, and what processes share, in a bucket. `data_dir` is this process's alone and holds at most
    /// `copies` bytes of them. Must be called in a runtime.
    pub fn open_bucket(
        db: Db,
        data_dir: PathBuf,
        limits: Limits,
        clock: Clock,
        (bucket, copies): (Bucket, u64),
    ) -> Result<Self> {
        let holds = DbHolds {
            db: db.clone(),
            clock: clock.clone(),
        };
        let (objects, holds) = (Arc::new(BlobBucket(bucket)), Arc::new(holds));
        let blobs = BlobStore::over(data_dir.join("copies"), objects, holds, copies)
            .context("cannot open the folder of copies")?;
        Self::over(db, data_dir, limits, clock, blobs)
    }

    fn over(db: Db, data_dir: PathBuf, limits: Limits, clock: Clock, blobs: BlobStore) -> Result<Self> {
        for folder in ["", "uploads", "exports"] {
            let path = data_dir.join(folder);
            std::fs::create_dir_all(&path)
                .with_context(|| format!("cannot create the folder `{}`", path.display()))?;
        }
        let image_limits = ImageLimits {
            max_pixels: limits.image_pixels,
            whole_pixels: limits.whole_pixels,
            ..ImageLimits::default()
        };
        let pool = DecodePool::for_this_machine();
        let renditions = Renditions::open(data_dir.join("renditions"), pool, image_limits)
            .context("cannot open the cache of renditions")?
            .sharing(blobs.clone());
        let of_versions = CacheFolder::of_versions(&data_dir, blobs.clone());
        let indexes = crate::explore::index::Indexes::new(of_versions.clone());
        let looks = crate::explore::beside::Beside::new(of_versions.clone());
        let maps = crate::explore::beside::Beside::new(of_versions);
        let of_projects = CacheFolder::of_projects(&data_dir, blobs.clone());
        let item_indexes = crate::explore::items::ItemIndexes::new(of_projects);
        Ok(Self(Arc::new(Parts {
            db,
            clock,
            data_dir,
            limits,
            blobs,
            renditions,
            jobs: limn_jobs::Wake::default(),
            engine: None,
            trainer: None,
            registrar: crate::ingest::Registrar::default(),
            sealer: Arc::default(),
            elsewhere: crate::elsewhere::Elsewhere::default(),
            key: Arc::default(),
            indexes,
            item_indexes,
            layers: crate::explore::layers::Layers::default(),
            looks,
            maps,
        })))
    }

    /// Encrypts credentials, under the configured key or that of `secret.key`, which is made when it is first needed.
    pub(crate) async fn sealer(&self) -> Result<Sealer> {
        if let Some(sealer) = self.sealer.get() {
            return Ok(sealer.clone());
        }
        let sealer = Sealer::new(&self.server_key().await?).map_err(anyhow::Error::from)?;
        Ok(self.sealer.get_or_init(|| sealer).clone())
    }

    /// The configured key or that of `secret.key`: 64 hexadecimal digits. All processes have the same.
    pub(crate) async fn server_key(&self) -> Result<limn_connect::Secret> {
        if let Some(key) = self.key.get() {
            return Ok(key.clone());
        }
        let key = if self.limits.reach.key.is_empty() {
            let path = self.data_dir.join("secret.key");
            let read = tokio::task::spawn_blocking(move || limn_connect::key_file(&path));
            read.await
                .map_err(anyhow::Error::from)?
                .context("cannot use the key file secret.key in the data directory")?
        } else {
            self.limits.reach.key.clone()
        };
        let mark = mark(&key);
        let noted = mark.clone();
        let known = self
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    repo::setting::put_new(tx, KEY_MARK, &noted.into()).await?;
                    Ok(repo::setting::get(tx, KEY_MARK).await?)
                })
            })
            .await?;
        if known.as_ref().and_then(|k| k.as_str()) != Some(mark.as_str()) {
            return Err(Error::Internal(anyhow!(OTHER_KEY)));
        }
        Ok(self.key.get_or_init(|| key).clone())
    }

    /// Says at the start whether this process has the key of the others, as far as anybody has used one.
    pub async fn check_key(&self) -> Result<()> {
        let known = repo::setting::get(&mut self.db.read().await?, KEY_MARK).await?;
        let has_one = !self.limits.reach.key.is_empty() || self.data_dir.join("secret.key").exists();
        if has_one {
            return self.server_key().await.map(drop);
        }
        if known.is_some() {
            return Err(Error::Internal(anyhow!(OTHER_KEY)));
        }
        Ok(())
    }

    /// Takes the key that this process has for the right one from here on. What was encrypted with the old one stays
    /// closed.
    pub async fn forget_key(&self) -> Result<bool> {
        self.db
            .write::<_, Error, _>(|tx| Box::pin(async move { Ok(repo::setting::take(tx, KEY_MARK).await?) }))
            .await
    }

    /// With models for the assist.
    #[must_use]
    pub fn with_engine(mut self, engine: Arc<dyn crate::assist::port::Engine>) -> Self {
        Arc::make_mut(&mut self.0).engine = Some(engine);
        self
    }

    /// With networks to train.
    #[must_use]
    pub fn with_trainer(mut self, trainer: Arc<dyn crate::training::port::Trainer>) -> Self {
        Arc::make_mut(&mut self.0).trainer = Some(trainer);
        self
    }

    /// Without networks to train, as where none were put in.
    #[must_use]
    pub fn without_trainer(mut self) -> Self {
        Arc::make_mut(&mut self.0).trainer = None;
        self
    }

    /// What trainings under way keep, a folder each.
    pub(crate) fn trainings_dir(&self) -> PathBuf {
        self.data_dir.join("trainings")
    }

    /// What jobs of the catalogue are fetching, a folder each.
    pub(crate) fn catalogue_dir(&self) -> PathBuf {
        self.data_dir.join("catalogue")
    }

    /// Where finished exports lie.
    pub fn exports_dir(&self) -> PathBuf {
        self.data_dir.join("exports")
    }

    /// What networks said of pictures; may be deleted at any time.
    pub(crate) fn segments_dir(&self) -> PathBuf {
        self.data_dir.join("segments")
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
