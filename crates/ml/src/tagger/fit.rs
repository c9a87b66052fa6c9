//! Fitting a tagger.

use super::tokens::{PLACES, Token, describe, tokens};
use super::{FORMAT, Kept, NONE, STEPS, add, odds};
use crate::error::{MlError, Result, Stop, check, finite};
use crate::rng::Rng;
use limn_services::assist::port::TextSpan;
use std::cmp::Reverse;

/// Tokens learned from, times the categories; more are drawn from, less of them where there are many categories.
const WORK: usize = 8_000_000;
const TOKENS_MAX: usize = 400_000;
const TOKENS_MIN: usize = 20_000;
/// Tokens on each side of a span that are learned from as those within are.
const AROUND: usize = 2;
/// What was said once says nothing of other tokens.
const SEEN_MIN: u32 = 2;
/// Numbers of a model; of more the rarest places are left out.
const NUMBERS_MAX: usize = 4_000_000;
/// Rounds, so that each sees so many tokens in all.
const SEEN: usize = 250_000;
const ROUNDS: (usize, usize) = (8, 30);
/// Of AdaGrad.
const RATE: f32 = 0.1;
/// By so much each weight goes towards zero after each round: rare ones, which few tokens hold, most of all.
const SHRINK: f32 = 0.004;
/// A token drawn for many stands for at most so many.
const WEIGHT_MAX: f32 = 8.0;
/// What is as right as this teaches nothing.
const RIGHT: f32 = 1e-3;
/// Tokens between two looks at `stop`.
const LOOK: usize = 2_048;

/// What a token is of a category.
#[derive(Debug, Clone, Copy)]
struct Tag {
    token: usize,
    category: usize,
    inside: bool,
}

/// Tokens to learn from, one after the other.
#[derive(Default)]
struct Examples {
    /// Places of what is said of them, later rows of weights.
    said: Vec<u32>,
    /// Where those of each begin, and at last where all end.
    said_from: Vec<usize>,
    /// The number of the weight that should be high, of those that are of a span.
    is: Vec<usize>,
    is_from: Vec<usize>,
    weight: Vec<f32>,
}

impl Examples {
    const fn len(&self) -> usize {
        self.weight.len()
    }

    fn said(&self, n: usize) -> &[u32] {
        &self.said[self.said_from[n]..self.said_from[n + 1]]
    }

    fn is(&self, n: usize) -> &[usize] {
        &self.is[self.is_from[n]..self.is_from[n + 1]]
    }

    /// Rows of weights in the place of places; those without a row are left out.
    fn rows(&mut self, row: &[u32]) {
        let mut said = Vec::with_capacity(self.said.len());
        let mut said_from = vec![0];
        for n in 0..self.len() {
            said.extend(
                self.said(n)
                    .iter()
                    .map(|p| row[*p as usize])
                    .filter(|r| *r != NONE),
            );
            said_from.push(said.len());
        }
        (self.said, self.said_from) = (said, said_from);
    }
}

pub fn fit(documents: &[(&str, &[TextSpan])], categories: usize, seed: u64, stop: Stop<'_>) -> Result<Kept> {
    let mut known = vec![false; categories];
    let (mut near, mut far) = (0, 0);
    for (text, spans) in documents {
        check(stop)?;
        let tokens = tokens(text);
        let tags = tags(&tokens, spans, categories);
        for t in &tags {
            known[t.category] = true;
        }
        let close = close(tokens.len(), &tags).iter().filter(|c| **c).count();
        near += close;
        far += tokens.len() - close;
    }
    let known: Vec<u32> = (0..categories as u32).filter(|c| known[*c as usize]).collect();
    if known.is_empty() {
        return Err(MlError::refused(
            "There are no spans to learn from. Mark some in the documents first.",
        ));
    }
    let mut column = vec![None; categories];
    for (n, category) in known.iter().enumerate() {
        column[*category as usize] = Some(n);
    }
    let most = (WORK / known.len()).clamp(TOKENS_MIN, TOKENS_MAX);
    let share = |of: usize, room: usize| (room as f64 / of.max(1) as f64).min(1.0);
    let near_share = share(near, most / 2 + most.saturating_sub(far).min(most / 2));
    let far_share = share(far, most - ((near as f64 * near_share) as usize).min(most));
    let mut rng = Rng::new(seed);
    let mut examples = Examples {
        said_from: vec![0],
        is_from: vec![0],
        ..Examples::default()
    };
    let mut said = Vec::new();
    for (text, spans) in documents {
        check(stop)?;
        let tokens = tokens(text);
        let tags = tags(&tokens, spans, categories);
        let close = close(tokens.len(), &tags);
        let mut own = tags.iter().peekable();
        for (n, close) in close.iter().enumerate() {
            let share = if *close { near_share } else { far_share };
            let drawn = share >= 1.0 || rng.unit() < share;
            while let Some(tag) = own.next_if(|t| t.token == n) {
                if let Some(k) = column[tag.category].filter(|_| drawn) {
                    examples.is.push(k * 2 + usize::from(tag.inside));
                }
            }
            if drawn {
                describe(&tokens, n, &mut said);
                examples.said.extend(&said);
                examples.said_from.push(examples.said.len());
                examples.is_from.push(examples.is.len());
                examples.weight.push((1.0 / share as f32).min(WEIGHT_MAX));
            }
        }
    }
    let width = known.len() * 2;
    let places = worth_a_row(&examples.said, width);
    let mut row = vec![NONE; PLACES];
    for (n, place) in places.iter().enumerate() {
        row[*place as usize] = n as u32;
    }
    examples.rows(&row);
    let weights = learned(&examples, places.len(), width, &mut rng, stop)?;
    Ok(kept(categories, known, &places, &weights))
}

/// What the tokens are that spans touch; of spans of one category that touch the same the first, of those the longest.
fn tags(tokens: &[Token], spans: &[TextSpan], categories: usize) -> Vec<Tag> {
    let mut sorted: Vec<&TextSpan> = spans.iter().filter(|s| s.category < categories).collect();
    sorted.sort_by_key(|s| (s.category, s.start, Reverse(s.end)));
    let mut out: Vec<Tag> = Vec::new();
    // A category, and where its next span may begin.
    let mut free = (usize::MAX, 0);
    for s in sorted {
        let from = tokens.partition_point(|t| t.end <= s.start);
        let to = tokens.partition_point(|t| t.start < s.end);
        let first = if free.0 == s.category { free.1 } else { 0 };
        if s.start >= s.end || from >= to || from < first {
            continue;
        }
        out.extend((from..to).map(|token| Tag {
            token,
            category: s.category,
            inside: token > from,
        }));
        free = (s.category, to);
    }
    out.sort_by_key(|t| (t.token, t.category));
    out
}

/// Which tokens lie within spans, or close to one.
fn close(tokens: usize, tags: &[Tag]) -> Vec<bool> {
    let mut out = vec![false; tokens];
    for t in tags {
        let to = (t.token + AROUND + 1).min(tokens);
        out[t.token.saturating_sub(AROUND)..to].fill(true);
    }
    out
}

/// The places that get weights, in order: what was said often enough, and of that the most frequent where there is too much.
fn worth_a_row(said: &[u32], width: usize) -> Vec<u32> {
    let mut seen = vec![0_u32; PLACES];
    for place in said {
        seen[*place as usize] += 1;
    }
    let mut least = SEEN_MIN;
    while seen.iter().filter(|n| **n >= least).count() * width > NUMBERS_MAX && least < u32::MAX / 2 {
        least *= 2;
    }
    (0..PLACES as u32)
        .filter(|p| seen[*p as usize] >= least)
        .collect()
}

fn learned(of: &Examples, rows: usize, width: usize, rng: &mut Rng, stop: Stop<'_>) -> Result<Vec<f32>> {
    let mut weights = vec![0.0_f32; rows * width];
    // Sums of squared gradients, and of the weights after each of the later rounds.
    let mut squares = vec![1.0_f32; rows * width];
    let mut sums = vec![0.0_f32; rows * width];
    let rounds = (SEEN / of.len().max(1)).clamp(ROUNDS.0, ROUNDS.1);
    let mut order: Vec<usize> = (0..of.len()).collect();
    let (mut logits, mut gradient) = (vec![0.0_f32; width], vec![0.0_f32; width]);
    let mut wrong: Vec<(usize, f32)> = Vec::new();
    let mut summed = 0.0;
    for round in 0..rounds {
        rng.shuffle(&mut order);
        for (n, example) in order.iter().enumerate() {
            if n % LOOK == 0 {
                check(stop)?;
            }
            logits.fill(0.0);
            for row in of.said(*example) {
                add(&mut logits, &weights, *row as usize);
            }
            for (g, l) in gradient
                .as_chunks_mut::<2>()
                .0
                .iter_mut()
                .zip(logits.as_chunks::<2>().0)
            {
                let [_, begins, inside] = odds(*l);
                *g = [begins, inside];
            }
            for column in of.is(*example) {
                gradient[*column] -= 1.0;
            }
            wrong.clear();
            let far = gradient.iter().enumerate().filter(|(_, g)| g.abs() > RIGHT);
            wrong.extend(far.map(|(column, g)| (column, g * of.weight[*example])));
            if wrong.is_empty() {
                continue;
            }
            for row in of.said(*example) {
                for (column, g) in &wrong {
                    let at = *row as usize * width + column;
                    squares[at] += g * g;
                    weights[at] -= RATE * g / squares[at].sqrt();
                }
            }
        }
        for w in &mut weights {
            *w = w.signum() * (w.abs() - SHRINK).max(0.0);
        }
        if round >= rounds / 3 {
            for (sum, w) in sums.iter_mut().zip(&weights) {
                *sum += *w;
            }
            summed += 1.0;
        }
    }
    for sum in &mut sums {
        *sum /= summed;
    }
    finite(&sums, "A weight of the tagger")?;
    Ok(sums)
}

/// As it is stored, without the places whose weights are all nothing.
fn kept(categories: usize, known: Vec<u32>, places: &[u32], weights: &[f32]) -> Kept {
    let mut out = Kept {
        format: FORMAT,
        categories: categories as u32,
        known,
        places: Vec::new(),
        weights: Vec::new(),
    };
    for (place, row) in places.iter().zip(weights.chunks_exact(out.width())) {
        let most = f32::from(i16::MAX);
        let steps = row.iter().map(|w| (w * STEPS).round().clamp(-most, most) as i16);
        let steps: Vec<i16> = steps.collect();
        if steps.iter().any(|s| *s != 0) {
            out.places.push(*place);
            out.weights.extend(steps);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_stand_for_the_tokens_that_they_touch() {
        let tokens = tokens("Ana Lopez in Rome");
        let span = |category, start, end| TextSpan { category, start, end };
        let of = |spans: &[TextSpan]| {
            tags(&tokens, spans, 2)
                .iter()
                .map(|t| (t.token, t.category, t.inside))
                .collect::<Vec<_>>()
        };
        // Cuts both words; another category over the second.
        assert_eq!(
            of(&[span(1, 4, 9), span(0, 1, 6)]),
            [(0, 0, false), (1, 0, true), (1, 1, false)]
        );
        // Within another of its category, empty, turned, on a blank, beyond the text, of no category.
        let odd = [
            span(0, 0, 9),
            span(0, 4, 9),
            span(0, 5, 5),
            span(0, 9, 2),
            span(0, 3, 4),
            span(0, 17, 90),
            span(7, 0, 3),
        ];
        assert_eq!(of(&odd), [(0, 0, false), (1, 0, true)]);
        assert_eq!(of(&[span(0, 13, 900)]), [(3, 0, false)]);
        assert_eq!(
            close(4, &tags(&tokens, &[span(0, 0, 3)], 1)),
            [true, true, true, false]
        );
    }
}
