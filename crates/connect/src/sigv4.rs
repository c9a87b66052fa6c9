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
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

impl Signer {
    /// Adds the headers of a `GET` or `HEAD` at `now` (seconds since 1970). The path of the URL is encoded already; its
    /// query is signed as it stands, sorted.
    pub fn sign(&self, method: &str, url: &Url, headers: &mut HeaderMap, now: i64) {
        let time = chrono::DateTime::from_timestamp(now, 0).unwrap_or_default();
        let (stamp, date) = (
            time.format("%Y%m%dT%H%M%SZ").to_string(),
            time.format("%Y%m%d").to_string(),
        );
        put(headers, "x-amz-date", &stamp);
        put(headers, "x-amz-content-sha256", EMPTY);
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
        let mut query: Vec<(String, String)> =
            url.query_pairs().map(|(k, v)| (encode(&k), encode(&v))).collect();
        query.sort();
        let query: Vec<String> = query.into_iter().map(|(k, v)| format!("{k}={v}")).collect();
        let canonical = format!(
            "{method}\n{}\n{}\n{lines}\n{names}\n{EMPTY}",
            url.path(),
            query.join("&")
        );
        let scope = format!("{date}/{}/s3/aws4_request", self.region);
        let digest = hex::encode(Sha256::digest(canonical.as_bytes()));
        let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}");
        let mut key = hmac(format!("AWS4{}", self.secret.reveal()).as_bytes(), &date);
        for part in [self.region.as_str(), "s3", "aws4_request"] {
            key = hmac(&key, part);
        }
        let signature = hex::encode(hmac(&key, &text));
        put(
            headers,
            "authorization",
            &format!(
                "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
                self.key_id
            ),
        );
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// The examples of "Authenticating Requests: Using the Authorization Header" in the documents of S3.
    #[test]
    fn the_documents_examples() {
        let signer = Signer {
            key_id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            session_token: Secret::default(),
            region: "us-east-1".to_owned(),
        };
        let at = chrono::DateTime::parse_from_rfc3339("2013-05-24T00:00:00Z")
            .unwrap()
            .timestamp();
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
