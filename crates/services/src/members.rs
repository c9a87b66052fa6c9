//! Who works in a project.

use crate::authz::require_in;
use crate::{Actor, Context, Error, Result, audit};
use limn_domain::project::Member;
use limn_domain::user::User;
use limn_domain::{Action, ProjectId, Role, UserId};
use limn_store::repo;

#[derive(Clone)]
pub struct Members(pub(crate) Context);

impl Members {
    /// By name.
    pub async fn list(&self, actor: &Actor, project: ProjectId) -> Result<Vec<Member>> {
        let mut tx = self.0.db.read().await?;
        require_in(&mut tx, actor, Action::ViewProject, project).await?;
        Ok(repo::member::list(&mut tx, project).await?)
    }

    /// Adds a person or changes the role. `Admin` is no project role.
    pub async fn set(&self, actor: &Actor, project: ProjectId, user: UserId, role: Role) -> Result<Member> {
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    require_in(tx, &actor, Action::ManageMembers, project).await?;
                    if role == Role::Admin {
                        return Err(Error::field(
                            "role",
                            "Admin is no role in a project; use manager, reviewer, labeler or viewer.",
                        ));
                    }
                    let person = repo::user::get(tx, user)
                        .await?
                        .ok_or_else(|| Error::not_found("person"))?;
                    let was = repo::member::role(tx, project, user).await?;
                    if was.is_none() && person.disabled {
                        return Err(Error::field(
                            "user_id",
                            format!(
                                "The account of {} is disabled; ask an admin to enable it first.",
                                person.name
                            ),
                        ));
                    }
                    repo::member::put(tx, project, user, role, now).await?;
                    let summary = match was {
                        None => format!("added {} as {}", person.name, role.label()),
                        Some(_) => format!("made {} {}", person.name, role.label()),
                    };
                    if was != Some(role) {
                        audit::write(tx, &actor, Some(project), "member.set", &summary, now).await?;
                    }
                    let members = repo::member::list(tx, project).await?;
                    members
                        .into_iter()
                        .find(|m| m.user_id == user)
                        .ok_or_else(|| Error::not_found("member"))
                })
            })
            .await
    }

    /// Removes a person; what they hold returns to the queue, what they labeled stays.
    pub async fn remove(&self, actor: &Actor, project: ProjectId, user: UserId) -> Result<()> {
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    require_in(tx, &actor, Action::ManageMembers, project).await?;
                    if !repo::member::delete(tx, project, user).await? {
                        return Err(Error::not_found("member"));
                    }
                    repo::queue::release_all_of_user(tx, user, Some(project)).await?;
                    let name = repo::user::get(tx, user)
                        .await?
                        .map_or_else(|| "somebody".to_owned(), |u| u.name);
                    let summary = format!("removed {name} from the project");
                    audit::write(tx, &actor, Some(project), "member.remove", &summary, now).await
                })
            })
            .await
    }

    /// Enabled people who are not members yet, for the picker.
    pub async fn candidates(&self, actor: &Actor, project: ProjectId) -> Result<Vec<User>> {
        let mut tx = self.0.db.read().await?;
        require_in(&mut tx, actor, Action::ManageMembers, project).await?;
        Ok(repo::member::candidates(&mut tx, project).await?)
    }
}
