//! Files that are not what they say.

use crate::support::{png, project};
use axum::http::{Method, StatusCode, header};
use image::{ImageFormat, RgbImage};
use limn_testkit::{TestApp, app_on_both};
use std::io::Cursor;

fn jpeg() -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::from_pixel(64, 64, image::Rgb([9, 80, 200]))
        .write_to(&mut bytes, ImageFormat::Jpeg)
        .unwrap();
    bytes.into_inner()
}

/// A PNG whose header promises 60,000 x 60,000 pixels.
fn bomb() -> Vec<u8> {
    let mut bytes = png(1).to_vec();
    bytes[16..20].copy_from_slice(&60_000_u32.to_be_bytes());
    bytes[20..24].copy_from_slice(&60_000_u32.to_be_bytes());
    bytes
}

#[tokio::test]
async fn a_bad_file_is_named_and_leaves_nothing() {
    app_on_both(async |app: TestApp| {
        let client = app.admin("ana").await;
        let (project, _) = project(&client, "P").await;
        let whole = jpeg();
        let cases: Vec<(&str, Vec<u8>)> = vec![
            ("truncated.jpg", whole[..whole.len() / 2].to_vec()),
            ("text.png", b"just text, no picture".to_vec()),
            ("empty.jpg", Vec::new()),
            ("bomb.png", bomb()),
            (
                "page.svg",
                b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".to_vec(),
            ),
            ("archive.png", b"PK\x03\x04 not a picture".to_vec()),
        ];
        for (name, bytes) in cases {
            let path = format!("/api/v1/projects/{project}/items?name={name}");
            let reply = client.bytes(Method::POST, &path, bytes).await;
            assert!(
                reply.status.is_client_error(),
                "{name}: {} {}",
                reply.status,
                reply.text()
            );
            let message = reply.json()["message"].as_str().unwrap().to_owned();
            assert!(message.contains(name), "{name} is not named: {message}");
        }
        for name in [
            "../a.png",
            "%2Fetc%2Fpasswd",
            "a%00.png",
            "C%3A%5Cx.png",
            "",
            "%FF%FE.png",
            &"x".repeat(2000),
        ] {
            let path = format!("/api/v1/projects/{project}/items?name={name}");
            let reply = client.bytes(Method::POST, &path, png(1)).await;
            assert!(
                reply.status.is_client_error(),
                "{name}: {} {}",
                reply.status,
                reply.text()
            );
        }
        let items = client
            .get(&format!("/api/v1/projects/{project}/items"))
            .await
            .ok()
            .json();
        assert_eq!(items["rows"].as_array().unwrap().len(), 0);
    })
    .await;
}

#[tokio::test]
async fn the_same_name_twice() {
    app_on_both(async |app: TestApp| {
        let client = app.admin("ana").await;
        let (project, _) = project(&client, "P").await;
        let add = async |name: &str, seed| {
            let path = format!("/api/v1/projects/{project}/items?name={name}");
            client.bytes(Method::POST, &path, png(seed)).await
        };
        add("a.png", 1).await.expect(StatusCode::CREATED);
        assert_eq!(
            add("a.png", 1).await.is(StatusCode::OK).json()["result"],
            "unchanged"
        );
        assert_eq!(
            add("A.PNG", 2).await.is(StatusCode::CONFLICT).code(),
            "already_exists"
        );
    })
    .await;
}

#[tokio::test]
async fn a_form_goes_on_after_a_bad_file() {
    app_on_both(async |app: TestApp| {
        let client = app.admin("ana").await;
        let (project, _) = project(&client, "P").await;
        let mut body = Vec::new();
        for (name, bytes) in [
            ("a.png", png(1).to_vec()),
            ("b.png", b"no".to_vec()),
            ("c.png", png(3).to_vec()),
        ] {
            let head =
                format!("--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(&bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--B--\r\n");
        let request = client
            .request(Method::POST, &format!("/api/v1/projects/{project}/items/form"))
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=B")
            .body(body.into())
            .unwrap();
        let outcomes = client.send(request).await.is(StatusCode::OK).json();
        let outcomes = outcomes.as_array().unwrap();
        assert_eq!(outcomes.len(), 3);
        assert_eq!(outcomes[0]["outcome"]["result"], "added");
        assert!(
            outcomes[1]["error"]["message"]
                .as_str()
                .unwrap()
                .contains("b.png")
        );
        assert_eq!(outcomes[2]["outcome"]["result"], "added");
        client
            .bytes(
                Method::POST,
                &format!("/api/v1/projects/{project}/items/form"),
                "x",
            )
            .await
            .expect(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    })
    .await;
}
