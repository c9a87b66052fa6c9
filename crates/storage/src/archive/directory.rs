//! The table of contents at the end of a zip archive (APPNOTE 4.3 and 4.5).

use super::Entry;
use crate::{Result, StorageError};
use std::io::{Read, Seek, SeekFrom};

const END_LEN: usize = 22;
const END64_LEN: usize = 56;
const LOCATOR_LEN: u64 = 20;
const HEADER_LEN: usize = 46;
/// The longest comment and the record it belongs to.
const TAIL_MAX: u64 = END_LEN as u64 + u16::MAX as u64;

/// Where and how an entry is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    /// Where the entry's own header begins in the file.
    pub at: u64,
    pub packed: u64,
    pub size: u64,
    pub crc: u32,
    pub deflated: bool,
}

/// Where the table of contents lies.
#[derive(Debug)]
pub(super) struct End {
    start: u64,
    len: u64,
    /// Bytes in front of the archive, as in a self-extracting one.
    prefix: u64,
}

fn bad(why: &str) -> StorageError {
    StorageError::NotAnArchive(why.to_owned())
}

fn u16_at(b: &[u8], at: usize) -> u16 {
    b.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

fn u32_at(b: &[u8], at: usize) -> u32 {
    b.get(at..at + 4)
        .map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

fn u64_at(b: &[u8], at: usize) -> u64 {
    u64::from(u32_at(b, at)) | u64::from(u32_at(b, at + 4)) << 32
}

/// Finds the end record, from the end of the file backwards.
pub(super) fn find_end(reader: &mut (impl Read + Seek), len: u64) -> Result<End> {
    if len == 0 {
        return Err(StorageError::Empty);
    }
    let tail_len = len.min(TAIL_MAX);
    reader.seek(SeekFrom::Start(len - tail_len))?;
    let mut tail = Vec::new();
    reader.by_ref().take(tail_len).read_to_end(&mut tail)?;
    let is_end = |at: usize, exact: bool| {
        let ends = at + END_LEN + usize::from(u16_at(&tail, at + 20));
        tail[at..].starts_with(b"PK\x05\x06")
            && if exact {
                ends == tail.len()
            } else {
                ends <= tail.len()
            }
    };
    let last = tail
        .len()
        .checked_sub(END_LEN)
        .ok_or_else(|| bad("it is too short"))?;
    let at = (0..=last)
        .rev()
        .find(|at| is_end(*at, true))
        .or_else(|| (0..=last).rev().find(|at| is_end(*at, false)))
        .ok_or_else(|| bad("its table of contents is missing; part of the file may be missing"))?;
    let end = &tail[at..];
    let end_at = len - tail_len + at as u64;
    let (mut table_len, mut table_start) = (u64::from(u32_at(end, 12)), u64::from(u32_at(end, 16)));
    let mut table_end = end_at;
    let mut entries = u64::from(u16_at(end, 10));
    let wide = entries == 0xffff || table_len == 0xffff_ffff || table_start == 0xffff_ffff;
    if wide && let Some((at, end64)) = find_end64(reader, end_at)? {
        (entries, table_len, table_start) = (u64_at(&end64, 32), u64_at(&end64, 40), u64_at(&end64, 48));
        table_end = at;
    } else if u16_at(end, 4) != u16_at(end, 6) || u16_at(end, 8) != u16_at(end, 10) {
        return Err(bad("it is one part of a split archive"));
    }
    let start = table_end
        .checked_sub(table_len)
        .ok_or_else(|| bad("its table of contents is damaged"))?;
    let prefix = start
        .checked_sub(table_start)
        .ok_or_else(|| bad("its table of contents is damaged"))?;
    if entries == 0 && table_len != 0 {
        return Err(bad("its table of contents is damaged"));
    }
    Ok(End {
        start,
        len: table_len,
        prefix,
    })
}

fn find_end64(reader: &mut (impl Read + Seek), end_at: u64) -> Result<Option<(u64, [u8; END64_LEN])>> {
    let Some(locator_at) = end_at.checked_sub(LOCATOR_LEN) else {
        return Ok(None);
    };
    let mut locator = [0; LOCATOR_LEN as usize];
    reader.seek(SeekFrom::Start(locator_at))?;
    reader.read_exact(&mut locator)?;
    if !locator.starts_with(b"PK\x06\x07") {
        return Ok(None);
    }
    // The stated place is off when something stands in front of the archive; then the record lies right before.
    for at in [
        Some(u64_at(&locator, 8)),
        locator_at.checked_sub(END64_LEN as u64),
    ]
    .into_iter()
    .flatten()
    {
        let mut end64 = [0; END64_LEN];
        if at.checked_add(END64_LEN as u64).is_some_and(|e| e <= locator_at) {
            reader.seek(SeekFrom::Start(at))?;
            reader.read_exact(&mut end64)?;
            if end64.starts_with(b"PK\x06\x06") {
                return Ok(Some((at, end64)));
            }
        }
    }
    Err(bad("its table of contents is damaged"))
}

/// An entry as it stands in the table.
pub(super) struct Raw<'a> {
    header: &'a [u8; HEADER_LEN],
    name: &'a [u8],
    extra: &'a [u8],
    prefix: u64,
}

/// Hands every entry of the table to `each`.
pub(super) fn walk(
    reader: &mut (impl Read + Seek),
    end: &End,
    max_entries: u64,
    mut each: impl FnMut(&Raw<'_>),
) -> Result<()> {
    reader.seek(SeekFrom::Start(end.start))?;
    let mut table = reader.take(end.len);
    let (mut header, mut variable) = ([0; HEADER_LEN], Vec::new());
    let mut count = 0;
    while table.limit() >= HEADER_LEN as u64 {
        table.read_exact(&mut header)?;
        if !header.starts_with(b"PK\x01\x02") {
            // A signature of the table may follow the entries.
            if header.starts_with(b"PK\x05\x05") {
                break;
            }
            return Err(bad("its table of contents is damaged"));
        }
        count += 1;
        if count > max_entries {
            return Err(StorageError::TooManyEntries {
                count,
                max: max_entries,
            });
        }
        let (name, extra) = (usize::from(u16_at(&header, 28)), usize::from(u16_at(&header, 30)));
        let all = name + extra + usize::from(u16_at(&header, 32));
        variable.clear();
        table.by_ref().take(all as u64).read_to_end(&mut variable)?;
        if variable.len() != all {
            return Err(bad("its table of contents is damaged"));
        }
        let (name, rest) = variable.split_at(name);
        each(&Raw {
            header: &header,
            name,
            extra: &rest[..extra],
            prefix: end.prefix,
        });
    }
    Ok(())
}

impl Raw<'_> {
    pub fn shown_name(&self) -> String {
        String::from_utf8_lossy(self.name)
            .chars()
            .take(200)
            .flat_map(|c| {
                if c.is_control() {
                    c.escape_debug().collect::<Vec<_>>()
                } else {
                    vec![c]
                }
            })
            .collect()
    }

    /// The entry, `None` for what is silently passed over, or why it is refused; archives are, unless they are taken `nested`.
    pub fn check(&self, nested: bool) -> Result<Option<Entry>> {
        let name = std::str::from_utf8(self.name)
            .ok()
            .or_else(|| self.unicode_name())
            .ok_or(StorageError::NameNotUtf8)?;
        let mode = u32_at(self.header, 38) >> 16 & 0o170_000;
        if mode == 0o120_000 {
            return Err(StorageError::Symlink);
        }
        let is_folder = name.ends_with(['/', '\\']) || mode == 0o040_000;
        // A folder is only a name; one that is hostile is named all the same.
        let checked = limn_domain::validate::item_name(name.trim_end_matches(['/', '\\']));
        let name = checked.map_err(StorageError::BadName)?;
        if is_folder || is_system_file(&name) {
            return Ok(None);
        }
        if !matches!(mode, 0 | 0o100_000) {
            return Err(StorageError::SpecialFile);
        }
        // Encrypted, strongly encrypted, or with a hidden table.
        if u16_at(self.header, 8) & (1 | 1 << 6 | 1 << 13) != 0 {
            return Err(StorageError::Encrypted);
        }
        let deflated = match u16_at(self.header, 10) {
            0 => false,
            8 => true,
            99 => return Err(StorageError::Encrypted),
            _ => return Err(StorageError::UnsupportedCompression),
        };
        if !nested
            && name
                .rsplit_once('.')
                .is_some_and(|(_, e)| e.eq_ignore_ascii_case("zip"))
        {
            return Err(StorageError::NestedArchive);
        }
        let facts = self.facts(deflated)?;
        Ok(Some(Entry {
            name: name.into(),
            claimed_size: facts.size,
            facts,
        }))
    }

    fn facts(&self, deflated: bool) -> Result<Facts> {
        let (mut packed, mut size, mut at) = (
            u32_at(self.header, 20).into(),
            u32_at(self.header, 24).into(),
            u32_at(self.header, 42).into(),
        );
        if [packed, size, at].contains(&0xffff_ffff) {
            let mut wide = self.extra_field(1).unwrap_or_default();
            // In this order, and only those that did not fit.
            for value in [&mut size, &mut packed, &mut at] {
                if *value == 0xffff_ffff && wide.len() >= 8 {
                    *value = u64_at(wide, 0);
                    wide = &wide[8..];
                }
            }
        }
        let at = at
            .checked_add(self.prefix)
            .ok_or_else(|| StorageError::EntryCorrupt("its place is wrong".to_owned()))?;
        Ok(Facts {
            at,
            packed,
            size,
            crc: u32_at(self.header, 16),
            deflated,
        })
    }

    /// The name that some packers add beside one in an old code page.
    fn unicode_name(&self) -> Option<&str> {
        let field = self.extra_field(0x7075)?;
        let mut crc = flate2::Crc::new();
        crc.update(self.name);
        let fits = field.first() == Some(&1) && field.len() > 5 && u32_at(field, 1) == crc.sum();
        std::str::from_utf8(field.get(5..)?).ok().filter(|_| fits)
    }

    fn extra_field(&self, id: u16) -> Option<&[u8]> {
        let mut rest = self.extra;
        while rest.len() >= 4 {
            let len = usize::from(u16_at(rest, 2));
            let field = rest.get(4..4 + len)?;
            if u16_at(rest, 0) == id {
                return Some(field);
            }
            rest = &rest[4 + len..];
        }
        None
    }
}

/// What file managers add on their own.
pub(super) fn is_system_file(name: &str) -> bool {
    let base = name.rsplit('/').next().unwrap_or_default();
    name.split('/').any(|part| part == "__MACOSX")
        || base.starts_with("._")
        || ["thumbs.db", "desktop.ini", ".ds_store"]
            .iter()
            .any(|n| base.eq_ignore_ascii_case(n))
}
