//! The files of a store that a pattern names.

use crate::datastores::connect::Live;
use limn_connect::{ConnectError, Entry, Walk};
use limn_domain::datastore::glob_folder;
use limn_jobs::Permanent;
use limn_versions::Glob;

/// Most files of one pattern, and most that are looked at for it.
const MATCHES_MAX: u64 = 1_000_000;
const SEEN_MAX: u64 = 5_000_000;

/// Walks through what a pattern names, page by page.
pub(crate) struct Matching<'a> {
    live: &'a Live,
    walk: Walk<'a>,
    glob: Option<Glob>,
    pattern: String,
    seen: u64,
    matched: u64,
    single: Option<String>,
}

/// Whether a path is what a pattern without stars names: the file, or something in the folder.
pub(crate) fn fits(pattern: &str, path: &str) -> bool {
    path == pattern
        || path
            .strip_prefix(pattern)
            .is_some_and(|rest| rest.starts_with('/'))
}

impl<'a> Matching<'a> {
    pub fn new(live: &'a Live, pattern: &str) -> anyhow::Result<Self> {
        let files = live.opened.files()?;
        let has_stars = pattern.contains(['*', '?']);
        let glob = if has_stars {
            Some(Glob::new(pattern).map_err(Permanent)?)
        } else {
            None
        };
        Ok(Self {
            live,
            walk: Walk::new(files, glob_folder(pattern)),
            glob,
            pattern: pattern.to_owned(),
            seen: 0,
            matched: 0,
            single: (!has_stars).then(|| pattern.to_owned()),
        })
    }

    /// The next files that match; `None` at the end. May be empty in between, so that whoever walks can stop.
    pub async fn next(&mut self) -> anyhow::Result<Option<Vec<Entry>>> {
        let page = match self.walk.next().await {
            Ok(Some(page)) => page,
            Ok(None) => return self.alone(Vec::new()).await,
            // No folder: a file may be meant.
            Err(ConnectError::NotFound(_)) if self.single.is_some() => {
                return self.alone(Vec::new()).await;
            }
            // A folder that a pattern begins in and that is not there: nothing matches. (A store that is not there has
            // no folder in question.)
            Err(ConnectError::NotFound(_)) if !glob_folder(&self.pattern).is_empty() => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        self.seen += page.len() as u64;
        if self.seen > SEEN_MAX {
            return Err(self.too_many(SEEN_MAX, "files are looked at for").into());
        }
        let page: Vec<Entry> = page
            .into_iter()
            .filter(|e| match &self.glob {
                Some(glob) => glob.matches(&e.path),
                None => fits(&self.pattern, &e.path),
            })
            .collect();
        self.matched += page.len() as u64;
        if self.matched > MATCHES_MAX {
            return Err(self.too_many(MATCHES_MAX, "files match").into());
        }
        Ok(Some(page))
    }

    /// The file that a pattern without stars may name itself.
    async fn alone(&mut self, mut out: Vec<Entry>) -> anyhow::Result<Option<Vec<Entry>>> {
        let Some(path) = self.single.take().filter(|_| self.matched == 0) else {
            return Ok(None);
        };
        match self.live.opened.files()?.stat(&path).await {
            Ok(entry) if !entry.is_folder => out.push(entry),
            Ok(_) | Err(ConnectError::NotFound(_)) => return Ok(None),
            Err(e) => return Err(e.into()),
        }
        self.matched += 1;
        Ok(Some(out))
    }

    fn too_many(&self, most: u64, what: &str) -> Permanent {
        Permanent(format!(
            "More than {most} {what} `{}` in “{}”. Name a folder further down, or split it into several patterns.",
            self.pattern, self.live.name
        ))
    }

    /// Says that nothing matched.
    pub fn nothing(&self) -> String {
        format!(
            "Nothing in “{}” matches `{}` ({} files were looked at). Browse the datastore to see its paths; `**` goes \
             through folders, `*` does not.",
            self.live.name, self.pattern, self.seen
        )
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_plain_path_is_a_file_or_a_folder() {
        assert!(fits("a/b", "a/b"));
        assert!(fits("a/b", "a/b/c.png"));
        assert!(!fits("a/b", "a/bc.png"));
    }
}
