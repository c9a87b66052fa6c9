//! Parts that clients put straight into the object store, at addresses that are signed for one part each.
//!
//! A part's name says where it begins and how long it is. So a link fits one object of one length, who asks again writes over
//! what was there, and nobody puts more into the store than was announced. A part counts once it was looked at; what it holds is
//! read, and checked like all that comes in, by the job that uses the upload.

use super::pieces::folder;
use crate::{Context, Error, Result};
use futures::StreamExt as _;
use limn_domain::upload::{Upload, UploadPart};
use limn_domain::{Code, UploadId};
use limn_store::repo;

/// Parts that may be on their way at once.
const AHEAD: usize = 16;
/// Bytes of a part, and parts of an upload: of a very large one they are larger.
const PART: i64 = 16 << 20;
const PARTS_MAX: i64 = 4_096;
/// Parts that the store is asked about at once.
const LOOKS: usize = 4;

/// Begin and end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    from: i64,
    to: i64,
}

impl Part {
    /// What it is shared as.
    fn name(self, upload: UploadId) -> String {
        format!("{}/{}-{}.part", folder(upload), self.from, self.len())
    }

    fn len(self) -> u64 {
        u64::try_from(self.to - self.from).unwrap_or(0)
    }
}

/// The parts that come next. They end at the same places wherever one begins: bytes may have come to the server as well.
fn next(upload: &Upload) -> impl Iterator<Item = Part> + use<> {
    let size = upload.size;
    let len = PART.max(size / PARTS_MAX + 1);
    let mut from = upload.received;
    std::iter::from_fn(move || {
        let end = (from / len + 1).saturating_mul(len).min(size);
        let part = Part { from, to: end };
        from = end;
        (part.from < part.to).then_some(part)
    })
    .take(AHEAD)
}

/// Whether clients may do so here.
pub(super) fn is_on(ctx: &Context) -> bool {
    ctx.blobs.upload_link(&folder(UploadId::new()), 1).is_some()
}

/// Scheme, host and port of the store as clients reach it.
pub(super) fn origin(ctx: &Context) -> Option<String> {
    let link = ctx.blobs.upload_link(&folder(UploadId::new()), 1)?;
    let (scheme, rest) = link.split_once("://")?;
    let (host, _) = rest.split_once('/')?;
    Some(format!("{scheme}://{host}"))
}

/// Addresses of the parts that come next.
pub(super) fn links(ctx: &Context, upload: &Upload) -> Vec<UploadPart> {
    next(upload)
        .filter_map(|part| {
            let url = ctx.blobs.upload_link(&part.name(upload.id), part.len())?;
            Some(UploadPart {
                offset: part.from,
                size: part.to - part.from,
                url,
            })
        })
        .collect()
}

/// Counts the parts that are there, up to the first that is not.
pub(super) async fn take(ctx: &Context, upload: Upload) -> Result<Upload> {
    let id = upload.id;
    let mut looks = futures::stream::iter(next(&upload))
        .map(|part| async move { (part, ctx.blobs.shared_len(&part.name(id)).await) })
        .buffered(LOOKS);
    let (mut there, mut wrong) = (Vec::new(), None);
    while let Some((part, len)) = looks.next().await {
        match len.map_err(anyhow::Error::from)? {
            Some(len) if len == part.len() => there.push(part),
            Some(len) => {
                wrong = Some((part, len));
                break;
            }
            None => break,
        }
    }
    let upload = acknowledge(ctx, upload, there).await?;
    let Some((part, len)) = wrong else {
        return Ok(upload);
    };
    // A store that does not hold to the length it was asked to sign.
    let removed = ctx.blobs.unshare(&part.name(id)).await;
    removed.map_err(anyhow::Error::from)?;
    Err(Error::new(
        Code::BadRequest,
        format!(
            "The part of `{}` that begins at byte {} has {len} bytes in the object store, not {}. It was removed; send it \
             again.",
            upload.name,
            part.from,
            part.len()
        ),
    ))
}

/// Notes parts that follow what was received.
async fn acknowledge(ctx: &Context, upload: Upload, parts: Vec<Part>) -> Result<Upload> {
    let Some(last) = parts.last() else {
        return Ok(upload);
    };
    let (id, from, to, now) = (upload.id, upload.received, last.to, ctx.now());
    let moved = ctx.db.write::<_, Error, _>(move |tx| {
        Box::pin(async move {
            let moved = repo::upload::advance(tx, id, from, to, now).await?;
            if moved {
                for part in parts {
                    repo::upload::insert_piece(tx, id, part.from, &part.name(id)).await?;
                }
            }
            Ok(moved)
        })
    });
    if moved.await? {
        return Ok(Upload {
            received: to,
            ..upload
        });
    }
    // Somebody else was faster, or it was deleted meanwhile.
    let found = repo::upload::get(&mut ctx.db.read().await?, id).await?;
    let now = found.ok_or_else(|| Error::not_found("upload"))?.upload;
    Ok(Upload {
        received: now.received,
        ..upload
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use limn_domain::Timestamp;

    fn ends(size: i64, received: i64) -> Vec<i64> {
        let upload = Upload {
            id: UploadId::new(),
            name: "a.zip".to_owned(),
            size,
            received,
            created_at: Timestamp(0),
            direct: true,
        };
        let parts: Vec<Part> = next(&upload).collect();
        let mut from = received;
        for part in &parts {
            assert_eq!(part.from, from);
            from = part.to;
        }
        parts.iter().map(|p| p.to).collect()
    }

    #[test]
    fn parts_follow_each_other_and_end_at_the_same_places() {
        assert_eq!(ends(5, 0), [5]);
        assert_eq!(ends(5, 5), [0_i64; 0]);
        assert_eq!(ends(PART * 2 + 1, 0), [PART, PART * 2, PART * 2 + 1]);
        // Also when the server got some bytes.
        assert_eq!(ends(PART * 2 + 1, 7), [PART, PART * 2, PART * 2 + 1]);
        assert_eq!(ends(PART * 100, PART).len(), AHEAD);
        // Very large ones have larger parts.
        let large = 1 << 44;
        assert!(ends(large, 0)[0] > large / PARTS_MAX);
    }
}
