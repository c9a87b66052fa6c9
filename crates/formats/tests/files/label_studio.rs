use super::*;
use serde_json::{Value, json};

fn studio(task: Task, samples: &[Sample]) -> (Read, Tally) {
    around(
        ExportFormat::LabelStudio,
        ImportFormat::LabelStudio,
        task,
        samples,
    )
}

#[test]
fn the_file_is_what_label_studio_exports() {
    let shapes = vec![
        (
            1,
            Shape::Box {
                rect: Rect::new(10.0, 5.0, 20.0, 10.0),
            },
        ),
        (
            2,
            Shape::Polygon {
                parts: vec![vec![vec![[0.0, 0.0], [50.0, 0.0], [50.0, 25.0]]]],
            },
        ),
        (0, Shape::Whole),
        (3, Shape::Whole),
    ];
    let samples = [
        ("a/x.jpg".to_owned(), 100, 50, shapes),
        ("y.jpg".to_owned(), 5, 4, vec![]),
    ];
    let (files, tally) = write(ExportFormat::LabelStudio, dataset(Task::Detection), &samples);
    assert_eq!(
        files.keys().collect::<Vec<_>>(),
        ["label-config.xml", "label-studio.json"]
    );
    let tasks: Value = serde_json::from_slice(&files["label-studio.json"]).unwrap();
    assert_eq!(tasks[0]["data"]["image"], "images/a/x.jpg");
    assert_eq!(tasks[1]["annotations"], json!([]));
    let result = &tasks[0]["annotations"][0]["result"];
    assert_eq!(
        result[0]["value"],
        json!({ "x": 10.0, "y": 10.0, "width": 20.0, "height": 20.0, "rotation": 0, "rectanglelabels": ["traffic light"] })
    );
    assert_eq!(
        result[1]["value"]["points"],
        json!([[0.0, 0.0], [50.0, 0.0], [50.0, 50.0]])
    );
    assert_eq!(result[2]["value"]["choices"], json!(["cat", "dog/wolf"]));
    assert_eq!(
        (result[0]["original_width"].as_i64(), result[0]["type"].as_str()),
        (Some(100), Some("rectanglelabels"))
    );
    let config = text(&files, "label-config.xml");
    assert!(config.contains("<RectangleLabels name=\"box\" toName=\"image\">\n    <Label value=\"cat\" background=\"#28fe07\"/>"), "{config}");
    assert_eq!((tally.labels, tally.lost()), (4, 0));
}

#[test]
fn corners_in_the_middle_of_pixels_come_back_there() {
    // The last digit decides which pixels lie inside such a border.
    let ring = vec![[307.5, 52.5], [542.5, 66.1], [433.3, 382.5], [351.5, 375.5]];
    let shape = Shape::Polygon {
        parts: vec![vec![ring]],
    };
    let samples = [("snow.jpg".to_owned(), 641, 407, vec![(1, shape.clone())])];
    let (read, _) = studio(Task::Segmentation, &samples);
    assert_eq!(read.items["snow.jpg"], [("traffic light".to_owned(), shape)]);
}

#[test]
fn faults_are_refused_by_record_and_the_rest_is_taken() {
    let region = |kind: &str, value: Value| json!({ "type": kind, "original_width": 64, "original_height": 64, "value": value });
    let good = json!({ "x": 50, "y": 50, "width": 25, "height": 25, "rectanglelabels": ["cat", "dog"] });
    let tasks = json!([
        { "data": { "image": "/data/upload/3/0a1b2c3d-x.jpg" }, "annotations": [
            { "was_cancelled": true, "result": [region("choices", json!({ "choices": ["no"] }))] },
            { "result": [] },
            { "ground_truth": true, "result": [
                region("rectanglelabels", good.clone()),
                region("textarea", json!({})),
                region("brushlabels", json!({ "rle": [0, 0], "brushlabels": ["cat"] })),
                region("brushlabels", json!({ "rle": [0, 999], "brushlabels": ["cat"] })),
                region("polygonlabels", json!({ "points": [[1, 2], 3], "polygonlabels": ["cat"] })),
                region("rectanglelabels", json!({ "x": 50, "y": 50, "width": 25, "height": 25 })),
                { "type": "rectanglelabels", "value": good },
                7
            ] }
        ] },
        { "data": { "url": "/data/local-files/?d=my%20set/y.jpg" }, "annotations": [], "predictions": [
            { "score": 0.5, "result": [region("choices", json!({ "choices": ["cat"] }))] }
        ] },
        { "data": {}, "annotations": [] },
        8
    ]);
    let set = files(&[
        ("a.json", &serde_json::to_string_pretty(&tasks).unwrap()),
        ("b.json", "{\"a\": 1}"),
    ]);
    let read = read(
        ImportFormat::LabelStudio,
        &set,
        &[("x.jpg", 64, 64), ("my set/y.jpg", 64, 64)],
    );
    let rect = Shape::Box {
        rect: Rect::new(32.0, 32.0, 16.0, 16.0),
    };
    assert_eq!(
        read.items["x.jpg"],
        [("cat".to_owned(), rect.clone()), ("dog".to_owned(), rect)]
    );
    assert_eq!(read.items["my set/y.jpg"], [("cat".to_owned(), Shape::Whole)]);
    assert_eq!(
        read.codes(),
        [
            "kind_unknown",
            "bad_mask",
            "bad_mask",
            "bad_outline",
            "no_label",
            "no_size",
            "bad_record",
            "no_file_name",
            "bad_record",
            "other_annotations",
            "not_the_format"
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn shapes_come_back(samples in samples(prop_oneof![a_box(), a_polygon(3), a_mask()])) {
        let (read, _) = studio(Task::Segmentation, &samples);
        prop_assert_eq!(read.report.refused, 0);
        near(&samples, &read);
    }
}

/// To a billionth of a pixel, or pixel by pixel where a polygon has become a mask.
pub fn near(samples: &[Sample], read: &Read) {
    for (name, w, h, labels) in samples {
        let image = size(*w, *h);
        let got = read.items.get(name).map(Vec::as_slice).unwrap_or_default();
        let labels: Vec<_> = labels
            .iter()
            .filter(|(_, s)| matches!(s, Shape::Box { .. }) || mask_of(s, image).is_some())
            .collect();
        assert_eq!(got.len(), labels.len());
        for ((category, shape), (name, back)) in labels.iter().zip(got) {
            assert_eq!(NAMES[*category], name);
            match (shape, back) {
                (Shape::Box { rect }, _) => assert!(apart(*rect, rect_of(back)) < 1e-9),
                (Shape::Polygon { parts }, Shape::Polygon { parts: back }) => {
                    let (a, b) = (polygon::vertices(parts), polygon::vertices(back));
                    assert!(a.zip(b).all(|(a, b)| a.distance(b) < 1e-9));
                }
                _ => assert_eq!(mask_of(shape, image), mask_of(back, image)),
            }
        }
    }
}
