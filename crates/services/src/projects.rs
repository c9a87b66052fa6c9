//! Labeling projects.

use crate::authz::{require, require_in, viewer};
use crate::categories::plan;
use crate::{Actor, Context, Error, Result, audit, markdown};
use limn_domain::project::{NewProject, Project, ProjectSettings, ProjectSummary, UpdateProject};
use limn_domain::validate::{self, Checks};
use limn_domain::{Action, Code, ProjectId, Role, attribute, link};
use limn_store::repo::project::{Change, NewRow};
use limn_store::{StoreError, Tx, repo};

/// Items removed in one unit of work while a project is deleted; others wait no longer than for so many.
const PIECE: i64 = 500;
/// Bytes of Markdown that are rendered on the spot.
const QUICK: usize = 4_096;

#[derive(Clone)]
pub struct Projects(pub(crate) Context);

impl Projects {
    /// Projects the actor is in (all, for an admin), latest change first.
    pub async fn list(&self, actor: &Actor) -> Result<Vec<ProjectSummary>> {
        let viewer = viewer(actor)?;
        Ok(repo::project::list(&mut self.0.db.read().await?, viewer).await?)
    }

    pub async fn get(&self, actor: &Actor, project: ProjectId) -> Result<Project> {
        let found = visible(&mut self.0.db.read().await?, actor, project).await?;
        rendered(found).await
    }

    /// By id, or by name regardless of case.
    pub async fn find(&self, actor: &Actor, id_or_name: &str) -> Result<Project> {
        let mut tx = self.0.db.read().await?;
        // Who is not signed in learns that, not which projects there are.
        viewer(actor)?;
        let text = id_or_name.trim();
        let named = match validate::name("project", text) {
            Ok(name) => repo::project::id_by_name(&mut tx, &name).await?,
            Err(_) => None,
        };
        // A name may look like an id; the name goes first, since an id can always be looked up by its own method.
        let id = named
            .or_else(|| text.parse().ok())
            .ok_or_else(|| Error::not_found("project"))?;
        let found = visible(&mut tx, actor, id).await?;
        drop(tx);
        rendered(found).await
    }

    /// Creates the project with its categories; the creator becomes its manager.
    pub async fn create(&self, actor: &Actor, input: NewProject) -> Result<Project> {
        require(actor, Action::CreateProject)?;
        let mut checks = Checks::default();
        let name = checks
            .take("name", validate::name("project", &input.name))
            .unwrap_or_default();
        check_texts(&mut checks, Some(&input.description), Some(&input.instructions));
        let mut settings = input.settings.unwrap_or_default();
        check_settings(&mut checks, &mut settings);
        let (categories, next_export_id) = plan::of_new_project(&mut checks, &input.categories);
        checks.finish()?;
        let row = NewRow {
            id: ProjectId::new(),
            name,
            task: input.task,
            description: input.description.trim().to_owned(),
            instructions: input.instructions,
            settings,
            created_by: actor.user_id(),
        };
        let (actor, now) = (actor.clone(), self.0.now());
        let made = self
            .0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    if repo::project::id_by_name(tx, &row.name).await?.is_some() {
                        return Err(name_taken(&row.name));
                    }
                    match repo::project::insert(tx, &row, now).await {
                        Err(StoreError::Unique(_)) => return Err(name_taken(&row.name)),
                        other => other?,
                    }
                    repo::category::insert_many(tx, row.id, &categories, now).await?;
                    repo::project::set_next_category_export_id(tx, row.id, next_export_id).await?;
                    if let Some(user) = row.created_by {
                        repo::member::put(tx, row.id, user, Role::Manager, now).await?;
                    }
                    let summary = format!("created the project “{}”", row.name);
                    audit::write(tx, &actor, Some(row.id), "project.create", &summary, now).await?;
                    visible(tx, &actor, row.id).await
                })
            })
            .await?;
        rendered(made).await
    }

    pub async fn update(
        &self,
        actor: &Actor,
        project: ProjectId,
        mut input: UpdateProject,
    ) -> Result<Project> {
        let mut checks = Checks::default();
        let name = input
            .name
            .as_deref()
            .and_then(|n| checks.take("name", validate::name("project", n)));
        check_texts(
            &mut checks,
            input.description.as_deref(),
            input.instructions.as_deref(),
        );
        if let Some(settings) = &mut input.settings {
            check_settings(&mut checks, settings);
        }
        let (actor, now) = (actor.clone(), self.0.now());
        let is = self
            .0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    require_in(tx, &actor, Action::ManageProject, project).await?;
                    checks.finish()?;
                    repo::project::lock(tx, project, now).await?;
                    let was = visible(tx, &actor, project).await?;
                    let name = name.unwrap_or_else(|| was.summary.name.clone());
                    if let Some(other) = repo::project::id_by_name(tx, &name).await?
                        && other != project
                    {
                        return Err(name_taken(&name));
                    }
                    let description = input
                        .description
                        .unwrap_or_else(|| was.summary.description.clone());
                    let instructions = input.instructions.unwrap_or_else(|| was.instructions.clone());
                    let settings = input.settings.unwrap_or_else(|| was.settings.clone());
                    let to = Change {
                        name: &name,
                        description: description.trim(),
                        instructions: &instructions,
                        status: input.status.unwrap_or(was.summary.status),
                        settings: &settings,
                    };
                    match repo::project::update(tx, project, &to, now).await {
                        Err(StoreError::Unique(_)) => return Err(name_taken(&name)),
                        other => other?,
                    }
                    if settings.shuffle != was.settings.shuffle {
                        repo::project::reorder_queue(tx, project, settings.shuffle).await?;
                    }
                    let is = visible(tx, &actor, project).await?;
                    if let Some(summary) = changes(&was, &is) {
                        audit::write(tx, &actor, Some(project), "project.update", &summary, now).await?;
                    }
                    Ok(is)
                })
            })
            .await?;
        rendered(is).await
    }

    /// Deletes the project with its items, labels and jobs; blobs that nothing uses any more go by clean-up.
    ///
    /// It is gone for everybody at once. What it holds goes in pieces, so that nobody else waits long: on when the caller goes away in
    /// the middle, and by clean-up after a crash in the middle.
    pub async fn delete(&self, actor: &Actor, project: ProjectId) -> Result<()> {
        let (ctx, actor) = (self.0.clone(), actor.clone());
        let task = tokio::spawn(async move {
            let now = ctx.now();
            ctx.db
                .write::<_, Error, _>(move |tx| {
                    Box::pin(async move {
                        require_in(tx, &actor, Action::DeleteProject, project).await?;
                        let was = visible(tx, &actor, project).await?;
                        repo::project::mark_deleted(tx, project, now).await?;
                        let summary = format!("deleted the project “{}”", was.summary.name);
                        audit::write(tx, &actor, Some(project), "project.delete", &summary, now).await
                    })
                })
                .await?;
            remove(&ctx, project).await
        });
        task.await.map_err(anyhow::Error::from)?
    }

    /// Instructions as sanitised HTML, for previews.
    pub async fn render_markdown(&self, actor: &Actor, text: &str) -> Result<String> {
        if !matches!(actor, Actor::System) {
            actor.me()?;
        }
        let text =
            validate::text("text", text, validate::INSTRUCTIONS_MAX).map_err(|m| Error::field("text", m))?;
        html(text).await
    }
}

/// Removes what a deleted project holds, and it.
pub(crate) async fn remove(ctx: &Context, project: ProjectId) -> Result<()> {
    loop {
        let gone = ctx
            .db
            .write::<_, StoreError, _>(move |tx| {
                Box::pin(async move { repo::project::delete_some_items(tx, project, PIECE).await })
            })
            .await?;
        if gone < PIECE {
            break;
        }
    }
    ctx.db
        .write::<_, StoreError, _>(move |tx| {
            Box::pin(async move { repo::project::delete(tx, project).await.map(drop) })
        })
        .await?;
    Ok(())
}

/// The project as the actor sees it, its instructions not rendered.
async fn visible(tx: &mut Tx, actor: &Actor, project: ProjectId) -> Result<Project> {
    let viewer = viewer(actor)?;
    if viewer.only.is_some_and(|only| only != project) {
        return Err(Error::not_found("project"));
    }
    repo::project::get(tx, project, viewer.member)
        .await?
        .ok_or_else(|| Error::not_found("project"))
}

/// With its instructions as HTML; outside the transaction, because it takes a while for long ones.
async fn rendered(mut project: Project) -> Result<Project> {
    project.instructions_html = html(project.instructions.clone()).await?;
    Ok(project)
}

/// Long texts take some ten milliseconds: too long for a thread that serves others.
async fn html(text: String) -> Result<String> {
    if text.len() <= QUICK {
        return Ok(markdown::to_safe_html(&text));
    }
    Ok(tokio::task::spawn_blocking(move || markdown::to_safe_html(&text))
        .await
        .map_err(anyhow::Error::from)?)
}

fn name_taken(name: &str) -> Error {
    Error::Api(limn_domain::ApiError {
        code: Code::AlreadyExists,
        ..limn_domain::ApiError::field(
            "name",
            format!("There is a project called “{name}” already (case does not count); choose another name."),
        )
    })
}

fn check_texts(checks: &mut Checks, description: Option<&str>, instructions: Option<&str>) {
    if let Some(text) = description {
        checks.take(
            "description",
            validate::text("description", text, validate::DESCRIPTION_MAX),
        );
    }
    if let Some(text) = instructions {
        checks.take(
            "instructions",
            validate::text("instructions", text, validate::INSTRUCTIONS_MAX),
        );
    }
}

fn check_settings(checks: &mut Checks, settings: &mut ProjectSettings) {
    let minutes = settings.lease_minutes;
    let fine = (1..=1440).contains(&minutes);
    let result = if fine {
        Ok(())
    } else {
        Err(format!("An item can be held 1 to 1440 minutes, not {minutes}."))
    };
    checks.take("settings.lease_minutes", result);
    let attributes = attribute::check_attributes(std::mem::take(&mut settings.attributes));
    if let Some(list) = checks.take("settings.attributes", attributes) {
        settings.attributes = list;
    }
    if let Some(kinds) = checks.take("settings.relations", link::check_kinds(&settings.relations)) {
        settings.relations = kinds;
    }
}

/// What changed, in words; `None` when nothing did.
fn changes(was: &Project, is: &Project) -> Option<String> {
    use limn_domain::project::ProjectStatus::{Paused, Running};
    let mut parts = Vec::new();
    if was.summary.name != is.summary.name {
        parts.push(format!("renamed “{}” to “{}”", was.summary.name, is.summary.name));
    }
    match (was.summary.status, is.summary.status) {
        (Running, Paused) => parts.push("paused the queue".to_owned()),
        (Paused, Running) => parts.push("resumed the queue".to_owned()),
        _ => {}
    }
    if was.summary.description != is.summary.description {
        parts.push("changed the description".to_owned());
    }
    if was.instructions != is.instructions {
        parts.push("changed the instructions".to_owned());
    }
    if was.settings != is.settings {
        parts.push("changed the settings".to_owned());
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}
