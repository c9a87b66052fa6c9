//! Outlines beside others and masks: borders, cuts, slices; and what happens while one is drawn.

use super::*;

fn square_at(n: u8, x: f64) -> limn_domain::Annotation {
    let ring = vec![[x, 100.0], [x + 100.0, 100.0], [x + 100.0, 200.0], [x, 200.0]];
    limn_domain::Annotation {
        shape: Shape::Polygon {
            parts: vec![vec![ring]],
        },
        ..boxed(n, 1, Rect::default(), i64::from(n))
    }
}

#[test]
fn corners_snap_to_a_neighbour_and_follow_its_border() {
    let mut e = editor(vec![square_at(1, 100.0)]);
    // Beside the square: from near its top right corner around to near its bottom right one.
    for (x, y) in [(203.0, 98.0), (300.0, 150.0), (196.0, 203.0)] {
        click(&mut e, x, y);
    }
    assert!(e.finish_outline());
    let id = e.selection().single().unwrap();
    let ring = parts(&e, id)[0][0].clone();
    assert!(
        ring.contains(&[200.0, 100.0]) && ring.contains(&[200.0, 200.0]),
        "{ring:?}"
    );
    // Two places on the border, around a corner: the corner comes along, and there is no gap.
    e.clear_selection();
    for (x, y) in [
        (150.0, 102.0),
        (150.0, 20.0),
        (20.0, 20.0),
        (20.0, 150.0),
        (98.0, 150.0),
    ] {
        click(&mut e, x, y);
    }
    // Back to the beginning along the border.
    click(&mut e, 148.0, 99.0);
    e.finish_outline();
    let id = e.selection().single().unwrap();
    let ring = parts(&e, id)[0][0].clone();
    assert!(
        ring.contains(&[100.0, 100.0]) && ring.contains(&[100.0, 150.0]),
        "{ring:?}"
    );
    // Switched off, or with Alt, corners go where the pointer is.
    e.clear_selection();
    e.set_snaps_to_borders(false);
    for (x, y) in [(203.0, 98.0), (300.0, 90.0), (300.0, 50.0)] {
        click(&mut e, x, y);
    }
    e.finish_outline();
    let id = e.selection().single().unwrap();
    assert!(parts(&e, id)[0][0].contains(&[203.0, 98.0]));
}

#[test]
fn outlines_cut_each_other_and_have_things_in_common() {
    use limn_domain::polygon::Combine;
    let two = || {
        let mut e = editor(vec![square_at(1, 100.0), square_at(2, 160.0)]);
        e.set_tool(Tool::Select);
        e.select(common::id(1), false);
        e.select(common::id(2), true);
        e
    };
    let mut e = two();
    assert!(e.combine_selected(Combine::Subtract));
    assert_eq!((area(&parts(&e, common::id(1))), e.doc().len()), (6_000.0, 2));
    let mut e = two();
    assert!(e.combine_selected(Combine::Intersect));
    assert_eq!((area(&parts(&e, common::id(1))), e.doc().len()), (4_000.0, 1));
    // A mask and an outline: the result is of the kind of the first.
    let mut e = two();
    e.select(common::id(1), false);
    e.convert_selected(0.0);
    e.select(common::id(2), true);
    assert!(e.combine_selected(Combine::Union));
    let Shape::Mask { mask } = &e.doc().get(common::id(1)).unwrap().shape else {
        panic!()
    };
    assert_eq!(mask.area(), 16_000);
    // Nothing in common: nothing is lost.
    let mut e = editor(vec![square_at(1, 100.0), square_at(2, 400.0)]);
    e.select_all();
    assert!(!e.combine_selected(Combine::Intersect));
    assert_eq!(e.doc().len(), 2);
}

#[test]
fn a_slice_makes_two_objects_of_one() {
    for masked in [false, true] {
        let mut e = editor(vec![square_at(1, 100.0)]);
        let first = shown(e.doc());
        e.select(common::id(1), false);
        if masked {
            e.convert_selected(0.0);
        }
        e.set_tool(Tool::Slice);
        click(&mut e, 130.0, 80.0);
        click(&mut e, 130.0, 220.0);
        assert!(e.finish_outline());
        assert_eq!(e.doc().len(), 2);
        let sizes: Vec<f64> = e
            .doc()
            .iter()
            .map(|a| match &a.shape {
                Shape::Polygon { parts } => area(parts),
                Shape::Mask { mask } => mask.area() as f64,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(sizes, [7_000.0, 3_000.0]);
        common::undo_to_nothing_and_redo(&mut e, &first);
        // A line that misses slices nothing.
        e.select(common::id(1), false);
        click(&mut e, 500.0, 80.0);
        click(&mut e, 500.0, 220.0);
        e.finish_outline();
        assert_eq!(e.doc().len(), 2);
    }
}

#[test]
fn what_was_begun_goes_on_after_a_reload() {
    let mut e = editor(vec![]);
    for (x, y) in [(10.0, 10.0), (90.0, 10.0), (90.0, 80.0)] {
        click(&mut e, x, y);
    }
    let kept = serde_json::to_string(&e.begun().unwrap()).unwrap();
    let mut again = editor(vec![]);
    again.go_on(serde_json::from_str(&kept).unwrap());
    click(&mut again, 10.0, 80.0);
    assert!(again.finish_outline());
    assert_eq!(area(&parts(&again, again.selection().single().unwrap())), 5_600.0);
    assert!(again.begun().is_none());
    // Another image, or another task: dropped.
    let elsewhere = kept.replace("90.0", "9000.0");
    again.go_on(serde_json::from_str(&elsewhere).unwrap());
    assert!(again.outline().is_none());
    let mut boxes = common::workspace(Task::Detection, vec![], Tool::Box);
    boxes.go_on(serde_json::from_str(&kept).unwrap());
    assert!(boxes.outline().is_none());
}

#[test]
fn what_was_selected_first_is_what_the_others_are_cut_out_of() {
    use limn_domain::polygon::Combine;
    let mut e = editor(vec![square_at(1, 100.0), square_at(2, 160.0)]);
    // The newer one first.
    e.select(common::id(2), false);
    e.select(common::id(1), true);
    assert!(e.combine_selected(Combine::Subtract));
    let areas = |e: &Editor| [1, 2].map(|n| area(&parts(e, common::id(n))));
    assert_eq!(areas(&e), [10_000.0, 6_000.0]);
    e.undo();
    e.select(common::id(2), false);
    e.select(common::id(1), true);
    assert!(e.combine_selected(Combine::Union));
    assert_eq!(e.doc().iter().map(|a| a.id).collect::<Vec<_>>(), [common::id(2)]);
}

#[test]
fn outlines_add_to_masks_and_cut_out_of_them() {
    let (shift, alt) = (
        Mods {
            shift: true,
            ..Mods::default()
        },
        Mods {
            alt: true,
            ..Mods::default()
        },
    );
    let mut e = editor(vec![square_at(1, 100.0)]);
    e.select(common::id(1), false);
    e.convert_selected(0.0);
    let pixels = |e: &Editor| match &e.doc().get(common::id(1)).unwrap().shape {
        Shape::Mask { mask } => mask.area(),
        other => panic!("{other:?}"),
    };
    assert_eq!(square(&mut e, 150.0, 150.0, 50.0, alt), Some(common::id(1)));
    assert_eq!(pixels(&e), 7_500);
    square(&mut e, 300.0, 100.0, 50.0, shift);
    assert_eq!((pixels(&e), e.doc().len()), (10_000, 1));
    // All of it cut away: it is gone, and comes back.
    square(&mut e, 50.0, 50.0, 350.0, alt);
    assert!(e.doc().is_empty());
    e.undo();
    assert_eq!(pixels(&e), 10_000);
}

#[test]
fn joining_an_outline_thinner_than_a_pixel_keeps_the_mask() {
    use limn_domain::polygon::Combine;
    let thin = vec![vec![vec![[300.1, 100.1], [300.3, 100.1], [300.3, 100.3]]]];
    assert_eq!(Mask::from_polygon(&thin, common::SIZE), None);
    let mut other = square_at(2, 160.0);
    other.shape = Shape::Polygon { parts: thin };
    let mut e = editor(vec![square_at(1, 100.0), other]);
    e.select(common::id(1), false);
    e.convert_selected(0.0);
    e.select(common::id(2), true);
    assert!(!e.combine_selected(Combine::Subtract), "it changes no pixel");
    e.combine_selected(Combine::Union);
    let left: Vec<u64> = e
        .doc()
        .iter()
        .map(|a| match &a.shape {
            Shape::Mask { mask } => mask.area(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(left, [10_000]);
}

#[test]
fn two_fingers_leave_an_outline_as_it_was() {
    let touch = |id, x| Pointer {
        id,
        kind: PointerKind::Touch,
        at: Point::new(x, 300.0),
        ..Pointer::default()
    };
    let mut e = editor(vec![]);
    click(&mut e, 100.0, 100.0);
    click(&mut e, 200.0, 100.0);
    let before = e.outline().unwrap().points.clone();
    e.pointer_down(touch(1, 300.0));
    assert_eq!(e.outline().unwrap().points.len(), 3);
    e.pointer_down(touch(2, 400.0));
    for n in 1..=5 {
        e.pointer_move(touch(2, 400.0 + 20.0 * f64::from(n)));
    }
    e.pointer_up(touch(2, 500.0));
    e.pointer_up(touch(1, 300.0));
    assert!((e.view().scale() - 2.0).abs() < 1e-9);
    assert_eq!(e.outline().unwrap().points, before);
    // Nor does it go on by itself afterwards.
    e.pointer_move(pointer(&e, 250.0, 250.0, Mods::default()));
    e.pointer_move(pointer(&e, 150.0, 250.0, Mods::default()));
    assert_eq!(e.outline().unwrap().points, before);
}

#[test]
fn pieces_of_a_suggestion_are_labels() {
    let mut proposed = square_at(1, 100.0);
    proposed.source = Source::Prelabel;
    proposed.score = Some(0.4);
    let mut e = editor(vec![proposed]);
    e.select(common::id(1), false);
    e.set_tool(Tool::Slice);
    click(&mut e, 130.0, 80.0);
    click(&mut e, 130.0, 220.0);
    e.finish_outline();
    assert_eq!(e.doc().len(), 2);
    assert!(
        e.doc()
            .iter()
            .all(|a| a.source == Source::Human && a.score.is_none())
    );
}

#[test]
fn a_merge_while_something_is_drawn_loses_none_of_it() {
    let mut e = editor(vec![square_at(1, 100.0)]);
    e.select(common::id(1), false);
    let shift = Mods {
        shift: true,
        ..Mods::default()
    };
    click_with(&mut e, 300.0, 100.0, shift);
    click(&mut e, 350.0, 100.0);
    click(&mut e, 350.0, 150.0);
    // Meanwhile somebody else has deleted the object that it was to be added to, and drawn another.
    let theirs = common::server(4, vec![square_at(2, 420.0)]);
    let merge = e.doc().merge_with(&theirs);
    e.take_merge(theirs, merge);
    assert!(e.doc().contains(common::id(2)) && !e.doc().contains(common::id(1)));
    assert_eq!(e.outline().map(|o| o.points.len()), Some(3));
    assert!(e.finish_outline());
    assert_eq!(e.doc().len(), 2, "it became an object of its own");
    // A stroke goes on too.
    e.set_tool(Tool::Brush);
    e.clear_selection();
    e.pointer_down(pointer(&e, 500.0, 300.0, Mods::default()));
    let theirs = common::server(5, vec![square_at(2, 420.0), square_at(3, 200.0)]);
    let merge = e.doc().merge_with(&theirs);
    e.take_merge(theirs, merge);
    e.pointer_move(pointer(&e, 540.0, 300.0, Mods::default()));
    e.pointer_up(pointer(&e, 540.0, 300.0, Mods::default()));
    let masks = e
        .doc()
        .iter()
        .filter_map(|a| match &a.shape {
            Shape::Mask { mask } => Some(mask.width),
            _ => None,
        })
        .collect::<Vec<_>>();
    assert_eq!(masks.len(), 1);
    assert!(masks[0] > 40, "all of its way is painted");
}
