//! COCO captions: item attributes by their names.

use super::dataset;
use limn_domain::export::ExportFormat;
use limn_domain::project::Task;
use limn_domain::{AttributeValue, Attributes};
use limn_formats::Findings;
use limn_formats::coco::{self, Options};
use limn_formats::write::{self, Files, Item, Tally};
use proptest::prelude::*;

fn said(pairs: &[(&str, &str)]) -> Attributes {
    pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), AttributeValue::Text((*v).to_owned())))
        .collect()
}

fn written(items: &[Attributes]) -> (Vec<u8>, Tally) {
    let mut writer = write::writer(ExportFormat::CocoCaptions, dataset(Task::Detection)).unwrap();
    let (mut out, mut tally) = (Files::default(), Tally::default());
    writer.begin(&mut out).unwrap();
    for (about, id) in items.iter().zip(1..) {
        let name = format!("{id}.jpg");
        let item = Item {
            id,
            name: &name,
            width: 20,
            height: 10,
            text: "",
            about,
            times_us: &[],
        };
        writer.item(&item, &[], &mut out, &mut tally).unwrap();
    }
    writer.finish(&mut out).unwrap();
    (
        out.finish().remove("annotations/captions_default.json").unwrap(),
        tally,
    )
}

#[test]
fn captions_are_annotations_in_the_order_of_their_numbers() {
    let items = [
        said(&[
            ("caption_2", "second"),
            ("weather", "rain"),
            ("caption", "first \u{1f99d}"),
            ("caption_11", "no"),
        ]),
        said(&[("caption", " ")]),
        said(&[("caption_10", "tenth")]),
    ];
    let (bytes, tally) = written(&items);
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(
        json["annotations"],
        serde_json::json!([
            {"id": 1, "image_id": 1, "caption": "first \u{1f99d}"},
            {"id": 2, "image_id": 1, "caption": "second"},
            {"id": 3, "image_id": 3, "caption": "tenth"},
        ])
    );
    assert_eq!(json["images"].as_array().unwrap().len(), 3);
    assert_eq!((tally.items, tally.labels), (3, 3));
}

#[test]
fn an_image_has_at_most_ten_and_an_unknown_one_is_named() {
    let captions: Vec<_> = (0..12)
        .map(|n| serde_json::json!({"id": n + 1, "image_id": 1, "caption": format!("c{n}")}))
        .chain([serde_json::json!({"id": 99, "image_id": 7, "caption": "x"})])
        .collect();
    let file = serde_json::json!({
        "images": [{"id": 1, "file_name": "a.jpg", "width": 4, "height": 4}],
        "annotations": captions,
    });
    let mut findings = Findings::new("a.json");
    let out = coco::read(file.to_string().as_bytes(), &Options::default(), &mut findings).unwrap();
    assert_eq!(out.captions, 10);
    assert_eq!(out.images[0].attributes.as_ref().unwrap().0.len(), 10);
    assert_eq!(
        (findings.count("too_many"), findings.count("unknown_image")),
        (2, 1)
    );
}

proptest! {
    #[test]
    fn they_come_back(texts in proptest::collection::vec(proptest::collection::vec("[a-z\"\\\\é😀]{1,12}( [a-z]{1,5}){0,2}", 0..6), 1..8)) {
        let items: Vec<Attributes> = texts
            .iter()
            .map(|list| {
                list.iter()
                    .enumerate()
                    .map(|(n, text)| (coco::captions::attribute(n + 1).key, AttributeValue::Text(text.clone())))
                    .collect()
            })
            .collect();
        let (bytes, _) = written(&items);
        let mut findings = Findings::new("a.json");
        let out = coco::read(bytes.as_slice(), &Options::default(), &mut findings).unwrap();
        prop_assert_eq!(findings.report().refused, 0);
        for (image, about) in out.images.iter().zip(&items) {
            let read: Attributes = image.attributes.iter().flat_map(|a| a.0.clone()).collect();
            prop_assert_eq!(&read, about);
        }
    }
}
