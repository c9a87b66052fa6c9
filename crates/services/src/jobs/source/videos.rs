//! Video files of a datastore: fetched to a temporary file, taken apart as those of an import, and noted one by one.

use super::{Look, Refresh, Step, Stop, Took, fetch, lost, placed, step, unread};
use crate::datastores::connect::Live;
use crate::ingest::NewVideo;
use crate::jobs::videos;
use limn_connect::Entry;
use limn_domain::datastore::FileState;
use limn_domain::item::Item;
use limn_jobs::Cancelled;
use limn_storage::Staged;
use limn_storage::video::{Decoded, VideoError, is_there};
use limn_store::repo::source::SeenFile;
use limn_store::{StoreError, repo};

/// What is said of a video that became an item: how it was decoded, and how many frames it has.
type Whole = (Decoded, usize);

impl Refresh<'_> {
    /// Takes a video and writes down what became of it.
    pub(super) async fn take_video(&mut self, live: &mut Live, look: &Look) -> anyhow::Result<()> {
        let path = &look.entry.path;
        let mut is_first = true;
        let (took, whole) = loop {
            match self.video(live, look).await {
                Ok(taken) => break taken,
                Err(Stop::Store(e)) if e.is_refusal() => {
                    let refused = [(path.clone(), e)];
                    if !self.refused(live, &refused, is_first).await? {
                        break (lost(&refused[0].1, look.known.clone()), None);
                    }
                    is_first = false;
                }
                Err(e) => {
                    self.progress.check()?;
                    return Err(e.at(path, &live.name));
                }
            }
        };
        let seen = self.count(&look.entry, took);
        if let Some((decoded, frames)) = whole {
            videos::say_damage(&mut self.findings, &decoded, frames);
        }
        self.note(seen.into_iter().collect()).await?;
        self.tell().await
    }

    async fn video(&mut self, live: &Live, look: &Look) -> Result<(Took, Option<Whole>), Stop> {
        let limit = self.ctx.limits.upload_bytes;
        let (entry, name) = match step(live, look, limit).await? {
            Step::Read(entry, name) => (entry, name),
            Step::Decided(took) => return Ok((took, None)),
        };
        let known = look.known.as_ref();
        // Before anything is fetched for nothing.
        if !self.has_ffmpeg().await {
            return Ok((no_program(&name, &VideoError::NoProgram, known), None));
        }
        let (staged, entry) = match self.fetched(live, &entry, &name, limit).await? {
            Ok(fetched) => (fetched.staged, fetched.entry),
            Err(e) => return Ok((unread(e, entry, &name, known)?, None)),
        };
        let (digest, bytes) = (staged.digest().clone(), staged.len());
        if let Some(made) = known.and_then(|k| k.digest.as_ref()) {
            if *made == digest {
                // The same content under another tag.
                self.report.bytes += i64::try_from(bytes).unwrap_or(i64::MAX);
                let same = SeenFile {
                    path: entry.path,
                    byte_size: i64::try_from(bytes).unwrap_or(i64::MAX),
                    tag: entry.tag,
                    state: FileState::Taken,
                    digest: Some(digest),
                };
                return Ok((Took::AsBefore(same), None));
            }
            if self.item(&name).await?.is_some() {
                // Other content; taking it apart would tell no more.
                self.report.bytes += i64::try_from(bytes).unwrap_or(i64::MAX);
                return Ok((Took::Changed(entry, Some(made.clone())), None));
            }
        }
        let (new, decoded) = match self.apart(staged, &name).await? {
            Ok(taken) => taken,
            Err(VideoError::Cancelled) => return Err(Stop::Own(Cancelled.into())),
            Err(e @ VideoError::NoProgram) => return Ok((no_program(&name, &e, known), None)),
            Err(e) => {
                return match videos::refusal(&name, &e) {
                    Some((code, why)) => Ok((Took::Refused(entry, code, why), None)),
                    None => Err(Stop::Own(e.into())),
                };
            }
        };
        let frames = new.len();
        let added = new
            .register(self.ctx, self.source.project_id, &name, &decoded.times_us)
            .await;
        let whole = added.is_ok().then_some((decoded, frames));
        Ok((placed(added, (entry, bytes), Some(digest), known)?, whole))
    }

    /// Fetches a file, says how far that is, and stops when the job is told to.
    async fn fetched(
        &self,
        live: &Live,
        entry: &Entry,
        name: &str,
        limit: u64,
    ) -> Result<Result<fetch::Fetched, fetch::Failed>, Stop> {
        let total = entry.size.and_then(|s| i64::try_from(s).ok()).unwrap_or(0);
        let message = format!("Fetching {name}");
        let told = |at: u64| {
            self.progress
                .note(i64::try_from(at).unwrap_or(i64::MAX), total, message.clone());
        };
        tokio::select! {
            fetched = fetch::watched(self.ctx, live, entry, limit, &told) => Ok(fetched),
            () = self.progress.token().cancelled() => Err(Stop::Own(Cancelled.into())),
        }
    }

    async fn apart(
        &self,
        staged: Staged,
        name: &str,
    ) -> Result<Result<(NewVideo, Decoded), VideoError>, Stop> {
        let (ctx, progress, name) = (self.ctx.clone(), self.progress.clone(), name.to_owned());
        let taken = tokio::task::spawn_blocking(move || {
            // The file lasts as long as what was staged.
            let taken = videos::take_apart(&ctx, &staged.source(), &name, &progress);
            drop(staged);
            taken
        });
        taken.await.map_err(|e| Stop::Own(e.into()))
    }

    /// The item of a name, whatever it was made of.
    pub(super) async fn item(&self, name: &str) -> Result<Option<Item>, Stop> {
        let found = async {
            let mut tx = self.ctx.db.read().await?;
            repo::item::find_by_name(&mut tx, self.source.project_id, name).await
        };
        found.await.map_err(|e: StoreError| Stop::Own(e.into()))
    }

    async fn has_ffmpeg(&mut self) -> bool {
        if let Some(known) = self.ffmpeg {
            return known;
        }
        let program = self.ctx.limits.ffmpeg.clone();
        let found = tokio::task::spawn_blocking(move || is_there(&program))
            .await
            .unwrap_or(true);
        self.ffmpeg = Some(found);
        found
    }
}

/// A video that waits for the program.
fn no_program(name: &str, e: &VideoError, known: Option<&SeenFile>) -> Took {
    let (code, why) = videos::refusal(name, e).unwrap_or(("no_ffmpeg", e.to_string()));
    Took::Later(code, why, known.cloned())
}
