//! Masks as COCO run lengths.
//!
//! Runs go down the columns, beginning with pixels that are not in the mask; the text is COCO's compressed form of them
//! (`maskApi.c` of `cocoapi`, `rleToString`). Frame: whole image pixels, origin at the top left.
//!
//! A [`Mask`] can come from outside. [`Mask::check`] says what is wrong with one; everything else takes one that is not
//! sound for an empty one, and works on runs, never on a bitmap of the image.

mod brush;
mod combine;
mod outline;
mod raster;
mod rle;
mod spans;
mod tidy;

use crate::geometry::{Point, Rect, Size};
use serde::{Deserialize, Serialize};

pub use brush::{TIP_MAX, Tip};
pub use raster::rasterise;
use rle::Runs;
pub use rle::{counts_bounds, decode_counts, encode_counts};
use spans::{runs_of_toggles, spans_of, toggles_of, toggles_of_runs};

/// Most pixels of a side of an image that a mask can lie in.
pub const SIDE_MAX: u32 = 100_000;
/// Most runs of one mask.
pub const RUNS_MAX: usize = 1 << 22;
/// Most pixels of a window that is made into a bitmap.
pub const BITMAP_MAX: u64 = 1 << 28;

/// What stands in the way of a mask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MaskFault {
    #[error("the counts are not COCO run lengths")]
    Unreadable,
    #[error("the runs cover {covered} pixels, the image has {pixels}")]
    Image { covered: u64, pixels: u64 },
    #[error("the runs cover {covered} pixels, the window has {pixels}")]
    Window { covered: u64, pixels: u64 },
    #[error("the mask is empty")]
    Empty,
    #[error("the mask reaches beyond the image")]
    Outside,
    #[error("the mask has more than {RUNS_MAX} runs or its image more than {SIDE_MAX} pixels a side")]
    TooLarge,
}

/// The pixels of an object: run lengths over the small window that encloses it, so that a mask in a large image costs
/// what the object does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Mask {
    /// Left column and top row of the window in the image, in whole pixels.
    pub x: u32,
    pub y: u32,
    /// Columns and rows of the window.
    pub width: u32,
    pub height: u32,
    /// COCO's compressed counts over the window.
    pub counts: String,
}

/// An image's columns and rows; `None` when it has none, or more than [`SIDE_MAX`].
fn dimensions(image: Size) -> Option<(u32, u32)> {
    let side = |v: f64| (v >= 1.0 && v <= f64::from(SIDE_MAX)).then(|| v.round() as u32);
    Some((side(image.width)?, side(image.height)?))
}

impl Mask {
    /// The window as a box in image pixels.
    pub const fn window(&self) -> Rect {
        Rect::new(
            self.x as f64,
            self.y as f64,
            self.width as f64,
            self.height as f64,
        )
    }

    /// The mask of a run list over the whole image, in the smallest window.
    pub fn from_runs(image_width: u32, image_height: u32, counts: &[u64]) -> Result<Self, MaskFault> {
        if image_width > SIDE_MAX || image_height > SIDE_MAX || counts.len() > RUNS_MAX {
            return Err(MaskFault::TooLarge);
        }
        let pixels = u64::from(image_width) * u64::from(image_height);
        let covered = counts.iter().fold(0_u64, |sum, run| sum.saturating_add(*run));
        if covered != pixels {
            return Err(MaskFault::Image { covered, pixels });
        }
        let toggles = toggles_of_runs(counts.iter().copied(), pixels);
        let spans = spans_of(toggles, [0, 0, image_width, image_height]);
        if spans.is_empty() {
            return Err(MaskFault::Empty);
        }
        Self::from_spans(&spans).ok_or(MaskFault::TooLarge)
    }

    /// The runs over a whole image of that size, to which the mask is cut; one run for a mask that is not sound.
    pub fn full_counts(&self, image_width: u32, image_height: u32) -> Vec<u64> {
        let pixels = u64::from(image_width) * u64::from(image_height);
        let mut spans = self.spans();
        spans.retain_mut(|s| {
            s.bottom = s.bottom.min(image_height);
            s.x < image_width && s.top < s.bottom
        });
        runs_of_toggles(&toggles_of(&spans, [0, 0, image_width, image_height]), pixels)
    }

    /// [`Mask::full_counts`] as COCO's compressed text.
    pub fn full_text(&self, image_width: u32, image_height: u32) -> String {
        encode_counts(&self.full_counts(image_width, image_height))
    }

    /// Number of pixels.
    pub fn area(&self) -> u64 {
        self.checked().map_or(0, |(_, set)| set)
    }

    /// Whether the counts cover the window, something is set, and the window lies in the image.
    pub fn check(&self, image: Size) -> Result<(), MaskFault> {
        let ([_, _, right, bottom], _) = self.checked()?;
        if f64::from(right) > image.width || f64::from(bottom) > image.height {
            return Err(MaskFault::Outside);
        }
        Ok(())
    }

    /// The same pixels in the smallest window and as few runs as they need, so that equal masks are equal values. `None`
    /// for one that is empty or not sound.
    pub fn tidied(&self) -> Option<Self> {
        Self::from_spans(&self.spans())
    }

    /// Whether the pixel that holds a point is set.
    pub fn contains(&self, p: Point) -> bool {
        let (x, y) = (p.x.floor() - f64::from(self.x), p.y.floor() - f64::from(self.y));
        if !(x >= 0.0 && y >= 0.0 && x < f64::from(self.width) && y < f64::from(self.height)) {
            return false;
        }
        let at = x as u64 * u64::from(self.height) + y as u64;
        let mut end = 0_u64;
        for (i, run) in Runs::new(&self.counts).enumerate() {
            let Some(run) = run else { return false };
            end = end.saturating_add(run);
            if at < end {
                return i % 2 == 1;
            }
        }
        false
    }

    /// The window as a bitmap, row by row, 1 where set. `None` for a mask that is not sound or a window of more than
    /// [`BITMAP_MAX`] pixels.
    pub fn pixels(&self) -> Option<Vec<u8>> {
        let (_, _) = self.checked().ok()?;
        let size = u64::from(self.width) * u64::from(self.height);
        let mut out = vec![0; usize::try_from(size).ok().filter(|_| size <= BITMAP_MAX)?];
        for s in self.spans() {
            let column = (s.x - self.x) as usize;
            for row in s.top - self.y..s.bottom - self.y {
                out[row as usize * self.width as usize + column] = 1;
            }
        }
        Some(out)
    }

    /// The mask of a bitmap, row by row, whose top left pixel is (`x`, `y`) of the image, in the smallest window; what is
    /// not 0 is set. `None` when nothing is, or the bitmap has not `width * height` pixels.
    pub fn from_pixels(x: u32, y: u32, width: u32, height: u32, pixels: &[u8]) -> Option<Self> {
        let size = u64::from(width) * u64::from(height);
        let (right, bottom) = (x.checked_add(width)?, y.checked_add(height)?);
        if size == 0 || pixels.len() as u64 != size || right > SIDE_MAX || bottom > SIDE_MAX {
            return None;
        }
        let mut spans = spans::Spans::new();
        for column in 0..width {
            let mut from = None;
            for row in 0..=height {
                let set = row < height && pixels[row as usize * width as usize + column as usize] != 0;
                match from {
                    None if set => from = Some(row),
                    Some(top) if !set => {
                        spans.push(spans::Span {
                            x: x + column,
                            top: y + top,
                            bottom: y + row,
                        });
                        from = None;
                    }
                    _ => {}
                }
            }
        }
        Self::from_spans(&spans)
    }
}

#[cfg(test)]
mod tests;
