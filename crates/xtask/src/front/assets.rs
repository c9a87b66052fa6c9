//! Writes the site folder: hashed names, compressed copies, and a swap so that nobody sees half a build.

use super::compress::{self, Effort};
use crate::ws;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// The site being written. Until `begin`, files go straight into the live folder.
pub struct Site {
    live: PathBuf,
    into: PathBuf,
    effort: Effort,
}

impl Site {
    pub fn open() -> Result<Self> {
        let live = ws::site();
        std::fs::create_dir_all(&live).with_context(|| format!("cannot make {}", live.display()))?;
        Ok(Self {
            into: live.clone(),
            live,
            effort: Effort::Quick,
        })
    }

    /// The folder that the server reads.
    pub fn live(&self) -> &Path {
        &self.live
    }

    /// Starts a whole new site beside the live one; `finish` swaps them.
    pub fn begin(&mut self, release: bool) -> Result<()> {
        self.effort = if release { Effort::Best } else { Effort::Quick };
        self.into = self.live.with_extension("new");
        if self.into.exists() {
            std::fs::remove_dir_all(&self.into)?;
        }
        std::fs::create_dir_all(&self.into)?;
        Ok(())
    }

    /// Writes one file (path relative to the site) and its compressed copies.
    pub fn add(&self, path: &str, content: &[u8]) -> Result<()> {
        let file = self.into.join(path);
        if let Some(dir) = file.parent() {
            std::fs::create_dir_all(dir)?;
        }
        std::fs::write(&file, content).with_context(|| format!("cannot write {}", file.display()))?;
        // An unchanged file is not compressed twice: brotli at its best takes seconds on the module.
        let old = self.live.join(path);
        let unchanged = self.into != self.live && std::fs::read(&old).is_ok_and(|o| o == content);
        compress::beside(&file, content, self.effort, unchanged.then_some(old.as_path()))
    }

    /// Writes `pkg/NAME.HASH.EXT` and returns HASH.
    pub fn add_hashed(&self, name: &str, extension: &str, content: &[u8]) -> Result<String> {
        let hash = blake3::hash(content).to_hex()[..16].to_owned();
        self.add(&format!("pkg/{name}.{hash}.{extension}"), content)?;
        Ok(hash)
    }

    /// Copies a folder, when there is one, to `to` inside the site.
    pub fn add_tree(&self, from: &Path, to: &Path) -> Result<()> {
        let Ok(entries) = std::fs::read_dir(from) else {
            return Ok(());
        };
        for entry in entries {
            let entry = entry?;
            let to = to.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                self.add_tree(&entry.path(), &to)?;
            } else {
                self.add(&to.to_string_lossy(), &std::fs::read(entry.path())?)?;
            }
        }
        Ok(())
    }

    /// Puts the new site in the place of the live one.
    pub fn finish(self) -> Result<()> {
        let old = self.live.with_extension("old");
        let _ = std::fs::remove_dir_all(&old);
        std::fs::rename(&self.live, &old)?;
        std::fs::rename(&self.into, &self.live)?;
        let _ = std::fs::remove_dir_all(&old);
        Ok(())
    }
}
