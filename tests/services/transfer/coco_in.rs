//! COCO: every kind of bad record, the choices of an import, and tasks other than boxes.

use super::{boxed, coco, codes, image, world};
use limn_domain::import::{ImportAs, ImportFormat, NewImport, Severity};
use limn_domain::item::ItemStatus;
use limn_domain::project::Task;
use limn_domain::{Rect, Shape, Source};
use limn_testkit::{build, on_both};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_bad_record_is_a_line_and_the_rest_is_taken() {
    on_both(async |db| {
        let world = world(&db, Task::Detection).await;
        build::items(&db, world.project, "p", 4).await;
        let images = [
            image(0, "p000.jpg"),
            json!({ "id": "two", "file_name": "folder/P001.JPG", "width": 640, "height": 480 }),
            image(3, "missing.jpg"),
            image(3, "p002.jpg"),
            image(4, "p003.png"),
        ];
        let ok = [10.0, 10.0, 20.0, 20.0];
        let annotations = [
            boxed(0, 0, 1, ok),
            boxed(1, 0, 99, ok),
            boxed(2, 77, 1, ok),
            boxed(3, 0, 1, [700.0, 10.0, 20.0, 20.0]),
            boxed(4, 0, 1, [630.0, 10.0, 20.0, 20.0]),
            boxed(5, 0, 1, [50.0, 50.0, 0.0, 20.0]),
            boxed(6, 0, 1, [50.0, 50.0, -10.0, 20.0]),
            boxed(6, 0, 1, [80.0, 80.0, 10.0, 20.0]),
            json!({ "id": 7, "image_id": 0, "category_id": 1, "bbox": [1, 2] }),
            json!({ "id": 8, "image_id": "two", "category_id": 1, "bbox": [1, 2, 3, 4] }),
            boxed(9, 3, 1, ok),
            json!({ "id": 10, "image_id": 0, "category_id": 1 }),
            json!({ "id": 11, "image_id": 0, "category_id": 1, "bbox": ok, "iscrowd": 1 }),
            boxed(12, 4, 1, ok),
            boxed(13, 0, 1, [123.0, 45.0, 6.0, 7.0]),
        ];
        let text = String::from_utf8(coco(&images, &annotations, &["cat<script>"])).unwrap();
        // Python writes this for a coordinate that is not there.
        let text = text.replace("123.0", "NaN");
        let report = world
            .import(ImportFormat::Coco, &[("labels.json", text.into_bytes())])
            .await;
        let found = |code: &str| {
            report
                .entries
                .iter()
                .find(|e| e.code == code)
                .unwrap_or_else(|| panic!("{code}: {report:#?}"))
        };
        for (code, severity) in [
            ("unknown_category", Severity::Refused),
            ("unknown_image", Severity::Refused),
            ("box_outside", Severity::Refused),
            ("box_clipped", Severity::Fixed),
            ("box_empty", Severity::Refused),
            ("negative_size", Severity::Fixed),
            ("duplicate_id", Severity::Refused),
            ("bad_bbox", Severity::Refused),
            ("missing_image", Severity::Refused),
            ("not_a_box", Severity::Refused),
            ("crowd", Severity::Refused),
            ("nan", Severity::Fixed),
            ("not_a_number", Severity::Refused),
            ("string_ids", Severity::Note),
            ("zero_ids", Severity::Note),
            ("other_extension", Severity::Note),
        ] {
            let entry = found(code);
            assert_eq!(
                (entry.severity, entry.file.as_str()),
                (severity, "labels.json"),
                "{entry:?}"
            );
            assert!(entry.message.ends_with('.'), "{entry:?}");
        }
        assert!(found("box_outside").line.is_some());
        assert_eq!(
            found("box_outside").record.as_deref(),
            Some("annotations[3] (id 3)")
        );
        assert_eq!(report.annotations_added, 6);
        assert_eq!(
            report.refused,
            report
                .entries
                .iter()
                .filter(|e| e.severity == Severity::Refused)
                .count() as i64
        );

        let items = world.items(world.project).await;
        let rects: Vec<Rect> = items["p000.jpg"]
            .1
            .iter()
            .filter_map(|a| a.shape.bounds())
            .collect();
        assert_eq!(
            rects,
            [
                Rect::new(10.0, 10.0, 20.0, 20.0),
                Rect::new(630.0, 10.0, 10.0, 20.0),
                Rect::new(40.0, 50.0, 10.0, 20.0),
                Rect::new(80.0, 80.0, 10.0, 20.0)
            ]
        );
        assert_eq!(
            (
                items["p001.jpg"].1.len(),
                items["p002.jpg"].1.len(),
                items["p003.jpg"].1.len()
            ),
            (1, 0, 1)
        );
        assert_eq!(items["p000.jpg"].0.status, ItemStatus::Done);
        assert_eq!(world.category_names().await, ["cat<script>"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_off_file_gives_what_came_before_the_cut_and_nonsense_gives_nothing() {
    on_both(async |db| {
        let world = world(&db, Task::Detection).await;
        build::items(&db, world.project, "p", 1).await;
        let whole = coco(&[image(1, "p000.jpg")], &[], &["cat"]);
        // Images and categories come first, annotations last.
        let mut text = String::from_utf8(whole).unwrap().trim_end().trim_end_matches('}').trim_end().to_owned();
        text = text.replace("\"annotations\": [],", "");
        text.push_str(",\n\"annotations\": [\n{\"id\": 1, \"image_id\": 1, \"category_id\": 1, \"bbox\": [1, 2, 3, 4]},\n{\"id\": 2, \"ima");
        let report = world.import(ImportFormat::Coco, &[("cut.json", text.into_bytes()), ("x.json", b"[1, 2".to_vec()), ("y.json", b"hello".to_vec())]).await;
        assert_eq!(report.annotations_added, 1, "{report:#?}");
        assert!(report.entries.iter().any(|e| e.code == "truncated" && e.file == "cut.json" && e.line.is_some()));
        assert!(report.entries.iter().any(|e| e.file == "y.json" && e.severity == Severity::Refused));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prelabels_wait_for_people_and_replace_never_costs_their_work() {
    on_both(async |db| {
        let world = world(&db, Task::Detection).await;
        build::items(&db, world.project, "p", 2).await;
        let file = |x: f64| {
            let mut a = boxed(1, 1, 1, [x, 10.0, 20.0, 20.0]);
            a["score"] = json!(0.75);
            coco(&[image(1, "p000.jpg")], &[a], &["cat"])
        };
        let prelabels = |uploads: NewImport, replace| NewImport {
            import_as: ImportAs::Prelabels,
            replace,
            ..uploads
        };

        let input = world.input(ImportFormat::Coco, &[("a.json", file(1.0))]).await;
        let report = world.import_with(prelabels(input, false)).await;
        assert_eq!(report.annotations_added, 1);
        let (item, labels) = world.items(world.project).await.remove("p000.jpg").unwrap();
        assert_eq!(
            (item.status, item.annotation_count, item.prelabel_count),
            (ItemStatus::Todo, 0, 1)
        );
        assert_eq!(
            (labels[0].source, labels[0].score),
            (Source::Prelabel, Some(0.75))
        );

        // Other proposals instead.
        let input = world.input(ImportFormat::Coco, &[("a.json", file(2.0))]).await;
        world.import_with(prelabels(input, true)).await;
        let (item, labels) = world.items(world.project).await.remove("p000.jpg").unwrap();
        assert_eq!(
            (item.prelabel_count, labels[0].shape.bounds().unwrap().x),
            (1, 2.0)
        );

        // Final labels beside them, then proposals again: the item is done.
        let input = world.input(ImportFormat::Coco, &[("a.json", file(3.0))]).await;
        world.import_with(input).await;
        let input = world.input(ImportFormat::Coco, &[("a.json", file(4.0))]).await;
        let report = world.import_with(prelabels(input, true)).await;
        assert_eq!((report.annotations_added, codes(&report)), (0, vec!["item_done"]));
        let (item, labels) = world.items(world.project).await.remove("p000.jpg").unwrap();
        assert_eq!(
            (item.status, item.annotation_count, item.prelabel_count),
            (ItemStatus::Done, 1, 1)
        );
        assert!(
            labels
                .iter()
                .any(|a| a.source == Source::Import && a.score.is_none())
        );

        // Final labels instead of everything.
        let input = world.input(ImportFormat::Coco, &[("a.json", file(5.0))]).await;
        world
            .import_with(NewImport {
                replace: true,
                ..input
            })
            .await;
        let (item, labels) = world.items(world.project).await.remove("p000.jpg").unwrap();
        assert_eq!(
            (item.annotation_count, item.prelabel_count, labels.len()),
            (1, 0, 1)
        );
        assert_eq!(labels[0].shape.bounds().unwrap().x, 5.0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn categories_are_created_only_when_asked_with_their_ids_and_parents() {
    on_both(async |db| {
        let world = world(&db, Task::Detection).await;
        build::items(&db, world.project, "p", 1).await;
        build::categories(&db, world.project, &["dog"]).await;
        let file = serde_json::to_vec(&json!({
            "images": [image(1, "p000.jpg")],
            "annotations": [boxed(1, 1, 17, [1.0, 1.0, 5.0, 5.0]), boxed(2, 1, 3, [2.0, 2.0, 5.0, 5.0])],
            "categories": [
                { "id": 17, "name": "siamese", "supercategory": "cat" },
                { "id": 1, "name": "cat", "supercategory": "animal" },
                { "id": 3, "name": "DOG" },
            ],
        }))
        .unwrap();
        let input = world.input(ImportFormat::Coco, &[("a.json", file.clone())]).await;
        let report = world
            .import_with(NewImport {
                create_categories: false,
                ..input
            })
            .await;
        assert_eq!(
            (report.annotations_added, report.categories_added, report.refused),
            (1, 0, 1)
        );
        assert!(report.entries[0].message.contains("siamese"), "{report:#?}");

        let report = world.import(ImportFormat::Coco, &[("a.json", file)]).await;
        assert_eq!(
            (report.annotations_added, report.categories_added),
            (1, 2),
            "{report:#?}"
        );
        let all = world
            .categories
            .list(&limn_services::Actor::System, world.project)
            .await
            .unwrap();
        let by = |name: &str| all.iter().find(|c| c.name == name).unwrap();
        assert_eq!(by("siamese").export_id, 17, "the file's id is kept");
        assert_ne!(by("cat").export_id, 1, "the dog has it");
        assert_eq!(by("siamese").parent_id, Some(by("cat").id));
        assert_eq!(all.len(), 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_name_images_and_categories_by_exported_ids() {
    on_both(async |db| {
        let world = world(&db, Task::Detection).await;
        build::items(&db, world.project, "p", 2).await;
        build::categories(&db, world.project, &["cat"]).await;
        let file = json!([
            { "image_id": 2, "category_id": 1, "bbox": [1, 2, 30, 40], "score": 0.5 },
            { "image_id": 9, "category_id": 1, "bbox": [1, 2, 30, 40], "score": 0.5 },
            { "image_id": 2, "category_id": 8, "bbox": [1, 2, 30, 40], "score": 0.5 },
        ]);
        let input = world
            .input(
                ImportFormat::Coco,
                &[("results.json", serde_json::to_vec(&file).unwrap())],
            )
            .await;
        let report = world
            .import_with(NewImport {
                import_as: ImportAs::Prelabels,
                ..input
            })
            .await;
        assert_eq!((report.annotations_added, report.refused), (1, 2), "{report:#?}");
        assert_eq!(world.items(world.project).await["p001.jpg"].0.prelabel_count, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labels_of_whole_images_come_from_boxes_over_them() {
    on_both(async |db| {
        let world = world(&db, Task::Classification).await;
        build::items(&db, world.project, "p", 3).await;
        let file = coco(
            &[image(1, "p000.jpg"), image(2, "p001.jpg"), image(3, "p002.jpg")],
            &[
                boxed(1, 1, 1, [0.0, 0.0, 640.0, 480.0]),
                json!({ "id": 2, "image_id": 2, "category_id": 2 }),
                boxed(3, 2, 1, [0.0, 0.0, 640.0, 480.0]),
                boxed(4, 3, 1, [5.0, 5.0, 64.0, 48.0]),
            ],
            &["cat", "dog"],
        );
        let report = world.import(ImportFormat::Coco, &[("a.json", file)]).await;
        assert_eq!((report.annotations_added, report.refused), (2, 2), "{report:#?}");
        assert_eq!(codes(&report), ["second_category", "not_whole", "no_labels"]);
        let items = world.items(world.project).await;
        assert!(
            items
                .values()
                .flat_map(|(_, labels)| labels)
                .all(|a| a.shape == Shape::Whole)
        );

        // Another category for the first item is refused, unless it replaces.
        let other = coco(
            &[image(1, "p000.jpg")],
            &[json!({ "id": 1, "image_id": 1, "category_id": 1 })],
            &["bird"],
        );
        let report = world
            .import(ImportFormat::Coco, &[("b.json", other.clone())])
            .await;
        assert_eq!(
            (report.annotations_added, codes(&report)),
            (0, vec!["second_category"])
        );
        let input = world.input(ImportFormat::Coco, &[("b.json", other)]).await;
        let report = world
            .import_with(NewImport {
                replace: true,
                ..input
            })
            .await;
        assert_eq!(report.annotations_added, 1);
        assert_eq!(world.items(world.project).await["p000.jpg"].1.len(), 1);
    })
    .await;
}
