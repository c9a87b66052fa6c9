//! Browser sessions, kept in the database.
//!
//! The cookie holds a random id; the database holds only its digest, so that a copy of the database opens no session.

use crate::config::Config;
use crate::error::Api;
use crate::state::AppState;
use async_trait::async_trait;
use limn_domain::user::Me;
use limn_domain::{Timestamp, UserId};
use limn_services::auth::{SESSION_EPOCH, SESSION_USER};
use limn_services::{Actor, Clock};
use limn_store::{Db, StoreError, repo};
use std::fmt;
use tower_sessions::cookie::SameSite;
use tower_sessions::cookie::time::{Duration, OffsetDateTime};
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{self, SessionStore};
use tower_sessions::{Expiry, Session, SessionManagerLayer};

/// The cookie's name.
pub const COOKIE: &str = "limn_session";
/// Session key of the last day seen, which moves the session's end.
const SESSION_DAY: &str = "day";
const DAY: i64 = 86_400;

/// The layer that reads and writes the cookie.
pub fn layer(config: &Config, db: Db, clock: Clock) -> SessionManagerLayer<Store> {
    SessionManagerLayer::new(Store { db, clock })
        .with_name(COOKIE)
        .with_http_only(true)
        // Lax, not strict: a link in a mail opens signed in. Mutations are checked by their origin.
        .with_same_site(SameSite::Lax)
        .with_secure(config.secure_cookies())
        .with_expiry(Expiry::OnInactivity(Duration::days(config.session_days)))
}

/// The person of a session. One that no longer stands is emptied.
pub async fn actor(state: &AppState, session: &Session) -> Api<Actor> {
    let user: Option<UserId> = session.get(SESSION_USER).await.map_err(internal)?;
    let Some(user) = user else {
        return Ok(Actor::Anonymous);
    };
    let epoch: i64 = session.get(SESSION_EPOCH).await.map_err(internal)?.unwrap_or(-1);
    let actor = state.services.auth.session_actor(user, epoch).await?;
    if actor == Actor::Anonymous {
        session.flush().await.map_err(internal)?;
        return Ok(actor);
    }
    let today = state.services.context.now().0 / Timestamp::SECOND / DAY;
    if session.get::<i64>(SESSION_DAY).await.map_err(internal)? != Some(today) {
        session.insert(SESSION_DAY, today).await.map_err(internal)?;
    }
    Ok(actor)
}

/// Signs a person in, under a new session id.
pub async fn sign_in(session: &Session, me: &Me, epoch: i64) -> Api<()> {
    session.cycle_id().await.map_err(internal)?;
    session.insert(SESSION_USER, me.id).await.map_err(internal)?;
    session.insert(SESSION_EPOCH, epoch).await.map_err(internal)?;
    Ok(())
}

/// Ends the session, here and in the database.
pub async fn sign_out(session: &Session) -> Api<()> {
    Ok(session.flush().await.map_err(internal)?)
}

fn internal(e: tower_sessions::session::Error) -> limn_services::Error {
    limn_services::Error::Internal(anyhow::Error::new(e).context("session"))
}

/// Sessions as rows.
#[derive(Clone)]
pub struct Store {
    db: Db,
    clock: Clock,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

/// The key under which a session is stored.
fn key(id: &Id) -> String {
    blake3::hash(id.to_string().as_bytes()).to_hex().to_string()
}

fn backend(e: StoreError) -> session_store::Error {
    session_store::Error::Backend(e.to_string())
}

fn micros(t: OffsetDateTime) -> Timestamp {
    Timestamp(i64::try_from(t.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX))
}

impl Store {
    fn row(record: &Record) -> session_store::Result<repo::session::Session> {
        let user = record.data.get(SESSION_USER).cloned();
        Ok(repo::session::Session {
            user_id: user.and_then(|id| serde_json::from_value(id).ok()),
            data: serde_json::to_value(&record.data)
                .map_err(|e| session_store::Error::Encode(e.to_string()))?,
            expires_at: micros(record.expiry_date),
        })
    }
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        loop {
            let (key, row) = (key(&record.id), Self::row(record)?);
            let new = self
                .db
                .write(move |tx| Box::pin(async move { repo::session::insert(tx, &key, &row).await }))
                .await
                .map_err(backend)?;
            if new {
                return Ok(());
            }
            record.id = Id::default();
        }
    }

    /// Writes only a session that is still there: one that somebody signed out of meanwhile stays ended.
    async fn save(&self, record: &Record) -> session_store::Result<()> {
        let (key, row, now) = (key(&record.id), Self::row(record)?, self.clock.now());
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    if repo::session::get(tx, &key, now).await?.is_some() {
                        repo::session::put(tx, &key, &row).await?;
                    }
                    Ok::<_, StoreError>(())
                })
            })
            .await
            .map_err(backend)
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let mut tx = self.db.read().await.map_err(backend)?;
        let found = repo::session::get(&mut tx, &key(id), self.clock.now())
            .await
            .map_err(backend)?;
        let decode = |e: String| session_store::Error::Decode(e);
        let Some(row) = found else { return Ok(None) };
        Ok(Some(Record {
            id: *id,
            data: serde_json::from_value(row.data).map_err(|e| decode(e.to_string()))?,
            expiry_date: OffsetDateTime::from_unix_timestamp(row.expires_at.0 / Timestamp::SECOND)
                .map_err(|e| decode(e.to_string()))?,
        }))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        let key = key(id);
        self.db
            .write(move |tx| Box::pin(async move { repo::session::delete(tx, &key).await }))
            .await
            .map_err(backend)
    }
}
