use super::*;

fn yolo(task: Task, samples: &[Sample]) -> (Read, Tally) {
    around(ExportFormat::Yolo, ImportFormat::Yolo, task, samples)
}

#[test]
fn the_files_are_what_ultralytics_reads() {
    let samples = [(
        "day 1/x.jpg".to_owned(),
        100,
        50,
        vec![(
            1,
            Shape::Box {
                rect: Rect::new(10.0, 5.0, 20.0, 10.0),
            },
        )],
    )];
    let (files, tally) = write(ExportFormat::Yolo, dataset(Task::Detection), &samples);
    assert_eq!(
        files.keys().collect::<Vec<_>>(),
        ["data.yaml", "labels/train/day 1/x.txt"]
    );
    assert_eq!(text(&files, "labels/train/day 1/x.txt"), "1 0.2 0.2 0.2 0.2\n");
    assert_eq!(
        text(&files, "data.yaml"),
        "train: images/train\nval: images/train\nnames:\n  0: \"cat\"\n  1: \"traffic light\"\n  2: \"a \\\"b\\\", <c>: 'd' # e & é\"\n  3: \"dog/wolf\"\n"
    );
    assert_eq!((tally.items, tally.labels), (1, 1));
}

#[test]
fn what_yolo_cannot_say_is_counted() {
    let mask = Shape::Mask {
        mask: Mask::from_pixels(3, 3, 2, 2, &[1; 4]).unwrap(),
    };
    let far = Shape::Box {
        rect: Rect::new(200.0, 0.0, 5.0, 5.0),
    };
    let samples = [(
        "x.jpg".to_owned(),
        64,
        64,
        vec![(0, mask.clone()), (0, mask.clone()), (0, far), (0, Shape::Whole)],
    )];
    let (_, tally) = write(ExportFormat::Yolo, dataset(Task::Detection), &samples);
    assert_eq!((tally.labels, tally.lost()), (0, 4));
    let notes = tally.notes();
    assert!(
        notes.contains(
            &"2 masks left out: YOLO detection has upright boxes only; for example in x.jpg.".to_owned()
        ),
        "{notes:?}"
    );

    let square = |a: f64, b: f64| vec![[a, a], [b, a], [b, b], [a, b]];
    let holed = Shape::Polygon {
        parts: vec![
            vec![square(1.0, 20.0), square(5.0, 10.0)],
            vec![square(30.0, 40.0)],
        ],
    };
    let samples = [("x.jpg".to_owned(), 64, 64, vec![(0, mask), (2, holed)])];
    let (read, tally) = yolo(Task::Segmentation, &samples);
    assert_eq!(
        (tally.labels, tally.lost(), tally.notes().len()),
        (2, 0, 3),
        "{:?}",
        tally.notes()
    );
    let filled = Shape::Polygon {
        parts: vec![vec![square(1.0, 20.0)], vec![square(30.0, 40.0)]],
    };
    let image = size(64, 64);
    let labels = &read.items["x.jpg"];
    assert_eq!(labels[1].0, NAMES[2]);
    assert_eq!(
        mask_of(&labels[1].1, image),
        mask_of(&filled, image),
        "parts are joined and holes filled"
    );
    assert_eq!(mask_of(&labels[0].1, image).unwrap().area(), 4);
}

#[test]
fn faults_are_refused_by_line_and_the_rest_is_taken() {
    let set = files(&[
        ("set/data.yaml", "names:\n  0: cat\n  2: dog\n"),
        (
            "set/labels/val/x.txt",
            "0 0.5 0.5 0.1 0.1\n1 0.5 0.5 0.1 0.1\n\nx 0.5 0.5 0.1 0.1\n0 0.5 0.5 0.1\n0 nan 0.5 0.1 0.1\n0 320 200 10 10\n2 .5 .5 .25 .25 0.9\n2 0.1 0.1 0.4 0.1 0.4 0.4\n-1 0 0 1 1\n",
        ),
        ("set/labels/val/empty.txt", ""),
        ("set/train.txt", "images/x.jpg"),
    ]);
    let read = read(
        ImportFormat::Yolo,
        &set,
        &[
            ("set/images/val/x.jpg", 100, 100),
            ("set/images/val/empty.png", 9, 9),
        ],
    );
    assert_eq!(read.categories, ["cat", "dog"]);
    let labels = &read.items["set/images/val/x.jpg"];
    assert_eq!(labels.len(), 3);
    assert!(apart(rect_of(&labels[0].1), Rect::new(45.0, 45.0, 10.0, 10.0)) < 1e-9);
    assert_eq!((labels[1].0.as_str(), labels[2].0.as_str()), ("dog", "dog"));
    assert_eq!(parts_of(&labels[2].1).len(), 1);
    let lines: Vec<_> = read
        .report
        .entries
        .iter()
        .map(|e| (e.code.as_str(), e.line.unwrap()))
        .collect();
    assert_eq!(
        lines,
        [
            ("unknown_class", 2),
            ("bad_class", 4),
            ("too_few_numbers", 5),
            ("not_a_number", 6),
            ("not_shares", 7),
            ("bad_class", 10)
        ]
    );
    assert!(
        read.report.entries[0].message.starts_with("Class 1 has no name"),
        "{}",
        read.report.entries[0].message
    );
}

#[test]
fn a_picture_called_classes_keeps_its_labels() {
    let shape = Shape::Box {
        rect: Rect::new(1.0, 2.0, 3.0, 4.0),
    };
    let (got, _) = yolo(
        Task::Detection,
        &[("classes.jpg".to_owned(), 64, 64, vec![(1, shape)])],
    );
    assert_eq!(got.items["classes.jpg"].len(), 1);
    assert_eq!(
        read::role(ImportFormat::Yolo, "labels/classes.txt"),
        Some(Role::Table)
    );
}

#[test]
fn a_part_in_a_filled_hole_is_covered_and_not_cut_out() {
    let square = |a: f64, b: f64| vec![[a, a], [b, a], [b, b], [a, b]];
    let parts = vec![
        vec![square(1.0, 40.0), square(5.0, 30.0)],
        vec![square(10.0, 20.0)],
    ];
    let samples = [("x.jpg".to_owned(), 64, 64, vec![(0, Shape::Polygon { parts })])];
    let (read, _) = yolo(Task::Segmentation, &samples);
    let filled = Shape::Polygon {
        parts: vec![vec![square(1.0, 40.0)]],
    };
    let image = size(64, 64);
    assert_eq!(mask_of(&read.items["x.jpg"][0].1, image), mask_of(&filled, image));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn boxes_come_back(samples in samples(a_box())) {
        let (read, tally) = yolo(Task::Detection, &samples);
        prop_assert_eq!(read.report.refused + read.report.fixed + tally.lost() as i64, 0);
        for (name, _, _, labels) in &samples {
            let got = &read.items[name];
            prop_assert_eq!(got.len(), labels.len());
            for ((category, shape), (name, back)) in labels.iter().zip(got) {
                prop_assert_eq!(NAMES[*category], name);
                prop_assert!(apart(rect_of(shape), rect_of(back)) < 1e-6);
            }
        }
    }

    #[test]
    fn outlines_come_back_without_their_holes(samples in samples(prop_oneof![a_polygon(1), a_mask()])) {
        let (read, tally) = yolo(Task::Segmentation, &samples);
        prop_assert_eq!(tally.lost(), 0);
        for (name, _, _, labels) in &samples {
            for ((category, shape), (name, back)) in labels.iter().zip(&read.items[name]) {
                prop_assert_eq!(NAMES[*category], name);
                let parts = match shape {
                    Shape::Polygon { parts } => parts.clone(),
                    Shape::Mask { mask } => mask.to_polygon(),
                    _ => unreachable!(),
                };
                let outer = parts.iter().map(|p| vec![vec![p[0].clone()]]);
                let united = outer.reduce(|a, b| polygon::combine(&a, &b, polygon::Combine::Union));
                let filled = polygon::area(&united.unwrap());
                let area = polygon::area(parts_of(back));
                prop_assert!((filled - area).abs() < 1e-4 * filled.max(1.0), "{filled} {area}");
                if parts.len() == 1 && parts[0].len() == 1 && matches!(shape, Shape::Polygon { .. }) {
                    prop_assert_eq!(parts_of(back)[0][0].len(), parts[0][0].len());
                }
            }
        }
    }
}
