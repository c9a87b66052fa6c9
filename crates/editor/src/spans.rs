//! Spans as a page shows them: those that overlap on lanes one below the other, and the text cut where any begins or ends.

/// Lanes told apart; further ones share the last.
pub const LANES: usize = 5;

/// The lane of each span, from 0; `spans` are in order of their start. Spans on one lane do not touch, as far as the lanes
/// suffice.
pub fn lanes(spans: &[(u32, u32)]) -> Vec<u8> {
    let mut ends = [0_u32; LANES];
    spans
        .iter()
        .map(|(start, end)| {
            let free = ends.iter().position(|e| e <= start).unwrap_or(LANES - 1);
            ends[free] = ends[free].max(*end);
            free as u8
        })
        .collect()
}

/// A stretch of text over which the same spans lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub start: u32,
    pub end: u32,
    /// Indices of the spans over it, in their order.
    pub over: Vec<usize>,
}

/// Cuts `from..to` where spans begin or end. The pieces are the whole range, in order; `spans` may reach beyond it.
pub fn pieces(from: u32, to: u32, spans: &[(u32, u32)]) -> Vec<Piece> {
    let mut cuts: Vec<u32> = spans
        .iter()
        .flat_map(|(start, end)| [*start, *end])
        .filter(|c| (from..to).contains(c))
        .collect();
    cuts.push(from);
    cuts.push(to);
    cuts.sort_unstable();
    cuts.dedup();
    // Of the order of the start: what was passed and has not ended.
    let mut order: Vec<usize> = (0..spans.len()).collect();
    order.sort_by_key(|n| spans[*n].0);
    let (mut open, mut next) = (Vec::<usize>::new(), 0);
    cuts.windows(2)
        .map(|w| {
            let (start, end) = (w[0], w[1]);
            while let Some(n) = order.get(next)
                && spans[*n].0 <= start
            {
                open.push(*n);
                next += 1;
            }
            open.retain(|n| spans[*n].1 > start);
            let mut over = open.clone();
            over.sort_unstable();
            Piece { start, end, over }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nested_and_crossing_spans() {
        let spans = [(0, 10), (2, 5), (4, 12), (12, 14)];
        assert_eq!(lanes(&spans), [0, 1, 2, 0]);
        let all = pieces(0, 20, &spans);
        let seen: Vec<_> = all.iter().map(|p| (p.start, p.end, p.over.clone())).collect();
        assert_eq!(
            seen,
            [
                (0, 2, vec![0]),
                (2, 4, vec![0, 1]),
                (4, 5, vec![0, 1, 2]),
                (5, 10, vec![0, 2]),
                (10, 12, vec![2]),
                (12, 14, vec![3]),
                (14, 20, vec![])
            ]
        );
        assert_eq!(lanes(&[(0, 9); 8]), [0, 1, 2, 3, 4, 4, 4, 4]);
        assert_eq!(pieces(5, 7, &[(0, 100)])[0].over, [0]);
        assert!(pieces(5, 5, &[]).is_empty());
    }

    proptest! {
        #[test]
        fn pieces_are_the_range_and_know_their_spans(list in prop::collection::vec((0u32..60, 1u32..30), 0..20), from in 0u32..40, len in 1u32..40) {
            let mut spans: Vec<(u32, u32)> = list.into_iter().map(|(s, n)| (s, s + n)).collect();
            spans.sort_unstable();
            let all = pieces(from, from + len, &spans);
            prop_assert_eq!(all[0].start, from);
            prop_assert_eq!(all[all.len() - 1].end, from + len);
            for pair in all.windows(2) {
                prop_assert_eq!(pair[0].end, pair[1].start);
            }
            for p in &all {
                for at in p.start..p.end {
                    let over: Vec<usize> = (0..spans.len()).filter(|n| (spans[*n].0..spans[*n].1).contains(&at)).collect();
                    prop_assert_eq!(&over, &p.over);
                }
            }
            let lanes = lanes(&spans);
            for (i, a) in spans.iter().enumerate() {
                for (j, b) in spans.iter().enumerate().skip(i + 1) {
                    if lanes[i] == lanes[j] && usize::from(lanes[i]) < LANES - 1 {
                        prop_assert!(a.1 <= b.0 || b.1 <= a.0);
                    }
                }
            }
        }
    }
}
