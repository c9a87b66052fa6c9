//! Reading pictures: header, limits, orientation, and the one full decode that proves a file whole.

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
}

impl Default for ImageLimits {
    fn default() -> Self {
        Self {
            max_pixels: 200_000_000,
            max_side: 65_500,
            max_alloc: 1 << 30,
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
}

impl ImageInfo {
    /// Whether the stored bytes show the picture as it is meant in every browser.
    pub const fn is_web_ready(&self) -> bool {
        self.kind.is_web_still() && self.orientation == 1
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
    match source {
        Source::Bytes(b) => open(Cursor::new(b), limits).map(|(info, _)| info),
        Source::File(_) => open(source.reader()?, limits).map(|(info, _)| info),
    }
}

/// Decodes the picture whole; a truncated or damaged one is refused. Blocking and hungry: run it under a
/// [`crate::DecodePool`].
pub fn decode(source: &Source, limits: &ImageLimits) -> Result<Decoded> {
    let bytes = source.read_all()?;
    if bytes.starts_with(&[0xff, 0xd8, 0xff]) && !jpeg::is_complete(&bytes) {
        return Err(StorageError::Truncated("JPEG"));
    }
    let (info, mut decoder) = open(Cursor::new(&bytes[..]), limits)?;
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
    let decoded_bytes = decoder.total_bytes();
    if decoded_bytes > limits.max_alloc {
        return Err(too_much_memory(decoded_bytes, limits));
    }
    let orientation = orientation(&mut decoder, kind);
    let (width, height) = if orientation >= 5 {
        (height, width)
    } else {
        (width, height)
    };
    Ok((
        ImageInfo {
            kind,
            width,
            height,
            orientation,
            decoded_bytes,
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

fn too_much_memory(needed: u64, limits: &ImageLimits) -> StorageError {
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
            let detail: String = e
                .to_string()
                .chars()
                .filter(|c| !c.is_control())
                .take(160)
                .collect();
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
