//! Documents that come in a file of labels (a table, JSONL, CoNLL) become items, by the same path and checks as any
//! upload.

use super::Import;
use super::pictures::{code, is_refusal};
use super::place::Known;
use crate::{Context, Error, Result, ingest};
use anyhow::Context as _;
use futures::StreamExt as _;
use limn_domain::item::AddItemOutcome;
use limn_domain::project::Media;
use limn_domain::{ProjectId, validate};
use limn_formats::{Detail, Imported};
use limn_store::repo::transfer::TargetItem;

/// Documents looked at at once.
const AT_ONCE: usize = 4;
/// Items whose rows may be written in one transaction.
const TOGETHER: usize = 64;
/// Documents between two notes on how far it is.
const NOTE_EVERY: i64 = 100;

/// What became of a record of the file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Taken {
    /// It brings no text: an item of the project is meant.
    Elsewhere,
    Item(Known),
    /// The findings say why.
    Refused,
}

/// A document of the file.
struct Text {
    /// Place among the file's documents.
    n: usize,
    name: String,
    text: String,
    line: u64,
}

impl Import<'_> {
    /// Takes the texts of a file out of it. One that is refused costs only itself. The answers are in the order of `images`; empty
    /// when the file brings no text at all.
    pub(super) async fn take_texts(
        &mut self,
        imported: &mut Imported,
        shown: &str,
    ) -> anyhow::Result<Vec<Taken>> {
        if !self.task.is_text() || imported.images.iter().all(|i| i.text.is_none()) {
            return Ok(Vec::new());
        }
        let total = imported.images.len() as i64;
        let mut out = vec![Taken::Elsewhere; imported.images.len()];
        let texts: Vec<Text> = imported
            .images
            .iter_mut()
            .enumerate()
            .filter_map(|(n, i)| {
                Some(Text {
                    text: i.text.take()?,
                    name: i.label(),
                    line: i.line,
                    n,
                })
            })
            .collect();
        let (ctx, project) = (self.ctx.clone(), self.project);
        let mut adding = std::pin::pin!(
            futures::stream::iter(texts)
                .map(|t| {
                    let ctx = ctx.clone();
                    async move {
                        let checked = check(&ctx, project, &t.name, t.text).await;
                        (t.n, t.name, t.line, checked)
                    }
                })
                .buffered(AT_ONCE)
                .map(|(n, name, line, checked)| {
                    let ctx = ctx.clone();
                    async move {
                        let outcome = match checked {
                            Ok(checked) => ingest::register(&ctx, project, checked).await,
                            Err(e) => Err(e),
                        };
                        (n, name, line, outcome)
                    }
                })
                .buffered(TOGETHER)
        );
        self.findings.set_file(shown);
        let mut done = 0;
        while let Some((n, name, line, outcome)) = adding.next().await {
            done += 1;
            match outcome {
                Ok(AddItemOutcome::Added { item }) => {
                    self.findings.report_mut().items_added += 1;
                    out[n] = Taken::Item(self.items.add(&TargetItem {
                        id: item.id,
                        name: item.name,
                        export_id: item.export_id,
                        width: item.width,
                        height: item.height,
                        orientation: 1,
                        length: item.length,
                    }));
                }
                Ok(AddItemOutcome::Unchanged { item }) => {
                    self.findings.report_mut().items_unchanged += 1;
                    out[n] = Taken::Item(Known {
                        id: item.id,
                        width: 0.0,
                        height: 0.0,
                        orientation: 1,
                        length: item.length,
                    });
                }
                Err(Error::Api(e)) if is_refusal(&e) => {
                    out[n] = Taken::Refused;
                    self.findings
                        .refused(code(&e), || Detail::new(e.message).line(line));
                }
                Err(e) => return Err(e).with_context(|| format!("The import stopped at `{name}`")),
            }
            if done % NOTE_EVERY == 0 {
                self.progress
                    .report(done, total, format!("Taking the documents of {shown}"))
                    .await?;
            }
        }
        Ok(out)
    }
}

async fn check(ctx: &Context, project: ProjectId, name: &str, text: String) -> Result<ingest::Checked> {
    let name = validate::item_name(name).map_err(|e| Error::field("name", format!("`{name}`: {e}")))?;
    let mut writer = ctx.blobs.stage(ingest::bytes_max(ctx, Media::Text));
    let staged = writer
        .push(text.as_bytes())
        .and_then(|()| writer.finish())
        .map_err(|e| ingest::refusal(&name, e))?;
    ingest::check_staged(ctx, project, Media::Text, &name, staged).await
}
