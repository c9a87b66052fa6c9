//! Projects that label by outlines: what is saved.

use crate::labels::{World, boxed, change, whole};
use limn_domain::polygon::{Part, area};
use limn_domain::project::Task;
use limn_domain::{Annotation, CategoryId, Code, Mask, Rect, Shape};
use limn_testkit::on_both;

fn polygon(category: CategoryId, parts: Vec<Part>) -> Annotation {
    Annotation {
        shape: Shape::Polygon { parts },
        ..boxed(category, Rect::default())
    }
}

fn masked(category: CategoryId, mask: Mask) -> Annotation {
    Annotation {
        shape: Shape::Mask { mask },
        ..boxed(category, Rect::default())
    }
}

fn ring(corners: &[[f64; 2]]) -> Vec<Part> {
    vec![vec![corners.to_vec()]]
}

#[tokio::test]
async fn outlines_are_kept_mended_or_refused_by_name() {
    on_both(async |db| {
        let w = World::new(&db, Task::Segmentation, 1).await;
        let (item, c) = (w.items[0], w.categories[0]);
        // The items are 640 x 480.
        let good = polygon(c, ring(&[[1.1, 2.2], [30.3, 2.2], [30.3, 40.4]]));
        let mask = masked(c, Mask::from_pixels(600, 400, 2, 2, &[1, 1, 0, 1]).unwrap());
        let bow = polygon(c, ring(&[[0.0, 0.0], [10.0, 10.0], [10.0, 0.0], [0.0, 10.0]]));
        let over = polygon(
            c,
            ring(&[[630.0, 470.0], [650.0, 470.0], [650.0, 490.0], [630.0, 490.0]]),
        );
        let list = vec![good.clone(), mask.clone(), bow.clone(), over.clone()];
        w.save(&w.ana, item, change(0, list)).await.unwrap();
        let kept = w.labels(item).await;
        let of = |a: &Annotation| &kept.iter().find(|k| k.id == a.id).unwrap().shape;
        assert_eq!(
            (of(&good), of(&mask)),
            (&good.shape, &mask.shape),
            "to the last digit"
        );
        for (a, pixels) in [(&bow, 50.0), (&over, 100.0)] {
            let Shape::Polygon { parts } = of(a) else { panic!() };
            assert!((area(parts) - pixels).abs() < 1e-3, "{parts:?}");
        }
        let sound = Mask::from_pixels(0, 0, 2, 2, &[1; 4]).unwrap();
        let bad = [
            boxed(c, Rect::new(1., 1., 5., 5.)),
            whole(c),
            polygon(c, vec![]),
            polygon(c, ring(&[[1.0, 1.0], [5.0, 5.0]])),
            polygon(c, ring(&[[1.0, 1.0], [5.0, 5.0], [9.0, 9.0]])),
            polygon(c, ring(&[[700.0, 1.0], [705.0, 1.0], [705.0, 9.0]])),
            polygon(c, ring(&[[f64::NAN, 1.0], [5.0, 1.0], [5.0, 9.0]])),
            polygon(c, vec![vec![vec![[1.0, 1.0]; 60_000]]]),
            masked(
                c,
                Mask {
                    counts: "\u{7f}".into(),
                    ..sound.clone()
                },
            ),
            masked(
                c,
                Mask {
                    width: 3,
                    ..sound.clone()
                },
            ),
            masked(
                c,
                Mask {
                    x: 639,
                    ..sound.clone()
                },
            ),
            masked(
                c,
                Mask {
                    counts: "4".into(),
                    ..sound
                },
            ),
        ];
        for bad in bad {
            let name: String = format!("{bad:?}").chars().take(200).collect();
            let e = w
                .save(&w.ana, item, change(1, vec![good.clone(), bad]))
                .await
                .expect_err(&name);
            assert_eq!(
                (e.code, e.fields[0].field.as_str()),
                (Code::InvalidInput, "upserts[1]"),
                "{name}: {e}"
            );
        }
        assert_eq!(w.labels(item).await, kept, "nothing was written");
    })
    .await;
}
