//! Arithmetic of the virtualised grid: which rows are on the screen. Lengths in CSS pixels.

/// Smallest width of a cell on desktops and on phones.
const CELL_MIN: f64 = 190.0;
const CELL_MIN_NARROW: f64 = 150.0;
const GAP: f64 = 12.0;
/// Height of a cell below the picture.
const CAPTION: f64 = 46.0;
/// Rows kept beyond each edge of the screen.
const OVERSCAN: usize = 2;

/// The layout of the grid at one width.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layout {
    pub columns: usize,
    /// Height of a row with its gap.
    pub row_height: f64,
}

impl Layout {
    /// For a grid `width` wide; `narrow` screens get smaller cells. The style sheet has the same figures.
    pub fn new(width: f64, narrow: bool) -> Self {
        let min = if narrow { CELL_MIN_NARROW } else { CELL_MIN };
        let columns = (((width + GAP) / (min + GAP)).floor() as usize).max(1);
        let cell = (width - GAP * (columns as f64 - 1.0)) / columns as f64;
        Self {
            columns,
            row_height: (cell * 0.75 + CAPTION + GAP).max(1.0),
        }
    }

    pub fn rows(self, items: usize) -> usize {
        items.div_ceil(self.columns)
    }

    /// Items to have in the page when the screen shows `top..top + view` of the grid.
    pub fn visible(self, top: f64, view: f64, items: usize) -> (usize, usize) {
        let rows = self.rows(items);
        let first = ((top / self.row_height).floor().max(0.0) as usize).min(rows);
        let last = (((top + view) / self.row_height).ceil().max(0.0) as usize).min(rows);
        let first = first.saturating_sub(OVERSCAN);
        let last = (last + OVERSCAN).min(rows);
        (first * self.columns, (last * self.columns).min(items))
    }

    /// Space in front of item `first` (which begins a row) and after item `end`.
    pub fn padding(self, first: usize, end: usize, items: usize) -> (f64, f64) {
        let before = (first / self.columns) as f64 * self.row_height;
        let after = (self.rows(items).saturating_sub(self.rows(end))) as f64 * self.row_height;
        (before, after)
    }

    /// Top of the row of an item, from the top of the grid.
    pub fn top_of(self, index: usize) -> f64 {
        (index / self.columns) as f64 * self.row_height
    }
}

/// Where a key moves the active item; `None` when the key does not move it.
pub fn step(key: &str, at: usize, columns: usize, page_rows: usize, items: usize) -> Option<usize> {
    let last = items.checked_sub(1)?;
    let to = match key {
        "ArrowLeft" => at.saturating_sub(1),
        "ArrowRight" => (at + 1).min(last),
        "ArrowUp" => at.checked_sub(columns).unwrap_or(at),
        "ArrowDown" => {
            if at + columns <= last {
                at + columns
            } else if at / columns < last / columns {
                last
            } else {
                at
            }
        }
        "PageUp" => at.saturating_sub(columns * page_rows),
        "PageDown" => (at + columns * page_rows).min(last),
        "Home" => 0,
        "End" => last,
        _ => return None,
    };
    Some(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_screen_is_in_the_page() {
        let layout = Layout::new(1110.0, false);
        assert_eq!(layout.columns, 5);
        let n = 100_000;
        let (from, to) = layout.visible(layout.top_of(50_000), 900.0, n);
        assert!(from <= 50_000 && to > 50_000);
        assert!(to - from < 60, "{}", to - from);
        let (before, after) = layout.padding(from, to, n);
        let shown = layout.rows(to - from) as f64 * layout.row_height;
        let whole = layout.rows(n) as f64 * layout.row_height;
        assert!((before + shown + after - whole).abs() < 1.0);
    }

    #[test]
    fn ends_are_safe() {
        let layout = Layout::new(350.0, true);
        assert_eq!(layout.columns, 2);
        assert_eq!(layout.visible(0.0, 800.0, 0), (0, 0));
        assert_eq!(layout.visible(99_999.0, 800.0, 3), (0, 3));
        assert_eq!(layout.visible(-500.0, 800.0, 3), (0, 3));
        assert_eq!(Layout::new(0.0, false).columns, 1);
    }

    #[test]
    fn keys_move_in_the_grid() {
        assert_eq!(step("ArrowDown", 0, 4, 3, 10), Some(4));
        assert_eq!(step("ArrowDown", 6, 4, 3, 9), Some(8));
        assert_eq!(step("ArrowDown", 8, 4, 3, 9), Some(8));
        assert_eq!(step("ArrowUp", 2, 4, 3, 10), Some(2));
        assert_eq!(step("End", 0, 4, 3, 10), Some(9));
        assert_eq!(step("x", 0, 4, 3, 10), None);
        assert_eq!(step("End", 0, 4, 3, 0), None);
    }
}
