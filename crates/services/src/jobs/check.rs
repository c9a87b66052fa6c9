//! The job that looks whether the files of a version which were left in their datastores are still there and what they were.

use crate::Context;
use crate::datastores::connect::Live;
use crate::elsewhere::size_of;
use crate::jobs::source::{Failed, fetch_file};
use crate::versions::files::root;
use crate::versions::nodes::DbNodes;
use anyhow::Context as _;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use limn_connect::{ConnectError, Entry as Stored};
use limn_domain::dataset::{CheckFinding, CheckReport, FINDINGS_MAX, Found};
use limn_domain::{Digest, VersionId};
use limn_jobs::{Handler, Permanent, Progress};
use limn_storage::StorageError;
use limn_store::repo;
use limn_store::repo::place::Place;
use limn_versions::{Entry, From, Reader};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// Files of the version looked at together.
const BATCH: usize = 500;
/// Files asked for at once, and read at once.
const ASKED: usize = 16;
const READ: usize = 4;
/// Files in a row that cannot be looked at before the job gives up for now.
const LOST_MAX: i64 = 100;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Payload {
    pub version: VersionId,
    pub full: bool,
}

/// Runs it. Begins anew after a stop.
pub(super) struct CheckJob(pub Context);

#[async_trait::async_trait]
impl Handler for CheckJob {
    async fn run(
        &self,
        payload: serde_json::Value,
        progress: Progress,
    ) -> anyhow::Result<Option<serde_json::Value>> {
        let payload: Payload =
            serde_json::from_value(payload).context("The check's settings cannot be read")?;
        let report = run(&self.0, &payload, &progress)
            .await
            .map_err(super::source::for_people)?;
        Ok(Some(serde_json::to_value(report)?))
    }
}

async fn run(ctx: &Context, payload: &Payload, progress: &Progress) -> anyhow::Result<CheckReport> {
    let mut tx = ctx.db.read().await?;
    let version = repo::version::get(&mut tx, payload.version)
        .await?
        .ok_or_else(|| Permanent("The version was deleted.".to_owned()))?;
    let root = root(&mut tx, &version).await?;
    let mut work = Work {
        ctx,
        progress,
        total: version.files,
        full: payload.full,
        report: CheckReport {
            full: payload.full,
            ..CheckReport::default()
        },
        lost: 0,
    };
    let mut after: Option<String> = None;
    drop(tx);
    loop {
        // A snapshot that is held for hours keeps the database from tidying up.
        let mut tx = ctx.db.read().await?;
        let mut nodes = DbNodes::new(&mut tx);
        let from = after.as_deref().map_or(From::Start, From::After);
        let mut reader = Reader::open(&mut nodes, &root.files, from).await?.to_the_end();
        let mut batch = Vec::with_capacity(BATCH);
        while batch.len() < BATCH {
            match reader.next(&mut nodes).await? {
                Some(entry) => batch.push(entry),
                None => break,
            }
        }
        let Some(last) = batch.last() else { break };
        after = Some(last.key());
        let digests: Vec<Digest> = batch.iter().map(|e| Digest::from(e.blob)).collect();
        let places = repo::place::of(&mut tx, &digests).await?;
        drop(tx);
        work.batch(&batch, places).await?;
    }
    let r = work.report;
    progress
        .log(format!(
            "Of {} files in datastores {} are what they were, {} changed, {} are gone, {} could not be looked at.",
            r.checked, r.unchanged, r.changed, r.gone, r.unknown
        ))
        .await?;
    Ok(r)
}

struct Work<'a> {
    ctx: &'a Context,
    progress: &'a Progress,
    total: i64,
    full: bool,
    report: CheckReport,
    /// Files in a row that could not be looked at.
    lost: i64,
}

/// What was found out about a file: the bytes that were read, or what is wrong.
type Looked = Result<u64, (Found, String)>;

impl Work<'_> {
    async fn batch(&mut self, batch: &[Entry], places: Vec<Place>) -> anyhow::Result<()> {
        let mut by: HashMap<Digest, Vec<Place>> = HashMap::new();
        for place in places {
            by.entry(place.digest.clone()).or_default().push(place);
        }
        let here = self.here(batch).await?;
        let mut wanted: Vec<(&Entry, &Place)> = Vec::new();
        for entry in batch {
            let digest = Digest::from(entry.blob);
            if here.contains(&digest) {
                self.report.here += 1;
                continue;
            }
            self.report.checked += 1;
            match by.get(&digest).and_then(|places| own(places, entry)) {
                Some(place) => wanted.push((entry, place)),
                None => self.wrong(
                    entry,
                    None,
                    Found::Gone,
                    "Its bytes are neither here nor in a datastore.".to_owned(),
                )?,
            }
        }
        self.tell().await?;
        let (ctx, full) = (self.ctx, self.full);
        let at_once = if full { READ } else { ASKED };
        // By number: the compiler does not see that futures over borrowed entries may be sent.
        let list = &wanted;
        let mut all = futures::stream::iter(0..wanted.len())
            .map(move |n| async move { (n, look(ctx, list[n].1, full).await) }.boxed())
            .buffered(at_once);
        while let Some((n, looked)) = all.next().await {
            self.tell().await?;
            let (entry, place) = wanted[n];
            match looked? {
                Ok(bytes) => {
                    self.lost = 0;
                    self.report.unchanged += 1;
                    self.report.bytes += i64::try_from(bytes).unwrap_or(i64::MAX);
                }
                Err((what, detail)) => self.wrong(entry, Some(place), what, detail)?,
            }
        }
        Ok(())
    }

    /// Those contents whose bytes are in the store.
    async fn here(&self, batch: &[Entry]) -> anyhow::Result<HashSet<Digest>> {
        let digests: HashSet<Digest> = batch.iter().map(|e| Digest::from(e.blob)).collect();
        let blobs = self.ctx.blobs.clone();
        let asked = futures::stream::iter(digests).map(move |digest| {
            let blobs = blobs.clone();
            async move { blobs.exists(&digest).await.map(|there| there.then_some(digest)) }
        });
        let found: Vec<Option<Digest>> = asked.buffer_unordered(ASKED).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn tell(&self) -> anyhow::Result<()> {
        let r = &self.report;
        let done = r.here + r.unchanged + r.changed + r.gone + r.unknown;
        let message = format!("Looking at files: {} changed, {} gone", r.changed, r.gone);
        self.progress.report(done, self.total, message).await
    }

    fn wrong(
        &mut self,
        entry: &Entry,
        place: Option<&Place>,
        what: Found,
        detail: String,
    ) -> anyhow::Result<()> {
        let r = &mut self.report;
        match what {
            Found::Changed => r.changed += 1,
            Found::Gone => r.gone += 1,
            Found::Unknown => r.unknown += 1,
        }
        self.lost = if what == Found::Unknown { self.lost + 1 } else { 0 };
        if self.lost > LOST_MAX {
            return Err(StorageError::SourceAway(detail).into());
        }
        if r.findings.len() < FINDINGS_MAX {
            r.findings.push(CheckFinding {
                path: entry.path.clone(),
                lies_at: place.map_or_else(String::new, |p| p.path.clone()),
                datastore: place.map_or_else(String::new, |p| p.datastore.clone()),
                what,
                detail,
            });
        }
        Ok(())
    }
}

/// The place of a file among those of its content: its own where that is known.
fn own<'p>(places: &'p [Place], entry: &Entry) -> Option<&'p Place> {
    places
        .iter()
        .find(|p| p.path == entry.path)
        .or_else(|| places.first())
}

/// Looks at a file. Errors: this server.
async fn look(ctx: &Context, place: &Place, full: bool) -> anyhow::Result<Looked> {
    let live = match ctx.elsewhere.open(ctx, place).await {
        Ok(live) => live,
        Err(StorageError::SourceAway(text)) => return Ok(Err((Found::Unknown, text))),
        Err(e) => return Err(e.into()),
    };
    if full {
        read(ctx, &live, place).await
    } else {
        Ok(ask(&live, place).await)
    }
}

/// By what the datastore says of it.
async fn ask(live: &Live, place: &Place) -> Looked {
    let stat = match live.opened.files() {
        Ok(files) => files.stat(&place.path).await,
        Err(e) => Err(e),
    };
    let now = stat.map_err(|e| said(&e))?;
    if now.is_folder {
        return Err((Found::Gone, "A folder is there now.".to_owned()));
    }
    let size = size_of(place);
    if let Some(other) = now.size.filter(|s| *s != size) {
        return Err((Found::Changed, format!("It has {other} bytes and had {size}.")));
    }
    if now.tag == place.tag && !now.tag.is_empty() {
        return Ok(0);
    }
    if now.tag.is_empty() || place.tag.is_empty() {
        let why = "The datastore does not say whether it changed; check by reading.";
        return Err((Found::Unknown, why.to_owned()));
    }
    let why = "The datastore says that it was written since, at the same size; a check by reading tells whether its content differs.";
    Err((Found::Changed, why.to_owned()))
}

/// By its content.
async fn read(ctx: &Context, live: &Live, place: &Place) -> anyhow::Result<Looked> {
    let size = size_of(place);
    let listed = Stored {
        is_folder: false,
        size: Some(size),
        ..Stored::folder(place.path.clone())
    };
    Ok(match fetch_file(ctx, live, &listed, size).await {
        Ok(staged) if *staged.digest() == place.digest => Ok(staged.len()),
        Ok(staged) if staged.len() == size => Err((Found::Changed, "Its content is another one.".to_owned())),
        Ok(staged) => Err((
            Found::Changed,
            format!("It has {} bytes and had {size}.", staged.len()),
        )),
        Err(Failed::Storage(e)) if e.is_too_large() => Err((
            Found::Changed,
            format!("It has more bytes than the {size} it had."),
        )),
        Err(Failed::Storage(e)) => return Err(e.into()),
        Err(Failed::Store(e)) => Err(said(&e)),
    })
}

fn said(e: &ConnectError) -> (Found, String) {
    let what = match e {
        ConnectError::NotFound(_) => Found::Gone,
        ConnectError::Changed(_) => Found::Changed,
        _ => Found::Unknown,
    };
    (what, e.to_string())
}
