//! Label Studio's run lengths of masks: a stream of bits (`encode_rle` and `decode_rle` in `brush.py` of
//! github.com/HumanSignal/label-studio-sdk, after thi.ng/rle-pack) over four equal channels a pixel, row by row.
//!
//! 32 bits with the number of values, 5 with the width of a value less one, four times 4 with the widths of lengths less
//! one; then a bit that says whether one value repeats, two that choose a width, a length less one, and the value or values.

use crate::pixels::PIXELS_MAX;
use limn_domain::Mask;

const CHANNELS: u64 = 4;
const WIDTHS: [u32; 4] = [3, 4, 8, 16];
const VALUE_BITS: u32 = 8;

#[derive(Default)]
struct BitsOut {
    bytes: Vec<u8>,
    used: u32,
}

impl BitsOut {
    fn push(&mut self, value: u64, bits: u32) {
        for n in (0..bits).rev() {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> n & 1) as u8) << (7 - self.used % 8);
            }
            self.used += 1;
        }
    }

    fn run(&mut self, mut len: u64, value: u64) {
        while len > 0 {
            let part = len.min(1 << 16);
            let choice = WIDTHS.iter().position(|w| part <= 1 << w).unwrap_or(3);
            self.push(1, 1);
            self.push(choice as u64, 2);
            self.push(part - 1, WIDTHS[choice]);
            self.push(value, VALUE_BITS);
            len -= part;
        }
    }
}

/// A mask over an image of that size; `None` when it is too large.
pub(super) fn write(mask: &Mask, width: u32, height: u32) -> Option<Vec<u8>> {
    let total = u64::from(width) * u64::from(height);
    let values = u32::try_from(total * CHANNELS).ok()?;
    let pixels = mask.pixels()?;
    let mut out = BitsOut::default();
    out.push(u64::from(values), 32);
    out.push(u64::from(VALUE_BITS - 1), 5);
    for w in WIDTHS {
        out.push(u64::from(w - 1), 4);
    }
    // Where the mask changes along the rows of the whole image.
    let (mut at, mut value) = (0_u64, 0_u64);
    let mut change = |to: u64, next: u64| {
        if next != value {
            out.run((to - at) * CHANNELS, value);
            (at, value) = (to, next);
        }
    };
    for (row, line) in pixels.chunks_exact(mask.width.max(1) as usize).enumerate() {
        let start = (u64::from(mask.y) + row as u64) * u64::from(width) + u64::from(mask.x);
        for (column, p) in line.iter().enumerate() {
            change(start + column as u64, if *p != 0 { 255 } else { 0 });
        }
        change(start + u64::from(mask.width), 0);
    }
    let (at, value) = (at, value);
    out.run(total.saturating_sub(at) * CHANNELS, value);
    Some(out.bytes)
}

struct BitsIn<'a> {
    bytes: &'a [u8],
    at: u64,
}

impl BitsIn<'_> {
    fn take(&mut self, bits: u32) -> Option<u64> {
        let mut value = 0;
        for _ in 0..bits {
            let byte = *self.bytes.get(usize::try_from(self.at / 8).ok()?)?;
            value = value << 1 | u64::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }
}

/// The mask of such bits for an image of that size. `Err`: why there is none.
pub(super) fn read(bytes: &[u8], width: u32, height: u32) -> Result<Mask, &'static str> {
    const SHORT: &str = "The mask's rle ends early.";
    let total = u64::from(width) * u64::from(height);
    if total == 0 || total > PIXELS_MAX {
        return Err("The image is empty, or too large for a mask.");
    }
    let mut bits = BitsIn { bytes, at: 0 };
    let values = bits.take(32).ok_or(SHORT)?;
    if values != total * CHANNELS {
        return Err("The mask's rle is for an image of another size.");
    }
    let value_bits = bits.take(5).ok_or(SHORT)? as u32 + 1;
    let mut widths = [0; 4];
    for w in &mut widths {
        *w = bits.take(4).ok_or(SHORT)? as u32 + 1;
    }
    let mut pixels = vec![0_u8; total as usize];
    let mut at = 0;
    while at < values {
        let repeats = bits.take(1).ok_or(SHORT)? == 1;
        let choice = bits.take(2).ok_or(SHORT)? as usize;
        let end = (at + 1 + bits.take(widths[choice]).ok_or(SHORT)?).min(values);
        if repeats {
            if bits.take(value_bits).ok_or(SHORT)? > 0 {
                // The last of the four channels says whether the pixel is set.
                let (from, to) = (at / CHANNELS, end / CHANNELS);
                pixels[from as usize..to as usize].fill(1);
            }
            at = end;
        } else {
            while at < end {
                if bits.take(value_bits).ok_or(SHORT)? > 0 && at % CHANNELS == CHANNELS - 1 {
                    pixels[(at / CHANNELS) as usize] = 1;
                }
                at += 1;
            }
        }
    }
    Mask::from_pixels(0, 0, width, height, &pixels).ok_or("The mask is empty.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_as_label_studio_packs_them() {
        // encode_rle([0] * 4 + [255] * 4) of Label Studio's brush.py: one run of four 0, one of four 255.
        let mask = Mask::from_pixels(1, 0, 1, 1, &[1]).unwrap();
        let bytes = write(&mask, 2, 1).unwrap();
        assert_eq!(bytes[..4], [0, 0, 0, 8]);
        assert_eq!(read(&bytes, 2, 1).unwrap(), mask);
        let wide = Mask::from_pixels(3, 1, 700, 200, &vec![1; 140_000]).unwrap();
        assert_eq!(read(&write(&wide, 800, 300).unwrap(), 800, 300).unwrap(), wide);
        assert!(read(&bytes, 3, 1).is_err() && read(&bytes[..8], 2, 1).is_err() && read(&[], 2, 1).is_err());
        assert!(read(&bytes, u32::MAX, u32::MAX).is_err());
    }
}
