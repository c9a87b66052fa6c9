//! Reading one file of a store into a staged one: goes on where the connection broke, and notices when the file changes.

use crate::datastores::connect::Live;
use crate::{Context, Error};
use futures::StreamExt as _;
use limn_connect::{ConnectError, Entry};
use limn_domain::datastore::DatastoreKind;
use limn_jobs::{Permanent, Progress};
use limn_storage::{BlobStore, StageWriter, Staged, StorageError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Times that a file is begun anew, or gone on with, before it is given up.
const TRIES: u32 = 4;
const WAIT: Duration = Duration::from_millis(300);
/// What is under way when a job is told to stop may take so long.
const MOMENT: Duration = Duration::from_secs(2);
/// Seconds after its time of whole seconds in which a file may be written again and look the same; with some for clocks that differ.
const UNSETTLED: i64 = 2;
const DAY: i64 = 86_400;
/// Bytes gathered before they are written, off the async threads.
const BLOCK: usize = 1 << 20;
/// A file of so few bytes is finished where it is.
const LITTLE: u64 = 16 << 10;
/// Bytes between two breaks of a connection after which tries are counted anew.
const GETS_ON: u64 = 64 << 20;

/// Why a file was not fetched.
#[derive(Debug)]
pub(crate) enum Failed {
    Store(ConnectError),
    /// Too large, or this server's disk.
    Storage(StorageError),
}

impl From<ConnectError> for Failed {
    fn from(e: ConnectError) -> Self {
        Self::Store(e)
    }
}

impl From<Failed> for ConnectError {
    fn from(e: Failed) -> Self {
        match e {
            Failed::Store(e) => e,
            Failed::Storage(e) if e.is_too_large() => Self::TooMuch(format!("The file is too large: {e}.")),
            Failed::Storage(e) => Self::Unreachable(format!("This server cannot keep the file: {e}.")),
        }
    }
}

/// What ends a job.
#[derive(Debug)]
pub(crate) enum Stop {
    Store(ConnectError),
    Own(anyhow::Error),
}

impl From<ConnectError> for Stop {
    fn from(e: ConnectError) -> Self {
        Self::Store(e)
    }
}

/// A passing trouble of a store, in words; the job is tried again.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Passing(String);

impl Stop {
    /// With the place.
    pub fn at(self, path: &str, store: &str) -> anyhow::Error {
        match self {
            Self::Store(e) => stopped(path, store, e),
            Self::Own(e) => e.context(format!("The job stopped at `{path}` of “{store}”")),
        }
    }
}

/// Trouble of a store with the place; passing trouble is tried again.
fn stopped(path: &str, store: &str, e: ConnectError) -> anyhow::Error {
    let text =
        format!("The job stopped at `{path}` of “{store}”: {e} What was taken stays; run it again to go on.");
    if e.is_passing() {
        Passing(text).into()
    } else {
        Permanent(text).into()
    }
}

/// An error for the people who read the job.
pub(crate) fn for_people(e: anyhow::Error) -> anyhow::Error {
    if e.is::<Passing>() {
        return e;
    }
    if let Some(store) = e.downcast_ref::<ConnectError>() {
        return if store.is_passing() {
            Passing(store.to_string()).into()
        } else {
            Permanent(store.to_string()).into()
        };
    }
    match e.downcast_ref::<Error>() {
        // The store does not answer right now.
        Some(Error::Api(api)) if api.code == limn_domain::Code::Unavailable => {
            Passing(api.message.clone()).into()
        }
        _ => crate::jobs::for_people(e),
    }
}

/// Waits until a job was told to stop and has had a moment to come to a good place by itself: a store that sends a byte now and
/// then could keep it for ever.
pub(crate) async fn overdue(progress: &Progress) {
    progress.token().cancelled().await;
    tokio::time::sleep(MOMENT).await;
}

/// A file that was read.
pub(crate) struct Fetched {
    pub staged: Staged,
    /// What the store says of the very bytes that were read, as its list writes it. Without a tag where that may come to stand
    /// for other bytes: such a file is read again the next time.
    pub entry: Entry,
    /// The tag as the store writes it when it is asked for the file itself.
    pub said: String,
}

/// Reads a file.
pub(crate) async fn fetch_file(
    ctx: &Context,
    live: &Live,
    entry: &Entry,
    limit: u64,
) -> Result<Staged, Failed> {
    with_entry(ctx, live, entry, limit)
        .await
        .map(|fetched| fetched.staged)
}

/// The same with what the store said. A file that changes is read anew, several times.
pub(crate) async fn with_entry(
    ctx: &Context,
    live: &Live,
    listed: &Entry,
    limit: u64,
) -> Result<Fetched, Failed> {
    steady(&ctx.blobs, live, listed, limit, &|_| {}).await
}

/// The same for a file that takes long: `told` hears how many bytes have come.
pub(super) async fn watched(
    ctx: &Context,
    live: &Live,
    listed: &Entry,
    limit: u64,
    told: &(dyn Fn(u64) + Sync),
) -> Result<Fetched, Failed> {
    steady(&ctx.blobs, live, listed, limit, told).await
}

async fn steady(
    blobs: &BlobStore,
    live: &Live,
    listed: &Entry,
    limit: u64,
    told: &(dyn Fn(u64) + Sync),
) -> Result<Fetched, Failed> {
    let mut listed = listed.clone();
    let mut last = ConnectError::Changed(format!("`{}` changes all the time.", listed.path));
    for attempt in 0..TRIES {
        if attempt > 0 {
            tokio::time::sleep(WAIT * attempt).await;
            if !listed.tag.is_empty() {
                // What the list said of it is over.
                listed = live.opened.files()?.stat(&listed.path).await?;
            }
        }
        match whole(blobs, live, &listed, limit, told).await {
            Err(Failed::Store(e @ ConnectError::Changed(_))) => last = e,
            other => return other,
        }
    }
    Err(last.into())
}

async fn whole(
    blobs: &BlobStore,
    live: &Live,
    listed: &Entry,
    limit: u64,
    told: &(dyn Fn(u64) + Sync),
) -> Result<Fetched, Failed> {
    let files = live.opened.files()?;
    let path = listed.path.as_str();
    let changed = || ConnectError::Changed(format!("`{path}` changed while it was read."));
    let mut writer = Some(blobs.stage(limit));
    let (mut at, mut tries, mut broke_at) = (0_u64, 0, 0);
    let mut first: Option<Entry> = None;
    let began = SystemTime::now();
    let mut after: Option<Entry> = None;
    let mut block: Vec<u8> = Vec::new();
    loop {
        let part = async {
            let mut reading = files.read(path, at).await?;
            if let Some(f) = &first {
                // Going on is only for the same bytes.
                if f.tag.is_empty() || f.tag != reading.entry.tag {
                    return Err(Failed::Store(changed()));
                }
            } else {
                first = Some(reading.entry.clone());
            }
            after = reading.after.take();
            let mut broke = None;
            while let Some(chunk) = reading.body.next().await {
                match chunk {
                    Ok(chunk) => {
                        at += chunk.len() as u64;
                        block.extend_from_slice(&chunk);
                        if block.len() >= BLOCK {
                            push(&mut writer, std::mem::take(&mut block)).await?;
                            told(at);
                        }
                    }
                    Err(e) => {
                        broke = Some(e);
                        break;
                    }
                }
            }
            match broke {
                Some(e) => Err(Failed::Store(e)),
                None => Ok(()),
            }
        };
        match part.await {
            Ok(()) => break,
            Err(Failed::Store(e)) if e.is_passing() && tries + 1 < TRIES && first.is_some() => {
                // Long files may break often, as long as they get on.
                tries = if at - broke_at >= GETS_ON { 1 } else { tries + 1 };
                broke_at = at;
                tokio::time::sleep(WAIT * tries).await;
            }
            Err(e) => return Err(e),
        }
    }
    let mut entry = first.ok_or_else(changed)?;
    if entry.size.is_some_and(|size| size != at) {
        return Err(changed().into());
    }
    let said = match live.kind {
        // Objects are replaced whole, and the header was that of what came.
        DatastoreKind::S3 | DatastoreKind::Gcs | DatastoreKind::Azure | DatastoreKind::AzureLake => {
            entry.tag.clone()
        }
        // Other files may be written to while they are read, and no header tells.
        kind => {
            let now = match after {
                Some(now) => now,
                None => files.stat(path).await?,
            };
            if moved(kind, listed, &entry, &now) {
                return Err(changed().into());
            }
            now.tag
        }
    };
    entry.size = Some(at);
    // Lists and answers may write tags in two ways; what a list says is what the next list is compared with.
    if !listed.tag.is_empty() && listed.size.is_none_or(|s| s == at) {
        entry.tag.clone_from(&listed.tag);
    }
    if live.kind == DatastoreKind::Sftp && is_unsettled(entry.modified, began) {
        entry.tag.clear();
    }
    let mut writer = writer.take().ok_or_else(changed)?;
    let finish = move || {
        writer.push(&block)?;
        writer.finish()
    };
    let staged = if at <= LITTLE {
        // Hashed, in memory, sooner than another thread is awake.
        finish()
    } else {
        tokio::task::spawn_blocking(finish)
            .await
            .map_err(|e| Failed::Storage(StorageError::Io(std::io::Error::other(e))))?
    };
    let staged = staged.map_err(Failed::Storage)?;
    Ok(Fetched { staged, entry, said })
}

/// Whether a file was written so shortly before it was read that it may be written again without another time. Times far in the future are
/// somebody's mistake and will not pass.
fn is_unsettled(modified: Option<i64>, began: SystemTime) -> bool {
    let began = began.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let began = i64::try_from(began).unwrap_or(i64::MAX);
    let (from, to) = (began.saturating_sub(UNSETTLED), began.saturating_add(DAY));
    modified.is_some_and(|at| (from..=to).contains(&at))
}

/// Whether a file is another one than before it was read.
fn moved(kind: DatastoreKind, listed: &Entry, before: &Entry, now: &Entry) -> bool {
    match kind {
        // A list and an answer write tags in two ways; the file is asked for as a list is.
        DatastoreKind::Webdav => !listed.tag.is_empty() && now.tag != listed.tag,
        // Servers side by side may give one file several tags.
        DatastoreKind::Http => {
            let other_size = now
                .size
                .zip(before.size)
                .is_some_and(|(now, before)| now != before);
            now.tag != before.tag && (other_size || now.modified.is_none() || now.modified != before.modified)
        }
        _ => now.tag != before.tag,
    }
}

async fn push(writer: &mut Option<StageWriter>, block: Vec<u8>) -> Result<(), Failed> {
    let Some(mut own) = writer.take() else {
        return Ok(());
    };
    let (own, result) = tokio::task::spawn_blocking(move || {
        let result = own.push(&block);
        (own, result)
    })
    .await
    .map_err(|e| Failed::Storage(StorageError::Io(std::io::Error::other(e))))?;
    *writer = Some(own);
    result.map_err(Failed::Storage)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use bytes::Bytes;
    use limn_connect::{Files, Listing, Opened, Reading, Store};
    use std::sync::Mutex;

    /// A folder with one file, which is written to while it is read, so many times.
    struct Restless {
        changes: Mutex<u8>,
        written: Mutex<u8>,
    }

    impl Restless {
        fn entry(&self, path: &str) -> Entry {
            let n = *self.written.lock().unwrap();
            Entry {
                path: path.to_owned(),
                is_folder: false,
                size: Some(4),
                modified: None,
                tag: format!("t{n}"),
            }
        }
    }

    #[async_trait::async_trait]
    impl Files for Restless {
        async fn list(&self, _folder: &str, _page: Option<&str>) -> limn_connect::Result<Listing> {
            Ok(Listing::default())
        }

        async fn stat(&self, path: &str) -> limn_connect::Result<Entry> {
            Ok(self.entry(path))
        }

        async fn read(&self, path: &str, _from: u64) -> limn_connect::Result<Reading> {
            let entry = self.entry(path);
            let n = *self.written.lock().unwrap();
            let mut changes = self.changes.lock().unwrap();
            let mut bytes = vec![n; 4];
            if *changes > 0 {
                *changes -= 1;
                *self.written.lock().unwrap() += 1;
                // The second half is that of the new content.
                bytes[2..].fill(n + 1);
            }
            Ok(Reading {
                entry,
                after: None,
                body: futures::stream::iter([Ok(Bytes::from(bytes))]).boxed(),
            })
        }
    }

    async fn read(kind: DatastoreKind, changes: u8) -> Result<(Bytes, String), Failed> {
        let dir = tempfile::tempdir().unwrap();
        let blobs = BlobStore::open(dir.path()).unwrap();
        let store = Restless {
            changes: Mutex::new(changes),
            written: Mutex::new(0),
        };
        let listed = store.entry("a.bin");
        let live = Live {
            name: "Restless".to_owned(),
            kind,
            opened: Opened {
                store: Store::Files(Box::new(store)),
            },
            sealed: Vec::new(),
        };
        let found = steady(&blobs, &live, &listed, 100, &|_| {}).await?;
        let bytes = found.staged.source().read_all().unwrap().into_owned();
        Ok((Bytes::from(bytes), found.said))
    }

    #[tokio::test]
    async fn a_file_that_is_written_to_while_it_is_read_is_read_again() {
        for kind in [DatastoreKind::Folder, DatastoreKind::Webdav, DatastoreKind::Http] {
            let (bytes, said) = read(kind, 1).await.unwrap();
            assert_eq!((&bytes[..], said.as_str()), (&[1; 4][..], "t1"), "{kind:?}");
        }
    }

    #[test]
    fn a_time_of_whole_seconds_says_little_at_first() {
        let began = UNIX_EPOCH + Duration::from_millis(1_000_900);
        for (at, unsettled) in [
            (998, true),
            (1_000, true),
            (1_060, true),
            (997, false),
            (90_000, false),
        ] {
            assert_eq!(is_unsettled(Some(at), began), unsettled, "{at}");
        }
        assert!(!is_unsettled(None, began));
    }

    #[tokio::test]
    async fn a_file_that_never_holds_still_is_not_taken() {
        let Err(Failed::Store(e)) = read(DatastoreKind::Folder, u8::MAX).await else {
            panic!("a mix of two contents was taken")
        };
        assert!(
            matches!(&e, ConnectError::Changed(text) if text.contains("a.bin")),
            "{e}"
        );
        assert!(e.is_of_file(), "others are taken without it");
    }
}
