//! The cache of renditions: `<root>/ab/<digest>.<kind>.jpg`, and `<digest>.tiles` for pyramids. Everything in it can be
//! made again.

mod tiles;

use crate::blob::clean_temp;
use crate::decode::{self, ImageInfo, ImageLimits};
use crate::pool::blocking;
use crate::render::{self, RenditionKind};
use crate::staged::{Source, TempFile};
use crate::{BlobStore, DecodePool, Result, StorageError};
use bytes::Bytes;
use limn_domain::Digest;
use std::collections::HashMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::oneshot;

type MakerLock = tokio::sync::Mutex<()>;
/// What is made: a rendition, or without a kind the pyramid.
type Made = (Digest, Option<RenditionKind>);

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct Renditions {
    inner: Arc<Inner>,
    /// Through which processes that do not see each other's folders share pyramids.
    shared: Option<BlobStore>,
}

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    temp: PathBuf,
    pool: DecodePool,
    limits: ImageLimits,
    /// One maker for each rendition at a time; without a kind, one who brings a pyramid here.
    making: Mutex<HashMap<Made, Weak<MakerLock>>>,
    /// Held while a large picture is cut into tiles: one at a time, beside the pool, so that it never waits for minutes.
    cutting: MakerLock,
}

impl Renditions {
    /// Opens the cache in `root`, creating it when missing. Blocking, brief.
    pub fn open(root: impl Into<PathBuf>, pool: DecodePool, limits: ImageLimits) -> Result<Self> {
        let root = root.into();
        let temp = root.join("tmp");
        std::fs::create_dir_all(&temp)?;
        clean_temp(&temp)?;
        Ok(Self {
            inner: Arc::new(Inner {
                root,
                temp,
                pool,
                limits,
                making: Mutex::default(),
                cutting: MakerLock::default(),
            }),
            shared: None,
        })
    }

    /// Shares pyramids with other processes, as far as these blobs are shared with them.
    #[must_use]
    pub fn sharing(mut self, blobs: BlobStore) -> Self {
        self.shared = Some(blobs).filter(BlobStore::is_remote);
        self
    }

    pub fn limits(&self) -> &ImageLimits {
        &self.inner.limits
    }

    pub fn pool(&self) -> &DecodePool {
        &self.inner.pool
    }

    pub fn path(&self, digest: &Digest, kind: RenditionKind) -> PathBuf {
        let hex = digest.as_str();
        self.inner
            .root
            .join(&hex[..2])
            .join(format!("{hex}.{}.jpg", kind.as_str()))
    }

    /// Checks a picture whole and makes its renditions from the same decode. Of a large one only what can be told without
    /// decoding is checked, and nothing is made: see [`Self::make_pyramid`].
    ///
    /// Returns once the picture is known good and its thumbnail lies in the cache; the screen rendition follows in the
    /// background. Errors: a refusal that says what is wrong with the file. `source` must stay readable meanwhile.
    pub async fn inspect(&self, digest: &Digest, source: Source) -> Result<ImageInfo> {
        let limits = self.inner.limits;
        let peek = source.clone();
        let (info, len) = blocking(move || Ok((decode::header(&peek, &limits)?, peek.len()?))).await?;
        if self.path(digest, RenditionKind::Thumb).exists() {
            // It is only written after the very same bytes were decoded whole.
            return Ok(info);
        }
        if info.is_large(&limits) {
            return self.inspect_large(source, info).await;
        }
        let bytes = info.decoded_bytes * 2 + len * 2;

        let (tell, told) = oneshot::channel();
        let this = self.clone();
        let digest = digest.clone();
        let pool = self.inner.pool.clone();
        tokio::spawn(async move {
            let mut tell = Some(tell);
            let result = pool
                .run(bytes, move || {
                    let first = this.decode_and_thumb(&digest, &source);
                    // The bytes may be moved or removed from here on.
                    drop(source);
                    let (answer, decoded) = match first {
                        Ok(decoded) => (Ok(decoded.info), Some(decoded)),
                        Err(e) => (Err(e), None),
                    };
                    if let Some(tell) = tell.take() {
                        drop(tell.send(answer));
                    }
                    let Some(decoded) = decoded else { return Ok(()) };
                    let screen = RenditionKind::Screen;
                    if !screen.is_original(&decoded.info) && !this.path(&digest, screen).exists() {
                        this.write(&digest, screen, &render::render(&decoded, screen)?)?;
                    }
                    Ok(())
                })
                .await;
            if let Err(e) = result {
                // Nobody waits any more; the rendition is made again when asked for.
                tracing::debug!(error = %e, "picture work ended with an error");
            }
        });
        // A maker that panicked drops its end.
        told.await.unwrap_or_else(|_| {
            Err(StorageError::Corrupt {
                kind: "picture",
                detail: "the decoder gave up".to_owned(),
            })
        })
    }

    fn decode_and_thumb(&self, digest: &Digest, source: &Source) -> Result<decode::Decoded> {
        let decoded = decode::decode(source, &self.inner.limits)?;
        let thumb = RenditionKind::Thumb;
        if !self.path(digest, thumb).exists() {
            self.write(digest, thumb, &render::render(&decoded, thumb)?)?;
        }
        Ok(decoded)
    }

    /// The rendition if it lies in the cache whole.
    pub async fn get(&self, digest: &Digest, kind: RenditionKind) -> Result<Option<Bytes>> {
        match tokio::fs::read(self.path(digest, kind)).await {
            // A power cut can leave a file short; it is made again.
            Ok(bytes) if bytes.ends_with(&[0xff, 0xd9]) => Ok(Some(Bytes::from(bytes))),
            Ok(_) => Ok(None),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// The rendition, made from `source` when it is missing; concurrent askers wait for one maker. Those of a large picture
    /// come from its pyramid; [`StorageError::NotMadeYet`] while there is none.
    pub async fn get_or_make(&self, digest: &Digest, kind: RenditionKind, source: Source) -> Result<Bytes> {
        if let Some(bytes) = self.get(digest, kind).await? {
            return Ok(bytes);
        }
        let lock = self.maker(digest, Some(kind));
        let _one = lock.lock().await;
        if let Some(bytes) = self.get(digest, kind).await? {
            return Ok(bytes);
        }
        let limits = self.inner.limits;
        let peek = source.clone();
        let (info, len) = blocking(move || Ok((decode::header(&peek, &limits)?, peek.len()?))).await?;
        let memory = info.decoded_bytes * 2 + len * 2;
        let this = self.clone();
        let digest = digest.clone();
        if info.is_large(&limits) {
            self.obtain_pyramid(&digest).await?;
            let made = blocking(move || this.render_pyramid(&digest, kind)).await?;
            return made.map(Bytes::from).ok_or(StorageError::NotMadeYet);
        }
        self.inner
            .pool
            .run(memory, move || {
                let decoded = decode::decode(&source, &this.inner.limits)?;
                let bytes = render::render(&decoded, kind)?;
                this.write(&digest, kind, &bytes)?;
                Ok(Bytes::from(bytes))
            })
            .await
    }

    /// Removes all renditions of a picture.
    pub async fn delete(&self, digest: &Digest) -> Result<()> {
        if let Some(blobs) = &self.shared {
            blobs.unshare(&tiles::name(digest)).await?;
        }
        let mut paths = RenditionKind::ALL.map(|k| self.path(digest, k)).to_vec();
        paths.push(self.pyramid_path(digest));
        blocking(move || {
            for path in paths {
                match std::fs::remove_file(path) {
                    Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
                    _ => {}
                }
            }
            Ok(())
        })
        .await
    }

    fn maker(&self, digest: &Digest, kind: Option<RenditionKind>) -> Arc<MakerLock> {
        let mut making = self.inner.making.lock().unwrap_or_else(PoisonError::into_inner);
        making.retain(|_, lock| lock.strong_count() > 0);
        let key = (digest.clone(), kind);
        if let Some(lock) = making.get(&key).and_then(Weak::upgrade) {
            return lock;
        }
        let lock = Arc::new(MakerLock::new(()));
        making.insert(key, Arc::downgrade(&lock));
        lock
    }

    fn write(&self, digest: &Digest, kind: RenditionKind, bytes: &[u8]) -> Result<()> {
        let path = self.path(digest, kind);
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir)?;
        }
        let (temp, mut file) = TempFile::create(&self.inner.temp)?;
        file.write_all(bytes)?;
        temp.persist(&path)
    }
}
