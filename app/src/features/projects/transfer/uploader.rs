//! The upload of files into one project: sorts what was picked, asks what is missing, sends four at a time.

mod send;

use super::super::local::LocalValue;
use super::files::{self, Dropped, Picked};
use super::http::Cancel;
use super::progress::{FileKind, Progress, is_clutter};
use super::sequence;
use leptos::prelude::*;
use leptos::task::spawn_local;
use limn_domain::import::Sequence;
use limn_domain::job::Job;
use limn_domain::{ApiError, ProjectId};
use send::sort;
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};

const PARALLEL: usize = 4;
const CHECK_BATCH: usize = 500;
const MAX_ATTEMPTS: u32 = 6;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    #[default]
    Idle,
    /// Folders are being opened.
    Reading,
    /// The server is asked what it has.
    Checking,
    Sending,
    Done,
    Cancelled,
}

impl Phase {
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Reading | Self::Checking | Self::Sending)
    }
}

/// A file that was not taken, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub path: String,
    pub message: String,
    /// Whether sending it again could help.
    pub again: bool,
}

/// One project's upload; lives until the page is left, across the tabs and pages of the studio.
#[derive(Clone, Copy)]
pub struct Uploader {
    project: ProjectId,
    pub phase: RwSignal<Phase>,
    pub progress: RwSignal<Progress>,
    pub failures: RwSignal<Vec<Failure>>,
    /// Import jobs of archives that were dropped along.
    pub jobs: RwSignal<Vec<Job>>,
    /// Files found so far while folders are opened.
    pub found: RwSignal<usize>,
    /// Grows when items were added; lists reload on it.
    pub version: RwSignal<u32>,
    /// When sending began, in milliseconds.
    pub began: RwSignal<f64>,
    inner: LocalValue<Inner>,
}

#[derive(Default)]
struct Inner {
    cancel: Cancel,
    queue: VecDeque<Picked>,
    failed: Vec<Picked>,
    workers: usize,
    batches: usize,
    /// Bytes on their way, by file.
    flying: HashMap<String, f64>,
    /// Bytes of finished files.
    landed: f64,
    bumped: f64,
}

thread_local! {
    static ALL: RefCell<HashMap<ProjectId, (Owner, Uploader)>> = RefCell::new(HashMap::new());
}

impl Uploader {
    fn new(project: ProjectId) -> Self {
        Self {
            project,
            phase: RwSignal::new(Phase::Idle),
            progress: RwSignal::new(Progress::default()),
            failures: RwSignal::new(Vec::new()),
            jobs: RwSignal::new(Vec::new()),
            found: RwSignal::new(0),
            version: RwSignal::new(0),
            began: RwSignal::new(0.0),
            inner: LocalValue::new(),
        }
    }

    /// The project's upload. In the browser it is the same one whichever page asks; rendering gets an idle one.
    pub fn of(project: ProjectId) -> Self {
        if cfg!(feature = "ssr") {
            return Self::new(project);
        }
        ALL.with_borrow_mut(|all| {
            all.entry(project)
                .or_insert_with(|| {
                    // Its own owner: a page that goes away does not take a running upload with it.
                    let page = Owner::current();
                    let owner = Owner::new_root(None);
                    let uploader = owner.with(|| Self::new(project));
                    // Making a root makes it the current owner.
                    if let Some(page) = page {
                        page.set();
                    }
                    (owner, uploader)
                })
                .1
        })
    }

    /// Takes what was dropped: opens folders, then uploads. Call it inside the drop event.
    pub fn drop(self, dropped: Vec<Dropped>) {
        self.drop_as(dropped, None);
    }

    /// The same; with a rate pictures are frames of a video.
    pub fn drop_as(self, dropped: Vec<Dropped>, rate: Option<f64>) {
        if dropped.is_empty() {
            return;
        }
        self.wake();
        self.phase.set(Phase::Reading);
        self.inner.update(|i| i.batches += 1);
        spawn_local(async move {
            let before = self.found.get_untracked();
            let (files, problems) = files::walk(dropped, move |n| self.found.set(before + n)).await;
            self.fail_all(problems);
            let files = self.frames(files, rate).await;
            self.batch(files).await;
        });
    }

    /// Uploads chosen files.
    pub fn start(self, files: Vec<Picked>) {
        if files.is_empty() {
            return;
        }
        self.wake();
        self.inner.update(|i| i.batches += 1);
        spawn_local(self.batch(files));
    }

    /// Uploads chosen files; with a rate pictures are frames of a video.
    pub fn start_as(self, files: Vec<Picked>, rate: Option<f64>) {
        if files.is_empty() {
            return;
        }
        self.wake();
        self.phase.set(Phase::Reading);
        self.inner.update(|i| i.batches += 1);
        spawn_local(async move {
            let files = self.frames(files, rate).await;
            self.batch(files).await;
        });
    }

    /// The pictures among the files as one archive of frames, where that is wanted.
    async fn frames(self, files: Vec<Picked>, rate: Option<f64>) -> Vec<Picked> {
        let files: Vec<Picked> = files.into_iter().filter(|p| !is_clutter(&p.path)).collect();
        let first = files.first().map(|p| p.path.clone()).unwrap_or_default();
        match sequence::with_frames(files, rate.map(|rate| Sequence { rate })).await {
            Ok(files) => files,
            Err(why) => {
                self.fail(&first, why, None);
                Vec::new()
            }
        }
    }

    /// Sends the failed files once more.
    pub fn retry(self) {
        let again = self.inner.update(|i| std::mem::take(&mut i.failed));
        self.start(again);
    }

    pub fn cancel(self) {
        self.token().set();
        self.inner.update(|i| i.queue.clear());
        self.phase.set(Phase::Cancelled);
        self.version.update(|v| *v += 1);
    }

    /// Forgets a finished upload.
    pub fn dismiss(self) {
        if !self.phase.get_untracked().is_active() {
            self.phase.set(Phase::Idle);
            self.failures.set(Vec::new());
            self.jobs.set(Vec::new());
        }
    }

    /// Prepares for a new batch; what ended before is put away.
    fn wake(self) {
        super::leave_guard();
        if self.phase.get_untracked().is_active() {
            return;
        }
        self.phase.set(Phase::Checking);
        self.progress.set(Progress::default());
        self.failures.set(Vec::new());
        self.jobs.set(Vec::new());
        self.found.set(0);
        self.began.set(js_sys::Date::now());
        self.inner.set(Inner::default());
    }

    /// Whether this run was cancelled (and perhaps another began) since `cancel` was taken.
    fn token(self) -> Cancel {
        self.inner.with(|i| i.cancel.clone())
    }

    async fn batch(self, files: Vec<Picked>) {
        let cancel = self.token();
        let mut files: Vec<Picked> = files.into_iter().filter(|p| !is_clutter(&p.path)).collect();
        // Pickers hand files out in the disk's order.
        files.sort_by(|a, b| a.path.cmp(&b.path));
        self.found.update(|n| *n = (*n).max(files.len()));
        let mut images = Vec::new();
        let mut archives = Vec::new();
        for picked in files {
            match sort(&picked) {
                Ok(FileKind::Archive | FileKind::Video) => archives.push(picked),
                Ok(_) => images.push(picked),
                Err(message) => self.fail(&picked.path, message, None),
            }
        }
        let bytes = images.iter().chain(&archives).map(|p| p.file.size()).sum::<f64>();
        self.progress.update(|p| {
            p.files += images.len() + archives.len();
            p.bytes += bytes;
        });
        for chunk in images.chunks(CHECK_BATCH) {
            if cancel.is_set() {
                return;
            }
            let missing = self.missing(chunk).await;
            if cancel.is_set() {
                return;
            }
            let (send, have): (Vec<_>, Vec<_>) = chunk
                .iter()
                .cloned()
                .partition(|p| missing.as_ref().is_none_or(|m| m.contains(&p.path)));
            let known: f64 = have.iter().map(|p| p.file.size()).sum();
            self.inner.update(|i| {
                i.queue.extend(send);
                i.landed += known;
            });
            self.progress.update(|p| p.unchanged += have.len());
            self.count();
            self.work(&cancel);
        }
        for archive in archives {
            if cancel.is_set() {
                return;
            }
            self.phase.set(Phase::Sending);
            self.archive(archive, &cancel).await;
        }
        self.inner.update(|i| i.batches = i.batches.saturating_sub(1));
        self.settle(&cancel);
    }

    /// Starts as many workers as there is work and room for.
    fn work(self, cancel: &Cancel) {
        let start = self.inner.update(|i| {
            let n = i.queue.len().min(PARALLEL.saturating_sub(i.workers));
            i.workers += n;
            n
        });
        for _ in 0..start {
            self.phase.set(Phase::Sending);
            let cancel = cancel.clone();
            spawn_local(async move {
                while !cancel.is_set() {
                    let next = self.inner.update(|i| i.queue.pop_front());
                    let Some(picked) = next else { break };
                    self.send(picked, &cancel).await;
                }
                if !cancel.is_set() {
                    self.inner.update(|i| i.workers = i.workers.saturating_sub(1));
                    self.settle(&cancel);
                }
            });
        }
    }

    /// The session has ended: the rest would fail the same way, so it waits for "Try again".
    fn give_up(self, error: &ApiError) {
        let rest = self.inner.update(|i| i.queue.drain(..).collect::<Vec<_>>());
        for picked in rest {
            let path = picked.path.clone();
            self.fail(&path, error.message.clone(), Some(picked));
        }
    }

    fn fail_all(self, problems: Vec<(String, String)>) {
        for (path, message) in problems {
            self.fail(&path, message, None);
        }
    }

    fn fail(self, path: &str, message: String, picked: Option<Picked>) {
        let again = picked.is_some();
        self.failures.update(|all| {
            all.push(Failure {
                path: path.to_owned(),
                message,
                again,
            });
        });
        if let Some(picked) = picked {
            self.inner.update(|i| i.failed.push(picked));
            self.progress.update(|p| p.failed += 1);
        }
    }

    /// Brings the byte count up to date.
    fn count(self) {
        let sent = self.inner.with(|i| i.landed + i.flying.values().sum::<f64>());
        self.progress.update(|p| p.sent = sent);
    }

    /// Lets lists reload, at most every three seconds unless `now`.
    pub fn bump(self, now: bool) {
        let time = js_sys::Date::now();
        let due = self.inner.update(|i| {
            let due = now || time - i.bumped > 3_000.0;
            if due {
                i.bumped = time;
            }
            due
        });
        if due {
            self.version.update(|v| *v += 1);
        }
    }

    /// Ends the run when nothing is left to do.
    fn settle(self, cancel: &Cancel) {
        let idle = self
            .inner
            .with(|i| i.workers == 0 && i.queue.is_empty() && i.batches == 0);
        if idle && !cancel.is_set() && self.phase.get_untracked().is_active() {
            self.phase.set(Phase::Done);
            self.bump(true);
        }
    }
}

/// Whether any upload of this page is running.
pub fn any_active() -> bool {
    ALL.with_borrow(|all| all.values().any(|(_, u)| u.phase.get_untracked().is_active()))
}
