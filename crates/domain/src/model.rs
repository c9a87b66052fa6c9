//! Registered models, their versions and aliases.

use crate::run::{ArtifactEntry, Tags};
use crate::{LoggedModelId, ModelId, ModelVersionId, RunId, Timestamp, VersionId};
use serde::{Deserialize, Serialize};

/// Longest name of a model, in bytes.
pub const NAME_MAX: usize = 256;
/// Longest alias.
pub const ALIAS_MAX: usize = 255;
/// Longest value of a tag of a model or version.
pub const TAG_MAX: usize = 100_000;
/// Longest description.
pub const DESCRIPTION_MAX: usize = 100_000;
/// The stages of old clients, in which a version is by its own word; aliases are what is asked for.
pub const STAGES: [&str; 4] = ["None", "Staging", "Production", "Archived"];

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelAlias {
    pub name: String,
    /// The version it points to.
    pub number: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RegisteredModel {
    pub id: ModelId,
    pub name: String,
    /// Markdown.
    pub description: String,
    /// The description as safe HTML; only where one model is asked for.
    #[serde(default)]
    pub description_html: String,
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::HashMap<String, String>))]
    pub tags: Tags,
    /// By name.
    pub aliases: Vec<ModelAlias>,
    pub versions: i64,
    pub latest_number: Option<i64>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelVersion {
    pub id: ModelVersionId,
    pub model_id: ModelId,
    pub model_name: String,
    pub number: i64,
    pub description: String,
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::HashMap<String, String>))]
    pub tags: Tags,
    /// What the client named as its origin.
    pub source: String,
    pub run_id: Option<RunId>,
    pub logged_model_id: Option<LoggedModelId>,
    /// The version of a dataset it was made from.
    pub dataset_version_id: Option<VersionId>,
    pub run_link: String,
    pub stage: String,
    pub aliases: Vec<String>,
    pub by_name: String,
    /// Its own files, and their bytes.
    pub files: i64,
    pub bytes: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A model that a search found, with the newest of the versions by which it did; none where the model itself is as wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundModel {
    pub model: RegisteredModel,
    pub versions: Vec<i64>,
}

/// What a search of people found, those first that changed last.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelsFound {
    pub rows: Vec<FoundModel>,
    pub total: i64,
    /// Why what looks like a filter was not taken as one.
    pub hint: Option<String>,
}

/// A move of an alias; without a number, its removal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelAliasMove {
    pub name: String,
    pub number: Option<i64>,
    pub by_name: String,
    pub at: Timestamp,
}

/// A version to register from what a run made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NewModelVersion {
    /// Of the model, which is made when it is not there.
    pub name: String,
    pub run_id: Option<RunId>,
    /// The folder of the run's files that becomes the version; empty for all of them.
    pub path: String,
    pub dataset_version_id: Option<VersionId>,
    pub description: String,
    pub tags: Tags,
}

/// A file of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelFile {
    #[serde(flatten)]
    pub entry: ArtifactEntry,
    /// BLAKE3 of its bytes.
    pub digest: Option<crate::Digest>,
    /// Whether it is a pickle, which runs whatever code it holds where it is loaded.
    pub is_pickle: bool,
}

/// Checks the name of a model. Errors: a sentence for people.
pub fn check_name(name: &str) -> Result<(), String> {
    if name.trim().is_empty() {
        return Err("Give the model a name.".to_owned());
    }
    if name.len() > NAME_MAX {
        return Err(format!(
            "A model's name has at most {NAME_MAX} bytes; shorten it."
        ));
    }
    if name.contains(['/', ':']) || name.chars().any(char::is_control) {
        return Err("A model's name has no `/`, no `:` and no control characters.".to_owned());
    }
    Ok(())
}

/// Checks an alias of a model. Errors: a sentence for people.
pub fn check_alias(alias: &str) -> Result<(), String> {
    let is_number = alias
        .strip_prefix(['v', 'V'])
        .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    if alias.is_empty() || alias.len() > ALIAS_MAX || !alias.chars().all(plain) {
        return Err(format!(
            "An alias has letters, digits, `_` and `-`, at most {ALIAS_MAX} of them."
        ));
    }
    if is_number || alias.eq_ignore_ascii_case("latest") {
        return Err(format!(
            "`{alias}` is no alias: it stands for a version by itself."
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_aliases() {
        assert!(check_name("Digits 2").is_ok());
        for bad in ["", " ", "a/b", "a:b", "a\n", &"x".repeat(257)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        for good in ["champion", "a-b_c", "v", "V1a", "öl"] {
            assert!(check_alias(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a b",
            "v1",
            "V23",
            "latest",
            "Latest",
            "a@b",
            &"x".repeat(256),
        ] {
            assert!(check_alias(bad).is_err(), "{bad}");
        }
    }
}
