//! A version's profile from those of its files.

use crate::Result;
use crate::versions::nodes::{self, DbNodes};
use limn_domain::Digest;
use limn_domain::dataset::Version;
use limn_profile::{Dataset, ImageRecord, LabeledBox, TableFormat, TableState, TextRecord};
use limn_store::repo::profile::FileState;
use limn_store::{Tx, repo};
use limn_versions::object::Labels;
use limn_versions::{Entry, From, Hash, Reader};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};

/// Files looked at at once.
pub(crate) const BATCH: usize = 200;
/// The same where states are large: those of tables are about a megabyte each.
const TABLES: usize = 16;

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Table(TableFormat),
    Image,
    Text,
    Other,
}

impl Kind {
    pub fn of(entry: &Entry) -> Self {
        if let Some(format) = TableFormat::of_name(&entry.path) {
            Self::Table(format)
        } else if entry.media_type.starts_with("image/") && entry.width > 0 {
            Self::Image
        } else if entry.length > 0 || entry.media_type.starts_with("text/") {
            Self::Text
        } else {
            Self::Other
        }
    }

    /// The name it is stored under; none where there is nothing to store.
    pub const fn reader(self) -> Option<&'static str> {
        match self {
            Self::Table(TableFormat::Csv) => Some("csv"),
            Self::Table(TableFormat::Jsonl) => Some("jsonl"),
            Self::Table(TableFormat::Parquet) => Some("parquet"),
            Self::Image => Some("image"),
            Self::Text => Some("text"),
            Self::Other => None,
        }
    }
}

/// What is kept of a file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Kept {
    /// A [`TableState`] as bytes.
    Table(Vec<u8>),
    Image(ImageRecord),
    Text(TextRecord),
    /// It cannot be read; why.
    Unreadable(String),
}

impl Kept {
    /// Grows whenever what is kept changes its form.
    const FORMAT: u8 = 1;

    pub fn to_bytes(&self) -> anyhow::Result<Vec<u8>> {
        let mut bytes = vec![Self::FORMAT];
        match self {
            // Not through JSON: it is large, and bytes already.
            Self::Table(state) => {
                bytes.push(b'T');
                bytes.extend_from_slice(state);
            }
            other => {
                bytes.push(b'J');
                serde_json::to_writer(&mut bytes, other)?;
            }
        }
        Ok(bytes)
    }

    /// Whether bytes that begin so are of this version's form; others are computed again.
    fn is_current(head: &[u8]) -> bool {
        match head {
            [Self::FORMAT, b'T', format, ..] => *format == limn_profile::STATE_FORMAT,
            [Self::FORMAT, b'J', ..] => true,
            _ => false,
        }
    }

    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes {
            _ if !Self::is_current(bytes) => None,
            [_, b'T', state @ ..] => Some(Self::Table(state.to_vec())),
            [_, b'J', json @ ..] => serde_json::from_slice(json).ok(),
            _ => None,
        }
    }
}

/// The files of a version in the order of their paths.
pub(crate) struct Files(pub Vec<Entry>);

pub(crate) async fn gather(tx: &mut Tx, version: &Version) -> Result<Files> {
    let (root, _) = nodes::open(tx, &Hash::from(&version.digest)).await?;
    let mut db = DbNodes::new(tx);
    let mut reader = Reader::open(&mut db, &root.files, From::Start)
        .await?
        .to_the_end();
    let mut files = Vec::new();
    while let Some(entry) = reader.next(&mut db).await? {
        files.push(entry);
    }
    Ok(Files(files))
}

fn digests_of(entries: &[Entry]) -> Vec<Digest> {
    let mut digests: Vec<Digest> = entries.iter().map(|e| Digest::from(e.blob)).collect();
    digests.sort_unstable();
    digests.dedup();
    digests
}

/// Which of some files were profiled before, and how; what another version of the program kept does not count.
pub(crate) async fn known_of(tx: &mut Tx, entries: &[Entry]) -> Result<HashSet<(Digest, String)>> {
    let found = repo::profile::heads(tx, &digests_of(entries)).await?;
    Ok(found
        .into_iter()
        .filter(|s| Kept::is_current(&s.state))
        .map(|s| (s.digest, s.reader))
        .collect())
}

pub(crate) async fn states_of(tx: &mut Tx, entries: &[Entry]) -> Result<HashMap<(Digest, String), Vec<u8>>> {
    let found = repo::profile::files(tx, &digests_of(entries)).await?;
    Ok(found
        .into_iter()
        .map(
            |FileState {
                 digest,
                 reader,
                 state,
             }| ((digest, reader), state),
        )
        .collect())
}

/// Everything that is kept of the version's files, put together.
pub(crate) async fn assemble(tx: &mut Tx, files: &Files) -> Result<Dataset> {
    let mut dataset = Dataset::default();
    let labeled = files.0.iter().any(|e| e.labels.is_some());
    let tables = files.0.iter().any(|e| matches!(Kind::of(e), Kind::Table(_)));
    for part in files.0.chunks(if tables { TABLES } else { BATCH }) {
        let states = states_of(tx, part).await?;
        let hashes: Vec<Hash> = part.iter().filter_map(|e| e.labels).collect();
        let labels: HashMap<Hash, Labels> = nodes::objects(tx, &hashes).await?;
        for entry in part {
            add(&mut dataset, entry, &states, &labels, labeled);
        }
    }
    Ok(dataset)
}

fn add(
    dataset: &mut Dataset,
    entry: &Entry,
    states: &HashMap<(Digest, String), Vec<u8>>,
    labels: &HashMap<Hash, Labels>,
    labeled: bool,
) {
    let digest = Digest::from(entry.blob);
    let Some(reader) = Kind::of(entry).reader() else {
        dataset.add_other(entry.size);
        return;
    };
    let kept = states
        .get(&(digest.clone(), reader.to_owned()))
        .and_then(|b| Kept::from_bytes(b));
    match kept {
        Some(Kept::Table(bytes)) => match TableState::from_bytes(&bytes) {
            Ok(state) => dataset.add_table(&entry.path, entry.size, state),
            Err(e) => dataset.add_unreadable(&entry.path, entry.size, e.to_string()),
        },
        Some(Kept::Image(record)) => {
            let boxes = labeled.then(|| boxes(entry.labels.and_then(|h| labels.get(&h))));
            dataset.add_image(
                &entry.path,
                digest.as_str(),
                entry.size,
                &record,
                boxes.as_deref(),
            );
        }
        Some(Kept::Text(record)) => dataset.add_text(&entry.path, entry.size, &record),
        Some(Kept::Unreadable(why)) => dataset.add_unreadable(&entry.path, entry.size, why),
        None => dataset.add_unreadable(
            &entry.path,
            entry.size,
            "not profiled: start the profile again".to_owned(),
        ),
    }
}

fn boxes(labels: Option<&Labels>) -> Vec<LabeledBox> {
    let all = labels.map(|l| l.labels.as_slice()).unwrap_or_default();
    all.iter()
        .map(|l| LabeledBox {
            category: l.category.clone(),
            frame: l.shape.bounds().map(|r| [r.x, r.y, r.w, r.h]),
        })
        .collect()
}

pub(crate) use Kept as FileKept;
