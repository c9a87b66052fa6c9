//! The refresh of a project from a datastore, or by [`dataset`] from a dataset: what is new becomes items; what changed or
//! vanished is reported and breaks nothing.
//!
//! Of each file of a datastore is kept what the store said of it, page by page: a second run, after a stop or at the next refresh, reads
//! only what is new or different.

mod dataset;
mod fetch;
mod labels;
mod refusals;
mod sequences;
mod videos;
mod walk;

pub(crate) use fetch::{Failed, Stop, fetch_file, for_people, with_entry};
pub(crate) use refusals::{Refusals, rotated};
pub(crate) use walk::Matching;

use crate::datastores::connect::{Live, live};
use crate::jobs::import::pictures::{code, is_refusal};
use crate::{Context, Error, ingest};
use anyhow::Context as _;
use futures::StreamExt as _;
use limn_connect::{ConnectError, Entry};
use limn_domain::datastore::{FileState, ProjectSource, SourceReport};
use limn_domain::item::AddItemOutcome;
use limn_domain::project::{Media, Task};
use limn_domain::{
    ApiError, Code, DatastoreId, Digest, SourceId, Timestamp, UserId, VersionId, validate, video,
};
use limn_formats::{Detail, Findings};
use limn_jobs::{Cancelled, Handler, Permanent, Progress};
use limn_storage::ImageKind;
use limn_store::repo::source::SeenFile;
use limn_store::{StoreError, repo};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// Files read at once.
const AT_ONCE: usize = 6;
/// Files whose state is written down together.
const TOGETHER: usize = 50;
/// Vanished files that are named.
const NAMED: i64 = 100;

/// What a refresh is given. No credential: those are read when it runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Payload {
    pub source: SourceId,
    pub user: Option<UserId>,
    pub user_name: String,
}

/// Runs refreshes.
pub(super) struct SourceJob(pub Context);

#[async_trait::async_trait]
impl Handler for SourceJob {
    async fn run(
        &self,
        payload: serde_json::Value,
        progress: Progress,
    ) -> anyhow::Result<Option<serde_json::Value>> {
        let payload: Payload =
            serde_json::from_value(payload).context("The refresh's settings cannot be read")?;
        let report = run(&self.0, &payload, &progress).await.map_err(for_people)?;
        Ok(Some(serde_json::to_value(report)?))
    }
}

/// A refresh under way.
struct Refresh<'a> {
    ctx: &'a Context,
    progress: &'a Progress,
    source: ProjectSource,
    store: DatastoreId,
    task: Task,
    began: Timestamp,
    findings: Findings,
    report: SourceReport,
    /// Files that match and are nothing for this project.
    passed: u64,
    /// Videos among them, where labels are not tracks.
    no_tracks: u64,
    /// Pictures that are frames, by folder, until all of them are known.
    frames: BTreeMap<String, Vec<Entry>>,
    /// How many those are.
    gathered: usize,
    /// Whether there is a program that takes videos apart, once it was needed.
    ffmpeg: Option<bool>,
    refusals: Refusals,
}

/// What is known of a file and what the store says now.
struct Look {
    entry: Entry,
    known: Option<SeenFile>,
}

async fn run(ctx: &Context, payload: &Payload, progress: &Progress) -> anyhow::Result<SourceReport> {
    let mut tx = ctx.db.read().await?;
    let source = repo::source::get(&mut tx, payload.source)
        .await?
        .ok_or_else(|| Permanent("The source was removed from the project.".to_owned()))?;
    let (name, task) = repo::transfer::title(&mut tx, source.project_id)
        .await?
        .ok_or_else(|| Permanent("The project was deleted.".to_owned()))?;
    drop(tx);
    let Some(store) = source.datastore_id else {
        return dataset::run(ctx, payload, progress, source, (name, task)).await;
    };
    let mut live = live(ctx, store).await?;
    let mut refresh = Refresh {
        ctx,
        progress,
        task,
        // Later than whatever an earlier run has noted.
        began: ctx
            .now()
            .max(source.last_at.map_or(Timestamp(0), |t| Timestamp(t.0 + 1))),
        findings: Findings::default(),
        report: SourceReport::default(),
        passed: 0,
        no_tracks: 0,
        frames: BTreeMap::new(),
        gathered: 0,
        ffmpeg: None,
        refusals: Refusals::default(),
        store,
        source,
    };
    refresh.go(&mut live).await?;
    refresh.close(payload).await
}

impl Refresh<'_> {
    async fn go(&mut self, live: &mut Live) -> anyhow::Result<()> {
        self.progress
            .report(0, 0, format!("Looking into {}", live.name))
            .await?;
        let glob = self.source.glob.clone();
        // The list is walked with what the walk was begun with; files are read with what is valid then.
        let walked = crate::datastores::connect::live(self.ctx, self.store).await?;
        let mut walk = Matching::new(&walked, &glob)?;
        while let Some(page) = walk.next().await? {
            self.report.matched += page.len() as i64;
            let (files, videos) = self.wanted(page);
            if self.source.sequence.is_some() {
                self.gather(files)?;
            } else {
                let looks = self.looks(files).await?;
                for part in looks.chunks(TOGETHER) {
                    self.take(live, part).await?;
                }
            }
            for look in self.looks(videos).await? {
                self.take_video(live, &look).await?;
            }
            self.tell().await?;
        }
        if self.report.matched == 0 {
            return Err(Permanent(walk.nothing()).into());
        }
        self.take_sequences(live).await?;
        self.refusals.settle(self.progress, live).await
    }

    /// What is known of files.
    async fn looks(&self, entries: Vec<Entry>) -> anyhow::Result<Vec<Look>> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let paths: Vec<String> = entries.iter().map(|e| e.path.clone()).collect();
        let known = repo::source::known(&mut self.ctx.db.read().await?, self.source.id, &paths).await?;
        let mut known: HashMap<String, SeenFile> = known.into_iter().map(|f| (f.path.clone(), f)).collect();
        let look = |entry: Entry| Look {
            known: known.remove(&entry.path),
            entry,
        };
        Ok(entries.into_iter().map(look).collect())
    }

    async fn tell(&self) -> anyhow::Result<()> {
        let r = &self.report;
        let seen =
            r.unchanged + r.changed + r.report.items_added + r.report.items_unchanged + r.report.refused;
        let message = format!(
            "Reading files: {} new, {} as before",
            r.report.items_added, r.unchanged
        );
        self.progress.report(seen, 0, message).await
    }

    /// Those of a page that can be items of the project, or frames of one: files that are taken as they are, and videos.
    fn wanted(&mut self, page: Vec<Entry>) -> (Vec<Entry>, Vec<Entry>) {
        let media = self.task.media();
        let (mut files, mut videos) = (Vec::new(), Vec::new());
        for entry in page {
            let fits = match media {
                Media::Image => ImageKind::from_name(&entry.path).is_some(),
                Media::Text => entry.path.to_lowercase().ends_with(".txt"),
            };
            if fits {
                files.push(entry);
            } else if media == Media::Image && video::is_video_name(&entry.path) {
                if self.task.takes_videos() {
                    videos.push(entry);
                } else {
                    self.no_tracks += 1;
                }
            } else {
                self.passed += 1;
            }
        }
        (files, videos)
    }

    /// Takes some files and writes down what became of them.
    async fn take(&mut self, live: &mut Live, part: &[Look]) -> anyhow::Result<()> {
        let mut rest: Vec<usize> = (0..part.len()).collect();
        for round in 0.. {
            let outcomes: Vec<(usize, Result<Took, Stop>)> = {
                let own = &*live;
                let ctx = self.ctx;
                let late = fetch::overdue(self.progress);
                let (project, media) = (self.source.project_id, self.task.media());
                let all = futures::stream::iter(rest.iter().copied())
                    .map(move |n| async move { (n, one(ctx, own, project, media, &part[n]).await) })
                    .buffered(AT_ONCE)
                    .collect::<Vec<_>>();
                tokio::select! {
                    all = all => all,
                    () = late => return Err(Cancelled.into()),
                }
            };
            let mut seen = Vec::with_capacity(outcomes.len());
            let mut denied = Vec::new();
            let mut stop = None;
            for (n, outcome) in outcomes {
                match outcome {
                    Ok(took) => {
                        if let Some(file) = self.count(&part[n].entry, took) {
                            seen.push(file);
                        }
                    }
                    Err(Stop::Store(e)) if e.is_refusal() => denied.push((n, e)),
                    Err(e) => {
                        stop = stop.or(Some((n, e)));
                    }
                }
            }
            self.note(seen).await?;
            if let Some((n, e)) = stop {
                return Err(e.at(&part[n].entry.path, &live.name));
            }
            self.progress.check()?;
            if denied.is_empty() {
                return Ok(());
            }
            let refused: Vec<(String, ConnectError)> = denied
                .iter()
                .map(|(n, e)| (part[*n].entry.path.clone(), e.clone()))
                .collect();
            if !self.refused(live, &refused, round == 0).await? {
                let mut left = Vec::new();
                for (n, e) in denied {
                    left.extend(self.count(&part[n].entry, lost(&e, part[n].known.clone())));
                }
                return self.note(left).await;
            }
            rest = denied.into_iter().map(|(n, _)| n).collect();
        }
        Ok(())
    }

    /// Writes down what became of files.
    async fn note(&self, seen: Vec<SeenFile>) -> anyhow::Result<()> {
        let (source, began) = (self.source.id, self.began);
        self.ctx
            .db
            .write::<_, StoreError, _>(move |tx| {
                Box::pin(async move { repo::source::note(tx, source, &seen, began).await })
            })
            .await
            .map_err(|e| match e {
                StoreError::ForeignKey(_) => Permanent("The source was removed meanwhile.".to_owned()).into(),
                e => anyhow::Error::new(e),
            })
    }

    /// Counts what became of a file; answers what is kept of it.
    fn count(&mut self, entry: &Entry, took: Took) -> Option<SeenFile> {
        self.findings.set_file(entry.path.clone());
        match &took {
            // What stands for a folder of frames is no file.
            _ if entry.is_folder => {}
            Took::Item { .. } | Took::Changed(..) => self.refusals.readable(&entry.path, true),
            Took::AsBefore(_) | Took::Refused(..) => self.refusals.readable(&entry.path, false),
            Took::Later(..) => {}
        }
        let file = |entry: Entry, state, digest| SeenFile {
            path: entry.path,
            byte_size: entry.size.and_then(|s| i64::try_from(s).ok()).unwrap_or(-1),
            tag: entry.tag,
            state,
            digest,
        };
        match took {
            Took::AsBefore(known) => {
                match known.state {
                    FileState::Changed => self.report.changed += 1,
                    FileState::Taken | FileState::Refused => self.report.unchanged += 1,
                }
                Some(known)
            }
            Took::Item {
                entry,
                bytes,
                outcome,
                digest,
            } => {
                self.report.bytes += bytes;
                let report = self.findings.report_mut();
                match outcome {
                    AddItemOutcome::Added { .. } => report.items_added += 1,
                    AddItemOutcome::Unchanged { .. } => report.items_unchanged += 1,
                }
                Some(file(entry, FileState::Taken, Some(digest)))
            }
            Took::Changed(entry, digest) => {
                self.report.changed += 1;
                self.findings.note("changed", || {
                    Detail::new(if entry.is_folder {
                        "This folder has other frames now. The item that was made of them, and its labels, stay as they were."
                    } else {
                        "This file has other content now. The item that was made of it, and its labels, stay as they were."
                    })
                });
                Some(file(entry, FileState::Changed, digest))
            }
            Took::Refused(entry, code, why) => {
                self.findings.refused(code, || Detail::new(why));
                Some(file(entry, FileState::Refused, None))
            }
            Took::Later(code, why, known) => {
                self.findings.refused(code, || Detail::new(why));
                known
            }
        }
    }

    async fn close(mut self, payload: &Payload) -> anyhow::Result<SourceReport> {
        let (source, began) = (self.source.id, self.began);
        let (vanished, named) =
            repo::source::vanished(&mut self.ctx.db.read().await?, source, began, NAMED).await?;
        self.report.vanished = vanished;
        for path in named {
            self.findings.set_file(path);
            self.findings.note("vanished", || {
                Detail::new("This file is not there any more. The item that was made of it stays.")
            });
        }
        self.findings.set_file("");
        let passed = self.passed;
        if passed > 0 {
            let what = if self.task.media() == Media::Text {
                "text files (.txt)"
            } else {
                "pictures or videos"
            };
            self.findings.note("passed_over", || {
                Detail::new(format!(
                    "{passed} files that match are no {what} and were passed over."
                ))
            });
        }
        let (videos, task) = (self.no_tracks, self.task.label().to_lowercase());
        if videos > 0 {
            self.findings.note("no_videos_here", || {
                Detail::new(format!(
                    "{videos} videos that match were passed over: the labels of this project ({task}) are not tracks."
                ))
            });
        }
        let mut report = self.report;
        report.report = self.findings.into_report();
        let end = End {
            report,
            from: self.source.name().to_owned(),
            at: self.ctx.now().max(began),
            arrived: None,
        };
        end.write(self.ctx, self.progress, payload, &self.source).await
    }
}

/// The end of a refresh.
struct End {
    report: SourceReport,
    /// What it took from, in words.
    from: String,
    at: Timestamp,
    /// The version of a dataset that is taken now, whole.
    arrived: Option<VersionId>,
}

impl End {
    /// Writes down what was found, and answers it.
    async fn write(
        self,
        ctx: &Context,
        progress: &Progress,
        payload: &Payload,
        source: &ProjectSource,
    ) -> anyhow::Result<SourceReport> {
        let (report, at, arrived) = (self.report, self.at, self.arrived);
        let summary = format!(
            "took {} new items from “{}” ({} changed, {} vanished)",
            report.report.items_added, self.from, report.changed, report.vanished
        );
        // The findings are the job's; the row of the source keeps the figures.
        let mut figures = report.clone();
        figures.report.entries.clear();
        let (id, project) = (source.id, source.project_id);
        let (user, name, line) = (payload.user, payload.user_name.clone(), summary.clone());
        ctx.db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    if let Some(version) = arrived
                        && !repo::source::going::arrive(tx, id, version).await?
                    {
                        return Err(dataset::lost(tx, id, version).await);
                    }
                    repo::source::finish(tx, id, &figures, at).await?;
                    super::audit_as(tx, user, &name, project, "source.refresh", &line, at).await
                })
            })
            .await?;
        progress
            .log(format!("Matched {} files: {summary}.", report.matched))
            .await?;
        Ok(report)
    }
}

/// What became of a file, or of a folder of frames.
enum Took {
    AsBefore(SeenFile),
    Item {
        entry: Entry,
        bytes: i64,
        outcome: AddItemOutcome,
        /// Of what became the item.
        digest: Digest,
    },
    /// With what became the item, where that is known.
    Changed(Entry, Option<Digest>),
    /// With a code and why.
    Refused(Entry, &'static str, String),
    /// It went, would not hold still, or may not be read, or there is no program that reads it. Not noted, so that the next refresh
    /// looks again; what was known stays.
    Later(&'static str, String, Option<SeenFile>),
}

/// What is to be done with a file.
enum Step {
    /// To be read, with the name of its item.
    Read(Entry, String),
    Decided(Took),
}

/// Looks at a file as far as that goes without reading it; `limit`: most bytes of one.
async fn step(live: &Live, look: &Look, limit: u64) -> Result<Step, Stop> {
    let mut entry = look.entry.clone();
    if let Some(known) = &look.known {
        // Where a list says little, the file itself is asked.
        if entry.tag.is_empty() || entry.size.is_none() {
            entry = match live.opened.files()?.stat(&entry.path).await {
                Ok(entry) => entry,
                Err(e) if e.is_of_file() => return Ok(Step::Decided(lost(&e, look.known.clone()))),
                Err(e) => return Err(e.into()),
            };
        }
        let size = entry.size.and_then(|s| i64::try_from(s).ok()).unwrap_or(-1);
        if !entry.tag.is_empty() && known.tag == entry.tag && known.byte_size == size {
            return Ok(Step::Decided(Took::AsBefore(known.clone())));
        }
    }
    let name = match validate::item_name(&entry.path) {
        Ok(name) => name,
        Err(e) => return Ok(Step::Decided(refused(entry, ApiError::field("name", e)))),
    };
    if entry.size.is_some_and(|s| s > limit) {
        let e = ApiError::new(
            Code::TooLarge,
            format!("`{name}` is larger than the {} MB that are taken.", limit >> 20),
        );
        return Ok(Step::Decided(refused(entry, e)));
    }
    Ok(Step::Read(entry, name))
}

fn refused(entry: Entry, e: ApiError) -> Took {
    Took::Refused(entry, code(&e), e.message)
}

fn lost(e: &ConnectError, known: Option<SeenFile>) -> Took {
    // What is gone is among the vanished.
    let known = known.filter(|_| !matches!(e, ConnectError::NotFound(_)));
    Took::Later("not_readable", e.to_string(), known)
}

/// What a file that was not read is.
fn unread(failed: Failed, entry: Entry, name: &str, known: Option<&SeenFile>) -> Result<Took, Stop> {
    match failed {
        Failed::Store(e) if e.is_of_file() => Ok(lost(&e, known.cloned())),
        Failed::Store(e) => Err(e.into()),
        Failed::Storage(e) => match ingest::refusal(name, e) {
            Error::Api(e) if is_refusal(&e) => Ok(refused(entry, e)),
            e => Err(Stop::Own(e.into())),
        },
    }
}

/// What a file that was read is; `digest` is that of the item when absent.
fn placed(
    added: Result<AddItemOutcome, Error>,
    (entry, bytes): (Entry, u64),
    digest: Option<Digest>,
    known: Option<&SeenFile>,
) -> Result<Took, Stop> {
    match added {
        Ok(outcome) => {
            let (AddItemOutcome::Added { item } | AddItemOutcome::Unchanged { item }) = &outcome;
            Ok(Took::Item {
                digest: digest.unwrap_or_else(|| item.digest.clone()),
                entry,
                bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
                outcome,
            })
        }
        Err(Error::Api(e)) if e.code == Code::AlreadyExists => Ok(match known {
            Some(known) if known.state != FileState::Refused => Took::Changed(entry, known.digest.clone()),
            _ => refused(entry, e),
        }),
        Err(Error::Api(e)) if is_refusal(&e) => Ok(refused(entry, e)),
        Err(e) => Err(Stop::Own(e.into())),
    }
}

async fn one(
    ctx: &Context,
    live: &Live,
    project: limn_domain::ProjectId,
    media: Media,
    look: &Look,
) -> Result<Took, Stop> {
    let limit = ingest::bytes_max(ctx, media);
    let (entry, name) = match step(live, look, limit).await? {
        Step::Read(entry, name) => (entry, name),
        Step::Decided(took) => return Ok(took),
    };
    let known = look.known.as_ref();
    let (staged, entry) = match fetch::with_entry(ctx, live, &entry, limit).await {
        Ok(fetched) => (fetched.staged, fetched.entry),
        Err(e) => return unread(e, entry, &name, known),
    };
    let bytes = staged.len();
    let added = match ingest::check_staged(ctx, project, media, &name, staged).await {
        Ok(checked) => ingest::register(ctx, project, checked).await,
        Err(e) => Err(e),
    };
    placed(added, (entry, bytes), None, known)
}
