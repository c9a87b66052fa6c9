//! Learning to find spans of documents, and how good those found are: a span is right when it begins and ends where one of its category does
//! that people marked. The rest is as for all marks ([`marks`]).

use crate::error::{MlError, Result, Stop, check};
use crate::judge::Judged;
use crate::marks::{self, Marks, Words};
use crate::tagger::Tagger;
use limn_domain::assist::Figures;
use limn_services::assist::port::{LabeledText, SpanTraining, TEXT_READ, TextSpan};
use std::collections::BTreeSet;

const WORDS: Words = Words {
    item: "document",
    items: "documents",
    mark: "span",
    marks: "spans",
    make: "mark",
};

/// A tagger with what is known of it.
#[derive(Debug)]
pub struct Learned {
    pub tagger: Tagger,
    /// From which confidence on spans of each category are proposed.
    pub thresholds: Vec<Option<f32>>,
    pub figures: Figures,
}

/// Learns from the documents outside the holdout, and judges by those in it. Errors: `Refused` when there is nothing to learn.
pub fn learn(training: &SpanTraining, stop: Stop<'_>) -> Result<Learned> {
    let classes = training.categories.len();
    let spans: Vec<Vec<TextSpan>> = training.documents.iter().map(|d| counted(d, classes)).collect();
    let of = |holdout: bool| -> Vec<(&str, &[TextSpan])> {
        let all = training.documents.iter().zip(&spans);
        all.filter(|(d, _)| d.holdout == holdout)
            .map(|(d, spans)| (d.text.as_str(), spans.as_slice()))
            .collect()
    };
    let (held, taught) = (of(true), of(false));
    if taught.iter().all(|(_, spans)| spans.is_empty()) {
        return Err(MlError::refused(
            "None of the labeled documents that the model learns from has a span. Mark some.",
        ));
    }
    let tagger = Tagger::fit(&taught, classes, training.seed, stop)?;
    let mut judged = Vec::with_capacity(held.len());
    for (text, spans) in &held {
        check(stop)?;
        judged.push(matched(spans, &tagger.find(text)));
    }
    let count = |list: &[(&str, &[TextSpan])]| {
        let mut of = vec![0_i64; classes];
        for s in list.iter().flat_map(|(_, spans)| spans.iter()) {
            of[s.category] += 1;
        }
        of
    };
    let (there, trained) = (count(&held), count(&taught));
    let all: Vec<&Judged> = judged.iter().flatten().collect();
    let worth: Vec<f32> = (0..classes).map(|c| marks::worth(&all, c, there[c])).collect();
    let (thresholds, figures) = marks::judge(&Marks {
        judged: &judged,
        there: &there,
        categories: &training.categories,
        trained_on: taught.len() as i64,
        trained: &trained,
        worth: &worth,
        map50: None,
        accuracy: training.accuracy,
        words: WORDS,
    });
    Ok(Learned {
        tagger,
        thresholds,
        figures,
    })
}

/// The spans of a document as they count: of categories that there are, within what is read, without the white space at their ends, each once.
fn counted(d: &LabeledText, classes: usize) -> Vec<TextSpan> {
    let chars: Vec<char> = d.text.chars().take(TEXT_READ).collect();
    let trimmed = |s: &TextSpan| {
        let of = chars.get(s.start as usize..s.end as usize)?;
        let front = of.iter().take_while(|c| c.is_whitespace()).count();
        let back = of.iter().rev().take_while(|c| c.is_whitespace()).count();
        (front < of.len()).then(|| TextSpan {
            category: s.category,
            start: s.start + front as u32,
            end: s.end - back as u32,
        })
    };
    let known = d.spans.iter().filter(|s| s.category < classes);
    let each: BTreeSet<(u32, u32, usize)> = known
        .filter_map(trimmed)
        .map(|s| (s.start, s.end, s.category))
        .collect();
    let span = |(start, end, category)| TextSpan { category, start, end };
    each.into_iter().map(span).collect()
}

/// The found spans of a document, each with what is there: a span of its own category, else of another one, else nothing.
fn matched(right: &[TextSpan], found: &[(TextSpan, f32)]) -> Vec<Judged> {
    let place = |s: &TextSpan| (s.start, s.end);
    found
        .iter()
        .map(|(s, sure)| {
            let mut here = right.iter().filter(|r| place(r) == place(s));
            let first = here.clone().next();
            let is = here.find(|r| r.category == s.category).or(first);
            Judged {
                is: is.map(|r| r.category).into_iter().collect(),
                said: vec![s.category],
                confidence: *sure,
                ways: Vec::new(),
                holdout: true,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn span(category: usize, start: u32, end: u32) -> TextSpan {
        TextSpan { category, start, end }
    }

    #[test]
    fn spans_count_once_without_white_space_and_within_the_text() {
        let d = LabeledText {
            text: "\u{1f600} Ana\r\n lives ".to_owned(),
            spans: vec![
                span(0, 1, 7),
                span(0, 2, 5),
                span(1, 2, 5),
                span(0, 5, 8),
                span(0, 8, 90),
                span(5, 8, 13),
                span(0, 4, 3),
                span(0, 13, 14),
            ],
            holdout: false,
        };
        assert_eq!(counted(&d, 2), [span(0, 2, 5), span(1, 2, 5)]);
    }

    #[test]
    fn a_span_is_right_where_exactly_that_was_marked() {
        let right = [span(1, 0, 3), span(0, 0, 3), span(1, 8, 12)];
        let found = [
            (span(0, 0, 3), 0.9),
            (span(0, 8, 12), 0.8),
            (span(1, 8, 11), 0.7),
            (span(1, 0, 3), 0.6),
        ];
        let judged = matched(&right, &found);
        let is: Vec<Vec<usize>> = judged.iter().map(|j| j.is.clone()).collect();
        assert_eq!(is, [vec![0], vec![1], vec![], vec![1]]);
        let all: Vec<&Judged> = judged.iter().collect();
        // Of the first category one of one is found at 0.9; of the second one of two, after a mistake.
        assert_eq!((marks::worth(&all, 0, 1), marks::worth(&all, 1, 2)), (0.9, 0.6));
        assert_eq!(marks::worth(&all, 2, 0), marks::WORTH);
    }

    #[test]
    fn nothing_to_learn_from_is_refused() {
        let training = |documents: Vec<LabeledText>| SpanTraining {
            documents,
            categories: vec![limn_domain::CategoryId::new()],
            accuracy: 0.8,
            seed: 1,
        };
        let d = |spans: Vec<TextSpan>, holdout: bool| LabeledText {
            text: "Ana lives in Rome.".to_owned(),
            spans,
            holdout,
        };
        for none in [
            Vec::new(),
            vec![d(Vec::new(), false)],
            vec![d(vec![span(0, 0, 3)], true)],
            vec![d(vec![span(0, 3, 4)], false)],
        ] {
            let refused = learn(&training(none), &|| false);
            assert!(matches!(refused, Err(MlError::Refused(_))), "{refused:?}");
        }
        let one = training(vec![d(vec![span(0, 0, 3)], false), d(vec![span(0, 0, 3)], true)]);
        assert!(matches!(learn(&one, &|| true), Err(MlError::Stopped)));
        let learned = learn(&one, &|| false).unwrap();
        assert_eq!((learned.figures.trained_on, learned.figures.holdout), (1, 1));
        assert!(
            learned.figures.warnings[0].contains("Only 1 document of the holdout is labeled, with 1 span;")
        );
    }
}
