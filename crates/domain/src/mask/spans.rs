//! Masks as pieces of columns, the form everything is computed in: it needs no bitmap, whatever the size of the image.

use super::rle::{Runs, encode_counts};
use super::{Mask, MaskFault, RUNS_MAX, SIDE_MAX};

/// Rows `top..bottom` of column `x`, in image pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub x: u32,
    pub top: u32,
    pub bottom: u32,
}

/// Sorted by column and row; the spans of a column do not touch.
pub(super) type Spans = Vec<Span>;

/// Left, top, right and bottom, the last two exclusive; `None` without spans.
pub(super) fn extent(spans: &[Span]) -> Option<[u32; 4]> {
    let (first, last) = (spans.first()?, spans.last()?);
    let top = spans.iter().map(|s| s.top).min()?;
    let bottom = spans.iter().map(|s| s.bottom).max()?;
    Some([first.x, top, last.x + 1, bottom])
}

/// Where a mask begins and ends (in turn) along the columns of a window `[left, top, right, bottom]` that encloses the
/// spans; none twice.
pub(super) fn toggles_of(spans: &[Span], window: [u32; 4]) -> Vec<u64> {
    let [left, top, _, bottom] = window;
    let height = u64::from(bottom - top);
    let mut out: Vec<u64> = Vec::with_capacity(spans.len() * 2);
    for s in spans {
        let column = u64::from(s.x - left) * height;
        let (from, to) = (
            column + u64::from(s.top - top),
            column + u64::from(s.bottom - top),
        );
        if out.last() == Some(&from) {
            out.pop();
        } else {
            out.push(from);
        }
        out.push(to);
    }
    out
}

/// The inverse of [`toggles_of`], for ascending toggles. One begun and not ended reaches to the end of the window.
pub(super) fn spans_of(toggles: impl IntoIterator<Item = u64>, window: [u32; 4]) -> Spans {
    let [left, top, right, bottom] = window;
    let height = u64::from(bottom.saturating_sub(top));
    let total = height * u64::from(right.saturating_sub(left));
    let mut spans = Spans::new();
    let mut toggles = toggles.into_iter().map(|t| t.min(total));
    while let Some(mut from) = toggles.next() {
        let to = toggles.next().unwrap_or(total);
        while from < to {
            let (column, row) = (from / height, from % height);
            let until = to.min((column + 1) * height);
            let x = left + column as u32;
            let row = top + row as u32;
            let end = row + (until - from) as u32;
            match spans.last_mut() {
                Some(s) if s.x == x && s.bottom == row => s.bottom = end,
                _ => spans.push(Span {
                    x,
                    top: row,
                    bottom: end,
                }),
            }
            from = until;
        }
    }
    spans
}

/// Ends of runs, without the ends of empty ones where they come in pairs.
pub(super) fn toggles_of_runs(counts: impl IntoIterator<Item = u64>, total: u64) -> Vec<u64> {
    let (mut out, mut at) = (Vec::new(), 0_u64);
    for run in counts {
        at += run;
        if out.last() == Some(&at) {
            out.pop();
        } else {
            out.push(at);
        }
    }
    while out.last().is_some_and(|t| *t >= total) {
        out.pop();
    }
    out
}

/// Runs from toggles, as COCO writes them: no empty ones but the first.
pub(super) fn runs_of_toggles(toggles: &[u64], total: u64) -> Vec<u64> {
    let (mut runs, mut at) = (Vec::with_capacity(toggles.len() + 1), 0);
    for t in toggles.iter().copied().filter(|t| *t < total).chain([total]) {
        runs.push(t - at);
        at = t;
    }
    runs
}

impl Mask {
    /// The mask in the smallest window. `None` when there are no spans or too many.
    pub(super) fn from_spans(spans: &[Span]) -> Option<Self> {
        let window = extent(spans)?;
        let [x, y, right, bottom] = window;
        let (width, height) = (right - x, bottom - y);
        let runs = runs_of_toggles(&toggles_of(spans, window), u64::from(width) * u64::from(height));
        (runs.len() <= RUNS_MAX).then(|| Self {
            x,
            y,
            width,
            height,
            counts: encode_counts(&runs),
        })
    }

    /// The window as `[left, top, right, bottom]`, if it is one.
    fn frame(&self) -> Result<[u32; 4], MaskFault> {
        let right = self.x.checked_add(self.width).ok_or(MaskFault::TooLarge)?;
        let bottom = self.y.checked_add(self.height).ok_or(MaskFault::TooLarge)?;
        if self.width == 0 || self.height == 0 {
            return Err(MaskFault::Empty);
        }
        if right > SIDE_MAX || bottom > SIDE_MAX {
            return Err(MaskFault::TooLarge);
        }
        Ok([self.x, self.y, right, bottom])
    }

    /// Checks everything but the image, in no memory: the window and the number of its pixels that are set.
    pub(super) fn checked(&self) -> Result<([u32; 4], u64), MaskFault> {
        let frame = self.frame()?;
        let (mut sum, mut set, mut n) = (0_u64, 0_u64, 0_usize);
        for run in Runs::new(&self.counts) {
            let run = run.ok_or(MaskFault::Unreadable)?;
            sum = sum.saturating_add(run);
            if n % 2 == 1 {
                set = set.saturating_add(run);
            }
            n += 1;
            if n > RUNS_MAX {
                return Err(MaskFault::TooLarge);
            }
        }
        let pixels = u64::from(self.width) * u64::from(self.height);
        if sum != pixels {
            return Err(MaskFault::Window { covered: sum, pixels });
        }
        if set == 0 {
            return Err(MaskFault::Empty);
        }
        Ok((frame, set))
    }

    /// Its pieces of columns; none when it is not sound.
    pub(super) fn spans(&self) -> Spans {
        let Ok((frame, _)) = self.checked() else {
            return Spans::new();
        };
        let total = u64::from(self.width) * u64::from(self.height);
        spans_of(toggles_of_runs(Runs::new(&self.counts).flatten(), total), frame)
    }
}
