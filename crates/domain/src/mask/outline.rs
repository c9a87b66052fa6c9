//! The outline of a mask along the borders of its pixels.

use super::Mask;
use super::spans::Span;
use crate::polygon::{Part, Ring, Vertex};

/// How far a corner is cut where two pixels meet by their corners only. A fifth of a pixel is one step of COCO's
/// rasteriser and never reaches the middle of a pixel, so the pixels stay the same.
const CUT: f64 = 0.2;

/// One end of the top or bottom border of a span in one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct End {
    side: u32,
    right: bool,
}

/// The top (even) or bottom (odd) border of a span: sides `2i` and `2i + 1` belong to span `i`.
struct Sides<'a> {
    spans: &'a [Span],
    /// The end that each end is joined to by a vertical border or directly: the left one, then the right one.
    joined: Vec<[End; 2]>,
    /// Ends where two pixels meet by their corners.
    cut: Vec<[bool; 2]>,
    ring: Vec<u32>,
}

const NONE: u32 = u32::MAX;

impl<'a> Sides<'a> {
    fn new(spans: &'a [Span]) -> Self {
        let nowhere = End {
            side: NONE,
            right: false,
        };
        let mut sides = Self {
            spans,
            joined: vec![[nowhere; 2]; spans.len() * 2],
            cut: vec![[false; 2]; spans.len() * 2],
            ring: vec![NONE; spans.len() * 2],
        };
        let mut left = 0..0;
        let mut at = 0;
        while at < spans.len() {
            let x = spans[at].x;
            let until = at + spans[at..].partition_point(|s| s.x == x);
            if spans.get(left.start).is_some_and(|s| s.x + 1 == x) {
                sides.join(left, at..until);
            } else {
                // An empty column lies between.
                sides.join(left, 0..0);
                sides.join(0..0, at..until);
            }
            left = at..until;
            at = until;
        }
        sides.join(left, 0..0);
        sides
    }

    fn y(&self, side: u32) -> u32 {
        let s = &self.spans[side as usize / 2];
        if side.is_multiple_of(2) { s.top } else { s.bottom }
    }

    fn pair(&mut self, a: End, b: End) {
        self.joined[a.side as usize][usize::from(a.right)] = b;
        self.joined[b.side as usize][usize::from(b.right)] = a;
    }

    /// Joins the right ends of one column's sides with the left ends of the next column's.
    fn join(&mut self, left: std::ops::Range<usize>, right: std::ops::Range<usize>) {
        let ends = |r: std::ops::Range<usize>, right| {
            let sides = r.start as u32 * 2..r.end as u32 * 2;
            sides.map(move |side| End { side, right })
        };
        let (mut l, mut r) = (ends(left, true).peekable(), ends(right, false).peekable());
        // The upper end of the vertical border the walk down the grid line is on.
        let mut open: Option<End> = None;
        loop {
            let (a, b) = match (l.peek().copied(), r.peek().copied()) {
                (None, None) => break,
                (Some(a), Some(b)) if self.y(a.side) == self.y(b.side) => (Some(a), Some(b)),
                (Some(a), Some(b)) if self.y(a.side) < self.y(b.side) => (Some(a), None),
                (Some(_), b @ Some(_)) => (None, b),
                one => one,
            };
            if a.is_some() {
                l.next();
            }
            if b.is_some() {
                r.next();
            }
            match (a, b, open) {
                (Some(a), Some(b), None) => self.pair(a, b),
                (Some(a), Some(b), Some(above)) => {
                    // Two pixels meet by their corners: each keeps to itself.
                    let (ending, beginning) = if a.side % 2 == 1 { (a, b) } else { (b, a) };
                    self.pair(above, ending);
                    for end in [a, b] {
                        self.cut[end.side as usize][usize::from(end.right)] = true;
                    }
                    open = Some(beginning);
                }
                (Some(end), None, Some(above)) | (None, Some(end), Some(above)) => {
                    self.pair(above, end);
                    open = None;
                }
                (end, None, None) | (None, end, None) => open = end,
                (None, None, Some(_)) => break,
            }
        }
    }

    /// The corner at one end, seen from the other end of the vertical border at row `other`: one point, or two where it
    /// is cut, in the order from the side to the border.
    fn corner(&self, end: End, other: u32) -> (Vertex, Option<Vertex>) {
        let s = &self.spans[end.side as usize / 2];
        let (x, row) = (f64::from(s.x + u32::from(end.right)), self.y(end.side));
        let y = f64::from(row);
        if !self.cut[end.side as usize][usize::from(end.right)] {
            return ([x, y], None);
        }
        let back = if end.right { x - CUT } else { x + CUT };
        let on = if other > row { y + CUT } else { y - CUT };
        ([back, y], Some([x, on]))
    }

    /// Follows the ring of a side with the mask on its right.
    fn trace(&mut self, first: u32, ring: u32) -> Ring {
        let mut out = Ring::new();
        let mut side = first;
        while self.ring[side as usize] == NONE {
            self.ring[side as usize] = ring;
            // Tops run to the right and bottoms to the left.
            let from = End {
                side,
                right: side.is_multiple_of(2),
            };
            let to = self.joined[side as usize][usize::from(from.right)];
            if to.side == NONE {
                break;
            }
            let (y0, y1) = (self.y(side), self.y(to.side));
            if y0 != y1 {
                let (a, b) = self.corner(from, y1);
                out.push(a);
                out.extend(b);
                let (a, b) = self.corner(to, y0);
                out.extend(b);
                out.push(a);
            }
            side = to.side;
        }
        out
    }
}

impl Mask {
    /// The outline along the borders of the pixels, as a polygon: one part for every region that hangs together by the
    /// sides of its pixels, with its holes; corners on whole numbers, none in a straight line. Where two pixels meet by
    /// their corners only, those corners are cut by a fifth of a pixel, so that no sides touch and
    /// [`polygon::mend`](crate::polygon::mend) leaves the polygon as it is; [`Mask::from_polygon`] gives the same mask
    /// back. Empty for a mask that is not sound.
    pub fn to_polygon(&self) -> Vec<Part> {
        let spans = self.spans();
        let mut sides = Sides::new(&spans);
        let mut parts: Vec<Part> = Vec::new();
        // Which part each ring belongs to.
        let mut owner: Vec<usize> = Vec::new();
        // Columns from left to right and down each: a ring is first met at its uppermost side of its first column, which
        // is a top for an outer ring, and a bottom for a hole.
        for side in 0..spans.len() as u32 * 2 {
            if sides.ring[side as usize] != NONE {
                continue;
            }
            let ring = sides.trace(side, owner.len() as u32);
            if side.is_multiple_of(2) {
                owner.push(parts.len());
                parts.push(vec![ring]);
            } else {
                // The top of the same span is known already, and lies in the same part.
                let part = owner[sides.ring[side as usize - 1] as usize];
                owner.push(part);
                parts[part].push(ring);
            }
        }
        parts
    }
}
