//! Resumable uploads of archives and annotation files.
//!
//! Bytes go to `uploads/<id>` under the data directory; where blobs lie in an object store, they go there in parts, so that
//! any process can take the next ones, or the client puts them there itself. What counts is the database's `received`: it moves only after the bytes before it
//! are on the disk or in the store, so whatever a crash leaves behind it is written over, or named by nobody.

mod append;
mod direct;
mod pieces;

pub(crate) use pieces::{file, sweep};

use crate::{Actor, Context, Error, Result};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use limn_domain::authz::{Action, allowed};
use limn_domain::token::TokenScope;
use limn_domain::upload::{NewUpload, Upload, UploadParts};
use limn_domain::{Code, UploadId, UserId, validate};
use limn_store::{Tx, repo};
use std::pin::pin;

/// Uploads one person may have open, and how many times the largest upload they may claim in all.
const OPEN_MAX: i64 = 200;
const CLAIM_FACTOR: i64 = 4;

#[derive(Clone)]
pub struct Uploads(pub(crate) Context);

impl Uploads {
    /// Announces a file. Whoever may import data somewhere may upload; the import checks the project.
    pub async fn create(&self, actor: &Actor, input: NewUpload) -> Result<Upload> {
        let user = self.importer(actor).await?;
        let mut checks = validate::Checks::default();
        let name = checks.take("name", validate::item_name(&input.name));
        let largest = i64::try_from(self.0.limits.upload_bytes).unwrap_or(i64::MAX);
        checks.take("size", check_size(input.size, largest));
        checks.finish()?;
        let now = self.0.now();
        let upload = Upload {
            id: UploadId::new(),
            name: name.unwrap_or_default(),
            size: input.size,
            received: 0,
            created_at: now,
            direct: direct::is_on(&self.0),
        };
        let path = self.0.upload_path(upload.id);
        if !self.0.blobs.is_remote() {
            tokio::fs::File::create_new(&path).await?;
        }
        let row = upload.clone();
        let written: Result<()> = self
            .0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let (count, claimed) = repo::upload::open_of(tx, user).await?;
                    if count >= OPEN_MAX
                        || claimed.saturating_add(row.size) > largest.saturating_mul(CLAIM_FACTOR)
                    {
                        return Err(Error::new(
                            Code::TooManyRequests,
                            format!("You have {count} uploads open; import or delete some of them first."),
                        ));
                    }
                    Ok(repo::upload::insert(tx, &row, user).await?)
                })
            })
            .await;
        if written.is_err() {
            drop(tokio::fs::remove_file(path).await);
        }
        written.map(|()| upload)
    }

    /// The actor, if there is anywhere they may import data into.
    async fn importer(&self, actor: &Actor) -> Result<UserId> {
        let me = actor.me()?;
        let reads_only = reads_only(actor);
        let mut roles = vec![me.role];
        if !reads_only && !allowed(me.role, Action::CreateProject) {
            roles = repo::upload::project_roles(&mut self.0.db.read().await?, me.id).await?;
        }
        if !reads_only && roles.iter().any(|r| allowed(*r, Action::ImportData)) {
            Ok(me.id)
        } else {
            Err(Error::new(
                Code::Forbidden,
                "Only managers of a project may upload data; ask an admin or the project's manager.",
            ))
        }
    }

    /// The actor's own upload.
    pub async fn get(&self, actor: &Actor, upload: UploadId) -> Result<Upload> {
        let mut tx = self.0.db.read().await?;
        let found = owned(&mut tx, actor, upload).await?;
        Ok(Upload {
            direct: direct::is_on(&self.0),
            ..found
        })
    }

    /// Takes in the parts that clients have put into the object store, in order, and answers addresses for those that come
    /// next: none once everything is there, or where bytes go to [`Self::append`].
    ///
    /// Errors: `Forbidden` to whoever may import nowhere any more; `BadRequest` for a part of another length, which is
    /// removed.
    pub async fn parts(&self, actor: &Actor, upload: UploadId) -> Result<UploadParts> {
        let known = self.get(actor, upload).await?;
        self.importer(actor).await?;
        if !known.direct {
            let parts = Vec::new();
            return Ok(UploadParts { upload: known, parts });
        }
        let upload = direct::take(&self.0, known).await?;
        let parts = direct::links(&self.0, &upload);
        Ok(UploadParts { upload, parts })
    }

    /// Appends bytes at `offset`, which must be what was received so far (`Conflict` otherwise). What arrived before a
    /// broken connection is kept. `Forbidden` to whoever may import nowhere any more.
    pub async fn append<S, E>(&self, actor: &Actor, upload: UploadId, offset: i64, body: S) -> Result<Upload>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Send,
        E: std::fmt::Display,
    {
        let known = self.get(actor, upload).await?;
        self.importer(actor).await?;
        if offset != known.received {
            return Err(wrong_offset(&known, offset));
        }
        // The writer is a task of its own: when the client goes away and this future with it, what came is still kept.
        let (pieces, task) = append::start(self.0.clone(), known.clone());
        let mut body = pin!(body);
        let mut broken = None;
        while let Some(piece) = body.next().await {
            match piece {
                Ok(piece) if piece.is_empty() => {}
                Ok(piece) => {
                    // An error means that the writer has stopped; it says why below.
                    if pieces.send(piece).await.is_err() {
                        break;
                    }
                }
                Err(e) => {
                    broken = Some(e.to_string());
                    break;
                }
            }
        }
        drop(pieces);
        let received = task.await.map_err(anyhow::Error::from)??;
        match broken {
            None => Ok(Upload { received, ..known }),
            Some(why) => Err(Error::new(
                Code::BadRequest,
                format!(
                    "The transfer of `{}` broke off ({why}). {received} bytes are kept; send the rest from there.",
                    known.name
                ),
            )),
        }
    }

    /// Scheme, host and port of the object store that parts may be put into; `None` where they go to the server.
    pub fn store_origin(&self) -> Option<String> {
        direct::origin(&self.0)
    }

    pub async fn delete(&self, actor: &Actor, upload: UploadId) -> Result<()> {
        let mut tx = self.0.db.read().await?;
        owned(&mut tx, actor, upload).await?;
        drop(tx);
        if reads_only(actor) {
            return Err(Error::new(
                Code::Forbidden,
                "This token may not delete uploads; use one with a wider scope.",
            ));
        }
        discard(&self.0, upload).await
    }
}

const fn reads_only(actor: &Actor) -> bool {
    matches!(
        actor,
        Actor::Token {
            scope: TokenScope::Read,
            ..
        }
    )
}

/// An upload that belongs to the actor; anybody else learns only that there is none.
async fn owned(tx: &mut Tx, actor: &Actor, upload: UploadId) -> Result<Upload> {
    let found = repo::upload::get(tx, upload)
        .await?
        .ok_or_else(|| Error::not_found("upload"))?;
    if matches!(actor, Actor::System) || found.user_id == actor.me()?.id {
        Ok(found.upload)
    } else {
        Err(Error::not_found("upload"))
    }
}

/// The actor's upload, if every byte of it has arrived.
pub(crate) async fn complete(tx: &mut Tx, actor: &Actor, upload: UploadId) -> Result<Upload> {
    let found = owned(tx, actor, upload).await?;
    if found.received == found.size {
        Ok(found)
    } else {
        Err(Error::new(
            Code::WrongState,
            format!(
                "`{}` has {} of {} bytes; send the rest first.",
                found.name, found.received, found.size
            ),
        ))
    }
}

/// Forgets an upload and removes its file; nothing happens when it is gone already.
pub(crate) async fn discard(ctx: &Context, upload: UploadId) -> Result<()> {
    pieces::remove(ctx, upload).await?;
    ctx.db
        .write::<_, Error, _>(move |tx| Box::pin(async move { Ok(repo::upload::delete(tx, upload).await?) }))
        .await?;
    match tokio::fs::remove_file(ctx.upload_path(upload)).await {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e.into()),
        _ => Ok(()),
    }
}

fn wrong_offset(upload: &Upload, offset: i64) -> Error {
    Error::new(
        Code::Conflict,
        format!(
            "`{}` has {} bytes, not {offset}; send the rest from there.",
            upload.name, upload.received
        ),
    )
}

fn check_size(size: i64, largest: i64) -> Result<(), String> {
    if size < 1 {
        Err("The file is empty; there is nothing to upload.".to_owned())
    } else if size > largest {
        Err(format!(
            "The file has {} MiB; {} MiB are the most. Split it.",
            size >> 20,
            largest >> 20
        ))
    } else {
        Ok(())
    }
}
