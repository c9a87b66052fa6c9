//! Zips in which files lie as they are, one behind the other. Names and sizes alone say where everything is, so that an archive's
//! size is known before it is made, and a part of it can be made without the files before it: of those only the checksums
//! are needed, which stand behind each file and in the directory at the end.
//!
//! The same bytes as `zip::ZipWriter` writes into a stream (APPNOTE.TXT 6.3.10, sections 4.3 to 4.5). Archives have sums that are
//! kept: what is changed here changes them.

use std::ops::Range;

/// From here on sizes and places take eight bytes.
const LARGE: u64 = u32::MAX as u64;
/// More files than this are counted in eight bytes.
const MANY: u64 = u16::MAX as u64;
/// The first of January 1980: the same files give the same archive.
const DATE: u16 = 0x21;
/// A regular file that its owner may write to and everybody read, on Unix.
const ATTRIBUTES: u32 = 0o100_644 << 16;
/// Unix; beside it stands the version of the format.
const MADE_BY: u16 = 3 << 8;

/// A file of an archive.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a> {
    name: &'a str,
    size: u64,
    is_large: bool,
}

impl<'a> Member<'a> {
    pub const fn new(name: &'a str, size: u64) -> Self {
        Self {
            name,
            size,
            is_large: size >= LARGE,
        }
    }

    /// Bytes before its own.
    const fn before(&self) -> u64 {
        30 + self.name.len() as u64 + if self.is_large { 20 } else { 0 }
    }

    /// Bytes behind its own.
    const fn behind(&self) -> u64 {
        if self.is_large { 24 } else { 16 }
    }

    /// What is said in eight bytes of a file that begins at `at`: both of its sizes, and where it begins.
    fn wide(&self, at: u64) -> Vec<u64> {
        let sizes = if self.is_large {
            vec![self.size; 2]
        } else {
            Vec::new()
        };
        sizes.into_iter().chain((at >= LARGE).then_some(at)).collect()
    }

    const fn version(&self) -> u16 {
        if self.is_large { 45 } else { 10 }
    }

    /// Checksum and sizes stand behind the bytes; names are UTF-8.
    const fn flags(&self) -> u16 {
        0x8 | if self.name.is_ascii() { 0 } else { 0x800 }
    }
}

/// Where the bytes of a file lie in the archive, and where all that goes before the next file ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub bytes: Range<u64>,
    pub end: u64,
}

/// How files lie in an archive.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Layout {
    at: u64,
    directory: u64,
    members: u64,
}

impl Layout {
    /// Puts a file behind the others.
    pub fn add(&mut self, member: Member<'_>) -> Place {
        let wide = member.wide(self.at).len() as u64 * 8;
        self.directory += 46 + member.name.len() as u64 + if wide > 0 { 4 + wide } else { 0 };
        let start = self.at + member.before();
        let end = start + member.size;
        self.at = end + member.behind();
        self.members += 1;
        Place {
            bytes: start..end,
            end: self.at,
        }
    }

    fn is_wide(&self) -> bool {
        self.members > MANY || self.directory.max(self.at) > LARGE
    }

    /// Bytes of the archive.
    pub fn total(&self) -> u64 {
        self.at + self.directory + 22 + if self.is_wide() { 56 + 20 } else { 0 }
    }
}

/// Numbers with their lowest byte first.
struct Record(Vec<u8>);

impl Record {
    fn new(signature: u32) -> Self {
        Self(Vec::with_capacity(64)).u32(signature)
    }

    fn u16(self, n: u16) -> Self {
        self.bytes(&n.to_le_bytes())
    }

    fn u32(self, n: u32) -> Self {
        self.bytes(&n.to_le_bytes())
    }

    fn u64(self, n: u64) -> Self {
        self.bytes(&n.to_le_bytes())
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }
}

/// Writes what lies between files.
#[derive(Debug, Default)]
pub(super) struct Writer {
    layout: Layout,
    directory: Vec<u8>,
    version: u16,
}

impl Writer {
    /// What goes before the bytes of a file.
    pub fn before(member: Member<'_>) -> Vec<u8> {
        let record = Record::new(0x0403_4b50)
            .u16(member.version())
            .u16(member.flags())
            .u16(0)
            .u16(0)
            .u16(DATE)
            .u32(0)
            .u32(0)
            .u32(0)
            .u16(member.name.len() as u16)
            .u16(if member.is_large { 20 } else { 0 })
            .bytes(member.name.as_bytes());
        if member.is_large {
            record.u16(1).u16(16).u64(u64::MAX).u64(u64::MAX).0
        } else {
            record.0
        }
    }

    /// What goes behind them, when they are those of a file with this CRC-32. Files come in their order.
    pub fn behind(&mut self, member: Member<'_>, crc: u32) -> Vec<u8> {
        let at = self.layout.at;
        self.layout.add(member);
        self.version = self.version.max(member.version());
        self.list(member, crc, at);
        let record = Record::new(0x0807_4b50).u32(crc);
        if member.is_large {
            record.u64(member.size).u64(member.size).0
        } else {
            record.u32(member.size as u32).u32(member.size as u32).0
        }
    }

    fn list(&mut self, member: Member<'_>, crc: u32, at: u64) {
        let size = if member.is_large {
            u32::MAX
        } else {
            member.size as u32
        };
        let wide = member.wide(at);
        let extra = if wide.is_empty() { 0 } else { 4 + 8 * wide.len() };
        let mut record = Record::new(0x0201_4b50)
            .u16(MADE_BY | member.version())
            .u16(member.version())
            .u16(member.flags())
            .u16(0)
            .u16(0)
            .u16(DATE)
            .u32(crc)
            .u32(size)
            .u32(size)
            .u16(member.name.len() as u16)
            .u16(extra as u16)
            .u16(0)
            .u16(0)
            .u16(0)
            .u32(ATTRIBUTES)
            .u32(at.min(LARGE) as u32)
            .bytes(member.name.as_bytes());
        if !wide.is_empty() {
            record = record.u16(1).u16(8 * wide.len() as u16);
        }
        for n in wide {
            record = record.u64(n);
        }
        self.directory.extend_from_slice(&record.0);
    }

    /// The directory, behind all files.
    pub fn finish(self) -> Vec<u8> {
        let Layout { at, members, .. } = self.layout;
        let size = self.directory.len() as u64;
        let is_wide = self.layout.is_wide();
        let mut end = Record(self.directory);
        if is_wide {
            let version = self.version.max(10);
            end = end
                .u32(0x0606_4b50)
                .u64(44)
                .u16(version)
                .u16(version)
                .u32(0)
                .u32(0)
                .u64(members)
                .u64(members)
                .u64(size)
                .u64(at)
                .u32(0x0706_4b50)
                .u32(0)
                .u64(at + size)
                .u32(1);
        }
        let members = members.min(MANY) as u16;
        end.u32(0x0605_4b50)
            .u16(0)
            .u16(0)
            .u16(members)
            .u16(members)
            .u32(if is_wide { u32::MAX } else { size as u32 })
            .u32(at.min(LARGE) as u32)
            .u16(0)
            .0
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn ours(files: &[(String, Vec<u8>, bool)]) -> Vec<u8> {
        let (mut zip, mut layout, mut bytes) = (Writer::default(), Layout::default(), Vec::new());
        for (name, content, is_large) in files {
            let member = Member {
                is_large: *is_large,
                ..Member::new(name, content.len() as u64)
            };
            let place = layout.add(member);
            bytes.extend(Writer::before(member));
            assert_eq!(bytes.len() as u64, place.bytes.start);
            bytes.extend_from_slice(content);
            assert_eq!(bytes.len() as u64, place.bytes.end);
            bytes.extend(zip.behind(member, crc32fast::hash(content)));
            assert_eq!(bytes.len() as u64, place.end);
        }
        bytes.extend(zip.finish());
        assert_eq!(bytes.len() as u64, layout.total());
        bytes
    }

    fn theirs(files: &[(String, Vec<u8>, bool)]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new_stream(Vec::new());
        for (name, content, is_large) in files {
            let options = zip::write::SimpleFileOptions::default()
                .last_modified_time(zip::DateTime::DEFAULT)
                .unix_permissions(0o644)
                .large_file(*is_large)
                .compression_method(zip::CompressionMethod::Stored);
            zip.start_file(name.as_str(), options).unwrap();
            zip.write_all(content).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn bytes_are_those_of_the_zip_crate() {
        let file = |name: &str, content: &[u8], is_large| (name.to_owned(), content.to_vec(), is_large);
        let few = [
            file("a.txt", b"some words", false),
            file("empty", b"", false),
            file("straße/ü.png", &[7; 3_000], false),
            file("as large.bin", b"as one of four gigabytes", true),
        ];
        for files in [&few[..0], &few[..1], &few[..3], &few[..]] {
            assert!(ours(files) == theirs(files), "{} files", files.len());
        }
        let many: Vec<_> = (0..=MANY)
            .map(|n| file(&n.to_string(), n.to_string().as_bytes(), false))
            .collect();
        assert!(ours(&many) == theirs(&many));
        assert!(ours(&many[1..]) == theirs(&many[1..]));
    }

    #[test]
    fn what_lies_behind_four_gigabytes_says_so_in_eight_bytes() {
        let mut layout = Layout::default();
        let large = layout.add(Member::new("a", LARGE));
        assert_eq!(large.bytes, 51..51 + LARGE);
        assert_eq!(large.end, 51 + LARGE + 24);
        let small = layout.add(Member::new("b", 5));
        assert_eq!(small.end, large.end + 31 + 5 + 16);
        let directory = (46 + 1 + 4 + 16) + (46 + 1 + 4 + 8);
        assert_eq!(layout.total(), small.end + directory + 56 + 20 + 22);
    }
}
