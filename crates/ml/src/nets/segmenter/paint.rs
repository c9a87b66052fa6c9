//! What every pixel of a picture shows, at the picture's own size: probabilities are mixed between the places at which the network speaks, and the
//! likeliest class is taken after that, so that borders are smooth and still without half tones.

use limn_services::training::port::{Painted, PixelMap};
use std::collections::BTreeMap;

/// A region smaller than one of so many parts of the picture is a speck, which nobody would have painted.
const SPECK: usize = 2_000;
/// Specks beside each other may change places; after so many rounds they are left as they are.
const ROUNDS: usize = 3;

/// `p` is `[classes, h, w]`, the last class being "nothing"; the map is of `width` x `height`.
pub(super) fn painted(
    p: &[f32],
    classes: usize,
    (w, h): (usize, usize),
    (width, height): (usize, usize),
) -> Painted {
    let area = w * h;
    let likeliest = |at: usize| {
        let of = |class: usize| p[class * area + at];
        (0..classes)
            .max_by(|a, b| of(*a).total_cmp(&of(*b)))
            .unwrap_or_default()
    };
    let before: Vec<usize> = (0..area).map(likeliest).collect();
    let mut labels = before.clone();
    without_specks(&mut labels, (w, h));
    let mut sums = vec![(0.0_f32, 0_usize); classes];
    let mut mended = p.to_vec();
    for (at, (was, is)) in before.into_iter().zip(&labels).enumerate() {
        sums[*is].0 += p[is * area + at];
        sums[*is].1 += 1;
        // The class that a speck is given to is the likeliest there from now on.
        mended.swap(was * area + at, is * area + at);
    }
    sums.truncate(classes.saturating_sub(1));
    let sure = sums
        .into_iter()
        .map(|(sum, n)| if n == 0 { 0.0 } else { sum / n as f32 });
    Painted {
        map: finer(&mended, &labels, classes, (w, h), (width, height)),
        sure: sure.collect(),
    }
}

/// Gives regions that are too small to be meant to the class that most of their border lies on.
fn without_specks(labels: &mut [usize], (w, h): (usize, usize)) {
    for _ in 0..ROUNDS {
        let (of, sizes) = regions(labels, (w, h));
        let mut borders: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for (at, region) in of.iter().enumerate() {
            if sizes[*region] * SPECK >= labels.len() {
                continue;
            }
            for other in beside(at, (w, h)).filter(|n| of[*n] != *region) {
                *borders.entry((*region, labels[other])).or_default() += 1;
            }
        }
        if borders.is_empty() {
            return;
        }
        let mut to: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
        for ((region, class), n) in borders {
            let most = to.entry(region).or_insert((class, n));
            if n > most.1 {
                *most = (class, n);
            }
        }
        for (label, region) in labels.iter_mut().zip(&of) {
            if let Some((class, _)) = to.get(region) {
                *label = *class;
            }
        }
    }
}

/// The region of every place, and the places of each: those of one class that hang together by their sides.
fn regions(labels: &[usize], (w, h): (usize, usize)) -> (Vec<usize>, Vec<usize>) {
    const NONE: usize = usize::MAX;
    let (mut of, mut sizes, mut open) = (vec![NONE; labels.len()], Vec::new(), Vec::new());
    for first in 0..labels.len() {
        if of[first] != NONE {
            continue;
        }
        let region = sizes.len();
        sizes.push(0);
        of[first] = region;
        open.push(first);
        while let Some(at) = open.pop() {
            sizes[region] += 1;
            for other in beside(at, (w, h)) {
                if of[other] == NONE && labels[other] == labels[at] {
                    of[other] = region;
                    open.push(other);
                }
            }
        }
    }
    (of, sizes)
}

/// The places that share a side with one.
fn beside(at: usize, (w, h): (usize, usize)) -> impl Iterator<Item = usize> {
    let (x, y) = (at % w, at / w);
    let all = [
        (x > 0).then(|| at - 1),
        (x + 1 < w).then(|| at + 1),
        (y > 0).then(|| at - w),
        (y + 1 < h).then(|| at + w),
    ];
    all.into_iter().flatten()
}

/// The likeliest class of every pixel of `width` x `height`, with probabilities mixed from the four places around its middle.
fn finer(
    p: &[f32],
    labels: &[usize],
    classes: usize,
    (w, h): (usize, usize),
    (width, height): (usize, usize),
) -> PixelMap {
    let area = w * h;
    let across: Vec<(usize, usize, f32)> = (0..width).map(|x| between(x, width, w)).collect();
    let mut out = Vec::with_capacity(width * height);
    for y in 0..height {
        let (top, bottom, fy) = between(y, height, h);
        for (left, right, fx) in &across {
            let four = [
                top * w + left,
                top * w + right,
                bottom * w + left,
                bottom * w + right,
            ];
            let first = labels[four[0]];
            // What is likeliest at all four is so between them; that is most of a picture.
            let class = if four.iter().all(|at| labels[*at] == first) {
                first
            } else {
                let shares = [(1.0 - fx) * (1.0 - fy), fx * (1.0 - fy), (1.0 - fx) * fy, fx * fy];
                let of = |class: usize| -> f32 {
                    let each = four.iter().zip(shares);
                    each.map(|(at, share)| p[class * area + at] * share).sum()
                };
                let best = (0..classes).max_by(|a, b| of(*a).total_cmp(&of(*b)));
                best.unwrap_or(first)
            };
            out.push(if class + 1 < classes {
                class as u8
            } else {
                PixelMap::NOTHING
            });
        }
    }
    PixelMap::new(width, height, &out)
}

/// The two of `from` places that the middle of pixel `n` of `of` lies between, and how far it is from the first to the second.
fn between(n: usize, of: usize, from: usize) -> (usize, usize, f32) {
    let at = (n as f32 + 0.5) * from as f32 / of as f32 - 0.5;
    let at = at.clamp(0.0, from.saturating_sub(1) as f32);
    let low = at as usize;
    (low, (low + 1).min(from.saturating_sub(1)), at - low as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const N: u8 = PixelMap::NOTHING;

    /// Probabilities of two classes and "nothing", from what is said of each place, each as sure.
    fn odds(said: &[u8], sure: f32) -> Vec<f32> {
        let mut p = vec![(1.0 - sure) / 2.0; said.len() * 3];
        for (at, class) in said.iter().enumerate() {
            let class = if *class == N { 2 } else { usize::from(*class) };
            p[class * said.len() + at] = sure;
        }
        p
    }

    #[test]
    fn at_its_own_size_it_says_what_is_likeliest() {
        let said = [0, 0, 1, N, 0, 1, 1, N];
        let of = painted(&odds(&said, 0.8), 3, (4, 2), (4, 2));
        assert_eq!(of.map.pixels(), said);
        assert_eq!(of.sure.len(), 2);
        assert!(of.sure.iter().all(|s| (s - 0.8).abs() < 1e-6), "{:?}", of.sure);
        let none = painted(&odds(&[N; 4], 0.8), 3, (2, 2), (5, 3));
        assert_eq!((none.map.pixels(), none.sure), (vec![N; 15], vec![0.0, 0.0]));
    }

    #[test]
    fn borders_lie_where_probabilities_are_equal() {
        // Surely the first on the left, half so surely the second on the right: the border moves to the right.
        let p = [0.9, 0.3, 0.1, 0.6, 0.0, 0.1];
        let of = painted(&p, 3, (2, 1), (20, 1)).map.pixels();
        let first = of.iter().take_while(|v| **v == 0).count();
        assert!(of[first..].iter().all(|v| *v == 1), "{of:?}");
        // Between the places, at 5 and 15: 0.9 - 0.6 t = 0.1 + 0.5 t at 0.73.
        assert_eq!(first, 12);
        // A line at an angle has no steps of the size of a place.
        let mut said = [0_u8; 64];
        for (at, v) in said.iter_mut().enumerate() {
            *v = u8::from(at % 8 > at / 8);
        }
        let map = painted(&odds(&said, 0.9), 3, (8, 8), (64, 64)).map;
        let pixels = map.pixels();
        let lengths: Vec<usize> = pixels
            .chunks(64)
            .map(|row| row.iter().map(|v| usize::from(*v == 0)).sum::<usize>())
            .collect();
        let steps = lengths.windows(2).map(|w| w[1].abs_diff(w[0]));
        assert!(steps.clone().max() < Some(8), "{lengths:?}");
        assert!(steps.filter(|s| *s > 0).count() > 20, "{lengths:?}");
    }

    #[test]
    fn specks_are_given_to_what_lies_around_them() {
        let mut said = vec![0_u8; 100 * 100];
        // Four places are too few, five are enough; one of "nothing" within them goes to them.
        for at in [1010, 1011, 1110, 1111] {
            said[at] = 1;
        }
        for at in [5050, 5049, 5051, 4950, 5150, 4949, 4951, 5149, 5151] {
            said[at] = 1;
        }
        said[5050] = N;
        let of = painted(&odds(&said, 0.8), 3, (100, 100), (100, 100));
        let pixels = of.map.pixels();
        assert_eq!(pixels[1010], 0);
        assert_eq!((pixels[5050], pixels[5049]), (1, 1));
        assert_eq!(pixels.iter().map(|v| u32::from(*v == 1)).sum::<u32>(), 9);
        // The place that it was not said of makes it less sure.
        assert!(of.sure[1] < 0.8 && of.sure[1] > 0.7, "{:?}", of.sure);
        // At twice the size too.
        let twice = painted(&odds(&said, 0.8), 3, (100, 100), (200, 200)).map.pixels();
        assert!(!twice.contains(&N));
        assert_eq!(twice[20 * 200 + 21], 0);
    }
}
