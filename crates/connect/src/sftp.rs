//! SFTP: lists, looks and reads over SSH. Nothing that could change a file is ever asked for.
//!
//! A connection is kept for as long as the store is open and made anew when it breaks. Links are followed to files in the
//! folder, as in a folder of this machine.

mod key;
mod link;
mod login;

pub use key::{fingerprint, private_key};
pub use link::Place;

use crate::files::{Entry, Files, Listing, PAGE, Reading, is_plain, summary};
use crate::{ConnectError, Result};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use link::Link;
use russh_sftp::client::error::Error as SftpError;
use russh_sftp::protocol::{File, FileAttributes, FileType, Name, OpenFlags, StatusCode};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Mutex;

/// Attempts at a question that fails for a passing reason.
const ATTEMPTS: u32 = 4;
/// The first wait between two of them; the next ones are twice as long each.
const WAIT: Duration = Duration::from_millis(250);
/// Bytes of a question; every server sends so many at once.
const CHUNK: u64 = 32 << 10;
/// Questions under way for one file, so that distance costs little.
const AHEAD: usize = 16;
/// Questions under way for one folder.
const LISTS: usize = 4;
/// Most entries of one folder: they are sorted, so that pages hold still.
const ENTRIES_MAX: usize = 200_000;
/// Most bytes of their names, and of the lines that servers write for people.
const NAMES_MAX: usize = 128 << 20;

/// A folder of an SFTP server.
pub struct Sftp {
    place: Place,
    /// The fingerprint that is trusted, and how it was given.
    trusted: Option<String>,
    given: String,
    /// That of the first connection, where none was given.
    seen: OnceLock<String>,
    link: Mutex<Option<Arc<Link>>>,
    /// The folder that is listed, for its next pages.
    listed: Mutex<Option<(String, Vec<Entry>)>>,
}

/// A host as it is typed, checked.
pub fn host(text: &str) -> Result<String> {
    if text.contains(['/', '@', ' ']) || text.matches(':').count() == 1 {
        return Err(ConnectError::Setting(
            "host",
            format!(
                "`{text}` is no host; give its name alone, such as sftp.example.org, and port, user and folder in their own fields."
            ),
        ));
    }
    Ok(text.to_owned())
}

impl Sftp {
    /// `host_key` is the fingerprint to trust, or a text it is in; that of the first connection when empty.
    pub fn new(place: Place, host_key: &str) -> Result<Self> {
        if place.key.is_none() && place.password.is_empty() {
            return Err(ConnectError::Setting(
                "password",
                "Give a password or a private key.".to_owned(),
            ));
        }
        let trusted = if host_key.is_empty() {
            None
        } else {
            Some(fingerprint(host_key)?)
        };
        Ok(Self {
            place,
            trusted,
            given: host_key.to_owned(),
            seen: OnceLock::new(),
            link: Mutex::new(None),
            listed: Mutex::new(None),
        })
    }

    async fn link(&self) -> Result<Arc<Link>> {
        let mut kept = self.link.lock().await;
        if let Some(link) = kept.as_ref().filter(|l| l.is_alive()) {
            return Ok(Arc::clone(link));
        }
        let trusted = self.trusted.as_ref().or_else(|| self.seen.get());
        let link = Arc::new(self.place.connect(trusted.map(String::as_str)).await?);
        self.seen.get_or_init(|| link.print.clone());
        *kept = Some(Arc::clone(&link));
        Ok(link)
    }

    /// Asks until there is an answer; over a new connection where the old one broke.
    async fn ask<T, F>(&self, work: impl Fn(Arc<Link>) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let (mut wait, mut attempt) = (WAIT, 1);
        loop {
            let done = match self.link().await {
                Ok(link) => work(Arc::clone(&link)).await.inspect_err(|e| {
                    if e.is_passing() {
                        link.give_up();
                    }
                }),
                Err(e) => Err(e),
            };
            match done {
                Err(e) if e.is_passing() && attempt < ATTEMPTS => {}
                other => return other,
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
            attempt += 1;
        }
    }
}

impl Link {
    /// Refuses what a link has led out of the folder.
    fn inside(&self, path: &str, real: &str) -> Result<()> {
        if self.holds(real) {
            return Ok(());
        }
        Err(ConnectError::Forbidden(format!(
            "`{path}` is a link that leads out of the folder; it is not followed."
        )))
    }

    async fn stat(&self, path: &str) -> Result<Entry> {
        if !path.is_empty() && !is_plain(path) {
            return Err(ConnectError::NotFound(format!(
                "`{path}` is no path of this folder."
            )));
        }
        let whole = self.whole(path);
        let (attrs, real) = futures::join!(self.sftp.stat(whole.as_str()), self.real(&whole));
        let attrs = attrs.map_err(|e| self.failed(&whole, e))?.attrs;
        self.inside(path, &real.map_err(|e| self.failed(&whole, e))?)?;
        match kind(&attrs, "") {
            FileType::Dir => Ok(Entry::folder(path)),
            FileType::File => Ok(entry(path.to_owned(), &attrs)),
            // A pipe or a device would keep whoever opens it.
            _ => Err(ConnectError::NotFound(format!("`{whole}` is no file."))),
        }
    }

    /// All that is in a folder, in the order of paths.
    async fn list(&self, folder: &str) -> Result<Vec<Entry>> {
        if !self.stat(folder).await?.is_folder {
            return Err(ConnectError::NotFound(format!(
                "`{folder}` is a file and no folder."
            )));
        }
        let whole = self.whole(folder);
        let handle = self
            .sftp
            .opendir(whole.as_str())
            .await
            .map_err(|e| self.failed(&whole, e))?
            .handle;
        let found = self.names(&whole, &handle).await;
        if let Err(e) = self.sftp.close(handle).await {
            tracing::debug!(error = %e, "a folder stays open at the other side");
        }
        let found: Vec<File> = found?;
        let entries: Vec<Option<Entry>> = futures::stream::iter(found)
            .map(|file| self.listed(folder, file))
            .buffered(AHEAD)
            .try_collect()
            .await?;
        let mut entries: Vec<Entry> = entries.into_iter().flatten().collect();
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    async fn names(&self, whole: &str, handle: &str) -> Result<Vec<File>> {
        all_names(whole, || self.sftp.readdir(handle), |e| self.failed(whole, e)).await
    }

    /// What a list says of a file; `None` for what is none.
    async fn listed(&self, folder: &str, file: File) -> Result<Option<Entry>> {
        let name = file.filename;
        // A name that is no Unicode comes with this character in its place, and cannot be asked for.
        if !is_plain(&name) || name.contains(['/', '\u{fffd}']) {
            return Ok(None);
        }
        let path = if folder.is_empty() {
            name
        } else {
            format!("{folder}/{name}")
        };
        Ok(match kind(&file.attrs, &file.longname) {
            FileType::Dir => Some(Entry::folder(path)),
            FileType::File => Some(entry(path, &file.attrs)),
            FileType::Symlink => match self.stat(&path).await {
                // A folder that is linked could hold itself.
                Ok(entry) => Some(entry).filter(|e| !e.is_folder),
                Err(e) if e.is_passing() => return Err(e),
                // Links that lead out, or nowhere, are not there.
                Err(_) => None,
            },
            FileType::Other => None,
        })
    }

    /// Bytes of an open file, as many as asked for unless it ends before.
    async fn part(&self, open: &Open, at: u64, size: u64) -> Result<Bytes> {
        let mut part = Vec::with_capacity(size as usize);
        while (part.len() as u64) < size {
            let done = part.len() as u64;
            match self
                .sftp
                .read(open.handle.as_str(), at + done, (size - done) as u32)
                .await
            {
                Ok(data) if data.data.is_empty() => break,
                // A server may say more than it was asked for.
                Ok(data) => part.extend_from_slice(&data.data[..data.data.len().min((size - done) as usize)]),
                Err(SftpError::Status(s)) if s.status_code == StatusCode::Eof => break,
                Err(e) => {
                    let e = self.failed(&open.path, e);
                    if e.is_passing() {
                        self.give_up();
                    }
                    return Err(e);
                }
            }
        }
        if (part.len() as u64) < size {
            return Err(ConnectError::Changed(format!(
                "`{}` became shorter while it was read.",
                open.path
            )));
        }
        Ok(Bytes::from(part))
    }
}

/// Asks for the entries of an open folder until its end.
async fn all_names<F>(
    whole: &str,
    ask: impl Fn() -> F,
    failed: impl Fn(SftpError) -> ConnectError,
) -> Result<Vec<File>>
where
    F: Future<Output = Result<Name, SftpError>>,
{
    let (mut found, mut bytes, mut more) = (Vec::new(), 0, true);
    while more {
        let before = found.len();
        for answer in futures::future::join_all((0..LISTS).map(|_| ask())).await {
            match answer {
                Ok(name) => {
                    for file in name.files {
                        bytes += file.filename.len() + file.longname.len();
                        found.push(file);
                    }
                }
                Err(SftpError::Status(s)) if s.status_code == StatusCode::Eof => more = false,
                // Asked for after the end.
                Err(SftpError::Status(_)) if !more => {}
                Err(e) => return Err(failed(e)),
            }
        }
        if found.len() > ENTRIES_MAX || bytes > NAMES_MAX {
            return Err(ConnectError::TooMuch(format!(
                "`{whole}` holds more than {ENTRIES_MAX} entries; put them into folders."
            )));
        }
        // A server that says neither names nor that it is done would be asked for ever.
        if more && found.len() == before {
            return Err(ConnectError::Wrong(format!(
                "The list of `{whole}` does not end; the server there does not speak SFTP as it should."
            )));
        }
    }
    Ok(found)
}

/// A file that is open at the other side until this is dropped.
struct Open {
    link: Arc<Link>,
    handle: String,
    path: String,
}

impl Drop for Open {
    fn drop(&mut self) {
        let (link, handle) = (Arc::clone(&self.link), std::mem::take(&mut self.handle));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { link.sftp.close(handle).await });
        }
    }
}

/// What a thing is; by the line that servers write for people where they give no permissions.
fn kind(attrs: &FileAttributes, line: &str) -> FileType {
    if attrs.permissions.is_some() {
        return attrs.file_type();
    }
    match line.chars().next() {
        Some('d') => FileType::Dir,
        Some('l') => FileType::Symlink,
        None | Some('-') => FileType::File,
        Some(_) => FileType::Other,
    }
}

fn entry(path: String, attrs: &FileAttributes) -> Entry {
    let tag = match (attrs.mtime, attrs.size) {
        (Some(mtime), Some(size)) => format!("{mtime}-{size}"),
        _ => String::new(),
    };
    Entry {
        path,
        is_folder: false,
        size: attrs.size,
        modified: attrs.mtime.map(i64::from),
        tag,
    }
}

/// A page of sorted entries: those after a path.
fn page(all: &[Entry], after: Option<&str>) -> Listing {
    let begin = after.map_or(0, |a| all.partition_point(|e| e.path.as_str() <= a));
    let rest = &all[begin..];
    let entries = rest[..rest.len().min(PAGE)].to_vec();
    let next = (rest.len() > PAGE)
        .then(|| entries.last().map(|e| e.path.clone()))
        .flatten();
    Listing { entries, next }
}

#[async_trait::async_trait]
impl Files for Sftp {
    async fn list(&self, folder: &str, after: Option<&str>) -> Result<Listing> {
        let mut listed = self.listed.lock().await;
        if after.is_some()
            && let Some((of, all)) = listed.as_ref()
            && of == folder
        {
            return Ok(page(all, after));
        }
        let all = self.ask(|link| async move { link.list(folder).await }).await?;
        let first = page(&all, after);
        *listed = first.next.is_some().then(|| (folder.to_owned(), all));
        Ok(first)
    }

    async fn stat(&self, path: &str) -> Result<Entry> {
        self.ask(|link| async move { link.stat(path).await }).await
    }

    async fn read(&self, path: &str, from: u64) -> Result<Reading> {
        let (entry, size, open) = self
            .ask(|link| async move {
                let entry = link.stat(path).await?;
                let whole = link.whole(path);
                let Some(size) = entry.size.filter(|_| !entry.is_folder) else {
                    return Err(ConnectError::NotFound(format!("`{whole}` is no file.")));
                };
                let opened = link
                    .sftp
                    .open(whole.as_str(), OpenFlags::READ, FileAttributes::empty())
                    .await;
                let handle = opened.map_err(|e| link.failed(&whole, e))?.handle;
                let open = Open {
                    link,
                    handle,
                    path: whole,
                };
                Ok((entry, size, Arc::new(open)))
            })
            .await?;
        if from > size {
            return Err(ConnectError::Changed(format!(
                "`{path}` became shorter while it was read."
            )));
        }
        let body = futures::stream::iter((from..size).step_by(CHUNK as usize))
            .map(move |at| {
                let open = Arc::clone(&open);
                async move { open.link.part(&open, at, CHUNK.min(size - at)).await }
            })
            .buffered(AHEAD)
            .boxed();
        Ok(Reading {
            entry,
            after: None,
            body,
        })
    }

    async fn test(&self) -> Result<String> {
        let text = summary(&self.list("", None).await?);
        Ok(match self.seen.get() {
            Some(print) if self.trusted.is_none() => format!(
                "{text} Its host key is {print}; compare it with what the server's admin says. It is kept, and any other is \
                 refused from then on."
            ),
            _ => text,
        })
    }

    fn learned(&self) -> BTreeMap<String, String> {
        let print = self.trusted.as_ref().or_else(|| self.seen.get());
        print
            .filter(|p| **p != self.given)
            .map(|p| ("host_key".to_owned(), p.clone()))
            .into_iter()
            .collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_list_that_does_not_end_is_given_up() {
        let failed = |_: SftpError| ConnectError::Unreachable(String::new());
        let nothing = || async {
            Ok(Name {
                id: 1,
                files: Vec::new(),
            })
        };
        assert!(matches!(
            all_names("/a", nothing, failed).await,
            Err(ConnectError::Wrong(_))
        ));
        let long = || async {
            Ok(Name {
                id: 1,
                files: vec![File::dummy("a".repeat(9 << 20))],
            })
        };
        assert!(matches!(
            all_names("/a", long, failed).await,
            Err(ConnectError::TooMuch(_))
        ));
    }

    #[test]
    fn hosts_are_names_alone() {
        for good in ["sftp.example.org", "10.0.0.1", "fd12::1", "[fd12::1]"] {
            assert_eq!(host(good).unwrap(), good);
        }
        for bad in ["sftp://h", "me@h", "h:22", "h/photos", "h h"] {
            assert!(
                matches!(host(bad), Err(ConnectError::Setting("host", _))),
                "{bad}"
            );
        }
    }

    #[test]
    fn entries_say_when_they_change() {
        let attrs = |mode: Option<u32>, size, mtime| FileAttributes {
            permissions: mode,
            size,
            mtime,
            ..FileAttributes::empty()
        };
        let file = entry("a".to_owned(), &attrs(Some(0o100_644), Some(7), Some(9)));
        assert_eq!((file.tag.as_str(), file.modified), ("9-7", Some(9)));
        assert_eq!(entry("a".to_owned(), &attrs(None, Some(7), None)).tag, "");
        for (mode, line, is) in [
            (Some(0o040_755), "", FileType::Dir),
            (Some(0o100_644), "drwx", FileType::File),
            (Some(0o120_777), "", FileType::Symlink),
            (Some(0o020_600), "", FileType::Other),
            (Some(0o060_600), "", FileType::Other),
            (Some(0o010_600), "", FileType::Other),
            (Some(0o140_755), "", FileType::Other),
            (None, "drwxr-xr-x 1 a a 0 Jan 1 00:00 x", FileType::Dir),
            (None, "-rw-r--r--", FileType::File),
            (None, "lrwxrwxrwx", FileType::Symlink),
            (None, "crw-------", FileType::Other),
        ] {
            assert_eq!(kind(&attrs(mode, None, None), line), is, "{mode:?} {line}");
        }
    }

    #[test]
    fn pages_go_on_after_the_last_path() {
        let all: Vec<Entry> = (0..=2 * PAGE).map(|n| Entry::folder(format!("{n:05}"))).collect();
        let first = page(&all, None);
        let second = page(&all, first.next.as_deref());
        let third = page(&all, second.next.as_deref());
        let sizes = [&first, &second, &third].map(|p| p.entries.len());
        assert_eq!((sizes, third.next), ([PAGE, PAGE, 1], None));
        assert_eq!(second.entries[0].path, format!("{PAGE:05}"));
        assert_eq!(page(&[], None), Listing::default());
    }
}
