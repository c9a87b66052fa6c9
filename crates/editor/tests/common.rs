//! Random documents and commands.
#![allow(dead_code, reason = "each test file uses its part")]

use limn_domain::annotation::ItemAnnotations;
use limn_domain::polygon::Part;
use limn_domain::project::Task;
use limn_domain::{Annotation, AnnotationId, CategoryId, ItemId, Rect, Shape, Size, Source, Timestamp};
use limn_editor::document::Document;
use limn_editor::{Command, Order};
use proptest::prelude::*;

pub const SIZE: Size = Size {
    width: 640.0,
    height: 480.0,
};

/// The `n`th id of a small pool, so that random commands meet.
pub fn id(n: u8) -> AnnotationId {
    format!("00000000-0000-7000-8000-0000000000{n:02x}")
        .parse()
        .expect("id")
}

pub fn category(n: u8) -> CategoryId {
    format!("10000000-0000-7000-8000-0000000000{n:02x}")
        .parse()
        .expect("id")
}

pub fn boxed(n: u8, c: u8, r: Rect, z: i64) -> Annotation {
    Annotation {
        id: id(n),
        category_id: category(c),
        shape: Shape::Box { rect: r },
        z,
        source: Source::Human,
        score: None,
    }
}

pub fn server(revision: i64, annotations: Vec<Annotation>) -> ItemAnnotations {
    ItemAnnotations {
        item_id: ItemId::nil(),
        revision,
        updated_by: None,
        updated_by_name: None,
        updated_at: Timestamp(0),
        annotations,
    }
}

pub fn doc(task: Task, annotations: Vec<Annotation>) -> Document {
    Document::new(task, SIZE, server(3, annotations))
}

pub fn rect() -> impl Strategy<Value = Rect> {
    (0.0..600.0_f64, 0.0..440.0_f64, 1.0..200.0_f64, 1.0..200.0_f64)
        // Quarters of a pixel survive being written as text exactly.
        .prop_map(|(x, y, w, h)| {
            let q = |v: f64| (v * 4.0).round() / 4.0;
            Rect::new(q(x), q(y), q(w), q(h)).clipped(SIZE)
        })
}

/// A diamond with a hole, as large as the box.
pub fn diamond(r: Rect) -> Vec<Part> {
    let ring = |inset: f64| {
        let (cx, cy) = (r.x + r.w / 2.0, r.y + r.h / 2.0);
        let (dx, dy) = (r.w / 2.0 * inset, r.h / 2.0 * inset);
        vec![[cx, cy - dy], [cx + dx, cy], [cx, cy + dy], [cx - dx, cy]]
    };
    vec![vec![ring(1.0), ring(0.4)]]
}

pub fn annotation() -> impl Strategy<Value = Annotation> {
    (0..24_u8, 0..4_u8, rect(), -2..3_i64, 0..6_u8).prop_map(|(n, c, r, z, kind)| {
        let mut a = boxed(n, c, r, z);
        match kind {
            0 => a.shape = Shape::Whole,
            2 => a.shape = Shape::Polygon { parts: diamond(r) },
            1 => {
                a.source = Source::Prelabel;
                a.score = Some(0.5);
            }
            _ => {}
        }
        a
    })
}

/// With distinct ids.
pub fn annotations() -> impl Strategy<Value = Vec<Annotation>> {
    prop::collection::vec(annotation(), 0..24).prop_map(|list| {
        let mut seen = std::collections::HashSet::new();
        list.into_iter().filter(|a| seen.insert(a.id)).collect()
    })
}

fn ids() -> impl Strategy<Value = Vec<AnnotationId>> {
    prop::collection::btree_set(0..24_u8, 0..5).prop_map(|s| s.into_iter().map(id).collect())
}

pub fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        annotations().prop_map(Command::Add),
        ids().prop_map(Command::Remove),
        prop::collection::btree_map(0..24_u8, rect(), 0..5)
            .prop_map(|m| Command::Move(m.into_iter().map(|(n, r)| (id(n), r)).collect())),
        (0..24_u8, rect()).prop_map(|(n, r)| Command::Resize(id(n), r)),
        (0..24_u8, rect(), ids()).prop_map(|(n, r, gone)| {
            let shape = Shape::Polygon { parts: diamond(r) };
            Command::Reshape(
                vec![(id(n), shape)],
                gone.into_iter().filter(|g| *g != id(n)).collect(),
            )
        }),
        (ids(), 0..4_u8).prop_map(|(i, c)| Command::Relabel(i, category(c))),
        (prop::collection::vec(0..24_u8, 1), 0..4_u8).prop_map(|(i, o)| {
            let order = [Order::Front, Order::Back, Order::Up, Order::Down][usize::from(o)];
            Command::Reorder(i.into_iter().map(id).collect(), order)
        }),
        prop::collection::btree_set(0..4_u8, 0..3)
            .prop_map(|s| Command::Classify(s.into_iter().map(category).collect())),
        ids().prop_map(Command::Accept),
        ids().prop_map(Command::Reject),
    ]
}

/// What is shown, by id.
pub fn shown(d: &Document) -> limn_editor::Annotations {
    d.iter().map(|a| (a.id, a.clone())).collect()
}
