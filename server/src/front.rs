//! The built front end: from a folder, or baked into the binary (feature `embed`).
//!
//! Files under `pkg/` carry a hash in their name and are cached for ever. Compressed copies (`.br`, `.gz`) lie beside
//! the files; nothing is compressed on a request.

use crate::config::Config;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use leptos::config::LeptosOptions;
use limn_app::context::PageModules;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

#[cfg(feature = "embed")]
#[derive(rust_embed::RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../target/site"]
struct Embedded;

/// Where the files are. Cheap to clone.
#[derive(Debug, Clone)]
pub enum Site {
    Folder(Arc<PathBuf>),
    #[cfg(feature = "embed")]
    Embedded,
}

/// Base name of the front end's files, as xtask writes them.
const NAME: &str = "limn";

impl Site {
    /// The configured folder, else what the binary embeds, else the folder the workspace builds into.
    pub fn find(config: &Config) -> Self {
        if let Some(dir) = &config.site_dir {
            return Self::Folder(Arc::new(dir.clone()));
        }
        #[cfg(feature = "embed")]
        return Self::Embedded;
        #[cfg(not(feature = "embed"))]
        Self::Folder(Arc::new(built_folder()))
    }

    /// What the page's shell needs to name its files. Leptos reads the hashes from a file, so a binary that embeds the
    /// front end leaves them in its data directory.
    pub fn leptos_options(&self, config: &Config) -> LeptosOptions {
        let hashes = self.hash_file(config);
        LeptosOptions::builder()
            .output_name(NAME)
            .site_pkg_dir("pkg")
            .site_addr(config.addr)
            .hash_files(hashes.is_some())
            .hash_file(Arc::<str>::from(hashes.unwrap_or_default().to_string_lossy()))
            .build()
    }

    #[cfg_attr(
        not(feature = "embed"),
        expect(unused_variables, reason = "a folder needs no place to write")
    )]
    fn hash_file(&self, config: &Config) -> Option<PathBuf> {
        match self {
            Self::Folder(dir) => {
                let file = std::path::absolute(dir.join("hash.txt")).ok()?;
                if file.exists() {
                    return Some(file);
                }
                tracing::warn!(folder = %dir.display(), "the front end is not built; run `cargo xtask build`");
                None
            }
            #[cfg(feature = "embed")]
            Self::Embedded => {
                let hashes = Embedded::get("hash.txt")?.data;
                let name = format!("front-{}.txt", &blake3::hash(&hashes).to_hex()[..16]);
                let file = std::path::absolute(config.data_dir.join(name)).ok()?;
                if std::fs::read(&file).is_ok_and(|old| old == *hashes) {
                    return Some(file);
                }
                std::fs::write(&file, hashes)
                    .inspect_err(|e| tracing::error!(error = %e, "cannot write {}", file.display()))
                    .ok()?;
                Some(file)
            }
        }
    }

    /// The modules that the browser fetches page by page, as xtask left them beside their loader.
    pub fn page_modules(&self) -> Option<PageModules> {
        let hashes = self.read_now("hash.txt")?;
        let hashes = std::str::from_utf8(&hashes).ok()?;
        let key = hashes.lines().find_map(|l| l.strip_prefix("wasm:"))?.trim();
        let files = serde_json::from_slice(&self.read_now(&format!("pkg/{key}/split.json"))?)
            .inspect_err(|e| tracing::error!(error = %e, "the front end's split.json does not read"))
            .ok()?;
        Some(PageModules {
            folder: format!("/pkg/{key}"),
            loader: "split.js".to_owned(),
            files,
        })
    }

    fn read_now(&self, path: &str) -> Option<Vec<u8>> {
        match self {
            Self::Folder(dir) => std::fs::read(dir.join(path)).ok(),
            #[cfg(feature = "embed")]
            Self::Embedded => Embedded::get(path).map(|f| f.data.into_owned()),
        }
    }

    /// The file for a request path, `None` when there is none.
    pub async fn serve(&self, path: &str, headers: &HeaderMap) -> Option<Response> {
        let path = clean(path)?;
        let immutable = path.starts_with("pkg/");
        // It names files by their content: an old copy would name files that are gone.
        let names_others = path == "vision.js";
        let (bytes, encoding) = self.read_best(&path, headers).await?;
        let etag = format!("\"{}\"", &blake3::hash(&bytes).to_hex()[..32]);
        let media_type = mime_guess::from_path(&path).first_or_octet_stream();
        let unchanged = headers
            .get(header::IF_NONE_MATCH)
            .and_then(|v| v.to_str().ok())
            .is_some_and(|tags| tags.split(',').any(|t| t.trim().trim_start_matches("W/") == etag));
        let mut response = if unchanged {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            Body::from(bytes).into_response()
        };
        let out = response.headers_mut();
        let cache = if immutable {
            "public, max-age=31536000, immutable"
        } else if names_others {
            "no-cache"
        } else {
            "public, max-age=3600"
        };
        out.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if let Ok(etag) = HeaderValue::from_str(&etag) {
            out.insert(header::ETAG, etag);
        }
        if let Ok(media_type) = HeaderValue::from_str(media_type.as_ref()) {
            out.insert(header::CONTENT_TYPE, media_type);
        }
        if let Some(encoding) = encoding {
            out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        Some(response)
    }

    async fn read_best(&self, path: &str, headers: &HeaderMap) -> Option<(Bytes, Option<&'static str>)> {
        for (encoding, suffix) in [("br", "br"), ("gzip", "gz")] {
            if accepts(headers, encoding)
                && let Some(bytes) = self.read(&format!("{path}.{suffix}")).await
            {
                return Some((bytes, Some(encoding)));
            }
        }
        Some((self.read(path).await?, None))
    }

    async fn read(&self, path: &str) -> Option<Bytes> {
        match self {
            Self::Folder(dir) => tokio::fs::read(dir.join(path)).await.ok().map(Bytes::from),
            #[cfg(feature = "embed")]
            Self::Embedded => Embedded::get(path).map(|f| match f.data {
                std::borrow::Cow::Borrowed(b) => Bytes::from_static(b),
                std::borrow::Cow::Owned(v) => Bytes::from(v),
            }),
        }
    }
}

#[cfg(not(feature = "embed"))]
fn built_folder() -> PathBuf {
    let beside = std::env::current_exe()
        .ok()
        .and_then(|exe| Some(exe.parent()?.join("site")));
    match beside {
        Some(dir) if dir.is_dir() => dir,
        _ => PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/site")),
    }
}

/// The path inside the site: no way out of it, and nothing hidden.
fn clean(path: &str) -> Option<String> {
    let path = path.trim_start_matches('/');
    let plain = !path.is_empty()
        && path != "hash.txt"
        && !path.contains(['%', '\\', '\0', ':'])
        && Path::new(path)
            .components()
            .all(|c| matches!(c, Component::Normal(_)))
        && !path.split('/').any(|p| p.starts_with('.'))
        && path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    plain.then(|| path.to_owned())
}

/// Whether the client takes `encoding` (`q=0` means no).
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(','))
        .any(|part| {
            let mut parts = part.split(';').map(str::trim);
            parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding))
                && !parts.any(|p| matches!(p.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()), Some(q) if q == 0.0))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_the_site_is_named() {
        for bad in [
            "/",
            "/../Cargo.toml",
            "/pkg/../../x.rs",
            "/%2e%2e/x.rs",
            "/.git/config.x",
            "//etc/passwd.x/..",
            "/hash.txt",
            "/pkg",
            "/a\\..\\b.txt",
            "/pkg/./x.js/.",
        ] {
            assert_eq!(clean(bad), None, "{bad}");
        }
        assert_eq!(clean("/pkg/limn.0123.js").as_deref(), Some("pkg/limn.0123.js"));
    }

    #[test]
    fn encodings_are_negotiated() {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static("gzip;q=0, br;q=0.5"),
        );
        assert!(accepts(&headers, "br"));
        assert!(!accepts(&headers, "gzip"));
    }

    #[test]
    fn the_modules_of_pages_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let site = Site::Folder(Arc::new(dir.path().to_owned()));
        assert!(site.page_modules().is_none(), "nothing is built");
        std::fs::create_dir_all(dir.path().join("pkg/k1")).unwrap();
        std::fs::write(dir.path().join("hash.txt"), "js: k1\nwasm: k1\ncss: c\n").unwrap();
        std::fs::write(
            dir.path().join("pkg/k1/split.json"),
            r#"{"desk": ["chunk_0", "split_desk"]}"#,
        )
        .unwrap();
        let modules = site.page_modules().unwrap();
        assert_eq!(modules.folder, "/pkg/k1");
        assert_eq!(modules.files["desk"], ["chunk_0", "split_desk"]);
    }

    #[tokio::test]
    async fn compressed_copies_and_caching() {
        let dir = std::env::temp_dir().join(format!("limn-site-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("pkg")).unwrap();
        std::fs::write(dir.join("pkg/limn.1.js"), "plain").unwrap();
        std::fs::write(dir.join("pkg/limn.1.js.br"), "small").unwrap();
        let site = Site::Folder(Arc::new(dir.clone()));
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("br"));
        let r = site.serve("/pkg/limn.1.js", &headers).await.unwrap();
        assert_eq!(r.headers()["content-encoding"], "br");
        assert!(
            r.headers()["cache-control"]
                .to_str()
                .unwrap()
                .contains("immutable")
        );
        assert!(
            r.headers()["content-type"]
                .to_str()
                .unwrap()
                .contains("javascript")
        );
        headers.insert(header::IF_NONE_MATCH, r.headers()["etag"].clone());
        let again = site.serve("/pkg/limn.1.js", &headers).await.unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert!(site.serve("/pkg/none.js", &headers).await.is_none());
        std::fs::remove_dir_all(dir).unwrap();
    }
}
