//! The index of a project's items, and how it follows them.
//!
//! Items are read again that were changed since it was made: by the time of the change, a little before the moment up to
//! which it was read last, as a unit of work may commit after a later one. What was read already is told by its stamp. Who
//! holds an item moves no time, so that is compared whole; items that are no more are noticed by their number.

use super::row::{self, Known};
use crate::{Context, Result};
use limn_domain::{ItemId, ProjectId, Timestamp, UserId};
use limn_explore::{Index, Stack};
use limn_jobs::Progress;
use limn_store::Tx;
use limn_store::repo::item::counter;
use limn_store::repo::item::explore::{self, Facts, Stamp};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Seconds before the last look from which changes are looked at again.
const OVERLAP: i64 = 30;
/// Changed items that a question looks at, and those of them that it reads with their labels.
const STAMPS: usize = 20_000;
const AT_ONCE: usize = 4_000;
/// Items of an index that is simply made anew, or whose names a question reads.
const SMALL: usize = 20_000;
/// Changed items beside an index from which a job takes them in, and at most.
const LARGE: usize = 5_000;
const MOST: usize = 20_000;
/// Items that the job reads at once, and those it gathers before it takes them in.
const PAGE: usize = 2_000;
const GATHERED: usize = 50_000;
const NAMES: usize = 10_000;
/// Bytes of what is known of an item that has changed, about.
const KNOWN_BYTES: usize = 1_200;

/// Whether all that has changed is in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    Current,
    Behind,
}

/// The index with what has changed since it was made.
#[derive(Clone)]
pub(super) struct State {
    stack: Arc<Stack>,
    /// What has changed, by name; it lies over the index in `stack`.
    rows: Arc<BTreeMap<String, Known>>,
    gone: Arc<BTreeSet<String>>,
    /// Whether `stack` does not have all of that yet.
    stale: bool,
    /// The moment up to which it was read.
    pub at: Timestamp,
    /// The moment up to which the index below `rows` was read by the job that made it.
    pub made_at: Timestamp,
    /// Items that were read and changed about then.
    seen: HashMap<ItemId, Stamp>,
    /// Who holds items, as the rows say.
    pub held: HashMap<ItemId, UserId>,
    /// By how much the project's counters are off.
    pub drift: i64,
}

impl Default for State {
    fn default() -> Self {
        Self::of(Index::default(), Timestamp(0))
    }
}

impl State {
    /// An index that was read up to a moment.
    pub fn of(index: Index, at: Timestamp) -> Self {
        Self {
            stack: Arc::new(over(Arc::new(index), &BTreeMap::new(), &BTreeSet::new())),
            rows: Arc::default(),
            gone: Arc::default(),
            stale: false,
            at,
            made_at: at,
            seen: HashMap::new(),
            held: HashMap::new(),
            drift: 0,
        }
    }

    /// Whether it was ever made.
    pub const fn is_made(&self) -> bool {
        self.at.0 > 0
    }

    /// Whether so much has changed that a job should take it in.
    pub fn is_large(&self) -> bool {
        self.rows.len() + self.gone.len() > LARGE
    }

    pub fn stack(&self) -> Arc<Stack> {
        Arc::clone(&self.stack)
    }

    /// Bytes of memory it takes, about.
    pub fn size(&self) -> usize {
        self.stack.size() + self.rows.len() * KNOWN_BYTES + self.seen.len() * size_of::<Stamp>()
    }

    /// Reads what has changed, if that is little enough for somebody to wait for. May be dropped at any await.
    pub async fn advance(&mut self, ctx: &Context, project: ProjectId) -> Result<Reached> {
        let now = ctx.now();
        let mut tx = ctx.db.read().await?;
        let from = (self.at.plus_seconds(-OVERLAP), -1);
        let stamps = explore::changed(&mut tx, project, from, STAMPS as i64).await?;
        let fresh = self.fresh(&stamps);
        let many = stamps.len() >= STAMPS || fresh.len() > AT_ONCE;
        if many || self.rows.len() + fresh.len() > MOST {
            return Ok(Reached::Behind);
        }
        self.read(&mut tx, project, &fresh, &stamps, now).await?;
        self.finish(&mut tx, project, now, SMALL).await
    }

    /// Reads all that has changed, and makes one index of all.
    pub async fn catch_up(
        &mut self,
        ctx: &Context,
        project: ProjectId,
        progress: &Progress,
    ) -> anyhow::Result<()> {
        let now = ctx.now();
        let mut from = (self.at.plus_seconds(-OVERLAP), -1);
        let mut done = 0;
        loop {
            let mut tx = ctx.db.read().await?;
            let stamps = explore::changed(&mut tx, project, from, PAGE as i64).await?;
            let fresh = self.fresh(&stamps);
            self.read(&mut tx, project, &fresh, &stamps, now).await?;
            done += stamps.len() as i64;
            progress.check()?;
            let all = counter::progress(&mut tx, project).await?.total;
            progress.note(done, all.max(done), "Indexing");
            let Some(last) = stamps.last().filter(|_| stamps.len() >= PAGE) else {
                self.finish(&mut tx, project, now, usize::MAX).await?;
                drop(tx);
                self.fold(true).await?;
                self.made_at = self.at;
                return Ok(());
            };
            from = (last.updated_at, last.export_id);
            drop(tx);
            if self.rows.len() >= GATHERED {
                self.fold(true).await?;
            }
        }
    }

    /// Those that were not read as they are.
    fn fresh(&self, stamps: &[Stamp]) -> Vec<ItemId> {
        let fresh = stamps.iter().filter(|s| self.seen.get(&s.id) != Some(*s));
        fresh.map(|s| s.id).collect()
    }

    /// Reads items, and notes that they were read.
    async fn read(
        &mut self,
        tx: &mut Tx,
        project: ProjectId,
        items: &[ItemId],
        stamps: &[Stamp],
        now: Timestamp,
    ) -> Result<()> {
        let facts = explore::facts(tx, project, items, now).await?;
        self.put(&facts);
        let since = now.plus_seconds(-OVERLAP);
        let young = stamps.iter().filter(|s| s.updated_at >= since);
        self.seen.extend(young.map(|s| (s.id, *s)));
        Ok(())
    }

    fn put(&mut self, facts: &[Facts]) {
        if facts.is_empty() {
            return;
        }
        let (rows, gone) = (Arc::make_mut(&mut self.rows), Arc::make_mut(&mut self.gone));
        for facts in facts {
            let name = row::name(facts);
            gone.remove(&name);
            rows.insert(name, row::known(facts));
            match facts.item.leased_by {
                Some(by) => self.held.insert(facts.item.id, by),
                None => self.held.remove(&facts.item.id),
            };
        }
        self.stale = true;
    }

    /// Reads who holds what, and leaves out what is no more; `most`: the items whose names may be read for that.
    async fn finish(
        &mut self,
        tx: &mut Tx,
        project: ProjectId,
        now: Timestamp,
        most: usize,
    ) -> Result<Reached> {
        let held: HashMap<ItemId, UserId> = explore::held(tx, project, now).await?.into_iter().collect();
        let other = |id: &&ItemId| held.get(*id) != self.held.get(*id);
        let mut moved: Vec<ItemId> = held
            .keys()
            .chain(self.held.keys())
            .filter(other)
            .copied()
            .collect();
        moved.sort_unstable();
        moved.dedup();
        let facts = explore::facts(tx, project, &moved, now).await?;
        self.put(&facts);
        // Of items that are no more.
        self.held.retain(|id, _| held.contains_key(id));
        self.fold(false).await?;
        let total = counter::progress(tx, project).await?.total;
        if total - self.stack.rows() as i64 != self.drift {
            if self.stack.rows() > most {
                return Ok(Reached::Behind);
            }
            self.compare(tx, project, now).await?;
            self.drift = total - self.stack.rows() as i64;
        }
        self.at = now;
        let since = now.plus_seconds(-OVERLAP);
        self.seen.retain(|_, stamp| stamp.updated_at >= since);
        Ok(Reached::Current)
    }

    /// Compares the names of all items with those of the index.
    async fn compare(&mut self, tx: &mut Tx, project: ProjectId, now: Timestamp) -> Result<()> {
        let (mut names, mut after) = (Vec::new(), 0);
        loop {
            let page = explore::names(tx, project, after, NAMES as i64).await?;
            let Some((last, _)) = page.last() else { break };
            after = *last;
            names.extend(page.into_iter().map(|(_, name)| name));
        }
        let stack = self.stack();
        let compared = tokio::task::spawn_blocking(move || {
            let gone = stack.others(names.iter().map(String::as_str));
            names.retain(|name| !stack.holds(name));
            (gone, names)
        });
        let (gone, missing) = compared.await.map_err(anyhow::Error::from)?;
        let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
        let missing = explore::ids(tx, project, &missing).await?;
        let facts = explore::facts(tx, project, &missing, now).await?;
        self.stale |= !gone.is_empty();
        let rows = Arc::make_mut(&mut self.rows);
        for name in &gone {
            rows.remove(name);
        }
        Arc::make_mut(&mut self.gone).extend(gone);
        self.put(&facts);
        self.fold(false).await
    }

    /// Lays what has changed over the index, or takes it in: always where `whole`, else where the index is small.
    async fn fold(&mut self, whole: bool) -> Result<()> {
        let any = !self.rows.is_empty() || !self.gone.is_empty();
        let merges = any && (whole || self.stack.base().rows() + self.rows.len() <= SMALL);
        if !self.stale && !merges {
            return Ok(());
        }
        let (base, rows, gone) = (
            Arc::clone(self.stack.base()),
            Arc::clone(&self.rows),
            Arc::clone(&self.gone),
        );
        let folded = tokio::task::spawn_blocking(move || {
            let stack = over(base, &rows, &gone);
            if merges {
                over(Arc::new(stack.merged()), &BTreeMap::new(), &BTreeSet::new())
            } else {
                stack
            }
        });
        self.stack = Arc::new(folded.await.map_err(anyhow::Error::from)?);
        self.stale = false;
        if merges {
            (self.rows, self.gone) = (Arc::default(), Arc::default());
        }
        Ok(())
    }
}

fn over(base: Arc<Index>, rows: &BTreeMap<String, Known>, gone: &BTreeSet<String>) -> Stack {
    Stack::new(base, row::index(rows), gone.iter().map(String::as_str))
}
