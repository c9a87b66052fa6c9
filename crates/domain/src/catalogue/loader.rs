//! How the files of a record become the files of a dataset.

use crate::dataset::{DatasetKind, Split};
use crate::validate;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};

const PARTS_MAX: usize = 200;
const CATEGORIES_MAX: usize = 10_000;
const COLUMNS_MAX: usize = 1_000;
const SKIP_MAX: u32 = 1_000;

/// The format of the files, and what of them is what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loader {
    Idx(Idx),
    Cifar(Cifar),
    Coco(Coco),
    Folders(Folders),
    Csv(Csv),
    Parquet(Parquet),
}

/// Pictures and labels in files of bytes, as of MNIST.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Idx {
    /// By the number in the files of labels, from 0.
    pub categories: Vec<String>,
    pub parts: Vec<IdxPart>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdxPart {
    /// Names of files.
    pub images: String,
    pub labels: String,
    #[serde(default)]
    pub split: Split,
}

/// The binary version of CIFAR in an archive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cifar {
    /// Name of the archive.
    pub file: String,
    /// By the number in the records, from 0.
    pub categories: Vec<String>,
    /// Names of the coarse labels, where records have two; the categories lie below them.
    #[serde(default)]
    pub groups: Vec<String>,
    pub parts: Vec<CifarPart>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CifarPart {
    /// In the archive.
    pub path: String,
    #[serde(default)]
    pub split: Split,
}

/// Pictures in an archive and a COCO file about them in another one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coco {
    /// Name of the archive of pictures.
    pub images: String,
    /// Name of the file of annotations: JSON, or an archive with `path` in it.
    pub annotations: String,
    #[serde(default)]
    pub path: Option<String>,
    /// Panoptic: the archive of pictures of segments, a path in the archive of annotations.
    #[serde(default)]
    pub segments: Option<String>,
    #[serde(default)]
    pub split: Split,
}

/// Pictures in archives, whose categories are in their paths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Folders {
    pub category: LabelFrom,
    /// Names for what the paths say; as it stands there otherwise.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    pub parts: Vec<FolderPart>,
    /// Lists that put pictures into splits: the first word of a line is a picture's name without its extension.
    #[serde(default)]
    pub lists: Vec<ListPart>,
}

/// Where in a path the category is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelFrom {
    /// The folder that the picture lies in.
    Folder,
    /// The file's name up to the last underscore: `Abyssinian_12.jpg`.
    Name,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FolderPart {
    /// Name of the archive.
    pub file: String,
    /// The folder in it that is taken; all of it when empty.
    #[serde(default)]
    pub under: String,
    #[serde(default)]
    pub split: Split,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListPart {
    /// Name of the file, or of the archive that `path` is in.
    pub file: String,
    #[serde(default)]
    pub path: Option<String>,
    pub split: Split,
}

/// Tables as text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Csv {
    pub parts: Vec<CsvPart>,
    /// Names of the columns; those of the header when empty.
    #[serde(default)]
    pub columns: Vec<String>,
    /// Whether the first line names the columns.
    #[serde(default)]
    pub header: bool,
    /// One character; a comma when absent.
    #[serde(default = "comma")]
    pub separator: char,
    /// Lines in front of the table.
    #[serde(default)]
    pub skip: u32,
    /// Whether spaces around values are taken off.
    #[serde(default)]
    pub trim: bool,
    /// What stands for a missing value.
    #[serde(default)]
    pub missing: Option<String>,
    /// What lines end with and does not mean.
    #[serde(default)]
    pub line_end: Option<String>,
}

const fn comma() -> char {
    ','
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CsvPart {
    /// Name of the file, or of the archive that `path` is in.
    pub file: String,
    #[serde(default)]
    pub path: Option<String>,
    /// Its path in the dataset.
    pub to: String,
    #[serde(default)]
    pub split: Split,
    /// In the place of the table's.
    #[serde(default)]
    pub skip: Option<u32>,
}

/// Tables as Parquet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parquet {
    pub parts: Vec<ParquetPart>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParquetPart {
    pub file: String,
    /// Its path in the dataset.
    pub to: String,
    #[serde(default)]
    pub split: Split,
}

impl Loader {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Idx(_) => "idx",
            Self::Cifar(_) => "cifar",
            Self::Coco(_) => "coco",
            Self::Folders(_) => "folders",
            Self::Csv(_) => "csv",
            Self::Parquet(_) => "parquet",
        }
    }

    pub const fn kind(&self) -> DatasetKind {
        match self {
            Self::Idx(_) | Self::Cifar(_) | Self::Coco(_) | Self::Folders(_) => DatasetKind::Images,
            Self::Csv(_) | Self::Parquet(_) => DatasetKind::Tabular,
        }
    }

    pub(super) fn splits(&self) -> Vec<Split> {
        match self {
            Self::Idx(l) => l.parts.iter().map(|p| p.split).collect(),
            Self::Cifar(l) => l.parts.iter().map(|p| p.split).collect(),
            Self::Coco(l) => vec![l.split],
            Self::Folders(l) => {
                let lists = l.lists.iter().map(|p| p.split);
                l.parts.iter().map(|p| p.split).chain(lists).collect()
            }
            Self::Csv(l) => l.parts.iter().map(|p| p.split).collect(),
            Self::Parquet(l) => l.parts.iter().map(|p| p.split).collect(),
        }
    }

    /// Names of categories or columns that the record gives.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Idx(l) => l.categories.clone(),
            Self::Cifar(l) => l.categories.clone(),
            Self::Folders(l) => l.names.values().cloned().collect(),
            Self::Csv(l) => l.columns.clone(),
            Self::Coco(_) | Self::Parquet(_) => Vec::new(),
        }
    }

    /// `knows`: whether the record has a file of the name.
    pub(super) fn check(&self, knows: &dyn Fn(&str) -> bool) -> Result<(), String> {
        let at = |field: &str| format!("loader.{}.{field}", self.name());
        let file = |field: &str, name: &str| {
            if knows(name) {
                Ok(())
            } else {
                Err(format!("{}: the record has no file called `{name}`", at(field)))
            }
        };
        let count = |n: usize| {
            if (1..=PARTS_MAX).contains(&n) {
                Ok(())
            } else {
                Err(format!("{}: there are 1 to {PARTS_MAX} of them", at("parts")))
            }
        };
        match self {
            Self::Idx(l) => {
                count(l.parts.len())?;
                categories(&at("categories"), &l.categories, 256)?;
                for part in &l.parts {
                    file("parts", &part.images)?;
                    file("parts", &part.labels)?;
                }
            }
            Self::Cifar(l) => {
                count(l.parts.len())?;
                categories(&at("categories"), &l.categories, 256)?;
                if !l.groups.is_empty() {
                    categories(&at("groups"), &l.groups, 256)?;
                }
                file("file", &l.file)?;
                for part in &l.parts {
                    path(&at("parts"), &part.path)?;
                }
            }
            Self::Coco(l) => {
                file("images", &l.images)?;
                file("annotations", &l.annotations)?;
                optional(&at("path"), l.path.as_ref())?;
                optional(&at("segments"), l.segments.as_ref())?;
                if l.segments.is_some() && l.path.is_none() {
                    return Err(format!(
                        "{}: the annotations are an archive then, so name the path of the JSON in it",
                        at("path")
                    ));
                }
            }
            Self::Folders(l) => {
                count(l.parts.len())?;
                for part in &l.parts {
                    file("parts", &part.file)?;
                    optional(&at("parts"), Some(&part.under).filter(|u| !u.is_empty()))?;
                }
                for list in &l.lists {
                    file("lists", &list.file)?;
                    optional(&at("lists"), list.path.as_ref())?;
                }
                if !l.names.is_empty() {
                    let names: Vec<String> = l.names.values().cloned().collect();
                    categories(&at("names"), &names, CATEGORIES_MAX)?;
                }
            }
            Self::Csv(l) => {
                count(l.parts.len())?;
                if !l.header && l.columns.is_empty() {
                    return Err(format!(
                        "{}: the table has no header, so name its columns",
                        at("columns")
                    ));
                }
                if !l.columns.is_empty() {
                    categories(&at("columns"), &l.columns, COLUMNS_MAX)?;
                }
                if !l.separator.is_ascii() || matches!(l.separator, '"' | '\n' | '\r') {
                    return Err(format!("{}: it is one plain character", at("separator")));
                }
                if l.skip > SKIP_MAX || l.parts.iter().any(|p| p.skip.is_some_and(|s| s > SKIP_MAX)) {
                    return Err(format!("{}: at most {SKIP_MAX} lines", at("skip")));
                }
                let mut to = HashSet::new();
                for part in &l.parts {
                    file("parts", &part.file)?;
                    optional(&at("parts"), part.path.as_ref())?;
                    target(&at("parts"), &part.to, &["csv"], &mut to)?;
                }
            }
            Self::Parquet(l) => {
                count(l.parts.len())?;
                let mut to = HashSet::new();
                for part in &l.parts {
                    file("parts", &part.file)?;
                    target(&at("parts"), &part.to, &["parquet"], &mut to)?;
                }
            }
        }
        Ok(())
    }
}

/// Names that differ.
fn categories(field: &str, names: &[String], max: usize) -> Result<(), String> {
    if names.is_empty() || names.len() > max {
        return Err(format!("{field}: there are 1 to {max} of them"));
    }
    let mut seen = HashSet::new();
    for name in names {
        let name = validate::name("category", name).map_err(|e| format!("{field}: {e}"))?;
        if !seen.insert(validate::name_key(&name)) {
            return Err(format!("{field}: `{name}` stands there twice"));
        }
    }
    Ok(())
}

fn path(field: &str, text: &str) -> Result<(), String> {
    match validate::item_name(text) {
        Ok(same) if same == text => Ok(()),
        Ok(_) => Err(format!("{field}: `{text}` has backslashes; write slashes")),
        Err(e) => Err(format!("{field}: {e}")),
    }
}

fn optional(field: &str, text: Option<&String>) -> Result<(), String> {
    text.map_or(Ok(()), |t| path(field, t))
}

/// A path in the dataset, that no other part has.
fn target(field: &str, to: &str, extensions: &[&str], seen: &mut HashSet<String>) -> Result<(), String> {
    path(field, to)?;
    let extension = to.rsplit_once('.').map_or("", |(_, e)| e);
    if !extensions.contains(&extension) {
        return Err(format!(
            "{field}: `{to}` does not end with .{}",
            extensions.join(" or .")
        ));
    }
    if !seen.insert(validate::name_key(to)) {
        return Err(format!("{field}: two parts go to `{to}`"));
    }
    Ok(())
}
