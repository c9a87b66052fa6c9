//! Indexes of projects: held in memory while they are asked, the large ones kept as files that a job writes, which the other processes get
//! through the object store, where there is one.

use super::super::draft;
use super::super::held::Held;
use super::state::{Reached, State};
use crate::{Context, Result};
use limn_domain::{ItemId, ProjectId, Timestamp, UserId};
use limn_explore::{Index, Stack};
use limn_storage::BlobStore;
use limn_store::repo;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Grows whenever a row says other things of an item; files of another number are made anew.
const FORMAT: u32 = 2;
/// Bytes of indexes that stay in memory; one that is larger stays alone.
const HELD: usize = 512 << 20;
/// Bytes of the part of a file that says what it is, at most.
const HEAD_MAX: u64 = 64 << 20;

/// Where they lie among the files that processes share.
const SHARED: &str = "items/";

/// What a file says before its index.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    format: u32,
    at: i64,
    held: Vec<(ItemId, UserId)>,
    drift: i64,
}

/// A project's index; asked by one at a time, as each brings it up to date.
#[derive(Default)]
struct Slot {
    state: tokio::sync::Mutex<State>,
    /// Of the file of another process that was brought here last.
    brought: Mutex<Option<String>>,
    bytes: AtomicUsize,
}

/// What a question finds.
pub(super) struct Look {
    /// None before it was ever made.
    pub stack: Option<Arc<Stack>>,
    /// The moment up to which all is in it.
    pub at: Timestamp,
    /// Much has changed since.
    pub behind: bool,
    /// A job should take in what has changed.
    pub is_large: bool,
}

/// The indexes that are held in memory, and where the others lie.
#[derive(Clone)]
pub(crate) struct ItemIndexes {
    folder: Arc<PathBuf>,
    /// Through which processes that do not see each other's folders share the files.
    blobs: BlobStore,
    held: Held<ProjectId, Arc<Slot>>,
}

impl ItemIndexes {
    pub fn at(folder: PathBuf, blobs: BlobStore) -> Self {
        Self {
            folder: Arc::new(folder),
            blobs,
            held: Held::new(HELD, |slot: &Arc<Slot>| slot.bytes.load(Ordering::Relaxed)),
        }
    }

    fn path(&self, project: ProjectId) -> PathBuf {
        self.folder.join(format!("{project}.index"))
    }

    fn slot(&self, project: ProjectId) -> Arc<Slot> {
        self.held.get_or(project, Arc::default)
    }

    /// The index of a project with all that has changed, or as it was when that is too much for somebody to wait for.
    pub(super) async fn look(&self, ctx: &Context, project: ProjectId) -> Result<Look> {
        let slot = self.slot(project);
        let mut state = slot.state.lock().await;
        if !state.is_made()
            && let Some(read) = self.read(project, &slot, state.at).await?
        {
            *state = read;
        }
        let mut reached = state.advance(ctx, project).await?;
        // A job may have taken it in, perhaps of another process.
        if reached == Reached::Behind
            && let Some(newer) = self.read(project, &slot, state.at).await?
        {
            *state = newer;
            reached = state.advance(ctx, project).await?;
        } else if state.is_large()
            && let Some(mut newer) = self.read(project, &slot, state.made_at).await?
        {
            // Made from a moment before the last question: it does if little has changed since.
            state.made_at = newer.made_at;
            if newer.advance(ctx, project).await? == Reached::Current && !newer.is_large() {
                *state = newer;
                reached = Reached::Current;
            }
        }
        slot.bytes.store(state.size(), Ordering::Relaxed);
        Ok(Look {
            stack: state.is_made().then(|| state.stack()),
            at: state.at,
            behind: reached == Reached::Behind,
            is_large: state.is_large(),
        })
    }

    /// Where a job begins: what is held, else what is kept, else nothing.
    pub(super) async fn begin(&self, project: ProjectId) -> Result<State> {
        let slot = self.slot(project);
        let held = slot.state.lock().await.clone();
        Ok(self.read(project, &slot, held.at).await?.unwrap_or(held))
    }

    /// Keeps what a job has made.
    pub(super) async fn put(&self, project: ProjectId, state: State) -> Result<Arc<Stack>> {
        let stack = state.stack();
        let head = Head {
            format: FORMAT,
            at: state.at.0,
            held: state.held.iter().map(|(item, user)| (*item, *user)).collect(),
            drift: state.drift,
        };
        let (path, written) = (self.path(project), Arc::clone(&stack));
        let write = tokio::task::spawn_blocking(move || write(&path, &head, written.base()));
        let draft = write.await.map_err(anyhow::Error::from)??;
        let slot = self.slot(project);
        // The draft, as what a question brings meanwhile takes the file's place.
        let shared = self.share(project, &slot, &draft).await;
        // Nobody reads half of one.
        tokio::fs::rename(&draft, self.path(project)).await?;
        shared?;
        let mut held = slot.state.lock().await;
        if held.at <= state.at || held.is_large() {
            *held = state;
        }
        slot.bytes.store(held.size(), Ordering::Relaxed);
        Ok(stack)
    }

    /// Gives a file to the other processes.
    async fn share(&self, project: ProjectId, slot: &Slot, file: &Path) -> Result<()> {
        let name = name(project);
        let shared = self.blobs.share(&name, file).await;
        shared.map_err(anyhow::Error::from)?;
        // It need not come back.
        let tag = self.blobs.shared_tag(&name).await;
        slot.set_brought(tag.map_err(anyhow::Error::from)?);
        Ok(())
    }

    /// Brings the file here that another process has written since.
    async fn bring(&self, project: ProjectId, slot: &Slot) -> Result<()> {
        let name = name(project);
        let tag = self.blobs.shared_tag(&name).await;
        let tag = tag.map_err(anyhow::Error::from)?;
        if tag.is_none() || tag == slot.brought() {
            return Ok(());
        }
        let obtained = self.blobs.obtain(&name, &self.path(project)).await;
        if obtained.map_err(anyhow::Error::from)? {
            // As it was asked for before, what was written in between is noticed at the next look.
            slot.set_brought(tag);
        }
        Ok(())
    }

    /// What is kept of a project, if it was read after a moment.
    async fn read(&self, project: ProjectId, slot: &Slot, after: Timestamp) -> Result<Option<State>> {
        self.bring(project, slot).await?;
        let path = self.path(project);
        let read = tokio::task::spawn_blocking(move || read(&path, after));
        Ok(read.await.map_err(anyhow::Error::from)??)
    }

    /// Removes the files of projects that are no more, and drafts nobody writes any longer. Answers how many.
    pub async fn sweep(&self, ctx: &Context) -> Result<u64> {
        let folder = Arc::clone(&self.folder);
        let list = tokio::task::spawn_blocking(move || draft::list(&folder));
        let mut removed = 0;
        for path in list.await.map_err(anyhow::Error::from)? {
            let name = path.file_stem().and_then(|s| s.to_str());
            let stands = match name.and_then(|s| s.parse::<ProjectId>().ok()) {
                Some(project) => {
                    let mut tx = ctx.db.read().await?;
                    repo::transfer::title(&mut tx, project).await?.is_some()
                }
                None => !draft::is_old(&path),
            };
            if !stands && std::fs::remove_file(&path).is_ok() {
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// The same of the files that processes share.
    pub async fn sweep_shared(&self, ctx: &Context) -> Result<u64> {
        let names = self.blobs.shared_names(SHARED).await;
        let mut removed = 0;
        for name in names.map_err(anyhow::Error::from)? {
            let project = name
                .strip_prefix(SHARED)
                .and_then(|n| n.strip_suffix(".index")?.parse::<ProjectId>().ok());
            let Some(project) = project else { continue };
            let mut tx = ctx.db.read().await?;
            let stands = repo::transfer::title(&mut tx, project).await?.is_some();
            drop(tx);
            if !stands {
                self.blobs.unshare(&name).await.map_err(anyhow::Error::from)?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

impl Slot {
    fn brought(&self) -> Option<String> {
        self.brought
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set_brought(&self, tag: Option<String>) {
        *self.brought.lock().unwrap_or_else(PoisonError::into_inner) = tag;
    }
}

/// What an index is called among the files that processes share.
fn name(project: ProjectId) -> String {
    format!("{SHARED}{project}.index")
}

/// Writes a file beside the one of this path; answers where.
fn write(path: &Path, head: &Head, index: &Index) -> std::io::Result<PathBuf> {
    let head = serde_json::to_vec(head)?;
    let length = (head.len() as u64).to_le_bytes();
    // The index is some hundred bytes an item: once in memory is enough.
    draft::write(
        path,
        &[length.as_slice(), head.as_slice(), index.to_bytes().as_slice()],
    )
}

/// None where there is none, where it is not newer, and where it cannot be used.
fn read(path: &Path, after: Timestamp) -> std::io::Result<Option<State>> {
    use std::io::Read as _;
    let mut file = match std::fs::File::open(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let unfit = |why: String| {
        tracing::info!(path = %path.display(), error = %why, "an index is built anew");
        Ok(None)
    };
    let mut length = [0; 8];
    if file.read_exact(&mut length).is_err() {
        return unfit("it is cut off".to_owned());
    }
    let mut head = Vec::new();
    let most = u64::from_le_bytes(length).min(HEAD_MAX);
    file.by_ref().take(most).read_to_end(&mut head)?;
    let head: Head = match serde_json::from_slice(&head) {
        Ok(head) => head,
        Err(e) => return unfit(e.to_string()),
    };
    if head.format != FORMAT {
        return unfit("it is of another version of the program".to_owned());
    }
    if head.at <= after.0 {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    match Index::from_bytes(&bytes) {
        Ok(index) => {
            let mut state = State::of(index, Timestamp(head.at));
            state.held = head.held.into_iter().collect();
            state.drift = head.drift;
            Ok(Some(state))
        }
        Err(e) => unfit(e.to_string()),
    }
}
