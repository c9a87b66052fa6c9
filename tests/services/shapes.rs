//! Shapes of every kind and the skeletons of categories: what is saved, what is refused.

use crate::labels::{World, boxed, change};
use crate::{code, refusal};
use limn_domain::category::{NewCategory, UpdateCategory};
use limn_domain::project::Task;
use limn_domain::{
    Annotation, CategoryId, Code, Keypoint, Mask, Point, Rect, Shape, Skeleton, Source, TurnedRect,
    Visibility,
};
use limn_testkit::on_both;

fn with(category: CategoryId, shape: Shape) -> Annotation {
    Annotation {
        shape,
        ..boxed(category, Rect::default())
    }
}

fn turned(cx: f64, cy: f64, angle: f64) -> TurnedRect {
    TurnedRect {
        cx,
        cy,
        w: 40.25,
        h: 10.125,
        angle,
    }
}

fn keypoints(n: usize) -> Shape {
    let mut keypoints = vec![Keypoint::default(); n];
    keypoints[0] = Keypoint::new(Point::new(12.34, 56.78), Visibility::Visible);
    keypoints[n - 1] = Keypoint::new(Point::new(1.5, 2.5), Visibility::Hidden);
    Shape::Keypoints { keypoints }
}

async fn give_skeleton(
    w: &World,
    category: CategoryId,
    skeleton: Option<Skeleton>,
) -> Result<(), limn_domain::ApiError> {
    let input = UpdateCategory {
        skeleton: Some(skeleton),
        ..UpdateCategory::default()
    };
    match w.studio.categories.update(&w.manager, category, input).await {
        Ok(_) => Ok(()),
        Err(e) => Err(e.into_api()),
    }
}

#[tokio::test]
async fn every_kind_is_kept_to_the_last_digit_or_refused_by_name() {
    on_both(async |db| {
        let w = World::new(&db, Task::Objects, 1).await;
        let (item, c) = (w.items[0], w.categories[0]);
        give_skeleton(&w, c, Some(Skeleton::coco_person())).await.unwrap();
        // The items are 640 x 480.
        let line = vec![[1.1, 2.2], [30.3, 40.4], [600.0, 480.0]];
        let square = vec![vec![vec![[1.0, 1.0], [9.0, 1.0], [9.0, 9.0]]]];
        let good = vec![
            with(
                c,
                Shape::Box {
                    rect: Rect::new(1.0, 2.0, 3.0, 4.0),
                },
            ),
            with(
                c,
                Shape::RotatedBox {
                    rect: turned(3.0, 4.0, -33.3),
                },
            ),
            with(
                c,
                Shape::Ellipse {
                    rect: turned(650.0, 240.0, 10.0),
                },
            ),
            with(c, Shape::Polyline { points: line.clone() }),
            with(c, Shape::Points { points: line.clone() }),
            with(c, Shape::Polygon { parts: square }),
            with(
                c,
                Shape::Mask {
                    mask: Mask::from_pixels(5, 6, 2, 1, &[1, 1]).unwrap(),
                },
            ),
            with(c, keypoints(17)),
        ];
        w.save(&w.ana, item, change(0, good.clone())).await.unwrap();
        let kept = w.labels(item).await;
        for a in &good {
            assert_eq!(&kept.iter().find(|k| k.id == a.id).unwrap().shape, &a.shape);
        }
        // What can be mended is: angles, points beyond the border.
        let over = with(
            c,
            Shape::RotatedBox {
                rect: turned(100.0, 100.0, 400.0),
            },
        );
        let beyond = with(
            c,
            Shape::Points {
                points: vec![[-5.0, 500.0]],
            },
        );
        w.save(&w.ana, item, change(1, vec![over.clone(), beyond.clone()]))
            .await
            .unwrap();
        let kept = w.labels(item).await;
        let of = |a: &Annotation| kept.iter().find(|k| k.id == a.id).unwrap().shape.clone();
        assert_eq!(
            of(&over),
            Shape::RotatedBox {
                rect: turned(100.0, 100.0, 40.0)
            }
        );
        assert_eq!(
            of(&beyond),
            Shape::Points {
                points: vec![[0.0, 480.0]]
            }
        );
        let bad = [
            Shape::Whole,
            Shape::RotatedBox {
                rect: turned(900.0, 100.0, 0.0),
            },
            Shape::RotatedBox {
                rect: TurnedRect {
                    w: 0.0,
                    ..turned(10.0, 10.0, 0.0)
                },
            },
            Shape::Ellipse {
                rect: turned(f64::NAN, 10.0, 0.0),
            },
            Shape::Ellipse {
                rect: TurnedRect {
                    w: 1e300,
                    ..turned(10.0, 10.0, 0.0)
                },
            },
            Shape::Polyline {
                points: vec![[1.0, 1.0]],
            },
            Shape::Polyline {
                points: vec![[1.0, 1.0], [f64::INFINITY, 1.0]],
            },
            Shape::Polyline {
                points: vec![[1.0, 1.0]; 60_000],
            },
            Shape::Points { points: vec![] },
            keypoints(16),
            Shape::Keypoints {
                keypoints: vec![Keypoint::default(); 17],
            },
        ];
        for shape in bad {
            let name: String = format!("{shape:?}").chars().take(120).collect();
            let e = w
                .save(&w.ana, item, change(2, vec![good[0].clone(), with(c, shape)]))
                .await
                .expect_err(&name);
            assert_eq!(
                (e.code, e.fields[0].field.as_str()),
                (Code::InvalidInput, "upserts[1]"),
                "{name}: {e}"
            );
        }
        let none = w
            .save(
                &w.ana,
                item,
                change(2, vec![with(w.categories[1], keypoints(17))]),
            )
            .await
            .unwrap_err();
        assert!(none.fields[0].message.contains("without a skeleton"), "{none}");
        assert_eq!(w.labels(item).await, kept, "nothing was written");
    })
    .await;
}

#[tokio::test]
async fn a_task_takes_its_own_kinds_only() {
    let cases = [
        (
            Task::Detection,
            Shape::RotatedBox {
                rect: turned(50.0, 50.0, 5.0),
            },
        ),
        (
            Task::Semantic,
            Shape::Mask {
                mask: Mask::from_pixels(0, 0, 1, 1, &[1]).unwrap(),
            },
        ),
    ];
    for (task, allowed) in cases {
        on_both(async |db| {
            let w = World::new(&db, task, 1).await;
            let (item, c) = (w.items[0], w.categories[0]);
            w.save(&w.ana, item, change(0, vec![with(c, allowed.clone())]))
                .await
                .unwrap();
            let point = with(
                c,
                Shape::Points {
                    points: vec![[1.0, 1.0]],
                },
            );
            let e = w.save(&w.ana, item, change(1, vec![point])).await.unwrap_err();
            assert!(e.fields[0].message.contains("not `points`"), "{e}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_pixel_of_semantic_segmentation_has_one_category() {
    on_both(async |db| {
        let w = World::new(&db, Task::Semantic, 1).await;
        let (item, a, b) = (w.items[0], w.categories[0], w.categories[1]);
        let block = |category, x, width: u32| {
            let pixels = vec![1; width as usize * 10];
            let mask = Mask::from_pixels(x, 0, width, 10, &pixels).unwrap();
            with(category, Shape::Mask { mask })
        };
        let (road, car) = (block(a, 0, 20), block(b, 15, 10));
        let both = change(0, vec![road.clone(), car.clone()]);
        let e = w.save(&w.ana, item, both.clone()).await.unwrap_err();
        assert_eq!(e.code, Code::InvalidInput);
        let why = &e.fields[0].message;
        for said in [road.id.to_string(), car.id.to_string(), "50 pixels".to_owned()] {
            assert!(why.contains(&said), "{why}");
        }
        let again = w.submit(&w.ana, item, 0, Some(both)).await.unwrap_err();
        assert_eq!(again.code, Code::InvalidInput);
        assert!(w.labels(item).await.is_empty(), "nothing was written");
        // A proposal claims nothing until it is accepted, and is cut then.
        let proposal = Annotation {
            source: Source::Prelabel,
            score: Some(0.5),
            ..car.clone()
        };
        let first = change(0, vec![road.clone(), proposal]);
        w.save(&w.ana, item, first).await.unwrap();
        let as_it_is = change(1, vec![car.clone()]);
        let e = w.save(&w.ana, item, as_it_is).await.unwrap_err();
        assert_eq!(e.code, Code::InvalidInput);
        let cut = Annotation {
            id: car.id,
            ..block(b, 20, 5)
        };
        w.save(&w.ana, item, change(1, vec![cut])).await.unwrap();
        // Pixels go from one to the other in one edit.
        let less = Annotation {
            id: road.id,
            ..block(a, 0, 15)
        };
        w.save(&w.ana, item, change(2, vec![car, less])).await.unwrap();
        assert_eq!(w.labels(item).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_skeleton_in_use_keeps_its_number_of_keypoints() {
    on_both(async |db| {
        let w = World::new(&db, Task::Keypoints, 1).await;
        let (item, c) = (w.items[0], w.categories[0]);
        let person = Skeleton::coco_person();
        give_skeleton(&w, c, Some(person.clone())).await.unwrap();
        give_skeleton(&w, c, None).await.unwrap();
        give_skeleton(&w, c, Some(person.clone())).await.unwrap();
        w.save(&w.ana, item, change(0, vec![with(c, keypoints(17))]))
            .await
            .unwrap();
        let mut fewer = person.clone();
        fewer.keypoints.truncate(3);
        fewer.edges.clear();
        fewer.symmetry.clear();
        for other in [None, Some(fewer.clone())] {
            let e = give_skeleton(&w, c, other).await.unwrap_err();
            assert_eq!(e.code, Code::WrongState);
            assert!(e.message.contains("1 objects"), "{e}");
        }
        // Names, lines and places change freely.
        let mut renamed = person.clone();
        renamed.keypoints[0].name = "beak".to_owned();
        renamed.edges.truncate(2);
        give_skeleton(&w, c, Some(renamed.clone())).await.unwrap();
        let list = w.studio.categories.list(&w.manager, w.project).await.unwrap();
        assert_eq!(
            list.iter().find(|x| x.id == c).unwrap().skeleton,
            Some(renamed.clone())
        );
        // Merged only into a category with as many.
        let merge = |into| w.studio.categories.merge(&w.manager, c, into);
        assert_eq!(code(merge(w.categories[1]).await), Code::WrongState);
        give_skeleton(&w, w.categories[1], Some(fewer)).await.unwrap();
        assert_eq!(code(merge(w.categories[1]).await), Code::WrongState);
        give_skeleton(&w, w.categories[1], Some(person)).await.unwrap();
        merge(w.categories[1]).await.unwrap();
        assert_eq!(w.labels(item).await[0].category_id, w.categories[1]);
        // What cannot be a skeleton is refused by name, here and for new categories.
        let mut wrong = renamed;
        wrong.edges.push([0, 99]);
        let e = give_skeleton(&w, w.categories[1], Some(wrong.clone()))
            .await
            .unwrap_err();
        assert_eq!(
            (e.code, e.fields[0].field.as_str()),
            (Code::InvalidInput, "skeleton")
        );
        let new = NewCategory {
            name: "crow".into(),
            skeleton: Some(wrong),
            ..NewCategory::default()
        };
        let e = refusal(w.studio.categories.create(&w.manager, w.project, new).await);
        assert_eq!(e.fields[0].field, "skeleton");
    })
    .await;
}
