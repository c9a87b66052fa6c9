//! Datasets and their versions.

mod diff;
mod download;
mod entry;
mod place;
mod register;
pub mod snippets;

pub use diff::{DiffKind, DiffQuery, DiffRow, DiffSummary, EntryChange};
pub use download::{Checksum, Download, METADATA_FILE, Metadata};
pub use entry::{Entry, EntryFilter, EntryQuery, Folder, FolderPage, VersionSchema};
pub use place::{CheckFinding, CheckPlaces, CheckReport, FINDINGS_MAX, Found, PlacesIn, VersionPlaces};
pub use register::{
    MakeProject, NewVersion, SplitMethod, SplitPlan, SplitShare, UploadMode, VersionOutcome, VersionSource,
};

use crate::authz::Role;
use crate::id::{DatasetId, DatastoreId, Digest, ProjectId, UserId, VersionId};
use crate::project::Task;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

pub const TAGS_MAX: usize = 20;
pub const TAG_MAX: usize = 40;
pub const LICENCE_MAX: usize = 120;
pub const NOTE_MAX: usize = 2_000;
pub const ALIAS_MAX: usize = 60;
/// Longest description, in characters of Markdown.
pub const README_MAX: usize = 50_000;
/// The alias that is always the newest version, and that nobody moves.
pub const LATEST: &str = "latest";

/// What a dataset holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "sqlx",
    derive(sqlx::Type),
    sqlx(type_name = "text", rename_all = "snake_case")
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum DatasetKind {
    /// Pictures, with labels where there are any.
    #[default]
    Images,
    /// Tables: CSV, Parquet...
    Tabular,
    /// Documents, with labels where there are any.
    Text,
    /// Files of any kind.
    Files,
}

impl DatasetKind {
    pub const ALL: [Self; 4] = [Self::Images, Self::Tabular, Self::Text, Self::Files];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Images => "images",
            Self::Tabular => "tabular",
            Self::Text => "text",
            Self::Files => "files",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Images => "Images",
            Self::Tabular => "Tables",
            Self::Text => "Text",
            Self::Files => "Files",
        }
    }

    pub const fn describe(self) -> &'static str {
        match self {
            Self::Images => "Pictures with their labels",
            Self::Tabular => "CSV, Parquet and other tables",
            Self::Text => "Documents with their labels",
            Self::Files => "Files of any kind",
        }
    }
}

impl std::str::FromStr for DatasetKind {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|k| k.as_str() == s).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("`{s}` is no kind of dataset; use one of {known}")
        })
    }
}

/// Who may see a dataset besides its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "sqlx",
    derive(sqlx::Type),
    sqlx(type_name = "text", rename_all = "snake_case")
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Visibility {
    /// Nobody.
    #[default]
    Private,
    /// Everybody with an account, as viewers.
    Studio,
}

/// What the dataset is called as a bucket: its name in small letters, digits and dashes, as all clients take it; its id
/// where that leaves too little.
pub fn bucket_name(name: &str, id: DatasetId) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.ends_with('-') && !out.is_empty() {
            out.push('-');
        }
        if out.len() == 60 {
            break;
        }
    }
    let out = out.trim_end_matches('-');
    if out.len() < 3 {
        id.to_string()
    } else {
        out.to_owned()
    }
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "sqlx",
    derive(sqlx::Type),
    sqlx(type_name = "text", rename_all = "snake_case")
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Split {
    /// Nobody has said.
    #[default]
    None,
    Train,
    Val,
    Test,
}

impl Split {
    pub const ALL: [Self; 4] = [Self::None, Self::Train, Self::Val, Self::Test];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::None => "No split",
            Self::Train => "Train",
            Self::Val => "Validation",
            Self::Test => "Test",
        }
    }

    /// Its place in [`Self::ALL`].
    pub const fn index(self) -> usize {
        match self {
            Self::None => 0,
            Self::Train => 1,
            Self::Val => 2,
            Self::Test => 3,
        }
    }

    pub const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

impl std::str::FromStr for Split {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|x| x.as_str() == s)
            .ok_or_else(|| format!("`{s}` is no split; use train, val, test or none"))
    }
}

/// Roles a membership in a dataset can have.
pub const ROLES: [Role; 2] = [Role::Manager, Role::Viewer];

/// A dataset as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DatasetSummary {
    pub id: DatasetId,
    pub name: String,
    pub kind: DatasetKind,
    /// Markdown as written.
    pub description: String,
    pub tags: Vec<String>,
    /// An SPDX identifier or a name; empty when nobody has said.
    pub licence: String,
    pub visibility: Visibility,
    /// The caller's role: `admin` for a studio admin.
    pub my_role: Role,
    /// Who made it.
    pub owner_name: Option<String>,
    /// Number of versions.
    pub versions: i64,
    /// Of the newest version.
    pub latest_number: Option<i64>,
    pub files: i64,
    pub bytes: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A dataset with everything its page needs besides versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Dataset {
    #[serde(flatten)]
    pub summary: DatasetSummary,
    /// The description as sanitised HTML, safe to insert.
    pub description_html: String,
    /// Labeling projects that take files from it.
    #[serde(default)]
    pub projects: i64,
}

/// A dataset to create; the caller becomes its manager.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewDataset {
    /// 1..=120 characters, unique in the studio regardless of case.
    pub name: String,
    #[serde(default)]
    pub kind: DatasetKind,
    /// Markdown.
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub tags: Vec<String>,
    #[serde(default)]
    pub licence: String,
    #[serde(default)]
    pub visibility: Visibility,
}

/// Changes to a dataset; absent fields stay.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateDataset {
    pub name: Option<String>,
    pub description: Option<String>,
    pub tags: Option<Vec<String>>,
    pub licence: Option<String>,
    pub visibility: Option<Visibility>,
}

/// Filter of the list of datasets.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
pub struct DatasetQuery {
    /// Part of the name or a tag, regardless of case.
    #[serde(default)]
    pub text: Option<String>,
    #[serde(default)]
    pub kind: Option<DatasetKind>,
    #[serde(default)]
    pub tag: Option<String>,
    #[serde(default)]
    pub cursor: Option<String>,
    /// 1..=200, 60 when absent.
    #[serde(default)]
    pub limit: Option<i64>,
}

/// Somebody's membership in a dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DatasetMember {
    pub user_id: UserId,
    pub name: String,
    pub email: String,
    /// `manager` or `viewer`.
    pub role: Role,
    pub added_at: Timestamp,
}

/// Files and labels of a category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CategoryCount {
    /// Path in the version's schema: the names from the top, apart by slashes.
    pub path: String,
    /// `#rrggbb`.
    pub color: String,
    pub files: i64,
    pub labels: i64,
}

/// What was counted when a version was registered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VersionCounts {
    /// Files by split, in the order none, train, val, test.
    pub splits: [i64; 4],
    pub labels: i64,
    /// Files somebody has said something of.
    pub labeled_files: i64,
    /// Categories of the schema, also those without labels.
    pub categories: Vec<CategoryCount>,
}

/// A version of a dataset. It never changes; its aliases do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Version {
    pub id: VersionId,
    pub dataset_id: DatasetId,
    /// 1, 2, 3... in the dataset; never given again.
    pub number: i64,
    /// Names the content: the same files, labels, splits and categories have the same.
    pub digest: Digest,
    pub note: String,
    pub files: i64,
    /// Of all files together.
    pub bytes: i64,
    /// What its labels are for, when it came from a labeling project.
    pub task: Option<Task>,
    pub counts: VersionCounts,
    /// In order; `latest` is among them.
    pub aliases: Vec<String>,
    pub created_by_name: Option<String>,
    pub created_at: Timestamp,
}

/// A move of an alias.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AliasMove {
    pub name: String,
    /// The number of the version it went to; absent when it was removed.
    pub number: Option<i64>,
    pub by_name: String,
    pub at: Timestamp,
}

/// What a node of the lineage is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum LineageNode {
    /// A version; without ids when it is gone, or the caller may not see it.
    Version {
        dataset_id: Option<DatasetId>,
        version_id: Option<VersionId>,
        name: String,
    },
    /// A labeling project, likewise.
    Project {
        project_id: Option<ProjectId>,
        name: String,
    },
    /// Files that somebody uploaded.
    Upload { name: String },
    /// Files or rows of a datastore.
    Datastore { datastore_id: DatastoreId, name: String },
    /// A record of the catalogue of open datasets.
    Catalogue { slug: String, name: String },
}

/// That one thing was made from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LineageEdge {
    pub from: LineageNode,
    pub to: LineageNode,
    /// How, in words.
    pub how: String,
    pub by_name: String,
    pub at: Timestamp,
}

/// What deleting a version would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VersionImpact {
    /// Bytes that nothing else refers to: files, and what the version itself takes in the database. Files that were left in their
    /// datastores free nothing.
    pub frees_bytes: i64,
    pub frees_files: i64,
    /// Aliases that point to it; they have to be moved first.
    pub aliases: Vec<String>,
    /// What was made from it, in words.
    pub used_by: Vec<String>,
}

/// An alias: letters, digits, `.`, `-` and `_`, in lower case. Not `latest` and no number.
pub fn check_alias(text: &str) -> Result<String, String> {
    let text = text.trim().to_lowercase();
    let fine = !text.is_empty()
        && text.len() <= ALIAS_MAX
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
    if !fine {
        return Err(format!(
            "An alias is 1 to {ALIAS_MAX} letters, digits, dots, dashes or underscores, such as `production`."
        ));
    }
    if text == LATEST {
        return Err("`latest` is always the newest version; choose another alias.".to_owned());
    }
    if text
        .strip_prefix('v')
        .unwrap_or(&text)
        .bytes()
        .all(|b| b.is_ascii_digit())
    {
        return Err(format!(
            "`{text}` reads as the number of a version; choose a word."
        ));
    }
    if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err("An alias must not look like a digest; choose a word.".to_owned());
    }
    Ok(text)
}

/// Tags: trimmed, in lower case, none twice.
pub fn check_tags(tags: &[String]) -> Result<Vec<String>, String> {
    let mut out: Vec<String> = Vec::new();
    for tag in tags {
        let tag = tag.trim().to_lowercase();
        if tag.is_empty() {
            continue;
        }
        if tag.chars().count() > TAG_MAX || tag.chars().any(|c| c.is_control() || c == ',') {
            return Err(format!(
                "A tag is one line of at most {TAG_MAX} characters without commas."
            ));
        }
        if !out.contains(&tag) {
            out.push(tag);
        }
    }
    if out.len() > TAGS_MAX {
        return Err(format!("A dataset has at most {TAGS_MAX} tags."));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_cannot_be_taken_for_anything_else() {
        for bad in [
            "",
            "latest",
            "LATEST",
            "3",
            "v3",
            "a b",
            "ü",
            &"a".repeat(64),
            "a/b",
        ] {
            assert!(check_alias(bad).is_err(), "{bad}");
        }
        assert_eq!(check_alias(" Production ").as_deref(), Ok("production"));
        assert_eq!(check_alias("v1.2-rc").as_deref(), Ok("v1.2-rc"));
    }

    #[test]
    fn tags_are_tidied() {
        let tags = ["  Street ", "street", "", "night"].map(str::to_owned);
        assert_eq!(
            check_tags(&tags),
            Ok(vec!["street".to_owned(), "night".to_owned()])
        );
        assert!(check_tags(&["a,b".to_owned()]).is_err());
        assert!(check_tags(&(0..30).map(|n| n.to_string()).collect::<Vec<_>>()).is_err());
    }
}
