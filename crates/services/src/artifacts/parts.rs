//! Files that arrive in parts, each sent to an address of its own that holds the permission, as the protocol's clients
//! expect of object stores.

use super::{Artifacts, Owner};
use crate::authz::require;
use crate::ingest::refusal;
use crate::{Actor, Error, Result};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use limn_domain::{Action, Code};
use limn_storage::StorageError;
use limn_store::repo;
use limn_store::repo::artifact::PartsRow;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::pin::pin;
use tokio::io::AsyncWriteExt as _;
use uuid::Uuid;

/// Most parts of a file, as object stores have it.
const PARTS: i64 = 10_000;

/// What a client needs to send parts.
#[derive(Debug, Clone)]
pub struct Parts {
    pub id: Uuid,
    /// Goes into the addresses of the parts.
    pub secret: String,
    pub count: i64,
}

/// A part that has arrived, as the client names it at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// From 1.
    pub number: i64,
    /// What was answered to it; an empty one is not compared.
    pub etag: String,
}

impl Artifacts {
    /// Announces a file that will arrive in `count` parts.
    pub async fn create_parts(&self, actor: &Actor, owner: Owner, path: &str, count: i64) -> Result<Parts> {
        let path = self.may_put(actor, owner, path).await?;
        if !(1..=PARTS).contains(&count) {
            return Err(Error::field(
                "num_parts",
                format!("A file arrives in 1 to {PARTS} parts."),
            ));
        }
        let mut random = [0_u8; 32];
        rand::fill(&mut random);
        let parts = Parts {
            id: Uuid::now_v7(),
            secret: hex::encode(random),
            count,
        };
        let row = PartsRow {
            id: parts.id,
            owner: owner.uuid(),
            path,
            secret_hash: hash(&parts.secret),
            parts: count,
            created_at: self.0.now(),
        };
        let folder = self.folder(row.id);
        tokio::fs::create_dir_all(&folder).await?;
        self.0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move { Ok(repo::artifact::insert_parts(tx, &row).await?) })
            })
            .await?;
        Ok(parts)
    }

    /// Takes a part; whoever knows the secret may send it. Sent again, it replaces what came before. Answers its etag.
    pub async fn put_part<S, E>(&self, id: Uuid, secret: &str, number: i64, stream: S) -> Result<String>
    where
        S: Stream<Item = std::result::Result<Bytes, E>>,
        E: std::fmt::Display,
    {
        let row = repo::artifact::parts(&mut self.0.db.read().await?, id)
            .await?
            .filter(|r| r.secret_hash == hash(secret))
            .ok_or_else(|| Error::not_found("upload"))?;
        if !(1..=row.parts).contains(&number) {
            return Err(Error::field(
                "part",
                format!("This upload has parts 1 to {}.", row.parts),
            ));
        }
        let folder = self.folder(id);
        // Another process may have made the announcement.
        tokio::fs::create_dir_all(&folder).await?;
        let mut random = [0_u8; 8];
        rand::fill(&mut random);
        let temp = folder.join(format!("{number}.{}", hex::encode(random)));
        let limit = self.0.limits.upload_bytes;
        let written = write(&temp, stream, limit).await;
        match written {
            Ok(etag) => {
                self.place(id, number, &temp).await?;
                Ok(etag)
            }
            Err(e) => {
                drop(tokio::fs::remove_file(&temp).await);
                Err(refusal(&row.path, e))
            }
        }
    }

    /// Puts the parts together, in the order of their numbers, and the file in its place.
    pub async fn complete_parts(
        &self,
        actor: &Actor,
        owner: Owner,
        path: &str,
        id: Uuid,
        sent: Vec<Part>,
    ) -> Result<()> {
        let row = self.announced(actor, owner, path, id).await?;
        let numbers: Vec<i64> = (1..=row.parts).collect();
        let mut sent = sent;
        sent.sort_by_key(|p| p.number);
        if sent.iter().map(|p| p.number).collect::<Vec<_>>() != numbers {
            return Err(Error::field(
                "parts",
                format!("This file has {} parts, each once; name all of them.", row.parts),
            ));
        }
        let folder = self.folder(id);
        self.bring(id, &sent).await?;
        let mut writer = self.0.blobs.stage(self.0.limits.upload_bytes);
        let name = row.path.clone();
        let staged = tokio::task::spawn_blocking(move || {
            let mut buffer = vec![0_u8; 1 << 20];
            for part in &sent {
                let mut file =
                    std::fs::File::open(folder.join(part.number.to_string())).map_err(|e| {
                        match e.kind() {
                            std::io::ErrorKind::NotFound => {
                                StorageError::Body(format!("part {} has not arrived", part.number))
                            }
                            _ => e.into(),
                        }
                    })?;
                let mut hasher = blake3::Hasher::new();
                loop {
                    let n = file.read(&mut buffer)?;
                    if n == 0 {
                        break;
                    }
                    hasher.update(&buffer[..n]);
                    writer.push(&buffer[..n])?;
                }
                let is = hasher.finalize().to_hex();
                let said = part.etag.trim_matches('"');
                if !said.is_empty() && said != is.as_str() {
                    return Err(StorageError::Body(format!(
                        "part {} is not the one that was named",
                        part.number
                    )));
                }
            }
            writer.finish()
        })
        .await
        .map_err(anyhow::Error::from)?
        .map_err(|e| refusal(&name, e))?;
        self.keep(owner, row.path, staged).await?;
        self.forget(id, row.parts).await
    }

    /// Drops what has arrived.
    pub async fn abort_parts(&self, actor: &Actor, owner: Owner, path: &str, id: Uuid) -> Result<()> {
        let row = self.announced(actor, owner, path, id).await?;
        self.forget(id, row.parts).await
    }

    async fn announced(&self, actor: &Actor, owner: Owner, path: &str, id: Uuid) -> Result<PartsRow> {
        require(actor, Action::LogRuns)?;
        let path = super::file_path(path)?;
        repo::artifact::parts(&mut self.0.db.read().await?, id)
            .await?
            .filter(|r| r.owner == owner.uuid() && r.path == path)
            .ok_or_else(|| {
                Error::new(
                    Code::NotFound,
                    format!("There is no upload of `{path}` under way with this id; start it again."),
                )
            })
    }

    /// Keeps a part that has come, where any process can put the file together.
    async fn place(&self, id: Uuid, number: i64, from: &Path) -> Result<()> {
        if !self.0.blobs.is_remote() {
            let to = self.folder(id).join(number.to_string());
            return Ok(tokio::fs::rename(from, to).await?);
        }
        let shared = self.0.blobs.share(&name(id, number), from).await;
        drop(tokio::fs::remove_file(from).await);
        Ok(shared.map_err(anyhow::Error::from)?)
    }

    /// Brings the parts here that other processes may have taken.
    async fn bring(&self, id: Uuid, sent: &[Part]) -> Result<()> {
        if !self.0.blobs.is_remote() {
            return Ok(());
        }
        for part in sent {
            let to = self.folder(id).join(part.number.to_string());
            // One that is missing is told when the file is put together.
            let found = self.0.blobs.obtain(&name(id, part.number), &to).await;
            found.map_err(anyhow::Error::from)?;
        }
        Ok(())
    }

    async fn forget(&self, id: Uuid, parts: i64) -> Result<()> {
        self.0
            .db
            .write::<_, Error, _>(move |tx| {
                Box::pin(async move {
                    repo::artifact::delete_parts(tx, id).await?;
                    Ok(())
                })
            })
            .await?;
        drop(tokio::fs::remove_dir_all(self.folder(id)).await);
        if self.0.blobs.is_remote() {
            for number in 1..=parts {
                let gone = self.0.blobs.unshare(&name(id, number)).await;
                gone.map_err(anyhow::Error::from)?;
            }
        }
        Ok(())
    }

    /// Where parts lie; what is left there goes with abandoned uploads.
    fn folder(&self, id: Uuid) -> PathBuf {
        self.0.uploads_dir().join(format!("parts-{}", id.simple()))
    }
}

/// What a part is called among the files that processes share.
fn name(id: Uuid, number: i64) -> String {
    format!("parts/{}/{number}", id.simple())
}

fn hash(secret: &str) -> String {
    blake3::hash(secret.as_bytes()).to_hex().to_string()
}

/// Writes a stream to a file; answers the digest of what came.
async fn write<S, E>(path: &Path, stream: S, limit: u64) -> std::result::Result<String, StorageError>
where
    S: Stream<Item = std::result::Result<Bytes, E>>,
    E: std::fmt::Display,
{
    let mut file = tokio::io::BufWriter::with_capacity(1 << 20, tokio::fs::File::create(path).await?);
    let mut hasher = blake3::Hasher::new();
    let mut stream = pin!(stream);
    let mut total = 0_u64;
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|e| StorageError::Body(e.to_string()))?;
        total += piece.len() as u64;
        if total > limit {
            return Err(StorageError::TooLarge { limit });
        }
        hasher.update(&piece);
        file.write_all(&piece).await?;
    }
    file.flush().await?;
    Ok(hasher.finalize().to_hex().to_string())
}
