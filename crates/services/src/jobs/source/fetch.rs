//! Reading one file of a store into a staged one: goes on where the connection broke, and notices when the file changes.

use crate::datastores::connect::Live;
use crate::{Context, Error};
use futures::StreamExt as _;
use limn_connect::{ConnectError, Entry};
use limn_domain::datastore::DatastoreKind;
use limn_jobs::Permanent;
use limn_storage::{StageWriter, Staged, StorageError};
use std::time::Duration;

/// Times that a file is begun anew, or gone on with, before it is given up.
const TRIES: u32 = 4;
const WAIT: Duration = Duration::from_millis(300);
/// Bytes gathered before they are written, off the async threads.
const BLOCK: usize = 1 << 20;

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
pub(crate) fn stopped(path: &str, store: &str, e: ConnectError) -> anyhow::Error {
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

/// Reads a file.
pub(crate) async fn fetch_file(
    ctx: &Context,
    live: &Live,
    entry: &Entry,
    limit: u64,
) -> Result<Staged, Failed> {
    with_entry(ctx, live, entry, limit)
        .await
        .map(|(staged, _)| staged)
}

/// The same with what the store said of the very bytes that were read.
pub(super) async fn with_entry(
    ctx: &Context,
    live: &Live,
    listed: &Entry,
    limit: u64,
) -> Result<(Staged, Entry), Failed> {
    let mut last = ConnectError::Changed(format!("`{}` changes all the time.", listed.path));
    for attempt in 0..TRIES {
        if attempt > 0 {
            tokio::time::sleep(WAIT * attempt).await;
        }
        match whole(ctx, live, listed, limit).await {
            Err(Failed::Store(e @ ConnectError::Changed(_))) => last = e,
            other => return other,
        }
    }
    Err(last.into())
}

async fn whole(ctx: &Context, live: &Live, listed: &Entry, limit: u64) -> Result<(Staged, Entry), Failed> {
    let files = live.opened.files()?;
    let path = listed.path.as_str();
    let changed = || ConnectError::Changed(format!("`{path}` changed while it was read."));
    let mut writer = Some(ctx.blobs.stage(limit));
    let (mut at, mut tries) = (0_u64, 0);
    let mut first: Option<Entry> = None;
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
            let mut block: Vec<u8> = Vec::new();
            let mut broke = None;
            while let Some(chunk) = reading.body.next().await {
                match chunk {
                    Ok(chunk) => {
                        at += chunk.len() as u64;
                        block.extend_from_slice(&chunk);
                        if block.len() >= BLOCK {
                            push(&mut writer, std::mem::take(&mut block)).await?;
                        }
                    }
                    Err(e) => {
                        broke = Some(e);
                        break;
                    }
                }
            }
            push(&mut writer, block).await?;
            match broke {
                Some(e) => Err(Failed::Store(e)),
                None => Ok(()),
            }
        };
        match part.await {
            Ok(()) => break,
            Err(Failed::Store(e)) if e.is_passing() && tries + 1 < TRIES && first.is_some() => {
                tries += 1;
                tokio::time::sleep(WAIT * tries).await;
            }
            Err(e) => return Err(e),
        }
    }
    let mut entry = first.ok_or_else(changed)?;
    if entry.size.is_some_and(|size| size != at) {
        return Err(changed().into());
    }
    // A folder's file may be written to while it is read, and no header tells.
    let may_change = matches!(
        live.kind,
        DatastoreKind::Folder | DatastoreKind::Sftp | DatastoreKind::AzureFiles
    );
    if may_change && files.stat(path).await?.tag != entry.tag {
        return Err(changed().into());
    }
    entry.size = Some(at);
    // Lists and answers may write tags in two ways; what a list says is what the next list is compared with.
    if !listed.tag.is_empty() && listed.size.is_none_or(|s| s == at) {
        entry.tag.clone_from(&listed.tag);
    }
    let writer = writer.take().ok_or_else(changed)?;
    let staged = tokio::task::spawn_blocking(move || writer.finish())
        .await
        .map_err(|e| Failed::Storage(StorageError::Io(std::io::Error::other(e))))?
        .map_err(Failed::Storage)?;
    Ok((staged, entry))
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
