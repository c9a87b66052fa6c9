//! Drawing and editing outlines with the pointer and by keys.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../common.rs"]
mod common;
mod several;

use common::{boxed, category, click, click_with, doc, drag, pointer, shown};
use limn_domain::polygon::{Part, area, contains};
use limn_domain::project::Task;
use limn_domain::{AnnotationId, Mask, Point, Rect, Shape, Size, Source};
use limn_editor::hit::Shown;
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
fn of_very_many_corners_only_those_that_show_are_taken_hold_of() {
    let ring: Vec<[f64; 2]> = (0..1_000)
        .map(|i| {
            let a = std::f64::consts::TAU * f64::from(i) / 1_000.0;
            [320.0 + 200.0 * a.cos(), 240.0 + 200.0 * a.sin()]
        })
        .collect();
    let parts_of_it = vec![vec![ring.clone()]];
    let shape = Shape::Polygon { parts: parts_of_it };
    let a = limn_domain::Annotation {
        shape: shape.clone(),
        ..boxed(1, 1, Rect::default(), 0)
    };
    let id = a.id;
    let mut e = editor(vec![a]);
    e.set_tool(Tool::Select);
    e.select(id, false);
    let pull = |e: &mut Editor| {
        let finger = |e: &Editor, x| Pointer {
            id: 1,
            kind: PointerKind::Touch,
            ..pointer(e, x, 240.0, Mods::default())
        };
        let (from, to) = (finger(e, 520.0), finger(e, 530.0));
        e.pointer_down(from);
        e.pointer_move(to);
        e.pointer_up(to);
    };
    // A finger comes where none shows: all of it moves.
    assert_eq!(e.grips_shown(&shape), Shown::Nothing);
    pull(&mut e);
    assert!((parts(&e, id)[0][0][500][0] - 130.0).abs() < 1e-6);
    e.undo();
    // They show where it was lifted, and there it takes hold of one.
    pull(&mut e);
    let now = parts(&e, id);
    assert_eq!((now[0][0][0], now[0][0][500]), ([530.0, 240.0], ring[500]));
    e.undo();
    // With a mouse those around it.
    let p = pointer(&e, 120.0, 240.0, Mods::default());
    e.pointer_move(p);
    let near = e.grips_shown(&shape);
    let shows = |n: usize| near.has(Point::new(ring[n][0], ring[n][1]));
    assert!(shows(500) && shows(510) && !shows(0) && !shows(250));
    assert!(e.hover_corner().is_some_and(|(_, c)| c.at == 500));
    // Closer in, where they can be told apart, all of them.
    e.look_at(Point::new(520.0, 240.0));
    for _ in 0..10 {
        e.zoom_step(true);
    }
    assert_eq!(e.grips_shown(&shape), Shown::All);
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
