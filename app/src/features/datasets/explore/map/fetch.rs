//! The points over the public API: bytes, which server functions do not carry.

use super::super::super::shape::encode;
use crate::error::AppError;
use js_sys::Uint8Array;
use leptos::prelude::*;
use limn_domain::VersionId;
use limn_domain::explore::ExploreFilter;
use limn_domain::job::Job;
use limn_domain::map::MapPoints;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// What the server answers.
pub enum Got {
    Points(MapPoints),
    /// The job that prepares.
    Waits(Box<Job>),
}

/// Asks for the points, with the colours of a facet.
pub async fn fetch(version: VersionId, filter: &ExploreFilter, facet: &str) -> Result<Got, AppError> {
    let mut url = format!("/api/v1/versions/{version}/explore/map?color={}", encode(facet));
    if !filter.is_empty() {
        let text = serde_json::to_string(filter).unwrap_or_default();
        url = format!("{url}&filter={}", encode(&text));
    }
    let (status, bytes) = read(&url).await.map_err(|_| AppError::offline())?;
    match status {
        200 => {
            let points = MapPoints::from_bytes(&bytes).ok_or_else(AppError::offline)?;
            Ok(Got::Points(points))
        }
        202 => {
            let job = serde_json::from_slice(&bytes).map_err(|_| AppError::offline())?;
            Ok(Got::Waits(Box::new(job)))
        }
        _ => Err(AppError::de(bytes.into())),
    }
}

async fn read(url: &str) -> Result<(u16, Vec<u8>), JsValue> {
    let response = JsFuture::from(window().fetch_with_str(url)).await?;
    let response: web_sys::Response = response.dyn_into()?;
    let buffer = JsFuture::from(response.array_buffer()?).await?;
    Ok((response.status(), Uint8Array::new(&buffer).to_vec()))
}
