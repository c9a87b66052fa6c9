//! Content by its digest: out of the blob store (a folder, or an object store behind its copies) or, where a version left a file
//! in its datastore, out of that.
//!
//! The one place that reads such files again. What it hands out has the digest that was asked for; a file that is not what it
//! was is an error that says so. What was fetched is kept for a while ([`cache`]), as several look at the same file.

mod cache;
mod remote;

pub use remote::Remote;
pub(crate) use remote::is_large;

use crate::datastores::connect::{self, Live};
use crate::jobs::source::{Failed, fetch_file};
use crate::{Context, Error};
use cache::Cache;
use limn_connect::{ConnectError, Entry};
use limn_domain::{ApiError, Code, DatastoreId, Digest};
use limn_storage::{RenditionKind, Source, Staged, StorageError};
use limn_store::repo::{self, datastore::Keyed, place::Place};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Datastores that are held open for the next file.
const OPEN_MAX: usize = 8;

type Fetching = HashMap<Digest, Weak<tokio::sync::Mutex<()>>>;

/// What is held of datastores and their files. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Elsewhere(Arc<Parts>);

#[derive(Default)]
struct Parts {
    cache: Mutex<Cache>,
    /// One fetch of each file at a time.
    fetching: Mutex<Fetching>,
    /// With what they were opened by: other credentials or settings mean another connection. Used last, last.
    open: Mutex<Vec<(DatastoreId, Keyed, Arc<Live>)>>,
}

/// Content that can be read here. What was fetched for it stays as long as this does: hold it while its source is in use.
#[derive(Debug, Clone)]
pub(crate) struct Local {
    source: Source,
    _held: Option<Arc<Staged>>,
}

impl Local {
    /// For blocking threads: a copy of what lies in an object store may have to be fetched once more.
    pub fn source(&self) -> Source {
        self.source.clone()
    }

    /// In bytes.
    pub async fn size(&self) -> Result<u64, StorageError> {
        let source = self.source();
        let size = tokio::task::spawn_blocking(move || source.len());
        size.await
            .map_err(|e| StorageError::Io(std::io::Error::other(e)))?
    }
}

impl From<Arc<Staged>> for Local {
    fn from(staged: Arc<Staged>) -> Self {
        Self {
            source: staged.source(),
            _held: Some(staged),
        }
    }
}

impl Context {
    /// Content, fetched where it lies elsewhere. Errors: `NotFound`; `SourceChanged` and `SourceAway` of a datastore; an object
    /// store that does not answer, which says nothing of where the content is.
    pub(crate) async fn content(&self, digest: &Digest) -> Result<Local, StorageError> {
        // What is held was verified; nobody need be asked for it.
        if let Some(held) = self.elsewhere.held(digest) {
            return Ok(held);
        }
        match self.blobs.at_hand(digest).await {
            Ok(source) => Ok(Local { source, _held: None }),
            Err(StorageError::NotFound) => self.elsewhere.fetch(self, digest).await,
            Err(e) => Err(e),
        }
    }

    /// A rendition of a picture; the picture is fetched only when that has to be made.
    pub(crate) async fn rendition(
        &self,
        digest: &Digest,
        kind: RenditionKind,
    ) -> Result<bytes::Bytes, StorageError> {
        if let Some(bytes) = self.renditions.get(digest, kind).await? {
            return Ok(bytes);
        }
        let local = self.content(digest).await?;
        self.renditions.get_or_make(digest, kind, local.source()).await
    }

    /// Content that lies in a datastore, to be read when it is sent; `None` when it does not.
    pub(crate) async fn remote(&self, digest: &Digest) -> crate::Result<Option<Remote>> {
        let places = repo::place::of(&mut self.db.read().await?, std::slice::from_ref(digest)).await?;
        Ok(places
            .first()
            .map(|place| Remote::new(self.clone(), digest.clone(), size_of(place))))
    }
}

impl Elsewhere {
    /// Remembers bytes that were just read of a file that stays where it is.
    pub fn keep(&self, staged: Staged) -> Local {
        let staged = Arc::new(staged);
        self.cache().put(Arc::clone(&staged));
        staged.into()
    }

    fn held(&self, digest: &Digest) -> Option<Local> {
        self.cache().get(digest).map(Local::from)
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.0.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch(&self, ctx: &Context, digest: &Digest) -> Result<Local, StorageError> {
        let places = places(ctx, digest).await?;
        let lock = self.fetching(digest);
        let _one = lock.lock().await;
        if let Some(held) = self.held(digest) {
            return Ok(held);
        }
        let mut first = None;
        for place in &places {
            match self.bring(ctx, place).await {
                Ok(staged) => return Ok(self.keep(staged)),
                // The same content may lie in another place, too.
                Err(e) => first = first.or(Some(e)),
            }
        }
        Err(first.unwrap_or(StorageError::NotFound))
    }

    fn fetching(&self, digest: &Digest) -> Arc<tokio::sync::Mutex<()>> {
        let mut fetching = self.0.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        fetching.retain(|_, lock| lock.strong_count() > 0);
        if let Some(lock) = fetching.get(digest).and_then(Weak::upgrade) {
            return lock;
        }
        let lock = Arc::new(tokio::sync::Mutex::new(()));
        fetching.insert(digest.clone(), Arc::downgrade(&lock));
        lock
    }

    /// Reads a file whole and sees whether it is what it was.
    async fn bring(&self, ctx: &Context, place: &Place) -> Result<Staged, StorageError> {
        let live = self.open(ctx, place).await?;
        let entry = Entry {
            size: Some(size_of(place)),
            is_folder: false,
            ..Entry::folder(place.path.clone())
        };
        match fetch_file(ctx, &live, &entry, size_of(place)).await {
            Ok(staged) if *staged.digest() == place.digest => Ok(staged),
            Ok(_) => Err(changed(place)),
            Err(Failed::Storage(e)) if e.is_too_large() => Err(changed(place)),
            Err(Failed::Storage(e)) => Err(e),
            Err(Failed::Store(e)) => Err(trouble(place, &e)),
        }
    }

    /// The datastore of a place, as it is set up now.
    pub async fn open(&self, ctx: &Context, place: &Place) -> Result<Arc<Live>, StorageError> {
        let id = place.datastore_id;
        let row = connect::row(ctx, id).await.map_err(|e| closed(place, e))?;
        {
            let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(n) = open.iter().position(|(i, was, _)| *i == id && *was == row) {
                let found = open.remove(n);
                let live = Arc::clone(&found.2);
                open.push(found);
                return Ok(live);
            }
        }
        let opened = connect::open(ctx, id, row.clone())
            .await
            .map_err(|e| closed(place, e))?;
        let live = Arc::new(opened);
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|(i, ..)| *i != id);
        if open.len() >= OPEN_MAX {
            open.remove(0);
        }
        open.push((id, row, Arc::clone(&live)));
        Ok(live)
    }
}

/// Where content lies that is not in the store. Errors: `NotFound` when nobody knows.
async fn places(ctx: &Context, digest: &Digest) -> Result<Vec<Place>, StorageError> {
    let own = |e: limn_store::StoreError| StorageError::Io(std::io::Error::other(e));
    let mut tx = ctx.db.read().await.map_err(own)?;
    let places = repo::place::of(&mut tx, std::slice::from_ref(digest))
        .await
        .map_err(own)?;
    if places.is_empty() {
        return Err(StorageError::NotFound);
    }
    Ok(places)
}

pub(crate) fn size_of(place: &Place) -> u64 {
    u64::try_from(place.byte_size).unwrap_or(0)
}

/// The file is not what it was.
pub(crate) fn changed(place: &Place) -> StorageError {
    StorageError::SourceChanged(format!(
        "`{}` in the datastore “{}” has changed since it was registered, and was left there. Put it back as it was, or register \
         a new version.",
        place.path, place.datastore
    ))
}

fn trouble(place: &Place, e: &ConnectError) -> StorageError {
    match e {
        ConnectError::Changed(_) => changed(place),
        ConnectError::NotFound(_) => StorageError::SourceChanged(format!(
            "`{}` is not in the datastore “{}” any more, where it was left when it was registered. Put it back, or register a new \
             version.",
            place.path, place.datastore
        )),
        e => away(place, &e.to_string()),
    }
}

fn away(place: &Place, why: &str) -> StorageError {
    StorageError::SourceAway(format!(
        "`{}` was left in the datastore “{}” and cannot be read there now: {why}",
        place.path, place.datastore
    ))
}

/// A datastore that cannot be opened.
fn closed(place: &Place, e: Error) -> StorageError {
    match e {
        Error::Api(e) => away(place, &e.message),
        e => StorageError::Io(std::io::Error::other(e)),
    }
}

/// What a client sees of content that could not be had; `None` for what is not a datastore's fault.
pub(crate) fn refusal(e: &StorageError) -> Option<Error> {
    let (code, text) = match e {
        StorageError::SourceChanged(text) => (Code::Conflict, text),
        StorageError::SourceAway(text) => (Code::Unavailable, text),
        _ => return None,
    };
    Some(Error::Api(ApiError::new(code, text.clone())))
}

/// The datastore's fault among the causes of an error.
pub(crate) fn fault(e: &anyhow::Error) -> Option<&StorageError> {
    e.chain().find_map(|cause| {
        // It may have travelled through a reader.
        let inside = || {
            let io = cause.downcast_ref::<std::io::Error>()?;
            io.get_ref()?.downcast_ref::<StorageError>()
        };
        let found = cause.downcast_ref::<StorageError>().or_else(inside)?;
        matches!(
            found,
            StorageError::SourceChanged(_) | StorageError::SourceAway(_)
        )
        .then_some(found)
    })
}
