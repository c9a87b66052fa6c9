//! The two schemas are one: the same migrations, tables, columns, nullability and unique keys.

use limn_store::on_tx;
use limn_testkit::TestDb;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Column name to (kind of type, nullable).
type Columns = BTreeMap<String, (&'static str, bool)>;

fn migration_names(dialect: &str) -> BTreeSet<String> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../migrations")
        .join(dialect);
    std::fs::read_dir(dir)
        .unwrap()
        .map(|f| f.unwrap().file_name().into_string().unwrap())
        .collect()
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = migration_names("sqlite");
    assert!(!names.is_empty());
    assert_eq!(names, migration_names("postgres"));
}

/// What a type stands for on either database.
fn kind(declared: &str) -> &'static str {
    match declared.to_ascii_lowercase().as_str() {
        // SQLite keeps ids and digests as bytes, JSON as text and truth as 0 or 1.
        "blob" | "uuid" | "bytea" => "id",
        "text" | "jsonb" => "text",
        "integer" | "bigint" | "boolean" => "integer",
        "real" | "double precision" => "real",
        other => panic!("the type `{other}` has no counterpart on the other database"),
    }
}

async fn sqlite_tables(db: &TestDb) -> BTreeMap<String, Columns> {
    let mut tx = db.read().await.unwrap();
    let rows: Vec<(String, String, String, i64, i64)> = on_tx!(&mut tx, conn => {
        sqlx::query_as(
            "SELECT t.name, c.name, c.type, c.\"notnull\", c.pk FROM sqlite_schema t, pragma_table_info(t.name) c \
             WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!' AND t.name <> '_sqlx_migrations'",
        )
        .fetch_all(conn)
        .await
        .unwrap()
    });
    let mut tables = BTreeMap::<_, Columns>::new();
    for (table, column, declared, not_null, pk) in rows {
        let nullable = not_null == 0 && pk == 0;
        tables
            .entry(table)
            .or_default()
            .insert(column, (kind(&declared), nullable));
    }
    tables
}

async fn postgres_tables(db: &TestDb) -> BTreeMap<String, Columns> {
    let mut tx = db.read().await.unwrap();
    let rows: Vec<(String, String, String, String)> = on_tx!(&mut tx, conn => {
        sqlx::query_as(
            "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text \
             FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'",
        )
        .fetch_all(conn)
        .await
        .unwrap()
    });
    let mut tables = BTreeMap::<_, Columns>::new();
    for (table, column, declared, nullable) in rows {
        tables
            .entry(table)
            .or_default()
            .insert(column, (kind(&declared), nullable == "YES"));
    }
    tables
}

/// Index names with whether they are unique; those made for keys have no name of ours on SQLite and are left out.
async fn indexes(db: &TestDb, sql: &'static str) -> BTreeMap<String, bool> {
    let mut tx = db.read().await.unwrap();
    let rows: Vec<(String, bool)> = on_tx!(&mut tx, conn => {
        sqlx::query_as(sql).fetch_all(conn).await.unwrap()
    });
    rows.into_iter().collect()
}

#[tokio::test]
async fn both_databases_have_the_same_tables_and_indexes() {
    let Some(postgres) = TestDb::postgres().await else {
        eprintln!("LIMN_TEST_PG is not set: the schemas are not compared");
        return;
    };
    let sqlite = TestDb::sqlite().await;
    let (ours, theirs) = (sqlite_tables(&sqlite).await, postgres_tables(&postgres).await);
    assert!(ours.len() > 10, "{ours:?}");
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    for (table, columns) in &ours {
        assert_eq!(columns, &theirs[table], "table {table}");
    }
    let named = indexes(
        &sqlite,
        "SELECT name, sql LIKE 'CREATE UNIQUE%' FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL",
    )
    .await;
    let there = indexes(
        &postgres,
        "SELECT c.relname::text, i.indisunique FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
         JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' \
         AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid)",
    )
    .await;
    assert_eq!(named, there);
    sqlite.finish().await;
    postgres.finish().await;
}

#[tokio::test]
async fn a_migrated_database_says_so() {
    limn_testkit::on_both(async |db| {
        assert!(db.is_current().await.unwrap());
        // A second run changes nothing.
        db.migrate().await.unwrap();
    })
    .await;
}
