//! Collects what an import repaired and refused, without drowning in ten thousand equal lines.

use limn_domain::import::{ImportReport, ReportEntry, Severity};
use std::collections::HashMap;

/// Entries kept for one code in one report; further ones are only counted.
const PER_CODE: u64 = 200;
/// Longest message kept; anything from outside is cut to this.
const MESSAGE_MAX: usize = 600;

/// Where a finding is and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    pub line: Option<u64>,
    pub record: Option<String>,
    pub message: String,
}

impl Detail {
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            line: None,
            record: None,
            message: message.into(),
        }
    }

    /// Line in the file, from 1; 0 means unknown.
    #[must_use]
    pub fn line(mut self, line: u64) -> Self {
        self.line = (line > 0).then_some(line);
        self
    }

    #[must_use]
    pub fn record(mut self, record: impl Into<String>) -> Self {
        self.record = Some(record.into());
        self
    }
}

/// A report under construction. Counts are complete; entries are limited for each code and in all.
#[derive(Debug, Default)]
pub struct Findings {
    report: ImportReport,
    file: String,
    seen: HashMap<&'static str, (Severity, u64)>,
}

impl Findings {
    pub fn new(file: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            ..Self::default()
        }
    }

    /// Later findings belong to this file.
    pub fn set_file(&mut self, file: impl Into<String>) {
        self.file = file.into();
    }

    pub fn file(&self) -> &str {
        &self.file
    }

    /// Something worth knowing; nothing was changed.
    pub fn note(&mut self, code: &'static str, detail: impl FnOnce() -> Detail) {
        self.add(Severity::Note, code, detail);
    }

    /// Something taken after a repair.
    pub fn fixed(&mut self, code: &'static str, detail: impl FnOnce() -> Detail) {
        self.add(Severity::Fixed, code, detail);
    }

    /// Something left out.
    pub fn refused(&mut self, code: &'static str, detail: impl FnOnce() -> Detail) {
        self.add(Severity::Refused, code, detail);
    }

    /// Adds a finding; `detail` is only made when the entry is kept.
    pub fn add(&mut self, severity: Severity, code: &'static str, detail: impl FnOnce() -> Detail) {
        let seen = self.seen.entry(code).or_insert((severity, 0));
        seen.1 += 1;
        if seen.1 > PER_CODE {
            match severity {
                Severity::Fixed => self.report.fixed += 1,
                Severity::Refused => self.report.refused += 1,
                Severity::Note => {}
            }
            self.report.truncated = true;
            return;
        }
        let Detail {
            line,
            record,
            message,
        } = detail();
        self.report.push(ReportEntry {
            severity,
            file: self.file.clone(),
            line,
            record,
            code: code.to_owned(),
            message: cut(message),
        });
    }

    /// How often a code was found so far.
    pub fn count(&self, code: &str) -> u64 {
        self.seen.get(code).map_or(0, |s| s.1)
    }

    /// The counters of what was added, for the caller to fill.
    pub fn report_mut(&mut self) -> &mut ImportReport {
        &mut self.report
    }

    pub fn report(&self) -> &ImportReport {
        &self.report
    }

    /// The finished report; codes that were cut get a closing line saying how many more there were.
    pub fn into_report(self) -> ImportReport {
        let mut report = self.report;
        let mut cut: Vec<_> = self
            .seen
            .into_iter()
            .filter(|(_, (_, n))| *n > PER_CODE)
            .collect();
        cut.sort_unstable_by_key(|(code, _)| *code);
        for (code, (severity, n)) in cut {
            report.entries.push(ReportEntry {
                severity,
                file: String::new(),
                line: None,
                record: None,
                code: code.to_owned(),
                message: format!("{} more of this kind are counted but not listed.", n - PER_CODE),
            });
        }
        report
    }
}

fn cut(mut message: String) -> String {
    if message.len() > MESSAGE_MAX {
        let end = message.floor_char_boundary(MESSAGE_MAX);
        message.truncate(end);
        message.push('…');
    }
    message
}

/// A piece of outside text fit for a message: at most 60 characters, control characters escaped.
pub(crate) fn quote(text: &str) -> String {
    let mut out: String = text
        .chars()
        .take(60)
        .flat_map(|c| {
            if c.is_control() {
                c.escape_debug().collect::<Vec<_>>()
            } else {
                vec![c]
            }
        })
        .collect();
    if text.chars().nth(60).is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_all_and_lists_some() {
        let mut f = Findings::new("a.json");
        for i in 0..5_000_u64 {
            f.fixed("box_clipped", || Detail::new("x".repeat(10_000)).line(i));
        }
        f.refused("rare", || {
            Detail::new("seen after the flood").record("annotations[3]")
        });
        assert_eq!(f.count("box_clipped"), 5_000);
        let r = f.into_report();
        assert_eq!((r.fixed, r.refused), (5_000, 1));
        assert!(r.truncated && r.entries.len() <= ImportReport::MAX_ENTRIES);
        assert!(r.entries.iter().any(|e| e.code == "rare"));
        assert!(r.entries.iter().any(|e| e.message.starts_with("4800 more")));
        assert!(r.entries[0].message.len() < 700);
        assert_eq!(r.entries[0].line, None);
    }
}
