//! The import job: pictures first, then annotation files, in the order of the uploads.
//!
//! Nothing is all-or-nothing: a record that cannot be used is a line in the report. Items and their labels are written
//! some hundred at a time, each item's labels and its done mark in one transaction, so that a stop in between leaves
//! whole items, and a second run adds only what is missing.

mod annotations;
pub(super) mod attributes;
pub(super) mod categories;
pub(super) mod pictures;
mod pixels;
pub(super) mod place;
mod sources;
mod texts;
mod tracks;
mod videos;
mod write;

use crate::{Actor, Context, Error};
use anyhow::Context as _;
use categories::Catalogue;
use limn_domain::import::{ImportFormat, ImportReport, NewImport};
use limn_domain::project::Task;
use limn_domain::{ItemId, ProjectId, UserId};
use limn_formats::{Detail, Findings};
use limn_jobs::{Handler, Permanent, Progress};
use limn_store::repo;
use place::Items;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Items read at once while names are gathered.
const PAGE: i64 = 5_000;

/// What an import job is given.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Payload {
    pub project: ProjectId,
    pub input: NewImport,
    /// Who asked for it, for the labels and the audit log.
    pub user: Option<UserId>,
    pub user_name: String,
}

/// Runs imports.
pub(super) struct ImportJob(pub Context);

/// One import under way.
struct Import<'a> {
    ctx: &'a Context,
    progress: &'a Progress,
    project: ProjectId,
    task: Task,
    input: NewImport,
    user: Option<UserId>,
    findings: Findings,
    catalogue: Catalogue,
    items: Items,
    /// Items whose old labels this import has removed already.
    replaced: HashSet<ItemId>,
    /// Images of the files without a label, as final labels stay to do.
    unlabeled: u64,
    /// Labels that were there already.
    repeated: u64,
    /// Values of attributes that found no place.
    losses: attributes::Losses,
}

#[async_trait::async_trait]
impl Handler for ImportJob {
    async fn run(
        &self,
        payload: serde_json::Value,
        progress: Progress,
    ) -> anyhow::Result<Option<serde_json::Value>> {
        let payload: Payload =
            serde_json::from_value(payload).context("The import's settings cannot be read")?;
        let report = run(&self.0, &payload, &progress)
            .await
            .map_err(super::for_people)?;
        Ok(Some(serde_json::to_value(report)?))
    }

    /// The uploads have served; before this a crash could still need them.
    async fn succeeded(&self, payload: serde_json::Value) {
        let Ok(payload) = serde_json::from_value::<Payload>(payload) else {
            return;
        };
        for id in payload.input.uploads {
            if let Err(e) = crate::uploads::discard(&self.0, id).await {
                // Clean-up takes it later.
                tracing::warn!(upload = %id, error = %e, "an imported upload was not removed");
            }
        }
    }
}

async fn run(ctx: &Context, payload: &Payload, progress: &Progress) -> anyhow::Result<ImportReport> {
    let (task, sources) = prepare(ctx, payload).await?;
    let mut findings = Findings::default();
    let format = payload.input.format;
    let (uploads, looked) = tokio::task::spawn_blocking(move || {
        let uploads = sources::look(sources, (format, task.media()), &mut findings);
        (uploads, findings)
    })
    .await?;
    let uploads = uploads.context("The uploaded files cannot be read")?;
    let mut import = Import {
        ctx,
        progress,
        project: payload.project,
        task,
        input: payload.input.clone(),
        user: payload.user,
        findings: looked,
        catalogue: Catalogue::default(),
        items: Items::default(),
        replaced: HashSet::new(),
        unlabeled: 0,
        repeated: 0,
        losses: attributes::Losses::default(),
    };
    import.take_pictures(&uploads).await?;
    import.take_videos(&uploads).await?;
    if format != ImportFormat::Images {
        import.gather().await?;
        import.take_annotations(&uploads).await?;
    }
    let report = import.close();
    finish(ctx, payload, &report).await?;
    let (items, labels) = (report.items_added, report.annotations_added);
    let (fixed, refused) = (report.fixed, report.refused);
    progress
        .log(format!(
            "Took {items} new items and {labels} labels; {fixed} findings mended, {refused} refused."
        ))
        .await?;
    Ok(report)
}

/// The project's task, and the uploads' names and files.
async fn prepare(
    ctx: &Context,
    payload: &Payload,
) -> anyhow::Result<(Task, Vec<(String, std::path::PathBuf)>)> {
    let mut tx = ctx.db.read().await?;
    let (_, task) = repo::transfer::title(&mut tx, payload.project)
        .await?
        .ok_or_else(|| Permanent("The project was deleted.".to_owned()))?;
    let mut sources = Vec::new();
    for id in &payload.input.uploads {
        let upload = crate::uploads::complete(&mut tx, &Actor::System, *id).await.map_err(|e| match e {
            Error::Api(_) => anyhow::Error::from(Permanent(format!(
                "The uploaded file {id} is not there any more. Upload the files again and start a new import."
            ))),
            e => e.into(),
        })?;
        sources.push((upload.name, *id));
    }
    drop(tx);
    let mut files = Vec::with_capacity(sources.len());
    for (name, id) in sources {
        files.push((name, crate::uploads::file(ctx, id).await?));
    }
    Ok((task, files))
}

/// The audit line.
async fn finish(ctx: &Context, payload: &Payload, report: &ImportReport) -> anyhow::Result<()> {
    let (project, user, name, now) = (
        payload.project,
        payload.user,
        payload.user_name.clone(),
        ctx.now(),
    );
    let summary = format!(
        "imported {} items and {} labels ({})",
        report.items_added,
        report.annotations_added,
        payload.input.format.label()
    );
    ctx.db
        .write::<(), Error, _>(move |tx| {
            Box::pin(async move {
                super::audit_as(tx, user, &name, project, "import.finish", &summary, now).await
            })
        })
        .await?;
    Ok(())
}

impl Import<'_> {
    /// Reads the project's categories and the names of its items.
    async fn gather(&mut self) -> anyhow::Result<()> {
        self.progress.report(0, 0, "Reading the project's items").await?;
        let categories = crate::categories::Categories(self.ctx.clone());
        self.catalogue = Catalogue::new(categories.list(&Actor::System, self.project).await?);
        let mut tx = self.ctx.db.read().await?;
        let mut after = 0;
        loop {
            let page = repo::transfer::targets(&mut tx, self.project, after, PAGE).await?;
            for item in &page {
                self.items.add(item);
            }
            match page.last() {
                Some(last) if page.len() as i64 == PAGE => after = last.export_id,
                _ => return Ok(()),
            }
        }
    }

    /// The report, with what only the end can tell.
    fn close(mut self) -> ImportReport {
        self.findings.set_file("");
        let (unlabeled, repeated) = (self.unlabeled, self.repeated);
        if unlabeled > 0 {
            self.findings.note("no_labels", || {
                Detail::new(format!(
                    "{unlabeled} images of the files have no usable label; their items stay as they were."
                ))
            });
        }
        if repeated > 0 {
            self.findings.note("already_there", || {
                Detail::new(format!(
                    "{repeated} labels were on their items already and were not added again."
                ))
            });
        }
        self.findings.into_report()
    }
}
