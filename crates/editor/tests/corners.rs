//! Masks edited by the corners of their border.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{SIZE, boxed, click_with, drag, id, workspace};
use limn_domain::mask::Tip;
use limn_domain::polygon::Part;
use limn_domain::project::Task;
use limn_domain::{Annotation, Mask, Point, Rect, Shape};
use limn_editor::{Action, Editor, Keymap, Mods, Tool};

fn with(mask: Mask) -> Annotation {
    Annotation {
        shape: Shape::Mask { mask },
        ..boxed(1, 1, Rect::default(), 0)
    }
}

fn pixels(parts: &[Part]) -> Mask {
    Mask::from_polygon(parts, SIZE).unwrap()
}

fn ring(corners: &[[f64; 2]]) -> Mask {
    pixels(&[vec![corners.to_vec()]])
}

fn square() -> Mask {
    ring(&[[100.0, 100.0], [200.0, 100.0], [200.0, 200.0], [100.0, 200.0]])
}

/// Corners simplified by `tolerance` of the selected mask are its grips.
fn editing(mask: Mask, tolerance: f64) -> Editor {
    let mut e = workspace(Task::Segmentation, vec![with(mask)], Tool::Polygon);
    e.select(id(1), false);
    assert!(!e.edits_corners());
    assert!(e.toggle_corners(Some(tolerance)));
    assert!(e.edits_corners());
    e
}

fn mask(e: &Editor) -> Mask {
    match &e.doc().get(id(1)).unwrap().shape {
        Shape::Mask { mask } => mask.clone(),
        other => panic!("{other:?}"),
    }
}

fn corners(e: &Editor) -> Vec<[f64; 2]> {
    match e.grip_shape(e.doc().get(id(1)).unwrap()).into_owned() {
        Shape::Polygon { parts } => parts.into_iter().flatten().flatten().collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_corner_is_dragged_pulled_out_and_removed_and_the_mask_stays_one() {
    let mut e = editing(square(), 0.0);
    assert_eq!(e.tool(), Tool::Select);
    assert_eq!(corners(&e).len(), 4);
    drag(&mut e, (200.0, 200.0), (230.0, 220.0));
    let dragged = ring(&[[100.0, 100.0], [200.0, 100.0], [230.0, 220.0], [100.0, 200.0]]);
    assert_eq!(mask(&e), dragged, "the pixels that COCO gives the polygon");
    assert!(corners(&e).contains(&[230.0, 220.0]));
    // The middle of a side makes a corner.
    drag(&mut e, (150.0, 100.0), (150.0, 60.0));
    assert_eq!(corners(&e).len(), 5);
    let pulled = [
        [100.0, 100.0],
        [150.0, 60.0],
        [200.0, 100.0],
        [230.0, 220.0],
        [100.0, 200.0],
    ];
    assert_eq!(mask(&e), ring(&pulled));
    let alt = Mods {
        alt: true,
        ..Mods::default()
    };
    click_with(&mut e, 150.0, 60.0, alt);
    assert_eq!(mask(&e), dragged);
    // Each is one step, and the corners follow.
    e.undo();
    assert_eq!(mask(&e), ring(&pulled));
    e.undo();
    assert_eq!(mask(&e), dragged);
    e.undo();
    assert_eq!(mask(&e), square());
    assert!(e.edits_corners());
    let mut four = corners(&e);
    four.sort_by(|a, b| a.partial_cmp(b).unwrap());
    assert_eq!(
        four,
        [[100.0, 100.0], [100.0, 200.0], [200.0, 100.0], [200.0, 200.0]]
    );
    // Moved by keys it is taken hold of where it is.
    assert!(e.nudge(5.0, 0.0));
    assert!(corners(&e).contains(&[105.0, 100.0]));
}

#[test]
fn pixels_change_only_where_the_border_went() {
    let disc = Mask::stroke(&[Point::new(200.0, 200.0)], 101, Tip::Round, SIZE).unwrap();
    let mut e = editing(disc.clone(), 3.0);
    let all = corners(&e);
    assert!((6..40).contains(&all.len()), "{}", all.len());
    let most = |a: &&[f64; 2], b: &&[f64; 2]| a[0].total_cmp(&b[0]);
    let right = *all.iter().max_by(most).unwrap();
    // What is pulled out is there whole: no pixel of the border that was is missing between it and the rest.
    drag(&mut e, (right[0], right[1]), (right[0] + 40.0, right[1]));
    let now = mask(&e);
    let taken = disc.subtract(&now).map_or(0, |m| m.area());
    assert!(taken <= 30, "where it is pulled out nothing is taken: {taken}");
    let new = now.subtract(&disc).unwrap();
    assert!(new.contains(Point::new(right[0] + 20.0, right[1])));
    assert!(
        new.window().x > 200.0,
        "the other half stays to the pixel: {:?}",
        new.window()
    );
    assert_eq!(now.to_polygon().len(), 1);
    assert_eq!(now.to_polygon()[0].len(), 1, "no pinholes");
    e.undo();
    assert_eq!(mask(&e), disc);
    // Pushed in, nothing of the round border is left standing in front of it.
    drag(&mut e, (right[0], right[1]), (right[0] - 30.0, right[1]));
    let now = mask(&e);
    let added = now.subtract(&disc).map_or(0, |m| m.area());
    assert!(added <= 30, "where it is pushed in nothing is added: {added}");
    let gone = |d: i32| !now.contains(Point::new(right[0] - 0.5 - f64::from(d), right[1]));
    assert!((0..25).all(gone));
    assert!(disc.subtract(&now).unwrap().window().x > 200.0);
    assert_eq!(now.to_polygon().len(), 1, "no specks");
}

#[test]
fn one_mask_that_may_be_changed_is_taken_hold_of_until_escape() {
    let mut e = workspace(Task::Segmentation, vec![with(square())], Tool::Select);
    assert!(!e.toggle_corners(None), "none is selected");
    e.select(id(1), false);
    e.toggle_locked(id(1));
    assert!(!e.toggle_corners(None), "locked");
    e.toggle_locked(id(1));
    // Not taken hold of: the same drag moves it.
    drag(&mut e, (200.0 - 2.0, 150.0), (208.0, 150.0));
    assert_eq!(mask(&e).window(), Rect::new(110.0, 100.0, 100.0, 100.0));
    e.undo();
    assert!(e.toggle_corners(None) && e.edits_corners());
    assert!(e.escape() && !e.edits_corners());
    assert_eq!(
        e.selection().single(),
        Some(id(1)),
        "the selection is left by the next one"
    );
    assert!(e.toggle_corners(None) && e.toggle_corners(None) && !e.edits_corners());
    // Turned into an outline, its corners are its own.
    assert!(e.toggle_corners(None) && e.convert_selected(0.0));
    assert!(!e.edits_corners());
    let map = Keymap::default();
    let shift = Mods {
        shift: true,
        ..Mods::default()
    };
    assert_eq!(map.action("KeyV", "V", shift, false), Some(Action::EditCorners));
    assert_eq!(map.action("KeyV", "V", shift, true), Some(Action::SelectTool));
    assert!(!Action::EditCorners.is_for(Task::Semantic));
}

#[test]
fn dragged_to_nothing_it_stays() {
    let thin = ring(&[[100.0, 100.0], [110.0, 100.0], [100.0, 110.0]]);
    let mut e = editing(thin.clone(), 2.0);
    let three = corners(&e);
    // Every corner onto the first.
    for c in &three[1..] {
        drag(&mut e, (c[0], c[1]), (three[0][0], three[0][1]));
    }
    assert!(mask(&e).area() > 0);
    while e.undo().is_some() {}
    assert_eq!(mask(&e), thin);
}
