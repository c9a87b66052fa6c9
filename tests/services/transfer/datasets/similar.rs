//! Files in the order of how much they look like one of them.

use super::explore::{by, page, paths};
use super::*;
use crate::code;
use crate::transfer::world_of;
use limn_domain::Code;
use limn_domain::explore::{ExplorePage, ExploreQuery};
use limn_services::Services;
use limn_testkit::{Studio, TestDb};
use std::sync::Arc;

pub(super) async fn seeing(db: &TestDb) -> World {
    world_of(db, Task::Detection, with_models(db)).await
}

pub(super) fn with_models(db: &TestDb) -> Studio {
    let mut studio = Studio::new(db);
    let engine = Arc::new(limn_ml::LocalEngine::new());
    studio.services = Services::new(studio.services.context.clone().with_engine(engine));
    studio
}

fn like(path: &str) -> ExploreQuery {
    ExploreQuery {
        like: Some(path.to_owned()),
        ..ExploreQuery::default()
    }
}

/// Asks of an indexed version, again when the pictures have been looked at.
async fn ordered(w: &World, version: VersionId, query: ExploreQuery) -> ExplorePage {
    let answer = w.explore.page(&w.manager, version, query.clone()).await.unwrap();
    let Some(job) = answer.job else {
        return answer.page.unwrap();
    };
    let waiting = answer.page.expect("files are shown meanwhile");
    assert!(waiting.distances.is_empty());
    let job = w.finish(job.id).await;
    assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
    let answer = w.explore.page(&w.manager, version, query).await.unwrap();
    assert!(answer.job.is_none());
    answer.page.unwrap()
}

async fn described(db: &TestDb) -> i64 {
    let mut tx = db.read().await.unwrap();
    limn_store::on_tx!(&mut tx, conn => {
        sqlx::query_scalar("SELECT count(*) FROM feature WHERE encoder_key LIKE 'looks-%'").fetch_one(conn).await.unwrap()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_most_alike_come_first_among_what_passes() {
    on_both(async |db| {
        let w = seeing(&db).await;
        let d = w.dataset("Street", DatasetKind::Images).await;
        let shade = |s: u8| picture(100, 80, s, ImageFormat::Png);
        let files = [
            ("a.png", shade(200)),
            ("b.png", shade(10)),
            ("sub/copy.png", shade(10)),
            ("sub/near.png", shade(40)),
        ];
        let one = w.upload_zip(&d, &files, UploadMode::Add).await.version_id;
        page(&w, one, ExploreQuery::default()).await;
        let all = ordered(&w, one, like("B.png")).await;
        assert_eq!(paths(&all), ["b.png", "sub/copy.png", "sub/near.png", "a.png"]);
        let far: Vec<f32> = paths(&all).iter().map(|p| all.distances[*p]).collect();
        assert_eq!(far[..2], [0.0, 0.0]);
        assert!(far[2] > 0.0 && far[2] < far[3] && far[3] <= 1.0, "{far:?}");
        assert_eq!(described(&db).await, 3, "each content once");

        // Filters and pages hold as ever; the file itself need not pass.
        let rest = ExploreQuery {
            filter: by("folder", &["/"]),
            ..like("sub/near.png")
        };
        assert_eq!(paths(&ordered(&w, one, rest).await), ["b.png", "a.png"]);
        let second = ExploreQuery {
            offset: 2,
            limit: Some(1),
            rows_only: true,
            ..like("b.png")
        };
        let second = ordered(&w, one, second).await;
        assert_eq!(
            (paths(&second), second.distances.len()),
            (vec!["sub/near.png"], 1)
        );
        let gone = w.explore.page(&w.manager, one, like("gone.png")).await;
        let gone = gone.unwrap_err().into_api();
        assert!(gone.for_field("like").unwrap().contains("`gone.png`"), "{gone:?}");

        // Another version looks at what is new alone.
        let two = w
            .upload_zip(&d, &[("new.png", shade(20))], UploadMode::Add)
            .await
            .version_id;
        page(&w, two, ExploreQuery::default()).await;
        let all = ordered(&w, two, like("b.png")).await;
        assert_eq!(
            paths(&all),
            ["b.png", "sub/copy.png", "new.png", "sub/near.png", "a.png"]
        );
        assert_eq!(described(&db).await, 4);

        // What is kept in files can be lost or damaged, and goes with its version.
        let file = |v: VersionId| w.context.data_dir.join("indexes").join(format!("{v}.looks"));
        std::fs::write(file(two), b"what").unwrap();
        let again = with_models(&db);
        let answer = again.explore.page(&w.manager, two, like("b.png")).await.unwrap();
        assert!(answer.job.is_some() && answer.page.is_some());
        w.versions.delete(&w.manager, one, true).await.unwrap();
        sweep(&w.context).await.unwrap();
        assert!(!file(one).exists() && file(two).exists());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_models_nothing_is_compared() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        w.label_some().await;
        let d = w.dataset("Street", DatasetKind::Images).await;
        let v = w.register_project(&d).await.version_id;
        page(&w, v, ExploreQuery::default()).await;
        assert_eq!(
            code(w.explore.page(&w.manager, v, like("a.png")).await),
            Code::Unavailable
        );
        let long = like(&"x".repeat(5_000));
        assert_eq!(
            code(w.explore.page(&w.manager, v, long).await),
            Code::InvalidInput
        );
    })
    .await;
}
