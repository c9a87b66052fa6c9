//! Files becoming items, one at a time: images, or documents in a text project.

mod document;
mod register;
mod video;

pub(crate) use register::Registrar;
pub(crate) use video::NewVideo;

use crate::authz::require_in;
use crate::{Actor, Context, Error, Result};
use bytes::Bytes;
use futures::Stream;
use limn_domain::item::{AddItemOutcome, Item};
use limn_domain::project::Media;
use limn_domain::upload::{UploadCheck, UploadMissing};
use limn_domain::{Action, Code, Digest, ItemId, ProjectId, validate};
use limn_storage::{Staged, StorageError};
use limn_store::repo::{self, item::NewItem};
use std::collections::HashMap;

/// Most files asked about at once.
const CHECK_MAX: usize = 10_000;

#[derive(Clone)]
pub struct Ingest(pub(crate) Context);

impl Ingest {
    /// Takes one image or document, as the project's task has it: streams it into the blob store, checks and decodes it,
    /// makes a picture's thumbnail and adds the item.
    /// The same name with the same bytes is `Unchanged`; the same name with other bytes is `AlreadyExists`.
    pub async fn add<S, E>(
        &self,
        actor: &Actor,
        project: ProjectId,
        name: &str,
        body: S,
    ) -> Result<AddItemOutcome>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Send,
        E: std::fmt::Display,
    {
        let name = validate::item_name(name).map_err(|e| Error::field("name", e))?;
        // Before the first byte of the body is read.
        let mut tx = self.0.db.read().await?;
        require_in(&mut tx, actor, Action::ManageItems, project).await?;
        let (_, task) = repo::transfer::title(&mut tx, project)
            .await?
            .ok_or_else(|| Error::not_found("project"))?;
        drop(tx);
        let media = task.media();
        let staged = self
            .0
            .blobs
            .stage_stream(body, bytes_max(&self.0, media))
            .await
            .map_err(|e| refusal(&name, e))?;
        add_staged(&self.0, project, media, &name, staged).await
    }

    /// Which of these files still need sending, so that an interrupted upload of a folder goes on where it stopped.
    /// Names that cannot be used are among them: sending one says what is wrong with it.
    pub async fn check(
        &self,
        actor: &Actor,
        project: ProjectId,
        files: UploadCheck,
    ) -> Result<UploadMissing> {
        if files.files.len() > CHECK_MAX {
            return Err(Error::field(
                "files",
                format!("Ask about at most {CHECK_MAX} files at once."),
            ));
        }
        let mut tx = self.0.db.read().await?;
        require_in(&mut tx, actor, Action::ManageItems, project).await?;
        let keys: Vec<Option<String>> = files
            .files
            .iter()
            .map(|f| validate::item_name(&f.name).ok().map(|n| validate::name_key(&n)))
            .collect();
        let asked: Vec<String> = keys.iter().flatten().cloned().collect();
        let known: HashMap<String, i64> = repo::upload::known_items(&mut tx, project, &asked)
            .await?
            .into_iter()
            .collect();
        let is_missing =
            |key: &Option<String>, size: i64| key.as_ref().and_then(|k| known.get(k)) != Some(&size);
        let missing = files
            .files
            .into_iter()
            .zip(&keys)
            .filter(|(f, key)| is_missing(key, f.size))
            .map(|(f, _)| f.name)
            .collect();
        Ok(UploadMissing { missing })
    }
}

/// Bytes that a file may have.
pub(crate) fn bytes_max(ctx: &Context, media: Media) -> u64 {
    match media {
        Media::Image => ctx.limits.image_bytes,
        Media::Text => document::file_max(ctx),
    }
}

/// Adds an item whose bytes have arrived; `name` is checked already, the right to add it too. For callers that unpack
/// or draw images; run many at once, their writes share commits.
pub(crate) async fn add_staged(
    ctx: &Context,
    project: ProjectId,
    media: Media,
    name: &str,
    staged: Staged,
) -> Result<AddItemOutcome> {
    let checked = check_staged(ctx, project, media, name, staged).await?;
    register(ctx, project, checked).await
}

/// A file that has been looked at.
pub(crate) enum Checked {
    /// The project has it.
    There(Box<Item>),
    /// Its bytes are in the blob store, its rows are missing.
    New(Box<NewItem>),
}

/// The first half of [`add_staged`]: checks the file and stores its bytes.
pub(crate) async fn check_staged(
    ctx: &Context,
    project: ProjectId,
    media: Media,
    name: &str,
    staged: Staged,
) -> Result<Checked> {
    if media == Media::Text {
        return document::check(ctx, project, name, staged).await;
    }
    if limn_domain::video::is_video_name(name) {
        return Err(Error::new(
            Code::UnsupportedMedia,
            format!(
                "`{name}` is a video: import it (format `images`), and a job takes it apart into frames."
            ),
        ));
    }
    let byte_size = i64::try_from(staged.len()).map_err(anyhow::Error::from)?;
    let digest = staged.digest().clone();
    // Before anything is decoded: a folder sent again costs little.
    if let Some(item) = repo::item::find_by_name(&mut ctx.db.read().await?, project, name).await? {
        return match same_or_taken(item, &digest)? {
            AddItemOutcome::Added { item } | AddItemOutcome::Unchanged { item } => Ok(Checked::There(item)),
        };
    }
    let info = ctx
        .renditions
        .inspect(&digest, staged.source())
        .await
        .map_err(|e| refusal(name, e))?;
    ctx.blobs.commit(staged).await.map_err(|e| refusal(name, e))?;
    Ok(Checked::New(Box::new(NewItem {
        id: ItemId::new(),
        name: name.to_owned(),
        digest,
        media_type: info.kind.media_type().to_owned(),
        byte_size,
        width: i64::from(info.width),
        height: i64::from(info.height),
        orientation: i64::from(info.orientation),
        length: 0,
        excerpt: String::new(),
    })))
}

/// The second half of [`add_staged`]: adds the rows. Items get their export ids in the order of these calls.
pub(crate) async fn register(ctx: &Context, project: ProjectId, checked: Checked) -> Result<AddItemOutcome> {
    match checked {
        Checked::There(item) => Ok(AddItemOutcome::Unchanged { item }),
        Checked::New(new) => ctx.registrar.register(ctx, project, *new).await,
    }
}

fn same_or_taken(item: Item, digest: &Digest) -> Result<AddItemOutcome> {
    if item.digest == *digest {
        return Ok(AddItemOutcome::Unchanged { item: Box::new(item) });
    }
    Err(Error::new(
        Code::AlreadyExists,
        format!(
            "The project has another item named `{}`; rename the file or delete that item first.",
            item.name
        ),
    ))
}

/// What a client sees of a file that was not taken; failures of the server's own stay inside.
pub(crate) fn refusal(name: &str, e: StorageError) -> Error {
    let code = match &e {
        e if e.is_too_large() => Code::TooLarge,
        StorageError::Body(_) => Code::BadRequest,
        StorageError::Stopped => {
            return Error::new(
                Code::Unavailable,
                "The server is shutting down; send the file again in a moment.",
            );
        }
        e if e.is_away() => {
            tracing::error!(error = %e, "object store unavailable");
            return Error::new(Code::Unavailable, crate::error::STORE_AWAY);
        }
        StorageError::Io(io) if io.kind() == std::io::ErrorKind::StorageFull => {
            return Error::new(Code::Unavailable, "The server's disk is full; tell your admin.");
        }
        e if !e.is_refusal() => return Error::Internal(anyhow::anyhow!("storing `{name}`: {e}")),
        _ => Code::UnsupportedMedia,
    };
    Error::new(code, format!("`{name}`: {e}"))
}
