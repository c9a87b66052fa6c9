//! Large files in pieces, resumed after a broken connection or a reloaded page.

use super::http::{self, Cancel, backoff_ms, worth_retrying};
use limn_domain::upload::{NewUpload, Upload, UploadParts};
use limn_domain::{ApiError, Code, UploadId};
use web_sys::File;

const PIECE: f64 = 8_388_608.0;
const MAX_ATTEMPTS: u32 = 8;

/// Sends a file to the server's upload area and answers its id. `on_progress` gets the bytes received so far.
pub async fn upload(
    file: &File,
    cancel: &Cancel,
    on_progress: impl Fn(f64) + Clone + 'static,
) -> Result<UploadId, ApiError> {
    let memory = memory_key(file);
    let mut upload = begin(file, &memory, cancel).await?;
    let url = format!("/api/v1/uploads/{}", upload.id);
    if upload.direct {
        upload = straight(file, upload, cancel, &on_progress).await;
    }
    let mut attempt = 0;
    while (upload.received as f64) < file.size() {
        let from = upload.received as f64;
        let piece = file
            .slice_with_f64_and_f64(from, (from + PIECE).min(file.size()))
            .map_err(|_| {
                ApiError::new(
                    Code::BadRequest,
                    format!("The browser could not read {}.", file.name()),
                )
            })?;
        let offset = upload.received.to_string();
        let headers = [
            ("upload-offset", offset.as_str()),
            ("content-type", "application/offset+octet-stream"),
        ];
        let report = on_progress.clone();
        let reply = http::send("PATCH", &url, &headers, Some(&piece), cancel, move |sent| {
            report(from + sent);
        })
        .await;
        if cancel.is_set() {
            return Err(cancelled());
        }
        if reply.is_ok() {
            attempt = 0;
            upload = reply.json()?;
        } else if reply.status == 409 || worth_retrying(reply.status) {
            attempt += 1;
            if attempt > MAX_ATTEMPTS {
                return Err(reply.error());
            }
            http::sleep(backoff_ms(attempt, js_sys::Math::random())).await;
            // The server knows how much of the broken piece it has.
            if let Ok(now) = http::json::<Upload>("GET", &url, None::<&()>, cancel).await {
                upload = now;
            }
        } else {
            return Err(reply.error());
        }
        on_progress(upload.received as f64);
    }
    forget(&memory);
    Ok(upload.id)
}

/// Puts parts straight into the object store for as long as that goes well; what is left goes to the server.
async fn straight(
    file: &File,
    mut upload: Upload,
    cancel: &Cancel,
    on_progress: &(impl Fn(f64) + Clone + 'static),
) -> Upload {
    let url = format!("/api/v1/uploads/{}/parts", upload.id);
    let mut before = -1;
    loop {
        let now = http::json::<UploadParts>("POST", &url, None::<&()>, cancel).await;
        let Ok(now) = now else { return upload };
        upload = now.upload;
        // Nothing of what was put has arrived: the store is out of reach from here.
        if now.parts.is_empty() || upload.received <= before {
            return upload;
        }
        before = upload.received;
        for part in &now.parts {
            let (from, to) = (part.offset as f64, (part.offset + part.size) as f64);
            let Ok(piece) = file.slice_with_f64_and_f64(from, to) else {
                return upload;
            };
            let report = on_progress.clone();
            let put = http::send("PUT", &part.url, &[], Some(&piece), cancel, move |sent| {
                report(from + sent);
            });
            if !put.await.is_ok() {
                break;
            }
        }
    }
}

/// Goes on with an upload of the same file begun earlier, or starts one.
async fn begin(file: &File, memory: &str, cancel: &Cancel) -> Result<Upload, ApiError> {
    let remembered = storage().and_then(|s| s.get_item(memory).ok().flatten());
    if let Some(id) = remembered.and_then(|id| id.parse::<UploadId>().ok()) {
        let url = format!("/api/v1/uploads/{id}");
        match http::json::<Upload>("GET", &url, None::<&()>, cancel).await {
            Ok(upload) if upload.size as f64 == file.size() => return Ok(upload),
            _ => forget(memory),
        }
    }
    let new = NewUpload {
        name: file.name(),
        size: file.size() as i64,
    };
    let upload: Upload = http::json("POST", "/api/v1/uploads", Some(&new), cancel).await?;
    if let Some(s) = storage() {
        let _ = s.set_item(memory, &upload.id.to_string());
    }
    Ok(upload)
}

pub fn cancelled() -> ApiError {
    ApiError::new(Code::WrongState, "Cancelled.")
}

/// Names the same file of the same disk across page loads.
fn memory_key(file: &File) -> String {
    format!(
        "limn.upload:{}:{}:{}",
        file.name(),
        file.size(),
        file.last_modified()
    )
}

fn forget(memory: &str) {
    if let Some(s) = storage() {
        let _ = s.remove_item(memory);
    }
}

fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok().flatten()
}
