//! Datasets and versions that go, people who may not, and schedules.

use super::{choice, files, input};
use crate::transfer::World;
use crate::transfer::stores::{figures, report};
use crate::transfer::world;
use crate::{code, refusal};
use limn_domain::Code;
use limn_domain::Role;
use limn_domain::dataset::{Dataset, DatasetKind, UploadMode};
use limn_domain::datastore::{AddSource, ProjectSource};
use limn_domain::job::JobState;
use limn_domain::project::Task;
use limn_services::Actor;
use limn_testkit::{build, on_both};

/// A dataset with two versions: three files, then a fourth.
async fn street(w: &World) -> Dataset {
    let d = w.dataset("Street", DatasetKind::Images).await;
    let names: Vec<String> = (0..4).map(|n| format!("{n}.png")).collect();
    w.upload_zip(&d, &files(&names[..3], 0..3), UploadMode::Add).await;
    w.upload_zip(&d, &files(&names[3..], 3..4), UploadMode::Add).await;
    d
}

/// Why a refresh fails.
async fn failure(w: &World, source: &ProjectSource) -> String {
    let job = w.sources.refresh(&w.manager, source.id).await.unwrap();
    let job = w.finish(job.id).await;
    assert_eq!(job.state, JobState::Failed);
    job.error.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_dataset_is_named_and_the_project_stays() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let d = street(&w).await;
        let id = d.summary.id;
        let scheduled = AddSource {
            every_minutes: Some(30),
            ..input(choice(&d, "latest"), "")
        };
        let source = w.follow_in(w.project, scheduled).await;
        assert_eq!(report(w.ended(&source).await).report.items_added, 4);
        assert_eq!(w.datasets.get(&w.manager, id).await.unwrap().projects, 1);
        let refused = refusal(w.datasets.delete(&w.manager, id, false).await);
        assert!(
            refused.code == Code::WrongState && refused.message.contains("1 project takes"),
            "{refused:?}"
        );
        w.datasets.delete(&w.manager, id, true).await.unwrap();
        let left = w.sources.get(&w.manager, source.id).await.unwrap();
        assert_eq!((left.name(), left.next_at), ("Street", None));
        assert_eq!(left.dataset.unwrap().dataset_id, None);
        let error = failure(&w, &source).await;
        assert!(error.contains("dataset “Street” was deleted"), "{error}");
        assert_eq!(w.names().await.len(), 4, "items stay");
        // Another dataset of the name is another one.
        let again = street(&w).await;
        let next = w.follow(choice(&again, "latest"), "").await;
        let r = report(w.ended(&next).await);
        assert_eq!((r.matched, r.report.items_unchanged), (4, 4));
        w.sources.remove(&w.manager, source.id).await.unwrap();
        assert_eq!(w.names().await.len(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_version_is_named_and_nothing_is_taken_twice() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let d = street(&w).await;
        let id = d.summary.id;
        let find = async |which: &str| w.versions.find(&w.manager, id, which).await.unwrap().id;
        let one = find("1").await;
        w.datasets
            .set_alias(&w.manager, id, "production", Some(one))
            .await
            .unwrap();
        let pinned = w.follow(choice(&d, "1"), "").await;
        w.ended(&pinned).await;
        let aliased = w.follow(choice(&d, "production"), "").await;
        w.ended(&aliased).await;
        let newest = w.follow(choice(&d, "latest"), "").await;
        w.ended(&newest).await;

        w.datasets
            .set_alias(&w.manager, id, "production", None)
            .await
            .unwrap();
        let error = failure(&w, &aliased).await;
        assert!(
            error.contains("“Street”") && error.contains("`production`"),
            "{error}"
        );
        w.versions.delete(&w.manager, one, true).await.unwrap();
        let error = failure(&w, &pinned).await;
        assert!(
            error.contains("Version 1 of the dataset “Street” was deleted"),
            "{error}"
        );

        // The one that was taken last goes; the next is compared with what is known of the files.
        let two = find("2").await;
        let names = ["5.png".to_owned()];
        w.upload_zip(&d, &files(&names, 5..6), UploadMode::Add).await;
        w.versions.delete(&w.manager, two, true).await.unwrap();
        w.clock.advance_seconds(7_200);
        limn_services::housekeeping::sweep(&w.context).await.unwrap();
        let next = w.refreshed(&newest).await;
        assert_eq!(figures(&next), [5, 1, 4, 0, 0, 0]);
        assert_eq!(w.names().await.len(), 5);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_see_the_dataset_connects_it_and_refreshes_go_on_without() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let d = street(&w).await;
        let otto = w.person("Otto", Role::Manager).await;
        let lou = w.person("Lou", Role::Labeler).await;
        for (who, role) in [(&otto, Role::Manager), (&lou, Role::Labeler)] {
            build::member(&db, w.project, who.user_id().unwrap(), role).await;
        }
        let add = async |who: &Actor| {
            w.sources
                .add(who, w.project, input(choice(&d, "latest"), ""))
                .await
        };
        // Private, and not his: he learns no more than of one that is not there.
        let refused = refusal(add(&otto).await);
        assert_eq!(
            refused.for_field("dataset.dataset_id"),
            Some("There is no such dataset.")
        );
        w.datasets
            .set_member(&w.manager, d.summary.id, otto.user_id().unwrap(), Role::Viewer)
            .await
            .unwrap();
        assert_eq!(code(add(&lou).await), Code::Forbidden);
        let source = add(&otto).await.unwrap();
        assert_eq!(report(w.ended(&source).await).matched, 4);
        w.datasets
            .remove_member(&w.manager, d.summary.id, otto.user_id().unwrap())
            .await
            .unwrap();
        let names = ["5.png".to_owned()];
        w.upload_zip(&d, &files(&names, 5..6), UploadMode::Add).await;
        let job = w.sources.refresh(&otto, source.id).await.unwrap();
        assert_eq!(report(w.finish(job.id).await).report.items_added, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schedules_follow_datasets_too() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let d = street(&w).await;
        let scheduled = AddSource {
            every_minutes: Some(30),
            ..input(choice(&d, "latest"), "")
        };
        let source = w.follow_in(w.project, scheduled).await;
        w.ended(&source).await;
        let names = ["5.png".to_owned()];
        w.upload_zip(&d, &files(&names, 5..6), UploadMode::Add).await;
        w.clock.advance_seconds(31 * 60);
        let look = async || w.sources.get(&w.manager, source.id).await.unwrap();
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
    })
    .await;
}
