//! Indexes of versions: built by a job, kept as files, held in memory while they are used.

use super::Payload;
use super::cache::CacheFolder;
use super::held::Held;
use crate::profiles::{FileKept, Kind, states_of};
use crate::versions::nodes::{self, DbNodes};
use crate::{Context, Result};
use limn_domain::dataset::{Split, Version};
use limn_domain::{AttributeValue, Attributes, Digest, Source, VersionId};
use limn_explore::{Builder, Index, Row};
use limn_jobs::{Handler, Progress};
use limn_profile::{ImageRecord, TextRecord};
use limn_versions::object::Labels;
use limn_versions::{Entry, From, Hash, Reader};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Files looked at at once.
const BATCH: usize = 500;
/// Bytes of indexes that stay in memory; one that is larger stays alone.
const HELD: usize = 512 << 20;
/// Between two looks at whether another process has written an index anew that is held here.
const LOOK: Duration = Duration::from_secs(5);

/// The facets that are always shown in this order; attributes come behind them.
const FACETS: [(&str, &str); 8] = [
    ("split", "Split"),
    ("category", "Category"),
    ("labeled", "Labels"),
    ("source", "Labeled by"),
    ("type", "Type"),
    ("mode", "Channels"),
    ("folder", "Folder"),
    ("issue", "Issue"),
];
const COLUMNS: [(&str, &str, &str); 10] = [
    ("labels", "Labels a file", ""),
    ("score", "Lowest score", ""),
    ("width", "Width", "px"),
    ("height", "Height", "px"),
    ("aspect", "Aspect", ""),
    ("size", "File size", "B"),
    ("brightness", "Brightness", ""),
    ("contrast", "Contrast", ""),
    ("sharpness", "Sharpness", ""),
    ("length", "Characters", ""),
];

/// Indexes a version. Safe to run again.
pub(crate) struct ExploreJob(pub Context);

#[async_trait::async_trait]
impl Handler for ExploreJob {
    async fn run(
        &self,
        payload: serde_json::Value,
        progress: Progress,
    ) -> anyhow::Result<Option<serde_json::Value>> {
        let version = Payload::version(&self.0, payload).await?;
        let index = build(&self.0, &version, Some(&progress)).await?;
        progress.log(format!("{} files indexed.", index.rows())).await?;
        Ok(None)
    }
}

/// An index in memory.
#[derive(Clone)]
struct One {
    index: Arc<Index>,
    /// Of its file. Another process may write it anew, once it is known what the files look like.
    stamp: Option<String>,
    looked: Instant,
}

/// The indexes that are held in memory, and where the others lie.
#[derive(Clone)]
pub(crate) struct Indexes {
    pub files: CacheFolder,
    held: Held<VersionId, One>,
}

impl Indexes {
    pub fn new(files: CacheFolder) -> Self {
        Self {
            files,
            held: Held::new(HELD, |one: &One| one.index.size()),
        }
    }

    /// That of a version; none when it has to be built.
    pub async fn get(&self, version: VersionId) -> Result<Option<Arc<Index>>> {
        if let Some(index) = self.current(version).await {
            return Ok(Some(index));
        }
        let file = file_name(version);
        // Before it is read: what is written in between is seen at the next look.
        let stamp = self.files.stamp(&file).await?;
        if self.files.is_shared() && !self.files.obtain(&file).await? {
            return Ok(None);
        }
        let read = self.files.read(&file, Index::from_bytes).await?;
        Ok(read.map(|index| self.hold(version, Arc::new(index), stamp)))
    }

    /// That in memory, unless its file is another by now. A store that cannot be asked is no reason to do without.
    async fn current(&self, version: VersionId) -> Option<Arc<Index>> {
        let found = self.held.get(&version)?;
        if found.looked.elapsed() < LOOK {
            return Some(found.index);
        }
        match self.files.stamp(&file_name(version)).await {
            Ok(Some(now)) if found.stamp.as_ref() != Some(&now) => None,
            _ => Some(self.hold(version, found.index, found.stamp)),
        }
    }

    fn hold(&self, version: VersionId, index: Arc<Index>, stamp: Option<String>) -> Arc<Index> {
        let one = One {
            index,
            stamp,
            looked: Instant::now(),
        };
        self.held.put(version, one).index
    }

    /// Keeps a new one.
    async fn put(&self, version: VersionId, index: Index) -> anyhow::Result<Arc<Index>> {
        let (index, file) = (Arc::new(index), file_name(version));
        let written = Arc::clone(&index);
        self.files
            .put(&file, move || Ok(vec![written.to_bytes()]))
            .await?;
        let stamp = self.files.stamp(&file).await.unwrap_or_default();
        Ok(self.hold(version, index, stamp))
    }
}

fn file_name(version: VersionId) -> String {
    format!("{version}.index")
}

/// Indexes a version and keeps the index.
pub(crate) async fn build(
    ctx: &Context,
    version: &Version,
    progress: Option<&Progress>,
) -> anyhow::Result<Arc<Index>> {
    let mut builder = Builder::default();
    for (name, label) in FACETS {
        builder.facet(name, label);
    }
    for (name, label, unit) in COLUMNS {
        builder.column(name, label, unit);
    }
    let doubles = doubles(ctx, version).await?;
    let mut tx = ctx.db.read().await?;
    let (root, _) = nodes::open(&mut tx, &Hash::from(&version.digest)).await?;
    let (mut after, mut seen) = (None::<String>, 0);
    loop {
        let mut batch = Vec::with_capacity(BATCH);
        {
            let mut db = DbNodes::new(&mut tx);
            let from = after.as_deref().map_or(From::Start, From::After);
            let mut reader = Reader::open(&mut db, &root.files, from).await?.to_the_end();
            while batch.len() < BATCH
                && let Some(entry) = reader.next(&mut db).await?
            {
                batch.push(entry);
            }
        }
        let Some(last) = batch.last() else { break };
        after = Some(last.key());
        seen += batch.len() as i64;
        let hashes: Vec<Hash> = batch.iter().filter_map(|e| e.labels).collect();
        let labels: HashMap<Hash, Labels> = nodes::objects(&mut tx, &hashes).await?;
        let states = states_of(&mut tx, &batch).await?;
        for entry in &batch {
            push(&mut builder, entry, &labels, &states, &doubles);
        }
        if let Some(progress) = progress {
            progress.check()?;
            progress.note(seen, version.files, "Indexing".to_owned());
        }
    }
    drop(tx);
    let index = tokio::task::spawn_blocking(move || builder.finish()).await?;
    ctx.indexes.put(version.id, index).await
}

/// The contents that more than one file of the version has.
async fn doubles(ctx: &Context, version: &Version) -> anyhow::Result<HashSet<Hash>> {
    let mut tx = ctx.db.read().await?;
    let (root, _) = nodes::open(&mut tx, &Hash::from(&version.digest)).await?;
    let mut db = DbNodes::new(&mut tx);
    let mut reader = Reader::open(&mut db, &root.files, From::Start)
        .await?
        .to_the_end();
    let (mut seen, mut twice) = (HashSet::new(), HashSet::new());
    while let Some(entry) = reader.next(&mut db).await? {
        if !seen.insert(entry.blob) {
            twice.insert(entry.blob);
        }
    }
    Ok(twice)
}

fn push(
    builder: &mut Builder,
    entry: &Entry,
    labels: &HashMap<Hash, Labels>,
    states: &HashMap<(Digest, String), Vec<u8>>,
    doubles: &HashSet<Hash>,
) {
    let key = entry.key();
    let labels = entry.labels.and_then(|h| labels.get(&h));
    let mut said: Vec<(String, String)> = Vec::new();
    let mut values: Vec<(&str, &str)> = vec![("type", entry.media_type.as_str())];
    if entry.split != Split::None {
        values.push(("split", entry.split.as_str()));
    }
    values.extend(entry.categories.keys().map(|c| ("category", c.as_str())));
    let count: u32 = entry.categories.values().sum();
    values.push(("labeled", if count > 0 { "labeled" } else { "none" }));
    values.push((
        "folder",
        entry.path.rsplit_once('/').map_or("/", |(folder, _)| folder),
    ));
    if doubles.contains(&entry.blob) {
        values.push(("issue", "same content as another"));
    }
    let mut numbers = vec![("size", entry.size as f64), ("labels", f64::from(count))];
    if entry.width > 0 {
        numbers.extend([
            ("width", f64::from(entry.width)),
            ("height", f64::from(entry.height)),
            ("aspect", f64::from(entry.width) / f64::from(entry.height.max(1))),
        ]);
    }
    if entry.length > 0 {
        numbers.push(("length", f64::from(entry.length)));
    }
    if let Some(labels) = labels {
        attributes("file", &labels.about, &mut said);
        for label in &labels.labels {
            attributes("label", &label.attributes, &mut said);
            values.push((
                "source",
                match label.source {
                    Source::Human => "people",
                    Source::Import => "import",
                    Source::Prelabel => "model",
                },
            ));
        }
        let scores = labels.labels.iter().filter_map(|l| l.score);
        if let Some(lowest) = scores.min_by(f64::total_cmp) {
            numbers.push(("score", lowest));
        }
    }
    let reader = Kind::of(entry).reader();
    let kept = reader
        .and_then(|r| states.get(&(Digest::from(entry.blob), r.to_owned())))
        .and_then(|bytes| FileKept::from_bytes(bytes));
    let mode;
    match kept {
        Some(FileKept::Image(ImageRecord::Read(figures))) => {
            if let Some(seen) = &figures.seen {
                numbers.extend([
                    ("brightness", f64::from(seen.brightness)),
                    ("contrast", f64::from(seen.contrast)),
                    ("sharpness", f64::from(seen.sharpness)),
                ]);
            }
            mode = figures.mode;
            values.push(("mode", &mode));
        }
        Some(
            FileKept::Image(ImageRecord::Corrupt(_))
            | FileKept::Text(TextRecord::Unreadable(_))
            | FileKept::Unreadable(_),
        ) => {
            values.push(("issue", "cannot be read"));
        }
        _ => {}
    }
    values.extend(said.iter().map(|(facet, value)| (facet.as_str(), value.as_str())));
    builder.push(&Row {
        key: &key,
        values,
        numbers,
    });
}

/// Facets of attributes: `file:weather`, `label:occluded`.
pub(super) fn attributes(of: &str, list: &Attributes, into: &mut Vec<(String, String)>) {
    for (name, value) in list {
        let text = match value {
            AttributeValue::Flag(true) => "yes".to_owned(),
            AttributeValue::Flag(false) => "no".to_owned(),
            AttributeValue::Number(n) => n.to_string(),
            AttributeValue::Text(t) => t.clone(),
        };
        into.push((format!("{of}:{name}"), text));
    }
}
