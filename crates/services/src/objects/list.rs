//! Lists of objects.

use super::Objects;
use crate::versions::files::root;
use crate::versions::nodes::DbNodes;
use crate::{Actor, Error, Result, cursor};
use limn_domain::dataset::{Download, METADATA_FILE, Version};
use limn_domain::{Digest, Timestamp};
use limn_store::repo;
use limn_versions::{From, Reader, key};

const CURSOR: &str = "objects";
/// Between the name of a version and a key, in neither of which it can be.
const BETWEEN: char = '\u{1f}';
/// Before all keys, behind the metadata.
const BEFORE_KEYS: &str = "\u{1}";
/// Stands behind whatever begins with the text before it.
const LAST: char = '\u{10ffff}';

/// An object of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub key: String,
    pub bytes: i64,
    /// Without quotes.
    pub etag: String,
    pub created_at: Timestamp,
}

/// A page of a list, in the order of keys regardless of case.
#[derive(Debug, Clone, Default)]
pub struct Listed {
    pub objects: Vec<Found>,
    /// What keys have in common up to the delimiter.
    pub prefixes: Vec<String>,
    /// Goes on behind this page.
    pub next: Option<String>,
}

impl Listed {
    fn len(&self) -> usize {
        self.objects.len() + self.prefixes.len()
    }
}

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Asked<'a> {
    pub prefix: &'a str,
    /// Keys are cut behind the first `/` after the prefix.
    pub folders: bool,
    /// `next` of the page before.
    pub token: Option<&'a str>,
    /// Only keys behind this one.
    pub after: Option<&'a str>,
    pub limit: usize,
}

impl Objects {
    /// The objects of a bucket whose keys begin with a prefix.
    pub async fn list(&self, actor: &Actor, bucket: &str, asked: &Asked<'_>) -> Result<Listed> {
        let token = asked.token.map(|t| cursor::decode(CURSOR, t)).transpose()?;
        let token = token
            .as_deref()
            .map(|t| {
                t.split_once(BETWEEN)
                    .ok_or_else(|| Error::field("continuation-token", "This token is not one of this list."))
            })
            .transpose()?;
        let place = self.place(actor, bucket).await?;
        let mut listed = Listed::default();
        if let Some(version) = place.version {
            let after = match token {
                Some((_, key)) => Some(key.to_owned()),
                None => asked.after.map(key),
            };
            let inside = Inside {
                version: &version,
                at: "",
                prefix: asked.prefix,
                after,
            };
            self.fill(&inside, asked, &mut listed).await?;
            return Ok(listed);
        }
        for (name, version) in self.names(actor, place.dataset.id, asked.prefix).await? {
            let top = format!("{name}/");
            let inside = asked.prefix.strip_prefix(&top);
            if inside.is_none() && !top.starts_with(asked.prefix) {
                continue;
            }
            let after = match (token, asked.after) {
                (Some((at, _)), _) if name.as_str() < at => continue,
                (Some((at, key)), _) if name == at => Some(key.to_owned()),
                (None, Some(after)) => match after.strip_prefix(&top) {
                    Some(rest) => Some(key(rest)),
                    None if top.as_str() <= after => continue,
                    None => None,
                },
                _ => None,
            };
            if asked.folders && inside.is_none() {
                // Asked for from behind this one.
                if after.is_some() {
                    continue;
                }
                if listed.len() == asked.limit {
                    let last = listed.prefixes.last().map_or("", |p| p.trim_end_matches('/'));
                    listed.next = Some(cursor::encode(CURSOR, &format!("{last}{BETWEEN}{LAST}")));
                    return Ok(listed);
                }
                listed.prefixes.push(top);
                continue;
            }
            let inside = Inside {
                version: &version,
                at: &top,
                prefix: inside.unwrap_or_default(),
                after,
            };
            if !self.fill(&inside, asked, &mut listed).await? {
                return Ok(listed);
            }
        }
        Ok(listed)
    }

    /// Adds what lies in a version. False when the page is full.
    async fn fill(&self, inside: &Inside<'_>, asked: &Asked<'_>, listed: &mut Listed) -> Result<bool> {
        let mut tx = self.0.db.read().await?;
        let files = root(&mut tx, inside.version).await?.files;
        let sums = repo::checksum::list(&mut tx, inside.version.id).await?;
        let sum = sums
            .into_iter()
            .find(|(w, _)| *w == Download::Metadata)
            .map(|(_, s)| s);
        let mut nodes = DbNodes::new(&mut tx);
        let name = inside.at.trim_end_matches('/');
        let full = |listed: &mut Listed, last: &str| {
            listed.next = Some(cursor::encode(CURSOR, &format!("{name}{BETWEEN}{last}")));
            Ok(false)
        };
        // The metadata comes before the files, which may have one of that name.
        let mut last = String::new();
        if inside.after.as_deref().unwrap_or_default().is_empty()
            && METADATA_FILE.starts_with(inside.prefix)
            && let Some(sum) = sum
            && Reader::find(&mut nodes, &files, METADATA_FILE).await?.is_none()
        {
            if listed.len() == asked.limit {
                return full(listed, "");
            }
            listed.objects.push(Found {
                key: format!("{}{METADATA_FILE}", inside.at),
                bytes: sum.bytes,
                etag: format!("{}-metadata", inside.version.digest),
                created_at: inside.version.created_at,
            });
            BEFORE_KEYS.clone_into(&mut last);
        }
        let prefix = key(inside.prefix);
        let from = match inside.after.as_deref() {
            Some(after) if after >= prefix.as_str() => From::After(after),
            _ => From::At(&prefix),
        };
        let mut reader = Reader::open(&mut nodes, &files, from).await?;
        while let Some(entry) = reader.next(&mut nodes).await? {
            let at = entry.key();
            let Some(rest) = at.strip_prefix(&prefix) else {
                break;
            };
            if listed.len() == asked.limit {
                return full(listed, &last);
            }
            match rest.split_once('/') {
                Some((folder, _)) if asked.folders => {
                    // Lower case may have another length; the parts are the same ones.
                    let parts = prefix.matches('/').count() + 1;
                    let shown: Vec<&str> = entry.path.split('/').take(parts).collect();
                    listed.prefixes.push(format!("{}{}/", inside.at, shown.join("/")));
                    last = format!("{prefix}{folder}/{LAST}");
                    // The character behind `/`: the first key that is not in the folder.
                    let behind = format!("{prefix}{folder}0");
                    reader = Reader::open(&mut nodes, &files, From::At(&behind)).await?;
                }
                _ => {
                    listed.objects.push(Found {
                        key: format!("{}{}", inside.at, entry.path),
                        bytes: i64::try_from(entry.size).unwrap_or(i64::MAX),
                        etag: Digest::from(entry.blob).to_string(),
                        created_at: inside.version.created_at,
                    });
                    last = at;
                }
            }
        }
        Ok(true)
    }
}

/// What of a version is listed.
struct Inside<'a> {
    version: &'a Version,
    /// Stands before each path.
    at: &'a str,
    prefix: &'a str,
    /// A key of the version's tree; empty is before all, the metadata too.
    after: Option<String>,
}
