//! Data Lake Gen2: a file system with folders of its own, listed in JSON.

use super::Account;
use crate::files::{Entry, Files, Listing, PAGE, Reading, is_plain};
use crate::http::{host, text};
use crate::xml::seconds;
use crate::{ConnectError, Result};
use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;

pub struct Lake(pub Account);

/// "Path - List" of the documents of Data Lake Storage Gen2.
#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    paths: Vec<Found>,
}

/// Numbers and truth come as texts, from some stand-ins as what they are.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    name: String,
    #[serde(default)]
    is_directory: Value,
    #[serde(default)]
    content_length: Value,
    #[serde(default)]
    last_modified: String,
    #[serde(default)]
    etag: String,
    /// The same as the documents write it.
    #[serde(default, rename = "eTag")]
    documented_etag: String,
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl Lake {
    async fn page(&self, folder: &str, page: Option<&str>, deep: bool) -> Result<Listing> {
        let directory = self.0.whole(folder);
        let size = PAGE.to_string();
        let mut query = vec![
            ("resource", "filesystem"),
            ("recursive", if deep { "true" } else { "false" }),
            ("maxResults", &size),
        ];
        if !directory.is_empty() {
            query.push(("directory", &directory));
        }
        if let Some(page) = page {
            query.push(("continuation", page));
        }
        let url = self.0.url("", &query);
        let response = self.0.ask(Method::GET, url.clone(), 0).await?;
        if !response.status().is_success() {
            let e = self.0.failure(&url, &response, None);
            return Err(match e {
                ConnectError::NotFound(_) if is_no_path(&response) => ConnectError::NotFound(format!(
                    "There is no folder `{directory}` in the file system `{}`.",
                    self.0.root
                )),
                e => e,
            });
        }
        let next = response
            .headers()
            .get("x-ms-continuation")
            .and_then(|v| v.to_str().ok())
            .filter(|v| !v.is_empty())
            .map(str::to_owned);
        let text = text(&url, response).await?;
        let found: Page = serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|_| {
            ConnectError::Wrong(format!(
                "{} answered something that is no list of a file system; check the endpoint.",
                host(&url)
            ))
        })?;
        Ok(Listing {
            entries: self.entries(found, deep),
            next,
        })
    }

    fn entries(&self, page: Page, deep: bool) -> Vec<Entry> {
        let own = if self.0.prefix.is_empty() {
            String::new()
        } else {
            format!("{}/", self.0.prefix)
        };
        let mut entries = Vec::with_capacity(page.paths.len());
        for found in page.paths {
            let is_folder = plain(&found.is_directory).eq_ignore_ascii_case("true");
            let path = match found.name.strip_prefix(&own) {
                // All files below are listed by themselves.
                Some(path) if is_plain(path) && !(is_folder && deep) => path,
                _ => continue,
            };
            if is_folder {
                entries.push(Entry::folder(path));
                continue;
            }
            entries.push(Entry {
                path: path.to_owned(),
                is_folder,
                size: plain(&found.content_length).parse().ok(),
                modified: seconds(&found.last_modified),
                tag: [&found.etag, &found.documented_etag]
                    .map(|tag| tag.trim_matches('"'))
                    .concat(),
            });
        }
        entries
    }
}

fn is_no_path(response: &reqwest::Response) -> bool {
    response
        .headers()
        .get("x-ms-error-code")
        .is_some_and(|code| code == "PathNotFound")
}

#[async_trait::async_trait]
impl Files for Lake {
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::Guard;
    use crate::azure::{Auth, Service};
    use crate::http::Http;

    #[test]
    fn lists_are_read_as_the_service_and_as_the_documents_write_them() {
        let lake = Lake(Account {
            http: Http::new(Guard::default()).unwrap(),
            endpoint: "http://lake.example".parse().unwrap(),
            account: "street".to_owned(),
            service: Service::Lake,
            root: "photos".to_owned(),
            prefix: "in".to_owned(),
            auth: Auth::Nobody,
        });
        let page = |text: &str| lake.entries(serde_json::from_str(text).unwrap(), false);
        let both = [
            r#"{"paths": [{"name": "in/a.jpg", "contentLength": "7", "etag": "\"0x8D1\"", "lastModified": "Mon, 01 Jan 2024 00:00:00 GMT"}]}"#,
            r#"{"paths": [{"name": "in/a.jpg", "contentLength": 7, "eTag": "0x8D1", "lastModified": "Mon, 01 Jan 2024 00:00:00 GMT", "isDirectory": false}]}"#,
        ];
        for text in both {
            let found = page(text);
            assert_eq!((found[0].path.as_str(), found[0].size), ("a.jpg", Some(7)));
            assert_eq!(
                (found[0].tag.as_str(), found[0].modified),
                ("0x8D1", Some(1_704_067_200))
            );
        }
        let folders = page(
            r#"{"paths": [{"name": "in/b", "isDirectory": "true"}, {"name": "out/c"}, {"name": "in/../d"}]}"#,
        );
        assert_eq!(folders, [Entry::folder("b")]);
    }
}
