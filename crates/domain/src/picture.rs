//! How the picture of an item is shown: whole, or by tiles.

use serde::{Deserialize, Serialize};

/// How an item's picture can be shown right now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Picture {
    /// By its renditions; it has no tiles.
    Whole,
    /// It is being cut into tiles; ask again in a moment. Rows of pixels done of all, 0 of 0 while it waits.
    Making { done: i64, total: i64 },
    /// It cannot be cut into tiles, for this reason.
    Failed { message: String },
    /// By tiles.
    Tiled(Pyramid),
}

/// How the bytes of a tile are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum TileFormat {
    Jpeg,
    Png,
    /// Samples of 16 bits, little-endian, row by row, channels interleaved.
    Raw16,
}

/// The tiles of a picture: `/media/items/{item_id}/tiles/{level}/{x}/{y}`. Level 0 is full size, each further level half of
/// the one before (rounded up), down to a level of one tile. All in pixels of the oriented picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pyramid {
    pub width: u32,
    pub height: u32,
    /// Side of a tile; those at the right and bottom edge are smaller.
    pub tile: u32,
    pub levels: u32,
    /// Samples a pixel: 1 or 3.
    pub channels: u8,
    /// Bits a sample: 8 or 16.
    pub bits: u8,
    pub format: TileFormat,
    /// Smallest and largest sample.
    pub range: [u16; 2],
    /// What is shown from black to white unless somebody says otherwise.
    pub window: [u16; 2],
}

/// A tile's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TileAt {
    pub level: u32,
    pub x: u32,
    pub y: u32,
}

impl Pyramid {
    /// Width and height of a level in pixels.
    pub fn level_size(&self, level: u32) -> (u32, u32) {
        let half = |side: u32| u64::from(side).div_ceil(1_u64 << level.min(40)).max(1) as u32;
        (half(self.width), half(self.height))
    }

    /// The level for a view of `scale` screen pixels a pixel of the picture: the coarsest that is not stretched.
    pub fn level_for(&self, scale: f64) -> u32 {
        if !(scale.is_finite() && scale > 0.0) {
            return self.levels.saturating_sub(1);
        }
        let level = (1.0 / scale).log2().floor().max(0.0);
        (level.min(f64::from(u32::MAX)) as u32).min(self.levels.saturating_sub(1))
    }

    /// The tiles of a level that a window (left, top, right, bottom in pixels of the picture) touches.
    pub fn tiles_in(&self, level: u32, window: [f64; 4]) -> Vec<TileAt> {
        let (w, h) = self.level_size(level);
        let side = f64::from(self.tile.max(1)) * f64::from(level.min(40)).exp2();
        let span = |from: f64, to: f64, size: u32| {
            let n = size.div_ceil(self.tile.max(1));
            let first = (from / side).floor().clamp(0.0, f64::from(n)) as u32;
            let end = (to / side).ceil().clamp(0.0, f64::from(n)) as u32;
            first..end
        };
        let columns = span(window[0], window[2], w);
        span(window[1], window[3], h)
            .flat_map(|y| columns.clone().map(move |x| TileAt { level, x, y }))
            .collect()
    }

    /// What a tile covers, in pixels of the picture: left, top, width, height. At the right and bottom edge it may reach a
    /// little beyond the picture, where a level's last pixel stands for less than a whole square.
    pub fn covers(&self, at: TileAt) -> [f64; 4] {
        let (w, h) = self.level_size(at.level);
        let k = f64::from(at.level.min(40)).exp2();
        let (x, y) = (at.x.saturating_mul(self.tile), at.y.saturating_mul(self.tile));
        let side = |size: u32, start: u32| f64::from(size.saturating_sub(start).min(self.tile));
        [f64::from(x) * k, f64::from(y) * k, side(w, x) * k, side(h, y) * k]
    }
}

impl TileAt {
    /// The tile of the next coarser level that holds this one.
    #[must_use]
    pub const fn parent(self) -> Self {
        Self {
            level: self.level + 1,
            x: self.x / 2,
            y: self.y / 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pyramid() -> Pyramid {
        Pyramid {
            width: 3_000,
            height: 1_700,
            tile: 512,
            levels: 4,
            channels: 3,
            bits: 8,
            format: TileFormat::Png,
            range: [0, 255],
            window: [0, 255],
        }
    }

    #[test]
    fn the_level_is_never_stretched_and_never_twice_too_fine() {
        let p = pyramid();
        for (scale, level) in [
            (32.0, 0),
            (1.0, 0),
            (0.6, 0),
            (0.5, 1),
            (0.26, 1),
            (0.25, 2),
            (0.001, 3),
            (0.0, 3),
        ] {
            assert_eq!(p.level_for(scale), level, "{scale}");
        }
    }

    #[test]
    fn tiles_of_a_window_cover_it_and_no_more() {
        let p = pyramid();
        assert_eq!(p.tiles_in(0, [-1e9, -1e9, 1e9, 1e9]).len(), 6 * 4);
        assert_eq!(p.tiles_in(3, [0.0, 0.0, 3e3, 3e3]).len(), 1);
        let some = p.tiles_in(0, [600.0, 500.0, 1_024.0, 513.0]);
        assert_eq!(some.len(), 2);
        assert_eq!(p.covers(some[1]), [512.0, 512.0, 512.0, 512.0]);
        assert!(p.tiles_in(0, [5_000.0, 0.0, 6_000.0, 10.0]).is_empty());
        let last = TileAt { level: 0, x: 5, y: 3 };
        assert_eq!(p.covers(last), [2_560.0, 1_536.0, 440.0, 164.0]);
        assert_eq!(last.parent(), TileAt { level: 1, x: 2, y: 1 });
    }
}
