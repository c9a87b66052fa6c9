//! Tells the object from what else is in its box. From people's outlines it learns where in a box objects of a category are, and what colours they
//! have beside what surrounds them; how much either says, and how much the colours of the very picture, is the matter of two logistic
//! regressions over single samples, the second of which knows what the first thought around each (auto-context, Tu 2008). What comes of that is
//! laid on the picture's edges by a graph cut. With few outlines the cut has the picture alone to go by.

mod clues;
mod fit;
mod judge;
mod logistic;
mod tables;
mod view;

use super::file::{BESIDE, Opened, Part};
pub(super) use judge::judge;

use clues::{FIRST, SECOND};
use limn_services::training::port::{Cutout, EngineError, Examples, NetBox, SmallPicture};
use limn_vision::Picture;
use limn_vision::cut::{self, Strokes};
use tables::{BINS, GRID, Tables};
use view::View;

/// Asked every few moments; an error when somebody wants to stop.
pub(super) type Beat<'a> = dyn FnMut() -> Result<(), EngineError> + 'a;

/// Cuts objects out of their boxes.
pub(super) struct Cutter {
    /// Outlines that it saw.
    objects: usize,
    /// `None` of too few.
    learned: Option<Learned>,
}

struct Learned {
    tables: Tables,
    first: [f32; FIRST],
    second: [f32; SECOND],
}

/// A picture as colours, once for all of its boxes.
pub(super) fn colored(p: &SmallPicture) -> Result<Picture, EngineError> {
    let (threes, _) = p.rgb.as_chunks::<3>();
    let rgba: Vec<u8> = threes.iter().flat_map(|[r, g, b]| [*r, *g, *b, 255]).collect();
    let side = |n: usize| u32::try_from(n).unwrap_or(0);
    Picture::from_rgba(side(p.width), side(p.height), &rgba)
        .ok_or_else(|| EngineError::Broken("A picture has other bytes than its size says.".to_owned()))
}

fn name(of: &str) -> String {
    format!("{BESIDE}{of}")
}

impl Cutter {
    /// Learns from the outlines of pictures.
    pub(super) fn fit(
        train: &dyn Examples,
        categories: usize,
        beat: &mut Beat<'_>,
    ) -> Result<Self, EngineError> {
        fit::fit(train, categories, beat)
    }

    /// To be kept beside a network.
    pub(super) fn parts(&self) -> Vec<Part> {
        let mut parts = vec![(name("objects"), vec![1], vec![self.objects as f32])];
        if let Some(Learned {
            tables,
            first,
            second,
        }) = &self.learned
        {
            let rows = tables.rows();
            parts.extend([
                (name("shapes"), vec![rows, GRID, GRID], tables.shapes.clone()),
                (name("colors"), vec![rows, BINS], tables.colors.clone()),
                (name("first"), vec![FIRST], first.to_vec()),
                (name("second"), vec![SECOND], second.to_vec()),
            ]);
        }
        parts
    }

    /// The one that was kept beside a network, if there is one.
    pub(super) fn read(opened: &Opened<'_>) -> Result<Option<Self>, EngineError> {
        let rows = opened.design.categories + 1;
        let part = |of: &str, form: &[usize]| opened.beside(&name(of), form);
        let Some(objects) = part("objects", &[1])? else {
            return Ok(None);
        };
        let all = (
            part("shapes", &[rows, GRID, GRID])?,
            part("colors", &[rows, BINS])?,
            part("first", &[FIRST])?,
            part("second", &[SECOND])?,
        );
        let learned = match all {
            (None, None, None, None) => None,
            (Some(shapes), Some(colors), Some(first), Some(second)) => {
                let mut known = Learned {
                    tables: Tables { shapes, colors },
                    first: [0.0; FIRST],
                    second: [0.0; SECOND],
                };
                known.first.copy_from_slice(&first);
                known.second.copy_from_slice(&second);
                Some(known)
            }
            _ => {
                return Err(EngineError::Broken(
                    "The stored outlines are not all there; train the model again.".to_owned(),
                ));
            }
        };
        Ok(Some(Self {
            objects: objects.first().map_or(0, |n| *n as usize),
            learned,
        }))
    }

    /// The object in a box; all of the box where nothing can be told.
    pub(super) fn cut(&self, p: &Picture, b: &NetBox) -> Cutout {
        self.found(p, b).unwrap_or_else(|| Cutout::whole(*b))
    }

    fn found(&self, p: &Picture, b: &NetBox) -> Option<Cutout> {
        let view = View::of(p, b)?;
        let part = p.cropped(view.window)?;
        let bits = match &self.learned {
            Some(learned) => learned.cut(&part, &view, b.category),
            None => cut::cut(&part, Some(view.inner()), &Strokes::default()),
        };
        let (w, h) = (p.grid.width as f32, p.grid.height as f32);
        let at = NetBox {
            category: b.category,
            x: view.window.left as f32 / w,
            y: view.window.top as f32 / h,
            width: part.grid.width as f32 / w,
            height: part.grid.height as f32 / h,
        };
        Cutout::new(at, part.grid.width, part.grid.height, &bits)
    }
}

impl Learned {
    fn cut(&self, part: &Picture, view: &View, category: usize) -> Vec<u8> {
        let odds = view.at_every_pixel(&self.odds(view, category));
        let bits = cut::by_odds(part, &odds);
        let likely: Vec<u8> = odds.iter().map(|v| u8::from(*v > 0.0)).collect();
        let count = |bits: &[u8]| bits.iter().map(|b| usize::from(*b)).sum::<usize>();
        let (taken, wanted) = (count(&bits), count(&likely));
        // Without edges to speak of the shortest border is none at all.
        if taken * 2 < wanted || wanted * 2 < taken {
            likely
        } else {
            bits
        }
    }

    /// The logarithm of the odds that each sample is the object.
    fn odds(&self, view: &View, category: usize) -> Vec<f32> {
        let table = self.tables.of_category(category);
        let first = clues::first(view, table);
        let before = logistic::odds(&self.first, &first);
        logistic::odds(&self.second, &clues::second(view, &first, &before))
    }
}

#[cfg(test)]
mod tests;
