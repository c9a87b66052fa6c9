//! Tar archives from outside (ustar, GNU and pax), read front to back in bounded memory.

use super::{ArchiveLimits, Refused};
use crate::{Result, StorageError};
use std::io::{self, Read};

const BLOCK: usize = 512;
/// Longest record that only says something of the next one.
const META_MAX: u64 = 64 << 10;
/// Refused entries kept by name.
const REFUSED_KEPT: usize = 1_000;

/// An open archive: [`Tar::next`] goes to the next file, whose bytes are then read from the archive itself.
pub(super) struct Tar<R> {
    reader: R,
    limits: ArchiveLimits,
    refused: Vec<Refused>,
    entries: u64,
    /// Bytes of the current file that are still to come, and what fills its last block.
    left: u64,
    padding: u64,
    total: u64,
}

fn bad(why: &str) -> StorageError {
    StorageError::NotATar(why.to_owned())
}

impl<R: Read> Tar<R> {
    pub fn new(reader: R, limits: ArchiveLimits) -> Self {
        Self {
            reader,
            limits,
            refused: Vec::new(),
            entries: 0,
            left: 0,
            padding: 0,
            total: 0,
        }
    }

    pub fn into_refused(self) -> Vec<Refused> {
        self.refused
    }

    /// The name of the next file; links, devices and names that leave the folder are passed over and listed as refused.
    pub fn next(&mut self) -> Result<Option<String>> {
        let (mut long_name, mut long_size) = (None::<Vec<u8>>, None::<u64>);
        loop {
            self.skip(self.left + self.padding)?;
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            self.entries += 1;
            if self.entries > self.limits.max_entries {
                return Err(StorageError::TooManyEntries {
                    count: self.entries,
                    max: self.limits.max_entries,
                });
            }
            let stated = number(&header[124..136]).ok_or_else(|| bad("an entry's size cannot be read"))?;
            match header[156] {
                b'L' => {
                    let mut text = self.meta(stated)?;
                    text.truncate(text.iter().position(|b| *b == 0).unwrap_or(text.len()));
                    long_name = Some(text);
                    continue;
                }
                b'x' => {
                    let text = self.meta(stated)?;
                    if let Some(path) = pax(&text, b"path") {
                        long_name = Some(path.to_vec());
                    }
                    if let Some(size) = pax(&text, b"size") {
                        let size = std::str::from_utf8(size).ok().and_then(|s| s.parse().ok());
                        long_size = Some(size.ok_or_else(|| bad("an entry's size cannot be read"))?);
                    }
                    continue;
                }
                // A long target of a link, and what holds for all entries.
                b'K' | b'g' => {
                    self.meta(stated)?;
                    continue;
                }
                _ => {}
            }
            let size = long_size.take().unwrap_or(stated);
            let name = long_name.take().unwrap_or_else(|| own_name(&header));
            let has_bytes = !matches!(header[156], b'1'..=b'6');
            self.begin(if has_bytes { size } else { 0 })?;
            match check(&name, header[156]) {
                Ok(Some(name)) => return Ok(Some(name)),
                Ok(None) => {}
                Err(error) => self.refuse(&name, error),
            }
        }
    }

    fn begin(&mut self, size: u64) -> Result<()> {
        if size > self.limits.max_entry {
            return Err(StorageError::EntryTooLarge {
                limit: self.limits.max_entry,
            });
        }
        self.total += size;
        if self.total > self.limits.max_total {
            return Err(StorageError::ArchiveTooLarge {
                limit: self.limits.max_total,
            });
        }
        self.left = size;
        self.padding = size.next_multiple_of(BLOCK as u64) - size;
        Ok(())
    }

    fn refuse(&mut self, name: &[u8], error: StorageError) {
        if self.refused.len() < REFUSED_KEPT {
            let name = String::from_utf8_lossy(name)
                .chars()
                .take(200)
                .flat_map(char::escape_debug)
                .collect();
            self.refused.push(Refused { name, error });
        }
    }

    /// The next header whose checksum is right; `None` at the end.
    fn header(&mut self) -> Result<Option<[u8; BLOCK]>> {
        let mut block = [0; BLOCK];
        let mut n = 0;
        while n < BLOCK {
            match self.reader.read(&mut block[n..]) {
                Ok(0) if n == 0 && self.entries > 0 => return Ok(None),
                Ok(0) if n == 0 => return Err(StorageError::Empty),
                Ok(0) => return Err(StorageError::Truncated("archive")),
                Ok(k) => n += k,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
        if block.iter().all(|b| *b == 0) {
            return if self.entries > 0 {
                Ok(None)
            } else {
                Err(bad("it holds no files"))
            };
        }
        let sum: u64 = block
            .iter()
            .enumerate()
            .map(|(at, b)| {
                if (148..156).contains(&at) {
                    32
                } else {
                    u64::from(*b)
                }
            })
            .sum();
        if number(&block[148..156]) != Some(sum) {
            return Err(bad("the checksum of an entry is wrong"));
        }
        Ok(Some(block))
    }

    /// A record about the next one, whole.
    fn meta(&mut self, size: u64) -> Result<Vec<u8>> {
        if size > META_MAX {
            return Err(bad("an entry's name is too long"));
        }
        self.begin(size)?;
        let mut bytes = Vec::new();
        self.by_ref().take(size).read_to_end(&mut bytes)?;
        self.skip(self.left + self.padding)?;
        Ok(bytes)
    }

    fn skip(&mut self, n: u64) -> Result<()> {
        let skipped = io::copy(&mut self.reader.by_ref().take(n), &mut io::sink())?;
        if skipped != n {
            return Err(StorageError::Truncated("archive"));
        }
        (self.left, self.padding) = (0, 0);
        Ok(())
    }
}

impl<R: Read> Read for Tar<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buf.len());
        if most == 0 {
            return Ok(0);
        }
        let n = self.reader.read(&mut buf[..most])?;
        if n == 0 {
            return Err(StorageError::Truncated("archive").into());
        }
        self.left -= n as u64;
        Ok(n)
    }
}

/// The name of a file that can be used, `None` for folders and what file managers add.
fn check(name: &[u8], kind: u8) -> Result<Option<String>> {
    let name = std::str::from_utf8(name).map_err(|_| StorageError::NameNotUtf8)?;
    let is_folder = kind == b'5' || name.ends_with('/');
    // Tar begins many names so.
    let bare = name.trim_start_matches("./").trim_end_matches('/');
    if is_folder && matches!(bare, "" | ".") {
        return Ok(None);
    }
    let name = limn_domain::validate::item_name(bare).map_err(StorageError::BadName)?;
    match kind {
        _ if is_folder || super::directory::is_system_file(&name) => Ok(None),
        0 | b'0' | b'7' => Ok(Some(name)),
        b'1' | b'2' => Err(StorageError::Symlink),
        _ => Err(StorageError::SpecialFile),
    }
}

fn own_name(header: &[u8; BLOCK]) -> Vec<u8> {
    let text = |field: &[u8]| -> Vec<u8> { field.iter().copied().take_while(|b| *b != 0).collect() };
    let name = text(&header[..100]);
    let prefix = text(&header[345..500]);
    // GNU keeps other things where ustar has the front of a long name.
    if prefix.is_empty() || &header[257..263] != b"ustar\0" {
        return name;
    }
    [prefix, name].join(&b'/')
}

/// Octal digits, or binary where the first bit is set.
fn number(field: &[u8]) -> Option<u64> {
    if let Some((first, rest)) = field.split_first().filter(|(first, _)| **first & 0x80 != 0) {
        let front = u64::from(*first & 0x7f);
        return rest
            .iter()
            .try_fold(front, |n, b| n.checked_mul(256)?.checked_add(u64::from(*b)));
    }
    let digits = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    if digits.is_empty() {
        return Some(0);
    }
    u64::from_str_radix(digits, 8).ok()
}

/// A value of a pax record: lines of `LENGTH KEY=VALUE`.
fn pax<'a>(mut text: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let mut found = None;
    while !text.is_empty() {
        let space = text.iter().position(|b| *b == b' ')?;
        let len: usize = std::str::from_utf8(&text[..space]).ok()?.parse().ok()?;
        let line = text.get(space + 1..len)?.strip_suffix(b"\n")?;
        let equals = line.iter().position(|b| *b == b'=')?;
        if &line[..equals] == key {
            found = Some(&line[equals + 1..]);
        }
        text = text.get(len..)?;
    }
    found
}
