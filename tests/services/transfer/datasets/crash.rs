//! Registrations that are cut off anywhere leave no half version, nothing that a clean-up cannot take, and nothing in the
//! way of the next one.

use super::{of_project, world};
use crate::code;
use crate::transfer::World;
use limn_domain::Code;
use limn_domain::dataset::{DatasetKind, EntryQuery, NewVersion, VersionOutcome};
use limn_domain::job::JobState;
use limn_domain::project::{NewProject, Task};
use limn_services::Actor;
use limn_services::housekeeping::sweep;
use limn_store::repo;
use limn_testkit::{TestDb, build, on_both};
use std::time::Duration;

/// A project with many items, all done.
async fn filled(world: &World, n: usize) {
    for hundred in 0..n / 500 {
        build::items(&world.db, world.project, &format!("{hundred:02}-"), 500).await;
    }
    let project = world.project;
    world
        .db
        .write::<_, limn_store::StoreError, _>(move |tx| {
            Box::pin(async move {
                limn_store::on_tx!(tx, conn => {
                    sqlx::query("UPDATE item SET status = 'done' WHERE project_id = $1").bind(project).execute(conn).await?;
                });
                Ok(())
            })
        })
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn registrations_cut_off_anywhere_leave_no_half_version() {
    // On SQLite alone: connections to PostgreSQL that were made in the runtime that dies stay in the pool.
    let db = TestDb::sqlite().await;
    {
        let w = world(&db, Task::Detection).await;
        filled(&w, 2_000).await;
        let d = w.dataset("Many", DatasetKind::Images).await;
        let id = d.summary.id;
        let register = async || {
            let input = NewVersion {
                source: of_project(&w),
                note: String::new(),
            };
            w.versions.register(&w.manager, id, input).await.unwrap()
        };
        let mut ended = 0;
        for round in 0..12_u64 {
            let job = register().await;
            // The runner's tasks are dropped in the middle, as a killed process drops them.
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap();
            let runner = limn_services::jobs::runner(&w.services, 1);
            runtime.spawn(runner.run(tokio_util::sync::CancellationToken::new()));
            tokio::time::sleep(Duration::from_millis(15 + round * 25)).await;
            runtime.shutdown_background();
            let versions = w.versions.list(&w.manager, id).await.unwrap();
            ended += usize::from(!versions.is_empty());
            for v in &versions {
                // Whatever is a version is whole.
                assert_eq!(v.files, 2_000);
                let page = EntryQuery {
                    limit: Some(1_000),
                    ..EntryQuery::default()
                };
                assert_eq!(
                    w.versions
                        .entries(&w.manager, v.id, page)
                        .await
                        .unwrap()
                        .rows
                        .len(),
                    1_000
                );
            }
            drop(w.jobs.cancel(&Actor::System, job.id).await);
        }
        assert!(ended < 12, "at least one was cut off");
        // Jobs that were cut off are taken up again once their lease ends, and end as one version.
        w.clock.advance_seconds(600);
        let job = register().await;
        let job = w.finish(job.id).await;
        assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
        let made: VersionOutcome = serde_json::from_value(job.result.unwrap()).unwrap();
        assert_eq!((made.number, made.files), (1, 2_000));
        assert_eq!(w.versions.list(&w.manager, id).await.unwrap().len(), 1);
        // What the others left goes; what the version has stays.
        w.clock.advance_seconds(7_200);
        sweep(&w.context).await.unwrap();
        let mut tx = w.db.read().await.unwrap();
        let left = repo::object::count(&mut tx).await.unwrap();
        drop(tx);
        assert_eq!(
            w.paths(
                made.version_id,
                EntryQuery {
                    limit: None,
                    ..EntryQuery::default()
                }
            )
            .await
            .len(),
            2_000
        );
        w.clock.advance_seconds(7_200);
        assert_eq!(sweep(&w.context).await.unwrap().objects, 0);
        assert!(left > 20, "{left}");
    }
    db.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_registrations_at_once_beside_a_sweep_make_one_version() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        filled(&w, 1_000).await;
        let d = w.dataset("Many", DatasetKind::Images).await;
        let input = || NewVersion {
            source: of_project(&w),
            note: String::new(),
        };
        let a = w
            .versions
            .register(&w.manager, d.summary.id, input())
            .await
            .unwrap();
        let b = w
            .versions
            .register(&w.manager, d.summary.id, input())
            .await
            .unwrap();
        // Everything is old enough to go.
        w.clock.advance_seconds(7_200);
        let working = w.work();
        let sweeping = async {
            for _ in 0..20 {
                sweep(&w.context).await.unwrap();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let (a, b, ()) = tokio::join!(
            w.until(a.id, |j| j.state.is_final()),
            w.until(b.id, |j| j.state.is_final()),
            sweeping
        );
        working.stop().await;
        let outcome = |j: limn_domain::job::Job| -> VersionOutcome {
            assert_eq!(j.state, JobState::Succeeded, "{:?}", j.error);
            serde_json::from_value(j.result.unwrap()).unwrap()
        };
        let (a, b) = (outcome(a), outcome(b));
        assert_eq!(a.version_id, b.version_id);
        assert!(a.is_new != b.is_new);
        assert_eq!(w.versions.list(&w.manager, d.summary.id).await.unwrap().len(), 1);
        assert_eq!(w.paths(a.version_id, EntryQuery::default()).await.len(), 1_000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_project_that_goes_while_it_is_registered_leaves_a_whole_version_or_none() {
    on_both(async |db| {
        for pause in [0, 5, 20, 60] {
            let w = world_named(&db, pause).await;
            filled(&w, 1_000).await;
            let d = w.dataset(&format!("Gone {pause}"), DatasetKind::Images).await;
            let input = NewVersion {
                source: of_project(&w),
                note: String::new(),
            };
            let job = w
                .versions
                .register(&w.manager, d.summary.id, input)
                .await
                .unwrap();
            let working = w.work();
            tokio::time::sleep(Duration::from_millis(pause)).await;
            w.projects.delete(&Actor::System, w.project).await.unwrap();
            // An attempt that found a file gone waits before the next one, which then finds the project gone.
            let job = w
                .until(job.id, |j| {
                    // Not far: should it have begun meanwhile, its lease would be taken for lost.
                    if j.state == JobState::Queued && j.attempts > 0 {
                        w.clock.advance_seconds(5);
                    }
                    j.state.is_final()
                })
                .await;
            working.stop().await;
            let versions = w.versions.list(&w.manager, d.summary.id).await.unwrap();
            if job.state == JobState::Succeeded {
                assert_eq!(versions[0].files, 1_000);
            } else {
                assert!(
                    versions.is_empty(),
                    "{:?} {:?} {versions:?}",
                    job.state,
                    job.error
                );
                let why = job.error.unwrap();
                assert!(why.contains("project") || why.contains("file"), "{why}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_deletion_that_was_cut_off_is_seen_by_nobody_and_is_finished_by_the_sweep() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        filled(&w, 1_000).await;
        let d = w.dataset("Gone", DatasetKind::Images).await;
        let name = w.projects.get(&w.manager, w.project).await.unwrap().summary.name;
        let input = NewVersion {
            source: of_project(&w),
            note: String::new(),
        };
        let waiting = w.versions.register(&w.manager, d.summary.id, input.clone()).await.unwrap();
        // What a crash after the first piece leaves.
        let (project, now) = (w.project, w.clock.now());
        w.db.write::<_, limn_store::StoreError, _>(move |tx| {
            Box::pin(async move {
                assert!(repo::project::mark_deleted(tx, project, now).await?);
                assert_eq!(repo::project::delete_some_items(tx, project, 500).await?, 500);
                Ok(())
            })
        })
        .await
        .unwrap();
        let admin = Actor::System;
        for actor in [&w.manager, &admin] {
            assert_eq!(code(w.projects.get(actor, project).await), Code::NotFound);
            assert_eq!(code(w.projects.delete(actor, project).await), Code::NotFound);
            assert!(w.projects.list(actor).await.unwrap().is_empty());
            assert_eq!(code(w.versions.register(actor, d.summary.id, input.clone()).await), Code::NotFound);
        }
        let job = w.finish(waiting.id).await;
        assert_eq!(job.state, JobState::Failed);
        assert!(job.error.unwrap().contains("project was deleted"));
        assert!(w.versions.list(&w.manager, d.summary.id).await.unwrap().is_empty());
        // Its name is free at once.
        let again = NewProject {
            name,
            ..NewProject::default()
        };
        w.projects.create(&w.manager, again).await.unwrap();
        sweep(&w.context).await.unwrap();
        let mut tx = w.db.read().await.unwrap();
        assert!(repo::project::deleted(&mut tx).await.unwrap().is_empty());
        let left: i64 = limn_store::on_tx!(&mut tx, conn => {
            sqlx::query_scalar("SELECT count(*) FROM item WHERE project_id = $1").bind(project).fetch_one(conn).await.unwrap()
        });
        assert_eq!(left, 0);
    })
    .await;
}

/// A world beside others in one database.
async fn world_named(db: &limn_testkit::TestDb, n: u64) -> World {
    let studio = limn_testkit::Studio::new(db);
    let project = build::project(db, &format!("Project {n}"), Task::Detection).await;
    let manager = studio
        .person(&format!("Mia{n}"), limn_domain::Role::Manager)
        .await;
    build::member(
        db,
        project,
        manager.user_id().unwrap(),
        limn_domain::Role::Manager,
    )
    .await;
    World {
        studio,
        project,
        manager,
    }
}
