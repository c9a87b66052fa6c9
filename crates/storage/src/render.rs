//! Smaller JPEGs of a decoded picture, oriented.

use crate::decode::{Decoded, ImageInfo};
use crate::{Result, StorageError};
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x3, U8x4};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};
use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ExtendedColorType, ImageBuffer, ImageEncoder, Pixel, RgbImage};
use std::borrow::Cow;

/// Which rendition of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RenditionKind {
    /// For grids: 320 pixels at most.
    Thumb,
    /// For working on: 2,048 pixels at most.
    Screen,
    /// Every pixel, oriented and in a format that browsers show.
    Full,
}

impl RenditionKind {
    pub const ALL: [Self; 3] = [Self::Thumb, Self::Screen, Self::Full];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Thumb => "thumb",
            Self::Screen => "screen",
            Self::Full => "full",
        }
    }

    /// Longest side in pixels.
    pub const fn max_side(self) -> u32 {
        match self {
            Self::Thumb => 320,
            Self::Screen => 2048,
            Self::Full => u32::MAX,
        }
    }

    const fn quality(self) -> u8 {
        match self {
            Self::Thumb => 80,
            Self::Screen => 85,
            Self::Full => 92,
        }
    }

    /// Whether the original itself serves: browsers show it as it is and it is no larger than the rendition.
    pub const fn is_original(self, info: &ImageInfo) -> bool {
        !matches!(self, Self::Thumb)
            && info.is_web_ready()
            && info.width <= self.max_side()
            && info.height <= self.max_side()
    }

    /// Width and height of the rendition of a picture of this (oriented) size.
    pub fn size(self, width: u32, height: u32) -> (u32, u32) {
        let long = width.max(height);
        let max = self.max_side();
        if long <= max {
            return (width, height);
        }
        let scale =
            |side: u32| (((u64::from(side) * u64::from(max)) as f64 / f64::from(long)).round() as u32).max(1);
        (scale(width), scale(height))
    }
}

/// Makes the rendition as JPEG bytes; transparent parts become white.
pub fn render(decoded: &Decoded, kind: RenditionKind) -> Result<Vec<u8>> {
    let info = &decoded.info;
    let (mut width, mut height) = kind.size(info.width, info.height);
    if info.orientation >= 5 {
        std::mem::swap(&mut width, &mut height);
    }
    let small = resize(&decoded.pixels, width, height)?;
    let small = crate::pyramid::to_eight(small.into_owned());
    let mut small = DynamicImage::ImageRgb8(flatten(&small));
    if let Some(orientation) = Orientation::from_exif(info.orientation) {
        small.apply_orientation(orientation);
    }
    // A small picture is not worth a large colour profile.
    let icc = decoded
        .icc
        .as_deref()
        .filter(|p| kind != RenditionKind::Thumb || p.len() <= 1024);
    encode_jpeg(&small, kind.quality(), icc)
}

/// The rendition of a picture of 8 bits that lies as it is meant.
pub(crate) fn render_upright(picture: &DynamicImage, kind: RenditionKind) -> Result<Vec<u8>> {
    let (width, height) = kind.size(picture.width(), picture.height());
    encode_jpeg(&*resize(picture, width, height)?, kind.quality(), None)
}

/// Another size, with 8 bits a channel.
pub(crate) fn resize(pixels: &DynamicImage, width: u32, height: u32) -> Result<Cow<'_, DynamicImage>> {
    if (pixels.width(), pixels.height()) == (width, height) {
        return Ok(Cow::Borrowed(pixels));
    }
    let size = ((pixels.width(), pixels.height()), (width, height));
    // Type by type instead of `Resizer::resize`, which is compiled for all it knows: minutes.
    let out = match pixels {
        DynamicImage::ImageLuma8(_) => {
            small(width, height, typed::<U8>(pixels, size)?.iter().map(|p| p.0)).map(DynamicImage::ImageLuma8)
        }
        DynamicImage::ImageRgb8(_) => small(
            width,
            height,
            typed::<U8x3>(pixels, size)?.iter().flat_map(|p| p.0),
        )
        .map(DynamicImage::ImageRgb8),
        DynamicImage::ImageRgba8(_) => small(
            width,
            height,
            typed::<U8x4>(pixels, size)?.iter().flat_map(|p| p.0),
        )
        .map(DynamicImage::ImageRgba8),
        _ => {
            let other = match pixels {
                DynamicImage::ImageLumaA8(_) => DynamicImage::ImageRgba8(pixels.to_rgba8()),
                DynamicImage::ImageLuma16(_)
                | DynamicImage::ImageLumaA16(_)
                | DynamicImage::ImageRgb16(_)
                | DynamicImage::ImageRgba16(_) => crate::pyramid::to_eight(pixels.clone()),
                // Fractions.
                _ => DynamicImage::ImageRgb8(pixels.to_rgb8()),
            };
            return Ok(Cow::Owned(resize(&other, width, height)?.into_owned()));
        }
    };
    out.map(Cow::Owned).ok_or_else(|| StorageError::Corrupt {
        kind: "picture",
        detail: "it could not be made smaller".to_owned(),
    })
}

/// The pixels of a picture of another size; of one type.
fn typed<P: PixelTrait>(
    pixels: &DynamicImage,
    ((w, h), (width, height)): ((u32, u32), (u32, u32)),
) -> Result<Vec<P>> {
    let corrupt = |detail: String| StorageError::Corrupt {
        kind: "picture",
        detail,
    };
    let from =
        TypedImageRef::<P>::from_buffer(w, h, pixels.as_bytes()).map_err(|e| corrupt(e.to_string()))?;
    let mut to = TypedImage::<P>::new(width, height);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    Resizer::new()
        .resize_typed(&from, &mut to, &options)
        .map_err(|e| corrupt(e.to_string()))?;
    Ok(to.pixels().to_vec())
}

fn small<P: Pixel>(
    width: u32,
    height: u32,
    samples: impl Iterator<Item = P::Subpixel>,
) -> Option<ImageBuffer<P, Vec<P::Subpixel>>> {
    ImageBuffer::from_raw(width, height, samples.collect())
}

/// 8-bit RGB over white.
pub(crate) fn flatten(image: &DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.to_rgb8();
    }
    let rgba = image.to_rgba8();
    let mut out = RgbImage::new(rgba.width(), rgba.height());
    for (from, to) in rgba.pixels().zip(out.pixels_mut()) {
        let alpha = u16::from(from.0[3]);
        for (c, t) in to.0.iter_mut().enumerate() {
            *t = ((u16::from(from.0[c]) * alpha + 255 * (255 - alpha) + 127) / 255) as u8;
        }
    }
    out
}

/// JPEG bytes of an RGB or grey picture.
pub(crate) fn encode_jpeg(image: &DynamicImage, quality: u8, icc: Option<&[u8]>) -> Result<Vec<u8>> {
    let rgb = match image {
        DynamicImage::ImageRgb8(rgb) => Cow::Borrowed(rgb),
        other => Cow::Owned(other.to_rgb8()),
    };
    let mut bytes = Vec::with_capacity(rgb.as_raw().len() / 8 + 1024);
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    if let Some(icc) = icc.filter(|p| is_rgb_profile(p)) {
        // A profile that cannot be embedded only costs colour accuracy.
        drop(encoder.set_icc_profile(icc.to_vec()));
    }
    encoder
        .write_image(rgb.as_raw(), rgb.width(), rgb.height(), ExtendedColorType::Rgb8)
        .map_err(|e| StorageError::Corrupt {
            kind: "picture",
            detail: e.to_string(),
        })?;
    Ok(bytes)
}

/// A CMYK or grey profile would be wrong on RGB pixels.
pub(crate) fn is_rgb_profile(icc: &[u8]) -> bool {
    icc.get(16..20) == Some(b"RGB ") && icc.len() <= 1 << 20
}
