//! File shares, as they are also mounted by SMB: listed folder by folder.

use super::Account;
use crate::files::{Entry, Files, Listing, PAGE, Reading, is_plain};
use crate::http::{host, text};
use crate::xml::{Step, each, first, seconds, steps};
use crate::{ConnectError, Result};
use reqwest::{Method, StatusCode};

pub struct Share(pub Account);

impl Share {
    /// "List Directories and Files" of the documents of Azure Files.
    async fn page(&self, folder: &str, page: Option<&str>) -> Result<Listing> {
        let directory = self.0.whole(folder);
        let size = PAGE.to_string();
        let mut query = vec![
            ("restype", "directory"),
            ("comp", "list"),
            ("maxresults", &size),
            // Without them a list tells no content from another of the same size.
            ("include", "Timestamps,Etag"),
        ];
        if let Some(page) = page {
            query.push(("marker", page));
        }
        let url = self.0.url(&directory, &query);
        let response = self.0.ask(Method::GET, url.clone(), 0).await?;
        if !response.status().is_success() {
            let missing = response.status() == StatusCode::NOT_FOUND;
            let e = self.0.failure(&url, &response, None);
            return Err(match e {
                ConnectError::NotFound(_) if missing && !directory.is_empty() && !is_no_share(&response) => {
                    ConnectError::NotFound(format!(
                        "There is no folder `{directory}` in the file share `{}`.",
                        self.0.root
                    ))
                }
                e => e,
            });
        }
        let text = text(&url, response).await?;
        let steps = steps(text.trim_start_matches('\u{feff}'), &host(&url))?;
        let folders = each(&steps, "Directory");
        let folders = folders.into_iter().filter_map(|f| inside(folder, f));
        let mut entries: Vec<Entry> = folders.map(Entry::folder).collect();
        entries.extend(each(&steps, "File").into_iter().filter_map(|file| {
            Some(Entry {
                path: inside(folder, file)?,
                is_folder: false,
                size: first(file, "Content-Length").and_then(|s| s.parse().ok()),
                modified: first(file, "Last-Modified").and_then(seconds),
                tag: first(file, "Etag")
                    .unwrap_or_default()
                    .trim_matches('"')
                    .to_owned(),
            })
        }));
        let next = first(&steps, "NextMarker")
            .filter(|m| !m.is_empty())
            .map(str::to_owned);
        Ok(Listing { entries, next })
    }
}

/// The path of an entry of a folder.
fn inside(folder: &str, entry: &[Step]) -> Option<String> {
    let name = first(entry, "Name").filter(|n| is_plain(n) && !n.contains('/'))?;
    let path = if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    };
    is_plain(&path).then_some(path)
}

fn is_no_share(response: &reqwest::Response) -> bool {
    response
        .headers()
        .get("x-ms-error-code")
        .is_some_and(|code| code == "ShareNotFound")
}

#[async_trait::async_trait]
impl Files for Share {
    async fn list(&self, folder: &str, page: Option<&str>) -> Result<Listing> {
        self.page(folder, page).await
    }

    async fn stat(&self, path: &str) -> Result<Entry> {
        self.0.stat(path).await
    }

    async fn read(&self, path: &str, from: u64) -> Result<Reading> {
        self.0.read(path, from).await
    }
}
