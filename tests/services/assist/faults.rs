//! What goes wrong in a run: it is said, with what to do; nothing of people's is touched, and the next run mends it.

use super::world::{World, drawn, whole};
use crate::code;
use limn_domain::annotation::SaveChange;
use limn_domain::assist::{Assist, AssistOrder, AssistState, UpdateAssist};
use limn_domain::item::{BulkAction, ItemSelection, ItemStatus};
use limn_domain::job::JobState;
use limn_domain::project::Task;
use limn_domain::queue::Skip;
use limn_domain::run::RunStatus;
use limn_domain::{ChangeId, Code, JobId, Role};
use limn_services::runs::Search;
use limn_store::StoreError;
use limn_testkit::on_both;

/// Puts bytes that are nothing in the place of something stored for the project.
async fn damage(w: &World, sql: &'static str) {
    let project = w.project;
    let db = w.studio.db.db();
    db.write::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            limn_store::on_tx!(tx, conn => {
                sqlx::query(sql)
                    .bind(project)
                    .bind(b"neither".to_vec())
                    .execute(conn)
                    .await?;
            });
            Ok(())
        })
    })
    .await
    .unwrap();
}

async fn ordered(w: &World, order: AssistOrder) -> Assist {
    w.change(UpdateAssist {
        order: Some(order),
        ..UpdateAssist::default()
    })
    .await;
    w.run().await
}

async fn log(w: &World, job: JobId) -> String {
    let lines = w.studio.jobs.log(&w.lena, job, 0).await.unwrap();
    lines.into_iter().map(|l| l.message + "\n").collect()
}

#[tokio::test]
async fn a_run_that_fails_says_why_and_is_tried_again() {
    on_both(async |db| {
        let mut w = World::new(&db, Task::Classification).await;
        w.add_shapes(60, 12).await;
        w.turn_on(AssistOrder::Useful).await;
        w.label(30).await;
        let proposed = w.train().await.items.prelabeled;
        damage(&w, "UPDATE assist_model SET head = $2 WHERE project_id = $1").await;

        let failed = ordered(&w, AssistOrder::Clusters).await;
        assert_eq!(failed.state, AssistState::Failed);
        assert!(failed.message.contains("train it again"), "{}", failed.message);
        let job = failed.job.clone().expect("the job that failed");
        assert_eq!(
            (job.state, job.error.as_deref()),
            (JobState::Failed, Some(failed.message.as_str()))
        );
        // Labels and proposals are as they were.
        assert_eq!(w.items(ItemStatus::Done).await.len(), 30);
        assert_eq!(failed.items.prelabeled, proposed);
        w.counted().await;

        // Whoever works in the project may read what it did, and nobody else; its managers try it again.
        log(&w, job.id).await;
        let outsider = w.studio.person("Otto", Role::Manager).await;
        assert_eq!(
            code(w.studio.jobs.log(&outsider, job.id, 0).await),
            Code::NotFound
        );
        assert_eq!(
            code(w.studio.assist.train(&w.lena, w.project).await),
            Code::Forbidden
        );
        let mended = w.train().await;
        assert_eq!(
            (mended.state, mended.model.unwrap().version),
            (AssistState::Ready, 2)
        );
    })
    .await;
}

#[tokio::test]
async fn what_describes_the_pictures_is_learned_anew_where_it_is_damaged() {
    on_both(async |db| {
        let mut w = World::new(&db, Task::Classification).await;
        w.add_shapes(40, 13).await;
        w.turn_on(AssistOrder::Clusters).await;
        damage(&w, "UPDATE assist SET encoder = $2 WHERE project_id = $1").await;
        w.add("new.png", drawn(1, 99), 1).await;
        let seen = ordered(&w, AssistOrder::Useful).await;
        assert_eq!(
            (seen.state, seen.items.seen),
            (AssistState::Waiting, 41),
            "{}",
            seen.message
        );
        let told = log(&w, seen.job.unwrap().id).await;
        assert!(told.contains("it is learned anew"), "{told}");
    })
    .await;
}

#[tokio::test]
async fn only_what_people_finished_teaches() {
    on_both(async |db| {
        let mut w = World::new(&db, Task::Classification).await;
        w.add_shapes(60, 14).await;
        w.turn_on(AssistOrder::Random).await;
        let done = w.label(30).await;
        // Labeled and put aside, and labeled without being handed in.
        let taken = w.studio.queue.take(&w.lena, w.project, 2).await.unwrap().items;
        for work in &taken {
            let change = SaveChange {
                change_id: ChangeId::new(),
                base_revision: work.annotations.revision,
                upserts: vec![whole(w.categories[w.truth[&work.item.id]])],
                removes: Vec::new(),
                attributes: None,
                active_ms: 0,
            };
            w.studio
                .annotations
                .save(&w.lena, work.item.id, change)
                .await
                .unwrap();
        }
        let reason = Skip {
            reason: Some("Blurred".to_owned()),
        };
        w.studio
            .queue
            .skip(&w.lena, taken[0].item.id, reason)
            .await
            .unwrap();
        let taught_by = |a: Assist| {
            let f = a.model.expect("a model").figures;
            f.trained_on + f.holdout
        };
        assert_eq!(taught_by(w.train().await), 30);

        // What a manager puts back into the queue is in doubt until somebody hands it in again.
        let back = ItemSelection::Ids(done[..6].to_vec());
        w.studio
            .items
            .bulk(&w.manager, w.project, back, BulkAction::Requeue)
            .await
            .unwrap();
        assert_eq!(taught_by(w.train().await), 24);
        w.submit(done[0], w.truth[&done[0]]).await;
        assert_eq!(taught_by(w.train().await), 25);
        w.counted().await;
    })
    .await;
}

#[tokio::test]
async fn a_model_that_cannot_be_kept_proposes_and_its_run_is_failed() {
    on_both(async |db| {
        let mut w = World::new(&db, Task::Classification).await;
        w.add_shapes(40, 15).await;
        w.turn_on(AssistOrder::Random).await;
        w.label(20).await;
        // The pictures are known already; what is registered has nowhere to go.
        let blobs = w.studio.db.dir().join("data").join("blobs");
        let away = blobs.with_file_name("away");
        std::fs::rename(&blobs, &away).unwrap();
        std::fs::write(&blobs, b"no folder").unwrap();
        w.change(UpdateAssist {
            register: Some(true),
            ..UpdateAssist::default()
        })
        .await;
        let ready = w.run().await;
        std::fs::remove_file(&blobs).unwrap();
        std::fs::rename(&away, &blobs).unwrap();
        assert_eq!(ready.state, AssistState::Ready, "{}", ready.message);
        assert_eq!(ready.model.expect("a model").registered, None);
        let told = log(&w, ready.job.unwrap().id).await;
        assert!(told.contains("Model 1 is not in the registry"), "{told}");
        let experiments = w.studio.experiments.list(&w.lena).await.unwrap();
        let experiment = experiments.iter().find(|e| e.name == "Shapes").unwrap().id;
        let search = Search {
            experiments: vec![experiment],
            limit: 10,
            ..Search::default()
        };
        let runs = w.studio.runs.search(&w.lena, search).await.unwrap().runs;
        let states: Vec<RunStatus> = runs.iter().map(|r| r.info.status).collect();
        assert_eq!(states, [RunStatus::Failed]);
    })
    .await;
}
