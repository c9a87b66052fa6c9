//! Learning from people's outlines. What is counted and how much that says are learned from different pictures, or the counts would seem to know more
//! than they do of a picture that they have not seen.

use super::clues;
use super::tables::{Counts, Tables};
use super::view::View;
use super::{Beat, Cutter, Learned, colored, logistic};
use crate::Rng;
use crate::nets::data::sound;
use limn_services::training::port::{Cutout, EngineError, Examples, NetBox};

/// Outlines from which anything is learned.
const FEW: usize = 8;
/// Outlines that are learned from at most: in all, of a category, of a picture.
const MOST: usize = 1_500;
const MOST_OF_ONE: usize = 300;
const MOST_A_PICTURE: usize = 20;
/// Those of them that tell how much the counts say, and samples of each.
const WEIGHED: usize = 400;
const SAMPLED: usize = 120;
/// Parts of the pictures; the counts of the others are what one is weighed by.
const PARTS: usize = 4;
/// How far a found box is off, as a share of its side: the usual, and the most that is learned from.
const OFF: (f64, f64) = (0.05, 0.12);
const SEED: u64 = 0x0c07;

/// An object in a box that may be a little off, as a found one is.
struct Shot {
    category: usize,
    part: usize,
    view: View,
    truth: Vec<bool>,
}

pub(super) fn fit(
    train: &dyn Examples,
    categories: usize,
    beat: &mut Beat<'_>,
) -> Result<Cutter, EngineError> {
    let mut rng = Rng::new(SEED);
    let shots = shots(train, categories, &mut rng, beat)?;
    if shots.len() < FEW {
        return Ok(Cutter {
            objects: shots.len(),
            learned: None,
        });
    }
    // The counts of all pictures but those of one part.
    let without = |part: usize| {
        let mut counts: Vec<Counts> = (0..categories).map(|_| Counts::new()).collect();
        for s in shots.iter().filter(|s| s.part != part) {
            counts[s.category].add(&s.view, &s.truth);
        }
        Tables::of(&counts)
    };
    let mut others = Vec::with_capacity(PARTS);
    for part in 0..PARTS {
        beat()?;
        others.push(without(part));
    }
    let weighed = rng.sample(shots.len(), WEIGHED);
    let (mut rows, mut right) = (Vec::new(), Vec::new());
    for s in weighed.iter().map(|n| &shots[*n]) {
        beat()?;
        let all = clues::first(&s.view, others[s.part].of_category(s.category));
        for n in rng.sample(all.len(), SAMPLED) {
            rows.push(all[n]);
            right.push(s.truth[n]);
        }
    }
    let first = logistic::fit(&rows, &right);
    let (mut rows, mut right) = (Vec::new(), Vec::new());
    for s in weighed.iter().map(|n| &shots[*n]) {
        beat()?;
        let before = clues::first(&s.view, others[s.part].of_category(s.category));
        let all = clues::second(&s.view, &before, &logistic::odds(&first, &before));
        for n in rng.sample(all.len(), SAMPLED) {
            rows.push(all[n]);
            right.push(s.truth[n]);
        }
    }
    let second = logistic::fit(&rows, &right);
    Ok(Cutter {
        objects: shots.len(),
        learned: Some(Learned {
            tables: without(PARTS),
            first,
            second,
        }),
    })
}

/// Objects to learn from, of pictures in random order, not too many of one category.
fn shots(
    train: &dyn Examples,
    categories: usize,
    rng: &mut Rng,
    beat: &mut Beat<'_>,
) -> Result<Vec<Shot>, EngineError> {
    let mut have = vec![0_usize; categories];
    let (mut shots, mut pictures) = (Vec::new(), 0_usize);
    for n in rng.sample(train.len(), train.len()) {
        if shots.len() >= MOST {
            break;
        }
        beat()?;
        let wanted = |c: &&Cutout| {
            let few = have.get(c.at.category).is_some_and(|n| *n < MOST_OF_ONE);
            few && sound(&c.at).is_some()
        };
        let chosen: Vec<&Cutout> = train
            .truth(n)
            .outlines()
            .iter()
            .filter(wanted)
            .take(MOST_A_PICTURE)
            .collect();
        if chosen.is_empty() {
            continue;
        }
        let picture = colored(&train.picture(n)?)?;
        for c in chosen {
            let Some(view) = off(&c.at, rng).and_then(|b| View::of(&picture, &b)) else {
                continue;
            };
            have[c.at.category] += 1;
            shots.push(Shot {
                category: c.at.category,
                part: pictures % PARTS,
                truth: view.truth(c),
                view,
            });
        }
        pictures += 1;
    }
    Ok(shots)
}

/// A box with its sides a little off.
fn off(b: &NetBox, rng: &mut Rng) -> Option<NetBox> {
    let mut side = |length: f32| {
        let by = (rng.normal() * OFF.0).clamp(-OFF.1, OFF.1);
        by as f32 * length
    };
    let (left, right) = (side(b.width), side(b.width));
    let (top, bottom) = (side(b.height), side(b.height));
    sound(&NetBox {
        category: b.category,
        x: b.x + left,
        y: b.y + top,
        width: b.width + right - left,
        height: b.height + bottom - top,
    })
}
