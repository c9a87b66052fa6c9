//! How good proposed boxes are, and from which confidence on they are good enough.
//!
//! Every found box of the holdout's pictures becomes something judged ([`Judged`]), and the thresholds are chosen as for categories. As there
//! is no cross-validation of networks, which would train several times as long, the same few pictures would both choose and judge: what is
//! told of a threshold comes from pictures that had no say in it.

use crate::judge::{Judged, bins, confusions, passes, thresholds};
use crate::nets::overlap;
use crate::tree::Tree;
use limn_domain::assist::{Basis, CategoryFigures, Figures, Share};
use limn_services::assist::port::{JudgedBoxes, JudgedPicture};

/// A found box is right from this overlap on (intersection over union).
const RIGHT: f32 = 0.5;
/// Boxes below this confidence are noise that nobody would show.
const LEAST: f32 = 0.05;
/// So many parts of the pictures are judged by thresholds that the others chose.
const PARTS: usize = 10;
/// Holdouts with less than this say little.
const PICTURES_FEW: usize = 10;
const BOXES_FEW: usize = 30;

/// Thresholds of the categories, and the figures.
pub fn judge(of: &JudgedBoxes) -> (Vec<Option<f32>>, Figures) {
    let classes = of.categories.len();
    let judged: Vec<Vec<Judged>> = of.pictures.iter().map(matched).collect();
    let all: Vec<Judged> = judged.iter().flatten().cloned().collect();
    let chosen = thresholds(&all, &Tree::flat(classes), false, of.accuracy);
    let sure = passing(&judged, classes, of.accuracy);
    let shown: Vec<&Judged> = all
        .iter()
        .filter(|j| j.said.iter().all(|c| j.confidence >= of.worth[*c]))
        .collect();
    let every: Vec<&Judged> = all.iter().collect();
    let (bins, calibration_error) = bins(&every);
    let mut there = vec![0_i64; classes];
    for b in of.pictures.iter().flat_map(|p| &p.right) {
        there[b.category] += 1;
    }
    let wanted: i64 = there.iter().sum();
    let right = |list: &[&Judged]| list.iter().filter(|j| j.is == j.said).count() as i64;
    let figures = Figures {
        basis: Basis::Holdout,
        trained_on: of.trained_on,
        holdout: of.pictures.len() as i64,
        accuracy: Share::new(right(&shown), shown.len() as i64),
        proposed: Share::new(right(&sure), sure.len() as i64),
        covered: Share::new(right(&sure), wanted),
        map50: of.map50,
        calibration_error,
        bins,
        categories: (0..classes)
            .map(|c| {
                let of_it = |list: &[&Judged]| {
                    let list: Vec<&Judged> = list.iter().filter(|j| j.said == [c]).copied().collect();
                    (right(&list), list.len() as i64)
                };
                let (found, (good, proposed)) = (of_it(&shown).0, of_it(&sure));
                CategoryFigures {
                    category_id: of.categories[c],
                    trained_on: of.trained_boxes[c],
                    found: Share::new(found, there[c]),
                    threshold: chosen[c].map(f64::from),
                    proposed: Share::new(good, proposed),
                    covered: Share::new(good, there[c]),
                }
            })
            .collect(),
        confusions: confusions(&of.categories, &Tree::flat(classes), &shown),
        warnings: warnings(of, wanted, &chosen),
    };
    (chosen, figures)
}

/// The found boxes of a picture, each with what it lies on: a box of its own category that no surer one has taken, else a box of another
/// category, else nothing.
fn matched(p: &JudgedPicture) -> Vec<Judged> {
    let mut taken = vec![false; p.right.len()];
    let over = |b, k: usize| overlap(b, &p.right[k]);
    let best = |b, allowed: &dyn Fn(usize) -> bool| {
        (0..p.right.len())
            .filter(|k| allowed(*k) && over(b, *k) >= RIGHT)
            .max_by(|x, y| over(b, *x).total_cmp(&over(b, *y)))
    };
    let found = p.found.iter().filter(|(_, score)| *score >= LEAST);
    found
        .map(|(b, score)| {
            let own = best(b, &|k| !taken[k] && p.right[k].category == b.category);
            let other = || best(b, &|k| p.right[k].category != b.category);
            if let Some(k) = own {
                taken[k] = true;
            }
            Judged {
                is: own
                    .or_else(other)
                    .map(|k| p.right[k].category)
                    .into_iter()
                    .collect(),
                said: vec![b.category],
                confidence: *score,
                ways: Vec::new(),
                holdout: true,
            }
        })
        .collect()
}

/// Those that pass thresholds chosen without their picture.
fn passing(judged: &[Vec<Judged>], classes: usize, accuracy: f64) -> Vec<&Judged> {
    let parts = PARTS.min(judged.len());
    let mut out = Vec::new();
    for part in 0..parts {
        let others: Vec<Judged> = judged
            .iter()
            .enumerate()
            .filter(|(n, _)| n % parts != part)
            .flat_map(|(_, j)| j.iter().cloned())
            .collect();
        let chosen = thresholds(&others, &Tree::flat(classes), false, accuracy);
        let own = judged.iter().skip(part).step_by(parts).flatten();
        out.extend(own.filter(|j| passes(&j.said, j.confidence, &chosen)));
    }
    out
}

fn warnings(of: &JudgedBoxes, wanted: i64, chosen: &[Option<f32>]) -> Vec<String> {
    let mut out = Vec::new();
    let pictures = of.pictures.len();
    if pictures < PICTURES_FEW || wanted < BOXES_FEW as i64 {
        out.push(format!(
            "Only {pictures} {} of the holdout {} labeled, with {wanted} boxes; from {PICTURES_FEW} pictures and {BOXES_FEW} boxes on the figures say more.",
            if pictures == 1 { "picture" } else { "pictures" },
            if pictures == 1 { "is" } else { "are" },
        ));
    }
    let few = of.trained_boxes.iter().filter(|n| (1..5).contains(*n)).count();
    if few > 0 {
        out.push(format!(
            "{few} {} fewer than 5 boxes to learn from; draw more of {}.",
            if few == 1 {
                "category has"
            } else {
                "categories have"
            },
            if few == 1 { "it" } else { "them" }
        ));
    }
    let none = of.trained_boxes.iter().filter(|n| **n == 0).count();
    if none > 0 {
        out.push(format!(
            "{none} {} no boxes to learn from yet and cannot be proposed.",
            if none == 1 {
                "category has"
            } else {
                "categories have"
            }
        ));
    }
    if chosen.iter().all(Option::is_none) {
        out.push(
            "No confidence meets the accuracy that is asked for; nothing is proposed until there are more labels, or less is asked for."
                .to_owned(),
        );
    }
    out
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
