//! Proposed spans: accepted and refused one after the other in the order of the text, all at once, and by changing them.

mod common;

use common::{boxed, category, doc, id};
use limn_domain::project::Task;
use limn_domain::{Annotation, Rect, Shape, Source};
use limn_editor::{Editor, History};

fn proposed(n: u8, start: u32, end: u32) -> Annotation {
    Annotation {
        shape: Shape::Span { start, end },
        source: Source::Prelabel,
        score: Some(0.8),
        ..boxed(n, 0, Rect::default(), 0)
    }
}

/// In the order of the text 2, 1, 3.
fn editor() -> Editor {
    let list = vec![proposed(1, 10, 14), proposed(2, 0, 4), proposed(3, 20, 25)];
    let mut e = Editor::new(doc(Task::Entities, list), History::default());
    e.set_length(40);
    e
}

fn sources(e: &Editor) -> Vec<(u32, Source)> {
    e.spans().iter().map(|(a, start, _)| (*start, a.source)).collect()
}

#[test]
fn one_after_the_other_in_the_order_of_the_text() {
    let mut e = editor();
    e.select(id(2), false);
    assert!(e.accept_selected());
    assert_eq!(e.selection().single(), Some(id(1)), "the next of the text");
    assert!(e.delete_selected());
    assert_eq!(e.selection().single(), Some(id(3)));
    assert_eq!(sources(&e), [(0, Source::Human), (20, Source::Prelabel)]);
    assert_eq!(e.doc().get(id(2)).and_then(|a| a.score), None);
    // A label that is deleted takes no other along.
    e.select(id(2), false);
    assert!(e.delete_selected());
    assert!(e.selection().is_empty());
    for _ in 0..3 {
        e.undo();
    }
    assert!(sources(&e).iter().all(|(_, s)| *s == Source::Prelabel));
    assert_eq!(e.doc().len(), 3);
}

#[test]
fn all_at_once_and_none() {
    let mut e = editor();
    assert!(e.accept_all());
    assert!(sources(&e).iter().all(|(_, s)| *s == Source::Human));
    assert!(!e.accept_all(), "nothing is left to accept");
    assert!(!e.reject_all());
    e.undo();
    assert!(e.reject_all());
    assert!(e.doc().is_empty());
    // What is hidden is neither accepted nor refused unseen.
    e.undo();
    e.toggle_hidden(id(1));
    assert!(e.reject_all());
    assert_eq!(sources(&e), [(10, Source::Prelabel)]);
}

#[test]
fn what_is_changed_or_marked_again_is_a_label() {
    let mut e = editor();
    assert!(e.set_span(id(1), 10, 16));
    assert!(e.accept(id(3)));
    assert!(!e.accept(id(3)), "it is one");
    assert_eq!(
        sources(&e),
        [(0, Source::Prelabel), (10, Source::Human), (20, Source::Human)]
    );
    // The same stretch again is no second span.
    e.set_category(category(0));
    assert_eq!(e.add_spans(&[(0, 4)]), 0);
    assert_eq!(e.doc().len(), 3);
}
