//! Zip archives from outside, read one entry at a time in bounded memory.
//!
//! The archive's own table of contents is checked first: what cannot be used (names that leave the folder, links,
//! encryption...) is in [`Archive::refused`] by name, and the rest can be read. Sizes that an archive claims are never
//! believed; limits are measured on what really comes out. Everything here blocks.
//!
//! ```no_run
//! # use limn_storage::{Source, archive::{Archive, ArchiveLimits}};
//! # fn f() -> limn_storage::Result<()> {
//! let mut archive = Archive::open(&Source::File("photos.zip".into()), ArchiveLimits::default())?;
//! for n in 0..archive.entries().len() {
//!     let bytes = archive.read(n, 64 << 20)?;
//!     println!("{}: {} bytes", archive.entries()[n].name, bytes.len());
//! }
//! # Ok(())
//! # }
//! ```

mod any;
mod directory;
mod entry;
mod gzip;
mod tar;
#[cfg(test)]
mod tar_tests;
#[cfg(test)]
mod tests;

pub use any::each;
pub use entry::EntryReader;
pub use gzip::plain;

use crate::staged::{ReadSeek, Source, StageWriter, Staged};
use crate::{Result, StorageError};
use std::collections::HashMap;
use std::io::{BufReader, Read as _};

/// Bounds on what an archive may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveLimits {
    pub max_entries: u64,
    /// Bytes of one entry, unpacked.
    pub max_entry: u64,
    /// Bytes of all entries that are read, unpacked.
    pub max_total: u64,
    /// Bytes unpacked for each byte packed; an entry's first `free` bytes are not measured.
    pub max_ratio: u64,
    /// Bytes of an entry that may unpack at any ratio: an honest blank picture packs a thousandfold.
    pub free: u64,
    /// Whether archives in the archive are files like others; else they are refused.
    pub nested: bool,
}

impl Default for ArchiveLimits {
    fn default() -> Self {
        Self {
            max_entries: 1_000_000,
            max_entry: 4 << 30,
            max_total: 256 << 30,
            max_ratio: 150,
            free: 64 << 20,
            nested: false,
        }
    }
}

/// A file in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Relative path with forward slashes, checked like an item's name.
    pub name: Box<str>,
    /// Bytes unpacked, as the archive claims.
    pub claimed_size: u64,
    facts: directory::Facts,
}

/// An entry that is left out, and why.
#[derive(Debug)]
pub struct Refused {
    /// The name as far as it can be shown.
    pub name: String,
    pub error: StorageError,
}

/// An open archive.
pub struct Archive {
    reader: BufReader<Box<dyn ReadSeek>>,
    limits: ArchiveLimits,
    entries: Vec<Entry>,
    refused: Vec<Refused>,
    refused_more: u64,
    ignored: u64,
    /// Bytes unpacked so far, over all entries.
    unpacked: u64,
}

/// Refused entries kept by name; more are only counted.
const REFUSED_KEPT: usize = 1_000;

impl Archive {
    /// Reads the table of contents. Errors: the file is no archive, is damaged, or lists too many entries.
    pub fn open(source: &Source, limits: ArchiveLimits) -> Result<Self> {
        let len = source.len()?;
        let mut reader = source.reader()?;
        let end = directory::find_end(&mut reader, len)?;
        let mut this = Self {
            reader: source.reader()?,
            limits,
            entries: Vec::new(),
            refused: Vec::new(),
            refused_more: 0,
            ignored: 0,
            unpacked: 0,
        };
        directory::walk(&mut reader, &end, limits.max_entries, |raw| {
            match raw.check(limits.nested) {
                Ok(Some(entry)) => this.entries.push(entry),
                Ok(None) => this.ignored += 1,
                Err(error) => this.refuse(raw.shown_name(), error),
            }
        })?;
        this.drop_duplicates();
        Ok(this)
    }

    /// The files that can be read, in the archive's order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entries left out, by name; at most 1,000.
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }

    /// How many entries beyond those in [`Self::refused`] were left out.
    pub const fn refused_more(&self) -> u64 {
        self.refused_more
    }

    /// Folders and the system files (`__MACOSX`, `.DS_Store`, `Thumbs.db`) that were passed over.
    pub const fn ignored(&self) -> u64 {
        self.ignored
    }

    /// A reader of the `n`th entry. The limits and the entry's checksum are checked while reading; a failed check is an
    /// [`std::io::Error`] that converts back into its [`StorageError`].
    pub fn reader(&mut self, n: usize) -> Result<EntryReader<'_>> {
        let entry = self.entries.get(n).ok_or(StorageError::NotFound)?;
        EntryReader::open(&mut self.reader, &mut self.unpacked, entry.facts, self.limits)
    }

    /// The `n`th entry whole, in memory; at most `max` bytes.
    pub fn read(&mut self, n: usize, max: u64) -> Result<Vec<u8>> {
        let claimed = self.entries.get(n).map_or(0, |e| e.claimed_size);
        let mut bytes = Vec::with_capacity(claimed.min(max).min(1 << 20) as usize);
        let mut reader = self.reader(n)?;
        (&mut reader)
            .take(max.saturating_add(1))
            .read_to_end(&mut bytes)?;
        if bytes.len() as u64 > max {
            return Err(StorageError::EntryTooLarge { limit: max });
        }
        Ok(bytes)
    }

    /// Copies the `n`th entry into a blob being staged; its limit counts too.
    pub fn stage(&mut self, n: usize, mut writer: StageWriter) -> Result<Staged> {
        let mut reader = self.reader(n)?;
        let mut buffer = vec![0; 64 << 10];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return writer.finish(),
                Ok(k) => writer.push(&buffer[..k])?,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
    }

    fn refuse(&mut self, name: String, error: StorageError) {
        if self.refused.len() < REFUSED_KEPT {
            self.refused.push(Refused { name, error });
        } else {
            self.refused_more += 1;
        }
    }

    /// Of entries whose names differ at most by case the last one stays, as when unpacking over each other.
    fn drop_duplicates(&mut self) {
        let mut last: HashMap<String, usize> = HashMap::with_capacity(self.entries.len());
        let mut lost: Vec<(usize, usize)> = Vec::new();
        for (n, entry) in self.entries.iter().enumerate() {
            if let Some(earlier) = last.insert(limn_domain::validate::name_key(&entry.name), n) {
                lost.push((earlier, n));
            }
        }
        if lost.is_empty() {
            return;
        }
        lost.sort_unstable();
        for (earlier, later) in &lost {
            let name = self.entries[*earlier].name.to_string();
            self.refuse(
                name,
                StorageError::DuplicateEntry(self.entries[*later].name.to_string()),
            );
        }
        let mut n = 0;
        self.entries.retain(|_| {
            n += 1;
            lost.binary_search_by_key(&(n - 1), |(earlier, _)| *earlier)
                .is_err()
        });
    }
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive")
            .field("entries", &self.entries.len())
            .finish_non_exhaustive()
    }
}
