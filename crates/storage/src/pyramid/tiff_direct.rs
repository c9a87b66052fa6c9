//! Rows of a TIFF without compression, straight from the file: many programs write such a picture as a single strip.

use super::rows::Sample;
use super::tiff_rows::{File, Layout, refusal};
use crate::staged::Source;
use crate::{Result, StorageError};
use std::io::{Read as _, Seek as _, SeekFrom};
use tiff::decoder::Decoder;
use tiff::tags::{ByteOrder, Tag};

pub(super) struct Direct {
    file: File,
    layout: Layout,
    /// Where the strips begin.
    offsets: Vec<u64>,
    rows_per_strip: u64,
    strips: u64,
    big_endian: bool,
    white_is_zero: bool,
    bytes: Vec<u8>,
    at: u64,
}

impl Direct {
    pub fn open(d: &mut Decoder<File>, source: &Source, layout: Layout, height: u32) -> Result<Self> {
        let offsets = d.get_tag_u64_vec(Tag::StripOffsets).map_err(refusal)?;
        let (_, rows_per_strip) = d.chunk_dimensions();
        let photometric: u16 = d
            .find_tag_unsigned(Tag::PhotometricInterpretation)
            .map_err(refusal)?
            .unwrap_or(1);
        let rows = u64::from(rows_per_strip.clamp(1, height.max(1)));
        let this = Self {
            file: source.reader()?,
            layout,
            offsets,
            rows_per_strip: rows,
            strips: u64::from(height).div_ceil(rows),
            big_endian: d.byte_order() == ByteOrder::BigEndian,
            white_is_zero: photometric == 0,
            bytes: Vec::new(),
            at: 0,
        };
        this.check(source.len()?, u64::from(height))?;
        Ok(this)
    }

    const fn planes(&self) -> usize {
        if self.layout.planar { self.layout.given } else { 1 }
    }

    /// Bytes of a row of one plane.
    fn row_bytes(&self) -> usize {
        let samples = if self.layout.planar { 1 } else { self.layout.given };
        self.layout.width * samples * usize::from(self.layout.bits / 8)
    }

    fn place(&self, plane: usize, row: u64) -> Option<u64> {
        let strip = plane as u64 * self.strips + row / self.rows_per_strip;
        let start = self.offsets.get(usize::try_from(strip).ok()?)?;
        start.checked_add(row % self.rows_per_strip * self.row_bytes() as u64)
    }

    /// The sizes of strips may be wrong in the directory; where their rows lie is what counts.
    fn check(&self, len: u64, height: u64) -> Result<()> {
        for plane in 0..self.planes() {
            for strip in 0..self.strips {
                let last = ((strip + 1) * self.rows_per_strip).min(height) - 1;
                let end = self
                    .place(plane, last)
                    .and_then(|at| at.checked_add(self.row_bytes() as u64));
                if end.is_none_or(|end| end > len) {
                    return Err(StorageError::Truncated("TIFF"));
                }
            }
        }
        Ok(())
    }

    /// The next row, channels interleaved.
    pub fn next<S: Sample>(&mut self, row: &mut Vec<S>) -> Result<()> {
        let (planes, n) = (self.planes(), self.row_bytes());
        row.resize(self.layout.width * self.layout.given, S::default());
        self.bytes.resize(n, 0);
        for plane in 0..planes {
            let at = self
                .place(plane, self.at)
                .ok_or(StorageError::Truncated("TIFF"))?;
            let here = self.file.stream_position()?;
            // Keeps what is buffered where rows follow each other.
            let by = i64::try_from(i128::from(at) - i128::from(here))
                .map_err(|e| StorageError::from(std::io::Error::other(e)))?;
            if self.file.seek_relative(by).is_err() {
                self.file.seek(SeekFrom::Start(at))?;
            }
            self.file.read_exact(&mut self.bytes).map_err(|e| {
                if e.kind() == std::io::ErrorKind::UnexpectedEof {
                    StorageError::Truncated("TIFF")
                } else {
                    e.into()
                }
            })?;
            let wide = self.layout.bits == 16;
            let samples = self
                .bytes
                .chunks_exact(if wide { 2 } else { 1 })
                .map(|b| match b {
                    [a, b] if self.big_endian => u32::from(u16::from_be_bytes([*a, *b])),
                    [a, b] => u32::from(u16::from_le_bytes([*a, *b])),
                    [a] => u32::from(*a),
                    _ => 0,
                });
            for (to, v) in row.iter_mut().skip(plane).step_by(planes).zip(samples) {
                *to = S::from_u32(if self.white_is_zero { S::MAX - v } else { v });
            }
        }
        self.at += 1;
        Ok(())
    }
}
