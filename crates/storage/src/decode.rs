//! Reading pictures: header, limits, orientation, and the one full decode that proves a file whole.

use crate::error::plain;
use crate::sniff::{self, ImageKind, SNIFF_LEN};
use crate::staged::Source;
use crate::{Result, StorageError, jpeg};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader};
use std::io::{BufRead, Cursor, Read, Seek, SeekFrom};

/// What a picture may be at most.
#[derive(Debug, Clone, Copy)]
pub struct ImageLimits {
    /// Width x height.
    pub max_pixels: u64,
    pub max_side: u32,
    /// Bytes that decoding may allocate.
    pub max_alloc: u64,
    /// A picture of more pixels is never decoded whole; see [`crate::pyramid`].
    pub whole_pixels: u64,
}

impl Default for ImageLimits {
    fn default() -> Self {
        Self {
            max_pixels: 2_000_000_000,
            max_side: 250_000,
            max_alloc: 1 << 30,
            whole_pixels: 32_000_000,
        }
    }
}

/// A picture by its header. Width and height are of the oriented picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageInfo {
    pub kind: ImageKind,
    pub width: u32,
    pub height: u32,
    /// EXIF orientation of the stored bytes, 1..=8; 1 where there is none.
    pub orientation: u8,
    /// Bytes of memory that the decoded picture takes.
    pub decoded_bytes: u64,
    /// Bits a sample.
    pub bits: u8,
}

impl ImageInfo {
    /// Whether the stored bytes show the picture as it is meant in every browser.
    pub const fn is_web_ready(&self) -> bool {
        self.kind.is_web_still() && self.orientation == 1
    }

    /// Width x height.
    pub const fn pixels(&self) -> u64 {
        self.width as u64 * self.height as u64
    }

    /// Whether it is more than is decoded whole.
    pub const fn is_large(&self, limits: &ImageLimits) -> bool {
        self.pixels() > limits.whole_pixels
    }

    /// Whether it has more than a screen can show at once.
    pub const fn is_deep(&self) -> bool {
        self.bits > 8
    }

    /// Whether it is shown by tiles.
    pub const fn is_tiled(&self, limits: &ImageLimits) -> bool {
        self.is_large(limits) || self.is_deep()
    }
}

/// A decoded picture, not yet oriented.
pub struct Decoded {
    pub info: ImageInfo,
    pub pixels: DynamicImage,
    pub(crate) icc: Option<Vec<u8>>,
}

/// Reads format, size and orientation and checks the limits; decodes nothing.
pub fn header(source: &Source, limits: &ImageLimits) -> Result<ImageInfo> {
    if let Some(info) = large_header(source, limits)? {
        return Ok(info);
    }
    match source {
        Source::Bytes(b) => open(Cursor::new(b), limits).map(|(info, _)| info),
        Source::File(_) | Source::Blob(..) => open(source.reader()?, limits).map(|(info, _)| info),
    }
}

/// The header of a picture that is read row by row only: decoders of whole pictures would read all of a JPEG for it, and
/// know fewer kinds of TIFF. `None` for any other.
fn large_header(source: &Source, limits: &ImageLimits) -> Result<Option<ImageInfo>> {
    let mut reader = source.reader()?;
    let mut head = Vec::with_capacity(SNIFF_LEN);
    (&mut reader).take(SNIFF_LEN as u64).read_to_end(&mut head)?;
    let (kind, width, height, orientation, bits, channels) = match sniff::sniff(&head)? {
        ImageKind::Jpeg => {
            let Ok(f) = jpeg::frame(&mut source.reader()?) else {
                return Ok(None);
            };
            (
                ImageKind::Jpeg,
                f.width,
                f.height,
                f.orientation,
                f.precision,
                u64::from(f.components),
            )
        }
        ImageKind::Tiff => {
            let Ok(t) = crate::pyramid::tiff_header(source) else {
                return Ok(None);
            };
            (
                ImageKind::Tiff,
                t.width,
                t.height,
                t.orientation,
                t.bits,
                t.channels,
            )
        }
        _ => return Ok(None),
    };
    if u64::from(width) * u64::from(height) <= limits.whole_pixels {
        return Ok(None);
    }
    check_size(width, height, limits)?;
    let (width, height) = oriented(width, height, orientation);
    Ok(Some(ImageInfo {
        kind,
        width,
        height,
        orientation,
        decoded_bytes: u64::from(width) * u64::from(height) * channels * u64::from(bits.div_ceil(8)),
        bits,
    }))
}

fn check_size(width: u32, height: u32, limits: &ImageLimits) -> Result<()> {
    if width > limits.max_side
        || height > limits.max_side
        || u64::from(width) * u64::from(height) > limits.max_pixels
    {
        let (max_side, max_pixels) = (limits.max_side, limits.max_pixels);
        return Err(StorageError::TooManyPixels {
            width,
            height,
            max_side,
            max_pixels,
        });
    }
    Ok(())
}

const fn oriented(width: u32, height: u32, orientation: u8) -> (u32, u32) {
    if orientation >= 5 {
        (height, width)
    } else {
        (width, height)
    }
}

/// Decodes the picture whole; a truncated or damaged one is refused. Blocking and hungry: run it under a
/// [`crate::DecodePool`].
pub fn decode(source: &Source, limits: &ImageLimits) -> Result<Decoded> {
    let len = source.len()?;
    if len > limits.max_alloc {
        return Err(too_much_memory(len, limits));
    }
    let bytes = source.read_all()?;
    if bytes.starts_with(&[0xff, 0xd8, 0xff]) && !jpeg::is_complete(&mut &bytes[..])? {
        return Err(StorageError::Truncated("JPEG"));
    }
    let (info, mut decoder) = open(Cursor::new(&bytes[..]), limits)?;
    if info.decoded_bytes > limits.max_alloc {
        return Err(too_much_memory(info.decoded_bytes, limits));
    }
    let icc = decoder.icc_profile().ok().flatten();
    let pixels = DynamicImage::from_decoder(decoder).map_err(|e| refusal(e, info.kind, limits))?;
    Ok(Decoded { info, pixels, icc })
}

/// Checks everything that the header tells.
fn open<'a, R: BufRead + Seek + 'a>(
    mut reader: R,
    limits: &ImageLimits,
) -> Result<(ImageInfo, Box<dyn ImageDecoder + 'a>)> {
    let mut head = Vec::with_capacity(SNIFF_LEN);
    (&mut reader).take(SNIFF_LEN as u64).read_to_end(&mut head)?;
    reader.seek(SeekFrom::Start(0))?;
    let kind = sniff::sniff(&head)?;

    let mut image_limits = image::Limits::no_limits();
    image_limits.max_alloc = Some(limits.max_alloc);
    let mut image_reader = ImageReader::with_format(reader, kind.image_format());
    image_reader.limits(image_limits);
    let mut decoder = image_reader
        .into_decoder()
        .map_err(|e| refusal(e, kind, limits))?;

    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(StorageError::Corrupt {
            kind: kind.name(),
            detail: "it has no pixels".to_owned(),
        });
    }
    check_size(width, height, limits)?;
    let decoded_bytes = decoder.total_bytes();
    let large = u64::from(width) * u64::from(height) > limits.whole_pixels;
    if decoded_bytes > limits.max_alloc && !(large && kind.is_read_by_rows()) {
        return Err(too_much_memory(decoded_bytes, limits));
    }
    let color = decoder.color_type();
    let bits = (color.bits_per_pixel() / u16::from(color.channel_count().max(1))).min(255) as u8;
    let orientation = orientation(&mut decoder, kind);
    let (width, height) = oriented(width, height, orientation);
    Ok((
        ImageInfo {
            kind,
            width,
            height,
            orientation,
            decoded_bytes,
            bits,
        },
        Box::new(decoder),
    ))
}

/// EXIF orientation 1..=8; what cannot be read counts as 1, as in every viewer.
fn orientation(decoder: &mut impl ImageDecoder, kind: ImageKind) -> u8 {
    let found = match kind {
        // The tag is part of the TIFF itself.
        ImageKind::Tiff => decoder.orientation().ok(),
        _ => decoder.exif_metadata().ok().flatten().and_then(|chunk| {
            let chunk = chunk.strip_prefix(b"Exif\0\0").unwrap_or(&chunk);
            Orientation::from_exif_chunk(chunk)
        }),
    };
    found.map_or(1, Orientation::to_exif)
}

pub(crate) fn too_much_memory(needed: u64, limits: &ImageLimits) -> StorageError {
    StorageError::TooMuchMemory {
        needed_mib: (needed >> 20) + 1,
        max_mib: limits.max_alloc >> 20,
    }
}

fn refusal(e: ImageError, kind: ImageKind, limits: &ImageLimits) -> StorageError {
    let name = kind.name();
    match e {
        ImageError::Limits(_) => too_much_memory(limits.max_alloc, limits),
        ImageError::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            StorageError::Truncated(name)
        }
        e => {
            let detail = plain(&e.to_string());
            let lower = detail.to_ascii_lowercase();
            if [
                "end of file",
                "eof",
                "exhausted",
                "unexpected end",
                "fill whole buffer",
                "no more bytes",
                "not enough",
            ]
            .iter()
            .any(|t| lower.contains(t))
            {
                StorageError::Truncated(name)
            } else {
                StorageError::Corrupt { kind: name, detail }
            }
        }
    }
}
