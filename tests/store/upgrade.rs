//! Data written under an earlier schema is all there under this one.

use limn_domain::{ItemId, Rect, Shape};
use limn_store::repo::annotation;
use limn_store::{Db, DbConfig, Tx};
use sqlx::migrate::{Migrate as _, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use std::path::Path;

static ALL: Migrator = sqlx::migrate!("../migrations/sqlite");

/// A database of schema `version`.
async fn at(path: &Path, version: i64) -> sqlx::SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .foreign_keys(true);
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options)
        .await
        .unwrap();
    let mut conn = pool.acquire().await.unwrap();
    conn.ensure_migrations_table("_sqlx_migrations").await.unwrap();
    for m in ALL.iter().filter(|m| m.version <= version) {
        conn.apply("_sqlx_migrations", m).await.unwrap();
    }
    drop(conn);
    pool
}

const FILL: &[&str] = &[
    "INSERT INTO user_account (id, email, name, role, created_at) VALUES (x'00000000000000000000000000000001', 'a@example.org', 'Ana', 'labeler', 1)",
    "INSERT INTO project (id, name, name_key, task, status, description, instructions, settings, created_at, updated_at) \
     VALUES (x'00000000000000000000000000000002', 'Old', 'old', 'detection', 'running', '', '', '{}', 1, 1)",
    "INSERT INTO project_member VALUES (x'00000000000000000000000000000002', x'00000000000000000000000000000001', 'labeler', 1)",
    "INSERT INTO category (id, project_id, name, name_key, color, position, export_id, created_at) \
     VALUES (x'00000000000000000000000000000003', x'00000000000000000000000000000002', 'Cat', 'cat', '#aabbcc', 0, 1, 1)",
    "INSERT INTO blob VALUES ('d', 1, 'image/png', 1)",
    "INSERT INTO item (id, project_id, name, name_key, digest, media_type, byte_size, width, height, orientation, export_id, \
     status, queue_rank, created_at, updated_at) VALUES (x'00000000000000000000000000000004', \
     x'00000000000000000000000000000002', 'a.png', 'a.png', 'd', 'image/png', 1, 10, 10, 1, 1, 'todo', 1, 1, 1)",
    "INSERT INTO annotation (item_id, id, category_id, kind, x, y, w, h, z, source, created_at, updated_at) VALUES \
     (x'00000000000000000000000000000004', x'00000000000000000000000000000005', x'00000000000000000000000000000003', \
     'box', 1.5, 2, 3, 4, 7, 'human', 1, 1)",
];

#[tokio::test]
async fn a_project_of_the_first_schema_keeps_its_members_items_and_labels() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("limn.db");
    let old = at(&path, 1).await;
    for sql in FILL {
        sqlx::query(sqlx::AssertSqlSafe(*sql))
            .execute(&old)
            .await
            .unwrap();
    }
    old.close().await;
    let db = Db::open(&DbConfig::Sqlite(path.clone())).await.unwrap();
    db.migrate().await.unwrap();
    assert!(db.is_current().await.unwrap());
    let item = "00000000-0000-0000-0000-000000000004".parse::<ItemId>().unwrap();
    let mut tx = db.read().await.unwrap();
    let now = annotation::current(&mut tx, item).await.unwrap().unwrap();
    let [label] = now.annotations.as_slice() else {
        panic!("{now:?}")
    };
    assert_eq!(
        (label.z, &label.shape),
        (
            7,
            &Shape::Box {
                rect: Rect::new(1.5, 2.0, 3.0, 4.0)
            }
        )
    );
    drop(tx);

    // References are whole, and enforced again: with the project goes what belongs to it.
    let left = db
        .write(|tx| {
            Box::pin(async move {
                let Tx::Sqlite(conn) = tx else { unreachable!() };
                let broken = sqlx::query("PRAGMA foreign_key_check")
                    .fetch_all(&mut **conn)
                    .await?;
                assert!(broken.is_empty());
                let members: i64 = sqlx::query_scalar("SELECT count(*) FROM project_member")
                    .fetch_one(&mut **conn)
                    .await?;
                assert_eq!(members, 1);
                sqlx::query("DELETE FROM item").execute(&mut **conn).await?;
                sqlx::query("DELETE FROM project").execute(&mut **conn).await?;
                let left: i64 = sqlx::query_scalar(
                    "SELECT (SELECT count(*) FROM project_member) + (SELECT count(*) FROM category) \
                     + (SELECT count(*) FROM annotation)",
                )
                .fetch_one(&mut **conn)
                .await?;
                Ok::<_, limn_store::StoreError>(left)
            })
        })
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn outlines_of_the_second_schema_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("limn.db");
    let old = at(&path, 2).await;
    let more = [
        "INSERT INTO annotation (item_id, id, category_id, kind, x, y, w, h, geometry, z, source, created_at, updated_at) VALUES \
         (x'00000000000000000000000000000004', x'00000000000000000000000000000006', x'00000000000000000000000000000003', \
         'polygon', 1, 1, 3, 3, '[[[[1.1,1],[4,1],[4,4.7]]]]', 8, 'import', 1, 1)",
        "UPDATE project SET task = 'segmentation'",
    ];
    for sql in FILL.iter().chain(&more) {
        sqlx::query(sqlx::AssertSqlSafe(*sql))
            .execute(&old)
            .await
            .unwrap();
    }
    old.close().await;
    let db = Db::open(&DbConfig::Sqlite(path.clone())).await.unwrap();
    db.migrate().await.unwrap();
    let item = "00000000-0000-0000-0000-000000000004".parse::<ItemId>().unwrap();
    let mut tx = db.read().await.unwrap();
    let now = annotation::current(&mut tx, item).await.unwrap().unwrap();
    assert_eq!(
        now.annotations[1].shape,
        Shape::Polygon {
            parts: vec![vec![vec![[1.1, 1.0], [4.0, 1.0], [4.0, 4.7]]]]
        }
    );
    let project = "00000000-0000-0000-0000-000000000002".parse().unwrap();
    let categories = limn_store::repo::category::list(&mut tx, project).await.unwrap();
    assert_eq!((categories.len(), &categories[0].skeleton), (1, &None));
}

#[tokio::test]
async fn items_and_labels_of_the_fifth_schema_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("limn.db");
    let old = at(&path, 5).await;
    let more = [
        "UPDATE annotation SET attributes = '{\"occluded\":true}', links = '{\"group\":\"00000000-0000-0000-0000-00000000000a\"}'",
        "UPDATE item SET status = 'done', done_by = x'00000000000000000000000000000001', done_at = 5, annotation_count = 1, \
         revision = 7, lease_until = 9, skip_reason = 'why'",
    ];
    for sql in FILL.iter().chain(&more) {
        sqlx::query(sqlx::AssertSqlSafe(*sql))
            .execute(&old)
            .await
            .unwrap();
    }
    let before: Vec<String> = dump(&old, "item").await;
    old.close().await;
    let db = Db::open(&DbConfig::Sqlite(path.clone())).await.unwrap();
    db.migrate().await.unwrap();
    let id = "00000000-0000-0000-0000-000000000004".parse::<ItemId>().unwrap();
    let mut tx = db.read().await.unwrap();
    let item = limn_store::repo::item::get(&mut tx, id, limn_domain::Timestamp(10))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (item.length, item.excerpt.as_str(), item.revision, item.width),
        (0, "", 7, 10)
    );
    let labels = annotation::of_item(&mut tx, id).await.unwrap();
    assert_eq!(labels[0].attributes.len(), 1);
    drop(tx);
    let new = sqlx::SqlitePool::connect_with(SqliteConnectOptions::new().filename(&path))
        .await
        .unwrap();
    assert_eq!(dump(&new, "item").await, before, "every column of every row");
    let links: Option<String> = sqlx::query_scalar("SELECT links FROM annotation")
        .fetch_one(&new)
        .await
        .unwrap();
    assert!(links.is_some());
    let indices: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'item' AND sql IS NOT NULL",
    )
    .fetch_one(&new)
    .await
    .unwrap();
    assert_eq!(indices, 8);
    new.close().await;
}

#[tokio::test]
async fn sources_of_the_twenty_first_schema_are_kept_with_their_files() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("limn.db");
    let old = at(&path, 21).await;
    let more = [
        "INSERT INTO datastore (id, name, name_key, kind, description, settings, secret_keys, sealed, enabled, health, health_text, \
         warnings, created_at, updated_at) VALUES (x'0000000000000000000000000000000a', 'Photos', 'photos', 'folder', '', '{}', \
         '[]', x'00', 1, 'ok', '', '[]', 1, 1)",
        "INSERT INTO project_source (id, project_id, datastore_id, glob, every_minutes, next_at, created_at) VALUES \
         (x'0000000000000000000000000000000b', x'00000000000000000000000000000002', x'0000000000000000000000000000000a', '**', 60, \
         5, 1)",
        "INSERT INTO source_file VALUES (x'0000000000000000000000000000000b', 'a.png', 1, 't', 'taken', 1)",
    ];
    // People and the project.
    for sql in FILL[..2].iter().chain(&more) {
        sqlx::query(sqlx::AssertSqlSafe(*sql))
            .execute(&old)
            .await
            .unwrap();
    }
    old.close().await;
    let db = Db::open(&DbConfig::Sqlite(path.clone())).await.unwrap();
    db.migrate().await.unwrap();
    let mut tx = db.read().await.unwrap();
    let id = "00000000-0000-0000-0000-00000000000b".parse().unwrap();
    let source = limn_store::repo::source::get(&mut tx, id).await.unwrap().unwrap();
    assert_eq!(
        (source.name(), source.every_minutes, source.files),
        ("Photos", Some(60), 1)
    );
    assert_eq!((source.dataset, source.sequence), (None, None));
    let known = limn_store::repo::source::known(&mut tx, id, &["a.png".to_owned()])
        .await
        .unwrap();
    assert_eq!((known[0].tag.as_str(), &known[0].digest), ("t", &None));
}

#[tokio::test]
async fn datastores_of_the_twenty_fifth_schema_are_kept_with_what_uses_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("limn.db");
    let old = at(&path, 25).await;
    let more = [
        "INSERT INTO datastore (id, name, name_key, kind, description, settings, secret_keys, sealed, enabled, health, health_text, \
         warnings, checked_at, created_by, created_at, updated_at) VALUES (x'0000000000000000000000000000000a', 'Photos', 'photos', \
         'azure', 'Of the street', '{\"account\":\"a\"}', '[\"sas_token\"]', x'00ff', 1, 'ok', 'fine', '[]', 5, \
         x'00000000000000000000000000000001', 1, 2)",
        "INSERT INTO project_source (id, project_id, datastore_id, glob, created_at) VALUES \
         (x'0000000000000000000000000000000b', x'00000000000000000000000000000002', x'0000000000000000000000000000000a', '**', 1)",
        "INSERT INTO dataset (id, name, name_key, kind, description, tags, licence, visibility, created_at, updated_at) VALUES \
         (x'0000000000000000000000000000000c', 'D', 'd', 'images', '', '[]', '', 'studio', 1, 1)",
        "INSERT INTO dataset_source VALUES (x'0000000000000000000000000000000c', x'0000000000000000000000000000000a', '**', 1)",
    ];
    for sql in FILL[..2].iter().chain(&more) {
        sqlx::query(sqlx::AssertSqlSafe(*sql))
            .execute(&old)
            .await
            .unwrap();
    }
    let all = "SELECT json_array(hex(id), name, name_key, kind, description, settings, secret_keys, hex(sealed), enabled, health, \
               health_text, warnings, checked_at, hex(created_by), created_at, updated_at) FROM datastore";
    let before: String = sqlx::query_scalar(all).fetch_one(&old).await.unwrap();
    old.close().await;
    let db = Db::open(&DbConfig::Sqlite(path.clone())).await.unwrap();
    db.migrate().await.unwrap();
    drop(db);
    let new = sqlx::SqlitePool::connect_with(SqliteConnectOptions::new().filename(&path).foreign_keys(true))
        .await
        .unwrap();
    let after: String = sqlx::query_scalar(all).fetch_one(&new).await.unwrap();
    assert_eq!(after, before);
    let users: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM project_source) + (SELECT count(*) FROM dataset_source)",
    )
    .fetch_one(&new)
    .await
    .unwrap();
    assert_eq!(users, 2);
    let broken = sqlx::query("PRAGMA foreign_key_check")
        .fetch_all(&new)
        .await
        .unwrap();
    assert!(broken.is_empty());
    // The new kinds are kinds, others are none, and what is used stays.
    for kind in ["azure_lake", "azure_files", "sql_server"] {
        let sql = format!("UPDATE datastore SET kind = '{kind}'");
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&new).await.unwrap();
    }
    for sql in ["UPDATE datastore SET kind = 'oracle'", "DELETE FROM datastore"] {
        assert!(sqlx::query(sql).execute(&new).await.is_err(), "{sql}");
    }
    new.close().await;
}

/// The rows of a table in its first schema's columns, as JSON.
async fn dump(pool: &sqlx::SqlitePool, table: &str) -> Vec<String> {
    let columns = "hex(id), hex(project_id), name, name_key, digest, media_type, byte_size, width, height, orientation, \
        export_id, status, skip_reason, queue_rank, lease_until, leased_at, revision, annotation_count, prelabel_count, \
        active_ms, hex(done_by), done_at, created_at, updated_at";
    let sql = format!("SELECT json_array({columns}) FROM {table} ORDER BY id");
    sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .fetch_all(pool)
        .await
        .unwrap()
}
