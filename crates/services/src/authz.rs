//! Who is asking, and the only place where permission is checked.

use crate::{Error, Result};
use limn_domain::authz::{Action, Role, allowed};
use limn_domain::dataset::Visibility;
use limn_domain::token::TokenScope;
use limn_domain::user::Me;
use limn_domain::{ApiError, Code, DatasetId, ProjectId, TokenId, UserId};
use limn_store::{Tx, repo};

/// Whoever makes the request; resolved once by the middleware.
#[derive(Debug, Clone, PartialEq)]
pub enum Actor {
    Anonymous,
    /// A signed-in browser.
    User(Me),
    /// A script with an API token.
    Token {
        me: Me,
        token_id: TokenId,
        scope: TokenScope,
        project_id: Option<ProjectId>,
        dataset_id: Option<DatasetId>,
    },
    /// Limn itself: jobs and the command line on the server's own machine.
    System,
}

impl Actor {
    /// The person, or 401.
    pub fn me(&self) -> Result<&Me> {
        match self {
            Self::User(me) | Self::Token { me, .. } => Ok(me),
            Self::Anonymous | Self::System => Err(Error::Api(ApiError::new(
                Code::SignInRequired,
                "Sign in first, or send a valid API token.",
            ))),
        }
    }

    pub fn user_id(&self) -> Option<UserId> {
        match self {
            Self::User(me) | Self::Token { me, .. } => Some(me.id),
            Self::Anonymous | Self::System => None,
        }
    }

    /// The name for the audit log.
    pub fn name(&self) -> &str {
        match self {
            Self::User(me) | Self::Token { me, .. } => &me.name,
            Self::Anonymous | Self::System => "Limn",
        }
    }
}

/// Proof that a check has passed, with the role it passed in.
#[derive(Debug, Clone, Copy)]
pub struct Grant {
    pub role: Role,
}

/// Checks an action of the studio (not of a project).
pub fn require(actor: &Actor, action: Action) -> Result<Grant> {
    if matches!(actor, Actor::System) {
        return Ok(Grant { role: Role::Admin });
    }
    let me = actor.me()?;
    check_scope(actor, action, Place::Studio)?;
    if allowed(me.role, action) {
        Ok(Grant { role: me.role })
    } else {
        Err(forbidden(action, me.role))
    }
}

/// Checks an action in a project. Somebody who is no member learns only that there is no such project.
pub async fn require_in(tx: &mut Tx, actor: &Actor, action: Action, project: ProjectId) -> Result<Grant> {
    if matches!(actor, Actor::System) {
        return Ok(Grant { role: Role::Admin });
    }
    let role = role_in(tx, actor, project)
        .await?
        .ok_or_else(|| Error::not_found("project"))?;
    check_scope(actor, action, Place::Project(project))?;
    if allowed(role, action) {
        Ok(Grant { role })
    } else {
        Err(forbidden(action, role))
    }
}

/// The same for a project that exists and whose membership has been read: `member` is the actor's role in it, if any.
pub fn require_as(actor: &Actor, action: Action, project: ProjectId, member: Option<Role>) -> Result<Grant> {
    if matches!(actor, Actor::System) {
        return Ok(Grant { role: Role::Admin });
    }
    let me = actor.me()?;
    let elsewhere = !reaches(actor, Place::Project(project));
    let role = if me.role == Role::Admin {
        Some(Role::Admin)
    } else {
        member
    };
    let role = role
        .filter(|_| !elsewhere)
        .ok_or_else(|| Error::not_found("project"))?;
    check_scope(actor, action, Place::Project(project))?;
    if allowed(role, action) {
        Ok(Grant { role })
    } else {
        Err(forbidden(action, role))
    }
}

/// The actor's role in a project: Admin for a studio admin, else the membership's; `None` for outsiders and for
/// projects that do not exist.
pub async fn role_in(tx: &mut Tx, actor: &Actor, project: ProjectId) -> Result<Option<Role>> {
    if matches!(actor, Actor::System) {
        return Ok(Some(Role::Admin));
    }
    let me = actor.me()?;
    if !reaches(actor, Place::Project(project)) {
        return Ok(None);
    }
    if me.role == Role::Admin {
        return Ok(repo::project::exists(tx, project).await?.then_some(Role::Admin));
    }
    Ok(repo::member::role(tx, project, me.id).await?)
}

/// The actor's role in a dataset: Admin for a studio admin, else the membership's, else Viewer where the whole studio may
/// read; `None` for outsiders, for datasets that do not exist, and for tokens of something else.
pub async fn role_in_dataset(tx: &mut Tx, actor: &Actor, dataset: DatasetId) -> Result<Option<Role>> {
    let all = matches!(actor, Actor::System);
    if !all {
        let me = actor.me()?;
        if !reaches(actor, Place::Dataset(dataset)) {
            return Ok(None);
        }
        if me.role != Role::Admin {
            let access = repo::dataset::access(tx, dataset, me.id).await?;
            return Ok(access.and_then(|(role, visibility)| {
                role.or((visibility == Visibility::Studio).then_some(Role::Viewer))
            }));
        }
    }
    Ok(repo::dataset::exists(tx, dataset).await?.then_some(Role::Admin))
}

/// Checks an action in a dataset. Somebody who may not see it learns only that there is no such dataset.
pub async fn require_in_dataset(
    tx: &mut Tx,
    actor: &Actor,
    action: Action,
    dataset: DatasetId,
) -> Result<Grant> {
    let role = role_in_dataset(tx, actor, dataset)
        .await?
        .ok_or_else(|| Error::not_found("dataset"))?;
    check_scope(actor, action, Place::Dataset(dataset))?;
    if allowed(role, action) {
        Ok(Grant { role })
    } else {
        Err(Error::new(
            Code::Forbidden,
            format!(
                "As {} you may not {}; ask an admin or the dataset's manager.",
                role.label(),
                action.describe()
            ),
        ))
    }
}

/// Whose datasets the actor may see: `None` for all.
pub fn dataset_viewer(actor: &Actor) -> Result<Option<UserId>> {
    match actor {
        Actor::System => Ok(None),
        _ => Ok(Some(actor.me()?)
            .filter(|me| me.role != Role::Admin)
            .map(|me| me.id)),
    }
}

/// Checks that the actor may manage their own account (password, name, tokens): a signed-in person, or a token of the
/// widest scope. Answers the person.
pub fn require_account(actor: &Actor) -> Result<&Me> {
    let me = actor.me()?;
    match actor {
        Actor::Token { scope, .. } if *scope != TokenScope::Admin || is_bound(actor) => Err(Error::new(
            Code::Forbidden,
            "This token may not manage the account; sign in, or use a token with the scope admin.",
        )),
        _ => Ok(me),
    }
}

/// Whose projects the actor may list.
pub fn viewer(actor: &Actor) -> Result<repo::project::Viewer> {
    let only = match actor {
        // None has this id.
        Actor::Token {
            dataset_id: Some(_), ..
        } => Some(ProjectId::nil()),
        Actor::Token { project_id, .. } => *project_id,
        _ => None,
    };
    let member = match actor {
        Actor::System => None,
        _ => Some(actor.me()?)
            .filter(|me| me.role != Role::Admin)
            .map(|me| me.id),
    };
    Ok(repo::project::Viewer { member, only })
}

/// Where an action takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Studio,
    Project(ProjectId),
    Dataset(DatasetId),
}

/// Whether a token, if it is one, is for this place at all.
fn reaches(actor: &Actor, place: Place) -> bool {
    match actor {
        Actor::Token {
            project_id: Some(only),
            ..
        } => place == Place::Project(*only),
        Actor::Token {
            dataset_id: Some(only),
            ..
        } => place == Place::Dataset(*only),
        _ => true,
    }
}

/// Whether it is a token of one project or one dataset.
pub fn is_bound(actor: &Actor) -> bool {
    !reaches(actor, Place::Studio)
}

/// The dataset that a token is for, if it is for one.
pub fn bound_dataset(actor: &Actor) -> Option<DatasetId> {
    match actor {
        Actor::Token { dataset_id, .. } => *dataset_id,
        _ => None,
    }
}

/// A token allows at most what its scope says.
fn check_scope(actor: &Actor, action: Action, place: Place) -> Result<()> {
    let Actor::Token { scope, .. } = actor else {
        return Ok(());
    };
    let within_scope = match scope {
        TokenScope::Admin => true,
        TokenScope::Write => !matches!(action, Action::ManagePeople),
        TokenScope::Read => matches!(
            action,
            Action::ViewProject
                | Action::ViewItems
                | Action::ExportData
                | Action::ViewDataset
                | Action::ViewRuns
        ),
    };
    if within_scope && reaches(actor, place) {
        Ok(())
    } else {
        Err(Error::new(
            Code::Forbidden,
            format!(
                "This token may not {}; use one with a wider scope.",
                action.describe()
            ),
        ))
    }
}

fn forbidden(action: Action, role: Role) -> Error {
    Error::new(
        Code::Forbidden,
        format!(
            "As {} you may not {}; ask an admin or the project's manager.",
            role.label(),
            action.describe()
        ),
    )
}
