//! Exports: the same bytes each time, exact boxes on the way round, pictures as they are shown.

use super::{World, boxed, coco, image, picture, turned_jpeg, unzip, world, zip};
use image::ImageFormat;
use limn_domain::annotation::Annotation;
use limn_domain::export::{BoxSegmentation, ExportScope, FileNames, NewExport};
use limn_domain::import::{ImportAs, ImportFormat, NewImport};
use limn_domain::project::Task;
use limn_testkit::{build, on_both};
use serde_json::{Value, json};

fn parse(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// Three pictures, one of them turned, with boxes of awkward numbers on two.
async fn filled(world: &World) {
    let annotations = [
        boxed(1, 1, 2, [0.1, 0.2, 33.3333333333, 1.0 / 3.0]),
        boxed(2, 1, 1, [10.7, 20.000001, 5.5, 6.25]),
        boxed(3, 2, 1, [60.0, 0.0, 20.0, 10.0]),
    ];
    let images = [
        json!({ "id": 1, "file_name": "a.png", "width": 100, "height": 80 }),
        json!({ "id": 2, "file_name": "turned.jpg", "width": 80, "height": 100 }),
    ];
    let archive = zip(&[
        ("one/a.png", picture(100, 80, 10, ImageFormat::Png)),
        ("one/turned.jpg", turned_jpeg(100, 80, 6)),
        ("two/A.png", picture(100, 80, 20, ImageFormat::Png)),
        ("labels.json", {
            let mut file = parse(&coco(&images, &annotations, &["cat", "dog"]));
            file["images"][0]["file_name"] = json!("one/a.png");
            serde_json::to_vec(&file).unwrap()
        }),
    ]);
    let report = world.import(ImportFormat::Coco, &[("set.zip", archive)]).await;
    assert_eq!(
        (report.items_added, report.annotations_added, report.refused),
        (3, 3, 0),
        "{report:#?}"
    );
}

fn rects(labels: &[Annotation]) -> Vec<[f64; 4]> {
    labels
        .iter()
        .filter_map(|a| a.shape.bounds())
        .map(|r| [r.x, r.y, r.w, r.h])
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn equal_data_gives_equal_bytes_and_a_correct_file() {
    on_both(async |db| {
        let world = world(&db, Task::Detection).await;
        filled(&world).await;
        let (result, bytes) = world.export(world.project, NewExport::default()).await;
        world.clock.advance_seconds(3_600);
        let (second, again) = world.export(world.project, NewExport::default()).await;
        assert_eq!((result.digest.as_str(), &bytes), (second.digest.as_str(), &again));
        assert_eq!((result.images, result.annotations, result.notes.len()), (3, 3, 0));
        assert_eq!(result.file_name, "raccoons-coco.json");
        assert_eq!(result.url, format!("/api/v1/exports/{}/file", result.job_id));

        let file = parse(&bytes);
        assert_eq!(file["info"]["date_created"], "2026-01-01 00:00:00");
        assert_eq!(file["categories"], json!([{ "id": 1, "name": "cat", "supercategory": "cat" }, { "id": 2, "name": "dog", "supercategory": "dog" }]));
        let names: Vec<&str> = file["images"].as_array().unwrap().iter().map(|i| i["file_name"].as_str().unwrap()).collect();
        assert_eq!(names, ["one/a.png", "one/turned.jpg", "two/A.png"]);
        assert_eq!((file["images"][1]["width"].as_i64(), file["images"][1]["height"].as_i64()), (Some(80), Some(100)));
        assert_eq!(file["annotations"][0]["bbox"], json!([0.1, 0.2, 33.3333333333, 1.0 / 3.0]));
        let ids: Vec<i64> = file["annotations"].as_array().unwrap().iter().map(|a| a["id"].as_i64().unwrap()).collect();
        assert_eq!(ids, [1, 2, 3]);

        let input = NewExport { scope: ExportScope::Done, box_segmentation: BoxSegmentation::Polygon, file_names: FileNames::Flat, ..NewExport::default() };
        let (done, bytes) = world.export(world.project, input).await;
        assert_eq!((done.images, done.annotations), (2, 3));
        let file = parse(&bytes);
        assert_eq!(file["images"][0]["file_name"], "a.png");
        assert_eq!(file["annotations"][2]["segmentation"], json!([[60.0, 0.0, 80.0, 0.0, 80.0, 10.0, 60.0, 10.0]]));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_with_pictures_comes_back_the_same() {
    on_both(async |db| {
        let world = world(&db, Task::Detection).await;
        filled(&world).await;
        let input = NewExport {
            with_images: true,
            file_names: FileNames::Flat,
            ..NewExport::default()
        };
        let (result, bytes) = world.export(world.project, input).await;
        let (_, again) = world.export(world.project, input).await;
        assert_eq!(bytes, again);
        assert_eq!(result.file_name, "raccoons-coco.zip");
        let files = unzip(&bytes);
        let names: Vec<&str> = files.iter().map(|(n, _)| n.as_str()).collect();
        assert_eq!(
            names,
            [
                "annotations/instances_default.json",
                "images/a.png",
                "images/turned.jpg",
                "images/A_3.png"
            ]
        );
        let annotations = parse(&files[0].1);
        for (n, (_, bytes)) in files[1..].iter().enumerate() {
            // A reader that knows no EXIF sees the picture the boxes speak of.
            let seen = image::load_from_memory(bytes).unwrap();
            let listed = &annotations["images"][n];
            assert_eq!(
                (listed["width"].as_u64(), listed["height"].as_u64()),
                (Some(u64::from(seen.width())), Some(u64::from(seen.height())))
            );
        }
        assert!(!files[2].1.windows(4).any(|w| w == b"Exif"));

        // Into another project.
        let other = World {
            studio: world.studio.clone(),
            project: build::project(&db, "Other", Task::Detection).await,
            manager: world.manager.clone(),
        };
        build::member(
            &db,
            other.project,
            other.manager.user_id().unwrap(),
            limn_domain::Role::Manager,
        )
        .await;
        let report = other.import(ImportFormat::Coco, &[("set.zip", bytes)]).await;
        assert_eq!(
            (
                report.items_added,
                report.annotations_added,
                report.refused,
                report.fixed
            ),
            (3, 3, 0, 0),
            "{report:#?}"
        );
        let (before, after) = (world.items(world.project).await, other.items(other.project).await);
        for (old, new) in [
            ("one/a.png", "a.png"),
            ("one/turned.jpg", "turned.jpg"),
            ("two/A.png", "A_3.png"),
        ] {
            let (old, new) = (&before[old], &after[new]);
            assert_eq!((old.0.width, old.0.height), (new.0.width, new.0.height));
            assert_eq!(rects(&old.1), rects(&new.1), "to the last digit");
        }
        let (_, round) = other
            .export(
                other.project,
                NewExport {
                    file_names: FileNames::Flat,
                    ..NewExport::default()
                },
            )
            .await;
        let round = parse(&round);
        for part in ["images", "annotations", "categories"] {
            assert_eq!(round[part], annotations[part]);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proposals_stay_out_and_labels_of_whole_images_are_noted() {
    on_both(async |db| {
        let world = world(&db, Task::Multilabel).await;
        build::items(&db, world.project, "p", 2).await;
        let whole =
            |image: i64, category: i64| json!({ "id": category, "image_id": image, "category_id": category });
        let file = coco(
            &[image(1, "p000.jpg")],
            &[whole(1, 1), whole(1, 2)],
            &["cat", "dog"],
        );
        world.import(ImportFormat::Coco, &[("a.json", file)]).await;
        let proposals = coco(&[image(2, "p001.jpg")], &[whole(2, 1)], &["cat", "dog"]);
        let input = world.input(ImportFormat::Coco, &[("b.json", proposals)]).await;
        world
            .import_with(NewImport {
                import_as: ImportAs::Prelabels,
                ..input
            })
            .await;
        let (result, bytes) = world.export(world.project, NewExport::default()).await;
        assert_eq!((result.images, result.annotations), (2, 2));
        assert!(result.notes[0].contains("whole image"), "{:?}", result.notes);
        assert_eq!(
            parse(&bytes)["annotations"][0]["bbox"],
            json!([0.0, 0.0, 640.0, 480.0])
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_picture_is_a_note_and_an_empty_project_a_valid_file() {
    on_both(async |db| {
        let world = world(&db, Task::Detection).await;
        let (result, bytes) = world.export(world.project, NewExport::default()).await;
        assert_eq!((result.images, result.annotations), (0, 0));
        let file = parse(&bytes);
        assert!(file["info"].is_object() && file["images"].as_array().unwrap().is_empty());
        // Rows without bytes.
        build::items(&db, world.project, "p", 2).await;
        let (result, bytes) = world
            .export(
                world.project,
                NewExport {
                    with_images: true,
                    ..NewExport::default()
                },
            )
            .await;
        assert_eq!((result.images, unzip(&bytes).len()), (2, 1));
        assert!(
            result.notes[0].starts_with("2 pictures are missing"),
            "{:?}",
            result.notes
        );
    })
    .await;
}
