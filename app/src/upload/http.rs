//! Requests with upload progress, and the waits between attempts.

use js_sys::Promise;
use limn_domain::{ApiError, Code};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ProgressEvent, XmlHttpRequest};

/// Stops requests that are under way and those that would follow.
#[derive(Clone, Default)]
pub struct Cancel(Rc<(Cell<bool>, RefCell<Vec<XmlHttpRequest>>)>);

impl Cancel {
    pub fn is_set(&self) -> bool {
        self.0.0.get()
    }

    pub fn set(&self) {
        self.0.0.set(true);
        let live: Vec<_> = self.0.1.borrow_mut().drain(..).collect();
        for request in live {
            let _ = request.abort();
        }
    }
}

/// What came back; status 0 when nothing did.
pub struct Reply {
    pub status: u16,
    pub body: String,
}

impl Reply {
    pub const fn is_ok(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, ApiError> {
        if !self.is_ok() {
            return Err(self.error());
        }
        serde_json::from_str(&self.body).map_err(|_| {
            ApiError::new(
                Code::Internal,
                "The server's answer could not be read. Reload the page.",
            )
        })
    }

    /// The server's error, or what the status alone says.
    pub fn error(&self) -> ApiError {
        if self.status == 401 {
            crate::session::note_expired();
        }
        serde_json::from_str(&self.body).unwrap_or_else(|_| match self.status {
            0 => ApiError::new(
                Code::Unavailable,
                "The connection broke. Check the network and try again.",
            ),
            401 => ApiError::new(
                Code::SignInRequired,
                "Your session has ended. Sign in again and go on.",
            ),
            413 => ApiError::new(Code::TooLarge, "The file is too large for this server."),
            s => ApiError::new(
                Code::Internal,
                format!("The server answered with status {s}. Try again."),
            ),
        })
    }
}

/// Sends one request and waits for its end. `on_progress` gets the bytes sent so far.
pub async fn send(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<&Blob>,
    cancel: &Cancel,
    on_progress: impl FnMut(f64) + 'static,
) -> Reply {
    let none = Reply {
        status: 0,
        body: String::new(),
    };
    if cancel.is_set() {
        return none;
    }
    let Ok(request) = XmlHttpRequest::new() else {
        return none;
    };
    if request.open(method, url).is_err() {
        return none;
    }
    for (name, value) in headers {
        let _ = request.set_request_header(name, value);
    }
    let mut on_progress = on_progress;
    let progress = Closure::<dyn FnMut(ProgressEvent)>::new(move |e: ProgressEvent| on_progress(e.loaded()));
    if let Ok(upload) = request.upload() {
        upload.set_onprogress(Some(progress.as_ref().unchecked_ref()));
    }
    let done = Promise::new(&mut |ok, _| request.set_onloadend(Some(&ok)));
    if request.send_with_opt_blob(body).is_err() {
        return none;
    }
    cancel.0.1.borrow_mut().push(request.clone());
    let _ = JsFuture::from(done).await;
    cancel.0.1.borrow_mut().retain(|r| r != &request);
    request.set_onloadend(None);
    if let Ok(upload) = request.upload() {
        upload.set_onprogress(None);
    }
    drop(progress);
    Reply {
        status: request.status().unwrap_or(0),
        body: request.response_text().ok().flatten().unwrap_or_default(),
    }
}

/// A JSON request without a body worth watching.
pub async fn json<T: serde::de::DeserializeOwned>(
    method: &str,
    url: &str,
    body: Option<&impl serde::Serialize>,
    cancel: &Cancel,
) -> Result<T, ApiError> {
    let text = body.map(serde_json::to_string).transpose().unwrap_or_default();
    let blob =
        text.and_then(|t| Blob::new_with_str_sequence(&js_sys::Array::of1(&JsValue::from_str(&t))).ok());
    let headers = [
        ("content-type", "application/json"),
        ("accept", "application/json"),
    ];
    send(method, url, &headers, blob.as_ref(), cancel, |_| {})
        .await
        .json()
}

/// Waits.
pub async fn sleep(milliseconds: u32) {
    let promise = Promise::new(&mut |ok, _| {
        if let Some(window) = web_sys::window() {
            let _ = window.set_timeout_with_callback_and_timeout_and_arguments_0(
                &ok,
                i32::try_from(milliseconds).unwrap_or(i32::MAX),
            );
        }
    });
    let _ = JsFuture::from(promise).await;
}

/// Milliseconds to wait before attempt `n` (from 1) again: 0.5 s doubling to 16 s. `jitter` 0..1 spreads clients.
pub fn backoff_ms(attempt: u32, jitter: f64) -> u32 {
    let base = 500_u32
        .saturating_mul(1 << attempt.saturating_sub(1).min(5))
        .min(16_000);
    base + (f64::from(base) * 0.25 * jitter.clamp(0.0, 1.0)) as u32
}

/// Whether a status is worth another attempt: network loss (0), time-outs, overload, restarts.
pub const fn worth_retrying(status: u16) -> bool {
    matches!(status, 0 | 408 | 425 | 429 | 500 | 502 | 503 | 504)
}
