//! How good objects are that were found and cut out of their boxes: by the pixels that they share with what people outlined.

use super::{Beat, Cutter, colored};
use crate::nets::data::sound;
use crate::nets::detector;
use crate::nets::learn::Judgement;
use crate::nets::plan::Design;
use crate::nets::sheet::{self, Sheet};
use limn_services::training::port::{Cutout, EngineError, Examples, NetBox, Prediction};

/// How far what is cut out reaches beyond its box at most: as a share of the side, and in pixels. More than it does.
const REACH: (f32, f32) = (0.25, 4.0);
/// What is found is right from this overlap on, at the least.
const RIGHT: f32 = 0.5;

/// Judges boxes that were said of these examples, and what is cut out of them.
pub(in crate::nets) fn judge(
    examples: &dyn Examples,
    which: &[usize],
    said: &[Prediction],
    cutter: &Cutter,
    design: &Design,
    beat: &mut Beat<'_>,
) -> Result<Judgement, EngineError> {
    let right: Vec<&[NetBox]> = which.iter().map(|n| examples.truth(*n).boxes()).collect();
    let boxes = detector::judge(&right, said, design);
    let mut sheets = Vec::with_capacity(which.len());
    for (n, said) in which.iter().zip(said) {
        let found = match said {
            Prediction::Boxes(list) => list.as_slice(),
            Prediction::Categories(_) | Prediction::Pixels { .. } => &[],
        };
        sheets.push(laid(examples, *n, found, cutter)?);
        beat()?;
    }
    let whole = sheet::precision(&sheets, 0..design.categories);
    let of = |name: &str, v: Option<f64>| v.map(|v| (name.to_owned(), v));
    let masks = [
        of("mask_mAP", whole.ap),
        of("mask_mAP50", whole.ap50),
        of("mask_mAP75", whole.ap75),
        of("mask_AR100", whole.ar100),
    ];
    let boxes = boxes.figures.into_iter();
    let boxes = boxes.map(|(name, v)| (format!("box_{name}"), v));
    let each = 0..design.categories;
    let worth = |c: usize| sheet::worth(&sheets, c).unwrap_or(detector::THRESHOLD);
    let threshold: Vec<f32> = each.clone().map(worth).collect();
    Ok(Judgement {
        figures: masks.into_iter().flatten().chain(boxes).collect(),
        by_category: each.map(|c| sheet::precision(&sheets, [c]).ap50).collect(),
        confusion: sheet::confusion(&sheets, &threshold),
        threshold,
    })
}

/// What is cut out of the found boxes of a picture, on the outlines that are there. A network that has learned little finds a hundred boxes: what
/// cannot be right of any outline, whatever is cut out of it, is taken to share nothing with it.
fn laid(
    examples: &dyn Examples,
    n: usize,
    found: &[(NetBox, f32)],
    cutter: &Cutter,
) -> Result<Sheet, EngineError> {
    let right = examples.truth(n).outlines().iter();
    let right: Vec<&Cutout> = right.filter(|c| sound(&c.at).is_some()).collect();
    let categories = right.iter().map(|c| c.at.category).collect();
    let said = found.iter().map(|(b, score)| (b.category, *score)).collect();
    if right.is_empty() || found.is_empty() {
        return Ok(Sheet::new(categories, said, |_, _| 0.0));
    }
    let picture = examples.picture(n)?;
    let size = (picture.width as f32, picture.height as f32);
    let colors = colored(&picture)?;
    let filled: Vec<f32> = right.iter().map(|c| filled(c)).collect();
    let may = |n: usize, k: usize| may_match(&found[n].0, &right[k].at, filled[k], size);
    let cut = |n: usize| {
        let any = (0..right.len()).any(|k| may(n, k));
        any.then(|| cutter.cut(&colors, &found[n].0))
    };
    let cut: Vec<Option<Cutout>> = (0..found.len()).map(cut).collect();
    Ok(Sheet::new(categories, said, |n, k| match &cut[n] {
        Some(c) if may(n, k) => c.overlap(right[k]),
        _ => 0.0,
    }))
}

/// The share of its box that an object is.
fn filled(c: &Cutout) -> f32 {
    let places = c.places();
    places.iter().map(|v| f32::from(*v)).sum::<f32>() / places.len().max(1) as f32
}

/// Whether what is cut out of a box may share half of its pixels with an object, which is so much of another box, in a picture of this size: it has to
/// reach half of the object at least.
fn may_match(b: &NetBox, of: &NetBox, filled: f32, (width, height): (f32, f32)) -> bool {
    let along = |from: f32, side: f32, pixels: f32, low: f32, length: f32| {
        let margin = side * REACH.0 + REACH.1 / pixels;
        ((from + side + margin).min(low + length) - (from - margin).max(low)).max(0.0)
    };
    let x = along(b.x, b.width, width, of.x, of.width);
    let y = along(b.y, b.height, height, of.y, of.height);
    x * y >= RIGHT * filled * of.width * of.height
}

#[cfg(test)]
mod tests {
    use super::super::tests::{found, never, scenes};
    use super::*;
    use limn_services::training::port::TrainTask;

    #[test]
    fn objects_are_judged_by_what_is_cut_out_of_their_boxes() {
        let (train, valid) = (scenes(16, 7), scenes(6, 8));
        let cutter = Cutter::fit(&train, 2, &mut never()).unwrap();
        let design = Design {
            task: TrainTask::InstanceSegmentation,
            categories: 2,
            width: 160,
            height: 128,
            backbone: None,
        };
        let which: Vec<usize> = (0..6).collect();
        let judged =
            |said: &[Prediction]| judge(&valid, &which, said, &cutter, &design, &mut never()).unwrap();
        let each = |how: fn(&NetBox) -> (NetBox, f32)| -> Vec<Prediction> {
            let of = |n: &usize| Prediction::Boxes(valid.truth(*n).boxes().iter().map(how).collect());
            which.iter().map(of).collect()
        };
        let figure = |j: &Judgement, name: &str| {
            let known = j.figures.iter().find(|f| f.0 == name);
            known.unwrap_or_else(|| panic!("{name} of {:?}", j.figures)).1
        };

        let good = judged(&each(|b| (found(b), 0.9)));
        assert_eq!(good.figures.len(), 8);
        assert!(figure(&good, "mask_mAP50") > 0.8, "{:?}", good.figures);
        assert!(figure(&good, "box_mAP50") > 0.99, "{:?}", good.figures);
        // A triangle that was cut out well is not cut out to the pixel.
        assert!(
            (0.3..0.999).contains(&figure(&good, "mask_mAP")),
            "{:?}",
            good.figures
        );
        let c = &good.confusion;
        assert!(
            c.len() == 3 && c[0][0] + c[1][1] >= 10 && c[0][1] + c[1][0] == 0,
            "{c:?}"
        );

        // Beside what is there nothing is found.
        let beside = judged(&each(|b| {
            (
                NetBox {
                    y: 0.97,
                    height: 0.02,
                    ..*b
                },
                0.9,
            )
        }));
        assert!(figure(&beside, "mask_mAP50") < 1e-6 && figure(&beside, "box_mAP") < 1e-6);
        assert_eq!(beside.threshold, [detector::THRESHOLD; 2]);
        assert_eq!(beside.confusion[0][2] + beside.confusion[1][2], 12);
    }

    #[test]
    fn only_what_cannot_be_right_is_passed_over() {
        let at = |x, width| NetBox {
            category: 0,
            x,
            y: 0.4,
            width,
            height: 0.2,
        };
        let size = (100.0, 100.0);
        let may = |x, width, filled| may_match(&at(x, width), &at(0.4, 0.2), filled, size);
        assert!(may(0.4, 0.2, 1.0) && may(0.3, 0.2, 1.0) && may(0.0, 1.0, 1.0));
        // It reaches nine pixels of the twenty, which may be half of what is there.
        assert!(!may(0.2, 0.2, 1.0) && may(0.2, 0.2, 0.8));
        assert!(!may(0.0, 0.2, 0.1) && !may(0.8, 0.2, 0.1));
        let half = Cutout::new(at(0.1, 0.2), 2, 2, &[1, 0, 0, 1]).unwrap();
        assert_eq!(filled(&half), 0.5);
    }
}
