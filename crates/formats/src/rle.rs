//! COCO's run-length masks, as far as the enclosing box of a mask needs them.

use limn_domain::Rect;

/// The enclosing box of the mask in pixels; `height` is the mask's. `None` for an empty mask or height.
/// Runs go down the columns, starting with zeros; a run over a column's end covers the full height.
pub(crate) fn bounds(counts: &[u64], height: u64) -> Option<Rect> {
    if height == 0 {
        return None;
    }
    let (mut at, mut seen) = (0_u64, None::<(u64, u64, u64, u64)>);
    for (i, n) in counts.iter().enumerate() {
        let end = at.checked_add(*n)?;
        if i % 2 == 1 && *n > 0 {
            let (x0, x1) = (at / height, (end - 1) / height);
            let (y0, y1) = if x0 == x1 {
                (at % height, (end - 1) % height)
            } else {
                (0, height - 1)
            };
            seen = Some(match seen {
                None => (x0, y0, x1, y1),
                Some((a, b, c, d)) => (a.min(x0), b.min(y0), c.max(x1), d.max(y1)),
            });
        }
        at = end;
    }
    seen.map(|(x0, y0, x1, y1)| Rect::new(x0 as f64, y0 as f64, (x1 - x0 + 1) as f64, (y1 - y0 + 1) as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_domain::mask::decode_counts;
    use proptest::prelude::*;

    /// Height, counts, compressed counts and box, made with COCO's own C code.
    const GOLDEN: &[(u64, &[u64], &str, [f64; 4])] = &[
        (4, &[20], "d0", [0.0, 0.0, 0.0, 0.0]),
        (4, &[0, 20], "0d0", [0.0, 0.0, 5.0, 4.0]),
        (4, &[0, 1, 19], "01c0", [0.0, 0.0, 1.0, 1.0]),
        (4, &[5, 3, 1, 1, 1, 1, 1, 3, 4], "531N00023", [1.0, 1.0, 3.0, 3.0]),
        (
            5,
            &[2, 1, 3, 3, 1, 5, 1, 3, 3, 1, 2],
            "2132N20N2NO",
            [0.0, 0.0, 5.0, 5.0],
        ),
        (4, &[3, 1, 12, 1, 3], "31<0G", [0.0, 0.0, 5.0, 4.0]),
        (5, &[6, 2, 3, 2, 3, 2, 12], "6230009", [1.0, 1.0, 3.0, 2.0]),
        (20, &[0, 400], "0`<", [0.0, 0.0, 20.0, 20.0]),
        (
            20,
            &[
                63, 2, 18, 4, 16, 7, 13, 9, 11, 12, 8, 14, 6, 15, 5, 13, 7, 12, 9, 9, 11, 7, 13, 5, 15, 4,
                16, 2, 74,
            ],
            "o12b02N3M2N3M2N1ON2O2M2N2N2O1Nj1",
            [3.0, 3.0, 14.0, 15.0],
        ),
        (
            100,
            &[0, 9, 91, 9, 91, 9, 91, 9, 91, 9, 91, 9, 91, 9, 91, 9, 91, 9, 9191],
            "09k2000000000000000\\l8",
            [0.0, 0.0, 9.0, 9.0],
        ),
        (
            1,
            &[0, 1, 100_000, 5, 99_999, 7, 100_001, 5, 100_000, 3],
            "01PeQ34O22NON",
            [0.0, 0.0, 400_021.0, 1.0],
        ),
    ];

    #[test]
    fn agrees_with_the_reference() {
        for (height, counts, text, [x, y, w, h]) in GOLDEN {
            assert_eq!(decode_counts(text).as_deref(), Some(*counts), "{text}");
            let expected = (*w > 0.0).then_some(Rect::new(*x, *y, *w, *h));
            assert_eq!(bounds(counts, *height), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC{0,40}", counts in proptest::collection::vec(any::<u64>(), 0..20), h: u64) {
            let decoded = decode_counts(&text).unwrap_or_default();
            let _ = (bounds(&decoded, h), bounds(&counts, h));
        }
    }
}
