//! The formats of many files: exported with pictures and imported into a new project, the labels are the same as far as the
//! format keeps them.

use super::{World, boxed, coco, codes, picture, turned_jpeg, unzip, world, zip};
use image::ImageFormat;
use limn_domain::export::{ExportFormat, FileNames, NewExport};
use limn_domain::import::ImportFormat;
use limn_domain::project::Task;
use limn_domain::{Code, Mask, Rect, Role, Shape, Size};
use limn_testkit::{TestDb, build, on_both};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// All but COCO, which has tests of its own.
fn formats(task: Task) -> impl Iterator<Item = ExportFormat> {
    // Formats of videos alone leave pictures out; captions are of items, and have tests of their own.
    ExportFormat::for_task(task)
        .filter(|f| !matches!(f, ExportFormat::Coco | ExportFormat::CocoCaptions) && !f.is_of_videos())
}

fn outline(id: i64, image: i64, shape: Value) -> Value {
    json!({ "id": id, "image_id": image, "category_id": 1 + id % 2, "bbox": [1, 1, 8, 8], "segmentation": shape })
}

/// Three pictures, one turned and two of the same name, with `labels`, then a fourth without any.
async fn filled(world: &World, labels: &[Value]) {
    let images = [
        json!({ "id": 1, "file_name": "one/a.v1.png", "width": 100, "height": 80 }),
        json!({ "id": 2, "file_name": "turned.jpg", "width": 80, "height": 100 }),
        json!({ "id": 3, "file_name": "two/a.v1.png", "width": 100, "height": 80 }),
    ];
    let archive = zip(&[
        ("one/a.v1.png", picture(100, 80, 10, ImageFormat::Png)),
        ("turned.jpg", turned_jpeg(100, 80, 6)),
        ("two/a.v1.png", picture(100, 80, 20, ImageFormat::Png)),
        ("two/empty.png", picture(30, 20, 30, ImageFormat::Png)),
        ("labels.json", coco(&images, labels, &["cat", "big dog"])),
    ]);
    let report = world.import(ImportFormat::Coco, &[("set.zip", archive)]).await;
    assert_eq!(
        (report.items_added, report.annotations_added, report.refused),
        (4, labels.len() as i64, 0),
        "{report:#?}"
    );
}

async fn other(db: &TestDb, world: &World, task: Task, name: &str) -> World {
    let other = World {
        studio: world.studio.clone(),
        project: build::project(db, name, task).await,
        manager: world.manager.clone(),
    };
    build::member(db, other.project, other.manager.user_id().unwrap(), Role::Manager).await;
    other
}

type Labels = BTreeMap<String, Vec<(String, Shape)>>;

async fn labels_of(world: &World) -> Labels {
    let all = world
        .categories
        .list(&limn_services::Actor::System, world.project)
        .await
        .unwrap();
    let names: BTreeMap<_, _> = all.into_iter().map(|c| (c.id, c.name)).collect();
    let items = world.items(world.project).await;
    let label = |a: limn_domain::Annotation| (names[&a.category_id].clone(), a.shape);
    let all = |(name, (_, all)): (String, (_, Vec<_>))| {
        let mut all: Vec<(String, Shape)> = all.into_iter().map(label).collect();
        if all.iter().all(|(_, s)| *s == Shape::Whole) {
            // Labels of a whole image lie nowhere: their order says nothing.
            all.sort_by(|a, b| a.0.cmp(&b.0));
        }
        (name, all)
    };
    items.into_iter().map(all).collect()
}

fn pixels(shape: &Shape) -> Option<Mask> {
    let size = Size {
        width: 100.0,
        height: 100.0,
    };
    match shape {
        Shape::Mask { mask } => mask.tidied(),
        Shape::Polygon { parts } => Mask::from_polygon(parts, size),
        _ => None,
    }
}

/// The same categories on the same items, and the same shapes to a ten-thousandth of a pixel or pixel by pixel.
fn assert_same(format: ExportFormat, was: &Labels, is: &Labels) {
    assert_eq!(
        was.keys().collect::<Vec<_>>(),
        is.keys().collect::<Vec<_>>(),
        "{format:?}"
    );
    for (name, labels) in was {
        let names = |all: &[(String, Shape)]| all.iter().map(|(c, _)| c.clone()).collect::<Vec<_>>();
        assert_eq!(names(labels), names(&is[name]), "{format:?} {name}");
        for ((_, a), (_, b)) in labels.iter().zip(&is[name]) {
            match (a, b) {
                (Shape::Box { rect: a }, Shape::Box { rect: b }) => {
                    assert!(near(*a, *b), "{format:?} {a:?} {b:?}");
                }
                (Shape::Whole, Shape::Whole) => {}
                _ => assert_eq!(pixels(a), pixels(b), "{format:?} {name}"),
            }
        }
    }
}

fn near(a: Rect, b: Rect) -> bool {
    let d = [a.x - b.x, a.y - b.y, a.w - b.w, a.h - b.h];
    d.iter().all(|d| d.abs() < 1e-4)
}

async fn around(db: &TestDb, task: Task, given: &[Value]) {
    let world = world(db, task).await;
    filled(&world, given).await;
    let was = labels_of(&world).await;
    for format in formats(task) {
        let name = format.as_str();
        for file_names in [FileNames::Preserve, FileNames::Flat] {
            let input = NewExport {
                format,
                with_images: true,
                file_names,
                ..NewExport::default()
            };
            let (result, bytes) = world.export(world.project, input).await;
            assert_eq!(
                (result.images, result.annotations),
                (4, given.len() as i64),
                "{name}"
            );
            assert_eq!(result.notes, Vec::<String>::new(), "{name}");
            assert_eq!(
                result.file_name,
                format!("raccoons-{}.zip", name.replace('_', "-"))
            );
            world.clock.advance_seconds(60);
            let (_, again) = world.export(world.project, input).await;
            assert_eq!(bytes, again, "{name}");
            if file_names == FileNames::Flat {
                continue;
            }
            let into = format.import();
            let other = other(db, &world, task, name).await;
            let report = other.import(into, &[("set.zip", bytes.clone())]).await;
            assert_eq!(
                (report.items_added, report.annotations_added, report.refused),
                (4, given.len() as i64, 0),
                "{name} {report:#?}"
            );
            assert_same(format, &was, &labels_of(&other).await);
            let again = other.import(into, &[("set.zip", bytes)]).await;
            assert_eq!((again.items_added, again.refused), (0, 0), "{name} {again:#?}");
        }
        // Without pictures, onto the items that are there.
        let (_, bytes) = world
            .export(
                world.project,
                NewExport {
                    format,
                    ..NewExport::default()
                },
            )
            .await;
        assert!(unzip(&bytes).iter().all(|(n, _)| !n.contains(".jpg")), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boxes_go_around() {
    on_both(async |db| {
        let given = [
            boxed(1, 1, 2, [0.1, 0.2, 33.3333333333, 1.0 / 3.0]),
            boxed(2, 1, 1, [10.7, 20.000001, 5.5, 6.25]),
            boxed(3, 2, 1, [60.0, 0.0, 20.0, 10.0]),
            boxed(4, 3, 2, [1.0, 2.0, 3.0, 4.0]),
        ];
        around(&db, Task::Detection, &given).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn classes_go_around() {
    on_both(async |db| {
        let given = [
            json!({ "id": 1, "image_id": 1, "category_id": 2 }),
            json!({ "id": 2, "image_id": 2, "category_id": 1 }),
            json!({ "id": 3, "image_id": 2, "category_id": 2 }),
        ];
        around(&db, Task::Multilabel, &given).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_label_that_cannot_be_said_or_read_is_named() {
    on_both(async |db| {
        let world = world(&db, Task::Detection).await;
        build::items(&db, world.project, "p", 2).await;
        // Names in one upload, labels in another; a class nobody named.
        let report = world
            .import(
                ImportFormat::Yolo,
                &[
                    (
                        "p000.txt",
                        b"1 0.5 0.5 0.25 0.5\n7 0.5 0.5 0.1 0.1\n0 0.1 0.1 0.2 0.1 0.2 0.2\n".to_vec(),
                    ),
                    ("p009.txt", b"0 0.5 0.5 0.1 0.1\n".to_vec()),
                    ("classes.txt", b"cat\ndog\n".to_vec()),
                ],
            )
            .await;
        assert_eq!(
            (report.annotations_added, report.categories_added, report.refused),
            (2, 2, 2),
            "{report:#?}"
        );
        assert_eq!(
            codes(&report),
            ["unknown_class", "box_from_outline", "missing_image"]
        );
        assert_eq!(world.category_names().await, ["cat", "dog"]);
        let all = labels_of(&world).await;
        assert_eq!(all["p000.jpg"][0].0, "dog");

        let whole = build::project(&db, "Classes", Task::Multilabel).await;
        let input = NewExport {
            format: ExportFormat::Yolo,
            ..NewExport::default()
        };
        let refused = world
            .exports
            .start(&limn_services::Actor::System, whole, input)
            .await
            .unwrap_err();
        let limn_services::Error::Api(refused) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(refused.code, Code::InvalidInput);
        assert!(
            refused.message.contains("YOLO") && refused.message.contains("coco"),
            "{}",
            refused.message
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outlines_go_around() {
    on_both(async |db| {
        let given = [
            outline(1, 1, json!([[1, 1, 9.25, 1, 9.5, 9, 1, 9]])),
            outline(2, 2, json!([[30.5, 40, 60, 40, 60, 80.125]])),
            outline(3, 3, json!([[30.5, 40, 60, 40, 60, 70.125, 20, 60]])),
        ];
        around(&db, Task::Segmentation, &given).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_and_masks_go_around_pixel_by_pixel() {
    on_both(async |db| {
        let world = world(&db, Task::Segmentation).await;
        let mut runs = vec![10, 5, 75, 5];
        runs.push(8_000 - runs.iter().sum::<u64>());
        let given = [
            outline(1, 1, json!([[1, 1, 9, 1, 9, 9], [20, 20, 30, 20, 30, 30]])),
            outline(2, 3, json!({ "size": [80, 100], "counts": runs })),
        ];
        filled(&world, &given).await;
        let was = labels_of(&world).await;
        for format in formats(Task::Segmentation) {
            let input = NewExport {
                format,
                with_images: true,
                ..NewExport::default()
            };
            let (result, bytes) = world.export(world.project, input).await;
            assert_eq!(result.annotations, 2, "{format:?}");
            let other = other(&db, &world, Task::Segmentation, &format!("{format:?}")).await;
            let report = other.import(format.import(), &[("set.zip", bytes)]).await;
            assert_eq!(
                (report.annotations_added, report.refused),
                (2, 0),
                "{format:?} {report:#?}"
            );
            assert_same(format, &was, &labels_of(&other).await);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_goes_around_as_jsonl_and_is_counted_elsewhere() {
    on_both(async |db| {
        let world = world(&db, Task::Objects).await;
        filled(&world, &[]).await;
        let categories = json!([
            { "id": 4, "name": "animal", "color": "#102030" },
            { "id": 7, "name": "lynx", "parent": 4, "color": "#405060", "skeleton": {
                "keypoints": [{ "name": "nose", "at": [0.5, 0.1] }, { "name": "tail", "at": [0.5, 0.9] }],
                "edges": [[0, 1]]
            } },
        ]);
        let turned = json!({ "cx": 40, "cy": 30.5, "w": 20, "h": 10, "angle": 30 });
        let label = |shape: Value| {
            let mut label = json!({ "category_id": 7 });
            label
                .as_object_mut()
                .unwrap()
                .extend(shape.as_object().unwrap().clone());
            label
        };
        let labels = [
            label(json!({ "kind": "rotated_box", "rect": turned })),
            label(json!({ "kind": "ellipse", "rect": turned })),
            label(json!({ "kind": "polyline", "points": [[1, 2], [3.25, 4]] })),
            label(json!({ "kind": "points", "points": [[1, 2], [3.25, 4]] })),
            label(json!({ "kind": "keypoints", "keypoints": [[5, 6, 2], [7, 8, 1]] })),
        ];
        let item = json!({ "file": "one/a.v1.png", "width": 100, "height": 80, "annotations": labels });
        let files = [
            ("categories.json", categories.to_string().into_bytes()),
            ("items.jsonl", format!("{item}\n").into_bytes()),
        ];
        let report = world.import(ImportFormat::Jsonl, &files).await;
        assert_eq!((report.annotations_added, report.refused), (5, 0), "{report:#?}");
        let was = labels_of(&world).await;
        for (format, kept) in [
            (ExportFormat::Jsonl, 5),
            (ExportFormat::Cvat, 5),
            (ExportFormat::Yolo, 2),
        ] {
            let input = NewExport {
                format,
                with_images: true,
                ..NewExport::default()
            };
            let (result, bytes) = world.export(world.project, input).await;
            assert_eq!(result.annotations, kept, "{format:?} {:?}", result.notes);
            let lost = result.notes.iter().filter(|n| n.contains("left out")).count();
            assert_eq!(lost > 0, kept < 5, "{format:?} {:?}", result.notes);
            let other = other(&db, &world, Task::Objects, format.as_str()).await;
            let report = other.import(format.import(), &[("set.zip", bytes)]).await;
            assert_eq!(
                (report.annotations_added, report.refused),
                (kept, 0),
                "{format:?} {report:#?}"
            );
            if format == ExportFormat::Jsonl {
                assert_eq!(was, labels_of(&other).await);
                let all = other
                    .categories
                    .list(&limn_services::Actor::System, other.project)
                    .await
                    .unwrap();
                let lynx = all.iter().find(|c| c.name == "lynx").unwrap();
                assert_eq!(
                    (
                        lynx.color.as_str(),
                        lynx.skeleton.as_ref().map(|s| s.keypoints.len())
                    ),
                    ("#405060", Some(2))
                );
                assert!(lynx.parent_id.is_some());
            }
        }
    })
    .await;
}
