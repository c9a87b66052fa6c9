//! Blobs: folders are the beginnings of names.

use super::Account;
use crate::Result;
use crate::files::{Entry, Files, Listing, PAGE, Reading, is_plain};
use crate::http::{host, text};
use crate::xml::{each, first, seconds, steps};
use reqwest::Method;

pub struct Blobs(pub Account);

impl Blobs {
    async fn page(&self, folder: &str, page: Option<&str>, deep: bool) -> Result<Listing> {
        let mut prefix = self.0.whole(folder);
        if !prefix.is_empty() {
            prefix.push('/');
        }
        let size = PAGE.to_string();
        let mut query = vec![("restype", "container"), ("comp", "list"), ("maxresults", &size)];
        if !prefix.is_empty() {
            query.push(("prefix", &prefix));
        }
        if !deep {
            query.push(("delimiter", "/"));
        }
        if let Some(page) = page {
            query.push(("marker", page));
        }
        let url = self.0.url("", &query);
        let response = self.0.ask(Method::GET, url.clone(), 0).await?;
        if !response.status().is_success() {
            return Err(self.0.failure(&url, &response, None));
        }
        let text = text(&url, response).await?;
        let steps = steps(text.trim_start_matches('\u{feff}'), &host(&url))?;
        let own = if self.0.prefix.is_empty() {
            String::new()
        } else {
            format!("{}/", self.0.prefix)
        };
        let mut entries = Vec::new();
        for blob in each(&steps, "Blob") {
            let Some(path) = first(blob, "Name").and_then(|k| k.strip_prefix(&own)) else {
                continue;
            };
            // Data Lake lists its folders as empty blobs.
            if !is_plain(path) || first(blob, "ResourceType") == Some("directory") {
                continue;
            }
            entries.push(Entry {
                path: path.to_owned(),
                is_folder: false,
                size: first(blob, "Content-Length").and_then(|s| s.parse().ok()),
                modified: first(blob, "Last-Modified").and_then(seconds),
                tag: first(blob, "Etag")
                    .unwrap_or_default()
                    .trim_matches('"')
                    .to_owned(),
            });
        }
        for folder in each(&steps, "BlobPrefix") {
            let path = first(folder, "Name")
                .and_then(|k| k.strip_prefix(&own))
                .map(|k| k.trim_end_matches('/'));
            entries.extend(path.filter(|p| is_plain(p)).map(Entry::folder));
        }
        let next = first(&steps, "NextMarker")
            .filter(|m| !m.is_empty())
            .map(str::to_owned);
        Ok(Listing { entries, next })
    }
}

#[async_trait::async_trait]
impl Files for Blobs {
    async fn list(&self, folder: &str, page: Option<&str>) -> Result<Listing> {
        self.page(folder, page, false).await
    }

    async fn list_deep(&self, folder: &str, page: Option<&str>) -> Option<Result<Listing>> {
        Some(self.page(folder, page, true).await)
    }

    async fn stat(&self, path: &str) -> Result<Entry> {
        self.0.stat(path).await
    }

    async fn read(&self, path: &str, from: u64) -> Result<Reading> {
        self.0.read(path, from).await
    }
}
