//! Indexes of projects: held in memory while they are asked, the large ones kept as files that a job writes, which the other processes get
//! through the object store, where there is one.

use super::super::cache::CacheFolder;
use super::super::held::Held;
use super::state::{Reached, State};
use crate::{Context, Result};
use limn_domain::{ItemId, ProjectId, Timestamp, UserId};
use limn_explore::{Index, Stack};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Grows whenever a row says other things of an item; files of another number are made anew.
const FORMAT: u32 = 2;
/// Bytes of indexes that stay in memory; one that is larger stays alone.
const HELD: usize = 512 << 20;
/// Bytes of the part of a file that says what it is, at most.
const HEAD_MAX: u64 = 64 << 20;

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
    pub files: CacheFolder,
    held: Held<ProjectId, Arc<Slot>>,
}

impl ItemIndexes {
    pub fn new(files: CacheFolder) -> Self {
        Self {
            files,
            held: Held::new(HELD, |slot: &Arc<Slot>| slot.bytes.load(Ordering::Relaxed)),
        }
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
        let (file, written) = (file_name(project), Arc::clone(&stack));
        let parts = move || -> std::io::Result<Vec<Vec<u8>>> {
            let head = serde_json::to_vec(&head)?;
            let length = (head.len() as u64).to_le_bytes();
            // The index is some hundred bytes an item: once in memory is enough.
            Ok(vec![length.to_vec(), head, written.base().to_bytes()])
        };
        self.files.put(&file, parts).await?;
        let slot = self.slot(project);
        // It need not come back.
        slot.set_brought(self.files.shared_tag(&file).await?);
        let mut held = slot.state.lock().await;
        if held.at <= state.at || held.is_large() {
            *held = state;
        }
        slot.bytes.store(held.size(), Ordering::Relaxed);
        Ok(stack)
    }

    /// Brings the file here that another process has written since.
    async fn bring(&self, project: ProjectId, slot: &Slot) -> Result<()> {
        let file = file_name(project);
        let tag = self.files.shared_tag(&file).await?;
        if tag.is_none() || tag == slot.brought() {
            return Ok(());
        }
        if self.files.obtain(&file).await? {
            // As it was asked for before, what was written in between is noticed at the next look.
            slot.set_brought(tag);
        }
        Ok(())
    }

    /// What is kept of a project, if it was read after a moment.
    async fn read(&self, project: ProjectId, slot: &Slot, after: Timestamp) -> Result<Option<State>> {
        self.bring(project, slot).await?;
        let path = self.files.path(&file_name(project));
        let read = tokio::task::spawn_blocking(move || read(&path, after));
        Ok(read.await.map_err(anyhow::Error::from)??)
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

fn file_name(project: ProjectId) -> String {
    format!("{project}.index")
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
