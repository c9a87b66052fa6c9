//! Where the pixels come from: rows from top to bottom, as they are stored.

use super::{jpeg_rows, png_rows, tiff_rows};
use crate::decode::{self, ImageInfo, ImageLimits};
use crate::sniff::ImageKind;
use crate::staged::Source;
use crate::{Result, StorageError, jpeg};
use image::DynamicImage;

/// A number a pixel is made of.
pub(crate) trait Sample: Copy + Default + Send + Sync + Into<u32> + 'static {
    const MAX: u32;
    fn from_u32(v: u32) -> Self;
}

impl Sample for u8 {
    const MAX: u32 = 255;
    fn from_u32(v: u32) -> Self {
        v as Self
    }
}

impl Sample for u16 {
    const MAX: u32 = 65_535;
    fn from_u32(v: u32) -> Self {
        v as Self
    }
}

/// Gives the next row each time: `width x channels` samples, channels interleaved.
pub(crate) trait Rows<S> {
    fn next(&mut self, row: &mut [S]) -> Result<()>;

    /// After the last row: whether the rest of the file is whole.
    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

/// Rows of either depth.
pub(crate) enum AnyRows {
    Eight(Box<dyn Rows<u8>>),
    Sixteen(Box<dyn Rows<u16>>),
}

/// A picture that is read row by row.
pub(crate) struct Opened {
    /// Of the stored picture, before its orientation is applied.
    pub width: u32,
    pub height: u32,
    /// 1 or 3.
    pub channels: usize,
    pub rows: AnyRows,
    /// Bytes that reading takes besides the row itself.
    pub memory: u64,
    /// Whether the source has lost something already.
    pub lossy: bool,
}

impl Opened {
    pub const fn bits(&self) -> u8 {
        match self.rows {
            AnyRows::Eight(_) => 8,
            AnyRows::Sixteen(_) => 16,
        }
    }
}

/// Opens a picture for reading row by row. JPEG (one scan), PNG (not interlaced) and TIFF take little memory; anything else
/// is decoded whole, within `limits.max_alloc`.
pub(crate) fn open(source: &Source, info: &ImageInfo, limits: &ImageLimits) -> Result<Opened> {
    match info.kind {
        ImageKind::Jpeg => jpeg_rows::open(source, limits),
        ImageKind::Png => png_rows::open(source, limits, false),
        ImageKind::Tiff => tiff_rows::open(source, limits),
        ImageKind::WebP | ImageKind::Gif | ImageKind::Bmp => whole(source, limits),
    }
}

/// Checks all that can be told without decoding: that the picture can be read row by row, and that no part of the file is
/// missing as far as its directory tells.
pub(crate) fn look(source: &Source, info: &ImageInfo, limits: &ImageLimits) -> Result<()> {
    let (channels, bits, extra) = match info.kind {
        ImageKind::Jpeg if !jpeg::is_complete(&mut source.reader()?)? => {
            return Err(StorageError::Truncated("JPEG"));
        }
        ImageKind::Jpeg => of(&jpeg_rows::open(source, limits)?),
        ImageKind::Png => of(&png_rows::open(source, limits, true)?),
        ImageKind::Tiff => of(&tiff_rows::open(source, limits)?),
        ImageKind::WebP | ImageKind::Gif | ImageKind::Bmp => (3, info.bits, info.decoded_bytes),
    };
    let needed = super::memory(info.width.max(info.height), channels, bits) + extra;
    if needed > limits.max_alloc * 2 {
        return Err(decode::too_much_memory(needed, limits));
    }
    Ok(())
}

fn of(opened: &Opened) -> (usize, u8, u64) {
    (opened.channels, opened.bits(), opened.memory)
}

/// A picture in memory.
struct Whole<S> {
    samples: Vec<S>,
    at: usize,
}

impl<S: Sample> Rows<S> for Whole<S> {
    fn next(&mut self, row: &mut [S]) -> Result<()> {
        let end = self.at + row.len();
        let from = self
            .samples
            .get(self.at..end)
            .ok_or(StorageError::Truncated("picture"))?;
        row.copy_from_slice(from);
        self.at = end;
        Ok(())
    }
}

fn whole(source: &Source, limits: &ImageLimits) -> Result<Opened> {
    let decoded = decode::decode(source, limits)?;
    let lossy = decoded.info.kind != ImageKind::Bmp;
    Ok(of_image(decoded.pixels, lossy))
}

/// Rows of a picture in memory; transparent parts of 8 bits become white.
pub(crate) fn of_image(pixels: DynamicImage, lossy: bool) -> Opened {
    let (width, height) = (pixels.width(), pixels.height());
    let gray = !pixels.color().has_color();
    let (channels, rows): (usize, AnyRows) = match pixels {
        DynamicImage::ImageLuma8(p) => (1, eight(p.into_raw())),
        DynamicImage::ImageRgb8(p) => (3, eight(p.into_raw())),
        DynamicImage::ImageLuma16(p) => (1, sixteen(p.into_raw())),
        DynamicImage::ImageRgb16(p) => (3, sixteen(p.into_raw())),
        DynamicImage::ImageLumaA16(_) => (1, sixteen(pixels.into_luma16().into_raw())),
        DynamicImage::ImageRgba16(_) => (3, sixteen(pixels.into_rgb16().into_raw())),
        p if gray && !p.color().has_alpha() => (1, eight(p.into_luma8().into_raw())),
        p => (3, eight(crate::render::flatten(&p).into_raw())),
    };
    Opened {
        width,
        height,
        channels,
        rows,
        memory: 0,
        lossy,
    }
}

/// A picture that is only looked at: it has no rows.
pub(crate) fn unread(width: u32, height: u32, channels: usize, bits: u8, memory: u64) -> Opened {
    Opened {
        width,
        height,
        channels,
        rows: if bits > 8 {
            sixteen(Vec::new())
        } else {
            eight(Vec::new())
        },
        memory,
        lossy: false,
    }
}

fn eight(samples: Vec<u8>) -> AnyRows {
    AnyRows::Eight(Box::new(Whole { samples, at: 0 }))
}

fn sixteen(samples: Vec<u16>) -> AnyRows {
    AnyRows::Sixteen(Box::new(Whole { samples, at: 0 }))
}

/// A pixel over white; `pixel` ends with how opaque it is.
pub(crate) fn over_white<S: Sample>(pixel: &[S], out: &mut [S]) {
    let Some((alpha, color)) = pixel.split_last() else {
        return;
    };
    let a: u32 = (*alpha).into();
    for (o, c) in out.iter_mut().zip(color) {
        let c: u32 = (*c).into();
        let (c, a, max) = (u64::from(c), u64::from(a), u64::from(S::MAX));
        *o = S::from_u32(((c * a + max * (max - a) + max / 2) / max) as u32);
    }
}
