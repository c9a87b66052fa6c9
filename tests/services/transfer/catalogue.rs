//! Open datasets, fetched from a publisher of this process and made datasets.

mod faults;
mod files;
mod make;
mod panoptic;
mod publisher;

use super::{World, picture, world_of, zip};
use crate::{code, refusal};
use image::ImageFormat;
use limn_domain::catalogue::{
    AddDataset, Catalogue, CatalogueOutcome, CatalogueTask, Cifar, CifarPart, Coco, Csv, CsvPart,
    DigestState, FolderPart, Folders, Idx, IdxPart, LabelFrom, ListPart, Loader, Parquet, ParquetPart,
    Record, RecordFile,
};
use limn_domain::dataset::{
    DatasetKind, DatasetQuery, Entry, EntryQuery, LineageNode, NewDataset, Split, Visibility,
};
use limn_domain::explore::ExploreQuery;
use limn_domain::export::{ExportFormat, NewExport, VersionExport};
use limn_domain::job::{Job, JobState};
use limn_domain::project::Task;
use limn_domain::training::TrainTask;
use limn_domain::{AttributeValue, Code, Role, Shape, VersionId};
use limn_testkit::{Studio, TestDb, on_both};
use make::{cifar, gz, idx_images, idx_labels, parquet, pixels, record, sha, tgz};
use publisher::Publisher;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A studio with a catalogue.
async fn open(db: &TestDb, records: Vec<Record>) -> World {
    open_at(db, records, None).await
}

async fn open_at(db: &TestDb, records: Vec<Record>, mirror: Option<String>) -> World {
    let studio = Studio::with(db, |limits| {
        limits.catalogue.records = Arc::new(Catalogue::new(records).unwrap());
        limits.catalogue.mirror = mirror;
    });
    world_of(db, Task::Detection, studio).await
}

impl Publisher {
    /// Puts a file up and says what a record says of it.
    fn file(&self, name: &str, bytes: Vec<u8>) -> RecordFile {
        let file = RecordFile {
            name: name.to_owned(),
            urls: vec![format!("{}/{name}", self.url)],
            bytes: Some(bytes.len() as u64),
            digest: Some(sha(&bytes)),
        };
        self.put(name, bytes);
        file
    }
}

impl World {
    async fn try_add(&self, slug: &str, name: Option<&str>) -> Job {
        let input = AddDataset {
            name: name.map(str::to_owned),
            visibility: Visibility::Private,
        };
        let job = self.catalogue.add(&self.manager, slug, input).await.unwrap();
        self.finish(job.id).await
    }

    async fn add(&self, slug: &str) -> CatalogueOutcome {
        let job = self.try_add(slug, None).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        serde_json::from_value(job.result.unwrap()).unwrap()
    }

    /// The files of a version with their labels, by path.
    async fn entries(&self, version: VersionId) -> BTreeMap<String, Entry> {
        let query = EntryQuery {
            labels: true,
            limit: Some(1000),
            ..EntryQuery::default()
        };
        let page = self
            .versions
            .entries(&self.manager, version, query)
            .await
            .unwrap();
        assert_eq!(page.next, None);
        page.rows.into_iter().map(|e| (e.path.clone(), e)).collect()
    }

    async fn dataset_count(&self) -> usize {
        let page = self
            .datasets
            .list(&self.manager, DatasetQuery::default())
            .await
            .unwrap();
        page.rows.len()
    }

    async fn bytes_of(&self, entry: &Entry) -> Vec<u8> {
        self.services
            .context
            .blobs
            .read(&entry.digest)
            .await
            .unwrap()
            .to_vec()
    }
}

fn only(categories: &BTreeMap<String, i64>) -> &str {
    assert_eq!(categories.len(), 1, "{categories:?}");
    categories.keys().next().unwrap()
}

/// A set like MNIST: 30 pictures to train with, 12 to test with, three categories.
fn digits(p: &Publisher) -> Record {
    let labels = |n: u8| -> Vec<u8> { (0..n).map(|i| i % 3).collect() };
    let part = |name: &str, split| IdxPart {
        images: format!("{name}-images.gz"),
        labels: format!("{name}-labels"),
        split,
    };
    record(
        "digits",
        CatalogueTask::ImageClassification,
        vec![
            p.file("train-images.gz", gz(&idx_images(30))),
            p.file("train-labels", idx_labels(&labels(30))),
            p.file("test-images.gz", gz(&idx_images(12))),
            // Not packed: told by content.
            p.file("test-labels", idx_labels(&labels(12))),
        ],
        Loader::Idx(Idx {
            categories: ["zero", "one/two", "three"].map(str::to_owned).to_vec(),
            parts: vec![part("train", Split::Train), part("test", Split::Test)],
        }),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idx_becomes_a_dataset_that_can_be_explored_trained_with_and_exported() {
    on_both(async |db| {
        let p = Publisher::start().await;
        let w = open(&db, vec![digits(&p)]).await;
        let before = w.catalogue.list(&w.manager).await.unwrap();
        assert_eq!((before[0].digests, before[0].added.len()), (DigestState::All, 0));
        let out = w.add("digits").await;
        assert_eq!((out.version.files, out.version.number, out.version.is_new), (42, 1, true));
        assert!(out.fetched.iter().all(|f| f.verified && f.bytes > 0), "{:?}", out.fetched);

        // The dataset says where it comes from.
        let d = w.datasets.get(&w.manager, out.version.dataset_id).await.unwrap();
        assert_eq!((d.summary.name.as_str(), d.summary.kind), ("DIGITS", DatasetKind::Images));
        assert_eq!(d.summary.licence, "CC-BY-4.0");
        assert_eq!(d.summary.tags, ["small"]);
        assert_eq!(d.summary.my_role, Role::Manager);
        for sign in ["What it is.", "https://example.org/digits", "Somebody, 2026"] {
            assert!(d.summary.description.contains(sign), "{}", d.summary.description);
        }
        let edges = w.versions.lineage(&w.manager, d.summary.id).await.unwrap();
        assert!(matches!(&edges[0].from, LineageNode::Catalogue { slug, name } if slug == "digits" && name == "DIGITS"));

        // Splits, categories, and the very pixels.
        let v = w.versions.get(&w.manager, out.version.version_id).await.unwrap();
        assert_eq!(v.counts.splits, [0, 30, 0, 12]);
        assert_eq!((v.counts.labels, v.task), (42, Some(Task::Classification)));
        let paths: Vec<&str> = v.counts.categories.iter().map(|c| c.path.as_str()).collect();
        assert_eq!(paths, ["zero", "one~1two", "three"]);
        assert!(v.counts.categories.iter().all(|c| c.files == 14));
        let entries = w.entries(v.id).await;
        let e = &entries["train/00004.png"];
        assert_eq!((e.split, e.width, e.height, e.media_type.as_str()), (Split::Train, 28, 28, "image/png"));
        assert_eq!(only(&e.categories), "one~1two");
        assert!(matches!(e.annotations[0].shape, Shape::Whole));
        let decoded = image::load_from_memory(&w.bytes_of(e).await).unwrap().to_luma8();
        assert_eq!(decoded.into_raw(), pixels(4));

        // What datasets are for.
        let offer = w.trainings.offer(&w.manager, v.id).await.unwrap();
        let task = offer.tasks.iter().find(|t| t.task == TrainTask::Classification).unwrap();
        // Of the data nothing is missing; this studio has nobody who trains.
        assert_eq!(
            (task.refusal.as_deref(), task.pictures),
            (Some("This server runs without networks to train."), 42)
        );
        let profile = w.profiles.start(&w.manager, v.id).await.unwrap();
        assert_eq!(w.finish(profile.id).await.state, JobState::Succeeded);
        let page = w.explore.page(&w.manager, v.id, ExploreQuery::default()).await.unwrap().page.unwrap();
        let facet = page.facets.iter().find(|f| f.name == "category").unwrap();
        assert_eq!(facet.values.iter().map(|v| v.count).collect::<Vec<_>>(), [14, 14, 14]);
        let export = VersionExport {
            export: NewExport {
                format: ExportFormat::Csv,
                ..NewExport::default()
            },
            ..VersionExport::default()
        };
        let job = w.exports.start_of_version(&w.manager, v.id, export).await.unwrap();
        let job = w.finish(job.id).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);

        // Once more: the same content, no second version.
        let again = w.add("digits").await;
        assert_eq!(again.version.version_id, v.id);
        assert!(!again.version.is_new);
        assert!(again.version.notes.iter().any(|n| n.starts_with("Nothing has changed since version 1")));
        assert_eq!(w.versions.list(&w.manager, d.summary.id).await.unwrap().len(), 1);
        let listed = w.catalogue.list(&w.manager).await.unwrap();
        assert_eq!(listed[0].added.len(), 1);
        assert_eq!(listed[0].added[0].dataset_id, d.summary.id);
        // Under another name it is another dataset with the same digest.
        let job = w.try_add("digits", Some(" Mine ")).await;
        let mine: CatalogueOutcome = serde_json::from_value(job.result.unwrap()).unwrap();
        assert_ne!(mine.version.dataset_id, d.summary.id);
        assert_eq!((mine.version.digest, mine.version.is_new), (v.digest, true));
        // What was fetched is not kept.
        let left = std::fs::read_dir(w.db.dir().join("data/catalogue")).unwrap().count();
        assert_eq!(left, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cifar_becomes_a_tree_of_categories() {
    on_both(async |db| {
        let p = Publisher::start().await;
        let archive = tgz(&[
            ("bin/readme.html", b"<p>".to_vec()),
            ("bin/train.bin", cifar(&[&[1, 0], &[0, 1], &[1, 2]], 10)),
            ("bin/test.bin", cifar(&[&[0, 1]], 50)),
        ]);
        let names = |list: &[&str]| list.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let part = |path: &str, split| CifarPart {
            path: path.to_owned(),
            split,
        };
        let set = record(
            "tiny",
            CatalogueTask::ImageClassification,
            vec![p.file("tiny.tar.gz", archive)],
            Loader::Cifar(Cifar {
                file: "tiny.tar.gz".to_owned(),
                categories: names(&["cat", "oak", "dog", "never"]),
                groups: names(&["trees", "animals"]),
                parts: vec![
                    part("bin/train.bin", Split::Train),
                    part("bin/test.bin", Split::Test),
                ],
            }),
        );
        let w = open(&db, vec![set]).await;
        let out = w.add("tiny").await;
        let entries = w.entries(out.version.version_id).await;
        assert_eq!(
            entries.keys().collect::<Vec<_>>(),
            [
                "test/test_00000.png",
                "train/train_00000.png",
                "train/train_00001.png",
                "train/train_00002.png"
            ]
        );
        assert_eq!(only(&entries["train/train_00000.png"].categories), "animals/cat");
        assert_eq!(only(&entries["test/test_00000.png"].categories), "trees/oak");
        let rgb = image::load_from_memory(&w.bytes_of(&entries["train/train_00001.png"]).await)
            .unwrap()
            .to_rgb8();
        assert_eq!(
            (rgb.dimensions(), rgb.get_pixel(7, 9).0),
            ((32, 32), [11, 101, 201])
        );
        let schema = w
            .versions
            .schema(&w.manager, out.version.version_id)
            .await
            .unwrap();
        let all: Vec<(&str, i64, bool)> = schema
            .categories
            .iter()
            .map(|c| (c.name.as_str(), c.export_id, c.parent_id.is_some()))
            .collect();
        assert_eq!(
            all,
            [
                ("cat", 1, true),
                ("oak", 2, true),
                ("dog", 3, true),
                ("never", 4, false),
                ("trees", 5, false),
                ("animals", 6, false)
            ]
        );
    })
    .await;
}

/// Two pictures 64 x 48 below `val/`, with boxes, an outline, a crowd, joints and captions.
fn scenes(p: &Publisher, task: CatalogueTask) -> Record {
    let pictures = zip(&[
        ("val/", Vec::new()),
        ("val/a.png", picture(64, 48, 10, ImageFormat::Png)),
        ("val/b.png", picture(64, 48, 20, ImageFormat::Png)),
        ("../../etc/evil.png", picture(8, 8, 0, ImageFormat::Png)),
    ]);
    let images: Vec<_> = [(1, "a.png"), (2, "b.png"), (3, "gone.png")]
        .map(|(id, name)| json!({ "id": id, "file_name": name, "width": 64, "height": 48 }))
        .to_vec();
    let categories = json!([
        { "id": 1, "name": "person", "supercategory": "person",
          "keypoints": ["nose", "tail"], "skeleton": [[1, 2]] },
        { "id": 18, "name": "dog", "supercategory": "animal" },
    ]);
    let (name, annotations) = match task {
        CatalogueTask::ImageCaptioning => (
            "captions",
            json!([
                { "id": 1, "image_id": 1, "caption": "A dog on a mat. " },
                { "id": 2, "image_id": 1, "caption": "Somebody's dog." },
            ]),
        ),
        CatalogueTask::KeypointDetection => (
            "keypoints",
            json!([{ "id": 1, "image_id": 2, "category_id": 1, "bbox": [1, 1, 20, 20], "iscrowd": 0,
                     "num_keypoints": 2, "keypoints": [5, 6, 2, 10, 12, 1] }]),
        ),
        _ => (
            "instances",
            json!([
                { "id": 1, "image_id": 1, "category_id": 18, "bbox": [2, 3, 10, 20], "iscrowd": 0,
                  "segmentation": [[2, 3, 12, 3, 12, 23, 2, 23]] },
                { "id": 2, "image_id": 1, "category_id": 1, "bbox": [50, 40, 30, 30], "iscrowd": 0,
                  "segmentation": [[50, 40, 60, 40, 60, 46]] },
                { "id": 3, "image_id": 2, "category_id": 1, "bbox": [0, 0, 64, 48], "iscrowd": 1,
                  "segmentation": { "size": [48, 64], "counts": [0, 3072] } },
            ]),
        ),
    };
    let file = json!({ "images": images, "annotations": annotations, "categories": categories });
    let packed = zip(&[("annotations/val.json", serde_json::to_vec(&file).unwrap())]);
    let mut set = record(
        &format!("scenes-{name}-{}", task.as_str().replace('_', "-")),
        task,
        vec![
            p.file("val.zip", pictures),
            p.file(&format!("{name}.zip"), packed),
        ],
        Loader::Coco(Coco {
            images: "val.zip".to_owned(),
            annotations: format!("{name}.zip"),
            path: Some("annotations/val.json".to_owned()),
            segments: None,
            split: Split::Val,
        }),
    );
    set.name = format!("Scenes {}", task.label());
    set
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn coco_and_its_tasks() {
    on_both(async |db| {
        let p = Publisher::start().await;
        let tasks = [
            CatalogueTask::ObjectDetection,
            CatalogueTask::InstanceSegmentation,
            CatalogueTask::KeypointDetection,
            CatalogueTask::ImageCaptioning,
        ];
        let sets: Vec<Record> = tasks.map(|t| scenes(&p, t)).to_vec();
        let slugs: Vec<String> = sets.iter().map(|s| s.slug.clone()).collect();
        let w = open(&db, sets).await;

        let out = w.add(&slugs[0]).await;
        let v = w.versions.get(&w.manager, out.version.version_id).await.unwrap();
        assert_eq!((v.files, v.counts.labels, v.task), (2, 2, Some(Task::Detection)));
        assert_eq!(v.counts.splits, [0, 0, 2, 0]);
        let entries = w.entries(v.id).await;
        let a = &entries["val/a.png"];
        assert_eq!(a.categories.keys().collect::<Vec<_>>(), ["dog", "person"]);
        let rects: Vec<_> = a.annotations.iter().filter_map(|l| l.shape.bounds()).collect();
        assert_eq!(
            rects.iter().map(|r| [r.x, r.y, r.w, r.h]).collect::<Vec<_>>(),
            [[2.0, 3.0, 10.0, 20.0], [50.0, 40.0, 14.0, 8.0]],
            "cut to the picture"
        );
        assert!(
            entries["val/b.png"].annotations.is_empty(),
            "a crowd is no object"
        );
        for sign in [
            "crowd",
            "1 images of the annotations have no picture",
            "refused: ../../etc/evil.png",
            "reaches beyond",
        ] {
            assert!(
                out.version.notes.iter().any(|n| n.contains(sign)),
                "{sign}: {:#?}",
                out.version.notes
            );
        }
        let schema = w.versions.schema(&w.manager, v.id).await.unwrap();
        let dog = schema.categories.iter().find(|c| c.name == "dog").unwrap();
        assert_eq!(dog.export_id, 18, "ids of the file stay");

        let out = w.add(&slugs[1]).await;
        let entries = w.entries(out.version.version_id).await;
        assert!(matches!(
            entries["val/a.png"].annotations[1].shape,
            Shape::Polygon { .. }
        ));

        let out = w.add(&slugs[2]).await;
        let entries = w.entries(out.version.version_id).await;
        let Shape::Keypoints { keypoints } = &entries["val/b.png"].annotations[0].shape else {
            panic!("{:?}", entries["val/b.png"]);
        };
        assert_eq!((keypoints.len(), keypoints[1].x, keypoints[1].y), (2, 10.0, 12.0));
        let schema = w
            .versions
            .schema(&w.manager, out.version.version_id)
            .await
            .unwrap();
        assert!(schema.categories.iter().any(|c| c.skeleton.is_some()));

        let out = w.add(&slugs[3]).await;
        let v = w.versions.get(&w.manager, out.version.version_id).await.unwrap();
        assert_eq!((v.task, v.counts.labels, v.counts.labeled_files), (None, 0, 1));
        let entries = w.entries(v.id).await;
        assert_eq!(
            entries["val/a.png"].about.get("caption_2"),
            Some(&AttributeValue::Text("Somebody's dog.".to_owned()))
        );
    })
    .await;
}

#[tokio::test]
async fn who_may_not_make_datasets_sees_no_catalogue_and_names_are_kept_apart() {
    on_both(async |db| {
        let p = Publisher::start().await;
        let w = open(&db, vec![digits(&p)]).await;
        let lena = w.person("Lena", Role::Labeler).await;
        assert_eq!(code(w.catalogue.list(&lena).await), Code::Forbidden);
        assert_eq!(code(w.catalogue.get(&lena, "digits").await), Code::Forbidden);
        assert_eq!(
            code(w.catalogue.add(&lena, "digits", AddDataset::default()).await),
            Code::Forbidden
        );
        assert_eq!(code(w.catalogue.get(&w.manager, "other").await), Code::NotFound);
        let detail = w.catalogue.get(&w.manager, "digits").await.unwrap();
        assert!(detail.card_html.contains("<h1>digits</h1>"));
        assert_eq!(
            (detail.format.as_str(), detail.splits.len(), detail.sources.len()),
            ("idx", 2, 4)
        );

        // A dataset of the name that has nothing to do with it.
        let input = NewDataset {
            name: "Digits".to_owned(),
            ..NewDataset::default()
        };
        w.datasets.create(&w.manager, input).await.unwrap();
        let taken = refusal(w.catalogue.add(&w.manager, "digits", AddDataset::default()).await);
        assert_eq!(taken.code, Code::AlreadyExists);
        assert_eq!(taken.fields[0].field, "name");
        // Somebody else's private dataset of the record, too: it is theirs.
        let job = w.try_add("digits", Some("Mine")).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        let max = w.person("Max", Role::Manager).await;
        let named = AddDataset {
            name: Some("mine".to_owned()),
            ..AddDataset::default()
        };
        assert_eq!(
            code(w.catalogue.add(&max, "digits", named).await),
            Code::AlreadyExists
        );
        assert!(
            w.catalogue.list(&max).await.unwrap()[0].added.is_empty(),
            "it is private"
        );
        let blank = AddDataset {
            name: Some("  ".to_owned()),
            ..AddDataset::default()
        };
        assert_eq!(
            code(w.catalogue.add(&w.manager, "digits", blank).await),
            Code::InvalidInput
        );
    })
    .await;
}

#[tokio::test]
async fn a_catalogue_can_be_switched_off() {
    let db = TestDb::sqlite().await;
    let studio = Studio::with(&db, |limits| limits.catalogue.enabled = false);
    let w = world_of(&db, Task::Detection, studio).await;
    let off = refusal(w.catalogue.list(&w.manager).await);
    assert!(
        off.code == Code::NotFound && off.message.contains("catalogue.enabled"),
        "{off:?}"
    );
}
