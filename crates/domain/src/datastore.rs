//! Datastores: places where data lives, as people set them up. Credentials go in and never come out.

mod fields;
mod source;

pub use fields::{FieldSpec, fields};
pub use source::{
    AddSource, DatasetChoice, FileState, MINUTES_MAX, MINUTES_MIN, ProjectSource, SourceDataset,
    SourceReport, UpdateSource, check_every,
};

use crate::id::{DatasetId, DatastoreId, ProjectId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longest description, in characters.
pub const DESCRIPTION_MAX: usize = 2_000;
/// Longest value of a setting or credential, in bytes.
pub const VALUE_MAX: usize = 16 << 10;

/// What a datastore speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "sqlx",
    derive(sqlx::Type),
    sqlx(type_name = "text", rename_all = "snake_case")
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum DatastoreKind {
    /// A folder of the server's machine, mounts among them.
    Folder,
    S3,
    /// Blobs in a container.
    Azure,
    /// A file system with folders of its own: Data Lake Gen2.
    AzureLake,
    /// A file share.
    AzureFiles,
    Gcs,
    Http,
    Webdav,
    Sftp,
    Postgres,
    Mysql,
    SqlServer,
    Sqlite,
}

impl DatastoreKind {
    pub const ALL: [Self; 13] = [
        Self::Folder,
        Self::S3,
        Self::Azure,
        Self::AzureLake,
        Self::AzureFiles,
        Self::Gcs,
        Self::Http,
        Self::Webdav,
        Self::Sftp,
        Self::Postgres,
        Self::Mysql,
        Self::SqlServer,
        Self::Sqlite,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::S3 => "s3",
            Self::Azure => "azure",
            Self::AzureLake => "azure_lake",
            Self::AzureFiles => "azure_files",
            Self::Gcs => "gcs",
            Self::Http => "http",
            Self::Webdav => "webdav",
            Self::Sftp => "sftp",
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
            Self::SqlServer => "sql_server",
            Self::Sqlite => "sqlite",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Folder => "Folder on the server",
            Self::S3 => "S3 or compatible",
            Self::Azure => "Azure Blob Storage",
            Self::AzureLake => "Azure Data Lake Gen2",
            Self::AzureFiles => "Azure Files",
            Self::Gcs => "Google Cloud Storage",
            Self::Http => "Web folder",
            Self::Webdav => "WebDAV",
            Self::Sftp => "SFTP",
            Self::Postgres => "PostgreSQL",
            Self::Mysql => "MySQL or MariaDB",
            Self::SqlServer => "SQL Server",
            Self::Sqlite => "SQLite file",
        }
    }

    /// One line for whoever picks a kind.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Folder => "Also mounted SMB and NFS shares",
            Self::S3 => "AWS, MinIO, Ceph, Garage, R2 and others",
            Self::Azure => "A container, by account key or SAS",
            Self::AzureLake => "A file system with real folders, by account key or SAS",
            Self::AzureFiles => "A file share, by account key or SAS",
            Self::Gcs => "A bucket, by an HMAC key",
            Self::Http => "Pages that list files, as web servers write them",
            Self::Webdav => "Nextcloud, ownCloud, Apache, nginx",
            Self::Sftp => "A folder over SSH, by password or key",
            Self::Postgres => "Tables and queries",
            Self::Mysql => "Tables and queries",
            Self::SqlServer => "Tables and queries, also of Azure SQL",
            Self::Sqlite => "Tables and queries of a file on the server",
        }
    }

    /// Whether it holds tables and not files.
    pub const fn is_sql(self) -> bool {
        matches!(
            self,
            Self::Postgres | Self::Mysql | Self::SqlServer | Self::Sqlite
        )
    }
}

impl std::str::FromStr for DatastoreKind {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|k| k.as_str() == s).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            format!("`{s}` is no kind of datastore; use one of {known}")
        })
    }
}

/// How the last look at a datastore went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(
    feature = "sqlx",
    derive(sqlx::Type),
    sqlx(type_name = "text", rename_all = "snake_case")
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Health {
    /// Nobody has looked yet.
    #[default]
    Unknown,
    Ok,
    Failing,
}

/// A datastore as answered. Holds no credential: those that are set are named in `secrets`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Datastore {
    pub id: DatastoreId,
    pub name: String,
    pub kind: DatastoreKind,
    pub description: String,
    /// By key, see the kind's fields.
    pub settings: BTreeMap<String, String>,
    /// Which credentials are set, by key; never what they are.
    pub secrets: Vec<String>,
    /// A disabled one is neither read nor refreshed from.
    pub enabled: bool,
    pub health: Health,
    /// What went wrong at the last look, for people.
    pub health_text: String,
    /// What an admin should know, such as that the login may write.
    pub warnings: Vec<String>,
    pub checked_at: Option<Timestamp>,
    /// Labeling projects that take files from it.
    pub projects: i64,
    /// Datasets with a version from it.
    pub datasets: i64,
    pub created_by_name: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A datastore to set up, or settings to try.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewDatastore {
    /// Unique in the studio regardless of case; need not be given for a test.
    #[serde(default)]
    pub name: String,
    pub kind: DatastoreKind,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Credentials, by key. Kept encrypted, never answered.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
}

impl std::fmt::Debug for NewDatastore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewDatastore")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("settings", &self.settings)
            .field("secrets", &self.secrets.keys())
            .finish_non_exhaustive()
    }
}

/// What to change; absent fields stay.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateDatastore {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub description: Option<String>,
    /// All of them anew. The address cannot change without new credentials: `rotate` takes both.
    #[serde(default)]
    pub settings: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// New credentials, taken once they work.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RotateSecrets {
    /// All of them anew, by key.
    pub secrets: BTreeMap<String, String>,
    /// Settings that change with them, such as the id of an access key; the others stay.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
}

impl std::fmt::Debug for RotateSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RotateSecrets")
            .field("secrets", &self.secrets.keys())
            .field("settings", &self.settings)
            .finish()
    }
}

/// What a test of a connection found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TestOutcome {
    pub ok: bool,
    /// What was seen, or what is wrong and how to mend it.
    pub message: String,
    pub warnings: Vec<String>,
    /// Settings that the test worked out and that are kept.
    #[serde(default)]
    pub learned: BTreeMap<String, String>,
}

/// Something in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StoreEntry {
    /// From the root of the datastore, without a slash at either end.
    pub path: String,
    pub is_folder: bool,
    /// Bytes, where the store says.
    pub size: Option<i64>,
    pub modified: Option<Timestamp>,
}

/// A page of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StorePage {
    pub entries: Vec<StoreEntry>,
    /// Ask again with it for more.
    pub next: Option<String>,
}

/// What a file or a query looks like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum StorePreview {
    /// Shown by `/media/datastores/{id}/thumb?path=`.
    Image {
        size: Option<i64>,
        width: i64,
        height: i64,
    },
    /// The beginning of a text.
    Text {
        size: Option<i64>,
        text: String,
        cut: bool,
    },
    /// The first rows of a table.
    Table(TablePreview),
    /// Neither; or too large to look into.
    Other { size: Option<i64>, why: String },
}

/// Rows as text, as they would be read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TablePreview {
    pub columns: Vec<TableColumn>,
    /// Absent values are null.
    pub rows: Vec<Vec<Option<String>>>,
    /// There are more rows.
    pub cut: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TableColumn {
    pub name: String,
    /// The database's word for its type; empty for a file.
    pub type_name: String,
}

/// A table or view of a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StoreTable {
    /// As it is written in a query, quoted where it must be.
    pub name: String,
    pub is_view: bool,
}

/// Who uses a datastore.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DatastoreUsage {
    /// Projects the caller may see.
    pub projects: Vec<UsedByProject>,
    /// Datasets the caller may see.
    pub datasets: Vec<UsedByDataset>,
    /// More of either, that the caller may not see.
    pub hidden: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UsedByProject {
    pub project_id: ProjectId,
    pub name: String,
    /// What it takes, such as `street/**`.
    pub glob: String,
    pub files: i64,
    pub last_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UsedByDataset {
    pub dataset_id: DatasetId,
    pub name: String,
    /// A glob, or a query.
    pub what: String,
    pub last_at: Timestamp,
}

/// A path or pattern, tidied: no slash at either end, nothing that leads out.
pub fn check_glob(text: &str) -> Result<String, String> {
    let text = text.trim().trim_matches('/');
    if text.is_empty() {
        return Ok("**".to_owned());
    }
    if text.len() > 1_000 {
        return Err("A pattern has at most 1,000 bytes.".to_owned());
    }
    if text.chars().any(char::is_control) || text.split('/').any(|p| p == "..") {
        return Err("A pattern has no `..` and no control characters.".to_owned());
    }
    Ok(text.to_owned())
}

/// The folder that everything a pattern matches is in, `""` for the root.
pub fn glob_folder(glob: &str) -> &str {
    let first = glob.find(['*', '?']).unwrap_or(glob.len());
    if first == glob.len() {
        // No pattern: a file or a folder.
        return glob;
    }
    glob[..first].rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_begins_in_a_folder() {
        for (glob, folder) in [
            ("**", ""),
            ("*.png", ""),
            ("a/b/*.png", "a/b"),
            ("a/b?/c", "a"),
            ("a/b", "a/b"),
            ("photos/2024-*/x", "photos"),
        ] {
            assert_eq!(glob_folder(glob), folder, "{glob}");
        }
        assert_eq!(check_glob("/a/").as_deref(), Ok("a"));
        assert_eq!(check_glob("  ").as_deref(), Ok("**"));
        assert!(check_glob("a/../b").is_err());
    }

    #[test]
    fn credentials_are_not_printed() {
        let new = NewDatastore {
            name: "n".to_owned(),
            kind: DatastoreKind::S3,
            description: String::new(),
            settings: BTreeMap::new(),
            secrets: BTreeMap::from([("secret_access_key".to_owned(), "hunter2".to_owned())]),
        };
        assert!(!format!("{new:?}").contains("hunter2"));
        let rotate = RotateSecrets {
            secrets: new.secrets.clone(),
            settings: BTreeMap::new(),
        };
        assert!(!format!("{rotate:?}").contains("hunter2"));
    }
}
