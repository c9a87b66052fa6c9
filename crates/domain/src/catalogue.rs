//! The catalogue of open datasets: what a record says, and what pages and clients see of it.

mod loader;

pub use loader::{
    Cifar, CifarPart, Coco, Csv, CsvPart, FolderPart, Folders, Idx, IdxPart, LabelFrom, ListPart, Loader,
    Parquet, ParquetPart,
};

use crate::dataset::{self, DatasetKind, Split, VersionOutcome, Visibility};
use crate::id::{DatasetId, VersionId};
use crate::project::Task;
use crate::validate;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

const SLUG_MAX: usize = 60;
const SUMMARY_MAX: usize = 200;
/// Longest card, in characters of Markdown; a description has room for more below it.
const CARD_MAX: usize = 20_000;
const CITATION_MAX: usize = 4_000;
const URL_MAX: usize = 2_000;
const FILES_MAX: usize = 200;
/// Largest file that a record may tell of: a petabyte.
const FILE_MAX: u64 = 1 << 50;
const URLS_MAX: usize = 10;
/// Most records of a catalogue.
pub const RECORDS_MAX: usize = 2_000;

/// What a dataset is mostly used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum CatalogueTask {
    ImageClassification,
    ObjectDetection,
    InstanceSegmentation,
    PanopticSegmentation,
    KeypointDetection,
    ImageCaptioning,
    TabularClassification,
    TabularRegression,
    Forecasting,
}

impl CatalogueTask {
    pub const ALL: [Self; 9] = [
        Self::ImageClassification,
        Self::ObjectDetection,
        Self::InstanceSegmentation,
        Self::PanopticSegmentation,
        Self::KeypointDetection,
        Self::ImageCaptioning,
        Self::TabularClassification,
        Self::TabularRegression,
        Self::Forecasting,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ImageClassification => "image_classification",
            Self::ObjectDetection => "object_detection",
            Self::InstanceSegmentation => "instance_segmentation",
            Self::PanopticSegmentation => "panoptic_segmentation",
            Self::KeypointDetection => "keypoint_detection",
            Self::ImageCaptioning => "image_captioning",
            Self::TabularClassification => "tabular_classification",
            Self::TabularRegression => "tabular_regression",
            Self::Forecasting => "forecasting",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::ImageClassification => "Image classification",
            Self::ObjectDetection => "Object detection",
            Self::InstanceSegmentation => "Instance segmentation",
            Self::PanopticSegmentation => "Panoptic segmentation",
            Self::KeypointDetection => "Keypoints",
            Self::ImageCaptioning => "Image captions",
            Self::TabularClassification => "Table classification",
            Self::TabularRegression => "Table regression",
            Self::Forecasting => "Forecasting",
        }
    }

    /// What the labels of a version are for; tables have none.
    pub const fn labels(self) -> Option<Task> {
        Some(match self {
            // Captions are said of whole images.
            Self::ImageClassification | Self::ImageCaptioning => Task::Classification,
            Self::ObjectDetection => Task::Detection,
            // Each segment is a label, of things and of what has no number.
            Self::InstanceSegmentation | Self::PanopticSegmentation => Task::Segmentation,
            Self::KeypointDetection => Task::Keypoints,
            Self::TabularClassification | Self::TabularRegression | Self::Forecasting => return None,
        })
    }

    pub const fn kind(self) -> DatasetKind {
        match self.labels() {
            Some(_) => DatasetKind::Images,
            None => DatasetKind::Tabular,
        }
    }
}

impl FromStr for CatalogueTask {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|t| t.as_str() == s).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("`{s}` is no task; use one of {known}")
        })
    }
}

/// Under what terms a dataset may be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Licence {
    /// An SPDX identifier, or the terms in a few words.
    pub name: String,
    /// Where it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// The algorithm of a publisher's digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Sha256,
    Md5,
}

/// What a publisher says of a file's bytes: `sha256:...` or `md5:...`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDigest {
    pub algorithm: Algorithm,
    /// In lower case.
    pub hex: String,
}

impl FromStr for FileDigest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is no digest; write it as sha256: or md5: and 64 or 32 hexadecimal digits");
        let (name, hex) = text.split_once(':').ok_or_else(wrong)?;
        let (algorithm, len) = match name {
            "sha256" => (Algorithm::Sha256, 64),
            "md5" => (Algorithm::Md5, 32),
            _ => return Err(wrong()),
        };
        if hex.len() != len || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        Ok(Self {
            algorithm,
            hex: hex.to_ascii_lowercase(),
        })
    }
}

impl fmt::Display for FileDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.algorithm {
            Algorithm::Sha256 => "sha256",
            Algorithm::Md5 => "md5",
        };
        write!(f, "{name}:{}", self.hex)
    }
}

impl Serialize for FileDigest {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FileDigest {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A file of a dataset as its publisher has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordFile {
    /// What the loader calls it; unique in the record.
    pub name: String,
    /// Where it lies, tried in this order.
    pub urls: Vec<String>,
    /// Its size, where it is known.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// What the publisher, or somebody who keeps track, says of its bytes.
    #[serde(default)]
    pub digest: Option<FileDigest>,
}

/// A dataset of the catalogue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Its name in addresses and commands: letters, digits and dashes.
    pub slug: String,
    pub name: String,
    /// One line.
    pub summary: String,
    pub task: CatalogueTask,
    #[serde(default)]
    pub tags: Vec<String>,
    pub licence: Licence,
    /// The publisher's page.
    pub home: String,
    #[serde(default)]
    pub citation: String,
    /// Markdown.
    pub card: String,
    pub files: Vec<RecordFile>,
    pub loader: Loader,
}

impl Record {
    /// Errors name the field.
    pub fn check(&self) -> Result<(), String> {
        let slug = &self.slug;
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if slug.is_empty() || slug.len() > SLUG_MAX || !slug.bytes().all(plain) || slug.starts_with('-') {
            return Err(format!(
                "slug: `{slug}` is not made of 1 to {SLUG_MAX} small letters, digits and dashes"
            ));
        }
        validate::name("dataset", &self.name).map_err(|e| format!("name: {e}"))?;
        line("summary", &self.summary, SUMMARY_MAX)?;
        dataset::check_tags(&self.tags).map_err(|e| format!("tags: {e}"))?;
        line("licence.name", &self.licence.name, dataset::LICENCE_MAX)?;
        if let Some(url) = &self.licence.url {
            address("licence.url", url)?;
        }
        address("home", &self.home)?;
        validate::text("citation", &self.citation, CITATION_MAX).map_err(|e| format!("citation: {e}"))?;
        validate::text("card", &self.card, CARD_MAX).map_err(|e| format!("card: {e}"))?;
        if self.files.is_empty() || self.files.len() > FILES_MAX {
            return Err(format!("files: a record has 1 to {FILES_MAX} files"));
        }
        let mut names = HashSet::new();
        for (n, file) in self.files.iter().enumerate() {
            let at = |field: &str| format!("files[{n}].{field}");
            validate::item_name(&file.name).map_err(|e| format!("{}: {e}", at("name")))?;
            if !names.insert(file.name.as_str()) {
                return Err(format!(
                    "{}: another file is called `{}` too",
                    at("name"),
                    file.name
                ));
            }
            if file.urls.is_empty() || file.urls.len() > URLS_MAX {
                return Err(format!("{}: a file has 1 to {URLS_MAX} addresses", at("urls")));
            }
            for url in &file.urls {
                address(&at("urls"), url)?;
            }
            if file.bytes.is_some_and(|b| b == 0 || b > FILE_MAX) {
                return Err(format!("{}: a file has 1 to {FILE_MAX} bytes", at("bytes")));
            }
        }
        if self.loader.kind() != self.task.kind() {
            return Err(format!(
                "loader: {} makes no dataset for {}",
                self.loader.name(),
                self.task.label().to_lowercase()
            ));
        }
        let panoptic = self.task == CatalogueTask::PanopticSegmentation;
        if matches!(&self.loader, Loader::Coco(l) if l.segments.is_some()) != panoptic {
            return Err(format!(
                "loader.{}.segments: the pictures of segments are for panoptic segmentation, which is made of nothing else",
                self.loader.name()
            ));
        }
        self.loader.check(&|name| names.contains(name))
    }

    pub fn kind(&self) -> DatasetKind {
        self.task.kind()
    }

    pub fn file(&self, name: &str) -> Option<&RecordFile> {
        self.files.iter().find(|f| f.name == name)
    }

    /// Bytes of all files, where all are known.
    pub fn bytes(&self) -> Option<u64> {
        self.files.iter().map(|f| f.bytes).sum()
    }

    /// The splits that it comes with.
    pub fn splits(&self) -> Vec<Split> {
        let mut splits = self.loader.splits();
        splits.sort_unstable();
        splits.dedup();
        splits.retain(|s| !s.is_none());
        splits
    }

    pub fn digests(&self) -> DigestState {
        match self.files.iter().filter(|f| f.digest.is_some()).count() {
            0 => DigestState::None,
            n if n == self.files.len() => DigestState::All,
            _ => DigestState::Some,
        }
    }
}

fn line(field: &str, text: &str, max: usize) -> Result<(), String> {
    let n = text.trim().chars().count();
    if n == 0 || n > max || text.chars().any(char::is_control) {
        return Err(format!("{field}: write one line of at most {max} characters"));
    }
    Ok(())
}

fn address(field: &str, url: &str) -> Result<(), String> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let fine = rest.is_some_and(|r| !r.is_empty() && !r.starts_with('/'))
        && url.len() <= URL_MAX
        && !url.chars().any(|c| c.is_control() || c.is_whitespace());
    if fine {
        Ok(())
    } else {
        Err(format!(
            "{field}: `{url}` is no address; it starts with https:// or http://"
        ))
    }
}

/// All records.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Catalogue {
    records: Vec<Record>,
}

impl Catalogue {
    /// Checks the records. Errors name record and field.
    pub fn new(records: Vec<Record>) -> Result<Self, String> {
        if records.len() > RECORDS_MAX {
            return Err(format!(
                "there are {} records; {RECORDS_MAX} are the most",
                records.len()
            ));
        }
        let mut slugs = HashSet::new();
        for record in &records {
            record.check().map_err(|e| format!("`{}`: {e}", record.slug))?;
            if !slugs.insert(record.slug.as_str()) {
                return Err(format!(
                    "`{0}`: slug: another record is called `{0}` too",
                    record.slug
                ));
            }
        }
        Ok(Self { records })
    }

    /// In the file's order.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    pub fn get(&self, slug: &str) -> Option<&Record> {
        self.records.iter().find(|r| r.slug == slug)
    }
}

/// Which files of a record have a digest that is known beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum DigestState {
    All,
    Some,
    None,
}

/// A version that was made of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CatalogueUse {
    pub dataset_id: DatasetId,
    pub name: String,
    pub version_id: VersionId,
    /// The version's.
    pub number: i64,
}

/// A record as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CatalogueEntry {
    pub slug: String,
    pub name: String,
    /// One line.
    pub summary: String,
    pub kind: DatasetKind,
    pub task: CatalogueTask,
    pub tags: Vec<String>,
    pub licence: Licence,
    /// To fetch; absent where the size of some file is not known.
    pub bytes: Option<i64>,
    pub files: i64,
    pub digests: DigestState,
    /// Versions that were made of it, as far as the caller sees them; newest first.
    pub added: Vec<CatalogueUse>,
}

/// A file as it is fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CatalogueFile {
    pub name: String,
    /// Where it is fetched from, tried in this order: the mirror's addresses where one is set.
    pub urls: Vec<String>,
    pub bytes: Option<i64>,
    /// `sha256:...` or `md5:...`; absent where none is published.
    pub digest: Option<String>,
}

/// A record with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CatalogueDetail {
    #[serde(flatten)]
    pub entry: CatalogueEntry,
    /// The publisher's page.
    pub home: String,
    pub citation: String,
    /// Markdown as written.
    pub card: String,
    /// The card as sanitised HTML, safe to insert.
    pub card_html: String,
    /// The files' format: `idx`, `cifar`, `coco`, `folders`, `csv` or `parquet`.
    pub format: String,
    pub sources: Vec<CatalogueFile>,
    pub splits: Vec<Split>,
    /// Names of categories or columns that the record gives.
    pub names: Vec<String>,
}

/// How a record becomes a dataset.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AddDataset {
    /// Of the dataset; the record's when absent. One that was made of the same record gets a new version, if anything
    /// has changed.
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub visibility: Visibility,
}

/// A file that was fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FetchedFile {
    pub name: String,
    pub url: String,
    pub bytes: i64,
    pub sha256: String,
    pub blake3: String,
    /// Whether a digest was known beforehand, which it has.
    pub verified: bool,
}

/// What came of adding a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CatalogueOutcome {
    #[serde(flatten)]
    pub version: VersionOutcome,
    pub fetched: Vec<FetchedFile>,
}

#[cfg(test)]
mod tests;
