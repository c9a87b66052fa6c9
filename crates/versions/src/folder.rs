//! A folder of a version: what lies directly in it.

use crate::{Entry, From, Hash, Nodes, Reader};

/// Something in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inside {
    /// The last part of its path.
    Folder(String),
    File(Entry),
}

/// What lies in `folder` (empty: at the top), behind `after` (a key from an earlier answer), at most `limit`; and the
/// key to go on behind, when there is more. Each folder costs one way down the tree, whatever it holds.
pub async fn list<N: Nodes>(
    nodes: &mut N,
    root: &Hash,
    folder: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<(Vec<Inside>, Option<String>), N::Error> {
    let prefix = match crate::key(folder.trim_matches('/')) {
        p if p.is_empty() => p,
        p => format!("{p}/"),
    };
    let mut found = Vec::new();
    let mut reader = match after {
        Some(key) if key >= prefix.as_str() => Reader::open(nodes, root, From::After(key)).await?,
        _ => Reader::open(nodes, root, From::At(&prefix)).await?,
    };
    let mut last: Option<String> = None;
    while let Some(entry) = reader.next(nodes).await? {
        let key = entry.key();
        let Some(rest) = key.strip_prefix(&prefix) else {
            return Ok((found, None));
        };
        if found.len() == limit {
            return Ok((found, last));
        }
        if let Some((name, _)) = rest.split_once('/') {
            // Lower case may have another length; the parts are the same ones.
            let part = prefix.matches('/').count();
            let shown = entry.path.split('/').nth(part).unwrap_or(name).to_owned();
            found.push(Inside::Folder(shown));
            // The character behind `/`: the first key that is not in the folder.
            let behind = format!("{prefix}{name}0");
            last = Some(format!("{prefix}{name}/\u{10ffff}"));
            reader = Reader::open(nodes, root, From::At(&behind)).await?;
        } else {
            found.push(Inside::File(entry));
            last = Some(key);
        }
    }
    Ok((found, None))
}
