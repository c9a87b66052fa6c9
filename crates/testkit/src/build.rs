//! Rows in one line each, for tests that need something to stand on. Everything is plain SQL through the repositories.

use limn_domain::dataset::{DatasetKind, Split, VersionCounts, Visibility};
use limn_domain::project::{ProjectSettings, Task};
use limn_domain::{
    CategoryId, DatasetId, Digest, FileTagId, ItemId, ProjectId, Role, TagChangeId, Timestamp, UserId,
    VersionId,
};
use limn_store::repo::{self, item::NewItem};
use limn_store::{Db, StoreError};

/// 2026-01-01T00:00:00Z, where tests begin.
pub const START: Timestamp = Timestamp(1_767_225_600_000_000);

/// A person without a password; the address is `<name>@example.org`.
pub async fn user(db: &Db, name: &str, role: Role) -> UserId {
    let row = repo::user::NewRow {
        id: UserId::new(),
        email: format!("{}@example.org", name.to_lowercase()),
        name: name.to_owned(),
        role,
        password_hash: String::new(),
    };
    let id = row.id;
    db.write::<_, StoreError, _>(move |tx| {
        Box::pin(async move { repo::user::insert(tx, &row, START).await })
    })
    .await
    .expect("the person is inserted");
    id
}

/// A project without members, categories and items.
pub async fn project(db: &Db, name: &str, task: Task) -> ProjectId {
    let row = repo::project::NewRow {
        id: ProjectId::new(),
        name: name.to_owned(),
        task,
        description: String::new(),
        instructions: String::new(),
        settings: ProjectSettings::default(),
        created_by: None,
    };
    let id = row.id;
    db.write::<_, StoreError, _>(move |tx| {
        Box::pin(async move { repo::project::insert(tx, &row, START).await })
    })
    .await
    .expect("the project is inserted");
    id
}

/// Makes somebody a member.
pub async fn member(db: &Db, project: ProjectId, user: UserId, role: Role) {
    db.write::<_, StoreError, _>(move |tx| {
        Box::pin(async move { repo::member::put(tx, project, user, role, START).await })
    })
    .await
    .expect("the member is inserted");
}

/// Categories at the top level, in this order, with export ids counting on.
pub async fn categories(db: &Db, project: ProjectId, names: &[&str]) -> Vec<CategoryId> {
    let names: Vec<String> = names.iter().map(|&n| n.to_owned()).collect();
    db.write::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            let first = repo::project::lock(tx, project, START)
                .await?
                .expect("the project is there");
            let rows: Vec<_> = names
                .into_iter()
                .zip(first..)
                .map(|(name, export_id)| repo::category::NewRow {
                    id: CategoryId::new(),
                    parent_id: None,
                    name,
                    color: "#3e63dd".to_owned(),
                    hotkey: None,
                    position: export_id - 1,
                    export_id,
                    skeleton: None,
                    attributes: Vec::new(),
                })
                .collect();
            repo::category::insert_many(tx, project, &rows, START).await?;
            repo::project::set_next_category_export_id(tx, project, first + rows.len() as i64).await?;
            Ok(rows.into_iter().map(|r| r.id).collect())
        })
    })
    .await
    .expect("the categories are inserted")
}

/// Items `<prefix>000.jpg`... of 640 x 480 pixels, each with its own made-up digest; no bytes are stored.
pub async fn items(db: &Db, project: ProjectId, prefix: &str, n: usize) -> Vec<ItemId> {
    let rows: Vec<NewItem> = (0..n)
        .map(|i| NewItem {
            id: ItemId::new(),
            name: format!("{prefix}{i:03}.jpg"),
            digest: digest(&format!("{project}{prefix}{i}")),
            media_type: "image/jpeg".to_owned(),
            byte_size: 1_000,
            width: 640,
            height: 480,
            orientation: 1,
            length: 0,
            excerpt: String::new(),
        })
        .collect();
    let ids = rows.iter().map(|r| r.id).collect();
    db.write::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            for row in &rows {
                repo::blob::put(tx, &row.digest, row.byte_size, &row.media_type, START).await?;
            }
            repo::item::insert_many(tx, project, &rows, START)
                .await
                .map(|_| ())
        })
    })
    .await
    .expect("the items are inserted");
    ids
}

/// A digest for bytes that are never looked at.
pub fn digest(text: &str) -> Digest {
    Digest::parse(blake3::hash(text.as_bytes()).to_hex().as_str()).expect("a BLAKE3 digest")
}

/// A private dataset of images with its manager.
pub async fn dataset(db: &Db, name: &str, manager: UserId) -> DatasetId {
    let row = repo::dataset::NewRow {
        id: DatasetId::new(),
        name: name.to_owned(),
        kind: DatasetKind::Images,
        description: String::new(),
        tags: Vec::new(),
        licence: String::new(),
        visibility: Visibility::Private,
        created_by: Some(manager),
    };
    let id = row.id;
    db.write::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            repo::dataset::insert(tx, &row, START).await?;
            repo::dataset::put_member(tx, id, manager, Role::Manager, START).await
        })
    })
    .await
    .expect("the dataset is inserted");
    id
}

/// Makes somebody a member of a dataset.
pub async fn dataset_member(db: &Db, dataset: DatasetId, user: UserId, role: Role) {
    db.write::<_, StoreError, _>(move |tx| {
        Box::pin(async move { repo::dataset::put_member(tx, dataset, user, role, START).await })
    })
    .await
    .expect("the member is inserted");
}

/// A tag on a path of a dataset, and the change that put it there.
pub async fn file_tag(db: &Db, dataset: DatasetId, name: &str, path: &str) -> (FileTagId, TagChangeId) {
    let (name, key, change) = (name.to_owned(), path.to_lowercase(), TagChangeId::new());
    let tag = db.write::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            let tag = repo::file_tag::make(tx, dataset, &name, START).await?;
            repo::file_tag::set(tx, tag, change, &[key], true, START).await?;
            Ok(tag)
        })
    });
    (tag.await.expect("the tag is put on the path"), change)
}

/// The next version of a dataset, of one picture whose blob row is there.
pub async fn version(db: &Db, dataset: DatasetId, path: &str, blob: &Digest) -> VersionId {
    let (id, path, blob) = (VersionId::new(), path.to_owned(), blob.clone());
    db.write::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            let size: Option<i64> = limn_store::on_tx!(tx, conn => {
                sqlx::query_scalar("SELECT byte_size FROM blob WHERE digest = $1")
                    .bind(&blob)
                    .fetch_optional(conn)
                    .await?
            });
            let mut tree = limn_versions::Builder::default();
            let entry = limn_versions::Entry {
                path,
                size: size.map_or(1, i64::unsigned_abs),
                blob: limn_versions::Hash::from(&blob),
                media_type: "image/png".to_owned(),
                width: 10,
                height: 10,
                orientation: 1,
                length: 0,
                split: Split::None,
                labels: None,
                categories: std::collections::BTreeMap::new(),
            };
            tree.push(entry).expect("the only entry is in order");
            let built = tree.finish();
            let root = limn_versions::object::Root {
                limn: limn_versions::object::FORMAT,
                kind: DatasetKind::Images,
                files: built.root.hash,
                schema: None,
            };
            let (hash, bytes) = limn_versions::object::encode(&root);
            let leaf = &built.nodes[0];
            let object = |digest, bytes| repo::object::NewObject { digest, bytes };
            let both = [
                object(leaf.hash.bytes(), leaf.bytes.as_slice()),
                object(hash.bytes(), &bytes),
            ];
            repo::object::put(tx, &both, START).await?;
            repo::object::link(tx, &[(*hash.bytes(), *leaf.hash.bytes())]).await?;
            repo::object::link_blobs(tx, &[(*leaf.hash.bytes(), blob)]).await?;
            let number = repo::dataset::lock(tx, dataset, START)
                .await?
                .expect("the dataset is there");
            repo::dataset::use_number(tx, dataset).await?;
            let row = repo::version::NewRow {
                id,
                dataset_id: dataset,
                number,
                digest: *hash.bytes(),
                note: String::new(),
                task: None,
                files: 1,
                bytes: 1,
                counts: VersionCounts {
                    splits: [1, 0, 0, 0],
                    ..VersionCounts::default()
                },
                created_by: None,
            };
            repo::version::insert(tx, &row, START).await
        })
    })
    .await
    .expect("the version is inserted");
    id
}
