//! Pictures of a training, made small, one after the other in a file: the memory a training takes does not grow with them.

use crate::Context;
use crate::training::port::{EngineError, Examples, SmallPicture, Truth};
use crate::training::survey::Subject;
use anyhow::Context as _;
use futures::StreamExt as _;
use limn_domain::Digest;
use limn_jobs::{Permanent, Progress};
use limn_storage::{RenditionKind, SmallRgb, Source, StorageError, small_rgb};
use std::fs::File;
use std::io::{BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::{Mutex, PoisonError};

/// Pictures decoded side by side; people who look at pictures share the pool.
const AT_ONCE: usize = 2;
/// Reasons of single pictures that are logged.
const REASONS: usize = 20;
/// Bytes of memory a pixel may take while it is decoded, about, for the decode pool.
const PIXEL: u64 = 16;

/// Where a picture lies.
struct Place {
    offset: u64,
    width: usize,
    height: usize,
}

/// Pictures with their truths.
pub(in crate::jobs) struct Pack {
    file: Mutex<File>,
    places: Vec<Place>,
    truths: Vec<Truth>,
    /// In the version of the dataset.
    pub paths: Vec<String>,
}

impl Examples for Pack {
    fn len(&self) -> usize {
        self.places.len()
    }

    fn picture(&self, n: usize) -> Result<SmallPicture, EngineError> {
        let broken = |e: std::io::Error| {
            EngineError::Broken(format!("The pictures that were made ready cannot be read: {e}."))
        };
        let place = self
            .places
            .get(n)
            .ok_or_else(|| EngineError::Broken(format!("there is no picture {n}")))?;
        let mut rgb = vec![0; place.width * place.height * 3];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(place.offset)).map_err(broken)?;
        file.read_exact(&mut rgb).map_err(broken)?;
        Ok(SmallPicture {
            width: place.width,
            height: place.height,
            rgb,
        })
    }

    fn truth(&self, n: usize) -> &Truth {
        &self.truths[n]
    }
}

/// What the disk says, for people.
pub(in crate::jobs) fn disk(e: std::io::Error) -> anyhow::Error {
    match e.kind() {
        std::io::ErrorKind::StorageFull => anyhow::Error::from(Permanent(
            "The server's disk is full: there is no room for the pictures of the training. Tell your admin."
                .to_owned(),
        )),
        _ => anyhow::Error::new(e).context("The pictures cannot be made ready"),
    }
}

/// Makes the pictures small, in order, into an empty file. Those that cannot be read are left out, with a line in the job's log each.
pub(in crate::jobs) async fn make(
    (ctx, progress): (&Context, &Progress),
    made: File,
    subjects: Vec<Subject>,
    side: u32,
    (before, total): (i64, i64),
) -> anyhow::Result<Pack> {
    let mut out = BufWriter::with_capacity(1 << 20, made);
    let mut pack = (Vec::new(), Vec::new(), Vec::new());
    let (mut offset, mut lost) = (0, 0);
    let mut jobs = Vec::with_capacity(subjects.len());
    for s in subjects {
        jobs.push(async move {
            let found = decoded(ctx, &s, side).await;
            (s, found)
        });
    }
    let mut all = futures::stream::iter(jobs).buffered(AT_ONCE);
    let mut done = before;
    while let Some((subject, found)) = all.next().await {
        done += 1;
        progress.report(done, total, "Making the pictures ready").await?;
        match found {
            Ok(rgb) => {
                // Into the buffer mostly, and a megabyte at a time onto the disk.
                out.write_all(&rgb.pixels).map_err(disk)?;
                pack.0.push(Place {
                    offset,
                    width: rgb.width,
                    height: rgb.height,
                });
                offset += rgb.pixels.len() as u64;
                pack.1.push(subject.truth);
                pack.2.push(subject.path);
            }
            Err(e) if e.is_refusal() || matches!(e, StorageError::NotMadeYet) => {
                lost += 1;
                if lost <= REASONS {
                    let line = format!("`{}` is left out: {e}", subject.path);
                    progress.log(line).await?;
                }
            }
            Err(e) => {
                return Err(e).with_context(|| format!("`{}` cannot be read on the server", subject.path));
            }
        }
    }
    drop(all);
    if lost > REASONS {
        progress
            .log(format!("{lost} pictures are left out in all."))
            .await?;
    }
    let file = out.into_inner().map_err(|e| disk(e.into_error()))?;
    Ok(Pack {
        file: Mutex::new(file),
        places: pack.0,
        truths: pack.1,
        paths: pack.2,
    })
}

async fn decoded(ctx: &Context, s: &Subject, side: u32) -> Result<SmallRgb, StorageError> {
    let renditions = &ctx.renditions;
    let limits = *renditions.limits();
    let pixels = u64::from(s.width) * u64::from(s.height);
    let file = ctx.blobs.source(&s.digest);
    // Large ones are never decoded whole; what is shown of them is.
    let (source, pixels) = if pixels > limits.whole_pixels {
        (whole(ctx, &s.digest, file).await?, 2_048 * 2_048)
    } else {
        (file, pixels)
    };
    renditions
        .pool()
        .run(pixels * PIXEL, move || small_rgb(&source, &limits, side))
        .await
}

async fn whole(ctx: &Context, digest: &Digest, file: Source) -> Result<Source, StorageError> {
    let renditions = &ctx.renditions;
    let bytes = renditions
        .get_or_make(digest, RenditionKind::Screen, file)
        .await?;
    Ok(Source::Bytes(bytes))
}
