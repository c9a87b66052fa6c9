//! Documents out and in again, and what hostile files do.
#![allow(clippy::unwrap_used, reason = "tests")]

use limn_domain::export::ExportFormat;
use limn_domain::import::{ImportFormat, TextColumns};
use limn_domain::link::NO_LINKS;
use limn_domain::project::Task;
use limn_domain::{AnnotationId, Attributes, Shape, Source};
use limn_formats::write::{Category, Dataset, Files, Item, Label, Tally};
use limn_formats::{Findings, Imported, ImportedShape, texts};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Emoji, combining marks, CRLF and right to left: places must not move.
const TEXT: &str = "😀 Ana Müller-Lu\u{308}demann,\r\nborn in תל אביב.\r\n";

fn dataset(task: Task) -> Dataset {
    Dataset {
        name: "t".into(),
        task,
        date: String::new(),
        categories: ["PER", "LOC", "<b>&\"x\" | y"]
            .iter()
            .zip(1..)
            .map(|(name, id)| Category {
                id,
                name: (*name).to_owned(),
                parent: None,
                color: [1, 2, 3],
                skeleton: None,
                attributes: Vec::new(),
            })
            .collect(),
    }
}

type Spans = Vec<(u32, u32, usize)>;

fn write(
    format: ExportFormat,
    task: Task,
    documents: &[(&str, &str, Spans)],
) -> (BTreeMap<String, Vec<u8>>, Tally) {
    let mut writer = limn_formats::write::writer(format, dataset(task)).unwrap();
    let (mut out, mut tally) = (Files::default(), Tally::default());
    writer.begin(&mut out).unwrap();
    let none = Attributes::new();
    for ((name, text, spans), id) in documents.iter().zip(1..) {
        let shapes: Vec<Shape> = spans
            .iter()
            .map(|(start, end, _)| match task {
                Task::Entities => Shape::Span {
                    start: *start,
                    end: *end,
                },
                _ => Shape::Whole,
            })
            .collect();
        let labels: Vec<Label<'_>> = spans
            .iter()
            .zip(&shapes)
            .map(|((.., category), shape)| Label {
                id: AnnotationId::new(),
                category: *category,
                shape,
                z: 0,
                source: Source::Human,
                score: None,
                attributes: &none,
                links: &NO_LINKS,
            })
            .collect();
        let item = Item {
            id,
            name,
            width: 0,
            height: 0,
            text,
            about: &none,
            times_us: &[],
        };
        writer.item(&item, &labels, &mut out, &mut tally).unwrap();
    }
    writer.finish(&mut out).unwrap();
    (out.finish(), tally)
}

fn read(format: ImportFormat, name: &str, bytes: &[u8]) -> (Imported, Findings) {
    read_with(format, None, name, bytes)
}

fn read_with(
    format: ImportFormat,
    columns: Option<TextColumns>,
    name: &str,
    mut bytes: &[u8],
) -> (Imported, Findings) {
    let mut findings = Findings::new(name);
    let mut reader = texts::reader(format, columns);
    let read = reader.labels(name, &mut bytes, &mut findings);
    (read.unwrap_or_default(), findings)
}

/// Name, text and spans of a document.
type Document = (String, String, Vec<(u32, u32, String)>);

fn documents(imported: &Imported) -> Vec<Document> {
    imported
        .items()
        .map(|(image, labels)| {
            let spans = labels.iter().map(|l| {
                let name = imported.categories[l.category as usize].name.clone().unwrap();
                match &l.shape {
                    ImportedShape::Other(s) => s.span().map(|(a, b)| (a, b, name)).unwrap(),
                    _ => (0, 0, name),
                }
            });
            (
                image.file_name.clone().unwrap(),
                image.text.clone().unwrap_or_default(),
                spans.collect(),
            )
        })
        .collect()
}

#[test]
fn spans_out_and_in_to_the_last_place() {
    // "Ana Müller-Lüdemann" with a combining mark, "Müller-Lüdemann" within it, and "תל אביב".
    let spans = vec![(2, 22, 0), (6, 22, 2), (33, 40, 1)];
    let all = [("a.txt", TEXT, spans), ("b/ü.txt", "none", vec![])];
    for (format, file) in [
        (ExportFormat::Jsonl, "documents.jsonl"),
        (ExportFormat::Spacy, "entities.jsonl"),
    ] {
        let (files, tally) = write(format, Task::Entities, &all);
        assert_eq!((tally.items, tally.labels), (2, 3));
        let (back, findings) = read(format.import(), file, &files[file]);
        assert_eq!(findings.report().refused, 0, "{:?}", findings.report());
        let back = documents(&back);
        assert_eq!((back[0].0.as_str(), back[0].1.as_str()), ("a.txt", TEXT));
        assert_eq!(
            back[0].2,
            [
                (2, 22, "PER".to_owned()),
                (6, 22, "<b>&\"x\" | y".to_owned()),
                (33, 40, "LOC".to_owned())
            ]
        );
        assert_eq!((back[1].0.as_str(), back[1].2.len()), ("b/ü.txt", 0));
        // As Python counts.
        let quote: String = TEXT.chars().skip(33).take(7).collect();
        assert_eq!(quote, "תל אביב");
    }
    let (files, _) = write(ExportFormat::Csv, Task::Entities, &all);
    let csv = String::from_utf8(files["labels.csv"].clone()).unwrap();
    assert!(csv.contains("1,a.txt,LOC,33,40,תל אביב"), "{csv}");
    let (back, findings) = read(ImportFormat::Csv, "labels.csv", csv.as_bytes());
    assert_eq!(findings.report().refused, 0, "{:?}", findings.report());
    assert_eq!(documents(&back)[0].2.len(), 3);
    assert!(back.images.iter().all(|i| i.text.is_none()));
}

#[test]
fn conll_has_words_and_says_what_it_leaves_out() {
    let text = "Ana Lu\u{308} lives in New York.\r\n\r\nBob too";
    // Overlapping: "New York" goes before "York"; "liv" is widened.
    let spans = vec![
        (0, 7, 0),
        (8, 11, 2),
        (17, 25, 1),
        (21, 25, 0),
        (30, 33, 0),
        (13, 14, 1),
    ];
    let (files, tally) = write(ExportFormat::Conll, Task::Entities, &[("a.txt", text, spans)]);
    let file = String::from_utf8(files["entities.conll"].clone()).unwrap();
    assert_eq!(
        file,
        "-DOCSTART- O\n\nAna B-PER\nLu\u{308} I-PER\nlives B-<b>&\"x\"_|_y\nin O\nNew B-LOC\nYork I-LOC\n. O\n\nBob B-PER\ntoo O\n\n"
    );
    assert_eq!(tally.labels, 4);
    let notes = tally.notes().join(" ");
    assert!(
        notes.contains("1 spans left out: they share a word") && notes.contains("no word lies in them"),
        "{notes}"
    );
    assert!(notes.contains("1 spans end within a word"), "{notes}");
    let (back, findings) = read(ImportFormat::Conll, "x/entities.conll", file.as_bytes());
    assert_eq!(findings.report().refused, 0);
    let back = documents(&back);
    assert_eq!(back.len(), 1);
    assert_eq!(back[0].0, "entities/000001.txt");
    assert_eq!(back[0].1, "Ana Lu\u{308} lives in New York .\nBob too");
    let quotes: Vec<String> = back[0]
        .2
        .iter()
        .map(|(a, b, name)| {
            let quote: String = back[0]
                .1
                .chars()
                .skip(*a as usize)
                .take((b - a) as usize)
                .collect();
            format!("{quote}:{name}")
        })
        .collect();
    assert_eq!(
        quotes,
        [
            "Ana Lu\u{308}:PER",
            "lives:<b>&\"x\"_|_y",
            "New York:LOC",
            "Bob:PER"
        ]
    );
}

#[test]
fn conll_of_others() {
    // Four columns, IOB1, BILOU, documents apart by empty lines.
    let text = "EU NNP B-NP I-ORG\nrejects VBZ B-VP O\nGerman JJ B-NP I-MISC\n\nA\tB-PER\nB\tL-PER\nC\tU-LOC\nalone\n\n\n";
    let (back, findings) = read(ImportFormat::Conll, "eng.train", text.as_bytes());
    let back = documents(&back);
    assert_eq!(back.len(), 2);
    assert_eq!(back[0].1, "EU rejects German");
    assert_eq!(back[0].2, [(0, 2, "ORG".to_owned()), (11, 17, "MISC".to_owned())]);
    assert_eq!(back[1].2, [(0, 3, "PER".to_owned()), (4, 5, "LOC".to_owned())]);
    assert_eq!(findings.count("bad_record"), 1, "the line without a tag");
}

#[test]
fn classified_documents_out_and_in() {
    let all = [
        ("a.txt", "=1+1,\"quoted\"\r\nand more", vec![(0, 0, 0), (0, 0, 1)]),
        ("b.txt", "😀", vec![]),
    ];
    for (format, file) in [
        (ExportFormat::Jsonl, "documents.jsonl"),
        (ExportFormat::Csv, "labels.csv"),
    ] {
        let (files, tally) = write(format, Task::TextMultilabel, &all);
        assert_eq!((tally.items, tally.labels), (2, 2));
        let (back, findings) = read(format.import(), file, &files[file]);
        assert_eq!(findings.report().refused, 0, "{:?}", findings.report());
        let back = documents(&back);
        assert_eq!(
            (back[0].0.as_str(), back[0].1.as_str()),
            ("a.txt", all[0].1),
            "{format:?}"
        );
        let names: Vec<&str> = back[0].2.iter().map(|l| l.2.as_str()).collect();
        assert_eq!(names, ["PER", "LOC"]);
        assert_eq!(back[1].1, "😀");
    }
}

#[test]
fn columns_are_chosen_and_bad_rows_have_their_line() {
    let csv = b"nr;Review;mood\r\n1;\"good; \"\"really\"\"\r\nyes\";pos\r\n2;bad\r\n3;K\xf6ln;neg\r\n4;;neg\r\n5;fine;pos\r\n";
    let columns = TextColumns {
        text: "Review".into(),
        name: None,
        label: Some("mood".into()),
        id: Some("nr".into()),
    };
    let (back, findings) = read_with(ImportFormat::Csv, Some(columns.clone()), "set/reviews.csv", csv);
    let all = documents(&back);
    assert_eq!(all.len(), 2);
    assert_eq!(
        (all[0].0.as_str(), all[0].1.as_str(), all[0].2[0].2.as_str()),
        ("reviews/1.txt", "good; \"really\"\r\nyes", "pos")
    );
    let report = findings.report();
    let at = |code: &str| report.entries.iter().find(|e| e.code == code).map(|e| e.line);
    assert_eq!(at("ragged_row"), Some(Some(4)), "{report:?}");
    assert_eq!(at("not_utf8"), Some(Some(5)));
    assert_eq!(at("empty_text"), Some(Some(6)));
    let (none, _) = read_with(ImportFormat::Csv, Some(columns), "x.csv", b"a,b\n1,2\n");
    assert!(none.images.is_empty());
    let jsonl =
        "{\"t\":\"one\",\"y\":1}\n{\"t\":5}\nno\n{\"t\":\"two\",\"y\":[\"a\",\"b\"],\"text\":\"not this\"}\n";
    let columns = TextColumns {
        text: "t".into(),
        label: Some("y".into()),
        ..TextColumns::default()
    };
    let (back, findings) = read_with(ImportFormat::Jsonl, Some(columns), "x.jsonl", jsonl.as_bytes());
    let texts: Vec<String> = documents(&back).into_iter().map(|d| d.1).collect();
    assert_eq!(texts, ["one", "two"]);
    assert_eq!(documents(&back)[1].2.len(), 2);
    assert_eq!(
        findings.count("bad_record"),
        3,
        "a number for a label, for a text, and no JSON"
    );
}

#[test]
fn lines_of_other_tools() {
    let jsonl = concat!(
        "{\"text\":\"Ana in Rome\",\"entities\":[{\"start_offset\":0,\"end_offset\":3,\"label\":\"PER\"}]}\n",
        "{\"text\":\"Ana in Rome\",\"label\":[[7,11,\"LOC\"]]}\n",
        "{\"text\":\"Ana in Rome\",\"spans\":[{\"start\":0,\"end\":3,\"label\":\"PER\",\"token_start\":0}]}\n",
        "{\"text\":\"x\",\"spans\":[[3,3,\"A\"],[-1,2,\"A\"],[0,1],[0,1,7],{\"start\":0},null]}\n",
    );
    let (back, findings) = read(ImportFormat::Jsonl, "x.jsonl", jsonl.as_bytes());
    let spans: Vec<usize> = documents(&back).iter().map(|d| d.2.len()).collect();
    assert_eq!(spans, [1, 1, 1, 0]);
    assert_eq!((findings.count("bad_span"), findings.count("bad_record")), (2, 4));
}

#[test]
fn hostile_files_cost_only_themselves() {
    for format in [
        ImportFormat::Jsonl,
        ImportFormat::Csv,
        ImportFormat::Conll,
        ImportFormat::Spacy,
    ] {
        for bytes in [
            &b""[..],
            b"\0\0\0\0",
            b"\xff\xfea\0",
            b"text\n\"never closed",
            b"{\"text\":\"a\",\"spans\":[[0,99999999999999999999,\"x\"]]}\n",
            b"{\"text\":\"\\u0000\"}\n",
            b"text,label\n\0,\0\n",
            b"a B-\n-DOCSTART-\n\0 O\n",
        ] {
            let (_, findings) = read(format, "x", bytes);
            assert!(findings.report().entries.len() < 10);
        }
        let long = "x".repeat(3 << 20);
        read(format, "x", long.as_bytes());
        let wide = format!("text{}\n", ",".repeat(100_000));
        read(format, "x", wide.as_bytes());
    }
    // A deep nest does not end the process.
    let deep = format!("{{\"text\":\"a\",\"spans\":{}", "[".repeat(200_000));
    read(ImportFormat::Jsonl, "x.jsonl", deep.as_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_spans_of_any_text_come_back(
        text in "[a😀\u{301}\r\n שx\",;|\t]{1,80}",
        cuts in prop::collection::vec((0u32..80, 1u32..20, 0usize..2), 0..8),
    ) {
        let length = text.chars().count() as u32;
        let mut spans: Spans = cuts
            .into_iter()
            .map(|(s, n, c)| (s.min(length - 1), (s.min(length - 1) + n).min(length), c))
            .collect();
        spans.sort_unstable();
        spans.dedup();
        let want: Vec<(u32, u32, String)> =
            spans.iter().map(|(a, b, c)| (*a, *b, ["PER", "LOC"][*c].to_owned())).collect();
        for (format, file) in [(ExportFormat::Jsonl, "documents.jsonl"), (ExportFormat::Spacy, "entities.jsonl")] {
            let (files, _) = write(format, Task::Entities, &[("a.txt", text.as_str(), spans.clone())]);
            let (back, findings) = read(format.import(), file, &files[file]);
            prop_assert_eq!(findings.report().refused, 0);
            let mut back = documents(&back);
            back[0].2.sort();
            let mut want = want.clone();
            want.sort();
            prop_assert_eq!(&back[0].1, &text);
            prop_assert_eq!(&back[0].2, &want);
        }
        let (files, tally) = write(ExportFormat::Conll, Task::Entities, &[("a.txt", text.as_str(), spans.clone())]);
        let (back, findings) = read(ImportFormat::Conll, "e.conll", &files["entities.conll"]);
        prop_assert_eq!(findings.report().refused, 0);
        prop_assert_eq!(back.annotations.len() as u64, tally.labels);
    }
}
