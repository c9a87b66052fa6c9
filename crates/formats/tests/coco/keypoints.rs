//! Keypoints, turned boxes and ellipses, both ways.

use super::*;
use limn_domain::{Keypoint, Point, Shape, ShapeKind, Skeleton, TurnedRect, Visibility};
use proptest::prelude::*;

fn every_kind() -> Options {
    Options {
        outlines: true,
        keypoints: true,
        turned: true,
        ..Options::default()
    }
}

fn written(shapes: &[Shape]) -> (String, Written) {
    let person = Skeleton::coco_person();
    let categories = [Category::new(1, "person", "person", Some(&person))];
    let mut w = CocoWriter::new(
        Vec::new(),
        Cursor::new(Vec::new()),
        &INFO,
        &categories,
        BoxSegmentation::Empty,
    )
    .unwrap();
    let labels = shapes.iter().map(|shape| Label {
        attributes: None,
        category_id: 1,
        shape: LabelShape::from(shape),
    });
    w.image(&image(1, "a.jpg"), labels).unwrap();
    let (bytes, written) = w.finish().unwrap();
    (String::from_utf8(bytes).unwrap(), written)
}

/// What the labels of a file become in a picture of 100 x 50.
fn placed(file: &str) -> (Vec<Placed>, Imported, ImportReport) {
    let (out, report) = read_with(file.as_bytes(), &every_kind());
    let imported = out.unwrap();
    let fit = Fit::new(Some((100.0, 50.0)), (100.0, 50.0), 1, imported.normalised);
    let all = imported.annotations.iter().map(|a| fit.place(&a.shape)).collect();
    (all, imported, report)
}

fn point(x: f64, y: f64, visibility: Visibility) -> Keypoint {
    Keypoint::new(Point::new(x, y), visibility)
}

#[test]
fn keypoints_are_written_as_the_standard_wants_them() {
    let mut keypoints = vec![Keypoint::default(); 17];
    keypoints[0] = point(10.5, 20.0, Visibility::Visible);
    keypoints[16] = point(30.0, 44.25, Visibility::Hidden);
    let (text, counts) = written(&[Shape::Keypoints {
        keypoints: keypoints.clone(),
    }]);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let a = &json["annotations"][0];
    assert_eq!(a["num_keypoints"], 2);
    assert_eq!(a["keypoints"].as_array().unwrap().len(), 51);
    assert_eq!(a["keypoints"][2], 2.0);
    assert_eq!(a["bbox"], serde_json::json!([10.5, 20.0, 19.5, 24.25]));
    assert_eq!(a["area"], 19.5 * 24.25);
    let category = &json["categories"][0];
    assert_eq!(category["keypoints"][16], "right_ankle");
    // From 1 in files, from 0 with us.
    assert_eq!(category["skeleton"][0], serde_json::json!([16, 14]));
    assert_eq!(counts.annotations, 1);
    let (again, imported, report) = placed(&text);
    assert_eq!(
        again,
        [Placed::Other {
            shape: Shape::Keypoints { keypoints },
            fixed: None
        }]
    );
    assert_eq!(imported.categories[0].skeleton, Some(Skeleton::coco_person()));
    assert_eq!((report.fixed, report.refused), (0, 0));
}

#[test]
fn a_lone_keypoint_has_a_box_with_an_area() {
    let mut keypoints = vec![Keypoint::default(); 17];
    keypoints[3] = point(100.0, 50.0, Visibility::Visible);
    let (text, _) = written(&[Shape::Keypoints { keypoints }]);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        json["annotations"][0]["bbox"],
        serde_json::json!([99.0, 49.0, 1.0, 1.0])
    );
    assert_eq!(json["annotations"][0]["area"], 1.0);
}

#[test]
fn what_coco_has_no_form_for_is_counted() {
    let line = Shape::Polyline {
        points: vec![[1.0, 1.0], [5.0, 5.0]],
    };
    let far = Shape::RotatedBox {
        rect: TurnedRect {
            cx: 900.0,
            w: 5.0,
            h: 5.0,
            ..TurnedRect::default()
        },
    };
    let (text, counts) = written(&[line, far]);
    assert!(text.contains("\"annotations\":[\n]"), "{text}");
    assert_eq!(counts.formless.get(&ShapeKind::Polyline), Some(&1));
    assert_eq!(counts.dropped, 1);
}

/// The same box told in four ways, its corners where COCO rounds up or down to fifths of a pixel: sine and cosine are not exact, and
/// must not decide.
#[test]
fn the_area_of_a_turned_box_does_not_hang_on_how_it_is_told() {
    let slope = 3.0_f64.atan2(4.0).to_degrees();
    for (cx, cy) in [(60.1, 20.0), (60.3, 20.1), (60.6, 20.1), (60.6, 20.6)] {
        for (w, h) in [(20.0, 10.0), (30.0, 15.0), (25.0, 15.0)] {
            for quarters in [0.0, 1.0, 2.0, 3.0] {
                let (w, h) = if quarters % 2.0 == 0.0 { (w, h) } else { (h, w) };
                let angle = slope + 90.0 * quarters;
                let rect = TurnedRect { cx, cy, w, h, angle }.normal();
                let (text, _) = written(&[Shape::RotatedBox { rect }]);
                let json: serde_json::Value = serde_json::from_str(&text).unwrap();
                assert_eq!(json["annotations"][0]["area"], w * h, "{rect:?}");
            }
        }
    }
}

#[test]
fn skeletons_of_other_makers() {
    let file = |category: &str, keypoints: &str| {
        format!(
            r#"{{"images":[{{"id":1,"file_name":"a.jpg","width":100,"height":50}}],"categories":[{{"id":1,"name":"cat",{category}}}],
"annotations":[{{"id":1,"image_id":1,"category_id":1,"bbox":[1,2,30,40],"keypoints":{keypoints}}}]}}"#
        )
    };
    let good = r#""keypoints":["nose","left_ear","right_ear"],"skeleton":[[1,2],[1,3],[0,9]]"#;
    let (all, imported, report) = placed(&file(good, "[5,6,2, 1,2,0, 7,8,1]"));
    let skeleton = imported.categories[0].skeleton.clone().unwrap();
    assert_eq!(
        skeleton.edges,
        [[0, 1], [0, 2]],
        "what cannot be a pair is passed over"
    );
    assert_eq!(skeleton.symmetry, [[1, 2]]);
    assert!(skeleton.check().is_ok());
    let want = vec![
        point(5.0, 6.0, Visibility::Visible),
        Keypoint::default(),
        point(7.0, 8.0, Visibility::Hidden),
    ];
    assert_eq!(
        all,
        [Placed::Other {
            shape: Shape::Keypoints { keypoints: want },
            fixed: None
        }]
    );
    assert_eq!(report.refused, 0);
    for (category, keypoints, code) in [
        (r#""keypoints":["a","A"]"#, "[1,2,2,3,4,2]", "bad_skeleton"),
        (
            r#""keypoints":["a"],"skeleton":[[1,5]]"#,
            "[1,2,2]",
            "bad_skeleton",
        ),
        (r#""keypoints":["a"]"#, "[1,2,2,3]", "bad_keypoints"),
        (r#""keypoints":["a"]"#, "[1,2,7]", "bad_keypoints"),
        (r#""keypoints":["a"]"#, "[1,\"x\",2]", "bad_keypoints"),
        (r#""keypoints":["a"]"#, "\"all\"", "bad_keypoints"),
    ] {
        let (_, _, report) = placed(&file(category, keypoints));
        assert!(
            report.entries.iter().any(|e| e.code == code),
            "{category} {keypoints}: {:?}",
            report.entries
        );
    }
    // Where keypoints are not labeled, the box is what counts.
    let (out, _) = read_with(file(good, "[5,6,2,1,2,0,7,8,1]").as_bytes(), &Options::default());
    assert_eq!(boxes(&out.unwrap()), [[1.0, 2.0, 30.0, 40.0]]);
}

proptest! {
    #[test]
    fn turned_shapes_come_back_to_the_last_digit(
        cx in 0.0..100.0f64, cy in 0.0..50.0f64, w in 1.5..80.0f64, h in 1.5..80.0f64, angle in -179.9..180.0f64, round: bool,
    ) {
        let rect = TurnedRect { cx, cy, w, h, angle };
        let shape = if round { Shape::Ellipse { rect } } else { Shape::RotatedBox { rect } };
        let (text, counts) = written(std::slice::from_ref(&shape));
        prop_assert_eq!((counts.annotations, counts.dropped), (1, 0));
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let a = &json["annotations"][0];
        // Other readers see the polygon: inside the image, of the right area where it is whole.
        let b: Vec<f64> = a["bbox"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        prop_assert!(b[0] >= 0.0 && b[1] >= 0.0 && b[0] + b[2] <= 100.0 + 1e-6 && b[1] + b[3] <= 50.0 + 1e-6);
        let (again, _, report) = placed(&text);
        prop_assert_eq!(again, [Placed::Other { shape, fixed: None }]);
        prop_assert_eq!(report.refused, 0);
    }
}
