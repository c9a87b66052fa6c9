//! WebDAV: lists by PROPFIND, reads by GET.

use crate::files::{Entry, Files, Listing, Reading, is_plain};
use crate::http::{Ask, decode, encode_path, host, text};
use crate::site::{Site, failure};
use crate::xml::{Step, each, first, seconds, steps};
use crate::{ConnectError, Result};
use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode, Url};

const ASKED: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?><propfind xmlns=\"DAV:\"><prop><resourcetype/>\
                     <getcontentlength/><getlastmodified/><getetag/></prop></propfind>";

pub struct Webdav(pub Site);

impl Webdav {
    /// A folder with what is in it (depth 1), or a file alone (depth 0).
    async fn find(&self, path: &str, depth: &'static str) -> Result<Vec<Entry>> {
        let site = &self.0;
        let mut url = site.base.clone();
        let base = url.path().to_owned();
        let slash = if depth == "1" && !path.is_empty() { "/" } else { "" };
        url.set_path(&format!("{base}{}{slash}", encode_path(path)));
        let method = Method::from_bytes(b"PROPFIND").unwrap_or(Method::GET);
        let mut ask = Ask::new(method, url.clone());
        ask.follow = true;
        ask.headers
            .insert(HeaderName::from_static("depth"), HeaderValue::from_static(depth));
        ask.headers
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        if let Some(authorization) = &site.authorization {
            ask.headers.insert(AUTHORIZATION, authorization.clone());
        }
        ask.body = Some(Bytes::from_static(ASKED.as_bytes()));
        let response = site.http.send(ask).await?;
        match response.status() {
            StatusCode::MULTI_STATUS => {}
            StatusCode::OK | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
                return Err(ConnectError::Wrong(format!(
                    "{} answers, but does not speak WebDAV at this address.",
                    host(&url)
                )));
            }
            status => return Err(failure(&url, status, path, site.authorization.is_some())),
        }
        let text = text(&url, response).await?;
        let steps = steps(&text, &host(&url))?;
        let root = decode(&base).unwrap_or(base);
        Ok(each(&steps, "response")
            .into_iter()
            .filter_map(|r| entry(&url, &root, r))
            .collect())
    }
}

fn entry(asked: &Url, root: &str, response: &[Step]) -> Option<Entry> {
    let href = asked.join(first(response, "href")?.trim()).ok()?;
    let whole = decode(href.path())?;
    let path = whole
        .strip_prefix(root)
        .or_else(|| whole.strip_prefix(root.trim_end_matches('/')))?;
    let path = path.trim_matches('/');
    if !path.is_empty() && !is_plain(path) {
        return None;
    }
    if response
        .iter()
        .any(|s| matches!(s, Step::Begin(n) if n == "collection"))
    {
        return Some(Entry::folder(path));
    }
    let size = first(response, "getcontentlength").and_then(|s| s.trim().parse().ok());
    let modified = first(response, "getlastmodified").map(str::trim);
    let tag = match first(response, "getetag") {
        Some(tag) => tag.trim().trim_start_matches("W/").trim_matches('"').to_owned(),
        None => modified
            .map(|m| format!("{m} {}", size.unwrap_or(0)))
            .unwrap_or_default(),
    };
    Some(Entry {
        path: path.to_owned(),
        is_folder: false,
        size,
        modified: modified.and_then(seconds),
        tag,
    })
}

fn is_right_in(path: &str, folder: &str) -> bool {
    let name = if folder.is_empty() {
        Some(path)
    } else {
        path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'))
    };
    name.is_some_and(|n| !n.is_empty() && !n.contains('/'))
}

#[async_trait::async_trait]
impl Files for Webdav {
    async fn list(&self, folder: &str, _page: Option<&str>) -> Result<Listing> {
        let mut entries = self.find(folder, "1").await?;
        // The folder itself comes with what is in it.
        let own = entries.iter().position(|e| e.path == folder);
        if let Some(own) = own
            && !entries.remove(own).is_folder
        {
            return Err(ConnectError::NotFound(format!(
                "`{folder}` is a file and no folder."
            )));
        }
        // Some answer with more than was asked for.
        entries.retain(|e| is_right_in(&e.path, folder));
        entries.sort_by(|a, b| b.is_folder.cmp(&a.is_folder).then_with(|| a.path.cmp(&b.path)));
        Ok(Listing { entries, next: None })
    }

    async fn stat(&self, path: &str) -> Result<Entry> {
        let found = self.find(path, "0").await?.into_iter().next();
        let mut found =
            found.ok_or_else(|| ConnectError::NotFound(format!("There is no `{path}` there.")))?;
        // Whatever it calls it, this is what was asked for.
        path.clone_into(&mut found.path);
        Ok(found)
    }

    async fn read(&self, path: &str, from: u64) -> Result<Reading> {
        let mut reading = self.0.read(path, from).await?;
        // The tag of a list may be written otherwise than that of an answer; the list's is compared.
        path.clone_into(&mut reading.entry.path);
        Ok(reading)
    }
}

#[cfg(test)]
mod tests {
    use super::is_right_in;

    #[test]
    fn a_folder_holds_what_is_right_in_it() {
        assert!(is_right_in("a", "") && is_right_in("a/b", "a"));
        for (path, folder) in [
            ("", ""),
            ("a/b", ""),
            ("a", "a"),
            ("b", "a"),
            ("ab", "a"),
            ("a/b/c", "a"),
            ("", "a"),
        ] {
            assert!(!is_right_in(path, folder), "{path} in {folder}");
        }
    }
}
