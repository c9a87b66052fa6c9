//! Pictures over HTTP: renditions, ranges, caching, who may see them.

use crate::support::{item, png, project};
use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use limn_domain::Role;
use limn_domain::token::TokenScope;
use limn_testkit::{TestApp, app_on_both};

#[tokio::test]
async fn pictures_are_served_with_ranges_and_caching() {
    app_on_both(async |app: TestApp| {
        let client = app.admin("ana").await;
        let (project, _) = project(&client, "P").await;
        let item = item(&client, &project, "folder/a.png", 7).await;
        for which in ["thumb", "screen", "full"] {
            let reply = client
                .get(&format!("/media/items/{item}/{which}"))
                .await
                .is(StatusCode::OK);
            assert!(reply.header("content-type").starts_with("image/"), "{which}");
            assert!(reply.header("cache-control").contains("private"), "{which}");
            assert!(reply.header("cache-control").contains("immutable"), "{which}");
            assert!(
                reply.header("content-security-policy").contains("sandbox"),
                "{which}"
            );
            let decoded = image::load_from_memory(&reply.body).unwrap();
            assert_eq!((decoded.width(), decoded.height()), (40, 30), "{which}");
        }
        let original = client
            .get(&format!("/media/items/{item}/original"))
            .await
            .is(StatusCode::OK);
        assert_eq!(original.body, png(7), "the original bytes are kept");
        assert!(
            original
                .header("content-disposition")
                .starts_with("attachment; filename=\"a.png\"")
        );

        let path = format!("/media/items/{item}/original");
        let ask = |name: header::HeaderName, value: &str| {
            let request = client.request(Method::GET, &path).header(name, value);
            client.send(request.body(Body::empty()).unwrap())
        };
        let etag = original.header("etag").to_owned();
        let unchanged = ask(header::IF_NONE_MATCH, &etag)
            .await
            .is(StatusCode::NOT_MODIFIED);
        assert!(unchanged.body.is_empty());
        let part = ask(header::RANGE, "bytes=1-3")
            .await
            .is(StatusCode::PARTIAL_CONTENT);
        assert_eq!(&part.body[..], b"PNG");
        assert_eq!(
            part.header("content-range"),
            format!("bytes 1-3/{}", png(7).len())
        );
        let none = ask(header::RANGE, "bytes=99999999-")
            .await
            .is(StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(none.header("content-range"), format!("bytes */{}", png(7).len()));
        client
            .get(&format!("/media/items/{item}/huge"))
            .await
            .expect(StatusCode::NOT_FOUND);
        for range in ["", "bytes=1-3", "bytes=99999999-"] {
            let request = client.request(Method::HEAD, &path).header(header::RANGE, range);
            let head = client.send(request.body(Body::empty()).unwrap()).await;
            let head = head.is(StatusCode::OK);
            assert_eq!(head.header("content-length"), png(7).len().to_string(), "{range}");
        }
    })
    .await;
}

#[tokio::test]
async fn pictures_are_for_members() {
    app_on_both(async |app: TestApp| {
        let client = app.admin("ana").await;
        let (project, _) = project(&client, "P").await;
        let item = item(&client, &project, "a.png", 7).await;
        let asset = client
            .bytes(
                Method::POST,
                &format!("/api/v1/projects/{project}/assets?name=help.png"),
                png(9),
            )
            .await
            .is(StatusCode::CREATED)
            .json();
        let asset = asset["url"].as_str().unwrap().to_owned();
        assert!(asset.starts_with("/media/assets/"));
        client.get(&asset).await.expect(StatusCode::OK);
        let outsider = app.user("eve", Role::Labeler).await;
        let outsider = app.token(&outsider, TokenScope::Write).await;
        for path in [
            format!("/media/items/{item}/thumb"),
            format!("/media/items/{item}/original"),
            asset,
        ] {
            app.anonymous().get(&path).await.expect(StatusCode::UNAUTHORIZED);
            outsider.get(&path).await.expect(StatusCode::NOT_FOUND);
        }
    })
    .await;
}

#[tokio::test]
async fn tiles_of_a_deep_picture() {
    app_on_both(async |app: TestApp| {
        let client = app.admin("ana").await;
        let (project, _) = project(&client, "P").await;
        let deep = image::ImageBuffer::<image::Luma<u16>, Vec<u16>>::from_fn(60, 20, |x, y| {
            image::Luma([(x * 1_000 + y) as u16])
        });
        let mut bytes = std::io::Cursor::new(Vec::new());
        image::DynamicImage::from(deep)
            .write_to(&mut bytes, image::ImageFormat::Png)
            .unwrap();
        let added = client
            .bytes(
                Method::POST,
                &format!("/api/v1/projects/{project}/items?name=deep.png"),
                bytes.into_inner(),
            )
            .await
            .is(StatusCode::CREATED)
            .json();
        let item = added["item"]["id"].as_str().unwrap().to_owned();
        let picture = client
            .get(&format!("/api/v1/items/{item}/picture"))
            .await
            .ok()
            .json();
        assert_eq!(picture["state"], "tiled");
        assert_eq!(picture["bits"], 16);
        assert_eq!(picture["levels"], 1);
        let path = format!("/media/items/{item}/tiles/0/0/0");
        let tile = client.get(&path).await.is(StatusCode::OK);
        assert_eq!(tile.header("content-encoding"), "gzip");
        assert!(tile.header("cache-control").contains("immutable"));
        assert!(tile.header("content-security-policy").contains("sandbox"));
        let etag = tile.header("etag").to_owned();
        let request = client
            .request(Method::GET, &path)
            .header(header::IF_NONE_MATCH, etag);
        let reply = client.send(request.body(Body::empty()).unwrap()).await;
        drop(reply.is(StatusCode::NOT_MODIFIED));
        for (bad, status) in [
            ("0/1/0", StatusCode::NOT_FOUND),
            ("1/0/0", StatusCode::NOT_FOUND),
            ("4294967295/4294967295/4294967295", StatusCode::NOT_FOUND),
            ("4294967296/0/0", StatusCode::BAD_REQUEST),
            ("-1/0/0", StatusCode::BAD_REQUEST),
            ("0/0/0x1", StatusCode::BAD_REQUEST),
            ("0/%2e%2e/0", StatusCode::BAD_REQUEST),
            ("0/0/%00", StatusCode::BAD_REQUEST),
        ] {
            let reply = client.get(&format!("/media/items/{item}/tiles/{bad}")).await;
            assert_eq!(reply.status, status, "{bad}");
            assert!(!reply.header("cache-control").contains("immutable"), "{bad}");
        }
        app.anonymous().get(&path).await.expect(StatusCode::UNAUTHORIZED);
        let outsider = app.user("eve", Role::Labeler).await;
        let outsider = app.token(&outsider, TokenScope::Write).await;
        outsider.get(&path).await.expect(StatusCode::NOT_FOUND);
    })
    .await;
}
