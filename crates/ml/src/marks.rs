//! How good proposed marks are, boxes, objects, masks or spans, and from which confidence on they are good enough.
//!
//! Every mark found in the holdout becomes something judged ([`Judged`]), and the thresholds are chosen as for categories. As there is no
//! cross-validation here, the same few items would both choose and judge: what is told of a threshold comes from items that had no say in it.

use crate::judge::{Judged, bins, confusions, passes, thresholds};
use crate::tree::Tree;
use limn_domain::CategoryId;
use limn_domain::assist::{Basis, CategoryFigures, Figures, Share};

/// So many parts of the items are judged by thresholds that the others chose.
const PARTS: usize = 10;
/// Confidence from which marks are worth showing where nothing tells.
pub const WORTH: f32 = limn_services::assist::port::WORTH;
/// Holdouts with less than this say little.
const ITEMS_FEW: usize = 10;
const MARKS_FEW: usize = 30;

/// What a model found in the holdout.
pub struct Marks<'a> {
    /// Of each item what was found there, laid on what people marked.
    pub judged: &'a [Vec<Judged>],
    /// What people marked there, by category.
    pub there: &'a [i64],
    pub categories: &'a [CategoryId],
    /// Items it was trained on, and marks of each category in them.
    pub trained_on: i64,
    pub trained: &'a [i64],
    /// Of each category, from which confidence on its marks are worth showing.
    pub worth: &'a [f32],
    pub map50: Option<f64>,
    /// Accuracy that proposals must have.
    pub accuracy: f64,
    pub words: Words,
}

/// What all of that is called.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    pub item: &'static str,
    pub items: &'static str,
    pub mark: &'static str,
    pub marks: &'static str,
    /// What people do to make one.
    pub make: &'static str,
}

/// Thresholds of the categories, and the figures.
pub fn judge(of: &Marks<'_>) -> (Vec<Option<f32>>, Figures) {
    let classes = of.categories.len();
    let all: Vec<Judged> = of.judged.iter().flatten().cloned().collect();
    let chosen = thresholds(&all, &Tree::flat(classes), false, of.accuracy);
    let sure = passing(of.judged, classes, of.accuracy);
    let shown: Vec<&Judged> = all
        .iter()
        .filter(|j| j.said.iter().all(|c| j.confidence >= of.worth[*c]))
        .collect();
    let every: Vec<&Judged> = all.iter().collect();
    let (bins, calibration_error) = bins(&every);
    let wanted: i64 = of.there.iter().sum();
    let right = |list: &[&Judged]| list.iter().filter(|j| j.is == j.said).count() as i64;
    let figures = Figures {
        basis: Basis::Holdout,
        trained_on: of.trained_on,
        holdout: of.judged.len() as i64,
        accuracy: Share::new(right(&shown), shown.len() as i64),
        proposed: Share::new(right(&sure), sure.len() as i64),
        covered: Share::new(right(&sure), wanted),
        map50: of.map50,
        miou: None,
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
                    trained_on: of.trained[c],
                    found: Share::new(found, of.there[c]),
                    threshold: chosen[c].map(f64::from),
                    proposed: Share::new(good, proposed),
                    covered: Share::new(good, of.there[c]),
                    iou: None,
                    worth: Some(f64::from(of.worth[c])),
                }
            })
            .collect(),
        confusions: confusions(of.categories, &Tree::flat(classes), &shown),
        warnings: warnings(of, wanted, &chosen),
    };
    (chosen, figures)
}

/// The found marks of an item, the surest first, each with what it lies on: one of its own category that no surer one has taken, else one of another
/// category, else nothing. `right` has the categories of those that people made, `found` also how sure each is, `over` how much two share.
pub fn laid(
    right: &[usize],
    found: &[(usize, f32)],
    least: f32,
    over: impl Fn(usize, usize) -> f32,
) -> Vec<Judged> {
    let mut taken = vec![false; right.len()];
    let best = |n: usize, allowed: &dyn Fn(usize) -> bool| {
        (0..right.len())
            .filter(|k| allowed(*k) && over(n, *k) >= least)
            .max_by(|x, y| over(n, *x).total_cmp(&over(n, *y)))
    };
    let each = found.iter().enumerate();
    each.map(|(n, (category, score))| {
        let own = best(n, &|k| !taken[k] && right[k] == *category);
        let other = || best(n, &|k| right[k] != *category);
        let is = own.or_else(other).map(|k| right[k]);
        if let Some(k) = own {
            taken[k] = true;
        }
        Judged {
            is: is.into_iter().collect(),
            said: vec![*category],
            confidence: *score,
            ways: Vec::new(),
            holdout: true,
        }
    })
    .collect()
}

/// From which confidence on marks of a category are worth showing: the best balance of found and mistaken ones (F1). `there`: how many people made.
pub fn worth(all: &[&Judged], category: usize, there: i64) -> f32 {
    let mut of: Vec<&Judged> = all.iter().copied().filter(|j| j.said == [category]).collect();
    of.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let (mut right, mut best) = (0_i64, (0.0, WORTH));
    for (n, j) in of.iter().enumerate() {
        right += i64::from(j.is == j.said);
        let f1 = 2.0 * right as f64 / (n as i64 + 1 + there) as f64;
        if f1 > best.0 {
            best = (f1, j.confidence);
        }
    }
    best.1
}

/// Those that pass thresholds chosen without their item.
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

fn warnings(of: &Marks<'_>, wanted: i64, chosen: &[Option<f32>]) -> Vec<String> {
    let Words {
        item,
        items,
        mark,
        marks,
        make,
    } = of.words;
    let mut out = Vec::new();
    let n = of.judged.len();
    if n < ITEMS_FEW || wanted < MARKS_FEW as i64 {
        out.push(format!(
            "Only {n} {} of the holdout {} labeled, with {wanted} {}; from {ITEMS_FEW} {items} and {MARKS_FEW} {marks} on the figures say more.",
            if n == 1 { item } else { items },
            if n == 1 { "is" } else { "are" },
            if wanted == 1 { mark } else { marks },
        ));
    }
    let few = of.trained.iter().filter(|n| (1..5).contains(*n)).count();
    if few > 0 {
        out.push(format!(
            "{few} {} fewer than 5 {marks} to learn from; {make} more of {}.",
            if few == 1 {
                "category has"
            } else {
                "categories have"
            },
            if few == 1 { "it" } else { "them" }
        ));
    }
    let none = of.trained.iter().filter(|n| **n == 0).count();
    if none > 0 {
        out.push(format!(
            "{none} {} no {marks} to learn from yet and cannot be proposed.",
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
