//! Versions as an object store sees them, and tokens of one dataset.

use super::*;
use limn_domain::token::{NewToken, TokenScope};
use limn_domain::{Code, DatasetId};
use limn_services::Actor;
use limn_services::objects::{Asked, Content};

/// All keys and common prefixes, in pages of `limit`.
async fn list(w: &World, bucket: &str, prefix: &str, folders: bool, limit: usize) -> Vec<String> {
    let (mut out, mut token) = (Vec::new(), None::<String>);
    loop {
        let asked = Asked {
            prefix,
            folders,
            token: token.as_deref(),
            after: None,
            limit,
        };
        let page = w.objects.list(&w.manager, bucket, &asked).await.unwrap();
        assert!(page.objects.len() + page.prefixes.len() <= limit);
        out.extend(page.prefixes);
        out.extend(page.objects.into_iter().map(|o| o.key));
        token = page.next;
        if token.is_none() {
            return out;
        }
        assert!(out.len() < 1_000, "it ends");
    }
}

async fn bound(w: &World, dataset: DatasetId, scope: TokenScope) -> Actor {
    let input = NewToken {
        name: "one".to_owned(),
        scope,
        project_id: None,
        dataset_id: Some(dataset),
        expires_in_days: None,
    };
    let made = w.tokens.create(&w.manager, input).await.unwrap();
    let by_secret = w.auth.token_actor(&made.secret).await.unwrap();
    let by_key = w.auth.s3_actor(&made.s3.access_key_id).await.unwrap();
    assert_eq!(by_secret, by_key);
    assert_eq!(
        w.auth.s3_secret(&made.s3.access_key_id).await.unwrap(),
        made.s3.secret_access_key
    );
    by_key
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_name_versions_and_pages_of_any_size_list_them_all() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        w.label_some().await;
        let d = w.dataset("Street Scenes!", DatasetKind::Images).await;
        let one = w.register_project(&d).await;
        w.label(&["a.png", "sub/c.png"], 5.0).await;
        let two = w.register_project(&d).await;
        let alias = w
            .datasets
            .set_alias(&w.manager, d.summary.id, "prod", Some(one.version_id));
        alias.await.unwrap();
        for version in [one.version_id, two.version_id] {
            let job = w.profiles.start(&w.manager, version).await.unwrap();
            w.finish(job.id).await;
        }

        let buckets = w.objects.buckets(&w.manager).await.unwrap();
        assert_eq!(buckets[0].name, "street-scenes");
        let digest = w.version(one.version_id).await.digest.to_string();
        for limit in [1, 2, 3, 1_000] {
            let tops = list(&w, "street-scenes", "", true, limit).await;
            assert_eq!(tops, ["latest/", "prod/", "v1/", "v2/"], "{limit}");
            let inside = list(&w, "street-scenes", "v1/", true, limit).await;
            let mut sorted = inside.clone();
            sorted.sort();
            assert_eq!(sorted, ["v1/a.png", "v1/metadata.jsonl", "v1/sub/"], "{limit}");
            assert_eq!(
                list(&w, "street-scenes", "v1/sub/b", false, limit).await,
                ["v1/sub/b.png"]
            );
            let pinned = list(&w, "street-scenes", &format!("{digest}/sub/"), false, limit).await;
            assert_eq!(pinned, [format!("{digest}/sub/b.png")]);
            let whole = list(&w, "street-scenes@v1", "", false, limit).await;
            assert_eq!(whole, ["metadata.jsonl", "a.png", "sub/b.png"], "{limit}");
            // Without a delimiter everything under every name comes.
            let every = list(&w, "street-scenes", "", false, limit).await;
            assert_eq!(every.len(), 4 + 3 + 3 + 4, "{limit}: {every:?}");
            assert!(list(&w, "street-scenes", "v9/", false, limit).await.is_empty());
        }
        let after = Asked {
            after: Some("v1/a.png"),
            limit: 10,
            ..Asked::default()
        };
        let page = w.objects.list(&w.manager, "street-scenes", &after).await.unwrap();
        let keys: Vec<&str> = page.objects.iter().map(|o| o.key.as_str()).collect();
        assert_eq!(
            keys,
            [
                "v1/sub/b.png",
                "v2/metadata.jsonl",
                "v2/a.png",
                "v2/sub/b.png",
                "v2/sub/c.png"
            ]
        );

        let found = w
            .objects
            .get(&w.manager, "street-scenes", "v1/a.png")
            .await
            .unwrap();
        assert!(matches!(found.content, Content::Stored(_)) && found.bytes > 0);
        let found = w
            .objects
            .get(&w.manager, "street-scenes", "prod/metadata.jsonl")
            .await
            .unwrap();
        assert!(matches!(found.content, Content::Made(_)));
        for (bucket, key) in [
            ("street-scenes", "v1/none.png"),
            ("street-scenes", "v9/a.png"),
            ("street-scenes", "a.png"),
            ("street-scenes", "v1/sub/"),
            ("street-scenes", "v1/../v2/a.png"),
            ("street-scenes@v9", "a.png"),
            ("elsewhere", "v1/a.png"),
        ] {
            let gone = w.objects.get(&w.manager, bucket, key).await;
            let gone = gone.err().unwrap().into_api();
            assert_eq!(gone.code, Code::NotFound, "{bucket}/{key}: {gone:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_of_one_dataset_reaches_that_one_alone() {
    on_both(async |db| {
        let w = world(&db, Task::Detection).await;
        w.label_some().await;
        let d = w.dataset("Mine", DatasetKind::Images).await;
        let other = w.dataset("Other", DatasetKind::Images).await;
        let one = w.register_project(&d).await.version_id;
        let two = w.register_project(&other).await.version_id;
        for scope in [TokenScope::Read, TokenScope::Write, TokenScope::Admin] {
            let token = bound(&w, d.summary.id, scope).await;
            w.versions.get(&token, one).await.unwrap();
            let buckets = w.objects.buckets(&token).await.unwrap();
            assert_eq!(
                buckets.iter().map(|b| b.name.as_str()).collect::<Vec<_>>(),
                ["mine"]
            );
            let code = |e: limn_services::Error| e.into_api().code;
            assert_eq!(
                code(w.versions.get(&token, two).await.unwrap_err()),
                Code::NotFound
            );
            assert_eq!(
                code(w.objects.bucket(&token, "other").await.unwrap_err()),
                Code::NotFound
            );
            assert_eq!(
                code(w.projects.get(&token, w.project).await.unwrap_err()),
                Code::NotFound
            );
            assert!(w.projects.list(&token).await.unwrap().is_empty());
            assert!(
                w.jobs
                    .list(&token, None, false, None, None)
                    .await
                    .unwrap()
                    .rows
                    .is_empty()
            );
            assert_eq!(code(w.tokens.list(&token).await.unwrap_err()), Code::Forbidden);
            assert_eq!(
                code(
                    w.datasets
                        .create(&token, NewDataset::default())
                        .await
                        .unwrap_err()
                ),
                Code::Forbidden
            );
        }
        let both = NewToken {
            name: "x".to_owned(),
            scope: TokenScope::Read,
            project_id: Some(w.project),
            dataset_id: Some(d.summary.id),
            expires_in_days: None,
        };
        let refused = w.tokens.create(&w.manager, both).await.unwrap_err().into_api();
        assert!(refused.for_field("dataset_id").is_some(), "{refused:?}");
        for id in ["", "LIMN", "LIMN00", "AKIAIOSFODNN7EXAMPLE", "LIMNzz"] {
            assert!(w.auth.s3_actor(id).await.is_err(), "{id}");
        }
    })
    .await;
}
