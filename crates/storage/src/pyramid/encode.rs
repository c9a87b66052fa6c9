//! A tile to bytes, and back to a picture.

use super::rows::Sample;
use super::{PyramidInfo, TileFormat};
use crate::{Result, StorageError};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::{
    DynamicImage, ExtendedColorType, GrayImage, ImageBuffer, ImageEncoder as _, ImageFormat, RgbImage,
};
use std::io::{Read as _, Write as _};

/// Quality of tiles of pictures that are JPEGs themselves.
const QUALITY: u8 = 92;
/// A larger profile is not repeated in every tile.
const ICC_MAX: usize = 4 << 10;

/// How tiles are encoded, with the colour profile where there is one.
pub(super) struct Encoding {
    pub format: TileFormat,
    pub icc: Option<Vec<u8>>,
}

/// What a sample becomes at the end of a tile's way.
pub(super) trait TileSample: Sample {
    fn encode(tile: &[Self], width: u32, height: u32, channels: usize, how: &Encoding) -> Result<Vec<u8>>;
}

impl TileSample for u8 {
    fn encode(tile: &[Self], width: u32, height: u32, channels: usize, how: &Encoding) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(tile.len() / 4 + 1024);
        if how.format == TileFormat::Jpeg {
            let color = if channels == 1 {
                ExtendedColorType::L8
            } else {
                ExtendedColorType::Rgb8
            };
            let mut encoder = JpegEncoder::new_with_quality(&mut out, QUALITY);
            let fits =
                |p: &&Vec<u8>| p.len() <= ICC_MAX && crate::render::is_rgb_profile(p) == (channels == 3);
            if let Some(icc) = how.icc.as_ref().filter(fits) {
                // A profile that cannot be embedded only costs colour accuracy.
                drop(encoder.set_icc_profile(icc.clone()));
            }
            encoder.write_image(tile, width, height, color).map_err(failed)?;
            return Ok(out);
        }
        let mut encoder = png::Encoder::new(&mut out, width, height);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_color(if channels == 1 {
            png::ColorType::Grayscale
        } else {
            png::ColorType::Rgb
        });
        encoder.set_compression(png::Compression::Fast);
        let mut writer = encoder.write_header().map_err(failed)?;
        writer.write_image_data(tile).map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(out)
    }
}

impl TileSample for u16 {
    fn encode(tile: &[Self], _: u32, _: u32, _: usize, _: &Encoding) -> Result<Vec<u8>> {
        let bytes: Vec<u8> = tile.iter().flat_map(|v| v.to_le_bytes()).collect();
        let mut out = GzEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::fast());
        out.write_all(&bytes)?;
        Ok(out.finish()?)
    }
}

fn failed(e: impl std::fmt::Display) -> StorageError {
    StorageError::Io(std::io::Error::other(format!("a tile cannot be encoded: {e}")))
}

/// The picture of a tile, 8 bits by the pyramid's own window.
pub(super) fn decode(bytes: &[u8], info: &PyramidInfo, (width, height): (u32, u32)) -> Result<DynamicImage> {
    let format = match info.format {
        TileFormat::Jpeg => ImageFormat::Jpeg,
        TileFormat::Png => ImageFormat::Png,
        TileFormat::Raw16 => {
            let n = width as usize * height as usize * usize::from(info.channels);
            let mut raw = Vec::with_capacity(n * 2);
            GzDecoder::new(bytes).take(n as u64 * 2).read_to_end(&mut raw)?;
            let samples: Vec<u16> = raw
                .chunks_exact(2)
                .map(|b| u16::from_le_bytes([b[0], b[1]]))
                .collect();
            let samples: Vec<u8> = samples.iter().map(|v| shown(*v, info.window)).collect();
            return if info.channels == 1 {
                GrayImage::from_raw(width, height, samples).map(DynamicImage::ImageLuma8)
            } else {
                RgbImage::from_raw(width, height, samples).map(DynamicImage::ImageRgb8)
            }
            .ok_or_else(short);
        }
    };
    image::load_from_memory_with_format(bytes, format).map_err(|_| short())
}

fn short() -> StorageError {
    StorageError::Truncated("tile")
}

/// A sample between black and white.
fn shown(v: u16, (low, high): (u16, u16)) -> u8 {
    let (v, low, high) = (u32::from(v), u32::from(low), u32::from(high));
    let all = high.saturating_sub(low).max(1);
    (v.clamp(low, high.max(low)) - low)
        .saturating_mul(255)
        .div_ceil(all)
        .min(255) as u8
}

/// A picture of 16 bits as it is shown at first: the samples that nearly all lie between become black to white. Any other is
/// answered as it is.
pub(crate) fn to_eight(picture: DynamicImage) -> DynamicImage {
    let gray = !picture.color().has_color();
    let deep = picture.color().bytes_per_pixel() / picture.color().channel_count() == 2;
    if !deep {
        return picture;
    }
    let channels = if gray { 1 } else { 3 };
    let (w, h) = (picture.width(), picture.height());
    let samples = if gray {
        picture.into_luma16().into_raw()
    } else {
        picture.into_rgb16().into_raw()
    };
    let mut histogram = vec![0_u64; 65_536];
    for v in &samples {
        histogram[usize::from(*v)] += 1;
    }
    let window = super::build::window(&histogram, channels, u16::MAX);
    let samples: Vec<u8> = samples.iter().map(|v| shown(*v, window)).collect();
    let picture = if gray {
        ImageBuffer::from_raw(w, h, samples).map(DynamicImage::ImageLuma8)
    } else {
        ImageBuffer::from_raw(w, h, samples).map(DynamicImage::ImageRgb8)
    };
    picture.unwrap_or_default()
}
