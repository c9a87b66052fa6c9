//! Datasets of labeled pictures, and trainings of them.

use super::trainer::{Script, Scripted};
use bytes::Bytes;
use futures::stream;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use limn_domain::dataset::{
    DatasetKind, Entry, EntryQuery, NewDataset, NewVersion, SplitMethod, SplitPlan, SplitShare, UploadMode,
    Version, VersionOutcome, VersionSource,
};
use limn_domain::import::{ImportAs, ImportFormat, NewImport};
use limn_domain::job::{Job, JobState};
use limn_domain::project::Task;
use limn_domain::run::Run;
use limn_domain::training::{NewTraining, Training};
use limn_domain::upload::NewUpload;
use limn_domain::{DatasetId, JobId, Role, RunId, UploadId, VersionId};
use limn_jobs::{Runner, Timing};
use limn_services::artifacts::Owner;
use limn_services::{Actor, Services};
use limn_testkit::{Studio, TestDb, build};
use serde_json::json;
use std::io::{Cursor, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub struct World {
    pub studio: Studio,
    pub trainer: Arc<Scripted>,
    /// Manages all datasets.
    pub mia: Actor,
    /// Only reads them.
    pub lena: Actor,
}

/// A picture that differs by its shade.
pub fn drawn(width: u32, height: u32, shade: u8) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let pixels = RgbImage::from_fn(width, height, |x, y| Rgb([shade, (x * 3) as u8, (y * 5) as u8]));
    DynamicImage::from(pixels)
        .write_to(&mut out, ImageFormat::Png)
        .unwrap();
    out.into_inner()
}

fn zip(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

impl World {
    pub async fn new(db: &TestDb, script: Script) -> Self {
        let mut studio = Studio::new(db);
        let trainer = Arc::new(Scripted::default());
        trainer.change(|s| *s = script);
        studio.services = Services::new(studio.services.context.clone().with_trainer(trainer.clone()));
        let mia = studio.person("Mia", Role::Manager).await;
        let lena = studio.person("Lena", Role::Labeler).await;
        Self {
            studio,
            trainer,
            mia,
            lena,
        }
    }

    pub async fn dataset(&self, name: &str, kind: DatasetKind) -> DatasetId {
        let input = NewDataset {
            name: name.to_owned(),
            kind,
            ..NewDataset::default()
        };
        let id = self
            .studio
            .datasets
            .create(&self.mia, input)
            .await
            .unwrap()
            .summary
            .id;
        build::dataset_member(&self.studio.db, id, self.lena.user_id().unwrap(), Role::Viewer).await;
        id
    }

    async fn upload(&self, files: &[(String, Vec<u8>)]) -> UploadId {
        let bytes = Bytes::from(zip(files));
        let new = NewUpload {
            name: "files.zip".to_owned(),
            size: bytes.len() as i64,
        };
        let upload = self.studio.uploads.create(&self.mia, new).await.unwrap();
        let body = stream::iter([Ok::<_, std::io::Error>(bytes)]);
        self.studio
            .uploads
            .append(&self.mia, upload.id, 0, body)
            .await
            .unwrap();
        upload.id
    }

    pub async fn register_files(&self, dataset: DatasetId, files: &[(&str, Vec<u8>)]) -> VersionId {
        let files: Vec<(String, Vec<u8>)> = files.iter().map(|(n, b)| ((*n).to_owned(), b.clone())).collect();
        let source = VersionSource::Uploads {
            uploads: vec![self.upload(&files).await],
            mode: UploadMode::Replace,
        };
        self.register(dataset, source).await
    }

    async fn register(&self, dataset: DatasetId, source: VersionSource) -> VersionId {
        let input = NewVersion {
            source,
            note: String::new(),
        };
        let job = self
            .studio
            .versions
            .register(&self.mia, dataset, input)
            .await
            .unwrap();
        let runner = limn_services::jobs::runner(&self.studio.services, 2);
        let job = self.by(runner, job.id).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        let made: VersionOutcome = serde_json::from_value(job.result.unwrap()).unwrap();
        made.version_id
    }

    /// A version of pictures with a box each, of cats and dogs in turn, with splits of these shares in per cent.
    pub async fn boxes(&self, name: &str, n: usize, shares: Option<[u32; 3]>) -> VersionId {
        let names: Vec<String> = (0..n).map(|i| format!("{i:03}.png")).collect();
        let images: Vec<_> = names
            .iter()
            .zip(1..)
            .map(|(n, id)| json!({ "id": id, "file_name": n, "width": 64, "height": 48 }))
            .collect();
        let boxes: Vec<_> = (1..=n)
            .map(|id| json!({ "id": id, "image_id": id, "category_id": 1 + id % 2, "bbox": [8, 6, 32, 24], "iscrowd": 0 }))
            .collect();
        let labels = json!({
            "images": images, "annotations": boxes,
            "categories": [{ "id": 1, "name": "cat" }, { "id": 2, "name": "dog" }],
        });
        let mut files: Vec<(String, Vec<u8>)> = names
            .into_iter()
            .enumerate()
            .map(|(i, name)| (name, drawn(64, 48, i as u8 * 7)))
            .collect();
        files.push(("labels.json".to_owned(), serde_json::to_vec(&labels).unwrap()));
        let (dataset, version) = self
            .labeled(name, Task::Detection, ImportFormat::Coco, &files)
            .await;
        let Some([train, val, test]) = shares else {
            return version;
        };
        let plan = SplitPlan {
            method: SplitMethod::Random,
            shares: SplitShare { train, val, test },
            seed: 1,
            keep: false,
        };
        self.register(
            dataset,
            VersionSource::Splits {
                version_id: version,
                plan,
            },
        )
        .await
    }

    /// A version of pictures with an outline each, of cats and dogs in turn: a quarter of the picture.
    pub async fn outlines(&self, name: &str, n: usize) -> VersionId {
        let names: Vec<String> = (0..n).map(|i| format!("{i:03}.png")).collect();
        let images: Vec<_> = names
            .iter()
            .zip(1..)
            .map(|(n, id)| json!({ "id": id, "file_name": n, "width": 64, "height": 48 }))
            .collect();
        let outlines: Vec<_> = (1..=n)
            .map(|id| {
                json!({
                    "id": id, "image_id": id, "category_id": 1 + id % 2, "bbox": [8, 6, 32, 24], "iscrowd": 0,
                    "segmentation": [[8, 6, 40, 6, 40, 30, 8, 30]], "area": 768,
                })
            })
            .collect();
        let labels = json!({
            "images": images, "annotations": outlines,
            "categories": [{ "id": 1, "name": "cat" }, { "id": 2, "name": "dog" }],
        });
        let mut files: Vec<(String, Vec<u8>)> = names
            .into_iter()
            .enumerate()
            .map(|(i, name)| (name, drawn(64, 48, i as u8 * 7)))
            .collect();
        files.push(("labels.json".to_owned(), serde_json::to_vec(&labels).unwrap()));
        self.labeled(name, Task::Segmentation, ImportFormat::Coco, &files)
            .await
            .1
    }

    /// A version of pictures of these categories.
    pub async fn wholes(&self, name: &str, categories: &[&[&str]]) -> VersionId {
        let mut rows = "file,category,kind\n".to_owned();
        let mut files = Vec::new();
        for (i, all) in categories.iter().enumerate() {
            let file = format!("{i:03}.png");
            for c in *all {
                rows += &[file.as_str(), *c, "whole\n"].join(",");
            }
            files.push((file, drawn(40, 40, i as u8 * 11)));
        }
        files.push(("labels.csv".to_owned(), rows.into_bytes()));
        self.labeled(name, Task::Multilabel, ImportFormat::Csv, &files)
            .await
            .1
    }

    /// A dataset with a version of a labeling project that these files were imported into.
    async fn labeled(
        &self,
        name: &str,
        task: Task,
        format: ImportFormat,
        files: &[(String, Vec<u8>)],
    ) -> (DatasetId, VersionId) {
        let dataset = self.dataset(name, DatasetKind::Images).await;
        let project = build::project(&self.studio.db, name, task).await;
        build::member(
            &self.studio.db,
            project,
            self.mia.user_id().unwrap(),
            Role::Manager,
        )
        .await;
        let input = NewImport {
            format,
            import_as: ImportAs::Labels,
            uploads: vec![self.upload(files).await],
            create_categories: true,
            replace: false,
            columns: None,
            sequence: None,
        };
        let job = self
            .studio
            .imports
            .start(&self.mia, project, input)
            .await
            .unwrap();
        let runner = limn_services::jobs::runner(&self.studio.services, 2);
        let job = self.by(runner, job.id).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        let source = VersionSource::Project {
            project_id: project,
            statuses: Vec::new(),
            categories: Vec::new(),
        };
        (dataset, self.register(dataset, source).await)
    }

    pub async fn version(&self, id: VersionId) -> Version {
        self.studio.versions.get(&self.mia, id).await.unwrap()
    }

    pub async fn entries(&self, id: VersionId) -> Vec<Entry> {
        let query = EntryQuery {
            limit: Some(1_000),
            ..EntryQuery::default()
        };
        self.studio
            .versions
            .entries(&self.mia, id, query)
            .await
            .unwrap()
            .rows
    }

    pub async fn start(&self, version: VersionId, input: NewTraining) -> Training {
        self.studio
            .trainings
            .start(&self.lena, version, input)
            .await
            .unwrap()
    }

    pub async fn run(&self, run: RunId) -> Run {
        self.studio.runs.get(&self.lena, run).await.unwrap()
    }

    pub async fn bytes(&self, run: RunId, path: &str) -> Vec<u8> {
        let files = self
            .studio
            .artifacts
            .files(&self.lena, Owner::Run(run), "")
            .await
            .unwrap();
        let file = files
            .iter()
            .find(|f| f.path == path)
            .unwrap_or_else(|| panic!("{path} of {files:?}"));
        self.studio
            .context
            .blobs
            .read(&file.digest)
            .await
            .unwrap()
            .to_vec()
    }

    pub fn folder(&self, run: RunId) -> PathBuf {
        self.studio.context.data_dir.join("trainings").join(run.hex())
    }

    /// A runner of trainings at work.
    pub fn work(&self) -> (CancellationToken, JoinHandle<()>) {
        let stop = CancellationToken::new();
        let runner = limn_services::jobs::trainer(&self.studio.services).with_timing(timing());
        (stop.clone(), tokio::spawn(runner.run(stop)))
    }

    pub async fn until(&self, id: JobId, what: impl Fn(&Job) -> bool) -> Job {
        let began = Instant::now();
        loop {
            let job = self.studio.jobs.get(&Actor::System, id).await.unwrap();
            if what(&job) {
                return job;
            }
            assert!(began.elapsed() < Duration::from_mins(1), "{job:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn by(&self, runner: Runner, id: JobId) -> Job {
        let stop = CancellationToken::new();
        let task = tokio::spawn(runner.with_timing(timing()).run(stop.clone()));
        let job = self.until(id, |j| j.state.is_final()).await;
        stop.cancel();
        task.await.unwrap();
        job
    }

    /// Runs a training to its end.
    pub async fn finish(&self, id: JobId) -> Job {
        let runner = limn_services::jobs::trainer(&self.studio.services);
        self.by(runner, id).await
    }
}

fn timing() -> Timing {
    Timing {
        poll: Duration::from_millis(20),
        watch: Duration::from_millis(20),
        ..Timing::default()
    }
}
