//! Projects that take files from versions of datasets.

mod ends;

use super::{World, figures, picture, report, world};
use crate::{code, refusal};
use limn_domain::dataset::{
    Dataset, DatasetKind, LineageNode, Split, SplitMethod, SplitPlan, SplitShare, UploadMode, VersionSource,
};
use limn_domain::datastore::{AddSource, DatasetChoice, ProjectSource};
use limn_domain::item::ItemStatus;
use limn_domain::job::JobState;
use limn_domain::project::Task;
use limn_domain::{Code, ProjectId, Role, Source};
use limn_testkit::{TestDb, build, on_both};
use std::collections::BTreeSet;

fn choice(dataset: &Dataset, version: &str) -> DatasetChoice {
    DatasetChoice {
        dataset_id: dataset.summary.id,
        version: version.to_owned(),
        split: None,
        with_labels: false,
    }
}

fn input(choice: DatasetChoice, glob: &str) -> AddSource {
    AddSource {
        dataset: Some(choice),
        glob: glob.to_owned(),
        ..AddSource::default()
    }
}

impl World {
    async fn follow_in(&self, project: ProjectId, input: AddSource) -> ProjectSource {
        self.sources.add(&self.manager, project, input).await.unwrap()
    }

    async fn follow(&self, choice: DatasetChoice, glob: &str) -> ProjectSource {
        self.follow_in(self.project, input(choice, glob)).await
    }

    /// Another project of the same manager.
    async fn second(&self, db: &TestDb, task: Task) -> ProjectId {
        let project = build::project(db, "Second", task).await;
        build::member(db, project, self.manager.user_id().unwrap(), Role::Manager).await;
        project
    }
}

fn files(names: &[String], seeds: impl Iterator<Item = u8>) -> Vec<(&str, Vec<u8>)> {
    names.iter().map(String::as_str).zip(seeds.map(picture)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_follows_a_dataset_by_what_differs() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let d = w.dataset("Street", DatasetKind::Images).await;
        let names: Vec<String> = (0..5).map(|n| format!("sub/{n}.png")).collect();
        w.upload_zip(&d, &files(&names, 0..5), UploadMode::Add).await;
        let source = w.follow(choice(&d, "latest"), "").await;
        assert_eq!(source.job_state, Some(JobState::Queued));
        let first = report(w.ended(&source).await);
        assert_eq!((figures(&first), first.bytes), ([5, 5, 0, 0, 0, 0], 0));
        assert_eq!(w.names().await, names.iter().cloned().collect());

        // The same version: nothing is done.
        let second = w.refreshed(&source).await;
        assert_eq!(figures(&second), [5, 0, 5, 0, 0, 0]);
        let lines = w
            .activities
            .list(&w.manager, Some(w.project), None, None)
            .await
            .unwrap();
        assert_eq!(
            lines.rows.iter().filter(|a| a.verb == "source.refresh").count(),
            1
        );

        // Ten come, one changes, one goes.
        let mut names: Vec<String> = [0, 2, 3, 4].map(|n| format!("sub/{n}.png")).to_vec();
        names.extend((5..15).map(|n| format!("{n}.png")));
        let seeds = [200, 2, 3, 4].into_iter().chain(5..15);
        let before = w.every_item().await;
        w.upload_zip(&d, &files(&names, seeds), UploadMode::Replace).await;
        let third = w.refreshed(&source).await;
        assert_eq!(figures(&third), [14, 10, 3, 1, 1, 0]);
        let told: BTreeSet<(&str, &str)> = third
            .report
            .entries
            .iter()
            .map(|e| (e.code.as_str(), e.file.as_str()))
            .collect();
        assert!(
            told.contains(&("changed", "sub/0.png")) && told.contains(&("vanished", "sub/1.png")),
            "{told:?}"
        );
        let after = w.every_item().await;
        assert_eq!(after.len(), 15);
        for item in before {
            assert!(
                after.iter().any(|a| a.id == item.id && a.digest == item.digest),
                "{}",
                item.name
            );
        }
        // Said again as long as it is so.
        let fourth = w.refreshed(&source).await;
        assert_eq!(figures(&fourth), [14, 0, 13, 1, 1, 0]);
        let listed = w.sources.list(&w.manager, w.project).await.unwrap().remove(0);
        assert_eq!(
            (listed.files, listed.last.as_ref().map(figures)),
            (15, Some(figures(&fourth)))
        );
        assert_eq!(listed.job_state, Some(JobState::Succeeded));
        let of = listed.dataset.unwrap();
        assert_eq!(
            (of.name.as_str(), of.version.as_str(), of.taken),
            ("Street", "latest", Some(2))
        );

        // Both are back as they were.
        let back = ["sub/0.png".to_owned(), "sub/1.png".to_owned()];
        w.upload_zip(&d, &files(&back, 0..2), UploadMode::Add).await;
        let fifth = w.refreshed(&source).await;
        assert_eq!(
            (figures(&fifth), fifth.report.items_unchanged),
            ([15, 0, 14, 0, 0, 0], 1)
        );

        let edges = w
            .versions
            .lineage_of_project(&w.manager, w.project)
            .await
            .unwrap();
        let from: Vec<&str> = edges
            .iter()
            .filter_map(|e| match &e.from {
                LineageNode::Version { name, .. } => Some(name.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(from, ["Street v1", "Street v2", "Street v3"]);
        // Where items came from is not deleted by accident.
        let v2 = w.versions.find(&w.manager, d.summary.id, "2").await.unwrap();
        assert_eq!(
            code(w.versions.delete(&w.manager, v2.id, false).await),
            Code::WrongState
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_splits_and_folders_are_chosen() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let d = w.dataset("Street", DatasetKind::Images).await;
        let names: Vec<String> = (0..20)
            .map(|n| format!("{}/{n}.png", ["a", "B"][n % 2]))
            .collect();
        let one = w.upload_zip(&d, &files(&names, 0..20), UploadMode::Add).await;
        let split = |version_id, seed| VersionSource::Splits {
            version_id,
            plan: SplitPlan {
                method: SplitMethod::Random,
                shares: SplitShare {
                    train: 50,
                    val: 50,
                    test: 0,
                },
                seed,
                keep: false,
            },
        };
        let two = w.register(&d, split(one.version_id, 1)).await;
        w.datasets
            .set_alias(&w.manager, d.summary.id, "production", Some(two.version_id))
            .await
            .unwrap();
        for (glob, matched) in [
            ("a", 10),
            ("b", 10),
            ("b/*.png", 10),
            ("*.png", 20),
            ("a/0.png", 1),
            ("**/1?.png", 10),
        ] {
            let source = w.follow(choice(&d, "latest"), glob).await;
            assert_eq!(report(w.ended(&source).await).matched, matched, "{glob}");
        }
        let train = DatasetChoice {
            split: Some(Split::Train),
            ..choice(&d, "Production")
        };
        let source = w.follow(train.clone(), "").await;
        let in_train = |v: &limn_domain::dataset::Version| v.counts.splits[Split::Train.index()];
        let v = w.version(two.version_id).await;
        assert_eq!(report(w.ended(&source).await).matched, in_train(&v));
        // Files that change places come and go.
        let three = w.register(&d, split(two.version_id, 7)).await;
        assert_eq!(
            figures(&w.refreshed(&source).await)[1..3],
            [0, in_train(&v)],
            "the alias has not moved"
        );
        w.datasets
            .set_alias(&w.manager, d.summary.id, "production", Some(three.version_id))
            .await
            .unwrap();
        let moved = w.refreshed(&source).await;
        let v3 = w.version(three.version_id).await;
        assert_eq!((moved.matched, moved.changed), (in_train(&v3), 0));
        assert!(moved.vanished > 0, "{:?}", figures(&moved));

        let first = w.follow(choice(&d, "v1"), "").await;
        assert_eq!(first.dataset.as_ref().unwrap().version, "1");
        w.ended(&first).await;
        let none = w.follow(choice(&d, "latest"), "nothing/**").await;
        let job = w.ended(&none).await;
        assert_eq!(job.state, JobState::Failed);
        let error = job.error.unwrap();
        assert!(
            error.contains("`nothing/**`") && error.contains("Street v3"),
            "{error}"
        );
        let listed = w.sources.get(&w.manager, none.id).await.unwrap();
        assert_eq!((listed.job_state, listed.last), (Some(JobState::Failed), None));

        let add = async |input: AddSource| w.sources.add(&w.manager, w.project, input).await;
        assert_eq!(code(add(input(train, "")).await), Code::AlreadyExists);
        let wrong = refusal(add(input(choice(&d, "staging"), "")).await);
        assert!(
            wrong.for_field("dataset.version").unwrap().contains("`staging`"),
            "{wrong:?}"
        );
        let tables = w.dataset("Tables", DatasetKind::Tabular).await;
        let wrong = refusal(add(input(choice(&tables, "latest"), "")).await);
        assert!(wrong.for_field("dataset.dataset_id").is_some(), "{wrong:?}");
        let empty = w.dataset("Empty", DatasetKind::Images).await;
        let wrong = refusal(add(input(choice(&empty, "latest"), "")).await);
        assert!(wrong.for_field("dataset.version").is_some(), "{wrong:?}");
        let wrong = refusal(add(AddSource::default()).await);
        assert!(wrong.for_field("datastore_id").is_some(), "{wrong:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn labels_of_new_files_come_in_where_they_are_wanted() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        w.label_some().await;
        let d = w.dataset("Street", DatasetKind::Images).await;
        w.register_project(&d).await;
        // The project has cats and no dogs.
        let second = w.second(&db, Task::Detection).await;
        build::categories(&db, second, &["cat"]).await;
        let labeled = DatasetChoice {
            with_labels: true,
            ..choice(&d, "latest")
        };
        let source = w.follow_in(second, input(labeled.clone(), "")).await;
        let first = report(w.ended(&source).await);
        assert_eq!(
            (
                first.report.items_added,
                first.report.annotations_added,
                first.report.refused
            ),
            (2, 1, 0)
        );
        let lost = first
            .report
            .entries
            .iter()
            .find(|e| e.code == "unknown_category")
            .unwrap();
        assert!(lost.message.contains("1 labels of `dog`"), "{lost:?}");
        let items = w.items(second).await;
        let (cat, labels) = &items["sub/b.png"];
        assert_eq!(
            (cat.status, labels.len(), labels[0].source),
            (ItemStatus::Done, 1, Source::Import)
        );
        let (dog, none) = &items["a.png"];
        assert_eq!((dog.status, none.len()), (ItemStatus::Todo, 0));

        // Without: the files alone.
        let third = build::project(&db, "Third", Task::Detection).await;
        build::member(&db, third, w.manager.user_id().unwrap(), Role::Manager).await;
        let source = w.follow_in(third, input(choice(&d, "latest"), "")).await;
        assert_eq!(report(w.ended(&source).await).report.annotations_added, 0);
        assert!(
            w.items(third)
                .await
                .values()
                .all(|(i, a)| i.status == ItemStatus::Todo && a.is_empty())
        );

        let classes = build::project(&db, "Classes", Task::Classification).await;
        build::member(&db, classes, w.manager.user_id().unwrap(), Role::Manager).await;
        let wrong = refusal(w.sources.add(&w.manager, classes, input(labeled, "")).await);
        assert!(wrong.for_field("dataset.with_labels").is_some(), "{wrong:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_refresh_goes_on_where_it_stopped() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        for part in 0..6 {
            build::items(&db, w.project, &format!("{part}-"), 500).await;
        }
        let d = w.dataset("Many", DatasetKind::Images).await;
        let everything = VersionSource::Project {
            project_id: w.project,
            statuses: ItemStatus::ALL.to_vec(),
            categories: Vec::new(),
        };
        let one = w.register(&d, everything).await;
        assert_eq!(one.files, 3_000);
        let second = w.second(&db, Task::Detection).await;
        let source = w.follow_in(second, input(choice(&d, "latest"), "")).await;
        let id = source.job_id.unwrap();
        let count = async || {
            w.projects
                .get(&w.manager, second)
                .await
                .unwrap()
                .summary
                .progress
                .total
        };
        let working = w.work();
        let began = std::time::Instant::now();
        while count().await < 300 {
            assert!(began.elapsed().as_secs() < 60, "no items came");
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        w.jobs.cancel(&w.manager, id).await.unwrap();
        let job = w.until(id, |j| j.state.is_final()).await;
        working.stop().await;
        let there = count().await;
        let stopped = job.state == JobState::Cancelled;
        assert!(!stopped || there < 3_000, "{there}");
        let done = w.refreshed(&source).await;
        assert_eq!((done.matched, count().await), (3_000, 3_000));
        assert_eq!(done.report.items_added, 3_000 - there, "{:?}", figures(&done));
        assert_eq!(figures(&w.refreshed(&source).await), [3_000, 0, 3_000, 0, 0, 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_version_after_a_stop_is_compared_file_by_file() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let d = w.dataset("Street", DatasetKind::Images).await;
        let names: Vec<String> = (0..6).map(|n| format!("{n}.png")).collect();
        w.upload_zip(&d, &files(&names, 0..6), UploadMode::Add).await;
        let source = w.follow(choice(&d, "latest"), "").await;
        w.ended(&source).await;
        // What is left of a refresh that was stopped, and whose version was deleted.
        let id = source.id;
        w.db.write::<_, limn_store::StoreError, _>(move |tx| {
            Box::pin(async move {
                limn_store::on_tx!(tx, conn => {
                    sqlx::query("UPDATE project_source SET going_all = $2, going_after = '2.png' WHERE id = $1")
                        .bind(id)
                        .bind(false)
                        .execute(conn)
                        .await?;
                });
                Ok(())
            })
        })
        .await
        .unwrap();
        let kept: Vec<String> = [0, 1, 2, 7].map(|n| format!("{n}.png")).to_vec();
        w.upload_zip(&d, &files(&kept, [0, 1, 99, 7].into_iter()), UploadMode::Replace).await;
        let next = w.refreshed(&source).await;
        assert_eq!(figures(&next), [4, 1, 2, 1, 3, 0]);
        assert_eq!(figures(&w.refreshed(&source).await), [4, 0, 3, 1, 3, 0]);
    })
    .await;
}
