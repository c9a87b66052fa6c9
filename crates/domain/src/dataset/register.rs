//! Where versions come from.

use super::{EntryFilter, Split};
use crate::explore::ExploreFilter;
use crate::id::{DatasetId, DatastoreId, Digest, ItemId, ProjectId, UploadId, VersionId};
use crate::item::ItemStatus;
use serde::{Deserialize, Serialize};

/// A version to register as a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewVersion {
    #[serde(flatten)]
    pub source: VersionSource,
    /// What is new, for people.
    #[serde(default)]
    pub note: String,
}

/// What a version is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum VersionSource {
    /// The items of a labeling project with their labels, as they are at one moment.
    Project {
        project_id: ProjectId,
        /// Items in these states; only done ones when empty.
        #[serde(default)]
        statuses: Vec<ItemStatus>,
        /// Only items with a label of one of these categories (paths, as `Vehicles/Car`); all when empty.
        #[serde(default)]
        categories: Vec<String>,
    },
    /// Items of a labeling project that were found by exploring it, with their labels: those of `items`, or all that pass
    /// when there are none.
    Found {
        project_id: ProjectId,
        #[serde(default)]
        filter: ExploreFilter,
        #[serde(default)]
        items: Vec<ItemId>,
    },
    /// Files that were uploaded; archives are unpacked.
    Uploads {
        /// Complete uploads, taken in this order and deleted afterwards.
        uploads: Vec<UploadId>,
        #[serde(default)]
        mode: UploadMode,
    },
    /// Some of the files of a version, of this dataset or another.
    Version {
        version_id: VersionId,
        #[serde(default)]
        filter: EntryFilter,
    },
    /// The files of a version that were found by exploring it: those of `paths`, or all that pass when there are none.
    Selection {
        version_id: VersionId,
        #[serde(default)]
        filter: ExploreFilter,
        #[serde(default)]
        paths: Vec<String>,
    },
    /// All files of a version of this dataset, put into splits.
    Splits { version_id: VersionId, plan: SplitPlan },
    /// Files of a datastore as they are now.
    Datastore {
        datastore_id: DatastoreId,
        /// A pattern of paths, such as `street/**`; everything when empty.
        #[serde(default)]
        glob: String,
        #[serde(default)]
        mode: UploadMode,
        /// Read once and left where they are; otherwise they are copied. Whoever needs one later has it read again there, and
        /// gets an error when it is not what it was.
        #[serde(default)]
        in_place: bool,
    },
    /// What a query of a database answers now, as one Parquet file.
    Query {
        datastore_id: DatastoreId,
        /// One `SELECT`; run in a transaction that only reads.
        sql: String,
        /// The file's name, without `.parquet`; `query` when empty.
        #[serde(default)]
        name: String,
        #[serde(default)]
        mode: UploadMode,
    },
}

/// What uploaded files are to the newest version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum UploadMode {
    /// Added to its files; a file of the same path takes the old one's place, without its labels.
    #[default]
    Add,
    /// All there is.
    Replace,
}

/// How files are put into splits. The same plan on the same files gives the same splits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SplitPlan {
    pub method: SplitMethod,
    /// In per cent, 100 in all.
    pub shares: SplitShare,
    /// Another seed, another draw.
    #[serde(default)]
    pub seed: u64,
    /// Leave files alone that have a split already.
    #[serde(default)]
    pub keep: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SplitMethod {
    /// Drawn, the shares met to the file.
    #[default]
    Random,
    /// Drawn so that every category has its share in every split as far as that goes.
    Stratified,
    /// All files of a folder in the same split.
    Folder,
    /// By a digest of the path: a file stays where it is when others come or go.
    Path,
}

impl SplitMethod {
    pub const ALL: [Self; 4] = [Self::Random, Self::Stratified, Self::Folder, Self::Path];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Stratified => "stratified",
            Self::Folder => "folder",
            Self::Path => "path",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Random => "At random",
            Self::Stratified => "Stratified by category",
            Self::Folder => "By folder",
            Self::Path => "By path",
        }
    }

    pub const fn describe(self) -> &'static str {
        match self {
            Self::Random => "Drawn with the seed; the shares are met to the file",
            Self::Stratified => "Every category has its share in every split, rare ones first",
            Self::Folder => "All files of a folder go to the same split: no frames of one film on both sides",
            Self::Path => "A digest of the path decides: a file stays in its split when others come or go",
        }
    }
}

impl std::str::FromStr for SplitMethod {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|m| m.as_str() == s).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("`{s}` is no way to split; use one of {known}")
        })
    }
}

/// Per cent of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SplitShare {
    pub train: u32,
    pub val: u32,
    pub test: u32,
}

impl Default for SplitShare {
    fn default() -> Self {
        Self {
            train: 80,
            val: 10,
            test: 10,
        }
    }
}

impl SplitShare {
    pub const fn of(&self, split: Split) -> u32 {
        match split {
            Split::None => 0,
            Split::Train => self.train,
            Split::Val => self.val,
            Split::Test => self.test,
        }
    }

    /// Errors unless they are 100 in all.
    pub fn check(&self) -> Result<(), String> {
        let sum = u64::from(self.train) + u64::from(self.val) + u64::from(self.test);
        if sum == 100 {
            Ok(())
        } else {
            Err(format!(
                "The shares make {sum} per cent together; they have to make 100."
            ))
        }
    }
}

/// What a registration leaves as its job's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VersionOutcome {
    pub dataset_id: DatasetId,
    pub version_id: VersionId,
    pub number: i64,
    pub digest: Digest,
    /// False when the dataset had a version of this very content already.
    pub is_new: bool,
    pub files: i64,
    /// Findings, such as files that were left out.
    pub notes: Vec<String>,
}

/// A labeling project to make from a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MakeProject {
    /// Unique in the studio regardless of case.
    pub name: String,
    /// With the version's labels, on items that are done; otherwise items without labels, to do.
    #[serde(default)]
    pub with_labels: bool,
    /// What its labelers do, where the version does not say.
    #[serde(default)]
    pub task: Option<crate::project::Task>,
    #[serde(default)]
    pub filter: EntryFilter,
}
