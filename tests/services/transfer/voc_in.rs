//! Pascal VOC, and pictures on their own.

use super::{codes, picture, turned_jpeg, voc, world, zip};
use image::ImageFormat;
use limn_domain::import::{ImportFormat, Severity};
use limn_domain::item::ItemStatus;
use limn_domain::project::Task;
use limn_domain::{Code, Rect, Shape, Source};
use limn_testkit::on_both;

fn jpeg(shade: u8) -> Vec<u8> {
    picture(100, 80, shade, ImageFormat::Jpeg)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_and_their_files_become_labeled_items_and_a_second_time_nothing() {
    on_both(async |db| {
        let world = world(&db, Task::Detection).await;
        let archive = zip(&[
            ("set/images/a.jpg", jpeg(1)),
            ("set/images/b.jpg", jpeg(2)),
            ("set/images/c.jpg", jpeg(3)),
            (
                "set/annotations/a.xml",
                voc("a.jpg", 100, 80, &[("raccoon", [1.0, 2.0, 31.5, 42.25])]),
            ),
            (
                "set/annotations/b.xml",
                voc(
                    "b.jpg",
                    100,
                    80,
                    &[("Raccoon", [5.0, 5.0, 15.0, 15.0]), ("cat", [0.0, 0.0, 9.0, 9.0])],
                ),
            ),
            ("set/annotations/c.xml", voc("c.jpg", 100, 80, &[])),
            ("set/readme.txt", b"hello".to_vec()),
        ]);
        let report = world
            .import(ImportFormat::Voc, &[("set.zip", archive.clone())])
            .await;
        assert_eq!(
            (
                report.items_added,
                report.annotations_added,
                report.categories_added
            ),
            (3, 3, 2)
        );
        assert_eq!((report.fixed, report.refused), (0, 0));
        assert_eq!(codes(&report), ["not_used", "no_labels"]);
        assert_eq!(report.entries[0].file, "set.zip/set/readme.txt");
        assert_eq!(world.category_names().await, ["raccoon", "cat"]);

        let items = world.items(world.project).await;
        let (a, labels) = &items["set/images/a.jpg"];
        assert_eq!(
            (a.status, a.annotation_count, a.width),
            (ItemStatus::Done, 1, 100)
        );
        assert_eq!(
            labels[0].shape,
            Shape::Box {
                rect: Rect::new(1.0, 2.0, 30.5, 40.25)
            }
        );
        assert_eq!(labels[0].source, Source::Import);
        assert_eq!(items["set/images/b.jpg"].1.len(), 2);
        assert_eq!(
            items["set/images/c.jpg"].0.status,
            ItemStatus::Todo,
            "nothing says that it is done"
        );

        let upload = world.context.upload_path(limn_domain::UploadId::nil());
        let left = std::fs::read_dir(upload.parent().unwrap()).unwrap().count();
        assert_eq!(left, 0, "uploads go once they have served");

        let again = world.import(ImportFormat::Voc, &[("set.zip", archive)]).await;
        assert_eq!(
            (again.items_added, again.items_unchanged, again.annotations_added),
            (0, 3, 0)
        );
        assert!(codes(&again).contains(&"already_there"));
        let after = world.items(world.project).await;
        assert_eq!(
            after["set/images/a.jpg"], items["set/images/a.jpg"],
            "nothing was touched"
        );

        let verbs: Vec<String> = world
            .activities
            .list(&limn_services::Actor::System, Some(world.project), None, None)
            .await
            .unwrap()
            .rows
            .into_iter()
            .map(|a| a.verb)
            .collect();
        assert!(
            verbs.contains(&"import.start".into()) && verbs.contains(&"import.finish".into()),
            "{verbs:?}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn single_uploads_are_taken_and_a_bad_one_costs_only_itself() {
    on_both(async |db| {
        let world = world(&db, Task::Detection).await;
        let report = world
            .import(
                ImportFormat::Voc,
                &[
                    ("a.jpg", jpeg(1)),
                    ("text.png", b"this is text".to_vec()),
                    ("cut.jpg", jpeg(9)[..200].to_vec()),
                    (
                        "a.xml",
                        voc("a.jpg", 100, 80, &[("raccoon", [1.0, 2.0, 31.0, 42.0])]),
                    ),
                    (
                        "broken.xml",
                        b"<annotation><filename>a.jpg</filename><object><name>x</na".to_vec(),
                    ),
                    ("other.xml", b"<svg></svg>".to_vec()),
                    ("not.zip", b"PK but no".to_vec()),
                ],
            )
            .await;
        assert_eq!(
            (report.items_added, report.annotations_added),
            (1, 1),
            "{report:#?}"
        );
        for (file, code) in [
            ("text.png", "bad_picture"),
            ("cut.jpg", "bad_picture"),
            ("other.xml", "not_the_format"),
            ("not.zip", "not_an_archive"),
        ] {
            let entry = report.entries.iter().find(|e| e.file == file).expect(file);
            assert_eq!(
                (entry.code.as_str(), entry.severity),
                (code, Severity::Refused),
                "{entry:?}"
            );
            assert!(entry.message.contains(file), "{entry:?}");
        }
        assert!(report.entries.iter().any(|e| e.file == "broken.xml"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boxes_on_a_turned_picture_are_in_its_shown_frame() {
    on_both(async |db| {
        let world = world(&db, Task::Detection).await;
        let report = world
            .import(
                ImportFormat::Voc,
                &[
                    // Stored 100 x 80, shown 80 x 100.
                    ("a.jpg", turned_jpeg(100, 80, 6)),
                    ("b.jpg", turned_jpeg(100, 80, 6)),
                    (
                        "a.xml",
                        voc("a.jpg", 80, 100, &[("cat", [10.0, 20.0, 30.0, 60.0])]),
                    ),
                    ("b.xml", voc("b.jpg", 100, 80, &[("cat", [0.0, 0.0, 10.0, 20.0])])),
                ],
            )
            .await;
        assert_eq!(report.annotations_added, 2, "{report:#?}");
        assert_eq!(codes(&report), ["turned"]);
        let items = world.items(world.project).await;
        assert_eq!((items["a.jpg"].0.width, items["a.jpg"].0.height), (80, 100));
        assert_eq!(
            items["a.jpg"].1[0].shape,
            Shape::Box {
                rect: Rect::new(10.0, 20.0, 20.0, 40.0)
            }
        );
        // A quarter turn to the right: the left edge becomes the top.
        assert_eq!(
            items["b.jpg"].1[0].shape,
            Shape::Box {
                rect: Rect::new(60.0, 0.0, 20.0, 10.0)
            }
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_alone_and_a_name_that_is_taken() {
    on_both(async |db| {
        let world = world(&db, Task::Classification).await;
        let first = zip(&[
            ("x/a.jpg", jpeg(1)),
            ("x/b.jpg", jpeg(2)),
            ("x/a.json", b"{}".to_vec()),
        ]);
        let report = world.import(ImportFormat::Images, &[("x.zip", first)]).await;
        assert_eq!((report.items_added, codes(&report)), (2, vec!["not_used"]));
        let second = zip(&[("X/A.jpg", jpeg(7)), ("x/c.jpg", jpeg(3))]);
        let report = world.import(ImportFormat::Images, &[("y.zip", second)]).await;
        assert_eq!((report.items_added, report.refused), (1, 1));
        assert_eq!(
            (codes(&report), report.entries[0].file.as_str()),
            (vec!["name_taken"], "y.zip/X/A.jpg")
        );

        let input = world
            .input(ImportFormat::Voc, &[("a.xml", voc("x/a.jpg", 100, 80, &[]))])
            .await;
        let error = crate::refusal(world.imports.start(&world.manager, world.project, input).await);
        assert_eq!(
            (error.code, error.fields[0].field.as_str()),
            (Code::InvalidInput, "format")
        );
    })
    .await;
}
