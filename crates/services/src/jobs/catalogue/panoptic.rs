//! COCO panoptic: the segments of a picture are the colours of another one, which lies in an archive inside the archive of the
//! annotations.

use super::load::{LIMITS, Sources, Trouble, format, refused, storage};
use anyhow::Context as _;
use limn_domain::catalogue::Coco;
use limn_domain::import::ImportFormat;
use limn_domain::project::Task;
use limn_formats::{
    Detail, Findings, FormatError, Imported, ImportedAnnotation, ImportedOutline, ImportedShape, read,
};
use limn_jobs::{Permanent, Progress};
use limn_storage::{Source, archive};
use std::io::Read as _;
use std::ops::ControlFlow;
use tempfile::NamedTempFile;

/// Bytes of run lengths that are kept in memory.
const MASKS_MAX: usize = 1 << 30;

/// Reads the segments of all pictures; `limit`: most bytes of the inner archive. Answers also what of that was refused, for people.
/// Blocking.
pub fn read(
    l: &Coco,
    task: Task,
    sources: &Sources,
    limit: u64,
    progress: &Progress,
    findings: &mut Findings,
) -> anyhow::Result<(Imported, Vec<String>)> {
    let segments = l
        .segments
        .as_ref()
        .context("the record names no pictures of segments")?;
    let mut reader = read::reader(ImportFormat::CocoPanoptic, task);
    sources.read(&l.annotations, l.path.as_ref(), |name, from| {
        reader.table(name, from, findings).map_err(|e| format(name, e))
    })?;
    let mut imported = reader.begin();
    let inner = unpack(l, sources, limit)?;
    let (mut done, mut bytes) = (0_i64, 0_usize);
    let out = archive::each::<Trouble>(
        &Source::File(inner.path().to_owned()),
        LIMITS,
        is_png,
        |name, from| {
            progress.check()?;
            findings.set_file(name);
            match reader.labels(name, from, findings) {
                Ok(one) => bytes += append(&mut imported, one),
                // A picture that is none costs its own segments.
                Err(FormatError::NotTheFormat(why)) => findings.refused("bad_png", || Detail::new(why)),
                Err(e) => return Err(format(name, e).into()),
            }
            if bytes > MASKS_MAX {
                let why = format!(
                    "The segments of `{segments}` take more than {} MB.",
                    MASKS_MAX >> 20
                );
                return Err(anyhow::Error::from(Permanent(why)).into());
            }
            done += 1;
            progress.note(done, 0, "Reading the segments");
            Ok(ControlFlow::Continue(()))
        },
    )
    .map_err(|e| e.about(segments))?;
    findings.set_file(l.path.as_ref().unwrap_or(&l.annotations));
    reader.finish(findings);
    let mut notes = Vec::new();
    refused(&mut notes, segments, &out);
    Ok((imported, notes))
}

/// The inner archive in a file beside the outer one, which goes with what is answered.
fn unpack(l: &Coco, sources: &Sources, limit: u64) -> anyhow::Result<NamedTempFile> {
    let folder = sources
        .path(&l.annotations)?
        .parent()
        .context("what was fetched lies in no folder")?;
    let mut to = NamedTempFile::new_in(folder).context("cannot make a temporary file")?;
    sources.read(&l.annotations, l.segments.as_ref(), |name, from| {
        let mut from = from.take(limit.saturating_add(1));
        let n = std::io::copy(&mut from, to.as_file_mut()).map_err(|e| storage(name, e.into()))?;
        if n > limit {
            let why = format!("`{name}` is larger than the {} MB that are taken.", limit >> 20);
            return Err(Permanent(why).into());
        }
        Ok(())
    })?;
    Ok(to)
}

fn is_png(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, e)| e.eq_ignore_ascii_case("png"))
}

/// Adds what was read of a picture; answers the bytes of its masks.
fn append(to: &mut Imported, one: Imported) -> usize {
    let base = u32::try_from(to.images.len()).unwrap_or(u32::MAX);
    to.images.extend(one.images);
    let mut bytes = 0;
    to.annotations.extend(one.annotations.into_iter().map(|a| {
        if let ImportedShape::Outline(outline) = &a.shape
            && let ImportedOutline::Mask { mask, .. } = &**outline
        {
            bytes += mask.counts.len();
        }
        ImportedAnnotation {
            image: a.image.saturating_add(base),
            ..a
        }
    }));
    bytes
}
