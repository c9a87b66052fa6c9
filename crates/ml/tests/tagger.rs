//! Spans: learned from sentences, found where names were never seen before, and proposed with a promise that holds.

use limn_domain::CategoryId;
use limn_domain::assist::Basis;
use limn_ml::{LocalEngine, MlError, Rng, Tagger};
use limn_services::assist::port::{
    Engine as _, EngineError, LabeledText, SpanTraining, StopCheck, TEXT_READ, TextSpan,
};
use std::collections::HashSet;
use std::sync::Arc;

const GO: &(dyn Fn() -> bool + Sync) = &|| false;
const PERSON: usize = 0;
const PLACE: usize = 1;

const SYLLABLES: [&str; 16] = [
    "ba", "ko", "ri", "mel", "tan", "du", "vor", "sha", "lin", "gre", "no", "pa", "zel", "mi", "har", "os",
];
/// `P` is a person, `L` a place; what they are called alone does not tell which.
const SENTENCES: [&[&str]; 10] = [
    &["P", " lives in ", "L", "."],
    &["Yesterday ", "P", " met ", "P", " near ", "L", "."],
    &["The train from ", "L", " to ", "L", " was late."],
    &["According to Dr. ", "P", ", the bridge in ", "L", " is closed."],
    &["Nothing happened on Monday, and the Garden was full of people."],
    &["P", " said that she would travel to ", "L", " soon."],
    &["The weather was fine; no one had asked for Rain."],
    &["Mr. ", "P", " and his wife bought a house in ", "L", "."],
    &["In ", "L", " the Old Mill is open on Sunday."],
    &[
        "\u{201c}We never agreed to that,\u{201d} ",
        "P",
        " wrote in a letter.",
    ],
];
const GAPS: [&str; 4] = [" ", "\r\n", " \u{1f600} ", "\n\n"];

#[derive(Debug)]
struct Written {
    text: String,
    spans: Vec<TextSpan>,
}

impl Written {
    fn new() -> Self {
        Self {
            text: String::new(),
            spans: Vec::new(),
        }
    }

    fn say(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn mark(&mut self, category: usize, text: &str) {
        let start = self.text.chars().count() as u32;
        self.say(text);
        let end = self.text.chars().count() as u32;
        self.spans.push(TextSpan { category, start, end });
    }
}

fn name(rng: &mut Rng) -> String {
    let mut out: String = (0..2 + rng.below(2)).map(|_| SYLLABLES[rng.below(16)]).collect();
    out[..1].make_ascii_uppercase();
    out
}

/// A document of some sentences; half of the names are of a pool that others have too.
fn letter(rng: &mut Rng, pool: &[String]) -> Written {
    let mut out = Written::new();
    for _ in 0..3 + rng.below(4) {
        for part in SENTENCES[rng.below(SENTENCES.len())] {
            let category = match *part {
                "P" => PERSON,
                "L" => PLACE,
                text => {
                    out.say(text);
                    continue;
                }
            };
            let mut called = if rng.below(2) == 0 {
                pool[rng.below(pool.len())].clone()
            } else {
                name(rng)
            };
            if category == PERSON && rng.below(5) < 3 {
                called = format!("{called} {}", name(rng));
            }
            out.mark(category, &called);
        }
        out.say(GAPS[rng.below(4)]);
    }
    out
}

fn letters(n: usize, seed: u64) -> Vec<Written> {
    // The same pool for all.
    let mut rng = Rng::new(5);
    let pool: Vec<String> = (0..40).map(|_| name(&mut rng)).collect();
    let mut rng = Rng::new(seed);
    (0..n).map(|_| letter(&mut rng, &pool)).collect()
}

fn fit(documents: &[Written], categories: usize) -> Result<Tagger, MlError> {
    let pairs: Vec<(&str, &[TextSpan])> = documents
        .iter()
        .map(|d| (d.text.as_str(), d.spans.as_slice()))
        .collect();
    Tagger::fit(&pairs, categories, 1, GO)
}

fn key(s: &TextSpan) -> (usize, u32, u32) {
    (s.category, s.start, s.end)
}

/// The harmonic mean of precision and recall.
fn f1(documents: &[Written], find: impl Fn(&str) -> Vec<TextSpan>) -> f64 {
    let (mut right, mut all) = (0, 0);
    for d in documents {
        let there: HashSet<_> = d.spans.iter().map(key).collect();
        let found: HashSet<_> = find(&d.text).iter().map(key).collect();
        right += there.intersection(&found).count();
        all += there.len() + found.len();
    }
    2.0 * right as f64 / all as f64
}

fn sure(tagger: &Tagger, text: &str) -> Vec<TextSpan> {
    let found = tagger.find(text).into_iter();
    found.filter(|(_, c)| *c >= 0.5).map(|(s, _)| s).collect()
}

/// What a list of all names that were marked finds.
fn listed(taught: &[Written], text: &str) -> Vec<TextSpan> {
    let mut out = Vec::new();
    for d in taught {
        let chars: Vec<char> = d.text.chars().collect();
        for s in &d.spans {
            let called: String = chars[s.start as usize..s.end as usize].iter().collect();
            for (byte, _) in text.match_indices(&called) {
                let start = text[..byte].chars().count() as u32;
                out.push(TextSpan {
                    category: s.category,
                    start,
                    end: start + s.end - s.start,
                });
            }
        }
    }
    out
}

#[test]
fn names_are_found_by_what_is_around_them() {
    let (taught, held) = (letters(60, 7), letters(60, 8));
    let tagger = fit(&taught, 2).unwrap();
    let learned = f1(&held, |text| sure(&tagger, text));
    let list = f1(&held, |text| listed(&taught, text));
    assert!(learned > 0.9, "{learned}");
    assert!(list < learned - 0.3, "a list of names alone finds {list}");
    // After ten documents it is worth something already.
    let few = fit(&taught[..10], 2).unwrap();
    let first = f1(&held, |text| sure(&few, text));
    assert!(first > 0.75, "{first}");
    // Sure of what is right.
    for d in held.iter().take(20) {
        let found = tagger.find(&d.text);
        assert!(found.iter().all(|(_, c)| (0.0..=1.0).contains(c)));
        assert!(found.is_sorted_by(|a, b| a.1 >= b.1));
    }
}

#[test]
fn the_same_documents_give_the_same_model_which_survives_being_stored() {
    let taught = letters(30, 3);
    let (first, second) = (fit(&taught, 2).unwrap(), fit(&taught, 2).unwrap());
    let bytes = first.to_bytes();
    assert!(bytes == second.to_bytes());
    let again = Tagger::from_bytes(&bytes).unwrap();
    for d in letters(10, 4) {
        assert_eq!(first.find(&d.text), again.find(&d.text));
    }
    assert!(bytes.len() < 200_000, "{}", bytes.len());
    let refused = |bytes: &[u8]| matches!(Tagger::from_bytes(bytes), Err(MlError::Broken(_)));
    for cut in [0, 1, 5, bytes.len() / 2, bytes.len() - 1] {
        assert!(refused(&bytes[..cut]), "cut at {cut}");
    }
    let mut more = bytes.clone();
    more.push(0);
    assert!(refused(&more));
    assert!(refused(b"none"));
    assert!(refused(&[0xff; 400]));
    let mut other = bytes;
    other[0] = 77;
    assert!(refused(&other), "of another format");
}

#[test]
fn spans_of_different_categories_lie_over_each_other() {
    let mut rng = Rng::new(9);
    let mut school = |other: bool| {
        let mut d = Written::new();
        d.say(&format!("{} studied at the ", name(&mut rng)));
        let town = name(&mut rng);
        let whole = format!("University of {town}");
        d.mark(0, &whole);
        let mut inner = d.spans[0];
        (inner.category, inner.start) = (1, inner.end - town.chars().count() as u32);
        d.spans.push(inner);
        d.say(if other {
            " in spring."
        } else {
            " and was glad of it."
        });
        d.say(" It rained.\r\n");
        d
    };
    let taught: Vec<Written> = (0..30).map(|n| school(n % 2 == 0)).collect();
    let held: Vec<Written> = (0..20).map(|n| school(n % 3 == 0)).collect();
    let tagger = fit(&taught, 3).unwrap();
    let both = held
        .iter()
        .filter(|d| {
            let found: HashSet<_> = sure(&tagger, &d.text).iter().map(key).collect();
            d.spans.iter().all(|s| found.contains(&key(s)))
        })
        .count();
    assert!(both >= 18, "{both} of 20");
}

#[test]
fn places_count_unicode_scalar_values() {
    let tagger = fit(&letters(60, 7), 2).unwrap();
    let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}";
    let text =
        format!("\u{feff}{family}\r\n\r\nYesterday Lu\u{308}dan met Tabako Miri near Grezel.\r\n\u{1f600}");
    let chars: Vec<char> = text.chars().collect();
    let found: HashSet<(usize, String)> = sure(&tagger, &text)
        .iter()
        .map(|s| {
            (
                s.category,
                chars[s.start as usize..s.end as usize].iter().collect(),
            )
        })
        .collect();
    for (category, called) in [
        (PERSON, "Lu\u{308}dan"),
        (PERSON, "Tabako Miri"),
        (PLACE, "Grezel"),
    ] {
        assert!(
            found.contains(&(category, called.to_owned())),
            "{called} of {found:?}"
        );
    }
}

#[test]
fn odd_documents_do_no_harm() {
    let span = |category, start, end| TextSpan { category, start, end };
    let refused = |documents: &[Written]| matches!(fit(documents, 2), Err(MlError::Refused(_)));
    assert!(refused(&[]));
    assert!(refused(
        &letters(3, 1)
            .into_iter()
            .map(|d| Written {
                spans: Vec::new(),
                ..d
            })
            .collect::<Vec<_>>()
    ));
    let beyond = Written {
        text: "short".to_owned(),
        spans: vec![span(0, 40, 50), span(9, 0, 5), span(0, 3, 3)],
    };
    assert!(refused(&[beyond]));
    // Empty ones, white space, cut words, ends beyond the text; one category of two.
    let mut odd: Vec<Written> = ["", " \r\n\t ", "\u{0}", "\u{1f600}"]
        .map(|text| Written {
            text: text.to_owned(),
            spans: vec![span(0, 0, 1)],
        })
        .into();
    for mut d in letters(20, 2) {
        d.spans.retain(|s| s.category == PERSON);
        for s in &mut d.spans {
            s.start += 1;
        }
        odd.push(d);
    }
    odd.push(Written {
        text: "Koba".to_owned(),
        spans: vec![span(0, 1, 4_000_000_000)],
    });
    let tagger = fit(&odd, 2).unwrap();
    for text in ["", "\n", "\u{308}", "\u{200d}\u{200d}", "日本語の文章です", "ก็"] {
        assert!(
            tagger
                .find(text)
                .iter()
                .all(|(s, _)| s.end as usize <= text.chars().count()),
            "{text:?}"
        );
    }
    let found = tagger.find("Yesterday Koba Miri met Tan near Rilin.");
    assert!(
        found.iter().any(|(s, _)| key(s) == (PERSON, 10, 19)),
        "whole words: {found:?}"
    );
    assert!(found.iter().all(|(s, _)| s.category == PERSON));
}

#[test]
fn what_lies_behind_the_part_that_is_read_is_left_alone() {
    let taught = letters(40, 7);
    let tagger = fit(&taught, 2).unwrap();
    let mut text = "It rained. ".repeat(TEXT_READ / 11 - 5);
    text.push_str("P. Yesterday Koba met Miri near Rilin. ");
    text.push_str(&"Yesterday Koba met Miri near Rilin. ".repeat(2_000));
    let found = tagger.find(&text);
    assert!(!found.is_empty());
    assert!(found.iter().all(|(s, _)| s.end as usize <= TEXT_READ));
}

#[test]
fn learning_stops_when_asked() {
    let taught = letters(10, 1);
    let pairs: Vec<(&str, &[TextSpan])> = taught
        .iter()
        .map(|d| (d.text.as_str(), d.spans.as_slice()))
        .collect();
    assert!(matches!(
        Tagger::fit(&pairs, 2, 1, &|| true),
        Err(MlError::Stopped)
    ));
    let engine = LocalEngine::new();
    let tagger = Tagger::fit(&pairs, 2, 1, GO).unwrap();
    let stop: StopCheck = Arc::new(|| true);
    let none = engine.find_spans(&tagger.to_bytes(), &[String::new()], &stop);
    assert!(matches!(none, Err(EngineError::Stopped)));
    assert!(matches!(
        engine.find_spans(b"none", &[], &stop),
        Err(EngineError::Broken(_))
    ));
}

/// Letters with sentences that do not tell what their names are: seven of ten are persons.
fn doubtful(n: usize, seed: u64) -> Vec<Written> {
    let mut rng = Rng::new(seed + 1_000);
    let mut all = letters(n, seed);
    for d in &mut all {
        for _ in 0..2 {
            let category = if rng.below(10) < 7 { PERSON } else { PLACE };
            d.say("Everybody knows ");
            let called = name(&mut rng);
            d.mark(category, &called);
            d.say(" by heart. ");
        }
    }
    all
}

#[test]
fn proposals_are_right_as_often_as_is_asked() {
    let engine = LocalEngine::new();
    let stop: StopCheck = Arc::new(|| false);
    let asked = 0.9;
    let (mut right, mut of, mut there, mut told) = (0, 0, 0, 0);
    for seed in 0..8 {
        let labeled = doubtful(100, 20 + seed);
        let training = SpanTraining {
            documents: labeled
                .into_iter()
                .enumerate()
                .map(|(n, d)| LabeledText {
                    text: d.text,
                    spans: d.spans,
                    holdout: n % 4 == 3,
                })
                .collect(),
            categories: vec![CategoryId::new(), CategoryId::new()],
            accuracy: asked,
            seed: 1,
        };
        let trained = engine.fit_spans(&training, &stop).unwrap();
        let f = &trained.figures;
        assert_eq!(
            (f.basis, f.trained_on, f.holdout, f.map50),
            (Basis::Holdout, 75, 25, None)
        );
        assert!(f.warnings.is_empty(), "{:?}", f.warnings);
        assert!(f.categories.iter().all(|c| c.trained_on > 50), "{f:?}");
        let fresh = doubtful(60, 500 + seed);
        let texts: Vec<String> = fresh.iter().map(|d| d.text.clone()).collect();
        let found = engine.find_spans(&trained.head, &texts, &stop).unwrap();
        let (mut own, mut own_right) = (0_i64, 0_i64);
        for (d, found) in fresh.iter().zip(found) {
            let truth: HashSet<_> = d.spans.iter().map(key).collect();
            there += truth.len();
            let proposed = found
                .iter()
                .filter(|(s, c)| trained.thresholds[s.category].is_some_and(|t| *c >= t));
            for (s, _) in proposed {
                own += 1;
                own_right += i64::from(truth.contains(&key(s)));
            }
        }
        (right, of) = (right + own_right, of + own);
        // What is said of proposals holds for other documents, within its interval.
        let share = own_right as f64 / own.max(1) as f64;
        told += i32::from(f.proposed.low <= share + 0.02);
    }
    let precision = right as f64 / of as f64;
    assert!(precision >= asked - 0.02, "{precision}: {right} of {of}");
    assert!(right * 2 > there as i64, "{right} of {there} found");
    assert!(told >= 7, "{told} of 8 promises held");
}
