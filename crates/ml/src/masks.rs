//! How good proposed masks are. Of each category that is said to be in a picture one mask is proposed, as sure as its pixels are on average; it is
//! right when it covers enough of what people painted. The rest is as for all marks ([`marks`]). Beside that stands how many pixels are right,
//! which says more of borders.

use crate::judge::Judged;
use crate::marks::{self, Marks, Words};
use limn_domain::assist::Figures;
use limn_services::assist::port::{JudgedMap, JudgedMasks};
use limn_services::training::port::PixelMap;
use std::collections::BTreeMap;

/// A mask is right from this share on: of the pixels that are its category or said to be, those that are both (intersection over union).
const RIGHT: f64 = 0.5;
const WORDS: Words = Words {
    item: "picture",
    items: "pictures",
    mark: "mask",
    marks: "masks",
    make: "paint",
};

/// Thresholds of the categories, and the figures.
pub fn judge(of: &JudgedMasks) -> (Vec<Option<f32>>, Figures) {
    let classes = of.categories.len();
    let (mut all, mut there) = (Pixels::default(), vec![0_i64; classes]);
    let mut judged: Vec<Vec<Judged>> = Vec::with_capacity(of.pictures.len());
    for picture in &of.pictures {
        let own = Pixels::of(picture, classes);
        for (category, there) in there.iter_mut().enumerate() {
            *there += i64::from(own.is(category) > 0);
        }
        judged.push(own.judged(&picture.said.sure));
        all.add(&own);
    }
    let every: Vec<&Judged> = judged.iter().flatten().collect();
    let worth: Vec<f32> = (0..classes).map(|c| marks::worth(&every, c, there[c])).collect();
    let (thresholds, mut figures) = marks::judge(&Marks {
        judged: &judged,
        there: &there,
        categories: &of.categories,
        trained_on: of.trained_on,
        trained: &of.trained_masks,
        worth: &worth,
        map50: None,
        accuracy: of.accuracy,
        words: WORDS,
    });
    for (category, f) in figures.categories.iter_mut().enumerate() {
        f.iou = (all.is(category) > 0).then(|| all.overlap(category));
    }
    let known: Vec<f64> = figures.categories.iter().filter_map(|c| c.iou).collect();
    figures.miou = (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64);
    (thresholds, figures)
}

/// How many pixels are one thing and said to be another; `None` is nothing.
#[derive(Debug, Default, PartialEq)]
struct Pixels(BTreeMap<(Option<usize>, Option<usize>), u64>);

impl Pixels {
    fn of(picture: &JudgedMap, classes: usize) -> Self {
        let said = &picture.said.map;
        let class = |v: u8| (v != PixelMap::NOTHING && usize::from(v) < classes).then(|| usize::from(v));
        let mut count: BTreeMap<_, u64> = BTreeMap::new();
        for (is, said) in picture
            .right
            .scaled(said.width, said.height)
            .into_iter()
            .zip(said.pixels())
        {
            *count.entry((class(is), class(said))).or_default() += 1;
        }
        Self(count)
    }

    fn add(&mut self, other: &Self) {
        for (pair, n) in &other.0 {
            *self.0.entry(*pair).or_default() += n;
        }
    }

    fn is(&self, category: usize) -> u64 {
        self.sum(|(is, _)| is == Some(category))
    }

    fn said(&self, category: usize) -> u64 {
        self.sum(|(_, said)| said == Some(category))
    }

    fn sum(&self, which: impl Fn((Option<usize>, Option<usize>)) -> bool) -> u64 {
        self.0
            .iter()
            .filter(|(pair, _)| which(**pair))
            .map(|(_, n)| n)
            .sum()
    }

    /// Intersection over union; 0 of what is neither there nor said.
    fn overlap(&self, category: usize) -> f64 {
        let one = Some(category);
        let both = self.0.get(&(one, one)).copied().unwrap_or(0);
        let either = self.is(category) + self.said(category) - both;
        both as f64 / either.max(1) as f64
    }

    /// The masks of a picture, each with what it lies on: its own category, else the one that most of it is, if that is half of it, else nothing.
    fn judged(&self, sure: &[f32]) -> Vec<Judged> {
        let mut said: Vec<usize> = self.0.keys().filter_map(|(_, said)| *said).collect();
        said.sort_unstable();
        said.dedup();
        said.into_iter()
            .map(|category| {
                let is = if self.overlap(category) >= RIGHT {
                    Some(category)
                } else {
                    self.mostly(category).filter(|other| *other != category)
                };
                Judged {
                    is: is.into_iter().collect(),
                    said: vec![category],
                    confidence: sure.get(category).copied().unwrap_or(0.0),
                    ways: Vec::new(),
                    holdout: true,
                }
            })
            .collect()
    }

    /// What half or more of what is said to be a category is.
    fn mostly(&self, category: usize) -> Option<usize> {
        let all = self.said(category);
        let own = self.0.iter().filter(|((_, said), _)| *said == Some(category));
        let ((is, _), n) = own.max_by_key(|(_, n)| **n)?;
        is.filter(|_| *n * 2 >= all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_domain::CategoryId;
    use limn_services::training::port::Painted;

    const N: u8 = PixelMap::NOTHING;

    fn picture(right: &[u8], said: &[u8], sure: [f32; 3]) -> JudgedMap {
        JudgedMap {
            right: PixelMap::new(right.len(), 1, right),
            said: Painted {
                map: PixelMap::new(said.len(), 1, said),
                sure: sure.to_vec(),
            },
        }
    }

    fn report(pictures: Vec<JudgedMap>) -> JudgedMasks {
        JudgedMasks {
            pictures,
            categories: (0..3).map(|_| CategoryId::new()).collect(),
            trained_on: 12,
            trained_masks: vec![12, 3, 0],
            accuracy: 0.8,
        }
    }

    #[test]
    fn a_mask_is_right_when_it_covers_enough_else_it_is_what_most_of_it_is() {
        let p = picture(
            &[0, 0, 0, 0, 1, 1, 1, N, N, N],
            // Of the first three of four and nothing else; the second on one of its three pixels and on one of nothing; the third on the second.
            &[0, 0, 0, N, 2, 2, 1, 1, N, N],
            [0.9, 0.8, 0.7],
        );
        let judged = Pixels::of(&p, 3).judged(&p.said.sure);
        let is: Vec<(usize, Vec<usize>)> = judged.iter().map(|j| (j.said[0], j.is.clone())).collect();
        assert_eq!(is, [(0, vec![0]), (1, vec![]), (2, vec![1])]);
        let (_, f) = judge(&report(vec![p]));
        assert_eq!((f.accuracy.right, f.accuracy.of), (1, 3));
        assert_eq!((f.categories[0].found.right, f.categories[0].found.of), (1, 1));
        assert_eq!((f.categories[1].found.right, f.categories[1].found.of), (0, 1));
        assert_eq!(f.categories[2].found.of, 0);
        assert_eq!(f.categories[0].iou, Some(0.75));
        assert_eq!(f.categories[1].iou, Some(0.25));
        assert_eq!(f.categories[2].iou, None, "there is none in the holdout");
        assert_eq!(f.miou, Some(0.5));
        let has = |words: &str| f.warnings.iter().any(|w| w.contains(words));
        assert!(
            has("Only 1 picture of the holdout is labeled, with 2 masks"),
            "{:?}",
            f.warnings
        );
        assert!(
            has("fewer than 5 masks to learn from; paint more of it"),
            "{:?}",
            f.warnings
        );
        assert!(has("1 category has no masks"), "{:?}", f.warnings);
    }

    #[test]
    fn truths_are_compared_at_the_size_of_what_is_said() {
        let mut p = picture(&[0, 0, 1, 1], &[0, 0, 0, 0, 1, 1, 1, 1], [0.9, 0.9, 0.0]);
        assert_eq!(Pixels::of(&p, 3).overlap(0), 1.0);
        // A category that there is not any more counts as nothing.
        p.right = PixelMap::new(4, 1, &[0, 0, 7, 7]);
        assert_eq!(Pixels::of(&p, 3).said(1), 4);
        assert_eq!(Pixels::of(&p, 3).is(1), 0);
    }

    #[test]
    fn thresholds_keep_what_is_asked() {
        // Sure masks are right, the others every second time.
        let pictures = (0..60).map(|n| {
            let sure = n as f32 * 1e-3;
            let second: [u8; 4] = if n % 2 == 0 { [1, 1, 1, N] } else { [N; 4] };
            let mut right = vec![0_u8, 0, 0, N];
            right.extend(second);
            picture(&right, &[0, 0, 0, N, 1, 1, 1, N], [0.8 + sure, 0.4 + sure, 0.0])
        });
        let (chosen, f) = judge(&report(pictures.collect()));
        assert!(chosen[0].unwrap() < 0.85, "{chosen:?}");
        assert!(chosen[1].is_none_or(|t| t > 0.44), "{chosen:?}");
        assert_eq!(chosen[2], None);
        assert!(f.proposed.value().unwrap() >= 0.8, "{f:?}");
        assert_eq!((f.covered.of, f.holdout), (90, 60));
        assert_eq!(f.categories[0].iou, Some(1.0));
        assert_eq!(f.categories[1].iou, Some(0.5));
    }

    #[test]
    fn nothing_said_and_nothing_there_is_no_figure() {
        let (chosen, f) = judge(&report(Vec::new()));
        assert_eq!((chosen, f.miou), (vec![None; 3], None));
        let (_, f) = judge(&report(vec![picture(&[N; 4], &[N; 4], [0.0; 3])]));
        assert_eq!((f.covered.of, f.holdout, f.miou), (0, 1, None));
        assert_eq!(f.accuracy.value(), None);
    }
}
