//! Objects found by clicks on the label page: a pair of networks that an admin brought, which a project's settings name, looks at a picture once and
//! answers clicks from then on.

mod kept;
mod looking;
mod ready;

use crate::assist::backbone::ONNX_MAX;
use crate::assist::port::{EngineError, Segmenter, SmallPicture, StopCheck};
use crate::authz::require_in;
use crate::models::Models;
use crate::{Actor, Context, Error, Result, annotations};
use anyhow::Context as _;
use kept::Kept;
use limn_domain::assist::Backbone;
use limn_domain::item::Item;
use limn_domain::smart::{Clicks, Segmented, Sight};
use limn_domain::{Action, Code, ItemId, ProjectId, Size, text, video};
use limn_storage::{RenditionKind, Source, StorageError, small_rgb};
use limn_store::repo;
use limn_store::repo::artifact::ArtifactFile;
use looking::Looking;
use ready::Ready;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// A pair, and what was seen in memory, goes when nobody has asked for so long.
const IDLE: Duration = Duration::from_mins(10);
/// Pictures that are looked at or wait for it, of the whole server.
const LOOKING_MAX: usize = 32;
/// Questions that wait for an answer.
const WAITING_MAX: usize = 64;
/// Between two looks at how far it is.
const TICK: Duration = Duration::from_millis(250);
/// Pictures of at most so many pixels a side are decoded themselves, others from what is made for the screen.
const SMALL: i64 = 2_048;

/// Both files of a pair.
struct Pair {
    encoder: ArtifactFile,
    decoder: ArtifactFile,
}

impl Pair {
    /// By their contents.
    fn key(&self) -> String {
        format!(
            "{}-{}",
            self.encoder.digest.as_str(),
            self.decoder.digest.as_str()
        )
    }
}

/// What is to be looked at, by what.
struct Plan {
    item: Item,
    pair: Pair,
    /// Of what is kept: the picture and the encoder.
    key: String,
}

struct Shared {
    ready: Ready<dyn Segmenter>,
    /// One pair is opened at a time.
    opening: tokio::sync::Mutex<()>,
    kept: Kept,
    looking: Mutex<HashMap<String, Arc<Looking>>>,
    /// Encoders are slow: one at a time.
    encoders: Semaphore,
    decoders: Arc<Semaphore>,
    waiting: AtomicUsize,
}

#[derive(Clone)]
pub struct Segments {
    ctx: Context,
    shared: Arc<Shared>,
}

impl Segments {
    pub(crate) fn new(ctx: Context) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let kept = Kept::at(ctx.segments_dir());
        Self {
            ctx,
            shared: Arc::new(Shared {
                ready: Ready::new(),
                opening: tokio::sync::Mutex::default(),
                kept,
                looking: Mutex::default(),
                encoders: Semaphore::new(1),
                decoders: Arc::new(Semaphore::new((cores / 2).clamp(1, 4))),
                waiting: AtomicUsize::new(0),
            }),
        }
    }

    /// The pair of networks that finds objects in a project, as `NAME/VERSION`.
    pub async fn chosen(&self, actor: &Actor, project: ProjectId) -> Result<Option<String>> {
        let mut tx = self.ctx.db.read().await?;
        require_in(&mut tx, actor, Action::ViewProject, project).await?;
        let row = repo::assist::get(&mut tx, project).await?;
        Ok(row.and_then(|r| r.settings.0.segmenter).map(|b| b.to_string()))
    }

    /// Versions of registered models that hold such a pair, as `NAME/VERSION`, at most 200.
    pub async fn choices(&self, actor: &Actor, project: ProjectId) -> Result<Vec<String>> {
        let mut tx = self.ctx.db.read().await?;
        require_in(&mut tx, actor, Action::ManageProject, project).await?;
        let found = repo::assist::pairs(&mut tx, 200).await?;
        let named = found
            .into_iter()
            .map(|(model, version)| Backbone { model, version }.to_string());
        Ok(named.collect())
    }

    /// Has an item's picture looked at, and says how far that is. Whoever waits asks again every second or so: what nobody asks about any more
    /// is given up.
    ///
    /// Errors: `WrongState` where the project has no such network, or the network is no good; `TooManyRequests`.
    pub async fn look(&self, actor: &Actor, item: ItemId) -> Result<Sight> {
        let plan = self.plan(actor, item).await?;
        self.sight(&Arc::new(plan)).await
    }

    /// The object that clicks and a box mean, in the item's own pixels. Waits until the picture was looked at. Nothing is stored.
    ///
    /// Errors: `InvalidInput` for clicks that say nothing, besides those of [`Self::look`].
    pub async fn segment(&self, actor: &Actor, item: ItemId, clicks: Clicks) -> Result<Segmented> {
        let plan = Arc::new(self.plan(actor, item).await?);
        let size = Size {
            width: plan.item.width as f64,
            height: plan.item.height as f64,
        };
        clicks
            .check(size)
            .map_err(|(field, why)| Error::field(field, why))?;
        while !self.sight(&plan).await?.ready {
            tokio::time::sleep(TICK).await;
        }
        let again = || {
            Error::new(
                Code::Unavailable,
                "The picture has to be looked at once more. Try again in a moment.",
            )
        };
        let net = self.opened(&plan.pair.key()).ok_or_else(again)?;
        let seen = self.shared.kept.get(&plan.key, net.seen_bytes()).await?;
        let seen = seen.ok_or_else(again)?;
        let _waits = Waits::new(&self.shared.waiting)?;
        let slot = Arc::clone(&self.shared.decoders).acquire_owned().await;
        let slot = slot.map_err(anyhow::Error::from)?;
        let pixels = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
        let size = [pixels(plan.item.width), pixels(plan.item.height)];
        let never: StopCheck = Arc::new(|| false);
        let found = tokio::task::spawn_blocking(move || {
            // Also when nobody waits for it any more.
            let _slot = slot;
            net.segment(&seen, size, &clicks, &never)
        });
        let mask = found.await.map_err(anyhow::Error::from)?.map_err(refusal)?;
        Ok(Segmented { mask })
    }

    async fn plan(&self, actor: &Actor, item: ItemId) -> Result<Plan> {
        let mut tx = self.ctx.db.read().await?;
        let project = annotations::require_item(&mut tx, actor, Action::Label, item).await?;
        let row = repo::assist::get(&mut tx, project).await?;
        let wanted = row.and_then(|r| r.settings.0.segmenter).ok_or_else(|| {
            Error::new(
                Code::WrongState,
                "No network finds objects by clicks in this project; a manager chooses one in its tab Assist.",
            )
        })?;
        let item = repo::item::get(&mut tx, item, self.ctx.now())
            .await?
            .ok_or_else(annotations::no_item)?;
        drop(tx);
        if matches!(item.media_type.as_str(), video::MEDIA_TYPE | text::MEDIA_TYPE) {
            return Err(Error::new(
                Code::WrongState,
                "Objects are found by clicks in pictures; this item is none.",
            ));
        }
        let pair = files(&self.ctx, &wanted).await?;
        let key = format!("{}-{}", item.digest.as_str(), &pair.encoder.digest.as_str()[..32]);
        Ok(Plan { item, pair, key })
    }

    /// Starts what is to be done, unless it is done or under way.
    async fn sight(&self, plan: &Arc<Plan>) -> Result<Sight> {
        if let Some(net) = self.opened(&plan.pair.key())
            && self.shared.kept.get(&plan.key, net.seen_bytes()).await?.is_some()
        {
            self.looking().remove(&plan.key);
            return Ok(Sight {
                ready: true,
                waits: false,
                share: 1.0,
            });
        }
        let (looking, starts) = {
            let mut all = self.looking();
            all.retain(|_, l| !l.is_old());
            let full = all.len() >= LOOKING_MAX;
            match all.get(&plan.key).map(Arc::clone) {
                Some(under_way) => (under_way, false),
                None if full => {
                    return Err(Error::new(
                        Code::TooManyRequests,
                        "Too many pictures wait to be looked at. Try again in a moment.",
                    ));
                }
                None => {
                    let fresh = Arc::new(Looking::new());
                    all.insert(plan.key.clone(), Arc::clone(&fresh));
                    (fresh, true)
                }
            }
        };
        looking.touch();
        if starts {
            let (this, plan, looking) = (self.clone(), Arc::clone(plan), Arc::clone(&looking));
            tokio::spawn(async move {
                let ended = this.work(&plan, &looking).await;
                looking.end(ended.map_err(Error::into_api));
            });
        }
        if let Some(ended) = looking.ended() {
            self.looking().remove(&plan.key);
            ended?;
        }
        Ok(looking.sight())
    }

    /// Opens the pair and looks at the picture, unless that was done before.
    async fn work(&self, plan: &Plan, looking: &Arc<Looking>) -> Result<()> {
        let _slot = loop {
            let slot = tokio::time::timeout(TICK, self.shared.encoders.acquire()).await;
            if looking.is_abandoned() {
                return Ok(());
            }
            if let Ok(slot) = slot {
                break slot.map_err(anyhow::Error::from)?;
            }
        };
        let net = self.net(&plan.pair).await?;
        if self.shared.kept.get(&plan.key, net.seen_bytes()).await?.is_some() {
            return Ok(());
        }
        looking.begin(net.steps());
        let small = picture(&self.ctx, &plan.item, net.side()).await?;
        let watch = Arc::clone(looking);
        let stop: StopCheck = Arc::new(move || watch.step());
        let seen = tokio::task::spawn_blocking(move || net.look(&small, &stop));
        match seen.await.map_err(anyhow::Error::from)? {
            Ok(seen) => self.shared.kept.put(&plan.key, seen).await,
            // Nobody asked any more.
            Err(EngineError::Stopped) => Ok(()),
            Err(e) => Err(refusal(e)),
        }
    }

    fn looking(&self) -> MutexGuard<'_, HashMap<String, Arc<Looking>>> {
        self.shared.looking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn opened(&self, key: &str) -> Option<Arc<dyn Segmenter>> {
        self.shared.ready.get(key)
    }

    async fn net(&self, pair: &Pair) -> Result<Arc<dyn Segmenter>> {
        let _one = self.shared.opening.lock().await;
        let key = pair.key();
        if let Some(net) = self.opened(&key) {
            return Ok(net);
        }
        let net = open(&self.ctx, pair).await?;
        self.shared.ready.put(key, Arc::clone(&net));
        let shared = Arc::downgrade(&self.shared);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(IDLE).await;
                let Some(shared) = shared.upgrade() else { return };
                if !shared.ready.sweep(IDLE) {
                    shared.kept.let_go();
                    return;
                }
            }
        });
        Ok(net)
    }
}

/// One of those that wait for an answer.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn new(all: &'a AtomicUsize) -> Result<Self> {
        let this = Self(all);
        if all.fetch_add(1, Ordering::Relaxed) >= WAITING_MAX {
            return Err(Error::new(
                Code::TooManyRequests,
                "Too many objects are being looked for. Try again in a moment.",
            ));
        }
        Ok(this)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn refusal(e: EngineError) -> Error {
    match e {
        EngineError::Refused(why) | EngineError::Broken(why) => Error::new(Code::WrongState, why),
        EngineError::Stopped => anyhow::anyhow!("a network was stopped").into(),
    }
}

/// Opens the pair that is asked for, so that a wrong one is told when it is chosen.
pub(crate) async fn try_pair(ctx: &Context, wanted: &Backbone) -> Result<()> {
    let pair = files(ctx, wanted).await?;
    open(ctx, &pair).await?;
    Ok(())
}

/// The files of a version.
async fn files(ctx: &Context, wanted: &Backbone) -> Result<Pair> {
    let models = Models(ctx.clone());
    let (_, place) = models
        .place(&Actor::System, &wanted.model, wanted.version)
        .await?;
    let files = repo::artifact::all(&mut ctx.db.read().await?, place.owner.uuid(), &place.path).await?;
    let named = |name: &str| {
        let mut found = files.iter().filter(|f| f.path.rsplit('/').next() == Some(name));
        let file = found.next().filter(|_| found.next().is_none()).cloned();
        let whole = || format!("Version {} of “{}”", wanted.version, wanted.model);
        match file {
            None => Err(Error::new(
                Code::WrongState,
                format!(
                    "{} holds no {name}, or several; it needs an encoder.onnx and a decoder.onnx.",
                    whole()
                ),
            )),
            Some(file) if file.byte_size > ONNX_MAX => Err(Error::new(
                Code::WrongState,
                format!(
                    "{} holds an {name} of more than 512 megabytes; use a smaller network.",
                    whole()
                ),
            )),
            Some(file) => Ok(file),
        }
    };
    Ok(Pair {
        encoder: named("encoder.onnx")?,
        decoder: named("decoder.onnx")?,
    })
}

async fn open(ctx: &Context, pair: &Pair) -> Result<Arc<dyn Segmenter>> {
    let Some(engine) = ctx.engine.clone() else {
        return Err(Error::new(Code::Unavailable, "This server runs without models."));
    };
    let read = async |file: &ArtifactFile, what: &'static str| {
        let bytes = ctx.blobs.read(&file.digest).await;
        bytes.context(what)
    };
    let encoder = read(&pair.encoder, "the encoder cannot be read").await?;
    let decoder = read(&pair.decoder, "the decoder cannot be read").await?;
    let read = tokio::task::spawn_blocking(move || engine.segmenter(&encoder, &decoder));
    let net = read.await.map_err(anyhow::Error::from)?;
    net.map_err(refusal)
}

/// An item's picture with at most `side` pixels a side.
async fn picture(ctx: &Context, item: &Item, side: u32) -> Result<SmallPicture> {
    let renditions = &ctx.renditions;
    let found = async {
        // Kept until the picture is decoded: it may be fetched from elsewhere.
        let (_local, source, pixels) = if item.width.max(item.height) <= SMALL {
            let local = ctx.content(&item.digest).await?;
            let source = local.source();
            (Some(local), source, item.width * item.height)
        } else {
            let screen = ctx.rendition(&item.digest, RenditionKind::Screen).await?;
            (None, Source::Bytes(screen), SMALL * SMALL)
        };
        let limits = *renditions.limits();
        renditions
            .pool()
            .run(pixels.unsigned_abs() * 16, move || {
                small_rgb(&source, &limits, side)
            })
            .await
    };
    match found.await {
        Ok(rgb) => Ok(SmallPicture {
            width: rgb.width,
            height: rgb.height,
            rgb: rgb.pixels,
        }),
        Err(StorageError::NotMadeYet) => Err(Error::new(
            Code::WrongState,
            "The picture is still being prepared. Try again when it shows.",
        )),
        Err(e) if e.is_refusal() => Err(Error::new(
            Code::WrongState,
            format!("The picture cannot be looked at: {e}"),
        )),
        Err(e) => Err(crate::elsewhere::refusal(&e).unwrap_or_else(|| anyhow::Error::from(e).into())),
    }
}
