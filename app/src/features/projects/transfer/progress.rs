//! Counting a running upload: totals, speed, time left, and how long to wait before trying again.

pub use crate::upload::http::{backoff_ms, worth_retrying};

/// Numbers of a running upload.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Progress {
    pub files: usize,
    pub added: usize,
    pub unchanged: usize,
    pub failed: usize,
    pub bytes: f64,
    /// Bytes of finished files plus what the files in flight have sent.
    pub sent: f64,
}

impl Progress {
    pub const fn finished(&self) -> usize {
        self.added + self.unchanged + self.failed
    }

    /// 0..=100, by bytes where they are known.
    pub fn percent(&self) -> f64 {
        let share = if self.bytes > 0.0 {
            self.sent / self.bytes
        } else if self.files > 0 {
            self.finished() as f64 / self.files as f64
        } else {
            0.0
        };
        (share * 100.0).clamp(0.0, 100.0)
    }

    /// Seconds left when `elapsed` seconds brought `sent` bytes; `None` while it is too early to say.
    pub fn seconds_left(&self, elapsed: f64) -> Option<f64> {
        (elapsed > 1.0 && self.sent > 0.0)
            .then(|| ((self.bytes - self.sent).max(0.0) / (self.sent / elapsed)).min(1e7))
    }
}

/// "12 s", "3 min", "2 h 5 min".
pub fn duration(seconds: f64) -> String {
    let s = seconds.ceil().max(0.0) as u64;
    match s {
        0..=59 => format!("{s} s"),
        60..=3599 => format!("{} min", s.div_ceil(60)),
        _ => format!("{} h {} min", s / 3600, s % 3600 / 60),
    }
}

/// What a dropped file is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    Image,
    /// Of a text project; elsewhere the server says so.
    Text,
    Archive,
    /// Taken apart into frames on the server.
    Video,
    Annotations,
    Other,
}

pub fn kind_of(name: &str) -> FileKind {
    let ext = name.rsplit_once('.').map_or("", |(_, e)| e).to_ascii_lowercase();
    match ext.as_str() {
        "jpg" | "jpeg" | "jpe" | "jfif" | "png" | "webp" | "gif" | "bmp" | "tif" | "tiff" => FileKind::Image,
        "txt" => FileKind::Text,
        "zip" => FileKind::Archive,
        _ if limn_domain::video::is_video_name(name) => FileKind::Video,
        "json" | "xml" | "csv" | "tsv" | "jsonl" | "ndjson" | "conll" => FileKind::Annotations,
        _ => FileKind::Other,
    }
}

/// Files that systems leave in folders and nobody means to upload.
pub fn is_clutter(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.starts_with('.')
        || matches!(name.to_ascii_lowercase().as_str(), "thumbs.db" | "desktop.ini")
        || path.split('/').any(|p| p == "__MACOSX")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        assert_eq!(backoff_ms(1, 0.0), 500);
        assert_eq!(backoff_ms(3, 0.0), 2000);
        assert_eq!(backoff_ms(60, 0.0), 16_000);
        assert!(backoff_ms(1, 1.0) <= 625);
        assert!(worth_retrying(0) && worth_retrying(503) && !worth_retrying(415) && !worth_retrying(401));
    }

    #[test]
    fn time_left() {
        let p = Progress {
            files: 10,
            bytes: 100.0,
            sent: 25.0,
            ..Progress::default()
        };
        assert_eq!(p.seconds_left(5.0), Some(15.0));
        assert_eq!(p.seconds_left(0.5), None);
        assert!((p.percent() - 25.0).abs() < 1e-9);
        assert_eq!(Progress::default().percent(), 0.0);
    }

    #[test]
    fn kinds() {
        assert_eq!(kind_of("a/b.JPG"), FileKind::Image);
        assert_eq!(kind_of("x.TXT"), FileKind::Text);
        assert_eq!(kind_of("x.zip"), FileKind::Archive);
        assert_eq!(kind_of("x.MP4"), FileKind::Video);
        assert_eq!(kind_of("noext"), FileKind::Other);
        assert!(is_clutter("a/.DS_Store") && is_clutter("__MACOSX/a.jpg") && !is_clutter("a/b.jpg"));
    }

    #[test]
    fn words() {
        assert_eq!(duration(0.2), "1 s");
        assert_eq!(duration(61.0), "2 min");
        assert_eq!(duration(3660.0), "1 h 1 min");
    }
}
