//! How long the editor takes with 50,000 boxes: `cargo run --release -p limn-editor --example timing`.

use limn_domain::annotation::ItemAnnotations;
use limn_domain::project::Task;
use limn_domain::{
    Annotation, AnnotationId, CategoryId, ItemId, Point, Rect, Shape, Size, Source, Timestamp,
};
use limn_editor::{Document, Editor, History, Pointer, Tool};
use std::time::{Duration, Instant};

const N: usize = 50_000;

fn main() {
    let size = Size {
        width: 10_000.0,
        height: 10_000.0,
    };
    let category_id = CategoryId::new();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |max: f64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 11) as f64 / (1_u64 << 53) as f64 * max
    };
    let annotations = (0..N)
        .map(|i| {
            let side = if i % 50 == 0 { 900.0 } else { 60.0 };
            let rect = Rect::new(
                random(9_900.0),
                random(9_900.0),
                5.0 + random(side),
                5.0 + random(side),
            )
            .clipped(size);
            Annotation {
                id: AnnotationId::new(),
                category_id,
                shape: Shape::Box { rect },
                z: 0,
                source: Source::Human,
                score: None,
                attributes: limn_domain::Attributes::new(),
                links: limn_domain::Links::default(),
            }
        })
        .collect();
    let server = ItemAnnotations {
        item_id: ItemId::new(),
        revision: 1,
        updated_by: None,
        updated_by_name: None,
        updated_at: Timestamp(0),
        annotations,
        attributes: limn_domain::Attributes::new(),
    };
    let start = Instant::now();
    let mut editor = Editor::new(Document::new(Task::Detection, size, server), History::default());
    report("open", start.elapsed(), 1);
    editor.resize_view(Size {
        width: 1_440.0,
        height: 800.0,
    });
    editor.set_category(category_id);

    let mut at = |e: &Editor| Pointer {
        at: e.view().to_screen(Point::new(random(10_000.0), random(10_000.0))),
        ..Pointer::default()
    };
    let start = Instant::now();
    for _ in 0..2_000 {
        let p = at(&editor);
        editor.pointer_move(p);
    }
    report("hit-test (pointer move, fitted)", start.elapsed(), 2_000);

    let start = Instant::now();
    let mut drawn = 0;
    for _ in 0..200 {
        drawn += editor.doc().in_window(editor.view().window()).len();
    }
    report("shapes to draw, all in view", start.elapsed(), 200);
    assert!(drawn >= 200 * N);

    editor.one_to_one();
    let start = Instant::now();
    for _ in 0..2_000 {
        std::hint::black_box(editor.doc().in_window(editor.view().window()).len());
    }
    report("shapes to draw, 1:1", start.elapsed(), 2_000);

    editor.set_tool(Tool::Box);
    let start = Instant::now();
    for _ in 0..500 {
        let (a, b) = (at(&editor), at(&editor));
        editor.pointer_down(a);
        editor.pointer_move(b);
        editor.pointer_up(b);
    }
    report("draw a box", start.elapsed(), 500);
    let start = Instant::now();
    while editor.undo().is_some() {}
    report("undo", start.elapsed(), 500);
}

fn report(what: &str, took: Duration, times: u32) {
    println!("{what:34} {:9.1} us", took.as_secs_f64() * 1e6 / f64::from(times));
}
