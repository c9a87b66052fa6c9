//! Stores of files: what each connector can do, and walking through one.

use crate::{ConnectError, Result};
use bytes::Bytes;
use futures::stream::BoxStream;
use std::collections::{BTreeMap, VecDeque};

/// Entries of a page.
pub const PAGE: usize = 1_000;
/// Most folders that wait to be looked into while walking.
const FOLDERS_MAX: usize = 1_000_000;
/// Most answers of one walk: a store may make up folders, and pages of nothing, for ever.
const ANSWERS_MAX: usize = 2_000_000;

/// A file or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// From the root of the store, without a slash at either end.
    pub path: String,
    pub is_folder: bool,
    /// Bytes, where the store says.
    pub size: Option<u64>,
    /// Seconds since 1970, where the store says.
    pub modified: Option<i64>,
    /// Changes when the content does: an ETag, or the time of the last change with the size. Empty when the store does not
    /// say.
    pub tag: String,
}

impl Entry {
    pub fn folder(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            is_folder: true,
            size: None,
            modified: None,
            tag: String::new(),
        }
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    pub entries: Vec<Entry>,
    pub next: Option<String>,
}

/// A file being read.
pub struct Reading {
    /// What the store says of what it sends.
    pub entry: Entry,
    /// What the store says of the file, as [`Files::stat`] does, now that all of `body` has been read out of it; `None` where nobody has
    /// asked.
    pub after: Option<Entry>,
    pub body: BoxStream<'static, Result<Bytes>>,
}

/// A store of files, read-only.
#[async_trait::async_trait]
pub trait Files: Send + Sync {
    /// What is in a folder (`""`: the root), a page at a time. Folders come as entries, and also as the beginnings of the
    /// paths of files where the store has no folders.
    async fn list(&self, folder: &str, page: Option<&str>) -> Result<Listing>;

    /// All files below a folder, a page at a time, where the store can do that in one go.
    async fn list_deep(&self, _folder: &str, _page: Option<&str>) -> Option<Result<Listing>> {
        None
    }

    /// One file.
    async fn stat(&self, path: &str) -> Result<Entry>;

    /// The bytes of a file from `from` on.
    async fn read(&self, path: &str, from: u64) -> Result<Reading>;

    /// What a look at the store shows, for people. Errors say what is wrong.
    async fn test(&self) -> Result<String> {
        Ok(summary(&self.list("", None).await?))
    }

    /// Settings that a look has worked out, to be kept.
    fn learned(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

/// What the top of a store shows, for people.
pub(crate) fn summary(first: &Listing) -> String {
    match (first.entries.as_slice(), &first.next) {
        ([], _) => "The connection works. There is nothing in it yet.".to_owned(),
        ([one], None) => format!("The connection works: it holds `{}`.", one.path),
        (all, None) => format!(
            "The connection works: {} entries at the top, such as `{}`.",
            all.len(),
            all[0].path
        ),
        (all, Some(_)) => {
            format!(
                "The connection works: more than {} entries at the top, such as `{}`.",
                all.len(),
                all[0].path
            )
        }
    }
}

/// Goes through all files below a folder, page by page.
pub struct Walk<'a> {
    store: &'a dyn Files,
    deep: Option<String>,
    waiting: VecDeque<String>,
    /// The list under way: its folder, and the page to ask for next.
    now: Option<(String, Option<String>)>,
    started: bool,
    answers: usize,
}

impl<'a> Walk<'a> {
    pub fn new(store: &'a dyn Files, folder: &str) -> Self {
        Self {
            store,
            deep: Some(folder.to_owned()),
            waiting: VecDeque::from([folder.to_owned()]),
            now: None,
            started: false,
            answers: 0,
        }
    }

    /// The next files; `None` at the end. May be empty in between.
    pub async fn next(&mut self) -> Result<Option<Vec<Entry>>> {
        self.answers += 1;
        if self.answers > ANSWERS_MAX {
            return Err(ConnectError::TooMuch(format!(
                "There are more than {ANSWERS_MAX} folders and pages of lists; name a folder further down."
            )));
        }
        if let Some(folder) = self.deep.clone() {
            let page = self.now.as_ref().and_then(|(_, page)| page.clone());
            if self.started && page.is_none() {
                return Ok(None);
            }
            if let Some(listing) = self.store.list_deep(&folder, page.as_deref()).await {
                let listing = listing?;
                self.started = true;
                if page.is_some() && page == listing.next {
                    return Err(ConnectError::Wrong(
                        "The store answers the same page again and again.".to_owned(),
                    ));
                }
                self.now = Some((folder, listing.next));
                return Ok(Some(listing.entries));
            }
            self.deep = None;
        }
        let (folder, page) = match self.now.take() {
            Some(now) => now,
            None => match self.waiting.pop_front() {
                Some(folder) => (folder, None),
                None => return Ok(None),
            },
        };
        let listing = match self.store.list(&folder, page.as_deref()).await {
            Ok(listing) => listing,
            // A folder that went while its neighbours were looked at.
            Err(ConnectError::NotFound(_)) if self.started => Listing::default(),
            Err(e) => return Err(e),
        };
        self.started = true;
        if listing.next.is_some() {
            if page == listing.next {
                return Err(ConnectError::Wrong(
                    "The store answers the same page again and again.".to_owned(),
                ));
            }
            self.now = Some((folder.clone(), listing.next));
        }
        // Only downwards: a store that names the folder itself, or another one, would be walked in circles.
        let below = |e: &Entry| {
            folder.is_empty()
                || e.path
                    .strip_prefix(folder.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        let (folders, files): (Vec<Entry>, Vec<Entry>) = listing
            .entries
            .into_iter()
            .filter(|e| !e.path.is_empty() && below(e))
            .partition(|e| e.is_folder);
        self.waiting.extend(folders.into_iter().map(|f| f.path));
        if self.waiting.len() > FOLDERS_MAX {
            return Err(ConnectError::TooMuch(format!(
                "There are more than {FOLDERS_MAX} folders; name one further down."
            )));
        }
        Ok(Some(files))
    }
}

/// Whether a name of a store can be a path here; what leads out, or cannot be written, is passed over.
pub(crate) fn is_plain(path: &str) -> bool {
    !path.is_empty()
        && path.len() <= 1_024
        && !path.chars().any(char::is_control)
        && path.split('/').all(|p| !matches!(p, "" | "." | ".."))
}

#[async_trait::async_trait]
impl<T: Files + ?Sized> Files for std::sync::Arc<T> {
    async fn list(&self, folder: &str, page: Option<&str>) -> Result<Listing> {
        (**self).list(folder, page).await
    }

    async fn list_deep(&self, folder: &str, page: Option<&str>) -> Option<Result<Listing>> {
        (**self).list_deep(folder, page).await
    }

    async fn stat(&self, path: &str) -> Result<Entry> {
        (**self).stat(path).await
    }

    async fn read(&self, path: &str, from: u64) -> Result<Reading> {
        (**self).read(path, from).await
    }

    fn learned(&self) -> BTreeMap<String, String> {
        (**self).learned()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// Says of every folder that it holds these.
    struct Circle(Vec<&'static str>);

    #[async_trait::async_trait]
    impl Files for Circle {
        async fn list(&self, _folder: &str, _page: Option<&str>) -> Result<Listing> {
            Ok(Listing {
                entries: self.0.iter().map(|p| Entry::folder(*p)).collect(),
                next: None,
            })
        }

        async fn stat(&self, path: &str) -> Result<Entry> {
            Ok(Entry::folder(path))
        }

        async fn read(&self, path: &str, _from: u64) -> Result<Reading> {
            Err(ConnectError::NotFound(path.to_owned()))
        }
    }

    #[tokio::test]
    async fn a_walk_goes_downwards_alone() {
        for circle in [&["a", "b"][..], &["", "a"], &["a", "a/b", "a/b/c"]] {
            let store = Circle(circle.to_vec());
            let mut walk = Walk::new(&store, "");
            let mut answers = 0;
            while walk.next().await.unwrap().is_some() {
                answers += 1;
                assert!(answers < 100, "{circle:?}");
            }
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_no_paths() {
        for bad in ["", "/a", "a/", "..", "a/../b", "./a", "a//b", "a\0b", "a\nb"] {
            assert!(!is_plain(bad), "{bad:?}");
        }
        assert!(!is_plain(&"a".repeat(1_025)));
        assert!(is_plain("a b/..c/d..") && is_plain("ü/x.png"));
    }
}
