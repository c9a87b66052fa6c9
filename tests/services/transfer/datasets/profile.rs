//! Profiles: computed when a version is registered, of new files only, and compared.

use super::world;
use crate::code;
use crate::transfer::World;
use limn_domain::dataset::{DatasetKind, UploadMode};
use limn_domain::job::JobState;
use limn_domain::profile::{ColumnKind, DriftLevel, VersionProfile};
use limn_domain::project::Task;
use limn_domain::{Code, Role, VersionId};
use limn_store::repo;
use limn_testkit::on_both;
use std::fmt::Write as _;

impl World {
    /// The profile of a version, once its job has ended.
    async fn profiled(&self, version: VersionId) -> VersionProfile {
        let found = self.profiles.get(&self.manager, version).await.unwrap();
        let job = self.finish(found.job.expect("registering queues it").id).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        self.profiles.get(&self.manager, version).await.unwrap()
    }
}

fn new_files(p: &VersionProfile) -> i64 {
    let result = p
        .job
        .as_ref()
        .and_then(|j| j.result.clone())
        .expect("the job says so");
    result["new_files"].as_i64().unwrap()
}

fn table(rows: std::ops::Range<i64>, shift: f64) -> Vec<u8> {
    let mut text = "id,x,colour\n".to_owned();
    for i in rows {
        let _ = writeln!(
            text,
            "{i},{},{}",
            (i % 97) as f64 / 7.0 + shift,
            ["red", "green", "blue"][i as usize % 3]
        );
    }
    text.into_bytes()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_version_reads_only_its_new_files() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let set = w.dataset("Measured", DatasetKind::Tabular).await;
        let first = w
            .upload_zip(
                &set,
                &[("a.csv", table(0..300, 0.0)), ("b.csv", table(300..600, 0.0))],
                UploadMode::Add,
            )
            .await;
        let p = w.profiled(first.version_id).await;
        // The runner that registered it may have begun the profile too, and was stopped: then fewer were left.
        assert!(new_files(&p) <= 2);
        let profile = p.profile.unwrap();
        assert_eq!(
            (
                profile.tables.len(),
                profile.tables[0].profile.rows,
                profile.tables[0].name.as_str()
            ),
            (1, 600, "*.csv")
        );
        let kinds: Vec<_> = profile.tables[0].profile.columns.iter().map(|c| c.kind).collect();
        assert_eq!(
            kinds,
            [ColumnKind::Integer, ColumnKind::Float, ColumnKind::Category]
        );

        let second = w
            .upload_zip(&set, &[("c.csv", table(0..300, 50.0))], UploadMode::Add)
            .await;
        let p = w.profiled(second.version_id).await;
        assert!(new_files(&p) <= 1, "what was read before is kept by content");
        assert_eq!(p.profile.unwrap().tables[0].profile.rows, 900);

        let drift = w
            .profiles
            .drift(&w.manager, first.version_id, second.version_id)
            .await
            .unwrap();
        assert_eq!((drift.rows_before, drift.rows_after), (600, 900));
        let x = drift.features.iter().find(|f| f.name == "x").unwrap();
        assert_eq!(x.level, DriftLevel::Strong);
        let colour = drift.features.iter().find(|f| f.name == "colour").unwrap();
        assert_eq!(colour.level, DriftLevel::Stable);

        let statistics = w
            .profiles
            .statistics(&w.manager, second.version_id, 0)
            .await
            .unwrap();
        assert_eq!(
            (
                statistics["num_examples"].as_u64(),
                statistics["partial"].as_bool()
            ),
            (Some(900), Some(false))
        );
        let (page, name) = w.profiles.report(&w.manager, second.version_id).await.unwrap();
        assert!(page.starts_with("<!doctype html>") && name.ends_with("profile.html"));
        assert!(code(w.profiles.statistics(&w.manager, second.version_id, 7).await) == Code::InvalidInput);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_are_measured_with_their_labels() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        w.label_some().await;
        let set = w.dataset("Pictures", DatasetKind::Images).await;
        let made = w.register_project(&set).await;
        let profile = w.profiled(made.version_id).await.profile.unwrap();
        let images = profile.images.expect("it holds images");
        assert_eq!((images.images, images.corrupt_total), (2, 0));
        assert_eq!((images.widths.min, images.heights.max), (Some(100.0), Some(80.0)));
        let labels = images.labels.expect("they are labeled");
        assert_eq!(
            (labels.objects, labels.unlabeled, labels.categories.len()),
            (2, 0, 2)
        );
        assert_eq!(labels.heat.counts.iter().sum::<u64>(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_told_and_the_rest_is_profiled() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let set = w.dataset("Broken", DatasetKind::Files).await;
        let made = w
            .upload_zip(
                &set,
                &[
                    ("good.csv", b"a,b\n1,2\n3\n".to_vec()),
                    ("bad.parquet", b"PAR1 this is no parquet file PAR1".to_vec()),
                    ("rows.jsonl", b"{\"k\":1}\n{broken\n".to_vec()),
                    ("blob.bin", vec![0, 1, 2]),
                ],
                UploadMode::Add,
            )
            .await;
        let profile = w.profiled(made.version_id).await.profile.unwrap();
        assert_eq!((profile.files, profile.tables.len(), profile.others), (4, 2, 1));
        assert_eq!(profile.findings.items[0].file, "bad.parquet");
        let good = profile.tables.iter().find(|t| t.name == "good.csv").unwrap();
        assert_eq!(
            (
                good.profile.findings.items[0].file.as_str(),
                good.profile.findings.items[0].line
            ),
            ("good.csv", 3)
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outsiders_learn_nothing_and_viewers_start_nothing() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let set = w.dataset("Private", DatasetKind::Tabular).await;
        let made = w
            .upload_zip(&set, &[("a.csv", table(0..10, 0.0))], UploadMode::Add)
            .await;
        let id = made.version_id;
        w.profiled(id).await;
        let stranger = w.person("Stranger", Role::Labeler).await;
        for refused in [
            code(w.profiles.get(&stranger, id).await),
            code(w.profiles.start(&stranger, id).await),
            code(w.profiles.statistics(&stranger, id, 0).await),
            code(w.profiles.report(&stranger, id).await),
            code(w.profiles.drift(&stranger, id, id).await),
        ] {
            assert_eq!(refused, Code::NotFound);
        }
        let nobody = VersionId::new();
        assert_eq!(code(w.profiles.get(&w.manager, nobody).await), Code::NotFound);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_profiles_go_with_what_they_describe() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let set = w.dataset("Gone", DatasetKind::Tabular).await;
        let made = w
            .upload_zip(&set, &[("a.csv", table(0..10, 0.0))], UploadMode::Add)
            .await;
        w.profiled(made.version_id).await;
        w.versions
            .delete(&w.manager, made.version_id, true)
            .await
            .unwrap();
        let mut tx = w.context.db.read().await.unwrap();
        assert!(
            repo::profile::get(&mut tx, made.version_id)
                .await
                .unwrap()
                .is_none()
        );
    })
    .await;
}
