//! Sign-in, the set-up link, accepting invitations; sessions and tokens becoming actors.

pub(crate) mod password;
pub(crate) mod secret;
mod throttle;

use crate::authz::require_account;
use crate::{Actor, Context, Error, Result, audit, keys};
use limn_domain::user::{ChangePassword, Invitation, Me, NewUser, SignIn};
use limn_domain::validate::{self, Checks};
use limn_domain::{Code, Role, Timestamp, UserId};
use limn_store::repo::user::{Credentials, NewRow};
use limn_store::{StoreError, Tx, repo};
pub use secret::TOKEN_PREFIX;
use serde_json::json;
use throttle::Subjects;

/// Session key of the signed-in person's id.
pub const SESSION_USER: &str = "user_id";
/// Session key of the epoch at sign-in; a raised epoch ends the session.
pub const SESSION_EPOCH: &str = "epoch";

/// Key of the set-up secret's digest in the settings.
const SETUP: &str = "setup_secret";

#[derive(Clone)]
pub struct Auth(pub(crate) Context);

impl Auth {
    /// Whether nobody has an account yet, so that the set-up link is the way in.
    pub async fn needs_setup(&self) -> Result<bool> {
        let mut tx = self.0.db.read().await?;
        Ok(!repo::user::any(&mut tx).await?)
    }

    /// A fresh one-time set-up secret for the start message; `None` when somebody has an account. It takes the place of
    /// an earlier one.
    pub async fn new_setup_secret(&self) -> Result<Option<String>> {
        if !self.needs_setup().await? {
            return Ok(None);
        }
        let fresh = secret::new();
        let value = json!({ "digest": secret::digest(&fresh) });
        self.0
            .db
            .write::<_, StoreError, _>(move |tx| {
                Box::pin(async move { repo::setting::put(tx, SETUP, &value).await })
            })
            .await?;
        Ok(Some(fresh))
    }

    /// Creates the first admin with the set-up secret; answers the person and the session epoch.
    pub async fn set_up(&self, secret: &str, user: NewUser) -> Result<(Me, i64)> {
        // Before the costly hash: whoever has no secret gets nothing done.
        check_setup(&mut self.0.db.read().await?, secret).await?;
        let row = new_row(&user, None, Role::Admin).await?;
        let (secret, now) = (secret.to_owned(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    check_setup(tx, &secret).await?;
                    // One of two who come at once gets it.
                    if !repo::setting::take(tx, SETUP).await? {
                        return Err(link_expired());
                    }
                    let me = insert(tx, &row, now).await?;
                    let actor = Actor::User(me.clone());
                    audit::write(tx, &actor, None, "studio.set_up", "set the studio up", now).await?;
                    Ok((me, 0))
                })
            })
            .await
    }

    /// Checks credentials, slowed down per address and per client; answers the person and the session epoch.
    pub async fn sign_in(&self, client: &str, input: SignIn) -> Result<(Me, i64)> {
        let email = input.email.trim().to_lowercase();
        let subjects = Subjects::new(&email, client);
        subjects.check(&self.0).await?;
        let mut slot = Some(password::slot().await?);
        // Again, now that only a few others run: a burst gets no more guesses than one after the other.
        subjects.check(&self.0).await?;
        let known = match validate::email(&email) {
            Ok(email) => repo::user::credentials_by_email(&mut self.0.db.read().await?, &email).await?,
            // Nobody has such an address, and it may hold what the database refuses.
            Err(_) => None,
        };
        let hash = known.as_ref().and_then(|k| k.password_hash.clone());
        let right = password::verify(&mut slot, &input.password, hash).await?;
        let Some(Credentials {
            me, disabled, epoch, ..
        }) = known.filter(|_| right)
        else {
            subjects.fail(&self.0).await?;
            return Err(Error::new(
                Code::WrongCredentials,
                "The e-mail address or the password is wrong.",
            ));
        };
        if disabled {
            return Err(Error::new(
                Code::WrongCredentials,
                "This account is disabled; ask an admin to enable it.",
            ));
        }
        let (id, actor, now) = (me.id, Actor::User(me.clone()), self.0.now());
        self.0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    subjects.succeed(tx).await?;
                    repo::user::set_last_seen(tx, id, now).await?;
                    audit::write(tx, &actor, None, "session.create", "signed in", now).await
                })
            })
            .await?;
        Ok((me, epoch))
    }

    /// The person of a session, `Anonymous` when the session no longer stands.
    pub async fn session_actor(&self, user: UserId, epoch: i64) -> Result<Actor> {
        let standing = repo::user::standing(&mut self.0.db.read().await?, user).await?;
        let Some(standing) = standing.filter(|s| !s.disabled && s.epoch == epoch) else {
            return Ok(Actor::Anonymous);
        };
        let now = self.0.now();
        if is_stale(standing.last_seen_at, now) {
            self.in_background(move |tx| {
                Box::pin(async move { repo::user::set_last_seen(tx, user, now).await })
            });
        }
        Ok(Actor::User(standing.me))
    }

    /// The actor of a bearer token; 401 when unknown, expired, revoked or its owner is disabled.
    pub async fn token_actor(&self, secret: &str) -> Result<Actor> {
        let refuse = || {
            Error::new(
                Code::SignInRequired,
                "This API token is unknown, expired or revoked, or its owner is disabled. Make a new one on the account \
                 page.",
            )
        };
        if !secret.starts_with(secret::TOKEN_PREFIX) {
            return Err(refuse());
        }
        let found = repo::token::present(&mut self.0.db.read().await?, &secret::digest(secret)).await?;
        self.stands(found, refuse)
    }

    /// The secret that a token's S3 requests are signed with; it does not say that the token stands. Errors:
    /// `SignInRequired` for what is no id of one.
    pub async fn s3_secret(&self, access_key_id: &str) -> Result<String> {
        let id = keys::token_of(access_key_id).ok_or_else(unknown_key)?;
        Ok(keys::s3(&self.0, id).await?.secret_access_key)
    }

    /// Whoever signs with a token's key.
    pub async fn s3_actor(&self, access_key_id: &str) -> Result<Actor> {
        let id = keys::token_of(access_key_id).ok_or_else(unknown_key)?;
        let found = repo::token::present_by_id(&mut self.0.db.read().await?, id).await?;
        self.stands(found, unknown_key)
    }

    fn stands(&self, found: Option<repo::token::Presented>, refuse: impl FnOnce() -> Error) -> Result<Actor> {
        let now = self.0.now();
        let token = found
            .filter(|t| !t.owner_disabled && t.expires_at.is_none_or(|end| end > now))
            .ok_or_else(refuse)?;
        let id = token.token_id;
        if is_stale(token.last_used_at, now) {
            self.in_background(move |tx| {
                Box::pin(async move { repo::token::set_last_used(tx, id, now).await })
            });
        }
        Ok(Actor::Token {
            me: token.owner,
            token_id: id,
            scope: token.scope,
            project_id: token.project_id,
            dataset_id: token.dataset_id,
        })
    }

    /// Notes when somebody was last seen; nobody waits for it, and it may fail.
    fn in_background<F>(&self, work: F)
    where
        F: for<'t> FnOnce(&'t mut Tx) -> futures::future::BoxFuture<'t, Result<(), StoreError>>
            + Send
            + 'static,
    {
        let db = self.0.db.clone();
        tokio::spawn(async move {
            if let Err(e) = db.write(work).await {
                tracing::warn!(error = %e, "cannot note when somebody was last seen");
            }
        });
    }

    /// Changes the own password and ends all other sessions; answers the new epoch.
    pub async fn change_password(&self, actor: &Actor, input: ChangePassword) -> Result<i64> {
        let me = require_account(actor)?.clone();
        let mut checks = Checks::default();
        checks.take("new", validate::password(&input.new));
        checks.finish()?;
        let subjects = Subjects::of_address(&me.email);
        subjects.check(&self.0).await?;
        let mut slot = Some(password::slot().await?);
        subjects.check(&self.0).await?;
        let known = repo::user::credentials(&mut self.0.db.read().await?, me.id).await?;
        let was = known.and_then(|k| k.password_hash);
        let right = password::verify(&mut slot, &input.current, was.clone()).await?;
        if !right {
            subjects.fail(&self.0).await?;
            return Err(Error::field("current", "This is not your current password."));
        }
        drop(slot);
        let hash = password::hash(&input.new).await?;
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let epoch = repo::user::set_password(tx, me.id, was.as_deref(), &hash)
                        .await?
                        .ok_or_else(|| {
                            Error::new(
                                Code::Conflict,
                                "The password was changed elsewhere just now; sign in again.",
                            )
                        })?;
                    subjects.succeed(tx).await?;
                    audit::write(tx, &actor, None, "user.password", "changed their password", now).await?;
                    Ok(epoch)
                })
            })
            .await
    }

    /// Changes the own display name.
    pub async fn rename(&self, actor: &Actor, name: &str) -> Result<Me> {
        let me = require_account(actor)?.clone();
        let name = validate::name("person", name).map_err(|m| Error::field("name", m))?;
        let (actor, now) = (actor.clone(), self.0.now());
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    repo::user::set_name(tx, me.id, &name).await?;
                    let summary = format!("is now called “{name}”");
                    audit::write(tx, &actor, None, "user.rename", &summary, now).await?;
                    Ok(Me { name, ..me })
                })
            })
            .await
    }

    /// What an invitation link offers, without its secret.
    pub async fn invitation(&self, secret: &str) -> Result<Invitation> {
        open_invitation(
            &mut self.0.db.read().await?,
            &secret::digest(secret),
            self.0.now(),
        )
        .await
    }

    /// Creates the invited account, under the invitation's address.
    pub async fn accept_invitation(&self, secret: &str, user: NewUser) -> Result<(Me, i64)> {
        let (digest, now) = (secret::digest(secret), self.0.now());
        let offer = open_invitation(&mut self.0.db.read().await?, &digest, now).await?;
        let row = new_row(&user, Some(&offer.email), offer.role).await?;
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let offer = open_invitation(tx, &digest, now).await?;
                    if !repo::invitation::accept(tx, offer.id, now).await? {
                        return Err(link_expired());
                    }
                    let me = insert(tx, &row, now).await?;
                    if let Some(project) = offer.project_id {
                        let role = offer.project_role.unwrap_or(Role::Labeler);
                        repo::member::put(tx, project, me.id, role, now).await?;
                    }
                    let actor = Actor::User(me.clone());
                    let verb = "invitation.accept";
                    audit::write(tx, &actor, offer.project_id, verb, "accepted an invitation", now).await?;
                    Ok((me, 0))
                })
            })
            .await
    }
}

/// Whether a time of "last seen" is old enough to be written again; once a minute will do.
fn is_stale(last: Option<Timestamp>, now: Timestamp) -> bool {
    last.is_none_or(|last| now.seconds_since(last) >= 60)
}

async fn check_setup(tx: &mut Tx, secret: &str) -> Result<()> {
    let stored = repo::setting::get(tx, SETUP).await?;
    let digest = stored
        .as_ref()
        .and_then(|v| v["digest"].as_str())
        .unwrap_or_default();
    if secret::matches(secret, digest) && !repo::user::any(tx).await? {
        Ok(())
    } else {
        Err(link_expired())
    }
}

async fn open_invitation(tx: &mut Tx, digest: &str, now: Timestamp) -> Result<Invitation> {
    repo::invitation::open_by_secret(tx, digest, now)
        .await?
        .ok_or_else(link_expired)
}

fn link_expired() -> Error {
    Error::new(
        Code::LinkExpired,
        "This link was used already, has expired or was taken back. Ask for a new one; a new set-up link is shown when \
         Limn starts.",
    )
}

/// Checks a person to create and hashes the password.
pub(crate) async fn new_row(user: &NewUser, email: Option<&str>, role: Role) -> Result<NewRow> {
    let mut checks = Checks::default();
    let email = checks.take("email", validate::email(email.unwrap_or(&user.email)));
    let name = checks.take("name", validate::name("person", &user.name));
    checks.take("password", validate::password(&user.password));
    checks.finish()?;
    let password_hash = password::hash(&user.password).await?;
    Ok(NewRow {
        id: UserId::new(),
        email: email.unwrap_or_default(),
        name: name.unwrap_or_default(),
        role,
        password_hash,
    })
}

/// Writes a new person.
pub(crate) async fn insert(tx: &mut Tx, row: &NewRow, now: Timestamp) -> Result<Me> {
    match repo::user::insert(tx, row, now).await {
        Err(StoreError::Unique(_)) => Err(already_exists(&row.email)),
        Err(e) => Err(e.into()),
        Ok(()) => Ok(Me {
            id: row.id,
            email: row.email.clone(),
            name: row.name.clone(),
            role: row.role,
        }),
    }
}

pub(crate) fn already_exists(email: &str) -> Error {
    Error::new(
        Code::AlreadyExists,
        format!("`{email}` has an account already; sign in with it, or use another address."),
    )
}

fn unknown_key() -> Error {
    Error::new(
        Code::SignInRequired,
        "This access key is unknown, expired or revoked, or its owner is disabled. Make a new token on the account page.",
    )
}
