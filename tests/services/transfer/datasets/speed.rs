//! How fast versions of very many files are; prints, and is run by hand:
//! `cargo test -p limn-tests --test services -- --ignored --nocapture datasets::speed`. `LIMN_SPEED_FILES` says how many.

use super::world;
use limn_domain::dataset::{
    DatasetKind, EntryQuery, Split, SplitMethod, SplitPlan, SplitShare, UploadMode, VersionSource,
};
use limn_domain::export::VersionExport;
use limn_domain::project::Task;
use limn_services::housekeeping::sweep;
use limn_testkit::{build, on_both};
use std::time::Instant;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn very_many_files() {
    let files: usize = std::env::var("LIMN_SPEED_FILES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(300_000);
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        for block in 0..files / 500 {
            build::items(&db, w.project, &format!("{:03}/{block:04}-", block % 200), 500).await;
        }
        let project = w.project;
        // Every item has a box of its own.
        let category = build::categories(&db, project, &["thing"]).await[0];
        w.db
            .write::<_, limn_store::StoreError, _>(move |tx| {
                Box::pin(async move {
                    limn_store::on_tx!(tx, conn => {
                        sqlx::query(
                            "INSERT INTO annotation (item_id, id, category_id, kind, x, y, w, h, z, source, created_at, updated_at) \
                             SELECT id, id, $2, 'box', 1.5 + export_id, 2.5, 30, 40, 0, 'human', 1, 1 FROM item WHERE project_id = $1",
                        )
                        .bind(project)
                        .bind(category)
                        .execute(&mut *conn)
                        .await?;
                        sqlx::query("UPDATE item SET status = 'done', annotation_count = 1 WHERE project_id = $1")
                            .bind(project)
                            .execute(conn)
                            .await?;
                    });
                    Ok(())
                })
            })
            .await
            .unwrap();
        let d = w.dataset("Many", DatasetKind::Images).await;
        let timed = async |what: &str, began: Instant| println!("{:?}: {what}: {:.2?}", db.backend, began.elapsed());
        let began = Instant::now();
        let one = w.register_project(&d).await;
        assert_eq!(one.files, files as i64 / 500 * 500);
        timed("register a project", began).await;
        let began = Instant::now();
        assert!(!w.register_project(&d).await.is_new);
        timed("register it again, unchanged", began).await;
        let picture = super::picture(20, 10, 1, super::ImageFormat::Png);
        let began = Instant::now();
        let two = w.upload_zip(&d, &[("100/new.png", picture)], UploadMode::Add).await;
        timed("add one file", began).await;
        let began = Instant::now();
        let diff = w.versions.diff(&w.manager, one.version_id, two.version_id).await.unwrap();
        assert_eq!(diff.added, 1);
        timed("compare the two", began).await;
        let began = Instant::now();
        let page = w.versions.entries(&w.manager, two.version_id, EntryQuery { labels: true, ..EntryQuery::default() }).await;
        assert_eq!(page.unwrap().rows.len(), 60);
        timed("a page of files with labels", began).await;
        let began = Instant::now();
        let plan = SplitPlan { method: SplitMethod::Random, shares: SplitShare::default(), seed: 1, keep: false };
        let three = w.register(&d, VersionSource::Splits { version_id: two.version_id, plan }).await;
        timed("split", began).await;
        let began = Instant::now();
        w.versions.diff(&w.manager, two.version_id, three.version_id).await.unwrap();
        timed("compare where every file differs", began).await;
        let began = Instant::now();
        let train = VersionExport { split: Some(Split::Train), ..VersionExport::default() };
        w.exported(three.version_id, train).await;
        timed("export the train split as COCO", began).await;
        let began = Instant::now();
        let impact = w.versions.impact(&w.manager, three.version_id).await.unwrap();
        timed("count what deleting frees", began).await;
        println!("{:?}: the split version alone takes {} KiB", db.backend, impact.frees_bytes >> 10);
        w.datasets.delete(&w.manager, d.summary.id, false).await.unwrap();
        w.clock.advance_seconds(7_200);
        let began = Instant::now();
        println!("{:?}: {} objects", db.backend, sweep(&w.context).await.unwrap().objects);
        timed("clean up after the dataset", began).await;
    })
    .await;
}
