//! Readers of tables: streaming, in bounded memory, telling what they could not take by its place.
//!
//! A file is cut into blocks at ends of records; four stripes take them in turn, on threads of their own, and are merged in
//! order. The number of stripes does not depend on the machine, so neither do the figures.

mod blocks;
mod delimited;
mod encoding;
mod jsonl;
mod parquet_file;
mod stripes;

pub use parquet_file::SharedFile;

use crate::table::TableState;
use std::io::Read;

/// Formats of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TableFormat {
    /// Cells divided by a comma, a semicolon, a tab or a bar.
    Csv,
    /// An object a line.
    Jsonl,
    Parquet,
}

impl TableFormat {
    /// By the end of a file's name.
    pub fn of_name(name: &str) -> Option<Self> {
        let lower = name.to_ascii_lowercase();
        match lower.rsplit_once('.')?.1 {
            "csv" | "tsv" | "tab" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "parquet" | "pq" => Some(Self::Parquet),
            _ => None,
        }
    }
}

/// How to read a table.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// Tells the rows of this file from those of others, e.g. the head of the file's digest.
    pub seed: u64,
    /// The byte between cells; told from the first lines when absent.
    pub delimiter: Option<u8>,
    /// Whether the first line names the columns; told from the first lines when absent.
    pub header: Option<bool>,
    /// Size in bytes, where known.
    pub bytes: u64,
}

/// Called now and then with the number of bytes read so far; false stops.
pub type Watch<'a> = &'a (dyn Fn(u64) -> bool + Sync);

/// Why there is no profile.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("cancelled")]
    Cancelled,
    /// Nothing of the file can be read; the message says why.
    #[error("{0}")]
    Unreadable(String),
}

/// Profiles CSV, TSV or JSONL from a stream.
pub fn profile_lines(
    format: TableFormat,
    reader: impl Read + Send,
    options: &ReadOptions,
    watch: Watch<'_>,
) -> Result<TableState, ReadError> {
    let reader = encoding::to_utf8(reader)?;
    let mut table = match format {
        TableFormat::Csv => delimited::profile(reader, options, watch)?,
        TableFormat::Jsonl => jsonl::profile(reader, options, watch)?,
        TableFormat::Parquet => {
            return Err(ReadError::Unreadable(
                "Parquet is read from a file, not from a stream".to_owned(),
            ));
        }
    };
    table.files = 1;
    table.bytes = options.bytes.max(table.bytes);
    Ok(table)
}

/// Profiles a Parquet file, row group by row group.
pub fn profile_parquet(
    file: impl parquet::file::reader::ChunkReader + 'static,
    options: &ReadOptions,
    watch: Watch<'_>,
) -> Result<TableState, ReadError> {
    let mut table = parquet_file::profile(file, options, watch)?;
    table.files = 1;
    table.bytes = options.bytes;
    Ok(table)
}
