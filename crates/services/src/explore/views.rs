//! Saved views: filters that were kept under a name, over a dataset's files or a project's items.

use super::{Explore, check, items};
use crate::authz::{require_in, require_in_dataset};
use crate::{Actor, Error, Result, audit};
use limn_domain::explore::{NewView, SavedView, VIEW_NAME_MAX};
use limn_domain::item_explore::ItemView;
use limn_domain::{Action, Code, DatasetId, ProjectId, ViewId, validate};
use limn_store::repo::view::{Owner, View};
use limn_store::{Tx, repo};

/// Views of a dataset or project.
const VIEWS_MAX: usize = 200;
/// Bytes of a view's filter: a list of views has all of them, and everybody reads it whole.
const QUERY_MAX: usize = 64 << 10;

impl Explore {
    /// The saved views of a dataset, by name.
    pub async fn views(&self, actor: &Actor, dataset: DatasetId) -> Result<Vec<SavedView>> {
        let all = self.kept(actor, Owner::Dataset(dataset)).await?;
        Ok(of_dataset(dataset, all))
    }

    /// Keeps a view; one of the same name is replaced. Answers all of them.
    pub async fn save_view(
        &self,
        actor: &Actor,
        dataset: DatasetId,
        input: NewView,
    ) -> Result<Vec<SavedView>> {
        let all = self.keep(actor, Owner::Dataset(dataset), input).await?;
        Ok(of_dataset(dataset, all))
    }

    /// Answers those that are left.
    pub async fn delete_view(
        &self,
        actor: &Actor,
        dataset: DatasetId,
        view: ViewId,
    ) -> Result<Vec<SavedView>> {
        let left = self.forget(actor, Owner::Dataset(dataset), view).await?;
        Ok(of_dataset(dataset, left))
    }

    /// The saved views of a project, by name.
    pub async fn item_views(&self, actor: &Actor, project: ProjectId) -> Result<Vec<ItemView>> {
        let all = self.kept(actor, Owner::Project(project)).await?;
        Ok(of_project(project, all))
    }

    /// Keeps a view; one of the same name is replaced. Answers all of them.
    pub async fn save_item_view(
        &self,
        actor: &Actor,
        project: ProjectId,
        input: NewView,
    ) -> Result<Vec<ItemView>> {
        let all = self.keep(actor, Owner::Project(project), input).await?;
        Ok(of_project(project, all))
    }

    /// Answers those that are left.
    pub async fn delete_item_view(
        &self,
        actor: &Actor,
        project: ProjectId,
        view: ViewId,
    ) -> Result<Vec<ItemView>> {
        let left = self.forget(actor, Owner::Project(project), view).await?;
        Ok(of_project(project, left))
    }

    async fn kept(&self, actor: &Actor, of: Owner) -> Result<Vec<View>> {
        let mut tx = self.0.db.read().await?;
        match of {
            Owner::Dataset(id) => require_in_dataset(&mut tx, actor, Action::ViewDataset, id).await?,
            Owner::Project(id) => require_in(&mut tx, actor, Action::ViewItems, id).await?,
        };
        Ok(repo::view::list(&mut tx, of).await?)
    }

    async fn keep(&self, actor: &Actor, of: Owner, input: NewView) -> Result<Vec<View>> {
        let mut query = input.query;
        let noun = match of {
            Owner::Dataset(_) => {
                check(&query)?;
                "dataset"
            }
            Owner::Project(_) => {
                items::check(&query)?;
                "project"
            }
        };
        (query.offset, query.limit, query.rows_only) = (0, None, false);
        let mut checks = validate::Checks::default();
        let name = checks
            .take("name", validate::name("view", &input.name))
            .unwrap_or_default();
        if name.chars().count() > VIEW_NAME_MAX {
            let why = format!("A view's name has at most {VIEW_NAME_MAX} characters.");
            checks.take::<()>("name", Err(why));
        }
        let bytes = serde_json::to_vec(&query).map_err(anyhow::Error::from)?.len();
        if bytes > QUERY_MAX {
            let why = format!(
                "A view's filter has at most {} KB, and this one has {}; filter by fewer values.",
                QUERY_MAX >> 10,
                bytes.div_ceil(1 << 10)
            );
            checks.take::<()>("query", Err(why));
        }
        checks.finish()?;
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let project = require_change(tx, &actor, of).await?;
                    let before = repo::view::list(tx, of).await?;
                    let key = name.to_lowercase();
                    let replaced = before.iter().any(|v| v.name.to_lowercase() == key);
                    if !replaced && before.len() >= VIEWS_MAX {
                        return Err(Error::new(
                            Code::WrongState,
                            format!("A {noun} has at most {VIEWS_MAX} views; delete one first."),
                        ));
                    }
                    repo::view::put(tx, of, &name, &query, actor.user_id(), now).await?;
                    let summary = format!("kept the view “{name}”");
                    audit::write(tx, &actor, project, "view.save", &summary, now).await?;
                    Ok(repo::view::list(tx, of).await?)
                })
            })
            .await
    }

    async fn forget(&self, actor: &Actor, of: Owner, view: ViewId) -> Result<Vec<View>> {
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let project = require_change(tx, &actor, of).await?;
                    let name = repo::view::delete(tx, of, view)
                        .await?
                        .ok_or_else(|| Error::not_found("view"))?;
                    let summary = format!("deleted the view “{name}”");
                    audit::write(tx, &actor, project, "view.delete", &summary, now).await?;
                    Ok(repo::view::list(tx, of).await?)
                })
            })
            .await
    }
}

/// Whether somebody may keep and delete views; answers the project whose log says so, if it is one.
async fn require_change(tx: &mut Tx, actor: &Actor, of: Owner) -> Result<Option<ProjectId>> {
    match of {
        Owner::Dataset(id) => {
            require_in_dataset(tx, actor, Action::AddVersions, id).await?;
            Ok(None)
        }
        Owner::Project(id) => {
            require_in(tx, actor, Action::ManageProject, id).await?;
            Ok(Some(id))
        }
    }
}

fn of_dataset(dataset: DatasetId, views: Vec<View>) -> Vec<SavedView> {
    let views = views.into_iter().map(|v| SavedView {
        id: v.id,
        dataset_id: dataset,
        name: v.name,
        query: v.query,
        created_by_name: v.created_by_name,
        created_at: v.created_at,
    });
    views.collect()
}

fn of_project(project: ProjectId, views: Vec<View>) -> Vec<ItemView> {
    let views = views.into_iter().map(|v| ItemView {
        id: v.id,
        project_id: project,
        name: v.name,
        query: v.query,
        created_by_name: v.created_by_name,
        created_at: v.created_at,
    });
    views.collect()
}
