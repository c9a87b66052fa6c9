//! `attributes` of annotations, as CVAT and datumaro write them.

use super::*;
use limn_domain::{AttributeValue, Attributes, Shape, TurnedRect};

fn write(labels: &[Label<'_>]) -> String {
    let info = Info {
        year: 2026,
        version: "1.0",
        description: "",
        contributor: "",
        url: "",
        date_created: "",
    };
    let categories = [Category::new(1, "cat", "cat", None)];
    let mut writer = CocoWriter::new(
        Vec::new(),
        Cursor::new(Vec::new()),
        &info,
        &categories,
        BoxSegmentation::Empty,
    )
    .unwrap();
    let image = Image {
        id: 1,
        width: 100,
        height: 50,
        file_name: "a.jpg",
    };
    writer.image(&image, labels.iter().copied()).unwrap();
    String::from_utf8(writer.finish().unwrap().0).unwrap()
}

fn label<'a>(shape: &'a Shape, attributes: Option<&'a Attributes>) -> Label<'a> {
    Label {
        category_id: 1,
        shape: LabelShape::from(shape),
        attributes,
    }
}

fn shapes() -> Vec<Shape> {
    let rect = TurnedRect {
        cx: 20.0,
        cy: 20.0,
        w: 10.0,
        h: 4.0,
        angle: 30.0,
    };
    let ring = vec![[1.0, 1.0], [9.0, 1.0], [9.0, 9.0]];
    vec![
        Shape::Box {
            rect: Rect::new(1.0, 2.0, 3.0, 4.0),
        },
        Shape::Polygon {
            parts: vec![vec![ring]],
        },
        Shape::RotatedBox { rect },
    ]
}

#[test]
fn files_without_values_are_the_same_byte_for_byte() {
    let (shapes, nothing) = (shapes(), Attributes::new());
    let without: Vec<_> = shapes.iter().map(|s| label(s, None)).collect();
    let empty: Vec<_> = shapes.iter().map(|s| label(s, Some(&nothing))).collect();
    assert_eq!(write(&without), write(&empty));
    let text = write(&without);
    assert!(!text.contains("attributes"), "{text}");
    // As it was before there were attributes.
    assert!(
        text.contains("{\"id\":1,\"image_id\":1,\"category_id\":1,\"segmentation\":[],\"area\":12.0,\"bbox\":[1.0,2.0,3.0,4.0],\"iscrowd\":0}"),
        "{text}"
    );
}

#[test]
fn values_of_every_kind_of_shape_come_back() {
    let values: Attributes = serde_json::from_str(r#"{"age":0.1,"note":"a \"b\" é","on":true}"#).unwrap();
    let shapes = shapes();
    let labels: Vec<_> = shapes.iter().map(|s| label(s, Some(&values))).collect();
    let text = write(&labels);
    let options = Options {
        outlines: true,
        turned: true,
        ..Options::default()
    };
    let (imported, report) = read_with(text.as_bytes(), &options);
    assert!(report.entries.is_empty(), "{report:#?}");
    let want: Vec<(String, AttributeValue)> = values.into_iter().collect();
    for a in imported.unwrap().annotations {
        assert_eq!(a.attributes.unwrap().0, want);
    }
}

#[test]
fn odd_attributes_never_cost_the_label() {
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(60_000), "]".repeat(60_000));
    for odd in [
        "null",
        "[]",
        "7",
        "\"x\"",
        "{}",
        "{\"a\": null}",
        deep.as_str(),
        "{\"a\": NaN}",
    ] {
        let (imported, report) = read(with_annotations(&format!(
            r#"{{"id":1,"image_id":1,"category_id":1,"bbox":[1,2,3,4],"attributes":{odd}}}"#
        )));
        assert_eq!(
            (imported.annotations.len(), report.refused),
            (1, 0),
            "{odd:.20}: {report:#?}"
        );
    }
}

#[test]
fn attributes_take_no_more_memory_than_they_may() {
    let one = |id: u64| {
        format!(
            r#"{{"id":{id},"image_id":1,"category_id":1,"bbox":[1,2,3,{id}],"attributes":{{"note":"{}"}}}}"#,
            "x".repeat(1000)
        )
    };
    let all: Vec<String> = (1..=50).map(one).collect();
    let options = Options {
        attribute_bytes_max: 20_000,
        ..Options::default()
    };
    let (imported, report) = read_with(with_annotations(&all.join(",\n")).as_bytes(), &options);
    let imported = imported.unwrap();
    let kept = imported
        .annotations
        .iter()
        .filter(|a| a.attributes.is_some())
        .count();
    assert_eq!((imported.annotations.len(), kept), (50, 17));
    assert_eq!(codes(&report), ["too_many_attributes"]);
    assert_eq!(report.entries[0].record.as_deref(), Some("annotations[17]"));
}

#[test]
fn labels_without_attributes_stay_small() {
    assert!(size_of::<limn_formats::ImportedAnnotation>() <= 104);
}
