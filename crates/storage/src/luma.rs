//! A picture's brightness, small: for measuring it.

use crate::decode::{ImageInfo, ImageLimits, decode, header};
use crate::render::{flatten, resize};
use crate::staged::Source;
use crate::{RenditionKind, Result};
use image::DynamicImage;
use image::metadata::Orientation;

/// A picture and, unless it is larger than is decoded whole, its luma.
#[derive(Debug, Clone)]
pub struct Measurable {
    pub info: ImageInfo,
    /// `gray`, `rgb`, `rgba`..., with the bits of a sample where they are not eight; empty where nothing was decoded.
    pub mode: String,
    pub luma: Option<Luma>,
}

/// Upright, as large as a thumbnail at most, row by row; transparent parts are white.
#[derive(Debug, Clone)]
pub struct Luma {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<u8>,
}

/// Decodes a picture for measuring; a damaged one is refused. Blocking: run it under a [`crate::DecodePool`].
pub fn measurable(source: &Source, limits: &ImageLimits) -> Result<Measurable> {
    let info = header(source, limits)?;
    if info.is_large(limits) {
        return Ok(Measurable {
            info,
            mode: String::new(),
            luma: None,
        });
    }
    let decoded = decode(source, limits)?;
    let (mut width, mut height) = RenditionKind::Thumb.size(info.width, info.height);
    if info.orientation >= 5 {
        std::mem::swap(&mut width, &mut height);
    }
    let small = resize(&decoded.pixels, width, height)?.into_owned();
    let mut small = DynamicImage::ImageRgb8(flatten(&crate::pyramid::to_eight(small)));
    if let Some(orientation) = Orientation::from_exif(info.orientation) {
        small.apply_orientation(orientation);
    }
    let luma = small.to_luma8();
    Ok(Measurable {
        info,
        mode: mode(&decoded.pixels),
        luma: Some(Luma {
            width: luma.width() as usize,
            height: luma.height() as usize,
            pixels: luma.into_raw(),
        }),
    })
}

/// A small picture in colour, upright, RGB row by row; transparent parts are white.
#[derive(Debug, Clone)]
pub struct SmallRgb {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<u8>,
}

/// Decodes a picture to at most `side` pixels a side. Blocking: run it under a [`crate::DecodePool`].
pub fn small_rgb(source: &Source, limits: &ImageLimits, side: u32) -> Result<SmallRgb> {
    let decoded = decode(source, limits)?;
    let (w, h) = (decoded.pixels.width(), decoded.pixels.height());
    let by = (f64::from(side) / f64::from(w.max(h))).min(1.0);
    let to = |n: u32| ((f64::from(n) * by).round() as u32).max(1);
    let small = resize(&decoded.pixels, to(w), to(h))?.into_owned();
    let mut small = DynamicImage::ImageRgb8(flatten(&crate::pyramid::to_eight(small)));
    if let Some(orientation) = Orientation::from_exif(decoded.info.orientation) {
        small.apply_orientation(orientation);
    }
    let rgb = small.into_rgb8();
    Ok(SmallRgb {
        width: rgb.width() as usize,
        height: rgb.height() as usize,
        pixels: rgb.into_raw(),
    })
}

fn mode(picture: &DynamicImage) -> String {
    let color = picture.color();
    let channels = match color.channel_count() {
        1 => "gray",
        2 => "gray with alpha",
        3 => "rgb",
        _ => "rgba",
    };
    match color.bits_per_pixel() / u16::from(color.channel_count().max(1)) {
        8 => channels.to_owned(),
        bits => format!("{channels}, {bits} bits"),
    }
}
