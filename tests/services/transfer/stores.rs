//! Datastores, and projects and datasets that take from them.

mod datasets;
mod follow;
mod place;
mod resume;
mod secrets;
mod sftp;
mod sql_server;
mod stand_in;
mod trouble;
mod videos;

use super::{World, world};
use crate::{code, refusal};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use limn_domain::datastore::{
    AddSource, Datastore, DatastoreKind, Health, NewDatastore, ProjectSource, SourceReport, UpdateDatastore,
};
use limn_domain::item::Item;
use limn_domain::job::{Job, JobState};
use limn_domain::project::Task;
use limn_domain::{Code, Role};
use limn_services::Actor;
use limn_testkit::on_both;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// A picture; another seed, another one.
pub(super) fn picture(seed: u8) -> Vec<u8> {
    let image = RgbImage::from_fn(24, 16, |x, y| Rgb([seed, (x * 10) as u8, (y * 16) as u8]));
    let mut out = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(image)
        .write_to(&mut out, ImageFormat::Png)
        .unwrap();
    out.into_inner()
}

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

fn new(name: &str, kind: DatastoreKind, settings: &[(&str, &str)], secrets: &[(&str, &str)]) -> NewDatastore {
    NewDatastore {
        name: name.to_owned(),
        kind,
        description: String::new(),
        settings: texts(settings),
        secrets: texts(secrets),
    }
}

impl World {
    /// A folder that datastores may lie in.
    fn folder(&self) -> PathBuf {
        let folder = self.db.dir().join("stores/photos");
        std::fs::create_dir_all(folder.join("sub")).unwrap();
        folder
    }

    async fn folder_store(&self, name: &str, folder: &Path) -> Datastore {
        let path = folder.display().to_string();
        self.datastores
            .create(
                &Actor::System,
                new(name, DatastoreKind::Folder, &[("path", &path)], &[]),
            )
            .await
            .unwrap()
    }

    async fn take(&self, store: &Datastore, glob: &str) -> ProjectSource {
        let input = AddSource {
            datastore_id: Some(store.id),
            glob: glob.to_owned(),
            ..AddSource::default()
        };
        self.sources
            .add(&self.manager, self.project, input)
            .await
            .unwrap()
    }

    async fn ended(&self, source: &ProjectSource) -> Job {
        self.finish(source.job_id.unwrap()).await
    }

    async fn refreshed(&self, source: &ProjectSource) -> SourceReport {
        let job = self.sources.refresh(&self.manager, source.id).await.unwrap();
        report(self.finish(job.id).await)
    }

    async fn names(&self) -> BTreeSet<String> {
        self.items(self.project).await.into_keys().collect()
    }

    async fn every_item(&self) -> Vec<Item> {
        self.items(self.project)
            .await
            .into_values()
            .map(|(i, _)| i)
            .collect()
    }
}

fn report(job: Job) -> SourceReport {
    assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
    serde_json::from_value(job.result.unwrap()).unwrap()
}

fn figures(r: &SourceReport) -> [i64; 6] {
    [
        r.matched,
        r.report.items_added,
        r.unchanged,
        r.changed,
        r.vanished,
        r.report.refused,
    ]
}

#[tokio::test]
async fn a_project_follows_a_folder_without_reading_twice() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let folder = w.folder();
        for n in 0..5 {
            std::fs::write(folder.join(format!("sub/{n}.png")), picture(n)).unwrap();
        }
        std::fs::write(folder.join("broken.png"), b"no picture").unwrap();
        std::fs::write(folder.join("notes.md"), b"no picture either").unwrap();
        let store = w.folder_store("Photos", &folder).await;
        let source = w.take(&store, "").await;
        let first = report(w.ended(&source).await);
        assert_eq!(figures(&first), [7, 5, 0, 0, 0, 1]);
        let refused: Vec<&str> = first.report.entries.iter().filter(|e| e.code == "bad_picture").map(|e| e.file.as_str()).collect();
        assert_eq!(refused, ["broken.png"]);
        assert!(first.report.entries.iter().any(|e| e.code == "passed_over"));
        assert_eq!(w.names().await, (0..5).map(|n| format!("sub/{n}.png")).collect());

        // Nothing new: nothing is read, the refused one neither.
        let second = w.refreshed(&source).await;
        assert_eq!((figures(&second), second.bytes), ([7, 0, 6, 0, 0, 0], 0));

        for n in 5..15 {
            std::fs::write(folder.join(format!("{n}.png")), picture(n)).unwrap();
        }
        std::fs::write(folder.join("sub/0.png"), picture(200)).unwrap();
        std::fs::remove_file(folder.join("sub/1.png")).unwrap();
        // Touched, with the same content: no change.
        std::fs::write(folder.join("sub/2.png"), picture(2)).unwrap();
        let before = w.every_item().await;
        let third = w.refreshed(&source).await;
        assert_eq!((figures(&third), third.report.items_unchanged), ([16, 10, 3, 1, 1, 0], 1));
        let told: BTreeSet<(&str, &str)> = third.report.entries.iter().map(|e| (e.code.as_str(), e.file.as_str())).collect();
        assert!(told.contains(&("changed", "sub/0.png")) && told.contains(&("vanished", "sub/1.png")), "{told:?}");
        let after = w.every_item().await;
        assert_eq!(after.len(), 15);
        for item in before {
            assert!(after.iter().any(|a| a.id == item.id && a.digest == item.digest), "{}", item.name);
        }
        // Said again as long as it is so, and never read again.
        let fourth = w.refreshed(&source).await;
        assert_eq!((figures(&fourth), fourth.bytes), ([16, 0, 14, 1, 1, 0], 0));
        let listed = w.sources.list(&w.manager, w.project).await.unwrap();
        assert_eq!((listed[0].files, listed[0].last.as_ref().map(figures)), (15, Some(figures(&fourth))));

        let usage = w.datastores.usage(&Actor::System, store.id).await.unwrap();
        assert_eq!((usage.projects[0].name.as_str(), usage.projects[0].files), ("Raccoons", 15));
        let edges = w.versions.lineage_of_project(&w.manager, w.project).await.unwrap();
        assert!(matches!(&edges[0].from, limn_domain::dataset::LineageNode::Datastore { name, .. } if name == "Photos: **"));
    })
    .await;
}

#[tokio::test]
async fn patterns_name_files_and_folders() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let folder = w.folder();
        for path in ["a.png", "b.jpg.png", "sub/c.png"] {
            std::fs::write(folder.join(path), picture(path.len() as u8)).unwrap();
        }
        let store = w.folder_store("Photos", &folder).await;
        for (glob, matched) in [
            ("sub", 1),
            ("a.png", 1),
            ("*.png", 3),
            ("sub/*.png", 1),
            ("**/c.png", 1),
        ] {
            let source = w.take(&store, glob).await;
            assert_eq!(report(w.ended(&source).await).matched, matched, "{glob}");
        }
        let none = w.take(&store, "nothing/**").await;
        let job = w.ended(&none).await;
        assert_eq!(job.state, JobState::Failed);
        let error = job.error.unwrap();
        assert!(
            error.contains("`nothing/**`") && error.contains("“Photos”"),
            "{error}"
        );
        let add = |glob: &str| AddSource {
            datastore_id: Some(store.id),
            glob: glob.to_owned(),
            ..AddSource::default()
        };
        assert_eq!(
            code(w.sources.add(&w.manager, w.project, add("/sub/")).await),
            Code::AlreadyExists
        );
        assert_eq!(
            code(w.sources.add(&w.manager, w.project, add("../x")).await),
            Code::InvalidInput
        );
        let often = AddSource {
            every_minutes: Some(1),
            ..add("x")
        };
        assert!(
            refusal(w.sources.add(&w.manager, w.project, often).await)
                .for_field("every_minutes")
                .is_some()
        );
    })
    .await;
}

#[tokio::test]
async fn schedules_refresh_when_their_time_has_come() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let folder = w.folder();
        std::fs::write(folder.join("a.png"), picture(1)).unwrap();
        let store = w.folder_store("Photos", &folder).await;
        let input = AddSource {
            datastore_id: Some(store.id),
            every_minutes: Some(30),
            ..AddSource::default()
        };
        let source = w.sources.add(&w.manager, w.project, input).await.unwrap();
        w.ended(&source).await;
        std::fs::write(folder.join("b.png"), picture(2)).unwrap();
        let look = async || w.sources.list(&w.manager, w.project).await.unwrap().remove(0);
        // A runner looks at once when it starts. The time has not come.
        let working = w.work();
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        working.stop().await;
        assert_eq!(look().await.job_id, source.job_id);
        w.clock.advance_seconds(31 * 60);
        let working = w.work();
        let began = std::time::Instant::now();
        while look().await.job_id == source.job_id {
            assert!(began.elapsed().as_secs() < 30, "no refresh was started");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let job = look().await.job_id.unwrap();
        let job = w.until(job, |j| j.state.is_final()).await;
        working.stop().await;
        assert_eq!(report(job).report.items_added, 1);
        assert!(look().await.next_at.unwrap() > w.clock.now());
    })
    .await;
}

#[tokio::test]
async fn datastores_are_set_up_disabled_and_deleted() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let folder = w.folder();
        std::fs::write(folder.join("a.png"), picture(1)).unwrap();
        let store = w.folder_store("Photos", &folder).await;
        assert_eq!((store.health, store.enabled), (Health::Ok, true));
        let path = folder.display().to_string();
        let twice = new("photos", DatastoreKind::Folder, &[("path", &path)], &[]);
        assert_eq!(
            code(w.datastores.create(&Actor::System, twice).await),
            Code::AlreadyExists
        );
        let outside = new("Out", DatastoreKind::Folder, &[("path", "/etc")], &[]);
        assert!(
            refusal(w.datastores.create(&Actor::System, outside).await)
                .for_field("settings.path")
                .is_some()
        );
        let admin = w.person("Ada", Role::Admin).await;
        let labeler = w.person("Lou", Role::Labeler).await;
        assert_eq!(code(w.datastores.list(&labeler).await), Code::Forbidden);
        assert_eq!(
            code(w.datastores.delete(&w.manager, store.id, false).await),
            Code::Forbidden
        );
        let page = w.datastores.browse(&w.manager, store.id, "", None).await.unwrap();
        let names: Vec<&str> = page.entries.iter().map(|e| e.path.as_str()).collect();
        assert_eq!(names, ["a.png", "sub"]);
        assert_eq!(
            code(w.datastores.browse(&w.manager, store.id, "../..", None).await),
            Code::InvalidInput
        );
        let preview = w.datastores.preview(&w.manager, store.id, "a.png").await.unwrap();
        assert!(matches!(
            preview,
            limn_domain::datastore::StorePreview::Image {
                width: 24,
                height: 16,
                ..
            }
        ));
        let thumb = w.datastores.thumb(&w.manager, store.id, "a.png").await.unwrap();
        assert!(thumb.media_type.starts_with("image/") && !thumb.bytes.is_empty());
        // The share goes away.
        std::fs::rename(&folder, folder.with_file_name("away")).unwrap();
        assert!(!w.datastores.test(&w.manager, store.id).await.unwrap().ok);
        let failing = w.datastores.get(&w.manager, store.id).await.unwrap();
        assert_eq!(failing.health, Health::Failing);
        assert!(
            failing.health_text.contains("There is no"),
            "{}",
            failing.health_text
        );
        std::fs::rename(folder.with_file_name("away"), &folder).unwrap();
        assert!(w.datastores.test(&w.manager, store.id).await.unwrap().ok);

        let source = w.take(&store, "").await;
        w.ended(&source).await;
        let off = UpdateDatastore {
            enabled: Some(false),
            ..UpdateDatastore::default()
        };
        w.datastores.update(&admin, store.id, off).await.unwrap();
        assert_eq!(
            code(w.datastores.browse(&w.manager, store.id, "", None).await),
            Code::WrongState
        );
        let job = w.sources.refresh(&w.manager, source.id).await.unwrap();
        let job = w.finish(job.id).await;
        assert!(job.error.unwrap().contains("disabled"));
        let error = refusal(w.datastores.delete(&admin, store.id, false).await);
        assert_eq!(error.code, Code::WrongState);
        w.datastores.delete(&admin, store.id, true).await.unwrap();
        assert!(w.sources.list(&w.manager, w.project).await.unwrap().is_empty());
        assert_eq!(w.names().await.len(), 1, "items stay");
    })
    .await;
}
