//! Units of work on SQLite: they share commits, but neither failures nor panics.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use limn_store::{Db, DbConfig, StoreError, Tx, on_tx};

async fn open(dir: &tempfile::TempDir) -> Db {
    let db = Db::open(&DbConfig::Sqlite(dir.path().join("limn.db")))
        .await
        .unwrap();
    db.migrate().await.unwrap();
    db
}

async fn put(tx: &mut Tx, key: String) -> Result<(), StoreError> {
    on_tx!(tx, conn => {
        sqlx::query("INSERT INTO setting (key, value) VALUES ($1, 'true')").bind(key).execute(conn).await?;
    });
    Ok(())
}

async fn keys(db: &Db) -> Vec<String> {
    let mut tx = db.read().await.unwrap();
    on_tx!(&mut tx, conn => {
        sqlx::query_scalar("SELECT key FROM setting ORDER BY key").fetch_all(conn).await.unwrap()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_unit_of_work_leaves_the_others_of_its_batch_alone() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(&dir).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..200_u32 {
        let db = db.clone();
        tasks.spawn(async move {
            let result = db
                .write(move |tx| {
                    Box::pin(async move {
                        put(tx, format!("k{n:03}")).await?;
                        match n % 4 {
                            1 => Err(StoreError::Corrupt("on purpose".into())),
                            // Breaks the unique key inside the transaction.
                            2 => put(tx, format!("k{n:03}")).await,
                            _ => Ok(()),
                        }
                    })
                })
                .await;
            (n, result.is_ok())
        });
    }
    let mut kept = Vec::new();
    while let Some(done) = tasks.join_next().await {
        let (n, ok) = done.unwrap();
        assert_eq!(ok, matches!(n % 4, 0 | 3), "unit {n}");
        if ok {
            kept.push(format!("k{n:03}"));
        }
    }
    kept.sort();
    assert_eq!(keys(&db).await, kept);
}

#[tokio::test]
async fn a_panic_is_answered_and_rolled_back() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(&dir).await;
    let result: Result<(), StoreError> = db
        .write(|tx| {
            Box::pin(async move {
                put(tx, "lost".into()).await?;
                panic!("on purpose")
            })
        })
        .await;
    assert!(matches!(result, Err(StoreError::Abandoned)), "{result:?}");
    db.write(|tx| Box::pin(async move { put(tx, "kept".into()).await }))
        .await
        .unwrap();
    assert_eq!(keys(&db).await, ["kept"]);
}

#[tokio::test]
async fn what_was_acknowledged_is_there_for_another_connection() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(&dir).await;
    db.write(|tx| Box::pin(async move { put(tx, "a".into()).await }))
        .await
        .unwrap();
    // No close: as after a kill.
    let again = open(&dir).await;
    assert_eq!(keys(&again).await, ["a"]);
    assert!(again.is_current().await.unwrap());
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_stop_the_writer() {
    let dir = tempfile::tempdir().unwrap();
    let db = open(&dir).await;
    let gone = db.write::<(), StoreError, _>(|tx| {
        Box::pin(async move {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            put(tx, "gone".into()).await
        })
    });
    drop(tokio::time::timeout(std::time::Duration::from_millis(5), gone).await);
    db.write(|tx| Box::pin(async move { put(tx, "next".into()).await }))
        .await
        .unwrap();
    assert_eq!(keys(&db).await, ["gone", "next"]);
}
