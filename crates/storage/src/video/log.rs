//! What ffmpeg says while it works: times of frames, the file's length, complaints.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Mutex, PoisonError};

/// Longest line looked at; the rest of a longer one is passed over.
const LINE: u64 = 4_096;
/// Complaints kept, and of each as many characters.
const COMPLAINTS: usize = 3;
const COMPLAINT: usize = 160;

#[derive(Debug, Default)]
pub struct Log {
    /// Numerator and denominator of the unit of time stamps, in seconds.
    unit: Option<(i64, i64)>,
    /// Microseconds of each frame, in the file's own time; `None` where it has none.
    stamps: Vec<Option<i64>>,
    pub says_us: Option<i64>,
    pub complaints: Vec<String>,
}

/// Reads to the end.
pub fn read(from: impl Read, log: &Mutex<Log>) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    let mut rest_of_line = false;
    loop {
        line.clear();
        match from.by_ref().take(LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let whole = line.ends_with(b"\n");
        if !rest_of_line {
            let text = String::from_utf8_lossy(&line);
            log.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .line(text.trim_end());
        }
        rest_of_line = !whole;
    }
}

impl Log {
    fn line(&mut self, line: &str) {
        if line.contains("showinfo") {
            if let Some(unit) = after(line, "config in time_base:") {
                self.unit = unit
                    .trim_end_matches(',')
                    .split_once('/')
                    .and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
                return;
            }
            if let (Some(_), Some(pts)) = (after(line, " n:"), after(line, " pts:")) {
                let stamp = pts.parse::<i64>().ok().zip(self.unit).and_then(|(pts, (a, b))| {
                    let us = i128::from(pts) * i128::from(a) * 1_000_000;
                    // To the nearest microsecond.
                    let b = i128::from(b);
                    i64::try_from((us + b / 2).checked_div_euclid(b)?).ok()
                });
                self.stamps.push(stamp);
            }
            return;
        }
        if self.says_us.is_none()
            && let Some(text) = after(line, "Duration:")
        {
            self.says_us = duration(text.trim_end_matches(','));
        }
        let bad = line.contains("[error]") || line.contains("[fatal]");
        if bad && self.complaints.len() < COMPLAINTS {
            let words = line.rsplit_once("] ").map_or(line, |(_, words)| words);
            // Not where the file lies on the server.
            let words = words
                .rsplit_once("file:")
                .map_or(words, |(_, tail)| tail.split_once(": ").map_or("", |(_, t)| t));
            let words: String = words
                .chars()
                .filter(|c| !c.is_control())
                .take(COMPLAINT)
                .collect();
            if !words.is_empty() && !self.complaints.contains(&words) {
                self.complaints.push(words);
            }
        }
    }

    /// How far it is, and how long the file says it is.
    pub fn progress(&self) -> (i64, i64) {
        let first = self.stamps.iter().flatten().next().copied().unwrap_or(0);
        let last = self.stamps.iter().rev().flatten().next().copied().unwrap_or(0);
        ((last - first).max(0), self.says_us.unwrap_or(0))
    }

    /// The first complaint, to go on after a sentence.
    pub fn first_words(&self) -> String {
        self.complaints
            .first()
            .map(|w| format!(": {w}"))
            .unwrap_or_default()
    }

    /// The times of `n` frames from the first; a frame without one comes as long after the one before as that did.
    pub fn times(&self, n: usize) -> Vec<i64> {
        let first = self.stamps.iter().flatten().next().copied().unwrap_or(0);
        let mut out: Vec<i64> = Vec::with_capacity(n);
        for i in 0..n {
            let before = out.last().copied();
            let step = match out[..] {
                [.., a, b] => b - a,
                _ => 40_000,
            };
            let told = self.stamps.get(i).copied().flatten().map(|t| t - first);
            let time = told.unwrap_or_else(|| before.map_or(0, |b| b + step));
            out.push(time.max(before.unwrap_or(0)));
        }
        out
    }
}

/// The word after a mark.
fn after<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(mark)?;
    rest.split_whitespace().next()
}

/// `HH:MM:SS.ff` in microseconds.
fn duration(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let (h, m, s) = (parts.next()?, parts.next()?, parts.next()?);
    let (h, m): (i64, i64) = (h.parse().ok()?, m.parse().ok()?);
    let s: f64 = s.parse().ok()?;
    Some((h * 3600 + m * 60) * 1_000_000 + (s * 1e6).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_from_stamps_in_their_unit() {
        let mut log = Log::default();
        for line in [
            "  [info] Duration: 00:01:02.50, start: 0.000000, bitrate: 105 kb/s",
            "[Parsed_showinfo_0 @ 0x55] [info] config in time_base: 1/12800, frame_rate: 25/1",
            "[Parsed_showinfo_0 @ 0x55] [info] n:   0 pts:   1024 pts_time:0.08    duration: 512",
            "[Parsed_showinfo_0 @ 0x55] [info] n:   1 pts:   1536 pts_time:0.12    duration: 512",
            "[Parsed_showinfo_0 @ 0x55] [info] n:   2 pts: NOPTS pts_time:NOPTS duration: 512",
            "[Parsed_showinfo_0 @ 0x55] [info] n:   3 pts:   1280 pts_time:0.1",
            "[mov,mp4 @ 0x1] [error] file:/data/uploads/x: Invalid data found",
        ] {
            log.line(line);
        }
        assert_eq!(log.says_us, Some(62_500_000));
        assert_eq!(log.times(4), [0, 40_000, 80_000, 80_000]);
        assert_eq!(log.times(5).len(), 5);
        assert_eq!(log.complaints, ["Invalid data found"]);
    }
}
