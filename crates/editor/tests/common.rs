//! Random documents and commands.
#![allow(dead_code, reason = "each test file uses its part")]

use limn_domain::annotation::ItemAnnotations;
use limn_domain::polygon::Part;
use limn_domain::project::Task;
use limn_domain::{
    Annotation, AnnotationId, CategoryId, ItemId, Keypoint, Point, Rect, Shape, Size, Source, Timestamp,
    TurnedRect, Visibility,
};
use limn_editor::document::Document;
use limn_editor::{Command, Editor, History, Mods, Order, Pointer, Tool};
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
        attributes: limn_domain::Attributes::new(),
        links: limn_domain::Links::default(),
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
        attributes: limn_domain::Attributes::new(),
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

/// The shapes that are neither box nor outline, as large as the box.
pub fn other(kind: u8, r: Rect) -> Shape {
    let turned = TurnedRect {
        angle: 30.0,
        ..TurnedRect::upright(r)
    };
    let corners = vec![[r.x, r.y], [r.right(), r.y], [r.right(), r.bottom()]];
    match kind {
        3 => Shape::RotatedBox { rect: turned },
        4 => Shape::Ellipse { rect: turned },
        5 => Shape::Polyline { points: corners },
        6 => Shape::Points { points: corners },
        _ => Shape::Keypoints {
            keypoints: vec![
                Keypoint::new(Point::new(r.x, r.y), Visibility::Visible),
                Keypoint::default(),
                Keypoint::new(Point::new(r.right(), r.bottom()), Visibility::Hidden),
            ],
        },
    }
}

pub fn annotation() -> impl Strategy<Value = Annotation> {
    (0..24_u8, 0..4_u8, rect(), -2..3_i64, 0..12_u8).prop_map(|(n, c, r, z, kind)| {
        let mut a = boxed(n, c, r, z);
        match kind {
            0 => a.shape = Shape::Whole,
            2 => a.shape = Shape::Polygon { parts: diamond(r) },
            3..=7 => a.shape = other(kind, r),
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
        (0..24_u8, 3..8_u8, rect(), ids(), annotation()).prop_map(|(n, kind, r, gone, new)| {
            let gone = gone.into_iter().filter(|g| *g != id(n) && *g != new.id).collect();
            Command::Paint(vec![(id(n), other(kind, r))], gone, Some(new))
        }),
        (ids(), 0..4_u8).prop_map(|(i, c)| {
            let none = limn_domain::Attributes::new();
            Command::Relabel(i.into_iter().map(|i| (i, none.clone())).collect(), category(c))
        }),
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

pub fn pointer(e: &Editor, x: f64, y: f64, mods: Mods) -> Pointer {
    Pointer {
        at: e.view().to_screen(Point::new(x, y)),
        mods,
        ..Pointer::default()
    }
}

pub fn click_with(e: &mut Editor, x: f64, y: f64, mods: Mods) {
    let p = pointer(e, x, y, mods);
    e.pointer_move(p);
    e.pointer_down(p);
    e.pointer_up(p);
}

pub fn click(e: &mut Editor, x: f64, y: f64) {
    click_with(e, x, y, Mods::default());
}

pub fn drag(e: &mut Editor, from: (f64, f64), to: (f64, f64)) {
    let p = pointer(e, from.0, from.1, Mods::default());
    e.pointer_move(p);
    e.pointer_down(p);
    for i in 1..=8 {
        let t = f64::from(i) / 8.0;
        let p = pointer(
            e,
            from.0 + (to.0 - from.0) * t,
            from.1 + (to.1 - from.1) * t,
            Mods::default(),
        );
        e.pointer_move(p);
    }
    let p = pointer(e, to.0, to.1, Mods::default());
    e.pointer_up(p);
}

/// A workspace in which screen and image pixels are the same.
pub fn workspace(task: Task, list: Vec<Annotation>, tool: Tool) -> Editor {
    let mut e = Editor::new(doc(task, list), History::default());
    e.resize_view(Size {
        width: 800.0,
        height: 600.0,
    });
    e.one_to_one();
    e.set_category(category(1));
    e.set_tool(tool);
    e
}

/// Takes everything back and does it again; the document must be the same in the end, and as at first in between.
pub fn undo_to_nothing_and_redo(e: &mut Editor, first: &limn_editor::Annotations) {
    let last = shown(e.doc());
    while e.undo().is_some() {}
    assert_eq!(&shown(e.doc()), first);
    while e.redo().is_some() {}
    assert_eq!(shown(e.doc()), last);
}

/// A category whose objects have keypoints.
pub fn with_skeleton(skeleton: limn_domain::Skeleton) -> limn_editor::Definition {
    limn_editor::Definition {
        parent: None,
        skeleton: Some(skeleton),
        ..limn_editor::Definition::default()
    }
}
