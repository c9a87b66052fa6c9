//! Videos: the tools work on a frame, and what they do goes into tracks.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::*;
use limn_domain::project::Task;
use limn_domain::track::{self, Keyframe};
use limn_domain::{Annotation, AnnotationId, Rect, Shape, Size};
use limn_editor::keymap::{Chord, Overrides};
use limn_editor::{Action, Command, Editor, History, Keymap, Mods, Tool};
use proptest::prelude::*;

const FRAMES: u32 = 30;

fn video(list: Vec<Annotation>, tool: Tool) -> Editor {
    let mut e = Editor::new_video(doc(Task::Objects, list), History::default(), FRAMES);
    e.resize_view(Size {
        width: 800.0,
        height: 600.0,
    });
    e.one_to_one();
    e.set_category(category(1));
    e.set_tool(tool);
    e
}

fn keys(e: &Editor, id: AnnotationId) -> Vec<(u32, bool)> {
    let a = e.stored().get(id).unwrap();
    a.shape.keyframes().iter().map(|k| (k.frame, k.outside)).collect()
}

fn rect_on(e: &Editor, id: AnnotationId, frame: u32) -> Option<Rect> {
    track::at(e.stored().get(id)?.shape.keyframes(), frame)?
        .shape
        .bounds()
}

/// A box drawn on frame 0 and dragged by 100 pixels on frame 10.
fn walked() -> (Editor, AnnotationId) {
    let mut e = video(Vec::new(), Tool::Box);
    drag(&mut e, (100.0, 100.0), (150.0, 140.0));
    let id = e.selection().single().unwrap();
    e.set_tool(Tool::Select);
    assert!(e.step_frames(10));
    drag(&mut e, (120.0, 120.0), (220.0, 120.0));
    (e, id)
}

#[test]
fn drawing_makes_a_track_and_dragging_a_keyframe() {
    let (e, id) = walked();
    assert_eq!(keys(&e, id), [(0, false), (10, false)]);
    let x = |frame| rect_on(&e, id, frame).map(|r| r.x);
    assert_eq!(x(0), Some(100.0));
    assert_eq!(x(5), Some(150.0));
    assert_eq!(x(10), Some(200.0));
    assert_eq!(x(29), Some(200.0), "it stays to the end");
    let seen = e.doc().get(id).unwrap();
    assert!(matches!(seen.shape, Shape::Box { .. }), "tools see plain shapes");
}

#[test]
fn everything_is_one_step_back_and_forth() {
    let (mut e, id) = walked();
    e.go_to_frame(20);
    assert!(e.toggle_outside());
    assert_eq!(keys(&e, id), [(0, false), (10, false), (20, true)]);
    assert_eq!(e.doc().len(), 0, "it is not on this frame");
    assert!(e.selection().contains(id), "and stays selected");
    assert!(e.go_to_frame(5));
    assert!(e.toggle_occluded());
    assert!(
        track::at(e.stored().get(id).unwrap().shape.keyframes(), 7)
            .unwrap()
            .occluded
    );
    assert!(e.split_selected());
    let second = e.selection().single().unwrap();
    assert_ne!(second, id);
    assert_eq!(keys(&e, id), [(0, false), (5, true)]);
    assert_eq!(keys(&e, second)[0], (5, false));
    e.select_track(id, true);
    assert_eq!(e.merge_selected(), Ok(true));
    assert_eq!(e.stored().len(), 1);
    assert_eq!(rect_on(&e, id, 5).map(|r| r.x), Some(150.0));
    assert!(e.only_here());
    assert_eq!(keys(&e, id), [(5, false), (6, true)]);
    let last = shown(e.stored());
    let mut steps = 0;
    while e.undo().is_some() {
        steps += 1;
    }
    assert_eq!(steps, 7, "one step each");
    assert!(e.stored().is_empty() && e.doc().is_empty());
    while e.redo().is_some() {}
    assert_eq!(shown(e.stored()), last);
}

#[test]
fn undo_shows_the_frame_where_it_happened() {
    let (mut e, id) = walked();
    e.go_to_frame(25);
    e.undo();
    assert_eq!(e.frame(), 10);
    assert_eq!(keys(&e, id), [(0, false)]);
    e.undo();
    assert_eq!(e.frame(), 0);
    e.redo();
    assert_eq!((e.frame(), e.doc().len()), (0, 1));
}

#[test]
fn a_category_goes_to_the_whole_track_and_deleting_takes_all_of_it() {
    let (mut e, id) = walked();
    e.pick_category(category(2), true);
    assert_eq!(keys(&e, id).len(), 2, "no keyframe for that");
    assert_eq!(e.stored().get(id).unwrap().category_id, category(2));
    assert!(e.delete_selected());
    assert!(e.stored().is_empty());
}

#[test]
fn keyframes_come_and_go() {
    let (mut e, id) = walked();
    e.go_to_frame(4);
    assert!(!e.is_on_keyframe());
    assert!(e.toggle_keyframe());
    assert!(e.is_on_keyframe());
    assert_eq!(
        rect_on(&e, id, 2).map(|r| r.x),
        Some(120.0),
        "nothing moves by that"
    );
    assert!(e.step_keyframe(true));
    assert_eq!(e.frame(), 10);
    assert!(e.step_keyframe(false) && e.step_keyframe(false) && !e.step_keyframe(false));
    assert_eq!(e.frame(), 0);
    e.go_to_frame(4);
    assert!(e.toggle_keyframe());
    assert_eq!(keys(&e, id), [(0, false), (10, false)]);
}

#[test]
fn an_object_begins_earlier_where_it_is_brought_back_before_its_first_frame() {
    let mut e = video(Vec::new(), Tool::Box);
    e.go_to_frame(8);
    drag(&mut e, (100.0, 100.0), (150.0, 140.0));
    let id = e.selection().single().unwrap();
    e.go_to_frame(3);
    assert!(e.doc().is_empty());
    assert!(e.toggle_outside());
    assert_eq!(keys(&e, id), [(3, false), (8, false)]);
    assert_eq!(e.doc().len(), 1);
    // The only keyframe cannot be outside.
    let mut e = video(Vec::new(), Tool::Box);
    drag(&mut e, (100.0, 100.0), (150.0, 140.0));
    assert!(!e.toggle_outside());
}

#[test]
fn tracks_that_are_there_at_once_do_not_merge() {
    let (mut e, id) = walked();
    let mut other = e.stored().get(id).unwrap().clone();
    other.id = AnnotationId::new();
    e.run(Command::Add(vec![Annotation {
        shape: Shape::Box {
            rect: Rect::new(1.0, 1.0, 5.0, 5.0),
        },
        ..other
    }]));
    assert!(e.merge_selected().is_err(), "one is selected");
    let ids: Vec<_> = e.stored().iter().map(|a| a.id).collect();
    for id in ids {
        if !e.selection().contains(id) {
            e.select_track(id, true);
        }
    }
    let why = e.merge_selected().unwrap_err();
    assert!(why.contains("frame 10"), "{why}");
}

#[test]
fn what_cannot_be_in_a_track_changes_nothing() {
    let (mut e, id) = walked();
    let before = shown(e.stored());
    let mask = limn_domain::Mask::from_pixels(1, 1, 1, 1, &[1]).unwrap();
    assert!(!e.run(Command::Reshape(vec![(id, Shape::Mask { mask })], Vec::new())));
    assert_eq!(shown(e.stored()), before);
    e.set_read_only(true);
    assert!(!e.toggle_outside() && !e.split_selected());
    assert_eq!(e.merge_selected().ok(), None);
    assert_eq!(shown(e.stored()), before);
}

#[test]
fn the_work_is_saved_as_tracks() {
    let (mut e, id) = walked();
    let change = e.stored_mut().begin_save(0).unwrap().clone();
    assert_eq!(change.upserts.len(), 1);
    assert_eq!(change.upserts[0].id, id);
    assert_eq!(change.upserts[0].shape.keyframes().len(), 2);
    e.stored_mut().acknowledge(change.change_id, 4);
    assert!(e.stored().is_clean());
    e.go_to_frame(3);
    assert!(e.stored().is_clean(), "looking is no change");
}

#[test]
fn lanes_say_where_tracks_are() {
    let (mut e, id) = walked();
    e.go_to_frame(20);
    e.toggle_outside();
    let lanes = e.lanes();
    assert_eq!(lanes.len(), 1);
    assert_eq!(lanes[0].id, id);
    assert_eq!(lanes[0].spans, [(0, 20, false)]);
    assert_eq!(lanes[0].keys, [(0, false), (10, false), (20, true)]);
    let seek = {
        e.clear_selection();
        e.seek(id);
        e.frame()
    };
    assert_eq!(seek, 0);
}

#[test]
fn keys_of_videos_go_first_and_do_not_clash() {
    let map = Keymap::default();
    let press = |code, video| map.action(code, "", Mods::default(), video);
    assert_eq!(press("KeyF", true), Some(Action::FrameNext));
    assert_eq!(press("KeyF", false), Some(Action::Next));
    assert_eq!(press("KeyX", true), Some(Action::Skip));
    assert_eq!(map.key(Action::SelectTool, true).unwrap().caps(), ["Shift", "V"]);
    // The defaults are free of clashes, and a clash is named.
    assert!(Keymap::with_overrides(&Overrides::default()).is_ok());
    let twice = Overrides::default().with(Action::SplitTrack, vec![Chord::parse("KeyO")]);
    let why = Keymap::with_overrides(&twice).unwrap_err();
    assert!(why.contains("leaves the picture"), "{why}");
    let skip = Overrides::default().with(Action::SplitTrack, vec![Chord::parse("KeyX")]);
    assert!(
        Keymap::with_overrides(&skip).is_err(),
        "skipping works on videos too"
    );
    // The eraser does not, so its key is free there.
    let free = Overrides::default().with(Action::OnlyHere, vec![Chord::parse("KeyB")]);
    assert!(Keymap::with_overrides(&free).is_ok());
    assert!(map.help(Task::Objects).iter().any(|l| l.label == "Next frame"));
    assert!(!map.help(Task::Semantic).iter().any(|l| l.label == "Next frame"));
}

/// What can be done on a video.
#[derive(Debug, Clone)]
enum Doing {
    Go(u32),
    Run(Box<Command>),
    Pick(u8),
    Outside,
    Occluded,
    Key,
    Only,
    Split,
    Merge,
}

fn doing() -> impl Strategy<Value = Doing> {
    prop_oneof![
        4 => (0..FRAMES).prop_map(Doing::Go),
        6 => command().prop_map(|c| Doing::Run(Box::new(c))),
        3 => (0..24_u8).prop_map(Doing::Pick),
        1 => Just(Doing::Outside),
        1 => Just(Doing::Occluded),
        1 => Just(Doing::Key),
        1 => Just(Doing::Only),
        1 => Just(Doing::Split),
        1 => Just(Doing::Merge),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_done_leaves_tracks_and_can_be_undone(list in prop::collection::vec(doing(), 1..40)) {
        let mut e = video(Vec::new(), Tool::Select);
        for d in list {
            match d {
                Doing::Go(n) => {
                    e.go_to_frame(n);
                }
                Doing::Run(c) if matches!(*c, Command::Classify(_)) => {}
                Doing::Run(c) => {
                    e.run(*c);
                }
                Doing::Pick(n) => e.select_track(id(n), true),
                Doing::Outside => {
                    e.toggle_outside();
                }
                Doing::Occluded => {
                    e.toggle_occluded();
                }
                Doing::Key => {
                    e.toggle_keyframe();
                }
                Doing::Only => {
                    e.only_here();
                }
                Doing::Split => {
                    e.split_selected();
                }
                Doing::Merge => {
                    let _ = e.merge_selected();
                }
            }
            for a in e.stored().iter() {
                let Shape::Track { keyframes } = &a.shape else { panic!("{a:?}") };
                prop_assert_eq!(track::check(keyframes, FRAMES), Ok(()));
                // The frame in view is what the tracks say.
                let seen = track::at(keyframes, e.frame()).map(|s| s.shape);
                prop_assert_eq!(seen.as_ref(), e.doc().get(a.id).map(|a| &a.shape));
            }
            prop_assert!(e.doc().iter().all(|a| e.stored().contains(a.id)));
        }
        let last = shown(e.stored());
        while e.undo().is_some() {}
        prop_assert!(e.stored().is_empty());
        while e.redo().is_some() {}
        prop_assert_eq!(shown(e.stored()), last);
    }
}

#[test]
fn interpolated_shapes_of_a_stored_track_are_seen() {
    let mut a = boxed(1, 1, Rect::new(10.0, 10.0, 20.0, 20.0), 0);
    a.shape = Shape::Track {
        keyframes: vec![
            Keyframe::new(
                2,
                Shape::Box {
                    rect: Rect::new(0.0, 0.0, 10.0, 10.0),
                },
            ),
            Keyframe::new(
                6,
                Shape::Box {
                    rect: Rect::new(8.0, 0.0, 10.0, 10.0),
                },
            ),
        ],
    };
    let mut e = video(vec![a], Tool::Select);
    assert!(e.doc().is_empty());
    e.go_to_frame(3);
    assert_eq!(e.doc().bounds(id(1)), Some(Rect::new(2.0, 0.0, 10.0, 10.0)));
}
