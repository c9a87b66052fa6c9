//! One view of one image, and everything worked out about it so far.

use crate::cut::{self, Strokes, Window};
use crate::edges::Edges;
use crate::picture::Picture;
use crate::region;
use crate::superpixels::Tiles;
use crate::wand::Wand;
use crate::wire::{Costs, Wire};
use limn_domain::polygon::{self, Vertex};
use limn_domain::smart::{Answer, Ask, GRAIN_MAX, GRAIN_MIN, Sampling, Scribble, TOLERANCE_MAX};
use limn_domain::{Mask, Point, Rect, Size};
use std::collections::BTreeSet;

/// Groups of samples that a smooth wand drops.
const SPECK: usize = 24;
/// How far an outline of samples may be from its straight sides, in samples, where samples are larger than pixels.
const STRAIGHT: f64 = 0.75;
/// Points of a stroke that are looked at, at most.
const POINTS_MAX: usize = 20_000;

/// The pixels do not fit what is said of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfit;

/// Pixels of one view of an image, with what the tools found out about them.
#[derive(Debug)]
pub struct Scene {
    sampling: Sampling,
    picture: Picture,
    wand: Wand,
    superpixels: Option<Tiles>,
    wire: Option<Wire>,
}

impl Scene {
    /// From sRGB bytes, four a sample, row by row.
    pub fn new(sampling: Sampling, rgba: &[u8]) -> Result<Self, Unfit> {
        if !sampling.is_sound() {
            return Err(Unfit);
        }
        let picture = Picture::from_rgba(sampling.columns, sampling.rows, rgba).ok_or(Unfit)?;
        Ok(Self {
            sampling,
            picture,
            wand: Wand::default(),
            superpixels: None,
            wire: None,
        })
    }

    /// What a tool wants to know. Places outside the view count for nothing.
    pub fn answer(&mut self, ask: &Ask) -> Answer {
        match ask {
            Ask::Wand {
                scribbles,
                tolerance,
                everywhere,
                smooth,
            } => {
                let strokes = self.strokes(scribbles);
                let tolerance = if tolerance.is_finite() {
                    tolerance.clamp(0.0, TOLERANCE_MAX)
                } else {
                    0.0
                };
                let mut bits = self.wand.region(
                    &self.picture,
                    &strokes.object,
                    &strokes.ground,
                    tolerance,
                    *everywhere,
                );
                if *smooth {
                    region::tidied(self.picture.grid, &mut bits, SPECK);
                    for i in strokes.ground {
                        bits[i] = 0;
                    }
                }
                Answer::Region {
                    mask: self.mask(&bits),
                    hover: None,
                }
            }
            Ask::Superpixels {
                scribbles,
                grain,
                hover,
            } => self.under(scribbles, *grain, *hover),
            Ask::Cut { frame, scribbles } => {
                let strokes = self.strokes(scribbles);
                let window = frame.and_then(|f| self.window(f));
                if frame.is_some() && window.is_none() {
                    return Answer::Region {
                        mask: None,
                        hover: None,
                    };
                }
                let bits = cut::cut(&self.picture, window, &strokes);
                Answer::Region {
                    mask: self.mask(&bits),
                    hover: None,
                }
            }
            // The server's business.
            Ask::Segment { .. } => Answer::Region {
                mask: None,
                hover: None,
            },
            Ask::Wire { legs } => {
                self.wire();
                let samples: Vec<Option<[usize; 2]>> = legs
                    .iter()
                    .map(|[a, b]| Some([self.stop(a.at, a.reach)?, self.stop(b.at, b.reach)?]))
                    .collect();
                let paths = samples
                    .into_iter()
                    .zip(legs)
                    .map(|(ends, [a, b])| match ends {
                        Some([from, to]) => {
                            let way = self.wire().path(from, to);
                            way.into_iter().map(|i| self.centre(i)).collect()
                        }
                        None => vec![[a.at.x, a.at.y], [b.at.x, b.at.y]],
                    })
                    .collect();
                Answer::Paths { paths }
            }
        }
    }

    fn wire(&mut self) -> &mut Wire {
        let picture = &self.picture;
        self.wire
            .get_or_insert_with(|| Wire::new(Costs::new(picture.grid, Edges::of(picture))))
    }

    /// Samples a pixel, along x and y.
    fn scale(&self) -> [f64; 2] {
        let s = &self.sampling;
        [
            f64::from(s.columns) / f64::from(s.width),
            f64::from(s.rows) / f64::from(s.height),
        ]
    }

    /// The sample that holds a point; `None` outside the view.
    fn sample(&self, p: Point) -> Option<usize> {
        let [sx, sy] = self.scale();
        let x = (p.x - f64::from(self.sampling.x)) * sx;
        let y = (p.y - f64::from(self.sampling.y)) * sy;
        let (w, h) = (self.picture.grid.width as f64, self.picture.grid.height as f64);
        // A click on the last border is of the last pixel.
        let inside = x >= 0.0 && y >= 0.0 && x <= w && y <= h;
        inside.then(|| {
            self.picture
                .grid
                .at(x.min(w - 1.0) as usize, y.min(h - 1.0) as usize)
        })
    }

    /// The middle of a sample in image pixels.
    fn centre(&self, i: usize) -> Vertex {
        let (x, y) = self.picture.grid.xy(i);
        let [sx, sy] = self.scale();
        [
            f64::from(self.sampling.x) + (x as f64 + 0.5) / sx,
            f64::from(self.sampling.y) + (y as f64 + 0.5) / sy,
        ]
    }

    fn stop(&mut self, at: Point, reach: f64) -> Option<usize> {
        let sample = self.sample(at)?;
        let [sx, _] = self.scale();
        let reach = (reach * sx).clamp(0.0, 40.0).round() as usize;
        Some(if reach == 0 {
            sample
        } else {
            self.wire().costs().snapped(sample, reach)
        })
    }

    /// All samples under strokes.
    fn strokes(&self, scribbles: &[Scribble]) -> Strokes {
        let mut strokes = Strokes::default();
        for s in scribbles {
            let to = if s.include {
                &mut strokes.object
            } else {
                &mut strokes.ground
            };
            let points: Vec<usize> = s
                .points
                .iter()
                .take(POINTS_MAX)
                .filter_map(|p| self.sample(*p))
                .collect();
            to.extend(points.first());
            for pair in points.windows(2) {
                to.extend(self.picture.grid.line(pair[0], pair[1]).into_iter().skip(1));
            }
        }
        strokes
    }

    fn window(&self, frame: Rect) -> Option<Window> {
        if !frame.is_finite() {
            return None;
        }
        let [sx, sy] = self.scale();
        let along = |v: f64, from: u32, scale: f64, most: usize| {
            ((v - f64::from(from)) * scale).round().clamp(0.0, most as f64) as usize
        };
        let grid = self.picture.grid;
        let window = Window {
            left: along(frame.x, self.sampling.x, sx, grid.width),
            top: along(frame.y, self.sampling.y, sy, grid.height),
            right: along(frame.right(), self.sampling.x, sx, grid.width),
            bottom: along(frame.bottom(), self.sampling.y, sy, grid.height),
        };
        (window.left < window.right && window.top < window.bottom).then_some(window)
    }

    /// The superpixels under strokes, later strokes over earlier ones.
    fn under(&mut self, scribbles: &[Scribble], grain: u32, hover: Option<Point>) -> Answer {
        let grain = f64::from(grain.clamp(GRAIN_MIN, GRAIN_MAX)) * self.scale()[0];
        let grain = (grain.round() as usize).max(2);
        let old = self.superpixels.take().filter(|t| t.grain() == grain);
        let mut tiles = old.unwrap_or_else(|| Tiles::new(grain));
        let mut chosen = BTreeSet::new();
        for s in scribbles {
            let strokes = self.strokes(std::slice::from_ref(s));
            for i in strokes.object {
                chosen.insert(tiles.of(&self.picture, i));
            }
            for i in strokes.ground {
                chosen.remove(&tiles.of(&self.picture, i));
            }
        }
        let mut bits = vec![0; self.picture.grid.len()];
        tiles.paint(self.picture.grid, &chosen, &mut bits);
        let mask = self.mask(&bits);
        let hover = hover.and_then(|p| self.sample(p)).and_then(|i| {
            let one = BTreeSet::from([tiles.of(&self.picture, i)]);
            bits.fill(0);
            tiles.paint(self.picture.grid, &one, &mut bits);
            self.mask(&bits)
        });
        self.superpixels = Some(tiles);
        Answer::Region { mask, hover }
    }

    /// A bitmap over the samples as a mask of image pixels. Where samples are larger than pixels its border is made of
    /// straight lines instead of their steps.
    fn mask(&self, bits: &[u8]) -> Option<Mask> {
        let grid = self.picture.grid;
        let s = &self.sampling;
        let (mut left, mut top, mut right, mut bottom) = (grid.width, grid.height, 0, 0);
        for (y, row) in bits.chunks_exact(grid.width).enumerate() {
            let Some(first) = row.iter().position(|b| *b != 0) else {
                continue;
            };
            let last = row.iter().rposition(|b| *b != 0).unwrap_or(first);
            (left, right) = (left.min(first), right.max(last + 1));
            (top, bottom) = (top.min(y), y + 1);
        }
        if left >= right {
            return None;
        }
        let mut small = Vec::with_capacity((right - left) * (bottom - top));
        for y in top..bottom {
            small.extend_from_slice(&bits[grid.at(left, y)..grid.at(left, y) + right - left]);
        }
        let place = |x: usize, y: usize| {
            if s.is_exact() {
                [s.x + x as u32, s.y + y as u32]
            } else {
                [x as u32, y as u32]
            }
        };
        let [x, y] = place(left, top);
        let mask = Mask::from_pixels(x, y, (right - left) as u32, (bottom - top) as u32, &small)?;
        if s.is_exact() {
            return Some(mask);
        }
        let [sx, sy] = self.scale();
        let parts = polygon::mapped(&polygon::simplified(&mask.to_polygon(), STRAIGHT), |[x, y]| {
            [f64::from(s.x) + x / sx, f64::from(s.y) + y / sy]
        });
        let image = Size {
            width: f64::from(s.image_width),
            height: f64::from(s.image_height),
        };
        Mask::from_polygon(&parts, image)
    }
}
