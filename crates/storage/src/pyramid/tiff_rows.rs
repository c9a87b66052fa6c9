//! TIFF by rows: strips or tiles are decoded one band at a time.

use super::rows::{AnyRows, Opened, Rows, Sample, over_white};
use super::tiff_direct::Direct;
use crate::decode::ImageLimits;
use crate::staged::{ReadSeek, Source};
use crate::{Result, StorageError};
use std::io::BufReader;
use tiff::ColorType;
use tiff::decoder::{ChunkType, Decoder, DecodingResult, Limits};
use tiff::tags::Tag;
use tiff::{TiffError, TiffFormatError};

pub(super) type File = BufReader<Box<dyn ReadSeek>>;

/// A strip of more than this, stored without compression, is read row by row.
const STRIP: u64 = 8 << 20;
/// Most that a row of compressed strips or tiles may unpack to, in bytes.
const BAND: u64 = 256 << 20;
/// Most that the lists of a directory may take, in bytes.
const LISTS: usize = 64 << 20;

/// A TIFF by its directory; sizes are of the stored picture.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    pub width: u32,
    pub height: u32,
    pub orientation: u8,
    pub bits: u8,
    pub channels: u64,
}

/// How the stored samples of a pixel become those that are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Convert {
    /// The first ones.
    Take,
    /// Several pixels in a byte, of so many bits each.
    Packed(u8),
    /// The last one says how opaque it is.
    OverWhite,
    Cmyk,
    YCbCr,
}

/// What is stored for a pixel, and what is shown of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub width: usize,
    /// Samples stored.
    pub given: usize,
    /// Samples shown: 1 or 3.
    pub channels: usize,
    pub bits: u8,
    pub convert: Convert,
    /// Each sample has a picture of its own in the file.
    pub planar: bool,
}

fn decoder(source: &Source) -> Result<Decoder<File>> {
    let mut limits = Limits::default();
    limits.decoding_buffer_size = BAND as usize;
    limits.intermediate_buffer_size = BAND as usize;
    limits.ifd_value_size = LISTS;
    Ok(Decoder::new(source.reader()?)
        .map_err(refusal)?
        .with_limits(limits))
}

/// Reads the directory of the first picture.
pub(crate) fn header(source: &Source) -> Result<Header> {
    let mut d = decoder(source)?;
    let (width, height) = d.dimensions().map_err(refusal)?;
    let layout = layout(&mut d, width)?;
    let orientation = d
        .find_tag_unsigned::<u8>(Tag::Orientation)
        .ok()
        .flatten()
        .filter(|o| (1..=8).contains(o))
        .unwrap_or(1);
    Ok(Header {
        width,
        height,
        orientation,
        bits: layout.bits,
        channels: layout.channels as u64,
    })
}

fn layout(d: &mut Decoder<File>, width: u32) -> Result<Layout> {
    let color = d.colortype().map_err(refusal)?;
    let numbers = |d: &mut Decoder<File>, tag| -> Vec<u16> {
        d.find_tag_unsigned_vec(tag).ok().flatten().unwrap_or_default()
    };
    // Absent or 1: whole numbers from 0.
    if numbers(d, Tag::SampleFormat).iter().any(|f| *f != 1) {
        return Err(unsupported("signed or floating-point samples"));
    }
    let opaque = numbers(d, Tag::ExtraSamples)
        .first()
        .is_some_and(|e| matches!(e, 1 | 2));
    let (given, channels, bits, convert) = match color {
        ColorType::Gray(bits @ (8 | 16)) => (1, 1, bits, Convert::Take),
        ColorType::Gray(bits @ (1 | 2 | 4)) => (1, 1, 8, Convert::Packed(bits)),
        ColorType::RGB(bits @ (8 | 16)) => (3, 3, bits, Convert::Take),
        ColorType::RGBA(8) if opaque => (4, 3, 8, Convert::OverWhite),
        ColorType::RGBA(bits @ (8 | 16)) => (4, 3, bits, Convert::Take),
        ColorType::CMYK(bits @ (8 | 16)) => (4, 3, bits, Convert::Cmyk),
        ColorType::YCbCr(8) => (3, 3, 8, Convert::YCbCr),
        ColorType::Multiband {
            bit_depth: bits @ (8 | 16),
            num_samples,
        } if num_samples > 0 => {
            let shown = if num_samples < 3 { 1 } else { 3 };
            (usize::from(num_samples), shown, bits, Convert::Take)
        }
        other => return Err(unsupported(&format!("pixels of the kind {other:?}"))),
    };
    Ok(Layout {
        width: width as usize,
        given,
        channels,
        bits,
        convert,
        planar: numbers(d, Tag::PlanarConfiguration).first() == Some(&2) && given > 1,
    })
}

fn unsupported(what: &str) -> StorageError {
    StorageError::Unwieldy(format!(
        "a TIFF of this size with {what} cannot be shown; convert it to grey or RGB of 8 or 16 bits a sample."
    ))
}

pub(crate) fn open(source: &Source, _limits: &ImageLimits) -> Result<Opened> {
    let mut d = decoder(source)?;
    let (width, height) = d.dimensions().map_err(refusal)?;
    let layout = layout(&mut d, width)?;
    let (chunk_width, chunk_height) = d.chunk_dimensions();
    let tiled = d.get_chunk_type() == ChunkType::Tile;
    let counts = check_chunks(&mut d, tiled, source.len()?)?;
    let bytes = u64::from(layout.bits / 8);
    let rows = u64::from(chunk_height.min(height));
    let band = u64::from(width) * layout.given as u64 * bytes * rows;
    let compression: u16 = d
        .find_tag_unsigned(Tag::Compression)
        .map_err(refusal)?
        .unwrap_or(1);
    let lossy = compression == 7;
    let plain = compression == 1 && !tiled && !matches!(layout.convert, Convert::Packed(_) | Convert::YCbCr);
    let (given, memory) = if plain && band > STRIP {
        let direct = Direct::open(&mut d, source, layout, height)?;
        (Given::Direct(Box::new(direct)), u64::from(width) * 16)
    } else if band > BAND || u64::from(chunk_width) * u64::from(chunk_height) > BAND {
        return Err(StorageError::Unwieldy(format!(
            "its strips or tiles are {chunk_height} rows high, and one row of them unpacks to more than {} MiB; save the TIFF with smaller tiles, such as 512 x 512.",
            BAND >> 20
        )));
    } else {
        let chunks = Chunks {
            decoder: d,
            layout,
            chunk: (chunk_width, chunk_height),
            across: width.div_ceil(chunk_width),
            down: height.div_ceil(chunk_height),
            counts,
            height,
            at: 0,
        };
        (Given::Chunks(Box::new(chunks)), 2 * band)
    };
    let rows = if layout.bits == 16 {
        AnyRows::Sixteen(Box::new(TiffRows::<u16>::new(layout, given)))
    } else {
        AnyRows::Eight(Box::new(TiffRows::<u8>::new(layout, given)))
    };
    Ok(Opened {
        width,
        height,
        channels: layout.channels,
        rows,
        memory,
        lossy,
    })
}

/// Whether every strip or tile lies in the file; answers their sizes.
fn check_chunks(d: &mut Decoder<File>, tiled: bool, len: u64) -> Result<Vec<u64>> {
    let (offsets, counts) = if tiled {
        (Tag::TileOffsets, Tag::TileByteCounts)
    } else {
        (Tag::StripOffsets, Tag::StripByteCounts)
    };
    let offsets = d.get_tag_u64_vec(offsets).map_err(refusal)?;
    let counts = d.get_tag_u64_vec(counts).map_err(refusal)?;
    let inside = |(at, n): (&u64, &u64)| at.checked_add(*n).is_some_and(|end| end <= len);
    if !offsets.iter().zip(&counts).all(inside) {
        return Err(StorageError::Truncated("TIFF"));
    }
    Ok(counts)
}

/// Where the samples come from.
enum Given {
    Chunks(Box<Chunks>),
    Direct(Box<Direct>),
}

/// Strips or tiles through the decoder.
struct Chunks {
    decoder: Decoder<File>,
    layout: Layout,
    /// Width and height of a strip or tile.
    chunk: (u32, u32),
    across: u32,
    down: u32,
    counts: Vec<u64>,
    height: u32,
    /// The next row of strips or tiles.
    at: u32,
}

/// Numbers of a row of `width` pixels as the decoder gives them.
fn units(layout: Layout, width: usize) -> usize {
    match layout.convert {
        Convert::Packed(bits) => (width * usize::from(bits)).div_ceil(8),
        _ if layout.planar => width,
        _ => width * layout.given,
    }
}

impl Chunks {
    /// Decodes the next row of strips or tiles into `band`; answers its rows.
    fn next<S: TiffSample>(&mut self, band: &mut Vec<S>) -> Result<usize> {
        let layout = self.layout;
        let rows = (self.height - self.at * self.chunk.1).min(self.chunk.1) as usize;
        let stride = units(layout, layout.width);
        let total = if layout.planar {
            layout.width * layout.given
        } else {
            stride
        };
        band.clear();
        band.resize(total * rows, S::default());
        let planes = if layout.planar { layout.given } else { 1 };
        for plane in 0..planes {
            for column in 0..self.across {
                let index = (plane as u32 * self.down + self.at) * self.across + column;
                // A tile that was never written is black.
                if self.counts.get(index as usize) == Some(&0) {
                    continue;
                }
                let start = (column * self.chunk.0) as usize;
                let width = (layout.width - start).min(self.chunk.0 as usize);
                let (n, from) = (units(layout, width), units(layout, start));
                let chunk = S::of(self.decoder.read_chunk(index).map_err(refusal)?).ok_or_else(mixed)?;
                if chunk.len() < n * rows {
                    return Err(mixed());
                }
                for (r, row) in chunk.chunks_exact(n).take(rows).enumerate() {
                    if layout.planar {
                        for (x, v) in row.iter().enumerate() {
                            band[r * total + (start + x) * layout.given + plane] = *v;
                        }
                    } else {
                        band[r * stride + from..][..n].copy_from_slice(row);
                    }
                }
            }
        }
        self.at += 1;
        Ok(rows)
    }
}

fn mixed() -> StorageError {
    StorageError::Corrupt {
        kind: "TIFF",
        detail: "a strip or tile is not of the size that the file says".to_owned(),
    }
}

/// A sample that TIFFs are decoded to.
pub(super) trait TiffSample: Sample {
    fn of(decoded: DecodingResult) -> Option<Vec<Self>>;
}

impl TiffSample for u8 {
    fn of(decoded: DecodingResult) -> Option<Vec<Self>> {
        match decoded {
            DecodingResult::U8(v) => Some(v),
            _ => None,
        }
    }
}

impl TiffSample for u16 {
    fn of(decoded: DecodingResult) -> Option<Vec<Self>> {
        match decoded {
            DecodingResult::U16(v) => Some(v),
            _ => None,
        }
    }
}

struct TiffRows<S> {
    layout: Layout,
    given: Given,
    band: Vec<S>,
    /// Rows in the band, and those given already.
    rows: usize,
    used: usize,
}

impl<S> TiffRows<S> {
    const fn new(layout: Layout, given: Given) -> Self {
        Self {
            layout,
            given,
            band: Vec::new(),
            rows: 0,
            used: 0,
        }
    }
}

impl<S: TiffSample> Rows<S> for TiffRows<S> {
    fn next(&mut self, row: &mut [S]) -> Result<()> {
        match &mut self.given {
            Given::Direct(direct) => {
                direct.next(&mut self.band)?;
                convert(self.layout, &self.band, row);
            }
            Given::Chunks(chunks) => {
                if self.used == self.rows {
                    self.rows = chunks.next(&mut self.band)?;
                    self.used = 0;
                }
                let n = self.band.len() / self.rows.max(1);
                convert(self.layout, &self.band[self.used * n..][..n], row);
                self.used += 1;
            }
        }
        Ok(())
    }
}

fn convert<S: Sample>(layout: Layout, given: &[S], row: &mut [S]) {
    let pixels = given
        .chunks_exact(layout.given)
        .zip(row.chunks_exact_mut(layout.channels));
    match layout.convert {
        Convert::Take if layout.given == layout.channels => row.copy_from_slice(given),
        Convert::Take => pixels.for_each(|(from, to)| to.copy_from_slice(&from[..to.len()])),
        Convert::OverWhite => pixels.for_each(|(from, to)| over_white(from, to)),
        Convert::Packed(bits) => {
            let (per, max) = (8 / usize::from(bits), (1_u32 << bits) - 1);
            for (x, to) in row.iter_mut().enumerate() {
                let byte: u32 = given[x / per].into();
                let shift = 8 - usize::from(bits) * (x % per + 1);
                *to = S::from_u32(((byte >> shift) & max) * S::MAX / max);
            }
        }
        Convert::Cmyk => pixels.for_each(|(from, to)| {
            let light = |v: S| u64::from(S::MAX - v.into());
            let k = light(from[3]);
            for (t, f) in to.iter_mut().zip(from) {
                *t = S::from_u32((light(*f) * k / u64::from(S::MAX)) as u32);
            }
        }),
        Convert::YCbCr => pixels.for_each(|(from, to)| {
            // ITU-R BT.601 at full range, as in JPEG.
            let v = |i: usize| -> f32 { Into::<u32>::into(from[i]) as f32 };
            let (y, cb, cr) = (v(0), v(1) - 128.0, v(2) - 128.0);
            let rgb = [
                y + 1.402 * cr,
                y - 0.344_136 * cb - 0.714_136 * cr,
                y + 1.772 * cb,
            ];
            for (t, c) in to.iter_mut().zip(rgb) {
                *t = S::from_u32(c.round().clamp(0.0, 255.0) as u32);
            }
        }),
    }
}

pub(super) fn refusal(e: TiffError) -> StorageError {
    match e {
        TiffError::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            StorageError::Truncated("TIFF")
        }
        TiffError::IoError(e) if e.get_ref().is_some_and(|inner| inner.is::<StorageError>()) => e.into(),
        TiffError::FormatError(TiffFormatError::TiffSignatureNotFound) => StorageError::Truncated("TIFF"),
        e => StorageError::Corrupt {
            kind: "TIFF",
            detail: crate::error::plain(&e.to_string()),
        },
    }
}
