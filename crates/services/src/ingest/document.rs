//! Text files becoming documents.

use super::{Checked, refusal, same_or_taken};
use crate::{Context, Error, Result};
use limn_domain::item::AddItemOutcome;
use limn_domain::text::{self, Encoding};
use limn_domain::{Code, Digest, ItemId, ProjectId};
use limn_storage::{Staged, StorageError, sniff};
use limn_store::repo::{self, item::NewItem};

/// Bytes that a file may have before it is decoded: UTF-16 takes up to twice as many.
pub(super) fn file_max(ctx: &Context) -> u64 {
    ctx.limits.text_bytes * 2 + 4
}

/// What was found in a file.
struct Found {
    /// As it is stored: UTF-8 without a byte order mark.
    staged: Staged,
    length: u32,
    excerpt: String,
}

/// Decodes a text file and stores it. Errors name the place of what is no text.
pub(super) async fn check(ctx: &Context, project: ProjectId, name: &str, staged: Staged) -> Result<Checked> {
    let (limit, blobs) = (ctx.limits.text_bytes, ctx.blobs.clone());
    let found = tokio::task::spawn_blocking(move || look(staged, limit, |n| blobs.stage(n)))
        .await
        .map_err(anyhow::Error::from)?;
    let found = found.map_err(|e| match e {
        Problem::Storage(e) => refusal(name, e),
        Problem::NoText(why) => Error::new(Code::UnsupportedMedia, format!("`{name}`: {why}")),
    })?;
    let digest: Digest = found.staged.digest().clone();
    if let Some(item) = repo::item::find_by_name(&mut ctx.db.read().await?, project, name).await? {
        return match same_or_taken(item, &digest)? {
            AddItemOutcome::Added { item } | AddItemOutcome::Unchanged { item } => Ok(Checked::There(item)),
        };
    }
    let byte_size = i64::try_from(found.staged.len()).map_err(anyhow::Error::from)?;
    ctx.blobs
        .commit(found.staged)
        .await
        .map_err(|e| refusal(name, e))?;
    Ok(Checked::New(Box::new(NewItem {
        id: ItemId::new(),
        name: name.to_owned(),
        digest,
        media_type: text::MEDIA_TYPE.to_owned(),
        byte_size,
        width: 0,
        height: 0,
        orientation: 1,
        length: i64::from(found.length),
        excerpt: found.excerpt,
    })))
}

enum Problem {
    Storage(StorageError),
    /// A sentence that goes on after the file's name.
    NoText(String),
}

impl From<StorageError> for Problem {
    fn from(e: StorageError) -> Self {
        Self::Storage(e)
    }
}

/// Blocking.
fn look(
    staged: Staged,
    limit: u64,
    stage: impl FnOnce(u64) -> limn_storage::StageWriter,
) -> std::result::Result<Found, Problem> {
    let source = staged.source();
    let bytes = source.read_all()?;
    let (text, encoding) = text::decode(&bytes).map_err(|fault| Problem::NoText(no_text(&bytes, fault)))?;
    if text.len() as u64 > limit {
        return Err(StorageError::TooLarge { limit }.into());
    }
    let (length, excerpt) = (text::length(&text), text::excerpt(&text));
    let staged = if encoding == Encoding::Utf8 {
        staged
    } else {
        let mut writer = stage(limit);
        writer.push(text.as_bytes())?;
        writer.finish()?
    };
    Ok(Found {
        staged,
        length,
        excerpt,
    })
}

/// Says what the file is instead, where that can be told.
fn no_text(bytes: &[u8], fault: text::Fault) -> String {
    let head = &bytes[..bytes.len().min(limn_storage::SNIFF_LEN)];
    if let Ok(kind) = sniff(head) {
        let kind = kind.name();
        return format!(
            "this is a picture ({kind}), and this project is for documents. Add text files (.txt)."
        );
    }
    if limn_storage::is_zip(head) {
        return "this is a zip archive. Import it: its text files become documents.".to_owned();
    }
    fault.to_string()
}
