//! Painting and erasing.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{
    boxed, category, click, click_with, drag, id, pointer, server, shown, undo_to_nothing_and_redo, workspace,
};
use limn_domain::mask::Tip;
use limn_domain::polygon::{area, vertices};
use limn_domain::project::Task;
use limn_domain::{Annotation, AnnotationId, Mask, Point, Rect, Shape, Source};
use limn_editor::{Brush, Button, Editor, Kind, Mods, Pointer, PointerKind, Tool};

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

fn square(size: u32) -> Brush {
    Brush {
        size,
        tip: Tip::Square,
        takes: false,
    }
}

fn mask_of(e: &Editor, n: usize) -> Mask {
    match &e.doc().iter().nth(n).unwrap().shape {
        Shape::Mask { mask } => mask.clone(),
        other => panic!("{other:?}"),
    }
}

/// A mask of all pixels in a box.
fn block(n: u8, c: u8, r: [u32; 4]) -> Annotation {
    let [x, y, w, h] = r;
    let mask = Mask::from_pixels(x, y, w, h, &vec![1; (w * h) as usize]).unwrap();
    Annotation {
        shape: Shape::Mask { mask },
        ..boxed(n, c, Rect::default(), i64::from(n))
    }
}

#[test]
fn strokes_add_to_one_object_and_each_is_one_step() {
    let mut e = workspace(Task::Segmentation, vec![], Tool::Brush);
    e.set_brush(square(10));
    drag(&mut e, (100.0, 100.0), (150.0, 100.0));
    assert_eq!(mask_of(&e, 0).window(), Rect::new(95.0, 95.0, 60.0, 10.0));
    drag(&mut e, (150.0, 100.0), (150.0, 140.0));
    assert_eq!(e.doc().len(), 1);
    assert_eq!(mask_of(&e, 0).area(), 60 * 10 + 10 * 40);
    assert_eq!(e.history().can_undo(), Some(Kind::Paint));
    e.undo();
    assert_eq!(mask_of(&e, 0).area(), 600);
    e.redo();
    // Shift begins another object, and so does another category.
    click_with(&mut e, 300.0, 300.0, SHIFT);
    assert_eq!(e.doc().len(), 2);
    e.pick_category(category(2), false);
    click(&mut e, 400.0, 300.0);
    assert_eq!(e.doc().len(), 3);
    assert_eq!(e.doc().iter().nth(2).unwrap().category_id, category(2));
    undo_to_nothing_and_redo(&mut e, &limn_editor::Annotations::new());
}

#[test]
fn the_eraser_takes_from_the_selected_object_or_from_all() {
    let list = vec![block(1, 1, [100, 100, 50, 50]), block(2, 2, [140, 100, 50, 50])];
    let mut e = workspace(Task::Segmentation, list.clone(), Tool::Eraser);
    e.set_brush(square(10));
    let first = shown(e.doc());
    e.select(id(1), false);
    drag(&mut e, (145.0, 90.0), (145.0, 170.0));
    assert_eq!((mask_of(&e, 0).area(), mask_of(&e, 1).area()), (2500 - 500, 2500));
    e.clear_selection();
    drag(&mut e, (145.0, 90.0), (145.0, 170.0));
    assert_eq!((mask_of(&e, 0).area(), mask_of(&e, 1).area()), (2000, 2000));
    // Of an object that is wiped out nothing is left.
    e.set_brush(square(200));
    click(&mut e, 120.0, 120.0);
    assert_eq!(e.doc().len(), 0);
    undo_to_nothing_and_redo(&mut e, &first);
    // Alt turns the brush into an eraser; a locked object stays.
    let mut e = workspace(Task::Segmentation, list, Tool::Brush);
    e.select(id(1), false);
    e.toggle_locked_selected();
    e.clear_selection();
    e.set_brush(square(200));
    click_with(&mut e, 150.0, 120.0, ALT);
    assert_eq!(e.doc().iter().map(|a| a.id).collect::<Vec<_>>(), [id(1)]);
}

#[test]
fn a_polygon_stays_one_and_keeps_its_other_corners() {
    let ring = vec![[100.0, 100.0], [200.0, 100.0], [200.0, 200.0], [100.0, 200.0]];
    let a = Annotation {
        shape: Shape::Polygon {
            parts: vec![vec![ring.clone()]],
        },
        ..boxed(1, 1, Rect::default(), 0)
    };
    let mut e = workspace(Task::Segmentation, vec![a], Tool::Brush);
    e.set_brush(Brush {
        size: 20,
        ..Brush::default()
    });
    let first = shown(e.doc());
    e.select(id(1), false);
    drag(&mut e, (195.0, 150.0), (230.0, 150.0));
    let parts = |e: &Editor| match &e.doc().get(id(1)).unwrap().shape {
        Shape::Polygon { parts } => parts.clone(),
        other => panic!("{other:?}"),
    };
    let grown = parts(&e);
    // Beside the square: a strip of 30 x 20 and half a disc.
    let more = 30.0 * 20.0 + std::f64::consts::PI * 50.0;
    assert!((area(&grown) - 10_000.0 - more).abs() < 12.0, "{}", area(&grown));
    for corner in &ring {
        assert!(
            vertices(&grown).any(|p| [p.x, p.y] == *corner),
            "{corner:?} moved"
        );
    }
    e.set_tool(Tool::Eraser);
    click(&mut e, 150.0, 150.0);
    let holed = parts(&e);
    assert_eq!(holed[0].len(), 2, "a hole");
    undo_to_nothing_and_redo(&mut e, &first);
}

#[test]
fn semantic_pixels_have_one_category() {
    let list = vec![
        block(1, 1, [0, 0, 100, 100]),
        block(2, 2, [100, 0, 100, 100]),
        block(3, 3, [200, 0, 100, 100]),
    ];
    let mut e = workspace(Task::Semantic, list, Tool::Brush);
    let first = shown(e.doc());
    e.set_brush(square(40));
    e.set_category(category(1));
    drag(&mut e, (90.0, 50.0), (260.0, 50.0));
    assert_eq!(e.doc().len(), 3, "it goes to the category's mask");
    let areas = |e: &Editor| {
        (0..e.doc().len())
            .map(|n| mask_of(e, n).area())
            .collect::<Vec<_>>()
    };
    // 40 rows of what was painted go from the others to the first.
    assert_eq!(
        areas(&e),
        [10_000 + 180 * 40, 10_000 - 100 * 40, 10_000 - 80 * 40]
    );
    let all = (0..3).map(|n| mask_of(&e, n)).collect::<Vec<_>>();
    assert!(all[0].intersect(&all[1]).is_none() && all[0].intersect(&all[2]).is_none());
    assert!(e.selection().is_empty());
    // A locked category keeps its pixels.
    e.select(id(2), false);
    e.toggle_locked_selected();
    e.clear_selection();
    e.set_category(category(3));
    drag(&mut e, (90.0, 90.0), (260.0, 90.0));
    let all = (0..3).map(|n| mask_of(&e, n)).collect::<Vec<_>>();
    assert_eq!(all[1].area(), 6_000);
    assert!(all[2].intersect(&all[1]).is_none() && all[2].intersect(&all[0]).is_none());
    // A category without a mask gets one; an outline paints what it encloses.
    e.set_category(category(0));
    e.set_tool(Tool::Polygon);
    for (x, y) in [(300.0, 200.0), (340.0, 200.0), (340.0, 240.0), (300.0, 240.0)] {
        click(&mut e, x, y);
    }
    assert!(e.finish_outline());
    assert_eq!(mask_of(&e, 3).area(), 1_600);
    undo_to_nothing_and_redo(&mut e, &first);
}

#[test]
fn taking_from_others_is_one_step() {
    let list = vec![block(1, 1, [100, 100, 50, 50])];
    let mut e = workspace(Task::Segmentation, list, Tool::Brush);
    e.set_brush(Brush {
        takes: true,
        ..square(20)
    });
    click(&mut e, 125.0, 125.0);
    assert_eq!((mask_of(&e, 0).area(), mask_of(&e, 1).area()), (2_100, 400));
    e.undo();
    assert_eq!(mask_of(&e, 0).area(), 2_500);
    assert_eq!(e.doc().len(), 1);
}

#[test]
fn a_second_finger_or_escape_drops_the_stroke() {
    let mut e = workspace(Task::Segmentation, vec![], Tool::Brush);
    let p = pointer(&e, 100.0, 100.0, Mods::default());
    e.pointer_down(p);
    e.pointer_move(pointer(&e, 120.0, 100.0, Mods::default()));
    assert!(e.stroke().unwrap().mask.is_some());
    assert!(e.escape());
    e.pointer_up(p);
    assert!(e.doc().is_empty());
    assert_eq!(e.brush_print().unwrap().width, 16);
    let before = e.brush().size;
    e.grow_brush(true);
    assert_eq!(e.brush().size, before + 1);
    for _ in 0..60 {
        e.grow_brush(false);
    }
    assert_eq!(e.brush().size, 1);
    e.pointer_move(pointer(&e, 33.2, 44.9, Mods::default()));
    let print = e.brush_print().unwrap();
    assert_eq!((print.x, print.y, print.area()), (33, 44, 1));
    let at = Point::new(33.2, 44.9);
    assert!(print.contains(at));
}

#[test]
fn what_survives_a_reload_of_a_long_painting_stays_small() {
    // A checkerboard has as many runs as pixels.
    let pixels: Vec<u8> = (0..400 * 400).map(|i| (i + i / 400) as u8 % 2).collect();
    let mask = Mask::from_pixels(0, 0, 400, 400, &pixels).unwrap();
    let bytes = mask.counts.len();
    let a = Annotation {
        shape: Shape::Mask { mask },
        ..block(1, 1, [0, 0, 1, 1])
    };
    let mut e = workspace(Task::Segmentation, vec![a], Tool::Brush);
    e.select(id(1), false);
    for i in 0..40 {
        click(&mut e, 10.0 * f64::from(i), 30.0);
    }
    let kept = serde_json::to_string(&e.history().tail()).unwrap().len();
    assert!(kept < (1 << 20) + 4 * bytes, "{kept} bytes for steps of {bytes}");
    assert!(kept > bytes, "the last steps are kept");
    assert!(e.undo().is_some());
}

#[test]
fn a_hand_beside_the_pen_draws_nothing() {
    let mut e = workspace(Task::Segmentation, vec![], Tool::Brush);
    e.set_brush(square(10));
    let at = |e: &Editor, n: i32, x: f64| Pointer {
        id: n,
        kind: if n == 7 {
            PointerKind::Pen
        } else {
            PointerKind::Touch
        },
        ..pointer(e, x, 100.0, Mods::default())
    };
    // One part of the hand lies there before the pen comes, another comes later.
    let hand = at(&e, 1, 400.0);
    e.pointer_down(hand);
    let pen = at(&e, 7, 100.0);
    e.pointer_down(pen);
    e.pointer_move(at(&e, 1, 420.0));
    e.pointer_down(at(&e, 2, 500.0));
    e.pointer_move(at(&e, 7, 150.0));
    e.pointer_up(at(&e, 2, 500.0));
    e.pointer_cancel(1);
    e.pointer_move(at(&e, 7, 160.0));
    e.pointer_up(at(&e, 7, 160.0));
    assert_eq!(e.doc().len(), 1);
    assert_eq!(mask_of(&e, 0).window(), Rect::new(95.0, 95.0, 70.0, 10.0));
    // Without a pen a finger paints.
    e.clear_selection();
    e.pointer_down(at(&e, 1, 400.0));
    e.pointer_up(at(&e, 1, 400.0));
    assert_eq!(e.doc().len(), 2);
}

#[test]
fn the_other_end_of_a_pen_erases() {
    let mut e = workspace(
        Task::Segmentation,
        vec![block(1, 1, [100, 100, 40, 40])],
        Tool::Brush,
    );
    e.set_brush(square(10));
    e.select(id(1), false);
    let p = Pointer {
        kind: PointerKind::Pen,
        button: Button::Eraser,
        ..pointer(&e, 120.0, 120.0, Mods::default())
    };
    e.pointer_down(p);
    e.pointer_up(p);
    assert_eq!(mask_of(&e, 0).area(), 1_600 - 100);
}

#[test]
fn semantic_masks_stay_apart_when_they_are_moved_pasted_or_relabeled() {
    let list = vec![block(1, 1, [0, 0, 100, 100]), block(2, 2, [100, 0, 100, 100])];
    let mut e = workspace(Task::Semantic, list, Tool::Select);
    let first = shown(e.doc());
    let areas = |e: &Editor| {
        (0..e.doc().len())
            .map(|n| mask_of(e, n).area())
            .collect::<Vec<_>>()
    };
    // Moved onto its neighbour, which gives way.
    e.select(id(1), false);
    assert!(e.nudge(30.0, 0.0));
    assert_eq!(areas(&e), [10_000, 7_000]);
    e.undo();
    // A copy from another item goes into the mask of its category.
    assert!(e.paste(&[block(7, 2, [50, 0, 100, 50])], false));
    assert_eq!(areas(&e), [7_500, 12_500]);
    assert!(e.selection().iter().all(|id| e.doc().contains(id)));
    e.undo();
    // So does what gets another category.
    e.select(id(1), false);
    assert!(e.relabel_selected(category(2)));
    assert_eq!(areas(&e), [20_000]);
    undo_to_nothing_and_redo(&mut e, &first);
    e.undo();
    // What is locked keeps its pixels.
    e.select(id(2), false);
    e.toggle_locked_selected();
    e.select(id(1), false);
    assert!(e.nudge(30.0, 0.0));
    assert_eq!(areas(&e), [7_000, 10_000]);
    e.undo();
    assert_eq!(shown(e.doc()), first);
}

fn proposed(a: Annotation) -> Annotation {
    Annotation {
        source: Source::Prelabel,
        score: Some(0.9),
        ..a
    }
}

/// What is a label by now, with its area.
fn labeled(e: &Editor) -> Vec<(AnnotationId, u64)> {
    e.doc()
        .iter()
        .filter_map(|a| Some((a.id, a.claimed()?.area())))
        .collect()
}

#[test]
fn accepted_masks_give_way_to_labels_and_go_into_the_mask_of_their_category() {
    let list = vec![
        block(1, 1, [0, 0, 100, 100]),
        proposed(block(2, 2, [50, 0, 100, 100])),
        proposed(block(3, 1, [150, 0, 50, 100])),
        // It lies above the two before.
        proposed(block(4, 3, [120, 0, 60, 100])),
        // Somebody has said of all of it what it is.
        proposed(block(5, 2, [10, 10, 20, 20])),
    ];
    let mut e = workspace(Task::Semantic, list, Tool::Select);
    let first = shown(e.doc());
    assert!(e.accept_all());
    assert_eq!(e.history().can_undo(), Some(Kind::Accept));
    assert_eq!(labeled(&e), [(id(1), 12_000), (id(2), 2_000), (id(4), 6_000)]);
    assert_eq!(e.doc().len(), 3);
    let all = (0..3).map(|n| mask_of(&e, n)).collect::<Vec<_>>();
    for (n, a) in all.iter().enumerate() {
        assert!(all[n + 1..].iter().all(|b| a.intersect(b).is_none()));
    }
    undo_to_nothing_and_redo(&mut e, &first);
    e.undo();
    // One alone gives way to labels too; locked and hidden ones are labels as well.
    for lock in [true, false] {
        e.select(id(1), false);
        if lock {
            e.toggle_locked_selected();
        } else {
            e.toggle_hidden_selected();
        }
        assert!(e.accept(id(2)));
        assert_eq!(labeled(&e), [(id(1), 10_000), (id(2), 5_000)]);
        e.undo();
        if lock {
            e.toggle_locked(id(1));
        } else {
            e.toggle_hidden(id(1));
        }
    }
    assert_eq!(shown(e.doc()), first);
}

#[test]
fn a_suggestion_that_a_stroke_changes_gives_way_to_labels_too() {
    let list = vec![
        block(1, 1, [0, 0, 100, 100]),
        proposed(block(2, 2, [50, 0, 150, 100])),
    ];
    let mut e = workspace(Task::Semantic, list, Tool::Brush);
    let first = shown(e.doc());
    e.set_brush(square(40));
    // Over it.
    e.set_category(category(3));
    click(&mut e, 180.0, 50.0);
    let areas = |e: &Editor| {
        let mut areas: Vec<u64> = labeled(e).iter().map(|l| l.1).collect();
        areas.sort_unstable();
        areas
    };
    assert_eq!(areas(&e), [1_600, 15_000 - 5_000 - 1_600, 10_000]);
    undo_to_nothing_and_redo(&mut e, &first);
    e.undo();
    // With its own category; one that is labeled comes first.
    e.set_category(category(2));
    click(&mut e, 220.0, 50.0);
    assert_eq!(labeled(&e), [(id(1), 10_000), (id(2), 15_000 - 5_000 + 1_600)]);
    e.undo();
    e.set_category(category(1));
    click(&mut e, 20.0, 120.0);
    assert_eq!(labeled(&e), [(id(1), 11_600)]);
}

#[test]
fn a_semantic_hole_is_filled_with_what_others_had_unless_they_are_locked() {
    let pixels: Vec<u8> = (0..30 * 30)
        .map(|i| u8::from(!((10..20).contains(&(i % 30)) && (10..20).contains(&(i / 30)))))
        .collect();
    let ring = Annotation {
        shape: Shape::Mask {
            mask: Mask::from_pixels(0, 0, 30, 30, &pixels).unwrap(),
        },
        ..block(1, 1, [0, 0, 1, 1])
    };
    let list = vec![ring, block(2, 2, [10, 10, 10, 10])];
    let mut e = workspace(Task::Semantic, list, Tool::Select);
    e.select(id(2), false);
    e.toggle_locked_selected();
    e.select(id(1), false);
    assert!(!e.fill_holes_selected());
    e.toggle_locked(id(2));
    assert!(e.fill_holes_selected());
    assert_eq!(labeled(&e), [(id(1), 900)]);
}

#[test]
fn what_a_merge_or_undo_puts_on_other_masks_is_cut_before_it_is_saved() {
    let mut e = workspace(Task::Semantic, vec![block(1, 1, [0, 0, 100, 100])], Tool::Brush);
    e.set_brush(square(40));
    e.set_category(category(2));
    drag(&mut e, (200.0, 50.0), (300.0, 50.0));
    assert!(!e.keep_apart(), "nothing lies on anything");
    // Meanwhile somebody else painted, and what was there before lies on that already.
    let theirs = server(
        4,
        vec![block(1, 1, [0, 0, 100, 100]), block(9, 3, [90, 0, 300, 100])],
    );
    let merge = e.stored().merge_with(&theirs);
    e.take_merge(theirs, merge);
    let before = e.epochs().doc;
    assert!(e.keep_apart());
    assert!(e.epochs().doc > before, "it is seen");
    let areas = |e: &Editor| {
        let area = |n| e.doc().get(id(n)).and_then(Annotation::claimed).map(Mask::area);
        (area(1), area(9))
    };
    assert_eq!(areas(&e), (Some(10_000), Some(30_000 - 140 * 40)));
    assert!(!e.keep_apart());
    // What was taken from one comes back on top of what went there since.
    let mut e = workspace(Task::Semantic, vec![block(1, 1, [0, 0, 100, 100])], Tool::Eraser);
    e.set_brush(square(40));
    click(&mut e, 50.0, 50.0);
    let change = e.stored_mut().begin_save(0).unwrap().clone();
    e.stored_mut().acknowledge(change.change_id, 4);
    let erased = e.doc().get(id(1)).unwrap().clone();
    let theirs = server(5, vec![erased, block(9, 3, [30, 30, 40, 40])]);
    let merge = e.stored().merge_with(&theirs);
    e.take_merge(theirs, merge);
    e.undo();
    assert!(e.keep_apart());
    assert_eq!(areas(&e), (Some(10_000), None));
}
