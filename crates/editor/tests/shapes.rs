//! Rotated boxes, ellipses, lines, points and keypoints: drawn, changed, taken back.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{
    boxed, category, click, click_with, drag, id, pointer, shown, undo_to_nothing_and_redo, with_skeleton,
    workspace,
};
use limn_domain::project::Task;
use limn_domain::{Annotation, Keypoint, Point, Rect, Shape, Skeleton, TurnedRect, Visibility};
use limn_editor::{Annotations, Editor, Mods, Pointer, PointerKind, Tool};

const ALT: Mods = Mods {
    ctrl: false,
    shift: false,
    alt: true,
};
const SHIFT: Mods = Mods {
    ctrl: false,
    shift: true,
    alt: false,
};

fn only(e: &Editor) -> Shape {
    assert_eq!(e.doc().len(), 1);
    e.doc().iter().next().unwrap().shape.clone()
}

fn with(shape: Shape) -> Annotation {
    Annotation {
        shape,
        ..boxed(1, 1, Rect::default(), 0)
    }
}

#[test]
fn a_rotated_box_by_three_clicks() {
    let mut e = workspace(Task::Detection, vec![], Tool::RotatedBox);
    click(&mut e, 100.0, 100.0);
    click(&mut e, 160.0, 180.0);
    e.pointer_move(pointer(&e, 120.0, 190.0, Mods::default()));
    assert!(matches!(
        e.outline().unwrap().preview(),
        Some(Shape::RotatedBox { .. })
    ));
    click(&mut e, 80.0, 240.0);
    let Shape::RotatedBox { rect } = only(&e) else {
        panic!("{:?}", only(&e))
    };
    assert!((rect.w - 100.0).abs() < 1e-9 && (rect.h - 100.0).abs() < 1e-9);
    assert!((rect.angle - 53.13).abs() < 0.01);
    let corner = rect.corners()[0];
    assert!(corner.distance(Point::new(100.0, 100.0)) < 1e-9);
    undo_to_nothing_and_redo(&mut e, &Annotations::new());
    // Two clicks in one place are no side.
    let mut e = workspace(Task::Detection, vec![], Tool::RotatedBox);
    click(&mut e, 10.0, 10.0);
    click(&mut e, 10.4, 10.0);
    click(&mut e, 40.0, 90.0);
    assert!(e.doc().is_empty() && e.outline().is_none());
}

#[test]
fn a_box_by_its_four_outermost_points() {
    let mut e = workspace(Task::Detection, vec![], Tool::ExtremeBox);
    for (x, y) in [(50.0, 100.0), (90.0, 40.0), (130.0, 90.0), (80.0, 160.0)] {
        click(&mut e, x, y);
    }
    assert_eq!(
        only(&e),
        Shape::Box {
            rect: Rect::new(50.0, 40.0, 80.0, 120.0)
        }
    );
    assert!(e.outline().is_none());
}

#[test]
fn turning_a_box_makes_it_a_rotated_one_and_back() {
    let mut e = workspace(
        Task::Detection,
        vec![boxed(1, 1, Rect::new(100.0, 100.0, 80.0, 40.0), 0)],
        Tool::Select,
    );
    let first = shown(e.doc());
    e.select(id(1), false);
    assert_eq!(e.turn_out(), Some(26.0));
    // From above the box to its right: a quarter turn.
    drag(&mut e, (140.0, 74.0), (220.0, 120.0));
    let Shape::RotatedBox { rect } = only(&e) else {
        panic!()
    };
    assert_eq!(
        (rect.angle, rect.cx, rect.cy, rect.w, rect.h),
        (90.0, 140.0, 120.0, 80.0, 40.0)
    );
    // The corner that is now at the right top is the former top left one; the opposite corner stays.
    let opposite = rect.corners()[2];
    drag(&mut e, (160.0, 80.0), (170.0, 70.0));
    let Shape::RotatedBox { rect } = only(&e) else {
        panic!()
    };
    assert!(rect.corners()[2].distance(opposite) < 1e-9);
    assert!(
        (rect.w - 90.0).abs() < 1e-9 && (rect.h - 50.0).abs() < 1e-9,
        "{rect:?}"
    );
    // Moved as a whole it keeps its size and angle.
    drag(&mut e, (145.0, 120.0), (165.0, 130.0));
    let Shape::RotatedBox { rect: moved } = only(&e) else {
        panic!()
    };
    assert_eq!((moved.angle, moved.w, moved.h), (rect.angle, rect.w, rect.h));
    assert!((moved.cx - rect.cx - 20.0).abs() < 1e-9);
    assert!(e.set_turned(
        id(1),
        TurnedRect {
            angle: 400.0,
            ..moved
        }
    ));
    let Shape::RotatedBox { rect } = only(&e) else {
        panic!()
    };
    assert_eq!(rect.angle, 40.0);
    assert!(
        !e.set_turned(id(1), TurnedRect { cx: -95.0, ..moved }),
        "some of it stays in the image"
    );
    assert!(!e.set_turned(id(1), TurnedRect { w: f64::NAN, ..moved }));
    undo_to_nothing_and_redo(&mut e, &first);
    // Where rotated boxes are no labels, boxes have no such grip.
    let mut e = workspace(
        Task::Objects,
        vec![with(Shape::Points {
            points: vec![[5.0, 5.0]],
        })],
        Tool::Select,
    );
    e.select(id(1), false);
    assert_eq!(e.turn_out(), None);
}

#[test]
fn ellipses_lines_and_points() {
    let mut e = workspace(Task::Objects, vec![], Tool::Ellipse);
    drag(&mut e, (100.0, 100.0), (180.0, 140.0));
    let Shape::Ellipse { rect } = only(&e) else {
        panic!()
    };
    assert_eq!(rect, TurnedRect::upright(Rect::new(100.0, 100.0, 80.0, 40.0)));

    e.set_tool(Tool::Polyline);
    click(&mut e, 200.0, 200.0);
    click(&mut e, 240.0, 220.0);
    click(&mut e, 280.0, 200.0);
    click(&mut e, 280.0, 200.0);
    assert!(
        e.outline().is_none(),
        "a second click on the last corner ends a line"
    );
    e.set_tool(Tool::Points);
    click(&mut e, 300.0, 50.0);
    click_with(&mut e, 320.0, 60.0, SHIFT);
    click(&mut e, 10.0, 60.0);
    let shapes: Vec<Shape> = e.doc().iter().map(|a| a.shape.clone()).collect();
    assert_eq!(
        shapes[1],
        Shape::Polyline {
            points: vec![[200.0, 200.0], [240.0, 220.0], [280.0, 200.0]]
        }
    );
    assert_eq!(
        shapes[2],
        Shape::Points {
            points: vec![[300.0, 50.0], [320.0, 60.0]]
        }
    );
    assert_eq!(shapes.len(), 4);
    undo_to_nothing_and_redo(&mut e, &Annotations::new());
    // A point of the line is pulled out, moved and taken away.
    let line = e.doc().iter().nth(1).unwrap().id;
    e.set_tool(Tool::Select);
    e.select(line, false);
    drag(&mut e, (220.0, 210.0), (220.0, 260.0));
    let points = |e: &Editor| match &e.doc().get(line).unwrap().shape {
        Shape::Polyline { points } => points.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        points(&e),
        [[200.0, 200.0], [220.0, 260.0], [240.0, 220.0], [280.0, 200.0]]
    );
    click_with(&mut e, 240.0, 220.0, ALT);
    click_with(&mut e, 220.0, 260.0, ALT);
    click_with(&mut e, 200.0, 200.0, ALT);
    assert_eq!(
        points(&e),
        [[200.0, 200.0], [280.0, 200.0]],
        "a line keeps two points"
    );
}

#[test]
fn keypoints_by_clicks_or_by_a_drag() {
    let triangle = || {
        let mut s = Skeleton::coco_person();
        s.keypoints.truncate(3);
        s.edges = vec![[0, 1], [1, 2]];
        s.symmetry = vec![[1, 2]];
        s
    };
    let mut e = workspace(Task::Keypoints, vec![], Tool::Keypoints);
    click(&mut e, 50.0, 50.0);
    assert!(
        e.outline().is_none(),
        "a category without a skeleton has no keypoints"
    );
    e.set_definitions(std::iter::once((category(1), with_skeleton(triangle()))).collect());
    click(&mut e, 50.0, 50.0);
    assert!(e.outline_leave_out());
    click_with(&mut e, 70.0, 90.0, ALT);
    let want = vec![
        Keypoint::new(Point::new(50.0, 50.0), Visibility::Visible),
        Keypoint::default(),
        Keypoint::new(Point::new(70.0, 90.0), Visibility::Hidden),
    ];
    assert_eq!(only(&e), Shape::Keypoints { keypoints: want });
    let first = e.doc().iter().next().unwrap().id;
    // The one that is not in the picture gets a place after all.
    assert!(e.set_visibility(first, 1, Visibility::Visible));
    assert!(e.set_visibility(first, 0, Visibility::Absent));
    drag(&mut e, (200.0, 200.0), (300.0, 400.0));
    let Shape::Keypoints { keypoints } = e.doc().iter().nth(1).unwrap().shape.clone() else {
        panic!()
    };
    assert_eq!(
        keypoints,
        triangle().placed(Rect::new(200.0, 200.0, 100.0, 200.0))
    );
    // Finished early: the rest is not labeled.
    click(&mut e, 400.0, 100.0);
    assert!(e.finish_outline());
    let Shape::Keypoints { keypoints } = e.doc().iter().nth(2).unwrap().shape.clone() else {
        panic!()
    };
    assert_eq!(keypoints.iter().filter(|k| k.at().is_some()).count(), 1);
    // A joint moves by itself; Alt and a click hide it.
    e.set_tool(Tool::Select);
    let second = e.doc().iter().nth(1).unwrap().id;
    e.select(second, false);
    drag(&mut e, (250.0, 216.0), (260.0, 230.0));
    click_with(&mut e, 260.0, 230.0, ALT);
    let Shape::Keypoints { keypoints } = e.doc().get(second).unwrap().shape.clone() else {
        panic!()
    };
    assert_eq!(
        keypoints[0],
        Keypoint::new(Point::new(260.0, 230.0), Visibility::Hidden)
    );
    undo_to_nothing_and_redo(&mut e, &Annotations::new());
}

#[test]
fn isolated_objects_show_alone_and_new_ones_with_them() {
    let list = vec![
        boxed(1, 1, Rect::new(10.0, 10.0, 50.0, 50.0), 0),
        boxed(2, 1, Rect::new(100.0, 10.0, 50.0, 50.0), 1),
    ];
    let mut e = workspace(Task::Detection, list, Tool::Box);
    let visible = |e: &Editor| e.doc().iter().filter(|a| e.layers().is_visible(a)).count();
    e.select(id(1), false);
    e.toggle_isolated();
    assert_eq!((visible(&e), e.layers().is_isolated()), (1, true));
    drag(&mut e, (200.0, 200.0), (260.0, 260.0));
    assert_eq!(visible(&e), 2);
    e.select_these(&[id(1), id(2)]);
    assert_eq!(e.selection().to_vec(), [id(1)], "what is hidden is not selected");
    e.toggle_isolated();
    assert_eq!(visible(&e), 3);
}

#[test]
fn two_fingers_set_no_point() {
    let touch = |id, x| Pointer {
        id,
        kind: PointerKind::Touch,
        at: Point::new(x, 300.0),
        ..Pointer::default()
    };
    let mut e = workspace(Task::Objects, vec![], Tool::Points);
    e.pointer_down(touch(1, 300.0));
    e.pointer_down(touch(2, 400.0));
    e.pointer_up(touch(2, 400.0));
    e.pointer_up(touch(1, 300.0));
    assert!(e.doc().is_empty());
    // One finger does.
    e.pointer_down(touch(1, 300.0));
    e.pointer_up(touch(1, 300.0));
    assert!(matches!(only(&e), Shape::Points { points } if points.len() == 1));
}

#[test]
fn what_reaches_beyond_the_image_is_copied_and_grows_as_it_is() {
    let rect = TurnedRect {
        cx: 10.0,
        cy: 100.0,
        w: 80.0,
        h: 40.0,
        angle: 30.0,
    };
    let mut e = workspace(
        Task::Objects,
        vec![with(Shape::RotatedBox { rect })],
        Tool::Select,
    );
    e.select(id(1), false);
    let list = e.copied();
    assert!(!e.paste(&list, true), "an equal one is there already");
    let mut other = workspace(Task::Objects, vec![], Tool::Select);
    assert!(other.paste(&list, true));
    assert_eq!(
        only(&other),
        Shape::RotatedBox { rect },
        "where it was, to the last digit"
    );
    // Its own sides grow; the corner that is top left before turning stays.
    assert!(e.grow(10.0, 0.0));
    let Shape::RotatedBox { rect: now } = only(&e) else {
        panic!()
    };
    assert_eq!((now.w, now.h, now.angle), (90.0, 40.0, 30.0));
    assert!(now.corners()[0].distance(rect.corners()[0]) < 1e-9);
    assert!(e.grow(1.0, 0.0) && e.grow(1.0, 0.0));
    e.undo();
    assert_eq!(only(&e), Shape::RotatedBox { rect }, "keys in a row are one step");
}

#[test]
fn a_point_and_a_level_line_are_copied_and_moved_by_numbers() {
    for points in [vec![[50.0, 60.0]], vec![[50.0, 60.0], [90.0, 60.0]]] {
        let shape = match points.len() {
            1 => Shape::Points { points },
            _ => Shape::Polyline { points },
        };
        let mut e = workspace(Task::Objects, vec![with(shape)], Tool::Select);
        let first = shown(e.doc());
        e.select(id(1), false);
        assert!(e.duplicate());
        assert_eq!(e.doc().len(), 2);
        let was = e.doc().bounds(id(1)).unwrap();
        assert!(e.set_rect(id(1), Rect { x: 70.0, ..was }));
        assert_eq!(e.doc().bounds(id(1)), Some(Rect { x: 70.0, ..was }));
        // Beyond the image it stays at its border, as large as it was.
        assert!(e.set_rect(id(1), Rect { x: 9_000.0, ..was }));
        assert_eq!(
            e.doc().bounds(id(1)).map(|r| (r.right(), r.w)),
            Some((640.0, was.w))
        );
        undo_to_nothing_and_redo(&mut e, &first);
    }
}

#[test]
fn locked_shapes_stay_whatever_is_typed_or_clicked_in_the_panel() {
    let mut e = workspace(
        Task::Objects,
        vec![boxed(1, 1, Rect::new(10.0, 10.0, 20.0, 20.0), 0)],
        Tool::Select,
    );
    e.select(id(1), false);
    e.toggle_locked(id(1));
    assert!(!e.set_rect(id(1), Rect::new(50.0, 10.0, 20.0, 20.0)));
    assert!(!e.delete(id(1)));
    e.toggle_locked(id(1));
    assert!(e.delete(id(1)));
}
