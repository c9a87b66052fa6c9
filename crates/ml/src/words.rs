//! Descriptions of documents without downloaded weights: words, pairs of words and pieces of words, weighted by how rare they are in the
//! project's own documents (tf-idf; Spärck Jones 1972), hashed into a fixed number of places (Weinberger et al. 2009), and reduced to the directions in
//! which documents differ most (latent semantic analysis; Deerwester et al. 1990). Any language that parts its words; pieces of words carry the others.

use crate::error::{MlError, Result, Stop, check, finite};
use crate::linear::{Matrix, dot};
use crate::principal::{Principal, less, principal};
use crate::rng::Rng;
use limn_services::assist::port::TEXT_READ;
use serde::{Deserialize, Serialize};

/// The layout of [`Words`]; others are refused.
const FORMAT: u32 = 1;
/// Places that words are hashed into.
const PLACES: usize = 4_096;
/// Characters of a piece of a word.
const PIECE: usize = 3;
const BATCH: usize = 64;

/// Describes documents; fitted to a project's own.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Words {
    format: u32,
    /// How much a word in each place counts.
    rare: Vec<f32>,
    mean: Vec<f32>,
    components: Vec<f32>,
    dims: usize,
}

impl Words {
    /// Learns from documents, some hundred of them at best. Errors: `Refused` without any.
    pub fn fit(texts: &[String], seed: u64, stop: Stop<'_>) -> Result<Self> {
        if texts.is_empty() {
            return Err(MlError::refused(
                "There are no documents to learn from. Add some to the project first.",
            ));
        }
        let counted: Vec<Vec<(usize, f32)>> = texts.iter().map(|t| counts(t)).collect();
        check(stop)?;
        let mut of = vec![0_u32; PLACES];
        for list in &counted {
            for (place, _) in list {
                of[*place] += 1;
            }
        }
        let n = texts.len() as f32;
        let rare = of
            .iter()
            .map(|df| ((1.0 + n) / (1.0 + *df as f32)).ln() + 1.0)
            .collect();
        let mut words = Self {
            format: FORMAT,
            rare,
            mean: Vec::new(),
            components: Vec::new(),
            dims: 0,
        };
        let raw = words.raw(&counted);
        let found = principal(raw, &mut Rng::new(seed), stop)?;
        Principal {
            mean: words.mean,
            components: words.components,
            dims: words.dims,
        } = found;
        Ok(words)
    }

    /// Numbers that describe a document.
    pub const fn dims(&self) -> usize {
        self.dims
    }

    /// One row of [`Self::dims`] numbers a document.
    pub fn embed(&self, texts: &[String], stop: Stop<'_>) -> Result<Vec<Vec<f32>>> {
        let components = Matrix {
            rows: self.dims,
            cols: PLACES,
            values: self.components.clone(),
        };
        let mut out = Vec::with_capacity(texts.len());
        for part in texts.chunks(BATCH) {
            check(stop)?;
            let counted: Vec<Vec<(usize, f32)>> = part.iter().map(|t| counts(t)).collect();
            let mut raw = self.raw(&counted);
            less(&mut raw, &self.mean);
            let low = raw.times_transposed(&components);
            finite(&low.values, "The description of a document")?;
            out.extend((0..low.rows).map(|i| low.row(i).to_vec()));
        }
        Ok(out)
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(self).unwrap_or_default()
    }

    /// Errors: `Broken` when the bytes are none of this layout.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let broken = || MlError::Broken("The stored features cannot be read; they are made anew.".to_owned());
        let read: Self = postcard::from_bytes(bytes).map_err(|_| broken())?;
        let fits = read.format == FORMAT
            && read.rare.len() == PLACES
            && read.mean.len() == PLACES
            && read.components.len() == read.dims * PLACES;
        fits.then_some(read).ok_or_else(broken)
    }

    /// Weighted counts of length 1, a row a document.
    fn raw(&self, counted: &[Vec<(usize, f32)>]) -> Matrix {
        let mut out = Matrix::zeros(counted.len(), PLACES);
        for (i, list) in counted.iter().enumerate() {
            let row = out.row_mut(i);
            for (place, count) in list {
                row[*place] = count * self.rare[*place];
            }
            let length = dot(row, row).sqrt();
            if length > 0.0 {
                for v in row {
                    *v /= length;
                }
            }
        }
        out
    }
}

/// How often there is something in each place, as `1 + ln(count)` with the sign that its hash has.
fn counts(text: &str) -> Vec<(usize, f32)> {
    let mut at = vec![0.0_f32; PLACES];
    let mut note = |what: &[&str]| {
        let hash = hashed(what);
        let sign = if hash >> 63 == 0 { 1.0 } else { -1.0 };
        at[(hash % PLACES as u64) as usize] += sign;
    };
    let read: String = text
        .chars()
        .take(TEXT_READ)
        .flat_map(char::to_lowercase)
        .collect();
    let words = read
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty());
    let mut before = None;
    for word in words {
        note(&["w", word]);
        if let Some(before) = before {
            note(&["p", before, word]);
        }
        before = Some(word);
        let ends: Vec<usize> = word.char_indices().map(|(i, _)| i).chain([word.len()]).collect();
        for piece in ends.windows(PIECE + 1) {
            note(&["c", &word[piece[0]..piece[PIECE]]]);
        }
    }
    let there = at.into_iter().enumerate().filter(|(_, v)| *v != 0.0);
    there
        .map(|(place, v)| (place, v.signum() * (1.0 + v.abs().ln())))
        .collect()
}

/// FNV-1a with the parts set apart, then stirred, for its high bits are weak.
fn hashed(parts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash ^= hash >> 32;
    hash.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::cosine;

    const SPORT: [&str; 4] = ["goal", "match", "keeper", "league"];
    const FOOD: [&str; 4] = ["bread", "butter", "oven", "flour"];

    fn texts() -> Vec<String> {
        let mut rng = Rng::new(4);
        (0..60)
            .map(|n| {
                let of = if n % 2 == 0 { SPORT } else { FOOD };
                (0..20)
                    .map(|k| {
                        if k % 2 == 0 {
                            of[rng.below(4)]
                        } else {
                            ["the", "and", "it", "was"][rng.below(4)]
                        }
                    })
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect()
    }

    #[test]
    fn documents_of_one_theme_lie_together() {
        let all = texts();
        let words = Words::fit(&all, 1, &|| false).unwrap();
        let again = Words::from_bytes(&words.to_bytes()).unwrap();
        let new = [
            "A LEAGUE without its keeper".to_owned(),
            "butter, flour; an oven".to_owned(),
        ];
        let (old, new) = (
            again.embed(&all, &|| false).unwrap(),
            again.embed(&new, &|| false).unwrap(),
        );
        let like = |v: &[f32], kind: usize| {
            let of = old.iter().skip(kind).step_by(2);
            of.map(|o| cosine(v, o)).sum::<f32>() / 30.0
        };
        assert!(like(&new[0], 0) > like(&new[0], 1) + 0.1);
        assert!(like(&new[1], 1) > like(&new[1], 0) + 0.1);
        assert_eq!(old[0].len(), again.dims());
    }

    #[test]
    fn whatever_the_text_there_are_numbers() {
        let odd = ["", "   \n\r\n", "\u{0}\u{1f600}\u{301}", "日本語の文章です", "a"].map(str::to_owned);
        let words = Words::fit(&odd, 1, &|| false).unwrap();
        let found = words.embed(&odd, &|| false).unwrap();
        assert!(found.iter().flatten().all(|v| v.is_finite()));
        assert!(matches!(Words::fit(&[], 1, &|| false), Err(MlError::Refused(_))));
        assert!(matches!(Words::from_bytes(b"none"), Err(MlError::Broken(_))));
        assert_eq!(words.embed(&odd, &|| true), Err(MlError::Stopped));
    }
}
