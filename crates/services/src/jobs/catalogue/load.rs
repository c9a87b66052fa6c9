//! What loaders have in common: where files come from and samples go, and how errors are said. All of it blocks.

use super::{folders, pictures, tables};
use anyhow::Context as _;
use limn_domain::catalogue::Loader;
use limn_domain::category::PALETTE;
use limn_domain::dataset::Split;
use limn_formats::FormatError;
use limn_jobs::{Cancelled, Permanent, Progress};
use limn_storage::archive::{self, ArchiveLimits, Refused};
use limn_storage::{BlobStore, Source, Staged, StorageError};
use limn_versions::object::{Category, step};
use std::collections::HashMap;
use std::io::Read;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::mpsc;

/// Most bytes of a file that is read whole into memory: lists of names.
const TEXT_MAX: u64 = 64 << 20;

/// A file of the dataset in the making.
pub struct Sample {
    pub path: String,
    pub split: Split,
    pub content: Content,
    /// The category of the whole picture, by its path.
    pub category: Option<String>,
}

pub enum Content {
    /// A PNG made here of pixels that were read.
    Picture { staged: Staged, width: u32, height: u32 },
    /// As it came, to be checked.
    File(Result<Staged, StorageError>),
}

/// The fetched files by their names in the record.
pub struct Sources(pub HashMap<String, PathBuf>);

impl Sources {
    pub fn get(&self, name: &str) -> anyhow::Result<Source> {
        Ok(Source::File(self.path(name)?.to_owned()))
    }

    pub fn path(&self, name: &str) -> anyhow::Result<&Path> {
        let path = self.0.get(name).map(PathBuf::as_path);
        path.with_context(|| format!("the file `{name}` was not fetched"))
    }

    /// The bytes of a file, or of the file at `path` in an archive, unpacked.
    pub fn read<T>(
        &self,
        name: &str,
        path: Option<&String>,
        read: impl FnOnce(&str, &mut dyn Read) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let source = self.get(name)?;
        let Some(path) = path else {
            let mut reader = archive::plain(&source, LIMITS).map_err(|e| storage(name, e))?;
            return read(name, &mut reader);
        };
        let (mut read, mut out) = (Some(read), None);
        // A file that is asked for by its name may be an archive.
        let limits = ArchiveLimits {
            nested: true,
            ..LIMITS
        };
        archive::each::<Trouble>(
            &source,
            limits,
            |n| n == path,
            |_, reader| {
                if let Some(read) = read.take() {
                    out = Some(read(path, reader)?);
                }
                Ok(ControlFlow::Break(()))
            },
        )
        .map_err(|e| e.about(name))?;
        out.ok_or_else(|| Permanent(format!("There is no `{path}` in `{name}`; mend the catalogue.")).into())
    }

    /// A short text.
    pub fn text(&self, name: &str, path: Option<&String>) -> anyhow::Result<String> {
        self.read(name, path, |name, reader| {
            let mut bytes = Vec::new();
            reader
                .take(TEXT_MAX + 1)
                .read_to_end(&mut bytes)
                .map_err(|e| storage(name, e.into()))?;
            if bytes.len() as u64 > TEXT_MAX {
                return Err(Permanent(format!("`{name}` is longer than {} MiB.", TEXT_MAX >> 20)).into());
            }
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        })
    }
}

/// Of what is fetched.
pub const LIMITS: ArchiveLimits = ArchiveLimits {
    max_entries: 5_000_000,
    max_entry: 64 << 30,
    max_total: 512 << 30,
    max_ratio: 400,
    free: 256 << 20,
    nested: false,
};

/// Where samples go.
pub struct To {
    pub send: mpsc::Sender<Sample>,
    pub progress: Progress,
    pub blobs: BlobStore,
    /// Most bytes of a file.
    pub limit: u64,
    /// How many there will be; 0 while that is not known.
    pub total: Arc<AtomicI64>,
}

impl To {
    pub fn put(&self, sample: Sample) -> anyhow::Result<()> {
        self.progress.check()?;
        // Nobody takes any more when the job was stopped.
        self.send.blocking_send(sample).map_err(|_| Cancelled.into())
    }

    pub fn expect(&self, n: u32) {
        self.total.fetch_add(i64::from(n), Ordering::Relaxed);
    }

    /// Copies a file; what is wrong with it is the sample's.
    pub fn stage(&self, reader: &mut dyn Read) -> Result<Staged, StorageError> {
        let mut writer = self.blobs.stage(self.limit);
        let mut buffer = vec![0; 256 << 10];
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return writer.finish(),
                Ok(n) => writer.push(&buffer[..n])?,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
    }
}

/// What a loader found out beside its samples.
#[derive(Default)]
pub struct Loaded {
    /// The categories of the samples.
    pub categories: Option<Vec<Category>>,
    /// For people.
    pub notes: Vec<String>,
}

pub fn run(loader: &Loader, sources: &Sources, to: &To) -> anyhow::Result<Loaded> {
    match loader {
        Loader::Idx(l) => pictures::idx(l, sources, to),
        Loader::Cifar(l) => pictures::cifar(l, sources, to),
        Loader::Coco(l) => folders::all(&l.images, l.split, sources, to),
        Loader::Folders(l) => folders::labeled(l, sources, to),
        Loader::Csv(l) => tables::csv(l, sources, to),
        Loader::Parquet(l) => tables::parquet(l, sources, to),
    }
}

/// Categories by number, in this order.
pub fn categories<'a>(paths: impl IntoIterator<Item = &'a String>) -> Vec<Category> {
    paths
        .into_iter()
        .zip(0_usize..)
        .map(|(path, n)| category(path.clone(), n as i64 + 1, n))
        .collect()
}

pub fn category(path: String, id: i64, n: usize) -> Category {
    Category {
        path,
        id,
        color: PALETTE[n % PALETTE.len()].to_owned(),
        skeleton: None,
        attributes: Vec::new(),
    }
}

/// The path of a category at the root.
pub fn path_of(name: &str) -> String {
    step(name.trim())
}

/// The folder of a split, with a slash.
pub fn folder_of(split: Split) -> String {
    if split.is_none() {
        String::new()
    } else {
        format!("{}/", split.as_str())
    }
}

/// What ends the reading of an archive: the archive itself, or whoever reads it.
pub enum Trouble {
    Archive(StorageError),
    Reader(anyhow::Error),
}

impl From<StorageError> for Trouble {
    fn from(e: StorageError) -> Self {
        Self::Archive(e)
    }
}

impl From<anyhow::Error> for Trouble {
    fn from(e: anyhow::Error) -> Self {
        Self::Reader(e)
    }
}

impl Trouble {
    /// With the archive's name.
    pub fn about(self, name: &str) -> anyhow::Error {
        match self {
            Self::Archive(e) => storage(name, e),
            Self::Reader(e) => e,
        }
    }
}

/// An error of a file: final where the file is at fault.
pub fn storage(name: &str, e: StorageError) -> anyhow::Error {
    if e.is_refusal() || e.is_too_large() {
        Permanent(format!("`{name}`: {e}")).into()
    } else {
        anyhow::Error::new(e).context(format!("`{name}` cannot be read"))
    }
}

/// The same of a reader.
pub fn format(name: &str, e: FormatError) -> anyhow::Error {
    match e {
        FormatError::NotTheFormat(why) => Permanent(why).into(),
        FormatError::Io(e) if e.kind() == std::io::ErrorKind::InvalidData => {
            Permanent(format!("`{name}`: {e}.")).into()
        }
        FormatError::Io(e) => storage(name, e.into()),
    }
}

/// Entries of an archive that were refused, in words.
pub fn refused(notes: &mut Vec<String>, name: &str, refused: &[Refused]) {
    let names: Vec<String> = refused
        .iter()
        .map(|r| format!("{} ({})", r.name, r.error.to_string().trim_end_matches('.')))
        .collect();
    crate::jobs::version::finding(notes, &names, &format!("of `{name}` were refused"));
}
