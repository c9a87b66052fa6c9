//! The section `[storage]`: where files are kept.

use super::raw::Storage;
use limn_services::reach::{BucketSettings, Secret};

/// Seconds that an address of the object store is good for.
const LINK_SECONDS: u32 = 900;

/// An object store for files.
#[derive(Debug, Clone)]
pub struct Bucket {
    pub settings: BucketSettings,
    /// Bytes of copies on the disk.
    pub cache_bytes: u64,
    /// Whether pages may put parts of uploads into it.
    pub browser_uploads: bool,
}

/// The object store, if there is to be one.
pub(super) fn bucket(raw: &Storage) -> Result<Option<Bucket>, String> {
    match raw.kind.as_str() {
        "folder" => {
            if !raw.bucket.is_empty() {
                return Err(
                    "storage.bucket is for an object store; set storage.kind to \"s3\" as well.".to_owned(),
                );
            }
            return Ok(None);
        }
        "s3" => {}
        other => return Err(format!("storage.kind is `{other}`; write \"folder\" or \"s3\".")),
    }
    if raw.bucket.is_empty() {
        return Err("storage.bucket is empty; name the bucket that files are kept in.".to_owned());
    }
    if raw.browser_uploads && !raw.presign {
        return Err(
            "storage.browser_uploads needs links to the object store; set storage.presign as well."
                .to_owned(),
        );
    }
    let cache_gb = super::within("storage.cache_gb", raw.cache_gb, 1, 1 << 20)?;
    let (id, secret) = key(raw)?;
    Ok(Some(Bucket {
        settings: BucketSettings {
            endpoint: raw.endpoint.clone(),
            public_endpoint: raw.public_endpoint.clone(),
            region: raw.region.clone(),
            bucket: raw.bucket.clone(),
            prefix: raw.prefix.clone(),
            path_style: raw.path_style,
            access_key_id: Secret::new(id),
            secret_access_key: Secret::new(secret),
            session_token: Secret::default(),
            link_seconds: raw.presign.then_some(LINK_SECONDS),
        },
        cache_bytes: (cache_gb as u64) << 30,
        browser_uploads: raw.browser_uploads,
    }))
}

/// The access key, from the two settings or the file.
fn key(raw: &Storage) -> Result<(String, String), String> {
    let (id, secret) = (
        raw.access_key_id.reveal().trim(),
        raw.secret_access_key.reveal().trim(),
    );
    let file = &raw.access_key_file;
    if file.as_os_str().is_empty() {
        if id.is_empty() || secret.is_empty() {
            return Err(
                "storage.access_key_id and storage.secret_access_key are needed for an object store, or \
                 storage.access_key_file."
                    .to_owned(),
            );
        }
        return Ok((id.to_owned(), secret.to_owned()));
    }
    if !(id.is_empty() && secret.is_empty()) {
        return Err(
            "storage.access_key_file is set beside the key itself; leave out one of them.".to_owned(),
        );
    }
    let text = std::fs::read_to_string(file)
        .map_err(|e| format!("storage.access_key_file: cannot read {}: {e}.", file.display()))?;
    let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
    match (lines.next(), lines.next(), lines.next()) {
        (Some(id), Some(secret), None) => Ok((id.to_owned(), secret.to_owned())),
        _ => Err(format!(
            "storage.access_key_file: {} has to hold two lines, the access key's id and its secret.",
            file.display()
        )),
    }
}
