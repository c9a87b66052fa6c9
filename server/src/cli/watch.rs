//! Progress on stderr, and waiting for a job.

use super::api::Client;
use anyhow::{Result, bail};
use limn_domain::JobId;
use limn_domain::job::{Job, JobState};
use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A line that is rewritten on a terminal, and printed now and then elsewhere.
#[derive(Debug)]
pub struct Line {
    terminal: bool,
    last: Mutex<(Instant, String)>,
}

impl Line {
    pub fn new() -> Self {
        let long_ago = Instant::now().checked_sub(Duration::from_mins(1));
        Self {
            terminal: std::io::stderr().is_terminal(),
            last: Mutex::new((long_ago.unwrap_or_else(Instant::now), String::new())),
        }
    }

    /// Shows a text, at most ten times a second (every five seconds where it cannot be rewritten).
    pub fn show(&self, text: &str) {
        let Ok(mut last) = self.last.lock() else { return };
        let pause = if self.terminal {
            Duration::from_millis(100)
        } else {
            Duration::from_secs(5)
        };
        if last.1 == text || last.0.elapsed() < pause {
            return;
        }
        *last = (Instant::now(), text.to_owned());
        self.write(text);
    }

    /// Shows the last text and ends the line.
    pub fn finish(&self, text: &str) {
        self.write(text);
        if self.terminal {
            eprintln!();
        }
    }

    fn write(&self, text: &str) {
        let mut err = std::io::stderr().lock();
        let result = if self.terminal {
            write!(err, "\r\x1b[2K{text}")
        } else {
            writeln!(err, "{text}")
        };
        drop(result);
        drop(err.flush());
    }
}

/// Waits until a job ends, showing how far it is. Errors when it fails or is cancelled.
pub async fn job(client: &Client, id: JobId) -> Result<Job> {
    let line = Line::new();
    let begun = Instant::now();
    loop {
        let job: Job = client.get(&format!("/api/v1/jobs/{id}")).await?;
        match job.state {
            JobState::Succeeded => {
                line.finish(&format!("{}: done", job.title));
                return Ok(job);
            }
            JobState::Failed => {
                line.finish(&format!("{}: failed", job.title));
                bail!("{}", job.error.unwrap_or_else(|| "the job failed".to_owned()));
            }
            JobState::Cancelled => {
                line.finish(&format!("{}: cancelled", job.title));
                bail!("the job was cancelled");
            }
            JobState::Queued => line.show(&format!("{}: waiting", job.title)),
            JobState::Running if job.total > 0 => line.show(&format!(
                "{}: {} of {} ({:.0} %) {}",
                job.title,
                job.done,
                job.total,
                job.done as f64 * 100.0 / job.total as f64,
                job.message
            )),
            JobState::Running => line.show(&format!("{}: {}", job.title, job.message)),
        }
        // The end is noticed within a tenth of what the job took.
        let pause = begun.elapsed() / 10;
        tokio::time::sleep(pause.clamp(Duration::from_millis(50), Duration::from_secs(1))).await;
    }
}
