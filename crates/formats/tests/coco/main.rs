//! COCO in and out: what is written is read back, and what is wrong in a file is named, never fatal.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod attributes;
mod faults;
mod keypoints;
mod outlines;

use limn_domain::Rect;
use limn_domain::export::BoxSegmentation;
use limn_domain::import::{ImportReport, Severity};
use limn_formats::coco::{
    self, Category, CocoWriter, Coordinates, Image, Info, Label, LabelShape, Options, Written,
};
use limn_formats::{Findings, Fit, FormatError, Imported, ImportedShape, Placed};
use proptest::prelude::*;
use std::collections::BTreeMap;
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
            _ => None,
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

fn label(category_id: i64, x: f64, y: f64, w: f64, h: f64) -> Label<'static> {
    Label {
        attributes: None,
        category_id,
        shape: LabelShape::Box(Rect::new(x, y, w, h)),
    }
}

const fn category<'a>(id: i64, name: &'a str, supercategory: &'a str) -> Category<'a> {
    Category {
        id,
        name,
        supercategory,
        keypoints: Vec::new(),
        skeleton: Vec::new(),
    }
}

const CATEGORIES: [Category<'_>; 2] = [
    category(1, "animal", "animal"),
    category(4, "cat \"<b>\"", "animal"),
];

#[test]
fn the_file_is_as_the_standard_wants_it() {
    let images = [
        (
            image(1, "a/é \"x\".jpg"),
            vec![
                label(4, 10.5, 20.0, 30.25, 10.0),
                Label {
                    attributes: None,
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
        holes: 0,
        formless: BTreeMap::new(),
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
    let Placed::Box { rect, fixed } = fit.place(&imported.annotations[0].shape) else {
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
    let Placed::Box { rect, .. } = fit.place(&imported.annotations[0].shape) else {
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
        let categories: Vec<_> = names.iter().zip(1..).map(|(name, id)| category(id, name, "")).collect();
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
            let (LabelShape::Box(want), Placed::Box { rect, fixed: None }) = (l.shape, fit.place(&a.shape)) else {
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
