//! Features without downloaded weights: filters learned from the project's own pictures.
//!
//! Patches are brought to one contrast and whitened; spherical k-means finds the directions they share; a picture is
//! described by how far its patches go along and against each (soft threshold, pooled over the quarters of the picture), with
//! a histogram of its colours. Principal components keep what tells pictures apart. (Coates, Lee, Ng 2011; Coates, Ng 2012.)

use crate::cluster::directions;
use crate::error::{MlError, Result, Stop, check, finite};
use crate::linear::{Matrix, dot, symmetric_eigen};
use crate::picture::Picture;
use crate::principal::{Principal, less, principal};
use crate::rng::Rng;
use serde::{Deserialize, Serialize};

/// The layout of [`Encoder`]; others are refused.
const FORMAT: u32 = 1;
const FILTERS: usize = 256;
/// Patches that the filters are learned from.
const PATCHES: usize = 30_000;
/// Below this a patch counts as flat: of the variance of values 0..=1.
const CONTRAST: f32 = 5e-4;
const WHITEN: f64 = 0.1;
const SOFT: f32 = 0.25;
/// Bins of the histogram, a channel.
const BINS: usize = 12;
/// Pictures described at once.
const BATCH: usize = 32;
/// Pictures that are small in all are not enlarged to the ordinary side.
const TINY: usize = 16;
const SIDE: usize = 32;

/// Describes pictures; fitted to a project's own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Encoder {
    format: u32,
    side: usize,
    patch: usize,
    channels: usize,
    /// `filters x (channels * patch * patch)`: directions times whitening.
    filters: Vec<f32>,
    /// What each filter gives for the mean patch.
    bias: Vec<f32>,
    mean: Vec<f32>,
    /// [`DIMS`](crate::DIMS), or fewer, rows.
    components: Vec<f32>,
    dims: usize,
}

impl Encoder {
    /// Learns from pictures, some hundred of them at best. Errors: `Refused` without any.
    pub fn fit(pictures: &[Picture], seed: u64, stop: Stop<'_>) -> Result<Self> {
        if pictures.is_empty() {
            return Err(MlError::refused(
                "There are no pictures to learn from. Add some to the project first.",
            ));
        }
        let mut rng = Rng::new(seed);
        let mut long: Vec<usize> = pictures.iter().map(|p| p.width.max(p.height)).collect();
        long.sort_unstable();
        let typical = long[long.len() * 9 / 10];
        let (side, patch) = if typical <= TINY {
            (typical.next_multiple_of(2).clamp(8, TINY), 3)
        } else {
            (SIDE, 6)
        };
        let gray = pictures.iter().filter(|p| p.is_gray()).count();
        let channels = if gray * 100 >= pictures.len() * 99 { 1 } else { 3 };
        let planes: Vec<Vec<f32>> = pictures.iter().map(|p| p.planes(side, channels)).collect();
        check(stop)?;
        let patches = sample_patches(&planes, side, patch, channels, &mut rng);
        let (white, mean_patch) = whitening(&patches);
        check(stop)?;
        let mut shifted = patches;
        for i in 0..shifted.rows {
            shifted
                .row_mut(i)
                .iter_mut()
                .zip(&mean_patch)
                .for_each(|(v, m)| *v -= m);
        }
        let whitened = shifted.times(&white);
        let found = directions(&whitened, FILTERS, &mut rng, stop)?;
        // Whitening is symmetric, so a row times it is the filter on the patch itself.
        let filters = found.times(&white);
        let bias = (0..FILTERS).map(|f| dot(filters.row(f), &mean_patch)).collect();
        let mut encoder = Self {
            format: FORMAT,
            side,
            patch,
            channels,
            filters: filters.values,
            bias,
            mean: Vec::new(),
            components: Vec::new(),
            dims: 0,
        };
        let raw = encoder.raw(&planes, stop)?;
        Principal {
            mean: encoder.mean,
            components: encoder.components,
            dims: encoder.dims,
        } = principal(raw, &mut rng, stop)?;
        Ok(encoder)
    }

    /// Numbers that describe a picture.
    pub const fn dims(&self) -> usize {
        self.dims
    }

    /// One row of [`Self::dims`] numbers a picture.
    pub fn embed(&self, pictures: &[Picture], stop: Stop<'_>) -> Result<Vec<Vec<f32>>> {
        let mut out = Vec::with_capacity(pictures.len());
        let components = Matrix {
            rows: self.dims,
            cols: self.mean.len(),
            values: self.components.clone(),
        };
        for part in pictures.chunks(BATCH) {
            let planes: Vec<Vec<f32>> = part.iter().map(|p| p.planes(self.side, self.channels)).collect();
            let mut raw = self.raw(&planes, stop)?;
            less(&mut raw, &self.mean);
            let low = raw.times_transposed(&components);
            finite(&low.values, "The description of a picture")?;
            out.extend((0..low.rows).map(|i| low.row(i).to_vec()));
        }
        Ok(out)
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(self).unwrap_or_default()
    }

    /// Errors: `Broken` when the bytes are no encoder of this layout.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let broken = || MlError::Broken("The stored features cannot be read; they are made anew.".to_owned());
        let read: Self = postcard::from_bytes(bytes).map_err(|_| broken())?;
        let area = read.channels * read.patch * read.patch;
        let fits = read.format == FORMAT
            && read.patch > 0
            && (read.patch..=256).contains(&read.side)
            && matches!(read.channels, 1 | 3)
            && read.filters.len() == FILTERS * area
            && read.bias.len() == FILTERS
            && read.mean.len() == read.width()
            && read.components.len() == read.dims * read.mean.len();
        fits.then_some(read).ok_or_else(broken)
    }

    /// Numbers before the reduction.
    const fn width(&self) -> usize {
        FILTERS * 2 * 4 + BINS * self.channels
    }

    /// Pooled activations and the histogram, a row a picture.
    fn raw(&self, planes: &[Vec<f32>], stop: Stop<'_>) -> Result<Matrix> {
        let area = self.channels * self.patch * self.patch;
        let filters = Matrix {
            rows: FILTERS,
            cols: area,
            values: self.filters.clone(),
        };
        let places = self.side - self.patch + 1;
        // Places in the middle of an odd number count on the near side alone.
        let half = places / 2;
        let share = 1.0 / (half * half) as f32;
        let mut out = Matrix::zeros(planes.len(), self.width());
        let mut patches = Matrix::zeros(places * places, area);
        for (i, plane) in planes.iter().enumerate() {
            check(stop)?;
            for y in 0..places {
                for x in 0..places {
                    let row = patches.row_mut(y * places + x);
                    cut(plane, self.side, self.patch, self.channels, (x, y), row);
                }
            }
            let z = patches.times_transposed(&filters);
            let row = out.row_mut(i);
            let per = FILTERS * 4;
            for y in 0..half * 2 {
                for x in 0..half * 2 {
                    let quarter = (y / half * 2 + x / half) * FILTERS;
                    let (along, against) = row[..per * 2].split_at_mut(per);
                    let along = &mut along[quarter..quarter + FILTERS];
                    let against = &mut against[quarter..quarter + FILTERS];
                    let z = z.row(y * places + x);
                    let sums = along.iter_mut().zip(against);
                    for ((with, other), (z, bias)) in sums.zip(z.iter().zip(&self.bias)) {
                        let v = z - bias;
                        *with += (v - SOFT).max(0.0) * share;
                        *other += (-v - SOFT).max(0.0) * share;
                    }
                }
            }
            histogram(plane, self.channels, &mut row[per * 2..]);
        }
        finite(&out.values, "The description of a picture")?;
        Ok(out)
    }
}

/// Shares of the values of each channel by size, their roots.
fn histogram(plane: &[f32], channels: usize, out: &mut [f32]) {
    let area = plane.len() / channels;
    for c in 0..channels {
        let bins = &mut out[c * BINS..(c + 1) * BINS];
        for v in &plane[c * area..(c + 1) * area] {
            bins[((v * BINS as f32) as usize).min(BINS - 1)] += 1.0 / area as f32;
        }
        for b in bins.iter_mut() {
            *b = b.sqrt();
        }
    }
}

/// The patch at a place, of mean 0 and one contrast.
fn cut(plane: &[f32], side: usize, patch: usize, channels: usize, (x0, y0): (usize, usize), row: &mut [f32]) {
    for c in 0..channels {
        for y in 0..patch {
            let from = c * side * side + (y0 + y) * side + x0;
            let to = (c * patch + y) * patch;
            row[to..to + patch].copy_from_slice(&plane[from..from + patch]);
        }
    }
    let area = row.len() as f32;
    let mean = row.iter().sum::<f32>() / area;
    for v in row.iter_mut() {
        *v -= mean;
    }
    let spread = (dot(row, row) / area + CONTRAST).sqrt();
    for v in row.iter_mut() {
        *v /= spread;
    }
}

/// Patches from random places.
fn sample_patches(planes: &[Vec<f32>], side: usize, patch: usize, channels: usize, rng: &mut Rng) -> Matrix {
    let places = side - patch + 1;
    let count = PATCHES.min(planes.len() * places * places);
    let mut out = Matrix::zeros(count, channels * patch * patch);
    for i in 0..count {
        let plane = &planes[rng.below(planes.len())];
        let at = (rng.below(places), rng.below(places));
        cut(plane, side, patch, channels, at, out.row_mut(i));
    }
    out
}

/// The symmetric matrix that makes the patches' directions equally strong (ZCA), and their mean.
fn whitening(patches: &Matrix) -> (Matrix, Vec<f32>) {
    let (n, area) = (patches.rows, patches.cols);
    let mut mean = vec![0.0_f64; area];
    for i in 0..n {
        patches
            .row(i)
            .iter()
            .zip(&mut mean)
            .for_each(|(v, m)| *m += f64::from(*v) / n as f64);
    }
    let square = patches.transposed_times(patches);
    let mut spread = vec![0.0_f64; area * area];
    for (at, s) in spread.iter_mut().enumerate() {
        *s = f64::from(square.values[at]) / n as f64 - mean[at / area] * mean[at % area];
    }
    let (values, vectors) = symmetric_eigen(&spread, area);
    let mut white = Matrix::zeros(area, area);
    for (value, vector) in values.iter().zip(&vectors) {
        let by = 1.0 / (value.max(0.0) + WHITEN).sqrt();
        for (at, w) in white.values.iter_mut().enumerate() {
            *w += (by * vector[at / area] * vector[at % area]) as f32;
        }
    }
    (white, mean.iter().map(|m| *m as f32).collect())
}
