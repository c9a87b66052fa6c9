//! Pyramids in the cache, and the renditions that come from them.

use super::Renditions;
use crate::decode::{self, ImageInfo};
use crate::pool::blocking;
use crate::pyramid::{self, Asked, PyramidInfo};
use crate::render::{self, RenditionKind};
use crate::staged::{Source, TempFile};
use crate::{Result, StorageError};
use limn_domain::Digest;
use std::path::PathBuf;

/// What a pyramid is called among the files that processes share.
pub(super) fn name(digest: &Digest) -> String {
    format!("tiles/{digest}")
}

impl Renditions {
    /// Gives the pyramid that was made here to the other processes.
    pub async fn share_pyramid(&self, digest: &Digest) -> Result<()> {
        match &self.shared {
            Some(blobs) => blobs.share(&name(digest), &self.pyramid_path(digest)).await,
            None => Ok(()),
        }
    }

    /// Brings a pyramid here that another process has made, unless there is one. Answers whether there is one now.
    pub async fn obtain_pyramid(&self, digest: &Digest) -> Result<bool> {
        let path = self.pyramid_path(digest);
        if tokio::fs::try_exists(&path).await? {
            return Ok(true);
        }
        let Some(blobs) = &self.shared else {
            return Ok(false);
        };
        let lock = self.maker(digest, None);
        let _one = lock.lock().await;
        if tokio::fs::try_exists(&path).await? {
            return Ok(true);
        }
        blobs.obtain(&name(digest), &path).await
    }

    /// Where the pyramid of a picture lies, present or not.
    pub fn pyramid_path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.as_str();
        self.inner.root.join(&hex[..2]).join(format!("{hex}.tiles"))
    }

    /// What the pyramid of a picture holds, if it has been made.
    pub async fn pyramid(&self, digest: &Digest) -> Result<Option<PyramidInfo>> {
        let path = self.pyramid_path(digest);
        blocking(move || pyramid::read_info(&path)).await
    }

    /// A tile of a picture.
    pub async fn tile(&self, digest: &Digest, level: u32, x: u32, y: u32) -> Result<Asked> {
        let path = self.pyramid_path(digest);
        blocking(move || pyramid::read_tile(&path, level, x, y)).await
    }

    /// Reads the header of a stored picture.
    pub async fn look(&self, source: Source) -> Result<ImageInfo> {
        let limits = self.inner.limits;
        blocking(move || decode::header(&source, &limits)).await
    }

    /// Makes the pyramid of a picture with its smaller renditions, unless it is there. One large picture at a time; it takes
    /// the memory of a few rows of tiles. `report` gets rows done of all, and answers whether to go on.
    ///
    /// Errors: what is wrong with the file; [`StorageError::Stopped`] when `report` said so.
    pub async fn make_pyramid<F>(&self, digest: &Digest, source: Source, mut report: F) -> Result<PyramidInfo>
    where
        F: FnMut(u64, u64) -> bool + Send + 'static,
    {
        if let Some(info) = self.pyramid(digest).await? {
            return Ok(info);
        }
        let limits = self.inner.limits;
        let info = self.look(source.clone()).await?;
        let this = self.clone();
        let made = digest.clone();
        let work = move || this.build(&made, &source, &info, &mut report);
        if info.is_large(&limits) {
            let _one = self.inner.cutting.lock().await;
            if self.obtain_pyramid(digest).await?
                && let Some(info) = self.pyramid(digest).await?
            {
                return Ok(info);
            }
            blocking(work).await
        } else {
            // Small and deep: as quick as any other rendition, and bounded with them.
            let lock = self.maker(digest, Some(RenditionKind::Full));
            let _one = lock.lock().await;
            if let Some(info) = self.pyramid(digest).await? {
                return Ok(info);
            }
            let memory = info.decoded_bytes * 3;
            self.inner.pool.run(memory, work).await
        }
    }

    fn build(
        &self,
        digest: &Digest,
        source: &Source,
        info: &ImageInfo,
        report: &mut dyn FnMut(u64, u64) -> bool,
    ) -> Result<PyramidInfo> {
        let (temp, file) = TempFile::create(&self.inner.temp)?;
        let made = pyramid::build(source, info, &self.inner.limits, file, report)?;
        for kind in [RenditionKind::Thumb, RenditionKind::Screen] {
            if let Some(bytes) = render_from(temp.path(), kind)? {
                self.write(digest, kind, &bytes)?;
            }
        }
        let path = self.pyramid_path(digest);
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir)?;
        }
        // Last: whoever sees it may ask for everything.
        temp.persist(&path)?;
        Ok(made)
    }

    /// A rendition of a picture that is never decoded whole; `None` while it has no pyramid.
    pub(super) fn render_pyramid(&self, digest: &Digest, kind: RenditionKind) -> Result<Option<Vec<u8>>> {
        let Some(bytes) = render_from(&self.pyramid_path(digest), kind)? else {
            return Ok(None);
        };
        self.write(digest, kind, &bytes)?;
        Ok(Some(bytes))
    }

    /// What is told of a large picture before its pyramid is made.
    pub(super) async fn inspect_large(&self, source: Source, info: ImageInfo) -> Result<ImageInfo> {
        let limits = self.inner.limits;
        blocking(move || pyramid::look(&source, &info, &limits)).await?;
        Ok(info)
    }
}

fn render_from(pyramid: &std::path::Path, kind: RenditionKind) -> Result<Option<Vec<u8>>> {
    if kind == RenditionKind::Full {
        return Err(StorageError::Unwieldy(
            "the picture is too large to be sent whole; ask for its tiles.".to_owned(),
        ));
    }
    match pyramid::assemble(pyramid, RenditionKind::Screen.max_side())? {
        Some(picture) => render::render_upright(&picture, kind).map(Some),
        None => Ok(None),
    }
}
