//! Pictures in a project's instructions.

use crate::authz::require_in;
use crate::{Actor, Context, Error, Result, audit};
use bytes::Bytes;
use limn_domain::{Action, ApiError, AssetId, Code, ProjectId};
use limn_storage::{ImageInfo, ImageKind, ImageLimits, Source, StorageError, header};
use limn_store::repo;
use limn_store::repo::asset::Asset;

/// Largest picture, in bytes.
const BYTES_MAX: usize = 8 << 20;
/// Pictures one project may have.
const COUNT_MAX: i64 = 500;
/// Longest name kept, in characters.
const NAME_MAX: usize = 200;

#[derive(Clone)]
pub struct Assets(pub(crate) Context);

impl Assets {
    /// Stores a picture (PNG, JPEG, WebP or GIF of at most 8 MiB) and answers its path, `/media/assets/{id}`.
    pub async fn add(&self, actor: &Actor, project: ProjectId, name: &str, bytes: Bytes) -> Result<String> {
        // Before anything is stored for somebody who may not.
        require_in(
            &mut self.0.db.read().await?,
            actor,
            Action::ManageProject,
            project,
        )
        .await?;
        let name = clean_name(name);
        if bytes.len() > BYTES_MAX {
            return Err(Error::new(
                Code::TooLarge,
                format!(
                    "`{name}` has {} MiB; {} MiB are the most. Scale it down.",
                    bytes.len() >> 20,
                    BYTES_MAX >> 20
                ),
            ));
        }
        let limits = ImageLimits {
            max_pixels: self.0.limits.whole_pixels,
            ..ImageLimits::default()
        };
        let info = look(&name, &bytes, limits).await?;
        let stored = self.0.blobs.put_bytes(bytes).await.map_err(anyhow::Error::from)?;
        let asset = Asset {
            id: AssetId::new(),
            project_id: project,
            name,
            digest: stored.digest,
            media_type: info.kind.media_type().to_owned(),
        };
        let (actor, now, size) = (actor.clone(), self.0.now(), stored.len as i64);
        self.0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    require_in(tx, &actor, Action::ManageProject, project).await?;
                    if repo::asset::count(tx, project).await? >= COUNT_MAX {
                        return Err(Error::new(
                            Code::WrongState,
                            format!("The instructions hold {COUNT_MAX} pictures already, which is the most."),
                        ));
                    }
                    repo::blob::put(tx, &asset.digest, size, &asset.media_type, now).await?;
                    repo::asset::insert(tx, &asset, now).await?;
                    let summary = format!("added the picture “{}” to the instructions", asset.name);
                    audit::write(tx, &actor, Some(project), "asset.create", &summary, now).await?;
                    Ok(format!("/media/assets/{}", asset.id))
                })
            })
            .await
    }

    /// Media type and bytes.
    pub async fn get(&self, actor: &Actor, asset: AssetId) -> Result<(String, Bytes)> {
        let mut tx = self.0.db.read().await?;
        let missing = || Error::not_found("picture");
        // Who is not signed in learns that first.
        if !matches!(actor, Actor::System) {
            actor.me()?;
        }
        let found = repo::asset::get(&mut tx, asset).await?.ok_or_else(missing)?;
        require_in(&mut tx, actor, Action::ViewProject, found.project_id)
            .await
            .map_err(|e| match e {
                Error::Api(ApiError {
                    code: Code::NotFound, ..
                }) => missing(),
                e => e,
            })?;
        drop(tx);
        let bytes = self.0.blobs.read(&found.digest).await.map_err(|e| match e {
            StorageError::NotFound => missing(),
            e => anyhow::Error::from(e).into(),
        })?;
        Ok((found.media_type, bytes))
    }
}

/// Checks kind and size by the header.
async fn look(name: &str, bytes: &Bytes, limits: ImageLimits) -> Result<ImageInfo> {
    let source = Source::Bytes(bytes.clone());
    let found = tokio::task::spawn_blocking(move || header(&source, &limits))
        .await
        .map_err(anyhow::Error::from)?;
    let refuse = |why: String| Error::new(Code::UnsupportedMedia, format!("`{name}`: {why}"));
    match found {
        Ok(info)
            if matches!(
                info.kind,
                ImageKind::Png | ImageKind::Jpeg | ImageKind::WebP | ImageKind::Gif
            ) =>
        {
            Ok(info)
        }
        Ok(info) => Err(refuse(format!(
            "{} pictures cannot be shown here; use PNG, JPEG, WebP or GIF.",
            info.kind.name()
        ))),
        Err(e) if e.is_refusal() => Err(refuse(e.to_string())),
        Err(e) => Err(anyhow::Error::from(e).into()),
    }
}

/// A file's name for people: the last part, without control characters.
fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
    if clean.is_empty() {
        "picture".to_owned()
    } else {
        clean
    }
}
