//! Pictures that say for each pixel what it belongs to: composing, writing and reading them in bounded memory.

mod read;

pub(crate) use read::{Decoded, Values, decode};

use limn_domain::Mask;
use std::io::{self, Write as _};

/// Most pixels of a picture of labels; four bytes each while it is made.
pub(crate) const PIXELS_MAX: u64 = 1 << 27;

/// A value for each pixel, row by row; 0 where nothing is.
pub(crate) struct Canvas {
    pub width: u32,
    pub height: u32,
    pub values: Vec<u32>,
}

impl Canvas {
    /// All 0; `None` when the picture is empty or too large.
    pub fn new(width: u32, height: u32) -> Option<Self> {
        let pixels = u64::from(width) * u64::from(height);
        (pixels > 0 && pixels <= PIXELS_MAX).then(|| Self {
            width,
            height,
            values: vec![0; pixels as usize],
        })
    }

    /// Sets the pixels of a mask, over what is there.
    pub fn paint(&mut self, mask: &Mask, value: u32) {
        let Some(pixels) = mask.pixels() else { return };
        for (row, line) in pixels.chunks_exact(mask.width.max(1) as usize).enumerate() {
            let y = mask.y as usize + row;
            if y >= self.height as usize {
                return;
            }
            let from = y * self.width as usize;
            for (column, set) in line.iter().enumerate() {
                let x = mask.x as usize + column;
                if *set != 0 && x < self.width as usize {
                    self.values[from + x] = value;
                }
            }
        }
    }

    /// As a picture of one byte a pixel with a palette of red, green, blue; `None` when a value has no place in it.
    pub fn indexed(&self, palette: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let count = palette.len() as u32 / 3;
        if count > 256 || self.values.iter().any(|v| *v >= count) {
            return Ok(None);
        }
        let how = (png::ColorType::Indexed, png::BitDepth::Eight, Some(palette));
        self.encode(how, |v| [v as u8]).map(Some)
    }

    /// As grey values of 8 bits.
    pub fn grey8(&self) -> io::Result<Vec<u8>> {
        self.encode((png::ColorType::Grayscale, png::BitDepth::Eight, None), |v| {
            [v as u8]
        })
    }

    /// As grey values of 16 bits.
    pub fn grey(&self) -> io::Result<Vec<u8>> {
        let how = (png::ColorType::Grayscale, png::BitDepth::Sixteen, None);
        self.encode(how, |v| (v as u16).to_be_bytes())
    }

    /// As red + 256 green + 65536 blue.
    pub fn rgb(&self) -> io::Result<Vec<u8>> {
        let how = (png::ColorType::Rgb, png::BitDepth::Eight, None);
        self.encode(how, |v| [v as u8, (v >> 8) as u8, (v >> 16) as u8])
    }

    /// Row by row, so that the picture is never there twice.
    fn encode<const N: usize>(
        &self,
        (color, depth, palette): (png::ColorType, png::BitDepth, Option<&[u8]>),
        bytes: impl Fn(u32) -> [u8; N],
    ) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, self.width, self.height);
        encoder.set_color(color);
        encoder.set_depth(depth);
        encoder.set_compression(png::Compression::Fast);
        if let Some(palette) = palette {
            encoder.set_palette(palette);
        }
        let mut writer = encoder.write_header().map_err(io::Error::other)?;
        let mut stream = writer.stream_writer().map_err(io::Error::other)?;
        for row in self.values.chunks_exact(self.width as usize) {
            let row: Vec<u8> = row.iter().flat_map(|v| bytes(*v)).collect();
            stream.write_all(&row)?;
        }
        stream.finish().map_err(io::Error::other)?;
        writer.finish().map_err(io::Error::other)?;
        Ok(out)
    }

    /// The mask of every value but 0, in the order of their values; one walk over the pixels whatever their number.
    pub fn masks(&self) -> Vec<(u32, Mask)> {
        let mut runs: std::collections::BTreeMap<u32, Runs> = std::collections::BTreeMap::new();
        let (width, height) = (self.width as usize, self.height as usize);
        for x in 0..width {
            let (mut y, mut at) = (0, x);
            while y < height {
                let value = self.values[at];
                let from = y;
                while y < height && self.values[at] == value {
                    y += 1;
                    at += width;
                }
                if value != 0 {
                    let begin = (x * height + from) as u64;
                    runs.entry(value)
                        .or_default()
                        .add(begin, begin + (y - from) as u64);
                }
            }
        }
        let pixels = u64::from(self.width) * u64::from(self.height);
        runs.into_iter()
            .filter_map(|(value, mut runs)| {
                runs.counts.push(pixels - runs.end);
                Some((
                    value,
                    Mask::from_runs(self.width, self.height, &runs.counts).ok()?,
                ))
            })
            .collect()
    }
}

/// COCO's runs of one value, under way.
#[derive(Default)]
struct Runs {
    counts: Vec<u64>,
    end: u64,
}

impl Runs {
    fn add(&mut self, from: u64, to: u64) {
        match self.counts.last_mut() {
            Some(last) if self.end == from => *last += to - from,
            _ => self.counts.extend([from - self.end, to - from]),
        }
        self.end = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn painted_and_read_again() {
        let mut canvas = Canvas::new(4, 3).unwrap();
        let below = Mask::from_pixels(0, 0, 3, 3, &[1; 9]).unwrap();
        let above = Mask::from_pixels(2, 1, 2, 2, &[1, 1, 0, 1]).unwrap();
        canvas.paint(&below, 1);
        canvas.paint(&above, 70_000);
        let back = Canvas {
            width: 4,
            height: 3,
            values: decode(&canvas.rgb().unwrap()).unwrap().colors(),
        };
        assert_eq!(back.values, canvas.values);
        let masks = back.masks();
        assert_eq!(masks[0], (1, below.subtract(&above).unwrap()));
        assert_eq!(masks[1], (70_000, above));
        assert!(canvas.indexed(&[0, 0, 0, 9, 9, 9]).unwrap().is_none());
        assert!(Canvas::new(u32::MAX, u32::MAX).is_none() && Canvas::new(0, 4).is_none());
    }
}
