//! The sets of real files, where a developer has them; skipped elsewhere.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use limn_domain::AttributeValue;
use limn_domain::mask::{decode_counts, encode_counts};
use limn_formats::coco::{self, CocoWriter, Image, Info, Label, LabelShape, Options};
use limn_formats::{Findings, Fit, ImportedOutline, ImportedShape, Placed, voc};
use std::io::Cursor;
use std::path::Path;

fn shared(folder: &str) -> Option<std::path::PathBuf> {
    let root = std::env::var_os("LIMN_SHARED_DATA")?;
    Some(Path::new(&root).join(folder)).filter(|p| p.exists())
}

#[test]
fn voc_boxes_of_real_photos_survive() {
    let Some(dir) = shared("raccoon/annotations") else {
        return;
    };
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.sort();
    let info = Info {
        year: 2026,
        version: "1",
        description: "",
        contributor: "",
        url: "",
        date_created: "",
    };
    let mut writer = CocoWriter::new(
        Vec::new(),
        Cursor::new(Vec::new()),
        &info,
        &[],
        Default::default(),
    )
    .unwrap();
    let (mut findings, mut wanted) = (Findings::default(), Vec::new());
    for (id, file) in (1..).zip(&files) {
        let stem = file.file_stem().unwrap().to_str().unwrap();
        findings.set_file(stem);
        let out = voc::read(std::fs::File::open(file).unwrap(), stem, &mut findings).unwrap();
        let (w, h) = out.images[0].size.unwrap();
        let fit = Fit::new(out.images[0].size, (w, h), 1, false);
        let mut labels = Vec::new();
        for a in &out.annotations {
            match fit.place(&a.shape) {
                Placed::Box { rect, fixed } => {
                    assert_eq!(fixed, None, "{stem}");
                    wanted.push(rect);
                    labels.push(Label {
                        attributes: None,
                        category_id: 1,
                        shape: LabelShape::Box(rect),
                    });
                }
                other => panic!("{stem}: {other:?}"),
            }
        }
        writer
            .image(
                &Image {
                    id,
                    width: w as i64,
                    height: h as i64,
                    file_name: stem,
                },
                labels,
            )
            .unwrap();
    }
    let (bytes, written) = writer.finish().unwrap();
    assert_eq!(
        (written.images, written.dropped, written.clipped),
        (files.len() as u64, 0, 0)
    );
    println!(
        "{} files, {} boxes, {:?}",
        files.len(),
        wanted.len(),
        findings.report().entries
    );
    let back = coco::read(bytes.as_slice(), &Options::default(), &mut findings).unwrap();
    assert!(back.annotations.is_empty(), "no categories were written");
    // Read once more with the category there.
    let text = String::from_utf8(bytes).unwrap().replacen(
        "\"categories\":[",
        "\"categories\":[{\"id\":1,\"name\":\"raccoon\"}",
        1,
    );
    let back = coco::read(text.as_bytes(), &Options::default(), &mut Findings::default()).unwrap();
    assert_eq!(back.annotations.len(), wanted.len());
    for (a, r) in back.annotations.iter().zip(&wanted) {
        assert_eq!(a.shape, ImportedShape::Box(*r));
    }
}

#[test]
fn coco_s_own_results_are_read() {
    let Some(dir) = shared("coco") else { return };
    for (file, least) in [
        ("instances_val2014_fakebbox100_results.json", 700),
        ("instances_val2014_fakesegm100_results.json", 700),
    ] {
        let mut findings = Findings::new(file);
        let out = coco::read(
            std::fs::File::open(dir.join(file)).unwrap(),
            &Options::default(),
            &mut findings,
        )
        .unwrap();
        println!(
            "{file}: {} labels of {} images, {:?}",
            out.annotations.len(),
            out.images.len(),
            findings.report().entries.first()
        );
        assert!(out.annotations.len() >= least && !out.normalised);
    }
    let (file, code) = (
        "person_keypoints_val2014_fakekeypoints100_results.json",
        "keypoints",
    );
    let mut findings = Findings::new(file);
    let out = coco::read(
        std::fs::File::open(dir.join(file)).unwrap(),
        &Options::default(),
        &mut findings,
    )
    .unwrap();
    assert!(out.annotations.is_empty() && findings.count(code) > 0);
}

#[test]
fn coco_s_own_captions_are_read() {
    let Some(dir) = shared("coco") else { return };
    let file = "captions_val2014_fakecap_results.json";
    let text = std::fs::read_to_string(dir.join(file)).unwrap();
    let given: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let mut findings = Findings::new(file);
    let out = coco::read(text.as_bytes(), &Options::default(), &mut findings).unwrap();
    let captions = out
        .images
        .iter()
        .filter_map(|i| Some((i.id?, &i.attributes.as_ref()?.0)));
    let mut read: Vec<(i64, String)> = captions
        .flat_map(|(id, said)| said.iter().map(move |(_, v)| (id, v.clone())))
        .map(|(id, v)| match v {
            AttributeValue::Text(text) => (id, text),
            other => panic!("{other:?}"),
        })
        .collect();
    let mut wanted: Vec<(i64, String)> = given
        .iter()
        .map(|g| {
            (
                g["image_id"].as_i64().unwrap(),
                g["caption"].as_str().unwrap().trim().to_owned(),
            )
        })
        .collect();
    read.sort();
    wanted.sort();
    assert_eq!(read, wanted);
    assert!(read.len() > 500, "{}", read.len());
}

/// COCO's own masks, decoded, cut to their windows and written again, are the same text.
#[test]
fn coco_s_own_masks_survive() {
    let Some(dir) = shared("coco") else { return };
    let file = "instances_val2014_fakesegm100_results.json";
    let text = std::fs::read_to_string(dir.join(file)).unwrap();
    let given: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
    let mut findings = Findings::new(file);
    let options = Options {
        outlines: true,
        ..Options::default()
    };
    let out = coco::read(text.as_bytes(), &options, &mut findings).unwrap();
    assert_eq!(
        out.annotations.len() as i64 + findings.report().refused,
        given.len() as i64
    );
    let mut same = 0;
    for a in &out.annotations {
        let ImportedShape::Outline(outline) = &a.shape else {
            panic!("{a:?}")
        };
        let ImportedOutline::Mask { mask, size } = &**outline else {
            panic!("{a:?}")
        };
        let counts = given[a.index as usize]["segmentation"]["counts"]
            .as_str()
            .unwrap();
        assert_eq!(mask.full_text(size.0, size.1), counts);
        same += 1;
    }
    assert!(same >= 700, "{same}");
}

/// Name, size, counts, compressed counts, area: made with COCO's own C code.
#[test]
fn the_golden_vectors_hold_both_ways() {
    let Some(dir) = shared("coco") else { return };
    let text = std::fs::read_to_string(dir.join("../rle_vectors.txt")).unwrap();
    let mut seen = 0;
    for line in text.lines().filter(|l| l.contains("counts=[")) {
        let part = |from: &str, to: &str| line.split(from).nth(1).unwrap().split(to).next().unwrap();
        let counts: Vec<u64> = part("counts=[", "]")
            .split(',')
            .map(|n| n.trim().parse().unwrap())
            .collect();
        let compressed = part("str=\"", "\" area");
        assert_eq!(encode_counts(&counts), compressed, "{line}");
        assert_eq!(decode_counts(compressed), Some(counts.clone()), "{line}");
        let area: u64 = part("area=", " ").parse().unwrap();
        assert_eq!(counts.iter().skip(1).step_by(2).sum::<u64>(), area);
        seen += 1;
    }
    assert_eq!(seen, 15);
}
