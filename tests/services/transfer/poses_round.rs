//! Keypoints out as YOLO and CVAT, rotated boxes as YOLO, and in again.

use super::{World, world};
use limn_domain::annotation::SaveChange;
use limn_domain::category::NewCategory;
use limn_domain::export::{ExportFormat, NewExport};
use limn_domain::job::JobState;
use limn_domain::project::Task;
use limn_domain::{
    Annotation, AnnotationId, CategoryId, ChangeId, ItemId, Keypoint, Point, Rect, Role, Shape, Skeleton,
    Source, TurnedRect, Visibility,
};
use limn_services::Actor;
use limn_testkit::{TestDb, build, on_both};

async fn category(world: &World, name: &str, skeleton: Option<Skeleton>) -> CategoryId {
    let new = NewCategory {
        name: name.into(),
        skeleton,
        ..NewCategory::default()
    };
    world
        .studio
        .categories
        .create(&world.manager, world.project, new)
        .await
        .unwrap()
        .id
}

async fn save(world: &World, item: ItemId, category_id: CategoryId, shapes: &[Shape]) {
    let upserts = shapes.iter().zip(0..).map(|(shape, z)| Annotation {
        id: AnnotationId::new(),
        category_id,
        shape: shape.clone(),
        z,
        source: Source::Human,
        score: None,
        attributes: limn_domain::Attributes::new(),
        links: limn_domain::Links::default(),
    });
    let change = SaveChange {
        change_id: ChangeId::new(),
        base_revision: 0,
        upserts: upserts.collect(),
        removes: vec![],
        active_ms: 0,
        attributes: None,
    };
    world
        .studio
        .annotations
        .save(&world.manager, item, change)
        .await
        .unwrap();
}

/// Exports, imports into a project that knows nothing of it, and answers with that one and its labels.
async fn around(db: &TestDb, world: World, task: Task, format: ExportFormat) -> (World, Vec<Shape>) {
    let input = NewExport {
        format,
        ..NewExport::default()
    };
    let (result, bytes) = world.export(world.project, input).await;
    assert!(result.notes.is_empty(), "{:?}", result.notes);
    let project = build::project(db, format.as_str(), task).await;
    let items = build::items(db, project, "p", 1).await;
    build::member(db, project, world.manager.user_id().unwrap(), Role::Manager).await;
    let other = World { project, ..world };
    let report = other.import(format.import(), &[("set.zip", bytes)]).await;
    assert_eq!((report.refused, report.fixed), (0, 0), "{report:#?}");
    let labels = other
        .studio
        .annotations
        .get(&Actor::System, items[0])
        .await
        .unwrap();
    (other, labels.annotations.into_iter().map(|a| a.shape).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keypoints_come_back_with_their_skeleton() {
    on_both(async |db| {
        let world = world(&db, Task::Keypoints).await;
        let items = build::items(&db, world.project, "p", 1).await;
        let person = category(&world, "person", Some(Skeleton::coco_person())).await;
        let mut keypoints = vec![Keypoint::default(); 17];
        keypoints[4] = Keypoint::new(Point::new(0.5, 0.75), Visibility::Hidden);
        keypoints[9] = Keypoint::new(Point::new(600.0, 33.3), Visibility::Visible);
        save(
            &world,
            items[0],
            person,
            &[Shape::Keypoints {
                keypoints: keypoints.clone(),
            }],
        )
        .await;
        let source = world.project;
        let (other, back) = around(&db, world, Task::Keypoints, ExportFormat::Cvat).await;
        assert_eq!(
            back,
            [Shape::Keypoints {
                keypoints: keypoints.clone()
            }]
        );
        let all = other
            .studio
            .categories
            .list(&Actor::System, other.project)
            .await
            .unwrap();
        assert_eq!(all.len(), 1, "keypoints are no categories: {all:#?}");
        assert_eq!(all[0].skeleton, Some(Skeleton::coco_person()));
        let world = World {
            project: source,
            ..other
        };
        let (other, back) = around(&db, world, Task::Keypoints, ExportFormat::Yolo).await;
        let [Shape::Keypoints { keypoints: back }] = back.as_slice() else {
            panic!("{back:?}")
        };
        for (got, want) in back.iter().zip(&keypoints) {
            assert!(
                got.visibility == want.visibility
                    && (got.x - want.x).abs() < 1e-5
                    && (got.y - want.y).abs() < 1e-5
            );
        }
        let all = other
            .studio
            .categories
            .list(&Actor::System, other.project)
            .await
            .unwrap();
        let learned = all.into_iter().find(|c| c.name == "person").unwrap().skeleton;
        assert_eq!(learned, Some(Skeleton::coco_person()));

        // One number of keypoints for all classes, or none is written.
        let mut short = Skeleton::coco_person();
        short.keypoints.truncate(3);
        short.edges.clear();
        short.symmetry.clear();
        let world = World {
            project: source,
            ..other
        };
        category(&world, "hand", Some(short)).await;
        let input = NewExport {
            format: ExportFormat::Yolo,
            ..NewExport::default()
        };
        let job = world.exports.start(&Actor::System, source, input).await.unwrap();
        let job = world.finish(job.id).await;
        assert_eq!(job.state, JobState::Failed);
        let why = job.error.unwrap();
        assert!(why.contains("`person` has 17 and `hand` 3"), "{why}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotated_boxes_come_back() {
    on_both(async |db| {
        let world = world(&db, Task::Detection).await;
        let items = build::items(&db, world.project, "p", 1).await;
        let ship = category(&world, "ship", None).await;
        let rect = TurnedRect {
            cx: 100.1,
            cy: 50.7,
            w: 33.3,
            h: 7.5,
            angle: -17.3,
        };
        let upright = Rect::new(1.5, 2.5, 30.0, 7.0);
        save(
            &world,
            items[0],
            ship,
            &[Shape::RotatedBox { rect }, Shape::Box { rect: upright }],
        )
        .await;
        let (_, back) = around(&db, world, Task::Detection, ExportFormat::YoloObb).await;
        let [Shape::RotatedBox { rect: turned }, Shape::Box { rect: plain }] = back.as_slice() else {
            panic!("{back:?}")
        };
        for (got, want) in turned.corners().iter().zip(rect.corners()) {
            assert!(got.distance(want) < 1e-5, "{turned:?}");
        }
        assert!(
            (plain.x - upright.x).abs() < 1e-5 && (plain.w - upright.w).abs() < 1e-5,
            "{plain:?}"
        );
    })
    .await;
}
