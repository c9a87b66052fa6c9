//! The small objects a version names beside its nodes, each in one canonical form: equal content, equal bytes.

use crate::Hash;
use limn_domain::dataset::DatasetKind;
use limn_domain::project::Task;
use limn_domain::{Attribute, Attributes, Shape, Skeleton, Source};
use serde::{Deserialize, Serialize};

/// What is said of one file. Labels stand in drawing order and refer to each other by place, so that the ids they had
/// where they were drawn do not matter.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// Of the file as a whole.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub about: Attributes,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Label>,
}

impl Labels {
    pub fn is_empty(&self) -> bool {
        self.about.is_empty() && self.labels.is_empty()
    }
}

/// One label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// Path of its category in the version's [`Schema`].
    pub category: String,
    pub shape: Shape,
    #[serde(default, skip_serializing_if = "is_human")]
    pub source: Source,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// Labels with the same number belong together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<u32>,
    /// To which label, by its place in the list, and what it says; sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relations: Vec<(u32, String)>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_human(s: &Source) -> bool {
    *s == Source::Human
}

/// What the labels of a version can say.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// By id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<Category>,
    /// What is said of files as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute>,
    /// What relations can say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relations: Vec<String>,
}

impl Schema {
    /// The category of a path.
    pub fn category(&self, path: &str) -> Option<&Category> {
        self.categories.iter().find(|c| c.path == path)
    }
}

/// A category of a version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Category {
    /// Its name behind those of the categories above, apart by slashes; see [`step`].
    pub path: String,
    /// The id in exported files.
    pub id: i64,
    /// `#rrggbb`.
    pub color: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skeleton: Option<Skeleton>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute>,
}

impl Category {
    /// The name as people read it.
    pub fn name(&self) -> String {
        let last = self.path.rsplit('/').next().unwrap_or(&self.path);
        last.replace("~1", "/").replace("~0", "~")
    }

    /// Path of the category above.
    pub fn parent(&self) -> Option<&str> {
        self.path.rsplit_once('/').map(|(above, _)| above)
    }
}

/// A name as part of a path: `~` and `/` are written `~0` and `~1`, as in JSON pointers.
pub fn step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// What a version is: its digest names the version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Root {
    /// Of this format.
    pub limn: u32,
    pub kind: DatasetKind,
    /// Root of the tree of files.
    pub files: Hash,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Hash>,
}

/// The format that [`Root::limn`] says.
pub const FORMAT: u32 = 1;

/// The bytes of an object and their digest.
pub fn encode<T: Serialize>(object: &T) -> (Hash, Vec<u8>) {
    // Plain data with text keys always becomes JSON.
    let bytes = serde_json::to_vec(object).unwrap_or_default();
    (Hash::of(&bytes), bytes)
}

impl Labels {
    /// Labels by the path of their category.
    pub fn counts(&self) -> std::collections::BTreeMap<String, u32> {
        let mut counts = std::collections::BTreeMap::new();
        for label in &self.labels {
            *counts.entry(label.category.clone()).or_insert(0) += 1;
        }
        counts
    }
}

/// Ids for things a version has no ids for: always the same for the same thing.
pub mod derived {
    use crate::Hash;
    use limn_domain::{AnnotationId, CategoryId, GroupId, ItemId};
    use uuid::Uuid;

    /// An RFC 9562 UUID of version 8 (custom) from a digest of the parts.
    fn id(parts: &[&[u8]]) -> Uuid {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        bytes[6] = (bytes[6] & 0x0f) | 0x80;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Uuid::from_bytes(bytes)
    }

    pub fn category(path: &str) -> CategoryId {
        CategoryId(id(&[b"category", path.as_bytes()]))
    }

    pub fn item(path: &str) -> ItemId {
        ItemId(id(&[b"item", path.as_bytes()]))
    }

    /// The label at a place of the labels with this digest, on the file of this path.
    pub fn annotation(path: &str, labels: &Hash, place: usize) -> AnnotationId {
        AnnotationId(id(&[
            b"annotation",
            path.as_bytes(),
            labels.bytes(),
            &(place as u64).to_le_bytes(),
        ]))
    }

    pub fn group(path: &str, labels: &Hash, number: u32) -> GroupId {
        GroupId(id(&[
            b"group",
            path.as_bytes(),
            labels.bytes(),
            &number.to_le_bytes(),
        ]))
    }
}
