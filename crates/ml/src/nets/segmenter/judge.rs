//! How many pixels are what they are said to be.

use super::THRESHOLD;
use crate::nets::learn::Judgement;
use crate::nets::plan::Design;
use limn_services::training::port::{PixelMap, Prediction};

/// Judges what was said of every pixel. The last row and column of the confusion stand for "nothing"; figures are shares of pixels at the size at
/// which the network speaks, all pictures together, as PASCAL's intersection over union is counted.
pub(in crate::nets) fn judge(right: &[&PixelMap], said: &[Prediction], design: &Design) -> Judgement {
    let k = design.categories;
    let mut confusion = vec![vec![0_u64; k + 1]; k + 1];
    for (right, said) in right.iter().zip(said) {
        let Prediction::Pixels { map, .. } = said else {
            continue;
        };
        let class = |c: u8| {
            if c == PixelMap::NOTHING {
                k
            } else {
                usize::from(c).min(k)
            }
        };
        let truth = right.scaled(map.width, map.height);
        for (r, s) in truth.into_iter().zip(map.pixels()) {
            confusion[class(r)][class(s)] += 1;
        }
    }
    let row = |c: usize| confusion[c].iter().sum::<u64>();
    let column = |c: usize| confusion.iter().map(|r| r[c]).sum::<u64>();
    let by_category: Vec<Option<f64>> = (0..k)
        .map(|c| {
            let both = confusion[c][c];
            let all = row(c) + column(c) - both;
            // Of what is nowhere there is nothing to find.
            (row(c) > 0).then(|| both as f64 / all.max(1) as f64)
        })
        .collect();
    let known: Vec<f64> = by_category.iter().flatten().copied().collect();
    let total: u64 = (0..=k).map(row).sum();
    let right: u64 = (0..=k).map(|c| confusion[c][c]).sum();
    let mut figures = Vec::new();
    if !known.is_empty() {
        figures.push(("mIoU".to_owned(), known.iter().sum::<f64>() / known.len() as f64));
    }
    if total > 0 {
        figures.push(("pixel_accuracy".to_owned(), right as f64 / total as f64));
    }
    Judgement {
        figures,
        by_category,
        confusion,
        threshold: vec![THRESHOLD; k],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_services::training::port::TrainTask;

    #[test]
    fn pixels_are_counted_by_category() {
        let design = Design {
            task: TrainTask::Segmentation,
            categories: 3,
            width: 64,
            height: 64,
            backbone: None,
        };
        let n = PixelMap::NOTHING;
        let right = PixelMap::new(4, 2, &[0, 0, 0, 0, 1, 1, n, n]);
        let said = Prediction::Pixels {
            map: PixelMap::new(4, 2, &[0, 0, 0, 1, 1, n, n, 2]),
            sure: vec![0.9, 0.8, 0.7],
        };
        let j = judge(&[&right], &[said], &design);
        assert_eq!(
            j.confusion,
            [[3, 1, 0, 0], [0, 1, 0, 1], [0, 0, 0, 0], [0, 0, 1, 1]]
        );
        assert_eq!(j.by_category, [Some(0.75), Some(1.0 / 3.0), None]);
        assert!((j.figures[0].1 - f64::midpoint(0.75, 1.0 / 3.0)).abs() < 1e-9);
        assert_eq!(j.figures[1], ("pixel_accuracy".to_owned(), 5.0 / 8.0));
    }
}
