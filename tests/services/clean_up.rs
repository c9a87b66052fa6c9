//! What a clean-up leaves alone while somebody is at work.

use bytes::Bytes;
use limn_domain::Timestamp;
use limn_jobs::NewJob;
use limn_services::housekeeping::sweep;
use limn_store::{StoreError, on_tx, repo};
use limn_testkit::{Studio, TestDb, on_both};
use std::time::{Duration, SystemTime};

/// A job of this kind that runs from now on.
async fn running(db: &TestDb, kind: &'static str, now: Timestamp) {
    let new = NewJob {
        kind,
        title: "At work".to_owned(),
        project_id: None,
        created_by: None,
        payload: serde_json::json!({}),
        dedup_key: None,
        priority: 0,
        max_attempts: 1,
    };
    let claimed = db.write::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            limn_jobs::enqueue(tx, new, now).await?;
            repo::job::claim(tx, "somebody", &[kind], now.plus_seconds(60), now).await
        })
    });
    assert!(claimed.await.unwrap().is_some());
}

#[tokio::test]
async fn what_a_job_has_put_stays_until_it_ends_however_long_it_takes_to_name_it() {
    on_both(async |db| {
        let s = Studio::new(&db);
        for kind in ["import", "source", "version", "catalogue"] {
            stays_while_running(&db, &s, kind).await;
        }
    })
    .await;
}

async fn stays_while_running(db: &TestDb, s: &Studio, kind: &'static str) {
    let blobs = &s.context.blobs;
    // Such as the first frame of a long video.
    let put = blobs.put_bytes(Bytes::from_static(b"a frame")).await.unwrap();
    let part = i64::from(u8::from_str_radix(&put.digest.as_str()[..2], 16).unwrap());
    // Each hour's clean-up looks at one part of the store: at this one in three hours.
    let hour = s.clock.now().seconds_since(Timestamp(0)) / 3_600 + 3;
    s.clock.advance_seconds((part - hour).rem_euclid(256) * 3_600);
    running(db, kind, s.clock.now()).await;
    s.clock.advance_seconds(3 * 3_600);
    let put_at = SystemTime::now() - Duration::from_hours(2);
    let file = std::fs::File::options().write(true).open(blobs.path(&put.digest));
    file.unwrap().set_modified(put_at).unwrap();
    assert_eq!(sweep(&s.context).await.unwrap().files, 0, "{kind}");
    assert!(
        blobs.exists(&put.digest).await.unwrap(),
        "it is about to be named by the {kind} job"
    );

    db.write::<_, StoreError, _>(|tx| {
        Box::pin(async move {
            on_tx!(tx, conn => {
                sqlx::query("UPDATE job SET state = 'failed'").execute(conn).await?;
            });
            Ok(())
        })
    })
    .await
    .unwrap();
    assert_eq!(sweep(&s.context).await.unwrap().files, 1, "{kind}");
    assert!(!blobs.exists(&put.digest).await.unwrap(), "{kind}");
}
