//! People and invitations, for admins.

use crate::auth::{already_exists, insert, new_row, secret};
use crate::authz::require;
use crate::{Actor, Context, Error, Result, audit};
use limn_domain::user::{Invitation, NewInvitation, NewUser, UpdateUser, User};
use limn_domain::validate::{self, Checks};
use limn_domain::{Action, Code, InvitationId, Role, UserId};
use limn_store::{Tx, repo};

/// Seconds an invitation stands: 7 days.
const INVITATION_LIFE: i64 = 7 * 24 * 3600;

#[derive(Clone)]
pub struct Users(pub(crate) Context);

impl Users {
    pub async fn list(&self, actor: &Actor) -> Result<Vec<User>> {
        require(actor, Action::ManagePeople)?;
        Ok(repo::user::list(&mut self.0.db.read().await?).await?)
    }

    /// Creates an account directly (command line, `Actor::System`, or an admin).
    pub async fn create(&self, actor: &Actor, user: NewUser, role: Role) -> Result<User> {
        require(actor, Action::ManagePeople)?;
        let row = new_row(&user, None, role).await?;
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let me = insert(tx, &row, now).await?;
                    let summary = format!("created the account of {} ({})", me.name, role.label());
                    audit::write(tx, &actor, None, "user.create", &summary, now).await?;
                    get(tx, me.id).await
                })
            })
            .await
    }

    /// Changes name, role or disabled; disabling ends sessions and tokens at once. The last enabled admin stays one.
    pub async fn update(&self, actor: &Actor, user: UserId, input: UpdateUser) -> Result<User> {
        require(actor, Action::ManagePeople)?;
        let mut checks = Checks::default();
        let name = input
            .name
            .as_deref()
            .and_then(|n| checks.take("name", validate::name("person", n)));
        checks.finish()?;
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let admins = repo::user::lock_admins(tx).await?;
                    let was = get(tx, user).await?;
                    let name = name.unwrap_or_else(|| was.name.clone());
                    let role = input.role.unwrap_or(was.role);
                    let disabled = input.disabled.unwrap_or(was.disabled);
                    let stays_admin = role == Role::Admin && !disabled;
                    if admins == [user] && !stays_admin {
                        return Err(Error::new(
                            Code::WrongState,
                            format!(
                                "{} is the only enabled admin; make somebody else an admin first.",
                                was.name
                            ),
                        ));
                    }
                    repo::user::update(tx, user, &name, role, disabled.then_some(now)).await?;
                    if disabled && !was.disabled {
                        end_access(tx, user).await?;
                    }
                    let is = User {
                        name,
                        role,
                        disabled,
                        ..was.clone()
                    };
                    if is != was {
                        audit::write(tx, &actor, None, "user.update", &changes(&was, &is), now).await?;
                    }
                    Ok(is)
                })
            })
            .await
    }

    /// Invitations not accepted yet, expired ones included, newest first.
    pub async fn invitations(&self, actor: &Actor) -> Result<Vec<Invitation>> {
        require(actor, Action::ManagePeople)?;
        Ok(repo::invitation::list_open(&mut self.0.db.read().await?).await?)
    }

    /// Makes an invitation, in the place of an open one for the same address.
    pub async fn invite(&self, actor: &Actor, input: NewInvitation) -> Result<Invitation> {
        require(actor, Action::ManagePeople)?;
        let mut checks = Checks::default();
        let email = checks
            .take("email", validate::email(&input.email))
            .unwrap_or_default();
        checks.take("project_role", check_project_role(&input));
        checks.finish()?;
        let now = self.0.now();
        let secret = secret::new();
        let digest = secret::digest(&secret);
        let invitation = Invitation {
            id: InvitationId::new(),
            email,
            role: input.role,
            project_id: input.project_id,
            project_role: input
                .project_id
                .map(|_| input.project_role.unwrap_or(member_role(input.role))),
            created_at: now,
            expires_at: now.plus_seconds(INVITATION_LIFE),
            link: Some(format!("/invite?token={secret}")),
        };
        let actor = actor.clone();
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if repo::user::by_email(tx, &invitation.email).await?.is_some() {
                        return Err(already_exists(&invitation.email));
                    }
                    if let Some(project) = invitation.project_id
                        && !repo::project::exists(tx, project).await?
                    {
                        return Err(Error::field(
                            "project_id",
                            "There is no such project; choose one of the list.",
                        ));
                    }
                    repo::invitation::delete_open_of(tx, &invitation.email).await?;
                    repo::invitation::insert(tx, &invitation, &digest, actor.user_id()).await?;
                    let summary = format!("invited {} as {}", invitation.email, invitation.role.label());
                    audit::write(tx, &actor, None, "invitation.create", &summary, now).await?;
                    Ok(invitation)
                })
            })
            .await
    }

    pub async fn revoke_invitation(&self, actor: &Actor, invitation: InvitationId) -> Result<()> {
        require(actor, Action::ManagePeople)?;
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let email = repo::invitation::delete_open(tx, invitation)
                        .await?
                        .ok_or_else(|| Error::not_found("open invitation"))?;
                    let summary = format!("took back the invitation of {email}");
                    audit::write(tx, &actor, None, "invitation.delete", &summary, now).await
                })
            })
            .await
    }
}

async fn get(tx: &mut Tx, user: UserId) -> Result<User> {
    repo::user::get(tx, user)
        .await?
        .ok_or_else(|| Error::not_found("person"))
}

/// Ends what a person has open: sessions, tokens, items in hand.
async fn end_access(tx: &mut Tx, user: UserId) -> Result<()> {
    repo::user::raise_epoch(tx, user).await?;
    repo::session::delete_of_user(tx, user).await?;
    repo::token::delete_of_user(tx, user).await?;
    repo::queue::release_all_of_user(tx, user, None).await?;
    Ok(())
}

fn check_project_role(input: &NewInvitation) -> Result<(), String> {
    match (input.project_id, input.project_role) {
        (None, Some(_)) => Err("Choose the project the role is for.".to_owned()),
        (_, Some(Role::Admin)) => {
            Err("Admin is no role in a project; use manager, reviewer, labeler or viewer.".to_owned())
        }
        _ => Ok(()),
    }
}

/// The project role that goes with a studio role.
const fn member_role(role: Role) -> Role {
    match role {
        Role::Admin => Role::Manager,
        other => other,
    }
}

fn changes(was: &User, is: &User) -> String {
    let mut parts = Vec::new();
    if was.name != is.name {
        parts.push(format!("renamed {} to {}", was.name, is.name));
    }
    if was.role != is.role {
        parts.push(format!("made {} {}", is.name, is.role.label()));
    }
    match (was.disabled, is.disabled) {
        (false, true) => parts.push(format!("disabled the account of {}", is.name)),
        (true, false) => parts.push(format!("enabled the account of {}", is.name)),
        _ => {}
    }
    parts.join(", ")
}
