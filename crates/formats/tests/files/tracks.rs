use super::*;
use limn_domain::{Keyframe, TurnedRect, track};

/// Tracks of shapes that lie in the picture, the second a video's own of what `shape` gives.
fn tracks(shape: impl Strategy<Value = Shape>) -> impl Strategy<Value = Vec<Sample>> {
    let keyframes = prop::collection::btree_map(0..FRAMES, (shape, any::<bool>(), any::<bool>()), 1..6);
    let one = keyframes.prop_map(|map| {
        let mut list: Vec<Keyframe> = map
            .into_iter()
            .map(|(frame, (shape, outside, occluded))| Keyframe {
                outside,
                occluded,
                ..Keyframe::new(frame, shape)
            })
            .collect();
        list[0].outside = false;
        Shape::Track { keyframes: list }
    });
    let labels = prop::collection::vec((0..NAMES.len(), one), 1..4);
    prop::collection::vec(labels, 1..3).prop_map(|videos| {
        let names = ["a/walk.mp4", "run"];
        videos
            .into_iter()
            .zip(names)
            .map(|(labels, name)| (name.to_owned(), SIDE, SIDE, labels))
            .collect()
    })
}

fn a_turned_box() -> impl Strategy<Value = Shape> {
    (20.0..40.0, 20.0..40.0, 1.0..20.0, 1.0..20.0, -179.0..180.0_f64).prop_map(|(cx, cy, w, h, angle)| {
        Shape::RotatedBox {
            rect: TurnedRect { cx, cy, w, h, angle },
        }
    })
}

fn numbers(shape: &Shape) -> Vec<f64> {
    match shape {
        Shape::Box { rect } => vec![rect.x, rect.y, rect.w, rect.h],
        Shape::RotatedBox { rect } => vec![
            rect.cx,
            rect.cy,
            rect.w,
            rect.h,
            rect.angle.to_radians().cos(),
            rect.angle.to_radians().sin(),
        ],
        Shape::Polyline { points } => points.iter().flatten().copied().collect(),
        Shape::Polygon { parts } => parts.iter().flatten().flatten().flatten().copied().collect(),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn jsonl_keeps_tracks_to_the_last_digit(samples in tracks(prop_oneof![a_box(), a_polygon(2), a_turned_box()])) {
        let (read, tally) = around(ExportFormat::Jsonl, ImportFormat::Jsonl, Task::Objects, &samples);
        prop_assert_eq!(tally.lost(), 0);
        for (name, _, _, labels) in &samples {
            let back: Vec<&Shape> = read.items[name].iter().map(|(_, s)| s).collect();
            for ((_, shape), back) in labels.iter().zip(back) {
                let (a, b) = (shape.keyframes(), back.keyframes());
                prop_assert_eq!(a.len(), b.len());
                for (a, b) in a.iter().zip(b) {
                    prop_assert_eq!((a.frame, a.outside, a.occluded), (b.frame, b.outside, b.occluded));
                    prop_assert_eq!(&a.shape, &b.shape);
                }
            }
        }
    }

    #[test]
    fn cvat_keeps_keyframes(samples in tracks(prop_oneof![a_box(), a_turned_box(), Just(Shape::Polyline { points: vec![[1.0, 2.5], [3.25, 4.0]] })])) {
        let (read, tally) = around(ExportFormat::CvatVideo, ImportFormat::Cvat, Task::Objects, &samples);
        prop_assert_eq!(tally.lost(), 0);
        for (name, _, _, labels) in &samples {
            let back = &read.items[name];
            prop_assert_eq!(back.len(), labels.len());
            for ((category, shape), (name, back)) in labels.iter().zip(back) {
                prop_assert_eq!(NAMES[*category], name);
                let (a, b) = (shape.keyframes(), back.keyframes());
                prop_assert_eq!(a.len(), b.len());
                for (a, b) in a.iter().zip(b) {
                    prop_assert_eq!((a.frame, a.outside, a.occluded), (b.frame, b.outside, b.occluded));
                    for (x, y) in numbers(&a.shape).into_iter().zip(numbers(&b.shape)) {
                        prop_assert!((x - y).abs() < 1e-9);
                    }
                }
            }
        }
    }

    #[test]
    fn mot_keeps_the_box_of_every_frame(samples in tracks(a_box())) {
        let (read, tally) = around(ExportFormat::Mot, ImportFormat::Mot, Task::Detection, &samples);
        prop_assert_eq!(tally.lost(), 0);
        for (name, _, _, labels) in &samples {
            let back = &read.items[name];
            prop_assert_eq!(back.len(), labels.len());
            for ((category, shape), (name, back)) in labels.iter().zip(back) {
                prop_assert_eq!(NAMES[*category], name);
                for frame in 0..FRAMES {
                    let (a, b) = (track::at(shape.keyframes(), frame), track::at(back.keyframes(), frame));
                    prop_assert_eq!(a.is_some(), b.is_some(), "frame {}", frame);
                    if let (Some(a), Some(b)) = (a, b) {
                        prop_assert_eq!(a.occluded, b.occluded);
                        prop_assert!(apart(rect_of(&a.shape), rect_of(&b.shape)) < 1e-5);
                    }
                }
            }
        }
    }
}

fn walk() -> Shape {
    let boxed = |x: f64| Shape::Box {
        rect: Rect::new(x, 4.0, 10.0, 8.0),
    };
    Shape::Track {
        keyframes: vec![
            Keyframe::new(0, boxed(2.0)),
            Keyframe {
                occluded: true,
                ..Keyframe::new(2, boxed(4.0))
            },
            Keyframe {
                outside: true,
                ..Keyframe::new(3, boxed(4.0))
            },
        ],
    }
}

#[test]
fn mot_is_written_as_the_challenge_has_it() {
    let samples = [("a/walk.mp4".to_owned(), SIDE, SIDE, vec![(1, walk())])];
    let (files, tally) = write(ExportFormat::Mot, dataset(Task::Detection), &samples);
    assert_eq!(
        text(&files, "a/walk/gt/gt.txt"),
        "1,1,2,4,10,8,1,2,1\n2,1,3,4,10,8,1,2,1\n3,1,4,4,10,8,1,2,0\n"
    );
    assert!(text(&files, "a/walk/gt/labels.txt").starts_with("cat\ntraffic light\n"));
    let info = text(&files, "a/walk/seqinfo.ini");
    for line in [
        "name=a/walk",
        "frameRate=30",
        "seqLength=30",
        "imWidth=64",
        "imDir=img1",
    ] {
        assert!(info.lines().any(|l| l == line), "{line}\n{info}");
    }
    assert_eq!((tally.items, tally.labels), (1, 1));
}

#[test]
fn cvat_video_is_written_as_cvat_has_it() {
    let samples = [("walk.mp4".to_owned(), SIDE, SIDE, vec![(0, walk())])];
    let (files, _) = write(ExportFormat::CvatVideo, dataset(Task::Detection), &samples);
    let xml = text(&files, "walk/annotations.xml");
    for piece in [
        "<mode>interpolation</mode>",
        "<source>walk.mp4</source>",
        "<track id=\"0\" label=\"cat\" source=\"manual\">",
        "<box frame=\"0\" keyframe=\"1\" outside=\"0\" occluded=\"0\" xtl=\"2\" ytl=\"4\" xbr=\"12\" ybr=\"12\"",
        "<box frame=\"1\" keyframe=\"0\" outside=\"0\" occluded=\"0\" xtl=\"3\"",
        "<box frame=\"3\" keyframe=\"1\" outside=\"1\" occluded=\"0\" xtl=\"4\"",
    ] {
        assert!(xml.contains(piece), "{piece}\n{xml}");
    }
    assert!(!xml.contains("frame=\"4\""), "nothing after it has left");
}

#[test]
fn lines_of_mot_that_are_none_are_refused_and_the_rest_is_taken() {
    let files = files(&[(
        "x/gt/gt.txt",
        "1,1,0,0,5,5,1,3,1\n0,1,0,0,5,5,1,1,1\n2,1,x,0,5,5,1,3,1\n3,1,1,0,0,5,1,3,1\n\n2,1,1,0,5,5,1,3,0.5\nnonsense\n",
    )]);
    let read = read(ImportFormat::Mot, &files, &[("x", 64, 64)]);
    let labels = &read.items["x"];
    assert_eq!(labels.len(), 1);
    assert_eq!(labels[0].0, "car", "class 3 of the challenge");
    let seen = track::at(labels[0].1.keyframes(), 1).unwrap();
    assert_eq!(rect_of(&seen.shape), Rect::new(1.0, 0.0, 5.0, 5.0));
    let mut codes = read.codes();
    codes.sort_unstable();
    assert_eq!(codes, ["bad_box", "bad_frame", "bad_record", "box_empty"]);
}

#[test]
fn a_track_of_cvat_that_is_broken_costs_only_itself() {
    let xml = "<annotations><meta><source>x.mp4</source></meta>\
        <track id=\"0\" label=\"cat\"><mask frame=\"0\" rle=\"1\"/></track>\
        <track id=\"1\" label=\"cat\"><box frame=\"2\" outside=\"1\" xtl=\"0\" ytl=\"0\" xbr=\"4\" ybr=\"4\"/>\
        <box frame=\"0\" xtl=\"0\" ytl=\"0\" xbr=\"2\" ybr=\"2\"/></track></annotations>";
    let files = files(&[("annotations.xml", xml)]);
    let read = read(ImportFormat::Cvat, &files, &[("x.mp4", 64, 64)]);
    assert_eq!(read.items["x.mp4"].len(), 1);
    let frames: Vec<_> = read.items["x.mp4"][0]
        .1
        .keyframes()
        .iter()
        .map(|k| (k.frame, k.outside))
        .collect();
    assert_eq!(frames, [(0, false), (2, true)]);
    assert_eq!(read.report.refused, 1);
}
