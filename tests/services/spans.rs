//! Spans of documents: what is saved, what is refused, and documents that are classified.

use crate::code;
use crate::labels::{World, boxed, change, whole};
use limn_domain::item::AddItemOutcome;
use limn_domain::project::Task;
use limn_domain::queue::Submit;
use limn_domain::{Annotation, CategoryId, Code, ItemId, Rect, Shape};
use limn_testkit::on_both;

fn span(category: CategoryId, start: u32, end: u32) -> Annotation {
    Annotation {
        shape: Shape::Span { start, end },
        ..boxed(category, Rect::default())
    }
}

async fn document(w: &World, name: &str, text: &str) -> ItemId {
    let body = futures::stream::iter([Ok::<_, std::io::Error>(bytes::Bytes::from(text.to_owned()))]);
    let added = w.studio.ingest.add(&w.manager, w.project, name, body).await;
    match added.unwrap() {
        AddItemOutcome::Added { item } => item.id,
        AddItemOutcome::Unchanged { .. } => panic!("`{name}` was there"),
    }
}

#[tokio::test]
async fn spans_overlap_and_lie_in_their_document() {
    on_both(async |db| {
        let w = World::new(&db, Task::Entities, 0).await;
        let c = w.categories[0];
        // Five scalar values, six code units, eight bytes.
        let item = document(&w, "a.txt", "a😀bcd").await;
        let good = vec![
            span(c, 0, 5),
            span(c, 1, 2),
            span(w.categories[1], 0, 5),
            span(c, 0, 5),
        ];
        w.save(&w.ana, item, change(0, good.clone())).await.unwrap();
        let kept = w.labels(item).await;
        assert_eq!(kept.len(), 4);
        for a in &good {
            assert_eq!(&kept.iter().find(|k| k.id == a.id).unwrap().shape, &a.shape);
        }
        for (bad, why) in [
            (span(c, 0, 6), "beyond the document's 5 characters"),
            (span(c, 3, 3), "must be after the span's start"),
            (span(c, 4, 2), "must be after the span's start"),
            (span(c, 0, u32::MAX), "beyond the document's"),
            (whole(c), "must be one of `span`"),
            (boxed(c, Rect::new(0.0, 0.0, 1.0, 1.0)), "must be one of `span`"),
        ] {
            let e = w.save(&w.ana, item, change(1, vec![bad])).await.unwrap_err();
            assert!(e.message.contains(why), "{e:?}");
        }
        assert_eq!(w.labels(item).await.len(), 4, "nothing half-written");
    })
    .await;
}

#[tokio::test]
async fn a_document_is_submitted_with_one_category() {
    on_both(async |db| {
        let w = World::new(&db, Task::TextClassification, 0).await;
        let (a, b) = (w.categories[0], w.categories[1]);
        let item = document(&w, "a.txt", "good").await;
        let two = w.save(&w.ana, item, change(0, vec![whole(a), whole(b)])).await;
        assert!(two.unwrap_err().message.contains("has one category"));
        let submit = Submit {
            revision: 0,
            change: None,
        };
        let none = w.studio.queue.submit(&w.ana, item, submit).await;
        assert_eq!(code(none), Code::InvalidInput, "without a category");
        w.save(&w.ana, item, change(0, vec![whole(a)])).await.unwrap();
        assert_eq!(w.labels(item).await[0].shape, Shape::Whole);
    })
    .await;
}
