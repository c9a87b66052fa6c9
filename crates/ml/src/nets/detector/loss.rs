//! How wrong a detector is. Dense arithmetic only: every cell is computed, and a mask tells which count.

use super::{REACH, REACH_LOG, Said};
use crate::nets::learn::Losses;
use crate::nets::plan::Plan;
use burn::tensor::activation::{log_sigmoid, sigmoid};
use burn::tensor::{Tensor, TensorData};

/// How much a wrong box counts beside a wrong centre.
const BOX_SHARE: f64 = 2.0;

/// What is right for every cell, as [`super::targets`] writes it.
pub(super) struct Cells {
    pub centres: Vec<f32>,
    pub ways: Vec<f32>,
    pub mask: Vec<f32>,
}

pub(super) fn losses(said: Said, right: &Cells, plan: &Plan) -> Losses {
    let device = said.centres.device();
    let [n, categories, h, w] = said.centres.dims();
    let like = |values: &[f32], shape: [usize; 4]| {
        Tensor::<4>::from_data(TensorData::new(values.to_vec(), shape), &device)
    };
    let maps = right.centres.chunks(h * w).zip(plan.weights.iter().cycle());
    let found: f32 = maps
        .map(|(map, weight)| weight * map.iter().filter(|v| **v == 1.0).count() as f32)
        .sum();
    let centres = centres(
        said.centres,
        like(&right.centres, [n, categories, h, w]),
        like(&plan.weights, [1, categories, 1, 1]),
    )
    .div_scalar(found.max(1.0));
    let cells = right.mask.iter().sum::<f32>().max(1.0);
    let overlap = boxes(said.ways, like(&right.ways, [n, 4, h, w]));
    let overlap = (overlap * like(&right.mask, [n, 1, h, w]))
        .sum()
        .div_scalar(cells);
    Losses {
        total: centres.clone() + overlap.clone().mul_scalar(BOX_SHARE),
        parts: vec![("loss_centre", centres), ("loss_box", overlap)],
    }
}

/// The focal loss of CenterNet, alpha 2 and beta 4: cells near a centre are less wrong. `weights` are the categories', `[1, categories, 1, 1]`.
fn centres(said: Tensor<4>, right: Tensor<4>, weights: Tensor<4>) -> Tensor<1> {
    let p = sigmoid(said.clone());
    let is_centre = right.clone().equal_elem(1.0).float();
    let apart = right.neg().add_scalar(1.0);
    let apart = apart.clone() * apart;
    let apart = apart.clone() * apart;
    let miss = p.clone().neg().add_scalar(1.0);
    let of_centres = miss.clone() * miss * log_sigmoid(said.clone()) * is_centre;
    // Where a centre is, this is zero by itself.
    let of_rest = p.clone() * p * log_sigmoid(said.neg()) * apart;
    ((of_centres + of_rest) * weights).sum().neg()
}

/// One minus the generalised intersection over union (Rezatofighi et al. 2019), `[n, 1, h, w]`.
fn boxes(said: Tensor<4>, right: Tensor<4>) -> Tensor<4> {
    let said = said.clamp(REACH_LOG.0, REACH_LOG.1).exp().mul_scalar(REACH);
    let side = |of: &Tensor<4>, k: usize| of.clone().narrow(1, k, 1);
    let area = |of: &Tensor<4>| (side(of, 0) + side(of, 2)) * (side(of, 1) + side(of, 3));
    let both = said.clone().min_pair(right.clone());
    let around = said.clone().max_pair(right.clone());
    let both = area(&both);
    let around = area(&around);
    let union = area(&said) + area(&right) - both.clone();
    let overlap = both / union.clone();
    let rest = (around.clone() - union) / around;
    (overlap - rest).neg().add_scalar(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn tensor(values: [f32; 4]) -> Tensor<4> {
        Tensor::from_data(TensorData::new(values.to_vec(), [1, 4, 1, 1]), &Device::flex())
    }

    fn wrong(said: [f32; 4], right: [f32; 4]) -> f32 {
        boxes(tensor(said.map(|v| (v / REACH).ln())), tensor(right)).into_scalar::<f32>()
    }

    #[test]
    fn boxes_that_fit_are_not_wrong_whatever_their_size() {
        for side in [4.0, 40.0, 400.0] {
            assert!(wrong([side; 4], [side; 4]).abs() < 1e-5);
            // Half the area.
            let half = wrong([side, side, 0.5 * side, 0.5 * side], [side; 4]);
            assert!((half - (1.0 - 0.5625)).abs() < 1e-4, "{half}");
        }
    }

    #[test]
    fn a_sure_right_centre_costs_nothing() {
        let weighed = |z: f32, right: f32, weight: f32| {
            let t = |v: f32| Tensor::<4>::from_data(TensorData::new(vec![v], [1, 1, 1, 1]), &Device::flex());
            centres(t(z), t(right), t(weight)).into_scalar::<f32>()
        };
        let one = |z, right| weighed(z, right, 1.0);
        assert!((weighed(0.5, 1.0, 3.0) - 3.0 * one(0.5, 1.0)).abs() < 1e-5);
        assert!(one(9.0, 1.0) < 1e-3 && one(-9.0, 0.0) < 1e-3);
        assert!(one(-9.0, 1.0) > 8.0 && one(9.0, 0.0) > 8.0);
        assert!(one(9.0, 0.9) < 1e-2, "beside a centre");
    }
}
