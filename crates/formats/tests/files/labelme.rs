use super::*;

#[test]
fn the_file_is_what_labelme_opens() {
    let mask = Mask::from_pixels(2, 3, 3, 2, &[0, 1, 1, 1, 0, 0]).unwrap();
    let square = |a: f64, b: f64| vec![[a, a], [b, a], [b, b], [a, b]];
    let shapes = vec![
        (0, Shape::Whole),
        (
            1,
            Shape::Box {
                rect: Rect::new(0.5, 1.0, 2.0, 3.0),
            },
        ),
        (2, Shape::Mask { mask }),
        (
            3,
            Shape::Polygon {
                parts: vec![vec![square(1.0, 4.0)], vec![square(6.0, 8.0)]],
            },
        ),
    ];
    let samples = [("a/x.jpg".to_owned(), 10, 9, shapes)];
    let (files, tally) = write(ExportFormat::Labelme, dataset(Task::Segmentation), &samples);
    let json: serde_json::Value = serde_json::from_slice(&files["a/x.json"]).unwrap();
    assert_eq!(
        (
            json["imagePath"].as_str(),
            json["imageData"].is_null(),
            json["imageHeight"].as_i64()
        ),
        (Some("x.jpg"), true, Some(9))
    );
    assert_eq!(json["flags"]["cat"], true);
    assert_eq!(
        json["shapes"][0]["points"],
        serde_json::json!([[0.5, 1.0], [2.5, 4.0]])
    );
    assert_eq!(json["shapes"][1]["points"], serde_json::json!([[2, 3], [4, 4]]));
    assert_eq!(
        (&json["shapes"][2]["group_id"], &json["shapes"][3]["group_id"]),
        (&1.into(), &1.into())
    );
    assert_eq!((tally.labels, tally.lost()), (4, 0));
}

#[test]
fn faults_are_refused_by_line_and_the_rest_is_taken() {
    let text = r#"{"version": "5.0.1", "flags": {"": true, "wet": true, "dry": false},
 "shapes": [
  {"label": "cat", "points": [[1, 2], [3, 4]], "shape_type": "rectangle"},
  {"label": "cat", "points": [[1, 2]], "shape_type": "rectangle"},
  {"label": "cat", "points": [[1, 2], [3, 4]], "shape_type": "cuboid"},
  {"label": "cat", "points": [[1, 2], ["x", 4]], "shape_type": "polygon"},
  {"label": "cat", "points": [[1, 2], [3, 4]], "shape_type": "mask", "mask": "iVBOR"},
  {"points": [[1, 2], [3, 4]], "shape_type": "rectangle"},
  {"label": "dog", "points": [[1, 2], [9, 2], [9, 9]], "group_id": null}
 ], "imagePath": "..\\pics\\x.jpg", "imageData": "AAAA", "imageWidth": 64, "imageHeight": 64}"#;
    let read = read(
        ImportFormat::Labelme,
        &files(&[("x.json", text), ("y.json", "{}"), ("z.json", "[")]),
        &[("pics/x.jpg", 64, 64)],
    );
    let got: Vec<_> = read.items["pics/x.jpg"]
        .iter()
        .map(|(c, s)| (c.as_str(), s.kind()))
        .collect();
    assert_eq!(got, [("wet", "whole"), ("cat", "box"), ("dog", "polygon")]);
    let lines: Vec<_> = read
        .report
        .entries
        .iter()
        .map(|e| (e.code.as_str(), e.line))
        .collect();
    assert_eq!(
        lines,
        [
            ("bad_name", None),
            ("bad_box", Some(4)),
            ("kind_unknown", Some(5)),
            ("bad_record", Some(6)),
            ("bad_mask", Some(7)),
            ("bad_name", Some(8)),
            ("not_the_format", None),
            ("not_the_format", None)
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn shapes_come_back(samples in samples(prop_oneof![a_box(), a_polygon(3), a_mask()])) {
        let (read, tally) = around(ExportFormat::Labelme, ImportFormat::Labelme, Task::Segmentation, &samples);
        prop_assert_eq!(tally.lost(), 0);
        same(&samples, &read);
    }
}

/// Exactly, but holes, which come back pixel by pixel.
pub fn same(samples: &[Sample], read: &Read) {
    for (name, w, h, labels) in samples {
        let got = read.items.get(name).map(Vec::as_slice).unwrap_or_default();
        assert_eq!(got.len(), labels.len());
        for ((category, shape), (name, back)) in labels.iter().zip(got) {
            assert_eq!(NAMES[*category], name);
            match shape {
                Shape::Box { rect } => assert!(apart(*rect, rect_of(back)) < 1e-9),
                Shape::Polygon { parts } if parts.iter().any(|p| p.len() > 1) => {
                    assert_eq!(mask_of(shape, size(*w, *h)), mask_of(back, size(*w, *h)));
                }
                Shape::Mask { mask } => assert_eq!(mask.tidied(), mask_of(back, size(*w, *h))),
                _ => assert_eq!(shape, back),
            }
        }
    }
}
