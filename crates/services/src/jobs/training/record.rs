//! What a training tells, written down: figures into the run, progress into the job, checkpoints onto the disk.

use super::Work;
use crate::Context;
use crate::runs::Runs;
use crate::training::port::{Event, Named};
use anyhow::Context as _;
use limn_domain::RunId;
use limn_domain::run::{NewPoint, RunBatch};
use limn_store::repo;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Figures are written so often, or when so many wait.
const EVERY: Duration = Duration::from_secs(2);
const WAITING: usize = 400;
/// Tries to write them before the attempt is given up.
const TRIES: u32 = 4;

pub(super) struct Record<'a> {
    work: &'a Work<'a>,
    runs: Runs,
    steps: usize,
    /// The step it began after, and when the first one came.
    from: usize,
    began: Option<(usize, Instant)>,
    latest: usize,
    /// The step up to which each figure was logged, by an earlier attempt too.
    logged: HashMap<String, i64>,
    waiting: Vec<NewPoint>,
    written: Instant,
    loss: Option<f64>,
}

impl<'a> Record<'a> {
    pub async fn open(work: &'a Work<'a>, steps: usize, from: usize) -> anyhow::Result<Self> {
        let mut tx = work.ctx.db.read().await?;
        let known = repo::metric::of_run(&mut tx, work.payload.run).await?;
        let logged = known.into_iter().map(|(m, _)| (m.key, m.last.step)).collect();
        work.progress
            .note(from as i64, steps as i64, format!("Step {from} of {steps}"));
        Ok(Self {
            work,
            runs: Runs::new(work.ctx.clone()),
            steps,
            from,
            began: None,
            latest: from,
            logged,
            waiting: Vec::new(),
            written: Instant::now(),
            loss: None,
        })
    }

    pub async fn take(&mut self, event: Event) -> anyhow::Result<()> {
        match event {
            Event::Step { step, figures } => {
                self.latest = step;
                // The first step of a process is slow and says little about the others; what comes before it is none.
                if self.began.is_none() && step > self.from {
                    self.began = Some((step, Instant::now()));
                }
                self.loss = figures.iter().find(|f| f.0 == "loss").map(|f| f.1).or(self.loss);
                self.add(step, figures);
                self.tell();
            }
            Event::Judged { step, figures } => self.add(step, figures),
            Event::Checkpoint { step, state } => {
                self.flush().await?;
                let path = self.work.folder.join("checkpoint");
                let version = self.work.trainer.version();
                let own = path.clone();
                tokio::task::spawn_blocking(move || write_checkpoint(&own, version, step, &state))
                    .await?
                    .context("The checkpoint cannot be written")?;
                // Another process may have to go on. Without, it would begin again, which is no reason to stop.
                let (blobs, run) = (&self.work.ctx.blobs, self.work.payload.run);
                if let Err(e) = blobs.share(&name(run), &path).await {
                    tracing::warn!(error = %e, "the checkpoint of a training is kept by this process alone");
                }
            }
        }
        if self.waiting.len() >= WAITING || self.written.elapsed() >= EVERY {
            self.flush().await?;
        }
        Ok(())
    }

    fn add(&mut self, step: usize, figures: Vec<Named>) {
        let (step, at) = (
            i64::try_from(step).unwrap_or(i64::MAX),
            self.work.ctx.now().0 / 1000,
        );
        for (key, value) in figures {
            if self.logged.get(&key).is_none_or(|last| *last < step) {
                self.logged.insert(key.clone(), step);
                self.waiting.push(NewPoint::new(key, step, at, value));
            }
        }
    }

    /// Writes what waits. Durable when it returns.
    pub async fn flush(&mut self) -> anyhow::Result<()> {
        self.written = Instant::now();
        if self.waiting.is_empty() {
            return Ok(());
        }
        let batch = RunBatch {
            metrics: std::mem::take(&mut self.waiting),
            ..RunBatch::default()
        };
        let mut tries = 0;
        loop {
            tries += 1;
            let run = self.work.payload.run;
            match self.runs.log(&self.work.actor, run, batch.clone()).await {
                Err(crate::Error::Store(e)) if tries < TRIES => {
                    tracing::warn!(error = %e, "figures of a training wait to be written");
                    tokio::time::sleep(Duration::from_secs(u64::from(tries))).await;
                }
                other => return Ok(other?),
            }
        }
    }

    fn tell(&self) {
        let mut line = format!("Step {} of {}", self.latest, self.steps);
        if let Some(loss) = self.loss {
            let _ = write!(line, ", loss {loss:.4}");
        }
        if let Some(left) = self.seconds_left() {
            let _ = write!(line, ", about {} left", span(left));
        }
        self.work
            .progress
            .note(self.latest as i64, self.steps as i64, line);
    }

    fn seconds_left(&self) -> Option<u64> {
        let micros = self.step_micros()?;
        let left = self.steps.saturating_sub(self.latest) as i64;
        u64::try_from(micros.saturating_mul(left) / 1_000_000).ok()
    }

    /// How long a step takes, judging included; nothing before the third one.
    pub fn step_micros(&self) -> Option<i64> {
        let (first, began) = self.began?;
        let steps = i64::try_from(self.latest.checked_sub(first)?)
            .ok()
            .filter(|n| *n > 1)?;
        debug_assert!(self.latest >= self.from, "steps only go on");
        i64::try_from(began.elapsed().as_micros())
            .ok()?
            .checked_div(steps)
    }
}

/// Seconds in words: `40 s`, `12 min`, `3 h 20 min`.
pub(super) fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{} s", seconds.max(1)),
        60..3_600 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

/// What the checkpoint of a run is called among the files that processes share.
fn name(run: RunId) -> String {
    format!("trainings/{}/checkpoint", run.hex())
}

/// Brings the checkpoint here that another process may have written.
pub(super) async fn obtain(ctx: &Context, run: RunId, path: &Path) {
    if let Err(e) = ctx.blobs.obtain(&name(run), path).await {
        tracing::warn!(error = %e, "the checkpoint of another process cannot be fetched");
    }
}

/// Takes it away once nobody goes on from it.
pub(super) async fn unshare(ctx: &Context, run: RunId) {
    if let Err(e) = ctx.blobs.unshare(&name(run)).await {
        // Clean-up takes it later.
        tracing::warn!(error = %e, "the checkpoint of a training was not removed from the store");
    }
}

/// Written beside and renamed, so that there is always a whole one. The first line says whose it is.
fn write_checkpoint(path: &Path, trainer: &str, step: usize, state: &[u8]) -> std::io::Result<()> {
    let beside: PathBuf = path.with_extension("new");
    let mut file = std::fs::File::create(&beside)?;
    writeln!(file, "{trainer} {step} {}", blake3::hash(state).to_hex())?;
    file.write_all(state)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    if let Some(folder) = path.parent() {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// The step and the state of a checkpoint of this trainer; `None` without one that is whole.
pub(super) async fn read_checkpoint(path: &Path, trainer: &str) -> anyhow::Result<Option<(usize, Vec<u8>)>> {
    let bytes = match tokio::fs::read(path).await {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e).context("The checkpoint cannot be read"),
    };
    let Some(line) = bytes.iter().position(|b| *b == b'\n') else {
        return Ok(None);
    };
    let state = bytes[line + 1..].to_vec();
    let head = String::from_utf8_lossy(&bytes[..line]);
    let mut words = head.split(' ');
    let (whose, step, digest) = (words.next(), words.next(), words.next());
    let whole = whose == Some(trainer) && digest == Some(blake3::hash(&state).to_hex().as_str());
    Ok(step
        .and_then(|s| s.parse().ok())
        .filter(|_| whole)
        .map(|s| (s, state)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_whole_checkpoints_of_the_same_trainer_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("checkpoint");
        assert_eq!(read_checkpoint(&path, "a").await.unwrap(), None);
        write_checkpoint(&path, "a", 7, b"state\nmore").unwrap();
        assert_eq!(
            read_checkpoint(&path, "a").await.unwrap(),
            Some((7, b"state\nmore".to_vec()))
        );
        assert_eq!(read_checkpoint(&path, "b").await.unwrap(), None);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.pop();
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(read_checkpoint(&path, "a").await.unwrap(), None);
        assert_eq!(
            (span(0), span(61), span(7_500)),
            ("1 s".into(), "2 min".into(), "2 h 5 min".into())
        );
    }
}
