//! Many small files, out of one archive that is unpacked while it comes: a request for each would take longer than its bytes.

use super::{brought, file_at, page, partial_of, progress, wrong};
use crate::cli::api::{Client, retry};
use crate::cli::watch::Line;
use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use limn_domain::dataset::{Entry, Split, Version};
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::sync::mpsc;

/// From so many files on, of so many bytes at most on average.
const MANY: i64 = 100;
const SMALL: i64 = 256 << 10;
/// Pieces of the archive, and files, that wait for whoever unpacks.
const PIECES: usize = 16;
const AHEAD: usize = 1_000;

/// The archive ended before its end.
#[derive(Debug)]
pub(super) struct Broke;

impl std::fmt::Display for Broke {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the download broke; run the command again")
    }
}

/// Whether it pays: nothing of it is there yet.
pub(super) fn pays(version: &Version, out: &Path) -> bool {
    let is_empty = std::fs::read_dir(out).map_or(true, |mut list| list.next().is_none());
    is_empty && version.files >= MANY && version.bytes / version.files.max(1) <= SMALL
}

/// Fetches all files, and counts those that are there. Errors: [`Broke`] when the archive comes to no end, and others.
pub(super) async fn fetch(
    client: &Client,
    version: &Version,
    split: Option<Split>,
    out: &Path,
    (line, unpacked): (&Arc<Line>, &Arc<AtomicI64>),
) -> Result<()> {
    let of = split.map_or_else(String::new, |s| format!("?split={}", s.as_str()));
    let url = format!("/api/v1/versions/{}/zip{of}", version.id);
    let mut response = retry(async || client.send(client.request(reqwest::Method::GET, &url)?).await).await?;
    let (pieces, coming) = mpsc::channel::<Bytes>(PIECES);
    let (list, entries) = mpsc::channel::<Entry>(AHEAD);
    let (out, line, files) = (out.to_owned(), Arc::clone(line), version.files);
    let count = Arc::clone(unpacked);
    let unpacked = tokio::task::spawn_blocking(move || {
        let stream = Stream {
            coming,
            held: Bytes::new(),
        };
        unpack(stream, entries, &out, || {
            let done = count.fetch_add(1, Ordering::Relaxed) + 1;
            progress(&line, done, files);
        })
    });
    let bytes = async move {
        while let Some(piece) = response.chunk().await.context(Broke)? {
            // Behind the last file nobody listens: there is only the archive's own list.
            if pieces.send(piece).await.is_err() {
                break;
            }
        }
        Ok::<(), anyhow::Error>(())
    };
    let names = async move {
        let mut cursor = None::<String>;
        loop {
            let page = page(client, version, split, cursor.as_deref()).await?;
            for entry in page.rows {
                if list.send(entry).await.is_err() {
                    return Ok(());
                }
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok::<(), anyhow::Error>(());
            }
        }
    };
    let (came, named, unpacked) = tokio::join!(bytes, names, unpacked);
    // Without its bytes or its list nothing is unpacked: what went wrong first is told.
    came.and(named)?;
    unpacked?
}

/// The bytes as they come.
struct Stream {
    coming: mpsc::Receiver<Bytes>,
    held: Bytes,
}

impl Read for Stream {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        while self.held.is_empty() {
            match self.coming.blocking_recv() {
                Some(piece) => self.held = piece,
                None => return Ok(0),
            }
        }
        let n = to.len().min(self.held.len());
        to[..n].copy_from_slice(&self.held.split_to(n));
        Ok(n)
    }
}

/// Writes the files in their order, each checked against its digest before it gets its name. Blocking.
fn unpack(
    mut from: impl Read,
    mut entries: mpsc::Receiver<Entry>,
    out: &Path,
    mut told: impl FnMut(),
) -> Result<()> {
    let mut folder = PathBuf::new();
    while let Some(entry) = entries.blocking_recv() {
        let target = file_at(out, &entry.path)?;
        if let Some(parent) = target.parent().filter(|p| *p != folder) {
            std::fs::create_dir_all(parent)
                .with_context(|| format!("cannot make the folder {}", parent.display()))?;
            parent.clone_into(&mut folder);
        }
        let mut behind = vec![0; before(&mut from, &entry.path)?];
        let partial = partial_of(&target);
        let written = write(&mut from, &partial, entry.size).and_then(|digest| {
            from.read_exact(&mut behind).context(Broke)?;
            if digest == entry.digest.as_str() {
                brought(&partial, &target)
            } else {
                Err(wrong(&entry.path))
            }
        });
        if let Err(e) = written {
            drop(std::fs::remove_file(&partial));
            return Err(e);
        }
        told();
    }
    Ok(())
}

/// Reads what goes before a file (APPNOTE.TXT 6.3.10, section 4.3.7); answers how many bytes stand behind it.
fn before(from: &mut impl Read, path: &str) -> Result<usize> {
    let mut head = [0; 30];
    from.read_exact(&mut head).context(Broke)?;
    let number = |at: usize| usize::from(u16::from_le_bytes([head[at], head[at + 1]]));
    let mut name = vec![0; number(26)];
    let mut extra = vec![0; number(28)];
    from.read_exact(&mut name).context(Broke)?;
    from.read_exact(&mut extra).context(Broke)?;
    ensure!(
        head[..4] == *b"PK\x03\x04" && number(8) == 0 && name == path.as_bytes(),
        "the archive is not that of the version's files; run the command again"
    );
    // Checksum and sizes, in eight bytes each where there is room for that.
    Ok(if extra.is_empty() { 16 } else { 24 })
}

/// Answers the digest of what was written.
fn write(from: &mut impl Read, to: &Path, size: i64) -> Result<String> {
    let cannot = || format!("cannot write {}", to.display());
    let mut file = std::fs::File::create(to).with_context(cannot)?;
    let mut hasher = blake3::Hasher::new();
    let mut left = usize::try_from(size).context("a file of no size")?;
    let mut held = vec![0; left.clamp(1, 1 << 16)];
    while left > 0 {
        let n = left.min(held.len());
        from.read_exact(&mut held[..n]).context(Broke)?;
        hasher.update(&held[..n]);
        file.write_all(&held[..n]).with_context(cannot)?;
        left -= n;
    }
    Ok(hasher.finalize().to_hex().to_string())
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::tests::entry;
    use super::*;

    /// As the server makes it.
    pub fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new_stream(Vec::new());
        for (name, content) in files {
            let options = zip::write::SimpleFileOptions::default()
                .large_file(content.is_empty())
                .compression_method(zip::CompressionMethod::Stored);
            zip.start_file(*name, options).unwrap();
            zip.write_all(content).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    /// What came of unpacking an archive as these files, and what lies there then.
    fn unpacked(zip: &[u8], files: &[Entry]) -> (Result<()>, Vec<String>) {
        let out = tempfile::tempdir().unwrap();
        let (list, entries) = mpsc::channel(files.len().max(1));
        for file in files {
            list.try_send(file.clone()).unwrap();
        }
        drop(list);
        let end = unpack(zip, entries, &out.path().join("in"), || {});
        let mut found = Vec::new();
        let mut folders = vec![out.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for path in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let below = path.strip_prefix(out.path()).unwrap();
                    found.push(below.to_str().unwrap().to_owned());
                }
            }
        }
        found.sort();
        (end, found)
    }

    #[test]
    fn files_of_an_archive_are_those_of_the_list_or_none() {
        let files = [
            ("a", &b"one"[..]),
            ("a.part", &b"another"[..]),
            ("ü/empty", &b""[..]),
        ];
        let archive = zip(&files);
        let listed = files.map(|(name, content)| entry(name, content));
        let (end, found) = unpacked(&archive, &listed);
        end.unwrap();
        assert_eq!(found, ["in/a", "in/a.part", "in/ü/empty"]);

        // Cut off anywhere before the end of the last file, it is said to be cut off; what is there is whole.
        for len in [0, 29, 31, 33, 49, 60] {
            let (end, found) = unpacked(&archive[..len], &listed);
            assert!(end.unwrap_err().is::<Broke>(), "{len}");
            assert_eq!(found.len(), usize::from(len >= 50), "{len}: {found:?}");
        }
        // Other bytes, other names, and names that lead out of the folder.
        let other = [entry("a", b"two"), entry("a.part", b"another")];
        let (end, found) = unpacked(&archive, &other);
        assert!(end.unwrap_err().to_string().contains("`a` did not arrive"));
        assert!(found.is_empty(), "{found:?}");
        let (end, found) = unpacked(&archive, &listed[1..]);
        assert!(end.unwrap_err().to_string().contains("not that of"));
        assert!(found.is_empty(), "{found:?}");
        for name in ["../a", "/a", "b/../../a"] {
            let (end, found) = unpacked(&zip(&[(name, &b"one"[..])]), &[entry(name, b"one")]);
            assert!(end.unwrap_err().to_string().contains("not a plain relative path"));
            assert!(found.is_empty(), "{found:?}");
        }
    }
}
