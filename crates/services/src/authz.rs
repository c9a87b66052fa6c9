//! Who is asking, and the only place where permission is checked.

use crate::{Error, Result};
use limn_domain::authz::{Action, Role, allowed};
use limn_domain::token::TokenScope;
use limn_domain::user::Me;
use limn_domain::{ApiError, Code, ProjectId, TokenId, UserId};
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
    check_scope(actor, action, None)?;
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
    check_scope(actor, action, Some(project))?;
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
    let elsewhere = matches!(actor, Actor::Token { project_id: Some(only), .. } if *only != project);
    let role = if me.role == Role::Admin {
        Some(Role::Admin)
    } else {
        member
    };
    let role = role
        .filter(|_| !elsewhere)
        .ok_or_else(|| Error::not_found("project"))?;
    check_scope(actor, action, Some(project))?;
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
    if let Actor::Token {
        project_id: Some(only),
        ..
    } = actor
        && *only != project
    {
        return Ok(None);
    }
    if me.role == Role::Admin {
        return Ok(repo::project::exists(tx, project).await?.then_some(Role::Admin));
    }
    Ok(repo::member::role(tx, project, me.id).await?)
}

/// Checks that the actor may manage their own account (password, name, tokens): a signed-in person, or a token of the
/// widest scope. Answers the person.
pub fn require_account(actor: &Actor) -> Result<&Me> {
    let me = actor.me()?;
    match actor {
        Actor::Token {
            scope, project_id, ..
        } if *scope != TokenScope::Admin || project_id.is_some() => Err(Error::new(
            Code::Forbidden,
            "This token may not manage the account; sign in, or use a token with the scope admin.",
        )),
        _ => Ok(me),
    }
}

/// Whose projects the actor may list.
pub fn viewer(actor: &Actor) -> Result<repo::project::Viewer> {
    let only = match actor {
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

/// A token allows at most what its scope says.
fn check_scope(actor: &Actor, action: Action, project: Option<ProjectId>) -> Result<()> {
    let Actor::Token {
        scope, project_id, ..
    } = actor
    else {
        return Ok(());
    };
    let within_scope = match scope {
        TokenScope::Admin => true,
        TokenScope::Write => !matches!(action, Action::ManagePeople),
        TokenScope::Read => matches!(
            action,
            Action::ViewProject | Action::ViewItems | Action::ExportData
        ),
    };
    let within_project = project_id.is_none_or(|only| project == Some(only));
    if within_scope && within_project {
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
