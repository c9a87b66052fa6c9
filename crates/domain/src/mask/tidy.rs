//! Holes and specks: connected groups of pixels, found on pieces of columns.

use super::Mask;
use super::spans::{Span, Spans, extent};

/// Connected groups of spans: the group of each span, and the pixels of each group. With `corners`, pixels that meet by
/// a corner only are connected too.
fn groups(spans: &[Span], corners: bool) -> (Vec<usize>, Vec<u64>) {
    let mut parent: Vec<usize> = (0..spans.len()).collect();
    let root = |parent: &mut Vec<usize>, mut i: usize| {
        while parent[i] != i {
            parent[i] = parent[parent[i]];
            i = parent[i];
        }
        i
    };
    let slack = u32::from(corners);
    let (mut left, mut at) = (0..0, 0);
    while at < spans.len() {
        let x = spans[at].x;
        let until = at + spans[at..].partition_point(|s| s.x == x);
        if spans.get(left.start).is_some_and(|s| s.x + 1 == x) {
            let (mut i, mut j) = (left.start, at);
            while i < left.end && j < until {
                let (a, b) = (spans[i], spans[j]);
                if a.top < b.bottom + slack && b.top < a.bottom + slack {
                    let (a, b) = (root(&mut parent, i), root(&mut parent, j));
                    parent[a.max(b)] = a.min(b);
                }
                if a.bottom < b.bottom {
                    i += 1;
                } else {
                    j += 1;
                }
            }
        }
        left = at..until;
        at = until;
    }
    let mut area = vec![0; spans.len()];
    let of: Vec<usize> = (0..spans.len()).map(|i| root(&mut parent, i)).collect();
    for (s, group) in spans.iter().zip(&of) {
        area[*group] += u64::from(s.bottom - s.top);
    }
    (of, area)
}

/// What the window `[left, top, right, bottom]` holds beside the spans.
fn gaps(spans: &[Span], [left, top, right, bottom]: [u32; 4]) -> Spans {
    let mut out = Spans::new();
    let mut rest = spans;
    for x in left..right {
        let n = rest.partition_point(|s| s.x == x);
        let (own, later) = rest.split_at(n);
        rest = later;
        let mut from = top;
        for s in own {
            if from < s.top {
                out.push(Span {
                    x,
                    top: from,
                    bottom: s.top,
                });
            }
            from = s.bottom;
        }
        if from < bottom {
            out.push(Span { x, top: from, bottom });
        }
    }
    out
}

impl Mask {
    /// The mask with its holes of at most `most` pixels filled. A hole is a group of unset pixels, connected by their
    /// sides, that the mask encloses.
    #[must_use]
    pub fn without_holes(&self, most: u64) -> Self {
        let spans = self.spans();
        let Some(window) = extent(&spans) else {
            return self.clone();
        };
        let [left, top, right, bottom] = window;
        let gaps = gaps(&spans, window);
        let (of, area) = groups(&gaps, false);
        let mut open = vec![false; gaps.len()];
        for (g, group) in gaps.iter().zip(&of) {
            open[*group] |= g.x == left || g.x + 1 == right || g.top == top || g.bottom == bottom;
        }
        let mut all: Spans = gaps
            .iter()
            .zip(&of)
            .filter(|(_, group)| !open[**group] && area[**group] <= most)
            .map(|(g, _)| *g)
            .chain(spans)
            .collect();
        all.sort_unstable_by_key(|s| (s.x, s.top));
        let mut joined = Spans::with_capacity(all.len());
        for s in all {
            match joined.last_mut() {
                Some(last) if last.x == s.x && last.bottom == s.top => last.bottom = s.bottom,
                _ => joined.push(s),
            }
        }
        Self::from_spans(&joined).unwrap_or_else(|| self.clone())
    }

    /// The mask without its specks: groups of fewer than `least` pixels, connected by sides or corners. The largest group
    /// stays in any case.
    #[must_use]
    pub fn without_specks(&self, least: u64) -> Self {
        let spans = self.spans();
        let (of, area) = groups(&spans, true);
        let most = area.iter().copied().max().unwrap_or(0);
        let kept: Spans = spans
            .iter()
            .zip(&of)
            .filter(|(_, group)| area[**group] >= least.min(most))
            .map(|(s, _)| *s)
            .collect();
        Self::from_spans(&kept).unwrap_or_else(|| self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mask(rows: &[&str]) -> Mask {
        let width = rows[0].len() as u32;
        let pixels: Vec<u8> = rows
            .iter()
            .flat_map(|r| r.bytes())
            .map(|b| u8::from(b == b'#'))
            .collect();
        Mask::from_pixels(3, 4, width, rows.len() as u32, &pixels).unwrap()
    }

    #[test]
    fn holes_are_enclosed_by_sides() {
        let ring = mask(&["####..", "#..#..", "#..###", "####.#", "...###"]);
        assert_eq!(
            ring.without_holes(u64::MAX),
            mask(&["####..", "####..", "######", "######", "...###"])
        );
        // The hole of one pixel only.
        assert_eq!(
            ring.without_holes(1),
            mask(&["####..", "#..#..", "#..###", "######", "...###"])
        );
        // A gap in the corner: unset pixels do not meet through it, so it is a hole still.
        let cornered = mask(&["###", "#.#", "##."]);
        assert_eq!(cornered.without_holes(9), mask(&["###", "###", "##."]));
        let open = mask(&["###", "#..", "###"]);
        assert_eq!(open.without_holes(9), open);
    }

    #[test]
    fn specks_go_and_the_largest_group_stays() {
        let spotted = mask(&["##...#", "##....", "..#...", "#....#"]);
        // The pixel below the block touches its corner and stays.
        assert_eq!(spotted.without_specks(2), mask(&["##....", "##....", "..#..."]));
        assert_eq!(
            spotted.without_specks(1_000),
            mask(&["##....", "##....", "..#..."])
        );
        assert_eq!(spotted.without_specks(1), spotted);
    }

    proptest! {
        #[test]
        fn filled_covers_and_despeckled_is_covered(bits in proptest::collection::vec(any::<bool>(), 12 * 9)) {
            let pixels: Vec<u8> = bits.iter().map(|b| u8::from(*b)).collect();
            let Some(m) = Mask::from_pixels(0, 0, 12, 9, &pixels) else { return Ok(()) };
            let filled = m.without_holes(u64::MAX);
            prop_assert_eq!(filled.union(&m), Some(filled.clone()));
            prop_assert_eq!(filled.without_holes(u64::MAX), filled.clone());
            // No hole is left in the outline either.
            prop_assert!(filled.to_polygon().iter().all(|part| part.len() == 1));
            let clean = m.without_specks(4);
            prop_assert_eq!(clean.union(&m), m.tidied());
            prop_assert!(clean.area() > 0);
        }
    }
}
