//! Files of runs that are larger than the server takes.

use crate::refusal;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use limn_domain::run::NewRun;
use limn_domain::{Code, Role};
use limn_services::artifacts::Owner;
use limn_services::housekeeping::sweep;
use limn_testkit::{Studio, on_both};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[tokio::test]
async fn a_file_over_the_limit_is_refused_before_it_has_come_and_leaves_nothing() {
    on_both(async |db| {
        let s = Studio::with(&db, |limits| limits.upload_bytes = 1 << 20);
        let ana = s.person("Ana", Role::Viewer).await;
        let experiment = s.experiments.ensure(&ana, "large").await.unwrap();
        let run = s
            .runs
            .start(&ana, experiment, NewRun::default())
            .await
            .unwrap()
            .id;
        let put = async |path: &str, pieces: usize| {
            let read = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&read);
            let body = stream::iter(0..pieces).map(move |_| {
                counted.fetch_add(1, Ordering::Relaxed);
                Ok::<_, std::io::Error>(Bytes::from(vec![7; 64 << 10]))
            });
            let done = s.artifacts.put_stream(&ana, Owner::Run(run), path, body).await;
            (done, read.load(Ordering::Relaxed))
        };
        // As much as is allowed, and ten gigabytes.
        put("small.bin", 16).await.0.unwrap();
        let (done, read) = put("weights/large.bin", 160_000).await;
        let why = refusal(done);
        assert_eq!(why.code, Code::TooLarge);
        assert!(why.message.contains("larger than 1 MiB"), "{}", why.message);
        assert!(read < 100, "{read} pieces were read");
        let files = s.artifacts.files(&ana, Owner::Run(run), "").await.unwrap();
        let names: Vec<&str> = files.iter().map(|f| f.path.as_str()).collect();
        assert_eq!(names, ["small.bin"]);
        // Nor does a clean-up find anything.
        s.clock.advance_seconds(7_200);
        let swept = sweep(&s.context).await.unwrap();
        assert_eq!((swept.blobs, swept.files), (0, 0));
    })
    .await;
}
