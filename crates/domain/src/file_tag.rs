//! Tags that people put on files of a dataset. They belong to its paths, not to its versions: a tag is on a file in every
//! version that has the path, and no version's digest knows of it.

use crate::explore::ExploreFilter;
use crate::id::{DatasetId, FileTagId, TagChangeId};
use crate::validate;
use serde::{Deserialize, Serialize};

/// The facet of tags.
pub const FACET: &str = "tag";
/// Where one filters: files without any tag. No tag has this name.
pub const NO_TAG: &str = "none";
/// Longest name, in characters.
pub const TAG_NAME_MAX: usize = 60;
/// Tags of a dataset.
pub const TAGS_MAX: usize = 500;
/// Tags on one file.
pub const ON_FILE_MAX: usize = 50;
/// Tags on files of a dataset, counted one by one.
pub const PUT_MAX: i64 = 1_000_000;
/// Files and tags of one change.
pub const FILES_MAX: usize = 250_000;
pub const CHANGE_MAX: usize = 10;

/// A tag of a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FileTag {
    pub id: FileTagId,
    pub dataset_id: DatasetId,
    pub name: String,
    /// Paths that have it, of all versions.
    pub files: i64,
}

/// Which files of a version: those of `paths`, or all that pass when there are none.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TagScope {
    pub filter: ExploreFilter,
    pub paths: Vec<String>,
}

/// Tags to put on files and to take off them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangeTags {
    #[serde(flatten)]
    pub of: TagScope,
    /// Names; a tag that is not there is made. Case does not count.
    pub add: Vec<String>,
    /// Names; one that is not there is none of the files'.
    pub remove: Vec<String>,
}

/// A tag beside some files of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TagHere {
    pub id: FileTagId,
    pub name: String,
    /// Paths of the dataset that have it.
    pub files: i64,
    /// Of the files asked about, those that have it.
    pub here: i64,
}

/// The tags of a dataset beside some files of a version.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TagsHere {
    /// Files asked about.
    pub files: i64,
    /// By name.
    pub tags: Vec<TagHere>,
}

/// What came of a change of tags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TagChange {
    /// Names it, to undo it within an hour.
    pub id: TagChangeId,
    /// Files whose tags are others now.
    pub files: i64,
    /// The tags of the dataset now, by name.
    pub tags: Vec<FileTag>,
}

/// A change to undo; undone once more it is done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UndoTags {
    pub change_id: TagChangeId,
}

/// A tag's name, on one line with single spaces. Errors say what is wrong with it.
pub fn check_name(text: &str) -> Result<String, String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let name = validate::name("tag", &text)?;
    let n = name.chars().count();
    if n > TAG_NAME_MAX {
        return Err(format!(
            "The tag's name has {n} characters; {TAG_NAME_MAX} are the most."
        ));
    }
    if name.contains(',') {
        return Err(format!(
            "The tag “{name}” holds a comma; make two tags of it, or leave the comma out."
        ));
    }
    if validate::name_key(&name) == NO_TAG {
        return Err(format!(
            "“{name}” stands for files without a tag; choose another name."
        ));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tags_are_tidied() {
        assert_eq!(check_name("  night \t rain "), Ok("night rain".to_owned()));
        assert_eq!(
            check_name(&"ü".repeat(TAG_NAME_MAX)),
            Ok("ü".repeat(TAG_NAME_MAX))
        );
        for (bad, why) in [
            ("", "name"),
            ("a,b", "comma"),
            ("None", "without a tag"),
            ("a\u{202e}b", "control"),
            ("x".repeat(TAG_NAME_MAX + 1).as_str(), "61"),
        ] {
            let said = check_name(bad).expect_err(bad);
            assert!(said.contains(why), "{said}");
        }
    }

    #[test]
    fn a_change_reads_as_one_object() {
        let text = r#"{"filter":{"text":"a"},"add":["night"]}"#;
        let change: ChangeTags = serde_json::from_str(text).expect("it reads");
        assert_eq!((change.of.filter.text.as_str(), change.add.len()), ("a", 1));
        assert!(change.of.paths.is_empty() && change.remove.is_empty());
    }
}
