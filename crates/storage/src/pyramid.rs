//! Pictures too large to be shown whole, or deeper than a screen: cut into square tiles at full size and at every half
//! of it, once, row by row, so that the picture itself is never in memory.
//!
//! Level 0 is full size; a pixel of level n + 1 is the mean of two by two pixels of level n, fewer at an odd right or
//! bottom edge. All coordinates are of the oriented picture, origin top left. A pyramid is one file and part of the cache
//! of renditions.

mod build;
mod encode;
mod file;
mod jpeg_rows;
mod png_rows;
mod rows;
mod tiff_direct;
mod tiff_rows;

pub(crate) use build::{build, memory};
pub(crate) use encode::to_eight;
pub(crate) use file::{assemble, read_info, read_tile};
pub(crate) use rows::look;
pub(crate) use tiff_rows::header as tiff_header;

/// Side of a tile in pixels; tiles at the right and bottom edge are smaller.
pub const TILE: u32 = 512;

/// How the tiles of a pyramid are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TileFormat {
    /// 8 bits; the source is a JPEG too.
    Jpeg,
    /// 8 bits, without loss.
    Png,
    /// 16 bits: the samples, little-endian, row by row, channels interleaved; compressed with gzip.
    Raw16,
}

impl TileFormat {
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Raw16 => "application/octet-stream",
        }
    }
}

/// What a pyramid holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PyramidInfo {
    /// Of level 0, oriented, in pixels.
    pub width: u32,
    pub height: u32,
    /// Samples a pixel: 1 or 3.
    pub channels: u8,
    /// Bits a sample: 8 or 16.
    pub bits: u8,
    pub format: TileFormat,
    /// Smallest and largest sample of the whole picture; of colour pictures of 8 bits what they may be.
    pub range: (u16, u16),
    /// The samples between which nearly all (99.8 %) lie: what is shown from black to white unless somebody says otherwise.
    pub window: (u16, u16),
}

impl PyramidInfo {
    /// Number of levels; the last one is a single tile.
    pub fn levels(&self) -> u32 {
        levels(self.width, self.height)
    }

    /// Width and height of a level in pixels.
    pub fn level_size(&self, level: u32) -> Option<(u32, u32)> {
        (level < self.levels()).then(|| (half(self.width, level), half(self.height, level)))
    }

    /// Width and height of a tile in pixels; `None`: there is no such tile.
    pub fn tile_size(&self, level: u32, x: u32, y: u32) -> Option<(u32, u32)> {
        let (w, h) = self.level_size(level)?;
        let side = |size: u32, at: u32| {
            let start = at.checked_mul(TILE).filter(|s| *s < size)?;
            Some((size - start).min(TILE))
        };
        Some((side(w, x)?, side(h, y)?))
    }

    /// Place of a tile in the order of the file's index.
    fn index_of(&self, level: u32, x: u32, y: u32) -> Option<u64> {
        self.tile_size(level, x, y)?;
        let mut before = 0;
        for l in 0..level {
            let (w, h) = self.level_size(l)?;
            before += u64::from(w.div_ceil(TILE)) * u64::from(h.div_ceil(TILE));
        }
        let (w, _) = self.level_size(level)?;
        Some(before + u64::from(y) * u64::from(w.div_ceil(TILE)) + u64::from(x))
    }

    /// Number of tiles of all levels.
    pub fn tiles(&self) -> u64 {
        (0..self.levels())
            .filter_map(|l| self.level_size(l))
            .map(|(w, h)| u64::from(w.div_ceil(TILE)) * u64::from(h.div_ceil(TILE)))
            .sum()
    }
}

/// A side at a level, rounded up.
fn half(side: u32, level: u32) -> u32 {
    (u64::from(side).div_ceil(1_u64 << level.min(40))).max(1) as u32
}

fn levels(width: u32, height: u32) -> u32 {
    let mut n = 1;
    while half(width.max(height), n - 1) > TILE {
        n += 1;
    }
    n
}

/// What became of asking for a tile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    Found(Tile),
    /// The pyramid has no tile there.
    NoTile,
    /// There is no pyramid, or not yet.
    NoPyramid,
}

/// A tile as it is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    pub bytes: bytes::Bytes,
    pub format: TileFormat,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(width: u32, height: u32) -> PyramidInfo {
        PyramidInfo {
            width,
            height,
            channels: 3,
            bits: 8,
            format: TileFormat::Png,
            range: (0, 255),
            window: (0, 255),
        }
    }

    #[test]
    fn the_last_level_is_one_tile() {
        for (w, h, levels) in [
            (1, 1, 1),
            (512, 512, 1),
            (513, 1, 2),
            (1024, 1025, 3),
            (30_000, 30_000, 7),
        ] {
            let i = info(w, h);
            assert_eq!(i.levels(), levels, "{w} x {h}");
            let (w, h) = i.level_size(levels - 1).unwrap();
            assert!(w <= TILE && h <= TILE);
            assert_eq!(i.level_size(levels), None);
        }
    }

    #[test]
    fn every_tile_has_its_own_place() {
        let i = info(1_700, 900);
        let mut next = 0;
        for level in 0..i.levels() {
            let (w, h) = i.level_size(level).unwrap();
            for y in 0..h.div_ceil(TILE) {
                for x in 0..w.div_ceil(TILE) {
                    assert_eq!(i.index_of(level, x, y), Some(next));
                    next += 1;
                }
            }
        }
        assert_eq!(next, i.tiles());
        for (level, x, y) in [
            (0, 4, 0),
            (0, 0, 2),
            (9, 0, 0),
            (0, u32::MAX, 0),
            (u32::MAX, 0, u32::MAX),
        ] {
            assert_eq!(i.index_of(level, x, y), None);
        }
    }
}
