//! COCO in and out: what is written is read back, and what is wrong in a file is named, never fatal.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use limn_domain::Rect;
use limn_domain::export::BoxSegmentation;
use limn_domain::import::{ImportReport, Severity};
use limn_formats::coco::{
    self, Category, CocoWriter, Coordinates, Image, Info, Label, LabelShape, Options, Written,
};
use limn_formats::{Findings, Fit, FormatError, Imported, ImportedShape, Placed};
use proptest::prelude::*;
use std::io::{Cursor, Read};

fn read_with(bytes: &[u8], options: &Options) -> (Result<Imported, FormatError>, ImportReport) {
    let mut findings = Findings::new("labels.json");
    let out = coco::read(bytes, options, &mut findings);
    (out, findings.into_report())
}

fn read(bytes: impl AsRef<[u8]>) -> (Imported, ImportReport) {
    let (out, report) = read_with(bytes.as_ref(), &Options::default());
    (out.expect("a COCO file"), report)
}

/// `(severity, code, line, record)` of every entry.
fn entries(r: &ImportReport) -> Vec<(Severity, &str, Option<u64>, Option<&str>)> {
    r.entries
        .iter()
        .map(|e| (e.severity, e.code.as_str(), e.line, e.record.as_deref()))
        .collect()
}

fn codes(r: &ImportReport) -> Vec<&str> {
    r.entries.iter().map(|e| e.code.as_str()).collect()
}

/// A file with one image of 100 x 50, one category, and these annotations.
fn with_annotations(annotations: &str) -> String {
    format!(
        r#"{{"images":[{{"id":1,"file_name":"a.jpg","width":100,"height":50}}],"categories":[{{"id":1,"name":"cat"}}],
"annotations":[
{annotations}
]}}"#
    )
}

fn boxes(i: &Imported) -> Vec<[f64; 4]> {
    i.annotations
        .iter()
        .filter_map(|a| match a.shape {
            ImportedShape::Box(r) => Some([r.x, r.y, r.w, r.h]),
            ImportedShape::Whole => None,
        })
        .collect()
}

const INFO: Info<'_> = Info {
    year: 2026,
    version: "1",
    description: "Raccoons",
    contributor: "Ana",
    url: "",
    date_created: "2026-01-31 12:00:00",
};

fn write(
    categories: &[Category<'_>],
    images: &[(Image<'_>, Vec<Label>)],
    segmentation: BoxSegmentation,
) -> (String, Written) {
    let mut w = CocoWriter::new(
        Vec::new(),
        Cursor::new(Vec::new()),
        &INFO,
        categories,
        segmentation,
    )
    .unwrap();
    for (image, labels) in images {
        w.image(image, labels.iter().copied()).unwrap();
    }
    let (bytes, written) = w.finish().unwrap();
    (String::from_utf8(bytes).unwrap(), written)
}

fn image(id: i64, file_name: &str) -> Image<'_> {
    Image {
        id,
        width: 100,
        height: 50,
        file_name,
    }
}

fn label(category_id: i64, x: f64, y: f64, w: f64, h: f64) -> Label {
    Label {
        category_id,
        shape: LabelShape::Box(Rect::new(x, y, w, h)),
    }
}

const CATEGORIES: [Category<'_>; 2] = [
    Category {
        id: 1,
        name: "animal",
        supercategory: "animal",
    },
    Category {
        id: 4,
        name: "cat \"<b>\"",
        supercategory: "animal",
    },
];

#[test]
fn the_file_is_as_the_standard_wants_it() {
    let images = [
        (
            image(1, "a/é \"x\".jpg"),
            vec![
                label(4, 10.5, 20.0, 30.25, 10.0),
                Label {
                    category_id: 1,
                    shape: LabelShape::Whole,
                },
            ],
        ),
        (image(7, "empty.jpg"), vec![]),
        (
            image(9, "edge.jpg"),
            vec![
                label(1, -5.0, 40.0, 20.0, 100.0),
                label(1, 200.0, 0.0, 5.0, 5.0),
                label(1, f64::NAN, 0.0, 1.0, 1.0),
            ],
        ),
    ];
    let (text, written) = write(&CATEGORIES, &images, BoxSegmentation::Empty);
    assert_eq!(
        text,
        r#"{"info":{"year":2026,"version":"1","description":"Raccoons","contributor":"Ana","url":"","date_created":"2026-01-31 12:00:00"},
"licenses":[{"id":1,"name":"Unknown","url":""}],
"categories":[
{"id":1,"name":"animal","supercategory":"animal"},
{"id":4,"name":"cat \"<b>\"","supercategory":"animal"}
],
"images":[
{"id":1,"width":100,"height":50,"file_name":"a/é \"x\".jpg","license":1},
{"id":7,"width":100,"height":50,"file_name":"empty.jpg","license":1},
{"id":9,"width":100,"height":50,"file_name":"edge.jpg","license":1}
],
"annotations":[
{"id":1,"image_id":1,"category_id":4,"segmentation":[],"area":302.5,"bbox":[10.5,20.0,30.25,10.0],"iscrowd":0},
{"id":2,"image_id":1,"category_id":1,"segmentation":[],"area":5000.0,"bbox":[0.0,0.0,100.0,50.0],"iscrowd":0},
{"id":3,"image_id":9,"category_id":1,"segmentation":[],"area":150.0,"bbox":[0.0,40.0,15.0,10.0],"iscrowd":0}
]}
"#
    );
    let expected = Written {
        images: 3,
        annotations: 3,
        clipped: 1,
        dropped: 2,
        examples: vec!["edge.jpg".to_owned()],
    };
    assert_eq!(written, expected);
    assert_eq!(
        text,
        write(&CATEGORIES, &images, BoxSegmentation::Empty).0,
        "byte for byte the same"
    );

    let polygon = write(&CATEGORIES, &images[..1], BoxSegmentation::Polygon).0;
    assert!(
        polygon.contains(r#""segmentation":[[10.5,20.0,40.75,20.0,40.75,30.0,10.5,30.0]],"area""#),
        "{polygon}"
    );
    assert!(
        !write(&CATEGORIES, &images, BoxSegmentation::Omit)
            .0
            .contains("segmentation")
    );
    let (empty, _) = write(&[], &[], BoxSegmentation::Empty);
    let value: serde_json::Value = serde_json::from_str(&empty).unwrap();
    assert!(value["info"].is_object() && value["images"].as_array().unwrap().is_empty());
}

/// A spool that is a file, written past its buffer.
#[test]
fn many_annotations_go_through_the_spool() {
    let spool = tempfile_like();
    let mut w = CocoWriter::new(Vec::new(), spool, &INFO, &CATEGORIES, BoxSegmentation::Empty).unwrap();
    for id in 1..=2_000 {
        w.image(
            &image(id, &format!("{id}.jpg")),
            (0..5).map(|n| label(1, f64::from(n), 1.0, 2.0, 3.0)),
        )
        .unwrap();
    }
    let (bytes, written) = w.finish().unwrap();
    assert_eq!((written.images, written.annotations), (2_000, 10_000));
    let (imported, report) = read(&bytes);
    assert_eq!(imported.annotations.len(), 10_000);
    assert!(report.entries.is_empty());
    assert!(
        imported
            .annotations
            .iter()
            .enumerate()
            .all(|(i, a)| a.id == Some(i as i64 + 1))
    );
}

fn tempfile_like() -> std::fs::File {
    tempfile::tempfile().unwrap()
}

#[test]
fn a_tree_of_categories_survives() {
    let (text, _) = write(&CATEGORIES, &[], BoxSegmentation::Empty);
    let (imported, report) = read(text);
    assert!(report.entries.is_empty());
    assert_eq!(imported.categories[0].parent, None);
    assert_eq!(imported.categories[1].parent, Some(0));
    assert_eq!(imported.categories[1].id, Some(4));
    assert_eq!(imported.categories[1].name.as_deref(), Some("cat \"<b>\""));
}

#[test]
fn azure_s_fractions_are_detected() {
    let text = r#"{"images":[{"id":1,"file_name":"AmlDatastore://x/a.jpg","width":100.0,"height":50.0,"coco_url":"https://e.org/a.jpg"}],
"categories":[{"id":1,"name":"cat"}],
"annotations":[{"id":1,"image_id":1,"category_id":1,"bbox":[0.1,0.2,0.5,0.5],"area":0.0}]}"#;
    let (imported, report) = read(text);
    assert!(imported.normalised);
    assert_eq!(codes(&report), ["normalised"]);
    assert_eq!(imported.images[0].size, Some((100.0, 50.0)));
    assert_eq!(imported.images[0].alternatives, ["https://e.org/a.jpg"]);
    let fit = Fit::new(imported.images[0].size, (100.0, 50.0), 1, imported.normalised);
    let Placed::Box { rect, fixed } = fit.place(imported.annotations[0].shape) else {
        panic!()
    };
    assert_eq!(
        ([rect.x, rect.y, rect.w, rect.h], fixed),
        ([10.0, 10.0, 50.0, 25.0], None)
    );

    // Somebody's very small boxes in whole pixels are pixels, and a choice counts.
    assert!(
        !read(with_annotations(
            r#"{"id":1,"image_id":1,"category_id":1,"bbox":[0,0,1,1]}"#
        ))
        .0
        .normalised
    );
    assert!(
        !read(with_annotations(
            r#"{"id":1,"image_id":1,"category_id":1,"bbox":[0.5,0,10,1]}"#
        ))
        .0
        .normalised
    );
    let pixels = Options {
        coordinates: Coordinates::Pixels,
        ..Options::default()
    };
    assert!(!read_with(text.as_bytes(), &pixels).0.unwrap().normalised);
}

#[test]
fn unknown_references_are_refused_by_name() {
    let (imported, report) = read(with_annotations(
        r#"{"id":1,"image_id":1,"category_id":7,"bbox":[1,1,2,2]},
{"id":2,"image_id":99,"category_id":1,"bbox":[1,1,2,2]},
{"id":3,"category_id":1,"bbox":[1,1,2,2]},
{"id":4,"image_id":1,"bbox":[1,1,2,2]},
{"id":5,"image_id":1,"category_id":1,"bbox":[1,1,2,2]}"#,
    ));
    assert_eq!(imported.annotations.len(), 1);
    assert_eq!(
        entries(&report),
        [
            (Severity::Refused, "no_image_id", Some(5), Some("annotations[2]")),
            (
                Severity::Refused,
                "no_category_id",
                Some(6),
                Some("annotations[3]")
            ),
            (
                Severity::Refused,
                "unknown_category",
                Some(3),
                Some("annotations[0] (id 1)")
            ),
            (
                Severity::Refused,
                "unknown_image",
                Some(4),
                Some("annotations[1] (id 2)")
            ),
        ]
    );
    assert!(
        report.entries[2].message.contains("id 7"),
        "{}",
        report.entries[2].message
    );
}

#[test]
fn duplicate_ids() {
    let (imported, report) = read(
        r#"{"images":[{"id":1,"file_name":"a.jpg"},{"id":1,"file_name":"b.jpg"}],
"categories":[{"id":1,"name":"cat"},{"id":1,"name":"dog"}],
"annotations":[{"id":1,"image_id":1,"category_id":1,"bbox":[1,1,2,2]},
{"id":1,"image_id":1,"category_id":1,"bbox":[5,5,2,2]},
{"id":1,"image_id":1,"category_id":1,"bbox":[5,5,2,2]}]}"#,
    );
    assert_eq!((imported.images.len(), imported.categories.len()), (1, 1));
    assert_eq!(boxes(&imported), [[1.0, 1.0, 2.0, 2.0], [5.0, 5.0, 2.0, 2.0]]);
    assert_eq!(
        entries(&report),
        [
            (Severity::Refused, "duplicate_id", Some(1), Some("images[1]")),
            (Severity::Refused, "duplicate_id", Some(2), Some("categories[1]")),
            (
                Severity::Fixed,
                "duplicate_id",
                Some(4),
                Some("annotations[1] (id 1)")
            ),
            (
                Severity::Refused,
                "duplicate_annotation",
                Some(5),
                Some("annotations[2] (id 1)")
            ),
        ]
    );
}

#[test]
fn ids_from_zero_and_ids_that_are_texts() {
    let (imported, report) = read(
        r#"{"images":[{"id":0,"file_name":"a.jpg"},{"id":"b-7","file_name":"b.jpg"}],"categories":[{"id":0,"name":"cat"},{"id":"2","name":"dog"}],
"annotations":[{"id":0,"image_id":0,"category_id":0,"bbox":[1,1,2,2]},{"id":"x","image_id":"b-7","category_id":2.0,"bbox":[3,3,2,2]},
{"id":2,"image_id":"0","category_id":"0","bbox":[9,9,2,2]}]}"#,
    );
    assert_eq!(
        imported.images.iter().map(|i| i.id).collect::<Vec<_>>(),
        [Some(0), None]
    );
    assert_eq!(
        imported.categories.iter().map(|i| i.id).collect::<Vec<_>>(),
        [Some(0), Some(2)]
    );
    let got: Vec<_> = imported
        .annotations
        .iter()
        .map(|a| (a.image, a.category))
        .collect();
    assert_eq!(got, [(0, 0), (0, 0), (1, 1)]);
    assert_eq!(codes(&report), ["string_ids", "zero_ids"]);
    assert_eq!(report.refused, 0);
}

#[test]
fn numbers_that_are_none_and_boxes_that_are_none() {
    let (imported, report) = read(with_annotations(
        r#"{"id":1,"image_id":1,"category_id":1,"bbox":[NaN,1,2,2]},
{"id":2,"image_id":1,"category_id":1,"bbox":[1,1,Infinity,2]},
{"id":3,"image_id":1,"category_id":1,"bbox":[1,1,2]},
{"id":4,"image_id":1,"category_id":1,"bbox":"no"},
{"id":5,"image_id":1,"category_id":1,"bbox":[1e999,1,2,2]},
{"id":6,"image_id":1,"category_id":1,"bbox":["1","2","3","4.5"]},
{"id":7,"image_id":1,"category_id":1,"bbox":[1e300,1,2,2],"score":7},
{"id":8,"image_id":1,"category_id":1,"bbox":[NaN,1,2,2],"segmentation":[[1,1,4,1,4,3]]},
{"id":9,"image_id":1,"category_id":1,"segmentation":{"size":[5,6],"counts":"6230009"},"iscrowd":0},
{"id":10,"image_id":1,"category_id":1,"bbox":[1,1,2,2],"iscrowd":1},
{"id":123456789012345678901234567890,"image_id":1,"category_id":1,"bbox":[1,1,2,2]},
{"id":12,"image_id":1,"category_id":1,"caption":"text"},
{"id":13,"image_id":1,"caption":"text"},
{"id":14,"image_id":1,"category_id":1,"keypoints":[1,1,2]}"#,
    ));
    assert_eq!(
        boxes(&imported),
        [
            [1.0, 2.0, 3.0, 4.5],
            [1e300, 1.0, 2.0, 2.0],
            [1.0, 1.0, 3.0, 2.0],
            [1.0, 1.0, 3.0, 2.0],
            [1.0, 1.0, 2.0, 2.0],
        ]
    );
    // A label without a box is one of the whole image.
    assert_eq!(
        imported
            .annotations
            .iter()
            .filter(|a| a.shape == ImportedShape::Whole)
            .count(),
        1
    );
    assert_eq!(imported.annotations[1].score, Some(1.0));
    let refused: Vec<_> = report
        .entries
        .iter()
        .filter(|e| e.severity == Severity::Refused)
        .map(|e| (e.code.as_str(), e.line))
        .collect();
    assert_eq!(
        refused,
        [
            ("not_a_number", Some(3)),
            ("not_a_number", Some(4)),
            ("bad_bbox", Some(5)),
            ("bad_bbox", Some(6)),
            ("bad_record", Some(7)),
            ("crowd", Some(12)),
            ("caption", Some(15)),
            ("keypoints", Some(16)),
        ]
    );
}

#[test]
fn sizes_in_any_spelling_and_images_without_names() {
    let (imported, report) = read(
        r#"{"images":[{"id":1,"file_name":"a.jpg","width":640.0,"height":"480"},{"id":2,"width":1,"height":1},
{"id":3,"coco_url":"http://e.org/c.jpg","width":-1,"height":null},{"file_name":"d.jpg"},{"id":5,"file_name":"  "}],"annotations":[]}"#,
    );
    let got: Vec<_> = imported
        .images
        .iter()
        .map(|i| (i.file_name.as_deref().unwrap(), i.size))
        .collect();
    assert_eq!(
        got,
        [("a.jpg", Some((640.0, 480.0))), ("http://e.org/c.jpg", None)]
    );
    assert_eq!(codes(&report), ["no_file_name", "no_id", "no_file_name"]);
}

#[test]
fn category_names_are_made_usable() {
    let long = "x".repeat(10_000);
    let (imported, report) = read(format!(
        r#"{{"images":[],"categories":[{{"id":1,"name":"{long}"}},{{"id":2}},{{"id":3,"name":"two\nlines"}},{{"id":4,"name":"<img src=x onerror=alert(1)>"}},{{"id":5,"name":7}}]}}"#
    ));
    let names: Vec<_> = imported
        .categories
        .iter()
        .map(|c| c.name.as_deref().unwrap())
        .collect();
    assert_eq!(names[0].len(), 120);
    // Markup is only text; whoever shows it escapes it.
    assert_eq!(
        names[1..],
        ["category 2", "two lines", "<img src=x onerror=alert(1)>", "7"]
    );
    assert_eq!(codes(&report), ["category_name"; 3]);
}

#[test]
fn truncated_files_give_what_was_complete() {
    let whole = with_annotations(
        r#"{"id":1,"image_id":1,"category_id":1,"bbox":[1,1,2,2]},
{"id":2,"image_id":1,"category_id":1,"bbox":[3,3,2,2]}"#,
    );
    let cut = whole.find("[3,3").unwrap();
    let (imported, report) = read(&whole[..cut]);
    assert_eq!(boxes(&imported), [[1.0, 1.0, 2.0, 2.0]]);
    assert_eq!(
        entries(&report),
        [(Severity::Refused, "truncated", Some(4), None)]
    );
    let (imported, report) = read(whole.replace("{\"id\":2", "]}{\"id\":2"));
    assert_eq!(imported.annotations.len(), 1);
    assert!(report.refused <= 1);
    // Cut anywhere: never a panic.
    for n in 0..whole.len() {
        drop(read_with(&whole.as_bytes()[..n], &Options::default()));
    }
}

#[test]
fn ids_of_a_lost_list_are_never_taken_for_the_project_s_own() {
    // The categories stand last, as in COCO's own files, and are lost.
    let text = r#"{"images":[{"id":5,"file_name":"a.jpg"}],"annotations":[{"id":1,"image_id":5,"category_id":3,"bbox":[1,1,2,2]},{"id":2,"#;
    let (imported, report) = read(text);
    assert!(imported.annotations.is_empty() && imported.categories.is_empty());
    assert_eq!(codes(&report), ["truncated", "unknown_category"]);
    let text = r#"{"categories":[{"id":3,"name":"a"}],"annotations":[{"id":1,"image_id":5,"category_id":3,"bbox":[1,1,2,2]}],"images":["#;
    let (imported, _) = read(text);
    assert!(imported.annotations.is_empty() && imported.images.is_empty());
}

#[test]
fn results_speak_of_the_project_s_own_ids() {
    let (imported, report) = read(
        r#"[{"image_id":42,"category_id":18,"bbox":[258.15,41.29,348.26,243.78],"score":0.236},{"image_id":73,"category_id":18,"bbox":[1,2,3,4],"score":0.5}"#,
    );
    assert_eq!(
        imported
            .images
            .iter()
            .map(|i| (i.id, i.file_name.clone()))
            .collect::<Vec<_>>(),
        [(Some(42), None), (Some(73), None)]
    );
    assert_eq!(
        imported
            .categories
            .iter()
            .map(|c| (c.id, c.name.clone()))
            .collect::<Vec<_>>(),
        [(Some(18), None)]
    );
    assert_eq!(imported.annotations[0].score, Some(0.236));
    assert_eq!(codes(&report), ["truncated"]);
}

#[test]
fn what_is_no_coco_file_is_refused_by_name() {
    for (bytes, says) in [
        (&b""[..], "is empty"),
        (b"<annotation/>", "not JSON"),
        (b"\x89PNG\r\n\x1a\n", "not JSON"),
        (b"hello", "not JSON"),
        (b"\xff\xfe{\0}\0", "UTF-16"),
        (b"{}", "neither"),
        (b"{\"version\": \"1\", \"shapes\": [1, 2]}", "neither"),
        (b"[]", "x"),
    ] {
        let (out, _) = read_with(bytes, &Options::default());
        match out {
            Err(FormatError::NotTheFormat(m)) => {
                assert!(m.contains(says) && m.contains("labels.json"), "{m}");
            }
            Err(e) => panic!("{e}"),
            // An empty list of results is one.
            Ok(i) => assert!(bytes == b"[]" && i.annotations.is_empty()),
        }
    }
}

#[test]
fn marks_encodings_and_odd_values_in_passing() {
    let (imported, report) = read(b"\xef\xbb\xbf{\"images\":[{\"id\":1,\"file_name\":\"caf\xe9.jpg\"},7,null,[1]],\"categories\":{\"a\":1},\"annotations\":[]}");
    assert_eq!(imported.images[0].file_name.as_deref(), Some("caf\u{fffd}.jpg"));
    assert_eq!(
        codes(&report),
        ["not_utf8", "bad_record", "bad_record", "bad_record", "not_a_list"]
    );
}

#[test]
fn limits_hold() {
    let options = Options {
        images_max: 2,
        annotations_max: 1,
        categories_max: 1,
        record_max: 100,
        ..Options::default()
    };
    let long = "y".repeat(200);
    let text = format!(
        r#"{{"images":[{{"id":1,"file_name":"{long}"}},{{"id":2,"file_name":"b"}},{{"id":3,"file_name":"c"}},{{"id":4,"file_name":"d"}}],"categories":[{{"id":1,"name":"a"}}],
"annotations":[{{"image_id":2,"category_id":1}},{{"image_id":2,"category_id":1}}]}}"#
    );
    let (out, report) = read_with(text.as_bytes(), &options);
    let out = out.unwrap();
    assert_eq!((out.images.len(), out.annotations.len()), (2, 1));
    assert_eq!(codes(&report), ["record_too_long", "too_many"]);
}

/// Makes a COCO file of any size without holding it.
struct Endless {
    images: u64,
    at: u64,
    each: u64,
    pending: Vec<u8>,
    given: u64,
}

impl Read for Endless {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        if self.pending.is_empty() {
            let (i, last) = (self.at, self.images * (1 + self.each));
            self.at += 1;
            self.pending = if i == 0 {
                b"{\"categories\":[{\"id\":1,\"name\":\"a\"}],\"images\":[\n".to_vec()
            } else if i <= self.images {
                format!("{{\"id\":{i},\"file_name\":\"{i}.jpg\"}},\n").into_bytes()
            } else if i == self.images + 1 {
                b"],\"annotations\":[\n".to_vec()
            } else if i <= last + 1 {
                let n = i - self.images - 1;
                let outline = "1.5,2.5,".repeat(200);
                format!("{{\"id\":{n},\"image_id\":{},\"category_id\":1,\"bbox\":[1,2,3,4],\"segmentation\":[[{outline}1,1]]}},\n", n % self.images + 1)
                    .into_bytes()
            } else if i == last + 2 {
                b"]}".to_vec()
            } else {
                return Ok(0);
            };
        }
        let n = buf.len().min(self.pending.len());
        buf[..n].copy_from_slice(&self.pending[..n]);
        self.pending.drain(..n);
        self.given += n as u64;
        Ok(n)
    }
}

#[test]
fn a_file_larger_than_memory_should_hold_streams() {
    let mut file = Endless {
        images: 500,
        at: 0,
        each: 40,
        pending: Vec::new(),
        given: 0,
    };
    let mut findings = Findings::new("big.json");
    let imported = coco::read(&mut file, &Options::default(), &mut findings).unwrap();
    assert_eq!((imported.images.len(), imported.annotations.len()), (500, 20_000));
    assert!(file.given > 30 << 20);
    // What is kept is far less than what was read.
    let kept = imported.annotations.capacity() * size_of_val(&imported.annotations[0]);
    assert!(kept < 4 << 20, "{kept}");
    assert_eq!(findings.report().refused, 0);
}

#[test]
fn sizes_of_the_stored_picture_are_turned() {
    // A photo stored 400 x 300 and shown 300 x 400 (orientation 6); the file speaks of the stored one.
    let text = r#"{"images":[{"id":1,"file_name":"a.jpg","width":400,"height":300}],"categories":[{"id":1,"name":"a"}],
"annotations":[{"id":1,"image_id":1,"category_id":1,"bbox":[10,20,100,50]}]}"#;
    let (imported, _) = read(text);
    let fit = Fit::new(imported.images[0].size, (300.0, 400.0), 6, imported.normalised);
    assert_eq!(fit.note(), Some("turned"));
    let Placed::Box { rect, .. } = fit.place(imported.annotations[0].shape) else {
        panic!()
    };
    assert_eq!([rect.x, rect.y, rect.w, rect.h], [230.0, 10.0, 50.0, 100.0]);
}

proptest! {
    #[test]
    fn boxes_survive_to_the_last_digit(
        boxes in proptest::collection::vec((0.0..99.0f64, 0.0..49.0f64, 0.0..1.0f64, 0.0..1.0f64, 1i64..4), 1..20),
        names in proptest::collection::hash_set("[a-zA-Z0-9 é\"\\\\/._-]{1,12}", 3),
    ) {
        let categories: Vec<_> = names.iter().zip(1..).map(|(name, id)| Category { id, name, supercategory: "" }).collect();
        let labels: Vec<Label> = boxes
            .iter()
            .map(|(x, y, w, h, c)| label(*c, *x, *y, (w * (100.0 - x)).max(1e-6), (h * (50.0 - y)).max(1e-6)))
            .collect();
        let (text, written) = write(&categories, &[(image(3, "a.jpg"), labels.clone())], BoxSegmentation::Polygon);
        prop_assert_eq!(written.dropped, 0);
        let options = Options { coordinates: Coordinates::Pixels, ..Options::default() };
        let (imported, report) = read_with(text.as_bytes(), &options);
        let imported = imported.unwrap();
        prop_assert_eq!(report.refused, 0);
        prop_assert_eq!(imported.annotations.len(), labels.len());
        let fit = Fit::new(imported.images[0].size, (100.0, 50.0), 1, false);
        for (a, l) in imported.annotations.iter().zip(&labels) {
            let (LabelShape::Box(want), Placed::Box { rect, fixed: None }) = (l.shape, fit.place(a.shape)) else {
                return Err(TestCaseError::fail("no box"));
            };
            prop_assert_eq!(imported.categories[a.category as usize].id, Some(l.category_id));
            let far = (rect.x - want.x).abs().max((rect.y - want.y).abs()).max((rect.w - want.w).abs()).max((rect.h - want.h).abs());
            prop_assert!(far < 1e-9, "{:?} {:?}", rect, want);
        }
    }

    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..100), at in 0usize..400, junk in "[\\[\\]{}\",:0-9a-zN-]{0,6}") {
        drop(read_with(&bytes, &Options::default()));
        let mut text = with_annotations(r#"{"id":1,"image_id":1,"category_id":1,"bbox":[1,1,2,2],"segmentation":[[1,2,3,4,5,6]]}"#);
        text.insert_str(text.floor_char_boundary(at), &junk);
        drop(read_with(text.as_bytes(), &Options::default()));
    }
}
