//! Folders of numbered pictures of a datastore that become videos. A folder is known as one thing: it is taken once all its
//! frames are, and noted under its path with a slash at the end, which no file has.

use super::{AT_ONCE, Refresh, Stop, Took, code, fetch, is_refusal, lost, placed, unread};
use crate::Error;
use crate::datastores::connect::Live;
use crate::ingest::NewVideo;
use crate::jobs::videos::sequence_name;
use futures::StreamExt as _;
use limn_connect::{ConnectError, Entry};
use limn_domain::datastore::FileState;
use limn_domain::video;
use limn_jobs::{Cancelled, Permanent};
use limn_store::repo;
use limn_store::repo::source::SeenFile;

/// Frames that are kept in mind until all folders were listed.
const FRAMES_MAX: usize = 500_000;

/// A folder of frames, in order.
struct Folder {
    /// What is noted of it is under this path.
    key: String,
    /// What its item is called.
    name: String,
    frames: Vec<Entry>,
    known: Option<SeenFile>,
}

impl Refresh<'_> {
    /// Puts pictures with the others of their folders.
    pub(super) fn gather(&mut self, pictures: Vec<Entry>) -> anyhow::Result<()> {
        self.gathered += pictures.len();
        for entry in pictures {
            let folder = entry.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            if let Some(frames) = self.frames.get_mut(folder) {
                frames.push(entry);
            } else {
                self.frames.insert(folder.to_owned(), vec![entry]);
            }
        }
        if self.gathered > FRAMES_MAX {
            let why = format!(
                "More than {FRAMES_MAX} pictures match `{}`. Take the frames of fewer folders at once: split the pattern into several.",
                self.source.glob
            );
            return Err(Permanent(why).into());
        }
        Ok(())
    }

    /// Takes the folders that were gathered, and writes down what became of each.
    pub(super) async fn take_sequences(&mut self, live: &mut Live) -> anyhow::Result<()> {
        for (folder, mut frames) in std::mem::take(&mut self.frames) {
            frames.sort_by(|a, b| video::natural_order(&a.path, &b.path));
            // Lists are made while files come and go: one that is listed twice is one frame.
            frames.dedup_by(|a, b| a.path == b.path);
            let key = format!("{folder}/");
            let known = {
                let mut tx = self.ctx.db.read().await?;
                repo::source::known(&mut tx, self.source.id, std::slice::from_ref(&key)).await?
            };
            let mut folder = Folder {
                name: sequence_name(&folder, &live.name),
                key,
                frames,
                known: known.into_iter().next(),
            };
            let mut is_first = true;
            let took = loop {
                match self.sequence(live, &mut folder).await {
                    Ok(took) => break took,
                    Err(Stop::Store(e)) if e.is_refusal() => {
                        // Where one frame alone is refused, others can be read.
                        for frame in [folder.frames.first(), folder.frames.last()]
                            .into_iter()
                            .flatten()
                        {
                            self.refusals.readable(&frame.path, false);
                        }
                        let refused = [(folder.key.clone(), e)];
                        if !self.refused(live, &refused, is_first).await? {
                            break folder.later(&refused[0].1);
                        }
                        is_first = false;
                    }
                    Err(e) => {
                        self.progress.check()?;
                        return Err(e.at(&folder.key, &live.name));
                    }
                }
            };
            if let (Took::Item { .. }, Some(frame)) = (&took, folder.frames.first()) {
                self.refusals.readable(&frame.path, true);
            }
            let seen = self.count(&Entry::folder(folder.key), took);
            self.note(seen.into_iter().collect()).await?;
            self.tell().await?;
        }
        Ok(())
    }

    async fn sequence(&self, live: &Live, folder: &mut Folder) -> Result<Took, Stop> {
        if let Some(known) = folder.known.clone() {
            if !folder.is_told()
                && let Err(took) = self.ask(live, folder).await?
            {
                return Ok(*took);
            }
            let now = as_one(&folder.key, &folder.frames);
            if !now.tag.is_empty() && now.tag == known.tag {
                return Ok(Took::AsBefore(known));
            }
        }
        let n = folder.frames.len();
        if let Some(known) = folder.known.as_ref().filter(|k| k.state != FileState::Refused) {
            let there = self.item(&folder.name).await?.and_then(|item| item.frames());
            if there.is_some_and(|there| there as usize != n) {
                // More frames, or fewer: reading and keeping all of them would tell no more.
                let now = as_one(&folder.key, &folder.frames);
                return Ok(Took::Changed(now, known.digest.clone()));
            }
        }
        if n > video::FRAMES_MAX {
            let (name, most) = (&folder.name, video::FRAMES_MAX);
            let why = format!("`{name}` has {n} frames; a video has at most {most}. Split the folder.");
            return Ok(Took::Refused(
                as_one(&folder.key, &folder.frames),
                "bad_video",
                why,
            ));
        }
        self.read_frames(live, folder).await
    }

    /// What comes, unless the job is told to stop before.
    async fn unless_stopped<T>(&self, coming: impl Future<Output = T>) -> Result<T, Stop> {
        tokio::select! {
            came = coming => Ok(came),
            () = self.progress.token().cancelled() => Err(Stop::Own(Cancelled.into())),
        }
    }

    /// Asks for each frame what the list did not tell.
    async fn ask(&self, live: &Live, folder: &mut Folder) -> Result<Result<(), Box<Took>>, Stop> {
        let mut told = Vec::with_capacity(folder.frames.len());
        {
            let frames = folder.frames.as_slice();
            let coming = futures::stream::iter(0..frames.len())
                .map(move |n| async move { live.opened.files()?.stat(&frames[n].path).await })
                .buffered(AT_ONCE);
            let mut coming = std::pin::pin!(coming);
            while let Some(entry) = self.unless_stopped(coming.next()).await? {
                match entry {
                    Ok(entry) => told.push(entry),
                    Err(e) if e.is_of_file() => return Ok(Err(Box::new(folder.later(&e)))),
                    Err(e) => return Err(e.into()),
                }
            }
        }
        folder.frames = told;
        Ok(Ok(()))
    }

    async fn read_frames(&self, live: &Live, folder: &Folder) -> Result<Took, Stop> {
        let (ctx, limit, frames) = (self.ctx, self.ctx.limits.image_bytes, folder.frames.as_slice());
        let rate = self.source.sequence.unwrap_or_default().rate;
        let (n, name) = (frames.len(), folder.name.as_str());
        // What the store says of the very bytes that were read.
        let mut said = frames.to_vec();
        let mut new = NewVideo::default();
        let mut bytes = 0_u64;
        let coming = futures::stream::iter(0..n)
            .map(move |i| async move { fetch::with_entry(ctx, live, &frames[i], limit).await })
            .buffered(AT_ONCE);
        let mut coming = std::pin::pin!(coming);
        while let Some(fetched) = self.unless_stopped(coming.next()).await? {
            let i = new.len();
            let path = frames[i].path.as_str();
            let fetched = match fetched {
                Ok(fetched) => fetched,
                Err(fetch::Failed::Store(e)) if e.is_of_file() => return Ok(folder.later(&e)),
                Err(e) => {
                    let took = unread(e, as_one(&folder.key, &said), path, folder.known.as_ref())?;
                    return Ok(left_out(took, name, n));
                }
            };
            bytes += fetched.staged.len();
            said[i] = fetched.entry;
            if bytes > ctx.limits.upload_bytes {
                let why = format!(
                    "`{name}`: its frames are larger than the {} MB that are taken.",
                    ctx.limits.upload_bytes >> 20
                );
                return Ok(Took::Refused(as_one(&folder.key, &said), "too_large", why));
            }
            match new.push(ctx, path, fetched.staged).await {
                Ok(()) => {}
                Err(Error::Api(e)) if is_refusal(&e) => {
                    let took = Took::Refused(as_one(&folder.key, &said), code(&e), e.message);
                    return Ok(left_out(took, name, n));
                }
                Err(e) => return Err(Stop::Own(e.into())),
            }
            let message = format!("Reading the frames of {name}");
            self.progress.note(new.len() as i64, n as i64, message);
        }
        let times = video::times(new.len(), rate);
        let added = new.register(ctx, self.source.project_id, name, &times).await;
        placed(
            added,
            (as_one(&folder.key, &said), bytes),
            None,
            folder.known.as_ref(),
        )
    }
}

impl Folder {
    /// Whether the list says of each frame what it needs to be known by.
    fn is_told(&self) -> bool {
        self.frames.iter().all(|e| !e.tag.is_empty() && e.size.is_some())
    }

    /// A frame went, changes while it is looked at, or may not be read: the folder is looked at again at the next refresh.
    fn later(&self, e: &ConnectError) -> Took {
        match lost(e, None) {
            Took::Later(code, why, _) => Took::Later(code, why, self.known.clone()),
            other => other,
        }
    }
}

/// What a folder is known by: the sizes of its frames together, and a tag that changes when a frame does, comes or goes; none
/// where a frame has none.
fn as_one(key: &str, frames: &[Entry]) -> Entry {
    let mut tags = blake3::Hasher::new();
    let (mut size, mut all) = (0_u64, true);
    for e in frames {
        all &= !e.tag.is_empty() && e.size.is_some();
        let bytes = e.size.unwrap_or(0);
        size = size.saturating_add(bytes);
        tags.update(format!("{}\n{bytes}\n{}\n", e.path, e.tag).as_bytes());
    }
    Entry {
        size: Some(size),
        tag: if all {
            tags.finalize().to_hex().to_string()
        } else {
            String::new()
        },
        ..Entry::folder(key)
    }
}

/// A refused frame refuses its sequence.
fn left_out(took: Took, name: &str, n: usize) -> Took {
    match took {
        Took::Refused(entry, code, why) => {
            let why = format!(
                "{why} The sequence `{name}` of {n} pictures was left out: a frame that is missing would shift those after it."
            );
            Took::Refused(entry, code, why)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(path: &str, tag: &str) -> Entry {
        Entry {
            path: path.to_owned(),
            is_folder: false,
            size: Some(7),
            modified: None,
            tag: tag.to_owned(),
        }
    }

    #[test]
    fn a_folder_is_known_by_all_of_its_frames() {
        let two = [frame("a/1.png", "x"), frame("a/2.png", "y")];
        let known = as_one("a/", &two);
        assert_eq!((known.path.as_str(), known.size), ("a/", Some(14)));
        assert_eq!(as_one("a/", &two), known);
        for other in [
            vec![frame("a/1.png", "x")],
            vec![frame("a/1.png", "x"), frame("a/3.png", "y")],
            vec![frame("a/1.png", "x"), frame("a/2.png", "z")],
        ] {
            assert_ne!(as_one("a/", &other).tag, known.tag);
        }
        // Of one that the store says nothing of, nothing is known.
        assert_eq!(as_one("a/", &[frame("a/1.png", "")]).tag, "");
    }
}
