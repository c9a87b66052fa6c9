//! Groups and relations.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{boxed, click, id, undo_to_nothing_and_redo, workspace};
use limn_domain::link::group_numbers;
use limn_domain::project::Task;
use limn_domain::{Annotation, Rect, Relation};
use limn_editor::document::merge::merge;
use limn_editor::{Editor, Tool};

fn three() -> Vec<Annotation> {
    (0..3_u8)
        .map(|n| {
            boxed(
                n,
                1,
                Rect::new(f64::from(n) * 100.0 + 10.0, 10.0, 60.0, 60.0),
                i64::from(n),
            )
        })
        .collect()
}

fn editor() -> Editor {
    workspace(Task::Detection, three(), Tool::Select)
}

fn to(n: u8, kind: &str) -> Relation {
    Relation {
        to: id(n),
        kind: kind.to_owned(),
    }
}

fn relations(e: &Editor, n: u8) -> Vec<Relation> {
    e.doc().get(id(n)).unwrap().links.relations.clone()
}

#[test]
fn objects_are_grouped_and_taken_out_again() {
    let mut e = editor();
    e.select(id(0), false);
    assert!(!e.group_selected(), "one is no group");
    e.select(id(2), true);
    assert!(e.group_selected());
    assert!(!e.group_selected(), "they are one already");
    assert_eq!(group_numbers(e.doc().iter()).len(), 1);
    e.select(id(0), false);
    e.select_groups();
    assert_eq!(e.selection().to_vec(), [id(0), id(2)]);
    // A copy is a group of its own.
    e.duplicate();
    assert_eq!(group_numbers(e.doc().iter()).len(), 2);
    e.undo();
    e.select(id(0), false);
    assert!(e.ungroup_selected());
    assert!(group_numbers(e.doc().iter()).is_empty());
    undo_to_nothing_and_redo(&mut e, &three().into_iter().map(|a| (a.id, a)).collect());
}

#[test]
fn a_relation_goes_to_the_object_that_is_clicked() {
    let mut e = editor();
    assert!(!e.begin_relation(), "nothing is selected");
    e.select(id(0), false);
    e.set_relation_kind("holds".to_owned());
    assert!(e.begin_relation());
    click(&mut e, 140.0, 40.0);
    assert_eq!(relations(&e, 0), [to(1, "holds")]);
    assert_eq!(e.selection().single(), Some(id(0)));
    assert_eq!(e.relating(), None);
    // Escape and a click beside all leave it.
    e.begin_relation();
    assert!(e.escape());
    e.begin_relation();
    click(&mut e, 300.0, 300.0);
    assert_eq!((e.relating(), e.relations().len()), (None, 1));
    // From the list, and not to itself.
    e.begin_relation();
    e.select(id(0), false);
    assert_eq!(relations(&e, 0).len(), 1);
    e.begin_relation();
    e.select(id(2), false);
    assert_eq!(relations(&e, 0), [to(1, "holds"), to(2, "holds")]);

    e.say_relation(id(0), &to(1, "holds"), "beside".to_owned());
    assert_eq!(relations(&e, 0), [to(1, "beside"), to(2, "holds")]);
    e.turn_relation(id(0), &to(2, "holds"));
    assert_eq!(
        (relations(&e, 0), relations(&e, 2)),
        (vec![to(1, "beside")], vec![to(0, "holds")])
    );
    undo_to_nothing_and_redo(&mut e, &three().into_iter().map(|a| (a.id, a)).collect());
    e.drop_relation(id(0), &to(1, "beside"));
    assert!(relations(&e, 0).is_empty());
}

#[test]
fn relations_go_with_the_object_they_go_to_and_come_back_with_it() {
    let mut e = editor();
    e.relate(id(0), id(1));
    e.relate(id(1), id(2));
    e.delete(id(1));
    assert!(relations(&e, 0).is_empty());
    e.undo();
    assert_eq!(
        (relations(&e, 0), relations(&e, 1)),
        (vec![to(1, "")], vec![to(2, "")])
    );
    // Those between copies stay between them.
    e.select_these(&[id(0), id(1)]);
    e.duplicate();
    let copies = e.selection().to_vec();
    let inner: Vec<_> = copies
        .iter()
        .flat_map(|c| e.doc().get(*c).unwrap().links.relations.clone())
        .collect();
    assert_eq!(inner.len(), 1);
    assert!(copies.contains(&inner[0].to));
    undo_to_nothing_and_redo(&mut e, &three().into_iter().map(|a| (a.id, a)).collect());
}

#[test]
fn relations_of_two_people_all_stand() {
    let list = |f: &dyn Fn(&mut Annotation)| {
        let mut a = boxed(0, 1, Rect::new(0.0, 0.0, 5.0, 5.0), 0);
        f(&mut a);
        std::iter::once((a.id, a)).collect()
    };
    let base = list(&|a| {
        a.links.relate(to(9, "old"));
    });
    let mine = list(&|a| {
        a.links.relate(to(9, "old"));
        a.links.relate(to(1, "mine"));
    });
    let theirs = list(&|a| {
        a.links.relate(to(2, "theirs"));
    });
    let m = merge(Task::Detection, &base, &mine, &theirs);
    assert!(m.conflicts.is_empty());
    let got = &m.merged[&id(0)].links.relations;
    assert_eq!(*got, [to(1, "mine"), to(2, "theirs")]);
}
