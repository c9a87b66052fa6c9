//! A credential goes in and is nowhere to be found.

use super::stand_in::{Bucket, serve};
use super::{new, picture, world};
use limn_domain::datastore::{DatastoreKind, RotateSecrets};
use limn_domain::project::Task;
use limn_services::Actor;
use limn_testkit::{TestDb, on_both};
use std::path::Path;
use std::sync::{Arc, Mutex};

const SECRET: &str = "hunter2-the-secret-access-key";
const OTHER: &str = "hunter3-the-secret-access-key";

/// Whether the bytes are in any file below.
fn found(dir: &Path, needle: &[u8], at: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found(&path, needle, at);
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes.windows(needle.len()).any(|w| w == needle)
        {
            at.push(path.display().to_string());
        }
    }
}

/// Looks for credentials in every text and every byte of the database and in all files beside it.
pub(super) async fn nowhere(db: &TestDb, secrets: &[&str]) {
    let mut tx = db.read().await.unwrap();
    let rows: Vec<String> = match &mut tx {
        limn_store::Tx::Postgres(conn) => {
            let tables: Vec<String> =
                sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")
                    .fetch_all(&mut **conn)
                    .await
                    .unwrap();
            let mut out = Vec::new();
            for table in tables {
                let sql = format!("SELECT coalesce(string_agg(t::text, ' '), '') FROM \"{table}\" t");
                out.push(
                    sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
                        .fetch_one(&mut **conn)
                        .await
                        .unwrap(),
                );
            }
            out
        }
        limn_store::Tx::Sqlite(_) => Vec::new(),
    };
    drop(tx);
    for secret in secrets {
        for row in &rows {
            assert!(!row.contains(secret) && !row.contains(&hex::encode(secret)));
        }
        let mut at = Vec::new();
        found(db.dir(), secret.as_bytes(), &mut at);
        assert!(at.is_empty(), "{secret} is in {at:?}");
    }
    // Sanity: what is not secret is found by the same search.
    let mut at = Vec::new();
    found(db.dir(), b"SQLite format 3", &mut at);
    assert_eq!(at.is_empty(), !rows.is_empty());
}

#[tokio::test]
async fn no_credential_is_in_the_database_the_files_or_any_reply() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        let shared = Arc::new(Mutex::new(Bucket {
            key: "AK1".to_owned(),
            ..Bucket::default()
        }));
        shared
            .lock()
            .unwrap()
            .files
            .insert("a.png".to_owned(), picture(1));
        let endpoint = serve(Arc::clone(&shared)).await;
        let settings = [
            ("bucket", "photos"),
            ("endpoint", endpoint.as_str()),
            ("access_key_id", "AK1"),
        ];
        let input = new(
            "Bucket",
            DatastoreKind::S3,
            &settings,
            &[("secret_access_key", SECRET)],
        );
        let mut replies = vec![format!("{input:?}")];
        let store = w.datastores.create(&Actor::System, input.clone()).await.unwrap();
        assert_eq!(store.secrets, ["secret_access_key"]);
        let source = w.take(&store, "").await;
        let job = w.ended(&source).await;
        replies.push(serde_json::to_string(&(&store, &source, &job)).unwrap());
        // A failure says nothing either.
        shared.lock().unwrap().key = "AK9".to_owned();
        replies.push(
            serde_json::to_string(&w.datastores.test(&Actor::System, store.id).await.unwrap()).unwrap(),
        );
        let job = w.sources.refresh(&w.manager, source.id).await.unwrap();
        replies.push(serde_json::to_string(&w.finish(job.id).await).unwrap());
        replies.push(serde_json::to_string(&w.jobs.log(&w.manager, job.id, 0).await.unwrap()).unwrap());
        shared.lock().unwrap().key = "AK1".to_owned();
        let rotate = RotateSecrets {
            secrets: super::texts(&[("secret_access_key", OTHER)]),
            settings: super::texts(&[]),
        };
        replies.push(format!("{rotate:?}"));
        replies.push(
            serde_json::to_string(
                &w.datastores
                    .rotate(&Actor::System, store.id, rotate)
                    .await
                    .unwrap(),
            )
            .unwrap(),
        );
        replies.push(serde_json::to_string(&w.datastores.list(&Actor::System).await.unwrap()).unwrap());
        for reply in &replies {
            assert!(!reply.contains("hunter"), "{reply}");
        }
        nowhere(&db, &[SECRET, OTHER]).await;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let key = db.dir().join("data/secret.key");
            assert_eq!(
                std::fs::metadata(key).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
    })
    .await;
}
