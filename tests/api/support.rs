//! Pictures and projects for the tests.

use axum::body::Bytes;
use axum::http::StatusCode;
use image::{ImageFormat, Rgb, RgbImage};
use limn_testkit::Client;
use serde_json::{Value, json};
use std::io::Cursor;

/// A small PNG whose pixels depend on `seed`.
pub fn png(seed: u8) -> Bytes {
    let image = RgbImage::from_fn(40, 30, |x, y| Rgb([seed, (x * 6) as u8, (y * 8) as u8]));
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner().into()
}

/// A detection project with one category; answers their ids.
pub async fn project(client: &Client, name: &str) -> (String, String) {
    let input = json!({ "name": name, "task": "detection", "categories": [{ "name": "cat" }] });
    let project = client
        .post("/api/v1/projects", &input)
        .await
        .is(StatusCode::CREATED)
        .json();
    let id = text(&project["id"]);
    let categories = client
        .get(&format!("/api/v1/projects/{id}/categories"))
        .await
        .ok()
        .json();
    (id, text(&categories[0]["id"]))
}

/// Adds a picture; answers the item's id.
pub async fn item(client: &Client, project: &str, name: &str, seed: u8) -> String {
    let path = format!("/api/v1/projects/{project}/items?name={name}");
    let added = client
        .bytes("POST".parse().unwrap(), &path, png(seed))
        .await
        .is(StatusCode::CREATED)
        .json();
    assert_eq!(added["result"], "added");
    text(&added["item"]["id"])
}

pub fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}
