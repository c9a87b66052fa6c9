//! The view, what lies under the pointer, the tools and the keys.

mod common;

use common::*;
use limn_domain::project::Task;
use limn_domain::{Annotation, Point, Rect, Shape, Size};
use limn_editor::hit::{Handle, Hit, handle_at, hit};
use limn_editor::keymap::{Chord, Overrides};
use limn_editor::shape::place_of;
use limn_editor::snap::{Snap, resized};
use limn_editor::{
    Action, Button, Editor, History, Keymap, Layers, Mods, Pointer, PointerKind, Tool, Viewport,
};
use proptest::prelude::*;

fn near(a: Point, b: Point) -> bool {
    a.distance(b) < 1e-6 * (1.0 + a.x.abs() + a.y.abs())
}

/// The rule of `hit`, over every shape.
fn brute(d: &limn_editor::Document, p: Point, slack: f64) -> Option<Hit> {
    let all: Vec<(&Annotation, Rect)> = d.iter().filter_map(|a| Some((a, a.shape.bounds()?))).collect();
    let away = |a: &Annotation, p: Point| place_of(&a.shape, p).0;
    let order = |a: &(&Annotation, Rect), b: &(&Annotation, Rect)| {
        a.1.area()
            .total_cmp(&b.1.area())
            .then_with(|| (b.0.z, b.0.id).cmp(&(a.0.z, a.0.id)))
    };
    let edge = all
        .iter()
        .filter(|(a, _)| away(a, p) <= slack)
        .min_by(|a, b| away(a.0, p).total_cmp(&away(b.0, p)).then_with(|| order(a, b)));
    let inside = all
        .iter()
        .filter(|(a, _)| place_of(&a.shape, p).1)
        .min_by(|a, b| order(a, b));
    match (edge, inside) {
        (Some(e), Some(i)) if e.0.id != i.0.id && order(i, e).is_lt() => Some(Hit::Inside(i.0.id)),
        (Some(e), _) => Some(Hit::Edge(e.0.id)),
        (None, Some(i)) => Some(Hit::Inside(i.0.id)),
        (None, None) => None,
    }
}

proptest! {
    #[test]
    fn screen_and_image_round_trip(
        w in 1.0..20000.0_f64, h in 1.0..20000.0_f64, sw in 50.0..3000.0_f64, sh in 50.0..2000.0_f64,
        steps in prop::collection::vec((0.0..1.0_f64, 0.0..1.0_f64, 0.2..5.0_f64, -500.0..500.0_f64), 0..12),
        p in (0.0..1.0_f64, 0.0..1.0_f64),
    ) {
        let mut v = Viewport::new(Size { width: w, height: h });
        v.resize(Size { width: sw, height: sh });
        for (x, y, f, d) in steps {
            let at = Point::new(x * sw, y * sh);
            v.zoom_at(at, f);
            v.pan(d, -d);
            // Something of the image stays in view.
            let image = v.rect_to_screen(Rect::new(0.0, 0.0, w, h));
            prop_assert!(image.intersects(Rect::new(0.0, 0.0, sw, sh)), "{image:?}");
        }
        let q = Point::new(p.0 * w, p.1 * h);
        prop_assert!(near(v.to_image(v.to_screen(q)), q));
    }

    #[test]
    fn zooming_keeps_the_point_under_the_pointer(f in 0.5..2.0_f64, x in 300.0..500.0_f64, y in 200.0..400.0_f64) {
        let mut v = Viewport::new(SIZE);
        v.resize(Size { width: 800.0, height: 600.0 });
        let at = Point::new(x, y);
        let before = v.to_image(at);
        v.zoom_at(at, f);
        prop_assert!(near(v.to_image(at), before));
    }

    #[test]
    fn turning_keeps_points_apart_and_in_place(
        w in 1.0..40_000.0_f64, h in 1.0..40_000.0_f64, turns in prop::collection::vec(-400.0..400.0_f64, 1..6),
        f in 0.1..10.0_f64, x in 0.0..800.0_f64, y in 0.0..600.0_f64, p in (0.0..1.0_f64, 0.0..1.0_f64), d in -300.0..300.0_f64,
    ) {
        let (sw, sh) = (800.0, 600.0);
        let mut v = Viewport::new(Size { width: w, height: h });
        v.resize(Size { width: sw, height: sh });
        let q = Point::new(p.0 * w, p.1 * h);
        let tiny = |v: &Viewport| 1e-9 * (w + h + 1.0 / v.scale());
        for turn in turns {
            v.turn_by(turn);
            // Fitted: all of it is in view.
            let r = v.rect_to_screen(Rect::new(0.0, 0.0, w, h));
            prop_assert!(v.scale() <= 0.002 + 1e-12 || (r.x >= -1e-6 && r.y >= -1e-6 && r.right() <= sw + 1e-6 && r.bottom() <= sh + 1e-6), "{r:?}");
        }
        let at = Point::new(x, y);
        let before = v.to_image(at);
        v.zoom_at(at, f);
        let r = v.rect_to_screen(Rect::new(0.0, 0.0, w, h));
        prop_assert!(r.intersects(Rect::new(0.0, 0.0, sw, sh)));
        // Kept in place unless the image had to be kept in view.
        if r.contains(at) {
            prop_assert!(v.to_image(at).distance(before) <= 1e-6 * (w + h), "{before:?}");
        }
        v.pan(d, -d / 2.0);
        prop_assert!(v.to_image(v.to_screen(q)).distance(q) <= tiny(&v), "{:?}", v.to_image(v.to_screen(q)));
        prop_assert!(v.to_screen(v.to_image(at)).distance(at) <= 1e-6);
        // Lengths are only scaled, whatever the turn.
        let o = Point::default();
        prop_assert!((v.to_screen(q).distance(v.to_screen(o)) - q.distance(o) * v.scale()).abs() <= 1e-6 * (1.0 + q.distance(o) * v.scale()));
        // What is on the screen is in the window.
        let window = v.window();
        let i = v.to_image(at);
        prop_assert!(i.x >= window.x - 1e-6 && i.x <= window.right() + 1e-6 && i.y >= window.y - 1e-6 && i.y <= window.bottom() + 1e-6);
    }

    #[test]
    fn the_middle_stays_while_the_view_turns(turn in -720.0..720.0_f64, x in 100.0..500.0_f64, y in 100.0..380.0_f64) {
        let mut v = Viewport::new(SIZE);
        v.resize(Size { width: 800.0, height: 600.0 });
        v.zoom_at(Point::new(400.0, 300.0), 3.0);
        v.center_on(Point::new(x, y));
        v.turn_by(turn);
        prop_assert!(near(v.to_image(Point::new(400.0, 300.0)), Point::new(x, y)));
        // Four quarters are nothing at all.
        let before = (v.turn(), v.offset());
        for _ in 0..4 { v.turn_by(90.0); }
        prop_assert!((v.turn() - before.0).abs() < 1e-9 && v.offset().distance(before.1) < 1e-6);
        v.turn_to(0.0);
        prop_assert_eq!(v.sin_cos(), (0.0, 1.0));
    }

    #[test]
    fn hits_agree_with_looking_at_everything(list in annotations(), x in -10.0..650.0_f64, y in -10.0..490.0_f64, slack in 0.0..12.0_f64) {
        let d = doc(Task::Detection, list);
        let p = Point::new(x, y);
        let got = hit(&d, &Layers::default(), p, slack);
        prop_assert_eq!(got, brute(&d, p, slack));
    }

    #[test]
    fn windows_agree_with_looking_at_everything(list in annotations(), w in rect()) {
        let d = doc(Task::Detection, list);
        let got: Vec<_> = d.in_window(w).into_iter().map(|a| a.id).collect();
        let want: Vec<_> = d.iter().filter(|a| a.shape.bounds().is_some_and(|r| r.intersects(w))).map(|a| a.id).collect();
        prop_assert_eq!(got, want);
    }

    #[test]
    fn resizing_stays_on_the_image(r in rect(), h in 0..8_usize, x in -50.0..700.0_f64, y in -50.0..550.0_f64, ratio: bool, scale in 0.2..10.0_f64) {
        let snap = Snap { image: SIZE, scale, free: false };
        let out = resized(r, Handle::ALL[h], Point::new(x, y), ratio, snap);
        prop_assert!(out.x >= 0.0 && out.y >= 0.0 && out.right() <= SIZE.width + 1e-9 && out.bottom() <= SIZE.height + 1e-9, "{out:?}");
        prop_assert!(out.w > 0.0 && out.h > 0.0);
    }

    #[test]
    fn random_pointers_never_break_anything(
        list in annotations(),
        events in prop::collection::vec((0..5_u8, 0.0..800.0_f64, 0.0..600.0_f64, 0..3_i32, any::<(bool, bool, bool)>(), 0..3_u8, 0..12_usize), 0..60),
    ) {
        let mut e = Editor::new(doc(Task::Objects, list), History::default());
        e.set_definitions(std::iter::once((category(1), with_skeleton(limn_domain::Skeleton::coco_person()))).collect());
        e.resize_view(Size { width: 800.0, height: 600.0 });
        e.set_category(category(1));
        for (what, x, y, id, (shift, alt, ctrl), kind, tool) in events {
            let p = Pointer {
                id, at: Point::new(x, y), button: Button::Primary, mods: Mods { ctrl, shift, alt },
                kind: [PointerKind::Mouse, PointerKind::Touch, PointerKind::Pen][usize::from(kind)],
            };
            match what {
                0 => e.pointer_down(p),
                1 | 2 => e.pointer_move(p),
                3 => e.pointer_up(p),
                _ => e.set_tool(TOOLS[tool]),
            }
        }
        e.cancel();
        let all = shown(e.doc());
        let mut n = 0;
        while e.undo().is_some() { n += 1; }
        for _ in 0..n { e.redo(); }
        prop_assert_eq!(shown(e.doc()), all);
        for shape in e.doc().iter().map(|a| &a.shape) {
            let Some(a) = shape.bounds() else { continue };
            if matches!(shape, Shape::RotatedBox { .. } | Shape::Ellipse { .. }) {
                // Some of it is in the image, and it may reach beyond.
                prop_assert!(limn_domain::polygon::mend(&shape.region(0.1).unwrap_or_default(), SIZE).is_ok());
                continue;
            }
            prop_assert!(a.x >= -1e-9 && a.y >= -1e-9 && a.right() <= SIZE.width + 1e-6 && a.bottom() <= SIZE.height + 1e-6);
        }
    }
}

const TOOLS: [Tool; 12] = [
    Tool::Select,
    Tool::Pan,
    Tool::Box,
    Tool::Polygon,
    Tool::Brush,
    Tool::Eraser,
    Tool::Ellipse,
    Tool::Polyline,
    Tool::Points,
    Tool::RotatedBox,
    Tool::ExtremeBox,
    Tool::Keypoints,
];

fn editor(list: Vec<Annotation>) -> Editor {
    let mut e = Editor::new(doc(Task::Detection, list), History::default());
    e.resize_view(Size {
        width: 800.0,
        height: 600.0,
    });
    e.one_to_one();
    e.set_category(category(0));
    e
}

fn at(e: &Editor, x: f64, y: f64) -> Pointer {
    Pointer {
        at: e.view().to_screen(Point::new(x, y)),
        ..Pointer::default()
    }
}

fn drag(e: &mut Editor, from: (f64, f64), to: (f64, f64)) {
    e.pointer_down(at(e, from.0, from.1));
    e.pointer_move(at(e, f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1)));
    e.pointer_move(at(e, to.0, to.1));
    e.pointer_up(at(e, to.0, to.1));
}

fn only_rect(e: &Editor) -> Rect {
    assert_eq!(e.doc().len(), 1);
    e.doc()
        .iter()
        .next()
        .and_then(|a| a.shape.bounds())
        .expect("a box")
}

#[test]
fn a_box_by_drag_and_a_box_by_two_clicks() {
    let mut e = editor(vec![]);
    e.set_tool(Tool::Box);
    drag(&mut e, (100.0, 100.0), (150.0, 180.0));
    assert_eq!(only_rect(&e), Rect::new(100.0, 100.0, 50.0, 80.0));
    assert_eq!(e.tool(), Tool::Box, "stays in the tool");
    for p in [(200.0, 200.0), (260.0, 220.0)] {
        e.pointer_move(at(&e, p.0, p.1));
        e.pointer_down(at(&e, p.0, p.1));
        e.pointer_up(at(&e, p.0, p.1));
    }
    let last = e.doc().iter().next_back().and_then(|a| a.shape.bounds());
    assert_eq!(last, Some(Rect::new(200.0, 200.0, 60.0, 20.0)));
    // Drawing over a box draws; Escape in mid-drawing leaves nothing behind.
    drag(&mut e, (110.0, 110.0), (140.0, 140.0));
    assert_eq!(e.doc().len(), 3);
    e.pointer_down(at(&e, 10.0, 10.0));
    e.pointer_move(at(&e, 50.0, 50.0));
    assert!(e.escape());
    e.pointer_up(at(&e, 50.0, 50.0));
    assert_eq!(e.doc().len(), 3);
    while e.undo().is_some() {}
    assert!(e.doc().is_empty() && e.doc().is_clean());
}

#[test]
fn a_drag_moves_in_one_step_and_stays_on_the_image() {
    let mut e = editor(vec![boxed(1, 0, Rect::new(100.0, 100.0, 50.0, 50.0), 0)]);
    drag(&mut e, (125.0, 125.0), (145.0, 165.0));
    assert_eq!(only_rect(&e), Rect::new(120.0, 140.0, 50.0, 50.0));
    drag(&mut e, (145.0, 165.0), (900.0, 165.0));
    assert_eq!(only_rect(&e).right(), SIZE.width);
    e.undo();
    e.undo();
    assert_eq!(only_rect(&e), Rect::new(100.0, 100.0, 50.0, 50.0));
    assert_eq!(e.undo(), None);
}

#[test]
fn every_handle_resizes() {
    for h in Handle::ALL {
        let r = Rect::new(100.0, 100.0, 80.0, 80.0);
        let mut e = editor(vec![boxed(1, 0, r, 0)]);
        e.select(id(1), false);
        let g = h.at(r);
        assert_eq!(handle_at(r, g, 3.0), Some(h));
        drag(&mut e, (g.x, g.y), (g.x + 10.0, g.y + 6.0));
        let (sx, sy) = h.sides();
        let got = only_rect(&e);
        let dx = if sx == 0 { 0.0 } else { 10.0 };
        let dy = if sy == 0 { 0.0 } else { 6.0 };
        assert!(
            (got.w - (80.0 + dx * f64::from(sx))).abs() < 1e-9,
            "{h:?} {got:?}"
        );
        assert!(
            (got.h - (80.0 + dy * f64::from(sy))).abs() < 1e-9,
            "{h:?} {got:?}"
        );
    }
}

#[test]
fn digits_while_drawing_do_not_relabel_the_last_box() {
    let mut e = editor(vec![]);
    e.set_tool(Tool::Box);
    drag(&mut e, (100.0, 100.0), (150.0, 180.0));
    e.pick_category(category(2), false);
    assert_eq!(e.doc().iter().next().map(|a| a.category_id), Some(category(0)));
    e.pick_category(category(2), true);
    assert_eq!(e.doc().iter().next().map(|a| a.category_id), Some(category(2)));
}

#[test]
fn nudges_in_a_row_are_one_step() {
    let mut e = editor(vec![boxed(1, 0, Rect::new(100.0, 100.0, 50.0, 50.0), 0)]);
    e.select(id(1), false);
    for _ in 0..5 {
        assert!(e.nudge(1.0, 0.0));
    }
    assert_eq!(only_rect(&e).x, 105.0);
    e.undo();
    assert_eq!(only_rect(&e).x, 100.0);
}

#[test]
fn locked_and_hidden_shapes_are_out_of_reach() {
    let mut e = editor(vec![boxed(1, 0, Rect::new(100.0, 100.0, 50.0, 50.0), 0)]);
    e.toggle_locked(id(1));
    drag(&mut e, (125.0, 125.0), (145.0, 165.0));
    assert_eq!(only_rect(&e).x, 100.0);
    assert!(e.selection().is_empty());
    e.select(id(1), false);
    assert!(!e.delete_selected());
    e.toggle_locked(id(1));
    e.toggle_category_hidden(category(0));
    assert!(!e.delete_selected());
    e.toggle_category_hidden(category(0));
    assert!(e.delete_selected());
}

#[test]
fn one_label_replaces_another_and_can_be_taken_off() {
    let mut e = Editor::new(doc(Task::Classification, vec![]), History::default());
    e.pick_category(category(1), false);
    let first = e.doc().iter().next().expect("a label").id;
    e.pick_category(category(2), false);
    let now = e.doc().iter().next().expect("a label");
    assert_eq!((e.doc().len(), now.id, now.category_id), (1, first, category(2)));
    e.pick_category(category(2), false);
    assert!(e.doc().is_empty());
    let mut m = Editor::new(doc(Task::Multilabel, vec![]), History::default());
    m.pick_category(category(1), false);
    m.pick_category(category(2), false);
    m.pick_category(category(1), false);
    assert_eq!(
        m.doc().iter().map(|a| a.category_id).collect::<Vec<_>>(),
        [category(2)]
    );
}

#[test]
fn two_fingers_zoom_and_never_draw() {
    let mut e = editor(vec![]);
    e.set_tool(Tool::Box);
    let touch = |id, x, y| Pointer {
        id,
        kind: PointerKind::Touch,
        at: Point::new(x, y),
        ..Pointer::default()
    };
    e.pointer_down(touch(1, 300.0, 300.0));
    e.pointer_down(touch(2, 400.0, 300.0));
    e.pointer_move(touch(2, 500.0, 300.0));
    e.pointer_up(touch(2, 500.0, 300.0));
    e.pointer_up(touch(1, 300.0, 300.0));
    assert!(e.doc().is_empty());
    assert!((e.view().scale() - 2.0).abs() < 1e-9);
}

#[test]
fn a_look_around_between_two_clicks_keeps_the_first_corner() {
    let touch = |id, at| Pointer {
        id,
        kind: PointerKind::Touch,
        at,
        ..Pointer::default()
    };
    let tap = |e: &mut Editor, x, y| {
        let p = touch(1, e.view().to_screen(Point::new(x, y)));
        e.pointer_down(p);
        e.pointer_up(p);
    };
    let mut e = editor(vec![]);
    e.set_tool(Tool::Box);
    tap(&mut e, 100.0, 100.0);
    assert_eq!(e.first_corner(), Some(Point::new(100.0, 100.0)));
    // Two fingers come one after the other, and go so.
    let fingers = [Point::new(300.0, 300.0), Point::new(400.0, 300.0)];
    e.pointer_down(touch(1, fingers[0]));
    e.pointer_down(touch(2, fingers[1]));
    e.pointer_move(touch(2, Point::new(500.0, 300.0)));
    e.pointer_up(touch(2, Point::new(500.0, 300.0)));
    e.pointer_move(touch(1, Point::new(320.0, 310.0)));
    e.pointer_up(touch(1, Point::new(320.0, 310.0)));
    assert!(e.doc().is_empty() && (e.view().scale() - 2.0).abs() < 1e-9);
    assert_eq!(e.first_corner(), Some(Point::new(100.0, 100.0)));
    // A finger that comes alone tells the second one, where it is lifted.
    let p = touch(1, e.view().to_screen(Point::new(150.0, 130.0)));
    e.pointer_down(p);
    let to = touch(1, e.view().to_screen(Point::new(160.0, 140.0)));
    e.pointer_move(to);
    assert_eq!(e.draft(), Some(Rect::new(100.0, 100.0, 60.0, 40.0)));
    e.pointer_up(to);
    assert_eq!(only_rect(&e), Rect::new(100.0, 100.0, 60.0, 40.0));
    assert!(!e.is_busy());
    // Escape drops it, and a click elsewhere begins anew.
    tap(&mut e, 200.0, 200.0);
    assert!(e.escape() && e.first_corner().is_none());
    // The middle button of a mouse pans meanwhile.
    let mut e = editor(vec![]);
    e.set_tool(Tool::Box);
    let click = |e: &mut Editor, x, y| {
        let p = at(e, x, y);
        e.pointer_move(p);
        e.pointer_down(p);
        e.pointer_up(p);
    };
    click(&mut e, 200.0, 200.0);
    let before = e.view().offset();
    let middle = |x, y| Pointer {
        at: Point::new(x, y),
        button: Button::Middle,
        ..Pointer::default()
    };
    e.pointer_down(middle(300.0, 300.0));
    e.pointer_move(middle(340.0, 320.0));
    e.pointer_up(middle(340.0, 320.0));
    assert_ne!(e.view().offset(), before);
    click(&mut e, 260.0, 220.0);
    assert_eq!(only_rect(&e), Rect::new(200.0, 200.0, 60.0, 20.0));
}

#[test]
fn keys_are_physical_and_unambiguous() {
    let map = Keymap::default();
    assert!(
        Keymap::with_overrides(&Overrides::default()).is_ok(),
        "no key has two actions"
    );
    let none = Mods::default();
    let ctrl = Mods { ctrl: true, ..none };
    let both = Mods { shift: true, ..ctrl };
    for (code, mods, want) in [
        ("KeyR", none, Some(Action::BoxTool)),
        ("KeyZ", ctrl, Some(Action::Undo)),
        ("KeyZ", both, Some(Action::Redo)),
        ("KeyY", ctrl, Some(Action::Redo)),
        ("Digit3", none, Some(Action::Category(3))),
        ("Numpad3", none, Some(Action::Category(3))),
        ("Enter", none, Some(Action::Submit)),
        ("KeyX", none, Some(Action::Skip)),
        ("KeyX", ctrl, None),
        ("KeyT", ctrl, None),
        ("Backquote", none, Some(Action::KeyPointer)),
        ("Backslash", none, Some(Action::HoldPointer)),
        ("Delete", none, Some(Action::Delete)),
        ("Delete", Mods { shift: true, ..none }, Some(Action::RejectAll)),
    ] {
        assert_eq!(map.action(code, "", mods, false), want, "{code}");
    }
    let shift = Mods { shift: true, ..none };
    assert_eq!(
        map.action("Minus", "?", shift, false),
        Some(Action::Help),
        "a German keyboard"
    );
    let taken = Overrides::default().with(
        Action::Skip,
        map.key(Action::BoxTool, false).cloned().into_iter().collect(),
    );
    let error = Keymap::with_overrides(&taken).expect_err("two actions on one key");
    assert!(
        error.contains("Skip") && error.starts_with("R is the key of \u{201c}Draw boxes"),
        "{error}"
    );
    let free = taken.with(Action::BoxTool, vec![Chord::parse("Alt+KeyX")]);
    let changed = Keymap::with_overrides(&free).unwrap();
    assert_eq!(changed.action("KeyR", "r", none, false), Some(Action::Skip));
    assert_eq!(changed.action("KeyX", "x", none, false), None);
    // Kept as text, and read again.
    let text = serde_json::to_string(&free).unwrap();
    assert_eq!(serde_json::from_str::<Overrides>(&text).unwrap(), free);
    assert!(serde_json::from_str::<Overrides>(r#"[["<img>",[]]]"#).is_err());
    for reserved in ["Ctrl+KeyT", "F5", "Escape"] {
        let wish = Overrides::default().with(Action::Skip, vec![Chord::parse(reserved)]);
        assert!(Keymap::with_overrides(&wish).is_err(), "{reserved}");
    }
    assert!(map.help(Task::Detection).len() > 40);
    let pointer = |task| {
        map.help(task)
            .iter()
            .any(|l| l.label.starts_with("Keyboard pointer"))
    };
    assert!(pointer(Task::Detection) && !pointer(Task::Classification) && !pointer(Task::Entities));
    assert!(map.help(Task::Classification).iter().all(|l| !l.keys.is_empty()));
}

#[test]
fn a_box_drawn_in_a_turned_view_lies_in_the_image_s_pixels() {
    for turn in [0.0, 90.0, 180.0, 270.0, 33.0] {
        let mut e = Editor::new(doc(Task::Detection, Vec::new()), History::default());
        e.set_category(category(1));
        e.resize_view(Size {
            width: 800.0,
            height: 600.0,
        });
        e.turn_view(turn);
        e.set_tool(Tool::Box);
        let at = |e: &Editor, x, y| Pointer {
            id: 1,
            at: e.view().to_screen(Point::new(x, y)),
            button: Button::Primary,
            mods: Mods::default(),
            kind: PointerKind::Mouse,
        };
        e.pointer_down(at(&e, 100.0, 60.0));
        e.pointer_move(at(&e, 180.0, 100.0));
        e.pointer_up(at(&e, 220.0, 140.0));
        let Some(Shape::Box { rect }) = e.doc().iter().next().map(|a| a.shape.clone()) else {
            panic!("a box is drawn at {turn} degrees");
        };
        let want = Rect::new(100.0, 60.0, 120.0, 80.0);
        let off = [rect.x - want.x, rect.y - want.y, rect.w - want.w, rect.h - want.h];
        assert!(off.iter().all(|d| d.abs() <= 1.0), "{turn}: {rect:?}");
    }
}
