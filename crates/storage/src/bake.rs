//! Pictures for export: the orientation applied to the pixels, the tag gone.

use crate::decode::{self, Decoded, ImageLimits};
use crate::sniff::ImageKind;
use crate::staged::Source;
use crate::{Result, StorageError, render};
use bytes::Bytes;
use image::codecs::{png, tiff, webp};
use image::metadata::Orientation;
use image::{DynamicImage, ImageEncoder, ImageError};
use std::io::Cursor;

/// Bytes whose pixels lie as the picture is meant to be seen, in the same format.
///
/// Returns `bytes` themselves when there is nothing to turn. JPEG is encoded anew at quality 95, PNG, WebP and TIFF
/// without loss; the same input always gives the same output. Blocking and hungry: run it under a
/// [`crate::DecodePool`].
pub fn bake_orientation(bytes: &Bytes, limits: &ImageLimits) -> Result<Bytes> {
    let source = Source::Bytes(bytes.clone());
    if decode::header(&source, limits)?.orientation == 1 {
        return Ok(bytes.clone());
    }
    let Decoded {
        info,
        mut pixels,
        icc,
    } = decode::decode(&source, limits)?;
    if let Some(orientation) = Orientation::from_exif(info.orientation) {
        pixels.apply_orientation(orientation);
    }
    let mut out = Cursor::new(Vec::new());
    let done = match info.kind {
        ImageKind::Jpeg => return render::encode_jpeg(&pixels, 95, icc.as_deref()).map(Bytes::from),
        ImageKind::Png => write(png::PngEncoder::new(&mut out), &pixels, icc),
        ImageKind::WebP => {
            let rgba = if pixels.color().has_alpha() {
                pixels.to_rgba8().into()
            } else {
                pixels.to_rgb8().into()
            };
            write(webp::WebPEncoder::new_lossless(&mut out), &rgba, icc)
        }
        ImageKind::Tiff => write(tiff::TiffEncoder::new(&mut out), &pixels, icc),
        // These formats have no orientation.
        ImageKind::Gif | ImageKind::Bmp => return Ok(bytes.clone()),
    };
    done.map_err(|e| StorageError::Corrupt {
        kind: info.kind.name(),
        detail: e.to_string(),
    })?;
    Ok(Bytes::from(out.into_inner()))
}

fn write(
    mut encoder: impl ImageEncoder,
    pixels: &DynamicImage,
    icc: Option<Vec<u8>>,
) -> Result<(), ImageError> {
    if let Some(icc) = icc {
        // A profile that cannot be embedded only costs colour accuracy.
        drop(encoder.set_icc_profile(icc));
    }
    encoder.write_image(
        pixels.as_bytes(),
        pixels.width(),
        pixels.height(),
        pixels.color().into(),
    )
}
