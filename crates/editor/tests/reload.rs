//! A reload in the middle of a stroke or a proposal loses nothing of it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{click, pointer, workspace};
use limn_domain::mask::Tip;
use limn_domain::project::Task;
use limn_domain::smart::{Answer, Ask};
use limn_domain::{Annotation, Mask, Shape};
use limn_editor::{Begun, Brush, Editor, Mods, Tool};

fn painter(shapes: Vec<Annotation>, tool: Tool) -> Editor {
    let mut e = workspace(Task::Segmentation, shapes, tool);
    e.set_brush(Brush {
        size: 9,
        tip: Tip::Round,
        takes: false,
    });
    e
}

/// Presses and moves, without letting go.
fn stroke(e: &mut Editor, way: &[(f64, f64)]) {
    let at = |e: &Editor, (x, y): (f64, f64)| pointer(e, x, y, Mods::default());
    e.pointer_down(at(e, way[0]));
    for to in &way[1..] {
        e.pointer_move(at(e, *to));
    }
}

fn reloaded(e: &Editor, into: &mut Editor) {
    let kept = serde_json::to_string(&e.begun().unwrap()).unwrap();
    into.go_on(serde_json::from_str(&kept).unwrap());
}

const WAY: [(f64, f64); 4] = [(20.0, 20.0), (60.0, 25.0), (70.0, 60.0), (30.0, 66.0)];

#[test]
fn a_stroke_is_painted_as_far_as_it_came_and_undone_in_one_step() {
    let mut e = painter(vec![], Tool::Brush);
    stroke(&mut e, &WAY);
    assert!(e.progress() >= WAY.len());
    let mut again = painter(vec![], Tool::Select);
    reloaded(&e, &mut again);
    let (x, y) = WAY[3];
    e.pointer_up(pointer(&e, x, y, Mods::default()));
    let shape = |e: &Editor| e.doc().iter().next().map(|a| a.shape.clone());
    assert_eq!(shape(&again), shape(&e));
    assert!(matches!(shape(&again), Some(Shape::Mask { .. })));
    assert_eq!(
        (again.begun(), again.progress(), again.tool()),
        (None, 0, Tool::Brush)
    );
    again.undo();
    assert_eq!(again.doc().len(), 0);
}

#[test]
fn an_eraser_s_stroke_takes_from_its_object_again() {
    let block = Mask::from_pixels(10, 10, 80, 80, &[1; 6400]).unwrap();
    let mask = Annotation {
        shape: Shape::Mask { mask: block },
        ..common::boxed(1, 1, limn_domain::Rect::default(), 1)
    };
    let mut e = painter(vec![mask.clone()], Tool::Eraser);
    stroke(&mut e, &WAY);
    let mut again = painter(vec![mask.clone()], Tool::Select);
    reloaded(&e, &mut again);
    let area = |e: &Editor| match &e.doc().iter().next().unwrap().shape {
        Shape::Mask { mask } => mask.area(),
        other => panic!("{other:?}"),
    };
    assert!(area(&again) < 6400, "{}", area(&again));
    // One whose object is gone, or that comes from elsewhere, paints nothing.
    let mut empty = painter(vec![], Tool::Select);
    let begun = Begun::Stroke {
        points: vec![limn_domain::Point::new(f64::NAN, 1.0)],
        brush: Brush::default(),
        erase: false,
        target: None,
    };
    empty.go_on(begun);
    let gone = Begun::Stroke {
        points: vec![limn_domain::Point::new(5.0, 5.0)],
        brush: Brush::default(),
        erase: false,
        target: Some(mask.id),
    };
    empty.go_on(gone);
    assert_eq!(empty.doc().len(), 0);
}

#[test]
fn a_proposal_is_asked_for_again_with_all_it_was_told() {
    let mut e = painter(vec![], Tool::Wand);
    click(&mut e, 40.0, 40.0);
    click(&mut e, 60.0, 40.0);
    e.set_smart_settings(limn_editor::SmartSettings {
        tolerance: 33.0,
        ..e.smart_settings()
    });
    let mut again = painter(vec![], Tool::Select);
    reloaded(&e, &mut again);
    let (serial, ask) = again.ask().unwrap();
    assert_eq!(ask, e.ask().unwrap().1);
    assert!(
        matches!(&ask, Ask::Wand { scribbles, tolerance, .. } if scribbles.len() == 2 && *tolerance == 33.0)
    );
    let mask = Mask::from_pixels(30, 30, 20, 20, &[1; 400]);
    again.take_answer(serial, &ask, Answer::Region { mask, hover: None });
    again.settle_smart();
    assert_eq!(again.doc().len(), 1);
}

#[test]
fn the_corners_of_the_scissors_stay() {
    let mut e = painter(vec![], Tool::Scissors);
    for (x, y) in [(10.0, 10.0), (80.0, 12.0), (70.0, 70.0)] {
        click(&mut e, x, y);
    }
    let mut again = painter(vec![], Tool::Select);
    reloaded(&e, &mut again);
    assert_eq!(again.tool(), Tool::Scissors);
    let Some((_, Ask::Wire { legs })) = again.ask() else {
        panic!("{:?}", again.ask())
    };
    assert_eq!(legs.len(), 3, "two ways and the one that closes it");
    // Not in a project of boxes.
    let mut boxes = workspace(Task::Detection, vec![], Tool::Box);
    reloaded(&e, &mut boxes);
    assert_eq!((boxes.begun(), boxes.tool()), (None, Tool::Box));
}
