//! Callers that go away in the middle leave nothing behind for those who come after them.

use limn_store::{Json, StoreError, on_tx};
use limn_testkit::on_both;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_that_nobody_waited_for_is_not_the_next_ones() {
    on_both(async |db| {
        let name = |n: i64| format!("setting {n}");
        for n in 0..300_i64 {
            // Dropped at another moment of its beginning each time.
            for wait in 0..4 {
                let _ = tokio::time::timeout(Duration::from_micros((n * 7 + wait * 131) as u64 % 900), db.read()).await;
            }
            db.write::<_, StoreError, _>(move |tx| {
                Box::pin(async move {
                    on_tx!(tx, conn => {
                        sqlx::query("INSERT INTO setting (key, value) VALUES ($1, $2)").bind(name(n)).bind(Json(n)).execute(conn).await?;
                    });
                    Ok(())
                })
            })
            .await
            .unwrap_or_else(|e| panic!("write {n}: {e}"));
            // Whoever reads now sees what was committed before.
            let mut tx = db.read().await.unwrap();
            let seen: i64 = on_tx!(&mut tx, conn => {
                sqlx::query_scalar("SELECT count(*) FROM setting WHERE key LIKE 'setting %'").fetch_one(conn).await.unwrap()
            });
            assert_eq!(seen, n + 1);
        }
    })
    .await;
}
