//! YOLO's keypoints and oriented boxes.

use super::*;
use limn_domain::keypoint::SkeletonPoint;
use limn_domain::{Keypoint, Point, Skeleton, TurnedRect, Visibility};

fn point(name: &str) -> SkeletonPoint {
    SkeletonPoint {
        name: name.into(),
        at: [0.5, 0.5],
    }
}

fn skeleton(names: &[&str], symmetry: &[[usize; 2]]) -> Skeleton {
    Skeleton {
        keypoints: names.iter().map(|n| point(n)).collect(),
        edges: vec![[0, 1]],
        symmetry: symmetry.to_vec(),
    }
}

fn poses() -> Dataset {
    let mut dataset = dataset(Task::Keypoints);
    dataset.categories[0].skeleton = Some(skeleton(&["nose", "left: \"ear\"", "right ear"], &[[1, 2]]));
    dataset.categories[1].skeleton = Some(skeleton(&["a", "b", "c"], &[[1, 2]]));
    dataset
}

fn keypoints(list: [[f64; 3]; 3]) -> Shape {
    Shape::Keypoints {
        keypoints: list.into_iter().map(|k| Keypoint::try_from(k).unwrap()).collect(),
    }
}

#[test]
fn the_files_are_what_ultralytics_pose_reads() {
    let shape = keypoints([[10.0, 5.0, 2.0], [0.0, 0.0, 0.0], [30.0, 15.0, 1.0]]);
    let other = Shape::Box {
        rect: Rect::new(1.0, 1.0, 2.0, 2.0),
    };
    let samples = [("x.jpg".to_owned(), 100, 50, vec![(0, shape), (0, other)])];
    let (out, tally) = write(ExportFormat::Yolo, poses(), &samples);
    assert_eq!(
        text(&out, "labels/train/x.txt"),
        "0 0.2 0.2 0.2 0.2 0.1 0.1 2 0 0 0 0.3 0.3 1\n"
    );
    assert_eq!(
        text(&out, "data.yaml").split_once("kpt_shape").unwrap().1,
        ": [3, 3]\nflip_idx: [0, 2, 1]\nkpt_names:\n  0:\n    - \"nose\"\n    - \"left: \\\"ear\\\"\"\n    - \"right ear\"\n  1:\n    - \"a\"\n    - \"b\"\n    - \"c\"\n"
    );
    assert_eq!((tally.labels, tally.lost()), (1, 1));
}

#[test]
fn classes_with_other_numbers_of_keypoints_are_refused_by_name() {
    let mut dataset = poses();
    assert_eq!(write::refusal(ExportFormat::Yolo, &dataset), None);
    dataset.categories[3].skeleton = Some(skeleton(&["a", "b"], &[]));
    let why = write::refusal(ExportFormat::Yolo, &dataset).unwrap();
    assert!(why.contains("`cat` has 3 and `dog/wolf` 2"), "{why}");
    assert_eq!(write::refusal(ExportFormat::Csv, &dataset), None);
    // Nothing to mirror by when the classes disagree.
    dataset.categories[3].skeleton = Some(skeleton(&["a", "b", "c"], &[]));
    let (out, _) = write(ExportFormat::Yolo, dataset, &[]);
    assert!(!text(&out, "data.yaml").contains("flip_idx"));
}

fn imported(set: &[(&str, &str)], task: Task) -> (Imported, Imported, ImportReport) {
    let all = files(set);
    let mut reader = read::reader(ImportFormat::Yolo, task);
    let mut findings = Findings::default();
    let mut out = Imported::default();
    let mut begun = Imported::default();
    for role in [Role::Table, Role::Labels] {
        for (path, bytes) in all
            .iter()
            .filter(|(p, _)| read::role(ImportFormat::Yolo, p) == Some(role))
        {
            if role == Role::Table {
                reader.table(path, &mut bytes.as_slice(), &mut findings).unwrap();
                begun = reader.begin();
            } else {
                out = reader.labels(path, &mut bytes.as_slice(), &mut findings).unwrap();
            }
        }
    }
    (begun, out, findings.into_report())
}

#[test]
fn skeletons_come_out_of_data_yaml() {
    let (out, _) = write(ExportFormat::Yolo, poses(), &[]);
    let (begun, ..) = imported(&[("data.yaml", &text(&out, "data.yaml"))], Task::Keypoints);
    for (category, want) in begun.categories.iter().zip(&poses().categories).take(2) {
        let (got, want) = (
            category.skeleton.as_ref().unwrap(),
            want.skeleton.as_ref().unwrap(),
        );
        assert!(
            got.keypoints
                .iter()
                .map(|k| &k.name)
                .eq(want.keypoints.iter().map(|k| &k.name))
        );
        assert_eq!(got.symmetry, want.symmetry);
    }
    // As Ultralytics writes them; a project for boxes takes the boxes.
    let yaml = "kpt_shape:\n- 2\n- 3 # x, y, v\nflip_idx: [1,\n  0]\nnames: [bear]\nkpt_names:\n  0: [ear, 'other ear']\n";
    let line = "0 0.5 0.5 0.2 0.2 0.4 0.4 2 0.6 0.6 0.9 0.75\n0 0.5 0.5 0.2 0.2 0.4 0.4 0 0.6 0.6\n0 0.5 0.5 0.2 0.2 0 0 0 0.6 0.6 1";
    let set = [("data.yaml", yaml), ("labels/train/x.txt", line)];
    let (begun, out, report) = imported(&set, Task::Keypoints);
    let skeleton = begun.categories[0].skeleton.clone().unwrap();
    assert_eq!(
        (skeleton.keypoints[1].name.as_str(), skeleton.symmetry.as_slice()),
        ("other ear", &[[0, 1]][..])
    );
    assert_eq!(report.refused, 1, "{report:#?}");
    assert_eq!(
        (report.entries[0].code.as_str(), report.entries[0].line),
        ("keypoint_count", Some(2))
    );
    assert_eq!(out.annotations[0].score, Some(0.75));
    let limn_formats::ImportedShape::Other(shape) = &out.annotations[1].shape else {
        panic!()
    };
    let hidden = Keypoint::new(Point::new(0.6, 0.6), Visibility::Hidden);
    assert_eq!(
        **shape,
        Shape::Keypoints {
            keypoints: vec![Keypoint::default(), hidden]
        }
    );
    let (begun, out, _) = imported(&set, Task::Detection);
    assert_eq!(begun.categories[0].skeleton, None);
    assert!(
        out.annotations
            .iter()
            .all(|a| matches!(a.shape, limn_formats::ImportedShape::Box(_)))
    );
    for bad in ["[0, 3]", "[3]", "[3, 4]", "[x, 3]", "[1e9, 3]", "[100000, 3]", ""] {
        let yaml = format!("kpt_shape: {bad}\nnames: [a]\n");
        let (_, _, report) = imported(&[("data.yaml", &yaml)], Task::Keypoints);
        assert_eq!(report.refused, 1, "{bad}");
    }
}

fn a_pose() -> impl Strategy<Value = Shape> {
    let k = (0.0..64.0, 0.0..64.0, 0..3_u8);
    [k.clone(), k.clone(), k].prop_filter_map("none is labeled", |list| {
        let any = list.iter().any(|k| k.2 > 0);
        any.then(|| keypoints(list.map(|(x, y, v)| [x, y, f64::from(v)])))
    })
}

fn a_turned() -> impl Strategy<Value = TurnedRect> {
    let angle = prop_oneof![
        -179.9..179.9_f64,
        Just(90.0),
        Just(180.0),
        Just(-90.0),
        Just(45.0)
    ];
    (5.0..60.0, 5.0..60.0, 1.0..30.0, 1.0..30.0, angle).prop_map(|(cx, cy, w, h, angle)| TurnedRect {
        cx,
        cy,
        w,
        h,
        angle,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn keypoints_come_back(list in prop::collection::vec(a_pose(), 1..5)) {
        let labels: Vec<_> = list.iter().map(|s| (1, s.clone())).collect();
        let (out, tally) = write(ExportFormat::Yolo, poses(), &[("x.jpg".to_owned(), SIDE, SIDE, labels)]);
        prop_assert_eq!(tally.lost(), 0);
        let read = read(ImportFormat::Yolo, &out, &[("x.jpg", SIDE, SIDE)]);
        prop_assert!(read.report.entries.is_empty(), "{:#?}", read.report);
        for ((name, got), want) in read.items["x.jpg"].iter().zip(&list) {
            prop_assert_eq!(name, NAMES[1]);
            let (Shape::Keypoints { keypoints: got }, Shape::Keypoints { keypoints: want }) = (got, want) else { panic!() };
            for (g, w) in got.iter().zip(want) {
                prop_assert!(g.visibility == w.visibility && (g.x - w.x).abs() < 1e-6 && (g.y - w.y).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn oriented_boxes_come_back(list in prop::collection::vec(a_turned(), 1..5), width in SIDE..4000_u32) {
        let labels: Vec<_> = list.iter().map(|r| (1, Shape::RotatedBox { rect: *r })).collect();
        let samples = [("x.jpg".to_owned(), width, SIDE, labels)];
        let (read, tally) = around(ExportFormat::YoloObb, ImportFormat::YoloObb, Task::Detection, &samples);
        prop_assert_eq!(tally.lost(), 0);
        for ((_, got), want) in read.items["x.jpg"].iter().zip(&list) {
            let Shape::RotatedBox { rect } = got else { panic!("{got:?}") };
            for (g, w) in rect.corners().iter().zip(want.corners()) {
                prop_assert!(g.distance(w) < 1e-4, "{:?} {:?}", rect, want);
            }
        }
    }
}

#[test]
fn oriented_boxes_of_every_form() {
    let turned = TurnedRect {
        cx: 30.0,
        cy: 20.0,
        w: 20.0,
        h: 8.0,
        angle: 30.0,
    };
    let labels = vec![
        (
            0,
            Shape::Box {
                rect: Rect::new(1.0, 2.0, 8.0, 4.0),
            },
        ),
        (0, Shape::Ellipse { rect: turned }),
        (
            0,
            Shape::Polygon {
                parts: vec![vec![vec![[1.0, 1.0], [9.0, 1.0], [9.0, 9.0]]]],
            },
        ),
    ];
    let samples = [("x.jpg".to_owned(), 64, 32, labels)];
    let (read, tally) = around(
        ExportFormat::YoloObb,
        ImportFormat::YoloObb,
        Task::Objects,
        &samples,
    );
    assert_eq!(
        (tally.labels, tally.lost(), tally.notes().len()),
        (2, 1, 2),
        "{:?}",
        tally.notes()
    );
    let labels = &read.items["x.jpg"];
    assert!(
        apart(rect_of(&labels[0].1), Rect::new(1.0, 2.0, 8.0, 4.0)) < 1e-6,
        "an upright one stays a box"
    );
    assert_eq!(labels[1].1.kind(), "rotated_box");

    // Corners that are no rectangle: the smallest box around them. Predictions have a confidence.
    let set = files(&[
        ("data.yaml", "names: [a]"),
        (
            "labels/train/x.txt",
            "0 0.1 0.1 0.5 0.1 0.5 0.3 0.1 0.2 0.5\n0 0.1 0.1 0.5 0.1\n0 0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.1\n0 900 1 2 3 4 5 6 7",
        ),
    ]);
    let read = self::read(ImportFormat::YoloObb, &set, &[("x.jpg", 100, 100)]);
    assert_eq!(read.codes(), ["too_few_numbers", "too_few_numbers", "not_shares"]);
    let r = rect_of(&read.items["x.jpg"][0].1);
    assert!(apart(r, Rect::new(10.0, 10.0, 40.0, 20.0)) < 1e-6, "{r:?}");
}
