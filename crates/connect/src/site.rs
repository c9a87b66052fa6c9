//! A web folder: pages with links to files, as web servers write them (nginx, Apache, Caddy, Python).

use crate::files::{Entry, Files, Listing, Reading, is_plain};
use crate::http::{Ask, Http, body, decode, encode_path, host, text};
use crate::s3::{check_range, range};
use crate::xml::seconds;
use crate::{ConnectError, Result};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, ETAG, HeaderValue, LAST_MODIFIED, RANGE};
use reqwest::{Method, Response, StatusCode, Url};
use std::collections::BTreeSet;

pub struct Site {
    pub http: Http,
    /// Ends with a slash.
    pub base: Url,
    pub authorization: Option<HeaderValue>,
}

impl Site {
    fn url(&self, path: &str, folder: bool) -> Url {
        let mut url = self.base.clone();
        let base = url.path().to_owned();
        let slash = if folder && !path.is_empty() { "/" } else { "" };
        url.set_path(&format!("{base}{}{slash}", encode_path(path)));
        url
    }

    pub(crate) async fn ask(&self, method: Method, url: Url, from: u64) -> Result<Response> {
        let mut ask = Ask::new(method, url);
        ask.follow = true;
        if let Some(authorization) = &self.authorization {
            ask.headers.insert(AUTHORIZATION, authorization.clone());
        }
        if from > 0 {
            ask.headers.insert(RANGE, range(from)?);
        }
        self.http.send(ask).await
    }
}

/// What a refusal means.
pub fn failure(url: &Url, status: StatusCode, path: &str, has_login: bool) -> ConnectError {
    let host = host(url);
    match status {
        StatusCode::UNAUTHORIZED if has_login => ConnectError::Denied(format!(
            "{host} does not accept this user name and password, or token."
        )),
        StatusCode::UNAUTHORIZED => {
            ConnectError::Denied(format!("{host} asks for a user name and password."))
        }
        StatusCode::FORBIDDEN => {
            ConnectError::Forbidden(format!("{host} does not let this login see `/{path}`."))
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            ConnectError::NotFound(format!("There is no `/{path}` at {host}."))
        }
        s if s.is_server_error() || s == StatusCode::TOO_MANY_REQUESTS => {
            ConnectError::Unreachable(format!("{host} has trouble of its own ({s})."))
        }
        s => ConnectError::Wrong(format!("{host} answered {s} for `/{path}`.")),
    }
}

/// What the headers of an answer say of a file.
pub fn entry(path: &str, response: &Response) -> Entry {
    let text = |name| {
        response
            .headers()
            .get(name)
            .and_then(|v: &HeaderValue| v.to_str().ok())
    };
    let size = text(CONTENT_LENGTH).and_then(|s| s.parse().ok());
    let tag = text(ETAG).map_or_else(
        || {
            text(LAST_MODIFIED)
                .map(|m| format!("{m} {}", size.unwrap_or(0)))
                .unwrap_or_default()
        },
        |t| t.trim_start_matches("W/").trim_matches('"').to_owned(),
    );
    Entry {
        path: path.to_owned(),
        is_folder: false,
        size,
        modified: text(LAST_MODIFIED).and_then(seconds),
        tag,
    }
}

/// Most links of a page, and longest target of one that is looked at.
const LINKS_MAX: usize = 200_000;
const TARGET_MAX: usize = 4 << 10;

/// The targets of the links of a page. Each byte is looked at a bounded number of times, whatever the page is.
fn links(html: &str) -> Vec<String> {
    let lower = html.to_ascii_lowercase();
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(found) = lower[at..].find("href") {
        at += found + 4;
        let rest = html[at..].trim_start();
        let Some(rest) = rest.strip_prefix('=').map(str::trim_start) else {
            continue;
        };
        let (inside, quote) = match rest.chars().next() {
            Some(q @ ('"' | '\'')) => (&rest[1..], Some(q)),
            _ => (rest, None),
        };
        let target = inside[..inside.floor_char_boundary(TARGET_MAX)]
            .split(|c: char| quote.map_or(c.is_whitespace() || c == '>', |q| c == q))
            .next()
            .unwrap_or_default();
        // What stands in a target is no link of its own.
        at = html.len() - inside.len() + target.len();
        // Longer than any path that is taken.
        if target.len() + 4 > TARGET_MAX {
            continue;
        }
        if out.len() >= LINKS_MAX {
            break;
        }
        out.push(
            target
                .replace("&amp;", "&")
                .replace("&#39;", "'")
                .replace("&quot;", "\""),
        );
    }
    out
}

#[async_trait::async_trait]
impl Files for Site {
    async fn list(&self, folder: &str, _page: Option<&str>) -> Result<Listing> {
        let asked = self.url(folder, true);
        let response = self.ask(Method::GET, asked.clone(), 0).await?;
        if !response.status().is_success() {
            return Err(failure(
                &asked,
                response.status(),
                folder,
                self.authorization.is_some(),
            ));
        }
        let kind = response
            .headers()
            .get("content-type")
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        if !kind.is_empty() && !kind.contains("html") {
            return Err(ConnectError::NotFound(format!(
                "`/{folder}` at {} is a file and no page that lists files; give the address of a folder, with a slash at \
                 its end.",
                host(&asked)
            )));
        }
        // Links are meant from where the page really is.
        let page = response.url().clone();
        let html = text(&page, response).await?;
        let (mut folders, mut files) = (BTreeSet::new(), BTreeSet::new());
        for target in links(&html) {
            let Ok(url) = page.join(&target) else { continue };
            if url.origin() != asked.origin() || url.query().is_some() {
                continue;
            }
            let Some(inside) = url.path().strip_prefix(asked.path()).and_then(decode) else {
                continue;
            };
            let is_folder = inside.ends_with('/');
            let name = inside.trim_end_matches('/');
            // Only what is right in this folder: links to parents and elsewhere are no entries.
            if !is_plain(name) || name.contains('/') {
                continue;
            }
            let path = if folder.is_empty() {
                name.to_owned()
            } else {
                format!("{folder}/{name}")
            };
            if is_folder {
                folders.insert(path);
            } else {
                files.insert(path);
            }
        }
        let files = files.into_iter().map(|path| Entry {
            is_folder: false,
            ..Entry::folder(path)
        });
        Ok(Listing {
            entries: folders.into_iter().map(Entry::folder).chain(files).collect(),
            next: None,
        })
    }

    async fn stat(&self, path: &str) -> Result<Entry> {
        let url = self.url(path, false);
        let response = self.ask(Method::HEAD, url.clone(), 0).await?;
        if response.status().is_success() {
            return Ok(entry(path, &response));
        }
        Err(failure(
            &url,
            response.status(),
            path,
            self.authorization.is_some(),
        ))
    }

    async fn read(&self, path: &str, from: u64) -> Result<Reading> {
        let url = self.url(path, false);
        let response = self.ask(Method::GET, url.clone(), from).await?;
        if !response.status().is_success() {
            return Err(failure(
                &url,
                response.status(),
                path,
                self.authorization.is_some(),
            ));
        }
        check_range(from, &response, &host(&url))?;
        let mut entry = entry(path, &response);
        entry.size = entry.size.map(|s| s.saturating_add(from));
        Ok(Reading {
            entry,
            after: None,
            body: body(url, response),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::links;

    #[test]
    fn pages_of_web_servers() {
        let html = r#"<html><body><h1>Index of /a/</h1><pre><a href="../">../</a>
            <a href="b%20c.png">b c.png</a> 01-Jan-2024 10:00 12345
            <A HREF='x&amp;y.txt'>x</A><a href=plain.txt>p</a><a class="x" href = "sub/">sub</a>
            <a name="href">no</a><link rel="stylesheet" href="/style.css">"#;
        assert_eq!(
            links(html),
            ["../", "b%20c.png", "x&y.txt", "plain.txt", "sub/", "/style.css"]
        );
        // A page made to be read again and again: no target is as long as the page.
        assert!(links(&"href=".repeat(400_000)).len() <= 1);
        assert!(links(&"href=\"href=".repeat(400_000)).len() <= super::LINKS_MAX);
        assert_eq!(links("<a href='ä'><a href=ü>"), ["ä", "ü"]);
        assert!(links(&format!("<a href='{}'>", "x".repeat(10_000))).is_empty());
        assert_eq!(links(&"<a href=a>".repeat(250_000)).len(), super::LINKS_MAX);
        assert_eq!(links("href"), Vec::<String>::new());
        assert_eq!(links("href=\"open"), ["open"]);
        assert_eq!(links("<a href=\"İ.png\">é</a><a href='b'>"), ["İ.png", "b"]);
    }
}
