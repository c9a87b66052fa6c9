use super::*;
use limn_domain::item::{BulkAction, ItemSelection};
use limn_domain::upload::NewUpload;
use limn_services::housekeeping::sweep;
use limn_testkit::on_both;
use std::path::Path;
use std::time::{Duration, SystemTime};

fn age(path: &Path, days: u64) {
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(days * 86_400))
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_needs_goes_and_the_rest_stays() {
    on_both(async |db| {
        let w = world(&db).await;
        let (kept, gone) = (
            w.added("kept.png", png(1)).await,
            w.added("gone.png", png(2)).await,
        );
        let old = w
            .uploads
            .create(
                &w.manager,
                NewUpload {
                    name: "old.zip".into(),
                    size: 5,
                },
            )
            .await
            .unwrap();
        let export = w.context.exports_dir().join("old.json");
        std::fs::write(&export, "{}").unwrap();
        let fresh = w.context.exports_dir().join("fresh.json");
        std::fs::write(&fresh, "{}").unwrap();
        age(&export, 8);
        w.items
            .bulk(
                &w.manager,
                w.project,
                ItemSelection::Ids(vec![gone.id]),
                BulkAction::Delete,
            )
            .await
            .unwrap();
        for digest in [&kept.digest, &gone.digest] {
            age(&w.context.blobs.path(digest), 1);
        }
        // Too young: whoever put them may still be about to refer to them.
        assert_eq!(sweep(&w.context).await.unwrap().blobs, 0);

        w.clock.advance_seconds(4 * 86_400);
        let new = w
            .uploads
            .create(
                &w.manager,
                NewUpload {
                    name: "new.zip".into(),
                    size: 5,
                },
            )
            .await
            .unwrap();
        let swept = sweep(&w.context).await.unwrap();
        assert_eq!((swept.blobs, swept.uploads), (1, 1));
        assert!(!w.context.blobs.exists(&gone.digest).await && w.context.blobs.exists(&kept.digest).await);
        assert!(!export.exists() && fresh.exists());
        assert!(!w.context.upload_path(old.id).exists() && w.context.upload_path(new.id).exists());
        assert_eq!(code(w.uploads.get(&w.manager, old.id).await), Code::NotFound);
        // The same bytes may come again.
        w.added("back.png", png(2)).await;
        assert!(w.context.blobs.exists(&gone.digest).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_without_a_row_go_in_the_course_of_time() {
    on_both(async |db| {
        let w = world(&db).await;
        let stray = w
            .context
            .blobs
            .put_bytes(Bytes::from_static(b"crashed before the row"))
            .await
            .unwrap()
            .digest;
        let kept = w.added("kept.png", png(1)).await.digest;
        for digest in [&stray, &kept] {
            age(&w.context.blobs.path(digest), 1);
        }
        for _ in 0..256 {
            sweep(&w.context).await.unwrap();
            w.clock.advance_seconds(3600);
        }
        assert!(!w.context.blobs.exists(&stray).await && w.context.blobs.exists(&kept).await);
    })
    .await;
}
