//! PNG of any depth as whole numbers, without applying palettes or scaling.

use super::PIXELS_MAX;
use png::{BitDepth, ColorType, Decoder, Limits};
use std::io::Cursor;

/// Samples a pixel at most.
const CHANNELS: u64 = 4;

/// A picture of labels.
pub(crate) struct Decoded {
    pub width: u32,
    pub height: u32,
    pub values: Values,
}

pub(crate) enum Values {
    /// Places in a palette, or grey values.
    Numbers(Vec<u32>),
    /// Red + 256 green + 65536 blue.
    Colors(Vec<u32>),
}

impl Decoded {
    /// Colours, or numbers as they are.
    #[cfg(test)]
    pub fn colors(self) -> Vec<u32> {
        match self.values {
            Values::Numbers(v) | Values::Colors(v) => v,
        }
    }
}

/// Decodes a PNG. `Err`: what stands in the way.
pub(crate) fn decode(bytes: &[u8]) -> Result<Decoded, String> {
    let limits = Limits { bytes: 512 << 20 };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(png::Transformations::IDENTITY);
    let mut reader = decoder
        .read_info()
        .map_err(|e| format!("it is no sound PNG ({e})"))?;
    let info = reader.info();
    let (width, height) = (info.width, info.height);
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > PIXELS_MAX {
        return Err(format!(
            "it has {width} x {height} pixels, more than {PIXELS_MAX} in all"
        ));
    }
    if info.interlaced {
        return Err("it is interlaced; save it without".to_owned());
    }
    let (color, depth) = reader.output_color_type();
    let wide = depth == BitDepth::Sixteen;
    let channels = color.samples();
    if channels as u64 > CHANNELS {
        return Err("it has more than four channels".to_owned());
    }
    let mut values = Vec::with_capacity(pixels as usize);
    while let Some(row) = reader
        .next_row()
        .map_err(|e| format!("its pixels cannot be read ({e})"))?
    {
        let row = row.data();
        match (color, depth) {
            (ColorType::Rgb | ColorType::Rgba, _) => {
                let step = channels * if wide { 2 } else { 1 };
                let sample = |p: &[u8], n: usize| u32::from(p[if wide { 2 * n } else { n }]);
                values.extend(
                    row.chunks_exact(step)
                        .map(|p| sample(p, 0) | sample(p, 1) << 8 | sample(p, 2) << 16),
                );
            }
            (_, BitDepth::Sixteen) => {
                values.extend(
                    row.chunks_exact(channels * 2)
                        .map(|p| u32::from(u16::from_be_bytes([p[0], p[1]]))),
                );
            }
            (_, BitDepth::Eight) => values.extend(row.chunks_exact(channels).map(|p| u32::from(p[0]))),
            (_, BitDepth::One | BitDepth::Two | BitDepth::Four) => {
                let bits = depth as usize;
                for n in 0..width as usize {
                    let shift = 8 - bits - (n * bits) % 8;
                    let byte = row.get(n * bits / 8).copied().unwrap_or_default();
                    values.push(u32::from(byte >> shift) & ((1 << bits) - 1));
                }
            }
        }
    }
    if values.len() as u64 != pixels {
        return Err("it ends before its last row".to_owned());
    }
    let values = match color {
        ColorType::Rgb | ColorType::Rgba => Values::Colors(values),
        _ => Values::Numbers(values),
    };
    Ok(Decoded {
        width,
        height,
        values,
    })
}
