//! From a row to an open store, and from a store's error to what a client sees.

use crate::{Context, Error, Result};
use limn_connect::{ConnectError, Opened, Secret};
use limn_domain::datastore::DatastoreKind;
use limn_domain::{ApiError, Code, DatastoreId};
use limn_store::repo::{self, datastore::Keyed};
use std::collections::BTreeMap;

/// An open datastore.
pub struct Live {
    pub name: String,
    pub kind: DatastoreKind,
    pub opened: Opened,
    /// The credentials it was opened with, encrypted: others mean that they were rotated.
    pub sealed: Vec<u8>,
}

/// What credentials are sealed for: those of one datastore do not open for another.
pub fn sealed_for(id: DatastoreId) -> String {
    format!("datastore {id}")
}

/// The credentials of a datastore.
pub async fn secrets(ctx: &Context, id: DatastoreId) -> Result<BTreeMap<String, String>> {
    let row = repo::datastore::keyed(&mut ctx.db.read().await?, id)
        .await?
        .ok_or_else(|| Error::not_found("datastore"))?;
    unseal(ctx, id, &row.sealed).await
}

async fn unseal(ctx: &Context, id: DatastoreId, sealed: &[u8]) -> Result<BTreeMap<String, String>> {
    let plain = ctx.sealer().await?.open(&sealed_for(id), sealed).map_err(api)?;
    Ok(serde_json::from_slice(&plain).map_err(anyhow::Error::from)?)
}

/// Opens a datastore. The right to use it is checked already.
pub async fn live(ctx: &Context, id: DatastoreId) -> Result<Live> {
    let row = row(ctx, id).await?;
    open(ctx, id, row).await
}

/// What is needed to open it.
pub async fn row(ctx: &Context, id: DatastoreId) -> Result<Keyed> {
    repo::datastore::keyed(&mut ctx.db.read().await?, id)
        .await?
        .ok_or_else(|| Error::not_found("datastore"))
}

/// The second half of [`live`].
pub async fn open(ctx: &Context, id: DatastoreId, row: Keyed) -> Result<Live> {
    if !row.enabled {
        return Err(Error::new(
            Code::WrongState,
            format!(
                "The datastore “{}” is disabled; an admin can enable it.",
                row.name
            ),
        ));
    }
    let secrets = unseal(ctx, id, &row.sealed).await?;
    let secrets = secrets.into_iter().map(|(k, v)| (k, Secret::new(v))).collect();
    let opened = limn_connect::open(row.kind, &row.settings, &secrets, &ctx.limits.reach)
        .await
        .map_err(api)?;
    Ok(Live {
        name: row.name,
        kind: row.kind,
        opened,
        sealed: row.sealed,
    })
}

/// What a client sees of a store's error.
pub fn api(e: ConnectError) -> Error {
    match e {
        ConnectError::Setting(key, text) => {
            let group = match key {
                "password" | "private_key" | "passphrase" | "secret_access_key" | "token" | "account_key"
                | "sas_token" => "secrets",
                _ => "settings",
            };
            Error::Api(ApiError::field(format!("{group}.{key}"), text))
        }
        ConnectError::NotFound(text) => Error::new(Code::NotFound, text),
        ConnectError::Unreachable(text) => Error::new(Code::Unavailable, text),
        ConnectError::TooMuch(text) => Error::new(Code::TooLarge, text),
        ConnectError::Changed(text) => Error::new(Code::Conflict, text),
        ConnectError::Refused(text)
        | ConnectError::Denied(text)
        | ConnectError::Forbidden(text)
        | ConnectError::Wrong(text) => Error::new(Code::InvalidInput, text),
    }
}
