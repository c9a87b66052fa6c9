//! What a JPEG's markers tell: its frame, and whether the file is whole. Decoders fill a missing rest with grey and call it
//! a success.

use crate::{Result, StorageError};
use image::metadata::Orientation;
use std::io::BufRead;

/// Longest colour profile that is kept.
const ICC_MAX: usize = 64 << 10;

/// A JPEG by its header. Width and height are of the stored picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub width: u32,
    pub height: u32,
    /// Bits a sample.
    pub precision: u8,
    pub components: u8,
    /// Blocks of 8 x 8 a unit of 8 x 8 pixels, of all components, in quarters: 6 for 4:2:0.
    quarters: u32,
    /// One scan holds everything; otherwise all coefficients have to be in memory.
    pub one_scan: bool,
    /// 1..=8.
    pub orientation: u8,
    /// A profile that came in one piece.
    pub icc: Option<Vec<u8>>,
}

impl Frame {
    /// Bytes that decoding row by row takes.
    pub fn memory(&self) -> u64 {
        let rows = u64::from(self.width) * 64 * u64::from(self.components.max(1));
        if self.one_scan {
            return rows;
        }
        rows + u64::from(self.width) * u64::from(self.height) * 2 * u64::from(self.quarters) / 4
    }
}

/// Reads the header up to the first scan.
pub fn frame(r: &mut impl BufRead) -> Result<Frame> {
    let mut found: Option<Frame> = None;
    let (mut orientation, mut icc) = (1, None);
    while let Some(marker) = next_marker(r)? {
        if marker == 0xd9 {
            break;
        }
        if is_alone(marker) {
            continue;
        }
        let body = segment(r)?;
        match marker {
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                found = Some(start_of_frame(marker, &body)?);
            }
            0xe1 => {
                if let Some(o) = body
                    .strip_prefix(b"Exif\0\0")
                    .and_then(Orientation::from_exif_chunk)
                {
                    orientation = o.to_exif();
                }
            }
            0xe2 => {
                if let Some(profile) = body.strip_prefix(b"ICC_PROFILE\0\x01\x01")
                    && profile.len() <= ICC_MAX
                {
                    icc = Some(profile.to_vec());
                }
            }
            0xda => {
                let Some(mut frame) = found else { break };
                frame.one_scan &= body.first() == Some(&frame.components);
                return Ok(Frame {
                    orientation,
                    icc,
                    ..frame
                });
            }
            _ => {}
        }
    }
    Err(StorageError::Truncated("JPEG"))
}

fn start_of_frame(marker: u8, body: &[u8]) -> Result<Frame> {
    let &[precision, h0, h1, w0, w1, components, ref rest @ ..] = body else {
        return Err(StorageError::Truncated("JPEG"));
    };
    let sampling: Vec<(u32, u32)> = rest
        .chunks_exact(3)
        .take(usize::from(components))
        .map(|c| (u32::from(c[1] >> 4), u32::from(c[1] & 15)))
        .collect();
    let (hmax, vmax) = sampling.iter().fold((1, 1), |(h, v), s| (s.0.max(h), s.1.max(v)));
    let quarters = sampling
        .iter()
        .map(|(h, v)| (4 * h * v).div_ceil(hmax * vmax))
        .sum();
    Ok(Frame {
        width: u32::from(u16::from_be_bytes([w0, w1])),
        height: u32::from(u16::from_be_bytes([h0, h1])),
        precision,
        components,
        quarters,
        one_scan: matches!(marker, 0xc0 | 0xc1),
        orientation: 1,
        icc: None,
    })
}

/// Walks the segments and the entropy-coded data up to the end marker. `false`: the file ends before it.
pub fn is_complete(r: &mut impl BufRead) -> Result<bool> {
    // The start marker.
    let mut start = [0; 2];
    if r.read_exact(&mut start).is_err() {
        return Ok(false);
    }
    let mut seen_scan = false;
    while let Some(marker) = next_marker(r)? {
        if marker == 0xd9 {
            return Ok(seen_scan);
        }
        if !is_alone(marker) {
            match segment(r) {
                Ok(_) => {}
                Err(StorageError::Truncated(_)) => return Ok(false),
                Err(e) => return Err(e),
            }
            seen_scan |= marker == 0xda;
        }
    }
    Ok(false)
}

/// Markers without a body.
const fn is_alone(marker: u8) -> bool {
    matches!(marker, 0x01 | 0xd0..=0xd8)
}

/// The body of a segment.
fn segment(r: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut len = [0; 2];
    r.read_exact(&mut len).map_err(cut)?;
    let mut body = vec![0; usize::from(u16::from_be_bytes(len)).saturating_sub(2)];
    r.read_exact(&mut body).map_err(cut)?;
    Ok(body)
}

fn cut(e: std::io::Error) -> StorageError {
    if e.kind() == std::io::ErrorKind::UnexpectedEof {
        StorageError::Truncated("JPEG")
    } else {
        e.into()
    }
}

/// The byte after 0xff of the next marker; passes over stuffed zeros in entropy-coded data. A marker may be padded by any
/// number of 0xff.
fn next_marker(r: &mut impl BufRead) -> Result<Option<u8>> {
    loop {
        let buffer = r.fill_buf()?;
        if buffer.is_empty() {
            return Ok(None);
        }
        let Some(at) = buffer.iter().position(|b| *b == 0xff) else {
            let n = buffer.len();
            r.consume(n);
            continue;
        };
        r.consume(at + 1);
        let mut byte = [0xff];
        while byte[0] == 0xff {
            if r.read(&mut byte)? == 0 {
                return Ok(None);
            }
        }
        if byte[0] != 0 {
            return Ok(Some(byte[0]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_the_end_marker_after_a_scan() {
        let whole = [
            0xff, 0xd8, 0xff, 0xda, 0, 2, 1, 2, 0xff, 0, 3, 0xff, 0xd0, 9, 0xff, 0xff, 0xd9,
        ];
        assert!(is_complete(&mut &whole[..]).unwrap());
        for n in 0..whole.len() {
            assert!(!is_complete(&mut &whole[..n]).unwrap(), "{n}");
        }
        // An end marker inside an embedded preview does not count.
        assert!(!is_complete(&mut &[0xff, 0xd8, 0xff, 0xe1, 0, 4, 0xff, 0xd9][..]).unwrap());
    }

    #[test]
    fn the_frame_tells_what_decoding_takes() {
        let mut jpeg = Vec::new();
        let picture = image::RgbImage::from_pixel(100, 60, image::Rgb([9, 90, 200]));
        image::codecs::jpeg::JpegEncoder::new(&mut jpeg)
            .encode_image(&picture)
            .unwrap();
        let f = frame(&mut &jpeg[..]).unwrap();
        assert_eq!((f.width, f.height, f.components, f.precision), (100, 60, 3, 8));
        assert!(f.one_scan && f.memory() < 100_000);
        let slow = Frame { one_scan: false, ..f };
        assert!(slow.memory() > 100 * 60 * 3);
        for n in [3, 20, 100] {
            assert!(matches!(frame(&mut &jpeg[..n]), Err(StorageError::Truncated(_))));
        }
    }
}
