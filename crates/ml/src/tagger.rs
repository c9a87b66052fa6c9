//! A tagger that learns from nothing in seconds: it says of every token whether a span of a category begins there, goes on, or neither.
//!
//! A logistic regression a category over what there is to say of a token (`tokens`), hashed into places (Weinberger et al. 2009), fitted by
//! AdaGrad (Duchi et al. 2011), drawn towards zero after every round (Langford et al. 2009), the rounds averaged. Categories do not know of each
//! other, so that their spans may overlap. Spans are the most probable way through the text (Viterbi).

mod fit;
mod tokens;

use crate::error::{MlError, Result, Stop};
use limn_services::assist::port::TextSpan;
use serde::{Deserialize, Serialize};
use tokens::{PLACES, describe, tokens};

/// The layout of [`Kept`]; others are refused.
const FORMAT: u32 = 1;
/// Weights are kept in steps of this part of one.
const STEPS: f32 = 256.0;
/// A place of which nothing is known.
const NONE: u32 = u32::MAX;
/// So much more readily than it is probable (in logits) a span begins: one that is half probable is found too, and says how sure it is.
const LEAN: f32 = 1.0;
/// Less probable than this nothing is.
const LEAST: f32 = 1e-7;

/// Finds spans; fitted to a project's own documents.
#[derive(Debug, Clone)]
pub struct Tagger {
    kept: Kept,
    /// The row of weights of each place, or [`NONE`].
    row: Vec<u32>,
    /// A row has two numbers a known category: for "begins here" and for "goes on here", against "neither".
    weights: Vec<f32>,
}

/// What is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Kept {
    format: u32,
    /// Categories there were.
    categories: u32,
    /// Those that something was learned of, in order.
    known: Vec<u32>,
    /// Places that have weights, in order.
    places: Vec<u32>,
    /// In [`STEPS`].
    weights: Vec<i16>,
}

impl Kept {
    const fn width(&self) -> usize {
        self.known.len() * 2
    }

    fn fits(&self) -> bool {
        let rising = |list: &[u32], below: u32| {
            list.is_sorted_by(|a, b| a < b) && list.last().is_none_or(|last| *last < below)
        };
        self.format == FORMAT
            && !self.known.is_empty()
            && rising(&self.known, self.categories)
            && rising(&self.places, PLACES as u32)
            && self.places.len().checked_mul(self.width()) == Some(self.weights.len())
    }
}

impl Tagger {
    /// Learns from documents and the spans in them. Spans that cut a token stand for all of it; those beyond the text are left
    /// out, as are those within another of their category. Errors: `Refused` when there is nothing to learn.
    pub fn fit(
        documents: &[(&str, &[TextSpan])],
        categories: usize,
        seed: u64,
        stop: Stop<'_>,
    ) -> Result<Self> {
        fit::fit(documents, categories, seed, stop).map(Self::of)
    }

    /// What it finds in a document, surest first.
    pub fn find(&self, text: &str) -> Vec<(TextSpan, f32)> {
        let tokens = tokens(text);
        let (width, n) = (self.kept.width(), tokens.len());
        // A category after the other, all tokens of each.
        let mut said = vec![[0.0_f32; 2]; n * self.kept.known.len()];
        let (mut places, mut sums) = (Vec::new(), vec![0.0; width]);
        for t in 0..n {
            describe(&tokens, t, &mut places);
            sums.fill(0.0);
            let rows = places
                .iter()
                .map(|p| self.row[*p as usize])
                .filter(|r| *r != NONE);
            for r in rows {
                add(&mut sums, &self.weights, r as usize);
            }
            for (k, of) in sums.as_chunks::<2>().0.iter().enumerate() {
                said[k * n + t] = *of;
            }
        }
        let mut found = Vec::new();
        for (k, category) in self.kept.known.iter().enumerate() {
            let of: Vec<Odds> = said[k * n..(k + 1) * n].iter().map(|s| odds(*s)).collect();
            found.extend(ways(&of).into_iter().map(|(from, to, sure)| {
                let span = TextSpan {
                    category: *category as usize,
                    start: tokens[from].start,
                    end: tokens[to - 1].end,
                };
                (span, sure)
            }));
        }
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.start.cmp(&b.0.start)));
        found
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(&self.kept).unwrap_or_default()
    }

    /// Errors: `Broken` when the bytes are none of this layout.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let broken =
            || MlError::Broken("The stored model of spans cannot be read; train it again.".to_owned());
        let (kept, rest) = postcard::take_from_bytes::<Kept>(bytes).map_err(|_| broken())?;
        if !rest.is_empty() || !kept.fits() {
            return Err(broken());
        }
        Ok(Self::of(kept))
    }

    fn of(kept: Kept) -> Self {
        let mut row = vec![NONE; PLACES];
        for (n, place) in kept.places.iter().enumerate() {
            row[*place as usize] = n as u32;
        }
        let weights = kept.weights.iter().map(|w| f32::from(*w) / STEPS).collect();
        Self { kept, row, weights }
    }
}

/// Adds a row of weights to sums.
fn add(sums: &mut [f32], weights: &[f32], row: usize) {
    let from = row * sums.len();
    for (sum, w) in sums.iter_mut().zip(&weights[from..]) {
        *sum += *w;
    }
}

/// How probable it is that a token is outside of all spans of a category, begins one, or goes on with one.
type Odds = [f32; 3];
const OUTSIDE: usize = 0;
const BEGINS: usize = 1;
const INSIDE: usize = 2;

/// From the logits of "begins" and "inside"; that of "outside" is 0.
fn odds([begins, inside]: [f32; 2]) -> Odds {
    let most = begins.max(inside).max(0.0);
    let e = [(-most).exp(), (begins - most).exp(), (inside - most).exp()];
    let sum: f32 = e.iter().sum();
    e.map(|v| v / sum)
}

/// The most probable way through the tokens, on which "inside" follows only "begins" and "inside": spans as the first token, the one behind
/// the last, and how sure each is.
fn ways(odds: &[Odds]) -> Vec<(usize, usize, f32)> {
    let mut back: Vec<[u8; 3]> = Vec::with_capacity(odds.len());
    let mut score = [0.0, f32::NEG_INFINITY, f32::NEG_INFINITY];
    for p in odds {
        let best = |allowed: &[(usize, f32)]| {
            let ways = allowed.iter().map(|(from, more)| (*from, score[*from] + more));
            ways.reduce(|a, b| if b.1 > a.1 { b } else { a })
                .unwrap_or((OUTSIDE, f32::NEG_INFINITY))
        };
        let from = [
            best(&[(OUTSIDE, 0.0), (BEGINS, 0.0), (INSIDE, 0.0)]),
            best(&[(OUTSIDE, LEAN), (BEGINS, 0.0), (INSIDE, 0.0)]),
            best(&[(BEGINS, 0.0), (INSIDE, 0.0)]),
        ];
        back.push(from.map(|(at, _)| at as u8));
        let mut next = [0.0; 3];
        for (at, (_, so_far)) in from.iter().enumerate() {
            next[at] = so_far + p[at].max(LEAST).ln();
        }
        // In long texts the sums would lose their digits.
        let most = next.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        score = next.map(|v| v - most);
    }
    let mut at = (0..3).fold(OUTSIDE, |a, b| if score[b] > score[a] { b } else { a });
    let (mut found, mut end) = (Vec::new(), None);
    for n in (0..odds.len()).rev() {
        if at != OUTSIDE && end.is_none() {
            end = Some(n + 1);
        }
        if at == BEGINS
            && let Some(to) = end.take()
        {
            found.push((n, to, sureness(odds, n, to)));
        }
        at = usize::from(back[n][at]);
    }
    found.reverse();
    found
}

/// How sure it is that a span is `from..to`: that it begins there, that it ends there, and that all between is of it, on (geometric) average:
/// neighbours are right or wrong together.
fn sureness(odds: &[Odds], from: usize, to: usize) -> f32 {
    let ends = odds.get(to).map_or(1.0, |p| 1.0 - p[INSIDE]);
    let within = &odds[from + 1..to];
    let logs: f32 = within.iter().map(|p| p[INSIDE].max(LEAST).ln()).sum();
    let mean = (logs / within.len().max(1) as f32).exp();
    (odds[from][BEGINS] * mean * ends).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_through_keeps_the_rule_and_says_how_sure_it_is() {
        let (o, b, i) = ([0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]);
        let places = |odds: &[Odds]| ways(odds).iter().map(|w| (w.0, w.1)).collect::<Vec<_>>();
        assert_eq!(places(&[o, b, i, i, o, b]), [(1, 4), (5, 6)]);
        // One directly behind another.
        assert_eq!(places(&[b, i, b, o]), [(0, 2), (2, 3)]);
        // "Inside" at the beginning begins a span, or is none.
        assert_eq!(places(&[[0.3, 0.2, 0.5], o]), [(0, 1)]);
        assert!(places(&[o, [0.5, 0.01, 0.49], o]).is_empty());
        assert!(places(&[]).is_empty());
        // Less than half probable, found all the same, and honest about it.
        let half = ways(&[o, [0.6, 0.4, 0.0], o]);
        assert_eq!(half.len(), 1);
        assert!((half[0].2 - 0.4 * 0.95).abs() < 1e-6);
        let sure = ways(&[b, i, o])[0].2;
        assert!((sure - 0.8 * 0.8 * 0.95).abs() < 1e-6, "{sure}");
    }

    #[test]
    fn odds_are_odds_however_far_the_logits_are() {
        for logits in [[0.0, 0.0], [300.0, -300.0], [-300.0, -300.0], [-2.0, 5.0]] {
            let p = odds(logits);
            assert!(
                (p.iter().sum::<f32>() - 1.0).abs() < 1e-6 && p.iter().all(|v| v.is_finite()),
                "{p:?}"
            );
        }
        assert_eq!(odds([0.0, 0.0]), [1.0 / 3.0; 3]);
    }

    #[test]
    fn what_is_stored_is_checked() {
        let good = Kept {
            format: FORMAT,
            categories: 3,
            known: vec![0, 2],
            places: vec![7, 9],
            weights: vec![1, -1, 0, 300, 0, 0, 0, 5],
        };
        let bytes = |kept: &Kept| postcard::to_stdvec(kept).unwrap();
        assert!(Tagger::from_bytes(&bytes(&good)).is_ok());
        for bad in [
            Kept {
                format: 2,
                ..good.clone()
            },
            Kept {
                known: vec![0, 3],
                ..good.clone()
            },
            Kept {
                known: vec![2, 0],
                ..good.clone()
            },
            Kept {
                known: Vec::new(),
                weights: Vec::new(),
                ..good.clone()
            },
            Kept {
                places: vec![7, 7],
                ..good.clone()
            },
            Kept {
                places: vec![7, PLACES as u32],
                ..good.clone()
            },
            Kept {
                weights: vec![1; 7],
                ..good.clone()
            },
        ] {
            assert!(
                matches!(Tagger::from_bytes(&bytes(&bad)), Err(MlError::Broken(_))),
                "{bad:?}"
            );
        }
    }
}
