//! The end of a refresh: what was found, out of what is noted of the files.

use super::Taking;
use crate::Error;
use crate::jobs::source::{End, NAMED};
use limn_domain::datastore::SourceReport;
use limn_formats::Detail;
use limn_jobs::Permanent;
use limn_store::repo::source::{self, going};

impl Taking<'_> {
    /// The version is the one that was taken last.
    pub(super) async fn nothing(self) -> anyhow::Result<SourceReport> {
        let (ctx, progress, id) = (self.ctx, self.progress, self.source.id);
        let line = format!("{} was taken already: nothing is new.", self.name);
        let report = self.found().await?;
        let (mut figures, now) = (report.clone(), ctx.now());
        figures.report.entries.clear();
        ctx.db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move { Ok(source::finish(tx, id, &figures, now).await?) })
            })
            .await?;
        progress.log(line).await?;
        Ok(report)
    }

    pub(super) async fn close(self) -> anyhow::Result<SourceReport> {
        let (ctx, progress, payload) = (self.ctx, self.progress, self.payload);
        let (source, from, arrived) = (self.source.clone(), self.name.clone(), self.target.id);
        let nothing = self.none();
        let report = self.found().await?;
        if report.matched + report.vanished == 0 {
            return Err(Permanent(nothing).into());
        }
        let end = End {
            report,
            from,
            at: ctx.now(),
            arrived: Some(arrived),
        };
        end.write(ctx, progress, payload, &source).await
    }

    /// Says that no file is wanted.
    fn none(&self) -> String {
        let split = self
            .wanted
            .split
            .map_or_else(String::new, |s| format!(" in the split {}", s.as_str()));
        let passed = if self.passed > 0 {
            let what = if self.wanted.is_text {
                "documents"
            } else {
                "pictures"
            };
            format!(" ({} match and are no {what})", self.passed)
        } else {
            String::new()
        };
        format!(
            "No file of {} matches `{}`{split} and can be an item of the project{passed}. Look at the files of the version for \
             its paths; `**` goes through folders, `*` does not.",
            self.name, self.source.glob
        )
    }

    /// The report, out of what is noted of the files.
    async fn found(mut self) -> anyhow::Result<SourceReport> {
        let mut tx = self.ctx.db.read().await?;
        let standing = going::standing(&mut tx, self.source.id).await?;
        let named = going::vanished(&mut tx, self.source.id, NAMED).await?;
        drop(tx);
        for path in named {
            self.findings.set_file(path);
            self.findings.note("vanished", || {
                Detail::new(
                    "This file is not among those that are taken of the version any more. The item that was made of it stays.",
                )
            });
        }
        self.findings.set_file("");
        self.lost.report(&mut self.findings);
        if self.passed > 0 {
            let (n, what) = (
                self.passed,
                if self.wanted.is_text {
                    "documents"
                } else {
                    "pictures"
                },
            );
            self.findings.note("passed_over", || {
                Detail::new(format!(
                    "{n} files that match are no {what} and were passed over."
                ))
            });
        }
        let report = self.findings.into_report();
        let told = report.items_added + report.items_unchanged + report.refused + standing.changed;
        Ok(SourceReport {
            matched: standing.there,
            unchanged: (standing.there - told).max(0),
            changed: standing.changed,
            vanished: standing.vanished,
            bytes: 0,
            report,
        })
    }
}
