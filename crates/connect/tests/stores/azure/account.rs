//! A storage account of this process: blobs, Data Lake and file shares, in pages of two.
//!
//! Signatures are checked by the rules as they are written down ("Authorize with Shared Key"), from what has really come in.

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::StatusCode;
use limn_connect::http::decode;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

pub const NAME: &str = "street";
/// 32 bytes.
pub const KEY: &str = "bGltbi1saW1uLWxpbW4tbGltbi1saW1uLWxpbW4tbGk=";
/// The container, file system and share that there is.
pub const ROOT: &str = "photos";
/// Entries of a page.
const PAGE: usize = 2;

#[derive(Clone, Default)]
pub struct Account {
    pub files: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    /// Requests whose signature, or token, was right.
    pub known: Arc<Mutex<Vec<String>>>,
}

type Asked = BTreeMap<String, String>;

fn error(status: StatusCode, code: &'static str) -> Response {
    (status, [("x-ms-error-code", code)], "said so").into_response()
}

/// Names in lower case and values, decoded.
fn asked(request: &Request) -> Asked {
    request
        .uri()
        .query()
        .unwrap_or_default()
        .split('&')
        .filter_map(|p| p.split_once('='))
        .map(|(k, v)| (decode(k).unwrap().to_lowercase(), decode(v).unwrap()))
        .collect()
}

/// The text that a client has to sign.
fn to_sign(request: &Request, asked: &Asked) -> String {
    let header = |name: &str| {
        let value = request.headers().get(name);
        value.map_or_else(String::new, |v| v.to_str().unwrap().trim().to_owned())
    };
    let mut text = format!("{}\n", request.method());
    for name in [
        "content-encoding",
        "content-language",
        "content-length",
        "content-md5",
        "content-type",
        // Empty where there is x-ms-date.
        "",
        "if-modified-since",
        "if-match",
        "if-none-match",
        "if-unmodified-since",
        "range",
    ] {
        let value = if name.is_empty() {
            String::new()
        } else {
            header(name)
        };
        text.push_str(if value == "0" { "" } else { &value });
        text.push('\n');
    }
    let ours: BTreeSet<&str> = request
        .headers()
        .keys()
        .map(|k| k.as_str())
        .filter(|k| k.starts_with("x-ms-"))
        .collect();
    for name in ours {
        text.extend([name, ":", &header(name), "\n"]);
    }
    text.extend(["/", NAME, request.uri().path()]);
    for (name, value) in asked {
        text.extend(["\n", name, ":", value]);
    }
    text
}

fn is_list(asked: &Asked) -> bool {
    asked.contains_key("comp") || asked.contains_key("resource")
}

/// What is answered to a request whose signature, or token, is wrong.
fn refused(request: &Request, asked: &Asked) -> Option<Response> {
    let failed = || Some(error(StatusCode::FORBIDDEN, "AuthenticationFailed"));
    if request.headers().get("x-ms-version").is_none() {
        return Some(error(StatusCode::BAD_REQUEST, "MissingRequiredHeader"));
    }
    if let Some(signature) = asked.get("sig") {
        if asked.get("se").is_some_and(|end| end.as_str() < "2025") {
            return failed();
        }
        let code = match signature.as_str() {
            "good" => return None,
            "blind" if !is_list(asked) => return None,
            "blind" => "AuthorizationPermissionMismatch",
            "other" => "AuthorizationResourceTypeMismatch",
            "walled" => "AuthorizationFailure",
            _ => "AuthenticationFailed",
        };
        return Some(error(StatusCode::FORBIDDEN, code));
    }
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&STANDARD.decode(KEY).unwrap()).unwrap();
    mac.update(to_sign(request, asked).as_bytes());
    let wanted = format!(
        "SharedKey {NAME}:{}",
        STANDARD.encode(mac.finalize().into_bytes())
    );
    let given = request.headers().get("authorization");
    let fine = request.headers().contains_key("x-ms-date") && given.is_some_and(|g| *g == wanted);
    if fine { None } else { failed() }
}

pub async fn serve(State(account): State<Account>, request: Request) -> Response {
    let asked = asked(&request);
    if let Some(refused) = refused(&request, &asked) {
        return refused;
    }
    account
        .known
        .lock()
        .unwrap()
        .push(format!("{} {}", request.method(), request.uri().path()));
    let whole = decode(request.uri().path()).unwrap();
    let (root, path) = whole[1..].split_once('/').unwrap_or((&whole[1..], ""));
    let files = account.files.lock().unwrap();
    if root != ROOT {
        let code = match (
            asked.get("restype").map(String::as_str),
            asked.contains_key("resource"),
        ) {
            (_, true) => "FilesystemNotFound",
            (Some("container"), _) => "ContainerNotFound",
            _ => "ShareNotFound",
        };
        return error(StatusCode::NOT_FOUND, code);
    }
    if asked.contains_key("resource") {
        return lake(&files, &asked);
    }
    match asked.get("restype").map(String::as_str) {
        Some("directory") => return share(&files, path, &asked),
        Some("container") => return blobs(&files, &asked),
        _ => {}
    }
    if let Some(bytes) = files.get(path) {
        return send(bytes, &request);
    }
    if files.keys().any(|k| k.starts_with(&format!("{path}/"))) {
        return [("x-ms-resource-type", "directory")].into_response();
    }
    error(StatusCode::NOT_FOUND, "PathNotFound")
}

fn tag(bytes: &[u8]) -> String {
    format!(
        "0x8D{:X}",
        bytes
            .iter()
            .fold(7_u64, |n, b| n * 31 % 1_000_003 + u64::from(*b))
    )
}

fn send(bytes: &[u8], request: &Request) -> Response {
    let from = request.headers().get("range").map(|r| {
        let r = r.to_str().unwrap();
        r.strip_prefix("bytes=")
            .unwrap()
            .strip_suffix('-')
            .unwrap()
            .parse::<usize>()
            .unwrap()
    });
    let status = if from.is_some() {
        StatusCode::PARTIAL_CONTENT
    } else {
        StatusCode::OK
    };
    let headers = [
        ("etag", format!("\"{}\"", tag(bytes))),
        ("last-modified", "Thu, 01 Feb 2024 10:00:00 GMT".to_owned()),
    ];
    (status, headers, bytes[from.unwrap_or(0)..].to_vec()).into_response()
}

/// What is in a folder: paths, folders with nothing.
fn inside<'a>(
    files: &'a BTreeMap<String, Vec<u8>>,
    folder: &str,
    deep: bool,
) -> BTreeMap<String, Option<&'a [u8]>> {
    let own = if folder.is_empty() {
        String::new()
    } else {
        format!("{folder}/")
    };
    let mut out = BTreeMap::new();
    for (path, bytes) in files {
        let Some(rest) = path.strip_prefix(&own) else {
            continue;
        };
        for (n, _) in rest.match_indices('/').take(if deep { usize::MAX } else { 1 }) {
            out.insert(format!("{own}{}", &rest[..n]), None);
        }
        if deep || !rest.contains('/') {
            out.insert(path.clone(), Some(bytes.as_slice()));
        }
    }
    out
}

/// Where a page begins, and what asks for the next one. What is in it has to be encoded.
fn paged<T>(all: Vec<T>, page: Option<&String>) -> (Vec<T>, String) {
    let from = page.map_or(0, |p| p.strip_prefix("a+b/&=").unwrap().parse().unwrap());
    let next = if from + PAGE < all.len() {
        format!("a+b/&={}", from + PAGE)
    } else {
        String::new()
    };
    (all.into_iter().skip(from).take(PAGE).collect(), next)
}

fn lake(files: &BTreeMap<String, Vec<u8>>, asked: &Asked) -> Response {
    let folder = asked.get("directory").map_or("", String::as_str);
    let all = inside(files, folder, asked["recursive"] == "true");
    if all.is_empty() && !folder.is_empty() {
        return error(StatusCode::NOT_FOUND, "PathNotFound");
    }
    let (page, next) = paged(all.into_iter().collect(), asked.get("continuation"));
    let paths: Vec<serde_json::Value> = page
        .into_iter()
        .map(|(name, bytes)| match bytes {
            None => json!({"name": name, "isDirectory": "true", "contentLength": "0", "etag": "0x1"}),
            Some(bytes) => json!({
                "name": name,
                "contentLength": bytes.len().to_string(),
                "etag": tag(bytes),
                "lastModified": "Thu, 01 Feb 2024 10:00:00 GMT",
            }),
        })
        .collect();
    (
        [("x-ms-continuation", next)],
        json!({ "paths": paths }).to_string(),
    )
        .into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
}

fn properties(bytes: &[u8]) -> String {
    format!(
        "<Properties><Content-Length>{}</Content-Length><Last-Modified>Thu, 01 Feb 2024 10:00:00 \
         GMT</Last-Modified><Etag>\"{}\"</Etag></Properties>",
        bytes.len(),
        tag(bytes)
    )
}

fn share(files: &BTreeMap<String, Vec<u8>>, folder: &str, asked: &Asked) -> Response {
    let all = inside(files, folder, false);
    if all.is_empty() && !folder.is_empty() {
        return error(StatusCode::NOT_FOUND, "ResourceNotFound");
    }
    assert_eq!(asked["include"], "Timestamps,Etag");
    let (page, next) = paged(all.into_iter().collect(), asked.get("marker"));
    let entries: String = page
        .into_iter()
        .map(|(path, bytes)| {
            let name = escaped(path.rsplit('/').next().unwrap());
            match bytes {
                None => format!("<Directory><Name>{name}</Name><Properties/></Directory>"),
                Some(bytes) => format!("<File><Name>{name}</Name>{}</File>", properties(bytes)),
            }
        })
        .collect();
    format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ShareName=\"{ROOT}\" \
         DirectoryPath=\"\"><Entries>{entries}</Entries><NextMarker>{}</NextMarker></EnumerationResults>",
        escaped(&next)
    )
    .into_response()
}

fn blobs(files: &BTreeMap<String, Vec<u8>>, asked: &Asked) -> Response {
    let prefix = asked.get("prefix").map_or("", String::as_str);
    let deep = !asked.contains_key("delimiter");
    let mut all = inside(files, prefix.trim_end_matches('/'), deep);
    if deep {
        // Blobs have no folders.
        all.retain(|_, bytes| bytes.is_some());
    }
    let (page, next) = paged(all.into_iter().collect(), asked.get("marker"));
    let entries: String = page
        .into_iter()
        .map(|(path, bytes)| {
            let name = escaped(&path);
            match bytes {
                None => format!("<BlobPrefix><Name>{name}/</Name></BlobPrefix>"),
                Some(bytes) => format!("<Blob><Name>{name}</Name>{}</Blob>", properties(bytes)),
            }
        })
        .collect();
    format!(
        "<?xml version=\"1.0\"?><EnumerationResults><Blobs>{entries}</Blobs><NextMarker>{}</NextMarker></EnumerationResults>",
        escaped(&next)
    )
    .into_response()
}
