//! Drawing and editing outlines with the pointer and by keys.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{boxed, category, click, click_with, doc, drag, pointer, shown};
use limn_domain::polygon::{Part, area, contains};
use limn_domain::project::Task;
use limn_domain::{AnnotationId, Mask, Point, Rect, Shape, Size, Source};
use limn_editor::{Editor, History, Mods, Pointer, PointerKind, Tool};

/// A workspace in which screen and image pixels are the same.
fn editor(list: Vec<limn_domain::Annotation>) -> Editor {
    let mut e = Editor::new(doc(Task::Segmentation, list), History::default());
    e.resize_view(Size {
        width: 800.0,
        height: 600.0,
    });
    e.one_to_one();
    e.set_category(category(1));
    e.set_tool(Tool::Polygon);
    e
}

fn parts(e: &Editor, id: AnnotationId) -> Vec<Part> {
    match &e.doc().get(id).unwrap().shape {
        Shape::Polygon { parts } => parts.clone(),
        other => panic!("{other:?}"),
    }
}

fn square(e: &mut Editor, x: f64, y: f64, side: f64, first: Mods) -> Option<AnnotationId> {
    click_with(e, x, y, first);
    click(e, x + side, y);
    click(e, x + side, y + side);
    click(e, x, y + side);
    click(e, x, y);
    e.selection().single()
}

#[test]
fn clicks_make_an_outline_and_the_first_corner_closes_it() {
    let mut e = editor(vec![]);
    click(&mut e, 100.0, 100.0);
    click(&mut e, 200.0, 100.0);
    click(&mut e, 200.0, 180.0);
    assert_eq!(e.outline().unwrap().points.len(), 3);
    assert!(e.doc().is_empty(), "nothing is there before it is closed");
    click(&mut e, 100.0, 100.0);
    assert!(e.outline().is_none());
    let id = e.selection().single().unwrap();
    assert_eq!(
        parts(&e, id),
        vec![vec![vec![[100.0, 100.0], [200.0, 100.0], [200.0, 180.0]]]]
    );
    e.undo();
    assert!(e.doc().is_empty());
    e.redo();
    assert_eq!(parts(&e, id)[0][0].len(), 3);
}

#[test]
fn a_key_closes_and_backspace_or_undo_take_corners_back() {
    let mut e = editor(vec![]);
    for (x, y) in [
        (100.0, 100.0),
        (200.0, 100.0),
        (200.0, 200.0),
        (150.0, 260.0),
        (10.0, 10.0),
    ] {
        click(&mut e, x, y);
    }
    assert!(e.outline_back());
    assert!(
        e.undo().is_none(),
        "takes a corner back, not a step of the document"
    );
    assert_eq!(e.outline().unwrap().points.len(), 3);
    assert!(e.finish_outline());
    assert!((area(&parts(&e, e.selection().single().unwrap())) - 5_000.0).abs() < 1e-6);
    assert!(!e.finish_outline() && !e.outline_back(), "there is none");
    // Two corners are no outline: nothing is made.
    click(&mut e, 300.0, 300.0);
    click(&mut e, 350.0, 300.0);
    assert!(e.finish_outline());
    assert_eq!(e.doc().len(), 1);
    // Escape drops it.
    click(&mut e, 300.0, 300.0);
    assert!(e.escape());
    assert!(e.outline().is_none() && e.tool() == Tool::Polygon);
}

#[test]
fn an_outline_can_be_dragged_and_needs_no_more_corners_than_it_has() {
    let mut e = editor(vec![]);
    let p = |e: &Editor, x: f64, y: f64| pointer(e, x, y, Mods::default());
    let start = p(&e, 100.0, 100.0);
    e.pointer_move(start);
    e.pointer_down(start);
    let corners = [(300.0, 100.0), (300.0, 300.0), (100.0, 300.0), (100.0, 100.0)];
    let mut at = (100.0, 100.0);
    for to in corners {
        for i in 1..=40 {
            let t = f64::from(i) / 40.0;
            let q = p(&e, at.0 + (to.0 - at.0) * t, at.1 + (to.1 - at.1) * t);
            e.pointer_move(q);
        }
        at = to;
    }
    let end = p(&e, 100.0, 100.0);
    e.pointer_up(end);
    assert!(e.outline().is_none(), "back at its beginning it is closed");
    let parts = parts(&e, e.selection().single().unwrap());
    assert!((area(&parts) - 40_000.0).abs() < 500.0, "{}", area(&parts));
    assert!(parts[0][0].len() <= 12, "{:?}", parts[0][0]);
}

#[test]
fn shift_adds_and_alt_cuts() {
    let shift = Mods {
        shift: true,
        ..Mods::default()
    };
    let alt = Mods {
        alt: true,
        ..Mods::default()
    };
    let mut e = editor(vec![]);
    let id = square(&mut e, 100.0, 100.0, 200.0, Mods::default()).unwrap();
    // A hole.
    assert_eq!(square(&mut e, 150.0, 150.0, 50.0, alt), Some(id));
    assert_eq!(parts(&e, id)[0].len(), 2);
    assert!(!contains(&parts(&e, id), Point::new(170.0, 170.0)));
    // A part that lies apart, and one that overlaps.
    square(&mut e, 400.0, 100.0, 50.0, shift);
    assert_eq!(parts(&e, id).len(), 2);
    square(&mut e, 290.0, 100.0, 120.0, shift);
    assert_eq!(parts(&e, id).len(), 1, "they have grown together");
    // Cutting all of it removes it.
    square(&mut e, 50.0, 50.0, 420.0, alt);
    assert!(e.doc().is_empty());
    for _ in 0..5 {
        e.undo();
    }
    assert!(e.doc().is_empty());
    for _ in 0..4 {
        e.redo();
    }
    assert_eq!(parts(&e, id).len(), 1);
}

#[test]
fn corners_are_moved_added_and_removed() {
    let mut e = editor(vec![]);
    let id = square(&mut e, 100.0, 100.0, 100.0, Mods::default()).unwrap();
    e.set_tool(Tool::Select);
    drag(&mut e, (200.0, 200.0), (260.0, 240.0));
    assert!(parts(&e, id)[0][0].contains(&[260.0, 240.0]));
    // The middle of the upper side.
    drag(&mut e, (150.0, 100.0), (150.0, 60.0));
    assert_eq!(parts(&e, id)[0][0].len(), 5);
    assert!(parts(&e, id)[0][0].contains(&[150.0, 60.0]));
    let alt = Mods {
        alt: true,
        ..Mods::default()
    };
    click_with(&mut e, 150.0, 60.0, alt);
    assert_eq!(parts(&e, id)[0][0].len(), 4);
    // Moved as a whole, to the last digit.
    let before = parts(&e, id);
    drag(&mut e, (140.0, 150.0), (150.0, 170.0));
    let after = parts(&e, id);
    for (a, b) in before[0][0].iter().zip(&after[0][0]) {
        assert_eq!([a[0] + 10.0, a[1] + 20.0], *b);
    }
    assert_eq!(shown(e.doc()).len(), 1);
    // A corner pulled across the other side makes two parts, never a crossing.
    let corner = parts(&e, id)[0][0][0];
    drag(&mut e, (corner[0], corner[1]), (400.0, 180.0));
    assert!(limn_domain::polygon::mend(&parts(&e, id), e.doc().size()).is_ok_and(|(_, m)| !m.crossing));
    let mut n = 0;
    while e.undo().is_some() {
        n += 1;
    }
    assert_eq!(n, 6);
    assert!(e.doc().is_empty());
}

#[test]
fn objects_join_simplify_and_turn_into_pixels_and_back() {
    let mut e = editor(vec![]);
    let a = square(&mut e, 100.0, 100.0, 100.0, Mods::default()).unwrap();
    e.clear_selection();
    let b = square(&mut e, 150.0, 150.0, 100.0, Mods::default()).unwrap();
    assert_ne!(a, b);
    e.select(a, true);
    assert!(e.combine_selected(limn_domain::polygon::Combine::Union));
    assert_eq!(e.doc().len(), 1);
    let id = e.doc().iter().next().unwrap().id;
    e.select(id, false);
    assert!((area(&parts(&e, id)) - 17_500.0).abs() < 1e-6);
    assert!(e.convert_selected(0.0));
    let Shape::Mask { mask } = &e.doc().get(id).unwrap().shape else {
        panic!()
    };
    assert_eq!(mask.area(), 17_500);
    let pixels = mask.clone();
    // A mask moves by whole pixels.
    e.nudge(3.0, 0.0);
    assert_eq!(
        e.doc().get(id).unwrap().shape.bounds().unwrap(),
        Rect::new(103.0, 100.0, 150.0, 150.0)
    );
    e.undo();
    assert!(e.convert_selected(0.0));
    assert!((area(&parts(&e, id)) - 17_500.0).abs() < 1e-6);
    assert!(e.convert_selected(0.0));
    assert_eq!(e.doc().get(id).unwrap().shape, Shape::Mask { mask: pixels });
}

/// A disc of pixels, whose border has a corner at nearly every pixel.
fn disc() -> limn_domain::Annotation {
    let mask = Mask::stroke(
        &[Point::new(200.0, 200.0)],
        101,
        limn_domain::mask::Tip::Round,
        common::SIZE,
    );
    limn_domain::Annotation {
        shape: Shape::Mask { mask: mask.unwrap() },
        ..boxed(1, 1, Rect::default(), 0)
    }
}

#[test]
fn a_tolerance_says_how_far_an_outline_may_be_from_its_pixels() {
    let corners = |parts: &[Part]| parts.iter().flatten().map(Vec::len).sum::<usize>();
    let off = |of: &[Part], from: &[Part]| {
        let sides: Vec<(Point, Point)> = from
            .iter()
            .flatten()
            .flat_map(|r| (0..r.len()).map(move |i| (r[i], r[(i + 1) % r.len()])))
            .map(|(a, b)| (Point::new(a[0], a[1]), Point::new(b[0], b[1])))
            .collect();
        limn_domain::polygon::vertices(of)
            .map(|p| {
                let away = sides
                    .iter()
                    .map(|(a, b)| limn_domain::polygon::nearest_on(*a, *b, p).distance(p));
                away.fold(f64::INFINITY, f64::min)
            })
            .fold(0.0, f64::max)
    };
    let outline = |tolerance: f64| {
        let mut e = editor(vec![disc()]);
        e.select(common::id(1), false);
        assert!(e.convert_selected(tolerance));
        (parts(&e, common::id(1)), e)
    };
    let (exact, mut e) = outline(0.0);
    assert!(e.convert_selected(0.0));
    assert_eq!(
        e.doc().get(common::id(1)).unwrap().shape,
        disc().shape,
        "there and back"
    );
    let mut before = corners(&exact);
    for tolerance in [1.0, 3.0, 10.0] {
        let (rough, _) = outline(tolerance);
        assert!(
            corners(&rough) < before,
            "{tolerance}: {} < {before}",
            corners(&rough)
        );
        before = corners(&rough);
        assert!(off(&exact, &rough) <= tolerance + 1e-6, "{tolerance}");
    }
    // Simplify: the tolerance that is chosen, whatever the zoom.
    for zoomed in [false, true] {
        let (_, mut e) = outline(0.0);
        if zoomed {
            e.zoom_to_selection();
        }
        assert!(e.simplify_selected(Some(3.0)));
        assert_eq!(corners(&parts(&e, common::id(1))), corners(&outline(3.0).0));
    }
    // Without one it goes by the zoom, and at 0 nothing of an outline without straight corners goes.
    let (_, mut e) = outline(0.0);
    assert!(!e.simplify_selected(Some(0.0)));
    assert!(e.simplify_selected(None));
    let (far, mut e) = (corners(&parts(&e, common::id(1))), outline(0.0).1);
    for _ in 0..8 {
        e.zoom_step(true);
    }
    e.simplify_selected(None);
    assert!(corners(&parts(&e, common::id(1))) > far);
}

#[test]
fn copies_keep_their_shape() {
    let mut e = editor(vec![boxed(1, 1, Rect::new(0.0, 0.0, 10.0, 10.0), 0)]);
    let id = square(&mut e, 100.0, 100.0, 100.0, Mods::default()).unwrap();
    assert!(e.duplicate());
    let copy = e.selection().single().unwrap();
    assert_ne!(copy, id);
    assert_eq!(parts(&e, copy)[0][0].len(), 4);
    assert!((area(&parts(&e, copy)) - 10_000.0).abs() < 1e-9);
}

fn square_at(n: u8, x: f64) -> limn_domain::Annotation {
    let ring = vec![[x, 100.0], [x + 100.0, 100.0], [x + 100.0, 200.0], [x, 200.0]];
    limn_domain::Annotation {
        shape: Shape::Polygon {
            parts: vec![vec![ring]],
        },
        ..boxed(n, 1, Rect::default(), i64::from(n))
    }
}

fn parts_of(e: &Editor, id: AnnotationId) -> Vec<Part> {
    match &e.doc().get(id).unwrap().shape {
        Shape::Polygon { parts } => parts.clone(),
        other => panic!("{other:?}"),
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
    let ring = parts_of(&e, id)[0][0].clone();
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
    let ring = parts_of(&e, id)[0][0].clone();
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
    assert!(parts_of(&e, id)[0][0].contains(&[203.0, 98.0]));
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
    assert_eq!((area(&parts_of(&e, common::id(1))), e.doc().len()), (6_000.0, 2));
    let mut e = two();
    assert!(e.combine_selected(Combine::Intersect));
    assert_eq!((area(&parts_of(&e, common::id(1))), e.doc().len()), (4_000.0, 1));
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
    assert_eq!(
        area(&parts_of(&again, again.selection().single().unwrap())),
        5_600.0
    );
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
    let areas = |e: &Editor| [1, 2].map(|n| area(&parts_of(e, common::id(n))));
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
