//! A folder of this machine, below one that the server's configuration names. Also for mounted shares.

use crate::files::{Entry, Files, Listing, PAGE, Reading};
use crate::{ConnectError, Reach, Result};
use bytes::Bytes;
use futures::StreamExt as _;
use std::fs::Metadata;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

/// A share that is gone blocks whoever touches it; so long is waited.
const PATIENCE: Duration = Duration::from_secs(20);
/// Most entries of one folder: they are sorted, so that pages hold still.
const ENTRIES_MAX: usize = 2_000_000;
/// Bytes of one piece; a file of at most so many is read with the opening.
const PIECE: usize = 256 << 10;

pub struct Folder {
    root: PathBuf,
}

/// A path of the server that a datastore names: absolute, there, and below an allowed folder once links are followed.
pub async fn allowed(path: &str, reach: &Reach) -> Result<PathBuf> {
    let asked = PathBuf::from(path);
    if !asked.is_absolute() {
        return Err(ConnectError::Setting(
            "path",
            "Write the whole path, from `/` on.".to_owned(),
        ));
    }
    if reach.folders.is_empty() {
        return Err(ConnectError::Setting(
            "path",
            "No folder of this server is open to datastores. An admin of the server names some in `datastores.folders`."
                .to_owned(),
        ));
    }
    let roots = reach.folders.clone();
    blocking(&asked.clone(), move || {
        let real = std::fs::canonicalize(&asked).map_err(|e| io(&asked, &e))?;
        let inside = roots
            .iter()
            .any(|r| std::fs::canonicalize(r).is_ok_and(|r| real.starts_with(r)));
        if inside {
            Ok(real)
        } else {
            let all: Vec<String> = roots.iter().map(|r| format!("`{}`", r.display())).collect();
            Err(ConnectError::Setting(
                "path",
                format!("`{}` is not below {}.", asked.display(), all.join(" or ")),
            ))
        }
    })
    .await
}

/// Runs what touches the disk, and gives up on a disk that hangs.
pub async fn blocking<T: Send + 'static>(
    what: &Path,
    f: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(f)).await {
        Ok(Ok(done)) => done,
        Ok(Err(_)) => Err(ConnectError::Wrong(format!(
            "Reading `{}` failed inside.",
            what.display()
        ))),
        Err(_) => Err(ConnectError::Unreachable(format!(
            "`{}` does not answer; if it is a mounted share, see whether its server is there.",
            what.display()
        ))),
    }
}

fn io(path: &Path, e: &std::io::Error) -> ConnectError {
    let shown = path.display();
    match e.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            ConnectError::NotFound(format!("There is no `{shown}`."))
        }
        ErrorKind::PermissionDenied => ConnectError::Forbidden(format!(
            "The server's account may not read `{shown}`; change its permissions."
        )),
        _ => ConnectError::Unreachable(format!("`{shown}` cannot be read: {e}.")),
    }
}

fn entry(path: String, meta: &Metadata) -> Entry {
    if meta.is_dir() {
        return Entry::folder(path);
    }
    let modified = meta
        .modified()
        .ok()
        .and_then(|t| t.duration_since(UNIX_EPOCH).ok())
        .unwrap_or_default();
    Entry {
        path,
        is_folder: false,
        size: Some(meta.len()),
        modified: i64::try_from(modified.as_secs()).ok(),
        tag: format!("{}-{}", modified.as_nanos(), meta.len()),
    }
}

/// What the path says of what was opened, if it still means that inside the folder: somebody who writes there could have put a link in
/// its place between the look and the opening.
#[cfg(unix)]
fn still_inside(root: &Path, path: &str, opened: &Metadata) -> Result<Metadata> {
    use std::os::unix::fs::MetadataExt as _;
    let real = Folder::inside(root, path)?;
    let now = std::fs::metadata(&real).map_err(|e| io(Path::new(path), &e))?;
    if (now.dev(), now.ino()) == (opened.dev(), opened.ino()) {
        return Ok(now);
    }
    Err(ConnectError::Changed(format!(
        "`{path}` changed while it was opened."
    )))
}

#[cfg(not(unix))]
fn still_inside(root: &Path, path: &str, _opened: &Metadata) -> Result<Metadata> {
    let real = Folder::inside(root, path)?;
    std::fs::metadata(&real).map_err(|e| io(Path::new(path), &e))
}

/// What was read of a file when it was opened, and what is left of it.
struct Begun {
    entry: Entry,
    head: Vec<u8>,
    /// `None` when the head is all of it.
    rest: Option<std::fs::File>,
    after: Option<Entry>,
}

/// Opens a file; a small one is read here and now. Blocking.
fn begin(root: &Path, path: String, from: u64) -> Result<Begun> {
    let real = Folder::inside(root, &path)?;
    let failed = |e: std::io::Error| io(Path::new(&path), &e);
    let before = std::fs::metadata(&real).map_err(failed)?;
    // A pipe or a device would keep whoever opens it.
    if !before.is_file() {
        return Err(ConnectError::NotFound(format!("`{path}` is no file.")));
    }
    let file = std::fs::File::open(&real).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    let mut head = Vec::new();
    let mut is_whole = false;
    if from == 0 && meta.len() <= PIECE as u64 {
        head.reserve(meta.len() as usize + 1);
        let most = PIECE as u64 + 1;
        (&file).take(most).read_to_end(&mut head).map_err(failed)?;
        // One that grows meanwhile has more.
        is_whole = head.len() <= PIECE;
    }
    // Nothing that was read is given to anybody before this.
    let now = still_inside(root, &path, &meta)?;
    Ok(Begun {
        after: is_whole.then(|| entry(path.clone(), &now)),
        rest: (!is_whole).then_some(file),
        entry: entry(path, &meta),
        head,
    })
}

impl Folder {
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The real path of something inside; a link that leads out is refused.
    fn inside(root: &Path, path: &str) -> Result<PathBuf> {
        if !path.is_empty() && !crate::files::is_plain(path) {
            return Err(ConnectError::NotFound(format!(
                "`{path}` is no path of this folder."
            )));
        }
        let real = std::fs::canonicalize(root.join(path)).map_err(|e| io(Path::new(path), &e))?;
        if real.starts_with(root) {
            Ok(real)
        } else {
            Err(ConnectError::Forbidden(format!(
                "`{path}` is a link that leads out of the folder; it is not followed."
            )))
        }
    }
}

/// What an entry of a folder is, `real` being where the folder lies; `None` for links that lead out, and to folders, and for what is gone.
fn looked_at(root: &Path, real: &Path, path: &str) -> Option<Metadata> {
    if !crate::files::is_plain(path) {
        return None;
    }
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    let own = std::fs::symlink_metadata(real.join(name)).ok()?;
    if !own.is_symlink() {
        return Some(own);
    }
    // Where links lead has to be looked up step by step.
    let led = std::fs::metadata(Folder::inside(root, path).ok()?).ok()?;
    // A folder that is linked could hold itself.
    (!led.is_dir()).then_some(led)
}

#[async_trait::async_trait]
impl Files for Folder {
    async fn list(&self, folder: &str, page: Option<&str>) -> Result<Listing> {
        let (root, folder, after) = (self.root.clone(), folder.to_owned(), page.map(str::to_owned));
        blocking(&self.root.join(&folder), move || {
            let real = Self::inside(&root, &folder)?;
            let mut names = Vec::new();
            for found in std::fs::read_dir(&real).map_err(|e| io(Path::new(&folder), &e))? {
                let found = found.map_err(|e| io(Path::new(&folder), &e))?;
                // A name that is no Unicode cannot be asked for by one.
                let Ok(name) = found.file_name().into_string() else {
                    continue;
                };
                if after.as_ref().is_none_or(|a| name > *a) {
                    names.push(name);
                }
                if names.len() > ENTRIES_MAX {
                    return Err(ConnectError::TooMuch(format!(
                        "`{folder}` holds more than {ENTRIES_MAX} entries; put them into folders."
                    )));
                }
            }
            names.sort_unstable();
            let more = names.len() > PAGE;
            names.truncate(PAGE);
            let next = more.then(|| names.last().cloned()).flatten();
            let mut entries = Vec::with_capacity(names.len());
            for name in names {
                let path = if folder.is_empty() {
                    name
                } else {
                    format!("{folder}/{name}")
                };
                // Links that lead out, and what went in between, are not there.
                let Some(meta) = looked_at(&root, &real, &path) else {
                    continue;
                };
                if meta.is_dir() || meta.is_file() {
                    entries.push(entry(path, &meta));
                }
            }
            // All of it was looked at by way of the folder as it was resolved at first.
            if Self::inside(&root, &folder)? != real {
                return Err(ConnectError::Changed(format!(
                    "`{folder}` changed while it was listed."
                )));
            }
            Ok(Listing { entries, next })
        })
        .await
    }

    async fn stat(&self, path: &str) -> Result<Entry> {
        let (root, own) = (self.root.clone(), path.to_owned());
        blocking(&self.root.join(path), move || {
            let real = Self::inside(&root, &own)?;
            let meta = std::fs::metadata(&real).map_err(|e| io(Path::new(&own), &e))?;
            Ok(entry(own, &meta))
        })
        .await
    }

    async fn read(&self, path: &str, from: u64) -> Result<Reading> {
        let (root, own) = (self.root.clone(), path.to_owned());
        let begun = blocking(&self.root.join(path), move || begin(&root, own, from)).await?;
        let head = (!begun.head.is_empty()).then(|| Ok(Bytes::from(begun.head)));
        let head = futures::stream::iter(head);
        let Some(file) = begun.rest else {
            return Ok(Reading {
                entry: begun.entry,
                after: begun.after,
                body: head.boxed(),
            });
        };
        let mut file = tokio::fs::File::from_std(file);
        if from > 0 {
            file.seek(std::io::SeekFrom::Start(from))
                .await
                .map_err(|e| io(Path::new(path), &e))?;
        }
        let path = PathBuf::from(path);
        let body = futures::stream::try_unfold((file, path), |(mut file, path)| async move {
            let mut buffer = vec![0; PIECE];
            let read = tokio::time::timeout(PATIENCE, file.read(&mut buffer)).await;
            let n = match read {
                Ok(n) => n.map_err(|e| io(&path, &e))?,
                Err(_) => {
                    return Err(ConnectError::Unreachable(format!(
                        "`{}` stopped answering.",
                        path.display()
                    )));
                }
            };
            buffer.truncate(n);
            Ok((n > 0).then(|| (Bytes::from(buffer), (file, path))))
        });
        Ok(Reading {
            entry: begun.entry,
            after: None,
            body: head.chain(body).boxed(),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::Walk;

    async fn all(store: &dyn Files) -> Vec<String> {
        let mut walk = Walk::new(store, "");
        let mut out = Vec::new();
        while let Some(files) = walk.next().await.unwrap() {
            out.extend(files.into_iter().map(|f| f.path));
        }
        out.sort();
        out
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn links_do_not_lead_out() {
        let dir = tempfile::tempdir().unwrap();
        let (inside, outside) = (dir.path().join("in"), dir.path().join("out"));
        std::fs::create_dir_all(inside.join("a")).unwrap();
        std::fs::create_dir_all(&outside).unwrap();
        std::fs::write(inside.join("a/x.png"), "x").unwrap();
        std::fs::write(outside.join("secret"), "s").unwrap();
        std::os::unix::fs::symlink(&outside, inside.join("away")).unwrap();
        std::os::unix::fs::symlink(outside.join("secret"), inside.join("file")).unwrap();
        std::os::unix::fs::symlink(inside.join("a"), inside.join("again")).unwrap();
        std::os::unix::fs::symlink(inside.join("a/x.png"), inside.join("y.png")).unwrap();
        let reach = Reach {
            folders: vec![inside.clone()],
            ..Reach::default()
        };
        let store = Folder::new(allowed(inside.to_str().unwrap(), &reach).await.unwrap());
        assert_eq!(all(&store).await, ["a/x.png", "y.png"]);
        for bad in [
            "file",
            "away/secret",
            "../out/secret",
            "a/../../out/secret",
            "/etc/passwd",
        ] {
            assert!(store.read(bad, 0).await.is_err(), "{bad}");
        }
        let Err(e) = allowed(inside.join("away").to_str().unwrap(), &reach).await else {
            panic!("let out")
        };
        assert!(matches!(e, ConnectError::Setting("path", _)), "{e}");
        assert!(allowed("in", &reach).await.is_err());
        assert!(
            allowed(inside.to_str().unwrap(), &Reach::default())
                .await
                .is_err()
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_was_opened_is_what_lies_inside() {
        let dir = tempfile::tempdir().unwrap();
        let root = std::fs::canonicalize(dir.path()).unwrap().join("in");
        std::fs::create_dir_all(&root).unwrap();
        let secret = root.with_file_name("secret");
        std::fs::write(&secret, "s").unwrap();
        std::fs::write(root.join("a"), "a").unwrap();
        let meta = |path: &Path| std::fs::File::open(path).unwrap().metadata().unwrap();
        assert!(still_inside(&root, "a", &meta(&root.join("a"))).is_ok());
        // Put in its place, opened, and put back.
        let e = still_inside(&root, "a", &meta(&secret)).unwrap_err();
        assert!(matches!(e, ConnectError::Changed(_)), "{e}");
        // And still there.
        std::fs::remove_file(root.join("a")).unwrap();
        std::os::unix::fs::symlink(&secret, root.join("a")).unwrap();
        let e = still_inside(&root, "a", &meta(&secret)).unwrap_err();
        assert!(matches!(e, ConnectError::Forbidden(_)), "{e}");
    }

    #[tokio::test]
    async fn pages_and_ranges() {
        let dir = tempfile::tempdir().unwrap();
        for n in 0..PAGE + 7 {
            std::fs::write(dir.path().join(format!("{n:05}.txt")), format!("file {n}")).unwrap();
        }
        let store = Folder::new(std::fs::canonicalize(dir.path()).unwrap());
        let first = store.list("", None).await.unwrap();
        assert_eq!(first.entries.len(), PAGE);
        let rest = store.list("", first.next.as_deref()).await.unwrap();
        assert_eq!((rest.entries.len(), rest.next), (7, None));
        assert_eq!(all(&store).await.len(), PAGE + 7);
        let mut body = store.read("00003.txt", 5).await.unwrap().body;
        assert_eq!(body.next().await.unwrap().unwrap(), "3");
        assert!(body.next().await.is_none());
        assert!(matches!(store.stat("no").await, Err(ConnectError::NotFound(_))));
    }

    #[tokio::test]
    async fn small_files_come_at_once_and_large_ones_in_pieces() {
        let dir = tempfile::tempdir().unwrap();
        let store = Folder::new(std::fs::canonicalize(dir.path()).unwrap());
        for len in [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 3] {
            let bytes: Vec<u8> = (0..len).map(|n| (n % 251) as u8).collect();
            std::fs::write(dir.path().join("a.bin"), &bytes).unwrap();
            for from in [0, len / 2, len] {
                let reading = store.read("a.bin", from as u64).await.unwrap();
                assert_eq!(reading.entry.size, Some(len as u64));
                let is_small = from == 0 && len <= PIECE;
                assert_eq!(reading.after.is_some(), is_small, "{len} from {from}");
                if let Some(after) = &reading.after {
                    assert_eq!(*after, store.stat("a.bin").await.unwrap());
                }
                let pieces: Vec<Bytes> = reading.body.map(|p| p.unwrap()).collect().await;
                assert!(pieces.iter().all(|p| !p.is_empty()));
                assert!(pieces.concat() == bytes[from..], "{len} from {from}");
            }
        }
    }
}
