use super::*;
use futures::StreamExt as _;
use limn_domain::token::TokenScope;
use limn_domain::upload::NewUpload;
use limn_domain::{TokenId, UploadId};
use limn_testkit::on_both;
use std::time::Duration;

fn new(size: i64) -> NewUpload {
    NewUpload {
        name: "photos.zip".to_owned(),
        size,
    }
}

fn file(w: &World, id: UploadId) -> Vec<u8> {
    std::fs::read(w.context.upload_path(id)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pieces_add_up_and_offsets_are_exact() {
    on_both(async |db| {
        let w = world(&db).await;
        let up = w.uploads.create(&w.manager, new(2_500)).await.unwrap();
        assert_eq!((up.received, up.size), (0, 2_500));
        let e = refusal(w.uploads.append(&w.manager, up.id, 5, body(vec![1; 10])).await);
        assert_eq!(e.code, Code::Conflict);
        assert!(e.message.contains("has 0 bytes, not 5"), "{}", e.message);
        assert_eq!(
            w.uploads
                .append(&w.manager, up.id, 0, body(vec![1; 1_500]))
                .await
                .unwrap()
                .received,
            1_500
        );
        assert_eq!(
            code(w.uploads.append(&w.manager, up.id, 0, body(vec![2; 10])).await),
            Code::Conflict
        );
        assert_eq!(
            code(w.uploads.append(&w.manager, up.id, -1, body(vec![2; 10])).await),
            Code::Conflict
        );
        assert_eq!(
            w.uploads
                .append(&w.manager, up.id, 1_500, body(vec![2; 1_000]))
                .await
                .unwrap()
                .received,
            2_500
        );
        assert_eq!(file(&w, up.id), [vec![1; 1_500], vec![2; 1_000]].concat());
        // Nothing more, and an empty body changes nothing.
        assert_eq!(
            code(w.uploads.append(&w.manager, up.id, 2_500, body(vec![3; 1])).await),
            Code::TooLarge
        );
        assert_eq!(
            w.uploads
                .append(&w.manager, up.id, 2_500, body(Vec::new()))
                .await
                .unwrap()
                .received,
            2_500
        );
        assert_eq!(w.uploads.get(&w.manager, up.id).await.unwrap().received, 2_500);
        w.uploads.delete(&w.manager, up.id).await.unwrap();
        assert!(!w.context.upload_path(up.id).exists());
        assert_eq!(code(w.uploads.get(&w.manager, up.id).await), Code::NotFound);
        assert_eq!(
            code(w.uploads.append(&w.manager, up.id, 0, body(vec![1])).await),
            Code::NotFound
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_arrived_before_a_break_is_kept() {
    on_both(async |db| {
        let w = world(&db).await;
        let up = w.uploads.create(&w.manager, new(100)).await.unwrap();
        let e = refusal(w.uploads.append(&w.manager, up.id, 0, broken(vec![7; 60])).await);
        assert_eq!(e.code, Code::BadRequest);
        assert!(e.message.contains("60 bytes are kept"), "{}", e.message);
        assert_eq!(w.uploads.get(&w.manager, up.id).await.unwrap().received, 60);
        // Of too many bytes those of whole pieces that fit are kept.
        let too_many = stream::iter([
            Ok::<_, std::io::Error>(Bytes::from(vec![8; 30])),
            Ok(Bytes::from(vec![9; 30])),
        ]);
        assert_eq!(
            code(w.uploads.append(&w.manager, up.id, 60, too_many).await),
            Code::TooLarge
        );
        assert_eq!(w.uploads.get(&w.manager, up.id).await.unwrap().received, 90);
        // A crash after writing and before acknowledging leaves bytes that do not count.
        let mut bytes = file(&w, up.id);
        bytes.extend([0xff; 500]);
        std::fs::write(w.context.upload_path(up.id), bytes).unwrap();
        assert_eq!(
            w.uploads
                .append(&w.manager, up.id, 90, body(vec![1; 10]))
                .await
                .unwrap()
                .received,
            100
        );
        assert_eq!(file(&w, up.id), [vec![7; 60], vec![8; 30], vec![1; 10]].concat());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_goes_away_loses_nothing_it_sent() {
    on_both(async |db| {
        let w = world(&db).await;
        let up = w.uploads.create(&w.manager, new(100)).await.unwrap();
        let stuck =
            stream::iter([Ok::<_, std::io::Error>(Bytes::from(vec![1; 40]))]).chain(stream::pending());
        let append = w.uploads.append(&w.manager, up.id, 0, stuck);
        assert!(
            tokio::time::timeout(Duration::from_millis(300), append)
                .await
                .is_err()
        );
        let mut received = 0;
        for _ in 0..100 {
            received = w.uploads.get(&w.manager, up.id).await.unwrap().received;
            if received > 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(received, 40);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_transfers_of_one_upload_do_not_mix() {
    on_both(async |db| {
        let w = world(&db).await;
        for _ in 0..5 {
            let up = w.uploads.create(&w.manager, new(200_000)).await.unwrap();
            let one = w.uploads.append(&w.manager, up.id, 0, body(vec![1; 100_000]));
            let two = w.uploads.append(&w.manager, up.id, 0, body(vec![2; 100_000]));
            let (one, two) = tokio::join!(one, two);
            // Only one of them may win.
            let won = u8::from(one.is_ok()) + u8::from(two.is_ok());
            assert_eq!(won, 1, "{one:?} {two:?}");
            let bytes = file(&w, up.id);
            assert_eq!(bytes.len(), 100_000);
            assert!(bytes.iter().all(|b| *b == bytes[0]));
            w.uploads.delete(&w.manager, up.id).await.unwrap();
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_upload_and_how_much() {
    on_both(async |db| {
        let w = world(&db).await;
        let up = w.uploads.create(&w.manager, new(10)).await.unwrap();
        for stranger in [&w.viewer, &w.outsider] {
            assert_eq!(code(w.uploads.get(stranger, up.id).await), Code::NotFound);
            assert_eq!(
                code(w.uploads.append(stranger, up.id, 0, body(vec![1])).await),
                Code::NotFound
            );
            assert_eq!(code(w.uploads.delete(stranger, up.id).await), Code::NotFound);
        }
        assert_eq!(code(w.uploads.create(&w.viewer, new(10)).await), Code::Forbidden);
        assert_eq!(
            code(w.uploads.create(&Actor::Anonymous, new(10)).await),
            Code::SignInRequired
        );
        // A labeler in the studio who manages one project may.
        let lee = w.person("Lee", Role::Labeler).await;
        assert_eq!(code(w.uploads.create(&lee, new(10)).await), Code::Forbidden);
        build::member(&w.db, w.project, lee.user_id().unwrap(), Role::Manager).await;
        w.uploads.create(&lee, new(10)).await.unwrap();
        let Actor::User(me) = w.manager.clone() else {
            panic!()
        };
        let token = |scope| Actor::Token {
            me: me.clone(),
            token_id: TokenId::new(),
            scope,
            project_id: None,
        };
        assert_eq!(
            code(w.uploads.create(&token(TokenScope::Read), new(10)).await),
            Code::Forbidden
        );
        w.uploads
            .create(&token(TokenScope::Write), new(10))
            .await
            .unwrap();

        for size in [0, -5, i64::MAX] {
            let e = refusal(w.uploads.create(&w.manager, new(size)).await);
            assert!(e.for_field("size").is_some(), "{}", e.message);
        }
        let bad = NewUpload {
            name: "../x.zip".to_owned(),
            size: 5,
        };
        assert!(
            refusal(w.uploads.create(&w.manager, bad).await)
                .for_field("name")
                .is_some()
        );
        // A person's claims are limited.
        for _ in 0..4 {
            w.uploads
                .create(&w.outsider, new(w.context.limits.upload_bytes as i64))
                .await
                .unwrap();
        }
        assert_eq!(
            code(w.uploads.create(&w.outsider, new(1)).await),
            Code::TooManyRequests
        );
    })
    .await;
}
