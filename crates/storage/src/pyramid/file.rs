//! The file of a pyramid: a header of 64 bytes, the tiles one after another, and where each of them lies. The header is
//! written last and the file renamed into place when it is whole.

use super::{Asked, PyramidInfo, TILE, Tile, TileFormat, encode};
use crate::{Result, StorageError};
use bytes::Bytes;
use image::{DynamicImage, GenericImage as _};
use std::fs::File;
use std::io::{BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

const MAGIC: &[u8; 8] = b"LIMNPYR1";
const HEADER: u64 = 64;
/// Bytes of an entry of the index: where the tile begins, and its length.
const ENTRY: u64 = 12;

/// Takes tiles in any order.
pub(super) struct Writer {
    file: BufWriter<File>,
    pub info: PyramidInfo,
    index: Vec<(u64, u32)>,
    at: u64,
}

impl Writer {
    pub fn new(file: File, info: PyramidInfo) -> Result<Self> {
        let mut file = BufWriter::with_capacity(1 << 20, file);
        file.write_all(&[0; HEADER as usize])?;
        let tiles =
            usize::try_from(info.tiles()).map_err(|e| StorageError::from(std::io::Error::other(e)))?;
        Ok(Self {
            file,
            info,
            index: vec![(0, 0); tiles],
            at: HEADER,
        })
    }

    pub fn put(&mut self, level: u32, x: u32, y: u32, tile: &[u8]) -> Result<()> {
        let place = self
            .info
            .index_of(level, x, y)
            .and_then(|i| self.index.get_mut(usize::try_from(i).ok()?));
        let (Some(place), Ok(len)) = (place, u32::try_from(tile.len())) else {
            return Err(StorageError::from(std::io::Error::other("a tile has no place")));
        };
        *place = (self.at, len);
        self.at += u64::from(len);
        Ok(self.file.write_all(tile)?)
    }

    /// Writes index and header; durable when it returns.
    pub fn finish(mut self) -> Result<PyramidInfo> {
        if self.index.iter().any(|(_, len)| *len == 0) {
            return Err(StorageError::Truncated("picture"));
        }
        for (at, len) in &self.index {
            self.file.write_all(&at.to_le_bytes())?;
            self.file.write_all(&len.to_le_bytes())?;
        }
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&header(&self.info, self.at))?;
        self.file.flush()?;
        self.file.get_ref().sync_all()?;
        Ok(self.info)
    }
}

fn header(info: &PyramidInfo, index: u64) -> Vec<u8> {
    let format = match info.format {
        TileFormat::Jpeg => 1,
        TileFormat::Png => 2,
        TileFormat::Raw16 => 3,
    };
    let mut h = MAGIC.to_vec();
    h.extend(info.width.to_le_bytes());
    h.extend(info.height.to_le_bytes());
    h.extend(index.to_le_bytes());
    h.extend([info.channels, info.bits, format, 0]);
    for v in [info.range.0, info.range.1, info.window.0, info.window.1] {
        h.extend(v.to_le_bytes());
    }
    h.resize(HEADER as usize, 0);
    h
}

/// A pyramid opened for reading.
struct Reader {
    file: File,
    info: PyramidInfo,
    index: u64,
}

/// `None`: there is no pyramid, or none that can be used; it has to be made.
fn open(path: &Path) -> Result<Option<Reader>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e.into()),
    };
    let mut h = [0; HEADER as usize];
    if file.read_exact(&mut h).is_err() || &h[..8] != MAGIC {
        return Ok(None);
    }
    let four = |at: usize| u32::from_le_bytes([h[at], h[at + 1], h[at + 2], h[at + 3]]);
    let two = |at: usize| u16::from_le_bytes([h[at], h[at + 1]]);
    let index = u64::from(four(16)) | u64::from(four(20)) << 32;
    let info = PyramidInfo {
        width: four(8),
        height: four(12),
        channels: h[24],
        bits: h[25],
        format: match h[26] {
            1 => TileFormat::Jpeg,
            2 => TileFormat::Png,
            3 => TileFormat::Raw16,
            _ => return Ok(None),
        },
        range: (two(28), two(30)),
        window: (two(32), two(34)),
    };
    let whole = info.width > 0
        && info.height > 0
        && index.checked_add(info.tiles() * ENTRY) == Some(file.metadata()?.len());
    Ok(whole.then_some(Reader { file, info, index }))
}

impl Reader {
    fn tile(&mut self, level: u32, x: u32, y: u32) -> Result<Option<Vec<u8>>> {
        let Some(i) = self.info.index_of(level, x, y) else {
            return Ok(None);
        };
        self.file.seek(SeekFrom::Start(self.index + i * ENTRY))?;
        let mut entry = [0; ENTRY as usize];
        self.file.read_exact(&mut entry)?;
        let [a @ .., l0, l1, l2, l3] = entry;
        let (at, len) = (u64::from_le_bytes(a), u32::from_le_bytes([l0, l1, l2, l3]));
        if at < HEADER || at.checked_add(u64::from(len)).is_none_or(|end| end > self.index) {
            return Err(StorageError::Truncated("tile"));
        }
        self.file.seek(SeekFrom::Start(at))?;
        let mut bytes = vec![0; len as usize];
        self.file.read_exact(&mut bytes)?;
        Ok(Some(bytes))
    }
}

/// What a pyramid holds, if it is there whole. Blocking, brief.
pub(crate) fn read_info(path: &Path) -> Result<Option<PyramidInfo>> {
    Ok(open(path)?.map(|r| r.info))
}

/// A tile of a pyramid. Blocking, brief.
pub(crate) fn read_tile(path: &Path, level: u32, x: u32, y: u32) -> Result<Asked> {
    let Some(mut reader) = open(path)? else {
        return Ok(Asked::NoPyramid);
    };
    let format = reader.info.format;
    Ok(match reader.tile(level, x, y)? {
        Some(bytes) => Asked::Found(Tile {
            bytes: Bytes::from(bytes),
            format,
        }),
        None => Asked::NoTile,
    })
}

/// The largest level of at most `max_side` pixels as one picture, 8 bits.
pub(crate) fn assemble(path: &Path, max_side: u32) -> Result<Option<DynamicImage>> {
    let Some(mut reader) = open(path)? else {
        return Ok(None);
    };
    let info = reader.info;
    let fits = |l: &u32| {
        info.level_size(*l)
            .is_some_and(|(w, h)| w.max(h) <= max_side.max(TILE))
    };
    let level = (0..info.levels()).find(fits).unwrap_or(info.levels() - 1);
    let Some((width, height)) = info.level_size(level) else {
        return Ok(None);
    };
    let mut whole = if info.channels == 1 {
        DynamicImage::new_luma8(width, height)
    } else {
        DynamicImage::new_rgb8(width, height)
    };
    for y in 0..height.div_ceil(TILE) {
        for x in 0..width.div_ceil(TILE) {
            let (Some(bytes), Some(size)) = (reader.tile(level, x, y)?, info.tile_size(level, x, y)) else {
                return Err(StorageError::Truncated("tile"));
            };
            let tile = encode::decode(&bytes, &info, size)?;
            let (x, y) = (x * TILE, y * TILE);
            let copied = match (&mut whole, &tile) {
                (DynamicImage::ImageLuma8(to), DynamicImage::ImageLuma8(from)) => to.copy_from(from, x, y),
                (DynamicImage::ImageRgb8(to), DynamicImage::ImageRgb8(from)) => to.copy_from(from, x, y),
                _ => return Err(StorageError::Truncated("tile")),
            };
            copied.map_err(|_| StorageError::Truncated("tile"))?;
        }
    }
    Ok(Some(whole))
}
