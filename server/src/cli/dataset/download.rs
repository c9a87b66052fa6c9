//! `dataset download`: the files of a version into a folder.

mod whole;

use super::get;
use crate::cli::api::{Client, encode};
use crate::cli::fetch::fetch;
use crate::cli::watch::Line;
use crate::cli::{print, watch};
use anyhow::{Context as _, Result, anyhow};
use futures::StreamExt as _;
use limn_domain::Page;
use limn_domain::dataset::{Entry, Split, Version};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Files under way at once: small ones cost a round trip, not bandwidth.
const AT_ONCE: usize = 8;

/// Fetches the files, each checked against its digest before it gets its name.
pub(super) async fn download(
    client: &Client,
    version: &Version,
    split: Option<Split>,
    out: &Path,
) -> Result<()> {
    let line = Arc::new(watch::Line::new());
    let unpacked = Arc::new(AtomicI64::new(0));
    let rest = if whole::pays(version, out) {
        match whole::fetch(client, version, split, out, (&line, &unpacked)).await {
            Ok(()) => None,
            // A file that the server cannot give breaks the archive; asked for by itself it says why.
            Err(e) if e.is::<whole::Broke>() => {
                line.finish("the archive broke off; what is missing comes file by file");
                Some(one_by_one(client, version, split, out, &line).await?)
            }
            Err(e) => return Err(e),
        }
    } else {
        Some(one_by_one(client, version, split, out, &line).await?)
    };
    let unpacked = unpacked.load(Ordering::Relaxed);
    let (done, there) = rest.map_or((unpacked, 0), |(done, there)| (done + unpacked, there - unpacked));
    line.finish(&format!("download: {} files", done + there));
    print(&format!(
        "{}: version {}, {done} files fetched, {there} there already, BLAKE3 {}",
        out.display(),
        version.number,
        version.digest
    ))
}

fn progress(line: &Line, done: i64, files: i64) {
    line.show(&format!("download: {done} of {files} files"));
}

/// Answers how many were fetched, and how many were there.
async fn one_by_one(
    client: &Client,
    version: &Version,
    split: Option<Split>,
    out: &Path,
    line: &Line,
) -> Result<(i64, i64)> {
    let (mut cursor, mut done, mut there) = (None::<String>, 0_i64, 0_i64);
    loop {
        let page = page(client, version, split, cursor.as_deref()).await?;
        let mut files = futures::stream::iter(page.rows)
            .map(|entry| async move { file(client, version, &entry, out).await })
            .buffer_unordered(AT_ONCE);
        while let Some(fetched) = files.next().await {
            if fetched? {
                done += 1;
            } else {
                there += 1;
            }
            progress(line, done + there, version.files);
        }
        cursor = page.next;
        if cursor.is_none() {
            return Ok((done, there));
        }
    }
}

/// A part of the list of files, in the order of their paths.
async fn page(
    client: &Client,
    version: &Version,
    split: Option<Split>,
    cursor: Option<&str>,
) -> Result<Page<Entry>> {
    let mut query = vec![("limit", "1000")];
    if let Some(split) = split {
        query.push(("split", split.as_str()));
    }
    if let Some(cursor) = cursor {
        query.push(("cursor", cursor));
    }
    let url = format!("/api/v1/versions/{}/entries", version.id);
    get(client, &url, &query).await
}

/// Where a file comes to lie.
fn file_at(out: &Path, path: &str) -> Result<PathBuf> {
    // The server checks paths; this is the reader's own lock on the door.
    let path = limn_domain::validate::item_name(path).map_err(|e| anyhow!(e))?;
    Ok(out.join(path))
}

/// What it is called until all of it is there. A version may hold both `a` and `a.part`, and names as long as a disk takes them.
fn partial_of(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default();
    let name = blake3::hash(name.as_encoded_bytes()).to_hex();
    target.with_file_name(format!(".limn-{}.part", &name[..16]))
}

/// Gives a file its name.
fn brought(partial: &Path, target: &Path) -> Result<()> {
    std::fs::rename(partial, target).with_context(|| format!("cannot write {}", target.display()))
}

fn wrong(path: &str) -> anyhow::Error {
    anyhow!("`{path}` did not arrive as it is stored; run the command again")
}

/// Answers whether the file had to be fetched.
async fn file(client: &Client, version: &Version, entry: &Entry, out: &Path) -> Result<bool> {
    let target = file_at(out, &entry.path)?;
    if digest_of(&target).await?.as_deref() == Some(entry.digest.as_str()) {
        return Ok(false);
    }
    if let Some(parent) = target.parent() {
        tokio::fs::create_dir_all(parent)
            .await
            .with_context(|| format!("cannot make the folder {}", parent.display()))?;
    }
    let partial = partial_of(&target);
    let fetched = taken(client, version, entry, &partial).await;
    if let Err(e) = fetched.and_then(|()| brought(&partial, &target)) {
        drop(tokio::fs::remove_file(&partial).await);
        return Err(e);
    }
    Ok(true)
}

/// Fetches a file to a place.
async fn taken(client: &Client, version: &Version, entry: &Entry, to: &Path) -> Result<()> {
    let url = format!(
        "/api/v1/versions/{}/file?path={}",
        version.id,
        encode(&entry.path)
    );
    drop(fetch(client, &url, to, |_| ()).await?);
    if digest_of(to).await?.as_deref() != Some(entry.digest.as_str()) {
        return Err(wrong(&entry.path));
    }
    Ok(())
}

async fn digest_of(path: &Path) -> Result<Option<String>> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || match std::fs::File::open(&path) {
        Ok(mut file) => {
            let mut hasher = blake3::Hasher::new();
            std::io::copy(&mut file, &mut hasher)?;
            Ok(Some(hasher.finalize().to_hex().to_string()))
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e.into()),
    })
    .await?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::api::tests::serve;
    use axum::body::{Body, Bytes};
    use axum::extract::{Query, Request};
    use axum::http::StatusCode;
    use axum::middleware::{Next, from_fn};
    use axum::response::{IntoResponse as _, Response};
    use axum::{Json, Router, routing};
    use limn_domain::dataset::VersionCounts;
    use limn_domain::{DatasetId, Digest, Timestamp, VersionId};
    use std::collections::{BTreeMap, HashMap, HashSet};
    use std::sync::Mutex;

    const FILES: i64 = 100;

    fn name(n: i64) -> String {
        format!("p{}/{n:03}.txt", n / 50)
    }

    pub(super) fn entry(path: &str, bytes: &[u8]) -> Entry {
        Entry {
            path: path.to_owned(),
            size: bytes.len() as i64,
            digest: Digest::parse(&blake3::hash(bytes).to_hex()).unwrap(),
            media_type: "text/plain".to_owned(),
            width: 0,
            height: 0,
            length: 0,
            split: Split::None,
            categories: BTreeMap::new(),
            labels_digest: None,
            annotations: Vec::new(),
            about: limn_domain::Attributes::default(),
        }
    }

    fn version() -> Version {
        Version {
            id: VersionId::new(),
            dataset_id: DatasetId::new(),
            number: 1,
            digest: Digest::parse(&"0".repeat(64)).unwrap(),
            note: String::new(),
            files: FILES,
            bytes: 10 * FILES,
            task: None,
            counts: VersionCounts::default(),
            aliases: Vec::new(),
            created_by_name: None,
            created_at: Timestamp(0),
        }
    }

    async fn entries() -> Json<Page<Entry>> {
        let rows = (0..FILES).map(|n| entry(&name(n), name(n).as_bytes())).collect();
        Json(Page {
            rows,
            ..Page::default()
        })
    }

    /// The archive's first file, and half of the head of the second one.
    async fn broken() -> Response {
        let (one, two) = (name(0), name(1));
        let zip = whole::tests::zip(&[(one.as_str(), one.as_bytes()), (two.as_str(), two.as_bytes())]);
        let pieces = [
            Ok(Bytes::copy_from_slice(&zip[..90])),
            Err(std::io::Error::other("a file is not what it was")),
        ];
        // Else the end of the connection overtakes what was sent.
        let pieces = futures::stream::iter(pieces).then(|piece| async move {
            tokio::time::sleep(std::time::Duration::from_millis(30)).await;
            piece
        });
        Body::from_stream(pieces).into_response()
    }

    /// What is in a file is its path; the last one is not what it was when `gone`.
    fn sent(gone: bool, Query(query): Query<HashMap<String, String>>) -> Response {
        let path = query["path"].clone();
        if gone && path == name(FILES - 1) {
            let refused = limn_domain::ApiError::new(limn_domain::Code::Conflict, "It has changed.");
            return (StatusCode::CONFLICT, Json(refused)).into_response();
        }
        path.into_response()
    }

    fn router(gone: bool) -> Router {
        Router::new()
            .route("/api/v1/versions/{id}/zip", routing::get(broken))
            .route("/api/v1/versions/{id}/entries", routing::get(entries))
            .route(
                "/api/v1/versions/{id}/file",
                routing::get(move |query: Query<HashMap<String, String>>| async move { sent(gone, query) }),
            )
    }

    async fn downloaded(router: Router, out: &Path) -> Result<()> {
        let client = Client::new(&serve(router).await).unwrap();
        download(&client, &version(), None, out).await
    }

    /// Refuses the archive and a file, each once.
    async fn busy(refused: Arc<Mutex<HashSet<String>>>, request: Request, next: Next) -> Response {
        let path = request.uri().to_string();
        let late = path.contains("/zip") || path.contains("003.txt");
        if late && refused.lock().unwrap().insert(path) {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        next.run(request).await
    }

    #[tokio::test]
    async fn a_server_that_is_busy_is_asked_again() {
        let out = tempfile::tempdir().unwrap();
        let refused = Arc::new(Mutex::new(HashSet::new()));
        let seen = Arc::clone(&refused);
        let router = router(false).layer(from_fn(move |request: Request, next: Next| {
            busy(Arc::clone(&refused), request, next)
        }));
        downloaded(router, out.path()).await.unwrap();
        assert_eq!(seen.lock().unwrap().len(), 2, "the archive, and a file");
        assert_eq!(
            std::fs::read_to_string(out.path().join(name(3))).unwrap(),
            name(3)
        );
    }

    #[tokio::test]
    async fn what_an_archive_that_broke_off_did_not_bring_comes_file_by_file() {
        let out = tempfile::tempdir().unwrap();
        downloaded(router(false), out.path()).await.unwrap();
        for n in 0..FILES {
            let file = std::fs::read_to_string(out.path().join(name(n))).unwrap();
            assert_eq!(file, name(n));
        }
        let folders = ["p0", "p1"].map(|f| std::fs::read_dir(out.path().join(f)).unwrap().count());
        assert_eq!(folders, [50, 50], "and nothing else");
    }

    #[tokio::test]
    async fn a_file_that_broke_the_archive_says_why() {
        let out = tempfile::tempdir().unwrap();
        let error = downloaded(router(true), out.path()).await.unwrap_err();
        assert_eq!(error.to_string(), "It has changed.");
    }

    #[test]
    fn a_file_under_way_has_the_name_of_no_other_and_fits_a_disk() {
        let of = |name: &str| partial_of(&Path::new("out").join(name));
        assert_ne!(of("a"), Path::new("out/a.part"));
        assert_ne!(of("a"), of("a.part"));
        assert_eq!(of("a").parent(), Some(Path::new("out")));
        let long = of(&"x".repeat(255));
        assert!(long.file_name().unwrap().len() <= 255, "{}", long.display());
    }
}
