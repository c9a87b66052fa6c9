//! Gzip, unpacked under the limits of archives.

use super::ArchiveLimits;
use crate::staged::{ReadSeek, Source};
use crate::{Result, StorageError};
use flate2::bufread::MultiGzDecoder;
use std::io::{self, BufReader, Read};

/// The bytes of a file: unpacked where it is gzip, as they are otherwise. The limits are checked while reading; a failed
/// check is an [`io::Error`] that converts back into its [`StorageError`].
pub fn plain(source: &Source, limits: ArchiveLimits) -> Result<Box<dyn Read + Send>> {
    let mut head = [0; 2];
    let mut reader = source.reader()?;
    let is_gzip = reader.read_exact(&mut head).is_ok() && head == [0x1f, 0x8b];
    let reader = source.reader()?;
    Ok(if is_gzip {
        Box::new(BufReader::with_capacity(64 << 10, Gunzip::new(reader, limits)))
    } else {
        Box::new(reader)
    })
}

type Packed = BufReader<Counted<BufReader<Box<dyn ReadSeek>>>>;

struct Gunzip {
    inner: MultiGzDecoder<Packed>,
    limits: ArchiveLimits,
    out: u64,
}

impl Gunzip {
    fn new(reader: BufReader<Box<dyn ReadSeek>>, limits: ArchiveLimits) -> Self {
        let counted = Counted { reader, count: 0 };
        Self {
            inner: MultiGzDecoder::new(BufReader::with_capacity(64 << 10, counted)),
            limits,
            out: 0,
        }
    }
}

impl Read for Gunzip {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = match self.inner.read(buf) {
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(StorageError::Truncated("gzip file").into());
            }
            // The decoder's complaints are about the data; the disk's stay the disk's.
            Err(e) if matches!(e.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => {
                return Err(StorageError::EntryCorrupt("it cannot be unpacked".to_owned()).into());
            }
            other => other?,
        };
        self.out += n as u64;
        let ArchiveLimits {
            max_total,
            max_ratio,
            free,
            ..
        } = self.limits;
        if self.out > max_total {
            return Err(StorageError::ArchiveTooLarge { limit: max_total }.into());
        }
        if self.out > free && self.out / max_ratio.max(1) > self.inner.get_ref().get_ref().count {
            return Err(StorageError::Bomb { ratio: max_ratio }.into());
        }
        Ok(n)
    }
}

/// Counts the bytes that were read.
struct Counted<R> {
    reader: R,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buf)?;
        self.count += n as u64;
        Ok(n)
    }
}
