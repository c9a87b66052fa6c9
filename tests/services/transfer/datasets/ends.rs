//! Deleting versions and datasets.

use super::world;
use crate::transfer::World;
use crate::{code, refusal};
use limn_domain::Code;
use limn_domain::dataset::{DatasetKind, EntryQuery, UploadMode};
use limn_domain::project::Task;
use limn_services::housekeeping::sweep;
use limn_testkit::on_both;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleting_frees_exactly_what_it_said_and_spares_what_is_shared() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let d = w.dataset("Files", DatasetKind::Files).await;
        let many: Vec<(String, Vec<u8>)> = (0..200_u32)
            .map(|n| (format!("f/{n:03}.bin"), n.to_le_bytes().repeat(100)))
            .collect();
        let files: Vec<(&str, Vec<u8>)> = many.iter().map(|(n, b)| (n.as_str(), b.clone())).collect();
        let one = w.upload_zip(&d, &files, UploadMode::Add).await;
        let two = w
            .upload_zip(&d, &[("g.bin", vec![9; 5_000])], UploadMode::Add)
            .await;
        assert_eq!(two.files, 201);
        w.datasets
            .set_alias(&w.manager, d.summary.id, "Production", Some(two.version_id))
            .await
            .unwrap();
        let blocked = refusal(w.versions.delete(&w.manager, two.version_id, true).await);
        assert!(
            blocked.code == Code::WrongState && blocked.message.contains("production"),
            "{blocked:?}"
        );
        // Version 1 is where version 2 came from.
        assert_eq!(
            code(w.versions.delete(&w.manager, one.version_id, false).await),
            Code::WrongState
        );
        w.datasets
            .set_alias(&w.manager, d.summary.id, "production", Some(one.version_id))
            .await
            .unwrap();
        let moves = w.datasets.alias_moves(&w.manager, d.summary.id).await.unwrap();
        assert_eq!(
            moves.iter().map(|m| m.number).collect::<Vec<_>>(),
            [Some(1), Some(2)]
        );

        let impact = w.versions.impact(&w.manager, two.version_id).await.unwrap();
        assert_eq!(impact.frees_files, 1);
        let (objects, blobs) = stored(&w).await;
        w.versions
            .delete(&w.manager, two.version_id, false)
            .await
            .unwrap();
        w.clock.advance_seconds(7_200);
        sweep(&w.context).await.unwrap();
        let (objects_left, blobs_left) = stored(&w).await;
        assert_eq!(impact.frees_bytes, objects - objects_left + blobs - blobs_left);
        assert!(objects_left > 0 && blobs - blobs_left == 5_000);
        assert_eq!(w.paths(one.version_id, EntryQuery::default()).await.len(), 200);
        // The number is not given again.
        let three = w.upload_zip(&d, &[("h.bin", vec![1])], UploadMode::Add).await;
        assert_eq!(three.number, 3);
        w.datasets.delete(&w.manager, d.summary.id, false).await.unwrap();
        w.clock.advance_seconds(7_200);
        sweep(&w.context).await.unwrap();
        assert_eq!(stored(&w).await, (0, 0));
    })
    .await;
}

/// Bytes of objects and of files that the database knows.
async fn stored(w: &World) -> (i64, i64) {
    let mut tx = w.db.read().await.unwrap();
    limn_store::on_tx!(&mut tx, conn => {
        sqlx::query_as(
            "SELECT CAST((SELECT coalesce(sum(length(bytes)), 0) FROM version_object) AS BIGINT), \
             CAST((SELECT coalesce(sum(byte_size), 0) FROM blob) AS BIGINT)",
        )
        .fetch_one(conn)
        .await
        .unwrap()
    })
}
