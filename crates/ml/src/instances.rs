//! How good proposed outlines of objects are: what those found in the holdout's pictures lie on, by the pixels that they share. The rest is as for all
//! marks ([`marks`]).

use crate::average_precision::precision_at;
use crate::judge::Judged;
use crate::marks::{self, Marks, Words};
use limn_domain::assist::Figures;
use limn_services::assist::port::{JudgedObjects, JudgedOutlines};

/// A found object is right from this share on: of the pixels that are either's, those that are both's (intersection over union).
const RIGHT: f32 = 0.5;
const WORDS: Words = Words {
    item: "picture",
    items: "pictures",
    mark: "object",
    marks: "objects",
    make: "outline",
};

/// Thresholds of the categories, and the figures.
pub fn judge(of: &JudgedOutlines) -> (Vec<Option<f32>>, Figures) {
    let classes = of.categories.len();
    let judged: Vec<Vec<Judged>> = of.pictures.iter().map(matched).collect();
    let mut there = vec![0_i64; classes];
    for object in of.pictures.iter().flat_map(|p| &p.right) {
        there[object.at.category] += 1;
    }
    let every: Vec<&Judged> = judged.iter().flatten().collect();
    let worth: Vec<f32> = (0..classes).map(|c| marks::worth(&every, c, there[c])).collect();
    marks::judge(&Marks {
        judged: &judged,
        there: &there,
        categories: &of.categories,
        trained_on: of.trained_on,
        trained: &of.trained_objects,
        worth: &worth,
        map50: precision(&every, &there),
        accuracy: of.accuracy,
        words: WORDS,
    })
}

/// The found objects of a picture, each with the one it lies on.
fn matched(p: &JudgedObjects) -> Vec<Judged> {
    let shared: Vec<Vec<f32>> = p
        .found
        .iter()
        .map(|(object, _)| p.right.iter().map(|right| object.overlap(right)).collect())
        .collect();
    let right: Vec<usize> = p.right.iter().map(|object| object.at.category).collect();
    let found = p.found.iter().map(|(object, score)| (object.at.category, *score));
    let found: Vec<(usize, f32)> = found.collect();
    marks::laid(&right, &found, RIGHT, |n, k| shared[n][k])
}

/// The mean of the average precisions of the categories that are there.
fn precision(every: &[&Judged], there: &[i64]) -> Option<f64> {
    let each = there.iter().enumerate().filter_map(|(category, there)| {
        let own = every.iter().filter(|j| j.said == [category]);
        let found: Vec<(f64, bool)> = own.map(|j| (f64::from(j.confidence), j.is == j.said)).collect();
        precision_at(&found, usize::try_from(*there).unwrap_or(0))
    });
    let known: Vec<f64> = each.collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_domain::CategoryId;
    use limn_services::training::port::{Cutout, NetBox};

    /// Of the four places of a box those that are told.
    fn object(category: usize, x: f32, places: [u8; 4]) -> Cutout {
        let at = NetBox {
            category,
            x,
            y: 0.2,
            width: 0.2,
            height: 0.2,
        };
        Cutout::new(at, 2, 2, &places).unwrap()
    }

    fn report(pictures: Vec<JudgedObjects>) -> JudgedOutlines {
        JudgedOutlines {
            pictures,
            categories: (0..3).map(|_| CategoryId::new()).collect(),
            trained_on: 12,
            trained_objects: vec![20, 3, 0],
            accuracy: 0.8,
        }
    }

    #[test]
    fn an_object_is_right_by_its_pixels_not_by_its_box() {
        let all = [1; 4];
        let p = JudgedObjects {
            right: vec![
                object(0, 0.0, [1, 1, 1, 0]),
                object(1, 0.3, [1, 1, 0, 0]),
                object(1, 0.6, all),
            ],
            found: vec![
                (object(0, 0.0, all), 0.9),
                // The very box, and none of its pixels.
                (object(1, 0.3, [0, 0, 1, 1]), 0.8),
                (object(0, 0.6, all), 0.7),
                // A second one on the same is one too many.
                (object(0, 0.0, [1, 1, 1, 0]), 0.6),
            ],
        };
        let is: Vec<Vec<usize>> = matched(&p).into_iter().map(|j| j.is).collect();
        assert_eq!(is, [vec![0], vec![], vec![1], vec![]]);
        let (_, f) = judge(&report(vec![p]));
        assert_eq!((f.categories[0].found.right, f.categories[0].found.of), (1, 1));
        assert_eq!((f.categories[1].found.right, f.categories[1].found.of), (0, 2));
        // All of one category and none of the other; there is none of the third.
        assert!(f.map50.is_some_and(|v| (v - 0.5).abs() < 1e-6), "{:?}", f.map50);
        let has = |words: &str| f.warnings.iter().any(|w| w.contains(words));
        assert!(has("labeled, with 3 objects"), "{:?}", f.warnings);
        assert!(
            has("fewer than 5 objects to learn from; outline more of it"),
            "{:?}",
            f.warnings
        );
        assert!(has("1 category has no objects"), "{:?}", f.warnings);
    }

    #[test]
    fn thresholds_keep_what_is_asked() {
        // Sure ones are right, of the others every second.
        let pictures = (0..60).map(|n| {
            let sure = n as f32 * 1e-3;
            let half = if n % 2 == 0 { [1, 1, 0, 0] } else { [0, 0, 1, 1] };
            JudgedObjects {
                right: vec![object(0, 0.0, [1; 4]), object(1, 0.5, [1, 1, 0, 0])],
                found: vec![
                    (object(0, 0.02, [1; 4]), 0.8 + sure),
                    (object(1, 0.5, half), 0.4 + sure),
                ],
            }
        });
        let (chosen, f) = judge(&report(pictures.collect()));
        assert!(chosen[0].is_some_and(|t| t < 0.85), "{chosen:?}");
        assert!(chosen[1].is_none_or(|t| t > 0.44), "{chosen:?}");
        assert_eq!(chosen[2], None);
        assert!(f.proposed.value().unwrap() >= 0.8, "{f:?}");
        assert_eq!((f.covered.of, f.holdout, f.miou), (120, 60, None));
        let (chosen, f) = judge(&report(Vec::new()));
        assert_eq!((chosen, f.map50), (vec![None; 3], None));
    }
}
