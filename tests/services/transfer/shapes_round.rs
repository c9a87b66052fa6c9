//! Shapes of every kind out as COCO and in again.

use super::{coco, codes, image, world};
use limn_domain::annotation::{SaveChange, SaveOutcome};
use limn_domain::category::NewCategory;
use limn_domain::export::NewExport;
use limn_domain::import::ImportFormat;
use limn_domain::project::Task;
use limn_domain::{
    Annotation, AnnotationId, ChangeId, Keypoint, Point, Shape, Skeleton, Source, TurnedRect, Visibility,
};
use limn_testkit::{build, on_both};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keypoints_and_turned_shapes_come_back_the_same() {
    on_both(async |db| {
        let world = world(&db, Task::Objects).await;
        let items = build::items(&db, world.project, "p", 1).await;
        let category = NewCategory {
            name: "person".into(),
            skeleton: Some(Skeleton::coco_person()),
            ..NewCategory::default()
        };
        let category = world
            .studio
            .categories
            .create(&world.manager, world.project, category)
            .await
            .unwrap();
        let rect = TurnedRect {
            cx: 100.1,
            cy: 50.7,
            w: 33.3,
            h: 7.5,
            angle: -17.3,
        };
        let mut keypoints = vec![Keypoint::default(); 17];
        keypoints[4] = Keypoint::new(Point::new(0.1, 0.7), Visibility::Hidden);
        keypoints[9] = Keypoint::new(Point::new(639.9, 479.3), Visibility::Visible);
        let shapes = [
            Shape::RotatedBox { rect },
            Shape::Ellipse { rect },
            Shape::Keypoints { keypoints },
            Shape::Polyline {
                points: vec![[1.0, 1.0], [5.0, 5.0]],
            },
        ];
        let upserts: Vec<Annotation> = shapes
            .iter()
            .zip(0..)
            .map(|(shape, z)| Annotation {
                id: AnnotationId::new(),
                category_id: category.id,
                shape: shape.clone(),
                z,
                source: Source::Human,
                score: None,
                attributes: limn_domain::Attributes::new(),
                links: limn_domain::Links::default(),
            })
            .collect();
        let change = SaveChange {
            change_id: ChangeId::new(),
            base_revision: 0,
            upserts,
            removes: vec![],
            active_ms: 0,
            attributes: None,
        };
        let saved = world
            .studio
            .annotations
            .save(&world.manager, items[0], change)
            .await
            .unwrap();
        assert!(matches!(saved, SaveOutcome::Saved { .. }));
        let (result, bytes) = world.export(world.project, NewExport::default()).await;
        assert_eq!(result.annotations, 3);
        assert!(
            result
                .notes
                .iter()
                .any(|n| n.contains("1 labels were left out: COCO has no form for a line")),
            "{:?}",
            result.notes
        );
        // Into a project that knows nothing of the skeleton.
        let other = build::project(&db, "Copy", Task::Objects).await;
        let copied = build::items(&db, other, "p", 1).await;
        build::member(
            &db,
            other,
            world.manager.user_id().unwrap(),
            limn_domain::Role::Manager,
        )
        .await;
        let other = super::World {
            project: other,
            ..world
        };
        let report = other
            .import(ImportFormat::Coco, &[("a.json", bytes.clone())])
            .await;
        assert_eq!(
            (report.annotations_added, report.refused, report.fixed),
            (3, 0, 0),
            "{report:#?}"
        );
        let back = other
            .studio
            .annotations
            .get(&limn_services::Actor::System, copied[0])
            .await
            .unwrap();
        let back: Vec<&Shape> = back.annotations.iter().map(|a| &a.shape).collect();
        assert_eq!(back, shapes[..3].iter().collect::<Vec<_>>());
        let again = other.import(ImportFormat::Coco, &[("a.json", bytes)]).await;
        assert_eq!(again.annotations_added, 0, "{again:#?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keypoints_that_do_not_fit_their_skeleton_are_refused_and_the_rest_comes_in() {
    on_both(async |db| {
        let world = world(&db, Task::Keypoints).await;
        build::items(&db, world.project, "p", 1).await;
        let pose = |id: i64, category: i64, keypoints: serde_json::Value| {
            json!({ "id": id, "image_id": 1, "category_id": category, "bbox": [1, 1, 8, 8], "keypoints": keypoints })
        };
        let mut file: serde_json::Value = serde_json::from_slice(&coco(
            &[image(1, "p000.jpg")],
            &[
                pose(1, 1, json!([10, 10, 2, 0, 0, 0])),
                pose(2, 1, json!([10, 10, 2])),
                pose(3, 1, json!([0, 0, 0, 0, 0, 0])),
                pose(4, 1, json!([10, 10, 9, 0, 0, 0])),
                pose(5, 2, json!([10, 10, 2, 0, 0, 0])),
                json!({ "id": 6, "image_id": 1, "category_id": 1, "bbox": [1, 1, 8, 8] }),
            ],
            &["cat", "dog"],
        ))
        .unwrap();
        file["categories"][0]["keypoints"] = json!(["nose", "tail"]);
        let report = world.import(ImportFormat::Coco, &[("a.json", file.to_string().into_bytes())]).await;
        assert_eq!((report.annotations_added, report.refused), (1, 5), "{report:#?}");
        for code in ["keypoint_count", "no_keypoints", "bad_keypoints", "no_skeleton", "not_keypoints"] {
            assert!(codes(&report).contains(&code), "{code} in {report:#?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outlines_become_pixels_in_semantic_segmentation() {
    on_both(async |db| {
        let world = world(&db, Task::Semantic).await;
        let items = build::items(&db, world.project, "p", 1).await;
        let outline =
            json!({ "id": 1, "image_id": 1, "category_id": 1, "segmentation": [[1, 1, 9, 1, 9, 9, 1, 9]] });
        let file = coco(&[image(1, "p000.jpg")], &[outline], &["road"]);
        let report = world.import(ImportFormat::Coco, &[("a.json", file)]).await;
        assert_eq!((report.annotations_added, report.refused), (1, 0), "{report:#?}");
        let labels = world
            .studio
            .annotations
            .get(&limn_services::Actor::System, items[0])
            .await
            .unwrap();
        let Shape::Mask { mask } = &labels.annotations[0].shape else {
            panic!("{labels:?}")
        };
        assert_eq!(mask.area(), 64);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_semantic_segmentation_a_file_s_objects_become_one_mask_a_category() {
    on_both(async |db| {
        let world = world(&db, Task::Semantic).await;
        let items = build::items(&db, world.project, "p", 1).await;
        let square = |id: i64, category: i64, x: i64| {
            let ring = [x, 1, x + 8, 1, x + 8, 9, x, 9];
            json!({ "id": id, "image_id": 1, "category_id": category, "segmentation": [ring] })
        };
        let objects = [square(1, 1, 1), square(2, 2, 5), square(3, 1, 20)];
        let file = coco(&[image(1, "p000.jpg")], &objects, &["road", "car"]);
        let report = world.import(ImportFormat::Coco, &[("a.json", file)]).await;
        assert_eq!((report.annotations_added, report.refused), (2, 0), "{report:#?}");
        assert!(codes(&report).contains(&"pixels_merged"), "{report:#?}");
        let labels = world
            .studio
            .annotations
            .get(&limn_services::Actor::System, items[0])
            .await
            .unwrap();
        let masks: Vec<_> = labels
            .annotations
            .iter()
            .map(|a| match &a.shape {
                Shape::Mask { mask } => mask,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(masks.iter().map(|m| m.area()).collect::<Vec<_>>(), [32 + 64, 64]);
        assert_eq!(masks[0].intersect(masks[1]), None);
    })
    .await;
}
