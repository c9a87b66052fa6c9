//! What can be wrong with bytes from outside, and with the disk.

/// A refusal or a failure. The text is for people and continues a sentence that names the file:
/// "`a.png`: the file is empty."
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error("the file is empty; export or copy it again.")]
    Empty,
    #[error("this is {0}, not a picture. Pictures may be JPEG, PNG, WebP, GIF, BMP or TIFF.")]
    NotAnImage(&'static str),
    #[error("{0} pictures are not supported; convert it to JPEG, PNG, WebP, GIF, BMP or TIFF.")]
    UnsupportedFormat(&'static str),
    #[error("the picture says it is {width} x {height} pixels; at most {max_side} a side and {} megapixels are taken. Scale it down.", .max_pixels / 1_000_000)]
    TooManyPixels {
        width: u32,
        height: u32,
        max_side: u32,
        max_pixels: u64,
    },
    #[error(
        "decoding the picture would take {needed_mib} MiB of memory; {max_mib} MiB are allowed. Scale it down or use 8 bits a channel."
    )]
    TooMuchMemory { needed_mib: u64, max_mib: u64 },
    #[error("the {0} ends early; part of the file is missing. Copy or export it again.")]
    Truncated(&'static str),
    #[error("the {kind} cannot be decoded ({detail}). Export it again.")]
    Corrupt { kind: &'static str, detail: String },
    /// It could only be read with too much memory; the text says how to save it.
    #[error("{0}")]
    Unwieldy(String),
    #[error("the file is larger than {} MiB, the most that is taken.", .limit >> 20)]
    TooLarge { limit: u64 },

    #[error("this is not a readable zip archive ({0}). Pack it again as .zip.")]
    NotAnArchive(String),
    #[error("this is not a readable tar archive ({0}). Fetch or pack it again.")]
    NotATar(String),
    #[error("the archive lists {count} entries; {max} are the most. Split it.")]
    TooManyEntries { count: u64, max: u64 },
    #[error("the entry unpacks to more than {} MiB; leave it out or make it smaller.", .limit >> 20)]
    EntryTooLarge { limit: u64 },
    #[error("the archive unpacks to more than {} MiB; split it.", .limit >> 20)]
    ArchiveTooLarge { limit: u64 },
    #[error(
        "the entry unpacks to over {ratio} times its packed size, as decompression bombs do; it was not unpacked."
    )]
    Bomb { ratio: u64 },
    #[error("the entry is encrypted; pack it without a password.")]
    Encrypted,
    #[error("the entry is a symbolic link; pack the file itself.")]
    Symlink,
    #[error("an archive within an archive is not unpacked; add its files to the outer one.")]
    NestedArchive,
    #[error("{0}")]
    BadName(String),
    #[error("the name is not UTF-8; rename the file, or pack it with a tool that writes UTF-8 names.")]
    NameNotUtf8,
    #[error("the entry uses a compression that is not supported; pack it with deflate.")]
    UnsupportedCompression,
    #[error("the entry is damaged ({0}); pack it again.")]
    EntryCorrupt(String),
    #[error("the entry is a device or a pipe, not a file; leave it out.")]
    SpecialFile,
    #[error(
        "a later entry, `{0}`, has the same name regardless of case; only that one was taken. Rename one of them."
    )]
    DuplicateEntry(String),

    #[error("the transfer broke off ({0}); send it again.")]
    Body(String),
    #[error("the stored file is missing.")]
    NotFound,
    /// A file that was left in its datastore is not there any more as it was. The text is a whole sentence and says what to do.
    #[error("{0}")]
    SourceChanged(String),
    /// The datastore that a file was left in cannot be read now; later it may be.
    #[error("{0}")]
    SourceAway(String),
    #[error("the tiles of the picture are not made yet.")]
    NotMadeYet,
    #[error("reading or writing a file failed: {0}")]
    Io(#[source] std::io::Error),
    #[error("the work was stopped")]
    Stopped,
}

/// What a decoder says, for showing: no control characters, not too long.
pub(crate) fn plain(said: &str) -> String {
    said.chars().filter(|c| !c.is_control()).take(160).collect()
}

impl From<std::io::Error> for StorageError {
    /// Unpacks a [`StorageError`] that had to travel through [`std::io::Read`].
    fn from(e: std::io::Error) -> Self {
        e.downcast::<Self>().unwrap_or_else(Self::Io)
    }
}

impl From<StorageError> for std::io::Error {
    fn from(e: StorageError) -> Self {
        match e {
            StorageError::Io(e) => e,
            other => Self::other(other),
        }
    }
}

impl StorageError {
    /// Stable name of the finding, for reports.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty_file",
            Self::NotAnImage(_) => "not_an_image",
            Self::UnsupportedFormat(_) => "unsupported_format",
            Self::TooManyPixels { .. } => "too_many_pixels",
            Self::TooMuchMemory { .. } => "too_much_memory",
            Self::Truncated(_) => "truncated_image",
            Self::Corrupt { .. } => "corrupt_image",
            Self::Unwieldy(_) => "unwieldy_image",
            Self::TooLarge { .. } => "file_too_large",
            Self::NotAnArchive(_) | Self::NotATar(_) => "not_an_archive",
            Self::TooManyEntries { .. } => "too_many_entries",
            Self::EntryTooLarge { .. } => "entry_too_large",
            Self::ArchiveTooLarge { .. } => "archive_too_large",
            Self::Bomb { .. } => "decompression_bomb",
            Self::Encrypted => "encrypted_entry",
            Self::Symlink => "symlink_entry",
            Self::NestedArchive => "nested_archive",
            Self::BadName(_) => "bad_name",
            Self::NameNotUtf8 => "name_not_utf8",
            Self::UnsupportedCompression => "unsupported_compression",
            Self::EntryCorrupt(_) => "corrupt_entry",
            Self::SpecialFile => "special_file",
            Self::DuplicateEntry(_) => "duplicate_entry",
            Self::Body(_) => "transfer_broken",
            Self::NotFound => "missing_blob",
            Self::SourceChanged(_) => "source_changed",
            Self::SourceAway(_) => "source_away",
            Self::NotMadeYet => "not_made_yet",
            Self::Io(_) => "io",
            Self::Stopped => "stopped",
        }
    }

    /// Whether the file is at fault; otherwise it is the server's disk or a shutdown.
    pub const fn is_refusal(&self) -> bool {
        !matches!(
            self,
            Self::NotFound
                | Self::SourceChanged(_)
                | Self::SourceAway(_)
                | Self::NotMadeYet
                | Self::Io(_)
                | Self::Stopped
        )
    }

    /// Whether a size limit was hit.
    pub const fn is_too_large(&self) -> bool {
        matches!(
            self,
            Self::TooLarge { .. } | Self::EntryTooLarge { .. } | Self::ArchiveTooLarge { .. }
        )
    }
}
