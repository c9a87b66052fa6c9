//! Cutting a picture into tiles, level by level, while its rows come in.
//!
//! Everything happens in the stored picture's frame: a level keeps one row of tiles, and hands each pair of rows on to the
//! next level as their mean. Only a finished tile is turned to the oriented frame. Where the orientation mirrors an axis the
//! first tile of the stored frame is the short one, so that the tiles of the oriented frame come out right.

use super::encode::{Encoding, TileSample};
use super::file::Writer;
use super::rows::{self, AnyRows, Opened, Rows, Sample};
use super::{PyramidInfo, TILE, TileFormat, levels};
use crate::decode::{ImageInfo, ImageLimits};
use crate::staged::Source;
use crate::{Result, StorageError, jpeg, sniff::ImageKind};
use std::fs::File;

/// Rows between two reports of progress.
const REPORT: u32 = 64;
/// The share of samples, in thousandths, left out of the window at either end.
const TAIL: u64 = 1;

/// Bytes that building takes for rows of so many pixels, besides reading.
pub(crate) fn memory(longest: u32, channels: usize, bits: u8) -> u64 {
    let row = u64::from(longest) * channels as u64 * u64::from(bits / 8);
    // One row of tiles for each level, each half as wide as the one before; and the encoded tiles of one.
    row * u64::from(TILE) * 5 / 2 + (16 << 20)
}

/// Writes the pyramid of a picture into `out`, an empty file. `report` gets rows done of all and answers whether to go on.
/// Blocking; about [`memory`] bytes beside what reading takes.
pub(crate) fn build(
    source: &Source,
    info: &ImageInfo,
    limits: &ImageLimits,
    out: File,
    report: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<PyramidInfo> {
    let opened = rows::open(source, info, limits)?;
    let turned = Turned::of(info.orientation);
    let (width, height) = turned.size(opened.width, opened.height);
    if (width, height) != (info.width, info.height) {
        return Err(StorageError::Corrupt {
            kind: info.kind.name(),
            detail: "two readings of its size differ".to_owned(),
        });
    }
    let bits = opened.bits();
    let format = match bits {
        16 => TileFormat::Raw16,
        _ if opened.lossy => TileFormat::Jpeg,
        _ => TileFormat::Png,
    };
    let icc = match info.kind {
        ImageKind::Jpeg => jpeg::frame(&mut source.reader()?)?.icc,
        _ => None,
    };
    let pyramid = PyramidInfo {
        width,
        height,
        channels: opened.channels as u8,
        bits,
        format,
        range: (0, if bits == 16 { u16::MAX } else { 255 }),
        window: (0, if bits == 16 { u16::MAX } else { 255 }),
    };
    let writer = Writer::new(out, pyramid)?;
    let encoding = Encoding { format, icc };
    let Opened {
        width,
        height,
        channels,
        rows,
        ..
    } = opened;
    let shape = (width, height, channels);
    match rows {
        AnyRows::Eight(rows) => run(rows, shape, turned, writer, &encoding, report),
        AnyRows::Sixteen(rows) => run(rows, shape, turned, writer, &encoding, report),
    }
}

fn run<S: TileSample>(
    mut rows: Box<dyn Rows<S>>,
    (width, height, channels): (u32, u32, usize),
    turned: Turned,
    writer: Writer,
    encoding: &Encoding,
    report: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<PyramidInfo> {
    let counts = channels == 1 || S::MAX > 255;
    let mut histogram = vec![0_u64; if counts { S::MAX as usize + 1 } else { 0 }];
    let mut cutter = Cutter::<S>::new(width, height, channels, turned, writer, encoding);
    let mut row = vec![S::default(); width as usize * channels];
    for y in 0..height {
        if y % REPORT == 0 && !report(u64::from(y), u64::from(height)) {
            return Err(StorageError::Stopped);
        }
        rows.next(&mut row)?;
        if counts {
            for v in &row {
                histogram[Into::<u32>::into(*v) as usize] += 1;
            }
        }
        cutter.push(0, &row)?;
    }
    rows.finish()?;
    let mut writer = cutter.writer;
    if counts {
        writer.info.range = span(&histogram, 0);
        writer.info.window = window(&histogram, channels, S::MAX as u16);
    }
    writer.finish()
}

/// The values between which all but `tail` thousandths at either end lie.
fn span(histogram: &[u64], tail: u64) -> (u16, u16) {
    let total: u64 = histogram.iter().sum();
    let skip = total * tail / 1000;
    let find = |values: &mut dyn Iterator<Item = (usize, &u64)>| {
        let mut seen = 0;
        for (v, n) in values {
            seen += n;
            if seen > skip {
                return v as u16;
            }
        }
        0
    };
    let low = find(&mut histogram.iter().enumerate());
    let high = find(&mut histogram.iter().enumerate().rev());
    (low, high.max(low))
}

/// What is shown at first: of a single channel nearly all values; of colours everything, unless only a small part of what is
/// possible is used.
pub(super) fn window(histogram: &[u64], channels: usize, max: u16) -> (u16, u16) {
    if max == 255 {
        return (0, 255);
    }
    let (low, high) = span(histogram, TAIL);
    // One value all over has no contrast to show.
    if high == low {
        return (0, max);
    }
    if channels == 1 {
        (low, high)
    } else if high < max / 4 {
        (0, high)
    } else {
        (0, max)
    }
}

/// What an EXIF orientation does: mirrors axes of the stored picture, then swaps them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turned {
    mirror_x: bool,
    mirror_y: bool,
    swap: bool,
}

impl Turned {
    pub const fn of(orientation: u8) -> Self {
        let (mirror_x, mirror_y, swap) = match orientation {
            2 => (true, false, false),
            3 => (true, true, false),
            4 => (false, true, false),
            5 => (false, false, true),
            6 => (false, true, true),
            7 => (true, true, true),
            8 => (true, false, true),
            _ => (false, false, false),
        };
        Self {
            mirror_x,
            mirror_y,
            swap,
        }
    }

    const fn size(self, width: u32, height: u32) -> (u32, u32) {
        if self.swap {
            (height, width)
        } else {
            (width, height)
        }
    }

    /// A part of the stored picture, turned.
    fn apply<S: Sample>(self, tile: Vec<S>, width: usize, height: usize, channels: usize) -> Vec<S> {
        if self == Self::of(1) {
            return tile;
        }
        let mut out = vec![S::default(); tile.len()];
        let out_width = if self.swap { height } else { width };
        for (y, row) in tile.chunks_exact(width * channels).enumerate() {
            for (x, pixel) in row.chunks_exact(channels).enumerate() {
                let mx = if self.mirror_x { width - 1 - x } else { x };
                let my = if self.mirror_y { height - 1 - y } else { y };
                let (ox, oy) = if self.swap { (my, mx) } else { (mx, my) };
                let at = (oy * out_width + ox) * channels;
                out[at..at + channels].copy_from_slice(pixel);
            }
        }
        out
    }
}

/// One side of a level in the stored frame.
#[derive(Debug, Clone, Copy)]
struct Axis {
    size: usize,
    mirrored: bool,
}

impl Axis {
    /// Tiles in stored order: start, length, place in the oriented frame.
    fn spans(self) -> Vec<(usize, usize, u32)> {
        let tile = TILE as usize;
        let n = self.size.div_ceil(tile);
        (0..n)
            .map(|i| {
                let k = if self.mirrored { n - 1 - i } else { i };
                let (from, to) = (k * tile, ((k + 1) * tile).min(self.size));
                let start = if self.mirrored { self.size - to } else { from };
                (start, to - from, k as u32)
            })
            .collect()
    }

    /// The first pixel has no partner.
    const fn leads_alone(self) -> bool {
        self.mirrored && self.size % 2 == 1
    }

    const fn half(self) -> Self {
        Self {
            size: self.size.div_ceil(2),
            mirrored: self.mirrored,
        }
    }
}

/// What a level holds between two rows.
struct Level<S> {
    x: Axis,
    y: Axis,
    columns: Vec<(usize, usize, u32)>,
    lines: Vec<(usize, usize, u32)>,
    /// The row of tiles being filled, of `lines`.
    line: usize,
    band: Vec<S>,
    /// Rows seen.
    seen: usize,
    /// A row that waits for its partner.
    waiting: Option<Vec<S>>,
}

struct Cutter<'a, S> {
    levels: Vec<Level<S>>,
    channels: usize,
    turned: Turned,
    writer: Writer,
    encoding: &'a Encoding,
    threads: usize,
}

impl<'a, S: TileSample> Cutter<'a, S> {
    fn new(
        width: u32,
        height: u32,
        channels: usize,
        turned: Turned,
        writer: Writer,
        encoding: &'a Encoding,
    ) -> Self {
        let mut x = Axis {
            size: width as usize,
            mirrored: turned.mirror_x,
        };
        let mut y = Axis {
            size: height as usize,
            mirrored: turned.mirror_y,
        };
        let levels = (0..levels(width, height))
            .map(|_| {
                let level = Level {
                    x,
                    y,
                    columns: x.spans(),
                    lines: y.spans(),
                    line: 0,
                    band: Vec::new(),
                    seen: 0,
                    waiting: None,
                };
                (x, y) = (x.half(), y.half());
                level
            })
            .collect();
        Self {
            levels,
            channels,
            turned,
            writer,
            encoding,
            threads: std::thread::available_parallelism().map_or(1, usize::from).min(8),
        }
    }

    /// Takes the next row of a level.
    fn push(&mut self, at: usize, row: &[S]) -> Result<()> {
        let is_last_level = at + 1 == self.levels.len();
        let channels = self.channels;
        let level = &mut self.levels[at];
        level.band.extend_from_slice(row);
        level.seen += 1;
        let half = if is_last_level {
            None
        } else {
            let first_alone = level.seen == 1 && level.y.leads_alone();
            match level.waiting.take() {
                Some(above) => Some(mean(&above, row, level.x, channels)),
                None if first_alone || level.seen == level.y.size => Some(mean(row, row, level.x, channels)),
                None => {
                    level.waiting = Some(row.to_vec());
                    None
                }
            }
        };
        let full = level
            .lines
            .get(level.line)
            .is_some_and(|(_, n, _)| level.band.len() == n * level.x.size * channels);
        if full {
            self.flush(at)?;
        }
        match half {
            Some(half) => self.push(at + 1, &half),
            None => Ok(()),
        }
    }

    /// Encodes a row of tiles, several at once, and writes them.
    fn flush(&mut self, at: usize) -> Result<()> {
        let level = &mut self.levels[at];
        let band = std::mem::take(&mut level.band);
        let (_, rows, line) = level.lines[level.line];
        level.line += 1;
        let (columns, stride, channels) = (&level.columns, level.x.size * self.channels, self.channels);
        let (turned, encoding) = (self.turned, self.encoding);
        let one = |&(start, width, column): &(usize, usize, u32)| -> Result<(u32, u32, Vec<u8>)> {
            let mut tile = Vec::with_capacity(width * rows * channels);
            for row in band.chunks_exact(stride) {
                tile.extend_from_slice(&row[start * channels..(start + width) * channels]);
            }
            let tile = turned.apply(tile, width, rows, channels);
            let (w, h) = turned.size(width as u32, rows as u32);
            let (x, y) = if turned.swap {
                (line, column)
            } else {
                (column, line)
            };
            Ok((x, y, S::encode(&tile, w, h, channels, encoding)?))
        };
        let one = &one;
        for some in columns.chunks(self.threads * 4) {
            let parts: Vec<Result<Vec<_>>> = std::thread::scope(|scope| {
                let workers: Vec<_> = some
                    .chunks(some.len().div_ceil(self.threads))
                    .map(|part| scope.spawn(move || part.iter().map(one).collect::<Result<Vec<_>>>()))
                    .collect();
                workers
                    .into_iter()
                    .map(|w| w.join().unwrap_or(Err(StorageError::Stopped)))
                    .collect()
            });
            for part in parts {
                for (x, y, bytes) in part? {
                    self.writer.put(at as u32, x, y, &bytes)?;
                }
            }
        }
        // The memory serves the next row of tiles.
        let mut band = band;
        band.clear();
        self.levels[at].band = band;
        Ok(())
    }
}

/// The mean of two rows, two by two pixels each; one that has no partner counts twice.
fn mean<S: Sample>(above: &[S], below: &[S], axis: Axis, channels: usize) -> Vec<S> {
    let lead = usize::from(axis.leads_alone());
    let n = axis.size.div_ceil(2);
    let mut out = Vec::with_capacity(n * channels);
    for i in 0..n {
        let left = (2 * i).saturating_sub(lead);
        let right = if i == 0 && lead == 1 {
            0
        } else {
            (left + 1).min(axis.size - 1)
        };
        let (l, r) = (left * channels, right * channels);
        for c in 0..channels {
            let sum: u32 =
                above[l + c].into() + above[r + c].into() + below[l + c].into() + below[r + c].into();
            out.push(S::from_u32((sum + 2) / 4));
        }
    }
    out
}
