//! What is said of objects.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{boxed, category, drag, id, shown, undo_to_nothing_and_redo, workspace};
use limn_domain::attribute::check_attributes;
use limn_domain::project::Task;
use limn_domain::{Annotation, Attribute, AttributeKind, AttributeValue, Attributes, Rect};
use limn_editor::document::Document;
use limn_editor::document::merge::merge;
use limn_editor::{Definition, Editor, Tool};

fn definition() -> Definition {
    let attribute = |name: &str, kind, required, default| Attribute {
        key: String::new(),
        name: name.to_owned(),
        kind,
        required,
        default,
    };
    let options = vec!["red".to_owned(), "blue".to_owned()];
    let red = Some(AttributeValue::Text("red".into()));
    let list = vec![
        attribute("Colour", AttributeKind::Select { options }, true, red),
        attribute("Occluded", AttributeKind::Checkbox, true, None),
        attribute(
            "Age",
            AttributeKind::Number {
                min: Some(0.0),
                max: None,
            },
            false,
            None,
        ),
    ];
    Definition {
        parent: None,
        attributes: check_attributes(list).unwrap(),
        ..Definition::default()
    }
}

fn editor() -> Editor {
    let mut e = workspace(Task::Detection, vec![], Tool::Box);
    e.set_definitions(std::iter::once((category(1), definition())).collect());
    e
}

fn values(e: &Editor) -> String {
    let a = e.doc().iter().next().unwrap();
    serde_json::to_string(&a.attributes).unwrap()
}

#[test]
fn new_objects_have_the_defaults_and_the_rest_is_asked_for() {
    let mut e = editor();
    drag(&mut e, (10.0, 10.0), (60.0, 60.0));
    assert_eq!(values(&e), r#"{"colour":"red"}"#);
    let first = e.doc().iter().next().unwrap().id;
    assert_eq!(e.undescribed(), Some((first, "Occluded".to_owned())));
    assert_eq!(
        e.describe_selected("occluded", Some(AttributeValue::Flag(true))),
        Ok(true)
    );
    assert_eq!(e.undescribed(), None);
    assert_eq!(
        e.describe_selected("age", Some(AttributeValue::Number(3.0))),
        Ok(true)
    );
    let wrong = e
        .describe_selected("age", Some(AttributeValue::Number(-3.0)))
        .unwrap_err();
    assert!(wrong.contains("at least 0"), "{wrong}");
    assert_eq!(values(&e), r#"{"age":3.0,"colour":"red","occluded":true}"#);
    assert_eq!(e.describe_selected("age", None), Ok(true));
    assert_eq!(e.describe_selected("shape", None), Ok(false));
    undo_to_nothing_and_redo(&mut e, &limn_editor::Annotations::new());
}

#[test]
fn another_category_keeps_what_it_knows() {
    let mut e = editor();
    drag(&mut e, (10.0, 10.0), (60.0, 60.0));
    e.describe_selected("occluded", Some(AttributeValue::Flag(true)))
        .unwrap();
    let mut other = definition();
    other.attributes.remove(0);
    other.attributes[1].default = Some(AttributeValue::Number(7.0));
    e.set_definitions(
        [(category(1), definition()), (category(2), other)]
            .into_iter()
            .collect(),
    );
    assert!(e.relabel_selected(category(2)));
    assert_eq!(values(&e), r#"{"age":7.0,"occluded":true}"#);
    assert!(e.relabel_selected(category(3)));
    assert_eq!(values(&e), "{}");
}

#[test]
fn two_people_who_say_different_things_are_merged_by_attribute() {
    let with = |list: &[(&str, bool)]| Annotation {
        attributes: list
            .iter()
            .map(|(k, v)| ((*k).to_owned(), AttributeValue::Flag(*v)))
            .collect::<Attributes>(),
        ..boxed(1, 1, Rect::new(1.0, 1.0, 5.0, 5.0), 0)
    };
    let of = |a: Annotation| std::iter::once((a.id, a)).collect();
    let base = of(with(&[("a", true), ("b", true)]));
    let both = merge(
        Task::Detection,
        &base,
        &of(with(&[("a", false), ("b", true)])),
        &of(with(&[("a", true), ("c", true)])),
    );
    assert!(both.conflicts.is_empty());
    assert_eq!(both.merged[&id(1)], with(&[("a", false), ("c", true)]));
    let clash = merge(
        Task::Detection,
        &base,
        &of(with(&[("b", false)])),
        &of(with(&[("a", true)])),
    );
    assert_eq!(clash.conflicts.len(), 1);
    assert_eq!(shown(editor().doc()).len(), 0);
}

#[test]
fn what_is_said_of_the_item_is_kept_undone_and_merged() {
    let mut e = editor();
    let text = |t: &str| Some(AttributeValue::Text(t.to_owned()));
    let list = vec![Attribute {
        key: String::new(),
        name: "Weather".to_owned(),
        kind: AttributeKind::Text,
        required: true,
        default: None,
    }];
    e.set_item_attributes(check_attributes(list).unwrap());
    assert_eq!(e.item_undescribed(), Some("Weather"));
    assert!(e.doc().is_clean());
    assert_eq!(e.describe_item("weather", text("rain")), Ok(true));
    assert_eq!(e.describe_item("weather", text("rain")), Ok(false));
    assert_eq!(e.describe_item("unknown", text("x")), Ok(false));
    assert!(e.item_undescribed().is_none() && !e.doc().is_clean());
    e.undo();
    assert!(e.doc().is_clean() && e.doc().about().is_empty());
    e.redo();
    // A save carries all of it; what is said meanwhile goes with the next one.
    let change = e.stored_mut().begin_save(0).unwrap().clone();
    assert_eq!(
        change.attributes.as_ref().unwrap()["weather"],
        text("rain").unwrap()
    );
    e.describe_item("weather", text("sun")).unwrap();
    assert!(e.doc().has_more());
    // Kept over a reload with the save under way.
    let local = e.doc().to_local(e.history(), 0, None);
    let server = common::server(e.doc().revision(), vec![]);
    let (again, _) = Document::restore(Task::Detection, common::SIZE, server, &local);
    assert_eq!(
        (again.about(), again.in_flight()),
        (e.doc().about(), Some(&change))
    );
    e.stored_mut().acknowledge(change.change_id, 4);
    assert!(!e.doc().is_clean());
    // Somebody else said something else of it, and of another attribute: mine stands, theirs comes in.
    let mut theirs = common::server(9, vec![]);
    theirs
        .attributes
        .insert("weather".to_owned(), text("snow").unwrap());
    theirs
        .attributes
        .insert("quality".to_owned(), text("good").unwrap());
    let merge = e.doc().merge_with(&theirs);
    e.take_merge(theirs, merge);
    let said = serde_json::to_string(e.doc().about()).unwrap();
    assert_eq!(said, r#"{"quality":"good","weather":"sun"}"#);
    assert!(!e.doc().is_clean());
}

#[test]
fn a_category_says_what_lies_above_it() {
    // 1 above 2 above 3; 4 by itself.
    let tree = || {
        let below = |parent| Definition {
            parent: Some(category(parent)),
            ..Definition::default()
        };
        [(2, below(1)), (3, below(2))]
            .map(|(n, d)| (category(n), d))
            .into_iter()
            .collect()
    };
    let said = |e: &Editor| -> Vec<_> { e.doc().whole().map(|a| a.category_id).collect() };
    let mut many = workspace(Task::Multilabel, vec![], Tool::Select);
    many.set_definitions(tree());
    assert!(many.is_below(category(3), category(1)) && !many.is_below(category(1), category(3)));
    many.toggle_whole(category(1));
    many.toggle_whole(category(4));
    many.toggle_whole(category(3));
    let mut now = said(&many);
    now.sort();
    assert_eq!(now, [category(3), category(4)]);
    // What is said already is not said again, and not taken back.
    let before = many.epochs().doc;
    many.toggle_whole(category(2));
    assert_eq!((said(&many).len(), many.epochs().doc), (2, before));
    many.toggle_whole(category(3));
    assert_eq!(said(&many), [category(4)]);
    undo_to_nothing_and_redo(
        &mut many,
        &shown(&limn_editor::Document::clone(
            workspace(Task::Multilabel, vec![], Tool::Select).doc(),
        )),
    );

    let mut one = workspace(Task::Classification, vec![], Tool::Select);
    one.set_definitions(tree());
    for n in [1, 3, 2] {
        one.toggle_whole(category(n));
        assert_eq!(said(&one), [category(n)]);
    }
}
