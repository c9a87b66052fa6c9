//! The pointer that keys move.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{boxed, id, workspace};
use limn_domain::project::Task;
use limn_domain::{Point, Rect, Shape};
use limn_editor::{Editor, Mods, Tool};

const NONE: Mods = Mods {
    ctrl: false,
    shift: false,
    alt: false,
};
const ALT: Mods = Mods { alt: true, ..NONE };
const SHIFT: Mods = Mods { shift: true, ..NONE };

/// Shown in the middle of the view, which is that of the image: (320, 240).
fn aiming(task: Task, tool: Tool) -> Editor {
    let mut e = workspace(task, vec![], tool);
    e.toggle_aim();
    e
}

fn steps(e: &mut Editor, n: usize, dx: f64, dy: f64) {
    for _ in 0..n {
        assert!(e.move_aim(dx, dy, false));
    }
}

fn only(e: &Editor) -> Shape {
    assert_eq!(e.doc().len(), 1);
    e.doc().iter().next().unwrap().shape.clone()
}

fn rect(e: &Editor) -> Rect {
    only(e).bounds().unwrap()
}

#[test]
fn held_down_it_draws_what_a_mouse_draws() {
    for (mods, want) in [
        (NONE, Rect::new(320.0, 240.0, 100.0, 50.0)),
        (SHIFT, Rect::new(320.0, 240.0, 100.0, 100.0)),
        (ALT, Rect::new(220.0, 190.0, 200.0, 100.0)),
    ] {
        let mut e = aiming(Task::Detection, Tool::Box);
        assert!(e.press_aim(mods));
        assert!(e.aim().unwrap().is_pressed());
        steps(&mut e, 10, 10.0, 0.0);
        steps(&mut e, 50, 0.0, 1.0);
        assert!(e.doc().is_empty(), "nothing is there before it is let go");
        assert!(e.press_aim(NONE));
        assert!(!e.aim().unwrap().is_pressed());
        assert_eq!(rect(&e), want);
        e.undo();
        assert!(e.doc().is_empty(), "one step");
    }
    let mut e = aiming(Task::Objects, Tool::Ellipse);
    e.press_aim(NONE);
    steps(&mut e, 5, 10.0, 10.0);
    e.press_aim(NONE);
    assert!(matches!(only(&e), Shape::Ellipse { .. }));
}

#[test]
fn clicks_set_corners() {
    let mut e = aiming(Task::Detection, Tool::Box);
    e.click_aim(NONE);
    steps(&mut e, 4, 10.0, 10.0);
    e.click_aim(NONE);
    assert_eq!(rect(&e), Rect::new(320.0, 240.0, 40.0, 40.0));

    let mut e = aiming(Task::Segmentation, Tool::Polygon);
    e.click_aim(NONE);
    steps(&mut e, 8, 10.0, 0.0);
    e.click_aim(NONE);
    steps(&mut e, 6, 0.0, 10.0);
    e.click_aim(NONE);
    assert_eq!(e.outline().unwrap().points.len(), 3);
    steps(&mut e, 8, -10.0, 0.0);
    steps(&mut e, 6, 0.0, -10.0);
    // On the first corner: closed.
    e.click_aim(NONE);
    assert!(e.outline().is_none());
    assert_eq!(rect(&e), Rect::new(320.0, 240.0, 80.0, 60.0));
}

#[test]
fn the_brush_paints_and_with_alt_erases() {
    let mut e = aiming(Task::Segmentation, Tool::Brush);
    let area = |e: &Editor| match only(e) {
        Shape::Mask { mask } => mask.area(),
        other => panic!("{other:?}"),
    };
    e.click_aim(NONE);
    let dot = area(&e);
    e.press_aim(NONE);
    steps(&mut e, 6, 10.0, 0.0);
    e.press_aim(NONE);
    let stroke = area(&e);
    assert!(stroke > dot, "{stroke} > {dot}");
    e.press_aim(ALT);
    steps(&mut e, 2, -10.0, 0.0);
    e.press_aim(NONE);
    assert!(area(&e) < stroke);
}

#[test]
fn objects_are_picked_dragged_and_framed() {
    let list = vec![
        boxed(1, 1, Rect::new(300.0, 220.0, 40.0, 40.0), 0),
        boxed(2, 1, Rect::new(400.0, 220.0, 40.0, 40.0), 1),
    ];
    let mut e = workspace(Task::Detection, list, Tool::Select);
    e.toggle_aim();
    assert_eq!(e.under_aim(), Some((id(1), false)));
    e.click_aim(NONE);
    assert_eq!(e.selection().single(), Some(id(1)));
    e.press_aim(NONE);
    steps(&mut e, 3, 0.0, 10.0);
    e.press_aim(NONE);
    assert_eq!(e.doc().bounds(id(1)), Some(Rect::new(300.0, 250.0, 40.0, 40.0)));
    // From its middle to a corner, which is a grip now.
    steps(&mut e, 20, 1.0, 1.0);
    assert_eq!(e.under_aim(), Some((id(1), true)));
    e.press_aim(NONE);
    steps(&mut e, 1, 10.0, 10.0);
    e.press_aim(NONE);
    assert_eq!(e.doc().bounds(id(1)), Some(Rect::new(300.0, 250.0, 50.0, 50.0)));
    // A frame around both, from where nothing is.
    steps(&mut e, 20, -10.0, 0.0);
    steps(&mut e, 15, 0.0, -10.0);
    assert_eq!(e.under_aim(), None);
    e.press_aim(NONE);
    steps(&mut e, 40, 10.0, 0.0);
    steps(&mut e, 20, 0.0, 10.0);
    e.press_aim(NONE);
    assert_eq!(e.selection().len(), 2);
    // Shown anew it is in the middle of what is selected: (300, 220) to (440, 300).
    e.hide_aim();
    e.toggle_aim();
    assert!(e.pointer().unwrap().distance(Point::new(370.0, 260.0)) < 1e-6);
}

#[test]
fn the_view_goes_along_and_a_drag_at_its_edge_is_no_click() {
    let mut e = aiming(Task::Detection, Tool::Box);
    let on_image = e.pointer().unwrap();
    for _ in 0..10 {
        e.zoom_step(true);
    }
    let scale = e.view().scale();
    assert!(e.pointer().unwrap().distance(on_image) < 1e-6, "zoomed about it");
    e.press_aim(NONE);
    steps(&mut e, 200, 10.0, 0.0);
    steps(&mut e, 40, 0.0, 10.0);
    let at = e.aim().unwrap().at;
    assert!((0.0..=800.0).contains(&at.x) && at.x > 700.0, "{at:?}");
    e.press_aim(NONE);
    let drawn = rect(&e);
    assert!(
        (drawn.w - 2000.0 / scale).abs() <= 1.0 && drawn.w * scale > 800.0,
        "{drawn:?}"
    );
    e.undo();
    // At its edge both ways: only the view moves under the pointer.
    let before = e.aim().unwrap().at;
    e.press_aim(NONE);
    steps(&mut e, 5, 10.0, 10.0);
    assert!(e.aim().unwrap().at.distance(before) < 1e-6);
    e.press_aim(NONE);
    assert!((rect(&e).w - 50.0 / scale).abs() <= 1.0);
}

#[test]
fn at_the_edge_of_the_image_only_the_pointer_goes_on() {
    let mut e = aiming(Task::Detection, Tool::Select);
    e.fit();
    let before = e.view().offset();
    steps(&mut e, 100, -10.0, -10.0);
    assert_eq!(e.view().offset(), before);
    assert_eq!(e.aim().unwrap().at, Point::default());
}

#[test]
fn escape_ends_what_is_drawn_then_the_pointer_then_the_selection() {
    let list = vec![boxed(1, 1, Rect::new(300.0, 220.0, 40.0, 40.0), 0)];
    let mut e = workspace(Task::Detection, list, Tool::Box);
    e.select(id(1), false);
    e.toggle_aim();
    e.press_aim(NONE);
    steps(&mut e, 5, 10.0, 10.0);
    assert!(e.escape());
    assert!(!e.is_busy() && !e.aim().unwrap().is_pressed());
    assert_eq!(e.doc().len(), 1);
    assert!(e.escape());
    assert!(e.aim().is_none() && e.pointer().is_none());
    assert_eq!(e.selection().single(), Some(id(1)));
    assert!(!e.move_aim(1.0, 0.0, false) && !e.click_aim(NONE) && !e.press_aim(NONE));
    // Arrows move the object again.
    assert!(e.nudge(1.0, 0.0));
    assert!(e.escape());
    assert!(e.selection().is_empty());
}

#[test]
fn taken_away_by_a_mouse_it_lets_go_and_it_goes_from_item_to_item() {
    let mut e = aiming(Task::Detection, Tool::Box);
    e.press_aim(NONE);
    steps(&mut e, 5, 10.0, 10.0);
    // The mouse rests elsewhere: that it leaves says nothing.
    e.pointer_leave();
    assert!(e.pointer().is_some());
    let mut next = workspace(Task::Detection, vec![], Tool::Select);
    next.carry_over(&e);
    assert!(!next.aim().unwrap().is_pressed());
    assert!(e.hide_aim() && !e.hide_aim());
    assert_eq!(rect(&e), Rect::new(320.0, 240.0, 50.0, 50.0));
    assert!(e.pointer().is_none());
    // What another pointer drags is not disturbed.
    let p = common::pointer(&e, 10.0, 10.0, NONE);
    e.pointer_down(p);
    e.toggle_aim();
    assert!(e.aim().is_none());
}
