//! How fast large files go in and out without HTTP; prints, and is run by hand:
//! `cargo test -p limn-tests --test services -- --ignored --nocapture transfer::speed`. `LIMN_SPEED_N` scales it.

use super::{boxed, coco, image, world};
use limn_domain::export::NewExport;
use limn_domain::import::ImportFormat;
use limn_domain::project::Task;
use limn_testkit::{build, on_both};
use std::time::Instant;

const ITEMS: i64 = 500;
const BOXES: i64 = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn large_files_in_and_out() {
    let scale: i64 = std::env::var("LIMN_SPEED_N")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1);
    on_both(async |db| {
        let world = world(&db, Task::Detection).await;
        let (mut images, mut annotations) = (Vec::new(), Vec::new());
        for block in 0..scale {
            build::items(&db, world.project, &format!("{block}-"), ITEMS as usize).await;
            for i in 0..ITEMS {
                let id = block * ITEMS + i + 1;
                images.push(image(id, &format!("{block}-{i:03}.jpg")));
                annotations.extend((0..BOXES).map(|b| {
                    let n = id * BOXES + b;
                    let (x, y) = ((n * 37 % 6_000) as f64 / 10.0, (n * 91 % 4_000) as f64 / 10.0);
                    boxed(n, id, 1, [x, y, 20.5 + (n % 19) as f64, 15.25 + (n % 60) as f64])
                }));
            }
        }
        let n = annotations.len();
        let file = coco(&images, &annotations, &["thing"]);
        drop((images, annotations));
        let mib = file.len() >> 20;
        let begun = Instant::now();
        let report = world
            .import(ImportFormat::Coco, &[("large.json", file.clone())])
            .await;
        assert_eq!(report.annotations_added, n as i64);
        println!(
            "{:?}: import of {n} boxes ({mib} MiB): {:?}",
            db.backend,
            begun.elapsed()
        );
        let begun = Instant::now();
        let report = world.import(ImportFormat::Coco, &[("large.json", file)]).await;
        assert_eq!(report.annotations_added, 0);
        println!("{:?}: the same again: {:?}", db.backend, begun.elapsed());
        for _ in 0..3 {
            let begun = Instant::now();
            let (result, _) = world.export(world.project, NewExport::default()).await;
            assert_eq!(result.annotations, n as i64);
            println!("{:?}: export: {:?}", db.backend, begun.elapsed());
        }
    })
    .await;
}
