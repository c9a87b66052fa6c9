//! Signatures of requests to S3 (AWS Signature Version 4), as the documents of S3 describe them.

use crate::Secret;
use crate::http::encode;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use sha2::{Digest as _, Sha256};

/// Who signs.
#[derive(Debug, Clone)]
pub struct Signer {
    pub key_id: String,
    pub secret: Secret,
    pub session_token: Secret,
    pub region: String,
}

/// SHA-256 of nothing: requests that only read have no body.
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

pub(crate) fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    // A key may be of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(mut value) = HeaderValue::from_str(value) {
        // Neither printed nor kept by what sends it.
        value.set_sensitive(matches!(name, "authorization" | "x-amz-security-token"));
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// How long it is good for, and what a client is told with the bytes.
#[derive(Debug, Clone)]
pub struct Link<'a> {
    pub seconds: u32,
    /// Parameters such as `response-content-type`.
    pub query: &'a [(&'a str, &'a str)],
}

/// When a request is signed, as it is written in one.
struct At {
    stamp: String,
    date: String,
}

impl At {
    fn new(now: i64) -> Self {
        let time = chrono::DateTime::from_timestamp(now, 0).unwrap_or_default();
        Self {
            stamp: time.format("%Y%m%dT%H%M%SZ").to_string(),
            date: time.format("%Y%m%d").to_string(),
        }
    }
}

/// The digest of a body, as requests state it.
pub fn digest(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}

/// The query of an address as it is signed: sorted.
fn sorted(mut query: Vec<(String, String)>) -> String {
    query.sort();
    let query: Vec<String> = query.into_iter().map(|(k, v)| format!("{k}={v}")).collect();
    query.join("&")
}

impl Signer {
    /// Adds the headers of a `GET` or `HEAD` at `now` (seconds since 1970). The path of the URL is encoded already; its
    /// query is signed as it stands, sorted.
    pub fn sign(&self, method: &str, url: &Url, headers: &mut HeaderMap, now: i64) {
        self.sign_body(method, url, headers, EMPTY, now);
    }

    /// The same of any request; `body` is its body's [`digest`], which the store checks.
    pub fn sign_body(&self, method: &str, url: &Url, headers: &mut HeaderMap, body: &str, now: i64) {
        let at = At::new(now);
        put(headers, "x-amz-date", &at.stamp);
        put(headers, "x-amz-content-sha256", body);
        if !self.session_token.is_empty() {
            put(headers, "x-amz-security-token", self.session_token.reveal());
        }
        let mut signed: Vec<(String, String)> = headers
            .iter()
            .filter(|(n, _)| n.as_str().starts_with("x-amz-") || *n == "range")
            .map(|(n, v)| {
                (
                    n.as_str().to_owned(),
                    v.to_str().unwrap_or_default().trim().to_owned(),
                )
            })
            .collect();
        signed.push(("host".to_owned(), crate::http::host(url)));
        signed.sort();
        let names: Vec<&str> = signed.iter().map(|(n, _)| n.as_str()).collect();
        let names = names.join(";");
        let lines: Vec<String> = signed.iter().map(|(n, v)| format!("{n}:{v}\n")).collect();
        let lines = lines.concat();
        let query = sorted(url.query_pairs().map(|(k, v)| (encode(&k), encode(&v))).collect());
        let canonical = format!("{method}\n{}\n{query}\n{lines}\n{names}\n{body}", url.path());
        let signature = self.signature(&at, &canonical);
        put(
            headers,
            "authorization",
            &format!(
                "AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={names}, Signature={signature}",
                self.key_id,
                self.scope(&at)
            ),
        );
    }

    /// Makes an address that whoever has it may use once or often, for `GET` of this one object, until it runs out.
    pub fn link(&self, url: &Url, link: &Link<'_>, now: i64) -> Url {
        self.presign("GET", url, link, None, now)
    }

    /// The same for `PUT` of this one object with exactly `len` bytes: a body of another length has another signature.
    pub fn upload_link(&self, url: &Url, len: u64, seconds: u32, now: i64) -> Url {
        let link = Link { seconds, query: &[] };
        self.presign("PUT", url, &link, Some(len), now)
    }

    fn presign(&self, method: &str, url: &Url, link: &Link<'_>, len: Option<u64>, now: i64) -> Url {
        let at = At::new(now);
        let (mut lines, mut names) = (String::new(), "host");
        if let Some(len) = len {
            lines = format!("content-length:{len}\n");
            names = "content-length;host";
        }
        let mut query: Vec<(String, String)> = vec![
            ("X-Amz-Algorithm".to_owned(), "AWS4-HMAC-SHA256".to_owned()),
            (
                "X-Amz-Credential".to_owned(),
                encode(&format!("{}/{}", self.key_id, self.scope(&at))),
            ),
            ("X-Amz-Date".to_owned(), at.stamp.clone()),
            ("X-Amz-Expires".to_owned(), link.seconds.to_string()),
            ("X-Amz-SignedHeaders".to_owned(), encode(names)),
        ];
        if !self.session_token.is_empty() {
            let token = encode(self.session_token.reveal());
            query.push(("X-Amz-Security-Token".to_owned(), token));
        }
        query.extend(link.query.iter().map(|(k, v)| (encode(k), encode(v))));
        let query = sorted(query);
        let canonical = format!(
            "{method}\n{}\n{query}\n{lines}host:{}\n\n{names}\nUNSIGNED-PAYLOAD",
            url.path(),
            crate::http::host(url)
        );
        let signature = self.signature(&at, &canonical);
        let mut url = url.clone();
        url.set_query(Some(&format!("{query}&X-Amz-Signature={signature}")));
        url
    }

    fn scope(&self, at: &At) -> String {
        format!("{}/{}/s3/aws4_request", at.date, self.region)
    }

    fn signature(&self, at: &At, canonical: &str) -> String {
        let text = format!(
            "AWS4-HMAC-SHA256\n{}\n{}\n{}",
            at.stamp,
            self.scope(at),
            digest(canonical.as_bytes())
        );
        let mut key = hmac(format!("AWS4{}", self.secret.reveal()).as_bytes(), &at.date);
        for part in [self.region.as_str(), "s3", "aws4_request"] {
            key = hmac(&key, part);
        }
        hex::encode(hmac(&key, &text))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn signer() -> Signer {
        Signer {
            key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            session_token: Secret::default(),
            region: "us-east-1".to_owned(),
        }
    }

    fn at() -> i64 {
        chrono::DateTime::parse_from_rfc3339("2013-05-24T00:00:00Z")
            .unwrap()
            .timestamp()
    }

    /// The example of "Authenticating Requests: Using Query Parameters".
    #[test]
    fn the_documents_example_of_a_link() {
        let url: Url = "https://examplebucket.s3.amazonaws.com/test.txt".parse().unwrap();
        let link = Link {
            seconds: 86_400,
            query: &[],
        };
        let made = signer().link(&url, &link, at());
        let signature = "X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
        assert!(made.as_str().ends_with(signature), "{made}");
        // What the client is told is signed with it.
        let told = Link {
            query: &[("response-content-type", "text/plain; charset=utf-8")],
            ..link
        };
        let told = signer().link(&url, &told, at());
        assert!(
            told.as_str()
                .contains("response-content-type=text%2Fplain%3B%20charset%3Dutf-8")
        );
        assert!(!told.as_str().ends_with(signature));
    }

    /// Signed by hand as the documents say.
    #[test]
    fn a_link_to_put_with_is_for_one_object_of_one_length() {
        let url: Url = "https://examplebucket.s3.amazonaws.com/test.txt".parse().unwrap();
        let made = signer().upload_link(&url, 11, 86_400, at());
        assert!(
            made.as_str()
                .contains("X-Amz-SignedHeaders=content-length%3Bhost")
        );
        let signature = "X-Amz-Signature=741e4dce3f97ccd5f78ac5e03715b7786eb026095ad40a85f11b67f5033db865";
        assert!(made.as_str().ends_with(signature), "{made}");
        assert_ne!(made, signer().upload_link(&url, 12, 86_400, at()));
    }

    /// The examples of "Authenticating Requests: Using the Authorization Header" in the documents of S3.
    #[test]
    fn the_documents_examples() {
        let (signer, at) = (signer(), at());
        for (url, range, signature) in [
            (
                "/test.txt",
                true,
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            ),
            (
                "/?lifecycle=",
                false,
                "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
            ),
            (
                "/?max-keys=2&prefix=J",
                false,
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            ),
        ] {
            let url: Url = format!("https://examplebucket.s3.amazonaws.com{url}")
                .parse()
                .unwrap();
            let mut headers = HeaderMap::new();
            if range {
                headers.insert("range", "bytes=0-9".parse().unwrap());
            }
            signer.sign("GET", &url, &mut headers, at);
            let made = headers["authorization"].to_str().unwrap();
            assert!(made.ends_with(signature), "{url}: {made}");
        }
    }
}
