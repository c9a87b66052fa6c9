//! Laws of commands, history, saving and merging.

mod common;

use common::*;
use limn_domain::project::Task;
use limn_domain::{Annotation, Rect, Shape, Source};
use limn_editor::document::merge::{merge, resolve};
use limn_editor::{Annotations, Command, Document, Editor, History, Side};
use proptest::prelude::*;
use std::collections::{BTreeSet, HashMap};

/// Order, index and difference agree with what is shown.
fn check(d: &Document, base: &Annotations) {
    let shown_now = shown(d);
    assert_eq!(shown_now.len(), d.len());
    let keys: Vec<_> = d.iter().map(|a| (a.z, a.id)).collect();
    assert!(keys.is_sorted(), "drawing order");
    let everything = Rect::new(-1e6, -1e6, 2e6, 2e6);
    let indexed: BTreeSet<_> = d.near(everything).into_iter().map(|a| a.id).collect();
    let boxes: BTreeSet<_> = d
        .iter()
        .filter(|a| a.shape != Shape::Whole)
        .map(|a| a.id)
        .collect();
    assert_eq!(indexed, boxes, "index");
    let (upserts, removes) = d.diff();
    let mut there = base.clone();
    for id in &removes {
        there.remove(id);
    }
    there.extend(upserts.into_iter().map(|a| (a.id, a)));
    assert_eq!(there, shown_now, "difference applied to the base");
}

proptest! {
    #[test]
    fn undo_is_the_exact_inverse(
        start in annotations(), commands in prop::collection::vec(command(), 1..20), single: bool,
    ) {
        let task = if single { Task::Classification } else { Task::Detection };
        let mut d = doc(task, start);
        let base = shown(&d);
        let mut history = History::default();
        let mut states = vec![base.clone()];
        for c in commands {
            if let Some(change) = c.compile(&d) {
                d.apply(&change);
                history.push(change);
                check(&d, &base);
                states.push(shown(&d));
            }
        }
        for state in states.iter().rev().skip(1) {
            prop_assert!(history.undo(&mut d).is_some());
            prop_assert_eq!(&shown(&d), state);
            check(&d, &base);
        }
        prop_assert!(history.undo(&mut d).is_none());
        prop_assert!(d.is_clean());
        // The history survives being written down.
        let text = serde_json::to_string(&history).expect("json");
        let mut history: History = serde_json::from_str(&text).expect("json");
        for state in states.iter().skip(1) {
            prop_assert!(history.redo(&mut d).is_some());
            prop_assert_eq!(&shown(&d), state);
        }
        prop_assert!(history.redo(&mut d).is_none());
    }

    #[test]
    fn an_acknowledged_save_leaves_only_later_edits(
        start in annotations(), before in prop::collection::vec(command(), 0..6), after in prop::collection::vec(command(), 0..6),
    ) {
        let mut d = doc(Task::Detection, start);
        let mut on_server = shown(&d);
        for c in before {
            if let Some(change) = c.compile(&d) { d.apply(&change); }
        }
        let sent = d.begin_save(7).cloned();
        for c in after {
            if let Some(change) = c.compile(&d) { d.apply(&change); }
        }
        // Asking again sends the very same change.
        if sent.is_some() { prop_assert_eq!(d.begin_save(9).cloned(), sent.clone()); }
        if let Some(change) = sent {
            for a in change.upserts { on_server.insert(a.id, a); }
            for id in change.removes { on_server.remove(&id); }
            d.acknowledge(change.change_id, 4);
            prop_assert_eq!(d.revision(), 4);
        }
        check(&d, &on_server);
        if let Some(change) = d.begin_save(0).cloned() {
            prop_assert_eq!(change.base_revision, d.revision());
            d.acknowledge(change.change_id, 5);
        }
        prop_assert!(d.is_clean());
    }

    #[test]
    fn kept_work_comes_back(start in annotations(), commands in prop::collection::vec(command(), 0..8), at in 0..8_usize) {
        let mut d = doc(Task::Detection, start.clone());
        for (i, c) in commands.into_iter().enumerate() {
            if i == at { d.begin_save(0); }
            if let Some(change) = c.compile(&d) { d.apply(&change); }
        }
        let local = d.to_local(&History::default(), 12, None);
        let text = serde_json::to_string(&local).expect("json");
        let mut local: limn_editor::LocalState = serde_json::from_str(&text).expect("json");
        let (back, outcome) = Document::restore(Task::Detection, SIZE, server(3, start.clone()), &local);
        prop_assert!(outcome.conflicts.is_empty());
        prop_assert_eq!(shown(&back), shown(&d));
        prop_assert_eq!(back.in_flight(), d.in_flight());
        prop_assert_eq!(back.diff(), d.diff());
        // Sent without opening the item, in one or two saves, the server ends up with what was shown.
        let mut there: Annotations = start.into_iter().map(|a| (a.id, a)).collect();
        let mut revision = 3;
        while let Some(c) = local.begin_save().cloned() {
            prop_assert_eq!(c.base_revision, revision);
            revision += 1;
            for a in c.upserts { there.insert(a.id, a); }
            for id in c.removes { there.remove(&id); }
            local.acknowledge(c.change_id, revision);
        }
        prop_assert!(!local.is_pending());
        prop_assert_eq!(there, shown(&d));
    }

    #[test]
    fn merge_laws(b in annotations(), m in annotations(), t in annotations()) {
        let map = |list: &[Annotation]| -> Annotations { list.iter().map(|a| (a.id, a.clone())).collect() };
        let (b, m, t) = (map(&b), map(&m), map(&t));
        let task = Task::Detection;
        for (x, y, z, want) in [(&b, &m, &b, &m), (&b, &b, &t, &t), (&b, &m, &m, &m), (&b, &b, &b, &b)] {
            let out = merge(task, x, y, z);
            prop_assert_eq!(&out.merged, want);
            prop_assert!(out.conflicts.is_empty());
        }
        let one = merge(task, &b, &m, &t);
        let other = merge(task, &b, &t, &m);
        let ids = |m: &limn_editor::Merge| m.conflicts.iter().map(|c| c.id).collect::<Vec<_>>();
        prop_assert_eq!(ids(&one), ids(&other), "both sides see the same conflicts");
        for c in &one.conflicts {
            prop_assert!(c.base != c.mine && c.base != c.theirs && c.mine != c.theirs);
            prop_assert_eq!(one.merged.get(&c.id), c.mine.as_ref(), "mine stands meanwhile");
        }
        let all: HashMap<_, _> = one.conflicts.iter().map(|c| (c.id, Side::Theirs)).collect();
        let resolved = resolve(one.clone(), &all);
        for c in &one.conflicts { prop_assert_eq!(resolved.get(&c.id), c.theirs.as_ref()); }
        for id in ids(&one) { prop_assert!(b.contains_key(&id) || (m.contains_key(&id) && t.contains_key(&id))); }
    }

    #[test]
    fn a_conflicting_save_is_rebased(start in annotations(), mine in prop::collection::vec(command(), 1..5), theirs in prop::collection::vec(command(), 1..5)) {
        let mut d = doc(Task::Detection, start.clone());
        let mut other = doc(Task::Detection, start);
        for c in mine { if let Some(x) = c.compile(&d) { d.apply(&x); } }
        for c in theirs { if let Some(x) = c.compile(&other) { other.apply(&x); } }
        d.begin_save(0);
        let now = server(9, other.iter().cloned().collect());
        let outcome = d.merge_with(&now);
        let merged = outcome.merged.clone();
        let mut editor = Editor::new(d, History::default());
        let conflicts = outcome.conflicts.clone();
        editor.take_merge(now, outcome);
        prop_assert_eq!(shown(editor.doc()), merged);
        prop_assert_eq!(editor.doc().revision(), 9);
        check(editor.doc(), &shown(&other));
        let all: HashMap<_, _> = conflicts.iter().map(|c| (c.id, Side::Theirs)).collect();
        editor.decide(&all);
        for c in &conflicts { prop_assert_eq!(editor.doc().get(c.id), c.theirs.as_ref()); }
        check(editor.doc(), &shown(&other));
    }
}

#[test]
fn a_move_and_a_relabel_both_stand() {
    let b = boxed(1, 0, Rect::new(1.0, 1.0, 5.0, 5.0), 0);
    let mut m = b.clone();
    m.shape = Shape::Box {
        rect: Rect::new(9.0, 1.0, 5.0, 5.0),
    };
    let mut t = b.clone();
    t.category_id = category(2);
    let map = |a: &Annotation| Annotations::from([(a.id, a.clone())]);
    let out = merge(Task::Detection, &map(&b), &map(&m), &map(&t));
    assert!(out.conflicts.is_empty());
    let got = &out.merged[&id(1)];
    assert_eq!(got.category_id, category(2));
    assert_eq!(got.shape, m.shape);
}

#[test]
fn two_single_labels_conflict() {
    let whole = |n, c| Annotation {
        shape: Shape::Whole,
        ..boxed(n, c, Rect::default(), 0)
    };
    let map = |a: &Annotation| Annotations::from([(a.id, a.clone())]);
    let (mine, theirs) = (whole(1, 0), whole(2, 1));
    let out = merge(
        Task::Classification,
        &Annotations::new(),
        &map(&mine),
        &map(&theirs),
    );
    assert_eq!(out.merged, map(&mine));
    assert_eq!(out.conflicts.len(), 1);
    let choice = HashMap::from([(out.conflicts[0].id, Side::Theirs)]);
    assert_eq!(resolve(out, &choice), map(&theirs));
    let same = merge(
        Task::Classification,
        &Annotations::new(),
        &map(&mine),
        &map(&whole(2, 0)),
    );
    assert!(same.conflicts.is_empty());
    assert_eq!(same.merged.len(), 1);
}

#[test]
fn touching_a_proposal_confirms_it() {
    let mut p = boxed(1, 0, Rect::new(1.0, 1.0, 5.0, 5.0), 0);
    p.source = Source::Prelabel;
    p.score = Some(0.9);
    let d = doc(Task::Detection, vec![p]);
    let change = Command::Accept(vec![id(1)]).compile(&d).expect("changes");
    let after = change.edits[0].after.as_ref().expect("there");
    assert_eq!((after.source, after.score), (Source::Human, None));
    let change = Command::Relabel(vec![(id(1), limn_domain::Attributes::new())], category(3))
        .compile(&d)
        .expect("changes");
    assert_eq!(
        change.edits[0].after.as_ref().map(|a| a.source),
        Some(Source::Human)
    );
}
