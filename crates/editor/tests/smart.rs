//! Smart tools: what is asked, what becomes of answers. The picture is played by the tests.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{category, click, click_with, drag, id, pointer, shown, undo_to_nothing_and_redo, workspace};
use limn_domain::project::Task;
use limn_domain::smart::{Answer, Ask};
use limn_domain::{Annotation, Mask, Point, Rect, Shape, Size};
use limn_editor::{Editor, Kind, Mods, Proposal, SmartSettings, Tool};

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

fn block(x: u32, y: u32, w: u32, h: u32) -> Mask {
    Mask::from_pixels(x, y, w, h, &vec![1; (w * h) as usize]).unwrap()
}

fn region(mask: Mask) -> Answer {
    Answer::Region {
        mask: Some(mask),
        hover: None,
    }
}

/// Answers what is asked now.
fn answer(e: &mut Editor, answer: Answer) {
    let (serial, ask) = e.ask().unwrap();
    e.take_answer(serial, &ask, answer);
}

/// Straight ways.
fn answer_wire(e: &mut Editor) {
    while let Some((serial, ask)) = e.ask() {
        let Ask::Wire { legs } = &ask else {
            panic!("{ask:?}")
        };
        if legs.is_empty() {
            return;
        }
        let paths = legs
            .iter()
            .map(|l| l.map(|s| [s.at.x, s.at.y]).to_vec())
            .collect();
        e.take_answer(serial, &ask, Answer::Paths { paths });
    }
}

fn only(e: &Editor) -> &Annotation {
    assert_eq!(e.doc().len(), 1);
    e.doc().iter().next().unwrap()
}

#[test]
fn a_proposal_is_no_object_until_it_is_accepted() {
    let mut e = workspace(Task::Segmentation, vec![], Tool::Wand);
    assert!(e.ask().is_none());
    click(&mut e, 120.0, 120.0);
    assert!(e.doc().is_empty() && e.awaits_answer());
    let (_, ask) = e.ask().unwrap();
    let Ask::Wand {
        scribbles, tolerance, ..
    } = &ask
    else {
        panic!("{ask:?}")
    };
    assert_eq!((scribbles.len(), *tolerance), (1, 20.0));
    answer(&mut e, region(block(100, 100, 40, 40)));
    assert!(!e.awaits_answer());
    // More clicks, in and out; one is taken back.
    click(&mut e, 300.0, 300.0);
    click_with(&mut e, 130.0, 130.0, ALT);
    let Some((_, Ask::Wand { scribbles, .. })) = e.ask() else {
        panic!("a wand")
    };
    assert_eq!(
        scribbles.iter().map(|s| s.include).collect::<Vec<_>>(),
        [true, true, false]
    );
    assert!(e.undo().is_none());
    // Accepted before the answer is there: it waits for it.
    assert!(e.finish_outline());
    assert!(e.doc().is_empty());
    answer(&mut e, region(block(100, 100, 60, 60)));
    assert!(e.proposal().is_none());
    let Shape::Mask { mask } = &only(&e).shape else {
        panic!("a mask")
    };
    assert_eq!(mask.area(), 3_600);
    assert_eq!(e.selection().single(), Some(only(&e).id));
    assert_eq!(e.history().can_undo(), Some(Kind::Add));
    undo_to_nothing_and_redo(&mut e, &limn_editor::Annotations::new());
}

#[test]
fn answers_to_what_is_gone_are_dropped() {
    let mut e = workspace(Task::Segmentation, vec![], Tool::Wand);
    click(&mut e, 120.0, 120.0);
    let (serial, ask) = e.ask().unwrap();
    assert!(e.escape());
    assert!(e.proposal().is_none() && e.ask().is_none());
    e.take_answer(serial, &ask, region(block(0, 0, 9, 9)));
    assert!(e.proposal().is_none());
    click(&mut e, 220.0, 120.0);
    e.take_answer(serial, &ask, region(block(0, 0, 9, 9)));
    assert!(matches!(e.proposal(), Some(Proposal::Region(r)) if r.mask.is_none()));
    // Nobody answers: accepting waits in vain and says so by staying; another tool ends it.
    assert!(e.finish_outline());
    e.no_answer();
    e.set_tool(Tool::Select);
    assert!(e.proposal().is_none() && e.doc().is_empty());
    // Of the wrong kind, or with nothing in it.
    e.set_tool(Tool::Wand);
    click(&mut e, 220.0, 120.0);
    answer(&mut e, Answer::Paths { paths: vec![] });
    answer(
        &mut e,
        Answer::Region {
            mask: None,
            hover: None,
        },
    );
    assert!(e.finish_outline());
    assert!(e.doc().is_empty() && e.proposal().is_none());
}

#[test]
fn dragging_and_keys_set_the_tolerance() {
    let mut e = workspace(Task::Segmentation, vec![], Tool::Wand);
    drag(&mut e, (100.0, 100.0), (140.0, 100.0));
    assert_eq!(e.smart_settings().tolerance, 30.0);
    e.grow_brush(true);
    assert_eq!(e.smart_settings().tolerance, 31.0);
    assert_eq!(e.brush().size, 16, "the brush is another matter");
    drag(&mut e, (100.0, 100.0), (-900.0, 100.0));
    assert_eq!(e.smart_settings().tolerance, 0.0);
    e.set_tool(Tool::Superpixels);
    e.grow_brush(true);
    assert_eq!(e.smart_settings().grain, 18);
    for _ in 0..90 {
        e.grow_brush(false);
    }
    assert_eq!(e.smart_settings().grain, 4);
}

#[test]
fn shift_adds_to_the_selected_object_and_alt_takes_from_it() {
    let a = Annotation {
        shape: Shape::Mask {
            mask: block(100, 100, 40, 40),
        },
        ..common::boxed(1, 1, Rect::default(), 0)
    };
    let mut e = workspace(Task::Segmentation, vec![a], Tool::Cut);
    let first = shown(e.doc());
    let area = |e: &Editor| match &e.doc().get(id(1)).unwrap().shape {
        Shape::Mask { mask } => mask.area(),
        other => panic!("{other:?}"),
    };
    e.select(id(1), false);
    let press = |e: &mut Editor, mods: Mods| {
        for (x, y, what) in [(130.0, 100.0, 0), (160.0, 140.0, 1), (160.0, 140.0, 2)] {
            let p = pointer(e, x, y, mods);
            match what {
                0 => e.pointer_down(p),
                1 => e.pointer_move(p),
                _ => e.pointer_up(p),
            }
            if what == 1 {
                assert!(e.ask().is_none(), "not while the box is being dragged");
            }
        }
    };
    press(&mut e, SHIFT);
    assert!(
        matches!(e.ask(), Some((_, Ask::Cut { frame: Some(f), .. })) if f == Rect::new(130.0, 100.0, 30.0, 40.0))
    );
    answer(&mut e, region(block(130, 100, 30, 40)));
    assert!(e.finish_outline());
    assert_eq!(area(&e), 60 * 40);
    press(&mut e, ALT);
    answer(&mut e, region(block(130, 100, 30, 40)));
    assert!(e.finish_outline());
    assert_eq!(area(&e), 30 * 40);
    // A click instead of a box.
    e.clear_selection();
    click(&mut e, 300.0, 300.0);
    assert!(matches!(e.ask(), Some((_, Ask::Cut { frame: None, scribbles })) if scribbles.len() == 1));
    e.cancel();
    undo_to_nothing_and_redo(&mut e, &first);
}

#[test]
fn outlines_where_they_are_wanted_and_paint_in_semantic() {
    let mut e = workspace(Task::Segmentation, vec![], Tool::Wand);
    e.set_smart_settings(SmartSettings {
        outline: true,
        ..e.smart_settings()
    });
    click(&mut e, 120.0, 120.0);
    answer(&mut e, region(block(100, 100, 40, 40)));
    e.finish_outline();
    assert!(matches!(&only(&e).shape, Shape::Polygon { parts } if parts[0][0].len() == 4));
    let mut e = workspace(Task::Semantic, vec![], Tool::Wand);
    for (c, x) in [(1, 100), (2, 120)] {
        e.set_category(category(c));
        click(&mut e, 120.0, 120.0);
        answer(&mut e, region(block(x, 100, 40, 40)));
        e.finish_outline();
    }
    let areas: Vec<u64> = e
        .doc()
        .iter()
        .map(|a| match &a.shape {
            Shape::Mask { mask } => mask.area(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(areas, [20 * 40, 40 * 40], "no pixel has two categories");
}

#[test]
fn scissors_follow_ways_from_corner_to_corner() {
    let mut e = workspace(Task::Segmentation, vec![], Tool::Scissors);
    for (x, y) in [(100.0, 100.0), (200.0, 100.0), (200.0, 200.0)] {
        click(&mut e, x, y);
    }
    e.pointer_move(pointer(&e, 100.0, 210.0, Mods::default()));
    let Some((_, Ask::Wire { legs })) = e.ask() else {
        panic!("ways")
    };
    // Two between the corners, one back to the first, one to the pointer.
    assert_eq!(legs.len(), 4);
    assert!(legs[0][0].reach > 0.0);
    // Pressed before the answer is there: closed when it is.
    assert!(e.finish_outline());
    assert!(e.doc().is_empty());
    answer_wire(&mut e);
    let Shape::Polygon { parts } = &only(&e).shape else {
        panic!("an outline")
    };
    assert!((limn_domain::polygon::area(parts) - 5_000.0).abs() < 1.0);
    // Corner by corner back, to nothing; a click on the first corner closes.
    click(&mut e, 300.0, 300.0);
    click(&mut e, 350.0, 300.0);
    assert!(e.outline_back() && e.outline_back() && !e.outline_back());
    for (x, y) in [(300.0, 300.0), (350.0, 300.0), (350.0, 350.0)] {
        click(&mut e, x, y);
    }
    answer_wire(&mut e);
    click(&mut e, 301.0, 301.0);
    assert_eq!(e.doc().len(), 2);
    // Left in a hurry: straight lines where the ways are not known.
    for (x, y) in [(400.0, 300.0), (450.0, 300.0), (450.0, 350.0)] {
        click(&mut e, x, y);
    }
    e.settle_smart();
    assert_eq!(e.doc().len(), 3);
    undo_to_nothing_and_redo(&mut e, &limn_editor::Annotations::new());
}

#[test]
fn a_second_finger_is_no_click_and_readers_ask_nothing() {
    let mut e = workspace(Task::Segmentation, vec![], Tool::Superpixels);
    e.pointer_move(pointer(&e, 50.0, 60.0, Mods::default()));
    assert!(
        matches!(e.ask(), Some((_, Ask::Superpixels { hover: Some(p), .. })) if p == Point::new(50.0, 60.0))
    );
    answer(
        &mut e,
        Answer::Region {
            mask: None,
            hover: Some(block(48, 56, 8, 8)),
        },
    );
    assert_eq!(e.grain_under().map(Mask::area), Some(64));
    let finger = |e: &Editor, n: i32, x: f64| limn_editor::Pointer {
        id: n,
        kind: limn_editor::PointerKind::Touch,
        ..pointer(e, x, 100.0, Mods::default())
    };
    let (a, b) = (finger(&e, 1, 100.0), finger(&e, 2, 200.0));
    e.pointer_down(a);
    e.pointer_down(b);
    assert!(e.proposal().is_none());
    e.pointer_up(b);
    e.pointer_up(a);
    e.set_read_only(true);
    assert!(e.ask().is_none());
    click(&mut e, 100.0, 100.0);
    assert!(e.proposal().is_none());
    // Outside of the image there is nothing to see.
    let mut e = workspace(Task::Segmentation, vec![], Tool::Wand);
    e.resize_view(Size {
        width: 1_800.0,
        height: 1_600.0,
    });
    click(&mut e, -20.0, -20.0);
    assert!(e.proposal().is_none());
}

#[test]
fn a_network_is_asked_by_clicks_and_a_box() {
    // Without one there is no such tool.
    let mut e = workspace(Task::Segmentation, vec![], Tool::Segment);
    assert_eq!((e.tool(), e.has_tool(Tool::Segment)), (Tool::Select, false));
    e.set_segments(true);
    e.set_tool(Tool::Segment);
    assert!(e.tool() == Tool::Segment && e.has_tool(Tool::Segment) && e.ask().is_none());
    // A click, one beside the object by Alt; where it is dragged on makes no difference.
    click(&mut e, 120.0, 120.0);
    click_with(&mut e, 200.0, 120.0, ALT);
    drag(&mut e, (130.0, 130.0), (180.0, 170.0));
    let (_, ask) = e.ask().unwrap();
    let Ask::Segment {
        frame: None,
        scribbles,
    } = &ask
    else {
        panic!("{ask:?}")
    };
    let told: Vec<_> = scribbles.iter().map(|s| (s.points.clone(), s.include)).collect();
    assert_eq!(
        told,
        [
            (vec![Point::new(120.0, 120.0)], true),
            (vec![Point::new(200.0, 120.0)], false),
            (vec![Point::new(130.0, 130.0)], true),
        ]
    );
    answer(&mut e, region(block(100, 100, 40, 40)));
    assert!(!e.awaits_answer() && e.doc().is_empty());
    // One is taken back, and it is asked again.
    assert!(e.outline_back());
    assert!(e.awaits_answer());
    answer(&mut e, region(block(100, 100, 50, 40)));
    assert!(e.finish_outline());
    assert!(matches!(&only(&e).shape, Shape::Mask { mask } if mask.area() == 2_000));
    // A box, cut to the picture.
    drag(&mut e, (600.0, 400.0), (700.0, 500.0));
    assert!(
        matches!(e.ask(), Some((_, Ask::Segment { frame: Some(f), scribbles })) if scribbles.is_empty() && f == Rect::new(600.0, 400.0, 40.0, 80.0))
    );
    answer(&mut e, region(block(610, 410, 20, 20)));
    assert!(e.finish_outline());
    assert_eq!(e.doc().len(), 2);
    // The network is gone, and the tool with it.
    e.set_segments(false);
    assert_eq!(e.tool(), Tool::Select);
}
