//! Rotated boxes, ellipses, lines, points and skeletons in each format.

use super::*;
use limn_domain::{Keypoint, TurnedRect};

fn turned() -> impl Strategy<Value = TurnedRect> {
    (20.0..44.0, 20.0..44.0, 2.0..15.0, 2.0..15.0, -179.0..180.0)
        .prop_map(|(cx, cy, w, h, angle)| TurnedRect { cx, cy, w, h, angle })
}

fn a_kind() -> impl Strategy<Value = Shape> {
    let points = |n: usize| prop::collection::vec((0.0..64.0, 0.0..64.0), n..6);
    let list = |v: Vec<(f64, f64)>| v.into_iter().map(|(x, y)| [x, y]).collect::<Vec<_>>();
    prop_oneof![
        turned().prop_map(|rect| Shape::RotatedBox { rect }),
        turned().prop_map(|rect| Shape::Ellipse { rect }),
        points(2).prop_map(move |v| Shape::Polyline { points: list(v) }),
        points(1).prop_map(move |v| Shape::Points { points: list(v) }),
    ]
}

/// The same kind, every number within a billionth.
fn near(a: &Shape, b: &Shape) -> bool {
    let numbers = |s: &Shape| -> Vec<f64> {
        match s {
            Shape::RotatedBox { rect } | Shape::Ellipse { rect } => {
                // Half a turn more or less is the same direction at the end of the range.
                vec![rect.cx, rect.cy, rect.w, rect.h, rect.angle.rem_euclid(360.0)]
            }
            Shape::Polyline { points } | Shape::Points { points } => points.as_flattened().to_vec(),
            _ => Vec::new(),
        }
    };
    let (x, y) = (numbers(a), numbers(b));
    a.kind() == b.kind() && x.len() == y.len() && x.iter().zip(&y).all(|(a, b)| (a - b).abs() < 1e-9)
}

fn all_near(samples: &[Sample], read: &Read) {
    assert_eq!(read.report.fixed + read.report.refused, 0, "{:?}", read.report);
    for (name, .., labels) in samples {
        let got = read.items.get(name).map(Vec::as_slice).unwrap_or_default();
        assert_eq!(got.len(), labels.len());
        for ((category, shape), (name, back)) in labels.iter().zip(got) {
            assert_eq!(NAMES[*category], name);
            assert!(near(shape, back), "{shape:?} {back:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn kinds_come_back(samples in samples(a_kind())) {
        for format in [ExportFormat::Cvat, ExportFormat::Csv, ExportFormat::Jsonl] {
            let (read, tally) = around(format, format.import(), Task::Objects, &samples);
            prop_assert_eq!(tally.lost(), 0);
            all_near(&samples, &read);
        }
    }

    #[test]
    fn turned_boxes_and_ellipses_come_back_from_label_studio(samples in samples(turned().prop_map(|rect| Shape::RotatedBox { rect }))) {
        let (read, tally) = around(ExportFormat::LabelStudio, ImportFormat::LabelStudio, Task::Detection, &samples);
        prop_assert_eq!(tally.lost(), 0);
        all_near(&samples, &read);
    }

    /// What they cover, where they become polygons or pixels.
    #[test]
    fn what_they_cover_comes_back(rect in turned(), is_box: bool) {
        let shape = if is_box { Shape::RotatedBox { rect } } else { Shape::Ellipse { rect } };
        let image = size(SIDE, SIDE);
        let want = Mask::from_polygon(&shape.region(0.1).unwrap(), image);
        let samples = vec![("x.jpg".to_owned(), SIDE, SIDE, vec![(0, shape)])];
        for format in [ExportFormat::Yolo, ExportFormat::Png, ExportFormat::CocoPanoptic, ExportFormat::Labelme] {
            let (read, _) = around(format, format.import(), Task::Objects, &samples);
            let got = read.items.get("x.jpg").and_then(|l| mask_of(&l.first()?.1, image));
            if format == ExportFormat::Yolo {
                // Nine decimals may move a pixel whose middle lies on the border.
                let area = |m: &Option<Mask>| m.as_ref().map_or(0, Mask::area);
                prop_assert!(area(&want).abs_diff(area(&got)) <= 2);
            } else {
                prop_assert_eq!(&want, &got, "{:?}", format);
            }
        }
    }
}

#[test]
fn what_a_format_does_not_know_is_counted() {
    let keypoints = vec![Keypoint::try_from([1.0, 2.0, 2.0]).unwrap()];
    let shapes = vec![
        (0, Shape::Keypoints { keypoints }),
        (
            0,
            Shape::Polyline {
                points: vec![[1.0, 1.0], [5.0, 5.0]],
            },
        ),
        (
            0,
            Shape::Points {
                points: vec![[1.0, 1.0], [5.0, 5.0]],
            },
        ),
    ];
    let of_pictures = |f: &ExportFormat| *f != ExportFormat::Coco && !f.is_of_videos();
    for format in ExportFormat::for_task(Task::Objects).filter(of_pictures) {
        let samples = [("x.jpg".to_owned(), SIDE, SIDE, shapes.clone())];
        let (_, tally) = write(format, dataset(Task::Objects), &samples);
        assert_eq!(tally.labels + tally.lost(), 3, "{format:?}");
        let kept = match format {
            ExportFormat::Csv | ExportFormat::Jsonl => 3,
            ExportFormat::Cvat | ExportFormat::Labelme => 2,
            _ => 0,
        };
        assert_eq!(tally.labels, kept, "{format:?} {:?}", tally.notes());
    }
}

#[test]
fn lines_points_and_circles_come_from_labelme() {
    let line = Shape::Polyline {
        points: vec![[1.0, 2.0], [3.5, 4.0], [9.0, 9.0]],
    };
    let points = Shape::Points {
        points: vec![[1.0, 1.0], [5.0, 5.0]],
    };
    let samples = [("x.jpg".to_owned(), SIDE, SIDE, vec![(0, line), (1, points)])];
    let (read, _) = around(
        ExportFormat::Labelme,
        ImportFormat::Labelme,
        Task::Objects,
        &samples,
    );
    all_near(&samples, &read);
    let circle = r#"{"shapes": [{"label": "cat", "points": [[30, 30], [33, 34]], "shape_type": "circle"}], "imageWidth": 64, "imageHeight": 64}"#;
    let read = super::read(
        ImportFormat::Labelme,
        &files(&[("x.json", circle)]),
        &[("x.jpg", 64, 64)],
    );
    let rect = TurnedRect {
        cx: 30.0,
        cy: 30.0,
        w: 10.0,
        h: 10.0,
        angle: 0.0,
    };
    assert_eq!(read.items["x.jpg"][0].1, Shape::Ellipse { rect });
}
