//! A project's categories.

mod counts;
mod place;
pub(crate) mod plan;
mod tree;

use crate::authz::require_in;
use crate::{Actor, Context, Error, Result, audit};
use futures::future::BoxFuture;
use limn_domain::attribute;
use limn_domain::category::{Category, CategoryImpact, MAX_LEVELS, NewCategory, UpdateCategory};
use limn_domain::validate::{self, Checks};
use limn_domain::{Action, ApiError, CategoryId, Code, ProjectId, Skeleton, Timestamp};
use limn_store::{Tx, repo};
use std::time::Duration;
use tree::Tree;

/// Tries of a removal that somebody else's labels get in the way of.
const ATTEMPTS: u64 = 20;

#[derive(Clone)]
pub struct Categories(pub(crate) Context);

impl Categories {
    /// In tree order: parents before children, siblings by position.
    pub async fn list(&self, actor: &Actor, project: ProjectId) -> Result<Vec<Category>> {
        let mut tx = self.0.db.read().await?;
        require_in(&mut tx, actor, Action::ViewProject, project).await?;
        let mut all = tree_of(&mut tx, project).await?.in_order();
        let counts = counts::of(&mut tx, project).await?;
        for category in &mut all {
            (category.annotation_count, category.item_count) =
                counts.get(&category.id).copied().unwrap_or((0, 0));
        }
        Ok(all)
    }

    /// Adds a category at the end of its siblings.
    pub async fn create(&self, actor: &Actor, project: ProjectId, input: NewCategory) -> Result<Category> {
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    require_in(tx, &actor, Action::ManageCategories, project).await?;
                    let next = lock(tx, project, now).await?;
                    let tree = tree_of(tx, project).await?;
                    let mut checks = Checks::default();
                    let (name, color) = plan::of_one(&mut checks, &input, tree.len());
                    let skeleton = input.skeleton.map(Skeleton::check);
                    let skeleton = skeleton.and_then(|s| checks.take("skeleton", s));
                    let attributes = checks
                        .take("attributes", attribute::check_attributes(input.attributes))
                        .unwrap_or_default();
                    checks.finish()?;
                    if tree.len() >= plan::COUNT_MAX {
                        return Err(Error::new(
                            Code::WrongState,
                            format!("The project has {} categories, which is the most; merge or remove some.", tree.len()),
                        ));
                    }
                    check_parent(&tree, input.parent_id, 1)?;
                    check_name(&tree, input.parent_id, &name, None)?;
                    if let Some(id) = input.export_id
                        && repo::category::export_id_known(tx, project, id).await?
                    {
                        return Err(Error::field(
                            "export_id",
                            format!("The export id {id} was given in this project already; leave it out to get {next}."),
                        ));
                    }
                    let export_id = input.export_id.unwrap_or(next);
                    if let Some(key) = input.hotkey {
                        repo::category::free_hotkey(tx, project, key).await?;
                    }
                    let row = repo::category::NewRow {
                        id: CategoryId::new(),
                        parent_id: input.parent_id,
                        name,
                        color,
                        hotkey: input.hotkey,
                        position: place::end_of(&tree, input.parent_id),
                        export_id,
                        skeleton,
                        attributes,
                    };
                    repo::category::insert_many(tx, project, std::slice::from_ref(&row), now).await?;
                    repo::project::set_next_category_export_id(tx, project, export_id + 1).await?;
                    let summary = format!("added the category “{}”", row.name);
                    audit::write(tx, &actor, Some(project), "category.create", &summary, now).await?;
                    reread(tx, project, row.id).await
                })
            })
            .await
    }

    /// Renames, recolours, moves or gives a key; a key another category has moves to this one.
    pub async fn update(
        &self,
        actor: &Actor,
        category: CategoryId,
        input: UpdateCategory,
    ) -> Result<Category> {
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let (project, tree) = for_change(tx, &actor, category, now).await?;
                    let was = find(&tree, category)?.clone();
                    let mut is = was.clone();
                    let mut checks = Checks::default();
                    if let Some(name) = &input.name {
                        is.name = checks
                            .take("name", validate::name("category", name))
                            .unwrap_or_default();
                    }
                    if let Some(color) = &input.color {
                        is.color = checks.take("color", validate::color(color)).unwrap_or_default();
                    }
                    if let Some(key) = input.hotkey {
                        is.hotkey = key.and_then(|k| checks.take("hotkey", validate::hotkey(k)));
                    }
                    if let Some(skeleton) = input.skeleton {
                        let checked = skeleton.map(Skeleton::check);
                        is.skeleton = checked.and_then(|s| checks.take("skeleton", s));
                    }
                    if let Some(list) = input.attributes {
                        is.attributes = checks
                            .take("attributes", attribute::check_attributes(list))
                            .unwrap_or_default();
                    }
                    checks.finish()?;
                    is.parent_id = input.parent_id.unwrap_or(was.parent_id);
                    if is.parent_id != was.parent_id {
                        if is.parent_id.is_some_and(|p| tree.subtree(category).contains(&p)) {
                            return Err(Error::field(
                                "parent_id",
                                "A category cannot lie below itself; choose another parent.",
                            ));
                        }
                        check_parent(&tree, is.parent_id, tree.height(category))?;
                    }
                    check_name(&tree, is.parent_id, &is.name, Some(category))?;
                    if count(was.skeleton.as_ref()) != count(is.skeleton.as_ref()) {
                        skeleton_is_free(tx, &was).await?;
                    }
                    // Placing writes the siblings as they were read, so a key is taken from one of them after that.
                    place::put(tx, &tree, &mut is, input.position).await?;
                    if let Some(key) = is.hotkey.filter(|_| is.hotkey != was.hotkey) {
                        repo::category::free_hotkey(tx, project, key).await?;
                    }
                    repo::category::update(tx, &is).await?;
                    if let Some(summary) = changes(&was, &is) {
                        audit::write(tx, &actor, Some(project), "category.update", &summary, now).await?;
                    }
                    reread(tx, project, category).await
                })
            })
            .await
    }

    /// What removing it would touch, and (but for the children, which move up) merging it.
    pub async fn impact(&self, actor: &Actor, category: CategoryId) -> Result<CategoryImpact> {
        let mut tx = self.0.db.read().await?;
        let project = project_of(&mut tx, actor, category).await?;
        let tree = tree_of(&mut tx, project).await?;
        let ids = tree.subtree(category);
        let (annotations, items) = repo::category::impact(&mut tx, &ids).await?;
        Ok(CategoryImpact {
            annotations,
            items,
            children: ids.len() as i64 - 1,
        })
    }

    /// Moves every label to `into` and removes the category; its children move up to its parent.
    pub async fn merge(&self, actor: &Actor, category: CategoryId, into: CategoryId) -> Result<()> {
        let now = self.0.now();
        self.take_away(|| {
            let actor = actor.clone();
            move |tx| {
                Box::pin(async move {
                    let (project, tree) = for_change(tx, &actor, category, now).await?;
                    if category == into {
                        return Err(Error::field(
                            "into",
                            "A category cannot be merged into itself; choose another one.",
                        ));
                    }
                    let (from, target) = (find(&tree, category)?, find(&tree, into)?);
                    repo::category::lock_for_removal(tx, &[category]).await?;
                    if count(from.skeleton.as_ref()) != count(target.skeleton.as_ref()) {
                        skeleton_is_free(tx, from).await?;
                    }
                    place::move_children_up(tx, &tree, from).await?;
                    let moved = repo::annotation::move_category(tx, project, category, into, now).await?;
                    repo::category::delete(tx, category).await?;
                    let summary = format!("merged “{}” into “{}” ({moved} labels)", from.name, target.name);
                    audit::write(tx, &actor, Some(project), "category.merge", &summary, now).await?;
                    Ok(project)
                })
            }
        })
        .await
    }

    /// Removes the category, its descendants and their labels.
    pub async fn remove(&self, actor: &Actor, category: CategoryId) -> Result<()> {
        let now = self.0.now();
        self.take_away(|| {
            let actor = actor.clone();
            move |tx| {
                Box::pin(async move {
                    let (project, tree) = for_change(tx, &actor, category, now).await?;
                    let name = find(&tree, category)?.name.clone();
                    let mut labels = 0;
                    let subtree = tree.subtree(category);
                    repo::category::lock_for_removal(tx, &subtree).await?;
                    // Children before their parents, which they refer to.
                    for id in subtree.into_iter().rev() {
                        labels += repo::annotation::delete_category(tx, project, id, now).await?;
                        repo::category::delete(tx, id).await?;
                    }
                    let summary = format!("removed the category “{name}” ({labels} labels)");
                    audit::write(tx, &actor, Some(project), "category.remove", &summary, now).await?;
                    Ok(project)
                })
            }
        })
        .await
    }

    /// Runs a unit of work that removes categories. On PostgreSQL it may meet people who give such labels just then; it
    /// stands back for them and is tried again.
    async fn take_away<F, W>(&self, work: F) -> Result<()>
    where
        F: Fn() -> W,
        W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<ProjectId>> + Send + 'static,
    {
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.0.db.write(work()).await {
                Err(Error::Store(e)) if attempt < ATTEMPTS && e.is_contention() => {
                    tokio::time::sleep(Duration::from_millis(20 * attempt)).await;
                }
                Err(Error::Store(e)) if e.is_contention() => {
                    return Err(Error::new(
                        Code::Conflict,
                        "People give labels of this category right now; try again in a moment.",
                    ));
                }
                other => {
                    counts::forget(other?);
                    return Ok(());
                }
            }
        }
    }
}

async fn tree_of(tx: &mut Tx, project: ProjectId) -> Result<Tree> {
    Ok(Tree::new(repo::category::list(tx, project).await?))
}

fn not_found() -> Error {
    Error::not_found("category")
}

fn find(tree: &Tree, id: CategoryId) -> Result<&Category> {
    tree.get(id).ok_or_else(not_found)
}

/// The category's project, if the actor may change its categories. Outsiders learn only that there is no such category.
async fn project_of(tx: &mut Tx, actor: &Actor, category: CategoryId) -> Result<ProjectId> {
    if !matches!(actor, Actor::System) {
        actor.me()?;
    }
    let project = repo::category::project_of(tx, category)
        .await?
        .ok_or_else(not_found)?;
    require_in(tx, actor, Action::ManageCategories, project)
        .await
        .map_err(|e| match e {
            Error::Api(ApiError {
                code: Code::NotFound, ..
            }) => not_found(),
            e => e,
        })?;
    Ok(project)
}

/// The same, with the project locked and its tree read.
async fn for_change(
    tx: &mut Tx,
    actor: &Actor,
    category: CategoryId,
    now: Timestamp,
) -> Result<(ProjectId, Tree)> {
    let project = project_of(tx, actor, category).await?;
    lock(tx, project, now).await?;
    let tree = tree_of(tx, project).await?;
    Ok((project, tree))
}

/// Locks the project; answers the next export id.
async fn lock(tx: &mut Tx, project: ProjectId, now: Timestamp) -> Result<i64> {
    repo::project::lock(tx, project, now)
        .await?
        .ok_or_else(|| Error::not_found("project"))
}

/// The category with its counts.
async fn reread(tx: &mut Tx, project: ProjectId, id: CategoryId) -> Result<Category> {
    let found = repo::category::list(tx, project)
        .await?
        .into_iter()
        .find(|c| c.id == id);
    let mut category = found.ok_or_else(not_found)?;
    if let Some(counted) = counts::of(tx, project).await?.get(&id) {
        (category.annotation_count, category.item_count) = *counted;
    }
    Ok(category)
}

/// Whether `height` levels can lie below this parent.
fn check_parent(tree: &Tree, parent: Option<CategoryId>, height: usize) -> Result<()> {
    if parent.is_some_and(|p| tree.get(p).is_none()) {
        return Err(Error::field(
            "parent_id",
            "The project has no such category; choose one of its own as the parent.",
        ));
    }
    if tree.level(parent) + height > MAX_LEVELS {
        return Err(Error::field("parent_id", plan::too_deep()));
    }
    Ok(())
}

/// Whether the name is free among the children of `parent`.
fn check_name(tree: &Tree, parent: Option<CategoryId>, name: &str, own: Option<CategoryId>) -> Result<()> {
    let key = validate::name_key(name);
    let taken = tree
        .children(parent)
        .any(|c| Some(c.id) != own && validate::name_key(&c.name) == key);
    if taken {
        return Err(Error::Api(ApiError {
            code: Code::AlreadyExists,
            ..ApiError::field("name", plan::twice(name))
        }));
    }
    Ok(())
}

/// Number of keypoints.
fn count(skeleton: Option<&Skeleton>) -> Option<usize> {
    skeleton.map(|s| s.keypoints.len())
}

/// Whether no object has keypoints by the category's skeleton. Nobody gives any until the transaction ends.
async fn skeleton_is_free(tx: &mut Tx, category: &Category) -> Result<()> {
    repo::category::lock_for_removal(tx, &[category.id]).await?;
    match repo::category::skeletons_in_use(tx, category.id).await? {
        0 => Ok(()),
        n => Err(Error::new(
            Code::WrongState,
            format!(
                "{n} objects of “{}” have its keypoints, so their number must stay; names, lines and places can change.",
                category.name
            ),
        )),
    }
}

/// What changed, in words; `None` when nothing did.
fn changes(was: &Category, is: &Category) -> Option<String> {
    let mut parts = Vec::new();
    if was.name != is.name {
        parts.push(format!("renamed the category “{}” to “{}”", was.name, is.name));
    }
    if was.color != is.color {
        parts.push(format!("recoloured the category “{}”", is.name));
    }
    if was.hotkey != is.hotkey {
        parts.push(match is.hotkey {
            Some(key) => format!("gave the category “{}” the key {key}", is.name),
            None => format!("took the key of the category “{}” away", is.name),
        });
    }
    if was.skeleton != is.skeleton {
        parts.push(match &is.skeleton {
            Some(s) => format!(
                "gave the category “{}” a skeleton of {} keypoints",
                is.name,
                s.keypoints.len()
            ),
            None => format!("took the skeleton of the category “{}” away", is.name),
        });
    }
    if was.attributes != is.attributes {
        parts.push(format!("changed the attributes of the category “{}”", is.name));
    }
    if was.parent_id != is.parent_id || was.position != is.position {
        parts.push(format!("moved the category “{}”", is.name));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}
