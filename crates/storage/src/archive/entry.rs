//! Unpacking one entry, under limits.

use super::ArchiveLimits;
use super::directory::Facts;
use crate::staged::ReadSeek;
use crate::{Result, StorageError, sniff};
use flate2::Crc;
use flate2::bufread::DeflateDecoder;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom, Take};

type Packed<'a> = Take<&'a mut BufReader<Box<dyn ReadSeek>>>;

enum Unpack<'a> {
    Stored(Packed<'a>),
    Deflated(DeflateDecoder<Packed<'a>>),
}

/// Reads one entry; see [`super::Archive::reader`].
pub struct EntryReader<'a> {
    unpack: Unpack<'a>,
    facts: Facts,
    limits: ArchiveLimits,
    /// Bytes unpacked over all entries of the archive.
    total: &'a mut u64,
    out: u64,
    crc: Crc,
    checked: bool,
    /// The first bytes, looked at before they are handed out.
    head: Vec<u8>,
    head_at: usize,
}

impl<'a> EntryReader<'a> {
    pub(super) fn open(
        reader: &'a mut BufReader<Box<dyn ReadSeek>>,
        total: &'a mut u64,
        facts: Facts,
        limits: ArchiveLimits,
    ) -> Result<Self> {
        let corrupt = |why: &str| StorageError::EntryCorrupt(why.to_owned());
        reader.seek(SeekFrom::Start(facts.at))?;
        let mut header = [0; 30];
        reader
            .read_exact(&mut header)
            .map_err(|_| corrupt("its header is missing"))?;
        if !header.starts_with(b"PK\x03\x04") {
            return Err(corrupt("its header is missing"));
        }
        let skip = i64::from(u16::from_le_bytes([header[26], header[27]]))
            + i64::from(u16::from_le_bytes([header[28], header[29]]));
        reader.seek_relative(skip)?;
        let packed = reader.take(facts.packed);
        let unpack = if facts.deflated {
            Unpack::Deflated(DeflateDecoder::new(packed))
        } else {
            Unpack::Stored(packed)
        };
        let mut this = Self {
            unpack,
            facts,
            limits,
            total,
            out: 0,
            crc: Crc::new(),
            checked: false,
            head: Vec::new(),
            head_at: 0,
        };
        let mut head = [0; 4];
        let mut n = 0;
        while n < head.len() {
            match this.pull(&mut head[n..])? {
                0 => break,
                k => n += k,
            }
        }
        if !this.limits.nested && sniff::is_zip(&head[..n]) {
            return Err(StorageError::NestedArchive);
        }
        this.head = head[..n].to_vec();
        Ok(this)
    }

    fn pull(&mut self, buf: &mut [u8]) -> Result<usize> {
        let n = match &mut self.unpack {
            Unpack::Stored(r) => r.read(buf),
            Unpack::Deflated(r) => r.read(buf),
        };
        let n = match n {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => return Err(e.into()),
            // The decoder's complaints are about the data; the disk's stay the disk's.
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
                ) =>
            {
                return Err(StorageError::EntryCorrupt("it cannot be unpacked".to_owned()));
            }
            other => other?,
        };
        if n == 0 {
            return self.check_end().map(|()| 0);
        }
        self.crc.update(&buf[..n]);
        self.out += n as u64;
        *self.total += n as u64;
        let ArchiveLimits {
            max_entry,
            max_total,
            max_ratio,
            free,
            ..
        } = self.limits;
        if self.out > max_entry {
            return Err(StorageError::EntryTooLarge { limit: max_entry });
        }
        if *self.total > max_total {
            return Err(StorageError::ArchiveTooLarge { limit: max_total });
        }
        let packed = match &self.unpack {
            Unpack::Stored(_) => self.out,
            Unpack::Deflated(r) => r.total_in(),
        };
        if self.out > free && self.out / max_ratio.max(1) > packed {
            return Err(StorageError::Bomb { ratio: max_ratio });
        }
        Ok(n)
    }

    fn check_end(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.checked, true) {
            return Ok(());
        }
        if self.out != self.facts.size {
            return Err(StorageError::EntryCorrupt(
                "it has another size than the archive says".to_owned(),
            ));
        }
        if self.crc.sum() != self.facts.crc {
            return Err(StorageError::EntryCorrupt("its checksum is wrong".to_owned()));
        }
        Ok(())
    }
}

impl Read for EntryReader<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let head = &self.head[self.head_at..];
        if !head.is_empty() {
            let n = head.len().min(buf.len());
            buf[..n].copy_from_slice(&head[..n]);
            self.head_at += n;
            return Ok(n);
        }
        Ok(self.pull(buf)?)
    }
}
