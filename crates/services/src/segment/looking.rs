//! A picture that is being looked at, and whether anybody still waits for it.

use limn_domain::ApiError;
use limn_domain::smart::Sight;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Whoever waits asks more often than this.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long it is told that something went wrong.
const TOLD: Duration = Duration::from_mins(1);

pub(super) struct Looking {
    began: Instant,
    /// When somebody asked last, in milliseconds from the beginning.
    asked: AtomicU64,
    done: AtomicUsize,
    /// Steps there are; 0 before the first.
    steps: AtomicUsize,
    /// Whether something went wrong.
    ended: OnceLock<Result<(), ApiError>>,
}

impl Looking {
    pub fn new() -> Self {
        Self {
            began: Instant::now(),
            asked: AtomicU64::new(0),
            done: AtomicUsize::new(0),
            steps: AtomicUsize::new(0),
            ended: OnceLock::new(),
        }
    }

    /// Somebody waits.
    pub fn touch(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.asked.fetch_max(now, Ordering::Relaxed);
    }

    fn unasked(&self) -> Duration {
        let asked = Duration::from_millis(self.asked.load(Ordering::Relaxed));
        self.began.elapsed().saturating_sub(asked)
    }

    pub fn is_abandoned(&self) -> bool {
        self.unasked() > PATIENCE
    }

    /// It ended or was given up long ago, and nobody came to hear how.
    pub fn is_old(&self) -> bool {
        self.unasked() > TOLD
    }

    pub fn begin(&self, steps: usize) {
        self.steps.store(steps.max(1), Ordering::Relaxed);
    }

    /// One more step is about to be done. Whether to stop instead.
    pub fn step(&self) -> bool {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.is_abandoned()
    }

    pub fn end(&self, how: Result<(), ApiError>) {
        drop(self.ended.set(how));
    }

    /// How it ended, if it did.
    pub fn ended(&self) -> Option<Result<(), ApiError>> {
        self.ended.get().cloned()
    }

    pub fn sight(&self) -> Sight {
        let steps = self.steps.load(Ordering::Relaxed);
        let done = self.done.load(Ordering::Relaxed);
        Sight {
            ready: false,
            waits: steps == 0,
            share: if steps == 0 {
                0.0
            } else {
                (done as f64 / steps as f64).min(1.0)
            },
        }
    }
}
