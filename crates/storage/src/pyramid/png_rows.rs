//! PNG by rows.

use super::rows::{AnyRows, Opened, Rows, Sample, of_image, over_white, unread};
use crate::decode::{self, ImageLimits};
use crate::staged::{ReadSeek, Source};
use crate::{Result, StorageError};
use png::{BitDepth, ColorType, DecodingError, Transformations};
use std::io::BufReader;

type Reader = png::Reader<BufReader<Box<dyn ReadSeek>>>;

struct PngRows {
    reader: Reader,
    /// The row as it comes, big-endian.
    row: Vec<u8>,
    /// Samples a pixel as they come, and whether the last says how opaque it is.
    samples: usize,
    alpha: bool,
}

/// `peek`: nothing is going to be read.
pub(crate) fn open(source: &Source, limits: &ImageLimits, peek: bool) -> Result<Opened> {
    let mut decoder = png::Decoder::new_with_limits(
        source.reader()?,
        png::Limits {
            bytes: usize::try_from(limits.max_alloc).unwrap_or(usize::MAX),
        },
    );
    decoder.set_transformations(Transformations::EXPAND);
    decoder.set_ignore_text_chunk(true);
    let reader = decoder.read_info().map_err(refusal)?;
    let info = reader.info();
    let (width, height) = (info.width, info.height);
    let (color, depth) = reader.output_color_type();
    let (samples, alpha, channels) = match color {
        ColorType::Grayscale => (1, false, 1),
        ColorType::GrayscaleAlpha => (2, true, 1),
        ColorType::Rgb | ColorType::Indexed => (3, false, 3),
        ColorType::Rgba => (4, true, 3),
    };
    if reader.info().interlaced {
        let needed = reader.output_buffer_size().map_or(u64::MAX, |n| n as u64);
        if needed > limits.max_alloc {
            return Err(StorageError::Unwieldy(
                "a PNG of this size cannot be read row by row while it is interlaced; save it without interlacing."
                    .to_owned(),
            ));
        }
        if peek {
            return Ok(unread(width, height, channels, depth as u8, needed));
        }
        let decoded = decode::decode(source, limits)?;
        return Ok(Opened {
            memory: needed,
            ..of_image(decoded.pixels, false)
        });
    }
    let size = reader
        .output_line_size(width)
        .ok_or_else(|| corrupt("its rows are too long"))?;
    let rows = PngRows {
        reader,
        row: vec![0; size],
        samples,
        alpha,
    };
    Ok(Opened {
        width,
        height,
        channels,
        rows: if depth == BitDepth::Sixteen {
            AnyRows::Sixteen(Box::new(rows))
        } else {
            AnyRows::Eight(Box::new(rows))
        },
        memory: 4 * size as u64,
        lossy: false,
    })
}

impl PngRows {
    fn read(&mut self) -> Result<()> {
        match self.reader.read_row(&mut self.row) {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(StorageError::Truncated("PNG")),
            Err(e) => Err(refusal(e)),
        }
    }

    fn convert<S: Sample>(&self, given: &[S], row: &mut [S]) {
        if self.alpha {
            let channels = self.samples - 1;
            for (from, to) in given
                .chunks_exact(self.samples)
                .zip(row.chunks_exact_mut(channels))
            {
                over_white(from, to);
            }
        } else {
            row.copy_from_slice(given);
        }
    }
}

impl Rows<u8> for PngRows {
    fn next(&mut self, row: &mut [u8]) -> Result<()> {
        self.read()?;
        self.convert(&self.row, row);
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        self.reader.finish().map_err(refusal)
    }
}

impl Rows<u16> for PngRows {
    fn next(&mut self, row: &mut [u16]) -> Result<()> {
        self.read()?;
        let given: Vec<u16> = self
            .row
            .chunks_exact(2)
            .map(|b| u16::from_be_bytes([b[0], b[1]]))
            .collect();
        if self.alpha {
            // A measured value stays what it is, however opaque.
            let n = self.samples;
            for (from, to) in given.chunks_exact(n).zip(row.chunks_exact_mut(n - 1)) {
                to.copy_from_slice(&from[..n - 1]);
            }
        } else {
            row.copy_from_slice(&given);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        self.reader.finish().map_err(refusal)
    }
}

fn corrupt(detail: &str) -> StorageError {
    StorageError::Corrupt {
        kind: "PNG",
        detail: detail.to_owned(),
    }
}

fn refusal(e: DecodingError) -> StorageError {
    match e {
        DecodingError::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            StorageError::Truncated("PNG")
        }
        DecodingError::IoError(e) => e.into(),
        e => corrupt(&crate::error::plain(&e.to_string())),
    }
}
