//! Files that a store does not let this server have. One by itself is left out and named. Where none can be had, it is the
//! credentials, which ends the job. What tells the two apart is a file that could be read: it is asked for again.

use super::{Refresh, Stop, fetch};
use crate::Context;
use crate::datastores::connect::{self, Live};
use futures::StreamExt as _;
use limn_connect::ConnectError;
use limn_domain::DatastoreId;
use limn_jobs::{Cancelled, Progress};

/// Files that may be refused before there is one that can be read.
const REFUSED_MAX: usize = 1_000;
/// Files that are kept in mind to be asked for again.
const KEPT: usize = 3;

/// What is known of refusals so far.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    readable: Vec<Readable>,
    /// Files that were refused while there was none to ask for, and the first of them.
    open: usize,
    first: Option<(String, ConnectError)>,
}

/// A file that could be read.
#[derive(Debug)]
struct Readable {
    path: String,
    /// In this run: when it is refused now, what changed are the rights of the credentials.
    lately: bool,
}

/// What asking for those files again says.
enum Answer {
    Opens,
    Refused,
    Nothing,
}

impl Refusals {
    /// Keeps a file in mind that was read in this run (`lately`), or may be one that can be read.
    pub fn readable(&mut self, path: &str, lately: bool) {
        if !lately && self.readable.len() >= KEPT {
            return;
        }
        let at = if lately { 0 } else { self.readable.len() };
        let path = path.to_owned();
        self.readable.insert(at, Readable { path, lately });
        self.readable.truncate(KEPT);
    }

    /// Files that were refused, by path, are to be left out. Errors: it is the credentials that are refused, or the store has
    /// trouble.
    pub async fn judge(
        &mut self,
        progress: &Progress,
        live: &Live,
        refused: &[(String, ConnectError)],
    ) -> anyhow::Result<()> {
        for (path, e) in refused {
            if !matches!(e, ConnectError::Forbidden(_)) {
                return Err(Stop::Store(e.clone()).at(path, &live.name));
            }
        }
        let Some((path, e)) = refused.first() else {
            return Ok(());
        };
        match self.ask(progress, live).await? {
            Answer::Opens => {
                (self.open, self.first) = (0, None);
                Ok(())
            }
            Answer::Refused => Err(Stop::Store(e.clone()).at(path, &live.name)),
            Answer::Nothing => {
                self.open += refused.len();
                let (path, e) = self.first.get_or_insert_with(|| (path.clone(), e.clone()));
                if self.open > REFUSED_MAX {
                    return Err(Stop::Store(e.clone()).at(path, &live.name));
                }
                Ok(())
            }
        }
    }

    /// At the end: files were refused, and none could be read.
    pub async fn settle(&mut self, progress: &Progress, live: &Live) -> anyhow::Result<()> {
        let Some((path, e)) = self.first.take() else {
            return Ok(());
        };
        match self.ask(progress, live).await? {
            Answer::Opens => Ok(()),
            Answer::Refused | Answer::Nothing => Err(Stop::Store(e).at(&path, &live.name)),
        }
    }

    async fn ask(&mut self, progress: &Progress, live: &Live) -> anyhow::Result<Answer> {
        let late = fetch::overdue(progress);
        tokio::select! {
            answer = self.answer(live) => answer,
            () = late => Err(Cancelled.into()),
        }
    }

    async fn answer(&mut self, live: &Live) -> anyhow::Result<Answer> {
        while let Some(file) = self.readable.first() {
            match opens(live, &file.path).await {
                Ok(()) => return Ok(Answer::Opens),
                Err(e) if e.is_refusal() && file.lately => return Ok(Answer::Refused),
                // One that was read in an earlier run may be refused by itself by now.
                Err(e) if e.is_refusal() || e.is_of_file() => {}
                Err(e) => return Err(Stop::Store(e).at(&file.path, &live.name)),
            }
            self.readable.remove(0);
        }
        Ok(Answer::Nothing)
    }
}

/// Asks for the beginning of a file.
async fn opens(live: &Live, path: &str) -> limn_connect::Result<()> {
    let mut reading = live.opened.files()?.read(path, 0).await?;
    match reading.body.next().await {
        Some(Err(e)) => Err(e),
        Some(Ok(_)) | None => Ok(()),
    }
}

/// Takes up credentials that were rotated since a job began; `false` when they are what they were.
pub(crate) async fn rotated(
    ctx: &Context,
    progress: &Progress,
    store: DatastoreId,
    live: &mut Live,
) -> anyhow::Result<bool> {
    let now = connect::live(ctx, store).await?;
    if now.sealed == live.sealed {
        return Ok(false);
    }
    progress
        .log("The credentials were rotated; going on with the new ones.")
        .await?;
    *live = now;
    Ok(true)
}

impl Refresh<'_> {
    /// What to do about files that were refused, by path: `true` when they are worth another try, since the credentials were
    /// rotated meanwhile; else they are left out.
    pub(super) async fn refused(
        &mut self,
        live: &mut Live,
        refused: &[(String, ConnectError)],
        is_first: bool,
    ) -> anyhow::Result<bool> {
        self.progress.check()?;
        if is_first && rotated(self.ctx, self.progress, self.store, live).await? {
            return Ok(true);
        }
        self.refusals.judge(self.progress, live, refused).await?;
        Ok(false)
    }
}
