//! Errors in the protocol's shape.

use super::is_ours;
use axum::Json;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use limn_domain::{ApiError, Code};

/// Gives errors of the protocol's paths its shape, wherever they came from: the middleware, the router, a handler.
pub async fn reshape(request: Request, next: Next) -> Response {
    if !is_ours(request.uri().path()) {
        return next.run(request).await;
    }
    let response = next.run(request).await;
    if response.status().is_success() || response.status().is_redirection() {
        return response;
    }
    let error = match response.extensions().get::<ApiError>() {
        Some(error) => error.clone(),
        None if response.status() == StatusCode::METHOD_NOT_ALLOWED => {
            ApiError::new(Code::BadRequest, "This method does not work here.")
        }
        None if response.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            ApiError::new(Code::TooLarge, "The request is too large.")
        }
        None => return response,
    };
    let retry = response.headers().get(header::RETRY_AFTER).cloned();
    let mut shaped = answer(&error);
    if let Some(after) = retry {
        shaped.headers_mut().insert(header::RETRY_AFTER, after);
    }
    shaped
}

/// The protocol's code for one of ours, and its status.
const fn code(code: Code) -> (&'static str, u16) {
    match code {
        Code::InvalidInput | Code::WrongState => ("INVALID_PARAMETER_VALUE", 400),
        Code::BadRequest | Code::UnsupportedMedia => ("BAD_REQUEST", 400),
        Code::SignInRequired | Code::WrongCredentials => ("UNAUTHENTICATED", 401),
        Code::Forbidden | Code::CrossOrigin => ("PERMISSION_DENIED", 403),
        Code::NotFound => ("RESOURCE_DOES_NOT_EXIST", 404),
        Code::AlreadyExists => ("RESOURCE_ALREADY_EXISTS", 400),
        Code::Conflict | Code::ItemTaken | Code::LinkExpired => ("INVALID_STATE", 409),
        Code::TooLarge => ("INVALID_PARAMETER_VALUE", 413),
        Code::TooManyRequests => ("REQUEST_LIMIT_EXCEEDED", 429),
        Code::Internal => ("INTERNAL_ERROR", 500),
        Code::Unavailable => ("TEMPORARILY_UNAVAILABLE", 503),
    }
}

fn answer(error: &ApiError) -> Response {
    let (name, status) = code(error.code);
    // A route that is not there is not a thing that is not there.
    let name = if error.code == Code::NotFound && error.message.starts_with("There is nothing at ") {
        "ENDPOINT_NOT_FOUND"
    } else {
        name
    };
    let body = serde_json::json!({ "error_code": name, "message": error.message });
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
