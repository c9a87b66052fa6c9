//! Imports and exports as jobs: what is taken, mended and refused, what a stop in between leaves, and the way round.

mod attributes_round;
mod captions_round;
mod catalogue;
mod coco_in;
mod datasets;
mod export;
mod files;
mod found;
mod links_round;
mod outlines_in;
mod permission;
mod poses_round;
mod shapes_round;
mod speed;
mod stops;
mod stores;
mod texts;
mod videos;
mod voc_in;

use bytes::Bytes;
use futures::stream;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use limn_domain::annotation::Annotation;
use limn_domain::export::{ExportResult, NewExport};
use limn_domain::import::{ImportAs, ImportFormat, ImportReport, NewImport};
use limn_domain::item::{Item, ItemQuery};
use limn_domain::job::{Job, JobState};
use limn_domain::project::Task;
use limn_domain::upload::NewUpload;
use limn_domain::{JobId, ProjectId, Role, UploadId};
use limn_jobs::Timing;
use limn_services::Actor;
use limn_testkit::{Studio, TestDb, build};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A studio with a detection project, its manager, and a way to run jobs.
struct World {
    studio: Studio,
    project: ProjectId,
    manager: Actor,
}

impl std::ops::Deref for World {
    type Target = Studio;

    fn deref(&self) -> &Studio {
        &self.studio
    }
}

/// A runner at work.
struct Working {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Working {
    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

async fn world(db: &TestDb, task: Task) -> World {
    world_of(db, task, Studio::new(db)).await
}

async fn world_of(db: &TestDb, task: Task, studio: Studio) -> World {
    let project = build::project(db, "Raccoons", task).await;
    let manager = studio.person("Mia", Role::Manager).await;
    build::member(db, project, manager.user_id().unwrap(), Role::Manager).await;
    World {
        studio,
        project,
        manager,
    }
}

impl World {
    async fn upload(&self, name: &str, bytes: impl Into<Bytes>) -> UploadId {
        let bytes = bytes.into();
        let new = NewUpload {
            name: name.to_owned(),
            size: bytes.len() as i64,
        };
        let upload = self.uploads.create(&self.manager, new).await.unwrap();
        let body = stream::iter([Ok::<_, std::io::Error>(bytes)]);
        self.uploads
            .append(&self.manager, upload.id, 0, body)
            .await
            .unwrap();
        upload.id
    }

    fn work(&self) -> Working {
        let timing = Timing {
            poll: Duration::from_millis(20),
            watch: Duration::from_millis(20),
            ..Timing::default()
        };
        let stop = CancellationToken::new();
        let runner = limn_services::jobs::runner(&self.services, 2).with_timing(timing);
        Working {
            stop: stop.clone(),
            task: tokio::spawn(runner.run(stop)),
        }
    }

    async fn until(&self, id: JobId, what: impl Fn(&Job) -> bool) -> Job {
        let began = Instant::now();
        loop {
            let job = self.jobs.get(&Actor::System, id).await.unwrap();
            if what(&job) {
                return job;
            }
            assert!(began.elapsed() < Duration::from_mins(1), "{job:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Runs a job to its end.
    async fn finish(&self, id: JobId) -> Job {
        let working = self.work();
        let job = self.until(id, |j| j.state.is_final()).await;
        working.stop().await;
        job
    }

    async fn import_with(&self, input: NewImport) -> ImportReport {
        let job = self
            .imports
            .start(&self.manager, self.project, input)
            .await
            .unwrap();
        let job = self.finish(job.id).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        serde_json::from_value(job.result.unwrap()).unwrap()
    }

    async fn import(&self, format: ImportFormat, files: &[(&str, Vec<u8>)]) -> ImportReport {
        let input = self.input(format, files).await;
        self.import_with(input).await
    }

    async fn input(&self, format: ImportFormat, files: &[(&str, Vec<u8>)]) -> NewImport {
        let mut uploads = Vec::new();
        for (name, bytes) in files {
            uploads.push(self.upload(name, bytes.clone()).await);
        }
        NewImport {
            format,
            import_as: ImportAs::Labels,
            uploads,
            create_categories: true,
            replace: false,
            columns: None,
            sequence: None,
        }
    }

    async fn export(&self, project: ProjectId, input: NewExport) -> (ExportResult, Vec<u8>) {
        let job = self.exports.start(&Actor::System, project, input).await.unwrap();
        let job = self.finish(job.id).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        let result: ExportResult = serde_json::from_value(job.result.unwrap()).unwrap();
        let (path, name) = self.exports.file(&Actor::System, job.id).await.unwrap();
        assert_eq!(name, result.file_name);
        let bytes = std::fs::read(path).unwrap();
        assert_eq!(bytes.len() as i64, result.size);
        assert_eq!(blake3::hash(&bytes).to_hex().as_str(), result.digest);
        (result, bytes)
    }

    /// Items of a project by name, with their labels.
    async fn items(&self, project: ProjectId) -> BTreeMap<String, (Item, Vec<Annotation>)> {
        let mut out = BTreeMap::new();
        let mut cursor = None;
        loop {
            let query = ItemQuery {
                cursor,
                limit: Some(200),
                ..ItemQuery::default()
            };
            let page = self.items.list(&Actor::System, project, query).await.unwrap();
            out.extend(
                page.rows
                    .into_iter()
                    .map(|r| (r.item.name.clone(), (r.item, r.annotations))),
            );
            cursor = page.next;
            if cursor.is_none() {
                return out;
            }
        }
    }

    async fn category_names(&self) -> Vec<String> {
        let all = self.categories.list(&Actor::System, self.project).await.unwrap();
        all.into_iter().map(|c| c.name).collect()
    }
}

/// The codes of a report's entries, in order.
fn codes(report: &ImportReport) -> Vec<&str> {
    report.entries.iter().map(|e| e.code.as_str()).collect()
}

fn picture(width: u32, height: u32, shade: u8, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let pixels = RgbImage::from_fn(width, height, |x, y| Rgb([shade, (x * 3) as u8, (y * 5) as u8]));
    DynamicImage::from(pixels).write_to(&mut out, format).unwrap();
    out.into_inner()
}

/// A JPEG that says it lies on its side: shown, it is `height` wide and `width` high.
fn turned_jpeg(width: u32, height: u32, orientation: u8) -> Vec<u8> {
    let plain = picture(width, height, 200, ImageFormat::Jpeg);
    let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    let mut out = plain[..2].to_vec();
    out.extend([0xff, 0xe1]);
    out.extend((exif.len() as u16 + 2).to_be_bytes());
    out.extend(exif);
    out.extend(&plain[2..]);
    out
}

fn zip(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The files of an archive, in order.
fn unzip(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|n| {
            let mut file = archive.by_index(n).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            (file.name().to_owned(), bytes)
        })
        .collect()
}

fn coco(images: &[Value], annotations: &[Value], categories: &[&str]) -> Vec<u8> {
    let categories: Vec<Value> = categories
        .iter()
        .zip(1..)
        .map(|(name, id)| json!({ "id": id, "name": name }))
        .collect();
    serde_json::to_vec_pretty(
        &json!({ "images": images, "annotations": annotations, "categories": categories }),
    )
    .unwrap()
}

fn image(id: i64, name: &str) -> Value {
    json!({ "id": id, "file_name": name, "width": 640, "height": 480 })
}

fn boxed(id: i64, image: i64, category: i64, bbox: [f64; 4]) -> Value {
    json!({ "id": id, "image_id": image, "category_id": category, "bbox": bbox, "iscrowd": 0 })
}

fn voc(name: &str, width: u32, height: u32, objects: &[(&str, [f64; 4])]) -> Vec<u8> {
    use std::fmt::Write as _;
    let mut out = format!(
        "<annotation>\n<filename>{name}</filename>\n<size><width>{width}</width><height>{height}</height></size>\n"
    );
    for (category, [x0, y0, x1, y1]) in objects {
        writeln!(
            out,
            "<object><name>{category}</name><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin>\
             <xmax>{x1}</xmax><ymax>{y1}</ymax></bndbox></object>"
        )
        .unwrap();
    }
    out.push_str("</annotation>\n");
    out.into_bytes()
}
