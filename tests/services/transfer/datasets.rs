//! Datasets: versions from projects, uploads and other versions; their diffs, exports, splits and ends.

mod access;
mod crash;
mod download;
mod ends;
mod explore;
mod map;
mod objects;
mod profile;
mod similar;
mod speed;
mod tags;

use super::{World, boxed, coco, image, picture, world, zip};
use image::ImageFormat;
use limn_domain::dataset::{
    Dataset, DatasetKind, DiffKind, DiffQuery, EntryFilter, EntryQuery, LineageNode, MakeProject, NewDataset,
    NewVersion, Split, SplitMethod, SplitPlan, SplitShare, UpdateDataset, UploadMode, Version,
    VersionOutcome, VersionSource, Visibility,
};
use limn_domain::export::{ExportFormat, NewExport, VersionExport};
use limn_domain::import::ImportFormat;
use limn_domain::item::ItemStatus;
use limn_domain::job::{Job, JobState};
use limn_domain::project::Task;
use limn_domain::{Role, VersionId};
use limn_services::housekeeping::sweep;
use limn_services::media::{MediaBody, Rendition};
use limn_testkit::on_both;

impl World {
    pub(super) async fn dataset(&self, name: &str, kind: DatasetKind) -> Dataset {
        let input = NewDataset {
            name: name.to_owned(),
            kind,
            ..NewDataset::default()
        };
        self.datasets.create(&self.manager, input).await.unwrap()
    }

    async fn registered(&self, dataset: &Dataset, source: VersionSource) -> Job {
        let input = NewVersion {
            source,
            note: String::new(),
        };
        let job = self
            .versions
            .register(&self.manager, dataset.summary.id, input)
            .await
            .unwrap();
        self.finish(job.id).await
    }

    pub(super) async fn register(&self, dataset: &Dataset, source: VersionSource) -> VersionOutcome {
        let job = self.registered(dataset, source).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        serde_json::from_value(job.result.unwrap()).unwrap()
    }

    pub(super) async fn register_project(&self, dataset: &Dataset) -> VersionOutcome {
        self.register(dataset, of_project(self)).await
    }

    /// Pictures `a.png`, `sub/b.png`, `sub/c.png`, two of them labeled and done.
    pub(super) async fn label_some(&self) {
        let archive = zip(&[
            ("a.png", picture(100, 80, 10, ImageFormat::Png)),
            ("sub/b.png", picture(100, 80, 20, ImageFormat::Png)),
            ("sub/c.png", picture(100, 80, 30, ImageFormat::Png)),
        ]);
        self.import(ImportFormat::Images, &[("set.zip", archive)]).await;
        self.label(&["a.png", "sub/b.png"], 1.0).await;
    }

    /// A box on each of these.
    async fn label(&self, names: &[&str], x: f64) {
        let images: Vec<_> = names.iter().zip(1..).map(|(name, n)| image(n, name)).collect();
        let boxes: Vec<_> = (1..=names.len() as i64)
            .map(|n| boxed(n, n, 1 + n % 2, [x, 2.0, 30.0, 40.0]))
            .collect();
        let mut input = self
            .input(
                ImportFormat::Coco,
                &[("l.json", coco(&images, &boxes, &["cat", "dog"]))],
            )
            .await;
        input.replace = true;
        self.import_with(input).await;
    }

    async fn paths(&self, version: VersionId, query: EntryQuery) -> Vec<String> {
        let (mut paths, mut cursor) = (Vec::new(), None);
        loop {
            let query = EntryQuery {
                cursor,
                limit: Some(2),
                ..query.clone()
            };
            let page = self
                .versions
                .entries(&self.manager, version, query)
                .await
                .unwrap();
            paths.extend(page.rows.into_iter().map(|e| e.path));
            cursor = page.next;
            if cursor.is_none() {
                return paths;
            }
        }
    }

    async fn exported(&self, version: VersionId, input: VersionExport) -> Vec<u8> {
        let job = self
            .exports
            .start_of_version(&self.manager, version, input)
            .await
            .unwrap();
        let job = self.finish(job.id).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        let (path, _) = self.exports.file(&self.manager, job.id).await.unwrap();
        std::fs::read(path).unwrap()
    }

    pub(super) async fn version(&self, id: VersionId) -> Version {
        self.versions.get(&self.manager, id).await.unwrap()
    }

    pub(super) async fn upload_zip(
        &self,
        dataset: &Dataset,
        files: &[(&str, Vec<u8>)],
        mode: UploadMode,
    ) -> VersionOutcome {
        let upload = self.upload("files.zip", zip(files)).await;
        let source = VersionSource::Uploads {
            uploads: vec![upload],
            mode,
        };
        self.register(dataset, source).await
    }
}

fn of_project(world: &World) -> VersionSource {
    VersionSource::Project {
        project_id: world.project,
        statuses: Vec::new(),
        categories: Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_becomes_versions_that_never_change() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        w.label_some().await;
        let d = w.dataset("Street", DatasetKind::Images).await;
        let one = w.register_project(&d).await;
        assert!(one.is_new && one.number == 1 && one.files == 2, "{one:?}");
        // The same content is the same version, however it is asked for.
        let again = w.register_project(&d).await;
        assert_eq!((again.is_new, again.version_id), (false, one.version_id));
        assert!(
            again.notes[0].contains("Nothing has changed"),
            "{:?}",
            again.notes
        );
        let v = w.version(one.version_id).await;
        assert_eq!(
            (v.counts.labels, v.counts.labeled_files, v.task),
            (2, 2, Some(Task::Detection))
        );
        let by_category: Vec<_> = v
            .counts
            .categories
            .iter()
            .map(|c| (c.path.as_str(), c.labels))
            .collect();
        assert_eq!(by_category, [("cat", 1), ("dog", 1)]);

        let first = w.exported(one.version_id, VersionExport::default()).await;
        w.clock.advance_seconds(3_600);
        w.label(&["a.png", "sub/c.png"], 5.0).await;
        let two = w.register_project(&d).await;
        assert!(two.is_new && two.number == 2 && two.files == 3);
        assert_eq!(
            w.exported(one.version_id, VersionExport::default()).await,
            first,
            "byte for byte"
        );
        let file: serde_json::Value = serde_json::from_slice(&first).unwrap();
        assert_eq!(file["images"].as_array().unwrap().len(), 2);
        assert_eq!(
            file["annotations"][0]["bbox"],
            serde_json::json!([1.0, 2.0, 30.0, 40.0])
        );

        let diff = w
            .versions
            .diff(&w.manager, one.version_id, two.version_id)
            .await
            .unwrap();
        assert_eq!(
            (
                diff.added,
                diff.removed,
                diff.labels,
                diff.content,
                diff.unchanged
            ),
            (1, 0, 1, 0, 1)
        );
        let rows = w
            .versions
            .diff_files(&w.manager, one.version_id, two.version_id, DiffQuery::default())
            .await
            .unwrap()
            .rows;
        let rows: Vec<_> = rows
            .iter()
            .map(|r| (r.path.as_str(), r.kinds.as_slice()))
            .collect();
        assert_eq!(
            rows,
            [
                ("a.png", [DiffKind::Labels].as_slice()),
                ("sub/c.png", &[DiffKind::Added])
            ]
        );
        let only = DiffQuery {
            kind: Some(DiffKind::Added),
            ..DiffQuery::default()
        };
        assert_eq!(
            w.versions
                .diff_files(&w.manager, one.version_id, two.version_id, only)
                .await
                .unwrap()
                .rows
                .len(),
            1
        );

        // To-do items and a category.
        let source = VersionSource::Project {
            project_id: w.project,
            statuses: ItemStatus::ALL.to_vec(),
            categories: vec!["dog".into()],
        };
        let dogs = w.register(&d, source).await;
        assert_eq!(dogs.files, 1);
        // The project may go; versions stay.
        w.projects.delete(&w.manager, w.project).await.unwrap();
        w.clock.advance_seconds(10 * 3_600);
        sweep(&w.context).await.unwrap();
        assert_eq!(w.exported(one.version_id, VersionExport::default()).await, first);
        let file = w
            .versions
            .file(&w.manager, one.version_id, "SUB/B.png", Rendition::Original)
            .await
            .unwrap();
        assert_eq!(file.path, "sub/b.png");
        let MediaBody::File { path, .. } = file.file.body else {
            panic!("a file")
        };
        assert_eq!(
            std::fs::read(path).unwrap(),
            picture(100, 80, 20, ImageFormat::Png)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_format_of_a_version_is_the_same_twice() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        w.label_some().await;
        let d = w.dataset("Street", DatasetKind::Images).await;
        let v = w.register_project(&d).await.version_id;
        for format in ExportFormat::for_task(Task::Detection) {
            let input = VersionExport {
                export: NewExport {
                    format,
                    with_images: true,
                    ..NewExport::default()
                },
                split: None,
            };
            let first = w.exported(v, input).await;
            w.clock.advance_seconds(100);
            assert_eq!(first, w.exported(v, input).await, "{format:?}");
            assert!(
                first.len() > 200 || format.is_of_videos(),
                "{format:?}: {}",
                first.len()
            );
        }
        // The dataset may be called something else by then.
        let coco = w.exported(v, VersionExport::default()).await;
        let rename = UpdateDataset {
            name: Some("Other".into()),
            ..UpdateDataset::default()
        };
        w.datasets.update(&w.manager, d.summary.id, rename).await.unwrap();
        assert_eq!(coco, w.exported(v, VersionExport::default()).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_are_added_or_take_the_place_of_all() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let d = w.dataset("Files", DatasetKind::Images).await;
        let red = picture(20, 10, 1, ImageFormat::Png);
        let blue = picture(20, 10, 2, ImageFormat::Png);
        let one = w
            .upload_zip(
                &d,
                &[
                    ("x/a.png", red.clone()),
                    ("x/b.png", blue.clone()),
                    ("notes.txt", b"hi".to_vec()),
                ],
                UploadMode::Add,
            )
            .await;
        assert_eq!(one.files, 2);
        assert!(
            one.notes.iter().any(|n| n.contains("notes.txt")),
            "{:?}",
            one.notes
        );
        // Other case, same name; and a new one.
        let two = w
            .upload_zip(
                &d,
                &[
                    ("X/A.png", blue.clone()),
                    ("y/c.png", red.clone()),
                    ("x/b.png", red.clone()),
                ],
                UploadMode::Add,
            )
            .await;
        assert_eq!((two.number, two.files), (2, 3));
        assert!(
            two.notes
                .iter()
                .any(|n| n.contains("X/A.png") && n.contains("case")),
            "{:?}",
            two.notes
        );
        let diff = w
            .versions
            .diff(&w.manager, one.version_id, two.version_id)
            .await
            .unwrap();
        assert_eq!((diff.added, diff.content, diff.unchanged), (1, 1, 1));
        assert_eq!(
            w.paths(two.version_id, EntryQuery::default()).await,
            ["x/a.png", "x/b.png", "y/c.png"]
        );
        // Uploading the same again changes nothing.
        let same = w
            .upload_zip(&d, &[("y/c.png", red.clone())], UploadMode::Add)
            .await;
        assert_eq!((same.is_new, same.number), (false, 2));
        // All there is.
        let three = w
            .upload_zip(&d, &[("y/c.png", red.clone())], UploadMode::Replace)
            .await;
        assert_eq!((three.number, three.files), (3, 1));
        let top = w
            .versions
            .folder(&w.manager, two.version_id, "", None, None)
            .await
            .unwrap();
        assert_eq!((top.folders.len(), top.files.len()), (2, 0));
        let x = w
            .versions
            .folder(&w.manager, two.version_id, "x", None, None)
            .await
            .unwrap();
        assert_eq!((x.folders.len(), x.files.len()), (0, 2));
        // Nothing usable is a failure that says so.
        let bad = w.upload("only.txt", b"text".to_vec()).await;
        let source = VersionSource::Uploads {
            uploads: vec![bad],
            mode: UploadMode::Add,
        };
        let e = w.dataset("Empty", DatasetKind::Images).await;
        let job = w.registered(&e, source).await;
        assert_eq!(job.state, JobState::Failed);
        assert!(job.error.unwrap().contains("no pictures"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn splits_filters_and_a_project_from_a_version() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        w.label_some().await;
        let d = w.dataset("Street", DatasetKind::Images).await;
        let one = w.register_project(&d).await;
        let plan = SplitPlan {
            method: SplitMethod::Random,
            shares: SplitShare {
                train: 50,
                val: 50,
                test: 0,
            },
            seed: 1,
            keep: false,
        };
        let source = VersionSource::Splits {
            version_id: one.version_id,
            plan,
        };
        let two = w.register(&d, source.clone()).await;
        let v = w.version(two.version_id).await;
        assert_eq!(v.counts.splits, [0, 1, 1, 0]);
        assert!(
            !w.register(&d, source).await.is_new,
            "the same plan, the same splits"
        );
        let train = EntryQuery {
            split: Some(Split::Train),
            ..EntryQuery::default()
        };
        let trained = w.paths(two.version_id, train).await;
        assert_eq!(trained.len(), 1);
        let export = VersionExport {
            split: Some(Split::Train),
            ..VersionExport::default()
        };
        let file: serde_json::Value =
            serde_json::from_slice(&w.exported(two.version_id, export).await).unwrap();
        assert_eq!(file["images"].as_array().unwrap().len(), 1);
        assert_eq!(file["images"][0]["file_name"], trained[0]);

        // Some of it, in another dataset.
        let other = w.dataset("Part", DatasetKind::Images).await;
        let filter = EntryFilter {
            glob: Some("sub/*".into()),
            ..EntryFilter::default()
        };
        let part = w
            .register(
                &other,
                VersionSource::Version {
                    version_id: two.version_id,
                    filter,
                },
            )
            .await;
        assert_eq!(part.files, 1);
        let none = EntryFilter {
            glob: Some("*.jpg".into()),
            ..EntryFilter::default()
        };
        let job = w
            .registered(
                &other,
                VersionSource::Version {
                    version_id: two.version_id,
                    filter: none,
                },
            )
            .await;
        assert_eq!(job.state, JobState::Failed);

        // A project, with labels.
        let make = MakeProject {
            name: "Again".into(),
            with_labels: true,
            task: None,
            filter: EntryFilter::default(),
        };
        let project = w
            .versions
            .make_project(&w.manager, two.version_id, make)
            .await
            .unwrap();
        let jobs = w
            .jobs
            .list(&w.manager, Some(project.summary.id), false, None, None)
            .await
            .unwrap();
        let job = w.finish(jobs.rows[0].id).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        let items = w.items(project.summary.id).await;
        assert_eq!(items.keys().collect::<Vec<_>>(), ["a.png", "sub/b.png"]);
        for (item, labels) in items.values() {
            assert_eq!((item.status, labels.len()), (ItemStatus::Done, 1));
        }
        // It gives the version it came from.
        let back = w.dataset("Back", DatasetKind::Images).await;
        let source = VersionSource::Project {
            project_id: project.summary.id,
            statuses: vec![],
            categories: vec![],
        };
        let back = w.register(&back, source).await;
        let diff = w
            .versions
            .diff(&w.manager, one.version_id, back.version_id)
            .await
            .unwrap();
        assert!(diff.is_empty(), "{diff:?}");

        let lineage = w.versions.lineage(&w.manager, d.summary.id).await.unwrap();
        let ends: Vec<(String, String)> = lineage.iter().map(|e| (name(&e.from), name(&e.to))).collect();
        let wanted = [
            ("Raccoons", "Street v1"),
            ("Street v1", "Street v2"),
            ("Street v2", "Part v1"),
            ("Street v2", "Again"),
        ];
        assert_eq!(ends, wanted.map(|(a, b)| (a.to_owned(), b.to_owned())));
        // Somebody who sees the dataset alone reads no other names.
        let eva = w.person("Eva", Role::Viewer).await;
        let open = UpdateDataset {
            visibility: Some(Visibility::Studio),
            ..UpdateDataset::default()
        };
        w.datasets.update(&w.manager, d.summary.id, open).await.unwrap();
        let seen = w.versions.lineage(&eva, d.summary.id).await.unwrap();
        assert!(
            seen.iter()
                .all(|e| name(&e.from) != "Raccoons" && name(&e.to) != "Part v1" && name(&e.to) != "Again"),
            "{seen:?}"
        );
    })
    .await;
}

fn name(node: &LineageNode) -> String {
    match node {
        LineageNode::Version { name, .. }
        | LineageNode::Project { name, .. }
        | LineageNode::Datastore { name, .. }
        | LineageNode::Catalogue { name, .. }
        | LineageNode::Upload { name } => name.clone(),
    }
}
