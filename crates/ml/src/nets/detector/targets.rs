//! What the network should say of every cell.

use super::CELL;
use crate::nets::learn::Targets;
use crate::nets::plan::Design;
use limn_services::training::port::NetBox;

/// How far around a centre cells are half right: this share of the box's side, but at least this share of a cell.
const SPREAD: f32 = 0.15;
const SPREAD_MIN: f32 = 0.6;

/// For a batch of pictures, each with its boxes; `weights` says how much a box of each category counts.
pub(in crate::nets) fn targets(pictures: &[Vec<NetBox>], design: &Design, weights: &[f32]) -> Targets {
    let (across, down) = (design.width / CELL, design.height / CELL);
    let cells = across * down;
    let n = pictures.len();
    let mut centres = vec![0.0; n * design.categories * cells];
    let mut ways = vec![1.0; n * 4 * cells];
    let mut mask = vec![0.0; n * cells];
    for (i, boxes) in pictures.iter().enumerate() {
        let mut one = One {
            weights,
            across,
            down,
            pixels: (design.width as f32, design.height as f32),
            centres: &mut centres[i * design.categories * cells..][..design.categories * cells],
            ways: &mut ways[i * 4 * cells..][..4 * cells],
            mask: &mut mask[i * cells..][..cells],
        };
        let mut boxes: Vec<&NetBox> = boxes.iter().collect();
        // Where two lie over each other, the smaller one has the cell: the larger one has others.
        boxes.sort_by(|a, b| (b.width * b.height).total_cmp(&(a.width * a.height)));
        for b in boxes {
            one.draw(b);
        }
    }
    Targets::Boxes { centres, ways, mask }
}

struct One<'a> {
    weights: &'a [f32],
    across: usize,
    down: usize,
    pixels: (f32, f32),
    centres: &'a mut [f32],
    ways: &'a mut [f32],
    mask: &'a mut [f32],
}

impl One<'_> {
    fn draw(&mut self, b: &NetBox) {
        let cell = CELL as f32;
        let (x0, y0) = (b.x * self.pixels.0, b.y * self.pixels.1);
        let (w, h) = (b.width * self.pixels.0, b.height * self.pixels.1);
        let place = |at: f32, n: usize| ((at / cell) as usize).min(n - 1);
        let (ci, cj) = (place(x0 + w / 2.0, self.across), place(y0 + h / 2.0, self.down));
        let cells = self.across * self.down;
        let map = &mut self.centres[b.category * cells..][..cells];
        let spread = |side: f32| (SPREAD * side / cell).max(SPREAD_MIN);
        let (sx, sy) = (spread(w), spread(h));
        for j in 0..self.down {
            let dy = (j as f32 - cj as f32) / sy;
            if dy.abs() > 4.0 {
                continue;
            }
            for i in 0..self.across {
                let dx = (i as f32 - ci as f32) / sx;
                let near = (-0.5 * (dx * dx + dy * dy)).exp();
                let at = &mut map[j * self.across + i];
                *at = at.max(near);
            }
        }
        for j in cj.saturating_sub(1)..=(cj + 1).min(self.down - 1) {
            for i in ci.saturating_sub(1)..=(ci + 1).min(self.across - 1) {
                let (x, y) = ((i as f32 + 0.5) * cell, (j as f32 + 0.5) * cell);
                let ways = [x - x0, y - y0, x0 + w - x, y0 + h - y];
                let is_centre = (i, j) == (ci, cj);
                // A neighbour outside of a small box could not reach it.
                if !is_centre && ways.iter().any(|v| *v < 1.0) {
                    continue;
                }
                let at = j * self.across + i;
                for (k, way) in ways.iter().enumerate() {
                    self.ways[k * cells + at] = way.max(0.5);
                }
                self.mask[at] = self.weights[b.category];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_services::training::port::TrainTask;

    #[test]
    fn a_box_has_one_sure_centre_and_cells_that_reach_its_sides() {
        let design = Design {
            task: TrainTask::Detection,
            categories: 2,
            width: 64,
            height: 32,
            backbone: None,
        };
        let b = |category, x, y, width, height| NetBox {
            category,
            x,
            y,
            width,
            height,
        };
        let whole = b(1, 0.0, 0.0, 1.0, 1.0);
        let small = b(0, 0.5, 0.5, 0.05, 0.1);
        let Targets::Boxes { centres, ways, mask } = targets(&[vec![small, whole]], &design, &[2.0, 1.0])
        else {
            panic!("boxes");
        };
        let cells = 8 * 4;
        assert_eq!(centres.iter().filter(|v| **v == 1.0).count(), 2);
        let at = 2 * 8 + 4;
        assert_eq!((centres[at], centres[cells + at]), (1.0, 1.0));
        // The small one has the cell in the middle, its neighbours reach the whole picture's edges.
        assert_eq!(mask.iter().sum::<f32>(), 10.0);
        assert_eq!(mask[at], 2.0, "the small one is of a category that counts twice");
        assert!(ways[at] > 3.0 && ways[at] < 5.0, "{}", ways[at]);
        let left = at - 1;
        assert_eq!(
            [0, 1, 2, 3].map(|k| ways[k * cells + left]),
            [28.0, 20.0, 36.0, 12.0]
        );
    }
}
