//! How good found boxes are.

use super::decode::share;
use crate::average_precision::{self as ap, Precision, average_precision};
use crate::nets::data::sound;
use crate::nets::learn::Judgement;
use crate::nets::plan::Design;
use crate::nets::sheet::{self, Sheet};
use limn_services::training::port::{NetBox, Prediction};

/// Worth showing where nothing is known.
pub(in crate::nets) const THRESHOLD: f32 = 0.3;

/// Judges what was said of pictures by what is right for them.
pub(in crate::nets) fn judge(right: &[&[NetBox]], said: &[Prediction], design: &Design) -> Judgement {
    let right: Vec<Vec<NetBox>> = right
        .iter()
        .map(|list| list.iter().filter_map(sound).collect())
        .collect();
    let nothing = Vec::new();
    let said: Vec<&[(NetBox, f32)]> = said
        .iter()
        .map(|p| match p {
            Prediction::Boxes(list) => list.as_slice(),
            Prediction::Categories(_) | Prediction::Pixels { .. } => nothing.as_slice(),
        })
        .collect();
    let whole = precision(&right, &said, design, None);
    let of = |name: &str, v: Option<f64>| v.map(|v| (name.to_owned(), v));
    let figures = [
        of("mAP", whole.ap),
        of("mAP50", whole.ap50),
        of("mAP75", whole.ap75),
        of("AR100", whole.ar100),
    ];
    let each = 0..design.categories;
    let sheets: Vec<Sheet> = right.iter().zip(&said).map(|(r, s)| laid(r, s)).collect();
    let worth = |c: usize| sheet::worth(&sheets, c).unwrap_or(THRESHOLD);
    let threshold: Vec<f32> = each.clone().map(worth).collect();
    Judgement {
        figures: figures.into_iter().flatten().collect(),
        by_category: each
            .map(|c| precision(&right, &said, design, Some(c)).ap50)
            .collect(),
        confusion: sheet::confusion(&sheets, &threshold),
        threshold,
    }
}

/// The found boxes of a picture on the right ones.
fn laid(right: &[NetBox], said: &[(NetBox, f32)]) -> Sheet {
    let categories = right.iter().map(|b| b.category).collect();
    let found = said.iter().map(|(b, score)| (b.category, *score)).collect();
    Sheet::new(categories, found, |n, k| share(&said[n].0, &right[k]))
}

/// COCO's figures, in pixels of the input, of one category or of all.
fn precision(
    right: &[Vec<NetBox>],
    said: &[&[(NetBox, f32)]],
    design: &Design,
    only: Option<usize>,
) -> Precision {
    let rect = |b: &NetBox| {
        let (w, h) = (design.width as f64, design.height as f64);
        let [x, y, bw, bh] = [b.x, b.y, b.width, b.height].map(f64::from);
        [x * w, y * h, bw * w, bh * h]
    };
    let wanted = |b: &NetBox| only.is_none_or(|c| b.category == c);
    let mut truths = Vec::new();
    let mut found = Vec::new();
    for (image, list) in right.iter().enumerate() {
        for b in list.iter().filter(|b| wanted(b)) {
            let rect = rect(b);
            truths.push(ap::Truth {
                image: image as u64,
                category: b.category as u64,
                rect,
                area: rect[2] * rect[3],
                crowd: false,
            });
        }
    }
    for (image, list) in said.iter().enumerate() {
        for (b, score) in list.iter().filter(|(b, _)| wanted(b)) {
            found.push(ap::Found {
                image: image as u64,
                category: b.category as u64,
                rect: rect(b),
                score: f64::from(*score),
            });
        }
    }
    average_precision(&truths, &found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_services::training::port::TrainTask;

    fn b(category: usize, x: f32) -> NetBox {
        NetBox {
            category,
            x,
            y: 0.2,
            width: 0.2,
            height: 0.2,
        }
    }

    #[test]
    fn what_is_found_missed_mistaken_and_made_up() {
        let design = Design {
            task: TrainTask::Detection,
            categories: 3,
            width: 256,
            height: 192,
            backbone: None,
        };
        let right = [b(0, 0.0), b(1, 0.4), b(1, 0.7)];
        let said = vec![
            (b(0, 0.01), 0.9),
            (b(0, 0.41), 0.8),
            (b(1, 0.7), 0.7),
            (b(1, 0.2), 0.6),
        ];
        let j = judge(
            &[&right, &[]],
            &[Prediction::Boxes(said), Prediction::Boxes(Vec::new())],
            &design,
        );
        assert!(j.by_category[0].is_some_and(|v| v > 0.999));
        assert!(
            j.by_category[1].is_some_and(|v| (v - 0.5).abs() < 0.02),
            "{:?}",
            j.by_category
        );
        assert_eq!(j.by_category[2], None);
        assert!(j.threshold[0] < 0.9 && j.threshold[0] > 0.8);
        assert!(j.threshold[1] < 0.7 && j.threshold[1] > 0.6);
        assert_eq!(j.threshold[2], THRESHOLD);
        assert_eq!(
            j.confusion,
            [[1, 0, 0, 0], [0, 1, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0]]
        );
        assert_eq!(
            j.figures.iter().map(|f| f.0.as_str()).collect::<Vec<_>>(),
            ["mAP", "mAP50", "mAP75", "AR100"]
        );
    }
}
