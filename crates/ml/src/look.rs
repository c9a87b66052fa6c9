//! What a picture looks like, without anything learned: how light it is where, of which colour, and which way its edges run.
//! The same picture gives the same numbers in every project and dataset.

use crate::picture::Picture;

/// Pictures are looked at in squares of so many cells a side, of so many pixels each.
const CELLS: usize = 4;
const CELL: usize = 8;
const SIDE: usize = CELLS * CELL;
const AREA: usize = SIDE * SIDE;
/// Directions of edges, over half a turn.
const ANGLES: usize = 5;
const LAYOUT: usize = CELLS * CELLS * 3;
const EDGES: usize = CELLS * CELLS * ANGLES;
/// Colour counts for more than its numbers say: ordinary pictures use little of the range.
const COLOUR: f32 = 2.0;
/// Added to the square of the strength of all edges, so that the noise of a flat picture does not become its shape.
const FLAT: f32 = 1.0;
/// Largest share of one direction in one cell, so that one strong edge is not all there is.
const SHARE: f32 = 0.25;

/// Numbers of a description.
pub const LOOK_DIMS: usize = LAYOUT + EDGES;

/// Describes a picture. No number is below 0; the Euclidean distance of two descriptions is 0 for the same picture and at
/// most 1, half of its square for light and colour and half for edges.
pub fn look(picture: &Picture) -> Vec<f32> {
    let rgb = picture.planes(SIDE, 3);
    let mut luma = vec![0.0_f32; AREA];
    let mut out = vec![0.0_f32; LOOK_DIMS];
    let (layout, edges) = out.split_at_mut(LAYOUT);
    for (at, luma) in luma.iter_mut().enumerate() {
        let (r, g, b) = (rgb[at], rgb[AREA + at], rgb[2 * AREA + at]);
        let y = 0.299 * r + 0.587 * g + 0.114 * b;
        *luma = y;
        let blue = (0.5 + COLOUR * 0.564 * (b - y)).clamp(0.0, 1.0);
        let red = (0.5 + COLOUR * 0.713 * (r - y)).clamp(0.0, 1.0);
        for (v, sum) in [y, blue, red].iter().zip(&mut layout[cell(at) * 3..][..3]) {
            *sum += v / (CELL * CELL) as f32;
        }
    }
    for at in 0..AREA {
        let (x, y) = (at % SIDE, at / SIDE);
        let pixel = |x: usize, y: usize| luma[y.min(SIDE - 1) * SIDE + x.min(SIDE - 1)];
        let across = pixel(x + 1, y) - pixel(x.saturating_sub(1), y);
        let down = pixel(x, y + 1) - pixel(x, y.saturating_sub(1));
        let strength = across.hypot(down);
        if strength > 0.0 {
            // Between two directions its strength is shared, so that a slight turn is a slight difference.
            let turn = down.atan2(across).rem_euclid(std::f32::consts::PI) / std::f32::consts::PI;
            let place = turn * ANGLES as f32;
            let (first, part) = (place.floor(), place.fract());
            let bins = &mut edges[cell(at) * ANGLES..][..ANGLES];
            bins[first as usize % ANGLES] += strength * (1.0 - part);
            bins[(first as usize + 1) % ANGLES] += strength * part;
        }
    }
    let length = |v: &[f32]| v.iter().map(|v| v * v).sum::<f32>();
    let by = 1.0 / (length(edges) + FLAT).sqrt();
    for v in edges.iter_mut() {
        *v *= by;
    }
    let before = length(edges).sqrt();
    for v in edges.iter_mut() {
        *v = v.min(SHARE);
    }
    let after = length(edges).sqrt();
    // Two unit vectors without negative numbers are at most the root of 2 apart.
    let by = if after > 0.0 { 0.5 * before / after } else { 0.0 };
    for v in edges.iter_mut() {
        *v *= by;
    }
    let by = (0.5 / LAYOUT as f32).sqrt();
    for v in layout.iter_mut() {
        *v *= by;
    }
    out
}

/// The cell of a pixel.
const fn cell(at: usize) -> usize {
    at / SIDE / CELL * CELLS + at % SIDE / CELL
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stripes, `tilt` pixels a row to the side, over a colour.
    fn stripes(side: usize, tilt: usize, colour: [u8; 3]) -> Picture {
        let rgb = (0..side * side).flat_map(|at| {
            let (x, y) = (at % side, at / side);
            let on = ((x + y * tilt) * 8 / side).is_multiple_of(2);
            colour.map(|c| if on { c } else { c / 2 })
        });
        Picture::new(side, side, rgb.collect()).expect("it is whole")
    }

    fn apart(a: &Picture, b: &Picture) -> f32 {
        let (a, b) = (look(a), look(b));
        a.iter()
            .zip(&b)
            .map(|(a, b)| (a - b) * (a - b))
            .sum::<f32>()
            .sqrt()
    }

    #[test]
    fn the_more_alike_the_nearer() {
        let red = stripes(64, 0, [200, 40, 40]);
        assert_eq!(look(&red).len(), LOOK_DIMS);
        assert_eq!(apart(&red, &red), 0.0);
        let larger = apart(&red, &stripes(128, 0, [200, 40, 40]));
        let darker = apart(&red, &stripes(64, 0, [170, 34, 34]));
        let other = apart(&red, &stripes(64, 0, [40, 60, 200]));
        let tilted = apart(&red, &stripes(64, 1, [40, 60, 200]));
        assert!(
            larger < darker && darker < other && other < tilted,
            "{larger} {darker} {other} {tilted}"
        );
        assert!(larger < 0.05 && tilted < 1.0, "{larger} {tilted}");
    }

    #[test]
    fn flat_pictures_have_a_description_too() {
        let flat = |v: u8| Picture::new(1, 1, vec![v; 3]).expect("it is whole");
        let mut all = look(&flat(0)).into_iter().chain(look(&flat(255)));
        assert!(all.all(|v| (0.0..=0.25).contains(&v)));
        let most = apart(&flat(0), &flat(255));
        assert!(most > 0.3 && most <= 1.0, "{most}");
    }
}
