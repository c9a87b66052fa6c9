//! How good proposed boxes are: what those found in the holdout's pictures lie on. The rest is as for all marks ([`marks`]).

use crate::judge::Judged;
use crate::marks::{self, Marks, Words};
use crate::nets::overlap;
use limn_domain::assist::Figures;
use limn_services::assist::port::{JudgedBoxes, JudgedPicture};

/// A found box is right from this overlap on (intersection over union).
const RIGHT: f32 = 0.5;
/// Boxes below this confidence are noise that nobody would show.
const LEAST: f32 = 0.05;
const WORDS: Words = Words {
    item: "picture",
    items: "pictures",
    mark: "box",
    marks: "boxes",
    make: "draw",
};

/// Thresholds of the categories, and the figures.
pub fn judge(of: &JudgedBoxes) -> (Vec<Option<f32>>, Figures) {
    let judged: Vec<Vec<Judged>> = of.pictures.iter().map(matched).collect();
    let mut there = vec![0_i64; of.categories.len()];
    for b in of.pictures.iter().flat_map(|p| &p.right) {
        there[b.category] += 1;
    }
    marks::judge(&Marks {
        judged: &judged,
        there: &there,
        categories: &of.categories,
        trained_on: of.trained_on,
        trained: &of.trained_boxes,
        worth: &of.worth,
        map50: of.map50,
        accuracy: of.accuracy,
        words: WORDS,
    })
}

/// The found boxes of a picture, each with the box it lies on.
fn matched(p: &JudgedPicture) -> Vec<Judged> {
    let found: Vec<_> = p.found.iter().filter(|(_, score)| *score >= LEAST).collect();
    let right: Vec<usize> = p.right.iter().map(|b| b.category).collect();
    let said: Vec<(usize, f32)> = found.iter().map(|(b, score)| (b.category, *score)).collect();
    marks::laid(&right, &said, RIGHT, |n, k| overlap(&found[n].0, &p.right[k]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_domain::CategoryId;
    use limn_services::training::port::NetBox;

    fn at(category: usize, x: f32) -> NetBox {
        NetBox {
            category,
            x,
            y: 0.1,
            width: 0.1,
            height: 0.1,
        }
    }

    fn report(pictures: Vec<JudgedPicture>) -> JudgedBoxes {
        JudgedBoxes {
            pictures,
            categories: vec![CategoryId::new(), CategoryId::new()],
            trained_on: 12,
            trained_boxes: vec![30, 0],
            worth: vec![0.3, 0.3],
            map50: Some(0.5),
            accuracy: 0.8,
        }
    }

    #[test]
    fn boxes_lie_on_their_own_first_then_on_others_then_on_nothing() {
        let p = JudgedPicture {
            right: vec![at(0, 0.1), at(1, 0.5)],
            found: vec![
                (at(0, 0.11), 0.9),
                // A second one on the same box is one too many.
                (at(0, 0.1), 0.8),
                (at(0, 0.5), 0.7),
                (at(0, 0.8), 0.6),
                (at(0, 0.8), 0.01),
            ],
        };
        let is: Vec<Vec<usize>> = matched(&p).into_iter().map(|j| j.is).collect();
        assert_eq!(is, [vec![0], vec![], vec![1], vec![]]);
        let (_, f) = judge(&report(vec![p]));
        assert_eq!((f.accuracy.right, f.accuracy.of), (1, 4));
        assert_eq!((f.categories[0].found.right, f.categories[0].found.of), (1, 1));
        assert_eq!((f.categories[1].found.right, f.categories[1].found.of), (0, 1));
        assert_eq!(f.categories[0].worth, Some(f64::from(0.3_f32)));
        assert_eq!((f.confusions.len(), f.confusions[0].items), (1, 1));
        assert!(
            f.warnings
                .iter()
                .any(|w| w.contains("Only 1 picture of the holdout is labeled"))
        );
        assert!(f.warnings.iter().any(|w| w.contains("1 category has no boxes")));
    }

    #[test]
    fn thresholds_keep_what_is_asked_and_figures_come_from_other_pictures() {
        // Sure ones are right nineteen times in twenty, the others every second time.
        let pictures = (0..40)
            .map(|n| JudgedPicture {
                right: vec![at(0, 0.1), at(0, 0.5)],
                found: vec![
                    (at(0, if n % 20 == 3 { 0.3 } else { 0.1 }), 0.8 + n as f32 * 1e-3),
                    (at(0, if n % 2 == 0 { 0.5 } else { 0.7 }), 0.4 + n as f32 * 1e-3),
                ],
            })
            .collect();
        let (chosen, f) = judge(&report(pictures));
        let t = chosen[0].unwrap();
        assert!((0.4..0.81).contains(&t), "{t}");
        assert_eq!(chosen[1], None);
        assert!(f.proposed.value().unwrap() >= 0.8, "{f:?}");
        assert!(f.covered.value().unwrap() >= 0.4, "{f:?}");
        assert_eq!(f.covered.of, 80);
        assert!(
            !f.warnings.iter().any(|w| w.contains("holdout")),
            "{:?}",
            f.warnings
        );
    }

    #[test]
    fn nothing_found_and_nothing_there_is_no_figure() {
        let (chosen, f) = judge(&report(Vec::new()));
        assert_eq!(chosen, [None, None]);
        assert_eq!(f.accuracy.value(), None);
        let empty = JudgedPicture {
            right: Vec::new(),
            found: Vec::new(),
        };
        let (_, f) = judge(&report(vec![empty]));
        assert_eq!((f.covered.of, f.holdout), (0, 1));
    }
}
