//! Reading files of a datastore for a version: those that are known by size and tag are not read, and what became of the others is
//! written down some at a time, so that whatever stops a registration costs no more than those. Of files that the newest version
//! holds as they are, nothing is written at all.

use super::Place;
use crate::Context;
use crate::datastores::connect::Live;
use crate::jobs::profile;
use crate::jobs::source::{Failed, Refusals, Stop, rotated, with_entry};
use crate::jobs::version::Work;
use crate::jobs::version::uploads::{Out, Piece, SMALL, look};
use crate::versions::nodes::DbNodes;
use futures::{FutureExt as _, StreamExt as _};
use limn_connect::{ConnectError, Entry as Stored};
use limn_domain::dataset::{DatasetKind, Split};
use limn_domain::{Digest, validate};
use limn_jobs::{Permanent, Progress};
use limn_storage::{ImageKind, Staged};
use limn_store::repo::blob::NewBlob;
use limn_store::repo::dataset_file::{KnownFile, ReadFile};
use limn_store::repo::place::NewPlace;
use limn_store::repo::profile::FileState;
use limn_store::{StoreError, repo};
use limn_versions::{Entry, Hash, Reader};
use std::collections::{BTreeMap, HashMap};

/// Files read at once.
const AT_ONCE: usize = 6;

/// What became of a file.
pub(super) enum Took {
    Kept(Box<Kept>),
    Out(Out),
    /// It went, or would not hold still, while it was read, or it may not be read.
    Lost(ConnectError),
}

/// A file of the version.
pub(super) struct Kept {
    pub entry: Entry,
    /// It was read earlier.
    pub is_known: bool,
    /// The newest version keeps its bytes and what is written of it; see [`Known`].
    is_held: bool,
    /// Bytes that are not stored yet.
    waiting: Option<Staged>,
    /// As the list says.
    listed: (i64, String),
    /// In the datastore, and what that says of it; `None` when the bytes are in the store.
    place: Option<(String, String)>,
    path: String,
    /// What the profile needs of it.
    state: Option<FileState>,
}

/// A file that was read earlier.
struct Known {
    file: KnownFile,
    /// The newest version names this very content at this path, and its bytes are where they have to be. As long as that version
    /// stands, nobody can remove them. Where it is deleted while this registration runs, and swept up at that, the database refuses
    /// whatever names them, and the job is tried again and reads them.
    is_held: bool,
}

/// What becomes of bytes that were read.
#[derive(Default)]
struct Keeping {
    place: Option<(String, String)>,
    state: Option<FileState>,
    waiting: Option<Staged>,
}

/// What a read of some files needs.
#[derive(Clone, Copy)]
struct How<'a> {
    ctx: &'a Context,
    progress: &'a Progress,
    kind: DatasetKind,
    in_place: bool,
}

impl Work<'_> {
    /// Takes some files, with new credentials where they were rotated meanwhile, and writes down what became of them.
    pub(super) async fn read(
        &self,
        from: Place,
        newest: Option<&Hash>,
        live: &mut Live,
        refusals: &mut Refusals,
        part: &[Stored],
    ) -> anyhow::Result<Vec<Took>> {
        let known = self.known(from, newest, part).await?;
        let how = How {
            ctx: self.ctx,
            progress: self.progress,
            kind: self.dataset.kind,
            in_place: from.in_place,
        };
        let mut all: Vec<Option<Took>> = part.iter().map(|_| None).collect();
        let mut rest: Vec<usize> = (0..part.len()).collect();
        let mut first = true;
        loop {
            let outcomes: Vec<(usize, Result<Took, Stop>)> = {
                let (own, known) = (&*live, &known);
                // By number: the compiler does not see that futures over borrowed entries may be sent.
                futures::stream::iter(std::mem::take(&mut rest))
                    .map(move |n| {
                        let listed = &part[n];
                        async move { (n, how.one(own, listed, known.get(&listed.path)).await) }.boxed()
                    })
                    .buffered(AT_ONCE)
                    .collect()
                    .await
            };
            let (mut kept, mut waiting) = (Vec::new(), Vec::new());
            let (mut denied, mut stop) = (Vec::new(), None);
            for (n, outcome) in outcomes {
                match outcome {
                    Ok(mut took) => {
                        match &mut took {
                            Took::Kept(one) => {
                                refusals.readable(&part[n].path, !one.is_known);
                                if !one.is_held {
                                    waiting.extend(one.waiting.take());
                                    kept.push(Noted::of(from, one));
                                }
                            }
                            Took::Out(_) => refusals.readable(&part[n].path, false),
                            Took::Lost(_) => {}
                        }
                        all[n] = Some(took);
                    }
                    Err(Stop::Store(e)) if e.is_refusal() => denied.push((n, e)),
                    Err(e) => stop = stop.or(Some((n, e))),
                }
            }
            // The bytes before what says that they are there.
            self.ctx.blobs.commit_many(waiting).await?;
            self.note(from, kept).await?;
            if let Some((n, e)) = stop {
                return Err(e.at(&part[n].path, &live.name));
            }
            let again =
                !denied.is_empty() && first && rotated(self.ctx, self.progress, from.store, live).await?;
            if !again {
                let refused: Vec<(String, ConnectError)> = denied
                    .iter()
                    .map(|(n, e)| (part[*n].path.clone(), e.clone()))
                    .collect();
                refusals.judge(self.progress, live, &refused).await?;
                for (n, e) in denied {
                    all[n] = Some(Took::Lost(e));
                }
                return Ok(all.into_iter().flatten().collect());
            }
            rest = denied.into_iter().map(|(n, _)| n).collect();
            first = false;
        }
    }

    async fn known(
        &self,
        from: Place,
        newest: Option<&Hash>,
        part: &[Stored],
    ) -> anyhow::Result<HashMap<String, Known>> {
        let paths: Vec<String> = part.iter().map(|e| e.path.clone()).collect();
        let mut tx = self.ctx.db.read().await?;
        let files = repo::dataset_file::known(&mut tx, self.dataset.id, from.store, &paths).await?;
        let mut known = Vec::with_capacity(files.len());
        {
            let mut nodes = DbNodes::new(&mut tx);
            for file in files {
                let is_held = match newest {
                    Some(root) => names(&mut nodes, root, &file).await,
                    None => false,
                };
                known.push(Known { file, is_held });
            }
        }
        drop(tx);
        let mut asked = Vec::new();
        for Known { file, .. } in known.iter().filter(|k| k.is_held && k.file.is_here) {
            asked.push((file.digest.clone(), u64::try_from(file.content_size)?));
        }
        let mut there = self.ctx.blobs.are_there(asked).await?.into_iter();
        for one in known.iter_mut().filter(|k| k.is_held) {
            one.is_held = if one.file.is_here {
                there.next() == Some(true)
            } else {
                from.in_place && one.file.place_tag.is_some()
            };
        }
        Ok(known.into_iter().map(|k| (k.file.path.clone(), k)).collect())
    }

    async fn note(&self, from: Place, kept: Vec<Noted>) -> anyhow::Result<()> {
        if kept.is_empty() {
            return Ok(());
        }
        let (dataset, job, now) = (self.dataset.id, self.progress.job_id(), self.ctx.now());
        let written: Result<(), StoreError> = self
            .ctx
            .db
            .write(move |tx| {
                Box::pin(async move {
                    repo::blob::note_many(tx, &blobs(&kept), now).await?;
                    let places: Vec<NewPlace> = kept.iter().filter_map(|n| n.place.clone()).collect();
                    repo::place::put_many(tx, &places, now).await?;
                    let states: Vec<FileState> = kept.iter().filter_map(|n| n.state.clone()).collect();
                    repo::profile::put_files(tx, &states, now).await?;
                    let files: Vec<ReadFile> = kept.into_iter().map(|n| n.file).collect();
                    repo::dataset_file::note(tx, (dataset, from.store), job, &files, now).await
                })
            })
            .await;
        match written {
            Err(StoreError::ForeignKey(_)) => {
                Err(Permanent("The dataset or the datastore was deleted meanwhile.".to_owned()).into())
            }
            other => Ok(other?),
        }
    }
}

/// Whether a version names this content at this path. One that was deleted meanwhile names nothing.
async fn names(nodes: &mut DbNodes<'_>, root: &Hash, file: &KnownFile) -> bool {
    let Ok(path) = validate::item_name(&file.path) else {
        return false;
    };
    let found = Reader::find(nodes, root, &path).await.ok().flatten();
    found.is_some_and(|e| e.path == path && e.blob == Hash::from(&file.digest))
}

/// What is written down of a file.
struct Noted {
    file: ReadFile,
    size: i64,
    place: Option<NewPlace>,
    state: Option<FileState>,
}

impl Noted {
    fn of(from: Place, kept: &mut Kept) -> Self {
        let (entry, digest) = (&kept.entry, Digest::from(kept.entry.blob));
        Self {
            size: i64::try_from(entry.size).unwrap_or(i64::MAX),
            place: kept.place.take().map(|(path, tag)| NewPlace {
                digest: digest.clone(),
                datastore_id: from.store,
                path,
                tag,
            }),
            state: kept.state.take(),
            file: ReadFile {
                path: std::mem::take(&mut kept.path),
                byte_size: kept.listed.0,
                tag: std::mem::take(&mut kept.listed.1),
                digest,
                media_type: entry.media_type.clone(),
                width: i64::from(entry.width),
                height: i64::from(entry.height),
                orientation: i64::from(entry.orientation),
                length: i64::from(entry.length),
            },
        }
    }
}

/// With whether their bytes are in the store.
fn blobs(noted: &[Noted]) -> Vec<(NewBlob<'_>, bool)> {
    noted
        .iter()
        .map(|n| {
            let blob = NewBlob {
                digest: &n.file.digest,
                byte_size: n.size,
                media_type: &n.file.media_type,
            };
            (blob, n.place.is_none())
        })
        .collect()
}

impl How<'_> {
    async fn one(self, live: &Live, listed: &Stored, known: Option<&Known>) -> Result<Took, Stop> {
        let Ok(path) = validate::item_name(&listed.path) else {
            return Ok(Took::Out(Out::Name(listed.path.escape_debug().to_string())));
        };
        if self.kind == DatasetKind::Images && ImageKind::from_name(&path).is_none() {
            // Its bytes would not make it one.
            return Ok(Took::Out(Out::Unfit(path)));
        }
        let mut listed = listed.clone();
        if let Some(known) = known {
            // Where a list says little, the file itself is asked.
            if listed.tag.is_empty() || listed.size.is_none() {
                listed = match live.opened.files()?.stat(&listed.path).await {
                    Ok(entry) => entry,
                    Err(e) if e.is_of_file() => return Ok(Took::Lost(e)),
                    Err(e) => return Err(e.into()),
                };
            }
            let file = &known.file;
            let is_same =
                !listed.tag.is_empty() && (file.byte_size, &file.tag) == (size_of(&listed), &listed.tag);
            if is_same && known.is_held {
                let mut kept = earlier(&path, file, None).map_err(Stop::Own)?;
                kept.is_held = true;
                return Ok(Took::Kept(Box::new(kept)));
            }
            if is_same && let Some(kept) = self.again(&path, file).await.map_err(Stop::Own)? {
                return Ok(Took::Kept(Box::new(kept)));
            }
        }
        self.fetch(live, &listed, path).await
    }

    /// A file that was read earlier and is as it was; `None` when its bytes are not where they have to be.
    async fn again(self, path: &str, known: &KnownFile) -> anyhow::Result<Option<Kept>> {
        let is_here = self.ctx.blobs.renew(&known.digest).await?;
        let place = match (is_here, self.in_place, &known.place_tag) {
            (true, ..) => None,
            (false, true, Some(tag)) => Some((known.path.clone(), tag.clone())),
            (false, ..) => return Ok(None),
        };
        Ok(Some(earlier(path, known, place)?))
    }

    async fn fetch(self, live: &Live, listed: &Stored, path: String) -> Result<Took, Stop> {
        let fetched = with_entry(self.ctx, live, listed, self.ctx.limits.upload_bytes).await;
        let (staged, stored, said) = match fetched {
            Ok(f) => (Ok(f.staged), f.entry, f.said),
            Err(Failed::Storage(e)) if e.is_too_large() => (Err(e), listed.clone(), String::new()),
            Err(Failed::Storage(e)) => return Err(Stop::Own(e.into())),
            Err(Failed::Store(e)) if e.is_of_file() => return Ok(Took::Lost(e)),
            Err(Failed::Store(e)) => return Err(e.into()),
        };
        let looked = look(self.ctx, self.kind, Piece { path, staged }).await;
        let (entry, staged) = match looked.map_err(Stop::Own)? {
            Ok(found) => found,
            Err(out) => return Ok(Took::Out(out)),
        };
        let keeping = self
            .keep(&entry, staged, (&stored.path, said))
            .await
            .map_err(Stop::Own)?;
        Ok(Took::Kept(Box::new(Kept {
            entry,
            is_known: false,
            is_held: false,
            waiting: keeping.waiting,
            listed: (size_of(&stored), stored.tag),
            place: keeping.place,
            path: stored.path,
            state: keeping.state,
        })))
    }

    /// Stores the bytes, now or together with others, or notes where they lie when they are to stay there and are not in the store
    /// anyway.
    async fn keep(
        self,
        entry: &Entry,
        staged: Staged,
        (path, said): (&str, String),
    ) -> anyhow::Result<Keeping> {
        let mut keeping = Keeping::default();
        if !self.in_place {
            // Of an object store each is a request of its own in any case.
            if staged.len() <= SMALL && !self.ctx.blobs.is_remote() {
                keeping.waiting = Some(staged);
            } else {
                self.ctx.blobs.commit(staged).await?;
            }
        } else if !self.ctx.blobs.renew(staged.digest()).await? {
            let local = self.ctx.elsewhere.keep(staged);
            keeping.state = profile::at_once(self.ctx, entry, local.source(), self.progress).await?;
            keeping.place = Some((path.to_owned(), said));
        }
        Ok(keeping)
    }
}

/// A file as it was read earlier.
fn earlier(path: &str, known: &KnownFile, place: Option<(String, String)>) -> anyhow::Result<Kept> {
    let number = |n: i64| u32::try_from(n).unwrap_or_default();
    Ok(Kept {
        entry: Entry {
            size: u64::try_from(known.content_size)?,
            blob: Hash::from(&known.digest),
            media_type: known.media_type.clone(),
            width: number(known.width),
            height: number(known.height),
            orientation: u8::try_from(known.orientation).unwrap_or(1),
            length: number(known.length),
            split: Split::None,
            labels: None,
            categories: BTreeMap::new(),
            path: path.to_owned(),
        },
        is_known: true,
        is_held: false,
        waiting: None,
        listed: (known.byte_size, known.tag.clone()),
        place,
        path: known.path.clone(),
        state: None,
    })
}

fn size_of(entry: &Stored) -> i64 {
    entry.size.and_then(|s| i64::try_from(s).ok()).unwrap_or(-1)
}
