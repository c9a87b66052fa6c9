//! What there is to say of every sample of a view.

use super::tables::Table;
use super::view::View;
use limn_vision::{Colors, Lab};

/// Numbers a sample, before anything is known of the others and after.
pub(super) const FIRST: usize = 6;
pub(super) const SECOND: usize = 9;
/// Samples of either side from which their colours are compared.
const FEW: usize = 6;
/// No colour says more than this, and no first opinion.
const COLOR_MOST: f64 = 4.0;
const ODDS_MOST: f32 = 6.0;

/// One; where it lies, for the category; its colour, for the category, and that of the samples around it; its colour beside the box's surroundings;
/// whether it lies outside the box.
pub(super) fn first(view: &View, table: Table<'_>) -> Vec<[f32; FIRST]> {
    let places: Vec<[f32; 2]> = (0..view.len()).map(|n| view.place(n)).collect();
    let shape: Vec<f32> = places.iter().map(|at| table.shape(*at)).collect();
    let color: Vec<f32> = view.lab.iter().map(|c| table.color(*c)).collect();
    let calm = around(view, &color, 1);
    let off = |n: usize| places[n][0].abs().max(places[n][1].abs());
    let alike = likeness(view, |n| {
        let is_object = shape[n] > 0.0 || off(n) < 0.3;
        if off(n) > 1.0 {
            Some(false)
        } else {
            is_object.then_some(true)
        }
    });
    (0..view.len())
        .map(|n| {
            let outside = f32::from(u8::from(off(n) > 1.0));
            [1.0, shape[n], color[n], calm[n], alike[n], outside]
        })
        .collect()
}

/// One; what was thought of it, and of what lies around it, near and wide; its colour beside what was thought to be the ground, and that of the samples
/// around it; then as before.
pub(super) fn second(view: &View, first: &[[f32; FIRST]], odds: &[f32]) -> Vec<[f32; SECOND]> {
    let sure: Vec<f32> = odds.iter().map(|v| 1.0 / (1.0 + (-v).exp()) - 0.5).collect();
    let longer = view.columns.max(view.rows);
    let near = around(view, &sure, (longer / 24).max(1));
    let wide = around(view, &sure, (longer / 8).max(2));
    let alike = likeness(view, |n| Some(sure[n] > 0.0));
    let calm = around(view, &alike, 1);
    (0..view.len())
        .map(|n| {
            let [_, shape, color, _, _, outside] = first[n];
            let thought = odds[n].clamp(-ODDS_MOST, ODDS_MOST);
            [
                1.0, thought, near[n], wide[n], alike[n], calm[n], shape, color, outside,
            ]
        })
        .collect()
}

/// How much more the colour of each sample is like those that are taken for the object than like those taken for the ground; 0 where there
/// are too few of either.
fn likeness(view: &View, takes: impl Fn(usize) -> Option<bool>) -> Vec<f32> {
    let of = |what: bool| {
        let own = (0..view.len()).filter(|n| takes(*n) == Some(what));
        let own: Vec<Lab> = own.map(|n| view.lab[n]).collect();
        Colors::of(&own).filter(|_| own.len() >= FEW)
    };
    let (Some(object), Some(ground)) = (of(true), of(false)) else {
        return vec![0.0; view.len()];
    };
    let each = view.lab.iter().map(|c| ground.cost(*c) - object.cost(*c));
    each.map(|v| (v / 2.0).clamp(-COLOR_MOST, COLOR_MOST) as f32)
        .collect()
}

/// The mean of the numbers at most `reach` columns and rows from each.
fn around(view: &View, of: &[f32], reach: usize) -> Vec<f32> {
    let (w, h) = (view.columns, view.rows);
    // Sums of all that lies above and to the left.
    let mut sums = vec![0.0_f32; (w + 1) * (h + 1)];
    for y in 0..h {
        let mut row = 0.0;
        for x in 0..w {
            row += of[y * w + x];
            sums[(y + 1) * (w + 1) + x + 1] = sums[y * (w + 1) + x + 1] + row;
        }
    }
    let mut out = Vec::with_capacity(of.len());
    for y in 0..h {
        let (top, bottom) = (y.saturating_sub(reach), (y + reach + 1).min(h));
        for x in 0..w {
            let (left, right) = (x.saturating_sub(reach), (x + reach + 1).min(w));
            let at = |x: usize, y: usize| sums[y * (w + 1) + x];
            let sum = at(right, bottom) - at(left, bottom) - at(right, top) + at(left, top);
            out.push(sum / ((right - left) * (bottom - top)) as f32);
        }
    }
    out
}
